"""The run folder: refusing another recipe, going on with torn rows, keeping others out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from emomap.errors import EmomapError, UsageError
from emomap.runs.folder import Run
from emomap.scoring.rows import Row, append_rows, read_rows, resume_rows

METRICS = ("cc", "nss")


def rows(image: str) -> list[Row]:
    return [Row("set", "gbvs", image, metric, 0.1 + 0.2, f"{metric}|mit") for metric in METRICS]


def test_same_recipe_opens_again_another_is_refused_with_the_difference(tmp_path: Path) -> None:
    run = Run.open(tmp_path / "run", {"training": {"epochs": 3}})
    run.write_environment()
    run.rows("gbvs").parent.mkdir()
    del run
    Run.open(tmp_path / "run", {"training": {"epochs": 3}})
    with pytest.raises(UsageError, match=r"training\.epochs: 3 there, 4 here"):
        Run.open(tmp_path / "run", {"training": {"epochs": 4}})


def test_folder_in_which_nothing_was_made_takes_another_recipe(tmp_path: Path) -> None:
    Run.open(tmp_path / "run", {"method": {"wscnet": {"backbone": "resnet1O1"}}})
    Run.open(tmp_path / "run", {"method": {"wscnet": {"backbone": "resnet101"}}})
    assert (tmp_path / "run/recipe.toml").read_text() == 'method.wscnet.backbone = "resnet101"\n'


def test_folder_with_other_files_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(UsageError, match="not a run"):
        Run.open(tmp_path, {})
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


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
    with pytest.raises(EmomapError, match=r"a\.jsonl: line 1"):
        read_rows(path)


@pytest.mark.skipif(sys.platform == "win32", reason="no flock")
def test_second_process_is_kept_out(tmp_path: Path) -> None:
    run = Run.open(tmp_path / "run", {})
    code = "import sys, pathlib, emomap.runs.folder as r; r.Run.open(pathlib.Path(sys.argv[1]), {})"
    other = subprocess.run(
        [sys.executable, "-c", code, str(run.folder)], capture_output=True, text=True, check=False
    )
    assert "another emomap is working" in other.stderr
