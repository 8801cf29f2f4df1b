/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"

/* getopt_long answers with this plus the option's place in the table, whether its name or its letter was used. */
enum { OPTION_VALUE = 1000 };

static bool is_end(const pkin_i_option *option) {
    return !option->name && !option->help;
}

static size_t table_size(const pkin_i_option *table) {
    size_t n = 0;
    while (!is_end(&table[n])) n++;
    return n;
}

/* "-k, --count": as a message names an option. */
enum { SHOWN_BYTES = 48 };

static const char *shown(const pkin_i_option *option, char buffer[SHOWN_BYTES]) {
    int n = option->letter ? snprintf(buffer, SHOWN_BYTES, "-%c, ", option->letter) : 0;
    snprintf(buffer + n, SHOWN_BYTES - (size_t)n, "--%s", option->name);
    return buffer;
}

static bool takes_argument(const pkin_i_option *option) {
    return option->kind != PKIN_I_OPTION_SWITCH;
}

/* ---- Did you mean? ---------------------------------------------------------------------------------------------- */

enum { LONGEST_NAME = 32 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap of neighbours) that make one word the other: Damerau and Levenshtein. */
static size_t edit_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST_NAME || m > LONGEST_NAME) return SIZE_MAX;
    size_t rows[3][LONGEST_NAME + 1]; /* of the last two letters of `a` and of this one, in turns */
    for (size_t j = 0; j <= m; j++) rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(replaced, 1 + least(above[j], row[j - 1]));
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *pkin_i_nearest_name(const char *word, const char *(*names)(const void *table, size_t k),
                                const void *table) {
    const char *nearest = NULL;
    size_t nearest_distance = 1 + strlen(word) / 3; /* more edits than this are another word */
    for (size_t k = 0; names(table, k); k++) {
        const char *name = names(table, k);
        /* The beginning of a name, or a name with something behind it, is as good as one edit. */
        bool starts = strlen(word) >= 3 && strncmp(name, word, least(strlen(word), strlen(name))) == 0;
        size_t distance = starts ? 1 : edit_distance(word, name);
        if (distance < nearest_distance || (distance == nearest_distance && !nearest)) {
            nearest = name;
            nearest_distance = distance;
        }
    }
    return nearest;
}

static const char *option_name(const void *table, size_t k) {
    const pkin_i_option *options = table;
    for (size_t at = 0; !is_end(&options[at]); at++) {
        if (options[at].name && k-- == 0) return options[at].name;
    }
    return NULL;
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

static void *member(pkin_i_settings *settings, const pkin_i_option *option) {
    return (char *)settings + option->offset;
}

static const void *member_view(const pkin_i_settings *settings, const pkin_i_option *option) {
    return (const char *)settings + option->offset;
}

static bool read_real(pkin_i_cli *cli, const pkin_i_option *option, const char *text, double *out) {
    char *end;
    double value = strtod(text, &end);
    bool whole = end != text && *end == '\0' && strspn(text, "0123456789.eE+-") == strlen(text);
    bool inside =
        value >= option->minimum && value <= option->maximum && !(option->above_minimum && value == option->minimum);
    if (whole && inside) {
        *out = value;
        return true;
    }
    char name[SHOWN_BYTES];
    pkin_i_cli_misuse(cli, "%s: expected a number %s %g %s %g, found \"%s\"", shown(option, name),
                      option->above_minimum ? "above" : "from", option->minimum, option->above_minimum ? "up to" : "to",
                      option->maximum, text);
    return false;
}

static bool read_count(pkin_i_cli *cli, const pkin_i_option *option, const char *text, uint64_t *out) {
    errno = 0;
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    bool whole = *text && strspn(text, "0123456789") == strlen(text) && errno == 0;
    if (whole && value >= (uint64_t)option->minimum && value <= (uint64_t)option->maximum) {
        *out = value;
        return true;
    }
    char name[SHOWN_BYTES];
    pkin_i_cli_misuse(cli, "%s: expected a whole number from %.0f to %.0f, found \"%s\"", shown(option, name),
                      option->minimum, option->maximum, text);
    return false;
}

/* 2^(10 k) for the k-th letter of "KMGT"; 1 for no letter; 0 for anything else. */
static double size_unit(const char *suffix) {
    static const char letters[] = "KMGT";
    if (!*suffix) return 1;
    const char *at = suffix[1] == '\0' ? strchr(letters, suffix[0] & ~0x20) : NULL;
    return at ? (double)(UINT64_C(1) << 10 * (at - letters + 1)) : 0;
}

static bool read_size(pkin_i_cli *cli, const pkin_i_option *option, const char *text, uint64_t *out) {
    char *end;
    size_t n_digits = strspn(text, "0123456789.");
    double value = strtod(text, &end) * size_unit(text + n_digits);
    if (n_digits > 0 && end == text + n_digits && value >= option->minimum && value <= option->maximum) {
        *out = (uint64_t)value;
        return true;
    }
    char name[SHOWN_BYTES];
    pkin_i_cli_misuse(cli, "%s: expected a size of at least %.0f KB, such as 500M or 4G, found \"%s\"",
                      shown(option, name), option->minimum / 1024, text);
    return false;
}

/* "0.5,0.3": each a number as the option's kind has it. */
static bool read_numbers(pkin_i_cli *cli, const pkin_i_option *option, const char *text, pkin_i_numbers *out) {
    for (bool more = true; more;) {
        char piece[SHOWN_BYTES], name[SHOWN_BYTES];
        uint64_t count = 0;
        const size_t length = strcspn(text, ",");
        snprintf(piece, sizeof piece, "%.*s", length < sizeof piece ? (int)length : (int)sizeof piece - 1, text);
        if (out->n == PKIN_I_NUMBERS_MAX) {
            pkin_i_cli_misuse(cli, "%s: more than %d numbers", shown(option, name), PKIN_I_NUMBERS_MAX);
            return false;
        }
        const bool good = option->kind == PKIN_I_OPTION_COUNTS ? read_count(cli, option, piece, &count)
                                                               : read_real(cli, option, piece, &out->values[out->n]);
        if (!good) return false;
        if (option->kind == PKIN_I_OPTION_COUNTS) out->values[out->n] = (double)count;
        out->n++;
        more = text[length] == ',';
        text += length + more;
    }
    return true;
}

static bool is_choice(const char *choices, const char *text) {
    size_t n = strlen(text);
    for (const char *at = choices; *at;) {
        size_t length = strcspn(at, "|");
        if (length == n && strncmp(at, text, n) == 0) return true;
        at += length + (at[length] == '|');
    }
    return false;
}

static bool check_choice(pkin_i_cli *cli, const pkin_i_option *option, const char *text) {
    if (is_choice(option->choices, text)) return true;
    pkin_i_cli_misuse(cli, "--%s: expected one of %s, found \"%s\"", option->name, option->choices, text);
    return false;
}

static bool is_date(const char *text) {
    static const char pattern[] = "dddd-dd-dd";
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(text) != sizeof pattern - 1) return false;
    for (size_t k = 0; pattern[k]; k++) {
        if (pattern[k] == 'd' ? text[k] < '0' || text[k] > '9' : text[k] != '-') return false;
    }
    int year = atoi(text), month = atoi(text + 5), day = atoi(text + 8);
    if (month < 1 || month > 12 || year < 1900) return false; /* as the store has it */
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

static bool check_date(pkin_i_cli *cli, const pkin_i_option *option, const char *text) {
    if (is_date(text)) return true;
    pkin_i_cli_misuse(cli, "--%s: expected a day from 1900 on as YYYY-MM-DD, found \"%s\"", option->name, text);
    return false;
}

static bool check_backend(pkin_i_cli *cli, const pkin_i_option *option, const char *text) {
    /* "cuda" is known to every build: the library says why it is not there, and what to do. */
    if (strcmp(text, "auto") == 0 || strcmp(text, "cuda") == 0) return true;
    for (size_t k = 0; k < pkin_backend_count(); k++) {
        if (strcmp(text, pkin_backend_name(k)) == 0) return true;
    }
    pkin_i_cli_misuse(
        cli, "--%s: this program cannot compute with \"%s\" on this machine; `paperkin backends` says what it can",
        option->name, text);
    return false;
}

static bool take_text(pkin_i_settings *settings, const pkin_i_option *option, const char *text) {
    *(const char **)member(settings, option) = text;
    return true;
}

static bool add_text(pkin_i_cli *cli, const pkin_i_option *option, const char *text, pkin_i_texts *out) {
    if (*text && out->n < PKIN_I_TEXTS_MAX) {
        out->items[out->n++] = text;
        return true;
    }
    if (*text) {
        pkin_i_cli_misuse(cli, "--%s: given more than %d times", option->name, PKIN_I_TEXTS_MAX);
    } else {
        pkin_i_cli_misuse(cli, "--%s: expected a value, found nothing", option->name);
    }
    return false;
}

static bool apply(pkin_i_cli *cli, const pkin_i_option *option, const char *text, pkin_i_settings *settings) {
    switch (option->kind) {
    case PKIN_I_OPTION_SWITCH:
        *(int *)member(settings, option) = option->value;
        return true;
    case PKIN_I_OPTION_TEXT:
        if (*text) return take_text(settings, option, text);
        pkin_i_cli_misuse(cli, "--%s: expected a value, found nothing", option->name);
        return false;
    case PKIN_I_OPTION_TEXTS:
        return add_text(cli, option, text, member(settings, option));
    case PKIN_I_OPTION_CHOICE:
        return check_choice(cli, option, text) && take_text(settings, option, text);
    case PKIN_I_OPTION_DATE:
        return check_date(cli, option, text) && take_text(settings, option, text);
    case PKIN_I_OPTION_BACKEND:
        return check_backend(cli, option, text) && take_text(settings, option, text);
    case PKIN_I_OPTION_COUNT:
        return read_count(cli, option, text, member(settings, option));
    case PKIN_I_OPTION_SIZE:
        return read_size(cli, option, text, member(settings, option));
    case PKIN_I_OPTION_REAL:
        return read_real(cli, option, text, member(settings, option));
    case PKIN_I_OPTION_REALS:
    case PKIN_I_OPTION_COUNTS:
        return read_numbers(cli, option, text, member(settings, option));
    case PKIN_I_OPTION_HEADING:
        break;
    }
    return false;
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* What getopt_long asks for, made from the table. */
typedef struct getopt_input {
    struct option *names;
    char *letters;
} getopt_input;

static getopt_input make_getopt_input(const pkin_i_option *table) {
    size_t n = table_size(table), n_names = 0, n_letters = 0;
    getopt_input input = {pkin_i_cli_allocate(n + 1, sizeof *input.names), pkin_i_cli_allocate(2 * n + 2, 1)};
    input.letters[n_letters++] = ':'; /* tell a missing argument from an unknown option */
    for (size_t k = 0; k < n; k++) {
        if (!table[k].name) continue;
        int has_argument = takes_argument(&table[k]) ? required_argument : no_argument;
        input.names[n_names++] = (struct option){table[k].name, has_argument, NULL, OPTION_VALUE + (int)k};
        if (!table[k].letter) continue;
        input.letters[n_letters++] = table[k].letter;
        if (has_argument) input.letters[n_letters++] = ':';
    }
    return input;
}

static const pkin_i_option *option_of(const pkin_i_option *table, int answer) {
    if (answer >= OPTION_VALUE) return &table[answer - OPTION_VALUE];
    for (size_t k = 0; !is_end(&table[k]); k++) {
        if (table[k].letter && table[k].letter == answer) return &table[k];
    }
    return NULL;
}

/* `word` as the user wrote it, with dashes and perhaps "=value". */
static void complain_unknown(pkin_i_cli *cli, const pkin_i_option *table, const char *word) {
    if (optopt >= OPTION_VALUE) { /* known, but written with a value */
        pkin_i_cli_misuse(cli, "--%s takes no value", table[optopt - OPTION_VALUE].name);
        return;
    }
    if (optopt) {
        pkin_i_cli_misuse(cli, "unknown option -%c", optopt);
        return;
    }
    const char *name = word + strspn(word, "-");
    size_t length = strcspn(name, "=");
    size_t n_matches = 0;
    for (size_t k = 0; option_name(table, k); k++) n_matches += strncmp(option_name(table, k), name, length) == 0;
    char *bare = pkin_i_cli_copy(name);
    bare[length] = '\0';
    const char *near = pkin_i_nearest_name(bare, option_name, table);
    if (n_matches > 1) {
        pkin_i_cli_misuse(cli, "--%s could be several options; write it in full", bare);
    } else if (near) {
        pkin_i_cli_misuse(cli, "unknown option --%s; did you mean --%s?", bare, near);
    } else {
        pkin_i_cli_misuse(cli, "unknown option --%s", bare);
    }
    free(bare);
}

static bool read_one(pkin_i_cli *cli, const pkin_i_option *table, int answer, char **words, pkin_i_settings *settings) {
    const pkin_i_option *option;
    switch (answer) {
    case '?':
        complain_unknown(cli, table, words[optind - 1]);
        return false;
    case ':':
        option = option_of(table, optopt);
        pkin_i_cli_misuse(cli, "--%s needs a value: --%s %s", option->name, option->name, option->argument);
        return false;
    default:
        option = option_of(table, answer);
        return apply(cli, option, optarg, settings);
    }
}

bool pkin_i_options_read(pkin_i_cli *cli, const pkin_i_option *table, int n_words, char **words,
                         pkin_i_settings *settings, int *first_operand) {
    *settings = (pkin_i_settings){.stop_words = -1,
                                  .with_threads = -1,
                                  .sublinear_tf = -1,
                                  .n_related = UINT64_MAX,
                                  .threshold = NAN,
                                  .floor = NAN,
                                  .related_floor = NAN,
                                  .title_weight = NAN,
                                  .abstract_weight = NAN,
                                  .summary_weight = NAN,
                                  .bigram_weight = NAN,
                                  .max_df = NAN,
                                  .verify = -1,
                                  .seed = UINT64_MAX,
                                  .window_days = UINT64_MAX,
                                  .resolution = NAN,
                                  .field_resolution = NAN,
                                  .author_damping = NAN,
                                  .least_weight = NAN,
                                  .diversity = NAN,
                                  .not_weight = NAN,
                                  .mean_terms = NAN,
                                  .near_copies = NAN,
                                  .copies = NAN};
    getopt_input input = make_getopt_input(table);
    bool good = true;
    opterr = 0;
    optind = 0; /* glibc: start afresh */
    for (int answer; good && (answer = getopt_long(n_words, words, input.letters, input.names, NULL)) != -1;) {
        good = read_one(cli, table, answer, words, settings);
    }
    *first_operand = optind;
    free(input.names);
    free(input.letters);
    return good;
}

static bool is_given(const pkin_i_option *option, const pkin_i_settings *settings) {
    const void *at = member_view(settings, option);
    switch (option->kind) {
    case PKIN_I_OPTION_REAL:
        return !isnan(*(const double *)at);
    case PKIN_I_OPTION_COUNT:
    case PKIN_I_OPTION_SIZE:
        return *(const uint64_t *)at != 0;
    case PKIN_I_OPTION_REALS:
    case PKIN_I_OPTION_COUNTS:
        return ((const pkin_i_numbers *)at)->n != 0;
    case PKIN_I_OPTION_TEXTS:
        return ((const pkin_i_texts *)at)->n != 0;
    default:
        return *(const char *const *)at != NULL;
    }
}

bool pkin_i_options_check(pkin_i_cli *cli, const pkin_i_option *table, const pkin_i_settings *settings) {
    for (size_t k = 0; !is_end(&table[k]); k++) {
        if (!table[k].required || is_given(&table[k], settings)) continue;
        char name[SHOWN_BYTES];
        pkin_i_cli_misuse(cli, "%s %s must be given: %s", shown(&table[k], name), table[k].argument, table[k].help);
        return false;
    }
    return true;
}

/* ---- Help -------------------------------------------------------------------------------------------------------- */

enum { HELP_WIDTH = 80, HELP_COLUMN = 26 };

static void indent_to(FILE *stream, size_t from, size_t to) {
    for (size_t k = from; k < to; k++) fputc(' ', stream);
}

void pkin_i_print_wrapped(FILE *stream, const char *text, size_t column, size_t indent) {
    for (bool first = true; *text; first = false) {
        size_t length = strcspn(text, " ");
        if (!first && column + 1 + length > HELP_WIDTH) {
            fputc('\n', stream);
            indent_to(stream, 0, indent);
            column = indent;
        } else if (!first) {
            fputc(' ', stream);
            column++;
        }
        fwrite(text, 1, length, stream);
        column += length;
        text += length + strspn(text + length, " ");
    }
    fputc('\n', stream);
}

void pkin_i_options_print_help(const pkin_i_option *table, FILE *stream) {
    fputs("Options:\n", stream);
    for (size_t k = 0; !is_end(&table[k]); k++) {
        if (!table[k].name) {
            fprintf(stream, "\n%s:\n", table[k].help);
            continue;
        }
        char left[64], letter[4] = "  ";
        if (table[k].letter) snprintf(letter, sizeof letter, "-%c", table[k].letter);
        int n = snprintf(left, sizeof left, "  %s%s --%s%s%s", letter, table[k].letter ? "," : " ", table[k].name,
                         table[k].argument ? " " : "", table[k].argument ? table[k].argument : "");
        fputs(left, stream);
        size_t column = (size_t)n;
        if (column + 2 > HELP_COLUMN) {
            fputc('\n', stream);
            column = 0;
        }
        indent_to(stream, column, HELP_COLUMN);
        pkin_i_print_wrapped(stream, table[k].help, HELP_COLUMN, HELP_COLUMN);
    }
}
