# SPDX-License-Identifier: Apache-2.0
"""Compares similarity and `.npz` files with SciPy: the same pairs and neighbours but for ties within 1e-6.

usage: scipy_parity.py SIMILARITY_DUMP

Exits 77 (skip) without NumPy and SciPy.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import scipy.sparse
except ImportError as error:
    print(f"skipped: {error}; set PAPERKIN_PYTHON to an interpreter that has SciPy")
    sys.exit(77)

TOLERANCE = 1e-6
ONE = float(1 << 60)


def words_like(generator, n_rows, n_columns, n_entries):
    """Rows whose columns are drawn as words are, some rows repeated and some empty."""
    rows, columns = [], []
    for row in range(n_rows):
        if generator.random() < 0.03:
            continue
        drawn = (generator.random(n_entries) ** 4 * n_columns).astype(int)
        if row > 10 and generator.random() < 0.1:
            drawn = numpy.array(columns[:n_entries])
        rows.extend([row] * len(drawn))
        columns.extend(drawn)
    values = 1 + generator.random(len(rows))
    return scipy.sparse.csr_matrix((values, (rows, columns)), shape=(n_rows, n_columns))


def normalized(matrix):
    matrix = matrix.astype(numpy.float64).tocsr()
    length = numpy.sqrt(matrix.multiply(matrix).sum(axis=1)).A1
    length[length == 0] = 1
    return scipy.sparse.diags(1 / length) @ matrix


def read_scores(path):
    with open(path) as file:
        rows = [line.split() for line in file]
    return [(int(score) / ONE, int(i), int(j)) for score, i, j in rows]


def check_pairs(cosines, threshold, pairs):
    found = {(i, j): score for score, i, j in pairs}
    assert len(found) == len(pairs), "a pair stands twice"
    assert [(-s, i, j) for s, i, j in pairs] == sorted((-s, i, j) for s, i, j in pairs), "the order is wrong"
    for (i, j), score in found.items():
        assert i < j and abs(cosines[i, j] - score) < TOLERANCE, (i, j, score, cosines[i, j])
        assert score >= threshold, (i, j, score)
    for i, j in zip(*numpy.nonzero(numpy.triu(cosines, 1) >= threshold + TOLERANCE)):
        assert (i, j) in found, f"pair {i}, {j} of cosine {cosines[i, j]} is missing"


def check_neighbors(cosines, k, neighbors):
    lists = [[] for _ in range(cosines.shape[0])]
    for score, row, neighbor in neighbors:
        assert row != neighbor and abs(cosines[row, neighbor] - score) < TOLERANCE
        lists[row].append(score)
    for row, scores in enumerate(lists):
        expected = numpy.sort(numpy.delete(cosines[row], row))[::-1][:k]
        expected = expected[expected > 0]
        assert len(scores) == len(expected), (row, len(scores), len(expected))
        assert numpy.allclose(scores, expected, atol=TOLERANCE, rtol=0), row


def check(dump, folder, name, matrix, threshold, k, **save):
    source, out = os.path.join(folder, "in.npz"), os.path.join(folder, "out")
    scipy.sparse.save_npz(source, matrix, **save)
    results = []
    for threads in ("1", "3"):
        subprocess.run([dump, source, str(threshold), str(k), threads, out], check=True)
        with open(out + ".pairs") as pairs, open(out + ".neighbors") as neighbors:
            results.append(pairs.read() + neighbors.read())
    assert results[0] == results[1], "threads change the result"
    unit = normalized(matrix)
    cosines = (unit @ unit.T).toarray()
    check_pairs(cosines, threshold, read_scores(out + ".pairs"))
    check_neighbors(cosines, k, read_scores(out + ".neighbors"))
    written = scipy.sparse.load_npz(out + ".npz")
    assert written.shape == matrix.shape and written.has_sorted_indices and written.dtype == numpy.float64
    canonical = matrix.astype(numpy.float64).tocsr().copy()
    canonical.sum_duplicates()
    canonical.eliminate_zeros()
    assert numpy.array_equal(written.indptr, canonical.indptr) and numpy.array_equal(written.indices, canonical.indices)
    assert numpy.allclose(written.data, canonical.data, rtol=1e-15)
    print(f"{name}: {matrix.shape[0]} rows agree")


def main():
    dump = sys.argv[1]
    generator = numpy.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        plain = words_like(generator, 700, 4000, 60)
        check(dump, folder, "stored", plain, 0.3, 10, compressed=False)
        check(dump, folder, "compressed", plain, 0.5, 3)
        check(dump, folder, "float32", plain.astype(numpy.float32), 0.4, 5)
        check(dump, folder, "integers", (plain * 10).astype(numpy.int32), 0.4, 5)
        wide = plain.copy()
        wide.indices, wide.indptr = wide.indices.astype(numpy.int64), wide.indptr.astype(numpy.int64)
        check(dump, folder, "64-bit indices", wide, 0.4, 5)
        order = numpy.concatenate([generator.permutation(numpy.arange(plain.indptr[r], plain.indptr[r + 1]))
                                   for r in range(plain.shape[0])])
        shuffled = scipy.sparse.csr_matrix((plain.data[order], plain.indices[order], plain.indptr), shape=plain.shape)
        check(dump, folder, "unsorted columns", shuffled, 0.4, 5)
        check(dump, folder, "dense", scipy.sparse.csr_matrix(generator.random((200, 30))), 0.9, 7)
        check(dump, folder, "larger", words_like(generator, 4500, 20000, 40), 0.35, 4)
        source = os.path.join(folder, "csc.npz")
        scipy.sparse.save_npz(source, plain.tocsc())
        refused = subprocess.run([dump, source, "0.5", "1", "1", source], capture_output=True, text=True)
        assert refused.returncode == 1 and "tocsr" in refused.stderr, refused.stderr


main()
