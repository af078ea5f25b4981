"""Tables: every format holds the same cells and parses in a reader of its own."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from emomap.tables import Table, html, number, width, with_interval

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


NASTY = [
    "a_b & c|d",
    "<script>alert(1)</script>",
    "[x](javascript:y)",
    "*star*",
    "_low_",
    "`code`",
    "100% #1 $x^2$ ~{}",
    "back\\slash",
    'comma, "quote"',
    "<b>",
    "0.829*",
]


def test_names_are_read_back_as_they_are_in_every_format() -> None:
    table = Table(("method", "CC ↑"), [[name, "0.5 [0.4, 0.6]"] for name in NASTY])
    assert [row[0] for row in csv.reader(table.render("csv").splitlines())][1:] == NASTY
    page = MarkdownIt("commonmark").enable("table").render(table.render("md"))
    cells = [unescape(cell) for cell in re.findall(r"<td.*?>(.*?)</td>", page)]
    assert cells[::2] == NASTY
    assert set(cells[1::2]) == {"0.5 [0.4, 0.6]"}
    cells = re.findall(r"<td>(.*?)</td>", html(table))
    assert [unescape(cell) for cell in cells[::2]] == NASTY


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_latex_is_taken_by_latex(tmp_path: Path) -> None:
    table = Table(("method", "CC ↑"), [[name, "0.5 ± 0.1"] for name in NASTY], "50%", NASTY)
    text = r"\documentclass{article}\usepackage{booktabs}\begin{document}"
    (tmp_path / "t.tex").write_text(text + table.render("latex") + r"\end{document}")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "t.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-2000:]


def test_numbers() -> None:
    assert number(-0.0001) == "0.000"
    assert with_interval(0.5, 0.25, 0.75, 2) == "0.50 [0.25, 0.75]"
