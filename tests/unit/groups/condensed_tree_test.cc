/* SPDX-License-Identifier: Apache-2.0 */
/* Condensed trees of linkages made by hand, and attaching outliers. */
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "groups/attach.h"
#include "groups/condensed_tree.h"
#include "groups/partition.h"
#include "support/allocation_failures.h"

namespace {

/* A linkage given by its merges: two nodes and a distance each. */
struct Linkage : pkin_i_linkage {
    std::vector<uint64_t> up, below;
    std::vector<double> at;
    struct Merge {
        uint64_t a, b;
        double distance;
    };
    Linkage(uint64_t n, const std::vector<Merge> &merges) : pkin_i_linkage{} {
        up.assign(n + merges.size(), PKIN_I_NO_PARENT);
        below.assign(n, 1);
        at.assign(n, -1);
        for (const Merge &merge : merges) {
            up[merge.a] = up[merge.b] = below.size();
            below.push_back(below[merge.a] + below[merge.b]);
            at.push_back(merge.distance);
        }
        n_points = n;
        n_nodes = below.size();
        parents = up.data();
        sizes = below.data();
        distances = at.data();
    }
};

struct Condensed : pkin_i_condensed {
    Condensed(const Linkage &linkage, uint64_t least) : pkin_i_condensed{} {
        EXPECT_EQ(pkin_i_condensed_make(&linkage, least, this), PKIN_OK);
    }
    ~Condensed() {
        pkin_i_condensed_free(this);
    }
    Condensed(const Condensed &) = delete;
    Condensed &operator=(const Condensed &) = delete;
    std::vector<uint8_t> choose(uint64_t max_size, int leaves) const {
        std::vector<uint8_t> chosen(n_clusters, 9);
        EXPECT_EQ(pkin_i_condensed_choose(this, max_size, leaves, chosen.data()), PKIN_OK);
        return chosen;
    }
};

/* Two pairs at 1/8 and 1/4 that meet at 1/2, and a point that comes at 1. */
Linkage two_pairs() {
    return Linkage(5, {{0, 1, 0.125}, {2, 3, 0.25}, {5, 6, 0.5}, {7, 4, 1}});
}

TEST(CondensedTree, SplitsWhereBothPartsAreLarge) {
    Linkage linkage = two_pairs();
    Condensed tree(linkage, 2);
    ASSERT_EQ(tree.n_clusters, 3u);
    EXPECT_EQ(tree.clusters[0].birth, 0);
    EXPECT_EQ(tree.clusters[0].death, 2);
    EXPECT_EQ(tree.clusters[0].stability, 1 * 1 + 2 * 4); /* point 4 at lambda 1, the pairs at 2 */
    const uint32_t first = tree.last_clusters[0], second = tree.last_clusters[2];
    EXPECT_EQ(first + second, 3u);
    EXPECT_EQ(tree.last_clusters[1], first);
    EXPECT_EQ(tree.last_clusters[4], 0u);
    EXPECT_EQ(tree.leave_lambdas[4], 1);
    EXPECT_EQ(tree.clusters[first].birth, 2);
    EXPECT_EQ(tree.clusters[first].death, 8);
    EXPECT_EQ(tree.clusters[first].stability, 12);
    EXPECT_EQ(tree.clusters[second].stability, 4);
    EXPECT_EQ(tree.clusters[second].size, 2u);
}

TEST(CondensedTree, SmallPartsOnlyLeave) {
    Linkage linkage = two_pairs();
    Condensed tree(linkage, 3);
    ASSERT_EQ(tree.n_clusters, 1u);
    EXPECT_EQ(tree.clusters[0].stability, 1 * 1 + 4 * 2);
    for (int v = 0; v < 4; v++) EXPECT_EQ(tree.leave_lambdas[v], 2);
}

/* Three pairs that meet at one distance, whatever the order of merges, are one split in three. */
TEST(CondensedTree, MergesAtOneDistanceAreOneSplit) {
    Linkage linkage(6, {{0, 1, 0.125}, {2, 3, 0.125}, {4, 5, 0.125}, {6, 7, 0.5}, {9, 8, 0.5}});
    Condensed tree(linkage, 2);
    ASSERT_EQ(tree.n_clusters, 4u);
    for (uint32_t c = 1; c < 4; c++) {
        EXPECT_EQ(tree.clusters[c].parent, 0u);
        EXPECT_EQ(tree.clusters[c].birth, 2);
    }
    EXPECT_EQ(tree.clusters[0].stability, 12);
}

/* A pair of pairs at 1/4, alone against a point at 1/2 and another pair at 1. */
Linkage nested(double inner) {
    return Linkage(6, {{0, 1, inner}, {2, 3, inner}, {4, 5, 0.25}, {6, 7, 0.5}, {8, 9, 1}});
}

TEST(CondensedTree, ChoosesTheMoreStable) {
    /* The four points live from lambda 1 to 2: 4. Each pair below them from 2 on. */
    Linkage lasting = nested(0.125), equal = nested(1 / 3.0), short_lived = nested(0.4);
    Condensed a(lasting, 2), b(equal, 2), c(short_lived, 2);
    ASSERT_EQ(a.n_clusters, 5u);
    const uint32_t four = a.clusters[a.last_clusters[0]].parent, pair = a.last_clusters[0], other = a.last_clusters[4];
    EXPECT_EQ(a.clusters[four].size, 4u);
    std::vector<uint8_t> below(5, 1), above(5, 0);
    below[0] = below[four] = 0;
    above[four] = above[other] = 1;
    EXPECT_EQ(a.choose(6, 0), below);
    EXPECT_EQ(b.clusters[four].stability, b.clusters[pair].stability * 2); /* equal: the larger cluster */
    EXPECT_EQ(b.choose(6, 0), above);
    EXPECT_EQ(c.choose(6, 0), above);
    EXPECT_EQ(c.choose(6, 1), below);
    EXPECT_EQ(c.choose(3, 0), below); /* four are too many */
    EXPECT_EQ(c.choose(1, 0), std::vector<uint8_t>(5, 0));
    EXPECT_EQ(c.choose(1, 1), std::vector<uint8_t>(5, 0));
}

TEST(CondensedTree, LeavesNothingBehindOnFailure) {
    Linkage linkage = nested(0.125);
    expect_clean_failures([&] {
        pkin_i_condensed tree;
        uint8_t chosen[5];
        pkin_status status = pkin_i_condensed_make(&linkage, 2, &tree);
        if (status == PKIN_OK) status = pkin_i_condensed_choose(&tree, 6, 0, chosen);
        pkin_i_condensed_free(&tree);
        return status;
    });
}

/* ---- Outliers ---- */

struct Attachment {
    pkin_graph *graph = nullptr;
    pkin_partition partition = {};
    Attachment(uint64_t n, const std::vector<pkin_edge> &edges, const std::vector<uint32_t> &labels) {
        EXPECT_EQ(pkin_graph_from_edges(n, edges.data(), edges.size(), nullptr, &graph), PKIN_OK);
        EXPECT_EQ(pkin_i_partition_make(labels.data(), n, 0, &partition), PKIN_OK);
        partition.quality = 7;
    }
    ~Attachment() {
        pkin_graph_free(graph);
        pkin_partition_free(&partition);
    }
    Attachment(const Attachment &) = delete;
    Attachment &operator=(const Attachment &) = delete;
    std::vector<uint32_t> attach(double min_weight) {
        EXPECT_EQ(pkin_i_attach_outliers(graph, &partition, min_weight), PKIN_OK);
        return std::vector<uint32_t>(partition.clusters, partition.clusters + partition.n_nodes);
    }
};

const uint32_t NONE = PKIN_NO_CLUSTER;

TEST(Attach, TheStrongestNeighbourTakesItAlong) {
    /* 0, 1, 2 are cluster 0, 3 and 4 cluster 1; 5 hangs at both, 6 at 5, 7 at 6 too weakly, 8 at nothing. */
    const std::vector<pkin_edge> edges = {{0, 1, .9}, {1, 2, .9},  {3, 4, .9}, {0, 5, .3},
                                          {3, 5, .4}, {5, 6, .35}, {6, 7, .1}};
    Attachment attachment(9, edges, {0, 0, 0, 1, 1, NONE, NONE, NONE, NONE});
    /* Afterwards the pair has four nodes and is the first. */
    EXPECT_EQ(attachment.attach(.2), (std::vector<uint32_t>{1, 1, 1, 0, 0, 0, 0, NONE, NONE}));
    EXPECT_EQ(attachment.partition.n_clusters, 2u);
    EXPECT_EQ(attachment.partition.quality, 7);
    EXPECT_EQ(attachment.attach(.2), (std::vector<uint32_t>{1, 1, 1, 0, 0, 0, 0, NONE, NONE}));
}

TEST(Attach, TiesGoToTheLowerNode) {
    Attachment attachment(5, {{0, 1, .9}, {2, 3, .9}, {4, 3, .5}, {4, 1, .5}}, {0, 0, 1, 1, NONE});
    const std::vector<uint32_t> found = attachment.attach(0);
    EXPECT_EQ(found[4], found[1]);
    EXPECT_NE(found[4], found[3]);
}

/* Rounds as they are told, every outlier looked at in each. */
std::vector<uint32_t> attach_plainly(const pkin_graph *graph, std::vector<uint32_t> labels, double min_weight) {
    const pkin_graph_view view = pkin_graph_look(graph);
    for (bool changed = true; changed;) {
        std::vector<uint32_t> next = labels;
        changed = false;
        for (uint64_t v = 0; v < view.n_nodes; v++) {
            double best = 0;
            if (labels[v] != NONE) continue;
            for (uint64_t at = view.offsets[v]; at < view.offsets[v + 1]; at++) {
                const uint32_t label = labels[view.targets[at]];
                if (label == NONE || view.weights[at] < min_weight || view.weights[at] <= best) continue;
                best = view.weights[at];
                next[v] = label;
                changed = true;
            }
        }
        labels = next;
    }
    return labels;
}

TEST(Attach, IsWhatTheRoundsSay) {
    for (uint32_t seed = 0; seed < 30; seed++) {
        std::mt19937 random(seed);
        const uint32_t n = 80;
        std::vector<pkin_edge> edges;
        for (int e = 0; e < 120; e++) {
            const uint32_t a = random() % n, b = random() % n;
            if (a != b) edges.push_back({a, b, (1 + random() % 8) / 8.0});
        }
        std::vector<uint32_t> labels(n, NONE);
        for (uint32_t c = 0; c < 8; c++) labels[random() % n] = c;
        Attachment attachment(n, edges, labels);
        std::vector<uint32_t> expected = attach_plainly(attachment.graph, labels, 0.3), found = attachment.attach(0.3);
        int n_attached = 0;
        for (uint32_t a = 0; a < n; a++) {
            ASSERT_EQ(found[a] == NONE, expected[a] == NONE);
            n_attached += found[a] != NONE && labels[a] == NONE;
            for (uint32_t b = 0; b < a; b++) ASSERT_EQ(found[a] == found[b], expected[a] == expected[b]);
        }
        EXPECT_GT(n_attached, 10);
    }
}

TEST(Attach, FailuresLeaveThePartitionAsItWas) {
    Attachment attachment(4, {{0, 1, .9}, {1, 2, .5}}, {0, 0, NONE, NONE});
    FailingMemory memory;
    for (memory.fail_at = 0; memory.fail_at < 5; memory.fail_at++) {
        memory.n_requests = 0;
        pkin_allocator hooks = {FailingMemory::allocate, FailingMemory::reallocate, FailingMemory::release, &memory};
        pkin_set_allocator(&hooks);
        EXPECT_EQ(pkin_i_attach_outliers(attachment.graph, &attachment.partition, 0), PKIN_ERROR_OUT_OF_MEMORY);
        pkin_set_allocator(nullptr);
        EXPECT_EQ(memory.n_held, 0);
        EXPECT_EQ(attachment.partition.clusters[2], NONE);
    }
    EXPECT_EQ(attachment.attach(0), (std::vector<uint32_t>{0, 0, 0, NONE}));
}

} // namespace
