"""One map against one truth, arrays in memory, and several sets of maps ranked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import emomap
from emomap import metrics
from emomap.analysis.several import beside, rank, unique_names
from emomap.errors import EmomapError, UsageError

SHAPE = (30, 40)
METRICS = ["nss", "auc_judd", "cc", "kl"]


@pytest.fixture
def points(rng: np.random.Generator) -> np.ndarray:
    return np.c_[rng.integers(0, 40, 25), rng.integers(0, 30, 25)]


@pytest.fixture
def values(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(1, 256, SHAPE, dtype=np.uint8)


def table(file: Path, points: np.ndarray, image: str = "") -> Path:
    head, cell = ("x,y,image", f",{image}") if image else ("x,y", "")
    lines = [f"{x},{y}{cell}" for x, y in points]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([head, *lines]) + "\n")
    return file


def test_one_map_against_one_truth(tmp_path: Path, points: np.ndarray, values: np.ndarray) -> None:
    Image.fromarray(values).save(tmp_path / "mine.png")
    counts = metrics.fixation_map(points, SHAPE)
    density = metrics.density(counts, sigma=3)
    by_hand = metrics.evaluate(values, fixations=counts, density=density, metrics=METRICS)
    truths = {
        "of another name": table(tmp_path / "truth.csv", points),
        "names its picture": table(tmp_path / "all.csv", points, "mine.jpg"),
        "a folder of more": table(tmp_path / "many/mine.csv", points).parent,
    }
    table(tmp_path / "many/other.csv", points)
    Image.fromarray((counts > 0).astype(np.uint8) * 255).save(tmp_path / "marks.png")
    truths["marks"] = tmp_path / "marks.png"
    for name, truth in truths.items():
        found = emomap.score(tmp_path / "mine.png", truth, metrics=METRICS, sigma=3)
        assert found.n_images == 1, name
        for metric in METRICS:
            mean = found.summary()[metric]["mean"]
            assert mean == pytest.approx(by_hand[metric], rel=1e-9), (name, metric)
    assert found.render("table").splitlines()[:2] == ["1 image", "metric       value"]
    np.save(tmp_path / "density.npy", density)
    found = emomap.score(tmp_path / "mine.png", tmp_path / "density.npy", metrics=METRICS)
    assert set(found.omitted) == {"nss", "auc_judd"}
    assert found.summary()["kl"]["mean"] == pytest.approx(by_hand["kl"], rel=1e-9)


def test_one_map_that_cannot_be_scored(
    tmp_path: Path, points: np.ndarray, values: np.ndarray
) -> None:
    Image.fromarray(values).save(tmp_path / "mine.png")
    Image.fromarray(values * 0).save(tmp_path / "zero.png")
    np.save(tmp_path / "smooth.npy", metrics.density(metrics.fixation_map(points, SHAPE), 3))
    (tmp_path / "set").mkdir()
    np.save(tmp_path / "set/a.npy", values)
    (tmp_path / "text.txt").write_text("no map")
    table(tmp_path / "gaze/other.csv", points)
    table(tmp_path / "gaze/another.csv", points)
    cases: list[tuple[str, str, dict[str, Any], str]] = [
        ("mine.png", "zero.png", {}, "zero everywhere"),
        ("mine.png", "gaze", {}, "no image in common"),
        ("text.txt", "gaze", {}, "a file, not a folder"),
        ("missing.png", "gaze", {}, "no such folder"),
        ("mine.png", "smooth.npy", {"marks_threshold": 0.5}, "--marks-threshold is for fixation"),
        ("set", "mine.png", {}, "mine.png: "),
    ]
    for prediction, truth, choices, words in cases:
        with pytest.raises(EmomapError, match=words):
            emomap.score(tmp_path / prediction, tmp_path / truth, **choices)


def test_arrays_are_scored_as_files(points: np.ndarray, values: np.ndarray) -> None:
    counts = metrics.fixation_map(points, SHAPE)
    density = metrics.density(counts, sigma=3)
    by_hand = metrics.evaluate(values, fixations=counts, density=density, metrics=METRICS)
    for truth in (points, torch.from_numpy(points), counts):
        found = emomap.score(torch.from_numpy(values), truth, metrics=METRICS, sigma=3).summary()
        assert {m: found[m]["mean"] for m in METRICS} == pytest.approx(by_hand, rel=1e-9)
    found = emomap.score(values.astype(np.float32), density, metrics=["cc"]).summary()
    assert found["cc"]["mean"] == pytest.approx(by_hand["cc"], rel=1e-6)
    with pytest.raises(UsageError, match=r"shape \(1, 30, 40\)"):
        emomap.score(values[None], points)


@pytest.fixture
def sets(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Folders good/ and bad/ of maps of 12 pictures, and gaze/ in the bright places of good/."""
    for number in range(12):
        y, x = np.mgrid[:30, :40]
        place = rng.uniform(5, 25, 2)
        good = np.exp(-((y - place[0]) ** 2 + (x - place[1]) ** 2) / 50)
        drawn = rng.choice(good.size, 30, p=(good / good.sum()).ravel())
        table(tmp_path / f"gaze/{number:02d}.csv", np.c_[drawn % 40, drawn // 40])
        for name, shown in (("good", good), ("bad", rng.random(SHAPE))):
            (tmp_path / name).mkdir(exist_ok=True)
            np.save(tmp_path / name / f"{number:02d}.npy", shown)
    return tmp_path


def test_several_sets_are_ranked(sets: Path) -> None:
    found = rank([sets / "bad", sets / "good"], sets / "gaze", metrics=["nss", "kl"], sigma=3)
    assert list(found.comparison.ranks) == ["good", "bad"]
    for name in ("good", "bad"):
        alone = emomap.score(sets / name, sets / "gaze", metrics=["nss", "kl"], sigma=3)
        assert found.scores[name].summary() == alone.summary()
        for metric in ("nss", "kl"):
            assert found.comparison.means[name][metric] == alone.summary()[metric]
    (nss, _) = found.comparison.pairs
    assert (nss.first, nss.second) == ("good", "bad") and nss.p < 0.01 and nss.wins == 12
    assert "good is better" in found.render("table")
    assert set(found.to_dict()["methods"]) == {"good", "bad"}
    rows = found.render("csv").splitlines()
    assert len(rows) == 5 and rows[1].startswith("bad,nss,")
    assert rank([sets / "bad", sets / "good"], sets / "gaze", metrics=["nss"],
                against="good").comparison.pairs[0].second == "good"  # fmt: skip


def test_sets_of_different_pictures(sets: Path) -> None:
    (sets / "bad/03.npy").unlink()
    both = [sets / "good", sets / "bad"]
    with pytest.raises(EmomapError, match="--allow-missing"):
        rank(both, sets / "gaze", metrics=["nss"])
    found = rank(both, sets / "gaze", metrics=["nss"], allow_missing=True)
    assert found.comparison.n_images == 11 and found.scores["good"].n_images == 12
    assert any("03" in note for note in found.comparison.notes)


def test_single_maps_are_ranked_on_one_picture(sets: Path) -> None:
    files = [sets / "good/04.npy", sets / "bad/04.npy"]
    found = rank(files, sets / "gaze/04.csv", metrics=["nss"])
    assert list(found.comparison.ranks) == ["good/04", "bad/04"]
    shown = found.render("table")
    assert shown.startswith("1 image; rank 1 is best") and "permutation" not in shown
    assert "signature: " in shown
    with pytest.raises(EmomapError, match="these are of 04, 05"):
        rank([sets / "good/04.npy", sets / "bad/05.npy"], sets / "gaze", metrics=["nss"])


def test_names_of_sets(tmp_path: Path) -> None:
    for name in ("a/maps", "b/maps", "c"):
        (tmp_path / name).mkdir(parents=True)
    paths = [tmp_path / "a/maps", tmp_path / "b/maps", tmp_path / "c"]
    assert unique_names(paths[1:]) == ["maps", "c"]
    assert unique_names(paths) == ["a/maps", "b/maps", f"{tmp_path.name}/c"]
    with pytest.raises(UsageError, match="given twice"):
        unique_names([paths[0], paths[0]])
    for name in ("x.png", "x.npy"):
        (tmp_path / name).touch()
    assert unique_names([tmp_path / "x.png", tmp_path / "x.npy"]) == ["x.png", "x.npy"]
    assert beside(Path("out/rows.csv"), "a/maps") == Path("out/rows-a-maps.csv")
