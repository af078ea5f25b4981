"""The tables of the paper: our numbers, published ones beside them, and the reservations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from emomap.experiment import paper
from emomap.method import title
from tests.cli.conftest import Command
from tests.conftest import shared


def summary(table: paper.PaperTable, seed: int, *, synthetic: bool = False) -> dict[str, Any]:
    """The summary of a run of a table; its numbers follow from the seed."""
    entry = {
        "accuracy": 0.5 + seed / 10,
        "metrics": {metric: {"mean": 0.25 + seed / 10} for metric in table.metrics},
    }
    return {
        "dataset": "FI",
        "synthetic": synthetic,
        "split": "test",
        "n_images": 7,
        "seed": seed,
        "signature": "cc|mit",
        "methods": dict.fromkeys((*table.baselines, *table.rows), entry),
    }


def test_published_numbers_are_those_that_were_transcribed() -> None:
    recorded = json.loads(shared("fixtures/leaderboard.json").read_text("utf-8"))
    ours = paper.published()
    assert ours["table1"]["rows"] == recorded["fi8"]
    tables = (("table2", "seed_table2_rotations"), ("table3", "seed_table3_maps"))
    for name, recorded_as in tables:
        theirs = recorded[recorded_as]
        assert ours[name]["rows"] == {key: theirs[key] for key in ours[name]["rows"]}
        assert ours[name]["probable"] == theirs["probable"] and ours[name]["source"]
    assert ours["figure5"]["values"] == recorded["seed_fig5_confusion"]


@pytest.mark.parametrize(
    ("which", "row", "number"),
    [
        (1, "islamnet", "70.7"),
        (1, "paef", "46.1"),
        (1, "wscnet", "70.1"),
        (2, "islamnet-c", "59.4"),
        (2, "islamnet-b", "55.1"),
        (3, "objectness", "0.61"),
        (3, "islamnet", "0.71"),
        (3, "gbvs", "0.80"),
    ],
)
def test_published_numbers_stand_beside_ours_and_are_marked(
    which: int, row: str, number: str
) -> None:
    table = paper.table(which)
    text = paper.beside(table, [summary(table, 1)]).render("md")
    header = next(line for line in text.splitlines() if line.startswith("| method"))
    assert header.count("published") == len(table.metrics or [1])
    line = next(line for line in text.splitlines() if line.startswith(f"| {title(row)} "))
    assert f"| {number} |" in line and ("0.350" if which == 3 else "60.0") in line
    assert "not ours" in text and "Published:" in text


@pytest.mark.parametrize("which", [1, 2, 3])
def test_published_numbers_never_stand_beside_synthetic_data(which: int) -> None:
    table = paper.table(which)
    text = paper.beside(table, [summary(table, 1, synthetic=True)]).render("md")
    assert "| published |" not in text and "SYNTHETIC" in text and "not shown" in text


def test_the_published_confusion_matrix_is_marked_and_kept_from_synthetic_data() -> None:
    table = paper.table(1)
    [shown] = paper.beside_confusion(table, [summary(table, 1)])
    text = shown.render("md")
    assert "| amusement | 81 |" in text and "not ours" in text
    assert not paper.beside_confusion(table, [summary(table, 1, synthetic=True)])
    assert not paper.beside_confusion(paper.table(2), [summary(paper.table(2), 1)])


def test_several_seeds_give_mean_and_deviation() -> None:
    table = paper.table(1)
    summaries = [summary(table, seed) for seed in (0, 1, 2)]
    text = paper.beside(table, summaries).render("md")
    assert "| 60.0 ± 10.0 | 70.7 |" in text and "over seeds 0, 1, 2" in text
    third = paper.table(3)
    text = paper.over_seeds([summary(third, seed) for seed in (0, 1, 2)]).render("md")
    assert "0.350 ± 0.100" in text and "60.0 ± 10.0" in text


def test_rows_of_the_tables() -> None:
    assert set(paper.table(1).rows) == {"paef", "jcdl", "spn", "wildcat", "wscnet", "islamnet"}
    tasks = [paper.table(2).options[name]["angles"] for name in paper.table(2).rows]
    assert tasks == [[0, 180], [90, 270], [0, 90, 180, 270], [45 * k for k in range(8)]]
    third = paper.table(3)
    assert {*third.rows, *third.baselines} == {
        "objectness", "gbvs", "itti_koch", "wildcat", "wscnet", "islamnet", "spn", "center",
    }  # fmt: skip
    assert third.metrics == ("auc_judd", "auc_borji", "cc", "sim", "kl", "emd")


# --- the command ------------------------------------------------------------------------------

TOY = ("--recipe", "demo", "--set", "training.epochs=1", "--set", "training.threads=1",
       "--set", "bench.report=false", "-q")  # fmt: skip


@pytest.fixture
def photos(dataset: Path) -> Path:
    """The small data set, with two emotions and all splits."""
    names = sorted(path.stem for path in (dataset / "images").iterdir())
    emotions = [("awe", "fear")[index % 2] for index in range(12)]
    splits = ["train"] * 8 + ["val"] * 2 + ["test"] * 2
    for file, column, values in (("labels", "emotion", emotions), ("split", "split", splits)):
        lines = [f"image,{column}", *map(",".join, zip(names, values, strict=True))]
        (dataset / f"{file}.csv").write_text("\n".join(lines), "utf-8")
    return dataset


def test_table_2_with_two_seeds(emomap: Command, tmp_path: Path, photos: Path) -> None:
    out = tmp_path / "run"
    report = ("--set", "bench.report=true")
    ran = emomap("bench", "--table", 2, "--seeds", 2, "-d", photos, "-o", out, *TOY, *report)
    assert ran.code == 0, ran.err
    line = next(line for line in ran.out.splitlines() if line.startswith("ISLAMNet-c"))
    assert "±" in line and "59.4" in line
    assert "ISLAMNet-d: confusion matrix" in ran.out
    for seed in (0, 1):
        home = out / f"seed{seed}"
        assert "59.4" in (home / "table2.md").read_text()
        drawn = Image.open(home / "methods/islamnet-c/confusion.png")
        assert min(drawn.size) > 300
        assert (home / "report.html").exists()
        state = json.loads((home / "summary.json").read_text())
        assert state["seed"] == seed and len(state["methods"]) == 4


def test_sanity_checks_of_a_run(emomap: Command, tmp_path: Path, photos: Path) -> None:
    command = ("bench", "-m", "wscnet", "-m", "jcdl", "--no-baselines", "-d", photos, *TOY)
    ran = emomap(*command, "--sanity", "-o", tmp_path / "run")
    assert ran.code == 0, ran.err
    assert "WSCNet: maps while their layers lose their weights" in ran.out
    assert "WSCNet@random-head-smooth" in ran.out and "without the trained head" in ran.out
    assert "random order" in ran.out and "JCDL: maps" not in ran.out
    found = json.loads((tmp_path / "run/sanity.json").read_text())
    assert set(found) == {"wscnet"}
    rows = found["wscnet"]["randomised"]
    assert rows[0]["share"] == 0 and rows[-1]["share"] == 1
    assert rows[0]["likeness"] == pytest.approx(1) and rows[-1]["likeness"] < 0.9
    assert set(rows[0]) == {"share", "likeness", "cc", "nss"}
    for kind in ("deletion", "insertion"):
        assert all(0 < area < 1 for area in found["wscnet"]["curves"][kind].values())
