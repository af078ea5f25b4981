"""Files as they lie on disks: links, junk, odd names, odd pictures."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap.data import open_dataset
from emomap.data.tree import base, nfc, read_tree, stem, suffix
from emomap.errors import EmomapError, UsageError, listed
from tests.data.builders import POINTS, neutral, picture


def test_paths() -> None:
    assert (suffix("a/b.C.JPG"), stem("a/b.C.JPG"), base("a/b.C.JPG")) == (".jpg", "a/b.C", "b.C")
    assert (suffix("a.b/.hidden"), suffix("a.b/c")) == ("", "")
    assert nfc(unicodedata.normalize("NFD", "Größe")) == "Größe"
    assert listed([1, 2, 3, 4], 3) == "1, 2, 3 and 1 more"
    assert listed([1], 3) == "1"


def test_junk_is_not_seen(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.jpg")
    for junk in ("._a.jpg", ".DS_Store", "Thumbs.db", "desktop.ini", "._b.png"):
        (tmp_path / "images" / junk).write_bytes(b"junk")
    picture(tmp_path / "__MACOSX/images/a.jpg")
    picture(tmp_path / ".git/a.jpg")
    (tmp_path / "labels.csv").write_text("image,emotion\na,awe\n")
    (tmp_path / "._labels.csv").write_bytes(b"\0\0")
    assert [sample.id for sample in open_dataset(tmp_path)] == ["a"]


def test_links_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    picture(tmp_path / "elsewhere/deep/b.jpg", 1)
    root = tmp_path / "set"
    picture(root / "images/a.jpg")
    (root / "images/c.jpg").symlink_to(tmp_path / "elsewhere/deep/b.jpg")
    (root / "images/folder").symlink_to(tmp_path / "elsewhere")
    (root / "images/up").symlink_to(root)
    (root / "images/gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (root / "split.csv").write_text("image,split\na,train\n")
    found = open_dataset(root)
    assert [sample.id for sample in found] == ["a", "c", "folder/deep/b"]
    notes = "\n".join(found.notes)
    assert "1 links lead nowhere: images/gone.jpg" in notes
    assert "1 links lead back to a folder above: images/up" in notes


@pytest.mark.parametrize("name", ["two words", "Größe", "眼睛", "a;b,c'd", "dots.in.name", "100%"])
def test_names(tmp_path: Path, name: str) -> None:
    """As file, as id, in tables, whichever way accents are spelt."""
    decomposed = unicodedata.normalize("NFD", name)
    picture(tmp_path / f"images/{decomposed}.jpg")
    for folder in ("fixations", "maps"):
        (tmp_path / folder).mkdir()
    (tmp_path / f"fixations/{name}.csv").write_text("x,y\n1,2\n")
    (tmp_path / "labels.csv").write_text(f'image,emotion\n"{name}.jpg",awe\n', encoding="utf-8")
    (tmp_path / "split.csv").write_text(f'image,split\n"{name}",test\n', encoding="utf-8")
    sample = open_dataset(tmp_path).samples[0]
    assert (sample.id, sample.emotion, sample.split) == (name, "awe", "test")
    gaze = sample.gaze()
    assert gaze is not None
    assert gaze.points is not None
    assert gaze.points.tolist() == [[1, 2]]
    assert sample.image().ndim == 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_in_no_encoding_are_counted(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.jpg", "wb") as file:  # noqa: PTH123
        file.write((tmp_path / "a.jpg").read_bytes())
    found = open_dataset(tmp_path)
    assert [sample.id for sample in found] == ["a"]
    assert any("1 names are not UTF-8" in note and "udce9" in note for note in found.notes)


def test_pictures_of_every_kind(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    rgb = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8))
    rgb.save(images / "upper.JPG")
    rgb.save(images / "long.jpeg")
    rgb.convert("CMYK").save(images / "cmyk.jpg")
    rgb.convert("L").save(images / "grey.png")
    rgb.convert("LA").save(images / "grey-alpha.png")
    rgb.convert("P").save(images / "palette.png")
    rgb.convert("1").save(images / "bits.png")
    Image.fromarray(np.arange(4800, dtype=np.uint16).reshape(60, 80)).save(images / "16.png")
    frames = [rgb, rgb.rotate(180)]
    frames[0].save(images / "moving.gif", save_all=True, append_images=frames[1:])
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb.transpose(Image.Transpose.ROTATE_90).save(images / "turned.jpg", exif=exif)
    for file in list(images.iterdir()):
        table = tmp_path / "fixations" / f"{file.stem}.csv"
        table.parent.mkdir(exist_ok=True)
        table.write_text("x,y\n79,59\n")
    found = open_dataset(tmp_path)
    assert len(found) == 10
    for sample in found:
        gaze = sample.gaze()
        assert gaze is not None
        assert sample.image().shape == (60, 80, 3)
        assert sample.image().dtype == np.uint8
        assert gaze.shape == (60, 80)  # upright, as the picture is given
        assert gaze.inside.all()


def test_damaged_pictures_are_named_when_read(tmp_path: Path) -> None:
    neutral(tmp_path)
    whole = (tmp_path / "images/a/one.jpg").read_bytes()
    (tmp_path / "images/a/one.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "images/a/two.jpg").write_bytes(b"no picture")
    found = open_dataset(tmp_path)  # listing decodes nothing
    for sample in found.samples[:2]:
        with pytest.raises(EmomapError, match=sample.id):
            sample.image()
    gaze = found.samples[2].gaze()
    assert gaze is not None
    assert np.array_equal(gaze.points, POINTS)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_folder_without_permission(tmp_path: Path) -> None:
    picture(tmp_path / "set/images/a.jpg")
    (tmp_path / "set").chmod(0)
    try:
        with pytest.raises(EmomapError, match="set: cannot be read"):
            open_dataset(tmp_path / "set")
    finally:
        (tmp_path / "set").chmod(0o755)


def test_unreadable_folder_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As above, for those who run tests as root."""
    picture(tmp_path / "set/images/a.jpg")

    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(EmomapError, match="set: cannot be read: Permission denied"):
        open_dataset(tmp_path / "set")


def test_whole_disks_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emomap.data.tree.MAX_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text("x")
    with pytest.raises(UsageError, match="more than 3 files"):
        read_tree(tmp_path)
