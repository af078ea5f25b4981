"""CSV files as people save them: with byte-order mark, semicolons, tabs, decimal commas or CRLF."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emomap.errors import QUOTED, EmomapError, printable
from emomap.io.files import File, read_bytes

#: A larger text file is not a table of labels or fixations, nor one with more lines. Only files of
#: plain numbers may have more, since they are read in one go and take less memory.
MAX_BYTES = 64 * 2**20
MAX_LINES = 1_000_000
DELIMITERS = (",", ";", "\t")
#: The bytes of numbers without exponents, of commas and of line ends.
PLAIN = frozenset(b"0123456789.-,\r\n")
#: Whole numbers below `EXACT` are exact as floats; those of up to `DIGITS` digits fit in 64 bits.
EXACT, DIGITS = 2**53, 18


@dataclass(slots=True)
class TableRow:
    """One line of a table: its file and number, and its cells by column name."""

    file: File
    line: int
    cells: Mapping[str, str]
    decimal_comma: bool = False

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.file}, line {self.line}"

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def number(self, column: str) -> float:
        """A cell as a finite number.

        Raises:
            EmomapError: empty, not a number, NaN or infinite.
        """
        text = self.cells[column]
        try:
            value = float(text.replace(",", ".") if self.decimal_comma else text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in text:  # Python reads 1_000, nobody else writes it
            raise EmomapError(
                f"{self.where}: {column} is '{printable(text, QUOTED)}', which is not a number"
            )
        return value


def read_text(file: File) -> str:
    """A text file in UTF-8, or in UTF-16 with its byte-order mark.

    Raises:
        EmomapError: missing, unreadable, too large, or in another encoding.
    """
    data = read_bytes(file, MAX_BYTES, "a table")
    utf16 = data[:2] in {b"\xff\xfe", b"\xfe\xff"}
    try:
        text: str = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise EmomapError(
            f"{file}: not UTF-8 text (byte {error.start}); save it again as 'CSV UTF-8'"
        ) from error
    if "\0" in text:
        raise EmomapError(f"{file}: holds zero bytes, so it is not a text file")
    return text


def split_lines(text: str, delimiter: str, quote: str = '"') -> Iterator[tuple[int, list[str]]]:
    """Number (from 1) and stripped cells of each line that is not blank.

    Raises:
        EmomapError: a line cannot be split (the message lacks the file).
    """
    source = io.StringIO(text, newline="")
    reader = csv.reader(source, delimiter=delimiter, quotechar=quote, skipinitialspace=True)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield reader.line_num, stripped
    except csv.Error as error:
        raise EmomapError(f"line {reader.line_num}: {error}") from error


def guess_delimiter(text: str) -> str:
    """The most frequent delimiter of the first line; a comma if it has none."""
    first = text.lstrip().split("\n", 1)[0]
    return max(DELIMITERS, key=first.count)


def read_table(file: File, required: tuple[str, ...]) -> Iterator[TableRow]:
    """The rows of a CSV file with a header. Column names in any case; further columns are allowed.

    Raises:
        EmomapError: unreadable, empty, without a required column, with two columns of one name,
            with a line of another length, or with more than `MAX_LINES` lines.
    """
    text = read_text(file)
    delimiter = guess_delimiter(text)
    header: list[str] | None = None
    rows = 0
    lines = split_lines(text, delimiter)
    while True:
        try:
            line, cells = next(lines)
        except StopIteration:
            break
        except EmomapError as error:
            raise EmomapError(f"{file}, {error}") from error
        if header is None:
            header = [cell.lower() for cell in cells]
            _check_header(file, header, required)
            continue
        rows += 1
        if rows > MAX_LINES:
            raise EmomapError(f"{file}: more than {MAX_LINES:,} lines; split it, one per picture")
        if len(cells) != len(header):
            raise EmomapError(
                f"{file}, line {line}: {len(cells)} values where the header has {len(header)}"
            )
        yield TableRow(file, line, dict(zip(header, cells, strict=True)), delimiter != ",")
    if header is None:
        raise EmomapError(f"{file}: empty; it must begin with the header {','.join(required)}")


def _check_header(file: File, header: Sequence[str], required: Sequence[str]) -> None:
    missing = [column for column in required if column not in header]
    if missing:
        raise EmomapError(
            f"{file}: the column {' and '.join(missing)} is missing; its header is "
            f"'{printable(','.join(header), QUOTED)}' and must have {','.join(required)}"
        )
    for column in header:
        if column and header.count(column) > 1:
            raise EmomapError(
                f"{file}: two columns are called '{printable(column, QUOTED)}'; rename one"
            )


class Columns:
    """A CSV file with a header, by column: its numbers as arrays.

    A file of plain numbers is read in one go. Any other is read line by line, to the same values.

    Args:
        file: a path or `File`.
        required: columns that must be there.
        optional: columns that may follow them. Any others are allowed, but slower to read.

    Raises:
        EmomapError: unreadable or too large; on access to a column also as `read_table`.
    """

    def __init__(self, file: File, required: tuple[str, ...], optional: tuple[str, ...] = ()):
        self._file, self._required = file, required
        self._plain = _plain_columns(read_bytes(file, MAX_BYTES, "a table"), required, optional)

    def __contains__(self, column: str) -> bool:
        if self._plain is not None:
            return column in self._plain
        return bool(self.rows) and column in self.rows[0].cells

    @cached_property
    def rows(self) -> Sequence[TableRow]:
        """The lines one by one: for messages, and for cells that are not numbers."""
        return list(read_table(self._file, self._required))

    def numbers(self, *columns: str) -> NDArray[np.float64]:
        """Some columns as an array (rows, columns).

        Raises:
            EmomapError: a cell is not a finite number (names the line).
        """
        if self._plain is not None:
            return np.column_stack([self._plain[column] for column in columns])
        cells = [[row.number(column) for column in columns] for row in self.rows]
        return np.array(cells, dtype=np.float64).reshape(-1, len(columns))

    def labels(self, column: str) -> NDArray[np.int64]:
        """A column (rows,) of whole numbers as they are, or of other names numbered as they appear.

        Raises:
            EmomapError: a cell is empty (names the line).
        """
        if self._plain is not None:
            values = self._plain[column]
            if bool(((values == np.floor(values)) & (np.abs(values) < EXACT)).all()):
                return values.astype(np.int64)
        names = [row[column] for row in self.rows]
        if "" in names:
            raise EmomapError(f"{self.rows[names.index('')].where}: the {column} is missing")
        order = {name: index for index, name in enumerate(dict.fromkeys(names))}
        numbered = all(name.isdecimal() and len(name) <= DIGITS for name in names)
        return np.array([int(n) if numbered else order[n] for n in names], dtype=np.int64)


def _plain_columns(
    data: bytes, required: tuple[str, ...], optional: tuple[str, ...]
) -> Mapping[str, NDArray[np.float64]] | None:
    """The columns of a file that holds only numbers between commas, read in one go.

    None for any other file.
    """
    head, _, body = data.partition(b"\n")
    names = head.strip().decode("latin-1").split(",")
    known = names == [*required, *optional][: len(names)] and len(names) >= len(required)
    if not known or not body.strip() or not set(body) <= PLAIN:
        return None
    try:
        table = np.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2)
    except ValueError:
        return None
    if table.shape[1] != len(names) or not np.isfinite(table).all():
        return None
    return {name: table[:, at] for at, name in enumerate(names)}
