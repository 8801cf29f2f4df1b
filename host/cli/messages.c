/* SPDX-License-Identifier: Apache-2.0 */
#include "messages.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "signals.h"

void *pkin_i_cli_allocate(size_t n_items, size_t item_bytes) {
    void *memory = calloc(n_items ? n_items : 1, item_bytes ? item_bytes : 1);
    if (!memory) {
        fputs("paperkin: error: out of memory\n", stderr);
        exit(PKIN_I_EXIT_FAILURE);
    }
    return memory;
}

char *pkin_i_cli_copy(const char *text) {
    size_t n_bytes = strlen(text) + 1;
    return memcpy(pkin_i_cli_allocate(n_bytes, 1), text, n_bytes);
}

void pkin_i_cli_write_escaped(FILE *stream, pkin_escape_target target, const char *text) {
    char small[1024];
    size_t needed = pkin_escape(target, text, small, sizeof small);
    if (needed < sizeof small) {
        fwrite(small, 1, needed, stream);
        return;
    }
    char *large = pkin_i_cli_allocate(needed + 1, 1);
    pkin_escape(target, text, large, needed + 1);
    fwrite(large, 1, needed, stream);
    free(large);
}

static void write_formatted(FILE *stream, const char *format, va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) return;
    pkin_i_cli_write_escaped(stream, PKIN_ESCAPE_TERMINAL, text);
    free(text);
}

/* `color` is the SGR parameter of the label. */
static void write_labelled(pkin_i_cli *cli, const char *label, const char *color, const char *format,
                           va_list arguments) {
    pkin_i_progress_erase(cli);
    if (cli->color_errors) {
        fprintf(stderr, "paperkin: \033[%sm%s:\033[0m ", color, label);
    } else {
        fprintf(stderr, "paperkin: %s: ", label);
    }
    write_formatted(stderr, format, arguments);
    fputc('\n', stderr);
}

void pkin_i_cli_error(pkin_i_cli *cli, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_labelled(cli, "error", "1;31", format, arguments);
    va_end(arguments);
}

void pkin_i_cli_warning(pkin_i_cli *cli, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_labelled(cli, "warning", "1;33", format, arguments);
    va_end(arguments);
}

void pkin_i_cli_note(pkin_i_cli *cli, const char *format, ...) {
    if (cli->quiet) return;
    va_list arguments;
    va_start(arguments, format);
    write_labelled(cli, "note", "1;36", format, arguments);
    va_end(arguments);
}

void pkin_i_cli_line(pkin_i_cli *cli, FILE *stream, const char *format, ...) {
    if (cli->quiet) return;
    pkin_i_progress_erase(cli);
    va_list arguments;
    va_start(arguments, format);
    write_formatted(stream, format, arguments);
    va_end(arguments);
    fputc('\n', stream);
}

int pkin_i_cli_misuse(pkin_i_cli *cli, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_labelled(cli, "error", "1;31", format, arguments);
    va_end(arguments);
    fprintf(stderr, "Try `paperkin %s%s`.\n", cli->command ? "help " : "help", cli->command ? cli->command : "");
    return PKIN_I_EXIT_MISUSE;
}

bool pkin_i_cli_reader_is_gone(void) {
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR);
}

int pkin_i_cli_failed(pkin_i_cli *cli, pkin_status status) {
    pkin_i_cli_diagnostics_end(cli);
    int caught = pkin_i_signals_caught();
    if (caught) {
        pkin_i_progress_erase(cli);
        fputs("paperkin: interrupted\n", stderr);
        return PKIN_I_EXIT_SIGNAL + caught;
    }
    if (status == PKIN_ERROR_IO && pkin_i_cli_reader_is_gone()) return PKIN_I_EXIT_FAILURE;
    const char *detail = pkin_last_error();
    pkin_i_cli_error(cli, "%s", *detail ? detail : pkin_status_message(status));
    return PKIN_I_EXIT_FAILURE;
}

void pkin_i_cli_diagnostics_end(pkin_i_cli *cli) {
    if (cli->n_skipped_in_file > PKIN_I_SKIPS_NAMED) {
        char more[PKIN_I_COUNTED_BYTES];
        pkin_i_progress_erase(cli);
        pkin_i_cli_write_escaped(stderr, PKIN_ESCAPE_TERMINAL, cli->skip_file);
        fprintf(stderr, ": %s skipped beyond these\n",
                pkin_i_cli_counted(cli->n_skipped_in_file - PKIN_I_SKIPS_NAMED, "record", more));
    }
    free(cli->skip_file);
    cli->skip_file = NULL;
    cli->n_skipped_in_file = 0;
}

void pkin_i_cli_on_diagnostic(void *user, const pkin_diagnostic *diagnostic) {
    pkin_i_cli *cli = user;
    if (!cli->skip_file || strcmp(cli->skip_file, diagnostic->file) != 0) {
        pkin_i_cli_diagnostics_end(cli);
        cli->skip_file = pkin_i_cli_copy(diagnostic->file);
    }
    if (diagnostic->skipped_record) {
        cli->n_skipped++;
        if (++cli->n_skipped_in_file > PKIN_I_SKIPS_NAMED) return;
    } else if (cli->quiet) {
        return;
    }
    pkin_i_progress_erase(cli);
    pkin_i_cli_write_escaped(stderr, PKIN_ESCAPE_TERMINAL, diagnostic->file);
    if (diagnostic->line) fprintf(stderr, ":%" PRIu64, diagnostic->line);
    fputs(diagnostic->skipped_record ? ": skipped: " : ": note: ", stderr);
    pkin_i_cli_write_escaped(stderr, PKIN_ESCAPE_TERMINAL, diagnostic->reason);
    fputc('\n', stderr);
}

const char *pkin_i_cli_count(uint64_t n, char buffer[PKIN_I_COUNT_BYTES]) {
    char digits[PKIN_I_COUNT_BYTES];
    int n_digits = snprintf(digits, sizeof digits, "%" PRIu64, n);
    size_t at = 0;
    for (int k = 0; k < n_digits; k++) {
        if (k > 0 && (n_digits - k) % 3 == 0) buffer[at++] = ',';
        buffer[at++] = digits[k];
    }
    buffer[at] = '\0';
    return buffer;
}

const char *pkin_i_cli_counted(uint64_t n, const char *one, char buffer[PKIN_I_COUNTED_BYTES]) {
    char count[PKIN_I_COUNT_BYTES];
    snprintf(buffer, PKIN_I_COUNTED_BYTES, "%s %s%s", pkin_i_cli_count(n, count), one, n == 1 ? "" : "s");
    return buffer;
}

const char *pkin_i_cli_bytes(uint64_t n_bytes, char buffer[PKIN_I_COUNT_BYTES]) {
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    double value = (double)n_bytes;
    size_t unit = 0;
    for (; value >= 999.95 && unit < 4; unit++) value /= 1000;
    snprintf(buffer, PKIN_I_COUNT_BYTES, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return buffer;
}
