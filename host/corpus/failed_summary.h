/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CORPUS_FAILED_SUMMARY_H
#define PKIN_CORPUS_FAILED_SUMMARY_H

#include "corpus/text_view.h"

PKIN_EXTERN_C_BEGIN

/* Whether a machine-written summary part or an abstract holds nothing but the trace of a failure. `text` is tidied. */
bool pkin_i_is_failed_summary(pkin_i_view text);

PKIN_EXTERN_C_END

#endif
