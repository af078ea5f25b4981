"""Measures of emotions: against the codes of the field, scikit-learn, and naive computations."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

import metrics
from metrics import Signature, emotion
from metrics.emotion import CATALOGUE, MIKELS, Wheel
from tests.conftest import shared

DISTANCES = (
    *("chebyshev", "clark", "canberra", "kl_divergence", "cosine", "intersection"),
    *("squared_chord", "sorensen", "euclidean", "fidelity", "squared_chi2"),
)
CONVENTIONS = ("geng", "styleedl", "ecc")

#: What the two codes call what is called otherwise here.
CALLED = {
    "klDiv": "kl_divergence", "kl": "kl_divergence", "squareChord": "squared_chord",
    "sorensendist": "sorensen",
}  # fmt: skip


def pairs(seed: int = 0, n: int = 40, c: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Predictions without zeros, and labels of 15 votes."""
    rng = np.random.default_rng(seed)
    label = rng.multinomial(15, rng.dirichlet(np.full(c, 0.6)), size=n) / 15
    return rng.dirichlet(np.ones(c), size=n), label


# ----------------------------------------------------------------------------------- distributions


@pytest.mark.parametrize("file", ["e1_dense_8", "e2_votes_8", "e3_votes_7"])
@pytest.mark.parametrize("convention", ["styleedl", "ecc"])
def test_means_are_those_of_both_codes(file: str, convention: str) -> None:
    case = json.loads(shared(f"fixtures/emotions/{file}.json").read_text())
    prediction, label = np.array(case["predictions"]), np.array(case["labels"])
    for name, expected in case["means"][convention].items():
        function = getattr(emotion, CALLED.get(name, name))
        found = np.mean(function(prediction, label, convention=convention))
        if expected is None:  # the code divides 0 by 0; here such classes add nothing
            assert found == np.mean(function(prediction, label))
        else:
            assert found == pytest.approx(expected, abs=1e-9), name


def naive(name: str, p: np.ndarray, d: np.ndarray, convention: str) -> float:
    """By the formulas of the page, class by class."""
    each = list(zip(p.tolist(), d.tolist(), strict=True))
    parts = len(each) if convention == "styleedl" else 1
    some = [(a, b) for a, b in each if a + b > 0]
    if name == "kl_divergence":
        if convention == "ecc":
            return sum(b * math.log(b / (a + 1e-10) + 1e-10) for a, b in each if b > 0)
        if any(a == 0 < b for a, b in each):
            return math.inf
        return sum(b * math.log(b / a) for a, b in each if b > 0)
    found = {
        "chebyshev": max(abs(b - a) for a, b in each),
        "clark": math.sqrt(sum(((b - a) / (b + a)) ** 2 for a, b in some) / parts),
        "canberra": sum(abs(b - a) / (b + a) for a, b in some) / parts,
        "cosine": sum(a * b for a, b in each) / (math.hypot(*p) * math.hypot(*d)),
        "intersection": sum(min(a, b) for a, b in each),
        "squared_chord": sum((math.sqrt(a) - math.sqrt(b)) ** 2 for a, b in each),
        "sorensen": sum(abs(b - a) for a, b in each) / sum(a + b for a, b in each),
        "euclidean": math.dist(p, d),
        "fidelity": sum(math.sqrt(a * b) for a, b in each),
        "squared_chi2": sum((b - a) ** 2 / (b + a) for a, b in some),
    }
    return found[name]


@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.sampled_from(CONVENTIONS))
@settings(max_examples=40, deadline=None)
def test_values_are_those_of_the_formulas(seed: int, c: int, convention: str) -> None:
    rng = np.random.default_rng(seed)
    p, d = rng.multinomial(rng.integers(1, 12), np.full(c, 1 / c), size=2) * 1.0
    p, d = p / p.sum(), d / d.sum()
    order = rng.permutation(c)
    for name in DISTANCES:
        entry = CATALOGUE[name]
        found = entry.function(p, d, convention=convention)
        expected = naive(name, p, d, convention)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9), name
        assert entry.range[0] - 1e-8 <= found <= entry.range[1] + 1e-12
        again = entry.function(p[order], d[order], convention=convention)
        assert again == pytest.approx(found, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", DISTANCES)
def test_a_picture_that_is_right_has_the_best_value(name: str) -> None:
    entry = CATALOGUE[name]
    d = np.array([0.5, 0.25, 0.25, 0.0])
    best = entry.range[1] if entry.higher_is_better else entry.range[0]
    assert entry.function(d, d) == pytest.approx(best, abs=1e-12)
    worse = entry.function(np.array([0.25, 0.5, 0.25, 0.0]), d)
    assert (worse - best) * entry.direction < 0


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_tensors_batches_and_gradients(name: str, convention: str) -> None:
    function = CATALOGUE[name].function
    p, d = pairs(n=6)
    whole = function(p, d, convention=convention)
    assert whole.shape == (6,)
    assert function(p[2], d[2], convention=convention) == whole[2]
    assert isinstance(function(p[2].tolist(), d[2].tolist()), float)
    table = function(p[:, None], d[None], convention=convention)
    assert np.diagonal(table) == pytest.approx(whole, rel=1e-13)
    tensor = function(torch.from_numpy(p), torch.from_numpy(d), convention=convention)
    assert torch.equal(tensor, torch.from_numpy(whole))

    def of_logits(logits: torch.Tensor) -> Any:
        chances = torch.softmax(logits, dim=-1)
        return function(chances, torch.from_numpy(d), convention=convention)

    logits = torch.log(torch.from_numpy(p)).requires_grad_()
    assert of_logits(logits).detach().numpy() == pytest.approx(whole, rel=1e-9)
    assert torch.autograd.gradcheck(of_logits, (logits,))


@pytest.mark.parametrize("name", DISTANCES)
def test_gradients_are_finite_where_people_and_model_agree_on_nothing(name: str) -> None:
    p = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    d = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    CATALOGUE[name].function(p, d).sum().backward()
    assert p.grad is not None
    assert torch.isfinite(p.grad).all()


def test_half_precision_is_a_distribution_still() -> None:
    p, d = pairs(n=3)
    half = torch.softmax(torch.log(torch.from_numpy(p)).to(torch.bfloat16), dim=-1)
    found = emotion.kl_divergence(half, d)
    assert found.numpy() == pytest.approx(emotion.kl_divergence(p, d), abs=0.05)


@pytest.mark.parametrize(
    ("prediction", "label", "message"),
    [
        ([0.5, 0.4], [0.5, 0.5], "prediction sums to 0.9"),
        ([[0.5, 0.5], [0.7, 0.7]], [0.5, 0.5], r"prediction of picture \(1,\) sums to 1.4"),
        ([0.5, 0.5], [3.0, 1.0], "divide votes"),
        ([1.5, -0.5], [0.5, 0.5], "1 negative value"),
        ([math.nan, 1.0], [0.5, 0.5], "1 NaN or infinite"),
        ([0.5, 0.5], [math.inf, 0.0], "label has 1 NaN or infinite"),
        ([0.5, 0.5], [0.5, 0.25, 0.25], "the last axis must be the same"),
        ([1.0], [1.0], "2 classes"),
        ([], [], "empty"),
        (np.zeros((0, 8)), np.zeros((0, 8)), "empty"),
        (np.full((2, 2), 0.5), np.full((3, 2), 0.5), "do not go together"),
        (1.0, [1.0, 0.0], "single number"),
        (None, [1.0, 0.0], "prediction is None"),
        ([[0.5, 0.5], [1.0]], [1.0, 0.0], "ragged"),
    ],
)
@pytest.mark.parametrize("name", ["kl_divergence", "clark", "fidelity"])
def test_what_is_no_distribution_is_refused(
    name: str, prediction: Any, label: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        CATALOGUE[name].function(prediction, label)


def test_wrong_types_and_conventions_are_named() -> None:
    with pytest.raises(TypeError, match="must hold numbers"):
        emotion.cosine(["a", "b"], [0.5, 0.5])
    with pytest.raises(ValueError, match="convention is 'mit'; it can be 'geng'"):
        emotion.cosine([0.5, 0.5], [0.5, 0.5], convention="mit")  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------- the wheel

ORDER = ("amusement", "contentment", "awe", "excitement", "fear", "sadness", "disgust", "anger")


def naive_distance(one: str, other: str) -> int:
    i, j = ORDER.index(one), ORDER.index(other)
    if i == j:
        return 1
    if (i < 4) == (j < 4):
        return 1 + abs(i - j)
    return 4 + min(abs(i - j), 8 - abs(i - j))


def test_distances_are_those_of_the_paper() -> None:
    expected = [[naive_distance(a, b) for b in ORDER] for a in ORDER]
    assert MIKELS.distances().tolist() == expected
    assert MIKELS.distance(["Awe", "fear"], [" ANGER", "fear"]).tolist() == [7, 1]


@given(st.lists(st.tuples(st.sampled_from(ORDER), st.sampled_from(ORDER)), min_size=1))
@settings(max_examples=60, deadline=None)
def test_ecc_and_emc_are_those_of_a_loop(found: list[tuple[str, str]]) -> None:
    prediction, label = zip(*found, strict=True)
    apart = [naive_distance(p, t) for p, t in found]
    assert emotion.ecc(prediction, label) == pytest.approx(np.mean([1 / d for d in apart]))
    wrong = [1 / (d - 1) for d in apart if d > 1]
    polarity = np.mean([(ORDER.index(p) < 4) == (ORDER.index(t) < 4) for p, t in found])
    assert emotion.polarity_accuracy(prediction, label) == pytest.approx(polarity)
    if wrong:
        assert emotion.emc(prediction, label) == pytest.approx(np.mean(wrong))
    else:
        with pytest.raises(ValueError, match="EMC has no value: nothing is wrong"):
            emotion.emc(prediction, label)


def test_the_order_of_classes_on_disk_is_nothing() -> None:
    rng = np.random.default_rng(3)
    truth, guess = rng.integers(0, 8, (2, 200))
    expected = [f(guess, truth, classes=ORDER) for f in (emotion.ecc, emotion.emc)]
    for _ in range(5):
        order = rng.permutation(8)
        place = np.argsort(order)
        names = [ORDER[i].title() for i in order]
        again = [f(place[guess], place[truth], classes=names) for f in (emotion.ecc, emotion.emc)]
        assert again == pytest.approx(expected, rel=1e-14)


def test_emotions_beside_the_wheel_are_refused_by_name() -> None:
    for function in (emotion.ecc, emotion.emc, emotion.polarity_accuracy):
        with pytest.raises(ValueError, match="'joy' is not on the wheel mikels"):
            function(["joy", "awe"], ["awe", "awe"])
        with pytest.raises(ValueError, match="give classes"):
            function([1, 2], [1, 1])


def test_a_wheel_of_ones_own(tmp_path: Any) -> None:
    file = tmp_path / "six.toml"
    file.write_text(
        'wheel = ["Joy", "surprise", "fear", "sadness", "disgust", "anger"]\n'
        'positive = ["joy", "Surprise"]\nnegative = ["fear", "sadness", "disgust", "anger"]\n'
    )
    own = Wheel.from_toml(file)
    assert own.name == "six"
    assert own.distances(["joy", "surprise", "anger", "sadness"])[0].tolist() == [1, 2, 5, 7]
    assert emotion.ecc(["JOY"], ["surprise"], wheel=own) == 0.5
    assert emotion.polarity_accuracy(["joy", "anger"], ["surprise", "joy"], wheel=own) == 0.5
    assert own.signed.startswith("six-")
    assert own.signed != Wheel(("joy",), ("anger",), name="six").signed
    file.write_text('positive = ["joy"]\nnegative = ["anger"]\n')
    alone = Wheel.from_toml(str(file))
    assert emotion.polarity_accuracy(["joy"], ["anger"], wheel=alone) == 0.0
    with pytest.raises(ValueError, match="no circle"):
        emotion.ecc(["joy"], ["anger"], wheel=alone)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("positive = 3", "positive must be a list"),
        ('positive = ["joy"]', "no negative emotion"),
        ('positive = ["joy"]\nnegative = ["Joy "]', "has 'joy' twice"),
        ('positive = ["joy"]\nnegative = ["fear"]\nwheel = ["joy"]', "'fear' is not on it"),
        (
            'positive = ["a"]\nnegative = ["b"]\nwheel = ["a", "b", "c"]',
            "'c' is on the wheel without a polarity",
        ),
        ('positiv = ["joy"]', "'positiv' is unknown"),
        ('positive = ["joy"]\nnegative = ["fear"]\nname = 3', "name must be"),
        ("positive = [", "own.toml: "),
    ],
)
def test_a_damaged_wheel_is_named(tmp_path: Any, text: str, message: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        Wheel.from_toml(file)


# ------------------------------------------------------------------------------------------ labels


@given(st.integers(0, 2**32 - 1), st.integers(2, 7), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
@pytest.mark.filterwarnings(
    "ignore:y_pred contains classes", "ignore:invalid value", "ignore:A single"
)
def test_values_are_those_of_scikit_learn(seed: int, c: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    truth, guess = rng.integers(0, c, (2, n))
    same = pytest.approx
    assert emotion.accuracy(guess, truth) == same(sk.accuracy_score(truth, guess))
    expected = sk.balanced_accuracy_score(truth, guess)
    assert emotion.balanced_accuracy(guess, truth) == same(expected)
    for average in ("macro", "weighted", "micro"):
        expected = sk.f1_score(truth, guess, average=average, zero_division=0)
        assert emotion.f1(guess, truth, average=average) == same(expected)
    known = sorted({*truth.tolist(), *guess.tolist()})
    found = emotion.recall(guess, truth)
    expected = sk.recall_score(truth, guess, labels=known, average=None, zero_division=np.nan)
    assert found == same(expected, nan_ok=True)
    if len(known) > 1:
        assert emotion.cohen_kappa(guess, truth) == same(sk.cohen_kappa_score(truth, guess))
    else:
        with pytest.raises(ValueError, match="kappa has no value"):
            emotion.cohen_kappa(guess, truth)
    expected = sk.confusion_matrix(truth, guess)
    assert emotion.confusion_matrix(guess, truth).tolist() == expected.tolist()


def test_classes_that_nobody_has_change_nothing() -> None:
    guess, truth = ["awe", "Fear", "awe"], ["awe", "awe", "fear"]
    for name in ("accuracy", "balanced_accuracy", "f1", "cohen_kappa", "ecc", "emc"):
        function = CATALOGUE[name].function
        assert function(guess, truth, classes=ORDER) == function(guess, truth)
    each = emotion.f1(guess, truth, average=None, classes=ORDER)
    assert np.isnan(each).sum() == 6


def test_labels_come_in_many_kinds() -> None:
    names = np.array(ORDER)
    rng = np.random.default_rng(1)
    truth, guess = rng.integers(0, 8, (2, 5, 30))
    whole = emotion.f1(guess, truth)
    assert whole.shape == (5,)
    assert [emotion.f1(g, t) for g, t in zip(guess, truth, strict=True)] == pytest.approx(whole)
    assert emotion.f1(names[guess], names[truth]) == pytest.approx(whole)
    tensor = emotion.f1(torch.from_numpy(guess), torch.from_numpy(truth))
    assert tensor.dtype == torch.float64
    assert tensor.numpy() == pytest.approx(whole)
    assert emotion.f1(names[guess[0]].tolist(), truth[0], classes=ORDER) == pytest.approx(whole[0])
    each = emotion.ecc(names[guess[0]][:, None], names[truth[0]][:, None])
    assert each.mean() == pytest.approx(emotion.ecc(names[guess[0]], names[truth[0]]))


@pytest.mark.parametrize(
    ("prediction", "label", "classes", "message"),
    [
        ([], [], None, "no label to score"),
        (["awe"], ["awe", "fear"], None, "1 predictions, but 2 labels"),
        (["awe"], [0], None, "give classes"),
        ([0.2, 0.8], [0, 1], None, "take the argmax"),
        ([-1], [0], None, "negative class -1"),
        ([3], [0], ("a", "b"), "class 3 of 2"),
        (["c"], ["a"], ("a", "b"), "'c', which is not among a, b"),
        (["a"], ["a"], ("a", "A"), "'a' twice"),
        (["a"], ["a"], (), "classes is empty"),
        (None, ["a"], None, "prediction is None"),
    ],
)
def test_what_is_no_label_is_refused(
    prediction: Any, label: Any, classes: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        emotion.accuracy(prediction, label, classes=classes)


def test_an_average_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="average is 'mean'"):
        emotion.f1(["a"], ["a"], average="mean")


# ----------------------------------------------------------------------------------- probabilities


def test_top_k_and_calibration_are_those_of_the_libraries() -> None:
    from torchmetrics.classification import MulticlassCalibrationError

    rng = np.random.default_rng(2)
    chances, truth = rng.dirichlet(np.full(8, 0.4), size=(3, 150)), rng.integers(0, 8, (3, 150))
    for k in (1, 3, 5):
        expected = [sk.top_k_accuracy_score(t, c, k=k) for t, c in zip(truth, chances, strict=True)]
        assert emotion.top_k_accuracy(chances, truth, k=k) == pytest.approx(expected)
    found = emotion.expected_calibration_error(chances, truth)
    for at in range(3):
        peer = MulticlassCalibrationError(8, n_bins=15)
        expected = peer(torch.from_numpy(chances[at]), torch.from_numpy(truth[at])).item()
        assert found[at] == pytest.approx(expected, abs=1e-6)
        curve = emotion.reliability_curve(chances[at], truth[at])
        assert curve.pictures.sum() == 150
        assert (curve.low < curve.confidence).all()
        assert (curve.confidence <= curve.high).all()
        weights = curve.pictures / 150
        error = weights @ np.abs(curve.accuracy - curve.confidence)
        assert error == pytest.approx(found[at], rel=1e-12)


def test_equal_probabilities_share_the_places() -> None:
    flat = np.full((8, 8), 1 / 8)
    truth = np.arange(8)
    assert emotion.top_k_accuracy(flat, truth) == pytest.approx(3 / 8)
    assert emotion.expected_calibration_error(flat, truth) == pytest.approx(0.0)
    chances = torch.from_numpy(flat)
    found = emotion.top_k_accuracy(chances, list(ORDER), classes=ORDER)
    assert found.item() == pytest.approx(3 / 8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": [8, 0]}, "class 8 of 8"),
        ({"label": [0]}, "2 predictions, but 1 labels"),
        ({"label": ["awe", "awe"]}, "give classes"),
        ({"k": 8}, "k is 8"),
        ({"classes": ("a", "b")}, "2 classes, but probabilities of 8"),
        ({"prediction": np.full((2, 8), 0.2)}, "sums to 1.6"),
        ({"prediction": np.full(8, 1 / 8)}, r"\(..., N, C\)"),
    ],
)
def test_wrong_probabilities_are_named(options: dict[str, Any], message: str) -> None:
    given = {"prediction": np.full((2, 8), 1 / 8), "label": [0, 1], **options}
    with pytest.raises(ValueError, match=message):
        emotion.top_k_accuracy(**given)


# ------------------------------------------------------------------------------------------ affect


def test_valence_and_arousal() -> None:
    from scipy.stats import pearsonr

    rng = np.random.default_rng(5)
    x, y = rng.uniform(1, 9, (2, 4, 50))
    found = emotion.ccc(x, y)
    for at in range(4):
        cov = np.cov(x[at], y[at], ddof=0)
        apart = (x[at].mean() - y[at].mean()) ** 2
        expected = 2 * cov[0, 1] / (cov[0, 0] + cov[1, 1] + apart)
        assert found[at] == pytest.approx(expected, rel=1e-12)
        assert emotion.pearson(x[at], y[at]) == pytest.approx(pearsonr(x[at], y[at]).statistic)
        error = x[at] - y[at]
        assert emotion.rmse(x[at], y[at]) == pytest.approx(math.sqrt(np.mean(error**2)))
        assert emotion.mae(x[at], y[at]) == pytest.approx(np.mean(np.abs(error)))
    for function in (emotion.ccc, emotion.pearson, emotion.rmse, emotion.mae):
        tensor = torch.from_numpy(x).requires_grad_()
        assert torch.autograd.gradcheck(lambda a, f=function: f(a, torch.from_numpy(y)), (tensor,))
    assert emotion.ccc(y[0], y[0]) == pytest.approx(1.0)


def test_constants_vary_with_nothing() -> None:
    flat, some = [0.1, 0.1, 0.1], [1.0, 2.0, 4.0]
    assert emotion.pearson(flat, some) == emotion.pearson(some, flat) == 0.0
    assert emotion.ccc(flat, some) == emotion.ccc(flat, flat) == 0.0
    assert emotion.rmse(flat, flat) == emotion.mae([3.0], [3.0]) == 0.0
    with pytest.raises(ValueError, match="NaN or infinite"):
        emotion.ccc([math.nan, 1.0], [1.0, 2.0])


# --------------------------------------------------------------------------- catalogue, signature


def test_the_catalogue_is_complete() -> None:
    assert set(CATALOGUE) == {
        *DISTANCES,
        *("accuracy", "balanced_accuracy", "f1", "cohen_kappa", "top_k_accuracy"),
        *("polarity_accuracy", "ecc", "emc", "expected_calibration_error"),
        *("ccc", "pearson", "rmse", "mae"),
    }
    for name, entry in CATALOGUE.items():
        assert entry.name == name
        assert entry.function is getattr(emotion, name)
        assert entry.direction in (1, -1)
        assert entry.range[0] < entry.range[1]
        assert entry.long_name
        assert entry.reference
        assert "Raises" in entry.function.__doc__
        assert tuple(entry.settings) == CONVENTIONS
        for convention in CONVENTIONS:
            found = Signature.of(name, convention=convention, sigma=None)
            assert Signature.parse(str(found)) == found
            assert dict(found.settings) == entry.settings[convention]
    for name in emotion.__all__:
        assert hasattr(emotion, name)


def test_a_signature_says_which_catalogue() -> None:
    assert metrics.signature("kl_divergence").startswith("kl_divergence|geng|v:")
    assert metrics.signature("clark", convention="styleedl").startswith("clark|styleedl|divided:")
    assert metrics.signature("mae").startswith("mae|mit|minmax:yes")
    assert metrics.signature("mae", convention="geng").startswith("mae|geng|v:")
    whole = Signature.of(["f1", "clark", "ecc"], convention="styleedl", wheel="six-12345678")
    assert whole.of_metric("ecc") == Signature.of(
        "ecc", convention="styleedl", wheel="six-12345678"
    )
    assert whole.of_metric("clark") == Signature.of("clark", convention="styleedl")
    with pytest.raises(ValueError, match="no metric is called 'nss'"):
        metrics.signature("nss", convention="geng")
