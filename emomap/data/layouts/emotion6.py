"""Emotion6 (Peng, Chen, Sadovnik, Gallagher, CVPR 2015): 1,980 images, 15 people each.

``ground_truth.txt`` has valence, arousal and a distribution over six emotions and neutral. The
label is the most probable of the seven; ``data.label=folder`` takes the search keyword instead.
"""

from __future__ import annotations

from emomap.data import labels, splits
from emomap.data.reading import Finder, Reading, ids
from emomap.data.table import read_table
from emomap.data.tree import Tree
from emomap.errors import EmomapError
from emomap.sample import EMOTIONS, Dataset, Sample

SOURCE = "Peng et al., A Mixed Bag of Emotions, CVPR 2015"
TABLE = "ground_truth.txt"
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
        EmomapError: the table lacks a column, or has a value that is not a number.
    """
    how = reading.option("label", "dominant", ("dominant", "folder"))
    paths = [path[len("images/") :] for path in tree.images("images")]
    identities = ids(paths, reading)
    found: dict[str, str | None] = {}
    if how == "folder":
        for path, identity in zip(paths, identities, strict=True):
            found[identity] = labels.named(path.split("/")[0], labels.SIX)
    else:
        found = _dominant(tree, Finder(paths, identities), reading)
    absent = [identity for identity in identities if identity not in found]
    reading.note_some(absent, f"pictures are not in {TABLE} and have no label")
    ties = [identity for identity, emotion in found.items() if emotion is None]
    reading.note_some(ties, "pictures have two emotions of equal probability, so no label")
    reading.note(splits.NOTE)
    reading.note(
        "label: the most probable of six emotions and neutral"
        if how == "dominant"
        else "label: the folder, that is the keyword that found the picture"
    )
    samples = [
        Sample(identity, tree.file("images/" + path), found.get(identity))
        for path, identity in zip(paths, identities, strict=True)
    ]
    classes = CLASSES if how == "dominant" else labels.SIX
    return Dataset("emotion6", splits.assign(samples), classes, source=SOURCE)


def _dominant(tree: Tree, finder: Finder, reading: Reading) -> dict[str, str | None]:
    file = tree.file(TABLE)
    found: dict[str, str | None] = {}
    lost = []
    for row in read_table(file, ("[image_filename]",)):
        votes = {}
        for column in row.cells:
            name = labels.named(column.strip("[]").removeprefix("prob. "), (*EMOTIONS, *CLASSES))
            if name in CLASSES:
                votes[name] = row.number(column)
        if len(votes) != len(CLASSES):
            raise EmomapError(
                f"{file}: has probabilities of {', '.join(sorted(votes)) or 'no emotion'}; "
                f"expected columns [prob. NAME] for {', '.join(CLASSES)}"
            )
        identity = finder(row["[image_filename]"])
        if identity is None:
            lost.append(row["[image_filename]"])
        else:
            found[identity] = labels.most(votes)
    reading.note_some(lost, f"lines of {TABLE} have no picture here")
    return found
