# SPDX-License-Identifier: Apache-2.0
"""The sections of the quality harness: each takes a Harness and gives Measures, with baselines measured beside them."""
import json
import random
import statistics

import numpy as np

import leiden_speed
import measures as m
import peers
from harness import records_of, rows_of_table, run
from report import Measure

LEAST_CATEGORY = 20   # papers of a primary category that counts
GRAPH_NEIGHBORS = 60  # of igraph's graph; paperkin's own has 94 and 100 in the two months
DRAWN_LABELS = 20
REMOVED_SHARE = 0.1
SPEED_ROWS = 134_000


# ---- 1. Agreement with arXiv's categories ------------------------------------------------------------------------------


def label_array(harness, ids):
    """By paper, its primary category as a number; -1 for rare ones, which are clustered but not counted."""
    categories = harness.categories()
    names = [categories.get(paper, "") for paper in ids]
    values, inverse, counts = np.unique(names, return_inverse=True, return_counts=True)
    return np.where((counts[inverse] >= LEAST_CATEGORY) & (values[inverse] != ""), inverse, -1)


def agreement_figures(labels, clusters, placed):
    """AMI and purity among the papers that paperkin placed; AMI among all, papers in no cluster each alone."""
    counted = (labels >= 0) & placed
    return (m.mutual_information(labels[counted], clusters[counted]), m.purity(labels[counted], clusters[counted]),
            m.mutual_information(labels[labels >= 0], clusters[labels >= 0]))


class Month:
    """A month's vectors and what the peers need of them, made once."""

    def __init__(self, harness, month):
        self.harness, self.month = harness, month
        self.vectors = harness.month_vectors(month)
        self.labels = label_array(harness, self.vectors.ids)
        self._svd = self._graph = None
        self.resolutions = {}

    @property
    def svd(self):
        if self._svd is None:
            self._svd = peers.svd_rows(self.vectors.matrix)
        return self._svd

    @property
    def graph(self):
        if self._graph is None:
            self._graph = graph_of(self.harness, self.vectors)
        return self._graph

    def resolution(self, n_clusters):
        """igraph's, for about so many clusters."""
        if n_clusters not in self.resolutions:
            self.resolutions[n_clusters] = self.graph.resolution_for(n_clusters)
        return self.resolutions[n_clusters]


def graph_of(harness, vectors):
    return peers.NeighborGraph(len(vectors.ids), *harness.neighbors(vectors, GRAPH_NEIGHBORS))


def agreement_with(month, name, clusters, with_sparse, with_igraph):
    """paperkin's clusters, and each peer's of the same number, scored on the same papers."""
    n, placed = int(clusters.max()) + 1, clusters >= 0
    found = {"SVD-200 k-means": peers.kmeans(month.svd, n, 0, n_starts=3)}
    if with_sparse:
        found["k-means"] = peers.kmeans(month.vectors.matrix, n, 0, n_iterations=20)
    if with_igraph:
        found["igraph Leiden"] = month.graph.leiden(month.resolution(n), 0)
    return Measure("Agreement with arXiv categories: AMI / purity / AMI of all papers",
                   f"{month.month}, {name}: {n} clusters, {100 * placed.mean():.0f}% of the papers",
                   agreement_figures(month.labels, clusters, placed),
                   {peer: agreement_figures(month.labels, rows, placed) for peer, rows in found.items()})


def sizes(month, found):
    """Whether a reader can use them."""
    largest = [np.bincount(clusters[clusters >= 0], minlength=1).max() / len(clusters)
               for clusters in (found.threads, found.fields)]
    alone = (found.threads < 0).mean()
    return Measure("Sizes: largest thread / largest field / papers in no thread, as shares of the papers", month.month,
                   (*largest, alone), aim="<= .1 / <= .1 / <= .35", met=max(largest) <= 0.1 and alone <= 0.35)


def month_sizes(months, clusterings):
    return [sizes(month, clusterings[month.month]) for month in months]


def agreement(harness, months, clusterings):
    for month in months:
        harness.note(f"{month.month}: agreement with categories")
        leiden = clusterings[month.month]
        # The sparse centres of hundreds of clusters take a minute: paperkin's own k-means stands for the method there.
        yield agreement_with(month, "fields", leiden.fields, True, True)
        yield agreement_with(month, "threads", leiden.threads, False, True)
        for method in ("kmeans", "density", "components"):
            options = ["--clusters", leiden.n_threads()] if method == "kmeans" else []
            found = harness.cluster([month.vectors.path], "--method", method, *options)
            yield agreement_with(month, f"--method {method}", found.threads, False, method != "kmeans")


# ---- 2. Labels ---------------------------------------------------------------------------------------------------------


def drawn_labels(harness, month):
    """((papers, label) of threads evenly spread over their sizes, text with titles for the terminal)."""
    path = harness.write_lines(harness.month_lines(month))
    found = harness.cluster([path])
    titles = {record["id"]: " ".join(record["title"].split()) for _, record in harness.corpus()}
    n = found.n_threads()
    numbers = sorted({int((k + 0.5) * n / DRAWN_LABELS) for k in range(DRAWN_LABELS)}) if n else []
    drawn, lines = [], []
    for number in numbers:
        rows = np.flatnonzero(found.threads == number)
        drawn.append((len(rows), found.labels[number]))
        lines.append(f"{len(rows):4}  {found.labels[number] or '(none)'}")
        lines += [f"          {titles[found.ids[row]][:110]}" for row in rows[:: max(1, len(rows) // 4)][:4]]
    return drawn, "\n".join(lines)


# ---- 3. Stability ------------------------------------------------------------------------------------------------------


def mean_rand(pairs):
    """The means over pairs of (ids, clusters) of the adjusted Rand index: of all papers, of those in clusters."""
    return tuple(float(np.mean(column)) for column in zip(*(m.rand_index(*m.common(*a, *b)) for a, b in pairs)))


def smaller_months(harness, month, n_removals):
    """Vectors of the month without a tenth of its papers, drawn anew each time; weights and neighbours begin anew, too."""
    lines = harness.month_lines(month)
    for number in range(n_removals):
        kept = np.random.default_rng(1000 + number).random(len(lines)) >= REMOVED_SHARE
        yield harness.vectorize([harness.write_lines([line for line, keep in zip(lines, kept) if keep])], "--features", "related")


def stability(harness, months, clusterings):
    n_removals, seeds = (1, (1,)) if harness.quick else (3, (1, 2))
    for month in months:
        harness.note(f"{month.month}: stability")
        base, ids = clusterings[month.month], month.vectors.ids
        again = [harness.cluster([month.vectors.path], "--seed", seed) for seed in seeds]
        smaller = list(smaller_months(harness, month.month, n_removals))
        without = [harness.cluster([vectors.path]) for vectors in smaller]
        graphs = [graph_of(harness, vectors) for vectors in smaller]
        for level in ("threads", "fields"):
            ours = [(ids, getattr(base, level))] + [(ids, getattr(found, level)) for found in again]
            ours_without = [(found.ids, getattr(found, level)) for found in without]
            resolution = month.resolution(int(ours[0][1].max()) + 1)
            theirs = [(ids, month.graph.leiden(resolution, seed)) for seed in (0, *seeds)]
            theirs_without = [(vectors.ids, graph.leiden(resolution, 0)) for vectors, graph in zip(smaller, graphs)]
            for what, others, peers_others, aim in (("without 10% of the papers", ours_without, theirs_without, 0.85),
                                                    ("another seed", ours[1:], theirs[1:], None)):
                if what == "another seed":
                    pairs = [[(a, b) for k, a in enumerate(runs) for b in runs[k + 1:]] for runs in (ours, theirs)]
                else:
                    pairs = [[(ours[0], other) for other in others], [(theirs[0], other) for other in peers_others]]
                mine, peer = (mean_rand(each) for each in pairs)
                yield Measure("Stability: adjusted Rand index of all papers / of those in clusters",
                              f"{month.month}, {level}, {what}", mine, {"igraph Leiden": peer},
                              aim=f">= {aim}" if aim else "", met=mine[0] >= aim if aim else None)


# ---- 4. Reading lists made by people -----------------------------------------------------------------------------------


def kin_of(topics, place, n_rows):
    kin = [set() for _ in range(n_rows)]
    for papers in topics.values():
        members = {place[paper] for paper in papers if paper in place}
        for member in members:
            kin[member] |= members - {member}
    return kin


def text_of(record):
    return f"{record['title']} {record.get('summary') or record.get('abstract') or ''}"


def link_measures(harness):
    """Nearest among the listed papers; document frequencies are those of these and of the big corpus together."""
    harness.note("reading lists: links")
    topics, inputs = harness.topics(), [harness.evaluation("topics.jsonl.zst"), harness.corpus_path]
    listed = sorted({paper for papers in topics.values() for paper in papers})
    found = {}
    for name, options in (("related", ["--features", "related"]),
                          ("paperkin plain", ["--features", "plain"]),
                          ("title 3, sublinear", ["--features", "plain", "--title-weight", "3", "--sublinear"])):
        vectors = harness.vectorize(inputs, *options)
        found[name] = link_figures(vectors.matrix, vectors.ids, listed, topics)
    harness.note("reading lists: links by scikit-learn")
    texts = {record["id"]: text_of(record) for _, record in harness.corpus()}
    texts.update((record["id"], text_of(record)) for _, record in records_of(inputs[0]))
    found["scikit-learn TF-IDF"] = link_figures(peers.tf_idf(texts.values()), list(texts), listed, topics)
    yield Measure("Reading lists made by people", "links: precision at 10 / R-precision", found.pop("related"), found,
                  met=None)


def link_figures(matrix, ids, listed, topics):
    rows = {paper: row for row, paper in enumerate(ids)}
    known = [paper for paper in listed if paper in rows]
    chosen = matrix[[rows[paper] for paper in known]]
    return m.precisions((chosen @ chosen.T).toarray(), kin_of(topics, {paper: k for k, paper in enumerate(known)}, len(known)))


def topic_labels(topics, ids):
    """By paper, the first topic that it stands under; -1 where there is none."""
    first = {}
    for number, papers in enumerate(topics.values()):
        for paper in papers:
            first.setdefault(paper, number)
    return np.array([first.get(paper, -1) for paper in ids])


def topic_cluster_measures(harness):
    """As many clusters as topics, of the listed papers alone; the means of three seeds."""
    harness.note("reading lists: clusters")
    topics, n_seeds = harness.topics(), 1 if harness.quick else 3
    inputs, n = [harness.evaluation("topics.jsonl.zst")], len(topics)
    vectors = {name: harness.vectorize(inputs, "--features", name) for name in ("related", "plain")}
    labels = topic_labels(topics, vectors["related"].ids)
    known = labels >= 0

    def mean_scores(run_seed):
        scores = [m.topic_scores(labels[known], run_seed(seed)[known]) for seed in range(n_seeds)]
        return tuple(float(np.mean(column)) for column in zip(*scores))

    def ours(*options):
        runs = [harness.cluster([vectors["related"].path], "--clusters", n, "--seed", seed, *options) for seed in range(n_seeds)]
        return mean_scores(lambda seed: runs[seed].threads), runs

    svd = peers.svd_rows(vectors["related"].matrix)
    baselines = {"SVD-200 k-means": mean_scores(lambda seed: peers.kmeans(svd, n, seed, n_starts=5)),
                 "k-means": mean_scores(lambda seed: peers.kmeans(vectors["related"].matrix, n, seed)),
                 "k-means, plain vectors": mean_scores(lambda seed: peers.kmeans(vectors["plain"].matrix, n, seed))}
    for name, options in (("Leiden", ["--min-size", 1]), ("--method kmeans", ["--method", "kmeans", "--min-size", 1])):
        scores, runs = ours(*options)
        found = statistics.median(clusters.n_threads() for clusters in runs)
        told = f", {found:g} found" if found != n else ""
        yield Measure("Reading lists made by people", f"{n} clusters by {name}{told}: V-measure / ARI / AMI", scores, baselines)


# ---- 5. The same paper in another source -------------------------------------------------------------------------------


def cross_source(harness):
    """Each of a pair's two records seeks the other among all papers, by abstract alone."""
    harness.note("cross-source: paperkin")
    pairs = [(row["venue_id"], row["arxiv_id"]) for row in rows_of_table(harness.evaluation("cross_source.tsv"))]
    inputs = [harness.evaluation("cross_source.jsonl"), harness.venues_path]
    inputs += [] if harness.quick else [harness.corpus_path, harness.evaluation("topics.jsonl.zst"),
                                        harness.evaluation("near_duplicates.jsonl")]
    found = {}
    for name in ("related", "plain"):
        vectors = harness.vectorize(inputs, "--features", name, "--title-weight", 0)
        found[name] = recall_figures(vectors.matrix, vectors.ids, pairs)
    harness.note("cross-source: scikit-learn")
    abstracts = {}
    for path in inputs:
        for _, record in (harness.corpus() if path == harness.corpus_path else records_of(path)):
            text = record.get("summary") or record.get("abstract") or ""
            abstracts[record["id"]] = abstracts.get(record["id"]) or text
    ids = vectors.ids
    peer = recall_figures(peers.tf_idf([abstracts[paper] for paper in ids]), ids, pairs)
    yield Measure("The same paper from another source: recall at 1 / at 5",
                  f"{2 * len(pairs)} records, each sought by abstract among {len(ids):,}", found["related"],
                  {"paperkin plain": found["plain"], "scikit-learn TF-IDF": peer})


def recall_figures(matrix, ids, pairs):
    rows = {paper: row for row, paper in enumerate(ids)}
    known = [(rows[a], rows[b]) for a, b in pairs]
    own = np.array([a for a, _ in known] + [b for _, b in known])
    targets = np.array([b for _, b in known] + [a for a, _ in known])
    found = m.places((matrix[own] @ matrix.T).toarray(), targets, own)
    return m.recall_at(found, 1), m.recall_at(found, 5)


# ---- 6. Labelled near-duplicates ---------------------------------------------------------------------------------------


def verdicts(harness):
    """Verdicts at paperkin's own cosines, words weighed among a year's papers, against cosines alone and equal titles."""
    harness.note("labelled pairs")
    labelled = rows_of_table(harness.evaluation("near_duplicates.tsv"))
    path = harness.new_path(".tsv")
    path.write_text("".join(f"{row['id_a']}\t{row['id_b']}\n" for row in labelled), encoding="utf-8")
    records = harness.evaluation("near_duplicates.jsonl")
    said = run([harness.bin / "bench_verdicts", path, records, harness.corpus_path], harness.threads)
    lines = [line.split("\t") for line in said.splitlines()]
    tiers, cosines = np.array([int(line[4]) for line in lines]), np.array([float(line[2]) for line in lines])
    titles = {record["id"]: "".join(record["title"].lower().split()) for _, record in records_of(records)}
    labels = [row["label"] for row in labelled]
    equal = [titles[row["id_a"]] == titles[row["id_b"]] for row in labelled]
    baselines = {f"cosine >= {cut}": m.verdict_scores(labels, cosines >= cut) for cut in (0.95, 0.9, 0.8)}
    baselines["equal titles"] = m.verdict_scores(labels, equal)
    section = f"{len(labels)} labelled near-duplicates: precision / recall of `same`"
    yield Measure(section, f"hidden or folded: {(tiers > 0).sum()} pairs", m.verdict_scores(labels, tiers > 0), baselines)
    yield Measure(section, f"hidden: {(tiers > 1).sum()} pairs", m.verdict_scores(labels, tiers > 1), baselines)


# ---- 7. Speed ----------------------------------------------------------------------------------------------------------


def cluster_seconds(harness, path):
    """The seconds of each step of `paperkin cluster` and the rows; of runs, the one that took least beyond the graph."""
    runs = []
    for _ in range(1 if harness.quick else 2):
        said = json.loads(run([harness.bin / "paperkin", "cluster", "--quiet", "--json", "--threads", harness.threads, path],
                              harness.threads))
        seconds = said["seconds"]
        runs.append((seconds["threads"] + seconds["fields"], seconds, said["papers"]))
    return min(runs, key=lambda one: one[0])


def leiden_times(harness, source):
    """[(objective, nodes, edges, our median seconds, igraph's, our quality, igraph's)] on the graph of each row's 10
    nearest, in turn."""
    path = harness.new_path(".graph")
    run([harness.bin / "bench_leiden", "graph", path, source], harness.threads)
    n_nodes, edges = leiden_speed.read_graph(str(path))
    graph = peers.igraph.Graph(n=n_nodes, edges=np.stack([edges["a"], edges["b"]], 1))
    weights, found = edges["weight"].tolist(), []
    for objective, resolution in (("modularity", 1.0), ("cpm", 0.05)):
        runs = []
        for seed in range(1 if harness.quick else 3):
            random.seed(seed)
            pair = []
            for seconds, membership in (
                    leiden_speed.run_paperkin(str(harness.bin / "bench_leiden"), str(path), objective, resolution, seed),
                    leiden_speed.run_igraph(graph, weights, objective, resolution, seed)):
                pair += [seconds, leiden_speed.quality(n_nodes, edges, membership, objective, resolution)]
            runs.append(pair)
        ours, our_quality, theirs, their_quality = (statistics.median(column) for column in zip(*runs))
        found.append((f"{objective} {resolution:g}", n_nodes, len(edges), ours, theirs, our_quality, their_quality))
    return found


def speed(harness):
    harness.note("speed: real papers")
    inputs = [harness.corpus_path] + ([] if harness.quick else [harness.venues_path])
    sources = [("real papers", harness.vectorize(inputs, "--features", "related").path)]
    if not harness.quick:
        generated = harness.new_path(".npz")
        run([harness.bin / "paperkin", "bench", "--quiet", "--generate", SPEED_ROWS, "--write-matrix", generated, "-t", "1",
             "--repeat", "1", "--no-verify", "--threads", harness.threads], harness.threads)
        sources.append(("generated rows", generated))
    for name, path in sources:
        harness.note(f"speed: clustering {name}")
        seconds, steps, n_rows = cluster_seconds(harness, path)
        times = leiden_times(harness, path)
        igraph_seconds = times[1][4]
        yield Measure("Speed", f"`paperkin cluster`, {n_rows:,} {name}: seconds beyond the neighbour graph, "
                      f"{harness.threads} threads", (seconds,),
                      {"the graph: its neighbours": (steps["neighbors"],), "its weights": (steps["graph"],),
                       "igraph, one CPM run on 10 neighbours": (igraph_seconds,)},
                      unit="s", aim="< 10 s" if n_rows >= SPEED_ROWS else "", met=seconds < 10 if n_rows >= SPEED_ROWS else None,
                      note=f"threads {steps['threads']:.1f} s, fields {steps['fields']:.1f} s")
        for objective, n_nodes, n_edges, ours, theirs, our_quality, their_quality in times:
            yield Measure("Speed", f"one Leiden run, {objective}, {n_nodes:,} {name}, {n_edges:,} edges, 1 thread", (ours,),
                          {"igraph": (theirs,)}, unit="s", aim="<= 1.5x igraph's time", met=ours <= 1.5 * theirs)
            yield Measure("Speed", f"its {objective.split()[0]}, as a share of igraph's", (our_quality / their_quality,),
                          {"igraph": (1.0,)}, aim=">= .99", met=our_quality >= 0.99 * their_quality)
