"""Tables for people and programs: one table of cells, written as text, Markdown, CSV or LaTeX."""

from __future__ import annotations

import csv
import io as text_io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from emomap.errors import printable

#: Where HTML starts, and everything else that is markup in a cell of a Markdown table.
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_MARKUP = re.compile(rf"{_TAG.pattern}|[|`\\]|\*(?=\S)|\](?=\()|(?<!\w)_|_(?!\w)")

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


@dataclass(frozen=True)
class Table:
    """Cells as strings, with a title above and notes below.

    The first column holds names and is aligned left; the others hold numbers and are aligned right.

    Attributes:
        header, rows: cells; every row is as long as the header.
        title, notes: lines above and below; CSV has neither.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    notes: Sequence[str] = field(default_factory=tuple)

    def render(self, form: str) -> str:
        """The table as "table" (text), "md", "csv" or "latex", with a line end at the end."""
        writers = {"table": text, "md": markdown, "csv": comma_separated, "latex": latex}
        return writers[form](self)


def number(value: float, digits: int = 3) -> str:
    """A number with fixed digits after the point; never "-0.000"."""
    shown = f"{value:.{digits}f}"
    return shown.lstrip("-") if float(shown) == 0 else shown


def with_interval(mean: float, low: float, high: float, digits: int = 3) -> str:
    """A mean with its interval: "0.571 [0.552, 0.590]"."""
    return f"{number(mean, digits)} [{number(low, digits)}, {number(high, digits)}]"


def width(cell: str) -> int:
    """Columns that a string fills on a terminal: CJK letters two each, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in cell
    )


def text(table: Table) -> str:
    """For a terminal: aligned columns, a rule below the header."""
    cells = [list(table.header), *[list(row) for row in table.rows]]
    widths = [max(width(row[at]) for row in cells) for at in range(len(table.header))]
    lines = [table.title] if table.title else []
    for index, row in enumerate(cells):
        padded = [
            cell + " " * (wide - width(cell)) if at == 0 else " " * (wide - width(cell)) + cell
            for at, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
        if index == 0:
            lines.append("  ".join("-" * wide for wide in widths))
    return printable("\n".join([*lines, *table.notes]) + "\n")


def markdown(table: Table) -> str:
    """A pipe table, with the title above and the notes as paragraphs below."""

    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(_MARKUP.sub(r"\\\g<0>", cell) for cell in row) + " |"

    lines = [_TAG.sub(r"\<", table.title), ""] if table.title else []
    lines += [line(table.header), line(["---", *["---:"] * (len(table.header) - 1)])]
    lines += [line(row) for row in table.rows]
    for note in table.notes:
        lines += ["", _TAG.sub(r"\<", note)]
    return printable("\n".join(lines) + "\n")


def comma_separated(table: Table) -> str:
    """The cells alone, since programs that read CSV expect neither title nor notes."""
    out = text_io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.header)
    writer.writerows(table.rows)
    return out.getvalue()


def latex(table: Table) -> str:
    """A booktabs tabular inside a table environment (needs ``\\usepackage{booktabs}``)."""

    def line(row: Sequence[str]) -> str:
        cells = " & ".join("".join(_LATEX.get(c, c) for c in cell) for cell in row) + r" \\"
        # after the \\ of the row above, LaTeX would read these as its options
        return "{}" + cells if cells.startswith(("*", "[")) else cells

    lines = [r"\begin{table}", r"\centering"]
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}", r"\toprule"]
    lines += [line(table.header), r"\midrule", *[line(row) for row in table.rows]]
    lines += [r"\bottomrule", r"\end{tabular}"]
    parts = [part for part in (table.title, *table.notes) if part]
    caption = " ".join(part if part.endswith((".", ":", ";")) else f"{part}." for part in parts)
    if caption:
        lines.append(r"\caption{" + "".join(_LATEX.get(c, c) for c in caption) + "}")
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def html(table: Table) -> str:
    """An HTML table, for Jupyter."""
    from html import escape

    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in table.notes)
    return f"<table><caption>{escape(table.title)}</caption><tr>{head}</tr>{body}</table>{notes}"
