"""Heads of the networks against recorded values, and one contract for every trainable method."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from emomap import method as registry
from emomap import recipes
from emomap.errors import EmomapError, UsageError
from emomap.methods import islamnet, jcdl, wscnet
from emomap.nn.backbone import BackboneOptions
from emomap.nn.network import BackboneMethod, EmotionNetwork, NetworkMethod, normalise
from emomap.sample import EMOTIONS
from tests.nn.test_parts import case, close

# --- recorded values ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cbam_a", "cbam_b"])
def test_islamnet_head_computes_equations_8_to_12(name: str) -> None:
    z, meta = case(name)
    options = {"backbone": "small", "weights": "none", "size": 64, "f2_activation": "none"}
    built = islamnet.ISLAMNet(**options, channels=meta["C"], reduction=meta["reduction"]).build(
        EMOTIONS
    )
    assert isinstance(built, islamnet.ISLAMNetModule)
    f2, f1 = z["x"].requires_grad_(), z["isl_f1"].requires_grad_()
    with torch.no_grad():
        built.channel_gate.hidden.weight.copy_(z["p.mlp1.weight"])
        built.channel_gate.hidden.bias.copy_(z["p.mlp1.bias"])
        built.channel_gate.out.weight.copy_(z["p.mlp2.weight"])
        built.channel_gate.out.bias.copy_(z["p.mlp2.bias"])
        built.spatial_gate.convolution.weight.copy_(z["p.conv.weight"])
    built.classifier = torch.nn.Linear(2 * meta["f1_channels"], meta["classes"])
    built.classifier.weight.data, built.classifier.bias.data = z["isl_fc_w"], z["isl_fc_b"]
    # the recorded case starts at f2, so the compression is replaced by it
    built.compress = _Constant(f2)  # type: ignore[assignment]
    logits, f4 = built.head(f1)
    close(f4, z["isl_f4"][:, 0])
    close(logits, z["isl_logits"])
    loss = F.cross_entropy(logits, z["isl_labels"])
    close(loss, z["isl_loss"])
    torch.autograd.backward(loss)
    assert f2.grad is not None and f1.grad is not None
    close(f2.grad, z["isl_grad_f2"])
    close(f1.grad, z["isl_grad_f1"])


class _Constant(torch.nn.Module):
    def __init__(self, value: torch.Tensor) -> None:
        super().__init__()
        self.value = value

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        return self.value


@pytest.mark.parametrize("name", ["wscnet_head_a", "wscnet_head_b"])
@pytest.mark.parametrize("legacy", [False, True])
def test_wscnet_head_and_its_gradients(name: str, legacy: bool) -> None:
    z, meta = case(name)
    built = wscnet.WSCNet(
        "small", "none", size=64, maps_per_class=meta["maps"], legacy_gradient=legacy
    ).build(EMOTIONS[: meta["classes"]])
    assert isinstance(built, wscnet.WSCNetModule)
    classes, wide = meta["classes"], meta["feat_channels"]
    built.detector = torch.nn.Conv2d(wide, classes * meta["maps"], 1)
    built.classifier = torch.nn.Linear(2 * wide, classes)
    built.detector.weight.data, built.detector.bias.data = z["down_w"], z["down_b"]  # type: ignore[union-attr]
    built.classifier.weight.data, built.classifier.bias.data = z["cls_w"], z["cls_b"]
    built.backbone = _Constant(z["features"].requires_grad_())  # type: ignore[assignment]
    detection, logits, sentiment = built.head(z["features"])
    close(detection, z["det_logits"])
    close(logits, z["cls_logits"])
    close(sentiment, z["sentiment_map"][:, 0])
    losses = built.losses(torch.empty(0), z["labels"])
    close(losses["loss"], z["loss"])
    torch.autograd.backward(losses["loss"])
    kind = "official" if legacy else "exact"
    features, detector = z["features"].grad, built.detector
    assert features is not None and detector.weight.grad is not None
    close(features, z[f"grad_features_{kind}"])
    close(detector.weight.grad, z[f"grad_down_w_{kind}"])
    close(detector.bias.grad, z[f"grad_down_b_{kind}"])  # type: ignore[union-attr, arg-type]
    close(built.classifier.weight.grad, z["grad_cls_w"])  # type: ignore[arg-type]


def test_jcdl_loss_and_label_distribution() -> None:
    z, meta = case("jcdl_a")
    table = jcdl.label_distribution(jcdl.WHEEL, meta["sigma"])
    close(table, z["label_distribution"])
    logits = z["logits"].requires_grad_()
    losses = jcdl.joint_loss(logits, z["labels"], table, meta["lam"])
    close(losses["label"].double(), z["ce_hard"])
    close(losses["distribution"].double(), z["ce_dist"])
    close(losses["loss"].double(), z["loss"])
    torch.autograd.backward(losses["loss"])
    assert logits.grad is not None
    close(logits.grad.double(), z["grad_logits"].double())


def test_label_distribution_follows_the_wheel_and_not_the_order_of_the_classes() -> None:
    table = jcdl.label_distribution(EMOTIONS)
    amusement, anger = EMOTIONS.index("amusement"), EMOTIONS.index("anger")
    contentment, disgust = EMOTIONS.index("contentment"), EMOTIONS.index("disgust")
    assert table[amusement, contentment] > 0.07 > table[amusement, anger] == 0
    assert table[anger, disgust] > 0.07
    torch.testing.assert_close(table.sum(dim=1), torch.ones(8, dtype=torch.float64))
    # emotions that are not on the wheel have no neighbours
    assert torch.equal(jcdl.label_distribution(("joy", "surprise")), torch.eye(2).double())


# --- the contract -------------------------------------------------------------------------------

NETWORKS = [name for name, entry in registry.BUILTIN.items() if entry.kind == "network"]
SMALL: dict[str, Any] = {"backbone": "small", "weights": "none", "size": 64}


def small(name: str, **options: Any) -> NetworkMethod:
    """A network of the registry at toy size."""
    torch.manual_seed(0)
    made = registry.build(registry.load(name), name, {**SMALL, **options})
    assert isinstance(made, NetworkMethod)
    return made


def ready(name: str, **options: Any) -> NetworkMethod:
    """The same, with fresh weights in place of trained ones."""
    made = small(name, **options)
    made.classes = EMOTIONS
    made.module = made.build(EMOTIONS).eval()
    return made


def shaken(name: str, **options: Any) -> EmotionNetwork:
    """A network whose weights differ from their starting values, as after a training."""
    module = small(name, **options).build(EMOTIONS).eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in module.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=generator)
    return module


def pictures(*shapes: tuple[int, int], seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]


@pytest.mark.parametrize("name", NETWORKS)
def test_losses_are_scalars_with_gradients_for_every_weight(name: str) -> None:
    module = small(name).build(EMOTIONS).train()
    batch = torch.from_numpy(np.stack(pictures((64, 64), (64, 64), (64, 64))))
    losses = module.losses(normalise(batch), torch.tensor([0, 3, 7]))
    assert all(value.shape == () and torch.isfinite(value) for value in losses.values())
    torch.autograd.backward(losses["loss"])
    for key, weight in module.named_parameters():
        assert weight.grad is not None, key
        assert torch.isfinite(weight.grad).all(), key


@pytest.mark.parametrize("name", NETWORKS)
def test_predictions_have_the_size_of_their_pictures(name: str) -> None:
    made = ready(name)
    images = pictures((90, 60), (64, 64), (30, 200))
    for image, prediction in zip(images, made.predict(images), strict=True):
        assert prediction.probabilities is not None
        assert prediction.probabilities.shape == (8,)
        assert prediction.probabilities.sum() == pytest.approx(1)
        if not made.gives_map:
            assert prediction.map is None
            continue
        assert prediction.map is not None and prediction.map.dtype == np.float32
        assert prediction.map.shape == image.shape[:2]
        assert np.isfinite(prediction.map).all() and prediction.map.min() >= 0


@pytest.mark.parametrize("name", NETWORKS)
def test_a_prediction_does_not_depend_on_the_batch(name: str) -> None:
    made = ready(name)
    images = pictures((64, 64), (80, 64), (64, 90))
    together, again = made.predict(images), made.predict(images)
    for one, same in zip(together, again, strict=True):
        np.testing.assert_array_equal(one.probabilities, same.probabilities)
    alone = made.predict(images[1:2])[0]
    np.testing.assert_allclose(
        np.asarray(alone.probabilities), np.asarray(together[1].probabilities), rtol=1e-4
    )
    if alone.map is not None and together[1].map is not None:
        np.testing.assert_allclose(alone.map, together[1].map, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_checkpoint_brings_back_options_and_predictions(name: str, tmp_path: Path) -> None:
    made = ready(name)
    made.save(tmp_path / "c.pt", {"threads": 1})
    other = small(name, size=32)
    other.load(tmp_path / "c.pt", device="cpu")
    assert other.options == made.options and other.classes == EMOTIONS and other.threads == 1
    images = pictures((64, 64))
    np.testing.assert_array_equal(
        np.asarray(made.predict(images)[0].probabilities),
        np.asarray(other.predict(images)[0].probabilities),
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_the_options_of_the_backbone_are_those_of_the_recipe(name: str, tmp_path: Path) -> None:
    made = registry.build(
        registry.load(name), name, {"backbone": "resnet18", "weights": "w.pth", "sha256": "0123"}
    )
    assert isinstance(made, BackboneMethod)
    assert made.chosen == BackboneOptions("resnet18", "w.pth", "0123")
    assert {key: made.options[key] for key in ("backbone", "weights", "sha256")} == vars(
        made.chosen
    )
    ready(name).save(tmp_path / "c.pt")
    made.load(tmp_path / "c.pt", device="cpu")
    assert made.chosen == BackboneOptions("small", "none", "")


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("recipe_name", recipes.NAMED)
def test_recipes_name_options_that_exist(name: str, recipe_name: str) -> None:
    options = recipes.method_options(recipes.load(recipe_name), name)
    assert options, f"the recipe {recipe_name} says nothing about {name}"
    made = registry.build(registry.load(name), name, options)
    assert isinstance(made, NetworkMethod)
    assert set(made.options) == set(inspect.signature(type(made)).parameters)


@pytest.mark.parametrize("name", NETWORKS)
def test_untrained_methods_refuse_to_predict(name: str) -> None:
    with pytest.raises(EmomapError, match="must be trained"):
        small(name).predict(pictures((64, 64)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, {}) for name in NETWORKS),
        ("islamnet", {"f4_scale": "mean", "f4_floor": 0.1}),
        ("islamnet", {"f4_scale": "mean", "classifier": "coupled"}),
    ],
)
def test_each_network_overfits_eight_pictures(name: str, options: dict[str, Any]) -> None:
    torch.manual_seed(1)
    options |= {"dropout": 0.0} if name == "spn" else {}
    options |= {"distribution_weight": 0.0} if name == "jcdl" else {}  # otherwise entropy remains
    module = small(name, **options).build(EMOTIONS).train()
    batch = normalise(torch.from_numpy(np.stack(pictures(*[(64, 64)] * 8))))
    labels = torch.arange(8)
    optimizer = torch.optim.Adam(module.parameters(), 2e-3)
    for _ in range(300):
        loss = module.losses(batch, labels)["loss"]
        if loss.item() < 0.05:
            return
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    pytest.fail(f"loss of {name} is still {loss.item():.3f}")


# --- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("islamnet", {"angles": [0]}, "angles"),
        ("islamnet", {"angles": [0, 360]}, "angles"),
        ("islamnet", {"attention": "both"}, "attention"),
        ("islamnet", {"rotation_weight": -1}, "rotation_weight"),
        ("islamnet", {"size": 8}, "size"),
        ("islamnet", {"reduction": 0}, "reduction"),
        ("islamnet", {"channels": 0}, "channels"),
        ("islamnet", {"depth": 3}, "no option 'depth'"),
        ("islamnet", {"f4_scale": "max"}, "f4_scale: input should be 'free' or 'mean'"),
        ("islamnet", {"f4_scale": "mean", "f2_activation": "none"}, "use relu"),
        ("islamnet", {"f4_floor": 0.1}, "f4_floor=0.1: expected 0 to 10, and f4_scale='mean'"),
        ("islamnet", {"f4_dropout": 1.0}, "f4_dropout"),
        ("islamnet", {"classifier": "f1"}, "classifier"),
        ("islamnet", {"views": "single"}, "views"),
        ("wscnet", {"detection_weight": 2}, "detection_weight"),
        ("wildcat", {"kmax": 0}, "kmax"),
        ("wildcat", {"map": "best"}, "map"),
        ("spn", {"factor": "wide"}, "factor"),
        ("spn", {"channels": 3}, "channels"),
        ("spn", {"dropout": 1}, "dropout"),
        ("jcdl", {"sigma": 0}, "sigma"),
    ],
)
def test_impossible_options_are_refused(name: str, options: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        small(name, **options)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_gradients_of_islamnet_in_bf16_are_those_in_float32(device: str) -> None:
    """The error is below 2%, as a whole and in each part of the heads."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    coarse = torch.rand(8, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    images = F.interpolate(4 * coarse - 2, size=64, mode="bicubic")  # of different colours
    found: list[dict[str, torch.Tensor]] = []
    for where, narrow in (("cpu", False), (device, True)):
        module = small("islamnet").build(EMOTIONS).eval()
        assert isinstance(module, islamnet.ISLAMNetModule)
        torch.nn.init.normal_(module.classifier.weight, std=0.01)  # or f4 gets no gradient
        module.to(where)
        with torch.autocast(where, torch.bfloat16, enabled=narrow):
            losses = module.losses(images.to(where), torch.arange(8, device=where))
        torch.autograd.backward(losses["loss"])
        found.append(
            {k: w.grad.float().cpu() for k, w in module.named_parameters() if w.grad is not None}
        )

    def error(begin: str) -> float:
        exact, ours = (
            torch.cat([grad.ravel() for key, grad in some.items() if key.startswith(begin)])
            for some in found
        )
        return float((ours - exact).norm() / exact.norm())

    assert all(error(begin) < 0.02 for begin in ("compress", "channel_gate", "classifier"))
    assert error("") < 0.02


def test_a_share_of_places_that_amounts_to_none_is_refused() -> None:
    module = small("wildcat", kmax=0.001).build(EMOTIONS)
    with pytest.raises(UsageError, match=r"kmax=0\.001 of 256 places is none"):
        module.losses(torch.rand(1, 3, 64, 64), torch.tensor([0]))


def test_f4_begins_as_the_energy_of_the_features() -> None:
    module = small("islamnet").build(EMOTIONS)
    assert isinstance(module, islamnet.ISLAMNetModule)
    features = torch.rand(2, 64, 6, 6)
    f4, energy = module.emotion_map(features), features.sum(dim=1)
    for one, other in zip(f4.flatten(1), energy.flatten(1), strict=True):
        assert torch.corrcoef(torch.stack([one, other]))[0, 1] > 0.9


@pytest.mark.parametrize(
    "angles", [[0, 180], [90, 270], [0, 90, 180, 270], [45 * k for k in range(8)]]
)
def test_the_four_rotation_tasks_of_table_2(angles: list[float]) -> None:
    made = small("islamnet", angles=angles)
    module = made.build(EMOTIONS)
    assert isinstance(module, islamnet.ISLAMNetModule)
    assert module.rotation is not None and module.rotation.out_features == len(angles)
    seen: list[int] = []
    module.backbone.register_forward_hook(lambda *a: seen.append(a[1][0].shape[0]))
    losses = module.losses(torch.rand(2, 3, 64, 64), torch.tensor([0, 1]))
    assert set(losses) == {"loss", "emotion", "rotation"}
    # the upright view is shown once, even if it is among the angles
    assert seen == [2 * len({0.0, *angles})]
    joint = 0.5 * losses["rotation"] + losses["emotion"]
    torch.testing.assert_close(losses["loss"], joint)


def test_classification_sees_only_upright_views() -> None:
    module = small("islamnet", angles=[90, 270]).build(EMOTIONS).eval()
    images, labels = torch.rand(2, 3, 64, 64), torch.tensor([4, 5])
    logits, _ = module(images)
    torch.testing.assert_close(
        module.losses(images, labels)["emotion"], F.cross_entropy(logits, labels)
    )


def test_without_rotation_there_is_no_rotation_head() -> None:
    module = small("islamnet", rotation_weight=0).build(EMOTIONS)
    assert not any(key.startswith("rotation") for key in module.state_dict())
    assert set(module.losses(torch.rand(2, 3, 64, 64), torch.tensor([0, 1]))) == {"loss"}


def test_f4_is_not_negative_with_relu_and_may_be_without() -> None:
    images = torch.rand(2, 3, 64, 64)
    method = ready("islamnet", f2_activation="none")
    assert isinstance(method.module, islamnet.ISLAMNetModule)
    with torch.no_grad():
        assert shaken("islamnet")(images)[1].min() >= 0
        method.module.compress.weight.neg_()
        assert method.module(images)[1].min() < 0
    shown = method.predict(pictures((64, 64)))[0].map
    assert shown is not None and shown.min() == 0


def test_sequential_attention_and_mean_are_options_that_change_f4() -> None:
    features = torch.rand(1, 64, 8, 8, generator=torch.Generator().manual_seed(0))
    maps = []
    for options in ({}, {"attention": "sequential"}, {"map_reduction": "mean"}):
        module = shaken("islamnet", **options)
        assert isinstance(module, islamnet.ISLAMNetModule)
        maps.append(module.emotion_map(features))
    torch.testing.assert_close(maps[0], maps[2] * 512)
    assert not torch.allclose(maps[0], maps[1])


def test_wildcat_and_spn_return_the_map_that_the_option_names() -> None:
    images = torch.rand(2, 3, 64, 64)
    for name, kinds in (("wildcat", ("predicted", "weighted")), ("spn", ("proposal", "response"))):
        one, other = (small(name, map=kind).build(EMOTIONS).eval() for kind in kinds)
        logits, maps = one(images)
        same, others = other(images)
        assert maps is not None and others is not None
        torch.testing.assert_close(logits, same)
        assert maps.shape == others.shape and not torch.allclose(maps, others)
