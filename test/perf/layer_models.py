# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models of one layer, called "layer", in the native format: what tools/dev/sweep
measures. Standard library only."""

import array
import json
import math
import struct
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Kind:
    """A type of layer: its JSON and the shapes of its weights, of numbers of channels."""

    layer: Callable[[int, int], dict]
    weights: Callable[[int, int], dict]
    image: bool = True  # of height and width; otherwise a vector
    stride: int = 1  # by which the layer divides these
    square: bool = False  # as many outputs as inputs
    inputs: int = 1  # inputs for each channel that is asked for
    layout: bool = False  # the layer does nothing: measured are the copies between NCHW and NHWC
    window: int = 1  # height and width of the kernel, at whose half the image begins


def count_inside(kind, size):
    """The part of a convolution's products that do not meet the border of zeros."""
    outputs = range(-(-size // kind.stride))
    half = kind.window // 2
    taps = [tap + i * kind.stride - half for i in outputs for tap in range(kind.window)]
    return (sum(0 <= tap < size for tap in taps) / len(taps)) ** 2


def conv(kernel, stride=1, kind="conv2d", **more):
    return {"type": kind, "kernel_size": kernel, "stride": stride, **more}


def conv_kind(kernel, **more):
    return Kind(
        lambda i, o: conv(kernel, padding=kernel // 2, filters=o),
        lambda i, o: {"weight": [o, i, kernel, kernel], "bias": [o]},
        window=kernel,
        **more,
    )


def group_count(channels):
    """The most groups, 32 at most, that these channels can have."""
    return max(groups for groups in range(1, 33) if channels % groups == 0)


KINDS = {
    "conv3x3": conv_kind(3),
    "conv1x1": conv_kind(1),
    "strided": Kind(
        lambda i, o: conv(3, 2, padding=1, filters=o),
        lambda i, o: {"weight": [o, i, 3, 3], "bias": [o]},
        stride=2,
        window=3,
    ),
    "transposed": Kind(
        lambda i, o: conv(4, 2, "conv_transpose2d", padding=1, filters=o),
        lambda i, o: {"weight": [i, o, 4, 4], "bias": [o]},
    ),
    "dense": Kind(
        lambda i, o: {"type": "dense", "units": o},
        lambda i, o: {"weight": [o, i], "bias": [o]},
        image=False,
    ),
    "depthwise": Kind(
        lambda i, o: conv(3, padding=1, filters=o, groups=o),
        lambda i, o: {"weight": [o, 1, 3, 3], "bias": [o]},
        square=True,
        window=3,
    ),
    "group_norm": Kind(
        lambda i, o: {"type": "group_norm", "groups": group_count(o)},
        lambda i, o: {"weight": [o], "bias": [o]},
        square=True,
    ),
    "upsample": Kind(lambda i, o: {"type": "upsample", "scale": 2}, lambda i, o: {}, square=True),
    "pixel_shuffle": Kind(
        lambda i, o: {"type": "pixel_shuffle", "factor": 2}, lambda i, o: {}, square=True, inputs=4
    ),
    "layout": Kind(
        lambda i, o: {"type": "upsample", "scale": 1, "mode": "bilinear"},
        lambda i, o: {},
        square=True,
        layout=True,
    ),
}


def make_model(kind_name, inputs, outputs, odd=False):
    """The model file as text, which names weights.safetensors, and the shapes of its weights.
    odd: height and width are 1 more than a multiple of the stride."""
    kind = KINDS[kind_name]
    latent = {"kind": "code", "shape": [inputs]}
    dynamic = {}
    if kind.image:
        size = {"min": kind.stride, "multiple": kind.stride}
        if odd and kind.stride > 1:
            size = {"min": 1, "multiple": kind.stride, "remainder": 1}
        dynamic = {"dynamic": {"height": size, "width": size}}
        latent["layout"] = "NCHW" if kind.layout else "NHWC"
        latent["shape"] = ["height", "width"]
        latent["shape"].insert(0 if kind.layout else 2, inputs)
    shapes = {f"layer.{name}": shape for name, shape in kind.weights(inputs, outputs).items()}
    model = {
        "format_version": 1,
        "name": f"{kind_name}-{inputs}-{outputs}",
        **dynamic,
        **({"weights": "weights.safetensors"} if shapes else {}),
        "latent": latent,
        "decoder": {"layers": [{"name": "layer", **kind.layer(inputs, outputs)}]},
    }
    return json.dumps(model, indent=1), shapes


def write_safetensors(path, shapes):
    """Tensors of small numbers, none of which vanishes in a sum."""
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    values = array.array("f", (((i % 251) - 125) / 4096 for i in range(251)))
    data = (values.tobytes() * (offset // len(values.tobytes()) + 1))[:offset]
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
