#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks vaec --quantize=auto on the bundled models and the unseen digits: the
budget is kept, what is said of the check is what vae-run measures there, and
the options that are printed, and the recipe, give the same library.

    check_auto.py --vaec build/release/bin/vaec --vae-run build/release/bin/vae-run
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from score_models import DIGITS, MODELS, load_digits

# Keys of the report: docs/quantization-auto.md.
KEYS = {"measure", "unit", "max_drop", "optimize", "data", "compilations", "layers", "steps", "parts", "precision", "storage",
        "quantize_layer"}


class Tools:
    def __init__(self, vaec, vae_run, folder):
        self.vaec, self.vae_run, self.folder = vaec, vae_run, folder

    def compile(self, name, output, *options, code=0):
        """What is said on standard error."""
        result = subprocess.run([self.vaec, MODELS / name / "model.json", "-O3", "-o", output, *options],
                                capture_output=True, text=True, check=False)
        if result.returncode != code:
            sys.exit(f"{name}, {' '.join(map(str, options))}: exit code {result.returncode}, expected {code}\n"
                     f"{result.stderr}")
        return result.stderr

    def search(self, name, output, budget, *options, code=0):
        """The report of what was found, and what is said."""
        report = self.folder / "report.json"
        said = self.compile(name, output, "--quantize=auto", f"--max-drop={budget}", "--calibration-data", DIGITS,
                            f"--report={report}", *options, code=code)
        return (json.loads(report.read_text())["auto"] if code == 0 else None), said

    def measure(self, library, command, data):
        result = subprocess.run([self.vae_run, library, command, data, "--json"], capture_output=True, text=True,
                                check=True)
        return json.loads(result.stdout)


def expect(condition, *what):
    if not condition:
        sys.exit(" ".join(map(str, what)))


def count(found):
    """Layers that are not f32."""
    return sum(layer["choice"] != "f32" for layer in found["layers"])


def get_kinds(found):
    return {layer["name"]: layer["choice"] for layer in found["layers"] if layer["candidates"]}


def get_most(found):
    """The choices that save most of what is to become less."""
    key = "saved_bytes" if found["optimize"] == "size" else "saving"
    return {layer["name"]: max(layer["candidates"], key=lambda candidate: candidate[key])[key]
            for layer in found["layers"] if layer["candidates"]}


def takes_most(found):
    """Whether each layer is what saves most."""
    key = "saved_bytes" if found["optimize"] == "size" else "saving"
    most = get_most(found)
    return all(any(candidate["kind"] == layer["choice"] and candidate[key] == most[layer["name"]]
                   for candidate in layer["candidates"])
               for layer in found["layers"] if layer["candidates"])


def check_found(found):
    """What holds of every result."""
    expect(set(found) == KEYS, "keys:", sorted(found))
    calibration, decision, check = found["parts"]
    expect([part["samples"] for part in found["parts"]] == [500, 250, 250], "samples:", found["parts"])
    expect(check["chosen"]["mean"] <= found["max_drop"], "the budget is not kept:", check)
    spared = decision["chosen"]["mean"] + decision["chosen"]["standard_error"]
    expect(spared <= found["max_drop"], "the decision does not keep the budget:", decision)
    expect(calibration["base"]["mean"] == 0, "nothing is to be lost in f32:", calibration)
    candidates = [candidate for layer in found["layers"] for candidate in layer["candidates"]]
    bound = 2 * np.ceil(np.log2(len(candidates) + 1)) + len(candidates) + 15
    expect(found["compilations"] <= bound, "compilations:", found["compilations"])
    key = "saved_bytes" if found["optimize"] == "size" else "saving"
    expect(all(candidate[key] > 0 or candidate["kind"] == "mixed" for candidate in candidates), "savings:", candidates)
    for layer in found["layers"]:
        expect(layer["choice"] == "f32" or layer["choice"] in [own["kind"] for own in layer["candidates"]],
               "choice:", layer)
    heads = {layer["name"]: layer for layer in found["layers"]}
    expect(not heads["mu"]["candidates"] and heads["mu"]["note"] == "a head of the latent", "heads:", heads["mu"])


def check_measures(tools, name, budget, library, found):
    """The check, and no other sample, by vae-run."""
    reference, data = tools.folder / "f32.so", tools.folder / "check.npy"
    tools.compile(name, reference, "--precision=f32")
    np.save(data, load_digits()[3::4])
    if budget.startswith("elbo"):
        f32, other = (tools.measure(path, "score", data)["elbo"]["mean"] for path in (reference, library))
        drop = f32 - other
    else:
        f32, other = (tools.measure(path, "reconstruct", data)["mse"] for path in (reference, library))
        drop = 100 * (other - f32) / f32
    part = found["parts"][2]
    expect(abs(f32 / part["reference"] - 1) < 1e-5, "reference:", f32, part)
    expect(abs(drop - part["chosen"]["mean"]) < 1e-3, "drop:", drop, part)


def check_replay(tools, name, library, found):
    same = tools.folder / "same.so"
    tools.compile(name, same, "--quantize=int8", f"--ranges={tools.folder / 'ranges.txt'}",
                  f"--precision={found['precision']}", f"--storage={found['storage']}",
                  *(f"--quantize-layer={text}" for text in found["quantize_layer"]))
    expect(same.read_bytes() == library.read_bytes(), name, "is not the same by hand")
    said = tools.compile(name, same, f"--apply-recipe={tools.folder / 'recipe.json'}")
    expect(same.read_bytes() == library.read_bytes(), name, "is not the same by its recipe")
    expect(not said, said)
    recipe = json.loads((tools.folder / "recipe.json").read_text())
    kinds = {row["layer"]: row["kind"] for row in recipe["steps"][-1]["layers"]}
    # Layers that are not measured are f32.
    choices = {layer["name"]: layer["choice"] for layer in found["layers"]}
    expect(kinds == {**dict.fromkeys(kinds, "f32"), **choices}, "kinds of the recipe:", kinds)


def check_budget(tools, name, budget, *options, fewer):
    """Gives what was found, and the size of the library."""
    library = tools.folder / "auto.so"
    found, _ = tools.search(name, library, budget, f"--write-ranges={tools.folder / 'ranges.txt'}",
                            f"--recipe={tools.folder / 'recipe.json'}", *options)
    check_found(found)
    expect(takes_most(found) != fewer, name, budget, "layers:", found["layers"])
    check_measures(tools, name, budget, library, found)
    check_replay(tools, name, library, found)
    size = library.stat().st_size
    choices = [f"{layer['name']} {layer['choice']}" for layer in found["layers"]]
    print(f"{name}, {budget}, {found['optimize']}: {', '.join(choices)}; {found['compilations']} compilations, "
          f"{size:,} bytes, {found['parts'][1]['chosen']}, {found['parts'][2]['chosen']}", flush=True)
    return found, size


def check_size(tools):
    """Bytes of weights: less than by time, and the more the larger the budget."""
    tight, tight_size = check_budget(tools, "mnist-mlp", "elbo:0.3nat", "--optimize=size", fewer=True)
    loose, loose_size = check_budget(tools, "mnist-mlp", "elbo:10nat", "--optimize=size", fewer=False)
    _, time_size = check_budget(tools, "mnist-mlp", "elbo:10nat", fewer=False)
    # fc3 is first in the decoder, which has no integer weights.
    expect(get_kinds(loose) == {"fc1": "w4", "fc3": "int8", "fc4": "w4"}, "kinds:", loose["layers"])
    expect(get_kinds(tight)["fc4"] in ("int8", "w8"), "kinds:", tight["layers"])
    expect(loose_size < tight_size < time_size, "sizes:", loose_size, tight_size, time_size)


def check_nothing(tools):
    """A budget that f32 alone keeps."""
    found, said = tools.search("mnist-mlp", tools.folder / "none.so", "elbo:0nat", "--precision=f32")
    expect(count(found) == 0, "layers:", found["layers"])
    expect("all layers stay f32 within the budget of 0 nat" in said, said)


def check_impossible(tools):
    """A budget that the model does not keep with all other layers in f32 either."""
    library = tools.folder / "impossible.so"
    _, said = tools.search("mnist-mlp", library, "elbo:0.1nat", "--quantize-layer=fc4=w4", code=1)
    expect("with nothing chosen the model loses" in said and "choose a larger budget" in said, said)
    expect(not library.exists(), "the library was written")


def check_failing(tools):
    """Ranges are of dim digits, and so is what the decision sees; those of the
    check are bright, and cut off."""
    digits = load_digits()[:80]
    digits[3::4] *= 4
    digits = np.minimum(digits, 4) / 4
    data, library = tools.folder / "dim.npy", tools.folder / "failing.so"
    np.save(data, digits)
    said = tools.compile("mnist-mlp", library, "--quantize=auto", "--max-drop=elbo:0.5nat",
                         "--calibration-data", data, code=1)
    expect("on samples that the search has not seen the model loses" in said, said)
    expect("more than the budget of 0.5 nat; choose a larger budget, give more data" in said, said)
    expect(not library.exists(), "the library was written")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--vaec", required=True, type=pathlib.Path)
    parser.add_argument("--vae-run", required=True, type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tools = Tools(options.vaec, options.vae_run, pathlib.Path(folder))
        check_budget(tools, "mnist-mlp", "elbo:1nat", fewer=False)
        check_budget(tools, "mnist-conv", "elbo:1%", fewer=False)
        check_budget(tools, "mnist-conv", "elbo:0.02nat", fewer=True)
        check_budget(tools, "mnist-conv", "mse:0.1%", fewer=True)
        check_size(tools)
        check_nothing(tools)
        check_impossible(tools)
        check_failing(tools)


if __name__ == "__main__":
    main()
