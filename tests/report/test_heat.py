"""Colours of maps: one scale, whatever the maps are."""

from __future__ import annotations

import numpy as np
import pytest

from emomap.report import heat


def test_colours_mean_the_same_for_every_map() -> None:
    """Neither the scale of a map nor its size changes a colour."""
    rng = np.random.default_rng(7)
    values = rng.random((48, 64))
    small = heat.spread(values, (32, 24))
    assert small.mean() == pytest.approx(1)
    assert np.allclose(small, heat.spread(1000 * values, (32, 24)), atol=1e-5)
    flat = heat.colours(heat.spread(np.full((9, 9), 3.0), (20, 20)))
    assert (flat[..., 3] == 0).all()
    assert (heat.colours(heat.spread(np.zeros((9, 9)), (20, 20)))[..., 3] == 0).all()
    strong = heat.colours(np.array([[1.0, 4.0, 16.0, 99.0]]))
    assert strong[0, 0, 3] < strong[0, 1, 3] < strong[0, 2, 3]
    assert (strong[0, 2] == strong[0, 3]).all()
