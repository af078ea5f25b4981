"""The one way in for every metric: kernels on the arguments of a metric, map by map or together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from . import _arrays as arrays
from ._inputs import Inputs, masked, prepare
from ._scene import NEGATIVE, Kernel, Scene, named, per_map
from ._types import Array


def run(
    kernels: Mapping[str, Kernel],
    maps: Mapping[str, Any],
    *,
    negative: str = "error",
    any_size: bool = False,
    mask: Any = None,
    weights: Any = None,
    kind: str = "auto",
) -> dict[str, Any]:
    """Compute kernels on the arguments of a metric: the one way in for every metric.

    Args:
        kernels: functions of a `Scene`, by name. One that returns a tuple computes several numbers.
        maps: the arguments by name, "prediction" first.
        negative: see `Scene`.
        any_size: the maps of one scene may differ in height and width.
        mask, weights, kind: see `metrics._inputs.prepare`.

    Returns:
        By name: a float for a single NumPy map, else an array of the batch's shape (a tuple of
        these where the kernel returns a tuple). A tensor comes back as a tensor on its device.
    """
    arrays.choice(negative, NEGATIVE, "negative")
    if arrays.traced(maps.values()):
        from ._traced import run_traced

        return run_traced(kernels, maps, negative, mask=mask, weights=weights)
    inputs = prepare(maps, mask=mask, weights=weights, kind=kind, any_size=any_size)
    given = inputs.maps
    xp = arrays.namespace(*given.values())
    if xp is np:
        return _by_member(np, kernels, inputs, negative)
    like = next(a for a in given.values() if arrays.is_foreign(a))
    host = {name: arrays.as_host(a) for name, a in given.items()}
    if all(a is not None for a in host.values()):
        found = _by_member(np, kernels, replace(inputs, maps=host), negative)
        return {name: _beside(like, value) for name, value in found.items()}
    given = {n: a if arrays.is_foreign(a) else arrays.beside(like, a) for n, a in given.items()}
    if not inputs.plain:
        return _by_member(xp, kernels, replace(inputs, maps=given), negative)
    scene = Scene(xp, given, negative, kind=kind)
    try:
        return {name: per_map(scene, kernel(scene)) for name, kernel in kernels.items()}
    except ValueError:
        if not inputs.batch:
            raise
        _by_member(xp, kernels, replace(inputs, maps=given), negative)  # names the first at fault
        raise


def _beside(like: Array, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(arrays.beside(like, v) for v in value)
    return arrays.beside(like, value)


def _by_member(
    xp: Any, kernels: Mapping[str, Kernel], inputs: Inputs, negative: str
) -> dict[str, Any]:
    """Map by map, so that a batch has the values of single calls and needs no more memory."""
    found: dict[str, list[Any]] = {name: [] for name in kernels}
    for index, maps, mask, points in inputs.members():
        with named(index):
            frame = None
            if mask is not None:
                maps, points, frame = masked(xp, maps, mask, points, inputs.kind)
            scene = Scene(xp, maps, negative, kind=inputs.kind, places=points, frame=frame)
            for name, kernel in kernels.items():
                value = kernel(scene)
                found[name].append(_scalar(value) if xp is np else per_map(scene, value))
    if not inputs.batch:
        return {name: values[0] for name, values in found.items()}
    return {name: _stack(xp, values, inputs.batch) for name, values in found.items()}


def _scalar(value: Any) -> Any:
    return tuple(float(v) for v in value) if isinstance(value, tuple) else float(value)


def _stack(xp: Any, values: list[Any], batch: tuple[int, ...]) -> Any:
    if values and isinstance(values[0], tuple):
        return tuple(_stack(xp, list(column), batch) for column in zip(*values, strict=True))
    if xp is np:
        return np.array(values, dtype=np.float64).reshape(batch)
    return xp.reshape(xp.stack(values), batch)
