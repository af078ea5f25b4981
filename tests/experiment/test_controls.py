"""`bench --controls`: rows of each network's controls, finished alike, beside its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emomap import io
from emomap.experiment.bench import Bench, bench
from emomap.experiment.merge import merge_runs
from emomap.runs import results

KINDS = ("f1-mean", "f1-energy", "cam", "random-head", "other-picture")
SETTINGS = (
    "training.epochs=1",
    "training.threads=1",
    "training.crop=[1.0, 1.0]",
    "training.compile=no",
    "training.batch=8",
    "training.workers=0",
    "method.islamnet.backbone=small",
    "method.islamnet.weights=none",
    "method.islamnet.size=32",
    'score.metrics=["cc","nss"]',
    'bench.baselines=["center"]',
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled pictures of two sizes with gaze: 16 to train on, 8 to validate, 20 to test."""
    root = tmp_path_factory.mktemp("controls") / "photos"
    rng = np.random.default_rng(7)
    for folder in ("images", "fixations"):
        (root / folder).mkdir(parents=True)
    labels, split = ["image,emotion"], ["image,split"]
    for index in range(44):
        size = (48, 64) if index % 2 else (64, 48)
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(
            root / f"images/{index:02d}.png"
        )
        spots = rng.uniform(0, 1, (9, 2)) * (size[1] - 1, size[0] - 1)
        lines = [f"{x:.1f},{y:.1f}" for x, y in spots]
        (root / f"fixations/{index:02d}.csv").write_text("x,y\n" + "\n".join(lines) + "\n")
        labels.append(f"{index:02d},{('awe', 'fear')[index % 2]}")
        split.append(f"{index:02d},{'train' if index < 16 else 'val' if index < 24 else 'test'}")
    (root / "labels.csv").write_text("\n".join(labels) + "\n")
    (root / "split.csv").write_text("\n".join(split) + "\n")
    return root


def run(photos: Path, out: Path, **more: object) -> Bench:
    return bench(data=str(photos), settings=SETTINGS, out=out, show=False, jobs=1, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "whole"


@pytest.fixture(scope="module")
def before(photos: Path, folder: Path) -> dict[str, Any]:
    """The summary of a run without controls, and without a report."""
    return run(photos, folder).summary


@pytest.fixture(scope="module")
def whole(photos: Path, folder: Path, before: dict[str, Any]) -> Bench:
    """The same run with controls."""
    return run(photos, folder, controls=True)


def test_controls_may_be_added_to_a_finished_run(before: dict[str, Any], whole: Bench) -> None:
    after = whole.summary["methods"]
    assert not any("@" in name for name in before["methods"])
    assert sum("@" in name for name in after) == 15
    assert all(after[name] == entry for name, entry in before["methods"].items())


def test_each_control_has_its_rows(whole: Bench) -> None:
    rows = [f"islamnet@{kind}{end}" for kind in KINDS for end in ("", "-smooth", "-center")]
    assert [n for n, e in whole.summary["methods"].items() if "control_of" in e] == rows
    for row in rows:
        lines = (whole.folder.rows(row)).read_text().splitlines()
        assert len(lines) == 2 * 20
        assert len(list((whole.folder.maps / row).glob("*.png"))) == 20
    # a control has no rank and no part in the correction of the other rows' p-values
    assert not set(rows) & (whole.summary["ranks"].keys() | whole.summary["tests"].keys())
    assert set(whole.summary["control_tests"]) == set(rows)
    ranked, table = whole.tables()[:2]
    assert not any("@" in row[0] for row in ranked.rows)
    assert [row[0] for row in table.rows if "@" in row[0]] == [
        f"ISLAMNet@{kind}{end}" for end in ("", "-smooth", "-center") for kind in KINDS
    ]
    finish = [json.loads((whole.folder.method(f"islamnet@{k}") / "finish.json").read_text())
              for k in KINDS]  # fmt: skip
    assert all(set(chosen) == {"smooth", "center"} for chosen in finish)


def test_another_pictures_map_has_the_size_of_its_own(whole: Bench) -> None:
    maps = whole.folder.maps
    for image, partner in (("24", "34"), ("25", "35"), ("43", "33")):
        shown = io.read_map(maps / "islamnet@other-picture" / f"{image}.png")
        own, theirs = (io.read_map(maps / "islamnet" / f"{name}.png") for name in (image, partner))
        assert shown.shape == own.shape == theirs.shape
        np.testing.assert_array_equal(shown, theirs)


def test_the_report_says_what_is_the_heads(whole: Bench) -> None:
    page = (whole.folder.folder / "report.html").read_text()
    assert 'id="controls"' in page and "ISLAMNet-smooth reaches CC" in page
    found = results.read(whole.folder.folder)
    assert not any("@" in name for name in found.methods)
    assert sum("@" in name for name in found.rows) == 15


def test_shards_with_controls_merge_to_the_whole(
    photos: Path, tmp_path: Path, whole: Bench
) -> None:
    checkpoint = {"islamnet": whole.folder.method("islamnet") / "checkpoint.safetensors"}
    parts = [tmp_path / f"part{k}" for k in (1, 2)]
    for k, part in enumerate(parts, 1):
        run(photos, part, shard=(k, 2), controls=True, checkpoints=checkpoint)
    merge_runs(parts, tmp_path / "merged")
    for name in ("summary.json", "table.md"):
        merged, one = tmp_path / "merged" / name, whole.folder.folder / name
        assert merged.read_bytes() == one.read_bytes()
