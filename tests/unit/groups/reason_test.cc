/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <climits>
#include <cmath>
#include <vector>

#include "test_paper.h"

static std::string reason(const pkin_judgement &judgement, pkin_language language = PKIN_LANGUAGE_EN) {
    char buffer[1024];
    size_t n_bytes = pkin_judgement_reason(&judgement, language, buffer, sizeof buffer);
    EXPECT_EQ(n_bytes, strlen(buffer));
    return buffer;
}

static pkin_judgement sample() {
    pkin_judgement judgement = {};
    judgement.verdict = PKIN_VERDICT_SAME_WORK;
    judgement.rule = "same title";
    judgement.cosine = 0.934;
    judgement.author_overlap = 1;
    judgement.title_ratio = 1;
    judgement.abstract_ratio = 0.716;
    judgement.days_apart = 214;
    return judgement;
}

TEST(Reason, GivesTheFigures) {
    EXPECT_EQ(reason(sample()),
              "same title, all authors shared, abstracts 72% alike, cosine 0.93, about 214 days apart");
    EXPECT_EQ(reason(sample(), PKIN_LANGUAGE_ZH), "标题相同，作者全部相同，摘要相似度 72%，余弦 0.93，相隔约 214 天");
}

TEST(Reason, SaysWhatIsUnknownOrNothing) {
    pkin_judgement judgement = sample();
    judgement.author_overlap = judgement.abstract_ratio = -1;
    judgement.days_apart = -1;
    judgement.comment_names_other = 1;
    EXPECT_EQ(reason(judgement), "same title, authors unknown, cosine 0.93, a comment names the other id");
    judgement.verdict = PKIN_VERDICT_NONE;
    EXPECT_EQ(reason(judgement), "");
    EXPECT_EQ(pkin_judgement_reason(nullptr, PKIN_LANGUAGE_EN, nullptr, 0), 0u);
}

TEST(Reason, NamesRepeatsAndVersionsShortly) {
    TestPaper a("2501.00001", "Boats"), b = a;
    EXPECT_EQ(reason(pkin_test_judge(a, b, 1)), "the same paper");
    a.version = 1;
    b.version = 2;
    EXPECT_EQ(reason(pkin_test_judge(a, b, 1)), "another version of the same paper");
}

TEST(Reason, NeverPrintsAForeignRule) {
    pkin_judgement judgement = sample();
    judgement.rule = "<script>%s%n</script>";
    EXPECT_EQ(reason(judgement).find("script"), std::string::npos);
    judgement.rule = nullptr;
    EXPECT_NE(reason(judgement).find("cosine 0.93"), std::string::npos);
}

TEST(Reason, IsCutBetweenCharacters) {
    std::string whole = reason(sample(), PKIN_LANGUAGE_ZH);
    pkin_judgement judgement = sample();
    for (size_t n = 0; n <= whole.size() + 1; n++) {
        std::vector<char> buffer(n + 1, '#');
        EXPECT_EQ(pkin_judgement_reason(&judgement, PKIN_LANGUAGE_ZH, buffer.data(), n), whole.size());
        EXPECT_EQ(buffer[n], '#') << "nothing is written behind the buffer";
        if (!n) continue;
        std::string cut = buffer.data();
        EXPECT_LT(cut.size(), n);
        EXPECT_EQ(whole.compare(0, cut.size(), cut), 0);
        EXPECT_TRUE(cut.size() == whole.size() || (whole[cut.size()] & 0xC0) != 0x80) << "cut inside a character";
    }
}

TEST(Reason, StandsImpossibleFigures) {
    for (const char *rule : {"titles covered", "comment speaks of parts", "declared version", "numbered titles", ""}) {
        pkin_judgement judgement = {};
        judgement.verdict = PKIN_VERDICT_SISTER;
        judgement.rule = rule;
        judgement.cosine = 1e300;
        judgement.author_overlap = 0.999;
        judgement.title_ratio = std::nan("");
        judgement.abstract_ratio = -INFINITY;
        judgement.days_apart = INT_MAX;
        judgement.comment_names_other = 1;
        EXPECT_LT(reason(judgement).size(), 400u);
        EXPECT_LT(reason(judgement, PKIN_LANGUAGE_ZH).size(), 400u);
        EXPECT_NE(reason(judgement).find("cosine 1.00"), std::string::npos);
    }
}
