"""Metrics against densities: CC, Spearman, SIM, KL and the Jensen-Shannon divergence.

Conventions, with formulas and sources in docs/conventions.md:

``"mit"``
    What the code of the MIT Saliency Benchmark (Bylinskii et al., 2012-2018) computes: SIM after
    min-max of both maps, KL with 2^-52 added to the quotient and to its divisor.
``"tuebingen"``
    The MIT/Tuebingen benchmark since 2019 (Kuemmerer, Wallis & Bethge, ECCV 2018): SIM without
    min-max, KL after 1e-20 is added to both maps.

Densities are non-negative maps of any scale, as `metrics.density` makes them; negative values up to
1e-9 of the peak are the rounding of a Fourier transform and taken as zero. A constant prediction
(all zero too) scores as the uniform distribution, and 0 in both correlations.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from . import _arrays as arrays
from ._conventions import CONVENTIONS, EPS, Convention
from ._field import Field, by_pixel, inner, kinked
from ._hosted import by_map
from ._run import run
from ._scene import Scene
from ._types import Array, Vector


def cc(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    mask: Array | None = None,
) -> Any:
    """Pearson's correlation of two maps.

    Parameters
    ----------
    prediction, density : (..., H, W) array_like
        Any real dtype and scale; NumPy or torch. The prediction may be negative.
    convention : {"mit", "tuebingen"}
        The same in both.
    mask : (..., H, W) array_like, optional
        True where a pixel is left out, as by a masked array.

    Returns
    -------
    float or (...) array
        -1 to 1; 0 where a map is constant. Differentiable in the prediction.

    Raises
    ------
    ValueError
        Shapes differ, NaN or infinite values, or a density that is zero everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> density = np.arange(6.0).reshape(2, 3)
    >>> cc(5 - density, density)
    -1.0
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    return run({"": cc_kernel}, {"prediction": prediction, "density": density}, mask=mask)[""]


def cc_kernel(scene: Scene) -> Any:
    """`cc` of a scene."""
    xp = scene.xp
    p, d = scene.pair()
    scene.check_density(d)
    scale = (p.squares * d.squares) ** 0.5
    value = arrays.bounded(xp, _codeviation(p, d) / scale, -1.0, 1.0)
    return arrays.where(xp, p.constant, 0.0, arrays.where(xp, d.constant, 0.0, value))


def spearman(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    mask: Array | None = None,
) -> Any:
    """Spearman's rank correlation of two maps: Pearson's of the ranks, ties in the middle.

    Parameters
    ----------
    prediction, density, convention, mask
        As in `cc`. Any monotone change of either map leaves the value.

    Returns
    -------
    float or (...) array
        -1 to 1; 0 where a map is constant. Without gradient.

    Raises
    ------
    ValueError
        As in `cc`.

    Examples
    --------
    >>> import numpy as np
    >>> density = np.arange(6.0).reshape(2, 3)
    >>> spearman(np.exp(density), density)
    1.0
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    return run({"": spearman_kernel}, maps, mask=mask)[""]


def spearman_kernel(scene: Scene) -> Any:
    """`spearman` of a scene."""
    p, d = scene.pair()
    scene.check_density(d)
    return by_map(scene, _rank_correlation, p, d)


def _rank_correlation(a: Vector, b: Vector, weights: Vector | None) -> float:
    ranks = _ranks if weights is None else partial(_weighted_ranks, weights=weights)
    x, y = ranks(a), ranks(b)

    def summed(first: Vector, second: Vector) -> float:
        products = first * second
        if weights is not None:
            products *= weights
        return float(products.sum())

    scale = math.sqrt(summed(x, x) * summed(y, y))
    return min(max(summed(x, y) / scale, -1.0), 1.0) if scale else 0.0


def _ranks(values: Vector) -> Vector:
    """(n,) the rank of each value less the mean rank; equal values share theirs."""
    ordered = np.sort(values)
    twice = np.searchsorted(ordered, values, "left")
    twice += np.searchsorted(ordered, values, "right")
    ranks = twice.astype(np.float64)
    ranks -= values.size
    return np.asarray(ranks / 2)


def _weighted_ranks(values: Vector, weights: Vector) -> Vector:
    """The same of values that stand for several pixels each."""
    levels = np.unique(values)
    group = np.searchsorted(levels, values)
    counts = np.bincount(group, weights)
    return np.asarray((np.cumsum(counts) - counts / 2 - counts.sum() / 2)[group])


def _codeviation(p: Field, d: Field) -> Any:
    if by_pixel(p, d) and not (p.shifted or d.shifted):
        from ._sums import codeviation

        return codeviation(p.values, d.values, p.mean, d.mean)
    return inner(lambda a, b: (p.deviations(a), d.deviations(b)), p, d)


def sim(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    negative: str = "error",
    mask: Array | None = None,
) -> Any:
    """Similarity: the mass that two distributions share (Judd et al. 2012).

    Parameters
    ----------
    prediction, density : (..., H, W) array_like
        Any real dtype and scale, non-negative; NumPy or torch.
    convention : {"mit", "tuebingen"}
        ``"mit"``: each map is brought to [0, 1], then divided by its sum. ``"tuebingen"``: only
        divided by its sum.
    negative : {"error", "clip", "keep"}
        What becomes of negative predictions: refused, set to zero, or left to the formula as in
        the reference code.
    mask : (..., H, W) array_like, optional
        True where a pixel is left out, as by a masked array.

    Returns
    -------
    float or (...) array
        0 to 1. Differentiable in the prediction.

    Raises
    ------
    ValueError
        Shapes differ, NaN or infinite values, negative values, or a density that is zero
        everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> sim(np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [3.0, 0.0]]))
    0.25
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    kernel = partial(sim_kernel, convention=convention)
    return run({"": kernel}, maps, negative=negative, mask=mask)[""]


def sim_kernel(scene: Scene, *, convention: str = "mit") -> Any:
    """`sim` of a scene."""
    xp = scene.xp
    p, d = scene.mass_pair()
    spanned = convention == "mit"
    if by_pixel(p, d) and p.total and not (spanned and (p.constant or d.constant)):
        from ._sums import shared_mass

        ways = [(f.low, f.spanned_factor) if spanned else (0.0, f.factor) for f in (p, d)]
        value = shared_mass(p.values, d.values, *ways[0], *ways[1])
    else:
        value = kinked(
            partial(_lesser, xp),
            partial(_lesser_falling, xp),
            Field.spanned_shares if spanned else Field.shares,
            p,
            d,
            lambda f, share: share * (f.spanned_factor if spanned else f.factor),
        )
    return arrays.bounded(xp, value, None, 1.0)


def _lesser(xp: Any, a: Array, b: Array) -> Array:
    """The minimum, which does not rise with the first of equals."""
    return xp.minimum(a, b) if xp is np else xp.where(a < b, a, b)


def _lesser_falling(xp: Any, a: Array, b: Array) -> Array:
    """The minimum, which falls with the first of equals."""
    return xp.where(a <= b, a, b)


def kl(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    negative: str = "error",
    mask: Array | None = None,
) -> Any:
    """Kullback-Leibler divergence of the prediction from the density, KL(density || prediction).

    Parameters
    ----------
    prediction, density, negative
        As in `sim`.
    convention : {"mit", "tuebingen"}
        ``"mit"``: sum Q ln(eps + Q / (P + eps)) with eps = 2^-52. ``"tuebingen"``: sum Q ln(Q / P)
        after 1e-20 is added to both maps.
    mask
        As in `sim`.

    Returns
    -------
    float or (...) array
        Nats, 0 for equal maps (what ``"mit"`` makes negative by H * W * 2^-52 or so counts as 0,
        unless ``negative="keep"``). Differentiable in the prediction.

    Raises
    ------
    ValueError
        As in `sim`.
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    kernel = partial(kl_kernel, convention=convention)
    return run({"": kernel}, maps, negative=negative, mask=mask)[""]


def kl_kernel(scene: Scene, *, convention: str = "mit") -> Any:
    """`kl` of a scene."""
    xp = scene.xp
    p, d = scene.mass_pair()

    def mit(a: Array, b: Array) -> tuple[Array, Array]:
        predicted, share = p.shares(a), d.shares(b)
        if scene.negative == "keep":  # the real part of what is complex in the reference
            return share, xp.log(xp.abs(EPS + share / (predicted + EPS)))
        return share, arrays.log_quotient(xp, share, predicted, EPS)

    def tuebingen(a: Array, b: Array) -> tuple[Array, Array]:
        share, predicted = d.floored_shares(b), p.floored_shares(a)
        if xp is not np:  # the floor of an empty pixel is nothing to the value, nor to the gradient
            predicted = xp.where(b == 0, arrays.detach(predicted), predicted)
        return share, arrays.log_quotient(xp, share, predicted, 0.0)

    compiled = scene.negative != "keep" and by_pixel(p, d, numbers=True)
    if compiled and convention == "mit" and p.total:
        from ._sums import divergence

        value = divergence(p.values, d.values, p.factor, d.factor, EPS)
    elif compiled and convention == "tuebingen":
        from ._sums import floored_divergence

        ways = [(f.floor, 1.0 / f.floored_total) for f in (p, d)]
        value = floored_divergence(p.values, d.values, *ways[0], *ways[1])
    else:
        value = inner(mit if convention == "mit" else tuebingen, p, d)
    if scene.negative == "keep":
        return value
    # "mit": eps takes up to H * W * eps from equal maps
    return arrays.bounded(xp, value, 0.0, None)


def js(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    negative: str = "error",
    mask: Array | None = None,
) -> Any:
    """Jensen-Shannon divergence of two distributions (Lin 1991).

    Parameters
    ----------
    prediction, density, negative
        As in `sim`.
    convention : {"mit", "tuebingen"}
        The same in both: maps divided by their sums, 0 ln 0 = 0.
    mask
        As in `sim`.

    Returns
    -------
    float or (...) array
        Nats, 0 to ln 2. Differentiable in the prediction.

    Raises
    ------
    ValueError
        As in `sim`.
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    return run({"": js_kernel}, maps, negative=negative, mask=mask)[""]


def js_kernel(scene: Scene) -> Any:
    """`js` of a scene."""
    xp = scene.xp
    p, d = scene.mass_pair()
    tiny = arrays.tiny(xp, p.values)  # lets 0 * log(0) be 0

    def divergence(a: Array, b: Array) -> tuple[Array, Array]:
        p_share, d_share = p.shares(a), d.shares(b)
        middle = (p_share + d_share) * 0.5
        if xp is np:
            empty = None
            divisor = middle + tiny
        else:  # tiny numbers are nothing to a value and much to a gradient
            empty = middle == 0
            divisor = xp.where(empty, 1.0, middle)
        ratio = p_share / divisor  # to the mean; that of the density is what is left to 2
        rest = 2.0 - ratio
        surplus = ratio * arrays.log(xp, ratio + tiny) + rest * arrays.log(xp, rest + tiny)
        if empty is not None:  # mass where nobody has any differs from nothing by all of it
            surplus = xp.where(empty, 2 * math.log(2.0), surplus)
        return middle, surplus

    return arrays.bounded(xp, inner(divergence, p, d) / 2, 0.0, math.log(2.0))
