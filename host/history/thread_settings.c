/* SPDX-License-Identifier: Apache-2.0 */
#include "history/thread_settings.h"

#include <inttypes.h>
#include <string.h>

#include "base/failure.h"

enum { DEFAULT_WINDOW_DAYS = 180 };

#define DECIMALS UINT64_C(1000000000)
#define MOST_REAL 9e6 /* times DECIMALS is below 2^53, so that quotient and decimal fraction are the same double */

typedef enum setting_kind { SETTING_NAME, SETTING_COUNT32, SETTING_COUNT64, SETTING_REAL } setting_kind;

typedef struct setting {
    const char *name;
    setting_kind kind;
    size_t offset;            /* in pkin_i_thread_settings */
    const char *const *names; /* of an enumeration's values from 0 on, NULL at the end */
} setting;

static const char *const methods[] = {"leiden", "components", "density", "kmeans", NULL};
static const char *const objectives[] = {"modularity", "cpm", NULL};
static const char *const sides[] = {"mutual", "either", NULL};
static const char *const weights[] = {"cosine", "cosine_squared", "shared_neighbors", "ranked_neighbors", NULL};

#define AT(member) offsetof(pkin_i_thread_settings, member)

static const setting settings_table[] = {
    {"method", SETTING_NAME, AT(topics.method), methods},
    {"objective", SETTING_NAME, AT(topics.objective), objectives},
    {"resolution", SETTING_REAL, AT(topics.resolution), NULL},
    {"field_resolution", SETTING_REAL, AT(topics.field_resolution), NULL},
    {"clusters", SETTING_COUNT32, AT(topics.n_clusters), NULL},
    {"runs", SETTING_COUNT32, AT(topics.n_runs), NULL},
    {"min_size", SETTING_COUNT64, AT(topics.min_size), NULL},
    {"seed", SETTING_COUNT64, AT(topics.seed), NULL},
    {"author_damping", SETTING_REAL, AT(topics.author_damping), NULL},
    {"neighbors", SETTING_COUNT32, AT(topics.graph.n_neighbors), NULL},
    {"floor", SETTING_REAL, AT(topics.graph.floor), NULL},
    {"sides", SETTING_NAME, AT(topics.graph.sides), sides},
    {"weight", SETTING_NAME, AT(topics.graph.weight), weights},
    {"least_weight", SETTING_REAL, AT(topics.graph.least_weight), NULL},
    {"least_weight", SETTING_REAL, AT(topics.graph.least_weight), NULL},
    {"window", SETTING_COUNT32, AT(window_days), NULL},
};

enum { N_SETTINGS = sizeof settings_table / sizeof *settings_table };

_Static_assert(sizeof(pkin_cluster_method) == sizeof(uint32_t) && sizeof(pkin_leiden_objective) == sizeof(uint32_t) &&
                   sizeof(pkin_graph_sides) == sizeof(uint32_t) && sizeof(pkin_edge_weight) == sizeof(uint32_t),
               "enumerations are read and written as 32-bit numbers");

pkin_i_thread_settings pkin_i_thread_settings_default(void) {
    return (pkin_i_thread_settings){pkin_topics_options_default(), DEFAULT_WINDOW_DAYS};
}

/* ---- Values of any kind as 64-bit numbers: reals times DECIMALS
 * ------------------------------------------------------ */

static uint32_t n_names(const setting *s) {
    uint32_t n = 0;
    while (s->names[n]) n++;
    return n;
}

static uint64_t get_value(const pkin_i_thread_settings *settings, const setting *s) {
    const char *at = (const char *)settings + s->offset;
    uint32_t narrow = 0;
    uint64_t wide = 0;
    double real = 0;
    switch (s->kind) {
    case SETTING_REAL:
        memcpy(&real, at, sizeof real);
        return (uint64_t)(real * (double)DECIMALS + 0.5);
    case SETTING_COUNT64:
        memcpy(&wide, at, sizeof wide);
        return wide;
    default:
        memcpy(&narrow, at, sizeof narrow);
        return narrow;
    }
}

static void put_value(pkin_i_thread_settings *settings, const setting *s, uint64_t value) {
    char *at = (char *)settings + s->offset;
    uint32_t narrow = (uint32_t)value;
    double real = (double)value / (double)DECIMALS;
    if (s->kind == SETTING_REAL) {
        memcpy(at, &real, sizeof real);
    } else if (s->kind == SETTING_COUNT64) {
        memcpy(at, &value, sizeof value);
    } else {
        memcpy(at, &narrow, sizeof narrow);
    }
}

pkin_status pkin_i_thread_settings_tidy(pkin_i_thread_settings *settings) {
    pkin_status status = PKIN_OK;
    for (int k = 0; k < N_SETTINGS; k++) {
        const setting *s = &settings_table[k];
        double real = 0;
        if (s->kind == SETTING_REAL) memcpy(&real, (const char *)settings + s->offset, sizeof real);
        PKIN_REQUIRE(real == 0 || (real >= 1.0 / (double)DECIMALS && real <= MOST_REAL), PKIN_ERROR_INVALID_ARGUMENT,
                     "the setting %s of threads is %g, expected 0 or a number from 1e-9 to %g", s->name, real,
                     MOST_REAL);
        uint64_t value = get_value(settings, s);
        PKIN_REQUIRE(s->kind != SETTING_NAME || value < n_names(s), PKIN_ERROR_INVALID_ARGUMENT,
                     "the setting %s of threads has value %u, expected one of the enumeration's", s->name,
                     (unsigned)value);
        put_value(settings, s, value);
    }
out:
    return status;
}

/* ---- As text --------------------------------------------------------------------------------------------------------
 */

static pkin_status write_real(uint64_t value, pkin_i_buffer *out) {
    uint64_t rest = value % DECIMALS;
    int n_digits = 9;
    pkin_status status;
    PKIN_TRY(pkin_i_buffer_printf(out, "%" PRIu64, value / DECIMALS));
    if (!rest) goto out;
    for (; rest % 10 == 0; rest /= 10) n_digits--;
    PKIN_TRY(pkin_i_buffer_printf(out, ".%0*" PRIu64, n_digits, rest));
out:
    return status;
}

pkin_status pkin_i_thread_settings_write(const pkin_i_thread_settings *settings, pkin_i_buffer *out) {
    pkin_status status = PKIN_OK;
    for (int k = 0; k < N_SETTINGS; k++) {
        const setting *s = &settings_table[k];
        uint64_t value = get_value(settings, s);
        PKIN_TRY(pkin_i_buffer_printf(out, "%s%s=", k ? " " : "", s->name));
        if (s->kind == SETTING_REAL) {
            PKIN_TRY(write_real(value, out));
        } else if (s->kind == SETTING_NAME) {
            PKIN_TRY(pkin_i_buffer_string(out, s->names[value]));
        } else {
            PKIN_TRY(pkin_i_buffer_printf(out, "%" PRIu64, value));
        }
    }
out:
    return status;
}

/* A number as it is written: digits without leading zeros. */
static bool read_count(const char **text, uint64_t most, uint64_t *out) {
    const char *p = *text;
    uint64_t value = 0;
    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9')) return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (most - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *text = p;
    *out = value;
    return true;
}

static bool read_real(const char **text, uint64_t *out) {
    uint64_t whole = 0, unit = DECIMALS;
    if (!read_count(text, (uint64_t)MOST_REAL, &whole)) return false;
    *out = whole * DECIMALS;
    if (**text != '.') return true;
    const char *p = *text + 1;
    for (; *p >= '0' && *p <= '9' && unit > 1; p++) *out += (unit /= 10) * (uint64_t)(*p - '0');
    bool ends_well = p[-1] > '0' && p[-1] <= '9' && !(*p >= '0' && *p <= '9'); /* neither "1.", "1.50" nor too long */
    *text = p;
    return ends_well;
}

static bool read_name(const char **text, const setting *s, uint64_t *out) {
    size_t length = strcspn(*text, " ");
    for (uint32_t k = 0; s->names[k]; k++) {
        if (strlen(s->names[k]) == length && memcmp(s->names[k], *text, length) == 0) {
            *text += length;
            *out = k;
            return true;
        }
    }
    return false;
}

static bool read_setting(const char **text, const setting *s, uint64_t *value) {
    size_t length = strlen(s->name);
    if (strncmp(*text, s->name, length) != 0 || (*text)[length] != '=') return false;
    *text += length + 1;
    if (s->kind == SETTING_REAL) return read_real(text, value);
    if (s->kind == SETTING_NAME) return read_name(text, s, value);
    return read_count(text, s->kind == SETTING_COUNT32 ? UINT32_MAX : UINT64_MAX, value);
}

bool pkin_i_thread_settings_read(const char *line, pkin_i_thread_settings *settings) {
    pkin_i_thread_settings read = *settings;
    for (int k = 0; k < N_SETTINGS; k++) {
        uint64_t value = 0;
        if (!read_setting(&line, &settings_table[k], &value)) return false;
        if (*line++ != (k + 1 < N_SETTINGS ? ' ' : '\0')) return false;
        put_value(&read, &settings_table[k], value);
    }
    *settings = read;
    return true;
}
