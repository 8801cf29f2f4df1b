/* SPDX-License-Identifier: Apache-2.0 */
/* The proof of sketch.h, as properties: no product of sketches is below its score, and no byte is larger than needed.
 */
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "support/similarity_oracle.h"

extern "C" {
#include "similarity/sketch.h"
}

namespace {

using Wide = unsigned __int128;
constexpr uint64_t ONE = uint64_t(1) << 60;
constexpr uint32_t WEIGHT_ONE = 1u << 30;

/* Rows of fixed-point weights as they are, however adversarial. */
struct Rows {
    std::vector<uint64_t> offsets = {0};
    std::vector<uint32_t> columns, weights;
    uint64_t n_columns = 0;

    void add(const std::map<uint32_t, uint32_t> &row) {
        for (const auto &entry : row) {
            columns.push_back(entry.first);
            weights.push_back(entry.second);
            n_columns = std::max<uint64_t>(n_columns, entry.first + 1);
        }
        offsets.push_back(columns.size());
    }
    pkin_vectors view() {
        return {offsets.size() - 1, n_columns, offsets.data(), columns.data(), weights.data()};
    }
};

struct Map {
    pkin_i_sketch_map map = {};
    Map(const pkin_vectors *vectors, uint32_t dimension) {
        uint64_t *weights = nullptr;
        EXPECT_EQ(pkin_i_sketch_column_weights(vectors, nullptr, &weights), PKIN_OK);
        EXPECT_EQ(pkin_i_sketch_map_build(weights, vectors->n_columns, dimension, &map), PKIN_OK);
        pkin_i_free(weights);
    }
    ~Map() {
        pkin_i_sketch_map_free(&map);
    }
    Map(const Map &) = delete;
    Map &operator=(const Map &) = delete;
};

/* A sketch with all its bytes, by way of pkin_i_sketch_row. */
std::vector<uint8_t> sketch_of(const pkin_i_sketch_map &map, const pkin_vectors &vectors, uint64_t row) {
    std::vector<uint64_t> squares(map.dimension);
    std::vector<uint16_t> buckets(map.dimension);
    std::vector<uint8_t> values(map.dimension), bytes(map.dimension);
    uint32_t n = pkin_i_sketch_row(&map, &vectors, row, squares.data(), buckets.data(), values.data());
    EXPECT_LE(n, vectors.row_offsets[row + 1] - vectors.row_offsets[row]);
    for (uint32_t k = 0; k < n; k++) {
        EXPECT_EQ(bytes[buckets[k]], 0) << "a bucket twice";
        bytes[buckets[k]] = values[k];
    }
    EXPECT_EQ(squares, std::vector<uint64_t>(map.dimension)) << "scratch is to be zeroes again";
    return bytes;
}

uint64_t product(const std::vector<uint8_t> &x, const std::vector<uint8_t> &y) {
    uint64_t sum = 0;
    for (size_t b = 0; b < x.size(); b++) sum += uint64_t(x[b]) * y[b];
    return sum;
}

/* The bound of every pair of rows (a row with itself, too), the least bytes, and how large products become. */
void expect_bounds(Rows &rows, const pkin_i_sketch_map &map) {
    const pkin_vectors vectors = rows.view();
    std::vector<std::vector<uint8_t>> sketches;
    for (uint64_t r = 0; r < vectors.n_rows; r++) {
        std::vector<uint64_t> squares(map.dimension);
        for (uint64_t k = vectors.row_offsets[r]; k < vectors.row_offsets[r + 1]; k++) {
            squares[map.buckets[vectors.columns[k]]] += uint64_t(vectors.weights[k]) * vectors.weights[k];
        }
        sketches.push_back(sketch_of(map, vectors, r));
        for (uint32_t b = 0; b < map.dimension; b++) {
            const uint64_t q = sketches[r][b];
            const Wide wanted = Wide(squares[b]) * 65025;
            ASSERT_GE(Wide(q * q) << 60, wanted) << "row " << r << ", bucket " << b;
            if (q == 0) continue;
            ASSERT_LT(Wide((q - 1) * (q - 1)) << 60, wanted) << "row " << r << ", bucket " << b;
        }
    }
    for (uint64_t i = 0; i < vectors.n_rows; i++) {
        const std::vector<uint64_t> scores = oracle_row(&vectors, i, &vectors);
        for (uint64_t j = 0; j < vectors.n_rows; j++) {
            const uint64_t bound = product(sketches[i], sketches[j]);
            ASSERT_LE(scores[j], ONE);
            ASSERT_GE(Wide(bound) << 60, Wide(scores[j]) * 65025) << i << ", " << j;
            ASSERT_GE(bound, uint64_t(pkin_i_sketch_limit(scores[j]))) << i << ", " << j;
            ASSERT_LT(bound, 1u << 17);
        }
    }
}

void expect_bounds(Rows &rows) {
    const pkin_vectors vectors = rows.view();
    for (uint32_t dimension : {64u, 128u, 4096u}) {
        Map map(&vectors, dimension);
        expect_bounds(rows, map.map);
    }
}

/* As many of weight w as a row can hold, from column `first` on. */
std::map<uint32_t, uint32_t> equal_weights(uint32_t first, uint32_t w, uint32_t n_most) {
    std::map<uint32_t, uint32_t> row;
    const uint64_t n = ONE / (uint64_t(w) * w);
    for (uint32_t c = 0; c < n_most && c < n; c++) row[first + c] = w;
    return row;
}

TEST(Sketch, BoundsAdversarialRows) {
    Rows rows;
    rows.add({{0, WEIGHT_ONE}});
    rows.add({{0, WEIGHT_ONE}}); /* equal */
    rows.add({{1, WEIGHT_ONE}}); /* disjoint */
    rows.add({{0, 1}});
    rows.add({{0, WEIGHT_ONE - 1}, {5, 46340}}); /* what is left of 2^60 */
    rows.add({{0, WEIGHT_ONE / 2}, {1, WEIGHT_ONE / 2}, {2, WEIGHT_ONE / 2}, {3, WEIGHT_ONE / 2}}); /* exactly 2^60 */
    rows.add(equal_weights(0, WEIGHT_ONE / 16, 4096));   /* 256 of them: exactly 2^60 */
    rows.add(equal_weights(100, WEIGHT_ONE / 64, 4096)); /* 4096 of them */
    rows.add(equal_weights(0, 1, 5000));                 /* tiny, many */
    rows.add(equal_weights(7, 3, 300));
    rows.add({});
    expect_bounds(rows);
}

TEST(Sketch, BoundsRowsWhoseColumnsShareOneBucket) {
    Rows rows;
    rows.add(equal_weights(0, WEIGHT_ONE / 8, 64));
    rows.add(equal_weights(32, WEIGHT_ONE / 8, 64));
    rows.add({{0, 600000000}, {95, 600000000}});
    rows.add({{95, WEIGHT_ONE}});
    std::vector<uint16_t> one_bucket(rows.n_columns, 63);
    expect_bounds(rows, {64, one_bucket.data()});
}

/* 65025 * S = q^2 * 2^60 exactly: one more in S needs one more in q, and the square root alone cannot tell. */
TEST(Sketch, QuantisesExactlyAtTheEdges) {
    std::vector<uint16_t> bucket(4, 0);
    const pkin_i_sketch_map map = {64, bucket.data()};
    for (uint64_t q = 1; q <= 255; q++) {
        const uint64_t most = uint64_t((Wide(q * q) << 60) / 65025); /* the largest S that q bounds */
        for (uint64_t squares : {most - 1, most, most + 1}) {
            if (squares > ONE) continue;
            /* Any number is the sum of four squares; greedy takes a few more, which is as good: all are in one bucket.
             */
            Rows rows;
            std::map<uint32_t, uint32_t> row;
            uint64_t left = squares;
            for (uint32_t c = 0; left > 0; c++) {
                uint64_t root = uint64_t(std::sqrt(double(left)));
                while (root * root > left) root--;
                row[c] = uint32_t(root);
                left -= root * root;
            }
            rows.add(row);
            std::vector<uint16_t> buckets(rows.n_columns, 0);
            const pkin_vectors vectors = rows.view();
            const uint64_t expected = squares <= most ? q : q + 1;
            ASSERT_EQ(sketch_of({64, buckets.data()}, vectors, 0)[0], expected) << q << ", " << squares;
        }
    }
    Rows whole;
    whole.add({{0, WEIGHT_ONE}});
    EXPECT_EQ(sketch_of(map, whole.view(), 0)[0], 255);
}

TEST(Sketch, LimitsAreTheLeastProductsAtTheirEdges) {
    EXPECT_EQ(pkin_i_sketch_limit(0), 0);
    EXPECT_EQ(pkin_i_sketch_limit(1), 1);
    EXPECT_EQ(pkin_i_sketch_limit(ONE), 65025);
    EXPECT_EQ(pkin_i_sketch_limit(ONE - 1), 65025);
    EXPECT_EQ(pkin_i_sketch_limit(ONE + 1), 65026);
    EXPECT_EQ(pkin_i_sketch_limit(ONE / 2), 32513);          /* 32512.5 */
    EXPECT_EQ(pkin_i_sketch_limit(ONE + (ONE >> 7)), 65534); /* 65533.008 */
    for (uint64_t p = 1; p <= 65025; p += 7) {
        const uint64_t most = uint64_t((Wide(p) << 60) / 65025); /* the largest score that product p allows */
        ASSERT_EQ(pkin_i_sketch_limit(most), int32_t(p));
        ASSERT_EQ(pkin_i_sketch_limit(most + 1), int32_t(p + 1));
    }
}

TEST(Sketch, BoundsAnyRows) {
    EXPECT_TRUE(rc::check("bound", [] {
        Rows rows;
        const uint32_t n_columns = *rc::gen::inRange(1u, 200u);
        const auto n_rows = *rc::gen::inRange(1, 8);
        for (int r = 0; r < n_rows; r++) {
            std::map<uint32_t, uint32_t> row;
            uint64_t left = ONE;
            for (uint32_t n = *rc::gen::inRange(0u, 100u); n > 0; n--) {
                const uint32_t column = *rc::gen::inRange(0u, n_columns);
                /* Weights of every order of magnitude. */
                const uint64_t weight = *rc::gen::inRange<uint64_t>(1, WEIGHT_ONE + 1) >> *rc::gen::inRange(0, 30);
                if (weight == 0 || weight * weight > left || row.count(column)) continue;
                left -= weight * weight;
                row[column] = uint32_t(weight);
            }
            rows.add(row);
        }
        if (rows.n_columns == 0) return;
        const pkin_vectors vectors = rows.view();
        Map map(&vectors, 64 * *rc::gen::inRange(1u, 4u));
        expect_bounds(rows, map.map);
        RC_ASSERT(!testing::Test::HasFailure());
    }));
}

TEST(SketchMap, PartsHeavyColumnsAndBreaksTiesByNumber) {
    std::vector<uint64_t> weights(70, 1);
    weights[69] = 100;
    weights[3] = 50;
    pkin_i_sketch_map map = {};
    ASSERT_EQ(pkin_i_sketch_map_build(weights.data(), weights.size(), 64, &map), PKIN_OK);
    EXPECT_EQ(map.buckets[69], 0);
    EXPECT_EQ(map.buckets[3], 1);
    EXPECT_EQ(map.buckets[0], 2); /* equal columns in order, to the lightest buckets */
    EXPECT_EQ(map.buckets[1], 3);
    EXPECT_EQ(map.buckets[62], 63);
    EXPECT_EQ(map.buckets[63], 2); /* once all hold one, the lowest of the lightest */
    pkin_i_sketch_map_free(&map);
    EXPECT_EQ(map.buckets, nullptr);
}

TEST(SketchMap, ColumnWeightsAreSumsOfBothSidesOnAnyThreads) {
    TestVectors v(random_matrix({300, 50, 20}, 1)), w(random_matrix({200, 50, 20}, 2));
    std::vector<uint64_t> expected(50);
    for (const pkin_vectors *side : {v.vectors, w.vectors}) {
        for (uint64_t k = 0; k < side->row_offsets[side->n_rows]; k++) expected[side->columns[k]] += side->weights[k];
    }
    for (int n_threads : {1, 2, 3, 20}) {
        uint64_t *weights = nullptr;
        ASSERT_EQ(pkin_i_sketch_column_weights_on(v.vectors, w.vectors, n_threads, &weights), PKIN_OK);
        EXPECT_EQ(std::vector<uint64_t>(weights, weights + 50), expected) << n_threads;
        pkin_i_free(weights);
    }
}

} // namespace
