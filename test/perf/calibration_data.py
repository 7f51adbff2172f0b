# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes what the harness calibrates 8-bit integers with, as one array.

    calibration_data.py HARNESS W1 FILE.npy

Runs in the harness's virtual environment.
"""

import sys

import numpy as np


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: calibration_data.py HARNESS WORKLOAD FILE.npy")
    harness, workload, path = sys.argv[1:]
    sys.path.insert(0, harness)
    from prep import calibration

    batch = 1 if workload in ("W4", "W5") else 16
    np.save(path, np.concatenate(calibration(workload, batch)))


if __name__ == "__main__":
    main()
