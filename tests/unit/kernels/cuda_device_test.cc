/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA device's own files (kernels/cuda_*), on a runtime that runs on the host (support/fake_cuda). */
#include "support/fake_cuda/fake_cuda.h"

#include <cmath>
#include <cstring>
#include <thread>

#include "filter_oracle.h"
#include "gpu_session_support.h"

extern "C" {
#include "similarity/neighbor_heaps.h"
}

extern "C" int cudaGetDevice(int *out);
extern "C" int cudaSetDevice(int device);

namespace {

const pkin_i_gpu_driver *const driver = &pkin_i_cuda_driver;

/* A device and a queue, of a fake runtime; every call must be followed by the thread's own device again. */
struct Opened {
    pkin_i_gpu *gpu = nullptr;
    pkin_i_gpu_queue *queue = nullptr;

    explicit Opened(int index = 0) {
        EXPECT_EQ(PKIN_OK, driver->open(index, &gpu)) << pkin_last_error();
        EXPECT_EQ(PKIN_OK, driver->queue_open(gpu, &queue)) << pkin_last_error();
    }
    ~Opened() {
        driver->queue_close(queue);
        driver->close(gpu);
    }
    Opened(const Opened &) = delete;
    Opened &operator=(const Opened &) = delete;
};

std::vector<unsigned char> noise(size_t n, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<unsigned char> out(n);
    for (unsigned char &byte : out) byte = (unsigned char)random();
    return out;
}

/* ---- Copies and memory ---- */

/* From and to memory that is not pinned, through staging: sizes around its halves, and many small ones. */
TEST(CudaQueue, BringsUnpinnedMemoryThereAndBack) {
    enum { HALF = 8 << 20 };
    fake_cuda::begin({});
    {
        Opened on;
        for (size_t n : {size_t(1), size_t(4096), size_t(HALF - 1), size_t(HALF), size_t(3 * HALF + 17)}) {
            std::vector<unsigned char> source = noise(n, (unsigned)n), back(n);
            const std::vector<unsigned char> kept = source;
            void *memory = nullptr;
            ASSERT_EQ(PKIN_OK, driver->allocate(on.gpu, n, &memory));
            EXPECT_EQ(0u, (uintptr_t)memory % 1024);
            ASSERT_EQ(PKIN_OK, driver->copy_up(on.queue, memory, source.data(), n));
            memset(source.data(), 0, n); /* it has been read */
            ASSERT_EQ(PKIN_OK, driver->copy_down(on.queue, back.data(), memory, n));
            ASSERT_EQ(PKIN_OK, driver->wait(on.queue));
            ASSERT_TRUE(back == kept) << n;
            driver->release(on.gpu, memory);
        }
    }
    fake_cuda::end();
}

TEST(CudaQueue, BringsManySmallPieces) {
    enum { N = 1500, PIECE = 9001 };
    fake_cuda::begin({});
    {
        Opened on;
        const std::vector<unsigned char> source = noise(N * PIECE, 7);
        std::vector<unsigned char> back(N * PIECE);
        unsigned char *memory = nullptr;
        ASSERT_EQ(PKIN_OK, driver->allocate(on.gpu, N * PIECE, &memory));
        for (size_t at = 0; at < N * PIECE; at += PIECE) {
            std::vector<unsigned char> piece(&source[at], &source[at] + PIECE);
            ASSERT_EQ(PKIN_OK, driver->copy_up(on.queue, memory + at, piece.data(), PIECE));
        }
        for (size_t at = 0; at < N * PIECE; at += PIECE) {
            ASSERT_EQ(PKIN_OK, driver->copy_down(on.queue, &back[at], memory + at, PIECE));
        }
        ASSERT_EQ(PKIN_OK, driver->wait(on.queue));
        ASSERT_TRUE(back == source);
        driver->release(on.gpu, memory);
    }
    fake_cuda::end();
}

TEST(CudaQueue, CopiesPinnedMemoryAsItIsWhenItsTurnComes) {
    fake_cuda::begin({});
    {
        Opened on;
        unsigned char *memory = nullptr, *pinned = nullptr;
        ASSERT_EQ(PKIN_OK, driver->allocate(on.gpu, 100, &memory));
        ASSERT_EQ(PKIN_OK, driver->allocate_host(on.gpu, 100, &pinned));
        ASSERT_EQ(PKIN_OK, driver->fill(on.queue, memory, 0x5c, 100));
        ASSERT_EQ(PKIN_OK, driver->mark(on.queue, 0));
        ASSERT_EQ(PKIN_OK, driver->copy_down(on.queue, pinned, memory, 100));
        ASSERT_EQ(PKIN_OK, driver->mark(on.queue, 1));
        double seconds = -1;
        ASSERT_EQ(PKIN_OK, driver->seconds_between_marks(on.queue, &seconds));
        EXPECT_GT(seconds, 0);
        EXPECT_EQ(std::vector<unsigned char>(100, 0x5c), std::vector<unsigned char>(pinned, pinned + 100));
        driver->release_host(on.gpu, pinned);
        driver->release(on.gpu, memory);
    }
    fake_cuda::end();
}

TEST(CudaMemory, IsAlignedAndGoesInAnyOrder) {
    fake_cuda::begin({});
    {
        Opened on;
        std::vector<void *> blocks;
        for (size_t n : {0, 1, 100, 70000, 300, 1 << 20, 5}) {
            void *memory = nullptr;
            ASSERT_EQ(PKIN_OK, driver->allocate(on.gpu, n, &memory));
            EXPECT_EQ(0u, (uintptr_t)memory % 1024) << n;
            blocks.push_back(memory);
        }
        std::shuffle(blocks.begin(), blocks.end(), std::mt19937(3));
        for (void *memory : blocks) driver->release(on.gpu, memory);
        driver->release(on.gpu, nullptr);
    }
    fake_cuda::end();
}

TEST(CudaMemory, SaysWhatIsNeededAndWhatIsThere) {
    FakeCuda options;
    options.memory_bytes = 10 << 20;
    fake_cuda::begin(options);
    {
        Opened on;
        void *memory = &on;
        EXPECT_EQ(PKIN_ERROR_OUT_OF_MEMORY, driver->allocate(on.gpu, 30 << 20, &memory));
        EXPECT_EQ(nullptr, memory);
        EXPECT_NE(nullptr, strstr(pkin_last_error(), "Fake GPU 0 (device 0): 30 MiB of device memory are needed, of 10 "
                                                     "MiB 10 are free"))
            << pkin_last_error();
        EXPECT_EQ(PKIN_ERROR_OUT_OF_MEMORY, driver->allocate(on.gpu, UINT64_MAX, &memory));
        EXPECT_FALSE(fake_cuda::remembers_error());
        uint64_t n_free = 0;
        EXPECT_EQ(PKIN_OK, driver->free_memory(on.gpu, &n_free));
        EXPECT_EQ(uint64_t(10) << 20, n_free);
    }
    fake_cuda::end();
}

TEST(CudaDevice, LeavesTheThreadsDeviceAsItWas) {
    FakeCuda options;
    options.n_devices = 3;
    fake_cuda::begin(options);
    cudaSetDevice(2);
    {
        Opened on(1);
        int now = -1;
        void *memory = nullptr;
        EXPECT_EQ(PKIN_OK, driver->allocate(on.gpu, 10, &memory));
        EXPECT_EQ(PKIN_OK, driver->fill(on.queue, memory, 1, 10));
        EXPECT_EQ(PKIN_OK, driver->wait(on.queue));
        std::thread([&] { driver->release(on.gpu, memory); }).join();
        cudaGetDevice(&now);
        EXPECT_EQ(2, now);
    }
    int now = -1;
    cudaGetDevice(&now);
    EXPECT_EQ(2, now);
    fake_cuda::end();
}

/* ---- What there is ---- */

void expect_unusable(const FakeCuda &options, const char *words) {
    fake_cuda::begin(options);
    pkin_i_gpu *gpu = (pkin_i_gpu *)&options;
    EXPECT_EQ(PKIN_ERROR_UNSUPPORTED, driver->open(0, &gpu));
    EXPECT_EQ(nullptr, gpu);
    EXPECT_NE(nullptr, strstr(pkin_last_error(), words)) << pkin_last_error();
    EXPECT_FALSE(fake_cuda::remembers_error());
    fake_cuda::end();
}

TEST(CudaDevice, SaysWhyItCannotBeUsed) {
    FakeCuda options;
    options.driver_version = 0;
    expect_unusable(options, "no NVIDIA driver");
    options.driver_version = 11040;
    expect_unusable(options, "it knows CUDA 11.4, this build needs CUDA 13.0");
    options = {};
    options.n_devices = 0;
    expect_unusable(options, "no CUDA device 0: there are 0");
    options = {};
    options.cannot_start = true;
    expect_unusable(options, "forked");
    options = {};
    options.major = 7, options.minor = 0;
    expect_unusable(options, "compute capability 7.0; 7.5 is the least");
    options = {};
    options.lacks_code = true;
    expect_unusable(options, "PAPERKIN_CUDA_ARCHITECTURES");
}

TEST(CudaDevice, CountsNoneWithoutAnError) {
    FakeCuda options;
    options.n_devices = 0;
    fake_cuda::begin(options);
    int n = -1;
    EXPECT_EQ(PKIN_OK, driver->count(&n));
    EXPECT_EQ(0, n);
    EXPECT_FALSE(fake_cuda::remembers_error());
    fake_cuda::end();
}

TEST(CudaDevice, SaysWhichFiltersRunAndWhyOthersDoNot) {
    FakeCuda options;
    pkin_i_gpu_info info;
    options.major = 8, options.minor = 9;
    options.libraries.clear();
    fake_cuda::begin(options);
    ASSERT_EQ(PKIN_OK, driver->info(0, &info));
    EXPECT_STREQ("Fake GPU 0", info.name);
    EXPECT_STREQ("GPU-f0f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff", info.uuid);
    EXPECT_TRUE(info.has_filter[PKIN_I_GPU_FILTER_DP4A]);
    EXPECT_FALSE(info.has_filter[PKIN_I_GPU_FILTER_FUSED]);
    EXPECT_NE(nullptr, strstr(info.missing[PKIN_I_GPU_FILTER_FUSED], "has 8.9"));
    EXPECT_FALSE(info.has_filter[PKIN_I_GPU_FILTER_GEMM8] || info.has_filter[PKIN_I_GPU_FILTER_GEMM32]);
    EXPECT_NE(nullptr, strstr(info.missing[PKIN_I_GPU_FILTER_GEMM32], "LD_LIBRARY_PATH"));
    fake_cuda::end();
    for (const char *name : {"libcublasLt.so.12", "libcublasLt.so", "/usr/local/cuda/lib64/libcublasLt.so.13"}) {
        options.libraries = {name};
        fake_cuda::begin(options);
        ASSERT_EQ(PKIN_OK, driver->info(0, &info));
        EXPECT_TRUE(info.has_filter[PKIN_I_GPU_FILTER_GEMM8]) << name;
        EXPECT_STREQ("", info.missing[PKIN_I_GPU_FILTER_GEMM8]);
        fake_cuda::end();
    }
}

/* ---- Errors of kernels ---- */

/* The first call that hears of it names the kernels of its queue; all later ones say the same, and nothing is lost. */
TEST(CudaDevice, TellsOfAKernelThatFailedWithItsName) {
    FakeCuda options;
    options.fail_kernel_at = 1;
    fake_cuda::begin(options);
    {
        Opened on;
        char *memory = nullptr;
        ASSERT_EQ(PKIN_OK, driver->allocate(on.gpu, 1 << 16, &memory));
        pkin_i_gpu_heaps heaps = {};
        heaps.n_rows = 10;
        heaps.k = 1;
        heaps.counts = heaps.locks = (uint32_t *)memory;
        heaps.thresholds = (uint64_t *)memory;
        heaps.limits = (int32_t *)memory;
        ASSERT_EQ(PKIN_OK, driver->fill(on.queue, memory, 0, 1 << 16));
        ASSERT_EQ(PKIN_OK, driver->finish(on.queue, &heaps, (uint32_t *)memory + 100, 1));
        ASSERT_EQ(PKIN_OK, driver->wait(on.queue));
        (void)driver->heaps_begin(on.queue, &heaps, 1);
        EXPECT_EQ(PKIN_ERROR_DEVICE, driver->wait(on.queue));
        const std::string first = pkin_last_error();
        EXPECT_NE(std::string::npos, first.find("Fake GPU 0 (device 0)")) << first;
        EXPECT_NE(std::string::npos, first.find("heaps_begin")) << first;
        EXPECT_EQ(std::string::npos, first.find("heaps_finish")) << first; /* was waited for */
        EXPECT_NE(std::string::npos, first.find("cudaErrorIllegalAddress")) << first;
        EXPECT_NE(std::string::npos, first.find("CUDA_LAUNCH_BLOCKING=1")) << first;
        std::thread([&] {
            uint64_t n_free;
            EXPECT_EQ(PKIN_ERROR_DEVICE, driver->free_memory(on.gpu, &n_free));
            EXPECT_EQ(first, pkin_last_error());
        }).join();
        EXPECT_EQ(PKIN_ERROR_DEVICE, driver->fill(on.queue, memory, 0, 10));
        EXPECT_EQ(first, pkin_last_error());
        driver->release(on.gpu, memory);
    }
    fake_cuda::end();
}

/* ---- The whole pipeline on it ---- */

uint64_t reach(double threshold) {
    return pkin_score_from_threshold(threshold);
}

GpuWay way_of(pkin_i_gpu_filter filter, uint32_t dimension) {
    GpuWay way;
    way.filter = filter;
    way.dimension = dimension;
    return way;
}

void expect_join(const pkin_vectors *a, const pkin_vectors *b, const GpuWay &way, double threshold,
                 uint64_t first = 0) {
    const uint64_t last = b ? b->n_rows : a->n_rows;
    std::vector<Scored> expected;
    for (const Scored &pair : oracle_join(a, b, reach(threshold))) {
        if (pair.j >= first) expected.push_back(pair);
    }
    {
        GpuSession session(driver, a, b, way);
        ASSERT_EQ(PKIN_OK, session.status) << pkin_last_error();
        ASSERT_EQ(expected, session.join(first, last, reach(threshold))) << way << ", t " << threshold;
        ASSERT_EQ(PKIN_OK, session.status) << pkin_last_error();
    }
    fake_cuda::end();
}

TEST(CudaPipeline, JoinsByEveryFilter) {
    TestVectors v(random_matrix({270, 200, 30}, 1)), w(random_matrix({60, 200, 30}, 2));
    fake_cuda::begin({});
    for (int filter = 0; filter < PKIN_I_GPU_N_FILTERS; filter++) {
        const GpuWay way = way_of((pkin_i_gpu_filter)filter, 64);
        expect_join(v.vectors, nullptr, way, 0.8);
        expect_join(v.vectors, w.vectors, way, 0.8);
        expect_join(w.vectors, nullptr, way, 0.01);
        if (HasFatalFailure()) return;
    }
    EXPECT_FALSE(fake_cuda::remembers_error());
}

/* Products in blocks: strips that begin anywhere, shards, and as little workspace as is allowed. */
TEST(CudaPipeline, JoinsStripsByProducts) {
    TestVectors v(random_matrix({540, 150, 12}, 3)), w(random_matrix({530, 150, 12}, 4));
    fake_cuda::begin({});
    for (pkin_i_gpu_filter filter : {PKIN_I_GPU_FILTER_GEMM8, PKIN_I_GPU_FILTER_GEMM32}) {
        for (uint64_t first : {15, 16, 257, 523}) {
            GpuWay way = way_of(filter, 128);
            expect_join(v.vectors, nullptr, way, 0.9, first);
            way.tuning.shard_rows = 256;
            expect_join(v.vectors, w.vectors, way, 0.9, first);
            if (HasFatalFailure()) return;
        }
    }
}

/* Memory of a device, which in the fake is the host's. */
template <class T> struct OnDevice {
    pkin_i_gpu *gpu;
    T *at = nullptr;

    OnDevice(pkin_i_gpu *in_gpu, const T *from, size_t n) : gpu(in_gpu) {
        EXPECT_EQ(PKIN_OK, driver->allocate(gpu, n * sizeof(T), &at));
        std::copy_n(from, n, at);
    }
    ~OnDevice() {
        driver->release(gpu, at);
    }
    OnDevice(const OnDevice &) = delete;
    OnDevice &operator=(const OnDevice &) = delete;
};

/* A shard of sketches as a filter's coding has them: q, or q - 128 and the sums of q. */
struct Sketches {
    std::vector<uint8_t> bytes;
    std::vector<int32_t> sums;
    OnDevice<uint8_t> d_bytes;
    OnDevice<int32_t> d_sums;
    pkin_i_gpu_rows rows = {};

    static std::vector<uint8_t> coded(const pkin_test::device_array<uint8_t> &q, bool is_shifted) {
        std::vector<uint8_t> out(q.begin(), q.end());
        for (uint8_t &byte : out) byte = (uint8_t)(byte ^ (is_shifted ? 0x80 : 0));
        return out;
    }
    static std::vector<int32_t> sums_of(const pkin_test::device_array<uint8_t> &q, uint32_t dimension) {
        std::vector<int32_t> out(q.size() / dimension);
        for (size_t k = 0; k < q.size(); k++) out[k / dimension] += q[k];
        return out;
    }
    Sketches(pkin_i_gpu *gpu, const pkin_test::device_array<uint8_t> &q, uint64_t first, uint32_t n_rows,
             uint32_t dimension, pkin_i_gpu_coding coding)
        : bytes(coded(q, coding == PKIN_I_GPU_SHIFTED)), sums(sums_of(q, dimension)),
          d_bytes(gpu, bytes.data(), bytes.size()), d_sums(gpu, sums.data(), sums.size()) {
        rows.first = first;
        rows.n_rows = n_rows;
        rows.dimension = dimension;
        rows.coding = coding;
        rows.sketches = d_bytes.at;
        rows.sums = coding == PKIN_I_GPU_SHIFTED ? d_sums.at : nullptr;
    }
};

/* One filter in as little workspace as it may be given, so that there are many blocks: each pair once, none lost. */
void expect_products(pkin_i_gpu_filter filter, const pkin_test::filter_case &c, uint64_t workspace_bytes) {
    enum { CAPACITY = 1 << 20 };
    const bool is_bytes = filter == PKIN_I_GPU_FILTER_GEMM8;
    const int32_t limit = is_bytes ? 4000 : 16000;
    const pkin_i_gpu_coding coding = pkin_i_gpu_coding_of(filter);
    const auto rows = pkin_test::random_sketches(c.n_rows, c.dimension, is_bytes ? 127 : 255, 1);
    const auto columns = pkin_test::random_sketches(c.n_columns, c.dimension, is_bytes ? 127 : 255, 2);
    Opened on;
    const Sketches d_rows(on.gpu, rows, c.row_first, c.n_rows, c.dimension, coding);
    const Sketches d_columns(on.gpu, columns, c.column_first, c.n_columns, c.dimension, coding);
    const std::vector<pkin_i_gpu_candidate> nothing(CAPACITY);
    const uint64_t none = 0;
    const OnDevice<pkin_i_gpu_candidate> found(on.gpu, nothing.data(), CAPACITY);
    const OnDevice<uint64_t> n_found(on.gpu, &none, 1);
    const std::vector<uint8_t> dirt(workspace_bytes);
    const OnDevice<uint8_t> workspace(on.gpu, dirt.data(), workspace_bytes);
    pkin_i_gpu_filter_work work = {};
    work.filter = filter;
    work.rows = &d_rows.rows, work.columns = &d_columns.rows;
    work.row_begin = c.row_begin, work.row_end = c.row_end;
    work.column_begin = c.column_begin, work.column_end = c.column_end;
    work.within = c.within;
    work.limit = limit;
    work.workspace = workspace.at, work.workspace_bytes = workspace_bytes;
    work.found = found.at, work.capacity = CAPACITY, work.n_found = n_found.at;
    ASSERT_EQ(PKIN_OK, driver->filter(on.queue, &work)) << pkin_last_error();
    ASSERT_EQ(PKIN_OK, driver->wait(on.queue)) << pkin_last_error();

    const auto product = [&](uint32_t r, uint32_t k) {
        return pkin_test::product_of(rows, columns, c.dimension, r, k);
    };
    const auto must = pkin_test::expected_pairs(c, [&](uint32_t r, uint32_t k) { return product(r, k) >= limit; });
    /* Bytes of 125 and 126 stand for a little less than the limit, too. */
    const auto may = pkin_test::expected_pairs(
        c, [&](uint32_t r, uint32_t k) { return product(r, k) >= (is_bytes ? limit * 124 / 126 : limit); });
    ASSERT_LE(*n_found.at, uint64_t(CAPACITY));
    pkin_test::found_pairs got;
    for (uint64_t p = 0; p < *n_found.at; p++) got.emplace_back(found.at[p].i, found.at[p].j);
    std::sort(got.begin(), got.end());
    ASSERT_TRUE(std::adjacent_find(got.begin(), got.end()) == got.end()) << "a pair twice";
    ASSERT_GT(must.size(), 10u);
    ASSERT_TRUE(std::includes(got.begin(), got.end(), must.begin(), must.end())) << "a pair is lost";
    ASSERT_TRUE(std::includes(may.begin(), may.end(), got.begin(), got.end())) << "a pair below the limit";
}

TEST(CudaFilters, MultiplyInManyBlocks) {
    const pkin_test::filter_case cases[] = {
        {700, 1100, 64, 0, 0, 0, 700, 0, 1100, false},         {700, 1100, 64, 0, 0, 13, 689, 21, 1087, false},
        {1100, 1100, 64, 512, 512, 0, 1100, 0, 1100, true},    {600, 1100, 64, 300, 100, 5, 600, 7, 1100, true},
        {300, 1030, 128, 0, 2048, 290, 300, 1025, 1030, true}, {1100, 300, 64, 0, 700, 256, 1100, 3, 290, true},
    };
    fake_cuda::begin({});
    for (const pkin_test::filter_case &c : cases) {
        for (pkin_i_gpu_filter filter : {PKIN_I_GPU_FILTER_GEMM8, PKIN_I_GPU_FILTER_GEMM32}) {
            for (uint64_t workspace_bytes : {1 << 19, 1 << 22}) {
                SCOPED_TRACE(testing::Message() << pkin_i_gpu_filter_name(filter) << ", " << &c - cases);
                expect_products(filter, c, workspace_bytes);
                fake_cuda::end();
                if (HasFatalFailure()) return;
            }
        }
    }
}

TEST(CudaFilters, RefuseWhatTheyCannotDo) {
    fake_cuda::begin({});
    {
        Opened on;
        const auto q = pkin_test::random_sketches(256, 64, 127, 1);
        const Sketches rows(on.gpu, q, 0, 256, 64, PKIN_I_GPU_SEVEN);
        pkin_i_gpu_filter_work work = {};
        work.filter = PKIN_I_GPU_FILTER_GEMM8;
        work.rows = work.columns = &rows.rows;
        work.row_end = work.column_end = 256;
        work.limit = 1;
        work.workspace = rows.d_bytes.at, work.workspace_bytes = 4096;
        EXPECT_EQ(PKIN_ERROR_OUT_OF_MEMORY, driver->filter(on.queue, &work));
        EXPECT_NE(nullptr, strstr(pkin_last_error(), "4096 bytes of workspace")) << pkin_last_error();
        work.row_limits = rows.d_sums.at;
        EXPECT_EQ(PKIN_ERROR_UNSUPPORTED, driver->filter(on.queue, &work));
        EXPECT_NE(nullptr, strstr(pkin_last_error(), "gemm8")) << pkin_last_error();
    }
    fake_cuda::end();
    FakeCuda options;
    options.major = 8;
    fake_cuda::begin(options);
    {
        Opened on;
        pkin_i_gpu_filter_work work = {};
        work.filter = PKIN_I_GPU_FILTER_FUSED;
        EXPECT_EQ(PKIN_ERROR_UNSUPPORTED, driver->filter(on.queue, &work));
        EXPECT_NE(nullptr, strstr(pkin_last_error(), "the filter fused cannot run")) << pkin_last_error();
    }
    fake_cuda::end();
}

TEST(CudaPipeline, JoinsOnSeveralDevices) {
    TestVectors v(random_matrix({600, 150, 12}, 5));
    FakeCuda options;
    options.n_devices = 3;
    fake_cuda::begin(options);
    GpuWay way = way_of(PKIN_I_GPU_FILTER_GEMM32, 64);
    way.devices = "all";
    way.tuning.shard_rows = 256;
    way.tuning.shard_slots = 2;
    way.tuning.item_pairs = 1 << 15;
    expect_join(v.vectors, nullptr, way, 0.9);
}

/* Row by row, best first, as the oracle. */
std::vector<Scored> top_k(GpuSession *session, uint32_t k) {
    const uint64_t n = session->task.a->n_rows;
    std::vector<pkin_neighbor> neighbors(n * k);
    std::vector<uint32_t> counts(n);
    std::vector<Scored> all;
    pkin_i_neighbor_heaps heaps = {};
    if (session->status == PKIN_OK) {
        session->status = pkin_i_neighbor_heaps_open(n, k, 1, neighbors.data(), counts.data(), &heaps);
    }
    if (session->status == PKIN_OK) session->status = pkin_i_gpu_top_k(session->opened, &heaps);
    if (session->status == PKIN_OK) pkin_i_neighbor_heaps_sort(&heaps, 1);
    pkin_i_neighbor_heaps_close(&heaps);
    for (uint32_t r = 0; r < n && session->status == PKIN_OK; r++) {
        for (uint32_t at = 0; at < counts[r]; at++) {
            all.push_back({neighbors[uint64_t(r) * k + at].score, r, neighbors[uint64_t(r) * k + at].row});
        }
    }
    return all;
}

TEST(CudaPipeline, FindsNeighboursByEveryFilterThatCan) {
    TestVectors v(random_matrix({70, 150, 12}, 6)), w(random_matrix({40, 150, 12}, 7));
    fake_cuda::begin({});
    for (pkin_i_gpu_filter filter : {PKIN_I_GPU_FILTER_FUSED, PKIN_I_GPU_FILTER_GEMM32, PKIN_I_GPU_FILTER_DP4A}) {
        for (const pkin_vectors *b : {(const pkin_vectors *)nullptr, (const pkin_vectors *)w.vectors}) {
            for (double exhaust : {5.0, 1e9}) {
                GpuWay way = way_of(filter, 64);
                way.tuning.exhaust_candidates = exhaust;
                {
                    GpuSession session(driver, v.vectors, b, way);
                    ASSERT_EQ(oracle_top_k(v.vectors, b, 4, 1), top_k(&session, 4)) << way;
                    ASSERT_EQ(PKIN_OK, session.status) << pkin_last_error();
                }
                fake_cuda::end();
            }
        }
    }
}

/* Whatever call fails, or every step-th: a status, a message, nothing lost, and no error left for somebody else. */
void expect_failures_told(pkin_i_gpu_filter filter, bool joins, bool runs_kernels, long step) {
    TestVectors v(random_matrix({60, 60, 8}, 8));
    FakeCuda options;
    options.n_devices = 2;
    options.runs_kernels = runs_kernels;
    long n_calls = 1 << 20;
    for (options.fail_at = -1; options.fail_at < n_calls; options.fail_at += options.fail_at < 0 ? 1 : step) {
        fake_cuda::begin(options);
        pkin_status status;
        std::vector<Scored> got;
        {
            GpuWay way = way_of(filter, 64);
            way.devices = "1";
            GpuSession session(driver, v.vectors, nullptr, way);
            got = joins ? session.join(reach(0.3)) : top_k(&session, 3);
            status = session.status;
            session.close();
        }
        const long n = fake_cuda::end();
        ASSERT_FALSE(fake_cuda::remembers_error()) << "call " << options.fail_at;
        if (options.fail_at < 0) n_calls = n;
        if (status == PKIN_OK && runs_kernels) {
            const std::vector<Scored> expected =
                joins ? oracle_join(v.vectors, nullptr, reach(0.3)) : oracle_top_k(v.vectors, nullptr, 3, 1);
            ASSERT_EQ(expected, got) << "call " << options.fail_at;
        } else if (status != PKIN_OK) {
            ASSERT_GE(options.fail_at, 0) << pkin_last_error();
            ASSERT_TRUE(status == PKIN_ERROR_DEVICE || status == PKIN_ERROR_OUT_OF_MEMORY ||
                        status == PKIN_ERROR_UNSUPPORTED)
                << status;
            ASSERT_STRNE("", pkin_last_error());
        }
    }
    ASSERT_GT(n_calls, 50);
}

TEST(CudaPipeline, TellsEveryFailure) {
    expect_failures_told(PKIN_I_GPU_FILTER_GEMM32, true, false, 1);
    expect_failures_told(PKIN_I_GPU_FILTER_FUSED, true, false, 1);
    expect_failures_told(PKIN_I_GPU_FILTER_GEMM32, false, false, 1);
    expect_failures_told(PKIN_I_GPU_FILTER_GEMM32, true, true, 37);
}

TEST(CudaPipeline, TellsOfEveryKernelThatFails) {
    TestVectors v(random_matrix({60, 60, 8}, 8));
    FakeCuda options;
    long n_launches = 1;
    for (options.fail_kernel_at = -1; options.fail_kernel_at < n_launches; options.fail_kernel_at++) {
        fake_cuda::begin(options);
        {
            GpuSession session(driver, v.vectors, nullptr, way_of(PKIN_I_GPU_FILTER_DP4A, 64));
            const std::vector<Scored> got = top_k(&session, 3);
            if (options.fail_kernel_at < 0) {
                ASSERT_EQ(PKIN_OK, session.status);
                n_launches = fake_cuda::n_launches();
            } else {
                ASSERT_EQ(PKIN_ERROR_DEVICE, session.status) << options.fail_kernel_at;
                ASSERT_NE(nullptr, strstr(pkin_last_error(), "IllegalAddress")) << pkin_last_error();
            }
        }
        fake_cuda::end();
    }
    ASSERT_GT(n_launches, 5);
}

TEST(CudaPipeline, SaysThatTheDriverHasNoTensorMaps) {
    TestVectors v(random_matrix({60, 60, 8}, 8));
    FakeCuda options;
    options.is_fused_refused = true;
    fake_cuda::begin(options);
    {
        GpuSession session(driver, v.vectors, nullptr, way_of(PKIN_I_GPU_FILTER_FUSED, 64));
        session.join(reach(0.3));
        EXPECT_EQ(PKIN_ERROR_UNSUPPORTED, session.status);
        EXPECT_NE(nullptr, strstr(pkin_last_error(), "cuTensorMapEncodeTiled")) << pkin_last_error();
    }
    fake_cuda::end();
}

} // namespace
