"""`--explain` on the command line: somebody's own classifier, and networks of emomap."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.cli.conftest import Command

LIGHT = ("--set", 'bench.baselines=["center"]', "--set", "bench.report=false", "--quiet")
CODE = '''
import torch
from torch import nn


class Net(nn.Module):
    """Classifies by how red, green, blue the brightest places are."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer4 = nn.Sequential(nn.Conv2d(3, 6, 5, stride=4, padding=2), nn.ReLU())
        self.fc = nn.Linear(6, 3)

    def forward(self, images):
        return self.fc(self.layer4(images).mean(dim=(2, 3)))


def build():
    return Net()


def needs(argument):
    return Net()


def number():
    return 3


class Pair(Net):
    def forward(self, images):
        return super().forward(images), images
'''


@pytest.fixture
def own(tmp_path: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `mine_net.py` in the current folder, a checkpoint of it, and a validation split."""
    (tmp_path / "mine_net.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine_net", raising=False)
    import mine_net  # type: ignore[import-not-found]

    network = mine_net.build()
    with torch.no_grad():
        network.layer4[0].weight[:, 0] += 0.4
        network.layer4[0].weight[:, 1:] -= 0.2
        network.fc.weight.copy_(torch.eye(3, 6) + 0.3)
    checkpoint = tmp_path / "last.pth"
    torch.save({"state_dict": network.state_dict(), "epoch": 3}, checkpoint)
    lines = [f"{i:02d},{'val' if i < 4 else 'test'}" for i in range(12)]
    (dataset / "split.csv").write_text("image,split\n" + "\n".join(lines) + "\n")
    return checkpoint


def test_an_own_classifier_is_benched(
    emomap: Command, dataset: Path, own: Path, tmp_path: Path
) -> None:
    pytest.importorskip("pytorch_grad_cam")
    run = tmp_path / "run"
    command = ("bench", "--data", dataset, "--method", "mine_net:build", "--checkpoint", own,
               "--explain", "gradcam,eigencam", "--explain", "cam", "--layer", "layer4",
               "--set", "method.build.size=64", "-o", run, *LIGHT)  # fmt: skip
    ran = emomap(*command)
    assert ran.code == 0, ran.err
    summary = json.loads((run / "summary.json").read_text())
    kinds = ("gradcam", "eigencam", "cam")
    rows = {f"build@{kind}{end}" for kind in kinds for end in ("", "-smooth", "-center")}
    assert rows | {"center", "observers"} == set(summary["methods"])
    assert not any("control_of" in entry for entry in summary["methods"].values())
    assert rows <= set(summary["ranks"])
    values = {kind: summary["methods"][f"build@{kind}"]["metrics"] for kind in kinds}
    assert values["gradcam"]["nss"]["mean"] > 0.5
    assert values["cam"]["cc"]["mean"] == pytest.approx(values["gradcam"]["cc"]["mean"], abs=1e-4)
    with (run / "methods/build/predictions.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == 8
    assert set(lines[0]) >= {"image", "predicted", "p_0", "p_1", "p_2"}
    # it resumes, and refuses what would change the maps
    stamp = (run / "maps/build@cam/05.png").stat().st_mtime_ns
    assert emomap(*command).code == 0
    assert (run / "maps/build@cam/05.png").stat().st_mtime_ns == stamp
    assert emomap(*command, "--explained", "1").code == 2
    assert emomap(*command, "--set", "method.build.size=32").code == 2


def test_classes_that_are_the_data_sets_have_an_accuracy(
    emomap: Command, dataset: Path, own: Path, tmp_path: Path
) -> None:
    emotions = ("awe", "fear", "anger")
    lines = [f"{i:02d},{emotions[i % 3]}" for i in range(12)]
    (dataset / "labels.csv").write_text("image,emotion\n" + "\n".join(lines) + "\n")
    command = ("bench", "--data", dataset, "-m", "net=mine_net:build", "--explain", "cam",
               "--set", "method.net.size=64", *LIGHT)  # fmt: skip
    run = tmp_path / "run"
    ran = emomap(*command, "--checkpoint", f"net={own}", "--classes", ",".join(emotions), "-o", run)
    assert ran.code == 0, ran.err
    entry = json.loads((run / "summary.json").read_text())["methods"]["net"]
    assert 0 <= entry["accuracy"] <= 1
    names = tmp_path / "names.txt"
    names.write_text("\n".join(emotions) + "\n")
    for explained in ("true", "fear"):
        other = tmp_path / explained
        ran = emomap(*command, "--classes", names, "--explained", explained, "-o", other)
        assert ran.code == 0, ran.err
    foreign = emomap(*command, "-o", tmp_path / "foreign")
    assert "no accuracy" in foreign.out
    maps = [(tmp_path / part / "maps/net@cam/07.png").read_bytes() for part in ("true", "fear")]
    assert maps[0] == maps[1]  # picture 07 has the label fear
    others = [(tmp_path / part / "maps/net@cam/06.png").read_bytes() for part in ("true", "fear")]
    assert others[0] != others[1]


def test_predict_writes_maps_and_classes(
    emomap: Command, dataset: Path, own: Path, tmp_path: Path
) -> None:
    command = ("predict", dataset / "images", "-m", "mine_net:build", "--checkpoint", own,
               "--set", "method.build.size=64", "--classes", "a,b,c")  # fmt: skip
    ran = emomap(*command, "--explain", "cam", "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert len(list((tmp_path / "out").glob("*.png"))) == 12
    with (tmp_path / "out/predictions.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert {line["predicted"] for line in lines} <= {"a", "b", "c"}
    total = sum(float(lines[0][f"p_{name}"]) for name in "abc")
    assert total == pytest.approx(1)
    pytest.importorskip("pytorch_grad_cam")
    assert emomap(*command, "--explain", "cam,layercam", "-o", tmp_path / "two").code == 0
    for kind in ("cam", "layercam"):
        assert len(list((tmp_path / "two" / kind).glob("*.png"))) == 12


def test_a_network_of_emomap_is_explained(
    emomap: Command, dataset: Path, own: Path, tmp_path: Path
) -> None:
    emotions = ("awe", "fear")
    splits = ["train"] * 6 + ["val"] * 2 + ["test"] * 4
    (dataset / "split.csv").write_text(
        "image,split\n" + "".join(f"{i:02d},{split}\n" for i, split in enumerate(splits))
    )
    (dataset / "labels.csv").write_text(
        "image,emotion\n" + "".join(f"{i:02d},{emotions[i % 2]}\n" for i in range(12))
    )
    run = tmp_path / "run"
    small = [
        part
        for name in ("wscnet", "classifier")
        for key in ("backbone=small", "weights=none", "size=32")
        for part in ("--set", f"method.{name}.{key}")
    ]
    command = ("bench", "--data", dataset, "-m", "wscnet", "-m", "classifier", "--explain", "cam",
               "--recipe", "demo", "--set", "training.epochs=1", "--set", "training.batch=2",
               "--set", "training.threads=1",
               *small, "-o", run, *LIGHT)  # fmt: skip
    ran = emomap(*command)
    assert ran.code == 2 or "one linear layer" in ran.err  # WSCNet has no class activation map
    pytest.importorskip("pytorch_grad_cam")
    command = tuple("gradcam" if part == "cam" else part for part in command)
    ran = emomap(*command)
    assert ran.code == 0, ran.err
    found = set(json.loads((run / "summary.json").read_text())["methods"])
    assert {"wscnet", "wscnet@gradcam", "wscnet@gradcam-smooth", "classifier"} <= found
    # the map of `classifier` is its class activation map, which Grad-CAM equals
    checkpoint = run / "methods/classifier/checkpoint.safetensors"
    for kind in ("cam", "gradcam"):
        ran = emomap("predict", dataset, "-m", "classifier", "--checkpoint", checkpoint,
                     "--explain", kind, "-o", tmp_path / kind, "--format", "npy")  # fmt: skip
        assert ran.code == 0, ran.err
    for file in (tmp_path / "cam").rglob("*.npy"):
        other = tmp_path / "gradcam" / file.relative_to(tmp_path / "cam")
        assert np.abs(np.load(file) - np.load(other)).max() < 1e-4


def test_a_transformer_is_trained_and_its_attention_scored(emomap: Command, tmp_path: Path) -> None:
    pytest.importorskip("timm")
    run = tmp_path / "run"
    chosen = [
        part
        for change in ("method.classifier.backbone=timm:test_vit", "method.classifier.size=64",
                       "method.classifier.map=attention", "training.optimizer=adamw",
                       "training.learning_rate=1e-3", "training.backbone_learning_rate=1e-3",
                       "training.epochs=8", "training.batch=16", "training.workers=0",
                       "training.threads=1",
                       "data.train=48", "data.val=8", "data.test=8")
        for part in ("--set", change)
    ]  # fmt: skip
    ran = emomap("bench", "-m", "classifier", "--explain", "rollout,attention-head1", *chosen,
                 "-o", run, *LIGHT)  # fmt: skip
    assert ran.code == 0, ran.err
    rows = json.loads((run / "summary.json").read_text())["methods"]
    kinds = ("classifier", "classifier@rollout", "classifier@attention-head1")
    scores = [rows[kind]["metrics"]["nss"]["mean"] for kind in kinds]
    assert len(set(scores)) == 3 and np.isfinite(scores).all()
    assert {f"{kind}-center" for kind in kinds} <= set(rows)
    losses = [json.loads(line)["loss"] for line in
              (run / "methods/classifier/training.jsonl").read_text().splitlines()]  # fmt: skip
    assert losses[-1] < losses[0] - 0.05


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("-m", "mine_net:build"), "--explain gradcam"),
        (("-m", "mine_net:build", "--explain", "gradcm"), "did you mean gradcam"),
        (("-m", "mine_net:build", "--explain", "cam", "--layer", "layer3"), "near it are layer4"),
        (("-m", "mine_net:needs", "--explain", "cam"), "takes no argument"),
        (("-m", "mine_net:number", "--explain", "cam"), "returned a int"),
        (("-m", "mine_net:Pair", "--explain", "cam"), "not logits"),
        (("-m", "mine_net:CODE", "--explain", "cam"), "cannot be loaded"),
        (
            ("-m", "mine_net:build", "--explain", "cam", "--classes", "a,b"),
            "3 classes, and 2 names",
        ),
        (("-m", "mine_net:build", "--explain", "cam", "--classes", "a,a,b"), "there twice"),
        (("-m", "mine_net:build", "--explain", "cam", "--explained", "joy"), "no such class"),
        (("-m", "gbvs", "--explain", "cam"), "none of the methods is a network"),
        (("-m", "gbvs", "--layer", "x"), "give it too"),
        (("-m", "mine_net:build", "--explain", "attention"), "take gradcam"),
    ],
)
def test_wrong_use_is_one_line(
    change: tuple[str, ...], words: str, emomap: Command, dataset: Path, own: Path, tmp_path: Path
) -> None:
    ran = emomap("bench", "--data", dataset, "-o", tmp_path / "run", *LIGHT, *change)
    assert ran.code == 2, ran.err
    assert words in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_weights_of_another_network_are_refused(
    emomap: Command, dataset: Path, own: Path, tmp_path: Path
) -> None:
    command = ("bench", "--data", dataset, "-m", "mine_net:build", "--explain", "cam", *LIGHT,
               "-o", tmp_path / "run")  # fmt: skip
    torch.save({"a.weight": torch.zeros(3)}, tmp_path / "other.pth")
    ran = emomap(*command, "--checkpoint", tmp_path / "other.pth")
    assert ran.code == 1
    assert "not the weights of mine_net:build" in ran.err
    ran = emomap(*command, "--checkpoint", tmp_path / "none.pth")
    assert ran.code == 2
    assert "there is no file" in ran.err
    ran = emomap(*command, "-m", "gbvs", "--checkpoint", own)
    assert "METHOD=FILE" in ran.err
