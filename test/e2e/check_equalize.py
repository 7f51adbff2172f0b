#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks vaec --equalize and --correct-bias on the bundled dense model and on
two others that are made of it, which are the same function in f32: one of whose
channels is 100 times as large as the others, where integers are as exact as
those of the original again, and one that only seems to be so, where equalization
is refused. Half of the digits are calibration data, the others are compared.

    check_equalize.py --vaec build/release/bin/vaec --vae-run build/release/bin/vae-run
"""
import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

from score_models import MODELS, load_digits

# Channels of the decoder's hidden layer that are scaled.
SCALED = 4


def read_weights(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    tensors = json.loads(data[8:8 + size])
    tensors.pop("__metadata__", None)
    return {name: np.frombuffer(data[8 + size:][slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
            for name, entry in tensors.items()}


def write_weights(path, tensors):
    header, offset = {}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(v.tobytes() for v in tensors.values()))


class Check:
    def __init__(self, arguments, folder):
        self.vaec, self.vae_run, self.folder = arguments.vaec, arguments.vae_run, folder
        digits = load_digits()
        self.calibration, self.unseen = folder / "calibration.npy", folder / "unseen.npy"
        np.save(self.calibration, digits[::2])
        np.save(self.unseen, digits[1::2])

    def make_model(self, name, change):
        """The dense model with other weights."""
        folder = self.folder / name
        folder.mkdir()
        source = MODELS / "mnist-mlp"
        (folder / "model.json").write_text((source / "model.json").read_text())
        weights = {name: values.copy() for name, values in read_weights(source / "weights.safetensors").items()}
        change(weights)
        write_weights(folder / "weights.safetensors", weights)
        return folder / "model.json"

    def compile(self, model, label, *options):
        """A library, and what is said."""
        library = self.folder / f"{model.parent.name}-{label}.so"
        command = [self.vaec, model, "-o", library, *options]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}\n{result.stderr}")
        return library, result.stderr

    def quantize(self, model, label, *options):
        return self.compile(model, label, "--quantize=int8", "--calibration-data", self.calibration, *options)

    def reconstruct(self, library):
        output = self.folder / "y.npy"
        subprocess.run([self.vae_run, library, "reconstruct", self.unseen, "-o", output], check=True,
                       stdout=subprocess.DEVNULL)
        return np.load(output).astype(np.float64)

    def measure(self, library, exact):
        """Squared error of reconstructions, relative to the variance of f32's."""
        return np.square(self.reconstruct(library) - exact).sum() / np.square(exact - exact.mean()).sum()


def expect(condition, *what):
    if not condition:
        sys.exit(" ".join(map(str, what)))


def scale_channels(weights):
    """Live channels, whose weights shrink behind the activation."""
    live = np.argsort(-np.abs(weights["fc4.weight"]).max(0))[:SCALED]
    weights["fc3.weight"][live] *= 100
    weights["fc3.bias"][live] *= 100
    weights["fc4.weight"][:, live] /= 100


def grow_dead_channel(weights):
    """A channel that is always 0 behind ReLU, with large weights before it:
    equal weights would make those behind it large, and all others coarse."""
    weights["fc3.weight"][0] *= 100
    weights["fc3.bias"][0] = -1e4


def check_scaled(check, original):
    model = check.make_model("scaled", scale_channels)
    f32, _ = check.compile(model, "f32")
    exact = check.reconstruct(f32)
    usual = check.measure(check.quantize(original, "int8")[0], exact)
    bad = check.measure(check.quantize(model, "int8")[0], exact)
    expect(bad > 5 * usual, "integers should be bad with large channels:", bad, usual)
    for method in ("cross-layer", "auto"):
        recipe = check.folder / f"{method}.json"
        library, said = check.quantize(model, method, f"--equalize={method}", f"--recipe={recipe}")
        error = check.measure(library, exact)
        print(f"scaled channels, {method}: {bad:.2e} -> {error:.2e}, without them {usual:.2e}")
        expect(error < 2 * usual, method, "does not restore what integers give:", error, usual)
        expect("--equalize: fc3 -> fc4:" in said and "is kept" in said, said)
        expect("samples that decided nothing" in said, said)
        again, _ = check.compile(model, "again", f"--apply-recipe={recipe}")
        expect(again.read_bytes() == library.read_bytes(), method, "is not the same by its recipe")
        scales = check.folder / "scales.json"
        steps = json.loads(recipe.read_text())
        steps["steps"] = [step for step in steps["steps"] if step["kind"] == "equalize"]
        scales.write_text(json.dumps(steps))
        same, _ = check.compile(model, "same", f"--apply-recipe={scales}")
        difference = np.abs(check.reconstruct(same) - exact).max()
        expect(difference < 1e-5, method, "changes the f32 model:", difference)


def check_refused(check):
    model = check.make_model("dead", grow_dead_channel)
    plain, _ = check.quantize(model, "int8")
    library, said = check.quantize(model, "cross-layer", "--equalize=cross-layer")
    expect("--equalize: fc3 -> fc4: cross-layer" in said and "refused" in said, said)
    expect(plain.read_bytes() == library.read_bytes(), "what is refused changes the library")
    print("dead channel:", next(line for line in said.splitlines() if "fc3 -> fc4" in line))


def check_biases(check, original):
    """Ranges that cut off many numbers change means."""
    exact = check.reconstruct(check.compile(original, "f32")[0])
    ranges = "--range-method=percentile-99.9"
    recipe = check.folder / "biases.json"
    before = check.measure(check.quantize(original, "cut", ranges)[0], exact)
    library, said = check.quantize(original, "corrected", ranges, "--correct-bias", f"--recipe={recipe}")
    after = check.measure(library, exact)
    print(f"biases: {before:.3e} -> {after:.3e}")
    expect(after < before, "biases do not help:", before, after, said)
    steps = json.loads(recipe.read_text())["steps"]
    expect([step["kind"] for step in steps] == ["correct-bias", "quantize"], steps)
    again, _ = check.compile(original, "again", f"--apply-recipe={recipe}")
    expect(again.read_bytes() == library.read_bytes(), "biases are not the same by their recipe")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--vaec", required=True, type=pathlib.Path)
    parser.add_argument("--vae-run", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        check = Check(arguments, pathlib.Path(folder))
        original = check.make_model("original", lambda weights: None)
        check_scaled(check, original)
        check_refused(check)
        check_biases(check, original)


if __name__ == "__main__":
    main()
