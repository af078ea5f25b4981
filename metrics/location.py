"""Metrics against fixations: four AUCs, NSS and information gain.

Conventions, with formulas and sources in docs/conventions.md:

``"mit"``
    What the code of the MIT Saliency Benchmark (Bylinskii et al., 2012-2018) computes, and with it
    most published tables. A pixel that was fixated counts once.
``"tuebingen"``
    The MIT/Tuebingen benchmark since 2019 (Kuemmerer, Wallis & Bethge, ECCV 2018). Each fixation
    counts, ties count half, the standard deviation has the divisor P.

Fixations are count maps, as `metrics.fixation_map` makes them. A prediction may have any scale, and
any sign but for information gain. A constant prediction says nothing and scores so: AUC 0.5, NSS 0.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from . import _arrays as arrays
from . import _auc
from ._conventions import CONVENTIONS, EPS, Convention, Kind, Thresholds
from ._ranking import THRESHOLDS
from ._run import run
from ._scene import Scene
from ._types import Array

#: Types of maps whose values at points are looked up by compiled code.
FLOATS = frozenset(np.dtype(name).str for name in ("f4", "f8"))


def auc_judd(
    prediction: Array,
    fixations: Array,
    *,
    convention: Convention = "mit",
    jitter: bool = False,
    rng: np.random.Generator | int | None = None,
    mask: Array | None = None,
    weights: Array | None = None,
    kind: Kind = "auto",
) -> Any:
    """Area under the ROC curve with the fixated values as thresholds (Judd et al. 2009).

    Parameters
    ----------
    prediction : (..., H, W) array_like
        Any real dtype, scale and sign; NumPy or torch.
    fixations : (..., H, W) or (N, 2) array_like, or a list of (N, 2)
        Counts of fixations, whole numbers; or points, columns x and y in pixels from 0. For a
        batch, a list of points, or (N, 3) with the map's index before x and y. Points outside the
        picture are left out.
    convention : {"mit", "tuebingen"}
        ``"mit"`` follows the reference code, with 3/4 as chance for a single fixation and 1/2 for
        many. ``"tuebingen"`` compares each fixation with all pixels; ties count half.
    jitter : bool
        Only ``"mit"``: order ties at random, as the reference does by adding noise. The default
        takes them as they come, which on a map with plateaus under the fixations costs up to .2.
    rng : Generator or int, optional
        With ``jitter``, make one draw rather than give the expectation over all draws.
    mask : (..., H, W) array_like, optional
        True where a pixel is left out (border, letterbox, watermark). Masked arrays do the same.
        The value is that of the other pixels alone, with the fixations on them.
    weights : (N,) array_like, optional
        Of fixations given as points, not negative: durations, or how sure an observer is. Under
        ``"mit"`` a pixel counts once, with the mean weight of its fixations.
    kind : {"auto", "counts", "points"}
        What ``fixations`` are. ``"auto"`` tells points by their shape, and refuses a map of counts
        that is smooth as a density. ``"counts"`` accepts any whole numbers.

    Returns
    -------
    float or (...) array
        0 to 1; 1/2 for a constant map.

    Raises
    ------
    ValueError
        Shapes differ, NaN or infinite values, no fixation, fixations at every pixel, or a
        fixation map that is a density.

    Examples
    --------
    >>> import numpy as np
    >>> prediction = np.arange(12.0).reshape(3, 4)
    >>> round(auc_judd(prediction, prediction == 9), 6)
    0.909091
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    drawn = generator(None, rng)
    kernel = partial(auc_judd_kernel, convention=convention, jitter=jitter, rng=drawn)
    maps = {"prediction": prediction, "fixations": fixations}
    return run({"": kernel}, maps, mask=mask, weights=weights, kind=kind)[""]


def auc_judd_kernel(
    scene: Scene,
    *,
    convention: str = "mit",
    jitter: bool = False,
    rng: np.random.Generator | None = None,
) -> Any:
    """`auc_judd` of a scene."""
    if convention == "tuebingen":
        return scene.by_ranking(partial(_auc.against_pixels, multiplicity=True, everywhere=True))
    return scene.by_ranking(partial(_auc.judd, jitter=jitter, rng=rng))


def auc_borji(
    prediction: Array,
    fixations: Array,
    *,
    convention: Convention = "mit",
    thresholds: Thresholds = "octave",
    splits: int | None = None,
    rng: np.random.Generator | int | None = None,
    return_std: bool = False,
    mask: Array | None = None,
    weights: Array | None = None,
    kind: Kind = "auto",
) -> Any:
    """AUC against random pixels, with thresholds in steps of 0.1 (Borji et al. 2013).

    The reference draws N random pixels as negatives, with replacement and the fixated ones
    included, 100 times. By default the expectation over the draws is computed, in closed form.

    Parameters
    ----------
    prediction, fixations
        As in `auc_judd`.
    convention : {"mit", "tuebingen"}
        ``"tuebingen"`` has one AUC against uniform pixels, without thresholds: that of `auc_judd`.
    thresholds : {"octave", "matlab"}
        Only ``"mit"``: 0, 0.1 ... 1 as the program computes them. MATLAB's .6 and .7 are a bit
        smaller, which counts where values lie on them exactly (docs/conventions.md).
    splits : int, optional
        Follow the procedure with so many draws instead.
    rng : Generator or int, optional
        Of these draws.
    return_std : bool
        Also give the standard deviation of a single draw: exact, or with ``splits`` estimated from
        the draws (0 under ``"tuebingen"``, where nothing is drawn).
    mask, weights, kind
        As in `auc_judd`.

    Returns
    -------
    float or (...) array, or two of them
        0 to 1; 1/2 for a constant map.

    Raises
    ------
    ValueError
        As in `auc_judd`; ``splits`` below 1; unknown thresholds.
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    kernel = partial(
        auc_borji_kernel,
        convention=convention,
        thresholds=thresholds,
        splits=splits,
        rng=generator(splits, rng),
    )
    maps = {"prediction": prediction, "fixations": fixations}
    found = run({"": kernel}, maps, mask=mask, weights=weights, kind=kind)[""]
    return found if return_std else found[0]


def auc_borji_kernel(
    scene: Scene,
    *,
    convention: str = "mit",
    thresholds: str = "octave",
    splits: int | None = None,
    rng: np.random.Generator | None = None,
) -> Any:
    """`auc_borji` of a scene, with the standard deviation of one draw."""
    arrays.choice(thresholds, tuple(THRESHOLDS), "thresholds")
    if convention == "tuebingen":
        return _undrawn(scene, partial(_auc.against_pixels, multiplicity=True, everywhere=True))
    area = partial(_auc.borji, steps=THRESHOLDS[thresholds], splits=splits, rng=rng)
    return scene.by_ranking(area)


def auc_shuffled(
    prediction: Array,
    fixations: Array,
    other: Array,
    *,
    convention: Convention = "mit",
    thresholds: Thresholds = "octave",
    splits: int | None = None,
    rng: np.random.Generator | int | None = None,
    return_std: bool = False,
    mask: Array | None = None,
    weights: Array | None = None,
    kind: Kind = "auto",
) -> Any:
    """AUC against the fixations of other images, so that a centre bias earns nothing.

    (Zhang et al. 2008; the procedure of the MIT code.) The negatives of a draw are min(N, M) of the
    M pixels fixated in other images, each at most once. By default the expectation over the draws
    is computed, in closed form.

    Parameters
    ----------
    prediction, fixations
        As in `auc_judd`.
    other : (..., H, W), (H, W) or (N, 2) array_like, or a list of (N, 2)
        Counts of the fixations on other images, or points, brought to this image's size. One may
        serve a whole batch.
    convention : {"mit", "tuebingen"}
        ``"tuebingen"`` compares each fixation with each of the others; ties count half. Where both
        are points of one NumPy map, only its values there are looked at: the time is that of the
        points, and a NaN elsewhere is not found.
    thresholds, splits, rng, return_std
        As in `auc_borji`.
    mask, weights, kind
        As in `auc_judd`.

    Returns
    -------
    float or (...) array, or two of them
        0 to 1; 1/2 for a constant map.

    Raises
    ------
    ValueError
        As in `auc_borji`; ``other`` without fixation.
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    kernel = partial(
        auc_shuffled_kernel,
        convention=convention,
        thresholds=thresholds,
        splits=splits,
        rng=generator(splits, rng),
    )
    if convention == "tuebingen" and mask is None and weights is None and kind != "counts":
        area = _of_points(prediction, fixations, other)
        if area is not None:
            return (area, 0.0) if return_std else area
    maps = {"prediction": prediction, "fixations": fixations, "other": other}
    found = run({"": kernel}, maps, mask=mask, weights=weights, kind=kind)[""]
    return found if return_std else found[0]


def _of_points(prediction: Any, fixations: Any, other: Any) -> float | None:
    """The plain AUC of one NumPy map at points, which costs what the points cost.

    None where the arguments are others, or where these values do not suffice.
    """
    if type(prediction) is not np.ndarray or prediction.ndim != 2:
        return None
    if prediction.dtype.str not in FLOATS or prediction.shape[1] == 2:
        return None
    for points in (fixations, other):
        if type(points) is not np.ndarray or points.dtype.kind not in "iuf":
            return None
        if points.ndim != 2 or points.shape[1] != 2:
            return None
    from ._points import beaten

    area = beaten(
        prediction,
        fixations.astype(np.float64, copy=False),
        other.astype(np.float64, copy=False),
    )
    return None if area < 0 else float(area)


def auc_shuffled_kernel(
    scene: Scene,
    *,
    convention: str = "mit",
    thresholds: str = "octave",
    splits: int | None = None,
    rng: np.random.Generator | None = None,
) -> Any:
    """`auc_shuffled` of a scene, with the standard deviation of one draw."""
    arrays.choice(thresholds, tuple(THRESHOLDS), "thresholds")
    if convention == "tuebingen":
        return _undrawn(scene, partial(_auc.against_others, multiplicity=True))
    area = partial(_auc.shuffled, steps=THRESHOLDS[thresholds], splits=splits, rng=rng)
    return scene.by_ranking(area)


def _undrawn(scene: Scene, area: Any) -> Any:
    return scene.by_ranking(lambda ranking: (area(ranking), 0.0))


def generator(
    splits: int | None, rng: np.random.Generator | int | None
) -> np.random.Generator | None:
    """The generator of what is drawn, or None where nothing is and expectations are computed."""
    if splits is None:
        return None if rng is None else np.random.default_rng(rng)
    if splits != int(splits) or splits < 1:
        raise ValueError(
            f"splits is {splits}; it can be None (exact) or a whole number, at least 1"
        )
    return np.random.default_rng(rng)


def auc(
    prediction: Array,
    fixations: Array,
    negatives: Array | None = None,
    *,
    convention: Convention = "mit",
    mask: Array | None = None,
    weights: Array | None = None,
    kind: Kind = "auto",
) -> Any:
    """The plain area under the ROC curve: how often a fixation beats a negative, ties half.

    No thresholds and no bias: chance is 1/2 for any number of fixations (Mann & Whitney 1947).

    Parameters
    ----------
    prediction, fixations
        As in `auc_judd`.
    negatives : (..., H, W), (H, W) or (N, 2) array_like, optional
        Counts, or points, of what to tell fixations from, such as the fixations of other images. By
        default the pixels that nobody fixated (``"mit"``) or all pixels (``"tuebingen"``).
    convention : {"mit", "tuebingen"}
        Whether a pixel counts once or as often as it was fixated, in both maps.
    mask, weights, kind
        As in `auc_judd`.

    Returns
    -------
    float or (...) array
        0 to 1; 1/2 for a constant map.

    Raises
    ------
    ValueError
        As in `auc_judd`.
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    kernel = partial(auc_kernel, convention=convention, given=negatives is not None)
    maps = {"prediction": prediction, "fixations": fixations}
    if negatives is not None:
        maps["other"] = negatives
    return run({"": kernel}, maps, mask=mask, weights=weights, kind=kind)[""]


def auc_kernel(scene: Scene, *, convention: str = "mit", given: bool = False) -> Any:
    """`auc` of a scene; against "other" if negatives are given."""
    each = convention == "tuebingen"
    if given:
        return scene.by_ranking(partial(_auc.against_others, multiplicity=each))
    return scene.by_ranking(partial(_auc.against_pixels, multiplicity=each, everywhere=each))


def nss(
    prediction: Array,
    fixations: Array,
    *,
    convention: Convention = "mit",
    mask: Array | None = None,
    weights: Array | None = None,
    kind: Kind = "auto",
) -> Any:
    """Normalised scanpath saliency: the map's z-score at the fixations (Peters et al. 2005).

    Parameters
    ----------
    prediction, fixations
        As in `auc_judd`.
    convention : {"mit", "tuebingen"}
        ``"mit"``: mean over fixated pixels, standard deviation with the divisor P - 1.
        ``"tuebingen"``: mean over fixations, divisor P.
    mask, weights, kind
        As in `auc_judd`.

    Returns
    -------
    float or (...) array
        In standard deviations of the map; 0 is chance, and the score of a constant map.
        Differentiable in the prediction.

    Raises
    ------
    ValueError
        Shapes differ, NaN or infinite values, no fixation, or a fixation map that is a density.

    Examples
    --------
    >>> import numpy as np
    >>> prediction = np.array([[0.0, 0.0], [0.0, 2.0]])
    >>> nss(prediction, np.array([[0, 0], [0, 1]]))
    1.5
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "fixations": fixations}
    kernel = partial(nss_kernel, convention=convention)
    return run({"": kernel}, maps, mask=mask, weights=weights, kind=kind)[""]


def nss_kernel(scene: Scene, *, convention: str = "mit") -> Any:
    """`nss` of a scene."""
    found = scene.field("prediction")
    ddof = 1 if convention == "mit" else 0
    deviation = (found.squares / max(found.size - ddof, 1)) ** 0.5
    mean = scene.mean_at_fixations(
        lambda v: found.deviations(v) / deviation,
        "prediction",
        multiplicity=convention == "tuebingen",
    )
    return arrays.where(scene.xp, scene.per_map(found.constant), 0.0, mean)


def info_gain(
    prediction: Array,
    fixations: Array,
    baseline: Array,
    *,
    convention: Convention = "mit",
    negative: str = "error",
    mask: Array | None = None,
    weights: Array | None = None,
    kind: Kind = "auto",
) -> Any:
    """Information gain over a baseline, in bits a fixation (Kuemmerer et al. 2015).

    Parameters
    ----------
    prediction, fixations
        As in `auc_judd`, the prediction non-negative: it is taken as a density.
    baseline : (..., H, W) or (H, W) array_like
        Non-negative; usually the density of the fixations on other images.
    convention : {"mit", "tuebingen"}
        ``"mit"``: both maps min-max normalised, divided by their sums, 2^-52 added inside the
        logarithms; mean over fixated pixels. ``"tuebingen"``: 1e-20 added to both maps, divided by
        their sums; mean over fixations.
    negative : {"error", "clip", "keep"}
        What becomes of negative predictions: refused, set to zero, or left to the formula as in
        the reference code.
    mask, weights, kind
        As in `auc_judd`.

    Returns
    -------
    float or (...) array
        Positive where the prediction is better than the baseline. Differentiable in the
        prediction.

    Raises
    ------
    ValueError
        As in `nss`; negative values.
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "fixations": fixations, "baseline": baseline}
    kernel = partial(info_gain_kernel, convention=convention)
    return run({"": kernel}, maps, negative=negative, mask=mask, weights=weights, kind=kind)[""]


def info_gain_kernel(scene: Scene, *, convention: str = "mit") -> Any:
    """`info_gain` of a scene."""
    xp = scene.xp
    model, base = scene.mass("prediction"), scene.mass("baseline")

    def gain(p: Array, b: Array) -> Array:
        p, b = model.own(p), base.own(b)
        if convention == "mit":
            return xp.log2(EPS + model.spanned_shares(p)) - xp.log2(EPS + base.spanned_shares(b))
        return xp.log2(model.floored_shares(p)) - xp.log2(base.floored_shares(b))

    each = convention == "tuebingen"
    return scene.mean_at_fixations(gain, "prediction", "baseline", multiplicity=each)
