/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_CORPUS_TEST_SUPPORT_H
#define PKIN_TESTS_CORPUS_TEST_SUPPORT_H

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "paperkin/corpus.h"

/* A diagnostic, copied. */
struct Told {
    std::string file;
    uint64_t line;
    std::string reason;
    bool skipped;
    bool operator==(const Told &other) const {
        return file == other.file && line == other.line && reason == other.reason && skipped == other.skipped;
    }
};

inline std::ostream &operator<<(std::ostream &out, const Told &told) {
    return out << told.file << ":" << told.line << ": " << told.reason << (told.skipped ? " (skipped)" : "");
}

struct CorpusDelete {
    void operator()(pkin_corpus *corpus) const {
        pkin_corpus_free(corpus);
    }
};
using CorpusPointer = std::unique_ptr<pkin_corpus, CorpusDelete>;

/* What reading gave: a status, a corpus where it went well, and everything that was told. */
struct Reading {
    pkin_status status = PKIN_OK;
    std::string error;
    CorpusPointer corpus;
    std::vector<Told> told;

    uint64_t size() const {
        return corpus ? pkin_corpus_size(corpus.get()) : 0;
    }
    const pkin_paper &operator[](uint64_t index) const {
        return *pkin_corpus_paper(corpus.get(), index);
    }
    std::vector<std::string> authors(uint64_t index) const {
        const pkin_paper &paper = (*this)[index];
        return std::vector<std::string>(paper.authors, paper.authors + paper.n_authors);
    }
    std::vector<std::string> categories(uint64_t index) const {
        const pkin_paper &paper = (*this)[index];
        return std::vector<std::string>(paper.categories, paper.categories + paper.n_categories);
    }
    /* The bytes that the paper's record takes in the input. */
    std::string record(uint64_t index) const {
        size_t n_bytes;
        const char *bytes = static_cast<const char *>(pkin_corpus_bytes(corpus.get(), &n_bytes));
        return std::string(bytes + (*this)[index].begin, bytes + (*this)[index].end);
    }
};

inline void collect_told(void *user, const pkin_diagnostic *diagnostic) {
    static_cast<Reading *>(user)->told.push_back(
        {diagnostic->file, diagnostic->line, diagnostic->reason, diagnostic->skipped_record != 0});
}

inline pkin_read_options options_for(Reading &reading, pkin_format format, int n_threads) {
    pkin_read_options options = pkin_read_options_default();
    options.format = format;
    options.n_threads = n_threads;
    options.on_diagnostic = collect_told;
    options.diagnostic_user = &reading;
    return options;
}

inline Reading read_text(const std::string &text, pkin_format format = PKIN_FORMAT_UNKNOWN, int n_threads = 2) {
    Reading reading;
    pkin_read_options options = options_for(reading, format, n_threads);
    pkin_corpus *corpus = nullptr;
    reading.status = pkin_corpus_read_memory(text.data(), text.size(), "test.input", &options, &corpus);
    if (reading.status != PKIN_OK) reading.error = pkin_last_error();
    reading.corpus.reset(corpus);
    return reading;
}

inline Reading read_path(const std::string &path, int n_threads = 2) {
    Reading reading;
    pkin_read_options options = options_for(reading, PKIN_FORMAT_UNKNOWN, n_threads);
    pkin_corpus *corpus = nullptr;
    reading.status = pkin_corpus_read_file(path.c_str(), &options, &corpus);
    if (reading.status != PKIN_OK) reading.error = pkin_last_error();
    reading.corpus.reset(corpus);
    return reading;
}

/* A digest of two entries in the upstream form; texts invented. */
inline std::string small_digest() {
    return "<div id=toc></div>\n"
           "\n"
           "# Table of Contents\n"
           "\n"
           "- [cs.PL](#cs.PL) [Total: 3]\n"
           "- [cs.DC](#cs.DC) [Total: 1]\n"
           "\n"
           "\n"
           "<div id='cs.PL'></div>\n"
           "\n"
           "# cs.PL [[Back]](#toc)\n"
           "\n"
           "### [1] [Gardens of Forking Types](https://arxiv.org/abs/2601.00011)\n"
           "*Ada Lovage,Bo Tansy*\n"
           "\n"
           "Main category: cs.PL\n"
           "\n"
           "TL;DR: Types fork.\n"
           "\n"
           "\n"
           "<details>\n"
           "  <summary>Details</summary>\n"
           "Motivation: Gardens grow.\n"
           "\n"
           "Method: 1. Plant\n"
           "2. Water\n"
           "\n"
           "Result: Error\n"
           "\n"
           "Conclusion: They forked.\n"
           "\n"
           "Abstract: We plant types.\n"
           "  Second paragraph of it.\n"
           "Results: all green.\n"
           "\n"
           "</details>\n"
           "\n"
           "\n"
           "<div id='cs.DC'></div>\n"
           "\n"
           "# cs.DC [[Back]](#toc)\n"
           "\n"
           "### [2] [Clocks [Extended] in $[0,1)$ (a study)](https://arxiv.org/abs/2601.00022v3)\n"
           "*Cy Rue*\n"
           "\n"
           "Main category: cs.DC\n"
           "\n"
           "TL;DR: Clocks drift.\n"
           "\n"
           "\n"
           "<details>\n"
           "  <summary>Details</summary>\n"
           "Abstract: Every clock drifts.\n"
           "\n"
           "</details>\n";
}

/* The same two papers as crawled, one object a line. */
inline std::string small_crawl() {
    return "{\"id\": \"2601.00011\", \"categories\": [\"cs.PL\", \"cs.LO\"], \"pdf\": "
           "\"https://arxiv.org/pdf/2601.00011\", "
           "\"abs\": \"https://arxiv.org/abs/2601.00011\", \"authors\": [\"Ada Lovage\", \"Bo Tansy\"], \"title\": "
           "\"Gardens of Forking Types\", \"comment\": null, \"summary\": \"We plant types.\\n  Second paragraph of "
           "it.\\nResults: all green.\"}\n"
           "{\"id\": \"2601.00022v3\", \"categories\": [\"cs.DC\"], \"abs\": \"https://arxiv.org/abs/2601.00022v3\", "
           "\"authors\": [\"Cy Rue\"], \"title\": \"Clocks [Extended] in $[0,1)$ (a study)\", \"comment\": \"12 "
           "pages\", "
           "\"summary\": \"Every clock drifts.\"}\n";
}

inline std::string replace_all(std::string text, const std::string &from, const std::string &to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

#endif
