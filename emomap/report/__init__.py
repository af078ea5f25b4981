"""The report of a run: one HTML file that opens from disk and needs no network.

`write` gathers what the page shows; `page.html.j2`, `style.css` and `script.js` lay it out. Every
name in it passes through the template's escaping, and the page forbids itself to load anything.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emomap import io, method, metrics
from emomap.analysis import ranking
from emomap.analysis.pairs import LEVEL, Pair, paired, probability
from emomap.errors import EmomapError
from emomap.report import charts, heat, pictures, words
from emomap.runs import results
from emomap.runs.results import Results
from emomap.scoring.summary import label
from emomap.tables import number

#: Values of single images beyond this many bytes stay in the run folder.
INLINE = 3_000_000
#: Rows of a method that is no method.
_ROLES = {
    ranking.CEILING: "human ceiling: each observer predicted by the others",
    ranking.PRIOR: "centre prior",
}


@dataclass(frozen=True)
class Cell:
    """A mean with its interval: shown, and as places on the axis of its column (percent)."""

    value: float
    shown: str
    bounds: str
    low: float
    middle: float
    high: float
    best: bool
    marked: bool


@dataclass(frozen=True)
class Line:
    """A row of the ranked table."""

    name: str
    about: str
    rank: float | None
    cells: Sequence[Cell | None]


def write(run_folder: Path, output: Path | None = None) -> Path:
    """Write the report of a finished run.

    Pictures and gaze are read from the data set that the run recorded. When it is no longer there,
    the page says so and comes without pictures.

    Args:
        run_folder: of `emomap bench`.
        output: the HTML file; ``report.html`` in the run folder by default.

    Returns:
        The path of the file.

    Raises:
        UsageError: not a run folder.
        EmomapError: an unfinished or damaged run, or the file cannot be written.
    """
    run = results.read(run_folder)
    path = output or run_folder / "report.html"
    io.write_text(path, page(run))
    return path


def page(run: Results) -> str:
    """The report as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("emomap", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breaks"] = _breaks
    here = Path(__file__).parent
    script = (here / "script.js").read_text("utf-8")
    shown, problem = _pictures(run)
    columns = _columns(run)
    return environment.get_template("page.html.j2").render(
        run=run,
        summary=run.summary,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=(here / "style.css").read_text("utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        columns=columns,
        lines=_lines(run, columns),
        headline=_headline(run),
        rivals=_rivals(run),
        shown=shown,
        kinds=pictures.names(shown),
        leading=pictures.leading_metric(run),
        problem=problem,
        scale=pictures.css_scale(),
        densest=heat.DENSEST,
        distributions=charts.distributions(run.values, run.metrics),
        curves={n: c for n in run.methods if (c := _curves(run, n))},
        confusions={
            name: _confusion(run, entry)
            for name, entry in run.summary["methods"].items()
            if "confusion" in entry
        },
        every_value=_every_value(run),
        text=words.methods_section(run),
        number=number,
        probability=probability,
    )


def _breaks(name: str) -> Any:
    """A name that may go on in the next line after each of its parts."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([_/-])", r"\1<wbr>", str(escape(name))))


def _curves(run: Results, name: str) -> list[charts.Chart]:
    return charts.learning_curves(run.home(name) / "training.jsonl")


def _pictures(run: Results) -> tuple[list[pictures.Shown], str]:
    """The chosen images, or none and the reason."""
    if not run.metrics:
        return [], "This run scored no maps."
    try:
        dataset = run.dataset()
        samples = {sample.id: sample for sample in dataset}
        return pictures.draw(run, samples, run.protocol(dataset)), ""
    except EmomapError as error:
        return [], f"The pictures could not be read again, so there are none here: {error}"


def _columns(run: Results) -> list[dict[str, Any]]:
    """What the ranked table has beside method and rank."""
    found = [
        {
            "key": name,
            "title": metrics.CATALOGUE[name].long_name,
            "label": label(name),
            "direction": metrics.CATALOGUE[name].direction,
            "about": f"{metrics.CATALOGUE[name].reference}; "
            + ("higher" if metrics.CATALOGUE[name].higher_is_better else "lower")
            + " is better",
        }
        for name in run.metrics
    ]
    if any(entry["accuracy"] is not None for entry in run.summary["methods"].values()):
        about = "share of images whose emotion is recognised; higher is better"
        found.append(
            {"key": "", "title": "accuracy", "label": "accuracy ↑", "direction": 1, "about": about}
        )
    return found


def _means(entry: Mapping[str, Any], key: str) -> tuple[float, float, float] | None:
    """Mean, low and high of a row in a column, or None."""
    if key:
        cell = entry["metrics"].get(key)
        return (cell["mean"], cell["low"], cell["high"]) if cell else None
    if entry["accuracy"] is None:
        return None
    low, high = entry.get("accuracy_interval") or (entry["accuracy"], entry["accuracy"])
    return entry["accuracy"], low, high


def _lines(run: Results, columns: Sequence[Mapping[str, Any]]) -> list[Line]:
    known = method.entries()
    entries = run.summary["methods"]
    axes, best = {}, {}
    for column in columns:
        key = column["key"]
        there = {n: m for n in run.methods if (m := _means(entries[n], key))}
        axes[key] = charts.Axis.around([v for m in there.values() for v in m])
        ranked = [m[0] for n, m in there.items() if n != ranking.CEILING]
        best[key] = (max if column["direction"] > 0 else min)(ranked) if ranked else None
    lines = []
    for name in run.methods:
        about = known[name].summary if name in known else ""
        cells: list[Cell | None] = []
        for column in columns:
            key = column["key"]
            found = _means(entries[name], key)
            test = run.summary.get("tests", {}).get(name, {}).get(key)
            if found is None:
                cells.append(None)
                continue
            mean, low, high = found
            cells.append(
                Cell(
                    mean,
                    number(mean),
                    f"{number(low)} to {number(high)}",
                    axes[key](low),
                    axes[key](mean),
                    axes[key](high),
                    best=mean == best[key] and name != ranking.CEILING,
                    marked=bool(test and test["p_holm"] < LEVEL),
                )
            )
        lines.append(Line(name, _ROLES.get(name, about), run.summary["ranks"].get(name), cells))
    return lines


def _headline(run: Results) -> str:
    """The result in a sentence or two."""
    ranks = run.summary["ranks"]
    if not ranks:
        return ""
    first = next(iter(ranks))
    means = {n: run.summary["methods"][n]["metrics"] for n in ranks}
    places = {m: ranking.places(means, m) for m in run.metrics}
    wins = sum(place[first] == 1 for place in places.values())
    text = f"{first} ranks first: it is best on {wins} of {len(places)} metrics"
    tests = run.summary.get("tests", {}).get(first)
    if tests:
        sure = sum(test["p_holm"] < LEVEL for test in tests.values())
        text += f", and differs from the centre prior on {sure} beyond chance"
    share = run.summary.get("ceiling_share", {}).get("nss", {}).get(first)
    if share is not None:
        text += f". By NSS it goes {100 * share:.0f}% of the way from there to human agreement"
    return text + "."


def _rivals(run: Results) -> list[Pair]:
    """The first method against the second, on each metric."""
    ranked = [name for name in run.summary["ranks"] if name in run.values]
    if len(ranked) < 2:
        return []
    pairs = [(ranked[0], ranked[1])]
    seed = run.summary["seed"]
    return [p for metric in run.metrics for p in paired(run.values, metric, pairs, seed)]


def _confusion(run: Results, entry: Mapping[str, Any]) -> list[tuple[str, list[tuple[int, float]]]]:
    """Rows of the confusion matrix: true emotion, then (count, share of the row)."""
    return [
        (emotion, [(count, count / max(1, sum(row))) for count in row])
        for emotion, row in zip(run.summary["classes"], entry["confusion"], strict=True)
    ]


def _every_value(run: Results) -> dict[str, Any] | None:
    """All values for the table of images; None when they would make the page heavy."""
    images = sorted({i for table in run.values.values() for col in table.values() for i in col})
    whole = {
        "images": images,
        "metrics": {name: metrics.CATALOGUE[name].long_name for name in run.metrics},
        "methods": list(run.values),
        "values": {
            metric: [
                [_rounded(table.get(metric, {}).get(image)) for image in images]
                for table in run.values.values()
            ]
            for metric in run.metrics
        },
    }
    return whole if len(json.dumps(whole)) <= INLINE else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
