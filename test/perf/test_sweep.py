# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""That tools/dev/sweep finds what is slow and nothing else. Standard library only; no time
is measured."""

import json
import struct
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

import cliffs
import layer_models
import sweep
import sweep_plot

SIZES = [1, 2, 3, 5, 8, 13, 16, 24, 32, 48, 64]


def make_points(slow=(), overhead=5.0):
    """Times of work x * x and an overhead; `slow`: factors by x."""
    slow = dict(slow)
    return [cliffs.Point(x, (overhead + x * x) * slow.get(x, 1), x * x, x * x) for x in SIZES]


def find(points):
    cliffs.judge(points)
    return [point.x for point in points if point.is_cliff]


class Cliffs(unittest.TestCase):
    def test_smooth(self):
        self.assertEqual(find(make_points()), [])
        self.assertEqual(find(make_points(overhead=0)), [])

    def test_noise(self):
        self.assertEqual(find(make_points({8: 1.3, 16: 0.9, 24: 1.3})), [])

    def test_one(self):
        for x in SIZES[1:]:
            self.assertIn(x, find(make_points({x: 2})), x)

    def test_two_beside_each_other(self):
        self.assertLessEqual({13, 16}, set(find(make_points({13: 2, 16: 2}))))

    def test_faster_with_more_work(self):
        # From 5 on a faster algorithm, which those below should take, too.
        self.assertEqual(find(make_points({1: 10, 2: 10, 3: 10})), [1, 2, 3])

    def test_whole_vectors_excuse(self):
        points = make_points({13: 2, 48: 2})
        points[SIZES.index(13)].padded *= 2
        self.assertEqual(find(points), [48])
        self.assertLess(points[SIZES.index(13)].ratio, cliffs.LIMIT)


class Models(unittest.TestCase):
    def test_files(self):
        for name in layer_models.KINDS:
            text, shapes = layer_models.make_model(name, 8, 8)
            self.assertEqual(json.loads(text)["decoder"]["layers"][0]["name"], "layer")
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "w.safetensors"
                layer_models.write_safetensors(path, shapes)
                data = path.read_bytes()
            (size,) = struct.unpack("<Q", data[:8])
            header = json.loads(data[8 : 8 + size])
            self.assertEqual(set(header), set(shapes))
            end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
            self.assertEqual(len(data), 8 + size + end)

    def test_products_inside(self):
        kinds = layer_models.KINDS
        self.assertEqual(layer_models.count_inside(kinds["conv1x1"], 5), 1)
        self.assertAlmostEqual(layer_models.count_inside(kinds["conv3x3"], 1), 1 / 9)
        self.assertAlmostEqual(layer_models.count_inside(kinds["conv3x3"], 4), (10 / 12) ** 2)
        self.assertAlmostEqual(layer_models.count_inside(kinds["strided"], 2), 4 / 9)

    def test_points(self):
        for quick in (False, True):
            names = [line.name for line in sweep.make_series(quick)]
            self.assertEqual(len(names), len(set(names)))


class Plot(unittest.TestCase):
    def test_is_xml(self):
        points = make_points({13: 3})
        cliffs.judge(points)
        series = {"name": "a < b", "axis": "size", "unit": "flops", "points": []}
        for point in points:
            series["points"].append(
                {"size": point.x, "seconds": point.seconds, "work": point.work, "ratio": point.ratio, "cliff": point.is_cliff}
            )
        text = sweep_plot.draw({"series": [series], "limit": 0.6, "threads": 1, "flags": "-O3"})
        root = xml.etree.ElementTree.fromstring(text)
        circles = [element for element in root if element.tag.endswith("circle")]
        self.assertEqual(len(circles), len(SIZES))
        self.assertEqual(sum(circle.get("class") == "cliff" for circle in circles), 1)


if __name__ == "__main__":
    unittest.main()
