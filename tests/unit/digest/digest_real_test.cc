/* SPDX-License-Identifier: Apache-2.0 */
/* Real digests, where they stand beside the project. */
#include "digest_world.h"

#include <map>

#include "support/shared_dir.h"

using namespace digest_world;

namespace {

std::vector<std::string> real_files(const std::string &folder) {
    std::vector<std::string> paths;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(pkin_test_shared_dir() + folder)) {
        if (entry.is_regular_file()) paths.push_back(entry.path().string());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

TEST(DigestReal, GateOnTwoWeeksOfOneFeed) {
    PKIN_SKIP_WITHOUT_SHARED();
    // Distinct papers of each day's crawl that are new; days 06, 10, 11, 13, 17 and 18 are wholly repeats.
    const std::map<std::string, uint64_t> n_new = {{"05", 146}, {"06", 0},   {"07", 187}, {"08", 225}, {"09", 297},
                                                   {"10", 0},   {"11", 0},   {"12", 160}, {"13", 0},   {"14", 251},
                                                   {"15", 212}, {"16", 246}, {"17", 0},   {"18", 0}};
    Folder folder;
    Store store;
    for (int turn = 0; turn < 2; turn++) {
        for (const auto &[day, expected] : n_new) {
            std::string name = "2026-01-" + day + ".jsonl", path = pkin_test_shared_dir() + "/digests/upstream/" + name;
            std::string out = folder / name, text = read_text(path);
            pkin_gate_report report;
            ASSERT_EQ(pkin_gate_run(store, path.c_str(), out.c_str(), nullptr, &report), PKIN_OK) << pkin_last_error();
            EXPECT_EQ(report.n_new, expected) << name;
            EXPECT_EQ(report.n_written, expected + report.n_new_versions) << name;
            EXPECT_EQ(report.n_papers, report.n_new + report.n_repeats + report.n_new_versions) << name;
            std::istringstream lines(read_text(out));
            uint64_t n_lines = 0;
            for (std::string line; std::getline(lines, line); n_lines++) {
                EXPECT_NE(text.find(line + "\n"), std::string::npos) << name;
            }
            EXPECT_EQ(n_lines, report.n_written) << name;
            if (day == "05") {
                EXPECT_EQ(report.n_records, 184u);
                EXPECT_EQ(report.n_papers, 146u);
                EXPECT_EQ(report.n_repeats_inside, 38u);
            }
            if (day == "07") {
                EXPECT_EQ(report.n_papers, 188u);
                EXPECT_EQ(report.n_repeats, 1u);
            }
        }
    }
}

/* Annotates copies of all files in a folder twice and strips them. */
void come_back_to_the_byte(const std::string &shared, int threads, size_t n_least, pkin_digest_report *totals) {
    Folder folder;
    Store store(folder / "store.sqlite");
    std::map<std::string, std::string> annotated;
    std::vector<std::string> paths;
    size_t n = 0;
    // Copies under their own names, one folder each; what cannot be read is left out here.
    for (const auto &path : real_files(shared)) {
        pkin_corpus *corpus = nullptr;
        if (pkin_corpus_read_file(path.c_str(), nullptr, &corpus) != PKIN_OK) continue;
        pkin_corpus_free(corpus);
        std::string copy = folder / (std::to_string(n++) + "/" + std::filesystem::path(path).filename().string());
        std::filesystem::create_directories(std::filesystem::path(copy).parent_path());
        std::filesystem::copy_file(path, copy);
        std::filesystem::permissions(copy, std::filesystem::perms::owner_all);
        annotated[copy] = read_text(path);
        paths.push_back(copy);
    }
    EXPECT_GE(paths.size(), n_least);
    pkin_digest_options options = pkin_digest_options_default();
    options.in_place = 1;
    options.threads = threads;
    Job first(store, paths, options);
    ASSERT_EQ(first.status, PKIN_OK) << pkin_last_error();
    std::map<std::string, std::string> once;
    for (const auto &path : paths) once[path] = read_text(path);
    Job second(store, paths, options);
    ASSERT_EQ(second.status, PKIN_OK) << pkin_last_error();
    uint64_t n_links = 0;
    for (size_t f = 0; f < paths.size(); f++) {
        const std::string &path = paths[f], &original = annotated[path];
        EXPECT_EQ(second.report.files[f].changed, 0) << path;
        EXPECT_TRUE(read_text(path) == once[path]) << path;
        n_links += first.report.files[f].n_related_links;
        if (first.report.files[f].format == PKIN_FORMAT_MARKDOWN) {
            EXPECT_TRUE(outside_blocks(once[path]) == original) << path;
        }
        ASSERT_EQ(pkin_digest_strip(path.c_str(), &options, nullptr), PKIN_OK) << pkin_last_error();
        EXPECT_TRUE(read_text(path) == original) << path;
    }
    EXPECT_GT(n_links, 1000u);
    *totals = first.report;
    totals->files = nullptr; // the job's
    totals->n_files = 0;
}

TEST(DigestReal, EveryFileComesBackToTheByte) {
    PKIN_SKIP_WITHOUT_SHARED();
    pkin_digest_report totals;
    come_back_to_the_byte("/digests", 0, 40, &totals);
    EXPECT_EQ(totals.n_in_threads, 0u);
}

/* Files that name their day: the others are of today, and papers of a year ago are in no thread then. */
TEST(DigestReal, WithThreadsToo) {
    PKIN_SKIP_WITHOUT_SHARED();
    pkin_digest_report totals;
    come_back_to_the_byte("/digests/upstream", 1, 25, &totals);
    EXPECT_GT(totals.n_in_threads, totals.n_papers_today / 4);
    EXPECT_GT(totals.n_threads_today, 20u);
}

} // namespace
