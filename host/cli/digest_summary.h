/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_CLI_DIGEST_SUMMARY_H
#define PKIN_CLI_DIGEST_SUMMARY_H

#include <stdio.h>

#include "cli.h"

/* What is told when digests have been annotated. */
typedef struct pkin_i_digest_summary {
    const pkin_digest_report *report;
    const char *store_path;
    uint64_t n_store_bytes;
    const char *destination; /* the folder; NULL: in place */
    bool dry_run;
    double seconds; /* of the whole run */
} pkin_i_digest_summary;

void pkin_i_digest_summary_print(pkin_i_cli *cli, const pkin_i_digest_summary *summary, FILE *stream);
void pkin_i_digest_summary_print_json(const pkin_i_digest_summary *summary);

#endif
