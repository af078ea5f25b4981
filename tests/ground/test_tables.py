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

from emomap.tables import BEST, Table, html, latex, number, short, text, width, with_interval

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
    head = r"\documentclass[twocolumn]{article}\usepackage{booktabs,graphicx}\begin{document}"
    shown = latex(WIDE).replace("眼", "e") + table.render("latex")
    (tmp_path / "t.tex").write_text(head + shown + r"\end{document}")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "t.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert "Overfull" not in ran.stdout


WIDE = Table(
    ("metric", "pair", *(f"M{at} ↑" for at in range(9))),
    [[f"m{row}", f"a_very_long_name_of_a_method_{row} - 眼眼眼眼眼眼眼",
      *[f"0.5{row} [0.41, 0.69]"] * 9] for row in range(3)],
    "A title of many words " * 6, ["a_word_that_is_longer_than_any_terminal" * 4, "眼 " * 60],
    "nss|mit|ddof:1|v:0.1.0", best=[(1, 4)], keys=2,
)  # fmt: skip


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 400])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_broken(columns: int) -> None:
    shown = text(WIDE, columns)
    assert max(map(width, shown.splitlines())) <= columns
    for row in range(3):
        assert shown.count(f"0.5{row} [0.41, 0.69]") == 9
    assert shown.count(f"{BEST}0.51 [0.41, 0.69]") == 1
    assert f"signature: {short(WIDE.signature)} (in full" in " ".join(shown.split())
    assert all(f"M{at} ↑" in shown for at in range(9))


def test_a_name_loses_its_middle() -> None:
    names = ["islamnet@other-picture-smooth", "islamnet@other-picture-center"]
    shown = text(Table(("m", "CC"), [[name, "0.1234567890123456789"] for name in names]), 40)
    kept = [line.split()[0] for line in shown.splitlines()[2:]]
    assert kept == ["islamnet…e-smooth", "islamnet…e-center"]


def test_the_best_is_bold_on_paper() -> None:
    table = Table(("method", "CC"), [["a", "0.7*"], ["b", "0.5"]], best=[(0, 1)])
    assert r"\textbf{0.7*}" in table.render("latex")
    page = MarkdownIt("commonmark").enable("table").render(table.render("md"))
    assert "<strong>0.7</strong>*" in page and "<strong>0.5" not in page
    assert table.render("csv").splitlines()[1] == "a,0.7*"


def test_latex_has_label_and_signature_and_says_what_it_needs() -> None:
    shown = latex(WIDE, "tab:wide")
    assert r"\label{tab:wide}" in shown and "% signature: nss|mit|ddof:1|v:0.1.0" in shown
    assert r"\usepackage{graphicx}" in shown and r"\resizebox" in shown and r"{table*}" in shown
    small = latex(TABLE)
    assert "resizebox" not in small and "table*" not in small and "graphicx" not in small


def test_numbers() -> None:
    assert number(-0.0001) == "0.000"
    assert with_interval(0.5, 0.25, 0.75, 2) == "0.50 [0.25, 0.75]"
    assert with_interval(0.5, None, None, 2) == "0.50 [-]"
