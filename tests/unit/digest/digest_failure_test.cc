/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation number N fails, for every N of a tiny run: no crash, no leak, no half-written output. */
#include "digest_world.h"

using namespace digest_world;

namespace {

/* OpenMP threads allocate too: the counters are atomic by the compiler's builtins. */
struct Counter {
    long left = -1; // allocations until the failure; negative: never
    long live = 0;
};

void *allocate(void *user, size_t n_bytes) {
    auto *counter = static_cast<Counter *>(user);
    if (__atomic_fetch_sub(&counter->left, 1, __ATOMIC_RELAXED) == 0) return nullptr;
    __atomic_fetch_add(&counter->live, 1, __ATOMIC_RELAXED);
    return std::malloc(n_bytes);
}

void *reallocate(void *user, void *memory, size_t n_bytes) {
    auto *counter = static_cast<Counter *>(user);
    if (__atomic_fetch_sub(&counter->left, 1, __ATOMIC_RELAXED) == 0) return nullptr;
    if (!memory) __atomic_fetch_add(&counter->live, 1, __ATOMIC_RELAXED);
    return std::realloc(memory, n_bytes);
}

void release(void *user, void *memory) {
    if (memory) __atomic_fetch_sub(&static_cast<Counter *>(user)->live, 1, __ATOMIC_RELAXED);
    std::free(memory);
}

struct Hooks {
    Counter counter;
    Hooks() {
        pkin_allocator allocator = {allocate, reallocate, release, &counter};
        pkin_set_allocator(&allocator);
    }
    ~Hooks() {
        pkin_set_allocator(nullptr);
    }
};

/* Fails allocation 0, step, 2 * step, ... of `work` until it gets through. */
template <class Work> void fail_each(Hooks &hooks, long step, Work work) {
    for (long n = 0;; n += step) {
        ASSERT_LT(n, 200000);
        hooks.counter.left = -1;
        long live = hooks.counter.live;
        pkin_status status = work(n, hooks.counter);
        hooks.counter.left = -1;
        EXPECT_EQ(hooks.counter.live, live) << "leak after failing allocation " << n;
        if (status == PKIN_OK) return;
        ASSERT_EQ(status, PKIN_ERROR_OUT_OF_MEMORY) << n << ": " << pkin_last_error();
    }
}

TEST(DigestFailure, EveryAllocationOfARun) {
    Folder folder;
    std::string path = folder / "2026-01-06.md", out = folder / "out", written = out + "/2026-01-06.md";
    Paper twin = invent_paper(1, 0);
    twin.id = "2603.00001";
    write_text(folder / "2026-01-05.jsonl", crawl({invent_paper(1, 0), invent_paper(2, 0)}));
    write_text(path, markdown({twin, invent_paper(2, 0), invent_paper(3, 0)}));
    Hooks hooks;
    fail_each(hooks, 7, [&](long n, Counter &counter) {
        Store store;
        EXPECT_EQ(pkin_store_ingest_file(store, (folder / "2026-01-05.jsonl").c_str(), nullptr, nullptr), PKIN_OK);
        std::filesystem::remove(written);
        pkin_digest_options options = into(out);
        options.n_threads = 1;
        counter.left = n;
        pkin_status status = Job(store, {path}, options).status;
        counter.left = -1;
        if (status != PKIN_OK)
            EXPECT_FALSE(std::filesystem::exists(written));
        else
            EXPECT_GT(count(read_text(written), "paperkin:begin"), 0u);
        return status;
    });
}

/* With threads and novelty: more allocations, most of them tried elsewhere, so fewer are failed here. */
TEST(DigestFailure, AllocationsOfARunWithThreads) {
    Folder folder;
    std::string path = folder / "2026-01-06.md", database = folder / "store.sqlite";
    std::string first = folder / "2026-01-04.jsonl", second = folder / "2026-01-05.jsonl";
    std::vector<Paper> history, today;
    for (size_t n = 1; n <= 240; n++) history.push_back(invent_paper(n, n % 2));
    for (size_t n = 301; n <= 303; n++) today.push_back(invent_paper(n, n % 2));
    write_text(first, crawl({history.begin(), history.begin() + 120}));
    write_text(second, crawl({history.begin() + 120, history.end()}));
    write_text(path, markdown(today));
    {
        Store store(database);
        ASSERT_EQ(pkin_store_ingest_file(store, first.c_str(), nullptr, nullptr), PKIN_OK);
        ASSERT_EQ(pkin_store_ingest_file(store, second.c_str(), nullptr, nullptr), PKIN_OK);
        ASSERT_EQ(pkin_store_ingest_file(store, path.c_str(), nullptr, nullptr), PKIN_OK);
    }
    Hooks hooks;
    fail_each(hooks, 97, [&](long n, Counter &counter) {
        Store store(database);
        std::string shown;
        pkin_digest_options options = pkin_digest_options_default();
        options.dry_run = 1; /* the store stays as it is for the next */
        options.threads = 1;
        options.n_threads = 1;
        options.on_text = [](void *user, const char *bytes, size_t n_bytes) {
            static_cast<std::string *>(user)->append(bytes, n_bytes);
        };
        options.text_user = &shown;
        counter.left = n;
        pkin_status status = Job(store, {path}, options).status;
        counter.left = -1;
        if (status == PKIN_OK) {
            EXPECT_EQ(count(shown, "**Threads today**"), 1u);
            EXPECT_EQ(count(shown, "**Novelty**"), 3u);
        }
        return status;
    });
}

TEST(DigestFailure, EveryAllocationOfAGate) {
    Folder folder;
    std::string path = folder / "2026-01-05.jsonl", out = folder / "new.jsonl";
    write_text(path, crawl({invent_paper(1, 0), invent_paper(2, 1)}));
    Hooks hooks;
    fail_each(hooks, 3, [&](long n, Counter &counter) {
        Store store;
        pkin_gate_report report;
        pkin_store_statistics statistics;
        pkin_gate_options options = pkin_gate_options_default();
        options.n_threads = 1;
        counter.left = n;
        pkin_status status = pkin_gate_run(store, path.c_str(), out.c_str(), &options, &report);
        counter.left = -1;
        EXPECT_EQ(pkin_store_describe(store, &statistics), PKIN_OK);
        EXPECT_EQ(statistics.n_digests, status == PKIN_OK ? 1u : 0u);
        return status;
    });
}

TEST(DigestFailure, EveryAllocationOfADryStrip) {
    Folder folder;
    std::string path = folder / "2026-01-05.md";
    write_text(path, "# Table of Contents\n\n### [1] [A](https://arxiv.org/abs/2601.00001)\n*B*\n\n"
                     "<!-- paperkin:begin -->\nx\n<!-- paperkin:end -->\n");
    Hooks hooks;
    fail_each(hooks, 1, [&](long n, Counter &counter) {
        pkin_digest_options options = pkin_digest_options_default();
        options.dry_run = 1;
        options.on_text = [](void *, const char *, size_t) {};
        counter.left = n;
        return pkin_digest_strip(path.c_str(), &options, nullptr);
    });
}

} // namespace
