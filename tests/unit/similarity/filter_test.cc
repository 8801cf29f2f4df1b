/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <string.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#define PKIN_I_TILES_EMULATED 1
extern "C" {
#include "paperkin/backend.h"
#include "similarity/cpu_filter.h"
#include "similarity/cpu_filter_amx_kernel.h"
}

namespace {

/* ---- The kernel for tiles over their emulation ---- */

size_t reached_plainly(const int32_t *products, uint32_t n_rows, uint32_t n_columns, uint32_t first_row,
                       const int32_t *row_limits, const int32_t *column_limits, pkin_i_survivor *out) {
    size_t n = 0;
    for (uint32_t r = 0; r < n_rows; r++) {
        for (uint32_t c = 0; c < n_columns; c++) {
            if (products[r * n_columns + c] >= std::min(row_limits[r], column_limits[c])) out[n++] = {first_row + r, c};
        }
    }
    return n;
}

template <pkin_i_reached_fn reached>
size_t run_emulated(const uint8_t *block, uint32_t n_rows, const uint8_t *panel, const int32_t *, uint32_t dimension,
                    const int32_t *block_limits, const int32_t *panel_limits, pkin_i_survivor *out) {
    return amx_run(block, n_rows, panel, dimension, block_limits, panel_limits, reached, out);
}

template <pkin_i_reached_fn reached> pkin_i_filter emulated_filter(const char *name) {
    return {PKIN_I_ISA_PORTABLE, name,      PKIN_I_AMX_ROWS, PKIN_I_AMX_ROWS,      0, 0, amx_pack_block_row,
            amx_pack_panel_row,  amx_begin, amx_end,         run_emulated<reached>};
}

/* All that can run here, and the emulated kernel with each comparison that can. */
std::vector<pkin_i_filter> filters_here() {
    std::vector<pkin_i_filter> filters;
    for (size_t k = 0; pkin_i_filter_at(k); k++) filters.push_back(*pkin_i_filter_at(k));
    filters.push_back(emulated_filter<reached_plainly>("AMX int8, emulated"));
#if defined(__x86_64__) && defined(__GNUC__)
    if (pkin_i_isa_is_available(PKIN_I_ISA_AVX512))
        filters.push_back(emulated_filter<pkin_i_reached_avx512>("AMX int8, emulated, compared with AVX-512"));
#endif
    return filters;
}

/* ---- Sketches, packed and plain ---- */

struct AlignedFree {
    void operator()(void *block) const {
        std::free(block);
    }
};
using AlignedBytes = std::unique_ptr<uint8_t[], AlignedFree>;

AlignedBytes aligned_bytes(size_t n, uint8_t value) {
    AlignedBytes bytes(static_cast<uint8_t *>(std::aligned_alloc(64, (n + 63) / 64 * 64)));
    memset(bytes.get(), value, n);
    return bytes;
}

struct Sketches {
    uint32_t n, dimension;
    std::vector<uint8_t> bytes; /* row after row */

    Sketches(uint32_t n_rows, uint32_t d) : n(n_rows), dimension(d), bytes(size_t(n_rows) * d) {}
    const uint8_t *row(uint32_t r) const {
        return bytes.data() + size_t(r) * dimension;
    }

    /* As pkin_i_sketch_row gives them: the nonzero bytes, in no particular order. */
    void pack(std::mt19937 &random,
              void (*pack_row)(uint8_t *, uint32_t, uint32_t, uint32_t, const uint16_t *, const uint8_t *),
              uint8_t *packed) const {
        for (uint32_t r = 0; r < n; r++) {
            std::vector<uint16_t> buckets;
            std::vector<uint8_t> values;
            for (uint32_t k = 0; k < dimension; k++)
                if (row(r)[k]) buckets.push_back(static_cast<uint16_t>(k));
            std::shuffle(buckets.begin(), buckets.end(), random);
            for (uint16_t bucket : buckets) values.push_back(row(r)[bucket]);
            pack_row(packed, dimension, r, static_cast<uint32_t>(buckets.size()), buckets.data(), values.data());
        }
    }
};

enum Content { ANY_BYTE, ALL_255, ONE_NONZERO, SPARSE, N_CONTENTS };

Sketches make_sketches(std::mt19937 &random, Content content, uint32_t n, uint32_t dimension) {
    Sketches sketches(n, dimension);
    for (uint32_t r = 0; r < n; r++) {
        uint8_t *row = sketches.bytes.data() + size_t(r) * dimension;
        for (uint32_t k = 0; k < dimension && content == ANY_BYTE; k++) row[k] = static_cast<uint8_t>(random());
        if (content == ALL_255) memset(row, 255, dimension);
        if (content == ONE_NONZERO) row[random() % 2 ? random() % dimension : 17] = 255;
        for (int k = 0; k < 80 && content == SPARSE; k++)
            row[random() % dimension] = static_cast<uint8_t>(random() % 70);
    }
    return sketches;
}

std::vector<int32_t> multiply(const Sketches &rows, const Sketches &columns) {
    std::vector<int32_t> products;
    for (uint32_t r = 0; r < rows.n; r++) {
        for (uint32_t c = 0; c < columns.n; c++) {
            int32_t sum = 0;
            for (uint32_t k = 0; k < rows.dimension; k++) sum += rows.row(r)[k] * columns.row(c)[k];
            products.push_back(sum);
        }
    }
    return products;
}

/* ---- Limits ---- */

struct Limits {
    std::string name;
    std::vector<int32_t> rows, columns;
};

const int32_t never = PKIN_I_FILTER_NEVER;

/* Limits at, just above and just below products that there are, and the outermost ones. */
std::vector<Limits> make_limits(std::mt19937 &random, const std::vector<int32_t> &products, uint32_t n, uint32_t m) {
    auto any = [&] { return products[random() % products.size()]; };
    std::vector<int32_t> sorted = products;
    std::sort(sorted.begin(), sorted.end());
    const int32_t high = sorted[sorted.size() - 1 - sorted.size() / 500], largest = sorted.back();
    std::vector<Limits> all = {
        {"never", std::vector<int32_t>(n, never), std::vector<int32_t>(m, never)},
        {"always", std::vector<int32_t>(n, 0), std::vector<int32_t>(m, never)},
        {"always, by column", std::vector<int32_t>(n, never), std::vector<int32_t>(m, 0)},
        {"few, by row", std::vector<int32_t>(n, high), std::vector<int32_t>(m, never)},
        {"few, by column", std::vector<int32_t>(n, never), std::vector<int32_t>(m, high)},
        {"the largest", std::vector<int32_t>(n, largest), std::vector<int32_t>(m, largest)},
        {"above the largest", std::vector<int32_t>(n, largest + 1), std::vector<int32_t>(m, largest + 1)},
    };
    Limits mixed{"mixed", {}, {}}, one_row{"one row", all[0].rows, all[0].columns};
    for (uint32_t r = 0; r < n; r++) mixed.rows.push_back(random() % 4 ? never : any() + int32_t(random() % 3) - 1);
    for (uint32_t c = 0; c < m; c++) mixed.columns.push_back(random() % 4 ? never : any() + int32_t(random() % 3) - 1);
    Limits one_column = one_row, just_above = one_row, close{"close", {}, {}};
    const uint32_t r = random() % n, c = random() % m;
    one_row.rows[r] = products[r * m + c];
    one_column.name = "one column";
    one_column.columns[c] = products[r * m + c];
    just_above.name = "just above one";
    just_above.rows[r] = products[r * m + c] + 1;
    /* As top-k has them: all differ a little. */
    for (uint32_t k = 0; k < n; k++) close.rows.push_back(high + int32_t(random() % 64) - 32);
    for (uint32_t k = 0; k < m; k++) close.columns.push_back(high + int32_t(random() % 64) - 32);
    all.insert(all.end(), {mixed, one_row, one_column, just_above, close});
    return all;
}

using Places = std::vector<std::pair<uint32_t, uint32_t>>;

Places expected_places(const std::vector<int32_t> &products, const Limits &limits) {
    Places places;
    const size_t m = limits.columns.size();
    for (uint32_t r = 0; r < limits.rows.size(); r++) {
        for (uint32_t c = 0; c < m; c++)
            if (products[r * m + c] >= std::min(limits.rows[r], limits.columns[c])) places.push_back({r, c});
    }
    return places;
}

/* ---- A filter on a block and a panel ---- */

struct Packed {
    const pkin_i_filter &filter;
    const Sketches &rows;
    AlignedBytes block, panel;
    std::vector<int32_t> sums;

    Packed(std::mt19937 &random, const pkin_i_filter &f, const Sketches &x, const Sketches &y)
        : filter(f), rows(x), block(aligned_bytes(x.bytes.size(), f.block_zero)),
          panel(aligned_bytes(y.bytes.size(), f.panel_zero)) {
        rows.pack(random, filter.pack_block_row, block.get());
        y.pack(random, filter.pack_panel_row, panel.get());
        for (uint32_t c = 0; c < y.n; c++) sums.push_back(std::accumulate(y.row(c), y.row(c) + y.dimension, 0));
    }

    Places run(const Limits &limits) const {
        const pkin_i_survivor untouched = {0xABCDEF, 0xABCDEF};
        std::vector<pkin_i_survivor> out(limits.rows.size() * limits.columns.size() + 1, untouched);
        if (filter.begin) filter.begin();
        const size_t n = filter.run(block.get(), rows.n, panel.get(), sums.data(), rows.dimension, limits.rows.data(),
                                    limits.columns.data(), out.data());
        if (filter.end) filter.end();
        EXPECT_LT(n, out.size());
        EXPECT_EQ(out.back().row, untouched.row);
        Places places;
        for (size_t k = 0; k < n; k++) places.push_back({out[k].row, out[k].column});
        std::sort(places.begin(), places.end());
        return places;
    }
};

struct Case {
    Content content;
    uint32_t dimension, n_rows; /* rounded up to the filter's step */
};

void expect_all_find_the_same(const Case &the_case, unsigned seed) {
    for (const pkin_i_filter &filter : filters_here()) {
        std::mt19937 random(seed);
        const uint32_t n = (the_case.n_rows + filter.block_step - 1) / filter.block_step * filter.block_step;
        const Sketches rows = make_sketches(random, the_case.content, n, the_case.dimension);
        const Sketches columns = make_sketches(random, the_case.content, filter.panel_rows, the_case.dimension);
        const std::vector<int32_t> products = multiply(rows, columns);
        const Packed packed(random, filter, rows, columns);
        for (const Limits &limits : make_limits(random, products, n, filter.panel_rows)) {
            ASSERT_EQ(packed.run(limits), expected_places(products, limits))
                << filter.name << ", limits: " << limits.name << ", content " << the_case.content << ", dimension "
                << the_case.dimension << ", rows " << n;
        }
    }
    EXPECT_EQ(emulated.n_faults, 0u);
}

TEST(Filter, FindsWhatAPlainLoopFindsInEveryDimension) {
    for (uint32_t dimension : {64, 128, 192, 256, 320, 448, 512, 768, 960, 1024, 2048, 4096})
        expect_all_find_the_same({ANY_BYTE, dimension, 1}, dimension);
    for (uint32_t dimension : {64, 320, 1024}) expect_all_find_the_same({SPARSE, dimension, 70}, dimension);
}

/* The largest sums there are: 255 * 255 in every place must not saturate or wrap. */
TEST(Filter, HoldsTheLargestAndSmallestProducts) {
    for (uint32_t dimension : {64, 192, 1024, 4096}) {
        expect_all_find_the_same({ALL_255, dimension, 1}, 1);
        expect_all_find_the_same({ONE_NONZERO, dimension, 40}, 2);
    }
}

TEST(Filter, TakesBlocksOfAnyNumberOfRows) {
    for (uint32_t n_rows : {1, 33, 64, 100, 257, 600}) expect_all_find_the_same({SPARSE, 64, n_rows}, n_rows);
    expect_all_find_the_same({ANY_BYTE, 128, 300}, 5);
}

/* Whatever the packing, the same pairs of sketches survive: sketches 0 to 3 and 0 to 3 exist in every filter. */
TEST(Filter, AllFindWhatThePortableOneFinds) {
    std::mt19937 random(3);
    const Sketches few_rows = make_sketches(random, SPARSE, 4, 256),
                   few_columns = make_sketches(random, SPARSE, 4, 256);
    const std::vector<int32_t> products = multiply(few_rows, few_columns);
    const Limits few{"few", std::vector<int32_t>(4, products[5]), std::vector<int32_t>(4, products[10])};
    const Places expected = Packed(random, pkin_i_filter_portable, few_rows, few_columns).run(few);
    ASSERT_FALSE(expected.empty());
    for (const pkin_i_filter &filter : filters_here()) {
        Sketches rows(filter.block_step, 256), columns(filter.panel_rows, 256); /* the others are zero */
        std::copy(few_rows.bytes.begin(), few_rows.bytes.end(), rows.bytes.begin());
        std::copy(few_columns.bytes.begin(), few_columns.bytes.end(), columns.bytes.begin());
        Limits limits = few;
        limits.rows.resize(filter.block_step, never);
        limits.columns.resize(filter.panel_rows, never);
        Places places = Packed(random, filter, rows, columns).run(limits);
        /* Rows with a limit meet zero sketches, too: their products are 0, below the limits. */
        EXPECT_EQ(places, expected) << filter.name;
    }
}

/* ---- Which filter it is ---- */

TEST(Filter, TableIsInOrderAndItsSizesAreSound) {
    EXPECT_EQ(pkin_i_filter_at(0), &pkin_i_filter_portable);
    EXPECT_EQ(pkin_i_filter_at(99), nullptr);
    for (size_t k = 0; pkin_i_filter_at(k); k++) {
        const pkin_i_filter *filter = pkin_i_filter_at(k);
        EXPECT_TRUE(pkin_i_isa_is_available(filter->isa)) << filter->name;
        EXPECT_TRUE(k == 0 || pkin_i_filter_at(k - 1)->isa <= filter->isa) << filter->name;
        EXPECT_TRUE(filter->block_step >= 1 && filter->block_step <= 64) << filter->name;
        EXPECT_TRUE(filter->panel_rows >= 1 && filter->panel_rows <= 64) << filter->name;
    }
}

TEST(Filter, LevelsGetTheBestThatTheyMayUse) {
    for (int isa = 0; isa < PKIN_I_N_ISAS; isa++) {
        const pkin_i_filter *filter = pkin_i_filter_for(static_cast<pkin_i_isa>(isa));
        ASSERT_NE(filter, nullptr);
        EXPECT_LE(filter->isa, isa);
        for (size_t k = 0; pkin_i_filter_at(k); k++)
            EXPECT_TRUE(pkin_i_filter_at(k)->isa > isa || pkin_i_filter_at(k)->isa <= filter->isa);
    }
    EXPECT_EQ(pkin_i_filter_for(PKIN_I_ISA_PORTABLE), &pkin_i_filter_portable);
}

/* The cases above include the processor's own tiles where it has them; this says where they did not. */
TEST(Filter, TilesOfThisProcessorAreAmongThem) {
    if (!pkin_i_isa_is_available(PKIN_I_ISA_AMX))
        GTEST_SKIP() << "no AMX on this machine: its kernel ran emulated only";
    EXPECT_STREQ(pkin_i_filter_for(PKIN_I_ISA_AMX)->name, "AMX int8");
}

/* ---- The emulation ---- */

/* From the definition: sums of four products of unsigned bytes, with what there was before, modulo 2^32. */
TEST(EmulatedTiles, MultiplyAsTheManualSays) {
    std::mt19937 random(5);
    uint8_t a[16][64], b[16][64], read[16][64];
    uint32_t before[16][16], after[16][16];
    for (auto &row : a)
        for (uint8_t &byte : row) byte = static_cast<uint8_t>(random());
    for (auto &row : b)
        for (uint8_t &byte : row) byte = static_cast<uint8_t>(random());
    for (auto &row : before)
        for (uint32_t &sum : row) sum = static_cast<uint32_t>(random());
    emulated_begin();
    emulated_load(3, &a[0][0]);
    emulated_load(5, &b[0][0]);
    emulated_load(0, reinterpret_cast<uint8_t *>(before));
    emulated_multiply(0, 3, 5);
    emulated_store(reinterpret_cast<uint8_t *>(after), 64, 0);
    emulated_store(&read[0][0], 64, 3);
    emulated_end();
    EXPECT_EQ(memcmp(read, a, sizeof a), 0);
    for (int m = 0; m < 16; m++) {
        for (int n = 0; n < 16; n++) {
            uint32_t sum = before[m][n];
            for (int k = 0; k < 64; k++) sum += uint32_t(a[m][k]) * b[k / 4][4 * n + k % 4];
            ASSERT_EQ(after[m][n], sum) << m << ", " << n;
        }
    }
}

TEST(EmulatedTiles, WhatTheProcessorFaultsOnIsCounted) {
    const uint64_t before = emulated.n_faults;
    emulated_begin();
    emulated_multiply(0, 1, 1);
    emulated_end();
    emulated_zero(0);
    EXPECT_EQ(emulated.n_faults, before + 2);
    emulated.n_faults = before;
}

/* ---- Peak ---- */

TEST(Peak, WiderRegistersAreFaster) {
    const double portable = pkin_i_filter_peak(PKIN_I_ISA_PORTABLE, 1, 0.02);
    EXPECT_GT(portable, 0);
    const pkin_i_filter *best = pkin_i_filter_for(pkin_i_isa_best());
    if (best->isa > PKIN_I_ISA_PORTABLE) {
        EXPECT_GT(pkin_i_filter_peak(best->isa, 1, 0.02), portable) << best->name;
    }
    EXPECT_GT(pkin_i_filter_peak(best->isa, 2, 0.02), 0);
}

TEST(Peak, NamesTheLevelAndRefusesWhatIsNone) {
    double peak = -1;
    const char *name = nullptr;
    ASSERT_EQ(pkin_backend_peak("portable", 1, &peak, &name), PKIN_OK);
    EXPECT_STREQ(name, "portable");
    EXPECT_GT(peak, 0);
    peak = -1;
    EXPECT_EQ(pkin_backend_peak("mmx", 1, &peak, &name), PKIN_ERROR_UNSUPPORTED);
    EXPECT_EQ(pkin_backend_peak(nullptr, -1, &peak, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_backend_peak(nullptr, 1, nullptr, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(peak, -1);
}

} // namespace
