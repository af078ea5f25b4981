"""`Summary`: means over images with intervals and signatures, as a table or for programs.

`emomap score` and `emomap merge` print through `Summary`. Every table takes the label of a metric
from here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emomap.scoring.incomplete import incomplete
from emomap.scoring.intervals import METHOD, interval, named
from emomap.scoring.measures import measure
from emomap.scoring.per_image import PerImage
from emomap.scoring.signature import explain as explain_signature
from emomap.scoring.signature import of_means
from emomap.scoring.videos import per_video
from emomap.tables import Table, number, with_interval


@dataclass(frozen=True)
class Summary:
    """The mean of each metric over images, with its interval and signature.

    Attributes:
        means: metric -> mean, low, high (95% interval over images), n; None for a metric that no
            image has.
        signatures: metric -> every choice behind its mean and interval; "" if unknown.
        signature: the same for all metrics in one string; "" if a file keeps them apart.
        n_images: number of images, or of videos.
        unit: what they are, in the plural.
        notes: lines below the table, after the signature.
        more: further keys of the JSON.
        method: of the intervals, a key of `emomap.scoring.intervals.NAMES`.
    """

    means: Mapping[str, Mapping[str, Any]]
    signatures: Mapping[str, str]
    signature: str
    n_images: int
    notes: Sequence[str] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    unit: str = "images"
    method: str = METHOD

    @classmethod
    def of(cls, values: PerImage, seed: int = 0, *, videos: bool = False) -> Summary:
        """Summarise the values of images, or of videos whose frames the images are.

        Args:
            values: of the images.
            seed: kept from 0.1, whose intervals were drawn.
            videos: average over the frames of each video first, see `emomap.scoring.videos`.

        Raises:
            EmomapError: an image is no frame of a video.
        """
        if videos:
            means = per_video(values)
            summed = cls.of(means, seed)
            more = {"n_frames": len(values.values), "videos": means.values}
            return replace(summed, unit="videos", more=more)
        gaps = incomplete(values.gaps(), len(values.values), values.metrics)
        return cls(
            {metric: interval(values.column(metric), seed) for metric in values.metrics},
            {metric: of_means(values.signed(metric)) for metric in values.metrics},
            of_means(values.signature),
            len(values.values),
            gaps,
        )

    def to_dict(self) -> dict[str, Any]:
        """What ``--format json`` prints."""
        return {
            f"n_{self.unit}": self.n_images,
            "signature": self.signature,
            "metrics": self.means,
            "signatures": self.signatures,
            **self.more,
        }

    def table(self) -> Table:
        """A row for each metric: name with direction, mean, ends of the interval, n.

        A single image has a value and no interval.
        """
        rows = [
            [
                label(metric),
                *[_shown(entry[key]) for key in ("mean", "low", "high")],
                str(entry["n"]),
            ]
            for metric, entry in self.means.items()
        ]
        signed = [self.signature] if self.signature else self.signatures.values()
        signature = "; ".join(dict.fromkeys(one for one in signed if one))
        if self.n_images == 1:
            rows = [row[:2] for row in rows]
            return Table(("metric", "value"), rows, f"1 {self.unit[:-1]}", self.notes, signature)
        title = f"{self.n_images} {self.unit}, mean with {named(self.method, self.means.values())}"
        return Table(("metric", "mean", "low", "high", "n"), rows, title, self.notes, signature)

    def narrow_table(self) -> Table:
        """The table with mean and interval in one cell, for the narrow columns of a paper."""
        if self.n_images == 1:
            return self.table()
        rows = [
            [
                label(metric),
                with_interval(e["mean"], e["low"], e["high"], 4) if e["n"] else "-",
                str(e["n"]),
            ]
            for metric, e in self.means.items()
        ]
        return replace(self.table(), header=("metric", "mean [95% interval]", "n"), rows=rows)

    def csv(self, *, explain: bool = False) -> str:
        """For programs: full precision, each metric with its own signature."""
        header = ["metric", "mean", "low", "high", "n", "signature", *["explanation"] * explain]
        rows = [
            [
                metric,
                *[
                    "" if entry[key] is None else repr(entry[key])
                    for key in ("mean", "low", "high", "n")
                ],
                self.signatures[metric],
                *["; ".join(explain_signature(self.signatures[metric]))] * explain,
            ]
            for metric, entry in self.means.items()
        ]
        return Table(header, rows).render("csv")

    def render(self, form: str, *, explain: bool = False, narrow: bool = False) -> str:
        """The summary as text.

        Args:
            form: "table", "json", "csv", "md" or "latex".
            explain: add the signature in words.
            narrow: mean and interval share a cell (json and csv always keep them apart).
        """
        words = explain_signature(self.signature) if explain else []
        if form == "json":
            whole = self.to_dict() | ({"explanation": words} if explain else {})
            return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
        if form == "csv":
            return self.csv(explain=explain)
        table = self.narrow_table() if narrow else self.table()
        full = [f"in full: {table.signature}"] if words and form == "table" else []
        return replace(table, notes=[*full, *table.notes, *words]).render(form)


def all_metrics(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    """The metrics that any of some tables has, in the order of the one with the most."""
    longest: Mapping[str, Any] = max(tables, key=len, default={})
    return list(dict.fromkeys([*longest, *(metric for table in tables for metric in table)]))


def _shown(value: float | None) -> str:
    return "-" if value is None else number(value, 4)


def label(metric: str) -> str:
    """A metric's name and the direction that is better, for tables: "KL ↓"."""
    entry = measure(metric)
    return f"{entry.long_name} {'↑' if entry.higher_is_better else '↓'}"
