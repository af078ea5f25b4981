"""Local maxima, from which Itti-Koch and simpsal weight their maps."""

from __future__ import annotations

import numpy as np

from emomap.vision.arrays import Maps


def local_maxima(map_: Maps, threshold: float) -> Maps:
    """Values of the inner pixels that are >= ``threshold`` and >= their four neighbours."""
    centre = map_[1:-1, 1:-1]
    peak = centre >= threshold
    for neighbour in (map_[:-2, 1:-1], map_[2:, 1:-1], map_[1:-1, :-2], map_[1:-1, 2:]):
        peak &= centre >= neighbour
    return np.asarray(centre[peak])
