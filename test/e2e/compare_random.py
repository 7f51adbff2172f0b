#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles random models and compares every entry point with PyTorch.

    compare_random.py --vaec build/release/bin/vaec \\
        --runtime build/release/lib/libvae_runtime.so --count 200

Each result must be as close to PyTorch's f64 result, in the relative L2 norm,
as 1e-5, or as ten times the distance of PyTorch's own f32 result. The runtime
with one and two threads, and two threads that share every loop, must give the
same bits. A model that fails stays in the folder --keep, with the command that
runs it again.
"""
import argparse
import collections
import json
import multiprocessing
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch

from compare import LIMIT, relative
from random_models import draw_array, draw_sizes, write_model
from runtime_library import Runtime, Session
from torch_model import TorchModel
from vae_library import Library, run_in_two_threads

LEVELS = [0, 2, 2, 3]


def expected_entries(model):
    """Entry points that a model makes possible."""
    gaussian = model["latent"]["kind"] == "gaussian"
    encodes, decodes = "encoder" in model, "decoder" in model
    entries = {"encode": encodes, "encode_sample": encodes and gaussian, "decode": decodes,
               "reconstruct": encodes and decodes, "reconstruct_sample": encodes and decodes and gaussian,
               "sample": decodes and gaussian, "score": encodes and decodes and "likelihood" in model}
    return {name for name, there in entries.items() if there}


def run_torch(model, entry, arrays, roles):
    """What PyTorch gives for an entry point, by name."""
    by_role = {role: arrays[name] for name, role in roles.items() if role != "condition"}
    conditions = {name: arrays[name] for name, role in roles.items() if role == "condition"}
    x, z, noise = by_role.get("input"), by_role.get("latent"), by_role.get("noise")
    with torch.no_grad():
        if entry in ("encode", "encode_sample"):
            heads = model.encode(x, conditions)
            values = dict(zip(["z"] if len(heads) == 1 else ["mu", "logvar"], heads))
            if noise is not None:
                values["z"] = heads[0] + torch.exp(heads[1] / 2) * model.to_tensor(noise)
        elif entry == "decode":
            values = dict(zip(["y", "y_logvar"], model.decode(z, conditions)))
        elif entry in ("reconstruct", "reconstruct_sample"):
            values = {"y": model.reconstruct(x, noise, conditions)}
        elif entry == "sample":
            values = {"y": model.sample(noise, conditions)}
        else:
            values = model.score(x, noise, conditions)
    return {name: value.numpy() for name, value in values.items()}


class Failure(Exception):
    pass


def check_entry(library, sessions, models, entry, batch, numpy):
    """The largest error of an entry point's results, relative to its limit."""
    roles = library.inputs(entry)
    symbols = [batch] + list(draw_sizes(models[0].json, numpy).values())
    bernoulli = models[0].json.get("likelihood", {}).get("kind") == "bernoulli"
    table = library.entries[entry]
    arrays = {name: draw_array(library.shape(tensor, symbols), numpy, bernoulli and role == "input")
              for (name, role), tensor in zip(roles.items(), table.inputs[:table.num_inputs])}
    found = library.run(entry, **arrays)
    shapes = [library.shape(tensor, symbols) for tensor in table.outputs[:table.num_outputs]]
    others = [session.run(entry, symbols, list(arrays.values()), shapes) for session in sessions]
    single, double = (run_torch(model, entry, arrays, roles) for model in models)
    if found.keys() != double.keys():
        raise Failure(f"{entry}: outputs {sorted(found)}, expected {sorted(double)}")
    worst = []
    for name, value in found.items():
        what = f"{entry}, {name}, batch {batch}"
        if value.shape != double[name].shape:
            raise Failure(f"{what}: shape {value.shape}, expected {double[name].shape}")
        for threads, other in enumerate(others, 1):
            if value.tobytes() != other[len(worst)].tobytes():
                raise Failure(f"{what}: the runtime with {threads} threads gives other bits")
        fits = np.abs(double[name]) <= np.finfo(np.float32).max  # others are infinite in f32
        error, own = (relative(x[fits], double[name][fits]) for x in (value, single[name]))
        limit = max(LIMIT, 10 * own)
        worst.append(error / limit)
        if not error <= limit:
            raise Failure(f"{what}: error {error:.2e}, limit {limit:.2e}")
    return max(worst)


def check_model(options, seed, folder):
    """The largest error relative to its limit. Failure: what is wrong."""
    write_model(seed, folder)
    numpy = np.random.default_rng([seed, 2])
    level, output = int(numpy.choice(LEVELS)), folder / "model.so"
    command = [options.vaec, folder / "model.json", "-o", output, f"-O{level}", *options.flag]
    compiled = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if compiled.returncode:
        raise Failure(f"vaec -O{level}: exit code {compiled.returncode}\n{compiled.stderr}")
    library = Library(output, run_in_two_threads)
    models = [TorchModel(folder / "model.json", dtype) for dtype in (torch.float32, torch.float64)]
    if set(library.entries) != expected_entries(models[0].json):
        raise Failure(f"entries {sorted(library.entries)}, expected {sorted(expected_entries(models[0].json))}")
    runtime = Runtime(options.runtime)
    sessions = [Session(runtime, output, threads) for threads in (1, 2)]
    try:
        return max(check_entry(library, sessions, models, entry, int(numpy.integers(1, 8)), numpy)
                   for entry in library.entries)
    except (Failure, AssertionError) as failure:
        raise Failure(f"-O{level}: {failure}") from None
    finally:
        for session in sessions:
            session.close()


def check_seed(arguments):
    """(seed, worst error, what is wrong, types and keys of the layers)."""
    options, seed = arguments
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="vaec-random-") as name:
        folder = pathlib.Path(name)
        worst, wrong, used = 0, "", []
        try:
            worst = check_model(options, seed, folder)
        except Exception as error:  # also an unsound harness is a failure, of this model
            wrong = str(error) or repr(error)
            shutil.copytree(folder, options.keep / str(seed), dirs_exist_ok=True)
        if (folder / "model.json").exists():
            used = list(list_features(json.loads((folder / "model.json").read_text())))
        return seed, worst, wrong, used


# Coverage


def list_features(model):
    """Everything of the format that a model uses: types, keys of types,
    activations."""
    for section in ("encoder", "decoder"):
        for layer in model.get(section, {}).get("layers", []):
            yield layer["type"]
            yield from (f"{layer['type']}.{key}" for key in layer)
            if "activation" in layer:
                given = layer["activation"]
                yield f"activation {given if isinstance(given, str) else given['type']}"


# Values of five axes are not drawn: import.diffusers compares these layers with
# PyTorch, e2e.compare-layers with the reference.
ON_VIDEOS = "conv3d frames_to_batch batch_to_frames channels_to_frames frames_to_channels slice".split()


def list_format(path):
    """The same of the whole format: compiler/import/native/Format.def."""
    text = re.sub(r'"\s*\n\s*"', "", path.read_text())
    for kind, row in re.findall(r'^VAE_(LAYER|ACTIVATION)\(([^)]*)\)', text, re.MULTILINE):
        strings = re.findall(r'"([^"]*)"', row)
        if strings[0] in ON_VIDEOS:
            continue
        yield strings[0]
        yield from (f"{strings[0]}.{key}" for key in strings[1].split())
        if kind == "ACTIVATION":
            yield f"activation {strings[0]}"


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vaec", required=True, type=pathlib.Path)
    parser.add_argument("--runtime", required=True, type=pathlib.Path)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("random-models-failed"))
    parser.add_argument("--flag", action="append", default=[], help="a further option for vaec")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.count)
    features, failed, largest = collections.Counter(), [], 0
    print(f"seeds {seeds.start} to {seeds.stop - 1}", flush=True)
    with multiprocessing.get_context("forkserver").Pool(options.jobs) as pool:
        for seed, worst, wrong, used in pool.imap_unordered(check_seed, [(options, seed) for seed in seeds]):
            features.update(set(used))
            largest = max(largest, worst)
            if wrong:
                failed.append(seed)
                print(f"FAIL seed {seed}: {wrong}\n  {options.keep / str(seed)}; again: {sys.argv[0]} "
                      f"--vaec {options.vaec} --runtime {options.runtime} --first {seed} --count 1", flush=True)
    print(f"{len(seeds) - len(failed)} of {len(seeds)} models passed, largest error {largest:.2f} of its limit")
    if options.count >= 200:
        absent = [name for name in list_format(root / "compiler/import/native/Format.def") if not features[name]]
        if absent:
            print("no model had", ", ".join(absent))
            failed += absent
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
