/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_UNIT_KERNELS_SCORE_ORACLE_H
#define PKIN_TESTS_UNIT_KERNELS_SCORE_ORACLE_H

/* Rows as shards on a device, heaps there, and what scoring has to give: by maps and sorting. */
#include <map>
#include <set>
#include <tuple>

#include "filter_oracle.h"

namespace pkin_test {

/* Ascending columns with weights: a row in fixed point. */
using fixed_row = std::map<uint32_t, uint32_t>;

inline uint64_t score_of(const fixed_row &x, const fixed_row &y) {
    uint64_t score = 0;
    for (const auto &entry : x) {
        const auto found = y.find(entry.first);
        if (found != y.end()) score += uint64_t(entry.second) * found->second;
    }
    return score;
}

/* Random rows of about n entries below n_columns, frequent columns first; weights such that squares stay below 2^60. */
inline fixed_row random_row(std::mt19937_64 &random, uint32_t n, uint32_t n_columns) {
    fixed_row row;
    const double most = 1073741824.0 / std::sqrt(double(std::max(n, 1u)));
    for (uint32_t e = 0; e < n; e++) {
        const double skewed = std::pow(double(random() % 1000000) / 1e6, 2);
        row[uint32_t(skewed * n_columns)] = 1 + uint32_t(random() % uint64_t(most));
    }
    return row;
}

/* Rows of a side that begin with number `first`, in arrays without a byte more than they need. */
struct device_rows {
    std::vector<fixed_row> rows;
    uint64_t first;
    device_array<uint64_t> offsets;
    device_array<uint32_t> columns, weights;

    device_rows(const std::vector<fixed_row> &in, uint64_t in_first)
        : rows(in), first(in_first), offsets(in.size() + 1), columns(count(in)), weights(count(in)) {
        uint64_t at = 0;
        for (size_t r = 0; r < rows.size(); r++) {
            for (const auto &entry : rows[r]) {
                columns[at] = entry.first;
                weights[at++] = entry.second;
            }
            offsets[r + 1] = at;
        }
    }
    static size_t count(const std::vector<fixed_row> &rows) {
        size_t n = 0;
        for (const fixed_row &row : rows) n += row.size();
        return n;
    }
    pkin_i_gpu_rows view() const {
        pkin_i_gpu_rows out = {};
        out.first = first;
        out.n_rows = uint32_t(rows.size());
        out.offsets = offsets.data();
        out.columns = columns.data();
        out.weights = weights.data();
        return out;
    }
    const fixed_row &of_side(uint64_t row) const {
        return rows.at(row - first);
    }
};

/* Heaps as a device has them: dirty before they begin. */
struct device_heaps {
    device_array<uint64_t> scores, thresholds;
    device_array<uint32_t> neighbors, counts, locks;
    device_array<int32_t> limits;
    pkin_i_gpu_heaps view = {};

    device_heaps(uint64_t n_rows, uint32_t k, pkin_i_gpu_coding coding = PKIN_I_GPU_PLAIN)
        : scores(n_rows * k, 0xA5A5A5A5A5A5A5A5), thresholds(n_rows, 0xA5A5A5A5A5A5A5A5),
          neighbors(n_rows * k, 0xA5A5A5A5), counts(n_rows, 0xA5A5A5A5), locks(n_rows, 0xA5A5A5A5), limits(n_rows, -1) {
        view = {n_rows,        k,           coding, scores.data(), neighbors.data(), counts.data(), thresholds.data(),
                limits.data(), locks.data()};
    }
};

/* Score descending, then neighbour ascending. */
using ranked = std::set<std::pair<uint64_t, uint32_t>,
                        bool (*)(const std::pair<uint64_t, uint32_t> &, const std::pair<uint64_t, uint32_t> &)>;

inline bool ranks_before(const std::pair<uint64_t, uint32_t> &x, const std::pair<uint64_t, uint32_t> &y) {
    return x.first != y.first ? x.first > y.first : x.second < y.second;
}

/* All that was offered to each row; what its heap must hold are the first k. */
struct heap_oracle {
    std::vector<ranked> offered;
    uint64_t min_score;

    heap_oracle(uint64_t n_rows, uint64_t in_min_score)
        : offered(n_rows, ranked(ranks_before)), min_score(in_min_score) {}
    void offer(uint64_t row, uint32_t neighbor, uint64_t score) {
        if (score >= min_score) offered[row].insert({score, neighbor});
    }
    /* "" or what is wrong. */
    std::string compare(const device_heaps &heaps) const {
        const pkin_i_gpu_heaps &view = heaps.view;
        for (uint64_t row = 0; row < view.n_rows; row++) {
            const std::string where = "row " + std::to_string(row) + ": ";
            const size_t n = std::min<size_t>(view.k, offered[row].size());
            if (view.counts[row] != n) return where + std::to_string(view.counts[row]) + " neighbours";
            ranked held(ranks_before), wanted(ranks_before);
            for (size_t at = 0; at < n; at++) {
                held.insert({view.scores[row * view.k + at], view.neighbors[row * view.k + at]});
                wanted.insert(*std::next(offered[row].begin(), long(at)));
            }
            if (held != wanted) return where + "other neighbours";
            const uint64_t threshold = n == view.k ? std::prev(wanted.end())->first : min_score;
            if (view.thresholds[row] != threshold) return where + "another threshold";
            if (view.limits[row] != pkin_i_gpu_limit(view.coding, threshold)) return where + "another limit";
            if (view.locks[row] != 0) return where + "locked";
        }
        return "";
    }
};

} // namespace pkin_test

#endif
