/* SPDX-License-Identifier: Apache-2.0 */
#include "digest_world.h"

using namespace digest_world;

namespace {

struct Gate {
    pkin_gate_report report{};
    pkin_status status;
    std::string text;
    Gate(pkin_store *store, const Folder &folder, const std::string &name, pkin_gate_options options) {
        std::string out = folder / "new.jsonl";
        std::filesystem::remove(out);
        status = pkin_gate_run(store, (folder / name).c_str(), out.c_str(), &options, &report);
        text = read_text(out);
    }
    Gate(pkin_store *store, const Folder &folder, const std::string &name)
        : Gate(store, folder, name, pkin_gate_options_default()) {}
};

Paper versioned(Paper paper, const char *version) {
    paper.id += version;
    return paper;
}

TEST(DigestGate, KeepsWhatIsNewToTheByte) {
    Folder folder;
    Store store;
    Paper a = invent_paper(1, 0), b = invent_paper(2, 1), c = invent_paper(3, 2);
    write_text(folder / "2026-01-05.jsonl", crawl({a, b, a}));
    Gate first(store, folder, "2026-01-05.jsonl");
    ASSERT_EQ(first.status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(first.text, crawl({a, b}));
    EXPECT_STREQ(first.report.date, "2026-01-05");
    EXPECT_EQ(first.report.n_records, 3u);
    EXPECT_EQ(first.report.n_papers, 2u);
    EXPECT_EQ(first.report.n_repeats_inside, 1u);
    EXPECT_EQ(first.report.n_new, 2u);
    EXPECT_EQ(first.report.n_written, 2u);
    // Odd spacing, a missing last line end and Windows line ends go through as they are.
    std::string odd = "  " + crawl_line(c) + " \r\n" + crawl_line(b) + "\r\n\r\n" + crawl_line(invent_paper(4, 3));
    write_text(folder / "2026-01-09.jsonl", odd);
    Gate second(store, folder, "2026-01-09.jsonl");
    ASSERT_EQ(second.status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(second.text.substr(second.text.find('{')), crawl_line(c) + " \r\n" + crawl_line(invent_paper(4, 3)));
    EXPECT_EQ(second.report.n_repeats, 1u);
    EXPECT_EQ(second.report.n_new, 2u);
}

TEST(DigestGate, AskingTwiceGivesTheSameAnswer) {
    Folder folder;
    Store store;
    write_text(folder / "2026-01-05.jsonl", crawl({invent_paper(1, 0), invent_paper(2, 1)}));
    write_text(folder / "2026-01-06.jsonl", crawl({invent_paper(1, 0), invent_paper(3, 1)}));
    Gate a(store, folder, "2026-01-05.jsonl"), b(store, folder, "2026-01-06.jsonl");
    Gate again_a(store, folder, "2026-01-05.jsonl"), again_b(store, folder, "2026-01-06.jsonl");
    EXPECT_EQ(again_a.text, a.text);
    EXPECT_EQ(again_b.text, b.text);
    EXPECT_EQ(again_a.report.n_new, 2u);
    EXPECT_EQ(again_b.report.n_new, 1u);
    EXPECT_EQ(again_b.report.n_repeats, 1u);
    // The same bytes under the name of another day are another digest, and wholly a repeat.
    write_text(folder / "2026-01-07.jsonl", read_text(folder / "2026-01-06.jsonl"));
    Gate copy(store, folder, "2026-01-07.jsonl");
    EXPECT_EQ(copy.text, "");
    EXPECT_EQ(copy.report.n_repeats, 2u);
}

TEST(DigestGate, TwoNamesOnOneDay) {
    Folder folder;
    Store store;
    write_text(folder / "2026-01-05-a.jsonl", crawl({invent_paper(1, 0)}));
    write_text(folder / "2026-01-05-b.jsonl", crawl({invent_paper(1, 0), invent_paper(2, 0)}));
    Gate a(store, folder, "2026-01-05-a.jsonl"), b(store, folder, "2026-01-05-b.jsonl");
    EXPECT_EQ(b.report.n_repeats, 1u);
    EXPECT_EQ(b.text, crawl({invent_paper(2, 0)}));
    Gate again(store, folder, "2026-01-05-a.jsonl");
    EXPECT_EQ(again.report.n_new, 1u);
}

TEST(DigestGate, VersionsFollowThePolicy) {
    Folder folder;
    Store store;
    Paper a = invent_paper(1, 0), b = invent_paper(2, 1), c = invent_paper(3, 2), d = invent_paper(4, 3);
    write_text(folder / "2026-01-05.jsonl", crawl({versioned(a, "v1"), versioned(b, "v2"), c}));
    Gate first(store, folder, "2026-01-05.jsonl");
    ASSERT_EQ(first.status, PKIN_OK) << pkin_last_error();
    // a: higher; b: lower; c: version unknown before, so a repeat; d: new.
    write_text(folder / "2026-01-08.jsonl", crawl({versioned(a, "v2"), versioned(b, "v1"), versioned(c, "v4"), d}));
    const std::string expected[] = {crawl({versioned(a, "v2"), d}), crawl({d}), crawl({versioned(a, "v2")})};
    for (int policy = PKIN_NEW_VERSIONS_KEEP; policy <= PKIN_NEW_VERSIONS_ONLY; policy++) {
        pkin_gate_options options = pkin_gate_options_default();
        options.new_versions = static_cast<pkin_new_versions>(policy);
        Gate gate(store, folder, "2026-01-08.jsonl", options);
        ASSERT_EQ(gate.status, PKIN_OK) << pkin_last_error();
        EXPECT_EQ(gate.text, expected[policy]);
        EXPECT_EQ(gate.report.n_new, 1u);
        EXPECT_EQ(gate.report.n_new_versions, 1u);
        EXPECT_EQ(gate.report.n_repeats, 2u);
    }
}

TEST(DigestGate, AskingOnlyLeavesTheStoreAlone) {
    Folder folder;
    std::string path = folder / "store.sqlite", before;
    write_text(folder / "2026-01-05.jsonl", crawl({invent_paper(1, 0)}));
    write_text(folder / "2026-01-06.jsonl", crawl({invent_paper(1, 0), invent_paper(2, 0)}));
    pkin_gate_options ask = pkin_gate_options_default();
    ask.record = 0;
    {
        Store store(path);
        Gate first(store, folder, "2026-01-05.jsonl");
    }
    before = dump(path);
    EXPECT_NE(before.find("2026-01-05"), std::string::npos);
    for (pkin_store_mode mode : {PKIN_STORE_READ_WRITE, PKIN_STORE_READ_ONLY}) {
        Store store(path, mode);
        for (int turn = 0; turn < 2; turn++) {
            Gate asked(store, folder, "2026-01-06.jsonl", ask);
            ASSERT_EQ(asked.status, PKIN_OK) << pkin_last_error();
            EXPECT_EQ(asked.report.n_new, 1u);
            EXPECT_EQ(asked.report.n_repeats, 1u);
            EXPECT_EQ(asked.text, crawl({invent_paper(2, 0)}));
        }
        Gate known(store, folder, "2026-01-05.jsonl", ask);
        EXPECT_EQ(known.report.n_new, 1u);
    }
    EXPECT_EQ(dump(path), before);
    Store reader(path, PKIN_STORE_READ_ONLY);
    Gate refused(reader, folder, "2026-01-06.jsonl");
    EXPECT_NE(refused.status, PKIN_OK);
    EXPECT_EQ(refused.text, "");
}

TEST(DigestGate, UnreadableLinesAreReportedAndLeftOut) {
    Folder folder;
    Store store;
    std::string good = crawl({invent_paper(1, 0)});
    write_text(folder / "2026-01-05.jsonl",
               good + "{\"id\": broken\n" + crawl({invent_paper(2, 0)}) + "{\"title\": 1}\n");
    std::vector<uint64_t> lines;
    pkin_gate_options options = pkin_gate_options_default();
    options.on_diagnostic = [](void *user, const pkin_diagnostic *diagnostic) {
        if (diagnostic->skipped_record) static_cast<std::vector<uint64_t> *>(user)->push_back(diagnostic->line);
    };
    options.diagnostic_user = &lines;
    Gate gate(store, folder, "2026-01-05.jsonl", options);
    ASSERT_EQ(gate.status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(gate.text, good + crawl({invent_paper(2, 0)}));
    EXPECT_EQ(gate.report.n_skipped, 2u);
    EXPECT_EQ(lines, (std::vector<uint64_t>{2, 4}));
}

TEST(DigestGate, ByteOrderMarkStaysWithTheFile) {
    Folder folder;
    Store store;
    write_text(folder / "2026-01-04.jsonl", crawl({invent_paper(1, 0)}));
    Gate earlier(store, folder, "2026-01-04.jsonl");
    write_text(folder / "2026-01-05.jsonl", "\xEF\xBB\xBF" + crawl({invent_paper(1, 0), invent_paper(2, 0)}));
    Gate gate(store, folder, "2026-01-05.jsonl");
    ASSERT_EQ(gate.status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(gate.text, "\xEF\xBB\xBF" + crawl({invent_paper(2, 0)}));
    write_text(folder / "2026-01-06.jsonl", "\xEF\xBB\xBF" + crawl({invent_paper(3, 0)}));
    Gate first(store, folder, "2026-01-06.jsonl");
    EXPECT_EQ(first.text, "\xEF\xBB\xBF" + crawl({invent_paper(3, 0)}));
}

TEST(DigestGate, RefusesWhatItCannotDo) {
    Folder folder;
    Store store;
    pkin_gate_report report;
    write_text(folder / "2026-01-05.md", markdown({invent_paper(1, 0)}));
    Gate digest(store, folder, "2026-01-05.md");
    EXPECT_EQ(digest.status, PKIN_ERROR_UNSUPPORTED);
    EXPECT_NE(std::string(pkin_last_error()).find("JSON lines"), std::string::npos);
    write_text(folder / "noise.jsonl", "just some words\n");
    Gate noise(store, folder, "noise.jsonl");
    EXPECT_EQ(noise.status, PKIN_ERROR_NOT_A_DIGEST);
    Gate missing(store, folder, "absent.jsonl");
    EXPECT_NE(missing.status, PKIN_OK);
    std::string path = folder / "2026-01-06.jsonl";
    write_text(path, crawl({invent_paper(1, 0)}));
    EXPECT_EQ(pkin_gate_run(store, path.c_str(), path.c_str(), nullptr, &report), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(read_text(path), crawl({invent_paper(1, 0)}));
    pkin_gate_options options = pkin_gate_options_default();
    options.date = "2026-13-45";
    Gate dated(store, folder, "2026-01-06.jsonl", options);
    EXPECT_NE(dated.status, PKIN_OK);
    EXPECT_EQ(dated.text, "");
}

TEST(DigestGate, WhenTheOutputCannotBeWrittenNothingIsRemembered) {
    Folder folder;
    Store store;
    pkin_gate_report report;
    pkin_store_statistics statistics;
    write_text(folder / "2026-01-05.jsonl", crawl({invent_paper(1, 0)}));
    pkin_status status = pkin_gate_run(store, (folder / "2026-01-05.jsonl").c_str(),
                                       (folder / "no/such/new.jsonl").c_str(), nullptr, &report);
    EXPECT_EQ(status, PKIN_ERROR_IO);
    ASSERT_EQ(pkin_store_describe(store, &statistics), PKIN_OK);
    EXPECT_EQ(statistics.n_papers, 0u);
    EXPECT_EQ(statistics.n_digests, 0u);
}

TEST(DigestGate, AnEmptyDayIsADay) {
    Folder folder;
    Store store;
    write_text(folder / "2026-01-05.jsonl", "");
    Gate gate(store, folder, "2026-01-05.jsonl");
    EXPECT_EQ(gate.status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(gate.report.n_written, 0u);
    EXPECT_TRUE(std::filesystem::exists(folder / "new.jsonl"));
}

} // namespace
