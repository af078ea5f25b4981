"""Overlap of two maps that are cut into a region and the rest: intersection over union, and Dice.

Both maps are cut by the same rule, so that a map that is its truth scores 1, and a truth that is
binary already stays as it is.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from . import _arrays as arrays
from ._conventions import CONVENTIONS, Convention
from ._hosted import by_map
from ._run import run
from ._scene import Scene
from ._types import Array, Vector

#: Bins of the histogram that Otsu's rule divides.
BINS = 256
#: What a threshold by quantile is called: "quantile:0.9".
QUANTILE = "quantile:"


def iou(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    threshold: float | str = 0.5,
    mask: Array | None = None,
) -> Any:
    """Intersection over union of the regions of two maps (Jaccard 1901).

    Parameters
    ----------
    prediction, density : (..., H, W) array_like
        Any real dtype, scale and sign; NumPy or torch. The truth may be a map of any values or a
        binary mask.
    convention : {"mit", "tuebingen"}
        The same in both.
    threshold : float or str
        What belongs to a region. A number in (0, 1]: the pixels at or above it after min-max.
        ``"quantile:0.9"``: those at or above this quantile of the map, without its lowest value.
        ``"otsu"``: those above the cut of 256 even bins between the extremes that has the largest
        variance between its two parts (Otsu 1979), the first of several.
    mask : (..., H, W) array_like, optional
        True where a pixel is left out, as by a masked array.

    Returns
    -------
    float or (...) array
        0 to 1; a constant prediction has no region, and scores 0. The region of a constant truth
        is the whole map. Without gradient.

    Raises
    ------
    ValueError
        Shapes differ, NaN or infinite values, a density that is zero everywhere, or a threshold
        that is none of these.

    Examples
    --------
    >>> iou([[0, 1, 1], [0, 0, 0]], [[0, 1, 0], [0, 0, 0]])
    0.5
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    kernel = partial(iou_kernel, threshold=threshold)
    maps = {"prediction": prediction, "density": density}
    return run({"": kernel}, maps, mask=mask)[""]


def iou_kernel(scene: Scene, *, threshold: float | str = 0.5) -> Any:
    """`iou` of a scene."""
    return _overlap(scene, threshold, lambda both, p, d: both / (p + d - both))


def dice(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    threshold: float | str = 0.5,
    mask: Array | None = None,
) -> Any:
    """Dice's coefficient of the regions of two maps, which is their F1 (Dice 1945).

    Parameters
    ----------
    prediction, density, convention, threshold, mask
        As in `iou`.

    Returns
    -------
    float or (...) array
        0 to 1, as in `iou`.

    Raises
    ------
    ValueError
        As in `iou`.

    Examples
    --------
    >>> round(dice([[0, 1, 1], [0, 0, 0]], [[0, 1, 0], [0, 0, 0]]), 6)
    0.666667
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    kernel = partial(dice_kernel, threshold=threshold)
    maps = {"prediction": prediction, "density": density}
    return run({"": kernel}, maps, mask=mask)[""]


def dice_kernel(scene: Scene, *, threshold: float | str = 0.5) -> Any:
    """`dice` of a scene."""
    return _overlap(scene, threshold, lambda both, p, d: 2 * both / (p + d))


def _overlap(scene: Scene, threshold: float | str, ratio: Any) -> Any:
    """A ratio of the sizes of the common region and of both."""
    level = _level(threshold)
    p, d = scene.pair()
    scene.check_density(d)

    def compared(a: Vector, b: Vector, weights: Vector | None) -> float:
        found, true = (region(v, threshold, level, weights) for v in (a, b))
        if not true.any():  # the truth is the same everywhere, and not zero
            true = ~true
        return float(ratio(*(_size(r, weights) for r in (found & true, found, true))))

    return by_map(scene, compared, p, d)


def _size(region: Vector, weights: Vector | None) -> float:
    return float(np.count_nonzero(region) if weights is None else weights[region].sum())


def _level(threshold: float | str) -> float:
    """The number of a rule, 0 for Otsu's.

    Raises:
        ValueError: there is no such rule.
    """
    if threshold == "otsu":
        return 0.0
    by_quantile = isinstance(threshold, str) and threshold.startswith(QUANTILE)
    try:
        level = float(str(threshold).removeprefix(QUANTILE) if by_quantile else threshold)
    except (TypeError, ValueError):
        level = -1.0
    inside = 0 <= level < 1 if by_quantile else not isinstance(threshold, str) and 0 < level <= 1
    if not inside:
        raise ValueError(
            f"threshold is {threshold!r}; it can be a number in (0, 1], 'otsu', or a quantile in "
            "[0, 1) such as 'quantile:0.9'"
        )
    return level


def region(
    values: Vector, threshold: float | str, level: float, weights: Vector | None = None
) -> Vector:
    """(n,) bool, which of the values of a map belong to its region; none where all are equal."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.zeros(values.shape, bool)
    if isinstance(threshold, str) and threshold != "otsu":
        return np.asarray((values >= _quantile(values, level, weights)) & (values > low))
    units = (values.astype(np.float64) - low) / (high - low)
    return np.asarray(units >= (_otsu(units, weights) if threshold == "otsu" else level))


def _quantile(values: Vector, level: float, weights: Vector | None) -> float:
    """The smallest value that a share of ``level`` of the pixels does not exceed."""
    if weights is None:
        return float(np.quantile(values, level, method="inverted_cdf"))
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    at = int(np.searchsorted(below, level * below[-1]))
    return float(values[order[min(at, values.size - 1)]])


def _otsu(units: Vector, weights: Vector | None) -> float:
    """The cut in 0..1 that divides the bins with the largest variance between both parts."""
    counts, edges = np.histogram(units, BINS, (0.0, 1.0), weights=weights)
    places = np.arange(BINS)
    below, moment = np.cumsum(counts)[:-1], np.cumsum(counts * places)[:-1]
    total, whole = counts.sum(), (counts * places).sum()
    above = total - below
    parted = (below > 0) & (above > 0)
    distance = np.zeros(BINS - 1)
    means = moment[parted] / below[parted], (whole - moment[parted]) / above[parted]
    distance[parted] = below[parted] * above[parted] * (means[0] - means[1]) ** 2
    return float(edges[int(np.argmax(distance)) + 1])
