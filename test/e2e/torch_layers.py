# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The layers of the native model format, each computed by PyTorch's own
function for it. Tensors have the layout NCHW, or [N, features].

LAYERS maps a type to f(x, layer, get): `x` the list of inputs, `layer` the JSON
object, `get(role)` the layer's tensor in PyTorch's layout, None if it has none.
"""
import torch
from torch.nn import functional as F


def activation(spec):
    """The function of an "activation": a type, or an object with parameters."""
    spec = {"type": spec} if isinstance(spec, str) else spec
    slope = spec.get("slope", 1 / 6)
    functions = {
        "relu": torch.relu,
        "leaky_relu": lambda x: F.leaky_relu(x, spec.get("alpha", 0.01)),
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "silu": F.silu,
        "gelu": lambda x: F.gelu(x, approximate=spec.get("approximate", "none")),
        "mish": F.mish,
        "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        "selu": F.selu,
        "elu": lambda x: F.elu(x, spec.get("alpha", 1.0)),
        "hard_sigmoid": lambda x: (slope * x + 0.5).clamp(0, 1),
        "hard_swish": F.hardswish,
        "relu6": F.relu6,
        "exp": torch.exp,
        "clamp": lambda x: x.clamp(spec["min"], spec["max"]),
    }
    return functions[spec["type"]]


ACTIVATIONS = ("relu leaky_relu sigmoid tanh silu gelu mish softplus selu elu "
               "hard_sigmoid hard_swish relu6 exp clamp").split()


def pair(layer, key, missing=1):
    value = layer.get(key, missing)
    return [value, value] if isinstance(value, int) else list(value)


def border(value):
    """[top, left, bottom, right] of a number, a pair or four numbers."""
    value = [value] if isinstance(value, int) else list(value)
    return [value[i % len(value)] for i in range(4)]


def same_padding(size, extent, stride):
    """What "same" adds: the result has ceil(size / stride) elements, and the
    odd element of padding is at the end."""
    total = [max((-(-n // s) - 1) * s + e - n, 0) for n, e, s in zip(size, extent, stride)]
    return [total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2]


def window_padding(x, layer, extent, stride):
    padding = layer.get("padding", 0)
    if padding == "same":
        return same_padding(x.shape[2:], extent, stride)
    return border(0 if padding == "valid" else padding)


def pad(x, padding, value=0.0):
    top, left, bottom, right = padding
    return F.pad(x, (left, right, top, bottom), value=value)


def extents(kernel, dilation):
    return [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]


def get_bias(layer, get):
    return get("bias") if layer.get("bias", True) else None


def is_channels_last(x, layer):
    return layer.get("order", "NCHW") == "NHWC" and x.ndim == 4


def dense(x, layer, get):
    last = is_channels_last(x[0], layer)
    y = F.linear(x[0].permute(0, 2, 3, 1) if last else x[0], get("kernel"), get_bias(layer, get))
    return y.permute(0, 3, 1, 2) if last else y


def convolve(x, layer, get, groups):
    stride, dilation = pair(layer, "stride"), pair(layer, "dilation")
    extent = extents(pair(layer, "kernel_size"), dilation)
    padding = window_padding(x, layer, extent, stride)
    if padding[:2] != padding[2:]:  # PyTorch itself knows symmetric padding only
        x, padding = pad(x, padding), [0, 0]
    return F.conv2d(x, get("kernel"), get_bias(layer, get), stride, padding[:2], dilation, groups)


def conv_transpose2d(x, layer, get):
    """Where PyTorch itself does not know the padding, it is cut from the whole
    result, and output padding added to its end."""
    stride, dilation = pair(layer, "stride"), pair(layer, "dilation")
    extent = extents(pair(layer, "kernel_size"), dilation)
    extra, cut = pair(layer, "output_padding", 0), layer.get("padding", 0)
    if cut in ("same", "valid"):
        rest = [e - s for e, s in zip(extent, stride)]
        extra = [max(-r, 0) for r in rest]
        total = [max(r, 0) if cut == "same" else 0 for r in rest]
        cut = [total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2]
    cut = border(cut)
    groups, bias = layer.get("groups", 1), get_bias(layer, get)
    if cut[:2] == cut[2:] and all(e < max(s, d) for e, s, d in zip(extra, stride, dilation)):
        return F.conv_transpose2d(x[0], get("kernel"), bias, stride, cut[:2], extra, groups, dilation)
    y = F.conv_transpose2d(x[0], get("kernel"), None, stride, 0, 0, groups, dilation)
    y = pad(y, [-cut[0], -cut[1], extra[0] - cut[2], extra[1] - cut[3]])
    return y if bias is None else y + bias[:, None, None]


def affine(layer, get):
    return (get("weight"), get("bias")) if layer.get("affine", True) else (None, None)


def batch_norm(x, layer, get):
    return F.batch_norm(x[0], get("running_mean"), get("running_var"), *affine(layer, get), False, 0.0,
                        layer.get("epsilon", 1e-5))


def layer_norm(x, layer, get):
    last = is_channels_last(x[0], layer)
    turned = x[0].permute(0, 2, 3, 1) if last else x[0]
    shape = layer.get("shape", [turned.shape[-1]])
    shape = [shape] if isinstance(shape, int) else shape
    y = F.layer_norm(turned, shape, *affine(layer, get), layer.get("epsilon", 1e-5))
    return y.permute(0, 3, 1, 2) if last else y


def prelu(x, layer, get):
    if layer.get("per", "channel") == "element":
        return torch.where(x[0] >= 0, x[0], x[0] * get("weight"))
    return F.prelu(x[0], get("weight"))


def upsample(x, layer, get):
    scale = [float(s) for s in pair(layer, "scale")]
    if layer.get("mode", "nearest") == "nearest":
        return F.interpolate(x[0], scale_factor=scale, mode="nearest")
    return F.interpolate(x[0], scale_factor=scale, mode="bilinear", align_corners=layer.get("align_corners", False))


def max_pool2d(x, layer, get):
    kernel = pair(layer, "kernel_size")
    stride = pair(layer, "stride", kernel)
    padded = pad(x[0], window_padding(x[0], layer, kernel, stride), -float("inf"))
    return F.max_pool2d(padded, kernel, stride)


def avg_pool2d(x, layer, get):
    kernel = pair(layer, "kernel_size")
    stride = pair(layer, "stride", kernel)
    padding = window_padding(x[0], layer, kernel, stride)
    y = F.avg_pool2d(pad(x[0], padding), kernel, stride)
    if layer.get("count_include_pad", layer.get("padding") != "same"):
        return y
    return y / F.avg_pool2d(pad(torch.ones_like(x[0]), padding), kernel, stride)


def fold(function, x):
    value = x[0]
    for other in x[1:]:
        value = function(value, other)
    return value


def reshape(x, layer, get):
    last = layer.get("order", "NCHW") == "NHWC"
    x = x[0].permute(0, 2, 3, 1) if last and x[0].ndim == 4 else x[0]
    y = x.reshape(len(x), *layer["shape"])
    return y.permute(0, 3, 1, 2) if last and y.ndim == 4 else y


def flatten(x, layer, get):
    last = layer.get("order", "NCHW") == "NHWC" and x[0].ndim == 4
    return (x[0].permute(0, 2, 3, 1) if last else x[0]).flatten(1)


def resize(x, layer, get):
    size = tuple(x[1].shape[2:]) if len(x) == 2 else tuple(pair(layer, "size"))
    mode = layer.get("mode", "nearest").replace("_", "-")
    corners = {"align_corners": layer.get("align_corners", False)} if mode == "bilinear" else {}
    return F.interpolate(x[0], size=size, mode=mode, **corners)


def rms_norm(x, layer, get):
    x, epsilon = x[0], layer.get("epsilon", 1e-5)
    if layer.get("l2", False):
        y = F.normalize(x, dim=1, eps=epsilon) * x.shape[1]**0.5
    else:
        y = x * torch.rsqrt(x.square().mean(1, keepdim=True) + epsilon)
    shape = [-1] + [1] * (x.ndim - 2)
    weight, bias = affine(layer, get)
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def attention(x, layer, get):
    heads = layer.get("heads", 1)
    shape = x[0].shape

    def split(value):  # [N, heads, S, C / heads]
        rows = value.flatten(2).transpose(1, 2) if value.ndim == 4 else value
        return rows.unflatten(2, (heads, -1)).transpose(1, 2)

    y = F.scaled_dot_product_attention(*map(split, x), scale=layer.get("scale"))
    y = y.transpose(1, 2).flatten(2)
    return y.transpose(1, 2).unflatten(2, shape[2:]) if len(shape) == 4 else y


def linear_attention(x, layer, get):
    """As SanaMultiscaleLinearAttention of diffusers."""
    q, k, v = x[0].flatten(2).unflatten(1, (-1, 3 * layer["head_dim"])).chunk(3, dim=2)
    y = F.pad(v, (0, 0, 0, 1), value=1) @ k.relu().transpose(-1, -2) @ q.relu()
    y = y[:, :, :-1] / (y[:, :, -1:] + layer.get("epsilon", 1e-15))
    return y.reshape(len(y), -1, *x[0].shape[2:])


def glu(x, layer, get):
    a, b = x[0].chunk(2, dim=1)
    return a * activation(layer.get("gate", "sigmoid"))(b)


def nearest_codebook(x, layer, get):
    rows = x[0].movedim(1, -1)
    distances = (rows.unsqueeze(-2) - get("codebook")).square().sum(-1)
    return distances.argmin(-1).to(x[0].dtype)


def embedding(x, layer, get):
    indices = x[0].nan_to_num(0).clamp(0, layer["entries"] - 1).long()
    return F.embedding(indices, get("table")).movedim(-1, 1)


LAYERS = {
    "dense": dense,
    "conv2d": lambda x, layer, get: convolve(x[0], layer, get, layer.get("groups", 1)),
    "depthwise_conv2d": lambda x, layer, get: convolve(x[0], layer, get, x[0].shape[1]),
    "conv_transpose2d": conv_transpose2d,
    "batch_norm": batch_norm,
    "group_norm": lambda x, layer, get: F.group_norm(x[0], layer["groups"], *affine(layer, get),
                                                     layer.get("epsilon", 1e-5)),
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "glu": glu,
    "attention": attention,
    "linear_attention": linear_attention,
    "nearest_codebook": nearest_codebook,
    "embedding": embedding,
    "resize": resize,
    "pixel_shuffle": lambda x, layer, get: F.pixel_shuffle(x[0], layer["factor"]),
    "pixel_unshuffle": lambda x, layer, get: F.pixel_unshuffle(x[0], layer["factor"]),
    "repeat_channels": lambda x, layer, get: x[0].repeat_interleave(layer["repeats"], 1),
    "mean_channels": lambda x, layer, get: x[0].unflatten(1, (-1, layer["group"])).mean(2),
    "prelu": prelu,
    "scale": lambda x, layer, get: x[0] * layer.get("factor", 1) + layer.get("offset", 0),
    "softmax": lambda x, layer, get: torch.softmax(x[0], layer.get("axis", 1)),
    "dropout": lambda x, layer, get: x[0],
    "upsample": upsample,
    "max_pool2d": max_pool2d,
    "avg_pool2d": avg_pool2d,
    "global_max_pool2d": lambda x, layer, get: x[0].amax((2, 3)),
    "global_avg_pool2d": lambda x, layer, get: x[0].mean((2, 3)),
    "add": lambda x, layer, get: fold(torch.add, x),
    "mul": lambda x, layer, get: fold(torch.mul, x),
    "concat": lambda x, layer, get: torch.cat(x, layer.get("axis", 1)),
    "split": lambda x, layer, get: torch.tensor_split(x[0], layer["sections"], layer.get("axis", 1)),
    "reshape": reshape,
    "flatten": flatten,
    "transpose": lambda x, layer, get: x[0].permute(layer["perm"]),
    "pad": lambda x, layer, get: pad(x[0], border(layer["padding"]), layer.get("value", 0.0)),
    "crop": lambda x, layer, get: pad(x[0], [-n for n in border(layer["border"])]),
    **{name: lambda x, layer, get: activation(layer)(x[0]) for name in ACTIVATIONS},
}
