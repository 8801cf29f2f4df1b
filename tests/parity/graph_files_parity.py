# SPDX-License-Identifier: Apache-2.0
"""Graphs in files against igraph and NetworkX: they read what is written here, and what they write is read here.

usage: graph_files_parity.py GRAPH_COPY

Each graph is written by one of them, copied into every format, and read by all that know the format: names and weights
are to be the same doubles. Exits 77 (skip) without igraph or NetworkX.
"""
import csv
import os
import random
import subprocess
import sys
import tempfile

try:
    import igraph
    import networkx
except ImportError as error:
    print(f"skipped: {error}; set PAPERKIN_PYTHON to an interpreter that has igraph and networkx")
    sys.exit(77)

FORMATS = ("edges", "graphml", "gexf")


def edge_key(a, b):
    return (a, b) if a < b else (b, a)


def make_graph(names, n_edges, seed):
    """Edges by names; weights of every size, and multiples of 2^-30 as the neighbours' graph has them."""
    source = random.Random(seed)
    edges = {}
    while len(edges) < n_edges:
        a, b = source.sample(names, 2)
        kinds = (source.random(), source.randrange(1, 2**30) / 2**30, source.random() * 10 ** source.randint(-200, 200), 1.0)
        edges[edge_key(a, b)] = source.choice(kinds)
    return edges


# ---- Writers -----------------------------------------------------------------------------------------------------------


def networkx_graph(names, edges):
    graph = networkx.Graph()
    graph.add_nodes_from(names)
    graph.add_weighted_edges_from((a, b, weight) for (a, b), weight in edges.items())
    return graph


def write_networkx(path, names, edges, form):
    graph = networkx_graph(names, edges)
    if form == "edges":
        networkx.write_weighted_edgelist(graph, path, delimiter="\t")
        with open(path, "a", encoding="utf-8") as out:
            out.writelines(f"{name}\n" for name in networkx.isolates(graph))
    elif form == "graphml":
        networkx.write_graphml(graph, path)
    else:
        networkx.write_gexf(graph, path)


def write_igraph(path, names, edges, form):
    index = {name: v for v, name in enumerate(names)}
    graph = igraph.Graph(n=len(names), edges=[(index[a], index[b]) for a, b in edges])
    graph.vs["name"] = names
    graph.es["weight"] = list(edges.values())
    graph.write_graphml(path) if form == "graphml" else graph.write_ncol(path, names="name", weights="weight")


# ---- Readers: names, and edges by names --------------------------------------------------------------------------------


def read_networkx(path, form):
    if form == "edges":
        graph = networkx.read_weighted_edgelist(path, delimiter="\t", encoding="utf-8")
    elif form == "graphml":
        graph = networkx.read_graphml(path)
        graph = networkx.relabel_nodes(graph, networkx.get_node_attributes(graph, "name"))
    else:
        graph = networkx.read_gexf(path, relabel=True)
    return set(graph), {edge_key(a, b): weight for a, b, weight in graph.edges(data="weight")}


def read_igraph(path, form):
    if form == "edges":
        graph = igraph.Graph.Read_Ncol(path, names=True, weights=True, directed=False)
    else:
        graph = igraph.Graph.Read_GraphML(path)
    names = graph.vs["name"] if graph.vcount() else []
    return set(names), {edge_key(names[e.source], names[e.target]): e["weight"] for e in graph.es}


def read_table(path, _form):
    """The edge list as documented: fields between tabs; a name alone is a node."""
    names, edges = set(), {}
    with open(path, encoding="utf-8", newline="\n") as lines:
        for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            names.update(row[:2])
            if len(row) == 3:
                edges[edge_key(row[0], row[1])] = float(row[2])
    return names, edges


def fail(what):
    print(f"FAILED: {what}")
    sys.exit(1)


def compare(title, found, names, edges, isolates_lost=False):
    found_names, found_edges = found
    expected = {name for edge in edges for name in edge} if isolates_lost else set(names)
    if found_names != expected:
        fail(f"{title}: names differ: {sorted(found_names ^ expected)[:5]}")
    if found_edges != edges:
        differing = [(key, found_edges.get(key), edges.get(key)) for key in found_edges.keys() | edges.keys()
                     if found_edges.get(key) != edges.get(key)]
        fail(f"{title}: {len(differing)} edges differ: {differing[:3]}")


def readers_of(form, names, edges):
    """What can read the format, and whether it drops nodes without edges."""
    blanks = any(" " in name for name in names)
    has_isolates = len({name for edge in edges for name in edge}) < len(names)
    yield "networkx", read_networkx, form == "edges"
    if form == "edges":
        yield "csv", read_table, False
    # igraph's reader of edge lists knows neither blanks in names nor names alone.
    if form == "graphml" or (form == "edges" and not blanks and not has_isolates):
        yield "igraph", read_igraph, False


def main():
    copy = sys.argv[1]
    plain = [f"25{month:02d}.{number:05d}" for month in range(1, 5) for number in range(30)]
    odd = ["title:on graphs|ada quill", "10.1000/x(1)<2>;2-#y&z", 'say "so"', "naïve Ärger", "标题 一", "math/0309136", "a'b]]>",
           "n1", "7"]
    cases = [
        ("plain names", plain[:100], 900, True),
        ("nodes without edges", plain, 40, False),
        ("odd names", odd, 20, False),
    ]
    n_checks = 0
    with tempfile.TemporaryDirectory() as folder:
        given, copied = os.path.join(folder, "given"), os.path.join(folder, "copied")
        for title, names, n_edges, igraph_lists in cases:
            edges = make_graph(names, n_edges, 5)
            sources = [("networkx", write_networkx, form) for form in FORMATS] + [("igraph", write_igraph, "graphml")]
            if igraph_lists:
                sources.append(("igraph", write_igraph, "edges"))
            for writer, write, source_form in sources:
                if title == "odd names" and source_form == "edges":
                    continue  # NetworkX takes "#" for a comment, and writes it all the same
                write(given, names, edges, source_form)
                # igraph writes 15 digits: what it reads back is what the file says.
                told = read_igraph(given, source_form)[1] if writer == "igraph" else edges
                for form in FORMATS:
                    subprocess.run([copy, given, copied, form], check=True)
                    for reader, read, isolates_lost in readers_of(form, names, edges):
                        label = f"{title}: {writer} {source_form} -> {form} -> {reader}"
                        if title == "odd names" and form == "edges":
                            subprocess.run([copy, copied, given + "2", "graphml"], check=True)
                            compare(label, read_networkx(given + "2", "graphml"), names, told)
                        else:
                            compare(label, read(copied, form), names, told, isolates_lost)
                        n_checks += 1
    print(f"{n_checks} ways of writing and reading agree: igraph {igraph.__version__}, networkx {networkx.__version__}")


if __name__ == "__main__":
    main()
