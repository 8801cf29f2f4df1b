# SPDX-License-Identifier: Apache-2.0
"""What quality is measured by: agreement of partitions, and places of what was sought.

Clusters are whole numbers by paper; a paper in none (an outlier) has a negative one.
"""
import numpy as np
import scipy.sparse
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, v_measure_score

CLOSE = 1e-9  # cosines that differ by less are ties: sums of floating-point products, in whatever order


def alone(clusters):
    """The same partition, each outlier in a cluster of its own."""
    clusters = np.array(clusters, dtype=np.int64)
    out = clusters < 0
    clusters[out] = clusters.max(initial=-1) + 1 + np.arange(out.sum())
    return clusters


def purity(labels, clusters):
    """Share of papers that bear the commonest label of their cluster."""
    _, labels = np.unique(labels, return_inverse=True)
    _, clusters = np.unique(clusters, return_inverse=True)
    counts = scipy.sparse.coo_matrix((np.ones(len(labels)), (clusters, labels))).tocsr()
    return float(counts.max(axis=1).sum() / len(labels)) if len(labels) else 0.0


def mutual_information(labels, clusters):
    """Adjusted for chance: 0 for a random partition, 1 for the same one."""
    return float(adjusted_mutual_info_score(labels, alone(clusters)))


def topic_scores(labels, clusters):
    """V-measure, adjusted Rand index, adjusted mutual information."""
    clusters = alone(clusters)
    return (float(v_measure_score(labels, clusters)), float(adjusted_rand_score(labels, clusters)),
            float(adjusted_mutual_info_score(labels, clusters)))


def rand_index(a, b):
    """Adjusted Rand index of two partitions of the same papers: of all papers, outliers each alone; and of those that
    both put in a cluster."""
    a, b = np.asarray(a), np.asarray(b)
    both = (a >= 0) & (b >= 0)
    return float(adjusted_rand_score(alone(a), alone(b))), float(adjusted_rand_score(a[both], b[both]))


def common(ids_a, a, ids_b, b):
    """The clusters of the papers that both partitions know, in one order."""
    place = {paper: row for row, paper in enumerate(ids_b)}
    rows = [(row, place[paper]) for row, paper in enumerate(ids_a) if paper in place]
    left, right = zip(*rows)
    return np.asarray(a)[list(left)], np.asarray(b)[list(right)]


def precisions(cosines, kin, k=10):
    """(precision at k, R-precision), averaged over the rows that have kin.

    `cosines`: square; `kin`: by row, the set of rows that belong with it. R-precision takes as many of the nearest as
    there are kin.
    """
    order = np.argsort(-np.where(np.eye(len(cosines), dtype=bool), -1, cosines), axis=1, kind="stable")[:, :-1]
    at_k, at_r = [], []
    for row, relatives in enumerate(kin):
        if relatives:
            right = np.isin(order[row], list(relatives))
            at_k.append(right[:k].sum() / k)
            at_r.append(right[:len(relatives)].mean())
    return float(np.mean(at_k)), float(np.mean(at_r))


def places(cosines, targets, own):
    """By row, the place from 1 of the target column among all but the row's own; of equals the target comes last."""
    rows = np.arange(len(targets))
    sought = cosines[rows, targets][:, None]
    closer = cosines >= sought - CLOSE
    closer[rows, own] = False
    return closer.sum(axis=1)


def recall_at(found_places, k):
    return float(np.mean(np.asarray(found_places) <= k))


def verdict_scores(labels, merged):
    """(precision, recall) of what was merged, against the pairs labelled `same`."""
    same = np.asarray([label == "same" for label in labels])
    merged = np.asarray(merged, dtype=bool)
    right = int((same & merged).sum())
    return right / max(1, int(merged.sum())), right / max(1, int(same.sum()))
