# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the weights of a model add to its compilation.

    python3 cost_of_weights.py [--runs N] [--max-memory F] [--max-seconds S] [--mcpu CPUS] SMALL BIG

Compiles the models in two folders, which differ in the size of their weights
alone, and compares the least time and peak memory (resident set) of N runs,
default 2. Fails if the added memory is more than F times the added weights, or
the added time more than S seconds; by default any.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def compile_model(folder, cpus):
    """Seconds and bytes of one compilation."""
    with tempfile.TemporaryDirectory() as output:
        start = time.monotonic()
        process = subprocess.Popen(
            ["vaec", str(folder / "m.json"), f"--mcpu={cpus}", "-o", os.path.join(output, "m.so")])
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"vaec failed on {folder}")
    return seconds, usage.ru_maxrss * 1024


def measure(folder, runs, cpus):
    """The least seconds and bytes, and the bytes of the weights."""
    results = [compile_model(folder, cpus) for _ in range(runs)]
    return min(r[0] for r in results), min(r[1] for r in results), (folder / "w.safetensors").stat().st_size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--max-memory", type=float)
    parser.add_argument("--max-seconds", type=float)
    parser.add_argument("--mcpu", default="native")
    parser.add_argument("small", type=pathlib.Path)
    parser.add_argument("big", type=pathlib.Path)
    options = parser.parse_args()
    small, big = (measure(folder, options.runs, options.mcpu) for folder in (options.small, options.big))
    seconds, memory, weights = (b - s for s, b in zip(small, big))
    print(f"small: {small[0]:.2f} s, {small[1] / 1e6:.0f} MB; big: {big[0]:.2f} s, {big[1] / 1e6:.0f} MB")
    print(f"{weights / 1e6:.0f} MB of weights add {seconds:.2f} s and {memory / 1e6:.0f} MB, "
          f"{memory / weights:.2f} times their size")
    if options.max_memory is not None and memory > options.max_memory * weights:
        sys.exit(f"too much memory: the limit is {options.max_memory} times their size")
    if options.max_seconds is not None and seconds > options.max_seconds:
        sys.exit(f"too slow: the limit is {options.max_seconds} s")


if __name__ == "__main__":
    main()
