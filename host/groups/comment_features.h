/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_COMMENT_FEATURES_H
#define PKIN_GROUPS_COMMENT_FEATURES_H

#include "base/memory.h"
#include "paperkin/corpus.h"

PKIN_EXTERN_C_BEGIN

/* What the authors' comments say of the pair. Symmetric. */
typedef struct pkin_i_comment_features {
    int splits;           /* one speaks of parts, a split, a companion, or says that it subsumes other papers */
    int names_other;      /* one names the other's id */
    int declares_version; /* one calls itself a version of the other, near the other's id: "extended version of
                             arXiv:..." */
} pkin_i_comment_features;

/* Looks at the first 4,096 bytes of each comment. */
pkin_status pkin_i_compare_comments(const pkin_paper *a, const pkin_paper *b, pkin_i_comment_features *out);

PKIN_EXTERN_C_END

#endif
