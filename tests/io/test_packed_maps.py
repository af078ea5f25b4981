"""Maps in a zip archive: read in place, with or without a folder around them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap import io
from emomap.errors import EmomapError


def packed(target: Path, names: list[str]) -> Path:
    """A zip archive with a grey picture, or some text, under each name."""
    with zipfile.ZipFile(target, "w") as archive:
        for value, name in enumerate(names):
            if not name.endswith(".png"):
                archive.writestr(name, "text")
                continue
            with archive.open(name, "w") as stream:
                Image.fromarray(np.full((4, 6), value, np.uint8)).save(stream, "PNG")
    return target


def test_the_maps_of_an_archive_have_the_ids_of_those_of_a_folder(tmp_path: Path) -> None:
    names = ["top/b/2.png", "top/b/1.PNG", "top/notes.txt", "__MACOSX/top/b/._1.png"]
    found = io.maps_by_id(packed(tmp_path / "maps.zip", ["top/a.png", *names]))
    assert sorted(found) == ["top/a", "top/b/1", "top/b/2"]
    assert io.read_map(found["top/b/2"]).tolist() == [[1] * 6] * 4
    assert io.map_shape(found["top/a"]) == (4, 6)


@pytest.mark.parametrize("top", ["", "mine/", "from/me/"])
def test_a_folder_around_all_maps_does_not_matter(top: str) -> None:
    """Even where the last parts are not unique."""
    wanted = ["train/1", "test/1", "test/2"]
    assert io.pair([top + name for name in wanted], wanted) == {n: top + n for n in wanted}


def test_a_folder_that_is_part_of_the_ids_stays() -> None:
    assert io.pair(["test/1", "test/2"], ["test/1", "train/2"]) == {
        "test/1": "test/1",
        "train/2": "test/2",
    }


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    whole = packed(tmp_path / "maps.zip", ["a.png", "b.png"]).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:-40])
    with pytest.raises(EmomapError, match=r"cut\.zip: damaged as a zip archive"):
        io.maps_by_id(tmp_path / "cut.zip")


def test_an_archive_without_maps_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmomapError, match=r"e\.zip: no maps in it"):
        io.maps_by_id(packed(tmp_path / "e.zip", ["readme.txt"]))
