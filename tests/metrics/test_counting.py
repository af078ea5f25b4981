"""Counting the pixels at and above the thresholds of an AUC, against sorting them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from metrics._field import Field
from metrics._ranking import COUNTED, STEPS, Dense


def maps() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    even = rng.random(5000)
    return {
        "even": even,
        "one value stands out": np.append(even * 1e-9, 1.0),
        "near each other": 0.5 + 1e-13 * rng.integers(0, 50, 5000),
        "on the steps": np.round(even, 1),
        "beside the steps": np.round(even, 1) + rng.integers(-1, 2, 5000) * 2.0**-53,
        "of either sign": 1e6 * (even - 0.3),
        "two values": (even > 0.7) * 3.0,
        "in single precision": even.astype(np.float32),
        "of more than one piece": rng.random(2 * COUNTED + 17).astype(np.float32),
    }


@pytest.mark.parametrize("name", list(maps()))
def test_counts_are_those_of_sorting(name: str) -> None:
    values = maps()[name]
    found = Field(np, values)
    units = np.sort(found.unit(values.astype(float)))
    drawn = np.random.default_rng(1).choice(units, 300)
    thresholds = np.unique(np.concatenate([STEPS[STEPS <= 1], drawn, [0.0, 1.0]]))
    at_least, equal = Dense(found).count(thresholds)
    left, right = (np.searchsorted(units, thresholds, side) for side in ("left", "right"))
    assert (at_least == units.size - left).all()
    assert (equal == right - left).all()
