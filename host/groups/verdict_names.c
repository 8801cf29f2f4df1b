/* SPDX-License-Identifier: Apache-2.0 */
#include "paperkin/groups.h"

#include <stddef.h>

typedef struct verdict_row {
    const char *name;
    const char *label_en;
    const char *label_zh;
    pkin_tier tier;
} verdict_row;

/* By pkin_verdict. */
static const verdict_row verdicts[] = {
    [PKIN_VERDICT_NONE] = {"none", "no verdict", "无结论", PKIN_TIER_SHOW},
    [PKIN_VERDICT_REPEAT] = {"repeat", "repeat", "重复收录", PKIN_TIER_HIDE},
    [PKIN_VERDICT_NEW_VERSION] = {"new_version", "new version", "新版本", PKIN_TIER_FOLD},
    [PKIN_VERDICT_SAME_WORK] = {"same_work", "same work under another id", "同一工作（编号不同）", PKIN_TIER_HIDE},
    [PKIN_VERDICT_PROBABLY_SAME] = {"probably_same", "probably the same work", "可能是同一工作", PKIN_TIER_FOLD},
    [PKIN_VERDICT_SERIES_PART] = {"series_part", "part of a series", "同系列论文", PKIN_TIER_SHOW},
    [PKIN_VERDICT_SISTER] = {"sister", "sister paper", "姊妹论文", PKIN_TIER_SHOW},
    [PKIN_VERDICT_RELATED] = {"related", "related paper", "相关论文", PKIN_TIER_SHOW},
};

static const verdict_row *row_of(pkin_verdict verdict) {
    size_t index = (size_t)verdict;
    return &verdicts[index < sizeof verdicts / sizeof *verdicts ? index : PKIN_VERDICT_NONE];
}

const char *pkin_verdict_name(pkin_verdict verdict) {
    return row_of(verdict)->name;
}

const char *pkin_verdict_label(pkin_verdict verdict, pkin_language language) {
    return language == PKIN_LANGUAGE_ZH ? row_of(verdict)->label_zh : row_of(verdict)->label_en;
}

pkin_tier pkin_verdict_tier(pkin_verdict verdict) {
    return row_of(verdict)->tier;
}
