#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks vaec --quantize=int8 on a model with attention: what the integers of its
products lose beside those of all other layers, that reports and recipes name
them, and that any number of threads gives the same bits.

    check_attention.py --vaec build/release/bin/vaec --vae-run build/release/bin/vae-run
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

CHANNELS, HEADS, SIDE = 64, 2, 20


def expect(condition, *what):
    if not condition:
        sys.exit(" ".join(map(str, what)))


def numbers(array):
    return {"shape": list(array.shape), "data": [round(float(x), 5) for x in array.ravel()]}


def make_model(random):
    """An encoder: one convolution, attention with its projections and a sum, and
    what makes a code of it."""
    def conv(name, source, inputs, outputs, size=1, gain=1.0, **keys):
        kernel = random.normal(0, gain / np.sqrt(inputs * size * size), (outputs, inputs, size, size))
        return {"name": name, "type": "conv2d", "inputs": [source], "filters": outputs, "kernel_size": size,
                "weights": {"kernel": numbers(kernel), "bias": numbers(random.normal(0, 0.1, outputs))}, **keys}

    layers = [conv("in", "x", 3, CHANNELS, size=3, padding="same", activation="relu"),
              # Scores of several units: some keys count more than others.
              conv("query", "in", CHANNELS, CHANNELS, gain=2),
              conv("key", "in", CHANNELS, CHANNELS, gain=2),
              conv("value", "in", CHANNELS, CHANNELS),
              {"name": "attention", "type": "attention", "heads": HEADS, "inputs": ["query", "key", "value"]},
              conv("out", "attention", CHANNELS, CHANNELS),
              {"name": "sum", "type": "add", "inputs": ["in", "out"]},
              conv("hidden", "sum", CHANNELS, CHANNELS, activation="relu"),
              conv("code", "hidden", CHANNELS, 4)]
    return {"format_version": 1, "name": "attention", "inputs": [{"name": "x", "shape": [3, SIDE, SIDE]}],
            "encoder": {"layers": layers}, "latent": {"kind": "code", "code": "code"}}


class Check:
    def __init__(self, arguments, folder):
        self.vaec, self.vae_run, self.folder = arguments.vaec, arguments.vae_run, folder
        random = np.random.default_rng(7)
        self.model = folder / "model.json"
        self.model.write_text(json.dumps(make_model(random)))
        self.calibration, self.unseen = folder / "calibration.npy", folder / "unseen.npy"
        for path, count in (self.calibration, 64), (self.unseen, 32):
            np.save(path, random.normal(0, 1, (count, 3, SIDE, SIDE)).astype(np.float32))

    def compile(self, label, *options):
        """A library, and the layers of its report."""
        library, report = self.folder / f"{label}.so", self.folder / f"{label}.json"
        command = [self.vaec, self.model, "-o", library, f"--report={report}", *options]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        expect(result.returncode == 0, *command, result.stderr)
        return library, {layer["name"]: layer for layer in json.loads(report.read_text())["layers"]}

    def quantize(self, label, *options):
        return self.compile(label, "--quantize=int8", "--storage=f32", "--calibration-data", self.calibration,
                            *options)

    def encode(self, library, threads=1):
        output = self.folder / "z.npy"
        subprocess.run([self.vae_run, library, "encode", self.unseen, "-o", output, "--threads", str(threads)],
                       check=True, stdout=subprocess.DEVNULL)
        return np.load(output)

    def measure(self, library, exact):
        """Squared error of codes, relative to the variance of f32's."""
        found = self.encode(library).astype(np.float64)
        return np.square(found - exact).sum() / np.square(exact - exact.mean()).sum()


def check_attention(check):
    exact = check.encode(check.compile("f32", "--precision=f32")[0]).astype(np.float64)
    layers = [f"--quantize-layer={name}=int8" for name in ("in", "query", "key", "value", "out", "hidden")]
    without, report = check.quantize("without", *layers, "--quantize-layer=attention=f32")
    expect(report["attention"]["precision"] == "f32", report["attention"])
    expect(report["attention"]["quantize_note"] == "asked for", report["attention"])
    recipe = check.folder / "recipe.json"
    library, report = check.quantize("with", *layers, "--quantize-layer=attention=int8", f"--recipe={recipe}")
    expect(report["attention"]["precision"] == "int8", report["attention"])
    others, all_of_them = check.measure(without, exact), check.measure(library, exact)
    print(f"error without attention's integers {others:.2e}, with them {all_of_them:.2e}")
    expect(0 < all_of_them < 1.5 * others + 1e-4, "attention's integers lose too much")
    # Those of attention alone.
    alone, _ = check.quantize("alone", "--quantize-layer=none", "--quantize-layer=attention=int8", "--precision=f32")
    error = check.measure(alone, exact)
    print(f"error of attention's integers alone {error:.2e}")
    expect(0 < error < 2e-3, "attention's integers alone lose too much")

    kinds = {layer["layer"]: layer["kind"] for layer in json.loads(recipe.read_text())["steps"][0]["layers"]}
    expect(kinds["attention"] == "int8", kinds)
    again, _ = check.compile("again", f"--apply-recipe={recipe}")
    expect(again.read_bytes() == library.read_bytes(), "the recipe gives another library")

    first = check.encode(library)
    for threads in 2, 3:
        expect(np.array_equal(first, check.encode(library, threads)), threads, "threads give other bits")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--vaec", required=True, type=pathlib.Path)
    parser.add_argument("--vae-run", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        check_attention(Check(arguments, pathlib.Path(folder)))


if __name__ == "__main__":
    main()
