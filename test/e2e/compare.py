# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How closely compiled results must follow PyTorch's."""
import numpy as np

LIMIT = 1e-5


def relative(a, b):
    """||a - b|| / ||b|| in the L2 norm, computed in f64."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    assert a.shape == b.shape, f"shapes {a.shape} and {b.shape}"
    norm = np.linalg.norm(b)
    return np.linalg.norm(a - b) / (norm if norm > 0 else 1.0)


class Comparison:
    """Collects errors; `passed` says whether all were within their limits."""

    def __init__(self):
        self.passed = True

    def report(self, what, error, limit):
        good = error <= limit  # false for NaN
        self.passed &= bool(good)
        print(f"{'ok  ' if good else 'FAIL'} {what}: error {error:.2e}, limit {limit:.2e}", flush=True)

    def check_tensor(self, what, found, f32, f64):
        """`found` against PyTorch's f32 result: relative L2 up to 1e-5, or ten
        times the rounding error that PyTorch itself has."""
        limit = max(LIMIT, 10 * relative(f32, f64))
        self.report(what, relative(found, f32), limit)

    def check_values(self, what, found, expected):
        """Each value within 1e-5, relative."""
        found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
        assert found.shape == expected.shape, f"{what}: shapes {found.shape} and {expected.shape}"
        self.report(what, np.max(np.abs(found - expected) / np.abs(expected)), LIMIT)
