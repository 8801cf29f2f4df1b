/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "groups/surface_forms.h"
#include "label_world.h"

/* The words of a text with what stands before each: "^" break, " " space, "-" joined, "" glued. */
static std::string scan(const std::string &text) {
    static const char *const marks[] = {"^", " ", "-", "+"};
    pkin_i_label_scanner scanner = {};
    std::string out;
    EXPECT_EQ(pkin_i_label_scan(&scanner, text.c_str()), PKIN_OK);
    for (size_t k = 0; k < scanner.n_words; k++) {
        const char *word;
        size_t n_bytes;
        EXPECT_EQ(pkin_i_label_fold(&scanner, &scanner.words[k], &word, &n_bytes), PKIN_OK);
        out += marks[scanner.words[k].gap] + std::string(word, n_bytes);
    }
    pkin_i_label_scanner_free(&scanner);
    return out;
}

TEST(LabelScan, FindsWordsAndWhatPartsThem) {
    EXPECT_EQ(scan("Large language models (LLMs), again."), "^large language models^llms^again");
    EXPECT_EQ(scan("t-SNE and k\xE2\x80\x91means"), "^t-sne and k-means");
    EXPECT_EQ(scan("C++ templates, C# and YOLO++; A+ B"), "^c++ templates^c# and yolo++^a^b");
    EXPECT_EQ(scan("GPT-3.5 beats 2. 5"), "^gpt-3.5 beats 2^5");
    EXPECT_EQ(scan("wrapped\n  line\xC2\xA0here"), "^wrapped line here");
    EXPECT_EQ(scan("a - b -- c"), "^a^b^c");
    EXPECT_EQ(scan("Parkinson's input/output"), "^parkinson-s input-output");
    EXPECT_EQ(scan("On $K$-means with R$^2$CCL, see https://example.org/x"), "^on k-means with r2ccl^see");
    EXPECT_EQ(scan("\xEF\xBC\xAC\xEF\xBC\xAC\xEF\xBC\xAD"), "^llm"); /* full width */
    EXPECT_EQ(scan(""), "");
    EXPECT_EQ(scan(" .;, "), "");
}

TEST(LabelScan, CutsChinese) {
    std::string words = scan("自动驾驶与LLM推理。模型");
    EXPECT_NE(words.find("+llm+"), std::string::npos) << words;
    EXPECT_NE(words.find("^模型"), std::string::npos) << words;
    EXPECT_TRUE(pkin_i_label_is_chinese("本文研究LLM推理"));
    EXPECT_FALSE(pkin_i_label_is_chinese("The word 推理 means reasoning, and this text is an English one"));
    EXPECT_FALSE(pkin_i_label_is_chinese("これは日本語の文です"));
    EXPECT_FALSE(pkin_i_label_is_chinese(""));
}

/* How the papers write the phrase (given in lower case). */
static std::string form_of(const LabelWorld &world, const std::vector<std::string> &words,
                           pkin_i_label_language language = PKIN_I_LABEL_ENGLISH) {
    std::vector<pkin_paper> papers = world.papers();
    std::vector<const pkin_paper *> pointers;
    std::vector<uint32_t> members;
    for (const pkin_paper &paper : papers) {
        members.push_back(static_cast<uint32_t>(members.size()));
        pointers.push_back(&paper);
    }
    pkin_i_label_texts texts;
    EXPECT_EQ(pkin_i_label_texts_read(pointers.data(), pointers.size(), language, 1, &texts), PKIN_OK);
    pkin_i_term term = {};
    for (const std::string &word : words) {
        uint32_t id = pkin_i_vocabulary_find(texts.vocabulary, word.data(), word.size());
        term.words[term.n_words++] = id == UINT32_MAX ? id : texts.singulars[id];
    }
    pkin_i_surface_scratch scratch = {};
    pkin_i_buffer out = {};
    EXPECT_EQ(pkin_i_surface_form_find(&texts, pointers.data(), members.data(), members.size(), &term, &scratch, &out),
              PKIN_OK);
    std::string form = out.n_bytes ? std::string(out.bytes, out.n_bytes) : "";
    pkin_i_buffer_free(&out);
    pkin_i_surface_scratch_free(&scratch);
    pkin_i_label_texts_free(&texts);
    return form;
}

TEST(SurfaceForms, SentenceStartsDoNotDecide) {
    LabelWorld world;
    world.add(0, "Federated Learning",
              "Federated learning drifts. Federated learning rusts. We like federated learning.");
    EXPECT_EQ(form_of(world, {"federated", "learning"}), "federated learning");
}

TEST(SurfaceForms, TitlesAndSpelledOutAcronymsDoNotDecide) {
    LabelWorld world;
    for (int k = 0; k < 5; k++) {
        world.add(0, "On Spiking Neural Networks", "We fold Spiking Neural Networks (SNNs) at dawn.");
    }
    for (int k = 0; k < 3; k++) world.add(0, "", "They say spiking neural networks rust.");
    EXPECT_EQ(form_of(world, {"spiking", "neural", "networks"}), "spiking neural networks");
}

TEST(SurfaceForms, ShoutingTitlesDoNotDecide) {
    LabelWorld world;
    for (int k = 0; k < 6; k++) world.add(0, "KELP NET", k < 4 ? "They mend the kelp net at dawn." : "");
    EXPECT_EQ(form_of(world, {"kelp", "net"}), "kelp net");
}

TEST(SurfaceForms, WordsThatAreNoNamesLoseTheCapitalsOfTitles) {
    LabelWorld world;
    world.add(0, "A Fourier Neural Operator", "What a Fourier series is: an operator of a neural kind.");
    EXPECT_EQ(form_of(world, {"fourier", "neural", "operator"}), "Fourier neural operator");
}

TEST(SurfaceForms, NamesKeepTheirs) {
    LabelWorld world;
    for (int k = 0; k < 4; k++) {
        world.add(0, "",
                  "At the Large Hadron Collider we see a large boat. Its collider is large. GPT-4 and LLMs agree.");
    }
    EXPECT_EQ(form_of(world, {"large", "hadron", "collider"}), "Large Hadron Collider");
    EXPECT_EQ(form_of(world, {"gpt", "4"}), "GPT-4");
    EXPECT_EQ(form_of(world, {"llms"}), "LLMs");
}

TEST(SurfaceForms, TheMostFrequentSpellingWins) {
    LabelWorld world;
    world.add(0, "", "The multi agent boat. A multi-agent pond, a multi-agent reed, and multi-agents.");
    EXPECT_EQ(form_of(world, {"multi", "agent"}), "multi-agent");
    world.add(0, "", "The multi agents, the multi agents, the multi agents.");
    EXPECT_EQ(form_of(world, {"multi", "agent"}), "multi agents");
}

TEST(SurfaceForms, WhiteSpaceAndHyphensAreMadePlain) {
    LabelWorld world;
    world.add(0, "", "We use t\xE2\x80\x91SNE on a kelp\n forest\xC2\xA0map.");
    EXPECT_EQ(form_of(world, {"t", "sne"}), "t-SNE");
    EXPECT_EQ(form_of(world, {"kelp", "forest", "map"}), "kelp forest map");
    EXPECT_EQ(form_of(world, {"forest", "kelp"}), "") << "no paper has it";
}

TEST(SurfaceForms, ChineseIsWrittenWithoutBlanks) {
    LabelWorld world;
    world.add(0, "", "", "我们加速 LLM 推理，LLM 推理很慢。");
    EXPECT_EQ(form_of(world, {"llm", "推理"}, PKIN_I_LABEL_CHINESE), "LLM 推理");
}

TEST(SurfaceForms, TiesAreBrokenByBytes) {
    LabelWorld world;
    world.add(0, "", "The kelp-forest and the kelp forest.");
    EXPECT_EQ(form_of(world, {"kelp", "forest"}), "kelp forest");
}
