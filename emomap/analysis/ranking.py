"""Rows of several methods -> means, ranks and tests, and the ranked table of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emomap.analysis.pairs import differs, paired
from emomap.errors import UsageError
from emomap.method import title as shown
from emomap.scoring.intervals import interval, named
from emomap.scoring.measures import measure
from emomap.scoring.rows import Row, by_metric
from emomap.scoring.summary import all_metrics, label
from emomap.tables import Table, bounds, number

#: method -> metric -> image -> value
Values = dict[str, dict[str, dict[str, float]]]
#: The row of the inter-observer ceiling. It is not a method, so it has no rank.
CEILING = "observers"
#: The method that every other one is tested against.
PRIOR = "center"


def collect(rows: Mapping[str, Sequence[Row]]) -> Values:
    """The values of all methods, on the images that every method with rows has.

    A method without any value has an empty table. A value that is None is left out.
    """
    having = [{row.image for row in part} for part in rows.values() if part]
    common = set.intersection(*having) if having else set()
    return {
        name: by_metric(row for row in part if row.image in common) for name, part in rows.items()
    }


def means(values: Values, seed: int) -> dict[str, dict[str, dict[str, Any]]]:
    """method -> metric -> mean, low, high, n."""
    return {
        name: {metric: interval(list(column.values()), seed) for metric, column in table.items()}
        for name, table in values.items()
    }


def mean_ranks(summary: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, float]:
    """Each method's rank (1 is best; ties share) averaged over the metrics, best first.

    A method that lacks a metric, if only on some images, has no mean rank.
    """
    names = all_metrics([table for name, table in summary.items() if name != CEILING])
    found = [places(summary, metric) for metric in names]
    whole = [name for name in summary if found and all(name in place for place in found)]
    totals = {name: sum(place[name] for place in found) / len(found) for name in whole}
    return dict(sorted(totals.items(), key=lambda entry: (entry[1], entry[0])))


def places(summary: Mapping[str, Mapping[str, Mapping[str, Any]]], metric: str) -> dict[str, float]:
    """Each method's rank on one metric: 1 is best, equal means share their ranks.

    Only of methods that have it on all images, since other means cannot be compared with these.
    """
    sign = measure(metric).direction
    having = {name: t[metric] for name, t in summary.items() if name != CEILING and metric in t}
    most = max((cell["n"] for cell in having.values()), default=0)
    score = {name: sign * cell["mean"] for name, cell in having.items() if cell["n"] == most}
    return {
        name: sum(other > mine for other in score.values())
        + (sum(other == mine for other in score.values()) + 1) / 2
        for name, mine in score.items()
    }


def best(summary: Mapping[str, Mapping[str, Mapping[str, Any]]], metric: str) -> list[str]:
    """The methods with the best mean on one metric, of those that `places` ranks.

    Empty for a single method.
    """
    found = places(summary, metric)
    first = min(found.values(), default=0)
    return [name for name, place in found.items() if place == first] if len(found) > 1 else []


def paired_tests(values: Values, seed: int, against: str = PRIOR) -> dict[str, dict[str, Any]]:
    """method -> metric -> mean difference to ``against``, p, and p after Holm over the methods.

    The difference is the method's mean minus that of ``against``. Empty without ``against``.
    """
    if against not in values:
        return {}
    others = [name for name in values if name not in {against, CEILING}]
    found: dict[str, dict[str, Any]] = {name: {} for name in others}
    for metric, images in values[against].items():
        pairs = [(n, against) for n in others if images.keys() & values[n].get(metric, {}).keys()]
        for pair in paired(values, metric, pairs, seed):
            found[pair.first][metric] = pair.test
    return found


def ceiling_share(
    summary: Mapping[str, Mapping[str, Mapping[str, Any]]], metric: str, prior: str = PRIOR
) -> dict[str, float]:
    """How far each method gets from the centre prior (0) to human agreement (1).

    Empty if people do not agree better than the prior predicts.
    """
    if any(metric not in summary.get(name, {}) for name in (CEILING, prior)):
        return {}
    low, high = summary[prior][metric]["mean"], summary[CEILING][metric]["mean"]
    if (high - low) * measure(metric).direction <= 0:
        return {}
    return {
        name: (table[metric]["mean"] - low) / (high - low)
        for name, table in summary.items()
        if name not in {CEILING, prior} and metric in table
    }


def ranked_table(
    summary: Mapping[str, Any], *, intervals: bool = True, only: Sequence[str] = ()
) -> Table:
    """The ranked table of a run, from its `summary.json`.

    Best mean rank first, each mean with its interval on the line below. A star marks a method that
    differs from the centre prior.

    Args:
        summary: of the run.
        intervals: show them.
        only: metrics to show, in this order; all by default. Ranks are over all.

    Raises:
        UsageError: the run has no values of such a metric.
    """
    entries = summary["methods"]
    entries = {name: entry for name, entry in entries.items() if "control_of" not in entry}
    ranked = ranked_means(summary)
    order = list(summary["ranks"])
    order = [name for name in entries if name not in order and entries[name]["metrics"]] + order
    order += [name for name in entries if name not in order]
    names = chosen_of(all_metrics([entry["metrics"] for entry in entries.values()]), only)
    classified = any(entry["accuracy"] is not None for entry in entries.values())
    header = ["method", "rank", *map(label, names)]
    rows: list[list[str]] = []
    marked: list[tuple[int, int]] = []
    winners = {metric: best(ranked, metric) for metric in names}
    for name in order:
        entry = entries[name]
        rank = summary["ranks"].get(name)
        means_line = [shown(name), "" if rank is None else number(rank, 1)]
        range_line = ["", ""]
        for metric in names:
            cell = entry["metrics"].get(metric)
            test = summary.get("tests", {}).get(name, {}).get(metric)
            star = "*" if differs(test) else ""
            means_line.append(number(cell["mean"]) + star if cell else "-")
            range_line.append(_bracketed(cell["low"], cell["high"]) if cell else "")
        if classified:
            accuracy = entry["accuracy"]
            means_line.append("-" if accuracy is None else number(accuracy))
            ends = entry.get("accuracy_interval")
            range_line.append(_bracketed(*ends) if ends else "")
        marked += [(len(rows), 2 + at) for at, m in enumerate(names) if name in winners[m]]
        rows.append(means_line)
        if intervals and any(range_line):
            rows.append(range_line)
    return Table(
        header + (["accuracy"] if classified else []),
        rows,
        title(summary),
        notes(summary),
        summary["signature"],
        "in full: emomap table RUN --explain",
        marked,
    )


def ranked_means(summary: Mapping[str, Any]) -> dict[str, Mapping[str, Mapping[str, Any]]]:
    """method -> metric -> cell, of the rows of a `summary.json` that are compared.

    Neither controls nor, under the metric-specific protocol, rows that were scored plainly.
    """
    return {
        name: entry["metrics"]
        for name, entry in summary["methods"].items()
        if "control_of" not in entry and "protocol" not in entry
    }


def chosen_of(there: Sequence[str], only: Sequence[str]) -> list[str]:
    """The metrics to show: those of ``only``, or all.

    Raises:
        UsageError: one is not there.
    """
    for name in only:
        if name not in there:
            raise UsageError(f"--metrics {name}: the run has {', '.join(there)}")
    return list(only or there)


def _bracketed(low: float | None, high: float | None) -> str:
    return f"[{bounds(low, high, join=',')}]" if low is not None else "-"


def title(summary: Mapping[str, Any]) -> str:
    """The data set, with a warning if it is made up, the split, and the number of images."""
    kind = " (SYNTHETIC: procedural pictures, simulated gaze)" if summary["synthetic"] else ""
    return (
        f"{summary['dataset']}{kind}, {summary['split']} split, {summary['n_images']} images; "
        f"mean with {intervals_in_words(summary)}"
    )


def intervals_in_words(summary: Mapping[str, Any]) -> str:
    """The kind of the intervals of a run; one of 0.1 does not name it."""
    cells = [cell for entry in summary["methods"].values() for cell in entry["metrics"].values()]
    found = named(summary.get("intervals", "percentile"), cells)
    accuracies = any("accuracy_interval" in entry for entry in summary["methods"].values())
    return found + ", of an accuracy Wilson's" * (accuracies and "intervals" in summary)


def notes(summary: Mapping[str, Any]) -> list[str]:
    """What a reader of the table must know."""
    found = []
    if summary.get("tests"):
        found.append("* differs from the centre prior, p < 0.05 (paired permutation test, Holm)")
    found += _of_densities(summary)
    shares = summary.get("ceiling_share", {}).get("nss")
    if shares:
        gains = ", ".join(f"{shown(name)} {100 * share:.0f}%" for name, share in shares.items())
        found.append(f"share of the gap between centre prior and human agreement (NSS): {gains}")
    if summary["synthetic"]:
        found.append(
            "The simulated observers are told to look at the stimulus: this checks the pipeline "
            "and is no evidence about people."
        )
    return [*found, *summary.get("remarks", [])]


def _of_densities(summary: Mapping[str, Any]) -> list[str]:
    """Which methods are densities, and how the others were scored."""
    entries = {n: e for n, e in summary["methods"].items() if e["metrics"]}
    densities = [n for n, e in entries.items() if e.get("prediction", "map") != "map"]
    plain = [n for n, e in entries.items() if "protocol" in e and "control_of" not in e]
    specific = summary.get("protocol") == "metric-specific"
    found = []
    if densities:
        how = ", of which each metric scores its own map" if specific else ""
        found.append(f"predicted densities{how}: {', '.join(densities)}")
    if plain:
        found.append(
            "no densities, so that all metrics score one map (plain protocol) and there is no "
            f"rank: {', '.join(plain)}"
        )
    return found


def confusion_table(confusion: Sequence[Sequence[int]], classes: Sequence[str], name: str) -> Table:
    """Counts: the true emotion in rows, the predicted one in columns."""
    header = ["true \\ predicted", *[emotion[:6] for emotion in classes]]
    rows = [[emotion, *map(str, row)] for emotion, row in zip(classes, confusion, strict=True)]
    return Table(header, rows, f"{shown(name)}: confusion matrix (counts)")


def confusion_tables(summary: Mapping[str, Any]) -> list[Table]:
    """The confusion matrix of each classifier of a run, from its `summary.json`."""
    return [
        confusion_table(entry["confusion"], summary["classes"], name)
        for name, entry in summary["methods"].items()
        if "confusion" in entry
    ]
