/* SPDX-License-Identifier: Apache-2.0 */
#include "vector/weigh.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

typedef std::vector<uint32_t> Tokens;
/* One document: title and abstract. */
typedef std::pair<Tokens, Tokens> Document;

/* Documents as pkin_i_weigh wants them; words are named by number, so that byte order and order of ids differ. */
struct Collection {
    pkin_i_vocabulary *vocabulary = nullptr;
    pkin_i_token_documents documents = {};
    std::vector<uint64_t> offsets[2];
    Tokens tokens[2];
    Collection(const std::vector<Document> &list, uint32_t n_words) {
        EXPECT_EQ(pkin_i_vocabulary_create(&vocabulary), PKIN_OK);
        for (uint32_t k = 0; k < n_words; k++) {
            uint32_t id;
            std::string word = name(k);
            EXPECT_EQ(pkin_i_vocabulary_add(vocabulary, word.data(), word.size(), &id), PKIN_OK);
            EXPECT_EQ(id, k);
        }
        for (int f = 0; f < 2; f++) {
            offsets[f].push_back(0);
            for (const Document &d : list) {
                const Tokens &t = f ? d.second : d.first;
                tokens[f].insert(tokens[f].end(), t.begin(), t.end());
                offsets[f].push_back(tokens[f].size());
            }
            documents.fields[f].offsets = offsets[f].data();
            documents.fields[f].tokens = tokens[f].data();
        }
        documents.n_documents = list.size();
    }
    Collection(const Collection &) = delete;
    ~Collection() {
        pkin_i_vocabulary_free(vocabulary);
    }
    static std::string name(uint32_t k) {
        return "w" + std::to_string(k * 7919u % 1000u) + "x" + std::to_string(k);
    }
};

/* term -> weight, row by row. */
typedef std::vector<std::map<std::string, double>> Rows;

static pkin_matrix *weigh(const Collection &c, const pkin_features_options &options, int sort_terms = 1) {
    pkin_matrix *matrix = nullptr;
    EXPECT_EQ(pkin_i_weigh(&c.documents, c.vocabulary, &options, sort_terms, &matrix), PKIN_OK) << pkin_last_error();
    pkin_csr_view view = pkin_matrix_view(matrix);
    EXPECT_EQ(pkin_i_csr_check(&view), PKIN_OK) << pkin_last_error();
    return matrix;
}

static Rows rows_of(const pkin_matrix *matrix) {
    pkin_csr_view view = pkin_matrix_view(matrix);
    Rows rows(view.n_rows);
    for (uint64_t r = 0; r < view.n_rows; r++) {
        for (uint64_t k = view.row_offsets[r]; k < view.row_offsets[r + 1]; k++) {
            rows[r][pkin_matrix_term(matrix, view.columns[k])] = view.values[k];
        }
    }
    return rows;
}

/* The definition, written down as it stands in paperkin/features.h. */
static Rows reference(const std::vector<Document> &list, const pkin_features_options &options) {
    std::vector<std::map<std::string, double>> tf(list.size());
    std::map<std::string, uint64_t> df;
    for (size_t d = 0; d < list.size(); d++) {
        for (int f = 0; f < 2; f++) {
            double weight = f ? options.abstract_weight : options.title_weight;
            const Tokens &t = f ? list[d].second : list[d].first;
            for (size_t k = 0; weight > 0 && k < t.size(); k++) {
                if (t[k] == PKIN_I_TOKEN_BREAK) continue;
                tf[d][Collection::name(t[k])] += weight;
                if (options.bigram_weight > 0 && k + 1 < t.size() && t[k + 1] != PKIN_I_TOKEN_BREAK) {
                    tf[d][Collection::name(t[k]) + " " + Collection::name(t[k + 1])] += weight;
                }
            }
        }
        for (const auto &entry : tf[d]) df[entry.first]++;
    }
    Rows rows(list.size());
    double n = (double)list.size();
    for (size_t d = 0; d < list.size(); d++) {
        double squares = 0;
        for (const auto &entry : tf[d]) {
            double f = (double)df[entry.first];
            bool bigram = entry.first.find(' ') != std::string::npos;
            double least = (double)(bigram && options.bigram_min_df ? options.bigram_min_df : options.min_df);
            if (f < least || f > options.max_df * n) continue;
            double t = options.sublinear_tf && entry.second >= 1 ? 1 + std::log(entry.second) : entry.second;
            double g = bigram ? options.bigram_weight : 1;
            double w = g * t * (std::log((1 + n) / (1 + f)) + 1);
            rows[d][entry.first] = w;
            squares += w * w;
        }
        for (auto &entry : rows[d]) entry.second /= std::sqrt(squares);
    }
    return rows;
}

static std::string difference(const Rows &a, const Rows &b) {
    if (a.size() != b.size()) return "number of rows";
    for (size_t r = 0; r < a.size(); r++) {
        if (a[r].size() != b[r].size()) return "terms of row " + std::to_string(r);
        for (const auto &entry : a[r]) {
            auto other = b[r].find(entry.first);
            if (other == b[r].end()) return "term " + entry.first;
            if (std::fabs(other->second - entry.second) > 1e-12) return "weight of " + entry.first;
        }
    }
    return "";
}

static bool same_bits(const pkin_matrix *a, const pkin_matrix *b) {
    pkin_csr_view x = pkin_matrix_view(a), y = pkin_matrix_view(b);
    if (x.n_rows != y.n_rows || x.n_columns != y.n_columns) return false;
    for (uint64_t r = 0; r <= x.n_rows; r++)
        if (x.row_offsets[r] != y.row_offsets[r]) return false;
    for (uint64_t k = 0; k < x.row_offsets[x.n_rows]; k++) {
        if (x.columns[k] != y.columns[k] || x.values[k] != y.values[k]) return false;
    }
    for (uint64_t c = 0; c < x.n_columns; c++) {
        if (std::string(pkin_matrix_term(a, (uint32_t)c)) != pkin_matrix_term(b, (uint32_t)c)) return false;
    }
    return true;
}

enum { N_WORDS = 30 };

static rc::Gen<std::vector<Document>> any_documents() {
    auto token = rc::gen::weightedOneOf<uint32_t>(
        {{12, rc::gen::inRange<uint32_t>(0, N_WORDS)}, {1, rc::gen::just((uint32_t)PKIN_I_TOKEN_BREAK)}});
    auto tokens = rc::gen::container<Tokens>(token);
    return rc::gen::container<std::vector<Document>>(rc::gen::pair(tokens, tokens));
}

static pkin_features_options any_options() {
    pkin_features_options options = pkin_features_options_plain();
    options.title_weight = *rc::gen::element(0.0, 1.0, 3.0, 0.3);
    options.abstract_weight = *rc::gen::element(0.0, 1.0, 2.5);
    options.sublinear_tf = *rc::gen::inRange(0, 2);
    options.bigram_weight = *rc::gen::element(0.0, 0.75, 1.0);
    options.min_df = *rc::gen::inRange<uint64_t>(0, 4);
    options.bigram_min_df = *rc::gen::inRange<uint64_t>(0, 4);
    options.max_df = *rc::gen::element(1.0, 0.5, 0.25);
    options.n_threads = *rc::gen::inRange(1, 4);
    return options;
}

TEST(WeighProperty, IsItsDefinition) {
    EXPECT_TRUE(rc::check("as the formula says", [] {
        std::vector<Document> list = *any_documents();
        pkin_features_options options = any_options();
        Collection c(list, N_WORDS);
        pkin_matrix *matrix = weigh(c, options, *rc::gen::inRange(0, 2));
        std::string found = difference(rows_of(matrix), reference(list, options));
        pkin_matrix_free(matrix);
        RC_ASSERT(found == "");
    }));
}

TEST(WeighProperty, RowsHaveLengthOneOrNone) {
    EXPECT_TRUE(rc::check("unit rows", [] {
        std::vector<Document> list = *any_documents();
        Collection c(list, N_WORDS);
        pkin_matrix *matrix = weigh(c, any_options());
        for (const auto &row : rows_of(matrix)) {
            double squares = 0;
            for (const auto &entry : row) squares += entry.second * entry.second;
            RC_ASSERT(row.empty() || std::fabs(squares - 1) < 1e-14);
        }
        pkin_matrix_free(matrix);
    }));
}

TEST(WeighProperty, PermutingDocumentsPermutesRows) {
    EXPECT_TRUE(rc::check("rows follow their documents", [] {
        std::vector<Document> list = *any_documents();
        pkin_features_options options = any_options();
        std::vector<Document> turned(list.rbegin(), list.rend());
        Collection a(list, N_WORDS), b(turned, N_WORDS);
        pkin_matrix *x = weigh(a, options), *y = weigh(b, options);
        Rows rows_x = rows_of(x), rows_y = rows_of(y);
        pkin_matrix_free(x);
        pkin_matrix_free(y);
        RC_ASSERT(rows_x == Rows(rows_y.rbegin(), rows_y.rend())); /* to the bit */
    }));
}

static std::vector<Document> large_list(uint32_t n_words) {
    std::vector<Document> list;
    unsigned state = 3;
    for (int d = 0; d < 700; d++) {
        Document document;
        for (int k = 0; k < 60; k++) {
            state = state * 1664525u + 1013904223u;
            uint32_t word = (state >> 8) % n_words, limit = (state >> 20) % n_words + 1;
            (k < 9 ? document.first : document.second).push_back(k % 17 == 16 ? PKIN_I_TOKEN_BREAK : word % limit);
        }
        list.push_back(document);
    }
    return list;
}

TEST(Weigh, TheSameBitsForEveryNumberOfThreads) {
    std::vector<Document> list = large_list(2000);
    Collection c(list, 2000);
    for (int sort_terms : {0, 1}) {
        pkin_features_options options = pkin_features_options_related();
        options.n_threads = 1;
        pkin_matrix *one = weigh(c, options, sort_terms);
        EXPECT_GT(pkin_matrix_view(one).n_columns, 2500u); /* there are bigrams */
        EXPECT_EQ(difference(rows_of(one), reference(list, options)), "");
        for (int n_threads : {2, 3, 4, 7}) {
            options.n_threads = n_threads;
            pkin_matrix *many = weigh(c, options, sort_terms);
            EXPECT_TRUE(same_bits(one, many)) << n_threads;
            pkin_matrix_free(many);
        }
        pkin_matrix_free(one);
    }
}

TEST(Weigh, OrderOfColumns) {
    /* Names are w0x0, w919x1, w838x2: byte order is 0, 2, 1. */
    Collection c({{{0, 1, 2}, {1, 0}}}, 3);
    pkin_features_options options = pkin_features_options_plain();
    options.bigram_weight = 1;
    pkin_matrix *by_bytes = weigh(c, options, 1), *by_id = weigh(c, options, 0);
    auto terms = [](const pkin_matrix *m) {
        std::vector<std::string> result;
        for (uint32_t k = 0; pkin_matrix_term(m, k); k++) result.push_back(pkin_matrix_term(m, k));
        return result;
    };
    EXPECT_EQ(terms(by_bytes),
              (std::vector<std::string>{"w0x0", "w0x0 w919x1", "w838x2", "w919x1", "w919x1 w0x0", "w919x1 w838x2"}));
    EXPECT_EQ(terms(by_id),
              (std::vector<std::string>{"w0x0", "w919x1", "w838x2", "w0x0 w919x1", "w919x1 w0x0", "w919x1 w838x2"}));
    pkin_matrix_free(by_bytes);
    pkin_matrix_free(by_id);
}

TEST(Weigh, LongWordsWithOnePrefixAreSorted) {
    pkin_i_vocabulary *vocabulary = nullptr;
    ASSERT_EQ(pkin_i_vocabulary_create(&vocabulary), PKIN_OK);
    Tokens tokens;
    std::set<std::string> expected;
    for (uint32_t k = 0; k < 500; k++) {
        std::string word =
            k % 3 ? "sameprefix" + std::to_string(k * 37 % 500) : std::string(k % 12, 'a') + (k % 2 ? "é" : "z");
        uint32_t id;
        ASSERT_EQ(pkin_i_vocabulary_add(vocabulary, word.data(), word.size(), &id), PKIN_OK);
        tokens.push_back(id);
        expected.insert(word);
    }
    uint64_t offsets[2] = {0, tokens.size()};
    pkin_i_token_documents documents = {};
    documents.n_documents = 1;
    documents.fields[PKIN_I_TITLE] = {offsets, tokens.data()};
    pkin_features_options options = pkin_features_options_plain();
    options.abstract_weight = 0;
    pkin_matrix *matrix = nullptr;
    ASSERT_EQ(pkin_i_weigh(&documents, vocabulary, &options, 1, &matrix), PKIN_OK) << pkin_last_error();
    uint32_t column = 0;
    for (const std::string &word : expected) EXPECT_EQ(pkin_matrix_term(matrix, column++), word);
    EXPECT_EQ(pkin_matrix_view(matrix).n_columns, expected.size());
    pkin_matrix_free(matrix);
    pkin_i_vocabulary_free(vocabulary);
}

TEST(Weigh, NothingGivesNothing) {
    for (const std::vector<Document> &list :
         {std::vector<Document>{}, std::vector<Document>{{{}, {}}, {{PKIN_I_TOKEN_BREAK}, {}}}}) {
        Collection c(list, 0);
        pkin_matrix *matrix = weigh(c, pkin_features_options_related());
        EXPECT_EQ(pkin_matrix_view(matrix).n_rows, list.size());
        EXPECT_EQ(pkin_matrix_view(matrix).n_columns, 0u);
        EXPECT_EQ(pkin_matrix_view(matrix).row_offsets[list.size()], 0u);
        pkin_matrix_free(matrix);
    }
}

static void expect_refused(const Collection &c, const pkin_features_options &options, pkin_status expected) {
    pkin_matrix *matrix = (pkin_matrix *)&c;
    EXPECT_EQ(pkin_i_weigh(&c.documents, c.vocabulary, &options, 1, &matrix), expected);
    EXPECT_EQ(matrix, nullptr);
    EXPECT_STRNE(pkin_last_error(), "");
}

TEST(Weigh, RefusesBadOptionsAndTokens) {
    Collection c({{{0, 1}, {1}}}, 2);
    for (double bad : {-1.0, std::nan(""), (double)INFINITY, 1e300, 1e-300}) {
        pkin_features_options options = pkin_features_options_plain();
        options.title_weight = bad;
        expect_refused(c, options, PKIN_ERROR_INVALID_ARGUMENT);
        options = pkin_features_options_plain();
        options.bigram_weight = bad;
        expect_refused(c, options, PKIN_ERROR_INVALID_ARGUMENT);
    }
    for (double bad : {-1.0, 0.0, 1.5, std::nan("")}) {
        pkin_features_options options = pkin_features_options_plain();
        options.max_df = bad;
        expect_refused(c, options, PKIN_ERROR_INVALID_ARGUMENT);
    }
    pkin_features_options options = pkin_features_options_plain();
    options.summary_weight = 1; /* not tokenized */
    expect_refused(c, options, PKIN_ERROR_INVALID_ARGUMENT);
    Collection broken({{{0, 5}, {1}}}, 2);
    expect_refused(broken, pkin_features_options_plain(), PKIN_ERROR_CORRUPT);
}

static int cancel(void *user, const char *, uint64_t, uint64_t) {
    return --*(int *)user == 0;
}

TEST(Weigh, CanBeCancelled) {
    Collection c({{{0, 1}, {1}}}, 2);
    for (int call = 1; call <= 3; call++) {
        int countdown = call;
        pkin_features_options options = pkin_features_options_related();
        options.on_progress = cancel;
        options.progress_user = &countdown;
        expect_refused(c, options, PKIN_ERROR_CANCELLED);
    }
}

static long countdown;
static void *failing_allocate(void *, size_t n) {
    return __atomic_sub_fetch(&countdown, 1, __ATOMIC_SEQ_CST) == 0 ? nullptr : malloc(n);
}
static void *failing_reallocate(void *, void *p, size_t n) {
    return __atomic_sub_fetch(&countdown, 1, __ATOMIC_SEQ_CST) == 0 ? nullptr : realloc(p, n);
}
static void failing_release(void *, void *p) {
    free(p);
}

TEST(Weigh, EveryFailedAllocationIsReported) {
    Collection c(large_list(50), 50);
    const pkin_allocator hooks = {failing_allocate, failing_reallocate, failing_release, nullptr};
    pkin_features_options options = pkin_features_options_related();
    options.n_threads = 2;
    long n = 1;
    for (; n < 100000; n++) {
        pkin_matrix *matrix = nullptr;
        pkin_set_allocator(&hooks);
        countdown = n;
        pkin_status status = pkin_i_weigh(&c.documents, c.vocabulary, &options, 1, &matrix);
        bool failed = countdown <= 0;
        pkin_set_allocator(nullptr);
        EXPECT_EQ(status, failed ? PKIN_ERROR_OUT_OF_MEMORY : PKIN_OK);
        EXPECT_EQ(matrix == nullptr, failed);
        pkin_matrix_free(matrix);
        if (!failed) break;
    }
    EXPECT_GT(n, 30);
}
