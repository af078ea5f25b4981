"""`merge`: join the run folders of all shards into one, as if one run had made it.

Rows and maps are joined; summary, table and report are made from them. A shard that is missing or
given twice is refused.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap import io, recipes
from emomap.analysis import limits
from emomap.analysis.grouping import Grouping, grouping
from emomap.analysis.ranking import CEILING
from emomap.data import splits
from emomap.errors import UsageError, listed
from emomap.experiment.contender import FolderContender
from emomap.experiment.plan import Plan, protocol_of
from emomap.experiment.result import Bench, conclude
from emomap.experiment.rows import NO_CEILING, NONFIXATIONS, Limits, fit_protocol
from emomap.experiment.summary import Findings
from emomap.io.schema import STRICT, read_json_lines
from emomap.runs import results
from emomap.runs.checksum import refuse_edited
from emomap.runs.folder import Run
from emomap.runs.results import Results
from emomap.sample import Dataset
from emomap.scoring.rows import read_rows
from emomap.tables import Table


def merge_runs(parts: Sequence[Path], out: Path) -> Bench:
    """Merge the run folders of all shards of a benchmark into a new one.

    Args:
        parts: run folders of ``emomap bench --shard``, in any order.
        out: the new run folder.

    Raises:
        UsageError: parts of different runs, a shard that is missing or given twice, or ``out`` is
            not empty.
        EmomapError: an unfinished or damaged part, or one with edited rows.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: exists already; merge into a new folder")
    runs = [results.read(path) for path in parts]
    _check_shards(runs)
    unknown = [name for run in runs for name in refuse_edited(Run(run.folder), gone=True)]
    first = runs[0]
    record = recipes.read_kept(first.folder / "recipe.toml")
    del record["run"]["shard"]
    run = Run.open(out, record)
    names = first.rows
    for name in names:
        _merge_lines([r.folder / "rows" / f"{name}.jsonl" for r in runs], run.rows(name))
        _merge_home([r.home(name) for r in runs], run.method(name))
    for name in (limits.FLOOR, limits.TOP):
        _merge_lines([r.folder / "rows" / f"{name}.jsonl" for r in runs], run.rows(name))
    for part in runs:
        for name in names:
            _link_tree(part.folder / "maps" / name, run.maps / name)
    if (first.folder / NONFIXATIONS).exists():
        _link(first.folder / NONFIXATIONS, out / NONFIXATIONS)
    run.write_environment(merged=[str(path) for path in parts])
    failed = [line for r in runs for line in r.summary["failed"]]
    return _gather(first, record, run, failed, unknown)


def _gather(
    first: Results,
    record: Mapping[str, Any],
    folder: Run,
    failed: list[str],
    unknown: Sequence[str],
) -> Bench:
    """Summary and table of the rows that lie in the merged folder; no row is computed."""
    dataset = first.dataset()
    if fold := record["run"].get("fold"):
        dataset = splits.fold(dataset, *map(int, fold.split("/")))
    elif splits.NOTE not in first.summary.get("remarks", ()):
        dataset = splits.undo_hashing(dataset)
    dataset = splits.with_test(dataset)
    numbers = {key: value for key, value in record.items() if key != "run"}
    entries = first.summary["methods"]
    plan = Plan(
        dataset=dataset,
        numbers=numbers,
        contenders=[
            FolderContender(name, Path(entry["maps"]), entry.get("prediction", "map"))
            for name, entry in entries.items()
            if "maps" in entry
        ],
        protocol=protocol_of(numbers["score"], dataset),
        split=None if record["run"]["split"] == "whole" else record["run"]["split"],
        out=folder.folder,
        record=record,
        seed=record["run"]["seed"],
        show=False,
        grouping=_grouping(first.summary, dataset, record["run"]["split"]),
    )
    protocol, remarks = fit_protocol(plan)
    found = Findings(remarks=remarks, failed=list(dict.fromkeys(failed)), unknown=unknown)
    for name, entry in entries.items():
        # a classifier without maps has no rows, nor has the ceiling where people cannot be compared
        mapped = entry["accuracy"] is None and name != CEILING
        found.add_rows(name, read_rows(folder.rows(name)), failed, method=mapped)
        found.kinds[name] = entry.get("prediction", "map")
        if "control_of" in entry:
            found.control_of[name] = entry["control_of"]
        if (predictions := folder.method(name) / "predictions.jsonl").exists():
            found.add_predictions(plan, name, predictions)
    found.remarks += [r for r in first.summary.get("remarks", ()) if r.startswith(NO_CEILING)]
    if "limits" in first.summary:
        kept = {name: read_rows(folder.rows(name)) for name in (limits.FLOOR, limits.TOP)}
        found.limits = Limits(kept, first.summary["limits"]["group_sizes"])
    return conclude(plan, folder, protocol, found)


def _grouping(summary: Mapping[str, Any], dataset: Dataset, split: str) -> Grouping | None:
    """The groups that the parts have."""
    kept = summary.get("groups")
    if not kept:
        return None
    samples = [s for s in dataset if split == "whole" or s.split == split]
    return grouping(kept["by"], samples, Path(kept["table"]) if "table" in kept else None)


def _check_shards(runs: Sequence[Results]) -> None:
    """Refuse parts that are not all shards of one run, each once."""
    where: dict[str, Path] = {}
    for run in runs:
        shard = run.recipe.get("run.shard")
        if shard is None:
            raise UsageError(f"{run.folder}: not made with --shard, so there is nothing to merge")
        if shard in where:
            raise UsageError(f"{run.folder}: is shard {shard}, as {where[shard]} is")
        where[shard] = run.folder
        mine, theirs = ({**r.recipe, "run.shard": ""} for r in (run, runs[0]))
        different = recipes.difference(mine, theirs)
        if different:
            raise UsageError(
                f"{run.folder}: not of the same run as {runs[0].folder}: {listed(different)}"
            )
        if set(run.summary["methods"]) != set(runs[0].summary["methods"]):
            raise UsageError(f"{run.folder}: its methods are not those of {runs[0].folder}")
    count = int(next(iter(where)).partition("/")[2])
    missing = [f"{k}/{count}" for k in range(1, count + 1) if f"{k}/{count}" not in where]
    if missing:
        raise UsageError(f"shard {listed(missing)} is missing; give all parts")


class _OfImage(TypedDict):
    """A line about an image."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    image: str


def _merge_lines(parts: Sequence[Path], out: Path) -> None:
    """Write the lines of several files, in the order of their "image"."""
    lines: list[tuple[str, bytes]] = []
    for path in parts:
        data, start = path.read_bytes() if path.exists() else b"", 0
        for line, end in read_json_lines(path, _OfImage) if data else ():
            lines.append((line["image"], data[start:end]))
            start = end
    if lines:
        lines.sort(key=itemgetter(0))  # a stable sort keeps the order of the metrics
        io.write_text(out, b"".join(line for _, line in lines).decode("utf-8"))


def _merge_home(parts: Sequence[Path], out: Path) -> None:
    """Join what a method keeps. All parts learned the same; each predicted its own images."""
    if parts[0].is_dir():
        _link_tree(parts[0], out)
        if (parts[0] / "predictions.jsonl").exists():
            (out / "predictions.jsonl").unlink()
            _merge_lines([part / "predictions.jsonl" for part in parts], out / "predictions.jsonl")
        if (parts[0] / "predictions.csv").exists():
            (out / "predictions.csv").unlink()
            _merge_tables([part / "predictions.csv" for part in parts], out / "predictions.csv")


def _merge_tables(parts: Sequence[Path], out: Path) -> None:
    """Write the rows of several CSV files with one header, in the order of their first column."""
    tables = [list(csv.reader(path.read_text("utf-8").splitlines())) for path in parts]
    rows = sorted((row for table in tables for row in table[1:]), key=itemgetter(0))
    io.write_text(out, Table(tables[0][0], rows).render("csv"))


def _link_tree(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")) if source.is_dir() else ():
        if path.is_file():
            _link(path, target / path.relative_to(source))


def _link(source: Path, target: Path) -> None:
    """Link a file to a second place, or copy it where the file system has no links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
