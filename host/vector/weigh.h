/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_VECTOR_WEIGH_H
#define PKIN_VECTOR_WEIGH_H

#include "text/tokens.h"
#include "vector/matrix.h"

PKIN_EXTERN_C_BEGIN

/*
 * TF-IDF matrix of tokenized documents. Columns are the kept single words in order of their ids, then the kept bigrams in
 * order of their (first, second) ids; with `sort_terms` all columns stand in byte order of their terms. Fields whose
 * weight is 0 are not read. The matrix's `ids` are left empty. The same bits for every thread count.
 */
pkin_status pkin_i_weigh(const pkin_i_token_documents *documents, const pkin_i_vocabulary *vocabulary,
                         const pkin_features_options *options, int sort_terms, pkin_matrix **out);

PKIN_EXTERN_C_END

#endif
