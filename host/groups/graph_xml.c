/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GraphML and GEXF by expat. One handler serves both: elements are known by their names without prefix and mean
 * something inside of a few others only; all else is passed over. A stack of open elements tells which node or edge a
 * <data> or <attvalue> belongs to; graphs inside of nodes (GraphML) and nodes inside of nodes (GEXF) become part of
 * the one graph.
 *
 * Files are not trusted: a document that declares entities is refused, so that none can grow; nothing outside of the
 * file is ever opened, since expat opens nothing by itself; nesting, texts and the number of nodes have limits. Expat
 * calls back, so the first failure is kept, and the parser stopped.
 */
#include "groups/graph_xml.h"

#include <expat.h>
#include <string.h>

#include "base/failure.h"

/* Handed to expat at a time. */
enum { CHUNK_BYTES = 1 << 20, MAX_DEPTH = 200 };

#define NOTHING UINT32_MAX

typedef enum kind {
    OTHER = 0,
    ROOT,
    GRAPH,
    KEY,         /* GraphML: declares an attribute */
    KEY_DEFAULT, /* and its value where none is given */
    ATTRIBUTES,  /* GEXF: declare attributes */
    ATTRIBUTE,
    NODE,
    EDGE,
    DATA /* GraphML: a value */
} kind;

typedef struct element {
    kind kind;
    uint32_t node; /* the innermost node that it belongs to, or NOTHING */
} element;

/* The edge that is open; edges hold no edges. */
typedef struct open_edge {
    uint32_t ends[2];
    double weight;
    bool is_open;
    bool has_weight; /* by its own attribute, which counts more than an <attvalue> */
} open_edge;

typedef struct reader {
    XML_Parser parser;
    pkin_i_graph_builder *builder;
    pkin_status status;
    bool is_gexf;
    element stack[MAX_DEPTH];
    int depth;
    int n_graphs;       /* outermost ones seen */
    int graph_depth;    /* graphs open */
    bool of_edges;      /* GEXF: the open <attributes> are of edges */
    bool is_weight_key; /* GraphML: the open <key> is that of the weight */
    open_edge edge;
    double default_weight;
    pkin_i_buffer weight_key; /* ids of the attributes that are looked for; "" : not declared */
    pkin_i_buffer name_key;
    pkin_i_buffer label_key;
    pkin_i_buffer *data_key; /* of the open <data>: weight_key or name_key; NULL: another */
    pkin_i_buffer text;      /* of the open <data> or <default> */
} reader;

static uint64_t line_of(const reader *r) {
    return (uint64_t)XML_GetCurrentLineNumber(r->parser);
}

/* Keeps the first failure, and ends the parsing. */
static void note(reader *r, pkin_status status) {
    if (status == PKIN_OK || r->status != PKIN_OK) return;
    r->status = status;
    XML_StopParser(r->parser, XML_FALSE);
}

static void refuse(reader *r, pkin_status status, const char *what) {
    if (r->status != PKIN_OK) return;
    note(r, pkin_i_fail(status, "%s:%llu: %s", r->builder->file, (unsigned long long)line_of(r), what));
}

/* ---- Names and attributes ---------------------------------------------------------------------------------------- */

/* "graphml:node" is a "node". */
static const char *local_name(const char *name) {
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static const char *attribute(const char **attributes, const char *name) {
    for (; *attributes; attributes += 2) {
        if (!strcmp(attributes[0], name)) return attributes[1];
    }
    return NULL;
}

static bool is_key(const pkin_i_buffer *key, const char *id) {
    return key->n_bytes && id && !strcmp(key->bytes, id);
}

static pkin_status set_key(pkin_i_buffer *key, const char *id) {
    pkin_i_buffer_clear(key);
    return pkin_i_buffer_string(key, id);
}

static bool is_for(const char *domain, const char *what) {
    return !domain || !strcmp(domain, what) || !strcmp(domain, "all");
}

/* ---- Elements ---------------------------------------------------------------------------------------------------- */

static void begin_root(reader *r, const char *name) {
    r->is_gexf = !strcmp(name, "gexf");
    if (r->is_gexf || !strcmp(name, "graphml")) return;
    refuse(r, PKIN_ERROR_CORRUPT, "the XML is no graph: expected <graphml> or <gexf> as its root");
}

static void begin_graph(reader *r) {
    if (r->graph_depth++ == 0 && ++r->n_graphs > 1) {
        refuse(r, PKIN_ERROR_UNSUPPORTED, "a second graph, expected one a file: split it");
    }
}

static void begin_key(reader *r, const char **attributes) {
    const char *id = attribute(attributes, "id"), *name = attribute(attributes, "attr.name");
    const char *domain = attribute(attributes, "for");
    r->is_weight_key = false;
    if (!id || !name || !*id) return;
    if (!strcmp(name, "weight") && is_for(domain, "edge")) {
        r->is_weight_key = true;
        note(r, set_key(&r->weight_key, id));
    }
    if (!strcmp(name, "name") && is_for(domain, "node")) note(r, set_key(&r->name_key, id));
    if (!strcmp(name, "label") && is_for(domain, "node")) note(r, set_key(&r->label_key, id));
}

/* GEXF: an edge's weight may also be an attribute of the file's own. */
static void begin_attribute(reader *r, const char **attributes) {
    const char *id = attribute(attributes, "id"), *title = attribute(attributes, "title");
    if (r->of_edges && id && *id && title && (!strcmp(title, "weight") || !strcmp(title, "Weight"))) {
        note(r, set_key(&r->weight_key, id));
    }
}

static void begin_node(reader *r, const char **attributes, element *e) {
    const char *id = attribute(attributes, "id"), *label = attribute(attributes, "label");
    pkin_status status = PKIN_OK;
    if (!id) {
        refuse(r, PKIN_ERROR_CORRUPT, "a <node> without an id, expected one");
        return;
    }
    PKIN_TRY(pkin_i_builder_node(r->builder, id, strlen(id), line_of(r), &e->node));
    if (!pkin_i_builder_declare(r->builder, e->node)) {
        refuse(r, PKIN_ERROR_CORRUPT, "a second <node> of the same id, expected one");
        return;
    }
    if (r->is_gexf && label) {
        size_t n_bytes = strlen(label);
        if (n_bytes > PKIN_I_MAX_GRAPH_TEXT) {
            refuse(r, PKIN_ERROR_CORRUPT, "a label of more than 65535 bytes, expected fewer");
            return;
        }
        PKIN_TRY(pkin_i_builder_name(r->builder, e->node, label, n_bytes));
    }
out:
    note(r, status);
}

static void begin_edge(reader *r, const char **attributes) {
    const char *ends[2] = {attribute(attributes, "source"), attribute(attributes, "target")};
    const char *weight = r->is_gexf ? attribute(attributes, "weight") : NULL;
    pkin_status status = PKIN_OK;
    if (r->edge.is_open) {
        refuse(r, PKIN_ERROR_UNSUPPORTED, "an <edge> inside of an <edge>, expected edges of two nodes");
        return;
    }
    if (!ends[0] || !ends[1]) {
        refuse(r, PKIN_ERROR_CORRUPT, "an <edge> without source or target, expected both");
        return;
    }
    r->edge = (open_edge){.weight = r->default_weight, .has_weight = weight != NULL, .is_open = true};
    for (int k = 0; k < 2; k++) {
        PKIN_TRY(pkin_i_builder_node(r->builder, ends[k], strlen(ends[k]), line_of(r), &r->edge.ends[k]));
    }
    if (weight) {
        PKIN_TRY(pkin_i_builder_weight(r->builder, line_of(r), weight, strlen(weight), &r->edge.weight));
    }
out:
    note(r, status);
}

/* GraphML: the text that follows is the value. A name counts more than a label. */
static void begin_data(reader *r, const char **attributes, const element *parent) {
    const char *key = attribute(attributes, "key");
    const pkin_i_buffer *name_key = r->name_key.n_bytes ? &r->name_key : &r->label_key;
    r->data_key = NULL;
    if (parent->kind == EDGE && is_key(&r->weight_key, key)) r->data_key = &r->weight_key;
    if (parent->kind == NODE && is_key(name_key, key)) r->data_key = &r->name_key;
    pkin_i_buffer_clear(&r->text);
}

/* GEXF: <edge><attvalues><attvalue for="..." value="..."/> */
static void begin_attvalue(reader *r, const char **attributes) {
    const char *key = attribute(attributes, "for"), *value = attribute(attributes, "value");
    if (!r->edge.is_open || r->edge.has_weight || !value || !is_key(&r->weight_key, key)) return;
    note(r, pkin_i_builder_weight(r->builder, line_of(r), value, strlen(value), &r->edge.weight));
}

static kind kind_of(const reader *r, const char *name, kind parent) {
    if (!strcmp(name, "node") && r->graph_depth) return NODE;
    if (!strcmp(name, "edge") && r->graph_depth) return EDGE;
    if (!strcmp(name, "graph")) return GRAPH;
    if (r->is_gexf) {
        if (!strcmp(name, "attributes")) return ATTRIBUTES;
        if (!strcmp(name, "attribute") && parent == ATTRIBUTES) return ATTRIBUTE;
        return OTHER;
    }
    if (!strcmp(name, "key")) return KEY;
    if (!strcmp(name, "default") && parent == KEY) return KEY_DEFAULT;
    if (!strcmp(name, "data") && (parent == NODE || parent == EDGE)) return DATA;
    return OTHER;
}

static void XMLCALL on_start(void *user, const char *full_name, const char **attributes) {
    reader *r = user;
    const char *name = local_name(full_name);
    if (r->status != PKIN_OK) return;
    if (r->depth == MAX_DEPTH) {
        refuse(r, PKIN_ERROR_CORRUPT, "elements are nested deeper than 200 levels, expected fewer");
        return;
    }
    element *e = &r->stack[r->depth], *parent = r->depth ? e - 1 : NULL;
    *e = (element){.kind = parent ? kind_of(r, name, parent->kind) : ROOT, .node = parent ? parent->node : NOTHING};
    r->depth++;
    switch (e->kind) {
    case ROOT:
        begin_root(r, name);
        break;
    case GRAPH:
        begin_graph(r);
        break;
    case KEY:
        begin_key(r, attributes);
        break;
    case KEY_DEFAULT:
        pkin_i_buffer_clear(&r->text);
        break;
    case ATTRIBUTES: {
        const char *of = attribute(attributes, "class");
        r->of_edges = of && !strcmp(of, "edge");
        break;
    }
    case ATTRIBUTE:
        begin_attribute(r, attributes);
        break;
    case NODE:
        begin_node(r, attributes, e);
        break;
    case EDGE:
        begin_edge(r, attributes);
        break;
    case DATA:
        begin_data(r, attributes, parent);
        break;
    default:
        if (!strcmp(name, "hyperedge")) refuse(r, PKIN_ERROR_UNSUPPORTED, "a <hyperedge>, expected edges of two ends");
        if (r->is_gexf && !strcmp(name, "attvalue")) begin_attvalue(r, attributes);
    }
}

static void end_data(reader *r, uint32_t node) {
    const pkin_i_buffer *text = &r->text;
    if (r->data_key == &r->weight_key) {
        note(r, pkin_i_builder_weight(r->builder, line_of(r), text->bytes ? text->bytes : "", text->n_bytes,
                                      &r->edge.weight));
    } else if (r->data_key) {
        note(r, pkin_i_builder_name(r->builder, node, text->bytes ? text->bytes : "", text->n_bytes));
    }
    r->data_key = NULL;
}

static void XMLCALL on_end(void *user, const char *name) {
    reader *r = user;
    (void)name;
    if (r->status != PKIN_OK) return;
    element *e = &r->stack[--r->depth];
    switch (e->kind) {
    case GRAPH:
        r->graph_depth--;
        break;
    case KEY_DEFAULT:
        if (r->is_weight_key && r->text.n_bytes)
            note(r, pkin_i_builder_weight(r->builder, line_of(r), r->text.bytes, r->text.n_bytes, &r->default_weight));
        break;
    case EDGE:
        r->edge.is_open = false;
        note(r, pkin_i_builder_edge(r->builder, r->edge.ends[0], r->edge.ends[1], r->edge.weight));
        break;
    case DATA:
        end_data(r, e->node);
        break;
    default:
        break;
    }
}

static void XMLCALL on_text(void *user, const char *text, int n_bytes) {
    reader *r = user;
    if (r->status != PKIN_OK || !r->depth) return;
    kind of = r->stack[r->depth - 1].kind;
    if (!(of == DATA && r->data_key) && !(of == KEY_DEFAULT && r->is_weight_key)) return;
    if (r->text.n_bytes + (size_t)n_bytes > PKIN_I_MAX_GRAPH_TEXT) {
        refuse(r, PKIN_ERROR_CORRUPT, "a name or weight of more than 65535 bytes, expected fewer");
        return;
    }
    note(r, pkin_i_buffer_append(&r->text, text, (size_t)n_bytes));
}

static void XMLCALL on_entity(void *user, const char *name, int is_parameter, const char *value, int n_bytes,
                              const char *base, const char *system, const char *public_id, const char *notation) {
    (void)name, (void)is_parameter, (void)value, (void)n_bytes, (void)base;
    (void)system, (void)public_id, (void)notation;
    refuse(user, PKIN_ERROR_CORRUPT, "the document declares an entity, expected none: they are not read");
}

static void XMLCALL on_skipped_entity(void *user, const char *name, int is_parameter) {
    (void)name, (void)is_parameter;
    refuse(user, PKIN_ERROR_CORRUPT, "a reference to an entity that the file does not define, expected none");
}

/* ---- The document ------------------------------------------------------------------------------------------------ */

static void report_parser(reader *r) {
    enum XML_Error error = XML_GetErrorCode(r->parser);
    if (r->status != PKIN_OK) return;
    if (error == XML_ERROR_NO_MEMORY) {
        r->status = pkin_i_fail(PKIN_ERROR_OUT_OF_MEMORY, "%s: out of memory", r->builder->file);
        return;
    }
    r->status = pkin_i_fail(PKIN_ERROR_CORRUPT, "%s:%llu: the XML is damaged (%s), expected GraphML or GEXF",
                            r->builder->file, (unsigned long long)line_of(r), XML_ErrorString(error));
}

static void parse(reader *r, const char *bytes, size_t n_bytes) {
    size_t at = 0;
    int is_last = 0;
    while (!is_last && r->status == PKIN_OK) {
        size_t left = n_bytes - at, n = left < CHUNK_BYTES ? left : CHUNK_BYTES;
        is_last = n == left;
        if (XML_Parse(r->parser, bytes + at, (int)n, is_last) != XML_STATUS_OK) report_parser(r);
        at += n;
    }
    if (r->status == PKIN_OK && !r->n_graphs) refuse(r, PKIN_ERROR_CORRUPT, "no <graph>, expected one");
}

pkin_status pkin_i_graph_read_xml(const char *bytes, size_t n_bytes, pkin_i_graph_builder *builder) {
    pkin_status status;
    reader *r = NULL;
    PKIN_TRY(pkin_i_allocate_zeroed(1, sizeof *r, &r));
    r->builder = builder;
    builder->ids_are_inner = true;
    r->default_weight = 1;
    r->parser = XML_ParserCreate(NULL);
    PKIN_REQUIRE(r->parser, PKIN_ERROR_OUT_OF_MEMORY, "%s: out of memory", builder->file);
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetEntityDeclHandler(r->parser, on_entity);
    XML_SetSkippedEntityHandler(r->parser, on_skipped_entity);
    parse(r, bytes, n_bytes);
    status = r->status;
out:
    if (r) {
        if (r->parser) XML_ParserFree(r->parser);
        pkin_i_buffer_free(&r->weight_key);
        pkin_i_buffer_free(&r->name_key);
        pkin_i_buffer_free(&r->label_key);
        pkin_i_buffer_free(&r->text);
        pkin_i_free(r);
    }
    return status;
}
