/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_SUPPORT_TEMPORARY_FOLDER_H
#define PKIN_TESTS_SUPPORT_TEMPORARY_FOLDER_H

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

/* A folder of its own, gone with this object. */
struct TemporaryFolder {
    std::filesystem::path path;

    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "paperkin-test-XXXXXX").string();
        if (mkdtemp(name.data())) path = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        if (!path.empty()) std::filesystem::remove_all(path, ignored);
    }
    TemporaryFolder(const TemporaryFolder &) = delete;
    TemporaryFolder &operator=(const TemporaryFolder &) = delete;

    std::string str(const std::string &name = "") const {
        return name.empty() ? path.string() : (path / name).string();
    }
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto &entry : std::filesystem::directory_iterator(path)) found.push_back(entry.path().filename());
        std::sort(found.begin(), found.end());
        return found;
    }
};

inline std::string read_bytes(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_bytes(const std::string &path, const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

#endif
