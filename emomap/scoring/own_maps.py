"""From a predicted density, the map that each metric scores: the metric-specific protocol.

The maps are those of `metrics.optimal_map`. This file knows what a protocol says of them: the
kernel of the ground truth, how many fixations a picture usually has, how exact the map of EMD is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import metrics
from emomap.errors import EmomapError
from emomap.sample import Gaze
from emomap.scoring.protocol import DRAWN, DRAWS, GAP, Protocol

#: Metrics whose map is that of another one under every convention.
ALIKE = {"kl": "cc", "auc": "nss", "auc_judd": "nss"}
#: Images whose fixations are counted to know how many are usual.
COUNTED = 100


def own_map(
    density: NDArray[Any],
    metric: str,
    protocol: Protocol,
    sigma: float,
    center: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """The map of a predicted density that a metric scores.

    Args:
        density: (H, W) of any scale, at the size of the gaze.
        metric: one of `metrics.OPTIMAL`.
        protocol: convention, size of EMD's grid, number of drawn fixations.
        sigma: Gaussian in pixels that turns fixations into the density that is scored against.
        center: (H, W) centre bias of the other images, for the shuffled AUC.

    Raises:
        ValueError: the density is negative or zero everywhere.
    """
    convention: Any = protocol.convention
    found: NDArray[np.float64] = metrics.optimal_map(
        density,
        metric,
        sigma=sigma,
        center_bias=center if metric == "auc_shuffled" else None,
        fixations=protocol.drawn or DRAWN,
        convention=convention,
        downsize=protocol.emd_downsize,
        draws=DRAWS.get(metric),
        tolerance=GAP,
    )
    return found


def sharing(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Metrics in groups that share a map.

    >>> sharing(["nss", "kl", "auc", "cc"])
    [('nss', 'auc'), ('kl', 'cc')]
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(ALIKE.get(name, name), []).append(name)
    return [tuple(group) for group in groups.values()]


def kernel(gaze: Gaze, protocol: Protocol, name: str) -> float:
    """The Gaussian in pixels behind the density that an image is scored against.

    Raises:
        EmomapError: the image has a density instead of fixations, and nothing says its blur.
    """
    if gaze.points is None and protocol.sigma is None:
        raise EmomapError(
            f"{name}: the blur of its density is not known, and --protocol metric-specific needs "
            "it; say --sigma PX"
        )
    return protocol.sigma_for(gaze.shape)


def settled(protocol: Protocol, readers: Sequence[Callable[[], Gaze | None]]) -> Protocol:
    """The protocol with the number of fixations that a picture of the set usually has.

    It is the median over at most `COUNTED` images, evenly spread. What cannot be read is skipped.

    Args:
        protocol: how maps are scored.
        readers: a function for each image of the whole set that reads its gaze.
    """
    if not protocol.draws or protocol.drawn:
        return protocol
    counts = []
    for reader in readers[:: -(-len(readers) // COUNTED)]:
        with contextlib.suppress(EmomapError):
            gaze = reader()
            if gaze is not None and gaze.inside.any():
                counts.append(int(gaze.inside.sum()))
    return replace(protocol, drawn=int(np.median(counts)) if counts else DRAWN)
