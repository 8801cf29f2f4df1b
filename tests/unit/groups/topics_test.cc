/* SPDX-License-Identifier: Apache-2.0 */
/* Fields and threads as a whole: what was planted is found, the levels nest, and the same bits come out every time. */
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "graph_support.h"
#include "paperkin/generate.h"
#include "support/allocation_failures.h"
#include "support/similarity_oracle.h"
#include "test_graph.h"
#include "test_paper.h"

namespace {

const uint32_t NONE = PKIN_NO_CLUSTER;
const pkin_cluster_method METHODS[] = {PKIN_CLUSTER_LEIDEN, PKIN_CLUSTER_COMPONENTS, PKIN_CLUSTER_DENSITY,
                                       PKIN_CLUSTER_KMEANS};

/* Row r is about topic r % n_topics, in words of its own and of everybody's. */
TestMatrix planted(uint32_t n_topics, uint32_t size, uint32_t seed) {
    std::mt19937 random(seed);
    TestMatrix made;
    made.n_columns = 10 * n_topics + 200;
    for (uint32_t r = 0; r < n_topics * size; r++) {
        std::map<uint32_t, double> row;
        for (int t = 0; t < 7; t++) row[10 * (r % n_topics) + random() % 10] = 0.5 + (random() % 1000) / 1000.0;
        for (int t = 0; t < 6; t++) row[10 * n_topics + random() % 200] = 0.2 + (random() % 1000) / 2000.0;
        made.rows.emplace_back(row.begin(), row.end());
    }
    return made;
}

/* Rows that share nothing but chance words of everybody's. */
TestMatrix strangers(uint32_t n_rows, uint32_t seed) {
    std::mt19937 random(seed);
    TestMatrix made;
    made.n_columns = 10 * n_rows + 100;
    for (uint32_t r = 0; r < n_rows; r++) {
        std::map<uint32_t, double> row;
        for (uint32_t t = 0; t < 10; t++) row[10 * r + t] = 1;
        for (int t = 0; t < 5; t++) row[10 * n_rows + random() % 100] = 0.3;
        made.rows.emplace_back(row.begin(), row.end());
    }
    return made;
}

struct GeneratedVectors {
    pkin_vectors *vectors = nullptr;
    GeneratedVectors(uint64_t n_rows, uint32_t n_topics) {
        pkin_generate_options options = pkin_generate_options_default();
        options.n_rows = n_rows;
        options.n_topics = n_topics;
        options.seed = 3;
        EXPECT_EQ(pkin_vectors_generate(&options, &vectors), PKIN_OK) << pkin_last_error();
    }
    ~GeneratedVectors() {
        pkin_vectors_free(vectors);
    }
    GeneratedVectors(const GeneratedVectors &) = delete;
    GeneratedVectors &operator=(const GeneratedVectors &) = delete;
};

pkin_topics_options with(pkin_cluster_method method, uint32_t n_clusters = 0) {
    pkin_topics_options options = pkin_topics_options_default();
    options.method = method;
    options.n_clusters = n_clusters;
    return options;
}

/* Owned, and checked for all that every result promises. */
struct Topics : pkin_topics {
    Topics(const pkin_vectors *vectors, const pkin_topics_options &options, const pkin_neighbor_lists *lists = nullptr,
           const pkin_paper *const *papers = nullptr)
        : pkin_topics{} {
        EXPECT_EQ(pkin_topics_find(vectors, lists, papers, nullptr, &options, this), PKIN_OK) << pkin_last_error();
        check(options.min_size);
        EXPECT_EQ(threads.n_nodes, pkin_vectors_n_rows(vectors));
    }
    Topics(const pkin_graph *given, const pkin_topics_options &options) : pkin_topics{} {
        EXPECT_EQ(pkin_topics_of_graph(given, &options, this), PKIN_OK) << pkin_last_error();
        check(options.min_size);
        EXPECT_EQ(threads.n_nodes, pkin_graph_n_nodes(given));
    }
    ~Topics() {
        pkin_topics_free(this);
    }
    Topics(const Topics &) = delete;
    Topics &operator=(const Topics &) = delete;

    std::vector<uint32_t> labels() const {
        return std::vector<uint32_t>(threads.clusters, threads.clusters + threads.n_nodes);
    }
    std::vector<uint32_t> fields_of_papers() const {
        return std::vector<uint32_t>(paper_fields.clusters, paper_fields.clusters + paper_fields.n_nodes);
    }
    /* Everything that could differ between two runs. */
    bool operator==(const Topics &other) const {
        return labels() == other.labels() && fields_of_papers() == other.fields_of_papers() &&
               std::vector<uint32_t>(fields.clusters, fields.clusters + fields.n_nodes) ==
                   std::vector<uint32_t>(other.fields.clusters, other.fields.clusters + other.fields.n_nodes) &&
               resolution == other.resolution && threads.quality == other.threads.quality &&
               edges_of(graph) == edges_of(other.graph);
    }

  private:
    /* Numbered by size, then by the least node, nothing below min_size; returns sizes. */
    static std::vector<uint64_t> check_numbers(const pkin_partition &partition, uint64_t min_size) {
        std::vector<uint64_t> sizes(partition.n_clusters), first(partition.n_clusters, UINT64_MAX);
        for (uint64_t v = partition.n_nodes; v-- > 0;) {
            uint32_t cluster = partition.clusters[v];
            if (cluster == NONE) continue;
            EXPECT_LT(cluster, partition.n_clusters);
            sizes[cluster]++;
            first[cluster] = v;
        }
        for (uint32_t c = 0; c < partition.n_clusters; c++) {
            EXPECT_GE(sizes[c], min_size);
            if (c == 0) continue;
            EXPECT_TRUE(sizes[c - 1] > sizes[c] || (sizes[c - 1] == sizes[c] && first[c - 1] < first[c])) << c;
        }
        return sizes;
    }
    void check(uint64_t min_size) const {
        ASSERT_EQ(pkin_graph_n_nodes(graph), threads.n_nodes);
        ASSERT_EQ(paper_fields.n_nodes, threads.n_nodes);
        ASSERT_EQ(fields.n_nodes, threads.n_clusters);
        ASSERT_EQ(fields.n_clusters, paper_fields.n_clusters);
        check_numbers(threads, min_size);
        check_numbers(paper_fields, 1);
        std::set<uint32_t> with_thread;
        for (uint64_t v = 0; v < threads.n_nodes; v++) {
            if (threads.clusters[v] == NONE) continue;
            ASSERT_EQ(paper_fields.clusters[v], fields.clusters[threads.clusters[v]]) << v;
            if (paper_fields.clusters[v] != NONE) with_thread.insert(paper_fields.clusters[v]);
        }
        EXPECT_EQ(with_thread.size(), paper_fields.n_clusters); /* a field has threads */
    }
};

uint64_t largest(const pkin_partition &partition) {
    uint64_t n = 0;
    for (uint64_t v = 0; v < partition.n_nodes; v++) n += partition.clusters[v] == 0;
    return n;
}

uint64_t outliers(const pkin_partition &partition) {
    uint64_t n = 0;
    for (uint64_t v = 0; v < partition.n_nodes; v++) n += partition.clusters[v] == NONE;
    return n;
}

/* Of the pairs of rows in one thread, the share with one topic; and of the pairs of one topic, the share in one thread.
 */
std::pair<double, double> precision_and_recall(const pkin_partition &threads, uint32_t n_topics) {
    uint64_t both = 0, in_thread = 0, of_topic = 0;
    for (uint64_t a = 0; a < threads.n_nodes; a++) {
        for (uint64_t b = a + 1; b < threads.n_nodes; b++) {
            bool same_thread = threads.clusters[a] != NONE && threads.clusters[a] == threads.clusters[b];
            bool same_topic = a % n_topics == b % n_topics;
            in_thread += same_thread;
            of_topic += same_topic;
            both += same_thread && same_topic;
        }
    }
    return {in_thread ? (double)both / (double)in_thread : 0, (double)both / (double)of_topic};
}

std::string failure(const pkin_vectors *vectors, const pkin_topics_options *options,
                    const pkin_neighbor_lists *lists = nullptr) {
    pkin_topics topics;
    EXPECT_EQ(pkin_topics_find(vectors, lists, nullptr, nullptr, options, &topics), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(topics.graph, nullptr);
    EXPECT_EQ(topics.threads.clusters, nullptr);
    return pkin_last_error();
}

TEST(Topics, PlantedTopicsAreFoundByEveryMethod) {
    TestVectors rows(planted(15, 20, 1));
    for (pkin_cluster_method method : METHODS) {
        pkin_topics_options options = with(method, method == PKIN_CLUSTER_KMEANS ? 15 : 0);
        if (method == PKIN_CLUSTER_KMEANS) options.n_runs = 10; /* the best of so many starts */
        Topics topics(rows.vectors, options);
        auto found = precision_and_recall(topics.threads, 15);
        EXPECT_GT(found.first, 0.9) << method;
        EXPECT_GT(found.second, method == PKIN_CLUSTER_KMEANS ? 0.7 : 0.85) << method;
        EXPECT_GT(topics.fields.n_clusters, 0u) << method;
    }
}

TEST(Topics, TheSameBitsForEveryNumberOfThreads) {
    TestVectors rows(planted(8, 15, 2));
    for (pkin_cluster_method method : METHODS) {
        pkin_topics_options options = with(method, method == PKIN_CLUSTER_KMEANS ? 8 : 0);
        options.n_threads = 1;
        Topics one(rows.vectors, options);
        EXPECT_GT(one.threads.n_clusters, 1u) << method;
        for (int n_threads : {1, 2, 4}) {
            options.n_threads = n_threads;
            EXPECT_TRUE(one == Topics(rows.vectors, options)) << method << ", threads " << n_threads;
        }
    }
}

/* Rows where seeds matter: whatever depended on the number of threads would show. */
TEST(Topics, TheSameBitsWhereTopicsAreBlurred) {
    GeneratedVectors rows(800, 40);
    pkin_topics_options options = pkin_topics_options_default();
    options.n_threads = 1;
    Topics one(rows.vectors, options);
    options.n_threads = 3;
    EXPECT_TRUE(one == Topics(rows.vectors, options));
    options.seed = 1;
    EXPECT_FALSE(one == Topics(rows.vectors, options));
}

TEST(Topics, FieldsOfThreadsAreNoGiants) {
    GeneratedVectors rows(1500, 60);
    pkin_topics_options options = pkin_topics_options_default();
    options.objective = PKIN_LEIDEN_MODULARITY;
    options.n_runs = 2;
    EXPECT_LE(largest(Topics(rows.vectors, options).paper_fields), 150u);
    options.field_resolution = 1;
    EXPECT_GT(largest(Topics(rows.vectors, options).paper_fields), 150u); /* what was asked for is left as it is */
}

TEST(Topics, NoGiantsAmongGeneratedPapers) {
    GeneratedVectors rows(3000, 100);
    Topics topics(rows.vectors, pkin_topics_options_default());
    EXPECT_LE(largest(topics.threads), 300u);
    EXPECT_LE(largest(topics.paper_fields), 300u);
    EXPECT_LE(outliers(topics.threads), 1050u);
    EXPECT_GE(topics.threads.n_clusters, 50u);
    EXPECT_GE(topics.fields.n_clusters, 10u);
    EXPECT_LE(topics.fields.n_clusters, topics.threads.n_clusters);
    EXPECT_EQ(topics.resolution, 0.07);
}

/* Three topics: each would be a field of a third of the papers, were fields not made denser. */
TEST(Topics, LargeTopicsAreCutUp) {
    GeneratedVectors rows(2400, 3);
    pkin_topics_options options = pkin_topics_options_default();
    options.n_runs = 2;
    EXPECT_LE(largest(Topics(rows.vectors, options).paper_fields), 240u);
    options.field_resolution = 30 / 2400.0;
    EXPECT_GT(largest(Topics(rows.vectors, options).paper_fields), 240u); /* what was asked for is left as it is */
}

TEST(Topics, AHandfulOfStrangersMakesNoThread) {
    for (uint32_t n : {5u, 10u, 30u, 60u}) {
        TestVectors rows(strangers(n, n));
        for (pkin_cluster_method method : {PKIN_CLUSTER_LEIDEN, PKIN_CLUSTER_COMPONENTS, PKIN_CLUSTER_DENSITY}) {
            Topics topics(rows.vectors, with(method));
            EXPECT_EQ(topics.threads.n_clusters, 0u) << n << " rows, the largest thread " << largest(topics.threads);
        }
    }
}

TEST(Topics, WhoeverAsksForStrangersGetsThem) {
    TestVectors rows(strangers(60, 60));
    pkin_topics_options options = pkin_topics_options_default();
    options.graph.floor = 1e-9;
    EXPECT_GT(Topics(rows.vectors, options).threads.n_clusters, 2u);
}

TEST(Topics, FewPapers) {
    TestVectors rows(planted(3, 10, 4)); /* 30 rows: three threads */
    Topics topics(rows.vectors, pkin_topics_options_default());
    EXPECT_EQ(topics.threads.n_clusters, 3u);
    EXPECT_EQ(precision_and_recall(topics.threads, 3).first, 1.0);
    TestVectors few(planted(1, 5, 4));
    EXPECT_EQ(Topics(few.vectors, pkin_topics_options_default()).threads.n_clusters, 1u);
    TestVectors fewer(planted(1, 4, 4));
    EXPECT_EQ(Topics(fewer.vectors, pkin_topics_options_default()).threads.n_clusters, 0u);
}

TEST(Topics, NothingOneAndEqualRows) {
    TestMatrix none, one, equal;
    none.n_columns = one.n_columns = equal.n_columns = 4;
    one.rows = {{{1, 1.0}}};
    equal.rows.assign(10, {{1, 1.0}, {2, 0.5}});
    for (pkin_cluster_method method : METHODS) {
        pkin_topics_options options = with(method, method == PKIN_CLUSTER_KMEANS ? 1 : 0);
        TestVectors rows_none(none), rows_one(one), rows_equal(equal);
        EXPECT_EQ(Topics(rows_none.vectors, options).threads.n_clusters, 0u) << method;
        EXPECT_EQ(Topics(rows_one.vectors, options).labels(), std::vector<uint32_t>{NONE}) << method;
        if (method == PKIN_CLUSTER_DENSITY) continue; /* which never takes all that is dense for one cluster */
        EXPECT_GE(Topics(rows_equal.vectors, options).threads.n_clusters, 1u) << method;
    }
}

TEST(Topics, EmptyRowsAreOutliers) {
    TestMatrix matrix = planted(4, 10, 5);
    for (size_t r = 0; r < matrix.rows.size(); r += 7) matrix.rows[r].clear();
    TestVectors rows(matrix);
    for (pkin_cluster_method method : METHODS) {
        Topics topics(rows.vectors, with(method, method == PKIN_CLUSTER_KMEANS ? 4 : 0));
        EXPECT_GT(topics.threads.n_clusters, 0u) << method;
        for (size_t r = 0; r < matrix.rows.size(); r += 7) EXPECT_EQ(topics.threads.clusters[r], NONE) << method;
    }
}

TEST(Topics, SmallThreadsAreDissolved) {
    TestVectors rows(planted(6, 12, 6));
    for (pkin_cluster_method method : METHODS) {
        pkin_topics_options options = with(method, method == PKIN_CLUSTER_KMEANS ? 6 : 0);
        options.min_size = 12;
        Topics some(rows.vectors, options); /* the sizes are checked as it is made */
        options.min_size = 60;
        Topics none(rows.vectors, options);
        EXPECT_EQ(none.threads.n_clusters, 0u) << method;
        EXPECT_EQ(outliers(none.threads), 72u) << method;
        options.min_size = 1;
        EXPECT_GE(Topics(rows.vectors, options).threads.n_clusters, some.threads.n_clusters) << method;
    }
}

TEST(Topics, AboutAsManyAsAskedFor) {
    TestVectors rows(planted(20, 15, 7));
    for (pkin_leiden_objective objective : {PKIN_LEIDEN_CPM, PKIN_LEIDEN_MODULARITY}) {
        for (uint32_t wanted : {10u, 20u}) {
            pkin_topics_options options = with(PKIN_CLUSTER_LEIDEN, wanted);
            options.objective = objective;
            options.n_runs = 2;
            Topics topics(rows.vectors, options);
            EXPECT_NEAR(topics.threads.n_clusters, wanted, 3) << objective;
            EXPECT_GT(topics.resolution, 0) << objective;
        }
    }
    EXPECT_EQ(Topics(rows.vectors, with(PKIN_CLUSTER_KMEANS, 20)).threads.n_clusters, 20u);
}

TEST(Topics, ResolutionsAreUsed) {
    TestVectors rows(planted(20, 15, 8));
    pkin_topics_options options = pkin_topics_options_default();
    options.min_size = 1;
    options.resolution = 0.05;
    Topics coarse(rows.vectors, options);
    options.resolution = 0.9;
    Topics fine(rows.vectors, options);
    EXPECT_EQ(coarse.resolution, 0.05);
    EXPECT_GT(fine.threads.n_clusters, 2 * coarse.threads.n_clusters);
    options = pkin_topics_options_default();
    options.field_resolution = 1e-6;
    Topics one_field(rows.vectors, options);
    options.field_resolution = 0.05;
    Topics many_fields(rows.vectors, options);
    EXPECT_LT(one_field.fields.n_clusters, many_fields.fields.n_clusters);
    EXPECT_EQ(many_fields.fields.n_clusters, 20u);
    options = pkin_topics_options_default();
    options.resolution = 0.65;
    Topics pieces(rows.vectors, options); /* fields without a thread are none, which is checked as it is made */
    EXPECT_GT(pieces.threads.n_clusters, 0u);
    EXPECT_LT(pieces.fields.n_clusters, 20u);
}

TEST(Topics, ListsGivenAreListsFound) {
    TestVectors rows(planted(8, 15, 9));
    for (int which = 0; which < 4; which++) {
        pkin_topics_options options = with(METHODS[which % 3]);
        if (which == 3) options.graph.floor = 0.3;
        pkin_similarity_options similarity = pkin_similarity_options_default();
        pkin_neighbor_lists lists = {};
        /* Longer than needed and without a floor: the first of each list count, where they are close enough. */
        ASSERT_EQ(pkin_similarity_top_k(rows.vectors, nullptr, 30, 0, &similarity, &lists), PKIN_OK);
        EXPECT_TRUE(Topics(rows.vectors, options) == Topics(rows.vectors, options, &lists)) << which;
        TestVectors others(planted(2, 3, 9));
        EXPECT_NE(failure(others.vectors, &options, &lists).find("120"), std::string::npos);
        pkin_neighbor_lists_free(&lists);
    }
}

TEST(Topics, TheGraphAgainGivesTheSameThreads) {
    TestVectors rows(planted(8, 15, 10));
    for (pkin_cluster_method method : {PKIN_CLUSTER_COMPONENTS, PKIN_CLUSTER_DENSITY}) {
        Topics direct(rows.vectors, with(method));
        EXPECT_TRUE(direct == Topics(direct.graph, with(method))) << method;
    }
    pkin_topics_options options = pkin_topics_options_default();
    options.objective = PKIN_LEIDEN_MODULARITY;
    Topics direct(rows.vectors, options);
    EXPECT_TRUE(direct == Topics(direct.graph, options));
    EXPECT_GT(direct.threads.n_clusters, 5u);
}

TEST(Topics, ImportedGraphsKeepNamesAndTakeAnyWeights) {
    std::vector<std::string> names;
    for (int v = 0; v < 60; v++) names.push_back("paper " + std::to_string(v));
    std::vector<pkin_edge> edges = planted_edges(5, 12, 0.9, 0.02, 1);
    for (pkin_edge &edge : edges) edge.weight *= 1000; /* the weights of an import are anybody's */
    GraphHandle graph = graph_of(60, edges, names);
    pkin_topics_options options = pkin_topics_options_default();
    options.objective = PKIN_LEIDEN_MODULARITY;
    options.resolution = 1;
    Topics topics(graph.get(), options);
    EXPECT_EQ(names_of(topics.graph), names);
    EXPECT_EQ(edges_of(topics.graph), edges_of(graph.get()));
    EXPECT_EQ(topics.threads.n_clusters, 5u);
    EXPECT_EQ(precision_and_recall(topics.threads, 5).first, 1.0);
    GraphHandle none = graph_of(0, {});
    EXPECT_EQ(Topics(none.get(), options).threads.n_clusters, 0u);
    pkin_topics out;
    pkin_topics_options kmeans = with(PKIN_CLUSTER_KMEANS, 3);
    EXPECT_EQ(pkin_topics_of_graph(graph.get(), &kmeans, &out), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_topics_of_graph(nullptr, &options, &out), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(out.graph, nullptr);
    EXPECT_EQ(pkin_topics_of_graph(graph.get(), &options, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
}

TEST(Topics, ComponentsKeepWhatHangsOnThem) {
    std::vector<pkin_edge> edges = {{0, 8, 0.45}, {3, 16, 0.4}, {16, 17, 0.1}};
    for (uint32_t first : {0u, 8u}) {
        for (uint32_t a = first; a < first + 8; a++) {
            for (uint32_t b = a + 1; b < first + 8; b++) edges.push_back({a, b, 0.9});
        }
    }
    Topics topics(graph_of(18, edges).get(), with(PKIN_CLUSTER_COMPONENTS));
    std::vector<uint32_t> expected(8, 0);
    expected.insert(expected.end(), 8, 1);
    expected.insert(expected.end(), {0, NONE}); /* too far below the edge that had to be cut */
    EXPECT_EQ(topics.labels(), expected);
    EXPECT_GT(topics.resolution, 0.45);
}

TEST(Topics, AuthorsAreDamped) {
    TestVectors rows(planted(2, 10, 11));
    std::vector<TestPaper> papers(20);
    std::vector<const pkin_paper *> views;
    /* Those of topic 0 are all by one author, the others each by their own. */
    for (size_t r = 0; r < 20; r++) {
        papers[r].authors = {r % 2 == 0 ? "Ada Quill" : std::string("Bo ") + (char)('A' + r) + std::string(6, 'a' + r)};
        views.push_back(papers[r].view());
    }
    pkin_topics_options options = pkin_topics_options_default();
    EXPECT_EQ(Topics(rows.vectors, options, nullptr, views.data()).threads.n_clusters, 2u);
    options.author_damping = 1;
    Topics damped(rows.vectors, options, nullptr, views.data());
    EXPECT_EQ(damped.threads.n_clusters, 1u);
    for (size_t r = 0; r < 20; r += 2) EXPECT_EQ(damped.threads.clusters[r], NONE) << r;
    EXPECT_EQ(Topics(rows.vectors, options).threads.n_clusters, 2u); /* without papers nothing is damped */
}

TEST(Topics, OptionsAreChecked) {
    TestVectors rows(planted(2, 5, 12));
    const pkin_topics_options good = pkin_topics_options_default();
    auto message = [&](auto change) {
        pkin_topics_options options = good;
        change(options);
        return failure(rows.vectors, &options);
    };
    EXPECT_NE(message([](auto &o) { o.method = (pkin_cluster_method)9; }).find("9"), std::string::npos);
    EXPECT_NE(message([](auto &o) { o.method = PKIN_CLUSTER_KMEANS; }).find("how many"), std::string::npos);
    EXPECT_NE(message([](auto &o) { o.resolution = -1; }).find("-1"), std::string::npos);
    EXPECT_NE(message([](auto &o) { o.resolution = INFINITY; }).find("inf"), std::string::npos);
    EXPECT_NE(message([](auto &o) { o.field_resolution = NAN; }).find("nan"), std::string::npos);
    EXPECT_NE(message([](auto &o) { o.author_damping = 1.5; }).find("1.5"), std::string::npos);
    EXPECT_NE(message([](auto &o) { o.graph.floor = 2; }), "");
    EXPECT_NE(message([](auto &o) { o.graph.least_weight = -0.5; }), "");
    EXPECT_NE(message([](auto &o) { o.size = 3; }), "");
    EXPECT_NE(failure(nullptr, &good), "");
    EXPECT_EQ(pkin_topics_find(rows.vectors, nullptr, nullptr, nullptr, &good, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
}

/* Asks to stop at the call of a given number. */
struct Stopper {
    long n_calls = 0, stop_at = -1;
    std::set<std::string> stages = {};

    static int step(void *user, const char *stage, uint64_t, uint64_t) {
        Stopper *stopper = static_cast<Stopper *>(user);
        stopper->stages.insert(stage);
        return stopper->n_calls++ == stopper->stop_at;
    }
};

TEST(Topics, CanBeCancelledAtEveryStep) {
    TestVectors rows(planted(4, 10, 13));
    for (pkin_cluster_method method : {PKIN_CLUSTER_LEIDEN, PKIN_CLUSTER_KMEANS}) {
        pkin_topics_options options = with(method, method == PKIN_CLUSTER_KMEANS ? 4 : 0);
        Stopper stopper;
        options.n_threads = 1;
        options.on_progress = Stopper::step;
        options.progress_user = &stopper;
        Topics whole(rows.vectors, options);
        const long n_calls = stopper.n_calls;
        EXPECT_GE(stopper.stages.size(), 2u) << method; /* neighbours, and clusters */
        for (long at = 0; at < n_calls; at++) {
            pkin_topics topics;
            stopper.n_calls = 0;
            stopper.stop_at = at;
            EXPECT_EQ(pkin_topics_find(rows.vectors, nullptr, nullptr, nullptr, &options, &topics),
                      PKIN_ERROR_CANCELLED)
                << method << ", call " << at;
            EXPECT_EQ(topics.graph, nullptr);
        }
    }
}

TEST(Topics, EveryAllocationMayFail) {
    TestVectors rows(planted(2, 6, 14));
    std::vector<TestPaper> papers(12);
    std::vector<const pkin_paper *> views;
    for (TestPaper &paper : papers) views.push_back(paper.view());
    for (pkin_cluster_method method : METHODS) {
        pkin_topics_options options = with(method, method == PKIN_CLUSTER_KMEANS ? 2 : 0);
        options.n_threads = 1;
        options.n_runs = 2;
        options.author_damping = method == PKIN_CLUSTER_DENSITY ? 0.5 : 0;
        expect_clean_failures([&] {
            pkin_topics topics;
            pkin_status status = pkin_topics_find(rows.vectors, nullptr, views.data(), nullptr, &options, &topics);
            if (status != PKIN_OK) {
                EXPECT_EQ(topics.graph, nullptr);
            }
            pkin_topics_free(&topics);
            return status;
        });
    }
    GraphHandle graph = graph_of(12, planted_edges(2, 6, 1, 0, 1), std::vector<std::string>(12, "a name"));
    pkin_topics_options options = with(PKIN_CLUSTER_COMPONENTS);
    options.n_threads = 1;
    expect_clean_failures([&] {
        pkin_topics topics;
        pkin_status status = pkin_topics_of_graph(graph.get(), &options, &topics);
        pkin_topics_free(&topics);
        return status;
    });
}

} // namespace
