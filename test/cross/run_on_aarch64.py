#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models compiled for AArch64, run by qemu, beside the same models on this
machine. Needs nothing but Python's standard library.

  1. Builds the runtime and a program over its C API with the cross compiler.
  2. The noise that the runtime generates must have the same bits on both.
  3. Results of every entry point, for the same inputs and seed, must agree
     within 1e-5 in the relative L2 norm. Each library runs on the emulated CPU
     that it was compiled for, so that an instruction of a later one is fatal.
  4. Of a library for several CPUs each runs the version for it.
  5. A library whose CPU features the emulated CPU lacks must be refused, and so
     must one of the other architecture.

Exit code: 0, 1 if something is wrong, 77 if a tool is missing."""
import argparse
import array
import concurrent.futures
import math
import os
import pathlib
import random
import shutil
import subprocess
import sys

LIMIT = 1e-5
SEED = 20240611
SOURCE = pathlib.Path(__file__).resolve().parent
TEST = SOURCE.parent
SYSROOT = "/usr/aarch64-linux-gnu"
PACKAGES = {"aarch64-linux-gnu-gcc": "g++-aarch64-linux-gnu", "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu",
            "qemu-aarch64": "qemu-user"}
SKIPPED = 77
INVALID_MODEL, UNSUPPORTED_CPU = 3, 5  # vae_status.def
REFERENCE_CPU = "x86-64-v3"
# The CPU of vaec, the one of qemu, level, precision. cortex-a53 is the first of the
# architecture; neoverse-v1 has SVE, and no CPU of qemu 7.2 has its name.
TARGETS = (("cortex-a53", "cortex-a53", 0, "f32"), ("neoverse-n1", "neoverse-n1", 3, "f32"))
SVE_TARGET = ("neoverse-v1", "max", 3, "f32")
SVE_MODELS = ("mnist-conv", "uneven-dynamic-sizes")
# Both machines multiply the same bf16 weights in f32.
BF16_TARGET = ("cortex-a76", "cortex-a76", 3, "bf16")
BF16_MODELS = ("mnist-conv", "mnist-mlp-2d")
# Integers are the same, bit for bit, with dot products of the CPU and without: all layers are of them.
INT8_TARGETS = (("cortex-a76", "cortex-a76", 3, "int8"), ("cortex-a53", "cortex-a53", 2, "int8"))
INT8_MODELS = ("mnist-conv", )
# Where numbers are stored as f16, a sum in another order may be rounded the other way.
F16_TARGET = ("cortex-a53", "cortex-a53", 3, "f16")
F16_LIMIT = 2**-9
# A library's CPU, an emulated one that lacks something, what is lacking.
REFUSED = (("neoverse-v1", "cortex-a57", "sve"), ("neoverse-v1", "cortex-a76", "bf16"),
           ("cortex-a76", "cortex-a53", "dotprod"), ("ampere1b", "max", "cssc"))
# Seed, stream, first element: also where counters carry and end.
NOISE = ((0, 0, 0), (SEED, 3, 2**32 - 1000), (2**64 - 1, 2**64 - 1, 2**64 - 2000))
NOISE_COUNT = 20000


class Failure(Exception):
    pass


def name_of(model):
    return model.parent.name if model.name == "model.json" else model.stem


def execute(command, expected=0):
    """Runs a command that must end with the exit code `expected`; its output."""
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != expected:
        raise Failure(f"exit code {result.returncode}, expected {expected}, of: {' '.join(map(str, command))}\n"
                      f"{result.stdout[-4000:]}")
    return result.stdout


class Machine:
    """Runs a program here, or with an emulator."""

    def __init__(self, program, emulator=()):
        self.command = [*emulator, program]

    def run(self, *words, expected=0):
        return execute(self.command + list(words), expected)


def find_missing():
    missing = sorted({package for tool, package in PACKAGES.items() if not shutil.which(tool)})
    if not missing and not os.path.isdir(SYSROOT):
        missing = ["g++-aarch64-linux-gnu"]
    return missing


def build_program(cmake, work):
    """The runtime and run-entries for AArch64."""
    folder = work / "build"
    execute([cmake, "-S", SOURCE / "program", "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
             "-DVAEC_WERROR=ON", "--toolchain", SOURCE / "program" / "aarch64.cmake"])
    execute([cmake, "--build", folder, "--target", "run-entries"])
    return folder / "run-entries"


def read_floats(path):
    values = array.array("f")
    values.frombytes(path.read_bytes())
    return values


def relative_error(found, expected):
    """||found - expected|| / ||expected||; infinite where one has a NaN or an
    infinity that the other has not."""
    if len(found) != len(expected):
        return math.inf
    difference = norm = 0.0
    for a, b in zip(found, expected):
        if math.isfinite(a) and math.isfinite(b):
            difference += (a - b)**2
            norm += b * b
        elif a != b and not (math.isnan(a) and math.isnan(b)):
            return math.inf
    return math.sqrt(difference / norm) if norm else math.sqrt(difference)


def write_inputs(machine, library, sizes, folder):
    """Random inputs of all entry points; names of all outputs."""
    generator = random.Random(SEED)
    outputs = []
    for line in machine.run("list", library, *sizes).splitlines():
        kind, entry, *rest = line.split()
        if kind == "in":
            values = array.array("f", (generator.gauss(0, 1) for _ in range(int(rest[1]))))
            (folder / f"{entry}.{rest[0]}.in").write_bytes(values.tobytes())
        elif kind == "out":
            outputs.append(f"{entry}.{rest[0]}.out")
    if not outputs:
        raise Failure(f"{library} has no outputs")
    return outputs


class Checks:

    def __init__(self, vaec, here, there, work):
        self.vaec, self.here, self.there, self.work = vaec, here, there, work

    def emulate(self, cpu):
        return Machine(self.there, ["qemu-aarch64", "-L", SYSROOT, "-cpu", cpu])

    def compile(self, model, cpu, level, name, precision="f32"):
        path = self.work / f"{name}-{cpu}-O{level}.so"
        options = {"f16": ["--storage=f16"], "int8": self.quantize(name)}.get(precision, [f"--precision={precision}"])
        execute([self.vaec, model, f"--mcpu={cpu}", f"-O{level}", *options, "-o", path])
        return path

    def quantize(self, name):
        return ["--quantize=int8", "--quantize-layer=int8", "--precision=f32", f"--ranges={self.work / name}.ranges.txt"]

    def check_noise(self, cpu):
        for seed, stream, first in NOISE:
            files = [self.work / f"noise-{machine}.f32" for machine in ("here", "there")]
            for machine, path in zip((Machine(self.here), self.emulate(cpu)), files):
                machine.run("noise", seed, stream, first, NOISE_COUNT, path)
            here, there = (path.read_bytes() for path in files)
            if len(here) != 4 * NOISE_COUNT or here != there:
                raise Failure(f"noise of seed {seed}, stream {stream}, first {first} has other bits on {cpu}")
        print(f"ok   noise: {len(NOISE)} times {NOISE_COUNT} numbers, the same bits")

    def choose_sizes(self, library):
        """A batch of 3, and more than the minimum of other dimensions."""
        symbols = [line.split() for line in Machine(self.here).run("list", library).splitlines()
                   if line.startswith("symbol ")]
        return [3 if name == "batch" else int(minimum) + 2 * int(multiple) for _, name, minimum, multiple in symbols]

    def check_model(self, model, target):
        cpu, emulated, level, precision = target
        name = name_of(model)
        folders = {}
        for machine in ("here", "there"):
            folders[machine] = self.work / f"{name}-{cpu}-{machine}"
            folders[machine].mkdir(exist_ok=True)
        if precision == "int8":
            for library in (f"{name}-for-{cpu}", name):
                execute([self.vaec, "calibrate", model, "--samples=64", "-o", self.work / f"{library}.ranges.txt"])
        here = self.compile(model, REFERENCE_CPU, level, f"{name}-for-{cpu}", precision)
        there = self.compile(model, cpu, level, name, precision)
        sizes = self.choose_sizes(here)
        outputs = write_inputs(Machine(self.here), here, sizes, folders["here"])
        for path in folders["here"].glob("*.in"):
            shutil.copy(path, folders["there"])
        Machine(self.here).run("run", here, folders["here"], SEED, *sizes)
        self.emulate(emulated).run("run", there, folders["there"], SEED, *sizes)
        worst, same = 0.0, 0
        for output in outputs:
            same += (folders["here"] / output).read_bytes() == (folders["there"] / output).read_bytes()
            error = relative_error(read_floats(folders["there"] / output), read_floats(folders["here"] / output))
            limit = F16_LIMIT if precision == "f16" else LIMIT
            if not error <= limit:
                raise Failure(f"{output}: relative error {error:.2e}, limit {limit:.0e}")
            worst = max(worst, error)
        if precision == "int8" and not same:
            raise Failure("no output has the same bits")
        print(f"ok   {name} -O{level} {precision} for {cpu}: {len(outputs)} outputs, relative error up to {worst:.1e}, "
              f"{same} with the same bits", flush=True)

    def check_versions(self, model):
        library = self.compile(model, ",".join(target[0] for target in TARGETS), 2, "versions")
        for cpu, emulated, *_ in TARGETS:
            text = self.emulate(emulated).run("list", library)
            if f"version {cpu}\n" not in text:
                raise Failure(f"a library for several CPUs on {emulated}: not the version {cpu}: {text}")
        print("ok   of a library for several CPUs each runs its own version")

    def check_refusals(self, model):
        for cpu, emulated, feature in REFUSED:
            text = self.emulate(emulated).run("list", self.compile(model, cpu, 2, "refused"), expected=UNSUPPORTED_CPU)
            if feature not in text:
                raise Failure(f"a library for {cpu} on {emulated}: '{feature}' is not in the message: {text}")
            print(f"ok   {cpu} on {emulated} is refused: {text.strip().rsplit(': ', 1)[-1]}")
        self.emulate("max").run("list", self.compile(model, REFERENCE_CPU, 2, "foreign"), expected=INVALID_MODEL)
        Machine(self.here).run("list", self.compile(model, "cortex-a53", 2, "foreign"), expected=INVALID_MODEL)
        print("ok   libraries of the other architecture are refused")


def run_checks(checks, models, jobs):
    """The number of failures."""
    tasks = [(f"{model} for {target[0]}", lambda m=model, t=target: checks.check_model(m, t))
             for model in models
             for target in TARGETS + ((SVE_TARGET,) if name_of(model) in SVE_MODELS else ()) +
             ((BF16_TARGET, F16_TARGET) if name_of(model) in BF16_MODELS else ()) +
             (INT8_TARGETS if name_of(model) in INT8_MODELS else ())]
    tasks.append(("noise", lambda: checks.check_noise("cortex-a53")))
    small = TEST / "models" / "mnist-mlp-2d" / "model.json"
    tasks.append(("versions", lambda: checks.check_versions(small)))
    tasks.append(("refusals", lambda: checks.check_refusals(small)))
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, future in [(name, pool.submit(task)) for name, task in tasks]:
            try:
                future.result()
            except Failure as failure:
                failures += 1
                print(f"FAIL {name}: {failure}", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vaec", type=pathlib.Path, required=True)
    parser.add_argument("--run-entries", type=pathlib.Path, required=True, help="the program, for this machine")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder to build and compile in")
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("models", type=pathlib.Path, nargs="*", help="default: all of test/models and test/regression")
    options = parser.parse_args()
    missing = find_missing()
    if missing:
        print(f"skipped: needs the packages {' '.join(missing)}; tools/dev/packages test installs them")
        return SKIPPED
    models = options.models or sorted(TEST.glob("models/*/model.json")) + sorted(TEST.glob("regression/*.json"))
    options.work.mkdir(parents=True, exist_ok=True)
    try:
        there = build_program(options.cmake, options.work)
    except Failure as failure:
        print(f"FAIL the program for AArch64: {failure}")
        return 1
    failures = run_checks(Checks(options.vaec, options.run_entries, there, options.work), models, options.jobs)
    print(f"{failures} failures" if failures else "all right")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
