"""Controls of a network's map: what they are, and which a network allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emomap.method import Image
from emomap.methods.islamnet import ISLAMNet
from emomap.methods.spn import SPN
from emomap.methods.wildcat import WILDCAT
from emomap.methods.wscnet import WSCNet
from emomap.nn.network import EmotionNetwork, NetworkMethod, normalise
from emomap.sample import EMOTIONS
from emomap.sanity.controls import class_activation, controls, partners
from emomap.sanity.randomisation import head
from tests.sanity.test_faithfulness import trained


@pytest.fixture
def images(rng: np.random.Generator) -> list[Image]:
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((40, 52, 3), (32, 32, 3))]


GATES = ("channel_gate.hidden", "channel_gate.out", "spatial_gate.convolution")


class Plain(NetworkMethod):
    """A network without an attribute `backbone`, and without a head."""

    def __init__(self) -> None:
        super().__init__(32)

    def build(self, classes: Sequence[str]) -> EmotionNetwork:
        class Net(EmotionNetwork):
            def __init__(self) -> None:
                super().__init__()
                self.classifier = nn.Linear(3, len(classes))

            def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
                return self.classifier(images.mean(dim=(2, 3))), images.mean(dim=1)

        return Net()


def made(method: NetworkMethod) -> NetworkMethod:
    torch.manual_seed(0)
    method.classes = EMOTIONS
    method.module = method.build(EMOTIONS).eval()
    for weight in method.module.parameters():  # no layer may be silent by its starting values
        nn.init.normal_(weight, std=0.2)
    return method


def small(cls: type[NetworkMethod]) -> NetworkMethod:
    return made(cls(backbone="small", weights="none", size=32))  # type: ignore[call-arg]


def test_controls_on_f1_are_what_their_names_say(images: list[Image]) -> None:
    method = trained()
    assert method.module is not None
    found = controls(method, images)
    with torch.no_grad():
        batch = torch.from_numpy(np.stack([method.prepare(image) for image in images]))
        f1 = method.module.backbone(normalise(batch))  # type: ignore[operator]
    for kind, maps in (("f1-mean", f1.mean(1)), ("f1-energy", (f1 * f1).sum(1))):
        shown = found[kind].predict(images)
        for prediction, image, expected in zip(
            shown, images, method.upsample(maps, images), strict=True
        ):
            assert prediction.map is not None and prediction.map.shape == image.shape[:2]
            np.testing.assert_array_equal(prediction.map, expected)


def test_class_activation_of_a_linear_classifier_is_the_textbooks() -> None:
    """Zhou 2016: the weights of the class times the features, and nothing below zero."""
    f1 = torch.randn(3, 5, 4, 4, generator=torch.Generator().manual_seed(1)).requires_grad_()
    weight = torch.randn(8, 5, generator=torch.Generator().manual_seed(2))
    logits = f1.mean(dim=(2, 3)) @ weight.T
    best = weight[logits.argmax(dim=1)]
    expected = torch.relu(torch.einsum("bk,bkhw->bhw", best, f1)).detach()
    torch.testing.assert_close(16 * class_activation(f1, logits), expected)


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (ISLAMNet, {"compress", *GATES}),
        (WSCNet, {"detector"}),
        (WILDCAT, {"detector"}),
        (SPN, {"widen"}),
    ],
)  # fmt: skip
def test_the_head_is_the_layers_that_enter_the_map(
    cls: type[NetworkMethod], names: set[str], images: list[Image]
) -> None:
    method = small(cls)
    assert set(head(method, images)) == names
    found = controls(method, images)
    assert list(found) == ["f1-mean", "f1-energy", "cam", "random-head"]
    own, changed = (m.predict(images)[0].map for m in (method, found["random-head"]))
    assert own is not None and changed is not None and not np.array_equal(own, changed)


def test_a_network_without_backbone_or_head_has_no_controls(images: list[Image]) -> None:
    assert controls(made(Plain()), images) == {}


@pytest.mark.parametrize("count", [2, 3, 8, 9])
def test_no_picture_is_its_own_partner(count: int) -> None:
    found = partners(count)
    assert sorted(found) == list(range(count))
    assert all(place != partner for place, partner in enumerate(found))


def test_the_cascade_counts_only_layers_that_enter_the_map(images: list[Image]) -> None:
    from emomap.sanity.randomisation import cascade

    method = trained()
    assert method.module is not None
    _, first = next(iter(cascade(method, images, steps=100)))
    before, after = method.module.state_dict(), first.module.state_dict()  # type: ignore[union-attr]
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed and not any(key.startswith(("classifier", "rotation")) for key in changed)
