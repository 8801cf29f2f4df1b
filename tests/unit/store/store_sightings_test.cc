/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/store/store_fixture.h"

using namespace store_test;

namespace {

class Sightings : public ::testing::Test {
  protected:
    /* "date name position version" of each, one a line, and the highest version. */
    std::string of(const pkin_i_sightings &sightings) {
        std::string out;
        for (size_t k = 0; k < sightings.n_items; k++) {
            const pkin_i_sighting &s = sightings.items[k];
            out += std::string(s.date) + " " + s.name + " " + std::to_string(s.position) + " " +
                   std::to_string(s.version) + "\n";
        }
        return out + "max " + std::to_string(sightings.max_version);
    }
    std::string before(int64_t paper, int64_t digest) {
        pkin_i_arena arena = {};
        pkin_i_sightings sightings = {};
        EXPECT_EQ(pkin_i_store_sightings(store, paper, digest, &arena, &sightings), PKIN_OK) << pkin_last_error();
        std::string out = of(sightings);
        pkin_i_arena_free(&arena);
        return out;
    }
    Folder folder;
    Store store{folder / "s.db"};
};

TEST_F(Sightings, OldestFirstWithPositionsAndVersions) {
    ingest(store, folder.write("2026-01-07.jsonl", paper_line(2) + paper_line(1, "v2"))); /* digest 1 */
    ingest(store, folder.write("2026-01-05.jsonl", paper_line(1, "v1") + papers(3, 3) + paper_line(1, "v1"))); /* 2 */
    ingest(store, folder.write("2026-01-09.jsonl", paper_line(1, "v3")));                                      /* 3 */
    EXPECT_EQ(before(1, 2), "max 0");
    int64_t one = find_paper(store, "arxiv:2601.00001");
    EXPECT_EQ(before(one, 2), "max 0");
    EXPECT_EQ(before(one, 1), "2026-01-05 2026-01-05.jsonl 1 1\n2026-01-05 2026-01-05.jsonl 3 1\nmax 1");
    EXPECT_EQ(before(one, 3), "2026-01-05 2026-01-05.jsonl 1 1\n2026-01-05 2026-01-05.jsonl 3 1\n"
                              "2026-01-07 2026-01-07.jsonl 2 2\nmax 2");
}

TEST_F(Sightings, OfOneDayTheOtherNameRecordedFirst) {
    ingest(store, folder.write("2026-01-05.jsonl", paper_line(1)));
    ingest(store, folder.write("2026-01-05.md.jsonl", paper_line(1) + "\n")); /* same stem */
    ingest(store, folder.write("cs-2026-01-05.jsonl", paper_line(1)));        /* another feed */
    ingest(store, folder.write("2026-01-05_AI_enhanced_X.jsonl", paper_line(1) + "\n\n"));
    EXPECT_EQ(before(1, 1), "max 0");
    EXPECT_EQ(before(1, 2), "max 0");
    EXPECT_EQ(before(1, 3), "2026-01-05 2026-01-05.jsonl 1 0\n2026-01-05 2026-01-05.md.jsonl 1 0\nmax 0");
    EXPECT_EQ(before(1, 4), "2026-01-05 cs-2026-01-05.jsonl 1 0\nmax 0");
}

TEST_F(Sightings, BeforeADigestThatIsNotRecorded) {
    ingest(store, folder.write("2026-01-05.jsonl", paper_line(1)));
    pkin_i_arena arena = {};
    pkin_i_sightings sightings = {};
    auto ask = [&](const char *date, const char *name) {
        EXPECT_EQ(pkin_i_store_sightings_before(store, 1, date, name, INT64_MAX, &arena, &sightings), PKIN_OK);
        return sightings.n_items;
    };
    EXPECT_EQ(ask("2026-01-06", "2026-01-05.jsonl"), 1u);
    EXPECT_EQ(ask("2026-01-05", "other.jsonl"), 1u);
    EXPECT_EQ(ask("2026-01-05", "2026-01-05.md"), 0u);
    EXPECT_EQ(ask("2026-01-04", "other.jsonl"), 0u);
    EXPECT_EQ(pkin_i_store_sightings(store, 1, 99, &arena, &sightings), PKIN_ERROR_NOT_FOUND);
    EXPECT_EQ(sightings.n_items, 0u);
    pkin_i_arena_free(&arena);
}

TEST_F(Sightings, NoneComeFromABackgroundCorpus) {
    pkin_ingest_report report = ingest(store, folder.write("2025-12-31.jsonl", papers(1, 3)), nullptr, 1);
    EXPECT_EQ(report.background, 1);
    EXPECT_EQ(report.n_new, 3u);
    report = ingest(store, folder.write("2026-01-05.jsonl", paper_line(1, "v2")));
    EXPECT_EQ(report.background, 0);
    EXPECT_EQ(report.n_new, 1u);
    EXPECT_EQ(before(1, 2), "max 0");
    report = ingest(store, folder.write("2026-01-06.jsonl", paper_line(1, "v2")));
    EXPECT_EQ(report.n_repeats, 1u);
    EXPECT_EQ(before(1, 3), "2026-01-05 2026-01-05.jsonl 1 2\nmax 2");
}

TEST_F(Sightings, ASnapshotIsBackgroundUnlessSaidOtherwise) {
    std::string snapshot = "{\"id\": \"2601.00001\", \"submitter\": \"A. Example\", \"authors\": \"A. Example\", "
                           "\"title\": \"On looms\", \"categories\": \"cs.DL\", \"abstract\": \"We weave.\", "
                           "\"versions\": [{\"version\": \"v1\", \"created\": \"Mon, 5 Jan 2026 10:00:00 GMT\"}], "
                           "\"update_date\": \"2026-01-05\", \"authors_parsed\": [[\"Example\", \"A.\", \"\"]]}\n";
    std::string path = folder.write("2026-01-05.jsonl", snapshot);
    pkin_ingest_report report = ingest(store, path);
    ASSERT_EQ(report.format, PKIN_FORMAT_SNAPSHOT);
    EXPECT_EQ(report.background, 1);
    ingest(store, folder.write("2026-01-06.jsonl", paper_line(1))); /* digest 2 */
    EXPECT_EQ(before(1, 2), "max 0");

    report = ingest(store, path, nullptr, 0);
    EXPECT_EQ(report.already_known, 1);
    EXPECT_EQ(report.background, 0);
    EXPECT_EQ(before(1, 2), "2026-01-05 2026-01-05.jsonl 1 1\nmax 1");
    EXPECT_EQ(ingest(store, path).background, 0); /* what was said before stays */
    EXPECT_EQ(ingest(store, path, nullptr, 1).background, 1);
    EXPECT_EQ(before(1, 2), "max 0");
    EXPECT_EQ(describe(store).n_digests, 2u);
}

TEST_F(Sightings, AreFoundByIndex) {
    std::string plan = run_sql(folder / "s.db", "EXPLAIN QUERY PLAN SELECT d.date FROM appearances a JOIN digests d ON "
                                                "d.id = a.digest WHERE a.paper = 1 AND d.date < '2026-01-01'");
    EXPECT_NE(plan.find("SEARCH a USING PRIMARY KEY"), std::string::npos) << plan;
    EXPECT_NE(plan.find("SEARCH d USING INTEGER PRIMARY KEY"), std::string::npos) << plan;
}

} // namespace
