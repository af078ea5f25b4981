"""Files of release 0.1 are read, shown, compared, merged and resumed, with equal values."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import emomap
from emomap import cli
from emomap.analysis.compare import compare
from emomap.analysis.ranking import ranked_table
from emomap.experiment.merge import merge_runs
from emomap.method import title
from emomap.report import write
from emomap.report.figure import figure
from emomap.runs import results
from emomap.scoring import per_image
from emomap.scoring.merge import merge_files
from emomap.scoring.summary import Summary

KEPT = Path(__file__).resolve().parents[1] / "reference" / "release-0.1"
METRICS = ["auc_judd", "cc", "kl", "nss"]


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files, with its own path where they hold the path of their folder."""
    here = tmp_path / "old"
    shutil.copytree(KEPT, here)
    for path in here.rglob("*"):
        if path.suffix in {".json", ".toml", ".part"}:
            path.write_text(path.read_text().replace("HERE", here.as_posix()))
    monkeypatch.chdir(here)
    return here


def rows(path: Path) -> Iterator[tuple[dict[str, object], float]]:
    """Each row without its value, and its value."""
    for line in path.read_text().splitlines():
        row = json.loads(line)
        yield row, row.pop("value")


def assert_same_rows(mine: Path, theirs: Path) -> None:
    found, wanted = list(rows(mine)), list(rows(theirs))
    assert [row for row, _ in found] == [row for row, _ in wanted]
    assert [value for _, value in found] == pytest.approx([v for _, v in wanted], abs=1e-12)


def run_again(out: Path) -> None:
    """The command of `make.sh` that made the run folder."""
    emomap.bench(
        ["uniform", "center", "mine=maps", "paef"],
        data="data",
        baselines=False,
        settings=[f"score.metrics={METRICS}"],
        out=out,
        jobs=1,
        show=False,
    )


# -------------------------------------------------------------------------------- the run folder


def test_a_run_opens_with_its_values(old: Path) -> None:
    run = results.read(old / "run")
    assert run.methods == ["mine", "center", "uniform", "observers", "paef"]
    assert run.metrics == METRICS
    assert {name: len(table["nss"]) for name, table in run.values.items()} == dict.fromkeys(
        ["mine", "center", "uniform", "observers"], 18
    )
    assert set(run.maps("mine")) == set(run.maps("center")) == set(run.values["mine"]["cc"])
    assert len(run.dataset()) == 24
    assert run.protocol(run.dataset()).sigma == 4


@pytest.mark.parametrize("form", ["md", "csv"])
def test_a_run_makes_the_same_tables(old: Path, form: str) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["table", "run", "--format", form, "-o", f"new.{form}"])
    assert plain(old / f"new.{form}") == plain(old / f"table.{form}")


def plain(table: Path) -> str:
    """A table without today's bold type, and in 0.1's words and names."""
    words = ("gap between centre prior and human", "way from centre prior to human")
    text = table.read_text().replace("**", "").replace(*words)
    for key in ("uniform", "center", "observers", "paef"):
        text = text.replace(f"| {title(key)} |", f"| {key} |").replace(f"{title(key)} ", f"{key} ")
    return text.replace("PAEF:", "paef:")


def test_a_run_has_the_same_comparison(old: Path) -> None:
    found = compare([old / "run"], all_pairs=True)
    assert_but_for_intervals(found.render("json"), (old / "compare.json").read_text())


def assert_but_for_intervals(mine: str, theirs: str) -> None:
    """Equal JSON, but for the kind of the intervals, which is another since, and its name."""
    found, kept = (
        _without_intervals(json.loads(re.sub(r"\|interval:t|\|seed:0", "", text)))
        for text in (mine, theirs)
    )
    assert found == kept


def _without_intervals(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_intervals(one) for one in value]
    if isinstance(value, dict):
        ends = {"low", "high", "accuracy_interval", "intervals"}
        return {k: _without_intervals(v) for k, v in value.items() if k not in ends}
    return value


def test_a_run_is_reported_and_drawn(old: Path) -> None:
    page = write(old / "run").read_text()
    assert "could not be read again" not in page
    assert page.count("data:image/webp") > 18
    drawn = figure(old / "run", ["06", "07"], old / "maps.png", metric="nss")
    assert drawn.read_bytes().startswith(b"\x89PNG")


def test_a_run_of_one_image_has_no_intervals(old: Path) -> None:
    """0.1 wrote the mean itself for its ends."""
    file = old / "run" / "summary.json"
    summary = json.loads(file.read_text())
    for entry in summary["methods"].values():
        for cell in entry["metrics"].values():
            cell |= {"low": cell["mean"], "high": cell["mean"], "n": 1}
    file.write_text(json.dumps(summary))
    run = results.read(old / "run")
    assert run.summary["methods"]["mine"]["metrics"]["nss"]["low"] is None
    table = ranked_table(run.summary)
    assert "bootstrap" in table.title and "rough" not in table.title
    ranges = [set(row[2:6]) for row in table.rows if not row[0]]
    assert ranges and all(shown <= {"-", ""} for shown in ranges)


def test_an_interrupted_run_resumes_and_scores_only_what_is_missing(old: Path) -> None:
    """A row that is there has another value, which a second scoring would not leave."""
    run = old / "run"
    for name in ("summary.json", "table.md", "rows/observers.jsonl"):
        (run / name).unlink()
    lines = (run / "rows" / "mine.jsonl").read_text().splitlines(keepends=True)
    marked = lines[0].replace(str(json.loads(lines[0])["value"]), "0.125")
    (run / "rows" / "mine.jsonl").write_text("".join([marked, *lines[1:9]]) + lines[9][:30])
    checkpoint = (run / "methods" / "paef" / "checkpoint.pt").read_bytes()
    run_again(run)
    assert (run / "methods" / "paef" / "checkpoint.pt").read_bytes() == checkpoint
    assert (run / "rows" / "mine.jsonl").read_text().startswith(marked)
    (run / "rows" / "mine.jsonl").write_text(
        (run / "rows" / "mine.jsonl").read_text().replace(marked, lines[0])
    )
    for name in ("uniform", "center", "mine", "observers"):
        assert_same_rows(run / "rows" / f"{name}.jsonl", KEPT / "run" / "rows" / f"{name}.jsonl")


def test_a_finished_run_given_again_has_the_same_summary(old: Path) -> None:
    before = (old / "run" / "summary.json").read_text()
    run_again(old / "run")
    after = json.loads((old / "run" / "summary.json").read_text())
    limits = after.pop("limits")  # 0.1 had none, nor measures of emotions
    assert set(after.pop("emotions")["methods"]) == {"paef"}
    assert set(limits["share"]) == set(after["methods"]) - {"observers", "paef"}
    assert_but_for_intervals(today(json.dumps(after, indent=1) + "\n"), before)


def today(summary: str) -> str:
    """A summary of this version as one of 0.1."""
    version = f'"emomap": "{emomap.__version__}"'
    assert version in summary
    return summary.replace(version, '"emomap": "0.1.0"')


def test_shards_of_a_run_merge(old: Path) -> None:
    merge_runs([old / "shard1", old / "shard2"], old / "new")
    found, wanted = ((old / name / "summary.json").read_text() for name in ("new", "merged"))
    assert_but_for_intervals(today(found), wanted)
    found, wanted = (means_of(old / name / "table.md") for name in ("new", "merged"))
    assert found == wanted


def means_of(table: Path) -> list[str]:
    """The rows of means in a table of Markdown."""
    lines = plain(table).splitlines()
    return [line for line in lines if line.startswith("|") and "[" not in line]


# -------------------------------------------------------------------------- values of each image


def test_scores_are_equal(old: Path) -> None:
    found = emomap.score("maps", "data", metrics=METRICS, allow_missing=True, jobs=1)
    for suffix in ("csv", "json", "jsonl"):
        kept = per_image.read(old / f"mine.{suffix}")
        assert [kept.signed(m) for m in METRICS] == [
            found.protocol.signature(metric) for metric in METRICS
        ]
        assert list(kept.values) == list(found.values)
        for image, line in kept.values.items():
            assert found.values[image] == pytest.approx(line, abs=1e-12)


def test_means_are_equal(old: Path) -> None:
    kept = json.loads((old / "center-means.json").read_text())
    found = Summary.of(per_image.read("center.csv")).render("json")
    assert_but_for_intervals(found, json.dumps({key: kept[key] for key in json.loads(found)}))


def test_files_have_the_same_comparison(old: Path) -> None:
    found = compare(["mine.csv", "center.csv"])
    assert_but_for_intervals(found.render("json"), (old / "compare-files.json").read_text())


def test_files_compare_with_a_run_and_with_new_files(old: Path) -> None:
    new = emomap.score("maps", "data", metrics=METRICS, allow_missing=True, jobs=1)
    per_image.write("new.json", new.per_image())
    found = compare([old / "run", "mine.jsonl", "new.json"], against="new")
    same = [pair for pair in found.pairs if pair.first in {"run/mine", "old/mine"}]
    assert len(same) == 8
    assert all(pair.difference == pytest.approx(0, abs=1e-12) for pair in same)


def test_parts_of_a_score_merge(old: Path) -> None:
    whole = merge_files([old / "part1.jsonl", old / "part2.jsonl"], old / "new.jsonl")
    found, kept = (per_image.read(old / f"{name}.jsonl") for name in ("new", "whole"))
    assert (found.values, found.signatures) == (kept.values, kept.signatures)
    kept_means = (old / "whole-means.json").read_text()
    assert_but_for_intervals(Summary.of(whole).render("json"), kept_means)


def test_an_interrupted_score_resumes(old: Path) -> None:
    """The file knows its maps by path and time of change; a kept value shows that it is used."""
    part = old / "stopped.csv.part"
    head, *lines = [json.loads(line) for line in part.read_text().splitlines() if line]
    files = sorted((old / "maps").iterdir())
    listed = "".join(f"{file.stem}\n{Path('maps', file.name)}\n" for file in files)
    head["maps"] = hashlib.sha256(listed.encode()).hexdigest()
    for line in lines:
        line["stamp"] = (old / "maps" / f"{line['id']}.png").stat().st_mtime_ns
    lines[0]["values"]["cc"] = 0.125
    part.write_text("\n".join(json.dumps(line) for line in [head, *lines]))
    found = emomap.score(
        "maps", "data", metrics=METRICS, allow_missing=True, jobs=1, keep="stopped.csv"
    )
    kept = per_image.read("mine.csv").values
    assert found.values["06"]["cc"] == 0.125
    for image in sorted(kept)[1:]:
        assert found.values[image] == pytest.approx(kept[image], abs=1e-12)
    assert not part.exists()
