"""From a predicted density, the map that scores best in expectation under each metric.

A model that predicts where people look predicts a density p of fixations. No single map of it is
best under all metrics (Kuemmerer, Wallis & Bethge, ECCV 2018), so each metric is given its own:

- AUC: any increasing function of p; where thresholds are steps of 0.1, one whose steps are spread
  well over the ROC curve.
- shuffled AUC: p over the density b of the fixations on other images, likewise.
- NSS, information gain: p.
- CC, KL: the expected ground truth, p blurred as the ground truth is.
- SIM: for empirical densities D_1 .. D_K drawn from p, maximise sum_i mean_k min(S_i, D_ki) over
  S that sum to one. The derivative in S_i is the share of draws with D_ki > S_i, and is the same
  in all pixels at the maximum: S_i is the same quantile of D_1i .. D_Ki in every pixel, and its
  level follows from the sum. So sorting finds exactly where gradient ascent would end.
- EMD: minimise mean_k EMD(S, D_k) likewise. The problem is convex; `metrics._nearest` derives and
  certifies the solution.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _arrays as arrays
from ._conventions import CONVENTIONS, Convention
from ._types import Array, Matrix
from .gaze import _gaussian, _spread
from .resize import weights

#: The metrics that have a map of their own.
OPTIMAL = (
    "auc_judd",
    "auc_borji",
    "auc_shuffled",
    "auc",
    "nss",
    "info_gain",
    "cc",
    "sim",
    "kl",
    "emd",
)
#: Empirical densities drawn for SIM and for EMD.
DRAWS = {"sim": 300, "emd": 64}
#: Pieces of the ROC curve whose curvature is looked at, and what keeps their sum above zero.
PIECES, LEAST = 500, 1e-300
#: Values of a blurred density per standard deviation of the blur, for SIM.
NODES = 3


class EMDMap(NamedTuple):
    """A map for the EMD and what is certain of it.

    Attributes:
        map: (H, W), summing to one.
        cost: mean EMD from the drawn densities, in cells.
        bound: a mean EMD that no map can be below.
    """

    map: Matrix
    cost: float
    bound: float


def optimal_map(
    density: Array,
    metric: str,
    *,
    sigma: float | None = None,
    center_bias: Array | None = None,
    fixations: int = 100,
    convention: Convention = "mit",
    downsize: int = 32,
    draws: int | None = None,
    tolerance: float = 0.01,
    seed: int = 0,
) -> Matrix:
    """The map of a predicted density that scores best in expectation under a metric.

    Parameters
    ----------
    density : (H, W) array_like
        A predicted density of fixations of any scale, non-negative.
    metric : str
        "auc", "auc_judd", "auc_borji", "auc_shuffled", "nss", "info_gain", "cc", "kl", "sim" or
        "emd".
    sigma : float, optional
        Standard deviation in pixels of the Gaussian that turns fixations into the density that is
        scored against; needed for CC, KL, SIM and EMD.
    center_bias : (H, W) array_like, optional
        Density of the fixations on other images; needed for the shuffled AUC.
    fixations : int
        How many fixations the densities of SIM and EMD are drawn with.
    convention : {"mit", "tuebingen"}
        The convention that will score the map.
    downsize : int
        The grid of EMD, as in `emd`.
    draws : int, optional
        Number of drawn densities; by default 300 for SIM and 64 for EMD.
    tolerance : float
        EMD: the largest certified distance from the optimum, as a share of the cost.
    seed : int
        Of the draws.

    Returns
    -------
    (H, W) float64 array
        Non-negative; summing to one, except that of an AUC.

    Raises
    ------
    ValueError
        A metric without such a map, a density that is negative, not finite or zero everywhere, or
        a missing sigma or centre bias.

    Examples
    --------
    >>> import numpy as np
    >>> optimal_map(np.array([[1.0, 3.0]]), "nss")
    array([[0.25, 0.75]])
    """
    arrays.choice(metric, OPTIMAL, "metric")
    arrays.choice(convention, CONVENTIONS, "convention")
    p = _density(density, "density")
    stepped = convention == "mit" and metric in ("auc_borji", "auc_shuffled")
    if metric == "auc_shuffled":
        if center_bias is None:
            raise ValueError("the map of the shuffled AUC needs center_bias")
        b = _density(center_bias, "center_bias")
        if b.shape != p.shape:
            raise ValueError(f"density has shape {p.shape} but center_bias has {b.shape}")
        least = 1e-12 / b.size  # in both, so that the centre bias itself becomes constant
        ratio = (p + least) / (b + least)
        return _ranks(ratio, b) if stepped else ratio
    if stepped:
        return _ranks(p, np.full(p.shape, 1.0 / p.size))
    if metric in ("auc", "auc_judd", "auc_borji", "nss"):
        return p
    if metric == "info_gain":
        return _spanned(p) if convention == "mit" else p
    if sigma is None or not (math.isfinite(sigma) and sigma > 0):
        raise ValueError(f"the map of {metric} needs sigma, the blur of the ground truth in pixels")
    if metric in ("cc", "kl"):  # the expected ground truth
        return np.asarray(_spread(p, sigma))
    if fixations < 1:
        raise ValueError(f"fixations is {fixations}; it must be at least 1")
    if metric == "sim":
        return _sim(p, sigma, convention, fixations, draws or DRAWS["sim"], seed)
    return emd_map(
        p,
        sigma=sigma,
        fixations=fixations,
        downsize=downsize,
        draws=draws or DRAWS["emd"],
        tolerance=tolerance,
        seed=seed,
    ).map


def emd_map(
    density: Array,
    *,
    sigma: float,
    fixations: int = 100,
    downsize: int = 32,
    draws: int = DRAWS["emd"],
    tolerance: float = 0.01,
    seed: int = 0,
) -> EMDMap:
    """`optimal_map` of the EMD, with its certificate.

    The bound holds for the grid, where the problem is solved; the map is made so that the resize of
    `emd` gives this solution back, but for values that would be negative.

    Parameters
    ----------
    density, sigma, fixations, downsize, draws, tolerance, seed
        As in `optimal_map`.

    Returns
    -------
    EMDMap
    """
    from ._nearest import nearest

    p = _density(density, "density")
    height, width = p.shape
    grid = (math.ceil(height / downsize), math.ceil(width / downsize))
    rows, columns = (
        weights(size, cells, "matlab-bicubic", 1.0 / downsize)
        for size, cells in zip(p.shape, grid, strict=True)
    )
    aims = np.empty((draws, *grid))
    down, across = rows @ _gaussian(height, sigma), columns @ _gaussian(width, sigma)
    for k, (y, x) in enumerate(_drawn(p, fixations, draws, seed)):
        aim = np.maximum(down[:, y] @ across[:, x].T, 0.0)
        aims[k] = aim / aim.sum()
    found = nearest(aims, tolerance)
    spread = [
        np.repeat(np.eye(cells), downsize, axis=0)[:size]
        for size, cells in zip(p.shape, grid, strict=True)
    ]
    undo = [s @ np.linalg.pinv(r @ s) for r, s in zip((rows, columns), spread, strict=True)]
    wide = np.maximum(undo[0] @ found.map @ undo[1].T, 0.0)
    return EMDMap(wide / wide.sum(), found.cost, found.bound)


def _density(given: Array, name: str) -> Matrix:
    """A density that sums to one.

    Raises:
        ValueError: not one map, negative, not finite, or zero everywhere.
    """
    values = np.asarray(arrays.to_numpy(arrays.as_array(given, name)), dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"{name} must have shape (height, width), not {values.shape}")
    arrays.check_finite(np, values, (float(values.sum()),), name)
    if values.min() < 0:
        raise ValueError(
            f"{name} has negative values, down to {values.min():g}; of a log-density, take exp()"
        )
    if values.sum() == 0:
        raise ValueError(f"{name} is zero everywhere")
    return np.asarray(values / values.sum())


def _ranks(values: Matrix, mass: Matrix) -> Matrix:
    """An increasing function of the values, 0 to 1, whose equal steps sample their ROC curve well.

    Ten thresholds replace the curve by straight pieces. They lose least area where the density of
    thresholds goes with the cube root of the curvature (as for knots of splines, de Boor 1973).
    """
    order = np.argsort(-values, axis=None, kind="stable")
    area = np.cumsum(mass.ravel()[order])
    area /= area[-1]
    at = np.linspace(0.0, 1.0, PIECES + 1)
    hits = np.interp(at, area, np.cumsum((values * mass).ravel()[order]))
    bend = np.abs(np.diff(hits, 2, prepend=0.0, append=hits[-1])) ** (1 / 3)
    level = np.cumsum(bend + 1e-3 * bend.max() + LEAST)
    levels: Matrix = np.empty(values.size)
    levels[order] = 1.0 - np.interp(area, at, level / level[-1])
    _, which = np.unique(values, return_inverse=True)  # equal values stay equal
    which = which.ravel()
    means = np.bincount(which, weights=levels) / np.bincount(which)
    return np.asarray(means[which].reshape(values.shape))


def _spanned(p: Matrix) -> Matrix:
    """The density with zero in its least pixel, so that min-max scaling leaves the others alone."""
    found = p.copy()
    if p.size > 1:
        found.flat[int(np.argmin(p))] = 0.0
    return np.asarray(found / found.sum())


def _drawn(
    p: Matrix, fixations: int, draws: int, seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows and columns of fixations drawn from a density, ``draws`` times."""
    rng = np.random.default_rng(seed)
    until = np.cumsum(p)
    at = np.searchsorted(until, rng.random((draws, fixations)) * until[-1], side="right")
    at = np.minimum(at, p.size - 1)
    return [(one // p.shape[1], one % p.shape[1]) for one in at]


def _sim(p: Matrix, sigma: float, convention: str, fixations: int, draws: int, seed: int) -> Matrix:
    step = max(1, int(sigma // NODES))
    at = [np.unique([*range(0, size, step), size - 1]) for size in p.shape]
    rows, columns = (_gaussian(size, sigma)[a] for size, a in zip(p.shape, at, strict=True))
    drawn = np.empty((draws, len(at[0]), len(at[1])))
    for k, (y, x) in enumerate(_drawn(p, fixations, draws, seed)):
        drawn[k] = rows[:, y] @ columns[:, x].T
    if convention == "mit":
        drawn -= drawn.min(axis=(1, 2), keepdims=True)
    areas = np.outer(*(np.gradient(a.astype(float)) if len(a) > 1 else np.ones(1) for a in at))
    drawn /= (drawn * areas).sum(axis=(1, 2), keepdims=True)
    drawn.sort(axis=0)
    totals = (drawn * areas).sum(axis=(1, 2))
    above = int(np.searchsorted(totals, 1.0))
    if above == 0 or above == draws:  # all draws alike
        coarse = drawn[min(above, draws - 1)]
    else:
        part = (1.0 - totals[above - 1]) / (totals[above] - totals[above - 1])
        coarse = drawn[above - 1] + part * (drawn[above] - drawn[above - 1])
    found = _between(_between(coarse, at[0], p.shape[0]).T, at[1], p.shape[1]).T
    found = found / found.sum()
    return _spanned(found) if convention == "mit" else found


def _between(values: Matrix, at: NDArray[np.int64], size: int) -> Matrix:
    """Linear interpolation along the first axis from some positions to all."""
    if len(at) == 1:
        return np.repeat(values, size, axis=0)
    pixels = np.arange(size)
    right = np.clip(np.searchsorted(at, pixels), 1, len(at) - 1)
    part = (pixels - at[right - 1]) / (at[right] - at[right - 1])
    return np.asarray(values[right - 1] + part[:, None] * (values[right] - values[right - 1]))
