# SPDX-License-Identifier: Apache-2.0
"""Compares density clusters with scikit-learn's HDBSCAN on precomputed distances.

usage: hdbscan_parity.py DENSITY_DUMP

Where no two distances are equal everything must agree: clusters, outliers, probabilities within 1e-6, and outlier scores
with a plain computation of GLOSH on scikit-learn's condensed tree. From min_samples 3 on there are ties in any data: a
point's core distance is its mutual reachability with several others. We remove edges of one distance at once, as the
paper says; scikit-learn one by one, in an order that depends on that of the points and on its sorting. There we must
agree with it as well as it does with itself when the points come in another order. Exits 77 (skip) without scikit-learn
1.3 or later.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    from sklearn.cluster import HDBSCAN
    from sklearn.cluster._hdbscan._tree import _condense_tree
    from sklearn.datasets import make_blobs
    from sklearn.metrics import adjusted_rand_score
except ImportError as error:
    print(f"skipped: {error}; set PAPERKIN_PYTHON to an interpreter that has scikit-learn 1.3")
    sys.exit(77)

TOLERANCE = 1e-6
MARGIN = 0.02  # of a mean of adjusted Rand indices


def blobs(seed, n, n_blobs, n_dimensions, spread):
    """Points of clusters of different density amid noise, all within a ball of diameter below 1."""
    random = numpy.random.default_rng(seed)
    centers = random.uniform(-1, 1, (n_blobs, n_dimensions))
    widths = random.uniform(0.2, 1, n_blobs) * spread
    which = random.integers(0, n_blobs + 1, n)
    points = random.uniform(-1.2, 1.2, (n, n_dimensions))
    for k in range(n_blobs):
        chosen = which == k
        points[chosen] = centers[k] + random.normal(0, widths[k], (chosen.sum(), n_dimensions))
    points -= points.mean(axis=0)
    return points * (0.49 / numpy.linalg.norm(points, axis=1).max())


def weights_of(points, step=0):
    """1 - distance, symmetric; with a step the distances are its multiples, and many are equal."""
    distances = numpy.sqrt(((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2))
    if step:
        distances = numpy.round(distances / step) * step
    weights = 1 - distances
    numpy.fill_diagonal(weights, 1)
    return numpy.maximum(weights, weights.T)


def nearest_only(weights, k):
    """Weights of mutual k nearest neighbours; 0 elsewhere."""
    n = len(weights)
    others = weights.copy()
    numpy.fill_diagonal(others, -1)
    nearest = numpy.argsort(-others, axis=1, kind="stable")[:, :k]
    among = numpy.zeros((n, n), bool)
    among[numpy.arange(n)[:, None], nearest] = True
    kept = numpy.where(among & among.T, weights, 0)
    numpy.fill_diagonal(kept, 1)
    return kept


def ours(program, weights, min_cluster_size, min_samples, share, leaves):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "edges")
        with open(path, "w", encoding="ascii") as file:
            for a, b in zip(*numpy.nonzero(numpy.triu(weights, 1))):
                file.write(f"{a} {b} {weights[a, b]!r}\n".replace("np.float64(", "").replace(")", ""))
        arguments = [program, path, len(weights), min_cluster_size, min_samples, share, int(leaves)]
        text = subprocess.run([str(x) for x in arguments], check=True, capture_output=True, text=True).stdout
    table = numpy.array([[float(x) for x in line.split()] for line in text.splitlines()])
    return table[:, 0].astype(int), table[:, 1], table[:, 2]


def glosh(tree, n):
    """1 - lambda / largest lambda in the cluster that a point leaves, or in what came of it."""
    def largest(cluster):
        below = tree[tree["parent"] == cluster]
        deeper = [largest(child) for child in below["child"] if child >= n]
        return max([below["value"].max()] + deeper)

    ends = {cluster: largest(cluster) for cluster in numpy.unique(tree["parent"])}
    scores = numpy.zeros(n)
    for row in tree[tree["child"] < n]:
        end = ends[row["parent"]]
        finite = numpy.isfinite(row["value"])
        scores[row["child"]] = 1 - row["value"] / end if finite else 0
    return scores


def theirs(weights, min_cluster_size, min_samples, share, leaves):
    size = int(share * len(weights)) if share < 1 else None
    settings = {"copy": True} if "copy" in HDBSCAN().get_params() else {}
    model = HDBSCAN(metric="precomputed", algorithm="brute", min_cluster_size=min_cluster_size, min_samples=min_samples,
                    max_cluster_size=size, cluster_selection_method="leaf" if leaves else "eom", **settings)
    distances = 1 - weights
    model.fit(distances)
    tree = _condense_tree(model._single_linkage_tree_, min_cluster_size)
    return model.labels_, model.probabilities_, glosh(tree, len(weights))


def compare(program, weights, settings):
    """Returns what differs, "" where nothing does, and how many clusters there are."""
    labels, strengths, scores = ours(program, weights, *settings)
    labels_, strengths_, scores_ = theirs(weights, *settings)
    n_clusters = labels.max() + 1
    if n_clusters != labels_.max() + 1:
        return f"{n_clusters} clusters instead of {labels_.max() + 1}", n_clusters
    if (labels < 0).tolist() != (labels_ < 0).tolist():
        return f"outliers differ: {(labels < 0).sum()} instead of {(labels_ < 0).sum()}", n_clusters
    if adjusted_rand_score(labels, labels_) < 1:
        return "clusters differ", n_clusters
    sizes = numpy.bincount(labels[labels >= 0], minlength=n_clusters)
    if (numpy.diff(sizes) > 0).any():
        return "clusters are not numbered by size", n_clusters
    if abs(strengths - strengths_).max() > TOLERANCE:
        return f"a probability differs by {abs(strengths - strengths_).max()}", n_clusters
    if abs(scores - scores_).max() > TOLERANCE:
        return f"an outlier score differs by {abs(scores - scores_).max()}", n_clusters
    return "", n_clusters


def agreement(program, weights, settings, seed):
    """Adjusted Rand indices, outliers as one cluster: ours and scikit-learn's, scikit-learn's and its own on the same
    points in another order."""
    order = numpy.random.default_rng(seed).permutation(len(weights))
    labels_ = theirs(weights, *settings)[0]
    others = numpy.empty_like(labels_)
    others[order] = theirs(weights[numpy.ix_(order, order)], *settings)[0]
    return adjusted_rand_score(ours(program, weights, *settings)[0], labels_), adjusted_rand_score(others, labels_)


# min_cluster_size, min_samples, max_cluster_share (scikit-learn has it for excess of mass alone), leaves
WITHOUT_TIES = [(5, 1, 1, False), (5, 2, 1, True), (10, 2, 1, False), (4, 1, 1, True), (2, 2, 1, False),
                (5, 2, 0.25, False), (60, 2, 1, False)]
WITH_TIES = [(5, 5, 1, False), (10, 3, 1, False), (8, 12, 1, False), (5, 4, 0.25, False)]


def compare_without_ties(program, seeds):
    failures, n_clusters, n_cases = [], 0, 0
    for seed in seeds:
        weights = weights_of(blobs(seed, 150 + 20 * seed, 2 + seed % 7, 2 + seed % 4, 0.15))
        for settings in WITHOUT_TIES:
            problem, n = compare(program, weights, settings)
            n_cases += 1
            n_clusters += n
            if problem:
                failures.append(f"seed {seed}, {settings}: {problem}")
    print(f"without ties: {n_cases} cases, {n_clusters} clusters")
    if n_clusters < 3 * n_cases:
        failures.append("hardly any clusters: the cases test nothing")
    return failures


def compare_with_ties(program, seeds):
    failures = []
    for name in ("complete", "copies", "neighbours", "clear-cut"):
        indices = []
        for seed in seeds:
            points = blobs(seed, 150 + 20 * seed, 2 + seed % 7, 2 + seed % 4, 0.15)
            if name == "clear-cut":
                points = make_blobs(200, centers=4, cluster_std=0.6, random_state=seed)[0] / 60
            if name == "copies":
                points = points[numpy.r_[:90, 0:9, 10, 10, 10, 10, 10, 10]]
            weights = weights_of(points, 0.001 if name == "copies" else 0)
            weights = nearest_only(weights, 14) if name == "neighbours" else weights
            indices += [agreement(program, weights, settings, seed) for settings in WITH_TIES]
        ours_, own = numpy.mean(indices, axis=0)
        print(f"with ties, {name}: adjusted Rand index {ours_:.4f} (least {min(x[0] for x in indices):.3f}), "
              f"scikit-learn with itself {own:.4f} (least {min(x[1] for x in indices):.3f})")
        if ours_ < min(own, 0.999) - MARGIN:
            failures.append(f"{name}: {ours_} agree, scikit-learn with itself {own}")
    return failures


def main():
    failures = compare_without_ties(sys.argv[1], range(5)) + compare_with_ties(sys.argv[1], range(4))
    print("\n".join(failures) if failures else "all agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
