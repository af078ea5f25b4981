"""Damaged checkpoints, and the files that an interrupted command resumes from."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emomap import method as registry
from emomap.errors import EmomapError, UsageError
from emomap.experiment.finished import Finishes
from emomap.io.resumable import ResumeFile
from emomap.io.schema import read_json
from emomap.nn.checkpoint import write_checkpoint
from emomap.predict import PredictionLine, read_predictions
from emomap.report.charts import learning_curves
from emomap.training.state import restore

SMALL = {"backbone": "small", "weights": "none", "size": 32}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The content of a good checkpoint of WILDCAT."""
    made = registry.build(registry.load("wildcat"), "wildcat", SMALL)
    made.classes = ("awe", "fear")
    made.module = made.build(made.classes)
    file = tmp_path_factory.mktemp("checkpoint") / "good.pt"
    made.save(file, {"threads": 1})
    state: dict[str, Any] = torch.load(file, weights_only=True)
    return state


def drop(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda state: state.pop(key)


def put(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda state: state.__setitem__(key, value)


def option(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda state: state["options"].__setitem__(key, value)


DAMAGES = {
    "no recipe": drop("recipe"),
    "recipe None": put("recipe", None),
    "threads": put("recipe", {"threads": "many"}),
    "million threads": put("recipe", {"threads": 1_000_000}),
    "no options": drop("options"),
    "options a list": put("options", [1]),
    "size text": option("size", "large"),
    "size None": option("size", None),
    "size huge": option("size", 10**9),
    "size a half": option("size", 32.5),
    "backbone a number": option("backbone", 7),
    "backbone unknown": option("backbone", "resnet-none"),
    "alpha nan": option("alpha", float("nan")),
    "another option": option("colour", 3),
    "no classes": drop("classes"),
    "classes a number": put("classes", 8),
    "classes numbers": put("classes", [1, 2]),
    "classes empty": put("classes", []),
    "one class more": put("classes", ["a", "b", "c"]),
    "no weights": drop("weights"),
    "weights a list": put("weights", [1.0]),
    "weights numbers": lambda state: state.__setitem__(
        "weights", dict.fromkeys(state["weights"], 1)
    ),
    "weights of another shape": lambda state: state.__setitem__(
        "weights", {key: torch.zeros(3) for key in state["weights"]}
    ),
    "method a number": put("method", 5),
    "another method": put("method", "ISLAMNet"),
    "format": put("format", None),
}  # fmt: skip


#: What a file that holds only tensors cannot have.
PICKLED = {"no weights", "weights a list", "weights numbers"}


@pytest.mark.parametrize(
    ("name", "ending"),
    [(name, ".pt") for name in DAMAGES]
    + [(n, ".safetensors") for n in DAMAGES if n not in PICKLED],
)
def test_a_damaged_checkpoint_is_named(
    checkpoint: dict[str, Any], tmp_path: Path, name: str, ending: str
) -> None:
    state = copy.deepcopy(checkpoint)
    DAMAGES[name](state)
    file = tmp_path / f"bad{ending}"
    write_checkpoint(file, state)
    fresh = registry.build(registry.load("wildcat"), "wildcat", SMALL)
    if name == "another option":  # of a later release
        fresh.load(file, device="cpu")
        assert not hasattr(fresh, "colour")
        return
    with pytest.raises(EmomapError, match=r"bad\.(pt|safetensors): "):
        fresh.load(file, device="cpu")


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("wildcat", {"size": "large"}, "size: input should be a valid integer"),
        ("wildcat", {"size": True}, "size: input should be a valid integer"),
        ("islamnet", {"angles": "all"}, "angles: "),
        ("islamnet", {"angles": ["a"]}, "angles: "),
        ("jcdl", {"sigma": float("nan")}, "sigma: input should be a finite number"),
        ("center", {"fit": 3}, "fit: input should be a valid boolean"),
        ("covsal", {"patches": 8}, "patches: "),
        ("bms", {"step": None}, "step: input should be a valid number"),
    ],
)
def test_an_option_of_another_type_is_refused(
    name: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        registry.build(registry.load(name), name, options)


BROKEN_STATES = {
    "empty": {},
    "no weights": {"identity": {}, "optimizer": {}, "progress": {}},
    "progress": {"identity": {}, "weights": {}, "optimizer": {}, "progress": {"step": "x"}},
    "unknown": {"identity": {}, "weights": {}, "optimizer": {}, "progress": {"steps": 1}},
    "identity": {"identity": 3, "weights": {}, "optimizer": {}, "progress": {}},
}


@pytest.mark.parametrize("name", BROKEN_STATES)
def test_a_damaged_state_of_a_training_is_named(tmp_path: Path, name: str) -> None:
    network = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    file = tmp_path / "state.pt"
    torch.save(BROKEN_STATES[name], file)
    with pytest.raises(EmomapError, match=r"state\.pt: "):
        restore(file, {}, network, optimizer)


LINES = {
    "not an object": [1],
    "no image": {"emotion": "awe", "probabilities": None, "problem": None},
    "image a number": {"image": 3, "emotion": None, "probabilities": None, "problem": None},
    "probability above one": {
        "image": "a", "emotion": "awe", "probabilities": [1.5], "problem": None
    },
    "probability text": {"image": "a", "emotion": "awe", "probabilities": ["x"], "problem": None},
    "emotion a list": {"image": "a", "emotion": [], "probabilities": None, "problem": None},
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_a_damaged_prediction_is_named(tmp_path: Path, name: str) -> None:
    file = tmp_path / "predictions.jsonl"
    good = {"image": "a", "emotion": "awe", "probabilities": [0.25, 0.75], "problem": None}
    file.write_text(json.dumps(good) + "\n" + json.dumps(LINES[name]) + "\n")
    with pytest.raises(EmomapError, match=r"predictions\.jsonl, line 2: .*; remove the file"):
        read_predictions(file)
    file.write_text(json.dumps(good) + '\n{"image"')
    assert read_predictions(file) == [good]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "x",
        "[" * 100_000,
        "1" * 5000,
        '{"smooth": {"sigma": "x", "weight": 0}, "center": {"sigma": 0, "weight": 0}}',
        '{"smooth": {"sigma": NaN, "weight": 0}, "center": {"sigma": 0, "weight": 0}}',
        '{"smooth": {"sigma": -1, "weight": 0}, "center": {"sigma": 0, "weight": 0}}',
        '{"smooth": {"sigma": 0, "weight": 0}}',
    ],
)
def test_a_damaged_choice_of_the_smoothing_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "finish.json"
    file.write_text(text)
    with pytest.raises(EmomapError, match=r"finish\.json: "):
        read_json(file, Finishes)


@pytest.mark.parametrize(
    "text", ["[1]\n", '{"loss": 1}\n', '{"epoch": "x"}\n', "[" * 99_999 + "\n"]
)
def test_a_damaged_log_of_a_training_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "training.jsonl"
    file.write_text('{"epoch": 1, "loss": 2.0}\n' + text + "\n")
    with pytest.raises(EmomapError, match=r"training\.jsonl, line 2: "):
        learning_curves(file)


@pytest.mark.parametrize(
    "line",
    [
        [1],
        {"image": 3},
        {"image": "a", "emotion": None, "probabilities": [2.0], "problem": None},
        "text",
    ],
)
def test_a_result_to_resume_from_is_checked(tmp_path: Path, line: object) -> None:
    good = {"image": "a", "emotion": "awe", "probabilities": [1.0], "problem": None}
    file = ResumeFile(tmp_path / "x.part", {"of": "this"}, PredictionLine)
    assert file.read() == []
    file.add(good)
    file.flush()
    with file.path.open("a") as stream:
        stream.write('\n{"cut')
    file.add(good)
    file.flush()
    assert file.read() == [good, good]
    with file.path.open("a") as stream:
        stream.write("\n" + json.dumps(line) + "\n")
    with pytest.raises(EmomapError, match=r"x\.part, line 6: .*; remove the file"):
        file.read()
    assert ResumeFile(file.path, {"of": "another"}, PredictionLine).read() == []


def test_a_checkpoint_of_paef_with_odd_arrays_is_named(tmp_path: Path) -> None:
    fresh = registry.build(registry.load("paef"), "paef", {})
    file = tmp_path / "paef.npz"
    for arrays in (
        {"format": np.array("emomap paef 1")},
        {"format": np.array("emomap paef 1"), "classes": np.array(3)},
        {"format": np.array(["emomap paef 1"]), "classes": np.array(["a"]), "table": np.zeros(0)},
        {
            "format": np.array("emomap paef 1"), "classes": np.array(["a", "b"]),
            "table": np.array([["x"]]), "labels": np.array([0]), "center": np.zeros(3),
            "spread": np.zeros(2), "cost": np.array("y"), "gamma": np.array([]),
        },
    ):  # fmt: skip
        np.savez(file, **arrays)
        with pytest.raises(EmomapError, match=r"paef\.npz: "):
            fresh.load(file)
