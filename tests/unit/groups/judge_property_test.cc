/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstring>

#include "test_paper.h"

/* Words that set the rules off, and some that only fill: so that generated papers meet every rule. */
static rc::Gen<std::string> words(int least, int most) {
    static const std::vector<std::string> stock = {
        "boat",    "boats",    "pond",      "drift",     "BoatFold:", "BoatFold++:", "II",         "III",
        "2024",    "2025",     "part",      "two",       "second",    "report",      "challenge",  "erratum",
        "the",     "of",       "$x^2$",     "\\\"u",     "纸船",      "第二部分",    "\xff\xfe",   "é",
        "version", "extended", "split",     "companion", "subsumes",  "2501.00001",  "2506.00001", "supersedes",
        "model",   "paper",    "revisited", "a",         "9B",        "i:",          "v"};
    return rc::gen::map(rc::gen::resize(most, rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(stock))),
                        [least](std::vector<std::string> chosen) {
                            std::string text;
                            while (static_cast<int>(chosen.size()) < least) chosen.push_back("boat");
                            for (const std::string &word : chosen) text += word + " ";
                            return text;
                        });
}

static rc::Gen<std::vector<std::string>> authors() {
    return rc::gen::resize(
        5, rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
               "Ada Quill", "A. Quill", "Quill, Ada", "Anna Quill", "Bo Reed", "Micheal Reed", "Michael Reed", "",
               "Jörg Hövel", "Jorg Hovel", "张伟", "X", "Quill", "A. B.", "Reed Bo Quill")));
}

static TestPaper draw() {
    TestPaper paper(*rc::gen::element<std::string>("2501.00001", "2501.00002", "2506.00001", "hep-th/9901001", "x"),
                    *words(0, 8), *words(0, 30));
    paper.authors = *authors();
    paper.comment = *words(0, 8);
    paper.categories =
        *rc::gen::elementOf(std::vector<std::vector<std::string>>{{}, {"cs.CL"}, {"math.CO"}, {"math-ph", "cs.CL"}});
    paper.doi = *rc::gen::element<std::string>("", "10.1000/boat", "10.1000/BOAT");
    paper.date = *rc::gen::element<std::string>("", "2025-01-01", "2025-06-01", "yesterday");
    paper.version = *rc::gen::inRange(0u, 3u);
    return paper;
}

static double draw_cosine() {
    return *rc::gen::element(0.0, 0.3, 0.7499, 0.75, 0.9, 1.0);
}

TEST(JudgeProperty, IsSymmetric) {
    EXPECT_TRUE(rc::check("judge(a, b) says what judge(b, a) says", [] {
        TestPaper a = draw(), b = *rc::gen::arbitrary<bool>() ? draw() : a;
        if (*rc::gen::arbitrary<bool>()) b.title = a.title;
        if (*rc::gen::arbitrary<bool>()) b.authors = a.authors;
        double cosine = draw_cosine();
        pkin_judgement forth = {}, back = {};
        RC_ASSERT(pkin_judge(a.view(), b.view(), cosine, &forth) == PKIN_OK);
        RC_ASSERT(pkin_judge(b.view(), a.view(), cosine, &back) == PKIN_OK);
        RC_ASSERT(forth.verdict == back.verdict);
        RC_ASSERT(!strcmp(forth.rule, back.rule));
        RC_ASSERT(forth.author_overlap == back.author_overlap);
        RC_ASSERT(forth.title_ratio == back.title_ratio);
        RC_ASSERT(forth.abstract_ratio == back.abstract_ratio);
        RC_ASSERT(forth.title_words_elsewhere == back.title_words_elsewhere);
        RC_ASSERT(forth.days_apart == back.days_apart);
        RC_ASSERT(forth.same_primary_category == back.same_primary_category);
        RC_ASSERT(forth.mathematics == back.mathematics);
    }));
}

TEST(JudgeProperty, KeepsItsRanges) {
    EXPECT_TRUE(rc::check("every figure is in its range", [] {
        TestPaper a = draw(), b = draw();
        pkin_judgement judgement = {};
        RC_ASSERT(pkin_judge(a.view(), b.view(), draw_cosine(), &judgement) == PKIN_OK);
        RC_ASSERT(judgement.cosine >= 0 && judgement.cosine <= 1);
        RC_ASSERT(judgement.author_overlap == -1 || (judgement.author_overlap >= 0 && judgement.author_overlap <= 1));
        RC_ASSERT(judgement.title_ratio >= 0 && judgement.title_ratio <= 1);
        RC_ASSERT(judgement.abstract_ratio == -1 || (judgement.abstract_ratio >= 0 && judgement.abstract_ratio <= 1));
        RC_ASSERT(judgement.title_words_elsewhere >= 0 && judgement.title_words_elsewhere <= 1);
        RC_ASSERT(judgement.days_apart >= -1);
    }));
}

TEST(JudgeProperty, NeverMergesWhatSpeaksAgainstIt) {
    EXPECT_TRUE(rc::check("numbers, reports, parts and few authors keep papers apart", [] {
        /* Twins but for what is drawn anew: left alone they would be merged. */
        TestPaper a = draw(), b = a;
        a.key = "arxiv:2501.00001";
        b.key = "arxiv:2506.00001";
        if (*rc::gen::arbitrary<bool>()) b.title += *words(0, 2);
        if (*rc::gen::arbitrary<bool>()) b.comment = *words(0, 4);
        if (*rc::gen::arbitrary<bool>()) b.authors = *authors();
        pkin_judgement judgement = {};
        double cosine = draw_cosine();
        RC_ASSERT(pkin_judge(a.view(), b.view(), cosine, &judgement) == PKIN_OK);
        bool against = judgement.title_numbers_differ || judgement.reports || judgement.comment_splits ||
                       (judgement.author_overlap >= 0 && judgement.author_overlap < 0.4) ||
                       cosine < PKIN_NEAR_DUPLICATE_COSINE;
        if (a.key != b.key && against) RC_ASSERT(pkin_verdict_tier(judgement.verdict) == PKIN_TIER_SHOW);
    }));
}
