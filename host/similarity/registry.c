/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "similarity/cpu_backend.h"
#ifdef PKIN_WITH_CUDA
#include "kernels/cuda_backend.h"
#endif

/* The first runs everywhere; a plan weighs all (planner.h). */
static const pkin_i_backend *const backends[] = {
    &pkin_i_cpu_backend,
#ifdef PKIN_WITH_CUDA
    &pkin_i_cuda_backend,
#endif
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
    if (strcmp(name, "cuda") == 0) {
        return pkin_i_fail(PKIN_ERROR_UNSUPPORTED,
                           "backend \"cuda\": this build of paperkin has no CUDA backend; build it where there is a "
                           "CUDA compiler, with -DPAPERKIN_CUDA=ON (docs/gpu.md), or leave the choice to \"auto\"");
    }
    for (size_t k = 0; k < N_BACKENDS; k++) PKIN_TRY(pkin_i_buffer_printf(&names, ", %s", backends[k]->name));
    status = pkin_i_fail(PKIN_ERROR_UNSUPPORTED, "no backend \"%s\": there are auto%s", name, names.bytes);
out:
    pkin_i_buffer_free(&names);
    return status;
}

/* Says the check's reason again, and what can be done whatever it is. */
static pkin_status cannot_run(const char *name, pkin_status status) {
    char reason[512];
    snprintf(reason, sizeof reason, "%s", pkin_last_error());
    return pkin_i_fail(status, "backend \"%s\" cannot run: %s; the backend \"cpu\" can", name, reason);
}

/* N_BACKENDS: there is none of this name. */
static size_t index_of(const char *name) {
    size_t k = 0;
    while (k < N_BACKENDS && strcmp(name, backends[k]->name) != 0) k++;
    return k;
}

pkin_status pkin_i_backends_find(const char *name, const pkin_i_backend *const **out, size_t *n_out) {
    *out = NULL;
    *n_out = 0;
    if (!name || strcmp(name, "auto") == 0) {
        *out = backends;
        *n_out = N_BACKENDS;
        return PKIN_OK;
    }
    const size_t k = index_of(name);
    if (k == N_BACKENDS) return unknown_backend(name);
    const pkin_status status = backends[k]->check ? backends[k]->check() : PKIN_OK;
    if (status != PKIN_OK) return cannot_run(name, status);
    *out = &backends[k];
    *n_out = 1;
    return PKIN_OK;
}

pkin_status pkin_i_backend_find(const char *name, const pkin_i_backend **out) {
    const pkin_i_backend *const *found;
    size_t n;
    const pkin_status status = pkin_i_backends_find(name, &found, &n);
    *out = status == PKIN_OK ? found[0] : NULL;
    return status;
}

pkin_status pkin_backend_check(const char *name) {
    const pkin_i_backend *found;
    return pkin_i_backend_find(name, &found);
}

pkin_status pkin_backend_devices(const char *name, pkin_device_list *out) {
    const pkin_i_backend *backend;
    pkin_status status;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "devices: a place for the list is needed");
    *out = (pkin_device_list){0};
    PKIN_TRY(pkin_i_backend_find(name, &backend));
    if (backend->devices) PKIN_TRY(backend->devices(out));
out:
    return status;
}

void pkin_device_list_free(pkin_device_list *list) {
    if (!list) return;
    pkin_i_free(list->devices);
    *list = (pkin_device_list){0};
}

uint64_t pkin_i_task_pairs(const pkin_i_task *task, uint64_t first, uint64_t last) {
    if (task->b) return task->a->n_rows * (last - first);
    /* Row j meets the j rows before it. */
    return last > first ? (first + last - 1) * (last - first) / 2 : 0;
}
