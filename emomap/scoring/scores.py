"""`score`: a folder of anybody's maps against gaze, as an object that prints and saves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emomap import metrics
from emomap.scoring.per_image import PerImage
from emomap.scoring.protocol import Protocol
from emomap.scoring.signature import explain as explain_signature
from emomap.tables import Table, html, number, with_interval


@dataclass(frozen=True, repr=False)
class Scores:
    """Values of each image and metric, with what was left out and why.

    Attributes:
        values: image -> metric -> value, in the order of the images.
        protocol: how they were computed.
        omitted: metric -> why it could not be computed from this ground truth.
        failed: one line for each map that could not be scored.
        remarks: what the user should know (how the ground truth was read, constant maps, ...).
        blank: how many maps were all zero: scored as no information, but surely not meant so.
        seed: of the bootstrap.
        method, dataset: the names of the two folders.
    """

    values: Mapping[str, Mapping[str, float]]
    protocol: Protocol
    omitted: Mapping[str, str]
    failed: Sequence[str] = ()
    remarks: Sequence[str] = ()
    blank: int = 0
    seed: int = 0
    method: str = ""
    dataset: str = ""

    @property
    def n_images(self) -> int:
        """How many maps were scored."""
        return len(self.values)

    def column(self, metric: str) -> list[float]:
        """The values of one metric, in the order of the images."""
        return [row[metric] for row in self.values.values()]

    def summary(self) -> dict[str, dict[str, float]]:
        """metric -> mean, low, high (95% bootstrap interval over images), n."""
        return {name: interval(self.column(name), self.seed) for name in self.protocol.metrics}

    def signatures(self) -> dict[str, str]:
        """metric -> every choice behind its mean and interval."""
        return {n: self.protocol.signature(n, seed=self.seed) for n in self.protocol.metrics}

    @property
    def signature(self) -> str:
        """Every choice behind the means and intervals of all metrics, in one short string."""
        return self.protocol.signature(seed=self.seed)

    def to_dict(self) -> dict[str, Any]:
        """What ``--format json`` prints."""
        return {
            "n_images": self.n_images,
            "signature": self.signature,
            "metrics": self.summary(),
            "signatures": self.signatures(),
            "omitted": dict(self.omitted),
            "failed": list(self.failed),
            "remarks": list(self.remarks),
        }

    def table(self) -> Table:
        """One row a metric: mean and interval, and which direction is better."""
        summary = self.summary()
        rows = metric_rows(summary)
        notes = [f"signature: {self.signature}"]
        notes += [f"left out: {name} ({reason})" for name, reason in self.omitted.items()]
        if self.failed:
            notes.append(f"not scored: {len(self.failed)} of {self.n_images + len(self.failed)}")
        title = f"{self.n_images} images, mean with 95% bootstrap interval"
        return Table(("metric", "mean", "low", "high", "n"), rows, title, notes)

    def per_image(self) -> PerImage:
        """The values of each image, to be written by `emomap.scoring.per_image.write`."""
        return PerImage(self.values, self.protocol.signature(), self.method, self.dataset)

    def explain(self) -> list[str]:
        """The signature in words, a line a metric and one for all."""
        return explain_signature(self.signature)

    def render(self, form: str, *, explain: bool = False) -> str:
        """The table as text.

        Args:
            form: "table", "json", "csv", "md" or "latex".
            explain: with the signature in words.
        """
        words = self.explain() if explain else []
        if form == "json":
            whole = self.to_dict() | ({"explanation": words} if explain else {})
            return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
        if form == "csv":
            return signed_csv(self.summary(), self.signatures(), explain=explain)
        table = self.table()
        table = replace(table, notes=[*table.notes, *words])
        if form == "latex":
            rows = [
                [row[0], with_interval(s["mean"], s["low"], s["high"], 4), row[4]]
                for row, s in zip(table.rows, self.summary().values(), strict=True)
            ]
            table = replace(table, header=("metric", "mean [95% interval]", "n"), rows=rows)
        return table.render(form)

    def to_latex(self) -> str:
        """A booktabs table."""
        return self.render("latex")

    def to_pandas(self) -> Any:
        """A data frame with one row an image (needs pandas); ``attrs`` holds the signature."""
        import pandas

        frame = pandas.DataFrame(list(self.values.values()), index=list(self.values))
        frame.index.name = "image"
        frame.attrs["signature"] = self.protocol.signature()
        return frame

    def __repr__(self) -> str:
        """The table: what one wants to see in a session, however many images there are."""
        return self.render("table").rstrip()

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return html(self.table())


def signed_csv(
    summary: Mapping[str, Mapping[str, Any]], signed: Mapping[str, str], *, explain: bool = False
) -> str:
    """A summary as CSV for programs: full precision, each metric with its signature."""
    header = ["metric", "mean", "low", "high", "n", "signature", *["explanation"] * explain]
    rows = [
        [
            row[0],
            *[repr(summary[name][key]) for key in ("mean", "low", "high", "n")],
            signed[name],
            *["; ".join(explain_signature(signed[name]))] * explain,
        ]
        for row, name in zip(metric_rows(summary), summary, strict=True)
    ]
    return Table(header, rows).render("csv")


def metric_rows(summary: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """A row for each metric of a summary: name with direction, mean, ends of the interval, n."""
    return [
        [
            f"{metrics.CATALOGUE[name].long_name} {arrow(name)}",
            *[number(entry[key], 4) for key in ("mean", "low", "high")],
            str(entry["n"]),
        ]
        for name, entry in summary.items()
    ]


def interval(values: Sequence[float], seed: int) -> dict[str, Any]:
    """Mean with its 95% bootstrap interval over images, as the summaries hold it."""
    found = metrics.statistics.mean_interval(values, seed=seed)
    return {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}


def arrow(metric: str) -> str:
    """↑ where larger is better, ↓ where smaller is."""
    return "↑" if metrics.CATALOGUE[metric].higher_is_better else "↓"
