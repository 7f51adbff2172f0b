#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares runs in parts of images with runs of the whole, bit for bit.

    compare_parts.py --vaec VAEC --runtime LIBRARY [--first N] [--count N] [--tiny]

Each model is a function of its seed: an encoder or a decoder of layers that depend
on few pixels around each, in all their geometries. It must be one that can run in
parts; each entry point runs at several sizes and limits of memory, with one and two
threads. --tiny: small AutoencoderTiny folders as diffusers saves them.
"""
import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import numpy as np

from runtime_library import Runtime, Session
from vae_library import I64, Library

LIMITS = 4  # between the least that is possible and the whole


class Writer:
    """One model. Sizes are [channels, (a, b), (a, b)]: a * unit + b rows, columns."""

    def __init__(self, seed):
        self.random, self.numpy = random.Random(seed), np.random.default_rng(seed)
        self.layers, self.number = [], 0

    def draw(self, choices):
        return self.random.choice(choices)

    def numbers(self, *shape, deviation=1.0):
        return (self.numpy.standard_normal(shape) * deviation).astype(np.float32).tolist()

    def add(self, kind, shape, inputs=None, weights=None, **keys):
        layer = {"name": f"{kind}{self.number}", "type": kind, **keys}
        self.number += 1
        if inputs:
            layer["inputs"] = inputs
        if weights:
            layer["weights"] = weights
        if self.random.random() < 0.3:
            layer["activation"] = self.draw(["relu", "silu", "tanh", "gelu", "leaky_relu"])
        self.layers.append(layer)
        self.shape, self.name = shape, layer["name"]

    def pair(self, choices):
        return [self.draw(choices), self.draw(choices)]

    def window(self, kernel, stride, dilation, padding):
        """The size of a window's result, or None if it is no linear function."""
        sides = []
        for axis in (0, 1):
            a, b = self.shape[1 + axis]
            extent = dilation[axis] * (kernel[axis] - 1) + 1
            pad = padding[axis] + padding[axis + 2]
            if a % stride[axis]:
                return None
            sides.append((a // stride[axis], (b + pad - extent) // stride[axis] + 1))
        return sides

    def conv2d(self):
        kernel, dilation = self.pair([1, 2, 3, 3, 4, 5]), self.pair([1, 1, 1, 2, 3])
        stride = self.pair([1, 1, 2, 3]) if self.random.random() < 0.4 else [1, 1]
        padding = [self.random.randint(0, kernel[i % 2]) for i in range(4)]
        if self.random.random() < 0.4:
            padding = [(dilation[i % 2] * (kernel[i % 2] - 1)) // 2 for i in range(4)]
        sides = self.window(kernel, stride, dilation, padding)
        if sides is None:
            return
        channels = self.shape[0]
        depthwise = self.random.random() < 0.15
        filters = channels if depthwise else self.draw([1, 2, 3, 5, 8, 17, 20])
        weights = {"kernel": self.numbers(filters, 1 if depthwise else channels, *kernel,
                                          deviation=(kernel[0] * kernel[1]) ** -0.5)}
        weights["bias"] = self.numbers(filters) if self.random.random() < 0.7 else [0.0] * filters
        self.add("conv2d", [filters, *sides], weights=weights, filters=filters, kernel_size=kernel, stride=stride,
                 dilation=dilation, padding=padding, groups=channels if depthwise else 1)

    def conv_transpose2d(self):
        kernel, stride, dilation = self.pair([1, 2, 3, 4, 5]), self.pair([1, 2, 2, 3]), self.pair([1, 1, 1, 2])
        extra = [self.random.randint(0, s - 1) for s in stride]
        padding = [self.random.randint(0, dilation[i % 2] * (kernel[i % 2] - 1) + 1) for i in range(4)]
        sides = [(a * s, (b - 1) * s + d * (k - 1) + 1 + e - padding[i] - padding[i + 2])
                 for i, ((a, b), s, d, k, e) in enumerate(zip(self.shape[1:], stride, dilation, kernel, extra))]
        channels, filters = self.shape[0], self.draw([1, 3, 8, 16])
        self.add("conv_transpose2d", [filters, *sides], weights={
            "kernel": self.numbers(channels, filters, *kernel, deviation=0.5), "bias": self.numbers(filters)},
            filters=filters, kernel_size=kernel, stride=stride, dilation=dilation, padding=padding, output_padding=extra)

    def upsample(self):
        scale = self.pair([1, 2, 2, 3, 5])
        self.add("upsample", [self.shape[0], *((a * s, b * s) for (a, b), s in zip(self.shape[1:], scale))],
                 scale=scale, mode=self.draw(["nearest", "bilinear"]))

    def pool(self):
        kernel, stride = self.pair([1, 2, 3]), self.pair([1, 2, 3])
        padding = [self.random.randint(0, kernel[i % 2] - 1) for i in range(4)]
        sides = self.window(kernel, stride, [1, 1], padding)
        if sides is None:
            return
        kind = self.draw(["max_pool2d", "avg_pool2d"])
        keys = {"count_include_pad": self.draw([True, False])} if kind == "avg_pool2d" else {}
        self.add(kind, [self.shape[0], *sides], kernel_size=kernel, stride=stride, padding=padding, **keys)

    def border(self):
        border = [self.random.randint(0, 3) for _ in range(4)]
        sign = self.draw([1, -1])
        sides = [(a, b + sign * (border[i] + border[i + 2])) for i, (a, b) in enumerate(self.shape[1:])]
        if sign > 0:
            self.add("pad", [self.shape[0], *sides], padding=border, value=self.draw([0, 0, 0.5]))
        else:
            self.add("crop", [self.shape[0], *sides], border=border)

    def shuffle(self):
        factor = self.draw([2, 3])
        channels, *sides = self.shape
        if channels % factor ** 2 == 0:
            self.add("pixel_shuffle", [channels // factor ** 2, *((a * factor, b * factor) for a, b in sides)],
                     factor=factor)
        elif all(a % factor == 0 and b % factor == 0 for a, b in sides):
            self.add("pixel_unshuffle", [channels * factor ** 2, *((a // factor, b // factor) for a, b in sides)],
                     factor=factor)

    def norm(self):
        channels = self.shape[0]
        vector = lambda: self.numbers(channels)
        if self.random.random() < 0.5:
            self.add("rms_norm", self.shape, weights={"weight": vector(), "bias": vector()})
        else:
            self.add("batch_norm", self.shape, weights={
                "weight": vector(), "bias": vector(), "running_mean": vector(),
                "running_var": [abs(x) + 0.1 for x in vector()]})

    def residual(self):
        """A block that adds its input, or puts it beside."""
        channels, first = self.shape[0], self.name
        for _ in range(self.draw([1, 2])):
            k = self.draw([1, 3, 5])
            self.add("conv2d", self.shape, weights={
                "kernel": self.numbers(channels, channels, k, k, deviation=0.3 / k), "bias": self.numbers(channels)},
                filters=channels, kernel_size=k, padding=k // 2)
        if self.random.random() < 0.7:
            self.add(self.draw(["add", "add", "mul"]), self.shape, inputs=[self.name, first])
        else:
            self.add("concat", [2 * channels, *self.shape[1:]], inputs=[first, self.name])

    def chain(self, name, shape, count):
        """Layers from `name` on; the last one has 3 channels."""
        self.layers, self.name, self.shape = [], name, shape
        kinds = [self.conv2d, self.conv2d, self.conv_transpose2d, self.upsample, self.pool, self.border, self.shuffle,
                 self.norm, self.residual]
        while len(self.layers) < count:
            before, self.number = (self.shape, self.name, len(self.layers)), self.number
            self.draw(kinds)()
            if any(a > 60 for a, _ in self.shape[1:]) or self.shape[0] > 64:  # grows too large
                self.shape, self.name = before[:2]
                del self.layers[before[2]:]
        channels, filters = self.shape[0], self.draw([1, 3, 4])
        self.add("conv2d", [filters, *self.shape[1:]], weights={
            "kernel": self.numbers(filters, channels, 3, 3, deviation=0.3), "bias": self.numbers(filters)},
            filters=filters, kernel_size=3, padding=1)
        return self.layers

    def write(self, path):
        units = [self.draw([4, 6, 12]), self.draw([4, 6, 12])]
        side = lambda i: (units[i], 0)
        channels = self.draw([1, 3, 4])
        dims = {name: {"multiple": units[i], "min": units[i] * self.draw([3, 4, 6])}
                for i, name in enumerate(["height", "width"])}
        layout = self.draw(["NCHW", "NHWC"])
        shape = [channels, "height", "width"] if layout == "NCHW" else ["height", "width", channels]
        model = {"format_version": 1, "name": "parts", "dynamic": dims}
        data = [channels, side(0), side(1)]
        if self.random.random() < 0.6:
            model["latent"] = {"kind": "code", "shape": shape, "layout": layout}
            model["decoder"] = {"layers": self.chain("z", data, self.draw([2, 4, 7]))}
        else:
            model["inputs"] = [{"name": "x", "shape": shape, "layout": layout}]
            model["encoder"] = {"layers": self.chain("x", data, self.draw([2, 4, 6]))}
            model["latent"] = {"kind": "code", "code": self.name}
        path.write_text(json.dumps(model))


ALGORITHMS = ["direct", "winograd2", "winograd4", "winograd6"]  # of convolutions
PRECISIONS = ["f32", "mixed"]
STORAGES = ["f32", "f16", "f32"]


def compile_model(vaec, source, output, seed):
    algorithm = ALGORITHMS[seed % len(ALGORITHMS)]
    done = subprocess.run([vaec, str(source), "-o", str(output), f"-O{seed // 4 % 4}", f"--algorithm={algorithm}",
                           f"--precision={PRECISIONS[seed // 4 % len(PRECISIONS)]}",
                           f"--storage={STORAGES[seed % len(STORAGES)]}"],
                          capture_output=True, text=True, check=False)
    return done.stderr


def draw_symbols(library, numpy, largest):
    symbols = [int(numpy.integers(1, 4))]
    for symbol in library.model.symbols[1:library.model.num_symbols]:
        least = -(-symbol.minimum // symbol.multiple)
        most = max(least, largest // symbol.multiple)
        symbols.append(int(numpy.integers(least, most + 1)) * symbol.multiple)
    return symbols


def get_least(runtime, path, threads, entry, symbols, inputs, shapes):
    """The least limit, from the refusal of one byte."""
    session = Session(runtime, path, threads, max_memory=1)
    try:
        session.run(entry, symbols, inputs, shapes)
    except AssertionError as error:
        found = re.search(r"expected at least (\d+) bytes .*in the smallest parts", str(error))
        assert found, f"{entry}: {error}"
        return int(found[1])
    finally:
        session.close()
    raise AssertionError(f"{entry} ran in one byte")


def compare_entry(runtime, path, library, entry, symbols, numpy):
    table = library.entries[entry]
    inputs = [numpy.standard_normal(library.shape(table.inputs[i], symbols)).astype(np.float32)
              for i in range(table.num_inputs)]
    shapes = [library.shape(table.outputs[i], symbols) for i in range(table.num_outputs)]
    whole = Session(runtime, path, 2)
    expected = whole.run(entry, symbols, inputs, shapes)
    whole.close()
    assert all(np.isfinite(x).all() for x in expected), f"{entry}: not finite"
    least = {threads: get_least(runtime, path, threads, entry, symbols, inputs, shapes) for threads in (1, 2)}
    most = 4 * sum(x.size for x in expected) + table.arena_size((I64 * len(symbols))(*symbols))
    for i in range(LIMITS):
        for threads in (1, 2):
            limit = least[threads] + max(0, most - least[1]) * i * i // LIMITS ** 2
            session = Session(runtime, path, threads, max_memory=limit)
            found = session.run(entry, symbols, inputs, shapes)
            session.close()
            for a, b in zip(expected, found):
                bad = np.flatnonzero(a.view(np.uint32) != b.view(np.uint32))
                assert bad.size == 0, (f"{entry} at {symbols}, {limit} bytes, {threads} threads: {bad.size} of {a.size} "
                                       f"numbers differ, the first at {np.unravel_index(bad[0], a.shape)}")


def compare_library(runtime, path, seed, largest, rounds):
    library = Library(path)
    numpy = np.random.default_rng(seed)
    for entry in library.entries:
        if entry == "score":
            continue
        for _ in range(rounds):
            compare_entry(runtime, path, library, entry, draw_symbols(library, numpy, largest), numpy)


def compare_seed(arguments, seed):
    """Whether the model could be compiled; not all geometries fit together."""
    runtime = Runtime(arguments.runtime)
    with tempfile.TemporaryDirectory() as folder:
        source, output = pathlib.Path(folder, "model.json"), pathlib.Path(folder, "model.so")
        Writer(seed).write(source)
        error = compile_model(arguments.vaec, source, output, seed)
        if error:
            assert "internal" not in error and "error:" in error, error
            return False
        try:
            compare_library(runtime, output, seed, 90, 2)
        except AssertionError as failure:
            kept = pathlib.Path(tempfile.gettempdir(), f"compare-parts-{seed}.json")
            kept.write_text(source.read_text())
            raise AssertionError(f"seed {seed} ({kept}): {failure}") from failure
    return True


# Configurations of AutoencoderTiny.
TINY = dict(encoder_block_out_channels=(8, 8), decoder_block_out_channels=(8, 8), num_encoder_blocks=(1, 2),
            num_decoder_blocks=(2, 1))
TINIES = [TINY, {**TINY, "upsample_fn": "bilinear", "act_fn": "gelu"},
          dict(encoder_block_out_channels=(12,) * 3, decoder_block_out_channels=(12,) * 3,
               num_encoder_blocks=(1, 1, 1), num_decoder_blocks=(1, 1, 1), latent_channels=3)]


def compare_tiny(arguments):
    import diffusers
    import torch

    runtime = Runtime(arguments.runtime)
    for seed, config in enumerate(TINIES):
        with tempfile.TemporaryDirectory() as folder:
            torch.manual_seed(seed)
            diffusers.AutoencoderTiny(**config).save_pretrained(folder + "/model")
            output = pathlib.Path(folder, "model.so")
            error = compile_model(arguments.vaec, folder + "/model", output, seed)
            assert not error, error
            compare_library(runtime, output, seed, 130, 2)
    print(f"{len(TINIES)} models compared")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vaec", required=True)
    parser.add_argument("--runtime", required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args()
    if arguments.tiny:
        compare_tiny(arguments)
        return 0
    compiled = 0
    for seed in range(arguments.first, arguments.first + arguments.count):
        compiled += compare_seed(arguments, seed)
    print(f"{compiled} of {arguments.count} models compared")
    return 0 if compiled * 4 >= arguments.count else 1


if __name__ == "__main__":
    sys.exit(main())
