/* SPDX-License-Identifier: Apache-2.0 */
/* bench/gpu_filters.c on a device that is none (support/host_device.h): what it prints is the same, but for the rates.
 */
#include "gpu_driver.h"
#include "support/host_device.h"

static const pkin_i_gpu_driver *host_driver() {
    static HostDevices devices([] {
        HostDeviceOptions options;
        options.memory_bytes = UINT64_C(1) << 30;
        return options;
    }());
    return devices.driver();
}

extern "C" const pkin_i_gpu_driver *const gpu_measured_driver = host_driver();
