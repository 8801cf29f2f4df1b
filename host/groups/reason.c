/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "groups/evidence.h"
#include "groups/word_list.h"

/* Longer than any reason: a lead and five clauses, none of which holds text of the papers. */
#define LINE_BYTES 640

typedef struct reason_line {
    char bytes[LINE_BYTES];
    size_t n_bytes;
    pkin_language language;
} reason_line;

/* Appends a clause, set off from what stands before it. The longest line fits (tests/unit/groups). */
static void add_clause(reason_line *line, const char *format, ...) PKIN_PRINTF(2, 3);

static void add_clause(reason_line *line, const char *format, ...) {
    static const char *const separators[] = {[PKIN_LANGUAGE_EN] = ", ", [PKIN_LANGUAGE_ZH] = "，"};
    va_list arguments;
    const char *separator = line->n_bytes ? separators[line->language] : "";
    int written = snprintf(line->bytes + line->n_bytes, LINE_BYTES - line->n_bytes, "%s", separator);
    line->n_bytes += (size_t)written;
    va_start(arguments, format);
    written = vsnprintf(line->bytes + line->n_bytes, LINE_BYTES - line->n_bytes, format, arguments);
    va_end(arguments);
    if (written > 0) line->n_bytes += (size_t)written;
    if (line->n_bytes >= LINE_BYTES) line->n_bytes = LINE_BYTES - 1;
}

/* Hundredths of a share, rounded, in [0, 100]: printed without the locale's decimal point. */
static int hundredths(double share) {
    if (!(share > 0)) return 0;
    return share < 1 ? (int)(share * 100 + 0.5) : 100;
}

static void add_titles(reason_line *line, const pkin_judgement *judgement) {
    int percent = hundredths(judgement->title_ratio);
    if (judgement->rule && !strcmp(judgement->rule, "same title")) return;
    if (percent < 50) return; /* any two titles share that many letters */
    add_clause(line, line->language == PKIN_LANGUAGE_ZH ? "标题相似度 %d%%" : "titles %d%% alike", percent);
}

static void add_authors(reason_line *line, double overlap) {
    int zh = line->language == PKIN_LANGUAGE_ZH, percent = hundredths(overlap);
    if (overlap < 0) {
        add_clause(line, zh ? "作者信息缺失" : "authors unknown");
    } else if (percent == 100) {
        add_clause(line, zh ? "作者全部相同" : "all authors shared");
    } else if (percent == 0) {
        add_clause(line, zh ? "没有共同作者" : "no author shared");
    } else {
        add_clause(line, zh ? "共同作者占 %d%%" : "%d%% of authors shared", percent);
    }
}

static void add_abstracts(reason_line *line, double ratio) {
    int zh = line->language == PKIN_LANGUAGE_ZH, percent = hundredths(ratio);
    if (ratio < 0) return;
    if (percent == 100) {
        add_clause(line, zh ? "摘要相同" : "same abstract");
    } else {
        add_clause(line, zh ? "摘要相似度 %d%%" : "abstracts %d%% alike", percent);
    }
}

static void add_distance(reason_line *line, int days) {
    int zh = line->language == PKIN_LANGUAGE_ZH;
    if (days < 0) return;
    if (days < 2) {
        add_clause(line, zh ? "几乎同时发布" : "within a day or so");
    } else {
        add_clause(line, zh ? "相隔约 %d 天" : "about %d days apart", days);
    }
}

static void write_line(const pkin_judgement *judgement, reason_line *line) {
    int zh = line->language == PKIN_LANGUAGE_ZH, cosine = hundredths(judgement->cosine);
    const char *lead = pkin_i_rule_lead(judgement->rule, line->language);
    if (*lead) add_clause(line, "%s", lead);
    if (judgement->verdict != PKIN_VERDICT_REPEAT && judgement->verdict != PKIN_VERDICT_NEW_VERSION) {
        add_titles(line, judgement);
        add_authors(line, judgement->author_overlap);
        if (judgement->verdict != PKIN_VERDICT_RELATED) add_abstracts(line, judgement->abstract_ratio);
        add_clause(line, zh ? "余弦 %d.%02d" : "cosine %d.%02d", cosine / 100, cosine % 100);
        add_distance(line, judgement->days_apart);
        if (judgement->comment_names_other)
            add_clause(line, zh ? "备注引用了对方编号" : "a comment names the other id");
    }
}

size_t pkin_judgement_reason(const pkin_judgement *judgement, pkin_language language, char *buffer, size_t n_bytes) {
    reason_line line;
    line.n_bytes = 0;
    line.bytes[0] = '\0';
    line.language = language == PKIN_LANGUAGE_ZH ? PKIN_LANGUAGE_ZH : PKIN_LANGUAGE_EN;
    if (judgement && judgement->verdict != PKIN_VERDICT_NONE) write_line(judgement, &line);
    if (buffer && n_bytes) {
        size_t n_kept = pkin_i_utf8_prefix(line.bytes, line.n_bytes, n_bytes - 1);
        memcpy(buffer, line.bytes, n_kept);
        buffer[n_kept] = '\0';
    }
    return line.n_bytes;
}
