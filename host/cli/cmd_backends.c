/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "json_out.h"
#include "messages.h"
#include "options.h"
#include "table.h"

/* What there is to say of a backend. */
typedef struct backend_state {
    const char *name;
    const char *description; /* NULL: this build has none */
    bool can_run;
    char *why_not; /* NULL where it can */
    pkin_device_list devices;
} backend_state;

/* The last one is "cuda" in any build: who looks for it finds out why it is not there. */
enum { STATES_MOST = 8 };

static void ask(backend_state *state) {
    state->can_run = pkin_backend_check(state->name) == PKIN_OK;
    if (!state->can_run) state->why_not = pkin_i_cli_copy(pkin_last_error());
    /* Devices may be listed that cannot be used, and say why. */
    if (state->can_run && pkin_backend_devices(state->name, &state->devices) != PKIN_OK) {
        state->why_not = pkin_i_cli_copy(pkin_last_error());
    }
}

static size_t ask_all(backend_state states[STATES_MOST]) {
    size_t n = 0;
    bool has_cuda = false;
    for (size_t k = 0; k < pkin_backend_count() && n + 1 < STATES_MOST; k++) {
        has_cuda |= strcmp(pkin_backend_name(k), "cuda") == 0;
        states[n++] = (backend_state){.name = pkin_backend_name(k), .description = pkin_backend_description(k)};
    }
    if (!has_cuda) states[n++] = (backend_state){.name = "cuda"};
    for (size_t k = 0; k < n; k++) ask(&states[k]);
    return n;
}

static void forget_all(backend_state *states, size_t n) {
    for (size_t k = 0; k < n; k++) {
        free(states[k].why_not);
        pkin_device_list_free(&states[k].devices);
    }
}

/* ---- JSON ---- */

static void print_device_as_json(pkin_i_json *json, const pkin_device *device) {
    char capability[32];
    snprintf(capability, sizeof capability, "%d.%d", device->major, device->minor);
    pkin_i_json_begin_object(json, NULL);
    pkin_i_json_count(json, "device", (uint64_t)device->index);
    pkin_i_json_flag(json, "can_run", device->can_run);
    if (!device->can_run) pkin_i_json_text(json, "why_not", device->why_not);
    if (device->can_run) {
        pkin_i_json_text(json, "name", device->name);
        pkin_i_json_text(json, "compute_capability", capability);
        pkin_i_json_count(json, "memory_bytes", device->memory_bytes);
        pkin_i_json_begin_array(json, "filters");
        for (size_t f = 0; f < device->n_filters; f++) {
            pkin_i_json_begin_object(json, NULL);
            pkin_i_json_text(json, "name", device->filters[f].name);
            pkin_i_json_flag(json, "can_run", device->filters[f].can_run);
            if (!device->filters[f].can_run) pkin_i_json_text(json, "why_not", device->filters[f].why_not);
            pkin_i_json_end_object(json);
        }
        pkin_i_json_end_array(json);
    }
    pkin_i_json_end_object(json);
}

static void print_json(const backend_state *states, size_t n) {
    pkin_i_json json;
    pkin_i_json_begin_answer(&json, "backends");
    pkin_i_json_begin_array(&json, "backends");
    for (size_t k = 0; k < n; k++) {
        const backend_state *state = &states[k];
        pkin_i_json_begin_object(&json, NULL);
        pkin_i_json_text(&json, "name", state->name);
        if (state->description) pkin_i_json_text(&json, "description", state->description);
        pkin_i_json_flag(&json, "built_in", state->description != NULL);
        pkin_i_json_flag(&json, "can_run", state->can_run);
        if (state->why_not) pkin_i_json_text(&json, "why_not", state->why_not);
        pkin_i_json_begin_array(&json, "devices");
        for (size_t d = 0; d < state->devices.n_devices; d++) {
            print_device_as_json(&json, &state->devices.devices[d]);
        }
        pkin_i_json_end_array(&json);
        pkin_i_json_end_object(&json);
    }
    pkin_i_json_end_array(&json);
    pkin_i_json_end_answer(&json);
}

/* ---- Text ---- */

static void print_backends(const pkin_i_cli *cli, const backend_state *states, size_t n) {
    static const char *const headings[] = {"backend", "how it computes"};
    pkin_i_table *table = pkin_i_table_new(headings, 2, 0);
    for (size_t k = 0; k < n; k++) {
        if (!states[k].can_run) continue;
        pkin_i_table_text(table, states[k].name);
        pkin_i_table_text(table, states[k].description);
    }
    pkin_i_table_print(table, stdout, cli->color_output);
    pkin_i_table_free(table);
}

/* "fused, gemm8, gemm32, dp4a" */
static void list_filters(const pkin_device *device, char *text, size_t n_bytes) {
    size_t n = 0;
    text[0] = '\0';
    for (size_t f = 0; f < device->n_filters && n < n_bytes; f++) {
        if (!device->filters[f].can_run) continue;
        n += (size_t)snprintf(text + n, n_bytes - n, "%s%s", n > 0 ? ", " : "", device->filters[f].name);
    }
}

static void print_devices(const pkin_i_cli *cli, const pkin_device_list *list) {
    static const char *const headings[] = {"device", "", "compute\ncapability", "memory", "filters"};
    pkin_i_table *table = pkin_i_table_new(headings, 5, 0);
    for (size_t d = 0; d < list->n_devices; d++) {
        const pkin_device *device = &list->devices[d];
        char text[96], memory[PKIN_I_COUNT_BYTES];
        if (!device->can_run) continue;
        pkin_i_table_count(table, (uint64_t)device->index);
        pkin_i_table_text(table, device->name);
        snprintf(text, sizeof text, "%d.%d", device->major, device->minor);
        pkin_i_table_text(table, text);
        pkin_i_table_text(table, pkin_i_cli_bytes(device->memory_bytes, memory));
        list_filters(device, text, sizeof text);
        pkin_i_table_text(table, text);
    }
    putchar('\n');
    pkin_i_table_print(table, stdout, cli->color_output);
    pkin_i_table_free(table);
}

static void print_reason(const char *what, const char *reason) {
    char text[1024];
    snprintf(text, sizeof text, "%s%s%s", what, *what ? ": " : "", reason);
    pkin_i_print_wrapped(stdout, text, 0, 2);
}

/* What devices, and their filters, are missing. */
static void print_missing(const pkin_device_list *list) {
    for (size_t d = 0; d < list->n_devices; d++) {
        const pkin_device *device = &list->devices[d];
        char what[64];
        snprintf(what, sizeof what, "device %d cannot be used", device->index);
        if (!device->can_run) print_reason(what, device->why_not);
        for (size_t f = 0; f < device->n_filters; f++) {
            snprintf(what, sizeof what, "device %d has no %s", device->index, device->filters[f].name);
            if (!device->filters[f].can_run) print_reason(what, device->filters[f].why_not);
        }
    }
}

static void print_text(const pkin_i_cli *cli, const backend_state *states, size_t n) {
    print_backends(cli, states, n);
    for (size_t k = 0; k < n; k++) {
        if (states[k].devices.n_devices > 0) print_devices(cli, &states[k].devices);
    }
    putchar('\n');
    for (size_t k = 0; k < n; k++) {
        print_missing(&states[k].devices);
        if (states[k].why_not) print_reason("", states[k].why_not);
    }
}

static int run(pkin_i_cli *cli, const pkin_i_settings *settings, int n_operands, char **operands) {
    backend_state states[STATES_MOST];
    (void)n_operands;
    (void)operands;
    const size_t n = ask_all(states);
    if (settings->json) {
        print_json(states, n);
    } else {
        print_text(cli, states, n);
    }
    forget_all(states, n);
    return PKIN_I_EXIT_DONE;
}

static const pkin_i_option options[] = {PKIN_I_OPTION_JSON, PKIN_I_OPTIONS_COMMON};

const pkin_i_command pkin_i_command_backends = {
    .name = "backends",
    .usage = "[--json]",
    .summary = "what can compute similarity on this machine",
    .description =
        "Lists what can compute similarity on this machine: backends, and GPUs with the filters that each can "
        "run; and why what is missing is missing. All compute the same bits and differ in speed only; which "
        "one does the work is chosen by a plan, unless --backend says so.",
    .options = options,
    .run = run,
};
