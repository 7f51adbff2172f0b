# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loads libraries and looks at the memory of their weights.

    python3 weights_pages.py LIBRARY...

All must have the same weights, in pages that are mapped from the library's file,
and that can be read and not be written.
"""
import ctypes
import os
import sys

TYPES = {"u": ctypes.c_uint32, "p": ctypes.c_void_p, "i": ctypes.c_int64}


class Model(ctypes.Structure):
    """vae_abi_model up to the size of the weights."""

    _fields_ = [(name, TYPES[kind]) for kind, names in (
        ("u", "abi_version struct_size"),
        ("p", "name compiler_version target_triple cpu_features quantization likelihood prior"),
        ("u", "num_symbols num_entries"),
        ("p", "symbols entries weights"),
        ("i", "weights_size"),
    ) for name in names.split()]


def check_mapping(path, address, size):
    """Every mapping of the weights is read-only and of the file."""
    at = address
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split()
            begin, end = (int(number, 16) for number in fields[0].split("-"))
            if at >= address + size or not begin <= at < end:
                continue
            if fields[1] not in ("r--p", "r--s") or os.path.realpath(path) != fields[-1]:
                sys.exit(f"{path}: weights are mapped as: {line}")
            at = end
    if at < address + size:
        sys.exit(f"{path}: {address + size - at} bytes of weights are not mapped")


def read_weights(path):
    library = ctypes.CDLL(os.path.abspath(path))
    query = library.vae_model_query
    query.restype = ctypes.POINTER(Model)
    model = query(1).contents
    if model.weights % 4096:
        sys.exit(f"{path}: the weights are not aligned to a page")
    check_mapping(path, model.weights, model.weights_size)
    return ctypes.string_at(model.weights, model.weights_size)


def main():
    weights = [read_weights(path) for path in sys.argv[1:]]
    if len(weights[0]) < 1000000 or not any(weights[0]):
        sys.exit("there are no weights")
    if any(other != weights[0] for other in weights):
        sys.exit("the weights differ")


if __name__ == "__main__":
    main()
