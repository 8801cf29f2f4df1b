/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "groups/label_terms.h"
#include "label_world.h"
#include "paperkin/corpus.h"
#include "support/allocation_failures.h"
#include "support/shared_dir.h"

/* Papers that speak of a subject in different words, in their titles too if asked. */
static void add_about(LabelWorld &world, uint32_t cluster, const std::string &subject, int n, bool in_titles = false) {
    static const char *const before[] = {"Here we fold ",       "Rain wets ",      "Ferries carry ",
                                         "Nobody has sung of ", "Old ponds lack ", "Urchins graze on "};
    static const char *const behind[] = {" at dawn.", ", quietly.", " when snow lies.", " (twice).", " and rust.", "."};
    static const char *const titles[] = {"Reeds", "Tin Roofs", "Harbour Lights", "Gulls", "Sand and Salt", "Low Tide"};
    for (int k = 0; k < n; k++) {
        std::string title = titles[k % 6];
        world.add(cluster, in_titles ? title + ": " + subject : "",
                  before[k % 6] + subject + behind[(k + cluster) % 6]);
    }
}

/* Invented papers of three subjects, and a few of none. */
static void add_subjects(LabelWorld &world) {
    add_about(world, 0, "KV cache compression", 5, true);
    world.add(0, "Folding what we keep", "The KV cache of a large language model grows. The LLM forgets.");
    add_about(world, 1, "3D Gaussian splatting", 4);
    world.add(1, "3D Gaussian Splatting of Reeds", "Splatting draws reeds.");
    add_about(world, 2, "LLM-as-a-judge", 4);
    world.add(2, "LLM-as-a-Judge for Boat Races", "Fair verdicts of a large language model.");
    world.add(PKIN_NO_CLUSTER, "On Rain", "A large language model writes of rain.");
    world.add(PKIN_NO_CLUSTER, "On Hail", "Our method improves results. The proposed approach is novel.");
}

TEST(Labels, NameTheSubjectAsPeopleWriteIt) {
    LabelWorld world;
    add_subjects(world);
    ASSERT_EQ(world.make(), PKIN_OK) << pkin_last_error();
    ASSERT_EQ(world.labels.n_clusters, 3u);
    EXPECT_EQ(world.first(0), "KV cache compression");
    EXPECT_EQ(world.first(1), "3D Gaussian splatting");
    EXPECT_EQ(world.first(2), "LLM-as-a-judge");
    for (uint32_t c = 0; c < 3; c++) {
        std::string joined;
        for (const std::string &term : world.terms(c)) joined += (joined.empty() ? "" : ", ") + term;
        EXPECT_EQ(world.english(c), joined);
        EXPECT_LE(world.terms(c).size(), 3u);
        EXPECT_EQ(world.chinese(c), "");
    }
}

TEST(Labels, SayEachThingOnce) {
    LabelWorld world;
    add_subjects(world);
    ASSERT_EQ(world.make(), PKIN_OK);
    for (uint32_t c = 0; c < 3; c++) {
        std::vector<std::string> terms = world.terms(c);
        for (size_t k = 1; k < terms.size(); k++) {
            for (size_t j = 0; j < k; j++) {
                EXPECT_EQ(terms[j].find(terms[k]), std::string::npos) << terms[j] << " | " << terms[k];
                EXPECT_EQ(terms[k].find(terms[j]), std::string::npos) << terms[j] << " | " << terms[k];
            }
        }
    }
}

TEST(Labels, TakeWholePhrasesOfOddForm) {
    LabelWorld world;
    const std::vector<std::string> subjects = {"t-SNE",     "C++ templates", "text-to-SQL",        "mixture of experts",
                                               "ab initio", "GPT-4",         "in-context learning"};
    for (uint32_t c = 0; c < subjects.size(); c++) add_about(world, c, subjects[c], 5);
    ASSERT_EQ(world.make(), PKIN_OK);
    for (uint32_t c = 0; c < subjects.size(); c++) EXPECT_EQ(world.first(c), subjects[c]);
}

TEST(Labels, HaveNoLatexLeft) {
    LabelWorld world;
    add_about(world, 0, "$K$-means", 3);
    add_about(world, 0, "\\emph{$\\mathbf{K}$-means}", 3);
    add_about(world, 1, "$x_1$ and $x_2$", 4);
    add_about(world, 2, "H$_2$O frost", 4);
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_EQ(world.first(0), "K-means");
    EXPECT_EQ(world.first(2), "H2O frost");
    for (uint32_t c = 0; c < 3; c++) EXPECT_EQ(world.english(c).find_first_of("$\\{}_^"), std::string::npos);
}

TEST(Labels, PreferNounsToWhatOnlyStandsBeforeThem) {
    LabelWorld world;
    for (const char *noun : {"lakes", "stones", "rivers", "caves"}) {
        world.add(0, "", "Where glacial " + std::string(noun) + " are, there is moss.");
        world.add(1, "", "Salt.");
    }
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_EQ(world.english(0), "moss, glacial");
}

TEST(Labels, OnePaperDoesNotNameACluster) {
    LabelWorld world;
    std::string shouting;
    for (int k = 0; k < 40; k++) shouting += "The zorple engine is a zorple engine. ";
    world.add(0, "Zorple engine: a zorple engine", shouting);
    for (int k = 0; k < 5; k++) world.add(0, "Reeds in wind " + std::to_string(k), "How reeds bend in wind.");
    for (int k = 0; k < 5; k++) world.add(1, "Snow " + std::to_string(k), "How snow lies on roofs.");
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_EQ(world.english(0).find("orple"), std::string::npos) << world.english(0);
    EXPECT_NE(world.english(0).find("reeds"), std::string::npos) << world.english(0);
}

TEST(Labels, SiblingsBeginWithDifferentTerms) {
    LabelWorld world;
    add_about(world, 0, "sailing boats", 5);
    add_about(world, 0, "glass beads", 2);
    add_about(world, 1, "sailing boats", 5);
    add_about(world, 1, "clay pots", 2);
    add_about(world, 2, "amber", 4);
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_EQ(world.first(0), "sailing boats") << "equal claims: the lower number";
    EXPECT_EQ(world.first(1), "clay pots");
    world.parents = {0, 1, 0};
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_EQ(world.first(0), "sailing boats");
    EXPECT_EQ(world.first(1), "sailing boats") << "no siblings";
}

TEST(Labels, ATermGoesToTheSiblingThatHasItMore) {
    LabelWorld world;
    add_about(world, 0, "kelp forests", 6);
    add_about(world, 0, "glass beads", 3);
    add_about(world, 1, "kelp forests", 4);
    add_about(world, 2, "amber", 4);
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_EQ(world.first(1), "kelp forests") << "all of its papers, not two thirds";
    EXPECT_EQ(world.first(0), "glass beads");
}

TEST(Labels, SiblingsWithoutChoiceAreNumbered) {
    LabelWorld world;
    for (uint32_t c = 0; c < 3; c++) world.add(c, "Lattices");
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_EQ(world.english(0), "Lattices");
    EXPECT_EQ(world.english(1), "Lattices (2)");
    EXPECT_EQ(world.english(2), "Lattices (3)");
    world.parents = {7, 8, 8};
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_EQ(world.english(1), "Lattices");
    EXPECT_EQ(world.english(2), "Lattices (2)");
}

TEST(Labels, ClustersWithoutTextHaveNone) {
    LabelWorld world;
    world.add(0, "Kelp and urchins");
    world.add(1, "");
    world.add(2, "On the way to the one and only"); /* no word that may be a label */
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_NE(world.english(0), "");
    EXPECT_EQ(world.english(1), "");
    EXPECT_TRUE(world.terms(1).empty());
    EXPECT_EQ(world.english(2), "On the way to the one");
}

TEST(Labels, NothingToLabel) {
    LabelWorld world;
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_EQ(world.labels.n_clusters, 0u);
    world.add(PKIN_NO_CLUSTER, "Rain");
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_EQ(world.labels.n_clusters, 0u);
}

TEST(Labels, AreChineseWhereTextsAre) {
    LabelWorld world;
    for (int k = 0; k < 3; k++) {
        world.add(0, "Pruning", "We prune caches.", "本文研究大语言模型的键值缓存压缩。键值缓存压缩加速了LLM推理。");
        world.add(1, "Ponds", "We paint ponds.", "本文研究自动驾驶。自动驾驶需要地图。");
        world.add(2, "Rain", "It rains.");
        world.add(3, "雪的观测", "雪落在屋顶上。我们观测积雪厚度，积雪厚度变化很大。");
    }
    for (int k = 0; k < 6; k++) world.add(0, "Pruning", "We prune caches."); /* 3 of 9 are a third */
    for (int k = 0; k < 7; k++) world.add(1, "Ponds", "We paint ponds.");    /* 3 of 10 are less */
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_NE(world.chinese(0).find("缓存压缩"), std::string::npos) << world.chinese(0);
    EXPECT_EQ(world.chinese(0).find(' '), std::string::npos) << world.chinese(0);
    EXPECT_EQ(world.chinese(1), "");
    EXPECT_EQ(world.chinese(2), "");
    EXPECT_NE(world.chinese(3).find("积雪"), std::string::npos) << world.chinese(3);
    EXPECT_EQ(world.english(3), "");
    EXPECT_EQ(world.english(0).find("缓存"), std::string::npos);
}

TEST(Labels, SummariesStandInForAbstracts) {
    LabelWorld world;
    add_about(world, 0, "kelp forests", 4);
    for (LabelWorld::Text &text : world.texts) std::swap(text.abstract, text.summary);
    add_about(world, 1, "clay pots", 4);
    for (size_t k = 4; k < 8; k++) world.texts[k].summary = "It is about amber beads.";
    ASSERT_EQ(world.make(), PKIN_OK);
    EXPECT_EQ(world.first(0), "kelp forests");
    EXPECT_EQ(world.first(1), "clay pots");
    EXPECT_EQ(world.english(1).find("amber"), std::string::npos);
}

/* ---- Counting ---- */

static const char *const syllables[] = {"reed", "reeds", "pond",   "kelp",  "ferry", "ferries", "tin",
                                        "of",   "the",   "method", "based", "4",     "snow",    "novel"};
static const char *const gaps[] = {" ", " ", " ", " ", "-", ", ", ". "};

static std::string random_text(std::mt19937 &random, size_t most) {
    std::string text;
    size_t n = random() % (most + 1);
    for (size_t k = 0; k < n; k++) {
        if (k) text += gaps[random() % 7];
        text += syllables[random() % 14];
    }
    return text;
}

static void add_random(LabelWorld &world, std::mt19937 &random, uint32_t n_clusters) {
    for (size_t p = 0; p < 40; p++) {
        uint32_t c = static_cast<uint32_t>(p < n_clusters ? p : random() % (n_clusters + 1));
        world.add(c == n_clusters ? PKIN_NO_CLUSTER : c, random_text(random, 5), random_text(random, 30));
    }
}

/* Every phrase that a paper has, with 3 where its title has it. */
static std::map<std::vector<uint32_t>, uint32_t> phrases_of(const pkin_i_label_texts &texts, uint64_t paper) {
    std::map<std::vector<uint32_t>, uint32_t> out;
    uint64_t begin = texts.offsets[3 * paper], title = texts.offsets[3 * paper + 1], end = texts.offsets[3 * paper + 3];
    for (uint64_t t = begin; t < end; t++) {
        std::vector<uint32_t> words;
        for (uint64_t u = t; u < end && words.size() < PKIN_I_TERM_MAX_WORDS; u++) {
            if (u > t && (!pkin_i_term_may_begin(&texts, t, end) || !pkin_i_term_may_go_on(&texts, u, end))) break;
            words.push_back(pkin_i_label_token_word(texts.tokens[u]));
            if (words.size() == 1 || pkin_i_term_may_end(&texts, u, end)) out.emplace(words, t < title ? 3 : 1);
        }
    }
    return out;
}

TEST(LabelTerms, AreCountedAsByHand) {
    for (uint32_t seed = 0; seed < 12; seed++) {
        LabelWorld world;
        std::mt19937 random(seed);
        add_random(world, random, 3);
        std::vector<pkin_paper> papers = world.papers();
        std::vector<const pkin_paper *> pointers;
        for (const pkin_paper &paper : papers) pointers.push_back(&paper);
        pkin_partition partition = world.partition();
        pkin_i_label_texts texts;
        pkin_i_cluster_terms terms;
        ASSERT_EQ(pkin_i_label_texts_read(pointers.data(), pointers.size(), PKIN_I_LABEL_ENGLISH, 3, &texts), PKIN_OK);
        ASSERT_EQ(pkin_i_cluster_terms_find(&texts, &partition, 3, &terms), PKIN_OK);
        std::map<std::vector<uint32_t>, uint32_t> everywhere, in_cluster[3], n_papers[3];
        uint64_t n_text[3] = {0, 0, 0};
        for (uint64_t p = 0; p < pointers.size(); p++) {
            uint32_t c = world.clusters[p];
            if (c != PKIN_NO_CLUSTER) n_text[c] += texts.offsets[3 * p] < texts.offsets[3 * p + 3];
            for (const auto &phrase : phrases_of(texts, p)) {
                everywhere[phrase.first] += phrase.second;
                if (c == PKIN_NO_CLUSTER) continue;
                in_cluster[c][phrase.first] += phrase.second;
                n_papers[c][phrase.first]++;
            }
        }
        for (uint32_t c = 0; c < 3; c++) {
            uint64_t least = pkin_i_term_least_papers(n_text[c]);
            std::set<std::vector<uint32_t>> found;
            EXPECT_EQ(terms.n_papers[c], n_text[c]);
            for (uint64_t k = terms.offsets[c]; k < terms.offsets[c + 1]; k++) {
                const pkin_i_term &term = terms.terms[k];
                std::vector<uint32_t> words(term.words, term.words + term.n_words);
                found.insert(words);
                EXPECT_EQ(term.weight, in_cluster[c][words]);
                EXPECT_EQ(term.weight_everywhere, everywhere[words]);
                EXPECT_EQ(term.n_papers, n_papers[c][words]);
                EXPECT_GE(term.n_papers, least);
                if (k > terms.offsets[c]) {
                    EXPECT_GE(terms.terms[k - 1].score, term.score);
                }
            }
            for (const auto &phrase :
                 n_papers[c]) { /* none is missing that has a subject word and is no single generic */
                bool subject = false;
                for (uint32_t word : phrase.first) subject |= texts.classes[word] == PKIN_I_LABEL_SUBJECT;
                if (phrase.second >= least && subject) {
                    EXPECT_EQ(found.count(phrase.first), 1u) << seed;
                }
            }
        }
        pkin_i_cluster_terms_free(&terms);
        pkin_i_label_texts_free(&texts);
    }
}

TEST(LabelTerms, PluralsAreTheirSingulars) {
    LabelWorld world;
    world.add(0, "Reed ferries box", "reeds ferry boxes, GPUs bias a GPU; bia policies");
    std::vector<pkin_paper> papers = world.papers();
    const pkin_paper *pointer = &papers[0];
    pkin_i_label_texts texts;
    ASSERT_EQ(pkin_i_label_texts_read(&pointer, 1, PKIN_I_LABEL_ENGLISH, 1, &texts), PKIN_OK);
    std::vector<uint32_t> words;
    for (uint64_t t = 0; t < texts.offsets[3]; t++) words.push_back(pkin_i_label_token_word(texts.tokens[t]));
    ASSERT_EQ(words.size(), 12u);
    EXPECT_EQ(words[0], words[3]) << "reed";
    EXPECT_EQ(words[1], words[4]) << "ferry";
    EXPECT_EQ(words[2], words[5]) << "box";
    EXPECT_EQ(words[6], words[9]) << "gpu";
    EXPECT_NE(words[7], words[10]) << "bias is no plural";
    pkin_i_label_texts_free(&texts);
}

TEST(LabelTerms, LeastPapersGrowWithTheCluster) {
    EXPECT_EQ(pkin_i_term_least_papers(1), 1u);
    EXPECT_EQ(pkin_i_term_least_papers(2), 2u);
    EXPECT_EQ(pkin_i_term_least_papers(10), 2u);
    EXPECT_EQ(pkin_i_term_least_papers(11), 3u);
    EXPECT_EQ(pkin_i_term_least_papers(50), 10u);
    EXPECT_EQ(pkin_i_term_least_papers(1050), 60u);
    for (uint64_t n = 1; n < 2000; n++) EXPECT_LE(pkin_i_term_least_papers(n), pkin_i_term_least_papers(n + 1));
}

TEST(LabelWords, ListsAreInByteOrder) {
    size_t n = 0, n_lists = 0;
    for (const char *const *list; (list = pkin_i_label_word_list(n_lists, &n)) != nullptr; n_lists++) {
        for (size_t k = 1; k < n; k++) EXPECT_LT(std::string(list[k - 1]), std::string(list[k]));
        EXPECT_GT(n, 0u);
    }
    EXPECT_EQ(n_lists, 6u);
}

/* ---- Same results however they are made ---- */

static std::string all_labels(const LabelWorld &world) {
    std::string out;
    for (uint32_t c = 0; c < world.labels.n_clusters; c++) out += world.english(c) + "|" + world.chinese(c) + "\n";
    return out;
}

TEST(Labels, DoNotDependOnThreads) {
    for (uint32_t seed = 0; seed < 8; seed++) {
        LabelWorld world;
        std::mt19937 random(seed);
        add_random(world, random, 4);
        world.options.n_threads = 1;
        ASSERT_EQ(world.make(), PKIN_OK);
        std::string alone = all_labels(world);
        for (int n_threads : {2, 3, 5}) {
            world.options.n_threads = n_threads;
            ASSERT_EQ(world.make(), PKIN_OK);
            EXPECT_EQ(all_labels(world), alone) << seed;
        }
    }
}

TEST(Labels, DoNotDependOnTheOrderOfPapers) {
    for (uint32_t seed = 0; seed < 20; seed++) {
        LabelWorld world, shuffled;
        std::mt19937 random(seed);
        add_random(world, random, 4);
        add_subjects(world);
        ASSERT_EQ(world.make(), PKIN_OK);
        std::vector<size_t> order(world.texts.size());
        for (size_t k = 0; k < order.size(); k++) order[k] = k;
        std::shuffle(order.begin(), order.end(), random);
        for (size_t k : order) shuffled.add(world.clusters[k], world.texts[k].title, world.texts[k].abstract);
        ASSERT_EQ(shuffled.make(), PKIN_OK);
        EXPECT_EQ(all_labels(shuffled), all_labels(world)) << seed;
    }
}

/* ---- What may go wrong ---- */

TEST(Labels, RefuseWhatMakesNoSense) {
    LabelWorld world;
    add_subjects(world);
    world.options.n_terms = 0;
    EXPECT_EQ(world.make(), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(world.labels.labels, nullptr);
    world.options = pkin_labels_options_default();
    world.options.n_threads = -1;
    EXPECT_EQ(world.make(), PKIN_ERROR_INVALID_ARGUMENT);
    world.options = pkin_labels_options_default();
    world.options.size = 0;
    EXPECT_EQ(world.make(), PKIN_ERROR_INVALID_ARGUMENT);
    pkin_partition partition = world.partition();
    partition.n_clusters = 2;
    std::vector<pkin_paper> papers = world.papers();
    std::vector<const pkin_paper *> pointers;
    for (const pkin_paper &paper : papers) pointers.push_back(&paper);
    pkin_labels labels;
    EXPECT_EQ(pkin_labels_make(pointers.data(), &partition, nullptr, nullptr, &labels), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_labels_make(nullptr, &partition, nullptr, nullptr, &labels), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(pkin_labels_make(pointers.data(), nullptr, nullptr, nullptr, &labels), PKIN_ERROR_INVALID_ARGUMENT);
    pkin_labels_free(&labels);
    pkin_labels_free(nullptr);
}

TEST(Labels, CanBeCancelled) {
    LabelWorld world;
    add_subjects(world);
    uint64_t left = 2;
    world.options.progress_user = &left;
    world.options.on_progress = [](void *user, const char *stage, uint64_t done, uint64_t total) {
        EXPECT_STREQ(stage, "labelling");
        EXPECT_LT(done, total);
        return (*static_cast<uint64_t *>(user))-- == 0 ? 1 : 0;
    };
    EXPECT_EQ(world.make(), PKIN_ERROR_CANCELLED);
    EXPECT_EQ(world.labels.labels, nullptr);
}

TEST(Labels, LeaveNothingWhereMemoryFails) {
    LabelWorld world;
    add_subjects(world);
    world.texts[1].summary = "键值缓存压缩";
    world.texts[0].title = world.texts[4].title = "Équal t\xC3\xAFtles";
    world.options.n_threads = 1;
    std::vector<pkin_paper> papers = world.papers();
    std::vector<const pkin_paper *> pointers;
    for (const pkin_paper &paper : papers) pointers.push_back(&paper);
    pkin_partition partition = world.partition();
    expect_clean_failures([&] {
        pkin_labels labels;
        pkin_status status = pkin_labels_make(pointers.data(), &partition, nullptr, &world.options, &labels);
        EXPECT_EQ(labels.labels == nullptr, status != PKIN_OK);
        pkin_labels_free(&labels);
        return status;
    });
}

TEST(Labels, StandHostileTexts) {
    LabelWorld world;
    std::string word(70000, 'x'), compound, dollars(3000, '$'), bytes;
    for (int k = 0; k < 4000; k++) compound += "ab-";
    for (int k = 1; k < 256; k++) bytes += static_cast<char>(k);
    for (int k = 0; k < 3; k++) {
        world.add(0, word, word);
        world.add(1, compound, compound);
        world.add(2, dollars + "kelp" + dollars, bytes + bytes);
        world.add(3, "\xE9\x94", "\xF0\x9F\x98\x80 \xE4\xB8\xAD");
    }
    ASSERT_EQ(world.make(), PKIN_OK);
    for (uint32_t c = 0; c < 4; c++) {
        for (char character : world.english(c)) EXPECT_GE(static_cast<unsigned char>(character), 0x20);
    }
}

TEST(Labels, OfRealTopicsAreCleanAndDistinct) {
    PKIN_SKIP_WITHOUT_SHARED();
    std::string path = pkin_test_shared_dir() + "/eval/topics.jsonl.zst";
    pkin_corpus *corpus = nullptr;
    ASSERT_EQ(pkin_corpus_read_file(path.c_str(), nullptr, &corpus), PKIN_OK) << pkin_last_error();
    std::vector<const pkin_paper *> papers;
    std::vector<uint32_t> clusters;
    for (uint64_t p = 0; p < pkin_corpus_size(corpus); p++) {
        papers.push_back(pkin_corpus_paper(corpus, p));
        clusters.push_back(static_cast<uint32_t>(p / 12)); /* the records stand by topic */
    }
    pkin_partition partition = {papers.size(), clusters.back() + 1, clusters.data(), 0};
    pkin_labels labels;
    ASSERT_EQ(pkin_labels_make(papers.data(), &partition, nullptr, nullptr, &labels), PKIN_OK);
    std::set<std::string> texts, firsts;
    for (uint32_t c = 0; c < labels.n_clusters; c++) {
        std::string text = labels.labels[c].english;
        EXPECT_NE(text, "");
        EXPECT_EQ(text.find_first_of("$\\{}\n\t"), std::string::npos) << text;
        EXPECT_TRUE(texts.insert(text).second) << text;
        EXPECT_TRUE(firsts.insert(labels.labels[c].terms[0]).second) << text;
    }
    pkin_labels_free(&labels);
    pkin_corpus_free(corpus);
}
