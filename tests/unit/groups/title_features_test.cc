/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <string>

#include "groups/title_features.h"

static pkin_i_title_features compare(const std::string &a, const std::string &b) {
    pkin_i_title_features forth = {}, back = {};
    EXPECT_EQ(pkin_i_compare_titles(a.c_str(), b.c_str(), &forth), PKIN_OK);
    EXPECT_EQ(pkin_i_compare_titles(b.c_str(), a.c_str(), &back), PKIN_OK);
    EXPECT_EQ(forth.ratio, back.ratio) << a << " | " << b;
    EXPECT_EQ(forth.same, back.same) << a << " | " << b;
    EXPECT_EQ(forth.same_name, back.same_name);
    EXPECT_EQ(forth.contained, back.contained);
    EXPECT_EQ(forth.numbers_differ, back.numbers_differ);
    EXPECT_EQ(forth.reports, back.reports);
    EXPECT_EQ(forth.answers, back.answers);
    return forth;
}

TEST(TitleFeatures, KnowOneTitle) {
    EXPECT_TRUE(compare("Paper Boats on Quiet Ponds", "Paper boats on quiet ponds.").same);
    EXPECT_TRUE(compare("Floating R$^2$BOAT", "Floating R²BOAT").same);
    EXPECT_TRUE(compare("Real-time Boats", "Realtime Boats").same);
    EXPECT_TRUE(compare("Modelling of very long paper boats on the quiet ponds of the northern parks",
                        "Modeling of very long paper boats on the quiet ponds of the northern parks")
                    .same);
    EXPECT_DOUBLE_EQ(compare("Paper Boats", "Paper Boats").ratio, 1.0);
}

TEST(TitleFeatures, SeeOneExchangedWordInALongTitle) {
    std::string tail =
        " boats folded from recycled paper that drift across the quiet ponds of many northern city parks in spring";
    pkin_i_title_features features = compare("On the motion of red" + tail, "On the motion of big" + tail);
    EXPECT_GE(features.ratio, PKIN_I_SAME_TITLE_RATIO) << "the ratio alone is fooled";
    EXPECT_FALSE(features.same);
    features = compare("A study of the motion of stable" + tail, "A study of the motion of unstable" + tail);
    EXPECT_GE(features.ratio, PKIN_I_SAME_TITLE_RATIO);
    EXPECT_FALSE(features.same);
}

TEST(TitleFeatures, KnowTheSameName) {
    EXPECT_TRUE(compare("BoatFold: Folding Boats", "BoatFold: Sailing Further").same_name);
    EXPECT_TRUE(compare("BoatFold : Folding Boats", "boatfold: Sailing Further").same_name);
    EXPECT_FALSE(compare("BoatFold: Folding Boats", "BoatFold++: Sailing Further").same_name) << "a successor";
    EXPECT_FALSE(compare("BoatFold: Folding Boats", "PondSim: Folding Boats").same_name);
    EXPECT_FALSE(compare("Position: Fold Boats", "Position: Sail Boats").same_name) << "no name";
    EXPECT_FALSE(compare(": Fold Boats", ": Sail Boats").same_name);
    EXPECT_FALSE(compare("Fold Boats", "Fold Boats").same_name);
}

TEST(TitleFeatures, KnowAContainedTitle) {
    EXPECT_TRUE(compare("BoatFold: Folding Paper Boats at Scale", "Folding Paper Boats at Scale").contained);
    EXPECT_FALSE(compare("Folding Boats at Last in Parks", "Folding Boats").contained) << "too short";
    EXPECT_FALSE(compare("Folding Paper Boats at Scale Revisited", "Folding Paper Boats at Scale").contained);
    EXPECT_FALSE(compare("Unfolding paper boats at scale", "folding paper boats at scale").contained) << "whole words";
}

TEST(TitleFeatures, CompareNumbers) {
    EXPECT_TRUE(compare("Quiet Ponds. I. Waves", "Quiet Ponds. II. Waves").numbers_differ);
    EXPECT_TRUE(compare("Quiet Ponds, part one", "Quiet Ponds, part two").numbers_differ);
    EXPECT_TRUE(compare("Quiet Ponds", "Quiet Ponds II").numbers_differ);
    EXPECT_TRUE(compare("Boat Challenge 2024", "Boat Challenge 2025").numbers_differ);
    EXPECT_TRUE(compare("The 21st Boat Meeting", "The 22nd Boat Meeting").numbers_differ);
    EXPECT_TRUE(compare("The Second Boat Meeting", "The Third Boat Meeting").numbers_differ);
    EXPECT_TRUE(compare("BoatLM-9B: Report", "BoatLM-22B: Report").numbers_differ);
    EXPECT_TRUE(compare("BoatSailor: Over the Pond", "BoatSailor-V2: Through Wind and Rain").numbers_differ);
    EXPECT_TRUE(compare("纸船研究第一部分", "纸船研究第二部分").numbers_differ);
    EXPECT_FALSE(compare("Quiet Ponds. II. Waves", "Quiet Ponds 2: Waves").numbers_differ);
    EXPECT_FALSE(compare("Folding 30,000 boats", "Folding 30000 boats").numbers_differ);
    EXPECT_FALSE(compare("Quiet Ponds $\\mathrm{II}$", "Quiet Ponds II").numbers_differ);
    EXPECT_FALSE(compare("I-Boat: paper", "Boat: paper").numbers_differ) << "a letter before a hyphen is no numeral";
    EXPECT_FALSE(compare("First-principles study of boats", "A study of boats").numbers_differ);
    EXPECT_FALSE(compare("Folding boats in 3D", "What wind does to pond traffic").numbers_differ)
        << "in unlike titles a number that counts nothing says nothing";
    EXPECT_FALSE(compare("Learning from i.i.d. boats", "Learning from boats").numbers_differ);
}

TEST(TitleFeatures, KnowReportsAndAnswers) {
    EXPECT_TRUE(compare("The Boat Challenge: Results", "Overview of BoatCLEF").reports);
    EXPECT_FALSE(compare("The Boat Challenge: Results", "Boats on Ponds").reports);
    EXPECT_FALSE(compare("Boats: Challenges Ahead", "Ponds: Challenges Ahead").reports);
    EXPECT_TRUE(compare("Erratum to: Boats on Ponds", "Boats on Ponds").answers);
    EXPECT_FALSE(compare("Reply on Boats", "Comment on Boats").answers);
}

TEST(TitleFeatures, StandEmptyAndHostileTitles) {
    EXPECT_DOUBLE_EQ(compare("", "").ratio, 0.0);
    EXPECT_FALSE(compare("", "").same);
    EXPECT_FALSE(compare("", "Boats").same);
    EXPECT_FALSE(compare("$$$ :::", "+++: ***").same_name);
    std::string long_title;
    for (int i = 0; i < 200000; i++) long_title += "II ";
    EXPECT_DOUBLE_EQ(compare(long_title, long_title).ratio, 1.0);
    EXPECT_LT(compare(long_title, "Boats").ratio, 0.1);
    compare("\xff\xff\xff: \xe7\xac", "\xe7\xac\xac\xe4\xb8");
    compare(std::string(5000, '+') + ":", std::string(5000, ','));
    compare("99999999999999999999999999",
            "1,000,000,000,000,000,000,000,000,000,000,000,000,000,000,000,000,000,000,000,000");
}
