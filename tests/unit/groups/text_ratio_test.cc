/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <vector>

#include "groups/text_ratio.h"
#include "groups/word_list.h"

static double ratio(const std::vector<uint64_t> &a, const std::vector<uint64_t> &b) {
    double out = -1;
    EXPECT_EQ(pkin_i_sequence_ratio(a.data(), a.size(), b.data(), b.size(), &out), PKIN_OK);
    return out;
}

TEST(SequenceRatio, CountsTheLongestCommonSubsequence) {
    EXPECT_DOUBLE_EQ(ratio({1, 2, 3}, {1, 2, 3}), 1.0);
    EXPECT_DOUBLE_EQ(ratio({1, 2, 3, 4}, {1, 3, 4}), 6.0 / 7);
    EXPECT_DOUBLE_EQ(ratio({1, 2, 3, 4, 5}, {9, 2, 8, 4, 7}), 4.0 / 10);
    EXPECT_DOUBLE_EQ(ratio({1, 2, 3}, {3, 2, 1}), 2.0 / 6);
    EXPECT_DOUBLE_EQ(ratio({1, 1, 1}, {1}), 2.0 / 4);
    EXPECT_DOUBLE_EQ(ratio({}, {}), 0.0);
    EXPECT_DOUBLE_EQ(ratio({}, {1}), 0.0);
}

TEST(SpellingRatio, WorksOnBytesAndOnLongWords) {
    EXPECT_DOUBLE_EQ(pkin_i_spelling_ratio("boat", 4, "boats", 5), 8.0 / 9);
    EXPECT_DOUBLE_EQ(pkin_i_spelling_ratio("", 0, "", 0), 0.0);
    std::string longer(1000, 'a');
    EXPECT_DOUBLE_EQ(pkin_i_spelling_ratio(longer.data(), longer.size(), longer.data(), longer.size()), 1.0);
}

TEST(WordList, IsBounded) {
    std::string text;
    for (int i = 0; i < 200000; i++) text += "boat ";
    pkin_i_word_list list = {};
    ASSERT_EQ(pkin_i_word_list_append(text.c_str(), 0, &list), PKIN_OK);
    EXPECT_EQ(list.n_words, static_cast<size_t>(PKIN_I_MAX_WORDS));
    pkin_i_word_list sorted = {};
    ASSERT_EQ(pkin_i_word_list_sorted(&list, &sorted), PKIN_OK);
    EXPECT_TRUE(pkin_i_word_list_holds(&sorted, list.hashes[0]));
    EXPECT_FALSE(pkin_i_word_list_holds(&sorted, list.hashes[0] + 1));
    pkin_i_word_list_free(&sorted);
    pkin_i_word_list_free(&list);
}

TEST(WordList, LeavesOutStopWords) {
    pkin_i_word_list all = {}, content = {};
    ASSERT_EQ(pkin_i_word_list_append("the boat of the pond", 0, &all), PKIN_OK);
    ASSERT_EQ(pkin_i_word_list_append("the boat of the pond", 1, &content), PKIN_OK);
    EXPECT_EQ(all.n_words, 5u);
    EXPECT_EQ(content.n_words, 2u);
    pkin_i_word_list_free(&all);
    pkin_i_word_list_free(&content);
}

TEST(Utf8Prefix, CutsNoCharacter) {
    const std::string text = "a纸船";
    EXPECT_EQ(pkin_i_utf8_prefix(text.data(), text.size(), 7), 7u);
    EXPECT_EQ(pkin_i_utf8_prefix(text.data(), text.size(), 6), 4u);
    EXPECT_EQ(pkin_i_utf8_prefix(text.data(), text.size(), 3), 1u);
    EXPECT_EQ(pkin_i_utf8_prefix(text.data(), text.size(), 0), 0u);
}
