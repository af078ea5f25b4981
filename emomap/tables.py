"""Tables for people and programs: one table of cells, written as text, Markdown, CSV or LaTeX."""

from __future__ import annotations

import csv
import hashlib
import io as text_io
import re
import shutil
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from emomap.errors import UsageError, printable

#: Where HTML starts, and everything else that is markup in a cell of a Markdown table.
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_MARKUP = re.compile(rf"{_TAG.pattern}|[|`\\]|\*(?=\S)|\](?=\()|(?<!\w)_|_(?!\w)")

#: The name and the gap at the start of a line of a list, or its indentation.
_LEAD = re.compile(r" *\S+ {2,}| *")

_LATEX = {
    "\\": r"\textbackslash{}",
    **{c: "\\" + c for c in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
}


#: What stands before the best value of a column on a terminal.
BEST = ">"
#: Letters of 10 pt in a column of a two-column page.
COLUMN = 46


@dataclass(frozen=True)
class Table:
    """Cells as strings, with a title above and notes below.

    The first columns hold names and are aligned left; the others hold numbers and are aligned
    right.

    Attributes:
        header, rows: cells; every row is as long as the header.
        title, notes: lines above and below; CSV has neither.
        signature: every choice behind the numbers. A terminal shows its `short` form.
        in_full: where it is in full, for the terminal.
        best: (row, column) of each best value, counted from 0; CSV does not mark them.
        keys: number of columns that hold names.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    notes: Sequence[str] = field(default_factory=tuple)
    signature: str = ""
    in_full: str = "in full: --explain, .signature"
    best: Collection[tuple[int, int]] = ()
    keys: int = 1

    def render(self, form: str) -> str:
        """The table as "table" (text), "md", "csv" or "latex", with a line end at the end."""
        writers = {"table": text, "md": markdown, "csv": comma_separated, "latex": latex}
        return writers[form](self)


def load_pandas() -> Any:
    """pandas, for data frames.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise UsageError("data frames need pandas: pip install 'emomap[pandas]'") from error
    return pandas


def number(value: float, digits: int = 3) -> str:
    """A number with fixed digits after the point; never "-0.000"."""
    shown = f"{value:.{digits}f}"
    return shown.lstrip("-") if float(shown) == 0 else shown


def with_interval(mean: float, low: float | None, high: float | None, digits: int = 3) -> str:
    """A mean with its interval: "0.571 [0.552, 0.590]", or "0.571 [-]" where there is none."""
    return f"{number(mean, digits)} [{bounds(low, high, digits)}]"


def bounds(low: float | None, high: float | None, digits: int = 3, join: str = ", ") -> str:
    """The ends of an interval: "0.552, 0.590"; "-" where there is none."""
    if low is None or high is None:
        return "-"
    return f"{number(low, digits)}{join}{number(high, digits)}"


def width(cell: str) -> int:
    """Columns that a string fills on a terminal: CJK letters two each, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in cell
    )


def short(signature: str) -> str:
    """Eight digits that stand for a signature where there is no room for it."""
    return hashlib.sha256(signature.encode()).hexdigest()[:8]


def text(table: Table, columns: int | None = None) -> str:
    """For a terminal: aligned columns, a rule below the header, no line wider than the terminal.

    Columns that do not fit stand below, beside the names again. A name that is too long loses its
    middle; a number is never broken.

    Args:
        table: what to show. A best value has the mark `BEST`.
        columns: of the terminal. None to ask it; where there is none, 80 or ``$COLUMNS``.
    """
    wide = max(columns or shutil.get_terminal_size().columns, 40)
    marked = [
        [BEST + cell if (at, column) in table.best else cell for column, cell in enumerate(row)]
        for at, row in enumerate(table.rows)
    ]
    cells = [[*table.header], *marked]
    widths = [max(width(row[at]) for row in cells) for at in range(len(table.header))]
    largest = max(widths[table.keys :], default=0)
    names = _fitted(widths[: table.keys], wide - largest - 2 * table.keys)
    lines = _wrapped(table.title, wide)
    for number, block in enumerate(_blocks(widths, table.keys, wide - sum(names))):
        lines += [""] * (number > 0)
        sizes = [*names, *(widths[at] for at in block)]
        for index, row in enumerate(cells):
            if not any(row[at] for at in (*range(table.keys), *block)):
                continue  # the line of intervals, where this block has none
            kept = [shortened(row[at], room) for at, room in enumerate(names)]
            padded = [c + " " * (s - width(c)) for c, s in zip(kept, sizes, strict=False)]
            padded += [" " * (widths[at] - width(row[at])) + row[at] for at in block]
            lines.append("  ".join(padded).rstrip())
            if index == 0:
                lines.append("  ".join("-" * size for size in sizes))
    signed = [f"signature: {short(table.signature)} ({table.in_full})"] * bool(table.signature)
    marks = [f"{BEST} best of its column"] * bool(table.best)
    notes = [line for note in (*signed, *marks, *table.notes) for line in _wrapped(note, wide)]
    return printable("\n".join([*lines, *notes]) + "\n")


def folded(text: str) -> str:
    """Lines of words for a terminal: none is wider than it is."""
    wide = max(shutil.get_terminal_size().columns, 40)
    return "\n".join(part for line in text.split("\n") for part in _wrapped(line, wide) or [""])


def _blocks(widths: Sequence[int], keys: int, room: int) -> list[list[int]]:
    """Columns of numbers that stand beside each other, given the room beside the names."""
    blocks: list[list[int]] = [[]]
    left = room - 2 * (keys - 1)
    used = 0
    for at in range(keys, len(widths)):
        if blocks[-1] and used + 2 + widths[at] > left:
            blocks.append([])
            used = 0
        blocks[-1].append(at)
        used += 2 + widths[at]
    return blocks


def _fitted(widths: Sequence[int], room: int) -> list[int]:
    """Widths of names, the widest made smaller until all have room; none below 6."""
    found = list(widths)
    while sum(found) > room and max(found) > 6:
        found[found.index(max(found))] -= 1
    return found


def shortened(name: str, room: int) -> str:
    """A name with its middle left out where it is wider than its room."""
    if width(name) <= room:
        return name
    head, tail = (room - 1) // 2, room - 1 - (room - 1) // 2
    kept_head, kept_tail = "", ""
    for letter in name:
        if width(kept_head + letter) > head:
            break
        kept_head += letter
    for letter in reversed(name):
        if width(letter + kept_tail) > tail:
            break
        kept_tail = letter + kept_tail
    return f"{kept_head}…{kept_tail}"


def _wrapped(line: str, room: int) -> list[str]:
    """A line of words as lines that fit; a word that is too long is broken, unless it is a path.

    In a list, whose lines are a name, a gap and words, the words stay below each other.
    """
    if width(line) <= room:
        return [line] if line else []
    lead = _LEAD.match(line)
    now = lead.group() if lead else ""
    margin = " " * (width(now) if now.strip() and width(now) < room / 2 else 2)
    found = []
    # an option stays with its value
    for word in re.sub(r"(--[a-z-]+) (?=\S)", r"\1\0", line[len(now) :]).split(" "):
        fresh = not now.strip() or now == (lead and lead.group())
        if not fresh and width(f"{now} {word}") > room:
            found.append(now)
            now, fresh = margin, True
        now += word if fresh else f" {word}"
        while width(now) > room and "/" not in word and "\\" not in word:
            at = next(i for i in range(len(now), 0, -1) if width(now[:i]) <= room)
            found.append(now[:at])
            now = margin + now[at:]
    return [part.replace("\0", " ") for part in (*found, now)]


def markdown(table: Table) -> str:
    """A pipe table with bold best values, the title above and the notes as paragraphs below."""

    def line(row: Sequence[str], best: Collection[int] = ()) -> str:
        cells = [_MARKUP.sub(r"\\\g<0>", cell) for cell in row]
        return "| " + " | ".join(_bold(cells, best, "**{}**")) + " |"

    lines = [_TAG.sub(r"\<", table.title), ""] if table.title else []
    marks = ["---"] * table.keys + ["---:"] * (len(table.header) - table.keys)
    lines += [line(table.header), line(marks)]
    lines += [line(row, _best_in(table, at)) for at, row in enumerate(table.rows)]
    signed = [f"signature: {table.signature}"] if table.signature else []
    for note in [*signed, *table.notes]:
        lines += ["", _TAG.sub(r"\<", note)]
    return printable("\n".join(lines) + "\n")


def _best_in(table: Table, row: int) -> list[int]:
    """The columns that have their best value in this row."""
    return [column for at, column in table.best if at == row]


def _bold(cells: Sequence[str], best: Collection[int], pattern: str) -> list[str]:
    return [pattern.format(cell) if at in best else cell for at, cell in enumerate(cells)]


def comma_separated(table: Table) -> str:
    """The cells alone, since programs that read CSV expect neither title nor notes."""
    out = text_io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.header)
    writer.writerows(table.rows)
    return out.getvalue()


def latex(table: Table, label: str = "") -> str:
    """A booktabs tabular with bold best values, in a floating table that is no wider than its page.

    One that is wider than the column of a two-column page spans both, and is scaled down where it
    is wider than these. The signature is a comment.

    Args:
        table: what to show.
        label: for ``\\ref``.
    """

    def escaped(text: str) -> str:
        return "".join(_LATEX.get(c, c) for c in text)

    def line(row: Sequence[str], best: Collection[int] = ()) -> str:
        shown = _bold([escaped(cell) for cell in row], best, r"\textbf{{{}}}")
        cells = " & ".join(shown) + r" \\"
        # after the \\ of the row above, LaTeX would read these as its options
        return "{}" + cells if cells.startswith(("*", "[")) else cells

    wide = _letters(table)
    kind = "table*" if wide > COLUMN else "table"
    scaled = wide > 30  # letters differ in width; a table that fits stays as it is
    packages = ["booktabs", *["graphicx"] * scaled]
    lines = ["% needs " + " ".join(rf"\usepackage{{{name}}}" for name in packages)]
    lines += [f"% signature: {table.signature}"] if table.signature else []
    lines += [rf"\begin{{{kind}}}", r"\centering"]
    lines += [r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"] * scaled
    names, numbers = "l" * table.keys, "r" * (len(table.header) - table.keys)
    lines += [rf"\begin{{tabular}}{{{names}{numbers}}}", r"\toprule", line(table.header)]
    lines += [r"\midrule", *(line(row, _best_in(table, at)) for at, row in enumerate(table.rows))]
    lines += [r"\bottomrule", r"\end{tabular}" + "}" * scaled]
    parts = [part for part in (table.title, *table.notes) if part]
    caption = " ".join(part if part.endswith((".", ":", ";")) else f"{part}." for part in parts)
    lines += [rf"\caption{{{escaped(caption)}}}"] if caption else []
    lines += [rf"\label{{{label}}}"] if label else []
    return "\n".join([*lines, rf"\end{{{kind}}}"]) + "\n"


def _letters(table: Table) -> int:
    """About how many letters wide a table is on paper: the gap of two columns is as wide as two."""
    cells = [table.header, *table.rows]
    return sum(max(width(row[at]) for row in cells) + 2 for at in range(len(table.header)))


def html(table: Table) -> str:
    """An HTML table, for Jupyter."""
    from html import escape

    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    signed = [f"signature: {table.signature}"] if table.signature else []
    notes = "".join(f"<p>{escape(note)}</p>" for note in (*signed, *table.notes))
    return f"<table><caption>{escape(table.title)}</caption><tr>{head}</tr>{body}</table>{notes}"
