/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_STORE_CHOICE_H
#define PKIN_CLI_STORE_CHOICE_H

#include "cli.h"

typedef enum pkin_i_store_use {
    PKIN_I_STORE_READ,     /* it must be there */
    PKIN_I_STORE_REMEMBER, /* made where it is missing, and said so */
    PKIN_I_STORE_ASK,      /* nothing is written: where it is missing, an empty one in memory */
    PKIN_I_STORE_TRY       /* the same, but written to and undone: a dry run */
} pkin_i_store_use;

/* --store, else $PAPERKIN_STORE, else paperkin.db in the current folder. */
const char *pkin_i_store_path(const char *given);

/* Opens the store. On failure says why and leaves *out NULL. */
pkin_status pkin_i_store_choose(pkin_i_cli *cli, const char *given, pkin_i_store_use use, pkin_store **out);

#endif
