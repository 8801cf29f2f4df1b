/* SPDX-License-Identifier: Apache-2.0 */
#include "store_choice.h"

#include <unistd.h>

#include "messages.h"

pkin_status pkin_i_store_choose(pkin_i_cli *cli, const char *given, pkin_i_store_use use, pkin_store **out) {
    const char *path = pkin_i_store_path(given);
    bool missing = access(path, F_OK) != 0;
    *out = NULL;
    if (missing && use == PKIN_I_STORE_READ) {
        pkin_i_cli_error(cli, "%s: there is no store; `paperkin digest` or `paperkin ingest` make one", path);
        return PKIN_ERROR_NOT_FOUND;
    }
    if (missing && (use == PKIN_I_STORE_ASK || use == PKIN_I_STORE_TRY)) {
        pkin_i_cli_note(cli, "%s: there is no store yet, so every paper is new", path);
        path = ":memory:";
    }
    bool writes = missing || use == PKIN_I_STORE_REMEMBER || use == PKIN_I_STORE_TRY;
    pkin_status status = pkin_store_open(path, writes ? PKIN_STORE_READ_WRITE : PKIN_STORE_READ_ONLY, out);
    if (status != PKIN_OK) {
        pkin_i_cli_failed(cli, status);
    } else if (missing && use == PKIN_I_STORE_REMEMBER) {
        pkin_i_cli_note(cli, "made the store %s", path);
    }
    return status;
}
