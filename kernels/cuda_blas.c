/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library is half a gigabyte and only two filters want it, so nothing is linked with it: dlopen finds it at their
 * first use. Its types and constants come from the toolkit that this was built with; functions and constants used here
 * are the same in cuBLASLt 12 and 13, either of which will do.
 *
 * Regular (not tiled) layouts know 8-bit products in the form TN alone (cuBLAS documentation, cublasLtMatmul: compute
 * type 32I). Row-major rows R (n_rows x dimension) and columns C are, as the column-major matrices of that interface,
 * their transposes; so D = op_T(C) * R, column-major of n_columns x n_rows, is R C^T in rows.
 */
#include "kernels/cuda_blas.h"

#include <cublasLt.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

/* ---- The library ---- */

#define FUNCTIONS(X)                                                                                                   \
    X(cublasLtCreate)                                                                                                  \
    X(cublasLtDestroy)                                                                                                 \
    X(cublasLtGetStatusString)                                                                                         \
    X(cublasLtGetVersion)                                                                                              \
    X(cublasLtMatmulDescCreate)                                                                                        \
    X(cublasLtMatmulDescDestroy)                                                                                       \
    X(cublasLtMatmulDescSetAttribute)                                                                                  \
    X(cublasLtMatrixLayoutCreate)                                                                                      \
    X(cublasLtMatrixLayoutDestroy)                                                                                     \
    X(cublasLtMatmulPreferenceCreate)                                                                                  \
    X(cublasLtMatmulPreferenceDestroy)                                                                                 \
    X(cublasLtMatmulPreferenceSetAttribute)                                                                            \
    X(cublasLtMatmulAlgoGetHeuristic)                                                                                  \
    X(cublasLtMatmul)

typedef struct library {
    void *handle;
#define FUNCTION_MEMBER(name) __typeof__(&name) name;
    FUNCTIONS(FUNCTION_MEMBER)
#undef FUNCTION_MEMBER
} library;

/* Never unloaded: it is large, and libraries that registered handlers for the program's end are best left in place. */
enum { LOADING = RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE };
enum { MAJOR_NEWEST = 13, MAJOR_OLDEST = 12, PATH_BYTES = 1024 };

/* Folders of a toolkit that the loader may not know of. NULL at the end. */
static const char *toolkit_folder(int n, char *out, size_t n_bytes) {
    static const struct {
        const char *variable, *folder;
    } places[] = {{"CUDA_PATH", "lib64"},
                  {"CUDA_PATH", "lib"},
                  {"CUDA_HOME", "lib64"},
                  {"CUDA_HOME", "lib"},
                  {NULL, "/usr/local/cuda/lib64"}};
    if (n >= (int)(sizeof places / sizeof places[0])) return NULL;
    const char *root = places[n].variable ? getenv(places[n].variable) : NULL;
    out[0] = '\0';
    if (!places[n].variable)
        snprintf(out, n_bytes, "%s", places[n].folder);
    else if (root && root[0])
        snprintf(out, n_bytes, "%s/%s", root, places[n].folder);
    return out;
}

/* The library's names: the runtime's own version first. NULL at the end. */
static const char *library_name(int n, char *out, size_t n_bytes) {
    enum { N_MAJORS = MAJOR_NEWEST - MAJOR_OLDEST + 1, VERSIONS_A_MAJOR = 1000 };
    const int own = CUDART_VERSION / VERSIONS_A_MAJOR;
    if (n > N_MAJORS) return NULL;
    if (n == N_MAJORS)
        snprintf(out, n_bytes, "libcublasLt.so");
    else
        snprintf(out, n_bytes, "libcublasLt.so.%d", (own - MAJOR_OLDEST + n) % N_MAJORS + MAJOR_OLDEST);
    return out;
}

static int is_in_folder(const char *folder, size_t length) {
    char name[64], path[PATH_BYTES];
    for (int n = 0; library_name(n, name, sizeof name); n++) {
        snprintf(path, sizeof path, "%.*s/%s", (int)length, folder, name);
        if (length > 0 && access(path, R_OK) == 0) return 1;
    }
    return 0;
}

static int is_in_list(const char *folders) {
    while (folders && *folders) {
        const size_t length = strcspn(folders, ":");
        if (is_in_folder(folders, length)) return 1;
        folders += length + (folders[length] == ':');
    }
    return 0;
}

static void *load_by_name(void) {
    char name[64];
    for (int n = 0; library_name(n, name, sizeof name); n++) {
        void *handle = dlopen(name, LOADING);
        if (handle) return handle;
    }
    return NULL;
}

static void *load_from_toolkit(void) {
    char folder[PATH_BYTES], name[64], path[PATH_BYTES + sizeof name];
    for (int f = 0; toolkit_folder(f, folder, sizeof folder); f++) {
        for (int n = 0; folder[0] && library_name(n, name, sizeof name); n++) {
            snprintf(path, sizeof path, "%s/%s", folder, name);
            void *handle = dlopen(path, LOADING);
            if (handle) return handle;
        }
    }
    return NULL;
}

static void *load(void) {
    void *handle = load_by_name();
    return handle ? handle : load_from_toolkit();
}

int pkin_i_cuda_blas_is_there(char *why, size_t n_bytes) {
    static const char system_folders[] =
        "/usr/lib/x86_64-linux-gnu:/usr/lib/aarch64-linux-gnu:/usr/lib64:/usr/lib:/usr/local/lib";
    char folder[PATH_BYTES];
    why[0] = '\0';
    for (int f = 0; toolkit_folder(f, folder, sizeof folder); f++) {
        if (is_in_list(folder)) return 1;
    }
    if (is_in_list(getenv("LD_LIBRARY_PATH")) || is_in_list(system_folders)) return 1;
    void *handle = load(); /* the loader may know of other places */
    if (handle) {
        dlclose(handle);
        return 1;
    }
    snprintf(why, n_bytes, "libcublasLt.so.%d or .%d was not found: set LD_LIBRARY_PATH or CUDA_PATH to it",
             MAJOR_NEWEST, MAJOR_OLDEST);
    return 0;
}

static pkin_status library_open(library *out) {
    pkin_status status = PKIN_OK;
    out->handle = load();
    if (!out->handle) {
        const char *why = dlerror();
        return pkin_i_fail(
            PKIN_ERROR_UNSUPPORTED,
            "cuBLASLt could not be loaded (%s): set LD_LIBRARY_PATH or CUDA_PATH to where libcublasLt.so.%d "
            "or .%d is, or choose --gpu-filter fused or dp4a",
            why ? why : "no reason given", MAJOR_NEWEST, MAJOR_OLDEST);
    }
#define FUNCTION_FIND(name)                                                                                            \
    *(void **)&out->name = dlsym(out->handle, #name);                                                                  \
    PKIN_REQUIRE(out->name, PKIN_ERROR_UNSUPPORTED, "cuBLASLt lacks " #name ": paperkin needs version 12 or 13");
    FUNCTIONS(FUNCTION_FIND)
#undef FUNCTION_FIND
out:
    return status;
}

/* ---- Of a device ---- */

/* A kind of product, for which the library was asked for its best algorithm. */
typedef struct shape {
    uint32_t n_rows, n_columns, dimension;
    int is_bytes;
    uint64_t scratch_bytes;
} shape;

typedef struct choice {
    shape of;
    cublasLtMatmulAlgo_t algorithm;
} choice;

enum { CHOICES_MOST = 64 };
struct pkin_i_cuda_blas {
    pkin_i_gpu *gpu;
    library lib;
    cublasLtHandle_t handle;
    pthread_mutex_t lock; /* of the choices */
    choice choices[CHOICES_MOST];
    uint32_t n_choices; /* ever made; the last CHOICES_MOST are kept */
};

static pkin_status checked(const pkin_i_cuda_blas *blas, cublasStatus_t result, const char *what) {
    if (result == CUBLAS_STATUS_SUCCESS) return PKIN_OK;
    (void)cudaGetLastError();
    pkin_status status = PKIN_ERROR_DEVICE;
    if (result == CUBLAS_STATUS_ALLOC_FAILED) status = PKIN_ERROR_OUT_OF_MEMORY;
    if (result == CUBLAS_STATUS_NOT_SUPPORTED || result == CUBLAS_STATUS_ARCH_MISMATCH) status = PKIN_ERROR_UNSUPPORTED;
    char text[sizeof blas->gpu->failure];
    snprintf(text, sizeof text, "%s: cuBLASLt %zu: %s failed: %s%s", blas->gpu->label, blas->lib.cublasLtGetVersion(),
             what, blas->lib.cublasLtGetStatusString(result),
             status == PKIN_ERROR_UNSUPPORTED ? "; choose --gpu-filter fused or dp4a" : "");
    return status == PKIN_ERROR_DEVICE ? pkin_i_cuda_lost(blas->gpu, text) : pkin_i_fail(status, "%s", text);
}

void pkin_i_cuda_blas_close(pkin_i_cuda_blas *blas) {
    if (!blas) return;
    if (blas->handle) (void)blas->lib.cublasLtDestroy(blas->handle);
    if (blas->lib.handle) dlclose(blas->lib.handle);
    pthread_mutex_destroy(&blas->lock);
    pkin_i_free(blas);
}

static pkin_status blas_open(pkin_i_gpu *gpu, pkin_i_cuda_blas **out) {
    pkin_status status;
    pkin_i_cuda_blas *blas = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *blas, &blas));
    blas->gpu = gpu;
    pthread_mutex_init(&blas->lock, NULL);
    PKIN_TRY(library_open(&blas->lib));
    PKIN_TRY(checked(blas, blas->lib.cublasLtCreate(&blas->handle), "opening it"));
    *out = blas;
    blas = NULL;
out:
    pkin_i_cuda_blas_close(blas);
    return status;
}

/* Opened outside of the lock, since failures take it; of two that open it at once one gives its own up. */
pkin_status pkin_i_cuda_blas_of(pkin_i_gpu *gpu, pkin_i_cuda_blas **out) {
    pkin_status status = PKIN_OK;
    pkin_i_cuda_blas *opened = NULL;
    pthread_mutex_lock(&gpu->lock);
    *out = gpu->blas;
    pthread_mutex_unlock(&gpu->lock);
    if (*out) return PKIN_OK;
    PKIN_TRY(blas_open(gpu, &opened));
    pthread_mutex_lock(&gpu->lock);
    if (!gpu->blas) {
        gpu->blas = opened;
        opened = NULL;
    }
    *out = gpu->blas;
    pthread_mutex_unlock(&gpu->lock);
    pkin_i_cuda_blas_close(opened);
out:
    return status;
}

/* ---- Products ---- */

/* A product as the library wants it described. */
typedef struct description {
    cublasLtMatmulDesc_t operation;
    cublasLtMatrixLayout_t columns, rows, products;
} description;

static void description_close(const library *lib, description *d) {
    if (d->products) (void)lib->cublasLtMatrixLayoutDestroy(d->products);
    if (d->rows) (void)lib->cublasLtMatrixLayoutDestroy(d->rows);
    if (d->columns) (void)lib->cublasLtMatrixLayoutDestroy(d->columns);
    if (d->operation) (void)lib->cublasLtMatmulDescDestroy(d->operation);
}

/* Zeroed before; closed by the caller, on failure too. */
static cublasStatus_t describe(const library *lib, const shape *of, description *out) {
    const cublasOperation_t transposed = CUBLAS_OP_T;
    const cudaDataType_t scale_type = of->is_bytes ? CUDA_R_32F : CUDA_R_32I;
    const cudaDataType_t product_type = of->is_bytes ? CUDA_R_8I : CUDA_R_32I;
    cublasStatus_t result = lib->cublasLtMatmulDescCreate(&out->operation, CUBLAS_COMPUTE_32I, scale_type);
    if (result != CUBLAS_STATUS_SUCCESS) return result;
    result = lib->cublasLtMatmulDescSetAttribute(out->operation, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                                 sizeof transposed);
    if (result != CUBLAS_STATUS_SUCCESS) return result;
    result = lib->cublasLtMatrixLayoutCreate(&out->columns, CUDA_R_8I, of->dimension, of->n_columns, of->dimension);
    if (result != CUBLAS_STATUS_SUCCESS) return result;
    result = lib->cublasLtMatrixLayoutCreate(&out->rows, CUDA_R_8I, of->dimension, of->n_rows, of->dimension);
    if (result != CUBLAS_STATUS_SUCCESS) return result;
    return lib->cublasLtMatrixLayoutCreate(&out->products, product_type, of->n_columns, of->n_rows, of->n_columns);
}

/*
 * No sum may be put together from parts that were rounded to the type of the products: a byte would saturate too early.
 * Rows may begin anywhere in a shard, at multiples of the least dimension.
 */
static cublasStatus_t set_wishes(const library *lib, cublasLtMatmulPreference_t preference, size_t scratch_bytes) {
    const uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_NONE, alignment = PKIN_I_DIMENSION_STEP;
    cublasStatus_t result = lib->cublasLtMatmulPreferenceSetAttribute(
        preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &scratch_bytes, sizeof scratch_bytes);
    if (result != CUBLAS_STATUS_SUCCESS) return result;
    result = lib->cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                                                       &reductions, sizeof reductions);
    if (result != CUBLAS_STATUS_SUCCESS) return result;
    result = lib->cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
                                                       &alignment, sizeof alignment);
    if (result != CUBLAS_STATUS_SUCCESS) return result;
    return lib->cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, &alignment,
                                                     sizeof alignment);
}

static cublasStatus_t ask_for_algorithm(const pkin_i_cuda_blas *blas, const shape *of, const description *d,
                                        cublasLtMatmulAlgo_t *out) {
    const library *lib = &blas->lib;
    cublasLtMatmulPreference_t preference = NULL;
    cublasLtMatmulHeuristicResult_t found;
    int n_found = 0;
    cublasStatus_t result = lib->cublasLtMatmulPreferenceCreate(&preference);
    if (result != CUBLAS_STATUS_SUCCESS) return result;
    result = set_wishes(lib, preference, of->scratch_bytes);
    if (result == CUBLAS_STATUS_SUCCESS) {
        result = lib->cublasLtMatmulAlgoGetHeuristic(blas->handle, d->operation, d->columns, d->rows, d->products,
                                                     d->products, preference, 1, &found, &n_found);
    }
    (void)lib->cublasLtMatmulPreferenceDestroy(preference);
    if (result != CUBLAS_STATUS_SUCCESS) return result;
    if (n_found == 0 || found.state != CUBLAS_STATUS_SUCCESS) return CUBLAS_STATUS_NOT_SUPPORTED;
    *out = found.algo;
    return CUBLAS_STATUS_SUCCESS;
}

static int is_same(const shape *a, const shape *b) {
    return a->n_rows == b->n_rows && a->n_columns == b->n_columns && a->dimension == b->dimension &&
           a->is_bytes == b->is_bytes && a->scratch_bytes == b->scratch_bytes;
}

/* Asks the library once for each shape that is in use. */
static cublasStatus_t choose(pkin_i_cuda_blas *blas, const shape *of, const description *d, cublasLtMatmulAlgo_t *out) {
    cublasStatus_t result = CUBLAS_STATUS_SUCCESS;
    pthread_mutex_lock(&blas->lock);
    const uint32_t n_kept = blas->n_choices < CHOICES_MOST ? blas->n_choices : CHOICES_MOST;
    uint32_t k = 0;
    while (k < n_kept && !is_same(&blas->choices[k].of, of)) k++;
    if (k == n_kept) {
        k = blas->n_choices % CHOICES_MOST;
        result = ask_for_algorithm(blas, of, d, out);
        if (result == CUBLAS_STATUS_SUCCESS) {
            blas->choices[k] = (choice){*of, *out};
            blas->n_choices++;
        }
    } else {
        *out = blas->choices[k].algorithm;
    }
    pthread_mutex_unlock(&blas->lock);
    return result;
}

pkin_status pkin_i_cuda_blas_multiply(pkin_i_cuda_blas *blas, pkin_i_gpu_queue *queue,
                                      const pkin_i_cuda_product *product) {
    pkin_status status;
    const shape of = {product->n_rows, product->n_columns, product->dimension, product->scale != 0,
                      product->scratch_bytes};
    /* The scale has the type of its kind of product. */
    const int32_t one = 1, none = 0;
    const float no_float = 0;
    const void *alpha = of.is_bytes ? (const void *)&product->scale : (const void *)&one;
    const void *beta = of.is_bytes ? (const void *)&no_float : (const void *)&none;
    description d = {0};
    cublasLtMatmulAlgo_t algorithm;
    PKIN_TRY(checked(blas, describe(&blas->lib, &of, &d), "describing a product"));
    PKIN_TRY(checked(blas, choose(blas, &of, &d, &algorithm), "choosing an algorithm for 8-bit products"));
    PKIN_TRY(
        checked(blas,
                blas->lib.cublasLtMatmul(blas->handle, d.operation, alpha, product->columns, d.columns, product->rows,
                                         d.rows, beta, product->products, d.products, product->products, d.products,
                                         &algorithm, product->scratch, product->scratch_bytes, queue->stream),
                "a product of 8-bit matrices"));
    PKIN_TRY(pkin_i_cuda_launched(queue, cudaSuccess, "cublasLtMatmul"));
out:
    description_close(&blas->lib, &d);
    return status;
}
