"""Runs on several data sets -> a leaderboard: who is ranked, who is listed apart, and why.

Everything is read from the rows of the runs. On each data set, entries are ranked that were scored
in the same way on the same images, and whose rows are as their run left them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import metrics
from emomap.analysis.places import Placed, placed
from emomap.analysis.ranking import CEILING
from emomap.errors import EmomapError, UsageError, listed
from emomap.runs import results
from emomap.runs.checksum import State, checksum, state
from emomap.runs.folder import Run
from emomap.runs.results import Results, controlled
from emomap.scoring.intervals import interval
from emomap.scoring.rows import Row, by_metric, read_rows, reasons
from emomap.scoring.signature import differing, joint

#: Values of one method in two runs that differ by less, relatively, are the same entry: machines
#: differ in the last bits.
SAME = 1e-6


@dataclass(frozen=True)
class RowsFile:
    """Where the rows of an entry come from.

    Attributes:
        run: the folder, as it was given.
        checksum: SHA-256 of the rows as they are now; "" where the file is gone.
        recorded: the one that the run wrote; "" for a run of 0.1.
        state: whether the two are the same.
    """

    run: Path
    checksum: str
    recorded: str
    state: State


@dataclass(frozen=True)
class LeaderboardEntry:
    """A method on a data set.

    Attributes:
        method: name of its row.
        label: the name, with the run where a table would have several entries of one name.
        values: metric -> image -> value.
        signatures: metric -> signature; also of metrics without any value.
        gaps: image -> metric -> why it has no value.
        sources: the runs that have these values.
        seed: of the first run.
        remark: why it has no rank; "" where it has one.
    """

    method: str
    label: str
    values: Mapping[str, Mapping[str, float]]
    signatures: Mapping[str, str]
    gaps: Mapping[str, Mapping[str, str]]
    sources: Sequence[RowsFile]
    seed: int = 0
    remark: str = ""

    @property
    def key(self) -> tuple[str, Path]:
        """What no other entry of the data set has."""
        return self.method, self.sources[0].run

    @property
    def edited(self) -> bool:
        """Whether its rows were changed after the run ended."""
        return any(source.state == "edited" for source in self.sources)

    @property
    def state(self) -> State:
        """The best that is known of its rows, or that they were edited."""
        states = {source.state for source in self.sources}
        order: tuple[State, ...] = ("edited", "verified", "unverified")
        return next(state for state in order if state in states)

    @property
    def signature(self) -> str:
        """Every choice behind its values, in one string."""
        return joint(self.signatures) if self.signatures else ""

    @property
    def images(self) -> set[str]:
        """The images that it has a row for."""
        return {i for column in self.values.values() for i in column} | set(self.gaps)

    @cached_property
    def means(self) -> dict[str, dict[str, Any]]:
        """metric -> mean, low, high, n over its images."""
        return {m: interval(list(column.values()), self.seed) for m, column in self.values.items()}


@dataclass(frozen=True)
class SetBoard:
    """The entries of one data set.

    Attributes:
        name: of the data set.
        split: "whole", or the split that was scored; with the part of a cross-validation.
        synthetic: whether its gaze is simulated.
        images: on which the ranked entries are compared.
        metrics: over which ranks are averaged.
        signature: of the ranked entries, for these metrics.
        ranked: best first, each with its place.
        unranked: of the same signature, without a place; the remark of each says why.
        apart: signature -> entries that were scored in another way.
        notes: what a reader must know.
    """

    name: str
    split: str
    synthetic: bool
    images: Sequence[str] = ()
    metrics: Sequence[str] = ()
    signature: str = ""
    ranked: Sequence[tuple[LeaderboardEntry, Placed]] = ()
    unranked: Sequence[LeaderboardEntry] = ()
    apart: Mapping[str, Sequence[LeaderboardEntry]] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def title(self) -> str:
        """The data set and its split."""
        return self.name if self.split == "whole" else f"{self.name}, {self.split}"

    @property
    def entries(self) -> list[LeaderboardEntry]:
        """All, in the order of the tables."""
        rest = [entry for group in self.apart.values() for entry in group]
        return [*(entry for entry, _ in self.ranked), *self.unranked, *rest]

    def array(self, methods: Sequence[str]) -> NDArray[np.float64]:
        """Values (K, M, N) of ranked methods on the images, with larger being better."""
        found = {entry.method: entry for entry, _ in self.ranked}
        return _array([found[name] for name in methods], self.metrics, self.images)


@dataclass(frozen=True)
class Leaderboard:
    """Several data sets.

    Attributes:
        sets: one board for each data set and split, in the order of the runs.
        overall: method -> its place over all data sets; empty for a single one.
        runs: folder as given -> the run.
        notes: what a reader must know of the whole.
    """

    sets: Sequence[SetBoard]
    overall: Mapping[str, Placed]
    runs: Mapping[Path, Results]
    notes: Sequence[str]


def gather(paths: Sequence[Path], *, seed: int = 0) -> Leaderboard:
    """Read runs and rank their methods on each data set and over all.

    Args:
        paths: run folders of `emomap bench`.
        seed: of the bootstrap.

    Raises:
        UsageError: no run, one that is given twice, or a path that is none.
        EmomapError: a run that is not finished or damaged, or no run has scored maps.
    """
    runs = _read(paths)
    groups: dict[tuple[str, str], list[tuple[Path, Results]]] = {}
    notes = []
    for path, run in runs.items():
        if not run.metrics:
            notes.append(f"{path}: this run scored no maps, so it has no entry")
            continue
        summary = run.summary
        split = summary["split"] + (f", fold {summary['fold']}" if "fold" in summary else "")
        groups.setdefault((summary["dataset"], split), []).append((path, run))
    if not groups:
        raise EmomapError(f"no run has scored maps: {listed(notes)}")
    sets = [_board(*key, group, seed) for key, group in groups.items()]
    overall, more = _overall(sets, seed)
    return Leaderboard(sets, overall, runs, [*notes, *more])


def _read(paths: Sequence[Path]) -> dict[Path, Results]:
    """The runs by the path that was given."""
    if not paths:
        raise UsageError("no run: give the folders of finished runs of `emomap bench`")
    runs: dict[Path, Results] = {}
    seen: dict[Path, Path] = {}
    for path in paths:
        whole = path.resolve()
        if whole in seen:
            raise UsageError(f"{path}: given twice")
        if not path.exists():
            raise UsageError(f"{path}: there is no such run folder")
        if not results.is_run(path):
            inner = sorted(p for p in path.iterdir() if results.is_run(p)) if path.is_dir() else []
            hint = f"; the runs in it are {listed(inner, 3)}" if inner else ""
            raise UsageError(
                f"{path}: not a run folder of `emomap bench` (it has no recipe.toml){hint}"
            )
        seen[whole] = path
        runs[path] = results.read(path)
    return runs


# --- one data set ---------------------------------------------------------------------------------


def _board(name: str, split: str, runs: Sequence[tuple[Path, Results]], seed: int) -> SetBoard:
    entries = _joined([e for path, run in runs for e in _entries(path, run)])
    synthetic = any(run.summary["synthetic"] for _, run in runs)
    rivals = [e for e in entries if e.method != CEILING and not e.edited and e.values]
    signed = _commonest(rivals)
    alike = _labelled([e for e in entries if not _unlike(e, signed)])
    fit = [e for e in rivals if not _unlike(e, signed)]
    shared = [m for m in signed if all(m in e.signatures for e in fit)] or list(signed)
    images = _shared_images(fit)
    ranked, unranked = [], []
    for entry in alike:
        why = _obstacle(entry, shared, images)
        if why:
            unranked.append(replace(entry, remark=why))
        else:
            ranked.append(entry)
    board = SetBoard(
        name,
        split,
        synthetic,
        images,
        shared,
        joint({m: signed[m] for m in shared}) if shared else "",
        _placed(ranked, shared, images, seed) if ranked else [],
        unranked,
        notes=_notes(ranked, shared, entries),
    )
    apart: dict[str, list[LeaderboardEntry]] = {}
    for entry in entries:
        if how := _unlike(entry, signed):
            apart.setdefault(entry.signature, []).append(replace(entry, remark=how))
    return replace(board, apart={signed: _labelled(group) for signed, group in apart.items()})


def _entries(path: Path, run: Results) -> Iterable[LeaderboardEntry]:
    """The entries of a run: its methods and the agreement of people, without controls."""
    controls = controlled(run.summary)
    for name, about in run.summary["methods"].items():
        file = Run(path).rows(name)
        mapped = about["metrics"] or name in run.summary.get("checksums", {})
        if name in controls or not (mapped or about["accuracy"] is None):
            continue
        found = checksum(file)
        known = state(run.summary, found, name)
        recorded = run.summary.get("checksums", {}).get(name, "")
        rows, problem = _rows(file, known) if mapped else ([], "")
        yield LeaderboardEntry(
            name,
            name,
            by_metric(rows),
            {row.metric: row.signature for row in rows},
            reasons(rows),
            [RowsFile(path, found, recorded, known)],
            run.summary["seed"],
            problem,
        )


def _rows(file: Path, known: State) -> tuple[list[Row], str]:
    """The rows, and what is wrong with a file that somebody has edited so that it cannot be read.

    Raises:
        EmomapError: the same of a file that nobody has edited.
    """
    if known == "edited" and not file.exists():
        return [], f"{file.name} is gone"
    try:
        rows = read_rows(file)
    except EmomapError as error:
        if known != "edited":
            raise
        return [], str(error)
    if not rows:
        raise EmomapError(f"{file}: has no rows; run the same command of `emomap bench` again")
    return rows, ""


def _joined(entries: Sequence[LeaderboardEntry]) -> list[LeaderboardEntry]:
    """The entries, of which those of one method with the same values are one."""
    found: list[LeaderboardEntry] = []
    for entry in entries:
        for at, other in enumerate(found):
            if not (entry.edited or other.edited) and _same(entry, other):
                found[at] = replace(other, sources=[*other.sources, *entry.sources])
                break
        else:
            found.append(entry)
    return found


def _same(one: LeaderboardEntry, other: LeaderboardEntry) -> bool:
    if one.method != other.method or one.signatures != other.signatures or one.gaps != other.gaps:
        return False
    return one.values.keys() == other.values.keys() and all(
        column.keys() == other.values[metric].keys()
        and all(
            abs(value - other.values[metric][i]) <= SAME * max(abs(value), 1.0)
            for i, value in column.items()
        )
        for metric, column in one.values.items()
    )


def _labelled(entries: Sequence[LeaderboardEntry]) -> list[LeaderboardEntry]:
    """The entries with labels of their own; those of one name have that of their run, too."""
    twice = {n for n, times in Counter(e.method for e in entries).items() if times > 1}
    return [
        replace(e, label=f"{e.method} ({e.sources[0].run})") if e.method in twice else e
        for e in entries
    ]


def _commonest(entries: Sequence[LeaderboardEntry]) -> dict[str, str]:
    """The signatures (metric -> signature) that most entries have; of several, the first."""
    if not entries:
        return {}

    def alike(one: LeaderboardEntry) -> int:
        return sum(not _unlike(other, one.signatures) for other in entries)

    return dict(max(entries, key=alike).signatures)


def _unlike(entry: LeaderboardEntry, signed: Mapping[str, str]) -> str:
    """How an entry was scored in another way; "" where it was not."""
    if not entry.signatures or not signed:
        return ""
    common = [metric for metric in entry.signatures if metric in signed]
    if not common:
        return f"scored by other metrics: {', '.join(entry.signatures)}"
    found = [line for m in common for line in differing(entry.signatures[m], signed[m], [m])]
    return f"scored differently: {listed(found, 2)}" if found else ""


def _shared_images(entries: Sequence[LeaderboardEntry]) -> list[str]:
    """The images that most entries have; of several such sets, the largest."""
    counts = Counter(frozenset(entry.images) for entry in entries)
    most = max(counts.items(), key=lambda item: (item[1], len(item[0])), default=(frozenset(), 0))
    return sorted(most[0])


def _obstacle(entry: LeaderboardEntry, shared: Sequence[str], images: Sequence[str]) -> str:
    """Why an entry has no rank; "" where it has one."""
    if entry.edited:
        return entry.remark or "its rows were edited after the run ended"
    if entry.method == CEILING:
        return "how well people predict each other; not a method"
    if not entry.values:
        return "no map could be scored"
    missing = sorted(set(images) - entry.images)
    if missing:
        return f"lacks {len(missing)} of {len(images)} images: {listed(missing, 3)}"
    for metric in shared:
        gaps = [i for i in images if i not in entry.values.get(metric, {})]
        if gaps:
            title = metrics.CATALOGUE[metric].long_name
            return f"has no {title} on {len(gaps)} of {len(images)} images: {listed(gaps, 3)}"
    return ""


def _array(
    entries: Sequence[LeaderboardEntry], names: Sequence[str], images: Sequence[str]
) -> NDArray[np.float64]:
    sign = np.array([metrics.CATALOGUE[name].direction for name in names], dtype=float)
    values = [[[e.values[m][i] for i in images] for m in names] for e in entries]
    found: NDArray[np.float64] = np.asarray(values, dtype=np.float64) * sign[None, :, None]
    return found


def _placed(
    entries: Sequence[LeaderboardEntry], names: Sequence[str], images: Sequence[str], seed: int
) -> list[tuple[LeaderboardEntry, Placed]]:
    """The entries with the values of these images only, best first."""
    kept = [
        replace(e, values={m: {i: c[i] for i in images if i in c} for m, c in e.values.items()})
        for e in entries
    ]
    found = placed([_array(kept, names, images)], seed)
    pairs = zip(kept, found, strict=True)
    return sorted(pairs, key=lambda pair: (pair[1].place, pair[1].mean_rank, pair[0].label))


def _notes(
    ranked: Sequence[LeaderboardEntry], shared: Sequence[str], entries: Sequence[LeaderboardEntry]
) -> list[str]:
    notes = []
    partial = sorted({m for entry in ranked for m in entry.signatures} - set(shared))
    if partial:
        names = ", ".join(metrics.CATALOGUE[m].long_name for m in partial)
        notes.append(f"Only some entries have {names}; ranks are over the metrics that all have.")
    edited = [entry.label for entry in entries if entry.edited]
    if edited:
        notes.append(f"Rows edited after the run ended, so without a rank: {', '.join(edited)}.")
    return notes


# --- all data sets --------------------------------------------------------------------------------


def _overall(sets: Sequence[SetBoard], seed: int) -> tuple[dict[str, Placed], list[str]]:
    """The places over all data sets of the methods that have a rank on each, and notes."""
    if len(sets) < 2:
        return {}, []
    counts = [Counter(entry.method for entry, _ in board.ranked) for board in sets]
    everywhere = [name for name in counts[0] if all(name in count for count in counts)]
    twice = sorted({n for n in everywhere if any(count[n] > 1 for count in counts)})
    names = [name for name in everywhere if name not in twice]
    notes = []
    if twice:
        notes.append(
            f"No overall rank for {', '.join(twice)}: a data set has several entries of this name "
            "with different values. Give them different names."
        )
    if not names:
        return {}, [*notes, "No overall rank: no method has a rank on every data set."]
    places = placed([board.array(names) for board in sets], seed)
    pairs = sorted(zip(names, places, strict=True), key=lambda p: (p[1].place, p[0]))
    return dict(pairs), notes
