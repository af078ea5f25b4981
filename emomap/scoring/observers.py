"""The inter-observer ceiling: how well the gaze of all others predicts the gaze of one observer.

A model of where people look in general cannot be expected to do better, since it does not know the
observer either. With the centre prior as the floor, the ceiling tells how far a method gets.
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
from emomap.scoring.protocol import Protocol, absent


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
    """Leave each observer out in turn, and score the density of the others on that one's gaze.

    Fixations outside the picture are left out. The truth is the gaze of one observer: the fixations
    for AUC and NSS, their density for CC, SIM, KL and EMD. So AUC and NSS can be compared with
    those of a method on the gaze of all. The other metrics are lower than for all observers
    together, since the density of one observer is peaked.

    Args:
        gaze: with fixations and their observers.
        names: metrics from the catalogue.
        sigma: Gaussian in pixels that turns fixations into a density.
        convention, options: as `metrics.evaluate` takes them.
        other, baseline: as `metrics.evaluate` takes them, if a metric needs them.

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
            mask=gaze.window.mask if gaze.window else None,
        )
        for own in counts
    ]
    return {name: float(np.mean([value[name] for value in values])) for name in names}


def score_observers(
    item: MapToScore, protocol: Protocol, nonfixations: Path | None = None
) -> Scored:
    """The inter-observer ceiling of one image, by the metrics that compare with fixations.

    Metrics that compare with a density have no ceiling here: CC or KL against the density of one
    observer cannot be compared with those of a method.
    """
    name = item.id
    names = tuple(n for n in protocol.metrics if "density" not in metrics.CATALOGUE[n].inputs)
    try:
        gaze = item.gaze()
        if gaze is None:
            return Scored(name, problem=f"{name}: no gaze for this image")
        truth = truths(gaze, replace(protocol, metrics=names), name, nonfixations)
        lacking = absent(names, truth)
        values = observer_ceiling(
            gaze,
            [n for n in names if n not in lacking],
            protocol.sigma_for(gaze.shape),
            convention=protocol.convention,
            other=truth.get("other"),
            baseline=truth.get("baseline"),
        )
    except EmomapError as error:
        return Scored(name, problem=f"{name}: {error}")
    return Scored(name, values, lacking=lacking)


def _counts_by_observer(gaze: Gaze) -> NDArray[np.int64]:
    """(observers, H, W) fixation counts of the observers who have any in the picture."""
    if gaze.points is None or gaze.observers is None:
        raise EmomapError(
            "the inter-observer ceiling needs fixations with their observers; this gaze has "
            "none, so leave the ceiling out"
        )
    inside = gaze.inside
    points, observers = gaze.points[inside], gaze.observers[inside]
    present = np.unique(observers)
    if len(present) < 2:
        raise EmomapError(
            f"the inter-observer ceiling needs at least two observers; {len(present)} have a "
            "fixation in this picture"
        )
    return np.stack([metrics.fixation_map(points[observers == one], gaze.shape) for one in present])


def _needs_density(names: Sequence[str]) -> bool:
    return any("density" in metrics.CATALOGUE[name].inputs for name in names)
