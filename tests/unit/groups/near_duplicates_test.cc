/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule against labelled pairs of real papers, where they stand beside the project: `same` is one work announced
 * twice, `part` a series or companions, `sister` one group's different works. The bounds are those of docs/verdicts.md.
 */
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "paperkin/corpus.h"
#include "paperkin/features.h"
#include "paperkin/groups.h"
#include "paperkin/similarity.h"
#include "support/shared_dir.h"

namespace {

struct LabelledPair {
    std::string a, b, label;
    double cosine;
};

struct Outcome {
    std::map<std::string, std::map<std::string, int>> table; /* label -> verdict -> pairs */
    std::vector<std::string> misses;

    int count(const std::string &label, std::initializer_list<pkin_verdict> verdicts) const {
        int n = 0;
        for (const auto &row : table) {
            if (!label.empty() && row.first != label) continue;
            for (pkin_verdict verdict : verdicts) {
                auto cell = row.second.find(pkin_verdict_name(verdict));
                n += cell == row.second.end() ? 0 : cell->second;
            }
        }
        return n;
    }
    int total(const std::string &label) const {
        int n = 0;
        for (const auto &cell : table.at(label)) n += cell.second;
        return n;
    }
    double hide_precision() const {
        return share(PKIN_VERDICT_SAME_WORK, PKIN_VERDICT_SAME_WORK);
    }
    double precision() const {
        return share(PKIN_VERDICT_SAME_WORK, PKIN_VERDICT_PROBABLY_SAME);
    }
    double recall() const {
        return 1.0 * count("same", {PKIN_VERDICT_SAME_WORK, PKIN_VERDICT_PROBABLY_SAME}) / total("same");
    }

    void print(const char *name) const {
        std::printf("%s: hide precision %.3f (%d pairs), hide or fold precision %.3f, recall %.3f (%d pairs)\n", name,
                    hide_precision(), count("", {PKIN_VERDICT_SAME_WORK}), precision(), recall(),
                    count("", {PKIN_VERDICT_SAME_WORK, PKIN_VERDICT_PROBABLY_SAME}));
        for (const auto &row : table) {
            std::printf("  %-7s", row.first.c_str());
            for (const auto &cell : row.second) std::printf(" %s=%d", cell.first.c_str(), cell.second);
            std::printf("\n");
        }
    }

  private:
    double share(pkin_verdict first, pkin_verdict second) const {
        std::initializer_list<pkin_verdict> one = {first}, both = {first, second};
        const auto &verdicts = first == second ? one : both;
        int n = count("", verdicts);
        return n ? 1.0 * count("same", verdicts) / n : 0;
    }
};

class NearDuplicates : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string shared = pkin_test_shared_dir();
        if (shared.empty() || !std::ifstream(shared + "/eval/near_duplicates.tsv")) {
            GTEST_SKIP()
                << "the labelled pairs are not here: set PAPERKIN_SHARED_DIR or put `shared` beside the project";
        }
        read_pairs(shared + "/eval/near_duplicates.tsv");
        ASSERT_EQ(pkin_corpus_read_file((shared + "/eval/near_duplicates.jsonl").c_str(), nullptr, &corpus), PKIN_OK)
            << pkin_last_error();
        index(corpus);
        shared_dir = shared;
    }

    void TearDown() override {
        pkin_corpus_free(corpus);
    }

    void read_pairs(const std::string &path) {
        std::ifstream file(path);
        std::string line;
        std::getline(file, line); /* the columns' names */
        while (std::getline(file, line)) {
            std::vector<std::string> fields;
            std::stringstream stream(line);
            for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
            ASSERT_GE(fields.size(), 5u) << line;
            pairs.push_back({fields[0], fields[1], fields[4], std::stod(fields[2])});
        }
        ASSERT_GT(pairs.size(), 100u);
    }

    void index(const pkin_corpus *from) {
        rows.clear();
        for (uint64_t i = 0; i < pkin_corpus_size(from); i++) rows[pkin_corpus_paper(from, i)->id] = i;
    }

    /* Judges every pair; `cosine` says how like the two rows are. */
    template <typename Cosine> Outcome judge_all(const pkin_corpus *from, Cosine cosine) {
        Outcome outcome;
        for (const LabelledPair &pair : pairs) {
            pkin_judgement judgement = {};
            uint64_t a = rows.at(pair.a), b = rows.at(pair.b);
            EXPECT_EQ(
                pkin_judge(pkin_corpus_paper(from, a), pkin_corpus_paper(from, b), cosine(pair, a, b), &judgement),
                PKIN_OK);
            outcome.table[pair.label][pkin_verdict_name(judgement.verdict)]++;
            bool merged = pkin_verdict_tier(judgement.verdict) != PKIN_TIER_SHOW;
            if (merged == (pair.label == "same")) continue;
            char reason[400];
            pkin_judgement_reason(&judgement, PKIN_LANGUAGE_EN, reason, sizeof reason);
            outcome.misses.push_back(pair.a + " " + pair.b + " " + pair.label + " [" + judgement.rule + "] " + reason);
        }
        return outcome;
    }

    std::vector<LabelledPair> pairs;
    std::map<std::string, uint64_t> rows;
    pkin_corpus *corpus = nullptr;
    std::string shared_dir;
};

TEST_F(NearDuplicates, AreToldByTheRule) {
    Outcome outcome = judge_all(corpus, [](const LabelledPair &pair, uint64_t, uint64_t) { return pair.cosine; });
    outcome.print("labelled pairs, their own cosines");
    for (const std::string &miss : outcome.misses) std::printf("  missed: %s\n", miss.c_str());
    EXPECT_EQ(outcome.hide_precision(), 1.0);
    EXPECT_GE(outcome.precision(), 0.90);
    EXPECT_GE(outcome.recall(), 0.70);
    EXPECT_EQ(outcome.count("part", {PKIN_VERDICT_SERIES_PART, PKIN_VERDICT_SISTER, PKIN_VERDICT_RELATED,
                                     PKIN_VERDICT_PROBABLY_SAME}),
              outcome.total("part"))
        << "every part is linked, none hidden";
    EXPECT_GE(outcome.count("part", {PKIN_VERDICT_SERIES_PART, PKIN_VERDICT_SISTER, PKIN_VERDICT_RELATED}),
              outcome.total("part") - 2);
}

/* The same with cosines of paperkin's own plain vectors, over the year's papers and the labelled ones together. */
TEST_F(NearDuplicates, AreToldWithOwnCosines) {
    pkin_corpus *year = nullptr, *all = nullptr;
    pkin_matrix *matrix = nullptr;
    pkin_vectors *vectors = nullptr;
    std::string path = shared_dir + "/corpus/arxiv-2025.jsonl.zst";
    if (!std::ifstream(path)) GTEST_SKIP() << "no corpus to weigh words against: " << path;
    ASSERT_EQ(pkin_corpus_read_file(path.c_str(), nullptr, &year), PKIN_OK) << pkin_last_error();
    const pkin_corpus *both[] = {corpus, year};
    ASSERT_EQ(pkin_corpus_unique(both, 2, &all), PKIN_OK) << pkin_last_error();
    pkin_features_options options = pkin_features_options_plain();
    ASSERT_EQ(pkin_matrix_vectorize(all, &options, &matrix), PKIN_OK) << pkin_last_error();
    ASSERT_EQ(pkin_vectors_from_matrix(matrix, 0, &vectors), PKIN_OK) << pkin_last_error();
    index(all);
    int n_lost = 0, n_gained = 0;
    Outcome outcome = judge_all(all, [&](const LabelledPair &pair, uint64_t a, uint64_t b) {
        double cosine = pkin_score_to_cosine(pkin_vectors_score(vectors, a, vectors, b));
        n_lost += cosine < PKIN_NEAR_DUPLICATE_COSINE && pair.cosine >= PKIN_NEAR_DUPLICATE_COSINE;
        n_gained += cosine >= PKIN_NEAR_DUPLICATE_COSINE && pair.cosine < PKIN_NEAR_DUPLICATE_COSINE;
        return cosine;
    });
    outcome.print("labelled pairs, paperkin's cosines");
    std::printf("  %d pairs fall below the threshold that stood above it, %d rise above it\n", n_lost, n_gained);
    EXPECT_EQ(outcome.hide_precision(), 1.0);
    EXPECT_GE(outcome.precision(), 0.90);
    EXPECT_GE(outcome.recall(), 0.70);
    pkin_vectors_free(vectors);
    pkin_matrix_free(matrix);
    pkin_corpus_free(all);
    pkin_corpus_free(year);
}

} /* namespace */
