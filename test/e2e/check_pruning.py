#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prunes the bundled models, with and without least-squares recovery, and
compares sizes with the report, the ELBO of unseen digits with the original's,
and what a recipe gives with what it was written for. Half of the digits are
calibration data, the others are scored.

    check_pruning.py --vaec build/release/bin/vaec --vae-run build/release/bin/vae-run [NAME ...]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from score_models import MODELS, load_digits

NAMES = ["mnist-mlp", "mnist-conv"]
FRACTIONS = [0.25, 0.5]
SAMPLES = 16  # latents a digit
# Of the ELBO that removal loses at 25%, what may be lost after recovery.
MOST_LOST = 1 / 3


class Model:
    """A model with options, compiled and scored."""

    def __init__(self, arguments, folder, name, label, *options, code=0):
        self.library = folder / f"{name}-{label}.so"
        report = folder / f"{name}-{label}.json"
        command = [arguments.vaec, MODELS / name / "model.json", "-o", self.library, f"--report={report}", *options]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        self.errors = result.stderr
        if result.returncode != code:
            sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}, expected {code}\n{result.stderr}")
        if code == 0:
            self.report = json.loads(report.read_text())
            self.pruning = self.report["pruning"]

    def score(self, arguments, digits):
        command = [arguments.vae_run, self.library, "score", digits, "--samples", str(SAMPLES), "--json"]
        scores = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        self.elbo = scores["elbo"]["mean"]
        return self

    def flops(self, entry):
        return next(e["flops"]["values"][0]["value"] for e in self.report["entries"] if e["name"] == entry)


class Check:
    def __init__(self):
        self.failures = 0

    def expect(self, condition, text):
        if not condition:
            print(f"FAILED: {text}")
            self.failures += 1


def check_sizes(check, arguments, original, pruned, fraction):
    report = pruned.pruning
    label = f"{original.library.name} at {fraction}"
    for layer in report["layers"]:
        before, after = layer["before"]["units"], layer["after"]["units"]
        check.expect(after in (before, before - int(before * fraction)), f"{label}: {layer['name']}: {before} -> {after}")
    for key in ("units", "parameters", "weight_bytes", "flops"):
        check.expect(report["after"][key] < report["before"][key], f"{label}: {key}: {report['before'][key]} -> {report['after'][key]}")
    info = json.loads(subprocess.run([arguments.vae_run, pruned.library, "info", "--json"], capture_output=True, text=True,
                                     check=True).stdout)
    check.expect(info["parameters"] == report["parameters_after"], f"{label}: {info['parameters']} parameters")
    # Weights in the library fall by what the report says, and by padding.
    saved = original.report["weight_bytes"] - pruned.report["weight_bytes"]
    said = report["before"]["weight_bytes"] - report["after"]["weight_bytes"]
    check.expect(saved >= 0.95 * said, f"{label}: {saved} bytes of weights saved, the report says {said}")
    # Layers with weights are nearly all of the work.
    saved = original.flops("reconstruct") - pruned.flops("reconstruct")
    said = report["before"]["flops"] - report["after"]["flops"]
    check.expect(saved >= 0.5 * said, f"{label}: {saved} operations saved, the report says {said}")


def check_recipes(check, arguments, folder, name, recovered, recipe, plain, plain_recipe):
    """A recipe gives the same library without data, and fits one model only."""
    for label, model, file in (("recovered", recovered, recipe), ("plain", plain, plain_recipe)):
        again = Model(arguments, folder, name, f"replayed-{label}", f"--apply-recipe={file}")
        check.expect(again.library.read_bytes() == model.library.read_bytes(), f"{name}: another library from {file.name}")
    other = next(n for n in NAMES if n != name)
    refused = Model(arguments, folder, other, "refused", f"--apply-recipe={recipe}", code=1)
    check.expect("is a recipe for the model" in refused.errors, refused.errors)


def split_digits(folder):
    """Files of digits to calibrate with, and of others to score."""
    digits = load_digits()
    calibration, unseen = folder / "calibration.npy", folder / "unseen.npy"
    np.save(calibration, digits[::2])
    np.save(unseen, digits[1::2])
    return calibration, unseen


def test_model(check, arguments, folder, name):
    calibration, unseen = split_digits(folder)
    original = Model(arguments, folder, name, "original").score(arguments, unseen)
    rows = []
    for fraction in FRACTIONS:
        prune = f"--prune=channels:{fraction}"
        recipes = {kind: folder / f"{name}-{kind}.recipe.json" for kind in ("plain", "fitted")}
        plain = Model(arguments, folder, name, f"plain-{fraction}", prune,
                      f"--recipe={recipes['plain']}").score(arguments, unseen)
        fitted = Model(arguments, folder, name, f"fitted-{fraction}", prune, f"--calibration-data={calibration}",
                       f"--recipe={recipes['fitted']}").score(arguments, unseen)
        generated = Model(arguments, folder, name, f"generated-{fraction}", prune,
                          "--recover=least-squares").score(arguments, unseen)
        active = Model(arguments, folder, name, f"active-{fraction}", prune, f"--calibration-data={calibration}",
                       "--importance=activation").score(arguments, unseen)
        taylor = Model(arguments, folder, name, f"taylor-{fraction}", prune, f"--calibration-data={calibration}",
                       "--importance=taylor").score(arguments, unseen)
        # What the choice of units alone is worth.
        chosen = {importance: Model(arguments, folder, name, f"{importance}-alone-{fraction}", prune,
                                    f"--calibration-data={calibration}", f"--importance={importance}",
                                    "--recover=none").score(arguments, unseen)
                  for importance in ("activation", "taylor")}
        check_sizes(check, arguments, original, plain, fraction)
        check.expect(fitted.pruning["after"] == plain.pruning["after"], f"{name}: recovery changes sizes")
        losses = [original.elbo - model.elbo
                  for model in (plain, chosen["activation"], chosen["taylor"], fitted, active, taylor, generated)]
        rows.append((fraction, plain.pruning["parameters_after"], plain.pruning["after"]["flops"], *losses))
        check.expect(losses[0] > 0, f"{name}: nothing is lost")
        check.expect(losses[2] < losses[0], f"{name} at {fraction}: {losses[2]:.3f} nat lost without the units that "
                     f"the loss sees least, {losses[0]:.3f} without those of small weights")
        if fraction == 0.25:
            check.expect(losses[3] <= MOST_LOST * losses[0],
                         f"{name} at {fraction}: {losses[3]:.3f} nat lost with recovery, {losses[0]:.3f} without")
            check_recipes(check, arguments, folder, name, fitted, recipes["fitted"], plain, recipes["plain"])
    print(f"{name}: ELBO {original.elbo:.3f} of {len(np.load(unseen))} unseen digits, "
          f"{original.report['parameters']} parameters")
    print("| removed | parameters | FLOPs of layers | ELBO lost, removal alone: magnitude | activation | taylor | "
          "least squares, 500 digits: magnitude | activation | taylor | magnitude, generated |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for fraction, parameters, flops, *losses in rows:
        print(f"| {fraction:.0%} | {parameters:,} | {flops:,} | " + " | ".join(f"{loss:.2f}" for loss in losses) + " |")


def make_parser(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--vaec", required=True, help="the compiler")
    parser.add_argument("--vae-run", required=True, help="the program that runs libraries")
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help=f"models; default: {' '.join(NAMES)}")
    return parser


def run_checks(arguments, test):
    check = Check()
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.names:
            test(check, arguments, pathlib.Path(folder), name)
    sys.exit(1 if check.failures else 0)


def main():
    run_checks(make_parser("Prunes the bundled models and scores them.").parse_args(), test_model)


if __name__ == "__main__":
    main()
