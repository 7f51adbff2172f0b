# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that the numbers of a report agree with each other and with the files.

    python3 check_report.py REPORT.json
"""
import json
import math
import os
import sys
from fractions import Fraction


def evaluate(formula, values):
    """The value of a formula, exactly."""
    names = {name: Fraction(value) for name, value in values.items()}
    return eval(formula, {"__builtins__": {}}, {"max": max, "ceil": math.ceil, "floor": math.floor, **names})


def main():
    with open(sys.argv[1]) as file:
        report = json.load(file)
    assert report["schema"] == 1
    smallest = {dim["symbol"]: dim["minimum"] for dim in report["dimensions"]}
    assert report["dimensions"][0] == {"name": "batch", "symbol": "N", "minimum": 1, "multiple": 1}

    assert report["layers"]
    for layer in report["layers"]:
        assert layer["section"] in ("encoder", "decoder"), layer
        assert layer["flops"] == evaluate(layer["flops_formula"], smallest), layer
        bytes_each = {"f32": 4, "bf16": 2, "f16": 2}[layer["weights_in"]]
        assert layer["weight_bytes"] >= bytes_each * layer["parameters"], layer
    if {layer["section"] for layer in report["layers"]} == {"encoder", "decoder"}:
        assert sum(layer["parameters"] for layer in report["layers"]) >= report["parameters"]

    for entry in report["entries"]:
        assert 0 < entry["launches"]
        for key in ("flops", "arena_bytes"):
            values = entry[key]["values"]
            assert [value["batch"] for value in values] == [1, 64]
            for value in values:
                at = {**smallest, "N": value["batch"]}
                assert value["value"] == evaluate(entry[key]["formula"], at), (entry["name"], key, value)
        arena = entry["arena_bytes"]["values"][0]["value"]
        assert arena % 64 == 0
        buffers = entry["buffers"]
        assert arena == max((buffer["offset"] + buffer["bytes"] for buffer in buffers), default=0), entry["name"]
        for i, buffer in enumerate(buffers):
            assert buffer["layer"] and buffer["offset"] % 64 == 0 and buffer["bytes"] > 0, buffer
            assert 0 <= buffer["first"] <= buffer["last"] < entry["launches"], buffer
            for other in buffers[:i]:
                apart = other["offset"] + other["bytes"] <= buffer["offset"]
                assert apart or other["last"] < buffer["first"] or buffer["last"] < other["first"], (buffer, other)

    layers = {layer["name"]: layer["op"].split("+") for layer in report["layers"]}
    for fused in report["fused"]:
        assert fused["op"] in layers[fused["layer"]], fused
        assert fused["into"] is None or fused["into"] in layers, fused

    assert abs(report["seconds"] - sum(stage["seconds"] for stage in report["stages"])) < 1e-6
    if report["emit"] == "so":
        assert report["output_bytes"] == os.path.getsize(report["output"])
        assert 0 < report["weight_bytes"] < report["output_bytes"]
        assert 0 < report["kernels"]
        assert sum(step["seconds"] for step in report["steps"]) <= report["stages"][-1]["seconds"]


if __name__ == "__main__":
    main()
