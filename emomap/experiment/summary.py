"""The last stage: rows and predicted emotions -> `summary.json`, `table.md`, and the report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from emomap import io, method, metrics, predict
from emomap._version import __version__
from emomap.analysis import controls, emotions, groups, limits, ranking
from emomap.errors import EmomapError, listed
from emomap.experiment.plan import Plan
from emomap.experiment.recognised import recognised
from emomap.experiment.rows import Limits
from emomap.io.kinds import MapKind
from emomap.progress import say
from emomap.runs.folder import Run
from emomap.scoring.emotions.scores import EmotionScores
from emomap.scoring.incomplete import incomplete
from emomap.scoring.intervals import METHOD
from emomap.scoring.protocol import Protocol
from emomap.scoring.rows import Row, reasons
from emomap.scoring.signature import of_means
from emomap.tables import Table


@dataclass
class Findings:
    """What the stages have found so far.

    Attributes:
        rows: row name -> rows of values.
        accuracy: row name -> accuracy with its interval and the confusion matrix.
        emotions: row name -> every measure of its predictions.
        remarks: lines that the table must show.
        failed: a line for each picture that some method could not do, each line once.
        incomplete: a line for each method and reason for which maps lack metrics.
        control_of: row name of a control -> name of the network whose map it controls.
        kinds: row name -> what the values of its maps are.
        unknown: rows that get no checksum, see `emomap.runs.checksum`.
        limits: floor and ceiling, if there are any.
    """

    rows: dict[str, Sequence[Row]] = field(default_factory=dict)
    accuracy: dict[str, dict[str, Any]] = field(default_factory=dict)
    emotions: dict[str, EmotionScores] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    control_of: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, MapKind] = field(default_factory=dict)
    unknown: Sequence[str] = ()
    limits: Limits | None = None

    def plain(self, name: str) -> bool:
        """Whether the maps of a row are no densities."""
        return self.kinds.get(name, "map") == "map"

    def fail(self, lines: Iterable[str]) -> None:
        """Add the lines that are not there yet."""
        self.failed += [line for line in dict.fromkeys(lines) if line not in self.failed]

    def add_rows(
        self, name: str, rows: Sequence[Row], failed: Sequence[str] = (), *, method: bool = True
    ) -> None:
        """Add the rows of a method. One without any value keeps its place in the table.

        Args:
            failed: a line for each picture that it could not do.
            method: False for the ceiling, which has no place without rows.
        """
        self.fail(failed)
        if not rows and not method:
            return
        self.rows[name] = rows
        if not rows:
            self.incomplete.append(f"{name}: not scored: {listed(failed, 1)}")
        names = list(dict.fromkeys(row.metric for row in rows))
        images = len({row.image for row in rows})
        lines = incomplete(reasons(rows), images, names)
        self.incomplete += [f"{name}: {line}; so it has no rank" for line in lines]

    def add_predictions(self, plan: Plan, name: str, predictions: Path) -> None:
        """Add what its predictions are worth on the images of the split that people judged.

        A method that knows other emotions than the data set gets a remark instead.
        """
        guesses = predict.read_emotions(predictions)
        foreign = set(guesses.values()) - set(plan.dataset.classes)
        if foreign and plan.dataset.classes:
            self.remarks.append(
                f"{name}: no accuracy, since it knows emotions ({listed(sorted(foreign), 3)}) that "
                f"{plan.dataset.name} does not have"
            )
        if foreign:
            return
        samples = [s for s in plan.part(plan.split) if s.id in guesses]
        if any(s.emotion or s.distribution or s.valence is not None for s in samples):
            scored = recognised(plan, name, predictions.with_suffix(".csv"))
            if isinstance(scored, str):
                self.remarks.append(scored)
            else:
                self.emotions[name] = scored
        pairs = [(s.emotion, guesses[s.id]) for s in samples if s.emotion is not None]
        if not pairs:
            return
        truth, guess = (np.array(column) for column in zip(*pairs, strict=True))
        found = metrics.statistics.proportion_interval(int((truth == guess).sum()), truth.size)
        self.accuracy[name] = {
            "accuracy": found.mean,
            **({} if found.low is None else {"accuracy_interval": [found.low, found.high]}),
            "confusion": metrics.confusion_matrix(guess, truth, plan.dataset.classes).tolist(),
        }


def summarise(plan: Plan, protocol: Protocol, found: Findings) -> dict[str, Any]:
    """The content of `summary.json`.

    Raises:
        EmomapError: no method has a result.
    """
    values = ranking.collect(found.rows)
    scored = any(table for name, table in values.items() if name != ranking.CEILING)
    if not (scored or found.accuracy or found.emotions):
        lines = [*found.incomplete, *found.failed]
        raise EmomapError(f"no method has a result; not done: {listed(lines, 3)}")
    means = ranking.means(values, plan.seed)
    n_images = max((c["n"] for t in means.values() for c in t.values()), default=0)
    compared = {name: cells for name, cells in means.items() if name not in found.control_of}
    if protocol.metric_specific:  # values of one map are not compared with those of many
        compared = {name: cells for name, cells in compared.items() if not found.plain(name)}
    own = {name: table for name, table in values.items() if name in compared}
    share = ranking.ceiling_share(compared, "nss")
    return {
        "dataset": plan.dataset.name,
        "synthetic": plan.dataset.synthetic,
        "split": plan.split or "whole",
        "n_images": n_images or len(plan.part(plan.split)),
        "seed": plan.seed,
        **({"fold": plan.record["run"]["fold"]} if "fold" in plan.record["run"] else {}),
        "emomap": __version__,
        "signature": of_means(protocol.signature(), plan.seed),
        "intervals": METHOD,
        "classes": list(plan.dataset.classes),
        **({"protocol": protocol.protocol} if protocol.metric_specific else {}),
        "methods": _entries(plan, protocol, means, found),
        "ranks": ranking.mean_ranks(compared),
        "tests": ranking.paired_tests(own, plan.seed),
        **controls.findings(values, found.control_of, plan.seed),
        **emotions.findings(found.emotions, plan.seed),
        **groups.findings(plan.grouping, own, _signatures(found.rows), plan.seed),
        "ceiling_share": {"nss": share} if share else {},
        **_limits(plan, values, found),
        "remarks": [*found.remarks, *found.incomplete],
        "failed": found.failed,
    }


def _limits(plan: Plan, values: Mapping[str, Any], found: Findings) -> dict[str, Any]:
    """Floor and ceiling with the share of each method. The other values do not depend on them."""
    if not found.limits:
        return {}
    methods = {name: table for name, table in values.items() if name not in found.control_of}
    rows, sizes = found.limits.rows, found.limits.sizes
    return limits.findings(methods, rows, plan.seed, sizes)


def _signatures(rows: Mapping[str, Sequence[Row]]) -> dict[str, str]:
    """metric -> signature of its values, of the first row that has it."""
    found: dict[str, str] = {}
    for row in (row for one in rows.values() for row in one):
        found.setdefault(row.metric, row.signature)
    return found


def _entries(
    plan: Plan, protocol: Protocol, means: Mapping[str, Any], found: Findings
) -> dict[str, dict[str, Any]]:
    """Row name -> accuracy, folder of maps made elsewhere, network that it controls, and means."""
    accuracy, control_of, kinds = found.accuracy, found.control_of, found.kinds
    specific = protocol.metric_specific
    folders = {name: str(folder.resolve()) for name, folder in plan.ready.items()}
    return {
        name: {
            "accuracy": None,
            **accuracy.get(name, {}),
            **({"maps": folders[name]} if name in folders else {}),
            **({"control_of": control_of[name]} if name in control_of else {}),
            **({"prediction": kinds[name]} if kinds.get(name, "map") != "map" else {}),
            **({"protocol": "plain"} if specific and found.plain(name) else {}),
            "metrics": means.get(name, {}),
        }
        for name in dict.fromkeys([*means, *accuracy, *found.emotions])
    }


def tables(summary: Mapping[str, Any], *, intervals: bool = True) -> list[Table]:
    """Ranked table, how far from people, controls, groups of images, emotions, confusion."""
    ranked = ranking.ranked_table(summary, intervals=intervals)
    more = [*limits.tables(summary), *controls.tables(summary)]
    judged = emotions.tables(summary, intervals=intervals)
    more += groups.tables(summary)
    return [ranked, *more, *judged, *ranking.confusion_tables(summary)]


def write(plan: Plan, folder: Run, summary: Mapping[str, Any]) -> None:
    """Write summary, table and confusion matrices; and the report, unless the recipe forbids it."""
    root = folder.folder
    io.write_text(root / "summary.json", json.dumps(summary, indent=1) + "\n")
    io.write_text(root / "table.md", "\n".join(t.render("md") for t in tables(summary)))
    for name, entry in summary["methods"].items():
        if entry["accuracy"] is not None:
            _draw_confusion(plan, folder, name, entry)
    if plan.numbers["bench"]["report"]:
        from emomap import report

        if plan.show:
            say("writing the report")
        report.write(root)


def _draw_confusion(plan: Plan, folder: Run, name: str, entry: Mapping[str, Any]) -> None:
    from emomap.report.figure import draw_confusion

    words = [method.title(name), f"accuracy {100 * entry['accuracy']:.1f}%", plan.dataset.name]
    title = ", ".join(words) + (" (SYNTHETIC)" if plan.dataset.synthetic else "")
    target = folder.method(name) / "confusion.png"
    draw_confusion(entry["confusion"], plan.dataset.classes, title, target)
