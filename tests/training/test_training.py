"""The training loop: exact resume, refusals, the best epoch, logs."""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn import functional as F

from emomap import training
from emomap.errors import EmomapError, UsageError
from emomap.methods.islamnet import ISLAMNet
from emomap.methods.wildcat import WILDCAT
from emomap.nn.checkpoint import read_checkpoint
from emomap.nn.network import EmotionNetwork, NetworkMethod, fixed_threads
from emomap.parallel import Launched, launched
from emomap.sample import Dataset, Sample
from emomap.training import Training
from emomap.training.batches import Pictures, augment, epoch_order, step_seed
from emomap.training.settings import Settings
from emomap.training.setup import own_share

SETTINGS = {
    "epochs": 3,
    "batch": 4,
    "learning_rate": 0.01,
    "backbone_learning_rate": 0.01,
    "schedule": "onecycle",
    "crop": [1.0, 1.0],
    "shift": 0.1,
    "threads": 1,
    "workers": 0,
}


def dataset(folder: Path, count: int = 12, size: tuple[int, int] = (24, 24)) -> Dataset:
    """Pictures of two classes that are easy to tell apart: dark and bright."""
    rng = np.random.default_rng(count)
    samples = []
    for index in range(count):
        emotion = ("awe", "fear")[index % 2]
        pixels = rng.integers(0, 100, (*size, 3)) + (150 if emotion == "awe" else 0)
        file = folder / f"{index}.png"
        folder.mkdir(parents=True, exist_ok=True)
        if not file.exists():  # another process may be reading it
            Image.fromarray(pixels.astype(np.uint8)).save(file)
        samples.append(Sample(str(index), file, emotion))
    return Dataset("toy", tuple(samples), ("awe", "fear"))


class Toy(NetworkMethod):
    """A user's network, as short as possible, with dropout to test its seed."""

    def __init__(self, size: int = 16, pause: float = 0.0, explode: bool = False) -> None:
        super().__init__(size)
        self.pause = pause
        self.explode = explode

    def build(self, classes: Any) -> EmotionNetwork:
        return ToyNetwork(self, len(classes))


class ToyNetwork(EmotionNetwork):
    def __init__(self, method: Toy, classes: int) -> None:
        super().__init__()
        self.pause, self.explode = method.pause, method.explode
        self.backbone = torch.nn.Conv2d(3, 6, 3, 2)
        self.norm = torch.nn.BatchNorm2d(6)
        self.classifier = torch.nn.Linear(6, classes)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = torch.relu(self.norm(self.backbone(images)))
        pooled = F.dropout(features.mean(dim=(2, 3)), 0.2, self.training)
        return self.classifier(pooled), features.mean(dim=1)

    def losses(self, images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        time.sleep(self.pause)
        loss = super().losses(images, labels)["loss"]
        return {"loss": loss / 0 if self.explode else loss, "other": loss * 2}


def run(folder: Path, out: Path, method: NetworkMethod | None = None, **changes: Any) -> Any:
    """Train on the toy data."""
    method = method or Toy()
    train, validation = dataset(folder / "train"), dataset(folder / "val", 6)
    settings = {**SETTINGS, **changes}
    training.train(method, train, validation, settings, out, seed=5, device="cpu", progress=False)
    return method


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = read_checkpoint(checkpoint)["weights"]
    return found


def assert_same(one: Path, other: Path) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    for key in first:
        assert torch.equal(first[key], second[key]), key


# --- training -----------------------------------------------------------------------------------


def test_it_learns_and_leaves_checkpoint_and_logs(tmp_path: Path) -> None:
    method = run(tmp_path, tmp_path / "out", epochs=30, learning_rate=0.1)
    entries = [json.loads(x) for x in (tmp_path / "out/training.jsonl").read_text().splitlines()]
    assert [entry["epoch"] for entry in entries] == list(range(1, 31))
    assert entries[-1]["loss"] < 0.7 * entries[0]["loss"]
    assert entries[-1]["loss_other"] == pytest.approx(2 * entries[-1]["loss"], rel=1e-5)
    assert max(entry["validation_accuracy"] for entry in entries) == 1.0
    assert Image.open(tmp_path / "out/training.png").size[0] > 300
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"checkpoint.safetensors"}
    assert (
        not (tmp_path / "out/state.pt").exists()
        and not (tmp_path / "out/best.safetensors").exists()
    )
    images = [sample.image() for sample in dataset(tmp_path / "val", 6)]
    guesses = [np.argmax(p.probabilities) for p in method.predict(images)]
    assert guesses == [0, 1, 0, 1, 0, 1]


def test_the_same_seed_gives_the_same_weights_and_another_one_does_not(tmp_path: Path) -> None:
    run(tmp_path, tmp_path / "a")
    run(tmp_path, tmp_path / "b")
    assert_same(tmp_path / "a/checkpoint.safetensors", tmp_path / "b/checkpoint.safetensors")
    training.train(
        Toy(), dataset(tmp_path / "train"), dataset(tmp_path / "val", 6), SETTINGS,
        tmp_path / "c", seed=6, device="cpu", progress=False,
    )  # fmt: skip
    one, other = (
        weights(tmp_path / "a/checkpoint.safetensors"),
        weights(tmp_path / "c/checkpoint.safetensors"),
    )
    assert not torch.equal(one["classifier.weight"], other["classifier.weight"])


def test_decoding_by_workers_changes_nothing(tmp_path: Path) -> None:
    run(tmp_path, tmp_path / "kept")
    run(tmp_path, tmp_path / "workers", memory=0, workers=2)
    assert_same(
        tmp_path / "kept/checkpoint.safetensors", tmp_path / "workers/checkpoint.safetensors"
    )


def test_best_epoch_is_kept(tmp_path: Path) -> None:
    run(tmp_path, tmp_path / "out", epochs=6, learning_rate=0.3, backbone_learning_rate=0.3)
    entries = [json.loads(x) for x in (tmp_path / "out/training.jsonl").read_text().splitlines()]
    best = max(entries, key=lambda e: (e["validation_accuracy"], -e["validation_loss"]))
    state = read_checkpoint(tmp_path / "out/checkpoint.safetensors")
    assert state["recipe"]["epoch"] == best["epoch"]
    assert state["recipe"]["learning_rate"] == 0.3 and state["recipe"]["seed"] == 5


def test_without_validation_the_last_epoch_is_kept(tmp_path: Path) -> None:
    training.train(
        Toy(), dataset(tmp_path / "train"), Dataset("none", ()), SETTINGS, tmp_path / "out",
        device="cpu", progress=False,
    )  # fmt: skip
    state = read_checkpoint(tmp_path / "out/checkpoint.safetensors")
    assert state["recipe"]["epoch"] == 3


def test_a_finished_training_is_only_loaded(tmp_path: Path) -> None:
    run(tmp_path, tmp_path / "out")
    before = (tmp_path / "out/checkpoint.safetensors").stat().st_mtime_ns
    method = run(tmp_path, tmp_path / "out")
    assert (tmp_path / "out/checkpoint.safetensors").stat().st_mtime_ns == before
    assert method.module is not None


def test_backbone_gates_and_other_layers_have_their_own_learning_rates(tmp_path: Path) -> None:
    rates = {"backbone_learning_rate": 0.0, "gate_learning_rate": 1e-9, "learning_rate": 0.1}
    before = ISLAMNet("small", "none", size=32, channels=16)
    torch.manual_seed(5)
    fresh = before.build(("awe", "fear")).state_dict()
    run(tmp_path, tmp_path / "out", ISLAMNet("small", "none", size=32, channels=16), **rates)
    after = weights(tmp_path / "out/checkpoint.safetensors")
    moved = {key: float((after[key] - fresh[key]).abs().max()) for key in fresh}
    assert moved["backbone.body.0.weight"] == 0
    assert 0 <= moved["compress.weight"] < 1e-6 < moved["classifier.weight"]


def test_a_training_is_complete_once_constructed(tmp_path: Path) -> None:
    with fixed_threads(SETTINGS["threads"]):
        prepared = Training(
            Toy(), dataset(tmp_path / "train"), dataset(tmp_path / "val", 6),
            Settings.parse(SETTINGS), tmp_path / "out", seed=5, device="cpu", show=False,
        )  # fmt: skip
        names = set(vars(prepared))
        prepared.run()
    assert set(vars(prepared)) == names
    run(tmp_path, tmp_path / "usual")
    assert_same(tmp_path / "out/checkpoint.safetensors", tmp_path / "usual/checkpoint.safetensors")


def test_a_batch_that_processes_cannot_share_is_refused() -> None:
    assert own_share(12, 2, 3) == slice(8, 12)
    with pytest.raises(UsageError, match=r"training\.batch=10 .* among 3 processes"):
        own_share(10, 0, 3)


# --- killed and resumed -------------------------------------------------------------------------

SCRIPT = """
import sys
from pathlib import Path
from tests.training.test_training import Toy, run
root = Path(sys.argv[1])
run(root, root / sys.argv[2], Toy(pause=float(sys.argv[3])), save_every=0.0)
"""


def command(root: Path, out: str, pause: float) -> list[str]:
    return [sys.executable, "-c", SCRIPT, str(root), out, str(pause)]


def test_killed_at_random_moments_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    home = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(home)}
    run(tmp_path, tmp_path / "whole", Toy(pause=0.15))
    generator = random.Random(7)
    kills = 0
    while not (tmp_path / "torn/checkpoint.safetensors").exists():
        process = subprocess.Popen(command(tmp_path, "torn", 0.15), cwd=home, env=environment)
        if kills < 2:
            deadline = time.monotonic() + 120
            seen = state_of(tmp_path / "torn")
            # wait for the first files, so that each kill falls into the training
            while state_of(tmp_path / "torn") == seen and time.monotonic() < deadline:
                if process.poll() is not None:
                    break
                time.sleep(0.01)
            time.sleep(generator.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
            kills += 1
            process.wait()
        else:
            assert process.wait() == 0
    assert kills == 2
    assert_same(tmp_path / "whole/checkpoint.safetensors", tmp_path / "torn/checkpoint.safetensors")
    logs = [(tmp_path / name / "training.jsonl").read_text() for name in ("whole", "torn")]
    assert strip(logs[0]) == strip(logs[1])


def state_of(folder: Path) -> int:
    state = folder / "state.pt"
    return state.stat().st_mtime_ns if state.exists() else 0


def strip(log: str) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in log.splitlines()]
    for entry in entries:
        entry.pop("seconds")
    return entries


class Interrupted(Exception):
    pass


class Fragile(Toy):
    """A network that stops at a step, as if killed."""

    stop_at = -1

    def build(self, classes: Any) -> EmotionNetwork:
        network = super().build(classes)
        count = 0

        def trip(*_: Any) -> None:
            nonlocal count
            count += network.training
            if count == self.stop_at:
                raise Interrupted

        network.register_forward_pre_hook(trip)
        return network


@pytest.mark.parametrize("stop_at", [2, 3, 4, 8, 9])
def test_stopped_at_any_step_it_ends_with_the_same_bits(tmp_path: Path, stop_at: int) -> None:
    run(tmp_path, tmp_path / "whole", Fragile())
    fragile = Fragile()
    fragile.stop_at = stop_at
    with pytest.raises(Interrupted):
        run(tmp_path, tmp_path / "torn", fragile, save_every=0.0 if stop_at % 2 else 1e9)
    run(tmp_path, tmp_path / "torn", Fragile(), save_every=0.0 if stop_at % 2 else 1e9)
    assert_same(tmp_path / "whole/checkpoint.safetensors", tmp_path / "torn/checkpoint.safetensors")


def test_a_folder_with_another_training_is_refused(tmp_path: Path) -> None:
    fragile = Fragile()
    fragile.stop_at = 5
    with pytest.raises(Interrupted):
        run(tmp_path, tmp_path / "out", fragile)
    with pytest.raises(EmomapError, match=r"training\.epochs=3, now it is 4"):
        run(tmp_path, tmp_path / "out", Fragile(), epochs=4)


# --- refusals -----------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(EmomapError, match=r"loss is inf at step 1 of 9.*learning_rate"):
        run(tmp_path, tmp_path / "out", Toy(explode=True))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_damaged_picture_is_named(tmp_path: Path, workers: int) -> None:
    data = dataset(tmp_path / "train")
    file = tmp_path / "train" / "7.png"
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(EmomapError, match=r"7\.png") as caught:
        training.train(
            Toy(), data, Dataset("none", ()), {**SETTINGS, "memory": 0, "workers": workers},
            tmp_path / "out", device="cpu", progress=False,
        )  # fmt: skip
    assert "\n" not in str(caught.value)


def test_pictures_without_labels_are_refused(tmp_path: Path) -> None:
    data = dataset(tmp_path / "train")
    bare = Dataset("bare", tuple(Sample(s.id, s.image_file) for s in data))
    with pytest.raises(EmomapError, match="bare has none to train on"):
        training.train(Toy(), bare, bare, SETTINGS, tmp_path / "o", device="cpu", progress=False)


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ({"epoch": 3}, "training.epoch: unknown number; there are epochs, "),
        ({"epochs": 0}, "training.epochs=0"),
        ({"schedule": "linear"}, "training.schedule=linear"),
        ({"optimizer": "lion"}, "training.optimizer=lion"),
        ({"crop": [0.5, 0.1]}, "training.crop"),
        ({"shift": 0.7}, "training.shift=0.7: it must be 0 or more, below 0.5"),
        ({"momentum": 1.0}, "training.momentum=1.0: it must be 0 or more, below 1"),
        ({"momentum": 0.0, "nesterov": True}, "training.nesterov"),
        ({"learning_rate": 0.0}, "training.learning_rate=0.0: it must be above 0"),
        ({"weight_decay": -1}, "training.weight_decay=-1: it must be 0 or more"),
        ({"workers": -1}, "training.workers=-1"),
        ({"epochs": "auto"}, "training.epochs=auto: it must be 1 or more"),
    ],
)
def test_impossible_numbers_are_refused(setting: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        Settings.parse({**SETTINGS, **setting})


def test_an_unknown_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmomapError, match="--device warp"):
        training.train(
            Toy(), dataset(tmp_path / "t"), Dataset("none", ()), SETTINGS, tmp_path / "o",
            device="warp", progress=False,
        )  # fmt: skip


class Bomb:
    def __reduce__(self) -> Any:
        return os.system, ("touch exploded",)


def test_any_program_reads_the_weights_of_a_checkpoint(tmp_path: Path) -> None:
    trained = run(tmp_path, tmp_path / "out")
    assert trained.module is not None
    own = trained.module.state_dict()
    with safe_open(tmp_path / "out/checkpoint.safetensors", framework="pt") as opened:
        assert set(opened.keys()) == set(own)
        for key in opened.keys():  # noqa: SIM118, it is no dictionary
            assert torch.equal(opened.get_tensor(key), own[key])
        numbers = json.loads(opened.metadata()["emomap"])
    assert numbers["method"] == "Toy" and numbers["classes"] == ["awe", "fear"]
    assert numbers["recipe"]["seed"] == 5


def test_trainings_of_release_0_1_are_loaded_and_resumed(tmp_path: Path) -> None:
    whole = run(tmp_path, tmp_path / "whole")
    # finished there: only loaded
    old = tmp_path / "old"
    old.mkdir()
    whole.save(old / "checkpoint.pt", {"seed": 5})
    assert set(torch.load(old / "checkpoint.pt", weights_only=True)) >= {"weights", "options"}
    run(tmp_path, old)
    assert [file.name for file in old.iterdir()] == ["checkpoint.pt"]
    # all epochs done there, but the end: its best epoch is kept under its name
    begun = tmp_path / "begun"
    numbers = Settings.parse(SETTINGS)
    train, validation = dataset(tmp_path / "train"), dataset(tmp_path / "val", 6)
    stopped = Training(Toy(), train, validation, numbers, begun, seed=5, device="cpu", show=False)
    stopped.state.step = stopped.total
    log = (tmp_path / "whole/training.jsonl").read_text().splitlines()
    stopped.state.history = [json.loads(line) for line in log]
    stopped._save()
    whole.save(begun / "best.pt", {"seed": 5})
    again = run(tmp_path, begun)
    assert (begun / "checkpoint.pt").exists() and not (begun / "best.pt").exists()
    assert again.module is not None and whole.module is not None
    for key, value in whole.module.state_dict().items():
        assert torch.equal(value, again.module.state_dict()[key])


def test_a_command_with_the_name_of_release_0_1_finds_the_checkpoint(tmp_path: Path) -> None:
    run(tmp_path, tmp_path / "out")
    found = Toy()
    found.load(tmp_path / "out/checkpoint.pt", device="cpu")
    assert found.classes == ("awe", "fear")


def write_header(file: Path, header: str | None) -> None:
    save_file({"a": torch.zeros(1)}, file, {"emomap": header} if header else None)


def test_bad_checkpoints_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trained = run(tmp_path, tmp_path / "out")
    good = (tmp_path / "out/checkpoint.safetensors").read_bytes()
    trained.save(tmp_path / "whole.pt")
    for ending, content in ((".safetensors", good), (".pt", (tmp_path / "whole.pt").read_bytes())):
        (tmp_path / f"cut{ending}").write_bytes(content[: len(content) // 2])
        (tmp_path / f"head{ending}").write_bytes(content[:20])
    write_header(tmp_path / "numbers.safetensors", "{not JSON")
    write_header(tmp_path / "list.safetensors", "[1]")
    write_header(tmp_path / "weights.safetensors", None)
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(Bomb()))
    torch.save(Bomb(), tmp_path / "bomb2.pt")
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pt")
    for name, word in (
        ("cut.pt", "damaged|cut short"),
        ("cut.safetensors", "cut short"),
        ("head.pt", "damaged"),
        ("head.safetensors", "damaged"),
        ("numbers.safetensors", "not JSON"),
        ("list.safetensors", "no JSON object"),
        ("weights.safetensors", "not a checkpoint of emomap"),
        ("empty.pt", "damaged|cut short"),
        ("text.pt", "damaged"),
        ("bomb.pt", "code"),
        ("bomb2.pt", "code"),
        ("other.pt", "not a checkpoint of emomap"),
        ("missing.pt", "no such file"),
        ("missing.safetensors", "no such file"),
    ):
        with pytest.raises(EmomapError, match=word) as caught:
            Toy().load(tmp_path / name, device="cpu")
        assert "\n" not in str(caught.value) and name in str(caught.value)
    assert not (tmp_path / "exploded").exists()
    with pytest.raises(EmomapError, match="checkpoint of Toy, not of WILDCAT"):
        WILDCAT("small", "none").load(tmp_path / "out/checkpoint.safetensors")


# --- order and augmentation ---------------------------------------------------------------------


def test_each_epoch_shows_every_picture_once_in_a_new_order() -> None:
    first, second = epoch_order(0, 0, 20, 5), epoch_order(0, 1, 20, 5)
    assert sorted(np.concatenate(first).tolist()) == list(range(20))
    assert np.concatenate(first).tolist() != np.concatenate(second).tolist()
    assert len(epoch_order(0, 0, 23, 5)) == 4
    assert [len(batch) for batch in epoch_order(0, 0, 3, 8)] == [8]


def test_seeds_of_steps_differ() -> None:
    assert len({step_seed(0, i, j) for i in range(50) for j in range(3)}) == 150
    assert step_seed(3, 4) == step_seed(3, 4) != step_seed(4, 3)


def test_augmentation_mirrors_and_moves() -> None:
    images = torch.arange(64 * 2 * 3).reshape(1, 8, 16, 3)[:, :, :8].repeat(200, 1, 1, 1)
    shown = augment(images, flip=True, shift=0.0, seed=1)
    same = (shown == images).flatten(1).all(dim=1)
    mirrored = (shown == images.flip(2)).flatten(1).all(dim=1)
    assert bool((same ^ mirrored).all()) and 60 < int(mirrored.sum()) < 140
    moved = augment(images, flip=False, shift=0.25, seed=1)
    corners = {tuple(x.tolist()) for x in moved[:, 4, 4, :1]}
    assert len(corners) == 25  # up to two pixels in each of four directions
    part = augment(images[120:], flip=True, shift=0.25, seed=1, first=120)
    assert torch.equal(part, augment(images, flip=True, shift=0.25, seed=1)[120:])
    assert augment(images, flip=False, shift=0.0, seed=1) is images


def test_random_crops_follow_from_seed_epoch_and_picture(tmp_path: Path) -> None:
    data = dataset(tmp_path, 3, (60, 90))
    pictures = Pictures(data.samples, [0, 1, 0], 32, crop=(0.2, 0.6), seed=3)
    again = Pictures(data.samples, [0, 1, 0], 32, crop=(0.2, 0.6), seed=3)
    assert pictures.picture(1, 4).shape == (32, 32, 3)
    np.testing.assert_array_equal(pictures.picture(1, 4), again.picture(1, 4))
    assert (pictures.picture(1, 4) != pictures.picture(1, 5)).any()


def test_schedules() -> None:
    step = Settings.parse({"schedule": "step", "step_epochs": 7, "gamma": 0.1})
    factors = [step.factor(epoch * 10, 250, 10) for epoch in range(25)]
    assert factors[:8] == [1.0] * 7 + [pytest.approx(0.1)]
    assert factors[-1] == pytest.approx(1e-3)
    cycle = Settings.parse({"schedule": "onecycle", "warmup": 0.25})
    curve = [cycle.factor(i, 100, 10) for i in range(100)]
    assert curve[0] == pytest.approx(0.04) and max(curve) == pytest.approx(1)
    assert int(np.argmax(curve)) == 25 and curve[-1] < 0.01


# --- several processes --------------------------------------------------------------------------


class Plain(NetworkMethod):
    """A network without batch norm or dropout, whose gradient is a mean over pictures."""

    def __init__(self, size: int = 16) -> None:
        super().__init__(size)

    def build(self, classes: Any) -> EmotionNetwork:
        return PlainNetwork(len(classes))


class PlainNetwork(EmotionNetwork):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.backbone = torch.nn.Conv2d(3, 6, 3, 2)
        self.classifier = torch.nn.Linear(6, classes)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, None]:
        return self.classifier(torch.relu(self.backbone(images)).mean(dim=(2, 3))), None


def test_two_processes_train_as_one_with_twice_the_batch(tmp_path: Path) -> None:
    """Under torchrun, as a user starts it: same weights, same log, one run folder."""
    rows = [(s.id, s.emotion or "") for s in dataset(tmp_path / "photos" / "images", 18)]
    splits = ["train"] * 12 + ["val"] * 5 + ["test"]
    split = [(image, splits[int(image)]) for image, _ in rows]
    for file, column, table in (("labels.csv", "emotion", rows), ("split.csv", "split", split)):
        lines = [f"image,{column}", *(",".join(row) for row in table)]
        (tmp_path / "photos" / file).write_text("\n".join(lines), "utf-8")
    home = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(home), "OMP_NUM_THREADS": "1"}
    command = [
        *(
            "-m",
            "emomap",
            "train",
            "--method",
            "tests.training.test_training:Plain",
            "--recipe",
            "demo",
        ),
        *("--data", str(tmp_path / "photos"), "--set", "training.epochs=2"),
        *("--set", "training.batch=4", "--set", "training.threads=1"),
    ]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for name, launcher in (("one", []), ("two", torchrun)):
        ran = subprocess.run(
            [sys.executable, *launcher, *command, "-o", str(tmp_path / name)],
            cwd=home, env=environment, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        checkpoint = tmp_path / name / "methods/plain/checkpoint.safetensors"
        assert ran.stdout.splitlines()[-1] == str(checkpoint)
        assert ran.stdout.count("checkpoint.safetensors") == 1
    homes = [tmp_path / name / "methods/plain" for name in ("one", "two")]
    one, two = (weights(home / "checkpoint.safetensors") for home in homes)
    for key in one:
        torch.testing.assert_close(one[key], two[key], rtol=1e-5, atol=1e-6)
    logs = [strip((home / "training.jsonl").read_text()) for home in homes]
    for alone, shared in zip(*logs, strict=True):
        assert alone == pytest.approx(shared, rel=1e-5)


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, (0, 1, 1)),
        ({"WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4", "RANK": "5"}, (5, 8, 2)),
        ({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"}, (0, 1, 1)),  # a batch script by itself
        (
            {"SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NUM_NODES": "2", "SLURM_PROCID": "3"},
            (3, 4, 2),
        ),
    ],
)
def test_launchers_are_recognised_by_their_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], found: tuple[int, int, int]
) -> None:
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "RANK", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert launched() == Launched(*found)


def test_bench_under_a_launcher_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from emomap.experiment.bench import bench

    data = ("data.train=8", "data.val=8", "data.test=8")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="emomap train"):
        bench(["islamnet"], settings=data, out=tmp_path / "run", show=False)


def test_tensorboard_reads_the_events(tmp_path: Path) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run(tmp_path, tmp_path / "out")
    run(tmp_path, tmp_path / "out")
    read = events.EventAccumulator(str(tmp_path / "out"))
    read.Reload()
    log = strip((tmp_path / "out/training.jsonl").read_text())
    assert set(log[0]) - {"epoch"} < set(read.Tags()["scalars"])
    found = [(event.step, event.value) for event in read.Scalars("validation_loss")]
    assert found == [
        (entry["epoch"], pytest.approx(entry["validation_loss"], rel=1e-6)) for entry in log
    ]


def test_islamnet_trains_on_a_handful_of_pictures(tmp_path: Path) -> None:
    method = ISLAMNet("small", "none", size=32, channels=16)
    run(tmp_path, tmp_path / "out", method, epochs=1)
    prediction = method.predict([dataset(tmp_path / "val", 6).samples[0].image()])[0]
    assert prediction.map is not None and prediction.map.shape == (24, 24)
