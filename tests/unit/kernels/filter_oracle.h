/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_UNIT_KERNELS_FILTER_ORACLE_H
#define PKIN_TESTS_UNIT_KERNELS_FILTER_ORACLE_H

/* What a filter has to find, by a loop over all pairs; and memory as a device gives it. */
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "kernels/append.cuh"

namespace pkin_test {

/* `n` values in memory aligned to 1024, without a byte more, so that AddressSanitizer sees what goes too far. */
template <class T> class device_array {
  public:
    explicit device_array(size_t n, T value = T()) : n_(n) {
        void *memory = nullptr;
        if (posix_memalign(&memory, 1024, std::max<size_t>(1, n * sizeof(T))) != 0) abort();
        memory_.reset(static_cast<T *>(memory));
        std::fill(begin(), end(), value);
    }
    T *data() const {
        return memory_.get();
    }
    size_t size() const {
        return n_;
    }
    T *begin() const {
        return data();
    }
    T *end() const {
        return data() + n_;
    }
    T &operator[](size_t k) const {
        return data()[k];
    }

  private:
    struct release {
        void operator()(T *memory) const {
            free(memory);
        }
    };
    size_t n_;
    std::unique_ptr<T, release> memory_;
};

/* Two shards' sizes and what is wanted of them. */
struct filter_case {
    uint32_t n_rows, n_columns, dimension;
    uint64_t row_first, column_first;
    uint32_t row_begin, row_end, column_begin, column_end;
    bool within;
};

inline uint32_t padded(uint32_t n) {
    return (n + PKIN_I_GPU_ROWS_STEP - 1) / PKIN_I_GPU_ROWS_STEP * PKIN_I_GPU_ROWS_STEP;
}

/*
 * Sketches as q in [0, top]: mostly zeroes, some rows nearly equal to earlier ones, a row of zeroes, one of the highest
 * bytes, and zero rows behind the last.
 */
inline device_array<uint8_t> random_sketches(uint32_t n_rows, uint32_t dimension, int top, uint64_t seed) {
    std::mt19937_64 random(seed);
    device_array<uint8_t> out((size_t)padded(n_rows) * dimension);
    for (size_t row = 0; row < n_rows; row++) {
        uint8_t *bytes = &out[row * dimension];
        const bool is_copy = row > 0 && random() % 4 == 0;
        if (is_copy) std::copy_n(&out[random() % row * dimension], dimension, bytes);
        for (uint32_t b = 0; b < dimension; b++) {
            if (random() % (is_copy ? 40 : 8) == 0) bytes[b] = (uint8_t)(random() % (uint64_t)(top + 1));
        }
        if (row == n_rows / 2) std::fill_n(bytes, dimension, 0);
        if (row == n_rows / 3) std::fill_n(bytes, dimension, (uint8_t)top);
    }
    return out;
}

inline int32_t product_of(const device_array<uint8_t> &rows, const device_array<uint8_t> &columns, uint32_t dimension,
                          uint32_t row, uint32_t column) {
    int32_t sum = 0;
    for (uint32_t b = 0; b < dimension; b++) {
        sum += rows[(size_t)row * dimension + b] * columns[(size_t)column * dimension + b];
    }
    return sum;
}

using found_pairs = std::vector<std::pair<uint32_t, uint32_t>>;

/* The pairs (rows of the sides) with a hit among those that count, sorted. */
inline found_pairs expected_pairs(const filter_case &c, const std::function<bool(uint32_t, uint32_t)> &is_hit) {
    found_pairs out;
    for (uint32_t row = c.row_begin; row < c.row_end; row++) {
        for (uint32_t column = c.column_begin; column < c.column_end; column++) {
            const uint64_t i = c.row_first + row, j = c.column_first + column;
            if (c.within && i >= j) continue;
            if (is_hit(row, column)) out.emplace_back((uint32_t)i, (uint32_t)j);
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

/* Where a filter writes to; `n_before` candidates are there already. */
struct filter_output {
    device_array<pkin_i_gpu_candidate> found;
    device_array<uint64_t> n_found;
    size_t n_before;

    explicit filter_output(size_t capacity, size_t in_before = 0)
        : found(capacity, pkin_i_gpu_candidate{0xdeadbeef, 0xdeadbeef}), n_found(1, in_before), n_before(in_before) {}
    found_pairs pairs() const {
        found_pairs out;
        for (size_t k = n_before; k < std::min<size_t>(n_found[0], found.size()); k++) {
            out.emplace_back(found[k].i, found[k].j);
        }
        std::sort(out.begin(), out.end());
        return out;
    }
};

/* Limits by row of a side that begins `first` rows before the shard: nothing before or behind may be read. */
struct side_limits {
    device_array<int32_t> values;
    uint64_t first;

    side_limits(uint64_t in_first, uint32_t n_rows, int32_t top, uint64_t seed) : values(n_rows), first(in_first) {
        std::mt19937_64 random(seed);
        for (int32_t &value : values) {
            value = random() % 10 == 0 ? INT32_MAX : 1 + (int32_t)(random() % (uint64_t)top);
        }
    }
    const int32_t *by_row_of_side() const {
        return reinterpret_cast<const int32_t *>(reinterpret_cast<uintptr_t>(values.data()) - first * 4);
    }
};

inline pkin::filter_target target_of(const filter_case &c, const filter_output &output) {
    pkin_i_gpu_rows rows = {}, columns = {};
    rows.first = c.row_first, rows.n_rows = c.n_rows;
    columns.first = c.column_first, columns.n_rows = c.n_columns;
    pkin_i_gpu_filter_work work = {};
    work.rows = &rows, work.columns = &columns;
    work.row_begin = c.row_begin, work.row_end = c.row_end;
    work.column_begin = c.column_begin, work.column_end = c.column_end;
    work.within = c.within;
    work.limit = 1;
    work.found = output.found.data();
    work.capacity = output.found.size();
    work.n_found = output.n_found.data();
    return pkin::filter_target_of(work);
}

enum limit_kind { ONE_LIMIT, ROW_LIMITS, BOTH_LIMITS };

/* A case's sketches, limits and products. */
struct filter_fixture {
    filter_case c;
    device_array<uint8_t> rows, columns;
    side_limits row_limits, column_limits;
    mutable std::vector<int32_t> products; /* of all pairs, once they are asked for */

    explicit filter_fixture(const filter_case &in)
        : c(in), rows(random_sketches(c.n_rows, c.dimension, 255, 1)),
          columns(random_sketches(c.n_columns, c.dimension, 255, 2)),
          row_limits(c.row_first, c.n_rows, (int32_t)c.dimension * 900, 3),
          column_limits(c.column_first, c.n_columns, (int32_t)c.dimension * 900, 4) {}
    int32_t limit_of(limit_kind kind, int32_t limit, uint32_t row, uint32_t column) const {
        if (kind == ONE_LIMIT) return limit;
        if (kind == ROW_LIMITS) return row_limits.values[row];
        return std::min(row_limits.values[row], column_limits.values[column]);
    }
    found_pairs expected(limit_kind kind, int32_t limit) const {
        if (products.empty()) {
            for (uint32_t row = 0; row < c.n_rows; row++) {
                for (uint32_t column = 0; column < c.n_columns; column++) {
                    products.push_back(product_of(rows, columns, c.dimension, row, column));
                }
            }
        }
        return expected_pairs(c, [&](uint32_t row, uint32_t column) {
            return products[(size_t)row * c.n_columns + column] >= limit_of(kind, limit, row, column);
        });
    }
};

} // namespace pkin_test

#endif
