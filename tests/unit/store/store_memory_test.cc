/* SPDX-License-Identifier: Apache-2.0 */
#include <atomic>

#include "unit/store/store_fixture.h"

using namespace store_test;

namespace {

/* Allocation number `fail_at` (from 0) fails. */
struct Counter {
    std::atomic<long> calls{0}, live{0};
    long fail_at = -1;
    bool fails() {
        return calls++ == fail_at;
    }
};

pkin_allocator hooks_of(Counter *counter) {
    pkin_allocator hooks;
    hooks.user = counter;
    hooks.allocate = [](void *user, size_t n) -> void * {
        Counter *c = (Counter *)user;
        if (c->fails()) return nullptr;
        c->live++;
        return std::malloc(n);
    };
    hooks.reallocate = [](void *user, void *memory, size_t n) -> void * {
        Counter *c = (Counter *)user;
        if (c->fails()) return nullptr;
        if (!memory) c->live++;
        return std::realloc(memory, n);
    };
    hooks.release = [](void *user, void *memory) {
        if (memory) ((Counter *)user)->live--;
        std::free(memory);
    };
    return hooks;
}

class StoreMemory : public ::testing::Test {
  protected:
    void TearDown() override {
        pkin_set_allocator(nullptr);
    }
    Folder folder;
};

/* Opens, ingests two digests of which the second changes texts, reads tokens, sightings and a paper. */
pkin_status whole_job(const std::string &path, const std::vector<std::string> &files) {
    pkin_store *store = nullptr;
    pkin_ingest_options options = pkin_ingest_options_default();
    options.n_threads = 1;
    pkin_i_token_documents documents = {};
    int64_t *ids = nullptr;
    const pkin_i_vocabulary *vocabulary = nullptr;
    pkin_i_arena arena = {};
    pkin_i_sightings sightings;
    pkin_i_stored_paper paper;
    pkin_ingest_report report;
    pkin_status status = pkin_store_open(path.c_str(), PKIN_STORE_READ_WRITE, &store);
    for (size_t k = 0; status == PKIN_OK && k < files.size(); k++) {
        status = pkin_store_ingest_file(store, files[k].c_str(), &options, &report);
    }
    if (status == PKIN_OK) status = pkin_i_store_load_tokens(store, 1, &documents, &ids, &vocabulary);
    if (status == PKIN_OK) status = pkin_i_store_sightings(store, 1, 2, &arena, &sightings);
    if (status == PKIN_OK) status = pkin_i_store_paper(store, 1, &arena, &paper);
    pkin_i_arena_free(&arena);
    pkin_i_token_documents_free(&documents);
    pkin_i_free(ids);
    pkin_store_close(store);
    return status;
}

TEST_F(StoreMemory, EveryAllocationMayFail) {
    std::vector<std::string> files = {
        folder.write("2026-01-05.jsonl", paper_line(1, "v1") + paper_line(2)),
        folder.write("2026-01-06.jsonl", paper_line(1, "v2") + enhanced_line("2601.00003", "Kites", "K.", "Sum."))};
    std::string path = folder / "s.db";
    /* Once without failures: what must come out, and things that libraries allocate once for all. */
    ASSERT_EQ(whole_job(folder / "clean.db", files), PKIN_OK) << pkin_last_error();
    std::string expected = dump(folder / "clean.db");
    Counter counter;
    pkin_allocator hooks = hooks_of(&counter);
    pkin_set_allocator(&hooks);
    pkin_status status = PKIN_ERROR_OUT_OF_MEMORY;
    long n = 0;
    for (; n < 100000 && status != PKIN_OK; n++) {
        counter.calls = 0;
        counter.fail_at = n;
        fs::remove(path);
        status = whole_job(path, files);
        ASSERT_EQ(counter.live, 0) << "after failure of allocation " << n;
        if (status == PKIN_OK) break;
        ASSERT_EQ(status, PKIN_ERROR_OUT_OF_MEMORY) << "allocation " << n << ": " << pkin_last_error();
        /* The store is whole, and goes on where it stopped. */
        if (n % 5 == 0) {
            counter.fail_at = -1;
            ASSERT_EQ(whole_job(path, files), PKIN_OK) << pkin_last_error();
            ASSERT_EQ(dump(path), expected) << "after failure of allocation " << n;
        }
    }
    EXPECT_EQ(status, PKIN_OK);
    EXPECT_GT(n, 30);
    EXPECT_EQ(dump(path), expected);
}

TEST_F(StoreMemory, AHandleSurvivesAFailure) {
    std::string first = folder.write("2026-01-05.jsonl", papers(1, 3)),
                second = folder.write("2026-01-06.jsonl", papers(2, 8));
    Counter counter;
    pkin_allocator hooks = hooks_of(&counter);
    pkin_set_allocator(&hooks);
    {
        Store store(folder / "s.db");
        ingest(store, first);
        pkin_ingest_report report;
        pkin_status status = PKIN_ERROR_OUT_OF_MEMORY;
        for (long n = 0; status != PKIN_OK && n < 100000; n++) {
            counter.calls = 0;
            counter.fail_at = n;
            status = pkin_store_ingest_file(store, second.c_str(), nullptr, &report);
            counter.fail_at = -1;
            ASSERT_EQ(describe(store).n_papers, status == PKIN_OK ? 8u : 3u) << n;
        }
        EXPECT_EQ(report.n_new, 5u);
        EXPECT_EQ(words_of(store, "arxiv:2601.00008", PKIN_I_TITLE), "survey harbours part 8");
    }
    EXPECT_EQ(counter.live, 0);
}

} // namespace
