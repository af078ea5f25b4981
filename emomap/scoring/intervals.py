"""The interval of a mean over images: which one, how it is shown, when it is rough.

Every table takes its intervals from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from emomap import metrics

#: The method of `metrics.statistics.mean_interval`, as a signature names it.
METHOD: Final = "t"
#: Method -> its name in a title. 0.1 had the last one, and did not say so in its files.
NAMES = {
    METHOD: "Student's t interval",
    "percentile": "bootstrap interval",
    "by-measure": "interval (Wilson's of a share, bootstrap of a set, else t)",
    "of-differences": "interval (Student's t, of a measure of the whole set a bootstrap)",
}


def interval(values: Sequence[float], seed: int = 0) -> dict[str, Any]:
    """Mean with its 95% interval over images: mean, low, high, n.

    Without a value, mean, low and high are None; of a single one, low and high.

    Args:
        values: of the images.
        seed: of methods that draw.
    """
    if not values:
        return {"mean": None, "low": None, "high": None, "n": 0}
    return vars(metrics.statistics.mean_interval(values, method=METHOD, seed=seed)).copy()


def named(method: str, cells: Iterable[Mapping[str, Any]]) -> str:
    """The intervals of a table in words: "95% Student's t interval (rough: n < 10)".

    Args:
        method: a key of `NAMES`.
        cells: mean, low, high, n of each mean that is shown.
    """
    few = any(1 < cell["n"] < metrics.statistics.ROUGH for cell in cells)
    return f"95% {NAMES[method]}" + f" (rough: n < {metrics.statistics.ROUGH})" * few
