# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Multiplies a model's weights by the masks of a recipe, which makes -0 of negative ones, as training
with masks does.

    negate_zeros.py MODEL_FOLDER RESULT_FOLDER MASKS.safetensors
"""
import json
import pathlib
import shutil
import struct
import sys


def read(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + size]), bytearray(data[8 + size :]), data[: 8 + size]


def main():
    source, target, masks = map(pathlib.Path, sys.argv[1:])
    shutil.copy(source / "model.json", target)
    header, weights, head = read(source / "weights.safetensors")
    known, bits, _ = read(masks)
    zeros = 0
    for name, mask in known.items():
        layer = name.removesuffix(".mask")
        tensor = header.get(f"{layer}.weight")
        if layer == name or tensor is None:
            continue
        begin, first = tensor["data_offsets"][0], mask["data_offsets"][0]
        for i in range((mask["data_offsets"][1] - first)):
            if not bits[first + i]:
                at = begin + 4 * i
                weights[at : at + 4] = bytes([0, 0, 0, weights[at + 3] & 0x80])  # the sign stays
                zeros += 1
    assert zeros, "no tensor has a mask"
    (target / "weights.safetensors").write_bytes(head + weights)


main()
