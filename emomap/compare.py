"""`compare`: is one method better than another, on the same images? Tests, sizes, ranks.

For each metric the paired permutation test of each method against the reference, Holm-corrected
over the methods; the effect size d_z; on how many images which of the two is better; the ranks; and
how far each method goes from the centre prior to the agreement of people, where both are there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from emomap import metrics, perimage, ranking, results, signatures
from emomap.errors import EmomapError, UsageError
from emomap.ranking import CEILING, PRIOR
from emomap.scores import arrow, interval
from emomap.tables import Table, html, number, with_interval

#: Below this, after Holm, a difference counts as found.
LEVEL = 0.05
#: How many names an error lists before it only counts.
LISTED = 10


@dataclass(frozen=True)
class Entry:
    """One method: its values (metric -> image -> value) and where they come from."""

    name: str
    source: Path
    values: Mapping[str, Mapping[str, float]]
    signatures: Mapping[str, str]
    is_prior: bool = False


@dataclass(frozen=True)
class Pair:
    """One method against another on one metric.

    Attributes:
        metric, first, second, n: what was compared, on how many images.
        first_mean, second_mean: over the images.
        difference: mean of ``first`` minus ``second``, in the metric's own direction.
        low, high: 95% bootstrap interval of the difference, over images.
        p: two-sided paired permutation test; p_holm: corrected over the pairs of this metric.
        effect: Cohen's d_z, the mean difference over the standard deviation of the differences.
        wins, ties, losses: images on which ``first`` is better, equal, worse.
    """

    metric: str
    first: str
    second: str
    n: int
    first_mean: float
    second_mean: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    effect: float
    wins: int
    ties: int
    losses: int

    @property
    def verdict(self) -> str:
        """Who is better, in words, or that no difference was found."""
        if self.ties == self.n:
            return "no difference (equal on every image)"
        if self.p_holm >= LEVEL:
            return "no difference found"
        better = self.difference * metrics.CATALOGUE[self.metric].direction > 0
        return f"{self.first if better else self.second} is better"


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` found.

    Attributes:
        pairs: in the order of the metrics, then of the methods.
        means: method -> metric -> mean, low, high, n.
        ranks: method -> mean rank over the metrics, best first.
        share: metric -> method -> share of the way from centre prior to human agreement.
        signatures: metric -> signature, with the seed of this comparison; "" where no file says.
        n_images: on how many images the methods were compared.
        notes: what the reader must know.
    """

    pairs: Sequence[Pair]
    means: Mapping[str, Mapping[str, Mapping[str, Any]]]
    ranks: Mapping[str, float]
    share: Mapping[str, Mapping[str, float]]
    signatures: Mapping[str, str]
    n_images: int
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def metrics(self) -> list[str]:
        """The metrics that were compared."""
        return list(self.signatures)

    def rank_table(self) -> Table:
        """Means with the rank on each metric in parentheses, best mean rank first."""
        shared = {name: column for name, column in self.share.items() if column}
        header = ["method", "mean rank"]
        header += [f"{metrics.CATALOGUE[m].long_name} {arrow(m)} (rank)" for m in self.metrics]
        header += [f"{metrics.CATALOGUE[m].long_name} share" for m in shared]
        names = [*(name for name in self.means if name not in self.ranks), *self.ranks]
        places = {m: ranking.places(self.means, m) for m in self.metrics}
        rows = []
        for name in names:
            rank = self.ranks.get(name)
            row = [name, "" if rank is None else number(rank, 2)]
            for metric in self.metrics:
                cell = self.means[name].get(metric)
                place = places[metric].get(name)
                mean = number(cell["mean"], 4) if cell else "-"
                row.append(mean if place is None else f"{mean} ({place:g})")
            row += [f"{100 * s[name]:.0f}%" if name in s else "" for s in shared.values()]
            rows.append(row)
        notes = ["share: of the way from the centre prior to the agreement of people"]
        title = f"{self.n_images} images; rank 1 is best"
        return Table(header, rows, title, notes if shared else ())

    def pair_table(self) -> Table:
        """A row for each pair and metric."""
        header = ("metric", "pair", "difference", "p (Holm)", "d_z", "win/tie/loss", "verdict")
        rows = [
            [
                f"{metrics.CATALOGUE[pair.metric].long_name} {arrow(pair.metric)}",
                f"{pair.first} - {pair.second}",
                with_interval(pair.difference, pair.low, pair.high, 4),
                probability(pair.p_holm),
                number(pair.effect, 2),
                f"{pair.wins}/{pair.ties}/{pair.losses}",
                pair.verdict,
            ]
            for pair in self.pairs
        ]
        title = (
            "Mean difference with 95% bootstrap interval; paired permutation test, two-sided, "
            "Holm over the pairs of a metric; win/tie/loss: images on which the first is better"
        )
        signed = sorted(set(self.signatures.values()) - {""}, key=[*self.signatures.values()].index)
        notes = [*self.notes, *(f"signature: {signature}" for signature in signed)]
        return Table(header, rows, title, notes)

    def records(self) -> list[dict[str, Any]]:
        """The pairs as dictionaries, in full precision."""
        return [
            {**vars(pair), "verdict": pair.verdict, "signature": self.signatures[pair.metric]}
            for pair in self.pairs
        ]

    def to_dict(self) -> dict[str, Any]:
        """What ``--format json`` prints."""
        return {
            "n_images": self.n_images,
            "signatures": dict(self.signatures),
            "directions": {m: metrics.CATALOGUE[m].direction for m in self.metrics},
            "means": self.means,
            "ranks": dict(self.ranks),
            "ceiling_share": dict(self.share),
            "pairs": self.records(),
            "notes": list(self.notes),
        }

    def render(self, form: str) -> str:
        """As "table", "json", "csv" (the pairs, full precision), "md" or "latex"."""
        if form == "json":
            return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        if form == "csv":
            records = self.records()
            cells = [
                [repr(v) if isinstance(v, float) else str(v) for v in r.values()] for r in records
            ]
            return Table(list(records[0]), cells).render("csv")
        return "\n".join(t.render(form) for t in (self.rank_table(), self.pair_table()))

    def to_pandas(self) -> Any:
        """The pairs as a data frame (needs pandas)."""
        import pandas

        return pandas.DataFrame(self.records())

    def to_latex(self) -> str:
        """Both tables with booktabs."""
        return self.render("latex")

    def __repr__(self) -> str:
        """The tables, for a session."""
        return self.render("table").rstrip()

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return html(self.rank_table()) + html(self.pair_table())


def probability(p: float) -> str:
    """A p-value for people: 0.0123, or <0.001."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def load(path: Path, methods: Sequence[str] = ()) -> list[Entry]:
    """The methods in a run folder (all of them, or those named), or the one in a per-image file.

    Raises:
        UsageError: no run folder and no file of per-image values, or a method that is not there.
        EmomapError: damaged, or an unfinished run.
    """
    if path.is_dir():
        run = results.read(path)
        for name in methods:
            if name not in run.values:
                there = ", ".join(run.values)
                raise UsageError(f"--methods {name}: {path} has rows of {there}")
        return [
            Entry(name, path, run.values[name], run.signatures[name], name == PRIOR)
            for name in methods or run.values
        ]
    if not path.exists():
        raise UsageError(f"{path}: there is no such run folder or file")
    table = perimage.read(path)
    columns = {m: {image: line[m] for image, line in table.values.items()} for m in table.metrics}
    signed = {metric: table.signed(metric) for metric in table.metrics}
    return [Entry(path.stem, path, columns, signed, path.stem == PRIOR)]


def compare(
    paths: Sequence[str | Path],
    *,
    methods: Sequence[str] = (),
    metric_names: Sequence[str] = (),
    against: str | None = None,
    all_pairs: bool = False,
    force: bool = False,
    allow_missing: bool = False,
    seed: int = 0,
) -> Comparison:
    """Compare methods on the images that they share.

    Args:
        paths: run folders, and files that ``emomap score --per-image`` wrote.
        methods: of run folders only these; all by default.
        metric_names: only these; by default all that every method has.
        against: name of the reference; the first method by default.
        all_pairs: compare each with each, not each with the reference.
        force: compare values of different signatures all the same.
        allow_missing: compare on the images that all have, and say how many others there are.
        seed: of bootstrap and permutations.

    Raises:
        UsageError: fewer than two methods, unknown names, or different signatures.
        EmomapError: the methods were scored on different images, or share no metric.
    """
    entries = _named([entry for path in paths for entry in load(Path(path), methods)])
    contenders = [name for name in names(entries) if name != CEILING]
    if len(contenders) < 2:
        raise UsageError(f"{paths[0]}: one method alone cannot be compared; give another")
    if against is not None and against not in contenders:
        raise UsageError(f"--against {against}: there are {', '.join(contenders)}")
    rivals = [entry for entry in entries if entry.name != CEILING]
    chosen, partial = _shared_metrics(rivals, metric_names)
    signed, trust = _check_signatures(entries, chosen, force)
    values, missing = _shared_images(entries, chosen, allow_missing)
    reference = against or contenders[0]
    pairs = (
        list(combinations(contenders, 2))
        if all_pairs
        else [(name, reference) for name in contenders if name != reference]
    )
    means = ranking.means(values, seed)
    prior = next((e.name for e in entries if e.is_prior), PRIOR)
    return Comparison(
        [pair for metric in chosen for pair in paired(values, metric, pairs, seed)],
        means,
        ranking.mean_ranks(means),
        {metric: ranking.ceiling_share(means, metric, prior) for metric in chosen},
        {metric: signatures.seeded(signature, seed) for metric, signature in signed.items()},
        len(values[reference][chosen[0]]),
        [*trust, *partial, *missing],
    )


def paired(
    values: ranking.Values,
    metric: str,
    pairs: Sequence[tuple[str, str]],
    seed: int,
    resamples: int = 9999,
) -> list[Pair]:
    """Test pairs of methods on one metric, Holm-corrected over these pairs."""
    direction = metrics.CATALOGUE[metric].direction
    tested = []
    for first, second in pairs:
        a, b = values[first][metric], values[second][metric]
        ours, theirs = list(a.values()), [b[image] for image in a]
        found = metrics.statistics.paired_permutation_test(
            ours, theirs, resamples=resamples, seed=seed
        )
        bounds = interval([x - y for x, y in zip(ours, theirs, strict=True)], seed)
        tested.append((first, second, ours, theirs, found, bounds))
    corrected = metrics.statistics.holm([entry[4].p_value for entry in tested])
    return [
        Pair(
            metric,
            first,
            second,
            found.n,
            sum(ours) / found.n,
            sum(theirs) / found.n,
            found.difference,
            bounds["low"],
            bounds["high"],
            found.p_value,
            float(p_holm),
            found.effect,
            found.wins if direction > 0 else found.losses,
            found.ties,
            found.losses if direction > 0 else found.wins,
        )
        for (first, second, ours, theirs, found, bounds), p_holm in zip(
            tested, corrected, strict=True
        )
    ]


def _named(entries: Sequence[Entry]) -> list[Entry]:
    """Names made unique by where they lie: "run1/gbvs"; the ceiling is needed only once."""
    kept = [
        entry
        for at, entry in enumerate(entries)
        if entry.name != CEILING or CEILING not in names(entries[:at])
    ]
    for longer in (_in_folder, _in_path):
        seen = names(kept)
        kept = [replace(e, name=longer(e)) if seen.count(e.name) > 1 else e for e in kept]
    seen = names(kept)
    return [
        replace(e, name=f"{e.name} ({seen[: at + 1].count(e.name)})")
        if seen.count(e.name) > 1
        else e
        for at, e in enumerate(kept)
    ]


def _in_folder(entry: Entry) -> str:
    folder = entry.source if entry.source.is_dir() else entry.source.parent
    return f"{folder.resolve().name}/{entry.name}"


def _in_path(entry: Entry) -> str:
    own = entry.name.rpartition("/")[2]
    return f"{entry.source}/{own}" if entry.source.is_dir() else str(entry.source)


def names(entries: Sequence[Entry]) -> list[str]:
    """The names of entries."""
    return [entry.name for entry in entries]


def _shared_metrics(entries: Sequence[Entry], wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """The metrics to compare, and a note on those that only some methods have."""
    everywhere = [m for m in entries[0].values if all(m in entry.values for entry in entries)]
    for metric in wanted:
        lacking = [entry.name for entry in entries if metric not in entry.values]
        if lacking:
            raise UsageError(f"--metrics {metric}: {', '.join(lacking)} has no such values")
    if not everywhere:
        raise EmomapError(
            "no metric that all have: "
            + "; ".join(f"{entry.name} has {', '.join(entry.values)}" for entry in entries)
        )
    if wanted:
        return list(wanted), []
    partial = sorted({m for entry in entries for m in entry.values} - set(everywhere))
    return everywhere, [f"only some have {', '.join(partial)}"] if partial else []


def _check_signatures(
    entries: Sequence[Entry], metric_names: Sequence[str], force: bool
) -> tuple[dict[str, str], list[str]]:
    """Metric -> signature; refuses values that were not computed in the same way."""
    signed: dict[str, str] = {}
    notes: list[str] = []
    for metric in metric_names:
        known = [(e.name, e.signatures[metric]) for e in entries if e.signatures.get(metric)]
        signed[metric] = known[0][1] if known else ""
        for name, signature in known[1:]:
            if signature == signed[metric]:
                continue
            how = signatures.differing(signed[metric], signature, [metric])[0]
            line = f"{known[0][0]} and {name} were scored differently: {how}"
            if not force:
                raise UsageError(f"{line}; score both alike, or say --force")
            notes.append(f"FORCED: {line}")
    unsigned = [
        e.name
        for e in entries
        if any(not e.signatures.get(m) for m in metric_names if m in e.values)
    ]
    if unsigned:
        notes.append(f"no signature, so taken on trust: {', '.join(unsigned)}")
    return signed, notes


def _shared_images(
    entries: Sequence[Entry], metric_names: Sequence[str], allow_missing: bool
) -> tuple[ranking.Values, list[str]]:
    """Values on the images that all methods have, in one order; of the ceiling what it has."""
    rivals = [entry for entry in entries if entry.name != CEILING]
    having = {entry.name: set(entry.values[metric_names[0]]) for entry in rivals}
    common = set.intersection(*having.values())
    if not common:
        raise EmomapError(
            "no image in common: "
            + "; ".join(f"{name} has {min(images)}, ..." for name, images in having.items())
        )
    notes = []
    lacking = set.union(*having.values()) - common
    if lacking:
        shown = ", ".join(sorted(lacking)[:LISTED])
        more = f" and {len(lacking) - LISTED} more" if len(lacking) > LISTED else ""
        line = f"not all methods have {shown}{more} ({len(lacking)} images)"
        if not allow_missing:
            raise EmomapError(
                f"{line}; --allow-missing compares on the {len(common)} that all have"
            )
        notes.append(line)
    order = [image for image in rivals[0].values[metric_names[0]] if image in common]
    return {
        entry.name: {
            metric: {i: entry.values[metric][i] for i in order if i in entry.values[metric]}
            for metric in metric_names
            if metric in entry.values
        }
        for entry in entries
    }, notes
