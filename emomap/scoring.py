"""The stage map files x gaze -> rows; and `score`, which does it for two folders.

This is the one place where a map is resized to the gaze, by a named method that is part of the
signature of every value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import engine, io, metrics
from emomap.errors import EmomapError, UsageError
from emomap.sample import File, Gaze

#: What the tables of the field report; the others of the catalogue are computed on request.
METRICS = ("auc_judd", "auc_borji", "cc", "sim", "kl", "emd", "nss")
#: MIT's blur of fixations when the data set does not state its own sigma.
MIT_FC = 8.0


@dataclass(frozen=True)
class Protocol:
    """How maps are scored: everything that changes a value, so everything that is signed.

    Attributes:
        metrics: names of the catalogue, in the order of the table.
        convention: "mit" or "tuebingen", see `metrics.CATALOGUE`.
        resize: method that brings a map to the size of the gaze, see `metrics.resize`.
        sigma: Gaussian in pixels that turns fixations into a density; None for MIT's fc = 8,
            which follows the size of the picture (24 px at 640 and at 1024 wide).
        emd_downsize: factor by which both maps shrink before the transport problem.
        stretch: accept maps whose aspect ratio differs from the picture's.
    """

    metrics: tuple[str, ...] = METRICS
    convention: str = "mit"
    resize: str = "matlab-bicubic"
    sigma: float | None = None
    emd_downsize: int = 32
    stretch: bool = False

    def sigma_for(self, shape: tuple[int, int]) -> float:
        """The blur in pixels for a picture of this (height, width)."""
        return self.sigma or metrics.sigma_from_fc(MIT_FC, shape)

    @property
    def sigma_words(self) -> str:
        """The blur in words such as "24 px"."""
        return f"{self.sigma:g} px" if self.sigma else f"MIT fc={MIT_FC:g}"

    def signature(self, *names: str, seed: int | None = None) -> str:
        """The short string that names every choice behind the values; of all metrics by default.

        Args:
            seed: of the bootstrap, where the string stands beside intervals.
        """
        names = names or self.metrics
        if not names:
            return ""
        choices: dict[str, Any] = {"resize": self.resize, "clip": "0"}
        if {"density", "baseline"} & {i for n in names for i in metrics.CATALOGUE[n].inputs}:
            choices["sigma"] = f"{self.sigma:g}px" if self.sigma else f"fc{MIT_FC:g}"
        if "emd" in names:
            choices["downsize"] = self.emd_downsize
        if self.stretch:
            choices["stretch"] = True
        choices["seed"] = seed
        return metrics.signature(names, convention=self.convention, **choices)

    def needs(self) -> set[str]:
        """What the metrics need: of "fixations", "density", "other", "baseline"."""
        return {need for name in self.metrics for need in metrics.CATALOGUE[name].inputs}


def check_metrics(names: Iterable[str]) -> tuple[str, ...]:
    """Names of metrics as the catalogue has them; "all" stands for the whole catalogue.

    Raises:
        UsageError: an unknown name.
    """
    wanted: list[str] = []
    for name in names:
        key = name.strip().lower().replace("-", "_")
        key = ALIASES.get(key, key)
        if key == "all":
            wanted += [entry for entry in metrics.CATALOGUE if entry not in wanted]
        elif key in metrics.CATALOGUE:
            wanted += [key] if key not in wanted else []
        else:
            raise UsageError(
                f"no metric is called '{name}'; there are {', '.join(metrics.CATALOGUE)}"
            )
    return tuple(wanted)


#: Short names that papers use for the same metrics.
ALIASES = {
    "auc_j": "auc_judd",
    "auc_b": "auc_borji",
    "sauc": "auc_shuffled",
    "s_auc": "auc_shuffled",
    "ig": "info_gain",
    "kld": "kl",
    "kl_div": "kl",
    "similarity": "sim",
    "pcc": "cc",
}


@dataclass(frozen=True)
class Item:
    """One map to score: its file, and a picklable function that reads the gaze."""

    id: str
    map_file: File
    gaze: Callable[[], Gaze | None]


@dataclass(frozen=True)
class Scored:
    """The values of one map, or the problem that prevented them."""

    id: str
    values: Mapping[str, float] = field(default_factory=dict)
    problem: str | None = None
    remarks: tuple[str, ...] = ()
    blank: bool = False


def score_items(
    items: Sequence[Item],
    protocol: Protocol,
    *,
    jobs: int | None = None,
    others: Path | None = None,
) -> Iterator[Scored]:
    """Score maps in parallel, yielding results in the order of the items.

    Args:
        others: file made by `pool_fixations`, when a metric needs the gaze on other images.
    """
    return engine.ordered(
        partial(score_item, protocol=protocol, others=others), items, jobs=jobs, chunk=25
    )


def score_item(item: Item, protocol: Protocol, others: Path | None = None) -> Scored:
    """Score one map. A failure is returned as a problem that names the file."""
    try:
        values = io.read_map(item.map_file)
        gaze = item.gaze()
        if gaze is None:
            return Scored(item.id, problem=f"{item.id}: no gaze for this image")
        remarks, blank = _remarks(item, values, gaze), not values.any()
        values = fit(values, target_shape(gaze), protocol, str(item.map_file))
        truth = truths(gaze, protocol, item.id, others)
    except EmomapError as error:
        return Scored(item.id, problem=str(error))
    try:
        scores = metrics.evaluate(
            values,
            **truth,
            metrics=protocol.metrics,
            convention=protocol.convention,
            options={"emd": {"downsize": protocol.emd_downsize}},
        )
    except ValueError as error:
        return Scored(item.id, problem=f"{item.map_file}: {error}")
    chosen = {name: float(scores[name]) for name in protocol.metrics}
    return Scored(item.id, chosen, remarks=remarks, blank=blank)


def score_observers(item: Item, protocol: Protocol, others: Path | None = None) -> Scored:
    """The inter-observer ceiling of one image, by the metrics against fixations.

    The density of one observer is no truth that a method's CC or KL could be compared with, so
    metrics against densities have no ceiling here.
    """
    from emomap.ceiling import observer_ceiling

    name = item.id
    names = tuple(n for n in protocol.metrics if "density" not in metrics.CATALOGUE[n].inputs)
    try:
        gaze = item.gaze()
        if gaze is None:
            return Scored(name, problem=f"{name}: no gaze for this image")
        truth = truths(gaze, replace(protocol, metrics=names), name, others)
        values = observer_ceiling(
            gaze,
            names,
            protocol.sigma_for(gaze.shape),
            convention=protocol.convention,
            other=truth.get("other"),
            baseline=truth.get("baseline"),
        )
    except EmomapError as error:
        return Scored(name, problem=f"{name}: {error}")
    return Scored(name, values)


def _remarks(item: Item, values: NDArray[Any], gaze: Gaze) -> tuple[str, ...]:
    found = []
    if not values.any():
        found.append(f"{item.map_file}: all zero: scored as no information; check how it was made")
    outside = int((~gaze.inside).sum())
    if outside:
        found.append(f"{item.id}: {outside} fixations outside the picture were left out")
    return tuple(found)


def target_shape(gaze: Gaze) -> tuple[int, int]:
    """The size that maps are brought to: the picture's, or that of a density without fixations."""
    if gaze.points is None and gaze.density is not None:
        return gaze.density.shape[0], gaze.density.shape[1]
    return gaze.shape


def fit(
    values: NDArray[Any], shape: tuple[int, int], protocol: Protocol, name: str
) -> NDArray[Any]:
    """Bring a map to the size of the gaze.

    Raises:
        EmomapError: the aspect ratios differ by more than rounding to whole pixels can explain.
    """
    if values.shape == shape:
        return values
    height, width = values.shape
    off = min(abs(height - shape[0] * width / shape[1]), abs(width - shape[1] * height / shape[0]))
    if off > 1 and not protocol.stretch:
        raise EmomapError(
            f"{name}: {width} x {height} pixels is another aspect ratio than its picture's "
            f"{shape[1]} x {shape[0]}; if the map covers the whole picture all the same, "
            "say --stretch"
        )
    method: Any = protocol.resize
    resized: NDArray[Any] = metrics.resize(values, shape, method=method)
    return resized


def truths(gaze: Gaze, protocol: Protocol, name: str, others: Path | None = None) -> dict[str, Any]:
    """The ground-truth arrays that the metrics need, by the argument names of `evaluate`.

    Fixations win over a supplied density where both exist.
    """
    needs = protocol.needs()
    found: dict[str, Any] = {}
    if gaze.points is not None:
        counts = metrics.fixation_map(gaze.points[gaze.inside], gaze.shape)
        if not counts.any():
            raise EmomapError(f"{name}: no fixation lies inside the picture; drop it from the set")
        found["fixations"] = counts
        if "density" in needs:
            found["density"] = metrics.density(counts, protocol.sigma_for(gaze.shape))
    elif gaze.density is not None:
        found["density"] = gaze.density
    if needs & {"other", "baseline"}:
        if others is None or gaze.points is None:
            raise EmomapError(f"{name}: shuffled AUC and information gain need fixations")
        pooled = _pooled_elsewhere(others, name, gaze.shape)
        found["other"] = pooled
        if "baseline" in needs:
            found["baseline"] = metrics.density(pooled, protocol.sigma_for(gaze.shape))
    return {key: value for key, value in found.items() if key in needs}


def available(gaze: Gaze) -> set[str]:
    """What a gaze can give: of "fixations", "density", "other", "baseline"."""
    if gaze.points is not None:
        return {"fixations", "density", "other", "baseline"}
    return {"density"} if gaze.density is not None else set()


def missing_inputs(names: Iterable[str], has: set[str]) -> dict[str, str]:
    """Metrics that cannot be computed from what the ground truth has, with the reason."""
    return {
        name: f"needs {' and '.join(need)}"
        for name in names
        if (need := [n for n in metrics.CATALOGUE[name].inputs if n not in has])
    }


# --------------------------------------------------------- the gaze on the other images of a set


def pool_fixations(gazes: Iterable[tuple[str, Gaze]], path: Path) -> Path:
    """Write the fixations of all images, relative to the picture's size, for shuffled AUC.

    The file holds ``points`` (N, 2) in 0..1 and ``owner`` (N,), the index in ``ids``.
    """
    points, owners, ids = [np.zeros((0, 2))], [np.zeros(0, dtype=np.int64)], []
    for index, (identity, gaze) in enumerate(gazes):
        ids.append(identity)
        if gaze.points is None:
            continue
        inside = gaze.points[gaze.inside]
        points.append((inside + 0.5) / np.array(gaze.shape[::-1]))
        owners.append(np.full(len(inside), index))
    with io.atomic(path) as temporary:
        np.savez(
            temporary,
            points=np.concatenate(points),
            owner=np.concatenate(owners),
            ids=np.array(ids, dtype=np.str_),
        )
    return path


@lru_cache(maxsize=2)
def _pool(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64], dict[str, int]]:
    with np.load(path, allow_pickle=False) as stored:
        ids = {str(identity): index for index, identity in enumerate(stored["ids"])}
        return stored["points"], stored["owner"], ids


def _pooled_elsewhere(path: Path, name: str, shape: tuple[int, int]) -> NDArray[Any]:
    points, owner, ids = _pool(path)
    height, width = shape
    elsewhere = points[owner != ids.get(name, -1)]
    if not len(elsewhere):
        raise EmomapError(f"{name}: no fixations on other images, so no shuffled AUC")
    pixels = np.clip(elsewhere * (width, height) - 0.5, 0, (width - 1, height - 1))
    counts: NDArray[Any] = metrics.fixation_map(pixels, shape)
    return counts
