/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_STORE_FIXTURE_H
#define PKIN_TESTS_STORE_FIXTURE_H

/* Invented papers, digests made of them, and stores in a folder of their own. */
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "store/store_private.h"
#include "store/store_sql.h"
#include "support/shared_dir.h"

namespace store_test {

namespace fs = std::filesystem;

/* A line as crawled. An id may end in a version. */
inline std::string crawl_line(const std::string &id, const std::string &title, const std::string &abstract,
                              const std::string &comment = "") {
    return "{\"id\": \"" + id + "\", \"pdf\": \"https://arxiv.org/pdf/" + id + "\", \"abs\": \"https://arxiv.org/abs/" +
           id + "\", \"authors\": [\"Ada Example\", \"Li \\\"Q\\\" M\\u00fcller\"], \"title\": \"" + title +
           "\", \"categories\": [\"cs.DL\", \"cs.IR\"], \"comment\": " +
           (comment.empty() ? "null" : "\"" + comment + "\"") + ", \"summary\": \"" + abstract + "\"}\n";
}

inline std::string enhanced_line(const std::string &id, const std::string &title, const std::string &abstract,
                                 const std::string &tldr) {
    std::string line = crawl_line(id, title, abstract);
    line.resize(line.size() - 2);
    return line + ", \"AI\": {\"tldr\": \"" + tldr +
           "\", \"motivation\": \"Gardens need care.\", \"method\": \"Watering " +
           "plans.\", \"result\": \"Greener leaves.\", \"conclusion\": \"Water them.\"}}\n";
}

/* Paper number n: a text of its own, with words that others share. */
inline std::string paper_line(int n, const std::string &version = "") {
    static const char *const topics[] = {"tulips",  "harbours", "looms",      "glaciers",
                                         "violins", "orchards", "lighthouses"};
    std::string number = std::to_string(n);
    std::string id = "2601." + std::string(5 - number.size(), '0') + number;
    std::string topic = topics[n % 7];
    return crawl_line(id + version, "A survey of " + topic + " part " + number + version,
                      "We measure " + topic + " in season " + number + version +
                          ". Their number grows with rain, and word" + number + " explains why.");
}

inline std::string papers(int first, int last) {
    std::string lines;
    for (int n = first; n <= last; n++) lines += paper_line(n);
    return lines;
}

inline std::string run_sql(const std::string &path, const std::string &sql) {
    sqlite3 *db = nullptr;
    sqlite3_stmt *statement = nullptr;
    std::string out;
    if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) out = "cannot open";
    const char *rest = sql.c_str();
    while (out != "cannot open" && *rest) {
        if (sqlite3_prepare_v2(db, rest, -1, &statement, &rest) != SQLITE_OK) {
            out += std::string("error: ") + sqlite3_errmsg(db);
            break;
        }
        while (statement && sqlite3_step(statement) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(statement); c++) {
                const char *text = (const char *)sqlite3_column_text(statement, c);
                out += (c ? "|" : "") + std::string(text ? text : "NULL");
            }
            out += "\n";
        }
        sqlite3_finalize(statement);
    }
    sqlite3_close(db);
    return out;
}

/* Every row of every table, blobs in hexadecimal. */
inline std::string dump(const std::string &path) {
    static const char *const tables[][2] = {
        {"meta", "name, value"},
        {"digests", "id, name, stem, content, date, dated_by, format, background, n_records, n_skipped"},
        {"papers",
         "id, key, shown_id, version, title, abstract, summary, comment, doi, link, date, authors, categories"},
        {"versions", "paper, version, first_date"},
        {"appearances", "paper, digest, position, version"},
        {"terms", "id, word"},
        {"paper_terms", "paper, hex(title), hex(abstract), hex(summary)"},
        {"links", "paper, rank, to_paper, score"},
        {"verdicts", "*"},
        {"threads", "*"},
        {"thread_members", "*"},
        {"thread_events", "*"},
    };
    std::string out;
    for (auto &table : tables) {
        out += std::string("# ") + table[0] + "\n" +
               run_sql(path, std::string("SELECT ") + table[1] + " FROM " + table[0] + " ORDER BY 1, 2, 3");
    }
    return out;
}

class Folder {
  public:
    Folder() {
        char name[] = "/tmp/paperkin-store-XXXXXX";
        if (mkdtemp(name)) path_ = name;
    }
    ~Folder() {
        fs::remove_all(path_);
    }
    Folder(const Folder &) = delete;
    Folder &operator=(const Folder &) = delete;
    std::string operator/(const std::string &name) const {
        return (path_ / name).string();
    }
    std::string write(const std::string &name, const std::string &text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
        return (path_ / name).string();
    }

  private:
    fs::path path_;
};

inline std::string read_bytes(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

/* A store that is closed at the end of its scope. */
class Store {
  public:
    explicit Store(const std::string &path, pkin_store_mode mode = PKIN_STORE_READ_WRITE) {
        status = pkin_store_open(path.c_str(), mode, &store_);
    }
    ~Store() {
        pkin_store_close(store_);
    }
    Store(const Store &) = delete;
    Store &operator=(const Store &) = delete;
    operator pkin_store *() {
        return store_;
    }
    pkin_store *operator->() {
        return store_;
    }
    pkin_status status;

  private:
    pkin_store *store_ = nullptr;
};

inline pkin_ingest_report ingest(pkin_store *store, const std::string &path, const char *date = nullptr,
                                 int background = -1) {
    pkin_ingest_options options = pkin_ingest_options_default();
    pkin_ingest_report report = {};
    options.date = date;
    options.background = background;
    EXPECT_EQ(pkin_store_ingest_file(store, path.c_str(), &options, &report), PKIN_OK) << pkin_last_error();
    return report;
}

inline pkin_store_statistics describe(pkin_store *store) {
    pkin_store_statistics statistics = {};
    EXPECT_EQ(pkin_store_describe(store, &statistics), PKIN_OK) << pkin_last_error();
    return statistics;
}

inline int64_t find_paper(pkin_store *store, const std::string &key) {
    int64_t id = -1;
    EXPECT_EQ(pkin_i_store_find_paper(store, key.c_str(), &id), PKIN_OK) << pkin_last_error();
    return id;
}

/* Strings of it live as long as this does. */
struct Stored {
    Stored(pkin_store *store, const std::string &key) {
        EXPECT_EQ(pkin_i_store_paper(store, find_paper(store, key), &arena, &stored), PKIN_OK) << pkin_last_error();
    }
    ~Stored() {
        pkin_i_arena_free(&arena);
    }
    const pkin_paper *operator->() const {
        return &stored.paper;
    }
    pkin_i_arena arena = {};
    pkin_i_stored_paper stored = {};
};

/* The words that the store holds of a field, "/" for a break. */
inline std::string words_of(pkin_store *store, const std::string &key, pkin_i_field field) {
    pkin_i_token_documents documents = {};
    int64_t *ids = nullptr, wanted = find_paper(store, key);
    const pkin_i_vocabulary *vocabulary = nullptr;
    std::string out;
    EXPECT_EQ(pkin_i_store_load_tokens(store, 2, &documents, &ids, &vocabulary), PKIN_OK) << pkin_last_error();
    for (uint64_t d = 0; d < documents.n_documents; d++) {
        if (ids[d] != wanted) continue;
        const pkin_i_token_field &tokens = documents.fields[field];
        for (uint64_t t = tokens.offsets[d]; t < tokens.offsets[d + 1]; t++) {
            uint32_t id = tokens.tokens[t];
            out += (out.empty() ? "" : " ") +
                   std::string(id == PKIN_I_TOKEN_BREAK ? "/" : pkin_i_vocabulary_word(vocabulary, id, nullptr));
        }
    }
    pkin_i_token_documents_free(&documents);
    pkin_i_free(ids);
    return out;
}

} // namespace store_test

#endif
