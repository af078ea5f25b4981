"""The stage map file x gaze -> values, for one image or in parallel for many.

This is the one place where a map is resized to the gaze. The method has a name, which is part of
the signature of every value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import io, metrics, parallel
from emomap.errors import EmomapError
from emomap.io.files import File
from emomap.io.kinds import as_map, is_log
from emomap.sample import Gaze, Window
from emomap.scoring.own_maps import kernel, own_map, sharing
from emomap.scoring.pool import center_elsewhere, pooled_elsewhere
from emomap.scoring.protocol import Protocol, absent

#: Why a metric of distributions has no value.
NEGATIVE = "negative, so that they cannot be normalised to a probability distribution"


@dataclass(frozen=True)
class MapToScore:
    """One map to score: its file, and a picklable function that reads the gaze."""

    id: str
    map_file: File
    gaze: Callable[[], Gaze | None]


@dataclass(frozen=True)
class Scored:
    """The values of one map, or the problem that prevented them.

    Attributes:
        id: of the image.
        values: metric -> value; empty if there is a problem.
        problem: why there is no value at all, with the name of the file.
        remarks: what the user should know about the map or its gaze.
        blank: whether the map is zero everywhere.
        lacking: metric -> why it cannot be computed for this map.
        log: whether the map could be a log-density, though it is scored as a map.
    """

    id: str
    values: Mapping[str, float] = field(default_factory=dict)
    problem: str | None = None
    remarks: tuple[str, ...] = ()
    blank: bool = False
    lacking: Mapping[str, str] = field(default_factory=dict)
    log: bool = False


def score_items(
    items: Sequence[MapToScore],
    protocol: Protocol,
    *,
    jobs: int | None = None,
    nonfixations: Path | None = None,
) -> Iterator[Scored]:
    """Score maps in parallel. Results come in the order of the items.

    Args:
        items: what to score.
        protocol: how.
        jobs: worker processes; None for one per CPU.
        nonfixations: file made by `pool_fixations`, if a metric needs the gaze on other images.
    """
    slow = protocol.draws  # seconds a picture, so that even a few are worth another process
    if slow and jobs is None:
        jobs = parallel.processors()
    return parallel.ordered(
        partial(score_item, protocol=protocol, nonfixations=nonfixations),
        items,
        jobs=jobs,
        chunk=1 if slow else 25,
    )


def score_item(item: MapToScore, protocol: Protocol, nonfixations: Path | None = None) -> Scored:
    """Score one map. A failure is returned as a problem, which names the file.

    A metric that does not apply to this map or its gaze leaves the others their values.
    """
    try:
        opened = open_item(item, protocol, nonfixations)
        found, lacking = opened.scored(opened.values, protocol)
    except EmomapError as error:
        return Scored(item.id, problem=str(error))
    first = next(iter(lacking.values()), "")
    problem = None if found else f"{item.map_file}: {first.removeprefix('refused: ')}"
    log = protocol.prediction == "map" and NEGATIVE in lacking.values() and is_log(opened.values)
    blank = not opened.values.any()
    return Scored(item.id, found, problem, opened.remarks, blank, lacking, log)


@dataclass(frozen=True)
class Opened:
    """A map and its truth, read.

    Attributes:
        name: of the map's file, for messages.
        values: (H, W) as stored, but the exponential of a log-density.
        shape: (height, width) that maps are resized to.
        truth: arguments of `metrics.evaluate`.
        remarks: what the user should know about the map or its gaze.
        window: what a mask leaves of the picture, if it leaves something out.
        sigma: Gaussian in pixels behind the density that is scored against; 0 if nothing asks.
        center: (H, W) centre bias of the other images, if a map is made with it.
    """

    name: str
    values: NDArray[Any]
    shape: tuple[int, int]
    truth: Mapping[str, Any]
    remarks: tuple[str, ...]
    window: Window | None = None
    sigma: float = 0.0
    center: NDArray[Any] | None = None

    def scored(
        self, values: NDArray[Any], protocol: Protocol
    ) -> tuple[dict[str, float], dict[str, str]]:
        """The values of the metrics for a map, and why some have none: metric -> reason.

        Args:
            values: the map, or what was made of it.
            protocol: how it is scored.

        Raises:
            EmomapError: the map has another aspect ratio than its picture.
        """
        wide = resize_to_gaze(values, self.shape, protocol, self.name)
        mask = None
        if self.window:
            wide, mask = self.window.of(wide), self.window.mask
        if not protocol.metric_specific:
            return _evaluate(wide, self.truth, protocol, mask)
        return evaluate_own(wide, self.truth, protocol, self.sigma, self.center, mask)


def open_item(item: MapToScore, protocol: Protocol, nonfixations: Path | None = None) -> Opened:
    """Read a map and its truth.

    Raises:
        EmomapError: the map or its gaze cannot be read, the picture has none, or a map is no
            density where densities are scored.
    """
    name = str(item.map_file)
    read = io.read_map(item.map_file, logarithm=protocol.prediction == "log-density")
    values = as_map(read, protocol.prediction, name)
    gaze = item.gaze()
    if gaze is None:
        raise EmomapError(f"{item.id}: no gaze for this image")
    truth = truths(gaze, protocol, item.id, nonfixations)
    remarks = _remarks(item, values, gaze)
    opened = Opened(name, values, target_shape(gaze), truth, remarks, gaze.window)
    if not protocol.metric_specific:
        return opened
    if not values.any():
        raise EmomapError(
            f"{name}: zero everywhere, which is no density; make the map again, or score it with "
            "--protocol plain"
        )
    center = None
    if "auc_shuffled" in protocol.metrics and nonfixations:
        center = center_elsewhere(nonfixations, item.id, gaze.shape)
    return replace(opened, sigma=kernel(gaze, protocol, item.id), center=center)


def evaluate_own(
    density: NDArray[Any],
    truth: Mapping[str, Any],
    protocol: Protocol,
    sigma: float,
    center: NDArray[Any] | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> tuple[dict[str, float], dict[str, str]]:
    """The values of all metrics, each of its own map of a density, and why some have none.

    Args:
        density: (H, W) of any scale, at the size of the gaze.
        truth: from `truths`.
        protocol: its metrics all have a map of their own.
        sigma: Gaussian in pixels behind the density that is scored against.
        center: (H, W) centre bias of the other images, if the shuffled AUC is asked for.
        mask: (H, W) True where a pixel is ignored. Nobody is said to look there.
    """
    found: dict[str, float] = {}
    lacking = absent(protocol.metrics, truth)
    if mask is not None:
        density = np.where(mask, 0, density)
        center = None if center is None else np.where(mask, 0, center)
    wanted = [metric for metric in protocol.metrics if metric not in lacking]
    for names in sharing(wanted):
        try:
            own = own_map(density, names[0], protocol, sigma, center)
        except ValueError as error:
            lacking |= dict.fromkeys(names, f"refused: {error}")
            continue
        some, why = _evaluate(own, truth, replace(protocol, metrics=names), mask)
        found |= some
        lacking |= why
    return {name: found[name] for name in wanted if name in found}, lacking


def _evaluate(
    values: NDArray[Any],
    truth: Mapping[str, Any],
    protocol: Protocol,
    mask: NDArray[np.bool_] | None = None,
) -> tuple[dict[str, float], dict[str, str]]:
    """The values of all metrics, and why some have none: metric -> reason."""
    score = partial(
        metrics.evaluate,
        values,
        **truth,
        convention=protocol.convention,
        options={"emd": {"downsize": protocol.emd_downsize}},
        mask=mask,
    )
    lacking = absent(protocol.metrics, truth)
    names = [name for name in protocol.metrics if name not in lacking]
    if not names:
        return {}, lacking
    try:
        scores = score(metrics=names)
        return {name: float(scores[name]) for name in names}, lacking
    except ValueError:
        pass  # a metric refuses, so each is asked on its own
    found: dict[str, float] = {}
    for name in names:
        try:
            found[name] = float(score(metrics=[name])[name])
        except metrics.NegativeMapError as error:
            lacking[name] = NEGATIVE if error.name == "prediction" else f"refused: {error}"
        except ValueError as error:
            lacking[name] = f"refused: {error}"
    return found, lacking


def target_shape(gaze: Gaze) -> tuple[int, int]:
    """The (height, width) that maps are resized to: the picture's, or that of a lone density.

    Where a mask left something out, that is the size before.
    """
    if gaze.window:
        return gaze.window.picture
    if gaze.points is None and gaze.density is not None:
        return gaze.density.shape[0], gaze.density.shape[1]
    return gaze.shape


def resize_to_gaze(
    values: NDArray[Any], shape: tuple[int, int], protocol: Protocol, name: str
) -> NDArray[Any]:
    """Bring a map to the size of the gaze.

    Args:
        values: (H, W) map.
        shape: (height, width) of the gaze.
        protocol: the method of resizing, and whether other aspect ratios are stretched.
        name: of the map, for messages.

    Raises:
        EmomapError: the aspect ratios differ by more than rounding to whole pixels can explain.
    """
    if values.shape == shape:
        return values
    if not protocol.stretch:
        check_aspect(values.shape, shape, name)
    method: Any = protocol.resize
    resized: NDArray[Any] = metrics.resize(values, shape, method=method)
    return resized


def check_aspect(given: tuple[int, ...], shape: tuple[int, int], name: str) -> None:
    """Refuse a map of another aspect ratio than its picture's.

    Args:
        given: (height, width) of the map.
        shape: (height, width) of the picture.
        name: of the map, for messages.

    Raises:
        EmomapError: the ratios differ by more than rounding to whole pixels can explain.
    """
    height, width = given
    off = min(abs(height - shape[0] * width / shape[1]), abs(width - shape[1] * height / shape[0]))
    if off > 1:
        raise EmomapError(
            f"{name}: a map of {width} x {height} pixels has another aspect ratio than its picture "
            f"({shape[1]} x {shape[0]}); if it covers the whole picture, add --stretch"
        )


def truths(
    gaze: Gaze, protocol: Protocol, name: str, nonfixations: Path | None = None
) -> dict[str, Any]:
    """The ground-truth arrays that the metrics need, by the argument names of `metrics.evaluate`.

    The density is computed from the fixations. A density of the data set is used only where there
    are no fixations. A truth that is not there (fixations on other images, for a density or a
    single image) is left out.

    Args:
        gaze: of one image.
        protocol: its metrics, and the blur of fixations.
        name: id of the image, for messages.
        nonfixations: file made by `pool_fixations`, if a metric needs the gaze on other images.

    Raises:
        EmomapError: no fixation in the picture.
    """
    needs = protocol.needs()
    found: dict[str, Any] = {}
    if gaze.points is not None:
        counts = metrics.fixation_map(gaze.points[gaze.inside], gaze.shape)
        if not counts.any():
            where = "on what the mask leaves" if gaze.window else "inside the picture"
            raise EmomapError(f"{name}: no fixation lies {where}; remove it from the set")
        found["fixations"] = counts
        if "density" in needs:
            found["density"] = metrics.density(counts, protocol.sigma_for(gaze.shape))
    elif gaze.density is not None:
        found["density"] = gaze.density
    if needs & {"other", "baseline"} and nonfixations and gaze.points is not None:
        pooled = pooled_elsewhere(nonfixations, name, gaze.shape)
        if pooled is not None:
            found["other"] = pooled
            if "baseline" in needs and protocol.base == "other":
                found["baseline"] = metrics.density(pooled, protocol.sigma_for(gaze.shape))
            elif "baseline" in needs and protocol.base == "center":
                center = center_elsewhere(nonfixations, name, gaze.shape)
                found |= {} if center is None else {"baseline": center}
    if "baseline" in needs and protocol.base == "uniform" and gaze.points is not None:
        found["baseline"] = np.full(gaze.shape, 1.0 / (gaze.shape[0] * gaze.shape[1]))
    return {key: value for key, value in found.items() if key in needs}


def _remarks(item: MapToScore, values: NDArray[Any], gaze: Gaze) -> tuple[str, ...]:
    """What the user should know about a map that was scored."""
    found = [*gaze.notes]
    if not values.any():
        found.append(f"{item.map_file}: all zero: scored as no information; check how it was made")
    outside = int((~gaze.inside).sum())
    if outside:
        found.append(f"{item.id}: {outside} fixations outside the picture were left out")
    return tuple(found)
