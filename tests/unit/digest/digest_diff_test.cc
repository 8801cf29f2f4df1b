/* SPDX-License-Identifier: Apache-2.0 */
/* A diff is right when patch makes the second text of the first. */
#include "digest_world.h"

#include <rapidcheck.h>

#include "digest/day_file.h"

using namespace digest_world;

namespace {

std::string diff_of(const std::string &before, const std::string &after, const char *name = "day.md") {
    pkin_i_buffer a{}, b{};
    std::string text;
    EXPECT_EQ(pkin_i_buffer_append(&a, before.data(), before.size()), PKIN_OK);
    EXPECT_EQ(pkin_i_buffer_append(&b, after.data(), after.size()), PKIN_OK);
    auto collect = [](void *user, const char *bytes, size_t n) { static_cast<std::string *>(user)->append(bytes, n); };
    EXPECT_EQ(pkin_i_unified_diff(name, &a, &b, collect, &text), PKIN_OK) << pkin_last_error();
    pkin_i_buffer_free(&a);
    pkin_i_buffer_free(&b);
    return text;
}

bool has_patch() {
    static const bool there = std::system("patch --version > /dev/null 2>&1") == 0;
    return there;
}

/* `before` as patch changes it by our diff. */
std::string patched(const std::string &before, const std::string &diff) {
    Folder folder;
    write_text(folder / "day.md", before);
    write_text(folder / "day.diff", diff);
    std::string command = "cd '" + (folder / "") + "' && patch -s --binary -p0 < day.diff > log 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << read_text(folder / "log") << diff;
    return read_text(folder / "day.md");
}

const std::string begin = "<!-- paperkin:begin -->\n", end = "<!-- paperkin:end -->\n";

TEST(DigestDiff, EqualTextsGiveNothing) {
    EXPECT_EQ(diff_of("a\nb\n", "a\nb\n"), "");
    EXPECT_EQ(diff_of("", ""), "");
}

TEST(DigestDiff, AnInsertedBlock) {
    std::string before = "1\n2\n3\n4\n5\n6\n7\n8\n";
    std::string after = "1\n2\n3\n4\n" + begin + "x\n" + end + "5\n6\n7\n8\n";
    EXPECT_EQ(diff_of(before, after),
              "--- day.md\n+++ day.md\n@@ -2,6 +2,9 @@\n 2\n 3\n 4\n+" + begin + "+x\n+" + end + " 5\n 6\n 7\n");
}

TEST(DigestDiff, AReplacedAndARemovedBlock) {
    std::string before = "1\n" + begin + "x\n" + end + "2\n" + begin + "y\n" + end;
    std::string after = "1\n" + begin + "z\nzz\n" + end + "2\n";
    std::string diff = diff_of(before, after);
    EXPECT_EQ(count(diff, "@@ -"), 1u);
    EXPECT_NE(diff.find("\n-x\n"), std::string::npos);
    EXPECT_NE(diff.find("\n+zz\n"), std::string::npos);
    if (has_patch()) {
        EXPECT_EQ(patched(before, diff), after);
    }
}

TEST(DigestDiff, DeletionsComeBeforeInsertions) {
    EXPECT_EQ(diff_of("a\nb\n", "c\nd\n"), "--- day.md\n+++ day.md\n@@ -1,2 +1,2 @@\n-a\n-b\n+c\n+d\n");
}

TEST(DigestDiff, MissingLastLineEnd) {
    std::string after = "1\n2\n<!-- paperkin:begin open-line -->\nx\n<!-- paperkin:end -->";
    std::string diff = diff_of("1\n2", after);
    EXPECT_EQ(count(diff, "\\ No newline at end of file\n"), 2u) << diff;
    if (!has_patch()) GTEST_SKIP() << "patch is not installed";
    EXPECT_EQ(patched("1\n2", diff), after);
    EXPECT_EQ(patched(after, diff_of(after, "1\n2")), "1\n2");
}

TEST(DigestDiff, NamesCannotForgeLines) {
    EXPECT_EQ(diff_of("a\n", "b\n", "x\n+++ y").find("\n+++ y\n"), std::string::npos);
}

TEST(DigestDiff, PatchMakesTheSecondOfTheFirst) {
    if (!has_patch()) GTEST_SKIP() << "patch is not installed";
    setenv("RC_PARAMS", "max_success=60", 0);
    EXPECT_TRUE(rc::check("patch(before, diff(before, after)) == after", [] {
        auto text = [] {
            const auto lines = *rc::gen::container<std::vector<std::string>>(
                rc::gen::element<std::string>("a\n", "b\n", "\n", "c\r\n", "long line with words\n",
                                              begin + "x\n" + end, begin + "y\n\n" + end, begin));
            std::string out;
            for (const auto &line : lines) out += line;
            if (*rc::gen::arbitrary<bool>()) out += "open";
            return out;
        };
        const std::string before = text(), after = text();
        RC_PRE(!before.empty() && !after.empty()); // patch removes a file that becomes empty
        const std::string diff = diff_of(before, after);
        if (before == after) {
            RC_ASSERT(diff.empty());
            return;
        }
        RC_ASSERT(patched(before, diff) == after);
    }));
}

} // namespace
