"""ISLAMNet's options: how f4 is scaled, kept open, closed at random, and seen by the classifier."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from emomap.methods.islamnet import ISLAMNet, ISLAMNetModule
from emomap.sample import EMOTIONS


def module(**options: Any) -> ISLAMNetModule:
    torch.manual_seed(0)
    built = ISLAMNet("small", "none", size=32, channels=16, **options).build(EMOTIONS)
    assert isinstance(built, ISLAMNetModule)
    for weight in built.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return built.eval()


@pytest.fixture
def f1() -> Tensor:
    return torch.rand(3, 64, 8, 8, generator=torch.Generator().manual_seed(1))


def test_a_scaled_map_cannot_be_closed(f1: Tensor) -> None:
    """With its mean fixed, f4 a hundred times weaker is coupled alike; a free one is not."""
    _, f4 = module().head(f1)
    for scale, same in (("mean", True), ("free", False)):
        network = module(f4_scale=scale)
        assert torch.allclose(network.seen(f4), network.seen(f4 / 100), rtol=1e-3) == same


def test_the_mean_of_a_scaled_map_is_one_and_its_floor_comes_on_top(f1: Tensor) -> None:
    _, f4 = module(f4_scale="mean").head(f1)
    torch.testing.assert_close(f4.mean(dim=(1, 2)), torch.ones(3))
    _, raised = module(f4_scale="mean", f4_floor=0.1).head(f1)
    share = f1.mean(dim=1) / f1.mean(dim=(1, 2, 3))[:, None, None]
    torch.testing.assert_close(raised, f4 + 0.1 * share, rtol=1e-4, atol=1e-5)
    assert (raised > 0).all()


def test_a_map_that_is_zero_everywhere_stays_finite(f1: Tensor) -> None:
    network = module(f4_scale="mean", f4_dropout=0.5)
    torch.nn.init.constant_(network.compress.bias, -1e6)  # type: ignore[arg-type]
    for mode in (True, False):
        logits, f4 = network.train(mode).head(f1)
        assert torch.isfinite(logits).all() and (f4 == 0).all()


def test_places_are_closed_in_training_only(f1: Tensor) -> None:
    network = module(f4_scale="mean", f4_dropout=0.4)
    _, f4 = network.head(f1)
    torch.testing.assert_close(network.seen(f4), f4, rtol=1e-4, atol=1e-5)
    network.train()
    torch.manual_seed(2)
    ones = torch.ones(50, 8, 8)
    seen = network.seen(ones)
    assert 0.35 < float((seen == 0).float().mean()) < 0.45
    torch.testing.assert_close(seen.mean(dim=(1, 2)), torch.ones(50), rtol=1e-4, atol=1e-4)
    free = module(f4_dropout=0.4).train().seen(ones)
    assert sorted(free.unique().tolist()) == pytest.approx([0.0, 1 / 0.6])


def test_the_classifier_sees_what_it_is_told(f1: Tensor) -> None:
    for kind, wide in (("both", 128), ("coupled", 64)):
        network = module(classifier=kind, f4_scale="mean")
        assert network.classifier.in_features == wide
        logits, f4 = network.head(f1)
        coupled = (f4[:, None] * f1).mean(dim=(2, 3))
        pooled = torch.cat([f1.mean(dim=(2, 3)), coupled], 1) if kind == "both" else coupled
        torch.testing.assert_close(logits, network.classifier(pooled), rtol=1e-4, atol=1e-4)


def test_views_apart_are_views_together_but_for_batch_norm() -> None:
    images, labels = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 3])
    one, other = module(), module(views="apart")
    for key, value in one.losses(images, labels).items():  # running statistics: no difference
        torch.testing.assert_close(value, other.losses(images, labels)[key])
    together, apart = (n.train().losses(images, labels)["loss"] for n in (one, other))
    assert not torch.isclose(together, apart)
