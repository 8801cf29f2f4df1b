/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_FAKE_CUDA_H
#define PKIN_TESTS_FAKE_CUDA_H

/* Of the driver's interface: types for encoding tensor maps. See cuda_runtime_api.h beside this. */
#include <stdint.h>

typedef enum CUresult { CUDA_SUCCESS, CUDA_ERROR_INVALID_VALUE } CUresult;
typedef struct CUtensorMap {
    uint64_t opaque[16];
} CUtensorMap;
typedef uint32_t cuuint32_t;
typedef uint64_t cuuint64_t;
typedef enum CUtensorMapDataType { CU_TENSOR_MAP_DATA_TYPE_UINT8 = 7 } CUtensorMapDataType;
typedef enum CUtensorMapInterleave { CU_TENSOR_MAP_INTERLEAVE_NONE = 7 } CUtensorMapInterleave;
typedef enum CUtensorMapSwizzle { CU_TENSOR_MAP_SWIZZLE_128B = 7 } CUtensorMapSwizzle;
typedef enum CUtensorMapL2promotion { CU_TENSOR_MAP_L2_PROMOTION_L2_256B = 7 } CUtensorMapL2promotion;
typedef enum CUtensorMapFloatOOBfill { CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE = 7 } CUtensorMapFloatOOBfill;

#endif
