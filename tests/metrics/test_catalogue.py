"""The catalogue, the signature, `evaluate`, and scores of labels and stimulus maps."""

from __future__ import annotations

import math

import numpy as np
import pytest

import metrics
from metrics import CATALOGUE
from tests.metrics.cases import scene, score


def test_the_catalogue_is_complete() -> None:
    assert set(CATALOGUE) == {
        *("auc_judd", "auc_borji", "auc_shuffled", "auc", "nss", "info_gain"),
        *("cc", "sim", "kl", "emd", "js", "mae"),
        *("spearman", "iou", "dice", "pointing_game"),
    }
    for name, entry in CATALOGUE.items():
        assert entry.name == name
        assert entry.function is getattr(metrics, name)
        assert entry.direction in (1, -1)
        assert entry.higher_is_better == (entry.direction > 0)
        assert entry.range[0] < entry.range[1]
        assert set(entry.settings) == set(entry.conventions)
        assert entry.long_name
        assert entry.reference
        assert entry.function.__doc__
        assert "Raises" in entry.function.__doc__


def test_public_names() -> None:
    for name in metrics.__all__:
        assert hasattr(metrics, name)


# -- evaluate ------------------------------------------------------------------------------------


@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
@pytest.mark.parametrize("shape", [(24, 32), (520, 530)])
@pytest.mark.parametrize("kind", ["floats", "bytes", "bytes against floats"])
def test_sharing_work_changes_nothing(convention: str, shape: tuple[int, int], kind: str) -> None:
    maps = scene(shape)
    for name in ("prediction", "density", "baseline"):
        if kind == "bytes" or (kind != "floats" and name == "prediction"):
            maps[name] = np.round(255 * maps[name]).astype(np.uint8)
    found = metrics.evaluate(**maps, convention=convention)
    assert list(found) == list(CATALOGUE)
    for name, value in found.items():
        alone = score(CATALOGUE[name], maps, convention=convention)
        assert value == pytest.approx(alone, rel=1e-12), name
    wide = {name: a.astype(float) for name, a in maps.items()}
    expected = metrics.evaluate(**wide, convention=convention)
    assert found == pytest.approx(expected, rel=1e-10)


def test_by_default_what_the_inputs_allow() -> None:
    maps = scene()
    p = maps["prediction"]
    assert list(metrics.evaluate(p, density=maps["density"])) == [
        "cc",
        "sim",
        "kl",
        "emd",
        "js",
        "mae",
        "spearman",
        "iou",
        "dice",
    ]
    found = metrics.evaluate(p, fixations=maps["fixations"])
    assert list(found) == ["auc_judd", "auc_borji", "auc", "nss", "pointing_game"]
    assert list(metrics.evaluate(**maps, metrics=["nss", "cc"])) == ["nss", "cc"]
    assert list(metrics.evaluate(**maps, metrics="cc")) == ["cc"]


def test_options_reach_their_metric() -> None:
    maps = scene()
    found = metrics.evaluate(**maps, options={"emd": {"downsize": 4}, "mae": {"normalize": False}})
    assert found["emd"] == metrics.emd(maps["prediction"], maps["density"], downsize=4)
    expected = np.abs(maps["prediction"] - maps["density"]).mean()
    assert found["mae"] == pytest.approx(expected, rel=1e-12)


def test_what_is_missing_is_named() -> None:
    maps = scene()
    with pytest.raises(ValueError, match="auc_shuffled needs fixations and other"):
        metrics.evaluate(maps["prediction"], density=maps["density"], metrics=["auc_shuffled"])
    with pytest.raises(ValueError, match="no metric is called 'auc_jud'"):
        metrics.evaluate(**maps, metrics=["auc_jud"])
    with pytest.raises(ValueError, match="give fixations, a density"):
        metrics.evaluate(maps["prediction"])
    with pytest.raises(ValueError, match="options name 'edm'"):
        metrics.evaluate(**maps, options={"edm": {}})


# -- signature -----------------------------------------------------------------------------------


def test_every_choice_is_in_the_signature() -> None:
    assert (
        metrics.signature("emd", resize="matlab-bicubic", sigma=24.0, downsize=16)
        == "emd|mit|grid:common|downsize:16|unit:cell|solver:exact|resize:matlab-bicubic|sigma:24"
        f"|v:{metrics.__version__}"
    )
    assert metrics.signature("nss") != metrics.signature("nss", convention="tuebingen")
    assert metrics.signature("cc", sigma=None) == metrics.signature("cc")


def test_settings_in_which_metrics_differ_carry_their_names() -> None:
    found = metrics.signature(["kl", "info_gain"], convention="tuebingen").split("|")
    assert found[:2] == ["kl+info_gain", "tuebingen"]
    assert "eps:1e-20" in found
    found = metrics.signature(["auc_judd", "auc_borji", "nss"]).split("|")
    assert "fixations:pixels" in found
    assert "thresholds:fixated" in found


def test_signatures_of_nothing_known() -> None:
    with pytest.raises(ValueError, match="no metric is called 'x'"):
        metrics.signature("x")
    with pytest.raises(ValueError, match="'paris'"):
        metrics.signature("cc", convention="paris")


# -- labels and stimulus maps ----------------------------------------------------------------------


def test_labels() -> None:
    truth, guess = ["a", "b", "b", "c"], ["a", "b", "c", "c"]
    assert metrics.accuracy(guess, truth) == 0.75
    found = metrics.confusion_matrix(guess, truth, ["a", "b", "c"])
    assert found.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    for wrong in (([], []), (["a"], ["a", "b"])):
        with pytest.raises(ValueError, match=r"no label|alike"):
            metrics.accuracy(*wrong)
    with pytest.raises(ValueError, match="'d' is not among"):
        metrics.confusion_matrix(["d"], ["a"], ["a", "b"])
    with pytest.raises(ValueError, match="twice"):
        metrics.confusion_matrix(["a"], ["a"], ["a", "a"])


def test_jensen_shannon_is_that_of_scipy() -> None:
    from scipy.spatial.distance import jensenshannon

    maps = scene()
    maps["prediction"][:3] = 0
    expected = jensenshannon(maps["prediction"].ravel(), maps["density"].ravel()) ** 2
    assert metrics.js(maps["prediction"], maps["density"]) == pytest.approx(expected, rel=1e-12)
    left, right = np.eye(4), 1 - np.eye(4)
    assert metrics.js(left, right) == pytest.approx(math.log(2), rel=1e-12)


def test_precision_and_recall_by_hand() -> None:
    truth = np.array([[0.0, 0.4, 0.5, 1.0]])
    prediction = np.array([[0.0, 0.0, 0.2, 1.0]])
    found = metrics.precision_recall(prediction, truth)  # twice the mean is .6
    assert found == (1.0, 0.5, pytest.approx(1.3 * 0.5 / (0.3 + 0.5)))
    found = metrics.precision_recall(prediction, truth, threshold=0.2, truth_threshold=0.9)
    assert (found.precision, found.recall) == (0.5, 1.0)
    batch = metrics.precision_recall(np.stack([prediction] * 3), np.stack([truth] * 3))
    assert batch.recall.tolist() == [0.5] * 3
    with pytest.raises(ValueError, match="threshold is 0"):
        metrics.precision_recall(prediction, truth, threshold=0)


def test_mean_absolute_error_by_hand() -> None:
    p, d = np.array([[0.0, 2.0, 4.0]]), np.array([[0.0, 1.0, 1.0]])
    assert metrics.mae(p, d) == pytest.approx(0.5 / 3)
    assert metrics.mae(p / 4, d, normalize=False) == pytest.approx(0.5 / 3)


def test_draws_are_options_too() -> None:
    maps = scene(batch=(2,))
    wanted = {
        "auc_borji": {"splits": 5},
        "auc_shuffled": {"splits": 5},
        "auc_judd": {"jitter": True},
    }
    for name, options in wanted.items():
        found = metrics.evaluate(**maps, metrics=[name], options={name: {**options, "rng": 7}})
        expected = score(metrics.CATALOGUE[name], maps, **options, rng=7)
        assert found[name].tolist() == expected.tolist()
    exact = metrics.evaluate(**maps, metrics=["auc_borji"])["auc_borji"]
    drawn = metrics.evaluate(**maps, options={"auc_borji": {"splits": 3}})["auc_borji"]
    assert (drawn != exact).all()  # without a seed, too
    with pytest.raises(ValueError, match="splits is 0"):
        metrics.evaluate(**maps, options={"auc_borji": {"splits": 0}})


@pytest.mark.parametrize("name", ["nonsense", "return_bound", "convention", "bound"])
def test_options_that_do_not_exist_are_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"options of emd name '{name}'.*downsize"):
        metrics.evaluate(**scene(), options={"emd": {name: 1}})
