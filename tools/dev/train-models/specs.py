# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The bundled models: what model.json holds, and how each is trained."""
from dataclasses import dataclass


@dataclass
class Training:
    """Adam; the learning rate falls to zero along half a cosine."""

    epochs: int
    rate: float
    batch: int = 100
    augment: float = 0.5  # how much the digits are moved and turned
    warmup: int = 0  # epochs over which the weight of the KL term rises to 1


def dense(name, units, **more):
    return {"name": name, "type": "dense", "units": units, **more}


def hidden(name, units):
    return dense(name, units, activation="relu")


def heads(latent, source):
    """mu and logvar, two layers that read the same one."""
    return [dense(name, latent, inputs=[source]) for name in ("mu", "logvar")]


def conv(kind, name, filters, kernel, **more):
    """A convolution that halves (or doubles) height and width."""
    return {"name": name, "type": kind, "filters": filters, "kernel_size": kernel,
            "stride": 2, "padding": 1, **more}


def block(kind, name, filters, kernel):
    """Convolution without bias, batch norm, ReLU."""
    norm = {"name": name + "_norm", "type": "batch_norm", "activation": "relu"}
    return [conv(kind, name, filters, kernel, bias=False), norm]


def model(name, description, encoder, decoder, parameterization):
    return {
        "$schema": "../../../docs/model.schema.json",
        "format_version": 1,
        "name": name,
        "description": description,
        "weights": "weights.safetensors",
        "inputs": [{"name": "x", "shape": [1, 28, 28], "range": [0, 1]}],
        "encoder": {"layers": encoder},
        "latent": {"kind": "gaussian", "mu": "mu", "logvar": "logvar"},
        "decoder": {"layers": decoder},
        "likelihood": {"kind": "bernoulli", "parameterization": parameterization},
        "prior": {"kind": "standard_normal"},
    }


FLATTEN = {"name": "pixels", "type": "flatten"}
IMAGE = {"name": "image", "type": "reshape", "shape": [1, 28, 28]}

MLP_2D = model(
    "mnist-mlp-2d",
    "Handwritten digits in a plane: dense layers, two latent numbers",
    [FLATTEN, hidden("enc1", 128), hidden("enc2", 64), hidden("enc3", 32), *heads(2, "enc3")],
    [hidden("dec1", 256), hidden("dec2", 128), hidden("dec3", 64),
     dense("dec4", 784, activation="sigmoid"), IMAGE],
    "probabilities",
)

MLP = model(
    "mnist-mlp",
    "Handwritten digits: the dense autoencoder of Kingma and Welling's paper, as in PyTorch's examples",
    [FLATTEN, hidden("fc1", 400), *heads(20, "fc1")],
    [hidden("fc3", 400), dense("fc4", 784), IMAGE],
    "logits",
)

CONV = model(
    "mnist-conv",
    "Handwritten digits: strided and transposed convolutions with batch norm",
    [*block("conv2d", "conv1", 16, 4), *block("conv2d", "conv2", 32, 4),
     *block("conv2d", "conv3", 64, 3), {"name": "features", "type": "flatten"},
     *heads(20, "features")],
    [hidden("fc", 1024), {"name": "map", "type": "reshape", "shape": [64, 4, 4]},
     *block("conv_transpose2d", "up1", 32, 3), *block("conv_transpose2d", "up2", 16, 4),
     conv("conv_transpose2d", "up3", 1, 4)],
    "logits",
)

MODELS = {
    "mnist-mlp-2d": (MLP_2D, Training(epochs=500, rate=2e-3, warmup=20)),
    "mnist-mlp": (MLP, Training(epochs=300, rate=1e-3)),
    "mnist-conv": (CONV, Training(epochs=200, rate=2e-3)),
}
