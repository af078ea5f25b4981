"""What a recipe may ask of a training beyond the basics: each option does what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from emomap import training
from emomap.errors import EmomapError, UsageError
from emomap.methods.islamnet import ISLAMNet
from emomap.methods.jcdl import JCDL
from emomap.methods.spn import SPN
from emomap.methods.wildcat import WILDCAT
from emomap.methods.wscnet import WSCNet
from emomap.nn.backbone import make_backbone
from emomap.nn.network import EmotionNetwork, NetworkMethod
from emomap.training.changes import Changes
from emomap.training.gradients import out_of_memory
from emomap.training.norm import freeze_batch_norm
from emomap.training.settings import Settings
from emomap.training.setup import class_weights
from tests.training.test_training import (
    SETTINGS,
    Fragile,
    Interrupted,
    Plain,
    PlainNetwork,
    Toy,
    assert_same,
    dataset,
    run,
    weights,
)

# --- the loss -----------------------------------------------------------------------------------


def test_balanced_classes_have_the_same_part_in_the_loss() -> None:
    labels = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 3])
    found = class_weights(labels)
    np.testing.assert_allclose(found[[0, 1, 3]], [0.5, 1.5, 3.0])
    assert found[labels].mean() == pytest.approx(1)
    parts = [float(found[labels][labels == k].sum()) for k in (0, 1, 3)]
    assert parts == pytest.approx([3, 3, 3])


def test_criterion_weighs_and_smooths() -> None:
    network = PlainNetwork(4)
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(6, 4, generator=generator), torch.tensor([0, 1, 2, 3, 0, 0])
    assert torch.equal(network.criterion(logits, labels), F.cross_entropy(logits, labels))
    network.label_smoothing = 0.1
    network.class_weights = torch.tensor([0.5, 1.0, 2.0, 1.0])
    logs = logits.log_softmax(1)
    target = 0.9 * F.one_hot(labels, 4) + 0.1 / 4
    each = -(target * logs).sum(1) * network.class_weights[labels]
    torch.testing.assert_close(network.criterion(logits, labels), each.mean())


@pytest.mark.parametrize("cls", [ISLAMNet, WSCNet, WILDCAT, SPN, JCDL])
def test_every_network_follows_class_weights(cls: type[NetworkMethod]) -> None:
    torch.manual_seed(0)
    method = cls(backbone="small", weights="none", size=32)  # type: ignore[call-arg]
    network = method.build(("awe", "fear", "anger")).eval()
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    images, labels = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 0])
    plain = network.losses(images, labels)["loss"]
    network.class_weights = torch.tensor([0.1, 5.0, 1.0])
    assert not torch.isclose(network.losses(images, labels)["loss"], plain)


def test_class_weights_are_no_part_of_a_checkpoint(tmp_path: Path) -> None:
    run(tmp_path, tmp_path / "out", class_weights="balanced", epochs=1)
    assert not any(
        "class_weights" in key for key in weights(tmp_path / "out/checkpoint.safetensors")
    )


# --- steps --------------------------------------------------------------------------------------


def test_a_batch_in_parts_is_the_batch(tmp_path: Path) -> None:
    run(tmp_path, tmp_path / "whole", Plain())
    run(tmp_path, tmp_path / "parts", Plain(), accumulate=2)
    one, other = (
        weights(tmp_path / name / "checkpoint.safetensors") for name in ("whole", "parts")
    )
    for key in one:
        torch.testing.assert_close(one[key], other[key], rtol=1e-5, atol=1e-6)
    with pytest.raises(UsageError, match=r"training\.accumulate=3: the 4 pictures"):
        run(tmp_path, tmp_path / "odd", Plain(), accumulate=3)


@pytest.mark.parametrize("name", ["small", "resnet18", "vgg11_bn", "squeezenet1_1"])
def test_blocks_that_are_computed_again_change_no_bit(name: str) -> None:
    torch.manual_seed(0)
    one = make_backbone(name).train()
    torch.manual_seed(0)
    other = make_backbone(name).train()
    other.checkpointed = True
    images = torch.randn(2, 3, 64, 64)
    for backbone in (one, other):
        torch.manual_seed(1)
        backbone(images).square().mean().backward()
    for (key, a), b in zip(one.named_parameters(), other.parameters(), strict=True):
        assert a.grad is not None and b.grad is not None and torch.equal(a.grad, b.grad), key
    for key, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key


def test_checkpointed_blocks_train_to_the_same_bits(tmp_path: Path) -> None:
    for name, on in (("plain", False), ("again", True)):
        method = ISLAMNet("small", "none", size=32, channels=16)
        run(tmp_path, tmp_path / name, method, epochs=1, checkpoint_blocks=on)
    assert_same(
        tmp_path / "plain/checkpoint.safetensors", tmp_path / "again/checkpoint.safetensors"
    )
    with pytest.raises(UsageError, match=r"Toy.* has no backbone of several blocks"):
        run(tmp_path, tmp_path / "toy", checkpoint_blocks=True)


def test_frozen_batch_norm_keeps_its_statistics(tmp_path: Path) -> None:
    method = ISLAMNet("small", "none", size=32, channels=16)
    run(tmp_path, tmp_path / "frozen", method, epochs=2, frozen_batchnorm=True)
    assert method.module is not None
    torch.manual_seed(0)
    frozen = method.module.state_dict()
    moved = [k for k in frozen if k.endswith(("running_mean", "running_var"))]
    inside = [k for k in moved if "backbone" in k]
    outside = [k for k in moved if "backbone" not in k]
    assert inside
    for key in inside:
        still = torch.zeros if key.endswith("mean") else torch.ones
        assert torch.equal(frozen[key], still(len(frozen[key]))), key
    for key in outside:
        assert not torch.equal(frozen[key], torch.zeros(len(frozen[key]))), key
    weights = [k.replace("running_mean", "weight") for k in inside if k.endswith("mean")]
    assert any(not torch.equal(frozen[k], torch.ones(len(frozen[k]))) for k in weights)
    with pytest.raises(UsageError, match="no batch norm in its backbone"):
        run(tmp_path, tmp_path / "toy", frozen_batchnorm=True)


def test_frozen_batch_norm_computes_in_training_what_it_does_afterwards() -> None:
    torch.manual_seed(0)
    network = ISLAMNet("small", "none", size=32, channels=16).build(["awe", "fear"])
    images = torch.randn(4, 3, 32, 32)
    wanted = network.eval().backbone(images)
    assert freeze_batch_norm(network)
    assert torch.allclose(network.train().backbone(images), wanted, atol=1e-6)


def test_the_average_of_the_weights_is_kept(tmp_path: Path) -> None:
    """By hand: after each step, the average moves by 1 - decay towards the weights."""
    run(tmp_path, tmp_path / "one", Plain(), epochs=1, ema=0.0)
    changes = {"epochs": 1, "ema": 0.9}
    run(tmp_path, tmp_path / "average", Plain(), **changes)
    history = []
    network = Recorded(history)
    run(tmp_path, tmp_path / "recorded", network, epochs=1)
    average = history[0]
    for later in history[1:]:
        average = {key: 0.9 * average[key] + 0.1 * later[key] for key in average}
    found = weights(tmp_path / "average/checkpoint.safetensors")
    for key, value in average.items():
        torch.testing.assert_close(found[key], value)


class Recorded(Plain):
    """Keeps the weights after each step: those before the next one, and those at validation."""

    def __init__(self, history: list[dict[str, torch.Tensor]] | None = None) -> None:
        super().__init__(16)
        self.history = [] if history is None else history
        self.started = False

    @property
    def options(self) -> dict[str, Any]:
        return {}

    def build(self, classes: Any) -> EmotionNetwork:
        network = super().build(classes)

        def record(*_: Any) -> None:
            if self.started:
                self.history.append({k: v.clone() for k, v in network.state_dict().items()})
            self.started = True

        network.register_forward_pre_hook(record)
        return network


@pytest.mark.parametrize("option", [{"ema": 0.9}, {"rand_augment": 9, "erase": 0.5}])
def test_resumed_with_todays_means_it_ends_with_the_same_bits(
    tmp_path: Path, option: dict[str, Any]
) -> None:
    run(tmp_path, tmp_path / "whole", Fragile(), **option)
    fragile = Fragile()
    fragile.stop_at = 5
    with pytest.raises(Interrupted):
        run(tmp_path, tmp_path / "torn", fragile, save_every=0.0, **option)
    run(tmp_path, tmp_path / "torn", Fragile(), save_every=0.0, **option)
    assert_same(tmp_path / "whole/checkpoint.safetensors", tmp_path / "torn/checkpoint.safetensors")


def test_patience_ends_a_training(tmp_path: Path) -> None:
    frozen = {"learning_rate": 1e-12, "backbone_learning_rate": 0.0, "patience": 2, "epochs": 20}
    run(tmp_path, tmp_path / "out", Plain(), **frozen)
    log = (tmp_path / "out/training.jsonl").read_text().splitlines()
    assert len(log) < 20
    entries = [json.loads(line) for line in log]
    best = max(entries, key=lambda e: (e["validation_accuracy"], -e["validation_loss"]))
    assert entries[-1]["epoch"] - best["epoch"] == 2


def test_cosine_goes_straight_up_and_down_to_nothing() -> None:
    settings = Settings(schedule="cosine", warmup=0.1)
    factors = [settings.factor(step, 100, 10) for step in range(100)]
    assert factors[:10] == pytest.approx([(k + 1) / 11 for k in range(10)])
    assert factors[10] == pytest.approx(1) and factors[55] == pytest.approx(0.5)
    assert 0 < factors[99] < 0.001


def test_changes_follow_from_their_seed(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    changes = Changes(rand_augment=9, erase=1.0)
    state = torch.get_rng_state()
    one, again, other = (changes(picture, seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)  # dropout draws what it would draw anyway
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert one.shape == picture.shape and one.dtype == np.uint8
    erased = (Changes(erase=1.0)(picture, 1) == (124, 116, 104)).all(axis=2)
    assert 0.02 * erased.size <= erased.sum() <= 0.34 * erased.size
    assert not Changes()


# --- what goes wrong ----------------------------------------------------------------------------


class Bursting(Toy):
    """Its gradient is infinite while its loss is finite."""

    def build(self, classes: Any) -> EmotionNetwork:
        network = super().build(classes)
        network.classifier.weight.register_hook(lambda grad: grad * float("inf"))  # type: ignore[union-attr]
        return network


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_gradient_that_is_not_finite_gives_the_advice(tmp_path: Path, clip: float) -> None:
    with pytest.raises(EmomapError, match=r"at step \d of 9; lower training\.learning_rate") as e:
        run(tmp_path, tmp_path / "out", Bursting(), clip=clip)
    assert ("clip=1" in str(e.value)) == (clip == 0)


class Large(Plain):
    """Two pictures fit into its memory."""

    def build(self, classes: Any) -> EmotionNetwork:
        network = super().build(classes)

        def full(_: Any, inputs: tuple[torch.Tensor]) -> None:
            if inputs[0].shape[0] > 2 and network.training:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

        network.register_forward_pre_hook(full)
        return network


def test_out_of_memory_says_what_fits(tmp_path: Path) -> None:
    words = (
        r"with 4 pictures of 16 x 16 at once; 2 fit; set training\.accumulate=2 .*"
        r"training\.batch \(now 4\) or method\.large\.size \(now 16\)"
    )
    with pytest.raises(EmomapError, match=words):
        run(tmp_path, tmp_path / "out", Large())
    run(tmp_path, tmp_path / "parts", Large(), accumulate=2)
    assert out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not out_of_memory(RuntimeError("shapes cannot be multiplied"))


def test_without_a_compiler_it_trains_uncompiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, tmp_path / "plain", Plain(), epochs=1)
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", (str(tmp_path / "none"),))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    run(tmp_path, tmp_path / "out", Plain(), epochs=1, compile="yes")
    said = capsys.readouterr().err
    assert said.count("trains without torch.compile") == 1 and "ompiler" in said
    assert_same(tmp_path / "plain/checkpoint.safetensors", tmp_path / "out/checkpoint.safetensors")


# --- several processes --------------------------------------------------------------------------

SCRIPT = """
import sys
from pathlib import Path
from tests.training.test_options import Normed, islamnet
from tests.training.test_training import run
root = Path(sys.argv[1])
for name, method in (("normed", Normed()), ("islamnet", islamnet())):
    run(root, root / sys.argv[2] / name, method, sync_batchnorm=True, epochs=2)
"""


def islamnet() -> ISLAMNet:
    """With batch norm, and with places that are closed at random."""
    return ISLAMNet("small", "none", size=32, channels=16, f4_scale="mean", f4_dropout=0.4)


class Normed(Plain):
    """A network with batch norm, and without dropout."""

    def build(self, classes: Any) -> EmotionNetwork:
        network = super().build(classes)
        network.backbone = torch.nn.Sequential(  # type: ignore[assignment]
            torch.nn.Conv2d(3, 6, 3, 2), torch.nn.BatchNorm2d(6)
        )
        return network


def test_batch_norm_of_two_processes_is_that_of_one(tmp_path: Path) -> None:
    for name, method in (("normed", Normed()), ("islamnet", islamnet())):
        run(tmp_path, tmp_path / "one" / name, method, epochs=2)
    home = Path(__file__).parents[2]
    (tmp_path / "train.py").write_text(SCRIPT)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    ran = subprocess.run(
        [sys.executable, *launcher, str(tmp_path / "train.py"), str(tmp_path), "two"],
        cwd=home, env={"PYTHONPATH": str(home), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    for name in ("normed", "islamnet"):
        files = [tmp_path / part / name / "checkpoint.safetensors" for part in ("one", "two")]
        one, two = map(weights, files)
        assert any("running_var" in key for key in one)
        for key in one:
            torch.testing.assert_close(one[key], two[key], rtol=1e-4, atol=1e-6)


# --- the early word -----------------------------------------------------------------------------


def test_a_rehearsal_says_what_a_training_takes_and_writes_nothing(tmp_path: Path) -> None:
    train, validation = dataset(tmp_path / "train"), dataset(tmp_path / "val", 6)
    lines = training.rehearse(Toy(), train, validation, SETTINGS, tmp_path / "out", device="cpu")
    assert "12 pictures to train on (awe 6, fear 6), 6 to validate on" in lines[0]
    assert "9 steps of about" in lines[1] and "of memory" in lines[1] and "free" in lines[1]
    assert not (tmp_path / "out").exists()


def test_a_rehearsal_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, tmp_path / "quiet")
    parts = dataset(tmp_path / "train"), dataset(tmp_path / "val", 6)
    training.train(Toy(), *parts, SETTINGS, tmp_path / "told", seed=5, device="cpu")
    assert "steps of about" in capsys.readouterr().err
    assert_same(tmp_path / "quiet/checkpoint.safetensors", tmp_path / "told/checkpoint.safetensors")


def test_a_full_disk_is_found_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(
        EmomapError, match=r"out: the training of Toy writes .* are free; make room"
    ):
        training.rehearse(
            Toy(), dataset(tmp_path / "train"), dataset(tmp_path / "val", 6), SETTINGS,
            tmp_path / "out", device="cpu",
        )  # fmt: skip


# --- other loggers ------------------------------------------------------------------------------


def test_an_unknown_logger_and_a_missing_package_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import importlib.util

    from emomap.training.loggers import check_loggers

    with pytest.raises(UsageError, match="--logger csv: there are tensorboard, wandb, mlflow"):
        check_loggers(["csv"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'emomap\[wandb\]'"):
        check_loggers(["wandb"])


def test_mlflow_has_every_epoch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracking = pytest.importorskip("mlflow.tracking")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    train, validation = dataset(tmp_path / "train"), dataset(tmp_path / "val", 6)
    fragile = Fragile()
    fragile.stop_at = 5
    options = {"seed": 5, "device": "cpu", "progress": False, "loggers": ["mlflow"]}
    with pytest.raises(Interrupted):
        training.train(fragile, train, validation, SETTINGS, tmp_path / "out", **options)
    training.train(Fragile(), train, validation, SETTINGS, tmp_path / "out", **options)
    client = tracking.MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'out/mlflow.db'}")
    home = client.get_experiment_by_name("emomap").experiment_id
    (found,) = client.search_runs([home])
    losses = client.get_metric_history(found.info.run_id, "validation_loss")
    log = [json.loads(x) for x in (tmp_path / "out/training.jsonl").read_text().splitlines()]
    assert [(m.step, m.value) for m in losses] == [(e["epoch"], e["validation_loss"]) for e in log]


def test_wandb_writes_an_offline_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    parts = dataset(tmp_path / "train"), dataset(tmp_path / "val", 6)
    training.train(
        Toy(), *parts, {**SETTINGS, "epochs": 1}, tmp_path / "out", device="cpu",
        progress=False, loggers=["wandb"],
    )  # fmt: skip
    assert list((tmp_path / "out/wandb").glob("offline-run-*/run-*.wandb"))
