/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "paperkin/graph.h"

/* graph_copy IN OUT edges|graphml|gexf: reads a graph and writes it. For parity tests. */
int main(int argc, char **argv) {
    static const char *const formats[] = {"edges", "graphml", "gexf"};
    pkin_graph *graph = NULL;
    int format = 0;
    if (argc != 4) return 2;
    while (format < 3 && strcmp(argv[3], formats[format]) != 0) format++;
    pkin_status status = pkin_graph_read_file(argv[1], &graph);
    if (status == PKIN_OK) status = pkin_graph_write_file(graph, (pkin_graph_format)format, NULL, argv[2]);
    if (status != PKIN_OK) fprintf(stderr, "graph_copy: %s\n", pkin_last_error());
    pkin_graph_free(graph);
    return status != PKIN_OK;
}
