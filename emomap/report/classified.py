"""What the report shows of classifiers: measures of emotions, recall, reliability diagrams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emomap.analysis import emotions
from emomap.analysis.pairs import differs
from emomap.method import title
from emomap.report.charts import Axis, Chart, LearningCurve
from emomap.scoring.measures import measure
from emomap.scoring.summary import label
from emomap.tables import Table, number


@dataclass(frozen=True)
class Value:
    """A measure of a classifier as text, with its interval ("" without one)."""

    shown: str
    bounds: str
    best: bool
    marked: bool


@dataclass(frozen=True)
class Classified:
    """The section on emotions.

    Attributes:
        columns: name of each measure with its direction, and where it comes from.
        lines: classifier and its values, None where a measure does not apply.
        recall: of each emotion by each classifier, or None.
        reliability: a diagram for each classifier that gives probabilities.
        notes: what a reader must know.
        signature: every choice behind the values.
    """

    columns: Sequence[tuple[str, str]]
    lines: Sequence[tuple[str, Sequence[Value | None]]]
    recall: Table | None
    reliability: Sequence[Chart]
    notes: Sequence[str]
    signature: str


def classified(summary: Mapping[str, Any]) -> Classified | None:
    """The section on emotions, from a `summary.json`; None without classifiers."""
    part = summary.get("emotions")
    if not part:
        return None
    names = emotions.measures(summary)
    winners = {name: emotions.winners(summary, name) for name in names}
    lines = []
    for method in emotions.order(summary):
        cells = part["methods"][method]["measures"]
        tests = part.get("tests", {}).get(method, {})
        lines.append((title(method), [_value(cells.get(n), method in winners[n], tests.get(n))
                               for n in names]))  # fmt: skip
    about = [(label(name), f"{measure(name).reference}; {_better(name)}") for name in names]
    charts = [
        _reliability(name, part["methods"][name]["reliability"])
        for name in emotions.order(summary)
        if "reliability" in part["methods"][name]
    ]
    return Classified(
        about, lines, emotions.recalls(summary), charts, emotions.notes(summary), part["signature"]
    )


def _better(name: str) -> str:
    return f"{'higher' if measure(name).higher_is_better else 'lower'} is better"


def _value(
    cell: Mapping[str, Any] | None, best: bool, test: Mapping[str, float] | None
) -> Value | None:
    if cell is None or cell["mean"] is None:
        return None
    low, high = cell["low"], cell["high"]
    bounds = "" if low is None or high is None else f"{number(low)} to {number(high)}"
    return Value(number(cell["mean"]), bounds, best, differs(test))


def _reliability(name: str, bins: Sequence[Mapping[str, Any]]) -> Chart:
    """Accuracy over confidence; on the diagonal a classifier is right as often as it says."""
    axis = Axis(0.0, 1.0)
    points = " ".join(f"{axis(b['confidence']):g},{100 - axis(b['accuracy']):g}" for b in bins)
    if len(bins) == 1:  # a line of one point is not drawn
        points = f"{points} {points}"
    count = sum(b["n"] for b in bins)
    gap = sum(b["n"] * abs(b["accuracy"] - b["confidence"]) for b in bins) / count
    ticks = [(axis(at / 5), f"{at / 5:g}") for at in range(6)]
    return Chart(
        "reliability",
        f"accuracy over confidence in {len(bins)} bins of {count} images; mean distance from the "
        f"diagonal (ECE) {number(gap)}",
        [
            LearningCurve("accuracy, ECE", points, number(gap)),
            LearningCurve("as often right as it says", "0,100 100,0", ""),
        ],
        ticks,
        [(100 - at, text) for at, text in ticks],
        "confidence",
        title(name),
    )
