/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "text/tokenizer.h"

/*
 * Words that say nothing about a paper's subject, in byte order. The English list holds no word of one letter, and the
 * halves that an apostrophe leaves ("don", "ll"). Words that research texts merely like ("method", "results") are not
 * here: their weight is low already.
 */
static const char *const english[] = {
    "about",        "above",        "according", "accordingly", "across",       "after",      "afterwards",
    "again",        "against",      "all",       "almost",      "alone",        "along",      "already",
    "also",         "although",     "always",    "am",          "among",        "amongst",    "an",
    "and",          "another",      "any",       "anybody",     "anyone",       "anything",   "anyway",
    "anywhere",     "apart",        "are",       "aren",        "around",       "as",         "aside",
    "at",           "away",         "back",      "be",          "became",       "because",    "become",
    "becomes",      "becoming",     "been",      "before",      "beforehand",   "behind",     "being",
    "below",        "beside",       "besides",   "between",     "beyond",       "both",       "but",
    "by",           "came",         "can",       "cannot",      "come",         "comes",      "could",
    "couldn",       "did",          "didn",      "do",          "does",         "doesn",      "doing",
    "don",          "done",         "down",      "due",         "during",       "each",       "either",
    "else",         "elsewhere",    "enough",    "especially",  "etc",          "even",       "ever",
    "every",        "everybody",    "everyone",  "everything",  "everywhere",   "except",     "far",
    "few",          "fewer",        "for",       "former",      "formerly",     "from",       "further",
    "furthermore",  "gave",         "get",       "gets",        "getting",      "give",       "given",
    "gives",        "giving",       "go",        "goes",        "going",        "gone",       "got",
    "had",          "hadn",         "has",       "hasn",        "have",         "haven",      "having",
    "he",           "hence",        "her",       "here",        "hereby",       "herein",     "hers",
    "herself",      "him",          "himself",   "his",         "how",          "however",    "if",
    "in",           "indeed",       "instead",   "into",        "is",           "isn",        "it",
    "its",          "itself",       "just",      "keep",        "keeps",        "kept",       "largely",
    "last",         "lastly",       "later",     "latter",      "least",        "less",       "lest",
    "let",          "like",         "likewise",  "ll",          "made",         "mainly",     "make",
    "makes",        "making",       "many",      "may",         "maybe",        "me",         "meanwhile",
    "might",        "mine",         "more",      "moreover",    "most",         "mostly",     "much",
    "must",         "my",           "myself",    "namely",      "near",         "nearly",     "neither",
    "never",        "nevertheless", "next",      "no",          "nobody",       "none",       "nonetheless",
    "nor",          "not",          "nothing",   "now",         "nowhere",      "of",         "off",
    "often",        "on",           "once",      "one",         "only",         "onto",       "or",
    "other",        "others",       "otherwise", "ought",       "our",          "ours",       "ourselves",
    "out",          "over",         "overall",   "own",         "particularly", "per",        "perhaps",
    "please",       "put",          "quite",     "rather",      "re",           "really",     "regarding",
    "respectively", "said",         "same",      "say",         "says",         "second",     "see",
    "seem",         "seemed",       "seeming",   "seems",       "seen",         "several",    "shall",
    "she",          "should",       "shouldn",   "since",       "so",           "some",       "somebody",
    "somehow",      "someone",      "something", "sometimes",   "somewhat",     "somewhere",  "still",
    "such",         "take",         "taken",     "takes",       "taking",       "than",       "that",
    "the",          "their",        "theirs",    "them",        "themselves",   "then",       "thence",
    "there",        "thereafter",   "thereby",   "therefore",   "therein",      "thereof",    "these",
    "they",         "this",         "those",     "though",      "through",      "throughout", "thus",
    "to",           "together",     "too",       "took",        "toward",       "towards",    "under",
    "unless",       "unlike",       "until",     "up",          "upon",         "us",         "use",
    "used",         "uses",         "using",     "usually",     "ve",           "very",       "via",
    "was",          "wasn",         "we",        "well",        "went",         "were",       "weren",
    "what",         "whatever",     "when",      "whenever",    "where",        "whereas",    "whereby",
    "wherein",      "wherever",     "whether",   "which",       "whichever",    "while",      "who",
    "whoever",      "whole",        "whom",      "whose",       "why",          "will",       "with",
    "within",       "without",      "won",       "would",       "wouldn",       "yet",        "you",
    "your",         "yours",        "yourself",  "yourselves",
};

/* Words of one character count where a text consists of nothing else. */
static const char *const chinese[] = {
    "一",   "一下",     "一个",     "一些",   "一切",   "一定",   "一方面",   "一旦",   "一样",     "一次",   "一直",
    "一种", "一般",     "一起",     "一面",   "万一",   "上述",   "上面",     "下列",   "下面",     "不",     "不仅",
    "不会", "不但",     "不光",     "不只",   "不同",   "不如",   "不是",     "不管",   "不论",     "不过",   "与",
    "与其", "与此同时", "且",       "两者",   "为",     "为了",   "为什么",   "为何",   "为此",     "主要",   "乃至",
    "之",   "之一",     "之前",     "之后",   "之所以", "之间",   "也",       "也会",   "也就是说", "也是",   "也许",
    "了",   "于",       "于是",     "人",     "什么",   "什么样", "今后",     "介于",   "仍然",     "从",     "他",
    "他人", "他们",     "以",       "以上",   "以下",   "以便",   "以免",     "以及",   "以来",     "以至",   "以致",
    "们",   "任何",     "任凭",     "似乎",   "但",     "但是",   "何况",     "作为",   "你",       "你们",   "使",
    "使得", "使用",     "例如",     "依据",   "依照",   "便于",   "倘若",     "借助",   "值得",     "假使",   "假如",
    "偏偏", "做到",     "全体",     "全部",   "全面",   "共同",   "关于",     "其",     "其中",     "其他",   "其余",
    "其它", "其次",     "具体",     "具有",   "再者",   "况且",   "几乎",     "凡是",   "分别",     "则",     "别人",
    "别的", "到",       "即使",     "即便",   "却",     "却是",   "原来",     "又",     "及",       "及其",   "及时",
    "反之", "反而",     "只是",     "只有",   "只要",   "可",     "可以",     "可是",   "可能",     "各",     "各个",
    "各种", "各自",     "同",       "同时",   "同样",   "后来",   "向",       "吗",     "否则",     "吧",     "呢",
    "和",   "因为",     "因此",     "因而",   "固然",   "在",     "在于",     "在此",   "地",       "基于",   "处在",
    "多么", "多少",     "大家",     "大量",   "她",     "她们",   "如下",     "如何",   "如同",     "如果",   "如此",
    "存在", "它",       "它们",     "它的",   "对",     "对于",   "对此",     "将",     "将会",     "尤其",   "就",
    "就是", "就算",     "尽管",     "尽量",   "已",     "已有",   "已经",     "常常",   "并",       "并不",   "并且",
    "并非", "应当",     "应该",     "当中",   "当时",   "当然",   "往往",     "很",     "很多",     "得",     "怎么",
    "怎样", "总之",     "总是",     "情况下", "我",     "我们",   "我们的",   "或",     "或者",     "或许",   "所",
    "所以", "所有",     "所谓",     "才",     "才能",   "把",     "按照",     "换言之", "据此",     "接着",   "数",
    "无论", "既是",     "既然",     "旨在",   "时候",   "是",     "是否",     "显然",   "曾经",     "最",     "最后",
    "最终", "有",       "有些",     "有关",   "有的",   "本文",   "本身",     "来",     "某个",     "某些",   "某种",
    "根据", "正如",     "正是",     "此外",   "此时",   "此次",   "每个",     "每当",   "比如",     "比方",   "没有",
    "然后", "然而",     "特别是",   "甚至",   "甚至于", "由",     "由于",     "由此",   "的",       "的话",   "目前",
    "直到", "相对",     "看来",     "着",     "究竟",   "第一",   "第二",     "等",     "等等",     "简言之", "经过",
    "结果", "继而",     "综上所述", "而",     "而且",   "而是",   "能",       "能否",   "能够",     "自",     "自己",
    "自身", "至于",     "至今",     "若",     "若是",   "虽然",   "虽说",     "被",     "言之",     "让",     "许多",
    "该",   "诸如",     "谁",       "起来",   "起见",   "趁着",   "较为",     "较之",   "还",       "还是",   "还有",
    "还要", "这",       "这一",     "这个",   "这些",   "这使得", "这是",     "这样",   "这种",     "这里",   "进而",
    "进行", "连同",     "逐渐",     "通常",   "通过",   "遵照",   "那",       "那个",   "那么",     "那些",   "那样",
    "那里", "都",       "都是",     "鉴于",   "针对",   "除了",   "除此之外", "随后",   "随着",     "难道",   "非常",
    "首先",
};

enum { N_ENGLISH = (int)(sizeof english / sizeof *english), N_CHINESE = (int)(sizeof chinese / sizeof *chinese) };

const char *const *pkin_i_stop_words_english(size_t *n) {
    *n = N_ENGLISH;
    return english;
}

const char *const *pkin_i_stop_words_chinese(size_t *n) {
    *n = N_CHINESE;
    return chinese;
}

static int find(const char *const *words, size_t n_words, const char *word, size_t n_bytes) {
    size_t low = 0, high = n_words;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(words[middle], word, n_bytes);
        if (order == 0) order = words[middle][n_bytes] != '\0';
        if (order == 0) return 1;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

int pkin_i_is_stop_word(const char *word, size_t n_bytes) {
    if (n_bytes == 0) return 0;
    return (unsigned char)word[0] < 0x80 ? find(english, N_ENGLISH, word, n_bytes)
                                         : find(chinese, N_CHINESE, word, n_bytes);
}
