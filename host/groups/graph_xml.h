/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_GROUPS_GRAPH_XML_H
#define PKIN_GROUPS_GRAPH_XML_H

#include "groups/graph_builder.h"

PKIN_EXTERN_C_BEGIN

/* Reads GraphML or GEXF, told by the root element. PKIN_ERROR_CORRUPT, with file and line, for anything else. */
pkin_status pkin_i_graph_read_xml(const char *bytes, size_t n_bytes, pkin_i_graph_builder *builder);

PKIN_EXTERN_C_END

#endif
