"""SALICON's annotation files, read by pieces: the one for training has 900 MB.

Every object in such a file that holds no other object is an image, a licence or an annotation.
So the file is scanned for these once, block by block, and only their places are remembered.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from emomap.errors import EmomapError
from emomap.io.files import File

_IMAGE_ID = re.compile(rb'"image_id"\s*:\s*(\d+)')
_BLOCK = 8 * 2**20
#: An object longer than this is none of SALICON's (the longest have some 100 kB).
_LONGEST = 64 * 2**20


def _objects(file: File) -> Iterator[tuple[int, bytes]]:
    """Position and text of each innermost object of a file."""
    rest, start = b"", 0
    try:
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                data = rest + block
                for begin, end in _innermost(data):
                    yield start + begin, data[begin:end]
                # an object that the block cuts is completed by the next one
                opening = data.rfind(b"{", data.rfind(b"}") + 1)
                keep = opening if opening >= 0 else len(data)
                rest, start = data[keep:], start + keep
                if len(rest) > _LONGEST:
                    raise EmomapError(f"{file}: not SALICON's annotations (no objects in it)")
    except OSError as error:
        raise EmomapError(f"{file}: cannot be read: {error.strerror}") from error


def _innermost(data: bytes) -> Iterator[tuple[int, int]]:
    """Begin and end of each innermost object: from a closing brace back to the opening one."""
    at = 0
    while (closing := data.find(b"}", at)) >= 0:
        begin = data.rfind(b"{", at, closing)
        at = closing + 1
        if begin >= 0:
            yield begin, at


def _parse(file: File, text: bytes, position: int) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EmomapError(f"{file}: not valid JSON at byte {position}: {error}") from error
    return found if isinstance(found, dict) else {}


def images(file: File) -> dict[str, int]:
    """File name -> number of the images that the file describes.

    Reads up to the first annotation, which in SALICON's files come after the images.

    Raises:
        EmomapError: unreadable, or no such file.
    """
    found: dict[str, int] = {}
    for position, text in _objects(file):
        if b'"file_name"' in text:
            entry = _parse(file, text, position)
            if not isinstance(entry.get("id"), int) or not isinstance(entry["file_name"], str):
                raise EmomapError(f"{file}: an image without id at byte {position}")
            found[entry["file_name"]] = entry["id"]
        elif found and b'"fixations"' in text:
            break
    if not found:
        raise EmomapError(f"{file}: describes no images; not SALICON's annotations, or cut short")
    return found


def read_annotations(file: File, identity: int) -> list[dict[str, Any]]:
    """The annotations of one image, in the order of the file.

    Raises:
        EmomapError: unreadable, or the file has none for this image.
    """
    changed = file.stat().st_mtime_ns if isinstance(file, Path) else 0
    index: dict[int, array[int]] = _scan(cast(Any, file), changed)
    places = index.get(identity)
    if places is None:
        raise EmomapError(f"{file}: no fixations for the image with the id {identity}")
    found = []
    # a member of an archive is unpacked whole, and therefore once
    opened = file.open("rb") if isinstance(file, Path) else BytesIO(_unpacked(cast(Any, file)))
    with opened as stream:
        for start, length in zip(places[::2], places[1::2], strict=True):
            stream.seek(start)
            found.append(_parse(file, stream.read(length), start))
    return found


@lru_cache(maxsize=1)
def _unpacked(file: Any) -> bytes:
    content: bytes = file.open("rb").read()
    return content


@lru_cache(maxsize=4)
def _scan(file: Any, changed: int) -> dict[int, array[int]]:
    """Image id -> positions and lengths of its annotations, in turn."""
    found: dict[int, array[int]] = {}
    for position, text in _objects(file):
        if b'"fixations"' in text and (match := _IMAGE_ID.search(text)):
            found.setdefault(int(match[1]), array("q")).extend((position, len(text)))
    return found
