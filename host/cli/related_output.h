/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_RELATED_OUTPUT_H
#define PKIN_CLI_RELATED_OUTPUT_H

#include "cli.h"

/* What `paperkin related` found. */
typedef struct pkin_i_related_answer {
    const pkin_related *related;
    bool several_wanted; /* papers: each result says which of them it is closest to */
    bool diverse;        /* results say what they were chosen by */
} pkin_i_related_answer;

/* For people, wrapped to the width of the terminal where standard output is one. */
void pkin_i_related_print(pkin_i_cli *cli, const pkin_i_related_answer *answer);
void pkin_i_related_print_json(const pkin_i_related_answer *answer);

#endif
