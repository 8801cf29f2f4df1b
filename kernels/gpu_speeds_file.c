/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is remembered of a device: lines of a name and whole numbers, in attoseconds (1e-18), so that no locale can
 * change them, under a heading that says of what, and above a hash of all that. A file that is not byte for byte of
 * that form, or of another device, driver or version, is as good as none.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "base/file.h"
#include "base/hash.h"
#include "kernels/gpu_speeds.h"

/* Raised when what is measured, or the kernels' speeds, change their meaning. */
enum { FORMAT = 1 };
enum { FILE_BYTES_MOST = 8192, NAME_BYTES_MOST = 80 };
static const double ATTO = 1e-18;
/* What is measured lies within: anything else is damage. */
static const double SECONDS_MOST = 1000;

/* ---- Where ---- */

static pkin_status find_folder(pkin_i_buffer *path) {
    const char *own = getenv("PAPERKIN_CACHE_DIR"), *caches = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (own && *own) return pkin_i_buffer_string(path, own);
    if (caches && *caches == '/') return pkin_i_buffer_printf(path, "%s/paperkin", caches);
    if (home && *home) return pkin_i_buffer_printf(path, "%s/.cache/paperkin", home);
    return PKIN_OK;
}

/* The device's own name, as far as it is made of what a file's name may be. */
static pkin_status add_device(pkin_i_buffer *path, const pkin_i_gpu_info *info) {
    pkin_status status = pkin_i_buffer_string(path, "/gpu-");
    for (const char *c = info->uuid; *c && status == PKIN_OK; c++) {
        const int is_plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        status = pkin_i_buffer_char(path, is_plain ? *c : '-');
    }
    return status == PKIN_OK ? pkin_i_buffer_string(path, ".txt") : status;
}

pkin_status pkin_i_gpu_costs_path(const pkin_i_gpu_info *info, char **out) {
    pkin_status status;
    pkin_i_buffer path = {0};
    *out = NULL;
    PKIN_TRY(find_folder(&path));
    if (path.n_bytes == 0 || info->uuid[0] == '\0') goto out;
    PKIN_TRY(add_device(&path, info));
    *out = path.bytes;
    path.bytes = NULL;
out:
    pkin_i_buffer_free(&path);
    return status;
}

/* ---- What ---- */

/* The numbers of a file, in order. */
enum { N_SINGLE = 6, N_NUMBERS = N_SINGLE + PKIN_I_GPU_N_FILTERS * (PKIN_I_SPEED_DIMENSIONS + 1) };

static void list_numbers(pkin_i_gpu_costs *costs, double *list[N_NUMBERS]) {
    double *const single[N_SINGLE] = {&costs->start_seconds, &costs->up_byte_seconds,   &costs->down_byte_seconds,
                                      &costs->entry_seconds, &costs->candidate_seconds, &costs->seed_pair_seconds};
    size_t n = 0;
    for (int k = 0; k < N_SINGLE; k++) list[n++] = single[k];
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        list[n++] = &costs->filter_start_seconds[f];
        for (int d = 0; d < PKIN_I_SPEED_DIMENSIONS; d++) list[n++] = &costs->pair_seconds[f][d];
    }
}

static void number_name(int k, char name[NAME_BYTES_MOST]) {
    static const char *const single[N_SINGLE] = {"start", "up_byte", "down_byte", "entry", "candidate", "seed_pair"};
    const int of_filter = (k - N_SINGLE) % (PKIN_I_SPEED_DIMENSIONS + 1);
    if (k < N_SINGLE) {
        snprintf(name, NAME_BYTES_MOST, "%s", single[k]);
        return;
    }
    const char *filter = pkin_i_gpu_filter_name((pkin_i_gpu_filter)((k - N_SINGLE) / (PKIN_I_SPEED_DIMENSIONS + 1)));
    if (of_filter == 0) {
        snprintf(name, NAME_BYTES_MOST, "%s_start", filter);
    } else {
        snprintf(name, NAME_BYTES_MOST, "%s_%" PRIu32, filter, pkin_i_speed_dimensions[of_filter - 1]);
    }
}

static pkin_status write_heading(const pkin_i_gpu_info *info, pkin_i_buffer *text) {
    return pkin_i_buffer_printf(text,
                                "paperkin GPU speeds %d, of paperkin %s; attoseconds; may be removed\n"
                                "device %s %s, driver %d, runtime %d\n",
                                FORMAT, PKIN_VERSION_STRING, info->uuid, info->name, info->driver_version,
                                info->runtime_version);
}

static pkin_status write_hash(pkin_i_buffer *text) {
    return pkin_i_buffer_printf(text, "hash %016" PRIx64 "\n", pkin_i_hash_bytes(text->bytes, text->n_bytes, FORMAT));
}

/* ---- Writing ---- */

static pkin_status write_text(const pkin_i_gpu_info *info, pkin_i_gpu_costs costs, pkin_i_buffer *text) {
    pkin_status status;
    double *numbers[N_NUMBERS];
    char name[NAME_BYTES_MOST];
    list_numbers(&costs, numbers);
    PKIN_TRY(write_heading(info, text));
    for (int k = 0; k < N_NUMBERS; k++) {
        number_name(k, name);
        PKIN_TRY(pkin_i_buffer_printf(text, "%s %.0f\n", name, *numbers[k] / ATTO));
    }
    PKIN_TRY(write_hash(text));
out:
    return status;
}

void pkin_i_gpu_costs_remember(const char *path, const pkin_i_gpu_info *info, const pkin_i_gpu_costs *costs) {
    pkin_i_buffer text = {0}, folder = {0};
    struct stat about;
    const char *name = pkin_i_base_name(path);
    /* What is no file of ours is left alone: writing into a pipe would wait for its reader. */
    if (lstat(path, &about) == 0 && !S_ISREG(about.st_mode)) return;
    pkin_status status = write_text(info, *costs, &text);
    if (status == PKIN_OK) status = pkin_i_buffer_append(&folder, path, (size_t)(name - path));
    if (status == PKIN_OK) status = pkin_i_make_directories(folder.bytes);
    if (status == PKIN_OK) status = pkin_i_file_write_atomic(path, text.bytes, text.n_bytes);
    (void)status; /* it will be measured again */
    pkin_i_buffer_free(&text);
    pkin_i_buffer_free(&folder);
}

/* ---- Reading ---- */

/* The bytes of a file of ordinary kind and size; a pipe or a device is none. Returns how many, 0 for none. */
static size_t read_small(const char *path, char bytes[FILE_BYTES_MOST]) {
    struct stat about;
    size_t n = 0;
    ssize_t n_read = 0;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return 0;
    if (fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode) && about.st_size < FILE_BYTES_MOST) {
        while (n < FILE_BYTES_MOST && (n_read = read(descriptor, bytes + n, FILE_BYTES_MOST - n)) > 0) {
            n += (size_t)n_read;
        }
    }
    close(descriptor);
    return n_read == 0 && n < FILE_BYTES_MOST ? n : 0;
}

/* The number of the line "name number" at *at, which moves behind it. */
static int read_number(const char **at, const char *name, double *out) {
    const size_t n = strlen(name);
    char *end;
    if (strncmp(*at, name, n) != 0 || (*at)[n] != ' ') return 0;
    const char *digits = *at + n + 1;
    const size_t n_digits = strspn(digits, "0123456789");
    if (n_digits == 0 || n_digits > 21 || digits[n_digits] != '\n') return 0;
    *out = (double)strtoull(digits, &end, 10) * ATTO;
    *at = digits + n_digits + 1;
    return *out < SECONDS_MOST;
}

/* The single ones are needed, and of a filter that can run all but its start. */
static int is_complete(const pkin_i_gpu_info *info, const pkin_i_gpu_costs *costs) {
    const double single[N_SINGLE] = {costs->start_seconds, costs->up_byte_seconds,   costs->down_byte_seconds,
                                     costs->entry_seconds, costs->candidate_seconds, costs->seed_pair_seconds};
    for (int k = 0; k < N_SINGLE; k++) {
        if (!(single[k] > 0)) return 0;
    }
    for (int f = 0; f < PKIN_I_GPU_N_FILTERS; f++) {
        for (int d = 0; info->has_filter[f] && d < PKIN_I_SPEED_DIMENSIONS; d++) {
            if (!(costs->pair_seconds[f][d] > 0)) return 0;
        }
    }
    return 1;
}

/* Reads what write_text wrote; `heading` is what it has to begin with. */
static int parse(const char *text, const pkin_i_buffer *heading, pkin_i_gpu_costs *costs) {
    double *numbers[N_NUMBERS];
    char name[NAME_BYTES_MOST];
    if (strncmp(text, heading->bytes, heading->n_bytes) != 0) return 0;
    const char *at = text + heading->n_bytes;
    list_numbers(costs, numbers);
    for (int k = 0; k < N_NUMBERS; k++) {
        number_name(k, name);
        if (!read_number(&at, name, numbers[k])) return 0;
    }
    pkin_i_buffer hashed = {0}; /* what the text should be */
    pkin_status status = pkin_i_buffer_append(&hashed, text, (size_t)(at - text));
    if (status == PKIN_OK) status = write_hash(&hashed);
    const int is_whole = status == PKIN_OK && strcmp(text, hashed.bytes) == 0;
    pkin_i_buffer_free(&hashed);
    return is_whole;
}

int pkin_i_gpu_costs_recall(const char *path, const pkin_i_gpu_info *info, pkin_i_gpu_costs *out) {
    char text[FILE_BYTES_MOST + 1];
    pkin_i_gpu_costs costs = {0};
    pkin_i_buffer heading = {0};
    const size_t n_bytes = read_small(path, text);
    text[n_bytes] = '\0';
    if (n_bytes == 0 || strlen(text) != n_bytes) return 0;
    const int is_good =
        write_heading(info, &heading) == PKIN_OK && parse(text, &heading, &costs) && is_complete(info, &costs);
    pkin_i_buffer_free(&heading);
    if (is_good) *out = costs;
    return is_good;
}
