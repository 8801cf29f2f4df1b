/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_SUPPORT_SHARED_DIR_H
#define PKIN_TESTS_SUPPORT_SHARED_DIR_H

#include <sys/stat.h>

#include <cstdlib>
#include <string>

/*
 * The folder with real digests and corpora: $PAPERKIN_SHARED_DIR, else `../shared` beside the project, else "".
 * Tests that need it skip with PKIN_SKIP_WITHOUT_SHARED.
 */
inline std::string pkin_test_shared_dir() {
    const char *given = std::getenv("PAPERKIN_SHARED_DIR");
    std::string path = given && *given ? given : PKIN_TEST_SOURCE_DIR "/../shared";
    struct stat info;
    return stat((path + "/digests").c_str(), &info) == 0 ? path : std::string();
}

#define PKIN_SKIP_WITHOUT_SHARED()                                                                                     \
    do {                                                                                                               \
        if (pkin_test_shared_dir().empty())                                                                            \
            GTEST_SKIP() << "real digests are not here: set PAPERKIN_SHARED_DIR or put `shared` beside the project";   \
    } while (0)

#endif
