/* SPDX-License-Identifier: Apache-2.0 */
/* The main job from end to end, on invented digests in which what there is to find was planted. */
#include "digest_world.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <chrono>
#include <thread>

using namespace digest_world;

namespace {

/* Days of one feed: repeats, a new version, one work under two ids, related papers. */
struct Feed {
    Folder folder;
    std::vector<Paper> history, today;

    Feed() {
        for (size_t n = 1; n <= 24; n++) history.push_back(invent_paper(n, n % 4));
        for (size_t n = 101; n <= 108; n++) today.push_back(invent_paper(n, n % 4));
        history[0].id += "v1";
        today.push_back(history[0]); // 8: a new version
        today.back().id = "2601.00001v2";
        today.push_back(history[5]); // 9: a repeat
        today.push_back(today[0]);   // 10: a repeat inside the file
        Paper twin = history[7];     // 11: the same work under another id
        twin.id = "2603.00777";
        twin.abstract += " A word more.";
        today.push_back(twin);
        write_text(folder / "2026-01-05.jsonl", crawl(history));
        write_text(folder / "2026-04-08.md", markdown(today));
        write_text(folder / "2026-04-08.jsonl", crawl(today));
    }
    void ingest_history(pkin_store *store) const {
        ASSERT_EQ(pkin_store_ingest_file(store, (folder / "2026-01-05.jsonl").c_str(), nullptr, nullptr), PKIN_OK)
            << pkin_last_error();
    }
};

/* The part of a Markdown digest that belongs to entry `number`, its block included. */
std::string entry(const std::string &text, size_t number) {
    std::string head = "### [" + std::to_string(number) + "] ", next = "### [" + std::to_string(number + 1) + "] ";
    size_t begin = text.find(head), end = text.find(next);
    return begin == std::string::npos ? "" : text.substr(begin, end == std::string::npos ? end : end - begin);
}

TEST(DigestRun, FindsWhatWasPlanted) {
    Feed feed;
    Store store;
    feed.ingest_history(store);
    std::string out = feed.folder / "out";
    Job run(store, {feed.folder / "2026-04-08.md"}, into(out));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    ASSERT_EQ(run.report.n_files, 1u);
    const pkin_digest_file_report &report = run.report.files[0];
    std::string text = read_text(out + "/2026-04-08.md");
    EXPECT_NE(entry(text, 9).find("- **New version**: v2; v1, first seen 2026-01-05\n"), std::string::npos) << text;
    EXPECT_NE(entry(text, 10).find("- **Seen before**: 2026-01-05\n"), std::string::npos) << entry(text, 10);
    EXPECT_NE(entry(text, 11).find("- **Listed above**: entry 1\n"), std::string::npos) << entry(text, 11);
    EXPECT_EQ(entry(text, 11).find("**Related**"), std::string::npos) << entry(text, 11);
    std::string twin = entry(text, 12);
    EXPECT_NE(twin.find("- **Same work as** ["), std::string::npos) << twin;
    EXPECT_NE(twin.find("](https://arxiv.org/abs/2601.00008) (2026-01-05): "), std::string::npos) << twin;
    EXPECT_NE(twin.find("; shared terms: "), std::string::npos) << twin;
    // A paper that a verdict names needs no related link beside it, and no paper is related to itself.
    EXPECT_EQ(count(twin, "abs/2601.00008)"), 1u) << twin;
    EXPECT_EQ(count(twin.substr(twin.find("<!-- paperkin:begin")), "abs/2603.00777"), 0u) << twin;
    EXPECT_NE(entry(text, 1).find("- **Related**:\n    - ["), std::string::npos) << entry(text, 1);
    EXPECT_EQ(outside_blocks(text), read_text(feed.folder / "2026-04-08.md"));

    EXPECT_EQ(report.format, PKIN_FORMAT_MARKDOWN);
    EXPECT_STREQ(report.date, "2026-04-08");
    EXPECT_STREQ(report.path, (feed.folder / "2026-04-08.md").c_str());
    EXPECT_STREQ(report.out_path, (out + "/2026-04-08.md").c_str());
    EXPECT_EQ(report.changed, 1);
    EXPECT_EQ(report.n_records, 12u);
    EXPECT_EQ(report.n_papers, 11u);
    EXPECT_EQ(report.n_repeats, 1u);
    EXPECT_EQ(report.n_repeats_inside, 1u);
    EXPECT_EQ(report.n_new_versions, 1u);
    EXPECT_GE(report.n_same_work, 1u);
    EXPECT_EQ(report.n_related_links, count(text, "\n    - "));
    EXPECT_GT(report.n_with_related, 0u);
    EXPECT_EQ(run.report.n_store_papers, 24u + 9u);

    pkin_store_statistics statistics;
    ASSERT_EQ(pkin_store_describe(store, &statistics), PKIN_OK);
    EXPECT_EQ(statistics.n_links, report.n_related_links);
    EXPECT_GE(statistics.n_verdicts, 1u);
}

TEST(DigestRun, RelatedPapersAreOfTheSameTopic) {
    Feed feed;
    Store store;
    feed.ingest_history(store);
    Job run(store, {feed.folder / "2026-04-08.md"}, into(feed.folder / "out"));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    std::string text = read_text(feed.folder / "out/2026-04-08.md");
    std::string first = entry(text, 1); // paper 101, topic 1
    size_t links = 0, same = 0;
    for (size_t at = first.find("\n    - ["); at != std::string::npos; at = first.find("\n    - [", at + 1)) {
        size_t id = first.find("abs/2601.", at);
        size_t number = std::strtoul(first.c_str() + id + 9, nullptr, 10);
        links++;
        same += number % 4 == 1;
    }
    EXPECT_EQ(links, 5u) << first;
    EXPECT_EQ(same, links) << first;
}

TEST(DigestRun, RunningAgainChangesNothing) {
    for (const char *name : {"2026-04-08.md", "2026-04-08.jsonl"}) {
        Feed feed;
        Store store;
        feed.ingest_history(store);
        std::string path = feed.folder / name, original = read_text(path);
        pkin_digest_options options = pkin_digest_options_default();
        options.in_place = 1;
        Job first(store, {path}, options);
        ASSERT_EQ(first.status, PKIN_OK) << pkin_last_error();
        std::string once = read_text(path);
        EXPECT_NE(once, original);
        auto written = std::filesystem::last_write_time(path);
        Job second(store, {path}, options);
        ASSERT_EQ(second.status, PKIN_OK) << pkin_last_error();
        EXPECT_EQ(read_text(path), once);
        EXPECT_EQ(second.report.files[0].changed, 0);
        EXPECT_EQ(std::filesystem::last_write_time(path), written);
        uint64_t n_blocks = 0;
        ASSERT_EQ(pkin_digest_strip(path.c_str(), &options, &n_blocks), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(read_text(path), original);
        EXPECT_GT(n_blocks, 5u);
        ASSERT_EQ(pkin_digest_strip(path.c_str(), &options, &n_blocks), PKIN_OK);
        EXPECT_EQ(n_blocks, 0u);
    }
}

TEST(DigestRun, JsonLinesGetAMember) {
    Feed feed;
    Store store;
    feed.ingest_history(store);
    Job run(store, {feed.folder / "2026-04-08.jsonl"}, into(feed.folder / "out"));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    std::istringstream now(read_text(feed.folder / "out/2026-04-08.jsonl")),
        then(read_text(feed.folder / "2026-04-08.jsonl"));
    std::string annotated, original;
    size_t n_members = 0;
    while (std::getline(then, original)) {
        ASSERT_TRUE(std::getline(now, annotated));
        size_t member = annotated.find(", \"paperkin\": {\"version\": 1, ");
        if (member == std::string::npos) {
            EXPECT_EQ(annotated, original);
            continue;
        }
        n_members++;
        EXPECT_EQ(annotated.substr(0, member) + "}", original);
    }
    EXPECT_FALSE(std::getline(now, annotated));
    EXPECT_GE(n_members, 10u);
    if (std::system("python3 -c pass > /dev/null 2>&1") != 0) GTEST_SKIP() << "python3 is not installed";
    std::string check = "import json, sys; rows = [json.loads(l) for l in open(sys.argv[1], encoding='utf-8')];"
                        "assert rows[8]['paperkin']['new_version'] == {'from': 1, 'to': 2};"
                        "assert rows[10]['paperkin']['listed_above'] == 1;"
                        "assert rows[11]['paperkin']['verdicts'][0]['key'] == 'arxiv:2601.00008';"
                        "assert rows[9]['paperkin']['seen']['first'] == {'date': '2026-01-05'}";
    std::string command = "python3 -c \"" + check + "\" '" + (feed.folder / "out/2026-04-08.jsonl") + "'";
    EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(DigestRun, TheNumberOfThreadsDoesNotMatter) {
    std::string texts[2];
    for (int turn = 0; turn < 2; turn++) {
        Feed feed;
        Store store;
        feed.ingest_history(store);
        pkin_digest_options options = pkin_digest_options_default();
        options.in_place = 1;
        options.n_threads = turn == 0 ? 1 : 4;
        Job run(store, {feed.folder / "2026-04-08.md"}, options);
        ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
        texts[turn] = read_text(feed.folder / "2026-04-08.md");
    }
    EXPECT_EQ(texts[0], texts[1]);
}

TEST(DigestRun, Languages) {
    for (int languages = PKIN_LANGUAGES_EN; languages <= PKIN_LANGUAGES_BOTH; languages++) {
        Feed feed;
        Store store;
        feed.ingest_history(store);
        std::string folder = feed.folder / "out";
        pkin_digest_options options = into(folder);
        options.languages = languages;
        Job run(store, {feed.folder / "2026-04-08.md"}, options);
        ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
        std::string text = read_text(folder + "/2026-04-08.md");
        EXPECT_EQ(text.find("Related") != std::string::npos, (languages & PKIN_LANGUAGES_EN) != 0);
        EXPECT_EQ(text.find("相关论文") != std::string::npos, (languages & PKIN_LANGUAGES_ZH) != 0);
        EXPECT_EQ(outside_blocks(text), read_text(feed.folder / "2026-04-08.md"));
    }
}

TEST(DigestRun, ADryRunWritesNothing) {
    Feed feed;
    std::string path = feed.folder / "store.sqlite";
    {
        Store store(path);
        feed.ingest_history(store);
    }
    std::string before = dump(path), day = read_text(feed.folder / "2026-04-08.md"), diff;
    pkin_digest_options options = pkin_digest_options_default();
    options.dry_run = 1;
    options.on_text = [](void *user, const char *bytes, size_t n) {
        static_cast<std::string *>(user)->append(bytes, n);
    };
    options.text_user = &diff;
    {
        Store store(path);
        Job run(store, {feed.folder / "2026-04-08.md"}, options);
        ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
        EXPECT_STREQ(run.report.files[0].out_path, "");
        EXPECT_EQ(run.report.files[0].changed, 1);
    }
    EXPECT_EQ(dump(path), before);
    EXPECT_EQ(read_text(feed.folder / "2026-04-08.md"), day);
    // The diff makes of the digest what a real run makes of it.
    Store store(path);
    Job real(store, {feed.folder / "2026-04-08.md"}, into(feed.folder / "out"));
    ASSERT_EQ(real.status, PKIN_OK);
    if (std::system("patch --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "patch is not installed";
    write_text(feed.folder / "day.diff", diff);
    std::string command =
        "patch -s -p0 '" + (feed.folder / "2026-04-08.md") + "' < '" + (feed.folder / "day.diff") + "'";
    EXPECT_EQ(std::system(command.c_str()), 0);
    EXPECT_EQ(read_text(feed.folder / "2026-04-08.md"), read_text(feed.folder / "out/2026-04-08.md"));
}

TEST(DigestRun, LaterPapersAreMarkedAsLater) {
    Feed feed;
    Store store;
    feed.ingest_history(store);
    write_text(feed.folder / "2026-01-03.md", markdown({invent_paper(33, 1)}));
    Job run(store, {feed.folder / "2026-01-03.md"}, into(feed.folder / "out"));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    std::string text = read_text(feed.folder / "out/2026-01-03.md");
    EXPECT_NE(text.find(" · 2026-01-05, later · "), std::string::npos) << text;
}

TEST(DigestRun, HistoryReadInLaterShowsItsOwnDate) {
    Feed feed;
    Store store;
    pkin_ingest_options ingest = pkin_ingest_options_default();
    ingest.date = "2026-06-30";
    ASSERT_EQ(pkin_store_ingest_file(store, (feed.folder / "2026-01-05.jsonl").c_str(), &ingest, nullptr), PKIN_OK);
    Job run(store, {feed.folder / "2026-04-08.md"}, into(feed.folder / "out"));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    std::string text = read_text(feed.folder / "out/2026-04-08.md");
    EXPECT_NE(text.find(" · 2026-01 · "), std::string::npos) << text;
    EXPECT_EQ(text.find("later"), std::string::npos) << text;
    EXPECT_EQ(text.find("Seen before"), std::string::npos) << text;
}

TEST(DigestRun, SeveralFilesAtOnce) {
    Feed feed;
    Store store;
    write_text(feed.folder / "2026-01-06.md", markdown({invent_paper(1, 1), invent_paper(50, 2)}));
    std::string out = feed.folder / "out";
    Job run(store, {feed.folder / "2026-01-06.md", feed.folder / "2026-04-08.md", feed.folder / "2026-01-05.jsonl"},
            into(out));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    ASSERT_EQ(run.report.n_files, 3u);
    // Dates decide what is earlier, not the order on the command line.
    EXPECT_NE(entry(read_text(out + "/2026-01-06.md"), 1).find("**Seen before**: 2026-01-05\n"), std::string::npos);
    EXPECT_EQ(run.report.files[2].n_repeats, 0u);
    EXPECT_NE(entry(read_text(out + "/2026-04-08.md"), 9).find("2026-01-05"), std::string::npos);
}

TEST(DigestRun, RefusesOutputsThatCollide) {
    Feed feed;
    Store store;
    std::filesystem::create_directories(feed.folder / "a");
    std::string copy = feed.folder / "a/2026-04-08.md", path = feed.folder / "2026-04-08.md";
    write_text(copy, read_text(path));
    std::string out = feed.folder / "out", here = feed.folder / "", text = read_text(path);
    EXPECT_EQ(Job(store, {path, copy}, into(out)).status, PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_FALSE(std::filesystem::exists(out));
    EXPECT_EQ(Job(store, {path}, into(here)).status, PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(std::string(pkin_last_error()).find("in place"), std::string::npos);
    EXPECT_EQ(read_text(path), text);
    std::filesystem::create_symlink(path, feed.folder / "link.md");
    pkin_digest_options in_place = pkin_digest_options_default();
    in_place.in_place = 1;
    EXPECT_EQ(Job(store, {path, feed.folder / "link.md"}, in_place).status, PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(Job(store, {path, path}, in_place).status, PKIN_ERROR_INVALID_ARGUMENT);
    pkin_store_statistics statistics;
    ASSERT_EQ(pkin_store_describe(store, &statistics), PKIN_OK);
    EXPECT_EQ(statistics.n_digests, 0u);
}

TEST(DigestRun, RefusesBadOptions) {
    Feed feed;
    Store store;
    std::string path = feed.folder / "2026-04-08.md", out = feed.folder / "out";
    EXPECT_EQ(Job(store, {path}, pkin_digest_options_default()).status, PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(Job(store, {}, into(out)).status, PKIN_ERROR_INVALID_ARGUMENT);
    pkin_digest_options options = into(out);
    options.languages = 7;
    EXPECT_EQ(Job(store, {path}, options).status, PKIN_ERROR_INVALID_ARGUMENT);
    options = into(out);
    options.related_floor = 1.5;
    EXPECT_EQ(Job(store, {path}, options).status, PKIN_ERROR_INVALID_ARGUMENT);
    options = into(out);
    options.date = "2026-01-01";
    EXPECT_EQ(Job(store, {path, feed.folder / "2026-01-05.jsonl"}, options).status, PKIN_ERROR_INVALID_ARGUMENT);
    options = into(out);
    options.size += 8;
    EXPECT_EQ(Job(store, {path}, options).status, PKIN_ERROR_INVALID_ARGUMENT);
    options = into(out);
    options.backend = "abacus";
    EXPECT_EQ(Job(store, {path}, options).status, PKIN_ERROR_UNSUPPORTED);
    EXPECT_FALSE(std::filesystem::exists(out + "/2026-04-08.md"));
}

TEST(DigestRun, FilesBeforeABadOneAreFinished) {
    Feed feed;
    Store store;
    write_text(feed.folder / "noise.md", "no digest at all\n");
    std::string out = feed.folder / "out";
    Job run(store, {feed.folder / "2026-04-08.md", feed.folder / "noise.md", feed.folder / "2026-01-05.jsonl"},
            into(out));
    EXPECT_EQ(run.status, PKIN_ERROR_NOT_A_DIGEST);
    EXPECT_NE(std::string(pkin_last_error()).find("noise.md"), std::string::npos);
    EXPECT_EQ(run.report.n_files, 1u);
    EXPECT_TRUE(std::filesystem::exists(out + "/2026-04-08.md"));
    EXPECT_FALSE(std::filesystem::exists(out + "/noise.md"));
    EXPECT_FALSE(std::filesystem::exists(out + "/2026-01-05.jsonl"));
}

struct ToldLines {
    std::vector<uint64_t> lines;
    int n_skipped = 0;
    static void tell(void *user, const pkin_diagnostic *diagnostic) {
        auto *told = static_cast<ToldLines *>(user);
        told->lines.push_back(diagnostic->line);
        told->n_skipped += diagnostic->skipped_record;
    }
    void listen(pkin_digest_options &options) {
        options.on_diagnostic = tell;
        options.diagnostic_user = this;
    }
};

/* A torn block: its text stays, is told with its line in the file as it is, and the run goes on. */
TEST(DigestRun, BrokenMarkersAreTextAndTold) {
    Feed feed;
    Store store;
    std::string path = feed.folder / "2026-04-08.md", end = "<!-- paperkin:end -->\n";
    feed.ingest_history(store);
    pkin_digest_options options = pkin_digest_options_default();
    options.in_place = 1;
    ASSERT_EQ(Job(store, {path}, options).status, PKIN_OK) << pkin_last_error();
    std::string text = read_text(path);
    ASSERT_GT(count(text, end), 3u);
    size_t last = text.rfind(end), line = 1;
    text.erase(last, end.size());
    size_t torn = text.rfind("<!-- paperkin:begin -->");
    for (size_t at = 0; at < torn; at++) line += text[at] == '\n';
    write_text(path, text);
    EXPECT_EQ(pkin_digest_strip(path.c_str(), &options, nullptr), PKIN_ERROR_CORRUPT);
    EXPECT_NE(std::string(pkin_last_error()).find(":" + std::to_string(line) + ":"), std::string::npos);
    EXPECT_EQ(read_text(path), text);
    ToldLines told;
    told.listen(options);
    ASSERT_EQ(Job(store, {path}, options).status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(told.lines, std::vector<uint64_t>{line});
    EXPECT_EQ(told.n_skipped, 0);
    std::string once = read_text(path);
    ASSERT_EQ(Job(store, {path}, options).status, PKIN_OK);
    EXPECT_EQ(read_text(path), once);
}

/* A feed's own member of that name is not paperkin's to take away, and no object may have two. */
TEST(DigestRun, AMemberOfSomebodyElseStays) {
    Folder folder;
    Store store;
    std::string path = folder / "2026-01-05.jsonl", text;
    for (size_t n = 1; n <= 4; n++) {
        std::string line = crawl_line(invent_paper(n, 0));
        if (n != 3) line.insert(line.size() - 1, ", \"paperkin\": {\"score\": 1}");
        text += line + "\n";
    }
    write_text(path, text);
    pkin_digest_options options = pkin_digest_options_default();
    ToldLines told;
    options.in_place = 1;
    options.related_floor = 0.01;
    told.listen(options);
    for (int turn = 0; turn < 2; turn++) {
        told.lines.clear();
        ASSERT_EQ(Job(store, {path}, options).status, PKIN_OK) << pkin_last_error();
        EXPECT_EQ(told.lines, std::vector<uint64_t>{1}) << "once, not for every record";
        EXPECT_EQ(count(read_text(path), "\"paperkin\": {\"score\": 1}}\n"), 3u);
        EXPECT_EQ(count(read_text(path), "\"paperkin\": "), 4u);
        EXPECT_EQ(count(read_text(path), "\"paperkin\": {\"version\": 1, "), 1u);
    }
    ASSERT_EQ(pkin_digest_strip(path.c_str(), &options, nullptr), PKIN_OK);
    EXPECT_EQ(read_text(path), text);
}

/* What `mkfifo` and `<(...)` give can be read once; looking at it again would wait for ever. */
TEST(DigestRun, APipeIsReadOnce) {
    Folder folder;
    Store store;
    std::string path = folder / "2026-01-05.jsonl", text = crawl({invent_paper(1, 0), invent_paper(2, 0)});
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    std::thread writer([&] { write_text(path, text); });
    std::string out = folder / "out";
    pkin_digest_options options = into(out);
    alarm(120); /* a hang ends the test, not the patience of whoever runs it */
    EXPECT_EQ(Job(store, {path}, options).status, PKIN_OK) << pkin_last_error();
    writer.join();
    std::thread second([&] { write_text(path, text); });
    pkin_gate_report report;
    EXPECT_EQ(pkin_gate_run(store, path.c_str(), (folder / "new.jsonl").c_str(), nullptr, &report), PKIN_OK)
        << pkin_last_error();
    second.join();
    alarm(0);
    EXPECT_EQ(report.n_records, 2u);
}

/* Copies under thousands of ids: work and verdicts a paper are bounded. */
TEST(DigestRun, AFloodOfCopiesIsBounded) {
    enum { N_COPIES = 3000, MAX_JUDGED = 64 };
    Folder folder;
    std::vector<Paper> papers(N_COPIES, invent_paper(1, 0));
    for (size_t n = 0; n < papers.size(); n++) papers[n].id = "2601." + std::to_string(10000 + n);
    std::string path = folder / "2026-01-05.jsonl", database = folder / "store.sqlite";
    write_text(path, crawl(papers));
    auto begin = std::chrono::steady_clock::now();
    {
        Store store(database);
        Job job(store, {path}, into(folder / "out"));
        ASSERT_EQ(job.status, PKIN_OK) << pkin_last_error();
        EXPECT_EQ(job.report.files[0].n_same_work, static_cast<uint64_t>(N_COPIES));
        EXPECT_LE(job.report.files[0].n_related_links, 5u * N_COPIES);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(120));
    sqlite3 *db = nullptr;
    sqlite3_stmt *query = nullptr;
    ASSERT_EQ(sqlite3_open_v2(database.c_str(), &db, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
    ASSERT_EQ(sqlite3_prepare_v2(db, "SELECT count(*) FROM verdicts", -1, &query, nullptr), SQLITE_OK);
    ASSERT_EQ(sqlite3_step(query), SQLITE_ROW);
    EXPECT_LE(sqlite3_column_int64(query, 0), N_COPIES * MAX_JUDGED);
    sqlite3_finalize(query);
    sqlite3_close(db);
    std::string text = read_text(folder / "out/2026-01-05.jsonl"), more = "\"more_verdicts\": ";
    for (size_t at = text.find(more); at != std::string::npos; at = text.find(more, at + 1)) {
        ASSERT_LE(std::stoul(text.substr(at + more.size(), 8)), MAX_JUDGED - 5u);
    }
}

TEST(DigestRun, CompressedInputComesBackPlain) {
    Feed feed;
    Store store;
    std::string text = read_text(feed.folder / "2026-04-08.jsonl"), packed = feed.folder / "2026-04-08.jsonl.gz";
    gzFile stream = gzopen(packed.c_str(), "wb");
    ASSERT_EQ(gzwrite(stream, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
    gzclose(stream);
    pkin_digest_options in_place = pkin_digest_options_default();
    in_place.in_place = 1;
    EXPECT_EQ(Job(store, {packed}, in_place).status, PKIN_ERROR_UNSUPPORTED);
    EXPECT_NE(std::string(pkin_last_error()).find("output folder"), std::string::npos);
    std::string out = feed.folder / "out";
    Job run(store, {packed}, into(out));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    std::string annotated = read_text(out + "/2026-04-08.jsonl");
    EXPECT_EQ(count(annotated, "\n"), count(text, "\n"));
    EXPECT_GT(count(annotated, "\"paperkin\""), 0u);
    // Reading both forms of one day is a collision of outputs.
    EXPECT_EQ(Job(store, {packed, feed.folder / "2026-04-08.jsonl"}, into(out)).status, PKIN_ERROR_INVALID_ARGUMENT);
}

TEST(DigestRun, CancellingEndsTheRun) {
    Feed feed;
    Store store;
    std::string out = feed.folder / "out";
    for (int after = 0; after < 4; after++) {
        int left = after;
        pkin_digest_options options = into(out);
        options.on_progress = [](void *user, const char *, uint64_t, uint64_t) {
            return (*static_cast<int *>(user))-- <= 0 ? 1 : 0;
        };
        options.progress_user = &left;
        EXPECT_EQ(Job(store, {feed.folder / "2026-04-08.md"}, options).status, PKIN_ERROR_CANCELLED);
        EXPECT_FALSE(std::filesystem::exists(out + "/2026-04-08.md"));
    }
    EXPECT_EQ(Job(store, {feed.folder / "2026-04-08.md"}, into(out)).status, PKIN_OK);
}

TEST(DigestRun, DigestsWithoutPapersStayAsTheyAre) {
    Folder folder;
    Store store;
    std::string toc = "<div id=toc></div>\n\n# Table of Contents\n\n- [cs.PL](#cs.PL) [Total: 0]\n";
    write_text(folder / "2026-01-05.md", toc);
    write_text(folder / "2026-01-06.jsonl", "");
    std::string out = folder / "out";
    Job run(store, {folder / "2026-01-05.md", folder / "2026-01-06.jsonl"}, into(out));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(read_text(out + "/2026-01-05.md"), toc);
    EXPECT_EQ(read_text(out + "/2026-01-06.jsonl"), "");
    EXPECT_EQ(run.report.files[0].changed, 0);
}

TEST(DigestRun, AGateBeforeTheDigestIsNotAnEarlierDigest) {
    Feed feed;
    Store store;
    pkin_gate_report gate;
    std::string path = feed.folder / "2026-04-08.jsonl", out = feed.folder / "new.jsonl";
    ASSERT_EQ(pkin_gate_run(store, path.c_str(), out.c_str(), nullptr, &gate), PKIN_OK) << pkin_last_error();
    Job run(store, {feed.folder / "2026-04-08.md"}, into(feed.folder / "out"));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(run.report.files[0].n_repeats, 0u);
    EXPECT_EQ(run.report.files[0].n_repeats_inside, 1u);
    EXPECT_EQ(read_text(feed.folder / "out/2026-04-08.md").find("Seen before"), std::string::npos);
}

TEST(DigestRun, FloodsOfCopiesAreCounted) {
    Folder folder;
    Store store;
    std::vector<Paper> papers;
    for (size_t n = 1; n <= 9; n++) {
        Paper paper = invent_paper(n, 0);
        paper.title = "One title for all of them with many words";
        paper.abstract = invent_text(0, 4);
        paper.authors = {"Ada Invented", "Bo Fictional"};
        papers.push_back(paper);
    }
    write_text(folder / "2026-01-05.md", markdown(papers));
    Job run(store, {folder / "2026-01-05.md"}, into(folder / "out"));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    std::string text = read_text(folder / "out/2026-01-05.md");
    EXPECT_EQ(count(text, "**Same work as**"), 9u * 5) << text;
    EXPECT_EQ(count(text, "**More of these**: 3\n"), 9u);
    EXPECT_EQ(run.report.files[0].n_same_work, 9u);
}

} // namespace
