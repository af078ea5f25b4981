"""Rows: they are read back exactly, and a file that a kill cut short is cut to complete images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emomap.errors import EmomapError
from emomap.scoring.rows import Row, append_rows, read_rows, resume_rows, short_lines

METRICS = ("cc", "nss")


def rows(image: str) -> list[Row]:
    return [Row("set", "gbvs", image, metric, 0.1 + 0.2, f"{metric}|mit") for metric in METRICS]


def test_rows_read_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "rows" / "a.jsonl"
    append_rows(path, rows("1"))
    assert read_rows(path) == rows("1")


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_torn_rows_are_cut_back_to_complete_images(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.jsonl"
    append_rows(path, rows("1"))
    whole = path.read_bytes()
    append_rows(path, rows("2"))
    path.write_bytes(path.read_bytes()[:-cut])
    assert resume_rows(path, METRICS) == rows("1")
    assert path.read_bytes() == whole


def test_complete_rows_are_kept_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    append_rows(path, [*rows("1"), *rows("2")])
    before = path.read_bytes()
    assert resume_rows(path, METRICS) == [*rows("1"), *rows("2")]
    assert path.read_bytes() == before


def test_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("{}\n")
    with pytest.raises(EmomapError, match=r"a\.jsonl, line 1"):
        read_rows(path)


def test_rows_that_share_their_signatures(tmp_path: Path) -> None:
    signed = {"cc": "cc|mit|sigma:24px|v:0.1.0", "kl": "kl|mit|eps:2^-52|v:0.1.0"}
    rows = [
        Row("d", "m", image, metric, value, signed[metric], "" if value else "why")
        for image in ("a", "b")
        for metric, value in (("cc", 0.25), ("kl", None if image == "b" else 0.5))
    ]
    path = tmp_path / "a.jsonl"
    path.write_text(short_lines({"dataset": "d", "method": "m", "signatures": signed}, rows))
    lines = path.read_text().splitlines()
    assert json.loads(lines[0])["signatures"] == signed
    assert max(map(len, lines[1:])) < 80 and "|" not in "".join(lines[1:])
    assert read_rows(path) == rows
    path.write_text("\n".join([*lines, '{"image": "c", "metric": "sim", "value": 1.0}', ""]))
    with pytest.raises(EmomapError, match=r"a\.jsonl, line 6: not a row of a metric"):
        read_rows(path)
