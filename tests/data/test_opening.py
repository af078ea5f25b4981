"""The embedded set by name, and where it is kept."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from emomap.data import LAYOUTS, cache_folder, open_dataset, splits
from emomap.data.opening import open_gaze
from emomap.errors import EmomapError, UsageError
from tests.data import builders
from tests.data.builders import picture

FEW = {"train": 8, "val": 8, "test": 8}


def test_embedded_set_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOMAP_HOME", str(tmp_path / "home"))
    found = open_dataset("demo", options=FEW)
    assert found.synthetic
    assert len(found) == 24
    assert list((tmp_path / "home/demo").iterdir())
    with pytest.raises(UsageError, match=r"data\.trian is not an option of demo \(level, seed"):
        open_dataset("demo", options={"trian": 8})


def test_a_folder_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "demo/a.jpg")
    assert [sample.id for sample in open_dataset("demo")] == ["a"]


def test_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOMAP_HOME", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("EMOMAP_HOME")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache" / "emomap"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "emomap"


def test_listing_names_every_layout_once() -> None:
    assert [entry.name for entry in LAYOUTS.values()] == list(LAYOUTS)
    assert all(entry.summary and entry.signs for entry in LAYOUTS.values())


def test_embedded_set_is_no_folder_of_gaze(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        open_gaze(tmp_path / "demo")


# -------------------------------------------------------------------------------- ground truth


def test_a_data_set_serves_as_ground_truth_wherever_it_begins(tmp_path: Path) -> None:
    builders.cat2000(tmp_path / "download/CAT2000")
    found = open_gaze(tmp_path / "download")
    assert (found.kind, found.needs_shape) == ("data set", False)
    assert found.reason.startswith("cat2000 (in CAT2000/: ")
    forced = open_gaze(f"cat2000:{tmp_path / 'download'}")
    assert list(forced) == list(found)


def test_gaze_of_a_data_set_comes_with_what_the_set_says(tmp_path: Path) -> None:
    builders.neutral(tmp_path / "set/inner")
    card = tmp_path / "set/inner/dataset.toml"
    card.write_text("synthetic = true\nsigma = 7.5\ncolour = 1\n")
    found = open_gaze(tmp_path / "set")
    assert (found.kind, found.sigma, found.synthetic) == ("data set", 7.5, True)
    assert "1 keys of dataset.toml are not known and were not used: colour" in found.notes
    assert splits.NOTE not in found.notes
    picture(tmp_path / "pictures/a/one.jpg")
    assert open_dataset(tmp_path / "pictures", gaze=tmp_path / "set").synthetic


def test_a_neutral_set_may_have_gaze_without_pictures(tmp_path: Path) -> None:
    builders.neutral(tmp_path)
    first, *_ = sorted((tmp_path / "images").rglob("*.jpg"))
    first.unlink()
    assert len(open_gaze(tmp_path)) == len(open_dataset(tmp_path)) + 1


def test_a_broken_data_set_is_named_rather_than_taken_for_a_folder_of_maps(tmp_path: Path) -> None:
    builders.osie(tmp_path)
    (tmp_path / "data/eye/fixations.mat").write_bytes(b"rubbish")
    with pytest.raises(EmomapError, match=r"fixations\.mat"):
        open_gaze(tmp_path / "data")


def test_what_is_said_of_fixations_holds_for_gaze_kept_apart(tmp_path: Path) -> None:
    """Also where the layout of the pictures has no such option."""
    picture(tmp_path / "pictures/a.jpg")
    (tmp_path / "gaze").mkdir()
    (tmp_path / "gaze/a.csv").write_text("x,y\n0.5,0.5\n0.25,0.5\n0.3,0.1\n")
    spec, gaze = tmp_path / "pictures", tmp_path / "gaze"
    with pytest.raises(EmomapError, match="--points normalised"):
        open_dataset(spec, gaze=gaze).samples[0].gaze()
    (sample,) = open_dataset(spec, gaze=gaze, options={"points": "normalised"})
    height, width = sample.gaze().shape
    assert sample.gaze().points[0].tolist() == [width / 2 - 0.5, height / 2 - 0.5]
    with pytest.raises(UsageError, match=r"data\.points is not an option of the layout pictures"):
        open_dataset(spec, options={"points": "normalised"})
