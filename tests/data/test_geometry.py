"""Coordinates of the known conventions, converted once."""

from __future__ import annotations

import numpy as np
import pytest

from emomap.data.geometry import Geometry


def test_order_and_base() -> None:
    raw = np.array([[10, 20, 3], [1, 1, 3]], dtype=np.uint8)
    assert Geometry("xy").points(raw, (99, 99)).tolist() == [[10, 20], [1, 1]]
    assert Geometry("xy", base=1).points(raw, (99, 99)).tolist() == [[9, 19], [0, 0]]
    assert Geometry("yx", base=1).points(raw, (99, 99)).tolist() == [[19, 9], [0, 0]]
    assert Geometry("yx").points(np.zeros((0, 2)), (9, 9)).shape == (0, 2)
    assert Geometry("yx").points(np.zeros((0, 0)), (9, 9)).shape == (0, 2)


@pytest.mark.parametrize("shape", [(768, 1024), (384, 512), (600, 400), (100, 800)])
def test_letterbox_is_undone(shape: tuple[int, int]) -> None:
    """Corners and centre of a picture shown as large as it fits, in the tracker's units."""
    geometry = Geometry("xy", unit="screen", screen=(1024, 768), units=(260.0, 280.0))
    height, width = shape
    scale = min(1024 / width, 768 / height)
    left, top = (1024 - width * scale) / 2, (768 - height * scale) / 2
    wanted = np.array([[0, 0], [width, height], [width / 2, height / 3]], dtype=float)
    screen = wanted * scale + (left, top)
    raw = screen * (260 / 1024, 280 / 768)
    assert np.allclose(geometry.points(raw, shape), wanted)


def test_screen_needs_its_size() -> None:
    with pytest.raises(ValueError, match="size of the screen"):
        Geometry("xy", unit="screen").points(np.ones((1, 2)), (9, 9))
