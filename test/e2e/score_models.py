#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles the bundled models and compares them with PyTorch on the unseen
digits, with the same noise: every entry point through the ABI, and what vae-run
writes.

    score_models.py --vaec build/release/bin/vaec --vae-run build/release/bin/vae-run [NAME ...]
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
DIGITS = MODELS / "mnist-unseen.idx3-ubyte.gz"
NAMES = ["mnist-mlp-2d", "mnist-mlp", "mnist-conv"]


def load_digits():
    """The unseen digits as f32 from 0 to 1, [N, 1, 28, 28]."""
    data = gzip.open(DIGITS).read()
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


def compare_vae_run(check, program, library, x, noise, f32, f64):
    """What vae-run makes of the file of digits, with --noise."""
    folder = library.parent
    noise_file, result = folder / "noise.npy", folder / "result.npz"
    np.save(noise_file, noise)

    def vae_run(command, *options, given=DIGITS):
        subprocess.run([program, library, command, given, "-o", result, *options], check=True,
                       stdout=subprocess.DEVNULL)
        return dict(np.load(result))

    with_noise = ["--noise", noise_file]
    heads, exact = f32.encode(x), f64.encode(x)
    found = vae_run("encode", "--sample", *with_noise)
    for name, a, b in zip(["mu", "logvar"], heads, exact):
        check.check_tensor(f"vae-run encode, {name}", found[name], a, b)
    z = found["z"]
    np.save(folder / "z.npy", z)
    found = vae_run("decode", given=folder / "z.npy")
    check.check_tensor("vae-run decode, y", found["y"], f32.decode(z)[0], f64.decode(z)[0])
    found = vae_run("reconstruct")
    check.check_tensor("vae-run reconstruct, y", found["y"], f32.reconstruct(x), f64.reconstruct(x))
    found = vae_run("reconstruct", "--sample", *with_noise)
    check.check_tensor("vae-run reconstruct --sample, y", found["y"], f32.reconstruct(x, noise),
                       f64.reconstruct(x, noise))
    found, expected = vae_run("score", *with_noise), f64.score(x, noise)
    for name in ("log_likelihood", "kl", "elbo"):
        check.check_values(f"vae-run score, {name}", found[name], expected[name])


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
    compare_vae_run(check, arguments.vae_run, target, x, noise, f32, f64)


def main():
    parser = argparse.ArgumentParser(description="Compares the bundled models with PyTorch.")
    parser.add_argument("--vaec", required=True, help="the compiler")
    parser.add_argument("--vae-run", required=True, help="the program that runs libraries")
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
