/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_SUPPORT_SIMT_HOPPER_H
#define PKIN_TESTS_SUPPORT_SIMT_HOPPER_H

/*
 * The instructions of kernels/hopper.cuh on the emulator, written from the PTX ISA and not from the kernels that use
 * them: a second opinion about descriptors, swizzles, fragments and phases.
 *
 * Asynchronous means adversarial here. A copy of TMA happens some time after it was asked for, in any order, and for
 * each block of a multicast at another time: when a thread waits for an mbarrier, one of the cluster's open copies is
 * drawn and carried out, before it looks again. A product of wgmma reads shared memory and writes its values when it is
 * issued or when it is waited for, as drawn for its group. So a stage that is overwritten too early, values that are
 * read too early and barriers that are passed too early give other results.
 *
 * Ends the program at: a barrier used before it was initialised or overwritten since, more arrivals than a phase takes,
 * transaction counts beyond 2^20 - 1; copies that are not aligned or leave shared memory; products without a
 * wgmma.fence since the last group, whose descriptors differ between the threads of the warpgroup, or have another
 * swizzle; threads that end with products under way, or without a cluster barrier behind what they sent to another
 * block; clusters that end with copies under way. Waiting for a parity passes, as on the
 * device, when the phase before the current one has it. Not emulated: memory ordering, the registers that setmaxnreg
 * moves, other shapes and types.
 */
#include <map>
#include <random>
#include <vector>

#include "support/simt/simt.h"

namespace pkin {

/* What cuTensorMapEncodeTiled is told, for two dimensions of bytes, a swizzle of 128 bytes and zeroes outside. */
struct tensor_map {
    const unsigned char *base;
    uint64_t extents[2], row_bytes;
    uint32_t box[2];
    unsigned char unused[128 - 40];
};

inline tensor_map encode_tensor_map(const void *base, const uint64_t (&extents)[2], uint64_t row_bytes,
                                    const uint32_t (&box)[2]) {
    tensor_map map = {};
    map.base = static_cast<const unsigned char *>(base);
    for (int n = 0; n < 2; n++) map.extents[n] = extents[n], map.box[n] = box[n];
    map.row_bytes = row_bytes;
    const bool is_allowed = reinterpret_cast<uintptr_t>(base) % 16 == 0 && row_bytes % 16 == 0 && extents[0] > 0 &&
                            extents[1] > 0 && extents[0] <= row_bytes && box[0] <= 128 && box[0] % 16 == 0 &&
                            box[0] > 0 && box[1] > 0 && box[1] <= 256;
    if (!is_allowed) memset(&map, 0, sizeof map); /* cuTensorMapEncodeTiled says CUDA_ERROR_INVALID_VALUE */
    return map;
}

namespace hopper {

/* The window of shared memory begins at 0; the first KiB is the system's, dynamic shared memory stands behind it. */
constexpr uint32_t WINDOW = 1024;
constexpr int64_t TRANSACTIONS_MOST = (1 << 20) - 1;
constexpr uint64_t MARK = 0x5eed5eed5eed5eedu; /* stands where a barrier is */

struct mbarrier {
    uint32_t n_arrivals = 0; /* of every phase */
    uint32_t n_pending = 0;  /* of this one */
    int64_t n_bytes = 0;     /* expected, less those that came */
    uint64_t phase = 0;      /* the current one; those below are complete */
};

struct copy { /* of a box, to one block */
    tensor_map map;
    uint32_t to, barrier, block; /* offsets in dynamic shared memory */
    int64_t x, y;
};

struct product {
    int32_t *values;
    uint64_t a, b;
    bool adds;
};

struct thread_state {
    std::vector<product> open;                /* issued since the last commit */
    std::vector<std::vector<product>> groups; /* committed, the oldest first */
    bool is_fenced = false, is_early = false;
    bool has_sent = false; /* to another block, since the cluster's last barrier */
    uint64_t n_issued = 0;
};

struct issued { /* of a warpgroup: what its threads must agree on */
    uint64_t a, b;
    bool adds;
    uint32_t n_threads;
};

struct cluster_state {
    std::vector<copy> copies; /* not yet carried out */
    std::mt19937 random;
    ~cluster_state() {
        if (!copies.empty()) simt::fail("the cluster has ended with %zu copies under way", copies.size());
    }
};

struct block_extra {
    std::map<uint32_t, mbarrier> barriers;
    std::map<uint32_t, thread_state> threads;
    std::map<uint64_t, issued> agreed; /* by warpgroup << 56 | number */
    std::shared_ptr<cluster_state> cluster;
    ~block_extra() {
        for (const auto &thread : threads) {
            if (!thread.second.open.empty() || !thread.second.groups.empty()) {
                simt::fail("thread %u has ended with products under way", thread.first);
            }
            if (thread.second.has_sent) {
                simt::fail("thread %u has sent to another block, which may have ended: no cluster barrier behind it",
                           thread.first);
            }
        }
    }
};

/* Of the block of this rank; made at the first use. The first block's holds what the cluster shares. */
inline block_extra &extra_of(uint32_t rank) {
    simt::block_state &block = simt::peer_block(rank);
    if (!block.extra) {
        auto extra = std::make_shared<block_extra>();
        if (rank == 0) {
            extra->cluster = std::make_shared<cluster_state>();
            extra->cluster->random.seed(blockIdx.x * 977 + 1);
        } else {
            extra->cluster = extra_of(0).cluster;
        }
        block.extra = extra;
    }
    return *static_cast<block_extra *>(block.extra.get());
}
inline block_extra &own_extra() {
    return extra_of(simt::this_block().cluster_rank);
}

inline thread_state &own_state() {
    return own_extra().threads[simt::this_thread()];
}

/* Now and then a thread falls far behind the others, by some tiles of a kernel, as a warp of a device may. */
inline void dawdle() {
    if (own_extra().cluster->random() % 64 != 0) return;
    for (int n = 0; n < 100; n++) simt::yield();
}

inline uint32_t offset_of(const void *pointer, uint32_t n_bytes) {
    const simt::block_state &block = simt::this_block();
    const auto *byte = static_cast<const unsigned char *>(pointer);
    if (byte < block.shared || byte + n_bytes > block.shared + block.shared_bytes) {
        simt::fail("%u bytes at %p are not in the block's dynamic shared memory", n_bytes, pointer);
    }
    return static_cast<uint32_t>(byte - block.shared);
}

inline mbarrier &barrier_at(uint32_t rank, uint32_t offset) {
    block_extra &extra = extra_of(rank);
    const auto found = extra.barriers.find(offset);
    if (found == extra.barriers.end()) {
        simt::fail("there is no initialised mbarrier at byte %u of block %u", offset, rank);
    }
    uint64_t mark;
    memcpy(&mark, simt::peer_shared(rank) + offset, sizeof mark);
    if (mark != MARK) simt::fail("the mbarrier at byte %u of block %u has been overwritten", offset, rank);
    return found->second;
}

inline void complete_if_done(mbarrier &barrier) {
    if (barrier.n_pending == 0 && barrier.n_bytes == 0) barrier.phase++, barrier.n_pending = barrier.n_arrivals;
}

inline void add_bytes(mbarrier &barrier, int64_t n_bytes) {
    barrier.n_bytes += n_bytes;
    if (barrier.n_bytes > TRANSACTIONS_MOST || barrier.n_bytes < -TRANSACTIONS_MOST) {
        simt::fail("the mbarrier counts %lld bytes: out of range", static_cast<long long>(barrier.n_bytes));
    }
}

inline void arrive(mbarrier &barrier) {
    if (barrier.n_pending == 0) simt::fail("more arrivals than the %u of the mbarrier's phase", barrier.n_arrivals);
    barrier.n_pending--;
    complete_if_done(barrier);
}

/* Swizzle<128 bytes>: address bits 4 to 6 are changed by bits 7 to 9. */
inline uint32_t swizzled(uint32_t address) {
    return address ^ (address >> 7 & 7) << 4;
}

inline void carry_out(const copy &c) {
    unsigned char *const shared = simt::peer_shared(c.block);
    std::vector<unsigned char> line(c.map.box[0]);
    for (uint32_t row = 0; row < c.map.box[1]; row++) {
        const int64_t y = c.y + row;
        for (uint32_t byte = 0; byte < c.map.box[0]; byte++) {
            const int64_t x = c.x + byte;
            const bool is_inside = x >= 0 && y >= 0 && static_cast<uint64_t>(x) < c.map.extents[0] &&
                                   static_cast<uint64_t>(y) < c.map.extents[1];
            line[byte] = is_inside ? c.map.base[static_cast<uint64_t>(y) * c.map.row_bytes + static_cast<uint64_t>(x)]
                                   : static_cast<unsigned char>(0);
        }
        for (uint32_t byte = 0; byte < c.map.box[0]; byte += 16) {
            memcpy(shared + swizzled(c.to + row * c.map.box[0] + byte), &line[byte], 16);
        }
    }
    mbarrier &barrier = barrier_at(c.block, c.barrier);
    add_bytes(barrier, -static_cast<int64_t>(c.map.box[0]) * c.map.box[1]);
    complete_if_done(barrier);
}

inline void ask_copy(void *to, const tensor_map *map, uint64_t *barrier, int32_t x, int32_t y, uint32_t blocks) {
    const uint32_t n_bytes = map->box[0] * map->box[1];
    copy c = {*map, offset_of(to, n_bytes), offset_of(barrier, 8), 0, x, y};
    if (map->base == nullptr) simt::fail("the tensor map is not valid");
    if (c.to % 1024 != 0 || map->box[0] != 128) simt::fail("a box with a swizzle of 128 bytes begins at byte %u", c.to);
    for (uint32_t block = 0; blocks >> block != 0; block++) {
        if ((blocks >> block & 1) == 0) continue;
        if (block >= simt::this_block().cluster_size) simt::fail("the cluster has no block %u", block);
        c.block = block;
        if (block != simt::this_block().cluster_rank) own_state().has_sent = true;
        own_extra().cluster->copies.push_back(c);
    }
}

/* Bytes [depth, depth + 16) of row `row` of an operand: K-major, 128-byte swizzle. The leading offset has no meaning.
 */
inline void read_operand(uint64_t descriptor, uint32_t row, uint32_t depth, unsigned char *out) {
    const uint32_t start = (descriptor & 0x3fff) << 4, stride = (descriptor >> 32 & 0x3fff) << 4;
    const uint32_t address = swizzled(start + row / 8 * stride + row % 8 * 128 + depth) - WINDOW;
    const simt::block_state &block = simt::this_block();
    if (address + 16 > block.shared_bytes) simt::fail("wgmma reads beyond shared memory");
    memcpy(out, block.shared + address, 16);
}

/* Unchecked by sanitizers: most of the emulation's time is spent here. */
__attribute__((no_sanitize("address", "undefined"))) inline uint32_t dot(const unsigned char (&a)[32],
                                                                         const unsigned char (&b)[32]) {
    uint32_t sum = 0;
    for (uint32_t k = 0; k < 32; k++) sum += static_cast<uint32_t>(a[k]) * b[k];
    return sum;
}

/* The thread's part of D = A B + D, m64n256k32. */
inline void multiply(const product &p) {
    enum { DEPTH = 32 };
    const uint32_t thread = simt::this_thread() % 128, warp = thread / 32, lane = thread % 32;
    unsigned char a[2][DEPTH], b[2][DEPTH];
    for (uint32_t n = 0; n < 4; n++) {
        read_operand(p.a, 16 * warp + lane / 4 + 8 * (n / 2), n % 2 * 16, a[n / 2] + n % 2 * 16);
    }
    for (uint32_t n = 0; n < 256; n += 8) {
        for (uint32_t m = 0; m < 4; m++) {
            read_operand(p.b, n + lane % 4 * 2 + m / 2, m % 2 * 16, b[m / 2] + m % 2 * 16);
        }
        for (uint32_t e = 0; e < 4; e++) { /* d[n/2 + e]: row + 8 (e / 2), column n + 2 (lane % 4) + e % 2 */
            const uint32_t sum = dot(a[e / 2], b[e % 2]);
            int32_t &value = p.values[n / 2 + e];
            value = static_cast<int32_t>(sum + (p.adds ? static_cast<uint32_t>(value) : 0));
        }
    }
}

inline void agree(uint64_t a, uint64_t b, bool adds) {
    block_extra &extra = own_extra();
    const uint64_t number = extra.threads[simt::this_thread()].n_issued++;
    const uint64_t key = static_cast<uint64_t>(simt::this_thread() / 128) << 56 | number;
    const auto place = extra.agreed.emplace(key, issued{a, b, adds, 0}).first;
    issued &first = place->second;
    if (first.a != a || first.b != b || first.adds != adds)
        simt::fail("threads of a warpgroup multiply different things");
    if (++first.n_threads == 128) extra.agreed.erase(place);
}

inline void wait_groups(size_t n_pending) {
    thread_state &own = own_state();
    if (!own.open.empty()) simt::fail("wgmma.wait_group with products that are in no group");
    while (own.groups.size() > n_pending) {
        for (const product &p : own.groups.front()) multiply(p);
        own.groups.erase(own.groups.begin());
    }
}

} // namespace hopper

[[noreturn]] inline void trap() {
    simt::fail("trap");
}

inline uint32_t shared_address(const void *pointer) {
    return hopper::WINDOW + hopper::offset_of(pointer, 0);
}

inline uint32_t cluster_rank() {
    return simt::this_block().cluster_rank;
}
inline void cluster_sync(PKIN_SIMT_SITE) {
    hopper::own_state().has_sent = false;
    simt::cluster_arrive(file, line);
    simt::cluster_wait(file, line);
}
inline bool elect_one(PKIN_SIMT_SITE) { /* any lane, the same whenever it is asked */
    simt::warp_exchange(0xffffffffu, 0, "elect.sync", file, line);
    return simt::this_lane() == 5;
}
inline void named_barrier_sync(uint32_t id, uint32_t n_threads, PKIN_SIMT_SITE) {
    if (id < 1 || id > 15) simt::fail("named barrier %u: 1 to 15 are free", id);
    simt::named_barrier_sync(id, n_threads, file, line);
    hopper::dawdle();
}

template <uint32_t n_registers> void registers_shrink(PKIN_SIMT_SITE) {
    static_assert(n_registers >= 24 && n_registers <= 256 && n_registers % 8 == 0, "setmaxnreg");
    simt::warpgroup_sync("setmaxnreg", file, line);
}
template <uint32_t n_registers> void registers_grow(PKIN_SIMT_SITE) {
    static_assert(n_registers >= 24 && n_registers <= 256 && n_registers % 8 == 0, "setmaxnreg");
    simt::warpgroup_sync("setmaxnreg", file, line);
}

inline void barrier_init(uint64_t *barrier, uint32_t n_arrivals) {
    hopper::mbarrier state;
    state.n_arrivals = state.n_pending = n_arrivals;
    if (reinterpret_cast<uintptr_t>(barrier) % 8 != 0 || n_arrivals == 0) simt::fail("mbarrier.init is not allowed so");
    hopper::own_extra().barriers[hopper::offset_of(barrier, 8)] = state;
    memcpy(barrier, &hopper::MARK, sizeof hopper::MARK);
}
inline void barrier_init_fence() {}
inline void barrier_expect(uint64_t *barrier, uint32_t n_bytes) {
    hopper::mbarrier &state = hopper::barrier_at(cluster_rank(), hopper::offset_of(barrier, 8));
    hopper::add_bytes(state, n_bytes); /* first the bytes, then the arrival */
    hopper::arrive(state);
    simt::yield_now_and_then();
}
inline void barrier_arrive_at(uint64_t *barrier, uint32_t block) {
    simt::yield_now_and_then();
    if (block >= simt::this_block().cluster_size) simt::fail("the cluster has no block %u", block);
    hopper::arrive(hopper::barrier_at(block, hopper::offset_of(barrier, 8)));
    if (block != cluster_rank()) hopper::own_state().has_sent = true;
}
inline void barrier_wait(uint64_t *barrier, uint32_t parity, PKIN_SIMT_SITE) {
    hopper::cluster_state &cluster = *hopper::own_extra().cluster;
    const hopper::mbarrier &state = hopper::barrier_at(cluster_rank(), hopper::offset_of(barrier, 8));
    /* The phase of this parity: the current one, or the one before, which is complete. */
    simt::yield_now_and_then();
    while (state.phase % 2 == parity) {
        if (cluster.copies.empty()) {
            simt::wait_until([&] { return state.phase % 2 != parity || !cluster.copies.empty(); }, "mbarrier phase",
                             file, line);
            continue;
        }
        const size_t n = cluster.random() % cluster.copies.size();
        const hopper::copy drawn = cluster.copies[n];
        cluster.copies.erase(cluster.copies.begin() + static_cast<ptrdiff_t>(n));
        hopper::carry_out(drawn);
        simt::yield_now_and_then();
    }
}

inline void tma_prefetch(const tensor_map *) {}
inline void tma_load(void *to, const tensor_map *map, uint64_t *barrier, int32_t x, int32_t y) {
    hopper::ask_copy(to, map, barrier, x, y, 1u << cluster_rank());
}
inline void tma_load_multicast(void *to, const tensor_map *map, uint64_t *barrier, int32_t x, int32_t y,
                               uint16_t blocks) {
    hopper::ask_copy(to, map, barrier, x, y, blocks);
}

/* All of wgmma is .sync.aligned: a warp's threads wait for one another there, those of the warpgroup do not. */
inline void wgmma_fence(PKIN_SIMT_SITE) {
    simt::warp_exchange(0xffffffffu, 0, "wgmma.fence", file, line);
    hopper::own_state().is_fenced = true;
}
inline void wgmma_m64n256k32_u8(int32_t (&values)[128], uint64_t a, uint64_t b, bool adds, PKIN_SIMT_SITE) {
    simt::warp_exchange(0xffffffffu, 0, "wgmma.mma_async", file, line);
    if (a >> 62 != 1 || b >> 62 != 1) simt::fail("a descriptor without a swizzle of 128 bytes");
    hopper::thread_state &own = hopper::own_state();
    if (!own.is_fenced) simt::fail("wgmma.mma_async without a wgmma.fence since the last group");
    hopper::agree(a, b, adds);
    const hopper::product asked = {values, a, b, adds};
    if (own.open.empty()) own.is_early = own.groups.empty() && hopper::own_extra().cluster->random() % 2 == 0;
    if (own.is_early) {
        hopper::multiply(asked);
    } else {
        own.open.push_back(asked);
    }
}
inline void wgmma_commit(PKIN_SIMT_SITE) {
    simt::warp_exchange(0xffffffffu, 0, "wgmma.commit_group", file, line);
    hopper::thread_state &own = hopper::own_state();
    own.groups.push_back(own.open);
    own.open.clear();
    own.is_fenced = false;
}
template <int n_pending> void wgmma_wait(PKIN_SIMT_SITE) {
    hopper::wait_groups(n_pending);
    simt::warp_exchange(0xffffffffu, 0, "wgmma.wait_group", file, line);
}
inline void wgmma_wait_all(int32_t (&)[128], PKIN_SIMT_SITE) {
    wgmma_wait<0>(file, line);
}

} // namespace pkin

#endif
