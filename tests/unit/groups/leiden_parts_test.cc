/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of Leiden one by one, and an ensemble put together from them. */
#include <cmath>
#include <map>
#include <set>

#include "groups/leiden.h"
#include "groups/partition.h"
#include "test_graph.h"

namespace {

struct Steps {
    pkin_i_leiden_task task = {};
    pkin_i_leiden_work work = {};

    Steps(const pkin_graph_view &view, const pkin_leiden_options &options) {
        EXPECT_EQ(pkin_i_leiden_task_make(&view, &options, &task), PKIN_OK);
        EXPECT_EQ(pkin_i_leiden_work_make(&task.graph, &work), PKIN_OK);
        work.random = pkin_i_random_start(options.seed, 0);
        for (uint32_t v = 0; v < n(); v++) work.clusters[v] = v;
    }
    Steps(const Steps &) = delete;
    Steps &operator=(const Steps &) = delete;
    ~Steps() {
        pkin_i_leiden_work_free(&work);
        pkin_i_leiden_task_free(&task);
    }
    uint32_t n() const {
        return task.graph.n_nodes;
    }
    void put_into(const std::vector<uint32_t> &clusters) {
        std::copy(clusters.begin(), clusters.end(), work.clusters);
        pkin_i_leiden_sum_clusters(&task.graph, &work);
    }
    uint32_t refine() {
        return pkin_i_leiden_refine(&task.graph, task.resolution, task.theta, &work);
    }
    /* By label: the weight inside, and the sum of products of masses over pairs. */
    double gain_of(const uint32_t *labels, uint32_t label) const {
        double inside = 0, mass = 0, squares = 0;
        for (uint32_t v = 0; v < n(); v++) {
            if (labels[v] != label) continue;
            mass += task.graph.masses[v];
            squares += task.graph.masses[v] * task.graph.masses[v];
            for (uint64_t e = task.graph.offsets[v]; e < task.graph.offsets[v + 1]; e++) {
                if (labels[task.graph.targets[e]] == label) inside += task.graph.weights[e] / 2;
            }
        }
        return inside - task.resolution * (mass * mass - squares) / 2;
    }
    double objective() const {
        std::set<uint32_t> labels(work.clusters, work.clusters + n());
        double sum = 0;
        for (uint32_t label : labels) sum += gain_of(work.clusters, label);
        return sum;
    }
};

pkin_leiden_options options_of(pkin_leiden_objective objective, double resolution, uint64_t seed = 0) {
    pkin_leiden_options options = pkin_leiden_options_default();
    options.objective = objective;
    options.resolution = resolution;
    options.seed = seed;
    return options;
}

const pkin_leiden_objective objectives[] = {PKIN_LEIDEN_MODULARITY, PKIN_LEIDEN_CPM};

} // namespace

TEST(LeidenRandom, DrawsWithinBoundsAndParted) {
    pkin_i_random one = pkin_i_random_start(1, 0), other = pkin_i_random_start(1, 1);
    std::set<uint64_t> seen;
    std::vector<int> counts(10, 0);
    double sum = 0;
    for (int k = 0; k < 10000; k++) {
        seen.insert(pkin_i_random_next(&one));
        seen.insert(pkin_i_random_next(&other));
        counts[pkin_i_random_below(&one, 10)]++;
        double unit = pkin_i_random_unit(&one);
        ASSERT_TRUE(unit >= 0 && unit < 1);
        sum += unit;
    }
    EXPECT_EQ(seen.size(), 20000u);
    EXPECT_NEAR(sum / 10000, 0.5, 0.02);
    for (int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(LeidenRandom, OrdersAreEquallyLikely) {
    pkin_i_random random = pkin_i_random_start(5, 0);
    std::map<std::vector<uint32_t>, int> counts;
    for (int k = 0; k < 6000; k++) {
        std::vector<uint32_t> order(3);
        pkin_i_random_order(&random, order.data(), 3);
        counts[order]++;
    }
    ASSERT_EQ(counts.size(), 6u);
    for (const auto &[order, count] : counts) EXPECT_NEAR(count, 1000, 150);
}

/* Scaled weights are integers whose sum is exact, and keep the proportions of those of the engine. */
TEST(LeidenGraph, ScalesExactly) {
    TestGraph graph(60, random_edges(60, 0.3, 3));
    pkin_graph_view view = graph.view();
    Steps steps(view, options_of(PKIN_LEIDEN_MODULARITY, 1));
    double scale = steps.task.weights[0] / view.weights[0], sum = 0;
    for (uint64_t e = 0; e < view.offsets[60]; e++) {
        EXPECT_EQ(steps.task.weights[e], view.weights[e] * scale);
        EXPECT_EQ(steps.task.weights[e], std::floor(steps.task.weights[e]));
        sum += steps.task.weights[e];
    }
    EXPECT_LE(sum, 0x1p52);
    EXPECT_GE(sum, 0x1p49);
}

/*
 * One pass leaves next to no node that gains by going to another cluster or by being alone: only such as touch a
 * cluster that a node left which they do not touch.
 */
TEST(LeidenMove, LeavesNodesAtTheirBest) {
    std::mt19937_64 random(19);
    int n_nodes = 0, n_misplaced = 0;
    for (int round = 0; round < 20; round++) {
        uint32_t n = 20 + static_cast<uint32_t>(random() % 20);
        TestGraph graph(n, random_edges(n, 0.15, random()));
        for (pkin_leiden_objective objective : objectives) {
            Steps steps(graph.view(), options_of(objective, objective == PKIN_LEIDEN_CPM ? 0.1 : 1.0, 7));
            std::vector<uint32_t> start(n);
            for (uint32_t v = 0; v < n; v++) start[v] = round % 2 ? v : v / 8;
            steps.put_into(start);
            double before = steps.objective();
            bool moved = pkin_i_leiden_move(&steps.task.graph, steps.task.resolution, &steps.work);
            double reached = steps.objective(), most_off = 1e-9 * std::fabs(reached);
            EXPECT_TRUE(moved ? reached > before : reached == before);
            for (uint32_t v = 0; v < n; v++) {
                uint32_t own = steps.work.clusters[v];
                bool is_misplaced = false;
                for (uint32_t c = 0; c < n; c++) {
                    steps.work.clusters[v] = c;
                    is_misplaced |= steps.objective() > reached + most_off;
                }
                steps.work.clusters[v] = own;
                n_misplaced += is_misplaced;
                n_nodes++;
            }
        }
    }
    EXPECT_LT(n_misplaced, n_nodes / 50);
}

/* Groups lie within clusters, are worth keeping, and their weights to the rest of the cluster are right. */
TEST(LeidenRefine, MakesGroupsOfClusters) {
    std::mt19937_64 random(23);
    for (int round = 0; round < 20; round++) {
        uint32_t n = 20 + static_cast<uint32_t>(random() % 40);
        TestGraph graph(n, random_edges(n, 0.3, random()));
        for (pkin_leiden_objective objective : objectives) {
            pkin_leiden_options options = options_of(objective, objective == PKIN_LEIDEN_CPM ? 0.1 : 0.4, random());
            options.randomness = 10; /* anything that does not lose */
            Steps steps(graph.view(), options);
            std::vector<uint32_t> halves(n);
            for (uint32_t v = 0; v < n; v++) halves[v] = v % 2;
            steps.put_into(halves);
            uint32_t n_groups = steps.refine();
            const pkin_i_leiden_work &work = steps.work;
            std::set<uint32_t> groups(work.refined, work.refined + n);
            EXPECT_EQ(groups.size(), n_groups);
            EXPECT_LT(n_groups, n);
            for (uint32_t group : groups) {
                double cut = 0, mass = 0;
                uint32_t size = 0;
                for (uint32_t v = 0; v < n; v++) {
                    if (work.refined[v] != group) continue;
                    ASSERT_EQ(halves[v], halves[group]);
                    size++;
                    mass += steps.task.graph.masses[v];
                    for (uint64_t e = steps.task.graph.offsets[v]; e < steps.task.graph.offsets[v + 1]; e++) {
                        uint32_t u = steps.task.graph.targets[e];
                        if (work.refined[u] != group && halves[u] == halves[v]) cut += steps.task.graph.weights[e];
                    }
                }
                EXPECT_EQ(work.refined_cuts[group], cut);
                EXPECT_EQ(work.refined_masses[group], mass);
                EXPECT_EQ(work.refined_sizes[group], size);
                EXPECT_GE(steps.gain_of(work.refined, group), -1e-3); /* scaled weights are about 2^40 */
            }
        }
    }
}

/* 0, 1, 2 hang together; 3 holds to 2 by less than the resolution asks for towards all three. */
TEST(LeidenRefine, LeavesOutWhatIsNotWellConnected) {
    TestGraph graph(4, {{0, 1, 1}, {0, 2, 1}, {1, 2, 1}, {2, 3, 0.5}});
    std::set<uint32_t> sizes;
    for (uint64_t seed = 0; seed < 20; seed++) {
        Steps steps(graph.view(), options_of(PKIN_LEIDEN_CPM, 0.25, seed));
        steps.put_into({0, 0, 0, 0});
        EXPECT_EQ(steps.refine(), 2u);
        EXPECT_EQ(steps.work.refined[3], 3u);
    }
}

/* Joined with a probability of exp(gain / theta), 0 for staying: node 1 can go to 2, 0.5 better, to 0, or stay. */
TEST(LeidenRefine, DrawsByGains) {
    TestGraph graph(3, {{0, 1, 1}, {1, 2, 1.5}});
    for (double theta : {0.005, 0.25, 1.0, 1e6}) {
        double n_better = 0, n_worse = 0, n_stays = 0;
        for (uint64_t seed = 0; seed < 6000; seed++) {
            pkin_leiden_options options = options_of(PKIN_LEIDEN_CPM, 1e-9, seed);
            options.randomness = theta / 1.25; /* in mean weights */
            Steps steps(graph.view(), options);
            steps.put_into({0, 0, 0});
            steps.refine();
            if (steps.work.order[0] != 1) continue; /* the others had their turn before */
            n_better += steps.work.refined[1] == 2;
            n_worse += steps.work.refined[1] == 0;
            n_stays += steps.work.refined[1] == 1;
        }
        double all = n_better + n_worse + n_stays, sum = 1 + std::exp(-0.5 / theta) + std::exp(-1.5 / theta);
        EXPECT_GT(all, 1500);
        EXPECT_NEAR(n_better / all, 1 / sum, 0.04) << theta;
        EXPECT_NEAR(n_worse / all, std::exp(-0.5 / theta) / sum, 0.04) << theta;
        EXPECT_NEAR(n_stays / all, std::exp(-1.5 / theta) / sum, 0.04) << theta;
    }
}

TEST(LeidenGraph, AggregatesMassesAndWeights) {
    std::mt19937_64 random(29);
    for (int round = 0; round < 10; round++) {
        uint32_t n = 30;
        TestGraph graph(n, random_edges(n, 0.3, random()));
        Steps steps(graph.view(), options_of(PKIN_LEIDEN_MODULARITY, 1));
        std::vector<uint32_t> clusters(n), labels(n);
        for (uint32_t v = 0; v < n; v++) {
            labels[v] = static_cast<uint32_t>(random() % 9) + 20;
            clusters[v] = labels[v] / 2;
        }
        steps.put_into(clusters);
        double before = steps.objective();
        std::vector<uint32_t> numbers = labels;
        pkin_i_leiden_graph groups =
            pkin_i_leiden_aggregate(&steps.task.graph, numbers.data(), &steps.work.levels[0], &steps.work);
        EXPECT_TRUE(same_parting(numbers, labels));
        ASSERT_EQ(groups.n_nodes, std::set<uint32_t>(labels.begin(), labels.end()).size());
        std::map<std::pair<uint32_t, uint32_t>, double> between, listed;
        std::vector<double> masses(groups.n_nodes, 0);
        for (uint32_t v = 0; v < n; v++) {
            masses[numbers[v]] += steps.task.graph.masses[v];
            ASSERT_LT(steps.work.clusters[numbers[v]], groups.n_nodes);
            for (uint64_t e = steps.task.graph.offsets[v]; e < steps.task.graph.offsets[v + 1]; e++) {
                uint32_t other = numbers[steps.task.graph.targets[e]];
                if (other != numbers[v]) between[{numbers[v], other}] += steps.task.graph.weights[e];
            }
        }
        for (uint32_t g = 0; g < groups.n_nodes; g++) {
            EXPECT_EQ(groups.masses[g], masses[g]);
            for (uint64_t e = groups.offsets[g]; e < groups.offsets[g + 1]; e++) {
                listed[{g, groups.targets[e]}] = groups.weights[e];
            }
        }
        EXPECT_EQ(listed, between);
        std::vector<uint32_t> flat(n);
        for (uint32_t v = 0; v < n; v++) flat[v] = steps.work.clusters[numbers[v]];
        EXPECT_TRUE(same_parting(flat, clusters));
        steps.put_into(flat);
        EXPECT_NEAR(steps.objective(), before, 1e-12 * std::fabs(before));
    }
}

/* On a path whose weights rise everyone follows the next one: clusters creep along it, a node a visit. */
static int count_calls(void *n_calls, const char *, uint64_t, uint64_t) {
    ++*static_cast<int *>(n_calls);
    return 0;
}

TEST(LeidenMove, EndsOnAPathWhoseWeightsRise) {
    constexpr uint32_t n = 3000;
    std::vector<pkin_edge> edges;
    for (uint32_t v = 0; v + 1 < n; v++) edges.push_back({v, v + 1, (v + 1) / 4096.0});
    TestGraph graph(n, edges);
    Steps steps(graph.view(), options_of(PKIN_LEIDEN_MODULARITY, 1e-9, 1));
    std::vector<uint32_t> alone(n);
    for (uint32_t v = 0; v < n; v++) alone[v] = v;
    steps.put_into(alone);
    int n_calls = 0;
    pkin_i_leiden_progress progress = {count_calls, &n_calls, 0, 1, 0};
    steps.work.progress = &progress;
    double before = steps.objective();
    EXPECT_TRUE(pkin_i_leiden_move(&steps.task.graph, steps.task.resolution, &steps.work));
    EXPECT_GT(steps.objective(), before);
    EXPECT_GE(n_calls, 1); /* one could have cancelled */
    EXPECT_LE(n_calls, 4); /* without an end to visits there would be dozens */
}

TEST(LeidenRun, SplitsWhatIsNotConnected) {
    TestGraph graph(7, {{0, 1, 1}, {1, 4, 1}, {2, 3, 1}, {3, 5, 1}, {5, 6, 1}});
    Steps steps(graph.view(), options_of(PKIN_LEIDEN_CPM, 0.1));
    steps.put_into({0, 0, 0, 0, 1, 0, 1});
    pkin_i_leiden_split(&steps.task.graph, &steps.work);
    std::vector<uint32_t> split(steps.work.clusters, steps.work.clusters + 7);
    EXPECT_TRUE(same_parting(split, {0, 0, 1, 1, 2, 1, 3}));
}

/* ---- An ensemble by hand ------------------------------------------------------------------------------------------
 */

static std::vector<uint32_t> run(const pkin_graph *graph, const pkin_leiden_options &options, uint64_t stream) {
    Steps steps(pkin_graph_look(graph), options);
    pkin_i_leiden_progress progress = {};
    pkin_i_leiden_run(&steps.task, stream, &progress, &steps.work);
    TestPartition made;
    EXPECT_EQ(pkin_i_partition_make(steps.work.clusters, steps.n(), 1, made.place()), PKIN_OK);
    return made.clusters();
}

TEST(LeidenEnsemble, IsARunOnTheSharesOfRuns) {
    uint32_t n = 150;
    std::vector<pkin_edge> edges = planted_edges(10, 15, 0.4, 0.06, 31), agreed;
    TestGraph graph(n, edges);
    for (uint32_t n_runs : {2u, 5u, 8u}) {
        pkin_leiden_options options = options_of(PKIN_LEIDEN_CPM, 0.1, 3);
        options.n_iterations = 1;
        std::vector<std::vector<uint32_t>> runs;
        for (uint32_t r = 0; r < n_runs; r++) runs.push_back(run(graph, options, r));
        agreed.clear();
        size_t n_unsure = 0;
        for (const pkin_edge &edge : edges) {
            uint32_t n_together = 0;
            for (const auto &clusters : runs) n_together += clusters[edge.a] == clusters[edge.b];
            n_unsure += n_together > 0 && n_together < n_runs;
            double share = static_cast<double>(n_together) / n_runs;
            if (share >= 0.5) agreed.push_back({edge.a, edge.b, edge.weight * share});
        }
        EXPECT_GT(n_unsure, 20u) << "otherwise this shows little";
        options.n_iterations = 2;
        std::vector<uint32_t> expected = run(TestGraph(n, agreed), options, n_runs);
        options.n_iterations = 1;
        options.n_runs = n_runs;
        TestPartition found;
        ASSERT_EQ(pkin_leiden(graph, &options, found.place()), PKIN_OK);
        EXPECT_EQ(found.clusters(), expected) << n_runs << " runs";
    }
}
