# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A PyTorch module built from a model's description, to be trained. Its
parameters have the names that the native format looks for by convention. Knows
the layer types of the bundled models and no others."""
import torch
from torch import nn
from torch.nn import functional as F


def make_layer(layer, shape):
    """The module of `layer` for inputs of `shape` (without the batch)."""
    kind = layer["type"]
    bias = layer.get("bias", True)
    if kind == "dense":
        return nn.Linear(shape[0], layer["units"], bias)
    if kind == "batch_norm":
        return nn.BatchNorm2d(shape[0])
    if kind == "flatten":
        return nn.Flatten()
    if kind == "reshape":
        return nn.Unflatten(1, layer["shape"])
    convolution = {"conv2d": nn.Conv2d, "conv_transpose2d": nn.ConvTranspose2d}[kind]
    return convolution(shape[0], layer["filters"], layer["kernel_size"], layer["stride"],
                       layer["padding"], bias=bias)


class Section(nn.Module):
    """Encoder or decoder: returns the outputs named `outputs`."""

    ACTIVATIONS = {None: lambda x: x, "relu": torch.relu, "sigmoid": torch.sigmoid}

    def __init__(self, layers, shape, outputs):
        super().__init__()
        self.layers = layers
        self.outputs = outputs
        values = {None: torch.zeros(2, *shape)}
        previous = None
        for layer in layers:
            source = layer.get("inputs", [previous])[0]
            previous = layer["name"]
            self.add_module(previous, make_layer(layer, values[source].shape[1:]))
            with torch.no_grad():
                values[previous] = self.apply_layer(layer, values[source])
        self.shapes = [tuple(values[name].shape[1:]) for name in outputs]
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()

    def apply_layer(self, layer, x):
        return self.ACTIVATIONS[layer.get("activation")](getattr(self, layer["name"])(x))

    def forward(self, x):
        values = {None: x}
        previous = None
        for layer in self.layers:
            source = layer.get("inputs", [previous])[0]
            previous = layer["name"]
            values[previous] = self.apply_layer(layer, values[source])
        return [values[name] for name in self.outputs]


class Network(nn.Module):
    def __init__(self, model):
        super().__init__()
        latent = model["latent"]
        layers = model["decoder"]["layers"]
        self.encoder = Section(model["encoder"]["layers"], model["inputs"][0]["shape"],
                               [latent["mu"], latent["logvar"]])
        self.latent_shape = self.encoder.shapes[0]
        self.decoder = Section(layers, self.latent_shape, [layers[-1]["name"]])
        self.logits = model["likelihood"]["parameterization"] == "logits"

    def mean(self, z):
        """The mean of p(x|z)."""
        (y,) = self.decoder(z)
        return torch.sigmoid(y) if self.logits else y

    def cross_entropy(self, z, x):
        """-log p(x|z), nats, one number per example."""
        (y,) = self.decoder(z)
        loss = F.binary_cross_entropy_with_logits if self.logits else F.binary_cross_entropy
        return loss(y, x, reduction="none").flatten(1).sum(1)

    def terms(self, x, noise):
        """(-log p(x|z), KL(q(z|x) || p(z))), nats, one number per example."""
        mu, logvar = self.encoder(x)
        kl = 0.5 * (mu.square() + logvar.exp() - logvar - 1).flatten(1).sum(1)
        return self.cross_entropy(mu + (logvar / 2).exp() * noise, x), kl

    def tensors(self):
        """What weights.safetensors holds: name -> f32 tensor."""
        state = {**self.encoder.state_dict(), **self.decoder.state_dict()}
        return {name: tensor.float().contiguous() for name, tensor in state.items()
                if not name.endswith("num_batches_tracked")}

    def count(self):
        """Number of trained parameters."""
        return sum(parameter.numel() for parameter in self.parameters())
