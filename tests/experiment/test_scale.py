"""Many pictures: shards and clusters yield what one process yields, even if workers are killed."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap import parallel
from emomap.errors import EmomapError, UsageError
from emomap.experiment.bench import bench
from emomap.experiment.merge import merge_runs
from emomap.scoring import per_image
from emomap.scoring.folders import score
from emomap.scoring.merge import merge_files
from emomap.scoring.summary import Summary
from emomap.tables import short


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty small pictures with gaze, and a folder of maps."""
    root = tmp_path_factory.mktemp("scale")
    rng = np.random.default_rng(7)
    for folder in ("photos/images", "photos/fixations", "maps"):
        (root / folder).mkdir(parents=True)
    for index in range(40):
        image = rng.integers(0, 255, (68, 90, 3)).astype(np.uint8)
        Image.fromarray(image).save(root / f"photos/images/{index:02d}.png")
        Image.fromarray(image[:, :, 0]).save(root / f"maps/{index:02d}.png")
        spots = rng.uniform(0, 1, (15, 2)) * (89, 67)
        lines = [f"{x:.1f},{y:.1f},{i % 3}" for i, (x, y) in enumerate(spots)]
        text = "x,y,observer\n" + "\n".join(lines) + "\n"
        (root / f"photos/fixations/{index:02d}.csv").write_text(text)
    return root


# -------------------------------------------------------------------------------------- shards


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("block", [1, 16])
def test_shards_share_the_items_out(count: int, block: int) -> None:
    items = list(range(100))
    parts = [parallel.shard(items, (k, count), block) for k in range(1, count + 1)]
    assert sorted(item for part in parts for item in part) == items
    for part in parts:
        for start in range(0, len(items), block):
            inside = set(items[start : start + block])
            assert inside <= set(part) or not inside & set(part)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl"])
def test_merged_shards_are_the_whole(photos: Path, tmp_path: Path, suffix: str) -> None:
    """Shuffled AUC needs the gaze on all other images, those of other shards included."""
    from emomap.scoring.protocol import Protocol

    protocol = Protocol(("auc_shuffled", "cc", "nss"))
    run = partial(score, photos / "maps", photos / "photos", protocol=protocol, jobs=1)
    whole = run()
    parts = []
    for k in range(1, 4):
        parts.append(tmp_path / f"{k}{suffix}")
        per_image.write(parts[-1], run(shard=(k, 3)).per_image())
    merged = merge_files(parts[::-1], tmp_path / f"all{suffix}")
    assert merged.values == whole.values
    assert list(merged.values) == list(whole.values)
    assert per_image.read(tmp_path / f"all{suffix}").values == whole.values
    shown = json.loads(Summary.of(merged).render("json"))
    assert shown["metrics"] == whole.summary()
    table = Summary.of(merged).render("table").splitlines()
    assert table[:6] == whole.render("table").splitlines()[:6]


def test_parts_that_do_not_fit_are_refused(photos: Path, tmp_path: Path) -> None:
    from emomap.scoring.protocol import Protocol

    def part(name: str, shard: tuple[int, int], convention: str = "mit") -> Path:
        protocol = Protocol(("nss",), convention=convention)
        found = score(photos / "maps", photos / "photos", protocol=protocol, shard=shard, jobs=1)
        per_image.write(tmp_path / name, found.per_image())
        return tmp_path / name

    one, two = part("1.csv", (1, 2)), part("2.csv", (2, 2), "tuebingen")
    with pytest.raises(UsageError, match="nss was not scored as in"):
        merge_files([one, two], tmp_path / "all.csv")
    with pytest.raises(EmomapError, match="another part also has 00, 02, 04"):
        merge_files([one, one], tmp_path / "all.csv")
    with pytest.raises(EmomapError, match="only 40 maps"):
        score(photos / "maps", photos / "photos", shard=(60, 60), jobs=1)


@pytest.mark.parametrize("form", ["table", "json", "csv", "md", "latex"])
def test_a_merged_table_has_its_signature_as_that_of_score(
    photos: Path, tmp_path: Path, form: str
) -> None:
    run = partial(score, photos / "maps", photos / "photos", jobs=1, seed=5)
    parts = [tmp_path / f"{k}.csv" for k in (1, 2)]
    for k, path in enumerate(parts, 1):
        per_image.write(path, run(shard=(k, 2)).per_image())
    shown = Summary.of(merge_files(parts, tmp_path / "all.csv"), 5).render(form)
    whole = run()
    if form == "table":
        assert f"signature: {short(whole.signature)}" in shown
        return
    if form == "csv":
        assert shown == whole.render("csv")
    else:
        assert whole.signature.replace("|", "") in shown.replace("\\textbar{}", "").replace(
            "|", ""
        ).replace("\\_", "_").replace("\\textasciicircum{}", "^")


def test_merge_does_not_write_over_a_part_when_out_is_forgotten(
    photos: Path, tmp_path: Path
) -> None:
    run = partial(score, photos / "maps", photos / "photos", jobs=1)
    parts = [tmp_path / f"{k}.csv" for k in (1, 2, 3)]
    for k, path in enumerate(parts, 1):
        per_image.write(path, run(shard=(k, 3)).per_image())
    before = parts[0].read_bytes()
    with pytest.raises(UsageError, match=r"1\.csv: exists already and has 00, 03"):
        merge_files(parts[1:], parts[0])
    assert parts[0].read_bytes() == before
    (tmp_path / "note.csv").write_text("hello")
    with pytest.raises(UsageError, match="is not the result of a merge"):
        merge_files(parts, tmp_path / "note.csv")
    for _ in range(2):  # the same merge may be repeated
        assert len(merge_files(parts, tmp_path / "all.csv").values) == 40


def test_merged_runs_are_the_whole_run(photos: Path, tmp_path: Path) -> None:
    def run(name: str, shard: tuple[int, int] | None = None) -> Path:
        bench(
            ["uniform", "center", f"mine={photos / 'maps'}"],
            data=str(photos / "photos"),
            settings=["score.metrics=['cc','nss']", "bench.report=false"],
            baselines=False,
            split="all",
            out=tmp_path / name,
            jobs=1,
            shard=shard,
            show=False,
        )
        return tmp_path / name

    whole = run("whole")
    parts = [run(f"part{k}", (k, 2)) for k in (1, 2)]
    with pytest.raises(UsageError, match="shard 2/2 is missing"):
        merge_runs(parts[:1], tmp_path / "merged")
    with pytest.raises(UsageError, match="not made with --shard"):
        merge_runs([whole], tmp_path / "merged")
    with pytest.raises(EmomapError, match=r"shard 4/4 has no pictures: .* batches of 16"):
        run("part4", (4, 4))
    merge_runs(parts[::-1], tmp_path / "merged")
    with pytest.raises(UsageError, match="exists already"):
        merge_runs(parts, tmp_path / "merged")
    for name in ("summary.json", "table.md", "recipe.toml"):
        assert (tmp_path / "merged" / name).read_text() == (whole / name).read_text(), name
    for path in whole.rglob("*"):
        if path.suffix in {".jsonl", ".png"}:
            mine = tmp_path / "merged" / path.relative_to(whole)
            assert mine.read_bytes() == path.read_bytes(), path


# ---------------------------------------------------------------------------------------- Dask


def die_once(item: int, marker: Path) -> int:
    if item == 30 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * item


def test_a_killed_worker_of_a_cluster_loses_no_result(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    work = partial(die_once, marker=tmp_path / "dead")
    with parallel.on("dask", jobs=2):
        found = list(parallel.ordered(work, range(80), chunk=4))
    assert found == [2 * item for item in range(80)]
    assert (tmp_path / "dead").exists()


def test_wrong_engines_are_wrong_use() -> None:
    with pytest.raises(UsageError, match="is for --engine dask"), parallel.on("local", "tcp://a:1"):
        pass
    with pytest.raises(UsageError, match="there are local and dask"), parallel.on("ray"):
        pass


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(parallel.cluster, "WAIT", 1)
    with (
        pytest.raises(EmomapError, match=r"--scheduler tcp://127\.0\.0\.1:1: no worker"),
        parallel.on("dask", "tcp://127.0.0.1:1"),
    ):
        pass


def test_a_cluster_with_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise its scheduler could not unpickle the work, and the run would wait for ever."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(parallel.cluster, "__version__", "0.0.0")
    with pytest.raises(EmomapError, match=r"this is emomap 0\.0\.0"), parallel.on("dask", jobs=1):
        pass
