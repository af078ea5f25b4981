"""A network's map against its controls: tests, tables, and what of the score is the head's.

The controls are made by `emomap.sanity.controls` and have their rows beside the network's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emomap.analysis.pairs import LEVEL, differs, paired, probability
from emomap.analysis.ranking import Values, chosen_of
from emomap.method import title
from emomap.runs.results import controlled
from emomap.scoring.summary import all_metrics, label
from emomap.tables import Table, number

#: How a network's rows are finished: raw, smoothed, smoothed with the centre prior.
VARIANTS = ("", "-smooth", "-center")
#: The control that has the trained head, too, so that it does not tell what the head adds.
WITH_HEAD = "cam"
#: The variant and the metric of the sentence: the first of these that the run has.
SAID_OF = ("-smooth", "")
SAID_BY = ("cc", "nss")


def findings(values: Values, control_of: Mapping[str, str], seed: int) -> dict[str, Any]:
    """What `summary.json` holds of controls: ``control_tests``, or nothing without controls.

    It is row of the control -> metric -> the network's row, finished alike, minus the control:
    mean difference, p, and p after Holm over the controls of the row.

    Args:
        values: of all rows.
        control_of: row of a control -> name of its network.
    """
    found: dict[str, dict[str, Any]] = {}
    for own, rivals in groups(control_of):
        for metric, images in values.get(own, {}).items():
            pairs = [(own, r) for r in rivals if images.keys() & values[r].get(metric, {}).keys()]
            for pair in paired(values, metric, pairs, seed):
                found.setdefault(pair.second, {})[metric] = pair.test
    return {"control_tests": found} if found else {}


def groups(control_of: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Each row of a network that has controls, with the rows of the controls finished alike."""
    found: dict[str, list[str]] = {}
    for name, owner in control_of.items():
        found.setdefault(owner + variant(name), []).append(name)
    return list(found.items())


def variant(name: str) -> str:
    """How a row is finished, by the end of its name."""
    return next((end for end in VARIANTS[1:] if name.endswith(end)), "")


def rows_of(summary: Mapping[str, Any]) -> dict[str, list[str]]:
    """Network -> its rows, each followed by the controls finished alike."""
    found: dict[str, list[str]] = {}
    control_of, entries = controlled(summary), summary["methods"]
    for own, rivals in groups(control_of):
        there = [name for name in (own, *rivals) if name in entries]
        found.setdefault(control_of[rivals[0]], []).extend(there)
    return found


def tables(summary: Mapping[str, Any], *, only: Sequence[str] = ()) -> list[Table]:
    """A table for each network with controls: its rows, and below each the controls finished alike.

    A star marks a control from which the network's row differs.
    """
    return [_table(summary, network, shown, only) for network, shown in rows_of(summary).items()]


def _table(
    summary: Mapping[str, Any], network: str, shown: Sequence[str], only: Sequence[str]
) -> Table:
    entries, tests = summary["methods"], summary.get("control_tests", {})
    names = chosen_of(all_metrics([entries[name]["metrics"] for name in shown]), only)
    rows = []
    for name in shown:
        cells = [title(name)]
        for metric in names:
            cell = entries[name]["metrics"].get(metric)
            test = tests.get(name, {}).get(metric)
            star = "*" if differs(test) else ""
            cells.append(number(cell["mean"]) + star if cell else "-")
        rows.append(cells)
    notes = [
        sentence(summary, network),
        f"* {title(network)}, finished alike, differs from it, p < {LEVEL:g} (paired permutation "
        "test, Holm over the controls)",
    ]
    return Table(
        ["row", *map(label, names)],
        rows,
        f"{title(network)} and its controls",
        [note for note in notes if note],
    )


def sentence(summary: Mapping[str, Any], network: str) -> str:
    """What of a network's localisation is its head's: its row against the best without the head.

    Args:
        summary: a `summary.json`.
        network: a network with controls.
    """
    tests = summary.get("control_tests", {})
    mine = {name: owner for name, owner in controlled(summary).items() if owner == network}
    rivals_of = dict(groups(mine))
    own = next((network + end for end in SAID_OF if network + end in rivals_of), "")
    own_cam = f"{network}@{WITH_HEAD}{own.removeprefix(network)}"
    rivals = [name for name in rivals_of.get(own, ()) if name != own_cam]
    metric = next((m for m in SAID_BY if any(m in tests.get(r, {}) for r in rivals)), "")
    rivals = [name for name in rivals if metric in tests.get(name, {})]
    if not rivals:
        return ""
    reached = {name: summary["methods"][name]["metrics"][metric]["mean"] for name in rivals}
    best = max(reached, key=reached.__getitem__)
    test = tests[best][metric]
    measured = label(metric).rstrip(" ↑↓")
    whole = number(reached[best] + test["difference"])
    start = (
        f"{title(own)} reaches {measured} {whole}, and without the "
        f"trained head {title(best)} reaches {number(reached[best])}: "
    )
    sure = f"p {_p(test['p_holm'])}"
    if not differs(test):
        return f"{start}no part of the localisation is shown to be the head's ({sure})."
    if test["difference"] < 0:
        return f"{start}the head locates worse than what it is built on ({sure})."
    return f"{start}{number(test['difference'])} of it is the head's ({sure})."


def _p(p: float) -> str:
    shown = probability(p)
    return shown.replace("<", "< ") if shown.startswith("<") else f"= {shown}"
