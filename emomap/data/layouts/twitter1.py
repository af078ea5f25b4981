"""Twitter I (You, Luo, Jin, Yang, AAAI 2015): 1,269 tweeted images, negative or positive.

``amt_result.csv`` has, by position: name, votes in all (5), votes negative, votes positive. The
label is the majority; ``data.agree=5`` keeps images on which as many people agree.
"""

from __future__ import annotations

from emomap.data import labels, splits
from emomap.data.annotations import as_shares
from emomap.data.reading import Finder, Reading, ids
from emomap.data.table import guess_delimiter, read_text, split_lines
from emomap.data.tree import Tree
from emomap.errors import EmomapError
from emomap.sample import Dataset, Sample

SOURCE = "You et al., Robust Image Sentiment Analysis Using Progressively Trained CNNs, AAAI 2015"
TABLE = "amt_result.csv"
CLASSES = ("negative", "positive")


def recognise(tree: Tree) -> str | None:
    """Why this is Twitter I, or None."""
    return TABLE if tree.has(TABLE) else None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set.

    Raises:
        EmomapError: the table of votes is not as expected (names the line).
    """
    least = int(reading.option("agree", 3, (3, 4, 5)))
    folder = tree.find_folder("Agg_AMT_Candidates") or ""
    inner = tree.sub(folder)
    paths = inner.images()
    identities = ids(paths, reading)
    files = dict(zip(identities, paths, strict=True))
    finder = Finder(paths, identities)
    file = tree.file(TABLE)
    text = read_text(file)
    found: dict[str, str | None] = {}
    counted: dict[str, dict[str, int]] = {}
    lost = []
    for line, cells in split_lines(text, guess_delimiter(text)):
        if line == 1 and not any(cell.isdecimal() for cell in cells[1:]):
            continue
        if len(cells) < 4 or not all(cell.isdecimal() for cell in cells[1:4]):
            raise EmomapError(f"{file}, line {line}: not name, votes, votes negative, positive")
        votes = dict(zip(CLASSES, map(int, cells[2:4]), strict=True))
        identity = finder(cells[0])
        if identity is None:
            lost.append(cells[0])
        else:
            counted[identity] = votes
            found[identity] = labels.most(votes) if max(votes.values()) >= least else None
    kept = labels.drop_unlabelled(found, reading, f"pictures on which fewer than {least} agree")
    reading.note_some(lost, f"lines of {TABLE} have no picture here")
    absent = [identity for identity in identities if identity not in found]
    reading.note_some(absent, f"pictures are not in {TABLE} and were left out")
    reading.note(splits.NOTE)
    samples = [
        Sample(
            i,
            inner.file(files[i]),
            emotion,
            distribution=as_shares(counted[i]),
            votes=counted[i],
        )
        for i, emotion in kept.items()
    ]
    return Dataset("twitter1", splits.assign(samples), CLASSES, source=SOURCE)
