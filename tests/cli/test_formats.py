"""Every format of `score` and `table`, read by a reader of that format, holds the same numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from emomap import metrics
from emomap.method import title
from tests.cli.conftest import Command

pandas = pytest.importorskip("pandas")

#: A name that LaTeX, Markdown, HTML and CSV would each take for something else.
NAME = "a_b, 50% <b>"


def cells(markdown: str) -> list[list[str]]:
    """The rows of the tables of a Markdown text."""
    page = MarkdownIt("commonmark").enable("table").render(markdown)
    rows = re.findall("<tr>.*?</tr>", page, re.DOTALL)
    return [re.findall(r"<td.*?>(.*?)</td>", row) for row in rows]


def test_score(emomap: Command, dataset: Path, maps: Path, tmp_path: Path) -> None:
    def shown(form: str) -> str:
        ran = emomap("score", maps, dataset, "--format", form, "-q")
        assert ran.code == 0, ran.err
        return ran.out

    whole = json.loads(shown("json"))
    rows = list(whole["metrics"].values())
    names = [metrics.CATALOGUE[name].long_name for name in whole["metrics"]]
    frame = pandas.read_csv(StringIO(shown("csv")))
    in_markdown = [row for row in cells(shown("md")) if row]
    in_latex = [line for line in shown("latex").splitlines() if line.endswith(r"\\")][1:]
    in_text = shown("table").splitlines()
    for at, (name, row) in enumerate(zip(names, rows, strict=True)):
        exact = [row[key] for key in ("mean", "low", "high")]
        assert frame.loc[at, ["mean", "low", "high"]].tolist() == pytest.approx(exact, abs=5e-5)
        assert frame.loc[at, "n"] == row["n"] == 12
        rounded = [f"{value:.4f}" for value in exact]
        assert in_markdown[at][1:4] == rounded
        assert next(line for line in in_text if line.startswith(name)).split()[2:5] == rounded
        numbers = [float(n) for n in re.findall(r"-?\d+\.\d+", in_latex[at])]
        assert numbers == pytest.approx(exact, abs=5e-4)
    assert frame["signature"].tolist() == list(whole["signatures"].values())


def test_values_of_images(emomap: Command, dataset: Path, maps: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    paths = {s: tmp_path / f"rows{s}" for s in (".csv", ".json", ".jsonl", ".parquet")}
    for path in paths.values():
        assert emomap("score", maps, dataset, "-q", "--per-image", path).code == 0
    whole = json.loads(paths[".json"].read_text())
    tables = [pandas.read_csv(paths[".csv"], dtype={"image": str})]
    tables.append(pandas.read_parquet(paths[".parquet"]))
    lines = pandas.read_json(paths[".jsonl"], lines=True, dtype={"image": str}, precise_float=True)
    tables.append(lines.pivot_table("value", "image", "metric").reset_index())
    for table in tables:
        values: Mapping[str, Any] = table.set_index("image").to_dict("index")
        assert set(values) == set(whole["images"])
        for image, line in whole["images"].items():
            assert {name: values[image][name] for name in line} == pytest.approx(line, rel=1e-15)


def test_table_of_a_run(emomap: Command, dataset: Path, maps: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    run = tmp_path / "run"
    options = ("--set", "bench.report=false", "--no-baselines", "-q")
    ran = emomap(
        "bench", "-m", "center", "-m", f"{NAME}={maps}", "--data", dataset, "-o", run, *options
    )
    assert ran.code == 0, ran.err

    def shown(form: str, *more: object) -> str:
        ran = emomap("table", run, "--format", form, *more)
        assert ran.code == 0, ran.err
        return ran.out

    entries = json.loads(shown("json"))["methods"]
    frame = pandas.read_csv(StringIO(shown("csv")))
    shown("parquet", "-o", tmp_path / "all.parquet")
    images = pandas.read_parquet(tmp_path / "all.parquet")
    in_markdown = {row[0]: row for row in [*cells(shown("md"))][::-1] if row and row[0]}
    in_latex = shown("latex")
    assert {NAME, "center"} <= set(entries)
    for name, entry in entries.items():
        means = {metric: cell["mean"] for metric, cell in entry["metrics"].items()}
        own = frame[frame["method"] == name]
        assert dict(zip(own["metric"], own["mean"], strict=True)) == means
        own = images[images["method"] == name]
        assert own.groupby("metric")["value"].mean().to_dict() == pytest.approx(means, rel=1e-12)
        shown_as = title(name)
        row = in_markdown[shown_as.replace("<", "&lt;").replace(">", "&gt;")]
        plain = [re.sub("</?strong>", "", cell) for cell in row[2:]]
        found = [cell.rstrip("*") for cell in plain if cell != "-"]
        assert found == [f"{mean:.3f}" for mean in means.values()]
        escaped = shown_as.replace("_", r"\_").replace("%", r"\%")
        escaped = escaped.replace("<", r"\textless{}").replace(">", r"\textgreater{}")
        line = next(line for line in in_latex.splitlines() if line.startswith(escaped))
        assert all(f"{mean:.3f}" in line for mean in means.values())


def test_help_names_every_way_to_resize(emomap: Command) -> None:
    from emomap import metrics

    text = "".join(emomap("score", "--help").out.split())  # lines are wrapped anywhere
    assert [name for name in metrics.RESIZE_METHODS if name not in text] == []
