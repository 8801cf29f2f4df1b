/* SPDX-License-Identifier: Apache-2.0 */
#include "history/novelty.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "support/allocation_failures.h"

namespace {

/* Rows of a few columns with few different weights, so that equal scores are common; and their days. */
class World {
  public:
    ~World() {
        pkin_vectors_free(vectors_);
    }
    World() = default;
    World(const World &) = delete;
    World &operator=(const World &) = delete;

    void add(const std::string &day, std::vector<std::pair<uint32_t, double>> entries) {
        std::sort(entries.begin(), entries.end());
        for (auto [column, value] : entries) {
            columns_.push_back(column);
            values_.push_back(value);
            n_columns_ = std::max<uint64_t>(n_columns_, column + 1);
        }
        offsets_.push_back(columns_.size());
        std::array<char, 11> text{};
        std::memcpy(text.data(), day.c_str(), day.size());
        days_.push_back(text);
    }
    const pkin_vectors *vectors() {
        if (vectors_) return vectors_;
        pkin_csr_view view = {size(), n_columns_, offsets_.data(), columns_.data(), values_.data()};
        pkin_matrix *matrix = nullptr;
        EXPECT_EQ(pkin_matrix_from_csr(&view, &matrix), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(pkin_vectors_from_matrix(matrix, 1, &vectors_), PKIN_OK) << pkin_last_error();
        pkin_matrix_free(matrix);
        return vectors_;
    }
    uint64_t size() const {
        return offsets_.size() - 1;
    }
    bool empty(size_t row) const {
        return offsets_[row] == offsets_[row + 1];
    }
    std::string day(size_t row) const {
        return days_[row].data();
    }
    const char (*days() const)[11] {
        return reinterpret_cast<const char(*)[11]>(days_.data());
    }
    std::vector<pkin_i_novelty> find(const std::vector<uint32_t> &rows, int n_threads = 2) {
        pkin_similarity_options options = pkin_similarity_options_default();
        options.n_threads = n_threads;
        std::vector<pkin_i_novelty> out(rows.size());
        EXPECT_EQ(pkin_i_novelty_among(vectors(), days(), rows.data(), rows.size(), &options, out.data()), PKIN_OK)
            << pkin_last_error();
        return out;
    }

  private:
    std::vector<uint64_t> offsets_{0};
    std::vector<uint32_t> columns_;
    std::vector<double> values_;
    std::vector<std::array<char, 11>> days_;
    uint64_t n_columns_ = 1;
    pkin_vectors *vectors_ = nullptr;
};

std::string day_text(int n) {
    char text[32];
    std::snprintf(text, sizeof text, "2026-%02d-%02d", 1 + n / 28, 1 + n % 28);
    return text;
}

void add_random(World &world, std::mt19937 &random, const std::string &day, int n_columns = 60, int n_most = 9) {
    std::vector<std::pair<uint32_t, double>> entries;
    for (int c = 0, n = (int)(random() % (unsigned)(n_most + 1)); c < n; c++) {
        uint32_t column = random() % (unsigned)n_columns;
        bool has = std::any_of(entries.begin(), entries.end(), [&](auto &e) { return e.first == column; });
        if (!has) entries.push_back({column, random() % 2 ? 1.0 : 2.0});
    }
    world.add(day, entries);
}

std::vector<uint32_t> all_rows(const World &world) {
    std::vector<uint32_t> rows(world.size());
    for (uint32_t r = 0; r < rows.size(); r++) rows[r] = r;
    return rows;
}

/* What is documented, by looking at every pair. */
class Oracle {
  public:
    explicit Oracle(World &world) : world_(world) {
        for (uint32_t row = 0; row < world.size(); row++) {
            pkin_i_novelty best = {-1, UINT32_MAX, 0};
            size_t n_before = 0;
            for (uint32_t other = 0; other < world.size(); other++) {
                if (world.day(other) >= world.day(row)) continue;
                n_before++;
                uint64_t score = pkin_vectors_score(world.vectors(), row, world.vectors(), other);
                if (score > best.score) best = {-1, other, score};
            }
            closest_.push_back(best);
            n_before_.push_back(n_before);
        }
    }
    const pkin_i_novelty &closest(uint32_t row) const {
        return closest_[row];
    }
    /* Where the span holds no more papers than the sample may have: then it has them all. */
    double percentile(const std::vector<uint32_t> &rows, uint32_t row) const {
        size_t most = 0;
        for (uint32_t r : rows) most = std::max(most, n_before_[r]);
        if (world_.empty(row) || n_before_[row] < PKIN_I_NOVELTY_LEAST) return -1;
        double n = 0, closer = 0;
        for (uint32_t other = 0; other < world_.size(); other++) {
            size_t before = n_before_[other];
            if (world_.empty(other) || before < PKIN_I_NOVELTY_LEAST || 2 * before < most || before > most) continue;
            uint64_t score = closest_[other].score, own = closest_[row].score;
            n++;
            closer += score > own ? 1 : score == own ? 0.5 : 0;
        }
        return n < PKIN_I_NOVELTY_LEAST ? -1 : 100 * closer / n;
    }

  private:
    World &world_;
    std::vector<pkin_i_novelty> closest_;
    std::vector<size_t> n_before_;
};

void expect_as_documented(World &world, const Oracle &oracle, const std::vector<uint32_t> &rows) {
    std::vector<pkin_i_novelty> found = world.find(rows);
    for (size_t k = 0; k < rows.size(); k++) {
        ASSERT_EQ(found[k].nearest, oracle.closest(rows[k]).nearest) << "row " << rows[k];
        ASSERT_EQ(found[k].score, oracle.closest(rows[k]).score) << "row " << rows[k];
        ASSERT_DOUBLE_EQ(found[k].percentile, oracle.percentile(rows, rows[k])) << "row " << rows[k];
    }
}

} // namespace

TEST(Novelty, AgreesWithBruteForce) {
    for (unsigned seed = 1; seed <= 3; seed++) {
        World world;
        std::mt19937 random(seed);
        for (int row = 0; row < 420; row++) {
            unsigned day = random() % 12; /* in no order; day 0 is unknown */
            add_random(world, random, day ? day_text((int)day) : "");
        }
        Oracle oracle(world);
        expect_as_documented(world, oracle, all_rows(world));
        std::vector<uint32_t> some;
        for (uint32_t row = 0; row < world.size(); row++) {
            if (world.day(row) == day_text(7)) some.push_back(row);
        }
        ASSERT_GT(some.size(), 10u);
        expect_as_documented(world, oracle, some);
    }
}

TEST(Novelty, LooksBeyondAFloodOfLaterCopies) {
    World world;
    std::mt19937 random(5);
    for (int row = 0; row < 150; row++) add_random(world, random, day_text(row / 20));
    /* 700 papers of two later days that are closer to one another than to anything before. */
    for (int row = 0; row < 700; row++) {
        world.add(day_text(20 + row % 2), {{70, 5.0}, {71 + (uint32_t)row % 3, 1.0}, {(uint32_t)row % 60, 0.5}});
    }
    std::vector<uint32_t> rows;
    for (uint32_t row = 150; row < 850; row += 7) rows.push_back(row);
    expect_as_documented(world, Oracle(world), rows);
}

TEST(Novelty, KnowsNothingOfAFirstDay) {
    World world;
    std::mt19937 random(9);
    for (int row = 0; row < 200; row++) add_random(world, random, day_text(3));
    for (const pkin_i_novelty &novelty : world.find(all_rows(world))) {
        EXPECT_EQ(novelty.percentile, -1);
        EXPECT_EQ(novelty.nearest, UINT32_MAX);
        EXPECT_EQ(novelty.score, 0u);
    }
}

TEST(Novelty, GivesNoPercentileOfFewPapers) {
    World world;
    std::mt19937 random(11);
    for (int row = 0; row < (int)PKIN_I_NOVELTY_LEAST - 1; row++) add_random(world, random, day_text(3));
    for (int row = 0; row < 150; row++) add_random(world, random, day_text(4));
    std::vector<uint32_t> rows = all_rows(world);
    std::vector<pkin_i_novelty> found = world.find(rows);
    size_t n_near = 0;
    for (const pkin_i_novelty &novelty : found) {
        EXPECT_EQ(novelty.percentile, -1);
        n_near += novelty.nearest != UINT32_MAX; /* but the closest one is known */
    }
    EXPECT_GT(n_near, 100u);
    World other; /* one paper more of the first day */
    random.seed(11);
    for (int row = 0; row < (int)PKIN_I_NOVELTY_LEAST; row++) add_random(other, random, day_text(3));
    for (int row = 0; row < 150; row++) add_random(other, random, day_text(4));
    expect_as_documented(other, Oracle(other), all_rows(other));
    size_t n_judged = 0;
    for (const pkin_i_novelty &novelty : other.find(all_rows(other))) n_judged += novelty.percentile >= 0;
    EXPECT_GT(n_judged, 100u);
}

TEST(Novelty, JudgesBySamplesOfAHundredAndMore) {
    for (int n_later : {(int)PKIN_I_NOVELTY_LEAST - 1, (int)PKIN_I_NOVELTY_LEAST}) {
        World world;
        for (int row = 0; row < 120; row++) world.add(day_text(1), {{(uint32_t)row % 7, 1.0}});
        for (int row = 0; row < n_later; row++) world.add(day_text(2), {{(uint32_t)row % 9, 1.0}, {20, 0.5}});
        Oracle oracle(world);
        expect_as_documented(world, oracle, all_rows(world));
        EXPECT_EQ(world.find({120})[0].percentile >= 0, n_later == (int)PKIN_I_NOVELTY_LEAST);
    }
}

/* The last third of the span are copies of early papers: whoever is none is farther than a third of a fair sample. */
TEST(Novelty, SampleIsSpreadOverTheDays) {
    World world;
    std::mt19937 random(29);
    std::vector<uint32_t> rows;
    for (int row = 0; row < 6000; row++) {
        bool is_copy = row >= 4900 && row < 5900;
        if (is_copy) {
            world.add(day_text(row / 100), {{(uint32_t)row % 300, 1.0}});
        } else if (row < 300) {
            world.add(day_text(row / 100), {{(uint32_t)row, 1.0}});
        } else {
            add_random(world, random, day_text(row / 100), 300, 12);
        }
        if (row >= 5900 && !world.empty((size_t)row)) rows.push_back((uint32_t)row);
    }
    double sum = 0;
    for (const pkin_i_novelty &novelty : world.find(rows)) sum += novelty.percentile;
    EXPECT_GT(sum / (double)rows.size(), 59); /* a third, and half of the rest, are closer: 67 on average */
}

TEST(Novelty, IsHighWhereNothingIsShared) {
    World world;
    std::mt19937 random(13);
    for (int row = 0; row < 400; row++) add_random(world, random, day_text(row / 40), 60, 7);
    world.add(day_text(12), {{200, 1.0}}); /* shares nothing */
    world.add(day_text(12), {});           /* has no words */
    uint32_t strange = 400, wordless = 401;
    std::vector<pkin_i_novelty> found = world.find({strange, wordless});
    EXPECT_GT(found[0].percentile, 90);
    EXPECT_EQ(found[0].nearest, UINT32_MAX);
    EXPECT_EQ(found[1].percentile, -1);
    EXPECT_EQ(found[1].nearest, UINT32_MAX);
}

TEST(Novelty, SampleOfManyIsFairAndTheSameForAnyThreads) {
    World world;
    std::mt19937 random(17);
    for (int row = 0; row < 6000; row++) add_random(world, random, day_text(row / 150), 300, 12);
    std::vector<uint32_t> rows;
    for (uint32_t row = 5850; row < 6000; row++) rows.push_back(row);
    std::vector<pkin_i_novelty> one = world.find(rows, 1), four = world.find(rows, 4);
    double mean = 0;
    size_t n = 0;
    for (size_t k = 0; k < rows.size(); k++) {
        EXPECT_EQ(one[k].percentile, four[k].percentile);
        EXPECT_EQ(one[k].nearest, four[k].nearest);
        if (one[k].percentile < 0) continue;
        mean += one[k].percentile;
        n++;
    }
    /* All days are alike: a day's papers stand in the middle on average. */
    EXPECT_NEAR(mean / (double)n, 50, 8);
}

TEST(Novelty, NothingAsked) {
    World world;
    world.add(day_text(1), {{1, 1.0}});
    EXPECT_TRUE(world.find({}).empty());
}

TEST(Novelty, LeavesNothingBehindWhenMemoryFails) {
    World world;
    std::mt19937 random(19);
    for (int row = 0; row < 260; row++) add_random(world, random, day_text(row / 100));
    const pkin_vectors *vectors = world.vectors();
    std::vector<uint32_t> rows = {250, 251, 252};
    std::vector<pkin_i_novelty> out(rows.size());
    expect_clean_failures([&] {
        pkin_similarity_options options = pkin_similarity_options_default();
        options.n_threads = 1;
        return pkin_i_novelty_among(vectors, world.days(), rows.data(), rows.size(), &options, out.data());
    });
}

TEST(Novelty, CanBeCancelled) {
    World world;
    std::mt19937 random(23);
    for (int row = 0; row < 300; row++) add_random(world, random, day_text(row / 100));
    pkin_similarity_options options = pkin_similarity_options_default();
    options.on_progress = [](void *, const char *, uint64_t, uint64_t) { return 1; };
    std::vector<uint32_t> rows = {299};
    pkin_i_novelty out;
    EXPECT_EQ(pkin_i_novelty_among(world.vectors(), world.days(), rows.data(), 1, &options, &out),
              PKIN_ERROR_CANCELLED);
}
