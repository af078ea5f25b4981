"""`emomap bench` with simple methods and ready maps: table, resuming, wrong use."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from emomap.scoring.rows import read_rows
from tests.cli.conftest import Command

LIGHT = (
    "--set", 'bench.baselines=["uniform","center"]', "--set", "bench.report=false", "--quiet",
)  # fmt: skip


def tables(run: Path) -> dict[str, bytes]:
    """The files whose bytes may not depend on interruptions."""
    files = [*sorted((run / "rows").iterdir()), run / "summary.json", run / "table.md"]
    return {str(file.relative_to(run)): file.read_bytes() for file in files}


def test_ready_maps_are_ranked_beside_baselines(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    ran = emomap("bench", "--data", dataset, "--method", f"mine={maps}", "-o", run, *LIGHT)
    assert ran.code == 0, ran.err
    summary = json.loads((run / "summary.json").read_text())
    assert summary["dataset"] == "photos"
    assert summary["synthetic"] is False
    assert set(summary["methods"]) >= {"uniform", "center", "mine"}
    mine = summary["methods"]["mine"]
    assert mine["accuracy"] is None
    assert mine["metrics"]["cc"]["n"] == 12
    assert mine["metrics"]["nss"]["mean"] > summary["methods"]["center"]["metrics"]["nss"]["mean"]
    assert next(iter(summary["ranks"])) == "mine"
    assert f"{mine['metrics']['cc']['mean']:.3f}" in ran.out
    assert list(summary["methods"]["uniform"]["metrics"]) == [
        "auc_judd", "auc_borji", "cc", "sim", "kl", "emd", "nss",
    ]  # fmt: skip
    assert (run / "recipe.toml").exists()
    assert json.loads((run / "environment.json").read_text())["versions"]["numpy"]


def test_bench_and_score_agree(emomap: Command, dataset: Path, maps: Path, tmp_path: Path) -> None:
    emomap("bench", "--data", dataset, "-m", f"mine={maps}", "-o", tmp_path / "run", *LIGHT)
    benched = json.loads((tmp_path / "run" / "summary.json").read_text())["methods"]["mine"]
    scored = json.loads(emomap("score", maps, dataset, "--format", "json").out)
    assert benched["metrics"] == scored["metrics"]


def test_a_mask_is_that_of_score(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    for i in range(12):
        mask = Image.new("L", (180, 136))
        mask.paste(255, (0, 0, 180, 20 + i))
        mask.save(masks / f"{i:02d}.png")
    names = '["nss","cc","auc_shuffled"]'
    command = ("bench", "--data", dataset, "-m", f"mine={maps}", "-o", tmp_path / "run", *LIGHT)
    command += ("--set", f"score.mask={masks}", "--set", f"score.metrics={names}")
    ran = emomap(*command)
    assert ran.code == 0, ran.err
    benched = json.loads((tmp_path / "run" / "summary.json").read_text())["methods"]["mine"]
    given = ("--mask", masks, "--metrics", "nss,cc,auc_shuffled", "--format", "json")
    scored = json.loads(emomap("score", maps, dataset, *given).out)
    assert benched["metrics"] == scored["metrics"]
    assert "mask:files-" in scored["signature"]
    (tmp_path / "run" / "summary.json").unlink()
    Image.new("L", (180, 136)).save(masks / "03.png")
    again = emomap(*command)
    assert again.code == 1
    assert "scored with other masks" in again.err


def test_rows_carry_their_signature(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    emomap("bench", "--data", dataset, "-m", f"mine={maps}", "-o", tmp_path / "run", *LIGHT)
    rows = read_rows(tmp_path / "run" / "rows" / "mine.jsonl")
    assert len(rows) == 12 * 7
    assert all(row.signature.startswith(f"{row.metric}|mit|") for row in rows)


def test_same_command_again_does_nothing_and_ends_with_the_same_bytes(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    command = ("bench", "--data", dataset, "-m", f"mine={maps}", *LIGHT)
    first = emomap(*command, "-o", tmp_path / "a")
    before = tables(tmp_path / "a")
    assert emomap(*command, "-o", tmp_path / "a").out == first.out
    assert tables(tmp_path / "a") == before
    emomap(*command, "-o", tmp_path / "b", "--jobs", 2)
    assert tables(tmp_path / "b") == before


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_run_resumes_and_ends_with_the_same_bytes(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    command = ["bench", "--data", str(dataset), "-m", f"mine={maps}", *LIGHT, "--jobs", "1"]
    emomap(*command, "-o", tmp_path / "whole")
    for delay in (1.2, 1.6, 2.0, 2.6):  # seconds: among maps or rows on most machines
        run = subprocess.Popen(
            [sys.executable, "-m", "emomap", *command, "-o", str(tmp_path / "killed")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert emomap(*command, "-o", tmp_path / "killed").code == 0
    assert tables(tmp_path / "killed") == tables(tmp_path / "whole")


def test_another_recipe_in_the_same_folder_is_refused(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    command = ("bench", "--data", dataset, "-m", f"mine={maps}", "-o", tmp_path / "run", *LIGHT)
    emomap(*command)
    ran = emomap(*command, "--set", "score.emd_downsize=16")
    assert ran.code == 2
    assert "score.emd_downsize: 32 there, 16 here" in ran.err
    assert emomap(*command, "--no-resume").code == 2


def test_damaged_picture_is_named_and_the_others_are_ranked(
    emomap: Command, dataset: Path, tmp_path: Path
) -> None:
    picture = dataset / "images" / "04.png"
    picture.write_bytes(picture.read_bytes()[:300])
    ran = emomap("bench", "--data", dataset, "-m", "center", "-o", tmp_path / "run", *LIGHT)
    assert ran.code == 3
    assert [line for line in ran.err.splitlines() if "04.png" in line]
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["methods"]["center"]["metrics"]["cc"]["n"] == 11


def test_splits_choose_what_is_scored(emomap: Command, dataset: Path, tmp_path: Path) -> None:
    lines = [f"{i:02d},{('train', 'val', 'test')[i % 3]}" for i in range(12)]
    (dataset / "split.csv").write_text("image,split\n" + "\n".join(lines) + "\n")
    emomap("bench", "--data", dataset, "-m", "center", "-o", tmp_path / "run", *LIGHT)
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["n_images"] == 4
    ran = emomap("bench", "--data", dataset, "-m", "center", "--split", "dev", *LIGHT)
    assert ran.code == 2
    assert "train, val, test" in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--method", "islamnot"), "no method is called 'islamnot'"),
        (("--method", "mine=nowhere"), "there is no folder 'nowhere'"),
        (("--method", "islamnet"), "learns from emotion labels"),
        (("--method", "center", "--checkpoint", "center=x.pt"), "there is no file x.pt"),
        (("--method", "center", "--set", "method.center.sgima=2"), "has no option 'sgima'"),
        (("--method", "center", "--recipe", "none.toml"), "none.toml"),
        (("--method", "numpy:array"), "not a subclass"),
    ],
)
def test_wrong_use_is_refused_before_any_work(
    emomap: Command, dataset: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    ran = emomap("bench", "--data", dataset, "-o", tmp_path / "run", *arguments, *LIGHT)
    assert ran.code == 2
    assert words in ran.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "cannot be the name of a row"),
        ("../../elsewhere", "cannot be the name of a row"),
        ("/tmp/elsewhere", "cannot be the name of a row"),
        ("observers", "cannot be the name of a row"),
        ("uniform", "two methods are called uniform"),
    ],
)
def test_names_of_rows_are_unique_and_stay_in_the_run_folder(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path, name: str, words: str
) -> None:
    run = tmp_path / "runs" / "run"
    ran = emomap("bench", "--data", dataset, "-m", "uniform", "-m", f"{name}={maps}", "-o", run)
    assert ran.code == 2
    assert words in ran.err
    assert not run.parent.exists()


def test_a_name_that_looks_like_markup_is_a_name(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    name = "<script>alert(1)</script>"
    command = ("bench", "--data", dataset, "-m", f"{name}={maps}", "-o", tmp_path / "run", *LIGHT)
    assert emomap(*command).code == 0
    assert name in json.loads((tmp_path / "run/summary.json").read_text())["methods"]
    assert emomap(*command).code == 0  # it finds its run again


def test_folder_without_gaze_says_what_is_missing(emomap: Command, tmp_path: Path) -> None:
    (tmp_path / "photos" / "images").mkdir(parents=True)
    Image.new("RGB", (140, 140)).save(tmp_path / "photos" / "images" / "a.png")
    ran = emomap("bench", "-d", tmp_path / "photos", "-m", "center", "-o", tmp_path / "r", *LIGHT)
    assert ran.code == 1
    assert "--gaze" in ran.err


def test_predict_writes_and_keeps_maps(emomap: Command, dataset: Path, tmp_path: Path) -> None:
    command = ("predict", dataset / "images", "-m", "center", "-o", tmp_path / "maps")
    assert emomap(*command).code == 0
    files = sorted((tmp_path / "maps").iterdir())
    assert [f.name for f in files] == [f"{i:02d}.png" for i in range(12)]
    stamp = files[0].stat().st_mtime_ns
    files[1].unlink()
    assert emomap(*command).code == 0
    assert files[1].exists()
    assert files[0].stat().st_mtime_ns == stamp
    assert emomap("score", tmp_path / "maps", dataset, "--metrics", "cc").code == 0


def test_predict_names_the_picture_that_a_method_refuses(
    emomap: Command, dataset: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (5, 3)).save(dataset / "images" / "small.png")
    ran = emomap("predict", dataset / "images", "-m", "gbvs", "-o", tmp_path / "maps", "-q")
    assert ran.code == 3
    assert "images/small.png: gbvs: image is 5x3 px" in ran.err
    assert len(list((tmp_path / "maps").iterdir())) == 12
    ran = emomap("predict", dataset / "images" / "00.png", "-m", "center", "-o", tmp_path / "one")
    assert ran.code == 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["00.png"]


def test_predict_never_takes_maps_for_pictures(
    emomap: Command, dataset: Path, tmp_path: Path
) -> None:
    images = dataset / "images"
    before = {path: path.read_bytes() for path in images.iterdir()}
    for out in (images, images / "." / ".." / "images"):
        ran = emomap("predict", images, "-m", "center", "-o", out, "-q")
        assert ran.code == 2
        assert "is the folder of the pictures" in ran.err
    assert emomap("predict", images / "00.png", "-m", "center", "-o", images).code == 2
    assert {path: path.read_bytes() for path in images.iterdir()} == before
    for _ in range(2):  # the second time, the maps of the first are not pictures
        ran = emomap("predict", images, "-m", "center", "-o", images / "maps", "-q")
        assert ran.code == 0
        assert "12 maps" in ran.err
    assert len([path for path in (images / "maps").rglob("*") if path.is_file()]) == 12


def test_predict_needs_a_folder_to_write_in(emomap: Command, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = emomap("predict", dataset / "images", "-m", "center", "-o", tmp_path / "file", "-q")
    assert ran.code == 1
    assert ran.err.startswith(f"emomap: {tmp_path / 'file'}: cannot be written")
    assert len(ran.err.splitlines()) == 1


def test_predict_refuses_a_network_without_checkpoint(
    emomap: Command, dataset: Path, tmp_path: Path
) -> None:
    ran = emomap("predict", dataset / "images", "-m", "islamnet", "-o", tmp_path / "maps")
    assert ran.code == 2
    assert "--checkpoint FILE" in ran.err


def test_methods_are_listed(emomap: Command) -> None:
    ran = emomap("methods")
    assert "islamnet" in ran.out
    assert {entry["name"] for entry in json.loads(emomap("methods", "--json").out)} >= {"gbvs"}


def test_quiet_is_quiet(emomap: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where pictures must be generated first. The table is a result, and is printed."""
    monkeypatch.setenv("EMOMAP_HOME", str(tmp_path / "home"))
    small = [part for name in ("train", "val", "test") for part in ("--set", f"data.{name}=8")]
    ran = emomap("bench", "-m", "center", "--no-baselines", "-o", tmp_path / "run", *small, "-q")
    assert (ran.code, ran.err) == (0, "")
    assert "Centre prior" in ran.out
