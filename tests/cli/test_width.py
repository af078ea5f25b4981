"""At 80 columns no line of any command that prints a table is longer than 80.

Eight methods with long names, every metric, a long name of a data set.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap import cli, metrics
from emomap.experiment.bench import bench
from emomap.tables import width
from tests.cli.conftest import Command, scene

COLUMNS = 80
LONG = "a_long_name_of_a_method_that_somebody_has_chosen"
SETS = [f"{LONG}_{at}_{'x' * (20 * at)}" for at in range(1, 7)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set, six folders of maps, and a run of eight methods with every metric."""
    root = tmp_path_factory.mktemp("w")
    rng = np.random.default_rng(5)
    photos = root / "photographs-of-a-long-summer"
    for folder in (photos / "images", photos / "fixations", *(root / name for name in SETS)):
        folder.mkdir(parents=True)
    names = [f"{'a-picture-with-a-long-name' * (at % 3)}{at:02d}" for at in range(18)]
    for name in names:
        image = scene(rng, (64, 80))
        Image.fromarray(image).save(photos / "images" / f"{name}.png")
        disc = image[:, :, 0] > 200
        spots = np.argwhere(disc)[rng.integers(0, disc.sum(), 12)]
        lines = "".join(f"{x},{y},{at % 3}\n" for at, (y, x) in enumerate(spots))
        (photos / "fixations" / f"{name}.csv").write_text("x,y,observer\n" + lines)
        for at, kind in enumerate(SETS):
            values = 100.0 * disc + 40 * at * rng.random(disc.shape) + 1
            Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(
                root / kind / f"{name}.png"
            )
    settings = [
        f"score.metrics={json.dumps(list(metrics.CATALOGUE))}",
        "bench.report=false",
    ]
    for shard in (None, (1, 2), (2, 2)):
        bench(
            ["uniform", "center", *(f"{name}={root / name}" for name in SETS)],
            data=str(photos),
            baselines=False,
            settings=settings,
            out=root / ("run" if shard is None else f"part{shard[0]}"),
            shard=shard,
            jobs=1,
            show=False,
        )
    return root


@pytest.fixture
def here(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the run, in a terminal of 80 columns; short paths, which are never broken."""
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    return root


MAPS = SETS[0]
PHOTOS = "photographs-of-a-long-summer"
FIRST = f"{PHOTOS}/images/00.png"

#: Every command that prints a table or a list, by what a user types.
COMMANDS = [
    ("bench", "--data", PHOTOS, "-m", "center", "-m", f"{LONG}={MAPS}", "--no-baselines", "--folds",
     "2", "--out", "folds", "-q", "--set", "bench.report=false", "--set", "score.metrics=[\"cc\"]"),
    ("table", "run"),
    ("table", "run", "--no-intervals"),
    ("table", "run", "--explain"),
    ("table", "run", "--metrics", "cc,kl"),
    ("compare", "run"),
    ("compare", "run", "--all-pairs"),
    ("compare", "run", "--explain", "--against", SETS[5]),
    ("merge", "whole", "part1", "part2"),
    ("score", MAPS, PHOTOS, "--metrics", "all", "-q"),
    ("score", MAPS, PHOTOS, "--metrics", "all", "-q", "--explain"),
    ("score", *SETS[:3], "--gt", PHOTOS, "-q"),
    ("score", MAPS, PHOTOS, "--metrics", "cc,nss", "-q", "--audit"),
    ("score", "--explain", "--metrics", "all"),
    ("score", f"{MAPS}/00.png", f"{PHOTOS}/fixations/00.csv", "-q"),
    ("leaderboard", "run", "-o", "site"),
    ("methods",),
    ("data",),
    ("data", "list"),
    ("data", "check", PHOTOS, "-q"),
    ("show", FIRST, "-m", "center", "-m", "uniform", "--gaze", PHOTOS, "-o", "shown.png"),
    ("figure", "run", "-o", "figure.png", "--methods", f"center,{MAPS}"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments)[:40])
def test_no_line_is_wider_than_the_terminal(
    arguments: tuple[str, ...], here: Path, emomap: Command
) -> None:
    ran = emomap(*arguments)
    assert ran.code in {0, 3}, ran.err
    assert ran.out.strip()
    assert [line for line in ran.out.splitlines() if width(line) > COLUMNS] == []


@pytest.mark.parametrize("command", ["", *cli.COMMANDS])
def test_no_line_of_a_help_text_is_wider(command: str, here: Path, emomap: Command) -> None:
    ran = emomap(*filter(None, [command]), "--help")
    lines = ran.out.partition("Examples:")[0].splitlines()  # a command is not broken
    assert [line for line in lines if width(line) > COLUMNS] == []


def test_names_are_those_of_papers_and_files_keep_the_keys(here: Path, emomap: Command) -> None:
    shown = emomap("table", "run").out
    assert "\nCentre prior" in shown and "\nUniform" in shown and "\ncenter" not in shown
    assert "\ncenter,nss," in emomap("table", "run", "--format", "csv").out
    assert "center" in json.loads(emomap("table", "run", "--format", "json").out)["ranks"]
    compared = emomap("compare", "run", "--metrics", "cc", "--against", "center")
    assert "Uniform - Centre" in compared.out and "Centre prior is better" in compared.out
    pairs = json.loads(emomap("compare", "run", "--format", "json").out)["pairs"]
    assert {pair["second"] for pair in pairs} <= {"uniform", "center", *SETS}
