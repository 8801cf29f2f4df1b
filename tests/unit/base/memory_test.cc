/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "base/memory.h"

TEST(Memory, CheckedArithmetic) {
    size_t out = 7;
    EXPECT_FALSE(pkin_i_multiply(SIZE_MAX / 2, 3, &out));
    EXPECT_FALSE(pkin_i_add(SIZE_MAX, 1, &out));
    EXPECT_EQ(out, 7u);
    EXPECT_TRUE(pkin_i_multiply(6, 7, &out));
    EXPECT_EQ(out, 42u);
    EXPECT_TRUE(pkin_i_add(SIZE_MAX - 1, 1, &out));
    EXPECT_EQ(out, SIZE_MAX);
}

TEST(Memory, AllocateReportsOverflow) {
    int *block = (int *)&block;
    EXPECT_EQ(pkin_i_allocate(SIZE_MAX / 2, sizeof(int), &block), PKIN_ERROR_OVERFLOW);
    EXPECT_EQ(block, nullptr);
}

TEST(Memory, ZeroElementsIsABlock) {
    double *block = nullptr;
    ASSERT_EQ(pkin_i_allocate_zeroed(0, sizeof(double), &block), PKIN_OK);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(block[0], 0.0);
    pkin_i_free(block);
}

TEST(Memory, GrowKeepsContentAndDoubles) {
    uint32_t *values = nullptr;
    size_t capacity = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        size_t before = capacity;
        ASSERT_EQ(pkin_i_grow(&values, &capacity, i + 1, sizeof *values), PKIN_OK);
        if (capacity != before) {
            EXPECT_GE(capacity, before * 2);
        }
        values[i] = i;
    }
    for (uint32_t i = 0; i < 1000; i++) ASSERT_EQ(values[i], i);
    pkin_i_free(values);
}

namespace {
struct Counter {
    int live = 0;
    int calls = 0;
    int fail_at = -1;
};
void *counting_allocate(void *user, size_t n) {
    Counter *c = (Counter *)user;
    if (c->calls++ == c->fail_at) return nullptr;
    c->live++;
    return std::malloc(n);
}
void *counting_reallocate(void *user, void *memory, size_t n) {
    Counter *c = (Counter *)user;
    if (c->calls++ == c->fail_at) return nullptr;
    return std::realloc(memory, n);
}
void counting_release(void *user, void *memory) {
    ((Counter *)user)->live--;
    std::free(memory);
}
} // namespace

TEST(Memory, EverythingGoesThroughTheHooks) {
    Counter counter;
    pkin_allocator hooks = {counting_allocate, counting_reallocate, counting_release, &counter};
    pkin_set_allocator(&hooks);
    char *text = nullptr;
    EXPECT_EQ(pkin_i_copy_string("abc", 3, &text), PKIN_OK);
    EXPECT_STREQ(text, "abc");
    EXPECT_EQ(counter.live, 1);
    pkin_i_free(text);
    counter.fail_at = counter.calls;
    EXPECT_EQ(pkin_i_copy_string("abc", 3, &text), PKIN_ERROR_OUT_OF_MEMORY);
    EXPECT_EQ(text, nullptr);
    pkin_set_allocator(nullptr);
    EXPECT_EQ(counter.live, 0);
}

TEST(Memory, IncompleteHooksAreNone) {
    Counter counter;
    pkin_allocator hooks = {counting_allocate, nullptr, counting_release, &counter};
    pkin_set_allocator(&hooks);
    char *text = nullptr;
    EXPECT_EQ(pkin_i_copy_string("abc", 3, &text), PKIN_OK);
    EXPECT_EQ(pkin_i_reallocate(&text, 100, 1), PKIN_OK);
    pkin_i_free(text);
    EXPECT_EQ(counter.calls, 0);
    pkin_set_allocator(nullptr);
}

TEST(Arena, BlocksAreAlignedDistinctAndAdoptable) {
    pkin_i_arena a = {}, b = {};
    char *last = nullptr;
    for (int i = 0; i < 10000; i++) {
        char *block;
        ASSERT_EQ(pkin_i_arena_allocate(&a, (size_t)(i % 50) + 1, 1, &block), PKIN_OK);
        ASSERT_EQ((uintptr_t)block % 16, 0u);
        ASSERT_NE(block, last);
        std::memset(block, 'x', (size_t)(i % 50) + 1);
        last = block;
    }
    const char *text, *large_text;
    ASSERT_EQ(pkin_i_arena_string(&b, "kept", 4, &text), PKIN_OK);
    std::string large(200000, 'y');
    ASSERT_EQ(pkin_i_arena_string(&b, large.data(), large.size(), &large_text), PKIN_OK);
    pkin_i_arena_adopt(&a, &b);
    pkin_i_arena_free(&b);
    EXPECT_STREQ(text, "kept");
    EXPECT_EQ(large, large_text);
    char *more;
    ASSERT_EQ(pkin_i_arena_allocate(&a, 8, 1, &more), PKIN_OK);
    pkin_i_arena_free(&a);
}
