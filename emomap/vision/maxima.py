"""Local maxima, by which Itti-Koch and simpsal judge how much a map stands out."""

from __future__ import annotations

import numpy as np

from emomap.vision.arrays import Maps


def local_maxima(map_: Maps, threshold: float) -> Maps:
    """Values of inner pixels >= ``threshold`` and >= each of their four neighbours (ties count)."""
    centre = map_[1:-1, 1:-1]
    peak = centre >= threshold
    for neighbour in (map_[:-2, 1:-1], map_[2:, 1:-1], map_[1:-1, :-2], map_[1:-1, 2:]):
        peak &= centre >= neighbour
    return np.asarray(centre[peak])
