"""Abstract paintings (Machajdik & Hanbury, ACM MM 2010): 280, labelled by votes.

An image whose first place two emotions share is dropped, which leaves 228 of the 280.
"""

from __future__ import annotations

from emomap.data import labels, splits
from emomap.data.annotations import as_shares
from emomap.data.reading import Finder, Reading, ids
from emomap.data.table import guess_delimiter, read_text, split_lines
from emomap.data.tree import Tree
from emomap.errors import EmomapError
from emomap.sample import EMOTIONS, Dataset, Sample

SOURCE = "Machajdik & Hanbury, Affective Image Classification, ACM MM 2010"
TABLE = "ABSTRACT_groundTruth.csv"


def recognise(tree: Tree) -> str | None:
    """Why this is the set of abstract paintings, or None."""
    own = {name.lower() for name in tree.folders.get("", ())}
    return TABLE if TABLE.lower() in own else None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set.

    Raises:
        EmomapError: the table of votes is not as expected (names the line).
    """
    paths = tree.images()
    identities = ids(paths, reading)
    files = dict(zip(identities, paths, strict=True))
    votes, lost = _votes(tree, Finder(paths, identities))
    found = {identity: labels.most(counts) for identity, counts in votes.items()}
    kept = labels.drop_unlabelled(found, reading, "paintings dropped, two emotions share the lead")
    reading.note_some(lost, f"lines of {TABLE} have no picture here")
    absent = [identity for identity in identities if identity not in found]
    reading.note_some(absent, f"pictures are not in {TABLE} and were left out")
    reading.note(splits.NOTE)
    samples = [
        Sample(i, tree.file(files[i]), emotion, distribution=as_shares(votes[i]), votes=votes[i])
        for i, emotion in kept.items()
    ]
    return Dataset("abstract", splits.assign(samples), EMOTIONS, source=SOURCE)


def _votes(tree: Tree, finder: Finder) -> tuple[dict[str, dict[str, int]], list[str]]:
    path = tree.find_file(TABLE)
    if path is None:
        raise EmomapError(f"{tree}: {TABLE} is not here")
    file = tree.file(path)
    text = read_text(file)
    header: list[str] | None = None
    found: dict[str, dict[str, int]] = {}
    lost = []
    for line, cells in split_lines(text, guess_delimiter(text), quote="'"):
        if header is None:
            header = [labels.named(cell) or "" for cell in cells[1:]]
            if sorted(header) != sorted(EMOTIONS):
                raise EmomapError(f"{file}: its header must name {', '.join(EMOTIONS)}")
            continue
        if len(cells) != len(header) + 1 or not all(cell.isdecimal() for cell in cells[1:]):
            raise EmomapError(f"{file}, line {line}: not a name and {len(header)} numbers of votes")
        identity = finder(cells[0])
        if identity is None:
            lost.append(cells[0])
        else:
            found[identity] = dict(zip(header, map(int, cells[1:]), strict=True))
    return found, lost
