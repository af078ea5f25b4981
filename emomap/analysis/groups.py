"""`break_down`: the mean of each group of images, and whether it differs from that of all others.

The difference of a group is its mean minus the mean of all other images that have a value. Its test
shuffles the groups over the images (Fisher 1935; Phipson & Smyth 2010): an independent, two-sided
permutation test. Holm's correction is over the groups of one method and metric.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import metrics
from emomap.analysis.grouping import Grouping, grouping
from emomap.analysis.pairs import LEVEL, probability
from emomap.data.opening import open_dataset
from emomap.errors import EmomapError
from emomap.method import title
from emomap.runs.results import Results
from emomap.scoring.intervals import interval
from emomap.scoring.signature import joint, seeded
from emomap.scoring.summary import label
from emomap.tables import Table, number

#: Random shuffles of a test, unless all can be tried.
RESAMPLES = 9999
#: Shuffled labels held at a time, which bounds the memory.
CHUNK = 2_000_000

#: method -> metric -> image -> value
Values = Mapping[str, Mapping[str, Mapping[str, float]]]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class GroupMean:
    """A method on one group by one metric.

    Attributes:
        metric, method, group, n: of what, over how many images.
        mean: None for a group without a value.
        low, high: 95% interval of the mean; None for fewer than two images.
        difference: to the mean of all other images; None where there are none.
        p, p_holm: of the test; corrected over the groups.
    """

    metric: str
    method: str
    group: str
    n: int
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    difference: float | None = None
    p: float | None = None
    p_holm: float | None = None

    @property
    def differs(self) -> bool:
        """Whether the test has found a difference."""
        return self.p_holm is not None and self.p_holm < LEVEL


@dataclass(frozen=True)
class Breakdown:
    """Methods on groups of images.

    Attributes:
        by: what the images are grouped by.
        images: group -> number of its images in the set, with and without values.
        cells: by metric, then method, then group.
        signatures: metric -> signature of the values; "" if it is not known.
        seed, resamples: of the tests.
        notes: what a reader must know.
        unit: what the images are, in the plural.
        of_image: image -> its group.
        table: the file that the groups come from, if it is one.
    """

    by: str
    images: Mapping[str, int]
    cells: Sequence[GroupMean]
    signatures: Mapping[str, str]
    seed: int
    resamples: int = RESAMPLES
    notes: Sequence[str] = ()
    unit: str = "images"
    of_image: Mapping[str, str] = field(default_factory=dict)
    table: Path | None = None

    @classmethod
    def parse(cls, by: str, kept: Mapping[str, Any], signatures: Mapping[str, str]) -> Breakdown:
        """One that `kept` gave."""
        cells = [GroupMean(**cell) for cell in kept["cells"]]
        return cls(
            by,
            kept["images"],
            cells,
            signatures,
            kept["seed"],
            kept["resamples"],
            tuple(kept["notes"]),
            kept["unit"],
        )

    @property
    def metrics(self) -> list[str]:
        """The metrics, in their order."""
        return list(dict.fromkeys(cell.metric for cell in self.cells))

    @property
    def methods(self) -> list[str]:
        """The methods, in their order."""
        return list(dict.fromkeys(cell.method for cell in self.cells))

    def of(self, metric: str) -> dict[str, list[GroupMean]]:
        """Method -> its groups by one metric."""
        found: dict[str, list[GroupMean]] = {}
        for cell in self.cells:
            if cell.metric == metric:
                found.setdefault(cell.method, []).append(cell)
        return found

    def kept(self) -> dict[str, Any]:
        """What `summary.json` keeps."""
        return {
            "images": dict(self.images),
            "seed": self.seed,
            "resamples": self.resamples,
            "notes": list(self.notes),
            "unit": self.unit,
            "cells": [asdict(cell) for cell in self.cells],
        }

    def to_dict(self) -> dict[str, Any]:
        """What ``--format json`` prints."""
        signed = {name: seeded(text, self.seed) for name, text in self.signatures.items()}
        return {"by": self.by, "test": self.test, **self.kept(), "signatures": signed}

    @property
    def test(self) -> str:
        """The test in words."""
        return (
            f"independent permutation test, two-sided, {self.resamples} resamples (all where there "
            f"are fewer), seed {self.seed}; Holm over the groups"
        )

    def tables(self) -> list[Table]:
        """A table for each metric, with a row for each method and group."""
        several = len(self.methods) > 1
        header = [
            *["method"] * several,
            self.by,
            "n",
            "mean",
            "95% interval",
            "vs rest",
            "p (Holm)",
        ]
        tables = []
        for metric in self.metrics:
            rows = [
                [*[title(cell.method)] * several, cell.group, *_shown(cell)]
                for cells in self.of(metric).values()
                for cell in cells
            ]
            tables.append(Table(header, rows, f"{label(metric)} by {self.by}", keys=1 + several))
        signed = {n: seeded(text, self.seed) for n, text in self.signatures.items() if text}
        signature = joint({name: signed[name] for name in self.metrics if name in signed})
        tables[-1] = replace(tables[-1], notes=self._notes(), signature=signature)
        return tables

    def _notes(self) -> list[str]:
        found = [f"vs rest: mean of the group minus mean of all other {self.unit}", self.test]
        having = dict.fromkeys(self.images, 0)
        for cell in self.cells:
            having[cell.group] = max(having[cell.group], cell.n)
        for group, count in self.images.items():
            if having[group] < count:
                found.append(f"{group}: {count - having[group]} of {count} {self.unit} not scored")
        return [*found, *self.notes]

    def csv(self) -> str:
        """For programs: a row for each metric, method and group, with all digits."""
        names = list(GroupMean.__dataclass_fields__)
        signed = {name: seeded(text, self.seed) for name, text in self.signatures.items()}
        rows = [
            [
                self.by,
                *(_plain(getattr(cell, name)) for name in names),
                signed.get(cell.metric, ""),
            ]
            for cell in self.cells
        ]
        return Table(["by", *names, "signature"], rows).render("csv")

    def beside(self, whole: str, form: str) -> str:
        """What was found on all images, in some format, with the groups; as CSV the groups alone.

        Args:
            whole: as text.
            form: "table", "json", "csv", "md" or "latex".
        """
        if form == "json":
            both = json.loads(whole) | {"groups": self.to_dict()}
            return json.dumps(both, indent=2, ensure_ascii=False) + "\n"
        return self.csv() if form == "csv" else f"{whole}\n{self.render(form)}"

    def render(self, form: str) -> str:
        """The tables as "table", "md" or "latex", or all cells as "csv"."""
        if form == "csv":
            return self.csv()
        return "\n".join(table.render(form) for table in self.tables())


def of_scores(
    scores: Mapping[str, Any], truth: Path, by: str, table: Path | None, seed: int
) -> Breakdown:
    """Groups of the images that `emomap.scoring.folders.score` has scored.

    Args:
        scores: method -> its scores.
        truth: what they were scored against; where it is a data set, it may have labels.
        by, table: as for `emomap.analysis.grouping.grouping`.
        seed: of intervals and tests.

    Raises:
        UsageError, EmomapError: as `grouping`.
    """
    try:
        samples = open_dataset(truth).samples
    except EmomapError:  # gaze without pictures, which has no labels
        samples = ()
    units = {name: one.per_unit() for name, one in scores.items()}
    values = {
        name: {metric: column for metric in unit.metrics if (column := unit.by_image(metric))}
        for name, unit in units.items()
    }
    signed = {metric: unit.signed(metric) for unit in units.values() for metric in unit.metrics}
    found = grouping(by, samples, table, [i for one in scores.values() for i in one.values])
    videos = any(one.videos for one in scores.values())
    found = found.of_videos() if videos else found
    return break_down(values, found, signed, seed, unit="videos" if videos else "images")


def findings(
    grouping: Grouping | None, values: Values, signatures: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """What `summary.json` holds of groups; {} without a grouping or without values."""
    if grouping is None or not any(values.values()):
        return {}
    parts = break_down(values, grouping, signatures, seed)
    table = {"table": str(parts.table)} if parts.table else {}
    kept = {"by": parts.by, **table, "signatures": dict(parts.signatures), **parts.kept()}
    return {"groups": {**kept, "of_image": dict(parts.of_image)}}


def of_run(run: Results, by: str | None = None, table: Path | None = None) -> Breakdown | None:
    """The methods of a run by groups: those that were asked for, else those that it keeps.

    Raises:
        UsageError, EmomapError: as `grouping`; the data set is no longer where it was.
    """
    if not (by or table):
        return of_summary(run.summary)
    split = run.summary["split"]
    samples = [s for s in run.dataset() if split == "whole" or s.split == split]
    images = [i for one in run.compared.values() for column in one.values() for i in column]
    signed = {m: text for name in run.methods for m, text in run.signatures[name].items()}
    found = grouping(by or "", samples, table, images)
    return break_down(run.compared, found, signed, run.summary["seed"])


def of_summary(summary: Mapping[str, Any]) -> Breakdown | None:
    """The groups that a run keeps; None where there are none."""
    kept = summary.get("groups")
    if not kept:
        return None
    found = Breakdown.parse(kept["by"], kept, kept["signatures"])
    return replace(found, of_image=kept["of_image"])


def tables(summary: Mapping[str, Any]) -> list[Table]:
    """The tables of the groups that a run keeps."""
    found = of_summary(summary)
    return found.tables() if found else []


def break_down(
    values: Values,
    grouping: Grouping,
    signatures: Mapping[str, str],
    seed: int,
    *,
    resamples: int = RESAMPLES,
    unit: str = "images",
) -> Breakdown:
    """Means, intervals and tests of groups.

    Args:
        values: method -> metric -> image -> value.
        grouping: of the images.
        signatures: metric -> signature of the values.
        seed: of intervals and tests.
        resamples: random shuffles of a test.
        unit: what the images are, in the plural.
    """
    every = dict.fromkeys(
        i for table in values.values() for column in table.values() for i in column
    )
    names = grouping.groups(every)
    belonging = [grouping.group(image) for image in {**grouping.of, **every}]
    found: dict[tuple[str, str], list[GroupMean]] = {}
    for images, columns in _alike(values).items():
        matrix = np.array([list(values[method][metric].values()) for method, metric in columns])
        place = {name: at for at, name in enumerate(names)}
        labels = np.array([place[grouping.group(image)] for image in images], dtype=np.intp)
        differences, p_values = _tests(matrix, labels, len(names), seed, resamples)
        for at, (method, metric) in enumerate(columns):
            found[metric, method] = _cells(
                metric, method, names, labels, matrix[at], differences[at], p_values[at], seed
            )
    order = dict.fromkeys(metric for table in values.values() for metric in table)
    cells = [
        cell for metric in order for method in values for cell in found.get((metric, method), ())
    ]
    counts = {name: belonging.count(name) for name in names}
    return Breakdown(
        grouping.by,
        counts,
        cells,
        dict(signatures),
        seed,
        resamples,
        tuple(grouping.notes),
        unit,
        {image: grouping.group(image) for image in every},
        grouping.table,
    )


def _alike(values: Values) -> dict[tuple[str, ...], list[tuple[str, str]]]:
    """Images -> the columns (method, metric) that have values of just these, in their order."""
    found: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for method, table in values.items():
        for metric, column in table.items():
            found.setdefault(tuple(column), []).append((method, metric))
    return found


def _cells(
    metric: str,
    method: str,
    names: Sequence[str],
    labels: NDArray[np.intp],
    values: Matrix,
    differences: Matrix,
    p_values: Matrix,
    seed: int,
) -> list[GroupMean]:
    """The groups of one column."""
    tested = np.flatnonzero(np.isfinite(p_values))
    corrected = dict(zip(tested, metrics.statistics.holm(p_values[tested]), strict=True))
    cells = []
    for at, name in enumerate(names):
        mine = values[labels == at].tolist()
        mean = interval(mine, seed)
        test = (
            (float(differences[at]), float(p_values[at]), float(corrected[at]))
            if at in corrected
            else (None, None, None)
        )
        numbers = mean["n"], mean["mean"], mean["low"], mean["high"]
        cells.append(GroupMean(metric, method, name, *numbers, *test))
    return cells


def _tests(
    values: Matrix, labels: NDArray[np.intp], groups: int, seed: int, resamples: int
) -> tuple[Matrix, Matrix]:
    """Differences to the rest and p-values, (M, G); NaN for a group without values, or with all.

    One shuffle of the labels serves all columns and groups, so that many columns cost little more
    than one.

    Args:
        values: (M, N), the columns.
        labels: (N,) group of each image.
        groups: number of groups G.
    """
    from scipy.stats import permutation_test

    columns, n = values.shape
    sizes = np.bincount(labels, minlength=groups)
    inside = np.flatnonzero((sizes > 0) & (sizes < n))
    differences, p_values = np.full((2, columns, groups), np.nan)
    if not len(inside):
        return differences, p_values
    centred = values - values.mean(axis=1, keepdims=True)
    scale = np.abs(centred).mean(axis=1)
    centred /= np.where(scale > 0, scale, 1)[:, None]

    def statistic(shuffled: NDArray[np.intp], axis: int = -1) -> Matrix:
        """(..., G, M) differences in units of the column's spread, for labels (..., N).

        Rounded, since equal differences may differ in the last bits.
        """
        sums = (shuffled[..., None, :] == inside[:, None]).astype(np.float64) @ centred.T
        share = 1 / sizes[inside] + 1 / (n - sizes[inside])
        return np.asarray(np.round(sums * share[:, None], 12))

    found = permutation_test(
        (labels,),
        statistic,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, CHUNK // (n * len(inside))),
        rng=np.random.default_rng(seed),
    )
    p_values[:, inside] = np.clip(found.pvalue.T, 0, 1)
    for group in inside:
        mine, rest = values[:, labels == group], values[:, labels != group]
        differences[:, group] = mine.mean(axis=1) - rest.mean(axis=1)
        few = comb(n, mine.shape[1]) <= resamples
        if few and min(mine.shape[1], rest.shape[1]) > 1:  # scipy asks for two of each
            p_values[:, group] = _exact(centred, labels == group, resamples)
    return differences, p_values


def _exact(centred: Matrix, mine: NDArray[np.bool_], resamples: int) -> Matrix:
    """(M,) p-values of one group, with every way to choose as many of the images."""
    from scipy.stats import permutation_test

    def statistic(one: Matrix, other: Matrix, axis: int = -1) -> Matrix:
        return np.asarray(np.round(one.mean(axis=axis) - other.mean(axis=axis), 12))

    found = permutation_test(
        (centred[:, mine], centred[:, ~mine]),
        statistic,
        permutation_type="independent",
        vectorized=True,
        n_resamples=resamples,
        axis=-1,
    )
    return np.asarray(found.pvalue)


def _shown(cell: GroupMean) -> list[str]:
    """n, mean, interval, difference and p-value of a cell, for people."""
    if cell.mean is None:
        return [str(cell.n), "-", "-", "-", "-"]
    bounds = "-"
    if cell.low is not None and cell.high is not None:
        bounds = f"[{number(cell.low)}, {number(cell.high)}]"
    difference = "-" if cell.difference is None else f"{number(cell.difference)}"
    p = "-" if cell.p_holm is None else probability(cell.p_holm)
    return [str(cell.n), number(cell.mean), bounds, difference, p]


def _plain(value: Any) -> str:
    """A cell for programs."""
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)
