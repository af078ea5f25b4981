"""The ranked table of the report: columns, lines, headline, and the first two methods compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emomap import method, metrics
from emomap.analysis import ranking
from emomap.analysis.pairs import Pair, differs, paired
from emomap.report import charts
from emomap.runs.results import Results
from emomap.scoring.summary import label
from emomap.tables import bounds, number

#: What is said of a row that stands beside the methods.
_ROLES = {
    ranking.CEILING: "human ceiling: each observer predicted by the others",
    ranking.PRIOR: "centre prior",
}


@dataclass(frozen=True)
class Column:
    """A metric, or the accuracy of classifiers, whose ``key`` is "".

    Attributes:
        key: name of the metric.
        title, label: its name alone, and with the direction that is better.
        direction: 1 where larger is better, else -1.
        about: the reference and the direction in words.
    """

    key: str
    title: str
    label: str
    direction: int
    about: str


@dataclass(frozen=True)
class Cell:
    """A mean with its interval: as text, and as places on the axis of its column (percent)."""

    value: float
    shown: str
    bounds: str
    low: float
    middle: float
    high: float
    best: bool
    marked: bool


@dataclass(frozen=True)
class Line:
    """A row of the ranked table."""

    name: str
    about: str
    rank: float | None
    cells: Sequence[Cell | None]


def columns(run: Results) -> list[Column]:
    """The columns of the ranked table that follow method and rank."""
    found = []
    for name in run.metrics:
        entry = metrics.CATALOGUE[name]
        better = "higher" if entry.higher_is_better else "lower"
        about = f"{entry.reference}; {better} is better"
        found.append(Column(name, entry.long_name, label(name), entry.direction, about))
    if any(entry["accuracy"] is not None for entry in run.summary["methods"].values()):
        about = "share of images whose emotion is recognised; higher is better"
        found.append(Column("", "accuracy", "accuracy ↑", 1, about))
    return found


def lines(run: Results, shown: Sequence[Column]) -> list[Line]:
    """The rows of the ranked table, in the order of its methods."""
    known = method.entries()
    cells = [_cells(run, column) for column in shown]
    return [
        Line(
            method.title(name),
            _ROLES.get(name, known[name].summary if name in known else ""),
            run.summary["ranks"].get(name),
            [column[name] for column in cells],
        )
        for name in run.methods
    ]


def headline(run: Results) -> str:
    """The result in a sentence or two."""
    ranks = run.summary["ranks"]
    if not ranks:
        return ""
    first = next(iter(ranks))
    means = ranking.ranked_means(run.summary)
    places = {m: ranking.places(means, m) for m in run.metrics}
    wins = sum(place[first] == 1 for place in places.values())
    text = f"{method.title(first)} ranks first: it is best on {wins} of {len(places)} metrics"
    tests = run.summary.get("tests", {}).get(first)
    if tests:
        sure = sum(map(differs, tests.values()))
        text += f", and differs from the centre prior on {sure} beyond chance"
    share = run.summary.get("ceiling_share", {}).get("nss", {}).get(first)
    if share is not None:
        text += f". By NSS it closes {100 * share:.0f}% of the gap to human agreement"
    return text + "."


def gaps(run: Results) -> str:
    """Which methods have no values, or values of a part of the images only; "" where none has."""
    whole = run.summary["n_images"]
    found = []
    for name in run.methods:
        entry = run.summary["methods"][name]
        counts = [cell["n"] for cell in entry["metrics"].values()]
        if run.metrics and not counts and entry["accuracy"] is None:
            found.append(f"{method.title(name)} could not be scored")
        elif counts and min(counts) < whole:
            found.append(f"{method.title(name)} lacks {whole - min(counts)} of {whole} images")
    return "; ".join(found)


def rivals(run: Results) -> list[Pair]:
    """The first method against the second, on each metric."""
    ranked = [name for name in run.summary["ranks"] if name in run.values]
    if len(ranked) < 2:
        return []
    pairs = [(ranked[0], ranked[1])]
    seed = run.summary["seed"]
    return [p.titled for metric in run.metrics for p in paired(run.values, metric, pairs, seed)]


def _cells(run: Results, column: Column) -> dict[str, Cell | None]:
    """The cells of a column by method. All share one axis, and the best mean is marked."""
    entries = {name: run.summary["methods"][name] for name in run.methods}
    means = {n: m for n, entry in entries.items() if (m := _means(entry, column.key))}
    axis = charts.Axis.around([v for ends in means.values() for v in ends if v is not None])
    tables = ranking.ranked_means(run.summary)
    whole = ranking.places(tables, column.key) if column.key else means
    ranked = [means[name][0] for name in whole]
    best = (max if column.direction > 0 else min)(ranked) if ranked else None
    found: dict[str, Cell | None] = dict.fromkeys(entries)
    for name, (mean, low, high) in means.items():
        test = run.summary.get("tests", {}).get(name, {}).get(column.key)
        found[name] = Cell(
            mean,
            number(mean),
            bounds(low, high, join=" to "),
            axis(mean if low is None else low),
            axis(mean),
            axis(mean if high is None else high),
            best=mean == best and name in whole,
            marked=differs(test),
        )
    return found


def _means(entry: Mapping[str, Any], key: str) -> tuple[float, float | None, float | None] | None:
    """Mean, low and high of a method in a column, or None. A mean of one image has no ends."""
    if key:
        cell = entry["metrics"].get(key)
        return (cell["mean"], cell["low"], cell["high"]) if cell else None
    if entry["accuracy"] is None:
        return None
    low, high = entry.get("accuracy_interval") or (None, None)
    return entry["accuracy"], low, high
