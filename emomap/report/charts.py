"""Charts of the report as numbers for the template: axes, histograms, curves.

The template turns them into inline SVG and CSS, whose colours follow the reader's light or dark
setting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap import metrics
from emomap.io.schema import STRICT, read_json_lines
from emomap.tables import number

#: Number of bars of a histogram.
BINS = 40


@dataclass(frozen=True)
class Axis:
    """A range of values, mapped to 0..100."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Sequence[float], *, zero: bool = False) -> Axis:
        """An axis that holds all values with a margin. With ``zero`` it starts there if it can."""
        low, high = min(values), max(values)
        if zero and low >= 0:
            low = 0.0
        margin = 0.04 * (high - low) or 0.5
        return cls(low if zero and low == 0 else low - margin, high + margin)

    def __call__(self, value: float) -> float:
        """Where a value lies, in percent of the axis."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    @property
    def ticks(self) -> list[float]:
        """Four to eight round numbers on the axis."""
        span = self.high - self.low
        step = 10 ** np.floor(np.log10(span / 4))
        step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 8)
        first = np.ceil(self.low / step)
        return [float(round(step * k, 10)) + 0.0 for k in np.arange(first, self.high / step + 1e-9)]


@dataclass(frozen=True)
class Ridge:
    """The distribution of one method's values: an SVG path in a box of 100 x 24, and its mean."""

    name: str
    path: str
    mean: float
    words: str


@dataclass(frozen=True)
class Distribution:
    """One metric: a ridge for each method, on one axis."""

    title: str
    unit: str
    axis: Axis
    ridges: Sequence[Ridge]

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """The ticks: place in percent, and label."""
        return [(self.axis(tick), f"{tick:g}") for tick in self.axis.ticks]


@dataclass(frozen=True)
class LearningCurve:
    """One line of a chart: its name, its points in percent of the axes, and its last value."""

    name: str
    points: str
    last: str


@dataclass(frozen=True)
class Chart:
    """Curves on axes of 0..100, over what ``unit`` says; ``owner`` is whose, where it must say."""

    title: str
    words: str
    curves: Sequence[LearningCurve]
    across: Sequence[tuple[float, str]]
    up: Sequence[tuple[float, str]]
    unit: str = "epoch"
    owner: str = ""


def distributions(
    values: Mapping[str, Mapping[str, Mapping[str, float]]], names: Sequence[str]
) -> list[Distribution]:
    """A distribution for each metric. Its axis leaves out the outer half percent on each side."""
    found = []
    for metric in names:
        columns = {n: np.array([*t[metric].values()]) for n, t in values.items() if metric in t}
        low, high = np.quantile(np.concatenate(list(columns.values())), [0.005, 0.995])
        axis = Axis.around([float(low), float(high)])
        ridges = [_ridge(name, column, axis, metric) for name, column in columns.items()]
        entry = metrics.CATALOGUE[metric]
        found.append(Distribution(entry.long_name, entry.unit, axis, ridges))
    return found


class LogLine(TypedDict):
    """An epoch of a training log; beside its number, losses and accuracies."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    epoch: int


def learning_curves(log: Path) -> list[Chart]:
    """Loss and accuracy by epoch, from the JSON lines of a training log.

    Every number whose name contains "loss" or "accuracy" is drawn, in one chart for each of the
    two. Without a log there are no charts.

    Raises:
        EmomapError: the log is damaged.
    """
    if not log.exists():
        return []
    lines = [line for line, _ in read_json_lines(log, LogLine)]
    charts = []
    for kind in ("loss", "accuracy"):
        series = {
            key: [(line["epoch"], line[key]) for line in lines if _is_number(line.get(key))]
            for key in dict.fromkeys(key for line in lines for key in line)
            if kind in key
        }
        series = {key: points for key, points in series.items() if points}
        if series:
            charts.append(_chart(kind, series))
    return charts


def _ridge(name: str, values: Any, axis: Axis, metric: str) -> Ridge:
    inside = np.clip(values, axis.low, axis.high)
    counts, _ = np.histogram(inside, bins=BINS, range=(axis.low, axis.high))
    heights = 23 * counts / counts.max()
    step = 100 / BINS
    points = [
        f"{at:g} {24 - height:.1f}"
        for index, height in enumerate(heights)
        for at in (index * step, (index + 1) * step)
    ]
    path = f"M0 24L{'L'.join(points)}L100 24Z"
    lower, upper = np.quantile(values, [0.25, 0.75])
    words = (
        f"{name}: {metrics.CATALOGUE[metric].long_name} of {len(values)} images, "
        f"mean {number(float(values.mean()))}, middle half from {number(float(lower))} to "
        f"{number(float(upper))}"
    )
    return Ridge(name, path, axis(float(values.mean())), words)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


def _chart(kind: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> Chart:
    every = [point for points in series.values() for point in points]
    across = Axis(min(x for x, _ in every), max(max(x for x, _ in every), 1))
    if across.high == across.low:
        across = Axis(across.low - 0.5, across.high + 0.5)
    up = Axis.around([y for _, y in every], zero=True)
    curves = [
        LearningCurve(
            name.replace("_", " "),
            " ".join(f"{across(x):g},{100 - up(y):g}" for x, y in points),
            number(points[-1][1]),
        )
        for name, points in series.items()
    ]
    ends = ", ".join(f"{curve.name} ends at {curve.last}" for curve in curves)
    ticks = [t for t in across.ticks if t == int(t)]
    return Chart(
        kind,
        f"{kind} over {len(every) // len(series)} epochs: {ends}",
        curves,
        [(across(tick), f"{tick:g}") for tick in ticks],
        [(100 - up(tick), f"{tick:g}") for tick in up.ticks],
    )
