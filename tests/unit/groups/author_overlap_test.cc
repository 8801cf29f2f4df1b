/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include "groups/author_overlap.h"
#include "test_paper.h"

static bool same(const char *a, const char *b) {
    int forth = -1, back = -1;
    EXPECT_EQ(pkin_i_same_author(a, b, &forth), PKIN_OK);
    EXPECT_EQ(pkin_i_same_author(b, a, &back), PKIN_OK);
    EXPECT_EQ(forth, back) << a << " | " << b;
    return forth != 0;
}

TEST(SameAuthor, IsTolerantOfSpelling) {
    EXPECT_TRUE(same("Ada Quill", "Ada Quill"));
    EXPECT_TRUE(same("Ada Quill", "ADA QUILL"));
    EXPECT_TRUE(same("Ada Quill", "Quill, Ada"));
    EXPECT_TRUE(same("A. Quill", "Ada Quill"));
    EXPECT_TRUE(same("Ada M. Quill", "Ada Quill"));
    EXPECT_TRUE(same("Ada Marie Quill", "A. M. Quill"));
    EXPECT_TRUE(same("Jörg Hövel", "Jorg Hovel"));
    EXPECT_TRUE(same("J\\\"org H\\\"ovel", "Jörg Hövel"));
    EXPECT_TRUE(same("Hui-Min Rao", "Huimin Rao"));
    EXPECT_TRUE(same("Micheal Sand", "Michael Sand"));
    EXPECT_TRUE(same("张伟", "张伟"));
    EXPECT_TRUE(same("Ada Quill et al.", "Ada Quill"));
}

TEST(SameAuthor, TellsPeopleApart) {
    EXPECT_FALSE(same("Ada Quill", "Bea Quill"));
    EXPECT_FALSE(same("Ada Quill", "Ada Reed"));
    EXPECT_FALSE(same("Wei Rao", "Wen Rao"));
    EXPECT_FALSE(same("A. Q.", "Ada Quill")) << "initials alone name nobody";
    EXPECT_FALSE(same("Quill", "Ada Quill")) << "one part alone says too little";
    EXPECT_FALSE(same("Ada B. Quill", "Ada C. Quill"));
    EXPECT_FALSE(same("张伟", "张敏"));
    EXPECT_FALSE(same("", "Ada Quill"));
    EXPECT_FALSE(same("", ""));
}

static double overlap(std::vector<std::string> a, std::vector<std::string> b) {
    TestPaper first, second;
    first.authors = std::move(a);
    second.authors = std::move(b);
    double forth = -2, back = -2;
    EXPECT_EQ(pkin_i_author_overlap(first.view(), second.view(), &forth), PKIN_OK);
    EXPECT_EQ(pkin_i_author_overlap(second.view(), first.view(), &back), PKIN_OK);
    EXPECT_EQ(forth, back);
    return forth;
}

TEST(AuthorOverlap, IsTheShareOfTheShorterList) {
    EXPECT_DOUBLE_EQ(overlap({"Ada Quill"}, {"Bo Reed", "A. Quill", "Cy Sand"}), 1.0);
    EXPECT_DOUBLE_EQ(overlap({"Ada Quill", "Dee Tarn"}, {"Bo Reed", "A. Quill", "Cy Sand"}), 0.5);
    EXPECT_DOUBLE_EQ(overlap({"Ada Quill"}, {"Bo Reed"}), 0.0);
    EXPECT_DOUBLE_EQ(overlap({"Ada Quill", "Anna Quill"}, {"A. Quill", "Bo Reed"}), 0.5)
        << "lists of one length: the smaller share";
}

TEST(AuthorOverlap, IsUnknownWithoutNames) {
    EXPECT_DOUBLE_EQ(overlap({}, {"Ada Quill"}), -1.0);
    EXPECT_DOUBLE_EQ(overlap({"", " ", "$$"}, {"Ada Quill"}), -1.0);
}

TEST(AuthorOverlap, IsBoundedOnHugeLists) {
    std::vector<std::string> many;
    for (int i = 0; i < 20000; i++) many.push_back("Ada Quill" + std::to_string(i));
    EXPECT_DOUBLE_EQ(overlap(many, many), 1.0);
    EXPECT_DOUBLE_EQ(overlap({std::string(1 << 20, 'x')}, {std::string(1 << 20, 'x')}), 1.0);
    std::string accents;
    for (int i = 0; i < 100000; i++) accents += "é";
    EXPECT_DOUBLE_EQ(overlap({accents}, {accents}), 1.0);
    EXPECT_DOUBLE_EQ(overlap({"\xff\xfe Quill \xc3"}, {"\xff\xfe Quill \xc3"}), 1.0);
}
