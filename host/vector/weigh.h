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

/*
 * Natural logarithm from additions, multiplications and divisions alone, so that every machine and compiler gives the
 * same bits (libm's differ with the instruction set). x finite and > 0; error below 1e-15 relative to max(|ln x|, 1).
 */
double pkin_i_log(double x);

PKIN_EXTERN_C_END

#endif
