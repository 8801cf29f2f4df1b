/* SPDX-License-Identifier: Apache-2.0 */
#include <omp.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "graph_support.h"
#include "support/allocation_failures.h"
#include "support/similarity_oracle.h"

namespace {

using List = std::vector<pkin_neighbor>;

/* Owns its lists, which are given by row. */
struct Lists {
    std::vector<uint64_t> offsets{0};
    List neighbors;
    pkin_neighbor_lists view;

    explicit Lists(const std::vector<List> &rows) {
        for (const List &row : rows) {
            neighbors.insert(neighbors.end(), row.begin(), row.end());
            offsets.push_back(neighbors.size());
        }
        view = {rows.size(), offsets.data(), neighbors.data()};
    }
};

uint64_t score_of(double cosine) {
    return pkin_score_from_threshold(cosine);
}

pkin_graph_options options_of(pkin_graph_sides sides, pkin_edge_weight weight = PKIN_EDGE_COSINE, uint32_t k = 0,
                              double floor = 0) {
    pkin_graph_options options = pkin_graph_options_default();
    options.sides = sides;
    options.weight = weight;
    options.n_neighbors = k;
    options.floor = floor;
    return options;
}

EdgeMap edges_from(const pkin_neighbor_lists &lists, const pkin_graph_options &options) {
    pkin_graph *graph = nullptr;
    EXPECT_EQ(pkin_graph_from_neighbors(&lists, &options, nullptr, &graph), PKIN_OK) << pkin_last_error();
    GraphHandle held = hold(graph);
    EXPECT_EQ(pkin_graph_n_nodes(graph), lists.n_rows);
    return edges_of(graph);
}

/* 0 - 1 name each other, 0 names 2, 2 names 1, nobody names 3. */
const std::vector<List> small = {
    {{score_of(0.5), 1}, {score_of(0.25), 2}}, {{score_of(0.5), 0}}, {{score_of(0.125), 1}}, {}};

TEST(GraphNeighbors, MutualEdgesAreNamedByBothEnds) {
    EXPECT_EQ(edges_from(Lists(small).view, options_of(PKIN_GRAPH_MUTUAL)), (EdgeMap{{{0, 1}, 0.5}}));
    EXPECT_EQ(edges_from(Lists(small).view, options_of(PKIN_GRAPH_EITHER)),
              (EdgeMap{{{0, 1}, 0.5}, {{0, 2}, 0.25}, {{1, 2}, 0.125}}));
}

TEST(GraphNeighbors, TheFirstKAndTheFloorBoundTheLists) {
    EXPECT_EQ(edges_from(Lists(small).view, options_of(PKIN_GRAPH_EITHER, PKIN_EDGE_COSINE, 1)),
              (EdgeMap{{{0, 1}, 0.5}, {{1, 2}, 0.125}}));
    EXPECT_EQ(edges_from(Lists(small).view, options_of(PKIN_GRAPH_EITHER, PKIN_EDGE_COSINE, 0, 0.25)),
              (EdgeMap{{{0, 1}, 0.5}, {{0, 2}, 0.25}}));
    EXPECT_TRUE(edges_from(Lists(small).view, options_of(PKIN_GRAPH_EITHER, PKIN_EDGE_COSINE, 0, 0.51)).empty());
}

TEST(GraphNeighbors, WeightsAreMultiplesOfTwoToTheMinusThirty) {
    uint64_t score = (UINT64_C(987654321) << 30) + 12345;
    Lists lists({{{score, 1}}, {{score, 0}}});
    const double unit = std::ldexp(1.0, -30);
    EXPECT_EQ(edges_from(lists.view, options_of(PKIN_GRAPH_MUTUAL))[(std::pair<uint32_t, uint32_t>{0, 1})],
              987654321 * unit);
    double squared = edges_from(lists.view, options_of(PKIN_GRAPH_MUTUAL, PKIN_EDGE_COSINE_SQUARED))[{0, 1}];
    long double exact = static_cast<long double>(score) * score;
    EXPECT_EQ(squared, static_cast<double>(std::floor(std::ldexp(exact, -90))) * unit);
    EXPECT_EQ(
        edges_from(Lists({{{PKIN_SCORE_ONE, 1}}, {{PKIN_SCORE_ONE, 0}}}).view,
                   options_of(PKIN_GRAPH_MUTUAL, PKIN_EDGE_COSINE_SQUARED))[(std::pair<uint32_t, uint32_t>{0, 1})],
        1.0);
}

TEST(GraphNeighbors, AnEdgeOfNoWeightIsLeftOut) {
    Lists lists({{{UINT64_C(1) << 29, 1}}, {{UINT64_C(1) << 29, 0}}});
    EXPECT_TRUE(edges_from(lists.view, options_of(PKIN_GRAPH_MUTUAL)).empty());
}

TEST(GraphNeighbors, SharedNeighborsCountTheRowsThemselves) {
    /* {0, 1, 2} and {1, 0}: two of three. {0, 1, 2} and {2, 1}: two of three. {1, 0} and {2, 1}: one of three. */
    const double unit = std::ldexp(1.0, -30), third = std::floor(std::ldexp(1.0, 30) / 3) * unit,
                 two_thirds = std::floor(std::ldexp(2.0, 30) / 3) * unit;
    EXPECT_EQ(edges_from(Lists(small).view, options_of(PKIN_GRAPH_EITHER, PKIN_EDGE_SHARED_NEIGHBORS)),
              (EdgeMap{{{0, 1}, two_thirds}, {{0, 2}, two_thirds}, {{1, 2}, third}}));
}

/* 0: 1, 2. 1: 0. Counts are 0: 3, 1: 2, 2: 1 and 1: 2, 0: 1, so that 1 + 2 of 3 + 2 + 1 are shared. */
TEST(GraphNeighbors, RankedNeighborsWeighTheNearestMost) {
    EXPECT_EQ(edges_from(Lists(small).view, options_of(PKIN_GRAPH_MUTUAL, PKIN_EDGE_RANKED_NEIGHBORS)),
              (EdgeMap{{{0, 1}, 0.5}}));
}

pkin_status status_of(const std::vector<List> &rows, const pkin_graph_options &options) {
    Lists lists(rows);
    pkin_graph *graph = reinterpret_cast<pkin_graph *>(1);
    pkin_status status = pkin_graph_from_neighbors(&lists.view, &options, nullptr, &graph);
    EXPECT_EQ(graph == nullptr, status != PKIN_OK);
    pkin_graph_free(graph);
    return status;
}

TEST(GraphNeighbors, RefusesListsThatAreNone) {
    pkin_graph_options options = pkin_graph_options_default();
    pkin_graph *graph = nullptr;
    for (const List &bad :
         {List{{5, 0}}, List{{5, 3}}, List{{5, 1}, {5, 1}}, List{{PKIN_SCORE_ONE + 1, 1}}, List{{5, 1}, {6, 2}}}) {
        EXPECT_EQ(status_of({bad, {}, {}}, options), PKIN_ERROR_INVALID_ARGUMENT);
    }
    for (double bad : {-0.1, 1.1, static_cast<double>(NAN)}) {
        options.floor = bad;
        EXPECT_EQ(status_of(small, options), PKIN_ERROR_INVALID_ARGUMENT);
        options = pkin_graph_options_default();
        options.least_weight = bad;
        EXPECT_EQ(status_of(small, options), PKIN_ERROR_INVALID_ARGUMENT);
        options = pkin_graph_options_default();
    }
    options = options_of(static_cast<pkin_graph_sides>(7));
    EXPECT_EQ(status_of(small, options), PKIN_ERROR_INVALID_ARGUMENT);
    options = options_of(PKIN_GRAPH_MUTUAL, static_cast<pkin_edge_weight>(7));
    EXPECT_EQ(status_of(small, options), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_graph_from_neighbors(nullptr, nullptr, nullptr, &graph), PKIN_ERROR_INVALID_ARGUMENT);
}

/* What a list counts for each row, its own included: 1 each, or n + 1 less the rank. */
std::map<uint32_t, uint64_t> counts_of(const List &list, uint32_t own, bool ranked) {
    std::map<uint32_t, uint64_t> counts = {{own, ranked ? list.size() + 1 : 1}};
    for (size_t i = 0; i < list.size(); i++) counts[list[i].row] = ranked ? list.size() - i : 1;
    return counts;
}

uint64_t overlap(std::map<uint32_t, uint64_t> a, std::map<uint32_t, uint64_t> b) {
    uint64_t smaller = 0, larger = 0;
    for (auto [row, count] : b) a[row]; /* all rows of either */
    for (auto [row, count] : a) {
        smaller += std::min(count, b[row]);
        larger += std::max(count, b[row]);
    }
    return (smaller << 30) / larger;
}

/* As the header says it, by sets and without regard to time. */
EdgeMap oracle(const std::vector<List> &rows, const pkin_graph_options &options) {
    std::vector<List> lists(rows.size());
    std::vector<std::map<uint32_t, uint64_t>> names(rows.size());
    EdgeMap expected;
    for (uint32_t r = 0; r < rows.size(); r++) {
        for (size_t i = 0; i < rows[r].size() && (!options.n_neighbors || i < options.n_neighbors); i++) {
            if (rows[r][i].score < pkin_score_from_threshold(options.floor)) continue;
            lists[r].push_back(rows[r][i]);
            names[r][rows[r][i].row] = rows[r][i].score;
        }
    }
    for (uint32_t r = 0; r < rows.size(); r++) {
        for (uint32_t q = r + 1; q < rows.size(); q++) {
            bool forth = names[r].count(q) > 0, back = names[q].count(r) > 0;
            if (!(options.sides == PKIN_GRAPH_MUTUAL ? forth && back : forth || back)) continue;
            uint64_t score = std::max(forth ? names[r][q] : 0, back ? names[q][r] : 0), weight = score >> 30;
            bool ranked = options.weight == PKIN_EDGE_RANKED_NEIGHBORS;
            if (options.weight == PKIN_EDGE_COSINE_SQUARED)
                weight = static_cast<uint64_t>(static_cast<unsigned __int128>(score) * score >> 90);
            if (ranked || options.weight == PKIN_EDGE_SHARED_NEIGHBORS)
                weight = overlap(counts_of(lists[r], r, ranked), counts_of(lists[q], q, ranked));
            if (weight && weight >= std::floor(std::ldexp(options.least_weight, 30)))
                expected[{r, q}] = std::ldexp(static_cast<double>(weight), -30);
        }
    }
    return expected;
}

TEST(GraphNeighbors, AreThoseOfTheOracleForAnyLists) {
    EXPECT_TRUE(rc::check("neighbours", [] {
        auto n = *rc::gen::inRange<uint32_t>(1, 25);
        auto entry = rc::gen::pair(rc::gen::inRange<uint32_t>(0, n), rc::gen::inRange<uint64_t>(0, 9));
        std::vector<List> rows(n);
        for (uint32_t r = 0; r < n; r++) {
            auto entries = *rc::gen::container<std::vector<std::pair<uint32_t, uint64_t>>>(entry);
            for (auto [row, eighths] : std::map<uint32_t, uint64_t>(entries.begin(), entries.end())) {
                if (row != r) rows[r].push_back({(eighths << 57) - 3 * eighths, row});
            }
            std::sort(rows[r].begin(), rows[r].end(), [](const pkin_neighbor &a, const pkin_neighbor &b) {
                return a.score != b.score ? a.score > b.score : a.row < b.row;
            });
        }
        pkin_graph_options options =
            options_of(*rc::gen::element(PKIN_GRAPH_MUTUAL, PKIN_GRAPH_EITHER),
                       *rc::gen::element(PKIN_EDGE_COSINE, PKIN_EDGE_COSINE_SQUARED, PKIN_EDGE_SHARED_NEIGHBORS,
                                         PKIN_EDGE_RANKED_NEIGHBORS),
                       *rc::gen::inRange<uint32_t>(0, 6), *rc::gen::inRange(0, 9) / 8.0);
        options.least_weight = *rc::gen::inRange(0, 9) / 24.0;
        RC_ASSERT(edges_from(Lists(rows).view, options) == oracle(rows, options));
    }));
}

/* Rows with copies: with distinct_only, a copy's own list is empty and no list names it. */
TEST(GraphNeighbors, TakesTheEnginesLists) {
    TestMatrix matrix = {30, {}};
    uint64_t state = 1;
    for (int r = 0; r < 400; r++) {
        std::map<uint32_t, double> row;
        for (int k = 0; k < 5; k++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            row[static_cast<uint32_t>(state >> 33) % 30] = 1 + static_cast<double>(state >> 60);
        }
        matrix.rows.push_back(r % 10 == 9 ? matrix.rows.back() : TestRow(row.begin(), row.end()));
    }
    TestVectors vectors(matrix);
    for (int distinct : {0, 1}) {
        pkin_similarity_options how = pkin_similarity_options_default();
        how.distinct_only = distinct;
        pkin_neighbor_lists lists;
        ASSERT_EQ(pkin_similarity_top_k(vectors.vectors, nullptr, 8, 0, &how, &lists), PKIN_OK);
        std::vector<List> rows;
        for (uint64_t r = 0; r < lists.n_rows; r++)
            rows.emplace_back(lists.neighbors + lists.offsets[r], lists.neighbors + lists.offsets[r + 1]);
        for (pkin_graph_sides sides : {PKIN_GRAPH_MUTUAL, PKIN_GRAPH_EITHER}) {
            EdgeMap edges = edges_from(lists, options_of(sides, PKIN_EDGE_SHARED_NEIGHBORS, 5, 0.125));
            EXPECT_GT(edges.size(), 100u);
            EXPECT_EQ(edges, oracle(rows, options_of(sides, PKIN_EDGE_SHARED_NEIGHBORS, 5, 0.125)));
        }
        pkin_neighbor_lists_free(&lists);
    }
}

TEST(GraphNeighbors, AreTheSameForAnyNumberOfThreads) {
    const uint32_t n = 5000;
    std::vector<List> rows(n);
    for (uint32_t r = 0; r < n; r++) {
        uint64_t score = PKIN_SCORE_ONE;
        for (uint32_t step : {1u, 2u, 3u, 7u, n - 1, n - 2, n - 5}) rows[r].push_back({score /= 2, (r + step) % n});
    }
    Lists lists(rows);
    pkin_graph_options options = options_of(PKIN_GRAPH_EITHER, PKIN_EDGE_SHARED_NEIGHBORS);
    int before = omp_get_max_threads();
    std::optional<EdgeMap> first;
    for (int n_threads : {1, 2, 5}) {
        omp_set_num_threads(n_threads);
        EdgeMap edges = edges_from(lists.view, options);
        if (!first) first = edges;
        EXPECT_EQ(edges, *first) << n_threads;
    }
    omp_set_num_threads(before);
}

TEST(GraphNeighbors, LeaveNothingBehindWhenMemoryRunsOut) {
    Lists lists(small);
    const char *names[] = {"a", "b", "c", "d"};
    expect_clean_failures([&] {
        pkin_graph *graph = nullptr;
        pkin_status status = pkin_graph_from_neighbors(&lists.view, nullptr, names, &graph);
        EXPECT_EQ(status == PKIN_OK, graph != nullptr);
        pkin_graph_free(graph);
        return status;
    });
}

} // namespace
