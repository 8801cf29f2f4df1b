/* SPDX-License-Identifier: Apache-2.0 */
#include "base/failure.h"
#include "corpus/blocks.h"
#include "digest/annotation.h"
#include "digest/phrases.h"

static pkin_status put_string(pkin_i_buffer *out, const char *text) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_buffer_char(out, '"'));
    PKIN_TRY(pkin_i_buffer_escaped(out, PKIN_ESCAPE_JSON, text));
    PKIN_TRY(pkin_i_buffer_char(out, '"'));
out:
    return status;
}

/* `"name": "text"` behind `before`. */
static pkin_status put_named(pkin_i_buffer *out, const char *before, const char *name, const char *text) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_buffer_printf(out, "%s\"%s\": ", before, name));
    PKIN_TRY(put_string(out, text));
out:
    return status;
}

static pkin_status put_terms(pkin_i_buffer *out, const pkin_i_strong_terms *terms) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_buffer_string(out, ", \"shared_terms\": ["));
    for (uint32_t t = 0; t < terms->n_items; t++) {
        if (t > 0) PKIN_TRY(pkin_i_buffer_string(out, ", "));
        PKIN_TRY(put_string(out, terms->items[t]));
    }
    PKIN_TRY(pkin_i_buffer_char(out, ']'));
out:
    return status;
}

static pkin_status put_paper(pkin_i_buffer *out, const char *before, const pkin_i_partner *partner) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(put_named(out, before, "key", partner->key));
    PKIN_TRY(put_named(out, ", ", "title", partner->title));
    PKIN_TRY(put_named(out, ", ", "link", partner->link));
    PKIN_TRY(put_named(out, ", ", "date", partner->date));
out:
    return status;
}

static pkin_status put_partner(pkin_i_buffer *out, const char *before, const pkin_i_partner *partner) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(put_paper(out, before, partner));
    PKIN_TRY(pkin_i_buffer_string(out, partner->later ? ", \"later\": true" : ", \"later\": false"));
out:
    return status;
}

static pkin_status put_seen_line(pkin_i_buffer *out, const char *before, const pkin_i_seen_line *seen) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(put_named(out, before, "date", seen->date));
    if (seen->name) PKIN_TRY(put_named(out, ", ", "file", seen->name));
out:
    return status;
}

static pkin_status put_seen(pkin_i_buffer *out, const pkin_i_annotation *annotation) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_buffer_printf(out, ", \"seen\": {\"times\": %zu, \"first\": ", annotation->n_seen));
    PKIN_TRY(put_seen_line(out, "{", &annotation->seen[0]));
    PKIN_TRY(put_seen_line(out, "}, \"last\": {", &annotation->seen[annotation->n_seen - 1]));
    PKIN_TRY(pkin_i_buffer_char(out, '}'));
    if (annotation->earlier_version)
        PKIN_TRY(pkin_i_buffer_printf(out, ", \"version\": %u", annotation->earlier_version));
    PKIN_TRY(pkin_i_buffer_char(out, '}'));
    if (annotation->is_new_version) {
        PKIN_TRY(pkin_i_buffer_printf(out, ", \"new_version\": {\"from\": %u, \"to\": %u}", annotation->earlier_version,
                                      annotation->version));
    }
out:
    return status;
}

static const char *tier_name(pkin_tier tier) {
    return tier == PKIN_TIER_HIDE ? "hide" : tier == PKIN_TIER_FOLD ? "fold" : "show";
}

static pkin_status put_verdict(pkin_i_buffer *out, const pkin_i_verdict_line *line, int languages) {
    pkin_status status = PKIN_OK;
    const pkin_judgement *judgement = line->judgement;
    pkin_i_buffer reason = {0};
    PKIN_TRY(put_named(out, "{", "verdict", pkin_verdict_name(judgement->verdict)));
    PKIN_TRY(put_named(out, ", ", "tier", tier_name(pkin_verdict_tier(judgement->verdict))));
    PKIN_TRY(put_partner(out, ", ", &line->partner));
    PKIN_TRY(pkin_i_buffer_string(out, ", \"cosine\": "));
    PKIN_TRY(pkin_i_append_fixed(out, judgement->cosine, 4));
    PKIN_TRY(pkin_i_buffer_string(out, ", \"author_overlap\": "));
    if (judgement->author_overlap < 0)
        PKIN_TRY(pkin_i_buffer_string(out, "null"));
    else
        PKIN_TRY(pkin_i_append_fixed(out, judgement->author_overlap, 4));
    PKIN_TRY(put_named(out, ", ", "rule", judgement->rule ? judgement->rule : ""));
    PKIN_TRY(pkin_i_reason_append(&reason, judgement, languages));
    PKIN_TRY(put_named(out, ", ", "reason", reason.bytes ? reason.bytes : ""));
    PKIN_TRY(put_terms(out, &line->terms));
    PKIN_TRY(pkin_i_buffer_char(out, '}'));
out:
    pkin_i_buffer_free(&reason);
    return status;
}

static pkin_status put_verdicts(pkin_i_buffer *out, const pkin_i_annotation *annotation, int languages) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_buffer_string(out, ", \"verdicts\": ["));
    for (size_t v = 0; v < annotation->n_verdicts; v++) {
        if (v > 0) PKIN_TRY(pkin_i_buffer_string(out, ", "));
        PKIN_TRY(put_verdict(out, &annotation->verdicts[v], languages));
    }
    PKIN_TRY(pkin_i_buffer_char(out, ']'));
    if (annotation->n_more_verdicts) {
        PKIN_TRY(pkin_i_buffer_printf(out, ", \"more_verdicts\": %zu", annotation->n_more_verdicts));
    }
out:
    return status;
}

static pkin_status put_related(pkin_i_buffer *out, const pkin_i_annotation *annotation) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_buffer_string(out, ", \"related\": ["));
    for (size_t r = 0; r < annotation->n_related; r++) {
        const pkin_i_related_line *line = &annotation->related[r];
        PKIN_TRY(put_partner(out, r > 0 ? ", {" : "{", &line->partner));
        PKIN_TRY(pkin_i_buffer_string(out, ", \"cosine\": "));
        PKIN_TRY(pkin_i_append_fixed(out, line->cosine, 4));
        PKIN_TRY(put_terms(out, &line->terms));
        PKIN_TRY(pkin_i_buffer_char(out, '}'));
    }
    PKIN_TRY(pkin_i_buffer_char(out, ']'));
out:
    return status;
}

static pkin_status put_thread(pkin_i_buffer *out, const pkin_i_thread_line *thread) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(put_named(out, ", \"thread\": {", "id", thread->id));
    PKIN_TRY(put_named(out, ", ", "label", thread->label));
    if (*thread->label_chinese) PKIN_TRY(put_named(out, ", ", "label_zh", thread->label_chinese));
    if (*thread->ended) {
        PKIN_TRY(put_named(out, ", ", "ended", thread->ended));
    } else {
        PKIN_TRY(pkin_i_buffer_printf(out, ", \"papers\": %llu", (unsigned long long)thread->n_papers));
        PKIN_TRY(put_named(out, ", ", "since", thread->since));
    }
    PKIN_TRY(pkin_i_buffer_string(out, thread->is_new ? ", \"new\": true}" : ", \"new\": false}"));
out:
    return status;
}

static pkin_status put_novelty(pkin_i_buffer *out, const pkin_i_novelty_line *novelty) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_buffer_printf(out, ", \"novelty\": {\"percentile\": %u", novelty->percentile));
    if (novelty->has_nearest) {
        PKIN_TRY(put_paper(out, ", \"nearest\": {", &novelty->nearest));
        PKIN_TRY(pkin_i_buffer_string(out, "}, \"cosine\": "));
        PKIN_TRY(pkin_i_append_fixed(out, novelty->cosine, 4));
    }
    PKIN_TRY(pkin_i_buffer_char(out, '}'));
out:
    return status;
}

pkin_status pkin_i_json_member(const pkin_i_annotation *annotation, int languages, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_buffer_string(out, PKIN_I_JSON_MEMBER_START));
    PKIN_TRY(put_named(out, "\"version\": 1, ", "key", annotation->key));
    if (annotation->listed_above) {
        PKIN_TRY(pkin_i_buffer_printf(out, ", \"listed_above\": %llu", (unsigned long long)annotation->listed_above));
    }
    if (annotation->n_seen) PKIN_TRY(put_seen(out, annotation));
    if (annotation->n_verdicts) PKIN_TRY(put_verdicts(out, annotation, languages));
    if (annotation->has_thread) PKIN_TRY(put_thread(out, &annotation->thread));
    if (annotation->novelty.is_known) PKIN_TRY(put_novelty(out, &annotation->novelty));
    if (annotation->n_related) PKIN_TRY(put_related(out, annotation));
    PKIN_TRY(pkin_i_buffer_char(out, '}'));
out:
    return status;
}
