"""Measures that only a whole set has (macro-F1, ECE, CCC), of columns that a file can keep.

`emomap score` writes the columns beside the values of each picture, so that `emomap compare` can
draw the pictures of two methods anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import metrics
from emomap.scoring.emotions.judged import Judged
from emomap.scoring.intervals import METHOD, interval
from emomap.scoring.measures import NAMES, SCALES, Facts

#: Measures of a whole set that need labels.
OF_LABELS = ("balanced_accuracy", "f1", "cohen_kappa", "emc")
#: Measures that are 0 or 1 of a picture.
SHARES = ("accuracy", "polarity_accuracy")
_OF_SCALES = ("ccc", "pearson", "rmse")


def facts_of(judged: Judged) -> dict[str, dict[str, str | float | None]]:
    """image -> column -> what a file keeps of it."""
    columns: dict[str, Sequence[str | float | None]] = {}
    if judged.label is not None and judged.predicted is not None:
        for name, codes in (("label", judged.label), ("predicted", judged.predicted)):
            columns[name] = [judged.classes[at] if at >= 0 else None for at in codes.tolist()]
    if judged.confidence is not None and judged.label is not None:
        columns["confidence"] = _numbers(judged.confidence)
    for scale, (ours, theirs) in judged.scales.items():
        columns[f"{scale}_true"] = _numbers(theirs)
        columns[f"{scale}_predicted"] = _numbers(ours)
    return {
        image: {name: column[at] for name, column in columns.items()}
        for at, image in enumerate(judged.images)
    }


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]


@dataclass(frozen=True)
class SetColumns:
    """SetColumns of N pictures for the measures of a whole set.

    Attributes:
        values: column -> (N,): label and predicted as places in ``classes``, the others numbers.
        classes: the emotions that occur.
        wheel: for EMC, or None where an emotion is not on it.
    """

    values: Mapping[str, NDArray[Any]]
    classes: tuple[str, ...] = ()
    wheel: metrics.emotion.Wheel | None = None

    @property
    def n(self) -> int:
        """Number of pictures."""
        return len(next(iter(self.values.values())))

    def at(self, indices: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """SetColumns of some pictures, (..., n)."""
        return {name: column[indices] for name, column in self.values.items()}

    def measured(self, columns: Mapping[str, NDArray[Any]], names: Sequence[str]) -> Any:
        """Some measures of columns (..., n): name -> (...), NaN where a set has no value."""
        found: dict[str, Any] = {}
        kernels = metrics.emotion.classes
        if set(names) & set(OF_LABELS):
            counts = metrics.emotion.confusion_matrix(
                columns["predicted"], columns["label"], classes=self.classes
            )
            for name in set(names) & set(OF_LABELS):
                on_wheel = {"wheel": self.wheel, "classes": self.classes} if name == "emc" else {}
                found[name] = getattr(kernels, f"{name}_kernel")(counts, **on_wheel)
        if "expected_calibration_error" in names:
            right = (columns["predicted"] == columns["label"]).astype(np.float64)
            found["expected_calibration_error"] = metrics.emotion.calibration.calibration_error(
                columns["confidence"], right
            )
        for name in names:
            scale, _, own = name.partition("_")
            if scale in SCALES:
                function = metrics.emotion.CATALOGUE[own].function
                found[name] = function(columns[f"{scale}_predicted"], columns[f"{scale}_true"])
        return {name: np.asarray(found[name]) for name in names}


def needed(measure: str) -> tuple[str, ...]:
    """The columns that a measure of a whole set needs; () for a mean over pictures."""
    if measure in OF_LABELS:
        return ("label", "predicted")
    if measure == "expected_calibration_error":
        return ("label", "predicted", "confidence")
    scale, _, own = measure.partition("_")
    if scale in SCALES and own in _OF_SCALES:
        return (f"{scale}_true", f"{scale}_predicted")
    return ()


def interval_kind(measure: str) -> str:
    """The method of the interval of a measure, as a signature names it."""
    return "percentile" if needed(measure) else "wilson" if measure in SHARES else METHOD


def mean_of(measure: str, values: Sequence[float]) -> dict[str, Any]:
    """Mean over pictures with its 95% interval: mean, low, high, n."""
    if measure in SHARES and values:
        found = metrics.statistics.proportion_interval(round(sum(values)), len(values))
        return vars(found).copy()
    return interval(values)


def of_facts(
    facts: Mapping[str, Facts],
    images: Sequence[str],
    names: Sequence[str],
    wheel: metrics.emotion.Wheel | None,
    others: Sequence[Mapping[str, Facts]] = (),
) -> SetColumns:
    """SetColumns of some pictures, by what a file keeps of them.

    Args:
        facts: image -> column -> value.
        images: which pictures, each of which has all the columns.
        names: the columns.
        wheel: for EMC.
        others: of other methods, whose emotions belong to the classes, too.
    """
    named = [name for name in names if name in NAMES]
    occurring = {
        str(f[image][name]) for f in (facts, *others) for image in images for name in named
    }
    classes = tuple(sorted(occurring))
    place = {name: at for at, name in enumerate(classes)}
    values: dict[str, NDArray[Any]] = {}
    for name in names:
        cells = [facts[image][name] for image in images]
        if name in NAMES:
            values[name] = np.array([place[str(cell)] for cell in cells], dtype=np.int64)
        else:
            values[name] = np.array(cells, dtype=np.float64)
    usable = wheel if wheel is not None and classes and not wheel.missing(classes) else None
    return SetColumns(values, classes, usable)
