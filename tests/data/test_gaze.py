"""Folders of gaze: which kind they are, and gaze joined to pictures that lie elsewhere."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from emomap.data import open_dataset
from emomap.data.check import check
from emomap.data.gaze import read_fixations_csv
from emomap.data.marks import isolation, read_marks
from emomap.data.opening import open_gaze
from emomap.errors import EmomapError, UsageError
from tests.data import builders
from tests.data.builders import POINTS, SHAPE, counts, density, neutral, picture


def test_neutral_with_and_without_pictures(tmp_path: Path) -> None:
    neutral(tmp_path)
    full = open_gaze(tmp_path)
    assert (full.kind, len(full), full.needs_shape) == ("neutral", 3, False)
    for file in (tmp_path / "images").rglob("*.jpg"):
        file.unlink()
    maps = open_gaze(tmp_path)  # the maps still say how large the pictures are
    assert not maps.needs_shape
    assert maps["a/one"]().shape == SHAPE
    for file in (tmp_path / "maps").rglob("*.png"):
        file.unlink()
    bare = open_gaze(tmp_path)
    assert bare.needs_shape
    assert "size of the pictures is not known" in bare.reason
    with pytest.raises(EmomapError, match="do not say how large the picture is"):
        bare["a/one"]()


def test_tables_take_the_size_of_the_prediction(tmp_path: Path) -> None:
    neutral(tmp_path / "set")
    picture(tmp_path / "prediction.png", shape=(30, 40))
    Image.fromarray(np.eye(30, 40, dtype=np.uint8)).save(tmp_path / "prediction.png")
    found = open_gaze(tmp_path / "set/fixations", points="pixels")
    assert (found.kind, found.needs_shape) == ("csv", True)
    reader = pickle.loads(pickle.dumps(found.reader("a/one", tmp_path / "prediction.png")))
    assert reader().shape == (30, 40)
    assert np.array_equal(reader().points, POINTS)


def test_density_and_fixation_maps_are_told_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        density(tmp_path / f"smooth/{name}.png", sigma=2)
        (tmp_path / "marks").mkdir(exist_ok=True)
        Image.fromarray((counts() * 255).astype(np.uint8)).save(tmp_path / f"marks/{name}.png")
    smooth, marks = open_gaze(tmp_path / "smooth"), open_gaze(tmp_path / "marks")
    assert smooth.kind == "density"
    assert "smooth" in smooth.reason
    assert marks.kind == "fixation maps"
    assert "isolated points" in marks.reason
    points = marks["a"]().points
    assert points is not None
    assert {tuple(p) for p in points} == {tuple(p) for p in POINTS}
    forced = open_gaze(tmp_path / "marks", kind="density")
    assert forced["a"]().density is not None
    assert "as asked" in forced.reason


@pytest.mark.parametrize("form", ["bool.npy", "counts.npy", "255.png", "255.jpg", "dense.png"])
def test_fixation_maps_in_every_coding(tmp_path: Path, form: str) -> None:
    rng = np.random.default_rng(1)
    number = 700 if form == "dense.png" else 40
    marks = np.zeros((120, 160))
    cluster = rng.normal((60, 80), (20, 25), (number, 2)).round().astype(int)
    np.add.at(marks, tuple(np.clip(cluster, 0, (119, 159)).T), 1)
    file = tmp_path / form
    if form == "counts.npy":
        np.save(file, marks)
    elif form == "bool.npy":
        np.save(file, marks > 0)
    else:
        Image.fromarray((marks > 0).astype(np.uint8) * 255).save(file, quality=95)
    assert open_gaze(tmp_path).kind == "fixation maps"
    points = next(iter(open_gaze(tmp_path).values()))().points
    assert points is not None
    again = np.zeros_like(marks)
    np.add.at(again, (points[:, 1].astype(int), points[:, 0].astype(int)), 1)
    wanted = marks if form == "counts.npy" else (marks > 0).astype(float)
    assert np.array_equal(again, wanted)


def test_isolation_of_flat_smooth_and_empty_maps() -> None:
    assert isolation(np.ones((10, 10))) == 1.0
    assert isolation(np.zeros((10, 10))) == 1.0
    assert isolation(gaussian_filter(counts(), 3)) > 0.85
    assert isolation(counts()) < 0.2
    box = np.zeros((50, 50))
    box[10:30, 10:30] = 255
    assert isolation(box) > 0.9  # a region somebody drew is no fixation map


def test_counts_of_maps() -> None:
    values = np.zeros((4, 5))
    values[1, 2], values[3, 0] = 2, 1
    found = read_marks(values)
    points, shape = found.points, found.shape
    assert points.tolist() == [[2, 1], [2, 1], [0, 3]]
    assert shape == (4, 5)
    points = read_marks(values * 100).points  # multiples of the smallest value
    assert len(points) == 3
    values[0, 0] = 1.37  # no multiple: marks without a count
    assert len(read_marks(values).points) == 3
    assert read_marks(np.zeros((4, 5))).points.shape == (0, 2)


def test_other_layouts_serve_as_ground_truth(tmp_path: Path) -> None:
    builders.cat2000(tmp_path)
    found = open_gaze(tmp_path)
    assert found.kind == "data set"
    assert "cat2000" in found.reason
    assert found["Action/001"]().points is not None


def test_maps_in_emotion_folders_are_gaze_not_labels(tmp_path: Path) -> None:
    builders.emotionroi(tmp_path)
    found = open_gaze(tmp_path / "ground_truth")
    assert found.kind == "density"
    assert len(found) == 12


def test_pictures_beside_unread_gaze_are_no_ground_truth(tmp_path: Path) -> None:
    for name in ("a", "b"):
        density(tmp_path / f"images/{name}.png", sigma=4)
        (tmp_path / "gaze").mkdir(exist_ok=True)
        (tmp_path / f"gaze/{name}.txt").write_text("10 20\n30 40\n")
    with pytest.raises(EmomapError, match=r"no gaze in it.*not read: gaze/a\.txt, gaze/b\.txt"):
        open_gaze(tmp_path)
    found = check(tmp_path, show=False)
    assert not found.ok
    assert "2 files of data are not read" in str(found.problems["other"])


@pytest.mark.parametrize("kind", ["nothing", "both", "twice"])
def test_wrong_folders(tmp_path: Path, kind: str) -> None:
    (tmp_path / "readme.txt").write_text("x")
    if kind != "nothing":
        np.save(tmp_path / "a.npy", counts())
    if kind == "both":
        (tmp_path / "a.csv").write_text("x,y\n1,1\n")
    if kind == "twice":
        density(tmp_path / "a.png")
    message = {"nothing": "no gaze in it", "both": "both tables", "twice": "for the same image"}
    with pytest.raises(EmomapError, match=message[kind]):
        open_gaze(tmp_path)


# ------------------------------------------------------------------------------------- joined gaze


@pytest.mark.parametrize("kind", ["csv", "density", "fixation maps"])
def test_gaze_kept_apart_is_joined_by_stem(tmp_path: Path, kind: str) -> None:
    builders.fi_folders(tmp_path / "FI")
    gaze = tmp_path / "gaze"
    gaze.mkdir()
    for stem in ("awe_0001", "fear_0002", "nobody"):
        if kind == "csv":
            (gaze / f"{stem}.csv").write_text("x,y\n3,4\n")
        elif kind == "density":
            density(gaze / f"{stem}.png")
        else:
            np.save(gaze / f"{stem}.npy", counts())
    found = open_dataset(tmp_path / "FI", gaze=gaze)
    with_gaze = {s.id: s.gaze() for s in found if s.gaze_source}
    assert list(with_gaze) == ["awe/awe_0001", "fear/fear_0002"]
    for value in with_gaze.values():
        assert value is not None
        assert value.shape == SHAPE
    notes = "\n".join(found.notes)
    assert f"gaze from {gaze}: {kind}" in notes
    assert "14 images have no gaze" in notes
    assert "1 gaze files in" in notes
    assert "nobody" in notes
    assert all(pickle.loads(pickle.dumps(s)).id for s in found)


def test_gaze_of_other_pictures_is_refused(tmp_path: Path) -> None:
    builders.fi_folders(tmp_path / "FI")
    (tmp_path / "gaze").mkdir()
    (tmp_path / "gaze/x.csv").write_text("x,y\n3,4\n")
    with pytest.raises(UsageError, match="none of its 1 gaze files"):
        open_dataset(tmp_path / "FI", gaze=tmp_path / "gaze")
    with pytest.raises(UsageError, match="no such folder"):
        open_dataset(tmp_path / "FI", gaze=tmp_path / "nowhere")


@pytest.mark.parametrize("columns", [2, 3, 4])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_plain_tables_read_as_all_others_do(tmp_path: Path, columns: int, end: str) -> None:
    """The quick way and the careful one, which a space in the header asks for."""
    rng = np.random.default_rng(7)
    names = ["x", "y", "observer", "duration"][:columns]
    rows = [
        [f"{x:.3f}", f"-{y:.0f}", str(i % 4), "250.5"][:columns]
        for i, (x, y) in enumerate(rng.uniform(0, 99, (30, 2)))
    ]
    body = end.join(",".join(row) for row in rows) + end + end
    (tmp_path / "plain.csv").write_bytes((",".join(names) + end + body).encode())
    (tmp_path / "careful.csv").write_bytes((", ".join(names) + end + body).encode())
    plain, careful = (read_fixations_csv(tmp_path / f"{name}.csv") for name in ("plain", "careful"))
    for one, other in zip(plain, careful, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.dtype == other.dtype
            assert (one == other).all()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,2,3,-4", "line 3: duration -4 is negative"),
        ("1,2,3", "line 3: 3 values where the header has 4"),
        ("1,2,3,4,5", "line 3: 5 values where the header has 4"),
        ("1,-,3,4", "line 3: y is '-', which is not a number"),
        ("1,2,,4", "line 3: the observer is missing"),
        (f"1,{'9' * 400},3,4", "line 3: y is '9999"),
    ],
)
def test_errors_in_a_plain_table_name_the_line(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(f"x,y,observer,duration\n1,2,3,4\n{rows}\n")
    with pytest.raises(EmomapError, match=message):
        read_fixations_csv(tmp_path / "a.csv")


@pytest.mark.parametrize("observers", [("1.5", "0", "1.5"), ("9" * 30, "0", "9" * 30)])
def test_observers_that_are_no_whole_numbers_are_numbered(
    tmp_path: Path, observers: tuple[str, ...]
) -> None:
    lines = "".join(f"1,2,{observer}\n" for observer in observers)
    (tmp_path / "a.csv").write_text("x,y,observer\n" + lines)
    found = read_fixations_csv(tmp_path / "a.csv")[1]
    assert found is not None
    assert found.tolist() == [0, 1, 0]
