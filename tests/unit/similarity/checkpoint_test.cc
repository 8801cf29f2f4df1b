/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "support/allocation_failures.h"
#include "support/similarity_oracle.h"
#include "support/temporary_folder.h"

extern "C" {
#include "similarity/checkpoint.h"
}

namespace {

/* Enough pairs of rows for several strips. */
const TestShape SHAPE = {1300, 60, 8, 0.02, 0.05};
const double THRESHOLD = 0.3;

/* A join with a checkpoint. */
struct CheckpointRun {
    pkin_similarity_options options = pkin_similarity_options_default();
    pkin_similarity_report report = pkin_similarity_report_default();
    std::vector<Scored> pairs;
    std::string folder;
    long n_calls = 0, cancel_at = -1; /* progress calls */
    double cancel_share = 2;          /* of all that is to do */
    bool exits = false;               /* the process ends instead of the call */
    std::vector<uint64_t> done;

    explicit CheckpointRun(const std::string &name, int n_threads = 2) : folder(name) {
        options.n_threads = n_threads;
        options.checkpoint_dir = folder.c_str();
        options.report = &report;
        options.on_progress = on_progress;
        options.progress_user = this;
    }
    CheckpointRun(const CheckpointRun &) = delete;

    static int on_progress(void *user, const char *, uint64_t n_done, uint64_t n_total) {
        CheckpointRun *run = static_cast<CheckpointRun *>(user);
        run->done.push_back(n_done);
        bool ends = run->n_calls++ == run->cancel_at ||
                    static_cast<double>(n_done) > run->cancel_share * static_cast<double>(n_total);
        if (ends && run->exits) _exit(9);
        return ends;
    }
    pkin_status join(const pkin_vectors *a, const pkin_vectors *b = nullptr, double threshold = THRESHOLD) {
        pkin_pair_list list;
        pkin_status status = pkin_similarity_join(a, b, threshold, &options, &list);
        pairs.clear();
        for (uint64_t p = 0; p < list.n_pairs; p++) {
            pairs.push_back({list.pairs[p].score, list.pairs[p].i, list.pairs[p].j});
        }
        EXPECT_TRUE(status == PKIN_OK || !list.pairs);
        pkin_pair_list_free(&list);
        return status;
    }
};

std::string strip_name(int s) {
    char name[32];
    std::snprintf(name, sizeof name, "strip-%06d.pairs", s);
    return name;
}

TEST(Checkpoint, KeepsAFinishedJoin) {
    TestVectors a(random_matrix(SHAPE, 1)), b(random_matrix({700, 60, 8, 0.1, 0.3}, 2));
    for (const pkin_vectors *other :
         {static_cast<const pkin_vectors *>(nullptr), static_cast<const pkin_vectors *>(b.vectors)}) {
        TemporaryFolder folder;
        CheckpointRun first(folder.str("made/if/absent")), again(folder.str("made/if/absent"), 1);
        std::vector<Scored> expected = oracle_join(a.vectors, other, pkin_score_from_threshold(THRESHOLD));
        ASSERT_EQ(first.join(a.vectors, other), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(first.pairs, expected);
        EXPECT_GE(first.report.n_strips, 3u);
        EXPECT_EQ(first.report.n_strips_resumed, 0u);
        ASSERT_EQ(again.join(a.vectors, other), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(again.pairs, expected);
        EXPECT_EQ(again.report.n_strips, first.report.n_strips);
        EXPECT_EQ(again.report.n_strips_resumed, first.report.n_strips);
        EXPECT_EQ(again.report.n_candidates, 0u);
        EXPECT_EQ(again.report.n_results, expected.size());
    }
}

TEST(Checkpoint, StripsAreAboutAsLongAsOneAnother) {
    TemporaryFolder folder;
    TestVectors v(random_matrix(SHAPE, 1));
    CheckpointRun run(folder.str());
    ASSERT_EQ(run.join(v.vectors), PKIN_OK);
    const pkin_i_checkpoint_key key = {};
    pkin_i_checkpoint *opened = nullptr;
    ASSERT_EQ(pkin_i_checkpoint_open(folder.str().c_str(), &key, &opened), PKIN_ERROR_INVALID_ARGUMENT);
    uint64_t n_strips = 0, at = 0, most = 0, least = UINT64_MAX;
    for (const std::string &name : folder.names()) {
        if (name.rfind("strip-", 0) != 0) continue;
        uint64_t header[5];
        std::string bytes = read_bytes(folder.str(name));
        ASSERT_GE(bytes.size(), sizeof header);
        std::memcpy(header, bytes.data(), sizeof header);
        ASSERT_EQ(header[2], at);
        at = header[3];
        uint64_t n_pairs = (at - header[2]) * (at + header[2] - 1) / 2;
        most = std::max(most, n_pairs);
        least = std::min(least, n_pairs);
        n_strips++;
    }
    EXPECT_EQ(n_strips, run.report.n_strips);
    EXPECT_EQ(at, run.report.n_rows_a);
    EXPECT_LT(most, least + least / 4);
}

TEST(Checkpoint, GoesOnAfterAnyCancellation) {
    TestVectors v(random_matrix(SHAPE, 3));
    std::vector<Scored> expected = oracle_join(v.vectors, nullptr, pkin_score_from_threshold(THRESHOLD));
    for (int n_threads : {1, 3}) {
        TemporaryFolder folder;
        int n_attempts = 0;
        uint64_t n_resumed = 0;
        for (;; n_attempts++) {
            CheckpointRun run(folder.str(), n_threads);
            run.cancel_at = 1 + 3 * n_attempts;
            pkin_status status = run.join(v.vectors);
            if (!run.done.empty()) {
                /* Progress begins with what is there already. */
                EXPECT_EQ(run.done[0] > 0, n_resumed > 0);
            }
            n_resumed = folder.names().size() - 2; /* without lock and manifest */
            if (status == PKIN_OK) {
                EXPECT_EQ(run.pairs, expected);
                break;
            }
            ASSERT_EQ(status, PKIN_ERROR_CANCELLED);
            ASSERT_LT(n_attempts, 2000);
        }
        EXPECT_GT(n_attempts, 0);
    }
}

TEST(Checkpoint, GoesOnAfterAKill) {
    TestVectors v(random_matrix(SHAPE, 4));
    TemporaryFolder folder;
    std::vector<Scored> expected = oracle_join(v.vectors, nullptr, pkin_score_from_threshold(THRESHOLD));
    for (int n_killed = 0; n_killed < 4; n_killed++) {
        pid_t child = fork();
        if (child == 0) {
            CheckpointRun run(folder.str(), 1);
            run.cancel_share = 0.2 * (n_killed + 1);
            run.exits = true;
            run.join(v.vectors);
            _exit(0);
        }
        int ended = 0;
        ASSERT_EQ(waitpid(child, &ended, 0), child);
        ASSERT_TRUE(WIFEXITED(ended));
    }
    write_bytes(folder.str(".strip-000002.pairs"), "half a str");
    write_bytes(folder.str(".manifest.0badcafe"), "half a man");
    CheckpointRun run(folder.str());
    ASSERT_EQ(run.join(v.vectors), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(run.pairs, expected);
    EXPECT_GT(run.report.n_strips_resumed, 0u);
    for (const std::string &name : folder.names()) EXPECT_NE(name[0], '.') << name;
}

/* Only what this library began to write is ever removed from the folder. */
TEST(Checkpoint, LeavesFilesOfOthersAlone) {
    TestVectors v(random_matrix(SHAPE, 4));
    TemporaryFolder folder;
    const std::vector<std::string> others = {
        ".manifest.json", ".manifest.0badcafe.txt", ".strip-notes", ".strip-01.pairs", "strip-notes", "notes.txt"};
    for (const std::string &name : others) write_bytes(folder.str(name), "of somebody else");
    CheckpointRun run(folder.str());
    ASSERT_EQ(run.join(v.vectors), PKIN_OK) << pkin_last_error();
    for (const std::string &name : others) EXPECT_EQ(read_bytes(folder.str(name)), "of somebody else") << name;
}

TEST(Checkpoint, TellsThresholdsAsTheyWereAskedFor) {
    TestVectors v(random_matrix(SHAPE, 4));
    TemporaryFolder folder;
    pkin_similarity_options options = pkin_similarity_options_default();
    const std::string path = folder.str();
    options.checkpoint_dir = path.c_str();
    pkin_pair_list list;
    ASSERT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.4, &options, &list), PKIN_OK);
    pkin_pair_list_free(&list);
    ASSERT_EQ(pkin_similarity_join(v.vectors, nullptr, 0.999999, &options, &list), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(std::string(pkin_last_error()).find("threshold 0.4, not 0.999999;"), std::string::npos)
        << pkin_last_error();
    ASSERT_EQ(pkin_similarity_join(v.vectors, nullptr, std::nextafter(0.4, 1), &options, &list),
              PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(std::string(pkin_last_error()).find("threshold 0.40000000000000002, not 0.40000000000000008;"), std::string::npos)
        << pkin_last_error();
}

/* Method, threads, copies and memory may be others: the strips are the same. */
TEST(Checkpoint, GoesOnWithAnotherPlan) {
    TestVectors v(random_matrix(SHAPE, 5));
    TemporaryFolder folder;
    std::vector<Scored> expected = oracle_join(v.vectors, nullptr, pkin_score_from_threshold(THRESHOLD));
    CheckpointRun first(folder.str(), 1);
    first.cancel_share = 0.5;
    first.options.method = "tail";
    ASSERT_EQ(first.join(v.vectors), PKIN_ERROR_CANCELLED);
    CheckpointRun second(folder.str(), 3);
    second.options.method = "index";
    second.options.distinct_only = 1;
    second.options.memory_bytes = 64 << 20;
    ASSERT_EQ(second.join(v.vectors), PKIN_OK) << pkin_last_error();
    EXPECT_GT(second.report.n_strips_resumed, 0u);
    EXPECT_LT(second.report.n_strips_resumed, second.report.n_strips);
    EXPECT_LT(second.pairs.size(), expected.size());
    CheckpointRun third(folder.str());
    ASSERT_EQ(third.join(v.vectors), PKIN_OK);
    EXPECT_EQ(third.pairs, expected);
}

TEST(Checkpoint, DamagedStripsAreDoneAgain) {
    TestVectors v(random_matrix(SHAPE, 6));
    TemporaryFolder folder;
    CheckpointRun whole(folder.str());
    ASSERT_EQ(whole.join(v.vectors), PKIN_OK);
    const std::string good = read_bytes(folder.str(strip_name(2)));
    ASSERT_GT(good.size(), 200u);
    std::vector<std::string> bad = {"",
                                    good.substr(0, 20),
                                    good.substr(0, good.size() - 1),
                                    good.substr(0, good.size() - 16),
                                    good + "x",
                                    good + std::string(16, '\0'),
                                    read_bytes(folder.str(strip_name(1)))};
    for (size_t at : {size_t(0), size_t(9), size_t(17), size_t(33), size_t(41), size_t(57), good.size() - 1}) {
        bad.push_back(good);
        bad.back()[at] = static_cast<char>(bad.back()[at] ^ 4);
    }
    for (const std::string &bytes : bad) {
        write_bytes(folder.str(strip_name(2)), bytes);
        CheckpointRun run(folder.str());
        ASSERT_EQ(run.join(v.vectors), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(run.pairs, whole.pairs);
        EXPECT_EQ(run.report.n_strips_resumed, run.report.n_strips - 1);
        EXPECT_EQ(read_bytes(folder.str(strip_name(2))), good);
    }
}

void expect_refused(CheckpointRun &run, const pkin_vectors *a, const pkin_vectors *b, double threshold,
                    pkin_status expected, const std::string &word) {
    EXPECT_EQ(run.join(a, b, threshold), expected) << word;
    const std::string message = pkin_last_error();
    EXPECT_NE(message.find(run.folder), std::string::npos) << message;
    EXPECT_NE(message.find(word), std::string::npos) << message;
}

TEST(Checkpoint, OfOtherDataIsRefused) {
    TestMatrix matrix = random_matrix({300, 60, 8}, 7);
    TestVectors v(matrix);
    TemporaryFolder folder;
    CheckpointRun run(folder.str());
    ASSERT_EQ(run.join(v.vectors), PKIN_OK);
    TestMatrix changed = matrix, longer = matrix, wider = matrix;
    changed.rows[299] = {{3, 1.0}, {4, 2.5}};
    longer.rows.push_back({});
    wider.n_columns++;
    TestVectors c(changed), l(longer), w(wider);
    expect_refused(run, c.vectors, nullptr, THRESHOLD, PKIN_ERROR_INVALID_ARGUMENT, "the weights of the rows");
    expect_refused(run, l.vectors, nullptr, THRESHOLD, PKIN_ERROR_INVALID_ARGUMENT, "the numbers of rows differ");
    expect_refused(run, w.vectors, nullptr, THRESHOLD, PKIN_ERROR_INVALID_ARGUMENT, "columns");
    expect_refused(run, v.vectors, v.vectors, THRESHOLD, PKIN_ERROR_INVALID_ARGUMENT, "the numbers of sides");
    expect_refused(run, v.vectors, nullptr, 0.31, PKIN_ERROR_INVALID_ARGUMENT, "threshold");
    ASSERT_EQ(run.join(v.vectors), PKIN_OK);
}

TEST(Checkpoint, ADamagedManifestIsTold) {
    TestVectors v(random_matrix({30, 6, 3}, 7));
    TemporaryFolder folder;
    CheckpointRun run(folder.str());
    ASSERT_EQ(run.join(v.vectors), PKIN_OK);
    const std::string good = read_bytes(folder.str("manifest"));
    for (size_t at = 0; at < good.size(); at++) {
        std::string bytes = good;
        bytes[at] = static_cast<char>(bytes[at] ^ 1);
        write_bytes(folder.str("manifest"), bytes);
        ASSERT_EQ(run.join(v.vectors), PKIN_ERROR_CORRUPT) << at;
    }
    write_bytes(folder.str("manifest"), "");
    expect_refused(run, v.vectors, nullptr, THRESHOLD, PKIN_ERROR_CORRUPT, "manifest");
    write_bytes(folder.str("manifest"), good);
    ASSERT_EQ(run.join(v.vectors), PKIN_OK);
}

TEST(Checkpoint, OneRunAtATime) {
    TestVectors v(random_matrix({300, 60, 8}, 7));
    TemporaryFolder folder;
    CheckpointRun run(folder.str());
    const pkin_i_checkpoint_key key = {};
    pkin_i_checkpoint *other = nullptr;
    ASSERT_EQ(pkin_i_checkpoint_open(folder.str().c_str(), &key, &other), PKIN_OK);
    expect_refused(run, v.vectors, nullptr, THRESHOLD, PKIN_ERROR_IO, "another run");
    pkin_i_checkpoint_close(other);
    ASSERT_EQ(run.join(v.vectors), PKIN_OK) << pkin_last_error();
}

TEST(Checkpoint, OfAlmostNothing) {
    unsigned seed = 1;
    for (uint64_t n_rows : {0, 1, 2, 3}) {
        TestVectors v(random_matrix({n_rows, 3, 2, 0, 0.5}, seed++));
        TemporaryFolder folder;
        CheckpointRun first(folder.str()), again(folder.str());
        ASSERT_EQ(first.join(v.vectors), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(first.pairs, oracle_join(v.vectors, nullptr, pkin_score_from_threshold(THRESHOLD)));
        ASSERT_EQ(again.join(v.vectors), PKIN_OK);
        EXPECT_EQ(again.pairs, first.pairs);
    }
}

TEST(Checkpoint, AFolderThatCannotBeIsTold) {
    TestVectors v(random_matrix({30, 6, 3}, 7));
    TemporaryFolder folder;
    write_bytes(folder.str("file"), "no folder");
    CheckpointRun run(folder.str("file"));
    expect_refused(run, v.vectors, nullptr, THRESHOLD, PKIN_ERROR_IO, "folder");
    pkin_neighbor_lists lists;
    EXPECT_EQ(pkin_similarity_top_k(v.vectors, nullptr, 3, 0, &run.options, &lists), PKIN_ERROR_UNSUPPORTED);
    EXPECT_EQ(lists.neighbors, nullptr);
}

int take(void *user, const pkin_pair *pairs, size_t n_pairs) {
    std::vector<Scored> *out = static_cast<std::vector<Scored> *>(user);
    for (size_t p = 0; p < n_pairs; p++) out->push_back({pairs[p].score, pairs[p].i, pairs[p].j});
    return 0;
}

TEST(Checkpoint, StreamsAndSpillsToo) {
    TestVectors v(random_matrix({1300, 20, 8, 0.02, 0.05}, 6));
    TemporaryFolder folder, spill;
    const std::string spill_name = spill.str();
    CheckpointRun run(folder.str());
    run.options.memory_bytes = 4 << 20;
    run.options.spill_dir = spill_name.c_str();
    for (bool resumed : {false, true}) {
        std::vector<Scored> found;
        ASSERT_EQ(pkin_similarity_join_each(v.vectors, nullptr, 0.02, &run.options, take, &found), PKIN_OK)
            << pkin_last_error();
        EXPECT_EQ(found, oracle_join(v.vectors, nullptr, pkin_score_from_threshold(0.02)));
        EXPECT_EQ(run.report.spilled_bytes > 0, !resumed);
    }
    EXPECT_TRUE(spill.names().empty());
}

TEST(Checkpoint, EveryAllocationMayFail) {
    TestVectors v(random_matrix({120, 20, 6}, 8));
    TemporaryFolder folder;
    expect_clean_failures([&] {
        std::filesystem::remove_all(folder.str("there"));
        CheckpointRun run(folder.str("there"));
        run.options.report = nullptr;
        return run.join(v.vectors);
    });
    expect_clean_failures([&] {
        CheckpointRun run(folder.str("there"));
        return run.join(v.vectors);
    });
}

} // namespace
