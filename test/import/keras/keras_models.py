# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole models of Keras in every form in which they are saved: what the compiled
encoder and decoder give is what Keras gives.

Usage: keras_models.py --vaec FILE --runtime FILE
"""
import json
import sys
import tempfile

import h5py

from compile_keras import Checks, Compiler, L, Sampling, keras, np, parse_arguments, randomize

Model = keras.Model


def mlp(width=20, latent=3, sampling=True):
    x = L.Input((width,), name="x")
    h = L.Dense(16, activation="relu")(x)
    mean, logvar = L.Dense(latent, name="z_mean")(h), L.Dense(latent, name="z_log_var")(h)
    outputs = [mean, logvar, Sampling(name="z")([mean, logvar])] if sampling else [mean, logvar]
    encoder = Model(x, outputs, name="encoder")
    z = L.Input((latent,), name="z_in")
    decoder = Model(z, L.Dense(width, activation="sigmoid")(L.Dense(16, activation="relu")(z)), name="decoder")
    return randomize(encoder, 1), randomize(decoder, 2)


def conv(latent=4, size=(14, 10)):
    height, width = size
    x = L.Input((*size, 1), name="image")
    h = L.Conv2D(8, 3, strides=2, padding="same")(x)
    h = L.LeakyReLU(negative_slope=0.2)(L.BatchNormalization()(h))
    h = L.Dropout(0.3)(L.Flatten()(h))
    h = L.Dense(16, activation="relu")(h)
    mean, logvar = L.Dense(latent, name="z_mean")(h), L.Dense(latent, name="z_log_var")(h)
    encoder = Model(x, [mean, logvar, Sampling()([mean, logvar])], name="encoder")
    z = L.Input((latent,))
    h = L.Reshape((height // 2, width // 2, 8))(L.Dense(height // 2 * width // 2 * 8, activation="relu")(z))
    h = L.BatchNormalization()(L.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(h))
    decoder = Model(z, L.Conv2DTranspose(1, 3, padding="same", activation="sigmoid")(h), name="decoder")
    return randomize(encoder, 3), randomize(decoder, 4)


def conditional():
    x, label = L.Input((12,), name="pixels"), L.Input((5,), name="label")
    h = L.Dense(16, activation="relu")(L.Concatenate()([x, label]))
    mean, logvar = L.Dense(2, name="mu")(h), L.Dense(2, name="logvar")(h)
    encoder = Model([x, label], [mean, logvar, Sampling()([mean, logvar])], name="encoder")
    z, again = L.Input((2,), name="latent"), L.Input((5,), name="decoder_label")
    y = L.Dense(12)(L.Dense(16, activation="relu")(L.Concatenate()([z, again])))
    decoder = Model([z, again], y, name="decoder")
    return randomize(encoder, 5), randomize(decoder, 6)


def check(checks, name, found, encoder, decoder, *, x, z, condition=None, entries=("mu", "logvar")):
    """The compiled model against both parts."""
    more = [] if condition is None else [condition]
    if encoder is not None:
        expected = encoder.predict([x, *more] if more else x, verbose=0)
        expected = expected if isinstance(expected, list) else [expected]
        results = found.run("encode", x, *more)
        for entry, value in zip(entries, expected):
            checks.compare(f"{name}: {entry}", results[entry], value)
    if decoder is not None:
        expected = decoder.predict([z, *more] if more else z, verbose=0)
        y = expected[0] if isinstance(expected, list) else expected
        checks.compare(f"{name}: y", found.run("decode", z, *more)["y"], y)
    if encoder is not None and decoder is not None:
        code = encoder.predict([x, *more] if more else x, verbose=0)
        code = code[0] if isinstance(code, list) else code
        y = decoder.predict([code, *more] if more else code, verbose=0)
        results = found.run("reconstruct", x, *more)
        checks.compare(f"{name}: reconstruct", results["y"], y[0] if isinstance(y, list) else y)


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


class Cases:
    def __init__(self, compiler, checks):
        self.compiler, self.checks = compiler, checks

    def save(self, model, name):
        path = self.compiler.path(name)
        model.save(path)
        return path

    def compare(self, name, files, parts, **more):
        encoder, decoder = parts
        if encoder is not None and "x" not in more:
            more["x"] = normal(7, 2, *encoder.inputs[0].shape[1:])
        if decoder is not None and "z" not in more:
            more["z"] = normal(8, 2, *decoder.inputs[0].shape[1:])
        check(self.checks, name, self.compiler.compile(*files), *parts, **{"x": None, "z": None, **more})

    # One file.

    def nested(self):
        for make in (mlp, conv):
            encoder, decoder = make()
            whole = Model(encoder.inputs, decoder(encoder(encoder.inputs)[2]), name="vae")
            for name in ("vae.keras", "vae.h5", "vae.hdf5"):
                self.compare(f"nested {make.__name__} {name}", [self.save(whole, name)], (encoder, decoder))

    def hdf5_named_keras(self):
        encoder, decoder = mlp()
        whole = Model(encoder.inputs, decoder(encoder(encoder.inputs)[2]), name="vae")
        path = self.save(whole, "vae.h5")
        renamed = path.with_suffix(".keras")
        path.rename(renamed)
        self.compare("HDF5 called .keras", [renamed], (encoder, decoder))

    def flat(self):
        """Layers of both parts in one model, with the heads as outputs too."""
        x = L.Input((9,))
        h = L.Dense(8, activation="silu")(x)
        mean, logvar = L.Dense(2)(h), L.Dense(2)(h)
        z = Sampling()([mean, logvar])
        middle = L.Dense(8, activation="silu")(z)
        y = L.Dense(9)(middle)
        whole = randomize(Model(x, [y, mean, logvar]), 9)
        encoder = Model(x, [mean, logvar])
        code = L.Input((2,))
        decoder = self.decoder_of(whole, code)
        for name in ("flat.keras", "flat.h5"):
            self.compare(name, [self.save(whole, name)], (encoder, decoder))

    @staticmethod
    def decoder_of(whole, code):
        dense = [layer for layer in whole.layers if isinstance(layer, L.Dense)]
        value = code
        for layer in dense:
            if layer.kernel.shape[0] == 2 or layer.kernel.shape == (8, 9):
                value = layer(value)
        return Model(code, value)

    def subclass(self):
        @keras.saving.register_keras_serializable(package="test")
        class VAE(Model):
            def __init__(self, encoder, decoder, **more):
                super().__init__(**more)
                self.encoder, self.decoder = encoder, decoder

            def call(self, x):
                return self.decoder(self.encoder(x)[2])

            def get_config(self):
                return {**super().get_config(), "encoder": keras.saving.serialize_keras_object(self.encoder),
                        "decoder": keras.saving.serialize_keras_object(self.decoder)}

        encoder, decoder = conv()
        whole = VAE(encoder, decoder)
        whole(normal(1, 1, 14, 10, 1))
        self.compare("subclass", [self.save(whole, "subclass.keras")], (encoder, decoder))

    def sequential(self):
        """An autoencoder: a sequence of two sequences."""
        encoder = keras.Sequential([L.Input((6, 8, 2)), L.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
                                    L.Flatten(), L.Dense(5)])
        decoder = keras.Sequential([L.Input((5,)), L.Dense(48, activation="relu"), L.Reshape((3, 4, 4)),
                                    L.UpSampling2D(), L.Conv2D(2, 3, padding="same")])
        whole = keras.Sequential([L.Input((6, 8, 2)), encoder, decoder])
        randomize(whole, 11)
        for name in ("sequential.keras", "sequential.h5"):
            self.compare(name, [self.save(whole, name)], (encoder, decoder), entries=("z",))
        files = [f"--encoder={self.save(encoder, 'e.keras')}", f"--decoder={self.save(decoder, 'd.h5')}"]
        self.compare("two sequences", files, (encoder, decoder), entries=("z",))

    def json_and_weights(self):
        encoder, decoder = conv()
        whole = Model(encoder.inputs, decoder(encoder(encoder.inputs)[2]), name="vae")
        text, weights = self.compiler.path("vae.json"), self.compiler.path("vae.weights.h5")
        text.write_text(whole.to_json())
        whole.save_weights(weights)
        self.compare("to_json and .weights.h5", [text, f"--weights={weights}"], (encoder, decoder))

    # Two files.

    def two_files(self):
        for make in (mlp, conv):
            encoder, decoder = make()
            for ending in ("keras", "h5"):
                files = [f"--encoder={self.save(encoder, 'e.' + ending)}", f"--decoder={self.save(decoder, 'd.' + ending)}"]
                self.compare(f"two {ending} files, {make.__name__}", files, (encoder, decoder))
            self.compare(f"encoder alone, {make.__name__}", files[:1], (encoder, None))
            self.compare(f"decoder alone, {make.__name__}", files[1:], (None, decoder))
            self.compare("encoder as the model", [self.save(encoder, "e.keras")], (encoder, None))
            self.compare("decoder as the model", [self.save(decoder, "d.keras")], (None, decoder))

    def two_json_files(self):
        encoder, decoder = mlp()
        files = []
        for name, model in (("encoder", encoder), ("decoder", decoder)):
            text, weights = self.compiler.path(f"{name}.json"), self.compiler.path(f"{name}.weights.h5")
            text.write_text(model.to_json())
            model.save_weights(weights)
            files += [f"--{name}={text}", f"--{name}-weights={weights}"]
        self.compare("two JSON files", files, (encoder, decoder))

    def conditional(self):
        encoder, decoder = conditional()
        files = [f"--encoder={self.save(encoder, 'e.keras')}", f"--decoder={self.save(decoder, 'd.keras')}"]
        self.compare("conditional, two files", files, (encoder, decoder), condition=normal(3, 2, 5))
        x, label = encoder.inputs
        whole = Model([x, label], decoder([encoder([x, label])[2], label]))
        for name in ("conditional.keras", "conditional.h5"):
            self.compare(name, [self.save(whole, name)], (encoder, decoder), condition=normal(3, 2, 5))

    # The latent.

    def heads(self):
        """Without a layer that samples: order, names, halves, --latent."""
        encoder, decoder = mlp(sampling=False)
        files = lambda e, d: [f"--encoder={self.save(e, 'e.keras')}", f"--decoder={self.save(d, 'd.keras')}"]
        self.compare("two outputs", files(encoder, decoder), (encoder, decoder))
        swapped = Model(encoder.inputs, encoder.outputs[::-1])
        self.compare("names win", files(swapped, decoder), (encoder, decoder))
        x = L.Input((20,))
        wide = randomize(Model(x, L.Dense(6, name="head")(L.Dense(8, activation="elu")(x))), 12)
        y = normal(7, 2, 20)
        halves = np.split(wide.predict(y, verbose=0), 2, axis=1)
        found = self.compiler.compile(*files(wide, decoder)).run("encode", y)
        self.checks.compare("halves: mu", found["mu"], halves[0])
        self.checks.compare("halves: logvar", found["logvar"], halves[1])
        found = self.compiler.compile(*files(wide, decoder), "--latent=head:interleaved").run("encode", y)
        self.checks.compare("interleaved: mu", found["mu"], wide.predict(y, verbose=0)[:, ::2])
        found = self.compiler.compile(*files(encoder, decoder), "--latent=z_log_var,z_mean").run("encode", y)
        self.checks.compare("--latent", found["mu"], encoder.predict(y, verbose=0)[1])

    def learned_variance(self):
        z = L.Input((3,))
        h = L.Dense(8, activation="relu")(z)
        decoder = randomize(Model(z, [L.Dense(20, name="x_mean")(h), L.Dense(20, name="x_log_var")(h)]), 13)
        encoder, _ = mlp()
        files = [f"--encoder={self.save(encoder, 'e.keras')}", f"--decoder={self.save(decoder, 'd.keras')}"]
        z = normal(4, 2, 3)
        found = self.compiler.compile(*files).run("decode", z)
        for name, value in zip(("y", "y_logvar"), decoder.predict(z, verbose=0)):
            self.checks.compare(f"learned variance: {name}", found[name], value)

    def weight_types(self):
        """Weights of other types are read as they are, and computed with in f32."""
        def make():
            x = L.Input((6,), dtype="float32")
            return Model(x, [L.Dense(2, name="z_mean")(x), L.Dense(2, name="z_log_var")(x)])

        plain = make()
        for policy in ("bfloat16", "float16", "float64", "mixed_float16"):
            keras.config.set_dtype_policy(policy)
            try:
                model = randomize(make(), 18)
                path = self.save(model, f"{policy}.keras")
            finally:
                keras.config.set_dtype_policy("float32")
            plain.set_weights([keras.ops.convert_to_numpy(keras.ops.cast(w, "float32")) for w in model.weights])
            self.compare(f"weights of {policy}", [f"--encoder={path}"], (plain, None))

    # Sizes that are open.

    def any_size(self):
        x = L.Input((None, None, 3))
        h = L.Conv2D(8, 4, strides=2, padding="same", activation="relu")(x)
        h = L.Conv2D(8, 3, strides=2, padding="same", activation="relu")(h)
        mean, logvar = L.Conv2D(2, 1)(h), L.Conv2D(2, 1)(h)
        encoder = randomize(Model(x, [mean, logvar, Sampling()([mean, logvar])]), 14)
        z = L.Input((None, None, 2))
        h = L.Conv2DTranspose(8, 4, strides=2, padding="same", activation="relu")(z)
        decoder = randomize(Model(z, L.Conv2DTranspose(3, 4, strides=2, padding="same")(h)), 15)
        files = [f"--encoder={self.save(encoder, 'e.keras')}", f"--decoder={self.save(decoder, 'd.keras')}"]
        self.compare("any size", files, (encoder, decoder), x=normal(1, 2, 40, 72, 3), z=normal(2, 2, 10, 18, 2))

    # Files of Keras 2, as it wrote them.

    def keras2(self):
        encoder, decoder = conv()
        whole = Model(encoder.inputs, decoder(encoder(encoder.inputs)[2]), name="vae")
        config = json.loads(whole.to_json())
        text, weights = self.compiler.path("keras2.json"), self.compiler.path("keras2.h5")
        text.write_text(json.dumps({**to_keras2(config), "keras_version": "2.12.0", "backend": "tensorflow"}))
        write_keras2(weights, whole)
        self.compare("Keras 2, JSON and weights", [text, f"--weights={weights}"], (encoder, decoder))
        complete = self.compiler.path("keras2-whole.h5")
        write_keras2(complete, whole, config)
        self.compare("Keras 2, one file", [complete], (encoder, decoder))

    def shared(self):
        """A layer called twice, and one that is not trained."""
        x = L.Input((6,))
        layer = L.Dense(6, activation="tanh")
        frozen = L.Dense(4, name="frozen")
        h = L.BatchNormalization()(layer(layer(x)))
        mean, logvar = L.Dense(2)(frozen(h)), L.Dense(2)(frozen(h))
        encoder = randomize(Model(x, [mean, logvar], name="encoder"), 16)
        frozen.trainable = False
        z = L.Input((2,))
        decoder = randomize(Model(z, L.Dense(6)(z), name="decoder"), 17)
        whole = Model(x, decoder(encoder(x)[0]))
        for name in ("shared.keras", "shared.h5"):
            self.compare(name, [self.save(whole, name)], (encoder, decoder))


def to_keras2(value):
    """A config as Keras 2 wrote it: other keys, and edges that are lists."""
    if isinstance(value, list):
        return [to_keras2(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    result = {}
    for key, item in value.items():
        if key in ("module", "registered_name", "build_config", "compile_config", "shared_object_id"):
            continue
        if key == "inbound_nodes":
            item = [[edge(tensor) for tensor in find_tensors(node)] for node in item]
        elif key in ("input_layers", "output_layers"):
            item = [item] if isinstance(item[0], str) else item
        else:
            item = to_keras2(item)
        result[{"batch_shape": "batch_input_shape"}.get(key, key)] = item
    if value.get("class_name") == "LeakyReLU":
        result["config"]["alpha"] = result["config"].pop("negative_slope")
    if value.get("class_name") == "BatchNormalization":
        result["config"]["axis"] = [3] if result["config"]["axis"] == -1 else result["config"]["axis"]
    return result


def find_tensors(node):
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            return [node["config"]["keras_history"]]
        node = list(node.values())
    return [found for item in node for found in find_tensors(item)] if isinstance(node, list) else []


def edge(history):
    name, node, tensor = history
    # Keras 2 counts the node that a nested model has from the start.
    return [name, node + (name in ("encoder", "decoder")), tensor, {}]


def write_keras2(path, model, config=None):
    """The layout of tf.keras.Model.save_weights and save."""
    with h5py.File(path, "w") as file:
        group = file
        if config:
            file.attrs["model_config"] = json.dumps(to_keras2(config)).encode()
            file.attrs["keras_version"] = b"2.12.0"
            file.attrs["backend"] = b"tensorflow"
            group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        group.attrs["backend"] = b"tensorflow"
        group.attrs["keras_version"] = b"2.12.0"
        for layer in model.layers:
            part = group.create_group(layer.name)
            weights = layer.trainable_weights + layer.non_trainable_weights
            names = [f"{weight.path}:0" for weight in weights]
            part.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, weights):
                part.create_dataset(name, data=keras.ops.convert_to_numpy(weight))


def main():
    arguments = parse_arguments()
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        cases = Cases(Compiler(arguments.vaec, arguments.runtime, folder), checks)
        for name in [name for name in vars(Cases) if not name.startswith("_") and name not in
                     ("save", "compare", "decoder_of") and arguments.only in name]:
            keras.utils.clear_session()
            checks.run(name, getattr(cases, name))
    return checks.finish(1 if arguments.only else 60)


sys.exit(main())
