"""NumPy files (.npy, .npz) as arrays, safe to read from strangers.

Nothing is unpickled. The size that a header declares is compared with the bytes that are there
before memory is taken.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.errors import EmomapError
from emomap.io import archive
from emomap.io.files import File, read_bytes

#: Largest size in bytes of a file, and of an array.
LIMIT = archive.MAX_MEMBER


def read(file: File) -> Mapping[str, NDArray[Any]]:
    """The arrays of a file by name, each read on access. The array of a .npy is called "map".

    Raises:
        EmomapError: missing, not a NumPy file, damaged, beyond the limits, or with Python objects.
    """
    data = read_bytes(file, LIMIT, "a map")
    if data.startswith(b"PK"):
        return _Members(data, str(file))
    return {"map": _array(data, str(file))}


class _Members(Mapping[str, NDArray[Any]]):
    """The arrays of an npz."""

    def __init__(self, data: bytes, where: str) -> None:
        self._where = where
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise _damaged(where, error) from error
        names = [name for name in self._zip.namelist() if name.endswith(".npy")]
        self._names = {name.removesuffix(".npy"): name for name in names}

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, name: str) -> NDArray[Any]:
        info = self._zip.getinfo(self._names[name])
        where = f"{self._where}:{name}"
        # no limit on the ratio: a map of zeros packs a thousandfold
        archive.refuse_bomb(info, where, max_ratio=math.inf)
        try:
            data = self._zip.read(info)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
            ValueError,
        ) as error:
            raise _damaged(where, error) from error
        return _array(data, where)


def _array(data: bytes, where: str) -> NDArray[Any]:
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
            (3, 0): np.lib.format.read_array_header_2_0,  # differs in the letters of field names
        }.get(version)
        if reader is None:
            number = ".".join(map(str, version))
            raise EmomapError(f"{where}: NumPy format {number}; 1.0, 2.0 and 3.0 are read")
        shape, by_column, dtype = reader(stream)
    except EmomapError:
        raise
    except Exception as error:  # the parser of headers raises whatever the damage leads to
        raise _damaged(where, error) from error
    if dtype.hasobject:
        raise EmomapError(
            f"{where}: a NumPy file with Python objects, which could run code; save numbers alone"
        )
    left = len(data) - stream.tell()
    declared = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or declared != left:
        more = min(shape, default=0) >= 0 and declared < left
        reason = "several arrays in one file, or damaged" if more else "cut short or made up"
        raise EmomapError(
            f"{where}: declares {' x '.join(map(str, shape))} values of {dtype.itemsize} bytes and "
            f"holds {left:,} bytes; {reason}"
        )
    values = np.frombuffer(data, dtype, math.prod(shape), stream.tell()).copy()
    return values.reshape(shape, order="F" if by_column else "C")


def _damaged(where: str, error: Exception) -> EmomapError:
    reason = str(error).partition("\n")[0]
    return EmomapError(f"{where}: not a NumPy file that can be read ({reason})")
