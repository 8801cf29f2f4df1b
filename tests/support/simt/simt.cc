/* SPDX-License-Identifier: Apache-2.0 */
#include "support/simt/simt.h"

#include <sys/mman.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#ifndef __x86_64__
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define PKIN_SIMT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PKIN_SIMT_ASAN 1
#endif
#endif
#ifdef PKIN_SIMT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#ifdef PKIN_SIMT_TSAN
#ifdef __SANITIZE_THREAD__
#error "simt.cc is the scheduler, which ThreadSanitizer must not follow: compile it with -fno-sanitize=thread"
#endif
#include <sanitizer/tsan_interface.h>
#endif

__thread uint3 threadIdx, blockIdx, blockDim, gridDim;

namespace simt {
namespace {

/* ---- Switching stacks ---- */

#ifdef PKIN_SIMT_ASAN
constexpr size_t STACK_BYTES = 256 << 10; /* frames are larger with red zones */
#else
constexpr size_t STACK_BYTES = 64 << 10;
#endif
constexpr size_t GUARD_BYTES = 4096;
/* Stacks begin at different lines of a page, or their tops would all compete for the same lines of the cache. */
constexpr size_t STACK_COLORS = 16, COLOR_BYTES = 256;

#ifdef __x86_64__
/* Callee-saved registers go onto the stack, the stack pointer into `*save`; the other stack's come back. The control
   words of the floating-point units are left alone: kernels do not change them. System V ABI. */
extern "C" void pkin_simt_switch(void **save, void *load);
__asm__(R"(
.text
.globl pkin_simt_switch
.type pkin_simt_switch, @function
pkin_simt_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size pkin_simt_switch, .-pkin_simt_switch
)");

struct context {
    void *pointer = nullptr;

    /* The stack of a fiber that has not begun: `ret` of the switch enters begin() as a call would, the stack pointer at
       8 modulo 16. */
    void prepare(char *stack, size_t bytes, void (*begin)()) {
        void **top = reinterpret_cast<void **>(stack + bytes) - 1;
        *--top = reinterpret_cast<void *>(begin);
        for (int r = 0; r < 6; r++) *--top = nullptr;
        pointer = top;
    }
    static void change(context &from, context &to) {
        pkin_simt_switch(&from.pointer, to.pointer);
    }
};
#else
struct context {
    ucontext_t registers;

    void prepare(char *stack, size_t bytes, void (*begin)()) {
        getcontext(&registers);
        registers.uc_stack.ss_sp = stack;
        registers.uc_stack.ss_size = bytes;
        registers.uc_link = nullptr;
        makecontext(&registers, begin, 0);
    }
    static void change(context &from, context &to) {
        swapcontext(&from.registers, &to.registers);
    }
};
#endif

/* Stacks of fibers, kept by the OS thread for its next launch; below each a page that cannot be touched. */
class stack_pool {
  public:
    char *at(size_t n) {
        while (stacks.size() <= n) {
            void *memory = mmap(nullptr, STACK_BYTES + GUARD_BYTES, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (memory == MAP_FAILED || mprotect(memory, GUARD_BYTES, PROT_NONE) != 0) {
                fprintf(stderr, "simt: no memory for the stack of thread %zu\n", n);
                abort();
            }
            stacks.push_back(static_cast<char *>(memory));
        }
        return stacks[n] + GUARD_BYTES;
    }
    ~stack_pool() {
        for (char *stack : stacks) munmap(stack, STACK_BYTES + GUARD_BYTES);
    }

  private:
    std::vector<char *> stacks;
};

/* ---- What ThreadSanitizer is told ---- */

/* Everything before a `done_before` of a thing comes before what follows the next `begins_after` of the same thing. */
#ifdef PKIN_SIMT_TSAN
void done_before(void *thing) {
    __tsan_release(thing);
}
void begins_after(void *thing) {
    __tsan_acquire(thing);
}
#else
void done_before(void *) {}
void begins_after(void *) {}
#endif

/* ---- What a launch consists of ---- */

enum class state { ready, meeting, polling, done };

struct meeting { /* of a known number of threads, at one place of the source */
    unsigned n_arrived = 0;
    unsigned n_expected = 0;
    const char *what = nullptr, *file = nullptr;
    int line = 0;
    std::vector<unsigned> waiting; /* fibers */

    /* Room for all that may come: fibers allocate nothing themselves. */
    void reset(unsigned n_most) {
        n_arrived = 0;
        waiting.clear();
        waiting.reserve(n_most);
    }
};

struct warp_state {
    meeting barrier;
    uint64_t values[2][32]; /* of a lane's even and odd calls: a lane is at most one call ahead of the slowest one */
};

struct block_all : block_state {
    uint3 index;
    meeting barrier, named[16];
    std::vector<meeting> warpgroups;
    std::vector<warp_state> warps;
    unsigned votes[3] = {0, 0, 0}; /* of block_count's calls, in turn: the next one's is cleared by the last to come */
};

struct fiber {
    context registers;
    state now;
    block_all *block;
    unsigned number; /* in its block */
    unsigned warp;   /* in its cluster */
    uint3 index;
    unsigned n_warp_calls, n_votes; /* so far */
    bool has_arrived;               /* at the cluster's barrier, without having waited */
    uint64_t cluster_phase;         /* when it arrived */
    bool (*condition)(void *);
    void *argument;
    const char *what, *file; /* what it waits for */
    int line;
    void *fake_stack; /* ASan's */
    void *watched;    /* TSan's name of it */
};

constexpr unsigned char POISON = 0xA7;
constexpr size_t TAIL_BYTES = 64;                   /* behind dynamic shared memory, to be found as they were */
constexpr uint64_t MOST_YIELDS = UINT64_C(1) << 27; /* with nothing else happening: a loop that waits for ever */

struct machine {
    dim3 grid, block, cluster;
    size_t shared_bytes = 0;
    entry call = nullptr;
    void *kernel = nullptr;
    uint64_t launch_seed = 0, random_state = 0;
    bool running = false;

    std::vector<block_all> blocks; /* of the cluster that runs */
    std::vector<fiber> fibers;
    std::vector<unsigned> ready, polling;
    std::vector<uint64_t> ranks; /* of warps; empty: all are alike */
    unsigned n_done = 0;
    uint64_t n_turns = 0;
    uint64_t n_yields = 0;     /* since something else happened */
    unsigned n_in_cluster = 0; /* threads that arrived at the cluster's barrier */
    uint64_t cluster_phase = 0;
    fiber *current = nullptr;
    context caller;
    stack_pool stacks;
#ifdef PKIN_SIMT_ASAN
    const void *caller_stack = nullptr;
    size_t caller_stack_bytes = 0;
#endif
    void *caller_watched = nullptr;
    char beginning, end, fences; /* things for done_before and begins_after */

    uint64_t random() { /* splitmix64 */
        uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        return z ^ z >> 31;
    }
    size_t random_below(size_t n) {
        return static_cast<size_t>(static_cast<unsigned __int128>(random()) * n >> 64);
    }
};

__thread machine *here; /* this OS thread's; NULL before its first launch */
__thread uint64_t seeds_drawn, seed_base;
__thread bool has_seed;

/* ---- Who goes on ---- */

[[noreturn]] void end_with_report(const char *message);

void take_out(std::vector<unsigned> &list, size_t at) {
    list[at] = list.back();
    list.pop_back();
}

fiber &candidate(size_t pick) {
    const size_t n_ready = here->ready.size();
    return here->fibers[pick < n_ready ? here->ready[pick] : here->polling[pick - n_ready]];
}

/*
 * Of n candidates one. Orders in which all threads get on equally fast hide what goes wrong when one warp is far ahead;
 * so every other launch prefers the best of a few, by ranks of their warps that change now and then. It does so most of
 * the time only: a warp that waits for a lock must not keep its owner from going on.
 */
size_t draw(size_t n) {
    enum { TRIES = 4, EVEN_HANDED = 4, RANKED_ANEW = 256 }; /* of so many turns one */
    uint64_t bits = here->random();
    auto next = [&] { /* 16 bits are plenty for the threads of a cluster, at most 8192 */
                      const size_t one = (bits & 0xffff) * n >> 16;
                      bits >>= 16;
                      return one;
    };
    size_t best = next();
    const uint64_t turn = here->n_turns++;
    if (here->ranks.empty() || turn % EVEN_HANDED == 0) return best;
    for (int t = 1; t < TRIES; t++) {
        const size_t other = next();
        if (here->ranks[candidate(other).warp] > here->ranks[candidate(best).warp]) best = other;
    }
    if (turn % RANKED_ANEW == 1) here->ranks[candidate(best).warp] = here->random();
    return best;
}

/* A thread that can go on, drawn from those that are ready and those that wait for what may be true by now. */
fiber &choose() {
    if (here->n_yields > MOST_YIELDS) end_with_report("threads try again and again, and nothing happens");
    for (;;) {
        const size_t n_ready = here->ready.size(), n_polling = here->polling.size();
        if (n_ready + n_polling == 0) end_with_report("deadlock: no thread can go on");
        const size_t pick = draw(n_ready + n_polling);
        if (pick < n_ready) {
            fiber &f = here->fibers[here->ready[pick]];
            take_out(here->ready, pick);
            return f;
        }
        for (size_t tried = 0; tried < n_polling; tried++) { /* nobody is ready: then all of them */
            const size_t at = (pick - n_ready + tried) % n_polling;
            fiber &f = here->fibers[here->polling[at]];
            if (f.condition(f.argument)) {
                take_out(here->polling, at);
                here->n_yields = 0;
                f.now = state::ready;
                f.what = nullptr;
                return f;
            }
            if (n_ready > 0) break;
            if (tried + 1 == n_polling) end_with_report("deadlock: no thread can go on");
        }
    }
}

/* Goes from one stack to that of `next`. `fake_stack` keeps what ASan knows of the one left; NULL: it is left for ever.
 */
void change_to(context &from, fiber &next, void **fake_stack) {
    here->current = &next;
    threadIdx = next.index;
    blockIdx = next.block->index;
#ifdef PKIN_SIMT_ASAN
    const char *stack = here->stacks.at(static_cast<size_t>(&next - here->fibers.data()));
    __sanitizer_start_switch_fiber(fake_stack, stack, STACK_BYTES);
#else
    (void)fake_stack;
#endif
#ifdef PKIN_SIMT_TSAN
    __tsan_switch_to_fiber(next.watched, __tsan_switch_to_fiber_no_sync);
#endif
    context::change(from, next.registers);
}

/* Lets another thread go on; returns when this one's turn has come. */
void leave() {
    fiber &self = *here->current, &next = choose();
    if (&next == &self) return;
    change_to(self.registers, next, &self.fake_stack);
#ifdef PKIN_SIMT_ASAN
    __sanitizer_finish_switch_fiber(self.fake_stack, nullptr, nullptr);
#endif
}

[[noreturn]] void end_fiber() {
    fiber &self = *here->current;
    self.now = state::done;
    here->n_yields = 0;
    if (++here->n_done < here->fibers.size()) {
        change_to(self.registers, choose(), nullptr);
    } else {
        here->current = nullptr;
#ifdef PKIN_SIMT_ASAN
        __sanitizer_start_switch_fiber(nullptr, here->caller_stack, here->caller_stack_bytes);
#endif
#ifdef PKIN_SIMT_TSAN
        __tsan_switch_to_fiber(here->caller_watched, __tsan_switch_to_fiber_no_sync);
#endif
        context::change(self.registers, here->caller);
    }
    abort(); /* nobody comes back to a fiber that is done */
}

void begin_fiber() {
#ifdef PKIN_SIMT_ASAN
    const void *left = nullptr;
    size_t left_bytes = 0;
    __sanitizer_finish_switch_fiber(nullptr, &left, &left_bytes);
    if (here->caller_stack == nullptr) {
        here->caller_stack = left;
        here->caller_stack_bytes = left_bytes;
    }
#endif
    begins_after(&here->beginning);
    here->call(here->kernel);
    done_before(&here->end);
    end_fiber();
}

/* Runs all fibers to their ends; called from outside of them. */
void run_fibers() {
    done_before(&here->beginning);
#ifdef PKIN_SIMT_ASAN
    void *fake_stack = nullptr;
    here->caller_stack = nullptr;
    change_to(here->caller, choose(), &fake_stack);
    __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#else
    change_to(here->caller, choose(), nullptr);
#endif
    begins_after(&here->end);
}

/* ---- Reports ---- */

const char *short_name(const char *file) {
    const char *slash = file ? strrchr(file, '/') : nullptr;
    return slash ? slash + 1 : file ? file : "?";
}

/* Who waits where, a line for each place and block. */
void print_waiting() {
    using place = std::tuple<const block_all *, std::string, std::string, int>;
    std::map<place, std::pair<unsigned, unsigned>> groups; /* how many, and the first of them */
    for (const fiber &f : here->fibers) {
        place where(f.block,
                    f.now == state::done ? "(returned)"
                    : f.what             ? f.what
                                         : "(running)",
                    f.now == state::done ? "" : short_name(f.file), f.now == state::done ? 0 : f.line);
        auto at = groups.emplace(where, std::make_pair(0u, f.number)).first;
        at->second.first++;
    }
    for (const auto &[where, threads] : groups) {
        const uint3 block = std::get<0>(where)->index;
        fprintf(stderr, "  block (%u, %u, %u): %u threads, thread %u first: %s", block.x, block.y, block.z,
                threads.first, threads.second, std::get<1>(where).c_str());
        if (std::get<3>(where) > 0) fprintf(stderr, " at %s:%d", std::get<2>(where).c_str(), std::get<3>(where));
        fprintf(stderr, "\n");
    }
}

[[noreturn]] void end_with_report(const char *message) {
    fprintf(stderr, "simt: %s (grid %u x %u x %u, block %u x %u x %u, seed %llu)\n", message, here->grid.x,
            here->grid.y, here->grid.z, here->block.x, here->block.y, here->block.z,
            static_cast<unsigned long long>(here->launch_seed));
    print_waiting();
    fflush(stderr);
    abort();
}

/* ---- Meetings ---- */

void note_place(fiber &self, const char *what, const char *file, int line) {
    self.what = what;
    self.file = file;
    self.line = line;
}

void make_ready(unsigned number) {
    fiber &f = here->fibers[number];
    f.now = state::ready;
    f.what = nullptr;
    here->ready.push_back(number);
}

bool is_same(const char *a, const char *b) {
    return a == b || strcmp(a, b) == 0;
}

/* True for the last one to come, which goes on at once; the others leave and come back when it has. */
bool arrive_at(meeting &m, unsigned n_expected, bool one_place, const char *what, const char *file, int line) {
    if (m.n_arrived == 0) {
        m.n_expected = n_expected;
        m.what = what;
        m.file = file;
        m.line = line;
    } else if (m.n_expected != n_expected) {
        fail("%s at %s:%d for %u threads; others came for %u", what, short_name(file), line, n_expected, m.n_expected);
    } else if (one_place && (m.line != line || !is_same(m.what, what) || !is_same(m.file, file))) {
        fail("%s at %s:%d, while others of the group are in %s at %s:%d", what, short_name(file), line, m.what,
             short_name(m.file), m.line);
    }
    done_before(&m);
    if (++m.n_arrived < n_expected) return false;
    m.n_arrived = 0;
    for (unsigned number : m.waiting) make_ready(number);
    m.waiting.clear();
    here->n_yields = 0;
    return true;
}

void wait_at(meeting &m, const char *what, const char *file, int line) {
    fiber &self = *here->current;
    m.waiting.push_back(static_cast<unsigned>(&self - here->fibers.data()));
    self.now = state::meeting;
    note_place(self, what, file, line);
    leave();
}

void meet(meeting &m, unsigned n_expected, bool one_place, const char *what, const char *file, int line) {
    if (!arrive_at(m, n_expected, one_place, what, file, line)) wait_at(m, what, file, line);
    begins_after(&m);
}

fiber &running(const char *what) {
    if (here == nullptr || here->current == nullptr) {
        fprintf(stderr, "simt: %s outside a kernel\n", what);
        abort();
    }
    return *here->current;
}

unsigned threads_of_block() {
    return here->block.x * here->block.y * here->block.z;
}

/* ---- Running ---- */

void begin_block(block_all &b, uint3 index, unsigned rank, unsigned cluster_size) {
    const unsigned n_threads = threads_of_block();
    b.index = index;
    b.cluster_rank = rank;
    b.cluster_size = cluster_size;
    b.extra.reset();
    b.barrier.reset(n_threads);
    for (meeting &m : b.named) m.reset(n_threads);
    b.warpgroups.resize((n_threads + 127) / 128);
    for (meeting &m : b.warpgroups) m.reset(128);
    b.warps.resize(n_threads / 32);
    for (warp_state &w : b.warps) w.barrier.reset(32);
    std::fill(b.votes, b.votes + 3, 0u);
    memset(b.shared, POISON, b.shared_bytes + TAIL_BYTES);
}

void begin_threads(block_all &b, unsigned first) {
    for (unsigned t = 0; t < threads_of_block(); t++) {
        fiber &f = here->fibers[first + t];
        char *stack = here->stacks.at(first + t);
#ifdef PKIN_SIMT_ASAN
        /* begin_fiber never returned: what it poisoned is still so. */
        __asan_unpoison_memory_region(stack + STACK_BYTES - 2 * GUARD_BYTES, 2 * GUARD_BYTES);
#endif
        f.registers.prepare(stack, STACK_BYTES - (first + t) % STACK_COLORS * COLOR_BYTES, begin_fiber);
        f.now = state::ready;
        f.block = &b;
        f.number = t;
        f.warp = (first + t) / 32;
        f.index = {t % here->block.x, t / here->block.x % here->block.y, t / here->block.x / here->block.y};
        f.n_warp_calls = f.n_votes = 0;
        f.has_arrived = false;
        f.what = nullptr;
        f.fake_stack = nullptr;
        here->ready.push_back(first + t);
    }
}

void check_block(const block_all &b) {
    for (size_t k = 0; k < TAIL_BYTES; k++) {
        if (b.shared[b.shared_bytes + k] == POISON) continue;
        fprintf(stderr, "simt: block (%u, %u, %u) wrote behind its %zu bytes of dynamic shared memory (byte %zu)\n",
                b.index.x, b.index.y, b.index.z, b.shared_bytes, b.shared_bytes + k);
        abort();
    }
    if (b.barrier.n_arrived != 0) end_with_report("a barrier is left half full");
    for (const meeting &m : b.named) {
        if (m.n_arrived != 0) end_with_report("a named barrier is left half full");
    }
}

void run_cluster(uint64_t number) {
    const uint64_t nx = here->grid.x / here->cluster.x, ny = here->grid.y / here->cluster.y;
    const uint3 first = {static_cast<unsigned>(number % nx) * here->cluster.x,
                         static_cast<unsigned>(number / nx % ny) * here->cluster.y,
                         static_cast<unsigned>(number / nx / ny) * here->cluster.z};
    const unsigned cluster_size = static_cast<unsigned>(here->blocks.size());
    here->ready.clear();
    here->ready.reserve(here->fibers.size());
    here->polling.clear();
    here->polling.reserve(here->fibers.size());
    here->ranks.clear();
    for (size_t w = 0; w < here->fibers.size() / 32 && here->launch_seed % 2 == 1; w++) {
        here->ranks.push_back(here->random());
    }
    here->n_done = 0;
    here->n_turns = 0;
    here->n_yields = 0;
    here->n_in_cluster = 0;
    here->cluster_phase = 0;
    for (unsigned rank = 0; rank < cluster_size; rank++) {
        const uint3 index = {first.x + rank % here->cluster.x, first.y + rank / here->cluster.x % here->cluster.y,
                             first.z + rank / here->cluster.x / here->cluster.y};
        begin_block(here->blocks[rank], index, rank, cluster_size);
        begin_threads(here->blocks[rank], rank * threads_of_block());
    }
    run_fibers();
    for (block_all &b : here->blocks) b.extra.reset();
    for (const block_all &b : here->blocks) check_block(b);
}

void check_launch() {
    const uint64_t n_threads = static_cast<uint64_t>(here->block.x) * here->block.y * here->block.z;
    const char *wrong = nullptr;
    if (here->running) wrong = "a kernel launches a kernel";
    if (n_threads == 0 || n_threads > 1024) wrong = "a block has 1 to 1024 threads";
    if (n_threads % 32 != 0) wrong = "a block is whole warps";
    if (here->grid.x == 0 || here->grid.y == 0 || here->grid.z == 0) wrong = "an empty grid";
    if (here->grid.x > 0x7fffffffu || here->grid.y > 65535 || here->grid.z > 65535) wrong = "a grid too large";
    if (here->cluster.x == 0 || here->cluster.y == 0 || here->cluster.z == 0 || here->grid.x % here->cluster.x != 0 ||
        here->grid.y % here->cluster.y != 0 || here->grid.z % here->cluster.z != 0) {
        wrong = "a grid is whole clusters";
    }
    if (here->cluster.x * here->cluster.y * here->cluster.z > 8) wrong = "a cluster has at most 8 blocks";
    if (here->shared_bytes > 227 << 10) wrong = "more than 227 KiB of dynamic shared memory";
    if (wrong == nullptr) return;
    fprintf(stderr, "simt: %s (grid %u x %u x %u, block %u x %u x %u, cluster %u x %u x %u, %zu bytes)\n", wrong,
            here->grid.x, here->grid.y, here->grid.z, here->block.x, here->block.y, here->block.z, here->cluster.x,
            here->cluster.y, here->cluster.z, here->shared_bytes);
    abort();
}

/* Exactly as long as asked for, so that ASan finds what is behind. */
struct shared_memory {
    void *bytes = nullptr;
    explicit shared_memory(size_t n_bytes) {
        if (posix_memalign(&bytes, 1024, n_bytes + TAIL_BYTES) != 0) abort();
    }
    ~shared_memory() {
        free(bytes);
    }
    shared_memory(const shared_memory &) = delete;
    shared_memory &operator=(const shared_memory &) = delete;
};

} // namespace

void run(dim3 grid, dim3 block, dim3 cluster, size_t shared_bytes, entry call, void *kernel) {
    static thread_local machine mine;
    here = &mine;
    if (!here->running) {
        here->grid = grid;
        here->block = block;
        here->cluster = cluster;
        here->shared_bytes = shared_bytes;
        here->call = call;
        here->kernel = kernel;
    }
    check_launch();
    here->running = true;
    if (!has_seed) {
        const char *wish = getenv("PKIN_SIMT_SEED");
        set_seed(wish ? strtoull(wish, nullptr, 10) : 1);
    }
    here->launch_seed = here->random_state = seed_base + seeds_drawn++;
    gridDim = {grid.x, grid.y, grid.z};
    blockDim = {block.x, block.y, block.z};

    const unsigned cluster_size = cluster.x * cluster.y * cluster.z;
    std::vector<std::unique_ptr<shared_memory>> memory;
    here->blocks = std::vector<block_all>(cluster_size);
    here->fibers = std::vector<fiber>(static_cast<size_t>(cluster_size) * threads_of_block());
#ifdef PKIN_SIMT_TSAN
    here->caller_watched = __tsan_get_current_fiber();
    for (fiber &f : here->fibers) f.watched = __tsan_create_fiber(0);
#endif
    for (block_all &b : here->blocks) {
        memory.push_back(std::make_unique<shared_memory>(shared_bytes));
        b.shared = static_cast<unsigned char *>(memory.back()->bytes);
        b.shared_bytes = shared_bytes;
    }
    std::vector<uint64_t> order(static_cast<uint64_t>(grid.x) * grid.y * grid.z / cluster_size);
    std::iota(order.begin(), order.end(), UINT64_C(0));
    for (size_t k = order.size(); k > 1; k--) std::swap(order[k - 1], order[here->random_below(k)]);
    for (uint64_t number : order) run_cluster(number);
#ifdef PKIN_SIMT_TSAN
    for (fiber &f : here->fibers) __tsan_destroy_fiber(f.watched);
#endif
    here->blocks.clear();
    here->fibers.clear();
    here->running = false;
}

void set_seed(uint64_t seed) {
    has_seed = true;
    seed_base = seed;
    seeds_drawn = 0;
}

block_state &this_block() {
    return *running("this_block").block;
}

block_state &peer_block(unsigned cluster_rank) {
    running("peer_block");
    if (cluster_rank >= here->blocks.size()) fail("there is no block %u in the cluster", cluster_rank);
    return here->blocks[cluster_rank];
}

unsigned this_thread() {
    return running("this_thread").number;
}

bool is_running() {
    return here != nullptr && here->current != nullptr;
}

void fail(const char *format, ...) {
    if (is_running()) {
        const uint3 block = here->current->block->index;
        fprintf(stderr, "simt: block (%u, %u, %u), thread %u: ", block.x, block.y, block.z, here->current->number);
    } else {
        fprintf(stderr, "simt: ");
    }
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    if (here != nullptr && here->running) end_with_report("the others");
    fflush(stderr);
    abort();
}

void fence() {
    __asm__ volatile("" ::: "memory");
    running("a fence");
    begins_after(&here->fences);
    done_before(&here->fences);
}

void yield() {
    fiber &self = running("yield");
    here->n_yields++;
    here->ready.push_back(static_cast<unsigned>(&self - here->fibers.data()));
    leave();
}

void yield_now_and_then() {
    running("an atomic");
    if ((here->random() & 3) == 0) yield();
}

void wait_for(bool (*is_true)(void *), void *condition, const char *what, const char *file, int line) {
    fiber &self = running(what);
    if (is_true(condition)) return;
    self.now = state::polling;
    self.condition = is_true;
    self.argument = condition;
    note_place(self, what, file, line);
    here->polling.push_back(static_cast<unsigned>(&self - here->fibers.data()));
    leave();
}

void warpgroup_sync(const char *what, const char *file, int line) {
    fiber &self = running(what);
    if (self.number / 128 * 128 + 128 > threads_of_block()) fail("%s outside a whole group of 128 threads", what);
    meet(self.block->warpgroups[self.number / 128], 128, true, what, file, line);
}

void block_sync(const char *what, const char *file, int line) {
    meet(running(what).block->barrier, threads_of_block(), true, what, file, line);
}

void named_barrier_sync(unsigned id, unsigned n_threads, const char *file, int line) {
    fiber &self = running("bar.sync");
    if (id >= 16 || n_threads == 0 || n_threads % 32 != 0) fail("bar.sync of barrier %u, %u threads", id, n_threads);
    meet(self.block->named[id], n_threads, false, "bar.sync", file, line);
}

void named_barrier_arrive(unsigned id, unsigned n_threads, const char *file, int line) {
    fiber &self = running("bar.arrive");
    if (id >= 16 || n_threads == 0 || n_threads % 32 != 0) fail("bar.arrive at barrier %u, %u threads", id, n_threads);
    arrive_at(self.block->named[id], n_threads, false, "bar.arrive", file, line);
}

void cluster_arrive(const char *file, int line) {
    fiber &self = running("barrier.cluster.arrive");
    if (self.has_arrived) fail("barrier.cluster.arrive at %s:%d, twice without a wait", short_name(file), line);
    self.has_arrived = true;
    self.cluster_phase = here->cluster_phase;
    done_before(&here->cluster_phase);
    if (++here->n_in_cluster < here->fibers.size()) return;
    here->n_in_cluster = 0;
    here->cluster_phase++;
    here->n_yields = 0;
}

void cluster_wait(const char *file, int line) {
    fiber &self = running("barrier.cluster.wait");
    if (!self.has_arrived) fail("barrier.cluster.wait at %s:%d without an arrive", short_name(file), line);
    const uint64_t phase = self.cluster_phase;
    const machine *const m = here;
    wait_until([m, phase] { return m->cluster_phase != phase; }, "barrier.cluster.wait", file, line);
    self.has_arrived = false;
    begins_after(&here->cluster_phase);
}

const uint64_t *warp_exchange(unsigned mask, uint64_t value, const char *what, const char *file, int line) {
    fiber &self = running(what);
    if (mask != 0xffffffffu)
        fail("%s at %s:%d with mask %08x; all lanes take part", what, short_name(file), line, mask);
    warp_state &warp = self.block->warps[self.number / 32];
    uint64_t *values = warp.values[self.n_warp_calls++ & 1];
    values[self.number % 32] = value;
    meet(warp.barrier, 32, true, what, file, line);
    return values;
}

unsigned block_count(bool vote, const char *what, const char *file, int line) {
    fiber &self = running(what);
    block_all &b = *self.block;
    const unsigned turn = self.n_votes++;
    b.votes[turn % 3] += vote;
    if (arrive_at(b.barrier, threads_of_block(), true, what, file, line)) {
        b.votes[(turn + 1) % 3] = 0; /* of the call before the last, which all have left */
    } else {
        wait_at(b.barrier, what, file, line);
    }
    begins_after(&b.barrier);
    return b.votes[turn % 3];
}

} // namespace simt
