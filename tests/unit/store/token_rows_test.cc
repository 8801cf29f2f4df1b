/* SPDX-License-Identifier: Apache-2.0 */
#include "store/token_rows.h"

#include <rapidcheck.h>

#include "unit/store/store_fixture.h"

using namespace store_test;

namespace {

std::string encode(const std::vector<uint32_t> &tokens) {
    pkin_i_buffer bytes = {};
    EXPECT_EQ(pkin_i_tokens_encode(tokens.data(), tokens.size(), &bytes), PKIN_OK);
    std::string out(bytes.bytes ? bytes.bytes : "", bytes.n_bytes);
    pkin_i_buffer_free(&bytes);
    return out;
}

bool decode(const std::string &bytes, uint32_t n_terms, size_t n_tokens, std::vector<uint32_t> *tokens) {
    tokens->assign(n_tokens + 1, 7);
    return pkin_i_tokens_decode((const unsigned char *)bytes.data(), bytes.size(), n_terms, tokens->data(), n_tokens) &&
           (*tokens)[n_tokens] == 7;
}

TEST(TokenBytes, KnownForm) {
    EXPECT_EQ(encode({0, 126, 127, PKIN_I_TOKEN_BREAK, 16382, 16383}),
              std::string("\x01\x7f\x80\x01\x00\xff\x7f\x80\x80\x01", 10));
    EXPECT_EQ(encode({}), "");
}

TEST(TokenBytes, RoundTrip) {
    EXPECT_TRUE(rc::check("tokens come back", [](const std::vector<uint32_t> &any) {
        std::vector<uint32_t> back;
        RC_ASSERT(decode(encode(any), UINT32_MAX, any.size(), &back));
        back.pop_back();
        RC_ASSERT(back == any);
    }));
}

TEST(TokenBytes, HostileBytesAreRefused) {
    std::vector<uint32_t> out;
    EXPECT_FALSE(decode("\x05", 4, 1, &out)); /* a term that is not there */
    EXPECT_TRUE(decode("\x04", 4, 1, &out));
    EXPECT_FALSE(decode("\x80", UINT32_MAX, 1, &out));                 /* cut */
    EXPECT_FALSE(decode("\x01\x01", UINT32_MAX, 1, &out));             /* more than was counted */
    EXPECT_FALSE(decode("\x01", UINT32_MAX, 2, &out));                 /* less */
    EXPECT_FALSE(decode("\xff\xff\xff\xff\x7f", UINT32_MAX, 1, &out)); /* beyond 32 bits */
    EXPECT_FALSE(decode("\x80\x80\x80\x80\x80\x01", UINT32_MAX, 1, &out));
    EXPECT_TRUE(rc::check("any bytes are read or refused", [](const std::string &bytes, uint32_t n_terms) {
        std::vector<uint32_t> tokens;
        size_t n = 0;
        for (unsigned char c : bytes) n += c < 0x80;
        if (!decode(bytes, n_terms, n, &tokens)) return;
        for (size_t k = 0; k < n; k++) RC_ASSERT(tokens[k] == PKIN_I_TOKEN_BREAK || tokens[k] < n_terms);
    }));
}

class TokenRows : public ::testing::Test {
  protected:
    Folder folder;
    std::string path = folder / "s.db";
};

/* What the tokenizer gives for the file itself, as text. */
std::string tokenized(const std::string &lines) {
    pkin_corpus *corpus = nullptr;
    pkin_i_vocabulary *vocabulary = nullptr;
    pkin_i_token_documents documents = {};
    pkin_i_tokenize_options options = {PKIN_TOKENIZER_UNICODE, 1, {1, 1, 1}, 1};
    std::string out;
    EXPECT_EQ(pkin_corpus_read_memory(lines.data(), lines.size(), "x", nullptr, &corpus), PKIN_OK);
    EXPECT_EQ(pkin_i_vocabulary_create(&vocabulary), PKIN_OK);
    EXPECT_EQ(pkin_i_tokenize_corpus(corpus, &options, vocabulary, &documents), PKIN_OK);
    for (uint64_t d = 0; d < documents.n_documents; d++) {
        for (auto &field : documents.fields) {
            for (uint64_t t = field.offsets[d]; t < field.offsets[d + 1]; t++) {
                uint32_t id = field.tokens[t];
                out += id == PKIN_I_TOKEN_BREAK ? "/ "
                                                : std::string(pkin_i_vocabulary_word(vocabulary, id, nullptr)) + " ";
            }
            out += "| ";
        }
        out += "\n";
    }
    pkin_i_token_documents_free(&documents);
    pkin_i_vocabulary_free(vocabulary);
    pkin_corpus_free(corpus);
    return out;
}

std::string remembered(pkin_store *store, int n_threads) {
    pkin_i_token_documents documents = {};
    int64_t *ids = nullptr;
    const pkin_i_vocabulary *vocabulary = nullptr;
    std::string out;
    EXPECT_EQ(pkin_i_store_load_tokens(store, n_threads, &documents, &ids, &vocabulary), PKIN_OK) << pkin_last_error();
    for (uint64_t d = 0; d < documents.n_documents; d++) {
        EXPECT_EQ(ids[d], (int64_t)d + 1);
        for (auto &field : documents.fields) {
            for (uint64_t t = field.offsets[d]; t < field.offsets[d + 1]; t++) {
                uint32_t id = field.tokens[t];
                out += id == PKIN_I_TOKEN_BREAK ? "/ "
                                                : std::string(pkin_i_vocabulary_word(vocabulary, id, nullptr)) + " ";
            }
            out += "| ";
        }
        out += "\n";
    }
    pkin_i_token_documents_free(&documents);
    pkin_i_free(ids);
    return out;
}

TEST_F(TokenRows, AreWhatTheTokenizerGives) {
    std::string lines = papers(1, 40) + enhanced_line("2601.00050", "Kites in $R^2$",
                                                      "Sails. \\u98ce\\u7b5d\\u7684\\u5386\\u53f2", "S.");
    std::string expected = tokenized(lines);
    {
        Store store(path);
        ingest(store, folder.write("2026-01-05.jsonl", lines));
        EXPECT_EQ(remembered(store, 1), expected);
    }
    Store store(path, PKIN_STORE_READ_ONLY);
    EXPECT_EQ(remembered(store, 3), expected);
}

TEST_F(TokenRows, OfAnEmptyStore) {
    Store store(path);
    EXPECT_EQ(remembered(store, 0), "");
}

TEST_F(TokenRows, DamageIsTold) {
    std::string file = folder.write("2026-01-05.jsonl", papers(1, 3));
    for (const char *damage : {"UPDATE paper_terms SET abstract = x'ffff7f' WHERE paper = 2",
                               "UPDATE paper_terms SET title = x'80' WHERE paper = 1", "DELETE FROM terms WHERE id = 2",
                               "UPDATE terms SET word = (SELECT word FROM terms WHERE id = 1) WHERE id = 2"}) {
        fs::remove(path);
        {
            Store store(path);
            ingest(store, file);
        }
        EXPECT_EQ(run_sql(path, damage), "");
        Store store(path);
        ASSERT_EQ(store.status, PKIN_OK);
        pkin_i_token_documents documents = {};
        int64_t *ids = nullptr;
        const pkin_i_vocabulary *vocabulary = nullptr;
        EXPECT_EQ(pkin_i_store_load_tokens(store, 1, &documents, &ids, &vocabulary), PKIN_ERROR_CORRUPT) << damage;
        EXPECT_EQ(ids, nullptr);
        EXPECT_EQ(documents.fields[0].tokens, nullptr);
    }
}

TEST_F(TokenRows, DamagedListsAreTold) {
    Store store(path);
    ingest(store, folder.write("2026-01-05.jsonl", papers(1, 1)));
    pkin_i_arena arena = {};
    pkin_i_stored_paper paper;
    for (const char *list : {"", "[", "[\"", "[\"a\"", "[\"a\",]", "[\"a\" ]", "[\"\\", "[\"\\u00\"]", "[\"\\ud800\"]",
                             "[\"\\q\"]", "[1]", "null", "[\"a\"]x", "[,]"}) {
        run_sql(path, std::string("UPDATE papers SET authors = '") + list + "'");
        EXPECT_EQ(pkin_i_store_paper(store, 1, &arena, &paper), PKIN_ERROR_CORRUPT) << list;
    }
    run_sql(path, "UPDATE papers SET authors = '[\"a\\u001f\\n\\\\\",\"\",\"b\"]', categories = '[]'");
    ASSERT_EQ(pkin_i_store_paper(store, 1, &arena, &paper), PKIN_OK) << pkin_last_error();
    ASSERT_EQ(paper.paper.n_authors, 3u);
    EXPECT_STREQ(paper.paper.authors[0], "a\x1f\n\\");
    EXPECT_STREQ(paper.paper.authors[1], "");
    EXPECT_STREQ(paper.paper.authors[2], "b");
    EXPECT_EQ(paper.paper.n_categories, 0u);
    pkin_i_arena_free(&arena);
}

TEST_F(TokenRows, AnotherTokenizerMeansAnew) {
    std::string file = folder.write("2026-01-05.jsonl", papers(1, 30));
    {
        Store store(path);
        ingest(store, file);
    }
    std::string fresh = dump(path);
    run_sql(path, "UPDATE meta SET value = 'unicode-0 icu-1'; DELETE FROM paper_terms WHERE paper = 7;"
                  "INSERT INTO terms (word) VALUES ('stale'); UPDATE paper_terms SET title = x'01'");
    {
        Store reader(path, PKIN_STORE_READ_ONLY);
        EXPECT_EQ(reader.status, PKIN_ERROR_STORE_VERSION);
        EXPECT_NE(std::string(pkin_last_error()).find("open it once for writing"), std::string::npos)
            << pkin_last_error();
    }
    {
        Store store(path);
        ASSERT_EQ(store.status, PKIN_OK) << pkin_last_error();
    }
    EXPECT_EQ(dump(path), fresh);
    Store reader(path, PKIN_STORE_READ_ONLY);
    EXPECT_EQ(reader.status, PKIN_OK);
}

} // namespace
