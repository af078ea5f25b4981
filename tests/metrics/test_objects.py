"""Attention on objects: against naive loops, and what is defined at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import NegativeMapError, objects


def scene(seed: int, count: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    masks = rng.random((count, 9, 11)) < 0.3
    masks[:, 0, 0] = True
    return rng.random((9, 11)), masks


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 5), scale=st.sampled_from([1e-9, 1.0, 1e9]))
def test_against_naive_loops(seed: int, count: int, scale: float) -> None:
    density, masks = scene(seed, count)
    values = (density * scale).tolist()
    every = [value for row in values for value in row]
    for statistic, of in (("max", max), ("mean", lambda v: sum(v) / len(v))):
        found = objects.object_attention(density * scale, masks, statistic=statistic)
        for mask, ratio in zip(masks.tolist(), found, strict=True):
            own = [values[r][c] for r in range(9) for c in range(11) if mask[r][c]]
            assert ratio == pytest.approx(of(own) / of(every), rel=1e-12)
    places = {(r, c) for mask in masks for r, c in np.argwhere(mask)}
    held = sum(values[r][c] for r, c in places) / sum(every)
    expected = math.log2(held / (len(places) / 99))
    assert objects.atti(density * scale, masks) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("statistic", objects.STATISTICS)
def test_prioritisation_is_the_difference_of_the_means(statistic: str) -> None:
    density, masks = scene(1, 4)
    attention = objects.object_attention(density, masks, statistic=statistic)
    kinds = [True, False, True, False]
    found = objects.emotion_prioritization(density, masks, kinds, statistic=statistic)
    assert isinstance(found, float)
    expected = (attention[0] + attention[2]) / 2 - (attention[1] + attention[3]) / 2
    assert found == pytest.approx(expected, rel=1e-12)
    swapped = [not kind for kind in kinds]
    turned = objects.emotion_prioritization(density, masks, swapped, statistic=statistic)
    assert turned == pytest.approx(-found, rel=1e-12)


def test_batches_and_torch_agree_with_single_maps() -> None:
    density, masks = scene(2)
    batch = np.stack([density, density**2])
    kinds = [True, False, False]
    for function in (
        lambda d: objects.object_attention(d, masks),
        lambda d: objects.emotion_prioritization(d, masks, kinds),
        lambda d: objects.atti(d, masks),
    ):
        whole = function(batch)
        for place in range(2):
            np.testing.assert_allclose(whole[place], function(batch[place]), rtol=1e-12)
        tensor = function(torch.from_numpy(batch))
        assert isinstance(tensor, torch.Tensor)
        np.testing.assert_allclose(tensor.numpy(), whole, rtol=1e-12)


def test_a_uniform_and_a_blank_map_prefer_nothing() -> None:
    _, masks = scene(3)
    for density in (np.full((9, 11), 0.7), np.zeros((9, 11))):
        for statistic in objects.STATISTICS:
            ratios = objects.object_attention(density, masks, statistic=statistic)
            np.testing.assert_allclose(ratios, 1.0, rtol=1e-12)
        assert objects.atti(density, masks) == pytest.approx(0.0, abs=1e-12)


def test_atti_of_nothing_is_minus_infinity_and_overlap_counts_once() -> None:
    density, masks = np.zeros((4, 4)), np.zeros((2, 4, 4), bool)
    density[3, 3] = 1
    masks[:, 0, :2] = True
    assert objects.atti(density, masks) == -math.inf
    density[0, 0] = 1
    assert objects.atti(density, masks) == pytest.approx(math.log2(0.5 / (2 / 16)))


def test_what_cannot_be_measured_is_refused() -> None:
    density, masks = scene(4)
    with pytest.raises(NegativeMapError):
        objects.atti(density - 0.5, masks)
    with pytest.raises(ValueError, match="1 NaN or infinite"):
        objects.object_attention(np.where(density == density.max(), np.nan, density), masks)
    with pytest.raises(ValueError, match="object 1 covers no pixel"):
        objects.atti(density, np.stack([masks[0], masks[0] & False]))
    with pytest.raises(ValueError, match=r"expected \(K, H, W\)"):
        objects.atti(density, masks[0])
    with pytest.raises(ValueError, match="masks"):
        objects.atti(density, masks[:, :, 1:])
    with pytest.raises(ValueError, match="no object is neutral"):
        objects.emotion_prioritization(density, masks, [True] * 3)
    with pytest.raises(ValueError, match="no object is emotional"):
        objects.emotion_prioritization(density, masks, [False] * 3)
    with pytest.raises(ValueError, match="a boolean for each of the 3 objects"):
        objects.emotion_prioritization(density, masks, [1, 0, 0])
    with pytest.raises(ValueError, match="statistic"):
        objects.object_attention(density, masks, statistic="sum")
