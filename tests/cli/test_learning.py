"""`emomap bench`, `train` and `predict` with a small network on the embedded data set."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emomap.sample import EMOTIONS
from tests.cli.conftest import Command
from tests.cli.test_bench import tables

#: Two epochs of 32 pictures teach nothing; they test that all files are made and kept.
TOY = (
    *("--set", "data.train=32", "--set", "data.val=8", "--set", "data.test=8"),
    *("--set", "training.epochs=2", "--set", "bench.report=false"),
    *("--set", "training.threads=1"),
    *("--set", 'bench.baselines=["uniform","center"]', "--set", "training.save_every=0.1"),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that the tests of this file share."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("EMOMAP_HOME", str(home))


def test_run_of_a_network_leaves_everything_that_a_user_needs(
    emomap: Command, tmp_path: Path, home: Path
) -> None:
    run = tmp_path / "run"
    ran = emomap("bench", "--method", "islamnet", "-o", run, *TOY)
    assert ran.code == 0, ran.err
    assert "SYNTHETIC" in ran.out
    assert "confusion matrix" in ran.out
    summary = json.loads((run / "summary.json").read_text())
    assert summary["synthetic"] is True
    assert {"islamnet", "islamnet-smooth", "islamnet-center"} <= summary["methods"].keys()
    entry = summary["methods"]["islamnet"]
    assert 0 <= entry["accuracy"] <= 1
    assert sum(map(sum, entry["confusion"])) == 8
    assert summary["methods"]["center"]["accuracy"] is None
    for file in ("checkpoint.safetensors", "training.jsonl", "training.png", "predictions.jsonl"):
        assert (run / "methods" / "islamnet" / file).exists(), file
    assert len(list((run / "maps" / "islamnet").rglob("*.png"))) == 8
    assert "train islamnet" in ran.err
    assert "maps of islamnet: 8/8" in ran.err  # pictures, not batches

    checkpoint = run / "methods" / "islamnet" / "checkpoint.safetensors"
    again = tmp_path / "again"
    ran = emomap(
        "bench", "-m", "islamnet", "--checkpoint", f"islamnet={checkpoint}", "-o", again, *TOY, "-q"
    )  # fmt: skip
    assert ran.code == 0, ran.err
    redone = json.loads((again / "summary.json").read_text())["methods"]["islamnet"]
    assert redone == entry

    pictures = next(home.rglob("images/test"))
    ran = emomap(
        "predict", pictures, "-m", "islamnet", "--checkpoint", checkpoint, "-o", tmp_path / "maps"
    )
    assert ran.code == 0, ran.err
    assert len(list((tmp_path / "maps").rglob("*.png"))) == 8
    first = (tmp_path / "maps" / "00000.png").read_bytes()
    assert first == (run / "maps" / "islamnet" / "test" / "00000.png").read_bytes()


def test_checkpoint_that_knows_other_emotions_gives_maps_but_no_accuracy(
    emomap: Command, tmp_path: Path, dataset: Path
) -> None:
    small = ("--recipe", "demo", "--set", "training.epochs=1", "--set", "training.threads=1",
             "--set", "bench.report=false", "-q")  # fmt: skip
    ran = emomap("train", "-m", "wildcat", "-o", tmp_path / "run", *TOY, "-q")
    assert ran.code == 0, ran.err
    images = sorted(path.stem for path in (dataset / "images").iterdir())
    (dataset / "labels.csv").write_text(
        "image,emotion\n" + "".join(f"{name},joy\n" for name in images), "utf-8"
    )
    (dataset / "dataset.toml").write_text('classes = ["joy", "surprise"]\n', "utf-8")
    checkpoint = f"wildcat={ran.out.strip()}"
    ran = emomap(
        "bench", "-m", "wildcat", "--no-baselines", "--checkpoint", checkpoint, "-d", dataset,
        "--split", "all", "-o", tmp_path / "other", *small,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "no accuracy, since it knows emotions" in ran.out
    entry = json.loads((tmp_path / "other/summary.json").read_text())["methods"]["wildcat"]
    assert entry["accuracy"] is None and entry["metrics"]["cc"]["n"] == 12
    table = (tmp_path / "other/methods/wildcat/predictions.jsonl").read_text().splitlines()
    assert json.loads(table[0])["emotion"] in EMOTIONS


def test_bench_resumes_from_train(emomap: Command, tmp_path: Path) -> None:
    ran = emomap("train", "-o", tmp_path / "run", *TOY, "-q")
    assert ran.code == 0, ran.err
    checkpoint = Path(ran.out.strip())
    stamp = checkpoint.stat().st_mtime_ns
    assert emomap("bench", "-m", "islamnet", "-o", tmp_path / "run", *TOY, "-q").code == 0
    assert checkpoint.stat().st_mtime_ns == stamp


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_training_ends_with_the_same_bytes(emomap: Command, tmp_path: Path) -> None:
    command = ["bench", "--method", "islamnet", *TOY, "--quiet"]
    assert emomap(*command, "-o", tmp_path / "whole").code == 0
    for delay in (6, 8, 10, 12):  # seconds: while training, predicting, scoring on most machines
        run = subprocess.Popen(
            [sys.executable, "-m", "emomap", *command, "-o", str(tmp_path / "killed")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert emomap(*command, "-o", tmp_path / "killed").code == 0
    assert tables(tmp_path / "killed") == tables(tmp_path / "whole")


def test_file_that_is_not_a_checkpoint_is_refused(emomap: Command, tmp_path: Path) -> None:
    fake = tmp_path / "fake.pt"
    fake.write_bytes(b"not a checkpoint")
    ran = emomap(
        "bench", "-m", "islamnet", "--checkpoint", f"islamnet={fake}", "-o", tmp_path / "r", *TOY
    )
    assert ran.code == 1
    assert not (tmp_path / "r").exists(), "refused before any work"
    assert "fake.pt" in ran.err.splitlines()[-1]
