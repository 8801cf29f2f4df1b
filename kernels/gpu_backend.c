/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend of GPUs tells of itself and of its devices, above any driver. */
#include <stdio.h>
#include <string.h>

#include "base/failure.h"
#include "kernels/gpu_engine.h"
#include "kernels/gpu_speeds.h"

_Static_assert((int)PKIN_I_GPU_N_FILTERS == (int)PKIN_I_FILTERS_MOST, "every filter may be among a plan's");

pkin_status pkin_i_gpu_check(const pkin_i_gpu_driver *driver) {
    pkin_i_gpu_choice choice;
    return pkin_i_gpu_choose(driver, NULL, PKIN_I_GPU_N_FILTERS, &choice);
}

/* ---- The list ---- */

static pkin_device describe(const pkin_i_gpu_info *info) {
    pkin_device device = {.index = info->index, .can_run = 1, .major = info->major, .minor = info->minor};
    device.memory_bytes = info->memory_bytes;
    memcpy(device.name, info->name, sizeof device.name);
    device.n_filters = PKIN_I_GPU_N_FILTERS;
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        device.filters[f].name = pkin_i_gpu_filter_name((pkin_i_gpu_filter)f);
        device.filters[f].can_run = info->has_filter[f] != 0;
        if (!info->has_filter[f]) memcpy(device.filters[f].why_not, info->missing[f], sizeof info->missing[f]);
    }
    return device;
}

pkin_status pkin_i_gpu_list(const pkin_i_gpu_driver *driver, pkin_device_list *out) {
    pkin_status status;
    pkin_device_list list = {0};
    int n = 0;
    PKIN_TRY(driver->count(&n));
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)n, sizeof *list.devices, &list.devices));
    for (int index = 0; index < n; index++) {
        pkin_i_gpu_info info = {0};
        pkin_device *device = &list.devices[list.n_devices++];
        if (driver->info(index, &info) == PKIN_OK) {
            *device = describe(&info);
        } else {
            device->index = index;
            snprintf(device->why_not, sizeof device->why_not, "%s", pkin_last_error());
        }
    }
    *out = list;
    list.devices = NULL;
out:
    pkin_i_free(list.devices);
    return status;
}

/* ---- Speeds ---- */

static pkin_status costs_of(const pkin_i_gpu_driver *driver, const pkin_i_gpu_info *info, pkin_i_gpu_costs *out) {
    pkin_status status;
    char *path = NULL;
    PKIN_TRY(pkin_i_gpu_costs_path(info, &path));
    if (path && pkin_i_gpu_costs_recall(path, info, out)) goto out;
    PKIN_TRY(pkin_i_gpu_costs_measure(driver, info->index, out));
    if (path) pkin_i_gpu_costs_remember(path, info, out);
out:
    pkin_i_free(path);
    return status;
}

static void take_worse(double *a, double b) {
    if (b > *a) *a = b;
}

static const pkin_i_filter_speed *find_speed(const pkin_i_speeds *speeds, int filter) {
    for (size_t f = 0; f < speeds->n_filters; f++) {
        if ((int)speeds->filters[f].filter == filter) return &speeds->filters[f];
    }
    return NULL;
}

/* The filters that this device has, `wanted` of them, and that the devices before it had. */
static void take_filters(const pkin_i_gpu_info *info, const pkin_i_gpu_costs *costs, int wanted, int is_first,
                         pkin_i_speeds *speeds) {
    pkin_i_speeds taken = {0};
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        const pkin_i_filter_speed *before = find_speed(speeds, f);
        if (!info->has_filter[f] || (wanted < PKIN_I_GPU_N_FILTERS && f != wanted) || (!is_first && !before)) continue;
        pkin_i_filter_speed *speed = &taken.filters[taken.n_filters++];
        *speed = before ? *before : (pkin_i_filter_speed){.filter = (uint32_t)f};
        speed->name = pkin_i_gpu_filter_name((pkin_i_gpu_filter)f);
        speed->joins_only = speed->is_coarse = f == PKIN_I_GPU_FILTER_GEMM8;
        take_worse(&speed->start_seconds, costs->filter_start_seconds[f]);
        for (int d = 0; d < PKIN_I_SPEED_DIMENSIONS; d++) {
            take_worse(&speed->pair_seconds[d], costs->pair_seconds[f][d]);
        }
    }
    speeds->n_filters = taken.n_filters;
    memcpy(speeds->filters, taken.filters, sizeof taken.filters);
}

/* The work is as slow as the slowest device, and its parts fit into the smallest. */
static void take_costs(const pkin_i_gpu_info *info, const pkin_i_gpu_costs *costs, int wanted, pkin_i_speeds *speeds) {
    const int is_first = speeds->n_devices++ == 0;
    if (is_first) memcpy(speeds->device, info->name, sizeof speeds->device);
    if (is_first || info->memory_bytes < speeds->memory_bytes) speeds->memory_bytes = info->memory_bytes;
    speeds->start_seconds += costs->start_seconds; /* one after another */
    take_worse(&speeds->up_byte_seconds, costs->up_byte_seconds);
    take_worse(&speeds->down_byte_seconds, costs->down_byte_seconds);
    take_worse(&speeds->entry_seconds, costs->entry_seconds);
    take_worse(&speeds->candidate_seconds, costs->candidate_seconds);
    take_worse(&speeds->seed_pair_seconds, costs->seed_pair_seconds);
    take_filters(info, costs, wanted, is_first, speeds);
}

/* PKIN_I_GPU_N_FILTERS: any; -1: there is none of this name. */
static int filter_of(const char *name) {
    if (!name || strcmp(name, "auto") == 0) return PKIN_I_GPU_N_FILTERS;
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        if (strcmp(name, pkin_i_gpu_filter_name((pkin_i_gpu_filter)f)) == 0) return f;
    }
    return -1;
}

/* Whether a device before this one was measured for it: they are of one kind. */
static int is_alike(const pkin_i_gpu_info *a, const pkin_i_gpu_info *b) {
    return strcmp(a->name, b->name) == 0 && memcmp(a->has_filter, b->has_filter, sizeof a->has_filter) == 0;
}

pkin_status pkin_i_gpu_speeds(const pkin_i_gpu_driver *driver, const char *devices, const char *filter,
                              pkin_i_speeds *out) {
    pkin_status status;
    pkin_i_gpu_choice choice;
    pkin_i_gpu_info measured = {0};
    pkin_i_gpu_costs costs = {0};
    pkin_i_speeds speeds = {0};
    const int wanted = filter_of(filter);
    PKIN_REQUIRE(wanted >= 0, PKIN_ERROR_INVALID_ARGUMENT, "similarity: there is no GPU filter \"%s\"", filter);
    PKIN_TRY(pkin_i_gpu_choose(driver, devices, (pkin_i_gpu_filter)wanted, &choice));
    for (int k = 0; k < choice.n; k++) {
        pkin_i_gpu_info info;
        PKIN_TRY(driver->info(choice.indices[k], &info));
        if (k == 0 || !is_alike(&info, &measured)) {
            PKIN_TRY(costs_of(driver, &info, &costs));
            measured = info;
        }
        take_costs(&info, &costs, wanted, &speeds);
    }
    PKIN_REQUIRE(speeds.n_filters > 0, PKIN_ERROR_UNSUPPORTED,
                 "similarity: the devices that were asked for have no filter in common: name fewer of them");
    *out = speeds;
out:
    return status;
}
