#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A library for x86-64 with and without AVX-512, run by qemu, which has none,
and here. Needs nothing but Python's standard library.

  1. On the emulated CPU the version without AVX-512 runs, and gives what a
     library for that CPU alone gives there, bit for bit.
  2. On this machine the best version runs that its CPU can.
  3. A CPU without AVX2 is refused, and the message says what each version lacks.

Exit code: 0, 1 if something is wrong, 77 if qemu is missing."""
import argparse
import pathlib
import shutil
import sys

from run_on_aarch64 import SEED, SKIPPED, TEST, UNSUPPORTED_CPU, Failure, Machine, write_inputs

OLDER, NEWER = "x86-64-v3", "x86-64-v4"
# What the newer one needs beside the older one, as /proc/cpuinfo calls it.
NEEDED = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
BATCH = 3


def find_version(machine, library):
    lines = machine.run("list", library).splitlines()
    return next((line.split()[1] for line in lines if line.startswith("version ")), None)


def expect(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: {found}, expected {expected}")
    print(f"ok   {what}: {found}")


def run_all(machine, library, inputs, folder):
    """The bytes of all outputs by their names."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(inputs, folder)
    machine.run("run", library, folder, SEED, BATCH)
    return {path.name: path.read_bytes() for path in folder.glob("*.out")}


def check(options, model, storage):
    work = options.work
    here = Machine(options.run_entries)
    emulated = Machine(options.run_entries, ["qemu-x86_64", "-cpu", "max"])
    ancient = Machine(options.run_entries, ["qemu-x86_64", "-cpu", "Nehalem"])
    libraries = {}
    for cpus in (OLDER, f"{OLDER},{NEWER}"):
        libraries[cpus] = work / f"{cpus}.so"
        Machine(options.vaec).run(model, f"--mcpu={cpus}", f"--storage={storage}", "-o", libraries[cpus])
    both = libraries[f"{OLDER},{NEWER}"]

    flags = pathlib.Path("/proc/cpuinfo").read_text().split("\nflags", 1)[-1].split("\n", 1)[0].split()
    expect("the version that runs here", find_version(here, both), NEWER if NEEDED <= set(flags) else OLDER)
    expect("the version that runs without AVX-512", find_version(emulated, both), OLDER)

    inputs = work / "inputs"
    inputs.mkdir(exist_ok=True)
    outputs = write_inputs(here, both, [BATCH], inputs)
    alone = run_all(emulated, libraries[OLDER], inputs, work / "alone")
    expect("outputs", sorted(alone), sorted(outputs))
    if run_all(emulated, both, inputs, work / "both") != alone:
        raise Failure(f"the version for {OLDER} gives other bits than a library for it alone")
    print("ok   the same bits as a library for that CPU alone")

    text = ancient.run("list", both, expected=UNSUPPORTED_CPU)
    for part in (f"missing for '{OLDER}': avx", f"missing for '{NEWER}': avx", "avx512f"):
        if part not in text:
            raise Failure(f"the refusal does not say {part!r}: {text}")
    print("ok   a CPU without AVX2 is refused")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vaec", type=pathlib.Path, required=True)
    parser.add_argument("--run-entries", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder to compile in")
    options = parser.parse_args()
    if not shutil.which("qemu-x86_64"):
        print("skipped: needs the package qemu-user; tools/dev/packages test installs it")
        return SKIPPED
    options.work.mkdir(parents=True, exist_ok=True)
    try:
        for storage in ("f32", "f16"):
            print(f"     numbers stored as {storage}")
            check(options, TEST / "models" / "mnist-conv" / "model.json", storage)
    except Failure as failure:
        print(f"FAIL {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
