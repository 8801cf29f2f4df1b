/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every kernel of a device, each alone, against plain loops on the host (tests/support/host_device.h): whoever fails in
 * gpu_parity is named here. No kernel is given what another one made, but what the host did.
 *
 * usage: gpu_kernel_parity [--filter NAME]
 *
 *   --filter   this filter's kernels alone; none: the kernels that are no filter's
 *
 * What is tried is printed before it is done, so that one that never ends has a name, too. Exit status: 0 all equal,
 * 1 a difference or an error, 2 misuse, 77 no device.
 */
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "gpu_driver.h"
#include "paperkin/generate.h"
#include "support/host_device.h"

extern "C" {
#include "similarity/vectors.h"
}

namespace {

const pkin_i_gpu_driver *driver;
const HostKernels expected = host_kernels();
pkin_i_gpu *gpu;
pkin_i_gpu_queue *queue;
int n_done, n_wrong;

/* Nothing more can be asked of a device after some errors, and they may be told late: the first one ends the program.
 */
void must(pkin_status status) {
    if (status == PKIN_OK) return;
    std::printf("WRONG: %s\n", pkin_last_error());
    std::printf("gpu_kernel_parity: ended after %d kernels, the last one failed\n", n_done);
    std::exit(1);
}

void begin(const std::string &what) {
    std::printf("%-58s ", what.c_str());
    std::fflush(stdout);
}

/* `difference`: "" where there is none. */
void end(const std::string &difference) {
    n_done++;
    n_wrong += !difference.empty();
    std::printf("%s%s\n", difference.empty() ? "equal" : "WRONG: ", difference.c_str());
    std::fflush(stdout);
}

/* The same array here and on the device, where it begins and ends dirty. */
template <class T> struct Twin {
    std::vector<T> host;
    T *device = nullptr;

    explicit Twin(size_t n, T value = T()) : host(n, value) {
        must(driver->allocate(gpu, std::max<size_t>(n, 1) * sizeof(T), &device));
        must(driver->fill(queue, device, 0xa5, std::max<size_t>(n, 1) * sizeof(T)));
    }
    Twin(const T *from, size_t n) : Twin(n) {
        std::copy(from, from + n, host.begin());
        up();
    }
    ~Twin() {
        driver->release(gpu, device);
    }
    Twin(const Twin &) = delete;
    Twin &operator=(const Twin &) = delete;

    void up() {
        must(driver->copy_up(queue, device, host.data(), host.size() * sizeof(T)));
        must(driver->wait(queue));
    }
    std::vector<T> down() {
        std::vector<T> there(host.size());
        must(driver->copy_down(queue, there.data(), device, there.size() * sizeof(T)));
        must(driver->wait(queue));
        return there;
    }
};

template <class T> std::string differs(const char *name, const std::vector<T> &found, const std::vector<T> &wanted) {
    size_t n = 0, first = 0;
    for (size_t k = wanted.size(); k-- > 0;) {
        if (found[k] == wanted[k]) continue;
        n++;
        first = k;
    }
    if (n == 0) return "";
    return std::string(name) + ": " + std::to_string(n) + " of " + std::to_string(wanted.size()) +
           " differ, first number " + std::to_string(first) + ": " + std::to_string(found[first]) + ", expected " +
           std::to_string(wanted[first]) + "; ";
}

/* ---- Rows ---- */

constexpr uint32_t N_ROWS = 700, N_COLUMNS = 2000; /* neither is a multiple of a tile */

struct Corpus {
    pkin_vectors *vectors = nullptr;
    Twin<uint64_t> *offsets;
    Twin<uint32_t> *columns, *weights;

    Corpus() {
        pkin_generate_options options = pkin_generate_options_default();
        options.n_rows = N_ROWS;
        options.n_columns = N_COLUMNS;
        options.mean_terms = 40;
        options.near_copy_share = 0.1;
        must(pkin_vectors_generate(&options, &vectors));
        const size_t n_entries = vectors->row_offsets[N_ROWS];
        offsets = new Twin<uint64_t>(vectors->row_offsets, N_ROWS + 1);
        columns = new Twin<uint32_t>(vectors->columns, n_entries);
        weights = new Twin<uint32_t>(vectors->weights, n_entries);
    }
    ~Corpus() {
        delete offsets;
        delete columns;
        delete weights;
        pkin_vectors_free(vectors);
    }
};

/* The corpus' rows, or a sample of them, with sketches that the host made. */
struct Rows {
    Twin<uint8_t> sketches;
    Twin<int32_t> sums;
    pkin_i_gpu_rows host = {}, device = {};

    Rows(Corpus &corpus, uint32_t n_rows, uint32_t dimension, pkin_i_gpu_coding coding)
        : sketches((n_rows + 255) / 256 * 256 * size_t(dimension)), sums((n_rows + 255) / 256 * 256) {
        host.n_rows = n_rows;
        host.dimension = dimension;
        host.coding = coding;
        device = host;
        host.offsets = corpus.offsets->host.data(), device.offsets = corpus.offsets->device;
        host.columns = corpus.columns->host.data(), device.columns = corpus.columns->device;
        host.weights = corpus.weights->host.data(), device.weights = corpus.weights->device;
        host.sketches = sketches.host.data(), device.sketches = sketches.device;
        if (coding != PKIN_I_GPU_SHIFTED) return;
        host.sums = sums.host.data(), device.sums = sums.device;
    }
    void up() {
        sketches.up();
        sums.up();
    }
    std::string difference() {
        return differs("sketches", sketches.down(), sketches.host) +
               (host.sums ? differs("sums", sums.down(), sums.host) : "");
    }
};

const char *coding_name(pkin_i_gpu_coding coding) {
    return coding == PKIN_I_GPU_PLAIN ? "plain" : coding == PKIN_I_GPU_SHIFTED ? "shifted" : "seven";
}

std::string at(const char *what, const Rows &rows) {
    return std::string(what) + ", " + coding_name(rows.host.coding) + ", d " + std::to_string(rows.host.dimension);
}

/* ---- Sketches ---- */

void try_sketches(Corpus &corpus, Twin<uint16_t> &buckets, uint32_t dimension, pkin_i_gpu_coding coding) {
    Rows rows(corpus, N_ROWS, dimension, coding), sample(corpus, (N_ROWS + 6) / 7, dimension, coding);
    expected.sketch(rows.host, buckets.host.data());
    begin(at("sketch", rows));
    must(driver->sketch(queue, &rows.device, buckets.device));
    end(rows.difference());
    rows.up();
    expected.sample(rows.host, 7, sample.host);
    begin(at("sample", rows));
    must(driver->sample(queue, &rows.device, 7, &sample.device));
    end(sample.difference());
}

/* ---- Filters ---- */

using Pairs = std::vector<std::pair<uint32_t, uint32_t>>;

Pairs sorted(const std::vector<pkin_i_gpu_candidate> &found, uint64_t n) {
    Pairs pairs;
    for (uint64_t k = 0; k < std::min<uint64_t>(n, found.size()); k++) pairs.emplace_back(found[k].i, found[k].j);
    std::sort(pairs.begin(), pairs.end());
    return pairs;
}

/* `may_have_more`: gemm8, whose products are rounded up. */
std::string differs(const Pairs &found, const Pairs &wanted, bool may_have_more) {
    Pairs missing, surplus;
    std::set_difference(wanted.begin(), wanted.end(), found.begin(), found.end(), std::back_inserter(missing));
    std::set_difference(found.begin(), found.end(), wanted.begin(), wanted.end(), std::back_inserter(surplus));
    std::string text;
    auto tell = [&text](const char *what, const Pairs &pairs) {
        if (pairs.empty()) return;
        text += std::to_string(pairs.size()) + " " + what + ", first (" + std::to_string(pairs[0].first) + ", " +
                std::to_string(pairs[0].second) + "); ";
    };
    tell("missing", missing);
    if (!may_have_more) tell("too many", surplus);
    if (std::adjacent_find(found.begin(), found.end()) != found.end()) text += "some found twice; ";
    return text.empty() ? "" : text + "of " + std::to_string(wanted.size());
}

struct Part {
    const char *name;
    uint32_t row_begin, row_end, column_begin, column_end;
    bool within;
    double cosine; /* 2: nothing passes */
    bool by_row;   /* with the rows' own limits */
    uint64_t capacity;
};

void try_filter(Rows &rows, pkin_i_gpu_filter filter, const Part &part, Twin<int32_t> &limits,
                Twin<unsigned char> &workspace) {
    Twin<pkin_i_gpu_candidate> found(part.capacity);
    Twin<uint64_t> n_found(1);
    n_found.up();
    pkin_i_gpu_filter_work work = {};
    work.filter = filter;
    work.row_begin = part.row_begin, work.row_end = part.row_end;
    work.column_begin = part.column_begin, work.column_end = part.column_end;
    work.within = part.within;
    work.limit = part.cosine > 1 ? 1 << 20 : pkin_i_gpu_limit(rows.host.coding, pkin_score_from_threshold(part.cosine));
    work.capacity = part.capacity;
    pkin_i_gpu_filter_work there = work;
    work.filter = PKIN_I_GPU_FILTER_DP4A; /* exact */
    work.rows = work.columns = &rows.host;
    work.found = found.host.data(), work.n_found = n_found.host.data();
    there.rows = there.columns = &rows.device;
    there.found = found.device, there.n_found = n_found.device;
    there.workspace = workspace.device, there.workspace_bytes = workspace.host.size();
    if (part.by_row) {
        work.row_limits = work.column_limits = limits.host.data();
        there.row_limits = there.column_limits = limits.device;
    }
    expected.filter(work);
    begin(at(pkin_i_gpu_filter_name(filter), rows) + ": " + part.name);
    must(driver->filter(queue, &there));
    const uint64_t n = n_found.down()[0], wanted = n_found.host[0];
    const bool is_coarse = filter == PKIN_I_GPU_FILTER_GEMM8;
    if (wanted > part.capacity) { /* what is kept is any of them */
        end(n == wanted || (is_coarse && n > wanted)
                ? ""
                : std::to_string(n) + " counted, expected " + std::to_string(wanted));
        return;
    }
    end(differs(sorted(found.down(), n), sorted(found.host, wanted), is_coarse));
}

void try_filters(Rows &rows, pkin_i_gpu_filter filter) {
    const uint64_t room = uint64_t(N_ROWS) * N_ROWS;
    const Part parts[] = {
        {"one tile, nothing passes", 0, 64, 0, 64, false, 2, false, room},
        {"one tile, all that share a bucket", 0, 64, 0, 64, false, 1e-9, false, room},
        {"all rows, at 0.5", 0, N_ROWS, 0, N_ROWS, true, 0.5, false, room},
        {"all rows, at 0.1", 0, N_ROWS, 0, N_ROWS, true, 0.1, false, room},
        {"rows 13 to 487 by columns 251 to 699", 13, 487, 251, 699, false, 0.2, false, room},
        {"one row by one column", 699, 700, 3, 4, false, 1e-9, false, room},
        {"room for 100 alone", 0, N_ROWS, 0, N_ROWS, true, 0.1, false, 100},
        {"with limits of rows", 5, N_ROWS, 0, N_ROWS, true, 0, true, room},
    };
    Twin<int32_t> limits(N_ROWS);
    for (uint32_t r = 0; r < N_ROWS; r++) limits.host[r] = r % 5 ? 3000 + int32_t(r) * 80 : INT32_MAX;
    limits.up();
    Twin<unsigned char> workspace(driver->workspace_bytes(gpu, filter));
    for (const Part &part : parts) {
        if (part.by_row && filter == PKIN_I_GPU_FILTER_GEMM8) continue; /* joins only */
        try_filter(rows, filter, part, limits, workspace);
    }
}

/* ---- Scores, and what keeps the best ---- */

struct Heaps {
    Twin<uint64_t> scores;
    Twin<uint32_t> neighbors, counts;
    Twin<uint64_t> thresholds;
    Twin<int32_t> limits;
    Twin<uint32_t> locks;
    pkin_i_gpu_heaps host = {}, device = {};

    explicit Heaps(uint32_t k)
        : scores(N_ROWS * k), neighbors(N_ROWS * k), counts(N_ROWS), thresholds(N_ROWS), limits(N_ROWS), locks(N_ROWS) {
        host.n_rows = N_ROWS;
        host.k = k;
        device = host;
        host.scores = scores.host.data(), device.scores = scores.device;
        host.neighbors = neighbors.host.data(), device.neighbors = neighbors.device;
        host.counts = counts.host.data(), device.counts = counts.device;
        host.thresholds = thresholds.host.data(), device.thresholds = thresholds.device;
        host.limits = limits.host.data(), device.limits = limits.device;
        host.locks = locks.host.data(), device.locks = locks.device;
        expected.heaps_begin(host, 1);
        must(driver->heaps_begin(queue, &device, 1));
    }
    static std::vector<uint64_t> places(uint32_t k, const std::vector<uint64_t> &scores,
                                        const std::vector<uint32_t> &neighbors, const std::vector<uint32_t> &counts) {
        std::vector<uint64_t> all(2 * scores.size());
        for (uint32_t r = 0; r < N_ROWS; r++) {
            std::vector<std::pair<uint64_t, uint32_t>> row;
            for (uint32_t at = 0; at < std::min(counts[r], k); at++) {
                row.emplace_back(scores[r * k + at], neighbors[r * k + at]);
            }
            std::sort(row.begin(), row.end());
            for (size_t at = 0; at < row.size(); at++) {
                all[2 * (r * k + at)] = row[at].first, all[2 * (r * k + at) + 1] = row[at].second;
            }
        }
        return all;
    }
    std::string difference() {
        const std::vector<uint32_t> n = counts.down();
        return differs("counts", n, counts.host) +
               differs("places", places(host.k, scores.down(), neighbors.down(), n),
                       places(host.k, scores.host, neighbors.host, counts.host)) +
               differs("thresholds", thresholds.down(), thresholds.host) +
               differs("limits", limits.down(), limits.host);
    }
};

void try_scores(Rows &rows, Twin<pkin_i_gpu_candidate> &candidates) {
    using Scored = std::vector<std::tuple<uint32_t, uint32_t, uint64_t>>;
    const uint64_t n = candidates.host.size();
    Twin<pkin_pair> pairs(n);
    Twin<uint64_t> n_pairs(1);
    n_pairs.up();
    pkin_i_gpu_score_work work = {}, there;
    work.n_candidates = n;
    work.min_score = pkin_score_from_threshold(0.3);
    there = work;
    work.rows = work.columns = &rows.host, there.rows = there.columns = &rows.device;
    work.candidates = candidates.host.data(), there.candidates = candidates.device;
    work.pairs = pairs.host.data(), there.pairs = pairs.device;
    work.n_pairs = n_pairs.host.data(), there.n_pairs = n_pairs.device;
    expected.score(work);
    begin("score, a join of " + std::to_string(n) + " candidates");
    must(driver->score(queue, &there));
    const uint64_t n_found = n_pairs.down()[0];
    auto list = [](const std::vector<pkin_pair> &all, uint64_t count) {
        Scored scored;
        for (uint64_t p = 0; p < std::min<uint64_t>(count, all.size()); p++) {
            scored.emplace_back(all[p].i, all[p].j, all[p].score);
        }
        std::sort(scored.begin(), scored.end());
        return scored;
    };
    end(list(pairs.down(), n_found) == list(pairs.host, n_pairs.host[0])
            ? ""
            : std::to_string(n_found) + " pairs, expected " + std::to_string(n_pairs.host[0]) + ", or other scores");

    for (uint32_t k : {1u, 10u, 100u}) {
        begin("heaps_begin, k " + std::to_string(k));
        Heaps heaps(k);
        end(heaps.difference());
        work.heaps = &heaps.host, there.heaps = &heaps.device;
        work.pairs = there.pairs = nullptr;
        work.both = there.both = 1;
        expected.score(work);
        begin("score, a top " + std::to_string(k));
        must(driver->score(queue, &there));
        end(heaps.difference());
    }
}

void try_seeds(Corpus &corpus, Rows &rows) {
    Rows sample(corpus, (N_ROWS + 2) / 3, rows.host.dimension, rows.host.coding);
    expected.sample(rows.host, 3, sample.host);
    sample.up();
    const uint32_t n_groups = (sample.host.n_rows + 31) / 32;
    Twin<pkin_i_gpu_candidate> found(size_t(N_ROWS) * n_groups);
    Twin<uint64_t> n_found(1);
    Twin<uint32_t> counts(N_ROWS - 9);
    Twin<int32_t> limits(N_ROWS, 9000);
    n_found.up();
    limits.up();
    pkin_i_gpu_seed_work work = {}, there;
    work.stride = 3;
    work.row_begin = 9, work.row_end = N_ROWS;
    work.group = 32;
    work.within = 1;
    there = work;
    work.rows = &rows.host, there.rows = &rows.device;
    work.sample = &sample.host, there.sample = &sample.device;
    work.found = found.host.data(), there.found = found.device;
    work.n_found = n_found.host.data(), there.n_found = n_found.device;
    expected.seed(work);
    begin(at("seed", rows));
    must(driver->seed(queue, &there));
    const uint64_t n = n_found.down()[0];
    end(differs(sorted(found.down(), n), sorted(found.host, n_found.host[0]), false));
    work.found = there.found = nullptr;
    work.counts = counts.host.data(), there.counts = counts.device;
    work.row_limits = limits.host.data(), there.row_limits = limits.device;
    expected.seed(work);
    begin(at("seed, counting", rows));
    must(driver->seed(queue, &there));
    end(differs("counts", counts.down(), counts.host));
}

void try_exhaust_and_finish(Rows &rows) {
    Heaps heaps(10);
    const uint32_t some[] = {0, 1, 255, 256, 600, 699};
    Twin<uint32_t> listed(some, 6);
    Twin<uint32_t> workspace(size_t(N_COLUMNS) * PKIN_I_GPU_EXHAUST_MOST);
    workspace.up();
    pkin_i_gpu_exhaust_work work = {}, there;
    work.n_listed = 6;
    work.within = 1;
    work.n_columns = N_COLUMNS;
    there = work;
    work.rows = work.columns = &rows.host, there.rows = there.columns = &rows.device;
    work.listed = listed.host.data(), there.listed = listed.device;
    work.workspace = workspace.host.data(), there.workspace = workspace.device;
    work.heaps = &heaps.host, there.heaps = &heaps.device;
    expected.exhaust(work);
    begin("exhaust, 6 rows");
    must(driver->exhaust(queue, &there));
    end(heaps.difference() + differs("workspace", workspace.down(), std::vector<uint32_t>(workspace.host.size())));
    expected.finish(heaps.host, listed.host.data(), 6);
    begin("finish, 6 rows");
    must(driver->finish(queue, &heaps.device, listed.device, 6));
    end(heaps.difference());
}

/* ---- All ---- */

void try_all(const pkin_i_gpu_info &info, const std::string &only) {
    Corpus corpus;
    Twin<uint16_t> buckets(N_COLUMNS);
    for (uint32_t dimension : {128u, 64u, 512u, 1088u}) {
        for (uint32_t c = 0; c < N_COLUMNS; c++) buckets.host[c] = uint16_t((c * 40503u >> 4) % dimension);
        buckets.up();
        for (pkin_i_gpu_coding coding : {PKIN_I_GPU_PLAIN, PKIN_I_GPU_SHIFTED, PKIN_I_GPU_SEVEN}) {
            if (only.empty() || only == "none") try_sketches(corpus, buckets, dimension, coding);
            Rows rows(corpus, N_ROWS, dimension, coding);
            expected.sketch(rows.host, buckets.host.data());
            rows.up();
            for (int f = PKIN_I_GPU_N_FILTERS - 1; f >= 0; f--) {
                const pkin_i_gpu_filter filter = pkin_i_gpu_filter(f);
                if (!info.has_filter[f] || pkin_i_gpu_coding_of(filter) != coding) continue;
                if (only.empty() || only == pkin_i_gpu_filter_name(filter)) try_filters(rows, filter);
            }
            if ((!only.empty() && only != "none") || coding == PKIN_I_GPU_SEVEN) continue;
            try_seeds(corpus, rows);
            if (dimension != 128 || coding != PKIN_I_GPU_PLAIN) continue;
            std::vector<pkin_i_gpu_candidate> some;
            for (uint32_t i = 0; i < N_ROWS; i++) {
                for (uint32_t j = i + 1; j < N_ROWS; j += 1 + (i * 7 + j) % 5) some.push_back({i, j});
            }
            Twin<pkin_i_gpu_candidate> candidates(some.data(), some.size());
            try_scores(rows, candidates);
            try_exhaust_and_finish(rows);
        }
    }
}

} // namespace

int main(int n_words, char **words) {
    std::string only;
    if (n_words == 3 && std::strcmp(words[1], "--filter") == 0) {
        only = words[2];
    } else if (n_words != 1) {
        std::fprintf(stderr, "usage: gpu_kernel_parity [--filter NAME|none]\n");
        return 2;
    }
    int n_devices = 0;
    pkin_i_gpu_info info = {};
    driver = gpu_measured_driver;
    if (driver->count(&n_devices) != PKIN_OK || n_devices == 0 || driver->info(0, &info) != PKIN_OK) {
        std::printf("skipped: no device: %s\n", pkin_last_error());
        return 77;
    }
    must(driver->open(0, &gpu));
    must(driver->queue_open(gpu, &queue));
    try_all(info, only);
    driver->queue_close(queue);
    driver->close(gpu);
    std::printf("gpu_kernel_parity: %d kernels on %s, %d wrong\n", n_done, info.name, n_wrong);
    return n_wrong ? 1 : 0;
}
