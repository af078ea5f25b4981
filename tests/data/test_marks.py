"""Fixations of a map, however they are marked."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from emomap.data.marks import inverted, kind_of, read_marks
from emomap.data.opening import open_gaze
from emomap.errors import EmomapError, UsageError

SHAPE = (96, 128)


def places(count: int = 12, seed: int = 1, apart: int = 9) -> np.ndarray:
    """(N, 2) x and y, whole, apart from each other and from the border."""
    rng = np.random.default_rng(seed)
    found: list[tuple[int, int]] = []
    while len(found) < count:
        x, y = int(rng.integers(12, SHAPE[1] - 12)), int(rng.integers(12, SHAPE[0] - 12))
        if all(max(abs(x - a), abs(y - b)) >= apart for a, b in found):
            found.append((x, y))
    return np.array(sorted(found, key=lambda p: (p[1], p[0])), dtype=np.float64)


def marked(points: np.ndarray, mark: np.ndarray) -> np.ndarray:
    """A map with a copy of a mark around each point."""
    values = np.zeros(SHAPE, np.uint8)
    half = np.array(mark.shape) // 2
    for x, y in points.astype(int):
        top, left = y - half[0], x - half[1]
        part = values[top : top + mark.shape[0], left : left + mark.shape[1]]
        np.maximum(part, mark, out=part)
    return values


def disc(radius: int) -> np.ndarray:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.where(x**2 + y**2 <= radius**2, 255, 0).astype(np.uint8)


@pytest.mark.parametrize("scale", [1, 128, 255])
def test_pixels_are_fixations(scale: int) -> None:
    points = places()
    found = read_marks(marked(points, np.full((1, 1), scale, np.uint8)))
    assert np.array_equal(found.points, points)
    assert not found.note


def test_counts_and_multiples_of_a_brightness_count() -> None:
    values = np.zeros((4, 5), np.uint8)
    values[1, 2], values[3, 4] = 1, 3
    assert read_marks(values).points.tolist() == [[2, 1], [4, 3], [4, 3], [4, 3]]
    assert len(read_marks(values * 60).points) == 4
    assert len(read_marks(values * 0.3).points) == 4


def test_brightnesses_that_are_no_counts_are_one_fixation_each() -> None:
    values = np.zeros(SHAPE, np.uint16)  # durations in milliseconds
    for (x, y), duration in zip(places(6).astype(int), (103, 250, 400, 151, 777, 320), strict=True):
        values[y, x] = duration
    found = read_marks(values)
    assert np.array_equal(found.points, places(6))
    assert not found.note
    values[5, 5] = 1  # now all are multiples of the smallest, but nobody looks 777 times
    assert len(read_marks(values).points) == 7


@pytest.mark.parametrize("radius", [1, 2, 4])
def test_discs_are_taken_by_their_centres(radius: int) -> None:
    points = places()
    found = read_marks(marked(points, disc(radius)))
    assert np.array_equal(found.points, points)
    size = int((disc(radius) > 0).sum())
    assert found.note == f"marks of {size} pixels, taken by their centres: 12 fixations"


def test_discs_that_overlap_keep_their_centres() -> None:
    points = np.array([[20, 20], [26, 22], [60, 40], [90, 70], [91, 70], [30, 70]], dtype=float)
    found = read_marks(marked(points, disc(4)))
    assert {tuple(p) for p in found.points} == {tuple(p) for p in points}


def test_blocks_of_two_by_two_are_fixations() -> None:
    found = read_marks(marked(places(), np.full((2, 2), 255, np.uint8)))
    assert len(found.points) == 12
    assert np.array_equal(found.points, places() - 0.5)
    assert "4 pixels" in found.note


def test_weak_marks_of_a_jpeg_saved_again_are_left_out() -> None:
    points = places(apart=17)
    lossy = io.BytesIO()
    Image.fromarray(marked(points, np.full((1, 1), 255, np.uint8))).save(lossy, "JPEG", quality=92)
    values = np.asarray(Image.open(lossy))
    assert np.count_nonzero(values) > 100
    found = read_marks(values)
    assert np.array_equal(found.points, points)
    assert f"{np.count_nonzero(values)} marks, of which" in found.note
    assert "12 marks remain" in found.note


@pytest.mark.parametrize("form", ["png", "jpg"])
def test_weak_marks_are_told_and_the_threshold_can_be_said(tmp_path: Path, form: str) -> None:
    values = marked(places(apart=17), np.full((1, 1), 255, np.uint8))
    picture = Image.fromarray(values)
    picture.save(tmp_path / "a.jpg", quality=92)
    if form == "png":
        Image.open(tmp_path / "a.jpg").save(tmp_path / "a.png")
        (tmp_path / "a.jpg").unlink()
    gaze = open_gaze(tmp_path, kind="fixation maps")["a"]()
    assert len(gaze.points) == 12
    assert "12 marks remain; --marks-threshold SHARE sets another limit" in gaze.notes[0]
    read = np.asarray(Image.open(tmp_path / f"a.{form}"))
    for threshold in (0, 0.02, 0.5, 1):
        folder = open_gaze(tmp_path, kind="fixation maps", marks_threshold=threshold)
        gaze = folder["a"]()
        assert len(gaze.points) == np.count_nonzero((read > 0) & (read >= threshold * read.max()))
        assert not gaze.notes
        assert f"marks from {threshold:g} of the strongest on" in folder.reason


def test_a_threshold_of_marks_needs_marks(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n3,4\n")
    with pytest.raises(UsageError, match="--marks-threshold is for fixation maps, this is csv"):
        open_gaze(tmp_path, marks_threshold=0.5)
    for wrong in (1.5, -0.1, float("nan"), "half", True):
        with pytest.raises(UsageError, match="a share of the strongest, 0 to 1"):
            open_gaze(tmp_path, marks_threshold=wrong)  # type: ignore[arg-type]


def test_a_region_that_somebody_drew_is_a_density() -> None:
    values = np.zeros(SHAPE, np.uint8)
    values[20:60, 30:90] = 255
    assert kind_of(values) == "density"
    values[70:90, 10:20] = 255  # of another size
    assert kind_of(values) == "density"


@pytest.mark.parametrize("radius", [0, 1, 4])
def test_the_kind_of_marks(radius: int) -> None:
    assert kind_of(marked(places(), disc(radius))) == "fixation maps"


@pytest.mark.parametrize("radius", [0, 1, 4])
def test_dark_marks_are_no_density(tmp_path: Path, radius: int) -> None:
    marks = marked(places(), disc(radius))
    assert inverted(255 - marks)
    assert inverted(marks == 0)
    assert not inverted(marks)
    blurred = gaussian_filter(marks.astype(float), 5)
    assert not inverted(blurred)
    assert not inverted(blurred.max() - blurred)
    assert not inverted(np.full(SHAPE, 7))
    Image.fromarray(255 - marks).save(tmp_path / "a.png")
    with pytest.raises(EmomapError, match=r"a\.png has dark marks on a bright ground; invert"):
        open_gaze(tmp_path)
    assert open_gaze(tmp_path, kind="density").kind == "density"


@pytest.mark.parametrize("sigma", [2, 4, 10])
def test_the_kind_of_a_density(sigma: float) -> None:
    blurred = gaussian_filter(marked(places(), disc(0)).astype(float), sigma)
    assert kind_of(blurred) == "density"
    assert kind_of((255 * blurred / blurred.max()).astype(np.uint8)) == "density"


def test_an_empty_map_says_nothing() -> None:
    assert kind_of(np.zeros(SHAPE)) is None
    assert read_marks(np.zeros(SHAPE)).points.shape == (0, 2)
