/* SPDX-License-Identifier: Apache-2.0 */
#include <omp.h>

#include <cmath>
#include <random>

#include "graph_support.h"
#include "groups/author_overlap.h"
#include "support/allocation_failures.h"
#include "test_paper.h"

namespace {

const double unit = std::ldexp(1.0, -30);

double round_down(double weight) {
    return std::floor(weight / unit) * unit;
}

struct Papers {
    std::vector<TestPaper> papers;
    std::vector<const pkin_paper *> views;

    explicit Papers(const std::vector<std::vector<std::string>> &authors) : papers(authors.size()) {
        for (size_t i = 0; i < authors.size(); i++) {
            papers[i].authors = authors[i];
            views.push_back(papers[i].view());
        }
    }
};

EdgeMap damped(const pkin_graph *graph, const Papers &papers, double damping) {
    pkin_graph *result = nullptr;
    EXPECT_EQ(pkin_graph_damp_authors(graph, papers.views.data(), damping, &result), PKIN_OK) << pkin_last_error();
    GraphHandle held = hold(result);
    EXPECT_EQ(pkin_graph_n_nodes(result), pkin_graph_n_nodes(graph));
    EXPECT_EQ(names_of(result), names_of(graph));
    return edges_of(result);
}

TEST(GraphAuthors, SharedAuthorsTakeWeightAway) {
    Papers papers(
        {{"Ada Quill", "Bo Reed"}, {"Quill, Ada", "C. Moss", "Dee Ash"}, {"B. Reed", "A. Quill"}, {}, {"X Y"}});
    GraphHandle graph =
        graph_of(5, {{0, 1, 0.5}, {0, 2, 0.5}, {0, 3, 0.5}, {0, 4, 0.5}, {1, 2, 0.75}}, {"a", "b", "c", "d", "e"});
    /* Half of the shorter list; all of it; no known authors; none in common; half of it. */
    EXPECT_EQ(damped(graph.get(), papers, 0.5),
              (EdgeMap{{{0, 1}, 0.375}, {{0, 2}, 0.25}, {{0, 3}, 0.5}, {{0, 4}, 0.5}, {{1, 2}, 0.5625}}));
}

TEST(GraphAuthors, EdgesOfNoWeightGo) {
    Papers papers({{"Ada Quill"}, {"Ada Quill"}, {"Bo Reed"}});
    GraphHandle graph = graph_of(3, {{0, 1, 0.5}, {1, 2, 0.25}});
    EXPECT_EQ(damped(graph.get(), papers, 1), (EdgeMap{{{1, 2}, 0.25}}));
    EXPECT_EQ(damped(graph.get(), papers, 0), edges_of(graph.get()));
}

TEST(GraphAuthors, WeightsStayMultiplesAndLargeOnesStayLarge) {
    Papers papers({{"Ada Quill"}, {"Ada Quill", "Bo Reed"}, {"Ada Quill", "Bo Reed", "C. Moss"}});
    GraphHandle graph = graph_of(3, {{0, 1, 1e300}, {1, 2, 12345 * unit}});
    EXPECT_EQ(damped(graph.get(), papers, 0.3),
              (EdgeMap{{{0, 1}, 1e300 * (1 - 0.3)}, {{1, 2}, round_down(12345 * unit * (1 - 0.3))}}));
}

/* Names that are not like each other. */
std::string name_number(unsigned k) {
    std::mt19937 random(k);
    std::string name;
    for (int i = 0; i < 14; i++) name += i == 5 ? ' ' : static_cast<char>('a' + random() % 26);
    return name;
}

/* The share is that of pkin_i_author_overlap for every edge, whoever computes it. */
TEST(GraphAuthors, DampsByTheAuthorOverlap) {
    std::mt19937 random(5);
    std::vector<std::vector<std::string>> authors(300);
    for (auto &list : authors) {
        for (unsigned n = random() % 9; n > 0; n--) list.push_back(name_number(random() % 60));
    }
    Papers papers(authors);
    std::vector<pkin_edge> edges;
    EdgeMap expected;
    int n_shared = 0;
    for (int e = 0; e < 3000; e++) {
        uint32_t a = random() % 300, b = random() % 300;
        if (a == b || expected.count({std::min(a, b), std::max(a, b)})) continue;
        double share, weight = (10 + random() % 1000) * unit;
        ASSERT_EQ(pkin_i_author_overlap(papers.views[a], papers.views[b], &share), PKIN_OK);
        edges.push_back({a, b, weight});
        expected[{std::min(a, b), std::max(a, b)}] = share > 0 ? round_down(weight * (1 - 0.8 * share)) : weight;
        n_shared += share > 0;
    }
    EXPECT_GT(n_shared, 300);
    GraphHandle graph = graph_of(300, edges);
    int before = omp_get_max_threads();
    for (int n_threads : {1, 4}) {
        omp_set_num_threads(n_threads);
        EXPECT_EQ(damped(graph.get(), papers, 0.8), expected);
    }
    omp_set_num_threads(before);
}

TEST(GraphAuthors, LongListsAreSampled) {
    std::vector<std::string> all, half;
    for (unsigned k = 0; k < 1600; k++) {
        all.push_back(name_number(k));
        if (k < 1200) half.push_back(name_number(k < 600 ? k : k + 2000));
    }
    Papers papers({all, half});
    GraphHandle graph = graph_of(2, {{0, 1, 1}});
    EXPECT_NEAR(damped(graph.get(), papers, 1).at({0, 1}), 0.5, 0.1);
}

/* What tells spellings apart quickly must not part those that are alike. */
TEST(GraphAuthors, LikeSpellingsAreOneName) {
    int same = 0;
    ASSERT_EQ(pkin_i_same_author("Anna Kowalski", "Anna Kovalskij", &same), PKIN_OK); /* 2 * 7 of 17 bytes */
    EXPECT_TRUE(same);
    ASSERT_EQ(pkin_i_same_author("Anna Kowalski", "Anna Kovalchuk", &same), PKIN_OK);
    EXPECT_FALSE(same);
}

TEST(GraphAuthors, RefusesWhatItCannotUse) {
    Papers papers({{"Ada Quill"}, {"Bo Reed"}});
    GraphHandle graph = graph_of(2, {{0, 1, 1}});
    std::vector<const pkin_paper *> missing = {papers.views[0], nullptr};
    pkin_graph *out = nullptr;
    for (double damping : {-0.1, 1.1, static_cast<double>(NAN)})
        EXPECT_EQ(pkin_graph_damp_authors(graph.get(), papers.views.data(), damping, &out),
                  PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_graph_damp_authors(nullptr, papers.views.data(), 1, &out), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_graph_damp_authors(graph.get(), nullptr, 1, &out), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_graph_damp_authors(graph.get(), missing.data(), 1, &out), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(out, nullptr);
}

TEST(GraphAuthors, LeaveNothingBehindWhenMemoryRunsOut) {
    Papers papers({{"Ada Quill"}, {"Ada Quill", "Zoë Åström"}, {"Bo Reed"}});
    GraphHandle graph = graph_of(3, {{0, 1, 1}, {1, 2, 1}}, {"a", "b", "c"});
    expect_clean_failures([&] {
        pkin_graph *out = nullptr;
        pkin_status status = pkin_graph_damp_authors(graph.get(), papers.views.data(), 0.5, &out);
        EXPECT_EQ(status == PKIN_OK, out != nullptr);
        pkin_graph_free(out);
        return status;
    });
}

} // namespace
