/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>
#include <vector>

extern "C" {
#include "paperkin/features.h"
#include "vector/matrix.h"
#include "vector/zip.h"
}

namespace {

class Npz : public testing::Test {
  protected:
    std::string folder;

    void SetUp() override {
        char name[] = "/tmp/pkin_npz_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder = name;
    }
    void TearDown() override {
        for (const char *file : {"x.npz", "x.ids.txt", "x.terms.txt"}) unlink((folder + "/" + file).c_str());
        rmdir(folder.c_str());
    }
    std::string path(const char *file = "x.npz") const {
        return folder + "/" + file;
    }
};

void write_file(const std::string &path, const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string read_file(const std::string &path) {
    std::stringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
}

bool exists(const std::string &path) {
    struct stat info;
    return stat(path.c_str(), &info) == 0;
}

void append_little(std::string &out, uint64_t value, int n) {
    for (int k = 0; k < n; k++) out.push_back(static_cast<char>(value >> (8 * k) & 0xFF));
}

template <typename T> std::string bytes_of(const std::vector<T> &items) {
    return std::string(reinterpret_cast<const char *>(items.data()), items.size() * sizeof(T));
}

std::string npy(const std::string &descr, const std::string &shape, const std::string &items, int version = 1) {
    std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
    while ((header.size() + (version == 1 ? 10 : 12) + 1) % 64) header += ' ';
    header += '\n';
    std::string out = "\x93NUMPY";
    out += static_cast<char>(version);
    out += '\0';
    append_little(out, header.size(), version == 1 ? 2 : 4);
    return out + header + items;
}

std::string raw_deflate(const std::string &bytes) {
    std::string out(bytes.size() + 1000, '\0');
    z_stream stream = {};
    deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef *>(&out[0]);
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

using Members = std::vector<std::pair<std::string, std::string>>;

/* A zip archive with 32-bit sizes, as other programs write small ones. */
std::string zip(const Members &members, bool deflated = false) {
    std::string out, directory;
    for (const auto &member : members) {
        std::string packed = deflated ? raw_deflate(member.second) : member.second;
        uint32_t crc = static_cast<uint32_t>(
            crc32(0, reinterpret_cast<const Bytef *>(member.second.data()), static_cast<uInt>(member.second.size())));
        std::string common;
        append_little(common, 20, 2);
        append_little(common, 0, 2);
        append_little(common, deflated ? 8 : 0, 2);
        append_little(common, 0, 4);
        append_little(common, crc, 4);
        append_little(common, packed.size(), 4);
        append_little(common, member.second.size(), 4);
        append_little(common, member.first.size(), 2);
        append_little(common, 0, 2);
        append_little(directory, 0x02014b50, 4);
        append_little(directory, 20, 2);
        directory += common;
        directory.append(10, '\0');
        append_little(directory, out.size(), 4);
        directory += member.first;
        append_little(out, 0x04034b50, 4);
        out += common + member.first + packed;
    }
    uint64_t begin = out.size();
    out += directory;
    append_little(out, 0x06054b50, 4);
    append_little(out, 0, 4);
    append_little(out, members.size(), 2);
    append_little(out, members.size(), 2);
    append_little(out, directory.size(), 4);
    append_little(out, begin, 4);
    append_little(out, 0, 2);
    return out;
}

std::string integers(const std::vector<int64_t> &items, const std::string &descr = "<i8", int version = 1) {
    std::string bytes;
    int width = descr[2] - '0';
    for (int64_t item : items) append_little(bytes, static_cast<uint64_t>(item), width);
    return npy(descr, "(" + std::to_string(items.size()) + ",)", bytes, version);
}

std::string doubles(const std::vector<double> &items) {
    return npy("<f8", "(" + std::to_string(items.size()) + ",)", bytes_of(items));
}

/* The members of a 3 x 4 matrix; tests replace one of them. */
struct Csr {
    std::string format = npy("|S3", "()", "csr");
    std::string shape = integers({3, 4});
    std::string indptr = integers({0, 2, 2, 3}, "<i4");
    std::string indices = integers({0, 3, 1}, "<i4");
    std::string data = doubles({0.25, 0.5, 1});

    Members members() const {
        return {{"indices.npy", indices},
                {"indptr.npy", indptr},
                {"format.npy", format},
                {"shape.npy", shape},
                {"data.npy", data}};
    }
};

struct Read {
    pkin_matrix *matrix = nullptr;
    pkin_status status;
    explicit Read(const std::string &path) {
        status = pkin_matrix_read_npz(path.c_str(), &matrix);
    }
    ~Read() {
        pkin_matrix_free(matrix);
    }
    Read(const Read &) = delete;
    Read &operator=(const Read &) = delete;
    pkin_csr_view view() const {
        return pkin_matrix_view(matrix);
    }
};

void expect_small(const pkin_csr_view &view) {
    ASSERT_EQ(view.n_rows, 3u);
    ASSERT_EQ(view.n_columns, 4u);
    EXPECT_EQ(std::vector<uint64_t>(view.row_offsets, view.row_offsets + 4), (std::vector<uint64_t>{0, 2, 2, 3}));
    EXPECT_EQ(std::vector<uint32_t>(view.columns, view.columns + 3), (std::vector<uint32_t>{0, 3, 1}));
    EXPECT_EQ(std::vector<double>(view.values, view.values + 3), (std::vector<double>{0.25, 0.5, 1}));
}

TEST_F(Npz, ReadsStoredAndDeflatedMembers) {
    for (bool deflated : {false, true}) {
        write_file(path(), zip(Csr().members(), deflated));
        Read read(path());
        ASSERT_EQ(read.status, PKIN_OK) << pkin_last_error();
        expect_small(read.view());
        EXPECT_EQ(pkin_matrix_row_id(read.matrix, 0), nullptr);
        EXPECT_EQ(pkin_matrix_term(read.matrix, 0), nullptr);
    }
}

TEST_F(Npz, ReadsEveryTypeThatNumPyMayHaveChosen) {
    for (const char *index_type : {"<i4", "<i8", "<u4", "<u8", "<i2", "|u1", "|i1"}) {
        for (int version : {1, 2, 3}) {
            Csr csr;
            csr.indptr = integers({0, 2, 2, 3}, index_type, version);
            csr.indices = integers({0, 3, 1}, index_type, version);
            write_file(path(), zip(csr.members()));
            Read read(path());
            ASSERT_EQ(read.status, PKIN_OK) << index_type << ": " << pkin_last_error();
            expect_small(read.view());
        }
    }
    Csr csr;
    csr.data = npy("<f4", "(3,)", bytes_of(std::vector<float>{0.25f, 0.5f, 1.0f}));
    csr.format = npy("<U3", "()", std::string("c\0\0\0s\0\0\0r\0\0\0", 12));
    write_file(path(), zip(csr.members()));
    Read read(path());
    ASSERT_EQ(read.status, PKIN_OK) << pkin_last_error();
    expect_small(read.view());
}

TEST_F(Npz, ReadsIntegerData) {
    for (const char *type : {"<i8", "<i4", "<u2", "|i1", "|u1"}) {
        Csr csr;
        csr.data = integers({1, 2, 100}, type);
        write_file(path(), zip(csr.members()));
        Read read(path());
        ASSERT_EQ(read.status, PKIN_OK) << pkin_last_error();
        EXPECT_EQ(read.view().values[2], 100.0);
    }
    Csr csr;
    csr.data = integers({1, -2, 100}, "|i1");
    write_file(path(), zip(csr.members()));
    EXPECT_EQ(Read(path()).status, PKIN_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(std::string(pkin_last_error()).find("-2"), std::string::npos) << pkin_last_error();
}

TEST_F(Npz, SortsColumnsSumsDuplicatesAndDropsZeros) {
    Csr csr;
    csr.indptr = integers({0, 5, 5, 6});
    csr.indices = integers({3, 0, 3, 2, 1, 1});
    csr.data = doubles({0.25, 1, 0.5, 0, 2, -0.0});
    write_file(path(), zip(csr.members()));
    Read read(path());
    ASSERT_EQ(read.status, PKIN_OK) << pkin_last_error();
    pkin_csr_view view = read.view();
    EXPECT_EQ(std::vector<uint64_t>(view.row_offsets, view.row_offsets + 4), (std::vector<uint64_t>{0, 3, 3, 3}));
    EXPECT_EQ(std::vector<uint32_t>(view.columns, view.columns + 3), (std::vector<uint32_t>{0, 1, 3}));
    EXPECT_EQ(std::vector<double>(view.values, view.values + 3), (std::vector<double>{1, 2, 0.75}));
    EXPECT_EQ(pkin_i_csr_check(&view), PKIN_OK);
}

TEST_F(Npz, SortsLongRows) {
    std::mt19937 random(3);
    std::vector<int64_t> columns(1000);
    std::vector<double> values(1000), expected(500);
    for (size_t k = 0; k < columns.size(); k++) {
        columns[k] = random() % 500;
        values[k] = 1 + random() % 8;
        expected[columns[k]] += values[k];
    }
    Csr csr;
    csr.shape = integers({1, 500});
    csr.indptr = integers({0, 1000});
    csr.indices = integers(columns);
    csr.data = doubles(values);
    write_file(path(), zip(csr.members()));
    Read read(path());
    ASSERT_EQ(read.status, PKIN_OK) << pkin_last_error();
    std::vector<double> dense(500);
    for (uint64_t k = 0; k < read.view().row_offsets[1]; k++) dense[read.view().columns[k]] = read.view().values[k];
    EXPECT_EQ(dense, expected);
}

TEST_F(Npz, BadValuesNameTheirRow) {
    for (double bad : {-0.5, std::nan(""), std::numeric_limits<double>::infinity()}) {
        Csr csr;
        csr.data = doubles({0.25, 0.5, bad});
        write_file(path(), zip(csr.members()));
        EXPECT_EQ(Read(path()).status, PKIN_ERROR_INVALID_ARGUMENT);
        EXPECT_NE(std::string(pkin_last_error()).find("row 2 "), std::string::npos) << pkin_last_error();
    }
}

TEST_F(Npz, ContradictionsAreErrors) {
    std::vector<std::pair<const char *, Csr>> cases;
    Csr csr;
    auto add = [&](const char *what, std::string Csr::*member, std::string bytes) {
        csr = Csr();
        csr.*member = bytes;
        cases.push_back({what, csr});
    };
    add("another form", &Csr::format, npy("|S3", "()", "csc"));
    add("no string", &Csr::format, integers({1}));
    add("shape of one", &Csr::shape, integers({3}));
    add("shape of three", &Csr::shape, integers({3, 4, 5}));
    add("negative shape", &Csr::shape, integers({-3, 4}));
    add("too many rows", &Csr::shape, integers({INT64_MAX, 4}));
    add("too many columns", &Csr::shape, integers({3, INT64_C(1) << 32}));
    add("fractional shape", &Csr::shape, doubles({3, 4}));
    add("short indptr", &Csr::indptr, integers({0, 2, 3}));
    add("no indptr", &Csr::indptr, integers({}));
    add("descending indptr", &Csr::indptr, integers({0, 2, 1, 3}));
    add("negative indptr", &Csr::indptr, integers({0, -2, 1, 3}));
    add("indptr not from 0", &Csr::indptr, integers({1, 2, 2, 3}));
    add("indptr beyond", &Csr::indptr, integers({0, 2, 2, 4}));
    add("column outside", &Csr::indices, integers({0, 4, 1}));
    add("negative column", &Csr::indices, integers({0, -1, 1}));
    add("fewer indices", &Csr::indices, integers({0, 3}));
    add("fewer data", &Csr::data, doubles({0.25, 0.5}));
    add("text for data", &Csr::data, npy("|S1", "(3,)", "abc"));
    add("big-endian", &Csr::data, npy(">f8", "(3,)", std::string(24, '\0')));
    add("objects", &Csr::data, npy("|O", "(3,)", std::string(24, '\0')));
    add("two dimensions", &Csr::data, npy("<f8", "(1, 3)", std::string(24, '\0')));
    add("announced but not there", &Csr::data, npy("<f8", "(3,)", std::string(23, '\0')));
    add("absurd length", &Csr::data, npy("<f8", "(18446744073709551615,)", std::string(24, '\0')));
    add("overflowing length", &Csr::data, npy("<f8", "(18446744073709551617,)", std::string(24, '\0')));
    add("no array", &Csr::data, "not an array at all");
    add("version 9", &Csr::data, npy("<f8", "(3,)", std::string(24, '\0'), 9));
    for (const auto &named : cases) {
        write_file(path(), zip(named.second.members()));
        Read read(path());
        EXPECT_NE(read.status, PKIN_OK) << named.first;
        EXPECT_EQ(read.matrix, nullptr) << named.first;
        EXPECT_NE(std::string(pkin_last_error()).find("x.npz"), std::string::npos)
            << named.first << ": " << pkin_last_error();
    }
}

TEST_F(Npz, SaysHowToConvertAnotherForm) {
    Csr csr;
    csr.format = npy("|S3", "()", "coo");
    write_file(path(), zip(csr.members()));
    EXPECT_EQ(Read(path()).status, PKIN_ERROR_UNSUPPORTED);
    EXPECT_NE(std::string(pkin_last_error()).find("tocsr"), std::string::npos);
}

TEST_F(Npz, MissingMembersAndFilesAreErrors) {
    for (size_t missing = 0; missing < 5; missing++) {
        Members members = Csr().members();
        members.erase(members.begin() + static_cast<long>(missing));
        write_file(path(), zip(members));
        EXPECT_EQ(Read(path()).status, PKIN_ERROR_CORRUPT);
    }
    write_file(path(), "");
    EXPECT_EQ(Read(path()).status, PKIN_ERROR_CORRUPT);
    write_file(path(), "id\ttitle\n");
    EXPECT_EQ(Read(path()).status, PKIN_ERROR_CORRUPT);
    EXPECT_EQ(Read(path("absent.npz")).status, PKIN_ERROR_IO);
    EXPECT_EQ(pkin_matrix_read_npz(nullptr, nullptr), PKIN_ERROR_INVALID_ARGUMENT);
}

/* Strings for a table: "prefix0", "prefix1", ... */
const char *numbered(const void *user, uint64_t s) {
    static std::string text;
    text = static_cast<const char *>(user) + std::to_string(s);
    return text.c_str();
}

pkin_matrix *matrix_with_strings() {
    const uint64_t offsets[] = {0, 2, 2, 3};
    const uint32_t columns[] = {0, 3, 1};
    const double values[] = {0.25, 0.5, 1};
    pkin_csr_view view = {3, 4, offsets, columns, values};
    pkin_matrix *matrix = nullptr;
    EXPECT_EQ(pkin_matrix_from_csr(&view, &matrix), PKIN_OK);
    EXPECT_EQ(pkin_i_string_table_build(3, numbered, "arxiv:2512.0000", &matrix->ids), PKIN_OK);
    EXPECT_EQ(pkin_i_string_table_build(4, numbered, "größe ", &matrix->terms), PKIN_OK);
    return matrix;
}

TEST_F(Npz, WritesWhatItReads) {
    pkin_matrix *matrix = matrix_with_strings();
    ASSERT_EQ(pkin_matrix_write_npz(matrix, path().c_str()), PKIN_OK) << pkin_last_error();
    EXPECT_EQ(read_file(path("x.ids.txt")), "arxiv:2512.00000\narxiv:2512.00001\narxiv:2512.00002\n");
    Read read(path());
    ASSERT_EQ(read.status, PKIN_OK) << pkin_last_error();
    expect_small(read.view());
    EXPECT_STREQ(pkin_matrix_row_id(read.matrix, 2), "arxiv:2512.00002");
    EXPECT_STREQ(pkin_matrix_term(read.matrix, 3), "größe 3");
    std::string first = read_file(path());
    ASSERT_EQ(pkin_matrix_write_npz(read.matrix, path().c_str()), PKIN_OK);
    EXPECT_EQ(read_file(path()), first);
    pkin_matrix_free(matrix);
}

TEST_F(Npz, WritesMatricesWithoutRowsOrEntries) {
    const uint64_t offsets[] = {0, 0, 0};
    for (uint64_t n_rows : {0, 2}) {
        pkin_csr_view view = {n_rows, 0, offsets, nullptr, nullptr};
        pkin_matrix *matrix = nullptr;
        ASSERT_EQ(pkin_matrix_from_csr(&view, &matrix), PKIN_OK);
        ASSERT_EQ(pkin_matrix_write_npz(matrix, path().c_str()), PKIN_OK);
        pkin_matrix_free(matrix);
        Read read(path());
        ASSERT_EQ(read.status, PKIN_OK) << pkin_last_error();
        EXPECT_EQ(read.view().n_rows, n_rows);
        EXPECT_EQ(read.view().n_columns, 0u);
    }
}

TEST_F(Npz, StringsOfAnotherLengthAreLeftAlone) {
    write_file(path(), zip(Csr().members()));
    for (const char *lines : {"a\nb\n", "a\nb\nc\nd\n", "", "a\nb\n\nc\n"}) {
        write_file(path("x.ids.txt"), lines);
        Read read(path());
        ASSERT_EQ(read.status, PKIN_OK);
        EXPECT_EQ(pkin_matrix_row_id(read.matrix, 0), nullptr) << lines;
    }
    write_file(path("x.ids.txt"), std::string("a\nb\0b\nc\n", 8));
    EXPECT_EQ(pkin_matrix_row_id(Read(path()).matrix, 0), nullptr);
    for (const char *lines : {"a\nb\nc", "a\nb\nc\n", "a\r\nb\r\nc\r\n"}) {
        write_file(path("x.ids.txt"), lines);
        Read read(path());
        ASSERT_NE(pkin_matrix_row_id(read.matrix, 2), nullptr) << lines;
        EXPECT_STREQ(pkin_matrix_row_id(read.matrix, 0), "a");
        EXPECT_STREQ(pkin_matrix_row_id(read.matrix, 2), "c");
    }
}

TEST_F(Npz, StringsThatCannotBeReadAreAnError) {
    write_file(path(), zip(Csr().members()));
    ASSERT_EQ(mkdir(path("x.ids.txt").c_str(), 0700), 0);
    EXPECT_EQ(Read(path()).status, PKIN_ERROR_IO);
    EXPECT_NE(std::string(pkin_last_error()).find("x.ids.txt"), std::string::npos) << pkin_last_error();
    ASSERT_EQ(rmdir(path("x.ids.txt").c_str()), 0);
    EXPECT_EQ(Read(path()).status, PKIN_OK);
}

TEST_F(Npz, NamesWithoutRoomForASuffixHaveNoStrings) {
    std::string longest = std::string(251, 'n') + ".npz";
    write_file(path(longest.c_str()), zip(Csr().members()));
    EXPECT_EQ(Read(path(longest.c_str())).status, PKIN_OK) << pkin_last_error();
    unlink(path(longest.c_str()).c_str());
}

/* Memory that fails at one request. */
struct FailingMemory {
    long n_requests = 0, fail_at = -1;
};

void *allocate(void *user, size_t n_bytes) {
    FailingMemory *memory = static_cast<FailingMemory *>(user);
    return memory->n_requests++ == memory->fail_at ? nullptr : std::malloc(n_bytes);
}

void *reallocate(void *user, void *block, size_t n_bytes) {
    FailingMemory *memory = static_cast<FailingMemory *>(user);
    return memory->n_requests++ == memory->fail_at ? nullptr : std::realloc(block, n_bytes);
}

void release(void *, void *block) {
    std::free(block);
}

TEST_F(Npz, EveryAllocationOfReadingMayFail) {
    pkin_matrix *written = matrix_with_strings();
    ASSERT_EQ(pkin_matrix_write_npz(written, path().c_str()), PKIN_OK);
    pkin_matrix_free(written);
    pkin_status status = PKIN_ERROR_OUT_OF_MEMORY;
    for (long fail_at = 0; status != PKIN_OK; fail_at++) {
        FailingMemory memory;
        memory.fail_at = fail_at;
        pkin_allocator hooks = {allocate, reallocate, release, &memory};
        pkin_matrix *matrix = nullptr;
        pkin_set_allocator(&hooks);
        status = pkin_matrix_read_npz(path().c_str(), &matrix);
        bool has_strings = matrix && pkin_matrix_row_id(matrix, 0) && pkin_matrix_term(matrix, 0);
        pkin_matrix_free(matrix);
        pkin_set_allocator(nullptr);
        ASSERT_TRUE(status == PKIN_OK || status == PKIN_ERROR_OUT_OF_MEMORY) << "request " << fail_at;
        ASSERT_EQ(status == PKIN_OK, has_strings) << "request " << fail_at;
        ASSERT_LT(fail_at, 1000);
    }
}

TEST_F(Npz, AnEarlierMatrixLeavesNoIdsBehind) {
    pkin_matrix *matrix = matrix_with_strings();
    ASSERT_EQ(pkin_matrix_write_npz(matrix, path().c_str()), PKIN_OK);
    pkin_i_string_table_free(&matrix->ids);
    pkin_i_string_table_free(&matrix->terms);
    ASSERT_EQ(pkin_matrix_write_npz(matrix, path().c_str()), PKIN_OK);
    EXPECT_FALSE(exists(path("x.ids.txt")));
    EXPECT_FALSE(exists(path("x.terms.txt")));
    pkin_matrix_free(matrix);
}

TEST_F(Npz, FailsWhereItCannotWrite) {
    pkin_matrix *matrix = matrix_with_strings();
    EXPECT_EQ(pkin_matrix_write_npz(matrix, (folder + "/no/such/x.npz").c_str()), PKIN_ERROR_IO);
    EXPECT_EQ(pkin_matrix_write_npz(nullptr, path().c_str()), PKIN_ERROR_INVALID_ARGUMENT);
    pkin_matrix_free(matrix);
}

/* Whatever a damaged file holds, reading ends with a status and, where it succeeds, with a matrix that is one. */
void expect_survival(const std::string &path, const std::string &bytes) {
    write_file(path, bytes);
    Read read(path);
    if (read.status == PKIN_OK) {
        pkin_csr_view view = read.view();
        ASSERT_EQ(pkin_i_csr_check(&view), PKIN_OK);
    } else {
        ASSERT_EQ(read.matrix, nullptr);
    }
}

TEST_F(Npz, SurvivesTruncationAnywhere) {
    pkin_matrix *matrix = matrix_with_strings();
    ASSERT_EQ(pkin_matrix_write_npz(matrix, path().c_str()), PKIN_OK);
    pkin_matrix_free(matrix);
    for (const std::string &whole : {read_file(path()), zip(Csr().members(), true), zip(Csr().members(), false)}) {
        for (size_t n = 0; n < whole.size(); n++) {
            write_file(path(), whole.substr(0, n));
            ASSERT_NE(Read(path()).status, PKIN_OK) << n << " of " << whole.size();
        }
    }
}

TEST_F(Npz, SurvivesFlippedBitsAndBytes) {
    std::mt19937 random(17);
    pkin_matrix *matrix = matrix_with_strings();
    ASSERT_EQ(pkin_matrix_write_npz(matrix, path().c_str()), PKIN_OK);
    pkin_matrix_free(matrix);
    const std::string sources[] = {read_file(path()), zip(Csr().members(), true), zip(Csr().members(), false)};
    for (int round = 0; round < 3000; round++) {
        std::string bytes = sources[round % 3];
        for (unsigned change = 0; change <= random() % 4; change++) {
            char &byte = bytes[random() % bytes.size()];
            byte = static_cast<char>(random() % 3 == 0 ? 0xFF : byte ^ (1 << random() % 8));
        }
        expect_survival(path(), bytes);
    }
}

/* Damage behind the checksum: arrays that are wrong in a right archive. */
TEST_F(Npz, SurvivesDamagedArraysInSoundArchives) {
    std::mt19937 random(23);
    for (int round = 0; round < 3000; round++) {
        Members members = Csr().members();
        std::string &bytes = members[random() % 5].second;
        if (random() % 4 == 0) bytes.resize(random() % bytes.size());
        for (unsigned change = 0; !bytes.empty() && change <= random() % 3; change++) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        expect_survival(path(), zip(members, round % 2));
    }
}

TEST(Zip, ChecksumIsThatOfZlib) {
    std::mt19937 random(5);
    std::string bytes;
    for (int n = 0; n < 300; n++) {
        ASSERT_EQ(pkin_i_crc32(bytes.data(), bytes.size()),
                  crc32(0, reinterpret_cast<const Bytef *>(bytes.data()), static_cast<uInt>(bytes.size())));
        bytes.push_back(static_cast<char>(random()));
    }
    EXPECT_EQ(pkin_i_crc32("123456789", 9), 0xCBF43926u);
}

TEST(Zip, MembersThatUnpackToMoreOrLessThanTheySayAreRefused) {
    const std::string content(5000, 'x'), packed = raw_deflate(content);
    for (uint64_t claimed : {uint64_t(0), uint64_t(4999), uint64_t(5001), UINT64_C(1) << 40, UINT64_MAX}) {
        pkin_i_zip_member member = {
            "m", 1, 8, pkin_i_crc32(content.data(), content.size()), packed.data(), packed.size(), claimed};
        pkin_i_buffer out = {nullptr, 0, 0};
        EXPECT_EQ(pkin_i_zip_unpack(&member, "test", &out), PKIN_ERROR_CORRUPT) << claimed;
        EXPECT_EQ(out.n_bytes, 0u);
        pkin_i_buffer_free(&out);
    }
    pkin_i_zip_member other = {"m", 1, 12, 0, packed.data(), packed.size(), 5000};
    pkin_i_buffer out = {nullptr, 0, 0};
    EXPECT_EQ(pkin_i_zip_unpack(&other, "test", &out), PKIN_ERROR_UNSUPPORTED);
    pkin_i_buffer_free(&out);
}

} // namespace
