/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace fs = std::filesystem;

class File : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/paperkin-file-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        dir = name;
    }
    void TearDown() override { fs::remove_all(dir); }
    std::string read(const fs::path &path) {
        std::ifstream in(path, std::ios::binary);
        std::stringstream text;
        text << in.rdbuf();
        return text.str();
    }
    size_t entries() { return (size_t)std::distance(fs::directory_iterator(dir), fs::directory_iterator()); }
    fs::path dir;
};

TEST_F(File, WritesAndReplaces) {
    std::string path = dir / "a.md";
    ASSERT_EQ(pkin_i_file_write_atomic(path.c_str(), "one", 3), PKIN_OK);
    EXPECT_EQ(read(path), "one");
    ASSERT_EQ(chmod(path.c_str(), 0640), 0);
    ASSERT_EQ(pkin_i_file_write_atomic(path.c_str(), "second", 6), PKIN_OK);
    EXPECT_EQ(read(path), "second");
    struct stat info;
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0640u);
    EXPECT_EQ(entries(), 1u);
}

TEST_F(File, FollowsSymbolicLinks) {
    std::string target = dir / "target.md", link = dir / "link.md";
    std::ofstream(target) << "old";
    fs::create_symlink("target.md", link);
    ASSERT_EQ(pkin_i_file_write_atomic(link.c_str(), "new", 3), PKIN_OK);
    EXPECT_TRUE(fs::is_symlink(link));
    EXPECT_EQ(read(target), "new");
}

TEST_F(File, FailureLeavesNothing) {
    std::string path = dir / "missing" / "a.md";
    EXPECT_EQ(pkin_i_file_write_atomic(path.c_str(), "x", 1), PKIN_ERROR_IO);
    EXPECT_NE(std::string(pkin_last_error()).find("missing"), std::string::npos);
    std::string folder = dir / "folder";
    fs::create_directory(folder);
    EXPECT_EQ(pkin_i_file_write_atomic(folder.c_str(), "x", 1), PKIN_ERROR_IO);
    EXPECT_EQ(entries(), 1u);
}

TEST_F(File, ReadsWholeFiles) {
    std::string path = dir / "big", content;
    for (int i = 0; i < 300000; i++) content += (char)(i * 7);
    std::ofstream(path, std::ios::binary) << content;
    pkin_i_buffer buffer = {};
    ASSERT_EQ(pkin_i_file_read(path.c_str(), &buffer), PKIN_OK);
    EXPECT_EQ(std::string(buffer.bytes, buffer.n_bytes), content);
    pkin_i_buffer_free(&buffer);
    EXPECT_EQ(pkin_i_file_read((path + ".no").c_str(), &buffer), PKIN_ERROR_IO);
    EXPECT_EQ(pkin_i_file_read(dir.c_str(), &buffer), PKIN_ERROR_IO);
    pkin_i_buffer_free(&buffer);
}

TEST_F(File, MakesFolders) {
    std::string path = dir / "a" / "b" / "c";
    EXPECT_EQ(pkin_i_make_directories(path.c_str()), PKIN_OK);
    EXPECT_EQ(pkin_i_make_directories((path + "/").c_str()), PKIN_OK);
    EXPECT_TRUE(fs::is_directory(path));
    std::ofstream(dir / "file") << "x";
    EXPECT_EQ(pkin_i_make_directories((dir / "file").c_str()), PKIN_ERROR_IO);
    EXPECT_EQ(pkin_i_make_directories((dir / "file" / "x").c_str()), PKIN_ERROR_IO);
}

TEST(BaseName, LastPart) {
    EXPECT_STREQ(pkin_i_base_name("a/b/c.md"), "c.md");
    EXPECT_STREQ(pkin_i_base_name("c.md"), "c.md");
    EXPECT_STREQ(pkin_i_base_name("-"), "-");
}
