/* SPDX-License-Identifier: Apache-2.0 */
#include "digest/phrases.h"

#include "base/failure.h"

#include "paperkin/digest.h"

static const char *const phrases[PKIN_I_N_PHRASES][2] = {
    [PKIN_I_PHRASE_SEEN_BEFORE] = {"Seen before", "此前已出现"},
    [PKIN_I_PHRASE_TIMES] = {"times", "次"},
    [PKIN_I_PHRASE_NEW_VERSION] = {"New version", "新版本"},
    [PKIN_I_PHRASE_FIRST_SEEN] = {"first seen", "首次出现于"},
    [PKIN_I_PHRASE_LISTED_ABOVE] = {"Listed above", "本期前面已列出"},
    [PKIN_I_PHRASE_ENTRY] = {"entry", "条目"},
    [PKIN_I_PHRASE_SAME_WORK] = {"Same work as", "同一工作"},
    [PKIN_I_PHRASE_PROBABLY_SAME] = {"Probably another version of", "可能是同一工作的另一版本"},
    [PKIN_I_PHRASE_SERIES_PART] = {"Part of a series with", "同一系列"},
    [PKIN_I_PHRASE_SISTER] = {"Sister paper of", "姊妹论文"},
    [PKIN_I_PHRASE_MORE] = {"More of these", "其余同类"},
    [PKIN_I_PHRASE_SHARED_TERMS] = {"shared terms", "共同词"},
    [PKIN_I_PHRASE_RELATED] = {"Related", "相关论文"},
    [PKIN_I_PHRASE_LATER] = {"later", "后续"},
    [PKIN_I_PHRASE_THREAD] = {"Thread", "主题"},
    [PKIN_I_PHRASE_PAPER] = {"paper", "篇"},
    [PKIN_I_PHRASE_PAPERS] = {"papers", "篇"},
    [PKIN_I_PHRASE_SINCE] = {"since", "始于"},
    [PKIN_I_PHRASE_DAYS] = {"d", "天"},
    [PKIN_I_PHRASE_WEEKS] = {"wk", "周"},
    [PKIN_I_PHRASE_MONTHS] = {"mo", "个月"},
    [PKIN_I_PHRASE_ENDED] = {"ended", "止于"},
    [PKIN_I_PHRASE_NEW_TODAY] = {"new today", "今日新出现"},
    [PKIN_I_PHRASE_NOVELTY] = {"Novelty", "新颖度"},
    [PKIN_I_PHRASE_NEAREST] = {"closest earlier paper", "最接近的早期论文"},
    [PKIN_I_PHRASE_THREADS_TODAY] = {"Threads today", "今日主题"},
    [PKIN_I_PHRASE_FIELDS] = {"Largest fields", "主要领域"},
    [PKIN_I_PHRASE_TODAY] = {"today", "篇（今日）"},
    [PKIN_I_PHRASE_MORE_HERE] = {"more", "篇未列出"},
    [PKIN_I_PHRASE_MORE_THREADS] = {"More threads", "其他主题"},
    [PKIN_I_PHRASE_NO_THREAD] = {"In no thread", "不属于任何主题"},
};

const char *pkin_i_phrase_text(pkin_i_phrase phrase, pkin_language language) {
    if ((unsigned)phrase >= PKIN_I_N_PHRASES) return "";
    return phrases[phrase][language == PKIN_LANGUAGE_ZH];
}

pkin_i_phrase pkin_i_verdict_phrase(pkin_verdict verdict) {
    switch (verdict) {
    case PKIN_VERDICT_SAME_WORK:
        return PKIN_I_PHRASE_SAME_WORK;
    case PKIN_VERDICT_PROBABLY_SAME:
        return PKIN_I_PHRASE_PROBABLY_SAME;
    case PKIN_VERDICT_SERIES_PART:
        return PKIN_I_PHRASE_SERIES_PART;
    case PKIN_VERDICT_SISTER:
        return PKIN_I_PHRASE_SISTER;
    default:
        return PKIN_I_N_PHRASES;
    }
}

pkin_status pkin_i_phrase_append(pkin_i_buffer *out, pkin_i_phrase phrase, int languages, const char *between) {
    pkin_status status = PKIN_OK;
    if (languages & PKIN_LANGUAGES_EN)
        PKIN_TRY(pkin_i_buffer_string(out, pkin_i_phrase_text(phrase, PKIN_LANGUAGE_EN)));
    if (languages == PKIN_LANGUAGES_BOTH) PKIN_TRY(pkin_i_buffer_string(out, between));
    if (languages & PKIN_LANGUAGES_ZH)
        PKIN_TRY(pkin_i_buffer_string(out, pkin_i_phrase_text(phrase, PKIN_LANGUAGE_ZH)));
out:
    return status;
}

static pkin_status append_one_reason(pkin_i_buffer *out, const pkin_judgement *judgement, pkin_language language) {
    pkin_status status = PKIN_OK;
    char *line = NULL;
    size_t n_bytes = pkin_judgement_reason(judgement, language, NULL, 0);
    PKIN_TRY(pkin_i_allocate(n_bytes + 1, 1, &line));
    pkin_judgement_reason(judgement, language, line, n_bytes + 1);
    PKIN_TRY(pkin_i_buffer_string(out, line));
out:
    pkin_i_free(line);
    return status;
}

pkin_status pkin_i_reason_append(pkin_i_buffer *out, const pkin_judgement *judgement, int languages) {
    pkin_status status = PKIN_OK;
    if (languages & PKIN_LANGUAGES_EN) PKIN_TRY(append_one_reason(out, judgement, PKIN_LANGUAGE_EN));
    if (languages == PKIN_LANGUAGES_BOTH) PKIN_TRY(pkin_i_buffer_string(out, " / "));
    if (languages & PKIN_LANGUAGES_ZH) PKIN_TRY(append_one_reason(out, judgement, PKIN_LANGUAGE_ZH));
out:
    return status;
}
