/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAPERKIN_BACKEND_H
#define PAPERKIN_BACKEND_H

#include "paperkin/status.h"

PKIN_EXTERN_C_BEGIN

/*
 * Backends compute the same bits and differ in speed only. They are registered at build time; the first always runs,
 * and "auto" chooses among all by what a plan says is fastest.
 */
PKIN_API size_t pkin_backend_count(void);
PKIN_API const char *pkin_backend_name(size_t index);        /* "cpu", ...; NULL out of range */
PKIN_API const char *pkin_backend_description(size_t index); /* one line: method and instruction set */

/*
 * Whether the backend can run on this machine. Else PKIN_ERROR_UNSUPPORTED, and pkin_last_error says why (not built in,
 * no driver, no device, ...) and what to do. O(1); on a machine with GPUs the first call may start the driver.
 */
PKIN_API pkin_status pkin_backend_check(const char *name);

/* A way in which a device can do the filter's products (docs/gpu.md). */
typedef struct pkin_device_filter {
    const char *name; /* as options->gpu_filter has it; a static string */
    int can_run;
    char why_not[96]; /* "" where it can */
} pkin_device_filter;

/* A device of a backend: a GPU. */
typedef struct pkin_device {
    int index;        /* as options->devices has it */
    int can_run;      /* that it can be used at all */
    char name[96];    /* "NVIDIA H100 80GB HBM3"; unknown, as all up to filters, where it cannot be used */
    int major, minor; /* compute capability */
    uint64_t memory_bytes; /* in all, whoever uses it */
    size_t n_filters;
    pkin_device_filter filters[4];
    char why_not[256]; /* why it cannot be used; "" where it can */
} pkin_device;

typedef struct pkin_device_list {
    size_t n_devices;
    pkin_device *devices;
} pkin_device_list;

/*
 * The devices of a backend, by index, those that cannot be used included; none for the CPU. Errors as those of
 * pkin_backend_check. Free with pkin_device_list_free.
 */
PKIN_API pkin_status pkin_backend_devices(const char *name, pkin_device_list *out);
PKIN_API void pkin_device_list_free(pkin_device_list *list);

/*
 * 8-bit integer multiplications and additions a second that this machine's processor reaches on `n_threads` threads (0:
 * all) with the best dot-product instruction of the level ("auto", "amx", "avx512", "avx2", "portable"), from registers
 * alone: measured, in some tenths of a second. What the filter's rate is held against. `*out_name`, which may be NULL,
 * receives the level's name, a static string.
 */
PKIN_API pkin_status pkin_backend_peak(const char *instruction_set, int n_threads, double *out_operations_per_second,
                                       const char **out_name);

PKIN_EXTERN_C_END

#endif
