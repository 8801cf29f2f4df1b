/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_PAPER_DAY_H
#define PKIN_HISTORY_PAPER_DAY_H

#include "store/store_private.h"

PKIN_EXTERN_C_BEGIN

/* The day on which a paper came out as far as is known, see pkin_i_history_load_days. */
void pkin_i_paper_day(const pkin_i_first_seen *seen, char day[11]);

PKIN_EXTERN_C_END

#endif
