/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_SUPPORT_ALLOCATION_FAILURES_H
#define PKIN_TESTS_SUPPORT_ALLOCATION_FAILURES_H

/* Memory that fails at a given request, or at large ones: whatever fails, nothing is left behind. */
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "paperkin/status.h"

struct FailingMemory {
    std::atomic<long> n_requests{0}, n_held{0};
    long fail_at = -1;
    size_t most_bytes = SIZE_MAX;

    bool fails(size_t n_bytes) {
        return n_requests++ == fail_at || n_bytes > most_bytes;
    }
    static void *allocate(void *user, size_t n_bytes) {
        FailingMemory *memory = static_cast<FailingMemory *>(user);
        if (memory->fails(n_bytes)) return nullptr;
        memory->n_held++;
        return std::malloc(n_bytes);
    }
    static void *reallocate(void *user, void *block, size_t n_bytes) {
        FailingMemory *memory = static_cast<FailingMemory *>(user);
        return memory->fails(n_bytes) ? nullptr : std::realloc(block, n_bytes);
    }
    static void release(void *user, void *block) {
        static_cast<FailingMemory *>(user)->n_held--;
        std::free(block);
    }
};

/* Lets request number N fail, for every N until the work succeeds: it must fail cleanly every time before that. */
template <typename Work> void expect_clean_failures(Work work) {
    for (long fail_at = 0;; fail_at++) {
        FailingMemory memory;
        memory.fail_at = fail_at;
        pkin_allocator hooks = {FailingMemory::allocate, FailingMemory::reallocate, FailingMemory::release, &memory};
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

#endif
