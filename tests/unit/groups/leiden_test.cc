/* SPDX-License-Identifier: Apache-2.0 */
#include <atomic>
#include <cmath>
#include <set>
#include <string>

#include "support/allocation_failures.h"
#include "test_graph.h"

static pkin_leiden_options options_of(pkin_leiden_objective objective, double resolution, uint64_t seed = 0,
                                      uint32_t n_iterations = 2) {
    pkin_leiden_options options = pkin_leiden_options_default();
    options.objective = objective;
    options.resolution = resolution;
    options.seed = seed;
    options.n_iterations = n_iterations;
    options.n_threads = 2;
    return options;
}

static TestPartition leiden(const pkin_graph *graph, const pkin_leiden_options &options) {
    TestPartition found;
    EXPECT_EQ(pkin_leiden(graph, &options, found.place()), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(found->n_nodes, pkin_graph_n_nodes(graph));
    expect_numbered(found.clusters(), found->n_clusters);
    return found;
}

static double quality(const pkin_graph *graph, const pkin_partition *partition, pkin_leiden_objective objective,
                      double resolution) {
    double value = NAN;
    EXPECT_EQ(pkin_leiden_quality(graph, partition, objective, resolution, &value), PKIN_OK) << pkin_last_error();
    return value;
}

/* The objectives by their definitions over pairs of nodes. */
static double definition(uint32_t n, const std::vector<pkin_edge> &edges, const std::vector<uint32_t> &clusters,
                         pkin_leiden_objective objective, double resolution) {
    std::vector<double> strengths(n, 0);
    double total = 0, value = 0;
    for (const pkin_edge &edge : edges) {
        strengths[edge.a] += edge.weight;
        strengths[edge.b] += edge.weight;
        total += edge.weight;
    }
    bool is_cpm = objective == PKIN_LEIDEN_CPM;
    for (const pkin_edge &edge : edges) {
        if (clusters[edge.a] == clusters[edge.b]) value += is_cpm ? edge.weight : edge.weight / total;
    }
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = 0; b < n; b++) {
            if (clusters[a] != clusters[b]) continue;
            if (is_cpm) value -= a < b ? resolution : 0;
            if (!is_cpm && total > 0) value -= resolution * strengths[a] * strengths[b] / (4 * total * total);
        }
    }
    return value;
}

static const pkin_leiden_objective objectives[] = {PKIN_LEIDEN_MODULARITY, PKIN_LEIDEN_CPM};

TEST(LeidenQuality, IsTheDefinition) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 40; round++) {
        uint32_t n = 1 + static_cast<uint32_t>(random() % 30);
        std::vector<pkin_edge> edges = random_edges(n, 0.3, random());
        TestGraph graph(n, edges);
        std::vector<uint32_t> clusters(n), apart;
        uint32_t n_apart = n;
        for (uint32_t &c : clusters) c = static_cast<uint32_t>(random() % 4);
        clusters[0] = PKIN_NO_CLUSTER;
        for (uint32_t c : clusters) apart.push_back(c == PKIN_NO_CLUSTER ? n_apart++ : c);
        TestPartition partition(clusters);
        for (pkin_leiden_objective objective : objectives) {
            EXPECT_NEAR(quality(graph, partition, objective, 0.7), definition(n, edges, apart, objective, 0.7), 1e-12);
        }
    }
}

/* Calls `visit` with each way to part n nodes: restricted growth strings. */
template <typename Visit>
static void each_partition(std::vector<uint32_t> &prefix, uint32_t n, uint32_t used, Visit visit) {
    if (prefix.size() == n) {
        visit(prefix);
        return;
    }
    for (uint32_t c = 0; c <= used; c++) {
        prefix.push_back(c);
        each_partition(prefix, n, std::max(used, c + 1), visit);
        prefix.pop_back();
    }
}

TEST(Leiden, FindsTheBestPartitionOfSmallGraphs) {
    std::mt19937_64 random(11);
    int n_best = 0, n_rounds = 0;
    for (int round = 0; round < 20; round++) {
        uint32_t n = 4 + static_cast<uint32_t>(random() % 4);
        std::vector<pkin_edge> edges = random_edges(n, 0.5, random());
        TestGraph graph(n, edges);
        for (pkin_leiden_objective objective : objectives) {
            double resolution = objective == PKIN_LEIDEN_CPM ? 0.3 : 1.0, best = -INFINITY, found = -INFINITY;
            std::vector<uint32_t> prefix;
            each_partition(prefix, n, 0, [&](const std::vector<uint32_t> &clusters) {
                best = std::max(best, definition(n, edges, clusters, objective, resolution));
            });
            for (uint64_t seed = 0; seed < 5; seed++) {
                found = std::max(found, leiden(graph, options_of(objective, resolution, seed, 0))->quality);
            }
            EXPECT_LE(found, best + 1e-12);
            n_best += found >= best - 1e-12;
            n_rounds++;
        }
    }
    EXPECT_GE(n_best, n_rounds * 9 / 10);
}

TEST(Leiden, FindsPlantedGroups) {
    for (pkin_leiden_objective objective : objectives) {
        TestGraph graph(240, planted_edges(8, 30, 0.5, 0.01, 2));
        std::vector<uint32_t> planted(240);
        for (uint32_t v = 0; v < 240; v++) planted[v] = v % 8;
        for (uint64_t seed = 0; seed < 3; seed++) {
            double resolution = objective == PKIN_LEIDEN_CPM ? 0.1 : 1.0;
            EXPECT_TRUE(same_parting(leiden(graph, options_of(objective, resolution, seed)).clusters(), planted));
        }
    }
}

static bool all_connected(const pkin_graph_view &view, const std::vector<uint32_t> &clusters) {
    std::vector<uint32_t> labels(clusters.size(), UINT32_MAX), queue;
    std::set<uint32_t> seen;
    for (uint32_t start = 0; start < clusters.size(); start++) {
        if (labels[start] != UINT32_MAX) continue;
        if (!seen.insert(clusters[start]).second) return false;
        queue.assign(1, start);
        labels[start] = start;
        while (!queue.empty()) {
            uint32_t v = queue.back();
            queue.pop_back();
            for (uint64_t e = view.offsets[v]; e < view.offsets[v + 1]; e++) {
                uint32_t u = view.targets[e];
                if (labels[u] != UINT32_MAX || clusters[u] != clusters[v]) continue;
                labels[u] = start;
                queue.push_back(u);
            }
        }
    }
    return true;
}

/* Neither moving a node nor joining two clusters helps, once nothing moved; and clusters are connected. */
TEST(Leiden, IsLocallyBestAndConnected) {
    std::mt19937_64 random(13);
    for (int round = 0; round < 12; round++) {
        uint32_t n = 20 + static_cast<uint32_t>(random() % 40);
        std::vector<pkin_edge> edges = random_edges(n, 0.12, random());
        TestGraph graph(n, edges);
        for (pkin_leiden_objective objective : objectives) {
            double resolution = (objective == PKIN_LEIDEN_CPM ? 0.08 : 1.0) * (1 + round % 3);
            TestPartition found = leiden(graph, options_of(objective, resolution, 4, 0));
            ASSERT_TRUE(all_connected(graph.view(), found.clusters()));
            std::vector<uint32_t> clusters = found.clusters();
            double reached = definition(n, edges, clusters, objective, resolution);
            EXPECT_NEAR(found->quality, reached, 1e-12);
            for (uint32_t v = 0; v < n; v++) {
                uint32_t own = clusters[v];
                for (uint32_t c = 0; c <= found->n_clusters; c++) {
                    clusters[v] = c;
                    ASSERT_LE(definition(n, edges, clusters, objective, resolution), reached + 1e-12);
                }
                clusters[v] = own;
            }
            for (uint32_t a = 0; a < found->n_clusters; a++) {
                for (uint32_t b = 0; b < a; b++) {
                    std::vector<uint32_t> joined = clusters;
                    std::replace(joined.begin(), joined.end(), a, b);
                    ASSERT_LE(definition(n, edges, joined, objective, resolution), reached + 1e-12);
                }
            }
        }
    }
}

/* As many iterations as it takes are no worse than one, and both are reached again from the same seed. */
TEST(Leiden, IteratesUntilNothingMoves) {
    TestGraph graph(400, random_edges(400, 0.02, 3));
    for (pkin_leiden_objective objective : objectives) {
        double resolution = objective == PKIN_LEIDEN_CPM ? 0.02 : 1.0;
        TestPartition one = leiden(graph, options_of(objective, resolution, 9, 1));
        TestPartition many = leiden(graph, options_of(objective, resolution, 9, 0));
        EXPECT_GE(many->quality, one->quality);
        EXPECT_EQ(many.clusters(), leiden(graph, options_of(objective, resolution, 9, 0)).clusters());
        EXPECT_EQ(many.clusters(), leiden(graph, options_of(objective, resolution, 9, 1000)).clusters());
    }
}

TEST(Leiden, DependsOnTheSeedAlone) {
    TestGraph graph(300, random_edges(300, 0.03, 4));
    std::set<std::vector<uint32_t>> different;
    for (uint64_t seed = 0; seed < 4; seed++) {
        pkin_leiden_options options = options_of(PKIN_LEIDEN_MODULARITY, 1, seed);
        options.n_runs = 5;
        std::vector<std::vector<uint32_t>> found;
        for (int n_threads : {1, 2, 3, 7}) {
            options.n_threads = n_threads;
            found.push_back(leiden(graph, options).clusters());
        }
        for (const auto &clusters : found) EXPECT_EQ(clusters, found[0]);
        different.insert(found[0]);
    }
    EXPECT_GT(different.size(), 1u) << "the seed should matter on a graph without groups";
}

TEST(Leiden, HigherResolutionMakesSmallerClusters) {
    TestGraph graph(300, random_edges(300, 0.05, 8));
    for (pkin_leiden_objective objective : objectives) {
        uint32_t before = 0;
        for (double resolution : {0.01, 0.1, 1.0, 10.0, 1000.0}) {
            uint32_t n_clusters = leiden(graph, options_of(objective, resolution))->n_clusters;
            EXPECT_GE(n_clusters, before);
            before = n_clusters;
        }
        EXPECT_EQ(before, 300u);
    }
}

/* ---- Shapes -------------------------------------------------------------------------------------------------------
 */

static std::vector<pkin_edge> clique(uint32_t from, uint32_t n, double weight) {
    std::vector<pkin_edge> edges;
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = 0; b < a; b++) edges.push_back({from + a, from + b, weight});
    }
    return edges;
}

TEST(Leiden, OfNothing) {
    TestGraph empty(0, {}), one(1, {}), lone(5, {});
    for (pkin_leiden_objective objective : objectives) {
        for (uint32_t n_runs : {1u, 3u}) {
            pkin_leiden_options options = options_of(objective, 1, 0, 0);
            options.n_runs = n_runs;
            EXPECT_EQ(leiden(empty, options)->n_clusters, 0u);
            EXPECT_EQ(leiden(one, options)->n_clusters, 1u);
            TestPartition apart = leiden(lone, options);
            EXPECT_EQ(apart.clusters(), (std::vector<uint32_t>{0, 1, 2, 3, 4}));
            EXPECT_EQ(apart->quality, 0);
        }
    }
}

TEST(Leiden, KeepsCliquesTogetherAndIsolatedNodesApart) {
    std::vector<pkin_edge> edges = clique(0, 6, 0.5);
    for (const pkin_edge &edge : clique(6, 4, 0.5)) edges.push_back(edge);
    TestGraph graph(12, edges);
    for (pkin_leiden_objective objective : objectives) {
        TestPartition found = leiden(graph, options_of(objective, objective == PKIN_LEIDEN_CPM ? 0.4 : 1, 0, 0));
        EXPECT_EQ(found.clusters(), (std::vector<uint32_t>{0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3}));
    }
    /* The constant Potts model's meaning: a clique lies together below its edges' weight, apart above. */
    EXPECT_EQ(leiden(graph, options_of(PKIN_LEIDEN_CPM, 0.51, 0, 0))->n_clusters, 12u);
}

TEST(Leiden, OfAStar) {
    std::vector<pkin_edge> edges;
    for (uint32_t leaf = 1; leaf < 200; leaf++) edges.push_back({0, leaf, 1});
    TestGraph star(200, edges);
    EXPECT_EQ(leiden(star, options_of(PKIN_LEIDEN_MODULARITY, 1, 0, 0))->n_clusters, 1u);
    /* Cluster of k nodes: k - 1 - resolution * k (k - 1) / 2, the best k is 1 / resolution or one more. */
    TestPartition parted = leiden(star, options_of(PKIN_LEIDEN_CPM, 0.1, 0, 0));
    std::vector<uint32_t> clusters = parted.clusters();
    auto n_first = std::count(clusters.begin(), clusters.end(), clusters[0]);
    EXPECT_TRUE(n_first == 10 || n_first == 11) << n_first;
    EXPECT_EQ(parted->n_clusters, 200u - n_first + 1);
}

TEST(Leiden, ScaleDoesNotMatter) {
    std::vector<pkin_edge> edges = planted_edges(5, 12, 0.6, 0.1, 6);
    for (pkin_leiden_objective objective : objectives) {
        double resolution = objective == PKIN_LEIDEN_CPM ? 0.15 : 1.0;
        std::vector<uint32_t> expected = leiden(TestGraph(60, edges), options_of(objective, resolution)).clusters();
        for (int scale : {-990, -300, -31, 7, 400, 1000}) {
            std::vector<pkin_edge> scaled = edges;
            for (pkin_edge &edge : scaled) edge.weight = std::ldexp(edge.weight, scale);
            double at = objective == PKIN_LEIDEN_CPM ? std::ldexp(resolution, scale) : resolution;
            EXPECT_EQ(leiden(TestGraph(60, scaled), options_of(objective, at)).clusters(), expected) << scale;
        }
    }
}

TEST(Leiden, ExtremeWeightsAndResolutions) {
    TestGraph graph(5, {{0, 1, 1.7e308}, {1, 2, 1.7e308}, {2, 3, 5e-324}, {3, 4, 1e-300}});
    for (pkin_leiden_objective objective : objectives) {
        for (double resolution : {5e-324, 1e-300, 1.0, 1e300, 1.7e308}) {
            TestPartition found;
            pkin_leiden_options options = options_of(objective, resolution, 0, 0);
            options.n_runs = 2;
            pkin_status status = pkin_leiden(graph, &options, found.place());
            if (status == PKIN_OK) {
                EXPECT_TRUE(std::isfinite(found->quality));
                expect_numbered(found.clusters(), found->n_clusters);
            } else {
                EXPECT_EQ(status, PKIN_ERROR_OVERFLOW) << "only the sum of the weights is too large";
                EXPECT_EQ(objective, PKIN_LEIDEN_CPM);
            }
        }
    }
}

/* What is far below the rest still holds nodes together. */
TEST(Leiden, SmallWeightsAreNotLost) {
    TestGraph graph(3, {{0, 1, 1}, {1, 2, 1e-30}});
    EXPECT_EQ(leiden(graph, options_of(PKIN_LEIDEN_CPM, 1e-40, 0, 0))->n_clusters, 1u);
    EXPECT_EQ(leiden(graph, options_of(PKIN_LEIDEN_CPM, 0.1, 0, 0))->n_clusters, 2u);
}

/* ---- Aggregated graphs --------------------------------------------------------------------------------------------
 */

TEST(Leiden, CountsSizesAndInnerWeightsOfGroups) {
    std::mt19937_64 random(17);
    for (int round = 0; round < 10; round++) {
        uint32_t n = 60;
        TestGraph graph(n, random_edges(n, 0.15, random()));
        TestPartition fine = leiden(graph, options_of(PKIN_LEIDEN_CPM, 0.3, 1));
        pkin_graph *made = nullptr;
        ASSERT_EQ(pkin_graph_aggregate(graph, fine, &made), PKIN_OK);
        TestGraph groups(made);
        for (pkin_leiden_objective objective : objectives) {
            double resolution = objective == PKIN_LEIDEN_CPM ? 0.05 : 0.8;
            TestPartition coarse = leiden(groups, options_of(objective, resolution, 2, 0));
            std::vector<uint32_t> flat(n);
            for (uint32_t v = 0; v < n; v++) flat[v] = coarse[fine[v]];
            EXPECT_LT(coarse->n_clusters, fine->n_clusters);
            EXPECT_NEAR(quality(graph, TestPartition(flat), objective, resolution), coarse->quality, 1e-10);
            std::vector<uint32_t> clusters = coarse.clusters();
            for (uint32_t v = 0; v < clusters.size(); v++) { /* no group moves with gain */
                uint32_t own = clusters[v];
                for (uint32_t c = 0; c <= coarse->n_clusters; c++) {
                    clusters[v] = c;
                    ASSERT_LE(quality(groups, TestPartition(clusters), objective, resolution), coarse->quality + 1e-10);
                }
                clusters[v] = own;
            }
        }
    }
}

/* ---- Ensembles ----------------------------------------------------------------------------------------------------
 */

static double agreement(const std::vector<uint32_t> &a, const std::vector<uint32_t> &b) { /* share of pairs (Rand) */
    double n_agreed = 0, n_pairs = 0;
    for (size_t v = 0; v < a.size(); v++) {
        for (size_t u = 0; u < v; u++) {
            n_agreed += (a[u] == a[v]) == (b[u] == b[v]);
            n_pairs++;
        }
    }
    return n_agreed / n_pairs;
}

TEST(LeidenEnsemble, DependsLessOnTheSeed) {
    TestGraph graph(300, planted_edges(20, 15, 0.5, 0.05, 21));
    double alone = 0, together = 0;
    std::vector<std::vector<uint32_t>> single, ensemble;
    for (uint64_t seed = 0; seed < 6; seed++) {
        pkin_leiden_options options = options_of(PKIN_LEIDEN_CPM, 0.12, 100 + seed);
        single.push_back(leiden(graph, options).clusters());
        options.n_runs = 12;
        TestPartition found = leiden(graph, options);
        EXPECT_TRUE(all_connected(graph.view(), found.clusters()));
        EXPECT_NEAR(found->quality, quality(graph, found, PKIN_LEIDEN_CPM, 0.12), 1e-12);
        ensemble.push_back(found.clusters());
    }
    for (size_t i = 0; i < single.size(); i++) {
        for (size_t j = 0; j < i; j++) {
            alone += agreement(single[i], single[j]);
            together += agreement(ensemble[i], ensemble[j]);
        }
    }
    EXPECT_GT(together, alone);
}

/* ---- Arguments, progress, memory ----------------------------------------------------------------------------------
 */

TEST(Leiden, RefusesWrongArguments) {
    TestGraph graph(3, {{0, 1, 1}});
    TestPartition found;
    auto refused = [&](auto change) {
        pkin_leiden_options options = pkin_leiden_options_default();
        change(options);
        EXPECT_EQ(pkin_leiden(graph, &options, found.place()), PKIN_ERROR_INVALID_ARGUMENT);
        EXPECT_EQ(found->clusters, nullptr);
    };
    refused([](pkin_leiden_options &o) { o.resolution = 0; });
    refused([](pkin_leiden_options &o) { o.resolution = NAN; });
    refused([](pkin_leiden_options &o) { o.resolution = INFINITY; });
    refused([](pkin_leiden_options &o) { o.randomness = 0; });
    refused([](pkin_leiden_options &o) { o.randomness = NAN; });
    refused([](pkin_leiden_options &o) { o.objective = static_cast<pkin_leiden_objective>(7); });
    refused([](pkin_leiden_options &o) { o.n_runs = 0; });
    refused([](pkin_leiden_options &o) { o.n_runs = 1000000; });
    refused([](pkin_leiden_options &o) { o.n_threads = -1; });
    refused([](pkin_leiden_options &o) { o.size = 0; });
    EXPECT_EQ(pkin_leiden(graph, nullptr, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    TestPartition shorter({0, 0});
    double value;
    EXPECT_EQ(pkin_leiden_quality(graph, shorter, PKIN_LEIDEN_CPM, 1, &value), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_leiden(graph, nullptr, found.place()), PKIN_OK) << "NULL: the defaults";
}

struct Watch {
    uint64_t n_calls = 0, last = 0, total = 0, stop_at = UINT64_MAX;
    static int call(void *user, const char *stage, uint64_t done, uint64_t total) {
        Watch *watch = static_cast<Watch *>(user);
        EXPECT_EQ(std::string(stage), "clustering");
        EXPECT_GE(done, watch->last);
        EXPECT_LE(done, total);
        watch->last = done;
        watch->total = total;
        return ++watch->n_calls >= watch->stop_at;
    }
};

TEST(Leiden, TellsOfProgressAndStops) {
    TestGraph graph(300, random_edges(300, 0.03, 4));
    for (uint32_t n_runs : {1u, 6u}) {
        pkin_leiden_options options = options_of(PKIN_LEIDEN_MODULARITY, 1);
        options.n_runs = n_runs;
        options.on_progress = Watch::call;
        Watch all;
        options.progress_user = &all;
        leiden(graph, options);
        EXPECT_EQ(all.last, all.total);
        EXPECT_EQ(all.total, n_runs == 1 ? 1 : n_runs + 1);
        for (uint64_t stop_at = 1; stop_at <= all.n_calls && n_runs == 1; stop_at++) {
            Watch some;
            some.stop_at = stop_at;
            options.progress_user = &some;
            TestPartition found;
            EXPECT_EQ(pkin_leiden(graph, &options, found.place()), PKIN_ERROR_CANCELLED) << stop_at;
            EXPECT_EQ(found->clusters, nullptr);
        }
        Watch first;
        first.stop_at = 1;
        options.progress_user = &first;
        TestPartition found;
        EXPECT_EQ(pkin_leiden(graph, &options, found.place()), PKIN_ERROR_CANCELLED);
    }
}

TEST(Leiden, FailsCleanlyWithoutMemory) {
    TestGraph graph(30, random_edges(30, 0.2, 4));
    for (uint32_t n_runs : {1u, 3u}) {
        pkin_leiden_options options = options_of(PKIN_LEIDEN_MODULARITY, 1);
        options.n_runs = n_runs;
        expect_clean_failures([&] {
            pkin_partition found;
            pkin_status status = pkin_leiden(graph, &options, &found);
            pkin_partition_free(&found);
            return status;
        });
    }
}
