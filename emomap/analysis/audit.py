"""Which metric hangs on how a map was saved: the audit of a set of maps.

Each map is scored as given and after each of `emomap.scoring.alterations.ALTERATIONS`. What counts
are the differences image by image.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emomap import metrics, parallel
from emomap.errors import EmomapError, listed
from emomap.progress import track
from emomap.scoring.alterations import ALTERATIONS, Altered, score_altered
from emomap.scoring.arrays import or_arrays
from emomap.scoring.folders import nonfixations_of, pair_folders, serving
from emomap.scoring.incomplete import incomplete
from emomap.scoring.protocol import Protocol
from emomap.scoring.signature import explain as explain_signature
from emomap.scoring.summary import label
from emomap.scoring.videos import over_frames, video_means, video_of
from emomap.tables import Table, html, number

#: A metric hangs on an alteration that moves its mean by more than this share of its value (of an
#: AUC: of its distance from chance, 0.5), and by more than the least.
SHARE, LEAST = 0.02, 0.005

RULE = (
    f"A metric hangs on an alteration that moves its mean by more than {SHARE:.0%} of its value "
    f"(of an AUC: of its distance from 0.5), and by more than {LEAST:g}."
)
LEGEND = (
    "Each metric has two lines: the mean change over the {unit}, and the largest change of one. "
    "8-bit: the maximum becomes 255, and values are rounded. JPEG: the same, at quality 75. half: "
    "half size and back. min-max: minimum to 0, maximum to 1. ^2, ^1/2: exponents of the map "
    "scaled to its maximum. floor 0: negative values become 0. 0 stands for no change at all."
)


@dataclass(frozen=True)
class Move:
    """How an alteration moves a metric.

    Attributes:
        mean: change of the mean over images.
        largest: change of the image that changes most.
        image: which one that is.
        n: images that have both values.
        hangs: whether the metric hangs on the alteration, by `RULE`.
    """

    mean: float
    largest: float
    image: str
    n: int
    hangs: bool


@dataclass(frozen=True, repr=False)
class Audit:
    """What moves which metric by how much.

    Attributes:
        altered: the values of each map, in the order of the images.
        protocol: how they were scored.
        omitted: metric -> why it could not be computed from this ground truth.
        failed: one line for each map that could not be scored.
        remarks: what the user should know.
        videos: the images are frames of videos; changes are those of the means over frames.
    """

    altered: Sequence[Altered]
    protocol: Protocol
    omitted: Mapping[str, str]
    failed: Sequence[str] = ()
    remarks: Sequence[str] = ()
    videos: bool = False

    @property
    def unit(self) -> str:
        """What is averaged over, in the plural."""
        return "videos" if self.videos else "images"

    @property
    def incomplete(self) -> list[str]:
        """A line for each reason why some maps lack some metrics as given."""
        lacking = {one.id: one.lacking for one in self.altered if one.lacking}
        return incomplete(lacking, len(self.altered), self.protocol.metrics)

    @property
    def blank(self) -> int:
        """Number of maps that are zero everywhere."""
        return sum(one.blank for one in self.altered)

    @property
    def signature(self) -> str:
        """Every choice behind the values."""
        signed = self.protocol.signature()
        return over_frames(signed) if self.videos else signed

    def given(self, metric: str) -> float | None:
        """The mean of a metric for the maps as given; None if no map has it."""
        column = {one.id: one.given[metric] for one in self.altered if metric in one.given}
        return float(np.mean([*self._units(column).values()])) if column else None

    def move(self, metric: str, alteration: str) -> Move | None:
        """How an alteration moves a metric; None if no map has both values."""
        column = {
            one.id: one.after[alteration][metric] - one.given[metric]
            for one in self.altered
            if metric in one.given and metric in one.after.get(alteration, {})
        }
        if not column:
            return None
        changes = self._units(column)
        image = max(changes, key=lambda name: abs(changes[name]))
        mean = float(np.mean([*changes.values()]))
        given = self.given(metric)
        assert given is not None
        chance = 0.5 if metric.startswith("auc") else 0.0
        hangs = abs(mean) > max(SHARE * abs(given - chance), LEAST)
        return Move(mean, changes[image], image, len(changes), hangs)

    def sentences(self) -> list[str]:
        """A sentence for each metric that hangs on an alteration, and one for all that do not."""
        found, firm = [], []
        for metric in self.protocol.metrics:
            given = self.given(metric)
            moves = [(a, self.move(metric, a.name)) for a in ALTERATIONS]
            strong = [(a, move) for a, move in moves if move and move.hangs]
            name = metrics.CATALOGUE[metric].long_name
            if strong:
                strong.sort(key=lambda pair: -abs(pair[1].mean))
                parts = [f"{a.words} ({_signed(move.mean)})" for a, move in strong]
                assert given is not None
                first = strong[0][1]
                most = f"; the largest single change is {_signed(first.largest)}, {first.image}"
                most = most if len(self.altered) > 1 else ""
                found.append(f"{name}, {number(given)} as given, hangs on {_and(parts)}{most}.")
            elif any(move for _, move in moves):
                firm.append(name)
        if firm:
            found.append(f"On none of these hang{'s' * (len(firm) == 1)} {_and(firm)}.")
        return found

    def notes(self) -> list[str]:
        """What was not done, and to how many maps."""
        lines = []
        for alteration in ALTERATIONS:
            reasons = Counter(
                why for one in self.altered if (why := one.inapplicable.get(alteration.name))
            )
            for reason, count in reasons.items():
                lines.append(
                    f"{alteration.name} does not apply to {count} of {len(self.altered)} maps: "
                    f"{reason}"
                )
            same = sum(alteration.name in one.same for one in self.altered)
            if same:
                lines.append(
                    f"{alteration.name} leaves {same} of {len(self.altered)} maps as they are"
                )
        for metric in self.protocol.metrics:
            gained = [a.name for a in ALTERATIONS if any(
                metric in one.after.get(a.name, {}) and metric not in one.given
                for one in self.altered
            )]  # fmt: skip
            if gained:
                name = metrics.CATALOGUE[metric].long_name
                lines.append(f"{name}: some maps have a value only after {', '.join(gained)}")
        if self.protocol.prediction == "log-density":
            lines.append("log-densities: alterations are made to their exponential")
        return lines

    def table(self) -> Table:
        """Two lines for each metric: mean and largest change; a column for each alteration."""
        rows: list[list[str]] = []
        several = len(self.altered) > 1
        for metric in self.protocol.metrics:
            given = self.given(metric)
            moves = [self.move(metric, a.name) for a in ALTERATIONS]
            means = ["-" if move is None else _signed(move.mean) for move in moves]
            rows.append([label(metric), "-" if given is None else number(given), *means])
            if several:
                tops = ["-" if move is None else _signed(move.largest) for move in moves]
                rows.append(["  largest", "", *tops])
        count = len({video_of(a.id) for a in self.altered}) if self.videos else len(self.altered)
        title = f"{count} {self.unit if count > 1 else self.unit[:-1]}, change of each metric"
        legend = LEGEND.format(unit=self.unit) if several else LEGEND.partition(". ")[2]
        left = [f"left out: {name} ({reason})" for name, reason in self.omitted.items()]
        notes = [*self.sentences(), RULE, *self.notes(), *left, *self.incomplete, legend]
        if self.failed:
            notes.append(f"not scored: {len(self.failed)} of {count + len(self.failed)}")
        header = ("metric", "given", *(a.name for a in ALTERATIONS))
        return Table(header, rows, title, notes, self.signature)

    def to_dict(self) -> dict[str, Any]:
        """What ``--format json`` prints."""
        return {
            "n_images": len(self.altered),
            "signature": self.signature,
            "given": {metric: self.given(metric) for metric in self.protocol.metrics},
            "alterations": {
                a.name: {
                    "words": a.words,
                    "metrics": {
                        metric: vars(move) if (move := self.move(metric, a.name)) else None
                        for metric in self.protocol.metrics
                    },
                    "unchanged": [one.id for one in self.altered if a.name in one.same],
                    "inapplicable": {
                        one.id: one.inapplicable[a.name]
                        for one in self.altered
                        if a.name in one.inapplicable
                    },
                }
                for a in ALTERATIONS
            },
            "rule": {"share": SHARE, "least": LEAST, "words": RULE},
            "sentences": self.sentences(),
            "omitted": dict(self.omitted),
            "incomplete": self.incomplete,
            "failed": list(self.failed),
            "remarks": list(self.remarks),
        }

    def csv(self) -> str:
        """A line for each metric and alteration, in full precision."""
        header = ["metric", "alteration", "given", "mean_change", "largest_change", "image", "n",
                  "hangs", "signature"]  # fmt: skip
        rows = []
        for metric in self.protocol.metrics:
            given = self.given(metric)
            for a in ALTERATIONS:
                move = self.move(metric, a.name)
                cells = [repr(move.mean), repr(move.largest), move.image, str(move.n),
                         str(move.hangs).lower()] if move else ["", "", "", "0", ""]  # fmt: skip
                shown = "" if given is None else repr(given)
                rows.append([metric, a.name, shown, *cells, self.signature])
        return Table(header, rows).render("csv")

    def render(self, form: str, *, explain: bool = False) -> str:
        """The audit as "table", "json", "csv", "md" or "latex".

        Args:
            form: one of these.
            explain: add the signature in words.
        """
        if form == "json":
            more = {"explanation": explain_signature(self.signature)} if explain else {}
            return json.dumps(self.to_dict() | more, indent=2, ensure_ascii=False) + "\n"
        if form == "csv":
            return self.csv()
        table = self.table()
        words = explain_signature(self.signature) if explain else []
        return Table(
            table.header, table.rows, table.title, [*table.notes, *words], table.signature
        ).render(form)

    def __repr__(self) -> str:
        """The table, for a session."""
        return self.render("table").rstrip()

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return html(self.table())

    def _units(self, column: Mapping[str, float]) -> Mapping[str, float]:
        return video_means(column) if self.videos else column


@or_arrays
def audit(
    predictions: str | Path,
    truth: str | Path,
    *,
    protocol: Protocol | None = None,
    allow_missing: bool = False,
    truth_kind: str | None = None,
    points: str | None = None,
    marks_threshold: float | None = None,
    pred_suffix: str = "",
    jobs: int | None = None,
    show: bool = False,
    videos: bool = False,
) -> Audit:
    """Score each map as given and after each alteration.

    Args:
        predictions, truth, allow_missing, truth_kind, points, marks_threshold, pred_suffix, jobs,
            show, videos: as for `emomap.scoring.folders.score`; arrays, too.
        protocol: metrics, convention, resize, blur; the defaults are the field's.

    Raises:
        EmomapError: nothing to score, or images missing on either side.
        UsageError: a wrong option.
    """
    paired = pair_folders(
        predictions,
        truth,
        allow_missing=allow_missing,
        kind=truth_kind,
        points=points,
        marks_threshold=marks_threshold,
        pred_suffix=pred_suffix,
    )
    if videos:  # before hours of scoring
        for item in paired.items:
            video_of(item.id)
    protocol, omitted = serving(protocol or Protocol(), paired)
    with nonfixations_of(paired.items, protocol) as nonfixations:
        work = partial(score_altered, protocol=protocol, nonfixations=nonfixations)
        results = parallel.ordered(work, paired.items, jobs=jobs, chunk=8)
        found = list(track(results, total=len(paired.items), label="audit", show=show))
    failed = [one.problem for one in found if one.problem]
    if len(failed) == len(found):
        raise EmomapError(f"no map could be scored; the first problem: {failed[0]}")
    altered = [one for one in found if not one.problem]
    nothing = [one.id for one in altered if not (one.given or any(one.after.values()))]
    if len(nothing) == len(altered):
        first = next(iter(altered[0].lacking.values()), "no metric applies")
        raise EmomapError(f"no map has a value: {listed(nothing, 3)}: {first}")
    remarks = [*paired.remarks, *(remark for one in found for remark in one.remarks)]
    return Audit(altered, protocol, omitted, failed, remarks, videos)


def _signed(value: float) -> str:
    """A change with its sign: "+0.012"; "0" for none at all, "0.000" for less than is shown."""
    if value == 0:
        return "0"
    shown = f"{value:+.3f}"
    return shown if float(shown) else "0.000"


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
