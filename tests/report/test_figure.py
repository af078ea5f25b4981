"""Figures and tables of a finished run, read back by other libraries."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from emomap import cli
from emomap.errors import EmomapError, UsageError
from emomap.report.figure import figure
from tests.report.conftest import EVIL


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


def test_text_of_a_vector_figure_stays_text(made: Path, tmp_path: Path) -> None:
    path = figure(made / "run", ["03", EVIL], tmp_path / "maps.svg", metric="nss")
    text = path.read_text()
    for words in ("gaze", "Centre prior", "Uniform", "NSS", "times denser than an even spread"):
        assert re.search(rf"<text[^>]*>[^<]*{words}", text), words
    summary = (made / "run" / "rows" / "center.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in summary]
    (value,) = [r["value"] for r in rows if r["image"] == "03" and r["metric"] == "nss"]
    assert f"NSS {value:.3f}" in text
    assert text.count("<image") >= 2 * 4


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png"])
def test_the_same_run_makes_the_same_bytes(made: Path, tmp_path: Path, suffix: str) -> None:
    first, second = (
        figure(made / "run", ["03"], tmp_path / f"{name}.{suffix}", width=3).read_bytes()
        for name in "ab"
    )
    assert first == second
    if suffix == "png":
        assert Image.open(tmp_path / "a.png").width == 900
    if suffix == "pdf":
        assert first.startswith(b"%PDF")
        assert b"/Type3" not in first  # journals refuse fonts that are drawings


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"images": ["99"]}, "--images 99: no such image in"),
        ({"images": []}, "name at least one image"),
        ({"methods": ["gbvs"]}, "--methods gbvs: there are"),
        ({"metric": "mae"}, "--metric mae: the run has"),
        ({"output": Path("a.doc")}, "use one of .pdf"),
    ],
)
def test_wrong_names_are_wrong_use(
    made: Path, tmp_path: Path, choices: dict[str, object], words: str
) -> None:
    whole = {"images": ["03"], "output": tmp_path / "a.pdf", **choices}
    with pytest.raises(UsageError, match=re.escape(words)):
        figure(made / "run", **whole)  # type: ignore[arg-type]


def test_a_method_without_maps_is_named(made: Path, tmp_path: Path) -> None:
    with pytest.raises(EmomapError, match="observers"):
        figure(made / "run", ["03"], tmp_path / "a.pdf", methods=["observers"])


def test_without_images_those_are_drawn_on_which_methods_differ(made: Path, tmp_path: Path) -> None:
    from emomap.report.pictures import choose
    from emomap.runs import results

    chosen = list(choose(results.read(made / "run")))[:4]
    figure(made / "run", chosen, tmp_path / "named.svg")
    figure(made / "run", None, tmp_path / "chosen.svg")
    assert (tmp_path / "named.svg").read_bytes() == (tmp_path / "chosen.svg").read_bytes()


def test_the_command(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.pdf"
    assert run("figure", made / "run", "--images", "03,04", "--metric", "AUC-J", "-o", path) == 0
    assert capsys.readouterr().out == f"{path}\n"


def test_tables_hold_the_numbers_of_the_run(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    summary = json.loads((made / "run" / "summary.json").read_text())
    assert run("table", made / "run", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == summary
    run("table", made / "run", "--format", "csv")
    for line in csv.DictReader(io.StringIO(capsys.readouterr().out)):
        cell = summary["methods"][line["method"]]["metrics"][line["metric"]]
        assert [float(line[k]) for k in ("mean", "low", "high")] == [
            cell[k] for k in ("mean", "low", "high")
        ]
        assert line["signature"].startswith(line["metric"])
    mean = summary["methods"]["center"]["metrics"]["cc"]["mean"]
    for form in ("table", "md", "latex"):
        run("table", made / "run", "--format", form)
        assert f"{mean:.3f}" in capsys.readouterr().out
    assert run("table", made / "run", "--format", "parquet", "-o", tmp_path / "r.parquet") == 0
    frame = pandas.read_parquet(tmp_path / "r.parquet")
    mine = frame[(frame.method == "center") & (frame.metric == "cc")]
    assert mine.value.mean() == pytest.approx(mean, rel=1e-12)
    assert run("table", made / "run", "--format", "parquet") == 2
