"""Scenes whose values cannot be looked at: under torch.vmap, torch.func and torch.compile.

There no value decides which way a computation goes, and nothing can be refused for its values.
What would be refused elsewhere (NaN, negative values, a density without mass, no fixation, counts
that are none) makes a score NaN here. Imported only where torch is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import array_api_compat.torch as compat

from . import _arrays as arrays
from ._field import Field
from ._ranking import Ranking
from ._scene import SLIGHT, Kernel, Scene, per_map
from ._types import Array

#: What `torch` has, too.
torch: Any = compat
THERE = "under torch.vmap, torch.func and torch.compile"


def run_traced(
    kernels: Mapping[str, Kernel],
    maps: Mapping[str, Any],
    negative: str,
    **chosen: Any,
) -> dict[str, Any]:
    """`metrics._run.run` of such arguments. Every one of them is a map.

    Raises:
        ValueError: shapes that do not fit, or a mask or weights.
    """
    for name, value in chosen.items():
        if value is not None:
            raise ValueError(f"{name} cannot be used {THERE}; leave it out, or call eagerly")
    like = next(a for a in maps.values() if isinstance(a, torch.Tensor))
    given = {
        name: a if isinstance(a, torch.Tensor) else torch.as_tensor(a, device=like.device)
        for name, a in maps.items()
    }
    for name, array in given.items():
        if array.ndim < 2 or array.is_complex():
            raise ValueError(
                f"{name} is {tuple(array.shape)} of {array.dtype}; {THERE} every argument is a map "
                "of real numbers (..., height, width)"
            )
    arrays.same_size(given)
    batch = torch.broadcast_shapes(*(a.shape[:-2] for a in given.values()))
    given = {name: a.expand(*batch, *a.shape[-2:]) for name, a in given.items()}
    scene = TracedScene(torch, given, negative)
    return {name: scene.result(kernel(scene)) for name, kernel in kernels.items()}


class TracedScene(Scene):
    """A scene that refuses nothing, and remembers what it would have refused."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.refused: list[Array] = []  # (..., 1) of bool

    def result(self, value: Any) -> Any:
        """What a kernel found, and NaN where an argument would have been refused."""
        if isinstance(value, tuple):
            return tuple(self.result(v) for v in value)
        found = per_map(self, value)
        for refused in self.refused:
            found = self.xp.where(per_map(self, refused), float("nan"), found)
        return found

    def by_ranking(self, function: Callable[[Ranking], Any]) -> Any:
        raise ValueError(f"an AUC counts pixels and cannot be computed {THERE}; call it eagerly")

    def picture(self, name: str) -> Array:
        raise ValueError(f"EMD cannot be computed {THERE}; call it eagerly")

    def check_density(self, found: Field) -> None:
        self.refused.append((found.total == 0.0) & (found.low == found.high))

    def _check_finite(self, given: Array, signs: tuple[Array, ...], name: str) -> None:
        for sign in signs:
            self.refused.append(~self.xp.isfinite(sign))

    def _any_extreme(self, extreme: Array) -> bool:
        return True

    def _checked(self, name: str, found: Field) -> Field:
        if name == "density":
            self.check_density(found)
        if self.negative == "keep" and name == "prediction":
            return found
        if self.negative == "error" or name != "prediction":
            self.refused.append(found.low < -SLIGHT * self.xp.abs(found.high))
        values = arrays.clipped(self.xp, found.values)
        return Field(self.xp, values, clipped=True, scale=found.scale)

    def _check_located(self) -> None:
        counts = arrays.flat(self.xp, self.maps["fixations"])
        counts = arrays.float64(self.xp, counts)
        wrong = (counts < 0) | (counts != self.xp.floor(counts))
        self.refused.append(self.xp.any(wrong, axis=-1, keepdims=True))
