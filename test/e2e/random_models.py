#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models in the native format, each a function of its seed alone.

    random_models.py FOLDER --first 0 --count 200

writes FOLDER/<seed>/model.json with its weights. Model number `seed` has a
layer of type number `seed` of the format (modulo their number), so that a run
of models has every type. Models whose values leave the range in which f32 says
something are drawn again.
"""
import argparse
import json
import pathlib
import random

import numpy as np
import safetensors.torch
import torch

import random_layers as layers
from random_layers import CANDIDATES, Dim, Value, fixed
from torch_model import SUFFIXES, TorchModel

TYPES = sorted(CANDIDATES)
LARGEST_VALUE = 3e3
LARGEST_ERROR = 1e-4  # of PyTorch in f32


class Graph:
    """One section while it is built, and what its layers draw from."""

    def __init__(self, owner, prefix, values):
        self.owner, self.random = owner, owner.random
        self.prefix, self.inputs = prefix, [value.name for value in values]
        self.values, self.layers = list(values), []
        self.current = values[0]
        self.plain = False  # no activation is added
        self.stress = owner.stress
        self.minimum = owner.minimum

    # Drawing

    def draw(self, choices):
        return self.random.choice(choices)

    def integer(self, low, high):
        return self.random.randint(low, high)

    def chance(self, probability):
        return self.random.random() < probability

    def shuffle(self, items):
        self.random.shuffle(items)
        return items

    def numbers(self, shape, deviation):
        return (self.owner.numpy.standard_normal(shape) * deviation).astype(np.float32)

    # Sizes

    def least(self, dim):
        return dim.at(self.minimum)

    def elements(self, value):
        """Of an example, at a size that is often used."""
        return int(np.prod([dim.at({s: n + 2 for s, n in self.minimum.items()}) for dim in value.shape]))

    # Layers

    def tensor(self, layer, role, numbers):
        self.owner.pending[role] = numbers

    def kernel(self, layer, weight, axes, keras=None, role="kernel"):
        """A kernel in PyTorch's layout, stored in the one that the layer has."""
        layout = self.owner.layout
        if self.chance(0.15):
            layout = layer["tensor_layout"] = self.draw(["pytorch", "keras"])
        if layout == "keras":
            weight = keras(weight) if keras else weight.transpose(axes)
        self.tensor(layer, role, np.ascontiguousarray(weight))

    def add(self, layer, inputs, shape, sections=None):
        name = f"{self.prefix}{len(self.layers)}"
        name += self.draw(["", "_" + layer["type"], "." + layer["type"], "/é " + layer["type"]])
        layer = {"name": name, **layer}
        names = [value.name for value in inputs]
        previous = self.layers[-1]["name"] if self.layers else self.inputs[0]
        if names != [previous] or self.owner.explicit or self.chance(0.2):
            layer["inputs"] = names
        if not self.plain and self.chance(0.35):
            kind = self.draw(layers.ACTIVATIONS)
            keys = layers.activation_keys(self, kind)
            layer["activation"] = {"type": kind, **keys} if keys or self.chance(0.3) else kind
        self.owner.store(layer)
        self.layers.append(layer)
        results = [Value(f"{name}:{i}", shape) for i in range(sections)] if sections else [Value(name, shape)]
        self.values += results
        self.current = self.draw(results)
        return self.current

    def grow(self, steps, wanted=None):
        """Adds layers; one of the type `wanted`, as soon as it fits."""
        for _ in range(steps):
            if self.chance(0.08):
                self.current = self.draw(self.values)
            if wanted and self.attempt(wanted):
                wanted = None
            elif not self.attempt(self.draw(TYPES)) and self.current.is_image:
                self.attempt(self.draw(["conv2d", "conv_transpose2d", "depthwise_conv2d", "pad", "upsample"]))
            if wanted and self.chance(0.5) and self.current.is_fixed:
                self.make_image()  # where most types fit
        for _ in range(20):
            if not wanted or self.attempt(wanted):
                return
            if self.current.is_fixed:
                self.make_image()

    def attempt(self, kind):
        # exp after a value that is bounded, so that numbers stay small
        if kind == "exp" and not CANDIDATES["tanh"](self, self.current):
            return None
        count = len(self.layers)
        result = CANDIDATES[kind](self, self.current)
        if result is None:
            del self.layers[count:]
            self.owner.pending = {}
        return result

    def make_image(self):
        x = self.current
        if not x.is_image:
            sizes = layers.factors_of(self, x.count, 3)
            layers.reshape(self, x, sizes)


class ModelWriter:
    """Draws one model."""

    def __init__(self, seed, attempt=0):
        self.seed = seed
        self.random = random.Random(f"{seed}/{attempt}")
        self.numpy = np.random.default_rng([seed, attempt])
        chance = lambda p: self.random.random() < p
        self.wanted = TYPES[seed % len(TYPES)]
        self.layout = self.random.choice(["pytorch", "pytorch", "keras"])
        self.stress, self.explicit, self.inline = chance(0.1), chance(0.2), chance(0.15)
        self.dtypes = [torch.float32] if chance(0.8) else [torch.float32, torch.float16, torch.bfloat16]
        self.pending, self.tensors = {}, {}
        self.symbols, self.minimum = {}, {}
        self.model = {"format_version": 1, "name": f"random {seed}"}

    def draw(self, choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability

    def store(self, layer):
        """Gives the tensors of a layer a place: a file, or the layer itself."""
        pending, self.pending = self.pending, {}
        weights = {}
        for role, numbers in pending.items():
            if numbers is None:
                weights[role] = None
            elif self.inline and numbers.size < 40:
                flat = numbers.flatten().tolist()
                weights[role] = numbers.tolist() if self.chance(0.5) else {"shape": list(numbers.shape), "data": flat}
            else:
                name = f"{layer['name']}.{SUFFIXES.get(role, role)}"
                if self.chance(0.1):
                    name = weights[role] = f"tensors.{len(self.tensors)}"
                self.tensors[name] = torch.from_numpy(numbers).to(self.draw(self.dtypes))
        if weights:
            layer["weights"] = weights

    # Inputs

    def draw_data(self):
        """The data input: (its description, its shape inside)."""
        integer = self.random.randint
        kind = self.draw(["vector", "rows"] + ["image"] * 4 + ["dynamic"])
        item = {"name": self.draw(["x", "image", "data"])}
        if kind == "vector":
            item["shape"] = [integer(1, 90)]
            shape = fixed(*item["shape"])
        elif kind == "rows":
            item["shape"] = [integer(1, 14), integer(2, 14)]
            shape = fixed(*item["shape"])
        else:
            sides = fixed(integer(1, 21), integer(1, 21))
            if kind == "dynamic":
                sides = [self.draw_symbol(name) or side for name, side in zip(("height", "width"), sides)]
                self.model["dynamic"] = {name: spec for name, spec in self.symbols.items()}
            channels = self.draw([1, 1, 3, integer(1, 9), 16])
            names = [side.symbol or side.offset for side in sides]
            item["layout"] = self.draw(["NCHW", "NHWC"])
            item["shape"] = names + [channels] if item["layout"] == "NHWC" else [channels] + names
            shape = fixed(channels) + sides
            if item["layout"] == "NCHW" and self.chance(0.5):
                del item["layout"]
        if self.chance(0.5):
            item["range"] = self.draw([[0, 1], [-1, 1], [0, 255]])
        return item, shape

    def draw_symbol(self, name):
        if self.chance(0.2):
            return None
        multiple = self.draw([1, 2, 4, 6])
        units = max(1, -(-self.random.randint(4, 9) // multiple))
        spec = {"multiple": multiple, "min": multiple * units}
        if multiple == 1 and self.chance(0.5):
            del spec["multiple"]
        self.symbols[name], self.minimum[name] = spec, units
        return Dim(0, name, multiple)

    def draw_conditions(self):
        count = self.draw([0, 0, 0, 1, 2])
        items = [{"name": f"label{i}", "shape": [self.random.randint(1, 6)]} for i in range(count)]
        return items, [Value(item["name"], fixed(*item["shape"])) for item in items]

    # Encoder

    def draw_encoder(self, data, conditions):
        """Writes encoder and latent, returns the latent's shape inside."""
        inputs = [data] + [value for value in conditions if self.chance(0.7)]
        graph = Graph(self, self.draw(["e", "enc"]), inputs)
        kind = self.draw(["vector", "vector", "map", "code"])
        if self.chance(0.04):  # nothing but a name for the data
            layers.dropout(graph, data)
            kind = "as it is"
        else:
            graph.grow(self.random.randint(1, 9), self.wanted if self.chance(0.5) or self.only == "encoder" else None)
        latent = self.draw_latent(graph, kind)
        section = {"layers": graph.layers}
        if [value.name for value in inputs] != [data.name] + [value.name for value in conditions] or self.explicit:
            section["inputs"] = graph.inputs
        if self.explicit:
            self.random.shuffle(graph.layers)
        self.model["encoder"] = section
        return latent

    def draw_latent(self, graph, kind):
        graph.plain = True
        x, size = graph.current, self.random.randint(1, 20)
        if not x.is_fixed and not x.is_image:
            x = graph.current = graph.values[0]
        if kind in ("vector", "code") and x.is_fixed:
            if x.rank > 2:
                x = layers.flatten(graph, x)
            head = lambda units: layers.dense(graph, x, units)
        elif x.is_image:
            size = self.random.randint(1, 5)
            head = lambda units: layers.conv2d(graph, x, units, self.draw([1, 3]))
        elif x.rank == 3 and x.shape[1].offset:
            head = lambda units: layers.dense(graph, x, units)
        else:
            head = lambda units: layers.flatten(graph, x)
            kind = "code"
        latent = {"kind": "gaussian"}
        if kind == "code":
            latent = {"kind": "code", "code": head(size).name}
        elif kind == "as it is":
            latent.update(mu=x.name, logvar=x.name)
        elif x.rank != 3 and self.chance(0.35):
            latent.update(head=head(2 * size).name, split=self.draw(["halves", "interleaved"]))
        else:
            latent["mu"] = head(size).name
            latent["logvar"] = head(size).name if self.chance(0.9) else latent["mu"]
        if kind != "code" and self.chance(0.3):
            latent["logvar_clamp"] = self.draw([[-30, 20], [-0.5, 0.25], [-2, 1]])
        shape = list(graph.current.shape)
        if "head" in latent:
            shape[0] = Dim(shape[0].offset // 2)
        self.describe_latent(latent, shape)
        return shape

    def describe_latent(self, latent, shape, needed=False):
        """Layout and shape as the file states them."""
        if len(shape) == 3 and self.chance(0.4):
            latent["layout"] = "NHWC"
        if needed or not any(dim.symbol for dim in shape) and self.chance(0.3):
            sizes = [dim.offset for dim in shape]
            latent["shape"] = sizes[1:] + sizes[:1] if latent.get("layout") == "NHWC" else sizes
        self.model["latent"] = latent
        if latent["kind"] == "gaussian" and self.chance(0.6):
            self.draw_prior(shape[0])

    def draw_prior(self, channels):
        prior = {"kind": self.draw(["standard_normal", "normal"])}
        if prior["kind"] == "normal":
            vector = lambda low, high: [round(self.random.uniform(low, high), 3) for _ in range(channels.offset)]
            if self.chance(0.8):
                prior["mean"] = 0.5 if self.chance(0.5) else vector(-1, 1)
            if self.chance(0.8):
                prior["std"] = 1.5 if self.chance(0.5) else vector(0.5, 2)
        self.model["prior"] = prior

    # Decoder

    def draw_decoder(self, latent, conditions, target):
        """Writes decoder and likelihood; the output fits the shape `target`."""
        inputs = [Value("z", latent)] + [value for value in conditions if self.chance(0.7)]
        graph = Graph(self, self.draw(["d", "dec"]), inputs)
        if self.chance(0.05) and latent == target:
            layers.dropout(graph, graph.current)
        else:
            graph.grow(self.random.randint(0, 8), None if self.wanted_is_there() else self.wanted)
        likelihood, factor = self.draw_likelihood(target)
        output, logvar = self.draw_output(graph, target, likelihood, factor)
        section = {"layers": graph.layers}
        if [value.name for value in inputs] != ["z"] + [value.name for value in conditions] or self.explicit:
            section["inputs"] = graph.inputs
        if logvar or self.explicit or graph.layers[-1]["name"] != output.name:
            section["output"] = output.name
        if logvar:
            section["output_logvar"] = logvar.name
        if self.explicit:
            self.random.shuffle(graph.layers)
        self.model["decoder"] = section
        if likelihood:
            self.model["likelihood"] = likelihood

    def wanted_is_there(self):
        return any(layer["type"] == self.wanted for name in ("encoder", "decoder") if name in self.model
                   for layer in self.model[name]["layers"])

    def draw_likelihood(self, target):
        """(the likelihood, by how much the output is larger than the data)."""
        kind = self.draw(["logits", "probabilities", "fixed", "learned", "learned", "laplace", None])
        factor = 1
        if kind is None:
            return None, factor
        if kind in ("logits", "probabilities"):
            return {"kind": "bernoulli", "parameterization": kind}, factor
        if kind == "laplace":
            return {"kind": "laplace", **({"scale": self.draw([0.5, 2])} if self.chance(0.7) else {})}, factor
        likelihood = {"kind": "gaussian"}
        if kind == "fixed":
            if self.chance(0.7):
                likelihood["variance"] = self.draw([0.25, 0.01, 2])
            return likelihood, factor
        likelihood["variance"] = "learned"
        if self.chance(0.5) and not target[0].symbol:
            likelihood["split"], factor = self.draw(["halves", "interleaved"]), 2
        return likelihood, factor

    def draw_output(self, graph, target, likelihood, factor):
        graph.plain = True
        base = self.approach(graph, target, flat_allowed=factor == 1)
        shape = target
        if base.rank == 2 and len(target) > 1:
            shape = fixed(Value("", target).count)
        shape = [shape[0] * factor] + shape[1:]

        def final():
            if len(shape) == 3:
                return layers.conv2d(graph, base, shape[0].offset, self.draw([1, 3, 5]))
            if len(shape) == 1 or base.shape[:-1] == shape[:-1]:
                return layers.dense(graph, base, shape[-1].offset)
            flat = layers.dense(graph, layers.flatten(graph, base), Value("", shape).count)
            layers.reshape(graph, flat, [dim.offset for dim in shape])
            return graph.current

        output, logvar = final(), None
        if likelihood and likelihood.get("parameterization") == "probabilities":
            if self.stress:
                output = graph.add({"type": "scale", "factor": 30}, [output], output.shape)
            output = graph.add({"type": "sigmoid"}, [output], output.shape)
        elif likelihood and likelihood["kind"] == "bernoulli" and self.stress:
            output = graph.add({"type": "scale", "factor": 60}, [output], output.shape)
        elif likelihood and likelihood.get("variance") == "learned" and factor == 1:
            logvar = final()
        return output, logvar

    def approach(self, graph, target, flat_allowed):
        """A value from which one layer gives the target's shape."""
        x = graph.current
        if any(dim.symbol for dim in target) and not (x.is_image and not x.is_fixed):
            images = [value for value in graph.values if value.is_image and not value.is_fixed]
            if not images:
                raise ValueError("no image is left")
            x = images[-1]
        fixed_target = not any(dim.symbol for dim in target)
        if len(target) == 1 or fixed_target and flat_allowed and self.chance(0.2):
            return layers.flatten(graph, x) if x.rank > 2 else x
        if len(target) == 2:
            return x
        if not x.is_image:
            sides = [max(1, dim.offset // self.draw([1, 2, 3])) for dim in target[1:]]
            channels = self.random.randint(1, 6)
            if x.rank > 2:
                x = layers.flatten(graph, x)
            x = layers.dense(graph, x, channels * sides[0] * sides[1])
            while not x.is_image or x.sizes != [channels, *sides]:
                x = layers.reshape(graph, graph.values[-1], [channels, *sides])
                if x.sizes != [channels, *sides]:  # drawn in the order NHWC
                    channels, *sides = x.sizes
        return self.resize(graph, x, target[1:])

    def resize(self, graph, x, sides):
        """Enlarges, pads and crops until height and width are right."""
        factors = []
        for now, then in zip(x.shape[1:], sides):
            if now.symbol:
                factors.append(then.scale // now.scale if then.scale % now.scale == 0 else 0)
            else:
                factors.append(max(1, then.offset // now.offset))
        if 0 in factors:
            raise ValueError("the height or width cannot be reached")
        if factors != [1, 1]:
            enlarge = self.draw([layers.upsample, layers.conv_transpose2d])
            x = enlarge(graph, x, factors) or layers.upsample(graph, x, factors)
            if x is None:
                raise ValueError("the image would be too large")
        missing = [then.offset - now.offset for now, then in zip(x.shape[1:], sides)]
        before = [self.random.randint(0, abs(n)) for n in missing]
        for sign, layer in ((1, layers.pad), (-1, layers.crop)):
            amounts = [(b, abs(n) - b) if n * sign > 0 else (0, 0) for b, n in zip(before, missing)]
            border = [amounts[0][0], amounts[1][0], amounts[0][1], amounts[1][1]]
            if any(border):
                x = layer(graph, x, border)
        if x is None or x.shape[1:] != list(sides):
            raise ValueError("the height or width cannot be reached")
        return x

    # The model

    def write(self, folder):
        """Draws the model and writes it. ValueError: no such model."""
        self.only = self.draw([None] * 8 + ["encoder", "decoder"])
        if self.layout != "pytorch" or self.chance(0.3):
            self.model["tensor_layout"] = self.layout
        data, shape = self.draw_data()
        conditions, condition_values = self.draw_conditions()
        if self.only == "decoder":
            self.symbols, self.minimum = {}, {}
            self.model.pop("dynamic", None)
            latent = fixed(*[self.random.randint(1, 9) for _ in range(self.draw([1, 2, 3, 3]))])
            self.describe_latent({"kind": self.draw(["gaussian", "code"])}, latent, needed=True)
            self.draw_decoder(latent, [], fixed(self.random.randint(1, 30)))
        else:
            self.model["inputs"] = [data] + conditions
            latent = self.draw_encoder(Value(data["name"], shape), condition_values)
            if self.only != "encoder":
                self.draw_decoder(latent, condition_values, shape)
        if not self.wanted_is_there():
            raise ValueError(f"no place for {self.wanted}")
        self.write_files(folder)

    def write_files(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        names = list(self.tensors)
        self.random.shuffle(names)
        parts = [names]
        if len(names) > 1 and self.chance(0.2):
            parts = [names[0::2], names[1::2]]
        files = [f"weights{i or ''}.safetensors" for i in range(len(parts))]
        for file, part in zip(files, parts):
            safetensors.torch.save_file({name: self.tensors[name] for name in part}, folder / file)
        if names:
            self.model["weights"] = files[0] if len(files) == 1 else files
        if len(files) > 1 and self.chance(0.5):
            index = {"weight_map": {name: file for file, part in zip(files, parts) for name in part}}
            (folder / "weights.safetensors.index.json").write_text(json.dumps(index))
            self.model["weights"] = "weights.safetensors.index.json"
        (folder / "model.json").write_text(json.dumps(self.model, indent=1, ensure_ascii=False) + "\n")


# Inputs and a check


def draw_sizes(model, numpy):
    """Values of height and width, where they are dynamic."""
    return {name: spec.get("multiple", 1) * int(numpy.integers(0, 4)) + spec.get("min", spec.get("multiple", 1))
            for name, spec in model.get("dynamic", {}).items()}


def draw_array(shape, numpy, unit_interval=False):
    x = numpy.standard_normal(shape).astype(np.float32)
    if unit_interval:  # grey values, of which some are black or white
        x = np.clip(0.5 + x * np.float32(0.4), 0, 1).astype(np.float32)
    return x


def draw_inputs(model, batch, numpy):
    """Arrays for the inputs of a model, by name."""
    sizes = draw_sizes(model, numpy)
    bernoulli = model.get("likelihood", {}).get("kind") == "bernoulli"
    shapes = {item["name"]: [batch] + [sizes.get(size, size) for size in item["shape"]]
              for item in model.get("inputs", [])}
    return {name: draw_array(shape, numpy, bernoulli and i == 0) for i, (name, shape) in enumerate(shapes.items())}


def is_sound(folder, seed):
    """Whether all values of a model are of moderate size, and PyTorch in f32
    agrees with PyTorch in f64."""
    results = []
    for dtype in (torch.float32, torch.float64):
        model = TorchModel(folder / "model.json", dtype)
        numpy = np.random.default_rng([seed, 1])
        inputs = draw_inputs(model.json, 3, numpy)
        values = {}
        with torch.no_grad():
            if "encoder" in model.json:
                data = model.inputs[0]["name"]
                conditions = {name: x for name, x in inputs.items() if name != data}
                heads = model.heads(inputs[data], conditions, trace=values)
                z = heads[0]
            else:
                conditions, sizes = {}, model.json["latent"]["shape"]
                z = model.latent_inside(draw_array([3] + sizes, numpy))
            if "decoder" in model.json:
                z = z + model.to_tensor(numpy.standard_normal(z.shape).astype(np.float32)) * 0.3
                outputs = model.outputs(z, conditions, trace=values)
                if len(outputs) > 1 and outputs[1].abs().max() > 8:
                    return False
            if "encoder" in model.json and len(heads) > 1 and heads[1].abs().max() > 8:
                return False
        results.append(values)
    for name, value in results[1].items():
        if not torch.isfinite(value).all() or value.abs().max() > LARGEST_VALUE or value.abs().max() == 0:
            return False
        if (results[0][name].double() - value).norm() > LARGEST_ERROR * value.norm():
            return False
    return True


def write_model(seed, folder):
    """Writes the model of that seed; draws until one is sound."""
    folder = pathlib.Path(folder)
    for attempt in range(1000):
        for old in folder.glob("*"):
            old.unlink()
        try:
            ModelWriter(seed, attempt).write(folder)
        except ValueError:
            continue
        if is_sound(folder, seed):
            return
    raise RuntimeError(f"no sound model for seed {seed}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for seed in range(options.first, options.first + options.count):
        write_model(seed, options.folder / str(seed))


if __name__ == "__main__":
    main()
