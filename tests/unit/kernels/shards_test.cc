/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mman.h>

#include <random>

#include "gpu_session_support.h"

extern "C" {
#include "kernels/gpu_shards.h"
}

namespace {

std::vector<pkin_i_gpu_shard> cut(const pkin_i_gpu_shards_want &want, pkin_status expected = PKIN_OK) {
    pkin_i_gpu_shard *shards = nullptr;
    uint32_t n = 0;
    EXPECT_EQ(pkin_i_gpu_shards_cut(&want, &shards, &n), expected);
    std::vector<pkin_i_gpu_shard> all(shards, shards + n);
    pkin_i_free(shards);
    return all;
}

uint64_t bytes_of(const pkin_i_gpu_shards_want &want, const pkin_i_gpu_shard &shard) {
    const pkin_vectors *side = shard.side == 0 ? want.a : want.b;
    return pkin_i_gpu_shard_lay_out(shard.last - shard.first,
                                    side->row_offsets[shard.last] - side->row_offsets[shard.first], want.dimension,
                                    want.coding)
        .bytes;
}

/* Every row of both sides once and in order; each shard within its bounds, and none that could have taken more. */
void expect_good_cut(const pkin_i_gpu_shards_want &want) {
    const std::vector<pkin_i_gpu_shard> shards = cut(want);
    uint64_t next[2] = {0, 0};
    int side = 0;
    for (const pkin_i_gpu_shard &shard : shards) {
        ASSERT_GE(shard.side, side);
        side = shard.side;
        const pkin_vectors *rows = side == 0 ? want.a : want.b;
        ASSERT_EQ(shard.first, next[side]);
        ASSERT_GT(shard.last, shard.first);
        ASSERT_EQ(shard.first % PKIN_I_GPU_ROWS_STEP, 0u);
        ASSERT_LE(bytes_of(want, shard), want.most_bytes);
        const uint64_t n_rows = shard.last - shard.first, step = PKIN_I_GPU_ROWS_STEP;
        ASSERT_TRUE(!want.most_rows || n_rows <= (want.most_rows + step - 1) / step * step);
        next[side] = shard.last;
        if (shard.last == rows->n_rows) continue;
        ASSERT_EQ(shard.last % step, 0u);
        const pkin_i_gpu_shard larger = {side, shard.first, std::min(rows->n_rows, shard.last + step)};
        ASSERT_TRUE(bytes_of(want, larger) > want.most_bytes ||
                    (want.most_rows && larger.last - larger.first > want.most_rows));
    }
    ASSERT_EQ(next[0], want.a->n_rows);
    ASSERT_EQ(next[1], want.b ? want.b->n_rows : 0);
}

TEST(GpuShards, HoldEveryRowOnceWithinTheirBounds) {
    TestVectors v(random_matrix({3000, 300, 40}, 1)), w(random_matrix({1000, 300, 5}, 2));
    for (const pkin_vectors *b :
         {static_cast<const pkin_vectors *>(nullptr), static_cast<const pkin_vectors *>(w.vectors)}) {
        for (pkin_i_gpu_coding coding : {PKIN_I_GPU_PLAIN, PKIN_I_GPU_SHIFTED}) {
            pkin_i_gpu_shards_want want = {v.vectors, b, 64, coding, 0, UINT64_MAX};
            EXPECT_EQ(cut(want).size(), b ? 2u : 1u);
            expect_good_cut(want);
            for (uint64_t rows : {1u, 256u, 257u, 1000u}) {
                want.most_rows = rows;
                expect_good_cut(want);
            }
            want.most_rows = 0;
            const uint64_t least = pkin_i_gpu_shards_step_bytes(&want);
            for (uint64_t bytes : {least, least + 1, 3 * least, 7 * least}) {
                want.most_bytes = bytes;
                expect_good_cut(want);
            }
            want.most_bytes = least - 1;
            EXPECT_TRUE(cut(want, PKIN_ERROR_OUT_OF_MEMORY).empty());
        }
    }
}

/* So many rows that nobody has: their offsets are zeroes that no memory stands behind. */
TEST(GpuShards, HoldNoMoreRowsThanKernelsCount) {
    const uint64_t n_rows = (UINT64_C(1) << 30) + 300, n_bytes = (n_rows + 1) * sizeof(uint64_t);
    void *zeroes = mmap(nullptr, n_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (zeroes == MAP_FAILED) GTEST_SKIP() << "no addresses for so many rows";
    madvise(zeroes, n_bytes, MADV_HUGEPAGE); /* quicker where it can be had */
    pkin_vectors v = {};
    v.n_rows = n_rows;
    v.row_offsets = static_cast<uint64_t *>(zeroes);
    const std::vector<pkin_i_gpu_shard> shards = cut({&v, nullptr, 64, PKIN_I_GPU_PLAIN, 0, UINT64_MAX});
    ASSERT_EQ(shards.size(), 2u);
    EXPECT_EQ(shards[0].last, UINT64_C(1) << 30);
    EXPECT_EQ(shards[1].first, UINT64_C(1) << 30);
    EXPECT_EQ(shards[1].last, n_rows);
    munmap(zeroes, n_bytes);
}

TEST(GpuShards, OfNothingAreNone) {
    TestVectors none(random_matrix({0, 10, 3}, 1)), some(random_matrix({5, 10, 3}, 1));
    EXPECT_TRUE(cut({none.vectors, nullptr, 64, PKIN_I_GPU_PLAIN, 0, 1 << 20}).empty());
    EXPECT_EQ(cut({none.vectors, some.vectors, 64, PKIN_I_GPU_PLAIN, 0, 1 << 20}).size(), 1u);
}

/* Arrays lie behind one another, aligned, each with the room that gpu_device.h asks for. */
TEST(GpuShards, ArraysDoNotOverlap) {
    for (uint64_t n_rows : {1u, 255u, 256u, 257u}) {
        for (uint64_t n_entries : {0u, 1u, 1000u}) {
            for (pkin_i_gpu_coding coding : {PKIN_I_GPU_PLAIN, PKIN_I_GPU_SHIFTED, PKIN_I_GPU_SEVEN}) {
                const pkin_i_gpu_shard_layout at = pkin_i_gpu_shard_lay_out(n_rows, n_entries, 192, coding);
                const uint64_t n_places = n_rows <= 256 ? 256 : 512;
                std::vector<std::pair<uint64_t, uint64_t>> arrays = {{at.sketches, n_places * 192},
                                                                     {at.offsets, (n_rows + 1) * 8},
                                                                     {at.columns, n_entries * 4},
                                                                     {at.weights, n_entries * 4}};
                if (coding == PKIN_I_GPU_SHIFTED) arrays.push_back({at.sums, n_places * 4});
                arrays.push_back({at.bytes, 0});
                std::sort(arrays.begin(), arrays.end());
                for (size_t k = 0; k + 1 < arrays.size(); k++) {
                    EXPECT_EQ(arrays[k].first % 1024, 0u);
                    EXPECT_LE(arrays[k].first + arrays[k].second, arrays[k + 1].first);
                }
            }
        }
    }
}

/* What fits is brought up once; what does not comes again, but no more often than pairs of shards ask for. */
TEST(GpuShards, AreLoadedAsOftenAsNeeded) {
    TestVectors v(random_matrix({2048, 100, 10}, 3));
    const uint64_t n_shards = 8;
    for (uint32_t slots : {2u, 4u, 7u, 8u, 0u}) {
        HostDevices devices;
        GpuWay way;
        way.tuning.shard_rows = 256;
        way.tuning.shard_slots = slots;
        GpuSession session(devices.driver(), v.vectors, nullptr, way);
        EXPECT_EQ(session.join(pkin_score_from_threshold(0.3)),
                  oracle_join(v.vectors, nullptr, pkin_score_from_threshold(0.3)));
        const uint64_t n_loaded = uint64_t(devices.n_calls("sketch"));
        if (slots == 0 || slots == 8) {
            EXPECT_EQ(n_loaded, n_shards);
        } else {
            EXPECT_GE(n_loaded, n_shards);
            EXPECT_LE(n_loaded, n_shards * (n_shards + 1)) << slots;
        }
        const uint64_t n_entries = v.vectors->row_offsets[v.vectors->n_rows];
        EXPECT_GE(session.outcome.bytes_up, 8 * n_entries);
        session.close();
        EXPECT_EQ(devices.faults(), "");
    }
}

} // namespace
