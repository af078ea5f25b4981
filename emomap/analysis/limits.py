"""How far each method gets from the centre bias (0) to the gold standard (1), by every metric.

For information gain this is *information gain explained*: the share of what the other observers
say of a picture, beyond the centre bias, that the method says as well. What floor and ceiling are
is said in `emomap.scoring.limits`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emomap import metrics
from emomap.analysis.ranking import CEILING, Values
from emomap.method import title as shown
from emomap.scoring.intervals import interval
from emomap.scoring.rows import Row, by_metric
from emomap.scoring.summary import label
from emomap.tables import Table, number

#: Rows of a run folder that hold the values of floor and ceiling. They are no methods.
FLOOR, TOP = "center-bias", "gold-standard"


def findings(
    values: Values, limits: Mapping[str, Sequence[Row]], seed: int, sizes: Sequence[int] = ()
) -> dict[str, Any]:
    """What `summary.json` holds of floor and ceiling below ``limits``; empty without a ceiling.

    Args:
        values: of all methods.
        limits: the rows of `FLOOR` and `TOP`.
        seed: of the intervals.
        sizes: of the groups of observers, see `emomap.scoring.limits`.
    """
    low, high = (by_metric(limits.get(name, ())) for name in (FLOOR, TOP))
    shared = {m: [i for i in high[m] if i in low.get(m, {})] for m in high}
    shared = {metric: images for metric, images in shared.items() if images}
    if not shared:
        return {}
    methods = [name for name, table in values.items() if table and name != CEILING]
    return {
        "limits": {
            "center_bias": _cells(low, shared, seed),
            "gold_standard": _cells(high, shared, seed),
            "share": {name: _shares(values[name], low, high) for name in methods},
            "group_sizes": list(sizes),
        }
    }


def _cells(
    values: Mapping[str, Mapping[str, float]], shared: Mapping[str, Sequence[str]], seed: int
) -> dict[str, Any]:
    return {m: interval([values[m][i] for i in images], seed) for m, images in shared.items()}


def _shares(
    method: Mapping[str, Mapping[str, float]],
    low: Mapping[str, Mapping[str, float]],
    high: Mapping[str, Mapping[str, float]],
) -> dict[str, float]:
    """The shares of a method by metric, where there is a way to go."""
    each = {metric: _share(method, low, high, metric) for metric in high}
    return {metric: share for metric, share in each.items() if share is not None}


def _share(
    method: Mapping[str, Mapping[str, float]],
    low: Mapping[str, Mapping[str, float]],
    high: Mapping[str, Mapping[str, float]],
    metric: str,
) -> float | None:
    """The share of the way on the images that all three have; None where there is no way."""
    column = method.get(metric, {})
    images = [i for i in column if i in low.get(metric, {}) and i in high.get(metric, {})]
    if not images:
        return None
    three = (column, low[metric], high[metric])
    own, floor, top = (float(np.mean([values[i] for i in images])) for values in three)
    if (top - floor) * metrics.CATALOGUE[metric].direction <= 0:
        return None
    return (own - floor) / (top - floor)


def tables(summary: Mapping[str, Any], *, only: Sequence[str] = ()) -> list[Table]:
    """The table of floor, ceiling and shares of a `summary.json`, if it has them.

    Args:
        summary: of the run.
        only: metrics to show, in this order; all by default.
    """
    found = summary.get("limits")
    if not found:
        return []
    there = list(found["gold_standard"])
    names = [metric for metric in only if metric in there] if only else there
    if not names:
        return []
    header = ["", *(label(name) for name in names)]
    rows = [
        [title, *(number(found[key][name]["mean"]) for name in names)]
        for key, title in (("center_bias", "centre bias"), ("gold_standard", "gold standard"))
    ]
    for method, shares in found["share"].items():
        if any(name in shares for name in names):
            cells = [f"{100 * shares[m]:.0f}%" if m in shares else "-" for m in names]
            rows.append([shown(method), *cells])
    n = max(found["gold_standard"][name]["n"] for name in names)
    title = (
        f"How far from the centre bias of the other pictures to the gold standard of the other "
        f"observers; {n} images"
    )
    return [Table(header, rows, title, _notes(found, names))]


def _notes(found: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    notes = [
        "centre bias and gold standard: each metric scores its own map of them; methods: share of "
        "the way"
    ]
    if "info_gain" in names:
        notes.append("the share of information gain is the information gain explained")
    sizes = found.get("group_sizes", [])
    if any("density" in metrics.CATALOGUE[name].inputs for name in names) and sizes:
        how = (
            f"groups of {sizes[0]} observers against as many others, brought to all observers by "
            f"groups of {sizes[1]}"
            if len(sizes) > 1
            else f"groups of {sizes[0]} observer(s), too few to correct for their size"
        )
        notes.append(f"ceiling of metrics of densities: {how}")
    return notes
