"""`bench --by`: groups of images in the summary, tables and report; through shards and reruns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from emomap import report
from emomap.cli import cli
from emomap.errors import UsageError
from emomap.experiment.bench import bench
from emomap.experiment.merge import merge_runs
from emomap.experiment.result import Bench
from emomap.runs import results


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty pictures; of 36 the emotion is known, and of 4 there is no gaze."""
    root = tmp_path_factory.mktemp("groups") / "photos"
    rng = np.random.default_rng(7)
    for folder in ("images", "fixations"):
        (root / folder).mkdir(parents=True)
    labels, attributes = ["image,emotion"], ["image,scene"]
    for at in range(40):
        Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(
            root / f"images/{at:02}.png"
        )
        if at < 36:
            spots = rng.uniform(0, 1, (9, 2)) * (63, 47)
            lines = "".join(f"{x:.1f},{y:.1f}\n" for x, y in spots)
            (root / f"fixations/{at:02}.csv").write_text(f"x,y\n{lines}")
        if at % 10:
            labels.append(f"{at:02},{('awe', 'fear', 'anger')[at % 3]}")
        attributes.append(f"{at:02},{'street' if at % 2 else 'beach'}")
    (root / "labels.csv").write_text("\n".join(labels) + "\n")
    (root / "attributes.csv").write_text("\n".join(attributes) + "\n")
    return root


def run(photos: Path, out: Path, **more: object) -> Bench:
    return bench(
        ["uniform", "center"],
        data=str(photos),
        settings=["score.metrics=['cc','nss']", "bench.report=false", "bench.ceiling=false"],
        baselines=False,
        split="all",
        out=out,
        jobs=1,
        show=False,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def whole(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return run(photos, tmp_path_factory.mktemp("run") / "whole", by="emotion")


def test_groups_sum_up_to_the_whole(whole: Bench) -> None:
    kept = whole.summary["groups"]
    assert kept["by"] == "emotion"
    assert list(kept["images"]) == ["anger", "awe", "fear", "(none)"]
    assert sum(kept["images"].values()) == 40
    for name, entry in whole.summary["methods"].items():
        for metric, cell in entry["metrics"].items():
            cells = [c for c in kept["cells"] if (c["method"], c["metric"]) == (name, metric)]
            total = sum(c["n"] * c["mean"] for c in cells)
            assert sum(c["n"] for c in cells) == cell["n"] == 36
            assert total / cell["n"] == pytest.approx(cell["mean"], abs=1e-12)


def test_tables_and_report_have_them(whole: Bench, tmp_path: Path) -> None:
    text = repr(whole)
    assert "NSS ↑ by emotion" in text
    assert "awe: 2 of 12 images not scored" in text
    folder = whole.folder.folder
    assert "NSS ↑ by emotion" in (folder / "table.md").read_text()
    page = report.write(folder, tmp_path / "page.html").read_text()
    assert '<h2 id="groups-title">By emotion</h2>' in page
    other = report.write(folder, tmp_path / "page.html", by="scene").read_text()
    assert "By scene" in other
    assert "By emotion" not in other


def test_a_finished_run_is_broken_down_anew(whole: Bench) -> None:
    folder = str(whole.folder.folder)
    found = CliRunner().invoke(cli, ["table", folder, "--by", "scene"])
    assert found.exit_code == 0, found.output
    assert "NSS ↑ by scene" in found.output
    assert "by emotion" not in found.output
    assert results.read(whole.folder.folder).summary["groups"]["by"] == "emotion"


def test_a_rerun_may_ask_for_other_groups(photos: Path, tmp_path: Path) -> None:
    plain = run(photos, tmp_path / "run").summary
    assert "groups" not in plain
    again = run(photos, tmp_path / "run", by="scene").summary
    assert list(again["groups"]["images"]) == ["beach", "street"]
    assert {k: v for k, v in again.items() if k != "groups"} == plain


def test_shards_merge_to_the_whole(photos: Path, whole: Bench, tmp_path: Path) -> None:
    for k in (1, 2):
        run(photos, tmp_path / f"part{k}", by="emotion", shard=(k, 2))
    merge_runs([tmp_path / "part1", tmp_path / "part2"], tmp_path / "all")
    for name in ("summary.json", "table.md"):
        assert (tmp_path / "all" / name).read_text() == (whole.folder.folder / name).read_text(), (
            name
        )


def test_groups_of_a_table_merge_too(photos: Path, tmp_path: Path) -> None:
    table = tmp_path / "groups.csv"
    table.write_text("image,era\n" + "".join(f"{at:02},{1900 + at % 3}\n" for at in range(40)))
    for k in (1, 2):
        run(photos, tmp_path / f"part{k}", groups=table, shard=(k, 2))
    merged = merge_runs([tmp_path / "part1", tmp_path / "part2"], tmp_path / "all")
    assert list(merged.summary["groups"]["images"]) == ["1900", "1901", "1902"]
    assert merged.summary["groups"]["table"] == str(table)


def test_an_unknown_column_is_refused_before_any_work(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="--by mood: no such column; the data set has scene, emotion"
    ):
        run(photos, tmp_path / "run", by="mood")
    assert not (tmp_path / "run").exists()
