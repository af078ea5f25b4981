"""Backbones by name, and weights from files."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emomap.errors import EmomapError, UsageError
from emomap.methods.islamnet import ISLAMNet
from emomap.methods.jcdl import JCDL
from emomap.nn.backbone import make_backbone, make_trunk
from emomap.nn.network import normalise
from emomap.sample import EMOTIONS
from emomap.scoring.image import truths
from emomap.scoring.protocol import Protocol
from tests.conftest import shared

SQUEEZE = "squeezenet1_0-75146217.pth"


@pytest.mark.parametrize(
    ("name", "channels", "stride"),
    [
        ("small", 64, 4),
        ("resnet18", 512, 32),
        ("vgg11", 512, 32),
        ("squeezenet1_1", 512, 17),
        ("mobilenet_v3_small", 576, 32),
        ("shufflenet_v2_x0_5", 1024, 32),
        ("mnasnet0_5", 1280, 32),
        ("regnet_y_400mf", 440, 32),
        ("densenet121", 1024, 32),
    ],
)
def test_backbones_of_every_kind_return_feature_maps(name: str, channels: int, stride: int) -> None:
    backbone = make_backbone(name).eval()
    with torch.no_grad():
        features = backbone(torch.zeros(1, 3, 224, 224))
    assert backbone.channels == channels == features.shape[1]
    assert features.shape[2] == features.shape[3]
    assert abs(features.shape[2] - 224 // stride) <= 1


LARGER = ("googlenet", "inception_v3", "swin_t", "convnext_tiny", "efficientnet_b0", "maxvit_t",
          "resnext50_32x4d", "alexnet")  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGER)
def test_larger_backbones_return_feature_maps(name: str) -> None:
    features = make_backbone(name).eval()(torch.zeros(1, 3, 224, 224))
    assert features.ndim == 4 and features.shape[2] > 1


def test_last_pool_of_vgg_may_be_left_out() -> None:
    image = torch.zeros(1, 3, 64, 64)
    assert make_backbone("vgg11")(image).shape[2] == 2
    assert make_backbone("vgg11", last_pool=False)(image).shape[2] == 4


def test_trunk_keeps_all_but_the_last_layer() -> None:
    for name, width in (("resnet18", 512), ("squeezenet1_1", 512), ("small", 64)):
        trunk, features = make_trunk(name)
        assert features == width
        assert trunk.eval()(torch.zeros(2, 3, 64, 64)).shape == (2, width)


@pytest.mark.parametrize(
    ("name", "weights", "word"),
    [
        ("resnet1001", "none", "no backbone is called 'resnet1001'"),
        ("resnet18", "IMAGENET1K_V9", "IMAGENET1K_V1"),
        ("small", "default", "no pretrained weights"),
        ("timm:nothing_of_the_kind", "none", "timm"),
    ],
)
def test_wrong_names_are_refused_in_one_line(name: str, weights: str, word: str) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        make_backbone(name, weights)
    assert "\n" not in str(caught.value)


# --- weights from a file ------------------------------------------------------------------------


def stored(folder: Path, name: str, state: Any) -> Path:
    """A file of weights whose name ends in its hash."""
    torch.save(state, folder / "plain.pth")
    digest = hashlib.sha256((folder / "plain.pth").read_bytes()).hexdigest()
    return (folder / "plain.pth").rename(folder / f"{name}-{digest[:8]}.pth")


def test_weights_from_a_file_are_loaded_and_checked(tmp_path: Path) -> None:
    from torchvision import models

    model = models.get_model("squeezenet1_1", weights=None)
    file = stored(tmp_path, "squeezenet1_1", model.state_dict())
    loaded = make_backbone("squeezenet1_1", str(file))
    theirs, ours = model.features.state_dict(), loaded.body.state_dict()
    assert all(torch.equal(theirs[key], ours[key]) for key in theirs)
    # without a hash in the name, the option must give it
    plain = tmp_path / "weights.pth"
    shutil.copy(file, plain)
    with pytest.raises(EmomapError, match="its hash is not known"):
        make_backbone("squeezenet1_1", str(plain))
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    make_backbone("squeezenet1_1", str(plain), sha256=digest)
    with pytest.raises(EmomapError, match="SHA-256"):
        make_backbone("squeezenet1_1", str(plain), sha256="0" * 64)


class Bomb:
    def __reduce__(self) -> Any:
        return os.system, ("touch exploded",)


def test_bad_files_of_weights_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import models

    monkeypatch.chdir(tmp_path)
    good = stored(tmp_path, "squeezenet1_1", models.get_model("squeezenet1_1").state_dict())
    wrong_hash = tmp_path / "squeezenet1_1-00000000.pth"
    shutil.copy(good, wrong_hash)
    cut = tmp_path / "cut.pth"
    cut.write_bytes(good.read_bytes()[:-1000])
    pickled = tmp_path / "pickled.pth"
    pickled.write_bytes(pickle.dumps(Bomb(), protocol=4))  # torch warns of it on another line
    cases = [
        ("squeezenet1_1", wrong_hash, "", "SHA-256"),
        ("squeezenet1_1", cut, hashlib.sha256(cut.read_bytes()).hexdigest(), "cut short"),
        ("squeezenet1_1", stored(tmp_path, "bomb", Bomb()), "", "code"),
        ("squeezenet1_1", stored(tmp_path, "list", [1, 2]), "", "holds a list"),
        ("squeezenet1_1", tmp_path / "missing-01234567.pth", "", "no such file"),
        ("squeezenet1_1", tmp_path / "missing.pth", "", "no such file"),
        ("squeezenet1_1", pickled, hashlib.sha256(pickled.read_bytes()).hexdigest(), "code"),
        ("resnet18", good, "", "not the weights of resnet18"),
    ]
    for name, file, sha256, word in cases:
        with warnings.catch_warnings(), pytest.raises(EmomapError, match=word) as caught:
            warnings.simplefilter("error")
            make_backbone(name, str(file), sha256=sha256)
        assert file.name in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "exploded").exists()


def test_real_weights_load_and_distinguish_photographs(tmp_path: Path) -> None:
    file = shared(f"data/weights/{SQUEEZE}")
    backbone = make_backbone("squeezenet1_0", str(file)).eval()
    random = make_backbone("squeezenet1_0").eval()
    from emomap import io

    photographs = sorted(shared("data/osie/images").glob("*.jpg"))[:4]
    method = ISLAMNet("squeezenet1_0", str(file), size=128, channels=32)
    batch = normalise(
        torch.from_numpy(np.stack([method.prepare(io.read_image(p)) for p in photographs]))
    )
    with torch.no_grad():
        seen, noise = backbone(batch).mean(dim=(2, 3)), random(batch).mean(dim=(2, 3))

    # trained features distinguish photographs, random ones hardly do
    def spread(x: torch.Tensor) -> float:
        return float((x.std(dim=0) / (x.mean() + 1e-9)).mean())

    assert spread(seen) > 3 * spread(noise)
    module = method.build(EMOTIONS)
    key = "backbone.body.0.weight"
    assert torch.equal(module.state_dict()[key], backbone.state_dict()["body.0.weight"])
    assert JCDL("squeezenet1_0", str(file), size=64).build(EMOTIONS) is not None


@pytest.mark.slow
def test_heads_trained_on_real_features_have_maps_that_agree_with_gaze(
    tmp_path: Path,
) -> None:
    """ISLAMNet's heads, at the rates of the recipe `paper`, on photographs of OSIE.

    These have no emotions, so dark and bright ones are told apart: what counts is that f4, which
    begins as the energy of trained features, does not collapse while a classifier learns on it.
    """
    from emomap import metrics, recipes
    from emomap.data import open_dataset
    from emomap.sample import Dataset

    file, osie = shared(f"data/weights/{SQUEEZE}"), open_dataset(str(shared("data/osie")))
    some = osie.split("train").samples[:32]
    light = [float(sample.image().mean()) for sample in some]
    emotions = np.where(light > np.median(light), "awe", "fear")
    labelled = tuple(replace(s, emotion=str(e)) for s, e in zip(some, emotions, strict=True))
    numbers = recipes.training(recipes.load("paper"), "islamnet")
    numbers |= {"epochs": 4, "batch": 8, "backbone_learning_rate": 0.0, "crop": [1.0, 1.0]}
    method = ISLAMNet("squeezenet1_0", str(file), size=192, rotation_weight=0.0)
    train = Dataset("osie", labelled, ("awe", "fear"))
    train(method, train, train, numbers, tmp_path, device="cpu", progress=False)
    log = [json.loads(line) for line in (tmp_path / "training.jsonl").read_text().splitlines()]
    assert log[-1]["validation_accuracy"] > 0.7
    scores = []
    for sample in osie.split("test").samples[:16]:
        shown, gaze = method.predict([sample.image()])[0].map, sample.gaze()
        assert shown is not None and gaze is not None and shown.std() > 0.1 * shown.mean() > 0
        truth = truths(gaze, Protocol(metrics=("nss",)), sample.id)
        scores.append(metrics.evaluate(shown, **truth, metrics=("nss",))["nss"])
    assert np.mean(scores) > 1.0  # the centre prior has 0.7 here, random weights 0.8


def test_mobilenet_loads_too() -> None:
    file = shared("data/weights/mobilenet_v2-0e1c49dc.pth")
    assert make_backbone("mobilenet_v2", str(file)).channels == 1280
