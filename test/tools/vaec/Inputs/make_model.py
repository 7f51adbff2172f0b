# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes m.json and w.safetensors of a model with seeded weights into a folder.

    python3 make_model.py KIND FOLDER

Kinds: `mlp` (784-400-20-400-784), `conv` (64x64x3, four convolutions, four
transposed ones), `filters` (8x8, three convolutions, of which two are equal),
`tiny` (2-1-2), `big` (100 MB of weights), `small` (the layers
of `big`, 38 kB). Needs only Python's standard library.
"""
import json
import os
import random
import struct
import sys
from array import array


class Weights:
    """Tensors of a safetensors file, in the order in which they are added."""

    def __init__(self):
        self.header, self.blocks, self.size = {}, [], 0
        self.random = random.Random(1)

    def add(self, name, *shape):
        count = 1
        for dim in shape:
            count *= dim
        block = array("f", (self.random.gauss(0, 0.05) for _ in range(min(count, 65536))))
        data = (block.tobytes() * (count // len(block) + 1))[: 4 * count]
        self.header[name] = {
            "dtype": "F32",
            "shape": list(shape),
            "data_offsets": [self.size, self.size + len(data)],
        }
        self.blocks.append(data)
        self.size += len(data)

    def write(self, path):
        header = json.dumps(self.header).encode()
        header += b" " * (-len(header) % 8)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            for block in self.blocks:
                file.write(block)


def dense(weights, name, width, units, **keys):
    weights.add(name + ".weight", units, width)
    weights.add(name + ".bias", units)
    return {"name": name, "type": "dense", "units": units, **keys}


def model(shape, encoder, decoder):
    return {
        "inputs": [{"name": "x", "shape": shape, "range": [0, 1]}],
        "encoder": {"layers": encoder},
        "latent": {"kind": "gaussian", "mu": "mu", "logvar": "logvar"},
        "decoder": {"layers": decoder},
        "likelihood": {"kind": "bernoulli", "parameterization": "logits"},
    }


def make_mlp(weights, data, hidden, latent):
    encoder = [
        dense(weights, "enc", data, hidden, activation="relu"),
        dense(weights, "mu", hidden, latent, inputs=["enc"]),
        dense(weights, "logvar", hidden, latent, inputs=["enc"]),
    ]
    decoder = [
        dense(weights, "dec", latent, hidden, activation="relu"),
        dense(weights, "out", hidden, data),
    ]
    return model([data], encoder, decoder)


def make_conv(weights):
    encoder, decoder = [], []

    def conv(layers, kind, name, inputs, filters, kernel, **keys):
        shape = (filters, inputs) if kind == "conv2d" else (inputs, filters)
        weights.add(name + ".weight", *shape, kernel, kernel)
        weights.add(name + ".bias", filters)
        layers.append({"name": name, "type": kind, "filters": filters, "kernel_size": kernel, "stride": 2, **keys})

    channels = [3, 32, 64, 128, 256]
    for i in range(4):
        conv(encoder, "conv2d", f"c{i}", channels[i], channels[i + 1], 4, activation="relu")
    encoder.append({"name": "flat", "type": "flatten"})
    for head in ("mu", "logvar"):
        encoder.append(dense(weights, head, 1024, 32, inputs=["flat"]))
    decoder.append(dense(weights, "fc", 32, 1024))
    decoder.append({"name": "image", "type": "reshape", "shape": [1024, 1, 1]})
    channels = [1024, 128, 64, 32, 3]
    for i, kernel in enumerate((5, 5, 6, 6)):
        last = {} if i == 3 else {"activation": "relu"}
        conv(decoder, "conv_transpose2d", f"t{i}", channels[i], channels[i + 1], kernel, **last)
    return model([3, 64, 64], encoder, decoder)


def make_filters(weights):
    decoder = [
        dense(weights, "fc", 4, 1024),
        {"name": "image", "type": "reshape", "shape": [16, 8, 8]},
    ]
    for name, filters in (("a", 16), ("b", 16), ("c", 32)):
        weights.add(name + ".weight", filters, 16, 3, 3)
        weights.add(name + ".bias", filters)
        decoder.append({"name": name, "type": "conv2d", "filters": filters, "kernel_size": 3, "padding": 1})
    encoder = [
        {"name": "flat", "type": "flatten"},
        dense(weights, "mu", 2048, 4, inputs=["flat"]),
        dense(weights, "logvar", 2048, 4, inputs=["flat"]),
    ]
    return model([32, 8, 8], encoder, decoder)


KINDS = {
    "tiny": lambda weights: make_mlp(weights, 2, 3, 1),
    "mlp": lambda weights: make_mlp(weights, 784, 400, 20),
    "conv": make_conv,
    "filters": make_filters,
    "small": lambda weights: make_mlp(weights, 64, 48, 20),
    "big": lambda weights: make_mlp(weights, 4096, 3072, 20),
}


def main():
    kind, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    weights = Weights()
    text = KINDS[kind](weights)
    weights.write(os.path.join(folder, "w.safetensors"))
    with open(os.path.join(folder, "m.json"), "w") as file:
        json.dump({"format_version": 1, "name": kind, "weights": "w.safetensors", **text}, file, indent=1)


if __name__ == "__main__":
    main()
