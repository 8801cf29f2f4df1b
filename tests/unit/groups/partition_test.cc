/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/partition.h"

#include "base/memory.h"
#include "support/allocation_failures.h"
#include "test_graph.h"

static TestPartition make(const std::vector<uint32_t> &labels, uint64_t min_size) {
    TestPartition made;
    EXPECT_EQ(pkin_i_partition_make(labels.data(), labels.size(), min_size, made.place()), PKIN_OK);
    return made;
}

static const uint32_t none = PKIN_NO_CLUSTER;

TEST(Partition, NumbersTheLargestFirstThenByLeastNode) {
    TestPartition made = make({5, 3, 3, 0, 5, none, 3, 4}, 1);
    EXPECT_EQ(made.clusters(), (std::vector<uint32_t>{1, 0, 0, 2, 1, none, 0, 3}));
    EXPECT_EQ(made->n_clusters, 4u);
    EXPECT_EQ(made->n_nodes, 8u);
}

TEST(Partition, LeavesSmallClustersOut) {
    TestPartition made = make({5, 3, 3, 0, 5, none, 3, 4}, 2);
    EXPECT_EQ(made.clusters(), (std::vector<uint32_t>{1, 0, 0, none, 1, none, 0, none}));
    EXPECT_EQ(made->n_clusters, 2u);
}

TEST(Partition, OfNothing) {
    EXPECT_EQ(make({}, 1)->n_clusters, 0u);
    EXPECT_EQ(make({none, none}, 1)->n_clusters, 0u);
}

TEST(Partition, NumbersAnyLabelsAlike) {
    std::mt19937_64 random(3);
    for (int round = 0; round < 50; round++) {
        uint32_t n = 1 + static_cast<uint32_t>(random() % 60);
        std::vector<uint32_t> labels(n), renamed(n), names(n);
        std::iota(names.begin(), names.end(), 0u);
        std::shuffle(names.begin(), names.end(), random);
        for (uint32_t v = 0; v < n; v++) {
            labels[v] = static_cast<uint32_t>(random() % (1 + n / 3));
            renamed[v] = names[labels[v]];
        }
        TestPartition made = make(labels, 1);
        expect_numbered(made.clusters(), made->n_clusters);
        EXPECT_TRUE(same_parting(made.clusters(), labels));
        EXPECT_EQ(made.clusters(), make(renamed, 1).clusters());
        TestPartition at_once = make(labels, 3);
        pkin_i_partition_dissolve(made.place(), 3);
        EXPECT_EQ(made.clusters(), at_once.clusters());
        EXPECT_EQ(made->n_clusters, at_once->n_clusters);
    }
}

TEST(Partition, DissolvesAllOrNothing) {
    TestPartition made = make({0, 0, 1, 1}, 1);
    pkin_i_partition_dissolve(made.place(), 2);
    EXPECT_EQ(made->n_clusters, 2u);
    pkin_i_partition_dissolve(made.place(), 3);
    EXPECT_EQ(made->n_clusters, 0u);
    EXPECT_EQ(made.clusters(), (std::vector<uint32_t>(4, none)));
}

TEST(Partition, ListsMembers) {
    TestPartition made = make({5, 3, 3, 0, 5, none, 3, 4}, 1);
    uint64_t *offsets;
    uint32_t *members;
    ASSERT_EQ(pkin_i_partition_members(made, &offsets, &members), PKIN_OK);
    EXPECT_EQ(std::vector<uint64_t>(offsets, offsets + 5), (std::vector<uint64_t>{0, 3, 5, 6, 7}));
    EXPECT_EQ(std::vector<uint32_t>(members, members + 7), (std::vector<uint32_t>{1, 2, 6, 0, 4, 3, 7}));
    pkin_i_free(offsets);
    pkin_i_free(members);
}

TEST(Partition, ChecksNumbers) {
    TestPartition wrong(std::vector<uint32_t>{0, 1, 1});
    EXPECT_EQ(pkin_i_partition_check(wrong, 3), PKIN_OK);
    EXPECT_EQ(pkin_i_partition_check(wrong, 4), PKIN_ERROR_INVALID_ARGUMENT);
    wrong->n_clusters = 1;
    EXPECT_EQ(pkin_i_partition_check(wrong, 3), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_i_partition_check(nullptr, 3), PKIN_ERROR_INVALID_ARGUMENT);
}

TEST(Partition, FailsCleanlyWithoutMemory) {
    std::vector<uint32_t> labels = {1, 1, 0};
    expect_clean_failures([&] {
        pkin_partition made;
        pkin_status status = pkin_i_partition_make(labels.data(), labels.size(), 1, &made);
        uint64_t *offsets = nullptr;
        uint32_t *members = nullptr;
        if (status == PKIN_OK) status = pkin_i_partition_members(&made, &offsets, &members);
        pkin_i_free(offsets);
        pkin_i_free(members);
        pkin_partition_free(&made);
        return status;
    });
}
