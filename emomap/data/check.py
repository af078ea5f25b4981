"""Read all files of a data set and report what is wrong: `emomap data check`."""

from __future__ import annotations

import hashlib
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from emomap import parallel
from emomap.data.opening import inspect_dataset
from emomap.data.reading import Reading
from emomap.errors import EmomapError
from emomap.progress import track
from emomap.sample import SPLITS, Dataset, Gaze, Outline, Sample

#: So many pictures of the same content are no duplicates but a placeholder ("no longer here").
PLACEHOLDER = 5
#: A map that correlates less than this with the density of the fixations beside it has other
#: coordinates or belongs to another picture. On OSIE, 95 of 100 maps with x and y swapped are below
#: .52, 95 of 100 of another picture below .37, and all that are shifted by 50 px below .53. The
#: right map, blurred half or twice as much, stays above .84.
DISAGREE = 0.6


@dataclass(frozen=True)
class Finding:
    """What was found in one sample."""

    id: str
    shape: tuple[int, int] | None = None
    digest: str = ""
    problem: str = ""
    gaze_problem: str = ""
    fixations: int | None = None
    outside: int = 0
    observers: tuple[int, ...] = ()
    density: bool = False
    agreement: float | None = None
    objects: tuple[str, ...] | None = None
    objects_problem: str = ""


@dataclass(frozen=True)
class Report:
    """The result of a check.

    Attributes:
        dataset: what was checked.
        findings: one per sample, in their order.
        problems: kind -> lines, or groups of ids. Kinds without problems are left out.
    """

    dataset: Dataset
    findings: Sequence[Finding]
    problems: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True if nothing is wrong."""
        return not self.problems

    def summary(self) -> dict[str, Any]:
        """The whole report as plain values, for JSON."""
        data, found = self.dataset, self.findings
        emotions = Counter(sample.emotion for sample in data)
        given = Counter(sample.split for sample in data)
        shapes = Counter(finding.shape for finding in found if finding.shape)
        return {
            "dataset": data.name,
            "layout": data.layout,
            "source": data.source,
            "licence": data.licence,
            "synthetic": data.synthetic,
            "n_images": len(data),
            "readable": sum(not finding.problem for finding in found),
            "surviving": len(found) - len(self._lost()),
            "splits": {split: given[split] for split in SPLITS if given[split]},
            "labels": {name: emotions[name] for name in data.classes},
            "unlabelled": emotions[None],
            "annotations": self._annotations(),
            "sizes": _spread_of_sizes(shapes),
            "gaze": self._gaze(),
            "notes": list(data.notes),
            "problems": self.problems,
            "ok": self.ok,
        }

    def _lost(self) -> set[str]:
        """Ids of useless pictures: unreadable ones and placeholders."""
        lost = {finding.id for finding in self.findings if finding.problem}
        return lost.union(*self.problems.get("placeholders", []))

    def _annotations(self) -> dict[str, Any]:
        """How many pictures have what people said of them, and the number of objects."""
        data, found = self.dataset, self.findings
        values: defaultdict[str, set[str]] = defaultdict(set)
        covered: Counter[str] = Counter()
        for sample in data:
            try:
                attributes = dict(sample.attributes or {})
            except EmomapError:  # listed among the problems
                continue
            covered.update(attributes.keys())
            for column, value in attributes.items():
                values[column].add(value)
        votes = [sum(sample.votes.values()) for sample in data if sample.votes]
        objects = [kinds for finding in found if (kinds := finding.objects) is not None]
        return {
            "distributions": sum(sample.distribution is not None for sample in data),
            "votes_per_image": _spread(votes),
            "valence": sum(sample.valence is not None for sample in data),
            "arousal": sum(sample.arousal is not None for sample in data),
            "affect_range": data.affect_range,
            "attributes": {
                column: {"images": covered[column], "values": len(values[column])}
                for column in covered
            },
            "images_with_objects": len(objects),
            "objects": dict(Counter(kind for kinds in objects for kind in kinds)),
        }

    def _gaze(self) -> dict[str, Any]:
        found = self.findings
        counts = [finding.fixations for finding in found if finding.fixations is not None]
        people = {observer for finding in found for observer in finding.observers}
        each = [len(finding.observers) for finding in found if finding.observers]
        fits = [finding.agreement for finding in found if finding.agreement is not None]
        return {
            "images": sum(finding.fixations is not None or finding.density for finding in found),
            "fixations": sum(counts) if counts else None,
            "fixations_per_image": _spread(counts),
            "observers": len(people) or None,
            "observers_per_image": _spread(each),
            "densities": sum(finding.density for finding in found),
            "sigma": self.dataset.sigma,
            "agreement": {"median": statistics.median(fits), "min": min(fits)} if fits else None,
        }


def _spread(values: Sequence[int]) -> dict[str, float] | None:
    if not values:
        return None
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def _spread_of_sizes(shapes: Counter[tuple[int, int]]) -> dict[str, Any] | None:
    """Width and height of the smallest, the commonest and the largest picture."""
    if not shapes:
        return None
    by_area = sorted(shapes, key=lambda shape: shape[0] * shape[1])
    return {
        "smallest": by_area[0][::-1],
        "commonest": shapes.most_common(1)[0][0][::-1],
        "largest": by_area[-1][::-1],
        "distinct": len(shapes),
    }


def check(
    spec: str | Path,
    *,
    gaze: str | Path | None = None,
    options: dict[str, Any] | None = None,
    jobs: int | None = None,
    show: bool = True,
) -> Report:
    """Read every picture and every gaze file of a data set, in parallel.

    Args:
        spec, gaze, options: as for `emomap.data.open_dataset`.
        jobs: worker processes; None for one per CPU.
        show: progress on stderr.

    Raises:
        UsageError: there is no such data set.
        EmomapError: the data set cannot be opened at all.
    """
    reading = Reading(options or {}, strict=False)
    dataset = inspect_dataset(spec, gaze=gaze, reading=reading)
    items = [(sample, dataset.sigma) for sample in dataset]
    results = parallel.ordered(inspect, items, jobs=jobs)
    findings = list(track(results, total=len(items), label=f"check {dataset.name}", show=show))
    return Report(dataset, findings, _problems(dataset, findings, reading.faults))


def inspect(item: tuple[Sample, float | None]) -> Finding:
    """Read the picture and the gaze of one sample, given with the data set's sigma."""
    sample, sigma = item
    found: dict[str, Any] = {"id": sample.id}
    try:
        picture = sample.image()
        found["shape"] = picture.shape[:2]
        found["digest"] = hashlib.blake2b(
            repr(picture.shape).encode() + picture.tobytes(), digest_size=16
        ).hexdigest()
    except EmomapError as error:
        found["problem"] = str(error)
    try:
        gaze = sample.gaze()
    except EmomapError as error:
        gaze = None
        if str(error) != found.get("problem"):  # a damaged picture is reported once
            found["gaze_problem"] = str(error)
    if gaze is not None:
        found |= _facts(gaze, sigma)
    try:
        dict(sample.attributes or {})
        outlines = sample.objects()
        if outlines is not None:
            found["objects"] = tuple(outline.sentiment or "unknown" for outline in outlines)
            found["objects_problem"] = _fault_of_outlines(outlines, found.get("shape"))
    except EmomapError as error:
        found["objects_problem"] = str(error)
    return Finding(**found)


def _fault_of_outlines(outlines: Sequence[Outline], shape: tuple[int, int] | None) -> str:
    """What is wrong with the outlines of a picture of this shape, or ""."""
    for number, outline in enumerate(outlines, 1):
        if shape is not None and outline.shape != shape:
            said, true = (f"{size[1]}x{size[0]}" for size in (outline.shape, shape))
            return f"outlined on a picture of {said}, but it has {true}"
        if not outline.mask().any():
            return f"object {number} ({outline.name or 'without a name'}) covers no pixel"
    return ""


def _facts(gaze: Gaze, sigma: float | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"density": gaze.density is not None}
    if gaze.points is not None:
        facts["fixations"] = len(gaze.points)
        facts["outside"] = int(len(gaze.points) - gaze.inside.sum())
        if len(gaze.points) == 0:
            facts["gaze_problem"] = "no fixations"
    if gaze.observers is not None:
        facts["observers"] = tuple(np.unique(gaze.observers).tolist())
    if gaze.points is not None and gaze.inside.any() and gaze.density is not None:
        facts["agreement"] = _agreement(gaze, sigma)
    return facts


def _agreement(gaze: Gaze, sigma: float | None) -> float | None:
    """Correlation (CC) of the density made of the fixations with the map beside them."""
    from emomap import metrics

    if gaze.points is None or gaze.density is None or gaze.density.shape != gaze.shape:
        return None
    counts = metrics.fixation_map(gaze.points[gaze.inside], gaze.shape)
    blur = sigma or metrics.sigma_from_fc(8, gaze.shape)
    return float(metrics.cc(metrics.density(counts, blur), gaze.density))


def _problems(
    dataset: Dataset, findings: Sequence[Finding], faults: Sequence[str]
) -> dict[str, list[Any]]:
    samples = {sample.id: sample for sample in dataset}
    groups = _groups(findings)
    copies = [group for group in groups if len(group) < PLACEHOLDER]

    def differing(values: Iterable[object]) -> bool:
        return len(set(values)) > 1

    found: dict[str, list[Any]] = {
        "unreadable": [f.problem for f in findings if f.problem],
        "unreadable_gaze": [f"{f.id}: {f.gaze_problem}" for f in findings if f.gaze_problem],
        "unusable_annotations": [
            f"{f.id}: {f.objects_problem}" for f in findings if f.objects_problem
        ],
        "outside": [f"{f.id}: {f.outside} of {f.fixations}" for f in findings if f.outside],
        "placeholders": [group for group in groups if len(group) >= PLACEHOLDER],
        "duplicates": copies,
        "in_two_splits": [g for g in groups if differing(samples[i].split for i in g)],
        "two_labels": [g for g in copies if differing(samples[i].emotion for i in g)],
        "map_and_fixations_disagree": [
            f"{f.id}: CC {f.agreement:.2f}"
            for f in findings
            if f.agreement is not None and not f.agreement >= DISAGREE
        ],
        "other": list(faults),
    }
    return {kind: items for kind, items in found.items() if items}


def _groups(findings: Iterable[Finding]) -> list[list[str]]:
    """Groups of two or more ids of pictures with the same content."""
    by_content: defaultdict[str, list[str]] = defaultdict(list)
    for finding in findings:
        if finding.digest:
            by_content[finding.digest].append(finding.id)
    return [group for group in by_content.values() if len(group) > 1]
