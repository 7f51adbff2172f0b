#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures how much faster pruning makes models, beside what --report
predicts, and fails where these differ by more than 15%. Standard library only.

    pruned_time.py --vaec build/release/bin/vaec --vae-run build/release/bin/vae-run [MODEL.json ...]

Default: the bundled models. Libraries are timed in turn, one thread, and the
least time of each counts.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
FRACTIONS = [0.25, 0.5]
MOST_OFF = 0.15


def compile_model(vaec, model, fraction, folder):
    """The library, and the predicted time relative to the original's."""
    library, report = folder / f"{fraction}.so", folder / f"{fraction}.json"
    options = [f"--prune=channels:{fraction}"] if fraction else []
    subprocess.run([vaec, model, "-O3", "-o", library, f"--report={report}", *options], check=True)
    pruning = json.loads(report.read_text())["pruning"]
    if not fraction:
        return library, {"cost": 1, "flops": 1, "parameters": 1}
    return library, {key: pruning["after"][key] / pruning["before"][key] for key in ("cost", "flops", "parameters")}


def measure(vae_run, library, batch, seconds):
    command = [vae_run, library, "bench", "--entry", "reconstruct", "--batch", str(batch), "--threads", "1"]
    text = subprocess.run([*command, "--seconds", str(seconds), "--json"], capture_output=True, text=True, check=True).stdout
    return json.loads(text)["runs"][0]["min_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vaec", required=True)
    parser.add_argument("--vae-run", required=True)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2, help="of a measurement")
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    models = arguments.models or [MODELS / name / "model.json" for name in ("mnist-mlp", "mnist-conv")]
    print("| model | `channels:` | parameters | FLOPs of layers | predicted time | measured time | ms |")
    print("|---|---|---|---|---|---|---|")
    failures = []
    for model in models:
        name = model.parent.name if model.stem == "model" else model.stem
        with tempfile.TemporaryDirectory() as folder:
            compiled = {f: compile_model(arguments.vaec, model, f, pathlib.Path(folder)) for f in [0, *FRACTIONS]}
            times = {f: float("inf") for f in compiled}
            for _ in range(arguments.rounds):
                for fraction, (library, _) in compiled.items():
                    time = measure(arguments.vae_run, library, arguments.batch, arguments.seconds)
                    times[fraction] = min(times[fraction], time)
        for fraction, (_, predicted) in compiled.items():
            measured = times[fraction] / times[0]
            print(f"| {name} | {fraction} | {predicted['parameters']:.1%} | {predicted['flops']:.1%} | {predicted['cost']:.1%} "
                  f"| {measured:.1%} | {times[fraction]:.3f} |")
            if abs(measured / predicted["cost"] - 1) > MOST_OFF:
                failures.append(f"{name} with {fraction}: predicted {predicted['cost']:.1%}, measured {measured:.1%}")
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
