/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_STORE_PAPER_ROWS_H
#define PKIN_STORE_PAPER_ROWS_H

#include "base/buffer.h"
#include "store/store_sql.h"

PKIN_EXTERN_C_BEGIN

/* What putting a record did to its paper's row. */
typedef struct pkin_i_paper_put {
    int64_t paper_id;
    bool is_new;
    bool text_changed;                  /* the texts below are not those that its tokens stand for; true when new */
    const char *texts[PKIN_I_N_FIELDS]; /* set where text_changed; the record's own, or copies in `arena` */
} pkin_i_paper_put;

/*
 * Adds the record's paper, or completes it: empty fields are filled, a longer summary replaces a shorter one, and a
 * version higher than any known brings its title and abstract. `lists` is scratch, kept between calls for its memory.
 */
pkin_status pkin_i_paper_row_put(pkin_store *store, const pkin_paper *record, pkin_i_buffer lists[2],
                                 pkin_i_arena *arena, pkin_i_paper_put *out);

PKIN_EXTERN_C_END

#endif
