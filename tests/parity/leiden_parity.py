# SPDX-License-Identifier: Apache-2.0
"""Holds Leiden against igraph's on the same graphs, objectives and resolutions, with as many iterations.

usage: leiden_parity.py LEIDEN_DUMP

The qualities are recomputed here from the memberships; the mean over seeds must not be lower than igraph's by more
than 1%. Clusters of paperkin must be connected, as igraph sees it. Exits 77 (skip) without NumPy and igraph.
"""
import os
import random
import subprocess
import sys
import tempfile

try:
    import igraph
    import numpy
except ImportError as error:
    print(f"skipped: {error}; set PAPERKIN_PYTHON to an interpreter that has igraph")
    sys.exit(77)

SEEDS = range(10)
MOST_BELOW = 0.01


def neighbor_graph(generator, n_nodes, n_groups, k):
    """Each point's k nearest, the points in clouds of unlike sizes; weights fall with the distance."""
    centres = generator.normal(size=(n_groups, 8))
    sizes = generator.dirichlet(numpy.ones(n_groups) * 2)
    points = centres[generator.choice(n_groups, size=n_nodes, p=sizes)] + 0.45 * generator.normal(size=(n_nodes, 8))
    squares = (points ** 2).sum(axis=1)
    distances = squares[:, None] + squares[None, :] - 2 * points @ points.T
    numpy.fill_diagonal(distances, numpy.inf)
    edges = {}
    for node, nearest in enumerate(numpy.argpartition(distances, k, axis=1)[:, :k]):
        for other in nearest:
            edges[min(node, other), max(node, other)] = 1 / (1 + distances[node, other])
    return make(n_nodes, edges)


def make(n_nodes, edges):
    pairs = sorted(edges)
    graph = igraph.Graph(n=n_nodes, edges=pairs)
    graph.es["weight"] = [float(numpy.floor(edges[pair] * 2 ** 30 + 1) / 2 ** 30) for pair in pairs]
    return graph


def random_graph(generator, n_nodes, n_edges):
    ends = generator.integers(n_nodes, size=(n_edges, 2))
    return make(n_nodes, {(min(a, b), max(a, b)): generator.random() for a, b in ends if a != b})


def scale_free(generator, n_nodes):
    random.seed(int(generator.integers(1 << 30)))
    drawn = igraph.Graph.Barabasi(n_nodes, 3)
    return make(n_nodes, {(min(edge.tuple), max(edge.tuple)): generator.random() for edge in drawn.es
                          if edge.source != edge.target})


def quality(graph, membership, objective, resolution):
    membership = numpy.asarray(membership)
    weights = numpy.asarray(graph.es["weight"])
    ends = numpy.asarray(graph.get_edgelist())
    inside = weights[membership[ends[:, 0]] == membership[ends[:, 1]]].sum()
    if objective == "cpm":
        sizes = numpy.bincount(membership).astype(float)
        return inside - resolution * (sizes * (sizes - 1) / 2).sum()
    return graph.modularity(membership, weights="weight", resolution=resolution)


def by_igraph(graph, objective, resolution, iterations, seed):
    random.seed(seed)
    found = graph.community_leiden(objective_function=objective, weights="weight", resolution=resolution,
                                   n_iterations=iterations if iterations else -1)
    return quality(graph, found.membership, objective, resolution)


def by_paperkin(dump, path, graph, objective, resolution, iterations, seed):
    said, *clusters = subprocess.run([dump, path, objective, repr(resolution), str(iterations), str(seed)], check=True,
                                     capture_output=True, text=True).stdout.split()
    clusters = [int(cluster) for cluster in clusters]
    value = quality(graph, clusters, objective, resolution)
    assert abs(value - float(said)) <= 1e-9 * max(1, abs(value)), (value, said)
    for members in igraph.VertexClustering(graph, clusters):
        assert graph.induced_subgraph(members).is_connected(), members
    return value


def check(dump, folder, name, graph, objective, resolution, iterations):
    path = os.path.join(folder, "graph")
    with open(path, "w") as file:
        file.write(f"{graph.vcount()} {graph.ecount()}\n")
        for edge in graph.es:
            file.write(f"{edge.source} {edge.target} {edge['weight']!r}\n")
    theirs = numpy.mean([by_igraph(graph, objective, resolution, iterations, seed) for seed in SEEDS])
    ours = numpy.mean([by_paperkin(dump, path, graph, objective, resolution, iterations, seed) for seed in SEEDS])
    print(f"{name}, {objective} {resolution:g}, {iterations} iterations: {ours:.6g}, igraph {theirs:.6g} "
          f"({100 * (ours - theirs) / abs(theirs):+.2f}%)")
    assert ours >= theirs - MOST_BELOW * abs(theirs), name


def main():
    dump = sys.argv[1]
    generator = numpy.random.default_rng(12)
    graphs = {"karate club": make(34, {edge.tuple: 1.0 for edge in igraph.Graph.Famous("Zachary").es}),
              "neighbours": neighbor_graph(generator, 1500, 40, 8),
              "random": random_graph(generator, 800, 4000),
              "scale-free": scale_free(generator, 800)}
    with tempfile.TemporaryDirectory() as folder:
        for name, graph in graphs.items():
            for resolution in (0.5, 1.0, 4.0):
                check(dump, folder, name, graph, "modularity", resolution, 2)
            for resolution in (0.005, 0.05, 0.2):
                check(dump, folder, name, graph, "cpm", resolution, 2)
            check(dump, folder, name, graph, "modularity", 1.0, 0)
            check(dump, folder, name, graph, "cpm", 0.05, 0)


main()
