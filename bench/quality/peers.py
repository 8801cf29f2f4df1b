# SPDX-License-Identifier: Apache-2.0
"""What paperkin is held against: scikit-learn and igraph, on the same papers or the same vectors."""
import random

import igraph
import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

SVD_DIMENSIONS = 200
BISECTIONS = 14


def tf_idf(texts):
    """Plain TF-IDF as scikit-learn makes it by default: words of two characters or more, smoothed idf, unit rows."""
    return TfidfVectorizer().fit_transform(texts)


def svd_rows(matrix, seed=0):
    """Unit rows in the space of the largest singular vectors. One thread: small products in turn with tall ones, on
    which the threads of a BLAS mostly wait for each other."""
    with threadpool_limits(1):
        dimensions = min(SVD_DIMENSIONS, min(matrix.shape) - 1)
        rows = TruncatedSVD(dimensions, random_state=seed).fit_transform(matrix.astype(np.float32))
        return normalize(rows.astype(np.float64))


def kmeans(rows, n_clusters, seed, n_starts=1, n_iterations=100):
    """k-means on unit rows, seeded by k-means++. Rows should be doubles, and the BLAS have one thread: seeding, which goes
    on in many small products, takes far longer otherwise."""
    with threadpool_limits(1, user_api="blas"):
        return KMeans(n_clusters, n_init=n_starts, max_iter=n_iterations, random_state=seed).fit_predict(rows)


class NeighborGraph:
    """An edge where one of two papers names the other among its nearest, weighted by the cosine, for igraph."""

    def __init__(self, n_nodes, a, b, cosines):
        low, high = np.minimum(a, b).astype(np.int64), np.maximum(a, b).astype(np.int64)
        keys, first = np.unique(low * n_nodes + high, return_index=True)
        keep = (low[first] != high[first]) & (cosines[first] > 0)
        keys, first = keys[keep], first[keep]
        self.graph = igraph.Graph(n=n_nodes, edges=np.stack([keys // n_nodes, keys % n_nodes], 1))
        self.weights = cosines[first].tolist()

    def leiden(self, resolution, seed):
        """One run of two iterations, by modularity."""
        random.seed(seed)
        igraph.set_random_number_generator(random)
        found = self.graph.community_leiden(objective_function="modularity", weights=self.weights, resolution=resolution,
                                            n_iterations=2)
        return np.asarray(found.membership)

    def resolution_for(self, n_clusters, seed=0):
        """The resolution that gives so many clusters, within one in thirty."""
        low, high, nearest = 1e-2, 1e3, None
        for _ in range(BISECTIONS):
            middle = (low * high) ** 0.5
            found = int(self.leiden(middle, seed).max()) + 1
            if nearest is None or abs(found - n_clusters) < nearest[0]:
                nearest = abs(found - n_clusters), middle
            if nearest[0] <= n_clusters / 30:
                break
            low, high = (middle, high) if found < n_clusters else (low, middle)
        return nearest[1]
