/* SPDX-License-Identifier: Apache-2.0 */
/* For any digest: annotating and stripping gives its bytes back, annotating twice is annotating once. */
#include "digest_world.h"

#include <rapidcheck.h>

#include "corpus/blocks.h"

using namespace digest_world;

namespace {

pkin_digest_options in_place() {
    pkin_digest_options options = pkin_digest_options_default();
    options.in_place = 1;
    options.related_floor = 0.05;
    options.n_threads = 1; /* tiny digests: many threads would only wait for one another */
    return options;
}

std::string with_windows_line_ends(const std::string &text) {
    std::string out;
    for (char c : text) {
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

/* Papers of a few topics, some the same, some nearly so, with characters that have a meaning somewhere. */
std::vector<Paper> any_papers() {
    std::vector<Paper> papers;
    auto numbers = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 12));
    if (*rc::gen::inRange(0, 5) == 0) numbers.resize(numbers.empty() ? 0 : 1);
    for (int number : numbers) {
        Paper paper = invent_paper(static_cast<size_t>(number), static_cast<size_t>(number) % 2);
        int kind = *rc::gen::inRange(0, 9);
        if (kind == 0) paper.id = "2602." + paper.id.substr(5);
        if (kind == 1) paper.title = "Why $x<y$ & [z] *stays* \"so\" `here` \\emph{now} 为什么 " + paper.title;
        if (kind == 2) paper.id += "v" + std::to_string(*rc::gen::inRange(1, 4));
        if (kind == 4) paper.abstract += "\n<!-- paperkin:begin -->\nand more";
        if (kind == 5) paper.abstract += "\n<!-- paperkin:end -->\nand more\n<!-- paperkin:begin -->";
        if (kind == 3) paper.abstract += "\n\n  A second paragraph. <!-- a comment -->";
        papers.push_back(paper);
    }
    return papers;
}

/* Front matter, rules that look like it, and front matter that holds a marker. */
std::string any_head() {
    static const char *const heads[] = {"",
                                        "---\ntitle: x\n---\n",
                                        "+++\na = 1\n+++\n\n",
                                        "---\n\n",
                                        "---\n<!-- paperkin:begin -->\n---\n",
                                        "<!-- paperkin:end -->\n",
                                        "---\na: 1\n...\nwords\n"};
    return heads[*rc::gen::inRange<size_t>(0, sizeof heads / sizeof *heads)];
}

/* What happens to files: line ends, a byte order mark, no last line end, stray bytes and spaces. */
std::string roughen(std::string text, bool is_markdown) {
    if (is_markdown && *rc::gen::inRange(0, 2) == 0) text = any_head() + text;
    if (is_markdown && *rc::gen::inRange(0, 3) == 0) text += "closing words  \n";
    if (is_markdown && *rc::gen::inRange(0, 4) == 0) text += "\xff\xfe stray\n\n\n";
    if (*rc::gen::inRange(0, 3) == 0) text = with_windows_line_ends(text);
    if (*rc::gen::inRange(0, 3) == 0) text = "\xEF\xBB\xBF" + text;
    int cut = *rc::gen::inRange(0, 4);
    while (cut == 1 && !text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
}

std::string without_blocks(const std::string &text) {
    pkin_i_buffer out = {};
    EXPECT_EQ(pkin_i_blocks_remove(text.data(), text.size(), PKIN_FORMAT_MARKDOWN, &out, nullptr), PKIN_OK);
    std::string plain(out.bytes, out.n_bytes);
    pkin_i_buffer_free(&out);
    return plain;
}

/* Enough papers for threads, of which the digest's few are then members. */
void ingest_history(pkin_store *store, const std::string &path) {
    static const std::string text = [] {
        std::vector<Paper> papers;
        for (size_t n = 101; n <= 130; n++) papers.push_back(invent_paper(n, n % 2));
        return crawl(papers);
    }();
    write_text(path, text);
    RC_ASSERT(pkin_store_ingest_file(store, path.c_str(), nullptr, nullptr) == PKIN_OK);
}

void check_round_trip(const std::string &text, const char *name) {
    Folder folder;
    Store store;
    std::string path = folder / name;
    pkin_digest_options options = in_place();
    options.threads = *rc::gen::inRange(0, 2);
    if (options.threads) ingest_history(store, folder / "2026-01-02.jsonl");
    write_text(path, text);
    Job first(store, {path}, options);
    RC_ASSERT(first.status == PKIN_OK);
    const std::string once = read_text(path);
    Job second(store, {path}, options);
    RC_ASSERT(second.status == PKIN_OK);
    RC_ASSERT(read_text(path) == once);
    RC_CLASSIFY(once.find("**Threads today**") != std::string::npos, "section");
    if (text.find("<!-- paperkin:") != std::string::npos && first.report.files[0].format == PKIN_FORMAT_MARKDOWN) {
        RC_ASSERT(without_blocks(once) == text);
        RC_ASSERT(pkin_digest_strip(path.c_str(), &options, nullptr) == PKIN_ERROR_CORRUPT);
        RC_ASSERT(read_text(path) == once);
        return;
    }
    if (first.report.files[0].format == PKIN_FORMAT_MARKDOWN) RC_ASSERT(outside_blocks(once) == text);
    RC_ASSERT(pkin_digest_strip(path.c_str(), &options, nullptr) == PKIN_OK);
    RC_ASSERT(read_text(path) == text);
}

TEST(DigestRoundTrip, Markdown) {
    setenv("RC_PARAMS", "max_success=60", 0);
    EXPECT_TRUE(rc::check("Markdown comes back to the byte",
                          [] { check_round_trip(roughen(markdown(any_papers()), true), "2026-01-05.md"); }));
}

TEST(DigestRoundTrip, JsonLines) {
    setenv("RC_PARAMS", "max_success=60", 0);
    EXPECT_TRUE(rc::check("JSON lines come back to the byte", [] {
        std::string text = crawl(any_papers()) + crawl_line(invent_paper(40, 0)) + "\n";
        if (*rc::gen::inRange(0, 3) == 0) text += "\n \n";
        if (*rc::gen::inRange(0, 3) == 0) text += "{\"id\": 5, broken\n";
        check_round_trip(roughen(text, false), "2026-01-05.jsonl");
    }));
}

TEST(DigestRoundTrip, AnOpenLastLine) {
    std::string text = markdown({invent_paper(1, 0), invent_paper(2, 0), invent_paper(3, 0)});
    while (text.back() == '\n') text.pop_back();
    Folder folder;
    Store store;
    std::string path = folder / "2026-01-05.md";
    write_text(path, text);
    pkin_digest_options options = in_place();
    ASSERT_EQ(Job(store, {path}, options).status, PKIN_OK) << pkin_last_error();
    std::string once = read_text(path);
    EXPECT_EQ(count(once, "<!-- paperkin:begin open-line -->\n"), 1u);
    EXPECT_EQ(once.substr(once.size() - 21), "<!-- paperkin:end -->");
    ASSERT_EQ(pkin_digest_strip(path.c_str(), &options, nullptr), PKIN_OK);
    EXPECT_EQ(read_text(path), text);
}

TEST(DigestRoundTrip, StrippingElsewhereAndDry) {
    Folder folder;
    Store store;
    std::string path = folder / "2026-01-05.md", text = markdown({invent_paper(1, 0), invent_paper(2, 0)});
    write_text(path, text);
    ASSERT_EQ(Job(store, {path}, in_place()).status, PKIN_OK) << pkin_last_error();
    std::string annotated = read_text(path), out = folder / "plain", diff;
    pkin_digest_options options = into(out);
    uint64_t n_blocks = 0;
    ASSERT_EQ(pkin_digest_strip(path.c_str(), &options, &n_blocks), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(n_blocks, 2u);
    EXPECT_EQ(read_text(out + "/2026-01-05.md"), text);
    EXPECT_EQ(read_text(path), annotated);
    options = pkin_digest_options_default();
    options.dry_run = 1;
    options.on_text = [](void *user, const char *bytes, size_t n) {
        static_cast<std::string *>(user)->append(bytes, n);
    };
    options.text_user = &diff;
    ASSERT_EQ(pkin_digest_strip(path.c_str(), &options, nullptr), PKIN_OK);
    EXPECT_EQ(read_text(path), annotated);
    EXPECT_EQ(count(diff, "\n-<!-- paperkin:begin -->"), 2u);
    write_text(folder / "noise.txt", "words");
    EXPECT_EQ(pkin_digest_strip((folder / "noise.txt").c_str(), &options, nullptr), PKIN_ERROR_NOT_A_DIGEST);
    EXPECT_NE(pkin_digest_strip((folder / "absent.md").c_str(), &options, nullptr), PKIN_OK);
}

} // namespace
