# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws what tools/dev/sweep measured: a panel for each series, speed over what varies,
both logarithmic. Standard library only."""

import math
from xml.sax.saxutils import escape

COLUMNS = 3
WIDTH, HEIGHT = 340, 200  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 38, 30  # around its axes
STYLE = """
 text { font: 11px sans-serif; fill: #333 }
 .title { font-weight: bold }
 .grid { stroke: #ddd }
 .speed { fill: none; stroke: #1f5fa8; stroke-width: 1.5 }
 .limit { fill: none; stroke: #c33; stroke-dasharray: 3 3 }
 .point { fill: #1f5fa8 }
 .cliff { fill: #c33 }
"""


class Axis:
    """A logarithmic scale from values to pixels."""

    def __init__(self, values, begin, end):
        self.low, self.high = min(values), max(values)
        self.begin, self.end = begin, end

    def place(self, value):
        span = math.log(self.high / self.low) or 1
        return self.begin + (self.end - self.begin) * math.log(value / self.low) / span

    def ticks(self, base):
        first = math.ceil(math.log(self.low, base) - 1e-9)
        last = math.floor(math.log(self.high, base) + 1e-9)
        step = max(1, (last - first) // 6)
        return [base**i for i in range(first, last + 1, step)]


def draw_panel(series, limit, x0, y0):
    points = series["points"]
    xs = [point[series["axis"]] for point in points]
    speeds = [point["work"] / point["seconds"] / 1e9 for point in points]
    # What a point must reach of the speed that its neighbours predict.
    limits = [speed / point["ratio"] * limit for speed, point in zip(speeds, points)]
    x = Axis(xs, x0 + LEFT, x0 + WIDTH - RIGHT)
    shown = speeds + limits
    y = Axis([min(shown), max(shown) * 1.1], y0 + HEIGHT - BOTTOM, y0 + TOP)
    result = [f'<text class="title" x="{x0 + 6}" y="{y0 + 15}">{escape(series["name"])}</text>']
    for value in x.ticks(2):
        at = x.place(value)
        result.append(f'<path class="grid" d="M{at:.1f} {y.begin}V{y.end}"/>')
        result.append(f'<text x="{at:.1f}" y="{y.begin + 14}" text-anchor="middle">{value}</text>')
    for value in sorted(tick * factor for tick in Axis([y.low / 5, y.high], 0, 1).ticks(10) for factor in (1, 2, 5)):
        if y.low <= value <= y.high:
            at = y.place(value)
            result.append(f'<path class="grid" d="M{x.begin} {at:.1f}H{x.end}"/>')
            result.append(f'<text x="{x.begin - 4}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>')
    unit = "GFLOP/s" if series["unit"] == "flops" else "GB/s"
    result.append(f'<text x="{x0 + 6}" y="{y0 + TOP - 8}">{unit}</text>')
    for name, values in (("limit", limits), ("speed", speeds)):
        path = "L".join(f"{x.place(a):.1f} {y.place(b):.1f}" for a, b in zip(xs, values))
        result.append(f'<path class="{name}" d="M{path}"/>')
    for point, a, b in zip(points, xs, speeds):
        kind = "cliff" if point["cliff"] else "point"
        result.append(f'<circle class="{kind}" cx="{x.place(a):.1f}" cy="{y.place(b):.1f}" r="2.5"/>')
    return result


def draw(result):
    """The SVG file as text."""
    series = result["series"]
    rows = math.ceil(len(series) / COLUMNS)
    width, height = COLUMNS * WIDTH, rows * HEIGHT + 24
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="6" y="16">Speed of layers, {result["threads"]} thread(s), vaec {escape(result["flags"])}. Dashed: '
        f'{100 * result["limit"]:.0f}% of what the neighbours of a point predict; red points are below.</text>',
    ]
    for i, one in enumerate(series):
        lines += draw_panel(one, result["limit"], i % COLUMNS * WIDTH, 24 + i // COLUMNS * HEIGHT)
    return "\n".join(lines) + "\n</svg>\n"
