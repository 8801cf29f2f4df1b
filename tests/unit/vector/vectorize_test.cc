/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "paperkin/features.h"

static const char lines[] = "{\"id\": \"2501.00001\", \"title\": \"Graph Cuts\", \"authors\": [\"A\"], \"categories\": "
                            "[\"cs.DS\"], \"comment\": null, \"summary\": \"Cuts in a "
                            "large graph.\"}\n"
                            "{\"id\": \"2501.00002v2\", \"title\": \"R$^2$CCL\", \"authors\": [\"B\"], \"categories\": "
                            "[\"cs.DC\"], \"comment\": null, \"summary\": \"\"}\n"
                            "{\"id\": \"2501.00003\", \"title\": \"The\", \"authors\": [\"C\"], \"categories\": "
                            "[\"cs.DC\"], \"comment\": null, \"summary\": \"\"}\n";

class Vectorize : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(pkin_corpus_read_memory(lines, sizeof lines - 1, "test", nullptr, &corpus), PKIN_OK)
            << pkin_last_error();
    }
    void TearDown() override {
        pkin_matrix_free(matrix);
        pkin_corpus_free(corpus);
    }
    pkin_corpus *corpus = nullptr;
    pkin_matrix *matrix = nullptr;
};

TEST_F(Vectorize, TermsIdsAndWeights) {
    pkin_features_options options = pkin_features_options_plain();
    ASSERT_EQ(pkin_matrix_vectorize(corpus, &options, &matrix), PKIN_OK) << pkin_last_error();
    pkin_csr_view view = pkin_matrix_view(matrix);
    ASSERT_EQ(view.n_rows, 3u);
    ASSERT_EQ(view.n_columns, 4u);
    EXPECT_STREQ(pkin_matrix_term(matrix, 0), "cuts");
    EXPECT_STREQ(pkin_matrix_term(matrix, 1), "graph");
    EXPECT_STREQ(pkin_matrix_term(matrix, 2), "large");
    EXPECT_STREQ(pkin_matrix_term(matrix, 3), "r2ccl");
    EXPECT_EQ(pkin_matrix_term(matrix, 4), nullptr);
    EXPECT_STREQ(pkin_matrix_row_id(matrix, 1), "2501.00002");
    EXPECT_EQ(pkin_matrix_row_id(matrix, 3), nullptr);
    EXPECT_NEAR(view.values[0], 2 / 3.0, 1e-12); /* 2, 2, 1 over their length */
    EXPECT_EQ(view.values[3], 1.0);
    EXPECT_EQ(view.row_offsets[3], view.row_offsets[2]); /* only a stop word */
}

TEST_F(Vectorize, WordsTokenizerKeepsStopWords) {
    pkin_features_options options = pkin_features_options_plain();
    options.tokenizer = PKIN_TOKENIZER_WORDS;
    ASSERT_EQ(pkin_matrix_vectorize(corpus, &options, &matrix), PKIN_OK) << pkin_last_error();
    pkin_csr_view view = pkin_matrix_view(matrix);
    EXPECT_EQ(view.row_offsets[3], view.row_offsets[2] + 1);
}

TEST_F(Vectorize, BigramsStayWithinAField) {
    pkin_features_options options = pkin_features_options_related();
    options.bigram_min_df = 1;
    ASSERT_EQ(pkin_matrix_vectorize(corpus, &options, &matrix), PKIN_OK) << pkin_last_error();
    std::string terms;
    for (uint32_t c = 0; pkin_matrix_term(matrix, c); c++) terms += std::string(pkin_matrix_term(matrix, c)) + ",";
    EXPECT_EQ(terms, "cuts,cuts large,graph,graph cuts,large,large graph,r2ccl,");
}

TEST_F(Vectorize, DefaultsAndErrors) {
    ASSERT_EQ(pkin_matrix_vectorize(corpus, nullptr, &matrix), PKIN_OK);
    pkin_features_options options = pkin_features_options_plain();
    options.size = 0;
    pkin_matrix *none = matrix;
    EXPECT_EQ(pkin_matrix_vectorize(corpus, &options, &none), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(none, nullptr);
    options = pkin_features_options_plain();
    options.n_threads = -1;
    EXPECT_EQ(pkin_matrix_vectorize(corpus, &options, &none), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(std::string(pkin_last_error()).find("-1 threads"), std::string::npos) << pkin_last_error();
    options = pkin_features_options_plain();
    none = matrix;
    EXPECT_EQ(pkin_matrix_vectorize(nullptr, &options, &none), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(none, nullptr);
    EXPECT_EQ(pkin_matrix_vectorize(corpus, &options, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    options.on_progress = [](void *, const char *, uint64_t, uint64_t) { return 1; };
    EXPECT_EQ(pkin_matrix_vectorize(corpus, &options, &none), PKIN_ERROR_CANCELLED);
    EXPECT_EQ(none, nullptr);
}
