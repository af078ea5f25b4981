"""Tables: every format holds the same cells and parses in a reader of its own."""

from __future__ import annotations

import csv

from emomap.tables import Table, number, width, with_interval

TABLE = Table(("method", "CC ↑"), [["a_b & c|d", "0.5"], ["眼", "-1.0"]], "Title", ["note 50%"])


def test_text_is_aligned_for_wide_letters() -> None:
    lines = TABLE.render("table").splitlines()
    assert lines[0] == "Title"
    assert lines[-1] == "note 50%"
    assert len({width(line) for line in lines[1:-1]}) == 1


def test_csv_reads_back() -> None:
    assert list(csv.reader(TABLE.render("csv").splitlines())) == [list(TABLE.header), *TABLE.rows]


def test_markdown_keeps_pipes_in_their_cells() -> None:
    row = next(line for line in TABLE.render("md").splitlines() if "a_b" in line)
    assert row == r"| a_b & c\|d | 0.5 |"


def test_latex_escapes_what_tex_would_take() -> None:
    latex = TABLE.render("latex")
    assert r"a\_b \& c\textbar{}d & 0.5 \\" in latex
    assert r"note 50\%" in latex
    assert latex.count(r"\begin") == latex.count(r"\end")


def test_numbers() -> None:
    assert number(-0.0001) == "0.000"
    assert with_interval(0.5, 0.25, 0.75, 2) == "0.50 [0.25, 0.75]"
