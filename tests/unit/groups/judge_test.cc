/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>

#include "test_paper.h"

static const char *const boats =
    "Paper boats drift on quiet ponds. We fold ten thousand of them from recycled sheets, measure how the "
    "wind carries each, and learn a model of their drift that predicts where they land within a metre.";
static const char *const rewritten =
    "Paper boats drift on quiet ponds. We fold ten thousand of them from waxed sheets, measure how "
    "gusts carry each, and train a network that predicts where the boats land within half a metre.";

TEST(Judge, RefusesMissingArguments) {
    TestPaper a("2501.00001", "Boats");
    pkin_judgement judgement = {};
    EXPECT_EQ(pkin_judge(nullptr, a.view(), 0.9, &judgement), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_judge(a.view(), a.view(), 0.9, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
}

TEST(Judge, TellsRepeatsFromNewVersions) {
    TestPaper a("2501.00001", "Boats", boats), b = a;
    EXPECT_EQ(pkin_test_judge(a, b, 1.0).verdict, PKIN_VERDICT_REPEAT);
    a.version = 1;
    EXPECT_EQ(pkin_test_judge(a, b, 1.0).verdict, PKIN_VERDICT_REPEAT) << "a version on one side only tells nothing";
    b.version = 2;
    EXPECT_EQ(pkin_test_judge(a, b, 0.2).verdict, PKIN_VERDICT_NEW_VERSION);
}

TEST(Judge, HidesTheSameTitle) {
    TestPaper a("2501.00001", "Where Paper Boats Land", boats), b("2506.00001", "Where paper boats land", rewritten);
    pkin_judgement judgement = pkin_test_judge(a, b, 0.8);
    EXPECT_EQ(judgement.verdict, PKIN_VERDICT_SAME_WORK);
    EXPECT_STREQ(judgement.rule, "same title");
    EXPECT_DOUBLE_EQ(judgement.author_overlap, 1.0);
    EXPECT_NEAR(judgement.days_apart, 152, 3);
    a.categories = b.categories = {"math.CO"};
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_SAME_WORK) << "in mathematics as well";
}

TEST(Judge, NeverMergesAcrossAuthorsNumbersReportsAndParts) {
    const TestPaper a("2501.00001", "Where Paper Boats Land: I", boats),
        b("2506.00001", "Where Paper Boats Land: I", boats);
    ASSERT_EQ(pkin_test_judge(a, b, 0.9).verdict, PKIN_VERDICT_SAME_WORK);
    TestPaper other = b;
    other.authors = {"Cy Sand", "Dee Tarn"};
    EXPECT_EQ(pkin_test_judge(a, other, 0.9).verdict, PKIN_VERDICT_RELATED);
    other = b;
    other.title = "Where Paper Boats Land: II";
    EXPECT_EQ(pkin_test_judge(a, other, 0.99).verdict, PKIN_VERDICT_SERIES_PART);
    other = b;
    other.comment = "companion paper to appear";
    EXPECT_EQ(pkin_test_judge(a, other, 0.99).verdict, PKIN_VERDICT_SERIES_PART);
    TestPaper report = a, next_report = b;
    report.title = next_report.title = "The Boat Challenge: Methods and Results";
    EXPECT_EQ(pkin_test_judge(report, next_report, 0.99).verdict, PKIN_VERDICT_SISTER);
    other = b;
    other.title = "Erratum: Where Paper Boats Land: I";
    EXPECT_EQ(pkin_test_judge(a, other, 0.99).verdict, PKIN_VERDICT_SERIES_PART);
}

TEST(Judge, NeedsTheAbstractsWhereTitleOrAuthorsSayLittle) {
    TestPaper a("2501.00001", "Preface", boats),
        b("2506.00001", "Preface", "Ten essays on something else entirely, by friends.");
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_SISTER);
    b.abstract = boats;
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_SAME_WORK);
    a.title = b.title = "Where Paper Boats Land";
    a.authors.clear();
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_SAME_WORK);
    b.abstract.clear();
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_RELATED);
    EXPECT_DOUBLE_EQ(pkin_test_judge(a, b, 0.8).abstract_ratio, -1.0);
}

TEST(Judge, HidesTheSameNameOutsideMathematicsOnly) {
    TestPaper a("2501.00001", "BoatFold: Where Paper Boats Land", boats);
    TestPaper b("2506.00001", "BoatFold: Predicting the Drift of Paper Boats", rewritten);
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_SAME_WORK);
    a.categories = b.categories = {"math.CO"};
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_SISTER);
    a.categories = b.categories = {"cs.CL"};
    b.title = "BoatFold++: Predicting the Drift of Paper Boats";
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_PROBABLY_SAME) << "a successor is no twin";
}

TEST(Judge, FoldsALaterVersion) {
    TestPaper a("2501.00001", "Where Paper Boats Land", boats),
        b("2506.00001", "Predicting the Drift of Boats", rewritten);
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_PROBABLY_SAME);
    b.key = "arxiv:2501.00002";
    b.id = "2501.00002";
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_SISTER) << "papers of one day are siblings";
    b.comment = "Extended version of arXiv:2501.00001";
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_PROBABLY_SAME);
}

TEST(Judge, CountsMoreThanThirtyDaysAsLater) {
    TestPaper a("2501.00001", "Where Paper Boats Land", boats),
        b("2506.00001", "Predicting the Drift of Boats", rewritten);
    a.key = "doi:10.1000/a";
    b.key = "doi:10.1000/b";
    a.date = "2025-01-01";
    b.date = "2025-01-31";
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).days_apart, 30);
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_SISTER);
    b.date = "2025-02-01";
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).days_apart, 31);
    EXPECT_EQ(pkin_test_judge(a, b, 0.8).verdict, PKIN_VERDICT_PROBABLY_SAME);
}

TEST(Judge, DistrustsACopiedAbstractUnderAForeignTitle) {
    TestPaper a("2501.00001", "Where Paper Boats Land", boats), b("2506.00001", "Kite Colours in Autumn Skies", boats);
    EXPECT_EQ(pkin_test_judge(a, b, 0.97).verdict, PKIN_VERDICT_SISTER);
}

TEST(Judge, FoldsASpeltOutAcronymOnOneDay) {
    std::string abstract = std::string(boats) + " Paper boat drift (PBD) is hard.";
    TestPaper a("2501.00001", "A Steady Model of PBD", abstract),
        b("2501.00002", "A Steady Model of Paper Boat Drift", abstract);
    EXPECT_EQ(pkin_test_judge(a, b, 0.97).verdict, PKIN_VERDICT_PROBABLY_SAME);
}

TEST(Judge, OnlyRelatesBelowTheThreshold) {
    TestPaper a("2501.00001", "Where Paper Boats Land", boats), b("2506.00001", "Where Paper Boats Land", boats);
    EXPECT_EQ(pkin_test_judge(a, b, std::nextafter(PKIN_NEAR_DUPLICATE_COSINE, 0)).verdict, PKIN_VERDICT_RELATED);
    EXPECT_EQ(pkin_test_judge(a, b, PKIN_NEAR_DUPLICATE_COSINE).verdict, PKIN_VERDICT_SAME_WORK);
    EXPECT_EQ(pkin_test_judge(a, b, 0.0).verdict, PKIN_VERDICT_NONE);
    EXPECT_EQ(pkin_test_judge(a, b, -1.0).verdict, PKIN_VERDICT_NONE);
    EXPECT_EQ(pkin_test_judge(a, b, std::nan("")).verdict, PKIN_VERDICT_NONE);
    EXPECT_DOUBLE_EQ(pkin_test_judge(a, b, 1.0 + 1e-9).cosine, 1.0);
}

TEST(Judge, StandsEmptyPapers) {
    TestPaper a, b;
    a.key = b.key = a.id = b.id = "";
    EXPECT_EQ(pkin_test_judge(a, b, 0.9).verdict, PKIN_VERDICT_RELATED);
    EXPECT_EQ(pkin_test_judge(a, b, 0.0).verdict, PKIN_VERDICT_NONE);
}

TEST(Judge, TakesBoundedTimeOnHugeTexts) {
    std::string huge, other;
    for (int i = 0; i < 150000; i++) {
        huge += "boat" + std::to_string(i % 7919) + " ";
        other += "pond" + std::to_string(i % 6007) + " ";
    }
    TestPaper a("2501.00001", huge, huge), b("2506.00001", other, other);
    a.comment = b.comment = huge;
    a.authors.assign(5000, "Ada Quill");
    b.authors.assign(5000, "Bo Reed");
    auto begin = std::chrono::steady_clock::now();
    pkin_test_judge(a, b, 0.9);
    /* Some 50 ms; the bound leaves room for sanitizers and busy machines. */
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

/* Fails the allocation that brings `left` to zero, and counts what is still held. */
struct FailingMemory {
    long left, held;
};

static void *fail_or_allocate(void *user, size_t n_bytes) {
    FailingMemory *memory = static_cast<FailingMemory *>(user);
    if (memory->left-- == 0) return nullptr;
    memory->held++;
    return malloc(n_bytes);
}

static void *fail_or_reallocate(void *user, void *block, size_t n_bytes) {
    FailingMemory *memory = static_cast<FailingMemory *>(user);
    if (memory->left-- == 0) return nullptr;
    memory->held += block == nullptr;
    return realloc(block, n_bytes);
}

static void release(void *user, void *block) {
    static_cast<FailingMemory *>(user)->held -= block != nullptr;
    free(block);
}

TEST(Judge, LeaksNothingWhenMemoryRunsOut) {
    TestPaper a("2501.00001", "Where Papér Boats Land: $x^2$", boats),
        b("2506.00001", "Where Papér Boats Drift: $x^3$", rewritten);
    a.authors = b.authors = {"Jörg Hövel", "Ada Quill"};
    a.comment = "Extended version of arXiv:2506.00001";
    FailingMemory memory = {0, 0};
    pkin_allocator hooks = {fail_or_allocate, fail_or_reallocate, release, &memory};
    pkin_set_allocator(&hooks);
    pkin_status status = PKIN_ERROR_OUT_OF_MEMORY;
    long n = 0;
    for (; status != PKIN_OK && n < 10000; n++) {
        pkin_judgement judgement = {};
        judgement.cosine = -5;
        memory.left = n;
        status = pkin_judge(a.view(), b.view(), 0.9, &judgement);
        EXPECT_EQ(memory.held, 0) << "after failure " << n;
        if (status == PKIN_OK) break;
        EXPECT_EQ(status, PKIN_ERROR_OUT_OF_MEMORY) << n;
        EXPECT_EQ(judgement.cosine, -5) << "the answer is untouched";
    }
    pkin_set_allocator(nullptr);
    EXPECT_EQ(status, PKIN_OK);
    EXPECT_GT(n, 10);
}

TEST(Verdicts, HaveNamesLabelsAndTiers) {
    EXPECT_STREQ(pkin_verdict_name(PKIN_VERDICT_SAME_WORK), "same_work");
    EXPECT_STREQ(pkin_verdict_label(PKIN_VERDICT_NEW_VERSION, PKIN_LANGUAGE_EN), "new version");
    EXPECT_STREQ(pkin_verdict_label(PKIN_VERDICT_NEW_VERSION, PKIN_LANGUAGE_ZH), "新版本");
    EXPECT_EQ(pkin_verdict_tier(PKIN_VERDICT_SAME_WORK), PKIN_TIER_HIDE);
    EXPECT_EQ(pkin_verdict_tier(PKIN_VERDICT_PROBABLY_SAME), PKIN_TIER_FOLD);
    for (int v = PKIN_VERDICT_SERIES_PART; v <= PKIN_VERDICT_RELATED; v++) {
        EXPECT_EQ(pkin_verdict_tier(static_cast<pkin_verdict>(v)), PKIN_TIER_SHOW) << v;
    }
    EXPECT_STREQ(pkin_verdict_name(static_cast<pkin_verdict>(99)), "none");
    EXPECT_STREQ(pkin_verdict_name(static_cast<pkin_verdict>(-1)), "none");
}
