"""`emomap leaderboard` as a user types it: runs, a tampered one, another signature, archives."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emomap.experiment.bench import bench
from tests.cli.conftest import Command, scene

SETTINGS = ['score.metrics=["auc_judd","cc","nss"]', "bench.report=false"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two data sets, maps of two qualities as folder and zip, and four runs."""
    root = tmp_path_factory.mktemp("leaderboard")
    for at, name in enumerate(("photos", "paintings")):
        _data(root / name, np.random.default_rng(at))
        with zipfile.ZipFile(root / f"{name}.zip", "w") as packed:
            for path in sorted((root / f"{name}-good").iterdir()):
                packed.write(path, f"mine/{path.name}")
    for run, data, names, more in (
        ("a", "photos", ("center", f"good={root}/photos.zip", f"poor={root}/photos-poor"), ()),
        ("b", "paintings", ("center", f"good={root}/paintings.zip"), ()),
        ("c", "photos", ("center", f"poor={root}/photos-poor", "uniform"), ()),
        ("d", "photos", (f"good={root}/photos.zip",), ("score.sigma=9",)),
    ):
        bench(
            names,
            data=str(root / data),
            baselines=False,
            settings=[*SETTINGS, *more],
            out=root / "runs" / run,
            jobs=1,
            show=False,
        )
    return root


def _data(root: Path, rng: np.random.Generator) -> None:
    good, poor = (root.with_name(f"{root.name}-{kind}") for kind in ("good", "poor"))
    for folder in (root / "images", root / "fixations", good, poor):
        folder.mkdir(parents=True)
    for index in range(8):
        image = scene(rng, (68, 90))
        Image.fromarray(image).save(root / "images" / f"{index}.png")
        disc = image[:, :, 0] > 200
        spots = np.argwhere(disc)[rng.integers(0, disc.sum(), 9)]
        lines = "".join(f"{x},{y}\n" for y, x in spots)
        (root / "fixations" / f"{index}.csv").write_text("x,y\n" + lines)
        for folder, noise in ((good, 60), (poor, 220)):
            values = 100.0 * disc + noise * rng.random(disc.shape)
            Image.fromarray(values.astype(np.uint8)).save(folder / f"{index}.png")


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> Path:
    """The runs, which a test may change."""
    shutil.copytree(made / "runs", tmp_path / "runs")
    return tmp_path / "runs"


def edit(run: Path, method: str) -> None:
    """Give one image a better value."""
    rows = run / "rows" / f"{method}.jsonl"
    first, *rest = rows.read_text().splitlines(keepends=True)
    rows.write_text("".join([json.dumps(json.loads(first) | {"value": 0.99}) + "\n", *rest]))


def data(site: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((site / "leaderboard.json").read_text())
    return found


def test_three_runs_on_two_sets_one_of_them_tampered(
    runs: Path, emomap: Command, tmp_path: Path
) -> None:
    edit(runs / "c", "uniform")
    site = tmp_path / "site"
    ran = emomap("leaderboard", runs / "a", runs / "b", runs / "c", "-o", site)
    assert (ran.code, ran.out) == (0, f"{site / 'index.html'}\n")
    assert "edited after the run ended, so without a rank: uniform" in ran.err
    photos, paintings = data(site)["sets"]
    assert [e["method"] for e in photos["ranked"]] == ["good", "center", "poor"]
    assert [e["rows"] for e in photos["ranked"]] == ["verified"] * 3
    assert [len(e["sources"]) for e in photos["ranked"]] == [1, 2, 2]  # equal rows are one entry
    (uniform,) = photos["not_ranked"]
    source = uniform["sources"][0]
    assert (uniform["method"], uniform["rows"]) == ("uniform", "edited")
    assert source["sha256"] != source["sha256_recorded"]
    assert source["recipe"]["score.metrics"] == ["auc_judd", "cc", "nss"]
    assert [e["method"] for e in paintings["ranked"]] == ["good", "center"]
    assert [(e["method"], e["place"]) for e in data(site)["overall"]] == [
        ("good", 1),
        ("center", 2),
    ]
    index = (site / "index.html").read_text()
    page = (site / "set-1-photos.html").read_text()
    assert "edited by hand" in page and "Edited by hand" in index
    assert photos["ranked"][0]["signature"] in page
    assert photos["ranked"][0]["sources"][0]["sha256"] in page
    for text in (index, page):
        assert "http" not in text.replace("http-equiv", "")
        assert text.count("<th ") == text.count('<th scope="')


def test_another_signature_is_listed_apart(runs: Path, emomap: Command, tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert emomap("leaderboard", runs / "a", runs / "c", runs / "d", "-o", site).code == 0
    (photos,) = data(site)["sets"]
    assert [e["label"] for e in photos["ranked"]] == ["good", "center", "poor", "uniform"]
    (other,) = photos["not_ranked"]
    assert other["method"] == "good" and "sigma:9px" in other["signature"]
    assert other["remark"].startswith("scored differently: cc: sigma:9px against")
    page = (site / "set-1-photos.html").read_text()
    apart = page[page.index('id="apart"') : page.index('id="entries"')]
    assert "sigma:9px" in apart and 'aria-sort="none"' in apart
    assert data(site)["overall"] == []


def test_one_name_with_different_rows_is_two_entries(
    runs: Path, made: Path, emomap: Command, tmp_path: Path
) -> None:
    bench(
        [f"good={made}/photos-poor"],
        data=str(made / "photos"),
        baselines=False,
        settings=SETTINGS,
        out=runs / "e",
        jobs=1,
        show=False,
    )
    site = tmp_path / "site"
    ran = emomap("leaderboard", runs / "a", runs / "b", runs / "e", "-o", site)
    labels = [e["label"] for e in data(site)["sets"][0]["ranked"]]
    assert labels[0] == f"good ({runs / 'a'})" and f"good ({runs / 'e'})" in labels
    assert "No overall rank for good" in ran.err
    assert [e["method"] for e in data(site)["overall"]] == ["center"]


def test_a_run_of_0_1_is_unverified_and_stays_so(
    runs: Path, made: Path, emomap: Command, tmp_path: Path
) -> None:
    path = runs / "a" / "summary.json"
    summary = json.loads(path.read_text())
    del summary["checksums"]
    path.write_text(json.dumps(summary))
    again(runs / "a", made)
    assert "checksums" not in json.loads(path.read_text())
    site = tmp_path / "site"
    assert emomap("leaderboard", runs / "a", "-o", site).code == 0
    assert {e["rows"] for e in data(site)["sets"][0]["ranked"]} == {"unverified"}


def again(run: Path, made: Path) -> None:
    """The command that made the run `a`."""
    bench(
        ["center", f"good={made}/photos.zip", f"poor={made}/photos-poor"],
        data=str(made / "photos"),
        baselines=False,
        settings=SETTINGS,
        out=run,
        jobs=1,
        show=False,
    )


def test_the_same_command_does_not_sign_edited_rows(
    runs: Path, made: Path, emomap: Command, tmp_path: Path
) -> None:
    before = (runs / "a/rows/good.jsonl").read_bytes()
    again(runs / "a", made)  # nothing was edited
    edit(runs / "a", "good")
    ran = emomap(
        *("bench", "--data", made / "photos", "-m", "center", "-m", f"good={made}/photos.zip"),
        *("-m", f"poor={made}/photos-poor", "--no-baselines", "--out", runs / "a", "-q"),
        *(part for one in SETTINGS for part in ("--set", one)),
    )
    assert ran.code == 1
    assert f"{runs}/a/rows/good.jsonl: edited after the run ended; remove the file" in ran.err
    (runs / "a/rows/good.jsonl").unlink()
    again(runs / "a", made)
    assert (runs / "a/rows/good.jsonl").read_bytes() == before
    assert emomap("leaderboard", runs / "a", "-o", tmp_path / "site").code == 0
    assert {e["rows"] for e in data(tmp_path / "site")["sets"][0]["ranked"]} == {"verified"}


@pytest.mark.parametrize("how", ["lines", "gone", "broken"])
def test_rows_that_were_cut_removed_or_broken_are_marked(
    how: str, runs: Path, emomap: Command, tmp_path: Path
) -> None:
    rows = runs / "a/rows/good.jsonl"
    text = rows.read_text()
    if how == "gone":
        rows.unlink()
    else:
        rows.write_text(
            text[: len(text) // 2].rpartition("\n")[0] + "\n" if how == "lines" else "{}\n"
        )
    site = tmp_path / "site"
    assert emomap("leaderboard", runs / "a", "-o", site).code == 0
    (photos,) = data(site)["sets"]
    assert [e["method"] for e in photos["ranked"]] == ["center", "poor"]
    assert [(e["method"], e["rows"]) for e in photos["not_ranked"]] == [("good", "edited")]


def test_what_is_no_run_is_refused(runs: Path, emomap: Command, tmp_path: Path) -> None:
    site = tmp_path / "site"
    for arguments, message in (
        ((), "Missing argument 'RUN...'"),
        ((tmp_path / "nowhere",), "nowhere: there is no such run folder"),
        ((runs,), f"the runs in it are {runs}/a, {runs}/b, {runs}/c and 1 more"),
        ((runs / "a", runs / "b" / ".." / "a"), "given twice"),
    ):
        ran = emomap("leaderboard", *arguments, "-o", site)
        assert ran.code == 2 and message in ran.err, arguments
    (runs / "a" / "summary.json").unlink()
    ran = emomap("leaderboard", runs / "a", "-o", site)
    assert ran.code == 1 and "not finished" in ran.err
    assert not site.exists()
    ran = emomap("leaderboard", runs / "b", "-o", runs)
    assert ran.code == 2 and "holds other files" in ran.err


def test_pages_of_an_earlier_leaderboard_are_replaced(
    runs: Path, emomap: Command, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    emomap("leaderboard", runs / "a", runs / "b", "-o", site)
    emomap("leaderboard", runs / "b", "-o", site)
    assert sorted(path.name for path in site.iterdir()) == [
        "index.html",
        "leaderboard.json",
        "set-1-paintings.html",
    ]


def test_a_damaged_archive_is_named(made: Path, emomap: Command, tmp_path: Path) -> None:
    (tmp_path / "cut.zip").write_bytes((made / "photos.zip").read_bytes()[:-50])
    for arguments in (
        ("bench", "--data", made / "photos", "-m", f"x={tmp_path}/cut.zip", "--no-baselines"),
        ("score", tmp_path / "cut.zip", made / "photos"),
    ):
        ran = emomap(*arguments, *(("--out", tmp_path / "run") if arguments[0] == "bench" else ()))
        assert ran.code == 1 and "cut.zip: damaged as a zip archive" in ran.err


def test_an_archive_scores_as_its_folder_does(made: Path, emomap: Command) -> None:
    packed, loose = (
        emomap("score", made / path, made / "photos", "--format", "csv", "--metrics", "cc,nss")
        for path in ("photos.zip", "photos-good")
    )
    assert (packed.code, packed.out) == (0, loose.out)
