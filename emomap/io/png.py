"""Sound grey PNGs of 8 or 16 bits, decoded in half of Pillow's time: most maps are such files.

Whatever is damaged or unusual is left to Pillow, which says what is wrong. The values are the same.
Importing this loads numba, so it waits until a process has loaded that for its metrics.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from typing import IO, Any

import numba
import numpy as np
from numpy.typing import NDArray

from emomap.io.files import File, refuse_special

inflate: Any = zlib
with contextlib.suppress(ImportError):  # there is none for some processors
    from isal import isal_zlib

    inflate = isal_zlib  # takes a half to a third of zlib's time

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KNOWN = frozenset({b"IHDR", b"IDAT", b"IEND"})
#: Of an animation, whose frames are of several sizes.
_ANIMATED = b"acTL"
#: Bytes that a file may have beside its pixels: texts, profiles.
_BESIDE = 2**20


def read_grey(file: File, most: int) -> NDArray[Any] | None:
    """A grey PNG as (H, W) uint8 or uint16; None where the file is anything else, or unreadable.

    Args:
        file: to read.
        most: None also for a picture of more pixels.

    Raises:
        EmomapError: not a regular file, or in a damaged archive.
    """
    if _UNFILTER is None:
        return None
    refuse_special(file)
    with contextlib.suppress(OSError), file.open("rb") as stream:
        return _read(stream, most)
    return None


def _read(stream: IO[bytes], most: int) -> NDArray[Any] | None:
    head = stream.read(33)
    if len(head) < 33 or not head.startswith(_SIGNATURE + b"\0\0\0\x0dIHDR"):
        return None
    width, height, depth, *rest = struct.unpack(">IIBBBBB", head[16:29])
    if depth not in {8, 16} or any(rest) or not 0 < width * height <= most:
        return None
    step = depth // 8
    size = height * (1 + width * step)
    data = head[8:] + stream.read(size + size // 100 + _BESIDE)
    packed = _pixels(data)
    rows = None if packed is None else _inflated(packed, size)
    if rows is None:
        return None
    found = np.empty((height, width * step), np.uint8)
    if not _UNFILTER(np.frombuffer(rows, np.uint8).reshape(height, -1), step, found):
        return None
    return found if step == 1 else found.view(">u2").astype(np.uint16)


def _pixels(data: bytes) -> bytes | None:
    """The packed pixels of a file without its signature; None unless all chunks are sound."""
    parts, at, kind = [], 0, b""
    while kind != b"IEND":
        if at + 12 > len(data):
            return None
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + 8 + length
        critical = not kind[:1].islower()
        if (critical and kind not in _KNOWN) or kind == _ANIMATED or end + 4 > len(data):
            return None
        if inflate.crc32(data[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            return None
        if kind == b"IDAT":
            parts.append(data[at + 8 : end])
        at = end + 4
    return b"".join(parts)


def _inflated(packed: bytes, size: int) -> bytes | None:
    """What was packed; None unless it has this size."""
    unpacking = inflate.decompressobj()
    try:
        found: bytes = unpacking.decompress(packed, size + 1)
    except inflate.error:
        return None
    return found if len(found) == size and unpacking.eof else None


def _kept() -> Any:
    """`unfilter`, compiled and kept on disk; None where nothing can be kept.

    Compiling takes longer than Pillow for some hundred maps.
    """
    with contextlib.suppress(RuntimeError):
        return numba.njit(cache=True, nogil=True)(unfilter)
    return None


def unfilter(rows: Any, step: int, out: Any) -> bool:
    """Undo the filters of a PNG's rows (PNG specification, section 9).

    Args:
        rows: (h, 1 + w) uint8, the number of a filter, and the bytes that it made.
        step: bytes of a pixel.
        out: (h, w) uint8, written.

    Returns:
        False for a filter that does not exist.
    """
    height, width = out.shape
    above = np.zeros(width, np.uint8)
    for y in range(height):
        kind, given, row = rows[y, 0], rows[y, 1:], out[y]
        if kind == 0:
            for x in range(width):
                row[x] = given[x]
        elif kind == 2:
            for x in range(width):
                row[x] = given[x] + above[x]
        elif kind > 4:
            return False
        else:
            for first in range(step):
                left: Any = 0
                corner: Any = 0
                for x in range(first, width, step):
                    up = np.int64(above[x])
                    if kind == 1:
                        guess = left
                    elif kind == 3:
                        guess = (left + up) >> 1
                    else:
                        guess, least = left, abs(up - corner)
                        if abs(left - corner) < least:
                            guess, least = up, abs(left - corner)
                        if abs(left + up - 2 * corner) < least:
                            guess = corner
                    left = (np.int64(given[x]) + guess) & 255
                    corner = up
                    row[x] = left
        above = row
    return True


_UNFILTER = _kept()
