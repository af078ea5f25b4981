"""Tables of what was predicted or said of the emotion of pictures, a line a picture.

A table names its pictures in a column, and has a label, a probability or number of votes for each
emotion, valence and arousal, or several of these. What a column is, its name says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emomap import io
from emomap.data import labels
from emomap.data.annotations import ROUNDING
from emomap.data.gaze_tables import IMAGE_COLUMNS
from emomap.data.table import TableRow, read_table
from emomap.data.tree import nfc, stem
from emomap.errors import QUOTED, EmomapError, listed, printable
from emomap.sample import EMOTIONS, Dataset

#: Files that are read as tables.
SUFFIXES = frozenset({".csv", ".tsv"})
#: What the column with the picture's name may be called.
PICTURES = (*IMAGE_COLUMNS, "image_id", "image_name", "name", "path", "id")
#: What the column with a predicted label, and that with a true one, may be called.
GUESSES = ("predicted", "prediction", "predicted_emotion", "predicted_label", "pred")
TRUTHS = ("label", "emotion", "true_label", "true", "truth", "class", "category", "gt")
#: What stands before the emotion in the name of a column of probabilities.
PREFIXES = ("p_", "prob_", "probability_")
#: The scales, and what else the column of each may be called.
SCALES: Mapping[str, tuple[str, ...]] = {
    name: tuple(form.format(name) for form in ("{}", "{}_predicted", "predicted_{}", "{}_mean",
                                               "mean_{}", "pred_{}", "{}_pred"))
    for name in ("valence", "arousal", "dominance")
}  # fmt: skip
#: Columns that say nothing of the emotion.
OTHERS = ("split", "fold", "signature", "confidence")
#: Emotions by whose names columns are recognised.
KNOWN = frozenset({*EMOTIONS, *labels.SIX, "neutral"})

Role = Literal["prediction", "label"]


@dataclass(frozen=True)
class EmotionTable:
    """What a table says of pictures.

    Attributes:
        source: where it comes from, for messages.
        images: ids of the pictures.
        labels: the emotion of each, None where there is none; () if there is no such column.
        classes: the emotions of the distributions, sorted.
        shares: (N, C) distributions, rows in sum 1, NaN where a picture has none; None if there are
            no such columns.
        scales: "valence", "arousal", "dominance" -> (N,), NaN where a picture has none.
        lines: where each picture is in the file, for messages.
        remarks: what the user should know.
    """

    source: str
    images: tuple[str, ...]
    labels: tuple[str | None, ...] = ()
    classes: tuple[str, ...] = ()
    shares: NDArray[np.float64] | None = None
    scales: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def kinds(self) -> list[str]:
        """What the table has, in words."""
        found = ["labels"] * bool(self.labels)
        found += ["distributions over emotions"] * (self.shares is not None)
        return found + list(self.scales)


def canonical(name: str) -> str:
    """The name of an emotion as emomap compares it: in small letters, "sad" as "sadness"."""
    plain = name.strip().strip("'\"").casefold()
    return labels.named(plain, (*EMOTIONS, *labels.SIX)) or plain


def is_table(path: object) -> bool:
    """Whether a path is that of a file that is read as a table."""
    return (
        isinstance(path, str | Path)
        and Path(path).suffix.lower() in SUFFIXES
        and Path(path).is_file()
    )


def picture_id(name: str) -> str:
    """The id of a picture from its name or path in a table."""
    plain = nfc(name.strip()).replace("\\", "/").removeprefix("./").removeprefix("images/")
    suffix = Path(plain).suffix.lower()
    return stem(plain) if suffix in io.IMAGE_SUFFIXES | io.MAP_SUFFIXES else plain


def read_emotions(path: str | Path, role: Role, known: Collection[str] = ()) -> EmotionTable:
    """Read a table.

    Probabilities must sum to 1, within the rounding of a printed table (`ROUNDING`), and are
    divided by their sum. A label's distribution may be numbers of votes.

    Args:
        path: of the file.
        role: what it is: of a table with both, as emomap writes it, one side is taken.
        known: emotions by whose names columns are recognised, beside those that emomap knows.

    Raises:
        EmomapError: it cannot be read, is a table of gaze, names no pictures or one twice, or says
            nothing of emotions; a value that is not a number, negative, or does not sum to 1.
    """
    file = Path(path)
    rows = list(read_table(file, ()))
    if not rows:
        raise EmomapError(f"{file}: it has a header and no lines")
    header = list(rows[0].cells)
    shape = _Shape.of(file, header, role, {canonical(name) for name in known} | KNOWN)
    rows, empty = _filled(rows, shape)
    images = [picture_id(row[shape.image]) for row in rows]
    _check_images(rows, images)
    remarks = []
    if empty:
        remarks.append(f"{file}: {len(empty)} lines say nothing of their picture: {listed(empty)}")
    shares, said = _shares(rows, shape, role)
    texts = [canonical(row[shape.label]) or None for row in rows] if shape.label else []
    return EmotionTable(
        str(file),
        tuple(images),
        tuple(texts),
        tuple(sorted(shape.emotions)),
        shares,
        {name: _numbers(rows, column) for name, column in shape.scales.items()},
        tuple(row.where for row in rows),
        (*remarks, *said),
    )


def of_dataset(dataset: Dataset) -> EmotionTable:
    """What a data set says of its pictures.

    Raises:
        EmomapError: it says nothing of emotions.
    """
    samples = dataset.samples
    classes = tuple(sorted(canonical(name) for name in dataset.classes))
    shares = None
    if any(sample.distribution for sample in samples):
        lines = [
            {canonical(name): share for name, share in (sample.distribution or {}).items()}
            for sample in samples
        ]
        shares = np.array([[line.get(c, 0.0) if line else np.nan for c in classes]
                           for line in lines])  # fmt: skip
    scales = {
        name: np.array([np.nan if (v := getattr(s, name)) is None else v for s in samples])
        for name in ("valence", "arousal")
        if any(getattr(sample, name) is not None for sample in samples)
    }
    if not (dataset.labelled or scales or shares is not None):
        raise EmomapError(f"{dataset.name}: this data set says nothing of emotions")
    return EmotionTable(
        dataset.name,
        tuple(sample.id for sample in samples),
        tuple(canonical(s.emotion) if s.emotion else None for s in samples)
        if dataset.labelled
        else (),
        classes if shares is not None else (),
        shares,
        scales,
        tuple(f"{dataset.name}, {sample.id}" for sample in samples),
    )


def part(table: EmotionTable, keep: Sequence[int]) -> EmotionTable:
    """Some of the pictures, in the order of their places."""
    at = np.asarray(keep, dtype=np.int64)
    return replace(
        table,
        images=tuple(table.images[i] for i in keep),
        labels=tuple(table.labels[i] for i in keep) if table.labels else (),
        shares=None if table.shares is None else table.shares[at],
        scales={name: values[at] for name, values in table.scales.items()},
        lines=tuple(table.lines[i] for i in keep) if table.lines else (),
    )


@dataclass(frozen=True)
class _Shape:
    """Which column is what.

    Attributes:
        image: names the picture.
        label: has a label, or "".
        emotions: emotion -> column of its probability or votes.
        scales: scale -> column.
    """

    image: str
    label: str
    emotions: Mapping[str, str]
    scales: Mapping[str, str]

    @classmethod
    def of(cls, file: Path, header: Sequence[str], role: Role, known: Collection[str]) -> _Shape:
        """What the names of the columns say.

        Raises:
            EmomapError: a table of gaze, no column for the picture, or nothing of emotions.
        """
        shown = printable(",".join(header), QUOTED)
        if {"x", "y"} <= set(header):
            raise EmomapError(
                f"{file}: it has columns x and y, so it is a table of gaze; here a table of "
                "emotions is wanted, with labels, probabilities, or valence and arousal"
            )
        image = next((name for name in PICTURES if name in header), "")
        if not image:
            raise EmomapError(
                f"{file}: no column names the pictures; call it image (its header is '{shown}')"
            )
        order = (*GUESSES, *TRUTHS) if role == "prediction" else TRUTHS
        label = next((name for name in order if name in header and name != image), "")
        scales = {
            name: column
            for name, names in SCALES.items()
            if (column := next((n for n in _ordered(names, role) if n in header), ""))
        }
        both = role == "label" and any(name in header for name in GUESSES)
        named = {
            image,
            *GUESSES,
            *TRUTHS,
            *OTHERS,
            *(n for names in SCALES.values() for n in names),
        }
        rest = [name for name in header if name not in named]
        emotions = {} if both else _emotions(file, rest, known, alone=not (label or scales))
        if not (label or emotions or scales):
            raise EmomapError(
                f"{file}: nothing in it is known to be of emotions (its header is '{shown}'); it "
                "needs a column 'emotion' with labels, one for each emotion called p_EMOTION, or "
                "valence and arousal"
            )
        return cls(image, label, emotions, scales)


def _ordered(names: Sequence[str], role: Role) -> Sequence[str]:
    """Of a table with both sides, a prediction is called so."""
    return names if role == "label" else (*names[1:], names[0])


def _emotions(
    file: Path, rest: Sequence[str], known: Collection[str], *, alone: bool
) -> dict[str, str]:
    """Emotion -> its column, of columns that are not known to be anything else.

    Columns with a prefix are taken, or all where two of them have names of emotions, or where there
    is nothing else that they could be.

    Raises:
        EmomapError: two columns of one emotion.
    """
    prefixed = {name: p for name in rest for p in PREFIXES if name.startswith(p) and name != p}
    if len(prefixed) >= 2:
        found = [(canonical(name.removeprefix(p)), name) for name, p in prefixed.items()]
    elif sum(canonical(name) in known for name in rest) >= 2 or (alone and len(rest) >= 2):
        found = [(canonical(name), name) for name in rest]
    else:
        return {}
    names = [name for name, _ in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise EmomapError(f"{file}: two columns are of the emotion '{printable(twice, QUOTED)}'")
    return dict(found)


def _filled(rows: Sequence[TableRow], shape: _Shape) -> tuple[list[TableRow], list[str]]:
    """The lines that say something, and the pictures of those that do not."""
    wanted = [*([shape.label] if shape.label else []), *shape.emotions.values(),
              *shape.scales.values()]  # fmt: skip
    kept = [row for row in rows if any(row[column] for column in wanted)]
    if not kept:
        raise EmomapError(f"{rows[0].file}: all its lines are empty")
    lost = [row[shape.image] for row in rows if not any(row[column] for column in wanted)]
    return kept, lost


def _check_images(rows: Sequence[TableRow], images: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for row, image in zip(rows, images, strict=True):
        if not image:
            raise EmomapError(f"{row.where}: the name of the picture is missing")
        if image in first:
            raise EmomapError(
                f"{row.where}: '{printable(image, QUOTED)}' appears twice, first on line "
                f"{first[image]}"
            )
        first[image] = row.line


def _numbers(rows: Sequence[TableRow], column: str) -> NDArray[np.float64]:
    """A column of numbers; NaN where a cell is empty."""
    return np.array([row.number(column) if row[column] else np.nan for row in rows])


def _shares(
    rows: Sequence[TableRow], shape: _Shape, role: Role
) -> tuple[NDArray[np.float64] | None, list[str]]:
    """(N, C) distributions in the order of the sorted emotions, and remarks.

    Raises:
        EmomapError: a value that is not a number or negative, or a line that does not sum to 1.
    """
    if not shape.emotions:
        return None, []
    columns = [shape.emotions[name] for name in sorted(shape.emotions)]
    some = np.array([any(row[column] for column in columns) for row in rows])
    values = np.full((len(rows), len(columns)), np.nan)
    for at in np.flatnonzero(some).tolist():
        values[at] = [rows[at].number(column) for column in columns]
    given = values[some]
    negative = np.argwhere(values < 0)
    if negative.size:
        at, column = (int(i) for i in negative[0])
        raise EmomapError(
            f"{rows[at].where}: {columns[column]} is {values[at, column]:g}; a distribution has no "
            "negative values (of logits, take the softmax)"
        )
    totals = values.sum(axis=1)
    votes = bool((given == np.floor(given)).all() and (totals[some] > 1).any())
    if votes and role == "label":
        if (totals[some] == 0).any():
            at = int(np.flatnonzero(some & (totals == 0))[0])
            raise EmomapError(f"{rows[at].where}: nobody voted; leave the line out")
        return values / totals[:, None], [f"{rows[0].file}: whole numbers, so votes"]
    wrong = np.flatnonzero(some & (np.abs(totals - 1) > ROUNDING))
    if wrong.size:
        at = int(wrong[0])
        advice = "divide each line by its sum" if role == "prediction" else (
            "or the whole table must be numbers of votes"
        )  # fmt: skip
        raise EmomapError(
            f"{rows[at].where}: the probabilities sum to {totals[at]:g} and must sum to 1; {advice}"
        )
    return values / totals[:, None], []
