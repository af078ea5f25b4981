"""`Comparison`: the result of comparing methods, as tables, records and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from emomap.analysis import ranking
from emomap.analysis.pairs import Pair, effect_size, probability
from emomap.method import title
from emomap.scoring.intervals import METHOD, named
from emomap.scoring.measures import Facts, measure
from emomap.scoring.signature import explain, joint
from emomap.scoring.summary import label
from emomap.tables import Table, html, load_pandas, number, shortened, with_interval

#: Letters of a name within a sentence of a table, whose first columns have it in full.
BRIEF = 20


@dataclass(frozen=True)
class ComparedMethod:
    """One method: its values (metric -> image -> value) and the file or folder they come from.

    Of predicted emotions also ``facts``: image -> column -> what measures of the whole set need.
    """

    name: str
    source: Path
    values: Mapping[str, Mapping[str, float]]
    signatures: Mapping[str, str]
    is_prior: bool = False
    facts: Mapping[str, Facts] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` found.

    Attributes:
        pairs: in the order of the metrics, then of the methods.
        means: method -> metric -> mean, low, high, n.
        ranks: method -> mean rank over the metrics, best first.
        share: metric -> method -> share of the gap between centre prior and human agreement.
        signatures: metric -> signature with the seed of this comparison; "" if no file says.
        n_images: number of images, or videos, on which the methods were compared.
        unit: what they are, in the plural.
        notes: what a reader must know.
    """

    pairs: Sequence[Pair]
    means: Mapping[str, Mapping[str, Mapping[str, Any]]]
    ranks: Mapping[str, float]
    share: Mapping[str, Mapping[str, float]]
    signatures: Mapping[str, str]
    n_images: int
    notes: Sequence[str] = field(default_factory=tuple)
    unit: str = "images"

    @property
    def metrics(self) -> list[str]:
        """The metrics that were compared."""
        return list(self.signatures)

    def rank_table(self) -> Table:
        """Means, each with the rank on its metric in parentheses; best mean rank first."""
        shared = {name: column for name, column in self.share.items() if column}
        header = ["method", "mean rank"]
        header += [f"{label(m)} (rank)" for m in self.metrics]
        header += [f"{measure(m).long_name} share" for m in shared]
        names = [*(name for name in self.means if name not in self.ranks), *self.ranks]
        places = {m: ranking.places(self.means, m) for m in self.metrics}
        rows = []
        for name in names:
            rank = self.ranks.get(name)
            row = [title(name), "" if rank is None else number(rank, 2)]
            for metric in self.metrics:
                cell = self.means[name].get(metric)
                place = places[metric].get(name)
                mean = number(cell["mean"], 4) if cell else "-"
                row.append(mean if place is None else f"{mean} ({place:g})")
            row += [f"{100 * s[name]:.0f}%" if name in s else "" for s in shared.values()]
            rows.append(row)
        best = [
            (names.index(name), 2 + at)
            for at, metric in enumerate(self.metrics)
            for name in ranking.best(self.means, metric)
        ]
        notes = ["share: of the gap between centre prior and human agreement"]
        images = f"{self.n_images} {self.unit if self.n_images != 1 else self.unit[:-1]}"
        signature = self.signature if self.n_images == 1 else ""  # else below the pairs
        found = notes if shared else []
        return Table(header, rows, f"{images}; rank 1 is best", found, signature, best=best)

    def pair_table(self) -> Table:
        """A row for each pair and metric."""
        header = ("metric", "pair", "difference", "p (Holm)", "verdict", "d_z", "win/tie/loss")
        rows = [
            [
                label(pair.metric),
                f"{title(pair.first)} - {title(pair.second)}",
                with_interval(pair.difference, pair.low, pair.high, 4),
                probability(pair.p_holm),
                replace(pair, first=_brief(pair.first), second=_brief(pair.second)).verdict,
                "-" if pair.effect is None else effect_size(pair.effect),
                "-" if pair.wins is None else f"{pair.wins}/{pair.ties}/{pair.losses}",
            ]
            for pair in self.pairs
        ]
        of_sets = any(pair.wins is None for pair in self.pairs)
        method = "of-differences" if of_sets else METHOD
        heading = (
            f"Mean difference with {named(method, map(vars, self.pairs))}; paired permutation "
            "test, two-sided, Holm over the pairs of a metric; win/tie/loss: "
            f"{self.unit} on which the first is better"
        )
        return Table(header, rows, heading, self.notes, self.signature, keys=2)

    @property
    def signature(self) -> str:
        """Every choice behind the values of all metrics, in one string; "" if no file says."""
        return joint({name: signed for name, signed in self.signatures.items() if signed})

    def records(self) -> list[dict[str, Any]]:
        """The pairs as dictionaries, in full precision."""
        return [
            {**vars(pair), "verdict": pair.verdict, "signature": self.signatures[pair.metric]}
            for pair in self.pairs
        ]

    def to_dict(self) -> dict[str, Any]:
        """What ``--format json`` prints."""
        return {
            f"n_{self.unit}": self.n_images,
            "signatures": dict(self.signatures),
            "directions": {m: measure(m).direction for m in self.metrics},
            "means": self.means,
            "ranks": dict(self.ranks),
            "ceiling_share": dict(self.share),
            "pairs": [
                {key: _finite(value) for key, value in record.items()} for record in self.records()
            ],
            "notes": list(self.notes),
        }

    def render(self, form: str, *, in_words: bool = False) -> str:
        """The comparison as "table", "md", "latex", "json", or "csv" (the pairs, all digits).

        Args:
            form: one of these.
            in_words: for people, add the signature in full and in words.
        """
        if form == "json":
            return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        if form == "csv":
            records = self.records()
            cells = [[_cell(value) for value in record.values()] for record in records]
            return Table(list(records[0]), cells).render("csv")
        tables = [self.rank_table(), *[self.pair_table()] * (self.n_images > 1)]
        shown = "\n".join(table.render(form) for table in tables)
        words = explain(self.signature) if in_words and self.signature else []
        return "\n".join([shown, self.signature, *words, ""]) if words else shown

    def to_pandas(self) -> Any:
        """The pairs as a data frame (needs pandas)."""
        return load_pandas().DataFrame(self.records())

    def to_latex(self) -> str:
        """Both tables with booktabs."""
        return self.render("latex")

    def __repr__(self) -> str:
        """The tables, for a session."""
        return self.render("table").rstrip()

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return html(self.rank_table()) + html(self.pair_table())


def _finite(value: Any) -> Any:
    """A value as JSON has it, which knows no d_z that is infinite or not a number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cell(value: Any) -> str:
    """A value in full precision; "" where there is none."""
    if value is None or value != value:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def _brief(name: str) -> str:
    return shortened(title(name), BRIEF)
