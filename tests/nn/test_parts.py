"""Attention, pooling, soft proposals and rotation against values of the official codes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from emomap.nn.attention import ChannelGate, SpatialGate, channel_gate, spatial_gate
from emomap.nn.pooling import (
    class_wise_pool,
    mean_with_sum_gradient,
    region_count,
    spatial_pool,
)
from emomap.nn.rotation import crop_scale, rotate
from emomap.nn.soft_proposal import soft_proposal, stationary
from tests.conftest import shared

CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}


def case(name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Arrays and parameters of a recorded case."""
    with np.load(shared(f"fixtures/networks/{name}.npz")) as stored:
        arrays = {key: torch.from_numpy(stored[key]) for key in stored.files if key != "meta"}
        return arrays, json.loads(stored["meta"].item())


def close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    torch.testing.assert_close(ours, theirs, **CLOSE)


# --- attention ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cbam_a", "cbam_b"])
def test_gates_are_those_of_cbam(name: str) -> None:
    z, _ = case(name)
    mlp = [z[f"p.mlp{i}.{kind}"] for i in (1, 2) for kind in ("weight", "bias")]
    close(channel_gate(z["x"], *mlp), z["channel_gate"])
    close(spatial_gate(z["x"], z["p.conv.weight"]), z["spatial_gate_nobn"])


@pytest.mark.parametrize("name", ["cbam_a", "cbam_b"])
def test_gate_modules_hold_the_same_weights(name: str) -> None:
    z, meta = case(name)
    channel, spatial = ChannelGate(meta["C"], meta["reduction"]), SpatialGate()
    with torch.no_grad():
        channel.hidden.weight.copy_(z["p.mlp1.weight"])
        channel.hidden.bias.copy_(z["p.mlp1.bias"])
        channel.out.weight.copy_(z["p.mlp2.weight"])
        channel.out.bias.copy_(z["p.mlp2.bias"])
        spatial.convolution.weight.copy_(z["p.conv.weight"])
    close(channel(z["x"]), z["channel_gate"])
    close(spatial(z["x"]), z["spatial_gate_nobn"])
    assert channel.hidden.out_features == meta["hidden"]


# --- pooling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wildcat_a", "wildcat_b", "wildcat_c"])
@pytest.mark.parametrize("legacy", [False, True])
def test_pooling_is_that_of_wildcat(name: str, legacy: bool) -> None:
    z, meta = case(name)
    x = z["x"].requires_grad_()
    maps = class_wise_pool(x, meta["maps"], legacy_gradient=legacy)
    maps.retain_grad()
    scores = spatial_pool(maps, meta["kmax"], meta["kmin"], meta["alpha"])
    # the official code halves the mean of the strongest even when alpha is the float 0.0
    factor = 0.5 if name == "wildcat_c" else 1.0
    close(maps, z["class_maps"])
    close(scores * factor, z["scores"])
    (scores * factor).backward(z["grad_scores"])
    assert maps.grad is not None and x.grad is not None
    close(maps.grad, z["grad_class_maps"])
    close(x.grad, z["grad_x_official" if legacy else "grad_x_exact"])


def test_pooling_with_ties_scores_the_same() -> None:
    z, meta = case("wildcat_d_ties")
    maps = class_wise_pool(z["x"], meta["maps"])
    close(spatial_pool(maps, meta["kmax"], meta["kmin"], meta["alpha"]), z["scores"])


@pytest.mark.parametrize(
    ("k", "places", "count"),
    [(0.2, 196, 39), (0.5, 5, 2), (0.5, 7, 4), (1, 63, 1), (3.9, 9, 3), (50, 9, 9), (0, 9, 0),
     (-1, 9, 0)],
)  # fmt: skip
def test_share_or_number_of_places(k: float, places: int, count: int) -> None:
    assert region_count(k, places) == count


def test_spatial_pool_without_the_weakest_is_the_mean_of_the_strongest() -> None:
    x = torch.arange(12.0).reshape(1, 1, 3, 4)
    for alpha, kmin in ((0, None), (0.0, None), (1.0, 0)):
        assert spatial_pool(x, 2, kmin, alpha).item() == 10.5
    assert spatial_pool(x, 2, 1, 1.0).item() == pytest.approx((10.5 + 0) / 2)
    with pytest.raises(ValueError, match="kmax=0"):
        spatial_pool(x, 0)


def test_class_wise_pool_refuses_channels_that_do_not_divide() -> None:
    with pytest.raises(ValueError, match="10 channels"):
        class_wise_pool(torch.zeros(1, 10, 2, 2), 4)


def test_mean_with_sum_gradient_omits_the_number_of_channels() -> None:
    x = torch.rand(2, 5, 3, 3, requires_grad=True)
    mean = mean_with_sum_gradient(x)
    close(mean, x.mean(dim=1, keepdim=True))
    mean.sum().backward()
    assert x.grad is not None and bool((x.grad == 1).all())


# --- soft proposals -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["spn_a_paper", "spn_b_code", "spn_c_blob"])
def test_soft_proposal_is_that_of_spn(name: str) -> None:
    z, meta = case(name)
    x = z["x"].requires_grad_()
    proposal = soft_proposal(x, meta["factor"])
    close(proposal, z["proposal"])
    coupled = x * proposal[:, None]
    close(coupled, z["coupled"])
    close(F.linear(coupled.sum(dim=(2, 3)), z["fc_w"], z["fc_b"]), z["logits"])
    close(F.conv2d(coupled, z["fc_w"][:, :, None, None]), z["class_response_maps"])
    coupled.backward(z["grad_out"])
    assert x.grad is not None
    close(x.grad, z["grad_x_official"])


def test_default_factor_is_the_papers() -> None:
    z, meta = case("spn_a_paper")
    assert meta["factor"] == pytest.approx(0.15 * meta["size"])
    torch.testing.assert_close(soft_proposal(z["x"]), soft_proposal(z["x"], meta["factor"]))


def test_walk_converges_to_its_closed_form() -> None:
    features = torch.rand(2, 6, 5, 8, generator=torch.Generator().manual_seed(3))
    walked = soft_proposal(features, 1.5, tolerance=0.0, max_iterations=3000)
    torch.testing.assert_close(walked, stationary(features, 1.5), rtol=1e-3, atol=1e-6)


def test_soft_proposal_of_transposed_features_is_transposed() -> None:
    features = torch.rand(1, 4, 6, 9, generator=torch.Generator().manual_seed(0))
    upright = soft_proposal(features, 1.2)
    lying = soft_proposal(features.transpose(2, 3).contiguous(), 1.2)
    torch.testing.assert_close(upright, lying.transpose(1, 2), rtol=1e-4, atol=1e-7)
    assert upright.sum().item() == pytest.approx(1, abs=1e-5)


def test_soft_proposal_is_uniform_where_nothing_differs() -> None:
    assert torch.allclose(soft_proposal(torch.ones(2, 3, 4, 5)), torch.tensor(1 / 20))


def test_each_image_stops_on_its_own() -> None:
    z, meta = case("spn_a_paper")
    both = soft_proposal(z["x"], meta["factor"])
    alone = torch.cat([soft_proposal(x[None], meta["factor"]) for x in z["x"]])
    torch.testing.assert_close(both, alone)


# --- rotation -----------------------------------------------------------------------------------


def test_rotation_is_clockwise() -> None:
    z, _ = case("rotation_a")
    image = z["image"].permute(2, 0, 1)[None]
    # the recorded "90" turns counter-clockwise: it is our 270
    for angle, recorded in ((0, "r0"), (270, "r90"), (180, "r180"), (90, "r270")):
        assert torch.equal(rotate(image, [angle])[0].permute(1, 2, 0), z[recorded])


def test_a_mark_at_the_top_goes_to_the_right() -> None:
    image = torch.zeros(1, 1, 9, 9)
    image[0, 0, 0, 4] = 1
    assert rotate(image, [90])[0, 0, 4, 8] == 1
    turned = rotate(image.roll(2, 2), [45])[0, 0]
    row, column = divmod(int(turned.argmax()), 9)
    assert row < 4 < column


def test_views_come_angle_by_angle_in_the_same_memory_format() -> None:
    images = torch.rand(3, 2, 4, 4).to(memory_format=torch.channels_last)
    views = rotate(images, [0, 90, 180, 270])
    assert views.shape == (12, 2, 4, 4)
    assert views.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(views[:3], images)
    assert torch.equal(views[3:6], torch.rot90(images, -1, (2, 3)))
    assert torch.equal(rotate(views[3:6], [270]), images)


def test_eight_angles_show_the_same_square_without_corners() -> None:
    angles = [45.0 * k for k in range(8)]
    assert crop_scale(angles) == pytest.approx(0.5**0.5)
    views = rotate(torch.ones(2, 3, 32, 32), angles)
    assert views.shape == (16, 3, 32, 32)
    torch.testing.assert_close(views, torch.ones_like(views))  # no black corner anywhere
    # views at right angles are exact turns of the crop
    image = torch.rand(1, 1, 32, 32)
    views = rotate(image, angles)
    torch.testing.assert_close(views[2:3], rotate(views[:1], [90]), rtol=1e-4, atol=1e-5)


def test_rotate_refuses_views_of_different_shapes_and_no_angles() -> None:
    with pytest.raises(ValueError, match="different shapes"):
        rotate(torch.zeros(1, 3, 4, 5), [0, 90])
    with pytest.raises(ValueError, match="at least one"):
        rotate(torch.zeros(1, 3, 4, 4), [])
