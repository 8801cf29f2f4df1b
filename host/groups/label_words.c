/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/label_words.h"

#include <string.h>

#include "base/ascii.h"
#include "groups/label_scan.h"
#include "text/tokenizer.h"

/*
 * Frequency alone keeps most empty words out of a label. These lists hold what is left when labels of real months are
 * read: words that abstracts use to speak of themselves, and words so general that they need company. Each list is in
 * byte order.
 */
/* clang-format off */
static const char *const inner[] = {
    "a", "and", "as", "at", "by", "de", "for", "from", "in", "of", "on", "or", "s", "the", "to", "with",
};

static const char *const empty_english[] = {
    "ability", "able", "about", "absence", "abstract", "accuracy", "accurate", "accurately", "achieve", "achieved",
    "achieves", "achieving", "across", "actual", "adaptively", "additional", "address", "addressed", "addresses",
    "addressing", "adopt", "adopted", "adopting", "aim", "aimed", "aiming", "aims", "al", "allow", "allowed",
    "allowing", "allows", "amount", "analyze", "analyzed", "analyzes", "analyzing", "anonymous", "applied",
    "apply", "applying", "appropriate", "approximately", "argue", "artifact", "artifacts", "automatically",
    "available", "average", "background", "baseline", "baselines", "best", "better", "broad", "broader", "build",
    "builds", "capable", "central", "certain", "cf", "challenge", "challenges", "challenging", "characterize",
    "characterized", "characterizes", "clear", "codebase", "com", "combine", "combined", "combines", "combining",
    "common", "commonly", "compare", "compared", "compares", "comparing", "competitive", "complete", "complexity",
    "comprehensive", "conclusion", "conclusions", "conduct", "conducted", "consider", "considerable", "considered",
    "considering", "considers", "consist", "consistent", "consistently", "consists", "construct", "constructed",
    "contemporary", "contribute", "contributes", "contribution", "contributions", "crucial", "current",
    "currently", "demonstrate", "demonstrated", "demonstrates", "demonstrating", "depend", "depending", "depends",
    "derive", "derived", "describe", "described", "describes", "designed", "designing", "determine", "determined",
    "develop", "developed", "developing", "develops", "different", "difficult", "directly", "distinct", "diverse",
    "dynamically", "easier", "easily", "easy", "effective", "effectively", "effectiveness", "efficiency",
    "efficient", "efficiently", "eg", "eight", "emerge", "emerged", "emerging", "emphasize", "empirical",
    "empirically", "employ", "employed", "employing", "employs", "enable", "enables", "enabling", "enhance",
    "enhanced", "enhances", "enhancing", "ensure", "ensures", "ensuring", "entire", "establish", "established",
    "establishes", "et", "evaluate", "evaluated", "evaluates", "evaluating", "examine", "examined", "examines",
    "example", "examples", "exhibit", "exhibits", "exist", "existing", "exists", "experiment", "experimental",
    "experimentally", "experiments", "explicitly", "explore", "explored", "explores", "exploring", "extend",
    "extended", "extending", "extends", "extensive", "extensively", "facilitate", "facing", "fact", "faithfully",
    "find", "finding", "findings", "finds", "first", "five", "focused", "focuses", "focusing", "follow",
    "followed", "following", "follows", "four", "fully", "further", "furthermore", "future", "general",
    "generally", "generic", "github", "given", "great", "greater", "growing", "help", "helps", "highest",
    "highlight", "highlighted", "highlighting", "highlights", "highly", "hold", "holds", "http", "https", "ideal",
    "identified", "identifies", "identify", "identifying", "ie", "illustrate", "impact", "implement",
    "implemented", "implementing", "implicitly", "importance", "important", "importantly", "improve", "improved",
    "improvement", "improvements", "improves", "improving", "include", "included", "includes", "including",
    "incorporate", "incorporated", "incorporates", "incorporating", "increase", "increased", "increases",
    "increasing", "increasingly", "indicate", "indicates", "informative", "inherent", "inherently", "initial",
    "instance", "instances", "integrate", "integrates", "integrating", "interesting", "intrinsic", "introduce",
    "introduced", "introduces", "introducing", "introduction", "intuitive", "investigate", "investigated",
    "investigates", "investigating", "investigation", "involve", "involves", "involving", "io", "issue", "issues",
    "jointly", "kind", "kinds", "know", "known", "lack", "lacks", "larger", "latest", "leading", "leads",
    "leverage", "leveraged", "leverages", "leveraging", "limitation", "limitations", "limited", "link", "lower",
    "main", "maintain", "maintaining", "maintains", "major", "manner", "margin", "meaningful", "measure", "merely",
    "metric", "metrics", "mitigate", "motivate", "motivated", "namely", "naturally", "necessary", "need", "needed",
    "needs", "new", "nine", "notable", "notably", "novel", "numerous", "objective", "objectives", "observe",
    "observed", "obtain", "obtained", "obtaining", "obtains", "occur", "occurs", "offer", "offering", "offers",
    "ongoing", "opportunities", "opportunity", "org", "outcome", "outcomes", "outline", "outperform",
    "outperforming", "outperforms", "overall", "paper", "papers", "particular", "past", "percent", "percentage",
    "perform", "performance", "performed", "performing", "performs", "piece", "poor", "popular", "possible",
    "potentially", "powerful", "practical", "precise", "precisely", "presence", "present", "presented",
    "presenting", "presents", "preserve", "preserving", "prevent", "previous", "previously", "primarily",
    "primary", "principled", "produce", "produced", "produces", "producing", "prominent", "promising", "promote",
    "proper", "propose", "proposed", "proposes", "proposing", "prove", "provide", "provided", "provides",
    "providing", "publicly", "purpose", "quickly", "raise", "raised", "raises", "ranges", "ranging", "rapid",
    "rapidly", "rather", "readily", "real", "receive", "recent", "recently", "reduce", "reduced", "reduces",
    "reducing", "refer", "refers", "released", "relevant", "reliable", "reliably", "relies", "rely", "relying",
    "remain", "remaining", "remains", "remarkable", "reported", "represent", "representing", "represents",
    "require", "required", "requirement", "requirements", "requires", "requiring", "researchers", "respective",
    "result", "resulting", "results", "reveal", "revealed", "revealing", "reveals", "reviewed", "rich", "rigorous",
    "robust", "room", "same", "scalable", "scarce", "seamlessly", "seek", "seeks", "seemingly", "serve", "serves",
    "serving", "seven", "several", "severe", "show", "showcase", "showed", "showing", "shown", "shows",
    "significance", "significant", "significantly", "similar", "simple", "simpler", "simply", "simultaneously",
    "six", "smaller", "solve", "solved", "sometimes", "sophisticated", "sota", "specifically", "specified",
    "starting", "stronger", "strongly", "struggle", "studied", "studies", "study", "studying", "substantial",
    "substantially", "success", "successful", "successfully", "suffer", "suffers", "sufficient", "sufficiently",
    "suggest", "suggesting", "suggests", "suitable", "summarize", "superior", "supplementary", "supported",
    "supporting", "supports", "surprisingly", "systematic", "systematically", "tackle", "ten", "tend", "tested",
    "thereby", "thousand", "three", "thus", "today", "top", "total", "traditional", "traditionally", "tremendous",
    "try", "two", "typical", "typically", "ultimately", "uncover", "underlying", "understand", "understood",
    "unified", "unique", "unlike", "unprecedented", "useful", "utilize", "utilized", "utilizes", "utilizing",
    "valid", "validate", "validated", "validates", "validating", "valuable", "variety", "various", "varying",
    "vast", "versatile", "versus", "viable", "vital", "vs", "way", "ways", "whole", "wide", "widely", "wider",
    "widespread", "work", "works", "www", "yes", "yield", "yielding", "yields",
};

static const char *const generic_english[] = {
    "action", "activity", "adaptation", "adaptive", "advanced", "agent", "aggregation", "algorithm", "algorithmic",
    "alternative", "analysis", "analytical", "application", "approach", "architecture", "area", "aspect",
    "assessment", "assumption", "augmented", "automated", "automatic", "behavior", "behaviour", "benchmark",
    "benchmarking", "bound", "box", "building", "buildings", "calculation", "capability", "capacity", "case",
    "cases", "category", "chain", "change", "characteristic", "characterization", "choice", "class", "client",
    "co", "code", "collection", "communication", "community", "comparison", "complex", "component", "computation",
    "computational", "computing", "concept", "condition", "connection", "constraint", "construction", "content",
    "context", "contextual", "control", "cost", "coverage", "criterion", "critical", "cross", "data", "dataset",
    "datasets", "day", "days", "decision", "deep", "degree", "deployment", "design", "detailed", "detection",
    "development", "device", "difference", "dimension", "dimensional", "direction", "discovery", "discussion",
    "distribution", "domain", "dynamic", "dynamics", "effect", "effort", "element", "embedding", "engine",
    "engineering", "enhancement", "entity", "environment", "error", "estimate", "estimation", "evaluation",
    "event", "evidence", "evolution", "exact", "experience", "exploration", "exponential", "expression",
    "extension", "external", "extraction", "face", "factor", "failure", "family", "fast", "feature", "field",
    "fine", "flow", "focus", "form", "formulation", "foundation", "framework", "full", "function", "functional",
    "functionality", "fundamental", "gain", "gains", "gap", "generalization", "generation", "generative", "global",
    "goal", "good", "group", "guide", "hard", "hidden", "high", "higher", "human", "humans", "hybrid",
    "hypothesis", "idea", "ii", "iii", "image", "implementation", "implication", "independent", "index",
    "information", "infrastructure", "innovation", "input", "insight", "integrated", "integration", "intelligence",
    "intelligent", "inter", "interaction", "interface", "internal", "interpretation", "interval", "iterative",
    "iv", "joint", "key", "knowledge", "language", "large", "layer", "lead", "learned", "learner", "learning",
    "length", "levels", "life", "limit", "limits", "line", "linear", "literature", "local", "log", "long", "loss",
    "low", "machine", "management", "mapping", "matching", "mathematical", "matrix", "mean", "measurement",
    "mechanism", "meta", "method", "methodological", "methodology", "model", "modeling", "modelling", "modern",
    "module", "mu", "multi", "multimodal", "multiple", "natural", "nature", "network", "neural", "node", "noise",
    "non", "number", "numbers", "object", "observation", "open", "operation", "operational", "optimal",
    "optimization", "optimized", "optimizing", "order", "original", "output", "overview", "page", "pair",
    "paradigm", "parameter", "part", "partial", "participant", "parts", "pattern", "people", "perception",
    "perspective", "phase", "phenomenon", "physical", "pipeline", "platform", "point", "policy", "population",
    "position", "post", "potential", "practice", "pre", "precision", "prediction", "predictive", "principle",
    "prior", "probability", "problem", "procedure", "process", "processing", "product", "production", "program",
    "project", "property", "protocol", "quality", "quantitative", "query", "question", "questions", "random",
    "range", "rate", "ratio", "reasoning", "recognition", "reference", "regime", "region", "relation",
    "relationship", "release", "report", "reports", "representation", "research", "resource", "response",
    "retrieval", "review", "reward", "role", "rule", "sample", "sampling", "scale", "scaling", "scenario", "scene",
    "scheme", "science", "scientific", "scope", "score", "scores", "search", "selection", "self", "semantic",
    "sensitivity", "sequence", "sequential", "series", "service", "set", "setting", "setup", "shape", "short",
    "signal", "simulated", "simulation", "single", "situation", "size", "small", "social", "software", "solid",
    "solution", "solving", "sort", "source", "space", "spatial", "spatio", "special", "specification", "speed",
    "stability", "stage", "standard", "state", "statistic", "statistical", "step", "strategy", "strength",
    "strict", "strong", "structural", "structure", "student", "sub", "subject", "summary", "super", "support",
    "survey", "synthetic", "system", "table", "target", "task", "taxonomy", "team", "technical", "technique",
    "technology", "temporal", "term", "terms", "test", "text", "textual", "theoretical", "theory", "threshold",
    "time", "times", "tool", "toolkit", "topic", "trade", "tradeoff", "train", "trained", "training", "trajectory",
    "transfer", "transformation", "transition", "tree", "trend", "true", "truth", "type", "types", "uncertainty",
    "understanding", "unit", "update", "usage", "user", "utility", "validation", "value", "variable", "variant",
    "variation", "vector", "version", "video", "view", "vision", "visual", "web", "weight", "word", "workflow",
    "world", "year", "years", "zero",
};

static const char *const edge[] = {
    "agnostic", "art", "assisted", "aware", "based", "centric", "dependent", "driven", "enabled", "end", "free",
    "friendly", "generated", "guided", "induced", "informed", "inspired", "level", "like", "oriented", "powered",
    "related", "specific", "style", "wise",
};

static const char *const empty_chinese[] = {
    "一系列", "三个", "上", "下", "不同", "不足", "与", "且", "两个", "严格", "严重", "个", "中", "为", "为主", "主要", "了", "于", "五个", "仅",
    "仅需", "介绍", "从", "以", "以往", "优于", "优势", "优异", "会", "传统", "但", "低", "作者", "使", "使用", "依赖", "保持", "允许", "充分",
    "先进", "全面", "关键", "其", "具体", "具备", "典型", "内", "准确", "准确率", "减少", "几个", "出", "出色", "分析", "创新", "利用", "到", "前",
    "包含", "包括", "化", "卓越", "单一", "即", "及", "发现", "取决", "取决于", "取得", "可", "可靠", "各类", "同样", "后", "和", "四个", "困难",
    "在", "地", "均", "基准", "基础", "增强", "处理", "复杂", "外", "多个", "多种", "大", "好", "如", "完全", "完整", "实现", "实际", "实验",
    "容易", "对", "导致", "将", "小", "尚", "尚未", "局限", "局限性", "展示", "工作", "常见", "平均", "并", "广泛", "应用于", "度", "开发", "开始",
    "引入", "引发", "弱", "强", "强大", "强调", "当前", "影响", "得", "快", "快速", "性", "慢", "成为", "成功", "或", "指出", "挑战", "探索",
    "推导", "提供", "提出", "提升", "提高", "揭示", "支持", "改善", "改进", "整合", "文章", "新", "新兴", "新型", "新颖", "方法", "方面", "无", "无效",
    "无需", "日益", "旨在", "时", "明显", "是", "显示", "显著", "普遍", "更", "最", "最先进", "有", "有助", "有助于", "有效", "未", "未来", "未知",
    "本文", "极", "极其", "构建", "次", "此", "比较", "测试", "涵盖", "满足", "潜力", "灵活", "特别", "特别是", "特定", "率", "现实", "现有", "甚至",
    "用于", "由", "的", "直接", "相关", "相应", "真实", "着", "研究", "研究者", "确保", "种", "稳定", "竞争", "竞争力", "等", "简单", "篇", "类",
    "精度", "系统地", "约", "结合", "结果", "缺乏", "考虑", "而", "能", "至", "至关", "至关重要", "致力", "致力于", "良好", "获取", "获得", "融合",
    "表明", "表现", "表现出", "被", "解决", "认为", "让", "论文", "设计", "证明", "评估", "该", "贡献", "超越", "超过", "越来越", "越来越多", "达",
    "达到", "迅速", "过", "过去", "近年来", "这", "进一步", "远", "适用", "适用于", "选择", "通用", "避免", "那", "部署", "采用", "重要", "间", "阐述",
    "降低", "限制", "难以", "需要", "面临", "项", "领先", "额外", "首个", "首次", "验证", "高", "高效",
};

static const char *const generic_chinese[] = {
    "一致性", "两阶段", "交互", "人类", "任务", "优化", "信息", "内容", "决策", "动态", "参数", "因素", "图像", "场景", "多", "奖励", "学习", "学习者",
    "实证", "对齐", "层次", "工具", "平台", "应用", "形状", "性能", "技术", "指标", "控制", "推理", "效果", "效率", "数据", "数据集", "文本", "方案",
    "时间", "智能", "替代", "服务", "机制", "机器", "构造", "样本", "框架", "检测", "概念", "模块", "模型", "模式", "水平", "注意", "流程", "深度",
    "特征", "环境", "现象", "理解", "理论", "生成", "用户", "目标", "知识", "神经", "空间", "策略", "算法", "类别", "系统", "组件", "结构", "统一",
    "网络", "能力", "自动", "范围", "行为", "表示", "规划", "规模", "视觉", "视频", "计算", "训练", "识别", "语义", "语言", "质量", "资源", "输入",
    "输出", "过程", "问题", "阶段", "需求", "预测", "领域",
};

/* clang-format on */

typedef struct word_list {
    const char *const *words;
    size_t n;
    pkin_i_label_class kind;
} word_list;

#define LIST(words, kind)                                                                                              \
    { words, sizeof(words) / sizeof *(words), kind }
static const word_list lists[] = {
    LIST(inner, PKIN_I_LABEL_INNER),
    LIST(empty_english, PKIN_I_LABEL_EMPTY),
    LIST(generic_english, PKIN_I_LABEL_GENERIC),
    LIST(edge, PKIN_I_LABEL_EDGE),
    LIST(empty_chinese, PKIN_I_LABEL_EMPTY),
    LIST(generic_chinese, PKIN_I_LABEL_GENERIC),
};
enum { MAX_WORD_BYTES = 48 }; /* longer ones are no words that a reader knows */
enum { N_LISTS = (int)(sizeof lists / sizeof *lists) };

const char *const *pkin_i_label_word_list(size_t index, size_t *n) {
    if (index >= N_LISTS) return NULL;
    *n = lists[index].n;
    return lists[index].words;
}

static int holds(const word_list *list, const char *word, size_t n_bytes) {
    size_t low = 0, high = list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(list->words[middle], word, n_bytes);
        if (order == 0) order = list->words[middle][n_bytes] != '\0';
        if (order == 0) return 1;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* Digits, and points between them. */
static int is_number(const char *word, size_t n_bytes) {
    for (size_t k = 0; k < n_bytes; k++) {
        if (!pkin_i_ascii_is_digit(word[k]) && word[k] != '.') return 0;
    }
    return 1;
}

static int is_one_character(const char *word, size_t n_bytes) {
    size_t n = 0;
    for (size_t k = 0; k < n_bytes; k++) n += ((unsigned char)word[k] & 0xC0) != 0x80;
    return n == 1;
}

pkin_i_label_class pkin_i_label_classify(const char *word, size_t n_bytes) {
    if (n_bytes == 0 || n_bytes > MAX_WORD_BYTES) return PKIN_I_LABEL_EMPTY;
    for (size_t k = 0; k < N_LISTS; k++) {
        if (holds(&lists[k], word, n_bytes)) return lists[k].kind;
    }
    if (pkin_i_is_stop_word(word, n_bytes)) return PKIN_I_LABEL_EMPTY;
    if (is_number(word, n_bytes)) return PKIN_I_LABEL_GENERIC;
    if (is_one_character(word, n_bytes)) {
        return (unsigned char)word[0] < 0x80 ? PKIN_I_LABEL_EDGE : PKIN_I_LABEL_GENERIC;
    }
    return PKIN_I_LABEL_SUBJECT;
}

static int ends_in(const char *word, size_t n_bytes, const char *end) {
    size_t n = strlen(end);
    return n_bytes >= n && !memcmp(word + n_bytes - n, end, n);
}

size_t pkin_i_label_singular(const char *word, size_t n_bytes, int attempt, char *out) {
    static const char *const no_plurals[] = {"ss", "is", "news", "means", "lens", "bias", "gas", "sars"};
    if (n_bytes < 4 || word[n_bytes - 1] != 's') return 0;
    for (size_t k = 0; k < sizeof no_plurals / sizeof *no_plurals; k++) {
        if (ends_in(word, n_bytes, no_plurals[k])) return 0;
    }
    size_t cut = attempt == 0 ? 1 : 2;
    if (attempt > 1 || (attempt == 1 && !ends_in(word, n_bytes, "es"))) return 0;
    if (attempt == 1 && ends_in(word, n_bytes, "ies")) cut = 3;
    memcpy(out, word, n_bytes - cut);
    if (cut == 3) out[n_bytes - cut] = 'y';
    size_t length = cut == 3 ? n_bytes - 2 : n_bytes - cut;
    out[length] = '\0';
    return length;
}
