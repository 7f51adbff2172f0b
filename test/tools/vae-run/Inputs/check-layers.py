# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what `mnist-conv bench --entry score --batch 2,64 --layers --json --trace` wrote.

    check-layers.py REPORT.json TRACE.json
"""

import json
import sys


def check_run(run, peak):
    # Of one thread, measured once.
    assert run["peak_gflops_per_second"] == peak, run
    layers = run["layers"]
    flops = sum(layer["flops"] for layer in layers)
    assert flops == run["flops"], (flops, run["flops"])
    percent = sum(layer["percent"] for layer in layers)
    assert abs(percent - 100) < 1e-6, percent
    # Medians do not add up exactly, on a busy machine not even nearly.
    total = sum(layer["median_us"] for layer in layers) / 1e3
    assert 0.1 * run["min_ms"] < total < 3 * run["p99_ms"], (total, run)
    for layer in layers:
        assert abs(layer["percent"] - layer["median_us"] / total / 10) < 1e-6, layer
        assert 0 <= layer["min_us"] <= layer["median_us"], layer
        assert layer["predicted_us"] >= 0, layer
        assert layer["kernel"] in (layer["kernels"] or [""]), layer
        seconds = layer["median_us"] * 1e-6
        for rate, amount in (("gflops_per_second", "flops"), ("gbytes_per_second", "bytes")):
            expected = layer[amount] / seconds / 1e9 if seconds else 0
            assert abs(layer[rate] - expected) <= 1e-6 * expected, (layer, expected)
        expected = 100 * layer["gflops_per_second"] / peak
        assert abs(layer["peak_percent"] - expected) <= 1e-6 * expected, layer
    # A 4x4 convolution of 1 channel to 16 at 14x14 positions an example: that
    # many operations, and at least its input, weight and output in bytes.
    conv = layers[2]
    assert [layer["name"] for layer in layers[:3]] == ["(start)", "(noise)", "conv1"], layers
    assert conv["flops"] == run["batch"] * 2 * 14 * 14 * 16 * 4 * 4, conv
    assert conv["bytes"] >= 4 * (run["batch"] * (28 * 28 + 16 * 14 * 14) + 16 * 4 * 4), conv
    assert conv["kernels"] and conv["steps"] >= len(conv["kernels"]), conv
    # What the model says of direct sums is within a few times of the peak.
    assert 1 < conv["predicted_us"] * 1e-6 * peak * 1e9 / conv["flops"] < 20, conv
    assert layers[0]["predicted_us"] == 0, layers
    assert layers[0]["flops"] == layers[1]["flops"] == layers[0]["bytes"] == 0, layers


def check_process(events, title, run):
    """One run in the trace: calls that hold their steps, in order."""
    assert events[0]["ph"] == "M" and events[0]["args"]["name"] == title, events[0]
    calls = [event for event in events if event.get("cat") == "call"]
    assert len(calls) == min(run["calls"], 20), (len(calls), run["calls"])
    steps = sum(layer["steps"] for layer in run["layers"])
    assert len(events) == 1 + len(calls) * (1 + steps), len(events)
    at = 1
    for call in calls:
        assert events[at] is call and call["name"] == "score" and call["ph"] == "X", events[at]
        inner = events[at + 1:at + 1 + steps]
        assert inner[0]["cat"] == "noise" and all(step["cat"] == "step" for step in inner[1:]), inner
        begin, end = call["ts"], call["ts"] + call["dur"]
        for step in inner:
            assert step["ph"] == "X" and step["dur"] >= 0, step
            assert step["ts"] >= begin - 1e-3, (step, begin)
            begin = step["ts"] + step["dur"]
        assert abs(begin - end) < 2e-3, (begin, end)
        assert sum(step["args"]["flops"] for step in inner[1:]) == run["flops"], inner
        # The steps are those of the table, layer by layer.
        names = [step["name"] for step in inner]
        expected = [layer["name"] for layer in run["layers"] for _ in range(layer["steps"])]
        assert names == expected, (names, expected)
        for step in inner[1:]:
            layer, kernel = step["args"]["layer"], step["args"]["kernel"]
            assert step["name"] == layer or (layer == "" and step["name"] == kernel), step
            assert step["args"]["bytes"] > 0, step
        at += 1 + steps
    return calls


def main(report, trace):
    with open(report, encoding="utf-8") as stream:
        report = json.load(stream)
    with open(trace, encoding="utf-8") as stream:
        events = json.load(stream)["traceEvents"]
    # Between one operation a cycle at 100 MHz and 64 times 10 GHz.
    peak = report["fma_peak"]["gflops_per_second"]
    assert 0.1 < peak < 1e4, peak
    assert [run["batch"] for run in report["runs"]] == [2, 64], report
    last = 0
    for number, run in enumerate(report["runs"], 1):
        check_run(run, peak)
        own = [event for event in events if event["pid"] == number]
        calls = check_process(own, "mnist-conv, score, batch %d, 1 thread" % run["batch"], run)
        for call in calls:
            assert call["ts"] >= last, (call, last)
            last = call["ts"] + call["dur"]
    assert max(event["pid"] for event in events) == 2, events[-1]


main(*sys.argv[1:])
