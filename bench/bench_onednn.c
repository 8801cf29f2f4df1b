/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rate of oneDNN's matmul primitive on 8-bit integers (u8 x s8 -> s32): what a general library reaches with the
 * product that paperkin's filter computes. Unlike the filter it writes every sum to memory.
 *
 *     bench_onednn THREADS SECONDS DIMENSION...
 *
 * Prints a JSON line with the version, and one a dimension d: operations (multiplications and additions) a second of
 * the best repeat within SECONDS, on 4096 x d times d x 4096.
 */
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#include "bench_timer.h"

enum { N_ROWS = 4096 };

static void must(dnnl_status_t status, const char *call) {
    if (status == dnnl_success) return;
    fprintf(stderr, "bench_onednn: %s: status %d\n", call, (int)status);
    exit(1);
}
#define MUST(call) must((call), #call)

typedef struct product {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_memory_t a, b, c;
    char kernel[128]; /* what the library calls the code that it chose */
} product;

static void describe(dnnl_memory_desc_t *out, dnnl_dim_t n_rows, dnnl_dim_t n_columns, dnnl_data_type_t type,
                     dnnl_format_tag_t tag) {
    dnnl_dims_t extent = {n_rows, n_columns};
    MUST(dnnl_memory_desc_init_by_tag(out, 2, extent, type, tag));
}

/* A matrix of ones in the layout, allocated by the library. */
static dnnl_memory_t memory_of(const dnnl_memory_desc_t *layout, dnnl_engine_t engine) {
    dnnl_memory_t made;
    void *bytes;
    MUST(dnnl_memory_create(&made, layout, engine, DNNL_MEMORY_ALLOCATE));
    MUST(dnnl_memory_get_data_handle(made, &bytes));
    memset(bytes, 1, dnnl_memory_desc_get_size(layout));
    return made;
}

/* The library may choose how the operands lie in memory, as one that packs its sketches once can. */
static void product_make(product *out, dnnl_dim_t dimension) {
    dnnl_memory_desc_t a, b, c;
    dnnl_matmul_desc_t wanted;
    dnnl_primitive_desc_t chosen;
    const char *kernel;
    MUST(dnnl_engine_create(&out->engine, dnnl_cpu, 0));
    MUST(dnnl_stream_create(&out->stream, out->engine, dnnl_stream_default_flags));
    describe(&a, N_ROWS, dimension, dnnl_u8, dnnl_format_tag_any);
    describe(&b, dimension, N_ROWS, dnnl_s8, dnnl_format_tag_any);
    describe(&c, N_ROWS, N_ROWS, dnnl_s32, dnnl_ab);
    MUST(dnnl_matmul_desc_init(&wanted, &a, &b, NULL, &c));
    MUST(dnnl_primitive_desc_create(&chosen, &wanted, NULL, out->engine, NULL));
    MUST(dnnl_primitive_create(&out->primitive, chosen));
    MUST(dnnl_primitive_desc_query(chosen, dnnl_query_impl_info_str, 0, &kernel));
    snprintf(out->kernel, sizeof out->kernel, "%s", kernel);
    out->a = memory_of(dnnl_primitive_desc_query_md(chosen, dnnl_query_src_md, 0), out->engine);
    out->b = memory_of(dnnl_primitive_desc_query_md(chosen, dnnl_query_weights_md, 0), out->engine);
    out->c = memory_of(dnnl_primitive_desc_query_md(chosen, dnnl_query_dst_md, 0), out->engine);
    MUST(dnnl_primitive_desc_destroy(chosen));
}

static void product_run(const product *of) {
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, of->a}, {DNNL_ARG_WEIGHTS, of->b}, {DNNL_ARG_DST, of->c}};
    MUST(dnnl_primitive_execute(of->primitive, of->stream, 3, arguments));
    MUST(dnnl_stream_wait(of->stream));
}

static void product_free(product *of) {
    dnnl_memory_destroy(of->a);
    dnnl_memory_destroy(of->b);
    dnnl_memory_destroy(of->c);
    dnnl_primitive_destroy(of->primitive);
    dnnl_stream_destroy(of->stream);
    dnnl_engine_destroy(of->engine);
}

/* A sum of `dimension` ones says that the whole product was computed. */
static void product_check(const product *of, int dimension) {
    void *bytes;
    int32_t last;
    MUST(dnnl_memory_get_data_handle(of->c, &bytes));
    memcpy(&last, (const char *)bytes + ((size_t)N_ROWS * N_ROWS - 1) * sizeof last, sizeof last);
    if (last != dimension) {
        fprintf(stderr, "bench_onednn: a sum is %d, expected %d\n", (int)last, dimension);
        exit(1);
    }
}

static void measure(int dimension, double seconds) {
    product made;
    double best = 0;
    product_make(&made, dimension);
    product_run(&made);
    product_check(&made, dimension);
    for (double begin = bench_now(), before = begin; before - begin < seconds;) {
        product_run(&made);
        double now = bench_now(), rate = 2.0 * N_ROWS * N_ROWS * dimension / (now - before);
        if (rate > best) best = rate;
        before = now;
    }
    printf("{\"dimension\": %d, \"operations_per_second\": %.6g, \"kernel\": \"%s\"}\n", dimension, best, made.kernel);
    product_free(&made);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: bench_onednn THREADS SECONDS DIMENSION...\n");
        return 2;
    }
    const dnnl_version_t *version = dnnl_version();
    omp_set_num_threads(atoi(argv[1]));
    printf("{\"version\": \"%d.%d.%d\"}\n", version->major, version->minor, version->patch);
    for (int k = 3; k < argc; k++) measure(atoi(argv[k]), atof(argv[2]));
    return 0;
}
