/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TEXT_NORMALIZE_H
#define PKIN_TEXT_NORMALIZE_H

#include "base/buffer.h"

PKIN_EXTERN_C_BEGIN

/*
 * Unicode NFKC with case folding, LaTeX stripped to words (`R$^2$CCL` and `R²CCL` both give "r2ccl", `\"o` and `ö` both
 * "ö", `\textbf{x}` gives "x"), invalid UTF-8 replaced by U+FFFD. Appended to `out`. ASCII without LaTeX takes a fast
 * path.
 */
pkin_status pkin_i_normalize_text(const char *text, size_t n_bytes, pkin_i_buffer *out);

/*
 * A title or name as a key: normalised, then letters and digits (of any script) alone, runs of anything else one space,
 * none at the ends.
 */
pkin_status pkin_i_normalize_key(const char *text, size_t n_bytes, pkin_i_buffer *out);

PKIN_EXTERN_C_END

#endif
