/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and novelty in digests: the lines of a block, the section at the top, and whole runs. */
#include "digest_world.h"

#include <zlib.h>

#include "digest/annotate.h"
#include "digest/markdown_writer.h"
#include "paperkin/threads.h"

using namespace digest_world;

namespace {

const std::string begin_line = "<!-- paperkin:begin -->", end_line = "<!-- paperkin:end -->";

struct Text {
    pkin_i_buffer buffer{};
    ~Text() {
        pkin_i_buffer_free(&buffer);
    }
    std::string str() const {
        return std::string(buffer.bytes ? buffer.bytes : "", buffer.n_bytes);
    }
};

pkin_i_thread_line thread_line(const char *id, const char *label) {
    pkin_i_thread_line line{};
    line.id = id;
    line.label = label;
    line.label_chinese = "";
    line.field = "";
    line.since = "2025-11-03";
    line.ended = "";
    line.n_papers = 41;
    line.age_days = 65;
    return line;
}

std::string block(const pkin_i_annotation &annotation, int languages = PKIN_LANGUAGES_EN) {
    Text text;
    EXPECT_EQ(pkin_i_markdown_block(&annotation, languages, "\n", &text.buffer), PKIN_OK);
    return text.str();
}

std::string member(const pkin_i_annotation &annotation) {
    Text text;
    EXPECT_EQ(pkin_i_json_member(&annotation, PKIN_LANGUAGES_EN, &text.buffer), PKIN_OK);
    return text.str();
}

/* ---- Lines of a block ---- */

TEST(DigestThreads, AThreadIsNamedWithSizeAndAge) {
    pkin_i_annotation annotation{};
    annotation.key = "arxiv:2601.00001";
    EXPECT_TRUE(pkin_i_annotation_is_empty(&annotation));
    annotation.has_thread = true;
    annotation.thread = thread_line("tabc2345", "KV cache compression");
    EXPECT_FALSE(pkin_i_annotation_is_empty(&annotation));
    EXPECT_EQ(block(annotation),
              "\n- **Thread**: KV cache compression · 41 papers · since 2025-11-03 (9 wk) · `tabc2345`\n\n");
    EXPECT_EQ(block(annotation, PKIN_LANGUAGES_ZH),
              "\n- **主题**：KV cache compression · 41 篇 · 始于 2025-11-03 (9 周) · `tabc2345`\n\n");
    EXPECT_EQ(member(annotation),
              ", \"paperkin\": {\"version\": 1, \"key\": \"arxiv:2601.00001\", \"thread\": {\"id\": \"tabc2345\", "
              "\"label\": \"KV cache compression\", \"papers\": 41, \"since\": \"2025-11-03\", \"new\": false}}");
    annotation.thread.label_chinese = "KV 缓存压缩";
    EXPECT_NE(block(annotation).find("**: KV cache compression · 41"), std::string::npos);
    EXPECT_NE(block(annotation, PKIN_LANGUAGES_ZH).find("**：KV 缓存压缩 · 41"), std::string::npos);
    EXPECT_NE(block(annotation, PKIN_LANGUAGES_BOTH).find("**: KV cache compression · KV 缓存压缩 · 41"),
              std::string::npos);
    EXPECT_NE(member(annotation).find(", \"label_zh\": \"KV 缓存压缩\", \"papers\""), std::string::npos);
}

/* Labels are made of other people's words, in either language. */
TEST(DigestThreads, LabelsAreEscaped) {
    const char *const hostile[] = {"<b>bold", "](http://evil)", "<!-- paperkin:end -->", "a\n# heading"};
    for (const char *label : hostile) {
        pkin_i_annotation english{}, chinese{};
        english.has_thread = chinese.has_thread = true;
        english.thread = thread_line("tabc2345", label);
        chinese.thread = thread_line("tabc2345", "x");
        chinese.thread.label_chinese = label;
        for (const std::string &text : {block(english), block(chinese, PKIN_LANGUAGES_ZH)}) {
            EXPECT_EQ(text.find(label), std::string::npos) << text;
            EXPECT_EQ(count(text, "\n"), 3u) << text; // empty line, the thread's, empty line
        }
    }
}

TEST(DigestThreads, AgesAndStates) {
    auto told = [](int32_t age, bool is_new, const char *since = "2025-11-03", const char *ended = "") {
        pkin_i_annotation annotation{};
        annotation.has_thread = true;
        annotation.thread = thread_line("tabc2345", "x");
        annotation.thread.age_days = age;
        annotation.thread.since = since;
        annotation.thread.is_new = is_new;
        annotation.thread.ended = ended;
        if (*ended) annotation.thread.n_papers = 0;
        std::string text = block(annotation);
        size_t begin = text.find("x · ") + strlen("x · ");
        return text.substr(begin, text.find(" · `") - begin);
    };
    EXPECT_EQ(told(0, true), "41 papers · new today");
    EXPECT_EQ(told(1, false), "41 papers · since 2025-11-03 (1 d)");
    EXPECT_EQ(told(13, false), "41 papers · since 2025-11-03 (13 d)");
    EXPECT_EQ(told(14, true), "41 papers · since 2025-11-03 (2 wk) · new today");
    EXPECT_EQ(told(370, false), "41 papers · since 2025-11-03 (52 wk)");
    EXPECT_EQ(told(371, false), "41 papers · since 2025-11-03 (12 mo)");
    EXPECT_EQ(told(800, false), "41 papers · since 2025-11-03 (26 mo)");
    EXPECT_EQ(told(-1, false), "41 papers · since 2025-11-03");
    EXPECT_EQ(told(-1, false, ""), "41 papers");
    EXPECT_EQ(told(65, false, "", "2026-02-01"), "ended 2026-02-01");
}

TEST(DigestThreads, NoveltyNamesTheClosestEarlierPaper) {
    pkin_i_annotation annotation{};
    annotation.key = "k";
    annotation.novelty.is_known = true;
    annotation.novelty.percentile = 93;
    EXPECT_FALSE(pkin_i_annotation_is_empty(&annotation));
    EXPECT_EQ(block(annotation), "\n- **Novelty**: 93/100\n\n");
    EXPECT_NE(member(annotation).find("\"novelty\": {\"percentile\": 93}}"), std::string::npos);
    annotation.novelty.has_nearest = true;
    annotation.novelty.cosine = 0.2071;
    annotation.novelty.nearest.key = "arxiv:2512.00002";
    annotation.novelty.nearest.title = "A title";
    annotation.novelty.nearest.link = "https://arxiv.org/abs/2512.00002";
    std::snprintf(annotation.novelty.nearest.date, sizeof annotation.novelty.nearest.date, "2025-12-09");
    EXPECT_EQ(block(annotation), "\n- **Novelty**: 93/100 · closest earlier paper: [A "
                                 "title](https://arxiv.org/abs/2512.00002) · 2025-12-09 · 0.21\n\n");
    EXPECT_NE(block(annotation, PKIN_LANGUAGES_ZH).find("- **新颖度**：93/100 · 最接近的早期论文：[A title]("),
              std::string::npos);
    EXPECT_NE(member(annotation)
                  .find("\"novelty\": {\"percentile\": 93, \"nearest\": {\"key\": \"arxiv:2512.00002\", \"title\": "
                        "\"A title\", \"link\": \"https://arxiv.org/abs/2512.00002\", \"date\": \"2025-12-09\"}, "
                        "\"cosine\": 0.2071}}"),
              std::string::npos)
        << member(annotation);
}

TEST(DigestThreads, HostileLabelsStayInside) {
    pkin_i_annotation annotation{};
    annotation.key = "k";
    annotation.has_thread = true;
    annotation.thread = thread_line("tabc2345", "<!-- paperkin:end -->\n# [x](http://evil) **b** `c`");
    std::string text = block(annotation);
    EXPECT_EQ(count(text, "\n"), 3u) << text;
    EXPECT_EQ(text.find('<'), std::string::npos) << text;
    EXPECT_EQ(text.find("]("), std::string::npos) << text;
    EXPECT_EQ(member(annotation).find('\n'), std::string::npos);
}

/* ---- The section ---- */

/* A digest read from a file, and threads over its records made by hand. */
struct Section {
    Folder folder;
    pkin_i_day_file file{};
    std::vector<uint64_t> records;
    std::vector<std::string> ids;
    std::vector<pkin_i_day_thread> items;
    pkin_i_day_threads threads{};

    explicit Section(const std::vector<Paper> &papers) {
        path = folder / "2026-01-07.md";
        write_text(path, markdown(papers));
        file.path = path.c_str();
        EXPECT_EQ(pkin_i_day_file_read(&file, 1, nullptr, nullptr), PKIN_OK) << pkin_last_error();
        for (uint64_t r = 0; r < papers.size(); r++) records.push_back(r);
    }
    ~Section() {
        pkin_i_day_file_free(&file);
    }
    void add(const char *label, size_t first, size_t n) {
        pkin_i_day_thread thread{};
        thread.line = thread_line("tabc2345", label);
        thread.records = &records[first];
        thread.n_records = n;
        items.push_back(thread);
    }
    std::string text(int languages = PKIN_LANGUAGES_EN, const char *line_end = "\n") {
        Text out;
        threads.items = items.data();
        threads.n_items = items.size();
        EXPECT_EQ(pkin_i_day_threads_section(&threads, &file, languages, line_end, &out.buffer), PKIN_OK);
        return out.str();
    }

  private:
    std::string path;
};

TEST(DigestThreads, ASectionListsThePapersOfEachThread) {
    Paper first = invent_paper(1, 0), second = invent_paper(2, 0);
    first.title = "First [one]";
    second.title = "<b>Second";
    Section section({first, second, invent_paper(3, 0)});
    section.add("tensor compilers", 0, 2);
    section.threads.n_outside = 1;
    EXPECT_EQ(section.text(), "\n**Threads today**\n\n"
                              "- **tensor compilers**: 2 today · 41 papers · since 2025-11-03 (9 wk) · `tabc2345`\n"
                              "    - [First \\[one\\]](https://arxiv.org/abs/2601.00001)\n"
                              "    - [&lt;b&gt;Second](https://arxiv.org/abs/2601.00002)\n"
                              "- **In no thread**: 1 paper\n\n");
    std::string chinese = section.text(PKIN_LANGUAGES_ZH, "\r\n");
    EXPECT_EQ(chinese.find("\r\n**今日主题**\r\n\r\n- **tensor compilers**："), 0u) << chinese;
    EXPECT_EQ(count(chinese, "\n"), count(chinese, "\r\n"));
    std::vector<pkin_i_day_field> fields = {{"f1", "a *field*", "领域", 7}, {"f2", "another", "", 2}};
    section.threads.fields = fields.data();
    section.threads.n_fields = 2;
    EXPECT_NE(section.text().find("today**\n\n- **Largest fields**: a \\*field\\* (7) · another (2)\n- **tensor"),
              std::string::npos)
        << section.text();
    EXPECT_NE(section.text(PKIN_LANGUAGES_ZH).find("- **主要领域**：领域 (7) · another (2)\n"), std::string::npos);
    section.threads.n_fields = 1;
    EXPECT_EQ(section.text().find("fields"), std::string::npos);
    section.items.clear();
    EXPECT_EQ(section.text(), "");
}

TEST(DigestThreads, LongSectionsAreCounted) {
    std::vector<Paper> papers;
    for (size_t n = 1; n <= 40; n++) papers.push_back(invent_paper(n, 0));
    Section section(papers);
    section.add("#hash *a*\n", 0, PKIN_I_MAX_DAY_TITLES + 1); // one left over is named, not counted
    section.add("b", 5, PKIN_I_MAX_DAY_TITLES + 2);
    for (size_t t = 0; t < PKIN_I_MAX_DAY_THREADS; t++) section.add("c", 11 + t, 1);
    std::string text = section.text();
    EXPECT_EQ(count(text, "    - ["), PKIN_I_MAX_DAY_TITLES + 1u + PKIN_I_MAX_DAY_TITLES + PKIN_I_MAX_DAY_THREADS - 2u);
    EXPECT_EQ(count(text, "\n    - 2 more\n"), 1u) << text;
    EXPECT_EQ(count(text, "- **More threads**: 2 · 2 papers\n"), 1u) << text;
    EXPECT_EQ(text.find("\n#"), std::string::npos) << text;
    EXPECT_EQ(count(text, "\\#hash \\*a\\* **: "), 1u) << text;
}

/* Papers 1, 2, 3, ... of a store are in the threads given by index, -1: in none; record r of the file is paper r + 1.
 */
struct Placed {
    Section section;
    std::vector<pkin_i_thread_row> rows;
    std::vector<pkin_i_thread> threads;
    std::vector<uint32_t> thread_of_row;
    std::vector<int64_t> paper_ids;
    pkin_i_history history{};
    pkin_i_placement placement{};
    pkin_i_arena arena{};
    pkin_i_day_threads found{};

    Placed(const std::vector<Paper> &papers, const std::vector<int> &thread_of_paper) : section(papers) {
        for (size_t k = 0; k < thread_of_paper.size(); k++) {
            paper_ids.push_back(static_cast<int64_t>(k) + 1);
            thread_of_row.push_back(static_cast<uint32_t>(thread_of_paper[k]));
        }
    }
    ~Placed() {
        pkin_i_arena_free(&arena);
    }
    /* Rows are to be added by id. */
    void add(const char *id, const char *field, const char *born, const char *label = "label") {
        pkin_i_thread_row row{};
        std::snprintf(row.id, sizeof row.id, "%s", id);
        std::snprintf(row.field, sizeof row.field, "%s", field);
        std::snprintf(row.born, sizeof row.born, "%s", born);
        row.is_field = !*field;
        row.label = label;
        row.label_chinese = "";
        rows.push_back(row);
    }
    void find() {
        for (const auto &row : rows) threads.push_back({&row, 9, "2026-01-02", "2026-01-06"});
        history.paper_ids = paper_ids.data();
        history.n_papers = paper_ids.size();
        placement.history = &history;
        placement.has_threads = true;
        placement.first_birth = "2026-01-02";
        placement.threads.stored.rows = rows.data();
        placement.threads.stored.n_rows = rows.size();
        placement.threads.threads = threads.data();
        placement.threads.thread_of_row = thread_of_row.data();
        pkin_i_day_file *file = &section.file;
        std::snprintf(file->ingest.date, sizeof file->ingest.date, "2026-01-07");
        ASSERT_EQ(pkin_i_allocate(paper_ids.size(), sizeof *file->paper_ids, &file->paper_ids), PKIN_OK);
        for (size_t r = 0; r < paper_ids.size(); r++) file->paper_ids[r] = paper_ids[file->first_records[r]];
        ASSERT_EQ(pkin_i_day_threads_find(&placement, file, &arena, &found), PKIN_OK);
    }
};

TEST(DigestThreads, TheOrderIsNewThenManyThenById) {
    std::vector<Paper> papers;
    for (size_t n = 1; n <= 12; n++) papers.push_back(invent_paper(n, 0));
    papers.push_back(papers[0]); // a repeat inside, which counts for nothing
    enum { FIELD_A, FIELD_B, OLD_A, NEW_B, OLD_C, OLD_D };
    Placed placed(papers, {OLD_A, OLD_D, OLD_D, OLD_D, -1, NEW_B, OLD_C, OLD_C, OLD_C, -1, NEW_B, OLD_A, OLD_A});
    placed.add("fa", "", "2026-01-02", "first field");
    placed.add("fb", "", "2026-01-02", "second field");
    placed.add("ta", "fb", "2026-01-02");
    placed.add("tb", "fa", "2026-01-07");
    placed.add("tc", "fa", "2026-01-06");
    placed.add("td", "fb", "2026-01-08");
    placed.find();
    ASSERT_EQ(placed.found.n_items, 4u);
    std::string order;
    for (size_t t = 0; t < 4; t++) order += std::string(placed.found.items[t].line.id) + " ";
    EXPECT_EQ(order, "tb tc td ta ");
    EXPECT_EQ(placed.found.n_new, 1u);
    EXPECT_EQ(placed.found.n_inside, 10u);
    EXPECT_EQ(placed.found.n_outside, 2u);
    EXPECT_EQ(placed.found.items[1].n_records, 3u);
    EXPECT_EQ(placed.found.items[1].records[0], 6u);
    EXPECT_EQ(placed.found.items[1].records[2], 8u);
    EXPECT_EQ(placed.found.items[3].n_records, 2u);
    EXPECT_EQ(placed.found.items[0].line.age_days, 5);
    ASSERT_EQ(placed.found.n_fields, 2u);
    EXPECT_STREQ(placed.found.fields[0].label, "first field") << "of as many papers the lower id";
    EXPECT_EQ(placed.found.fields[0].n_records, 5u);
    EXPECT_EQ(placed.found.fields[1].n_records, 5u);
}

/* New threads come first, but leave half of the places to those that grew. */
TEST(DigestThreads, NewThreadsLeavePlaces) {
    std::vector<Paper> papers;
    for (size_t n = 1; n <= 40; n++) papers.push_back(invent_paper(n, 0));
    for (size_t n_others : {0u, 2u, 20u}) {
        Section section(papers);
        for (size_t t = 0; t < 15; t++) {
            section.add("new", t, 1);
            section.items.back().line.is_new = true;
        }
        for (size_t t = 0; t < n_others; t++) section.add("grown", 15 + t, 1);
        section.threads.n_new = 15;
        std::string text = section.text();
        size_t n_grown = n_others == 20 ? PKIN_I_MAX_DAY_THREADS - PKIN_I_MAX_DAY_NEW : n_others;
        size_t n_new = PKIN_I_MAX_DAY_THREADS - n_grown, n_more = 15 + n_others - PKIN_I_MAX_DAY_THREADS;
        EXPECT_EQ(count(text, "- **new**: "), n_new) << text;
        EXPECT_EQ(count(text, "- **grown**: "), n_grown) << text;
        EXPECT_EQ(count(text, "- **More threads**: " + std::to_string(n_more) + " · " + std::to_string(n_more) +
                                  " papers · " + std::to_string(15 - n_new) + " new today\n"),
                  1u)
            << text;
    }
}

/* Where the section goes, given a digest's bytes and where its first entry begins. */
std::string place_of_section(const std::string &head) {
    Paper paper = invent_paper(1, 0);
    Section section({paper});
    section.add("x", 0, 1);
    section.text(); // fills section.threads
    Folder folder;
    std::string path = folder / "2026-01-07.md", text = head + markdown_entry(paper, 1);
    write_text(path, text);
    pkin_i_day_file file{};
    file.path = path.c_str();
    EXPECT_EQ(pkin_i_day_file_read(&file, 1, nullptr, nullptr), PKIN_OK) << pkin_last_error();
    Text out;
    pkin_i_annotator annotator{text.data(), text.size(), 0, PKIN_FORMAT_MARKDOWN, PKIN_LANGUAGES_EN, 0, &out.buffer};
    EXPECT_EQ(pkin_i_annotator_insert_section(&annotator, &section.threads, &file), PKIN_OK);
    EXPECT_EQ(pkin_i_annotator_finish(&annotator), PKIN_OK);
    pkin_i_day_file_free(&file);
    EXPECT_EQ(outside_blocks(out.str()), text);
    size_t at = out.str().find(begin_line);
    EXPECT_NE(at, std::string::npos);
    return out.str().substr(0, at);
}

TEST(DigestThreads, TheTopIsBehindMarkAndFrontMatter) {
    const std::string mark = "\xEF\xBB\xBF", yaml = "---\ntitle: x\n# a comment\n---\n", toml = "+++\na = 1\n+++\n";
    EXPECT_EQ(place_of_section(""), "");
    EXPECT_EQ(place_of_section(mark), mark);
    EXPECT_EQ(place_of_section("words\n\n"), "");
    EXPECT_EQ(place_of_section(yaml + "\n"), yaml);
    EXPECT_EQ(place_of_section(mark + yaml), mark + yaml);
    EXPECT_EQ(place_of_section("---\r\na: 1\r\n---\r\n"), "---\r\na: 1\r\n---\r\n");
    EXPECT_EQ(place_of_section("---  \na: 1\n...\nwords\n"), "---  \na: 1\n...\n");
    EXPECT_EQ(place_of_section(toml), toml);
    EXPECT_EQ(place_of_section("---\na: 1\n+++\n\n"), "") << "never closed before the first entry: a rule";
    EXPECT_EQ(place_of_section("--- a\n---\n"), "");
    EXPECT_EQ(place_of_section("----\nx\n----\n"), "");
    EXPECT_EQ(place_of_section("\n---\na: 1\n---\n"), "") << "front matter begins in the first line";
}

/* ---- Runs ---- */

/* Weeks of three topics; on the last day a fourth that nobody has seen before. */
struct Weeks {
    Folder folder;
    std::vector<Paper> history, today;

    Weeks() {
        for (size_t n = 1; n <= 60; n++) history.push_back(invent_paper(n, n % 3));
        for (size_t n = 101; n <= 106; n++) today.push_back(invent_paper(n, n % 3));
        for (size_t n = 201; n <= 208; n++) today.push_back(invent_paper(n, 3));
        today.push_back(today[0]); // a repeat inside the file
        write_text(folder / "2026-01-05.jsonl", crawl(history));
        write_text(folder / "2026-01-12.md", markdown(today));
        write_text(folder / "2026-01-12.jsonl", crawl(today));
    }
    std::string day(const std::string &form = "md") const {
        return folder / ("2026-01-12." + form);
    }
    /* The history is known, with threads. */
    void prepare(pkin_store *store) const {
        pkin_threads_options options = pkin_threads_options_default();
        pkin_threads_report report;
        ASSERT_EQ(pkin_store_ingest_file(store, (folder / "2026-01-05.jsonl").c_str(), nullptr, nullptr), PKIN_OK);
        ASSERT_EQ(pkin_threads_update(store, &options, &report), PKIN_OK) << pkin_last_error();
        EXPECT_GE(report.n_threads, 3u);
        pkin_threads_report_free(&report);
    }
};

pkin_digest_options in_place() {
    pkin_digest_options options = pkin_digest_options_default();
    options.in_place = 1;
    return options;
}

/* What is between the first two markers. */
std::string section_of(const std::string &text) {
    size_t begin = text.find(begin_line), end = text.find(end_line);
    return begin == std::string::npos ? "" : text.substr(begin, end - begin);
}

TEST(DigestThreads, ARunTellsThreadsWhereTheStoreHasThem) {
    Weeks weeks;
    Store without, with;
    ASSERT_EQ(pkin_store_ingest_file(without, (weeks.folder / "2026-01-05.jsonl").c_str(), nullptr, nullptr), PKIN_OK);
    weeks.prepare(with);
    std::string out = weeks.folder / "out", written = out + "/2026-01-12.md";
    {
        Job run(without, {weeks.day()}, into(out));
        ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
        EXPECT_EQ(run.report.with_threads, 0);
        EXPECT_EQ(run.report.files[0].n_in_threads, 0u);
        EXPECT_EQ(read_text(written).find("**Thread"), std::string::npos);
    }
    Job run(with, {weeks.day()}, into(out));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    std::string text = read_text(written), section = section_of(text);
    EXPECT_EQ(text.find(begin_line + "\n\n**Threads today**\n\n- **"), 0u) << text.substr(0, 300);
    const pkin_digest_file_report &report = run.report.files[0];
    EXPECT_EQ(run.report.with_threads, 1);
    EXPECT_GE(report.n_in_threads, 12u);
    EXPECT_EQ(report.n_new_threads, 1u) << section;
    EXPECT_GE(report.n_threads_today, 4u);
    EXPECT_EQ(run.report.n_in_threads, report.n_in_threads);
    EXPECT_EQ(run.report.n_threads_today, report.n_threads_today);
    EXPECT_EQ(run.report.n_new_threads, report.n_new_threads);
    EXPECT_EQ(run.report.n_papers_today, 14u);
    EXPECT_EQ(count(text, "\n- **Thread**: "), report.n_in_threads);
    // The new thread comes first; its papers came today.
    size_t fields = section.find("\n- **Largest fields**: "), thread = section.find("\n- **", fields + 1);
    ASSERT_NE(fields, std::string::npos) << section;
    uint64_t n_in_fields = 0;
    for (size_t at = section.find(" (", fields); at < thread; at = section.find(" (", at + 1)) {
        n_in_fields += std::stoul(section.substr(at + 2));
    }
    EXPECT_EQ(n_in_fields, report.n_in_threads) << section;
    std::string first = section.substr(thread, section.find("\n- **", thread + 1) - thread);
    EXPECT_NE(first.find(" · new today · `t"), std::string::npos) << section;
    EXPECT_NE(first.find("abs/2601.00201)"), std::string::npos) << section;
    EXPECT_EQ(count(section, "new today"), 1u) << section;
    EXPECT_EQ(count(section, "abs/2601.00101)"), 1u) << "a repeat inside is told once: " << section;
    EXPECT_EQ(outside_blocks(text), read_text(weeks.day()));
}

TEST(DigestThreads, TheFirstUpdateMakesNothingNew) {
    Weeks weeks;
    Store store;
    pkin_digest_options options = in_place();
    options.threads = 1;
    Job run(store, {weeks.folder / "2026-01-05.jsonl", weeks.day()}, options);
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    EXPECT_GE(run.report.n_threads_today, 4u);
    EXPECT_EQ(run.report.n_new_threads, 0u);
    EXPECT_EQ(read_text(weeks.day()).find("new today"), std::string::npos);
    // From now on the store has threads.
    Job again(store, {weeks.day()}, in_place());
    ASSERT_EQ(again.status, PKIN_OK);
    EXPECT_EQ(again.report.with_threads, 1);
    options.threads = 0;
    Job without(store, {weeks.day()}, options);
    ASSERT_EQ(without.status, PKIN_OK);
    EXPECT_EQ(without.report.with_threads, 0);
    EXPECT_EQ(read_text(weeks.day()).find("**Thread"), std::string::npos);
}

TEST(DigestThreads, RunningAgainChangesNothing) {
    for (std::string form : {"md", "jsonl"}) {
        Weeks weeks;
        std::string database = weeks.folder / "store.sqlite", path = weeks.day(form), original = read_text(path);
        pkin_digest_options options = in_place();
        std::string once, known;
        {
            Store store(database);
            weeks.prepare(store);
            Job first(store, {path}, options);
            ASSERT_EQ(first.status, PKIN_OK) << pkin_last_error();
        }
        once = read_text(path);
        known = dump(database);
        EXPECT_NE(once.find(form == "md" ? "new today" : "\"new\": true"), std::string::npos) << form;
        for (int n_threads : {1, 3}) {
            Store store(database);
            options.n_threads = n_threads;
            Job second(store, {path}, options);
            ASSERT_EQ(second.status, PKIN_OK) << pkin_last_error();
            EXPECT_EQ(second.report.files[0].changed, 0);
            EXPECT_EQ(read_text(path), once) << form;
        }
        EXPECT_EQ(dump(database), known);
        ASSERT_EQ(pkin_digest_strip(path.c_str(), &options, nullptr), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(read_text(path), original);
    }
}

TEST(DigestThreads, ADryRunShowsTheSameAndLeavesNothing) {
    Weeks weeks;
    std::string database = weeks.folder / "store.sqlite", day = read_text(weeks.day()), diff;
    {
        Store store(database);
        weeks.prepare(store);
    }
    std::string before = dump(database);
    pkin_digest_options options = pkin_digest_options_default();
    options.dry_run = 1;
    options.on_text = [](void *user, const char *bytes, size_t n) {
        static_cast<std::string *>(user)->append(bytes, n);
    };
    options.text_user = &diff;
    {
        Store store(database);
        Job run(store, {weeks.day()}, options);
        ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
        EXPECT_EQ(run.report.n_new_threads, 1u);
    }
    EXPECT_EQ(dump(database), before);
    EXPECT_EQ(read_text(weeks.day()), day);
    Store store(database);
    ASSERT_EQ(Job(store, {weeks.day()}, into(weeks.folder / "out")).status, PKIN_OK);
    std::istringstream lines(read_text(weeks.folder / "out/2026-01-12.md"));
    std::string line, first;
    while (std::getline(lines, line) && line != end_line) first += "+" + line + "\n";
    EXPECT_NE(diff.find(first), std::string::npos) << diff.substr(0, 1500);
}

TEST(DigestThreads, EveryFormOfAFile) {
    Weeks weeks;
    const std::string text = read_text(weeks.day()), yaml = "---\ntitle: Digest\n---\n", mark = "\xEF\xBB\xBF";
    std::string windows;
    for (char c : yaml + text) windows += c == '\n' ? "\r\n" : std::string(1, c);
    std::string open = text;
    while (open.back() == '\n') open.pop_back();
    for (const auto &[name, head, given] : std::vector<std::tuple<std::string, std::string, std::string>>{
             {"mark", mark, mark + text},
             {"front matter", yaml, yaml + text},
             {"both, and Windows line ends", mark + "---\r\ntitle: Digest\r\n---\r\n", mark + windows},
             {"open last line", "", open}}) {
        Store store;
        weeks.prepare(store);
        write_text(weeks.day(), given);
        pkin_digest_options options = in_place();
        ASSERT_EQ(Job(store, {weeks.day()}, options).status, PKIN_OK) << name << pkin_last_error();
        std::string once = read_text(weeks.day());
        std::string end = given.find('\r') == std::string::npos ? "\n" : "\r\n";
        EXPECT_EQ(once.find(head + begin_line + end + end + "**Threads today**" + end), 0u)
            << name << once.substr(0, 200);
        EXPECT_EQ(outside_blocks(once), given) << name;
        ASSERT_EQ(Job(store, {weeks.day()}, options).status, PKIN_OK);
        EXPECT_EQ(read_text(weeks.day()), once) << name;
        // Readers pass the section by: the same papers, the same digest.
        pkin_corpus *corpus = nullptr;
        ASSERT_EQ(pkin_corpus_read_file(weeks.day().c_str(), nullptr, &corpus), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(pkin_corpus_size(corpus), weeks.today.size()) << name;
        EXPECT_EQ(pkin_corpus_n_skipped(corpus), 0u) << name;
        pkin_corpus_free(corpus);
        pkin_store_statistics before, after;
        ASSERT_EQ(pkin_store_describe(store, &before), PKIN_OK);
        ASSERT_EQ(pkin_store_ingest_file(store, weeks.day().c_str(), nullptr, nullptr), PKIN_OK);
        ASSERT_EQ(pkin_store_describe(store, &after), PKIN_OK);
        EXPECT_EQ(after.n_digests, before.n_digests) << name;
        EXPECT_EQ(after.n_papers, before.n_papers) << name;
        ASSERT_EQ(pkin_digest_strip(weeks.day().c_str(), &options, nullptr), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(read_text(weeks.day()), given) << name;
    }
}

TEST(DigestThreads, CompressedInput) {
    Weeks weeks;
    Store store;
    weeks.prepare(store);
    std::string text = read_text(weeks.day()), packed = weeks.folder / "2026-01-12.md.gz";
    gzFile stream = gzopen(packed.c_str(), "wb");
    ASSERT_EQ(gzwrite(stream, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
    gzclose(stream);
    std::string out = weeks.folder / "out";
    ASSERT_EQ(Job(store, {packed}, into(out)).status, PKIN_OK) << pkin_last_error();
    std::string annotated = read_text(out + "/2026-01-12.md");
    EXPECT_NE(section_of(annotated).find("**Threads today**"), std::string::npos);
    EXPECT_EQ(outside_blocks(annotated), text);
}

TEST(DigestThreads, SeveralDaysInOneRunShareOneUpdate) {
    Weeks weeks;
    Store store;
    weeks.prepare(store);
    std::vector<Paper> day_before(weeks.today.begin() + 6, weeks.today.begin() + 8);
    write_text(weeks.folder / "2026-01-11.md", markdown(day_before));
    std::string out = weeks.folder / "out";
    Job run(store, {weeks.folder / "2026-01-11.md", weeks.day()}, into(out));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(run.report.files[0].n_new_threads, 0u) << "born by the update of the later day";
    EXPECT_EQ(run.report.files[0].n_threads_today, 1u);
    EXPECT_EQ(run.report.files[1].n_new_threads, 1u);
    EXPECT_EQ(run.report.n_papers_today, 14u);
    EXPECT_LT(run.report.n_in_threads, run.report.files[0].n_in_threads + run.report.files[1].n_in_threads);
    EXPECT_EQ(run.report.n_threads_today, run.report.files[1].n_threads_today);
}

TEST(DigestThreads, RelatedPapersAreNotNeeded) {
    Weeks weeks;
    Store store;
    weeks.prepare(store);
    std::string out = weeks.folder / "out", all, alone;
    ASSERT_EQ(Job(store, {weeks.day("jsonl")}, into(out)).status, PKIN_OK) << pkin_last_error();
    all = read_text(out + "/2026-01-12.jsonl");
    pkin_digest_options options = into(out);
    options.n_related = 0;
    ASSERT_EQ(Job(store, {weeks.day("jsonl")}, options).status, PKIN_OK) << pkin_last_error();
    alone = read_text(out + "/2026-01-12.jsonl");
    EXPECT_EQ(alone.find("\"related\""), std::string::npos);
    EXPECT_EQ(count(alone, "\"thread\": {"), count(all, "\"thread\": {"));
    EXPECT_GE(count(alone, "\"thread\": {"), 12u);
}

TEST(DigestThreads, CancellingLeavesTheStoreAsItWas) {
    Weeks weeks;
    std::string database = weeks.folder / "store.sqlite", out = weeks.folder / "out", before;
    {
        Store store(database);
        weeks.prepare(store);
        ASSERT_EQ(pkin_store_ingest_file(store, weeks.day().c_str(), nullptr, nullptr), PKIN_OK);
    }
    before = dump(database);
    pkin_digest_options options = into(out);
    options.on_progress = [](void *, const char *stage, uint64_t, uint64_t) {
        return strcmp(stage, "matching") == 0 ? 1 : 0;
    };
    {
        Store store(database);
        EXPECT_EQ(Job(store, {weeks.day()}, options).status, PKIN_ERROR_CANCELLED);
    }
    EXPECT_EQ(dump(database), before);
    EXPECT_FALSE(std::filesystem::exists(out + "/2026-01-12.md"));
}

TEST(DigestThreads, RefusesBadOptions) {
    Weeks weeks;
    Store store;
    std::string out = weeks.folder / "out";
    for (int threads : {-2, 2}) {
        pkin_digest_options options = into(out);
        options.threads = threads;
        EXPECT_EQ(Job(store, {weeks.day()}, options).status, PKIN_ERROR_INVALID_ARGUMENT);
    }
    for (int novelty : {-1, 2}) {
        pkin_digest_options options = into(out);
        options.novelty = novelty;
        EXPECT_EQ(Job(store, {weeks.day()}, options).status, PKIN_ERROR_INVALID_ARGUMENT);
    }
}

/* ---- Novelty ---- */

unsigned percentile_of(const std::string &text, size_t entry) {
    size_t at = text.find("### [" + std::to_string(entry) + "] ");
    size_t novelty = text.find("- **Novelty**: ", at), next = text.find("### [" + std::to_string(entry + 1) + "] ");
    EXPECT_LT(novelty, next) << entry;
    return static_cast<unsigned>(std::stoul(text.substr(novelty + strlen("- **Novelty**: "), 4)));
}

TEST(DigestNovelty, WhatNobodyWroteBeforeIsNovel) {
    Folder folder;
    Store store;
    // Two digests of history: a paper is compared with papers of earlier days alone.
    for (size_t day = 1; day <= 4; day++) {
        std::vector<Paper> papers;
        for (size_t n = 1; n <= 75; n++) papers.push_back(invent_paper(1000 * day + n, n % 2));
        std::string path = folder / ("2026-01-0" + std::to_string(day) + ".jsonl");
        write_text(path, crawl(papers));
        ASSERT_EQ(pkin_store_ingest_file(store, path.c_str(), nullptr, nullptr), PKIN_OK);
    }
    Paper known = invent_paper(2001, 1), foreign = invent_paper(9002, 2);
    known.id = "2601.09001";
    known.abstract += " A word more.";
    std::string path = folder / "2026-01-06.md", out = folder / "out";
    write_text(path, markdown({known, foreign, foreign}));
    Job run(store, {path}, into(out));
    ASSERT_EQ(run.status, PKIN_OK) << pkin_last_error();
    std::string text = read_text(out + "/2026-01-06.md");
    EXPECT_LE(percentile_of(text, 1), 5u) << text;
    EXPECT_GE(percentile_of(text, 2), 95u) << text;
    EXPECT_EQ(count(text, "- **Novelty**: "), 2u) << "a repeat inside gets nothing else";
    EXPECT_NE(text.find("/100 · closest earlier paper: [" + known.title + "](https://arxiv.org/abs/2601.02001) · "),
              std::string::npos)
        << text;
    pkin_digest_options options = into(out);
    options.novelty = 0;
    ASSERT_EQ(Job(store, {path}, options).status, PKIN_OK);
    EXPECT_EQ(read_text(out + "/2026-01-06.md").find("**Novelty**"), std::string::npos);
}

TEST(DigestNovelty, NothingIsSaidOfTooFewPapers) {
    Weeks weeks;
    Store store;
    ASSERT_EQ(pkin_store_ingest_file(store, (weeks.folder / "2026-01-05.jsonl").c_str(), nullptr, nullptr), PKIN_OK);
    ASSERT_EQ(Job(store, {weeks.day()}, in_place()).status, PKIN_OK) << pkin_last_error();
    EXPECT_EQ(read_text(weeks.day()).find("**Novelty**"), std::string::npos);
}

} // namespace
