"""The classifiers of a run beside each other: measures of emotions, tests, recall per emotion.

`findings` makes the ``emotions`` of `summary.json`; `tables` and the report read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emomap.analysis.comparison import ComparedMethod
from emomap.analysis.pairs import LEVEL, differs, paired
from emomap.analysis.sets import compare_sets, set_names
from emomap.method import title
from emomap.scoring.emotions.scores import EmotionScores
from emomap.scoring.measures import measure
from emomap.scoring.summary import all_metrics, label
from emomap.tables import Table, bounds, number

#: The measure that decides which classifier the others are compared with; the first that there is.
LEADING = ("accuracy", "valence_mae", "arousal_mae")


def findings(scores: Mapping[str, EmotionScores], seed: int) -> dict[str, Any]:
    """What `summary.json` holds of emotions; {} without a classifier.

    Args:
        scores: classifier -> what its predictions are worth.
        seed: of the tests.
    """
    if not scores:
        return {}
    methods = {name: _entry(one) for name, one in scores.items()}
    found = {
        "signature": max((one.signature for one in scores.values()), key=len),
        "methods": methods,
    }
    first = best(methods)
    tests = _tests(scores, first, seed) if first else {}
    return {"emotions": {**found, **({"against": first, "tests": tests} if tests else {})}}


def _entry(scores: EmotionScores) -> dict[str, Any]:
    entry: dict[str, Any] = {"n": scores.n_images, "measures": scores.summary()}
    if per_class := scores.per_class():
        entry["per_class"] = per_class
    if reliability := scores.reliability():
        entry["reliability"] = reliability
    if scores.omitted:
        entry["omitted"] = dict(scores.omitted)
    return entry


def best(methods: Mapping[str, Mapping[str, Any]]) -> str:
    """The classifier with the best value of the leading measure; "" for a single one."""
    for name in LEADING:
        values = {n: e["measures"][name]["mean"] for n, e in methods.items()
                  if e["measures"].get(name, {}).get("mean") is not None}  # fmt: skip
        if len(values) > 1:
            return max(values, key=lambda one: measure(name).direction * values[one])
    return ""


def _tests(scores: Mapping[str, EmotionScores], first: str, seed: int) -> dict[str, Any]:
    """classifier -> measure -> its difference to the first, p, and p after Holm over them."""
    entries = {name: _compared(name, one) for name, one in scores.items()}
    values = {name: entry.values for name, entry in entries.items()}
    others = [name for name in values if name != first]
    tested = []
    for name, column in values[first].items():
        pairs = [(n, first) for n in others if column.keys() & values[n].get(name, {}).keys()]
        tested += paired(values, name, pairs, seed)
    rivals = list(entries.values())
    tested += compare_sets(rivals, set_names(rivals), [(n, first) for n in others], seed)[0]
    found: dict[str, Any] = {}
    for pair in tested:
        found.setdefault(pair.first, {})[pair.metric] = pair.test
    return found


def _compared(name: str, scores: EmotionScores) -> ComparedMethod:
    """A classifier as `emomap compare` takes it."""
    table = scores.per_image()
    columns = {m: column for m in table.metrics if (column := table.by_image(m))}
    return ComparedMethod(name, Path(), columns, table.signed_all(), facts=table.facts)


def order(summary: Mapping[str, Any]) -> list[str]:
    """The classifiers of a run, the best of the leading measure first."""
    methods = summary.get("emotions", {}).get("methods", {})

    def place(name: str) -> tuple[int, float]:
        for at, leading in enumerate(LEADING):
            cell = methods[name]["measures"].get(leading)
            if cell and cell["mean"] is not None:
                return at, -measure(leading).direction * cell["mean"]
        return len(LEADING), 0.0

    return sorted(methods, key=place)


def winners(summary: Mapping[str, Any], name: str) -> list[str]:
    """The classifiers with the best value of a measure; empty for a single one."""
    methods = summary["emotions"]["methods"]
    values = {n: e["measures"][name]["mean"] for n, e in methods.items()
              if e["measures"].get(name, {}).get("mean") is not None}  # fmt: skip
    if len(values) < 2:
        return []
    most = max(measure(name).direction * value for value in values.values())
    return [n for n, value in values.items() if measure(name).direction * value == most]


def measures(summary: Mapping[str, Any]) -> list[str]:
    """The measures that any classifier of a run has."""
    methods = summary.get("emotions", {}).get("methods", {})
    return all_metrics([entry["measures"] for entry in methods.values()])


def tables(summary: Mapping[str, Any], *, intervals: bool = True) -> list[Table]:
    """The measures of emotions and the recall of each emotion, where a run has classifiers."""
    if not summary.get("emotions"):
        return []
    found = [_measured(summary, intervals=intervals)]
    recall = recalls(summary)
    return [*found, recall] if recall else found


def _measured(summary: Mapping[str, Any], *, intervals: bool) -> Table:
    part, names = summary["emotions"], measures(summary)
    rows: list[list[str]] = []
    marked: list[tuple[int, int]] = []
    for method in order(summary):
        cells = part["methods"][method]["measures"]
        line, ends = [title(method)], [""]
        for at, name in enumerate(names, 1):
            cell = cells.get(name)
            there = cell is not None and cell["mean"] is not None
            star = "*" if differs(part.get("tests", {}).get(method, {}).get(name)) else ""
            line.append(number(cell["mean"]) + star if there else "-")
            apart = there and cell["low"] is not None
            ends.append(f"[{bounds(cell['low'], cell['high'], join=',')}]" if apart else "")
            if there and method in winners(summary, name):
                marked.append((len(rows), at))
        rows.append(line)
        if intervals and any(ends):
            rows.append(ends)
    return Table(
        ["method", *map(label, names)],
        rows,
        f"{summary['dataset']}: emotions; value with its 95% interval over images",
        notes(summary),
        part["signature"],
        "in full: summary.json, emotions.signature",
        marked,
    )


def notes(summary: Mapping[str, Any]) -> list[str]:
    """What a reader of the measures must know."""
    part = summary["emotions"]
    found = []
    if part.get("tests"):
        found.append(
            f"* differs from {title(part['against'])}, p < {LEVEL:g} (paired permutation test, "
            "Holm over the classifiers)"
        )
    reasons: dict[str, list[str]] = {}
    for entry in part["methods"].values():
        for name, reason in entry.get("omitted", {}).items():
            if measure(name).long_name not in reasons.setdefault(reason, []):
                reasons[reason].append(measure(name).long_name)
    return found + [f"no {', '.join(names)}: {reason}" for reason, names in reasons.items()]


def recalls(summary: Mapping[str, Any]) -> Table | None:
    """The recall of each emotion by each classifier, and how many images have the emotion."""
    methods = summary["emotions"]["methods"]
    shown = [name for name in order(summary) if "per_class" in methods[name]]
    if not shown:
        return None
    counts = {e: c["n"] for name in shown for e, c in methods[name]["per_class"].items() if c["n"]}
    rows = [
        [emotion, str(n), *(_recall(methods[name]["per_class"].get(emotion)) for name in shown)]
        for emotion, n in sorted(counts.items())
    ]
    heading = "recall of each emotion; n: images that people gave it"
    return Table(["emotion", "n", *map(title, shown)], rows, heading)


def _recall(cell: Mapping[str, Any] | None) -> str:
    return "-" if not cell or cell["recall"] is None else number(cell["recall"])
