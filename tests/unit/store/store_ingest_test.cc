/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/store/store_fixture.h"

using namespace store_test;

namespace {

class Ingest : public ::testing::Test {
  protected:
    Folder folder;
    std::string path = folder / "s.db";
};

TEST_F(Ingest, RemembersPapersVersionsAppearancesAndWords) {
    Store store(path);
    ASSERT_EQ(store.status, PKIN_OK) << pkin_last_error();
    std::string lines = paper_line(1, "v2") + paper_line(2) + "this is no record\n" + paper_line(1, "v2");
    pkin_ingest_report report = ingest(store, folder.write("2026-01-05.jsonl", lines));
    EXPECT_EQ(report.already_known, 0);
    EXPECT_EQ(report.format, PKIN_FORMAT_CRAWL);
    EXPECT_STREQ(report.date, "2026-01-05");
    EXPECT_EQ(report.n_records, 3u);
    EXPECT_EQ(report.n_skipped, 1u);
    EXPECT_EQ(report.n_papers, 2u);
    EXPECT_EQ(report.n_new, 2u);
    EXPECT_EQ(report.n_new_versions, 0u);
    EXPECT_EQ(report.n_repeats, 0u);

    pkin_store_statistics statistics = describe(store);
    EXPECT_EQ(statistics.schema_version, 2);
    EXPECT_EQ(statistics.n_papers, 2u);
    EXPECT_EQ(statistics.n_versions, 1u);
    EXPECT_EQ(statistics.n_digests, 1u);
    EXPECT_EQ(statistics.n_appearances, 3u);
    EXPECT_GT(statistics.n_terms, 5u);
    EXPECT_EQ(statistics.n_bytes % 512, 0u);
    EXPECT_STREQ(statistics.first_date, "2026-01-05");
    EXPECT_STREQ(statistics.last_date, "2026-01-05");
    EXPECT_STREQ(statistics.tokenizer, pkin_i_tokenizer_identity(PKIN_TOKENIZER_UNICODE));

    EXPECT_EQ(run_sql(path, "SELECT * FROM appearances"), "1|1|1|2\n1|1|3|2\n2|1|2|0\n");
    EXPECT_EQ(run_sql(path, "SELECT name, stem, date, dated_by, n_records, n_skipped FROM digests"),
              "2026-01-05.jsonl|2026-01-05|2026-01-05|name|3|1\n");
    EXPECT_EQ(run_sql(path, "SELECT * FROM versions"), "1|2|2026-01-05\n");
    EXPECT_EQ(run_sql(path, "PRAGMA foreign_key_check"), "");
}

TEST_F(Ingest, GivesPapersBack) {
    Store store(path);
    ingest(store, folder.write("2026-01-05.jsonl",
                               crawl_line("2601.00007v3", "Loom \\u00e9tudes", "One.\\nTwo.", "12 pages")));
    Stored paper(store, "arxiv:2601.00007");
    EXPECT_STREQ(paper->key, "arxiv:2601.00007");
    EXPECT_STREQ(paper->id, "2601.00007");
    EXPECT_EQ(paper->version, 3u);
    EXPECT_STREQ(paper->title, "Loom \xc3\xa9tudes");
    EXPECT_STREQ(paper->comment, "12 pages");
    EXPECT_STREQ(paper->summary, "");
    ASSERT_EQ(paper->n_authors, 2u);
    EXPECT_STREQ(paper->authors[0], "Ada Example");
    EXPECT_STREQ(paper->authors[1], "Li \"Q\" M\xc3\xbcller");
    ASSERT_EQ(paper->n_categories, 2u);
    EXPECT_STREQ(paper->categories[0], "cs.DL");
    EXPECT_STREQ(paper.stored.first_date, "2026-01-05");
    EXPECT_EQ(find_paper(store, "arxiv:2601.99999"), 0);
    pkin_i_arena arena = {};
    pkin_i_stored_paper none;
    EXPECT_EQ(pkin_i_store_paper(store, 77, &arena, &none), PKIN_ERROR_NOT_FOUND);
    pkin_i_arena_free(&arena);
}

TEST_F(Ingest, AgainChangesNothing) {
    std::string first = folder.write("2026-01-05.jsonl", papers(1, 20) + papers(3, 4));
    std::string second = folder.write("2026-01-06.jsonl", papers(11, 30));
    {
        Store store(path);
        ingest(store, first);
        ingest(store, second);
    }
    std::string before = dump(path), bytes = read_bytes(path);
    Store store(path);
    for (int time = 0; time < 2; time++) {
        pkin_ingest_report report = ingest(store, second);
        EXPECT_EQ(report.already_known, 1);
        EXPECT_EQ(report.n_records, 20u);
        EXPECT_EQ(report.n_papers, 20u);
        EXPECT_EQ(report.n_new, 10u);
        EXPECT_EQ(report.n_repeats, 10u);
        report = ingest(store, first);
        EXPECT_EQ(report.already_known, 1);
        EXPECT_EQ(report.n_records, 22u);
        EXPECT_EQ(report.n_papers, 20u);
        EXPECT_EQ(report.n_new, 20u);
    }
    EXPECT_EQ(dump(path), before);
    EXPECT_EQ(read_bytes(path), bytes);
}

TEST_F(Ingest, ThreeFormsOfOneDayAreNoRepeats) {
    Store store(path);
    std::string crawl = crawl_line("2601.00001", "Tulips", "On tulips."), md, enhanced;
    crawl += crawl_line("2601.00002", "Looms", "On looms.");
    enhanced = enhanced_line("2601.00001", "Tulips", "On tulips.", "Short.");
    EXPECT_EQ(ingest(store, folder.write("2026-01-16.jsonl", crawl)).n_new, 2u);
    pkin_ingest_report report = ingest(store, folder.write("2026-01-16_AI_enhanced_Chinese.jsonl", enhanced));
    EXPECT_EQ(report.format, PKIN_FORMAT_ENHANCED);
    EXPECT_EQ(report.n_new, 1u);
    EXPECT_EQ(report.n_repeats, 0u);
    EXPECT_EQ(describe(store).n_papers, 2u);
    Stored paper(store, "arxiv:2601.00001");
    EXPECT_NE(std::string(paper->summary).find("Short."), std::string::npos);
    EXPECT_NE(words_of(store, "arxiv:2601.00001", PKIN_I_SUMMARY), "");
    EXPECT_EQ(words_of(store, "arxiv:2601.00002", PKIN_I_SUMMARY), "");
}

TEST_F(Ingest, WeekendCopiesAreRepeats) {
    Store store(path);
    EXPECT_EQ(ingest(store, folder.write("2026-01-16.jsonl", papers(1, 5))).n_new, 5u);
    for (const char *name : {"2026-01-17.jsonl", "2026-01-18.jsonl"}) {
        pkin_ingest_report report = ingest(store, folder.write(name, papers(1, 5)));
        EXPECT_EQ(report.already_known, 0);
        EXPECT_EQ(report.n_new, 0u);
        EXPECT_EQ(report.n_repeats, 5u);
    }
    EXPECT_EQ(describe(store).n_digests, 3u);
}

TEST_F(Ingest, SameNameWithOtherBytesIsAnotherDigest) {
    Store store(path);
    ingest(store, folder.write("2026-01-16.jsonl", papers(1, 5)));
    /* Crawled again on the same day: its own earlier crawl is no earlier digest. */
    pkin_ingest_report report = ingest(store, folder.write("2026-01-16.jsonl", papers(1, 7)));
    EXPECT_EQ(report.already_known, 0);
    EXPECT_EQ(report.n_new, 7u);
    EXPECT_EQ(describe(store).n_digests, 2u);
}

TEST_F(Ingest, HigherVersionsBringTheirTexts) {
    Store store(path);
    ingest(store, folder.write("2026-01-05.jsonl", crawl_line("2601.00001v1", "Old looms", "Old words.", "first")));
    pkin_ingest_report report =
        ingest(store, folder.write("2026-02-05.jsonl", crawl_line("2601.00001v3", "New looms", "New words.", "third")));
    EXPECT_EQ(report.n_new_versions, 1u);
    EXPECT_EQ(report.n_repeats, 0u);
    report = ingest(store, folder.write("2026-03-05.jsonl", crawl_line("2601.00001v2", "Mid looms", "Mid words.")));
    EXPECT_EQ(report.n_repeats, 1u);
    report = ingest(store, folder.write("2026-04-05.jsonl", crawl_line("2601.00001", "No looms", "No words.")));
    EXPECT_EQ(report.n_repeats, 1u);
    Stored paper(store, "arxiv:2601.00001");
    EXPECT_EQ(paper->version, 3u);
    EXPECT_STREQ(paper->title, "New looms");
    EXPECT_STREQ(paper->abstract, "New words.");
    EXPECT_STREQ(paper->comment, "first");
    EXPECT_EQ(words_of(store, "arxiv:2601.00001", PKIN_I_TITLE), "new looms");
    EXPECT_EQ(run_sql(path, "SELECT version, first_date FROM versions"), "1|2026-01-05\n2|2026-03-05\n3|2026-02-05\n");
}

TEST_F(Ingest, UnnamedVersionsAreNeverNewVersions) {
    Store store(path);
    ingest(store, folder.write("2026-01-05.jsonl", crawl_line("2601.00001", "Looms", "Words.")));
    pkin_ingest_report report =
        ingest(store, folder.write("2026-02-05.jsonl", crawl_line("2601.00001v2", "Looms", "Words.")));
    EXPECT_EQ(report.n_new_versions, 0u);
    EXPECT_EQ(report.n_repeats, 1u);
}

TEST_F(Ingest, EmptyFieldsAreFilledAndLongerSummariesTaken) {
    Store store(path);
    ingest(store, folder.write("2026-01-05.jsonl", crawl_line("2601.00001", "Looms", "")));
    std::string without = words_of(store, "arxiv:2601.00001", PKIN_I_ABSTRACT);
    EXPECT_EQ(without, "");
    ingest(store,
           folder.write("2026-01-06.jsonl", enhanced_line("2601.00001", "Other", "Abstract.", "Much longer text.")));
    ingest(store, folder.write("2026-01-07.jsonl", enhanced_line("2601.00001", "Other", "Other abstract.", "Short.")));
    Stored paper(store, "arxiv:2601.00001");
    EXPECT_STREQ(paper->title, "Looms");
    EXPECT_STREQ(paper->abstract, "Abstract.");
    EXPECT_NE(std::string(paper->summary).find("Much longer text."), std::string::npos);
    EXPECT_EQ(words_of(store, "arxiv:2601.00001", PKIN_I_ABSTRACT), "abstract");
    std::string longest(200, 'k');
    ingest(store, folder.write("2026-01-08.jsonl", enhanced_line("2601.00001", "Other", "Abstract.", longest)));
    EXPECT_NE(std::string(Stored(store, "arxiv:2601.00001")->summary).find(longest), std::string::npos);
    EXPECT_NE(words_of(store, "arxiv:2601.00001", PKIN_I_SUMMARY).find(longest), std::string::npos);
}

TEST_F(Ingest, OrderOfIngestionDoesNotDecideWhatIsEarlier) {
    std::string days[] = {folder.write("2026-01-05.jsonl", papers(1, 10)),
                          folder.write("2026-01-06.jsonl", papers(6, 15)),
                          folder.write("2026-01-07.jsonl", papers(11, 20))};
    Store store(path);
    EXPECT_EQ(ingest(store, days[2]).n_new, 10u);
    EXPECT_EQ(ingest(store, days[0]).n_new, 10u);
    pkin_ingest_report report = ingest(store, days[1]);
    EXPECT_EQ(report.n_new, 5u);
    EXPECT_EQ(report.n_repeats, 5u);
    report = ingest(store, days[2]);
    EXPECT_EQ(report.already_known, 1);
    EXPECT_EQ(report.n_new, 5u);
    EXPECT_EQ(report.n_repeats, 5u);
    EXPECT_STREQ(Stored(store, "arxiv:2601.00011").stored.first_date, "2026-01-06");
}

TEST_F(Ingest, UndatedFilesAreOfToday) {
    Store store(path);
    setenv("SOURCE_DATE_EPOCH", "1768521600", 1);
    EXPECT_STREQ(ingest(store, folder.write("today.jsonl", papers(1, 2))).date, "2026-01-16");
    setenv("SOURCE_DATE_EPOCH", "1768608000", 1);
    /* The same bytes under the same name are the digest that is known, with its date. */
    pkin_ingest_report report = ingest(store, folder / "today.jsonl");
    EXPECT_EQ(report.already_known, 1);
    EXPECT_STREQ(report.date, "2026-01-16");
    report = ingest(store, folder.write("today.jsonl", papers(2, 3)));
    EXPECT_STREQ(report.date, "2026-01-17");
    EXPECT_EQ(report.n_repeats, 1u);
    /* Only what takes the clock's day is told of it. */
    std::vector<std::string> told;
    pkin_ingest_options options = pkin_ingest_options_default();
    options.diagnostic_user = &told;
    options.on_diagnostic = [](void *user, const pkin_diagnostic *diagnostic) {
        EXPECT_EQ(diagnostic->skipped_record, 0);
        EXPECT_EQ(diagnostic->line, 0u);
        static_cast<std::vector<std::string> *>(user)->push_back(diagnostic->reason);
    };
    fs::create_directories(folder / "2026/01");
    for (const char *name : {"new.jsonl", "new.jsonl", "2026_01_08.jsonl", "2026/01/07.jsonl"}) {
        std::string file = folder.write(name, papers(1, 2));
        ASSERT_EQ(pkin_store_ingest_file(store, file.c_str(), &options, &report), PKIN_OK) << pkin_last_error();
    }
    EXPECT_STREQ(report.date, "2026-01-07");
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0], "no date in its name: taken as today, 2026-01-17; give --date for another day");
    setenv("SOURCE_DATE_EPOCH", "nonsense", 1);
    EXPECT_EQ(pkin_store_ingest_file(store, folder.write("x.jsonl", papers(2, 9)).c_str(), nullptr, &report),
              PKIN_ERROR_INVALID_ARGUMENT);
    unsetenv("SOURCE_DATE_EPOCH");
    EXPECT_EQ(run_sql(path, "SELECT dated_by FROM digests"), "clock\nclock\nclock\nname\nname\n");
}

TEST_F(Ingest, GivenDatesGoFirst) {
    Store store(path);
    EXPECT_STREQ(ingest(store, folder.write("2026-01-05.jsonl", papers(1, 2)), "2026-01-09").date, "2026-01-09");
    pkin_ingest_options options = pkin_ingest_options_default();
    options.date = "2026-02-30";
    pkin_ingest_report report = {};
    report.n_new = 77;
    EXPECT_EQ(pkin_store_ingest_file(store, (folder / "2026-01-05.jsonl").c_str(), &options, &report),
              PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(report.n_new, 77u);
    EXPECT_NE(std::string(pkin_last_error()).find("YYYY-MM-DD"), std::string::npos);
}

TEST_F(Ingest, AnnotatedFilesAreTheSameDigest) {
    Store store(path);
    std::string plain = papers(1, 2), annotated = plain;
    ingest(store, folder.write("2026-01-05.jsonl", plain));
    annotated.insert(annotated.find("}\n"), ", \"paperkin\": {\"version\": 1, \"key\": \"arxiv:2601.00001\"}");
    ASSERT_NE(annotated, plain);
    EXPECT_EQ(ingest(store, folder.write("2026-01-05.jsonl", annotated)).already_known, 1);
}

TEST_F(Ingest, FilesWithoutPapersAreDigestsWithoutAppearances) {
    Store store(path);
    pkin_ingest_report report = ingest(store, folder.write("2026-01-05.md", ""));
    EXPECT_EQ(report.already_known, 0);
    EXPECT_EQ(report.n_records, 0u);
    EXPECT_EQ(ingest(store, folder / "2026-01-05.md").already_known, 1);
    EXPECT_EQ(describe(store).n_digests, 1u);
    EXPECT_EQ(describe(store).n_appearances, 0u);
}

TEST_F(Ingest, WhatIsNoDigestLeavesNothing) {
    Store store(path);
    pkin_ingest_report report;
    EXPECT_EQ(pkin_store_ingest_file(store, folder.write("x.txt", "Dear diary,\nnothing.\n").c_str(), nullptr, &report),
              PKIN_ERROR_NOT_A_DIGEST);
    EXPECT_EQ(pkin_store_ingest_file(store, (folder / "missing.md").c_str(), nullptr, &report), PKIN_ERROR_IO);
    EXPECT_EQ(pkin_store_ingest_file(nullptr, "x", nullptr, &report), PKIN_ERROR_INVALID_ARGUMENT);
    pkin_ingest_options options = pkin_ingest_options_default();
    options.size += 8;
    EXPECT_EQ(pkin_store_ingest_file(store, (folder / "x.txt").c_str(), &options, &report),
              PKIN_ERROR_INVALID_ARGUMENT);
    options.size = 0;
    EXPECT_EQ(pkin_store_ingest_file(store, (folder / "x.txt").c_str(), &options, &report),
              PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(describe(store).n_digests, 0u);
}

TEST_F(Ingest, OptionsOfAnEarlierLibrary) {
    Store store(path);
    pkin_ingest_options options = pkin_ingest_options_default();
    pkin_ingest_report report;
    options.date = "2026-01-07";
    options.size = offsetof(pkin_ingest_options, n_threads);
    options.n_threads = -1; /* a member that the earlier structure did not have */
    ASSERT_EQ(pkin_store_ingest_file(store, folder.write("x.jsonl", papers(1, 2)).c_str(), &options, &report), PKIN_OK)
        << pkin_last_error();
    EXPECT_STREQ(report.date, "2026-01-07");
}

TEST_F(Ingest, CancelledChangesNothing) {
    Store store(path);
    ingest(store, folder.write("2026-01-05.jsonl", papers(1, 3)));
    std::string before = dump(path), words = words_of(store, "arxiv:2601.00001", PKIN_I_TITLE);
    std::string file = folder.write("2026-01-06.jsonl", papers(3, 9));
    for (const char *stage : {"reading", "remembering", "tokenizing"}) {
        pkin_ingest_options options = pkin_ingest_options_default();
        options.progress_user = (void *)stage;
        options.on_progress = [](void *user, const char *now, uint64_t, uint64_t) {
            return std::string((const char *)user) == now ? 1 : 0;
        };
        pkin_ingest_report report;
        EXPECT_EQ(pkin_store_ingest_file(store, file.c_str(), &options, &report), PKIN_ERROR_CANCELLED) << stage;
        EXPECT_EQ(dump(path), before) << stage;
    }
    EXPECT_EQ(ingest(store, file).n_new, 6u);
    EXPECT_EQ(words_of(store, "arxiv:2601.00001", PKIN_I_TITLE), words);
}

TEST_F(Ingest, UndoneChangesLeaveNothing) {
    Store store(path);
    ingest(store, folder.write("2026-01-05.jsonl", papers(1, 3)));
    std::string before = dump(path),
                file = folder.write("2026-01-06.jsonl", papers(3, 9) + crawl_line("2601.00099", "Kites", "K."));
    ASSERT_EQ(pkin_i_store_begin(store), PKIN_OK);
    EXPECT_EQ(pkin_i_store_begin(store), PKIN_ERROR_INTERNAL);
    EXPECT_EQ(ingest(store, file).n_new, 7u);
    EXPECT_EQ(words_of(store, "arxiv:2601.00099", PKIN_I_TITLE), "kites");
    ASSERT_EQ(pkin_i_store_end(store, 0), PKIN_OK);
    EXPECT_EQ(pkin_i_store_end(store, 0), PKIN_ERROR_INTERNAL);
    EXPECT_EQ(dump(path), before);
    EXPECT_EQ(find_paper(store, "arxiv:2601.00099"), 0);
    /* Another first new word now gets the number that "kites" had for a while. */
    ingest(store, folder.write("2026-01-07.jsonl", crawl_line("2601.00098", "Windmills", "K.")));
    EXPECT_EQ(words_of(store, "arxiv:2601.00098", PKIN_I_TITLE), "windmills");
    EXPECT_EQ(ingest(store, file).already_known, 0);
    Store fresh(path);
    for (pkin_store *handle : {(pkin_store *)store, (pkin_store *)fresh}) {
        EXPECT_EQ(words_of(handle, "arxiv:2601.00098", PKIN_I_TITLE), "windmills");
        EXPECT_EQ(words_of(handle, "arxiv:2601.00099", PKIN_I_TITLE), "kites");
    }
}

TEST_F(Ingest, FailureInsideAChangeKeepsTheRest) {
    Store store(path);
    ASSERT_EQ(pkin_i_store_begin(store), PKIN_OK);
    ingest(store, folder.write("2026-01-05.jsonl", papers(1, 3)));
    std::string file = folder.write("2026-01-06.jsonl", papers(3, 9));
    pkin_ingest_options options = pkin_ingest_options_default();
    options.on_progress = [](void *, const char *stage, uint64_t, uint64_t) { return stage[0] == 't' ? 1 : 0; };
    pkin_ingest_report report;
    EXPECT_EQ(pkin_store_ingest_file(store, file.c_str(), &options, &report), PKIN_ERROR_CANCELLED);
    ASSERT_EQ(pkin_i_store_end(store, 1), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(describe(store).n_papers, 3u);
    EXPECT_EQ(describe(store).n_digests, 1u);
    EXPECT_EQ(words_of(store, "arxiv:2601.00003", PKIN_I_TITLE), "survey glaciers part 3");
}

TEST_F(Ingest, TwoHandlesShareTheWords) {
    Store one(path), two(path);
    ingest(one, folder.write("2026-01-05.jsonl", crawl_line("2601.00001", "Kites", "Kites.")));
    ingest(two, folder.write("2026-01-06.jsonl", crawl_line("2601.00002", "Windmills", "Kites.")));
    ingest(one, folder.write("2026-01-07.jsonl", crawl_line("2601.00003", "Harbours windmills", "Kites.")));
    for (pkin_store *store : {(pkin_store *)one, (pkin_store *)two}) {
        EXPECT_EQ(words_of(store, "arxiv:2601.00001", PKIN_I_TITLE), "kites");
        EXPECT_EQ(words_of(store, "arxiv:2601.00002", PKIN_I_TITLE), "windmills");
        EXPECT_EQ(words_of(store, "arxiv:2601.00003", PKIN_I_TITLE), "harbours windmills");
    }
    EXPECT_EQ(run_sql(path, "SELECT word FROM terms"), "kites\nwindmills\nharbours\n");
}

TEST_F(Ingest, GateDigestsAreOfADay) {
    Store store(path);
    pkin_corpus *corpus = nullptr;
    std::string lines = papers(1, 4);
    ASSERT_EQ(pkin_corpus_read_memory(lines.data(), lines.size(), "crawl.jsonl", nullptr, &corpus), PKIN_OK);
    pkin_i_digest_identity identity = {"crawl.jsonl", "in/crawl.jsonl", {1, 2}, "2026-01-16", 1};
    pkin_ingest_report report;
    int64_t first = 0, second = 0, found = 0;
    char date[11];
    ASSERT_EQ(pkin_i_store_ingest_corpus(store, corpus, &identity, nullptr, &report, &first), PKIN_OK)
        << pkin_last_error();
    EXPECT_EQ(report.n_new, 4u);
    identity.date = "2026-01-17";
    ASSERT_EQ(pkin_i_store_find_digest(store, &identity, date, &found), PKIN_OK);
    EXPECT_EQ(found, 0);
    EXPECT_STREQ(date, "2026-01-17");
    ASSERT_EQ(pkin_i_store_ingest_corpus(store, corpus, &identity, nullptr, &report, &second), PKIN_OK);
    EXPECT_NE(first, second);
    EXPECT_EQ(report.already_known, 0);
    EXPECT_EQ(report.n_repeats, 4u);
    ASSERT_EQ(pkin_i_store_ingest_corpus(store, corpus, &identity, nullptr, &report, &found), PKIN_OK);
    EXPECT_EQ(found, second);
    EXPECT_EQ(report.already_known, 1);
    EXPECT_EQ(report.n_repeats, 4u);
    /* Whoever does not insist on the day gets the one asked for, else the latest. */
    identity.same_day_only = 0;
    identity.date = "2026-01-16";
    ASSERT_EQ(pkin_i_store_find_digest(store, &identity, date, &found), PKIN_OK);
    EXPECT_EQ(found, first);
    identity.date = "2026-01-20";
    ASSERT_EQ(pkin_i_store_find_digest(store, &identity, date, &found), PKIN_OK);
    EXPECT_EQ(found, second);
    EXPECT_STREQ(date, "2026-01-17");
    pkin_corpus_free(corpus);
}

} // namespace
