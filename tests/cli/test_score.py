"""`emomap score` as a user types it."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap import metrics
from emomap.scoring.image import MapToScore, Scored, score_items
from tests.cli.conftest import Command


def gaze_of(dataset: Path, name: str) -> np.ndarray:
    table = np.loadtxt(dataset / "fixations" / f"{name}.csv", delimiter=",", skiprows=1)
    return metrics.fixation_map(table[:, :2], (136, 180))


def test_values_are_those_of_the_library(emomap: Command, dataset: Path, maps: Path) -> None:
    ran = emomap("score", maps, dataset, "--format", "json", "--sigma", "6")
    found = json.loads(ran.out)
    assert ran.code == 0
    assert found["n_images"] == 12
    values = []
    for name in (f"{i:02d}" for i in range(12)):
        small = np.asarray(Image.open(maps / f"{name}.png"))
        values.append(metrics.nss(metrics.resize(small, (136, 180)), gaze_of(dataset, name)))
    assert found["metrics"]["nss"]["mean"] == pytest.approx(np.mean(values), rel=1e-12)
    assert found["metrics"]["nss"]["n"] == 12
    assert found["metrics"]["nss"]["low"] <= np.mean(values) <= found["metrics"]["nss"]["high"]
    for part in ("mit", "resize:matlab-bicubic", "sigma:6px"):
        assert part in found["signature"]


def test_every_kind_of_ground_truth_gives_the_same_nss(
    emomap: Command,
    dataset: Path,
    maps: Path,
    tmp_path: Path,
) -> None:
    counts = tmp_path / "counts"
    counts.mkdir()
    for file in (dataset / "fixations").iterdir():
        table = np.minimum(gaze_of(dataset, file.stem), 255).astype(np.uint8)
        Image.fromarray(table).save(counts / f"{file.stem}.png")
    means = set()
    for truth, kind in ((dataset, "neutral"), (counts, "fixation maps")):
        ran = emomap("score", maps, truth, "--metrics", "nss,auc_judd", "--format", "json")
        assert ran.code == 0
        assert kind in ran.err
        means.add(json.loads(ran.out)["metrics"]["nss"]["mean"])
    assert len(means) == 1


def test_density_maps_leave_out_what_needs_fixations(
    emomap: Command,
    dataset: Path,
    maps: Path,
    tmp_path: Path,
) -> None:
    densities = tmp_path / "densities"
    densities.mkdir()
    for file in (dataset / "fixations").iterdir():
        np.save(densities / f"{file.stem}.npy", metrics.density(gaze_of(dataset, file.stem), 6))
    ran = emomap("score", maps, densities, "--format", "json")
    found = json.loads(ran.out)
    assert set(found["metrics"]) == {"cc", "sim", "kl", "emd"}
    assert set(found["omitted"]) == {"auc_judd", "auc_borji", "nss"}
    assert "needs fixations" in found["omitted"]["nss"]


def test_all_metrics_with_gaze_of_other_images(emomap: Command, dataset: Path, maps: Path) -> None:
    ran = emomap("score", maps, dataset, "--metrics", "all", "--format", "json")
    found = json.loads(ran.out)["metrics"]
    assert set(found) == set(metrics.CATALOGUE)
    assert found["auc_shuffled"]["mean"] > 0.8
    assert found["info_gain"]["mean"] > 0


def test_formats_hold_the_same_numbers(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    mean = json.loads(emomap("score", maps, dataset, "--format", "json").out)["metrics"]["cc"][
        "mean"
    ]
    for form in ("table", "csv", "md", "latex"):
        ran = emomap("score", maps, dataset, "--format", form)
        assert (repr(mean) if form == "csv" else f"{mean:.4f}") in ran.out
    emomap("score", maps, dataset, "-o", tmp_path / "t.md", "--format", "md")
    assert f"{mean:.4f}" in (tmp_path / "t.md").read_text()


def test_per_image_file_has_full_precision(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    ran = emomap("score", maps, dataset, "--per-image", path, "--format", "json")
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [row["image"] for row in rows] == [f"{i:02d}" for i in range(12)]
    mean = json.loads(ran.out)["metrics"]["kl"]["mean"]
    assert np.mean([float(row["kl"]) for row in rows]) == pytest.approx(mean, rel=1e-14)


def test_jobs_do_not_change_a_byte(emomap: Command, dataset: Path, maps: Path) -> None:
    outputs = {emomap("score", maps, dataset, "--jobs", n, "--format", "json").out for n in (1, 2)}
    assert len(outputs) == 1


def test_pairs_across_subfolders(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    (tmp_path / "deep").mkdir()
    maps.rename(tmp_path / "deep" / "run")
    assert emomap("score", tmp_path / "deep", dataset, "--metrics", "cc").code == 0


def test_missing_maps_are_listed_and_allowed_on_request(
    emomap: Command, dataset: Path, maps: Path
) -> None:
    (maps / "03.png").unlink()
    ran = emomap("score", maps, dataset)
    assert ran.code == 1
    assert "no prediction for 03" in ran.err
    assert "--allow-missing" in ran.err
    ran = emomap("score", maps, dataset, "--allow-missing", "--format", "json")
    assert ran.code == 0
    assert json.loads(ran.out)["n_images"] == 11
    assert "no prediction for 03" in ran.err


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:60]), "damaged"),
        (lambda p: Image.fromarray(np.ones((180, 136), np.uint8)).save(p), "--stretch"),
        (lambda p: Image.fromarray(np.zeros((136, 180), np.uint8)).save(p), "all zero"),
    ],
)
def test_bad_map_is_named_and_the_others_are_scored(
    emomap: Command, dataset: Path, maps: Path, spoil, words
) -> None:
    spoil(maps / "05.png")
    ran = emomap("score", maps, dataset, "--format", "json")
    assert ran.code == 3
    line = next(line for line in ran.err.splitlines() if "05.png" in line)
    assert words in line
    assert json.loads(ran.out)["n_images"] == (12 if words == "all zero" else 11)


def test_nan_in_a_map_is_named(emomap: Command, dataset: Path, maps: Path) -> None:
    (maps / "05.png").unlink()
    np.save(maps / "05.npy", np.full((136, 180), np.nan))
    ran = emomap("score", maps, dataset)
    assert ran.code == 3
    assert "05.npy: 24480 NaN or infinite values, the first at row 0, column 0" in ran.err


def test_stretch_accepts_another_aspect_ratio_and_signs_it(
    emomap: Command, dataset: Path, maps: Path
) -> None:
    for path in maps.iterdir():
        Image.open(path).resize((28, 28)).save(path)
    assert emomap("score", maps, dataset).code == 1
    ran = emomap("score", maps, dataset, "--stretch", "--format", "json")
    assert ran.code == 0
    assert "stretch:yes" in json.loads(ran.out)["signature"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("{maps}", "{empty}"), 1, "empty"),
        (("{empty}", "{dataset}"), 1, "no maps in it"),
        (("{maps}", "{dataset}", "--metrics", "ccc"), 2, "no metric is called 'ccc'"),
        (("{maps}", "{dataset}", "--resize", "x"), 2, "matlab-bicubic"),
        (("{nowhere}", "{dataset}"), 1, "no such folder"),
        (("{maps}", "{nowhere}"), 2, "nowhere"),
        (("{maps}",), 2, "GT"),
    ],
)
def test_wrong_use_is_one_clear_line(
    emomap: Command,
    dataset: Path,
    maps: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    (tmp_path / "empty").mkdir()
    places = {
        "maps": maps,
        "dataset": dataset,
        "empty": tmp_path / "empty",
        "nowhere": tmp_path / "nowhere",
    }
    ran = emomap("score", *(argument.format(**places) for argument in arguments))
    assert ran.code == code
    assert words in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_an_interrupted_score_resumes(
    emomap: Command,
    dataset: Path,
    maps: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
) -> None:
    """Only the images that are missing or have changed are scored again."""
    whole, path = tmp_path / f"whole{suffix}", tmp_path / f"rows{suffix}"
    emomap("score", maps, dataset, "--per-image", whole, "-q")
    real = score_items
    asked: list[list[str]] = []

    def stopping(items: Sequence[MapToScore], *more: object, **options: object) -> Iterator[Scored]:
        asked.append([item.id for item in items])
        results = real(items, *more, **options)  # type: ignore[arg-type]
        for number, result in enumerate(results):
            if len(asked) == 1 and number == 7:
                raise KeyboardInterrupt
            yield result

    monkeypatch.setattr("emomap.scoring.folders.score_items", stopping)
    ran = emomap("score", maps, dataset, "--per-image", path, "-q")
    assert ran.code == 130
    assert "the same command resumes" in ran.err
    part = path.with_name(f"{path.name}.part")
    with part.open("a") as stream:
        stream.write('\n{"id": "11", "stam')  # killed in the middle of a line
    os.utime(maps / "03.png", (1, 1))  # this map has changed
    ran = emomap("score", maps, dataset, "--per-image", path, "-q")
    assert ran.code == 0, ran.err
    assert asked[1] == ["03", *asked[0][7:]]
    assert path.read_bytes() == whole.read_bytes()
    assert not part.exists()


def test_an_interrupted_score_that_keeps_nothing_says_so(
    emomap: Command, dataset: Path, maps: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(*more: object, **options: object) -> Iterator[Scored]:
        raise KeyboardInterrupt

    monkeypatch.setattr("emomap.scoring.folders.score_items", stopping)
    ran = emomap("score", maps, dataset, "-q")
    assert ran.code == 130
    assert "with --per-image FILE it could be resumed" in ran.err


def test_results_of_another_score_are_not_resumed(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    part = tmp_path / "rows.csv.part"
    part.write_text('{"signature": "other"}\n{"id": "00", "stamp": 0, "values": {}, "remarks": []}')
    ran = emomap("score", maps, dataset, "--per-image", path, "--metrics", "cc", "-q")
    assert ran.code == 0, ran.err
    assert len(path.read_text().splitlines()) == 13


def test_several_folders_make_one_ranked_table(
    emomap: Command, dataset: Path, maps: Path, tmp_path: Path
) -> None:
    other = tmp_path / "flat"
    other.mkdir()
    for index, file in enumerate(sorted(maps.iterdir())):
        noise = np.random.default_rng(index).integers(0, 256, (68, 90), dtype=np.uint8)
        Image.fromarray(noise).save(other / file.name)
    command = ("score", maps, other, "--gt", dataset, "--metrics", "nss,cc")
    ran = emomap(*command, "--per-image", tmp_path / "rows.csv", "--explain")
    assert ran.code == 0, ran.err
    assert ran.out.index("\nmaps ") < ran.out.index("\nflat ")
    assert "maps is better" in ran.out and "NSS: " in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    assert ran.err.count("ground truth:") == 1
    compared = emomap("compare", tmp_path / "rows-maps.csv", tmp_path / "rows-flat.csv")
    assert compared.code == 0
    told = json.loads(emomap(*command, "--format", "json").out)
    alone = json.loads(
        emomap("score", maps, dataset, "--metrics", "nss,cc", "--format", "json").out
    )
    assert told["methods"]["maps"]["metrics"] == alone["metrics"]
    ran = emomap("score", maps, other, dataset)
    assert ran.code == 2 and "--gt" in ran.err
    assert emomap("score", maps, "--gt", dataset, "--metrics", "nss").code == 0
    ran = emomap("score", maps, other, "--gt", dataset, "--against", "nobody")
    assert ran.code == 2 and "there are maps, flat" in ran.err


def test_one_map_against_its_gaze(emomap: Command, dataset: Path, maps: Path) -> None:
    one = sorted(maps.iterdir())[0]
    ran = emomap("score", one, dataset / "fixations/00.csv", "--points", "size:180x136",
                 "--metrics", "nss", "--format", "json", "-q")  # fmt: skip
    assert ran.code == 0, ran.err
    by_file = json.loads(ran.out)["metrics"]["nss"]["mean"]
    ran = emomap("score", one, dataset, "--metrics", "nss", "--format", "json", "-q")
    by_set = json.loads(ran.out)["metrics"]["nss"]["mean"]
    assert json.loads(ran.out)["n_images"] == 1
    assert by_file == pytest.approx(by_set, rel=0.1)  # at the size of the map, of the picture
