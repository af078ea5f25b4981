"""Model files on the command line: cards, bench, predict, resuming, wrong use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emomap import io
from tests.cli.conftest import Command
from tests.conftest import shared
from tests.models.files import exported, onnx

LIGHT = ("--set", 'bench.baselines=["center"]', "--quiet")
SPLIT = "image,split\n" + "".join(f"{i:02d},{'val' if i < 4 else 'test'}\n" for i in range(12))


class Redness(nn.Module):
    """Where a picture is red, as a map or as the logarithm of a density."""

    def __init__(self, *, log: bool = False) -> None:
        super().__init__()
        self.log = log
        self.layer = nn.Conv2d(3, 1, 1, bias=False)
        self.layer.weight.data = torch.tensor([6.0, -6.0, 0.0]).reshape(1, 3, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        found = self.layer(images).relu()
        if not self.log:
            return found
        return found.flatten(1).log_softmax(1).view_as(found)


@pytest.fixture
def card(tmp_path: Path, dataset: Path) -> Path:
    """A card whose map is where a picture is red; the data set gets a validation split."""
    onnx(tmp_path, Redness())
    (dataset / "split.csv").write_text(SPLIT)
    file = tmp_path / "red.toml"
    file.write_text('file = "model.onnx"\nlicense = "MIT"\n[input]\nsize = [24, 40]\n')
    return file


def test_a_card_is_benched_with_finished_rows(
    emomap: Command, dataset: Path, card: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    command = ("bench", "--data", dataset, "-m", f"mine={card}", "-m", card, "-o", run, *LIGHT)
    ran = emomap(*command)
    assert ran.code == 0, ran.err
    summary = json.loads((run / "summary.json").read_text())
    rows = {f"{name}{end}" for name in ("mine", "red") for end in ("", "-smooth", "-center")}
    assert rows <= set(summary["methods"])
    found = summary["methods"]["mine"]["metrics"]
    assert found == summary["methods"]["red"]["metrics"]
    assert found["nss"]["n"] == 8
    assert found["nss"]["mean"] > 2 * summary["methods"]["center"]["metrics"]["nss"]["mean"]
    assert (run / "report.html").exists()
    # the same command resumes: nothing is made again
    times = {file: file.stat().st_mtime_ns for file in (run / "maps").rglob("*.npy")}
    assert len(times) == 16
    assert emomap(*command).code == 0
    assert {file: file.stat().st_mtime_ns for file in times} == times
    # another number of the card is another run
    changed = emomap(*command, "--set", "method.mine.input.interpolation=nearest")
    assert changed.code == 2
    assert "input.interpolation" in changed.err


def test_a_log_density_stays_one(
    emomap: Command, dataset: Path, card: Path, tmp_path: Path
) -> None:
    onnx(tmp_path, Redness(log=True))
    run = tmp_path / "run"
    ran = emomap("bench", "--data", dataset, "-m", card, "-o", run, *LIGHT)
    assert ran.code == 1
    assert "output.kind" in ran.err
    card.write_text(card.read_text() + '[output]\nkind = "log-density"\n')
    metrics = "--set", 'score.metrics=["info_gain","kl","cc"]'
    ran = emomap("bench", "--data", dataset, "-m", card, "-o", run, *LIGHT, *metrics)
    assert ran.code == 0, ran.err
    kept = io.read_map(run / "maps/red/05.npy", logarithm=True).astype(float)
    assert np.exp(kept).sum() == pytest.approx(1, abs=1e-4)
    summary = json.loads((run / "summary.json").read_text())
    assert summary["methods"]["red"]["prediction"] == "log-density"
    assert "prediction" not in summary["methods"]["red-smooth"]
    scored = emomap(
        "score", run / "maps/red", dataset, "--prediction", "log-density", "--metrics",
        "info_gain,kl,cc", "--format", "json", "--allow-missing",
    )  # fmt: skip
    assert json.loads(scored.out)["metrics"]["kl"] == summary["methods"]["red"]["metrics"]["kl"]
    for command in ("report", "table", "compare"):
        assert emomap(command, run).code == 0
    drawn = emomap("figure", run, "--images", "05,06", "-o", tmp_path / "f.png")
    assert drawn.code == 0, drawn.err


def test_predict_writes_maps_by_a_card(
    emomap: Command, dataset: Path, card: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = emomap("predict", dataset / "images", "--method", card, "-o", out)
    assert ran.code == 0, ran.err
    assert len(list(out.glob("*.npy"))) == 12
    ran = emomap("predict", dataset / "images", "-m", card, "-o", tmp_path / "p", "--format", "png")
    assert len(list((tmp_path / "p").glob("*.png"))) == 12
    one = emomap("predict", dataset / "images", "-m", card, "-o", tmp_path / "b", "-j", 2,
                 "--set", "method.red.batch=1")  # fmt: skip
    assert one.code == 0
    for file in out.glob("*.npy"):
        assert np.array_equal(np.load(file), np.load(tmp_path / "b" / file.name))


def test_a_program_needs_trust(emomap: Command, dataset: Path, card: Path, tmp_path: Path) -> None:
    exported(tmp_path, Redness())
    card.write_text(card.read_text().replace("model.onnx", "model.pt2"))
    command = ("predict", dataset / "images", "--method", card, "-o", tmp_path / "out")
    ran = emomap(*command)
    assert ran.code == 2
    assert "--trust" in ran.err
    refused = emomap(*command, "--set", "method.red.trust=true")
    assert refused.code == 2
    assert not list((tmp_path / "out").glob("*.npy"))
    assert emomap(*command, "--trust").code == 0
    card.write_text(card.read_text().replace("[input]", "trust = true\n[input]"))
    assert emomap(*command).code == 1


def test_a_card_is_written_from_the_file(emomap: Command, card: Path, tmp_path: Path) -> None:
    ran = emomap("methods", "card", tmp_path / "model.onnx")
    assert ran.code == 0, ran.err
    assert "size = [24, 40]" in ran.out
    assert 'name = "picture"' in ran.out
    written = tmp_path / "written.toml"
    assert emomap("methods", "card", tmp_path / "model.onnx", "-o", written).code == 0
    assert written.read_text() == ran.out
    assert emomap("methods", "card", tmp_path / "none.onnx").code == 1
    odd = tmp_path / "model.bin"
    odd.write_bytes(b"x")
    assert "--runtime" in emomap("methods", "card", odd).err


def test_wrong_use_of_cards(emomap: Command, dataset: Path, card: Path, tmp_path: Path) -> None:
    command = ("bench", "--data", dataset, *LIGHT, "-o", tmp_path / "run")
    for spec, words in (
        (tmp_path / "none.toml", "there is no such file"),
        (f"center={card}", "two methods are called center"),
        (f"gbvs={tmp_path / 'none'}", "there is no folder"),
    ):
        ran = emomap(*command, "-m", spec)
        assert ran.code in {1, 2}
        assert words in ran.err
    digits = "0" * 64
    card.write_text(f'sha256 = "{digits}"\n' + card.read_text())
    ran = emomap(*command, "-m", card)
    assert ran.code == 1
    assert "SHA-256" in ran.err
    assert not (tmp_path / "run").exists()


def test_methods_are_grouped(emomap: Command) -> None:
    out = emomap("methods").out
    assert out.index("gbvs") < out.index("Learned") < out.index("attention_center")
    assert out.index("attention_center") < out.index("Trainable") < out.index("islamnet")
    listed = json.loads(emomap("methods", "--json").out)
    assert {"name", "kind", "summary"} == set(listed[0])


# ------------------------------------------------------------------------------- attention_center


def test_attention_center_is_the_recorded_one(emomap: Command, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    weights = shared("data/weights/attention_center-8968fe82.tflite")
    recorded = np.load(shared("fixtures/models/attention_center_osie.npz"))
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in list(recorded)[:3]:
        (photos / f"{name}.jpg").symlink_to(shared(f"data/osie/images/{name}.jpg"))
    option = f"method.attention_center.weights={weights}"
    command = ("predict", photos, "-m", "attention_center", "-o", tmp_path / "out")
    ran = emomap(*command, "--set", option)
    assert ran.code == 0, ran.err
    for name in list(recorded)[:3]:
        found = np.load(tmp_path / "out" / f"{name}.npy")
        small = found.reshape(120, 4, 160, 4).mean(axis=(1, 3))
        assert np.abs(small - recorded[name]).max() < 1e-5
    other = tmp_path / "other.tflite"
    other.write_bytes(weights.read_bytes()[:-1] + b"x")
    ran = emomap(
        *command[:-1], tmp_path / "no", "--set", f"method.attention_center.weights={other}"
    )
    assert ran.code == 1
    assert "SHA-256" in ran.err


def test_attention_center_without_a_network(
    emomap: Command, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOMAP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nobody listens there
    ran = emomap("predict", dataset, "-m", "attention_center", "-o", tmp_path / "out")
    assert ran.code == 1
    assert "--set method.attention_center.weights=FILE" in ran.err
    assert len(ran.err.strip().splitlines()) == 1


# ----------------------------------------------------------------------------------------- export


@pytest.mark.parametrize("ending", ["onnx", "pt2"])
def test_an_exported_network_gives_the_same_maps(
    ending: str, emomap: Command, dataset: Path, tmp_path: Path
) -> None:
    if ending == "onnx":
        for package in ("onnxruntime", "onnx", "onnxscript"):
            pytest.importorskip(package)
    from emomap.methods.islamnet import ISLAMNet
    from emomap.sample import EMOTIONS

    made = ISLAMNet("small", "none", size=32, channels=8)
    made.classes = EMOTIONS
    torch.manual_seed(2)
    made.module = made.build(EMOTIONS).eval()
    made.save(tmp_path / "checkpoint.safetensors")
    ran = emomap("export", tmp_path / "checkpoint.safetensors", "-o", tmp_path / f"net.{ending}")
    assert ran.code == 0, ran.err
    assert ran.out.strip() == str(tmp_path / "net.toml")
    for method, extra, out in (
        ("islamnet", ("--checkpoint", tmp_path / "checkpoint.safetensors"), "a"),
        (tmp_path / "net.toml", ("--trust",), "b"),
    ):
        ran = emomap("predict", dataset / "images", "-m", method, *extra, "-o", tmp_path / out,
                     "--format", "npy")  # fmt: skip
        assert ran.code == 0, ran.err
    for file in sorted((tmp_path / "a").glob("*.npy")):
        one, other = np.load(file), np.load(tmp_path / "b" / file.name)
        assert one.shape == other.shape
        assert np.abs(one - other).max() < 1e-4 * max(1.0, float(one.max()))


def test_wrong_exports(emomap: Command, tmp_path: Path) -> None:
    torch.save({"method": "Other"}, tmp_path / "c.pt")
    for out, words in (("a.tflite", "ending must be"), ("a.pt2", "none of emomap's own")):
        ran = emomap("export", tmp_path / "c.pt", "-o", tmp_path / out)
        assert ran.code == 2
        assert words in ran.err
    assert emomap("export", tmp_path / "none.pt", "-o", tmp_path / "a.pt2").code == 1
