/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_GPU_SPEEDS_H
#define PKIN_KERNELS_GPU_SPEEDS_H

/*
 * How fast a device is, for the plan: measured once, in some tenths of a second, through the driver's seam alone, and
 * remembered in a small file, one a device, for as long as driver, runtime and this library stay what they are. Nothing
 * is assumed of a device that was not measured, and nothing measured changes a result: a file that is missing, damaged
 * or cannot be written costs a measurement, never an error.
 */
#include "kernels/gpu_device.h"
#include "similarity/backend.h"

PKIN_EXTERN_C_BEGIN

/* Seconds of one device; of the filters that it has not, 0. */
typedef struct pkin_i_gpu_costs {
    double start_seconds;     /* opening the device and a queue */
    double up_byte_seconds;   /* from memory that is not pinned */
    double down_byte_seconds; /* to pinned memory */
    double entry_seconds;
    double candidate_seconds;
    double seed_pair_seconds;                                           /* for each byte of the sketch */
    double pair_seconds[PKIN_I_GPU_N_FILTERS][PKIN_I_SPEED_DIMENSIONS]; /* pkin_i_speed_dimensions */
    double filter_start_seconds[PKIN_I_GPU_N_FILTERS];                  /* of its first use in a process */
} pkin_i_gpu_costs;

/*
 * Measures device `index`: short runs on made-up rows, as many and as large as the device is fast, the best of a few.
 * Errors as the driver's; nothing of the device is held afterwards.
 */
pkin_status pkin_i_gpu_costs_measure(const pkin_i_gpu_driver *driver, int index, pkin_i_gpu_costs *out);

/*
 * The file that remembers a device: NULL where no folder is known. $PAPERKIN_CACHE_DIR, else
 * $XDG_CACHE_HOME/paperkin, else $HOME/.cache/paperkin. Freed with pkin_i_free.
 */
pkin_status pkin_i_gpu_costs_path(const pkin_i_gpu_info *info, char **out);
/* Nonzero: `out` is what the file has of this very device, driver, runtime and version. */
int pkin_i_gpu_costs_recall(const char *path, const pkin_i_gpu_info *info, pkin_i_gpu_costs *out);
/* By a temporary file that is renamed; makes the folder. What fails is not told. */
void pkin_i_gpu_costs_remember(const char *path, const pkin_i_gpu_info *info, const pkin_i_gpu_costs *costs);

/* ---- A backend above any driver: what pkin_i_backend's functions of these names tell ---- */

/* Whether a device can be used. */
pkin_status pkin_i_gpu_check(const pkin_i_gpu_driver *driver);
pkin_status pkin_i_gpu_list(const pkin_i_gpu_driver *driver, pkin_device_list *out);
/* Of devices of one name the first is measured for all. */
pkin_status pkin_i_gpu_speeds(const pkin_i_gpu_driver *driver, const char *devices, const char *filter,
                              pkin_i_speeds *out);

PKIN_EXTERN_C_END

#endif
