"""Where a metric begins and where it ends: the centre bias and the gold standard of a set.

The floor is the centre bias of the other pictures, the ceiling what other observers say of a
picture (`metrics.gold_standard`). Both are densities, and each metric scores its own map of them,
so that no choice of a map lies between. Metrics of fixations score the gold standard of all other
observers on the gaze of the one who was left out. Metrics of densities score that of one half of
the observers on the density of the other half.

A half has fewer observers than the picture, which makes such a value worse. The correction follows
the split-half series: the same is done with groups of half that size, and the line through both
values over 1/size is read at the number of all observers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import io, metrics
from emomap.errors import EmomapError
from emomap.sample import Gaze
from emomap.scoring.image import MapToScore, Scored, evaluate_own, truths
from emomap.scoring.pool import Seen, center_elsewhere, seen
from emomap.scoring.protocol import Protocol

#: Pictures on which bandwidth and weights are fitted at most, evenly spread.
FITTED_ON = 300
#: Seed of the order in which the observers of a picture go to groups.
SEED = 0


@dataclass(frozen=True)
class Fit:
    """Bandwidth and weights of a gold standard, see `metrics.gold_density`."""

    bandwidth: float
    weights: tuple[float, float, float]


@dataclass(frozen=True)
class Fits:
    """The gold standards of a set.

    Attributes:
        all: of all observers but one.
        groups: size of a group of observers -> of such a group; two sizes, the larger one first, or
            one where a set has two or three observers.
    """

    all: Fit
    groups: Mapping[int, Fit]


def lacking_observers(path: Path) -> str:
    """Why a set has no ceiling, or "".

    Args:
        path: file made by `pool_fixations`.
    """
    pictures = seen(path).values()
    if not pictures:
        return "this gaze has no fixations"
    if all((p.observers < 0).all() for p in pictures):
        return "this gaze does not say which observer made a fixation"
    usable = sum(len(_present(p)) > 1 for p in pictures)
    if usable < 2:
        return f"{usable} of {len(pictures)} pictures were seen by two observers or more"
    return ""


def fit_gold(path: Path) -> Fits:
    """Fit the gold standards of a pool, or read them from the file beside it.

    Args:
        path: file made by `pool_fixations`, for which `lacking_observers` is "".

    Raises:
        EmomapError: the file is damaged.
    """
    kept = path.with_name(f"{path.stem}-gold.json")
    if not kept.exists():
        io.write_text(kept, json.dumps(_fitted(path)) + "\n")
    try:
        stored = json.loads(kept.read_text("utf-8"))
        groups = {int(size): _fit(fit) for size, fit in stored["groups"].items()}
        return Fits(_fit(stored["all"]), groups)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmomapError(f"{kept}: damaged ({error}); remove it, and it is made again") from error


def limits_protocol(protocol: Protocol) -> Protocol:
    """How floor and ceiling are scored in a run that is scored by a protocol.

    Always by maps for each metric, whatever becomes of the methods' maps.
    """
    return replace(
        protocol,
        metrics=tuple(name for name in protocol.metrics if name in metrics.OPTIMAL),
        protocol="metric-specific",
        prediction="density",
        baseline=protocol.base,
    )


def score_center(item: MapToScore, protocol: Protocol, pool: Path) -> Scored:
    """The values of the centre bias of the other pictures on one image."""
    try:
        gaze, center = _read(item, pool)
        truth = truths(gaze, protocol, item.id, pool)
        found, lacking = evaluate_own(
            center, truth, protocol, protocol.sigma_for(gaze.shape), center, _mask(gaze)
        )
    except EmomapError as error:
        return Scored(item.id, problem=f"{item.id}: {error}")
    return Scored(item.id, found, lacking=lacking)


def score_gold(item: MapToScore, protocol: Protocol, pool: Path, fits: Fits) -> Scored:
    """The values of the gold standard on one image, as said at the top of this file."""
    try:
        gaze, center = _read(item, pool)
        assert gaze.points is not None
        if gaze.observers is None:
            raise EmomapError("its gaze does not say which observer made a fixation")
        picture = Seen(gaze.points[gaze.inside], gaze.observers[gaze.inside], gaze.shape)
        if len(_present(picture)) < 2:
            raise EmomapError(f"{len(_present(picture))} observer(s) looked at it; two are needed")
        found, lacking = _by_observer(item.id, gaze, picture, center, protocol, pool, fits.all)
        more, why = _by_groups(gaze, picture, center, protocol, fits.groups)
    except EmomapError as error:
        return Scored(item.id, problem=f"{item.id}: {error}")
    values = {**found, **more}
    return Scored(
        item.id,
        {name: values[name] for name in protocol.metrics if name in values},
        lacking={**lacking, **why},
    )


def _read(item: MapToScore, pool: Path) -> tuple[Gaze, NDArray[np.float64]]:
    """The gaze on an image, and the centre bias of the others."""
    gaze = item.gaze()
    if gaze is None or gaze.points is None:
        raise EmomapError("no fixations for this image")
    center = center_elsewhere(pool, item.id, gaze.shape)
    if center is None:
        raise EmomapError("no fixations on other images")
    return gaze, center


def _mask(gaze: Gaze) -> NDArray[np.bool_] | None:
    return gaze.window.mask if gaze.window else None


def _by_observer(
    name: str,
    gaze: Gaze,
    picture: Seen,
    center: NDArray[np.float64],
    protocol: Protocol,
    pool: Path,
    fit: Fit,
) -> tuple[dict[str, float], dict[str, str]]:
    """Metrics of fixations: the others' density on each observer's gaze, mean over observers."""
    names = tuple(n for n in protocol.metrics if not _of_densities(n))
    if not names:
        return {}, {}
    own = replace(protocol, metrics=names)
    shared = truths(gaze, own, name, pool)
    whole = metrics.fixation_map(picture.points, picture.shape)
    each = []
    for observer in _present(picture):
        counts = metrics.fixation_map(picture.points[picture.observers == observer], picture.shape)
        density = metrics.gold_density(
            whole - counts, center, bandwidth=fit.bandwidth, weights=fit.weights
        )
        truth = {**shared, "fixations": counts}
        values, lacking = evaluate_own(density, truth, own, 1.0, center, _mask(gaze))
        if lacking:
            return {}, lacking
        each.append(values)
    return {n: float(np.mean([values[n] for values in each])) for n in names}, {}


def _by_groups(
    gaze: Gaze,
    picture: Seen,
    center: NDArray[np.float64],
    protocol: Protocol,
    fits: Mapping[int, Fit],
) -> tuple[dict[str, float], dict[str, str]]:
    """Metrics of densities: one group of observers against another of its size, corrected."""
    names = tuple(n for n in protocol.metrics if _of_densities(n))
    order = _shuffled(picture)
    if not names:
        return {}, {}
    if len(order) < 2 * max(fits):
        why = f"fewer than {2 * max(fits)} observers looked at it"
        return {}, dict.fromkeys(names, why)
    series = {}
    for size, fit in fits.items():
        groups = [order[:size], order[size : 2 * size]]
        counts = [
            metrics.fixation_map(picture.points[np.isin(picture.observers, g)], picture.shape)
            for g in groups
        ]
        both = []
        for one, other in (counts, counts[::-1]):
            values, lacking = _against(one, other, center, replace(protocol, metrics=names), fit,
                                       _mask(gaze))  # fmt: skip
            if lacking:
                return {}, lacking
            both.append(values)
        series[size] = {n: (both[0][n] + both[1][n]) / 2 for n in names}
    return {n: at_size({s: v[n] for s, v in series.items()}, len(order), n) for n in names}, {}


def _against(
    counts: NDArray[np.int64],
    others: NDArray[np.int64],
    center: NDArray[np.float64],
    protocol: Protocol,
    fit: Fit,
    mask: NDArray[np.bool_] | None,
) -> tuple[dict[str, float], dict[str, str]]:
    """What some observers say of the density of as many others."""
    sigma = protocol.sigma_for(counts.shape)
    density = metrics.gold_density(counts, center, bandwidth=fit.bandwidth, weights=fit.weights)
    truth: dict[str, Any] = {"density": metrics.density(others, sigma)}
    drawn = replace(protocol, drawn=int(others.sum()))
    return evaluate_own(density, truth, drawn, sigma, None, mask)


def at_size(series: Mapping[int, float], size: int, metric: str) -> float:
    """Read a split-half series at another size: a line over 1/size, within the metric's range.

    Args:
        series: size of both groups -> value; one size alone is not corrected.
        size: number of observers for which the value is wanted.
        metric: for its range.

    >>> at_size({4: 1.0, 2: 1.5}, 8, "kl")
    0.75
    """
    low, high = metrics.CATALOGUE[metric].range
    if len(series) == 1:
        return next(iter(series.values()))
    (a, at_a), (b, at_b) = series.items()
    slope = (at_b - at_a) / (1 / b - 1 / a)
    return float(min(max(at_a + slope * (1 / size - 1 / a), low), high))


def _fitted(path: Path) -> dict[str, Any]:
    """What is kept of the gold standards of a pool."""
    pictures = [p for p in seen(path).values() if len(_present(p)) > 1]
    pictures = pictures[:: -(-len(pictures) // FITTED_ON)]
    shapes = [p.shape for p in pictures]
    bias = metrics.center_bias([p.points for p in pictures], shapes)

    def fit(chosen: Sequence[NDArray[np.bool_]]) -> dict[str, Any]:
        points = [p.points[c] for p, c in zip(pictures, chosen, strict=True)]
        observers = [p.observers[c] for p, c in zip(pictures, chosen, strict=True)]
        center = metrics.center_bias(points, shapes, bandwidth=bias.bandwidth, floor=bias.floor)
        found = metrics.gold_standard(points, observers, shapes, center=center)
        return {"bandwidth": found.bandwidth, "weights": list(found.weights)}

    def group(size: int) -> dict[str, Any]:
        """Of so many observers: one more, each predicted from the others."""
        return fit([np.isin(p.observers, _shuffled(p)[: size + 1]) for p in pictures])

    half = max(1, int(np.percentile([len(_present(p)) for p in pictures], 20)) // 2)
    sizes = list(dict.fromkeys([half, max(1, half // 2)]))
    return {
        "all": fit([p.observers >= 0 for p in pictures]),
        "groups": {str(size): group(size) for size in sizes},
    }


def _fit(stored: Mapping[str, Any]) -> Fit:
    kernel, center, floor = map(float, stored["weights"])
    return Fit(float(stored["bandwidth"]), (kernel, center, floor))


def _present(picture: Seen) -> NDArray[np.int64]:
    """The observers of a picture who are known."""
    return np.unique(picture.observers[picture.observers >= 0])


def _shuffled(picture: Seen) -> NDArray[np.int64]:
    """The observers of a picture in an order that does not depend on their numbers alone."""
    present = _present(picture)
    rng = np.random.default_rng([SEED, len(picture.points)])
    return rng.permutation(present)


def _of_densities(metric: str) -> bool:
    return "density" in metrics.CATALOGUE[metric].inputs
