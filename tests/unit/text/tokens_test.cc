/* SPDX-License-Identifier: Apache-2.0 */
#include "text/tokens.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

static std::string record(int id, const std::string &title, const std::string &abstract) {
    return "{\"id\": \"2501." + std::to_string(10000 + id) + "\", \"title\": \"" + title +
           "\", \"authors\": [\"A. Author\"], \"categories\": [\"cs.XX\"], \"comment\": null, \"summary\": \"" +
           abstract + "\"}\n";
}

static pkin_corpus *corpus_of(const std::string &lines) {
    pkin_corpus *corpus = nullptr;
    EXPECT_EQ(pkin_corpus_read_memory(lines.data(), lines.size(), "test", nullptr, &corpus), PKIN_OK)
        << pkin_last_error();
    return corpus;
}

/* Invented papers with few words, so that chunks share many. */
static std::string many_records(int n) {
    std::string lines;
    unsigned state = 7;
    for (int k = 0; k < n; k++) {
        std::string texts[2];
        for (std::string &text : texts) {
            for (int word = 0; word < 12; word++) {
                state = state * 1664525u + 1013904223u;
                text += "w" + std::to_string((state >> 16) % (50 + (unsigned)k)) + (word == 5 ? ". " : " ");
            }
        }
        lines += record(k, texts[0], texts[1]);
    }
    return lines;
}

struct Tokenized {
    pkin_i_vocabulary *vocabulary = nullptr;
    pkin_i_token_documents documents = {};
    explicit Tokenized(const pkin_corpus *corpus, int n_threads, pkin_i_tokenize_options options) {
        options.n_threads = n_threads;
        EXPECT_EQ(pkin_i_vocabulary_create(&vocabulary), PKIN_OK);
        EXPECT_EQ(pkin_i_tokenize_corpus(corpus, &options, vocabulary, &documents), PKIN_OK) << pkin_last_error();
    }
    Tokenized(const Tokenized &) = delete;
    ~Tokenized() {
        pkin_i_token_documents_free(&documents);
        pkin_i_vocabulary_free(vocabulary);
    }
    std::vector<std::string> words(pkin_i_field field, uint64_t d) const {
        std::vector<std::string> result;
        const pkin_i_token_field &f = documents.fields[field];
        for (uint64_t k = f.offsets[d]; k < f.offsets[d + 1]; k++) {
            const char *word =
                f.tokens[k] == PKIN_I_TOKEN_BREAK ? "|" : pkin_i_vocabulary_word(vocabulary, f.tokens[k], nullptr);
            result.push_back(word ? word : "?");
        }
        return result;
    }
};

static const pkin_i_tokenize_options both_fields = {PKIN_TOKENIZER_UNICODE, 1, {1, 1, 0}, 1};

TEST(Tokens, FieldsAndBreaks) {
    pkin_corpus *corpus =
        corpus_of(record(1, "The Graph of Graphs", "We cut trees. Then the forest grows.") + record(2, "Trees", ""));
    Tokenized t(corpus, 1, both_fields);
    typedef std::vector<std::string> Words;
    EXPECT_EQ(t.words(PKIN_I_TITLE, 0), (Words{"graph", "graphs"}));
    EXPECT_EQ(t.words(PKIN_I_ABSTRACT, 0), (Words{"cut", "trees", "|", "forest", "grows"})); /* no break at the ends */
    EXPECT_EQ(t.words(PKIN_I_TITLE, 1), (Words{"trees"}));
    EXPECT_EQ(t.words(PKIN_I_ABSTRACT, 1), Words{});
    EXPECT_EQ(t.documents.fields[PKIN_I_SUMMARY].offsets, nullptr);
    EXPECT_EQ(pkin_i_vocabulary_find(t.vocabulary, "graph", 5), 0u);
    EXPECT_EQ(pkin_i_vocabulary_find(t.vocabulary, "the", 3), UINT32_MAX);
    pkin_corpus_free(corpus);
}

TEST(Tokens, KnownWordsKeepTheirIds) {
    pkin_corpus *corpus = corpus_of(record(1, "Forest graph", "tree"));
    pkin_i_vocabulary *vocabulary = nullptr;
    pkin_i_token_documents documents = {};
    uint32_t id;
    ASSERT_EQ(pkin_i_vocabulary_create(&vocabulary), PKIN_OK);
    ASSERT_EQ(pkin_i_vocabulary_add(vocabulary, "tree", 4, &id), PKIN_OK);
    ASSERT_EQ(pkin_i_tokenize_corpus(corpus, &both_fields, vocabulary, &documents), PKIN_OK);
    EXPECT_EQ(documents.fields[PKIN_I_TITLE].tokens[0], 1u);
    EXPECT_EQ(documents.fields[PKIN_I_ABSTRACT].tokens[0], 0u);
    pkin_i_token_documents_free(&documents);
    pkin_i_vocabulary_free(vocabulary);
    pkin_corpus_free(corpus);
}

TEST(Tokens, TheSameForEveryNumberOfThreads) {
    pkin_corpus *corpus = corpus_of(many_records(1500));
    for (pkin_tokenizer tokenizer : {PKIN_TOKENIZER_UNICODE, PKIN_TOKENIZER_WORDS}) {
        pkin_i_tokenize_options options = both_fields;
        options.tokenizer = tokenizer;
        Tokenized one(corpus, 1, options);
        for (int n_threads : {2, 3, 4, 7}) {
            Tokenized many(corpus, n_threads, options);
            ASSERT_EQ(pkin_i_vocabulary_size(one.vocabulary), pkin_i_vocabulary_size(many.vocabulary));
            for (uint32_t id = 0; id < pkin_i_vocabulary_size(one.vocabulary); id++) {
                ASSERT_STREQ(pkin_i_vocabulary_word(one.vocabulary, id, nullptr),
                             pkin_i_vocabulary_word(many.vocabulary, id, nullptr));
            }
            for (pkin_i_field field : {PKIN_I_TITLE, PKIN_I_ABSTRACT}) {
                const pkin_i_token_field &a = one.documents.fields[field], &b = many.documents.fields[field];
                for (uint64_t d = 0; d <= 1500; d++) ASSERT_EQ(a.offsets[d], b.offsets[d]);
                for (uint64_t k = 0; k < a.offsets[1500]; k++) ASSERT_EQ(a.tokens[k], b.tokens[k]);
            }
        }
    }
    pkin_corpus_free(corpus);
}

/* Allocation number `countdown` fails. */
static long countdown;
static void *failing_allocate(void *, size_t n) {
    return __atomic_sub_fetch(&countdown, 1, __ATOMIC_SEQ_CST) == 0 ? nullptr : malloc(n);
}
static void *failing_reallocate(void *, void *p, size_t n) {
    return __atomic_sub_fetch(&countdown, 1, __ATOMIC_SEQ_CST) == 0 ? nullptr : realloc(p, n);
}
static void failing_release(void *, void *p) {
    free(p);
}

TEST(Tokens, EveryFailedAllocationIsReported) {
    pkin_corpus *corpus = corpus_of(many_records(200) + record(900, "Étude 中文方法", "α naïve"));
    const pkin_allocator hooks = {failing_allocate, failing_reallocate, failing_release, nullptr};
    long n = 1;
    for (; n < 100000; n++) {
        pkin_i_vocabulary *vocabulary = nullptr;
        pkin_i_token_documents documents = {};
        pkin_i_tokenize_options options = both_fields;
        options.n_threads = 2;
        ASSERT_EQ(pkin_i_vocabulary_create(&vocabulary), PKIN_OK);
        pkin_set_allocator(&hooks);
        countdown = n;
        pkin_status status = pkin_i_tokenize_corpus(corpus, &options, vocabulary, &documents);
        bool failed = countdown <= 0;
        pkin_set_allocator(nullptr);
        EXPECT_EQ(status, failed ? PKIN_ERROR_OUT_OF_MEMORY : PKIN_OK);
        if (failed) {
            EXPECT_EQ(documents.fields[0].offsets, nullptr);
            EXPECT_NE(std::string(pkin_last_error()).find("out of memory"), std::string::npos);
        }
        pkin_i_token_documents_free(&documents);
        pkin_i_vocabulary_free(vocabulary);
        if (!failed) break;
    }
    EXPECT_GT(n, 10);
    pkin_corpus_free(corpus);
}
