/* SPDX-License-Identifier: Apache-2.0 */
/* Density clusters against the definition, computed plainly: components of the pairs nearer than each distance. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "paperkin/cluster.h"
#include "support/allocation_failures.h"

namespace {

using Weights = std::vector<std::vector<double>>; /* symmetric; 0: no edge */

struct Graph {
    pkin_graph *graph = nullptr;
    explicit Graph(const Weights &weights) {
        std::vector<pkin_edge> edges;
        for (uint32_t a = 0; a < weights.size(); a++) {
            for (uint32_t b = a + 1; b < weights.size(); b++) {
                if (weights[a][b] > 0) edges.push_back({a, b, weights[a][b]});
            }
        }
        EXPECT_EQ(pkin_graph_from_edges(weights.size(), edges.data(), edges.size(), nullptr, &graph), PKIN_OK);
    }
    ~Graph() {
        pkin_graph_free(graph);
    }
    Graph(const Graph &) = delete;
    Graph &operator=(const Graph &) = delete;
};

struct Density : pkin_density_result {
    Density(const Weights &weights, const pkin_density_options &options) : pkin_density_result{} {
        Graph graph(weights);
        EXPECT_EQ(pkin_density(graph.graph, &options, this), PKIN_OK) << pkin_last_error();
    }
    ~Density() {
        pkin_density_result_free(this);
    }
    Density(const Density &) = delete;
    Density &operator=(const Density &) = delete;
    uint32_t cluster(uint64_t v) const {
        return partition.clusters[v];
    }
};

/* HDBSCAN* by its definition. */
class Reference {
  public:
    struct Cluster {
        int parent;
        double birth, death = 0, stability = 0;
        size_t size;
        bool chosen = false;
    };
    std::vector<Cluster> tree;
    std::vector<int> last;
    std::vector<double> lambdas;

    Reference(const Weights &weights, const pkin_density_options &options)
        : last(weights.size()), lambdas(weights.size()), n(weights.size()), least(options.min_cluster_size) {
        find_reach(weights, options.min_samples);
        std::vector<size_t> all(n);
        std::iota(all.begin(), all.end(), 0);
        tree.push_back({-1, 0, 0, 0, n});
        split(all, 0);
        choose(options);
    }

    int label(size_t v) const {
        int c = last[v];
        while (c >= 0 && !tree[c].chosen) c = tree[c].parent;
        return c;
    }
    double probability(size_t v) const {
        int c = label(v);
        if (c < 0) return 0;
        return std::isinf(lambdas[v]) ? 1 : std::min(lambdas[v], tree[c].death) / tree[c].death;
    }
    double outlier_score(size_t v) const {
        double end = 0;
        for (size_t c = 0; c < tree.size(); c++) {
            for (int above = (int)c; above >= 0; above = tree[above].parent) {
                if (above == last[v]) end = std::max(end, tree[c].death);
            }
        }
        return std::isinf(lambdas[v]) ? 0 : 1 - lambdas[v] / end;
    }

  private:
    size_t n;
    size_t least;
    Weights reach;

    void find_reach(const Weights &weights, size_t min_samples) {
        std::vector<double> cores(n);
        for (size_t v = 0; v < n; v++) {
            std::vector<double> distances(1, 0.0);
            for (size_t u = 0; u < n; u++) {
                if (u != v) distances.push_back(1 - weights[v][u]);
            }
            std::sort(distances.begin(), distances.end());
            cores[v] = min_samples <= n ? distances[min_samples - 1] : 1;
        }
        reach = weights;
        for (size_t v = 0; v < n; v++) {
            for (size_t u = 0; u < n; u++) reach[v][u] = std::max({1 - weights[v][u], cores[v], cores[u]});
        }
    }

    /* Parts of `points` that pairs nearer than `distance` hold together. */
    std::vector<std::vector<size_t>> parts_below(const std::vector<size_t> &points, double distance) const {
        std::vector<std::vector<size_t>> parts;
        std::set<size_t> rest(points.begin(), points.end());
        while (!rest.empty()) {
            std::vector<size_t> part(1, *rest.begin());
            rest.erase(rest.begin());
            for (size_t k = 0; k < part.size(); k++) {
                for (auto u = rest.begin(); u != rest.end();) {
                    if (reach[part[k]][*u] < distance) {
                        part.push_back(*u);
                        u = rest.erase(u);
                    } else {
                        ++u;
                    }
                }
            }
            parts.push_back(part);
        }
        return parts;
    }

    void leave(int c, double lambda, size_t count) {
        tree[c].death = std::max(tree[c].death, lambda);
        tree[c].stability += (lambda - tree[c].birth) * (double)count;
    }

    void split(const std::vector<size_t> &points, int c) {
        std::set<double> distances;
        for (size_t v : points) {
            for (size_t u : points) {
                if (u != v) distances.insert(reach[v][u]);
            }
        }
        /* The largest distance below which the points fall apart is the one to remove. */
        double distance = 1;
        for (double candidate : distances) {
            if (parts_below(points, candidate).size() > 1) distance = candidate;
        }
        const double lambda = distance > 0 ? 1 / distance : std::numeric_limits<double>::infinity();
        std::vector<std::vector<size_t>> parts = parts_below(points, distance);
        size_t n_large = 0;
        for (const auto &part : parts) n_large += part.size() >= least;
        for (const auto &part : parts) {
            if (part.size() < least) {
                for (size_t v : part) {
                    last[v] = c;
                    lambdas[v] = lambda;
                }
                leave(c, lambda, part.size());
            } else if (n_large == 1) {
                split(part, c);
            } else {
                leave(c, lambda, part.size());
                tree.push_back({c, lambda, 0, 0, part.size()});
                split(part, (int)tree.size() - 1);
            }
        }
    }

    double best(int c, const pkin_density_options &options) {
        double below = 0;
        bool leaf = true;
        for (size_t d = 1; d < tree.size(); d++) {
            if (tree[d].parent != c) continue;
            below += best((int)d, options);
            leaf = false;
        }
        const bool fits = (double)tree[c].size <= options.max_cluster_share * (double)n;
        tree[c].chosen = c > 0 && fits && (options.leaves ? leaf : tree[c].stability >= below);
        if (!tree[c].chosen) return below;
        for (size_t d = 1; d < tree.size(); d++) {
            for (int above = tree[d].parent; above >= 0; above = tree[above].parent) {
                if (above == c) tree[d].chosen = false;
            }
        }
        return tree[c].stability;
    }

    void choose(const pkin_density_options &options) {
        best(0, options);
    }
};

double same_or_near(double a, double b) {
    return a == b ? 0 : std::abs(a - b) / std::max(1.0, std::abs(a));
}

void expect_same(const Weights &weights, const pkin_density_options &options) {
    Density ours(weights, options);
    Reference reference(weights, options);
    ASSERT_EQ(ours.n_tree, reference.tree.size());
    double chosen_stability = 0;
    for (size_t c = 0; c < reference.tree.size(); c++) {
        if (reference.tree[c].chosen) chosen_stability += reference.tree[c].stability;
    }
    EXPECT_LT(same_or_near(ours.partition.quality, chosen_stability), 1e-12);
    for (size_t v = 0; v < weights.size(); v++) {
        EXPECT_LT(same_or_near(ours.probabilities[v], reference.probability(v)), 1e-12) << v;
        EXPECT_LT(same_or_near(ours.outlier_scores[v], reference.outlier_score(v)), 1e-12) << v;
        ASSERT_EQ(ours.cluster(v) == PKIN_NO_CLUSTER, reference.label(v) < 0) << v;
        for (size_t u = 0; u < v; u++) {
            ASSERT_EQ(ours.cluster(u) == ours.cluster(v), reference.label(u) == reference.label(v)) << u << ' ' << v;
        }
    }
}

/* n points in groups; weights are multiples of 1 / n_steps, so that many are equal; a share of the pairs has no edge.
 */
Weights random_weights(uint32_t seed, size_t n, int n_steps, double missing) {
    std::mt19937 random(seed);
    const int n_groups = 1 + (int)(random() % 4);
    Weights weights(n, std::vector<double>(n, 0));
    for (size_t a = 0; a < n; a++) {
        for (size_t b = a + 1; b < n; b++) {
            double w = (random() % 1000) / 1000.0 * (a % n_groups == b % n_groups ? 1 : 0.6);
            w = std::round(w * n_steps) / n_steps;
            if ((random() % 1000) / 1000.0 < missing) w = 0;
            weights[a][b] = weights[b][a] = w;
        }
    }
    return weights;
}

TEST(Density, IsWhatTheDefinitionSays) {
    for (uint32_t seed = 0; seed < 120; seed++) {
        pkin_density_options options = pkin_density_options_default();
        options.min_cluster_size = 2 + seed % 4;
        options.min_samples = 1 + seed % 5;
        options.leaves = seed % 7 == 0;
        options.max_cluster_share = seed % 5 == 0 ? 0.3 : 1;
        const int steps[] = {4, 16, 1 << 20};
        SCOPED_TRACE(seed);
        expect_same(random_weights(seed, 5 + seed % 22, steps[seed % 3], (seed % 4) * 0.25), options);
    }
}

/* Ties and all: the numbers of nodes do not matter. */
TEST(Density, NumbersOfNodesDoNotMatter) {
    const size_t n = 40;
    for (uint32_t seed = 0; seed < 20; seed++) {
        Weights weights = random_weights(seed, n, 12, 0.6), moved = weights;
        std::vector<size_t> place(n);
        std::iota(place.begin(), place.end(), 0);
        std::mt19937 random(seed);
        std::shuffle(place.begin(), place.end(), random);
        for (size_t a = 0; a < n; a++) {
            for (size_t b = 0; b < n; b++) moved[place[a]][place[b]] = weights[a][b];
        }
        pkin_density_options options = pkin_density_options_default();
        options.min_cluster_size = 3;
        Density first(weights, options), second(moved, options);
        ASSERT_EQ(first.partition.n_clusters, second.partition.n_clusters);
        for (size_t a = 0; a < n; a++) {
            EXPECT_EQ(first.probabilities[a], second.probabilities[place[a]]);
            EXPECT_EQ(first.outlier_scores[a], second.outlier_scores[place[a]]);
            for (size_t b = 0; b < a; b++) {
                ASSERT_EQ(first.cluster(a) == first.cluster(b), second.cluster(place[a]) == second.cluster(place[b]));
            }
        }
    }
}

/* Cliques of the given sizes with weight `inner`, a chain of weak edges between them, and one node without edges. */
Weights cliques(const std::vector<size_t> &sizes, double inner, double between) {
    size_t n = std::accumulate(sizes.begin(), sizes.end(), (size_t)1), begin = 0;
    Weights weights(n, std::vector<double>(n, 0));
    for (size_t size : sizes) {
        for (size_t a = begin; a < begin + size; a++) {
            for (size_t b = begin; b < begin + size; b++) weights[a][b] = a == b ? 0 : inner;
        }
        if (begin > 0) weights[begin - 1][begin] = weights[begin][begin - 1] = between;
        begin += size;
    }
    return weights;
}

TEST(Density, FindsCliquesAndTellsTheTree) {
    pkin_density_options options = pkin_density_options_default();
    Density found(cliques({6, 9}, 0.75, 0.25), options);
    ASSERT_EQ(found.partition.n_clusters, 2u);
    EXPECT_EQ(found.cluster(6), 0u); /* the larger is the first */
    EXPECT_EQ(found.cluster(5), 1u);
    EXPECT_EQ(found.cluster(15), PKIN_NO_CLUSTER);
    EXPECT_EQ(found.probabilities[0], 1);
    EXPECT_EQ(found.probabilities[15], 0);
    EXPECT_EQ(found.outlier_scores[0], 0);
    EXPECT_EQ(found.outlier_scores[15], 0.75); /* leaves at lambda 1, the densest at 4 */
    ASSERT_EQ(found.n_tree, 3u);
    EXPECT_EQ(found.tree[0].parent, UINT32_MAX);
    EXPECT_EQ(found.tree[0].size, 16u);
    EXPECT_EQ(found.tree[0].cluster, PKIN_NO_CLUSTER);
    for (uint32_t c = 1; c < 3; c++) {
        EXPECT_EQ(found.tree[c].parent, 0u);
        EXPECT_EQ(found.tree[c].birth, 1 / 0.75);
        EXPECT_EQ(found.tree[c].death, 4);
        EXPECT_DOUBLE_EQ(found.tree[c].stability, (4 - 1 / 0.75) * (double)found.tree[c].size);
        EXPECT_EQ(found.tree[c].size, found.tree[c].cluster == 0 ? 9u : 6u);
    }
    EXPECT_EQ(found.partition.quality, found.tree[1].stability + found.tree[2].stability);
}

/* Two groups of two cliques each: the groups last longer than the cliques, whose points are members in full. */
TEST(Density, ChoosesGroupsOverTheirParts) {
    Weights weights(20, std::vector<double>(20, 0));
    for (size_t a = 0; a < 20; a++) {
        for (size_t b = 0; b < 20; b++) {
            if (a == b) continue;
            weights[a][b] = a / 5 == b / 5 ? 0.8 : a / 10 == b / 10 ? 0.75 : 0.125;
        }
    }
    weights[0][10] = weights[10][0] = 0.25;
    pkin_density_options options = pkin_density_options_default();
    Density found(weights, options);
    EXPECT_EQ(found.n_tree, 7u);
    ASSERT_EQ(found.partition.n_clusters, 2u);
    for (size_t v = 0; v < 20; v++) {
        EXPECT_EQ(found.cluster(v), v / 10);
        EXPECT_EQ(found.probabilities[v], 1);
    }
    expect_same(weights, options);
    options.leaves = 1;
    EXPECT_EQ(Density(weights, options).partition.n_clusters, 4u);
    options.leaves = 0;
    options.max_cluster_share = 0.4;
    EXPECT_EQ(Density(weights, options).partition.n_clusters, 4u);
}

TEST(Density, EqualNodesAreAtInfiniteLambda) {
    pkin_density_options options = pkin_density_options_default();
    Density found(cliques({6, 5}, 1, 0.5), options);
    ASSERT_EQ(found.partition.n_clusters, 2u);
    for (size_t v = 0; v < 11; v++) {
        EXPECT_EQ(found.probabilities[v], 1);
        EXPECT_EQ(found.outlier_scores[v], 0);
    }
    EXPECT_EQ(found.outlier_scores[11], 1);
    EXPECT_TRUE(std::isinf(found.tree[1].death));
    EXPECT_TRUE(std::isinf(found.partition.quality));
}

TEST(Density, GraphsOfFewNodesOrEdges) {
    pkin_density_options options = pkin_density_options_default();
    Density none({}, options);
    EXPECT_EQ(none.partition.n_nodes, 0u);
    EXPECT_EQ(none.n_tree, 0u);
    for (size_t n : {1, 2, 30}) {
        Density found(Weights(n, std::vector<double>(n, 0)), options);
        EXPECT_EQ(found.partition.n_clusters, 0u);
        ASSERT_EQ(found.n_tree, 1u);
        EXPECT_EQ(found.tree[0].death, 1);
        for (size_t v = 0; v < n; v++) {
            EXPECT_EQ(found.cluster(v), PKIN_NO_CLUSTER);
            EXPECT_EQ(found.probabilities[v], 0);
            EXPECT_EQ(found.outlier_scores[v], 0);
        }
    }
}

TEST(Density, RefusesWhatMakesNoSense) {
    Graph heavy({{0, 2}, {2, 0}}), plain({{0, 0.5}, {0.5, 0}});
    pkin_density_result result;
    EXPECT_EQ(pkin_density(nullptr, nullptr, &result), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_density(plain.graph, nullptr, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_density(heavy.graph, nullptr, &result), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(std::string(pkin_last_error()).find("weighs 2"), std::string::npos) << pkin_last_error();
    const pkin_density_options good = pkin_density_options_default();
    std::vector<pkin_density_options> bad(6, good);
    bad[0].min_cluster_size = 1;
    bad[1].min_samples = 0;
    bad[2].max_cluster_share = 0;
    bad[3].max_cluster_share = 1.5;
    bad[4].max_cluster_share = std::nan("");
    bad[5].size = 0;
    for (const pkin_density_options &options : bad) {
        EXPECT_EQ(pkin_density(plain.graph, &options, &result), PKIN_ERROR_INVALID_ARGUMENT);
        EXPECT_EQ(result.partition.clusters, nullptr);
    }
    EXPECT_EQ(pkin_density(plain.graph, nullptr, &result), PKIN_OK);
    pkin_density_result_free(&result);
    pkin_density_result_free(&result);
    pkin_density_result_free(nullptr);
}

TEST(Density, LeavesNothingBehindOnFailure) {
    const Weights weights = random_weights(3, 30, 16, 0.3);
    Graph graph(weights);
    expect_clean_failures([&] {
        pkin_density_result result;
        pkin_status status = pkin_density(graph.graph, nullptr, &result);
        EXPECT_EQ(result.tree == nullptr, status != PKIN_OK);
        pkin_density_result_free(&result);
        return status;
    });
}

} // namespace
