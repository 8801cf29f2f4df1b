/* SPDX-License-Identifier: Apache-2.0 */
#include "paperkin/related.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "../store/store_fixture.h"
#include "history/history.h"
#include "history/merged_terms.h"
#include "history/mmr.h"
#include "history/query_vector.h"
#include "store/thread_rows.h"
#include "support/allocation_failures.h"

using store_test::crawl_line;
using store_test::Folder;
using store_test::Store;

namespace {

const std::vector<std::vector<std::string>> topics = {
    {"kv", "cache", "eviction", "attention", "decoding", "tokens", "compression"},
    {"glacier", "moraine", "meltwater", "albedo", "firn", "crevasse", "ablation"},
    {"fugue", "counterpoint", "harpsichord", "cadence", "temperament", "chord", "melody"},
};

std::string number_text(int n, int digits) {
    std::string text = std::to_string(n);
    return std::string((size_t)digits - text.size(), '0') + text;
}

/* Papers of three topics, with words that all share. */
std::string invented(int first, int last, const std::string &month = "2601") {
    std::string lines;
    for (int n = first; n <= last; n++) {
        std::mt19937 random((unsigned)n);
        const auto &words = topics[(size_t)n % topics.size()];
        auto pick = [&] { return words[random() % words.size()]; };
        std::string abstract;
        for (int w = 0; w < 24; w++) {
            abstract += (w ? w % 9 == 0 ? ". " : " " : "") + (random() % 3   ? pick()
                                                              : random() % 2 ? "measure"
                                                                             : "word" + std::to_string(random() % 40));
        }
        lines += crawl_line(month + "." + number_text(n, 5), pick() + " " + pick() + " study", abstract + ".");
    }
    return lines;
}

/* A search; the result is freed with the object. */
struct Search {
    pkin_related related{};
    pkin_status status;
    std::string error;
    std::vector<const char *> ids, not_ids;

    Search(pkin_store *store, const std::vector<std::string> &wanted,
           pkin_related_options options = pkin_related_options_default(),
           const std::vector<std::string> &unwanted = {}) {
        for (const std::string &id : wanted) ids.push_back(id.c_str());
        for (const std::string &id : unwanted) not_ids.push_back(id.c_str());
        options.ids = ids.data();
        options.n_ids = ids.size();
        options.not_ids = not_ids.data();
        options.n_not_ids = not_ids.size();
        options.n_threads = 2;
        status = pkin_related_find(store, &options, &related);
        if (status != PKIN_OK) error = pkin_last_error();
    }
    ~Search() {
        pkin_related_free(&related);
    }
    Search(const Search &) = delete;
    Search &operator=(const Search &) = delete;

    std::vector<std::string> keys() const {
        std::vector<std::string> keys;
        for (size_t k = 0; k < related.n_items; k++) keys.push_back(related.items[k].key);
        return keys;
    }
    std::string first() const {
        return related.n_items ? related.items[0].key : "";
    }
};

pkin_related_options with_text(const char *text) {
    pkin_related_options options = pkin_related_options_default();
    options.text = text;
    return options;
}

class Related : public ::testing::Test {
  protected:
    Folder folder;
    Store store{":memory:"};

    void ingest(const std::string &name, const std::string &lines, int background = -1) {
        pkin_ingest_options options = pkin_ingest_options_default();
        pkin_ingest_report report;
        options.background = background;
        ASSERT_EQ(pkin_store_ingest_file(store, folder.write(name, lines).c_str(), &options, &report), PKIN_OK)
            << pkin_last_error();
    }
};

/* The store's papers, weighed. */
struct Weighed {
    pkin_i_history history{};
    uint32_t *df = nullptr;
    explicit Weighed(pkin_store *store, pkin_features_options features = pkin_features_options_related()) {
        EXPECT_EQ(pkin_i_history_load(store, 2, &history), PKIN_OK) << pkin_last_error();
        EXPECT_EQ(pkin_i_weighting_build(&history.tokens, history.vocabulary, &features, &history.related), PKIN_OK);
        EXPECT_EQ(pkin_i_weighting_count_documents(&history.related, &df), PKIN_OK);
    }
    ~Weighed() {
        pkin_i_history_free(&history);
        pkin_i_free(df);
    }
    Weighed(const Weighed &) = delete;
    Weighed &operator=(const Weighed &) = delete;

    uint32_t row(const std::string &key) {
        int64_t id = 0;
        EXPECT_EQ(pkin_i_store_find_paper(history.store, key.c_str(), &id), PKIN_OK);
        return pkin_i_history_row(&history, id);
    }
    std::map<uint32_t, double> values(uint32_t row) const {
        std::map<uint32_t, double> values;
        pkin_csr_view view = pkin_matrix_view(history.related.matrix);
        for (uint64_t e = view.row_offsets[row]; e < view.row_offsets[row + 1]; e++) {
            values[view.columns[e]] = view.values[e];
        }
        return values;
    }
};

/* Rocchio's formula as it is written, and cosines in doubles. */
std::vector<std::pair<double, std::string>> by_formula(Weighed &weighed, const std::vector<std::string> &wanted,
                                                       const std::vector<std::string> &unwanted, double weight) {
    std::map<uint32_t, double> query;
    for (auto &key : wanted) {
        for (auto [c, v] : weighed.values(weighed.row(key))) query[c] += v / (double)wanted.size();
    }
    for (auto &key : unwanted) {
        for (auto [c, v] : weighed.values(weighed.row(key))) query[c] -= weight * v / (double)unwanted.size();
    }
    double squares = 0;
    for (auto &entry : query) {
        entry.second = std::max(entry.second, 0.0);
        squares += entry.second * entry.second;
    }
    std::vector<std::pair<double, std::string>> found;
    for (uint32_t row = 0; row < weighed.history.n_papers; row++) {
        const pkin_i_stored_paper *stored = nullptr;
        EXPECT_EQ(pkin_i_history_paper(&weighed.history, row, &stored), PKIN_OK);
        std::string key = stored->paper.key;
        if (std::count(wanted.begin(), wanted.end(), key) + std::count(unwanted.begin(), unwanted.end(), key)) continue;
        double sum = 0;
        for (auto [c, v] : weighed.values(row)) sum += v * (query.count(c) ? query[c] : 0);
        found.push_back({sum / std::sqrt(squares), key});
    }
    std::sort(found.rbegin(), found.rend());
    return found;
}

} // namespace

TEST_F(Related, FollowsRocchiosFormula) {
    ingest("2026-01-05.jsonl", invented(1, 90));
    Weighed weighed(store);
    const std::vector<std::string> wanted = {"arxiv:2601.00003", "arxiv:2601.00006", "arxiv:2601.00010"};
    const std::vector<std::string> unwanted = {"arxiv:2601.00009", "arxiv:2601.00012"};
    for (double weight : {0.0, 0.5, 1.5}) {
        pkin_related_options options = pkin_related_options_default();
        options.unwanted_weight = weight;
        options.count = 20;
        options.floor = 0;
        Search search(store, wanted, options, unwanted);
        ASSERT_EQ(search.status, PKIN_OK) << search.error;
        auto expected = by_formula(weighed, wanted, unwanted, weight);
        ASSERT_EQ(search.related.n_items, 20u);
        EXPECT_EQ(search.related.n_papers, 85u);
        for (size_t k = 0; k < 20; k++) {
            EXPECT_NEAR(search.related.items[k].cosine, expected[k].first, 1e-6);
            EXPECT_EQ(search.related.items[k].value, search.related.items[k].cosine);
        }
        EXPECT_EQ(search.first(), expected[0].second);
    }
}

TEST_F(Related, ExamplesCountOnceInAnyOrderAndAreNotFound) {
    ingest("2026-01-05.jsonl", invented(1, 60));
    Search one(store, {"2601.00003", "2601.00007"}), other(store, {"2601.00007v2", "2601.00003", "arXiv:2601.00007"});
    ASSERT_EQ(one.status, PKIN_OK) << one.error;
    EXPECT_EQ(one.keys(), other.keys());
    EXPECT_EQ(one.related.items[3].cosine, other.related.items[3].cosine);
    for (const std::string &key : one.keys()) {
        EXPECT_NE(key, "arxiv:2601.00003");
        EXPECT_NE(key, "arxiv:2601.00007");
    }
    Weighed weighed(store);
    auto cosine_with = [&](size_t k, const char *key) {
        pkin_vectors *vectors = weighed.history.related.vectors;
        uint32_t row = weighed.row(one.related.items[k].key);
        return pkin_score_to_cosine(pkin_vectors_score(vectors, row, vectors, weighed.row(key)));
    };
    std::set<std::string> named;
    for (size_t k = 0; k < one.related.n_items; k++) {
        double with_3 = cosine_with(k, "arxiv:2601.00003"), with_7 = cosine_with(k, "arxiv:2601.00007");
        EXPECT_STREQ(one.related.items[k].nearest, with_3 >= with_7 ? "arxiv:2601.00003" : "arxiv:2601.00007");
        EXPECT_EQ(one.related.items[k].nearest_cosine, std::max(with_3, with_7));
        named.insert(one.related.items[k].nearest);
    }
    EXPECT_EQ(named.size(), 2u);
}

TEST_F(Related, UnwantedPapersPushTheirKindDown) {
    ingest("2026-01-05.jsonl", invented(1, 60)); /* 1, 4, ... glaciers; 2, 5, ... music */
    pkin_related_options options = pkin_related_options_default();
    options.count = 60;
    options.floor = 0;
    Search with(store, {"2601.00001", "2601.00002"}, options);
    Search without(store, {"2601.00001", "2601.00002"}, options, {"2601.00005", "2601.00008", "2601.00011"});
    auto n_music = [](const Search &search) {
        size_t n = 0;
        for (size_t k = 0; k < 10; k++) n += std::stoi(search.keys()[k].substr(11)) % 3 == 2;
        return n;
    };
    EXPECT_GE(n_music(with), 3u);
    EXPECT_LT(n_music(without), n_music(with));
    Search both(store, {"2601.00001"}, options, {"arxiv:2601.00001"});
    EXPECT_EQ(both.status, PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(both.error.find("2601.00001"), std::string::npos);
}

TEST_F(Related, TakesIdsAsPeopleWriteThem) {
    ingest("2026-01-05.jsonl", invented(1, 8));
    ingest("2026-01-06.jsonl", crawl_line("hep-th/9901001", "An old study", "Glacier albedo and cache eviction."));
    ingest(
        "2026-01-07.jsonl",
        "{\"id\": \"2601.00950\", \"title\": \"Crevasse cadence\", \"abstract\": \"Glacier and melody.\", \"doi\": "
        "\"10.2000/Mixed\", \"authors\": [\"Ada Example\"]}\n"
        "{\"id\": \"talk-7\", \"title\": \"Moraine fugue\", \"abstract\": \"Glacier and melody.\", \"doi\": "
        "\"10.1000/ABC\", \"authors\": [\"Ada Example\"]}\n"
        "{\"id\": \"x9\", \"title\": \"Albedo chord\", \"abstract\": \"Glacier and melody.\", \"authors\": [\"Bo "
        "Example\"], \"url\": \"https://example.org/x9\"}\n"
        "{\"id\": \"twice\", \"title\": \"Firn one\", \"abstract\": \"Glacier and melody.\", \"authors\": [\"Cy\"]}\n"
        "{\"id\": \"twice\", \"title\": \"Firn two\", \"abstract\": \"Glacier and chord.\", \"authors\": [\"Di\"]}\n");
    for (const char *id :
         {"2601.00004", "2601.00004v3", "arXiv:2601.00004", "arxiv:2601.00004v1", "https://arxiv.org/abs/2601.00004",
          "http://arxiv.org/pdf/2601.00004v2.pdf", "10.48550/arXiv.2601.00004", "hep-th/9901001",
          "arXiv:hep-th/9901001v2", "https://arxiv.org/abs/hep-th/9901001", "10.1000/abc", "doi:10.1000/ABC",
          "https://doi.org/10.1000/abc", "10.2000/mixed", "x9", "https://example.org/x9"}) {
        Search search(store, {id});
        EXPECT_EQ(search.status, PKIN_OK) << id << ": " << search.error;
        EXPECT_GT(search.related.n_items, 0u) << id;
    }
    for (const char *id : {"2601.99999", "kv cache", "10.1000/none", "https://example.org/none", "math/0309136"}) {
        Search search(store, {"2601.00004", id});
        EXPECT_EQ(search.status, PKIN_ERROR_NOT_FOUND) << id;
        EXPECT_NE(search.error.find(std::string("\"") + id + "\""), std::string::npos) << search.error;
        EXPECT_EQ(search.related.n_items, 0u);
    }
    EXPECT_NE(Search(store, {"2601.99999v2"}).error.find("arxiv:2601.99999"), std::string::npos);
    Search several(store, {"twice"});
    EXPECT_EQ(several.status, PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(several.error.find("title:firn one"), std::string::npos) << several.error;
    EXPECT_NE(several.error.find("title:firn two"), std::string::npos) << several.error;
    EXPECT_EQ(Search(store, {""}).status, PKIN_ERROR_INVALID_ARGUMENT);
}

TEST_F(Related, TextIsWeighedAsADocumentIs) {
    ingest("2026-01-05.jsonl", invented(1, 60));
    ingest("2026-01-06.jsonl",
           crawl_line("2601.00900", "Plain",
                      "We evict the KV cache; the KV cache, KV CACHE. Glacier $\\\\alpha$-albedo, of "
                      "course! 冰川融水的变化 and the fugue."));
    /* With titles left out a document is its abstract: the same text must then give the same row. */
    pkin_features_options features = pkin_features_options_related();
    features.title_weight = 0;
    Weighed weighed(store, features);
    for (uint32_t row = 0; row < weighed.history.n_papers; row++) {
        const pkin_i_stored_paper *stored = nullptr;
        pkin_i_query_words words{};
        pkin_vectors *text = nullptr;
        ASSERT_EQ(pkin_i_history_paper(&weighed.history, row, &stored), PKIN_OK);
        ASSERT_EQ(pkin_i_query_words_read(stored->paper.abstract, weighed.history.vocabulary, &words), PKIN_OK);
        EXPECT_EQ(words.n_unknown, 0u);
        ASSERT_EQ(pkin_i_query_words_weigh(&words, &weighed.history.related, weighed.df, &features, &text), PKIN_OK);
        pkin_vectors *vectors = weighed.history.related.vectors;
        uint64_t self = pkin_vectors_score(vectors, row, vectors, row);
        uint64_t score = pkin_vectors_score(text, 0, vectors, row), own = pkin_vectors_score(text, 0, text, 0);
        EXPECT_NEAR(pkin_score_to_cosine(score), pkin_score_to_cosine(self), 1e-12) << row;
        EXPECT_NEAR(pkin_score_to_cosine(own), pkin_score_to_cosine(self), 1e-12) << row;
        pkin_vectors_free(text);
        pkin_i_query_words_free(&words);
    }
}

TEST_F(Related, FindsByWordsAndNamesUnknownOnes) {
    ingest("2026-01-05.jsonl", invented(1, 30));
    ingest("2026-01-06.jsonl", crawl_line("2601.00800", "Zebra husbandry at night", "Stripes of zebra herds."));
    Search search(store, {}, with_text("the ZEBRA, flibbertigibbet zebra wombat flibbertigibbet"));
    ASSERT_EQ(search.status, PKIN_OK) << search.error;
    EXPECT_EQ(search.keys(), std::vector<std::string>{"arxiv:2601.00800"});
    const pkin_related_paper &paper = search.related.items[0];
    EXPECT_STREQ(paper.id, "2601.00800");
    EXPECT_STREQ(paper.title, "Zebra husbandry at night");
    EXPECT_STREQ(paper.day, "2026-01-06");
    EXPECT_EQ(paper.n_authors, 2u);
    EXPECT_STREQ(paper.authors[0], "Ada Example");
    EXPECT_STREQ(paper.nearest, "");
    EXPECT_STREQ(paper.thread, "");
    ASSERT_EQ(paper.n_terms, 1u);
    EXPECT_STREQ(paper.terms[0].term, "zebra");
    EXPECT_NEAR(paper.terms[0].share, paper.cosine, 1e-12);
    ASSERT_NE(search.related.unknown_words[0], nullptr);
    EXPECT_STREQ(search.related.unknown_words[0], "flibbertigibbet");
    EXPECT_STREQ(search.related.unknown_words[1], "wombat");
    EXPECT_EQ(search.related.unknown_words[2], nullptr);
    ASSERT_EQ(search.related.n_query, 1u);
    EXPECT_NEAR(search.related.query[0].share, 1, 1e-6);
}

TEST_F(Related, TextAndPapersTogetherAreAMean) {
    ingest("2026-01-05.jsonl", invented(1, 60));
    pkin_related_options options = with_text("fugue counterpoint harpsichord");
    options.floor = 0;
    options.count = 60;
    Search words(store, {}, options), both(store, {"2601.00001"}, options);
    options.text = nullptr;
    Search paper(store, {"2601.00001"}, options);
    std::map<std::string, double> by_words, by_paper;
    for (size_t k = 0; k < words.related.n_items; k++) by_words[words.keys()[k]] = words.related.items[k].cosine;
    for (size_t k = 0; k < paper.related.n_items; k++) by_paper[paper.keys()[k]] = paper.related.items[k].cosine;
    /* Two unit vectors' mean has the length sqrt((1 + their cosine) / 2); both parts' cosines are in the same ratio. */
    double length = std::sqrt((1 + by_words["arxiv:2601.00001"]) / 2);
    ASSERT_EQ(both.status, PKIN_OK) << both.error;
    for (size_t k = 0; k < both.related.n_items; k++) {
        std::string key = both.keys()[k];
        EXPECT_NEAR(both.related.items[k].cosine, (by_words[key] + by_paper[key]) / 2 / length, 1e-6);
    }
    EXPECT_GT(both.related.n_items, 40u);
}

TEST_F(Related, NothingIsFoundOfUnknownWords) {
    ingest("2026-01-05.jsonl", invented(1, 10));
    for (const char *text : {"flibbertigibbet", "the of and", "...", "   "}) {
        Search search(store, {}, with_text(text));
        EXPECT_EQ(search.status, PKIN_OK) << search.error;
        EXPECT_EQ(search.related.n_items, 0u);
        EXPECT_EQ(search.related.n_query, 0u);
        EXPECT_NE(search.related.unknown_words, nullptr);
    }
    /* Beside a paper such a text changes nothing. */
    Search with(store, {"2601.00003"}, with_text("flibbertigibbet"), {"2601.00006"});
    Search without(store, {"2601.00003"}, pkin_related_options_default(), {"2601.00006"});
    EXPECT_EQ(with.keys(), without.keys());
    EXPECT_EQ(with.related.items[0].cosine, without.related.items[0].cosine);
}

TEST_F(Related, SearchesSummariesForWordsThatStandThereAlone) {
    ingest("2026-01-05.jsonl", invented(1, 20));
    ingest("2026-01-06_AI_enhanced_Chinese.jsonl",
           store_test::enhanced_line("2601.00700", "Glacier melt", "Meltwater of firn.", "冰川融水正在增加") +
               store_test::enhanced_line("2601.00701", "Fugue", "Counterpoint and chord.", "复调音乐的和弦"));
    Search search(store, {}, with_text("冰川融水"));
    ASSERT_EQ(search.status, PKIN_OK) << search.error;
    EXPECT_EQ(search.first(), "arxiv:2601.00700");
    ASSERT_GT(search.related.items[0].n_terms, 0u);
    for (uint32_t t = 0; t < search.related.items[0].n_terms; t++) {
        EXPECT_EQ(std::string(search.related.items[0].terms[t].term).find(' '), std::string::npos);
    }
    /* Where abstracts have the words, summaries do not count: all of them have "leaves" there. */
    ingest("2026-01-07.jsonl", crawl_line("2601.00702", "Autumn", "Leaves turn red."));
    Search leaves(store, {}, with_text("leaves"));
    EXPECT_EQ(leaves.keys(), std::vector<std::string>{"arxiv:2601.00702"});
    Search english(store, {}, with_text("glacier meltwater firn"));
    Weighed weighed(store);
    pkin_features_options features = pkin_features_options_related();
    pkin_i_query_words words{};
    pkin_vectors *text = nullptr;
    ASSERT_EQ(pkin_i_query_words_read("glacier meltwater firn", weighed.history.vocabulary, &words), PKIN_OK);
    ASSERT_EQ(pkin_i_query_words_weigh(&words, &weighed.history.related, weighed.df, &features, &text), PKIN_OK);
    ASSERT_GT(english.related.n_items, 5u);
    for (size_t k = 0; k < english.related.n_items; k++) {
        uint64_t score = pkin_vectors_score(text, 0, weighed.history.related.vectors, weighed.row(english.keys()[k]));
        EXPECT_NEAR(english.related.items[k].cosine, pkin_score_to_cosine(score), 1e-8);
    }
    pkin_vectors_free(text);
    pkin_i_query_words_free(&words);
}

TEST_F(Related, SinceLeavesOutWhatIsOlder) {
    ingest("2026-01-05.jsonl", invented(1, 30));
    ingest("2026-01-09.jsonl", invented(31, 60));
    pkin_related_options options = pkin_related_options_default();
    options.since = "2026-01-09";
    options.count = 100;
    options.floor = 0;
    Search later(store, {"2601.00003"}, options);
    options.since = nullptr;
    Search all(store, {"2601.00003"}, options);
    ASSERT_EQ(later.status, PKIN_OK) << later.error;
    EXPECT_EQ(later.related.n_papers, 30u);
    std::vector<std::string> expected;
    for (const std::string &key : all.keys()) {
        if (std::stoi(key.substr(11)) > 30) expected.push_back(key);
    }
    EXPECT_EQ(later.keys(), expected);
    for (size_t k = 0; k < later.related.n_items; k++) EXPECT_STREQ(later.related.items[k].day, "2026-01-09");
    options.since = "2026-01-10";
    Search none(store, {"2601.00003"}, options);
    EXPECT_EQ(none.status, PKIN_OK);
    EXPECT_EQ(none.related.n_items, 0u);
}

TEST_F(Related, TermsExplainTheCosine) {
    ingest("2026-01-05.jsonl", invented(1, 90));
    Search search(store, {"2601.00003", "2601.00006"});
    ASSERT_GT(search.related.n_items, 5u);
    for (size_t k = 0; k < search.related.n_items; k++) {
        const pkin_related_paper &paper = search.related.items[k];
        double sum = 0, last = 1;
        std::set<std::string> seen;
        ASSERT_GT(paper.n_terms, 0u);
        for (uint32_t t = 0; t < paper.n_terms; t++) {
            EXPECT_GT(paper.terms[t].share, 0);
            EXPECT_LE(paper.terms[t].share, last);
            EXPECT_TRUE(seen.insert(paper.terms[t].term).second) << paper.terms[t].term;
            sum += last = paper.terms[t].share;
        }
        EXPECT_LE(sum, paper.cosine + 1e-9);
        EXPECT_GT(sum, 0.4 * paper.cosine);
    }
}

TEST_F(Related, NamesThreads) {
    ingest("2026-01-05.jsonl", invented(1, 12));
    int64_t ids[2] = {0, 0};
    ASSERT_EQ(pkin_i_store_find_paper(store, "arxiv:2601.00006", &ids[0]), PKIN_OK);
    ASSERT_EQ(pkin_i_store_find_paper(store, "arxiv:2601.00009", &ids[1]), PKIN_OK);
    pkin_i_thread_row row = {"taaaaaaa", false, "", "cache eviction", "", "2026-01-05", "", ""};
    pkin_i_thread_member members[2] = {{ids[0], 0, 1, true}, {ids[1], 0, 0, true}};
    pkin_i_stored_threads threads = {"2026-01-05", "", 0, &row, 1, members, 2};
    ASSERT_EQ(pkin_i_store_save_threads(store, &threads, nullptr, 0), PKIN_OK) << pkin_last_error();
    Search search(store, {"2601.00003"});
    ASSERT_EQ(search.status, PKIN_OK) << search.error;
    size_t n_named = 0;
    for (size_t k = 0; k < search.related.n_items; k++) {
        const pkin_related_paper &paper = search.related.items[k];
        bool is_member = !strcmp(paper.key, "arxiv:2601.00006") || !strcmp(paper.key, "arxiv:2601.00009");
        EXPECT_STREQ(paper.thread, is_member ? "taaaaaaa" : "");
        EXPECT_STREQ(paper.thread_label, is_member ? "cache eviction" : "");
        n_named += is_member;
    }
    EXPECT_EQ(n_named, 2u);
}

TEST_F(Related, ChoosesByMarginalRelevance) {
    ingest("2026-01-05.jsonl", invented(1, 90));
    Weighed weighed(store);
    pkin_vectors *vectors = weighed.history.related.vectors;
    for (const char *id : {"2601.00003", "2601.00016", "2601.00032", "2601.00050"}) {
        pkin_related_options options = pkin_related_options_default();
        options.floor = 0;
        options.count = 40;
        Search all(store, {id}, options);
        options.count = 4;
        for (double diversity : {0.0, 0.2, 0.7, 1.0}) {
            options.diversity = diversity;
            Search search(store, {id}, options);
            ASSERT_EQ(search.related.n_items, 4u);
            /* The rule, step by step, over the 40 closest. */
            std::vector<std::string> chosen;
            while (chosen.size() < 4) {
                std::string best;
                double best_value = -2;
                for (size_t k = 0; k < all.related.n_items; k++) {
                    std::string key = all.keys()[k];
                    double nearest = 0;
                    if (std::count(chosen.begin(), chosen.end(), key)) continue;
                    for (auto &other : chosen) {
                        uint64_t score = pkin_vectors_score(vectors, weighed.row(key), vectors, weighed.row(other));
                        nearest = std::max(nearest, pkin_score_to_cosine(score));
                    }
                    double value = diversity * all.related.items[k].cosine - (1 - diversity) * nearest;
                    if (value <= best_value) continue;
                    best_value = value;
                    best = key;
                }
                EXPECT_NEAR(search.related.items[chosen.size()].value, best_value, 1e-12);
                chosen.push_back(best);
            }
            EXPECT_EQ(search.keys(), chosen) << id << " " << diversity;
        }
    }
}

TEST_F(Related, RefusesWhatMakesNoSense) {
    ingest("2026-01-05.jsonl", invented(1, 5));
    pkin_related_options good = pkin_related_options_default();
    EXPECT_EQ(Search(store, {}, good).status, PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(Search(store, {}, good, {"2601.00001"}).status, PKIN_ERROR_INVALID_ARGUMENT);
    auto status_with = [&](auto change) {
        pkin_related_options options = good;
        change(options);
        return Search(store, {"2601.00001"}, options).status;
    };
    EXPECT_EQ(status_with([](auto &o) { o.floor = 1.1; }), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(status_with([](auto &o) { o.diversity = -0.1; }), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(status_with([](auto &o) { o.diversity = NAN; }), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(status_with([](auto &o) { o.unwanted_weight = -1; }), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(status_with([](auto &o) { o.since = "2026-02-30"; }), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(status_with([](auto &o) { o.since = "2026-02-03T"; }), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(status_with([](auto &o) { o.size = 0; }), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(status_with([](auto &o) { o.count = 0; }), PKIN_OK);
    EXPECT_EQ(status_with([](auto &o) { o.on_progress = [](void *, const char *, uint64_t, uint64_t) { return 1; }; }),
              PKIN_ERROR_CANCELLED);
    Store empty(":memory:");
    Search nothing(empty, {}, with_text("glacier"));
    EXPECT_EQ(nothing.status, PKIN_OK) << nothing.error;
    EXPECT_EQ(nothing.related.n_items, 0u);
    EXPECT_EQ(Search(empty, {"2601.00001"}).status, PKIN_ERROR_NOT_FOUND);
    pkin_related none;
    EXPECT_EQ(pkin_related_find(nullptr, &good, &none), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(none.memory, nullptr);
    pkin_related_free(nullptr);
}

TEST_F(Related, LeavesNothingBehindWhenMemoryFails) {
    ingest("2026-01-05.jsonl", invented(1, 6));
    const char *ids[] = {"2601.00003", "doi:10.1/none"}, *not_ids[] = {"2601.00001"};
    pkin_related_options options = pkin_related_options_default();
    options.ids = ids;
    options.n_ids = 1;
    options.not_ids = not_ids;
    options.n_not_ids = 1;
    options.text = "glacier cache flibbertigibbet";
    options.diversity = 0.7;
    options.count = 2;
    options.n_threads = 1;
    /* What the store keeps from one call to the next is there already. */
    pkin_related first;
    ASSERT_EQ(pkin_related_find(store, &options, &first), PKIN_OK);
    pkin_related_free(&first);
    expect_clean_failures([&] {
        pkin_related related;
        pkin_status status = pkin_related_find(store, &options, &related);
        pkin_related_free(&related);
        return status;
    });
}

namespace {

/* A matrix with terms, one row of every column. */
struct Terms {
    pkin_matrix *matrix = nullptr;
    explicit Terms(const std::vector<std::string> &terms) {
        Folder folder;
        std::vector<uint64_t> offsets = {0, terms.size()};
        std::vector<uint32_t> columns;
        std::vector<double> values(terms.size(), 0.1);
        std::string text;
        for (uint32_t c = 0; c < terms.size(); c++) {
            columns.push_back(c);
            text += terms[c] + "\n";
        }
        pkin_csr_view view = {1, terms.size(), offsets.data(), columns.data(), values.data()};
        pkin_matrix *bare = nullptr;
        EXPECT_EQ(pkin_matrix_from_csr(&view, &bare), PKIN_OK);
        EXPECT_EQ(pkin_matrix_write_npz(bare, (folder / "m.npz").c_str()), PKIN_OK);
        folder.write("m.terms.txt", text);
        EXPECT_EQ(pkin_matrix_read_npz((folder / "m.npz").c_str(), &matrix), PKIN_OK) << pkin_last_error();
        pkin_matrix_free(bare);
    }
    ~Terms() {
        pkin_matrix_free(matrix);
    }
    Terms(const Terms &) = delete;
    Terms &operator=(const Terms &) = delete;

    /* `df` by column. */
    std::string merge(std::vector<pkin_shared_term> shared, const std::vector<uint32_t> &df) {
        std::string out;
        shared.resize(pkin_i_merge_terms(matrix, df.data(), shared.data(), shared.size()));
        for (const pkin_shared_term &term : shared) {
            out += std::string(out.empty() ? "" : ", ") + pkin_matrix_term(matrix, term.column) + " " +
                   std::to_string(term.score);
        }
        return out;
    }
};

} // namespace

TEST(MergedTerms, PairsTakeUpTheirWords) {
    Terms terms({"kv", "cache", "kv cache", "cache eviction", "eviction", "model", "model training", "eviction kv"});
    const std::vector<uint32_t> df = {9, 9, 5, 3, 4, 90, 5, 1};
    EXPECT_EQ(terms.merge({{0, 50}, {1, 40}, {2, 30}}, df), "kv cache 120");
    /* A word goes to the pair that more papers have. */
    EXPECT_EQ(terms.merge({{4, 50}, {1, 40}, {3, 30}, {2, 20}}, df), "cache eviction 80, kv cache 60");
    EXPECT_EQ(terms.merge({{4, 50}, {1, 40}, {3, 30}, {2, 20}}, {9, 9, 3, 5, 4, 90, 5, 1}),
              "cache eviction 120, kv cache 20");
    /* A pair between others is chance. */
    EXPECT_EQ(terms.merge({{0, 50}, {1, 40}, {4, 30}, {7, 29}, {2, 28}, {3, 27}}, df),
              "kv cache 118, cache eviction 57");
    /* A pair that adds little leaves a strong word alone. */
    EXPECT_EQ(terms.merge({{5, 50}, {6, 10}}, df), "model 50, model training 10");
    EXPECT_EQ(terms.merge({{5, 50}, {6, 17}}, df), "model training 67");
    EXPECT_EQ(terms.merge({{0, 50}, {5, 50}, {4, 20}}, df), "kv 50, model 50, eviction 20");
    EXPECT_EQ(terms.merge({{2, 50}, {7, 20}}, df), "kv cache 50, eviction kv 20");
    EXPECT_EQ(terms.merge({}, df), "");
}
