"""A method whose maps lack some metrics, in every command that shows values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emomap import io
from emomap.report import figure
from tests.cli.conftest import Command
from tests.conftest import unwrapped


@pytest.fixture
def negative(maps: Path, tmp_path: Path) -> Path:
    """The maps, shifted below zero."""
    folder = tmp_path / "negative"
    folder.mkdir()
    for path in maps.iterdir():
        np.save(folder / f"{path.stem}.npy", io.read_map(path).astype(float) - 300)
    return folder


def bench(emomap: Command, dataset: Path, out: Path, *words: object) -> dict[str, object]:
    ran = emomap(
        "bench", "--data", dataset, "--no-baselines", "-m", "center", "-q", "--out", out, *words
    )
    assert ran.code == 3
    table = json.loads((out / "summary.json").read_text())
    return {**table, "printed": ran.out, "said": ran.err}


def test_a_method_without_any_value_keeps_its_row(
    emomap: Command, dataset: Path, negative: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    found = bench(
        emomap, dataset, out, "-m", f"mine={negative}", "--set", "score.metrics=['kl','sim']"
    )
    assert "mine: not scored: 12 of 12 maps negative" in unwrapped(found["printed"])
    (line,) = (x for x in unwrapped(found["printed"]).splitlines() if x.startswith("mine "))
    assert line.split() == ["mine", "-", "-"]
    assert found["methods"]["mine"]["metrics"] == {}
    assert "mine" not in found["ranks"]
    assert "12 of 12" not in found["said"]
    page = (out / "report.html").read_text("utf-8")
    assert "not scored: 12 of 12 maps negative" in page
    assert "2 methods" in page
    assert found["printed"].startswith(emomap("table", out).out[:200])
    assert (out / "rows" / "mine.jsonl").read_text().count("reason") == 24


def test_one_metric_does_not_take_the_others_with_it(
    emomap: Command, dataset: Path, maps: Path, negative: Path, tmp_path: Path
) -> None:
    whole = bench_of(emomap, dataset, tmp_path / "whole", maps)
    for path in sorted(maps.iterdir())[4:]:
        (negative / f"{path.stem}.npy").unlink()
        (negative / path.name).write_bytes(path.read_bytes())
    out = tmp_path / "run"
    found = bench(emomap, dataset, out, "-m", f"mine={negative}")
    mine, before = found["methods"]["mine"]["metrics"], whole["methods"]["mine"]["metrics"]
    assert list(mine) == list(before)
    assert mine["auc_judd"] == before["auc_judd"]
    assert mine["nss"]["mean"] == pytest.approx(before["nss"]["mean"], rel=1e-3)  # not clipped
    assert (mine["kl"]["n"], mine["cc"]["n"]) == (8, 12)
    assert list(found["ranks"]) == ["center"]  # a mean over other images cannot be ranked
    assert "mine: sim, kl, emd: not scored: 4 of 12 maps negative" in unwrapped(found["printed"])
    # the same command again, the figure, and a comparison live with the gaps
    rows = (out / "rows" / "mine.jsonl").read_bytes()
    (out / "rows" / "mine.jsonl").write_bytes(rows[:-700])
    again = bench(emomap, dataset, out, "-m", f"mine={negative}")
    assert (out / "rows" / "mine.jsonl").read_bytes() == rows
    assert again["methods"] == found["methods"]
    figure.figure(out, ["00", "05"], tmp_path / "figure.png", metric="kl")
    compared = emomap("compare", out)
    assert "kl: 8 of the 12 images have it everywhere" in compared.out


def bench_of(emomap: Command, dataset: Path, out: Path, maps: Path) -> dict[str, dict[str, object]]:
    """A run in which every map has every metric."""
    words = ("--no-baselines", "-m", "center", "-m", f"mine={maps}", "-q", "--out", out)
    assert emomap("bench", "--data", dataset, *words).code == 0
    found: dict[str, dict[str, object]] = json.loads((out / "summary.json").read_text())
    return found


def test_a_method_that_fails_on_every_picture_keeps_its_row(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    for path in maps.iterdir():
        path.write_bytes(b"no picture")
    found = bench(emomap, dataset, tmp_path / "run", "-m", f"mine={maps}")
    assert found["methods"]["mine"]["metrics"] == {}
    assert "mine: not scored: " in unwrapped(found["printed"])
    assert found["said"].count("not done") == 1


def test_the_command_says_what_the_maps_could_be(
    emomap: Command, dataset: Path, maps: Path
) -> None:
    whole = emomap("score", maps, dataset, "--format", "json", "-q")
    for path in sorted(maps.iterdir()):
        values = io.read_map(path).astype(float)
        path.unlink()
        with np.errstate(divide="ignore"):
            logarithm = np.maximum(np.log(values / values.sum()), -60)
        np.save(path.with_suffix(".npy"), logarithm)
    told = emomap("score", maps, dataset, "-q")
    assert told.code == 3
    assert "could be log-densities; if they are, say --prediction log-density" in told.err
    assert told.out.count("12 of 12 maps negative") == 1
    right = emomap("score", maps, dataset, "--format", "json", "--prediction", "log-density", "-q")
    assert right.code == 0
    means = json.loads(right.out)["metrics"]
    for name, entry in json.loads(whole.out)["metrics"].items():
        assert means[name]["mean"] == pytest.approx(entry["mean"], rel=2e-3)  # bytes are rounded
    assert emomap("score", maps, dataset, "--prediction", "logits").code == 2
