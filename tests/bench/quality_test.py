#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The measures of the quality harness by hand and beside scikit-learn, and its table, on invented data.

usage: quality_test.py ROOT
"""
import json
import math
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(sys.argv[1])
sys.path[:0] = [str(ROOT / "bench" / "quality"), str(ROOT / "bench")]

try:
    import numpy as np
    import measures as m
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import harness
import quality
import report
from report import Measure


class Partitions(unittest.TestCase):
    def test_outliers_are_alone(self):
        found = m.alone([0, -1, 0, -1, 1])
        self.assertEqual(list(found[[0, 2, 4]]), [0, 0, 1])
        self.assertEqual(len(set(found)), 4)
        self.assertEqual(len(set(m.alone([-1, -1]))), 2)

    def test_purity(self):
        # Cluster 0 has two of a and one of b, cluster 1 one of b: three of four bear their cluster's commonest label.
        self.assertEqual(m.purity(["a", "a", "b", "b"], [0, 0, 0, 1]), 0.75)
        self.assertEqual(m.purity(["a", "b"], [7, 7]), 0.5)

    def test_rand_index(self):
        # By Hubert and Arabie's formula: 2 pairs together in both, 3 in the one and 4 in the other, of 15.
        a, b = [0, 0, 0, 1, 2, 3], [0, 0, 1, 1, 1, 2]
        expected = 3 * 4 / 15
        both = sum(a[i] == a[j] and b[i] == b[j] for i in range(6) for j in range(i))
        self.assertAlmostEqual(m.rand_index(a, b)[0], (both - expected) / ((3 + 4) / 2 - expected))

    def test_rand_index_with_outliers(self):
        a, b = np.array([0, 0, 1, 1, -1, -1]), np.array([0, 0, 1, -1, -1, 1])
        of_all, inside = m.rand_index(a, b)
        self.assertAlmostEqual(of_all, adjusted_rand_score([0, 0, 1, 1, 2, 3], [0, 0, 1, 2, 3, 1]))
        self.assertEqual(inside, 1)  # the three that both put in a cluster

    def test_mutual_information(self):
        self.assertAlmostEqual(m.mutual_information([0, 0, 1, 1], [5, 5, 2, 2]), 1)
        self.assertAlmostEqual(m.mutual_information([0, 0, 1, 1, 2], [0, 1, 1, 0, -1]),
                               adjusted_mutual_info_score([0, 0, 1, 1, 2], [0, 1, 1, 0, 2]))
        self.assertAlmostEqual(m.topic_scores([0, 0, 1], [1, 1, 0])[0], 1)

    def test_v_measure(self):
        # Labels tell all of the clusters' one bit, clusters half of the labels' two: 2 h c / (h + c), h = 1/2, c = 1.
        self.assertAlmostEqual(m.topic_scores([0, 1, 2, 3], [0, 0, 1, 1])[0], 2 / 3)

    def test_common(self):
        left, right = m.common(["x", "y", "z"], [0, 1, 2], ["z", "w", "x"], [7, 8, 9])
        self.assertEqual((list(left), list(right)), ([0, 2], [9, 7]))


class Nearest(unittest.TestCase):
    COSINES = np.array([[1, .9, .5, .1], [.9, 1, .2, .3], [.5, .2, 1, .4], [.1, .3, .4, 1]])

    def test_precisions(self):
        kin = [{1, 2}, {0}, {3}, set()]  # nearest first: 1 2 3; 0 3 2; 0 3 1
        at_2, at_r = m.precisions(self.COSINES, kin, k=2)
        self.assertAlmostEqual(at_2, np.mean([2 / 2, 1 / 2, 1 / 2]))
        self.assertAlmostEqual(at_r, np.mean([1, 1, 0]))
        self.assertAlmostEqual(m.precisions(self.COSINES, kin, k=3)[1], at_r)

    def test_a_row_is_not_its_own_neighbour(self):
        self.assertEqual(m.precisions(np.ones((3, 3)), [{1, 2}, {0, 2}, {0, 1}], k=2), (1, 1))

    def test_places(self):
        found = m.places(self.COSINES[[0, 2]], np.array([2, 3]), np.array([0, 2]))
        self.assertEqual(list(found), [2, 2])
        self.assertEqual(m.recall_at(found, 1), 0)
        self.assertEqual(m.recall_at([1, 5, 6], 5), 2 / 3)

    def test_a_tie_counts_against(self):
        self.assertEqual(list(m.places(np.array([[1, .5, .5 + 1e-12, .1]]), np.array([1]), np.array([0]))), [2])

    def test_verdicts(self):
        self.assertEqual(m.verdict_scores(["same", "part", "same", "same"], [True, True, False, True]), (2 / 3, 2 / 3))
        self.assertEqual(m.verdict_scores(["part"], [False]), (0, 0))


class Table(unittest.TestCase):
    MEASURES = [Measure("Agreement", "2512: AMI / purity", (0.4421, 0.62), {"k-means": (0.4, 0.58), "igraph": (-0.01, 1.0)}),
                Measure("Agreement", "2511: AMI / purity", (1, None), note="told below"),
                Measure("Speed", "one run", (0.42,), {"igraph": (12.34,)}, unit="s", aim="< 1 s", met=False)]

    def test_figures(self):
        self.assertEqual([report.cell_figure(x) for x in (0.4421, -0.0104, 1.0, None)], [".442", "-.010", "1.000", ""])
        self.assertEqual([report.cell_figure(x, "s") for x in (0.416, 10.04)], ["0.42 s", "10.0 s"])
        self.assertEqual(report.cell_figure(1.345, "x"), "1.34x")

    def test_table(self):
        lines = report.table_text(self.MEASURES).splitlines()
        self.assertEqual(len(lines), 2 + 3 + 2)  # heading, three measures, two sections
        for words in ("| .442 / .620", "k-means .400 / .580; igraph -.010 / 1.000", "| 0.42 s", "igraph 12.3 s", "| NO"):
            self.assertIn(words, "\n".join(lines))
        self.assertEqual(len({line.count("|") for line in lines}), 1)
        self.assertEqual(len({len(line) for line in lines}), 1)

    def test_page(self):
        page = f"before\n{report.BEGIN}\nold figures\n{report.END}\nafter\n"
        made = report.made_section(self.MEASURES, [(12, "neural networks"), (5, "")], "On a machine.")
        new = report.replace_section(page, made)
        self.assertTrue(new.startswith("before\n") and new.endswith("\nafter\n"))
        self.assertNotIn("old figures", new)
        for words in ("- neural networks (12 papers)", "- (none) (5 papers)", "- 2511: AMI / purity: told below"):
            self.assertIn(words, new)
        self.assertEqual(report.replace_section(new, made), new)
        with self.assertRaises(ValueError):
            report.replace_section("no markers", made)

    def test_page_of_the_project(self):
        text = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")
        self.assertIn("new figures", report.replace_section(text, "new figures"))

    def test_what_is_written(self):
        measured = Measure("S", "w", (np.float32(0.5), np.int64(2)), {"b": (np.float64(0.25), None)}, met=np.bool_(True))
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "bench" / "results").mkdir(parents=True)
            (root / "docs").mkdir()
            (root / "docs" / "quality.md").write_text(f"a\n{report.BEGIN}\n{report.END}\nb\n")
            made = report.made_section([measured], [(np.int64(3), "词")], "Told.")
            path, page = quality.write_results(root, report, [measured], {"threads": 4}, made)
            found = json.loads(path.read_text(encoding="utf-8"))
            self.assertEqual((found["threads"], found["measures"][0]["ours"], found["measures"][0]["met"]), (4, [0.5, 2], True))
            self.assertIn("| w | .500 / 2.000 | b .250 /  |  | yes |", page.read_text(encoding="utf-8"))

    def test_json(self):
        told = json.loads(json.dumps(report.as_json(self.MEASURES)))
        self.assertEqual(told[2], {"section": "Speed", "what": "one run", "ours": [0.42], "baselines": {"igraph": [12.34]},
                                   "unit": "s", "aim": "< 1 s", "met": False, "note": ""})


class Files(unittest.TestCase):
    def test_topics_and_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "eval").mkdir()
            Path(folder, "eval", "topics.tsv").write_text("list\ttopic\tarxiv_id\nl\tt\t2512.1\nl\tu\t2512.2\nl\tt\t2512.3\n")
            it = harness.Harness("/nowhere", folder, folder, 1)
            self.assertEqual(list(it.topics().items()), [(("l", "t"), ["2512.1", "2512.3"]), (("l", "u"), ["2512.2"])])
            path = it.write_lines([b'{"id": "2512.1"}', b'{"id": "2512.2"}\n'])
            self.assertEqual([record["id"] for _, record in harness.records_of(path)], ["2512.1", "2512.2"])

    def test_a_program_that_fails(self):
        with self.assertRaises(SystemExit):
            harness.run(["false"], 1)


class Peers(unittest.TestCase):
    """Where igraph is installed: its graph is the one that was asked for, and its resolution the one that fits."""

    def setUp(self):
        try:
            import peers
        except ImportError as missing:
            self.skipTest(str(missing))
        self.peers = peers

    def test_graph_of_neighbours(self):
        a, b = np.array([0, 1, 1, 2, 3, 3]), np.array([1, 0, 2, 1, 0, 2])
        made = self.peers.NeighborGraph(4, a, b, np.array([.5, .5, .25, .25, 0, .1]))
        self.assertEqual(made.graph.get_edgelist(), [(0, 1), (1, 2), (2, 3)])  # a cosine of 0 joins nothing
        self.assertEqual(made.weights, [.5, .25, .1])

    def test_resolution(self):
        pairs = [(6 * c + i, 6 * c + j) for c in range(5) for i in range(6) for j in range(i)]
        pairs += [(6 * c, (6 * c + 6) % 30) for c in range(5)]
        a, b = map(np.array, zip(*pairs))
        made = self.peers.NeighborGraph(30, a, b, np.ones(len(pairs)))
        found = made.leiden(made.resolution_for(5), 0)
        self.assertTrue(math.isclose(m.rand_index(found, np.arange(30) // 6)[0], 1))
        for wanted in (1, 30):
            self.assertEqual(made.leiden(made.resolution_for(wanted), 0).max() + 1, wanted)


class Harness(unittest.TestCase):
    def test_misuse(self):
        with tempfile.TemporaryDirectory() as data:
            (Path(data) / "eval").mkdir()
            (Path(data) / "eval" / "topics.tsv").touch()
            for words, said in ((["--shared", "/nowhere"], "no real data"), (["--only", "nonsense"], "unknown section"),
                                (["--shared", data], "no paperkin, bench_leiden, bench_verdicts there")):
                done = subprocess.run([sys.executable, str(ROOT / "bench/quality/quality.py"), "--bin", "/nowhere", *words],
                                      capture_output=True, text=True, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(said, done.stderr)

    def test_sizes(self):
        import sections
        from harness import Clusters
        from types import SimpleNamespace
        for threads, fields, met in (([0] * 10 + [1] * 60 + [-1] * 30, [-1] * 100, False),
                                     ([-1] * 36 + list(range(64)), [-1] * 100, False),
                                     ([-1] * 35 + [k // 10 for k in range(65)], [k // 10 for k in range(100)], True)):
            measure = sections.sizes(SimpleNamespace(month="2512"), Clusters([], np.array(threads), np.array(fields), {}, {}))
            self.assertEqual(measure.met, met)
        self.assertEqual(measure.ours, (.1, .1, .35))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
