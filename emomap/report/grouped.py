"""What the report shows of groups of images: methods x groups as heat maps, and distributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emomap import metrics
from emomap.analysis.groups import Breakdown, GroupMean
from emomap.method import title
from emomap.report import charts
from emomap.runs.results import Results
from emomap.scoring.summary import label
from emomap.tables import bounds, number


@dataclass(frozen=True)
class Place:
    """A method on a group: the mean, how good it is within the heat map (0..100), and in words."""

    shown: str
    shade: float
    words: str
    differs: bool


@dataclass(frozen=True)
class HeatMap:
    """One metric: a row for each method, None where a group has no value."""

    title: str
    rows: Sequence[tuple[str, Sequence[Place | None]]]


@dataclass(frozen=True)
class Grouped:
    """The section on groups.

    Attributes:
        by: what the images are grouped by.
        groups: name and number of images.
        heats: a heat map for each metric.
        first: the method whose distributions are shown.
        distributions: of each metric, with a ridge for each group.
        test: the test behind the stars.
    """

    by: str
    groups: Sequence[tuple[str, int]]
    heats: Sequence[HeatMap]
    first: str
    distributions: Sequence[charts.Distribution]
    test: str


def by_groups(run: Results, parts: Breakdown | None) -> Grouped | None:
    """The section on groups of a run; None without groups."""
    if parts is None:
        return None
    first = next((name for name in run.methods if name in parts.methods), "")
    values = run.values.get(first, {})
    ridges = {
        group: {
            metric: column
            for metric, every in values.items()
            if (column := {i: v for i, v in every.items() if parts.of_image.get(i) == group})
        }
        for group in parts.images
    }
    return Grouped(
        parts.by,
        list(parts.images.items()),
        [_heat(parts, metric) for metric in parts.metrics],
        title(first),
        charts.distributions(
            {group: table for group, table in ridges.items() if table},
            [metric for metric in run.metrics if metric in values],
        ),
        parts.test,
    )


def _heat(parts: Breakdown, metric: str) -> HeatMap:
    methods = parts.of(metric)
    means = [cell.mean for cells in methods.values() for cell in cells if cell.mean is not None]
    low, span = min(means), (max(means) - min(means)) or 1.0
    upwards = metrics.CATALOGUE[metric].direction > 0

    def place(cell: GroupMean | None) -> Place | None:
        if cell is None or cell.mean is None:
            return None
        share = (cell.mean - low) / span
        words = f"{cell.n} images, 95% interval {bounds(cell.low, cell.high, join=' to ')}"
        shade = 100 * (share if upwards else 1 - share)
        return Place(number(cell.mean), round(shade), words, cell.differs)

    rows = []
    for name, cells in methods.items():
        by_group = {cell.group: cell for cell in cells}
        rows.append((title(name), [place(by_group.get(group)) for group in parts.images]))
    return HeatMap(label(metric), rows)
