"""Masks: pixels that scoring ignores, as borders, letterboxes and watermarks.

What a mask leaves of a picture is scored as if it were the picture. The gaze is cropped to the
smallest rectangle around it, and loses its fixations under the mask. A density is blurred from the
fixations that are left. So a border gives the scores of cropped maps against cropped gaze.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emomap import io
from emomap.errors import EmomapError, UsageError, listed
from emomap.io.files import MAP_SUFFIXES, File
from emomap.sample import Gaze, Window

_BORDER = re.compile(r"border:(\d{1,6})")

Reader = Callable[[], Gaze | None]


@dataclass(frozen=True)
class Mask:
    """What is ignored of each picture.

    Attributes:
        border: pixels on each side, at the size of the gaze.
        path: a folder with a mask for each picture, or the mask of a single one; else None.
        digest: eight digits of what is in the files.
    """

    border: int = 0
    path: Path | None = None
    digest: str = ""

    @classmethod
    def of(cls, given: str | Path) -> Mask:
        """The mask that "border:16" or a path describes.

        Raises:
            UsageError: it is neither, or a border without width.
            EmomapError: a folder without masks.
        """
        found = _BORDER.fullmatch(str(given))
        if found and int(found[1]):
            return cls(border=int(found[1]))
        path = Path(given)
        if path.is_dir():
            files = io.maps_by_id(path)
        elif path.is_file() and path.suffix.lower() in MAP_SUFFIXES:
            files = {"": path}
        else:
            raise UsageError(
                f"mask {given}: give a folder with a mask for each image, or border:N for N pixels "
                "on each side (at least 1)"
            )
        digest = hashlib.sha256()
        for name, file in sorted(files.items()):
            with file.open("rb") as stream:
                content: bytes = stream.read()
            digest.update(f"{name}\n{len(content)}\n".encode())
            digest.update(content)
        return cls(path=path, digest=digest.hexdigest()[:8])

    def __str__(self) -> str:
        """As it stands in signatures."""
        return f"border-{self.border}px" if self.border else f"files-{self.digest}"

    def readers(self, readers: Mapping[str, Reader]) -> dict[str, Reader]:
        """Functions, picklable as those given, that read gaze and mask it.

        Args:
            readers: id of each image -> what reads its gaze.

        Raises:
            EmomapError: an image has no mask.
        """
        files: dict[str, File] = {}
        if self.path and self.path.is_file():
            if len(readers) != 1:
                raise UsageError(
                    f"mask {self.path}: one mask, and {len(readers)} images; give a folder with a "
                    "mask for each"
                )
            files = dict.fromkeys(readers, self.path)
        elif self.path:
            files = self._paired(self.path, readers)
        return {
            name: partial(_masked, name, reader, self.border, files.get(name))
            for name, reader in readers.items()
        }

    @staticmethod
    def _paired(folder: Path, ids: Collection[str]) -> dict[str, File]:
        masks = io.maps_by_id(folder)
        pairs = io.pair(masks, ids)
        missing = sorted(set(ids) - set(pairs))
        if missing:
            raise EmomapError(
                f"{folder}: no mask for {listed(missing)} ({len(missing)} in all); masks have the "
                "names of their images, and one that ignores nothing is zero everywhere"
            )
        return {name: masks[found] for name, found in pairs.items()}


def _masked(image: str, reader: Reader, border: int, file: File | None) -> Gaze | None:
    """Read the gaze on an image and mask it."""
    gaze = reader()
    if gaze is None:
        return None
    lone = gaze.density if gaze.points is None else None
    height, width = gaze.shape if lone is None else lone.shape
    if file is None:
        name = f"{image}: a border of {border} pixels"
        mask = np.ones((height, width), dtype=bool)
        mask[border : max(height - border, 0), border : max(width - border, 0)] = False
    else:
        name = str(file)
        mask = read_mask(file)
    if mask.shape != (height, width):
        raise EmomapError(
            f"{name}: a mask of {mask.shape[1]} x {mask.shape[0]} pixels, and the gaze on {image} "
            f"has {width} x {height}; a mask has the size of the gaze"
        )
    if mask.all():
        raise EmomapError(
            f"{name} ignores every pixel of the picture ({width} x {height})"
            + ("; a mask is zero where the picture counts" if file else "")
        )
    return ignoring(gaze, mask, image)


def read_mask(file: File) -> NDArray[np.bool_]:
    """Read a mask (H, W): True, or any other number than zero, where a pixel is ignored.

    Raises:
        EmomapError: as `emomap.io.read_map`; or a JPEG of more than two values, since compression
            left weak ones around the ignored pixels.
    """
    values = io.read_map(file)
    if str(file).lower().endswith((".jpg", ".jpeg")) and len(np.unique(values)) > 2:
        raise EmomapError(
            f"{file}: a mask in a JPEG, whose compression left {len(np.unique(values))} different "
            "values where two belong; save it as png"
        )
    return np.asarray(values != 0)


def ignoring(gaze: Gaze, mask: NDArray[np.bool_], image: str) -> Gaze:
    """The gaze on what a mask leaves of a picture.

    Args:
        gaze: on the whole picture.
        mask: (H, W), True where a pixel is ignored, and not everywhere. It has the size of the
            picture, or that of a lone density.
        image: its id, for notes on what is left out.
    """
    rows, columns = (np.flatnonzero(~mask.all(axis=axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    shape = int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left
    window = Window((mask.shape[0], mask.shape[1]), top, left, shape)
    if window.of(mask).any():
        window = replace(window, mask=window.of(mask))
    if gaze.points is None:
        density = None if gaze.density is None else window.of(gaze.density)
        return replace(gaze, shape=shape, density=density, window=window)
    inside = gaze.inside
    x, y = np.floor(gaze.points[inside] + 0.5).astype(int).T
    kept = np.flatnonzero(inside)[~mask[y, x]]
    left_out = {
        "outside the picture": int((~inside).sum()),
        "under the mask": int(inside.sum()) - len(kept),
    }
    said = [f"{image}: {n} fixations {where} were left out" for where, n in left_out.items() if n]
    return replace(
        gaze,
        shape=shape,
        points=gaze.points[kept] - (left, top),
        observers=None if gaze.observers is None else gaze.observers[kept],
        durations=None if gaze.durations is None else gaze.durations[kept],
        density=None,
        notes=(*gaze.notes, *said),
        window=window,
    )
