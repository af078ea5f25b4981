"""Insertion and deletion curves, and networks that lose their weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from emomap.errors import EmomapError
from emomap.method import Image, Method, Prediction
from emomap.methods.islamnet import ISLAMNet
from emomap.sample import EMOTIONS
from emomap.sanity.faithfulness import deletion, insertion
from emomap.sanity.randomisation import cascade, layers, likeness, randomise


class Corner(Method):
    """Predicts the share of white in the upper left quarter."""

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        shares = [float((image[:8, :8] > 200).mean()) for image in images]
        return [Prediction(probabilities=np.array([share, 1 - share])) for share in shares]


class Silent(Method):
    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        return [Prediction(map=np.zeros((2, 2))) for _ in images]


def scene() -> tuple[Image, Any]:
    image = np.zeros((16, 16, 3), dtype=np.uint8)
    image[:8, :8] = 255
    right = np.zeros((16, 16))
    right[:8, :8] = 1 + np.arange(64).reshape(8, 8)
    return image, right


def test_the_right_map_is_faithful_and_its_opposite_is_not() -> None:
    image, right = scene()
    wrong = right.max() - right
    falls, stays = (deletion(Corner(), image, shown, steps=16) for shown in (right, wrong))
    # four of sixteen steps remove a quarter of the pixels, and with it all evidence
    np.testing.assert_allclose(falls.probabilities[:5], [1, 0.75, 0.5, 0.25, 0])
    assert falls.area == pytest.approx(0.125) and stays.area == pytest.approx(0.875)
    rises, late = (insertion(Corner(), image, shown, steps=16) for shown in (right, wrong))
    assert rises.area > late.area + 0.1
    assert rises.probabilities[-1] == 1 and falls.shares[-1] == 1


def test_another_emotion_may_be_watched() -> None:
    image, right = scene()
    curve = deletion(Corner(), image, right, emotion=1, steps=4)
    assert curve.probabilities[0] == 0 and curve.probabilities[-1] == 1


def test_curves_refuse_what_cannot_be_watched() -> None:
    image, right = scene()
    with pytest.raises(EmomapError, match="no probabilities"):
        deletion(Silent(), image, right)
    with pytest.raises(EmomapError, match="resize the map"):
        insertion(Corner(), image, right[:8])


def trained() -> ISLAMNet:
    torch.manual_seed(0)
    method = ISLAMNet("small", "none", size=32, channels=16)
    method.classes = EMOTIONS
    method.module = method.build(EMOTIONS).eval()
    return method


def test_layers_are_randomised_by_name_and_the_rest_is_kept() -> None:
    module = trained().module
    assert module is not None
    names = layers(module)
    assert names[0].startswith("backbone") and names[-1] in {"classifier", "rotation"}
    changed = randomise(module, ["compress"])
    before, after = module.state_dict(), changed.state_dict()
    differ = {key for key in before if not torch.equal(before[key], after[key])}
    assert differ == {"compress.weight"}  # its bias is zero, so its random one is, too
    old, new = before["compress.weight"], after["compress.weight"]
    assert new.std().item() == pytest.approx(old.std().item(), rel=0.15)
    assert torch.equal(randomise(module, ["compress"]).state_dict()["compress.weight"], new)
    with pytest.raises(KeyError):
        randomise(module, ["nothing"])


def test_maps_change_as_weights_are_lost() -> None:
    method = trained()
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (40, 40, 3), dtype=np.uint8) for _ in range(3)]
    np.testing.assert_allclose(likeness(method, method, images), 1)
    shares, means = [], []
    for share, changed in cascade(method, images[:1], steps=4):
        shares.append(share)
        means.append(likeness(method, changed, images).mean())
    assert shares == sorted(shares) and shares[-1] == 1
    assert means[-1] < 0.9
