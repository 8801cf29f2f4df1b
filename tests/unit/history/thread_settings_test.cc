/* SPDX-License-Identifier: Apache-2.0 */
#include "history/thread_settings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

namespace {

std::string write(const pkin_i_thread_settings &settings) {
    pkin_i_buffer line = {};
    EXPECT_EQ(pkin_i_thread_settings_write(&settings, &line), PKIN_OK);
    std::string out = line.bytes;
    pkin_i_buffer_free(&line);
    return out;
}

TEST(ThreadSettings, DefaultsComeBack) {
    pkin_i_thread_settings settings = pkin_i_thread_settings_default(), read = settings;
    ASSERT_EQ(pkin_i_thread_settings_tidy(&settings), PKIN_OK) << pkin_last_error();
    std::string line = write(settings);
    EXPECT_EQ(line, write(pkin_i_thread_settings_default())) << "tidying changed a default";
    EXPECT_EQ(line.rfind("method=leiden objective=", 0), 0u) << line;
    EXPECT_NE(line.find(" window=180"), std::string::npos) << line;
    ASSERT_TRUE(pkin_i_thread_settings_read(line.c_str(), &read));
    EXPECT_EQ(read.topics.graph.least_weight, settings.topics.graph.least_weight);
    EXPECT_EQ(write(read), line);
}

TEST(ThreadSettings, EveryValueComesBackBitByBit) {
    std::mt19937_64 random(5);
    for (int k = 0; k < 2000; k++) {
        pkin_i_thread_settings settings = pkin_i_thread_settings_default(), read = settings;
        std::uniform_real_distribution<double> real(0, std::pow(10.0, (double)(random() % 10) - 3));
        settings.topics.method = (pkin_cluster_method)(random() % 4);
        settings.topics.objective = (pkin_leiden_objective)(random() % 2);
        settings.topics.resolution = 1e-9 + real(random);
        settings.topics.field_resolution = (double)(random() % 1000) / 1000;
        settings.topics.author_damping = 0.1 * (double)(random() % 11);
        settings.topics.seed = random();
        settings.topics.n_clusters = (uint32_t)random();
        settings.topics.graph.weight = (pkin_edge_weight)(random() % 4);
        settings.topics.graph.sides = (pkin_graph_sides)(random() % 2);
        settings.window_days = (uint32_t)(random() % 1000);
        ASSERT_EQ(pkin_i_thread_settings_tidy(&settings), PKIN_OK) << pkin_last_error();
        std::string line = write(settings);
        ASSERT_TRUE(pkin_i_thread_settings_read(line.c_str(), &read)) << line;
        ASSERT_EQ(read.topics.resolution, settings.topics.resolution) << line;
        ASSERT_EQ(read.topics.author_damping, settings.topics.author_damping) << line;
        ASSERT_EQ(read.topics.seed, settings.topics.seed);
        ASSERT_EQ(read.topics.graph.weight, settings.topics.graph.weight);
        ASSERT_EQ(write(read), line);
        ASSERT_EQ(pkin_i_thread_settings_tidy(&read), PKIN_OK);
        ASSERT_EQ(write(read), line) << "tidy is tidy";
    }
}

TEST(ThreadSettings, ImpossibleOnesAreRefused) {
    for (double real : {-0.5, 1e-10, 1e7, (double)NAN, (double)INFINITY}) {
        pkin_i_thread_settings settings = pkin_i_thread_settings_default();
        settings.topics.resolution = real;
        EXPECT_EQ(pkin_i_thread_settings_tidy(&settings), PKIN_ERROR_INVALID_ARGUMENT) << real;
    }
    pkin_i_thread_settings settings = pkin_i_thread_settings_default();
    settings.topics.method = (pkin_cluster_method)4;
    EXPECT_EQ(pkin_i_thread_settings_tidy(&settings), PKIN_ERROR_INVALID_ARGUMENT);
}

TEST(ThreadSettings, AreReadStrictly) {
    pkin_i_thread_settings settings = pkin_i_thread_settings_default();
    settings.topics.resolution = 1.25;
    std::string line = write(settings);
    auto reads = [&](const std::string &text) {
        pkin_i_thread_settings read = pkin_i_thread_settings_default();
        std::string before = write(read);
        bool ok = pkin_i_thread_settings_read(text.c_str(), &read);
        EXPECT_TRUE(ok || write(read) == before) << "changed by " << text;
        return ok;
    };
    auto with = [&](const std::string &from, const std::string &to) {
        std::string text = line;
        size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return text.replace(at, from.size(), to);
    };
    ASSERT_TRUE(reads(line)) << line;
    EXPECT_TRUE(reads(with(" resolution=1.25", " resolution=1")));
    for (const char *number : {"1.250", "1.", ".5", "01.5", "1.2345678901", "-1", "1e3", "", "9000001", "0x1", "1,5"}) {
        EXPECT_FALSE(reads(with(" resolution=1.25", std::string(" resolution=") + number))) << number;
    }
    for (const char *count : {"", "-1", "007", "4294967296", " 180", "1 80", "180 "}) {
        EXPECT_FALSE(reads(with(" window=180", std::string(" window=") + count))) << count;
    }
    EXPECT_FALSE(reads(with("method=leiden", "method=louvain")));
    EXPECT_FALSE(reads(with("method=leiden", "method=leide")));
    EXPECT_FALSE(reads(with("method=leiden", "method=")));
    EXPECT_FALSE(reads(with("method=leiden ", "")));
    EXPECT_FALSE(reads(line + " more=1"));
    for (size_t n = 0; n < line.size(); n++) {
        if (line.compare(n, std::string::npos, "0") == 0 || line.compare(n, std::string::npos, "80") == 0) continue;
        EXPECT_FALSE(reads(line.substr(0, n))) << n;
    }
}

} // namespace
