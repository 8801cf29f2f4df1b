/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/failure.h"
#include "kernels/gpu_engine.h"

/* Whether a device can be used, with this filter if one is named; if not, pkin_last_error says why. */
static pkin_status try_device(const pkin_i_gpu_driver *driver, int index, pkin_i_gpu_filter filter) {
    pkin_status status;
    pkin_i_gpu_info info;
    PKIN_TRY(driver->info(index, &info));
    if (filter >= PKIN_I_GPU_N_FILTERS) return PKIN_OK;
    PKIN_REQUIRE(info.has_filter[filter], PKIN_ERROR_UNSUPPORTED, "%s: device %d (%s) cannot run the filter \"%s\": %s",
                 driver->name, index, info.name, pkin_i_gpu_filter_name(filter), info.missing[filter]);
out:
    return status;
}

/* Takes the devices that can be used, up to `n_most`. */
static pkin_status take_usable(const pkin_i_gpu_driver *driver, int n_devices, int n_most, pkin_i_gpu_filter filter,
                               pkin_i_gpu_choice *out) {
    char why[256] = "";
    for (int d = 0; d < n_devices && out->n < n_most; d++) {
        const pkin_status status = try_device(driver, d, filter);
        if (status == PKIN_OK) {
            out->indices[out->n++] = d;
        } else if (status != PKIN_ERROR_UNSUPPORTED) {
            return status;
        } else if (!why[0]) {
            snprintf(why, sizeof why, "%s", pkin_last_error());
        }
    }
    if (out->n > 0) return PKIN_OK;
    if (n_devices == 1) return pkin_i_fail(PKIN_ERROR_UNSUPPORTED, "%s", why);
    return pkin_i_fail(PKIN_ERROR_UNSUPPORTED, "%s: none of the %d devices can be used; the first: %s", driver->name,
                       n_devices, why);
}

static pkin_status misread(const char *devices) {
    return pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                       "devices \"%s\": expected \"auto\", \"all\", or different numbers with commas between, as "
                       "\"0,2\"",
                       devices);
}

/* "0,2": digits and commas, nothing else. */
static pkin_status take_listed(const pkin_i_gpu_driver *driver, int n_devices, const char *devices,
                               pkin_i_gpu_filter filter, pkin_i_gpu_choice *out) {
    pkin_status status = PKIN_OK;
    const char *at = devices;
    for (bool goes_on = true; goes_on; at++) {
        int index = 0, n_digits = 0;
        for (; *at >= '0' && *at <= '9' && n_digits < 6; at++, n_digits++) index = 10 * index + (*at - '0');
        if (n_digits == 0 || (*at != ',' && *at != '\0')) return misread(devices);
        for (int d = 0; d < out->n; d++) {
            if (out->indices[d] == index) return misread(devices);
        }
        PKIN_REQUIRE(index < n_devices, PKIN_ERROR_UNSUPPORTED,
                     "%s: there is no device %d: this machine has %d, counted from 0", driver->name, index, n_devices);
        PKIN_REQUIRE(out->n < PKIN_I_GPU_DEVICES_MOST, PKIN_ERROR_UNSUPPORTED, "%s: more than %d devices", driver->name,
                     PKIN_I_GPU_DEVICES_MOST);
        PKIN_TRY(try_device(driver, index, filter));
        out->indices[out->n++] = index;
        goes_on = *at == ',';
    }
out:
    return status;
}

pkin_status pkin_i_gpu_choose(const pkin_i_gpu_driver *driver, const char *devices, pkin_i_gpu_filter filter,
                              pkin_i_gpu_choice *out) {
    pkin_status status;
    int n_devices = 0;
    pkin_i_gpu_choice choice = {0};
    PKIN_TRY(driver->count(&n_devices));
    PKIN_REQUIRE(n_devices > 0, PKIN_ERROR_UNSUPPORTED, "%s: there is no device on this machine", driver->name);
    if (!devices || strcmp(devices, "auto") == 0) {
        PKIN_TRY(take_usable(driver, n_devices, 1, filter, &choice));
    } else if (strcmp(devices, "all") == 0) {
        PKIN_TRY(take_usable(driver, n_devices, PKIN_I_GPU_DEVICES_MOST, filter, &choice));
    } else {
        PKIN_TRY(take_listed(driver, n_devices, devices, filter, &choice));
    }
    *out = choice;
out:
    return status;
}
