# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every layer of Keras that is imported, as a small model with random weights:
the compiled encoder gives what Keras gives.

Usage: keras_layers.py --vaec FILE --runtime FILE
"""
import re
import sys
import tempfile

from compile_keras import Checks, Compiler, L, keras, np, parse_arguments, pathlib, randomize

IMAGE, VECTOR, SEQUENCE = (7, 10, 3), (13,), (5, 6)


def one(make, shape=IMAGE):
    """A model of one layer."""
    x = L.Input(shape)
    return keras.Model(x, make()(x))


def many(make, *shapes):
    """A model of a layer with several inputs, made of one."""
    x = L.Input(shapes[0])
    parts = [L.Conv2D(shape[-1], 1)(x) if len(shape) == 3 else L.Dense(shape[-1])(x) for shape in shapes]
    return keras.Model(x, make()(parts))


def convolutions():
    for padding in ("same", "valid"):
        for stride in (1, 2, (2, 3)):
            for kernel in (3, 4, 5, (1, 3)):
                yield f"Conv2D {kernel} {stride} {padding}", lambda k=kernel, s=stride, p=padding: one(
                    lambda: L.Conv2D(4, k, strides=s, padding=p))
                yield f"Conv2DTranspose {kernel} {stride} {padding}", lambda k=kernel, s=stride, p=padding: one(
                    lambda: L.Conv2DTranspose(4, k, strides=s, padding=p))
        for kernel, stride, extra in ((3, 2, 1), (4, 2, 0), (5, 3, 2), (2, 2, 1)):
            yield f"Conv2DTranspose output_padding {extra} of {kernel}/{stride} {padding}", lambda k=kernel, s=stride, e=extra, p=padding: one(
                lambda: L.Conv2DTranspose(4, k, strides=s, padding=p, output_padding=e))
        yield f"Conv2D dilation {padding}", lambda p=padding: one(lambda: L.Conv2D(4, 3, dilation_rate=(2, 1), padding=p))
        for stride in (1, 2):
            yield f"DepthwiseConv2D {stride} {padding}", lambda s=stride, p=padding: one(
                lambda: L.DepthwiseConv2D(3, strides=s, depth_multiplier=2, padding=p, activation="relu"))
            yield f"SeparableConv2D {stride} {padding}", lambda s=stride, p=padding: one(
                lambda: L.SeparableConv2D(5, (3, 2) if s == 1 else 3, strides=s, depth_multiplier=2, padding=p))
            yield f"MaxPooling2D {stride} {padding}", lambda s=stride, p=padding: one(
                lambda: L.MaxPooling2D(3, strides=s, padding=p))
            yield f"AveragePooling2D {stride} {padding}", lambda s=stride, p=padding: one(
                # Where the border is uneven Keras' backends differ.
                lambda: L.AveragePooling2D((2, 3) if p == "valid" else 4 - s, strides=s, padding=p))
    yield "Conv2D groups", lambda: one(lambda: L.Conv2D(8, 3, groups=2, padding="same"), (6, 5, 4))
    yield "Conv2D without bias", lambda: one(lambda: L.Conv2D(4, 3, use_bias=False))
    yield "Conv2DTranspose without bias", lambda: one(lambda: L.Conv2DTranspose(4, 3, use_bias=False))
    yield "MaxPooling2D default", lambda: one(lambda: L.MaxPooling2D())
    yield "AveragePooling2D default", lambda: one(lambda: L.AveragePooling2D(3))
    for keep in (False, True):
        yield f"GlobalAveragePooling2D {keep}", lambda k=keep: one(lambda: L.GlobalAveragePooling2D(keepdims=k))
        yield f"GlobalMaxPooling2D {keep}", lambda k=keep: one(lambda: L.GlobalMaxPooling2D(keepdims=k))


def dense_and_norms():
    for shape in (VECTOR, IMAGE, SEQUENCE):
        yield f"Dense on {shape}", lambda s=shape: one(lambda: L.Dense(6, activation="tanh"), s)
        yield f"BatchNormalization on {shape}", lambda s=shape: one(lambda: L.BatchNormalization(), s)
        yield f"LayerNormalization on {shape}", lambda s=shape: one(lambda: L.LayerNormalization(), s)
    yield "Dense without bias", lambda: one(lambda: L.Dense(6, use_bias=False), VECTOR)
    for scale in (False, True):
        for center in (False, True):
            for kind in ("BatchNormalization", "LayerNormalization", "GroupNormalization"):
                more = {"groups": 3} if kind[0] == "G" else {}
                yield f"{kind} scale {scale} center {center}", lambda k=kind, s=scale, c=center, m=more: one(
                    lambda: getattr(L, k)(scale=s, center=c, epsilon=0.01, **m))
    yield "GroupNormalization of 2", lambda: one(lambda: L.GroupNormalization(2), (5, 7, 4))
    yield "GroupNormalization per channel", lambda: one(lambda: L.GroupNormalization(-1))
    yield "LayerNormalization of all axes", lambda: one(lambda: L.LayerNormalization(axis=[1, 2, 3]))


def activations():
    for name in ("relu", "relu6", "leaky_relu", "sigmoid", "tanh", "silu", "swish", "gelu", "mish", "softplus", "selu", "elu",
                 "exponential", "hard_sigmoid", "hard_silu", "hard_swish", "softmax", "linear"):
        yield f"Activation {name}", lambda n=name: one(lambda: L.Activation(n))
        yield f"activation {name}", lambda n=name: one(lambda: L.Conv2D(4, 3, activation=n))
    yield "ReLU", lambda: one(lambda: L.ReLU())
    yield "ReLU 6", lambda: one(lambda: L.ReLU(max_value=6))
    yield "ReLU slope", lambda: one(lambda: L.ReLU(negative_slope=0.1))
    yield "LeakyReLU", lambda: one(lambda: L.LeakyReLU())
    yield "LeakyReLU 0.2", lambda: one(lambda: L.LeakyReLU(negative_slope=0.2))
    yield "activation LeakyReLU", lambda: one(lambda: L.Dense(4, activation=L.LeakyReLU(negative_slope=0.1)), VECTOR)
    yield "activation ReLU", lambda: one(lambda: L.Dense(4, activation=L.ReLU(max_value=1.0)), VECTOR)
    yield "ELU", lambda: one(lambda: L.ELU(alpha=0.5))
    yield "Softmax", lambda: one(lambda: L.Softmax())
    yield "Softmax of rows", lambda: one(lambda: L.Softmax(axis=1))
    for axes in (None, [1, 2], [1, 2, 3]):
        yield f"PReLU shared {axes}", lambda a=axes: one(lambda: L.PReLU(shared_axes=a))
    yield "PReLU of vectors", lambda: one(lambda: L.PReLU(), VECTOR)
    yield "PReLU shared, of vectors", lambda: one(lambda: L.PReLU(shared_axes=[1]), VECTOR)


def movement():
    yield "Flatten", lambda: one(lambda: L.Flatten())
    yield "Reshape to an image", lambda: one(lambda: L.Reshape((2, 3, 4)), (24,))
    yield "Reshape of an image", lambda: one(lambda: L.Reshape((5, -1, 6)))
    yield "Reshape to rows", lambda: one(lambda: L.Reshape((21, 10)))
    yield "Permute", lambda: one(lambda: L.Permute((3, 1, 2)))
    yield "Permute rows", lambda: one(lambda: L.Permute((2, 1)), SEQUENCE)
    for axis in (-1, 1, 2, 3):
        yield f"Concatenate {axis}", lambda a=axis: many(
            lambda: L.Concatenate(axis=a), IMAGE, IMAGE[:2] + (5 if a in (-1, 3) else 3,))
    yield "Concatenate vectors", lambda: many(lambda: L.Concatenate(), VECTOR, (4,), (1,))
    for kind, count in (("Add", 3), ("Multiply", 3), ("Subtract", 2), ("Average", 3)):
        yield kind, lambda k=kind, c=count: many(lambda: getattr(L, k)(), *[IMAGE] * c)
    for mode in ("nearest", "bilinear"):
        for size in (2, (3, 2)):
            yield f"UpSampling2D {mode} {size}", lambda m=mode, s=size: one(lambda: L.UpSampling2D(s, interpolation=m))
    for border in (1, (2, 1), ((1, 2), (0, 3))):
        yield f"ZeroPadding2D {border}", lambda b=border: one(lambda: L.ZeroPadding2D(b))
        yield f"Cropping2D {border}", lambda b=border: one(lambda: L.Cropping2D(b))
    yield "Rescaling", lambda: one(lambda: L.Rescaling(1 / 127.5, offset=-1))
    for kind in ("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise"):
        yield kind, lambda k=kind: one(lambda: getattr(L, k)(0.25))
    yield "ActivityRegularization", lambda: one(lambda: L.ActivityRegularization(0.1))
    yield "Identity", lambda: one(lambda: L.Identity())


def finish_with_layer(model):
    """A native encoder needs a layer of its own even where Keras' does nothing."""
    if any(weight.shape for weight in model.weights):
        return model
    return keras.Model(model.inputs, L.Activation("sigmoid")(L.Rescaling(1.0)(model.outputs[0])))


def check(compiler, checks, name, make, seed):
    keras.utils.clear_session()
    model = randomize(finish_with_layer(make()), seed)
    if model.outputs[0].ndim > 4:
        raise ValueError("not an image")
    x = np.random.default_rng(seed).normal(size=(2, *model.inputs[0].shape[1:])).astype("float32")
    path = compiler.path("layer.keras")
    model.save(path)
    found = compiler.compile(f"--encoder={path}")
    checks.compare(name, found.run("encode", x)["z"], model.predict(x, verbose=0))


def check_table(checks):
    """Each row of the table is in a case."""
    text = (pathlib.Path(__file__).resolve().parents[3] / "compiler/import/keras/Layers.def").read_text()
    names = " ".join(name for part in CASES for name, _ in part())
    for row in re.findall(r'^KERAS_(?:LAYER|ACTIVATION)\("(\w+)"', text, re.M):
        assert re.search(rf"\b{row}\b", names), f"{row} is not tested"


CASES = [convolutions, dense_and_norms, activations, movement]


def main():
    arguments = parse_arguments()
    checks = Checks()
    checks.run("table", check_table, checks)
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(arguments.vaec, arguments.runtime, folder)
        cases = [case for part in CASES for case in part() if arguments.only in case[0]]
        for seed, (name, make) in enumerate(cases):
            checks.run(name, check, compiler, checks, name, make, seed)
    return checks.finish(1 if arguments.only else 150)


sys.exit(main())
