# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Masks of vaec --write-masks as a program that trains reads them.

    check_masks.py WEIGHTS MASKS FRACTION      unstructured masks of a file
    check_masks.py WEIGHTS MASKS N:M
    check_masks.py WEIGHTS MASKS SCHEDULE.json
"""
import json
import sys

import numpy as np


def read(path):
    """The tensors of a safetensors file."""
    types = {"F32": np.float32, "BOOL": np.bool_}
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    return {name: np.frombuffer(data[slice(*entry["data_offsets"])], types[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in header.items() if name != "__metadata__"}


def check_largest(weight, mask):
    """What stays is nowhere smaller than what goes."""
    magnitude = np.abs(weight)
    assert magnitude[mask].min() >= magnitude[~mask].max()


weights, masks, what = read(sys.argv[1]), read(sys.argv[2]), sys.argv[3]
if what.endswith(".json"):
    with open(what, encoding="utf-8") as file:
        schedule = json.load(file)
    assert schedule["format"] == "vaec-masks", schedule
    begin, end = schedule["begin"], schedule["end"]
    last = {}
    for row in schedule["steps"]:
        part = 1 - (1 - (row["step"] - begin) / (end - begin)) ** 3
        assert abs(part - row["part"]) < 1e-12, row
        for name, sparsity in row["sparsity"].items():
            mask = masks[f"{row['step']}/{name}"]
            assert mask.shape == weights[name].shape, name
            assert abs((~mask).mean() - sparsity) < 1e-9 and abs(sparsity - 0.8 * part) < 2 / mask.size, (name, row)
            assert not (mask & ~last.get(name, mask)).any(), f"{name}: a weight comes back at {row['step']}"
            last[name] = mask
    assert [row["step"] for row in schedule["steps"]] == list(range(begin, end + 1, schedule["every"]))
    assert len(masks) == sum(len(row["sparsity"]) for row in schedule["steps"])
elif ":" in what:
    keep, of = map(int, what.split(":"))
    for name, mask in masks.items():
        groups = mask.shape[1] // of * of
        assert (mask[:, :groups].reshape(mask.shape[0], -1, of).sum(axis=2) == keep).all(), name
        magnitude = np.abs(weights[name][:, :groups]).reshape(mask.shape[0], -1, of)
        kept = mask[:, :groups].reshape(magnitude.shape)
        assert (np.where(kept, magnitude, np.inf).min(axis=2) >= np.where(kept, 0, magnitude).max(axis=2)).all(), name
else:
    for name, mask in masks.items():
        assert mask.shape == weights[name].shape, name
        assert (~mask).sum() == int(float(what) * mask.size), name
        check_largest(weights[name], mask)
print(", ".join(sorted(masks)[:6]))
