"""The run folder: it refuses another recipe and other files, and keeps other processes out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from emomap.errors import UsageError
from emomap.runs.folder import Run


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


@pytest.mark.skipif(sys.platform == "win32", reason="no flock")
def test_second_process_is_kept_out(tmp_path: Path) -> None:
    run = Run.open(tmp_path / "run", {})
    code = "import sys, pathlib, emomap.runs.folder as r; r.Run.open(pathlib.Path(sys.argv[1]), {})"
    other = subprocess.run(
        [sys.executable, "-c", code, str(run.folder)], capture_output=True, text=True, check=False
    )
    assert "another emomap is working" in other.stderr


def test_a_finished_run_opens_its_data_as_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emomap import data
    from emomap.runs.results import Results

    asked: dict[str, object] = {}
    monkeypatch.setattr(data, "open_dataset", lambda spec, **how: asked.update(spec=spec, **how))
    recipe = {"run.data": "photos", "run.gaze": "", "run.points": "normalised",
              "run.marks_threshold": 0.4}  # fmt: skip
    Results(tmp_path, recipe, {}, {}).dataset()
    options = {"points": "normalised", "marks_threshold": 0.4}
    assert asked == {"spec": "photos", "gaze": None, "options": options}
