"""Emotion prioritisation over pictures: means, intervals, tests, and the table of `emomap objects`.

The prioritisation of a viewer is the difference of attention between the emotional and the neutral
objects within a picture, averaged over the pictures that have both. The test swaps the two kinds
within pictures. What a model misses is its prioritisation minus people's, on the same pictures.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from emomap import metrics
from emomap.analysis.pairs import probability
from emomap.errors import EmomapError
from emomap.scoring.intervals import METHOD, interval, named
from emomap.scoring.objects import FIRST, LATER, PEOPLE, Measured, ObjectProtocol
from emomap.tables import Table, number, with_interval


@dataclass(frozen=True)
class ObjectDifference:
    """A mean difference over pictures with its 95% interval and its paired test."""

    mean: float
    low: float | None
    high: float | None
    p: float | None
    n: int
    p_holm: float | None = None


@dataclass(frozen=True)
class Viewer:
    """One viewer over all pictures.

    Attributes:
        name: "people", "people, first", "people, later" or a model.
        n: pictures that have both kinds of objects, and this viewer.
        emotional, neutral: mean attention of the kinds.
        prioritisation: emotional minus neutral.
        missed: a model's prioritisation minus people's; of "people, first", minus the later one.
        atti_emotional, atti_neutral: mean AttI with interval, over the pictures where it is finite.
        empty: pictures in which no mass at all lies on the objects of a kind, so without an AttI.
    """

    name: str
    n: int
    emotional: float
    neutral: float
    prioritisation: ObjectDifference
    missed: ObjectDifference | None
    atti_emotional: Mapping[str, Any]
    atti_neutral: Mapping[str, Any]
    empty: int


@dataclass(frozen=True)
class Prioritisation:
    """The result of `emomap objects`.

    Attributes:
        dataset: its name.
        viewers: people first, then models.
        n_images, n_objects: pictures and objects that were measured.
        how: statistic and number of first fixations.
        signature: of the densities and the test.
        notes: what was left out, and why.
        problems: one line for each picture or map without a value.
    """

    dataset: str
    viewers: Sequence[Viewer]
    n_images: int
    n_objects: Mapping[str, int]
    how: Mapping[str, Any]
    signature: str
    notes: Sequence[str] = ()
    problems: Sequence[str] = field(default=())

    def table(self) -> Table:
        """For people."""
        header = (
            "viewer",
            "emotional",
            "neutral",
            "prioritisation [95%]",
            "p",
            "against people [95%]",
            "p (Holm)",
            "AttI emotional",
            "AttI neutral",
            "n",
        )
        rows = [
            [
                viewer.name,
                number(viewer.emotional),
                number(viewer.neutral),
                _shown(viewer.prioritisation),
                _p(viewer.prioritisation.p),
                _shown(viewer.missed) if viewer.missed and viewer.name != FIRST else "-",
                _p(viewer.missed.p_holm) if viewer.missed and viewer.name != FIRST else "-",
                _mean(viewer.atti_emotional),
                _mean(viewer.atti_neutral),
                str(viewer.n),
            ]
            for viewer in self.viewers
        ]
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.n_objects.items())
        intervals = named(METHOD, [vars(viewer.prioritisation) for viewer in self.viewers])
        title = (
            f"{self.dataset}: attention on objects ({self.how['statistic']}), "
            f"{self.n_images} pictures, objects: {kinds}; {intervals}"
        )
        signed = f"densities: {self.signature}"
        return Table(header, rows, title, [*self._first_note(), *self.notes, signed])

    def _first_note(self) -> list[str]:
        early = next((v for v in self.viewers if v.name == FIRST and v.missed), None)
        if early is None or early.missed is None:
            return []
        many = self.how["first"]
        which = "fixation" if many == 1 else f"{many} fixations"
        return [
            f"the first {which} of each observer minus the later ones: "
            f"{_shown(early.missed)}, p {_p(early.missed.p)}"
        ]

    def to_dict(self) -> dict[str, Any]:
        """What ``--format json`` prints."""
        found = asdict(self)
        for entry in found["viewers"]:
            key = "first_minus_later" if entry["name"] == FIRST else "against_people"
            entry[key] = entry.pop("missed")
        return found

    def render(self, form: str) -> str:
        """As "table", "json", "csv", "md" or "latex"; csv has full precision."""
        if form == "json":
            return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        if form == "csv":
            return self._csv()
        return self.table().render(form)

    def _csv(self) -> str:
        header = ["viewer", "n", "emotional", "neutral"]
        header += [f"prioritisation{end}" for end in ("", "_low", "_high", "_p")]
        header += [f"against_people{end}" for end in ("", "_low", "_high", "_p", "_p_holm")]
        header += ["atti_emotional", "atti_neutral"]
        rows = []
        for one in self.viewers:
            own = one.prioritisation
            other = None if one.name == FIRST else one.missed
            cells = [own.mean, own.low, own.high, own.p]
            cells += [getattr(other, key, None) for key in ("mean", "low", "high", "p", "p_holm")]
            cells += [one.atti_emotional["mean"], one.atti_neutral["mean"]]
            rows.append(
                [one.name, *map(repr, (one.n, one.emotional, one.neutral))]
                + ["" if cell is None else repr(cell) for cell in cells]
            )
        return Table(header, rows).render("csv")


def _shown(difference: ObjectDifference | None) -> str:
    if difference is None:
        return "-"
    if difference.low is None or difference.high is None:
        return number(difference.mean)
    return with_interval(difference.mean, difference.low, difference.high)


def _mean(entry: Mapping[str, Any]) -> str:
    if not entry["n"]:
        return "-"
    if entry["n"] == 1:
        return number(entry["mean"])
    return with_interval(entry["mean"], entry["low"], entry["high"])


def _p(value: float | None) -> str:
    return "-" if value is None else probability(value)


def summarise(
    dataset: str,
    found: Sequence[Measured],
    how: ObjectProtocol,
    *,
    seed: int = 0,
    notes: Sequence[str] = (),
) -> Prioritisation:
    """Average over pictures, with intervals and tests.

    Args:
        dataset: its name.
        found: the pictures.
        how: as they were measured.
        seed: of bootstrap and permutations.
        notes: further lines below the table.

    Raises:
        EmomapError: no picture has both an emotional and a neutral object that was looked at.
    """
    problems = [one.problem for one in found if one.problem]
    problems += [line for one in found for line in (one.lacking or {}).values()]
    measured = [one for one in found if not one.problem]
    names = list(dict.fromkeys(name for one in measured for name in one.viewers or {}))
    names.sort(key=lambda name: name not in (PEOPLE, FIRST, LATER))  # stable: people first
    values = {
        name: {
            one.id: (seen.emotional, seen.neutral)
            for one in measured
            if (seen := (one.viewers or {}).get(name)) and seen.prioritisation is not None
        }
        for name in names
    }
    if not any(values.values()):
        why = f": {problems[0]}" if problems else ""
        raise EmomapError(
            f"{dataset}: no picture has both an emotional and a neutral object with gaze or a map"
            f"{why}; an object's sentiment is neutral, emotional, positive or negative"
        )
    viewers = [_viewer(name, values, measured, seed) for name in names if values[name]]
    viewers = _corrected(viewers)
    kinds: dict[str, int] = {"emotional": 0, "neutral": 0, "unknown": 0}
    for one in measured:
        for _, sentiment, _ in one.objects:
            kind = (
                "unknown" if not sentiment else "neutral" if sentiment == "neutral" else "emotional"
            )
            kinds[kind] += 1
    lines = list(notes)
    both = max(len(entry) for entry in values.values())
    if both < len(measured):
        lines.append(f"{len(measured) - both} pictures lack emotional or neutral objects")
    empty = [f"{viewer.name} in {viewer.empty}" for viewer in viewers if viewer.empty]
    if empty:
        lines.append(f"without an AttI, since nothing lies on the objects: {', '.join(empty)}")
    # of the densities alone: no metric is computed
    choices = how.protocol.signature("cc", seed=seed).split("|")[2:]
    signature = "|".join([f"statistic:{how.statistic}", f"first:{how.first}", *choices])
    return Prioritisation(
        dataset,
        viewers,
        len(measured),
        {kind: count for kind, count in kinds.items() if count},
        {"statistic": how.statistic, "first": how.first},
        signature,
        lines,
        problems,
    )


def _viewer(
    name: str,
    values: Mapping[str, Mapping[str, tuple[float | None, float | None]]],
    measured: Sequence[Measured],
    seed: int,
) -> Viewer:
    own = values[name]
    emotional = [float(e) for e, _ in own.values() if e is not None]
    neutral = [float(n) for _, n in own.values() if n is not None]
    other = {FIRST: LATER, PEOPLE: "", LATER: ""}.get(name, PEOPLE)
    common = [image for image in own if image in values.get(other, {})]
    missed = None
    if common:
        ours = [_gap(own[image]) for image in common]
        theirs = [_gap(values[other][image]) for image in common]
        missed = _difference(ours, theirs, seed)
    indices = {}
    empty = set()
    for kind in ("atti_emotional", "atti_neutral"):
        seen = {one.id: getattr((one.viewers or {}).get(name), kind, None) for one in measured}
        empty |= {image for image, value in seen.items() if value == -math.inf}
        finite = [value for value in seen.values() if value is not None and math.isfinite(value)]
        indices[kind] = interval(finite, seed)
    return Viewer(
        name,
        len(own),
        sum(emotional) / len(emotional),
        sum(neutral) / len(neutral),
        _difference(emotional, neutral, seed),
        missed,
        indices["atti_emotional"],
        indices["atti_neutral"],
        len(empty),
    )


def _gap(pair: tuple[float | None, float | None]) -> float:
    return float(pair[0] or 0.0) - float(pair[1] or 0.0)


def _difference(first: Sequence[float], second: Sequence[float], seed: int) -> ObjectDifference:
    """A single picture has neither interval nor test."""
    gaps = [a - b for a, b in zip(first, second, strict=True)]
    if len(gaps) == 1:
        return ObjectDifference(gaps[0], None, None, None, 1)
    bounds = interval(gaps, seed)
    test = metrics.statistics.paired_permutation_test(first, second, seed=seed)
    return ObjectDifference(bounds["mean"], bounds["low"], bounds["high"], test.p_value, test.n)


def _corrected(viewers: Sequence[Viewer]) -> list[Viewer]:
    """The p-values of models against people, by Holm over the models."""
    models = [
        viewer
        for viewer in viewers
        if viewer.name not in (PEOPLE, FIRST, LATER)
        and viewer.missed
        and viewer.missed.p is not None
    ]
    adjusted = metrics.statistics.holm(
        [v.missed.p for v in models if v.missed and v.missed.p is not None]
    )
    found = {
        viewer.name: replace(viewer, missed=replace(viewer.missed, p_holm=float(p)))
        for viewer, p in zip(models, adjusted, strict=True)
        if viewer.missed
    }
    return [found.get(viewer.name, viewer) for viewer in viewers]


def per_object(found: Sequence[Measured]) -> Table:
    """A row for each object and viewer, in full precision, for programs."""
    header = ["image", "object", "name", "sentiment", "area", "viewer", "attention"]
    rows = [
        [one.id, str(place), name, sentiment, repr(area), viewer, repr(seen.attention[place - 1])]
        for one in found
        for viewer, seen in (one.viewers or {}).items()
        for place, (name, sentiment, area) in enumerate(one.objects, 1)
    ]
    return Table(header, rows)
