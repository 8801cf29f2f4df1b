/* SPDX-License-Identifier: Apache-2.0 */
#include "text/normalize.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <chrono>
#include <cstring>
#include <string>

#include "text/latex.h"

static std::string normal(const std::string &text) {
    pkin_i_buffer out = {};
    EXPECT_EQ(pkin_i_normalize_text(text.data(), text.size(), &out), PKIN_OK);
    std::string result(out.bytes ? out.bytes : "", out.n_bytes);
    pkin_i_buffer_free(&out);
    return result;
}

static std::string key(const std::string &text) {
    pkin_i_buffer out = {};
    EXPECT_EQ(pkin_i_normalize_key(text.data(), text.size(), &out), PKIN_OK);
    std::string result(out.bytes ? out.bytes : "", out.n_bytes);
    pkin_i_buffer_free(&out);
    return result;
}

TEST(Normalize, FoldsUnicode) {
    EXPECT_EQ(normal("Deep Learning"), "deep learning");
    EXPECT_EQ(normal("ＡＢＣ１２"), "abc12");
    EXPECT_EQ(normal("STRASSE"), normal("Straße"));
    EXPECT_EQ(normal("e\xCC\x81"), "é");
    EXPECT_EQ(normal("co\xC2\xADoperate"), "cooperate"); /* soft hyphen */
    EXPECT_EQ(normal("ﬁne"), "fine");
    EXPECT_EQ(normal(""), "");
}

TEST(Normalize, InvalidBytesBecomeTheReplacementCharacter) {
    EXPECT_EQ(normal("a\xFF"
                     "b"),
              "a\xEF\xBF\xBD"
              "b");
    EXPECT_NE(normal("caf\xE9").find("\xEF\xBF\xBD"), std::string::npos);
}

TEST(Normalize, SuperscriptsMeet) {
    EXPECT_EQ(normal("R$^2$CCL"), "r2ccl");
    EXPECT_EQ(normal("R²CCL"), "r2ccl");
    EXPECT_EQ(normal("R\\textsuperscript{2}CCL"), "r2ccl");
    EXPECT_EQ(normal("$x_{ij}$"), "xij");
    EXPECT_EQ(normal("H$_2$O"), normal("H₂O"));
}

TEST(Normalize, AccentsBecomeLetters) {
    EXPECT_EQ(normal("\\\"o"), "ö");
    EXPECT_EQ(normal("Schr\\\"{o}dinger"), "schrödinger");
    EXPECT_EQ(normal("caf\\'e"), "café");
    EXPECT_EQ(normal("\\'{\\i}"), "í");
    EXPECT_EQ(normal("Ho\\v{r}ava"), "hořava");
    EXPECT_EQ(normal("\\v Cerenkov"), "čerenkov");
    EXPECT_EQ(normal("Gar\\c{c}on"), "garçon");
    EXPECT_EQ(normal("S\\o rensen"), "sørensen");
    EXPECT_EQ(normal("\\AA ngstr\\\"om"), "ångström");
    EXPECT_EQ(normal("Stra\\ss e"), "strasse");
    EXPECT_EQ(normal("Erd\\H{o}s"), "erdős");
    EXPECT_EQ(normal("{\\L}ukasz"), "łukasz");
    EXPECT_EQ(normal("\\unicode{xe9}tude"), "étude");
}

TEST(Normalize, FormattingVanishes) {
    EXPECT_EQ(normal("\\textbf{x}"), "x");
    EXPECT_EQ(normal("\\emph{very} good"), "very good");
    EXPECT_EQ(normal("Chat\\textsc{GPT}"), "chatgpt");
    EXPECT_EQ(normal("$\\mathcal{L}_\\mathrm{max}$"), "lmax");
    EXPECT_EQ(normal("{\\bf bold} text"), " bold text");
    EXPECT_EQ(normal("a~b"), "a b");
    EXPECT_EQ(normal("50\\% of A\\&B"), "50% of a&b");
    EXPECT_EQ(normal("\\(n\\)-gram"), "n-gram");
    EXPECT_EQ(normal("$\\frac{12}{34}$"), " 12 34");
    EXPECT_EQ(normal("snake\\_case"), "snakecase");
}

TEST(Normalize, GreekLettersAreSpeltOut) {
    EXPECT_EQ(normal("$\\beta$-VAE"), "beta-vae");
    EXPECT_EQ(normal("β-VAE"), "beta-vae");
    EXPECT_EQ(normal("$\\pi_0$"), "pi0");
    EXPECT_EQ(normal("π₀"), "pi0");
    EXPECT_EQ(normal("5 $\\mu$m"), "5 mu m");
    EXPECT_EQ(normal("5 µm"), "5 mu m");
    EXPECT_EQ(normal("$\\alpha\\beta$"), "alpha beta");
    EXPECT_EQ(normal("$\\varepsilon$"), normal("ϵ"));
    EXPECT_EQ(normal("$\\tilde{\\alpha}$"), "alpha");
    EXPECT_EQ(normal("λόγος"), "λόγοσ"); /* a word stays a word */
    EXPECT_EQ(normal("$L_\\infty$"), normal("L∞"));
}

TEST(Normalize, CitationsAndLabelsGo) {
    EXPECT_EQ(normal("as in \\cite[p. 3]{smith2020, doe} we"), "as in   we");
    EXPECT_EQ(normal("see \\href{https://a.example/x_y}{our page}"), "see  our page");
    EXPECT_EQ(normal("\\textcolor{red}{warm}"), " warm");
    EXPECT_EQ(normal("use \\ourmethod here"), "use ourmethod  here");
}

TEST(Normalize, BrokenLatexIsHarmless) {
    for (const char *text : {"\\",
                             "$",
                             "{",
                             "}",
                             "\\{",
                             "a\\",
                             "\\cite{",
                             "\\cite[",
                             "\\'",
                             "\\'{",
                             "\\unicode{x",
                             "\\unicode{xzz}",
                             "\\unicode{xd800}",
                             "\\frac",
                             "\\frac{",
                             "}{",
                             "{{{{",
                             "\\textbf",
                             "\\v",
                             "\\v{",
                             "\\href{a}",
                             "\\\\\\",
                             "^",
                             "_",
                             "\\\xFF",
                             "\\c\xE4\xB8\xAD"}) {
        std::string once = normal(text);
        for (char c : once) EXPECT_EQ(strchr("\\${}^_~", c), nullptr) << text;
    }
}

TEST(Normalize, AppendsWithoutLookingBack) {
    pkin_i_buffer out = {};
    ASSERT_EQ(pkin_i_buffer_string(&out, "é"), PKIN_OK);
    ASSERT_EQ(pkin_i_normalize_text("α", 2, &out), PKIN_OK);
    EXPECT_STREQ(out.bytes, "éalpha");
    pkin_i_buffer_free(&out);
}

TEST(Normalize, DeepNestingStaysLinear) {
    std::string text;
    for (int k = 0; k < 200000; k++) text += "\\cite{";
    EXPECT_LT(normal(text).size(), text.size());
}

TEST(NormalizeKey, LettersAndDigitsAlone) {
    EXPECT_EQ(key("  R$^2$CCL:  A (New) -- Method! "), "r2ccl a new method");
    EXPECT_EQ(key("Ärger, 中文 标题。"), "ärger 中文 标题");
    EXPECT_EQ(key("..."), "");
    EXPECT_EQ(key("हिन्दी"), "हिन्दी"); /* vowel signs are marks and belong to the word */
    EXPECT_EQ(key("https://example.org/a"), "https example org a");
}

/* Text of the pieces that matter, in any order. */
static rc::Gen<std::string> any_text() {
    auto piece = rc::gen::element<std::string>("a", "Z", "9", " ", "$", "{", "}", "\\", "^", "_", "~", "α", "β", "Σ",
                                               "é", "İ", "ß", "中文", "²", "\\alpha", "\\'", "\\textbf", "\\cite{x}",
                                               "\\frac", "\xCC\x81", "\xFF", "ﬁ", "＄", "￥", "∞", "＼", "Å",
                                               "\xE2\x80\x8B", "가", "\xE1\x86\xA8", ".", "http://a.b/c", "ͅ");
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                        [](const std::vector<std::string> &pieces) {
                            std::string text;
                            for (const std::string &p : pieces) text += p;
                            return text;
                        });
}

TEST(NormalizeProperty, TwiceIsOnce) {
    EXPECT_TRUE(rc::check("normalising is idempotent", [] {
        std::string once = normal(*any_text());
        RC_ASSERT(normal(once) == once);
    }));
}

TEST(NormalizeProperty, KeysAreIdempotentAndTidy) {
    EXPECT_TRUE(rc::check("keys are idempotent", [] {
        std::string once = key(*any_text());
        RC_ASSERT(key(once) == once);
        RC_ASSERT(once.empty() || (once.front() != ' ' && once.back() != ' '));
        RC_ASSERT(once.find("  ") == std::string::npos);
    }));
}

TEST(NormalizeProperty, AnyBytes) {
    EXPECT_TRUE(rc::check("no bytes are too strange", [](const std::string &bytes) { normal(bytes); }));
}

/* Every argument goes to the end of the text: without a bound each would be searched to there. */
TEST(Latex, HostileNestingTakesLinearTime) {
    std::string text;
    for (int k = 0; k < 200000; k++) text += "\\label{a";
    auto begin = std::chrono::steady_clock::now();
    normal(text);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(LatexCommands, AreSortedAndFound) {
    for (size_t k = 0; pkin_i_latex_entry(k); k++) {
        const pkin_i_latex_command *entry = pkin_i_latex_entry(k), *next = pkin_i_latex_entry(k + 1);
        if (next) {
            EXPECT_LT(strcmp(entry->name, next->name), 0) << next->name;
        }
        EXPECT_EQ(pkin_i_latex_find(entry->name, strlen(entry->name)), entry);
        bool needs = entry->kind == PKIN_I_LATEX_SYMBOL || entry->kind == PKIN_I_LATEX_LETTER ||
                     entry->kind == PKIN_I_LATEX_ACCENT;
        EXPECT_EQ(entry->replacement != nullptr, needs) << entry->name;
        /* The room that latex.c reserves rests on this. */
        if (needs) {
            EXPECT_LE(strlen(entry->replacement), strlen(entry->name) + 2) << entry->name;
        }
    }
    EXPECT_EQ(pkin_i_latex_find("textb", 5), nullptr);
    EXPECT_EQ(pkin_i_latex_find("textbfx", 7), nullptr);
}
