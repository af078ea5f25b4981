"""Metrics that do not apply to a map, and what the values of a map are said to be."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from emomap import io, metrics
from emomap.errors import EmomapError, UsageError, grouped
from emomap.io.kinds import as_map, is_log
from emomap.scoring import per_image
from emomap.scoring.folders import score
from emomap.scoring.image import NEGATIVE
from emomap.scoring.incomplete import incomplete
from emomap.scoring.protocol import Protocol
from tests.conftest import unwrapped

IDS = ("a", "b", "c", "d")
DISTRIBUTIONS = ("sim", "kl", "emd", "js", "info_gain")


def density(seed: int) -> np.ndarray:
    y, x = np.mgrid[:24, :32]
    rng = np.random.default_rng(seed)
    found = np.exp(-((x - rng.uniform(8, 24)) ** 2 + (y - rng.uniform(6, 18)) ** 2) / 60)
    return found / found.sum()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Densities as maps, and the fixations that are drawn from them."""
    for folder in ("maps", "gaze"):
        (tmp_path / folder).mkdir()
    for seed, name in enumerate(IDS):
        values = density(seed)
        np.save(tmp_path / "maps" / f"{name}.npy", values)
        drawn = np.random.default_rng(seed).choice(values.size, 9, p=values.ravel())
        lines = "".join(f"{at % 32},{at // 32}\n" for at in drawn)
        (tmp_path / "gaze" / f"{name}.csv").write_text("x,y\n" + lines)
    return tmp_path / "maps", tmp_path / "gaze"


def logarithms(folder: Path, names: tuple[str, ...] = IDS) -> None:
    for name in names:
        np.save(folder / f"{name}.npy", np.log(density(IDS.index(name))))


def test_a_negative_map_loses_the_metrics_of_distributions_alone(
    folders: tuple[Path, Path],
) -> None:
    whole = score(*folders, metrics=["all"], jobs=1)
    logarithms(folders[0], ("b",))
    found = score(*folders, metrics=["all"], jobs=1)
    assert not found.failed
    lost = [name for name, value in found.values["b"].items() if value is None]
    assert set(lost) >= set(DISTRIBUTIONS)
    assert not set(lost) & {"auc_judd", "auc_borji", "auc_shuffled", "nss", "cc"}
    # the logarithm is monotone, so what counts the order of the pixels does not change
    for name in ("auc", "auc_judd"):
        assert found.values["b"][name] == pytest.approx(whole.values["b"][name], abs=1e-12)
    for image in ("a", "c", "d"):
        assert found.values[image] == whole.values[image]
    summary = found.summary()
    assert summary["kl"]["n"] == 3
    others = [whole.values[image]["kl"] for image in ("a", "c", "d")]
    assert summary["kl"]["mean"] == pytest.approx(np.mean(others))
    assert f"{', '.join(lost)}: not scored: 1 of 4 maps {NEGATIVE} (b)" in unwrapped(
        found.render("table")
    )


def test_a_metric_of_no_map_is_a_dash_with_one_reason(folders: tuple[Path, Path]) -> None:
    logarithms(folders[0])
    found = score(*folders, metrics=["nss", "kl"], jobs=1)
    assert found.summary()["kl"] == {"mean": None, "low": None, "high": None, "n": 0}
    shown = found.render("table")
    line = next(line for line in shown.splitlines() if line.startswith("KL"))
    assert line.split() == ["KL", "↓", "-", "-", "-", "0"]
    assert unwrapped(shown).count(NEGATIVE) == 1
    assert [line for line in found.remarks if "--prediction log-density" in line]
    assert json.loads(found.render("json"))["metrics"]["kl"]["mean"] is None
    assert "kl,,,,0," in found.render("csv")
    assert "nan" not in "".join(found.render(f) for f in ("table", "md", "latex", "csv")).lower()


def test_maps_without_any_value_are_an_error_with_the_way_out(folders: tuple[Path, Path]) -> None:
    logarithms(folders[0])
    with pytest.raises(EmomapError, match=r"a\.npy: negative.*--prediction log-density"):
        score(*folders, metrics=["kl"], jobs=1)


def test_log_densities_score_as_the_densities(folders: tuple[Path, Path]) -> None:
    whole = score(*folders, jobs=1)
    logarithms(folders[0])
    found = score(*folders, prediction="log-density", jobs=1)
    for image, line in whole.values.items():
        assert found.values[image] == pytest.approx(line, rel=1e-9)
    assert "prediction:log-density" in found.signature
    assert metrics.Signature.parse(found.signature)
    assert any("log-densities" in line for line in found.explain())


def test_minus_infinity_is_a_probability_of_zero(folders: tuple[Path, Path]) -> None:
    for seed, name in enumerate(IDS):
        values = density(seed)
        values[:3] = 0
        np.save(folders[0] / f"{name}.npy", values)
    whole = score(*folders, jobs=1)
    for seed, name in enumerate(IDS):
        values = np.log(density(seed))
        values[:3] = -np.inf
        np.save(folders[0] / f"{name}.npy", values)
    found = score(*folders, prediction="log-density", jobs=1)
    for image, line in whole.values.items():
        assert found.values[image] == pytest.approx(line, rel=1e-9)
    with pytest.raises(EmomapError, match="NaN or infinite"):
        score(*folders, jobs=1)


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        (np.full((2, 3), 200.0), "log-density", "values up to 200"),
        (np.full((2, 3), -np.inf), "log-density", "-inf everywhere"),
        (np.array([[-1.0, 2.0]]), "density", "no negative values, such as -1"),
        (np.log(density(0)), "density", "--prediction log-density"),
    ],
)
def test_values_that_are_not_what_they_are_said_to_be(
    values: np.ndarray, kind: str, words: str
) -> None:
    with pytest.raises(EmomapError, match=words):
        as_map(values, kind, "m.npy")  # type: ignore[arg-type]


def test_a_kind_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="choose map, density, log-density"):
        Protocol(prediction="logits")  # type: ignore[arg-type]


def test_what_could_be_a_log_density() -> None:
    assert is_log(np.log(density(0)))
    assert not is_log(density(0))
    assert not is_log(np.array([[-1000.0, -900.0]]))  # no probability is so small everywhere
    assert not is_log(np.array([[-1.0, 0.5]]))
    assert is_log(np.full((4, 4), math.log(1 / 16)))


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".parquet"])
def test_missing_values_survive_the_file(
    folders: tuple[Path, Path], tmp_path: Path, suffix: str
) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    logarithms(folders[0], ("b",))
    file = tmp_path / f"values{suffix}"
    found = score(*folders, keep=file, jobs=1)
    read = per_image.read(file)
    assert read.values == found.values
    assert read.column("kl") == found.column("kl")
    assert len(read.column("kl")) == 3
    if suffix == ".jsonl":
        assert read.lacking["b"]["kl"] == NEGATIVE


def test_an_interrupted_score_resumes_with_its_reasons(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logarithms(folders[0], ("b",))
    whole = score(*folders, keep=tmp_path / "whole.jsonl", jobs=1)
    seen: list[str] = []
    read = io.read_map

    def interrupted(file: Path, **options: bool) -> np.ndarray:
        seen.append(file.name)
        if len(seen) > limit:
            raise KeyboardInterrupt
        return read(file, **options)

    limit = 7  # five files are looked at first
    monkeypatch.setattr(io, "read_map", interrupted)
    with pytest.raises(KeyboardInterrupt):
        score(*folders, keep=tmp_path / "part.jsonl", jobs=1)
    assert (tmp_path / "part.jsonl.part").exists()
    limit = 1000
    again = score(*folders, keep=tmp_path / "part.jsonl", jobs=1)
    assert again.incomplete == whole.incomplete
    assert (tmp_path / "part.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_truth_alone_keeps_its_other_metrics(folders: tuple[Path, Path]) -> None:
    """A single image has no fixations elsewhere: the shuffled AUC is lost, and nothing else."""
    for name in IDS[1:]:
        (folders[0] / f"{name}.npy").unlink()
        (folders[1] / f"{name}.csv").unlink()
    found = score(*folders, metrics=["nss", "auc_shuffled"], jobs=1)
    assert found.values["a"]["auc_shuffled"] is None
    assert isinstance(found.values["a"]["nss"], float)
    assert "auc_shuffled: not scored: 1 of 1 maps without fixations on other images" in (
        found.incomplete
    )


def test_lines_by_reason() -> None:
    lacking = {"a": {"kl": "x", "sim": "x"}, "b": {"kl": "x", "sim": "x"}, "c": {"nss": "y"}}
    assert incomplete(lacking, 5, ["kl", "sim", "nss"]) == [
        "kl, sim: not scored: 2 of 5 maps x (a, b)",
        "nss: not scored: 1 of 5 maps y (c)",
    ]
    del lacking["c"]
    assert incomplete(lacking, 2, ["kl", "sim"]) == ["not scored: 2 of 2 maps x"]


def test_twenty_equal_messages_are_one() -> None:
    lines = [f"p{n}.png: coloured" for n in range(20)] + ["no colon", "other: damaged"]
    assert grouped(lines) == [
        "p0.png: coloured (also p1.png, p2.png, p3.png, p4.png, p5.png, p6.png, p7.png, p8.png, "
        "p9.png, p10.png and 9 more)",
        "no colon",
        "other: damaged",
    ]
