"""MAT-files of version 7.3, which are HDF5 with MATLAB's conventions.

Two kinds of HDF5's features are refused: those that reach outside the file (external and soft
links, external storage, virtual datasets, filters other than gzip, which may load a plug-in), and
those whose size is unknown before they are read (text and lists of variable length).
"""

from __future__ import annotations

import io
import math
import zlib
from typing import Any

import h5py
import numpy as np

from emomap.io.matlab.values import (
    MAX_DEPTH,
    OVERHEAD,
    Budget,
    Damaged,
    Opaque,
    TooLarge,
    dense,
    rows_of_text,
)

#: Shuffle, gzip, checksum: what MATLAB and h5py write by default. Other filters believe the file
#: about the size of their result.
_SHUFFLE, _GZIP, _CHECKSUM = 2, 1, 3
_PIPELINES = {
    (), (_GZIP,), (_SHUFFLE,), (_SHUFFLE, _GZIP), (_GZIP, _CHECKSUM), (_SHUFFLE, _GZIP, _CHECKSUM),
}  # fmt: skip
#: Objects in one file, and chunks. Each takes .2 ms, or .05 ms: so long a file may keep a command.
MAX_OBJECTS = 60_000
MAX_CHUNKS = 100_000
_OWN = frozenset({"#refs#", "#subsystem#"})
_NUMERIC = {
    "double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    "logical",
}  # fmt: skip


def read(data: bytes) -> dict[str, Any]:
    """The variables of a file.

    Raises:
        Damaged: not HDF5, damaged, or with features that are refused.
        TooLarge: beyond the limit.
    """
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            return Reader(file).group(file, 0, skip=_OWN)
    except (Damaged, TooLarge):
        raise
    except Exception as error:  # the HDF5 library raises many types on damaged files
        raise Damaged(str(error)) from error


class Reader:
    """Decodes the objects of one open file."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.budget = Budget()
        self.known: dict[int, Any] = {}  # by place in the file
        self.open: set[int] = set()
        self.chunks = 0

    def group(self, group: Any, depth: int, skip: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The members of a group by name."""
        found: dict[str, Any] = {}
        for name in group:
            if name in skip:
                continue
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise Damaged(f"'{name}' is a link, and links are not followed")
            found[name] = self.value(group[name], depth + 1)
        return found

    def value(self, item: Any, depth: int) -> Any:
        """A dataset or group as a plain value. One that is referred to again is not read again."""
        place = h5py.h5o.get_info(item.id).addr
        if place in self.known:
            return self.known[place]
        if place in self.open:
            raise Damaged(f"'{item.name}' contains itself")
        if len(self.known) + len(self.open) >= MAX_OBJECTS:
            raise TooLarge(f"more than {MAX_OBJECTS:,} objects")
        self.open.add(place)
        self.known[place] = self.decoded(item, depth)
        self.open.remove(place)
        return self.known[place]

    def decoded(self, item: Any, depth: int) -> Any:
        """A dataset or group that was not read before."""
        self.budget.take(OVERHEAD, "many small values")
        if depth > MAX_DEPTH:
            raise Damaged(f"nested more than {MAX_DEPTH} levels deep")
        kind = item.attrs.get("MATLAB_class", b"")
        kind = kind.decode("ascii", "replace") if isinstance(kind, bytes) else str(kind)
        if "MATLAB_object_decode" in item.attrs and kind not in _NUMERIC | {"char", "cell"}:
            return Opaque(kind or "object")
        if kind == "function_handle":
            return Opaque("function handle")
        if isinstance(item, h5py.Group):
            if "MATLAB_sparse" in item.attrs:
                return self.sparse(item)
            return self.struct(item, depth)
        if not isinstance(item, h5py.Dataset):
            return Opaque(type(item).__name__)
        return self.dataset(item, kind, depth)

    def struct(self, group: Any, depth: int) -> Any:
        """A struct, or a struct array, whose fields are arrays of references without a class."""
        members = [group[name] for name in group if isinstance(group[name], h5py.Dataset)]
        array = len(members) == len(group) > 0 and all(
            h5py.check_ref_dtype(member.dtype) and "MATLAB_class" not in member.attrs
            for member in members
        )
        fields = self.group(group, depth)
        if not array:
            return fields
        lengths = {len(values) for values in fields.values()}
        if len(lengths) != 1:
            raise Damaged("a struct array with fields of several lengths")
        return [{name: fields[name][at] for name in fields} for at in range(lengths.pop())]

    def dataset(self, item: Any, kind: str, depth: int) -> Any:
        """A dataset as array, text or list."""
        self.check(item)
        values = item[()]
        if item.attrs.get("MATLAB_empty", 0):
            shape = tuple(int(n) for n in np.ravel(values))
            if kind == "char":
                return ""
            empty = len(shape) >= 2 and math.prod(shape) == 0 and max(shape) < 2**31
            return [] if kind in {"cell", "struct"} else np.zeros(shape if empty else (0, 0))
        if h5py.check_ref_dtype(item.dtype) is h5py.Reference:
            return [self.value(self.file[ref], depth + 1) for ref in values.ravel() if ref]
        if values.dtype.names == ("real", "imag"):
            values = values["real"] + 1j * values["imag"]
        if values.dtype.kind not in "biufc":
            return Opaque(str(values.dtype))
        values = np.atleast_2d(values).T  # MATLAB writes columns first
        if kind == "char":
            return rows_of_text(values)
        return values.astype(bool) if kind == "logical" else values

    def check(self, item: Any) -> None:
        """Refuse values that lie outside the file or exceed the budget, before they are read."""
        if item.external or item.is_virtual:
            raise Damaged(f"'{item.name}' takes its values from another file")
        if item.dtype.kind == "O" and not h5py.check_ref_dtype(item.dtype):
            raise Damaged(f"'{item.name}' has values of variable length")
        plan = item.id.get_create_plist()
        filters = tuple(plan.get_filter(index)[0] for index in range(plan.get_nfilters()))
        if filters not in _PIPELINES:
            raise Damaged(f"'{item.name}' is packed by the filters {filters}; only gzip is read")
        what = f"'{item.name}' of the shape {item.shape}"
        self.budget.take((item.size or 0) * max(item.dtype.itemsize, 8), what)
        if item.chunks:
            self.check_chunks(item, packed=_GZIP in filters)

    def check_chunks(self, item: Any, *, packed: bool) -> None:
        """Refuse chunks larger than declared, which the HDF5 library would unpack completely."""
        sides = zip(item.shape, item.chunks, strict=True)
        self.chunks += math.prod(-(-side // part) for side, part in sides)  # of a fill value, too
        if self.chunks > MAX_CHUNKS:
            raise TooLarge(f"more than {MAX_CHUNKS:,} chunks")
        size = math.prod(item.chunks) * item.dtype.itemsize
        self.budget.take(size, f"a chunk of '{item.name}'")
        self.budget.left += size  # chunks are unpacked one at a time
        places: list[tuple[int, ...]] = []
        if packed:
            item.id.chunk_iter(lambda chunk: places.append(chunk.chunk_offset))
        for place in places:
            mask, data = item.id.read_direct_chunk(place)
            if mask == 0 and len(zlib.decompressobj().decompress(data, size + 1)) > size:
                raise TooLarge(f"a chunk of '{item.name}' unpacks to more than its {size:,} bytes")

    def sparse(self, group: Any) -> Any:
        """A sparse matrix, whose number of rows is an attribute."""
        parts = self.group(group, MAX_DEPTH - 1)
        starts, rows = parts["jc"].ravel(), parts.get("ir", np.zeros((1, 0))).ravel()
        shape = (int(group.attrs["MATLAB_sparse"]), len(starts) - 1)
        self.budget.take(math.prod(shape) * 16, f"a sparse matrix of {shape[0]:,} x {shape[1]:,}")
        return dense(shape, rows, starts, parts.get("data", np.zeros((1, 0))).ravel())
