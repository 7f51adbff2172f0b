# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A variational autoencoder as others and we run it, quantized or not. Each is an
object with encode(x) -> (mu, logvar), decode(z) -> (y,) or (y, logvar), all of them
NumPy arrays in the layout that the model declares, and `size` in bytes.

The sampling of the latent is in none of them: encoder and decoder are quantized as
two graphs, and what lies between is computed by the caller.
"""
import contextlib
import io
import logging
import subprocess
import warnings

import numpy as np
import torch

from torch_model import TorchModel
from vae_library import Library


class Torch:
    """PyTorch, f32."""

    def __init__(self, path):
        self.model = TorchModel(path)
        self.size = sum(4 * value.numel() for value in self.model.weights.values())

    def encode(self, x):
        return [value.numpy() for value in self.model.encode(x)]

    def decode(self, z):
        return [value.numpy() for value in self.model.decode(z)]


class Vaec:
    """A library of vaec, run through its ABI."""

    def __init__(self, path):
        self.library = Library(path)
        self.size = path.stat().st_size

    def run(self, entry, value):
        (name,) = self.library.inputs(entry)
        return list(self.library.run(entry, **{name: value}).values())

    def encode(self, x):
        return self.run("encode", x)

    def decode(self, z):
        return self.run("decode", z)


def compile_model(vaec, model, flags, folder):
    """The library of a model, compiled with these options."""
    path = folder / "model.so"
    subprocess.run([vaec, model, *flags, "-o", path], check=True)
    return Vaec(path)


def calibrate(vaec, model, data, folder):
    """The range table that `vaec calibrate` makes from data."""
    np.save(folder / "calibration.npy", data)
    path = folder / "ranges.txt"
    subprocess.run([vaec, "calibrate", model, "--data", folder / "calibration.npy", "-o", path], check=True)
    return path


# Graphs of others

SECTIONS = ("encode", "decode")


class Section(torch.nn.Module):
    def __init__(self, model, name):
        super().__init__()
        self.run = getattr(model, name)

    def forward(self, x):
        return tuple(self.run(x))


@contextlib.contextmanager
def silence():
    """Exporters and quantizers tell of their progress, and of each other."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def split(values, batch):
    return [values[i:i + batch] for i in range(0, len(values), batch)]


def export(model, examples, batch, folder):
    """Encoder and decoder as ONNX files for batches of that size; {section: path}."""
    paths = {}
    for name in SECTIONS:
        paths[name] = folder / f"{name}.onnx"
        example = torch.from_numpy(examples[name][:batch])
        with silence():
            torch.onnx.export(Section(model, name).eval(), (example,), paths[name], input_names=["x"], dynamo=True,
                              external_data=False)
    return paths


class Graphs:
    """Encoder and decoder as functions of a batch."""

    def __init__(self, sections, size, batch):
        self.sections, self.size, self.batch = sections, size, batch

    def run(self, name, values):
        results = [self.sections[name](part) for part in split(values, self.batch)]
        return [np.concatenate(parts) for parts in zip(*results)]

    def encode(self, x):
        return self.run("encode", x)

    def decode(self, z):
        return self.run("decode", z)


# ONNX Runtime


def load_onnx(paths, batch):
    import onnxruntime as ort

    def load(path):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda x: session.run(None, {"x": x})

    return Graphs({name: load(path) for name, path in paths.items()},
                  sum(path.stat().st_size for path in paths.values()), batch)


def quantize_onnx(paths, examples, batch, folder, method):
    """ONNX Runtime's static quantization: QDQ, weights per channel and signed,
    activations unsigned with a zero point, as its documentation has it for x86-64
    with VNNI. method: "MinMax", "Percentile" (99.999%) or "Entropy"."""
    from onnxruntime import quantization as q

    class Reader(q.CalibrationDataReader):
        def __init__(self, values):
            self.values = iter([{"x": part} for part in split(values, batch)])

        def get_next(self):
            return next(self.values, None)

    results = {}
    for name, path in paths.items():
        clean, results[name] = folder / f"{name}.clean.onnx", folder / f"{name}.onnx"
        with silence():
            q.quant_pre_process(path, clean)
            q.quantize_static(clean, results[name], Reader(examples[name]), quant_format=q.QuantFormat.QDQ,
                              per_channel=True, activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8,
                              calibrate_method=q.CalibrationMethod[method])
    return load_onnx(results, batch)


# NNCF


def quantize_nncf(paths, examples, batch, folder, preset=None, range_estimator=None):
    """nncf.quantize of OpenVINO's models, run by OpenVINO in f32 where they are not
    quantized: by default it would take bf16 where the CPU has it."""
    with silence():
        import nncf
        import openvino as ov
        from nncf.quantization import advanced_parameters, range_estimator as ranges

        core, sections, size = ov.Core(), {}, 0
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        options = {"preset": nncf.QuantizationPreset(preset)} if preset else {}
        if range_estimator:
            options["advanced_parameters"] = advanced_parameters.AdvancedQuantizationParameters(
                activations_range_estimator_params=getattr(ranges.RangeEstimatorParametersSet, range_estimator))
        for name, path in paths.items():
            data = split(examples[name], batch)
            model = nncf.quantize(core.read_model(path), nncf.Dataset(data), subset_size=len(data), **options)
            xml = folder / f"{name}.xml"
            ov.save_model(model, xml, compress_to_fp16=False)
            size += xml.stat().st_size + xml.with_suffix(".bin").stat().st_size
            compiled = core.compile_model(xml, "CPU", settings)
            outputs = compiled.outputs
            sections[name] = lambda x, run=compiled, outputs=outputs: [run(x)[output] for output in outputs]
    return Graphs(sections, size, batch)
