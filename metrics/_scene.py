"""One prediction beside its ground truth, with the intermediate results that metrics share.

On NumPy a scene is one map; in another array library it is a whole batch. The formulas of the
metrics are written once, over the last axis, and serve both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from metrics import _arrays as arrays
from metrics._counts import locate
from metrics._field import Field
from metrics._ranking import Dense, Levels, Ordered, Ranking
from metrics._types import Array, Vector
from metrics.errors import NegativeMapError

#: Negative values up to this share of the peak are the rounding of a Fourier transform.
SLIGHT = 1e-9
#: From so many pixels on, two maps of bytes are counted by pairs of values.
PAIRED = 1 << 18
NEGATIVE = ("error", "clip", "keep")
#: Maps whose values are smaller or larger than this are scaled, since squares of squares would
#: leave the range of numbers.
SMALLEST, LARGEST = 1e-60, 1e60

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
        self._fields: dict[tuple[str, str], Field] = {}
        self._masses: dict[int, Field] = {}
        self._places: dict[str, list[tuple[Array, Vector]]] = {}

    # -- values ---------------------------------------------------------------------------------

    def field(self, name: str, *, by_extremes: bool = False) -> Field:
        """A map of real numbers, of any sign, whose values need not be in the pixels' order.

        Args:
            by_extremes: look for NaN and infinity in the extremes rather than in the sum, for a
                metric that needs only these.
        """
        kind = "pairs" if self._paired else "levels" if self._bytes(name) else "pixels"
        return self._field(name, kind, by_extremes)

    def pair(self) -> tuple[Field, Field]:
        """Prediction and density, aligned value by value."""
        kind = "pairs" if self._paired else "pixels"
        return self._field("prediction", kind), self._field("density", kind)

    def mass(self, name: str, *, plain: bool = False) -> Field:
        """A map of non-negative numbers that can be shared out, in any order.

        Args:
            plain: take the pixels as they are; bytes are otherwise counted by compiled code.

        Raises:
            NegativeMapError: negative values.
            ValueError: a density that sums to zero.
        """
        return self._mass(name, self._field(name, "plain") if plain else self.field(name))

    def mass_pair(self) -> tuple[Field, Field]:
        """Prediction and density that can be shared out, aligned value by value."""
        p, d = self.pair()
        return self._mass("prediction", p), self._mass("density", d)

    def _field(self, name: str, kind: str, by_extremes: bool = False) -> Field:
        if name not in ("prediction", "density") and kind == "pairs":
            kind = "pixels"
        key = (name, kind)
        if key not in self._fields:
            found = self._make(name, kind)
            found = self._within_range(name, found, by_extremes)
            signs = (found.low, found.high) if by_extremes else (found.total,)
            arrays.check_finite(self.xp, self.maps[name], signs, name)
            self._fields[key] = found
        return self._fields[key]

    def _make(self, name: str, kind: str) -> Field:
        if kind == "pairs":
            first, second, weights = self._pairs
            return Field(np, first if name == "prediction" else second, weights)
        flat = arrays.flat(self.xp, self.maps[name])
        if kind == "levels":
            from metrics._compiled import histogram

            counts = np.add.reduce(histogram(flat.view(np.uint8)))
            (levels,) = np.nonzero(counts)
            return Field(np, levels.astype(np.float64), counts[levels].astype(np.float64))
        if kind == "pixels" and self._bytes(name):
            return Field(np, flat, levels=self._field(name, "levels"))
        return Field(self.xp, flat if self.xp is np else arrays.float64(self.xp, flat))

    def _within_range(self, name: str, found: Field, by_extremes: bool) -> Field:
        """The field, or where its numbers are extreme that of the map times a power of two.

        Exact, and few formulas depend on the scale (those ask for `Field.scale`). On NumPy, what
        the field sums anyway is looked at first, so that an ordinary map costs nothing; other
        libraries know extreme numbers only in double precision.
        """
        xp, given = self.xp, self.maps[name]
        if xp is np:
            seen = max(-found.low, found.high) if by_extremes else abs(found.total)
            if found.weights is not None or SMALLEST < seen < LARGEST:
                return found
        elif given.dtype != xp.float64:
            return found
        arrays.check_finite(xp, given, (found.low, found.high), name)
        magnitude = arrays.detach(xp.abs(xp.where(-found.low > found.high, found.low, found.high)))
        extreme = (magnitude > 0) & ((magnitude < SMALLEST) | (magnitude > LARGEST))
        if not bool(xp.any(extreme)):
            return found
        magnitude = xp.where(extreme, magnitude, xp.ones_like(magnitude))
        scale = 2.0 ** -xp.clip(xp.floor(xp.log2(magnitude)), -1000.0, 1000.0)
        if xp is np:
            scale = float(scale)
            self.maps = {**self.maps, name: given.astype(np.float64) * scale}
        else:
            self.maps = {**self.maps, name: given * xp.reshape(scale, (*given.shape[:-2], 1, 1))}
        return Field(xp, arrays.flat(xp, self.maps[name]), scale=scale)

    def _bytes(self, name: str) -> bool:
        """Whether a NumPy map is of whole bytes."""
        return self.xp is np and self.maps[name].dtype in (np.uint8, np.bool_)

    @cached_property
    def _paired(self) -> bool:
        """Whether prediction and density are counted by pairs of values."""
        if self.size < PAIRED or "density" not in self.maps:
            return False
        alike = self.shape == tuple(self.maps["density"].shape)
        return alike and self._bytes("prediction") and self._bytes("density")

    @cached_property
    def _pairs(self) -> tuple[Vector, Vector, Vector]:
        """The pairs of values of prediction and density, and how many pixels have each.

        In ascending order of the prediction.
        """
        from metrics._compiled import joint_histogram

        names = ("prediction", "density")
        counts = joint_histogram(*(arrays.flat(np, self.maps[n]).view(np.uint8) for n in names))
        (pairs,) = np.nonzero(counts)
        first, second = np.divmod(pairs, 256)
        return first.astype(float), second.astype(float), counts[pairs].astype(float)

    def _mass(self, name: str, found: Field) -> Field:
        if id(found) not in self._masses:
            self._masses[id(found)] = self._checked(name, found)
        return self._masses[id(found)]

    def check_density(self, found: Field) -> None:
        """Refuse a density without mass."""
        if self.xp is np:
            nothing = found.total == 0.0 and found.low == found.high
        else:
            nothing = bool(self.xp.any((found.total == 0.0) & (found.low == found.high)))
        if nothing:
            raise ValueError("density is zero everywhere: nobody looked, nothing to score against")

    def _checked(self, name: str, found: Field) -> Field:
        xp = self.xp
        if name == "density":
            self.check_density(found)
        if self.negative == "keep" and name == "prediction":
            return found
        if not (found.low < 0 if xp is np else bool(xp.any(found.low < 0))):
            return found
        slight = bool(xp.all(found.low >= -SLIGHT * xp.abs(found.high)))
        if not slight and not (self.negative == "clip" and name == "prediction"):
            count = int(xp.sum(xp.astype(found.values < 0, xp.int64)))
            lowest = float(xp.min(found.low))
            raise NegativeMapError(name, count, lowest)
        values = arrays.clipped(xp, found.values)
        return Field(xp, values, found.weights, clipped=True, scale=found.scale)

    # -- fixations ------------------------------------------------------------------------------

    def located(self, name: str) -> tuple[Array, Vector]:
        """NumPy: where the fixations of "fixations" or "other" are, as of `locate`."""
        return self._located(name)[0]

    def _located(self, name: str) -> list[tuple[Array, Vector]]:
        """The same for each map of a batch, or the one that serves all of it."""
        if name not in self._places:
            maps = self.xp.reshape(self.maps[name], (-1, *self.shape[-2:]))
            sparse = name != "other"
            self._places[name] = [
                locate(self.xp, maps[i, ...], name, sparse) for i in range(maps.shape[0])
            ]
        return self._places[name]

    def mean_at_fixations(
        self, function: Callable[..., Array], *names: str, multiplicity: bool
    ) -> Array:
        """Mean over the fixated pixels, or the fixations, of a function of the maps' values."""
        xp = self.xp
        if xp is np:
            where, counts = self.located("fixations")
            values = [arrays.flat(np, self.maps[n])[where].astype(np.float64) for n in names]
            found = function(*values)
            if multiplicity:
                return float(np.dot(found, counts) / counts.sum())
            return float(np.add.reduce(found) / found.size)
        self._located("fixations")  # checks
        weights = arrays.flat(xp, self.maps["fixations"])
        weights = arrays.float64(xp, weights if multiplicity else weights != 0)
        values = [arrays.float64(xp, arrays.flat(xp, self.maps[n])) for n in names]
        return xp.sum(function(*values) * weights, axis=-1) / xp.sum(weights, axis=-1)

    # -- ranks ----------------------------------------------------------------------------------

    def by_ranking(self, function: Callable[[Ranking], Any]) -> Any:
        """A function of each map's `Ranking`: its value on NumPy, an array over a batch."""
        if self.xp is np:
            return function(self._rankings[0])
        found = np.array([function(ranking) for ranking in self._rankings], dtype=np.float64)
        columns = found.reshape(len(self._rankings), -1).T
        like = self.maps["prediction"]
        results = tuple(arrays.beside(like, c.reshape(self.shape[:-2])) for c in columns)
        return results if found.ndim == 2 else results[0]

    @cached_property
    def _rankings(self) -> list[Ranking]:
        """The ranking of each map of the batch, in order."""
        xp = self.xp
        found = self.field("prediction", by_extremes=True)
        places = [self._located(name) for name in ("fixations", "other") if name in self.maps]
        if xp is np:
            flat = arrays.flat(np, self.maps["prediction"])
            vectors = []
            for ((where, counts),) in places:
                vectors += [found.unit(flat[where].astype(np.float64)), counts]
            weights = found.weights
            source = Dense(found) if weights is None else Levels(found, weights)
            return [Ranking(self.size, bool(found.constant), source, *vectors)]
        host = {name: arrays.as_host(arrays.detach(a)) for name, a in self.maps.items()}
        if all(a is not None for a in host.values()):  # ranks have no gradient to be recorded
            singles = _one_by_one(host, self.shape[:-2])
            return [ranking for _, maps in singles for ranking in Scene(np, maps)._rankings]
        units = xp.reshape(arrays.detach(found.unit(found.values)), (-1, self.size))
        ordered = xp.sort(units, axis=-1)
        constant = arrays.to_numpy(found.constant).reshape(-1)
        rankings = []
        for i in range(units.shape[0]):
            vectors = []
            for located in places:
                where, counts = located[i if len(located) > 1 else 0]
                vectors += [arrays.to_numpy(xp.take(units[i, ...], where)), counts]
            ranking = Ranking(self.size, bool(constant[i]), Ordered(xp, ordered[i, ...]), *vectors)
            rankings.append(ranking)
        return rankings

    def per_map(self, reduced: Array) -> Array:
        """What a `Field` reduced, without the axis that it kept."""
        return reduced if self.xp is np else self.xp.reshape(reduced, self.shape[:-2])


def run(
    kernels: Mapping[str, Kernel],
    maps: Mapping[str, Any],
    *,
    negative: str = "error",
    any_size: bool = False,
) -> dict[str, Any]:
    """Compute kernels on the arguments of a metric: the one way in for every metric.

    Args:
        kernels: functions of a `Scene`, by name. One that returns a tuple computes several numbers.
        maps: the arguments by name, "prediction" first; None for one that is not given.
        negative: see `Scene`.
        any_size: the maps of one scene may differ in height and width.

    Returns:
        By name: a float for a single NumPy map, else an array of the batch's shape (a tuple of
        these where the kernel returns a tuple). A tensor comes back as a tensor on its device.
    """
    arrays.choice(negative, NEGATIVE, "negative")
    given = {name: arrays.as_array(a, name) for name, a in maps.items() if a is not None}
    arrays.same_shape(given, any_size)
    xp = arrays.namespace(*given.values())
    if xp is np:
        return _run_numpy(kernels, given, negative)
    like = next(a for a in given.values() if arrays.is_foreign(a))
    host = {name: arrays.as_host(a) for name, a in given.items()}
    if all(a is not None for a in host.values()):
        found = _run_numpy(kernels, host, negative)
        return {name: _beside(like, value) for name, value in found.items()}
    given = {n: a if arrays.is_foreign(a) else arrays.beside(like, a) for n, a in given.items()}
    scene = Scene(xp, given, negative)
    return {name: _per_map(scene, kernel(scene)) for name, kernel in kernels.items()}


def _beside(like: Array, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(arrays.beside(like, v) for v in value)
    return arrays.beside(like, value)


def _per_map(scene: Scene, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(scene.per_map(v) for v in value)
    return scene.per_map(value)


def _run_numpy(
    kernels: Mapping[str, Kernel], maps: Mapping[str, Any], negative: str
) -> dict[str, Any]:
    """Map by map, so that a batch has the values of single calls and needs no more memory."""
    batch = maps["prediction"].shape[:-2]
    if not batch:
        scene = Scene(np, maps, negative)
        return {name: _scalar(kernel(scene)) for name, kernel in kernels.items()}
    found: dict[str, list[Any]] = {name: [] for name in kernels}
    for index, single in _one_by_one(maps, batch):
        scene = Scene(np, single, negative)
        try:
            for name, kernel in kernels.items():
                found[name].append(_scalar(kernel(scene)))
        except ValueError as error:
            raise ValueError(f"map {index} of the batch: {error}") from error
    return {name: _stack(values, batch) for name, values in found.items()}


def _one_by_one(
    maps: Mapping[str, Any], batch: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], dict[str, Any]]]:
    """The maps of a batch, each with its place.

    A baseline or pool of fixations without the batch's axes serves all of it.
    """
    for index in np.ndindex(batch):
        yield index, {name: a[index] if a.ndim > 2 else a for name, a in maps.items()}


def _scalar(value: Any) -> Any:
    return tuple(float(v) for v in value) if isinstance(value, tuple) else float(value)


def _stack(values: list[Any], batch: tuple[int, ...]) -> Any:
    if values and isinstance(values[0], tuple):
        columns = zip(*values, strict=True)
        return tuple(np.array(column).reshape(batch) for column in columns)
    return np.array(values, dtype=np.float64).reshape(batch)
