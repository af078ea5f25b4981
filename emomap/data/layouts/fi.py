"""FI (Flickr and Instagram; You, Luo, Jin, Yang, AAAI 2016) in the four forms that circulate.

a  ``agg/<emotion>_*.csv`` without header: emotion, link, votes against, votes for; the pictures,
   which everybody fetches for himself, lie anywhere beside them under the links' file names
b  a folder an emotion, or one folder of ``<emotion>_*`` files
c  ``train/<emotion>/``, ``val/<emotion>/`` (and ``test/``), as WSCNet was given them
d  ``Images/<Emotion>/`` with ``TrainImages.txt``, ``TestImages.txt`` of lines ``<1-8>/<file>``

FI has no gaze; ``--gaze PATH`` joins some.
"""

from __future__ import annotations

from collections.abc import Iterator

from emomap.data import labels, splits
from emomap.data.reading import Finder, Reading, ids
from emomap.data.table import read_text, split_lines
from emomap.data.tree import Tree, base
from emomap.errors import EmomapError, listed
from emomap.sample import EMOTIONS, Dataset, Sample, Split

#: The order of the numbers in form d.
NUMBERED = (
    "amusement", "contentment", "awe", "excitement", "fear", "sadness", "disgust", "anger",
)  # fmt: skip
SOURCE = "You et al., Building a Large Scale Dataset for Image Emotion Recognition, AAAI 2016"
_LISTS: dict[Split, tuple[str, ...]] = {
    "train": ("trainimages.txt", "train.txt"),
    "val": ("valimages.txt", "validationimages.txt", "val.txt"),
    "test": ("testimages.txt", "test.txt"),
}


def recognise(tree: Tree) -> str | None:
    """Why this is FI, or None."""
    lists = _lists(tree)
    inside = tree.children()
    if lists and labels.class_folders(tree.children("Images")):
        return f"Images/<emotion>/ with {', '.join(sorted(lists.values()))}"
    if _parts(tree):
        return f"emotion folders in {', '.join(_parts(tree))}"
    if labels.class_folders(inside):
        return f"folders named by emotions ({listed(inside, 2)})"
    if _link_files(tree):
        return f"lists of links with votes ({listed(_link_files(tree), 1)})"
    own = [name for name in tree.images() if "/" not in name]
    if len(own) >= 2 and sum(labels.prefix(name) is not None for name in own) >= 0.9 * len(own):
        return f"files that begin with an emotion ({listed(own, 1)})"
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open FI in whichever form it is.

    Raises:
        EmomapError: links alone without pictures, or a list that cannot be read.
    """
    if _link_files(tree) and not labels.class_folders(tree.children()):
        return _load_links(tree, reading)
    root = "Images/" if labels.class_folders(tree.children("Images")) else ""
    parts = _parts(tree)
    paths = [path[len(root) :] for path in tree.images(root.rstrip("/"))]
    found: dict[str, str] = {}
    strange = []
    for path in paths:
        folders = path.split("/")[:-1]
        from_folders = (e for part in reversed(folders) if (e := labels.named(part)))
        label = next(from_folders, None) or labels.prefix(path)
        if label is None or (parts and folders[0] not in parts):
            strange.append(path)
        else:
            found[path] = label
    reading.note_some(strange, "pictures in no emotion folder were left out")
    kept = list(found)
    identities = ids(kept, reading)
    given = _splits(tree, kept, identities, reading)
    if parts:
        given = {i: parts[p.split("/")[0]] for p, i in zip(kept, identities, strict=True)}
    samples = tuple(
        Sample(identity, tree.file(root + path), found[path], given.get(identity))
        for path, identity in zip(kept, identities, strict=True)
    )
    if not given:
        samples = splits.assign(samples)
        reading.note(splits.NOTE)
    return _dataset(tree, samples, certain=bool(root))


def _dataset(tree: Tree, samples: tuple[Sample, ...], *, certain: bool) -> Dataset:
    """Call it FI where form or path say so: anybody's photographs may lie in emotion folders."""
    places = f"{tree.root.resolve()}/{tree.prefix}".lower().replace("-", "_").split("/")
    is_fi = certain or any(
        place in {"fi", "emotion_dataset"} or place.startswith("fi_") for place in places
    )
    return Dataset(
        name="fi" if is_fi else tree.name,
        samples=samples,
        classes=EMOTIONS,
        source=SOURCE if is_fi else "",
    )


def _parts(tree: Tree) -> dict[str, Split]:
    """The folders of form c with the split that each is."""
    names: dict[str, Split] = {"train": "train", "val": "val", "test": "test"}
    found = {
        name: names[name.lower()]
        for name in tree.children()
        if name.lower() in names and labels.class_folders(tree.children(name))
    }
    return found if len(found) >= 2 else {}


def _lists(tree: Tree) -> dict[Split, str]:
    own = {name.lower(): name for name in tree.folders.get("", ())}
    return {split: own[name] for split, names in _LISTS.items() for name in names if name in own}


def _splits(
    tree: Tree, paths: list[str], identities: list[str], reading: Reading
) -> dict[str, Split]:
    """What the lists of form d say; a number before the slash stands for an emotion's folder."""
    finder = Finder(paths, identities)
    folders = {emotion: path.split("/")[0] for path in paths if (emotion := _folder_emotion(path))}
    found: dict[str, Split] = {}
    lost: list[str] = []
    for split, name in _lists(tree).items():
        for line in read_text(tree.file(name)).splitlines():
            entry = line.split()[0] if line.strip() else ""
            if not entry:
                continue
            head, slash, rest = entry.partition("/")
            if slash and head.isdecimal() and 1 <= int(head) <= len(NUMBERED):
                emotion = NUMBERED[int(head) - 1]
                entry = f"{folders.get(emotion, emotion)}/{rest}"
            identity = finder(entry)
            if identity is None:
                lost.append(entry)
            elif found.setdefault(identity, split) != split:
                reading.fault(f"{tree}: '{entry}' is in the lists of {found[identity]} and {split}")
    reading.note_some(lost, "entries of the split lists have no picture here")
    if found:
        without = [identity for identity in identities if identity not in found]
        reading.note_some(without, "pictures are in no split list")
    return found


def _folder_emotion(path: str) -> str | None:
    return labels.named(path.split("/")[0]) if "/" in path else None


# ----------------------------------------------------------------------------------- form a: links


def _link_files(tree: Tree) -> list[str]:
    places = [""] + [name for name in tree.children() if name.lower() == "agg"]
    return [
        f"{place}/{name}".lstrip("/")
        for place in places
        for name in tree.folders.get(place, ())
        if name.lower().endswith(".csv") and labels.prefix(name)
    ]


def _links(tree: Tree) -> Iterator[tuple[str, str, int]]:
    """Link, emotion and votes for it, of every line."""
    for path in _link_files(tree):
        file = tree.file(path)
        for line, cells in split_lines(read_text(file), ","):
            emotion = labels.named(cells[0])
            if len(cells) != 4 or emotion is None or not cells[2].isdecimal():
                raise EmomapError(
                    f"{file}, line {line}: not 'emotion, link, votes against, votes for'"
                )
            if not cells[3].isdecimal():
                raise EmomapError(f"{file}, line {line}: '{cells[3]}' is not a number of votes")
            yield cells[1], emotion, int(cells[3])


def _load_links(tree: Tree, reading: Reading) -> Dataset:
    """Form a: a picture counts for the emotion that at least three of five people affirmed."""
    least = int(reading.option("min_votes", 3))
    votes: dict[str, dict[str, float]] = {}
    for link, emotion, count in _links(tree):
        votes.setdefault(link, {})[emotion] = count
    images: dict[str, str] = {}
    for path in tree.images():
        images.setdefault(base(path), path)
    found: dict[str, str] = {}
    few = doubtful = 0
    lost = []
    for link, counts in votes.items():
        first, picture = labels.most(counts), images.get(base(link.split("?")[0]))
        if max(counts.values()) < least:
            few += 1
        elif first is None:
            doubtful += 1
        elif picture is None:
            lost.append(link)
        else:
            found[picture] = first
    if not found:
        inner = [name for name in tree.children() if recognise(tree.sub(name))]
        inner = [name for name in inner if not _link_files(tree.sub(name))]
        if len(inner) == 1:
            reading.note(f"the links in agg/ name no picture here; labels are those of {inner[0]}/")
            return load(tree.sub(inner[0]), reading)
        raise EmomapError(
            f"{tree}: FI as {len(votes)} links, and no picture that they name is here; emomap "
            f"downloads nothing: fetch them ({listed(votes, 1)}) into this folder, names unchanged"
        )
    reading.note(
        f"{len(votes)} links: {len(found)} with a picture, {len(lost)} without, {few} with fewer "
        f"than {least} votes, {doubtful} with as many votes for several emotions"
    )
    kept = sorted(found)
    samples = tuple(
        Sample(identity, tree.file(path), found[path])
        for path, identity in zip(kept, ids(kept, reading), strict=True)
    )
    reading.note(splits.NOTE)
    return _dataset(tree, splits.assign(samples), certain=True)
