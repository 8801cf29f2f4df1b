/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/store/store_fixture.h"

using namespace store_test;

namespace {

/* Real digests in order of date: which of their papers no earlier day had listed. */
TEST(StoreUpstream, NewPapersOfEachDay) {
    PKIN_SKIP_WITHOUT_SHARED();
    static const struct {
        const char *day;
        uint64_t n_records, n_papers, n_new; /* 0 records or papers: not counted by hand */
    } days[] = {{"05", 184, 146, 146}, {"06", 0, 0, 0},   {"07", 0, 188, 187}, {"08", 0, 0, 225}, {"09", 0, 0, 297},
                {"10", 0, 0, 0},       {"11", 0, 0, 0},   {"12", 0, 0, 160},   {"13", 0, 0, 0},   {"14", 0, 0, 251},
                {"15", 0, 0, 212},     {"16", 0, 0, 246}, {"17", 0, 0, 0},     {"18", 0, 0, 0}};
    Folder folder;
    Store store(folder / "s.db");
    for (auto &day : days) {
        std::string name = pkin_test_shared_dir() + "/digests/upstream/2026-01-" + day.day;
        pkin_ingest_report report = ingest(store, name + ".jsonl");
        EXPECT_EQ(report.n_new, day.n_new) << day.day;
        EXPECT_EQ(report.n_new + report.n_new_versions + report.n_repeats, report.n_papers) << day.day;
        EXPECT_TRUE(day.n_records == 0 || report.n_records == day.n_records) << report.n_records;
        EXPECT_TRUE(day.n_papers == 0 || report.n_papers == day.n_papers) << report.n_papers;
        /* The other forms of the day hold some of its papers and no others; the day itself makes none a repeat. */
        uint64_t n_papers = describe(store).n_papers;
        for (const char *form : {".md", "_AI_enhanced_Chinese.jsonl"}) {
            if (!fs::exists(name + form)) continue;
            pkin_ingest_report other = ingest(store, name + form);
            EXPECT_GT(other.n_papers, 0u) << day.day << form;
            EXPECT_LE(other.n_papers, report.n_papers) << day.day << form;
            EXPECT_LE(other.n_new, day.n_new) << day.day << form;
            EXPECT_TRUE(other.n_repeats == 0 || report.n_repeats > 0) << day.day << form;
        }
        EXPECT_EQ(describe(store).n_papers, n_papers) << day.day;
    }
    EXPECT_EQ(describe(store).n_papers, 146u + 187 + 225 + 297 + 160 + 251 + 212 + 246);
    EXPECT_STREQ(describe(store).first_date, "2026-01-05");
    EXPECT_STREQ(describe(store).last_date, "2026-01-18");
}

} // namespace
