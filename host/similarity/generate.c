/* SPDX-License-Identifier: Apache-2.0 */
#include "paperkin/generate.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/failure.h"
#include "base/hash.h"
#include "base/take_options.h"
#include "similarity/crew.h"
#include "vector/log.h"
#include "vector/matrix.h"

/*
 * How a row comes about. A row is a number of points, each of which is a term; a term that is hit more than once has a
 * higher tf. Most points fall on the whole vocabulary by a law of frequencies, the others on the terms of the row's
 * field, of its topic and of a second topic, which a row holds on to more or less.
 *
 * Points are stratified: point i of n lies at a random place in the i-th of n equal parts of the probability, and the
 * columns share the probability out in ascending order. So entries come out sorted, and no row is ever sorted. Frequent
 * columns are spread over the whole range, as in a vocabulary in byte order.
 *
 * Waves of rows are drawn into a buffer and then moved to where they belong, so that memory is 8 bytes an entry and
 * little more. When all are drawn, document frequencies are known, and each row is weighed where it stands. No thread's
 * schedule can show: counts are integers, and each row comes from the seed and its number.
 *
 * The constants were fitted to 66,454 titles and abstracts of arXiv papers (docs/cli.md tells how near it comes).
 */

enum {
    TERMS_MAX = 4096,     /* options->mean_terms; keeps a row's sum of squares below 2^64 */
    TF_MAX = 31,          /* the same */
    TOPICS_MAX = 1 << 20, /* of 1 KB */
    ROW_POINTS_RATIO = 3, /* no row has more points than so many times mean_terms, plus ROW_POINTS_SPARE */
    ROW_POINTS_SPARE = 16,
    CHUNK_ENTRIES = 65536, /* at most, of what a thread takes at a time: half a MB */
    WAVE_CHUNKS = 32,      /* for each thread, until the entries go to their places */
    N_FIELDS = 24,
    FIELD_SLOTS = 1024, /* equally probable places of a field, and of a topic: a term has one or more of them */
    TOPIC_SLOTS = 256,
    SLOT_BITS = 17,
    WORDS_AHEAD = 8, /* columns that are on the way from memory */
    N_SLOTS = 1 << SLOT_BITS,
    SLOT_SHIFT = 64 - SLOT_BITS,
    THREADS_MAX = 1024
};

/* An entry while it is drawn: column in the upper half, tf in the lower. */
typedef uint64_t draft;
#define DRAFT_END UINT64_MAX /* sorts behind every entry */

static inline draft draft_of(uint32_t column, uint32_t tf) {
    return (uint64_t)column << 32 | tf;
}

/* One thread's memory. */
typedef struct scratch {
    draft *points; /* of one stream */
    draft *row;    /* what is merged so far */
    draft *merged;
    uint32_t *df; /* by column; rows that this thread has counted */
} scratch;

/*
 * Columns in ascending order share out the probability, 2^64 in all. It is cut into 2^SLOT_BITS equal slots: most
 * points lie in a slot of one column, for the others the column is searched for among those of the slot.
 */
typedef struct vocabulary {
    uint32_t *slots;  /* the column in which a slot begins; the next slot's is the one in which it ends */
    uint32_t *bounds; /* where a column begins, in 2^-32 of the slot in which it does */
} vocabulary;

typedef struct generator {
    pkin_generate_options options;
    uint32_t n_columns, n_topics;
    int n_threads;
    uint64_t copy_below, change_below; /* of 2^32: a draw below copies, or changes */
    vocabulary words;
    uint8_t tf_of_byte[256];
    uint32_t *fields;   /* N_FIELDS x FIELD_SLOTS columns, ascending in each */
    uint32_t *topics;   /* n_topics x TOPIC_SLOTS columns */
    scratch *scratches; /* one a thread */
    uint32_t *idf;      /* by column, in units of 2^-16 */
    pkin_vectors *vectors;
    size_t capacity;       /* of its entries */
    size_t row_points_max; /* no row has more */
    uint64_t chunk_rows;   /* what a thread takes at a time */
    uint64_t n_wave_chunks;
    draft *wave; /* n_wave_chunks x chunk_rows x row_points_max: the rows of a wave before their place is known */
    uint64_t *chunk_entries; /* of the wave's chunks: how many entries; then, where they go */
    uint64_t wave_first;     /* row */
} generator;

/* Of a row's points; what is left falls on the whole vocabulary. */
static const double FIELD_SHARE = 0.22;
static const double TOPIC_SHARE_LEAST = 0.08, TOPIC_SHARE_RANGE = 0.38; /* few rows keep to their topic so much */
static const double SECOND_SHARE_MOST = 0.2;
static const double POINTS_PER_TERM = 1.09; /* points that meet are one term */

/* ---- Random numbers ---- */

/* Number k of stream s is a hash of (s, k): Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
   2014, with another finaliser. */
typedef struct stream {
    uint64_t state;
} stream;

enum purpose { PURPOSE_KIND, PURPOSE_ROW, PURPOSE_CHANGES, PURPOSE_FIELD, PURPOSE_TOPIC };

static inline stream stream_open(uint64_t seed, enum purpose purpose, uint64_t number) {
    stream s = {
        pkin_i_hash_u64(pkin_i_hash_u64(seed + (uint64_t)purpose) ^ (number + 1) * UINT64_C(0x9e3779b97f4a7c15))};
    return s;
}

static inline uint64_t next(stream *s) {
    s->state += UINT64_C(0x9e3779b97f4a7c15);
    return pkin_i_hash_u64(s->state);
}

/* Uniform in [0, n), n < 2^32. */
static inline uint32_t next_below(stream *s, uint64_t n) {
    return (uint32_t)((next(s) >> 32) * n >> 32);
}

/* Uniform in [0, 1). */
static inline double next_share(stream *s) {
    return (double)(next(s) >> 11) * 0x1p-53;
}

/* ---- The vocabulary ---- */

/* x^(1/2^n): powers whose exponents are sums of such need no pow(), whose bits differ between libraries. */
static double root_of_order(double x, int n) {
    for (int k = 0; k < n; k++) x = sqrt(x);
    return x;
}

/*
 * How often the term of a rank (from 0) stands in a row, up to a factor: shifted Zipf with exponent 1/2 for the first
 * some hundred and 1/2 + 11/8 in the tail. Source of the two regimes: Ferrer i Cancho and Sole, "Two regimes in the
 * frequency of words and the origins of complex lexicons", 2001.
 */
static double rank_frequency(uint64_t rank) {
    double bend = 1 + (double)rank / 1100.0;
    double power = bend * root_of_order(bend, 2) * root_of_order(bend, 3); /* ^(1 + 1/4 + 1/8) */
    return 1 / (sqrt((double)rank + 2) * power);
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Ranks are spread over the columns in steps of about the golden section: a bijection that leaves no cluster. */
static uint64_t rank_step(uint64_t n_columns) {
    uint64_t step = (uint64_t)((double)n_columns * 0.6180339887498949) | 1;
    while (common_divisor(step, n_columns) != 1) step++;
    return step;
}

static inline uint32_t column_of_rank(const generator *g, uint64_t rank, uint64_t step) {
    return (uint32_t)((rank + 1) * step % g->n_columns);
}

static pkin_status make_vocabulary(generator *g) {
    pkin_status status;
    const uint64_t n = g->n_columns, step = rank_step(n);
    double *masses = NULL, total = 0, before = 0;
    PKIN_TRY(pkin_i_allocate(N_SLOTS + 1, sizeof *g->words.slots, &g->words.slots));
    PKIN_TRY(pkin_i_allocate(n, sizeof *g->words.bounds, &g->words.bounds));
    PKIN_TRY(pkin_i_allocate(n, sizeof *masses, &masses));
    for (uint64_t rank = 0; rank < n; rank++) {
        masses[column_of_rank(g, rank, step)] = rank_frequency(rank);
        total += rank_frequency(rank);
    }
    uint64_t slot = 0;
    for (uint64_t c = 0; c < n; c++) {
        /* Below 1, whatever the last additions were rounded to. */
        const double share = before / total < 1 ? before / total : 0x1.fffffffffffffp-1;
        const uint64_t begin = (uint64_t)(share * 0x1p64);
        g->words.bounds[c] = (uint32_t)(begin >> (SLOT_SHIFT - 32));
        for (; c > 0 && slot < N_SLOTS && slot << SLOT_SHIFT <= begin; slot++) g->words.slots[slot] = (uint32_t)(c - 1);
        before += masses[c];
    }
    while (slot <= N_SLOTS) g->words.slots[slot++] = (uint32_t)(n - 1);
out:
    pkin_i_free(masses);
    return status;
}

/* The column at place x: the last one that begins there or before. */
static inline uint32_t find_column(const vocabulary *words, uint64_t x) {
    const uint32_t *slot = words->slots + (x >> SLOT_SHIFT), within = (uint32_t)(x >> (SLOT_SHIFT - 32));
    uint32_t first = slot[0], n = slot[1] - slot[0] + 1;
    while (n > 1) { /* all but the first begin in this slot */
        const uint32_t half = n / 2, at = first + half;
        first = words->bounds[at] <= within ? at : first;
        n -= half;
    }
    return first;
}

/* ---- Fields and topics ---- */

static void sort_columns(uint32_t *columns, size_t n) {
    for (size_t k = 1; k < n; k++) {
        uint32_t column = columns[k];
        size_t at = k;
        for (; at > 0 && columns[at - 1] > column; at--) columns[at] = columns[at - 1];
        columns[at] = column;
    }
}

/* A rank in [first, last), as probable in each octave: neither stop words nor only what nobody ever says. */
static uint64_t draw_rank(stream *s, uint64_t first, uint64_t last) {
    int low = 0, high = 0;
    while (first >> (low + 1)) low++;
    while (last >> (high + 1)) high++;
    uint64_t rank = first;
    for (int attempt = 0; attempt < 16; attempt++) {
        int octave = low + (int)next_below(s, (uint64_t)(high - low + 1));
        rank = (UINT64_C(1) << octave) + next_below(s, UINT64_C(1) << octave);
        if (rank >= first && rank < last) return rank;
    }
    return first < last ? first : last - 1;
}

/* Terms of a field or topic: of ranks in [first, last), the k-th with weight / (k + shift) of the slots or one. */
typedef struct slot_law {
    uint64_t first_rank, last_rank;
    uint32_t weight, shift, n_slots;
} slot_law;

static void fill_slots(const generator *g, stream s, const slot_law *law, uint32_t *slots) {
    const uint64_t step = rank_step(g->n_columns);
    uint32_t at = 0;
    for (uint32_t k = 0; at < law->n_slots; k++) {
        uint32_t column = column_of_rank(g, draw_rank(&s, law->first_rank, law->last_rank), step);
        uint32_t n = law->weight / (k + law->shift);
        for (n = n ? n : 1; n > 0 && at < law->n_slots; n--) slots[at++] = column;
    }
    sort_columns(slots, law->n_slots);
}

static pkin_status make_topics(generator *g) {
    pkin_status status;
    const uint64_t n = g->n_columns;
    PKIN_TRY(pkin_i_allocate((size_t)N_FIELDS * FIELD_SLOTS, sizeof *g->fields, &g->fields));
    PKIN_TRY(pkin_i_allocate((size_t)g->n_topics * TOPIC_SLOTS, sizeof *g->topics, &g->topics));
    for (uint64_t f = 0; f < N_FIELDS; f++) {
        const slot_law law = {n < 2048 ? n / 32 : 64, n < 16384 ? n : 4096, 300, 4, FIELD_SLOTS};
        fill_slots(g, stream_open(g->options.seed, PURPOSE_FIELD, f), &law, g->fields + f * FIELD_SLOTS);
    }
#pragma omp parallel for schedule(static) num_threads(g->n_threads)
    for (uint64_t t = 0; t < g->n_topics; t++) {
        const slot_law law = {n < 2048 ? n / 16 : 128, n < 16384 ? n : n / 4, 80, 3, TOPIC_SLOTS};
        fill_slots(g, stream_open(g->options.seed, PURPOSE_TOPIC, t), &law, g->topics + t * TOPIC_SLOTS);
    }
out:
    return status;
}

/* ---- Points ---- */

/* A term that is not the row's theme is said once, mostly: the shares, of 256, as in real abstracts. */
static void make_tf(generator *g) {
    static const uint8_t above[] = {208, 236, 246, 250, 252, 253, 254, 255};
    for (unsigned byte = 0; byte < 256; byte++) {
        g->tf_of_byte[byte] = 1;
        for (size_t k = 0; k < sizeof above; k++)
            g->tf_of_byte[byte] = (uint8_t)(g->tf_of_byte[byte] + (byte >= above[k]));
    }
}

static inline void prefetch(const void *address) {
#if defined(__GNUC__)
    __builtin_prefetch(address);
#else
    (void)address;
#endif
}

/* Points come in ascending order: those on one column are one entry. No branch, which could not be foretold. */
typedef struct emitter {
    draft *out;
    size_t n;
    uint32_t column, tf; /* of the last entry */
} emitter;

static inline emitter emit_begin(draft *out) {
    return (emitter){out, 0, UINT32_MAX, 0};
}

static inline void emit(emitter *e, uint32_t column, uint32_t tf) {
    const uint32_t is_new = column != e->column;
    e->tf = tf + (is_new ? 0 : e->tf);
    e->n += is_new;
    e->column = column;
    e->out[e->n - 1] = draft_of(column, e->tf);
}

static inline void emit_end(emitter *e) {
    e->out[e->n] = DRAFT_END;
}

/*
 * `n_points` on the whole vocabulary. DRAFT_END stands behind the entries. The places come first, so that their slots
 * are on the way from memory together; the entries then take their room, which is never behind the place at work.
 */
static void draw_words(const generator *g, stream *s, uint64_t n_points, draft *out) {
    const uint64_t part = n_points ? UINT64_MAX / n_points : 0;
    emitter e = emit_begin(out);
    for (uint64_t i = 0; i < n_points; i++) {
        out[i] = i * part + (uint64_t)((unsigned __int128)part * next(s) >> 64);
        prefetch(g->words.slots + (out[i] >> SLOT_SHIFT));
    }
    for (uint64_t i = 0; i < n_points; i++) {
        const uint64_t x = out[i];
        if (i + WORDS_AHEAD < n_points) prefetch(g->words.bounds + g->words.slots[out[i + WORDS_AHEAD] >> SLOT_SHIFT]);
        emit(&e, find_column(&g->words, x), g->tf_of_byte[x & 0xff]);
    }
    emit_end(&e);
}

/* The same on 2^bits slots of one column. */
static void draw_slots(const uint32_t *slots, int bits, stream *s, uint64_t n_points, draft *out) {
    const uint64_t part = n_points ? (UINT64_C(1) << 32) / n_points : 0;
    emitter e = emit_begin(out);
    uint64_t random = 0;
    for (uint64_t i = 0; i < n_points; i++) {
        random = i & 1 ? random >> 32 : next(s);
        const uint64_t x = i * part + (part * (uint32_t)random >> 32);
        emit(&e, slots[x >> (32 - bits)], 1);
    }
    emit_end(&e);
}

/* Two lists that end in DRAFT_END into one; tf of shared columns are added. Without a branch on columns, as above. */
static size_t merge(const draft *a, const draft *b, draft *out) {
    draft *at = out;
    for (; (*a & *b) != DRAFT_END; at++) {
        const uint64_t next_a = *a, next_b = *b;
        const uint64_t column_a = next_a >> 32, column_b = next_b >> 32;
        const uint64_t low = next_a < next_b ? next_a : next_b, high = next_a ^ next_b ^ low;
        const uint64_t shared = -(uint64_t)(column_a == column_b);
        *at = low + (high & shared & UINT32_MAX);
        a += column_a <= column_b;
        b += column_b <= column_a;
    }
    *at = DRAFT_END;
    return (size_t)(at - out);
}

static size_t merge_points(scratch *s) {
    size_t n = merge(s->row, s->points, s->merged);
    draft *row = s->row;
    s->row = s->merged;
    s->merged = row;
    return n;
}

/* ---- Rows ---- */

/* Lengths between 0.4 and 1.6 times the mean, in the middle mostly: the sum of three uniform numbers. */
static uint64_t draw_n_points(const generator *g, stream *s) {
    uint64_t bits = next(s);
    double sum = (double)(bits & 0xffff) + (double)(bits >> 16 & 0xffff) + (double)(bits >> 32 & 0xffff);
    double factor = 0.4 + sum * (1.2 / (3 * 65535.0));
    uint64_t n = (uint64_t)(g->options.mean_terms * POINTS_PER_TERM * factor + 0.5);
    return n ? n : 1;
}

/* A row of its own. */
static size_t draw_row(const generator *g, uint64_t row, scratch *s) {
    stream random = stream_open(g->options.seed, PURPOSE_ROW, row);
    const uint64_t n_points = draw_n_points(g, &random);
    /* Some topics are larger than others, and a few rows keep to one far more than most. */
    double u = next_share(&random), v = next_share(&random), strong = next_share(&random), other = next_share(&random);
    uint64_t topic = (uint64_t)(u * u * (g->n_topics - 0.5)), second = (uint64_t)(v * v * (g->n_topics - 0.5));
    uint64_t n_topic = (uint64_t)((double)n_points * (TOPIC_SHARE_LEAST + TOPIC_SHARE_RANGE * strong * strong));
    uint64_t n_second = (uint64_t)((double)n_points * SECOND_SHARE_MOST * other);
    uint64_t n_field = (uint64_t)((double)n_points * FIELD_SHARE);
    if (n_topic + n_second + n_field >= n_points) n_topic = n_second = n_field = 0;

    draw_slots(g->fields + topic % N_FIELDS * FIELD_SLOTS, 10, &random, n_field, s->row);
    draw_slots(g->topics + topic * TOPIC_SLOTS, 8, &random, n_topic, s->points);
    merge_points(s);
    draw_slots(g->topics + second * TOPIC_SLOTS, 8, &random, n_second, s->points);
    merge_points(s);
    draw_words(g, &random, n_points - n_topic - n_second - n_field, s->points);
    return merge_points(s);
}

/* A row's entries with some left out and others in their place. */
static size_t change_row(const generator *g, uint64_t row, size_t n, scratch *s) {
    stream random = stream_open(g->options.seed, PURPOSE_CHANGES, row);
    uint32_t dropped_below = 5 + next_below(&random, 80); /* of 256: 2 to 33% */
    size_t n_kept = 0;
    for (size_t k = 0; k < n; k++) {
        s->row[n_kept] = s->row[k];
        n_kept += (next(&random) >> 56) >= dropped_below;
    }
    s->row[n_kept] = DRAFT_END;
    draw_words(g, &random, n - n_kept, s->points);
    return merge_points(s);
}

typedef enum row_kind { KIND_OWN, KIND_NEAR_COPY, KIND_COPY } row_kind;

/* `*source`: an earlier row, where it is one that copies. */
static row_kind kind_of(const generator *g, uint64_t row, uint64_t *source) {
    stream random = stream_open(g->options.seed, PURPOSE_KIND, row);
    uint64_t draw = next(&random) >> 32;
    if (row == 0 || draw >= g->change_below) return KIND_OWN;
    *source = next_below(&random, row);
    return draw < g->copy_below ? KIND_COPY : KIND_NEAR_COPY;
}

/* The entries of a row in s->row. A near-copy changes the row that its source goes back to; expected O(1) steps for
   the usual shares, O(log row) for any. */
static size_t draft_row(const generator *g, uint64_t row, scratch *s) {
    row_kind kind;
    uint64_t origin, changed = row;
    while ((kind = kind_of(g, changed, &origin)) == KIND_COPY) changed = origin;
    if (kind == KIND_OWN) return draw_row(g, changed, s);
    for (uint64_t source = origin; kind_of(g, source, &origin) != KIND_OWN; origin = source) source = origin;
    size_t n = draw_row(g, origin, s);
    return change_row(g, changed, n, s);
}

/* ---- Drawing the rows ---- */

/* A chunk's rows in its part of the wave; row_offsets[row + 1] holds how many entries the row has. */
static pkin_status draw_chunk(pkin_i_crew *crew, void *user, int thread, uint64_t chunk) {
    const generator *g = user;
    scratch own = g->scratches[thread]; /* a copy: its buffers change places */
    const uint64_t first = g->wave_first + chunk * g->chunk_rows, left = g->options.n_rows - first;
    const uint64_t n_rows = left < g->chunk_rows ? left : g->chunk_rows;
    draft *begin = g->wave + chunk * g->chunk_rows * g->row_points_max, *at = begin;
    for (uint64_t row = first; row < first + n_rows; row++) {
        const size_t n = draft_row(g, row, &own);
        g->vectors->row_offsets[row + 1] = n;
        memcpy(at, own.row, n * sizeof *at);
        for (size_t k = 0; k < n; k++) own.df[own.row[k] >> 32]++;
        at += n;
    }
    g->chunk_entries[chunk] = (uint64_t)(at - begin);
    pkin_i_crew_advance(crew, n_rows);
    return PKIN_OK;
}

/* Room for `n_entries` more; the first wave tells how much all will need, about. */
static pkin_status reserve(generator *g, uint64_t n_entries, uint64_t n_rows_drawn) {
    pkin_status status = PKIN_OK;
    pkin_vectors *v = g->vectors;
    const uint64_t needed = v->row_offsets[g->wave_first] + n_entries;
    if (needed <= g->capacity) return PKIN_OK;
    const double expected = (double)needed / (double)n_rows_drawn * (double)g->options.n_rows * 1.01;
    const uint64_t wanted = expected > (double)needed ? (uint64_t)expected : needed;
    PKIN_TRY(pkin_i_reallocate(&v->columns, wanted, sizeof *v->columns));
    PKIN_TRY(pkin_i_reallocate(&v->weights, wanted, sizeof *v->weights));
    g->capacity = wanted;
out:
    return status;
}

/* Entries to their places, tf for now in place of weights. */
static void place_chunk(const generator *g, uint64_t chunk) {
    const uint64_t first = g->wave_first + chunk * g->chunk_rows;
    const draft *from = g->wave + chunk * g->chunk_rows * g->row_points_max;
    uint32_t *columns = g->vectors->columns + g->chunk_entries[chunk];
    uint32_t *weights = g->vectors->weights + g->chunk_entries[chunk];
    uint64_t *offsets = g->vectors->row_offsets;
    uint64_t last = first + g->chunk_rows < g->options.n_rows ? first + g->chunk_rows : g->options.n_rows;
    uint64_t n = 0;
    for (uint64_t row = first; row < last; row++) {
        n += offsets[row + 1];
        offsets[row + 1] = g->chunk_entries[chunk] + n;
    }
    for (uint64_t k = 0; k < n; k++) {
        columns[k] = (uint32_t)(from[k] >> 32);
        weights[k] = (uint32_t)from[k];
    }
}

static pkin_status draw_wave(generator *g) {
    pkin_status status;
    const uint64_t left = g->options.n_rows - g->wave_first, wave_rows = g->n_wave_chunks * g->chunk_rows;
    const uint64_t n_rows = left < wave_rows ? left : wave_rows;
    const uint64_t n_chunks = (n_rows + g->chunk_rows - 1) / g->chunk_rows;
    const pkin_i_task task = {.on_progress = g->options.on_progress,
                              .progress_user = g->options.progress_user,
                              .n_pairs_before = g->wave_first,
                              .n_pairs_total = g->options.n_rows};
    uint64_t at = g->vectors->row_offsets[g->wave_first], n_entries = 0;
    PKIN_TRY(pkin_i_crew_run(&task, "generating", 0, g->n_threads, n_chunks, draw_chunk, g));
    for (uint64_t c = 0; c < n_chunks; c++) {
        const uint64_t n = g->chunk_entries[c];
        g->chunk_entries[c] = at + n_entries;
        n_entries += n;
    }
    PKIN_TRY(reserve(g, n_entries, g->wave_first + n_rows));
#pragma omp parallel for schedule(dynamic, 1) num_threads(g->n_threads)
    for (uint64_t c = 0; c < n_chunks; c++) place_chunk(g, c);
    g->wave_first += n_rows;
out:
    return status;
}

/* ---- Weights ---- */

/* The threads' document frequencies added up, and what they come to: ln((1 + n) / (1 + df)) + 1. */
static pkin_status weigh_columns(generator *g) {
    pkin_status status;
    PKIN_TRY(pkin_i_allocate(g->n_columns, sizeof *g->idf, &g->idf));
#pragma omp parallel for schedule(static) num_threads(g->n_threads)
    for (uint64_t c = 0; c < g->n_columns; c++) {
        uint64_t df = 0;
        for (int t = 0; t < g->n_threads; t++) df += g->scratches[t].df[c];
        double idf = pkin_i_log((1 + (double)g->options.n_rows) / (1 + (double)df)) + 1;
        g->idf[c] = (uint32_t)(idf * 65536.0);
    }
out:
    return status;
}

/*
 * tf * idf in whole units of 2^-16, and their sum of squares: exact, below 2^63 for TERMS_MAX terms. Then one division
 * and one product a weight, each rounded once on every machine, with a factor that is low enough for their errors: the
 * sum of squares stays within 2^60.
 */
static void weigh_row(const generator *g, uint64_t row) {
    const pkin_vectors *v = g->vectors;
    const uint64_t n = v->row_offsets[row + 1] - v->row_offsets[row];
    const uint32_t *columns = v->columns + v->row_offsets[row];
    uint32_t *weights = v->weights + v->row_offsets[row];
    uint64_t squares = 0;
    for (uint64_t k = 0; k < n; k++) {
        weights[k] = (weights[k] < TF_MAX ? weights[k] : TF_MAX) * g->idf[columns[k]];
        squares += (uint64_t)weights[k] * weights[k];
    }
    const double factor = 0x1p30 / sqrt((double)squares) * (1 - 0x1p-49);
    for (uint64_t k = 0; k < n; k++) weights[k] = (uint32_t)((double)weights[k] * factor);
}

static pkin_status weigh_chunk(pkin_i_crew *crew, void *user, int thread, uint64_t chunk) {
    const generator *g = user;
    const uint64_t first = chunk * g->chunk_rows, left = g->options.n_rows - first;
    const uint64_t n_rows = left < g->chunk_rows ? left : g->chunk_rows;
    (void)thread;
    for (uint64_t row = first; row < first + n_rows; row++) weigh_row(g, row);
    pkin_i_crew_advance(crew, n_rows);
    return PKIN_OK;
}

static pkin_status weigh_rows(generator *g) {
    const pkin_i_task task = {.on_progress = g->options.on_progress, .progress_user = g->options.progress_user};
    const uint64_t n_rows = g->options.n_rows, n_chunks = (n_rows + g->chunk_rows - 1) / g->chunk_rows;
    return pkin_i_crew_run(&task, "weighing", n_rows, g->n_threads, n_chunks, weigh_chunk, g);
}

/* ---- Options ---- */

pkin_generate_options pkin_generate_options_default(void) {
    pkin_generate_options options = {0};
    options.size = sizeof options;
    options.n_rows = 65536;
    options.seed = 1;
    options.mean_terms = 96;
    options.near_copy_share = 0.005;
    options.copy_share = 0.001;
    return options;
}

static int is_share(double x) {
    return x >= 0 && x <= 1;
}

static pkin_status check_options(const pkin_generate_options *options) {
    pkin_status status = PKIN_OK;
    PKIN_REQUIRE(options->n_rows >= 1 && options->n_rows < UINT32_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                 "generate: %llu rows; 1 to 2^32 - 2 can be asked for", (unsigned long long)options->n_rows);
    PKIN_REQUIRE(options->mean_terms >= 1 && options->mean_terms <= TERMS_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                 "generate: %g terms a row; 1 to %d can be asked for", options->mean_terms, TERMS_MAX);
    PKIN_REQUIRE(options->n_columns == 0 || options->n_columns >= 4 * options->mean_terms, PKIN_ERROR_INVALID_ARGUMENT,
                 "generate: %lu columns are too few for %g terms a row; at least 4 for each term are needed",
                 (unsigned long)options->n_columns, options->mean_terms);
    PKIN_REQUIRE(options->n_topics <= (uint32_t)TOPICS_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                 "generate: %lu topics; at most %d can be asked for", (unsigned long)options->n_topics, TOPICS_MAX);
    PKIN_REQUIRE(is_share(options->near_copy_share) && is_share(options->copy_share) &&
                     options->near_copy_share + options->copy_share <= 1,
                 PKIN_ERROR_INVALID_ARGUMENT,
                 "generate: %g of the rows near-copies and %g copies; two shares of together at most 1 are needed",
                 options->near_copy_share, options->copy_share);
    PKIN_REQUIRE(options->n_threads >= 0 && options->n_threads <= THREADS_MAX, PKIN_ERROR_INVALID_ARGUMENT,
                 "generate: %d threads; 0 (all) to %d can be asked for", options->n_threads, THREADS_MAX);
out:
    return status;
}

/* Heaps' law, n^(9/16), and 2 n^(1/2) topics: more rows are of more subjects, but their neighbours also become more. */
static void choose_sizes(generator *g) {
    const pkin_generate_options *options = &g->options;
    double n = (double)options->n_rows;
    double columns = 250 * sqrt(n) * root_of_order(n, 4), least = 16 * options->mean_terms;
    double topics = 2 * sqrt(n);
    columns = columns > least ? columns : least;
    g->n_columns = options->n_columns ? options->n_columns : (uint32_t)columns;
    g->n_topics = options->n_topics ? options->n_topics : (uint32_t)topics;
    g->n_threads = options->n_threads ? options->n_threads : omp_get_max_threads();
    g->row_points_max = (size_t)(ROW_POINTS_RATIO * options->mean_terms) + ROW_POINTS_SPARE;
    g->chunk_rows = CHUNK_ENTRIES / g->row_points_max;
    g->chunk_rows = g->chunk_rows ? g->chunk_rows : 1;
    uint64_t n_chunks = (options->n_rows + g->chunk_rows - 1) / g->chunk_rows;
    if (n_chunks < (uint64_t)g->n_threads) g->n_threads = (int)n_chunks;
    g->n_wave_chunks = (uint64_t)g->n_threads * WAVE_CHUNKS;
    if (g->n_wave_chunks > n_chunks) g->n_wave_chunks = n_chunks;
    g->copy_below = (uint64_t)(options->copy_share * 0x1p32);
    g->change_below = (uint64_t)((options->copy_share + options->near_copy_share) * 0x1p32);
}

/* ---- All ---- */

static pkin_status open_scratches(generator *g) {
    pkin_status status;
    const size_t n = g->row_points_max + 1; /* DRAFT_END */
    size_t chunk_points = 0;
    PKIN_TRY(pkin_i_allocate_zeroed((size_t)g->n_threads, sizeof *g->scratches, &g->scratches));
    for (int t = 0; t < g->n_threads; t++) {
        scratch *s = &g->scratches[t];
        PKIN_TRY(pkin_i_allocate(n, sizeof *s->points, &s->points));
        PKIN_TRY(pkin_i_allocate(n, sizeof *s->row, &s->row));
        PKIN_TRY(pkin_i_allocate(n, sizeof *s->merged, &s->merged));
        PKIN_TRY(pkin_i_allocate_zeroed(g->n_columns, sizeof *s->df, &s->df));
    }
    chunk_points = (size_t)g->chunk_rows * g->row_points_max;
    PKIN_TRY(pkin_i_allocate((size_t)g->n_wave_chunks * chunk_points, sizeof *g->wave, &g->wave));
    PKIN_TRY(pkin_i_allocate(g->n_wave_chunks, sizeof *g->chunk_entries, &g->chunk_entries));
out:
    return status;
}

static void generator_close(generator *g) {
    for (int t = 0; g->scratches && t < g->n_threads; t++) {
        pkin_i_free(g->scratches[t].points);
        pkin_i_free(g->scratches[t].row);
        pkin_i_free(g->scratches[t].merged);
        pkin_i_free(g->scratches[t].df);
    }
    pkin_i_free(g->scratches);
    pkin_i_free(g->words.slots);
    pkin_i_free(g->words.bounds);
    pkin_i_free(g->fields);
    pkin_i_free(g->topics);
    pkin_i_free(g->idf);
    pkin_i_free(g->wave);
    pkin_i_free(g->chunk_entries);
}

pkin_status pkin_vectors_generate(const pkin_generate_options *options, pkin_vectors **out) {
    pkin_status status;
    generator g = {.options = pkin_generate_options_default()};
    pkin_vectors *vectors = NULL;
    if (out) *out = NULL;
    PKIN_REQUIRE(out, PKIN_ERROR_INVALID_ARGUMENT, "generate: a place for the result is needed");
    PKIN_TRY(pkin_i_take_options(options, &g.options, "pkin_generate_options"));
    PKIN_TRY(check_options(&g.options));
    choose_sizes(&g);
    make_tf(&g);
    PKIN_TRY(make_vocabulary(&g));
    PKIN_TRY(make_topics(&g));
    PKIN_TRY(open_scratches(&g));
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *vectors, &vectors));
    vectors->n_rows = g.options.n_rows;
    vectors->n_columns = g.n_columns;
    g.vectors = vectors;
    PKIN_TRY(pkin_i_allocate(vectors->n_rows + 1, sizeof *vectors->row_offsets, &vectors->row_offsets));
    vectors->row_offsets[0] = 0;
    while (g.wave_first < vectors->n_rows) PKIN_TRY(draw_wave(&g));
    PKIN_TRY(weigh_columns(&g));
    PKIN_TRY(weigh_rows(&g));
    *out = vectors;
    vectors = NULL;
out:
    generator_close(&g);
    pkin_vectors_free(vectors);
    return status;
}

/* ---- Back to a matrix ---- */

pkin_status pkin_vectors_to_matrix(const pkin_vectors *vectors, pkin_matrix **out) {
    pkin_status status;
    pkin_matrix *matrix = NULL;
    if (out) *out = NULL;
    PKIN_REQUIRE(vectors && out, PKIN_ERROR_INVALID_ARGUMENT, "matrix: vectors and a place for the result are needed");
    const uint64_t n_rows = vectors->n_rows, n_entries = vectors->row_offsets[n_rows];
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *matrix, &matrix));
    matrix->n_rows = n_rows;
    matrix->n_columns = vectors->n_columns;
    PKIN_TRY(pkin_i_allocate(n_rows + 1, sizeof *matrix->row_offsets, &matrix->row_offsets));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *matrix->columns, &matrix->columns));
    PKIN_TRY(pkin_i_allocate(n_entries, sizeof *matrix->values, &matrix->values));
    memcpy(matrix->row_offsets, vectors->row_offsets, (n_rows + 1) * sizeof *matrix->row_offsets);
#pragma omp parallel for schedule(static) if (n_entries > 1 << 20)
    for (uint64_t k = 0; k < n_entries; k++) {
        matrix->columns[k] = vectors->columns[k];
        matrix->values[k] = (double)vectors->weights[k] * 0x1p-30; /* exact: 31 bits */
    }
    *out = matrix;
    matrix = NULL;
out:
    pkin_matrix_free(matrix);
    return status;
}
