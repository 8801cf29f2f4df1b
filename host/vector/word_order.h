/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_VECTOR_WORD_ORDER_H
#define PKIN_VECTOR_WORD_ORDER_H

#include "text/vocabulary.h"

PKIN_EXTERN_C_BEGIN

/* ids[r] is the word of rank r: in byte order of the words, or in order of their ids. n = size of the vocabulary. */
pkin_status pkin_i_word_order(const pkin_i_vocabulary *vocabulary, int by_bytes, uint32_t *ids);

PKIN_EXTERN_C_END

#endif
