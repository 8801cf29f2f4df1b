/* SPDX-License-Identifier: Apache-2.0 */
#include "overwrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "messages.h"
#include "output.h"
#include "store_choice.h"

static bool is_stream(const char *path) {
    return !path || strcmp(path, "-") == 0;
}

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool stat_folder(const char *path, struct stat *info) {
    size_t n = (size_t)(name_of(path) - path);
    char *folder = pkin_i_cli_copy(n ? path : ".");
    if (n) folder[n] = '\0';
    bool good = stat(folder, info) == 0;
    free(folder);
    return good;
}

/* Two paths to nothing yet: whether they would be one file. */
static bool would_be_same(const char *a, const char *b) {
    struct stat first, second;
    char *real_a = pkin_i_follow_links(a), *real_b = pkin_i_follow_links(b);
    bool same = real_a && real_b && strcmp(name_of(real_a), name_of(real_b)) == 0 && stat_folder(real_a, &first) &&
                stat_folder(real_b, &second) && is_same(&first, &second);
    free(real_a);
    free(real_b);
    return same;
}

/* Devices and pipes lose nothing by being written. */
static bool is_one_file(const char *output, const char *other) {
    struct stat first, second;
    bool has_first = stat(output, &first) == 0;
    bool has_second = (is_stream(other) ? fstat(STDIN_FILENO, &second) : stat(other, &second)) == 0;
    if (has_first && has_second) return S_ISREG(first.st_mode) && is_same(&first, &second);
    return !has_first && !has_second && !is_stream(other) && would_be_same(output, other);
}

bool pkin_i_output_spares_inputs(pkin_i_cli *cli, const char *path, int n_inputs, char **inputs) {
    for (int k = 0; k < n_inputs && !is_stream(path); k++) {
        if (!is_one_file(path, inputs[k])) continue;
        pkin_i_cli_misuse(cli, "writing %s would replace the input %s: name another output", path, inputs[k]);
        return false;
    }
    return true;
}

bool pkin_i_output_spares_store(pkin_i_cli *cli, const char *path, const char *given) {
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    const char *store = pkin_i_store_path(given);
    char *real = is_stream(path) ? NULL : pkin_i_follow_links(store);
    bool spares = true;
    for (size_t k = 0; real && spares && k < sizeof endings / sizeof *endings; k++) {
        size_t n_bytes = strlen(real) + sizeof "-journal";
        char *part = pkin_i_cli_allocate(n_bytes, 1);
        snprintf(part, n_bytes, "%s%s", real, endings[k]);
        spares = !is_one_file(path, part);
        free(part);
    }
    free(real);
    if (!spares) {
        pkin_i_cli_misuse(cli, "writing %s would destroy the store %s: name another output or another store", path,
                          store);
    }
    return spares;
}
