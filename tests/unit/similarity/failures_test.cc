/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "support/similarity_oracle.h"

namespace {

TEST(Arguments, WrongOnesAreRefused) {
    TestVectors v(random_matrix({10, 5, 3}, 1)), other(random_matrix({10, 6, 3}, 1));
    pkin_status status;
    for (double threshold : {0.0, -0.1, 1.0000001, std::nan(""), double(INFINITY)}) {
        EXPECT_TRUE(run_join(v.vectors, nullptr, threshold, 1, &status).empty());
        EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT) << threshold;
    }
    run_top_k(v.vectors, nullptr, 3, std::nan(""), 1, &status);
    EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT);
    run_top_k(v.vectors, nullptr, 0, 0.1, 1, &status);
    EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT);
    run_join(v.vectors, other.vectors, 0.5, 1, &status);
    EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT);
    run_join(v.vectors, nullptr, 0.5, -1, &status);
    EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT);
    run_join(nullptr, nullptr, 0.5, 1, &status);
    EXPECT_EQ(status, PKIN_ERROR_INVALID_ARGUMENT);
    pkin_similarity_options options = pkin_similarity_options_default();
    pkin_pair_list list;
    options.size = 1;
    EXPECT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, &options, &list), PKIN_ERROR_INVALID_ARGUMENT);
    options = pkin_similarity_options_default();
    options.backend = "abacus";
    EXPECT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, &options, &list), PKIN_ERROR_UNSUPPORTED);
    EXPECT_EQ(list.pairs, nullptr);
    EXPECT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, nullptr, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
}

struct Progress {
    std::thread::id caller = std::this_thread::get_id();
    int n_calls = 0, cancel_at = 0;
    uint64_t last = 0;
    bool wrong_thread = false, went_back = false, beyond = false;
    std::string stage;
};

int on_progress(void *user, const char *stage, uint64_t done, uint64_t total) {
    Progress *progress = static_cast<Progress *>(user);
    progress->wrong_thread |= std::this_thread::get_id() != progress->caller;
    progress->went_back |= done < progress->last;
    progress->beyond |= done > total;
    progress->last = done;
    progress->stage = stage;
    return ++progress->n_calls == progress->cancel_at;
}

TEST(Progress, ComesFromTheCallerAndEndsWhole) {
    TestVectors v(random_matrix({5000, 500, 8}, 2));
    pkin_similarity_options options = pkin_similarity_options_default();
    Progress progress;
    options.n_threads = 4;
    options.on_progress = on_progress;
    options.progress_user = &progress;
    pkin_pair_list list;
    ASSERT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, &options, &list), PKIN_OK);
    pkin_pair_list_free(&list);
    EXPECT_FALSE(progress.wrong_thread);
    EXPECT_FALSE(progress.went_back);
    EXPECT_FALSE(progress.beyond);
    EXPECT_EQ(progress.stage, "comparing");
    EXPECT_GT(progress.n_calls, 1);
}

TEST(Progress, AnyCallMayCancel) {
    TestVectors v(random_matrix({5000, 500, 8}, 2));
    pkin_similarity_options options = pkin_similarity_options_default();
    options.n_threads = 4;
    options.on_progress = on_progress;
    for (int cancel_at : {1, 2, 5}) {
        Progress progress;
        progress.cancel_at = cancel_at;
        options.progress_user = &progress;
        pkin_pair_list list;
        ASSERT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.5, &options, &list), PKIN_ERROR_CANCELLED);
        EXPECT_EQ(list.pairs, nullptr);
        EXPECT_EQ(progress.n_calls, cancel_at);
        progress = Progress();
        progress.cancel_at = cancel_at;
        pkin_neighbor_lists lists;
        ASSERT_EQ(pkin_similarity_top_k(v.vectors, nullptr, 3, 0, &options, &lists), PKIN_ERROR_CANCELLED);
        EXPECT_EQ(lists.neighbors, nullptr);
        EXPECT_EQ(lists.offsets, nullptr);
    }
}

/* Memory that fails at one request, and counts what is not given back. */
struct Memory {
    std::atomic<long> n_requests{0}, n_held{0};
    long fail_at = -1;
};

void *allocate(void *user, size_t n_bytes) {
    Memory *memory = static_cast<Memory *>(user);
    if (memory->n_requests++ == memory->fail_at) return nullptr;
    memory->n_held++;
    return std::malloc(n_bytes);
}

void *reallocate(void *user, void *block, size_t n_bytes) {
    Memory *memory = static_cast<Memory *>(user);
    return memory->n_requests++ == memory->fail_at ? nullptr : std::realloc(block, n_bytes);
}

void release(void *user, void *block) {
    static_cast<Memory *>(user)->n_held--;
    std::free(block);
}

/* Lets request number N fail, for every N until the work succeeds: it must fail cleanly every time before that. */
template <typename Work> void expect_clean_failures(Work work) {
    for (long fail_at = 0;; fail_at++) {
        Memory memory;
        memory.fail_at = fail_at;
        pkin_allocator hooks = {allocate, reallocate, release, &memory};
        pkin_set_allocator(&hooks);
        pkin_status status = work();
        pkin_set_allocator(nullptr);
        ASSERT_EQ(memory.n_held, 0) << "request " << fail_at;
        if (status == PKIN_OK) {
            EXPECT_GT(fail_at, 3);
            break;
        }
        ASSERT_EQ(status, PKIN_ERROR_OUT_OF_MEMORY) << "request " << fail_at;
        ASSERT_NE(std::string(pkin_last_error()), "");
        ASSERT_LT(fail_at, 10000);
    }
}

TEST(Memory, EveryAllocationMayFail) {
    TestVectors v(random_matrix({300, 40, 8}, 4)), w(random_matrix({50, 40, 8}, 5));
    pkin_similarity_options options = pkin_similarity_options_default();
    options.n_threads = 3;
    for (const pkin_vectors *b :
         {static_cast<const pkin_vectors *>(nullptr), static_cast<const pkin_vectors *>(w.vectors)}) {
        expect_clean_failures([&] {
            pkin_pair_list list;
            pkin_status status = pkin_similarity_join(v.vectors, b, 0.01, &options, &list);
            pkin_pair_list_free(&list);
            return status;
        });
        expect_clean_failures([&] {
            pkin_neighbor_lists lists;
            pkin_status status = pkin_similarity_top_k(v.vectors, b, 5, 0, &options, &lists);
            pkin_neighbor_lists_free(&lists);
            return status;
        });
    }
    pkin_matrix *matrix = random_matrix({30, 10, 4}, 6).to_matrix();
    expect_clean_failures([&] {
        const uint32_t rows[] = {1, 2};
        pkin_vectors *vectors = nullptr, *selected = nullptr;
        pkin_status status = pkin_vectors_from_matrix(matrix, 1, &vectors);
        if (status == PKIN_OK) status = pkin_vectors_select(vectors, rows, 2, &selected);
        pkin_vectors_free(vectors);
        pkin_vectors_free(selected);
        return status;
    });
    pkin_matrix_free(matrix);
}

} // namespace
