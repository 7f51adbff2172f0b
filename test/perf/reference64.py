# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Replaces the benchmark's expected outputs, computed in f32, by ones computed in f64 and
rounded once, so that errors are against what is exact.

    reference64.py HARNESS W1,W2,...

Runs in the harness's virtual environment; its data are in $BENCH_DATA.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: reference64.py HARNESS W1,W2,...")
    sys.path.insert(0, sys.argv[1])
    from common import DATA, WORKLOADS, path
    from workloads import model

    for name in sys.argv[2].split(","):
        run = None
        for batch in WORKLOADS[name].batches:
            done = Path(path(name, batch, ".ref64"))
            if done.exists():
                continue
            if run is None:
                run, whole = model(name)
                whole.load_state_dict(load_file(DATA / name / "weights.safetensors"))
                run.double()
            x = torch.from_numpy(np.load(path(name, batch, ".in.npy")))
            with torch.no_grad():
                np.save(path(name, batch, ".ref.npy"), run(x.double()).float().numpy())
            done.touch()


main()
