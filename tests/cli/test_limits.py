"""How far from people: floor, ceiling and shares of `bench`, as a user sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command

NAMES = ["nss", "info_gain", "cc"]


@pytest.fixture
def command(dataset: Path, maps: Path) -> tuple[object, ...]:
    return ("bench", "-d", dataset, "-m", f"mine={maps}", "-q", "--jobs", 1, "--baseline", "center",
            "--set", "bench.baselines=['center']", "--set", f"score.metrics={NAMES}",
            "--set", "score.sigma=6")  # fmt: skip


def test_every_metric_has_floor_ceiling_and_shares(
    emomap: Command, command: tuple[object, ...], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    ran = emomap(*command, "-o", run)
    assert ran.code == 0, ran.err
    summary = json.loads((run / "summary.json").read_text())
    limits = summary["limits"]
    assert list(limits["gold_standard"]) == list(limits["center_bias"]) == NAMES
    assert limits["group_sizes"] == [1]  # of three observers
    for name in NAMES:
        low, high = (limits[key][name]["mean"] for key in ("center_bias", "gold_standard"))
        mine = summary["methods"]["mine"]["metrics"][name]["mean"]
        assert limits["share"]["mine"][name] == pytest.approx((mine - low) / (high - low))
    text = " ".join(ran.out.split())
    assert "How far from the centre bias" in text and "information gain explained" in text
    assert "too few to correct for their size" in text
    shown = emomap("table", run, "--metrics", "cc")
    assert "gold standard" in shown.out and "information gain" not in shown.out
    assert 'id="limits"' in (run / "report.html").read_text()
    again = emomap(*command, "-o", run)
    assert again.code == 0 and json.loads((run / "summary.json").read_text()) == summary


def test_shards_merge_into_the_same_limits(
    emomap: Command,
    command: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("emomap.predict.BATCH", 4)
    command = (*command, "--set", "bench.report=false")
    whole, out = tmp_path / "whole", tmp_path / "out"
    parts = [tmp_path / "1", tmp_path / "2"]
    assert emomap(*command, "-o", whole).code == 0
    for number, part in enumerate(parts, 1):
        assert emomap(*command, "-o", part, "--shard", f"{number}/2").code == 0
    assert emomap("merge", out, *parts).code == 0
    found, wanted = (json.loads((p / "summary.json").read_text()) for p in (out, whole))
    assert found["limits"] == wanted["limits"]


def test_without_observers_there_is_no_ceiling_and_a_reason(
    emomap: Command, command: tuple[object, ...], dataset: Path, tmp_path: Path
) -> None:
    for file in (dataset / "fixations").iterdir():
        lines = [",".join(line.split(",")[:2]) for line in file.read_text().splitlines()]
        file.write_text("\n".join(lines) + "\n")
    ran = emomap(*command, "-o", tmp_path / "run")
    assert ran.code == 0
    assert "no ceiling: this gaze does not say which observer" in " ".join(ran.out.split())
    assert "limits" not in json.loads((tmp_path / "run" / "summary.json").read_text())
