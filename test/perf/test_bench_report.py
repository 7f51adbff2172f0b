# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""That the benchmark's tables compare with the right peers. Standard library only."""

import json
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

import bench_report


def make_row(name, error, *rounds, run="2", workload="W4", q="fp32", least=None):
    ordered = sorted(rounds)
    return {
        "run": run, "W": workload, "b": 1, "t": 1, "name": name, "q": q, "rel_l2": error, "rss_mb": 100,
        "rounds_us": list(rounds), "med_us": ordered[len(rounds) // 2], "min_us": least or ordered[0],
    }  # fmt: skip


ROWS = [
    make_row("vaec", 1e-6, 1, 1, 1, run="1"),  # an old run
    make_row("vaec", 1e-6, 90, 100, 110, q="-", least=80),
    make_row("vaec-bf16", 1e-2, 50, 50, 50, q="-"),
    make_row("quick", 5e-4, 180, 150, 220),
    make_row("exact", 1e-6, 360, 300, 440, least=160),
    make_row("small", 1e-2, 75, 75, 75, q="bf16"),
    make_row("wrong", 1.5, 1, 1, 1, q="int8"),
    make_row("quick", 5e-4, 1, 1, 1, run="3"),  # without us
    {"run": "2", "W": "W4", "b": 1, "t": 1, "name": "broken", "q": "fp32", "error": "died"},
]


def compare(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        latest = bench_report.read_latest(path)
    return bench_report.compare(latest), latest


class Report(unittest.TestCase):
    def test_classes(self):
        found, _ = compare(ROWS)
        pairs = [(one.kind.name, one.ours["name"], one.peer["name"]) for one in found]
        self.assertEqual(
            pairs, [("f32", "vaec", "quick"), ("f32, peers as exact", "vaec", "exact"), ("16 bits", "vaec-bf16", "small")]
        )

    def test_ratios(self):
        found, _ = compare(ROWS)
        # Of rounds: 2, 1.5, 2.
        self.assertEqual(found[0].ratio, 2)
        self.assertEqual(found[1].least_ratio, 2)

    def test_table(self):
        found, latest = compare(ROWS)
        table = bench_report.make_table(found, latest)
        self.assertIn("| W4 | 1 | 1 | f32 | vaec 80 µs / 100 µs, 1.0e-06 | quick 150 µs / 180 µs, 5.0e-04 | 1.88 | **2.00** |", table)
        self.assertEqual(len(xml.etree.ElementTree.fromstring(bench_report.draw(found))) > 3, True)

    def test_marks(self):
        text = "a\n<!-- x: generated -->\nold\n<!-- end of x -->\nb\n"
        self.assertEqual(
            bench_report.replace_part(text, "x", "new\n"), "a\n<!-- x: generated -->\nnew\n<!-- end of x -->\nb\n"
        )
        with self.assertRaises(SystemExit):
            bench_report.replace_part("none", "x", "new\n")


if __name__ == "__main__":
    unittest.main()
