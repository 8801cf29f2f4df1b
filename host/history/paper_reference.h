/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_HISTORY_PAPER_REFERENCE_H
#define PKIN_HISTORY_PAPER_REFERENCE_H

#include "history/history.h"

PKIN_EXTERN_C_BEGIN

/*
 * The row of the paper that `text` names as people write ids: a key; an arXiv id, bare, behind "arXiv:" or as a link,
 * with or without version; a DOI, bare or as a link; else the id or the link that a record gave. PKIN_ERROR_NOT_FOUND
 * where the store has none, PKIN_ERROR_INVALID_ARGUMENT where several have that id; both name it.
 */
pkin_status pkin_i_find_reference(pkin_i_history *history, const char *text, uint32_t *row);

PKIN_EXTERN_C_END

#endif
