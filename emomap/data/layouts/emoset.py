"""EmoSet-118K (Yang, Huang, Ding et al., ICCV 2023): eight emotions, split by the authors.

``train.json``, ``val.json``, ``test.json`` are lists of [emotion, image, annotation, ...]. The
annotation is the json file of the picture's attributes: brightness, colorfulness, scene, object,
facial_expression, human_action. It is read when an attribute is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from emomap.data import labels
from emomap.data.reading import Finder, Reading, ids
from emomap.data.table import read_text
from emomap.data.tree import Tree
from emomap.errors import EmomapError
from emomap.io.files import File
from emomap.sample import EMOTIONS, SPLITS, Dataset, Sample, Split

SOURCE = "Yang et al., EmoSet: A Large-scale Visual Emotion Dataset with Rich Attributes, ICCV 2023"
#: Keys of an annotation that say what the lists say.
NO_ATTRIBUTES = ("image_id", "emotion")


def recognise(tree: Tree) -> str | None:
    """Why this is EmoSet, or None."""
    lists = [f"{split}.json" for split in SPLITS if tree.has(f"{split}.json")]
    if lists and (tree.has("info.json") or "image" in tree.children()):
        return f"{', '.join(lists)} beside image/"
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set.

    Raises:
        EmomapError: a list is not JSON of this form, or a picture has two emotions or splits.
    """
    paths = tree.images()
    identities = ids([path.removeprefix("image/") for path in paths], reading)
    finder = Finder(paths, identities)
    files = dict(zip(identities, paths, strict=True))
    found: dict[str, tuple[str, Split]] = {}
    attributes: dict[str, Attributes] = {}
    lost = []
    for split in SPLITS:
        name = f"{split}.json"
        if not tree.has(name):
            reading.note(f"{name} is not here")
            continue
        for number, item in enumerate(_items(tree, name)):
            emotion, path = _entry(item, f"{tree.file(name)}, item {number}")
            identity = finder(path)
            described = tree.get(item[2]) if len(item) > 2 and isinstance(item[2], str) else None
            if identity is not None and described is not None:
                attributes[identity] = Attributes(described)
            if identity is None:
                lost.append(path)
            elif found.setdefault(identity, (emotion, split)) != (emotion, split):
                reading.fault(f"{tree}: '{path}' is listed as {found[identity]} and as {name}")
    reading.note_some(lost, "listed pictures are not here")
    unlisted = [identity for identity in identities if identity not in found]
    reading.note_some(unlisted, "pictures are in no list and were left out")
    reading.note_some([i for i in found if i not in attributes], "pictures have no attributes")
    samples = tuple(
        Sample(
            identity,
            tree.file(files[identity]),
            emotion,
            split,
            attributes=attributes.get(identity),
        )
        for identity, (emotion, split) in found.items()
    )
    return Dataset("emoset", samples, EMOTIONS, source=SOURCE)


class Attributes(Mapping[str, str]):
    """The attributes of a picture, read from its annotation when they are asked for.

    A list ("object") is joined by "; ".
    """

    def __init__(self, file: File) -> None:
        self.file = file

    @cached_property
    def _values(self) -> dict[str, str]:
        content = _json(self.file)
        if not isinstance(content, dict):
            raise EmomapError(f"{self.file}: not an object of attributes")
        found = {}
        for key, value in content.items():
            parts = value if isinstance(value, list) else [value]
            if not all(part is None or isinstance(part, str | int | float) for part in parts):
                raise EmomapError(f"{self.file}: {key} is neither a text, a number nor a list")
            text = "; ".join(str(part) for part in parts if part not in (None, ""))
            if key not in NO_ATTRIBUTES and text:
                found[key.lower()] = text
        return found

    def __getitem__(self, key: str) -> str:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _json(file: File) -> Any:
    try:
        return json.loads(read_text(file))
    except (json.JSONDecodeError, RecursionError) as error:
        raise EmomapError(f"{file}: not valid JSON: {error}") from error


def _items(tree: Tree, name: str) -> list[Any]:
    file = tree.file(name)
    content = _json(file)
    if not isinstance(content, list):
        raise EmomapError(f"{file}: not a list of [emotion, image, annotation]")
    return content


def _entry(item: Any, where: str) -> tuple[str, str]:
    if not (
        isinstance(item, list) and len(item) >= 2 and all(isinstance(x, str) for x in item[:2])
    ):
        raise EmomapError(f"{where}: not [emotion, image, ...]")
    emotion = labels.named(item[0])
    if emotion is None:
        raise EmomapError(f"{where}: '{item[0]}' is not one of {', '.join(EMOTIONS)}")
    return emotion, item[1]
