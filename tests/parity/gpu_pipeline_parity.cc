/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline on a device when everything is scarce: few rows at a time on the device (as where a corpus is larger
 * than its memory), buffers that candidates run over, items of a few tiles, strips; joins and top-k against every pair
 * scored one by one, in every filter that the device has. What gpu_parity cannot force through the public interface.
 *
 * usage: gpu_pipeline_parity [--quick] [--least] [--filter NAME]
 *
 *   --quick   fewer rows, one dimension
 *   --least   the same in the scarcest way alone: for compute-sanitizer, every kernel of a join and a top-k
 *
 * A line for each way. Exit status: 0 all equal, 1 a difference or an error, 2 misuse, 77 no device.
 */
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <ostream>
#include <string>

#include "gpu_driver.h"
#include "paperkin/generate.h"
#include "support/similarity_oracle.h"

extern "C" {
#include "kernels/gpu_engine.h"
#include "similarity/neighbor_heaps.h"
}

namespace {

struct Rows {
    pkin_vectors *vectors = nullptr;
    Rows(uint64_t n_rows, uint64_t seed) {
        pkin_generate_options options = pkin_generate_options_default();
        options.n_rows = n_rows;
        options.n_columns = 1500;
        options.mean_terms = 30;
        options.near_copy_share = 0.1;
        options.seed = seed;
        if (pkin_vectors_generate(&options, &vectors) != PKIN_OK) std::fprintf(stderr, "%s\n", pkin_last_error());
    }
    ~Rows() {
        pkin_vectors_free(vectors);
    }
    Rows(const Rows &) = delete;
    Rows &operator=(const Rows &) = delete;
};

const char *const SCARCEST = "all of it, most rows exhausted";

/* How scarce things are. */
struct Way {
    const char *name;
    pkin_i_gpu_tuning tuning;
};

std::vector<Way> ways() {
    std::vector<Way> all;
    pkin_i_gpu_tuning plenty = {};
    all.push_back({"plenty", plenty});
    pkin_i_gpu_tuning shards = {};
    shards.shard_rows = 256;
    shards.shard_slots = 2;
    all.push_back({"two shards at a time", shards});
    shards.shard_rows = 512;
    shards.shard_slots = 3;
    shards.item_pairs = 1 << 17;
    all.push_back({"three shards, small items", shards});
    pkin_i_gpu_tuning buffers = {};
    buffers.capacity = 1 << 16;
    buffers.pairs_room = 1000;
    all.push_back({"small buffers", buffers});
    buffers.shard_rows = 256;
    buffers.shard_slots = 2;
    buffers.item_pairs = 1 << 16;
    buffers.seed_group = 32;
    buffers.seed_groups = 4;
    buffers.exhaust_candidates = 20;
    all.push_back({SCARCEST, buffers});
    pkin_i_gpu_tuning seeds = {};
    seeds.seed_group = 64;
    seeds.seed_groups = 1;
    seeds.exhaust_candidates = 1e18;
    all.push_back({"hardly a seed, no row exhausted", seeds});
    return all;
}

class Session {
  public:
    Session(const pkin_vectors *a, const pkin_vectors *b, int filter, uint32_t dimension,
            const pkin_i_gpu_tuning &tuning) {
        plan_.method = PKIN_I_METHOD_SKETCH;
        plan_.filter = (uint32_t)filter;
        plan_.dimension = dimension;
        plan_.strip_rows = UINT64_MAX;
        task_.a = a;
        task_.b = b;
        task_.n_threads = 4;
        task_.outcome = &outcome;
        task_.n_pairs_total = pkin_i_task_pairs(&task_, 0, b ? b->n_rows : a->n_rows);
        status = pkin_i_gpu_open(gpu_measured_driver, &task_, &plan_, &tuning, &opened_);
    }
    ~Session() {
        pkin_i_gpu_close(opened_);
    }
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    std::vector<Scored> join(uint64_t min_score, bool strips) {
        const uint64_t n = task_.b ? task_.b->n_rows : task_.a->n_rows, middle = strips ? n / 3 : n;
        std::vector<Scored> pairs;
        pkin_i_pair_sink *sink = nullptr;
        pkin_pair_list list = {};
        if (status == PKIN_OK) status = pkin_i_pair_sink_open(&sink);
        if (status == PKIN_OK) status = pkin_i_gpu_join(opened_, 0, middle, min_score, sink);
        if (status == PKIN_OK && strips) status = pkin_i_gpu_join(opened_, middle, n, min_score, sink);
        if (sink) pkin_i_pair_sink_take(sink, &list);
        for (uint64_t p = 0; p < list.n_pairs; p++) {
            pairs.push_back({list.pairs[p].score, list.pairs[p].i, list.pairs[p].j});
        }
        pkin_pair_list_free(&list);
        pkin_i_pair_sink_close(sink);
        std::sort(pairs.begin(), pairs.end());
        return pairs;
    }

    std::vector<Scored> top_k(uint32_t k, uint64_t min_score) {
        const uint64_t n = task_.a->n_rows;
        std::vector<pkin_neighbor> neighbors(n * k);
        std::vector<uint32_t> counts(n);
        std::vector<Scored> all;
        pkin_i_neighbor_heaps heaps = {};
        if (status != PKIN_OK) return all;
        status = pkin_i_neighbor_heaps_open(n, k, min_score, neighbors.data(), counts.data(), &heaps);
        if (status == PKIN_OK) status = pkin_i_gpu_top_k(opened_, &heaps);
        if (status == PKIN_OK) pkin_i_neighbor_heaps_sort(&heaps, 1);
        pkin_i_neighbor_heaps_close(&heaps);
        for (uint32_t r = 0; r < n && status == PKIN_OK; r++) {
            for (uint32_t at = 0; at < counts[r]; at++) {
                all.push_back({neighbors[r * k + at].score, r, neighbors[r * k + at].row});
            }
        }
        return all;
    }

    pkin_status status = PKIN_OK;
    pkin_i_outcome outcome = {};

  private:
    pkin_i_plan plan_ = {};
    pkin_i_task task_ = {};
    void *opened_ = nullptr;
};

/* One corpus with its true answers. */
struct Corpus {
    const char *name;
    const pkin_vectors *a, *b;
    std::vector<std::pair<double, std::vector<Scored>>> joins;
    std::vector<std::pair<uint32_t, std::vector<Scored>>> tops;

    Corpus(const char *what, const pkin_vectors *x, const pkin_vectors *y) : name(what), a(x), b(y) {
        for (double t : {0.5, 0.1, 0.01}) joins.emplace_back(t, oracle_join(a, b, pkin_score_from_threshold(t)));
        for (uint32_t k : {1u, 10u}) tops.emplace_back(k, oracle_top_k(a, b, k, 1));
    }
};

int tell(const char *what, double value, const Session &session, const std::vector<Scored> &found,
         const std::vector<Scored> &wanted) {
    if (session.status != PKIN_OK) {
        std::printf("      %s %g: %s\n", what, value, pkin_last_error());
    } else if (found != wanted) {
        size_t at = 0;
        while (at < found.size() && at < wanted.size() && found[at] == wanted[at]) at++;
        std::printf("      %s %g: %zu results, %zu expected; number %zu differs\n", what, value, found.size(),
                    wanted.size(), at);
    } else {
        return 0;
    }
    return 1;
}

/* How many answers are wrong. */
int compare(const Corpus &corpus, const Way &way, int filter, uint32_t dimension) {
    int n_wrong = 0;
    uint64_t n_results = 0, n_splits = 0;
    for (size_t t = 0; t < corpus.joins.size(); t++) {
        Session session(corpus.a, corpus.b, filter, dimension, way.tuning);
        std::vector<Scored> found = session.join(pkin_score_from_threshold(corpus.joins[t].first), t == 1);
        n_wrong += tell("join at", corpus.joins[t].first, session, found, corpus.joins[t].second);
        n_results += found.size();
        n_splits += session.outcome.n_splits;
    }
    for (size_t t = 0; t < corpus.tops.size() && filter != PKIN_I_GPU_FILTER_GEMM8; t++) {
        Session session(corpus.a, corpus.b, filter, dimension, way.tuning);
        std::vector<Scored> found = session.top_k(corpus.tops[t].first, 1);
        n_wrong += tell("top", corpus.tops[t].first, session, found, corpus.tops[t].second);
        n_results += found.size();
        n_splits += session.outcome.n_splits;
    }
    std::printf("%s  %-12s %-32s %-7s d %4" PRIu32 ": %8" PRIu64 " results, %5" PRIu64 " splits\n",
                n_wrong ? "FAIL" : "ok  ", corpus.name, way.name, pkin_i_gpu_filter_name((pkin_i_gpu_filter)filter),
                dimension, n_results, n_splits);
    std::fflush(stdout);
    return n_wrong;
}

} // namespace

int main(int n_words, char **words) {
    bool quick = false, least = false;
    std::string only;
    for (int w = 1; w < n_words; w++) {
        if (std::strcmp(words[w], "--quick") == 0) {
            quick = true;
        } else if (std::strcmp(words[w], "--least") == 0) {
            quick = least = true;
        } else if (std::strcmp(words[w], "--filter") == 0 && w + 1 < n_words) {
            only = words[++w];
        } else {
            std::fprintf(stderr, "gpu_pipeline_parity: %s?\n", words[w]);
            return 2;
        }
    }
    int n_devices = 0, n_lines = 0, n_wrong = 0;
    pkin_i_gpu_info info = {};
    if (gpu_measured_driver->count(&n_devices) != PKIN_OK || n_devices == 0 ||
        gpu_measured_driver->info(0, &info) != PKIN_OK) {
        std::printf("skipped: no device: %s\n", pkin_last_error());
        return 77;
    }
    Rows within(quick ? 600 : 1500, 1), left(quick ? 130 : 400, 2), right(quick ? 520 : 1100, 3);
    const Corpus corpora[] = {{"within", within.vectors, nullptr}, {"rectangle", left.vectors, right.vectors}};
    for (int filter = 0; filter < PKIN_I_GPU_N_FILTERS; filter++) {
        if (!info.has_filter[filter]) continue;
        if (!only.empty() && only != pkin_i_gpu_filter_name((pkin_i_gpu_filter)filter)) continue;
        for (uint32_t dimension : quick ? std::vector<uint32_t>{128} : std::vector<uint32_t>{64, 320, 1088}) {
            for (const Corpus &corpus : corpora) {
                for (const Way &way : ways()) {
                    if (least && std::strcmp(way.name, SCARCEST) != 0) continue;
                    n_wrong += compare(corpus, way, filter, dimension);
                    n_lines++;
                }
            }
        }
    }
    std::printf("gpu_pipeline_parity: %d ways on %s, %d answers wrong\n", n_lines, info.name, n_wrong);
    return n_wrong || n_lines == 0 ? 1 : 0;
}
