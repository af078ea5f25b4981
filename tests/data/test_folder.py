"""The neutral layout: what it takes, what it refuses, and in which words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emomap.data import open_dataset
from emomap.data.gaze import read_fixations_csv
from emomap.errors import EmomapError
from tests.data.builders import POINTS, SHAPE, density, neutral, picture


@pytest.fixture
def root(tmp_path: Path) -> Path:
    neutral(tmp_path / "set")
    return tmp_path / "set"


def test_everything_is_read(root: Path) -> None:
    (root / "dataset.toml").write_text(
        'name = "mine"\nsource = "me"\nlicence = "CC0"\nsynthetic = true\nsigma = 12\n'
    )
    found = open_dataset(root)
    assert (found.name, found.source, found.licence) == ("mine", "me", "CC0")
    assert (found.synthetic, found.sigma) == (True, 12.0)
    assert [s.id for s in found] == ["a/one", "a/two", "b/three"]
    assert [s.emotion for s in found] == ["awe", "fear", "sadness"]
    assert [s.split for s in found] == ["train", "val", "test"]
    gaze = found.samples[0].gaze()
    assert gaze is not None
    assert np.array_equal(gaze.points, POINTS)
    assert gaze.observers is not None
    assert gaze.observers.tolist() == [0, 1, 0, 1, 0]
    assert gaze.durations is not None
    assert gaze.durations.tolist() == [200.0] * 5


def test_fixations_win_over_maps_where_a_sigma_is_stated(root: Path) -> None:
    gaze = open_dataset(root).samples[0].gaze()
    assert gaze is not None
    assert gaze.density is not None
    (root / "dataset.toml").write_text("pixels_per_degree = 30\n")
    found = open_dataset(root)
    assert found.sigma == 30
    gaze = found.samples[0].gaze()
    assert gaze is not None
    assert gaze.points is not None
    assert gaze.density is None


def test_maps_alone_are_densities(root: Path) -> None:
    for file in (root / "fixations").rglob("*.csv"):
        file.unlink()
    gaze = open_dataset(root).samples[0].gaze()
    assert gaze is not None
    assert gaze.points is None
    assert gaze.density is not None
    assert gaze.density.shape == gaze.shape == SHAPE


def test_own_classes(root: Path) -> None:
    (root / "labels.csv").write_text("image,emotion\na/one,Joy\na/two,surprise\n")
    with pytest.raises(EmomapError, match=r"labels\.csv, line 2: 'Joy' is not one of .*amusement"):
        open_dataset(root)
    (root / "dataset.toml").write_text('classes = ["surprise", "joy"]\n')
    found = open_dataset(root)
    assert found.classes == ("joy", "surprise")
    assert [s.emotion for s in found] == ["joy", "surprise", None]
    assert any("1 images have no label: b/three" in note for note in found.notes)


def test_without_labels_and_splits(root: Path) -> None:
    (root / "labels.csv").unlink()
    (root / "split.csv").unlink()
    found = open_dataset(root)
    assert found.classes == ()
    assert not found.labelled
    assert all(sample.split for sample in found)
    assert any("by a hash of the ids" in note for note in found.notes)


def test_what_has_no_counterpart_is_counted(root: Path) -> None:
    with (root / "labels.csv").open("a") as file:
        file.write("ghost,awe\nspectre.jpg,awe\n")
    with (root / "split.csv").open("a") as file:
        file.write("ghost,train\n")
    (root / "fixations/zero.csv").write_text("x,y\n1,1\n")
    picture(root / "images/lonely.jpg", 9)
    notes = "\n".join(open_dataset(root).notes)
    assert "2 lines of labels.csv name no picture that is here: ghost, spectre.jpg" in notes
    assert "1 lines of split.csv name no picture that is here: ghost" in notes
    assert "1 files in fixations/ belong to no picture: zero" in notes
    assert "1 images have no gaze: lonely" in notes
    assert "1 images are in no split: lonely" in notes


def test_two_pictures_of_one_name_keep_their_suffix(root: Path) -> None:
    picture(root / "images/a/one.png", 5)
    found = open_dataset(root)
    assert [s.id for s in found] == ["a/one.jpg", "a/one.png", "a/two", "b/three"]
    assert any("keep their suffix" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("labels.csv", "picture,emotion\na,awe\n", "labels.csv: the column image is missing"),
        ("labels.csv", "", "labels.csv: empty"),
        ("labels.csv", "image,emotion\na/one,awe,x\n", "line 2: 3 values where the header has 2"),
        ("labels.csv", "image,emotion\na/one,awe\na/one,fear\n", "line 3: .* on line 2 it has"),
        ("split.csv", "image,split\na/one,dev\n", "line 2: 'dev' is not one of the splits train"),
        ("split.csv", "image,split\na/one,test\na/one,train\n", "'test'; keep one"),
        ("dataset.toml", "sigma = -3", "sigma: input should be greater than 0, not -3"),
        ("dataset.toml", "sigma = true", "sigma: input should be a valid number, not True"),
        ("dataset.toml", "name = 3", "name: input should be a valid string, not 3"),
        ("dataset.toml", "name = ", "not TOML that can be read"),
        ("dataset.toml", "classes = []", "classes: list should have at least 1 item"),
    ],
)
def test_wrong_tables(root: Path, name: str, content: str, message: str) -> None:
    (root / name).write_text(content)
    with pytest.raises(EmomapError, match=message):
        open_dataset(root)


def test_pictures_beside_their_labels(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    (tmp_path / "labels.csv").write_text("image,emotion\na.jpg,awe\n")
    found = open_dataset(tmp_path)
    assert found.layout == "neutral (it has pictures and labels.csv)"
    assert found.samples[0].emotion == "awe"


def test_emotion_folders_without_labels_are_remarked(root: Path) -> None:
    (root / "labels.csv").unlink()
    picture(root / "images/awe/1.jpg", 7)
    picture(root / "images/fear/1.jpg", 8)
    assert any("only taken from labels.csv" in note for note in open_dataset(root).notes)


def test_unknown_keys_are_remarked(root: Path) -> None:
    (root / "dataset.toml").write_text("sigmma = 3\n")
    assert any("sigmma" in note for note in open_dataset(root).notes)


# ------------------------------------------------------------------------------ fixation tables


@pytest.mark.parametrize(
    "content",
    [
        b"x,y\n1.5,2\n3,4\n",
        b"\xef\xbb\xbfx,y\r\n1.5,2\r\n3,4\r\n",
        b"X;Y\n1,5;2\n3;4\n",
        b"y\tx\n2\t1.5\n\n4\t3\n",
        "x,y\n1.5,2\n3,4\n".encode("utf-16"),
        b'"x", "y", "remark"\n1.5, 2, "a, b"\n3, 4, \n',
    ],
    ids=["plain", "mark and CRLF", "semicolons", "tabs", "utf-16", "quotes"],
)
def test_fixation_tables_as_people_save_them(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    points, observers, durations = read_fixations_csv(file)
    assert points.tolist() == [[1.5, 2.0], [3.0, 4.0]]
    assert observers is None
    assert durations is None


def test_observers_may_have_names(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x,y,observer\n1,1,zoe\n2,2,adam\n3,3,zoe\n")
    observers = read_fixations_csv(file)[1]
    assert observers is not None
    assert observers.tolist() == [0, 1, 0]
    file.write_text("x,y,observer\n1,1,7\n2,2,3\n")
    observers = read_fixations_csv(file)[1]
    assert observers is not None
    assert observers.tolist() == [7, 3]


def test_no_fixations_is_a_table_of_none(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x,y\n")
    assert read_fixations_csv(file)[0].shape == (0, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x,z\n1,2\n", "the column y is missing; its header is 'x,z'"),
        (b"x,y\n1,2\n3,abc\n", "line 3: y is 'abc', which is not a number"),
        (b"x,y\n1,nan\n", "line 2: y is 'nan'"),
        (b"x,y\n1,\n", "line 2: y is ''"),
        (b"x,y,duration\n1,2,-5\n", "line 2: duration -5 is negative"),
        (b"x,y,observer\n1,2,\n", "line 2: the observer is missing"),
        (b"x,y\n1,\xfc\n", "not UTF-8 text"),
        (b"x,y\n1\0,2\n", "zero bytes"),
        (b"", "empty"),
    ],
)
def test_wrong_fixation_tables(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(EmomapError, match=message) as caught:
        read_fixations_csv(file)
    assert "a.csv" in str(caught.value)


def test_missing_table(tmp_path: Path) -> None:
    with pytest.raises(EmomapError, match=r"a\.csv: there is no such file"):
        read_fixations_csv(tmp_path / "a.csv")


def test_zero_map_is_refused_when_read(root: Path) -> None:
    from PIL import Image

    Image.new("L", SHAPE[::-1]).save(root / "maps/a/one.png")
    (root / "fixations/a/one.csv").unlink()
    sample = open_dataset(root).samples[0]
    with pytest.raises(EmomapError, match="zero everywhere"):
        sample.gaze()
    density(root / "maps/a/one.png")
    assert sample.gaze() is not None
