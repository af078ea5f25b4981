"""One prediction, or a batch of them, by many metrics at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from . import _arrays as arrays
from . import stimulus
from ._conventions import CONVENTIONS, Kind
from ._run import run
from ._scene import Scene
from ._types import Array
from .catalogue import CATALOGUE, Metric, entry
from .location import generator


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
    mask: Array | None = None,
    weights: Array | None = None,
    kind: Kind = "auto",
) -> dict[str, Any]:
    """Score predictions by several metrics, sharing the work between them.

    Parameters
    ----------
    prediction : (..., H, W) array_like
        NumPy or torch.
    fixations : (..., H, W) or (N, 2) array_like, or a list of (N, 2), optional
        Counts or points (see `auc_judd`), for the AUCs, NSS and information gain.
    density : (..., H, W) array_like, optional
        For CC, SIM, KL, EMD, JS and MAE.
    other : (..., H, W), (H, W) or (N, 2) array_like, or a list of (N, 2), optional
        Counts or points of other images' fixations, for the shuffled AUC.
    baseline : (..., H, W) or (H, W) array_like, optional
        The map that information gain is over.
    metrics : iterable of str, optional
        Names of the catalogue; by default all whose inputs are given. ``"precision_recall"``,
        which is three numbers, is computed where it is named.
    convention : {"mit", "tuebingen"}
        See docs/conventions.md.
    negative : {"error", "clip", "keep"}
        What becomes of negative predictions in SIM, KL, EMD, JS, MAE and information gain:
        refused, set to zero, or left to the formula as in the reference code.
    options : mapping, optional
        Keyword arguments of single metrics, by name: ``{"emd": {"downsize": 16}}``.
    mask, weights, kind
        As in `auc_judd`.

    Returns
    -------
    dict
        By name, in the order of the catalogue or of ``metrics``: a float for a single NumPy map,
        else an array of the batch's shape. Of ``"precision_recall"`` a `PrecisionRecall` of these.

    Raises
    ------
    ValueError
        An unknown metric or convention, an input that a named metric needs and that is not given,
        nothing to score against, options that do not exist, or maps that a metric refuses.

    Examples
    --------
    >>> import numpy as np
    >>> density = np.arange(6.0).reshape(2, 3)
    >>> evaluate(density, density=density, metrics=["cc", "sim"])
    {'cc': 1.0, 'sim': 1.0}
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    truths = {"fixations": fixations, "density": density, "other": other, "baseline": baseline}
    given = {name for name, array in truths.items() if array is not None}
    kernels: dict[str, Callable[[Scene], Any]] = {}
    wanted = [metrics] if isinstance(metrics, str) else metrics
    for name in CATALOGUE if wanted is None else wanted:
        one = _PRECISION_RECALL if name == _PRECISION_RECALL.name else entry(name)
        missing = [needed for needed in one.inputs if needed not in given]
        if missing and wanted is None:
            continue
        if missing:
            raise ValueError(f"{name} needs {' and '.join(missing)}, which is not given")
        extra = _options(one, (options or {}).get(name, {}))
        if one.conventional:
            extra["convention"] = convention
        kernels[name] = partial(one.kernel, **extra)
    unknown = set(options or {}) - set(CATALOGUE) - {_PRECISION_RECALL.name}
    if unknown:
        raise ValueError(f"options name '{min(unknown)}', which is not a metric of the catalogue")
    if not kernels:
        raise ValueError("nothing to score against: give fixations, a density, or both")
    maps = {"prediction": prediction, **{n: a for n, a in truths.items() if a is not None}}
    found = run(kernels, maps, negative=negative, mask=mask, weights=weights, kind=kind)
    return {name: _result(name, value) for name, value in found.items()}


#: Three numbers under one name, so it is not in the catalogue.
_PRECISION_RECALL = replace(
    CATALOGUE["mae"],
    name="precision_recall",
    long_name="precision and recall",
    direction=+1,
    settings={},
    function=stimulus.precision_recall,
    kernel=stimulus.precision_recall_kernel,
)


def _result(name: str, value: Any) -> Any:
    """What `evaluate` gives of what a kernel found."""
    if name == _PRECISION_RECALL.name:
        return stimulus.PrecisionRecall(*value)
    return value[0] if isinstance(value, tuple) else value


@cache
def _known(kernel: Callable[..., Any]) -> frozenset[str]:
    """The options of a kernel."""
    return frozenset(inspect.signature(kernel).parameters) - {"scene", "convention", "bound"}


def _options(one: Metric, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of a metric as its kernel takes them."""
    found = dict(given)
    known = _known(one.kernel)
    unknown = set(found) - known
    if unknown:
        raise ValueError(
            f"options of {one.name} name '{min(unknown)}'; here it takes "
            f"{', '.join(sorted(known)) or 'none'}"
        )
    if "rng" in known and found:
        found["rng"] = generator(found.get("splits"), found.get("rng"))
    return found
