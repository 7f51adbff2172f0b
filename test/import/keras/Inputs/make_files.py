# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes files of Keras that are damaged, hostile or beyond what is supported,
without Keras itself.

Usage: make_files.py FOLDER
"""
import io
import json
import os
import sys
import zipfile

import h5py
import numpy as np

FLOATS = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}


def layer(class_name, name, source=None, module="keras.layers", **config):
    sources = [] if source is None else [source] if isinstance(source, str) else source
    tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": [s, 0, 0]}} for s in sources]
    nodes = [{"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": {}}] if tensors else []
    return {"module": module, "class_name": class_name, "config": {"name": name, "dtype": FLOATS, **config},
            "registered_name": None, "name": name, "inbound_nodes": nodes}


def model(*layers, outputs=None, name="model"):
    outputs = outputs or [layers[-1]["name"]]
    return {"module": "keras", "class_name": "Functional", "registered_name": "Functional",
            "config": {"name": name, "layers": list(layers), "input_layers": [[layers[0]["name"], 0, 0]],
                       "output_layers": [[output, 0, 0] for output in outputs]}}


def vae(*extra, outputs=("mean", "logvar")):
    """Input x [4], layers mean and logvar."""
    return model(layer("InputLayer", "x", batch_shape=[None, 4]),
                 layer("Dense", "mean", "x", units=2, activation="linear"),
                 layer("Dense", "logvar", "x", units=2, activation="linear"),
                 *extra, outputs=list(outputs) + [item["name"] for item in extra])


GOOD = {"layers/dense/vars/0": (4, 2), "layers/dense/vars/1": (2,),
        "layers/dense_1/vars/0": (4, 2), "layers/dense_1/vars/1": (2,)}


def weights(shapes=GOOD, change=lambda file: None):
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for name, shape in shapes.items():
            file.create_dataset(name, data=np.full(shape, 0.5, "float32"))
        change(file)
    return memory.getvalue()


def archive(path, config=None, content=None, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        if config is not None:
            file.writestr("config.json", config if isinstance(config, str) else json.dumps(config, indent=1))
        if content is not None:
            file.writestr("model.weights.h5", content)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def huge(file):
    file.create_dataset("layers/dense/vars/2", (30000, 10000), "float32", chunks=(100, 100))


def external_data(file):
    file.create_dataset("layers/dense/vars/2", (4,), "float32", external=[("/etc/passwd", 0, 16)])


def nested(file):
    file["a/b"] = file["layers"]
    file["layers/loop"] = file["/"]


def main():
    os.chdir(sys.argv[1])
    good = vae()
    archive("good.keras", good, weights())
    # Archives.
    with open("good.keras", "rb") as file:
        data = file.read()
    write("truncated.keras", data[:len(data) // 2])
    write("flipped.keras", data.replace(b'"units": 2', b'"units": 3', 1))
    archive("no-config.keras", None, weights())
    archive("no-weights.keras", good)
    archive("bomb.keras", json.dumps(good) + " " * 30_000_000, weights(), zipfile.ZIP_DEFLATED)
    archive("bad-json.keras", '{"class_name": "Functional",\n "config": ]', weights())
    archive("no-model.keras", '{"a": 1}', weights())
    archive("own-class.keras", {"class_name": "VAE", "module": None, "config": {"latent": 2}}, weights())
    # HDF5.
    archive("garbage.keras", good, b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 8)
    archive("huge.keras", good, weights(change=huge))
    archive("external.keras", good, weights(change=lambda f: f.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/"))))
    archive("external-data.keras", good, weights(change=external_data))
    archive("loop.keras", good, weights(change=nested))
    data = weights()
    write("truncated.h5", data[:len(data) // 2])
    write("weights.h5", data)
    write("empty.h5", b"")
    # Models that do not go with their weights.
    archive("missing.keras", good, weights({k: v for k, v in GOOD.items() if k != "layers/dense_1/vars/0"}))
    archive("shape.keras", good, weights({**GOOD, "layers/dense/vars/0": (4, 3)}))
    # What is not supported.
    archive("class.keras", vae(layer("MultiHeadAttention", "att", "mean"), outputs=()), weights())
    archive("option.keras", model(
        layer("InputLayer", "x", batch_shape=[None, 8, 8, 3]),
        layer("Conv2D", "conv", "x", filters=2, kernel_size=[3, 3], data_format="channels_first"), name="encoder"), weights())
    archive("key.keras", model(layer("InputLayer", "x", batch_shape=[None, 4]),
                               layer("Dense", "d", "x", units=2, magic=3), name="encoder"), weights())
    archive("activation.keras", model(layer("InputLayer", "x", batch_shape=[None, 4]),
                                      layer("Dense", "d", "x", units=2, activation="snake"), name="encoder"), weights())
    lambda_layer = layer("Lambda", "sample", ["mean", "logvar"],
                         function={"class_name": "__lambda__", "config": {"code": "4wAAAA=="}})
    archive("lambda.keras", vae(lambda_layer, outputs=()), weights())
    archive("two-samples.keras", vae(layer("Sampling", "s1", ["mean", "logvar"], module=None),
                                     layer("Sampling", "s2", ["mean", "logvar"], module=None)), weights())
    archive("ambiguous.keras", model(layer("InputLayer", "x", batch_shape=[None, 4]),
                                     layer("Dense", "d", "x", units=2)), weights())
    archive("cycle.keras", model(layer("InputLayer", "x", batch_shape=[None, 4]),
                                 layer("Add", "a", ["x", "b"]), layer("ReLU", "b", "a")), weights())
    with open("model.json", "w", encoding="utf-8") as file:
        json.dump(good, file)
    with open("native.json", "w", encoding="utf-8") as file:
        json.dump({"format_version": 1, "name": "m", "inputs": [{"name": "x", "shape": [2]}], "encoder": {
            "layers": [{"name": "c", "type": "relu"}]}, "latent": {"kind": "code", "code": "c"}}, file)


main()
