/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The choice between backends, with one whose devices are none: it tells speeds that a test wants, and computes on the
 * processor or fails.
 */
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "plan_support.h"
#include "support/similarity_oracle.h"

extern "C" {
#include "base/failure.h"
#include "paperkin/backend.h"
#include "paperkin/generate.h"
#include "similarity/cpu_backend.h"
#include "similarity/plan_device.h"
#include "similarity/policy.h"
}

namespace {

/* ---- The backend ---- */

struct Fake {
    pkin_i_speeds speeds = {};
    pkin_status check = PKIN_OK, asked = PKIN_OK, opened = PKIN_OK; /* what these answer */
    int n_asked = 0, n_opened = 0;
    std::string devices, filter; /* that speeds were asked for */
} fake;

/* About what is foretold of an H100. */
pkin_i_speeds fast_speeds() {
    pkin_i_speeds speeds = {};
    snprintf(speeds.device, sizeof speeds.device, "Abacus 9000");
    speeds.n_devices = 1;
    speeds.memory_bytes = UINT64_C(80) << 30;
    speeds.start_seconds = 0.05;
    speeds.up_byte_seconds = speeds.down_byte_seconds = 5e-11;
    speeds.entry_seconds = 1e-11;
    speeds.candidate_seconds = 1e-9;
    speeds.seed_pair_seconds = 4e-14;
    const struct {
        const char *name;
        double operation;
        int joins_only;
    } filters[] = {
        {"fused", 1 / 1.4e15, 0}, {"gemm8", 1 / 0.9e15, 1}, {"gemm32", 1 / 0.4e15, 0}, {"dp4a", 1 / 4e13, 0}};
    for (const auto &filter : filters) {
        pkin_i_filter_speed *speed = &speeds.filters[speeds.n_filters];
        speed->filter = static_cast<uint32_t>(speeds.n_filters++);
        speed->name = filter.name;
        speed->joins_only = speed->is_coarse = filter.joins_only;
        for (int d = 0; d < PKIN_I_SPEED_DIMENSIONS; d++) {
            speed->pair_seconds[d] = 2 * filter.operation * pkin_i_speed_dimensions[d];
        }
    }
    return speeds;
}

pkin_status fake_check() {
    return fake.check == PKIN_OK ? PKIN_OK : pkin_i_fail(fake.check, "no abacus was found");
}

pkin_status fake_speeds(const char *devices, const char *filter, pkin_i_speeds *out) {
    fake.n_asked++;
    fake.devices = devices ? devices : "";
    fake.filter = filter ? filter : "";
    if (fake.asked != PKIN_OK) return pkin_i_fail(fake.asked, "the abacus counts no more");
    *out = fake.speeds;
    out->n_filters = 0;
    for (size_t f = 0; f < fake.speeds.n_filters; f++) {
        const pkin_i_filter_speed &speed = fake.speeds.filters[f];
        if (fake.filter.empty() || fake.filter == "auto" || fake.filter == speed.name) {
            out->filters[out->n_filters++] = speed;
        }
    }
    return PKIN_OK;
}

pkin_status fake_open(const pkin_i_task *task, const pkin_i_plan *plan, void **session) {
    fake.n_opened++;
    *session = nullptr;
    if (fake.opened != PKIN_OK) return pkin_i_fail(fake.opened, "the abacus has no beads left");
    task->outcome->n_devices = 1;
    snprintf(task->outcome->device, sizeof task->outcome->device, "Abacus 9000");
    task->outcome->bytes_up = 40;
    task->outcome->bytes_down = 2;
    task->outcome->device_bytes = 1000;
    task->outcome->n_splits = 3;
    return pkin_i_cpu_sketch_engine.open(task, plan, session);
}

const pkin_i_engine *fake_engine(pkin_i_method method) {
    static const pkin_i_engine engine = {fake_open, pkin_i_cpu_sketch_engine.join, pkin_i_cpu_sketch_engine.top_k,
                                         pkin_i_cpu_sketch_engine.close};
    return method == PKIN_I_METHOD_SKETCH ? &engine : nullptr;
}

const pkin_i_backend fake_backend = {"fake", "beads", fake_engine, fake_check, nullptr, fake_speeds};
const pkin_i_backend *const both[] = {&pkin_i_cpu_backend, &fake_backend}, *const alone[] = {&fake_backend};

/* ---- Planning ---- */

struct Plans : WeighedPlans {
    bool has(const pkin_i_backend *backend) const {
        return best_of(backend) != nullptr;
    }
    const pkin_i_plan *best_of(const pkin_i_backend *backend) const {
        for (const pkin_i_plan &plan : *this) {
            if (plan.backend == backend) return &plan;
        }
        return nullptr;
    }
    const pkin_i_plan *of(const char *kernel, uint32_t dimension) const {
        for (const pkin_i_plan &plan : *this) {
            if (plan.dimension == dimension && std::strcmp(plan.kernel, kernel) == 0) return &plan;
        }
        return nullptr;
    }
};

struct Rows {
    pkin_vectors *vectors = nullptr;
    explicit Rows(uint64_t n_rows) {
        pkin_generate_options options = pkin_generate_options_default();
        options.n_rows = n_rows;
        options.copy_share = 0;
        options.n_columns = 20000;
        EXPECT_EQ(pkin_vectors_generate(&options, &vectors), PKIN_OK);
    }
    ~Rows() {
        pkin_vectors_free(vectors);
    }
    Rows(const Rows &) = delete;
    Rows &operator=(const Rows &) = delete;
};

/* Work that plain C would need half a second for at the least, so that a device is worth a look; and far less. */
struct Choice : ::testing::Test {
    static Rows *large, *small;
    pkin_i_target target = {pkin_score_from_threshold(0.5), 0};
    pkin_i_wishes wishes = {};
    pkin_i_outcome outcome = {};

    static void SetUpTestSuite() {
        large = new Rows(12000);
        small = new Rows(1000);
    }
    static void TearDownTestSuite() {
        delete large;
        delete small;
        large = small = nullptr;
    }
    Choice() {
        fake = Fake();
        fake.speeds = fast_speeds();
        wishes.any_method = 1;
        wishes.isa = PKIN_I_ISA_PORTABLE;
    }
    pkin_status weigh(const Rows &rows, const pkin_i_backend *const *backends, size_t n, Plans *out, int explain = 0,
                      const char *devices = nullptr) {
        pkin_i_task task = {};
        task.a = rows.vectors;
        task.n_threads = 2;
        task.devices = devices;
        task.outcome = &outcome;
        task.n_pairs_total = pkin_i_task_pairs(&task, 0, rows.vectors->n_rows);
        pkin_i_plan_list_free(&out->list);
        return out->status = pkin_i_plan_weigh(&task, backends, n, &target, &wishes, explain, &out->list);
    }
};
Rows *Choice::large, *Choice::small;

TEST_F(Choice, LargeWorkGoesToAFastDevice) {
    for (uint32_t k : {0u, 10u}) {
        Plans plans;
        target.k = k;
        ASSERT_EQ(weigh(*large, both, 2, &plans), PKIN_OK) << pkin_last_error();
        const pkin_i_plan *best = plans.begin();
        EXPECT_EQ(best->backend, &fake_backend);
        EXPECT_STREQ(best->kernel, "fused");
        EXPECT_EQ(best->filter, 0u);
        EXPECT_EQ(best->method, PKIN_I_METHOD_SKETCH);
        EXPECT_STREQ(plans.list.device, "Abacus 9000");
        EXPECT_STREQ(plans.list.note, "");
        EXPECT_TRUE(plans.has(&pkin_i_cpu_backend));
        for (const pkin_i_plan &plan : plans) {
            EXPECT_NE(plan.kernel, nullptr);
            EXPECT_LE(plan.seconds.low, plan.seconds.middle);
            EXPECT_LE(plan.seconds.middle, plan.seconds.high);
            EXPECT_LE(plan.candidates.low, plan.candidates.middle);
            EXPECT_LE(plan.candidates.middle, plan.candidates.high);
            EXPECT_GE(plan.seconds.middle, best->seconds.middle);
            EXPECT_EQ(plan.device_bytes > 0, plan.backend == &fake_backend);
            if (plan.backend != &fake_backend) {
                EXPECT_STREQ(plan.kernel, "portable");
                continue;
            }
            EXPECT_GE(plan.seconds.middle, fake.speeds.start_seconds);
            EXPECT_EQ(plan.dimension % 128, 0u);
            EXPECT_GE(plan.dimension, 128u);
            EXPECT_LE(plan.dimension, 2048u);
            EXPECT_EQ(plan.strip_rows, large->vectors->n_rows);
            EXPECT_TRUE(k == 0 || std::strcmp(plan.kernel, "gemm8") != 0);
        }
    }
}

TEST_F(Choice, SmallWorkNeverAsks) {
    Plans plans;
    ASSERT_EQ(weigh(*small, both, 2, &plans), PKIN_OK);
    EXPECT_EQ(fake.n_asked, 0);
    EXPECT_EQ(plans.begin()->backend, &pkin_i_cpu_backend);
    EXPECT_FALSE(plans.has(&fake_backend));
    EXPECT_STREQ(plans.list.device, "");
}

/* A device that starts slowly, or is slow: weighed and left. */
TEST_F(Choice, ASlowDeviceIsLeft) {
    fake.speeds.start_seconds = 1000;
    Plans plans;
    ASSERT_EQ(weigh(*large, both, 2, &plans), PKIN_OK);
    EXPECT_EQ(plans.begin()->backend, &pkin_i_cpu_backend);
    EXPECT_EQ(fake.n_asked, 1);
    fake.speeds = fast_speeds();
    for (size_t f = 0; f < fake.speeds.n_filters; f++) {
        for (double &seconds : fake.speeds.filters[f].pair_seconds) seconds *= 1e6;
    }
    ASSERT_EQ(weigh(*large, both, 2, &plans), PKIN_OK);
    EXPECT_EQ(plans.begin()->backend, &pkin_i_cpu_backend);
}

/* An explanation weighs everything, however small the work. */
TEST_F(Choice, IsExplained) {
    wishes.isa = pkin_i_isa_best();
    Plans plans;
    ASSERT_EQ(weigh(*small, both, 2, &plans, 1), PKIN_OK);
    EXPECT_EQ(fake.n_asked, 1);
    EXPECT_EQ(plans.begin()->backend, &pkin_i_cpu_backend);
    EXPECT_TRUE(plans.has(&fake_backend));
    EXPECT_LE(plans.list.n_plans, 16u);
}

/* What is asked for is used, however small the work. */
TEST_F(Choice, OfOneIsThatOne) {
    wishes.isa = pkin_i_isa_best();
    for (const Rows *rows : {small, large}) {
        for (int explain : {0, 1}) {
            Plans plans;
            ASSERT_EQ(weigh(*rows, alone, 1, &plans, explain, "0,1"), PKIN_OK) << pkin_last_error();
            EXPECT_EQ(fake.devices, "0,1");
            for (const pkin_i_plan &plan : plans) EXPECT_EQ(plan.backend, &fake_backend);
        }
    }
}

TEST_F(Choice, FollowsTheFilterThatIsWished) {
    for (const char *filter : {"fused", "gemm8", "gemm32", "dp4a"}) {
        for (const Rows *rows : {small, large}) {
            Plans plans;
            wishes.gpu_filter = filter;
            ASSERT_EQ(weigh(*rows, alone, 1, &plans), PKIN_OK);
            for (const pkin_i_plan &plan : plans) EXPECT_STREQ(plan.kernel, filter);
        }
    }
    Plans plans;
    wishes.gpu_filter = "gemm8";
    target.k = 3;
    EXPECT_EQ(weigh(*large, alone, 1, &plans), PKIN_ERROR_UNSUPPORTED);
    EXPECT_NE(std::string(pkin_last_error()).find("gemm8"), std::string::npos);
    EXPECT_EQ(plans.list.plans, nullptr);
}

TEST_F(Choice, FollowsTheDimensionThatIsWished) {
    for (uint32_t dimension : {64u, 448u, 1024u, 4096u}) {
        Plans plans;
        wishes.dimension = dimension;
        ASSERT_EQ(weigh(*large, both, 2, &plans), PKIN_OK);
        EXPECT_TRUE(plans.has(&fake_backend));
        for (const pkin_i_plan &plan : plans) EXPECT_EQ(plan.dimension, dimension);
    }
}

/* A method that a device has not is the processor's; alone it is refused. */
TEST_F(Choice, FollowsTheMethodThatIsWished) {
    Plans plans;
    wishes.any_method = 0;
    wishes.method = PKIN_I_METHOD_TAIL;
    ASSERT_EQ(weigh(*large, both, 2, &plans), PKIN_OK);
    EXPECT_EQ(fake.n_asked, 0);
    EXPECT_EQ(plans.begin()->method, PKIN_I_METHOD_TAIL);
    EXPECT_EQ(weigh(*large, alone, 1, &plans), PKIN_ERROR_UNSUPPORTED);
    wishes.method = PKIN_I_METHOD_SKETCH;
    ASSERT_EQ(weigh(*large, both, 2, &plans), PKIN_OK);
    EXPECT_EQ(plans.begin()->backend, &fake_backend);
}

/* No device at all: nothing to be said. One that should do and does not: a note. Asked for: an error. */
TEST_F(Choice, BearsADeviceThatFails) {
    Plans plans;
    fake.check = PKIN_ERROR_UNSUPPORTED;
    ASSERT_EQ(weigh(*large, both, 2, &plans), PKIN_OK);
    EXPECT_EQ(fake.n_asked, 0);
    EXPECT_EQ(plans.begin()->backend, &pkin_i_cpu_backend);
    EXPECT_STREQ(plans.list.note, "");
    fake.check = PKIN_OK;
    for (pkin_status failure : {PKIN_ERROR_DEVICE, PKIN_ERROR_OUT_OF_MEMORY, PKIN_ERROR_UNSUPPORTED}) {
        fake.asked = failure;
        ASSERT_EQ(weigh(*large, both, 2, &plans), PKIN_OK);
        EXPECT_EQ(plans.begin()->backend, &pkin_i_cpu_backend);
        EXPECT_STREQ(plans.list.note, "the abacus counts no more");
        EXPECT_EQ(weigh(*large, alone, 1, &plans), failure);
        EXPECT_EQ(plans.list.plans, nullptr);
    }
}

/* Bounds are the same, so are candidates; a coarse filter has more. */
TEST_F(Choice, CandidatesAreThoseOfTheProcessor) {
    wishes.isa = pkin_i_isa_best();
    Plans plans;
    wishes.dimension = 512;
    ASSERT_EQ(weigh(*large, both, 2, &plans, 1), PKIN_OK);
    const pkin_i_plan *cpu = plans.of(pkin_i_isa_name(wishes.isa), 512), *fused = plans.of("fused", 512),
                      *coarse = plans.of("gemm8", 512);
    ASSERT_TRUE(cpu && fused && coarse);
    EXPECT_EQ(fused->candidates.low, cpu->candidates.low);
    EXPECT_EQ(fused->candidates.middle, cpu->candidates.middle);
    EXPECT_EQ(fused->candidates.high, cpu->candidates.high);
    EXPECT_GT(coarse->candidates.middle, cpu->candidates.middle);
    EXPECT_GE(coarse->candidates.low, cpu->candidates.low);
    EXPECT_GT(coarse->candidates.high, cpu->candidates.high);
}

/* Candidates that cost more want a tighter bound, products that cost more a looser one. */
TEST_F(Choice, DimensionFollowsTheSpeeds) {
    wishes.isa = pkin_i_isa_best();
    auto dimension_with = [&](double filter, double score) {
        Plans plans;
        fake.speeds = fast_speeds();
        fake.speeds.candidate_seconds *= score;
        for (size_t f = 0; f < fake.speeds.n_filters; f++) {
            for (double &seconds : fake.speeds.filters[f].pair_seconds) seconds *= filter;
        }
        EXPECT_EQ(weigh(*large, alone, 1, &plans, 1), PKIN_OK);
        return plans.begin()->dimension;
    };
    target.min_score = pkin_score_from_threshold(0.3);
    const uint32_t tight = dimension_with(1, 1e5), loose = dimension_with(1e5, 1);
    EXPECT_GT(tight, loose);
    EXPECT_GE(tight, 768u);
    EXPECT_LE(loose, 512u);
}

/* Rows that do not fit into a device are brought there piece by piece, which takes longer. */
TEST_F(Choice, PricesRowsThatDoNotFit) {
    wishes.isa = pkin_i_isa_best();
    Plans roomy, tight;
    wishes.dimension = 512;
    ASSERT_EQ(weigh(*large, alone, 1, &roomy, 1), PKIN_OK);
    fake.speeds.memory_bytes = UINT64_C(4) << 20;
    ASSERT_EQ(weigh(*large, alone, 1, &tight, 1), PKIN_OK);
    EXPECT_LE(tight.begin()->device_bytes, fake.speeds.memory_bytes);
    EXPECT_GT(roomy.begin()->device_bytes, UINT64_C(512) * large->vectors->n_rows);
    EXPECT_GT(tight.of("fused", 512)->seconds.middle, roomy.of("fused", 512)->seconds.middle);
}

/* The host's part of a device's work counts for the bound of memory. */
TEST_F(Choice, KeepsTheBoundOfMemory) {
    Plans plans;
    wishes.memory_bytes = UINT64_C(16) << 20;
    ASSERT_EQ(weigh(*large, both, 2, &plans), PKIN_OK);
    EXPECT_FALSE(plans.has(&fake_backend));
    EXPECT_EQ(weigh(*large, alone, 1, &plans), PKIN_ERROR_OUT_OF_MEMORY);
    wishes.memory_bytes = UINT64_C(1) << 30;
    ASSERT_EQ(weigh(*large, both, 2, &plans), PKIN_OK);
    ASSERT_TRUE(plans.has(&fake_backend));
    EXPECT_LE(plans.best_of(&fake_backend)->bytes, wishes.memory_bytes);
}

TEST_F(Choice, OfNothingIsSomething) {
    TestVectors none({5, {}}), one({5, {{{1, 1.0}}}});
    for (const pkin_vectors *a : {none.vectors, one.vectors}) {
        for (int explain : {0, 1}) {
            for (size_t n : {size_t(1), size_t(2)}) {
                Plans plans;
                pkin_i_task task = {};
                task.a = a;
                task.n_threads = 1;
                task.outcome = &outcome;
                ASSERT_EQ(pkin_i_plan_weigh(&task, n == 1 ? alone : both, n, &target, &wishes, explain, &plans.list),
                          PKIN_OK)
                    << pkin_last_error();
                ASSERT_GE(plans.list.n_plans, 1u);
                EXPECT_GE(plans.begin()->strip_rows, 1u);
                EXPECT_EQ(plans.begin()->backend, n == 1 ? &fake_backend : &pkin_i_cpu_backend);
            }
        }
    }
}

TEST(DevicePrice, SpeedsLieOnLines) {
    pkin_i_filter_speed speed = {};
    speed.pair_seconds[0] = 2;
    speed.pair_seconds[1] = 3;
    speed.pair_seconds[2] = 7;
    const struct {
        uint32_t dimension;
        double seconds;
    } expected[] = {{128, 1}, {256, 2}, {384, 2.5}, {512, 3}, {768, 5}, {1024, 7}, {2048, 14}};
    for (const auto &e : expected) EXPECT_DOUBLE_EQ(pkin_i_device_pair_seconds(&speed, e.dimension), e.seconds);
}

/* Two devices halve the filter, not what each has to do for itself. */
TEST(DevicePrice, DevicesShareTheWork) {
    pkin_i_job job = {};
    job.within = 1;
    job.n_a = job.n_b = 1000000;
    job.n_pairs = job.n_a * (job.n_a - 1) / 2;
    job.entries_a = job.entries_b = 100000000;
    job.n_columns = 100000;
    job.n_threads = 16;
    job.n_parallel = 16;
    pkin_i_speeds speeds = fast_speeds();
    pkin_i_plan one = {}, two = {};
    one.dimension = two.dimension = 512;
    pkin_i_device_price(&job, &speeds, &speeds.filters[0], 0, &one);
    speeds.n_devices = 2;
    pkin_i_device_price(&job, &speeds, &speeds.filters[0], 0, &two);
    const double filter = pkin_i_device_pair_seconds(&speeds.filters[0], 512) * static_cast<double>(job.n_pairs);
    EXPECT_NEAR(one.seconds.middle - two.seconds.middle, filter / 2, 0.01 * filter);
    /* A row: its sketch and 12 bytes beside, 8 bytes an entry. */
    EXPECT_GT(one.device_bytes, 1000000u * (512 + 12 + 800));
    EXPECT_LT(one.device_bytes, 1000000u * (512 + 12 + 800) + (UINT64_C(300) << 20));
}

/* ---- Opening what was planned ---- */

struct Opening : Choice {
    pkin_i_work work = {};
    pkin_similarity_report report = pkin_similarity_report_default();

    pkin_status take(const Rows &rows, const pkin_i_backend *const *backends, size_t n) {
        pkin_similarity_options options = pkin_similarity_options_default();
        options.n_threads = 2;
        options.report = &report;
        const pkin_status status = pkin_i_work_take(rows.vectors, nullptr, 0, 0.5, 0, &options, &work);
        work.rows.wishes.isa = PKIN_I_ISA_PORTABLE; /* which makes the work large */
        work.request.backends = backends;
        work.request.n_backends = n;
        return status;
    }
    ~Opening() override {
        pkin_i_work_close(&work);
    }
};

TEST_F(Opening, OnTheDevice) {
    ASSERT_EQ(take(*large, both, 2), PKIN_OK);
    ASSERT_EQ(pkin_i_work_open(&work), PKIN_OK) << pkin_last_error();
    pkin_i_work_report(&work, 0, 0);
    EXPECT_EQ(fake.n_opened, 1);
    EXPECT_STREQ(report.backend, "fake");
    EXPECT_STREQ(report.gpu_filter, "fused");
    EXPECT_STREQ(report.instruction_set, "none");
    EXPECT_STREQ(report.device, "Abacus 9000");
    EXPECT_STREQ(report.note, "");
    EXPECT_EQ(report.n_devices, 1);
    EXPECT_EQ(report.moved_bytes, 42u);
    EXPECT_EQ(report.device_bytes, 1000u);
    EXPECT_EQ(report.n_splits, 3u);
}

/* A device that was chosen, not asked for, and cannot be opened: the processor does the work, and it is said. */
TEST_F(Opening, OnTheProcessorInstead) {
    for (pkin_status failure : {PKIN_ERROR_OUT_OF_MEMORY, PKIN_ERROR_DEVICE}) {
        fake.opened = failure;
        ASSERT_EQ(take(*large, both, 2), PKIN_OK);
        ASSERT_EQ(pkin_i_work_open(&work), PKIN_OK) << pkin_last_error();
        pkin_i_pair_sink *sink = nullptr;
        pkin_pair_list pairs = {};
        ASSERT_EQ(pkin_i_pair_sink_open(&sink), PKIN_OK);
        ASSERT_EQ(work.engine->join(work.session, 0, work.rows.task.a->n_rows, target.min_score, sink), PKIN_OK);
        pkin_i_pair_sink_take(sink, &pairs);
        EXPECT_GT(pairs.n_pairs, 0u);
        pkin_i_work_report(&work, pairs.n_pairs, 0);
        EXPECT_STREQ(report.backend, "cpu");
        EXPECT_STREQ(report.gpu_filter, "none");
        EXPECT_STREQ(report.instruction_set, "portable");
        EXPECT_STREQ(report.device, "");
        EXPECT_EQ(report.n_devices, 0);
        EXPECT_NE(std::string(report.note).find("the abacus has no beads left"), std::string::npos) << report.note;
        pkin_pair_list_free(&pairs);
        pkin_i_pair_sink_close(sink);
        pkin_i_work_close(&work);
        work = {};
    }
}

TEST_F(Opening, FailsWhereTheDeviceWasAskedFor) {
    fake.opened = PKIN_ERROR_OUT_OF_MEMORY;
    ASSERT_EQ(take(*large, alone, 1), PKIN_OK);
    EXPECT_EQ(pkin_i_work_open(&work), PKIN_ERROR_OUT_OF_MEMORY);
    EXPECT_STREQ(pkin_last_error(), "the abacus has no beads left");
}

TEST_F(Opening, FailsForReasonsThatAreNotTheDevices) {
    for (pkin_status failure : {PKIN_ERROR_CANCELLED, PKIN_ERROR_INVALID_ARGUMENT}) {
        fake.opened = failure;
        ASSERT_EQ(take(*large, both, 2), PKIN_OK);
        EXPECT_EQ(pkin_i_work_open(&work), failure);
        pkin_i_work_close(&work);
        work = {};
    }
}

TEST_F(Opening, TellsWhyADeviceWasLeftOut) {
    fake.asked = PKIN_ERROR_DEVICE;
    ASSERT_EQ(take(*large, both, 2), PKIN_OK);
    ASSERT_EQ(pkin_i_work_open(&work), PKIN_OK);
    pkin_i_work_report(&work, 0, 0);
    EXPECT_STREQ(report.backend, "cpu");
    EXPECT_NE(std::string(report.note).find("the abacus counts no more"), std::string::npos) << report.note;
}

/* ---- What options mean ---- */

pkin_status taken(const pkin_similarity_options &options, pkin_i_request *request) {
    static TestVectors rows({3, {{{0, 1.0}}, {{1, 1.0}}}});
    return pkin_i_request_take(rows.vectors, nullptr, 0, 0.5, 0, &options, request);
}

TEST(Options, ParticularsNameTheBackend) {
    pkin_i_request request;
    pkin_similarity_options options = pkin_similarity_options_default();
    EXPECT_STREQ(options.devices, "auto");
    EXPECT_STREQ(options.gpu_filter, "auto");
    ASSERT_EQ(taken(options, &request), PKIN_OK);
    EXPECT_EQ(request.n_backends, pkin_backend_count());
    EXPECT_STREQ(request.backends[0]->name, "cpu");
    options.devices = options.gpu_filter = options.backend = nullptr;
    ASSERT_EQ(taken(options, &request), PKIN_OK);
    EXPECT_EQ(request.n_backends, pkin_backend_count());
    /* An instruction set is the processor's. */
    options.instruction_set = "portable";
    ASSERT_EQ(taken(options, &request), PKIN_OK);
    EXPECT_EQ(request.n_backends, 1u);
    EXPECT_STREQ(request.backends[0]->name, "cpu");
    options.instruction_set = nullptr;
    /* Devices and filters are a GPU's: there may be none here. */
    for (int particular = 0; particular < 2; particular++) {
        options = pkin_similarity_options_default();
        (particular ? options.gpu_filter : options.devices) = particular ? "dp4a" : "0";
        const pkin_status status = taken(options, &request);
        EXPECT_EQ(status, pkin_backend_check("cuda"));
        if (status == PKIN_OK) {
            EXPECT_STREQ(request.backends[0]->name, "cuda");
        } else {
            EXPECT_EQ(status, PKIN_ERROR_UNSUPPORTED);
            EXPECT_NE(std::string(pkin_last_error()).find("cuda"), std::string::npos);
        }
        options.backend = "cpu";
        EXPECT_EQ(taken(options, &request), PKIN_ERROR_INVALID_ARGUMENT);
    }
    options = pkin_similarity_options_default();
    options.gpu_filter = "abacus";
    EXPECT_EQ(taken(options, &request), PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(std::string(pkin_last_error()).find("gemm32"), std::string::npos);
}

TEST(Options, OfAnEarlierLibraryDo) {
    TestVectors rows({3, {{{0, 1.0}}, {{0, 1.0}, {1, 0.1}}}});
    pkin_similarity_options options = pkin_similarity_options_default();
    pkin_pair_list list = {};
    options.size = offsetof(pkin_similarity_options, devices);
    options.devices = options.gpu_filter = "not to be read";
    ASSERT_EQ(pkin_similarity_join(rows.vectors, nullptr, 0.5, &options, &list), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(list.n_pairs, 1u);
    pkin_pair_list_free(&list);
}

/* Every name is answered: what there is, or why not and what to do. */
TEST(Checks, SayWhyNot) {
    EXPECT_EQ(pkin_backend_check("cpu"), PKIN_OK);
    EXPECT_EQ(pkin_backend_check("auto"), PKIN_OK);
    EXPECT_EQ(pkin_backend_check("abacus"), PKIN_ERROR_UNSUPPORTED);
    EXPECT_NE(std::string(pkin_last_error()).find("abacus"), std::string::npos);
    pkin_device_list list = {};
    ASSERT_EQ(pkin_backend_devices("cpu", &list), PKIN_OK);
    EXPECT_EQ(list.n_devices, 0u);
    EXPECT_EQ(pkin_backend_devices("cpu", nullptr), PKIN_ERROR_INVALID_ARGUMENT);
    const pkin_status status = pkin_backend_check("cuda");
    EXPECT_EQ(pkin_backend_devices("cuda", &list), status);
    EXPECT_EQ(list.n_devices > 0, status == PKIN_OK);
    pkin_device_list_free(&list);
}

} // namespace
