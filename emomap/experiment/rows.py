"""The stage map files -> rows of values. Rows that are in the run folder already are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from emomap import io, metrics, parallel
from emomap.analysis import limits, ranking
from emomap.errors import EmomapError
from emomap.experiment.plan import Plan
from emomap.io.kinds import MapKind
from emomap.progress import say, track
from emomap.runs.checksum import reopen
from emomap.runs.folder import Run
from emomap.scoring.image import MapToScore, Scored, score_items
from emomap.scoring.limits import (
    fit_gold,
    lacking_observers,
    limits_protocol,
    score_center,
    score_gold,
)
from emomap.scoring.masks import Reader
from emomap.scoring.observers import score_observers
from emomap.scoring.own_maps import settled
from emomap.scoring.pool import fit_center, is_whole, pool_fixations
from emomap.scoring.protocol import Protocol, available_among, first_gaze
from emomap.scoring.rows import Row, append_rows, resume_rows

#: File of a run folder: the fixations on all pictures.
NONFIXATIONS = "fixations.npz"
#: Pictures on which floor and ceiling are scored at most, since each takes seconds.
LIMITED = 32
#: How the remark of a set without a ceiling begins.
NO_CEILING = "no ceiling: "


@dataclass(frozen=True)
class ScoredRows:
    """The rows of a method, and a line for each picture that could not be scored."""

    rows: Sequence[Row] = ()
    failed: Sequence[str] = ()


@dataclass(frozen=True)
class Limits:
    """The rows of floor and ceiling, see `emomap.analysis.limits`.

    Attributes:
        rows: `limits.FLOOR` and `limits.TOP` -> rows.
        sizes: of the groups of observers.
        failed: a line for each picture that could not be scored.
    """

    rows: Mapping[str, Sequence[Row]]
    sizes: Sequence[int] = ()
    failed: Sequence[str] = ()


def fit_protocol(plan: Plan) -> tuple[Protocol, list[str]]:
    """The protocol of a plan, without the metrics for which the data set lacks gaze.

    Returns:
        The protocol, and the remarks that the table must show. Without any gaze, the protocol has
        no metrics.
    """
    samples = plan.gazed(plan.split)
    remarks = [*plan.dataset.notes]
    if not samples:
        remarks.append("no gaze in this data set, so maps are not scored (--gaze PATH adds it)")
        return Protocol(metrics=()), remarks
    without = len(plan.part(plan.split)) - len(samples)
    if without:
        remarks.append(f"{without} images have no gaze and are not scored")
    wanted, readers = plan.protocol.metrics, [sample.gaze for sample in samples]
    omitted = plan.protocol.omitted(available_among(readers))
    remarks += [f"left out: {name} ({reason})" for name, reason in omitted.items()]
    kept = tuple(name for name in wanted if name not in omitted)
    return settled(replace(plan.protocol, metrics=kept), readers), remarks


def protocol_for(protocol: Protocol, kind: MapKind) -> Protocol:
    """How a row is scored: one whose maps are no densities by the plain protocol.

    Args:
        protocol: from `fit_protocol`.
        kind: what the values of the row's maps are.
    """
    if protocol.metric_specific and kind == "map":
        return replace(protocol, protocol="plain", baseline=protocol.base)
    return replace(protocol, prediction=kind)


def score_maps(
    plan: Plan,
    folder: Run,
    protocol: Protocol,
    name: str,
    maps: Mapping[str, io.File],
    kind: MapKind = "map",
) -> ScoredRows:
    """Score the maps of a row.

    Args:
        protocol: from `fit_protocol`.
        name: of the row.
        maps: image -> map file.
        kind: what the values of the maps are.
    """
    protocol = protocol_for(protocol, kind)
    gaze = _gaze(plan, protocol)
    items = [MapToScore(image, file, gaze[image]) for image, file in maps.items()]

    def work(todo: Sequence[MapToScore]) -> Iterator[Scored]:
        nonfixations = _nonfixations(plan, folder, protocol)
        return score_items(todo, protocol, jobs=plan.jobs, nonfixations=nonfixations)

    return _score(plan, folder, protocol, name, items, work)


def score_ceiling(plan: Plan, folder: Run, protocol: Protocol) -> ScoredRows:
    """Score the gaze of all other observers against each observer, where fixations have observers.

    Metrics against a density have no ceiling.
    """
    if protocol.metric_specific:  # the gold standard is scored instead
        return ScoredRows()
    gaze = first_gaze([sample.gaze for sample in plan.gazed(plan.split)])
    if gaze is None or gaze.observers is None or not plan.numbers["bench"]["ceiling"]:
        return ScoredRows()
    names = [n for n in protocol.metrics if "density" not in metrics.CATALOGUE[n].inputs]
    if not names:
        return ScoredRows()
    protocol = replace(protocol, metrics=tuple(names))
    nonfixations = _nonfixations(plan, folder, protocol)
    score = partial(score_observers, protocol=protocol, nonfixations=nonfixations)

    def work(todo: Sequence[MapToScore]) -> Iterator[Scored]:
        return parallel.ordered(score, todo, jobs=plan.jobs, chunk=10)

    readers = _gaze(plan, protocol)
    items = [MapToScore(s.id, s.image_file, readers[s.id]) for s in plan.mine() if s.id in readers]
    return _score(plan, folder, protocol, ranking.CEILING, items, work)


def no_ceiling(why: str) -> str:
    """The remark of a set without a ceiling."""
    return f"{NO_CEILING}{why}"


def score_limits(plan: Plan, folder: Run, protocol: Protocol) -> tuple[Limits | None, list[str]]:
    """Score the centre bias of the other pictures and the gold standard of the observers.

    On at most `LIMITED` pictures, evenly spread over the set.

    Returns:
        Floor and ceiling, or None where there is no ceiling, and remarks.
    """
    readers = [sample.gaze for sample in plan.gazed(plan.split)]
    protocol = settled(limits_protocol(protocol), readers)
    if not (plan.numbers["bench"]["ceiling"] and protocol.metrics):
        return None, []
    try:
        path = _pool(plan, folder, protocol)
    except EmomapError as error:  # a damaged picture; the methods are ranked without it
        return None, [no_ceiling(str(error))]
    if why := lacking_observers(path):
        return None, [no_ceiling(why)]
    if plan.show:
        say("fitting the gold standard of the observers")
    fit_center(path)
    fits = fit_gold(path)
    gazed = plan.gazed(plan.split)
    chosen = {s.id for s in gazed[:: -(-len(gazed) // LIMITED)]}
    gaze = _gaze(plan, protocol)
    items = [MapToScore(s.id, s.image_file, gaze[s.id]) for s in plan.mine() if s.id in chosen]
    found: dict[str, ScoredRows] = {}
    for name, score in (
        (limits.FLOOR, partial(score_center, protocol=protocol, pool=path)),
        (limits.TOP, partial(score_gold, protocol=protocol, pool=path, fits=fits)),
    ):

        def work(
            todo: Sequence[MapToScore], score: Callable[[MapToScore], Scored] = score
        ) -> Iterator[Scored]:
            jobs = plan.jobs or parallel.processors()  # seconds a picture
            return parallel.ordered(score, todo, jobs=jobs, chunk=1)

        found[name] = _score(plan, folder, protocol, name, items, work)
    failed = [line for scored in found.values() for line in scored.failed]
    rows = {name: scored.rows for name, scored in found.items()}
    return Limits(rows, tuple(fits.groups), failed), []


def _score(
    plan: Plan,
    folder: Run,
    protocol: Protocol,
    name: str,
    items: Sequence[MapToScore],
    work: Callable[[Sequence[MapToScore]], Iterator[Scored]],
) -> ScoredRows:
    """Append the rows that are missing.

    Args:
        work: scores the items that it is given, in their order.
    """
    path = folder.rows(name)
    rows = resume_rows(path, protocol.metrics)
    failed: list[str] = []
    reopened = False
    mask = f"mask:{protocol.mask}"
    if protocol.mask and any(mask not in row.signature.split("|") for row in rows):
        raise EmomapError(
            f"{path}: scored with other masks; take another folder (--out), or remove the file and "
            f"{folder.folder / NONFIXATIONS} to score again"
        )
    done = {row.image for row in rows}
    todo = [item for item in items if item.id not in done]
    signatures = {metric: protocol.signature(metric) for metric in protocol.metrics}
    for result in track(
        work(todo) if todo else (),
        total=len(items),
        done=len(items) - len(todo),
        label=f"scores of {name}",
        show=plan.show,
    ):
        if result.problem and not result.lacking:
            failed.append(result.problem)
            continue
        new = [
            Row(
                plan.dataset.name,
                name,
                result.id,
                metric,
                result.values.get(metric),
                signatures[metric],
                result.lacking.get(metric, ""),
            )
            for metric in protocol.metrics
        ]
        if not reopened:
            reopen(folder)
            reopened = True
        append_rows(path, new)
        rows += new
    return ScoredRows(rows, failed)


def _gaze(plan: Plan, protocol: Protocol) -> Mapping[str, Reader]:
    """What reads the gaze on each picture that has some, masked."""
    return protocol.masked({s.id: s.gaze for s in plan.gazed(plan.split)})


def _nonfixations(plan: Plan, folder: Run, protocol: Protocol) -> Path | None:
    """The file of the fixations on other pictures, where a metric needs them."""
    if not protocol.needs_pool():
        return None
    path = _pool(plan, folder, protocol)
    if protocol.needs_center:
        fit_center(path)
    return path


def _pool(plan: Plan, folder: Run, protocol: Protocol) -> Path:
    """The file of the fixations on all pictures."""
    path = folder.folder / NONFIXATIONS
    if not is_whole(path):
        readers = _gaze(plan, protocol).items()
        pool_fixations(((name, gaze) for name, reader in readers if (gaze := reader())), path)
    return path
