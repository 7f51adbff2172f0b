# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the benchmark's workloads W1 to W3 in the native model format.

    workloads.py W1 DATA > W1.json

DATA is the harness's data folder; the weights stay there, under PyTorch's names
(README.md of the harness). Standard library only.
"""

import json
import sys
from pathlib import Path


def dense(name, units, activation=None, inputs=None, tensors=None):
    layer = {"name": name, "type": "dense", "units": units}
    if inputs:
        layer["inputs"] = [inputs]
    if activation:
        layer["activation"] = activation
    if tensors:
        layer["weights"] = {"kernel": f"{tensors}.weight", "bias": f"{tensors}.bias"}
    return layer


def mlp(prefix, widths, last):
    """Dense layers; layer i of a torch Sequential with activations between is number 2i."""
    return [
        dense(f"{prefix}{i}", width, "relu" if i + 1 < len(widths) else last, tensors=f"{prefix}.{2 * i}")
        for i, width in enumerate(widths)
    ]


def heads(latent, after):
    return [dense("mu", latent, inputs=after), dense("logvar", latent, inputs=after)]


def dense_model(name, encoder, latent, decoder):
    layers = mlp("enc", encoder, "relu")
    return {
        "name": name,
        "inputs": [{"name": "x", "shape": [784], "range": [0, 1]}],
        "encoder": {"layers": layers + heads(latent, layers[-1]["name"])},
        "decoder": {"layers": mlp("dec", decoder, "sigmoid")},
    }


def conv(kind, prefix, i, filters, kernel, activation):
    return {
        "name": f"{prefix}{i}",
        "type": kind,
        "filters": filters,
        "kernel_size": kernel,
        "stride": 2,
        "activation": activation,
        "weights": {"kernel": f"{prefix}.{2 * i}.weight", "bias": f"{prefix}.{2 * i}.bias"},
    }


def conv_model(name):
    encoder = [conv("conv2d", "enc", i, filters, 4, "relu") for i, filters in enumerate([32, 64, 128, 256])]
    encoder.append({"name": "flat", "type": "flatten"})
    shapes = [(128, 5, "relu"), (64, 5, "relu"), (32, 6, "relu"), (3, 6, "sigmoid")]
    decoder = [dense("fc", 1024), {"name": "grid", "type": "reshape", "shape": [1024, 1, 1]}]
    decoder += [conv("conv_transpose2d", "dec", i, *shape) for i, shape in enumerate(shapes)]
    return {
        "name": name,
        "inputs": [{"name": "x", "shape": [3, 64, 64], "range": [0, 1]}],
        "encoder": {"layers": encoder + heads(32, "flat")},
        "decoder": {"layers": decoder},
    }


CODER = {
    "latent": {"kind": "gaussian", "mu": "mu", "logvar": "logvar"},
    "likelihood": {"kind": "bernoulli", "parameterization": "probabilities"},
}

WORKLOADS = {
    "W1": lambda: {**CODER, **dense_model("mlp-seed", [128, 64, 32], 2, [256, 128, 64, 784])},
    "W2": lambda: {**CODER, **dense_model("mlp-classic", [400], 20, [400, 784])},
    "W3": lambda: {**CODER, **conv_model("conv-worldmodels")},
}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in WORKLOADS:
        sys.exit(f"usage: workloads.py {{{'|'.join(WORKLOADS)}}} DATA")
    name, data = sys.argv[1], Path(sys.argv[2]).resolve()
    model = {
        "format_version": 1,
        **WORKLOADS[name](),
        "weights": str(data / name / "weights.safetensors"),
    }
    json.dump(model, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
