/* SPDX-License-Identifier: Apache-2.0 */
/* What a block and a member look like, to the byte, and that no title can break out of them. */
#include "digest_world.h"

#include "digest/annotate.h"
#include "digest/phrases.h"

using namespace digest_world;

namespace {

struct Text {
    pkin_i_buffer buffer{};
    ~Text() {
        pkin_i_buffer_free(&buffer);
    }
    std::string str() const {
        return std::string(buffer.bytes ? buffer.bytes : "", buffer.n_bytes);
    }
};

pkin_i_partner partner(const char *key, const char *title, const char *link, const char *date, int later = 0) {
    pkin_i_partner out{};
    out.key = key;
    out.title = title;
    out.link = link;
    std::snprintf(out.date, sizeof out.date, "%s", date);
    out.later = later;
    return out;
}

struct Sample {
    pkin_judgement judgement{};
    std::vector<pkin_i_seen_line> seen;
    std::vector<pkin_i_verdict_line> verdicts;
    std::vector<pkin_i_related_line> related;
    pkin_i_annotation annotation{};

    Sample() {
        judgement.verdict = PKIN_VERDICT_SAME_WORK;
        judgement.cosine = 0.97126;
        judgement.author_overlap = 1;
        judgement.title_ratio = 1;
        judgement.abstract_ratio = 0.9;
        judgement.days_apart = 40;
        judgement.rule = "same_title";
    }
    const pkin_i_annotation *get() {
        annotation.key = "arxiv:2601.00001";
        annotation.seen = seen.data();
        annotation.n_seen = seen.size();
        annotation.verdicts = verdicts.data();
        annotation.n_verdicts = verdicts.size();
        annotation.related = related.data();
        annotation.n_related = related.size();
        return &annotation;
    }
};

std::string block(const pkin_i_annotation *annotation, int languages = PKIN_LANGUAGES_EN, const char *end = "\n") {
    Text text;
    EXPECT_EQ(pkin_i_markdown_block(annotation, languages, end, &text.buffer), PKIN_OK);
    return text.str();
}

std::string member(const pkin_i_annotation *annotation, int languages = PKIN_LANGUAGES_EN) {
    Text text;
    EXPECT_EQ(pkin_i_json_member(annotation, languages, &text.buffer), PKIN_OK);
    return text.str();
}

std::string reason(const pkin_judgement &judgement, pkin_language language) {
    char line[512];
    pkin_judgement_reason(&judgement, language, line, sizeof line);
    return line;
}

TEST(DigestBlock, RelatedPapers) {
    Sample sample;
    sample.related.push_back({partner("arxiv:2512.00002", "A title", "https://arxiv.org/abs/2512.00002", "2026-01-05"),
                              0.414,
                              {{"tensor", "compiler"}, 2}});
    sample.related.push_back({partner("arxiv:2601.00003", "No page", "", "2026-02-01", 1), 0.2996, {{}, 0}});
    EXPECT_EQ(block(sample.get()),
              "\n- **Related**:\n"
              "    - [A title](https://arxiv.org/abs/2512.00002) · 2026-01-05 · 0.41 · tensor, compiler\n"
              "    - No page · 2026-02-01, later · 0.30\n\n");
    EXPECT_EQ(block(sample.get(), PKIN_LANGUAGES_ZH, "\r\n"),
              "\r\n- **相关论文**：\r\n"
              "    - [A title](https://arxiv.org/abs/2512.00002) · 2026-01-05 · 0.41 · tensor, compiler\r\n"
              "    - No page · 2026-02-01, 后续 · 0.30\r\n\r\n");
    EXPECT_NE(block(sample.get(), PKIN_LANGUAGES_BOTH).find("- **Related · 相关论文**:\n"), std::string::npos);
    EXPECT_EQ(
        member(sample.get()),
        ", \"paperkin\": {\"version\": 1, \"key\": \"arxiv:2601.00001\", \"related\": [{\"key\": \"arxiv:2512.00002\", "
        "\"title\": \"A title\", \"link\": \"https://arxiv.org/abs/2512.00002\", \"date\": \"2026-01-05\", \"later\": "
        "false, \"cosine\": 0.4140, \"shared_terms\": [\"tensor\", \"compiler\"]}, {\"key\": \"arxiv:2601.00003\", "
        "\"title\": \"No page\", \"link\": \"\", \"date\": \"2026-02-01\", \"later\": true, \"cosine\": 0.2996, "
        "\"shared_terms\": []}]}");
}

TEST(DigestBlock, SightingsAreListedThenCounted) {
    Sample sample;
    sample.seen = {{"2026-01-05", nullptr}, {"2026-01-06", nullptr}, {"2026-01-08", "other_feed.md"}};
    EXPECT_EQ(block(sample.get()), "\n- **Seen before**: 2026-01-05, 2026-01-06, 2026-01-08 (other\\_feed.md)\n\n");
    sample.seen.insert(sample.seen.begin(), {"2025-12-30", nullptr});
    EXPECT_EQ(block(sample.get()), "\n- **Seen before**: 2025-12-30 … 2026-01-08 (other\\_feed.md) (4 times)\n\n");
    EXPECT_NE(member(sample.get())
                  .find("\"seen\": {\"times\": 4, \"first\": {\"date\": \"2025-12-30\"}, \"last\": "
                        "{\"date\": \"2026-01-08\", \"file\": \"other_feed.md\"}}"),
              std::string::npos);
}

TEST(DigestBlock, NewVersionNamesBothVersions) {
    Sample sample;
    sample.seen = {{"2026-01-05", nullptr}};
    sample.annotation.is_new_version = 1;
    sample.annotation.version = 3;
    sample.annotation.earlier_version = 1;
    EXPECT_EQ(block(sample.get()),
              "\n- **New version**: v3; v1, first seen 2026-01-05\n- **Seen before**: 2026-01-05\n\n");
    EXPECT_NE(member(sample.get()).find("\"new_version\": {\"from\": 1, \"to\": 3}"), std::string::npos);
}

TEST(DigestBlock, RepeatInsideTheFile) {
    Sample sample;
    sample.annotation.listed_above = 12;
    EXPECT_EQ(block(sample.get()), "\n- **Listed above**: entry 12\n\n");
    EXPECT_EQ(block(sample.get(), PKIN_LANGUAGES_ZH), "\n- **本期前面已列出**：条目 12\n\n");
    EXPECT_NE(member(sample.get()).find("\"listed_above\": 12"), std::string::npos);
}

TEST(DigestBlock, VerdictsShowTheirReason) {
    Sample sample;
    sample.verdicts.push_back(
        {partner("arxiv:2511.00002", "Old title", "https://arxiv.org/abs/2511.00002", "2025-11-03"),
         &sample.judgement,
         {{"tensor", "compiler", "kernel"}, 3}});
    sample.annotation.n_more_verdicts = 2;
    std::string english = reason(sample.judgement, PKIN_LANGUAGE_EN);
    EXPECT_EQ(block(sample.get()),
              "\n- **Same work as** [Old title](https://arxiv.org/abs/2511.00002) (2025-11-03): " + english +
                  "; shared terms: tensor, compiler, kernel\n- **More of these**: 2\n\n");
    std::string both = block(sample.get(), PKIN_LANGUAGES_BOTH);
    EXPECT_NE(both.find(english + " / " + reason(sample.judgement, PKIN_LANGUAGE_ZH)), std::string::npos);
    std::string json = member(sample.get());
    EXPECT_NE(json.find("\"verdict\": \"same_work\", \"tier\": \"hide\""), std::string::npos) << json;
    EXPECT_NE(json.find("\"cosine\": 0.9713, \"author_overlap\": 1.0000, \"rule\": \"same_title\""), std::string::npos)
        << json;
    EXPECT_NE(json.find("\"more_verdicts\": 2"), std::string::npos);
    sample.judgement.author_overlap = -1;
    EXPECT_NE(member(sample.get()).find("\"author_overlap\": null"), std::string::npos);
}

TEST(DigestBlock, EveryVerdictWithALineHasWords) {
    for (int v = PKIN_VERDICT_SAME_WORK; v <= PKIN_VERDICT_SISTER; v++) {
        pkin_i_phrase phrase = pkin_i_verdict_phrase(static_cast<pkin_verdict>(v));
        ASSERT_NE(phrase, PKIN_I_N_PHRASES);
        EXPECT_STRNE(pkin_i_phrase_text(phrase, PKIN_LANGUAGE_EN), "");
        EXPECT_STRNE(pkin_i_phrase_text(phrase, PKIN_LANGUAGE_ZH), "");
    }
    EXPECT_EQ(pkin_i_verdict_phrase(PKIN_VERDICT_RELATED), PKIN_I_N_PHRASES);
    for (int p = 0; p < PKIN_I_N_PHRASES; p++) {
        EXPECT_STRNE(pkin_i_phrase_text(static_cast<pkin_i_phrase>(p), PKIN_LANGUAGE_EN), "") << p;
        EXPECT_STRNE(pkin_i_phrase_text(static_cast<pkin_i_phrase>(p), PKIN_LANGUAGE_ZH), "") << p;
    }
}

TEST(DigestBlock, HostileTextStaysInside) {
    Sample sample;
    const char *title =
        "<!-- paperkin:end -->\n### [9] [x](http://evil)\r\n</details> ](javascript:x) **b** \"q\" \x01";
    sample.related.push_back(
        {partner("title:a\"b", title, "https://x.org/a b)<script>\n", "2026-01-05"), 0.5, {{"a`b<i>\n"}, 1}});
    std::string text = block(sample.get());
    EXPECT_EQ(count(text, "\n"), 4u) << text; // empty line, label, one item, empty line
    EXPECT_EQ(text.find('<'), std::string::npos) << text;
    EXPECT_EQ(text.find("](javascript"), std::string::npos) << text;
    EXPECT_EQ(count(text, "]("), 1u) << text;
    std::string json = member(sample.get());
    EXPECT_EQ(json.find('\n'), std::string::npos);
    EXPECT_EQ(json.find('\x01'), std::string::npos);
}

TEST(DigestBlock, FixedNumbersDoNotDependOnTheLocale) {
    auto fixed = [](double value, unsigned decimals) {
        Text text;
        EXPECT_EQ(pkin_i_append_fixed(&text.buffer, value, decimals), PKIN_OK);
        return text.str();
    };
    EXPECT_EQ(fixed(0, 2), "0.00");
    EXPECT_EQ(fixed(1, 4), "1.0000");
    EXPECT_EQ(fixed(0.99999, 2), "1.00");
    EXPECT_EQ(fixed(0.0649, 2), "0.06");
    EXPECT_EQ(fixed(0.25, 1), "0.3");
    EXPECT_EQ(fixed(-1, 2), "0.00");
}

/* Inserts one block at the end of `text` and gives the whole. */
std::string annotate_end(const std::string &text, size_t end) {
    Sample sample;
    sample.annotation.listed_above = 1;
    Text out;
    pkin_i_annotator annotator{text.data(), text.size(), 0, PKIN_FORMAT_MARKDOWN, PKIN_LANGUAGES_EN, 0, &out.buffer};
    pkin_paper record{};
    record.end = end;
    EXPECT_EQ(pkin_i_annotator_insert(&annotator, &record, sample.get()), PKIN_OK);
    EXPECT_EQ(pkin_i_annotator_finish(&annotator), PKIN_OK);
    return out.str();
}

/* Records come in ascending order; one that lies before what was copied, or past the end, gets nothing. */
TEST(DigestBlock, RecordsOutOfOrderAreLeftAlone) {
    const std::string text = "a\nb\nc\n";
    Sample sample;
    sample.annotation.listed_above = 1;
    Text out;
    pkin_i_annotator annotator{};
    annotator.bytes = text.data();
    annotator.n_bytes = text.size();
    annotator.format = PKIN_FORMAT_MARKDOWN;
    annotator.languages = PKIN_LANGUAGES_EN;
    annotator.out = &out.buffer;
    for (size_t end : {4u, 2u, 7u}) {
        pkin_paper record{};
        record.end = end;
        EXPECT_EQ(pkin_i_annotator_insert(&annotator, &record, sample.get()), PKIN_OK);
    }
    EXPECT_EQ(pkin_i_annotator_finish(&annotator), PKIN_OK);
    EXPECT_EQ(count(out.str(), "paperkin:begin"), 1u);
    EXPECT_EQ(out.str().substr(0, 27), "a\nb\n<!-- paperkin:begin -->");
    EXPECT_EQ(out.str().substr(out.str().size() - 2), "c\n");
}

TEST(DigestBlock, LineEndsAreTheFilesOwn) {
    EXPECT_EQ(annotate_end("a\nb\n\nc\n", 4),
              "a\nb\n<!-- paperkin:begin -->\n\n- **Listed above**: entry 1\n\n<!-- paperkin:end -->\n\nc\n");
    EXPECT_EQ(annotate_end("a\r\nb\r\n", 6),
              "a\r\nb\r\n<!-- paperkin:begin -->\r\n\r\n- **Listed above**: entry 1\r\n\r\n<!-- paperkin:end -->\r\n");
    EXPECT_EQ(annotate_end("a\r\nb", 4), "a\r\nb\r\n<!-- paperkin:begin open-line -->\r\n\r\n- **Listed above**: entry "
                                         "1\r\n\r\n<!-- paperkin:end -->");
    EXPECT_EQ(annotate_end("ab", 2),
              "ab\n<!-- paperkin:begin open-line -->\n\n- **Listed above**: entry 1\n\n<!-- paperkin:end -->");
}

} // namespace
