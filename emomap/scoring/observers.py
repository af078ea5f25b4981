"""The inter-observer ceiling: how well the gaze of all others predicts the gaze of one observer.

No model of where people look in general can be expected to do better, for it doesn't know the
observer either. With the centre prior as the floor, it tells how much of the way a method goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import metrics
from emomap.errors import EmomapError
from emomap.sample import Gaze
from emomap.scoring.image import MapToScore, Scored, truths
from emomap.scoring.protocol import Protocol


def observer_ceiling(
    gaze: Gaze,
    names: Sequence[str],
    sigma: float,
    *,
    convention: str = "mit",
    options: Mapping[str, Mapping[str, Any]] | None = None,
    other: NDArray[Any] | None = None,
    baseline: NDArray[Any] | None = None,
) -> dict[str, float]:
    """Leave one observer out, in turn, and score the density of the others on this one's gaze.

    Fixations outside the picture are left out. The truth is one observer's gaze: their fixations
    for AUC and NSS, and the density of these few for CC, SIM, KL and EMD. So AUC and NSS compare
    with those of a method on the gaze of all; the others are lower than what all observers
    together would reach, since the density of one observer is peaked.

    Args:
        gaze: with fixations and their observers.
        names: metrics of the catalogue.
        sigma: Gaussian in pixels that turns fixations into a density.
        convention, options: as `metrics.evaluate` takes them.
        other, baseline: as `metrics.evaluate` takes them, where a metric needs them.

    Returns:
        metric -> mean over the observers who have a fixation in the picture.

    Raises:
        EmomapError: the gaze has no observers, or fewer than two with a fixation in the picture.
    """
    counts = _counts_by_observer(gaze)
    total = counts.sum(axis=0)
    values = [
        metrics.evaluate(
            metrics.density(total - own, sigma),
            fixations=own,
            density=metrics.density(own, sigma) if _needs_density(names) else None,
            other=other,
            baseline=baseline,
            metrics=names,
            convention=convention,
            options=options,
        )
        for own in counts
    ]
    return {name: float(np.mean([value[name] for value in values])) for name in names}


def _counts_by_observer(gaze: Gaze) -> NDArray[np.int64]:
    """(observers, H, W) fixation counts of those who have any in the picture."""
    if gaze.points is None or gaze.observers is None:
        raise EmomapError(
            "the inter-observer ceiling needs fixations that say whose they are; "
            "this gaze has none, so leave the ceiling out"
        )
    inside = gaze.inside
    points, observers = gaze.points[inside], gaze.observers[inside]
    present = np.unique(observers)
    if len(present) < 2:
        raise EmomapError(
            f"the inter-observer ceiling needs two observers or more; {len(present)} have a "
            "fixation in this picture"
        )
    return np.stack([metrics.fixation_map(points[observers == one], gaze.shape) for one in present])


def _needs_density(names: Sequence[str]) -> bool:
    return any("density" in metrics.CATALOGUE[name].inputs for name in names)


def score_observers(
    item: MapToScore, protocol: Protocol, nonfixations: Path | None = None
) -> Scored:
    """The inter-observer ceiling of one image, by the metrics against fixations.

    The density of one observer is no truth that a method's CC or KL could be compared with, so
    metrics against densities have no ceiling here.
    """
    from emomap.scoring.observers import observer_ceiling

    name = item.id
    names = tuple(n for n in protocol.metrics if "density" not in metrics.CATALOGUE[n].inputs)
    try:
        gaze = item.gaze()
        if gaze is None:
            return Scored(name, problem=f"{name}: no gaze for this image")
        truth = truths(gaze, replace(protocol, metrics=names), name, nonfixations)
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
