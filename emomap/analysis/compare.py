"""`compare`: is one method better than another on the same images?

It reads run folders and files of values, finds what they share, and has the pairs tested. For each
metric it gives the paired tests, the ranks, and how far each method gets from the centre prior to
the agreement of people, if both are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from emomap.analysis import ranking
from emomap.analysis.comparison import ComparedMethod, Comparison
from emomap.analysis.pairs import paired
from emomap.analysis.ranking import CEILING, PRIOR
from emomap.analysis.sets import compare_sets, set_names
from emomap.errors import EmomapError, UsageError, listed
from emomap.runs import results
from emomap.scoring import per_image
from emomap.scoring.emotions.columns import SHARES, interval_kind, mean_of
from emomap.scoring.measures import all_of_emotions
from emomap.scoring.signature import differing, of_means
from emomap.scoring.videos import over_frames, video_means


def compare(
    paths: Sequence[str | Path],
    *,
    methods: Sequence[str] = (),
    metric_names: Sequence[str] = (),
    against: str | None = None,
    all_pairs: bool = False,
    force: bool = False,
    allow_missing: bool = False,
    videos: bool = False,
    seed: int = 0,
) -> Comparison:
    """Compare methods on the images that they share.

    Args:
        paths: run folders, and files that ``emomap score --per-image`` wrote.
        methods: which methods of run folders; all by default.
        metric_names: which metrics; by default those that every method has.
        against: name of the reference; the first method by default.
        all_pairs: compare all pairs, not only those with the reference.
        force: compare values even if their signatures differ.
        allow_missing: compare on the images that all methods have, and say which others exist.
        videos: the images are frames of videos, ``VIDEO/FRAME``: compare the means of videos.
        seed: of the permutations.

    Raises:
        UsageError: fewer than two methods, unknown names, or different signatures.
        EmomapError: the methods were scored on different images, or share no metric.
    """
    entries = [entry for path in paths for entry in load(Path(path), methods)]
    if videos:
        entries = [_of_videos(entry) for entry in entries]
    return compare_entries(
        entries,
        metric_names=metric_names,
        against=against,
        all_pairs=all_pairs,
        force=force,
        allow_missing=allow_missing,
        seed=seed,
        unit="videos" if videos else "images",
    )


def _of_videos(entry: ComparedMethod) -> ComparedMethod:
    """A method with the means of videos instead of the values of frames."""
    return replace(
        entry,
        values={metric: video_means(column) for metric, column in entry.values.items()},
        signatures={metric: over_frames(text) for metric, text in entry.signatures.items()},
    )


def compare_entries(
    entries: Sequence[ComparedMethod],
    *,
    metric_names: Sequence[str] = (),
    against: str | None = None,
    all_pairs: bool = False,
    force: bool = False,
    allow_missing: bool = False,
    seed: int = 0,
    unit: str = "images",
) -> Comparison:
    """`compare` for methods whose values are at hand; arguments and errors as there.

    Args:
        unit: what the values are of, in the plural.
        entries: two or more methods. Those of one name get the names of their folders, too.
    """
    entries = _named(entries)
    contenders = [name for name in _names(entries) if name != CEILING]
    if len(contenders) < 2:
        where = entries[0].source if entries else "compare"
        raise UsageError(f"{where}: one method alone cannot be compared; add another")
    if against is not None and against not in contenders:
        raise UsageError(f"--against {against}: there are {', '.join(contenders)}")
    rivals = [entry for entry in entries if entry.name != CEILING]
    sets = [m for m in set_names(rivals) if not metric_names or m in metric_names]
    wanted = [metric for metric in metric_names if metric not in sets]
    only_sets = bool(sets) and not (wanted if metric_names else any(e.values for e in rivals))
    chosen, partial = ([], []) if only_sets else _shared_metrics(rivals, wanted)
    signed, trust = _check_signatures(entries, [*chosen, *sets], force)
    values, missing = _shared_images(entries, chosen, allow_missing)
    chosen = [metric for metric in chosen if metric in values[rivals[0].name]]
    if not (chosen or sets):
        raise EmomapError(
            f"{listed(_names(rivals))}: no metric has a value of all of them on the same image"
        )
    reference = against or contenders[0]
    pairs = (
        list(combinations(contenders, 2))
        if all_pairs
        else [(name, reference) for name in contenders if name != reference]
    )
    means = ranking.means(values, seed)
    set_pairs, set_means = compare_sets(rivals, sets, pairs, seed)
    means = {name: {**table, **set_means.get(name, {})} for name, table in means.items()}
    for name, table in values.items():
        means[name] |= {m: mean_of(m, [*table[m].values()]) for m in SHARES if m in table}
    chosen += [metric for metric in sets if metric in means[reference]]
    tested = [p for m in chosen if m not in sets for p in paired(values, m, pairs, seed)]
    if sets:  # in the order of tables
        chosen.sort(key=all_of_emotions().index)
    prior = next((e.name for e in entries if e.is_prior), PRIOR)
    return Comparison(
        sorted([*tested, *set_pairs], key=lambda pair: chosen.index(pair.metric)),
        means,
        ranking.mean_ranks(means),
        {metric: ranking.ceiling_share(means, metric, prior) for metric in chosen},
        {m: of_means(signed[m], seed, interval_kind(m)) for m in chosen},
        max(means[reference][metric]["n"] for metric in chosen),
        [*trust, *partial, *missing],
        unit,
    )


def load(path: Path, methods: Sequence[str] = ()) -> list[ComparedMethod]:
    """The methods of a run folder (all, or those that are named), or the one of a per-image file.

    Raises:
        UsageError: neither a run folder nor a file of per-image values, or an unknown method.
        EmomapError: a damaged file, or an unfinished run.
    """
    if path.is_dir() and not results.is_run(path):
        raise UsageError(
            f"{path}: not a run folder of `emomap bench`. To compare folders of maps: emomap score "
            "A B --gt GT. To compare values: the files of emomap score PRED GT --per-image FILE"
        )
    if path.is_dir():
        run = results.read(path)
        for name in methods:
            if name not in run.values:
                there = ", ".join(run.values)
                raise UsageError(f"--methods {name}: {path} has rows of {there}")
        return [
            ComparedMethod(name, path, run.values[name], run.signatures[name], name == PRIOR)
            for name in methods or run.compared
        ]
    if not path.exists():
        raise UsageError(f"{path}: no such run folder or file")
    table = per_image.read(path)
    columns = {m: column for m in table.metrics if (column := table.by_image(m))}
    signed = table.signed_all()
    return [ComparedMethod(path.stem, path, columns, signed, path.stem == PRIOR, table.facts)]


def _named(entries: Sequence[ComparedMethod]) -> list[ComparedMethod]:
    """The entries with unique names, such as "run1/gbvs", and with one ceiling at most."""
    kept = [
        entry
        for at, entry in enumerate(entries)
        if entry.name != CEILING or CEILING not in _names(entries[:at])
    ]
    for longer in (_in_folder, _in_path):
        seen = _names(kept)
        kept = [replace(e, name=longer(e)) if seen.count(e.name) > 1 else e for e in kept]
    seen = _names(kept)
    return [
        replace(e, name=f"{e.name} ({seen[: at + 1].count(e.name)})")
        if seen.count(e.name) > 1
        else e
        for at, e in enumerate(kept)
    ]


def _in_folder(entry: ComparedMethod) -> str:
    folder = entry.source if entry.source.is_dir() else entry.source.parent
    return f"{folder.resolve().name}/{entry.name}"


def _in_path(entry: ComparedMethod) -> str:
    own = entry.name.rpartition("/")[2]
    return f"{entry.source}/{own}" if entry.source.is_dir() else str(entry.source)


def _names(entries: Sequence[ComparedMethod]) -> list[str]:
    """The names of entries."""
    return [entry.name for entry in entries]


def _shared_metrics(
    entries: Sequence[ComparedMethod], wanted: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The metrics to compare, and a note on metrics that only some methods have."""
    everywhere = [m for m in entries[0].values if all(m in entry.values for entry in entries)]
    for metric in wanted:
        lacking = [entry.name for entry in entries if metric not in entry.values]
        if lacking:
            raise UsageError(f"--metrics {metric}: {', '.join(lacking)} has no values of it")
    if not everywhere:
        raise EmomapError(
            "no metric that all methods have: "
            + "; ".join(f"{entry.name} has {', '.join(entry.values)}" for entry in entries)
        )
    if wanted:
        return list(wanted), []
    partial = sorted({m for entry in entries for m in entry.values} - set(everywhere))
    return everywhere, [f"only some methods have {', '.join(partial)}"] if partial else []


def _check_signatures(
    entries: Sequence[ComparedMethod], metric_names: Sequence[str], force: bool
) -> tuple[dict[str, str], list[str]]:
    """Metric -> signature, and notes. Values that were computed differently are refused."""
    signed: dict[str, str] = {}
    notes: list[str] = []
    for metric in metric_names:
        known = [(e.name, e.signatures[metric]) for e in entries if e.signatures.get(metric)]
        signed[metric] = known[0][1] if known else ""
        for name, signature in known[1:]:
            how = differing(signed[metric], signature, [metric])
            if not how:
                continue
            line = f"{known[0][0]} and {name} were scored differently: {how[0]}"
            if not force:
                raise UsageError(f"{line}; score both in the same way, or use --force")
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
    entries: Sequence[ComparedMethod], metric_names: Sequence[str], allow_missing: bool
) -> tuple[ranking.Values, list[str]]:
    """Values on the images that all methods have, in one order, and a note on the other images.

    A metric that does not apply to some maps is compared on the others. The ceiling may lack some
    of these images.
    """
    rivals = [entry for entry in entries if entry.name != CEILING]
    having = {
        entry.name: dict.fromkeys(
            [*entry.facts, *(i for metric in metric_names for i in entry.values[metric])]
        )
        for entry in rivals
    }
    common = set.intersection(*(set(images) for images in having.values()))
    if not common:
        raise EmomapError(
            "no image in common: "
            + "; ".join(f"{name} has {listed(images, 1)}" for name, images in having.items())
        )
    notes = []
    lacking = set().union(*having.values()) - common
    if lacking:
        line = f"not all methods have {listed(sorted(lacking))} ({len(lacking)} images)"
        if not allow_missing:
            raise EmomapError(
                f"{line}; --allow-missing compares on the {len(common)} that all methods have"
            )
        notes.append(line)
    order = [image for image in having[rivals[0].name] if image in common]
    found: ranking.Values = {entry.name: {} for entry in entries}
    for metric in metric_names:
        images = [i for i in order if all(i in entry.values[metric] for entry in rivals)]
        if len(images) < len(order):
            notes.append(f"{metric}: {len(images)} of the {len(order)} images have it everywhere")
        for entry in entries:
            column = entry.values.get(metric, {})
            if shared := {i: column[i] for i in images if i in column}:
                found[entry.name][metric] = shared
    return found, notes
