/* SPDX-License-Identifier: Apache-2.0 */
#include "support/host_device.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
#include "base/failure.h"
}

namespace {

/* ---- Kernels, the plain way ---- */

uint64_t round_up(uint64_t n, uint64_t step) {
    return (n + step - 1) / step * step;
}

uint8_t coded(pkin_i_gpu_coding coding, uint8_t q) {
    return coding == PKIN_I_GPU_SHIFTED ? static_cast<uint8_t>(q ^ 0x80) : q;
}

/* The smallest q with q^2 * 2^60 >= scale^2 * squares. */
uint8_t quantised(uint64_t squares, uint64_t scale) {
    uint64_t q = 0;
    while (static_cast<unsigned __int128>(q * q) << 60 < static_cast<unsigned __int128>(squares) * (scale * scale)) q++;
    return static_cast<uint8_t>(q);
}

void sketch(const pkin_i_gpu_rows &rows, const uint16_t *buckets) {
    const uint64_t n_places = round_up(rows.n_rows, PKIN_I_GPU_ROWS_STEP),
                   scale = rows.coding == PKIN_I_GPU_SEVEN ? 127 : 255;
    std::memset(rows.sketches, coded(rows.coding, 0), n_places * rows.dimension);
    if (rows.sums) std::memset(rows.sums, 0, n_places * sizeof *rows.sums);
    std::vector<uint64_t> squares(rows.dimension);
    for (uint64_t r = 0; r < rows.n_rows; r++) {
        std::fill(squares.begin(), squares.end(), 0);
        for (uint64_t e = rows.offsets[r]; e < rows.offsets[r + 1]; e++) {
            squares[buckets[rows.columns[e]]] += uint64_t(rows.weights[e]) * rows.weights[e];
        }
        for (uint32_t b = 0; b < rows.dimension; b++) {
            if (squares[b] == 0) continue;
            const uint8_t q = quantised(squares[b], scale);
            rows.sketches[r * rows.dimension + b] = coded(rows.coding, q);
            if (rows.sums) rows.sums[r] += q;
        }
    }
}

void sample(const pkin_i_gpu_rows &rows, uint64_t stride, const pkin_i_gpu_rows &out) {
    const uint64_t n_places = round_up(out.n_rows, PKIN_I_GPU_ROWS_STEP);
    std::memset(out.sketches, coded(out.coding, 0), n_places * out.dimension);
    if (out.sums) std::memset(out.sums, 0, n_places * sizeof *out.sums);
    for (uint64_t s = 0; s < out.n_rows; s++) {
        std::memcpy(out.sketches + s * out.dimension, rows.sketches + s * stride * rows.dimension, rows.dimension);
        if (out.sums) out.sums[s] = rows.sums[s * stride];
    }
}

/* The one loop that takes time: made fast also where all else is watched over. */
#ifdef __clang__
#define PKIN_FAST __attribute__((no_sanitize("address", "undefined")))
#else
#define PKIN_FAST __attribute__((no_sanitize("address", "undefined"), optimize("O3")))
#endif
PKIN_FAST int32_t dot(const int16_t *x, const int16_t *y, uint32_t n) {
    int32_t sum = 0;
    for (uint32_t k = 0; k < n; k++) sum += int32_t(x[k]) * int32_t(y[k]);
    return sum;
}

/* q of rows [begin, end) of a shard, whatever the coding. */
std::vector<int16_t> decoded(const pkin_i_gpu_rows &rows, uint64_t begin, uint64_t end) {
    const uint8_t flip = rows.coding == PKIN_I_GPU_SHIFTED ? 0x80 : 0;
    std::vector<int16_t> values((end - begin) * rows.dimension);
    const uint8_t *bytes = rows.sketches + begin * rows.dimension;
    for (size_t k = 0; k < values.size(); k++) values[k] = uint8_t(bytes[k] ^ flip);
    return values;
}

/* gemm8's products are rounded: a little below the limit they pass, too. */
bool passes(pkin_i_gpu_filter filter, int32_t product, int32_t limit) {
    if (filter == PKIN_I_GPU_FILTER_GEMM8) return int64_t(product) * 252 >= int64_t(limit) * 249;
    return product >= limit;
}

void append(pkin_i_gpu_candidate *found, uint64_t capacity, uint64_t *n_found, pkin_i_gpu_candidate candidate) {
    if (*n_found < capacity) found[*n_found] = candidate;
    ++*n_found;
}

void filter(const pkin_i_gpu_filter_work &work) {
    const uint32_t d = work.rows->dimension;
    const std::vector<int16_t> x = decoded(*work.rows, work.row_begin, work.row_end),
                               y = decoded(*work.columns, work.column_begin, work.column_end);
    for (uint64_t r = work.row_begin; r < work.row_end; r++) {
        const uint64_t i = work.rows->first + r;
        for (uint64_t c = work.column_begin; c < work.column_end; c++) {
            const uint64_t j = work.columns->first + c;
            if (work.within && i >= j) continue;
            int32_t limit = work.row_limits ? work.row_limits[i] : work.limit;
            if (work.row_limits && work.column_limits) limit = std::min(limit, work.column_limits[j]);
            const int32_t product = dot(x.data() + (r - work.row_begin) * d, y.data() + (c - work.column_begin) * d, d);
            if (!passes(work.filter, product, limit)) continue;
            append(work.found, work.capacity, work.n_found, {uint32_t(i), uint32_t(j)});
        }
    }
}

uint64_t exact_score(const pkin_i_gpu_rows &a, uint64_t i, const pkin_i_gpu_rows &b, uint64_t j) {
    uint64_t x = a.offsets[i], y = b.offsets[j], score = 0;
    while (x < a.offsets[i + 1] && y < b.offsets[j + 1]) {
        if (a.columns[x] == b.columns[y]) score += uint64_t(a.weights[x]) * b.weights[y];
        const uint32_t column_x = a.columns[x], column_y = b.columns[y];
        x += column_x <= column_y;
        y += column_y <= column_x;
    }
    return score;
}

/* A heap is a list that is searched: for its worst, and for who is offered. */
void offer(const pkin_i_gpu_heaps &heaps, uint64_t row, uint32_t neighbor, uint64_t score) {
    if (score == 0 || score < heaps.thresholds[row] || heaps.thresholds[row] == UINT64_MAX) return;
    uint64_t *scores = heaps.scores + row * heaps.k;
    uint32_t *neighbors = heaps.neighbors + row * heaps.k, count = heaps.counts[row];
    if (std::find(neighbors, neighbors + count, neighbor) != neighbors + count) return;
    auto worst = [&] {
        uint32_t at = 0;
        for (uint32_t p = 1; p < heaps.counts[row]; p++) {
            if (scores[p] < scores[at] || (scores[p] == scores[at] && neighbors[p] > neighbors[at])) at = p;
        }
        return at;
    };
    uint32_t place = count;
    if (count < heaps.k) {
        heaps.counts[row]++;
    } else {
        place = worst();
        if (score < scores[place] || (score == scores[place] && neighbor > neighbors[place])) return;
    }
    scores[place] = score;
    neighbors[place] = neighbor;
    if (heaps.counts[row] < heaps.k) return;
    heaps.thresholds[row] = std::max(heaps.thresholds[row], scores[worst()]);
    heaps.limits[row] = pkin_i_gpu_limit(heaps.coding, heaps.thresholds[row]);
}

void score(const pkin_i_gpu_score_work &work) {
    for (uint64_t c = 0; c < work.n_candidates; c++) {
        const pkin_i_gpu_candidate pair = work.candidates[c];
        const uint64_t value =
            exact_score(*work.rows, pair.i - work.rows->first, *work.columns, pair.j - work.columns->first);
        if (work.heaps) {
            offer(*work.heaps, pair.i, pair.j, value);
            if (work.both) offer(*work.heaps, pair.j, pair.i, value);
        } else if (value >= work.min_score) {
            work.pairs[(*work.n_pairs)++] = {value, pair.i, pair.j};
        }
    }
}

void heaps_begin(const pkin_i_gpu_heaps &heaps, uint64_t min_score) {
    for (uint64_t r = 0; r < heaps.n_rows; r++) {
        heaps.counts[r] = 0;
        heaps.thresholds[r] = min_score;
        heaps.limits[r] = pkin_i_gpu_limit(heaps.coding, min_score);
        heaps.locks[r] = 0;
    }
}

void seed_row(const pkin_i_gpu_seed_work &work, uint64_t row, const std::vector<int16_t> &sampled) {
    const uint64_t i = work.rows->first + row;
    const uint32_t d = work.rows->dimension;
    const std::vector<int16_t> x = decoded(*work.rows, row, row + 1);
    if (work.counts) work.counts[row - work.row_begin] = 0;
    for (uint64_t begin = 0; begin < work.sample->n_rows; begin += work.group) {
        const uint64_t end = std::min<uint64_t>(work.sample->n_rows, begin + work.group);
        int32_t best = 0;
        uint64_t best_j = 0;
        for (uint64_t s = begin; s < end; s++) {
            const uint64_t j = work.sample->first + s * work.stride;
            if (work.within && i == j) continue;
            const int32_t value = dot(x.data(), sampled.data() + s * d, d);
            if (work.counts && value >= work.row_limits[i]) work.counts[row - work.row_begin]++;
            if (value > best) {
                best = value;
                best_j = j;
            }
        }
        if (work.found && best > 0) work.found[(*work.n_found)++] = {uint32_t(i), uint32_t(best_j)};
    }
}

void seed(const pkin_i_gpu_seed_work &work) {
    const std::vector<int16_t> sampled = decoded(*work.sample, 0, work.sample->n_rows);
    for (uint64_t r = work.row_begin; r < work.row_end; r++) seed_row(work, r, sampled);
}

void exhaust(const pkin_i_gpu_exhaust_work &work) {
    for (uint32_t l = 0; l < work.n_listed; l++) {
        const uint64_t i = work.rows->first + work.listed[l];
        for (uint64_t c = 0; c < work.columns->n_rows; c++) {
            const uint64_t j = work.columns->first + c;
            if (work.within && i == j) continue;
            offer(*work.heaps, i, uint32_t(j), exact_score(*work.rows, work.listed[l], *work.columns, c));
        }
    }
}

void finish(const pkin_i_gpu_heaps &heaps, const uint32_t *listed, uint32_t n_listed) {
    for (uint32_t l = 0; l < n_listed; l++) {
        heaps.thresholds[listed[l]] = UINT64_MAX;
        heaps.limits[listed[l]] = INT32_MAX;
    }
}

HostDevices *current = nullptr;

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

} // namespace

HostKernels host_kernels() {
    return {sketch, sample, filter, score, heaps_begin, seed, exhaust, finish};
}

/* ---- The devices ---- */

HostDevices::HostDevices(const HostDeviceOptions &options) : options_(options) {
    if (current) std::abort();
    current = this;
}

HostDevices::~HostDevices() {
    current = nullptr;
}

void HostDevices::fault(const std::string &what) {
    std::lock_guard<std::mutex> guard(lock);
    if (faults_.size() < 20) faults_.push_back(what);
}

std::string HostDevices::faults() {
    std::lock_guard<std::mutex> guard(lock);
    std::string all;
    for (const std::string &line : faults_) all += line + "\n";
    for (const auto &entry : blocks) {
        all += std::to_string(entry.second.n_bytes) + " bytes were never released\n";
    }
    if (n_open > 0) all += std::to_string(n_open) + " devices or queues were never closed\n";
    return all;
}

long HostDevices::n_calls(const std::string &what) const {
    std::lock_guard<std::mutex> guard(lock);
    auto found = calls_.find(what);
    return found == calls_.end() ? 0 : found->second;
}

long HostDevices::n_calls() const {
    std::lock_guard<std::mutex> guard(lock);
    return n_fallible_;
}

uint64_t HostDevices::most_held() const {
    std::lock_guard<std::mutex> guard(lock);
    return most_held_;
}

/* Every call that can fail begins here. */
pkin_status HostDevices::enter(pkin_i_gpu *gpu, const char *what, pkin_status failure, bool is_work) {
    if (options_.on_call) options_.on_call(what);
    std::lock_guard<std::mutex> guard(lock);
    calls_[what]++;
    const bool fails = n_fallible_++ == options_.fail_at;
    if (gpu && gpu->broken != PKIN_OK) return pkin_i_fail(gpu->broken, "host device %d: it is broken", gpu->index);
    if (gpu && gpu->late != PKIN_OK) {
        const pkin_status late = gpu->late;
        gpu->late = PKIN_OK;
        if (options_.stays_broken) gpu->broken = late;
        return pkin_i_fail(late, "host device %d: something failed before %s", gpu->index, what);
    }
    if (!fails) return PKIN_OK;
    if (gpu && is_work && options_.tell_late) {
        gpu->late = failure;
        return PKIN_OK;
    }
    if (gpu && is_work && options_.stays_broken) gpu->broken = failure;
    return pkin_i_fail(failure, "host device %d: %s was made to fail", gpu ? gpu->index : -1, what);
}

bool HostDevices::holds(const pkin_i_gpu *gpu, const void *at, uint64_t n_bytes, const char *what) {
    const uintptr_t begin = reinterpret_cast<uintptr_t>(at);
    if (n_bytes == 0) return true;
    {
        std::lock_guard<std::mutex> guard(lock);
        auto next = blocks.upper_bound(begin);
        if (next != blocks.begin()) {
            const auto &block = *--next;
            if (block.second.gpu == gpu && !block.second.is_host && begin - block.first <= block.second.n_bytes &&
                n_bytes <= block.second.n_bytes - (begin - block.first)) {
                return true;
            }
        }
    }
    fault(std::string(what) + ": " + std::to_string(n_bytes) + " bytes that are not all memory of the device");
    return false;
}

/* Work runs in its queue's order, one piece at a time on a device. */
void HostDevices::run_all(pkin_i_gpu_queue *queue) {
    std::lock_guard<std::recursive_mutex> guard(queue->gpu->running);
    for (size_t w = 0; w < queue->work.size(); w++) queue->work[w]();
    queue->work.clear();
}

pkin_status HostDevices::put(pkin_i_gpu_queue *queue, const char *what, double amount, std::function<void()> work) {
    auto timed = [this, queue, what = std::string(what), amount, work] {
        const double begin = seconds_now();
        work();
        queue->clock += options_.cost ? options_.cost(queue->gpu->index, what, amount) : seconds_now() - begin;
    };
    {
        std::lock_guard<std::recursive_mutex> guard(queue->gpu->running);
        queue->work.push_back(timed);
    }
    if (!options_.defer) run_all(queue);
    return PKIN_OK;
}

const pkin_i_gpu_driver *HostDevices::driver() const {
    extern const pkin_i_gpu_driver host_device_driver;
    return &host_device_driver;
}

/* ---- The driver ---- */

namespace {

/* While a thread is in a queue no other one may be. */
struct Inside {
    pkin_i_gpu_queue *queue;
    explicit Inside(pkin_i_gpu_queue *entered) : queue(entered) {
        if (queue->n_inside++ != 0) current->fault("two threads were in a queue at once");
    }
    ~Inside() {
        queue->n_inside--;
    }
};

pkin_status count(int *out) {
    const pkin_status status = current->enter(nullptr, "count", PKIN_ERROR_UNSUPPORTED, false);
    if (status == PKIN_OK) *out = current->options().n_devices;
    return status;
}

pkin_status info(int index, pkin_i_gpu_info *out) {
    const HostDeviceOptions &options = current->options();
    const pkin_status status = current->enter(nullptr, "info", PKIN_ERROR_UNSUPPORTED, false);
    if (status != PKIN_OK) return status;
    if (index < 0 || index >= options.n_devices) current->fault("info of a device that is not there");
    for (int unusable : options.unusable) {
        if (unusable == index) return pkin_i_fail(PKIN_ERROR_UNSUPPORTED, "host device %d is too old", index);
    }
    *out = {};
    out->index = index;
    std::snprintf(out->name, sizeof out->name, "host device %d", index);
    std::snprintf(out->uuid, sizeof out->uuid, "host-%d", index);
    out->major = 9;
    out->n_processors = 2;
    out->memory_bytes = options.memory_bytes;
    out->driver_version = out->runtime_version = 13000;
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        out->has_filter[f] = !options.lacks[f];
        if (options.lacks[f]) std::snprintf(out->missing[f], sizeof out->missing[f], "left out of this test");
    }
    return PKIN_OK;
}

pkin_status open_device(int index, pkin_i_gpu **out) {
    const pkin_status status = current->enter(nullptr, "open", PKIN_ERROR_DEVICE, false);
    *out = nullptr;
    if (status != PKIN_OK) return status;
    pkin_i_gpu *gpu = new pkin_i_gpu;
    gpu->owner = current;
    gpu->index = index;
    std::lock_guard<std::mutex> guard(current->lock);
    current->n_open++;
    *out = gpu;
    return PKIN_OK;
}

void close_device(pkin_i_gpu *gpu) {
    if (!gpu) return;
    if (gpu->held || !gpu->queues.empty()) current->fault("a device was closed before its memory and queues");
    {
        std::lock_guard<std::mutex> guard(current->lock);
        current->n_open--;
    }
    delete gpu;
}

pkin_status free_memory(pkin_i_gpu *gpu, uint64_t *out) {
    const pkin_status status = current->enter(gpu, "free_memory", PKIN_ERROR_DEVICE, false);
    if (status != PKIN_OK) return status;
    std::lock_guard<std::mutex> guard(current->lock);
    *out = current->options().memory_bytes - gpu->held;
    return PKIN_OK;
}

void run_queues(pkin_i_gpu *gpu) {
    std::lock_guard<std::recursive_mutex> guard(gpu->running);
    for (pkin_i_gpu_queue *queue : gpu->queues) current->run_all(queue);
}

pkin_status give_block(pkin_i_gpu *gpu, uint64_t n_bytes, bool is_host, void *out) {
    const uint64_t rounded = round_up(std::max<uint64_t>(n_bytes, 1), 1024);
    unsigned char *memory = static_cast<unsigned char *>(std::aligned_alloc(1024, rounded));
    if (!memory) return pkin_i_fail(PKIN_ERROR_OUT_OF_MEMORY, "host device: the host has no memory");
    std::memset(memory, 0xA5, rounded);
    std::lock_guard<std::mutex> guard(current->lock);
    /* What lies behind the bytes asked for is nobody's. */
    current->blocks.emplace(reinterpret_cast<uintptr_t>(memory),
                            HostDevices::Block{{memory, std::free}, n_bytes, gpu, is_host});
    *static_cast<void **>(out) = memory;
    return PKIN_OK;
}

pkin_status allocate(pkin_i_gpu *gpu, uint64_t n_bytes, void *out) {
    *static_cast<void **>(out) = nullptr;
    pkin_status status = current->enter(gpu, "allocate", PKIN_ERROR_OUT_OF_MEMORY, false);
    if (status != PKIN_OK) return status;
    if (n_bytes == 0) current->fault("no bytes were asked for");
    {
        std::lock_guard<std::mutex> guard(current->lock);
        const uint64_t most = current->options().memory_bytes;
        if (n_bytes > most - gpu->held) {
            return pkin_i_fail(PKIN_ERROR_OUT_OF_MEMORY, "host device %d: %llu bytes asked for, %llu there", gpu->index,
                               (unsigned long long)n_bytes, (unsigned long long)(most - gpu->held));
        }
        gpu->held += n_bytes;
        current->note_held(gpu->held);
    }
    status = give_block(gpu, n_bytes, false, out);
    std::lock_guard<std::mutex> guard(current->lock);
    if (status != PKIN_OK) gpu->held -= n_bytes;
    return status;
}

pkin_status allocate_host(pkin_i_gpu *gpu, uint64_t n_bytes, void *out) {
    *static_cast<void **>(out) = nullptr;
    const pkin_status status = current->enter(gpu, "allocate_host", PKIN_ERROR_OUT_OF_MEMORY, false);
    return status == PKIN_OK ? give_block(gpu, n_bytes, true, out) : status;
}

void take_back(pkin_i_gpu *gpu, void *memory, bool is_host) {
    if (!memory) return;
    run_queues(gpu);
    std::string wrong;
    {
        std::lock_guard<std::mutex> guard(current->lock);
        auto found = current->blocks.find(reinterpret_cast<uintptr_t>(memory));
        if (found == current->blocks.end() || found->second.gpu != gpu || found->second.is_host != is_host) {
            wrong = "memory was released that is not the device's";
        } else {
            if (!is_host) gpu->held -= found->second.n_bytes;
            current->blocks.erase(found);
        }
    }
    if (!wrong.empty()) current->fault(wrong);
}

void release(pkin_i_gpu *gpu, void *memory) {
    take_back(gpu, memory, false);
}

void release_host(pkin_i_gpu *gpu, void *memory) {
    take_back(gpu, memory, true);
}

pkin_status queue_open(pkin_i_gpu *gpu, pkin_i_gpu_queue **out) {
    *out = nullptr;
    const pkin_status status = current->enter(gpu, "queue_open", PKIN_ERROR_DEVICE, false);
    if (status != PKIN_OK) return status;
    pkin_i_gpu_queue *queue = new pkin_i_gpu_queue;
    queue->gpu = gpu;
    {
        std::lock_guard<std::recursive_mutex> guard(gpu->running);
        gpu->queues.push_back(queue);
    }
    std::lock_guard<std::mutex> guard(current->lock);
    current->n_open++;
    *out = queue;
    return PKIN_OK;
}

void queue_close(pkin_i_gpu_queue *queue) {
    if (!queue) return;
    current->run_all(queue);
    {
        std::lock_guard<std::recursive_mutex> guard(queue->gpu->running);
        auto &queues = queue->gpu->queues;
        queues.erase(std::find(queues.begin(), queues.end(), queue));
    }
    {
        std::lock_guard<std::mutex> guard(current->lock);
        current->n_open--;
    }
    delete queue;
}

bool is_pinned(const void *host) {
    std::lock_guard<std::mutex> guard(current->lock);
    auto next = current->blocks.upper_bound(reinterpret_cast<uintptr_t>(host));
    if (next == current->blocks.begin()) return false;
    const auto &block = *--next;
    return block.second.is_host && reinterpret_cast<uintptr_t>(host) - block.first < block.second.n_bytes;
}

pkin_status copy_up(pkin_i_gpu_queue *queue, void *device, const void *host, uint64_t n_bytes) {
    Inside inside(queue);
    const pkin_status status = current->enter(queue->gpu, "copy_up", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK || !current->holds(queue->gpu, device, n_bytes, "copy_up")) return status;
    if (is_pinned(host)) {
        return current->put(queue, "up", double(n_bytes), [=] { std::memcpy(device, host, n_bytes); });
    }
    const unsigned char *bytes = static_cast<const unsigned char *>(host);
    auto copy = std::make_shared<std::vector<unsigned char>>(bytes, bytes + n_bytes);
    return current->put(queue, "up", double(n_bytes), [=] {
        if (n_bytes) std::memcpy(device, copy->data(), n_bytes);
    });
}

pkin_status copy_down(pkin_i_gpu_queue *queue, void *host, const void *device, uint64_t n_bytes) {
    Inside inside(queue);
    const pkin_status status = current->enter(queue->gpu, "copy_down", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK || !current->holds(queue->gpu, device, n_bytes, "copy_down")) return status;
    return current->put(queue, "down", double(n_bytes), [=] {
        if (n_bytes) std::memcpy(host, device, n_bytes);
    });
}

pkin_status fill(pkin_i_gpu_queue *queue, void *device, int byte, uint64_t n_bytes) {
    Inside inside(queue);
    const pkin_status status = current->enter(queue->gpu, "fill", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK || !current->holds(queue->gpu, device, n_bytes, "fill")) return status;
    return current->put(queue, "fill", double(n_bytes), [=] {
        if (n_bytes) std::memset(device, byte, n_bytes);
    });
}

pkin_status wait_queue(pkin_i_gpu_queue *queue) {
    Inside inside(queue);
    const pkin_status status = current->enter(queue->gpu, "wait", PKIN_ERROR_DEVICE, false);
    current->run_all(queue);
    return status;
}

pkin_status mark(pkin_i_gpu_queue *queue, int n) {
    Inside inside(queue);
    const pkin_status status = current->enter(queue->gpu, "mark", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK) return status;
    if (n < 0 || n > 1) {
        current->fault("there are two marks");
        return status;
    }
    queue->is_marked[n] = true;
    return current->put(queue, "mark", 0, [=] { queue->marks[n] = queue->clock; });
}

pkin_status seconds_between_marks(pkin_i_gpu_queue *queue, double *out) {
    Inside inside(queue);
    const pkin_status status = current->enter(queue->gpu, "seconds_between_marks", PKIN_ERROR_DEVICE, false);
    if (status != PKIN_OK) return status;
    if (!queue->is_marked[0] || !queue->is_marked[1]) current->fault("marks were asked for that were not set");
    current->run_all(queue);
    *out = queue->marks[1] - queue->marks[0];
    return PKIN_OK;
}

uint64_t workspace_bytes(const pkin_i_gpu *, pkin_i_gpu_filter filter) {
    const bool needs = filter == PKIN_I_GPU_FILTER_GEMM8 || filter == PKIN_I_GPU_FILTER_GEMM32;
    return needs ? current->options().workspace_bytes : 0;
}

/* ---- Kernels: arguments are looked at when they are put in, and copied ---- */

uint64_t places(const pkin_i_gpu_rows &rows) {
    return round_up(rows.n_rows, PKIN_I_GPU_ROWS_STEP);
}

bool require(bool condition, const char *what) {
    if (!condition) current->fault(what);
    return condition;
}

bool sketches_are_fine(pkin_i_gpu *gpu, const pkin_i_gpu_rows &rows) {
    return require(rows.dimension > 0 && rows.dimension % PKIN_I_DIMENSION_STEP == 0, "a wrong dimension") &&
           require(reinterpret_cast<uintptr_t>(rows.sketches) % 1024 == 0, "sketches are not aligned") &&
           require((rows.sums != nullptr) == (rows.coding == PKIN_I_GPU_SHIFTED), "sums do not go with the coding") &&
           current->holds(gpu, rows.sketches, places(rows) * rows.dimension, "sketches") &&
           (!rows.sums || current->holds(gpu, rows.sums, places(rows) * sizeof *rows.sums, "sums"));
}

bool entries_are_fine(pkin_i_gpu *gpu, const pkin_i_gpu_rows &rows) {
    return current->holds(gpu, rows.offsets, (uint64_t(rows.n_rows) + 1) * sizeof *rows.offsets, "offsets");
}

/* Offsets are known when the work runs: only then the entries can be looked for. */
bool entries_are_there(pkin_i_gpu *gpu, const pkin_i_gpu_rows &rows) {
    const uint64_t n = rows.offsets[rows.n_rows];
    return require(rows.offsets[0] == 0, "offsets do not begin with 0") &&
           current->holds(gpu, rows.columns, n * sizeof *rows.columns, "columns") &&
           current->holds(gpu, rows.weights, n * sizeof *rows.weights, "weights");
}

bool heaps_are_fine(pkin_i_gpu *gpu, const pkin_i_gpu_heaps &heaps) {
    const uint64_t n = heaps.n_rows, nk = n * heaps.k;
    return require(heaps.k > 0, "heaps for nothing") && current->holds(gpu, heaps.scores, nk * 8, "heaps") &&
           current->holds(gpu, heaps.neighbors, nk * 4, "heaps") && current->holds(gpu, heaps.counts, n * 4, "heaps") &&
           current->holds(gpu, heaps.thresholds, n * 8, "heaps") && current->holds(gpu, heaps.limits, n * 4, "heaps") &&
           current->holds(gpu, heaps.locks, n * 4, "heaps");
}

pkin_status put_sketch(pkin_i_gpu_queue *queue, const pkin_i_gpu_rows *rows, const uint16_t *buckets) {
    Inside inside(queue);
    pkin_i_gpu *gpu = queue->gpu;
    const pkin_status status = current->enter(gpu, "sketch", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK || !sketches_are_fine(gpu, *rows) || !entries_are_fine(gpu, *rows)) return status;
    return current->put(queue, "sketch", 0, [gpu, copy = *rows, buckets] {
        if (!entries_are_there(gpu, copy)) return;
        uint64_t n_buckets = 0;
        for (uint64_t e = 0; e < copy.offsets[copy.n_rows]; e++)
            n_buckets = std::max<uint64_t>(n_buckets, copy.columns[e] + 1ull);
        if (current->holds(gpu, buckets, n_buckets * sizeof *buckets, "buckets")) {
            current->options().kernels.sketch(copy, buckets);
        }
    });
}

pkin_status put_sample(pkin_i_gpu_queue *queue, const pkin_i_gpu_rows *rows, uint64_t stride,
                       const pkin_i_gpu_rows *out) {
    Inside inside(queue);
    pkin_i_gpu *gpu = queue->gpu;
    const pkin_status status = current->enter(gpu, "sample", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK || !sketches_are_fine(gpu, *rows) || !sketches_are_fine(gpu, *out)) return status;
    if (!require(stride > 0 && out->n_rows == (rows->n_rows + stride - 1) / stride, "a sample of another size") ||
        !require(out->dimension == rows->dimension && out->coding == rows->coding, "a sample of other sketches")) {
        return status;
    }
    return current->put(queue, "sample", 0, [copy = *rows, stride, out_copy = *out] {
        current->options().kernels.sample(copy, stride, out_copy);
    });
}

pkin_status put_filter(pkin_i_gpu_queue *queue, const pkin_i_gpu_filter_work *work) {
    Inside inside(queue);
    pkin_i_gpu *gpu = queue->gpu;
    const pkin_status status = current->enter(gpu, "filter", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK) return status;
    const pkin_i_gpu_rows &rows = *work->rows, &columns = *work->columns;
    const uint64_t asked = workspace_bytes(gpu, work->filter);
    const bool fine =
        sketches_are_fine(gpu, rows) && sketches_are_fine(gpu, columns) &&
        require(rows.coding == pkin_i_gpu_coding_of(work->filter) && columns.coding == rows.coding &&
                    rows.dimension == columns.dimension,
                "sketches are not the filter's") &&
        require(work->row_begin <= work->row_end && work->row_end <= rows.n_rows, "rows that are not there") &&
        require(work->column_begin <= work->column_end && work->column_end <= columns.n_rows,
                "columns that are not there") &&
        require(!current->options().lacks[work->filter], "a filter that is not there") &&
        require(work->row_limits || !work->column_limits, "columns have limits and rows have none") &&
        require(!work->row_limits || work->filter != PKIN_I_GPU_FILTER_GEMM8, "gemm8 knows no limits of rows") &&
        require(work->row_limits || work->limit >= 1, "a limit that rows of zeroes reach") &&
        require(work->workspace_bytes * 16 >= asked, "too small a workspace") &&
        (!asked ||
         (require(reinterpret_cast<uintptr_t>(work->workspace) % 1024 == 0, "a workspace that is not aligned") &&
          current->holds(gpu, work->workspace, work->workspace_bytes, "workspace"))) &&
        current->holds(gpu, work->found, work->capacity * sizeof *work->found, "candidates") &&
        current->holds(gpu, work->n_found, sizeof *work->n_found, "n_found");
    if (!fine) return status;
    if (work->row_limits &&
        !current->holds(gpu, work->row_limits + rows.first, rows.n_rows * sizeof *work->row_limits, "limits"))
        return status;
    if (work->column_limits && !current->holds(gpu, work->column_limits + columns.first,
                                               columns.n_rows * sizeof *work->column_limits, "limits"))
        return status;
    const double n_pairs = double(work->row_end - work->row_begin) * double(work->column_end - work->column_begin);
    return current->put(queue, "filter", 2 * n_pairs * rows.dimension,
                        [copy = *work, rows_copy = rows, columns_copy = columns]() mutable {
                            copy.rows = &rows_copy;
                            copy.columns = &columns_copy;
                            current->options().kernels.filter(copy);
                        });
}

bool candidates_are_there(const pkin_i_gpu_score_work &work) {
    for (uint64_t c = 0; c < work.n_candidates; c++) {
        const pkin_i_gpu_candidate pair = work.candidates[c];
        if (!require(pair.i >= work.rows->first && pair.i - work.rows->first < work.rows->n_rows &&
                         pair.j >= work.columns->first && pair.j - work.columns->first < work.columns->n_rows,
                     "a candidate that is not of these shards")) {
            return false;
        }
    }
    return true;
}

pkin_status put_score(pkin_i_gpu_queue *queue, const pkin_i_gpu_score_work *work) {
    Inside inside(queue);
    pkin_i_gpu *gpu = queue->gpu;
    const pkin_status status = current->enter(gpu, "score", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK) return status;
    const uint64_t n = work->n_candidates;
    if (!entries_are_fine(gpu, *work->rows) || !entries_are_fine(gpu, *work->columns) ||
        !require((work->pairs != nullptr) != (work->heaps != nullptr), "neither a join nor a top-k") ||
        !current->holds(gpu, work->candidates, n * sizeof *work->candidates, "candidates"))
        return status;
    if (work->pairs && (!current->holds(gpu, work->pairs, n * sizeof *work->pairs, "pairs") ||
                        !current->holds(gpu, work->n_pairs, sizeof *work->n_pairs, "n_pairs")))
        return status;
    if (work->heaps && !heaps_are_fine(gpu, *work->heaps)) return status;
    const pkin_i_gpu_heaps heaps = work->heaps ? *work->heaps : pkin_i_gpu_heaps{};
    return current->put(
        queue, "score", double(n), [gpu, copy = *work, rows = *work->rows, columns = *work->columns, heaps]() mutable {
            copy.rows = &rows;
            copy.columns = &columns;
            if (copy.heaps) copy.heaps = &heaps;
            if (!entries_are_there(gpu, rows) || !entries_are_there(gpu, columns) || !candidates_are_there(copy))
                return;
            if (copy.pairs && !current->holds(gpu, copy.pairs, (*copy.n_pairs + copy.n_candidates) * sizeof *copy.pairs,
                                              "pairs behind others"))
                return;
            current->options().kernels.score(copy);
        });
}

pkin_status put_heaps_begin(pkin_i_gpu_queue *queue, const pkin_i_gpu_heaps *heaps, uint64_t min_score) {
    Inside inside(queue);
    const pkin_status status = current->enter(queue->gpu, "heaps_begin", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK || !heaps_are_fine(queue->gpu, *heaps)) return status;
    return current->put(queue, "heaps_begin", 0,
                        [copy = *heaps, min_score] { current->options().kernels.heaps_begin(copy, min_score); });
}

pkin_status put_seed(pkin_i_gpu_queue *queue, const pkin_i_gpu_seed_work *work) {
    Inside inside(queue);
    pkin_i_gpu *gpu = queue->gpu;
    const pkin_status status = current->enter(gpu, "seed", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK) return status;
    const pkin_i_gpu_rows &rows = *work->rows, &columns = *work->sample;
    const uint64_t n_rows = work->row_end - work->row_begin;
    const bool fine =
        sketches_are_fine(gpu, rows) && sketches_are_fine(gpu, columns) &&
        require(work->group > 0 && work->group % 32 == 0, "a group that is no multiple of 32") &&
        require(work->stride > 0, "a sample of all rows has stride 1") &&
        require(rows.coding != PKIN_I_GPU_SEVEN && rows.coding == columns.coding && rows.dimension == columns.dimension,
                "sketches that seeds cannot have") &&
        require(work->row_begin <= work->row_end && work->row_end <= rows.n_rows, "rows that are not there") &&
        require((work->found != nullptr) != (work->counts != nullptr), "either seeds or counts");
    if (!fine) return status;
    const uint64_t n_groups = (columns.n_rows + work->group - 1ull) / work->group;
    if (work->found && (!current->holds(gpu, work->found, n_rows * n_groups * sizeof *work->found, "seeds") ||
                        !current->holds(gpu, work->n_found, sizeof *work->n_found, "n_found")))
        return status;
    if (work->counts &&
        (!current->holds(gpu, work->counts, n_rows * sizeof *work->counts, "counts") ||
         !current->holds(gpu, work->row_limits + rows.first, rows.n_rows * sizeof *work->row_limits, "limits")))
        return status;
    return current->put(queue, "seed", 2.0 * double(n_rows) * columns.n_rows * rows.dimension,
                        [gpu, n_rows, n_groups, copy = *work, rows_copy = rows, columns_copy = columns]() mutable {
                            copy.rows = &rows_copy;
                            copy.sample = &columns_copy;
                            if (copy.found && !current->holds(gpu, copy.found,
                                                              (*copy.n_found + n_rows * n_groups) * sizeof *copy.found,
                                                              "seeds behind others"))
                                return;
                            current->options().kernels.seed(copy);
                        });
}

bool all_zero(const void *memory, uint64_t n_bytes) {
    const unsigned char *bytes = static_cast<const unsigned char *>(memory);
    return std::all_of(bytes, bytes + n_bytes, [](unsigned char byte) { return byte == 0; });
}

pkin_status put_exhaust(pkin_i_gpu_queue *queue, const pkin_i_gpu_exhaust_work *work) {
    Inside inside(queue);
    pkin_i_gpu *gpu = queue->gpu;
    const pkin_status status = current->enter(gpu, "exhaust", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK) return status;
    const uint64_t table_bytes = work->n_columns * PKIN_I_GPU_EXHAUST_MOST * 4;
    if (!require(work->n_listed <= PKIN_I_GPU_EXHAUST_MOST, "more rows than can be listed") ||
        !entries_are_fine(gpu, *work->rows) || !entries_are_fine(gpu, *work->columns) ||
        !heaps_are_fine(gpu, *work->heaps) || !current->holds(gpu, work->workspace, table_bytes, "table") ||
        !current->holds(gpu, work->listed, work->n_listed * sizeof *work->listed, "listed rows"))
        return status;
    return current->put(
        queue, "exhaust", 0,
        [gpu, table_bytes, copy = *work, rows = *work->rows, columns = *work->columns, heaps = *work->heaps]() mutable {
            copy.rows = &rows;
            copy.columns = &columns;
            copy.heaps = &heaps;
            if (!entries_are_there(gpu, rows) || !entries_are_there(gpu, columns)) return;
            for (uint32_t l = 0; l < copy.n_listed; l++) {
                if (!require(copy.listed[l] < rows.n_rows && (l == 0 || copy.listed[l - 1] < copy.listed[l]),
                             "listed rows that are not there or not ascending"))
                    return;
            }
            require(all_zero(copy.workspace, table_bytes), "a table that was not clean before");
            current->options().kernels.exhaust(copy);
            require(all_zero(copy.workspace, table_bytes), "a table that was not cleaned");
        });
}

pkin_status put_finish(pkin_i_gpu_queue *queue, const pkin_i_gpu_heaps *heaps, const uint32_t *listed,
                       uint32_t n_listed) {
    Inside inside(queue);
    pkin_i_gpu *gpu = queue->gpu;
    const pkin_status status = current->enter(gpu, "finish", PKIN_ERROR_DEVICE, true);
    if (status != PKIN_OK || !heaps_are_fine(gpu, *heaps) ||
        !current->holds(gpu, listed, n_listed * sizeof *listed, "finished rows"))
        return status;
    return current->put(queue, "finish", 0, [copy = *heaps, listed, n_listed] {
        for (uint32_t l = 0; l < n_listed; l++) {
            if (!require(listed[l] < copy.n_rows, "a finished row that is not there")) return;
        }
        current->options().kernels.finish(copy, listed, n_listed);
    });
}

} // namespace

extern const pkin_i_gpu_driver host_device_driver;
const pkin_i_gpu_driver host_device_driver = {
    "host",          count,       info,          open_device,  close_device, free_memory,
    allocate,        release,     allocate_host, release_host, queue_open,   queue_close,
    copy_up,         copy_down,   fill,          wait_queue,   mark,         seconds_between_marks,
    workspace_bytes, put_sketch,  put_sample,    put_filter,   put_score,    put_heaps_begin,
    put_seed,        put_exhaust, put_finish};
