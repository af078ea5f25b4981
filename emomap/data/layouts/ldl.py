"""Flickr_LDL and Twitter_LDL (Yang, Sun & Sun, AAAI 2017): votes for eight emotions.

11,150 pictures of Flickr seen by 11 people, 10,045 of Twitter seen by 8. ``images/`` and
``ground_truth.txt``: a header of emotions, then the name of a picture and its votes, split by
spaces, tabs or commas. In another form that circulates, ``ground_truth_train.txt`` and
``ground_truth_test.txt`` have no header; the order is then `ORDER`, and a last number, the class,
is left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from emomap.data import labels, splits
from emomap.data.annotations import ROUNDING, as_shares
from emomap.data.reading import Finder, Reading, ids
from emomap.data.table import read_text
from emomap.data.tree import Tree
from emomap.errors import QUOTED, EmomapError, printable
from emomap.io.files import File
from emomap.sample import EMOTIONS, Dataset, Sample, Split

SOURCE = (
    "Yang, Sun & Sun, Learning Visual Sentiment Distributions via Augmented Conditional "
    "Probability Neural Network, AAAI 2017"
)
TABLES: dict[str, Split | None] = {
    "ground_truth.txt": None,
    "ground_truth_train.txt": "train",
    "ground_truth_test.txt": "test",
}
#: The emotions in the order of the authors' header.
ORDER = (
    "amusement",
    "awe",
    "contentment",
    "excitement",
    "anger",
    "disgust",
    "fear",
    "sadness",
)


def recognise(tree: Tree) -> str | None:
    """Why this is Flickr_LDL or Twitter_LDL, or None."""
    found = _tables(tree)
    if found and tree.images("images") and not tree.children("images"):
        return f"images/ without folders and {', '.join(found)}"
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set. The label is the emotion with the most votes.

    Raises:
        EmomapError: a table is not as expected (names the line).
    """
    paths = [path[len("images/") :] for path in tree.images("images")]
    identities = ids(paths, reading)
    finder = Finder(paths, identities)
    asked: dict[str, dict[str, float]] = {}
    given: dict[str, Split] = {}
    lost = []
    for name in _tables(tree):
        split = TABLES[name]
        for image, line, where in _lines(tree.file(name)):
            identity = finder(image)
            if identity is None:
                lost.append(image)
                continue
            if asked.setdefault(identity, line) != line:
                reading.fault(f"{where}: '{image}' is listed before, with other values; keep one")
            if split and given.setdefault(identity, split) != split:
                reading.fault(f"{where}: '{image}' is in both the training and the test list")
    reading.note_some(lost, "lines have no picture here")
    reading.note_some([i for i in identities if i not in asked], "pictures are in no list")
    whole = all(value.is_integer() for line in asked.values() for value in line.values())
    counted = whole and any(sum(line.values()) > 1 for line in asked.values())
    shares = {identity: as_shares(line) for identity, line in asked.items()}
    found = labels.by_majority(shares, reading)
    samples: Sequence[Sample] = [
        Sample(
            identity,
            tree.file("images/" + path),
            found.get(identity),
            given.get(identity),
            distribution=shares.get(identity),
            votes={name: int(n) for name, n in asked[identity].items()}
            if counted and identity in asked
            else None,
        )
        for path, identity in zip(paths, identities, strict=True)
    ]
    if not given:
        samples = splits.assign(samples)
        reading.note(splits.NOTE)
    return Dataset(_name(tree), tuple(samples), EMOTIONS, source=SOURCE)


def _name(tree: Tree) -> str:
    """The name of the one or the other, by the folder's."""
    known = [name for name in ("flickr", "twitter") if name in tree.name.lower()]
    return f"{known[0]}_ldl" if len(known) == 1 else tree.name


def _tables(tree: Tree) -> list[str]:
    whole = [name for name in TABLES if tree.has(name)]
    return whole[:1] if whole[:1] == ["ground_truth.txt"] else whole


def _lines(file: File) -> Iterator[tuple[str, dict[str, float], str]]:
    """Name of the picture, its votes or shares, and the line for messages."""
    order: Sequence[str] = ORDER
    for number, text in enumerate(read_text(file).splitlines(), 1):
        cells = [cell for cell in re.split(r"[\s,;]+", text.strip()) if cell]
        where = f"{file}, line {number}"
        if not cells:
            continue
        named = [labels.named(cell) for cell in cells[1:]]
        if number == 1 and any(named):
            order = [name or "" for name in named]
            if sorted(order) != sorted(EMOTIONS):
                raise EmomapError(f"{where}: the header must name {', '.join(EMOTIONS)}")
            continue
        yield cells[0], _votes(cells[1:], order, where), where


def _votes(cells: Sequence[str], order: Sequence[str], where: str) -> dict[str, float]:
    values = []
    for cell in cells:
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0:
            raise EmomapError(
                f"{where}: '{printable(cell, QUOTED)}' is neither a number of votes nor a share"
            )
        values.append(value)
    if len(values) not in (len(order), len(order) + 1):
        raise EmomapError(f"{where}: {len(values)} numbers; expected {len(order)}, one an emotion")
    found = dict(zip(order, values, strict=False))
    total = sum(found.values())
    if not total or (total != int(total) and abs(total - 1) > ROUNDING):
        raise EmomapError(
            f"{where}: the values sum to {total:g}; expected votes, or shares that sum to 1"
        )
    return found
