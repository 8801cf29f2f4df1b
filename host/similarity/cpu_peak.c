/* SPDX-License-Identifier: Apache-2.0 */
#include <omp.h>

#include "base/failure.h"
#include "paperkin/backend.h"
#include "similarity/crew.h"
#include "similarity/cpu_filter.h"

/*
 * How fast the filters' instructions go when nothing else is in their way: many independent sums in registers, more
 * than an instruction's latency has room for, and operands that never leave theirs.
 */
typedef struct peak_loop {
    void (*run)(uint64_t n_rounds);
    double operations; /* multiplications and additions of a round */
    void (*begin)(void);
    void (*end)(void);
} peak_loop;

/* What the loops leave, so that compilers do not leave them out. */
static _Thread_local volatile int32_t result;

/* What compilers make of plain C, on two sketches in the first-level cache. */
enum { PORTABLE_BYTES = 1024 };

static void run_portable(uint64_t n_rounds) {
    uint8_t x[PORTABLE_BYTES], y[PORTABLE_BYTES];
    const uint8_t *volatile operand = y; /* read again in every round: else all rounds were the same one */
    uint32_t total = 0;
    for (int k = 0; k < PORTABLE_BYTES; k++) x[k] = y[k] = (uint8_t)(k + result);
    for (uint64_t round = 0; round < n_rounds; round++) {
        const uint8_t *other = operand;
        uint32_t sum = 0;
        for (int k = 0; k < PORTABLE_BYTES; k++) sum += (uint16_t)(x[k] * other[k]);
        total ^= sum;
    }
    result = (int32_t)total;
}

static const peak_loop portable = {run_portable, 2.0 * PORTABLE_BYTES, NULL, NULL};

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#include "similarity/cpu_amx_tiles.h"

/* Assembly, since compilers would see that all rounds multiply the same. */
#define TWELVE(use) use(0) use(1) use(2) use(3) use(4) use(5) use(6) use(7) use(8) use(9) use(10) use(11)
#define ADD_UP(k) total = _mm256_add_epi32(total, sum##k);
#define NAMED_256(k) __m256i sum##k = _mm256_setzero_si256();
#define WORDS_256(k)                                                                                                   \
    __asm__ volatile("vpmaddwd %2, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum##k), "=&x"(product) : "x"(operand));
#define BYTES_256(k) __asm__ volatile("%{vex%} vpdpbusd %1, %1, %0" : "+x"(sum##k) : "x"(operand));
#define BYTES_512(k) __asm__ volatile("vpdpbusd %1, %1, %0" : "+v"(sum##k) : "v"(operand));
#define NAMED_512(k) __m512i sum##k = _mm512_setzero_si512();
#define ADD_UP_512(k) total = _mm512_add_epi32(total, sum##k);

static __attribute__((target("avx2"))) void run_avx2(uint64_t n_rounds) {
    const __m256i operand = _mm256_set1_epi8(3);
    __m256i product, total = operand;
    TWELVE(NAMED_256)
    for (uint64_t round = 0; round < n_rounds; round++) {
        TWELVE(WORDS_256)
    }
    TWELVE(ADD_UP)
    result = _mm_cvtsi128_si32(_mm256_castsi256_si128(total));
}

static __attribute__((target("avx2"))) void run_avx_vnni(uint64_t n_rounds) {
    const __m256i operand = _mm256_set1_epi8(3);
    __m256i total = operand;
    TWELVE(NAMED_256)
    for (uint64_t round = 0; round < n_rounds; round++) {
        TWELVE(BYTES_256)
    }
    TWELVE(ADD_UP)
    result = _mm_cvtsi128_si32(_mm256_castsi256_si128(total));
}

static __attribute__((target("avx512f"))) void run_avx512(uint64_t n_rounds) {
    const __m512i operand = _mm512_set1_epi8(3);
    __m512i total = operand;
    TWELVE(NAMED_512)
    for (uint64_t round = 0; round < n_rounds; round++) {
        TWELVE(BYTES_512)
    }
    TWELVE(ADD_UP_512)
    result = _mm_cvtsi128_si32(_mm512_castsi512_si128(total));
}

static TILES_TARGET void begin_amx(void) {
    TILES_BEGIN();
}

static TILES_TARGET void end_amx(void) {
    TILES_END();
}

/* Tiles are zero after their configuration: time does not depend on what is multiplied. */
static TILES_TARGET void run_amx(uint64_t n_rounds) {
    for (uint64_t round = 0; round < n_rounds; round++) {
        TILE_MULTIPLY(0, 6, 7);
        TILE_MULTIPLY(1, 6, 7);
        TILE_MULTIPLY(2, 6, 7);
        TILE_MULTIPLY(3, 6, 7);
        TILE_MULTIPLY(4, 6, 7);
        TILE_MULTIPLY(5, 6, 7);
    }
}

/* An instruction's products: 2 operations each. */
static const peak_loop avx2 = {run_avx2, 12 * 16 * 2.0, NULL, NULL};
static const peak_loop avx_vnni = {run_avx_vnni, 12 * 32 * 2.0, NULL, NULL};
static const peak_loop avx512 = {run_avx512, 12 * 64 * 2.0, NULL, NULL};
static const peak_loop amx = {run_amx, 6 * 16 * 16 * 64 * 2.0, begin_amx, end_amx};

/* With the instruction of the filter that the level has. */
static const peak_loop *loop_for(pkin_i_isa isa) {
    const pkin_i_filter *filter = pkin_i_filter_for(isa);
    if (filter == &pkin_i_filter_amx) return &amx;
    if (filter == &pkin_i_filter_avx512) return &avx512;
    if (filter == &pkin_i_filter_avx_vnni) return &avx_vnni;
    return filter == &pkin_i_filter_avx2 ? &avx2 : &portable;
}

#else

static const peak_loop *loop_for(pkin_i_isa isa) {
    (void)isa;
    return &portable;
}

#endif

/* Operations a second of one thread over `n_rounds` rounds. */
static double thread_rate(const peak_loop *loop, uint64_t n_rounds) {
    const double begin = pkin_i_seconds_now();
    loop->run(n_rounds);
    const double elapsed = pkin_i_seconds_now() - begin;
    return elapsed > 0 ? loop->operations * (double)n_rounds / elapsed : 0;
}

/* The same of all threads together, which start at once: the sum of their rates. */
static double team_rate(const peak_loop *loop, int n_threads, uint64_t n_rounds) {
    double rate = 0;
#pragma omp parallel num_threads(n_threads) reduction(+ : rate)
    {
        if (loop->begin) loop->begin();
#pragma omp barrier
        rate += thread_rate(loop, n_rounds);
        if (loop->end) loop->end();
    }
    return rate;
}

/* Rounds that take about `seconds`; the processor reaches its frequency meanwhile. */
static uint64_t rounds_for(const peak_loop *loop, double seconds) {
    uint64_t n_rounds = 4096;
    for (int k = 0; k < 3; k++) {
        const double wanted = team_rate(loop, 1, n_rounds) * seconds / loop->operations;
        if (wanted > (double)n_rounds) n_rounds = wanted < 1e15 ? (uint64_t)wanted : UINT64_C(1000000000000000);
    }
    return n_rounds;
}

/* The best of some windows, since on a busy machine most are disturbed. */
double pkin_i_filter_peak(pkin_i_isa isa, int n_threads, double seconds) {
    enum { N_WINDOWS = 12 };
    const peak_loop *loop = loop_for(isa);
    const uint64_t n_rounds = rounds_for(loop, seconds / (N_WINDOWS + 3));
    double best = 0;
    for (int k = 0; k < N_WINDOWS; k++) {
        const double rate = team_rate(loop, n_threads, n_rounds);
        if (rate > best) best = rate;
    }
    return best;
}

pkin_status pkin_backend_peak(const char *instruction_set, int n_threads, double *out_operations_per_second,
                              const char **out_name) {
    enum { THREADS_MAX = 1024 };
    const double seconds = 0.3;
    pkin_status status;
    pkin_i_isa isa;
    PKIN_REQUIRE(out_operations_per_second, PKIN_ERROR_INVALID_ARGUMENT,
                 "peak: a place for the operations a second is needed");
    PKIN_REQUIRE(n_threads >= 0 && n_threads <= THREADS_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                 "peak: %d threads; 0 (all) to %d can be asked for", n_threads, THREADS_MAX);
    PKIN_TRY(pkin_i_isa_find(instruction_set, &isa));
    *out_operations_per_second = pkin_i_filter_peak(isa, n_threads ? n_threads : omp_get_max_threads(), seconds);
    if (out_name) *out_name = pkin_i_isa_name(isa);
out:
    return status;
}
