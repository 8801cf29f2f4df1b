/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace fs = std::filesystem;

static int n_umask_calls = 0;

/* In place of the C library's. The umask is the process's: whoever changes it changes the files of other threads. */
extern "C" mode_t umask(mode_t mask) noexcept {
    n_umask_calls++;
    return (mode_t)syscall(SYS_umask, mask);
}

static std::string last_renamed;

/* In place of the C library's: shows the name under which a file was written. */
extern "C" int rename(const char *from, const char *to) noexcept {
    last_renamed = from;
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

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

TEST_F(File, DanglingLinksStayAndLeadToTheNewFile) {
    fs::create_directory(dir / "real");
    fs::create_symlink("real/new.md", dir / "one.md");
    fs::create_symlink(dir / "one.md", dir / "two.md");
    std::string link = dir / "two.md";
    ASSERT_EQ(pkin_i_file_write_atomic(link.c_str(), "new", 3), PKIN_OK) << pkin_last_error();
    EXPECT_TRUE(fs::is_symlink(dir / "one.md"));
    EXPECT_TRUE(fs::is_symlink(link));
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(dir / "real" / "new.md")));
    EXPECT_EQ(read(dir / "real" / "new.md"), "new");
    EXPECT_EQ(entries(), 3u);
}

TEST_F(File, LinksInACircleAreAnError) {
    fs::create_symlink("b", dir / "a");
    fs::create_symlink("a", dir / "b");
    EXPECT_EQ(pkin_i_file_write_atomic((dir / "a").c_str(), "x", 1), PKIN_ERROR_IO);
    EXPECT_TRUE(fs::is_symlink(dir / "a"));
    EXPECT_EQ(entries(), 2u);
}

TEST_F(File, PipesAreWrittenToAsTheyAre) {
    std::string pipe = dir / "pipe";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_GE(reader, 0);
    ASSERT_EQ(pkin_i_file_write_atomic(pipe.c_str(), "through", 7), PKIN_OK) << pkin_last_error();
    char got[8] = "";
    EXPECT_EQ(::read(reader, got, sizeof got), 7);
    EXPECT_STREQ(got, "through");
    close(reader);
    EXPECT_TRUE(fs::is_fifo(pipe));
    EXPECT_EQ(entries(), 1u);
}

TEST_F(File, DevicesAreWrittenToAsTheyAre) {
    fs::create_symlink("/dev/full", dir / "full");
    EXPECT_EQ(pkin_i_file_write_atomic((dir / "full").c_str(), "x", 1), PKIN_ERROR_IO);
    EXPECT_NE(std::string(pkin_last_error()).find("No space left"), std::string::npos) << pkin_last_error();
    EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(File, TheUmaskIsLeftAlone) {
    mode_t before = umask(027);
    n_umask_calls = 0;
    std::string path = dir / "a.md";
    EXPECT_EQ(pkin_i_file_write_atomic(path.c_str(), "x", 1), PKIN_OK);
    EXPECT_EQ(n_umask_calls, 0);
    umask(before);
    struct stat info;
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0640u);
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

TEST_F(File, UnfinishedFilesAreHidden) {
    for (const fs::path &path : {dir / "2026-01-05.md", fs::path("2026-01-05.md")}) {
        fs::path before = fs::current_path();
        fs::current_path(dir);
        ASSERT_EQ(pkin_i_file_write_atomic(path.c_str(), "text", 4), PKIN_OK) << pkin_last_error();
        fs::current_path(before);
        EXPECT_EQ(fs::path(last_renamed).filename().string().rfind(".2026-01-05.md.", 0), 0u) << last_renamed;
        EXPECT_EQ(fs::path(last_renamed).parent_path(), path.parent_path());
    }
    EXPECT_EQ(entries(), 1u);
}

TEST_F(File, RootKeepsTheOwnerOfWhatItReplaces) {
    if (geteuid() != 0) GTEST_SKIP() << "only root may give files away";
    fs::path path = dir / "theirs.md";
    std::ofstream(path) << "old";
    ASSERT_EQ(chown(path.c_str(), 65534, 65534), 0);
    ASSERT_EQ(chmod(path.c_str(), 0640), 0);
    ASSERT_EQ(pkin_i_file_write_atomic(path.c_str(), "new", 3), PKIN_OK) << pkin_last_error();
    struct stat info;
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 65534u);
    EXPECT_EQ(info.st_gid, 65534u);
    EXPECT_EQ(info.st_mode & 07777, 0640u);
    EXPECT_EQ(read(path), "new");
}
