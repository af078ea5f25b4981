"""The parts of the networks against plain loops written from their definitions, in float64.

The recorded cases are square, small and few. Here are other shapes, other numbers of places, and
gradients by finite differences.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from emomap.nn.attention import channel_gate, spatial_gate
from emomap.nn.pooling import class_wise_pool, spatial_pool
from emomap.nn.rotation import crop_scale, rotate
from emomap.nn.soft_proposal import soft_proposal

Array = NDArray[np.float64]


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def close(ours: torch.Tensor, theirs: Any, rtol: float = 1e-6) -> None:
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=rtol, atol=1e-9)


# --- pooling ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "maps", "shape"), [(8, 4, (14, 14)), (3, 1, (5, 9)), (1, 7, (1, 1)), (2, 3, (6, 1))]
)
def test_class_wise_pool_on_any_shape(classes: int, maps: int, shape: tuple[int, int]) -> None:
    x = random(2, classes * maps, *shape)
    expected = np.zeros((2, classes, *shape))
    for b, c, m in itertools.product(range(2), range(classes), range(maps)):
        expected[b, c] += x[b, c * maps + m].numpy() / maps
    gradient = random(2, classes, *shape, seed=1)
    for form in (torch.contiguous_format, torch.channels_last):
        for legacy in (False, True):
            leaf = x.clone().to(memory_format=form).requires_grad_()
            pooled = class_wise_pool(leaf, maps, legacy_gradient=legacy)
            close(pooled, expected)
            pooled.backward(gradient)
            assert leaf.grad is not None
            each = gradient.numpy() / (1 if legacy else maps)
            close(leaf.grad, np.repeat(each, maps, axis=1))


def places(k: float, n: int) -> int:
    """The number of places that ``k`` means, by exact arithmetic on the floating-point product."""
    if k <= 0:
        return 0
    if k >= 1:
        return min(int(k), n)
    product = Fraction(k * n)
    below = math.floor(product)
    rest = product - below
    if rest == Fraction(1, 2):
        return below if below % 2 == 0 else below + 1
    return below if rest < Fraction(1, 2) else below + 1


KMAX = (0.02, 0.2, 0.5, 0.97, 1, 3.7, 1000)
KMIN = (None, 0, -1, 0.001, 0.2, 0.5, 1, 1000)


@pytest.mark.parametrize("shape", [(5, 7), (1, 25), (6, 6)])
@pytest.mark.parametrize("alpha", [0, 0.0, 0.7, 1.0, 2])
def test_spatial_pool_for_every_meaning_of_k(shape: tuple[int, int], alpha: float) -> None:
    n = math.prod(shape)
    for kmax, kmin in itertools.product(KMAX, KMIN):
        x = random(2, 3, *shape).requires_grad_()
        top = places(kmax, n)
        if top == 0:
            with pytest.raises(ValueError, match="kmax"):
                spatial_pool(x, kmax, kmin, alpha)
            continue
        bottom = top if kmin is None else places(kmin, n)
        scores, gradient = np.zeros((2, 3)), np.zeros((2, 3, n))
        halved = bottom > 0 and alpha != 0
        for b, c in itertools.product(range(2), range(3)):
            order = np.argsort(x[b, c].detach().numpy().ravel())
            for place in order[n - top :]:
                gradient[b, c, place] += (0.5 if halved else 1) / top
            if halved:
                for place in order[:bottom]:
                    gradient[b, c, place] += 0.5 * alpha / bottom
            scores[b, c] = gradient[b, c] @ x[b, c].detach().numpy().ravel()
        found = spatial_pool(x, kmax, kmin, alpha)
        close(found, scores)
        found.sum().backward()
        assert x.grad is not None
        close(x.grad.flatten(2), gradient)


def test_spatial_pool_with_its_defaults() -> None:
    x = random(1, 1, 4, 5)
    ordered = np.sort(x.numpy().ravel())
    close(spatial_pool(x, 3)[0, 0], (ordered[-3:].mean() + ordered[:3].mean()) / 2)


# --- soft proposals -----------------------------------------------------------------------------


def walk(features: Array, factor: float, tolerance: float, most: int) -> Array:
    """The proposal of one image (C, H, W), place by place."""
    _, height, width = features.shape
    cells = list(itertools.product(range(height), range(width)))
    transfer = np.zeros((len(cells), len(cells)))
    for u, (r, c) in enumerate(cells):
        for v, (s, d) in enumerate(cells):
            unlike = math.sqrt(((features[:, r, c] - features[:, s, d]) ** 2).sum())
            transfer[u, v] = unlike * math.exp(-((r - s) ** 2 + (c - d) ** 2) / (2 * factor**2))
    for v in range(len(cells)):
        total = transfer[:, v].sum()
        transfer[:, v] = transfer[:, v] / total if total > 0 else 1 / len(cells)
    now = np.full(len(cells), 1 / len(cells))
    for _ in range(most):
        following = transfer @ now
        if math.sqrt(((following - now) ** 2).sum()) < tolerance:
            break
        now = following
    return now.reshape(height, width)


@pytest.mark.parametrize("shape", [(7, 7), (4, 9), (9, 4), (1, 6), (1, 1)])
@pytest.mark.parametrize("factor", [None, 0.8, 30.0])
def test_soft_proposal_on_any_shape(shape: tuple[int, int], factor: float | None) -> None:
    features = random(2, 5, *shape, seed=2)
    reach = 0.15 * math.sqrt(math.prod(shape)) if factor is None else factor
    for tolerance, most in ((1e-4, 20), (1e-2, 20), (0.0, 3), (1e-4, 0)):
        found = soft_proposal(features, factor, tolerance=tolerance, max_iterations=most)
        expected = np.stack([walk(f, reach, tolerance, most) for f in features.numpy()])
        close(found, expected, rtol=1e-4)


def test_soft_proposal_where_some_places_are_equal() -> None:
    features = torch.zeros(1, 2, 4, 5, dtype=torch.float64)
    features[0, :, 1, 3] = 1.0
    found = soft_proposal(features, 1.1)
    close(found[0], walk(features[0].numpy(), 1.1, 1e-4, 20), rtol=1e-4)


def test_soft_proposal_is_the_same_under_automatic_mixed_precision() -> None:
    features = torch.rand(2, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        narrow = soft_proposal(features, 1.0)
    torch.testing.assert_close(narrow, soft_proposal(features, 1.0))


@pytest.mark.parametrize("factor", [0.0, -1.0])
def test_soft_proposal_refuses_a_factor_that_is_not_positive(factor: float) -> None:
    with pytest.raises(ValueError, match="factor"):
        soft_proposal(torch.rand(1, 2, 3, 3), factor)


# --- gates --------------------------------------------------------------------------------------


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(("channels", "hidden", "shape"), [(12, 3, (5, 8)), (3, 1, (1, 1))])
def test_channel_gate_on_any_shape(channels: int, hidden: int, shape: tuple[int, int]) -> None:
    x = random(2, channels, *shape)
    w1, b1 = random(hidden, channels, seed=1), random(hidden, seed=2)
    w2, b2 = random(channels, hidden, seed=3), random(channels, seed=4)
    found = channel_gate(x, w1, b1, w2, b2)
    assert found.shape == (2, channels, 1, 1)
    for b in range(2):
        total = np.zeros(channels)
        for pooled in (x[b].numpy().mean(axis=(1, 2)), x[b].numpy().max(axis=(1, 2))):
            inner = np.maximum(w1.numpy() @ pooled + b1.numpy(), 0)
            total += w2.numpy() @ inner + b2.numpy()
        close(found[b, :, 0, 0], sigmoid(total))


@pytest.mark.parametrize("size", [1, 3, 7])
@pytest.mark.parametrize("biased", [False, True])
def test_spatial_gate_on_any_shape(size: int, biased: bool) -> None:
    x, weight = random(2, 4, 6, 9), random(1, 2, size, size, seed=1)
    bias = random(1, seed=2) if biased else None
    found = spatial_gate(x, weight, bias)
    assert found.shape == (2, 1, 6, 9)
    reach = size // 2
    for b in range(2):
        planes = [x[b].numpy().max(axis=0), x[b].numpy().mean(axis=0)]
        padded = [np.pad(plane, reach) for plane in planes]
        for row, column in itertools.product(range(6), range(9)):
            total = 0.0 if bias is None else float(bias)
            for plane, kernel in zip(padded, weight[0].numpy(), strict=True):
                total += (plane[row : row + size, column : column + size] * kernel).sum()
            close(found[b, 0, row, column], sigmoid(np.array(total)))


def test_spatial_gate_refuses_an_even_kernel() -> None:
    with pytest.raises(ValueError, match="4 x 4"):
        spatial_gate(torch.rand(1, 2, 5, 5), torch.rand(1, 2, 4, 4))


def test_gates_and_pools_have_the_gradients_of_their_definitions() -> None:
    x = random(2, 6, 3, 4).requires_grad_()
    weights = [random(2, 6, seed=1), random(2, seed=2), random(6, 2, seed=3), random(6, seed=4)]
    assert torch.autograd.gradcheck(lambda y: channel_gate(y, *weights), x)
    assert torch.autograd.gradcheck(lambda y: spatial_gate(y, random(1, 2, 3, 3, seed=5)), x)
    assert torch.autograd.gradcheck(lambda y: class_wise_pool(y, 3), x)
    assert torch.autograd.gradcheck(lambda y: spatial_pool(y, 0.4, 2, 0.7), x)


# --- rotation -----------------------------------------------------------------------------------


def turned(image: Array, angle: float, scale: float) -> Array:
    """One plane turned clockwise about its centre, cropped to ``scale``: bilinear, pixel by pixel.

    Coordinates count from the centre; y points down, so the clockwise turn of what is seen looks
    back by the angle.
    """
    side = len(image)
    middle = (side - 1) / 2
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    found = np.zeros_like(image)
    for row, column in itertools.product(range(side), range(side)):
        y, x = scale * (row - middle), scale * (column - middle)
        at_row = min(max(middle + cos * y - sin * x, 0), side - 1)
        at_column = min(max(middle + sin * y + cos * x, 0), side - 1)
        top, left = int(at_row), int(at_column)
        below, right = min(top + 1, side - 1), min(left + 1, side - 1)
        down, across = at_row - top, at_column - left
        upper = (1 - across) * image[top, left] + across * image[top, right]
        lower = (1 - across) * image[below, left] + across * image[below, right]
        found[row, column] = (1 - down) * upper + down * lower
    return found


@pytest.mark.parametrize("side", [6, 9])
@pytest.mark.parametrize("angles", [[0, 30], [45 * k for k in range(8)], [-20, 75, 90, 400]])
def test_rotation_by_any_angle(side: int, angles: list[float]) -> None:
    images = random(2, 1, side, side)
    scale = min(1 / (abs(math.cos(math.radians(a))) + abs(math.sin(math.radians(a))))
                for a in angles)  # fmt: skip
    assert crop_scale(angles) == pytest.approx(scale)
    views = rotate(images, angles).reshape(len(angles), 2, side, side)
    for index, angle in enumerate(angles):
        for view, image in zip(views[index], images[:, 0].numpy(), strict=True):
            close(view, turned(image, angle, scale), rtol=1e-5)


@pytest.mark.parametrize("side", [4, 5])
def test_right_angles_are_exact_for_any_type(side: int) -> None:
    images = torch.arange(2 * side * side, dtype=torch.uint8).reshape(2, 1, side, side)
    for angle in (0, 90, 180, 270, 360, 450, -90):
        expected = np.rot90(images.numpy(), -(angle // 90), axes=(2, 3))
        assert np.array_equal(rotate(images, [angle]).numpy(), expected)


def test_oblong_pictures_may_be_turned_upside_down() -> None:
    images = random(2, 3, 4, 7)
    assert rotate(images, [0, 180]).shape == (4, 3, 4, 7)
    views = rotate(images, [90, 270])
    assert views.shape == (4, 3, 7, 4)
    assert torch.equal(views[0, :, 0, 3], images[0, :, 0, 0])  # upper left to upper right


def test_integers_can_only_be_turned_by_right_angles() -> None:
    with pytest.raises(ValueError, match="uint8"):
        rotate(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), [0, 45])
