"""What the values of a map are: a map of any scale, a density, or the logarithm of a density."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from emomap.errors import EmomapError
from emomap.io.files import File
from emomap.io.maps import read_map

MapKind = Literal["map", "density", "log-density"]
MAP_KINDS: tuple[MapKind, ...] = get_args(MapKind)


def as_map(values: NDArray[Any], kind: MapKind, name: str) -> NDArray[Any]:
    """A map to score: a log-density becomes the density, up to its scale.

    Args:
        values: (H, W).
        kind: what the values are said to be.
        name: of the file, for messages.

    Raises:
        EmomapError: the values cannot be what they are said to be.
    """
    if kind == "map":
        return values
    low, high = float(values.min()), float(values.max())
    if kind == "density":
        if low < 0:
            words = "; they look like --prediction log-density" if is_log(values) else ""
            raise EmomapError(f"{name}: a density has no negative values, such as {low:g}{words}")
        return values
    # No pixel has a probability above 1; that is log(N) in units of the uniform density.
    if high > math.log(max(values.size, 2)) + 1e-6:
        raise EmomapError(
            f"{name}: values up to {high:g} are not the logarithm of a density of "
            f"{values.size:,} pixels; say --prediction density or map"
        )
    if high == -math.inf:
        raise EmomapError(f"{name}: a log-density of -inf everywhere")
    density: NDArray[Any] = np.exp(values.astype(np.float64) - high)
    return density


def read_made(file: File, kind: MapKind) -> NDArray[Any]:
    """A map that a method has written, as a map to look at or to score; errors of `read_map`."""
    return as_map(read_map(file, logarithm=kind == "log-density"), kind, str(file))


def is_log(values: NDArray[Any]) -> bool:
    """Whether a map could be a log-density: all negative, and the largest probability plausible.

    The largest of N probabilities is at least 1/N; half of it allows for a map that was resized.
    """
    high = float(values.max())
    return high < 0 and math.exp(high) >= 0.5 / values.size
