"""One prediction, or a batch of them, by many metrics at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from metrics import _arrays as arrays
from metrics._arrays import Array
from metrics._scene import Scene, run
from metrics.catalogue import CATALOGUE, entry
from metrics.location import CONVENTIONS


def evaluate(
    prediction: Array,
    *,
    fixations: Array | None = None,
    density: Array | None = None,
    other: Array | None = None,
    baseline: Array | None = None,
    metrics: Iterable[str] | None = None,
    convention: str = "mit",
    negative: str = "error",
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Score predictions by several metrics, sharing the work between them.

    Args:
        prediction: (..., H, W).
        fixations: (..., H, W) counts, for the AUCs, NSS and information gain.
        density: (..., H, W) for CC, SIM, KL, EMD, JS and MAE.
        other: (..., H, W) or (H, W) counts of other images' fixations, for the shuffled AUC.
        baseline: (..., H, W) or (H, W), the map that information gain is over.
        metrics: names of the catalogue; by default all whose inputs are given.
        convention: see docs/conventions.md.
        negative: what becomes of negative predictions in SIM, KL, EMD, JS and information gain:
            ``"error"``, ``"clip"`` (to zero) or ``"keep"`` (as the reference code).
        options: keyword arguments of single metrics, by name (``{"emd": {"downsize": 16}}``).

    Returns:
        By name, in the order of the catalogue or of ``metrics``: a float for a single map, else
        an array of the batch's shape.

    Raises:
        ValueError: an unknown metric or convention, an input that a named metric needs and that
            is not given, no metric at all, or maps that a metric refuses.
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    truths = {"fixations": fixations, "density": density, "other": other, "baseline": baseline}
    given = {name for name, array in truths.items() if array is not None}
    kernels: dict[str, Callable[[Scene], Any]] = {}
    for name in CATALOGUE if metrics is None else metrics:
        one = entry(name)
        missing = [needed for needed in one.inputs if needed not in given]
        if missing and metrics is None:
            continue
        if missing:
            raise ValueError(f"{name} needs {' and '.join(missing)}, which is not given")
        extra = dict((options or {}).get(name, {}))
        if one.conventional:
            extra["convention"] = convention
        kernels[name] = partial(one.kernel, **extra)
    if not kernels:
        raise ValueError("nothing to score against: give fixations, a density, or both")
    found = run(kernels, {"prediction": prediction, **truths}, negative=negative)
    return {name: value[0] if isinstance(value, tuple) else value for name, value in found.items()}
