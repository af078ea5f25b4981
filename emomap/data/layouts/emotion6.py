"""Emotion6 (Peng, Chen, Sadovnik, Gallagher, CVPR 2015): 1,980 images, 15 people each.

``ground_truth.txt`` has valence, arousal and a distribution over six emotions and neutral. The
label is the most probable of the seven; ``data.label=folder`` takes the search keyword instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emomap.data import labels, splits
from emomap.data.annotations import ROUNDING, as_shares, rating
from emomap.data.reading import Finder, Reading, ids
from emomap.data.table import read_table
from emomap.data.tree import Tree
from emomap.errors import EmomapError
from emomap.sample import EMOTIONS, Dataset, Sample

SOURCE = "Peng et al., A Mixed Bag of Emotions, CVPR 2015"
TABLE = "ground_truth.txt"
#: Least and greatest value of the scales of valence and arousal.
AFFECT_RANGE = (1.0, 9.0)
CLASSES = tuple(sorted((*labels.SIX, "neutral")))


def recognise(tree: Tree) -> str | None:
    """Why this is Emotion6, or None."""
    inside = tree.children("images")
    if tree.has(TABLE) and labels.class_folders(inside, labels.SIX):
        return f"images/<emotion>/ and {TABLE}"
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set.

    Raises:
        EmomapError: the table lacks a column, or has a value that is not a number or off the scale.
    """
    how = reading.option("label", "dominant", ("dominant", "folder"))
    paths = [path[len("images/") :] for path in tree.images("images")]
    identities = ids(paths, reading)
    table = _table(tree, Finder(paths, identities), reading)
    found: dict[str, str | None] = {}
    if how == "folder":
        for path, identity in zip(paths, identities, strict=True):
            found[identity] = labels.named(path.split("/")[0], labels.SIX)
    else:
        found = {identity: labels.most(entry.shares) for identity, entry in table.items()}
    absent = [identity for identity in identities if identity not in found]
    reading.note_some(absent, f"pictures are not in {TABLE} and have no label")
    ties = [identity for identity, emotion in found.items() if emotion is None]
    reading.note_some(ties, "pictures have two emotions of equal probability, so no label")
    reading.note(splits.NOTE)
    reading.note(
        "label: the most probable of six emotions and neutral"
        if how == "dominant"
        else "label: the folder, that is the keyword that found the picture; no distributions, "
        "since these have neutral, too"
    )
    nothing = SixShares({})
    samples = [
        Sample(
            identity,
            tree.file("images/" + path),
            found.get(identity),
            distribution=table.get(identity, nothing).shares or None if how == "dominant" else None,
            valence=table.get(identity, nothing).valence,
            arousal=table.get(identity, nothing).arousal,
        )
        for path, identity in zip(paths, identities, strict=True)
    ]
    classes = CLASSES if how == "dominant" else labels.SIX
    return Dataset(
        "emotion6", splits.assign(samples), classes, source=SOURCE, affect_range=AFFECT_RANGE
    )


@dataclass(frozen=True)
class SixShares:
    """A line of the table: shares of people for each emotion, and the mean ratings."""

    shares: Mapping[str, float]
    valence: float | None = None
    arousal: float | None = None


def _table(tree: Tree, finder: Finder, reading: Reading) -> dict[str, SixShares]:
    file = tree.file(TABLE)
    found: dict[str, SixShares] = {}
    lost, inexact = [], []
    for row in read_table(file, ("[image_filename]",)):
        shares = {}
        for column in row.cells:
            name = labels.named(column.strip("[]").removeprefix("prob. "), (*EMOTIONS, *CLASSES))
            if name in CLASSES:
                shares[name] = row.number(column)
        if len(shares) != len(CLASSES):
            raise EmomapError(
                f"{file}: has probabilities of {', '.join(sorted(shares)) or 'no emotion'}; "
                f"expected columns [prob. NAME] for {', '.join(CLASSES)}"
            )
        total = sum(shares.values())
        if min(shares.values()) < 0 or not total:
            raise EmomapError(f"{row.where}: probabilities below 0, or all 0")
        identity = finder(row["[image_filename]"])
        if identity is None:
            lost.append(row["[image_filename]"])
            continue
        if abs(total - 1) > ROUNDING:
            inexact.append(identity)
        rated = [
            rating(row, column, AFFECT_RANGE, reading) if column in row.cells else None
            for column in ("[valence]", "[arousal]")
        ]
        found[identity] = SixShares(as_shares(shares), *rated)
    reading.note_some(lost, f"lines of {TABLE} have no picture here")
    reading.note_some(inexact, "pictures have probabilities that do not sum to 1; made to")
    return found
