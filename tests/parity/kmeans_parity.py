# SPDX-License-Identifier: Apache-2.0
"""Compares spherical k-means with a plain one in NumPy, on integers, and with scikit-learn's KMeans.

usage: kmeans_parity.py KMEANS_DUMP

From the same first rows NumPy's must put every row into the same cluster, at every number of iterations. From its own
seeds ours must reach about the inertia that scikit-learn's KMeans reaches on the same rows of length 1 (whose centres
are means, not directions). Exits 77 (skip) without SciPy or scikit-learn.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import scipy.sparse
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import normalize
except ImportError as error:
    print(f"skipped: {error}; set PAPERKIN_PYTHON to an interpreter that has scikit-learn")
    sys.exit(77)

ONE = 1 << 30
MARGIN = 0.03  # of inertia
N_SEEDS = 6


def texts(seed, n_rows, n_topics, n_columns=900):
    """Rows like TF-IDF vectors: some words of a topic, some of all; every 19th row is empty."""
    random = numpy.random.default_rng(seed)
    common = 1 / numpy.arange(1, n_columns + 1) ** 0.8
    rows, columns, values = [], [], []
    for row in range(n_rows):
        if row % 19 == 18:
            continue
        topic = numpy.random.default_rng(1000 * seed + row % n_topics).permutation(n_columns)[:40]
        own = random.choice(topic, random.integers(5, 20), replace=False)
        others = random.choice(n_columns, 25, replace=False, p=common / common.sum())
        chosen = numpy.unique(numpy.concatenate([own, others]))
        rows += [row] * len(chosen)
        columns += list(chosen)
        values += list(random.uniform(0.2, 1, len(chosen)) * (1 + numpy.isin(chosen, own)))
    return normalize(scipy.sparse.csr_matrix((values, (rows, columns)), shape=(n_rows, n_columns)))


def dump(program, path, n_iterations, seed, start):
    out = subprocess.run([program, path, str(n_iterations), str(seed), start], check=True, capture_output=True, text=True)
    lines = out.stdout.split()
    return float(lines[0]), numpy.array([int(x) for x in lines[1:]])


def fixed(values):
    return numpy.floor(values * ONE).astype(numpy.int64)


def plain(matrix, first, n_iterations):
    """The same steps on dense 64-bit integers; returns the mean cosine and the labels."""
    points = fixed(matrix.toarray())
    lengths = numpy.sqrt((points.astype(float) ** 2).sum(axis=1)) / ONE
    labels = numpy.full(len(points), -1)
    labels[first] = numpy.arange(len(first))
    quality = 0
    for _ in range(n_iterations):
        sums = numpy.zeros((len(first), points.shape[1]))
        for c in range(len(first)):
            sums[c] = points[labels == c].sum(axis=0)
        norms = numpy.sqrt((sums ** 2).sum(axis=1))
        scores = points @ fixed(sums / norms[:, None]).T
        best = scores.max(axis=1)
        found = numpy.where(best > 0, scores.argmax(axis=1), -1)
        if (numpy.bincount(found[found >= 0], minlength=len(first)) == 0).any():
            return None  # empty clusters are for the unit tests
        quality = (best[found >= 0] / float(ONE) ** 2 / lengths[found >= 0]).mean()
        if (found == labels).all():
            break
        labels = found
    return quality, labels


def same_partition(a, b):
    return len(set(zip(a, b))) == len(set(a)) == len(set(b)) and ((a < 0) == (b < 0)).all()


def compare_with_numpy(program, folder):
    failures, n_cases = [], 0
    for seed in range(6):
        matrix = texts(seed, 300 + 40 * seed, 6 + seed)
        path = os.path.join(folder, f"{seed}.npz")
        scipy.sparse.save_npz(path, matrix)
        filled = numpy.flatnonzero(numpy.diff(matrix.indptr))
        first = numpy.random.default_rng(seed).choice(filled, 5 + 2 * seed, replace=False)
        for n_iterations in (1, 2, 5, 50):
            expected = plain(matrix, first, n_iterations)
            if expected is None:
                continue
            quality, labels = dump(program, path, n_iterations, 0, ",".join(map(str, first)))
            n_cases += 1
            if not same_partition(labels, expected[1]):
                failures.append(f"seed {seed}, {n_iterations} iterations: {(labels < 0).sum()} outliers, other clusters")
            if abs(quality - expected[0]) > 1e-9:
                failures.append(f"seed {seed}, {n_iterations} iterations: mean cosine {quality} instead of {expected[0]}")
    print(f"NumPy: {n_cases} runs compared")
    return failures if n_cases > 15 else failures + ["hardly anything was compared"]


def inertia(matrix, labels):
    """Sum of squared distances of the labelled rows to the means of their clusters."""
    kept = labels >= 0
    matrix, labels = matrix[kept], labels[kept]
    indicator = scipy.sparse.csr_matrix((numpy.ones(len(labels)), (labels, numpy.arange(len(labels)))))
    sums = indicator @ matrix
    sizes = numpy.bincount(labels)
    return matrix.multiply(matrix).sum() - (sums.multiply(sums).sum(axis=1).A1 / sizes).sum()


def compare_with_sklearn(program, folder):
    failures = []
    for seed in range(3):
        matrix = texts(10 + seed, 800, 12)
        path = os.path.join(folder, f"s{seed}.npz")
        scipy.sparse.save_npz(path, matrix)
        ours = numpy.mean([inertia(matrix, dump(program, path, 50, s, "+12")[1]) for s in range(N_SEEDS)])
        filled = matrix[numpy.flatnonzero(numpy.diff(matrix.indptr))]
        theirs = numpy.mean([KMeans(12, n_init=1, random_state=s, max_iter=50).fit(filled).inertia_ for s in range(N_SEEDS)])
        print(f"scikit-learn, data {seed}: mean inertia of {N_SEEDS} runs {ours:.2f}, theirs {theirs:.2f}")
        if ours > theirs * (1 + MARGIN):
            failures.append(f"data {seed}: inertia {ours}, scikit-learn reaches {theirs}")
    return failures


def main():
    with tempfile.TemporaryDirectory() as folder:
        failures = compare_with_numpy(sys.argv[1], folder) + compare_with_sklearn(sys.argv[1], folder)
    print("\n".join(failures) if failures else "all agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
