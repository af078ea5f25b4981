"""`emomap score --audit`, as a user types it."""

from __future__ import annotations

import csv
import io as text_io
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng
from PIL import Image

import emomap as package
from emomap.analysis.audit import LEAST, SHARE, audit
from emomap.scoring.alterations import ALTERATIONS
from tests.cli.conftest import Command

SHAPE = (60, 80)
METRICS = "nss,kl,cc,auc"


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Maps with a wide range of values, and fixations near their peaks."""
    rng = default_rng(3)
    maps, truth = tmp_path / "maps", tmp_path / "truth"
    maps.mkdir()
    truth.mkdir()
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    for name in "abc":
        row, column = rng.uniform(15, 45), rng.uniform(20, 60)
        square = (y - row) ** 2 + (x - column) ** 2
        np.save(maps / f"{name}.npy", np.exp(-square / 100).astype(np.float32))
        points = np.c_[rng.normal(column, 12, 40), rng.normal(row, 12, 40)]
        points = np.clip(points, 0, (SHAPE[1] - 1, SHAPE[0] - 1))
        lines = "".join(f"{u:.1f},{v:.1f}\n" for u, v in points)
        (truth / f"{name}.csv").write_text("x,y\n" + lines)
        Image.new("L", SHAPE[::-1]).save(maps.parent / f"{name}.png")
    return maps, truth


def test_changes_are_those_of_scoring_altered_files(
    emomap: Command, tmp_path: Path, sides: tuple[Path, Path]
) -> None:
    maps, truth = sides
    ran = emomap("score", maps, truth, "--audit", "--metrics", METRICS, "--format", "json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    given = package.score(maps, truth, metrics=METRICS.split(","))
    (tmp_path / "png").mkdir()
    for file in maps.iterdir():
        values = np.load(file).astype(np.float64)
        Image.fromarray(np.rint(values / values.max() * 255).astype(np.uint8)).save(
            tmp_path / "png" / f"{file.stem}.png"
        )
    rounded = package.score(tmp_path / "png", truth, metrics=METRICS.split(","))
    for metric in METRICS.split(","):
        before, after = np.array(given.column(metric)), np.array(rounded.column(metric))
        move = found["alterations"]["8-bit"]["metrics"][metric]
        assert found["given"][metric] == pytest.approx(before.mean())
        assert move["mean"] == pytest.approx((after - before).mean(), abs=1e-12)
        at = int(np.abs(after - before).argmax())
        assert move["largest"] == pytest.approx((after - before)[at], abs=1e-12)
        assert move["image"] == list(given.values)[at]
        chance = 0.5 if metric == "auc" else 0
        limit = max(SHARE * abs(before.mean() - chance), LEAST)
        assert move["hangs"] == (abs((after - before).mean()) > limit)
    # zeros of eight bits cost KL, and no power of a map changes the AUC
    assert found["alterations"]["8-bit"]["metrics"]["kl"]["hangs"]
    assert found["alterations"]["^2"]["metrics"]["auc"]["mean"] == pytest.approx(0, abs=1e-3)
    assert any(line.startswith("KL, ") and "8-bit" in line for line in found["sentences"])
    assert not any(line.startswith("AUC, ") and "exponent" in line for line in found["sentences"])


def test_forms(emomap: Command, sides: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    given = ("score", *sides, "--audit", "--metrics", "all", "-j", "1")
    table = emomap(*given)
    assert table.code == 0
    assert max(map(len, table.out.splitlines())) <= 80
    assert all(alteration.name in table.out for alteration in ALTERATIONS)
    assert "2% of its value" in table.out
    assert "floor 0 leaves 3 of 3 maps as they are" in table.out
    lines = list(csv.DictReader(text_io.StringIO(emomap(*given, "--format", "csv").out)))
    assert {line["alteration"] for line in lines} == {a.name for a in ALTERATIONS}
    assert all(line["n"] == "3" and line["signature"] for line in lines)
    assert emomap(*given, "--format", "md").out.count("|") > 100
    assert r"\begin{tabular}" in emomap(*given, "--format", "latex").out


def test_one_pair_and_arrays(emomap: Command, sides: tuple[Path, Path]) -> None:
    maps, truth = sides
    ran = emomap("score", maps / "a.npy", truth / "a.csv", "--audit", "--metrics", "nss")
    assert ran.code == 0
    assert "1 image" in ran.out
    assert "largest" not in ran.out
    points = np.loadtxt(truth / "a.csv", delimiter=",", skiprows=1)
    found = audit(np.load(maps / "a.npy"), points)
    given = package.score(np.load(maps / "a.npy"), points)
    assert found.given("nss") == pytest.approx(given.column("nss")[0])


def test_what_does_not_apply_is_said(emomap: Command, sides: tuple[Path, Path]) -> None:
    maps, truth = sides
    for file in maps.iterdir():
        np.save(file, np.load(file) - 0.1)
    ran = emomap("score", maps, truth, "--audit", "--metrics", "nss,kl")
    assert ran.code == 3
    words = " ".join(ran.out.split())
    assert "^2 does not apply to 3 of 3 maps: negative values" in words
    assert "KL: some maps have a value only after min-max, floor 0" in words
    for file in maps.iterdir():
        density = np.exp(np.load(file).astype(float))
        np.save(file, np.log(density / density.sum()))
    logs = emomap(
        "score", maps, truth, "--audit", "--metrics", "nss,kl", "--prediction", "log-density"
    )
    assert logs.code == 0
    assert "alterations are made to their exponential" in " ".join(logs.out.split())


def test_videos(sides: tuple[Path, Path], tmp_path: Path) -> None:
    for side in sides:
        for name, file in zip(("u/1", "u/2", "v/1"), sorted(side.iterdir()), strict=True):
            target = tmp_path / "video" / side.name / f"{name}{file.suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    found = audit(tmp_path / "video/maps", tmp_path / "video/truth", videos=True)
    frames = audit(tmp_path / "video/maps", tmp_path / "video/truth")
    change = {one.id: one.after["^2"]["nss"] - one.given["nss"] for one in frames.altered}
    move = found.move("nss", "^2")
    assert move is not None
    assert move.mean == pytest.approx(((change["u/1"] + change["u/2"]) / 2 + change["v/1"]) / 2)
    assert move.n == 2
    assert "frames:mean" in found.signature


@pytest.mark.parametrize(
    "more",
    [("--per-image", "x.csv"), ("--shard", "1/2"), ("--against", "a")],
    ids=lambda more: more[0],
)
def test_options_that_say_nothing_here(
    emomap: Command, sides: tuple[Path, Path], more: tuple[str, str]
) -> None:
    ran = emomap("score", *sides, "--audit", *more)
    assert ran.code == 2
    assert f"{more[0]} does not go with --audit" in ran.err


def test_problems_are_said(emomap: Command, sides: tuple[Path, Path], tmp_path: Path) -> None:
    maps, truth = sides
    assert emomap("score", maps, maps, "--gt", truth, "--audit").code == 2
    (maps / "a.npy").write_bytes(b"nothing")
    ran = emomap("score", maps, truth, "--audit", "--metrics", "nss")
    assert ran.code == 3
    assert "a.npy" in ran.err
    assert "not scored: 1 of 3" in ran.out
    for file in maps.iterdir():
        file.write_bytes(b"nothing")
    ran = emomap("score", maps, truth, "--audit")
    assert ran.code == 1
    assert "a.npy: not a NumPy file" in ran.err
