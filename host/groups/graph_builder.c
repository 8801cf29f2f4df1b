/* SPDX-License-Identifier: Apache-2.0 */
#include "groups/graph_builder.h"

#include <float.h>
#include <string.h>

#include "base/failure.h"
#include "base/hash.h"
#include "groups/graph_number.h"

#define NO_TEXT UINT64_MAX
#define NOT_DECLARED UINT32_MAX

void pkin_i_builder_free(pkin_i_graph_builder *builder) {
    pkin_i_buffer_free(&builder->text);
    pkin_i_free(builder->nodes);
    pkin_i_free(builder->table);
    pkin_i_free(builder->edges);
    *builder = (pkin_i_graph_builder){.file = builder->file, .ids_are_inner = builder->ids_are_inner};
}

/* ---- Nodes by their ids ------------------------------------------------------------------------------------------ */

/* The place in the table where the id stands, or could. */
static size_t slot_of(const pkin_i_graph_builder *b, const char *id, size_t n_bytes) {
    size_t slot = (size_t)pkin_i_hash_bytes(id, n_bytes, 0) & (b->table_size - 1);
    for (; b->table[slot]; slot = (slot + 1) & (b->table_size - 1)) {
        const pkin_i_file_node *node = &b->nodes[b->table[slot] - 1];
        if (node->n_bytes == n_bytes && !memcmp(b->text.bytes + node->id, id, n_bytes)) break;
    }
    return slot;
}

/* At least half of the table stays free. */
static pkin_status make_room(pkin_i_graph_builder *b) {
    pkin_status status = PKIN_OK;
    uint32_t *larger = NULL, *old = b->table;
    if (b->n_nodes < b->table_size / 2) return PKIN_OK;
    size_t size = b->table_size ? 2 * b->table_size : 64;
    PKIN_TRY(pkin_i_allocate_zeroed(size, sizeof *larger, &larger));
    b->table = larger;
    b->table_size = size;
    for (size_t v = 0; v < b->n_nodes; v++) {
        b->table[slot_of(b, b->text.bytes + b->nodes[v].id, b->nodes[v].n_bytes)] = (uint32_t)v + 1;
    }
    pkin_i_free(old);
out:
    return status;
}

/* Keeps a text, NUL-terminated. */
static pkin_status keep_text(pkin_i_graph_builder *b, const char *text, size_t n_bytes, uint64_t *begin) {
    pkin_status status;
    size_t at = b->text.n_bytes;
    PKIN_TRY(pkin_i_buffer_append(&b->text, text, n_bytes));
    PKIN_TRY(pkin_i_buffer_char(&b->text, '\0'));
    *begin = at;
out:
    return status;
}

static pkin_status check_length(const pkin_i_graph_builder *b, uint64_t line, size_t n_bytes) {
    if (n_bytes <= PKIN_I_MAX_GRAPH_TEXT) return PKIN_OK;
    return pkin_i_fail(PKIN_ERROR_CORRUPT, "%s:%llu: a name of %zu bytes, expected at most %d", b->file,
                       (unsigned long long)line, n_bytes, PKIN_I_MAX_GRAPH_TEXT);
}

pkin_status pkin_i_builder_node(pkin_i_graph_builder *b, const char *id, size_t n_bytes, uint64_t line, uint32_t *out) {
    pkin_status status;
    pkin_i_file_node node = {.name = NO_TEXT, .line = line, .n_bytes = (uint32_t)n_bytes, .place = NOT_DECLARED};
    PKIN_TRY(check_length(b, line, n_bytes));
    PKIN_TRY(make_room(b));
    size_t slot = slot_of(b, id, n_bytes);
    if (!b->table[slot]) {
        PKIN_REQUIRE(b->n_nodes < UINT32_MAX - 1, PKIN_ERROR_OVERFLOW,
                     "%s:%llu: too many nodes, expected fewer than 4294967295", b->file, (unsigned long long)line);
        PKIN_TRY(pkin_i_grow(&b->nodes, &b->node_capacity, b->n_nodes + 1, sizeof *b->nodes));
        PKIN_TRY(keep_text(b, id, n_bytes, &node.id));
        b->nodes[b->n_nodes++] = node;
        b->table[slot] = (uint32_t)b->n_nodes;
    }
    *out = b->table[slot] - 1;
out:
    return status;
}

bool pkin_i_builder_declare(pkin_i_graph_builder *b, uint32_t node) {
    if (b->nodes[node].place != NOT_DECLARED) return false;
    b->nodes[node].place = b->n_declared++;
    return true;
}

pkin_status pkin_i_builder_name(pkin_i_graph_builder *b, uint32_t node, const char *name, size_t n_bytes) {
    pkin_status status = PKIN_OK;
    b->nodes[node].name = NO_TEXT;
    if (n_bytes) PKIN_TRY(keep_text(b, name, n_bytes, &b->nodes[node].name));
out:
    return status;
}

/* ---- Edges ------------------------------------------------------------------------------------------------------- */

pkin_status pkin_i_builder_edge(pkin_i_graph_builder *b, uint32_t first, uint32_t second, double weight) {
    pkin_status status = PKIN_OK;
    if (first == second) return PKIN_OK;
    PKIN_TRY(pkin_i_grow(&b->edges, &b->edge_capacity, b->n_edges + 1, sizeof *b->edges));
    b->edges[b->n_edges++] = (pkin_edge){first, second, weight};
out:
    return status;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

pkin_status pkin_i_builder_weight(const pkin_i_graph_builder *b, uint64_t line, const char *text, size_t n_bytes,
                                  double *out) {
    pkin_status status = PKIN_OK;
    double weight;
    char shown[48];
    while (n_bytes && is_blank(*text)) text++, n_bytes--;
    while (n_bytes && is_blank(text[n_bytes - 1])) n_bytes--;
    bool is_number = pkin_i_number_read(text, n_bytes, &weight);
    if (!is_number || !(weight > 0 && weight <= DBL_MAX)) {
        /* What is no number may be anything: it is shown as a terminal may see it. */
        char copy[sizeof shown];
        size_t n_shown = n_bytes < sizeof copy ? n_bytes : sizeof copy - 1;
        memcpy(copy, text, n_shown);
        copy[n_shown] = '\0';
        pkin_escape(PKIN_ESCAPE_TERMINAL, copy, shown, sizeof shown);
        status = pkin_i_fail(PKIN_ERROR_CORRUPT, "%s:%llu: the weight of an edge is \"%s\", expected a number above 0",
                             b->file, (unsigned long long)line, shown);
        goto out;
    }
    *out = weight;
out:
    return status;
}

/* ---- The graph --------------------------------------------------------------------------------------------------- */

static const char *name_of(const pkin_i_graph_builder *b, size_t v) {
    return b->text.bytes + (b->nodes[v].name != NO_TEXT ? b->nodes[v].name : b->nodes[v].id);
}

/* A number below `limit` as it would be written ("0", "17", not "017"); UINT32_MAX for any other text. */
static uint32_t plain_number(const char *text, size_t limit) {
    uint64_t value = 0;
    if (!*text || (*text == '0' && text[1])) return UINT32_MAX;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return UINT32_MAX;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value >= limit) return UINT32_MAX;
    }
    return (uint32_t)value;
}

/* Whether the names, behind `prefix`, are the numbers from 0 to n_nodes - 1: then they are the places. */
static bool places_by_number(const pkin_i_graph_builder *b, const char *prefix, uint32_t *places,
                             unsigned char *is_taken) {
    size_t n_prefix = strlen(prefix);
    memset(is_taken, 0, b->n_nodes);
    for (size_t v = 0; v < b->n_nodes; v++) {
        const char *name = name_of(b, v);
        if (strncmp(name, prefix, n_prefix) != 0) return false;
        uint32_t place = plain_number(name + n_prefix, b->n_nodes);
        if (place == UINT32_MAX || is_taken[place]) return false;
        is_taken[place] = 1;
        places[v] = place;
    }
    return true;
}

static bool has_names(const pkin_i_graph_builder *b) {
    for (size_t v = 0; v < b->n_nodes; v++) {
        if (b->nodes[v].name != NO_TEXT) return true;
    }
    return false;
}

static pkin_status check_declared(const pkin_i_graph_builder *b) {
    pkin_status status = PKIN_OK;
    char shown[128];
    for (size_t v = 0; v < b->n_nodes; v++) {
        if (b->nodes[v].place != NOT_DECLARED) continue;
        pkin_escape(PKIN_ESCAPE_TERMINAL, b->text.bytes + b->nodes[v].id, shown, sizeof shown);
        status = pkin_i_fail(PKIN_ERROR_CORRUPT,
                             "%s:%llu: an edge names the node \"%s\", which the file does not hold: expected a <node> "
                             "with this id",
                             b->file, (unsigned long long)b->nodes[v].line, shown);
        goto out;
    }
out:
    return status;
}

pkin_status pkin_i_builder_finish(pkin_i_graph_builder *b, pkin_graph **out) {
    pkin_status status;
    uint32_t *places = NULL;
    unsigned char *is_taken = NULL;
    const char **names = NULL;
    PKIN_TRY(check_declared(b));
    PKIN_TRY(pkin_i_allocate(b->n_nodes, sizeof *places, &places));
    PKIN_TRY(pkin_i_allocate(b->n_nodes, 1, &is_taken));
    PKIN_TRY(pkin_i_allocate(b->n_nodes, sizeof *names, &names));
    bool by_number = places_by_number(b, "", places, is_taken) ||
                     (b->ids_are_inner && !has_names(b) && places_by_number(b, "n", places, is_taken));
    for (size_t v = 0; v < b->n_nodes; v++) {
        if (!by_number) places[v] = b->nodes[v].place;
        names[places[v]] = name_of(b, v);
    }
    for (size_t e = 0; e < b->n_edges; e++) {
        b->edges[e].a = places[b->edges[e].a];
        b->edges[e].b = places[b->edges[e].b];
    }
    PKIN_TRY(pkin_graph_from_edges(b->n_nodes, b->edges, b->n_edges, by_number ? NULL : names, out));
out:
    pkin_i_free(places);
    pkin_i_free(is_taken);
    pkin_i_free(names);
    return status;
}
