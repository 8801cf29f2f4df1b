/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation number N fails, for every N: no leak, no crash, and the failure is told. */
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <new>

#include "corpus/blocks.h"
#include "corpus/json_shim.h"
#include "corpus_test_support.h"

/* The one file of C++ in the library does not allocate through the hooks. */
static bool new_fails = false;

__attribute__((noinline)) void *operator new(std::size_t n_bytes) {
    void *memory = new_fails ? nullptr : std::malloc(n_bytes);
    if (!memory) throw std::bad_alloc();
    return memory;
}

/* Memory of both kinds of new ends in the same delete. */
__attribute__((noinline)) void *operator new(std::size_t n_bytes, const std::nothrow_t &) noexcept {
    return new_fails ? nullptr : std::malloc(n_bytes);
}

__attribute__((noinline)) void operator delete(void *memory) noexcept {
    std::free(memory);
}

__attribute__((noinline)) void operator delete(void *memory, std::size_t) noexcept {
    std::free(memory);
}

namespace {

/* One thread only. */
struct Counter {
    long until_failure = -1; /* how many more allocations succeed; negative: all */
    long alive = 0;
    bool refused = false;

    bool refuses() {
        if (until_failure < 0) return false;
        if (until_failure-- > 0) return false;
        until_failure = 0;
        refused = true;
        return true;
    }
};

void *count_allocate(void *user, size_t n_bytes) {
    Counter *counter = static_cast<Counter *>(user);
    if (counter->refuses()) return nullptr;
    counter->alive++;
    return std::malloc(n_bytes);
}

void *count_reallocate(void *user, void *memory, size_t n_bytes) {
    return static_cast<Counter *>(user)->refuses() ? nullptr : std::realloc(memory, n_bytes);
}

void count_release(void *user, void *memory) {
    static_cast<Counter *>(user)->alive--;
    std::free(memory);
}

/* Runs `work` with failure number 0, 1, 2, ... until it is not reached any more; returns how many were. */
long fail_at_each(const std::function<pkin_status()> &work) {
    for (long n = 0;; n++) {
        Counter counter;
        counter.until_failure = n;
        pkin_allocator hooks = {count_allocate, count_reallocate, count_release, &counter};
        pkin_set_allocator(&hooks);
        pkin_status status = work();
        pkin_set_allocator(nullptr);
        EXPECT_EQ(0, counter.alive) << "a leak when allocation " << n << " fails";
        EXPECT_EQ(counter.refused ? PKIN_ERROR_OUT_OF_MEMORY : PKIN_OK, status) << "allocation " << n;
        if (!counter.refused || ::testing::Test::HasFailure()) return n;
    }
}

pkin_status read_and_free(const std::string &text) {
    pkin_read_options options = pkin_read_options_default();
    options.n_threads = 1;
    pkin_corpus *corpus = nullptr;
    pkin_status status = pkin_corpus_read_memory(text.data(), text.size(), "test", &options, &corpus);
    EXPECT_EQ(status == PKIN_OK, corpus != nullptr);
    pkin_corpus_free(corpus);
    return status;
}

TEST(CorpusAllocation, Markdown) {
    EXPECT_GT(fail_at_each([] {
                  return read_and_free(small_digest() + "\n### [3] broken\n\n### [4] [\xFF](http://a.example)\n");
              }),
              10);
}

TEST(CorpusAllocation, JsonLines) {
    std::string text =
        small_crawl() + "{bad\n" +
        "{\"id\": \"x\", \"title\": \"T\", \"AI\": {\"tldr\": \"a\", \"method\": \"b\"}, \"authors\": \"A and B\", "
        "\"authors_parsed\": [[\"A\", \"B\"]], \"versions\": [{\"version\": \"v1\", \"created\": \"Mon, 2 Apr 2007 "
        "19:18:42 "
        "GMT\"}], \"doi\": \"10.1000/1\"}\n{\"id\": \"y\", \"id\": \"z\"}\n";
    EXPECT_GT(fail_at_each([&] { return read_and_free(text); }), 10);
}

TEST(CorpusAllocation, KeysOfALargeRecord) {
    std::string text = "{\"k\": 0";
    for (int k = 0; k < 100; k++) text += ", \"k" + std::to_string(k) + "\": 0";
    text += ", \"k7\": 0}";
    pkin_i_json_parser *parser = pkin_i_json_parser_new();
    pkin_i_json_value root;
    pkin_i_view key;
    const char *reason;
    ASSERT_EQ(PKIN_I_JSON_OK,
              pkin_i_json_parse(parser, pkin_i_view_of(text.data(), text.size()), text.size(), &root, &reason));
    new_fails = true;
    pkin_i_json_outcome outcome = pkin_i_json_repeated_key(&root, &key);
    new_fails = false;
    EXPECT_EQ(PKIN_I_JSON_OUT_OF_MEMORY, outcome);
    EXPECT_EQ(PKIN_I_JSON_OK, pkin_i_json_repeated_key(&root, &key));
    EXPECT_EQ("k7", std::string(key.bytes, key.n_bytes));
    pkin_i_json_parser_free(parser);
}

TEST(CorpusAllocation, Unique) {
    std::string text = small_crawl() + small_crawl();
    Reading reading = read_text(text, PKIN_FORMAT_UNKNOWN, 1), more = read_text(small_digest(), PKIN_FORMAT_UNKNOWN, 1);
    const pkin_corpus *corpora[] = {reading.corpus.get(), more.corpus.get()};
    EXPECT_GT(fail_at_each([&] {
                  pkin_corpus *merged = nullptr;
                  pkin_status status = pkin_corpus_unique(corpora, 2, &merged);
                  pkin_corpus_free(merged);
                  return status;
              }),
              4);
}

TEST(CorpusAllocation, Blocks) {
    std::string text = "a\n<!-- paperkin:end -->\n<!-- paperkin:begin -->\n<!-- paperkin:end -->\nb\n";
    EXPECT_GT(fail_at_each([&] {
                  pkin_i_buffer out = {};
                  uint64_t n_blocks;
                  pkin_status status =
                      pkin_i_blocks_remove(text.data(), text.size(), PKIN_FORMAT_MARKDOWN, &out, &n_blocks);
                  pkin_i_buffer_free(&out);
                  return status;
              }),
              0);
}

} // namespace
