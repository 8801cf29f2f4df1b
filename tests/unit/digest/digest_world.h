/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_DIGEST_WORLD_H
#define PKIN_TESTS_DIGEST_WORLD_H

/* A folder of one test, invented papers, and the forms in which digests tell of them. */
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "paperkin/digest.h"
#include "paperkin/escape.h"

namespace digest_world {

inline std::string read_text(const std::string &path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

inline void write_text(const std::string &path, const std::string &text) {
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    stream << text;
    ASSERT_TRUE(stream.good()) << path;
}

class Folder {
  public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "paperkin-digest-XXXXXX").string();
        if (!mkdtemp(pattern.data())) std::abort();
        path_ = pattern;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder &) = delete;
    Folder &operator=(const Folder &) = delete;
    std::string operator/(const std::string &name) const {
        return path_ + "/" + name;
    }

  private:
    std::string path_;
};

struct Store {
    pkin_store *handle = nullptr;
    explicit Store(const std::string &path = ":memory:", pkin_store_mode mode = PKIN_STORE_READ_WRITE) {
        pkin_status status = pkin_store_open(path.c_str(), mode, &handle);
        EXPECT_EQ(status, PKIN_OK) << pkin_last_error();
    }
    ~Store() {
        pkin_store_close(handle);
    }
    Store(const Store &) = delete;
    Store &operator=(const Store &) = delete;
    operator pkin_store *() const {
        return handle;
    }
};

/* Every row of every table, as text. */
inline std::string dump(const std::string &path) {
    sqlite3 *db = nullptr;
    std::string text;
    auto collect = [](void *user, int n, char **values, char **) {
        auto *out = static_cast<std::string *>(user);
        for (int c = 0; c < n; c++) *out += std::string(values[c] ? values[c] : "<null>") + "|";
        *out += "\n";
        return 0;
    };
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
    std::string tables;
    sqlite3_exec(db, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", collect, &tables, nullptr);
    std::istringstream names(tables);
    for (std::string name; std::getline(names, name, '|'); names.get()) {
        text += "== " + name + "\n";
        std::string columns, sql = "SELECT * FROM \"" + name + "\" ORDER BY 1, 2";
        if (sqlite3_exec(db, sql.c_str(), collect, &text, nullptr) != SQLITE_OK) {
            sql = "SELECT * FROM \"" + name + "\" ORDER BY 1";
            sqlite3_exec(db, sql.c_str(), collect, &text, nullptr);
        }
    }
    sqlite3_close(db);
    return text;
}

struct Paper {
    std::string id;
    std::string title;
    std::vector<std::string> authors;
    std::string category;
    std::string abstract;
    std::string comment;
};

/* Deterministic numbers for invented texts. */
class Dice {
  public:
    explicit Dice(uint64_t seed) : state_(seed * 2862933555777941757u + 3037000493u) {}
    size_t below(size_t n) {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<size_t>((state_ >> 33) % n);
    }

  private:
    uint64_t state_;
};

inline const std::vector<std::string> &topic_words(size_t topic) {
    static const std::vector<std::vector<std::string>> words = {
        {"tensor", "compiler", "kernel", "fusion", "schedule", "loop", "register", "tiling", "autotuning", "bytecode"},
        {"garden", "pollination", "bee", "nectar", "meadow", "hive", "foraging", "blossom", "swarm", "orchard"},
        {"glacier", "moraine", "icefall", "crevasse", "ablation", "firn", "meltwater", "albedo", "snowpack", "serac"},
        {"harpsichord", "counterpoint", "fugue", "cadence", "tuning", "temperament", "melody", "chord", "rhythm",
         "score"},
    };
    return words[topic % words.size()];
}

/* About `n` words of a topic, mixed with words that every text has. */
inline std::string invent_text(size_t topic, uint64_t seed, size_t n = 90) {
    static const std::vector<std::string> common = {"method",  "result",  "show",  "measure", "improve", "study",
                                                    "problem", "propose", "large", "quality", "analysis"};
    Dice dice(seed + 1000 * topic);
    std::string text;
    for (size_t w = 0; w < n; w++) {
        const auto &words = dice.below(3) == 0 ? common : topic_words(topic);
        if (w > 0) text += w % 12 == 0 ? ". " : " ";
        text += words[dice.below(words.size())];
        if (dice.below(4) == 0) text += "word" + std::to_string(dice.below(400));
    }
    return text + ".";
}

inline Paper invent_paper(size_t number, size_t topic) {
    char id[16];
    std::snprintf(id, sizeof id, "2601.%05zu", number);
    Dice dice(number * 77 + 5);
    const auto &words = topic_words(topic);
    std::string title = "On " + words[dice.below(words.size())] + " and " + words[dice.below(words.size())] +
                        " number n" + std::to_string(number);
    return {id,
            title,
            {"Ada Invented" + std::to_string(number), "Bo Fictional" + std::to_string(number)},
            topic == 0 ? "cs.PL" : "cs.CV",
            invent_text(topic, number),
            ""};
}

inline std::string quoted(const std::string &text) {
    std::string out(pkin_escape(PKIN_ESCAPE_JSON, text.c_str(), nullptr, 0) + 1, '\0');
    pkin_escape(PKIN_ESCAPE_JSON, text.c_str(), out.data(), out.size());
    out.pop_back();
    return "\"" + out + "\"";
}

inline std::string bare_id(const std::string &id) {
    return id.substr(0, id.find('v'));
}

inline std::string crawl_line(const Paper &paper) {
    std::string authors;
    for (const auto &author : paper.authors) authors += (authors.empty() ? "" : ", ") + quoted(author);
    return "{\"id\": " + quoted(paper.id) + ", \"pdf\": \"https://arxiv.org/pdf/" + paper.id +
           "\", \"abs\": \"https://arxiv.org/abs/" + paper.id + "\", \"authors\": [" + authors +
           "], \"title\": " + quoted(paper.title) + ", \"categories\": [" + quoted(paper.category) +
           "], \"comment\": " + (paper.comment.empty() ? "null" : quoted(paper.comment)) +
           ", \"summary\": " + quoted(paper.abstract) + "}";
}

inline std::string crawl(const std::vector<Paper> &papers) {
    std::string text;
    for (const auto &paper : papers) text += crawl_line(paper) + "\n";
    return text;
}

inline std::string markdown_entry(const Paper &paper, size_t number) {
    std::string authors;
    for (const auto &author : paper.authors) authors += (authors.empty() ? "" : ",") + author;
    return "### [" + std::to_string(number) + "] [" + paper.title + "](https://arxiv.org/abs/" + paper.id + ")\n*" +
           authors + "*\n\nMain category: " + paper.category +
           "\n\nTL;DR: In short.\n\n\n<details>\n  <summary>Details</summary>\nMotivation: Because.\n\nMethod: So.\n\n"
           "Result: Good.\n\nConclusion: Fine.\n\nAbstract: " +
           paper.abstract + "\n\n</details>\n";
}

inline std::string markdown(const std::vector<Paper> &papers) {
    std::string text =
        "<div id=toc></div>\n\n# Table of Contents\n\n- [cs.PL](#cs.PL) [Total: " + std::to_string(papers.size()) +
        "]\n\n\n<div id='cs.PL'></div>\n\n# cs.PL [[Back]](#toc)\n\n";
    for (size_t p = 0; p < papers.size(); p++) text += markdown_entry(papers[p], p + 1) + "\n\n";
    return text;
}

/* A run into a folder; the report is freed with the object. */
struct Job {
    pkin_digest_report report{};
    pkin_status status;
    Job(pkin_store *store, const std::vector<std::string> &paths, const pkin_digest_options &options) {
        std::vector<const char *> names;
        for (const auto &path : paths) names.push_back(path.c_str());
        status = pkin_digest_run(store, names.data(), names.size(), &options, &report);
    }
    ~Job() {
        pkin_digest_report_free(&report);
    }
    Job(const Job &) = delete;
    Job &operator=(const Job &) = delete;
};

inline pkin_digest_options into(const std::string &folder) {
    pkin_digest_options options = pkin_digest_options_default();
    options.out_dir = folder.c_str();
    return options;
}

inline size_t count(const std::string &text, const std::string &part) {
    size_t n = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) n++;
    return n;
}

/* Everything outside the blocks, by a second, naive implementation: whole lines from begin to end marker dropped. */
inline std::string outside_blocks(const std::string &text) {
    std::string out = text.rfind("\xEF\xBB\xBF", 0) == 0 ? text.substr(0, 3) : "";
    bool inside = false;
    for (size_t at = out.size(); at < text.size();) {
        size_t end = text.find('\n', at);
        end = end == std::string::npos ? text.size() : end + 1;
        std::string line = text.substr(at, end - at);
        at = end;
        if (line.rfind("<!-- paperkin:begin", 0) == 0) {
            inside = true;
            if (line.find("open-line") != std::string::npos) {
                out.pop_back();
                if (!out.empty() && out.back() == '\r') out.pop_back();
            }
        }
        if (!inside) out += line;
        if (line.rfind("<!-- paperkin:end", 0) == 0) inside = false;
    }
    return out;
}

} // namespace digest_world

#endif
