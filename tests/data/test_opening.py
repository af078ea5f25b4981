"""The embedded set by name, and where it is kept."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from emomap.data import LAYOUTS, cache_folder, open_dataset
from emomap.data.gaze_folder import open_gaze
from emomap.errors import UsageError
from tests.data.builders import picture

FEW = {"train": 8, "val": 8, "test": 8}


def test_embedded_set_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOMAP_HOME", str(tmp_path / "home"))
    found = open_dataset("demo", options=FEW)
    assert found.synthetic
    assert len(found) == 24
    assert list((tmp_path / "home/demo").iterdir())
    with pytest.raises(UsageError, match=r"data\.trian is no option of demo \(level, seed"):
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
