#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks tables of vaec calibrate: some tensors against PyTorch and NumPy, all
of them against the reference interpreter, on fewer digits.

    check_ranges.py --vaec build/release/bin/vaec --compare build/release/bin/compare-ranges
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import torch

from score_models import DIGITS, MODELS, NAMES, load_digits
from torch_model import TorchModel

METHODS = ["min-max", "percentile-99.9", "percentile-99.99", "mse", "entropy"]
NUMBER = re.compile(r'tensor "([^"]*)" (\d+) (\d+) (\d+) (.*)')


def read_table(path):
    """Name -> rows, that of the tensor first; a row is [method, end]."""
    tensors, rows = {}, []
    for line in path.read_text().splitlines():
        if match := NUMBER.match(line):
            tensors[match[1]] = rows = []
            rest = match[5]
        elif line.startswith("channel "):
            rest = line.split(" ", 2)[2]
        else:
            continue
        rows.append(np.array(rest.split(), np.float64).reshape(len(METHODS), 2))
    return tensors


def check_rows(name, rows, values):
    """values: [N, channels, ...]"""
    errors = []
    channels = [values] + [values[:, c] for c in range(values.shape[1])]
    if len(rows) != len(channels):
        return [f"{name}: {len(rows) - 1} channels, expected {len(channels) - 1}"]
    for i, (row, part) in enumerate(zip(rows, channels)):
        largest = np.abs(part).max()
        expected = np.array([[part.min(), part.max()], *(np.percentile(part, [100 - p, p]) for p in (99.9, 99.99))])
        # Percentiles lie in the right bin; where numbers are rare, between two.
        bins = 4096 if i == 0 else 1024
        limits = np.array([[1e-4], [4 / bins], [4 / bins]]) * largest + 1e-6
        for method, found, wanted, limit in zip(METHODS, row, expected, limits):
            if np.abs(found - wanted).max() > limit[0]:
                errors.append(f"{name}, row {i}, {method}: {found}, expected {wanted}")
        for method, (low, high) in zip(METHODS[3:], row[3:]):
            if low < min(0, part.min()) - 1e-4 * largest or high > max(0, part.max()) + 1e-4 * largest or low > high:
                errors.append(f"{name}, row {i}, {method}: [{low}, {high}] is not within the numbers")
    return errors


def check_torch(vaec, name, folder):
    path, table = MODELS / name / "model.json", folder / f"{name}.txt"
    subprocess.run([vaec, "calibrate", path, "--data", DIGITS, "-o", table], check=True, capture_output=True)
    x, model, tensors = load_digits(), TorchModel(path), read_table(table)
    with torch.no_grad():
        mu, logvar = (head.numpy() for head in model.encode(x))
        expected = {"x": x, model.latent["mu"]: mu, model.latent["logvar"]: logvar}
        # What the table says of the decoder is what its latents give.
        if tensors["z"][0][0][0] < mu.min() - 10:
            return [f"{name}: latents are far from their means"]
    return [e for tensor, values in expected.items() for e in check_rows(f"{name}: {tensor}", tensors[tensor], values)]


def check_reference(vaec, compare, name, folder):
    """The table of few digits, by the reference interpreter."""
    path, table, data = MODELS / name / "model.json", folder / "few.txt", folder / "few.npy"
    np.save(data, np.round(load_digits()[:12] * 255).astype(np.uint8))
    subprocess.run([vaec, "calibrate", path, "--data", data, "-o", table], check=True, capture_output=True)
    result = subprocess.run([compare, path, table, data], capture_output=True, text=True, check=False)
    print(result.stdout, end="")
    return [] if result.returncode == 0 else [result.stderr]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vaec", required=True)
    parser.add_argument("--compare", required=True)
    args = parser.parse_args()
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            errors += check_torch(args.vaec, name, pathlib.Path(folder))
            errors += check_reference(args.vaec, args.compare, name, pathlib.Path(folder))
    print(*errors[:20], sep="\n")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
