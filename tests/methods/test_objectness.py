"""Objectness: its parameters, its random numbers, its stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emomap.errors import EmomapError, UsageError
from emomap.methods.objectness import (
    Objectness,
    Parameters,
    objectness,
    objectness_stages,
    posterior,
    score_windows,
)
from tests.methods.pictures import correlation, picture


def tables() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    sizes = {"MS": 501, "CC": 201, "SS": 101, "ED": 101}
    made: dict[str, Any] = {f"likelihood_{c}": rng.random((2, n)) for c, n in sizes.items()}
    return {key: table / table.sum(axis=1, keepdims=True) for key, table in made.items()}


def test_posterior_is_bayes_rule() -> None:
    learnt = tables()
    scores = {"MS": [0.0, 3.2, 9999.0], "CC": [0.0, 0.404, 2.0], "SS": [0.0, 0.996, 1.0]}
    rows = {"MS": [0, 3, 500], "CC": [0, 40, 200], "SS": [0, 100, 100]}
    weights = np.array([[0.0797], [1 - 0.0797]]) * np.ones(3)
    for cue, index in rows.items():
        weights *= learnt[f"likelihood_{cue}"][:, index]
    np.testing.assert_allclose(posterior(scores, learnt), weights[0] / weights.sum(axis=0))


def test_parameters_from_file_mapping_and_package(tmp_path: Path) -> None:
    given = {**tables(), "theta_MS": [0.2] * 5, "theta_CC": 50, "prior": 0.1}
    np.savez(tmp_path / "p.npz", **given)
    image = picture(60, 80)
    by_file = objectness(image, parameters=tmp_path / "p.npz", drawn=3000)
    np.testing.assert_array_equal(by_file, objectness(image, parameters=given, drawn=3000))
    loaded = Parameters.load(given)
    assert (loaded.theta_MS, loaded.theta_CC, loaded.prior) == ((0.2,) * 5, 50.0, 0.1)
    assert Parameters.load(loaded) is loaded
    own = Parameters.load(None)
    assert set(own.likelihoods) == {"MS", "CC", "SS", "ED"}
    for table in own.likelihoods.values():
        np.testing.assert_allclose(table.sum(axis=1), 1)
        assert (table > 0).all()


def test_wrong_parameters_are_named(tmp_path: Path) -> None:
    with pytest.raises(EmomapError, match=r"none\.npz"):
        Parameters.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(EmomapError, match=r"text\.npz"):
        Parameters.load(tmp_path / "text.npz")
    with pytest.raises(EmomapError, match="holds no likelihood_MS"):
        Parameters.load({"thetas": 1})
    with pytest.raises(EmomapError, match="int is neither"):
        Parameters.load(5)
    with pytest.raises(EmomapError, match=r"\(2, 501\)"):
        Parameters.load({"likelihood_MS": np.ones((2, 500))})
    with pytest.raises(EmomapError, match="theta_MS"):
        Parameters.load({**tables(), "theta_MS": [0.2]})
    only_ms = {"likelihood_MS": tables()["likelihood_MS"]}
    with pytest.raises(UsageError, match="'CC'"):
        objectness(picture(60, 80), parameters=only_ms)


def test_the_map_depends_on_the_seed_alone() -> None:
    image = picture(90, 120)
    one, same, other = (objectness(image, rng=seed, drawn=20_000) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert correlation(one, other) > 0.9
    generator = np.random.default_rng(1)
    np.testing.assert_array_equal(objectness(image, rng=generator, drawn=20_000), one)


def test_stages() -> None:
    image = picture(90, 120)
    stages = objectness_stages(image, windows=50, drawn=5000, cues=("MS", "CC", "SS", "ED"))
    assert stages.windows.shape == (5000, 4)
    assert stages.boxes.shape == (50, 4)
    assert (np.diff(stages.box_scores) <= 0).all()
    # a lattice pixel is 120/16 px wide, so coordinates range from there to the last pixel
    assert stages.windows.min() >= 0
    assert stages.windows[:, 2].max() <= 119
    assert stages.windows[:, 3].max() <= 89
    assert ((stages.windows[:, 2:] - stages.windows[:, :2]) > 0).all()
    again = score_windows(image, stages.windows, cues=("CC", "SS", "ED"))
    for cue, found in again.items():
        np.testing.assert_array_equal(found, stages.scores[cue])
    np.testing.assert_allclose(posterior(stages.scores), stages.posteriors)
    assert stages.map.max() == 1


def test_windows_to_score_are_checked() -> None:
    image = picture(50, 60)
    for windows in ([[5, 5, 2, 9]], [[1, 2, 3]]):
        with pytest.raises(EmomapError, match="xmin"):
            score_windows(image, windows)
    with pytest.raises(UsageError, match="'MS'"):
        score_windows(image, [[1, 1, 9, 9]], cues=("MS",))  # type: ignore[arg-type]


def test_a_picture_too_small_for_a_window_is_refused() -> None:
    with pytest.raises(EmomapError, match="300x9 px"):
        objectness(np.zeros((9, 300), np.uint8))


def test_method_takes_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", **tables())
    made = Objectness(parameters=str(tmp_path / "p.npz"), drawn=2000)
    assert made.predict([picture(40, 50)])[0].map is not None
