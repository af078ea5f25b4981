"""What the readers of both file formats share: the memory budget, errors, text, sparse matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Bytes that the decoded values of one file may take. The largest file of the known data sets
#: (120 matrices of 511 x 681 doubles) takes 334 MB.
LIMIT = 512 * 2**20
#: Bytes that an element costs beside its numbers: the Python objects around it.
OVERHEAD = 350
#: Levels of cells and structs within each other. A deeper file is made to exhaust the stack.
MAX_DEPTH = 32
MAX_DIMENSIONS = 32


class Damaged(Exception):
    """The content contradicts itself, or ends too early."""


class TooLarge(Exception):
    """The content would take more memory than `LIMIT`, or too long."""


@dataclass(frozen=True)
class Opaque:
    """A value that is not decoded: a function handle, an object."""

    kind: str


class Budget:
    """Counts the bytes of decoded values before they are allocated."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.left = limit

    def take(self, count: int, what: str) -> None:
        """Spend so many bytes on ``what``.

        Raises:
            TooLarge: fewer are left.
        """
        self.left -= count
        if self.left < 0:
            raise TooLarge(f"{what}: more than {LIMIT // 2**20} MiB of memory")


def rows_of_text(codes: NDArray[Any]) -> str | list[str]:
    """A char array (rows, columns) of UTF-16 codes as text; several rows as a list."""
    if codes.size == 0:
        return ""
    table = codes.reshape(codes.shape[0], -1).astype("<u2")
    rows = [row.tobytes().decode("utf-16-le", "replace") for row in table]
    return rows[0] if len(rows) == 1 else [row.rstrip() for row in rows]


def dense(
    shape: tuple[int, int], rows: NDArray[Any], starts: NDArray[Any], values: NDArray[Any]
) -> NDArray[Any]:
    """A sparse matrix (row indices, starts of the columns, values) as a full one.

    The caller must have taken its size from the budget.

    Raises:
        Damaged: the indices do not fit the shape.
    """
    starts = starts.astype(np.int64)
    if len(starts) != shape[1] + 1 or starts[0] != 0 or (np.diff(starts) < 0).any():
        raise Damaged("the columns of a sparse matrix are not in order")
    count = int(starts[-1])
    if count > min(len(rows), len(values)):
        raise Damaged("a sparse matrix has fewer values than it declares")
    rows = rows[:count].astype(np.int64)
    if count and not (rows.min() >= 0 and rows.max() < shape[0]):
        raise Damaged("a row of a sparse matrix lies outside it")
    full = np.zeros(shape, dtype=values.dtype)
    full[rows, np.repeat(np.arange(shape[1]), np.diff(starts))] = values[:count]
    return full
