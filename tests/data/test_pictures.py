"""Which pictures are found at a path, and that maps beside them are not taken for pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from emomap.data.pictures import find_pictures
from emomap.errors import EmomapError, UsageError
from tests.data import builders
from tests.data.builders import picture


def test_one_picture(tmp_path: Path) -> None:
    found = find_pictures(picture(tmp_path / "a.b.jpg"), tmp_path / "maps")
    assert [sample.id for sample in found] == ["a.b"]
    assert found.layout == "one picture"


def test_a_folder_with_pictures_in_it_is_taken_whole(tmp_path: Path) -> None:
    """Also where its subfolders are named as those of a data set are."""
    builders.fi_folders(tmp_path)
    picture(tmp_path / "emotion_dataset/own.JPG")
    found = find_pictures(tmp_path / "emotion_dataset", tmp_path / "maps")
    assert found.layout == "folder of pictures"
    assert {"own", "awe/awe_0001"} <= {sample.id for sample in found}
    assert not found.labelled


def test_a_data_set_is_opened_as_one(tmp_path: Path) -> None:
    builders.cat2000(tmp_path)
    found = find_pictures(tmp_path, tmp_path / "maps")
    assert found.name == "cat2000"
    assert [sample.id for sample in found] == ["Action/001", "Art/001"]


def test_maps_within_the_folder_are_not_pictures(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "maps/a.png")
    assert [sample.id for sample in find_pictures(tmp_path, tmp_path / "maps")] == ["a"]
    with pytest.raises(UsageError, match="is the folder of the pictures"):
        find_pictures(tmp_path, tmp_path / "maps/..")


def test_what_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmomapError, match="no pictures in it, at any depth"):
        find_pictures(tmp_path / "empty", tmp_path / "maps")
    picture(tmp_path / "twice/a.png")
    picture(tmp_path / "twice/a.jpg")
    with pytest.raises(EmomapError, match=r"a\.png and a\.jpg would write the same map"):
        find_pictures(tmp_path / "twice", tmp_path / "maps")
