"""Windows and superpixels of Objectness, each against a plain count."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from emomap.vision.cues import color_contrast, edge_density, ms_maps
from emomap.vision.edges import edges
from emomap.vision.histograms import chi_square, straddling
from emomap.vision.segments import _ascending, segment
from emomap.vision.windows import add_up, sample_windows, suppress, window_scores
from tests.methods.pictures import picture


def random_boxes(count: int, height: int, width: int, seed: int = 0) -> NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.integers(0, width, (count, 2))), np.sort(rng.integers(0, height, (count, 2)))
    return np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1)


def inside(values: NDArray[np.generic], box: NDArray[np.int64]) -> NDArray[np.generic]:
    return values[box[1] : box[3] + 1, box[0] : box[2] + 1]


def test_window_scores() -> None:
    map_ = np.random.default_rng(0).random((12, 16))
    boxes = random_boxes(50, 12, 16)
    for box, score in zip(boxes, window_scores(map_, 0.6, boxes), strict=True):
        part = inside(map_, box)
        strong = part[part >= 0.6]
        assert score == pytest.approx(strong.sum() * strong.size / part.size)


def test_windows_are_drawn_in_proportion_to_their_score() -> None:
    map_ = np.random.default_rng(1).random((5, 6))
    boxes, scores = sample_windows(map_, 0.5, (2, 3), 60_000, np.random.default_rng(2))
    every = np.array(
        [
            (left, top, right, bottom)
            for top in range(5)
            for bottom in range(top + 1, 5)
            for left in range(6)
            for right in range(left + 2, 6)
        ]
    )
    expected = window_scores(map_, 0.5, every)
    np.testing.assert_allclose(scores, window_scores(map_, 0.5, boxes))
    keys, counts = np.unique(boxes @ [1, 10, 100, 1000], return_counts=True)
    found = dict(zip(keys, counts / len(boxes), strict=True))
    shares = np.array([found.pop(key, 0) for key in every @ [1, 10, 100, 1000]])
    assert not found
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.004)


def test_no_windows_are_drawn_from_an_empty_map() -> None:
    rng = np.random.default_rng(0)
    for map_, smallest in ((np.zeros((4, 4)), (2, 2)), (np.ones((4, 4)), (5, 2))):
        boxes, scores = sample_windows(map_, 0.5, smallest, 10, rng)
        assert boxes.shape == (0, 4)
        assert scores.shape == (0,)


def test_chi_square() -> None:
    labels = np.random.default_rng(3).choice([0, 3, 17, 20, 30, 31, 99, 200, 254, 255], (20, 30))
    labels = labels.astype(np.uint8)
    boxes = random_boxes(40, 20, 30)
    outer = np.clip(boxes + np.array([-3, -2, 4, 5]), 0, [29, 19, 29, 19])
    boxes[0], outer[0] = (0, 0, 29, 19), (0, 0, 29, 19)  # no surround
    found = chi_square(labels, boxes, outer)
    assert found[0] == 0
    for box, wide, score in zip(boxes[1:], outer[1:], found[1:], strict=True):
        own = np.bincount(inside(labels, box).ravel(), minlength=256)
        frame = np.bincount(inside(labels, wide).ravel(), minlength=256) - own
        p, q = own / own.sum(), frame / frame.sum()
        used = p + q > 0
        assert score == pytest.approx((((p - q) ** 2)[used] / (p + q)[used]).sum())


def test_straddling() -> None:
    segments = np.random.default_rng(4).integers(0, 11, (20, 30)).astype(np.int32)
    boxes = random_boxes(40, 20, 30)
    totals = np.bincount(segments.ravel())
    for box, score in zip(boxes, straddling(segments, boxes), strict=True):
        own = np.bincount(inside(segments, box).ravel(), minlength=11)
        assert score == pytest.approx(1 - np.minimum(own, totals - own).sum() / own.sum())


def test_suppression() -> None:
    rng = np.random.default_rng(5)
    boxes = random_boxes(200, 40, 50).astype(np.float64)
    scores = rng.integers(0, 20, 200).astype(np.float64)
    kept: list[int] = []
    for k in np.argsort(-scores, kind="stable"):
        for other in kept:
            low, high = (
                np.maximum(boxes[k, :2], boxes[other, :2]),
                np.minimum(boxes[k, 2:], boxes[other, 2:]),
            )
            shared = np.clip(high - low + 1, 0, None).prod()
            areas = sum((boxes[i, 2:] - boxes[i, :2] + 1).prod() for i in (k, other))
            if shared / (areas - shared) > 0.5:
                break
        else:
            kept.append(int(k))
    assert suppress(boxes, scores, 0.5, 1000).tolist() == kept
    assert suppress(boxes, scores, 0.5, 7).tolist() == kept[:7]


def test_heat() -> None:
    boxes = random_boxes(30, 12, 15)
    scores = np.random.default_rng(6).random(30)
    expected = np.zeros((12, 15))
    for box, score in zip(boxes, scores, strict=True):
        inside(expected, box)[:] += score
    np.testing.assert_allclose(add_up(boxes, scores, (12, 15)), expected, atol=1e-12)


def test_radix_order() -> None:
    weights = np.random.default_rng(7).random(5000).astype(np.float32).round(2) * 300
    weights[::100] = np.inf
    found = _ascending(weights.view(np.uint32))
    np.testing.assert_array_equal(found, np.argsort(weights, kind="stable"))


def test_superpixels_follow_regions() -> None:
    image = np.full((60, 80, 3), 40, np.uint8)
    image[:, 40:] = (200, 180, 60)
    image[20:40, 10:30] = (90, 20, 150)
    labels = segment(image, sigma=0.3, scale=100, min_area=100)
    assert labels.max() == 2
    assert labels[0, 0] == 0
    assert {len(np.unique(part)) for part in (labels[:, 42:], labels[22:38, 12:28])} == {1}
    np.testing.assert_array_equal(
        segment(image / 255.0, sigma=0.3, scale=100, min_area=100), labels
    )


def test_small_regions_are_joined() -> None:
    noise = np.random.default_rng(8).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    labels = segment(noise, sigma=0.1, scale=1, min_area=60)
    assert np.bincount(labels.ravel()).min() >= 60
    # each region is connected (by eight neighbours)
    from scipy import ndimage

    for label in range(labels.max() + 1):
        assert ndimage.label(labels == label, np.ones((3, 3)))[1] == 1


def test_both_forms_of_a_grey_picture_have_the_same_ms_maps() -> None:
    grey = picture(60, 70)[..., 0]
    np.testing.assert_allclose(
        ms_maps(grey, 24), ms_maps(np.repeat(grey[..., None], 3, axis=2), 24), atol=1e-12
    )


def test_cues_prefer_the_object() -> None:
    image = np.full((100, 120, 3), 60, np.uint8)
    image[30:70, 40:90] = (220, 120, 30)
    boxes = np.array([(40, 30, 89, 69), (60, 10, 110, 50), (2, 2, 30, 25)])
    contrast = color_contrast(image, boxes, 100)
    assert contrast.argmax() == 0
    assert contrast[0] == pytest.approx(2)
    density = edge_density(image, boxes, 17)
    assert density[0] > density[1] > density[2] == 0


def test_edges_of_a_disc_form_its_outline() -> None:
    y, x = np.mgrid[:80, :80]
    radius = np.hypot(y - 40, x - 40)
    found = edges((radius < 20).astype(np.float64))
    assert 100 < found.sum() < 160
    assert abs(radius[found] - 20).max() < 1.5
    assert not edges(np.full((20, 20), 0.5)).any()
