/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peer on GPUs: the sparse product A A^T by cuSPARSE's SpGEMM, in blocks of rows of A, since the whole product does
 * not fit: nearly every pair of abstracts shares some word, so that it has nearly n^2 entries.
 *
 *     cusparse_spgemm [--rows N] [--npz FILE] [--seconds S] [--cosine T] [--products N] [--device N]
 *
 * Rows are generated, or read from FILE. Blocks are taken at even distances until S seconds (of the product alone) are
 * spent; the time of all rows is extrapolated from theirs by the number of scalar products, which is known. In the
 * peer's favour: A and A^T stand on the device already, values are 32-bit floats, and finding the entries that reach
 * the threshold is left out, which cuSPARSE has no function for. It multiplies both halves of a symmetric product;
 * `half` is half of the time, which a caller who cuts A^T for every block could come near to.
 *
 * A small block comes down to be checked: its entries of T and more must be the pairs that paperkin's CPU backend
 * finds, but for those within 1e-5 of T. One JSON object on stdout. Exit status 1: different, 77: no GPU.
 */
#include <cuda_runtime_api.h>
#define DISABLE_CUSPARSE_DEPRECATED
#include <cusparse.h>
#include <inttypes.h>
#include <paperkin.h>
#include <string.h>

#include "../bench_timer.h"

enum { SKIPPED = 77, CHECKED_ROWS = 128 };
static const double TOLERANCE = 1e-5; /* 32-bit floats */

#define CUDA_TRY(call)                                                                                                 \
    do {                                                                                                               \
        cudaError_t error_ = (call);                                                                                   \
        if (error_ != cudaSuccess) {                                                                                   \
            fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(error_));                                            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)
#define SPARSE_TRY(call)                                                                                               \
    do {                                                                                                               \
        cusparseStatus_t status_ = (call);                                                                             \
        if (status_ != CUSPARSE_STATUS_SUCCESS) {                                                                      \
            fprintf(stderr, "%s: %s\n", #call, cusparseGetErrorString(status_));                                       \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* A matrix in 32-bit CSR. */
typedef struct csr {
    int n_rows, n_columns, n_entries;
    int *offsets, *columns;
    float *values;
} csr;

typedef struct settings {
    uint64_t n_rows;
    const char *npz;
    double seconds, cosine, products; /* products: of a block, about */
    int device;
} settings;

/* ---- Rows ---- */

static void *must_allocate(uint64_t n, size_t item_bytes) {
    void *block = calloc(n ? n : 1, item_bytes);
    if (!block) {
        fprintf(stderr, "cusparse_spgemm: no memory for %" PRIu64 " items\n", n);
        exit(1);
    }
    return block;
}

static csr from_view(const pkin_csr_view *view) {
    csr a = {(int)view->n_rows, (int)view->n_columns, (int)view->row_offsets[view->n_rows], NULL, NULL, NULL};
    if (view->row_offsets[view->n_rows] > INT32_MAX || view->n_rows > INT32_MAX || view->n_columns > INT32_MAX) {
        fprintf(stderr, "cusparse_spgemm: more than 2^31 - 1 entries\n");
        exit(1);
    }
    a.offsets = must_allocate(view->n_rows + 1, sizeof *a.offsets);
    a.columns = must_allocate((uint64_t)a.n_entries, sizeof *a.columns);
    a.values = must_allocate((uint64_t)a.n_entries, sizeof *a.values);
    for (uint64_t r = 0; r <= view->n_rows; r++) a.offsets[r] = (int)view->row_offsets[r];
    for (int k = 0; k < a.n_entries; k++) {
        a.columns[k] = (int)view->columns[k];
        a.values[k] = (float)view->values[k];
    }
    return a;
}

static csr transpose(const csr *a) {
    csr t = {a->n_columns, a->n_rows, a->n_entries, NULL, NULL, NULL};
    t.offsets = must_allocate((uint64_t)t.n_rows + 1, sizeof *t.offsets);
    t.columns = must_allocate((uint64_t)t.n_entries, sizeof *t.columns);
    t.values = must_allocate((uint64_t)t.n_entries, sizeof *t.values);
    int *next = must_allocate((uint64_t)t.n_rows + 1, sizeof *next);
    for (int k = 0; k < a->n_entries; k++) t.offsets[a->columns[k] + 1]++;
    for (int c = 0; c < t.n_rows; c++) next[c + 1] = t.offsets[c + 1] += t.offsets[c];
    for (int r = 0; r < a->n_rows; r++) {
        for (int k = a->offsets[r]; k < a->offsets[r + 1]; k++) {
            int at = next[a->columns[k]]++;
            t.columns[at] = r;
            t.values[at] = a->values[k];
        }
    }
    free(next);
    return t;
}

static void csr_free(csr *a) {
    free(a->offsets);
    free(a->columns);
    free(a->values);
}

static csr to_device(const csr *a) {
    csr d = *a;
    CUDA_TRY(cudaMalloc((void **)&d.offsets, sizeof(int) * ((size_t)a->n_rows + 1)));
    CUDA_TRY(cudaMalloc((void **)&d.columns, sizeof(int) * (size_t)a->n_entries));
    CUDA_TRY(cudaMalloc((void **)&d.values, sizeof(float) * (size_t)a->n_entries));
    CUDA_TRY(cudaMemcpy(d.offsets, a->offsets, sizeof(int) * ((size_t)a->n_rows + 1), cudaMemcpyHostToDevice));
    CUDA_TRY(cudaMemcpy(d.columns, a->columns, sizeof(int) * (size_t)a->n_entries, cudaMemcpyHostToDevice));
    CUDA_TRY(cudaMemcpy(d.values, a->values, sizeof(float) * (size_t)a->n_entries, cudaMemcpyHostToDevice));
    return d;
}

static void device_free(csr *a) {
    cudaFree(a->offsets);
    cudaFree(a->columns);
    cudaFree(a->values);
}

/* Rows [first, last) on the device: their offsets begin at 0, entries are borrowed from `all`. */
static csr device_rows(const csr *host, const csr *all, int first, int last) {
    csr d = {last - first,
             all->n_columns,
             host->offsets[last] - host->offsets[first],
             NULL,
             all->columns + host->offsets[first],
             all->values + host->offsets[first]};
    int *offsets = must_allocate((uint64_t)d.n_rows + 1, sizeof *offsets);
    for (int r = 0; r <= d.n_rows; r++) offsets[r] = host->offsets[first + r] - host->offsets[first];
    CUDA_TRY(cudaMalloc((void **)&d.offsets, sizeof(int) * ((size_t)d.n_rows + 1)));
    CUDA_TRY(cudaMemcpy(d.offsets, offsets, sizeof(int) * ((size_t)d.n_rows + 1), cudaMemcpyHostToDevice));
    free(offsets);
    return d;
}

/* Scalar products of each row of a with A^T. */
static double products_of_row(const csr *a, const csr *t, int row) {
    double n = 0;
    for (int k = a->offsets[row]; k < a->offsets[row + 1]; k++) {
        n += t->offsets[a->columns[k] + 1] - t->offsets[a->columns[k]];
    }
    return n;
}

/* ---- The product ---- */

static cusparseSpMatDescr_t describe(const csr *a) {
    cusparseSpMatDescr_t matrix;
    SPARSE_TRY(cusparseCreateCsr(&matrix, a->n_rows, a->n_columns, a->n_entries, a->offsets, a->columns, a->values,
                                 CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F));
    return matrix;
}

/* What a product holds, so that a block that does not fit can be given up. */
typedef struct product {
    cusparseSpMatDescr_t a, b, c;
    cusparseSpGEMMDescr_t plan;
    void *buffers[2];
    csr result; /* device */
} product;

static void product_free(product *it) {
    cusparseSpGEMM_destroyDescr(it->plan);
    cusparseDestroySpMat(it->a);
    cusparseDestroySpMat(it->b);
    cusparseDestroySpMat(it->c);
    cudaFree(it->buffers[0]);
    cudaFree(it->buffers[1]);
    device_free(&it->result);
}

/* Whether there was memory enough; the phases are those of cuSPARSE's documentation. */
static int product_compute(cusparseHandle_t handle, product *it) {
    const float one = 1, zero = 0;
    const cusparseOperation_t plain = CUSPARSE_OPERATION_NON_TRANSPOSE;
    const cusparseSpGEMMAlg_t algorithm = CUSPARSE_SPGEMM_DEFAULT;
    size_t n_bytes = 0;
    int64_t n_rows, n_columns, n_entries;
    if (cusparseSpGEMM_workEstimation(handle, plain, plain, &one, it->a, it->b, &zero, it->c, CUDA_R_32F, algorithm,
                                      it->plan, &n_bytes, NULL) != CUSPARSE_STATUS_SUCCESS ||
        cudaMalloc(&it->buffers[0], n_bytes) != cudaSuccess ||
        cusparseSpGEMM_workEstimation(handle, plain, plain, &one, it->a, it->b, &zero, it->c, CUDA_R_32F, algorithm,
                                      it->plan, &n_bytes, it->buffers[0]) != CUSPARSE_STATUS_SUCCESS ||
        cusparseSpGEMM_compute(handle, plain, plain, &one, it->a, it->b, &zero, it->c, CUDA_R_32F, algorithm, it->plan,
                               &n_bytes, NULL) != CUSPARSE_STATUS_SUCCESS ||
        cudaMalloc(&it->buffers[1], n_bytes) != cudaSuccess ||
        cusparseSpGEMM_compute(handle, plain, plain, &one, it->a, it->b, &zero, it->c, CUDA_R_32F, algorithm, it->plan,
                               &n_bytes, it->buffers[1]) != CUSPARSE_STATUS_SUCCESS ||
        cusparseSpMatGetSize(it->c, &n_rows, &n_columns, &n_entries) != CUSPARSE_STATUS_SUCCESS ||
        n_entries > INT32_MAX) {
        return 0;
    }
    it->result.n_entries = (int)n_entries;
    if (cudaMalloc((void **)&it->result.columns, sizeof(int) * (size_t)n_entries) != cudaSuccess ||
        cudaMalloc((void **)&it->result.values, sizeof(float) * (size_t)n_entries) != cudaSuccess) {
        return 0;
    }
    SPARSE_TRY(cusparseCsrSetPointers(it->c, it->result.offsets, it->result.columns, it->result.values));
    SPARSE_TRY(
        cusparseSpGEMM_copy(handle, plain, plain, &one, it->a, it->b, &zero, it->c, CUDA_R_32F, algorithm, it->plan));
    return cudaDeviceSynchronize() == cudaSuccess;
}

/* rows * t on the device; whether it fitted. *seconds of the product alone, allocations within it included. */
static int multiply(cusparseHandle_t handle, const csr *rows, const csr *t, product *out, double *seconds) {
    *out = (product){0};
    out->result = (csr){.n_rows = rows->n_rows, .n_columns = t->n_columns};
    CUDA_TRY(cudaMalloc((void **)&out->result.offsets, sizeof(int) * ((size_t)rows->n_rows + 1)));
    out->a = describe(rows);
    out->b = describe(t);
    out->c = describe(&out->result);
    SPARSE_TRY(cusparseSpGEMM_createDescr(&out->plan));
    CUDA_TRY(cudaDeviceSynchronize());
    const double began = bench_now();
    const int good = product_compute(handle, out);
    *seconds = bench_now() - began;
    if (!good) {
        product_free(out);
        cudaGetLastError(); /* a failed allocation is forgotten */
    }
    return good;
}

/* ---- Measuring ---- */

typedef struct totals {
    int n_blocks, n_rows;
    double seconds, products, entries;
} totals;

/* Rows from `first` on until a block has about so many scalar products. */
static int block_end(const csr *a, const csr *t, int first, double products, double *out_products) {
    int last = first;
    *out_products = 0;
    while (last < a->n_rows && (last == first || *out_products < products)) {
        *out_products += products_of_row(a, t, last++);
    }
    return last;
}

static totals measure(cusparseHandle_t handle, const csr *a, const csr *t, const csr *a_device, const csr *t_device,
                      const settings *wanted, double all_products) {
    totals sum = {0};
    double products = wanted->products;
    /* Where there are more blocks than 64, they begin at 64 even distances, so that rows of all parts are measured. */
    const int stride = all_products > 64 * products ? a->n_rows / 64 : 0;
    for (int first = 0; first < a->n_rows && (sum.n_blocks < 2 || sum.seconds < wanted->seconds);) {
        product it;
        double seconds, n_products;
        const int last = block_end(a, t, first, products, &n_products);
        csr rows = device_rows(a, a_device, first, last);
        const int good = multiply(handle, &rows, t_device, &it, &seconds);
        cudaFree(rows.offsets);
        if (!good) {
            if (last - first <= 1) break;
            products = n_products / 2;
            continue;
        }
        sum.n_blocks++;
        sum.n_rows += last - first;
        sum.seconds += seconds;
        sum.products += n_products;
        sum.entries += it.result.n_entries;
        product_free(&it);
        fprintf(stderr, "rows %d to %d: %.3g products, %.3f s\n", first, last, n_products, seconds);
        first = last - first > stride ? last : first + stride;
    }
    return sum;
}

/* ---- Checking ---- */

static int has_pair(const csr *c, int row, int column, double cosine) {
    for (int k = c->offsets[row]; k < c->offsets[row + 1]; k++) {
        if (c->columns[k] == column) return c->values[k] >= cosine;
    }
    return 0;
}

/* Pairs of the first rows with all: whether both found the same. */
static int check(cusparseHandle_t handle, const csr *a, const csr *a_device, const csr *t_device,
                 const pkin_vectors *vectors, double cosine, uint64_t *out_pairs) {
    const int n = a->n_rows < CHECKED_ROWS ? a->n_rows : CHECKED_ROWS;
    uint32_t listed[CHECKED_ROWS];
    pkin_vectors *some = NULL;
    pkin_pair_list list = {0};
    pkin_similarity_options options = pkin_similarity_options_default();
    options.backend = "cpu";
    for (int r = 0; r < n; r++) listed[r] = (uint32_t)r;
    BENCH_TRY(pkin_vectors_select(vectors, listed, (uint64_t)n, &some));
    BENCH_TRY(pkin_similarity_join(some, vectors, cosine, &options, &list));
    product it;
    double seconds;
    csr rows = device_rows(a, a_device, 0, n);
    int good = multiply(handle, &rows, t_device, &it, &seconds);
    cudaFree(rows.offsets);
    if (good) {
        csr c = it.result;
        c.offsets = must_allocate((uint64_t)n + 1, sizeof(int));
        c.columns = must_allocate((uint64_t)c.n_entries, sizeof(int));
        c.values = must_allocate((uint64_t)c.n_entries, sizeof(float));
        CUDA_TRY(cudaMemcpy(c.offsets, it.result.offsets, sizeof(int) * ((size_t)n + 1), cudaMemcpyDeviceToHost));
        CUDA_TRY(cudaMemcpy(c.columns, it.result.columns, sizeof(int) * (size_t)c.n_entries, cudaMemcpyDeviceToHost));
        CUDA_TRY(cudaMemcpy(c.values, it.result.values, sizeof(float) * (size_t)c.n_entries, cudaMemcpyDeviceToHost));
        uint64_t n_sure = 0, n_found = 0;
        for (uint64_t p = 0; p < list.n_pairs; p++) {
            if (pkin_score_to_cosine(list.pairs[p].score) < cosine + TOLERANCE) continue;
            n_sure++;
            good = good && has_pair(&c, (int)list.pairs[p].i, (int)list.pairs[p].j, cosine - TOLERANCE);
        }
        for (int k = 0; k < c.n_entries; k++) n_found += c.values[k] >= cosine + TOLERANCE;
        good = good && n_found >= n_sure && n_found <= list.n_pairs;
        csr_free(&c);
        product_free(&it);
    }
    *out_pairs = list.n_pairs;
    pkin_pair_list_free(&list);
    pkin_vectors_free(some);
    return good;
}

/* ---- The program ---- */

static int read_words(int n_words, char **words, settings *out) {
    *out = (settings){.n_rows = 131072, .seconds = 30, .cosine = 0.5, .products = 4e8};
    for (int w = 1; w < n_words; w += 2) {
        const char *word = words[w], *value = w + 1 < n_words ? words[w + 1] : NULL;
        if (value && strcmp(word, "--rows") == 0) {
            out->n_rows = strtoull(value, NULL, 10);
        } else if (value && strcmp(word, "--npz") == 0) {
            out->npz = value;
        } else if (value && strcmp(word, "--seconds") == 0) {
            out->seconds = atof(value);
        } else if (value && strcmp(word, "--cosine") == 0) {
            out->cosine = atof(value);
        } else if (value && strcmp(word, "--products") == 0) {
            out->products = atof(value);
        } else if (value && strcmp(word, "--device") == 0) {
            out->device = atoi(value);
        } else {
            fprintf(stderr, "cusparse_spgemm: %s?\n", word);
            return 2;
        }
    }
    return 0;
}

static pkin_vectors *read_rows(const settings *wanted) {
    pkin_vectors *vectors = NULL;
    pkin_matrix *matrix = NULL;
    if (wanted->npz) {
        BENCH_TRY(pkin_matrix_read_npz(wanted->npz, &matrix));
        BENCH_TRY(pkin_vectors_from_matrix(matrix, 1, &vectors));
        pkin_matrix_free(matrix);
    } else {
        pkin_generate_options options = pkin_generate_options_default();
        options.n_rows = wanted->n_rows;
        BENCH_TRY(pkin_vectors_generate(&options, &vectors));
    }
    return vectors;
}

int main(int n_words, char **words) {
    settings wanted;
    int wrong = read_words(n_words, words, &wanted), n_devices = 0;
    if (wrong) return wrong;
    cudaError_t error = cudaGetDeviceCount(&n_devices);
    if (error != cudaSuccess || n_devices == 0) {
        fprintf(stderr, "cusparse_spgemm: no GPU: %s\n", cudaGetErrorString(error));
        return SKIPPED;
    }
    CUDA_TRY(cudaSetDevice(wanted.device));
    pkin_vectors *vectors = read_rows(&wanted);
    pkin_matrix *matrix = NULL;
    BENCH_TRY(pkin_vectors_to_matrix(vectors, &matrix));
    pkin_csr_view view = pkin_matrix_view(matrix);
    csr a = from_view(&view), t = transpose(&a);
    csr a_device = to_device(&a), t_device = to_device(&t);
    cusparseHandle_t handle;
    SPARSE_TRY(cusparseCreate(&handle));
    double all_products = 0;
    for (int r = 0; r < a.n_rows; r++) all_products += products_of_row(&a, &t, r);

    uint64_t n_pairs = 0;
    const int good = check(handle, &a, &a_device, &t_device, vectors, wanted.cosine, &n_pairs); /* and warms up */
    const totals sum = measure(handle, &a, &t, &a_device, &t_device, &wanted, all_products);
    const double seconds = sum.products > 0 ? sum.seconds * all_products / sum.products : 0;
    printf("{\"peer\": \"cusparse_spgemm\", \"cusparse\": %d, \"rows\": %d, \"columns\": %d, \"entries\": %d, "
           "\"products\": %.0f, \"blocks\": %d, \"rows_measured\": %d, \"products_measured\": %.0f, "
           "\"entries_made\": %.0f, \"seconds_measured\": %.6f, \"extrapolated\": %s, \"seconds\": %.6f, "
           "\"half_seconds\": %.6f, \"cosine\": %g, \"checked_rows\": %d, \"checked_pairs\": %" PRIu64
           ", \"agrees\": %s}\n",
           CUSPARSE_VERSION, a.n_rows, a.n_columns, a.n_entries, all_products, sum.n_blocks, sum.n_rows, sum.products,
           sum.entries, sum.seconds, sum.n_rows == a.n_rows ? "false" : "true", seconds, seconds / 2, wanted.cosine,
           a.n_rows < CHECKED_ROWS ? a.n_rows : CHECKED_ROWS, n_pairs, good ? "true" : "false");
    cusparseDestroy(handle);
    device_free(&a_device);
    device_free(&t_device);
    csr_free(&a);
    csr_free(&t);
    pkin_matrix_free(matrix);
    pkin_vectors_free(vectors);
    return good && sum.n_blocks > 0 ? 0 : 1;
}
