/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TEXT_WORKER_FAILURE_H
#define PKIN_TEXT_WORKER_FAILURE_H

#include <stdio.h>

#include "base/failure.h"

/*
 * The first failure of several threads, kept with its text, since pkin_last_error belongs to the thread that failed.
 * Zero-initialise; note() from the threads, report() from the caller's thread behind the parallel region.
 */
typedef struct pkin_i_worker_failure {
    pkin_status status;
    char message[512];
} pkin_i_worker_failure;

static inline void pkin_i_worker_failure_note(pkin_i_worker_failure *failure, pkin_status status) {
    if (status == PKIN_OK) return;
#pragma omp critical(pkin_i_worker_failure)
    if (failure->status == PKIN_OK) {
        failure->status = status;
        snprintf(failure->message, sizeof failure->message, "%s", pkin_last_error());
    }
}

static inline pkin_status pkin_i_worker_failure_report(const pkin_i_worker_failure *failure) {
    return failure->status == PKIN_OK ? PKIN_OK : pkin_i_fail(failure->status, "%s", failure->message);
}

#endif
