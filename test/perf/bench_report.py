# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes tables and a plot of what the benchmark's harness has measured (tools/dev/bench).
Standard library only.

    bench_report.py RESULTS.jsonl [--into FILE.md] [--plot FILE.svg]

For each workload, batch and number of threads, the latest run with a contender of ours,
whose name begins with "vaec", counts.
"""

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Optional
from xml.sax.saxutils import escape

@dataclass
class Class:
    """Who is compared: ours with at most that error, and peers of at most that."""

    name: str
    ours: float
    peers: float


# The limits of peers are those of the harness.
CLASSES = [
    Class("f32", 2e-5, 1e-3),
    Class("f32, peers as exact", 2e-5, 2e-5),
    Class("16 bits", 1.5e-2, 3e-2),
    Class("int8", 1.5e-2, 1.0),
    Class("int8, both", 1.0, 1.0),
]


@dataclass
class Comparison:
    case: tuple  # workload, batch, threads
    kind: Class
    ours: dict
    peer: Optional[dict]  # the fastest by median

    @property
    def ratio(self):
        """The peer's time over ours: above 1 we are faster. Median of the rounds."""
        return median(b / a for a, b in zip(self.ours["rounds_us"], self.peer["rounds_us"]))

    @property
    def least_ratio(self):
        return self.peer["min_us"] / self.ours["min_us"]


def is_ours(row):
    return row["name"].startswith("vaec")


def read_latest(path):
    """case -> rows of its latest run with a contender of ours, without those that failed."""
    runs = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if "error" not in row:
                case = (row["W"], row["b"], row["t"])
                runs.setdefault(case, {}).setdefault(row["run"], []).append(row)
    latest = {}
    for case, by_run in runs.items():
        ours = [run for run, rows in by_run.items() if any(map(is_ours, rows))]
        if ours:
            latest[case] = by_run[max(ours)]
    return dict(sorted(latest.items()))


def compare(latest):
    """Classes in which nothing joins the one before, neither ours nor a peer, are left out."""
    result = []
    for case, rows in latest.items():
        known = set()
        for kind in CLASSES:
            ours = [row for row in rows if is_ours(row) and row["rel_l2"] <= kind.ours]
            peers = [row for row in rows if not is_ours(row) and row["rel_l2"] <= kind.peers]
            if not ours or not peers:
                continue
            best, peer = (min(group, key=lambda row: row["med_us"]) for group in (ours, peers))
            pair = (best["name"], best["q"], peer["name"], peer["q"])
            if pair not in known:
                result.append(Comparison(case, kind, best, peer))
            known.add(pair)
    return result


def format_time(us):
    for limit, unit in ((1e3, "µs"), (1e6, "ms")):
        if us < limit:
            return f"{us / limit * 1e3:.3g} {unit}"
    return f"{us / 1e6:.3g} s"


def format_row(row):
    name = row["name"] if row["q"] in ("-", "fp32") else f"{row['name']} {row['q']}"
    return f"{name} {format_time(row['min_us'])} / {format_time(row['med_us'])}, {row['rel_l2']:.1e}"


def make_table(comparisons, latest):
    lines = [
        "| workload | batch | threads | class | ours: min / median, error | best peer: min / median, error | "
        "× min | × median |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in comparisons:
        workload, batch, threads = one.case
        lines.append(
            f"| {workload} | {batch} | {threads} | {one.kind.name} | {format_row(one.ours)} | {format_row(one.peer)} | "
            f"{one.least_ratio:.2f} | **{one.ratio:.2f}** |"
        )
    memory = [
        f"| {case[0]} | {case[1]} | {case[2]} | "
        + ", ".join(f"{row['name']} {row['q']} {row['rss_mb']:.0f}" for row in sorted(rows, key=lambda row: row["rss_mb"]))
        + " |"
        for case, rows in latest.items()
        if case[0] in ("W4", "W5")
    ]
    if memory:
        lines += ["", "Peak resident memory of the process, MB:", "", "| workload | batch | threads | |", "|---|---|---|---|"]
        lines += memory
    return "\n".join(lines) + "\n"


BAR, LEFT, WIDTH = 15, 330, 760
COLORS = {"f32": "#1f5fa8", "f32, peers as exact": "#7fb2e5", "16 bits": "#2f9e62", "int8": "#d9912b", "int8, both": "#b3541e"}


def draw(comparisons):
    """Bars of the ratios, from 1; logarithmic."""
    most = max([2.0] + [one.ratio for one in comparisons]) * 1.1
    least = min([0.8] + [one.ratio for one in comparisons]) / 1.1

    def place(ratio):
        return LEFT + (WIDTH - LEFT - 40) * math.log(ratio / least) / math.log(most / least)

    top = 44
    height = top + BAR * len(comparisons) + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        "<style>text { font: 11px sans-serif; fill: #333 } .axis { stroke: #999 }</style>",
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    x = 6
    for name, color in COLORS.items():
        lines.append(f'<rect x="{x}" y="6" width="10" height="10" fill="{color}"/><text x="{x + 14}" y="15">{name}</text>')
        x += 30 + 7 * len(name)
    lines.append('<text x="6" y="34">time of the best peer / ours (median of rounds)</text>')
    for tick in (0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8):
        if least <= tick <= most:
            at = place(tick)
            lines.append(f'<text x="{at:.1f}" y="34" text-anchor="middle">{tick:g}</text>')
            lines.append(f'<path class="axis" d="M{at:.1f} {top - 4}V{height - 6}"/>')
    for i, one in enumerate(comparisons):
        y = top + BAR * i
        workload, batch, threads = one.case
        peer = one.peer["name"] + ("" if one.peer["q"] == "fp32" else " " + one.peer["q"])
        text = f"{workload} batch {batch}, {threads} thread{'s' * (threads > 1)}, against {peer}"
        begin, end = sorted((place(1), place(one.ratio)))
        lines.append(f'<text x="{LEFT - 40}" y="{y + 11}" text-anchor="end">{escape(text)}</text>')
        lines.append(
            f'<rect x="{begin:.1f}" y="{y + 2}" width="{end - begin:.1f}" height="{BAR - 4}" fill="{COLORS[one.kind.name]}"/>'
        )
        lines.append(f'<text x="{end + 4:.1f}" y="{y + 11}">{one.ratio:.2f}</text>')
    return "\n".join(lines) + "\n</svg>\n"


def replace_part(text, name, part):
    """The text with what stands between two marks replaced."""
    begin, end = f"<!-- {name}: generated -->\n", f"<!-- end of {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        sys.exit(f"bench_report: expected the marks '{begin.strip()}' and '{end}' once each")
    before, after = text.split(begin)[0], text.split(end)[1]
    return f"{before}{begin}{part}{end}{after}"


def main():
    parser = argparse.ArgumentParser(prog="bench_report", description="Tables of what tools/dev/bench measured.")
    parser.add_argument("results", type=Path)
    parser.add_argument("--into", type=Path, metavar="FILE.md", help="put the table between the file's marks")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the ratios")
    options = parser.parse_args()
    latest = read_latest(options.results)
    comparisons = compare(latest)
    if not comparisons:
        sys.exit(f"bench_report: {options.results} has no run of ours beside a peer; run tools/dev/bench first")
    table = make_table(comparisons, latest)
    if options.into:
        text = options.into.read_text(encoding="utf-8")
        options.into.write_text(replace_part(text, "benchmark", "\n" + table + "\n"), encoding="utf-8")
    else:
        print(table, end="")
    if options.plot:
        options.plot.write_text(draw(comparisons), encoding="utf-8")


if __name__ == "__main__":
    main()
