# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Masks of vaec --write-masks as a program that trains reads them. Standard
library only.

    check_masks.py WEIGHTS MASKS FRACTION      unstructured masks of a file
    check_masks.py WEIGHTS MASKS N:M           of dense layers
    check_masks.py WEIGHTS MASKS SCHEDULE.json
"""
import array
import json
import sys


def read(path):
    """Shape and numbers of the tensors of a safetensors file."""
    types = {"F32": "f", "BOOL": "b"}
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    return {name: (entry["shape"], array.array(types[entry["dtype"]], data[slice(*entry["data_offsets"])]))
            for name, entry in header.items() if name != "__metadata__"}


def check_largest(values, mask, name):
    """What stays is nowhere smaller than what goes."""
    kept = [abs(value) for value, stays in zip(values, mask) if stays]
    gone = [abs(value) for value, stays in zip(values, mask) if not stays]
    assert min(kept) >= max(gone), name


def check_step(masks, row, last):
    for name, sparsity in row["sparsity"].items():
        shape, mask = masks[f"{row['step']}/{name}"]
        assert shape == weights[name][0], name
        assert abs(mask.count(0) / len(mask) - sparsity) < 1e-9, (name, row)
        assert abs(sparsity - 0.8 * row["part"]) < 2 / len(mask), (name, row)
        assert not any(new > old for new, old in zip(mask, last.get(name, mask))), f"{name}: a weight comes back at {row['step']}"
        last[name] = mask


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
        check_step(masks, row, last)
    assert [row["step"] for row in schedule["steps"]] == list(range(begin, end + 1, schedule["every"]))
    assert len(masks) == sum(len(row["sparsity"]) for row in schedule["steps"])
elif ":" in what:
    keep, of = map(int, what.split(":"))
    for name, (shape, mask) in masks.items():
        outputs, inputs = shape
        for begin in (o * inputs + i for o in range(outputs) for i in range(0, inputs // of * of, of)):
            group = slice(begin, begin + of)
            assert sum(mask[group]) == keep, name
            check_largest(weights[name][1][group], mask[group], name)
else:
    for name, (shape, mask) in masks.items():
        assert shape == weights[name][0], name
        assert mask.count(0) == int(float(what) * len(mask)), name
        check_largest(weights[name][1], mask, name)
print(", ".join(sorted(masks)[:6]))
