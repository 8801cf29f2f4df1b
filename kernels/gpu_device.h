/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_KERNELS_GPU_DEVICE_H
#define PKIN_KERNELS_GPU_DEVICE_H

/*
 * The seam between the pipeline (gpu_*.c: plain C, what to compute, where, in which order) and a device (cuda_*.cu:
 * how). Tests put a device in its place that runs the same kernels on the host, can have little memory, and can fail
 * anywhere.
 *
 * A device works through queues, each in its order, beside one another; a queue belongs to one host thread at a time.
 * What is put into a queue returns at once; pointers marked "device" are never followed on the host, and what they
 * point to must live until pkin_i_gpu_wait says that the queue has come so far. Every function returns
 * PKIN_ERROR_OUT_OF_MEMORY, PKIN_ERROR_UNSUPPORTED or PKIN_ERROR_DEVICE with a message that names the device. An error
 * of a kernel may be told by any later call on the same device.
 */
#include "similarity/sketch.h"

PKIN_EXTERN_C_BEGIN

/* ---- What is computed ---- */

typedef enum pkin_i_gpu_filter {
    PKIN_I_GPU_FILTER_FUSED,  /* products compared where they are computed: wgmma and TMA, compute capability 9.0 */
    PKIN_I_GPU_FILTER_GEMM8,  /* batched cuBLASLt products as saturated bytes, then a scan; joins only */
    PKIN_I_GPU_FILTER_GEMM32, /* the same with exact 32-bit products */
    PKIN_I_GPU_FILTER_DP4A,   /* a plain tiled kernel: every device, no library; oracle of the others, last resort */
    PKIN_I_GPU_N_FILTERS
} pkin_i_gpu_filter;

const char *pkin_i_gpu_filter_name(pkin_i_gpu_filter filter); /* "fused", "gemm8", "gemm32", "dp4a" */

/*
 * How a sketch's bytes are written. cuBLASLt multiplies signed bytes only; wgmma and dp4a know unsigned ones.
 *
 * PLAIN: q in [0, 255] as it is (sketch.h), for fused and dp4a.
 *
 * SHIFTED: q - 128 as a signed byte, and the row's sum of q, for gemm32. With d buckets
 *     sum q q' = sum (q - 128)(q' - 128) + 128 (sum q + sum q') - 16384 d,
 * so that the same bound is tested.
 *
 * SEVEN: q in [0, 127], the smallest with q^2 * 2^60 >= 127^2 * S_b, for gemm8. The bound is looser by some percent.
 */
typedef enum pkin_i_gpu_coding { PKIN_I_GPU_PLAIN, PKIN_I_GPU_SHIFTED, PKIN_I_GPU_SEVEN } pkin_i_gpu_coding;

pkin_i_gpu_coding pkin_i_gpu_coding_of(pkin_i_gpu_filter filter);
/* The least sum of products (of q, whatever the coding) that a pair with score >= min_score can have: at least 1 for
   min_score >= 1, so that a row of zeroes never passes. */
int32_t pkin_i_gpu_limit(pkin_i_gpu_coding coding, uint64_t min_score);

/* Rows of sketches are kept in multiples of this; what lies behind the last row is zero rows (q = 0). */
enum { PKIN_I_GPU_ROWS_STEP = 256 };

/* A shard: rows [first, first + n_rows) of a side, on a device. */
typedef struct pkin_i_gpu_rows {
    uint64_t first;
    uint32_t n_rows;
    uint32_t dimension; /* a multiple of 64 */
    pkin_i_gpu_coding coding;
    const uint64_t *offsets; /* device, n_rows + 1, the first is 0 */
    const uint32_t *columns; /* device, ascending in a row */
    const uint32_t *weights; /* device */
    uint8_t *sketches; /* device, (n_rows rounded up to ROWS_STEP) x dimension, row-major, aligned to 1024 bytes */
    int32_t *sums;     /* device, n_rows rounded up likewise: of q; SHIFTED only, else NULL */
} pkin_i_gpu_rows;

/* A pair to be scored: rows of the two sides, counted from the beginning of the side (not of the shard). */
typedef struct pkin_i_gpu_candidate {
    uint32_t i, j;
} pkin_i_gpu_candidate;

/*
 * The k best neighbours of all rows of a side, so far, with running thresholds: neighbor_heaps.h on a device. Places
 * are in no order. `limits` follow `thresholds`: pkin_i_gpu_limit of them, INT32_MAX for a finished row, whose
 * threshold is UINT64_MAX.
 */
typedef struct pkin_i_gpu_heaps {
    uint64_t n_rows;
    uint32_t k;
    pkin_i_gpu_coding coding;
    uint64_t *scores;     /* device, n_rows * k */
    uint32_t *neighbors;  /* device, n_rows * k */
    uint32_t *counts;     /* device, n_rows */
    uint64_t *thresholds; /* device, n_rows: a lower score cannot enter */
    int32_t *limits;      /* device, n_rows */
    uint32_t *locks;      /* device, n_rows */
} pkin_i_gpu_heaps;

typedef struct pkin_i_gpu_filter_work {
    pkin_i_gpu_filter filter;
    const pkin_i_gpu_rows *rows, *columns; /* host structs; may be the same; of one dimension and the filter's coding */
    uint32_t row_begin, row_end;           /* of the shard; no begin or end need be a multiple of anything */
    uint32_t column_begin, column_end;     /* of the other; never empty */
    int within;                            /* both are shards of one side: pairs i < j alone */
    int32_t limit;                         /* products from here on pass, where there are no heaps */
    /* Device, by row of the side. Both: products pass from the lower of the two rows' limits on. NULL both: `limit`. */
    const int32_t *row_limits, *column_limits; /* column_limits NULL alone: the row's */
    void *workspace;                           /* device, aligned to 1024; for products */
    uint64_t workspace_bytes;
    pkin_i_gpu_candidate *found; /* device, `capacity`; in no order */
    uint64_t capacity;
    uint64_t *n_found; /* device, added to: counts what passed also where there is no room left, and then it is lost */
} pkin_i_gpu_filter_work;

typedef struct pkin_i_gpu_score_work {
    const pkin_i_gpu_rows *rows, *columns;  /* host structs: the shards that hold the candidates' i and j */
    const pkin_i_gpu_candidate *candidates; /* device */
    uint64_t n_candidates;
    /* A join: pairs with score >= min_score, in no order. */
    uint64_t min_score;
    pkin_pair *pairs;  /* device, room for n_candidates; NULL: a top-k */
    uint64_t *n_pairs; /* device, added to */
    /* A top-k: offered to i, and with `both` also to j. A neighbour may be offered again; it is kept once. */
    const pkin_i_gpu_heaps *heaps;
    int both;
} pkin_i_gpu_score_work;

/*
 * Seeds of a top-k: of every group of a row's sampled columns the one with the largest product (of equal ones the
 * first), if that is not 0. Or, with `counts`, how many sampled columns reach the row's limit. PLAIN or SHIFTED.
 */
typedef struct pkin_i_gpu_seed_work {
    const pkin_i_gpu_rows *rows;
    const pkin_i_gpu_rows
        *sample; /* sketches and sums alone; its row s stands for row first + s * stride of the side */
    uint64_t stride;
    uint32_t row_begin, row_end; /* of the shard */
    uint32_t group;              /* sampled columns of a group, a multiple of 32 */
    int within;                  /* not the row itself */
    pkin_i_gpu_candidate *found; /* device; room for (row_end - row_begin) * groups; NULL with `counts` */
    uint64_t *n_found;           /* device, added to */
    uint32_t *counts;            /* device: row r's at counts[r - row_begin]; NULL with `found` */
    const int32_t *row_limits;   /* device, by row of the side: for `counts` */
} pkin_i_gpu_seed_work;

/* Rows that are compared with everybody, by exact scores. */
typedef struct pkin_i_gpu_exhaust_work {
    const pkin_i_gpu_rows *rows;
    const uint32_t *listed; /* device: rows of the shard, counted within it, ascending */
    uint32_t n_listed;      /* at most PKIN_I_GPU_EXHAUST_MOST */
    const pkin_i_gpu_rows *columns;
    int within;         /* not with itself */
    uint64_t n_columns; /* of the vocabulary: terms */
    void *workspace;    /* device: n_columns * PKIN_I_GPU_EXHAUST_MOST * 4 bytes, all zero before and after */
    const pkin_i_gpu_heaps *heaps;
} pkin_i_gpu_exhaust_work;
enum { PKIN_I_GPU_EXHAUST_MOST = 8 };

/* ---- The device ---- */

typedef struct pkin_i_gpu_info {
    int index;
    char name[96]; /* "NVIDIA H100 80GB HBM3" */
    char uuid[48];
    int major, minor; /* compute capability */
    int n_processors;
    uint64_t memory_bytes;
    int driver_version, runtime_version;    /* 13000 for 13.0 */
    int has_filter[PKIN_I_GPU_N_FILTERS];   /* can run here */
    char missing[PKIN_I_GPU_N_FILTERS][96]; /* why not, for messages; "" where it can */
} pkin_i_gpu_info;

typedef struct pkin_i_gpu pkin_i_gpu;             /* a device, opened */
typedef struct pkin_i_gpu_queue pkin_i_gpu_queue; /* of a device */

typedef struct pkin_i_gpu_driver {
    const char *name; /* "cuda" */
    /* How many devices there are; 0 and PKIN_OK are possible. No driver: PKIN_ERROR_UNSUPPORTED, with what to do. Cheap
       where there is none. */
    pkin_status (*count)(int *out);
    /* What can be told without opening the device. PKIN_ERROR_UNSUPPORTED for one that cannot be used. */
    pkin_status (*info)(int index, pkin_i_gpu_info *out);
    pkin_status (*open)(int index, pkin_i_gpu **out);
    void (*close)(pkin_i_gpu *gpu); /* accepts NULL; its memory and queues are gone before */
    pkin_status (*free_memory)(pkin_i_gpu *gpu, uint64_t *out_bytes); /* that allocate could give now, about */

    pkin_status (*allocate)(pkin_i_gpu *gpu, uint64_t n_bytes,
                            void *out);             /* device memory, aligned to 1024; not cleared */
    void (*release)(pkin_i_gpu *gpu, void *memory); /* accepts NULL; waits for what uses it */
    pkin_status (*allocate_host)(pkin_i_gpu *gpu, uint64_t n_bytes, void *out); /* pinned memory of the host */
    void (*release_host)(pkin_i_gpu *gpu, void *memory);

    pkin_status (*queue_open)(pkin_i_gpu *gpu, pkin_i_gpu_queue **out);
    void (*queue_close)(pkin_i_gpu_queue *queue); /* accepts NULL; waits for what is under way */
    /* Host memory may be any; what is not pinned is copied before the call returns (up), or by pkin_i_gpu_wait (down).
     */
    pkin_status (*copy_up)(pkin_i_gpu_queue *queue, void *device, const void *host, uint64_t n_bytes);
    pkin_status (*copy_down)(pkin_i_gpu_queue *queue, void *host, const void *device, uint64_t n_bytes);
    pkin_status (*fill)(pkin_i_gpu_queue *queue, void *device, int byte, uint64_t n_bytes);
    pkin_status (*wait)(pkin_i_gpu_queue *queue); /* until all that was put into it is done */
    /* Seconds of the device between two calls of `mark`, once both are reached (waits): n in [0, 2). */
    pkin_status (*mark)(pkin_i_gpu_queue *queue, int n);
    pkin_status (*seconds_between_marks)(pkin_i_gpu_queue *queue, double *out);

    /* What `filter` needs as workspace to work well; at least a sixteenth of it must be given. 0: none. */
    uint64_t (*workspace_bytes)(const pkin_i_gpu *gpu, pkin_i_gpu_filter filter);

    /* Writes the rows' sketches (and sums), the zero rows behind them included. `buckets`: device, of every column. */
    pkin_status (*sketch)(pkin_i_gpu_queue *queue, const pkin_i_gpu_rows *rows, const uint16_t *buckets);
    /* Writes every stride-th row's sketch and sum to `sample`, whose n_rows are ceil(rows->n_rows / stride). */
    pkin_status (*sample)(pkin_i_gpu_queue *queue, const pkin_i_gpu_rows *rows, uint64_t stride,
                          const pkin_i_gpu_rows *sample);
    pkin_status (*filter)(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *work);
    pkin_status (*score)(pkin_i_gpu_queue *queue, const pkin_i_gpu_score_work *work);
    pkin_status (*heaps_begin)(pkin_i_gpu_queue *queue, const pkin_i_gpu_heaps *heaps, uint64_t min_score);
    pkin_status (*seed)(pkin_i_gpu_queue *queue, const pkin_i_gpu_seed_work *work);
    pkin_status (*exhaust)(pkin_i_gpu_queue *queue, const pkin_i_gpu_exhaust_work *work);
    /* Nothing enters these rows of the side any more. `listed`: device. */
    pkin_status (*finish)(pkin_i_gpu_queue *queue, const pkin_i_gpu_heaps *heaps, const uint32_t *listed,
                          uint32_t n_listed);
} pkin_i_gpu_driver;

PKIN_EXTERN_C_END

#endif
