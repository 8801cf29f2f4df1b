/* SPDX-License-Identifier: Apache-2.0 */
#include "text/vocabulary.h"

#include <gtest/gtest.h>

#include <string>

class Vocabulary : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(pkin_i_vocabulary_create(&vocabulary), PKIN_OK);
    }
    void TearDown() override {
        pkin_i_vocabulary_free(vocabulary);
    }
    uint32_t add(const std::string &word) {
        uint32_t id = 12345;
        EXPECT_EQ(pkin_i_vocabulary_add(vocabulary, word.data(), word.size(), &id), PKIN_OK);
        return id;
    }
    pkin_i_vocabulary *vocabulary = nullptr;
};

TEST_F(Vocabulary, NumbersWordsInOrderOfAddition) {
    EXPECT_EQ(add("graph"), 0u);
    EXPECT_EQ(add("tree"), 1u);
    EXPECT_EQ(add("graph"), 0u);
    EXPECT_EQ(add(""), 2u);
    EXPECT_EQ(pkin_i_vocabulary_size(vocabulary), 3u);
    EXPECT_EQ(pkin_i_vocabulary_find(vocabulary, "tree", 4), 1u);
    EXPECT_EQ(pkin_i_vocabulary_find(vocabulary, "tre", 3), UINT32_MAX);
    EXPECT_EQ(pkin_i_vocabulary_find(vocabulary, "trees", 5), UINT32_MAX);
}

TEST_F(Vocabulary, KeepsWordsWhereTheyAre) {
    const char *first = nullptr;
    for (uint32_t k = 0; k < 50000; k++) {
        ASSERT_EQ(add("word" + std::to_string(k)), k);
        if (k == 0) first = pkin_i_vocabulary_word(vocabulary, 0, nullptr);
    }
    EXPECT_EQ(pkin_i_vocabulary_word(vocabulary, 0, nullptr), first);
    for (uint32_t k = 0; k < 50000; k++) {
        size_t n_bytes = 0;
        std::string expected = "word" + std::to_string(k);
        ASSERT_STREQ(pkin_i_vocabulary_word(vocabulary, k, &n_bytes), expected.c_str());
        ASSERT_EQ(n_bytes, expected.size());
        ASSERT_EQ(pkin_i_vocabulary_find(vocabulary, expected.data(), expected.size()), k);
    }
    EXPECT_EQ(pkin_i_vocabulary_word(vocabulary, 50000, nullptr), nullptr);
}

/* Bytes behind a padded word are not part of it, and lengths around the key's are told apart. */
TEST_F(Vocabulary, TakesPaddedWordsForTheSame) {
    for (size_t n = 0; n <= 40; n++) {
        std::string word(n, 'a'), padded = word + std::string(PKIN_I_WORD_PADDING, 'z');
        uint32_t id = 12345;
        ASSERT_EQ(add(word), n);
        pkin_i_vocabulary_prefetch(vocabulary, padded.data(), n);
        ASSERT_EQ(pkin_i_vocabulary_add_padded(vocabulary, padded.data(), n, &id), PKIN_OK);
        ASSERT_EQ(id, n);
    }
    uint32_t id = 12345;
    EXPECT_EQ(pkin_i_vocabulary_add_padded(vocabulary, "new words of many letters", 9, &id), PKIN_OK);
    EXPECT_EQ(id, 41u);
    EXPECT_EQ(pkin_i_vocabulary_find(vocabulary, "new words", 9), 41u);
    EXPECT_EQ(add(std::string("a\0", 2)), 42u); /* not "a" */
}

TEST_F(Vocabulary, ListsItsWordsWhenClosed) {
    add("graph");
    pkin_i_vocabulary_close(vocabulary);
    EXPECT_EQ(pkin_i_vocabulary_size(vocabulary), 1u);
    EXPECT_STREQ(pkin_i_vocabulary_word(vocabulary, 0, nullptr), "graph");
}

TEST(VocabularyFree, AcceptsNull) {
    pkin_i_vocabulary_free(nullptr);
}
