"""Classifiers beside each other: what `summary.json` keeps, tests, tables."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emomap.analysis import emotions
from emomap.data.emotion_tables import EmotionTable
from emomap.runs.schemas import EmotionsEntry
from emomap.scoring.emotions.judged import judge
from emomap.scoring.emotions.scores import EmotionScores, score_judged

NAMES = ("amusement", "anger", "awe", "fear")


def scores(
    right: float, seed: int = 0, n: int = 80, classes: tuple[str, ...] = NAMES
) -> EmotionScores:
    """Predictions of which about a share of ``right`` are."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % len(classes)
    hit = rng.random(n) < right
    predicted = np.where(hit, label, rng.integers(0, len(classes), n))
    chances = np.full((n, len(classes)), 0.4 / (len(classes) - 1))
    chances[np.arange(n), predicted] = 0.6
    images = tuple(f"p{at:03}" for at in range(n))
    truth = EmotionTable("truth", images, tuple(classes[at] for at in label))
    guess = EmotionTable("guess", images, tuple(classes[at] for at in predicted), classes, chances)
    return score_judged(judge(guess, truth))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    both = {"poor": scores(0.1), "good": scores(0.9, 1)}
    return {"dataset": "made", **emotions.findings(both, 0)}


def test_without_classifiers_there_is_nothing() -> None:
    assert emotions.findings({}, 0) == {}
    assert emotions.tables({"dataset": "made"}) == []


def test_values_are_those_of_the_scores(found: dict[str, Any]) -> None:
    entry = found["emotions"]["methods"]["good"]
    own = scores(0.9, 1)
    assert entry["measures"] == own.summary()
    assert entry["per_class"] == own.per_class()
    assert sum(b["n"] for b in entry["reliability"]) == entry["n"] == 80


def test_the_best_is_first_and_the_others_are_tested_against_it(found: dict[str, Any]) -> None:
    assert emotions.order(found) == ["good", "poor"]
    assert found["emotions"]["against"] == "good"
    tests = found["emotions"]["tests"]
    assert list(tests) == ["poor"]
    means = {n: e["measures"] for n, e in found["emotions"]["methods"].items()}
    for name in ("accuracy", "f1", "ecc", "polarity_accuracy", "balanced_accuracy"):
        assert tests["poor"][name]["difference"] == pytest.approx(
            means["poor"][name]["mean"] - means["good"][name]["mean"], abs=1e-12
        )
        assert tests["poor"][name]["p_holm"] < 0.01


def test_equal_classifiers_do_not_differ() -> None:
    tests = emotions.findings({"a": scores(0.5), "b": scores(0.5)}, 0)["emotions"]["tests"]
    assert all(test["p"] == 1 for one in tests.values() for test in one.values())


def test_what_is_kept_is_read_back(found: dict[str, Any]) -> None:
    from pydantic import TypeAdapter

    text = json.dumps(found["emotions"])
    assert TypeAdapter(EmotionsEntry).validate_json(text) == found["emotions"]


def test_tables(found: dict[str, Any]) -> None:
    measured, recall = emotions.tables(found)
    assert [row[0] for row in measured.rows] == ["good", "", "poor", ""]
    at = measured.header.index("accuracy ↑")
    assert (0, at) in measured.best
    assert measured.rows[2][at].endswith("*")
    assert [row[0] for row in recall.rows] == sorted(NAMES)
    assert [row[1] for row in recall.rows] == ["20"] * 4
    plain = emotions.tables(found, intervals=False)[0]
    assert [row[0] for row in plain.rows] == ["good", "poor"]
    assert max(map(len, measured.render("table").splitlines())) <= 80


def test_why_a_measure_is_missing_is_said() -> None:
    odd = scores(0.5, classes=("anger", "surprise"))
    table = emotions.tables({"dataset": "made", **emotions.findings({"a": odd}, 0)})[0]
    assert "ECC ↑" not in table.header
    assert any("'surprise' is not on the wheel" in note and "ECC" in note for note in table.notes)


def test_images_that_one_lacks_are_left_out_of_the_test_only() -> None:
    one = scores(0.9)
    fewer = replace(
        one, judged=one.judged, values={k: one.values[k] for k in list(one.values)[:10]}
    )
    made = emotions.findings({"a": one, "b": fewer}, 0)["emotions"]
    assert made["methods"]["a"]["measures"]["accuracy"]["n"] == 80
    assert made["methods"]["b"]["measures"]["accuracy"]["n"] == 10
