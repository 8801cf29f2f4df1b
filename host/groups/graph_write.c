/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Graphs as files. Everything is put together in memory and written at once, in the order of the nodes, each edge at
 * its lower end, so that the same graph gives the same bytes. Weights are written with as many digits as tell them
 * from every other double.
 *
 * Names and titles come from strangers. In edge lists, whatever could end a field or a line, begin a comment, or does
 * not show (control characters, bidirectional ones, bytes that are no UTF-8) is written as \t, \n, \r, \\ or \xHH, one
 * for each byte, and read back as it was. XML has no way to hold most control characters or bytes that are no UTF-8:
 * these become U+FFFD there.
 */
#include <string.h>

#include "base/failure.h"
#include "base/file.h"
#include "base/take_options.h"
#include "base/utf8.h"
#include "groups/graph.h"
#include "groups/graph_builder.h"
#include "groups/graph_number.h"

pkin_graph_notes pkin_graph_notes_default(void) {
    return (pkin_graph_notes){.size = sizeof(pkin_graph_notes)};
}

typedef struct writer {
    const pkin_graph *graph;
    pkin_graph_view view;
    pkin_graph_notes notes;
    pkin_i_buffer name; /* of the node at hand, where it is a number */
    pkin_i_buffer out;
} writer;

/* Characters that do not show, or that change how others are shown. */
static bool is_hidden(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

/* Whether the character is what it seems: U+FFFD stands for bytes that are no UTF-8 as well as for itself. */
static bool is_valid(uint32_t c, size_t n_bytes) {
    return c != PKIN_I_REPLACEMENT_CHARACTER || n_bytes == 3;
}

/* The name of a node; of one without, its number. Valid until the next call. */
static pkin_status name_of(writer *w, uint64_t v, const char **out) {
    pkin_status status = PKIN_OK;
    *out = pkin_graph_name(w->graph, v);
    if (!*out) {
        pkin_i_buffer_clear(&w->name);
        PKIN_TRY(pkin_i_buffer_printf(&w->name, "%llu", (unsigned long long)v));
        *out = w->name.bytes;
    }
out:
    return status;
}

/* ---- Edge list --------------------------------------------------------------------------------------------------- */

static pkin_status append_hex(pkin_i_buffer *out, const char *bytes, size_t n_bytes) {
    static const char digits[] = "0123456789ABCDEF";
    pkin_status status = PKIN_OK;
    for (size_t k = 0; k < n_bytes; k++) {
        unsigned char byte = (unsigned char)bytes[k];
        const char escape[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
        PKIN_TRY(pkin_i_buffer_append(out, escape, sizeof escape));
    }
out:
    return status;
}

/* A blank inside a name parts fields only on a line without tabs; at an end it would not be seen. */
static bool is_bare_blank(const char *text, size_t at, size_t n_bytes, bool is_alone) {
    return text[at] == ' ' && (is_alone || at == 0 || at + 1 == n_bytes);
}

/* A name as a field; `is_alone`: the only one of its line. */
static pkin_status append_field(pkin_i_buffer *out, const char *text, bool is_alone) {
    static const char short_ones[] = "\t\n\r\\", letters[] = "tnr\\";
    pkin_status status = PKIN_OK;
    size_t n_bytes = strlen(text), length;
    for (size_t at = 0; at < n_bytes; at += length) {
        uint32_t c;
        length = pkin_i_utf8_decode(text + at, n_bytes - at, &c);
        const char *as_letter = strchr(short_ones, text[at]);
        if (as_letter) {
            PKIN_TRY(pkin_i_buffer_char(out, '\\'));
            PKIN_TRY(pkin_i_buffer_char(out, letters[as_letter - short_ones]));
        } else if (is_hidden(c) || !is_valid(c, length) || c == '#' || (c == '<' && at == 0) ||
                   is_bare_blank(text, at, n_bytes, is_alone)) {
            PKIN_TRY(append_hex(out, text + at, length));
        } else {
            PKIN_TRY(pkin_i_buffer_append(out, text + at, length));
        }
    }
out:
    return status;
}

/* The edges of a node to higher ones; a node without edges alone. */
static pkin_status append_lines(writer *w, uint64_t v) {
    pkin_status status = PKIN_OK;
    const char *name;
    uint64_t begin = w->view.offsets[v], end = w->view.offsets[v + 1];
    if (begin == end) {
        PKIN_TRY(name_of(w, v, &name));
        PKIN_TRY(append_field(&w->out, name, true));
        PKIN_TRY(pkin_i_buffer_char(&w->out, '\n'));
    }
    for (uint64_t i = begin; i < end; i++) {
        if (w->view.targets[i] < v) continue;
        PKIN_TRY(name_of(w, v, &name));
        PKIN_TRY(append_field(&w->out, name, false));
        PKIN_TRY(pkin_i_buffer_char(&w->out, '\t'));
        PKIN_TRY(name_of(w, w->view.targets[i], &name));
        PKIN_TRY(append_field(&w->out, name, false));
        PKIN_TRY(pkin_i_buffer_char(&w->out, '\t'));
        PKIN_TRY(pkin_i_number_append(&w->out, w->view.weights[i]));
        PKIN_TRY(pkin_i_buffer_char(&w->out, '\n'));
    }
out:
    return status;
}

/* In an edge list two nodes of one name would become one. */
static pkin_status check_names_differ(writer *w) {
    pkin_status status = PKIN_OK;
    pkin_i_graph_builder seen = {.file = "the edge list"};
    const char *name;
    uint32_t node;
    char shown[128];
    for (uint64_t v = 0; w->graph && w->graph->names.begins && v < w->view.n_nodes; v++) {
        PKIN_TRY(name_of(w, v, &name));
        PKIN_REQUIRE(strlen(name) <= PKIN_I_MAX_GRAPH_TEXT, PKIN_ERROR_INVALID_ARGUMENT,
                     "the name of node %llu has %zu bytes, expected at most %d", (unsigned long long)v, strlen(name),
                     PKIN_I_MAX_GRAPH_TEXT);
        PKIN_TRY(pkin_i_builder_node(&seen, name, strlen(name), v, &node));
        if (pkin_i_builder_declare(&seen, node)) continue;
        pkin_escape(PKIN_ESCAPE_TERMINAL, name, shown, sizeof shown);
        status = pkin_i_fail(PKIN_ERROR_INVALID_ARGUMENT,
                             "two nodes are called \"%s\", which an edge list cannot tell apart: write GraphML or GEXF",
                             shown);
        goto out;
    }
out:
    pkin_i_builder_free(&seen);
    return status;
}

static pkin_status append_edge_list(writer *w) {
    pkin_status status;
    PKIN_TRY(check_names_differ(w));
    for (uint64_t v = 0; v < w->view.n_nodes; v++) PKIN_TRY(append_lines(w, v));
out:
    return status;
}

/* ---- XML --------------------------------------------------------------------------------------------------------- */

static const char *entity_of(char c) {
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

/* What XML 1.0 can hold (section 2.2). */
static bool is_xml_character(uint32_t c) {
    return c >= 0x20 ? c != 0xFFFE && c != 0xFFFF : c == '\t' || c == '\n' || c == '\r';
}

static pkin_status append_xml(pkin_i_buffer *out, const char *text) {
    pkin_status status = PKIN_OK;
    size_t n_bytes = strlen(text), length;
    for (size_t at = 0; at < n_bytes; at += length) {
        uint32_t c;
        length = pkin_i_utf8_decode(text + at, n_bytes - at, &c);
        const char *entity = entity_of(text[at]);
        if (entity) {
            PKIN_TRY(pkin_i_buffer_string(out, entity));
        } else if (!is_valid(c, length) || !is_xml_character(c)) {
            PKIN_TRY(pkin_i_buffer_string(out, "\xEF\xBF\xBD"));
        } else if (is_hidden(c)) {
            PKIN_TRY(pkin_i_buffer_printf(out, "&#x%X;", (unsigned)c));
        } else {
            PKIN_TRY(pkin_i_buffer_append(out, text + at, length));
        }
    }
out:
    return status;
}

/* How a format says what an attribute of a node is, around the text. */
typedef struct xml_dialect {
    const char *head, *tail;
    const char *before_key, *before_text, *behind_text;
} xml_dialect;

/* What is told of nodes, beside their names. Keys are also the attributes' ids. */
typedef struct node_attribute {
    const char *key, *graphml_type, *gexf_type;
} node_attribute;

enum { TITLE, CLUSTER, CLUSTER_LABEL, SIZE, INNER_WEIGHT, N_ATTRIBUTES };

static const node_attribute attributes[N_ATTRIBUTES] = {
    [TITLE] = {"title", "string", "string"},
    [CLUSTER] = {"cluster", "long", "long"},
    [CLUSTER_LABEL] = {"cluster_label", "string", "string"},
    [SIZE] = {"size", "long", "long"},
    [INNER_WEIGHT] = {"inner_weight", "double", "double"},
};

static bool is_told(const writer *w, int which) {
    const bool told[N_ATTRIBUTES] = {w->notes.titles != NULL, w->notes.clusters != NULL,
                                     w->notes.clusters && w->notes.cluster_labels, w->view.sizes != NULL,
                                     w->view.inner_weights != NULL};
    return told[which];
}

/* The text of an attribute, escaped. Nothing where the node has none. */
static pkin_status append_value(writer *w, int which, uint64_t v) {
    uint32_t cluster = w->notes.clusters ? w->notes.clusters[v] : PKIN_NO_CLUSTER;
    const char *text = NULL;
    switch (which) {
    case TITLE:
        text = w->notes.titles[v];
        break;
    case CLUSTER:
        return cluster == PKIN_NO_CLUSTER ? PKIN_OK : pkin_i_buffer_printf(&w->out, "%lu", (unsigned long)cluster);
    case CLUSTER_LABEL:
        text = cluster == PKIN_NO_CLUSTER ? NULL : w->notes.cluster_labels[cluster];
        break;
    case SIZE:
        return pkin_i_buffer_printf(&w->out, "%llu", (unsigned long long)w->view.sizes[v]);
    default:
        return pkin_i_number_append(&w->out, w->view.inner_weights[v]);
    }
    return text ? append_xml(&w->out, text) : PKIN_OK;
}

/* All attributes of a node that have a value. */
static pkin_status append_values(writer *w, uint64_t v, const xml_dialect *dialect) {
    pkin_status status = PKIN_OK;
    for (int which = 0; which < N_ATTRIBUTES; which++) {
        size_t before = w->out.n_bytes;
        if (!is_told(w, which)) continue;
        PKIN_TRY(
            pkin_i_buffer_printf(&w->out, "%s%s%s", dialect->before_key, attributes[which].key, dialect->before_text));
        size_t begin = w->out.n_bytes;
        PKIN_TRY(append_value(w, which, v));
        if (w->out.n_bytes == begin) {
            w->out.n_bytes = before;
            continue;
        }
        PKIN_TRY(pkin_i_buffer_string(&w->out, dialect->behind_text));
    }
out:
    return status;
}

/* ---- GraphML ----------------------------------------------------------------------------------------------------- */

static const xml_dialect graphml = {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
    "xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns "
    "http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n"
    "  <key id=\"name\" for=\"node\" attr.name=\"name\" attr.type=\"string\"/>\n",
    "  </graph>\n</graphml>\n",
    "<data key=\"",
    "\">",
    "</data>",
};

static pkin_status append_graphml_node(writer *w, uint64_t v) {
    pkin_status status;
    const char *name;
    PKIN_TRY(name_of(w, v, &name));
    PKIN_TRY(pkin_i_buffer_printf(&w->out, "    <node id=\"n%llu\"><data key=\"name\">", (unsigned long long)v));
    PKIN_TRY(append_xml(&w->out, name));
    PKIN_TRY(pkin_i_buffer_string(&w->out, "</data>"));
    PKIN_TRY(append_values(w, v, &graphml));
    PKIN_TRY(pkin_i_buffer_string(&w->out, "</node>\n"));
out:
    return status;
}

static pkin_status append_graphml_edges(writer *w, uint64_t v) {
    pkin_status status = PKIN_OK;
    for (uint64_t i = w->view.offsets[v]; i < w->view.offsets[v + 1]; i++) {
        if (w->view.targets[i] < v) continue;
        PKIN_TRY(pkin_i_buffer_printf(&w->out, "    <edge source=\"n%llu\" target=\"n%lu\"><data key=\"weight\">",
                                      (unsigned long long)v, (unsigned long)w->view.targets[i]));
        PKIN_TRY(pkin_i_number_append(&w->out, w->view.weights[i]));
        PKIN_TRY(pkin_i_buffer_string(&w->out, "</data></edge>\n"));
    }
out:
    return status;
}

static pkin_status append_graphml(writer *w) {
    pkin_status status;
    PKIN_TRY(pkin_i_buffer_string(&w->out, graphml.head));
    for (int which = 0; which < N_ATTRIBUTES; which++) {
        const node_attribute *a = &attributes[which];
        if (is_told(w, which))
            PKIN_TRY(pkin_i_buffer_printf(&w->out,
                                          "  <key id=\"%s\" for=\"node\" attr.name=\"%s\" attr.type=\"%s\"/>\n", a->key,
                                          a->key, a->graphml_type));
    }
    PKIN_TRY(pkin_i_buffer_string(&w->out,
                                  "  <key id=\"weight\" for=\"edge\" attr.name=\"weight\" attr.type=\"double\"/>\n"
                                  "  <graph id=\"G\" edgedefault=\"undirected\">\n"));
    for (uint64_t v = 0; v < w->view.n_nodes; v++) PKIN_TRY(append_graphml_node(w, v));
    for (uint64_t v = 0; v < w->view.n_nodes; v++) PKIN_TRY(append_graphml_edges(w, v));
    PKIN_TRY(pkin_i_buffer_string(&w->out, graphml.tail));
out:
    return status;
}

/* ---- GEXF -------------------------------------------------------------------------------------------------------- */

static const xml_dialect gexf = {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<gexf xmlns=\"http://gexf.net/1.3\" version=\"1.3\">\n"
    "  <meta><creator>paperkin</creator></meta>\n"
    "  <graph defaultedgetype=\"undirected\" mode=\"static\">\n",
    "    </edges>\n  </graph>\n</gexf>\n",
    "<attvalue for=\"",
    "\" value=\"",
    "\"/>",
};

static pkin_status append_gexf_attributes(writer *w) {
    pkin_status status;
    size_t before = w->out.n_bytes;
    PKIN_TRY(pkin_i_buffer_string(&w->out, "    <attributes class=\"node\">\n"));
    size_t begin = w->out.n_bytes;
    for (int which = 0; which < N_ATTRIBUTES; which++) {
        const node_attribute *a = &attributes[which];
        if (is_told(w, which))
            PKIN_TRY(pkin_i_buffer_printf(&w->out, "      <attribute id=\"%s\" title=\"%s\" type=\"%s\"/>\n", a->key,
                                          a->key, a->gexf_type));
    }
    if (w->out.n_bytes == begin) {
        w->out.n_bytes = before;
        goto out;
    }
    PKIN_TRY(pkin_i_buffer_string(&w->out, "    </attributes>\n"));
out:
    return status;
}

static pkin_status append_gexf_node(writer *w, uint64_t v) {
    pkin_status status;
    const char *name;
    PKIN_TRY(name_of(w, v, &name));
    PKIN_TRY(pkin_i_buffer_printf(&w->out, "      <node id=\"n%llu\" label=\"", (unsigned long long)v));
    PKIN_TRY(append_xml(&w->out, name));
    size_t before = w->out.n_bytes;
    PKIN_TRY(pkin_i_buffer_string(&w->out, "\"><attvalues>"));
    size_t begin = w->out.n_bytes;
    PKIN_TRY(append_values(w, v, &gexf));
    int is_empty = w->out.n_bytes == begin;
    if (is_empty) w->out.n_bytes = before;
    PKIN_TRY(pkin_i_buffer_string(&w->out, is_empty ? "\"/>\n" : "</attvalues></node>\n"));
out:
    return status;
}

static pkin_status append_gexf_edges(writer *w, uint64_t v, uint64_t *n_edges) {
    pkin_status status = PKIN_OK;
    for (uint64_t i = w->view.offsets[v]; i < w->view.offsets[v + 1]; i++) {
        if (w->view.targets[i] < v) continue;
        PKIN_TRY(pkin_i_buffer_printf(&w->out, "      <edge id=\"e%llu\" source=\"n%llu\" target=\"n%lu\" weight=\"",
                                      (unsigned long long)(*n_edges)++, (unsigned long long)v,
                                      (unsigned long)w->view.targets[i]));
        PKIN_TRY(pkin_i_number_append(&w->out, w->view.weights[i]));
        PKIN_TRY(pkin_i_buffer_string(&w->out, "\"/>\n"));
    }
out:
    return status;
}

static pkin_status append_gexf(writer *w) {
    pkin_status status;
    uint64_t n_edges = 0;
    PKIN_TRY(pkin_i_buffer_string(&w->out, gexf.head));
    PKIN_TRY(append_gexf_attributes(w));
    PKIN_TRY(pkin_i_buffer_string(&w->out, "    <nodes>\n"));
    for (uint64_t v = 0; v < w->view.n_nodes; v++) PKIN_TRY(append_gexf_node(w, v));
    PKIN_TRY(pkin_i_buffer_string(&w->out, "    </nodes>\n    <edges>\n"));
    for (uint64_t v = 0; v < w->view.n_nodes; v++) PKIN_TRY(append_gexf_edges(w, v, &n_edges));
    PKIN_TRY(pkin_i_buffer_string(&w->out, gexf.tail));
out:
    return status;
}

pkin_status pkin_graph_write_file(const pkin_graph *graph, pkin_graph_format format, const pkin_graph_notes *notes,
                                  const char *path) {
    pkin_status status;
    writer w = {.graph = graph, .view = pkin_graph_look(graph), .notes = pkin_graph_notes_default()};
    PKIN_REQUIRE(graph && path, PKIN_ERROR_INVALID_ARGUMENT, "pkin_graph_write_file needs a graph and a path");
    PKIN_TRY(pkin_i_take_options(notes, &w.notes, "pkin_graph_notes"));
    switch (format) {
    case PKIN_GRAPH_EDGE_LIST:
        PKIN_TRY(append_edge_list(&w));
        break;
    case PKIN_GRAPH_GRAPHML:
        PKIN_TRY(append_graphml(&w));
        break;
    case PKIN_GRAPH_GEXF:
        PKIN_TRY(append_gexf(&w));
        break;
    default:
        PKIN_REQUIRE(0, PKIN_ERROR_INVALID_ARGUMENT, "unknown graph format %d", (int)format);
    }
    PKIN_TRY(pkin_i_file_write_atomic(path, w.out.bytes ? w.out.bytes : "", w.out.n_bytes));
out:
    pkin_i_buffer_free(&w.name);
    pkin_i_buffer_free(&w.out);
    return status;
}
