"""What `score` returns: the values of each image, as an object that prints and saves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emomap.scoring.incomplete import incomplete
from emomap.scoring.per_image import PerImage
from emomap.scoring.protocol import Protocol
from emomap.scoring.signature import explain as explain_signature
from emomap.scoring.signature import of_means
from emomap.scoring.summary import Summary
from emomap.scoring.videos import over_frames, per_video
from emomap.tables import Table, html, load_pandas


@dataclass(frozen=True, repr=False)
class Scores:
    """Values of each image and metric, with what was left out and why.

    Attributes:
        values: image -> metric -> value, in the order of the images; None where the metric does
            not apply to the map.
        protocol: how they were computed.
        omitted: metric -> why it could not be computed from this ground truth.
        failed: one line for each map that could not be scored.
        remarks: what the user should know (how the ground truth was read, empty maps, ...).
        blank: number of maps that are zero everywhere. They were scored as no information, but
            something probably went wrong when they were made.
        seed: kept from 0.1, whose intervals were drawn.
        method, dataset: the names of the two folders.
        lacking: image -> metric -> why it has no value.
        videos: the images are frames of videos, VIDEO/FRAME: means, intervals and signatures are of
            means over the frames of each video.
    """

    values: Mapping[str, Mapping[str, float | None]]
    protocol: Protocol
    omitted: Mapping[str, str]
    failed: Sequence[str] = ()
    remarks: Sequence[str] = ()
    blank: int = 0
    seed: int = 0
    method: str = ""
    dataset: str = ""
    lacking: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    videos: bool = False

    @property
    def n_images(self) -> int:
        """Number of maps that were scored."""
        return len(self.values)

    @property
    def incomplete(self) -> list[str]:
        """A line for each reason why some maps lack some metrics."""
        return incomplete(self.lacking, self.n_images, self.protocol.metrics)

    def column(self, metric: str) -> list[float]:
        """The values of one metric, in the order of the images that have one."""
        return self.per_image().column(metric)

    def per_unit(self) -> PerImage:
        """The values that are averaged: those of each image, or the means of each video."""
        return per_video(self.per_image()) if self.videos else self.per_image()

    def per_image(self) -> PerImage:
        """The values of each image, for `emomap.scoring.per_image.write`."""
        signature = self.protocol.signature()
        return PerImage(self.values, signature, self.method, self.dataset, lacking=self.lacking)

    def summary(self) -> dict[str, dict[str, Any]]:
        """metric -> mean, low, high (95% interval over images), n.

        The first three are None for a metric that applies to no map, low and high for one image.
        """
        return {metric: dict(entry) for metric, entry in self._summed().means.items()}

    def signatures(self) -> dict[str, str]:
        """metric -> every choice behind its mean and interval."""
        return {name: self._signed(name) for name in self.protocol.metrics}

    @property
    def signature(self) -> str:
        """Every choice behind the means and intervals of all metrics, in one string."""
        return self._signed()

    def _signed(self, *names: str) -> str:
        """The signature of the means of some metrics, or of all."""
        signed = self.protocol.signature(*names)
        return of_means(over_frames(signed) if self.videos else signed)

    def to_dict(self) -> dict[str, Any]:
        """What ``--format json`` prints."""
        return self._summed().to_dict()

    def table(self) -> Table:
        """A row for each metric: mean and interval, and which direction is better."""
        return self._summed().table()

    def render(self, form: str, *, explain: bool = False) -> str:
        """The table as text.

        Args:
            form: "table", "json", "csv", "md" or "latex".
            explain: add the signature in words.
        """
        return self._summed().render(form, explain=explain, narrow=form == "latex")

    def explain(self) -> list[str]:
        """The signature in words: a line for each metric, and one for what all share."""
        return explain_signature(self.signature)

    def to_latex(self) -> str:
        """A booktabs table."""
        return self.render("latex")

    def to_pandas(self) -> Any:
        """A data frame with a row for each image (needs pandas); ``attrs`` has the signature."""
        pandas = load_pandas()
        frame = pandas.DataFrame(list(self.values.values()), index=list(self.values))
        frame.index.name = "image"
        frame.attrs["signature"] = self.protocol.signature()
        return frame

    def __repr__(self) -> str:
        """The table, so that a session shows the result and not thousands of values."""
        return self.render("table").rstrip()

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return html(self.table())

    def _summed(self) -> Summary:
        """The means, with what was left out as notes and in the JSON."""
        notes = [f"left out: {name} ({reason})" for name, reason in self.omitted.items()]
        if self.failed:
            notes.append(f"not scored: {len(self.failed)} of {self.n_images + len(self.failed)}")
        summed = Summary.of(self.per_image(), self.seed, videos=self.videos)
        more = {
            **summed.more,
            "omitted": dict(self.omitted),
            "incomplete": list(summed.notes),
            "failed": list(self.failed),
            "remarks": list(self.remarks),
        }
        return replace(summed, notes=[*notes, *summed.notes], more=more)
