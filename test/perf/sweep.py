# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What tools/dev/sweep runs once everything is built; --help describes it. Standard
library only."""

import argparse
import concurrent.futures
import contextlib
import ctypes as c
import fcntl
import hashlib
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import bench_report
import cliffs
import layer_models
import sweep_plot

CHANNELS = [1, 3, 7, 8, 13, 16, 24, 31, 32, 33, 48, 63, 64, 65, 96, 100, 128, 192, 255, 256, 384, 512]
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 127, 128, 129, 192]
SIZES += [255, 256, 257, 384, 511, 512, 513, 768, 1023, 1024]
BATCHES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 127, 128]
BATCHES += [129, 192, 255, 256, 257, 384, 511, 512, 513, 768, 1000, 1024]
QUICK_SIZES = [1, 2, 3, 5, 8, 13, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129]
QUICK_BATCHES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65]

DOCS = Path(__file__).resolve().parents[2] / "docs"

# Calls of the library's own copies between NCHW and NHWC.
LAYOUT_COPY = re.compile(r"copy_(strided(_\d+)?|transposed_r4(_rows)?(_\d+)?)$")

SECONDS = 0.003  # of a measurement, of which every round makes one of each point
ROUNDS = {False: 3, True: 2}  # quick: True
REPEATS = 6  # more rounds of points that look slow, and of their neighbours
SUSPICIOUS = 0.75


class Series:
    """Points of one kind of layer along one axis; what does not vary is `base`."""

    def __init__(self, kind, axis, values, **base):
        self.kind, self.axis, self.values = kind, axis, values
        self.base = {"inputs": 32, "outputs": 32, "size": 32, "batch": 1, **base}
        self.points = [Measured(self, x) for x in values]

    @property
    def name(self):
        if self.axis == "channels":
            rest = ["size", "batch"]
        else:
            rest = [key for key in self.base if key != self.axis]
        if not layer_models.KINDS[self.kind].image:
            rest.remove("size")
        return f"{self.kind} over {self.axis}, " + ", ".join(f"{key} {self.base[key]}" for key in rest)

    def judge(self):
        """The points of `cliffs`, whose x, seconds and work are those of `self.points`."""
        result = [point.get() for point in self.points]
        cliffs.judge(result)
        return result


class Measured:
    """One point: the model, its sizes and the least time of each step."""

    def __init__(self, series, x):
        kind = layer_models.KINDS[series.kind]
        values = dict(series.base)
        if series.axis == "channels":
            values["inputs"] = values["outputs"] = x
        else:
            values[series.axis] = x
        values["inputs"] *= kind.inputs
        if kind.square and kind.inputs == 1:
            values["inputs"] = values["outputs"]
        self.x, self.values = x, values
        odd = kind.stride > 1 and values["size"] % 2 == 1
        self.model = (series.kind, values["inputs"], values["outputs"], odd)
        self.symbols = [values["batch"]] + [values["size"]] * 2 * kind.image
        self.layout = kind.layout
        self.library = self.best = self.work = None

    def open(self, library):
        self.library = library
        self.best = (c.c_int64 * library.count)(*[2**62] * library.count)
        flops, moved = library.get_costs(self.symbols)
        last = library.count - 1
        copies = [bool(LAYOUT_COPY.match(kernel)) for kernel in library.kernels]
        self.steps = [
            i
            for i in range(library.count)
            if (copies[i] if self.layout else library.layers[i] == "layer" and not (copies[i] and i == last))
        ]
        kind = layer_models.KINDS[self.model[0]]
        self.work = sum(flops[i] for i in self.steps) * layer_models.count_inside(kind, self.values["size"])
        self.is_bytes = self.model[0] not in ("conv3x3", "conv1x1", "strided", "transposed", "dense", "depthwise")
        if self.is_bytes:
            self.work = sum(moved[i] for i in self.steps)

    def get(self):
        outputs = self.values["outputs"]
        # Few outputs are dot products, which run along the inputs.
        padding = math.ceil(outputs / self.library.lanes) * self.library.lanes / outputs if outputs > 3 else 1
        seconds = sum(self.best[i] for i in self.steps) * 1e-9
        return cliffs.Point(self.x, seconds, self.work, self.work * padding)


class Library:
    """A compiled model, through test/perf/steps.c."""

    def __init__(self, steps, path, lanes):
        self.steps, self.lanes = steps, lanes
        self.message = c.create_string_buffer(1024)
        self.handle = steps.vae_steps_open(str(path).encode(), b"decode", self.message, 1024)
        if not self.handle:
            sys.exit(f"sweep: {self.message.value.decode()}")
        self.count = steps.vae_steps_count(self.handle)
        self.layers = [steps.vae_steps_layer(self.handle, i).decode() for i in range(self.count)]
        self.kernels = [steps.vae_steps_kernel(self.handle, i).decode() for i in range(self.count)]

    def get_costs(self, symbols):
        flops, moved = (c.c_int64 * self.count)(), (c.c_int64 * self.count)()
        self.steps.vae_steps_costs(self.handle, (c.c_int64 * len(symbols))(*symbols), flops, moved)
        return list(flops), list(moved)

    def measure(self, symbols, threads, best):
        table = (c.c_int64 * len(symbols))(*symbols)
        if self.steps.vae_steps_measure(
            self.handle, table, len(symbols), threads, SECONDS, best, self.message, len(self.message)
        ):
            sys.exit(f"sweep: {self.message.value.decode()}")


def load_steps(path):
    steps = c.CDLL(str(path))
    steps.vae_steps_open.restype = c.c_void_p
    steps.vae_steps_open.argtypes = [c.c_char_p, c.c_char_p, c.c_char_p, c.c_size_t]
    steps.vae_steps_count.argtypes = [c.c_void_p]
    for name in ("layer", "kernel"):
        function = getattr(steps, f"vae_steps_{name}")
        function.restype, function.argtypes = c.c_char_p, [c.c_void_p, c.c_uint32]
    steps.vae_steps_costs.argtypes = [c.c_void_p] + [c.POINTER(c.c_int64)] * 3
    steps.vae_steps_measure.argtypes = [c.c_void_p, c.POINTER(c.c_int64), c.c_uint32, c.c_uint32, c.c_double]
    steps.vae_steps_measure.argtypes += [c.POINTER(c.c_int64), c.c_char_p, c.c_size_t]
    return steps


class Progress:
    """A bar on a terminal, which is erased at the end."""

    def __init__(self, what, total):
        self.what, self.total, self.done, self.next = what, max(total, 1), 0, time.monotonic() + 1
        self.start, self.drawn = time.monotonic(), False

    def advance(self):
        self.done += 1
        now = time.monotonic()
        if not sys.stderr.isatty() or now < self.next:
            return
        self.next, self.drawn = now + 0.2, True
        part = self.done / self.total
        left = (now - self.start) / part * (1 - part)
        bar = ("#" * int(40 * part)).ljust(40, ".")
        print(f"\r{self.what} [{bar}] {100 * part:3.0f} %, {left:.0f} s left\033[K", end="", file=sys.stderr, flush=True)

    def finish(self):
        if self.drawn:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def make_series(quick):
    sizes, batches = (QUICK_SIZES, QUICK_BATCHES) if quick else (SIZES, BATCHES)
    result = []
    for name, kind in layer_models.KINDS.items():
        if kind.image:
            result.append(Series(name, "channels", CHANNELS, size=16 if quick else 32))
        else:
            result.append(Series(name, "channels", CHANNELS, batch=1))
            result.append(Series(name, "channels", CHANNELS, batch=64))
        if not kind.square and not quick:
            batch = 1 if kind.image else 64
            result.append(Series(name, "inputs", CHANNELS, outputs=64, batch=batch))
            result.append(Series(name, "outputs", CHANNELS, inputs=64, batch=batch))
        if kind.image:
            result.append(Series(name, "size", sizes))
            result.append(Series(name, "batch", batches, inputs=64, outputs=64, size=8))
        else:
            result.append(Series(name, "batch", batches, inputs=256, outputs=256))
            if not quick:
                result.append(Series(name, "batch", batches, inputs=100, outputs=33))
    return result


def compile_model(model, options, folder):
    """The library, which is compiled unless it is there."""
    text, shapes = layer_models.make_model(*model)
    folder = folder / hashlib.sha256(f"{text}\n{options.flags}".encode()).hexdigest()[:12]
    library = folder / "model.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.json").write_text(text)
        layer_models.write_safetensors(folder / "weights.safetensors", shapes)
        command = [options.vaec, *options.flags.split(), folder / "model.json", "-o", library]
        done = subprocess.run(command, capture_output=True, text=True)
        (folder / "weights.safetensors").unlink()
        if done.returncode:
            sys.exit(f"sweep: {model} cannot be compiled:\n{done.stderr}")
    return library


def compile_all(models, options):
    folder = options.folder / hashlib.sha256(Path(options.vaec).read_bytes()).hexdigest()[:12]
    for other in options.folder.glob("*"):
        if other != folder:
            shutil.rmtree(other)  # of another compiler
    progress = Progress("compiling", len(models))
    libraries = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = {pool.submit(compile_model, model, options, folder): model for model in models}
        for task in concurrent.futures.as_completed(tasks):
            libraries[tasks[task]] = task.result()
            progress.advance()
    progress.finish()
    return libraries


def get_lanes(library):
    """Floats of a vector, by the features that the code needs."""
    text = Path(library).read_bytes()
    return 16 if b'"avx512f"' in text else 8 if b'"avx2"' in text else 4


@contextlib.contextmanager
def hold(lock):
    """Where machines are shared: nobody else who uses the lock measures at the same time."""
    if not lock:
        yield
        return
    with open(lock, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def measure(points, options, progress):
    """One round. Points in a random order: a moment of noise meets distant ones."""
    points = list(points)
    random.shuffle(points)
    while points:
        with hold(options.lock):
            end = time.monotonic() + 1
            while points and time.monotonic() < end:
                point = points.pop()
                point.library.measure(point.symbols, options.threads, point.best)
                progress.advance()


def find_suspicious(series):
    """Points that look slow, and those that foretell their speed."""
    found = set()
    for line in series:
        for i, point in enumerate(line.judge()):
            if point.ratio < SUSPICIOUS:
                found.update(line.points[max(i - 2, 0) : i + 3])
                if point.ratio < cliffs.LIMIT:
                    found.update(line.points[i:])
    return found


def measure_all(series, options):
    points = {point for line in series for point in line.points}
    rounds = ROUNDS[options.quick]
    progress = Progress("measuring", rounds * len(points))
    for _ in range(rounds):
        measure(points, options, progress)
    progress.finish()
    for _ in range(REPEATS):
        suspicious = find_suspicious(series)
        progress = Progress("repeating", len(suspicious))
        measure(suspicious, options, progress)
        progress.finish()


def format_point(measured, point):
    unit = "GB/s" if measured.is_bytes else "GFLOP/s"
    note = "" if point.excused is None else f", {100 * point.excused:.0f}% with whole vectors"
    mark = "  CLIFF" if point.is_cliff else ""
    speed = point.work / point.seconds / 1e9
    return f"{point.x:6} {1e6 * point.seconds:12.2f} us {speed:8.2f} {unit:8} {100 * point.ratio:4.0f}%{note}{mark}"


def report(series, options):
    """Prints the table; returns what is written as JSON."""
    found, lines = [], []
    width = max(len(line.name) for line in series)
    print(f"{'series':{width}}  points  slowest point, of the speed that its neighbours predict")
    for line in series:
        judged = line.judge()
        worst = min(judged, key=lambda point: point.verdict)
        print(f"{line.name:{width}}  {len(judged):6}  {100 * worst.verdict:4.0f}% at {worst.x}")
        for measured, point in zip(line.points, judged):
            if options.all:
                print(format_point(measured, point))
            if point.is_cliff:
                found.append(f"{line.name}:\n{format_point(measured, point)}")
        lines.append(
            {
                "kind": line.kind,
                "axis": line.axis,
                "name": line.name,
                "unit": "bytes" if line.points[0].is_bytes else "flops",
                "base": line.base,
                "points": [
                    {
                        line.axis: point.x,
                        "seconds": point.seconds,
                        "work": point.work,
                        "ratio": point.ratio,
                        "ratio_of_whole_vectors": point.excused,
                        "cliff": point.is_cliff,
                        "kernels": [measured.library.kernels[i] for i in measured.steps],
                    }
                    for measured, point in zip(line.points, judged)
                ],
            }
        )
    for text in found:
        print(text)
    print(f"{sum(len(line.points) for line in series)} points, {len(found)} below {100 * cliffs.LIMIT:.0f}%")
    return {"schema": 1, "limit": cliffs.LIMIT, "threads": options.threads, "flags": options.flags, "series": lines}, found


def make_table(result):
    """The series in Markdown."""
    lines = ["| series | points | slowest | of the speed that its neighbours predict |", "|---|---|---|---|"]
    for line in result["series"]:
        worst = min(line["points"], key=get_verdict)
        lines.append(f"| {line['name']} | {len(line['points'])} | {worst[line['axis']]} | {100 * get_verdict(worst):.0f}% |")
    excused = sum(point["ratio_of_whole_vectors"] is not None for line in result["series"] for point in line["points"])
    lines.append(f"\nPoints that reach the limit only if channels are counted in whole vectors: {excused}.")
    return "\n".join(lines) + "\n"


def get_verdict(point):
    whole = point["ratio_of_whole_vectors"]
    return point["ratio"] if whole is None else whole


def main():
    parser = argparse.ArgumentParser(prog="sweep", description="Times layers over channels, image sizes and "
                                     "batches, and looks for points that are slower than their neighbours predict.")
    parser.add_argument("--quick", action="store_true", help="fewer points, about a minute")
    parser.add_argument("--only", default="", metavar="REGEX", help="series whose names match, such as 'conv3x3 over size'")
    parser.add_argument("--threads", type=int, default=1, help="threads (default 1)")
    parser.add_argument("--flags", default="-O3", help="options of vaec (default -O3)")
    parser.add_argument("--all", action="store_true", help="print every point")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the points")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them (SVG)")
    parser.add_argument("--write", action="store_true", help="put table and plot into docs/performance.md, too")
    parser.add_argument("--lock", metavar="FILE", help="lock it for a second at a time, where others measure, too")
    parser.add_argument("--folder", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--vaec", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--steps", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()

    series = [line for line in make_series(options.quick) if re.search(options.only, line.name)]
    if not series:
        parser.error(f"--only: no series matches '{options.only}'")
    libraries = compile_all({point.model for line in series for point in line.points}, options)
    steps = load_steps(options.steps)
    lanes = get_lanes(next(iter(libraries.values())))
    opened = {model: Library(steps, path, lanes) for model, path in libraries.items()}
    for line in series:
        for point in line.points:
            point.open(opened[point.model])
        # One channel has the same bytes in NCHW and NHWC: nothing runs.
        line.points = [point for point in line.points if point.work]
    measure_all(series, options)
    result, found = report(series, options)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.plot:
        options.plot.write_text(sweep_plot.draw(result))
    if options.write:
        page = DOCS / "performance.md"
        text = bench_report.replace_part(page.read_text(encoding="utf-8"), "sweep", "\n" + make_table(result) + "\n")
        page.write_text(text, encoding="utf-8")
        (DOCS / "performance-sweep.svg").write_text(sweep_plot.draw(result), encoding="utf-8")
    if found:
        sys.exit(1)


if __name__ == "__main__":
    main()
