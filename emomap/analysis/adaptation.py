"""Turn maps of any scale into densities of fixations, by a few numbers fitted on gaze.

A map S becomes p, the probability that a fixation falls into a pixel:

    u = (S * G_sigma), scaled to 0..1 in each map
    log q = f(u) + w log b + constant
    p = (1 - e) q + e uniform

f is increasing and piecewise linear, between levels at fixed quantiles of the values; b is the
centre bias. Slopes of f, w and e are those under which the fixations are most likely; pictures
count alike. For a given blur and without floor this is a concave problem, that of an exponential
family. The floor is fitted by expectation maximisation around it, the blur from a list. Such a
read-out of saliency maps is that of Kuemmerer, Wallis & Bethge (PNAS 2015).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import metrics
from emomap.analysis.smoothing import SIDE, shrink, smooth, unit

Map = NDArray[np.float64]

#: Longer side of the smallest map; a coarser one is enlarged, so that it can have a centre bias.
SMALL = 64
#: Quantiles of the values between which f is linear; so are 0 and 1.
QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.97, 0.99)
#: Blurs to try, as a share of the longer side, until some in a row are worse than the best.
SIGMAS = (0.0, 0.005, 0.01, 0.015, 0.022, 0.033, 0.05, 0.075, 0.11, 0.16)
PATIENCE = 2
#: The steepest step of f between two levels, in nats; the largest weight of the centre bias.
STEEPEST, HEAVIEST = 30.0, 4.0
#: Rounds of expectation maximisation for the floor, once the blur is known, and the floor that they
#: begin with.
ROUNDS, FLOOR = 3, 0.02
#: Rows and columns in which a centre bias is kept, and its least share of the uniform density.
GRID, LEAST = (24, 32), 0.01
FOLDS = 5
LN2 = math.log(2.0)


@dataclass(frozen=True)
class Adaptation:
    """How a map becomes a density.

    Attributes:
        sigma: of the blur, as a share of the longer side.
        levels: (K,) values of the scaled map, from 0 to 1, increasing.
        curve: (K,) f at these levels in nats, increasing from 0.
        center: weight of the log centre bias.
        floor: weight of the uniform density.
        center_bias: (24, 32) density over the uniform one, in relative coordinates.
    """

    sigma: float
    levels: tuple[float, ...]
    curve: tuple[float, ...]
    center: float
    floor: float
    center_bias: tuple[tuple[float, ...], ...]

    def density(self, values: NDArray[Any]) -> Map:
        """The density of a map, summing to one.

        Args:
            values: (H, W) of any scale.

        Returns:
            (H, W), or larger where the longer side of the map is below `SMALL`.
        """
        base = at_side(values)
        log = np.interp(scaled(base, self.sigma), self.levels, self.curve)
        if self.center:
            log = log + self.center * self._log_bias(base.shape)
        if base.shape != values.shape and max(values.shape) > SIDE:
            log = metrics.resize(log, values.shape, method="bilinear", clip=False)
        found = np.exp(log - log.max())
        found /= found.sum()
        return np.asarray((1 - self.floor) * found + self.floor / found.size)

    @property
    def parameters(self) -> int:
        """How many numbers were fitted, those of the centre bias apart."""
        return len(self.curve) - 1 + 3

    def _log_bias(self, shape: tuple[int, ...]) -> Map:
        if shape not in self._kept:
            self._kept.clear()
            size = shape[0], shape[1]
            wide = metrics.resize(np.array(self.center_bias), size, method="bilinear")
            self._kept[shape] = np.log(np.maximum(wide, LEAST))
        return self._kept[shape]

    @cached_property
    def _kept(self) -> dict[tuple[int, ...], Map]:
        return {}


@dataclass(frozen=True)
class Adapted:
    """An adaptation and what it is worth, in bits a fixation over the uniform density.

    Attributes:
        adaptation: fitted on all pictures.
        center: the centre bias alone, each picture predicted from the others.
        fitted: the densities, on the pictures that they were fitted on.
        crossed: the same, each fifth of the pictures by numbers fitted on the others.
        pictures: how many.
    """

    adaptation: Adaptation
    center: float
    fitted: float
    crossed: float
    pictures: int


def at_side(values: NDArray[Any]) -> Map:
    """A map shrunk to a longer side of `SIDE` by means of areas, or enlarged bilinearly to `SMALL`.

    In between it keeps its size.
    """
    small = shrink(values)
    factor = SMALL / max(small.shape)
    if factor <= 1:
        return small
    shape = (max(1, round(small.shape[0] * factor)), max(1, round(small.shape[1] * factor)))
    return np.asarray(metrics.resize(small, shape, method="bilinear"), dtype=np.float64)


def scaled(base: Map, sigma: float) -> Map:
    """A map blurred and scaled to 0..1; a constant one becomes 0."""
    return unit(smooth(base, sigma))


def adapt(
    maps: Sequence[NDArray[Any]],
    points: Sequence[NDArray[np.floating]],
    shapes: Sequence[tuple[int, int]],
    *,
    seed: int = 0,
) -> Adapted:
    """Fit the numbers that turn maps into densities.

    Args:
        maps: (H, W) each, of any scale.
        points: (N, 2) fixations of each picture, x and y in pixels from 0; those outside are left
            out.
        shapes: (height, width) of each picture.
        seed: of the folds of the cross-validation.

    Raises:
        ValueError: fewer pictures than `FOLDS`, or one without a fixation inside.
    """
    if len(maps) < FOLDS:
        raise ValueError(f"{len(maps)} pictures with fixations; at least {FOLDS} are needed")
    bias = metrics.center_bias(points, shapes)
    bases = [at_side(values) for values in maps]
    logs, gaze = [], []
    for index, base in enumerate(bases):
        found = bias.density(index, base.shape) * base.size
        logs.append(np.log((1 - LEAST) * found + LEAST))
        at = _placed(points[index], shapes[index], base.shape)
        gaze.append(np.bincount(at, minlength=base.size) / len(at))
    problem = _Problem(logs, gaze, 1 / sum(map(len, points)))
    best, worse = None, 0
    for sigma in SIGMAS:
        values = [scaled(base, sigma).ravel() for base in bases]
        tried = problem.fit(values, sigma, start=best, rounds=1)
        if best is None or tried.likelihood > best.likelihood:
            best, worse = tried, 0
        else:
            worse += 1
            if worse == PATIENCE:
                break
    assert best is not None
    values = [scaled(base, best.sigma).ravel() for base in bases]
    best = problem.fit(values, best.sigma, start=best)
    order = np.random.default_rng(seed).permutation(len(maps))
    crossed = np.empty(len(maps))
    for fold in range(FOLDS):
        out = order[fold::FOLDS]
        kept = np.setdiff1d(order, out)
        one = problem.part(kept).fit([values[i] for i in kept], best.sigma, start=best)
        crossed[out] = problem.part(out).bits([values[i] for i in out], one)
    height, width = GRID
    grid = metrics.resize(bias.density(None, (height * 8, width * 8)), GRID, method="area")
    grid = (1 - LEAST) * grid / grid.mean() + LEAST
    adaptation = Adaptation(
        best.sigma,
        tuple(map(float, best.levels)),
        tuple(map(float, best.curve)),
        best.center,
        best.floor,
        tuple(tuple(float(f"{v:.4g}") for v in row) for row in grid),
    )
    fitted_bits = float(problem.bits(values, best).mean())
    return Adapted(adaptation, bias.log_likelihood, fitted_bits, float(crossed.mean()), len(maps))


@dataclass(frozen=True)
class _Fit:
    """Fitted numbers for one blur; the likelihood in nats a fixation over the uniform density."""

    sigma: float
    levels: Map
    curve: Map
    center: float
    floor: float
    likelihood: float


class _Problem:
    """The pixels of all pictures in one row: log centre bias and share of the fixations.

    Args:
        logs: (H, W) log centre bias over the uniform density, of each picture.
        gaze: (H * W,) share of its fixations in each pixel.
        least: floor that can be told from none: one fixation of all.
    """

    def __init__(self, logs: Sequence[Map], gaze: Sequence[Map], least: float = 0.0) -> None:
        self._logs, self._gaze, self._least = logs, gaze, least
        sizes = np.array([log.size for log in logs])
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._sizes = sizes
        self._log = np.concatenate([log.ravel() for log in logs])
        self._at = np.flatnonzero(np.concatenate(gaze))
        self._share = np.concatenate(gaze)[self._at] / len(logs)
        self._owner = np.searchsorted(self._starts, self._at, side="right") - 1

    def part(self, chosen: NDArray[np.int64]) -> _Problem:
        """The same of some pictures."""
        logs, gaze = [self._logs[i] for i in chosen], [self._gaze[i] for i in chosen]
        return _Problem(logs, gaze, self._least * len(self._logs) / len(chosen))

    def fit(
        self,
        values: Sequence[Map],
        sigma: float,
        *,
        start: _Fit | None = None,
        rounds: int = ROUNDS,
    ) -> _Fit:
        """The most likely numbers for one blur.

        Args:
            values: (H * W,) of each picture, 0..1.
            sigma: the blur that they have.
            start: numbers to start from.
            rounds: of expectation maximisation.
        """
        from scipy.optimize import minimize

        row = np.concatenate(values)
        levels = np.unique([0.0, *np.quantile(row, QUANTILES), 1.0])
        segment = np.clip(np.searchsorted(levels, row, side="right") - 1, 0, len(levels) - 2)
        part = (row - levels[segment]) / np.diff(levels)[segment]
        steps = len(levels) - 1
        numbers = np.append(np.full(steps, 0.7), 0.3)
        floor = FLOOR
        if start is not None:
            curve = np.interp(levels, start.levels, start.curve)
            numbers, floor = np.append(np.diff(curve), start.center), max(start.floor, 1e-4)
        share = self._share

        def loss(x: Map) -> tuple[float, Map]:
            log = self._values(x, segment, part)
            top = np.maximum.reduceat(log, self._starts)
            mass = np.exp(log - np.repeat(top, self._sizes))
            sums = np.add.reduceat(mass, self._starts)
            totals = np.bincount(self._owner, weights, minlength=len(sums))
            value = float(weights @ log[self._at] - totals @ (np.log(sums) + top))
            mass *= np.repeat(-totals / sums, self._sizes)
            mass[self._at] += weights
            upper = np.bincount(segment, mass * part, minlength=steps)
            whole = np.bincount(segment, mass, minlength=steps)
            # a step of f moves its own segment in part, and all above it as a whole
            above = np.cumsum(whole[::-1])[::-1] - whole
            return -value, -np.append(upper + above, mass @ self._log)

        limits = [(0.0, STEEPEST)] * steps + [(0.0, HEAVIEST)]
        for _ in range(rounds):
            over = self._over(self._values(numbers, segment, part))[self._at]
            mixed = (1 - floor) * over + floor
            weights = share * (1 - floor) * over / mixed
            found = minimize(
                loss, numbers, jac=True, method="L-BFGS-B", bounds=limits,
                options={"maxiter": 40, "ftol": 1e-8},
            )  # fmt: skip
            numbers = found.x
            over = self._over(self._values(numbers, segment, part))[self._at]
            for _ in range(20):
                floor = float(share @ (floor / ((1 - floor) * over + floor)))
            floor = max(floor, self._least)
        likelihood = float(share @ np.log((1 - floor) * over + floor))
        curve = np.concatenate([[0.0], np.cumsum(numbers[:-1])])
        return _Fit(sigma, levels, curve, float(numbers[-1]), floor, likelihood)

    def bits(self, values: Sequence[Map], fit: _Fit) -> Map:
        """Each picture's bits a fixation over the uniform density."""
        row = np.concatenate(values)
        log = np.interp(row, fit.levels, fit.curve) + fit.center * self._log
        over = (1 - fit.floor) * self._over(log)[self._at] + fit.floor
        count = len(self._sizes)
        return np.bincount(self._owner, self._share * np.log(over), count) * count / LN2

    def _values(self, numbers: Map, segment: NDArray[np.int64], part: Map) -> Map:
        """f(u) + w log b in each pixel."""
        ends = np.cumsum(numbers[:-1])
        begins = ends - numbers[:-1]
        return np.asarray(begins[segment] + part * numbers[segment] + numbers[-1] * self._log)

    def _over(self, log: Map) -> Map:
        """The density over the uniform one in each pixel."""
        top = np.maximum.reduceat(log, self._starts)
        mass = np.exp(log - np.repeat(top, self._sizes))
        mass *= np.repeat(self._sizes / np.add.reduceat(mass, self._starts), self._sizes)
        return np.asarray(mass)


def _placed(
    points: NDArray[np.floating], shape: tuple[int, int], target: tuple[int, ...]
) -> NDArray[np.int64]:
    """The pixel of a smaller map that each fixation inside the picture lies in."""
    cells = np.floor(np.asarray(points, dtype=np.float64) + 0.5)
    inside = ((cells >= 0) & (cells < shape[::-1])).all(axis=1)
    column, row = ((cells[inside] + 0.5) * (np.array(target[::-1]) / shape[::-1])).T.astype(int)
    return np.asarray(row * target[1] + column)
