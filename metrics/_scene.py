"""One prediction beside its ground truth, with the intermediate results that metrics share.

On NumPy a scene is one map; in another array library it is a whole batch. The formulas of the
metrics are written once, over the last axis, and serve both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from metrics import _arrays as arrays
from metrics._arrays import Array
from metrics._counts import locate
from metrics._field import Field
from metrics._ranking import Dense, Levels, Ordered, Ranking

#: Negative values up to this share of the peak are the rounding of a Fourier transform.
SLIGHT = 1e-9

#: From so many pixels on, two maps of bytes are counted by pairs of values.
PAIRED = 1 << 18

Kernel = Callable[["Scene"], Any]


class Scene:
    """One prediction beside its ground truth (see the module).

    Args:
        xp: the array namespace.
        maps: the arguments by name ("prediction", "fixations", "density", "other", "baseline"),
            checked for type and shape. On NumPy one map (H, W) each.
        negative: what becomes of a negative prediction: "error", "clip" or "keep".
    """

    def __init__(self, xp: Any, maps: Mapping[str, Array], negative: str = "error") -> None:
        self.xp = xp
        self.maps = maps
        self.negative = negative
        self.shape = tuple(maps["prediction"].shape)
        self.size = self.shape[-2] * self.shape[-1]
        self._fields: dict[str, Field] = {}

    def field(self, name: str, by_extremes: bool = False) -> Field:
        """A map of real numbers, of any sign.

        Args:
            by_extremes: look for NaN and infinity in the extremes rather than in the sum, for a
                metric that needs only these.
        """
        if name not in self._fields:
            found = self._field(name)
            signs = (found.low, found.high) if by_extremes else (found.total,)
            arrays.check_finite(self.xp, self.maps[name], signs, name)
            self._fields[name] = found
        return self._fields[name]

    def _field(self, name: str) -> Field:
        xp = self.xp
        flat = arrays.flat(xp, self.maps[name])
        if xp is not np:
            return Field(xp, arrays.float64(xp, flat))
        paired = self.size >= PAIRED and self._bytes("prediction", "density")
        if paired and name in ("prediction", "density"):
            first, second, weights = self._joint
            return Field(np, first if name == "prediction" else second, weights)
        aligned = {"prediction", "density"} <= self.maps.keys()  # pixel by pixel, so all pixels
        if not aligned and self._bytes(name):
            from metrics._compiled import histogram

            counts = histogram(flat.view(np.uint8)).sum(axis=0)
            (levels,) = np.nonzero(counts)
            return Field(np, levels.astype(np.float64), counts[levels].astype(np.float64))
        return Field(np, flat)

    def _bytes(self, *names: str) -> bool:
        """Whether these maps are there and are of whole bytes."""
        small = (np.dtype(np.uint8), np.dtype(np.bool_))
        if not all(name in self.maps and self.maps[name].dtype in small for name in names):
            return False
        return len({self.maps[name].shape for name in names}) == 1

    @cached_property
    def _joint(self) -> tuple[Any, Any, Any]:
        """The pairs of values that prediction and density have, and how many pixels have them."""
        from metrics._compiled import joint_histogram

        names = ("prediction", "density")
        flat = (arrays.flat(np, self.maps[name]).view(np.uint8) for name in names)
        counts = joint_histogram(*flat)
        (pairs,) = np.nonzero(counts)
        first, second = np.divmod(pairs, 256)
        return first.astype(float), second.astype(float), counts[pairs].astype(float)

    def mass(self, name: str) -> Field:
        """A map of non-negative numbers that can be shared out.

        Raises:
            ValueError: negative values, or a density that sums to zero.
        """
        key = f"{name} as mass"
        if key not in self._fields:
            self._fields[key] = self._mass(self.field(name), name)
        return self._fields[key]

    def _mass(self, found: Field, name: str) -> Field:
        xp = self.xp
        empty = found.total <= 0 if xp is np else bool(xp.any(found.total <= 0))
        if name == "density" and empty:
            raise ValueError("density is zero everywhere: nobody looked, nothing to score against")
        if self.negative == "keep" and name == "prediction":
            return found
        if not (found.low < 0 if xp is np else bool(xp.any(found.low < 0))):
            return found
        slight = bool(xp.all(found.low >= -SLIGHT * xp.abs(found.high)))
        if not slight and not (self.negative == "clip" and name == "prediction"):
            count = int(xp.sum(xp.astype(found.values < 0, xp.int64)))
            lowest = float(xp.min(found.low))
            raise ValueError(
                f"{name} has {count} negative value(s), down to {lowest:g}, and cannot be shared "
                f"out as a distribution: {arrays.REMEDY}"
            )
        return Field(xp, xp.where(found.values < 0, xp.zeros_like(found.values), found.values))

    @cached_property
    def fixated(self) -> tuple[Array, Any]:
        """NumPy: where the fixated pixels are (N,), and the fixations on each (N,)."""
        return locate(np, arrays.flat(np, self.maps["fixations"]), "fixations")

    @cached_property
    def fixation_weights(self) -> Array:
        """Not NumPy: the fixation counts as (..., H*W) in double precision."""
        flat = arrays.flat(self.xp, self.maps["fixations"])
        for row in _rows(self.xp, flat):
            locate(self.xp, row, "fixations")
        return arrays.float64(self.xp, flat)

    def mean_at_fixations(
        self, function: Callable[..., Array], *names: str, multiplicity: bool
    ) -> Array:
        """Mean over the fixated pixels, or the fixations, of a function of the maps' values."""
        xp = self.xp
        if xp is np:
            where, counts = self.fixated
            values = [arrays.flat(np, self.maps[n])[where].astype(np.float64) for n in names]
            found = function(*values)
            if multiplicity:
                return float(np.dot(found, counts) / counts.sum())
            return float(np.add.reduce(found) / found.size)
        weights = self.fixation_weights
        if not multiplicity:
            weights = xp.astype(weights > 0, weights.dtype)
        values = [arrays.float64(xp, arrays.flat(xp, self.maps[n])) for n in names]
        return xp.sum(function(*values) * weights, axis=-1) / xp.sum(weights, axis=-1)

    def per_map(self, reduced: Array) -> Array:
        """What a `Field` reduced, without the axis that it kept."""
        return reduced if self.xp is np else self.xp.reshape(reduced, self.shape[:-2])

    def by_ranking(self, function: Callable[[Ranking], Any]) -> Any:
        """A function of each map's `Ranking`: its value on NumPy, an array over a batch."""
        if self.xp is np:
            return function(self.ranking)
        found = np.array([function(ranking) for ranking in self.rankings], dtype=np.float64)
        device = arrays.device(self.maps["prediction"])
        columns = found.T if found.ndim == 2 else found[None]
        results = tuple(
            self.xp.asarray(np.ascontiguousarray(c.reshape(self.shape[:-2])), device=device)
            for c in columns
        )
        return results if found.ndim == 2 else results[0]

    @cached_property
    def ranking(self) -> Ranking:
        """The ranking of a NumPy map."""
        found = self.field("prediction", by_extremes=True)
        flat = arrays.flat(np, self.maps["prediction"])
        vectors = []
        for name in ("fixations", "other"):
            if name in self.maps:
                where, counts = self.fixated if name == "fixations" else self.others
                vectors += [found.unit(flat[where].astype(np.float64)), counts]
        source = Dense(found) if found.weights is None else Levels(found)
        return Ranking(self.size, bool(found.constant), source, *vectors)

    @cached_property
    def others(self) -> tuple[Array, Any]:
        """NumPy: where the fixations of other images are (M,), and how many on each (M,)."""
        return locate(np, arrays.flat(np, self.maps["other"]), "other", sparse=False)

    @cached_property
    def rankings(self) -> list[Ranking]:
        """The ranking of each map of the batch, in order."""
        xp = self.xp
        found = self.field("prediction")
        unit = xp.reshape(arrays.detach(found.unit(found.values)), (-1, self.size))
        ordered = xp.sort(unit, axis=-1)
        constant = arrays.to_numpy(found.constant).reshape(-1)
        located = [
            [
                locate(xp, row, name, name != "other")
                for row in _rows(xp, arrays.flat(xp, self.maps[name]))
            ]
            for name in ("fixations", "other")
            if name in self.maps
        ]
        rankings = []
        for i in range(unit.shape[0]):
            vectors = []
            for rows in located:
                where, counts = rows[i if len(rows) > 1 else 0]
                vectors += [arrays.to_numpy(xp.take(unit[i], where)), counts]
            source = Ordered(xp, ordered[i])
            rankings.append(Ranking(self.size, bool(constant[i]), source, *vectors))
        return rankings


def _rows(xp: Any, flat: Array) -> Array:
    return xp.reshape(flat, (-1, flat.shape[-1]))


def run(
    kernels: Mapping[str, Kernel],
    maps: Mapping[str, Any],
    *,
    negative: str = "error",
    any_size: bool = False,
) -> dict[str, Any]:
    """Compute kernels on the arguments of a metric: the one way in for every metric.

    Args:
        kernels: functions of a `Scene`, by name. One that gives a tuple gives several numbers.
        maps: the arguments by name, "prediction" first; None for one that is not given.
        negative: see `Scene`.
        any_size: the maps of one scene may differ in height and width.

    Returns:
        By name: a float for a single NumPy map, else an array of the batch's shape (a tuple of
        these where the kernel gives a tuple). A tensor comes back as a tensor on its device.
    """
    arrays.choice(negative, ("error", "clip", "keep"), "negative")
    given = {name: arrays.as_array(a, name) for name, a in maps.items() if a is not None}
    arrays.same_shape(given, any_size)
    xp = arrays.namespace(*given.values())
    if xp is np:
        return _run_numpy(kernels, given, negative)
    device = arrays.device(next(a for a in given.values() if arrays.is_foreign(a)))
    host = {name: arrays.as_host(a) for name, a in given.items()}
    if all(a is not None for a in host.values()):
        found = _run_numpy(kernels, host, negative)
        return {
            name: tuple(xp.asarray(v, device=device) for v in value)
            if isinstance(value, tuple)
            else xp.asarray(value, device=device)
            for name, value in found.items()
        }
    given = {
        name: a if arrays.is_foreign(a) else xp.asarray(a, device=device)
        for name, a in given.items()
    }
    scene = Scene(xp, given, negative)
    return {name: _batch_shaped(xp, kernel(scene), scene) for name, kernel in kernels.items()}


def _batch_shaped(xp: Any, value: Any, scene: Scene) -> Any:
    if isinstance(value, tuple):
        return tuple(_batch_shaped(xp, v, scene) for v in value)
    return xp.reshape(value, scene.shape[:-2])


def _run_numpy(
    kernels: Mapping[str, Kernel], maps: Mapping[str, Any], negative: str
) -> dict[str, Any]:
    """Map by map, so that a batch gives what single calls give and needs no more memory."""
    batch = maps["prediction"].shape[:-2]
    if not batch:
        scene = Scene(np, maps, negative)
        return {name: _scalar(kernel(scene)) for name, kernel in kernels.items()}
    found: dict[str, list[Any]] = {name: [] for name in kernels}
    for index in np.ndindex(batch):
        # a baseline or pool of fixations without the batch's axes serves all of it
        single = {name: a[index] if a.ndim > 2 else a for name, a in maps.items()}
        scene = Scene(np, single, negative)
        for name, kernel in kernels.items():
            found[name].append(_scalar(kernel(scene)))
    return {name: _stack(values, batch) for name, values in found.items()}


def _scalar(value: Any) -> Any:
    return tuple(float(v) for v in value) if isinstance(value, tuple) else float(value)


def _stack(values: list[Any], batch: tuple[int, ...]) -> Any:
    if isinstance(values[0], tuple):
        columns = zip(*values, strict=True)
        return tuple(np.array(column).reshape(batch) for column in columns)
    return np.array(values).reshape(batch)
