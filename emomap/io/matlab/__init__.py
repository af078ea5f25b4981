"""MATLAB files (.mat) of versions 4 to 7.3 as plain Python values, safe to read from strangers.

`read` decodes numbers, text, cells and structs. Function handles, objects and Java objects become
an `Opaque` that names their class. The sizes that a file declares are checked against its content
and against `LIMIT` before memory is taken: a file of a few bytes that claims a terabyte is refused.

============================  ==================================================================
MATLAB                        Python
============================  ==================================================================
numeric, logical, sparse      `numpy.ndarray`, at least 2-D, rows and columns as in MATLAB
char                          `str`, or a list of them for several rows
cell                          list of its elements, column by column
struct (1 by 1)               dict
struct array                  list of dicts, column by column
function handle, object       `Opaque`
============================  ==================================================================

Knows bytes and arrays. Must not know what a data set means by them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from emomap.errors import EmomapError
from emomap.io.files import File, read_bytes
from emomap.io.matlab.values import LIMIT, Damaged, Opaque, TooLarge

__all__ = ["LIMIT", "Opaque", "read", "read_cached"]

_HDF5 = b"\x89HDF\r\n\x1a\n"


def read(file: File) -> dict[str, Any]:
    """The variables of a MATLAB file by name.

    Raises:
        EmomapError: missing, not a MATLAB file, damaged, or beyond the limits.
    """
    data = read_bytes(file, LIMIT, "a MATLAB file of gaze or maps")
    try:
        if data.startswith(_HDF5) or data[512:520] == _HDF5:
            from emomap.io.matlab import hdf5

            return hdf5.read(data)
        from emomap.io.matlab import level5

        return level5.read(data)
    except TooLarge as error:
        raise EmomapError(
            f"{file}: beyond what is read of one file ({error}); refused as a decompression bomb"
        ) from error
    except Damaged as error:
        raise EmomapError(f"{file}: not a MATLAB file, or damaged ({error})") from error


def read_cached(file: File) -> dict[str, Any]:
    """`read`, with the last two files kept: for sets that have all gaze in one file."""
    changed = file.stat().st_mtime_ns if isinstance(file, Path) else 0
    found: dict[str, Any] = _remembered(cast(Any, file), changed)
    return found


@lru_cache(maxsize=2)
def _remembered(file: Any, changed: int) -> dict[str, Any]:
    return read(file)
