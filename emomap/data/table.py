"""Text tables as people save them: a byte-order mark, semicolons, tabs, decimal commas, CRLF."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emomap.errors import EmomapError
from emomap.io.files import File

#: A text file beyond this is no table of labels or fixations.
MAX_BYTES = 256 * 2**20
DELIMITERS = (",", ";", "\t")


@dataclass(slots=True)
class TableRow:
    """One line of a table: where it stands, and its cells by column name."""

    file: File
    line: int
    cells: Mapping[str, str]
    decimal_comma: bool = False

    @property
    def where(self) -> str:
        """The file and the line, for messages."""
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
        if not math.isfinite(value):
            raise EmomapError(f"{self.where}: {column} is '{text}', which is not a number")
        return value


def read_text(file: File) -> str:
    """A text file as text, whatever mark it begins with.

    Raises:
        EmomapError: missing, unreadable, too large, or in no Unicode encoding.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise EmomapError(f"{file}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise EmomapError(f"{file}: larger than {MAX_BYTES // 2**20} MiB, which is no table")
    utf16 = data[:2] in {b"\xff\xfe", b"\xfe\xff"}
    try:
        text: str = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise EmomapError(
            f"{file}: not UTF-8 text (byte {error.start}); save it again as 'CSV UTF-8'"
        ) from error
    if "\0" in text:
        raise EmomapError(f"{file}: holds zero bytes, so it is no text file")
    return text


def split_lines(text: str, delimiter: str, quote: str = '"') -> Iterator[tuple[int, list[str]]]:
    """Line number (from 1) and stripped cells of each line that is not blank."""
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
    """The delimiter that the first line has most of; a comma when it has none."""
    first = text.lstrip().split("\n", 1)[0]
    return max(DELIMITERS, key=first.count)


def read_table(file: File, required: tuple[str, ...]) -> Iterator[TableRow]:
    """The rows of a CSV file with a header; column names in any case, further columns allowed.

    Raises:
        EmomapError: unreadable, empty, a required column is missing, or a line of another length.
    """
    text = read_text(file)
    delimiter = guess_delimiter(text)
    header: list[str] | None = None
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
            missing = [column for column in required if column not in header]
            if missing:
                raise EmomapError(
                    f"{file}: the column {' and '.join(missing)} is missing; its header is "
                    f"'{','.join(header)}' and must have {','.join(required)}"
                )
            continue
        if len(cells) != len(header):
            raise EmomapError(
                f"{file}, line {line}: {len(cells)} values where the header has {len(header)}"
            )
        yield TableRow(file, line, dict(zip(header, cells, strict=True)), delimiter != ",")
    if header is None:
        raise EmomapError(f"{file}: empty; it must begin with the header {','.join(required)}")
