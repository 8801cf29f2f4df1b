/* SPDX-License-Identifier: Apache-2.0 */
#include "base/failure.h"
#include "digest/annotation.h"
#include "digest/phrases.h"

/* What one block is written with. */
typedef struct block_writer {
    pkin_i_buffer *out;
    const char *line_end;
    int languages;
} block_writer;

/* Chinese alone has its own punctuation. */
static const char *mark(const block_writer *writer, const char *english, const char *chinese) {
    return writer->languages == PKIN_LANGUAGES_ZH ? chinese : english;
}

static pkin_status put(const block_writer *writer, const char *text) {
    return pkin_i_buffer_string(writer->out, text);
}

static pkin_status put_escaped(const block_writer *writer, const char *text) {
    return pkin_i_buffer_escaped(writer->out, PKIN_ESCAPE_MARKDOWN, text);
}

static pkin_status put_phrase(const block_writer *writer, pkin_i_phrase phrase) {
    return pkin_i_phrase_append(writer->out, phrase, writer->languages, " / ");
}

/* "- **Label**" */
static pkin_status open_item(const block_writer *writer, pkin_i_phrase phrase) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(put(writer, "- **"));
    PKIN_TRY(pkin_i_phrase_append(writer->out, phrase, writer->languages, " · "));
    PKIN_TRY(put(writer, "**"));
out:
    return status;
}

/* "- **Label**: " */
static pkin_status open_labelled(const block_writer *writer, pkin_i_phrase phrase) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(open_item(writer, phrase));
    PKIN_TRY(put(writer, mark(writer, ": ", "：")));
out:
    return status;
}

static pkin_status put_terms(const block_writer *writer, const pkin_i_strong_terms *terms) {
    pkin_status status = PKIN_OK;
    for (uint32_t t = 0; t < terms->n_items; t++) {
        if (t > 0) PKIN_TRY(put(writer, ", "));
        PKIN_TRY(put_escaped(writer, terms->items[t]));
    }
out:
    return status;
}

/* "[Title](link)", or the title alone where there is no page to link. */
static pkin_status put_title(const block_writer *writer, const pkin_i_partner *partner) {
    pkin_status status = PKIN_OK;
    if (!*partner->link) {
        PKIN_TRY(put_escaped(writer, partner->title));
        goto out;
    }
    PKIN_TRY(put(writer, "["));
    PKIN_TRY(put_escaped(writer, partner->title));
    PKIN_TRY(put(writer, "]("));
    PKIN_TRY(pkin_i_buffer_escaped(writer->out, PKIN_ESCAPE_URL, partner->link));
    PKIN_TRY(put(writer, ")"));
out:
    return status;
}

/* "2026-01-05", "2026-01-09, later"; nothing where the date is unknown. */
static pkin_status put_date(const block_writer *writer, const pkin_i_partner *partner) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(put_escaped(writer, partner->date));
    if (partner->later) {
        PKIN_TRY(put(writer, ", "));
        PKIN_TRY(put_phrase(writer, PKIN_I_PHRASE_LATER));
    }
out:
    return status;
}

static pkin_status put_seen_line(const block_writer *writer, const pkin_i_seen_line *seen) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(put_escaped(writer, seen->date));
    if (seen->name) {
        PKIN_TRY(put(writer, " ("));
        PKIN_TRY(put_escaped(writer, seen->name));
        PKIN_TRY(put(writer, ")"));
    }
out:
    return status;
}

static pkin_status put_seen(const block_writer *writer, const pkin_i_annotation *annotation) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(open_labelled(writer, PKIN_I_PHRASE_SEEN_BEFORE));
    if (annotation->n_seen > PKIN_I_MAX_DATES) {
        PKIN_TRY(put_seen_line(writer, &annotation->seen[0]));
        PKIN_TRY(put(writer, " … "));
        PKIN_TRY(put_seen_line(writer, &annotation->seen[annotation->n_seen - 1]));
        PKIN_TRY(pkin_i_buffer_printf(writer->out, " (%zu ", annotation->n_seen));
        PKIN_TRY(put_phrase(writer, PKIN_I_PHRASE_TIMES));
        PKIN_TRY(put(writer, ")"));
    } else {
        for (size_t s = 0; s < annotation->n_seen; s++) {
            if (s > 0) PKIN_TRY(put(writer, ", "));
            PKIN_TRY(put_seen_line(writer, &annotation->seen[s]));
        }
    }
    PKIN_TRY(put(writer, writer->line_end));
out:
    return status;
}

/* "- **New version**: v2; v1 first seen 2026-01-05" */
static pkin_status put_new_version(const block_writer *writer, const pkin_i_annotation *annotation) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(open_labelled(writer, PKIN_I_PHRASE_NEW_VERSION));
    PKIN_TRY(pkin_i_buffer_printf(writer->out, "v%u%sv%u, ", annotation->version, mark(writer, "; ", "；"),
                                  annotation->earlier_version));
    PKIN_TRY(put_phrase(writer, PKIN_I_PHRASE_FIRST_SEEN));
    PKIN_TRY(put(writer, " "));
    PKIN_TRY(put_seen_line(writer, &annotation->seen[0]));
    PKIN_TRY(put(writer, writer->line_end));
out:
    return status;
}

static pkin_status put_listed_above(const block_writer *writer, const pkin_i_annotation *annotation) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(open_labelled(writer, PKIN_I_PHRASE_LISTED_ABOVE));
    PKIN_TRY(put_phrase(writer, PKIN_I_PHRASE_ENTRY));
    PKIN_TRY(
        pkin_i_buffer_printf(writer->out, " %llu%s", (unsigned long long)annotation->listed_above, writer->line_end));
out:
    return status;
}

static pkin_status put_verdict(const block_writer *writer, const pkin_i_verdict_line *line) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(open_item(writer, pkin_i_verdict_phrase(line->judgement->verdict)));
    PKIN_TRY(put(writer, " "));
    PKIN_TRY(put_title(writer, &line->partner));
    if (*line->partner.date) {
        PKIN_TRY(put(writer, " ("));
        PKIN_TRY(put_date(writer, &line->partner));
        PKIN_TRY(put(writer, ")"));
    }
    PKIN_TRY(put(writer, mark(writer, ": ", "：")));
    PKIN_TRY(pkin_i_reason_append(writer->out, line->judgement, writer->languages));
    if (line->terms.n_items > 0) {
        PKIN_TRY(put(writer, mark(writer, "; ", "；")));
        PKIN_TRY(put_phrase(writer, PKIN_I_PHRASE_SHARED_TERMS));
        PKIN_TRY(put(writer, mark(writer, ": ", "：")));
        PKIN_TRY(put_terms(writer, &line->terms));
    }
    PKIN_TRY(put(writer, writer->line_end));
out:
    return status;
}

/* Indented by four: nested for CommonMark, and for older Markdown too. */
static pkin_status put_related(const block_writer *writer, const pkin_i_related_line *line) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(put(writer, "    - "));
    PKIN_TRY(put_title(writer, &line->partner));
    if (*line->partner.date) {
        PKIN_TRY(put(writer, " · "));
        PKIN_TRY(put_date(writer, &line->partner));
    }
    PKIN_TRY(put(writer, " · "));
    PKIN_TRY(pkin_i_append_fixed(writer->out, line->cosine, 2));
    if (line->terms.n_items > 0) PKIN_TRY(put(writer, " · "));
    PKIN_TRY(put_terms(writer, &line->terms));
    PKIN_TRY(put(writer, writer->line_end));
out:
    return status;
}

pkin_status pkin_i_markdown_block(const pkin_i_annotation *annotation, int languages, const char *line_end,
                                  pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    block_writer writer = {.out = out, .line_end = line_end, .languages = languages};
    PKIN_TRY(put(&writer, line_end));
    if (annotation->listed_above) PKIN_TRY(put_listed_above(&writer, annotation));
    if (annotation->is_new_version) PKIN_TRY(put_new_version(&writer, annotation));
    if (annotation->n_seen > 0) PKIN_TRY(put_seen(&writer, annotation));
    for (size_t v = 0; v < annotation->n_verdicts; v++) PKIN_TRY(put_verdict(&writer, &annotation->verdicts[v]));
    if (annotation->n_more_verdicts > 0) {
        PKIN_TRY(open_labelled(&writer, PKIN_I_PHRASE_MORE));
        PKIN_TRY(pkin_i_buffer_printf(out, "%zu%s", annotation->n_more_verdicts, line_end));
    }
    if (annotation->n_related > 0) {
        PKIN_TRY(open_item(&writer, PKIN_I_PHRASE_RELATED));
        PKIN_TRY(put(&writer, mark(&writer, ":", "：")));
        PKIN_TRY(put(&writer, line_end));
    }
    for (size_t r = 0; r < annotation->n_related; r++) PKIN_TRY(put_related(&writer, &annotation->related[r]));
    PKIN_TRY(put(&writer, line_end));
out:
    return status;
}
