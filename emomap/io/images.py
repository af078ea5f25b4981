"""Read pictures: upright, 8-bit RGB, or one line that says what is wrong with the file.

Pillow stays as the host program set it up. Its limit on pixels does not apply here and is not
changed (for the one exception see `_unlimited`). Its warnings go through the host's filters.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from emomap.errors import EmomapError
from emomap.io.files import File, refuse_special

#: The formats that are read. Pillow knows more, and hands PostScript to an interpreter.
FORMATS = ("JPEG", "PNG", "BMP", "DIB", "TIFF", "WEBP", "GIF", "PPM")

#: Pictures beyond this are refused: such a file is a decompression bomb or a mistake, and decoding
#: takes more than a gigabyte. It is half of this with transparency, which takes twice the memory.
MAX_PIXELS = 64_000_000
#: The environment variable that sets another limit, for those who have the memory.
LIMIT_VARIABLE = "EMOMAP_MAX_PIXELS"

#: Held while Pillow's limit is lifted.
_LIFTED = threading.RLock()


def read_image(file: File | str, *, at_least: int | None = None) -> NDArray[np.uint8]:
    """Read a picture as (H, W, 3) uint8, upright (EXIF applied), first frame, alpha over white.

    Args:
        file: a path or `File`; JPEG, PNG, TIFF, BMP, GIF, WebP or PPM; grey, palette, RGB(A) or
            CMYK; 8 or 16 bits.
        at_least: the shorter side in pixels that a caller needs who shrinks the picture. A JPEG is
            then decoded at 1/2, 1/4 or 1/8 of its size where that suffices, which is faster.

    Raises:
        EmomapError: missing, unreadable, damaged, or larger than `MAX_PIXELS`.
    """
    from PIL import Image, ImageOps

    file = named(file)
    with opened(file) as picture:
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


def image_size(file: File) -> tuple[int, int]:
    """(height, width) of a picture as `read_image` returns it, from the file's header alone.

    Raises:
        EmomapError: as `read_image`, as far as the header shows.
    """
    from PIL import Image

    with opened(file) as picture:
        width, height = picture.size
        late = picture.format == "PNG" and _texts_after_pixels(picture.fp)
        # Pillow's own `getexif` of a PNG decodes all pixels to get at what may follow them
        exif = picture.getexif() if late else Image.Image.getexif(picture)
        turned = exif.get(0x0112, 1)  # damaged files have text here
        sideways = isinstance(turned, int) and turned >= 5
    return (width, height) if sideways else (height, width)


def _to_uint8(values: NDArray[Any], file: File) -> NDArray[np.uint8]:
    """16-bit greys to 8 bits by the range 0..65535, float greys by the range 0..1."""
    if values.dtype.kind == "f":
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
            raise EmomapError(f"{file}: float picture with values outside 0..1; save it as 8 bits")
        scaled: NDArray[Any] = values * 255
    else:
        scaled = np.clip(values, 0, 65535) / 257
    return np.asarray(np.rint(scaled), dtype=np.uint8)


def _texts_after_pixels(stream: IO[bytes]) -> bool:
    """Whether a PNG has more than its end mark after the pixels. Keeps the stream's position."""
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


def named(file: File | str) -> File:
    """A path that is given as text, as a `Path`."""
    return Path(file) if isinstance(file, str) else file


@contextlib.contextmanager
def opened(file: File, most: int | None = None) -> Iterator[Any]:
    """A picture opened by Pillow.

    Args:
        file: the picture.
        most: refuse more pixels than this; by default the limit for photographs.

    Raises:
        EmomapError: the file cannot be read, or reading fails within the block.
    """
    from PIL import Image, UnidentifiedImageError

    refuse_special(file)
    try:
        with contextlib.ExitStack() as stack:
            picture = _identified(stack.enter_context(file.open("rb")), stack)
            pixels = picture.width * picture.height
            limit = most or _limit(picture)
            if pixels > limit:
                raise EmomapError(
                    f"{file}: {picture.width} x {picture.height} pixels is more than the "
                    f"{limit:,} that emomap reads; make the picture smaller"
                    + ("" if most else f", or set {LIMIT_VARIABLE}")
                )
            if picture.format == "TIFF" and pixels > (Image.MAX_IMAGE_PIXELS or pixels):
                stack.enter_context(_unlimited())
            yield picture
    except FileNotFoundError as error:
        raise EmomapError(f"{file}: there is no such file") from error
    except PermissionError as error:
        raise EmomapError(f"{file}: may not be read; check its permissions") from error
    except UnidentifiedImageError as error:
        raise EmomapError(f"{file}: not a picture that can be read, or damaged") from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, Warning) as error:
        raise EmomapError(
            f"{file}: damaged or cut short ({error}); copy or export it again"
        ) from error


def _limit(picture: Any) -> int:
    """How many pixels this photograph may have."""
    said = os.environ.get(LIMIT_VARIABLE, "")
    if said.isdecimal() and len(said) < 15:
        return int(said)
    twice = "A" in picture.mode or "transparency" in picture.info
    return MAX_PIXELS // 2 if twice else MAX_PIXELS


def _identified(stream: IO[bytes], stack: contextlib.ExitStack) -> Any:
    """The picture in a stream, of one of the `FORMATS`; ``stack`` closes it.

    `PIL.Image.open` does the same, but holds every picture against the host's limit on pixels.
    """
    from PIL import Image

    try:
        return stack.enter_context(_first_that_opens(stream))
    except Image.DecompressionBombError:  # the readers of WebP and GIF look at the limit, too
        stack.enter_context(_unlimited())
        return stack.enter_context(_first_that_opens(stream))


def _first_that_opens(stream: IO[bytes]) -> Any:
    from PIL import Image, UnidentifiedImageError

    if not Image.OPEN.keys() >= set(FORMATS):
        Image.init()
    stream.seek(0)
    start = stream.read(16)
    for name in FORMATS:
        # the reader of a file that is not of its format, or is damaged, raises one of these
        with contextlib.suppress(KeyError, SyntaxError, IndexError, TypeError, struct.error):
            reader, accepts = Image.OPEN[name]
            answer = accepts is None or accepts(start)
            if answer and not isinstance(answer, str):  # text: Pillow was built without the format
                stream.seek(0)
                return reader(stream, "")
    raise UnidentifiedImageError


@contextlib.contextmanager
def _unlimited() -> Iterator[None]:
    """Lift Pillow's limit on pixels for the whole process while one picture is read.

    The readers of TIFF, WebP and GIF look at the limit themselves, and it can only be set for all
    threads. So this is kept to pictures of these formats that are larger than the limit, and to
    one at a time.
    """
    from PIL import Image

    with _LIFTED:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
