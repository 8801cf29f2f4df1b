/* SPDX-License-Identifier: Apache-2.0 */
#include "paperkin/similarity.h"
#include "unit/store/store_fixture.h"

using namespace store_test;

namespace {

class Links : public ::testing::Test {
  protected:
    void SetUp() override {
        ingest(store, folder.write("2026-01-05.jsonl", papers(1, 5)));
    }
    std::string rows(const std::string &sql) {
        return run_sql(folder / "s.db", sql);
    }
    Folder folder;
    Store store{folder / "s.db"};
};

TEST_F(Links, AreReplacedInOrder) {
    pkin_i_link three[] = {{2, PKIN_SCORE_ONE}, {4, 77}, {3, 5}}, one[] = {{5, 9}};
    ASSERT_EQ(pkin_i_store_put_links(store, 1, three, 3), PKIN_OK) << pkin_last_error();
    ASSERT_EQ(pkin_i_store_put_links(store, 2, one, 1), PKIN_OK);
    EXPECT_EQ(rows("SELECT * FROM links"), "1|1|2|1152921504606846976\n1|2|4|77\n1|3|3|5\n2|1|5|9\n");
    ASSERT_EQ(pkin_i_store_put_links(store, 1, one, 1), PKIN_OK);
    EXPECT_EQ(rows("SELECT * FROM links"), "1|1|5|9\n2|1|5|9\n");
    ASSERT_EQ(pkin_i_store_put_links(store, 1, nullptr, 0), PKIN_OK);
    EXPECT_EQ(describe(store).n_links, 1u);
}

TEST_F(Links, ToUnknownPapersChangeNothing) {
    pkin_i_link good[] = {{2, 3}}, bad[] = {{3, 4}, {99, 5}};
    ASSERT_EQ(pkin_i_store_put_links(store, 1, good, 1), PKIN_OK);
    EXPECT_EQ(pkin_i_store_put_links(store, 1, bad, 2), PKIN_ERROR_STORE);
    EXPECT_NE(std::string(pkin_last_error()).find("FOREIGN KEY"), std::string::npos) << pkin_last_error();
    EXPECT_EQ(rows("SELECT * FROM links"), "1|1|2|3\n");
}

TEST_F(Links, VerdictsHaveNoDirection) {
    pkin_judgement judgement = {};
    judgement.verdict = PKIN_VERDICT_SAME_WORK;
    judgement.cosine = 0.9375;
    judgement.author_overlap = -1;
    judgement.days_apart = -1;
    judgement.comment_names_other = 1;
    judgement.rule = "some_rule";
    ASSERT_EQ(pkin_i_store_put_verdict(store, 4, 2, &judgement), PKIN_OK) << pkin_last_error();
    std::string name = pkin_verdict_name(PKIN_VERDICT_SAME_WORK);
    EXPECT_EQ(rows("SELECT * FROM verdicts"), "2|4|" + name + "|some_rule|0.9375|-1.0|0.0|0.0|0.0|-1|0|0|0|0|0|1\n");
    judgement.verdict = PKIN_VERDICT_SISTER;
    ASSERT_EQ(pkin_i_store_put_verdict(store, 2, 4, &judgement), PKIN_OK);
    EXPECT_EQ(rows("SELECT verdict FROM verdicts"), std::string(pkin_verdict_name(PKIN_VERDICT_SISTER)) + "\n");
    judgement.verdict = PKIN_VERDICT_NONE;
    ASSERT_EQ(pkin_i_store_put_verdict(store, 4, 2, &judgement), PKIN_OK);
    EXPECT_EQ(describe(store).n_verdicts, 0u);
    EXPECT_EQ(pkin_i_store_put_verdict(store, 2, 2, &judgement), PKIN_ERROR_INVALID_ARGUMENT);
}

TEST_F(Links, FollowTheOpenChange) {
    pkin_i_link link = {2, 3};
    ASSERT_EQ(pkin_i_store_begin(store), PKIN_OK);
    ASSERT_EQ(pkin_i_store_put_links(store, 1, &link, 1), PKIN_OK);
    ASSERT_EQ(pkin_i_store_end(store, 0), PKIN_OK);
    EXPECT_EQ(describe(store).n_links, 0u);
    ASSERT_EQ(pkin_i_store_begin(store), PKIN_OK);
    ASSERT_EQ(pkin_i_store_put_links(store, 1, &link, 1), PKIN_OK);
    ASSERT_EQ(pkin_i_store_end(store, 1), PKIN_OK);
    EXPECT_EQ(describe(store).n_links, 1u);
}

} // namespace
