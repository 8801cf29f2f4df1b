/* SPDX-License-Identifier: Apache-2.0 */
#include "digest/annotation.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/failure.h"
#include "base/utf8.h"

pkin_status pkin_i_shown_title(const pkin_paper *paper, pkin_i_arena *arena, const char **out) {
    pkin_status status = PKIN_OK;
    const char *title = *paper->title ? paper->title : *paper->id ? paper->id : paper->key;
    char *copy = NULL;
    size_t n_bytes = strlen(title), at = 0;
    for (unsigned c = 0; c < PKIN_I_TITLE_CHARACTERS && at < n_bytes; c++) {
        uint32_t character;
        at += pkin_i_utf8_decode(title + at, n_bytes - at, &character);
    }
    if (at == n_bytes) {
        PKIN_TRY(pkin_i_arena_string(arena, title, n_bytes, out));
        goto out;
    }
    static const char ellipsis[] = "…";
    PKIN_TRY(pkin_i_arena_allocate(arena, at + sizeof ellipsis, 1, &copy));
    memcpy(copy, title, at);
    memcpy(copy + at, ellipsis, sizeof ellipsis);
    *out = copy;
out:
    return status;
}

static int is_web_link(const char *link) {
    return pkin_i_ascii_equal_ignoring_case(link, "http://", 7) ||
           pkin_i_ascii_equal_ignoring_case(link, "https://", 8);
}

pkin_status pkin_i_shown_link(const pkin_paper *paper, pkin_i_arena *arena, const char **out) {
    pkin_status status = PKIN_OK;
    pkin_i_buffer text = {0};
    if (is_web_link(paper->link)) {
        PKIN_TRY(pkin_i_buffer_string(&text, paper->link));
    } else if (strncmp(paper->key, "arxiv:", 6) == 0) {
        PKIN_TRY(pkin_i_buffer_printf(&text, "https://arxiv.org/abs/%s", paper->key + 6));
    } else if (*paper->doi) {
        PKIN_TRY(pkin_i_buffer_printf(&text, "https://doi.org/%s", paper->doi));
    }
    PKIN_TRY(pkin_i_arena_string(arena, text.bytes ? text.bytes : "", text.n_bytes, out));
out:
    pkin_i_buffer_free(&text);
    return status;
}

/* "YYYY-MM" of an arXiv key ("arxiv:2512.11762", "arxiv:hep-th/9901001"); 0 where the key tells no month. */
static int arxiv_month(const char *key, char out[8]) {
    if (strncmp(key, "arxiv:", 6) != 0) return 0;
    const char *digits = strrchr(key, '/');
    digits = digits ? digits + 1 : key + 6;
    for (int d = 0; d < 4; d++) {
        if (digits[d] < '0' || digits[d] > '9') return 0;
    }
    int year = (digits[0] - '0') * 10 + digits[1] - '0', month = (digits[2] - '0') * 10 + digits[3] - '0';
    if (month < 1 || month > 12) return 0;
    /* arXiv began in 1991. */
    snprintf(out, 8, "%04d-%02d", year >= 91 ? 1900 + year : 2000 + year, month);
    return 1;
}

/* Months from year 0 to a date that begins "YYYY-MM". */
static int month_number(const char *date) {
    return ((date[0] - '0') * 1000 + (date[1] - '0') * 100 + (date[2] - '0') * 10 + date[3] - '0') * 12 +
           (date[5] - '0') * 10 + date[6] - '0';
}

/*
 * The date shown for another paper: when it was first seen. A corpus read in as history is first seen long after its
 * papers came out, perhaps after this very digest: then the paper's own date says more, or the month of its arXiv id.
 */
static void shown_date(const pkin_i_stored_paper *stored, const char *digest_date, pkin_i_partner *partner) {
    char month[8] = "";
    const char *seen = stored->first_date ? stored->first_date : "";
    const char *own = strlen(stored->paper.date) == 10 ? stored->paper.date : month;
    if (own == month && !arxiv_month(stored->paper.key, month)) own = "";
    int later = strcmp(seen, digest_date) > 0;
    int own_is_before = *own && (own == month ? strncmp(own, digest_date, 7) < 0 : strcmp(own, digest_date) <= 0);
    if (*own && *seen && (month_number(seen) - month_number(own) >= 2 || (later && own_is_before))) {
        later = strncmp(own, digest_date, strlen(own)) > 0;
        seen = own;
    }
    partner->later = later;
    snprintf(partner->date, sizeof partner->date, "%.10s", seen);
}

pkin_status pkin_i_partner_describe(pkin_i_history *history, uint32_t row, const char *digest_date, pkin_i_arena *arena,
                                    pkin_i_partner *out) {
    pkin_status status = PKIN_OK;
    const pkin_i_stored_paper *stored = NULL;
    PKIN_TRY(pkin_i_history_paper(history, row, &stored));
    out->key = stored->paper.key;
    PKIN_TRY(pkin_i_shown_title(&stored->paper, arena, &out->title));
    PKIN_TRY(pkin_i_shown_link(&stored->paper, arena, &out->link));
    shown_date(stored, digest_date, out);
out:
    return status;
}

/* One line a date, several for this digest's own date, where the file's name tells them apart. */
static pkin_status collect_seen(const pkin_i_sightings *sightings, const char *date, pkin_i_arena *arena,
                                pkin_i_annotation *out) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_arena_allocate(arena, sightings->n_items + 1, sizeof *out->seen, &out->seen));
    for (size_t s = 0; s < sightings->n_items; s++) {
        const pkin_i_sighting *sighting = &sightings->items[s];
        const char *name = strcmp(sighting->date, date) == 0 ? sighting->name : NULL;
        const pkin_i_seen_line *last = out->n_seen ? &out->seen[out->n_seen - 1] : NULL;
        if (last && strcmp(last->date, sighting->date) == 0 && (!name || strcmp(name, last->name) == 0)) continue;
        out->seen[out->n_seen++] = (pkin_i_seen_line){.date = sighting->date, .name = name};
    }
out:
    return status;
}

static pkin_status collect_verdicts(pkin_i_history *history, const pkin_i_subject *subject, const char *date,
                                    pkin_i_arena *arena, pkin_i_annotation *out) {
    pkin_status status = PKIN_OK;
    size_t n = subject->n_verdicts < PKIN_I_MAX_VERDICTS ? subject->n_verdicts : PKIN_I_MAX_VERDICTS;
    PKIN_TRY(pkin_i_arena_allocate(arena, n, sizeof *out->verdicts, &out->verdicts));
    for (size_t v = 0; v < n; v++) {
        const pkin_i_kin *kin = &subject->verdicts[v];
        out->verdicts[v] = (pkin_i_verdict_line){.judgement = kin->judgement, .terms = kin->terms};
        PKIN_TRY(pkin_i_partner_describe(history, kin->row, date, arena, &out->verdicts[v].partner));
    }
    out->n_verdicts = n;
    out->n_more_verdicts = subject->n_verdicts - n;
out:
    return status;
}

static pkin_status collect_related(pkin_i_history *history, const pkin_i_subject *subject, const char *date,
                                   pkin_i_arena *arena, pkin_i_annotation *out) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_arena_allocate(arena, subject->n_related, sizeof *out->related, &out->related));
    for (size_t r = 0; r < subject->n_related; r++) {
        const pkin_i_kin *kin = &subject->related[r];
        out->related[r] = (pkin_i_related_line){.cosine = pkin_score_to_cosine(kin->score), .terms = kin->terms};
        PKIN_TRY(pkin_i_partner_describe(history, kin->row, date, arena, &out->related[r].partner));
    }
    out->n_related = subject->n_related;
out:
    return status;
}

pkin_status pkin_i_annotation_build(pkin_i_history *history, const pkin_paper *record, uint64_t listed_above,
                                    const char *date, const pkin_i_sightings *sightings, const pkin_i_subject *subject,
                                    pkin_i_arena *arena, pkin_i_annotation *out) {
    pkin_status status = PKIN_OK;
    *out = (pkin_i_annotation){.key = record->key, .version = record->version, .listed_above = listed_above};
    if (listed_above) goto out;
    PKIN_TRY(collect_seen(sightings, date, arena, out));
    out->earlier_version = sightings->max_version;
    out->is_new_version = pkin_i_is_new_version(record->version, sightings);
    if (!subject) goto out;
    PKIN_TRY(collect_verdicts(history, subject, date, arena, out));
    PKIN_TRY(collect_related(history, subject, date, arena, out));
out:
    return status;
}

pkin_status pkin_i_append_fixed(pkin_i_buffer *out, double value, unsigned n_decimals) {
    uint64_t unit = 1;
    for (unsigned d = 0; d < n_decimals; d++) unit *= 10;
    uint64_t scaled = value > 0 ? (uint64_t)(value * (double)unit + 0.5) : 0;
    return pkin_i_buffer_printf(out, "%llu.%0*llu", (unsigned long long)(scaled / unit), (int)n_decimals,
                                (unsigned long long)(scaled % unit));
}
