/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster_output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json_out.h"
#include "messages.h"
#include "table.h"
#include "text_inputs.h"

const char *pkin_i_cluster_node_id(const pkin_i_clusters *clusters, uint64_t node, char buffer[PKIN_I_ROW_ID_BYTES]) {
    if (clusters->rows) return pkin_i_row_id(clusters->rows, node, buffer);
    const char *name = pkin_graph_name(clusters->topics->graph, node);
    if (name) return name;
    snprintf(buffer, PKIN_I_ROW_ID_BYTES, "%" PRIu64, node);
    return buffer;
}

const char *pkin_i_cluster_node_title(const pkin_i_clusters *clusters, uint64_t node) {
    return clusters->rows ? pkin_i_row_title(clusters->rows, node) : "";
}

static const char *label_of(const pkin_labels *labels, uint32_t cluster) {
    if (!labels || cluster >= labels->n_clusters) return "";
    const pkin_label *label = &labels->labels[cluster];
    return *label->english ? label->english : label->chinese;
}

/* ---- A line a paper ---------------------------------------------------------------------------------------------- */

static void print_paper_json(const pkin_i_clusters *clusters, FILE *stream, uint64_t node) {
    char buffer[PKIN_I_ROW_ID_BYTES];
    uint32_t thread = clusters->topics->threads.clusters[node], field = clusters->topics->paper_fields.clusters[node];
    pkin_i_json json = {.stream = stream};
    pkin_i_json_begin_object(&json, NULL);
    pkin_i_json_text(&json, "id", pkin_i_cluster_node_id(clusters, node, buffer));
    if (thread != PKIN_NO_CLUSTER) {
        pkin_i_json_count(&json, "thread", thread);
        pkin_i_json_text(&json, "label", label_of(clusters->labels, thread));
    }
    if (field != PKIN_NO_CLUSTER) {
        pkin_i_json_count(&json, "field", field);
        pkin_i_json_text(&json, "field_label", label_of(clusters->field_labels, field));
    }
    if (clusters->rows && clusters->rows->corpus) {
        pkin_i_json_text(&json, "title", pkin_i_cluster_node_title(clusters, node));
    }
    pkin_i_json_end_object(&json);
    fputc('\n', stream);
}

/* A number, or nothing for an outlier. */
static void print_number(FILE *stream, uint32_t cluster) {
    if (cluster != PKIN_NO_CLUSTER) fprintf(stream, "%u", (unsigned)cluster);
    fputc('\t', stream);
}

static void print_paper_tsv(const pkin_i_clusters *clusters, FILE *stream, pkin_escape_target escape, uint64_t node) {
    char buffer[PKIN_I_ROW_ID_BYTES];
    uint32_t thread = clusters->topics->threads.clusters[node];
    pkin_i_cli_write_escaped(stream, escape, pkin_i_cluster_node_id(clusters, node, buffer));
    fputc('\t', stream);
    print_number(stream, thread);
    print_number(stream, clusters->topics->paper_fields.clusters[node]);
    pkin_i_cli_write_escaped(stream, escape, thread == PKIN_NO_CLUSTER ? "" : label_of(clusters->labels, thread));
    fputc('\t', stream);
    pkin_i_cli_write_escaped(stream, escape, pkin_i_cluster_node_title(clusters, node));
    fputc('\n', stream);
}

void pkin_i_clusters_print_papers(const pkin_i_clusters *clusters, const pkin_i_output *output, bool as_json) {
    FILE *stream = output->stream;
    pkin_escape_target escape = pkin_i_output_escape(output);
    if (!as_json) fputs("id\tthread\tfield\tlabel\ttitle\n", stream);
    for (uint64_t node = 0; node < clusters->topics->threads.n_nodes && !ferror(stream); node++) {
        if (as_json) {
            print_paper_json(clusters, stream, node);
        } else {
            print_paper_tsv(clusters, stream, escape, node);
        }
    }
}

/* ---- For people ---------------------------------------------------------------------------------------------------
 */

/* Papers by thread, and by field. */
static uint64_t *count_papers(const pkin_topics *topics, bool by_field) {
    uint32_t n = by_field ? topics->fields.n_clusters : topics->threads.n_clusters;
    uint64_t *counts = pkin_i_cli_allocate((size_t)n + 1, sizeof *counts);
    for (uint64_t node = 0; node < topics->threads.n_nodes; node++) {
        uint32_t cluster = by_field ? topics->paper_fields.clusters[node] : topics->threads.clusters[node];
        if (cluster != PKIN_NO_CLUSTER) counts[cluster]++;
    }
    return counts;
}

static void add_row(pkin_i_table *table, const char *name, uint32_t cluster, uint64_t n_papers, const char *about,
                    const char *example) {
    char text[PKIN_I_ROW_ID_BYTES];
    snprintf(text, sizeof text, "%s%u", name, (unsigned)cluster);
    pkin_i_table_text(table, text);
    pkin_i_table_count(table, n_papers);
    pkin_i_table_text(table, about);
    pkin_i_table_text(table, example);
}

/* The title of a thread's best paper, else its id. */
static const char *example_of(const pkin_i_clusters *clusters, uint32_t thread, char buffer[PKIN_I_ROW_ID_BYTES]) {
    uint32_t row = clusters->representatives ? clusters->representatives[thread].row : UINT32_MAX;
    const char *title = row == UINT32_MAX ? "" : pkin_i_cluster_node_title(clusters, row);
    return *title || row == UINT32_MAX ? title : pkin_i_cluster_node_id(clusters, row, buffer);
}

static void add_field(pkin_i_table *table, const pkin_i_clusters *clusters, uint32_t field,
                      const uint64_t *n_in_threads, uint64_t n_papers, uint64_t n_each) {
    const pkin_partition *fields = &clusters->topics->fields;
    uint64_t n_shown = 0, n_left = 0;
    char count[PKIN_I_COUNTED_BYTES], more[PKIN_I_COUNTED_BYTES + 16], buffer[PKIN_I_ROW_ID_BYTES];
    if (field != PKIN_NO_CLUSTER) {
        add_row(table, "field ", field, n_papers, label_of(clusters->field_labels, field), "");
    }
    for (uint32_t thread = 0; thread < clusters->topics->threads.n_clusters; thread++) {
        if (fields->clusters[thread] != field) continue;
        if (n_shown++ >= n_each) {
            n_left++;
            continue;
        }
        add_row(table, "  ", thread, n_in_threads[thread], label_of(clusters->labels, thread),
                example_of(clusters, thread, buffer));
    }
    if (!n_left) return;
    snprintf(more, sizeof more, "and %s more", pkin_i_cli_counted(n_left, "thread", count));
    pkin_i_table_text(table, "");
    pkin_i_table_text(table, "");
    pkin_i_table_text(table, more);
    pkin_i_table_text(table, "");
}

void pkin_i_clusters_print_table(const pkin_i_clusters *clusters, const pkin_i_output *output, uint64_t n_each,
                                 bool color) {
    static const char *const headings[] = {"thread", "papers", "about", "most typical paper"};
    uint64_t *n_in_threads = count_papers(clusters->topics, false), *n_in_fields = count_papers(clusters->topics, true);
    pkin_i_table *table = pkin_i_table_new(headings, sizeof headings / sizeof *headings, 1u << 1);
    for (uint32_t field = 0; field < clusters->topics->fields.n_clusters; field++) {
        add_field(table, clusters, field, n_in_threads, n_in_fields[field], n_each);
    }
    add_field(table, clusters, PKIN_NO_CLUSTER, n_in_threads, 0, n_each);
    pkin_i_table_fit(table, 2);
    if (clusters->topics->threads.n_clusters) pkin_i_table_print(table, output->stream, color && !output->path);
    pkin_i_table_free(table);
    free(n_in_threads);
    free(n_in_fields);
}
