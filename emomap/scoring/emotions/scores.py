"""`EmotionScores`: what predictions are worth, with intervals, per class, and for programs.

The one place where all measures of predictions against labels are computed: `emomap score` on
tables and the tables of a run both come here, with a `Judged`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import metrics
from emomap.errors import EmomapError
from emomap.scoring.emotions.columns import (
    OF_LABELS,
    SHARES,
    facts_of,
    interval_kind,
    mean_of,
    needed,
    of_facts,
)
from emomap.scoring.emotions.judged import Judged
from emomap.scoring.emotions.protocol import DISTANCES, EmotionProtocol
from emomap.scoring.incomplete import incomplete
from emomap.scoring.measures import SCALES
from emomap.scoring.per_image import PerImage
from emomap.scoring.signature import of_means
from emomap.scoring.summary import Summary
from emomap.tables import Table, html, load_pandas, number, with_interval

#: Why a picture lacks the KL divergence.
INFINITE = "give 0 to an emotion that people named, so KL is infinite (--convention ecc bounds it)"


@dataclass(frozen=True, repr=False)
class EmotionScores:
    """Measures of predicted emotions, with what was left out and why.

    Attributes:
        judged: predictions beside labels.
        protocol: how they are scored.
        values: image -> measure -> value, of the measures that a picture has by itself; every
            picture has the same measures, None where one does not apply.
        sets: measures that only the whole set has.
        omitted: measure -> why it could not be computed.
        lacking: image -> measure -> why it has no value.
        seed: of the bootstrap.
        method, dataset: names of the two sides.
    """

    judged: Judged
    protocol: EmotionProtocol
    values: Mapping[str, Mapping[str, float | None]]
    sets: Sequence[str]
    omitted: Mapping[str, str]
    lacking: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seed: int = 0
    method: str = ""
    dataset: str = ""
    failed: Sequence[str] = ()
    blank: int = 0

    @property
    def n_images(self) -> int:
        """Number of pictures."""
        return len(self.judged.images)

    @property
    def remarks(self) -> Sequence[str]:
        """What the user should know."""
        return self.judged.remarks

    @property
    def names(self) -> list[str]:
        """The measures, in the order of the table."""
        own = next(iter(self.values.values()), {})
        return [name for name in self.protocol.chosen() if name in own or name in self.sets]

    @property
    def incomplete(self) -> list[str]:
        """A line for each reason why some pictures lack a measure."""
        return [
            line.replace(" maps ", " predictions ")
            for line in incomplete(self.lacking, self.n_images, self.names)
        ]

    def summary(self) -> dict[str, dict[str, Any]]:
        """measure -> value, low, high (95% interval over images), n.

        The value is called ``mean``, as that of a map is; of a measure of the whole set it is that
        of the set.
        """
        return {name: dict(entry) for name, entry in self._means.items()}

    @cached_property
    def _means(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        own = next(iter(self.values.values()), {})
        groups: dict[tuple[str, ...], list[str]] = {}
        for name in self.sets:
            groups.setdefault(needed(name), []).append(name)
        for columns, names in groups.items():
            found |= self._of_set(columns, names)
        for name in own:
            column = [v for line in self.values.values() if (v := line[name]) is not None]
            found[name] = mean_of(name, column)
        return {name: found[name] for name in self.names}

    def _of_set(self, columns: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
        images = _having(self._facts, columns)
        part = of_facts(self._facts, images, columns, self.protocol.used)
        found = metrics.statistics.set_intervals(
            lambda at: part.measured(part.at(at), names), part.n, seed=self.seed
        )
        return {
            name: {"mean": one.mean, "low": one.low, "high": one.high, "n": one.n}
            for name, one in found.items()
        }

    @cached_property
    def _facts(self) -> dict[str, dict[str, str | float | None]]:
        return facts_of(self.judged)

    def per_class(self) -> dict[str, dict[str, Any]]:
        """emotion -> recall with its interval, precision, F1, n (true), predicted (times).

        Empty where no measure of labels is asked for.

        Recall is None where nobody gave the label, precision where it was never predicted.
        """
        counts = self._counts
        if counts is None or not set(self.names) & {*OF_LABELS, *SHARES, "ecc"}:
            return {}
        found = {}
        for place, name in enumerate(self.judged.classes):
            true, said = int(counts[place].sum()), int(counts[:, place].sum())
            if not (true or said):
                continue
            right = int(counts[place, place])
            recall = mean_of("accuracy", [1.0] * right + [0.0] * (true - right))
            found[name] = {
                "recall": recall["mean"],
                "low": recall["low"],
                "high": recall["high"],
                "precision": right / said if said else None,
                "f1": 2 * right / (true + said),
                "n": true,
                "predicted": said,
            }
        return found

    @cached_property
    def _counts(self) -> NDArray[np.int64] | None:
        """(C, C) how often each emotion (row) was predicted as each; None without labels."""
        at = self.judged.decided
        if self.judged.label is None or self.judged.predicted is None or not at.size:
            return None
        found = metrics.emotion.confusion_matrix(
            self.judged.predicted[at], self.judged.label[at], classes=self.judged.classes
        )
        return np.asarray(found, dtype=np.int64)

    def confusion(self) -> dict[str, Any]:
        """``classes``, and ``counts`` with a row for each true emotion; {} without labels."""
        if self._counts is None or not self.per_class():
            return {}
        shown = list(self.per_class())
        at = [self.judged.classes.index(name) for name in shown]
        return {"classes": shown, "counts": self._counts[np.ix_(at, at)].tolist()}

    def reliability(self) -> list[dict[str, float]]:
        """The bins of confidence that have pictures: low, high, confidence, accuracy, n.

        Empty without probabilities.
        """
        if "expected_calibration_error" not in self.sets:
            return []
        columns = needed("expected_calibration_error")
        part = of_facts(self._facts, _having(self._facts, columns), columns, None)
        right = (part.values["predicted"] == part.values["label"]).astype(np.float64)
        curve = metrics.emotion.calibration.reliability(part.values["confidence"], right)
        keys = ("low", "high", "confidence", "accuracy", "n")
        lists = [column.tolist() for column in curve]
        return [dict(zip(keys, line, strict=True)) for line in zip(*lists, strict=True)]

    # ------------------------------------------------------------------------------ as `Scores`

    def column(self, metric: str) -> list[float]:
        """The values of one measure, in the order of the images that have one."""
        return self.per_image().column(metric)

    def per_image(self) -> PerImage:
        """The values of each image, for `emomap.scoring.per_image.write`."""
        return PerImage(
            self.values,
            self.protocol.signature(self.names),
            self.method,
            self.dataset,
            {name: self.protocol.signature([name]) for name in self.names},
            self.lacking,
            self._facts,
        )

    def per_unit(self) -> PerImage:
        """The same, as `Scores` has it."""
        return self.per_image()

    @property
    def signature(self) -> str:
        """Every choice behind the values and intervals of all measures, in one string."""
        seed = self.seed if self.sets else None
        return of_means(self.protocol.signature(self.names), seed, "by-measure")

    def signatures(self) -> dict[str, str]:
        """measure -> every choice behind its value and interval."""
        return {
            name: of_means(
                self.protocol.signature([name]),
                self.seed if name in self.sets else None,
                interval_kind(name),
            )
            for name in self.names
        }

    def to_dict(self) -> dict[str, Any]:
        """What ``--format json`` prints."""
        return self._summed().to_dict()

    def table(self) -> Table:
        """A row for each measure: value and interval, and which direction is better."""
        return self._summed().table()

    def class_table(self) -> Table | None:
        """A row for each emotion; None without labels."""
        if not (found := self.per_class()):
            return None
        rows = [
            [
                name,
                "-" if e["recall"] is None else with_interval(e["recall"], e["low"], e["high"]),
                "-" if e["precision"] is None else number(e["precision"]),
                number(e["f1"]),
                str(e["n"]),
                str(e["predicted"]),
            ]
            for name, e in found.items()
        ]  # fmt: skip
        header = ("emotion", "recall [95% interval]", "precision", "F1", "n", "predicted")
        return Table(
            header, rows, "per emotion; intervals are Wilson's; n: pictures with this label"
        )

    def render(self, form: str, *, explain: bool = False) -> str:
        """The tables as text.

        Args:
            form: "table", "json", "csv" (a line for each measure, then the recall of each emotion
                as ``recall_EMOTION``), "md" or "latex".
            explain: add the signature in words.
        """
        text = self._summed().render(form, explain=explain, narrow=form == "latex")
        if form == "json":
            return text
        if form == "csv":
            gap = [""] * explain
            rows = [
                [f"recall_{name}", *("" if e[k] is None else repr(e[k])
                                     for k in ("recall", "low", "high")), repr(e["n"]), "", *gap]
                for name, e in self.per_class().items()
            ]  # fmt: skip
            return text + Table([""], rows).render("csv").partition("\n")[2]
        classes = self.class_table()
        return text if classes is None else f"{text}\n{classes.render(form)}"

    def to_latex(self) -> str:
        """booktabs tables."""
        return self.render("latex")

    def to_pandas(self) -> Any:
        """A data frame with a row for each image (needs pandas); ``attrs`` has the signature."""
        lines = [{**self._facts[image], **line} for image, line in self.values.items()]
        frame = load_pandas().DataFrame(lines, index=list(self.values))
        frame.index.name = "image"
        frame.attrs["signature"] = self.protocol.signature(self.names)
        return frame

    def __repr__(self) -> str:
        """The tables, so that a session shows the result and not thousands of values."""
        return self.render("table").rstrip()

    def _repr_html_(self) -> str:
        """For Jupyter."""
        classes = self.class_table()
        return html(self.table()) + (html(classes) if classes else "")

    def _summed(self) -> Summary:
        left = [f"left out: {name} ({reason})" for name, reason in self.omitted.items()]
        more = {
            "per_class": self.per_class(),
            "confusion": self.confusion(),
            "reliability": self.reliability(),
            "omitted": dict(self.omitted),
            "incomplete": self.incomplete,
            "failed": list(self.failed),
            "remarks": list(self.remarks),
        }
        return Summary(
            self._means,
            self.signatures(),
            self.signature,
            self.n_images,
            [*left, *self.incomplete],
            more,
            method="by-measure",
        )


def score_judged(
    judged: Judged,
    protocol: EmotionProtocol | None = None,
    *,
    seed: int = 0,
    method: str = "",
    dataset: str = "",
) -> EmotionScores:
    """All measures of predictions beside labels.

    Args:
        judged: from `emomap.scoring.emotions.judged.judge`.
        protocol: which measures, under which convention.
        seed: of the bootstrap.
        method, dataset: names of the two sides.

    Raises:
        EmomapError: none of the measures can be computed.
    """
    protocol = protocol or EmotionProtocol()
    why = _reasons(judged, protocol)
    asked = protocol.chosen()
    # what the tables do not have is said only of measures that somebody named
    omitted = {
        name: reason for name in asked if (reason := why.get(name)) and (protocol.metrics or
        not reason.startswith("needs"))
    }  # fmt: skip
    kept = [name for name in asked if name not in why]
    if not kept:
        reasons = "; ".join(f"{name} {why[name]}" for name in asked)
        raise EmomapError(f"none of the measures can be computed from these tables: {reasons}")
    sets = [name for name in kept if needed(name)]
    own = [name for name in kept if name not in sets]
    columns = {name: _per_picture(judged, name, protocol) for name in own}
    lacking: dict[str, dict[str, str]] = {}
    for name, column in columns.items():
        for at in np.flatnonzero(np.isinf(column)).tolist():
            lacking.setdefault(judged.images[at], {})[name] = INFINITE
    values = {
        image: {name: float(c[at]) if np.isfinite(c[at]) else None for name, c in columns.items()}
        for at, image in enumerate(judged.images)
    }
    return EmotionScores(judged, protocol, values, sets, omitted, lacking, seed, method, dataset)


def _codes(codes: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Codes of a table that has labels."""
    assert codes is not None
    return codes


def _having(facts: Mapping[str, Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """The pictures that have all of some columns."""
    return [i for i, line in facts.items() if all(line.get(c) is not None for c in columns)]


def _reasons(judged: Judged, protocol: EmotionProtocol) -> dict[str, str]:
    """measure -> why it cannot be computed."""
    found: dict[str, str] = {}
    decided = judged.decided
    of_labels = ("accuracy", "balanced_accuracy", "f1", "cohen_kappa", "polarity_accuracy", "ecc",
                 "emc")  # fmt: skip
    if not decided.size:
        found |= dict.fromkeys(of_labels, "needs labels on both sides")
    chances, shares = judged.chances, judged.shares
    sure = None if chances is None else np.isfinite(chances).all(axis=1)
    if sure is None or not np.take(sure, decided).any():
        for name in ("top_k_accuracy", "expected_calibration_error"):
            found[name] = "needs labels, and predicted probabilities"
    elif len(judged.classes) <= 3:
        found["top_k_accuracy"] = f"of {len(judged.classes)} emotions, every one is among three"
    some = None if shares is None else ~np.isnan(shares).any(axis=1)
    if sure is None or some is None or not (sure & some).any():
        found |= dict.fromkeys(DISTANCES, "needs distributions on both sides")
    for scale in SCALES:
        pair = judged.scales.get(scale)
        if pair is None or np.isnan(pair[0] + pair[1]).all():
            for name in ("ccc", "pearson", "rmse", "mae"):
                found[f"{scale}_{name}"] = f"needs {scale} on both sides"
    if decided.size:
        found |= _undefined(judged, protocol)
    return found


def _undefined(judged: Judged, protocol: EmotionProtocol) -> dict[str, str]:
    """Measures of labels without a value on these pictures."""
    found: dict[str, str] = {}
    at = judged.decided
    label, predicted = (_codes(c)[at] for c in (judged.label, judged.predicted))
    occurring = sorted({judged.classes[i] for i in {*label.tolist(), *predicted.tolist()}})
    wheel = protocol.used
    if odd := wheel.missing(occurring):
        words = f"'{odd[0]}' is not on the wheel {wheel.name}; --wheel FILE reads another"
        found |= dict.fromkeys(("polarity_accuracy", "ecc", "emc"), words)
    elif not wheel.circle:
        words = f"the wheel {wheel.name} has polarities and no circle"
        found |= dict.fromkeys(("ecc", "emc"), words)
    if (label == predicted).all():
        found.setdefault("emc", "nothing is wrong")
    if len(occurring) == 1:
        found["cohen_kappa"] = "both sides have one emotion throughout"
    return found


def _per_picture(judged: Judged, name: str, protocol: EmotionProtocol) -> NDArray[np.float64]:
    """(N,) the values of one measure; NaN where a picture does not have what it needs."""
    found = np.full(len(judged.images), np.nan)
    scale, _, own = name.partition("_")
    if scale in SCALES and own == "mae":
        ours, theirs = judged.scales[scale]
        return np.asarray(np.abs(ours - theirs), dtype=np.float64)
    entry = metrics.emotion.CATALOGUE[name]
    if name in DISTANCES:
        assert judged.chances is not None
        assert judged.shares is not None
        some = ~np.isnan(judged.chances + judged.shares).any(axis=1)
        found[some] = entry.function(
            judged.chances[some], judged.shares[some], convention=protocol.convention
        )
        return found
    at = judged.decided
    label, predicted = (_codes(c)[at] for c in (judged.label, judged.predicted))
    if name == "top_k_accuracy":
        assert judged.chances is not None
        sure = ~np.isnan(judged.chances[at]).any(axis=1)
        chances = judged.chances[at][sure][:, None]
        found[at[sure]] = entry.function(chances, label[sure][:, None])
        return found
    if name == "accuracy":
        found[at] = label == predicted
        return found
    places, where = np.unique(np.concatenate([label, predicted]), return_inverse=True)
    names = [judged.classes[i] for i in places]
    codes = where.reshape(2, -1, 1)
    found[at] = entry.function(codes[1], codes[0], classes=names, wheel=protocol.used)
    return found
