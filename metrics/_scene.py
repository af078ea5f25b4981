"""One prediction beside its ground truth, with the intermediate results that metrics share.

On NumPy a scene is one map; in another array library it is a whole batch. The formulas of the
metrics are written once, over the last axis, and serve both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import _arrays as arrays
from ._counts import locate
from ._field import Field
from ._inputs import OF_FIXATIONS, Frame, Places
from ._lazy import lazy
from ._ranking import Dense, Levels, Ordered, Ranking
from ._types import Array, Vector
from .errors import NegativeMapError

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
        kind: "counts" where "fixations" are surely counts.
        places: where the fixations are, by name, instead of a map of them; for a single map.
        frame: where the pixels lie in their picture if a mask left some out. The maps are (1, K)
            then.
    """

    def __init__(
        self,
        xp: Any,
        maps: Mapping[str, Array],
        negative: str = "error",
        *,
        kind: str = "auto",
        places: Mapping[str, Places] | None = None,
        frame: Frame | None = None,
    ) -> None:
        self.xp = xp
        self.maps = maps
        self.negative = negative
        self.kind = kind
        self.frame = frame
        self.shape = tuple(maps["prediction"].shape)
        self.size = self.shape[-2] * self.shape[-1]
        self._fields: dict[tuple[str, str], Field] = {}
        self._masses: dict[int, Field] = {}
        self._given = dict(places or {})
        self._places: dict[str, list[Places]] = {name: [p] for name, p in self._given.items()}

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
        """A map of non-negative numbers that can be normalised, in any order.

        Args:
            plain: take the pixels as they are; bytes are otherwise counted by compiled code.

        Raises:
            NegativeMapError: negative values.
            ValueError: a density that sums to zero.
        """
        return self._mass(name, self._field(name, "plain") if plain else self.field(name))

    def mass_pair(self) -> tuple[Field, Field]:
        """Prediction and density that can be normalised, aligned value by value."""
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
            self._check_finite(self.maps[name], signs, name)
            self._fields[key] = found
        return self._fields[key]

    def _make(self, name: str, kind: str) -> Field:
        if kind == "pairs":
            first, second, weights = self._pairs
            return Field(np, first if name == "prediction" else second, weights)
        flat = arrays.flat(self.xp, self.maps[name])
        if kind == "levels":
            from ._compiled import histogram

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
        self._check_finite(given, (found.low, found.high), name)
        magnitude = arrays.detach(xp.abs(xp.where(-found.low > found.high, found.low, found.high)))
        extreme = (magnitude > 0) & ((magnitude < SMALLEST) | (magnitude > LARGEST))
        if not self._any_extreme(extreme):
            return found
        magnitude = xp.where(extreme, magnitude, xp.ones_like(magnitude))
        scale = 2.0 ** -xp.clip(xp.floor(xp.log2(magnitude)), -1000.0, 1000.0)
        if xp is np:
            scale = float(scale)
            self.maps = {**self.maps, name: given.astype(np.float64) * scale}
        else:
            self.maps = {**self.maps, name: given * xp.reshape(scale, (*given.shape[:-2], 1, 1))}
        return Field(xp, arrays.flat(xp, self.maps[name]), scale=scale)

    def _any_extreme(self, extreme: Array) -> bool:
        return bool(self.xp.any(extreme))

    def _check_finite(self, given: Array, signs: tuple[Array, ...], name: str) -> None:
        position = self.frame.position if self.frame else None
        arrays.check_finite(self.xp, given, signs, name, position)

    def picture(self, name: str) -> Array:
        """(..., h, w) a map; where a mask left pixels out zero, and cropped to the others."""
        if self.frame is None:
            return self.maps[name]
        return self.frame.picture(self.xp, self.maps[name])

    def _bytes(self, name: str) -> bool:
        """Whether a NumPy map is of whole bytes."""
        return self.xp is np and self.maps[name].dtype in (np.uint8, np.bool_)

    @lazy
    def _paired(self) -> bool:
        """Whether prediction and density are counted by pairs of values."""
        if self.size < PAIRED or "density" not in self.maps:
            return False
        alike = self.shape == tuple(self.maps["density"].shape)
        return alike and self._bytes("prediction") and self._bytes("density")

    @lazy
    def _pairs(self) -> tuple[Vector, Vector, Vector]:
        """The pairs of values of prediction and density, and how many pixels have each.

        In ascending order of the prediction.
        """
        from ._compiled import joint_histogram

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
            lowest = float(xp.min(arrays.detach(found.low)))
            raise NegativeMapError(name, count, lowest)
        values = arrays.clipped(xp, found.values)
        return Field(xp, values, found.weights, clipped=True, scale=found.scale)

    # -- fixations ------------------------------------------------------------------------------

    def located(self, name: str) -> list[Places]:
        """Where the fixations of "fixations" or "other" are, for each map of the batch."""
        if name not in self._places:
            maps = self.xp.reshape(self.maps[name], (-1, *self.shape[-2:]))
            doubt = name == "fixations" and self.kind != "counts"
            self._places[name] = []
            for i, index in enumerate(np.ndindex(self.shape[:-2])):
                with named(index):
                    where, counts = locate(self.xp, maps[i, ...], name, doubt)
                self._places[name].append(Places(where, counts, np.ones(counts.size)))
        return self._places[name]

    def mean_at_fixations(
        self, function: Callable[..., Array], *names: str, multiplicity: bool
    ) -> Array:
        """Mean over the fixated pixels, or the fixations, of a function of the maps' values."""
        xp = self.xp
        if xp is np:
            (places,) = self.located("fixations")
            values = [arrays.flat(np, self.maps[n])[places.where].astype(np.float64) for n in names]
            found = function(*values)
            weights = places.counts if multiplicity else places.once
            return float(np.dot(found, weights) / weights.sum())
        values = [arrays.float64(xp, arrays.flat(xp, self.maps[n])) for n in names]
        if "fixations" in self._given:
            (places,) = self.located("fixations")
            at = arrays.beside(values[0], arrays.to_numpy(places.where))
            values = [xp.take(v, at, axis=-1) for v in values]
            host = places.counts if multiplicity else places.once
            weights = arrays.beside(values[0], host, values[0].dtype)
        else:
            self._check_located()
            weights = arrays.flat(xp, self.maps["fixations"])
            weights = arrays.float64(xp, weights if multiplicity else weights != 0)
        return xp.sum(function(*values) * weights, axis=-1) / xp.sum(weights, axis=-1)

    def _check_located(self) -> None:
        self.located("fixations")

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

    @lazy
    def _rankings(self) -> list[Ranking]:
        """The ranking of each map of the batch, in order."""
        xp = self.xp
        found = self.field("prediction", by_extremes=True)
        names = [n for n in OF_FIXATIONS if n in self.maps or n in self._given]
        if xp is np:
            flat = arrays.flat(np, self.maps["prediction"])
            vectors = []
            for places in (self.located(name)[0] for name in names):
                values = found.unit(flat[places.where].astype(np.float64))
                vectors += [values, places.counts, places.once]
            weights = found.weights
            source = Dense(found) if weights is None else Levels(found, weights)
            return [Ranking(self.size, bool(found.constant), source, *vectors)]
        located = [self.located(name) for name in names]
        host: dict[str, Any] = {}
        for name, array in self.maps.items():
            host[name] = arrays.as_host(arrays.detach(array))
        if all(a is not None for a in host.values()):  # ranks have no gradient to be recorded
            if self._given:
                return Scene(np, host, kind=self.kind, places=self._given)._rankings
            batch = self.shape[:-2]
            singles = ({n: a[index] for n, a in host.items()} for index in np.ndindex(batch))
            return [r for maps in singles for r in Scene(np, maps, kind=self.kind)._rankings]
        units = xp.reshape(arrays.detach(found.unit(found.values)), (-1, self.size))
        ordered = xp.sort(units, axis=-1)
        constant = arrays.to_numpy(found.constant).reshape(-1)
        rankings = []
        for i in range(units.shape[0]):
            vectors = []
            for one in (places[i] for places in located):
                at = arrays.beside(units, arrays.to_numpy(one.where))
                vectors += [arrays.to_numpy(xp.take(units[i, ...], at)), one.counts, one.once]
            ranking = Ranking(self.size, bool(constant[i]), Ordered(xp, ordered[i, ...]), *vectors)
            rankings.append(ranking)
        return rankings

    def per_map(self, reduced: Array) -> Array:
        """What a `Field` reduced, without the axis that it kept."""
        return reduced if self.xp is np else self.xp.reshape(reduced, self.shape[:-2])


def per_map(scene: Scene, value: Any) -> Any:
    """What a kernel found, an array of the batch's shape or a tuple of them."""
    if isinstance(value, tuple):
        return tuple(scene.per_map(v) for v in value)
    return scene.per_map(value)


@contextmanager
def named(index: tuple[int, ...]) -> Iterator[None]:
    """Name the map of a batch in whatever is refused of it; () is a single map."""
    try:
        yield
    except NegativeMapError as error:
        raise (error.of_map(index) if index else error) from None
    except ValueError as error:
        if not index:
            raise
        raise ValueError(f"map {index} of the batch: {error}") from error
