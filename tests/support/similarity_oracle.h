/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_SUPPORT_SIMILARITY_ORACLE_H
#define PKIN_TESTS_SUPPORT_SIMILARITY_ORACLE_H

/* Similarity the slow and plain way: every pair of rows, every column. What the backends give must be the same bits. */
#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <tuple>
#include <vector>

extern "C" {
#include "paperkin/similarity.h"
#include "similarity/vectors.h"
#include "vector/matrix.h"
}

/* A matrix as rows of (column, value); whatever order, each column once. */
using TestRow = std::vector<std::pair<uint32_t, double>>;

struct TestMatrix {
    uint64_t n_columns = 0;
    std::vector<TestRow> rows;

    pkin_matrix *to_matrix() const {
        std::vector<uint64_t> offsets = {0};
        std::vector<uint32_t> columns;
        std::vector<double> values;
        for (TestRow row : rows) {
            std::sort(row.begin(), row.end());
            for (const auto &entry : row) {
                columns.push_back(entry.first);
                values.push_back(entry.second);
            }
            offsets.push_back(columns.size());
        }
        pkin_csr_view view = {rows.size(), n_columns, offsets.data(), columns.data(), values.data()};
        pkin_matrix *matrix = nullptr;
        return pkin_matrix_from_csr(&view, &matrix) == PKIN_OK ? matrix : nullptr;
    }
};

/* Owned vectors that free themselves. */
struct TestVectors {
    pkin_vectors *vectors = nullptr;
    pkin_status status = PKIN_OK;

    explicit TestVectors(const TestMatrix &matrix, int normalize = 1) {
        pkin_matrix *converted = matrix.to_matrix();
        status = converted ? pkin_vectors_from_matrix(converted, normalize, &vectors) : PKIN_ERROR_INVALID_ARGUMENT;
        pkin_matrix_free(converted);
    }
    ~TestVectors() {
        pkin_vectors_free(vectors);
    }
    TestVectors(const TestVectors &) = delete;
    TestVectors &operator=(const TestVectors &) = delete;
};

struct Scored {
    uint64_t score;
    uint32_t i, j;
    bool operator==(const Scored &other) const {
        return score == other.score && i == other.i && j == other.j;
    }
    bool operator<(const Scored &other) const {
        return std::make_tuple(~score, i, j) < std::make_tuple(~other.score, other.i, other.j);
    }
};

inline std::ostream &operator<<(std::ostream &out, const Scored &pair) {
    return out << "(" << pair.score << ", " << pair.i << ", " << pair.j << ")";
}

/* Scores of row i of a against every row of b, by way of a dense row. */
inline std::vector<uint64_t> oracle_row(const pkin_vectors *a, uint64_t i, const pkin_vectors *b) {
    std::vector<uint64_t> dense(a->n_columns), scores(b->n_rows);
    for (uint64_t k = a->row_offsets[i]; k < a->row_offsets[i + 1]; k++) dense[a->columns[k]] = a->weights[k];
    for (uint64_t j = 0; j < b->n_rows; j++) {
        for (uint64_t k = b->row_offsets[j]; k < b->row_offsets[j + 1]; k++) {
            scores[j] += dense[b->columns[k]] * b->weights[k];
        }
    }
    return scores;
}

inline std::vector<Scored> oracle_join(const pkin_vectors *a, const pkin_vectors *b, uint64_t min_score) {
    std::vector<Scored> pairs;
    for (uint32_t i = 0; i < a->n_rows; i++) {
        std::vector<uint64_t> scores = oracle_row(a, i, b ? b : a);
        for (uint32_t j = b ? 0 : i + 1; j < scores.size(); j++) {
            if (scores[j] > 0 && scores[j] >= min_score) pairs.push_back({scores[j], i, j});
        }
    }
    std::sort(pairs.begin(), pairs.end());
    return pairs;
}

/* Row by row, best first: i is the row, j its neighbour. */
inline std::vector<Scored> oracle_top_k(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, uint64_t min_score) {
    std::vector<Scored> all;
    for (uint32_t i = 0; i < a->n_rows; i++) {
        std::vector<uint64_t> scores = oracle_row(a, i, b ? b : a);
        std::vector<Scored> row;
        for (uint32_t j = 0; j < scores.size(); j++) {
            if ((b || i != j) && scores[j] > 0 && scores[j] >= min_score) row.push_back({scores[j], i, j});
        }
        std::sort(row.begin(), row.end());
        if (row.size() > k) row.resize(k);
        all.insert(all.end(), row.begin(), row.end());
    }
    return all;
}

inline std::vector<Scored> run_join(const pkin_vectors *a, const pkin_vectors *b, double threshold, int n_threads,
                                    pkin_status *status = nullptr) {
    pkin_similarity_options options = pkin_similarity_options_default();
    options.n_threads = n_threads;
    pkin_pair_list list;
    pkin_status result = pkin_similarity_join(a, b, threshold, &options, &list);
    if (status) *status = result;
    std::vector<Scored> pairs;
    for (uint64_t p = 0; p < list.n_pairs; p++)
        pairs.push_back({list.pairs[p].score, list.pairs[p].i, list.pairs[p].j});
    pkin_pair_list_free(&list);
    return pairs;
}

inline std::vector<Scored> run_top_k(const pkin_vectors *a, const pkin_vectors *b, uint32_t k, double floor,
                                     int n_threads, pkin_status *status = nullptr) {
    pkin_similarity_options options = pkin_similarity_options_default();
    options.n_threads = n_threads;
    pkin_neighbor_lists lists;
    pkin_status result = pkin_similarity_top_k(a, b, k, floor, &options, &lists);
    if (status) *status = result;
    std::vector<Scored> all;
    for (uint64_t r = 0; r < lists.n_rows; r++) {
        for (uint64_t n = lists.offsets[r]; n < lists.offsets[r + 1]; n++) {
            all.push_back({lists.neighbors[n].score, static_cast<uint32_t>(r), lists.neighbors[n].row});
        }
    }
    pkin_neighbor_lists_free(&lists);
    return all;
}

/*
 * Rows whose columns are drawn as words are: few columns very often, many seldom. `empty` and `copies` are the shares
 * of rows without entries and of rows that repeat an earlier one.
 */
struct TestShape {
    uint64_t n_rows, n_columns;
    unsigned n_entries;
    double empty = 0.05, copies = 0.1;
};

inline TestMatrix random_matrix(const TestShape &shape, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    TestMatrix matrix;
    matrix.n_columns = shape.n_columns;
    for (uint64_t r = 0; r < shape.n_rows; r++) {
        TestRow row;
        if (r > 0 && uniform(random) < shape.copies) {
            row = matrix.rows[random() % r];
        } else if (shape.n_columns > 0 && uniform(random) >= shape.empty) {
            std::map<uint32_t, double> entries;
            for (unsigned e = 0; e < 1 + random() % shape.n_entries; e++) {
                double skewed = uniform(random);
                skewed = skewed * skewed * skewed;
                uint32_t column = static_cast<uint32_t>(skewed * static_cast<double>(shape.n_columns));
                entries[column] = 0.05 + uniform(random);
            }
            row.assign(entries.begin(), entries.end());
        }
        matrix.rows.push_back(row);
    }
    return matrix;
}

#endif
