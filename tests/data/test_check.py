"""What `data check`, `data show` and `data convert` do, as functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap.data import open_dataset
from emomap.data.check import check
from emomap.data.convert import convert
from emomap.data.show import BOX, CAPTION, GAP, choose, contact_sheet, overlay
from emomap.errors import EmomapError, UsageError
from emomap.sample import Gaze
from tests.data import builders
from tests.data.builders import BUILDERS, POINTS, SHAPE, neutral, picture


@pytest.fixture
def root(tmp_path: Path) -> Path:
    neutral(tmp_path / "set")
    return tmp_path / "set"


def test_a_sound_set(root: Path) -> None:
    report = check(root, show=False)
    assert report.ok
    found = json.loads(json.dumps(report.summary()))
    assert found["n_images"] == found["readable"] == found["surviving"] == 3
    assert found["splits"] == {"train": 1, "val": 1, "test": 1}
    assert found["labels"]["awe"] == found["labels"]["fear"] == 1
    assert found["labels"]["anger"] == found["unlabelled"] == 0
    assert found["sizes"] == {
        "smallest": [80, 60], "commonest": [80, 60], "largest": [80, 60], "distinct": 1
    }  # fmt: skip
    gaze = found["gaze"]
    assert gaze["fixations"] == 15
    assert gaze["fixations_per_image"] == {"min": 5, "median": 5, "max": 5}
    assert gaze["observers"] == 2
    assert gaze["densities"] == 3


def damage(root: Path, fault: str) -> None:
    if fault == "unreadable":
        (root / "images/a/one.jpg").write_bytes(b"no picture")
    elif fault == "unreadable_gaze":
        (root / "fixations/a/one.csv").write_text("x,y\n1,one\n")
    elif fault == "outside":
        (root / "fixations/a/one.csv").write_text("x,y\n1,1\n80,1\n79.4,59.4\n-0.6,3\n")
    elif fault == "duplicates":
        (root / "images/a/copy.jpg").write_bytes((root / "images/a/one.jpg").read_bytes())
    elif fault == "placeholders":
        for number in range(6):
            (root / f"images/{number}.jpg").write_bytes((root / "images/a/one.jpg").read_bytes())
    elif fault == "in_two_splits" or fault == "two_labels":
        (root / "images/a/two.jpg").write_bytes((root / "images/a/one.jpg").read_bytes())
    elif fault == "map_and_fixations_disagree":
        rows = "\n".join(f"{y},{min(x, 59)}" for x, y in POINTS[:4])
        (root / "fixations/a/one.csv").write_text(f"x,y\n{rows}\n")
    elif fault == "other":
        (root / "split.csv").write_text("image,split\na/one,train\na/one,test\nghost,val\n")


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("unreadable", "a/one"),
        ("unreadable_gaze", "line 2: y is 'one'"),
        ("outside", "a/one: 2 of 4"),
        ("duplicates", "a/copy"),
        ("placeholders", "'5'"),
        ("in_two_splits", "a/two"),
        ("two_labels", "a/two"),
        ("map_and_fixations_disagree", "a/one: CC"),
        ("other", "line 3: 'a/one' has the split 'test', but on line 2"),
    ],
)
def test_faults(root: Path, fault: str, named: str) -> None:
    damage(root, fault)
    report = check(root, show=False)
    assert not report.ok
    assert named in str(report.problems[fault])
    assert report.summary()["ok"] is False


def test_all_faults_of_tables_are_collected(root: Path) -> None:
    damage(root, "other")
    (root / "labels.csv").write_text("image,emotion\na/one,bliss\na/two,woe\n")
    faults = "\n".join(check(root, show=False).problems["other"])
    for part in ("'bliss'", "'woe'", "line 3: 'a/one' has the split 'test'", "ghost"):
        assert part in faults


def test_placeholders_do_not_survive(root: Path) -> None:
    damage(root, "placeholders")
    found = check(root, show=False).summary()
    assert (found["n_images"], found["readable"], found["surviving"]) == (9, 9, 2)


def test_workers_give_the_same(root: Path) -> None:
    damage(root, "outside")
    assert check(root, jobs=2, show=False).summary() == check(root, jobs=1, show=False).summary()


def test_fixations_map_of_swapped_coordinates_is_found(root: Path) -> None:
    assert not check(root, show=False).problems
    (root / "dataset.toml").write_text("sigma = 5\n")  # the map is then a check alone
    for file in (root / "fixations").rglob("*.csv"):
        rows = "\n".join(f"{y},{min(x, 59)}" for x, y in POINTS)
        file.write_text(f"x,y\n{rows}\n")
    assert len(check(root, show=False).problems["map_and_fixations_disagree"]) == 3


@pytest.mark.parametrize("layout", [name for name in BUILDERS if name != "neutral"])
def test_every_layout_passes(layout: str, tmp_path: Path) -> None:
    BUILDERS[layout][0](tmp_path)
    report = check(tmp_path, show=False)
    assert report.ok, report.problems


# --------------------------------------------------------------------------------------- convert


@pytest.mark.parametrize("layout", list(BUILDERS))
def test_converted_sets_say_the_same(layout: str, tmp_path: Path) -> None:
    BUILDERS[layout][0](tmp_path / "set")
    before = open_dataset(tmp_path / "set")
    done = convert(tmp_path / "set", tmp_path / "out", show=False)
    assert done.problems == []
    after = open_dataset(tmp_path / "out")
    assert after.layout.startswith("neutral")
    assert after.classes == (tuple(sorted(before.classes)) if before.labelled else ())
    assert replace(after, samples=()).source == before.source
    for one, other in zip(before, after, strict=True):
        assert (one.id, one.emotion, one.split) == (other.id, other.emotion, other.split)
        assert one.image_file.open("rb").read() == other.image_file.open("rb").read()
        gaze, same = one.gaze(), other.gaze()
        assert (gaze is None) == (same is None)
        if gaze is None or same is None:
            continue
        for name in ("points", "observers", "durations"):
            assert np.array_equal(getattr(gaze, name), getattr(same, name)), name
        if gaze.density is not None:
            assert same.density is not None
            shares = gaze.density / gaze.density.max(), same.density / same.density.max()
            assert np.allclose(*shares, atol=1e-4)


def test_conversion_goes_on_where_it_stopped(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert(root, out, show=False)
    whole = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    stamp = (out / "images/b/three.jpg").stat().st_mtime_ns
    (out / "images/a/one.jpg").unlink()
    (out / "maps/a/two.png").unlink()
    (out / "dataset.toml").unlink()
    convert(root, out, show=False)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == whole
    assert (out / "images/b/three.jpg").stat().st_mtime_ns == stamp


def test_conversion_keeps_away_from_other_folders(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lies within the data set"):
        convert(root, root / "out", show=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/diary.txt").write_text("x")
    with pytest.raises(UsageError, match="is not empty"):
        convert(root, tmp_path / "mine", show=False)
    convert(root, tmp_path / "out", show=False)
    builders.mit300(tmp_path / "other")
    with pytest.raises(UsageError, match="conversion of another data set"):
        convert(tmp_path / "other", tmp_path / "out", show=False)


def test_what_cannot_be_converted_is_listed(root: Path, tmp_path: Path) -> None:
    damage(root, "unreadable_gaze")
    done = convert(root, tmp_path / "out", show=False)
    assert len(done.problems) == 1
    assert "line 2" in done.problems[0]
    assert len(open_dataset(tmp_path / "out")) == 3


# ------------------------------------------------------------------------------------------ show


def test_contact_sheet(root: Path, tmp_path: Path) -> None:
    (root / "images/a/one.jpg").write_bytes(b"no picture")
    problems = contact_sheet(open_dataset(root), tmp_path / "new/sheet.png", columns=2, show=False)
    assert len(problems) == 1
    assert "one.jpg" in problems[0]
    sheet = Image.open(tmp_path / "new/sheet.png")
    step = (BOX[0] + GAP, BOX[1] + CAPTION + GAP)
    assert sheet.size == (2 * step[0] + GAP, 2 * step[1] + GAP)
    with pytest.raises(EmomapError, match="not the suffix of a picture format"):
        contact_sheet(open_dataset(root), tmp_path / "sheet.xyz", show=False)


def test_gaze_is_drawn_where_it_belongs() -> None:
    """A dot at the picture's scale, heat where the density is, nothing elsewhere."""
    grey = Image.new("RGB", (160, 120), (128, 128, 128))
    dots = np.asarray(overlay(grey.copy(), Gaze(SHAPE, np.array([[20.0, 40.0]]))))
    changed = np.argwhere((dots != 128).any(axis=2))
    assert np.allclose(changed.mean(axis=0), (81, 41), atol=1)
    assert len(changed) < 60
    density = np.zeros(SHAPE)
    density[:30] = 1
    heat = np.asarray(overlay(grey.copy(), Gaze(SHAPE, density=density)))
    assert (heat[:50, :, 0] > 180).all()
    assert (heat[70:] == 128).all()


def test_chosen_samples_are_spread_and_have_gaze(root: Path) -> None:
    picture(root / "images/a/zzz.jpg", 44)
    samples = open_dataset(root).samples
    assert [sample.id for sample in choose(samples, 2)] == ["a/one", "b/three"]
    assert len(choose(samples, 99)) == 3


def test_sheet_of_every_layout(tmp_path: Path) -> None:
    makers: list[Callable[[Path], None]] = [builders.emotionroi, builders.mit300, builders.nusef]
    for make in makers:
        make(tmp_path / make.__name__)
        found = open_dataset(tmp_path / make.__name__)
        assert contact_sheet(found, tmp_path / f"{make.__name__}.jpg", show=False) == []
