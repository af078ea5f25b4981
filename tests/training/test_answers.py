"""Learning from people's distributions, and a head for valence and arousal."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from emomap import training
from emomap.errors import UsageError
from emomap.methods.jcdl import JCDLModule, label_distribution
from emomap.nn.affect import AffectHead, affect_of
from emomap.predict import predict_classes
from emomap.sample import Dataset
from emomap.training.answers import Answers, pack, ratings_of, shares_of, unpack
from tests.training.test_training import SETTINGS, Toy, dataset


def rated(folder: Path, count: int, share: float = 0.7) -> Dataset:
    """Bright pictures are pleasant and awesome to most people, dark ones the reverse."""
    plain = dataset(folder, count)
    samples = []
    for sample in plain:
        likely = sample.emotion or ""
        other = {"awe": "fear", "fear": "awe"}[likely]
        bright = likely == "awe"
        samples.append(
            replace(
                sample,
                distribution={likely: share, other: 1 - share},
                valence=7.0 if bright else 3.0,
                arousal=None if bright else 6.0,
            )
        )
    return replace(plain, samples=tuple(samples), affect_range=(1.0, 9.0))


def trained(folder: Path, out: str = "out", **changes: Any) -> Toy:
    method = Toy()
    settings = {**SETTINGS, "epochs": 30, "learning_rate": 0.1, "shift": 0.0, **changes}
    train, validation = rated(folder / "train", 12), rated(folder / "val", 6)
    training.train(
        method, train, validation, settings, folder / out, seed=5, device="cpu", progress=False
    )
    return method


# --- packing ------------------------------------------------------------------------------------


def test_answers_are_packed_and_cut_like_labels(tmp_path: Path) -> None:
    data = rated(tmp_path, 4)
    labels = torch.tensor([0, 1, 0, 1])
    shares, ratings = shares_of(data.samples, data.classes), ratings_of(data.samples)
    found = unpack(pack(Answers(labels, shares, ratings))[1:3])
    assert shares is not None and found.shares is not None and found.ratings is not None
    assert torch.equal(found.labels, labels[1:3])
    torch.testing.assert_close(found.shares, shares[1:3])
    torch.testing.assert_close(found.ratings, ratings[1:3], equal_nan=True)
    assert torch.equal(pack(Answers(labels)), labels)
    assert unpack(pack(Answers(labels, None, ratings))).shares is None


def test_a_distribution_over_other_emotions_is_refused(tmp_path: Path) -> None:
    data = rated(tmp_path, 4)
    with pytest.raises(UsageError, match=r"0: its distribution is over awe, fear, but .* joy"):
        shares_of(data.samples, ("awe", "joy"))


# --- distributions ------------------------------------------------------------------------------


def test_kl_is_the_divergence_from_peoples_answers() -> None:
    network = Toy().build(("a", "b", "c"))
    network.loss = "kl"
    logits = torch.tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 3.0]])
    labels = torch.tensor([1, 2])
    shares = torch.tensor([[0.25, 0.75, 0.0], [torch.nan] * 3])
    network.shares = shares
    guess = logits.double().softmax(dim=1)
    first = 0.25 * math.log(0.25 / guess[0, 0]) + 0.75 * math.log(0.75 / guess[0, 1])
    second = -math.log(guess[1, 2])  # nobody asked: all of it at the label
    assert float(network.criterion(logits, labels)) == pytest.approx((first + second) / 2, rel=1e-6)
    network.shares = None
    expected = F.cross_entropy(logits, labels)
    torch.testing.assert_close(network.criterion(logits, labels), expected)


def test_kl_learns_how_divided_people_are(tmp_path: Path) -> None:
    """Cross entropy grows certain; with kl, the probability goes to the share of 70%."""
    pictures = [sample.image() for sample in rated(tmp_path / "val", 6)]
    certain = trained(tmp_path, "ce").predict(pictures)
    divided = trained(tmp_path, "kl", loss="kl").predict(pictures)

    def top(found: Any) -> float:
        return float(np.mean([p.probabilities.max() for p in found]))

    assert top(divided) == pytest.approx(0.7, abs=0.08)
    assert top(certain) > 0.85


def test_jcdl_learns_from_real_distributions_where_there_are_some() -> None:
    classes = ("amusement", "contentment", "fear")
    module = JCDLModule.__new__(JCDLModule)
    torch.nn.Module.__init__(module)
    module.weight, module.label_smoothing = 0.8, 0.0
    module.register_buffer("class_weights", None, persistent=False)
    module.register_buffer("distribution", label_distribution(classes), persistent=False)
    module.backbone, module.classifier = torch.nn.Flatten(), torch.nn.Identity()
    logits = torch.tensor([[1.0, 0.2, -1.0], [0.3, 0.1, 0.0]])
    labels = torch.tensor([0, 1])
    asked = torch.tensor([0.5, 0.1, 0.4])
    module.shares = torch.stack([asked, torch.full((3,), torch.nan)])
    found = module.losses(logits, labels)
    wheel = label_distribution(classes)[1].float()
    soft = F.cross_entropy(logits, torch.stack([asked, wheel]))
    torch.testing.assert_close(found["distribution"], soft)
    torch.testing.assert_close(found["loss"], 0.2 * F.cross_entropy(logits, labels) + 0.8 * soft)


# --- valence and arousal ------------------------------------------------------------------------


def test_the_head_learns_ratings_and_predicts_them(tmp_path: Path) -> None:
    method = trained(tmp_path, affect=True)
    data = rated(tmp_path / "val", 6)
    again = Toy()
    again.load(tmp_path / "out/checkpoint.safetensors", device="cpu")
    assert method.module is not None and affect_of(method.module) is not None
    found = again.ratings([sample.image() for sample in data])
    assert found is not None
    wanted = [sample.valence for sample in data]
    np.testing.assert_allclose(found[:, 0], wanted, atol=0.8)
    assert found.min() >= 1 and found.max() <= 9
    log = (tmp_path / "out/training.jsonl").read_text()
    assert "loss_affect" in log and "validation_affect_rmse" in log
    table = tmp_path / "predictions.jsonl"
    outcomes = predict_classes(again, data.samples, tmp_path / "maps", table, show=False)
    assert outcomes == []
    rows = list(csv.DictReader((tmp_path / "predictions.csv").open()))
    assert list(rows[0])[-4:] == ["p_awe", "p_fear", "valence", "arousal"]
    np.testing.assert_allclose([float(row["valence"]) for row in rows], found[:, 0], rtol=1e-6)


def test_without_the_head_nothing_changes(tmp_path: Path) -> None:
    method = trained(tmp_path, epochs=2)
    data = rated(tmp_path / "val", 6)
    assert method.ratings([sample.image() for sample in data]) is None
    table = tmp_path / "predictions.jsonl"
    predict_classes(method, data.samples, tmp_path / "maps", table, show=False)
    assert "valence" not in table.read_text() + table.with_suffix(".csv").read_text()


def test_the_loss_of_the_head_counts_known_ratings_alone() -> None:
    head = AffectHead(3)
    ratings = torch.tensor([[2.0, torch.nan], [4.0, 5.0]])
    head.learn_scale(ratings, None)
    assert head.centre.tolist() == [3.0, 5.0]
    features = torch.tensor([[1.0, 0.0, 2.0], [0.5, 1.0, 0.0]])
    guess = head.standard(features)
    errors = [guess[0, 0] + 1, guess[1, 0] - 1, guess[1, 1]]
    expected = sum(float(error.detach()) ** 2 for error in errors) / 3
    assert float(head.loss(features, ratings).detach()) == pytest.approx(expected, rel=1e-5)


def test_no_ratings_and_no_backbone_are_refused(tmp_path: Path) -> None:
    plain = dataset(tmp_path, 6)
    with pytest.raises(UsageError, match=r"no training picture of toy has valence .* affect\.csv"):
        training.train(
            Toy(), plain, plain, {**SETTINGS, "affect": True}, tmp_path / "o", progress=False
        )


def test_an_interrupted_training_with_a_head_resumes_to_the_same(tmp_path: Path) -> None:
    whole = trained(tmp_path, "whole", affect=True, loss="kl", epochs=4)
    settings = {**SETTINGS, "epochs": 4, "learning_rate": 0.1, "shift": 0.0}
    numbers = training.Settings.parse({**settings, "affect": True, "loss": "kl"})
    train, validation = rated(tmp_path / "train", 12), rated(tmp_path / "val", 6)

    def prepared() -> training.Training:
        return training.Training(
            Toy(), train, validation, numbers, tmp_path / "torn", seed=5, device="cpu", show=False
        )

    first = prepared()
    first.state.step = 0
    batches = first._batches(0, 0)
    for step in range(2):
        for key, value in first._step(step, *next(batches)).items():
            first.state.sums[key] = first.state.sums.get(key, 0.0) + value.double()
        first.state.step = step + 1
    first._save()
    prepared().run()
    torn = Toy()
    torn.load(tmp_path / "torn/checkpoint.safetensors", device="cpu")
    assert whole.module is not None and torn.module is not None
    for (name, one), other in zip(
        whole.module.state_dict().items(), torn.module.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other), name
