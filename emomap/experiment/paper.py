"""The tables of the ISLAMNet paper: their methods, and the published numbers to show beside ours.

Published numbers are transcribed, with their sources, in `recipes/published.json`. They are marked
as published, and never shown beside numbers from synthetic data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from emomap import recipes
from emomap.analysis import controls
from emomap.method import title
from emomap.runs.results import controlled
from emomap.sample import EMOTIONS
from emomap.scoring.summary import label
from emomap.tables import Table, number

FI_RESERVATION = (
    "Published: trained and tested on FI, which loses pictures over time, so nobody has exactly "
    "the same set."
)


@dataclass(frozen=True)
class PaperTable:
    """One table of the paper.

    Attributes:
        number: its number in the paper.
        title: what it shows.
        rows: row name -> method, in the order of the paper.
        options: row name -> constructor options that differ from those of the recipe.
        training: row name -> numbers of the training that differ from those of the recipe.
        metrics: the metrics against gaze; empty when the table shows accuracy.
        baselines: rows that are not in the paper.
        published: row name -> metric (or "accuracy") -> value as printed.
        reservations: what a reader must know before comparing.
    """

    number: int
    title: str
    rows: Mapping[str, str]
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    training: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    reservations: tuple[str, ...] = ()


def published() -> dict[str, Any]:
    """The transcribed numbers with their sources."""
    text = resources.files("emomap.recipes").joinpath("published.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def table(which: int) -> PaperTable:
    """Table 1 (accuracy), 2 (rotation tasks) or 3 (maps against gaze)."""
    return {1: _accuracy, 2: _rotations, 3: _maps}[which](published())


def _accuracy(numbers: Mapping[str, Any]) -> PaperTable:
    names = {
        "paef": "PAEF",
        "jcdl": "JCDL",
        "spn": "SPN",
        "wildcat": "WILDCAT",
        "wscnet": "WSCNet",
        "islamnet": "ISLAMNet (seed paper)",
    }
    printed = {row["method"]: row["acc"] for row in numbers["table1"]["rows"]}
    return PaperTable(
        1,
        "Table 1: accuracy of emotion classification, %",
        {name: name for name in names},
        published={name: {"accuracy": printed[label]} for name, label in names.items()},
        reservations=(FI_RESERVATION,),
    )


def _rotations(numbers: Mapping[str, Any]) -> PaperTable:
    tasks: dict[str, tuple[str, list[int]]] = {
        "islamnet-a": ("0,180", [0, 180]),
        "islamnet-b": ("90,270", [90, 270]),
        "islamnet-c": ("0,90,180,270", [0, 90, 180, 270]),
        "islamnet-d": ("8x45", [0, 45, 90, 135, 180, 225, 270, 315]),
    }
    printed = numbers["table2"]["rows"]
    return PaperTable(
        2,
        "Table 2: accuracy of ISLAMNet by rotation task, %",
        dict.fromkeys(tasks, "islamnet"),
        options={name: {"angles": angles} for name, (_, angles) in tasks.items()},
        # its views are enlarged 1.4 times, and tests are on whole pictures; random crops, which
        # the recipe "paper" has for all, prepare the network for other scales
        training={"islamnet-d": {"crop": recipes.load("paper")["training"]["crop"]}},
        published={name: {"accuracy": printed[key]} for name, (key, _) in tasks.items()},
        reservations=(
            "(a) 0/180, (b) 90/270, (c) 0/90/180/270, (d) eight angles of 45 degrees, trained with "
            "random crops.",
            "Published: these do not fit Table 1 and are probably from another data set "
            f"({numbers['table2']['probable']}); compare them only with each other.",
        ),
    )


def _maps(numbers: Mapping[str, Any]) -> PaperTable:
    names = {
        "objectness": "Objectness",
        "gbvs": "GBVS",
        "itti_koch": "IttiKoch",
        "wildcat": "WILDCAT",
        "wscnet": "WSCNet",
        "islamnet": "ISLAMNet",
    }
    columns, rows = numbers["table3"]["columns"], numbers["table3"]["rows"]
    return PaperTable(
        3,
        "Table 3: maps against gaze",
        {name: name for name in (*names, "spn")},
        metrics=tuple(columns),
        baselines=("center",),
        published={
            name: dict(zip(columns, rows[label], strict=True)) for name, label in names.items()
        },
        reservations=(
            "Published: no public fixations on FI are known; the numbers are probably from "
            f"{numbers['table3']['probable']}.",
        ),
    )


def beside(paper: PaperTable, summaries: Sequence[Mapping[str, Any]]) -> Table:
    """Our numbers beside the published ones: means, and with several seeds standard deviations.

    Args:
        summaries: `summary.json` of the runs, one for each seed.
    """
    synthetic = any(summary["synthetic"] for summary in summaries)
    columns = paper.metrics or ("accuracy",)
    header = ["method"]
    for column in columns:
        header.append("accuracy" if column == "accuracy" else label(column))
        if not synthetic:
            header.append("published")
    rows: list[list[str]] = []
    finished = {row for rows in controls.rows_of(summaries[0]).values() for row in rows}
    for name in summaries[0]["methods"]:
        if name in finished and name not in paper.rows:
            continue
        cells = [title(name)]
        for column in columns:
            cells.append(_ours(name, column, summaries))
            if not synthetic:
                cells.append(_printed(paper, name, column))
        rows.append(cells)
    notes = [f"ours: {_data(summaries)}"]
    if paper.metrics:
        notes.append(f"signature: {summaries[0]['signature']}")
    if synthetic:
        notes.append("The data are synthetic, so the published numbers are not shown.")
    else:
        notes += paper.reservations
        notes.append(f"'published' is not ours; transcribed on {published()['recorded']}.")
    return Table(header, rows, paper.title, notes)


def beside_confusion(paper: PaperTable, summaries: Sequence[Mapping[str, Any]]) -> list[Table]:
    """The published confusion matrix (figure 5), beside table 1 on data that are not synthetic."""
    if paper.number != 1 or any(summary["synthetic"] for summary in summaries):
        return []
    numbers = published()
    header = ["true \\ predicted", *[emotion[:6] for emotion in EMOTIONS]]
    rows = [
        [emotion, *(f"{100 * share:.0f}" for share in row)]
        for emotion, row in zip(EMOTIONS, numbers["figure5"]["values"], strict=True)
    ]
    note = f"'published' is not ours: {numbers['figure5']['source']}. {FI_RESERVATION}"
    return [Table(header, rows, "ISLAMNet, published: confusion matrix (% of the row)", [note])]


def over_seeds(summaries: Sequence[Mapping[str, Any]]) -> Table:
    """Mean and standard deviation over several runs that differ only in their seed or fold."""
    control_of = controlled(summaries[0])
    return _over_seeds(summaries, [n for n in summaries[0]["methods"] if n not in control_of])


def controls_over_seeds(summaries: Sequence[Mapping[str, Any]]) -> list[Table]:
    """The same for each network with controls: its rows, and those of its controls."""
    return [_over_seeds(summaries, rows) for rows in controls.rows_of(summaries[0]).values()]


def _over_seeds(summaries: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Table:
    entries = {name: summaries[0]["methods"][name] for name in names}
    columns = list(next((e["metrics"] for e in entries.values() if e["metrics"]), {}))
    header = ["method", *map(label, columns)]
    if any(entry["accuracy"] is not None for entry in entries.values()):
        columns.append("accuracy")
        header.append("accuracy %")
    rows = [[title(n), *[_ours(n, column, summaries) for column in columns]] for n in entries]
    return Table(header, rows, _data(summaries), [f"signature: {summaries[0]['signature']}"])


def _data(summaries: Sequence[Mapping[str, Any]]) -> str:
    first = summaries[0]
    kind = " (SYNTHETIC)" if first["synthetic"] else ""
    images = sorted({summary["n_images"] for summary in summaries})
    counted = " to ".join(str(count) for count in dict.fromkeys((images[0], images[-1])))
    where = f"{first['dataset']}{kind}, {first['split']} split, {counted} images"
    what = "fold" if "fold" in first else "seed"
    which = ", ".join(str(summary[what]) for summary in summaries)
    if len(summaries) == 1:
        return f"{where}, {what} {which}"
    return f"{where}, mean ± standard deviation over {what}s {which}"


def _ours(name: str, column: str, summaries: Sequence[Mapping[str, Any]]) -> str:
    values = []
    for summary in summaries:
        entry = summary["methods"].get(name, {})
        value = (
            entry.get("accuracy")
            if column == "accuracy"
            else entry.get("metrics", {}).get(column, {}).get("mean")
        )
        if value is not None:
            values.append(100 * value if column == "accuracy" else value)
    if not values:
        return "-"
    digits = 1 if column == "accuracy" else 3
    return number(sum(values) / len(values), digits) + _deviation(values, digits)


def _deviation(values: Sequence[float], digits: int) -> str:
    import statistics

    return f" ± {number(statistics.stdev(values), digits)}" if len(values) > 1 else ""


def _printed(paper: PaperTable, name: str, column: str) -> str:
    value = paper.published.get(name, {}).get(column)
    return "-" if value is None else number(value, 1 if column == "accuracy" else 2)
