/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include "groups/comment_features.h"
#include "test_paper.h"

/* The second paper has the id 2501.00002 and no comment. */
static pkin_i_comment_features read(const std::string &comment, const std::string &other_id = "2501.00002") {
    TestPaper a("2501.00001", "Boats"), b(other_id, "Ponds");
    a.comment = comment;
    pkin_i_comment_features forth = {}, back = {};
    EXPECT_EQ(pkin_i_compare_comments(a.view(), b.view(), &forth), PKIN_OK);
    EXPECT_EQ(pkin_i_compare_comments(b.view(), a.view(), &back), PKIN_OK);
    EXPECT_EQ(forth.splits, back.splits);
    EXPECT_EQ(forth.names_other, back.names_other);
    EXPECT_EQ(forth.declares_version, back.declares_version);
    return forth;
}

TEST(CommentFeatures, FindTheOtherId) {
    EXPECT_TRUE(read("text overlap with arXiv:2501.00002").names_other);
    EXPECT_TRUE(read("see https://arxiv.org/abs/2501.00002v3").names_other);
    EXPECT_FALSE(read("text overlap with arXiv:2501.000021").names_other);
    EXPECT_FALSE(read("text overlap with arXiv:12501.00002").names_other);
    EXPECT_FALSE(read("text overlap with arXiv:2501.00003").names_other);
    EXPECT_TRUE(read("see hep-th/9901001", "hep-th/9901001").names_other);
    EXPECT_FALSE(read("12 pages", "12").names_other) << "a short id is any number";
    EXPECT_FALSE(read("", "").names_other);
}

TEST(CommentFeatures, FindParts) {
    EXPECT_TRUE(read("This is the second part of a split version of the article").splits);
    EXPECT_TRUE(read("Companion paper: arXiv:2501.00007").splits);
    EXPECT_TRUE(read("This work subsumes arXiv:2501.00002").splits);
    EXPECT_TRUE(read("Part II of two").splits);
    EXPECT_FALSE(read("Part of the proceedings of the boat meeting").splits);
    EXPECT_FALSE(read("12 pages, 3 figures; counterparts in the appendix").splits);
}

TEST(CommentFeatures, FindDeclaredVersions) {
    EXPECT_TRUE(read("Extended version of arXiv:2501.00002").declares_version);
    EXPECT_TRUE(read("This paper supersedes our earlier preprint arXiv:2501.00002.").declares_version);
    EXPECT_TRUE(read("arXiv:2501.00002 is superseded by this paper").declares_version);
    EXPECT_FALSE(read("Extended version of arXiv:2501.00009").declares_version);
    EXPECT_FALSE(read("Journal version. " + std::string(300, 'x') + " arXiv:2501.00002").declares_version) << "too far";
    EXPECT_FALSE(read("text overlap with arXiv:2501.00002").declares_version);
}

TEST(CommentFeatures, StandHostileComments) {
    std::string many;
    for (int i = 0; i < 100000; i++) many += "2501.00002 extended version ";
    EXPECT_TRUE(read(many).declares_version);
    read(std::string(1 << 20, ' '));
    read("\xff\xfe part ii \xc3");
    read("x", std::string(1 << 20, '1'));
}
