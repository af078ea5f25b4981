"""Units of fixation coordinates: converted where they are known, refused where they cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emomap.data.units import Units, fault_of, fault_of_set
from emomap.errors import UsageError

SHAPE = (480, 640)


def looked(count: int = 20, seed: int = 0, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Fixations with the bias to the middle that people have."""
    rng = np.random.default_rng(seed)
    height, width = shape
    spread = rng.normal(0.5, 0.2, (count, 2)).clip(0.01, 0.98)
    return np.asarray(spread * (width, height))


@pytest.mark.parametrize(
    ("text", "point", "pixel"),
    [
        ("pixels", (3, 4), (3, 4)),
        ("normalised", (0.5, 0.5), (319.5, 239.5)),
        ("Normalized", (0, 1), (-0.5, 479.5)),
        ("percent", (50, 25), (319.5, 119.5)),
        ("screen:1920x1080", (960, 540), (320, 240)),
        ("screen:1920X1080", (640, 300), (0, 0)),
        ("size:1280x960", (0.5, 0.5), (0, 0)),
        ("size:1280x960", (1278.5, 958.5), (639, 479)),
    ],
)
def test_points_become_pixels(
    text: str, point: tuple[float, ...], pixel: tuple[float, ...]
) -> None:
    found = Units.parse(text).in_pixels(np.array([point], dtype=float), SHAPE)
    assert found[0] == pytest.approx(pixel)


@pytest.mark.parametrize(
    "text", ["", "pixel", "screen", "screen:0x0", "screen:1920", "size:-1x5", "size:9999999x1"]
)
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="screen:WIDTHxHEIGHT"):
        Units.parse(text)


@given(st.integers(0, 200), st.integers(10, 60))
def test_what_people_look_at_is_plausible(seed: int, count: int) -> None:
    points = looked(count, seed)
    assert fault_of(points, SHAPE) == ""
    assert fault_of_set([(looked(count, seed + k), SHAPE) for k in range(5)]) == ""


def test_no_points_are_no_fault() -> None:
    assert fault_of(np.zeros((0, 2)), SHAPE) == ""
    assert fault_of_set([]) == ""


def test_a_corner_pixel_is_a_fixation() -> None:
    assert fault_of(np.array([[0.0, 0.0]]), SHAPE) == ""
    assert fault_of(np.array([[1.0, 0.0], [0.0, 1.0]]), SHAPE) == ""


def test_the_unit_square_is_refused() -> None:
    points = looked() / SHAPE[::-1]
    assert "--points normalised" in fault_of(points, SHAPE)
    assert "--points normalised" in fault_of(points[:1], SHAPE)
    assert "--points normalised" in fault_of_set([(points, SHAPE)] * 5)


def test_pixels_of_a_screen_are_refused() -> None:
    points = looked() + np.array([640, 300])
    assert "20 of 20 fixations lie outside" in fault_of(points, SHAPE)
    assert "--points screen:WIDTHxHEIGHT" in fault_of(points, SHAPE)


def test_pixels_of_a_larger_copy_are_refused_for_a_set() -> None:
    gazes = [(looked(20, k) * 2, SHAPE) for k in range(5)]
    assert "lie outside their pictures" in fault_of_set(gazes)


def test_exchanged_columns_are_refused_for_a_set() -> None:
    height, width = SHAPE
    gazes = [(looked(20, k)[:, ::-1], SHAPE) for k in range(5)]
    assert "none if x and y are exchanged" in fault_of_set(gazes)
    rng = np.random.default_rng(0)
    beside = [(rng.uniform(-0.04, 1.04, (20, 2)) * (width, height), SHAPE) for _ in range(9)]
    assert fault_of_set(beside) == ""  # a tracker's own, in both directions


def test_percent_is_refused_for_a_set() -> None:
    gazes = [(100 * looked(20, k) / SHAPE[::-1], SHAPE) for k in range(5)]
    assert "--points percent" in fault_of_set(gazes)
    thumbnails = [(looked(20, k, (90, 90)), (90, 90)) for k in range(5)]
    assert fault_of_set(thumbnails) == ""


def test_pixels_of_a_smaller_copy_are_refused_for_a_set() -> None:
    gazes = [(looked(20, k) / 2, SHAPE) for k in range(5)]
    assert "--points size:WIDTHxHEIGHT" in fault_of_set(gazes)


def test_a_few_fixations_are_no_evidence() -> None:
    assert fault_of_set([(looked(5, k) / 8, SHAPE) for k in range(3)]) == ""
