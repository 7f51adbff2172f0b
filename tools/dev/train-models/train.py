#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains the bundled models and writes test/models: for each its model.json,
weights.safetensors and metrics.json, and the unseen digits for all.

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install -r tools/dev/train-models/requirements.txt
    /tmp/venv/bin/python tools/dev/train-models/train.py [--model NAME ...]

The same machine and versions give the same bytes: everything is seeded and one
thread computes. Some minutes per model.
"""
import argparse
import copy
import json
import math
import pathlib
import time

import safetensors.torch
import torch

import digits
from network import Network
from specs import MODELS

ROOT = pathlib.Path(__file__).resolve().parents[3]
SAMPLES = 16  # of z per digit, in metrics.json


def format_model(model):
    """JSON with one line per layer and per small object."""

    def lines(value, indent):
        flat = json.dumps(value)
        if not isinstance(value, (dict, list)) or len(indent) + len(flat) <= 130 and "layers" not in flat:
            return flat
        inner = indent + "  "
        if isinstance(value, list):
            parts = [lines(item, inner) for item in value]
            brackets = "[]"
        else:
            parts = [f"{json.dumps(key)}: {lines(item, inner)}" for key, item in value.items()]
            brackets = "{}"
        return (brackets[0] + "\n" + ",\n".join(inner + part for part in parts) + "\n" + indent + brackets[1])

    return lines(model, "") + "\n"


def validate(network, x, generator):
    """Mean ELBO on the validation digits, with the same noise every time."""
    generator.manual_seed(digits.SEED + 2)
    noise = torch.randn(4, len(x), *network.latent_shape, generator=generator)
    network.eval()
    with torch.no_grad():
        terms = [network.terms(x, each) for each in noise]
    network.train()
    return -sum((bce + kl).mean().item() for bce, kl in terms) / len(terms)


def train(network, training, parts, log):
    """Trains, and leaves the weights of the epoch that did best on the
    validation digits. Returns that epoch."""
    torch.manual_seed(digits.SEED)
    generator = torch.Generator().manual_seed(digits.SEED + 1)
    noise = torch.Generator()
    x = digits.to_tensor(parts["train"][0])
    check = digits.to_tensor(parts["validation"][0])
    optimizer = torch.optim.Adam(network.parameters(), lr=training.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, training.epochs)
    best, best_epoch, best_state = -math.inf, 0, None
    start = time.time()
    for epoch in range(1, training.epochs + 1):
        weight = min(1.0, epoch / training.warmup) if training.warmup else 1.0
        total = 0.0
        for index in torch.randperm(len(x), generator=generator).split(training.batch):
            batch = digits.augment(x[index], generator, training.augment)
            eps = torch.randn(len(batch), *network.latent_shape, generator=generator)
            bce, kl = network.terms(batch, eps)
            optimizer.zero_grad()
            (bce + weight * kl).mean().backward()
            optimizer.step()
            total += (bce + kl).sum().item()
        schedule.step()
        elbo = validate(network, check, noise)
        if elbo > best and weight == 1.0:
            best, best_epoch, best_state = elbo, epoch, copy.deepcopy(network.state_dict())
        if epoch % 20 == 0 or epoch == training.epochs:
            log(f"epoch {epoch}: ELBO {-total / len(x):.2f} on train, {elbo:.2f} on validation, "
                f"best {best:.2f}, {time.time() - start:.0f} s")
    network.load_state_dict(best_state)
    return best_epoch


def measure(network, images):
    """Scores in f64, means over the digits; nats per digit but for the MSE."""
    network = copy.deepcopy(network).double().eval()
    x = digits.to_tensor(images, torch.float64)
    generator = torch.Generator().manual_seed(digits.SEED + 3)
    with torch.no_grad():
        mu, _ = network.encoder(x)
        mse = (network.mean(mu) - x).square().mean().item()
        through_mu = network.cross_entropy(mu, x).mean().item()
        bce = 0.0
        for _ in range(SAMPLES):
            noise = torch.randn(len(x), *network.latent_shape, generator=generator, dtype=torch.float64)
            sampled, kl = network.terms(x, noise)
            bce += sampled.mean().item() / SAMPLES
    return {
        "reconstruction_bce": through_mu,
        "reconstruction_mse": mse,
        "log_likelihood": -bce,
        "kl": kl.mean().item(),
        "elbo": -bce - kl.mean().item(),
    }


def write(folder, model, network, facts):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(format_model(model))
    safetensors.torch.save_file(network.tensors(), folder / "weights.safetensors")
    (folder / "metrics.json").write_text(json.dumps(facts, indent=2) + "\n")


def update_readme(folder):
    """Writes the table of scores into README.md, if the folder has one."""
    path = folder / "README.md"
    if not path.exists():
        return
    keys = ["parameters", "reconstruction_bce", "reconstruction_mse", "log_likelihood", "kl", "elbo"]
    rows = ["| model | parameters | reconstruction, cross-entropy | reconstruction, squared error "
            "| log-likelihood | KL | ELBO |", "|---|---|---|---|---|---|---|"]
    for name in MODELS:
        file = folder / name / "metrics.json"
        if file.exists():
            facts = json.loads(file.read_text())
            cells = [f"{facts[key]:,}" if key == "parameters" else
                     f"{facts[key]:.{4 if key == 'reconstruction_mse' else 2}f}" for key in keys]
            rows.append("| " + " | ".join([name, *cells]) + " |")
    start, end = "<!-- scores: written by train.py from metrics.json -->\n", "<!-- end of scores -->"
    head, rest = path.read_text().split(start)
    path.write_text(head + start + "\n".join(rows) + "\n" + end + rest.split(end)[1])


def main():
    parser = argparse.ArgumentParser(description="Trains the bundled models.")
    parser.add_argument("--model", action="append", choices=sorted(MODELS), help="train this one; default: all")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "test" / "models",
                        help="folder to write (default: test/models)")
    arguments = parser.parse_args()
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    parts = digits.load()
    arguments.output.mkdir(parents=True, exist_ok=True)
    images, labels = parts["unseen"]
    digits.write_idx(arguments.output / "mnist-unseen.idx3-ubyte.gz", images)
    digits.write_idx(arguments.output / "mnist-unseen-labels.idx1-ubyte.gz", labels)
    for name in arguments.model or MODELS:
        model, training = MODELS[name]
        torch.manual_seed(digits.SEED)
        network = Network(model)
        print(f"{name}: {network.count()} parameters", flush=True)
        epoch = train(network, training, parts, lambda line: print(f"{name}: {line}", flush=True))
        scores = measure(network, images)
        facts = {"schema": 1, "model": name, "parameters": network.count(), "digits": len(images),
                 "samples": SAMPLES, "seed": digits.SEED, "epoch": epoch, "torch": torch.__version__, **scores}
        write(arguments.output / name, model, network, facts)
        print(f"{name}: {json.dumps(scores)}", flush=True)
    update_readme(arguments.output)


if __name__ == "__main__":
    main()
