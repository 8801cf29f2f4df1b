/* SPDX-License-Identifier: Apache-2.0 */
#include "digest/markdown_writer.h"

#include "base/failure.h"

#include "paperkin/digest.h"

const char *pkin_i_markdown_mark(const pkin_i_markdown_writer *writer, const char *english, const char *chinese) {
    return writer->languages == PKIN_LANGUAGES_ZH ? chinese : english;
}

pkin_status pkin_i_markdown_put(const pkin_i_markdown_writer *writer, const char *text) {
    return pkin_i_buffer_string(writer->out, text);
}

pkin_status pkin_i_markdown_put_escaped(const pkin_i_markdown_writer *writer, const char *text) {
    return pkin_i_buffer_escaped(writer->out, PKIN_ESCAPE_MARKDOWN, text);
}

pkin_status pkin_i_markdown_put_phrase(const pkin_i_markdown_writer *writer, pkin_i_phrase phrase) {
    return pkin_i_phrase_append(writer->out, phrase, writer->languages, " / ");
}

pkin_status pkin_i_markdown_put_strong(const pkin_i_markdown_writer *writer, pkin_i_phrase phrase) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_put(writer, "**"));
    PKIN_TRY(pkin_i_phrase_append(writer->out, phrase, writer->languages, " · "));
    PKIN_TRY(pkin_i_markdown_put(writer, "**"));
out:
    return status;
}

pkin_status pkin_i_markdown_open_labelled(const pkin_i_markdown_writer *writer, pkin_i_phrase phrase) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_put(writer, "- "));
    PKIN_TRY(pkin_i_markdown_put_strong(writer, phrase));
    PKIN_TRY(pkin_i_markdown_put(writer, pkin_i_markdown_mark(writer, ": ", "：")));
out:
    return status;
}

pkin_status pkin_i_markdown_put_count(const pkin_i_markdown_writer *writer, uint64_t n, pkin_i_phrase one,
                                      pkin_i_phrase many) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_buffer_printf(writer->out, "%llu ", (unsigned long long)n));
    PKIN_TRY(pkin_i_markdown_put_phrase(writer, n == 1 ? one : many));
out:
    return status;
}

pkin_status pkin_i_markdown_put_title(const pkin_i_markdown_writer *writer, const pkin_i_partner *partner) {
    pkin_status status = PKIN_OK;
    if (!*partner->link) {
        PKIN_TRY(pkin_i_markdown_put_escaped(writer, partner->title));
        goto out;
    }
    PKIN_TRY(pkin_i_markdown_put(writer, "["));
    PKIN_TRY(pkin_i_markdown_put_escaped(writer, partner->title));
    PKIN_TRY(pkin_i_markdown_put(writer, "]("));
    PKIN_TRY(pkin_i_buffer_escaped(writer->out, PKIN_ESCAPE_URL, partner->link));
    PKIN_TRY(pkin_i_markdown_put(writer, ")"));
out:
    return status;
}

pkin_status pkin_i_markdown_put_date(const pkin_i_markdown_writer *writer, const pkin_i_partner *partner) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_put_escaped(writer, partner->date));
    if (partner->later) {
        PKIN_TRY(pkin_i_markdown_put(writer, ", "));
        PKIN_TRY(pkin_i_markdown_put_phrase(writer, PKIN_I_PHRASE_LATER));
    }
out:
    return status;
}

pkin_status pkin_i_markdown_put_label(const pkin_i_markdown_writer *writer, const char *english, const char *chinese,
                                      const char *between) {
    int wants_chinese = (writer->languages & PKIN_LANGUAGES_ZH) && *chinese;
    int wants_english = (writer->languages & PKIN_LANGUAGES_EN) || !wants_chinese;
    pkin_status status = PKIN_OK;
    if (wants_english) PKIN_TRY(pkin_i_markdown_put_escaped(writer, english));
    if (wants_english && wants_chinese) PKIN_TRY(pkin_i_markdown_put(writer, between));
    if (wants_chinese) PKIN_TRY(pkin_i_markdown_put_escaped(writer, chinese));
out:
    return status;
}

/* " (5 d)", " (9 wk)", " (14 mo)": two significant places say enough. */
static pkin_status put_age(const pkin_i_markdown_writer *writer, int32_t days) {
    enum { DAYS_TOLD = 14, WEEKS_TOLD_DAYS = 371, DAYS_OF_12_MONTHS = 365 };
    pkin_i_phrase unit = days < DAYS_TOLD         ? PKIN_I_PHRASE_DAYS
                         : days < WEEKS_TOLD_DAYS ? PKIN_I_PHRASE_WEEKS
                                                  : PKIN_I_PHRASE_MONTHS;
    long long n = days < DAYS_TOLD ? days : days < WEEKS_TOLD_DAYS ? days / 7 : days * 12LL / DAYS_OF_12_MONTHS;
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_buffer_printf(writer->out, " (%lld ", n));
    PKIN_TRY(pkin_i_markdown_put_phrase(writer, unit));
    PKIN_TRY(pkin_i_markdown_put(writer, ")"));
out:
    return status;
}

/* " · since 2025-11-03", or whatever phrase and date. */
static pkin_status put_dated(const pkin_i_markdown_writer *writer, pkin_i_phrase phrase, const char *date) {
    pkin_status status = PKIN_OK;
    PKIN_TRY(pkin_i_markdown_put(writer, " · "));
    PKIN_TRY(pkin_i_markdown_put_phrase(writer, phrase));
    PKIN_TRY(pkin_i_markdown_put(writer, " "));
    PKIN_TRY(pkin_i_markdown_put_escaped(writer, date));
out:
    return status;
}

pkin_status pkin_i_markdown_put_thread_facts(const pkin_i_markdown_writer *writer, const pkin_i_thread_line *thread) {
    pkin_status status = PKIN_OK;
    if (thread->n_papers > 0) {
        PKIN_TRY(pkin_i_markdown_put(writer, " · "));
        PKIN_TRY(pkin_i_markdown_put_count(writer, thread->n_papers, PKIN_I_PHRASE_PAPER, PKIN_I_PHRASE_PAPERS));
    }
    if (*thread->since && thread->age_days != 0) {
        PKIN_TRY(put_dated(writer, PKIN_I_PHRASE_SINCE, thread->since));
        if (thread->age_days > 0) PKIN_TRY(put_age(writer, thread->age_days));
    }
    if (*thread->ended) PKIN_TRY(put_dated(writer, PKIN_I_PHRASE_ENDED, thread->ended));
    if (thread->is_new) {
        PKIN_TRY(pkin_i_markdown_put(writer, " · "));
        PKIN_TRY(pkin_i_markdown_put_phrase(writer, PKIN_I_PHRASE_NEW_TODAY));
    }
    PKIN_TRY(pkin_i_buffer_printf(writer->out, " · `%s`", thread->id));
out:
    return status;
}
