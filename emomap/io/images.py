"""Read pictures: upright, 8-bit RGB, or one line that says what is wrong with the file."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from emomap.errors import EmomapError
from emomap.io.files import (
    File,
)

#: What Pillow may take a file for. It knows more, and hands PostScript to an interpreter.
FORMATS = ("JPEG", "PNG", "BMP", "DIB", "TIFF", "WEBP", "GIF", "PPM")

#: Pictures beyond this are refused: such a file is a decompression bomb or a mistake.
MAX_PIXELS = 200_000_000


def _named(file: File | str) -> File:
    """The file of a path that is given as text."""
    return Path(file) if isinstance(file, str) else file


@contextlib.contextmanager
def _opened(file: File) -> Iterator[Any]:
    """A picture opened by Pillow; whatever goes wrong in the block becomes one line."""
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # our own limit follows, with our own words
    try:
        with (
            warnings.catch_warnings(),
            file.open("rb") as stream,
            Image.open(stream, formats=FORMATS) as picture,
        ):
            warnings.simplefilter("ignore")  # corrupt EXIF and the like: the pixels decide
            if picture.width * picture.height > MAX_PIXELS:
                raise EmomapError(
                    f"{file}: {picture.width} x {picture.height} pixels is more than the "
                    f"{MAX_PIXELS:,} that emomap reads; make the picture smaller"
                )
            yield picture
    except FileNotFoundError as error:
        raise EmomapError(f"{file}: there is no such file") from error
    except PermissionError as error:
        raise EmomapError(f"{file}: may not be read; check its permissions") from error
    except UnidentifiedImageError as error:
        raise EmomapError(f"{file}: not a picture that can be read, or damaged") from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise EmomapError(
            f"{file}: damaged or cut short ({error}); copy or export it again"
        ) from error


def read_image(file: File | str, *, at_least: int | None = None) -> NDArray[np.uint8]:
    """Read a picture as (H, W, 3) uint8, upright (EXIF applied), first frame, alpha over white.

    Args:
        file: a path or `File`; JPEG, PNG, TIFF, BMP, GIF, WebP; grey, palette, RGB(A), CMYK, 8 or
            16 bits.
        at_least: when the caller will shrink the picture, the shorter side that it needs: a JPEG
            is then decoded at 1/2, 1/4 or 1/8 of its size where that suffices, which is faster.

    Raises:
        EmomapError: missing, unreadable, damaged, or larger than `MAX_PIXELS`.
    """
    from PIL import Image, ImageOps

    file = _named(file)
    with _opened(file) as picture:
        if at_least is not None:
            picture.draft("RGB", (at_least, at_least))
        upright = ImageOps.exif_transpose(picture)
        if upright.mode in {"I", "F"} or upright.mode.startswith("I;16"):
            return np.repeat(_to_uint8(np.asarray(upright), file)[..., None], 3, axis=2)
        if "A" in upright.mode or "transparency" in upright.info:
            layer = upright.convert("RGBA")
            white = Image.new("RGBA", layer.size, "white")
            upright = Image.alpha_composite(white, layer)
        return np.array(upright.convert("RGB"), dtype=np.uint8)


def _to_uint8(values: NDArray[Any], file: File) -> NDArray[np.uint8]:
    """16-bit and float greys to 8 bits, by the range that the type (or the unit interval) has."""
    if values.dtype.kind == "f":
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
            raise EmomapError(f"{file}: float picture with values outside 0..1; save it as 8 bits")
        scaled: NDArray[Any] = values * 255
    else:
        scaled = np.clip(values, 0, 65535) / 257
    return np.asarray(np.rint(scaled), dtype=np.uint8)


def image_size(file: File) -> tuple[int, int]:
    """(height, width) of a picture as `read_image` would give it, from the file's header alone."""
    from PIL import Image

    with _opened(file) as picture:
        width, height = picture.size
        late = picture.format == "PNG" and _texts_after_pixels(picture.fp)
        # Pillow's own `getexif` of a PNG decodes all pixels, in case something follows them
        exif = picture.getexif() if late else Image.Image.getexif(picture)
        sideways = exif.get(0x0112, 1) >= 5
    return (width, height) if sideways else (height, width)


def _texts_after_pixels(stream: IO[bytes]) -> bool:
    """Whether a PNG has more than its end behind the pixels; the stream stays where it was."""
    before = stream.tell()
    stream.seek(8)
    pixels = False
    try:
        while len(head := stream.read(8)) == 8:
            kind = head[4:]
            if kind == b"IEND":
                return False
            if pixels and kind != b"IDAT":
                return True
            pixels = pixels or kind == b"IDAT"
            stream.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)
        return True
    finally:
        stream.seek(before)
