/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include "corpus/corpus_private.h"
#include "corpus_test_support.h"
#include "support/temporary_folder.h"

namespace {

std::string gzip(const std::string &text) {
    std::string out(compressBound(text.size()) + 64, '\0');
    z_stream stream = {};
    EXPECT_EQ(Z_OK, deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY));
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef *>(&out[0]);
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(Z_STREAM_END, deflate(&stream, Z_FINISH));
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string zstd(const std::string &text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(&out[0], out.size(), text.data(), text.size(), 3));
    return out;
}

const std::string skippable("\x53\x2A\x4D\x18\x05\0\0\0hello", 13);

std::string text_of(const Reading &reading) {
    size_t n_bytes;
    const char *bytes = static_cast<const char *>(pkin_corpus_bytes(reading.corpus.get(), &n_bytes));
    return std::string(bytes, n_bytes);
}

TEST(Input, CompressedForms) {
    std::string text = small_digest(), head = text.substr(0, 500), tail = text.substr(500);
    for (const std::string &packed :
         {gzip(text), gzip(head) + gzip(tail), gzip("") + gzip(text) + gzip(""), zstd(text), zstd(head) + zstd(tail),
          skippable + zstd(head) + skippable + zstd(tail) + skippable}) {
        Reading reading = read_text(packed);
        ASSERT_EQ(PKIN_OK, reading.status) << reading.error;
        EXPECT_EQ(2u, reading.size());
        EXPECT_EQ(text, text_of(reading));
    }
}

TEST(Input, NothingPacked) {
    for (const std::string &packed : {gzip(""), zstd(""), skippable}) {
        Reading reading = read_text(packed);
        EXPECT_EQ(PKIN_OK, reading.status) << reading.error;
        EXPECT_EQ(0u, reading.size());
    }
}

/* Larger than every buffer on the way, and well compressible, so that output comes long after its input. */
TEST(Input, Large) {
    std::string text;
    while (text.size() < (6u << 20)) text += small_crawl();
    for (const std::string &packed :
         {gzip(text), zstd(text), gzip(text) + gzip(text.substr(0, 1)), zstd(text) + skippable}) {
        Reading reading = read_text(packed);
        ASSERT_EQ(PKIN_OK, reading.status) << reading.error;
        EXPECT_EQ(text, text_of(reading).substr(0, text.size()));
    }
}

TEST(Input, EveryTruncationIsDamage) {
    std::string text = small_crawl();
    for (const std::string &packed : {gzip(text), zstd(text), zstd(text) + skippable}) {
        for (size_t n = 4; n < packed.size(); n++) {
            if (n == zstd(text).size() && packed.compare(0, n, zstd(text)) == 0) continue; /* a whole first frame */
            Reading reading = read_text(packed.substr(0, n));
            ASSERT_EQ(PKIN_ERROR_CORRUPT, reading.status) << n << " of " << packed.size();
            ASSERT_NE(std::string::npos, reading.error.find("test.input: ")) << reading.error;
        }
    }
}

TEST(Input, TrailingGarbageIsDamage) {
    std::string text = small_crawl();
    for (const std::string &tail : {std::string("garbage at the end"), std::string("g"), std::string("\x1F"),
                                    std::string(8, '\0') + "g", std::string(8, '\0') + gzip(text)}) {
        EXPECT_EQ(PKIN_ERROR_CORRUPT, read_text(gzip(text) + tail).status) << tail;
        EXPECT_EQ(PKIN_ERROR_CORRUPT, read_text(zstd(text) + tail).status) << tail;
    }
    EXPECT_NE(std::string::npos, read_text(gzip(text) + "x").error.find("fetch or compress the file again"));
}

/* As gzip(1) reads it: tapes and devices fill their last block. */
TEST(Input, ZerosBehindGzipArePadding) {
    std::string text = small_crawl();
    for (size_t n : {1u, 511u, 100000u}) {
        Reading reading = read_text(gzip(text) + std::string(n, '\0'));
        ASSERT_EQ(PKIN_OK, reading.status) << reading.error;
        EXPECT_EQ(text, text_of(reading));
    }
    EXPECT_EQ(PKIN_ERROR_CORRUPT, read_text(zstd(text) + std::string(8, '\0')).status);
}

TEST(Input, FlippedBitsAreDamageOrNothingWorse) {
    std::string packed = gzip(small_crawl());
    for (size_t k = 10; k < packed.size(); k++) {
        std::string bad = packed;
        bad[k] = static_cast<char>(bad[k] ^ 0x10);
        EXPECT_NE(PKIN_OK, read_text(bad).status) << k;
    }
}

TEST(Input, FilesAndTheirErrors) {
    std::string path = ::testing::TempDir() + "/input_test." + std::to_string(getpid()) + ".md";
    std::ofstream(path, std::ios::binary) << gzip(small_digest());
    Reading reading = read_path(path);
    EXPECT_EQ(2u, reading.size());
    EXPECT_EQ(path, pkin_corpus_name(reading.corpus.get()));
    std::remove(path.c_str());
    reading = read_path(path);
    EXPECT_EQ(PKIN_ERROR_IO, reading.status);
    EXPECT_NE(std::string::npos, reading.error.find(path));
    EXPECT_EQ(PKIN_ERROR_IO, read_path(::testing::TempDir()).status);
}

TEST(Input, LargeFilesReadInPieces) {
    std::string path = ::testing::TempDir() + "/input_test." + std::to_string(getpid()) + ".jsonl", text;
    for (int k = 0; text.size() < (size_t(9) << 20); k++) {
        text += "{\"id\": \"" + std::to_string(k) + "\", \"title\": \"" + std::string(1000, 'x') + "\"}\n";
    }
    for (const std::string &bytes : {text, gzip(text), std::string(size_t(9) << 20, '\n')}) {
        std::ofstream(path, std::ios::binary) << bytes;
        pkin_i_buffer whole = {}, pieces = {};
        EXPECT_EQ(PKIN_OK, pkin_i_input_read(path.c_str(), &whole));
        EXPECT_EQ(PKIN_OK, pkin_i_input_read_parallel(path.c_str(), 3, &pieces));
        EXPECT_TRUE(std::string(whole.bytes, whole.n_bytes) == std::string(pieces.bytes, pieces.n_bytes));
        EXPECT_EQ('\0', pieces.bytes[pieces.n_bytes]);
        pkin_i_buffer_free(&whole);
        pkin_i_buffer_free(&pieces);
    }
    std::remove(path.c_str());
}

/* Opens the pipe for writing, writes and is gone: whoever opens the pipe again waits for a writer that never comes. */
TEST(Input, PipesAreOpenedOnce) {
    TemporaryFolder folder;
    std::string path = folder.str("pipe");
    ASSERT_EQ(0, mkfifo(path.c_str(), 0600));
    int notes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    ASSERT_GE(notes, 0);
    ASSERT_GE(inotify_add_watch(notes, path.c_str(), IN_OPEN | IN_CLOSE_NOWRITE), 0);
    std::thread writer([&] { std::ofstream(path, std::ios::binary) << "all of it"; });
    pkin_i_buffer out = {};
    EXPECT_EQ(PKIN_OK, pkin_i_input_read_parallel(path.c_str(), 3, &out));
    writer.join();
    EXPECT_STREQ("all of it", out.bytes);
    pkin_i_buffer_free(&out);
    int n_closed = 0;
    inotify_event note;
    while (read(notes, &note, sizeof note) == sizeof note) n_closed += (note.mask & IN_CLOSE_NOWRITE) != 0;
    close(notes);
    EXPECT_EQ(1, n_closed);
}

TEST(Input, StandardInput) {
    std::string path = ::testing::TempDir() + "/input_test." + std::to_string(getpid()) + ".stdin";
    std::ofstream(path, std::ios::binary) << zstd(small_crawl());
    int kept = dup(STDIN_FILENO);
    ASSERT_NE(nullptr, freopen(path.c_str(), "rb", stdin));
    Reading reading = read_path("-");
    dup2(kept, STDIN_FILENO);
    close(kept);
    std::remove(path.c_str());
    EXPECT_EQ(2u, reading.size()) << reading.error;
    EXPECT_STREQ("-", pkin_corpus_name(reading.corpus.get()));
}

TEST(Input, AppendsToWhatIsThere) {
    std::string path = ::testing::TempDir() + "/input_test." + std::to_string(getpid()) + ".gz";
    std::ofstream(path, std::ios::binary) << gzip("behind");
    pkin_i_buffer out = {};
    ASSERT_EQ(PKIN_OK, pkin_i_buffer_string(&out, "before "));
    EXPECT_EQ(PKIN_OK, pkin_i_input_read(path.c_str(), &out));
    EXPECT_STREQ("before behind", out.bytes);
    bool was_packed = false;
    EXPECT_EQ(PKIN_OK, pkin_i_input_read_telling(path.c_str(), &out, &was_packed));
    EXPECT_TRUE(was_packed);
    std::ofstream(path, std::ios::binary) << "plain";
    EXPECT_EQ(PKIN_OK, pkin_i_input_read_telling(path.c_str(), &out, &was_packed));
    EXPECT_FALSE(was_packed);
    pkin_i_buffer_free(&out);
    std::remove(path.c_str());
}

} // namespace
