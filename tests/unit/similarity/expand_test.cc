/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

extern "C" {
#include "paperkin/generate.h"
#include "similarity/expand_pairs.h"
}

namespace {

/* Groups of given sizes, whose rows are dealt out at random. */
struct Groups {
    std::vector<uint64_t> offsets = {0};
    std::vector<uint32_t> members;
    pkin_i_distinct_rows rows = {};

    Groups(uint32_t n_groups, unsigned most, std::mt19937 &random) {
        for (uint32_t g = 0; g < n_groups; g++) {
            const unsigned n = 1 + random() % most;
            rows.most_members = std::max<uint64_t>(rows.most_members, n);
            offsets.push_back(offsets.back() + n);
        }
        members.resize(offsets.back());
        for (uint32_t r = 0; r < members.size(); r++) members[r] = r;
        std::shuffle(members.begin(), members.end(), random);
        for (uint32_t g = 0; g < n_groups; g++) {
            std::sort(members.begin() + (long)offsets[g], members.begin() + (long)offsets[g + 1]);
        }
        rows.rows.n_rows = n_groups;
        rows.offsets = offsets.data();
        rows.members = members.data();
    }
};

bool before(const pkin_pair &x, const pkin_pair &y) {
    if (x.score != y.score) return x.score > y.score;
    return x.i != y.i ? x.i < y.i : x.j < y.j;
}

bool is_same(const pkin_pair &x, const pkin_pair &y) {
    return x.score == y.score && x.i == y.i && x.j == y.j;
}

/* Different pairs of groups, in no order, few scores among them. */
std::vector<pkin_pair> some_pairs(const Groups &a, const Groups *b, size_t n, std::mt19937 &random) {
    std::vector<pkin_pair> pairs;
    const uint32_t n_a = (uint32_t)a.rows.rows.n_rows, n_b = b ? (uint32_t)b->rows.rows.n_rows : n_a;
    for (size_t p = 0; p < n; p++) {
        uint32_t i = random() % n_a, j = random() % n_b;
        if (!b && i > j) std::swap(i, j);
        pairs.push_back({1 + (i * 31 + j) % 97, i, j});
    }
    std::sort(pairs.begin(), pairs.end(), before);
    pairs.erase(std::unique(pairs.begin(), pairs.end(), is_same), pairs.end());
    std::shuffle(pairs.begin(), pairs.end(), random);
    return pairs;
}

/* One after another, from sorted pairs. */
std::vector<pkin_pair> expand_by_cursors(const Groups &a, const Groups *b, std::vector<pkin_pair> pairs) {
    std::vector<pkin_pair> out, batch(1000);
    std::sort(pairs.begin(), pairs.end(), before);
    const pkin_i_pair_run run = {pairs.data(), -1, "memory", 0, pairs.size()};
    pkin_i_pair_merge *merge = nullptr;
    pkin_i_expansion *expansion = nullptr;
    EXPECT_EQ(pkin_i_pair_merge_open(&run, 1, 0, nullptr, &merge), PKIN_OK);
    EXPECT_EQ(pkin_i_expansion_open(&a.rows, b ? &b->rows : nullptr, merge, &expansion), PKIN_OK);
    for (size_t n = 1; n > 0;) {
        EXPECT_EQ(pkin_i_expansion_next(expansion, batch.data(), batch.size(), &n), PKIN_OK);
        out.insert(out.end(), batch.begin(), batch.begin() + (long)n);
    }
    pkin_i_expansion_close(expansion);
    pkin_i_pair_merge_close(merge);
    return out;
}

std::vector<pkin_pair> expand_at_once(const Groups &a, const Groups *b, const std::vector<pkin_pair> &pairs,
                                      int n_threads) {
    const pkin_i_distinct_rows *other = b ? &b->rows : nullptr;
    std::vector<uint64_t> begins(pkin_i_expand_portions(pairs.size()) + 1);
    pkin_i_pairs_count(&a.rows, other, pairs.data(), pairs.size(), n_threads, begins.data());
    uint64_t total = 0;
    for (uint64_t &begin : begins) {
        const uint64_t n = &begin == &begins.back() ? 0 : begin;
        begin = total;
        total += n;
    }
    std::vector<pkin_pair> out(total);
    pkin_i_pairs_expand(&a.rows, other, pairs.data(), pairs.size(), n_threads, begins.data(), out.data());
    std::sort(out.begin(), out.end(), before);
    return out;
}

void expect_equal(const std::vector<pkin_pair> &x, const std::vector<pkin_pair> &y) {
    ASSERT_EQ(x.size(), y.size());
    for (size_t p = 0; p < x.size(); p++) ASSERT_TRUE(is_same(x[p], y[p])) << "pair " << p;
}

TEST(Expand, AtOnceIsAsOneAfterAnother) {
    std::mt19937 random(5);
    for (const size_t n : {size_t(0), size_t(1), size_t(300), size_t(3 * PKIN_I_EXPAND_PAIRS)}) {
        const Groups a(600, 4, random), b(500, 3, random);
        for (const Groups *other : {(const Groups *)nullptr, &b}) {
            const std::vector<pkin_pair> pairs = some_pairs(a, other, n, random);
            const std::vector<pkin_pair> expected = expand_by_cursors(a, other, pairs);
            EXPECT_GE(expected.size(), pairs.size() + (n > 1));
            for (const int n_threads : {1, 4}) expect_equal(expand_at_once(a, other, pairs, n_threads), expected);
        }
    }
}

/* Joins in memory expand before they sort where few rows have copies; what they hand on comes from cursors. */
TEST(Expand, JoinsGiveWhatTheyHandOn) {
    for (const double share : {0.0, 0.05, 0.6}) {
        pkin_generate_options options = pkin_generate_options_default();
        options.n_rows = 3000;
        options.copy_share = share;
        options.near_copy_share = 0.2;
        pkin_vectors *vectors = nullptr;
        ASSERT_EQ(pkin_vectors_generate(&options, &vectors), PKIN_OK);
        pkin_pair_list list;
        std::vector<pkin_pair> streamed;
        const auto take = [](void *user, const pkin_pair *pairs, size_t n) {
            auto *out = static_cast<std::vector<pkin_pair> *>(user);
            out->insert(out->end(), pairs, pairs + n);
            return 0;
        };
        ASSERT_EQ(pkin_similarity_join(vectors, nullptr, 0.3, nullptr, &list), PKIN_OK);
        ASSERT_EQ(pkin_similarity_join_each(vectors, nullptr, 0.3, nullptr, take, &streamed), PKIN_OK);
        EXPECT_GT(list.n_pairs, 100u);
        expect_equal(std::vector<pkin_pair>(list.pairs, list.pairs + list.n_pairs), streamed);
        pkin_pair_list_free(&list);
        pkin_vectors_free(vectors);
    }
}

} // namespace
