"""`Judged`: predictions beside what people said of the same pictures, checked and aligned."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emomap import io, metrics
from emomap.data.emotion_tables import KNOWN, EmotionTable, canonical, part
from emomap.data.labels import SIX
from emomap.errors import EmomapError, did_you_mean, listed, printable
from emomap.sample import EMOTIONS


@dataclass(frozen=True)
class Judged:
    """Predictions and labels of N pictures.

    Attributes:
        images: ids of the pictures, sorted.
        classes: all emotions that either side has, sorted: C.
        label, predicted: (N,) places in ``classes``, -1 where there is none; None where one of the
            sides has no labels.
        chances: (N, C) predicted probabilities; NaN where a picture has none; or None.
        shares: (N, C) the distributions that people gave, likewise.
        scales: scale -> predicted and true values (N,), NaN where there is none.
        remarks: what the user should know.
    """

    images: tuple[str, ...]
    classes: tuple[str, ...] = ()
    label: NDArray[np.int64] | None = None
    predicted: NDArray[np.int64] | None = None
    chances: NDArray[np.float64] | None = None
    shares: NDArray[np.float64] | None = None
    scales: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(
        default_factory=dict
    )
    remarks: tuple[str, ...] = ()

    @property
    def decided(self) -> NDArray[np.int64]:
        """Places of the pictures that have a label and a predicted one."""
        if self.label is None or self.predicted is None:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero((self.label >= 0) & (self.predicted >= 0))

    @property
    def confidence(self) -> NDArray[np.float64] | None:
        """(N,) the largest probability of each picture; None without probabilities."""
        return None if self.chances is None else self.chances.max(axis=1)


def judge(
    predictions: EmotionTable,
    labels: EmotionTable,
    *,
    allow_missing: bool = False,
    wheel: metrics.emotion.Wheel | None = None,
) -> Judged:
    """Bring predictions and labels together.

    Where one side has a distribution and no label, its label is the likeliest emotion. Of equally
    likely ones, a prediction takes the first in the alphabet; a picture with such a label has none.

    Args:
        predictions, labels: as tables.
        allow_missing: take the pictures that both have, and say which are missing.
        wheel: of the user's own emotions, whose names are then known.

    Raises:
        EmomapError: no picture in common, pictures missing on either side, nothing that both say,
            or an emotion that the other side does not know.
    """
    remarks = [*predictions.remarks, *labels.remarks]
    if predictions.labels and labels.labels and set(labels.labels) == {None}:
        raise EmomapError(f"{labels.source}: it has no label")
    pairs = io.pair(predictions.images, labels.images)
    if not pairs:
        raise EmomapError(
            f"{predictions.source} and {labels.source} have no image in common: "
            f"{listed(predictions.images, 2)} against {listed(labels.images, 2)}"
        )
    remarks += _missing(set(labels.images) - set(pairs), "prediction", predictions, allow_missing)
    unused = set(predictions.images) - set(pairs.values())
    remarks += _missing(unused, "label", labels, allow_missing)
    images = tuple(sorted(pairs))
    place = [{image: at for at, image in enumerate(t.images)} for t in (predictions, labels)]
    predictions = part(predictions, [place[0][pairs[image]] for image in images])
    labels = part(labels, [place[1][image] for image in images])
    scales = {
        name: (predictions.scales[name], labels.scales[name])
        for name in predictions.scales
        if name in labels.scales
    }
    remarks += _apart(scales)
    emotional = [bool(t.labels) or t.shares is not None for t in (predictions, labels)]
    if not (scales or all(emotional)):
        raise EmomapError(
            f"{predictions.source} has {' and '.join(predictions.kinds)}, {labels.source} has "
            f"{' and '.join(labels.kinds)}: nothing that both have can be compared"
        )
    if not all(emotional):
        return Judged(images, scales=scales, remarks=tuple(remarks))
    classes = _classes(predictions, labels, wheel)
    predicted, of_guesses = _decisions(predictions, classes, "prediction")
    label, of_labels = _decisions(labels, classes, "label")
    return Judged(
        images,
        classes,
        label,
        predicted,
        _spread(predictions, classes),
        _spread(labels, classes),
        scales,
        (*remarks, *of_guesses, *of_labels),
    )


def _missing(ids: Collection[str], what: str, where: EmotionTable, allowed: bool) -> list[str]:
    if not ids:
        return []
    line = f"{where.source}: no {what} for {listed(sorted(ids))} ({len(ids)} in all)"
    if not allowed:
        raise EmomapError(f"{line}; --allow-missing scores the images that both sides have")
    return [line]


def _apart(scales: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> list[str]:
    """A remark where predictions and labels can hardly be on one scale."""
    found = []
    for name, (ours, theirs) in scales.items():
        if np.isnan(ours).all() or np.isnan(theirs).all():
            continue
        low, high = np.nanmin(ours), np.nanmax(ours)
        least, most = np.nanmin(theirs), np.nanmax(theirs)
        if high < least or most < low:
            found.append(
                f"{name}: predictions lie in {low:g} to {high:g}, labels in {least:g} to {most:g}; "
                "are both on one scale?"
            )
    return found


def _named(table: EmotionTable) -> set[str]:
    return {name for name in table.labels if name}


def _classes(
    predictions: EmotionTable, labels: EmotionTable, wheel: metrics.emotion.Wheel | None
) -> tuple[str, ...]:
    """All emotions of both sides.

    Raises:
        EmomapError: one side has an emotion that the other does not know.
    """
    ours, theirs = _named(predictions), _named(labels)
    if predictions.classes and labels.classes and predictions.classes != labels.classes:
        odd = sorted(set(predictions.classes) ^ set(labels.classes))
        _unknown(
            *((odd[0], predictions, labels.classes, labels.source)
              if odd[0] in predictions.classes
              else (odd[0], labels, predictions.classes, predictions.source))
        )  # fmt: skip
    columns = {*predictions.classes, *labels.classes}
    sets = [EMOTIONS, SIX, (*SIX, "neutral"), (*EMOTIONS, "neutral")]
    sets += [tuple(canonical(name) for name in wheel.emotions)] if wheel else []
    known = columns or {
        *theirs,
        *(name for one in sets if theirs <= set(one) for name in one),
    }
    for names, table, other in ((theirs, labels, predictions), (ours, predictions, labels)):
        if unknown := sorted(names - known):
            source = other.source if other.classes else labels.source
            _unknown(unknown[0], table, sorted(known), source)
    return tuple(sorted({*columns, *ours, *theirs}))


def _unknown(name: str, table: EmotionTable, known: Sequence[str], source: str) -> None:
    """Refuse an emotion that the other side does not have.

    Raises:
        EmomapError: always.
    """
    at = next((at for at, label in enumerate(table.labels) if label == name), None)
    where = table.lines[at] if at is not None and table.lines else table.source
    hint = did_you_mean(name, {*known, *KNOWN} - {name}) or (
        "; if it is an emotion of this set, name it in a file for --wheel"
    )
    raise EmomapError(
        f"{where}: '{printable(name, 40)}' is no emotion of {source}, which has "
        f"{listed(known)}{hint}"
    )


def _decisions(
    table: EmotionTable, classes: Sequence[str], role: str
) -> tuple[NDArray[np.int64], list[str]]:
    """(N,) the emotion of each picture as a place in ``classes``, -1 for none; and remarks.

    Raises:
        EmomapError: a predicted label is not the likeliest emotion of its own line.
    """
    place = {name: at for at, name in enumerate(classes)}
    given = np.array([place[name] if name else -1 for name in table.labels] or
                     [-1] * len(table.images), dtype=np.int64)  # fmt: skip
    chances = _spread(table, classes)
    if chances is None:
        return given, []
    some = ~np.isnan(chances).any(axis=1)
    top = np.where(some, np.nan_to_num(chances, nan=-1.0).max(axis=1), np.nan)
    ties = some & ((chances == top[:, None]).sum(axis=1) > 1)
    first = np.where(some, np.nan_to_num(chances, nan=-1.0).argmax(axis=1), -1)
    open_ = given < 0
    remarks = []
    if role == "prediction":
        at = np.arange(len(given))
        wrong = np.flatnonzero(~open_ & some & (chances[at, given] < top - 1e-9))
        if wrong.size:
            line = int(wrong[0])
            raise EmomapError(
                f"{table.lines[line]}: predicted is '{classes[given[line]]}', but the likeliest "
                f"emotion of the line is '{classes[first[line]]}'; remove one of the two"
            )
        if count := int((ties & open_).sum()):
            remarks.append(
                f"{table.source}: {count} predictions have several likeliest emotions; taken "
                "is the first in the alphabet"
            )
        return np.where(open_, first, given), remarks
    if count := int((ties & open_).sum()):
        remarks.append(
            f"{table.source}: {count} pictures have several commonest emotions, so no label; they "
            "count where distributions are compared"
        )
    return np.where(open_ & ~ties, first, given), remarks


def _spread(table: EmotionTable, classes: Sequence[str]) -> NDArray[np.float64] | None:
    """(N, C) the distributions over all classes: 0 for an emotion that the table does not have."""
    if table.shares is None:
        return None
    found = np.zeros((len(table.images), len(classes)))
    found[:, [classes.index(name) for name in table.classes]] = table.shares
    found[np.isnan(table.shares).any(axis=1)] = np.nan
    return found
