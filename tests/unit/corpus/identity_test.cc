/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/identity.h"

#include <gtest/gtest.h>

#include <clocale>
#include <string>

namespace {

std::string arxiv(const char *text, unsigned *version = nullptr) {
    pkin_i_buffer out = {};
    unsigned found = 99;
    EXPECT_EQ(PKIN_OK, pkin_i_arxiv_name(text, &out, &found));
    std::string result = out.bytes ? out.bytes : "";
    pkin_i_buffer_free(&out);
    if (version) *version = found;
    return result;
}

std::string doi(const char *text) {
    pkin_i_buffer out = {};
    EXPECT_EQ(PKIN_OK, pkin_i_doi_name(text, &out));
    std::string result = out.bytes ? out.bytes : "";
    pkin_i_buffer_free(&out);
    return result;
}

std::string title_name(const char *title, const char *author) {
    pkin_i_buffer out = {};
    bool has_title;
    EXPECT_EQ(PKIN_OK, pkin_i_title_name(title, author, &out, &has_title));
    std::string result = out.bytes;
    pkin_i_buffer_free(&out);
    EXPECT_EQ(has_title, result.find('|') != 0);
    return result;
}

/* In a Turkish locale 'I' has another lower case, in Latin-1 ones bytes above 127 are letters. */
TEST(Identity, DoesNotDependOnTheLocale) {
    const char *chosen = nullptr;
    for (const char *name : {"tr_TR.ISO-8859-9", "tr_TR.iso88599", "de_DE.ISO-8859-1", "de_DE.iso88591"}) {
        if (!chosen) chosen = setlocale(LC_CTYPE, name);
    }
    if (!chosen) GTEST_SKIP() << "no 8-bit locale is installed";
    EXPECT_EQ("2512.11762", arxiv("ARXIV:2512.11762"));
    EXPECT_EQ("10.1000/\xDD"
              "i",
              doi("DOI:10.1000/\xDD"
                  "I"));
    EXPECT_EQ(10u, pkin_i_arxiv_id("2512.11762\xE9", nullptr));
    setlocale(LC_CTYPE, "C");
}

TEST(ArxivId, Bare) {
    unsigned version;
    EXPECT_EQ(10u, pkin_i_arxiv_id("2512.11762v2", &version));
    EXPECT_EQ(2u, version);
    EXPECT_EQ(9u, pkin_i_arxiv_id("0704.0001", &version));
    EXPECT_EQ(0u, version);
    EXPECT_EQ(14u, pkin_i_arxiv_id("hep-th/9901001", &version));
    EXPECT_EQ(15u, pkin_i_arxiv_id("math.GT/0309136v12 and more", &version));
    EXPECT_EQ(12u, version);
    EXPECT_EQ(10u, pkin_i_arxiv_id("2512.11762", nullptr));
}

TEST(ArxivId, WhatOnlyLooksLikeOne) {
    for (const char *text :
         {"", "2513.00001", "2500.00001", "0703.0001", "1412.12345", "1501.0001", "2512.1176", "2512.117620",
          "2512.11762v", "2512.11762vx", "2512.11762abc", "2512-11762", "12.2512.11762", "hep-xx/9901001",
          "hep-th/990100", "hep-th/99010011", "hep-th/9913001", "tldr.2605.432e7fa6", "10.1000/182"}) {
        unsigned version = 7;
        EXPECT_EQ(0u, pkin_i_arxiv_id(text, &version)) << text;
        EXPECT_EQ(0u, version) << text;
    }
}

TEST(ArxivName, EverySpelling) {
    unsigned version;
    for (const char *text :
         {"2512.11762v2", "arXiv:2512.11762v2", "ARXIV: 2512.11762v2", "http://arxiv.org/abs/2512.11762v2",
          "https://arxiv.org/pdf/2512.11762v2.pdf", "https://www.arxiv.org/html/2512.11762v2",
          "arxiv.org/abs/2512.11762v2", "https://export.arxiv.org/abs/2512.11762v2?context=cs",
          "https://arxiv.org/abs/2512.11762v2#top", "2512.11762v2 [cs.PL]", "10.48550/arXiv.2512.11762v2",
          "https://doi.org/10.48550/ARXIV.2512.11762v2", "oai:arXiv.org:2512.11762v2", "OAI:ARXIV.ORG:2512.11762v2",
          "HTTPS://ARXIV.ORG/ABS/2512.11762v2"}) {
        EXPECT_EQ("2512.11762", arxiv(text, &version)) << text;
        EXPECT_EQ(2u, version) << text;
    }
    EXPECT_EQ("math/0309136", arxiv("math.GT/0309136"));
    EXPECT_EQ("math/0309136", arxiv("http://arxiv.org/abs/math.GT/0309136v3", &version));
    EXPECT_EQ(3u, version);
    EXPECT_EQ("hep-th/9901001", arxiv("https://arxiv.org/pdf/hep-th/9901001"));
    EXPECT_EQ("hep-th/9901001", arxiv("HEP-TH/9901001v2", &version));
    EXPECT_EQ(2u, version);
    EXPECT_EQ("math/0309136", arxiv("oai:arXiv.org:Math.GT/0309136"));
}

TEST(ArxivName, OtherThings) {
    for (const char *text :
         {"", "https://example.org/abs/2512.11762", "https://arxiv.org/list/cs.PL/new", "2512.11762 is good",
          "https://arxiv.org/abs/", "https://arxiv.org.evil.example/abs/2512.11762",
          "https://doi.org/10.1000/2512.11762", "oai:example.org:2512.11762", "HEP-XX/9901001", "icra2022:9812325"}) {
        EXPECT_EQ("", arxiv(text)) << text;
    }
}

TEST(Doi, Normalised) {
    for (const char *text : {"10.1000/ABC.1", "doi:10.1000/abc.1", "DOI: 10.1000/abc.1",
                             "https://doi.org/10.1000/Abc.1", "http://dx.doi.org/10.1000/abc.1",
                             "10.1000/abc.1 10.1000/other", "10.1000/abc.1.", "https://doi.org/10.1000/abc.1?src=x"}) {
        EXPECT_EQ("10.1000/abc.1", doi(text)) << text;
    }
    for (const char *text :
         {"", "10.", "10.1000", "10.1000/", "10.12/abc", "11.1000/abc", "https://example.org/10.1000/abc"}) {
        EXPECT_EQ("", doi(text)) << text;
    }
}

TEST(TitleName, LettersAndDigitsOfAnyScript) {
    EXPECT_EQ("gardens of forking types|ada lovage", title_name("Gardens  of Forking-Types!", "Ada  Lovage"));
    EXPECT_EQ(title_name("\xC3\x89tude \xE2\x80\x94 2", "X"), title_name("\xC3\xA9tude: 2", "x"));
    EXPECT_EQ("\xE4\xBD\xA0 \xE5\xA5\xBD|", title_name("\xE4\xBD\xA0\xEF\xBC\x8C\xE5\xA5\xBD\xE3\x80\x82", ""));
    EXPECT_EQ("|x", title_name("?!", "X"));
}

TEST(TitleName, DoesNotDependOnHowATitleIsTypeset) {
    for (const char *title : {"R$^2$CCL: x", "R$^{2}$CCL: $x$", "R\\^2CCL x",
                              "R\xC2\xB2"
                              "CCL: x"}) {
        EXPECT_EQ("r2ccl x|", title_name(title, "")) << title;
    }
    EXPECT_EQ("h2o and snakecase|", title_name("H$_2$O and snake\\_case", ""));
    EXPECT_EQ(title_name("H2O", ""), title_name("H\xE2\x82\x82O", ""));
    /* All of them: superscript and subscript 0 to 9. */
    EXPECT_EQ("0123456789|", title_name("\xE2\x81\xB0\xC2\xB9\xC2\xB2\xC2\xB3\xE2\x81\xB4\xE2\x81\xB5\xE2\x81\xB6"
                                        "\xE2\x81\xB7\xE2\x81\xB8\xE2\x81\xB9",
                                        ""));
    EXPECT_EQ("0123456789|", title_name("\xE2\x82\x80\xE2\x82\x81\xE2\x82\x82\xE2\x82\x83\xE2\x82\x84\xE2\x82\x85"
                                        "\xE2\x82\x86\xE2\x82\x87\xE2\x82\x88\xE2\x82\x89",
                                        ""));
    EXPECT_EQ("|", title_name("$\\{\\}^_$", ""));
}

} // namespace
