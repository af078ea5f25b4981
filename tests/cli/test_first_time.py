"""The first training on real pictures succeeds at the first attempt, or says at once why not."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from emomap import recipes
from emomap.data import splits
from emomap.errors import UsageError
from emomap.methods.islamnet import ISLAMNet
from emomap.sample import EMOTIONS, Dataset, Sample
from emomap.training.settings import Settings
from tests.cli.conftest import Command

TOY = (
    *("--recipe", "demo", "--set", "training.epochs=1", "--set", "training.batch=4"),
    *("--set", "training.threads=1"),
    *("--set", "method.islamnet.size=32", "--set", "bench.report=false"),
    *("--set", 'score.metrics=["cc"]', "--set", 'bench.baselines=["center"]'),
)


@pytest.fixture
def photos(dataset: Path) -> Path:
    """Twelve labelled pictures in FI's layout: a folder for each emotion."""
    root = dataset.parent / "fi"
    for index, path in enumerate(sorted((dataset / "images").iterdir())):
        target = root / ("awe", "fear")[index % 2] / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return root


def test_dry_run_says_what_comes_and_writes_nothing(
    emomap: Command, photos: Path, tmp_path: Path
) -> None:
    ran = emomap("train", "-d", photos, "-o", tmp_path / "run", "--dry-run", *TOY)
    assert ran.code == 0, ran.err
    assert "pictures to train on (" in ran.out and "steps of about" in ran.out
    assert not (tmp_path / "run").exists()
    ran = emomap("train", "-d", photos, "--dry-run", "-m", "islamnet")
    assert ran.code == 1 and "the weights of resnet101 cannot be downloaded" in ran.err


def test_bench_with_gaze_resumes_from_train(
    emomap: Command, dataset: Path, photos: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    ran = emomap("train", "-d", photos, "-o", run, *TOY)
    assert ran.code == 0, ran.err
    checkpoint = run / "methods/islamnet/checkpoint.safetensors"
    before = checkpoint.stat().st_mtime_ns
    other = emomap("bench", "-d", photos, "-o", run, *TOY, "--set", "training.epochs=2")
    assert other.code == 2 and "training.epochs: 1 there, 2 here" in other.err
    ran = emomap("bench", "-d", photos, "--gaze", dataset / "fixations", "-o", run, *TOY)
    assert ran.code == 0, ran.err
    assert "train islamnet" not in ran.err
    assert checkpoint.stat().st_mtime_ns == before
    assert "cc" in json.loads((run / "summary.json").read_text())["methods"]["islamnet"]["metrics"]
    kept = recipes.read_kept(run / "recipe.toml")
    assert kept["run"]["gaze"] == str(dataset / "fixations")
    # what was scored belongs to this gaze
    ran = emomap("bench", "-d", photos, "-o", run, *TOY)
    assert ran.code == 2 and "run.gaze" in ran.err


def test_damaged_pictures_are_named_and_left_out(
    emomap: Command, photos: Path, tmp_path: Path
) -> None:
    damaged = [photos / "awe" / "02.png", photos / "fear" / "05.png"]
    for file in damaged:
        file.write_bytes(file.read_bytes()[:400])
    ran = emomap("train", "-d", photos, "-o", tmp_path / "run", *TOY)
    assert ran.code == 1 and "--skip-unreadable" in ran.err
    run = tmp_path / "other"
    ran = emomap("bench", "-d", photos, "-o", run, "--skip-unreadable", *TOY)
    assert ran.code == 0, ran.err
    assert all(f"left out: {file}" in ran.err for file in damaged)
    (counts,) = re.findall(r"(\d+) pictures to train on .*, (\d+) to validate on", ran.err)
    assert sum(map(int, counts)) == 9  # of twelve, one is for the test
    assert "2 pictures to learn from cannot be read and were left out" in ran.out
    assert set(json.loads((run / "unreadable.json").read_text())) == {"awe/02", "fear/05"}


def test_predictions_have_names(emomap: Command, photos: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert emomap("bench", "-d", photos, "-o", run, *TOY).code == 0
    rows = list(csv.DictReader((run / "methods/islamnet/predictions.csv").open()))
    lines = [
        json.loads(x) for x in (run / "methods/islamnet/predictions.jsonl").read_text().splitlines()
    ]
    assert [row["image"] for row in rows] == [line["image"] for line in lines]
    for row, line in zip(rows, lines, strict=True):
        assert row["label"] == row["image"].partition("/")[0]
        named = {key[2:]: float(value) for key, value in row.items() if key.startswith("p_")}
        assert list(named.values()) == line["probabilities"]
        assert max(named, key=named.__getitem__) == row["predicted"] == line["emotion"]


# --- folds --------------------------------------------------------------------------------------


def labelled(counts: dict[str | None, int]) -> Dataset:
    samples = [
        Sample(f"{emotion}/{index}", Path("x.png"), emotion)
        for emotion, count in counts.items()
        for index in range(count)
    ]
    return Dataset("set", tuple(samples), EMOTIONS)


def test_folds_test_each_picture_once_and_share_emotions_out() -> None:
    whole = labelled({"awe": 100, "fear": 33, None: 7})
    tested: list[str] = []
    for part in range(1, 6):
        folded = splits.fold(whole, part, 5)
        test = folded.split("test")
        tested += [sample.id for sample in test]
        assert sum(s.emotion == "awe" for s in test) == 20
        assert sum(s.emotion == "fear" for s in test) in {6, 7}
        assert {s.emotion for s in folded.split("val")} >= {"awe", "fear"}
        assert len(folded.split("train")) > 0.9 * (len(whole) - len(test))
    assert sorted(tested) == sorted(sample.id for sample in whole)
    with pytest.raises(UsageError, match="33 pictures of fear; take at most 33 folds"):
        splits.fold(whole, 1, 34)


def test_folds_give_mean_and_spread(emomap: Command, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    ran = emomap("bench", "-d", photos, "-o", out, "--folds", 2, *TOY, "-q")
    assert ran.code == 0, ran.err
    assert "mean ± standard deviation over folds 1/2, 2/2" in ran.out
    summaries = [json.loads((out / f"fold{k}/summary.json").read_text()) for k in (1, 2)]
    assert [summary["fold"] for summary in summaries] == ["1/2", "2/2"]
    assert sum(summary["n_images"] for summary in summaries) == 12
    assert (out / "fold1/folds.md").exists()
    again = emomap("bench", "-d", photos, "-o", out, "--folds", 2, *TOY, "-q")
    assert again.out == ran.out
    assert emomap("bench", "-d", photos, "--folds", 2, "--seeds", 2).code == 2


# --- what older versions left -------------------------------------------------------------------


def test_a_recipe_without_todays_numbers_means_what_it_meant() -> None:
    old = recipes.flat(recipes.load("paper"))
    for key in recipes.ADDED:
        assert old.pop(key) == recipes.ADDED[key]
    # a state to resume from takes what it lacks from the settings
    unsaid = {f"training.{key}": value for key, value in asdict(Settings()).items()}
    trained = {key: value for key, value in recipes.ADDED.items() if key in unsaid}
    assert {key: unsaid[key] for key in trained} == trained and len(trained) > 10
    new = recipes.load("paper")
    assert recipes.difference(old, new) == []
    new["training"]["ema"] = 0.9
    assert recipes.difference(old, new) == ["training.ema: 0.0 there, 0.9 here"]


def test_a_checkpoint_without_todays_options_is_read(tmp_path: Path) -> None:
    import torch

    method = ISLAMNet("small", "none", size=32, channels=16)
    method.classes = EMOTIONS
    method.module = method.build(EMOTIONS)
    method.save(tmp_path / "new.pt")
    state = torch.load(tmp_path / "new.pt", weights_only=True)
    first = ("backbone", "weights", "sha256", "size", "angles", "rotation_weight", "channels",
             "reduction", "attention", "f2_activation", "map_reduction")  # fmt: skip
    state["options"] = {key: state["options"][key] for key in first}
    torch.save(state, tmp_path / "old.pt")
    found = ISLAMNet("small", "none")
    found.load(tmp_path / "old.pt", device="cpu")
    assert found.options == method.options


def test_the_paper_recipe_has_the_weights_of_its_time() -> None:
    paper = recipes.load("paper")["method"]
    assert {paper[name]["weights"] for name in paper if name != "paef"} == {"IMAGENET1K_V1"}
    modern = recipes.load("modern")
    assert modern["training"]["optimizer"] == "adamw"
    # one training for all, but for the gates of ISLAMNet, whose weights begin small
    own = {name: s["training"] for name, s in modern["method"].items() if "training" in s}
    assert own == {"islamnet": {"gate_learning_rate": 1e-5}}


def test_numbers_of_methods_that_take_no_part_may_differ(
    emomap: Command, dataset: Path, photos: Path, tmp_path: Path
) -> None:
    run, gbvs = tmp_path / "classical", ("bench", "-d", dataset, "-m", "gbvs", "--no-baselines")
    given = ("--set", 'score.metrics=["cc"]', "--set", "bench.report=false", "-q", "-o", run)
    assert emomap(*gbvs, *given).code == 0
    assert emomap(*gbvs, *given, "--set", "method.spn.weights=none").code == 0
    assert emomap(*gbvs, *given, "--set", "training.epochs=3").code == 0
    ran = emomap(*gbvs, *given, "--set", "score.sigma=3")
    assert ran.code == 2 and "score.sigma" in ran.err
    # a training in the folder depends on its numbers, whoever takes part now
    trained = tmp_path / "trained"
    assert emomap("train", "-d", photos, "-o", trained, *TOY, "-q").code == 0
    other = ("train", "-m", "wildcat", "-d", photos, "-o", trained, *TOY, "-q")
    ran = emomap(*other, "--set", "method.islamnet.channels=32")
    assert ran.code == 2 and "method.islamnet.channels: 64 there, 32 here" in ran.err
