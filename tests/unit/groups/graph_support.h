/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKIN_TESTS_GROUPS_GRAPH_SUPPORT_H
#define PKIN_TESTS_GROUPS_GRAPH_SUPPORT_H

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "paperkin/graph.h"

using GraphHandle = std::unique_ptr<pkin_graph, decltype(&pkin_graph_free)>;
using EdgeMap = std::map<std::pair<uint32_t, uint32_t>, double>; /* lower end, higher end: weight */

inline GraphHandle hold(pkin_graph *graph) {
    return GraphHandle(graph, pkin_graph_free);
}

inline GraphHandle graph_of(uint64_t n_nodes, const std::vector<pkin_edge> &edges,
                            const std::vector<std::string> &names = {}) {
    std::vector<const char *> pointers;
    for (const std::string &name : names) pointers.push_back(name.c_str());
    pkin_graph *graph = nullptr;
    EXPECT_EQ(
        pkin_graph_from_edges(n_nodes, edges.data(), edges.size(), names.empty() ? nullptr : pointers.data(), &graph),
        PKIN_OK)
        << pkin_last_error();
    return hold(graph);
}

/* The edges of a graph; what a view promises is checked on the way. */
inline EdgeMap edges_of(const pkin_graph *graph) {
    EdgeMap lower, higher;
    pkin_graph_view view = pkin_graph_look(graph);
    EXPECT_EQ(view.offsets[0], 0u);
    for (uint64_t v = 0; v < view.n_nodes; v++) {
        for (uint64_t i = view.offsets[v]; i < view.offsets[v + 1]; i++) {
            uint32_t other = view.targets[i];
            EXPECT_LT(other, view.n_nodes);
            EXPECT_NE(other, v);
            if (i > view.offsets[v]) {
                EXPECT_LT(view.targets[i - 1], other);
            }
            EXPECT_GT(view.weights[i], 0);
            (other > v ? lower : higher)[{std::min<uint32_t>(static_cast<uint32_t>(v), other),
                                          std::max<uint32_t>(static_cast<uint32_t>(v), other)}] = view.weights[i];
        }
    }
    EXPECT_EQ(lower, higher); /* the same weight at either end */
    EXPECT_EQ(pkin_graph_n_edges(graph), lower.size());
    return lower;
}

inline std::vector<std::string> names_of(const pkin_graph *graph) {
    std::vector<std::string> names;
    for (uint64_t v = 0; v < pkin_graph_n_nodes(graph); v++) {
        const char *name = pkin_graph_name(graph, v);
        names.push_back(name ? name : "(none)");
    }
    return names;
}

#endif
