"""What people say of people: the centre bias and the gold standard of a set of pictures.

The **centre bias** of a picture is a density of the fixations on all *other* pictures, in relative
coordinates. The **gold standard** of a picture and an observer is a density of the fixations of
all *other* observers, mixed with the centre bias and a uniform floor. Bandwidths and weights are
those under which the gaze that was left out is most likely (Kuemmerer, Wallis & Bethge, PNAS 2015).
Each picture counts alike, whatever the number of its fixations, as it does in the mean of a metric.

A kernel is a Gaussian on the grid of pixels. What leaves the picture is lost before the sum is
brought to one, as in `metrics.density`. Likelihoods are exact: no fixation is binned more coarsely
than its pixel, and no kernel is cut off where it could be seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arrays as arrays
from ._counts import pixels
from ._mixture import best_weights
from ._types import Matrix, Vector

#: Bandwidths between which the centre bias is looked for, as shares of the shorter side.
CENTER_RANGE = (0.02, 0.6)
#: Bandwidths between which the gold standard is looked for, as shares of the shorter side.
GOLD_RANGE = (0.005, 0.3)
#: Bandwidths tried at first, and the relative precision of the one that is found.
TRIED, PRECISION = 7, 0.01
LN2 = math.log(2.0)


@dataclass(frozen=True)
class _Picture:
    """Fixations of one picture by pixel: rows, columns, observers."""

    shape: tuple[int, int]
    y: NDArray[np.int64]
    x: NDArray[np.int64]
    observers: NDArray[Any]

    def counts(self, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """(H, W) counts of all or some fixations."""
        found = np.zeros(self.shape, dtype=np.int64)
        np.add.at(
            found, (self.y, self.x) if chosen is None else (self.y[chosen], self.x[chosen]), 1
        )
        return found

    def relative(self) -> Matrix:
        """(n, 2) y and x in 0..1."""
        return np.column_stack([self.y + 0.5, self.x + 0.5]) / self.shape

    def kernel(self, sigma: float) -> Matrix:
        """(n, n) the Gaussian around each fixation at each other, without its factor."""
        square = np.subtract.outer(self.y, self.y) ** 2 + np.subtract.outer(self.x, self.x) ** 2
        return np.asarray(np.exp(square * (-0.5 / sigma**2)))

    def masses(self, sigma: float) -> Vector:
        """(n,) what of the Gaussian around each fixation lies in the picture."""
        height, width = self.shape
        return _mass(height, sigma)[self.y] * _mass(width, sigma)[self.x]


def _mass(size: int, sigma: float) -> Vector:
    """(size,) sum over an axis of the Gaussian around each of its pixels."""
    half = np.exp(-0.5 * (np.arange(size) / sigma) ** 2)
    to = np.cumsum(half)
    return np.asarray(to + to[::-1] - 1.0)


@dataclass(frozen=True)
class CenterBias:
    """The centre bias of a set of pictures, see `center_bias`.

    Attributes:
        bandwidth: standard deviation of the kernel, as a share of the picture's shorter side.
        floor: weight of the uniform density.
        log_likelihood: bits a fixation over the uniform density, mean over the pictures, each
            predicted from the others.
    """

    bandwidth: float
    floor: float
    log_likelihood: float
    _pictures: tuple[_Picture, ...] = field(repr=False)

    def density(self, index: int | None, shape: tuple[int, int] | None = None) -> Matrix:
        """(H, W) the centre bias of a picture, summing to one.

        Args:
            index: of the picture whose own fixations are left out; None leaves out none, for a
                picture that is not of the set.
            shape: height and width; by default those of the picture.
        """
        if shape is None:
            if index is None:
                raise ValueError("center_bias.density: give a shape for a picture not of the set")
            shape = self._pictures[index].shape
        counts = self._elsewhere(shape)
        if index is not None:
            own = _placed(self._pictures[index].relative(), shape)
            counts = counts.copy()
            np.subtract.at(counts, own, 1)
        from .gaze import density

        blurred = density(counts, self.bandwidth * min(shape))
        return np.asarray((1 - self.floor) * blurred + self.floor / counts.size)

    def at_fixations(self, index: int) -> Vector:
        """(n,) the density of `density` at the picture's own fixations, in the given order."""
        picture = self._pictures[index]
        values = _center_values(self._pictures, self.bandwidth)[index]
        return np.asarray((1 - self.floor) * values + self.floor / math.prod(picture.shape))

    def _elsewhere(self, shape: tuple[int, int]) -> NDArray[np.int64]:
        """Counts of all pictures' fixations at a size; kept, since many pictures share a size."""
        if shape not in self._totals:
            self._totals.clear()
            self._totals[shape] = _total(self._pictures, shape)
        return self._totals[shape]

    @cached_property
    def _totals(self) -> dict[tuple[int, int], NDArray[np.int64]]:
        return {}


@dataclass(frozen=True)
class GoldStandard:
    """What the other observers say of each picture, see `gold_standard`.

    Attributes:
        bandwidth: standard deviation of the kernel, as a share of the picture's shorter side.
        weights: of the kernel density, the centre bias and the uniform density; they sum to one.
        log_likelihood: bits a fixation over the uniform density, each observer predicted from the
            others; mean over the pictures.
        information_gain: (pictures,) bits a fixation over the centre bias: what there is to be
            explained.
        center: the centre bias.
    """

    bandwidth: float
    weights: tuple[float, float, float]
    log_likelihood: float
    information_gain: Vector = field(repr=False)
    center: CenterBias = field(repr=False)
    _pictures: tuple[_Picture, ...] = field(repr=False)

    def density(self, index: int, without: Any = None) -> Matrix:
        """(H, W) the density of a picture, summing to one.

        Args:
            index: of the picture.
            without: the observer who is left out; None for nobody.

        Raises:
            ValueError: nobody else looked at the picture.
        """
        picture = self._pictures[index]
        others = np.ones(len(picture.y), bool) if without is None else picture.observers != without
        if not others.any():
            raise ValueError(f"picture {index}: nobody but observer {without} looked at it")
        counts, bias = picture.counts(others), self.center.density(index)
        return gold_density(counts, bias, bandwidth=self.bandwidth, weights=self.weights)

    def at_fixations(self, index: int) -> Vector:
        """(n,) each fixation's density, from the observers other than its own."""
        picture = self._pictures[index]
        values = _others_values(picture, self.bandwidth)
        kernel, center, floor = self.weights
        uniform = floor / math.prod(picture.shape)
        return np.asarray(kernel * values + center * self.center.at_fixations(index) + uniform)


def center_bias(
    points: Sequence[ArrayLike],
    shapes: Sequence[tuple[int, int]] | tuple[int, int],
    *,
    bandwidth: float | None = None,
    floor: float | None = None,
) -> CenterBias:
    """The centre bias of a set: the fixations on all other pictures, in relative coordinates.

    Parameters
    ----------
    points : sequence of (N, 2) array_like
        The fixations of each picture, columns x and y in 0-based pixels. Those outside the picture
        are left out.
    shapes : sequence of (int, int), or (int, int)
        Height and width of each picture, or of all.
    bandwidth : float, optional
        Standard deviation as a share of the shorter side; by default the one under which the
        fixations of each picture, given those of the others, are most likely.
    floor : float, optional
        Weight of the uniform density, 0 to 1; by default the most likely.

    Returns
    -------
    CenterBias

    Raises
    ------
    ValueError
        Fewer than two pictures with fixations; points that are not (N, 2) or not finite.
    """
    return _center_bias(_read(points, shapes, None), bandwidth, floor)


def gold_standard(
    points: Sequence[ArrayLike],
    observers: Sequence[ArrayLike],
    shapes: Sequence[tuple[int, int]] | tuple[int, int],
    *,
    bandwidth: float | None = None,
    weights: tuple[float, float, float] | None = None,
    center: CenterBias | None = None,
) -> GoldStandard:
    """The gold standard of a set: each observer's gaze predicted from that of the others.

    Parameters
    ----------
    points, shapes
        As in `center_bias`.
    observers : sequence of (N,) array_like
        Who made each fixation.
    bandwidth : float, optional
        Standard deviation of the kernel as a share of the shorter side; by default the one under
        which each observer's fixations, given those of the others, are most likely.
    weights : (float, float, float), optional
        Of kernel density, centre bias and uniform density, summing to one; by default the most
        likely.
    center : CenterBias, optional
        Of the same pictures in the same order; by default made here.

    Returns
    -------
    GoldStandard

    Raises
    ------
    ValueError
        Fewer than two pictures with fixations; a picture that fewer than two observers looked at;
        observers that do not match the points.
    """
    pictures = _read(points, shapes, observers)
    for index, picture in enumerate(pictures):
        if len(np.unique(picture.observers)) < 2:
            raise ValueError(
                f"picture {index} has fixations of fewer than two observers, so nobody can be "
                "predicted from the others; leave it out"
            )
    if center is None:
        center = _center_bias(pictures, None, None)
    elif len(center._pictures) != len(pictures):
        raise ValueError(f"center is of {len(center._pictures)} pictures, not {len(pictures)}")
    shares = _shares(pictures)
    bias_values = _center_values(center._pictures, center.bandwidth)
    uniform = _uniform(pictures)
    bias = (1 - center.floor) * np.concatenate(bias_values) + center.floor * uniform

    def fit(tried: float) -> tuple[float, Vector, Vector]:
        own = np.concatenate([_others_values(picture, tried) for picture in pictures])
        values = np.column_stack([own, bias, uniform])
        if weights is not None:
            fixed = _checked_weights(weights)
            with np.errstate(divide="ignore"):
                return float(shares @ np.log(values @ fixed)), fixed, values @ fixed
        found, likelihood = best_weights(values / uniform[:, None], shares)
        return likelihood + float(shares @ np.log(uniform)), found, values @ found

    chosen = _checked_bandwidth(bandwidth) if bandwidth else _best(lambda b: fit(b)[0], GOLD_RANGE)
    likelihood, mixed, values = fit(chosen)
    ends = np.cumsum([len(p.y) for p in pictures])[:-1]
    gains = [part.mean() for part in np.split(np.log2(values / bias), ends)]
    kernel, middle, floor = map(float, mixed)
    return GoldStandard(
        chosen,
        (kernel, middle, floor),
        (likelihood - float(shares @ np.log(uniform))) / LN2,
        np.array(gains),
        center,
        pictures,
    )


def gold_density(
    fixations: ArrayLike,
    center: ArrayLike,
    *,
    bandwidth: float,
    weights: tuple[float, float, float],
) -> Matrix:
    """The density that a gold standard says of some observers' fixations on one picture.

    Parameters
    ----------
    fixations : (H, W) array_like
        Counts of their fixations.
    center : (H, W) array_like
        Centre bias of the picture, summing to one.
    bandwidth : float
        Standard deviation of the kernel, as a share of the shorter side.
    weights : (float, float, float)
        Of kernel density, centre bias and uniform density, summing to one.

    Returns
    -------
    (H, W) float64 array
        Summing to one.

    Raises
    ------
    ValueError
        No fixation, shapes that differ, a bandwidth that is not positive, or weights that do not
        sum to one.
    """
    from .gaze import density

    counts, bias = np.asarray(fixations), np.asarray(center, dtype=np.float64)
    if counts.shape != bias.shape:
        raise ValueError(f"fixations have shape {counts.shape} but center has {bias.shape}")
    kernel, middle, floor = _checked_weights(weights)
    blurred = density(counts, _checked_bandwidth(bandwidth) * min(counts.shape))
    return np.asarray(kernel * blurred + middle * bias + floor / blurred.size)


def _center_bias(
    pictures: tuple[_Picture, ...], bandwidth: float | None, floor: float | None
) -> CenterBias:
    shares = _shares(pictures)
    uniform = _uniform(pictures)
    if floor is not None and not 0 <= floor <= 1:
        raise ValueError(f"floor is {floor}; it must lie in 0 to 1")

    def fit(tried: float) -> tuple[float, float]:
        values = np.concatenate(_center_values(pictures, tried)) / uniform
        both = np.column_stack([values, np.ones(len(uniform))])
        if floor is not None:
            with np.errstate(divide="ignore"):
                return float(shares @ np.log(both @ (1 - floor, floor))), floor
        weights, likelihood = best_weights(both, shares)
        return likelihood, float(weights[1])

    chosen = (
        _checked_bandwidth(bandwidth) if bandwidth else _best(lambda b: fit(b)[0], CENTER_RANGE)
    )
    likelihood, weight = fit(chosen)
    return CenterBias(chosen, weight, likelihood / LN2, pictures)


def _read(
    points: Sequence[ArrayLike],
    shapes: Sequence[tuple[int, int]] | tuple[int, int],
    observers: Sequence[ArrayLike] | None,
) -> tuple[_Picture, ...]:
    """The fixations within the pictures, checked."""
    first = shapes[0] if len(shapes) else 0
    sizes: Any = [shapes] * len(points) if isinstance(first, int | np.integer) else shapes
    if len(sizes) != len(points):
        raise ValueError(f"{len(points)} pictures have {len(sizes)} shapes")
    if observers is not None and len(observers) != len(points):
        raise ValueError(f"{len(points)} pictures have {len(observers)} lists of observers")
    pictures = []
    for index, (given, shape) in enumerate(zip(points, sizes, strict=True)):
        height, width = arrays.size(shape)
        at = np.asarray(given, dtype=np.float64).reshape(-1, 2) if np.size(given) == 0 else given
        at = np.asarray(at, dtype=np.float64)
        if at.ndim != 2 or at.shape[1] != 2 or not np.isfinite(at).all():
            raise ValueError(f"points of picture {index} are not finite numbers of shape (N, 2)")
        who = np.zeros(len(at)) if observers is None else np.asarray(observers[index])
        if len(who) != len(at):
            raise ValueError(f"picture {index}: {len(at)} fixations have {len(who)} observers")
        inside, positions = pixels(at, (height, width))
        if not inside.any():
            raise ValueError(f"picture {index} has no fixation inside; leave it out")
        rows, columns = np.divmod(positions, width)
        pictures.append(_Picture((height, width), rows, columns, who[inside]))
    if len(pictures) < 2:
        raise ValueError(f"{len(pictures)} picture(s): others are needed to predict one from")
    return tuple(pictures)


def _shares(pictures: Sequence[_Picture]) -> Vector:
    """The weight of each fixation: pictures count alike."""
    n = len(pictures)
    return np.concatenate([np.full(len(p.y), 1.0 / (len(p.y) * n)) for p in pictures])


def _uniform(pictures: Sequence[_Picture]) -> Vector:
    """The uniform density at each fixation."""
    return np.concatenate([np.full(len(p.y), 1.0 / math.prod(p.shape)) for p in pictures])


def _placed(relative: Matrix, shape: tuple[int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows and columns of relative positions in a picture of a size."""
    pixels = np.clip(np.floor(relative * shape), 0, np.array(shape) - 1).astype(np.int64)
    return pixels[:, 0], pixels[:, 1]


def _total(pictures: Sequence[_Picture], shape: tuple[int, int]) -> NDArray[np.int64]:
    counts = np.zeros(shape, dtype=np.int64)
    np.add.at(counts, _placed(np.concatenate([p.relative() for p in pictures]), shape), 1)
    return counts


def _center_values(pictures: Sequence[_Picture], bandwidth: float) -> list[Vector]:
    """The kernel density of the other pictures' fixations at each picture's own.

    The blur of all fixations is made once for pictures of one size; what a picture's own add to it
    is taken away.
    """
    from ._blur import blur

    blurs: dict[tuple[int, int], tuple[Matrix, float]] = {}
    found = []
    for picture in pictures:
        shape = picture.shape
        sigma = bandwidth * min(shape)
        if shape not in blurs:
            counts = _total(pictures, shape)
            rows, columns = np.nonzero(counts)
            mass = _mass(shape[0], sigma)[rows] * _mass(shape[1], sigma)[columns]
            places, numbers = rows * shape[1] + columns, counts[rows, columns].astype(float)
            whole = float(mass @ numbers)  # what the blur was divided by
            blurs[shape] = blur(places, numbers, shape, sigma) * whole, whole
        blurred, total = blurs[shape]
        rest = blurred[picture.y, picture.x] - picture.kernel(sigma).sum(axis=1)
        found.append(np.maximum(rest, 0.0) / (total - picture.masses(sigma).sum()))
    return found


def _others_values(picture: _Picture, bandwidth: float) -> Vector:
    """The kernel density of the other observers' fixations at each fixation of a picture."""
    sigma = bandwidth * min(picture.shape)
    _, who = np.unique(picture.observers, return_inverse=True)
    alike = who[:, None] == who[None, :]
    kernel = picture.kernel(sigma)
    kernel[alike] = 0.0
    masses = picture.masses(sigma)
    return np.asarray(kernel.sum(axis=1) / (masses.sum() - np.bincount(who, masses)[who]))


def _best(likelihood: Callable[[float], float], limits: tuple[float, float]) -> float:
    """The most likely bandwidth: a grid of ratios, then golden sections around its best."""
    grid = np.geomspace(*limits, TRIED)
    tried = [likelihood(float(b)) for b in grid]
    at = int(np.argmax(tried))
    low, high = math.log(grid[max(at - 1, 0)]), math.log(grid[min(at + 1, TRIED - 1)])
    ratio = (math.sqrt(5) - 1) / 2
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    at_a, at_b = likelihood(math.exp(a)), likelihood(math.exp(b))
    while high - low > PRECISION:
        if at_a >= at_b:
            high, b, at_b = b, a, at_a
            a = high - ratio * (high - low)
            at_a = likelihood(math.exp(a))
        else:
            low, a, at_a = a, b, at_b
            b = low + ratio * (high - low)
            at_b = likelihood(math.exp(b))
    return math.exp((low + high) / 2)


def _checked_bandwidth(bandwidth: float) -> float:
    if not (math.isfinite(bandwidth) and bandwidth > 0):
        raise ValueError(f"bandwidth is {bandwidth}; it must be positive")
    return float(bandwidth)


def _checked_weights(weights: Sequence[float]) -> Vector:
    found = np.asarray(weights, dtype=np.float64)
    if found.shape != (3,) or (found < 0).any() or abs(found.sum() - 1) > 1e-9:
        raise ValueError(f"weights are {tuple(weights)}; they must be three that sum to one")
    return found
