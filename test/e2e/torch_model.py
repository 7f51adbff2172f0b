# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model in the native format, computed by PyTorch: what compiled models are
compared with. Reads the file on its own and shares no code with the compiler.

Data, latents and conditions are arrays in the layout that the model declares;
inside everything is NCHW.
"""
import json
import pathlib

import safetensors.torch
import torch
from torch.nn import functional as F

from torch_layers import LAYERS, activation

# role of a tensor -> the end of its name; docs/model-format.md
SUFFIXES = {"kernel": "weight", "codebook": "weight", "table": "weight"}
# From Keras's layout of a kernel to PyTorch's.
KERAS_ORDER = {
    "dense": (1, 0),
    "conv2d": (3, 2, 0, 1),
    "conv_transpose2d": (3, 2, 0, 1),
    "depthwise_conv2d": (2, 3, 0, 1),
}


def load_weights(folder, names):
    tensors = {}
    for name in [names] if isinstance(names, str) else names:
        path = folder / name
        files = [path]
        if name.endswith(".index.json"):
            files = sorted({path.parent / shard for shard in json.loads(path.read_text())["weight_map"].values()})
        for file in files:
            tensors.update(safetensors.torch.load_file(file))
    return tensors


def to_inside(x, layout):
    return x.permute(0, 3, 1, 2) if layout == "NHWC" and x.ndim == 4 else x


def to_outside(x, layout):
    return x.permute(0, 2, 3, 1) if layout == "NHWC" and x.ndim == 4 else x


class TorchModel:
    """A model.json with its weights, in `dtype` (f32 or f64: the same numbers,
    computed with more digits)."""

    def __init__(self, path, dtype=torch.float32):
        path = pathlib.Path(path)
        self.json = json.loads(path.read_text())
        self.dtype = dtype
        self.weights = load_weights(path.parent, self.json.get("weights", []))
        self.inputs = self.json.get("inputs", [])
        self.latent = self.json["latent"]
        self.likelihood = self.json.get("likelihood")

    # Layers

    def tensor(self, layer, role):
        """A layer's tensor in PyTorch's layout; None if the file says null."""
        given = layer.get("weights", {}).get(role, f"{layer['name']}.{SUFFIXES.get(role, role)}")
        if given is None:
            return None
        if isinstance(given, str):
            value = self.weights[given].to(self.dtype)
        elif isinstance(given, dict):
            value = torch.tensor(given["data"], dtype=torch.float32).to(self.dtype)
            value = value.reshape(given.get("shape", value.shape))
        else:
            value = torch.tensor(given, dtype=torch.float32).to(self.dtype)
        layout = layer.get("tensor_layout", self.json.get("tensor_layout", "pytorch"))
        if role == "kernel" and layout == "keras":
            value = value.permute(KERAS_ORDER[layer["type"]])
            if layer["type"] == "depthwise_conv2d":
                value = value.reshape(-1, 1, *value.shape[2:])
        if layer["type"] == "prelu" and layer.get("per") == "element" and layout == "keras" and value.ndim == 3:
            value = value.permute(2, 0, 1)
        return value

    def run_layer(self, layer, x):
        y = LAYERS[layer["type"]](x, layer, lambda role: self.tensor(layer, role))
        if "activation" not in layer:
            return y
        function = activation(layer["activation"])
        return tuple(map(function, y)) if isinstance(y, tuple) else function(y)

    def run_section(self, section, values):
        """All layers, each when its inputs are there. Adds their outputs to
        `values`, whose first entry is the default input of the first layer."""
        waiting = []
        previous = section.get("inputs", list(values))[0]
        for layer in section["layers"]:
            waiting.append((layer, layer.get("inputs", [previous])))
            previous = layer["name"]
        while waiting:
            ready = [entry for entry in waiting if all(name in values for name in entry[1])]
            assert ready, "the layers form a cycle"
            for layer, names in ready:
                y = self.run_layer(layer, [values[name] for name in names])
                if isinstance(y, tuple):
                    values.update({f"{layer['name']}:{i}": part for i, part in enumerate(y)})
                else:
                    values[layer["name"]] = y
            waiting = [entry for entry in waiting if entry not in ready]
        return values

    # Encoder and decoder

    def to_tensor(self, array):
        return torch.as_tensor(array).to(self.dtype)

    def conditions(self, values, conditions):
        layouts = {spec["name"]: spec.get("layout") for spec in self.inputs}
        for name, array in (conditions or {}).items():
            values[name] = to_inside(self.to_tensor(array), layouts[name])
        return values

    def split(self, value, how):
        if how == "halves":
            return value.chunk(2, 1)
        return value[:, 0::2], value[:, 1::2]

    def heads(self, x, conditions=None, trace=None):
        """(mu, logvar), or (z,) of a plain code; NCHW inside. `trace` receives
        the output of every layer."""
        data = self.inputs[0]
        values = {data["name"]: to_inside(self.to_tensor(x), data.get("layout"))}
        values = self.run_section(self.json["encoder"], self.conditions(values, conditions))
        if trace is not None:
            trace.update(values)
        latent = self.latent
        if latent["kind"] == "code":
            return (values[latent["code"]],)
        if "head" in latent:
            mu, logvar = self.split(values[latent["head"]], latent["split"])
        else:
            mu, logvar = values[latent["mu"]], values[latent["logvar"]]
        if "logvar_clamp" in latent:
            logvar = logvar.clamp(*latent["logvar_clamp"])
        return mu, logvar

    def outputs(self, z, conditions=None, trace=None):
        """(y,) or (y, logvar); NCHW inside. `trace` as above."""
        section = self.json["decoder"]
        values = self.run_section(section, self.conditions({"z": z}, conditions))
        if trace is not None:
            trace.update(values)
        y = values[section.get("output", section["layers"][-1]["name"])]
        if "output_logvar" in section:
            return y, values[section["output_logvar"]]
        if self.likelihood and "split" in self.likelihood:
            return tuple(self.split(y, self.likelihood["split"]))
        return (y,)

    def latent_inside(self, z):
        return to_inside(self.to_tensor(z), self.latent.get("layout"))

    def like_data(self, y):
        """An output in the data's shape, still NCHW inside."""
        if not self.inputs:
            return y
        data = self.inputs[0]
        if not all(isinstance(size, int) for size in data["shape"]):
            return y  # dynamic: the same shape
        if list(to_outside(y, data.get("layout")).shape[1:]) == data["shape"]:
            return y
        return to_inside(y.reshape(len(y), *data["shape"]), data.get("layout"))

    # Entry points; results in the declared layouts

    def encode(self, x, conditions=None):
        with torch.no_grad():
            return [to_outside(value, self.latent.get("layout")) for value in self.heads(x, conditions)]

    def decode(self, z, conditions=None):
        with torch.no_grad():
            layout = self.inputs[0].get("layout") if self.inputs else None
            return [to_outside(value, layout) for value in self.outputs(self.latent_inside(z), conditions)]

    def mean(self, z, conditions=None):
        y = self.like_data(self.outputs(z, conditions)[0])
        if self.likelihood and self.likelihood.get("parameterization") == "logits":
            y = torch.sigmoid(y)
        return to_outside(y, self.inputs[0].get("layout") if self.inputs else None)

    def reconstruct(self, x, noise=None, conditions=None):
        """The likelihood's mean, through mu or through a sampled z."""
        with torch.no_grad():
            heads = self.heads(x, conditions)
            z = heads[0] if noise is None else self.reparameterize(*heads, noise)
            return self.mean(z, conditions)

    def sample(self, noise, conditions=None):
        with torch.no_grad():
            z = self.latent_inside(noise)
            mean, std = self.prior(z)
            return self.mean(z * std + mean, conditions)

    def score(self, x, noise=None, conditions=None):
        """{"log_likelihood", "kl", "elbo"}, nats per example; a plain code has
        the first only."""
        with torch.no_grad():
            heads = self.heads(x, conditions)
            z = heads[0] if len(heads) == 1 else self.reparameterize(*heads, noise)
            target = to_inside(self.to_tensor(x), self.inputs[0].get("layout"))
            outputs = [self.like_data(value) for value in self.outputs(z, conditions)]
            result = {"log_likelihood": self.log_likelihood(target, *outputs).flatten(1).sum(1)}
            if len(heads) == 2:
                result["kl"] = self.kl(*heads)
                result["elbo"] = result["log_likelihood"] - result["kl"]
            return result

    # Probability

    def reparameterize(self, mu, logvar, noise):
        return mu + torch.exp(logvar / 2) * self.latent_inside(noise)

    def prior(self, like):
        """Mean and standard deviation, shaped to be used with `like`."""
        prior = self.json.get("prior", {})
        shape = [-1] + [1] * (like.ndim - 2)
        return [torch.tensor(prior.get(key, missing), dtype=torch.float32).to(self.dtype).reshape(shape)
                for key, missing in (("mean", 0.0), ("std", 1.0))]

    def kl(self, mu, logvar):
        mean, std = self.prior(mu)
        q = torch.distributions.Normal(mu, torch.exp(logvar / 2))
        p = torch.distributions.Normal(mean.expand_as(mu), std.expand_as(mu))
        return torch.distributions.kl_divergence(q, p).flatten(1).sum(1)

    def log_likelihood(self, x, y, logvar=None):
        kind = self.likelihood["kind"]
        if kind == "bernoulli":
            loss = (F.binary_cross_entropy_with_logits if self.likelihood["parameterization"] == "logits"
                    else F.binary_cross_entropy)
            return -loss(y, x, reduction="none")
        if kind == "laplace":
            return torch.distributions.Laplace(y, self.likelihood.get("scale", 1.0)).log_prob(x)
        if logvar is None:
            variance = torch.tensor(self.likelihood.get("variance", 1.0), dtype=self.dtype)
            return -F.gaussian_nll_loss(y, x, variance.expand_as(y), full=True, eps=0, reduction="none")
        return -F.gaussian_nll_loss(y, x, torch.exp(logvar), full=True, eps=0, reduction="none")
