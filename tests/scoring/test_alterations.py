"""Alterations of maps, beside the same done by hand, and the maps that they do not apply to."""

from __future__ import annotations

import io as bytes_io

import numpy as np
import pytest
from PIL import Image

from emomap import metrics
from emomap.scoring.alterations import ALTERATIONS, Inapplicable

MADE = {alteration.name: alteration.made for alteration in ALTERATIONS}
RESIZE = "matlab-bicubic"


@pytest.fixture
def values(rng: np.random.Generator) -> np.ndarray:
    return np.asarray(rng.gamma(0.3, size=(21, 30)))


def test_by_hand(values: np.ndarray) -> None:
    scaled = np.rint(values / values.max() * 255).astype(np.uint8)
    stream = bytes_io.BytesIO()
    Image.fromarray(scaled).save(stream, "JPEG", quality=75)
    small = metrics.resize(values, (11, 15))
    by_hand = {
        "8-bit": scaled,
        "JPEG": np.asarray(Image.open(stream)),
        "half": metrics.resize(small, (21, 30)),
        "min-max": (values - values.min()) / np.ptp(values),
        "^2": (values / values.max()) ** 2,
        "^1/2": np.sqrt(values / values.max()),
        "floor 0": values,
    }
    assert list(by_hand) == list(MADE)
    for name, expected in by_hand.items():
        np.testing.assert_allclose(MADE[name](values, RESIZE), expected, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", ["uint8", "bool"])
def test_what_has_eight_bits_keeps_them(kind: str, values: np.ndarray) -> None:
    given = (values / values.max() * 100).astype(kind)
    assert MADE["8-bit"](given, RESIZE) is given


def test_negative_and_constant_maps(values: np.ndarray) -> None:
    negative = values - 0.5
    for name in ("8-bit", "JPEG", "^2", "^1/2"):
        with pytest.raises(Inapplicable, match="negative"):
            MADE[name](negative, RESIZE)
    assert MADE["floor 0"](negative, RESIZE).min() == 0
    assert MADE["min-max"](negative, RESIZE).min() == 0
    with pytest.raises(Inapplicable, match="constant"):
        MADE["min-max"](np.ones((3, 4)), RESIZE)
    for made in MADE.values():  # unsigned, blank, one pixel
        with np.errstate(all="raise"):
            try:
                assert not made(np.zeros((1, 1), np.uint16), RESIZE).any()
            except Inapplicable as error:
                assert str(error) == "constant"
