/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_GROUPS_TEST_PAPER_H
#define PKIN_TESTS_GROUPS_TEST_PAPER_H

#include <string>
#include <vector>

#include "paperkin/groups.h"

/* A paper that owns its strings. Change the members, then ask for view(); it is valid until the next change. */
struct TestPaper {
    std::string key = "arxiv:2501.00001", id = "2501.00001", title, abstract, comment, doi, date;
    unsigned version = 0;
    std::vector<std::string> authors, categories;

    TestPaper() = default;
    TestPaper(const std::string &arxiv_id, const std::string &paper_title, const std::string &paper_abstract = "")
        : key("arxiv:" + arxiv_id), id(arxiv_id), title(paper_title),
          abstract(paper_abstract), authors{"Ada Quill", "Bo Reed"}, categories{"cs.CL"} {}

    const pkin_paper *view() {
        author_pointers.clear();
        category_pointers.clear();
        for (const std::string &author : authors) author_pointers.push_back(author.c_str());
        for (const std::string &category : categories) category_pointers.push_back(category.c_str());
        paper = pkin_paper();
        paper.key = key.c_str();
        paper.id = id.c_str();
        paper.version = version;
        paper.title = title.c_str();
        paper.abstract = abstract.c_str();
        paper.summary = paper.link = "";
        paper.comment = comment.c_str();
        paper.doi = doi.c_str();
        paper.date = date.c_str();
        paper.authors = author_pointers.data();
        paper.n_authors = static_cast<uint32_t>(authors.size());
        paper.categories = category_pointers.data();
        paper.n_categories = static_cast<uint32_t>(categories.size());
        return &paper;
    }

  private:
    pkin_paper paper;
    std::vector<const char *> author_pointers, category_pointers;
};

/* The judgement; what is not asked for is checked here: success, and the same verdict the other way round. */
inline pkin_judgement pkin_test_judge(TestPaper a, TestPaper b, double cosine) {
    pkin_judgement forth = {}, back = {};
    EXPECT_EQ(pkin_judge(a.view(), b.view(), cosine, &forth), PKIN_OK);
    EXPECT_EQ(pkin_judge(b.view(), a.view(), cosine, &back), PKIN_OK);
    EXPECT_EQ(forth.verdict, back.verdict) << a.title << " | " << b.title;
    EXPECT_STREQ(forth.rule, back.rule);
    return forth;
}

#endif
