# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finds the points of a series of measurements that are slower than those beside
them let expect. Standard library only."""

import math
from dataclasses import dataclass
from typing import Optional

LIMIT = 0.6
# What a line over two points on each side foretells, of its speed: it is less sure.
FAR = 0.9


@dataclass
class Point:
    x: int  # what varies: channels, height and width, or the batch
    seconds: float
    work: float  # operations or bytes
    padded: float  # the same with whole vectors of channels
    ratio: Optional[float] = None  # of the speed that its neighbours predict
    excused: Optional[float] = None  # the same of padded work, where `ratio` is below the limit

    @property
    def is_cliff(self):
        return self.verdict is not None and self.verdict < LIMIT

    @property
    def verdict(self):
        return self.ratio if self.excused is None else self.excused


def interpolate(x, low, high):
    """The speed at x on the line, in logarithms, between two points (x, speed)."""
    part = (math.log(x) - math.log(low[0])) / (math.log(high[0]) - math.log(low[0]))
    return math.exp(math.log(low[1]) * (1 - part) + math.log(high[1]) * part)


def predict(speeds, i):
    """The speed of point i that its neighbours predict: the line between the one below and the one
    above; or, since two slow points must not hide each other, the line between those next to them
    with a tenth less, if that is faster. The last point is to be as fast as the one before. None:
    the first point, whose overhead nothing foretells."""
    x, last = speeds[i][0], len(speeds) - 1
    if i == 0:
        return None
    if i == last:
        return speeds[i - 1][1]
    return max(
        interpolate(x, speeds[i - distance], speeds[i + distance]) * part
        for distance, part in ((1, 1), (2, FAR))
        if 0 <= i - distance and i + distance <= last
    )


def compare(points, get_work):
    """The part that each point reaches of the speed that is predicted for it. Nor may it take
    longer than any that has more work."""
    speeds = [(point.x, get_work(point) / point.seconds) for point in points]
    ratios = []
    for i, point in enumerate(points):
        expected = predict(speeds, i)
        ratio = speeds[i][1] / expected if expected else 1.0
        least = min((other.seconds for other in points[i + 1 :]), default=math.inf)
        ratios.append(min(ratio, least / point.seconds))
    return ratios


def judge(points):
    """Sets the ratios of a series of at least two points, in ascending order of x."""
    for point, ratio in zip(points, compare(points, lambda point: point.work)):
        point.ratio, point.excused = ratio, None
    for point, ratio in zip(points, compare(points, lambda point: point.padded)):
        if point.ratio < LIMIT and ratio > point.ratio:
            point.excused = ratio
