# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles models of Keras and runs them, for tests. Keras computes on PyTorch."""
import os
import pathlib
import subprocess
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
from compare import relative
from runtime_library import Runtime, Session
from vae_library import Library

LIMIT = 2e-5
L = keras.layers


@keras.saving.register_keras_serializable(package="test")
class Sampling(L.Layer):
    """z = mean + exp(log-variance / 2) * noise, as in every tutorial."""

    def call(self, inputs):
        mean, logvar = inputs
        noise = keras.random.normal(keras.ops.shape(mean))
        return mean + keras.ops.exp(0.5 * logvar) * noise


def randomize(model, seed):
    """Random weights, also where Keras begins with zeros and ones."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        fan = max(1, int(np.prod(weight.shape[:-1])))
        values = random.normal(size=weight.shape) * (2.0 / fan) ** 0.5
        if len(weight.shape) < 2:
            values = random.normal(size=weight.shape) * 0.3
        if "variance" in weight.path:
            values = random.uniform(0.5, 2, weight.shape)
        if "gamma" in weight.path:
            values = random.uniform(0.5, 1.5, weight.shape)
        weight.assign(values.astype("float32"))
    return model


class Compiler:
    """vaec and the runtime; files go to a folder."""

    def __init__(self, vaec, runtime, folder):
        self.vaec, self.runtime, self.folder = vaec, Runtime(runtime), pathlib.Path(folder)
        self.count = 0

    def path(self, name):
        self.count += 1
        return self.folder / f"{self.count}-{name}"

    def compile(self, *arguments):
        """Compiles; also by way of --emit=json, which must give the same bytes."""
        output, written = self.path("model.so"), self.path("model.json")
        options = ["-O3", "--exact-conv"]
        command = [self.vaec, *map(str, arguments)]
        result = subprocess.run([*command, *options, "-o", output], capture_output=True, text=True)
        if result.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))}\n{result.stderr}")
        subprocess.run([*command, "--emit=json", "-o", written], check=True)
        imported = [subprocess.run([*model, "--emit=import"], capture_output=True, check=True).stdout
                    for model in (command, [self.vaec, written])]
        assert imported[0] == imported[1], "--emit=json gives another model"
        return Model(self.runtime, output)


class Model:
    """A compiled model."""

    def __init__(self, runtime, path):
        self.runtime, self.path, self.library = runtime, path, Library(str(path))

    def run(self, entry, *inputs, threads=2):
        """Results by name; inputs in the entry's order."""
        tensors = self.library.entries[entry]
        symbols = self.library.solve(tensors.inputs[:tensors.num_inputs], inputs)
        outputs = tensors.outputs[:tensors.num_outputs]
        session = Session(self.runtime, self.path, threads)
        try:
            results = session.run(entry, symbols, inputs, [self.library.shape(t, symbols) for t in outputs])
        finally:
            session.close()
        return {t.name.decode(): result for t, result in zip(outputs, results)}

    def inputs(self, entry):
        return self.library.inputs(entry)


class Checks:
    """Counts comparisons."""

    def __init__(self):
        self.failed, self.done, self.worst = 0, 0, 0.0

    def compare(self, what, found, expected):
        expected = np.asarray(keras.ops.convert_to_numpy(expected))
        if tuple(found.shape) != tuple(expected.shape):
            error = float("inf")
            what += f" has the shape {found.shape}, not {expected.shape}:"
        else:
            error = relative(found, expected)
        good = error <= LIMIT
        self.done += 1
        self.failed += not good
        self.worst = max(self.worst, error)
        print(f"{'ok  ' if good else 'FAIL'} {what}: error {error:.2e}", flush=True)

    def run(self, name, function, *arguments):
        try:
            function(*arguments)
        except Exception as error:  # the other cases go on
            self.failed += 1
            print(f"FAIL {name}: {error}", flush=True)

    def finish(self, least):
        print(f"{self.done} comparisons, {self.failed} failed, largest error {self.worst:.2e}")
        return 1 if self.failed or self.done < least else 0


def parse_arguments():
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--vaec", required=True)
    parser.add_argument("--runtime", required=True)
    parser.add_argument("--only", default="", help="cases whose name has this")
    return parser.parse_args()
