/* SPDX-License-Identifier: Apache-2.0 */
#include "base/failure.h"
#include "digest/markdown_writer.h"

/* "- **Phrase**" */
static pkin_status put_item(const pkin_i_markdown_writer *writer, pkin_i_phrase phrase) {
    pkin_status status = pkin_i_markdown_put(writer, "- ");
    return status == PKIN_OK ? pkin_i_markdown_put_strong(writer, phrase) : status;
}

static pkin_status put_terms(const pkin_i_markdown_writer *writer, const pkin_i_strong_terms *terms) {
    pkin_status status = PKIN_OK;
    for (uint32_t t = 0; t < terms->n_items; t++) {
        if (t > 0) PKIN_TRY(pkin_i_markdown_put(writer, ", "));
        PKIN_TRY(pkin_i_markdown_put_escaped(writer, terms->items[t]));
    }
out:
    return status;
}

static pkin_status put_seen_line(const pkin_i_markdown_writer *writer, const pkin_i_seen_line *seen) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_put_escaped(writer, seen->date));
    if (seen->name) {
        PKIN_TRY(pkin_i_markdown_put(writer, " ("));
        PKIN_TRY(pkin_i_markdown_put_escaped(writer, seen->name));
        PKIN_TRY(pkin_i_markdown_put(writer, ")"));
    }
out:
    return status;
}

static pkin_status put_seen(const pkin_i_markdown_writer *writer, const pkin_i_annotation *annotation) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_open_labelled(writer, PKIN_I_PHRASE_SEEN_BEFORE));
    if (annotation->n_seen > PKIN_I_MAX_DATES) {
        PKIN_TRY(put_seen_line(writer, &annotation->seen[0]));
        PKIN_TRY(pkin_i_markdown_put(writer, " … "));
        PKIN_TRY(put_seen_line(writer, &annotation->seen[annotation->n_seen - 1]));
        PKIN_TRY(pkin_i_buffer_printf(writer->out, " (%zu ", annotation->n_seen));
        PKIN_TRY(pkin_i_markdown_put_phrase(writer, PKIN_I_PHRASE_TIMES));
        PKIN_TRY(pkin_i_markdown_put(writer, ")"));
    } else {
        for (size_t s = 0; s < annotation->n_seen; s++) {
            if (s > 0) PKIN_TRY(pkin_i_markdown_put(writer, ", "));
            PKIN_TRY(put_seen_line(writer, &annotation->seen[s]));
        }
    }
    PKIN_TRY(pkin_i_markdown_put(writer, writer->line_end));
out:
    return status;
}

/* "- **New version**: v2; v1 first seen 2026-01-05" */
static pkin_status put_new_version(const pkin_i_markdown_writer *writer, const pkin_i_annotation *annotation) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_open_labelled(writer, PKIN_I_PHRASE_NEW_VERSION));
    PKIN_TRY(pkin_i_buffer_printf(writer->out, "v%u%sv%u, ", annotation->version,
                                  pkin_i_markdown_mark(writer, "; ", "；"), annotation->earlier_version));
    PKIN_TRY(pkin_i_markdown_put_phrase(writer, PKIN_I_PHRASE_FIRST_SEEN));
    PKIN_TRY(pkin_i_markdown_put(writer, " "));
    PKIN_TRY(put_seen_line(writer, &annotation->seen[0]));
    PKIN_TRY(pkin_i_markdown_put(writer, writer->line_end));
out:
    return status;
}

static pkin_status put_listed_above(const pkin_i_markdown_writer *writer, const pkin_i_annotation *annotation) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_open_labelled(writer, PKIN_I_PHRASE_LISTED_ABOVE));
    PKIN_TRY(pkin_i_markdown_put_phrase(writer, PKIN_I_PHRASE_ENTRY));
    PKIN_TRY(
        pkin_i_buffer_printf(writer->out, " %llu%s", (unsigned long long)annotation->listed_above, writer->line_end));
out:
    return status;
}

static pkin_status put_verdict(const pkin_i_markdown_writer *writer, const pkin_i_verdict_line *line) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(put_item(writer, pkin_i_verdict_phrase(line->judgement->verdict)));
    PKIN_TRY(pkin_i_markdown_put(writer, " "));
    PKIN_TRY(pkin_i_markdown_put_title(writer, &line->partner));
    if (*line->partner.date) {
        PKIN_TRY(pkin_i_markdown_put(writer, " ("));
        PKIN_TRY(pkin_i_markdown_put_date(writer, &line->partner));
        PKIN_TRY(pkin_i_markdown_put(writer, ")"));
    }
    PKIN_TRY(pkin_i_markdown_put(writer, pkin_i_markdown_mark(writer, ": ", "：")));
    PKIN_TRY(pkin_i_reason_append(writer->out, line->judgement, writer->languages));
    if (line->terms.n_items > 0) {
        PKIN_TRY(pkin_i_markdown_put(writer, pkin_i_markdown_mark(writer, "; ", "；")));
        PKIN_TRY(pkin_i_markdown_put_phrase(writer, PKIN_I_PHRASE_SHARED_TERMS));
        PKIN_TRY(pkin_i_markdown_put(writer, pkin_i_markdown_mark(writer, ": ", "：")));
        PKIN_TRY(put_terms(writer, &line->terms));
    }
    PKIN_TRY(pkin_i_markdown_put(writer, writer->line_end));
out:
    return status;
}

/* "[Title](link) · 2025-12-09 · 0.21" */
static pkin_status put_near(const pkin_i_markdown_writer *writer, const pkin_i_partner *partner, double cosine) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_put_title(writer, partner));
    if (*partner->date) {
        PKIN_TRY(pkin_i_markdown_put(writer, " · "));
        PKIN_TRY(pkin_i_markdown_put_date(writer, partner));
    }
    PKIN_TRY(pkin_i_markdown_put(writer, " · "));
    PKIN_TRY(pkin_i_append_fixed(writer->out, cosine, 2));
out:
    return status;
}

/* Indented by four: nested for CommonMark, and for older Markdown too. */
static pkin_status put_related(const pkin_i_markdown_writer *writer, const pkin_i_related_line *line) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_put(writer, "    - "));
    PKIN_TRY(put_near(writer, &line->partner, line->cosine));
    if (line->terms.n_items > 0) PKIN_TRY(pkin_i_markdown_put(writer, " · "));
    PKIN_TRY(put_terms(writer, &line->terms));
    PKIN_TRY(pkin_i_markdown_put(writer, writer->line_end));
out:
    return status;
}

/* "- **Thread**: KV cache compression · 41 papers · since 2025-11-03 (9 wk)" */
static pkin_status put_thread(const pkin_i_markdown_writer *writer, const pkin_i_thread_line *thread) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_open_labelled(writer, PKIN_I_PHRASE_THREAD));
    PKIN_TRY(pkin_i_markdown_put_label(writer, thread->label, thread->label_chinese, " · "));
    PKIN_TRY(pkin_i_markdown_put_thread_facts(writer, thread));
    PKIN_TRY(pkin_i_markdown_put(writer, writer->line_end));
out:
    return status;
}

/* "- **Novelty**: 93/100 · closest earlier paper: [Title](link) · 2025-12-09 · 0.21" */
static pkin_status put_novelty(const pkin_i_markdown_writer *writer, const pkin_i_novelty_line *novelty) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_open_labelled(writer, PKIN_I_PHRASE_NOVELTY));
    PKIN_TRY(pkin_i_buffer_printf(writer->out, "%u/100", novelty->percentile));
    if (novelty->has_nearest) {
        PKIN_TRY(pkin_i_markdown_put(writer, " · "));
        PKIN_TRY(pkin_i_markdown_put_phrase(writer, PKIN_I_PHRASE_NEAREST));
        PKIN_TRY(pkin_i_markdown_put(writer, pkin_i_markdown_mark(writer, ": ", "：")));
        PKIN_TRY(put_near(writer, &novelty->nearest, novelty->cosine));
    }
    PKIN_TRY(pkin_i_markdown_put(writer, writer->line_end));
out:
    return status;
}

pkin_status pkin_i_markdown_block(const pkin_i_annotation *annotation, int languages, const char *line_end,
                                  pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    pkin_i_markdown_writer writer = {.out = out, .line_end = line_end, .languages = languages};
    PKIN_TRY(pkin_i_markdown_put(&writer, line_end));
    if (annotation->listed_above) PKIN_TRY(put_listed_above(&writer, annotation));
    if (annotation->is_new_version) PKIN_TRY(put_new_version(&writer, annotation));
    if (annotation->n_seen > 0) PKIN_TRY(put_seen(&writer, annotation));
    for (size_t v = 0; v < annotation->n_verdicts; v++) PKIN_TRY(put_verdict(&writer, &annotation->verdicts[v]));
    if (annotation->n_more_verdicts > 0) {
        PKIN_TRY(pkin_i_markdown_open_labelled(&writer, PKIN_I_PHRASE_MORE));
        PKIN_TRY(pkin_i_buffer_printf(out, "%zu%s", annotation->n_more_verdicts, line_end));
    }
    if (annotation->has_thread) PKIN_TRY(put_thread(&writer, &annotation->thread));
    if (annotation->novelty.is_known) PKIN_TRY(put_novelty(&writer, &annotation->novelty));
    if (annotation->n_related > 0) {
        PKIN_TRY(put_item(&writer, PKIN_I_PHRASE_RELATED));
        PKIN_TRY(pkin_i_markdown_put(&writer, pkin_i_markdown_mark(&writer, ":", "：")));
        PKIN_TRY(pkin_i_markdown_put(&writer, line_end));
    }
    for (size_t r = 0; r < annotation->n_related; r++) PKIN_TRY(put_related(&writer, &annotation->related[r]));
    PKIN_TRY(pkin_i_markdown_put(&writer, line_end));
out:
    return status;
}
