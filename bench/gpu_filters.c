/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates of the kernels of one device, each alone: the filters, exact scoring, sketches, and copies; and of cuBLASLt's
 * large product of bytes, which the filters are held against. Through the driver's seam (kernels/gpu_device.h), on
 * generated rows.
 *
 *     gpu_filters [--device N] [--rows N] [--dimension D]... [--filter NAME]... [--peak N]... [--no-peak]
 *
 * A filter's rate is 2 d operations for each pair of rows that is compared (a product and a sum), over the seconds
 * between two marks in the queue, median of several runs: for a rectangle of different rows, and for the triangle of
 * the pairs i < j, which is what a join within does. Once no pair passes, and once those pass whose bound reaches
 * cosine 0.5, as in a join. `share_of_peak` is the rate over that of the best large product. Results are one JSON
 * object on stdout; what happens is told on stderr. Exit status 77 where there is no device.
 */
#include "gpu_driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bench_timer.h"
#include "paperkin/generate.h"
#include "paperkin/version.h"
#include "peers/int8_peak.h"
#include "similarity/sketch.h"

enum { MAX_LIST = 8, N_RUNS = 5, SKIPPED = 77 };
enum { NOTHING_PASSES = 1 << 20 };      /* a limit: sums of products stay below 2^17 (similarity/sketch.h) */
static const double RUN_SECONDS = 0.05; /* of a measured run, about: a clock's ticks and launches do not show */
static const double COSINE = 0.5;
static const double SCORED_COSINE = 0.3;
static const uint64_t CAPACITY_MOST = UINT64_C(1) << 25; /* candidates */

typedef struct list {
    int n;
    uint32_t values[MAX_LIST];
} list;

typedef struct settings {
    int device;
    uint32_t n_rows;
    list dimensions, peaks;
    int wanted[PKIN_I_GPU_N_FILTERS]; /* all 0: every filter */
} settings;

/* The device with the rows on it. `rows` are sketched anew for each dimension and coding. */
typedef struct bench {
    const settings *settings;
    const pkin_i_gpu_driver *driver;
    pkin_i_gpu_info info;
    pkin_i_gpu *gpu;
    pkin_i_gpu_queue *queue;
    pkin_vectors *vectors;
    uint64_t *column_weights;
    pkin_i_gpu_rows rows;
    uint16_t *buckets; /* device */
    pkin_i_gpu_candidate *found;
    uint64_t *counter; /* device, 2 */
    uint64_t capacity; /* of found */
    void *workspace;
    double peak; /* operations a second; 0: not known */
    int n_written;
} bench;

/* ---- JSON ---- */

static void begin_array(bench *it, const char *name) {
    printf(",\n \"%s\": [", name);
    it->n_written = 0;
}

/* Before each object of an array. */
static void next(bench *it) {
    fputs(it->n_written++ ? ",\n  " : "\n  ", stdout);
}

/* ---- Arguments ---- */

static int misuse(const char *word) {
    fprintf(stderr,
            "gpu_filters: %s?\nusage: gpu_filters [--device N] [--rows N] [--dimension D]... [--filter NAME]... "
            "[--peak N]... [--no-peak]\n",
            word);
    return 2;
}

static int add(list *to, const char *text) {
    if (to->n == MAX_LIST) return 0;
    to->values[to->n++] = (uint32_t)strtoul(text, NULL, 10);
    return to->values[to->n - 1] > 0;
}

static int want_filter(settings *out, const char *name) {
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        if (strcmp(name, pkin_i_gpu_filter_name((pkin_i_gpu_filter)f)) != 0) continue;
        out->wanted[f] = 1;
        return 1;
    }
    return 0;
}

static int read_words(int n_words, char **words, settings *out) {
    *out = (settings){.n_rows = 1 << 18};
    int has_peaks = 1;
    for (int w = 1; w < n_words; w++) {
        const char *word = words[w], *value = w + 1 < n_words ? words[w + 1] : NULL;
        int good = 1;
        if (strcmp(word, "--no-peak") == 0) {
            has_peaks = 0;
            continue;
        }
        if (!value) return misuse(word);
        if (strcmp(word, "--device") == 0) {
            out->device = atoi(value);
        } else if (strcmp(word, "--rows") == 0) {
            out->n_rows = (uint32_t)strtoul(value, NULL, 10);
            good = out->n_rows >= 2;
        } else if (strcmp(word, "--dimension") == 0) {
            good = add(&out->dimensions, value) && strtoul(value, NULL, 10) % PKIN_I_DIMENSION_STEP == 0;
        } else if (strcmp(word, "--peak") == 0) {
            good = add(&out->peaks, value);
        } else if (strcmp(word, "--filter") == 0) {
            good = want_filter(out, value);
        } else {
            return misuse(word);
        }
        if (!good) return misuse(value);
        w++;
    }
    if (out->dimensions.n == 0) out->dimensions = (list){3, {256, 512, 1024}};
    if (out->peaks.n == 0 && has_peaks) out->peaks = (list){2, {8192, 16384}};
    return 0;
}

/* ---- Rows ---- */

static void generate(bench *it) {
    pkin_generate_options options = pkin_generate_options_default();
    options.n_rows = it->settings->n_rows;
    fprintf(stderr, "generating %" PRIu64 " rows\n", options.n_rows);
    BENCH_TRY(pkin_vectors_generate(&options, &it->vectors));
    BENCH_TRY(pkin_i_sketch_column_weights_on(it->vectors, NULL, 4, &it->column_weights));
}

static double seconds_of_copies(bench *it, const void *host, void *device, uint64_t n_bytes) {
    double seconds = 0, best = 0;
    for (int r = 0; r < 3; r++) {
        const double began = bench_now();
        BENCH_TRY(it->driver->copy_up(it->queue, device, host, n_bytes));
        BENCH_TRY(it->driver->wait(it->queue));
        seconds = bench_now() - began;
        if (r == 0 || seconds < best) best = seconds;
    }
    return best;
}

/* Brings the rows up, once; and tells how fast bytes move, from pinned memory and from any other. */
static void bring_up(bench *it) {
    const pkin_vectors *v = it->vectors;
    const uint64_t n_entries = v->row_offsets[v->n_rows], n_bytes = 4 * n_entries;
    const uint64_t n_padded = (v->n_rows + PKIN_I_GPU_ROWS_STEP - 1) / PKIN_I_GPU_ROWS_STEP * PKIN_I_GPU_ROWS_STEP;
    uint32_t widest = 0;
    void *offsets, *columns, *weights, *pinned;
    for (int d = 0; d < it->settings->dimensions.n; d++) {
        if (it->settings->dimensions.values[d] > widest) widest = it->settings->dimensions.values[d];
    }
    BENCH_TRY(it->driver->allocate(it->gpu, 8 * (v->n_rows + 1), &offsets));
    BENCH_TRY(it->driver->allocate(it->gpu, n_bytes, &columns));
    BENCH_TRY(it->driver->allocate(it->gpu, n_bytes, &weights));
    BENCH_TRY(it->driver->allocate(it->gpu, n_padded * widest, &it->rows.sketches));
    BENCH_TRY(it->driver->allocate(it->gpu, 4 * n_padded, &it->rows.sums));
    BENCH_TRY(it->driver->allocate(it->gpu, 2 * v->n_columns, &it->buckets));
    it->capacity = v->n_rows < CAPACITY_MOST / 512 ? 512 * v->n_rows : CAPACITY_MOST;
    BENCH_TRY(it->driver->allocate(it->gpu, it->capacity * sizeof *it->found, &it->found));
    BENCH_TRY(it->driver->allocate(it->gpu, 2 * sizeof *it->counter, &it->counter));
    BENCH_TRY(it->driver->allocate_host(it->gpu, n_bytes, &pinned));
    memcpy(pinned, v->weights, n_bytes);
    BENCH_TRY(it->driver->copy_up(it->queue, offsets, v->row_offsets, 8 * (v->n_rows + 1)));
    const double any = seconds_of_copies(it, v->columns, columns, n_bytes);
    const double from_pinned = seconds_of_copies(it, pinned, weights, n_bytes);
    it->driver->release_host(it->gpu, pinned);
    printf(",\n \"copy_up\": {\"bytes\": %" PRIu64 ", \"pageable_bytes_per_second\": %.0f, "
           "\"pinned_bytes_per_second\": %.0f}",
           n_bytes, (double)n_bytes / any, (double)n_bytes / from_pinned);
    it->rows.n_rows = (uint32_t)v->n_rows;
    it->rows.offsets = offsets;
    it->rows.columns = columns;
    it->rows.weights = weights;
}

static void release_all(bench *it) {
    void *all[] = {(void *)(uintptr_t)it->rows.offsets,
                   (void *)(uintptr_t)it->rows.columns,
                   (void *)(uintptr_t)it->rows.weights,
                   it->rows.sketches,
                   it->rows.sums,
                   it->buckets,
                   it->found,
                   it->counter};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) it->driver->release(it->gpu, all[k]);
    it->driver->queue_close(it->queue);
    it->driver->close(it->gpu);
    pkin_vectors_free(it->vectors);
    pkin_i_free(it->column_weights);
}

static double marked_seconds(bench *it) {
    double seconds = 0;
    BENCH_TRY(it->driver->seconds_between_marks(it->queue, &seconds));
    return seconds;
}

/* Seconds of sketching all rows. */
static double sketch(bench *it, uint32_t dimension, pkin_i_gpu_coding coding) {
    pkin_i_sketch_map map = {0};
    int32_t *sums = it->rows.sums;
    BENCH_TRY(pkin_i_sketch_map_build(it->column_weights, it->vectors->n_columns, dimension, &map));
    BENCH_TRY(it->driver->copy_up(it->queue, it->buckets, map.buckets, 2 * it->vectors->n_columns));
    it->rows.dimension = dimension;
    it->rows.coding = coding;
    if (coding != PKIN_I_GPU_SHIFTED) it->rows.sums = NULL;
    BENCH_TRY(it->driver->mark(it->queue, 0));
    BENCH_TRY(it->driver->sketch(it->queue, &it->rows, it->buckets));
    BENCH_TRY(it->driver->mark(it->queue, 1));
    BENCH_TRY(it->driver->wait(it->queue));
    it->rows.sums = sums;
    pkin_i_sketch_map_free(&map);
    return marked_seconds(it);
}

/* ---- Filters ---- */

/* What one filter is run on. */
typedef struct job {
    pkin_i_gpu_filter filter;
    uint32_t dimension;
    int within;
    double cosine; /* 0: nothing passes */
    uint32_t size; /* rows, and columns */
} job;

static double n_pairs_of(const job *of) {
    const double n = of->size;
    return of->within ? n * (n - 1) / 2 : n * n;
}

/* Seconds of the device; *n_found receives how many pairs passed. */
static double filter_once(bench *it, const job *of, uint64_t *n_found) {
    pkin_i_gpu_rows rows = it->rows;
    if (rows.coding != PKIN_I_GPU_SHIFTED) rows.sums = NULL;
    pkin_i_gpu_filter_work work = {
        .filter = of->filter,
        .rows = &rows,
        .columns = &rows,
        .row_end = of->size,
        .column_begin = of->within ? 0 : rows.n_rows - of->size,
        .column_end = of->within ? of->size : rows.n_rows,
        .within = of->within,
        .limit = of->cosine > 0 ? pkin_i_gpu_limit(rows.coding, pkin_score_from_threshold(of->cosine)) : NOTHING_PASSES,
        .workspace = it->workspace,
        .workspace_bytes = it->driver->workspace_bytes(it->gpu, of->filter),
        .found = it->found,
        .capacity = it->capacity,
        .n_found = it->counter};
    BENCH_TRY(it->driver->fill(it->queue, it->counter, 0, sizeof *it->counter));
    BENCH_TRY(it->driver->mark(it->queue, 0));
    BENCH_TRY(it->driver->filter(it->queue, &work));
    BENCH_TRY(it->driver->mark(it->queue, 1));
    BENCH_TRY(it->driver->copy_down(it->queue, n_found, it->counter, sizeof *n_found));
    BENCH_TRY(it->driver->wait(it->queue));
    return marked_seconds(it);
}

static int compare_seconds(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The largest square, up to what there is, that takes about RUN_SECONDS. The rectangle's two sides stay apart. */
static uint32_t fitting_size(bench *it, job of) {
    const uint32_t most = of.within ? it->rows.n_rows : it->rows.n_rows / 2;
    uint64_t n_found;
    of.size = most < 4096 ? most : 4096;
    filter_once(it, &of, &n_found); /* the first run loads kernels and chooses algorithms */
    while (of.size < most && filter_once(it, &of, &n_found) < RUN_SECONDS) {
        of.size = of.size > most / 2 ? most : 2 * of.size;
    }
    return of.size;
}

static void measure_filter(bench *it, job of) {
    double seconds[N_RUNS];
    uint64_t n_found = 0;
    of.size = fitting_size(it, of);
    filter_once(it, &of, &n_found);
    for (int r = 0; r < N_RUNS; r++) seconds[r] = filter_once(it, &of, &n_found);
    qsort(seconds, N_RUNS, sizeof *seconds, compare_seconds);
    const double median = seconds[N_RUNS / 2], operations = 2 * n_pairs_of(&of) * of.dimension;
    const double rate = median > 0 ? operations / median : 0;
    next(it);
    printf("{\"filter\": \"%s\", \"dimension\": %" PRIu32 ", \"shape\": \"%s\", \"cosine\": %g, \"rows\": %" PRIu32
           ", \"found\": %" PRIu64 ", \"seconds\": %.9f, \"fastest_seconds\": %.9f, \"tops\": %.3f",
           pkin_i_gpu_filter_name(of.filter), of.dimension, of.within ? "triangle" : "rectangle", of.cosine, of.size,
           n_found, median, seconds[0], rate * 1e-12);
    if (it->peak > 0) printf(", \"share_of_peak\": %.4f", rate / it->peak);
    fputs("}", stdout);
    fprintf(stderr, "%-7s d %4" PRIu32 " %-9s cosine %.1f: %8.1f TOPS\n", pkin_i_gpu_filter_name(of.filter),
            of.dimension, of.within ? "triangle" : "rectangle", of.cosine, rate * 1e-12);
}

static int is_wanted(const bench *it, int filter) {
    int any = 0;
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) any |= it->settings->wanted[f];
    return it->info.has_filter[filter] && (!any || it->settings->wanted[filter]);
}

static void measure_filters(bench *it) {
    begin_array(it, "filters");
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        const pkin_i_gpu_filter filter = (pkin_i_gpu_filter)f;
        if (!is_wanted(it, f)) continue;
        const uint64_t n_bytes = it->driver->workspace_bytes(it->gpu, filter);
        if (n_bytes) BENCH_TRY(it->driver->allocate(it->gpu, n_bytes, &it->workspace));
        for (int d = 0; d < it->settings->dimensions.n; d++) {
            const uint32_t dimension = it->settings->dimensions.values[d];
            sketch(it, dimension, pkin_i_gpu_coding_of(filter));
            for (int within = 0; within < 2; within++) {
                measure_filter(it, (job){filter, dimension, within, 0, 0});
                measure_filter(it, (job){filter, dimension, within, COSINE, 0});
            }
        }
        it->driver->release(it->gpu, it->workspace);
        it->workspace = NULL;
    }
    fputs("]", stdout);
}

/* ---- The rest ---- */

static void measure_sketches(bench *it) {
    begin_array(it, "sketches");
    for (int d = 0; d < it->settings->dimensions.n; d++) {
        const uint32_t dimension = it->settings->dimensions.values[d];
        double best = 0;
        for (int r = 0; r < 3; r++) {
            double seconds = sketch(it, dimension, PKIN_I_GPU_PLAIN);
            if (r == 0 || seconds < best) best = seconds;
        }
        next(it);
        printf("{\"dimension\": %" PRIu32 ", \"rows\": %" PRIu32 ", \"seconds\": %.9f, \"rows_per_second\": %.0f}",
               dimension, it->rows.n_rows, best, best > 0 ? it->rows.n_rows / best : 0);
    }
    fputs("]", stdout);
}

/* Candidates as the plain filter leaves them, scored as in a join. */
static void measure_scoring(bench *it) {
    const uint32_t dimension = it->settings->dimensions.values[0];
    uint64_t n = 0;
    pkin_pair *pairs = NULL;
    double seconds[N_RUNS];
    uint64_t told[2] = {0, 0};
    sketch(it, dimension, PKIN_I_GPU_PLAIN);
    job of = {PKIN_I_GPU_FILTER_DP4A, dimension, 1, SCORED_COSINE, it->rows.n_rows};
    while (filter_once(it, &of, &n), n > it->capacity && of.size > 256) of.size /= 2;
    if (n > it->capacity) n = it->capacity;
    if (n == 0) return;
    BENCH_TRY(it->driver->allocate(it->gpu, n * sizeof *pairs, &pairs));
    pkin_i_gpu_rows rows = it->rows;
    rows.sums = NULL;
    const pkin_i_gpu_score_work work = {.rows = &rows,
                                        .columns = &rows,
                                        .candidates = it->found,
                                        .n_candidates = n,
                                        .min_score = pkin_score_from_threshold(SCORED_COSINE),
                                        .pairs = pairs,
                                        .n_pairs = it->counter + 1};
    for (int r = -1; r < N_RUNS; r++) {
        BENCH_TRY(it->driver->fill(it->queue, it->counter, 0, 2 * sizeof *it->counter));
        BENCH_TRY(it->driver->mark(it->queue, 0));
        BENCH_TRY(it->driver->score(it->queue, &work));
        BENCH_TRY(it->driver->mark(it->queue, 1));
        BENCH_TRY(it->driver->copy_down(it->queue, told, it->counter, sizeof told));
        BENCH_TRY(it->driver->wait(it->queue));
        if (r >= 0) seconds[r] = marked_seconds(it);
    }
    it->driver->release(it->gpu, pairs);
    qsort(seconds, N_RUNS, sizeof *seconds, compare_seconds);
    const double median = seconds[N_RUNS / 2], rate = median > 0 ? (double)n / median : 0;
    const uint64_t n_entries = it->vectors->row_offsets[it->vectors->n_rows];
    printf(",\n \"scoring\": {\"candidates\": %" PRIu64 ", \"pairs\": %" PRIu64 ", \"mean_terms\": %.2f, "
           "\"seconds\": %.9f, \"candidates_per_second\": %.0f}",
           n, told[1], (double)n_entries / (double)it->vectors->n_rows, median, rate);
    fprintf(stderr, "scoring: %.3g candidates a second\n", rate);
}

static void measure_peak(bench *it) {
    begin_array(it, "peaks");
    for (int p = 0; p < it->settings->peaks.n; p++) {
        int8_peak peak;
        char why[256];
        next(it);
        if (int8_peak_measure(it->settings->device, (int)it->settings->peaks.values[p], &peak, why, sizeof why)) {
            printf("{\"n\": %d, \"seconds\": %.9f, \"algorithms\": %d, \"tops\": %.3f}", peak.n, peak.seconds,
                   peak.n_algorithms, peak.operations_per_second * 1e-12);
            fprintf(stderr, "cuBLASLt %d^3: %.1f TOPS\n", peak.n, peak.operations_per_second * 1e-12);
            if (peak.operations_per_second > it->peak) it->peak = peak.operations_per_second;
        } else {
            printf("{\"n\": %d, \"missing\": \"", peak.n);
            for (const char *c = why; *c; c++) putchar(*c == '"' || *c == '\\' || (unsigned char)*c < ' ' ? ' ' : *c);
            fputs("\"}", stdout);
            fprintf(stderr, "cuBLASLt %d^3: %s\n", peak.n, why);
        }
    }
    fputs("]", stdout);
}

int main(int n_words, char **words) {
    settings wanted;
    int wrong = read_words(n_words, words, &wanted), n_devices = 0;
    if (wrong) return wrong;
    bench it = {.settings = &wanted, .driver = gpu_measured_driver};
    if (it.driver->count(&n_devices) != PKIN_OK || n_devices == 0) {
        fprintf(stderr, "gpu_filters: no device%s%s\n", *pkin_last_error() ? ": " : "", pkin_last_error());
        return SKIPPED;
    }
    BENCH_TRY(it.driver->info(wanted.device, &it.info));
    BENCH_TRY(it.driver->open(wanted.device, &it.gpu));
    BENCH_TRY(it.driver->queue_open(it.gpu, &it.queue));
    printf("{\"program\": \"gpu_filters\", \"paperkin\": \"%s\", \"device\": \"%s\", \"capability\": \"%d.%d\", "
           "\"processors\": %d, \"memory_bytes\": %" PRIu64 ", \"driver\": %d, \"runtime\": %d",
           pkin_version(), it.info.name, it.info.major, it.info.minor, it.info.n_processors, it.info.memory_bytes,
           it.info.driver_version, it.info.runtime_version);
    measure_peak(&it);
    generate(&it);
    bring_up(&it);
    measure_sketches(&it);
    measure_filters(&it);
    measure_scoring(&it);
    fputs("}\n", stdout);
    release_all(&it);
    return 0;
}
