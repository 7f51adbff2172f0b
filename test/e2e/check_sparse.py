#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sets weights of the bundled models to zero, with and without least-squares
recovery, and compares the bytes of libraries with what the report says, the
ELBO of unseen digits with the original's, and what a recipe gives with what it
was written for. Half of the digits are calibration data, the others are scored.
With --time, libraries are timed, one after the other in each of several rounds;
what the report calls faster must then be.

    check_sparse.py --vaec build/release/bin/vaec --vae-run build/release/bin/vae-run [--time] [NAME ...]
"""
import json
import subprocess

from check_pruning import Model, make_parser, run_checks, split_digits

PATTERNS = ["weights:0.5", "weights:0.8", "weights:0.9", "2:4", "blocks:0.5", "blocks:0.8"]
ROUNDS = 7
# Of the bytes that zeros save in the layers that are stored without them, what
# the library must be smaller by: code of other kernels takes some.
LEAST_SAVED = 0.9
# Of the ELBO that is lost at once, what may be lost after recovery.
MOST_LOST = 2 / 3


def stored(report):
    """Bytes of weights of layers that are stored without zeros, and of all of theirs."""
    layers = {layer["name"]: layer for layer in report["layers"] if layer["sparsity"]}
    return (sum(layer["weight_bytes"] for layer in layers.values()),
            sum(4 * layer["parameters"] for layer in layers.values()), layers)


def check_sizes(check, name, pattern, original, pruned):
    label = f"{name} {pattern}"
    for layer in pruned.pruning["layers"]:
        zeros, weights = layer["after"]["zeros"], layer["after"]["weights"]
        check.expect(bool(layer["pattern"]) != bool(layer["unpruned"]), f"{label}: {layer['name']}: neither pruned nor left out")
        if layer["pattern"] and pattern.startswith("weights"):
            check.expect(zeros == int(float(pattern.split(":")[1]) * weights + 1e-6), f"{label}: {layer['name']}: {zeros} zeros")
    bytes_now, bytes_all, layers = stored(pruned.report)
    check.expect(bool(layers), f"{label}: no layer is stored without zeros")
    saved = original.report["weight_bytes"] - pruned.report["weight_bytes"]
    check.expect(saved >= LEAST_SAVED * (bytes_all - bytes_now),
                 f"{label}: {saved} bytes of weights saved, the report says {bytes_all - bytes_now}")
    check.expect(original.library.stat().st_size - pruned.library.stat().st_size >= 0.8 * saved,
                 f"{label}: the library has {pruned.library.stat().st_size} bytes, {original.library.stat().st_size} before")
    for layer in layers.values():
        check.expect((layer["skipped"] > 0) == (layer["sparsity"] == "rows"), f"{label}: {layer}")


def measure(arguments, models):
    """Least microseconds of a run of `reconstruct` of one example, of each."""
    least = [float("inf")] * len(models)
    for _ in range(ROUNDS):
        for i, model in enumerate(models):
            command = [arguments.vae_run, model.library, "bench", "--entry", "reconstruct", "--batch", "1", "--threads", "1", "--json"]
            result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            least[i] = min(least[i], min(row["min_ms"] for row in result["runs"]) * 1e3)
    return least


def test_model(check, arguments, folder, name):
    calibration, unseen = split_digits(folder)
    original = Model(arguments, folder, name, "original").score(arguments, unseen)
    models, rows = [original], []
    for pattern in PATTERNS:
        label = pattern.replace(":", "-")
        recipe = folder / f"{name}-{label}.recipe.json"
        prune = [f"--prune={pattern}"]
        plain = Model(arguments, folder, name, f"plain-{label}", *prune).score(arguments, unseen)
        fitted = Model(arguments, folder, name, f"fitted-{label}", *prune, f"--calibration-data={calibration}",
                       f"--recipe={recipe}").score(arguments, unseen)
        active = Model(arguments, folder, name, f"active-{label}", *prune, f"--calibration-data={calibration}",
                       "--importance=activation").score(arguments, unseen)
        check_sizes(check, name, pattern, original, plain)
        losses = [original.elbo - model.elbo for model in (plain, fitted, active)]
        if losses[0] > 1:
            check.expect(losses[1] <= MOST_LOST * losses[0], f"{name} {pattern}: {losses[1]:.3f} nat lost with recovery, {losses[0]:.3f} without")
        if pattern == "weights:0.8":
            replayed = Model(arguments, folder, name, "sparse-replayed", f"--apply-recipe={recipe}")
            check.expect(replayed.library.read_bytes() == fitted.library.read_bytes(), f"{name}: another library from {recipe.name}")
        models.append(plain)
        rows.append((pattern, plain, losses))
    times = measure(arguments, models) if arguments.time else [None] * len(models)
    print(f"{name}: ELBO {original.elbo:.3f}, {original.library.stat().st_size:,} bytes" +
          (f", {times[0]:.1f} us" if arguments.time else ""))
    print("| `--prune` | zeros | library | ELBO lost at once | least squares | importance `activation`, least squares | batch 1 | faster |")
    print("|---|---|---|---|---|---|---|---|")
    for (pattern, model, losses), time in zip(rows, times[1:]):
        after = {key: sum(layer["after"][key] for layer in model.pruning["layers"]) for key in ("zeros", "weights")}
        faster = [layer["name"] for layer in model.report["layers"] if layer["skipped"] > 0]
        print(f"| `{pattern}` | {after['zeros'] / after['weights']:.1%} | {model.library.stat().st_size / 1e6:.3f} MB | " +
              " | ".join(f"{loss:.2f}" for loss in losses) + f" | {f'{time:.1f} us' if time else '-'} | {', '.join(faster) or 'none'} |")
        if time and len(faster) > 1:
            check.expect(time < times[0], f"{name} {pattern}: {time:.1f} us, {times[0]:.1f} us with all weights; {faster} are to be faster")


def main():
    parser = make_parser("Sets weights of the bundled models to zero.")
    parser.add_argument("--time", action="store_true", help="time the libraries, too")
    run_checks(parser.parse_args(), test_model)


if __name__ == "__main__":
    main()
