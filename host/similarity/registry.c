/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "paperkin/backend.h"
#include "similarity/cpu_backend.h"

/* Fastest first: "auto" takes the first that is available. */
static const pkin_i_backend *const backends[] = {
    &pkin_i_cpu_backend,
};

enum { N_BACKENDS = sizeof backends / sizeof backends[0] };

size_t pkin_backend_count(void) {
    return N_BACKENDS;
}

const char *pkin_backend_name(size_t index) {
    return index < N_BACKENDS ? backends[index]->name : NULL;
}

const char *pkin_backend_description(size_t index) {
    return index < N_BACKENDS ? backends[index]->description : NULL;
}

static pkin_status unknown_backend(const char *name) {
    pkin_status status;
    pkin_i_buffer names = {0};
    for (size_t k = 0; k < N_BACKENDS; k++) PKIN_TRY(pkin_i_buffer_printf(&names, ", %s", backends[k]->name));
    status = pkin_i_fail(PKIN_ERROR_UNSUPPORTED, "no backend \"%s\": there are auto%s", name, names.bytes);
out:
    pkin_i_buffer_free(&names);
    return status;
}

pkin_status pkin_i_backend_find(const char *name, const pkin_i_backend **out) {
    int any = !name || strcmp(name, "auto") == 0;
    *out = NULL;
    for (size_t k = 0; k < N_BACKENDS; k++) {
        if (!any && strcmp(name, backends[k]->name) != 0) continue;
        if (backends[k]->is_available()) {
            *out = backends[k];
            return PKIN_OK;
        }
        if (!any) return pkin_i_fail(PKIN_ERROR_UNSUPPORTED, "backend \"%s\" cannot run on this machine", name);
    }
    return unknown_backend(any ? "auto" : name);
}

uint64_t pkin_i_task_pairs(const pkin_i_task *task, uint64_t first, uint64_t last) {
    if (task->b) return task->a->n_rows * (last - first);
    /* Row j meets the j rows before it. */
    return last > first ? (first + last - 1) * (last - first) / 2 : 0;
}
