"""From Python: the results of the command line, as objects for notebooks and papers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import emomap
from emomap import cli
from emomap.errors import UsageError
from emomap.scoring.protocol import Protocol


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command prints."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        cli.main([str(argument) for argument in arguments])
    assert caught.value.code in {0, None}
    return capsys.readouterr().out


def test_score(
    dataset: Path, maps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    found = emomap.score(maps, dataset)
    told = json.loads(command(capsys, "score", maps, dataset, "--format", "json"))
    assert found.to_dict() == told
    frame = found.to_pandas()
    assert list(frame.index) == [f"{index:02d}" for index in range(12)]
    assert list(frame.columns) == list(told["metrics"])
    for metric, cell in told["metrics"].items():
        assert frame[metric].mean() == pytest.approx(cell["mean"], rel=1e-12)
    assert frame.attrs["signature"] in found.to_pandas().attrs["signature"]
    latex = command(capsys, "score", maps, dataset, "--format", "latex")
    assert found.to_latex() == latex
    html = found._repr_html_()
    assert f"{told['metrics']['cc']['mean']:.4f}" in html
    assert html.count("<tr>") == 1 + len(told["metrics"])
    assert repr(found) + "\n" == command(capsys, "score", maps, dataset)


def test_score_takes_the_choices_of_the_command(
    dataset: Path, maps: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choices = ("--metrics", "cc,nss", "--convention", "tuebingen", "--sigma", 9, "--format", "json")
    told = json.loads(command(capsys, "score", maps, dataset, *choices))
    found = emomap.score(maps, dataset, metrics=["cc", "nss"], convention="tuebingen", sigma=9)
    assert found.to_dict() == told
    with pytest.raises(UsageError, match="no metric is called 'ccc'"):
        emomap.score(maps, dataset, metrics="ccc")
    with pytest.raises(UsageError, match="convention belongs in the protocol"):
        emomap.score(maps, dataset, protocol=Protocol(), convention="mit")
    with pytest.raises(TypeError, match="metric"):
        emomap.score(maps, dataset, metric="cc")


def test_bench(
    dataset: Path, maps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    run = emomap.bench(
        ["center", f"mine={maps}"],
        data=str(dataset),
        settings=["score.metrics=['cc','nss']", "bench.report=false"],
        baselines=False,
        split="all",
        out=tmp_path / "python",
        show=False,
    )
    options = ["--set", "score.metrics=['cc','nss']", "--set", "bench.report=false"]
    shown = command(
        capsys,
        "bench",
        *("--method", "center", "--method", f"mine={maps}", "--no-baselines", "--data", dataset),
        *("--split", "all", "--out", tmp_path / "command", "--quiet", *options),
    )
    there = json.loads((tmp_path / "command" / "summary.json").read_text())
    assert run.summary == there
    assert shown == "\n".join(table.render("table") for table in run.tables())
    assert shown == repr(run) + "\n"
    frame = run.to_pandas()
    for name, entry in there["methods"].items():
        for metric, cell in entry["metrics"].items():
            mine = frame[(frame.method == name) & (frame.metric == metric)]
            assert mine.value.mean() == pytest.approx(cell["mean"], rel=1e-12)
            assert mine.signature.nunique() == 1
    mean = there["methods"]["mine"]["metrics"]["nss"]["mean"]
    assert f"{mean:.3f}" in run.to_latex()
    assert f"{mean:.3f}" in run._repr_html_()


def test_compare(tmp_path: Path, rng: np.random.Generator) -> None:
    pandas = pytest.importorskip("pandas")
    from emomap.analysis.compare import compare

    for name in "ab":
        frame = pandas.DataFrame({"image": range(20), "cc": rng.normal(0, 1, 20)})
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    found = compare([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert list(found.to_pandas()["verdict"]) == [found.pairs[0].verdict]
    assert found.pairs[0].verdict in found._repr_html_()
    assert found.pairs[0].verdict in repr(found)
    assert found.to_latex().count(r"\begin{tabular}") == 2
