# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What compare_quantization.py measures of a library in f32 and one in bf16 is what the
training script recorded. Others are not needed.

    test_compare_quantization.py --vaec build/release/bin/vaec
"""
import argparse
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent / "models"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vaec", required=True)
    options = parser.parse_args()
    names = ("mnist-mlp-2d", "mnist-conv")
    command = [sys.executable, "-B", HERE / "compare_quantization.py", "--vaec", options.vaec, "--peers", "none",
               "--ours", "f32", "--variant", "half=--precision=bf16", "--draws", "4", "--json"]
    output = subprocess.run([*command, *(MODELS / name / "model.json" for name in names)], check=True,
                            stdout=subprocess.PIPE).stdout
    for name, found in json.loads(output)["models"].items():
        expected = json.loads((MODELS / name / "metrics.json").read_text())
        exact, same, half = (found[key] for key in ("PyTorch f32", "vaec f32", "vaec half"))
        assert abs(exact["mse"] / expected["reconstruction_mse"] - 1) < 1e-5, (name, exact)
        # Means over the same digits, of other draws: fewer here.
        assert abs(exact["elbo"] - expected["elbo"]) < 0.5, (name, exact)
        assert abs(same["elbo_loss"]) < 1e-3 and abs(same["mse_loss"]) < 1e-5, (name, same)
        assert 1e-5 < abs(half["elbo_loss"]) < 0.1 and half["size"] < same["size"], (name, half)
    print("ok")


main()
