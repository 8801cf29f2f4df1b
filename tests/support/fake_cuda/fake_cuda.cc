/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_cuda/fake_cuda.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <vector>

#include "support/fake_cuda/cublasLt.h"
#include "support/fake_cuda/cuda.h"
#include "support/fake_cuda/cuda_runtime_api.h"
#include "support/simt/hopper.h"

struct fake_stream {
    int device;
    std::deque<std::function<void()>> work;
};

struct fake_event {
    bool has_time;
    fake_stream *stream = nullptr; /* that recorded it last */
    uint64_t n_recorded = 0, n_done = 0;
    double ms = 0;
};

namespace {

enum { MISALIGNED_BELOW = 1 << 16, DIRT = 0xA5, DIRTY_MOST = 1 << 17, SHARED_MOST = 227 << 10 };

struct Memory {
    void *base;
    size_t n_bytes;
    int device; /* -1: pinned memory of the host */
};

struct Fake {
    FakeCuda options;
    std::recursive_mutex lock;
    std::map<uintptr_t, Memory> memory;
    std::set<fake_stream *> streams;
    std::set<fake_event *> events;
    std::map<const void *, int> shared_bytes; /* that kernels were allowed */
    long n_calls = 0, n_launches = 0, n_objects = 0;
    double clock_ms = 0;
    cudaError_t broken = cudaSuccess;
    std::mt19937 random{1};
};

Fake fake;
thread_local int current_device = 0;
thread_local cudaError_t last_error = cudaSuccess;
using Lock = std::lock_guard<std::recursive_mutex>;

[[noreturn]] void misuse(const char *what) {
    fprintf(stderr, "fake CUDA: %s\n", what);
    abort();
}

void need(bool holds, const char *what) {
    if (!holds) misuse(what);
}

cudaError_t told(cudaError_t error) {
    if (error != cudaSuccess) last_error = error;
    return error;
}

/* Every call that can fail begins here. */
cudaError_t call(cudaError_t failure = cudaErrorInvalidValue) {
    if (fake.options.driver_version == 0) return told(cudaErrorInsufficientDriver);
    if (fake.options.cannot_start) return told(cudaErrorInitializationError);
    if (fake.n_calls++ == fake.options.fail_at) return told(failure);
    return told(fake.broken);
}

/* ---- Streams ---- */

void run_one(fake_stream *stream) {
    std::function<void()> work = std::move(stream->work.front());
    stream->work.pop_front();
    if (fake.broken == cudaSuccess) work();
}

void run_all(fake_stream *stream) {
    while (!stream->work.empty()) run_one(stream);
}

/* Time passes: some stream may go on by itself. */
void pass() {
    for (fake_stream *stream : fake.streams) {
        if (fake.random() % 4 == 0 && !stream->work.empty()) run_one(stream);
    }
}

cudaError_t put(fake_stream *stream, std::function<void()> work) {
    need(fake.streams.count(stream) == 1, "work for a stream that is none");
    need(stream->device == current_device, "the stream's device is not the current one");
    stream->work.push_back(std::move(work));
    pass();
    return cudaSuccess;
}

/* ---- Memory ---- */

const Memory *find(const void *at, size_t n_bytes) {
    auto next = fake.memory.upper_bound((uintptr_t)at);
    if (next == fake.memory.begin()) return nullptr;
    const auto &[begin, memory] = *std::prev(next);
    return (uintptr_t)at + n_bytes <= begin + memory.n_bytes ? &memory : nullptr;
}

void need_on_device(const void *at, size_t n_bytes) {
    const Memory *memory = find(at, n_bytes);
    need(memory && memory->device == current_device, "no memory of the current device, or beyond its end");
}

void need_pinned(const void *at, size_t n_bytes) {
    const Memory *memory = find(at, n_bytes);
    need(memory && memory->device == -1, "a copy from or to memory that is not pinned");
}

uint64_t used_bytes(int device) {
    uint64_t n = 0;
    for (const auto &[at, memory] : fake.memory) n += memory.device == device ? memory.n_bytes : 0;
    return n;
}

/* Small blocks of a device are aligned to 256 and to no more. Exactly as long as asked for, so that ASan sees all. */
cudaError_t allocate(void **out, size_t n_bytes, int device) {
    const size_t offset = device >= 0 && n_bytes < MISALIGNED_BELOW ? 256 : 0;
    void *base = nullptr;
    need(n_bytes > 0, "an allocation of no bytes");
    need(posix_memalign(&base, 1024, n_bytes + offset) == 0, "no memory for the test");
    memset(base, fake.options.runs_kernels ? DIRT : 0, std::min<size_t>(n_bytes + offset, DIRTY_MOST));
    *out = (char *)base + offset;
    fake.memory[(uintptr_t)*out] = {base, n_bytes, device};
    return cudaSuccess;
}

void release(void *memory, bool is_pinned) {
    const auto at = fake.memory.find((uintptr_t)memory);
    need(at != fake.memory.end() && (at->second.device == -1) == is_pinned, "memory released that is none");
    for (const fake_stream *stream : fake.streams) {
        need(stream->work.empty() || (stream->device != at->second.device && at->second.device != -1),
             "memory released while streams have work");
    }
    free(at->second.base);
    fake.memory.erase(at);
}

} // namespace

/* ---- Control ---- */

void fake_cuda::begin(const FakeCuda &options) {
    Lock lock(fake.lock);
    fake.options = options;
    fake.n_calls = fake.n_launches = 0;
    fake.broken = cudaSuccess;
    fake.shared_bytes.clear();
    current_device = 0;
    last_error = cudaSuccess;
}

long fake_cuda::end() {
    Lock lock(fake.lock);
    EXPECT_EQ(0u, fake.memory.size()) << "blocks of memory were not released";
    EXPECT_EQ(0u, fake.streams.size()) << "streams were not destroyed";
    EXPECT_EQ(0u, fake.events.size()) << "events were not destroyed";
    EXPECT_EQ(0, fake.n_objects) << "objects of cuBLASLt were not destroyed";
    return fake.n_calls;
}

long fake_cuda::n_launches() {
    return fake.n_launches;
}

bool fake_cuda::remembers_error() {
    return last_error != cudaSuccess;
}

/* ---- The runtime: devices ---- */

cudaError_t cudaGetLastError(void) {
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

const char *cudaGetErrorString(cudaError_t error) {
    return error == cudaErrorIllegalAddress ? "an illegal memory access was encountered" : "a wished failure";
}

const char *cudaGetErrorName(cudaError_t error) {
    return error == cudaErrorIllegalAddress ? "cudaErrorIllegalAddress" : "cudaErrorWished";
}

cudaError_t cudaDriverGetVersion(int *out) {
    *out = fake.options.driver_version;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *out) {
    *out = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *out) {
    Lock lock(fake.lock);
    if (fake.options.driver_version < CUDART_VERSION / 1000 * 1000) return told(cudaErrorInsufficientDriver);
    const cudaError_t error = call();
    if (error != cudaSuccess) return error;
    *out = fake.options.n_devices;
    return told(fake.options.n_devices ? cudaSuccess : cudaErrorNoDevice);
}

cudaError_t cudaGetDevice(int *out) {
    Lock lock(fake.lock);
    *out = current_device;
    return call();
}

cudaError_t cudaSetDevice(int device) {
    Lock lock(fake.lock);
    if (device < 0 || device >= fake.options.n_devices) return told(cudaErrorInvalidDevice);
    current_device = device; /* going back never fails, so that the test can ask for it */
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *out, int device) {
    Lock lock(fake.lock);
    const cudaError_t error = call();
    if (error != cudaSuccess) return error;
    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "Fake GPU %d", device);
    for (int b = 0; b < 16; b++) out->uuid.bytes[b] = (char)(0xf0 + b);
    out->totalGlobalMem = fake.options.memory_bytes;
    out->major = fake.options.major, out->minor = fake.options.minor;
    out->multiProcessorCount = 2;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *out, enum cudaDeviceAttr attribute, int) {
    Lock lock(fake.lock);
    *out = attribute == cudaDevAttrL2CacheSize ? 1 << 20 : (int)SHARED_MOST;
    return call();
}

static void run_device(void) {
    for (fake_stream *stream : fake.streams) {
        if (stream->device == current_device) run_all(stream);
    }
}

cudaError_t cudaDeviceSynchronize(void) {
    Lock lock(fake.lock);
    const cudaError_t error = call(cudaErrorLaunchFailure);
    run_device();
    return error == cudaSuccess ? told(fake.broken) : error;
}

/* ---- The runtime: memory ---- */

cudaError_t cudaMemGetInfo(size_t *out_free, size_t *out_all) {
    Lock lock(fake.lock);
    *out_all = fake.options.memory_bytes;
    *out_free = fake.options.memory_bytes - used_bytes(current_device);
    return call();
}

cudaError_t cudaMalloc(void **out, size_t n_bytes) {
    Lock lock(fake.lock);
    const cudaError_t error = call(cudaErrorMemoryAllocation);
    if (error != cudaSuccess) return error;
    if (n_bytes > fake.options.memory_bytes - used_bytes(current_device)) return told(cudaErrorMemoryAllocation);
    return allocate(out, n_bytes, current_device);
}

cudaError_t cudaFree(void *memory) {
    Lock lock(fake.lock);
    if (!memory) return call();
    run_device();
    release(memory, false); /* also where it says that it failed: CUDA tells earlier errors so */
    return call(cudaErrorLaunchFailure);
}

cudaError_t cudaHostAlloc(void **out, size_t n_bytes, unsigned) {
    Lock lock(fake.lock);
    const cudaError_t error = call(cudaErrorMemoryAllocation);
    return error == cudaSuccess ? allocate(out, n_bytes, -1) : error;
}

cudaError_t cudaFreeHost(void *memory) {
    Lock lock(fake.lock);
    for (fake_stream *stream : fake.streams) run_all(stream);
    release(memory, true);
    return call(cudaErrorLaunchFailure);
}

cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *out, const void *at) {
    Lock lock(fake.lock);
    const Memory *memory = find(at, 1);
    out->type = !memory ? cudaMemoryTypeUnregistered : memory->device < 0 ? cudaMemoryTypeHost : cudaMemoryTypeDevice;
    return call();
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t n_bytes, enum cudaMemcpyKind kind, cudaStream_t stream) {
    Lock lock(fake.lock);
    const cudaError_t error = call();
    if (error != cudaSuccess) return error;
    need_on_device(kind == cudaMemcpyHostToDevice ? to : from, n_bytes);
    need_pinned(kind == cudaMemcpyHostToDevice ? from : to, n_bytes);
    return put(stream, [=] { memcpy(to, from, n_bytes); });
}

cudaError_t cudaMemsetAsync(void *memory, int byte, size_t n_bytes, cudaStream_t stream) {
    Lock lock(fake.lock);
    const cudaError_t error = call();
    if (error != cudaSuccess) return error;
    need_on_device(memory, n_bytes);
    return put(stream, [=] { memset(memory, byte, n_bytes); });
}

cudaError_t cudaMemset2DAsync(void *memory, size_t pitch, int byte, size_t width, size_t height, cudaStream_t stream) {
    Lock lock(fake.lock);
    const cudaError_t error = call();
    if (error != cudaSuccess) return error;
    need(width > 0 && width <= pitch && height > 0, "a rectangle of memory that is none");
    need_on_device(memory, pitch * (height - 1) + width);
    return put(stream, [=] {
        for (size_t row = 0; row < height; row++) memset((char *)memory + row * pitch, byte, width);
    });
}

/* ---- The runtime: streams and events ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned) {
    Lock lock(fake.lock);
    const cudaError_t error = call();
    if (error != cudaSuccess) return error;
    *out = new fake_stream{current_device, {}};
    fake.streams.insert(*out);
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    Lock lock(fake.lock);
    need(fake.streams.count(stream) == 1, "waiting for a stream that is none");
    const cudaError_t error = call(cudaErrorLaunchFailure);
    run_all(stream);
    return error == cudaSuccess ? told(fake.broken) : error;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    Lock lock(fake.lock);
    need(fake.streams.count(stream) == 1 && stream->work.empty(), "a stream destroyed that is none, or has work");
    fake.streams.erase(stream);
    delete stream;
    return told(fake.broken);
}

static cudaError_t create_event(cudaEvent_t *out, bool has_time) {
    Lock lock(fake.lock);
    const cudaError_t error = call();
    if (error != cudaSuccess) return error;
    *out = new fake_event{has_time};
    fake.events.insert(*out);
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *out) {
    return create_event(out, true);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags) {
    return create_event(out, !(flags & cudaEventDisableTiming));
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    Lock lock(fake.lock);
    const cudaError_t error = call();
    if (error != cudaSuccess) return error;
    need(fake.events.count(event) == 1, "an event recorded that is none");
    event->stream = stream;
    const uint64_t number = ++event->n_recorded;
    return put(stream, [=] { event->n_done = number, event->ms = fake.clock_ms += 0.5; });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    Lock lock(fake.lock);
    const cudaError_t error = call(cudaErrorLaunchFailure);
    if (error != cudaSuccess) return error;
    while (event->n_done < event->n_recorded && !event->stream->work.empty()) run_one(event->stream);
    return told(fake.broken);
}

cudaError_t cudaEventElapsedTime(float *out_ms, cudaEvent_t begin, cudaEvent_t end) {
    Lock lock(fake.lock);
    need(begin->has_time && end->has_time, "an event that has no time");
    if (begin->n_done == 0 || end->n_done == 0) return told(cudaErrorInvalidValue);
    *out_ms = (float)(end->ms - begin->ms);
    return call();
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    Lock lock(fake.lock);
    need(fake.events.erase(event) == 1, "an event destroyed that is none");
    for (fake_stream *stream : fake.streams) run_all(stream); /* what refers to it */
    delete event;
    return told(fake.broken);
}

/* ---- The runtime: kernels ---- */

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *out, const void *kernel) {
    Lock lock(fake.lock);
    need(kernel != nullptr, "no kernel");
    out->binaryVersion = 90;
    return fake.options.lacks_code ? told(cudaErrorNoKernelImageForDevice) : call();
}

cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute, int value) {
    Lock lock(fake.lock);
    if (value > SHARED_MOST) return told(cudaErrorInvalidValue);
    fake.shared_bytes[kernel] = value;
    return call();
}

cudaError_t fake_launch(const cudaLaunchConfig_t &config, const void *kernel, std::function<void()> thread) {
    enum { THREADS_MOST = 1024, SHARED_UNASKED = 48 << 10, Y_MOST = 65535 };
    Lock lock(fake.lock);
    const cudaError_t error = call();
    if (error != cudaSuccess) return error;
    const dim3 grid = config.gridDim, block = config.blockDim;
    const size_t shared_bytes = config.dynamicSmemBytes;
    const unsigned cluster = config.numAttrs ? config.attrs[0].val.clusterDim.x : 1;
    need(grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.x <= INT32_MAX && grid.y <= Y_MOST && grid.z <= Y_MOST,
         "a grid that no GPU takes");
    need(block.x > 0 && block.x <= THREADS_MOST && block.y == 1 && block.z == 1 && grid.x % cluster == 0,
         "a block that no GPU takes");
    need(shared_bytes <= SHARED_UNASKED || shared_bytes <= (size_t)fake.shared_bytes[kernel],
         "more shared memory than was asked for");
    const bool goes_wrong = fake.n_launches++ == fake.options.fail_kernel_at;
    return put(config.stream, [=] {
        if (goes_wrong)
            fake.broken = cudaErrorIllegalAddress;
        else if (fake.options.runs_kernels)
            simt::launch_cluster(grid, block, cluster, shared_bytes, thread);
    });
}

static CUresult encode_tiled(CUtensorMap *out, CUtensorMapDataType, cuuint32_t rank, void *base,
                             const cuuint64_t *extents, const cuuint64_t *strides, const cuuint32_t *box,
                             const cuuint32_t *steps, CUtensorMapInterleave, CUtensorMapSwizzle, CUtensorMapL2promotion,
                             CUtensorMapFloatOOBfill) {
    need(rank == 2 && steps[0] == 1 && steps[1] == 1, "a tensor map of another kind");
    const uint64_t both[2] = {extents[0], extents[1]};
    const uint32_t boxes[2] = {box[0], box[1]};
    const pkin::tensor_map map = pkin::encode_tensor_map(base, both, strides[0], boxes);
    if (!map.base) return CUDA_ERROR_INVALID_VALUE;
    memcpy(out, &map, sizeof map);
    return CUDA_SUCCESS;
}

cudaError_t cudaGetDriverEntryPointByVersion(const char *name, void **out, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult *out_found) {
    Lock lock(fake.lock);
    need(strcmp(name, "cuTensorMapEncodeTiled") == 0, "a function of the driver that the fake lacks");
    *out = reinterpret_cast<void *>(encode_tiled);
    *out_found = fake.options.is_fused_refused ? cudaDriverEntryPointSymbolNotFound : cudaDriverEntryPointSuccess;
    return call();
}

/* ---- cuBLASLt ---- */

struct fake_operation {
    cublasComputeType_t compute;
    cudaDataType_t scale;
    cublasOperation_t a = CUBLAS_OP_N, b = CUBLAS_OP_N;
};
struct fake_layout {
    cudaDataType_t type;
    uint64_t rows, columns;
    int64_t leading;
};
struct fake_preference {
    uint64_t workspace_bytes = 0;
    uint32_t reductions = UINT32_MAX, a_bytes = 256, b_bytes = 256;
};

static cublasStatus_t blas_call(cublasStatus_t failure = CUBLAS_STATUS_EXECUTION_FAILED) {
    return call() == cudaSuccess ? CUBLAS_STATUS_SUCCESS : failure;
}

template <class T, class... Values> static cublasStatus_t blas_create(T **out, Values... values) {
    Lock lock(fake.lock);
    if (blas_call() != CUBLAS_STATUS_SUCCESS) return CUBLAS_STATUS_ALLOC_FAILED;
    *out = new T{values...};
    fake.n_objects++;
    return CUBLAS_STATUS_SUCCESS;
}

template <class T> static cublasStatus_t blas_destroy(T *object) {
    Lock lock(fake.lock);
    delete object;
    fake.n_objects--;
    return CUBLAS_STATUS_SUCCESS;
}

struct fake_blas {
    int device;
};

cublasStatus_t cublasLtCreate(cublasLtHandle_t *out) {
    return blas_create(out, current_device);
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
    return blas_destroy(handle);
}

const char *cublasLtGetStatusString(cublasStatus_t) {
    return "a wished failure";
}

size_t cublasLtGetVersion(void) {
    return 130000;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *out, cublasComputeType_t compute, cudaDataType_t scale) {
    return blas_create(out, compute, scale);
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation) {
    return blas_destroy(operation);
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute,
                                              const void *value, size_t n_bytes) {
    Lock lock(fake.lock);
    need(n_bytes == sizeof operation->a, "the size of an attribute");
    memcpy(attribute == CUBLASLT_MATMUL_DESC_TRANSA ? &operation->a : &operation->b, value, n_bytes);
    return blas_call();
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *out, cudaDataType_t type, uint64_t rows,
                                          uint64_t columns, int64_t leading) {
    return blas_create(out, type, rows, columns, leading);
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
    return blas_destroy(layout);
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *out) {
    return blas_create(out);
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
    return blas_destroy(preference);
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void *value,
                                                    size_t n_bytes) {
    Lock lock(fake.lock);
    const bool is_wide = attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
    need(n_bytes == (is_wide ? sizeof(uint64_t) : sizeof(uint32_t)), "the size of an attribute");
    switch (attribute) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
        memcpy(&preference->workspace_bytes, value, n_bytes);
        break;
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
        memcpy(&preference->reductions, value, n_bytes);
        break;
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
        memcpy(&preference->a_bytes, value, n_bytes);
        break;
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
        memcpy(&preference->b_bytes, value, n_bytes);
        break;
    }
    return blas_call();
}

/* What cuBLASLt's documentation asks of 8-bit products in regular layouts. */
static bool is_supported(const fake_operation &o, const fake_layout &a, const fake_layout &b, const fake_layout &d) {
    const bool is_exact = o.scale == CUDA_R_32I && d.type == CUDA_R_32I;
    const bool is_scaled = o.scale == CUDA_R_32F && d.type == CUDA_R_8I;
    const uint64_t m = a.columns, n = b.columns, k = a.rows;
    return o.compute == CUBLAS_COMPUTE_32I && (is_exact || is_scaled) && o.a == CUBLAS_OP_T && o.b == CUBLAS_OP_N &&
           a.type == CUDA_R_8I && b.type == CUDA_R_8I && b.rows == k && d.rows == m && d.columns == n && m % 4 == 0 &&
           k % 4 == 0 && n > 0 && m > 0 && a.leading % 16 == 0 && b.leading % 16 == 0 && d.leading % 16 == 0 &&
           a.leading >= (int64_t)k && b.leading >= (int64_t)k && d.leading >= (int64_t)m;
}

/* The algorithm holds what it was chosen for, to be compared with what it is used for. */
static cublasLtMatmulAlgo_t algorithm_for(const fake_layout &a, const fake_layout &b, const fake_layout &d,
                                          uint64_t workspace_bytes) {
    return {{a.rows, a.columns, b.columns, (uint64_t)d.type, workspace_bytes, 64, 64, 1}};
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int,
                                              cublasLtMatmulHeuristicResult_t *out, int *n_out) {
    Lock lock(fake.lock);
    need(handle->device == current_device, "cuBLASLt of another device");
    need(preference->reductions == CUBLASLT_REDUCTION_SCHEME_NONE, "sums of saturated parts are allowed");
    need(preference->a_bytes == 64 && preference->b_bytes == 64, "more alignment than rows have is promised");
    *n_out = 0;
    if (!is_supported(*operation, *a, *b, *d)) return CUBLAS_STATUS_NOT_SUPPORTED;
    out->algo = algorithm_for(*a, *b, *d, preference->workspace_bytes);
    out->state = CUBLAS_STATUS_SUCCESS;
    out->workspaceSize = preference->workspace_bytes;
    *n_out = 1;
    return blas_call(CUBLAS_STATUS_NOT_SUPPORTED);
}

/* Column d_column of D: all of A's columns with one of B's. */
static void multiply_column(const fake_layout &a, const int8_t *in_a, const int8_t *in_b, float scale, void *out) {
    for (uint64_t i = 0; i < a.columns; i++) {
        const int8_t *column = in_a + i * (uint64_t)a.leading;
        int32_t sum = 0;
        for (uint64_t k = 0; k < a.rows; k++) sum += column[k] * in_b[k];
        if (scale == 0) {
            static_cast<int32_t *>(out)[i] = sum;
            continue;
        }
        /* To the nearest or towards zero, nobody may rely on either. */
        const float exact = (float)sum * scale, whole = fake.random() % 2 ? std::nearbyint(exact) : std::trunc(exact);
        static_cast<int8_t *>(out)[i] = (int8_t)std::max(-128.0f, std::min(127.0f, whole));
    }
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void *alpha, const void *a,
                              cublasLtMatrixLayout_t layout_a, const void *b, cublasLtMatrixLayout_t layout_b,
                              const void *beta, const void *c, cublasLtMatrixLayout_t layout_c, void *d,
                              cublasLtMatrixLayout_t layout_d, const cublasLtMatmulAlgo_t *algorithm, void *workspace,
                              size_t workspace_bytes, cudaStream_t stream) {
    Lock lock(fake.lock);
    const fake_layout in_a = *layout_a, in_b = *layout_b, out = *layout_d;
    const size_t element = out.type == CUDA_R_32I ? 4 : 1;
    const cublasLtMatmulAlgo_t asked = algorithm_for(in_a, in_b, out, workspace_bytes);
    if (blas_call() != CUBLAS_STATUS_SUCCESS) return CUBLAS_STATUS_EXECUTION_FAILED;
    need(handle->device == current_device, "cuBLASLt of another device");
    need(is_supported(*operation, in_a, in_b, out), "a product that cuBLASLt does not know");
    need(memcmp(&asked, algorithm, sizeof asked) == 0, "an algorithm that was chosen for another product");
    need(c == d && layout_c == layout_d, "another matrix C");
    need((uintptr_t)a % 64 == 0 && (uintptr_t)b % 64 == 0 && (uintptr_t)d % 256 == 0 && (uintptr_t)workspace % 256 == 0,
         "a matrix that is not aligned");
    need_on_device(a, (in_a.columns - 1) * (uint64_t)in_a.leading + in_a.rows);
    need_on_device(b, (in_b.columns - 1) * (uint64_t)in_b.leading + in_b.rows);
    need_on_device(d, ((out.columns - 1) * (uint64_t)out.leading + out.rows) * element);
    need_on_device(workspace, workspace_bytes);
    need((char *)workspace + workspace_bytes <= (char *)d ||
             (char *)d + out.columns * (uint64_t)out.leading * element <= (char *)workspace,
         "products that lie in the workspace");
    float scale = 0;
    if (element == 1)
        scale = *static_cast<const float *>(alpha);
    else
        need(*static_cast<const int32_t *>(alpha) == 1, "alpha is not 1");
    need(element == 1 ? *static_cast<const float *>(beta) == 0 : *static_cast<const int32_t *>(beta) == 0, "beta");
    put(stream, [=] {
        if (!fake.options.runs_kernels) return;
        memset(workspace, DIRT, std::min<size_t>(workspace_bytes, DIRTY_MOST));
        for (uint64_t j = 0; j < in_b.columns; j++) {
            multiply_column(in_a, static_cast<const int8_t *>(a), (const int8_t *)b + j * (uint64_t)in_b.leading, scale,
                            static_cast<char *>(d) + j * (uint64_t)out.leading * element);
        }
    });
    return CUBLAS_STATUS_SUCCESS;
}

/* ---- The loader, as cuda_blas.c is compiled to call it ---- */

extern "C" {
void *fake_dlopen(const char *name, int) {
    Lock lock(fake.lock);
    return fake.options.libraries.count(name) ? &fake : nullptr;
}

int fake_dlclose(void *) {
    return 0;
}

char *fake_dlerror(void) {
    static char text[] = "cannot open shared object file";
    return text;
}

int fake_access(const char *, int) {
    return -1; /* the loader alone knows where it is */
}

void *fake_dlsym(void *, const char *name) {
    static const std::map<std::string, void *> functions = {
#define FUNCTION(name) {#name, reinterpret_cast<void *>(name)}
        FUNCTION(cublasLtCreate),
        FUNCTION(cublasLtDestroy),
        FUNCTION(cublasLtGetStatusString),
        FUNCTION(cublasLtGetVersion),
        FUNCTION(cublasLtMatmulDescCreate),
        FUNCTION(cublasLtMatmulDescDestroy),
        FUNCTION(cublasLtMatmulDescSetAttribute),
        FUNCTION(cublasLtMatrixLayoutCreate),
        FUNCTION(cublasLtMatrixLayoutDestroy),
        FUNCTION(cublasLtMatmulPreferenceCreate),
        FUNCTION(cublasLtMatmulPreferenceDestroy),
        FUNCTION(cublasLtMatmulPreferenceSetAttribute),
        FUNCTION(cublasLtMatmulAlgoGetHeuristic),
        FUNCTION(cublasLtMatmul),
#undef FUNCTION
    };
    const auto found = functions.find(name);
    return found == functions.end() ? nullptr : found->second;
}
}
