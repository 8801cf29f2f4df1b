/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "messages.h"
#include "text_inputs.h"

int pkin_i_texts_read(pkin_i_cli *cli, const pkin_i_settings *settings, const char *preset, int n_inputs, char **inputs,
                      pkin_i_rows *rows) {
    (void)settings;
    (void)preset;
    (void)n_inputs;
    (void)rows;
    if (strcmp(inputs[0], "-") != 0 && access(inputs[0], R_OK) != 0) {
        pkin_i_cli_error(cli, "%s: %s", inputs[0], strerror(errno));
        return PKIN_I_EXIT_FAILURE;
    }
    pkin_i_cli_error(cli,
                     "%s: not a .npz file, and this build reads .npz only: make one with scipy.sparse.save_npz, or "
                     "from text with `paperkin vectorize` of a full build",
                     inputs[0]);
    return PKIN_I_EXIT_FAILURE;
}

void pkin_i_texts_free(pkin_corpus *corpus) {
    (void)corpus; /* there never is one */
}

const pkin_paper *pkin_i_text_of_row(const pkin_corpus *corpus, uint64_t row) {
    (void)corpus;
    (void)row;
    return NULL;
}
