"""`write` puts the page together from a finished run.

This file gathers what the page shows; `page.html.j2`, `style.css` and `script.js` lay it out. Every
text passes through the template's escaping, and the page forbids itself to load anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emomap import io, metrics
from emomap.analysis import controls, limits, objects_of, ranking
from emomap.analysis.groups import Breakdown, of_run
from emomap.analysis.pairs import effect_size, probability
from emomap.errors import EmomapError, grouped
from emomap.method import title
from emomap.report import charts, heat, pictures, ranked, words
from emomap.report.classified import classified
from emomap.report.grouped import by_groups
from emomap.report.templates import script_hash, template
from emomap.runs import results
from emomap.runs.results import Results
from emomap.tables import Table, bounds, number

#: Values of single images that take more bytes than this stay in the run folder.
INLINE = 3_000_000


def write(
    run_folder: Path, output: Path | None = None, by: str = "", groups: Path | None = None
) -> Path:
    """Write the report of a finished run.

    Pictures and gaze are read from the data set that the run recorded. When it is no longer there,
    the page says so and comes without pictures.

    Args:
        run_folder: of `emomap bench`.
        output: the HTML file; ``report.html`` in the run folder by default.
        by, groups: show groups of images, see `emomap.analysis.grouping.grouping`; by default those
            that the run keeps.

    Returns:
        The path of the file.

    Raises:
        UsageError: not a run folder.
        EmomapError: an unfinished or damaged run, or the file cannot be written.
    """
    run = results.read(run_folder)
    path = output or run_folder / "report.html"
    io.write_text(path, page(run, of_run(run, by, groups)))
    return path


def page(run: Results, parts: Breakdown | None = None) -> str:
    """The report as text, with groups of images where there are some."""
    here = Path(__file__).parent
    script = "".join((here / name).read_text("utf-8") for name in ("sort.js", "script.js"))
    shown, problem = _pictures(run)
    columns = ranked.columns(run)
    text: str = template("page.html.j2").render(
        run=run,
        summary=run.summary,
        failed=grouped(run.summary["failed"]),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=(here / "style.css").read_text("utf-8"),
        script=script,
        script_hash=script_hash(script),
        columns=columns,
        lines=ranked.lines(run, columns),
        headline=ranked.headline(run),
        gaps=ranked.gaps(run),
        rivals=ranked.rivals(run),
        limits=limits.tables(run.summary),
        controls=controls.tables(run.summary),
        objects=_objects(run),
        shown=shown,
        kinds=pictures.names(shown),
        leading=pictures.leading_metric(run),
        problem=problem,
        scale=pictures.css_scale(),
        densest=heat.DENSEST,
        distributions=charts.distributions(
            {title(n): t for n, t in run.compared.items()}, run.metrics
        ),
        curves={title(n): c for n in run.methods if (c := _curves(run, n))},
        classified=classified(run.summary),
        grouped=by_groups(run, parts),
        confusions={
            title(name): _confusion(run, entry)
            for name, entry in run.summary["methods"].items()
            if "confusion" in entry
        },
        every_value=_every_value(run),
        text=words.methods_section(run),
        number=number,
        bounds=bounds,
        effect_size=effect_size,
        intervals=ranking.intervals_in_words(run.summary),
        probability=probability,
    )
    return text


def _pictures(run: Results) -> tuple[list[pictures.Shown], str]:
    """The chosen images, or none and the reason."""
    if not run.metrics:
        return [], "This run scored no maps."
    try:
        dataset = run.dataset()
        samples = {sample.id: sample for sample in dataset}
        return pictures.draw(run, samples, run.protocol(dataset)), ""
    except EmomapError as error:
        return [], f"There are no pictures here, since they could not be read again: {error}"


def _objects(run: Results) -> Table | str | None:
    """Attention on objects, why there is none of it, or None where the data set outlines none."""
    try:
        source = objects_of.of_run(run)
        if not source.dataset.samples:
            return None
        return objects_of.measured(source, [], seed=run.summary["seed"], show=False)[1].table()
    except EmomapError as error:
        return str(error)


def _curves(run: Results, name: str) -> list[charts.Chart]:
    return charts.learning_curves(run.home(name) / "training.jsonl")


def _confusion(run: Results, entry: Mapping[str, Any]) -> list[tuple[str, list[tuple[int, float]]]]:
    """Rows of the confusion matrix: true emotion, then (count, share of the row)."""
    return [
        (emotion, [(count, count / max(1, sum(row))) for count in row])
        for emotion, row in zip(run.summary["classes"], entry["confusion"], strict=True)
    ]


def _every_value(run: Results) -> dict[str, Any] | None:
    """All values, for the table of images; None when they would make the page heavy."""
    values = run.compared
    images = sorted({i for table in values.values() for col in table.values() for i in col})
    whole = {
        "images": images,
        "metrics": {name: metrics.CATALOGUE[name].long_name for name in run.metrics},
        "methods": [title(name) for name in values],
        "values": {
            metric: [
                [_rounded(table.get(metric, {}).get(image)) for image in images]
                for table in values.values()
            ]
            for metric in run.metrics
        },
    }
    return whole if len(json.dumps(whole)) <= INLINE else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
