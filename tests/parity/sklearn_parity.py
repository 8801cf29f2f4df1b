# SPDX-License-Identifier: Apache-2.0
"""Compares TF-IDF weights with scikit-learn's TfidfVectorizer: same vocabulary, every weight within 1e-6.

usage: sklearn_parity.py VECTORIZE_DUMP [SHARED_DIR]

Always on a generated corpus full of Unicode; on real papers where SHARED_DIR has them. Exits 77 (skip) without
scikit-learn.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

try:
    import numpy
    import scipy.sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
except ImportError as error:
    print(f"skipped: {error}; set PAPERKIN_PYTHON to an interpreter that has scikit-learn")
    sys.exit(77)

TOLERANCE = 1e-6

# Ours, and what scikit-learn calls it. "text" says which text it is given.
CASES = [
    ("plain", [], {}, "both"),
    ("sublinear", ["sublinear=1"], {"sublinear_tf": True}, "both"),
    ("min_df", ["min_df=3"], {"min_df": 3}, "both"),
    ("max_df", ["max_df=0.2"], {"max_df": 0.2}, "both"),
    ("min and max", ["min_df=2", "max_df=0.5", "sublinear=1"], {"min_df": 2, "max_df": 0.5, "sublinear_tf": True}, "both"),
    ("bigrams", ["title=0", "bigram=1"], {"ngram_range": (1, 2)}, "abstract"),
    ("bigrams, min_df", ["title=0", "bigram=1", "min_df=2"], {"ngram_range": (1, 2), "min_df": 2}, "abstract"),
]

PIECES = (
    "graph Graphs MODEL model's deep-learning self_supervised _x x_ 3D 2.5 1,000 a I R² R$^2$ H₂O ½ Ⅷ ④ naïve NAÏVE café "
    "cafe\u0301s İstanbul ISTANBUL ıssız Straße STRASSE ΌΣΟΣ Σ ΑΣ A'Σ Σ' ΣΑ. ΟΔΥΣΣΕΎΣ ǅungla ﬁne ﬀ ＡＢ 中文 标题模型 日本語 カタカナ 한국어 "
    "हिन्दी ภาษา עברית العربية 𝒜𝒷 𝐱𝐲 😀😀 ok😀ok \u200bzero\u200bwidth soft\u00adhyphen α-β αβ µm Å Ångström ſtop \u0345 ᾼᾼ ŒUVRE "
    "ΐ ŉame ẞẞ ჯრუჭა ᲯᲠᲣ Ꭰꭰ ⅻ ² ٣٤ ๓๔ 〇一 ⑳ \u2028sep \u0130\u0130 don't https://example.org/a_b?c=1 \\alpha $x_1$ {braces} "
    "\t tab\nline"
).split(" ")


def generated(n):
    random.seed(11)
    weights = [1 / (1 + k) for k in range(len(PIECES))]  # rare and frequent ones, for the document frequencies
    random.shuffle(weights)
    records = []
    for k in range(n):
        text = [" ".join(random.choices(PIECES, weights, k=random.randint(0, m))) for m in (8, 60)]
        records.append({"id": f"2501.{k:05d}", "title": text[0] or "x", "authors": ["A. Author"], "categories": ["cs.XX"],
                        "comment": None, "summary": text[1]})
    return records


def real(path, n):
    lines = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout.splitlines()
    return [json.loads(line) for line in lines[:n]]


def dump(program, records, arguments, folder):
    source, target = os.path.join(folder, "in.jsonl"), os.path.join(folder, "out.bin")
    with open(source, "w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    subprocess.run([program, source, target, *arguments], check=True)
    with open(target, "rb") as file:
        n_rows, n_columns, n = (int(x) for x in numpy.fromfile(file, numpy.uint64, 3))
        offsets = numpy.fromfile(file, numpy.uint64, n_rows + 1).astype(numpy.int64)
        columns = numpy.fromfile(file, numpy.uint32, n).astype(numpy.int64)
        values = numpy.fromfile(file, numpy.float64, n)
        names = file.read().decode("utf-8").split("\n")[:-1]
    matrix = scipy.sparse.csr_matrix((values, columns, offsets), shape=(n_rows, n_columns))
    return matrix, names[:n_columns], names[n_columns:]


def compare(name, program, records, arguments, settings, text, folder):
    """Returns what differs, "" where nothing does."""
    ours, terms, ids = dump(program, records, arguments, folder)
    texts = [r["title"] + " " + r["summary"] if text == "both" else r["summary"] for r in records]
    vectorizer = TfidfVectorizer(**settings)
    theirs = vectorizer.fit_transform(texts).tocsr()
    expected = sorted(vectorizer.vocabulary_, key=lambda term: term.encode())
    if ids != [r["id"] for r in records]:
        return "ids differ"
    if terms != expected:
        odd = sorted(set(terms) ^ set(expected))[:10]
        return f"{len(terms)} terms instead of {len(expected)}; differing: {odd}"
    theirs = theirs[:, [vectorizer.vocabulary_[term] for term in expected]]
    if ours.shape != theirs.shape:
        return f"shape {ours.shape} instead of {theirs.shape}"
    difference = abs(ours - theirs)
    largest = difference.max() if difference.nnz else 0.0
    print(f"  {name}: {ours.shape[0]} x {ours.shape[1]}, {ours.nnz} weights, largest difference {largest:.2e}")
    if ours.nnz != theirs.nnz:
        return f"{ours.nnz} weights instead of {theirs.nnz}"
    return "" if largest <= TOLERANCE else f"a weight differs by {largest}"


def main():
    program = sys.argv[1]
    shared = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("PAPERKIN_SHARED_DIR", "")
    corpora = [("generated", generated(400), CASES)]
    path = os.path.join(shared, "corpus", "arxiv-2025.jsonl.zst")
    if shared and os.path.exists(path):
        papers = real(path, None)
        corpora += [("10,000 papers", papers[:10000], CASES[1:]), ("all papers", papers, CASES[:1])]
    else:
        print("real papers are not here: the generated corpus alone is compared")
    failures = []
    for corpus, records, cases in corpora:
        print(corpus)
        for name, arguments, settings, text in cases:
            with tempfile.TemporaryDirectory() as folder:
                problem = compare(name, program, records, arguments, settings, text, folder)
            if problem:
                failures.append(f"{corpus}, {name}: {problem}")
    print("\n".join(failures) if failures else "all agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
