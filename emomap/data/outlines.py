"""Outlines of objects in COCO's json format, with their sentiment.

The sentiment of an annotation is its key ``sentiment``, else that of its ``attributes`` (as CVAT
writes them), else the key ``sentiment`` of its category. COCO counts pixels from their corner, so
half a pixel is subtracted.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NotRequired, cast

import numpy as np
from annotated_types import Ge, Le, MaxLen, MinLen
from numpy.typing import NDArray
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap import io
from emomap.data.reading import Finder, Reading
from emomap.data.tree import Tree
from emomap.errors import QUOTED, EmomapError, printable
from emomap.io.files import File
from emomap.io.schema import STRICT, read_json
from emomap.sample import SENTIMENTS, Outline, Sentiment

_Side = Annotated[int, Ge(1), Le(100_000)]
_Box = Annotated[list[float], MinLen(4), MaxLen(4)]


class CocoImage(TypedDict):
    """A picture of a COCO file."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    id: int | str
    file_name: str
    width: _Side
    height: _Side


class CocoRuns(TypedDict):
    """A run-length mask, its counts in COCO's text or as numbers."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    counts: str | list[Annotated[int, Ge(0)]]
    size: Annotated[list[_Side], MinLen(2), MaxLen(2)]


class CocoObject(TypedDict):
    """An annotation of a COCO file."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    image_id: int | str
    id: NotRequired[int | str]
    category_id: NotRequired[int | str]
    segmentation: NotRequired[list[list[float]] | CocoRuns]
    bbox: NotRequired[_Box]
    sentiment: NotRequired[str | None]
    attributes: NotRequired[dict[str, Any]]


class CocoCategory(TypedDict):
    """A category of a COCO file."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    id: int | str
    name: str
    sentiment: NotRequired[str | None]


class CocoFile(TypedDict):
    """What emomap reads of a COCO file."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    images: list[CocoImage]
    annotations: list[CocoObject]
    categories: NotRequired[list[CocoCategory]]


def read_outlines(file: File) -> Mapping[str, tuple[Outline, ...]]:
    """The outlines of each picture of a COCO file, by its ``file_name``.

    A picture without annotations has none: an empty tuple.

    Raises:
        EmomapError: not such a file, or an annotation of a picture that it does not list, without
            an outline, or with an unknown sentiment; the message names file and annotation.
    """
    changed = file.stat().st_mtime_ns if isinstance(file, Path) and file.exists() else 0
    return _read(cast(Any, file), changed)


@functools.lru_cache(maxsize=4)
def _read(file: Any, changed: int) -> Mapping[str, tuple[Outline, ...]]:
    del changed  # part of the key: a file that changed is read again
    content: CocoFile = read_json(file, CocoFile)
    pictures: dict[int | str, CocoImage] = {}
    found: dict[str, list[Outline]] = {}
    for picture in content["images"]:
        if picture["id"] in pictures or picture["file_name"] in found:
            raise EmomapError(
                f"{file}: images: '{printable(picture['file_name'], QUOTED)}' is listed twice, or "
                f"shares the id {picture['id']} with another"
            )
        pictures[picture["id"]] = picture
        found[picture["file_name"]] = []
    categories = {category["id"]: category for category in content.get("categories", [])}
    for place, annotation in enumerate(content["annotations"]):
        where = f"{file}: annotation {annotation.get('id', f'number {place}')}"
        owner = pictures.get(annotation["image_id"])
        if owner is None:
            raise EmomapError(f"{where}: no picture has the id {annotation['image_id']}")
        category = _category(annotation, categories, where)
        found[owner["file_name"]].append(_outline(annotation, owner, category, where))
    return {name: tuple(outlines) for name, outlines in found.items()}


def outlines_of(file: File, name: str) -> tuple[Outline, ...]:
    """The outlines of one picture of a COCO file. A process reads the file once.

    Raises:
        EmomapError: as `read_outlines`.
    """
    return read_outlines(file)[name]


def outline_sources(
    tree: Tree, finder: Finder, reading: Reading
) -> dict[str, Callable[[], tuple[Outline, ...]]]:
    """Where the outlines of each picture are read, by id. The files of objects/ are checked now.

    Raises:
        EmomapError: as `read_outlines`; or a picture is in two files.
    """
    found: dict[str, Callable[[], tuple[Outline, ...]]] = {}
    lost = []
    for path in tree.with_suffix(".json", "objects"):
        file = tree.file(path)
        try:
            names = list(read_outlines(file))
        except EmomapError as error:
            reading.fault(str(error))
            continue
        for name in names:
            identity = finder(name)
            if identity is None:
                lost.append(name)
            elif identity in found:
                reading.fault(f"{file}: '{name}' has outlines in another place, too; keep one")
            else:
                found[identity] = functools.partial(outlines_of, file, name)
    reading.missing(lost, "pictures of objects/ are not here")
    return found


def _category(
    annotation: CocoObject, categories: Mapping[int | str, CocoCategory], where: str
) -> CocoCategory | None:
    if "category_id" not in annotation or not categories:
        return None
    found = categories.get(annotation["category_id"])
    if found is None:
        raise EmomapError(f"{where}: no category has the id {annotation['category_id']}")
    return found


def _outline(
    annotation: CocoObject, picture: CocoImage, category: CocoCategory | None, where: str
) -> Outline:
    shape = (picture["height"], picture["width"])
    name = category["name"] if category else ""
    sentiment = _sentiment(annotation, category, where)
    drawn = annotation.get("segmentation")
    if isinstance(drawn, dict):
        return Outline(shape, runs=_runs(drawn, shape, where), name=name, sentiment=sentiment)
    if not drawn:
        if "bbox" not in annotation:
            raise EmomapError(f"{where}: has neither a segmentation nor a bbox")
        x, y, width, height = annotation["bbox"]
        drawn = [[x, y, x + width, y, x + width, y + height, x, y + height]]
    polygons = []
    for flat in drawn:
        if len(flat) < 6 or len(flat) % 2:
            raise EmomapError(
                f"{where}: a polygon of {len(flat)} numbers; it needs an x and a y for each of at "
                "least three corners"
            )
        polygons.append(np.array(flat, dtype=np.float64).reshape(-1, 2) - 0.5)
    return Outline(shape, tuple(polygons), name=name, sentiment=sentiment)


def _sentiment(
    annotation: CocoObject, category: CocoCategory | None, where: str
) -> Sentiment | None:
    said = annotation.get("sentiment")
    if said is None:
        said = annotation.get("attributes", {}).get("sentiment")
    if said is None and category is not None:
        said = category.get("sentiment")
    if said is None or said == "":
        return None
    plain = str(said).strip().lower()
    if plain not in SENTIMENTS:
        raise EmomapError(
            f"{where}: its sentiment is '{printable(str(said), QUOTED)}'; it must be one of "
            f"{', '.join(SENTIMENTS)}"
        )
    return plain


def _runs(drawn: CocoRuns, shape: tuple[int, int], where: str) -> NDArray[np.int64]:
    counts = drawn["counts"]
    numbers = _decoded(counts, where) if isinstance(counts, str) else counts
    if tuple(drawn["size"]) != shape or sum(numbers) != shape[0] * shape[1]:
        raise EmomapError(
            f"{where}: a mask of {drawn['size']} with {sum(numbers)} pixels, on a picture of "
            f"{list(shape)} (height, width)"
        )
    return np.array(numbers, dtype=np.int64)


def _decoded(text: str, where: str) -> list[int]:
    """Run lengths from COCO's text.

    A character holds five bits, the lowest first, and one that says whether more follow. From the
    fourth number on, the difference to the one before the last is stored.
    """
    numbers: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            raise EmomapError(f"{where}: '{printable(character)}' is not part of a run-length mask")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        numbers.append(value + numbers[-2] if len(numbers) > 2 else value)
        value = shift = 0
    if shift or any(number < 0 for number in numbers):
        raise EmomapError(f"{where}: its run-length mask is damaged")
    return numbers


def write_outlines(
    path: Path, pictures: Mapping[str, Sequence[Outline]], sizes: Mapping[str, tuple[int, int]]
) -> None:
    """Write a COCO file.

    Args:
        path: the file.
        pictures: ``file_name`` -> its outlines.
        sizes: ``file_name`` -> (height, width).

    Raises:
        EmomapError: the file cannot be written.
    """
    names = sorted({outline.name for outlines in pictures.values() for outline in outlines} - {""})
    numbers = {name: number for number, name in enumerate(names, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image, (file_name, outlines) in enumerate(pictures.items(), 1):
        height, width = sizes[file_name]
        images.append({"id": image, "file_name": file_name, "width": width, "height": height})
        for outline in outlines:
            entry: dict[str, Any] = {"id": len(annotations) + 1, "image_id": image, "iscrowd": 0}
            if outline.name:
                entry["category_id"] = numbers[outline.name]
            if outline.sentiment:
                entry["sentiment"] = outline.sentiment
            if outline.runs is None:
                entry["segmentation"] = [(p + 0.5).ravel().tolist() for p in outline.polygons]
            else:
                entry["iscrowd"] = 1
                entry["segmentation"] = {
                    "counts": outline.runs.tolist(),
                    "size": list(outline.shape),
                }
            annotations.append(entry)
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in numbers.items()],
    }
    io.write_text(path, json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
