# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers drawn at random: every type of the native format with every key.

CANDIDATES maps a type to f(graph, x), which adds such a layer behind the value
x and returns what it gives, or returns None where the type does not fit.
"""
import math

MOST_ELEMENTS = 8000  # of an example, so that models stay small
MOST_CHANNELS = 64

ACTIVATIONS = ("relu leaky_relu sigmoid tanh silu gelu mish softplus selu elu "
               "hard_sigmoid hard_swish relu6 exp clamp").split()


class Dim:
    """A dimension: fixed (`offset`), or scale * units + offset of a dynamic
    one, counted in units of its multiple."""

    def __init__(self, offset, symbol=None, scale=0):
        self.offset, self.symbol, self.scale = offset, symbol if scale else None, scale

    def __eq__(self, other):
        return (self.offset, self.symbol, self.scale) == (other.offset, other.symbol, other.scale)

    def __add__(self, number):
        return Dim(self.offset + number, self.symbol, self.scale)

    def __mul__(self, number):
        return Dim(self.offset * number, self.symbol, self.scale * number)

    def divided(self, number):
        """Floor division, None if the result is not linear."""
        return None if self.scale % number else Dim(self.offset // number, self.symbol, self.scale // number)

    def at(self, units):
        return self.offset + (self.scale * units[self.symbol] if self.symbol else 0)


def fixed(*sizes):
    return [Dim(size) for size in sizes]


class Value:
    """What a layer gives: its name, and its shape without the batch."""

    def __init__(self, name, shape):
        self.name, self.shape = name, list(shape)

    rank = property(lambda self: len(self.shape) + 1)
    is_image = property(lambda self: self.rank == 4 and not self.shape[0].symbol)
    is_fixed = property(lambda self: not any(dim.symbol for dim in self.shape))
    sizes = property(lambda self: [dim.offset for dim in self.shape])
    count = property(lambda self: math.prod(self.sizes))
    channels = property(lambda self: self.shape[0].offset if not self.shape[0].symbol else None)


# Windows


def draw_border(graph, most):
    """[top, left, bottom, right], often symmetric."""
    kind = graph.draw("none none all pair four".split())
    if kind == "none":
        return [0, 0, 0, 0]
    if kind == "all":
        return [graph.integer(0, most)] * 4
    pair = [graph.integer(0, most), graph.integer(0, most)]
    return pair + (pair if kind == "pair" else [graph.integer(0, most), graph.integer(0, most)])


def write_border(border):
    """The shortest way to write it."""
    if len(set(border)) == 1:
        return border[0]
    return border[:2] if border[:2] == border[2:] else border


def write_pair(layer, key, pair, missing=None):
    """Writes [height, width] as one number where they are equal."""
    if pair != [missing, missing]:
        layer[key] = pair[0] if pair[0] == pair[1] else pair


def draw_pair(graph, low, high):
    first = graph.integer(low, high)
    return [first, first if graph.chance(0.6) else graph.integer(low, high)]


def same_border(shape, extent, stride):
    """Padding "same", None where it does not apply."""
    border = [0, 0, 0, 0]
    for axis, (dim, e, s) in enumerate(zip(shape, extent, stride)):
        if dim.symbol and (dim.scale % s or dim.offset % s):
            return None
        size = dim.offset if not dim.symbol else s
        total = max((-(-size // s) - 1) * s + e - size, 0)
        border[axis], border[axis + 2] = total // 2, total - total // 2
    return border


def window_shape(graph, x, border, extent, stride):
    """Height and width after a window moved over x; None if nothing is left."""
    shape = []
    for axis in (0, 1):
        room = x.shape[1 + axis] + (border[axis] + border[axis + 2] - extent[axis])
        steps = room.divided(stride[axis])
        if graph.least(room) < 0 or steps is None:
            return None
        shape.append(steps + 1)
    return shape


def draw_window(graph, x, layer, most_kernel, dilate):
    """Draws kernel, stride, dilation and padding, and writes them. Returns the
    kernel and the resulting height and width, or None."""
    kernel, stride = draw_pair(graph, 1, most_kernel), draw_pair(graph, 1, graph.draw([1, 1, 2, 2, 3]))
    dilation = draw_pair(graph, 1, 3) if dilate and graph.chance(0.25) else [1, 1]
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    padding = graph.draw(["same", "same", "valid", "numbers", "numbers", "numbers"])
    if padding == "same":
        border = same_border(x.shape[1:], extent, stride)
    elif padding == "valid":
        border = [0, 0, 0, 0]
    else:
        border = draw_border(graph, max(min(kernel) - 1, 0) if not dilate else 3)
    shape = border and window_shape(graph, x, border, extent, stride)
    if not shape:
        return None
    write_pair(layer, "kernel_size", kernel)
    if dilate:
        write_pair(layer, "stride", stride, 1)
        write_pair(layer, "dilation", dilation, 1)
    elif stride != kernel:  # pooling strides by its kernel by default
        write_pair(layer, "stride", stride)
    if padding != "numbers":
        layer["padding"] = padding
    elif any(border):
        layer["padding"] = write_border(border)
    return kernel, shape


# Layers with tensors


def add_bias(graph, layer, units):
    kind = graph.draw("tensor tensor tensor tensor off null".split())
    if kind == "off":
        layer["bias"] = False
    else:
        graph.tensor(layer, "bias", None if kind == "null" else graph.numbers([units], 0.3))


def dense(graph, x, units=None):
    last = x.rank == 4 and x.channels and graph.chance(0.5)  # the channels of an image
    if x.shape[-1].symbol and not last:
        return None
    inputs = x.channels if last else x.shape[-1].offset
    if units is None:
        units = graph.draw([graph.integer(1, 20), graph.integer(1, 70), 16, 32, graph.integer(1, 300)])
        if x.rank > 2:
            units = min(units, max(1, MOST_ELEMENTS * inputs // max(graph.elements(x), 1)), 40)
    layer = {"type": "dense", "units": units}
    if last:
        layer["order"] = "NHWC"
    graph.kernel(layer, graph.numbers([units, inputs], inputs**-0.5), (1, 0))
    add_bias(graph, layer, units)
    shape = fixed(units) + x.shape[1:] if last else x.shape[:-1] + fixed(units)
    return graph.add(layer, [x], shape)


def draw_groups(graph, channels):
    divisors = [d for d in range(1, channels + 1) if channels % d == 0]
    return graph.draw([1, 1, graph.draw(divisors), channels])


def draw_filters(graph, x, groups):
    """Filters that the groups divide, few where the image is large."""
    most = min(MOST_CHANNELS, MOST_ELEMENTS // max(1, graph.elements(x) // x.channels))
    filters = graph.draw([graph.integer(1, 12), graph.integer(1, 40), 16, 17, 32, x.channels])
    return max(1, min(filters, most) // groups) * groups


def conv2d(graph, x, filters=None, kernel=None):
    """`kernel`: this size, with padding "same", and nothing else."""
    if not x.is_image:
        return None
    groups = 1 if filters else draw_groups(graph, x.channels)
    layer = {"type": "conv2d", "filters": filters or draw_filters(graph, x, groups)}
    if kernel:
        layer.update(kernel_size=kernel, padding="same")
        kernel, shape = [kernel, kernel], x.shape[1:]
    else:
        window = draw_window(graph, x, layer, graph.draw([1, 3, 3, 4, 5]), True)
        if not window:
            return None
        kernel, shape = window
    if groups > 1:
        layer["groups"] = groups
    inputs = x.channels // groups
    graph.kernel(layer, graph.numbers([layer["filters"], inputs, *kernel], (inputs * math.prod(kernel))**-0.5),
                 (2, 3, 1, 0))
    add_bias(graph, layer, layer["filters"])
    return graph.add(layer, [x], fixed(layer["filters"]) + shape)


def depthwise_conv2d(graph, x):
    if not x.is_image or x.channels > 40:
        return None
    multiplier = graph.draw([1, 1, 1, 2, 3])
    layer = {"type": "depthwise_conv2d"}
    if multiplier > 1 or graph.chance(0.3):
        layer["multiplier"] = multiplier
    window = draw_window(graph, x, layer, graph.draw([1, 3, 3, 5]), True)
    if not window:
        return None
    kernel, shape = window
    weight = graph.numbers([x.channels * multiplier, 1, *kernel], math.prod(kernel)**-0.5)
    # Keras's kernel is [height, width, channels, multiplier].
    graph.kernel(layer, weight, (2, 3, 0, 1),
                 keras=lambda w: w.reshape(x.channels, multiplier, *kernel).transpose(2, 3, 0, 1))
    add_bias(graph, layer, x.channels * multiplier)
    return graph.add(layer, [x], fixed(x.channels * multiplier) + shape)


def conv_transpose2d(graph, x, stride=None):
    """`stride`: this one, and exactly so many times the height and width."""
    if not x.is_image:
        return None
    groups = draw_groups(graph, x.channels)
    # Filters of a group are free, so that any number of groups fits.
    filters = draw_filters(graph, x, groups)
    layer = {"type": "conv_transpose2d", "filters": filters}
    kernel = draw_pair(graph, 1, 5)
    dilation = draw_pair(graph, 1, 3) if graph.chance(0.2) else [1, 1]
    padding = "same" if stride else graph.draw("same valid numbers numbers numbers".split())
    stride = stride or draw_pair(graph, 1, graph.draw([1, 2, 2, 3]))
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    extra, border = [0, 0], [0, 0, 0, 0]
    if padding == "numbers":
        border = draw_border(graph, 3)
        extra = draw_pair(graph, 0, 2) if graph.chance(0.5) else extra
    elif padding == "same":
        shape = [x.shape[1 + axis] * stride[axis] for axis in (0, 1)]
    if padding == "valid":
        extra = [max(s - e, 0) for e, s in zip(extent, stride)]
    if padding != "same":
        shape = [(x.shape[1 + axis] + -1) * stride[axis] +
                 (extent[axis] + extra[axis] - border[axis] - border[axis + 2]) for axis in (0, 1)]
    result = Value("", fixed(filters) + shape)
    if min(map(graph.least, shape)) < 1 or graph.elements(result) > MOST_ELEMENTS:
        return None
    write_pair(layer, "kernel_size", kernel)
    write_pair(layer, "stride", stride, 1)
    write_pair(layer, "dilation", dilation, 1)
    if padding != "numbers":
        layer["padding"] = padding
    elif any(border):
        layer["padding"] = write_border(border)
    if padding == "numbers":
        write_pair(layer, "output_padding", extra, 0)
    if groups > 1:
        layer["groups"] = groups
    fan_in = x.channels / groups * math.prod(k / s for k, s in zip(kernel, stride))
    weight = graph.numbers([x.channels, filters // groups, *kernel], max(fan_in, 1)**-0.5)
    graph.kernel(layer, weight, (2, 3, 1, 0))
    add_bias(graph, layer, filters)
    return graph.add(layer, [x], result.shape)


def add_affine(graph, layer, shape):
    kind = graph.draw("both both both off weight bias".split())
    if kind == "off":
        layer["affine"] = False
        return
    graph.tensor(layer, "weight", None if kind == "bias" else graph.numbers(shape, 0.5) + 1)
    graph.tensor(layer, "bias", None if kind == "weight" else graph.numbers(shape, 0.3))


def add_epsilon(graph, layer):
    if graph.chance(0.6):
        layer["epsilon"] = graph.draw([1e-3, 1e-6, 0.01])


def batch_norm(graph, x):
    if not x.channels:
        return None
    layer = {"type": "batch_norm"}
    add_epsilon(graph, layer)
    graph.tensor(layer, "running_mean", graph.numbers([x.channels], 0.5))
    graph.tensor(layer, "running_var", abs(graph.numbers([x.channels], 1)) + 0.1)
    add_affine(graph, layer, [x.channels])
    return graph.add(layer, [x], x.shape)


def group_norm(graph, x):
    # One element has no variance.
    if not x.channels or graph.elements(x) < 2 * x.channels and x.channels < 4:
        return None
    divisors = [d for d in range(1, x.channels + 1)
                if x.channels % d == 0 and graph.elements(x) // d >= 4]
    if not divisors:
        return None
    layer = {"type": "group_norm", "groups": graph.draw(divisors)}
    add_epsilon(graph, layer)
    add_affine(graph, layer, [x.channels])
    return graph.add(layer, [x], x.shape)


def layer_norm(graph, x):
    turned = x.rank == 4 and graph.chance(0.4)
    shape = [x.shape[i] for i in (1, 2, 0)] if turned else x.shape
    axes = graph.integer(1, x.rank - 1)
    last = shape[-axes:]
    if any(dim.symbol for dim in last) or math.prod(dim.offset for dim in last) < 3:
        return None
    sizes = [dim.offset for dim in last]
    layer = {"type": "layer_norm"}
    if turned:
        layer["order"] = "NHWC"
    if axes > 1 or graph.chance(0.4):
        layer["shape"] = sizes if axes > 1 or graph.chance(0.5) else sizes[0]
    add_epsilon(graph, layer)
    add_affine(graph, layer, sizes)
    return graph.add(layer, [x], x.shape)


def rms_norm(graph, x):
    if not x.channels:
        return None
    layer = {"type": "rms_norm"}
    add_epsilon(graph, layer)
    if graph.chance(0.4):
        layer["l2"] = True
    add_affine(graph, layer, [x.channels])
    return graph.add(layer, [x], x.shape)


def embedding(graph, x):
    """Indices, then what they stand for: behind a codebook, which nothing else can use."""
    if not x.channels or x.rank > 4:
        return None
    entries = graph.draw([1, 7, 16, 40])
    # Far apart, so that rounding does not decide which one is the nearest.
    codebook = graph.numbers([entries, x.channels], 4 * max(1, x.channels)**-0.5)
    layer = {"type": "nearest_codebook", "entries": entries}
    graph.tensor(layer, "codebook", codebook)
    plain, graph.plain = graph.plain, True
    indices = graph.add(layer, [x], x.shape[1:])
    graph.plain = plain
    units = graph.draw([1, 3, 16, 20])
    layer = {"type": "embedding", "entries": entries, "units": units}
    graph.tensor(layer, "table", graph.numbers([entries, units], 1))
    return graph.add(layer, [indices], fixed(units) + x.shape[1:])


def prelu(graph, x):
    if not x.channels:
        return None
    layer = {"type": "prelu"}
    sizes = [dim.offset for dim in x.shape]
    if not any(dim.symbol for dim in x.shape) and graph.chance(0.3):
        layer["per"] = "element"
        weight = graph.numbers(sizes, 0.5)
        graph.kernel(layer, weight, (1, 2, 0) if x.rank == 4 else tuple(range(x.rank - 1)), role="weight")
        return graph.add(layer, [x], x.shape)
    graph.tensor(layer, "weight", graph.numbers([1 if graph.chance(0.3) else x.channels], 0.5))
    return graph.add(layer, [x], x.shape)


# Layers without tensors


def activation_keys(graph, kind):
    """The parameters of an activation, drawn or left out."""
    keys = {}
    if kind in ("leaky_relu", "elu") and graph.chance(0.6):
        keys["alpha"] = graph.draw([0.2, 0.3, 0.75, 1.5])
    if kind == "gelu" and graph.chance(0.5):
        keys["approximate"] = graph.draw(["tanh", "none"])
    if kind == "hard_sigmoid" and graph.chance(0.5):
        keys["slope"] = 0.2
    if kind == "clamp":
        keys.update(min=graph.draw([-1, -0.5, 0]), max=graph.draw([0.75, 2]))
    return keys


def elementwise(kind):
    return lambda graph, x: graph.add({"type": kind, **activation_keys(graph, kind)}, [x], x.shape)


def scale(graph, x):
    layer = {"type": "scale"}
    if graph.chance(0.8):
        layer["factor"] = graph.draw([0.5, 2, -1.25, 1 / 3])
    if graph.chance(0.7):
        layer["offset"] = graph.draw([0.25, -1, 0.1, 100 if graph.stress else 1])
    return graph.add(layer, [x], x.shape)


def draw_axis(graph, layer, x, axes=None):
    axis = graph.draw(axes or list(range(1, x.rank)))
    if axis != 1 or graph.chance(0.5):
        layer["axis"] = axis if graph.chance(0.6) else axis - x.rank
    return axis


def softmax(graph, x):
    layer = {"type": "softmax"}
    draw_axis(graph, layer, x)
    return graph.add(layer, [x], x.shape)


def dropout(graph, x):
    return graph.add({"type": "dropout", **({"rate": 0.25} if graph.chance(0.5) else {})}, [x], x.shape)


def upsample(graph, x, factors=None):
    if not x.is_image:
        return None
    factors = factors or draw_pair(graph, 1, 3)
    if graph.elements(x) * math.prod(factors) > MOST_ELEMENTS:
        return None
    layer = {"type": "upsample"}
    write_pair(layer, "scale", factors)
    mode = graph.draw(["nearest", "bilinear", ""])
    if mode:
        layer["mode"] = mode
    if mode == "bilinear" and graph.chance(0.5):
        layer["align_corners"] = graph.chance(0.7)
    return graph.add(layer, [x], x.shape[:1] + [dim * f for dim, f in zip(x.shape[1:], factors)])


def resize(graph, x):
    if not x.is_image:
        return None
    layer = {"type": "resize"}
    images = [value for value in graph.values if value.is_image]
    if graph.chance(0.5):
        like = graph.draw(images)
        inputs, shape = [x, like], like.shape[1:]
    else:
        size = draw_pair(graph, 1, 14)
        write_pair(layer, "size", size)
        inputs, shape = [x], fixed(*size)
    result = Value("", x.shape[:1] + shape)
    if graph.elements(result) > MOST_ELEMENTS:
        return None
    mode = graph.draw(["nearest", "nearest_exact", "bilinear", ""])
    if mode:
        layer["mode"] = mode
    if mode == "bilinear" and graph.chance(0.5):
        layer["align_corners"] = graph.chance(0.7)
    return graph.add(layer, inputs, result.shape)


def pixel_shuffle(graph, x):
    factors = [r for r in (1, 2, 3) if x.is_image and x.channels % r**2 == 0]
    if not factors:
        return None
    r = factors[-1]
    return graph.add({"type": "pixel_shuffle", "factor": r}, [x],
                     fixed(x.channels // r**2) + [dim * r for dim in x.shape[1:]])


def pixel_unshuffle(graph, x):
    factors = [r for r in (1, 2, 3) if x.is_image and not any(dim.scale % r or dim.offset % r for dim in x.shape[1:])]
    if not factors:
        return None
    r = factors[-1]
    return graph.add({"type": "pixel_unshuffle", "factor": r}, [x],
                     fixed(x.channels * r**2) + [dim.divided(r) for dim in x.shape[1:]])


def repeat_channels(graph, x):
    repeats = graph.integer(1, 4)
    if not x.channels or graph.elements(x) * repeats > MOST_ELEMENTS:
        return None
    return graph.add({"type": "repeat_channels", "repeats": repeats}, [x], fixed(x.channels * repeats) + x.shape[1:])


def mean_channels(graph, x):
    if not x.channels:
        return None
    group = graph.draw([d for d in range(1, min(x.channels, 8) + 1) if x.channels % d == 0])
    return graph.add({"type": "mean_channels", "group": group}, [x], fixed(x.channels // group) + x.shape[1:])


def glu(graph, x):
    if not x.channels or x.channels % 2:
        return None
    layer = {"type": "glu"}
    kind = graph.draw(["", "", *ACTIVATIONS])
    if kind:
        keys = activation_keys(graph, kind)
        layer["gate"] = {"type": kind, **keys} if keys else kind
    return graph.add(layer, [x], fixed(x.channels // 2) + x.shape[1:])


def attention(graph, x):
    """Of an image, or of [N, S, C]; keys and values of other sizes too."""
    axis = 0 if x.is_image else 1
    if not x.is_image and x.rank != 3 or x.shape[axis].symbol:
        return None
    channels = x.shape[axis].offset

    def fits(value):
        return value.rank == x.rank and value.is_image == x.is_image and not value.shape[axis].symbol

    keys = [value for value in graph.values if fits(value) and value.shape[axis] == x.shape[axis]]
    key = graph.draw(keys)

    def same_positions(value):
        return fits(value) and all(a == b for i, (a, b) in enumerate(zip(value.shape, key.shape)) if i != axis)

    value = graph.draw([value for value in graph.values if same_positions(value)])
    if graph.elements(x) // channels * graph.elements(key) > 40 * MOST_ELEMENTS:
        return None
    heads = graph.draw([h for h in range(1, min(channels, 8) + 1)
                        if channels % h == 0 and value.shape[axis].offset % h == 0])
    layer = {"type": "attention"}
    if heads > 1 or graph.chance(0.3):
        layer["heads"] = heads
    if graph.chance(0.4):
        layer["scale"] = graph.draw([0.25, 0.5, 1.0])
    shape = list(x.shape)
    shape[axis] = value.shape[axis]
    return graph.add(layer, [x, key, value], shape)


def linear_attention(graph, x):
    if not x.is_image or x.channels % 3:
        return None
    third = x.channels // 3
    size = graph.draw([d for d in range(1, third + 1) if third % d == 0])
    # Weights whose sum is 0 leave nothing but epsilon to divide by.
    layer = {"type": "linear_attention", "head_dim": size, "epsilon": graph.draw([0.1, 1.0])}
    return graph.add(layer, [x], fixed(third) + x.shape[1:])


def pool(kind):

    def build(graph, x):
        layer = {"type": kind}
        window = draw_window(graph, x, layer, graph.draw([1, 2, 2, 3, 4]), False) if x.is_image else None
        if not window:
            return None
        if kind == "avg_pool2d" and graph.chance(0.5):
            layer["count_include_pad"] = graph.chance(0.5)
        return graph.add(layer, [x], x.shape[:1] + window[1])

    return build


def global_pool(kind):
    return lambda graph, x: graph.add({"type": kind}, [x], x.shape[:1]) if x.is_image else None


def combine(kind):
    """add and mul: with values of the same shape that are already there."""

    def build(graph, x):
        others = [value for value in graph.values if value.shape == x.shape]
        inputs = [x] + [graph.draw(others) for _ in range(graph.draw([1, 1, 1, 2]))]
        graph.shuffle(inputs)
        return graph.add({"type": kind}, inputs, x.shape)

    return build


def concat(graph, x):
    layer = {"type": "concat"}
    axis = draw_axis(graph, layer, x, [1, 1] + list(range(1, x.rank)))

    def others_equal(value):
        return value.rank == x.rank and all(a == b for i, (a, b) in enumerate(zip(value.shape, x.shape))
                                            if i != axis - 1)

    fitting = [value for value in graph.values if others_equal(value) and not value.shape[axis - 1].symbol]
    if x.shape[axis - 1].symbol or not fitting:
        return None
    count = graph.draw([0, 1, 1, 2, 3])
    inputs = [x] + [graph.draw(fitting) for _ in range(count)]
    graph.shuffle(inputs)
    shape = list(x.shape)
    shape[axis - 1] = Dim(sum(value.shape[axis - 1].offset for value in inputs))
    result = Value("", shape)
    if graph.elements(result) > MOST_ELEMENTS or result.channels and result.channels > 2 * MOST_CHANNELS:
        return None
    return graph.add(layer, inputs, shape)


def split(graph, x):
    axes = [axis for axis in range(1, x.rank)
            if not x.shape[axis - 1].symbol and x.shape[axis - 1].offset > 1]
    if not axes:
        return None
    layer = {"type": "split"}
    axis = draw_axis(graph, layer, x, axes)
    size = x.shape[axis - 1].offset
    layer["sections"] = graph.draw([d for d in range(1, min(size, 6) + 1) if size % d == 0])
    shape = list(x.shape)
    shape[axis - 1] = Dim(size // layer["sections"])
    return graph.add(layer, [x], shape, layer["sections"])


def factors_of(graph, count, parts):
    sizes = []
    for _ in range(parts - 1):
        size = graph.draw([d for d in range(1, count + 1) if count % d == 0 and d <= 64])
        sizes.append(size)
        count //= size
    return sizes + [count]


def reshape(graph, x, sizes=None):
    if not x.is_fixed:
        return None
    sizes = sizes or factors_of(graph, x.count, graph.draw([1, 2, 3, 3, 4]))
    if len(sizes) > 1 and sizes[0] > 300:
        sizes.reverse()
    layer = {"type": "reshape", "shape": list(sizes)}
    if graph.chance(0.3):
        layer["shape"][graph.integer(0, len(sizes) - 1)] = -1
    order = graph.draw(["", "NCHW", "NHWC"])
    if order:
        layer["order"] = order
    if order == "NHWC" and len(sizes) == 3:
        sizes = [sizes[2], sizes[0], sizes[1]]
    return graph.add(layer, [x], fixed(*sizes))


def flatten(graph, x):
    if not x.is_fixed:
        return None
    order = graph.draw(["", "NCHW", "NHWC"])
    return graph.add({"type": "flatten", **({"order": order} if order else {})}, [x], fixed(x.count))


def transpose(graph, x):
    axes = list(range(1, x.rank))
    if not x.is_fixed:  # channels stay known
        axes = [1] + graph.shuffle(axes[1:])
    else:
        graph.shuffle(axes)
    return graph.add({"type": "transpose", "perm": [0] + axes}, [x], [x.shape[axis - 1] for axis in axes])


def pad(graph, x, border=None):
    if not x.is_image:
        return None
    border = border or draw_border(graph, 3)
    layer = {"type": "pad", "padding": write_border(border)}
    if graph.chance(0.5):
        layer["value"] = graph.draw([0, 1, -0.5])
    shape = [dim + border[axis] + border[axis + 2] for axis, dim in enumerate(x.shape[1:])]
    return graph.add(layer, [x], x.shape[:1] + shape)


def crop(graph, x, border=None):
    if not x.is_image:
        return None
    border = border or draw_border(graph, 2)
    shape = [dim + (-border[axis] - border[axis + 2]) for axis, dim in enumerate(x.shape[1:])]
    if min(map(graph.least, shape)) < 1:
        return None
    return graph.add({"type": "crop", "border": write_border(border)}, [x], x.shape[:1] + shape)


CANDIDATES = {
    **{kind: elementwise(kind) for kind in ACTIVATIONS},
    **{kind: pool(kind) for kind in ("max_pool2d", "avg_pool2d")},
    **{kind: global_pool(kind) for kind in ("global_max_pool2d", "global_avg_pool2d")},
    **{kind: combine(kind) for kind in ("add", "mul")},
    **{f.__name__: f for f in (dense, conv2d, conv_transpose2d, depthwise_conv2d, batch_norm, group_norm, layer_norm,
                               rms_norm, embedding, resize, pixel_shuffle, pixel_unshuffle, repeat_channels,
                               mean_channels, glu, attention, linear_attention, prelu, scale, softmax, dropout, upsample, concat, split, reshape, flatten, transpose,
                               pad, crop)},
}
