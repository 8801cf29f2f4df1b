/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same bits on the GPU: joins and top-k by the backend "cuda", in every filter that the device has and over many
 * dimensions, against the CPU's, and for small rows also against every pair scored one by one. A plain program, so that
 * it runs where nothing but compilers and CUDA is installed; through the public interface alone.
 *
 * usage: gpu_parity [--quick] [--list] [--backend cuda|cpu] [--filter NAME] [--case WORD] [FILE.npz]...
 *
 *   --quick     small rows and few dimensions, but every kernel: for compute-sanitizer
 *   --backend   cpu: the CPU's own methods are put in the GPU's place, so that the program itself can be tried anywhere
 *   --filter    this filter alone
 *   --case      cases whose name holds WORD
 *   FILE.npz    rows (made unit length) that become cases too
 *
 * A line for each case and filter. Exit status: 0 all equal, 1 a difference or an error, 2 misuse, 77 no GPU.
 */
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "paperkin.h"

namespace {

/* ---- What is compared ---- */

struct VectorsFree {
    void operator()(pkin_vectors *vectors) const {
        pkin_vectors_free(vectors);
    }
};
using Vectors = std::unique_ptr<pkin_vectors, VectorsFree>;

struct Case {
    std::string name;
    Vectors a, b; /* b null: within a */
    std::vector<double> thresholds;
    std::vector<uint32_t> ks;
    std::vector<uint32_t> dimensions; /* the first is tried with every threshold and k, the others with one of each */
    bool brute = true;                /* the CPU's answer is checked against every pair, too */
};

struct Work {
    double threshold; /* of a join, or the floor of a top-k */
    uint32_t k;       /* 0: a join */
};

/* Pairs of a join, or (score, row, neighbour) of a top-k, in the order of the answer. */
using Answer = std::vector<std::tuple<uint64_t, uint32_t, uint32_t>>;

[[noreturn]] void stop(const char *what) {
    std::fprintf(stderr, "gpu_parity: %s: %s\n", what, pkin_last_error());
    std::exit(1);
}

/* ---- Rows ---- */

using Row = std::vector<std::pair<uint32_t, double>>; /* columns ascending */

Vectors to_vectors(const std::vector<Row> &rows, uint64_t n_columns, bool normalize) {
    std::vector<uint64_t> offsets = {0};
    std::vector<uint32_t> columns;
    std::vector<double> values;
    for (const Row &row : rows) {
        for (const auto &entry : row) {
            columns.push_back(entry.first);
            values.push_back(entry.second);
        }
        offsets.push_back(columns.size());
    }
    pkin_csr_view view = {rows.size(), n_columns, offsets.data(), columns.data(), values.data()};
    pkin_matrix *matrix = nullptr;
    pkin_vectors *vectors = nullptr;
    if (pkin_matrix_from_csr(&view, &matrix) != PKIN_OK) stop("making rows");
    if (pkin_vectors_from_matrix(matrix, normalize, &vectors) != PKIN_OK) stop("making rows");
    pkin_matrix_free(matrix);
    return Vectors(vectors);
}

Vectors generated(uint64_t n_rows, double mean_terms, uint32_t n_columns, uint64_t seed) {
    pkin_generate_options options = pkin_generate_options_default();
    options.n_rows = n_rows;
    options.mean_terms = mean_terms;
    options.n_columns = n_columns;
    options.seed = seed;
    pkin_vectors *vectors = nullptr;
    if (pkin_vectors_generate(&options, &vectors) != PKIN_OK) stop("generating rows");
    return Vectors(vectors);
}

/* The listed rows, in that order: two sides over the same columns, parts of a whole. */
Vectors part(const Vectors &whole, uint32_t first, uint32_t last) {
    std::vector<uint32_t> rows;
    for (uint32_t r = first; r < last; r++) rows.push_back(r);
    pkin_vectors *vectors = nullptr;
    if (pkin_vectors_select(whole.get(), rows.data(), rows.size(), &vectors) != PKIN_OK) stop("choosing rows");
    return Vectors(vectors);
}

Row random_row(std::mt19937_64 &random, uint32_t n_columns, uint32_t n_terms) {
    std::map<uint32_t, double> terms;
    while (terms.size() < n_terms) {
        double u = std::generate_canonical<double, 53>(random);
        terms[(uint32_t)(u * u * n_columns)] = 0.1 + std::generate_canonical<double, 53>(random);
    }
    return Row(terms.begin(), terms.end());
}

/* One term a row, of a few: each bucket full or empty. Weights differ, so that rows do not simply fall together. */
Vectors one_term(uint32_t n_rows) {
    std::vector<Row> rows;
    for (uint32_t r = 0; r < n_rows; r++) rows.push_back({{r % 7, 1.0 - 0.5 * r / n_rows}});
    return to_vectors(rows, 7, false);
}

/* Groups of equal rows, of rows equal but for one weight, and of rows that share exactly half. */
Vectors equal_rows(uint32_t n_rows) {
    std::mt19937_64 random(11);
    std::vector<Row> models, rows;
    for (int m = 0; m < 5; m++) models.push_back(random_row(random, 300, 24));
    for (uint32_t r = 0; r < n_rows; r++) {
        Row row = models[r % models.size()];
        if (r % 3 == 1) row[r % row.size()].second *= 1.0 + 1e-7 * r;
        if (r % 3 == 2) row.resize(row.size() / 2);
        rows.push_back(row);
    }
    return to_vectors(rows, 300, true);
}

/* Two rows in three are empty. */
Vectors empty_rows(uint32_t n_rows) {
    std::mt19937_64 random(12);
    std::vector<Row> rows;
    for (uint32_t r = 0; r < n_rows; r++) rows.push_back(r % 3 ? Row() : random_row(random, 200, 12));
    return to_vectors(rows, 200, true);
}

/* Rows of thousands of terms beside rows of one. */
Vectors long_rows(uint32_t n_rows, uint32_t n_columns) {
    std::mt19937_64 random(13);
    std::vector<Row> rows;
    for (uint32_t r = 0; r < n_rows; r++) {
        rows.push_back(random_row(random, n_columns, r % 10 == 0 ? n_columns / 2 : 1 + r % 5));
    }
    return to_vectors(rows, n_columns, true);
}

/* Weights where rounding turns: 2^-30 (the least), 1, just below 1, halves of a length, and squares at the steps of q.
 */
Vectors rounding_edge(uint32_t n_rows) {
    const double step = std::ldexp(1.0, -30);
    std::vector<Row> rows;
    for (uint32_t r = 0; r < n_rows; r++) {
        double q = 1 + r % 254, nudge = (double)(int)(r % 3 - 1) * step;
        switch (r % 5) {
        case 0:
            rows.push_back({{r % 4, 1.0}});
            break;
        case 1:
            rows.push_back({{r % 4, 1.0 - step}, {4 + r % 60, step}});
            break;
        case 2:
            rows.push_back({{r % 4, std::sqrt(0.5) - step}, {4 + r % 60, std::sqrt(0.5) - step}});
            break;
        case 3:
            rows.push_back({{4 + r % 60, q / 255 + nudge}});
            break;
        default:
            rows.push_back({{r % 4, step}, {4 + r % 60, q / 255}});
            break;
        }
    }
    return to_vectors(rows, 64, false);
}

/* Few columns with few weights: the same score over and over, so that ties decide who is among the k. */
Vectors ties(uint32_t n_rows) {
    std::mt19937_64 random(14);
    std::vector<Row> rows;
    for (uint32_t r = 0; r < n_rows; r++) {
        Row row = random_row(random, 40, 4);
        for (auto &entry : row) entry.second = 0.5;
        rows.push_back(row);
    }
    return to_vectors(rows, 40, false);
}

void add(std::vector<Case> &cases, const char *name, Vectors a, Vectors b, std::vector<double> thresholds,
         std::vector<uint32_t> ks, std::vector<uint32_t> dimensions, bool brute = true) {
    cases.push_back(
        {name, std::move(a), std::move(b), std::move(thresholds), std::move(ks), std::move(dimensions), brute});
}

/* Every kernel with little work: the sanitizers slow it down some hundred times. */
std::vector<Case> quick_cases() {
    std::vector<Case> cases;
    add(cases, "generated 700", generated(700, 40, 2000, 1), nullptr, {0.5, 0.1}, {3}, {128, 320});
    Vectors whole = generated(800, 40, 2000, 2);
    add(cases, "300 x 500", part(whole, 0, 300), part(whole, 300, 800), {0.2}, {10}, {192});
    add(cases, "one term", one_term(300), nullptr, {1.0, 0.3}, {5}, {64});
    add(cases, "long rows", long_rows(40, 1500), nullptr, {0.2}, {4}, {1024});
    add(cases, "rounding edge", rounding_edge(300), nullptr, {0.5}, {2}, {1152});
    return cases;
}

std::vector<Case> full_cases() {
    std::vector<Case> cases;
    const std::vector<uint32_t> all = {256, 64, 128, 192, 320, 512, 768, 1024, 1088, 1536, 2048, 4096};
    const std::vector<uint32_t> few = {512, 0, 1024}; /* 0: the plan's choice */
    const std::vector<double> edges = {1.0, 0.999999, 0.5, 0.3, 0.05, 1e-9};
    add(cases, "generated 1500", generated(1500, 60, 3000, 1), nullptr, edges, {1, 10, 100}, all);
    add(cases, "generated 257", generated(257, 20, 500, 3), nullptr, edges, {1, 10, 300}, all);
    add(cases, "generated 2", generated(2, 20, 500, 4), nullptr, edges, {1, 10}, {128, 64});
    Vectors whole = generated(2500, 60, 3000, 2);
    add(cases, "500 x 2000", part(whole, 0, 500), part(whole, 500, 2500), edges, {1, 10, 100}, all);
    add(cases, "1 x 2499", part(whole, 0, 1), part(whole, 1, 2500), edges, {1, 10, 100}, {256, 1024});
    add(cases, "2499 x 1", part(whole, 0, 2499), part(whole, 2499, 2500), edges, {1, 10}, {256, 1024});
    add(cases, "one term", one_term(1000), nullptr, edges, {1, 10, 100}, all);
    add(cases, "equal rows", equal_rows(900), nullptr, edges, {1, 10, 100}, {256, 512, 1024});
    add(cases, "empty rows", empty_rows(900), nullptr, edges, {1, 10}, {256, 512, 1024});
    add(cases, "long rows", long_rows(300, 6000), nullptr, edges, {1, 10}, all);
    add(cases, "rounding edge", rounding_edge(1200), nullptr, edges, {1, 10, 100}, all);
    add(cases, "ties", ties(1200), nullptr, edges, {1, 10, 100}, {256, 512, 1024});
    /* From here on the work is cut into pieces, and runs over buffers. */
    add(cases, "generated 4000, nearly every pair", generated(4000, 90, 2500, 5), nullptr, {0.02}, {10}, {256, 1024},
        false);
    add(cases, "generated 40k, loose bounds", generated(40000, 96, 0, 8), nullptr, {0.4}, {}, {64}, false);
    add(cases, "generated 60k", generated(60000, 96, 0, 6), nullptr, {0.5, 0.3}, {10}, few, false);
    whole = generated(60300, 96, 0, 7);
    add(cases, "300 new x 60k", part(whole, 60000, 60300), part(whole, 0, 60000), {0.5, 0.2}, {10}, few, false);
    return cases;
}

Case from_file(const char *path) {
    pkin_matrix *matrix = nullptr;
    pkin_vectors *vectors = nullptr;
    if (pkin_matrix_read_npz(path, &matrix) != PKIN_OK || pkin_vectors_from_matrix(matrix, 1, &vectors) != PKIN_OK) {
        stop("reading rows");
    }
    pkin_matrix_free(matrix);
    return {path, Vectors(vectors), nullptr, {0.5, 0.3}, {10}, {512, 0, 1024}, false};
}

/* ---- Answers ---- */

/* By every pair of rows: O(rows^2 * terms), so of small cases alone. */
Answer brute_force(const Case &it, const Work &work) {
    const pkin_vectors *a = it.a.get(), *b = it.b ? it.b.get() : a;
    const uint64_t least = work.k ? std::max<uint64_t>(1, pkin_score_from_threshold(work.threshold))
                                  : pkin_score_from_threshold(work.threshold);
    auto order = [](const auto &x, const auto &y) {
        return std::make_tuple(~std::get<0>(x), std::get<1>(x), std::get<2>(x)) <
               std::make_tuple(~std::get<0>(y), std::get<1>(y), std::get<2>(y));
    };
    Answer answer, row;
    for (uint32_t i = 0; i < pkin_vectors_n_rows(a); i++) {
        row.clear();
        for (uint32_t j = work.k || it.b ? 0 : i + 1; j < pkin_vectors_n_rows(b); j++) {
            uint64_t score = !it.b && i == j ? 0 : pkin_vectors_score(a, i, b, j);
            if (score >= least) row.emplace_back(score, i, j);
        }
        if (work.k) std::sort(row.begin(), row.end(), order);
        if (work.k && row.size() > work.k) row.resize(work.k);
        answer.insert(answer.end(), row.begin(), row.end());
    }
    if (!work.k) std::sort(answer.begin(), answer.end(), order);
    return answer;
}

pkin_status compute(const Case &it, const Work &work, const pkin_similarity_options &options, Answer *out) {
    out->clear();
    if (work.k) {
        pkin_neighbor_lists lists = {};
        pkin_status status = pkin_similarity_top_k(it.a.get(), it.b.get(), work.k, work.threshold, &options, &lists);
        for (uint64_t r = 0; status == PKIN_OK && r < lists.n_rows; r++) {
            for (uint64_t n = lists.offsets[r]; n < lists.offsets[r + 1]; n++) {
                out->emplace_back(lists.neighbors[n].score, (uint32_t)r, lists.neighbors[n].row);
            }
        }
        pkin_neighbor_lists_free(&lists);
        return status;
    }
    pkin_pair_list list = {};
    pkin_status status = pkin_similarity_join(it.a.get(), it.b.get(), work.threshold, &options, &list);
    for (uint64_t p = 0; status == PKIN_OK && p < list.n_pairs; p++) {
        out->emplace_back(list.pairs[p].score, list.pairs[p].i, list.pairs[p].j);
    }
    pkin_pair_list_free(&list);
    return status;
}

int take_pairs(void *user, const pkin_pair *pairs, size_t n_pairs) {
    Answer *out = static_cast<Answer *>(user);
    for (size_t p = 0; p < n_pairs; p++) out->emplace_back(pairs[p].score, pairs[p].i, pairs[p].j);
    return 0;
}

/* ---- Runs ---- */

struct Settings {
    bool quick = false, list = false, on_cpu = false;
    std::string filter, only;
    std::vector<const char *> files;
};

/* What is put beside the CPU's answer. */
struct Way {
    std::string name;    /* a filter of the GPU; cpu: a method */
    const char *devices; /* cuda */
    bool top_k;          /* can do that */
};

class Comparison {
  public:
    Comparison(const Settings &settings, const Case &it) : settings_(settings), case_(it) {}

    /* Prints its line; whether all was equal. */
    bool run(const Way &way) {
        auto began = std::chrono::steady_clock::now();
        n_runs_ = n_found_ = n_different_ = 0;
        for (size_t d = 0; d < case_.dimensions.size(); d++) {
            for (size_t t = 0; t < (d ? std::min<size_t>(case_.thresholds.size(), 1) : case_.thresholds.size()); t++) {
                double threshold = d ? case_.thresholds[case_.thresholds.size() / 2] : case_.thresholds[t];
                run_one(way, {threshold, 0}, case_.dimensions[d], false);
            }
            for (size_t k = 0; way.top_k && k < (d ? std::min<size_t>(case_.ks.size(), 1) : case_.ks.size()); k++) {
                run_one(way, {0, d ? case_.ks[case_.ks.size() / 2] : case_.ks[k]}, case_.dimensions[d], false);
            }
        }
        if (way.top_k && !case_.ks.empty())
            run_one(way, {case_.thresholds.front() / 2, case_.ks.front()}, case_.dimensions.front(), false);
        run_one(way, {case_.thresholds.back(), 0}, case_.dimensions.front(), true);
        double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        std::printf("%s  %-34s %-8s%s %3d runs, %9llu results, %6.2f s\n", n_different_ ? "FAIL" : "ok  ",
                    case_.name.c_str(), way.name.c_str(), std::strcmp(way.devices, "all") == 0 ? " (all GPUs)" : "",
                    n_runs_, (unsigned long long)n_found_, seconds);
        std::fflush(stdout);
        return n_different_ == 0;
    }

    int n_runs() const {
        return n_runs_;
    }

  private:
    const Answer &expected(const Work &work) {
        auto [at, is_new] = answers_.try_emplace({work.threshold, work.k});
        if (!is_new) return at->second;
        pkin_similarity_options options = pkin_similarity_options_default();
        options.backend = "cpu";
        if (compute(case_, work, options, &at->second) != PKIN_OK) stop("the CPU's answer");
        if (case_.brute && at->second != brute_force(case_, work)) {
            std::printf("FAIL  %s: the CPU's own answer is not that of brute force\n", case_.name.c_str());
            n_different_++;
        }
        return at->second;
    }

    void complain(const Way &way, const Work &work, uint32_t dimension, const std::string &what) {
        n_different_++;
        std::printf("      %s, %s, %s %g, %u buckets: %s\n", case_.name.c_str(), way.name.c_str(),
                    work.k ? ("top " + std::to_string(work.k) + " from").c_str() : "join at", work.threshold, dimension,
                    what.c_str());
    }

    static std::string difference(const Answer &wanted, const Answer &found) {
        size_t at = 0;
        while (at < wanted.size() && at < found.size() && wanted[at] == found[at]) at++;
        auto text = [at](const Answer &answer) {
            if (at >= answer.size()) return std::string("nothing");
            return "(" + std::to_string(std::get<1>(answer[at])) + ", " + std::to_string(std::get<2>(answer[at])) +
                   ") with score " + std::to_string(std::get<0>(answer[at]));
        };
        return std::to_string(found.size()) + " results, " + std::to_string(wanted.size()) +
               " expected; the first that differs is number " + std::to_string(at) + ": " + text(found) +
               ", expected " + text(wanted);
    }

    void run_one(const Way &way, const Work &work, uint32_t dimension, bool streamed) {
        const Answer &wanted = expected(work);
        pkin_similarity_report report = pkin_similarity_report_default();
        pkin_similarity_options options = pkin_similarity_options_default();
        options.report = &report;
        if (settings_.on_cpu) {
            options.backend = "cpu";
            options.method = way.name.c_str();
            if (way.name == "sketch") options.dimension = dimension;
        } else {
            options.backend = "cuda";
            options.devices = way.devices;
            options.gpu_filter = way.name.c_str();
            options.dimension = dimension;
        }
        Answer found;
        pkin_status status = streamed ? pkin_similarity_join_each(case_.a.get(), case_.b.get(), work.threshold,
                                                                  &options, take_pairs, &found)
                                      : compute(case_, work, options, &found);
        n_runs_++;
        n_found_ += found.size();
        if (status != PKIN_OK) {
            complain(way, work, dimension, pkin_last_error());
        } else if (found != wanted) {
            complain(way, work, dimension, difference(wanted, found));
        } else if (std::strcmp(report.backend, options.backend) != 0 && std::strcmp(report.method, "none") != 0) {
            complain(way, work, dimension, std::string("was computed by ") + report.backend);
        } else if (!settings_.on_cpu && way.name != "auto" && std::strcmp(report.method, "none") != 0 &&
                   way.name != report.gpu_filter) {
            complain(way, work, dimension, std::string("was filtered by ") + report.gpu_filter);
        }
    }

    const Settings &settings_;
    const Case &case_;
    std::map<std::pair<double, uint32_t>, Answer> answers_;
    int n_runs_ = 0, n_different_ = 0;
    uint64_t n_found_ = 0;
};

/* The first device's filters, "auto" (not with --quick: it is one of them), and where there are several devices all of
 * them together. */
bool ways_of_gpu(const Settings &settings, std::vector<Way> *out, std::string *device) {
    pkin_device_list list = {};
    if (pkin_backend_check("cuda") != PKIN_OK || pkin_backend_devices("cuda", &list) != PKIN_OK) {
        std::printf("skipped: %s\n", pkin_last_error());
        return false;
    }
    int n_usable = 0;
    for (size_t d = 0; d < list.n_devices; d++) {
        const pkin_device &it = list.devices[d];
        if (!it.can_run || n_usable++ > 0) continue;
        *device = it.name;
        for (size_t f = 0; f < it.n_filters; f++) {
            const pkin_device_filter &filter = it.filters[f];
            if (!settings.filter.empty() && settings.filter != filter.name) continue;
            if (filter.can_run) {
                out->push_back({filter.name, "auto", std::strcmp(filter.name, "gemm8") != 0});
            } else {
                std::printf("left out: %s: %s\n", filter.name, filter.why_not);
            }
        }
    }
    if (settings.filter.empty() && !settings.quick) out->push_back({"auto", "auto", true});
    if (n_usable > 1) out->push_back({"auto", "all", true});
    pkin_device_list_free(&list);
    return n_usable > 0 && !out->empty();
}

int misuse(const char *word) {
    std::fprintf(stderr,
                 "gpu_parity: %s?\nusage: gpu_parity [--quick] [--list] [--backend cuda|cpu] [--filter NAME] "
                 "[--case WORD] [FILE.npz]...\n",
                 word);
    return 2;
}

int read_words(int n_words, char **words, Settings *out) {
    for (int w = 1; w < n_words; w++) {
        std::string word = words[w];
        bool has_next = w + 1 < n_words;
        if (word == "--quick") {
            out->quick = true;
        } else if (word == "--list") {
            out->list = true;
        } else if (word == "--backend" && has_next && std::strcmp(words[w + 1], "cpu") == 0) {
            out->on_cpu = true, w++;
        } else if (word == "--backend" && has_next && std::strcmp(words[w + 1], "cuda") == 0) {
            w++;
        } else if (word == "--filter" && has_next) {
            out->filter = words[++w];
        } else if (word == "--case" && has_next) {
            out->only = words[++w];
        } else if (word[0] == '-') {
            return misuse(words[w]);
        } else {
            out->files.push_back(words[w]);
        }
    }
    return 0;
}

} // namespace

int main(int n_words, char **words) {
    Settings settings;
    if (int wrong = read_words(n_words, words, &settings)) return wrong;
    std::string device = "the CPU";
    std::vector<Way> ways;
    if (settings.on_cpu) {
        ways = {{"sketch", "", true}, {"tail", "", true}, {"index", "", true}};
    } else if (!settings.list && !ways_of_gpu(settings, &ways, &device)) {
        return 77;
    }
    std::vector<Case> cases = settings.quick ? quick_cases() : full_cases();
    for (const char *path : settings.files) cases.push_back(from_file(path));
    int n_runs = 0, n_lines = 0, n_failed = 0;
    for (const Case &it : cases) {
        if (it.name.find(settings.only) == std::string::npos) continue;
        if (settings.list) {
            std::printf("%s\n", it.name.c_str());
            continue;
        }
        Comparison comparison(settings, it);
        for (const Way &way : ways) {
            n_failed += !comparison.run(way);
            n_runs += comparison.n_runs();
            n_lines++;
        }
    }
    if (settings.list) return 0;
    std::printf("gpu_parity: %d runs of %d cases on %s, %d cases differ\n", n_runs, n_lines, device.c_str(), n_failed);
    return n_failed || n_lines == 0 ? 1 : 0;
}
