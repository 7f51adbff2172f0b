#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles the bundled models and compares them with PyTorch on the unseen
digits: every entry point, through the ABI, with the same noise.

    score_models.py --vaec build/release/bin/vaec [--level 3] [NAME ...]
"""
import argparse
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch

from compare import Comparison
from torch_model import TorchModel
from vae_library import Library

MODELS = pathlib.Path(__file__).resolve().parents[1] / "models"
NAMES = ["mnist-mlp-2d", "mnist-mlp", "mnist-conv"]


def load_digits():
    """The unseen digits as f32 from 0 to 1, [N, 1, 28, 28]."""
    data = gzip.open(MODELS / "mnist-unseen.idx3-ubyte.gz").read()
    pixels = np.frombuffer(data, np.uint8, offset=16)
    return pixels.reshape(-1, 1, 28, 28).astype(np.float32) / np.float32(255)


def compare_entries(check, library, x, noise, f32, f64):
    """All entry points against PyTorch in f32, and in f64 for its own error."""

    def tensors(entry, names, found, single, double):
        for name, a, b in zip(names, single, double):
            check.check_tensor(f"{entry}, {name}", found[name], a, b)

    found = library.run("encode", x=x)
    heads = f32.encode(x)
    tensors("encode", ["mu", "logvar"], found, heads, f64.encode(x))
    z = (heads[0] + torch.exp(heads[1] / 2) * torch.from_numpy(noise)).numpy()
    found = library.run("encode_sample", x=x, noise=noise)
    check.check_tensor("encode_sample, z", found["z"], z, z)
    tensors("decode", ["y"], library.run("decode", z=z), f32.decode(z), f64.decode(z))
    for entry, given in (("reconstruct", {}), ("reconstruct_sample", {"noise": noise})):
        tensors(entry, ["y"], library.run(entry, x=x, **given), [f32.reconstruct(x, **given)],
                [f64.reconstruct(x, **given)])
    tensors("sample", ["y"], library.run("sample", noise=noise), [f32.sample(noise)], [f64.sample(noise)])
    found, expected = library.run("score", x=x, noise=noise), f64.score(x, noise)
    for name in ("log_likelihood", "kl", "elbo"):
        check.check_values(f"score, {name}", found[name], expected[name])


def compare_metrics(check, library, x, metrics):
    """The means that the training script recorded in metrics.json, from the
    compiled reconstruction."""
    y = library.run("reconstruct", x=x)["y"].astype(np.float64)
    x = x.astype(np.float64)
    assert metrics["schema"] == 1 and metrics["digits"] == len(x)
    with np.errstate(divide="ignore"):
        bce = -(x * np.maximum(np.log(y), -100) + (1 - x) * np.maximum(np.log1p(-y), -100))
    found = {"reconstruction_bce": bce.sum((1, 2, 3)).mean(), "reconstruction_mse": np.square(y - x).mean()}
    for name, value in found.items():
        check.check_values(f"metrics.json, {name}", value, metrics[name])


def test_model(check, name, arguments, folder):
    source = MODELS / name / "model.json"
    target = pathlib.Path(folder) / f"{name}.so"
    command = [arguments.vaec, str(source), "-o", str(target), *arguments.options.split()]
    subprocess.run(command, check=True)
    print(f"{name}: {source.stat().st_size} bytes of JSON, library {target.stat().st_size} bytes")
    library = Library(target)
    f32, f64 = TorchModel(source), TorchModel(source, torch.float64)
    x = load_digits()
    metrics = json.loads((source.parent / "metrics.json").read_text())
    shape = [len(x), *f32.encode(x[:1])[0].shape[1:]]
    noise = np.random.default_rng(7).standard_normal(shape).astype(np.float32)
    assert library.model.num_parameters == metrics["parameters"]
    for count in (1, 7, len(x)):
        print(f"{name}, batch of {count}")
        compare_entries(check, library, x[:count], noise[:count], f32, f64)
    compare_metrics(check, library, x, metrics)


def main():
    parser = argparse.ArgumentParser(description="Compares the bundled models with PyTorch.")
    parser.add_argument("--vaec", required=True, help="the compiler")
    parser.add_argument("--options", default="", help="options for the compiler, in one string")
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help=f"models; default: {' '.join(NAMES)}")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    check = Comparison()
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.names:
            test_model(check, name, arguments, folder)
    sys.exit(0 if check.passed else 1)


if __name__ == "__main__":
    main()
