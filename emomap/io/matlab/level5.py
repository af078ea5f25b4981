"""MAT-files of level 4 and 5 (MATLAB 4 to 7.2, and `save -v7`).

Follows "MAT-File Format" (The MathWorks). `scipy.io.loadmat` trusts the sizes that a file declares
and allocates by them. Here they are checked against the bytes that are there.
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.io.matlab.values import (
    MAX_DEPTH,
    MAX_DIMENSIONS,
    OVERHEAD,
    Budget,
    Damaged,
    Opaque,
    dense,
    rows_of_text,
)

_HEADER = 128
_COMPRESSED, _MATRIX = 15, 14
_STORED = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
    16: "u1", 17: "u2", 18: "u4",
}  # fmt: skip
_CLASSES = {
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _FUNCTION, _OPAQUE = 1, 2, 3, 4, 5, 16, 17
_LOGICAL_FLAG, _COMPLEX_FLAG = 0x200, 0x800
_TAGS = {order: struct.Struct(order + "II") for order in "<>"}
_DTYPES = {
    order: {kind: np.dtype(order + name) for kind, name in _STORED.items()} for order in "<>"
}
_LEVEL4 = ("f8", "f4", "i4", "i2", "u2", "u1")


def read(data: bytes) -> dict[str, Any]:
    """The variables of a file.

    Raises:
        Damaged: not a MAT-file of these levels, or cut short.
        TooLarge: beyond the limit.
    """
    budget = Budget()
    if len(data) >= 4 and 0 in data[:4]:
        return _read_level4(data, budget)
    if len(data) < _HEADER or data[126:128] not in {b"IM", b"MI"}:
        raise Damaged("its header is not that of one")
    order = "<" if data[126:128] == b"IM" else ">"
    found: dict[str, Any] = {}
    cursor = Cursor(memoryview(data)[_HEADER:], order)
    while cursor.left >= 8:
        kind, content = cursor.element()
        if kind == _COMPRESSED:
            kind, content = _inflate(content, order, budget)
        if kind != _MATRIX:
            raise Damaged(f"an element of type {kind} where a matrix belongs")
        name, value = _matrix(Cursor(content, order), budget, 0)
        if name:  # without a name it is MATLAB's own store of function handles and objects
            found[name] = value
    return found


def _inflate(packed: memoryview, order: str, budget: Budget) -> tuple[int, memoryview]:
    """Type and content of a compressed element. Its tag declares the unpacked size."""
    unpacker = zlib.decompressobj()
    try:
        tag = unpacker.decompress(packed, 8)
        if len(tag) < 8:
            raise Damaged("a compressed variable ends too early")
        kind, size = _TAGS[order].unpack(tag)
        budget.take(size, f"a compressed variable of {size:,} bytes")
        data = unpacker.decompress(unpacker.unconsumed_tail, size + 1)
    except zlib.error as error:
        raise Damaged(str(error)) from error
    if len(data) != size or not unpacker.eof:
        raise Damaged("a compressed variable is not as long as it says")
    return kind, memoryview(data)


class Cursor:
    """Reads the data elements of a stretch of bytes one after another."""

    def __init__(self, data: memoryview, order: str) -> None:
        self.data, self.order, self.at, self.end = data, order, 0, len(data)
        self.tag = _TAGS[order]

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return self.end - self.at

    def element(self) -> tuple[int, memoryview]:
        """Type and content of the next element. Only compressed ones are not padded to 8 bytes."""
        at, end = self.at, self.end
        if end - at < 8:
            raise Damaged("it ends within a variable")
        kind, size = self.tag.unpack_from(self.data, at)
        if kind >> 16:  # a small element: size and type share a word, 4 bytes of content follow
            kind, size, start, after = kind & 0xFFFF, kind >> 16, at + 4, at + 8
            if size > 4:
                raise Damaged("a small element that is not small")
        else:
            start = at + 8
            after = start + size + (0 if kind == _COMPRESSED else -size % 8)
        stop = start + size
        if stop > end:
            raise Damaged(f"an element of {size:,} bytes where {end - start:,} are left")
        self.at = after if after < end else end
        return kind, self.data[start:stop]

    def numbers(self) -> NDArray[Any]:
        """The next element as a flat array of the stored type."""
        kind, content = self.element()
        dtype = _DTYPES[self.order].get(kind)
        if dtype is None:
            raise Damaged(f"numbers of an unknown type {kind}")
        return np.frombuffer(content, dtype, len(content) // dtype.itemsize)

    def text(self) -> str:
        """The next element as a name."""
        return bytes(self.element()[1]).split(b"\0", 1)[0].decode("utf-8", "replace")


def _matrix(cursor: Cursor, budget: Budget, depth: int) -> tuple[str, Any]:
    """Name and value of a matrix element."""
    budget.take(OVERHEAD, "many small values")
    if depth > MAX_DEPTH:
        raise Damaged(f"nested more than {MAX_DEPTH} levels deep")
    if cursor.left == 0:
        return "", np.zeros((0, 0))
    header = cursor.element()[1]
    if len(header) != 8:
        raise Damaged("a matrix without its flags")
    flags, _ = cursor.tag.unpack(header)
    kind = flags & 0xFF
    if kind == _OPAQUE:
        return cursor.text(), Opaque("object")
    shape = tuple(cursor.numbers().tolist())
    if not 2 <= len(shape) <= MAX_DIMENSIONS or min(shape) < 0:
        raise Damaged(f"a matrix of the shape {shape[:4]}")
    name, count = cursor.text(), math.prod(shape)
    if kind == _FUNCTION:
        return name, Opaque("function handle")
    if kind == _OBJECT:
        return name, Opaque(f"object of the class {cursor.text()}")
    if kind == _CELL:
        _plausible(count, cursor)
        return name, [_nested(cursor, budget, depth) for _ in range(count)]
    if kind == _STRUCT:
        return name, _struct(cursor, count, budget, depth)
    if kind == _CHAR:
        return name, _char(cursor, shape, budget)
    if kind == _SPARSE:
        return name, _sparse(cursor, shape, budget, flags)
    if kind not in _CLASSES:
        raise Damaged(f"a matrix of an unknown class {kind}")
    logical = bool(flags & _LOGICAL_FLAG)
    values = _numeric(cursor, count, "?" if logical else _CLASSES[kind], budget)
    if flags & _COMPLEX_FLAG:
        values = values + 1j * _numeric(cursor, count, _CLASSES[kind], budget)
    return name, values.reshape(shape, order="F")


def _nested(cursor: Cursor, budget: Budget, depth: int) -> Any:
    kind, content = cursor.element()
    if kind != _MATRIX:
        raise Damaged(f"an element of type {kind} where a matrix belongs")
    return _matrix(Cursor(content, cursor.order), budget, depth + 1)[1]


def _plausible(count: int, cursor: Cursor) -> None:
    """Refuse more values than there is room for: each takes at least the 8 bytes of its tag."""
    if count * 8 > cursor.left + 8:
        raise Damaged(f"{count:,} values declared in {cursor.left:,} bytes")


def _struct(cursor: Cursor, count: int, budget: Budget, depth: int) -> Any:
    widths = cursor.numbers()
    width = int(widths[0]) if len(widths) else 0
    packed = bytes(cursor.element()[1])
    if width <= 0 and packed:
        raise Damaged("field names without a length")
    pieces = [packed[at : at + width] for at in range(0, len(packed), width)] if packed else []
    fields = [piece.split(b"\0", 1)[0].decode("utf-8", "replace") for piece in pieces]
    _plausible(count * max(1, len(fields)), cursor)
    budget.take(count * OVERHEAD, "a large struct array")
    items = [{name: _nested(cursor, budget, depth) for name in fields} for _ in range(count)]
    return items[0] if count == 1 else items


def _numeric(cursor: Cursor, count: int, dtype: str, budget: Budget) -> NDArray[Any]:
    stored = cursor.numbers()
    if len(stored) != count:
        raise Damaged(f"{len(stored):,} numbers where {count:,} are declared")
    budget.take(count * np.dtype(dtype).itemsize, f"{count:,} numbers")
    return stored.astype(dtype)


def _char(cursor: Cursor, shape: tuple[int, ...], budget: Budget) -> str | list[str]:
    kind, content = cursor.element()
    budget.take(4 * len(content), "text")
    width = np.dtype(_STORED.get(kind, "u1")).itemsize
    codec = {1: "utf-8", 2: f"utf-16-{'le' if cursor.order == '<' else 'be'}", 4: "utf-32"}[
        min(width, 4)
    ]
    if width == 4:
        codec += "-le" if cursor.order == "<" else "-be"
    text = bytes(content).decode(codec, "replace")
    codes = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")
    if len(codes) != math.prod(shape):  # several bytes for one letter: the rows are lost
        return text
    return rows_of_text(codes.reshape(shape, order="F"))


def _sparse(cursor: Cursor, shape: tuple[int, ...], budget: Budget, flags: int) -> NDArray[Any]:
    if len(shape) != 2:
        raise Damaged("a sparse matrix without two dimensions")
    budget.take(math.prod(shape) * 16, f"a sparse matrix of {shape[0]:,} x {shape[1]:,}")
    rows, starts = cursor.numbers(), cursor.numbers()
    # a logical one has one byte per value, whatever type the element declares
    logical = flags & _LOGICAL_FLAG
    values = np.frombuffer(cursor.element()[1], "?") if logical else cursor.numbers()
    if flags & _COMPLEX_FLAG:
        values = values + 1j * cursor.numbers()
    return dense((shape[0], shape[1]), rows, starts, values)


def _read_level4(data: bytes, budget: Budget) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    while at < len(data):
        if len(data) - at < 20:
            raise Damaged("it ends within a variable")
        order = "<" if 0 <= int(np.frombuffer(data, "<i4", 1, at)[0]) < 5000 else ">"
        code, rows, columns, imaginary, length = map(int, np.frombuffer(data, order + "i4", 5, at))
        precision, kind = code // 10 % 10, code % 10
        if not 0 <= code < 5000 or precision > 5 or kind > 2 or min(rows, columns, length - 1) < 0:
            raise Damaged("its header is not that of one")
        dtype = np.dtype(order + _LEVEL4[precision])
        parts = 2 if imaginary and kind == 0 else 1
        start, count = at + 20 + length, rows * columns
        at = start + parts * count * dtype.itemsize
        if at > len(data):
            raise Damaged(f"{rows:,} x {columns:,} numbers declared in {len(data) - start:,} bytes")
        budget.take(OVERHEAD + parts * count * 8, f"{count:,} numbers")
        name = data[start - length : start].split(b"\0", 1)[0].decode("latin-1")
        values = np.frombuffer(data, dtype, count * parts, start).astype(dtype.newbyteorder("="))
        if parts == 2:
            values = values[:count] + 1j * values[count:]
        found[name] = _level4_value(values.reshape((rows, columns), order="F"), kind, budget)
    return found


def _level4_value(table: NDArray[Any], kind: int, budget: Budget) -> Any:
    if kind == 1:
        return rows_of_text(table)
    if kind == 0:
        return table
    # sparse: columns are row, column (from 1), value; the last line holds the size
    if table.shape[1] not in {3, 4} or len(table) == 0 or not np.isfinite(table).all():
        raise Damaged("a sparse matrix without its size")
    shape = (int(table[-1, 0]), int(table[-1, 1]))
    if min(shape) < 0:
        raise Damaged(f"a sparse matrix of the shape {shape}")
    budget.take(math.prod(shape) * 16, f"a sparse matrix of {shape[0]:,} x {shape[1]:,}")
    rows, columns = (table[:-1, column].astype(np.int64) - 1 for column in (0, 1))
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    if not inside.all():
        raise Damaged("a value of a sparse matrix lies outside it")
    values = table[:-1, 2] if table.shape[1] == 3 else table[:-1, 2] + 1j * table[:-1, 3]
    full = np.zeros(shape, dtype=values.dtype)
    full[rows, columns] = values
    return full
