"""`score`: a folder of maps, whoever made them, against gaze."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from emomap import io, parallel
from emomap.data.emotion_tables import is_table
from emomap.data.gaze_folder import Kind
from emomap.data.marks import kind_of
from emomap.data.opening import open_gaze
from emomap.errors import EmomapError, UsageError, listed
from emomap.io.temporary import temporary_folder
from emomap.progress import track
from emomap.sample import Gaze
from emomap.scoring import per_image
from emomap.scoring.arrays import or_arrays
from emomap.scoring.emotions.scores import EmotionScores
from emomap.scoring.emotions.tables import score_tables
from emomap.scoring.image import NEGATIVE, MapToScore, Scored, score_items
from emomap.scoring.masks import Mask, Reader
from emomap.scoring.own_maps import settled
from emomap.scoring.pool import fit_center, pool_fixations
from emomap.scoring.protocol import Protocol, available_among, check_metrics
from emomap.scoring.resume import PartFile
from emomap.scoring.scores import Scores
from emomap.scoring.videos import video_of

#: Predictions that are read to see whether they are fixation maps.
LOOKED_AT = 5


@or_arrays
def score(
    predictions: str | Path,
    truth: str | Path,
    *,
    protocol: Protocol | str | None = None,
    allow_missing: bool = False,
    truth_kind: str | None = None,
    points: str | None = None,
    marks_threshold: float | None = None,
    pred_suffix: str = "",
    jobs: int | None = None,
    shard: tuple[int, int] | None = None,
    seed: int = 0,
    show: bool = False,
    keep: str | Path | None = None,
    videos: bool = False,
    **choices: Any,
) -> Scores | EmotionScores:
    """Score a folder of maps against gaze, or one map; or a table of emotions against labels.

    Args:
        predictions: folder or zip archive of maps (png, jpg, tif, bmp, npy, npz, mat), subfolders
            allowed; or one such file; or an array (H, W), of NumPy or torch.
        truth: gaze as a neutral data set, any data set that emomap opens, a folder of density maps,
            of fixation maps, or of fixation CSVs. For one map also the file of its gaze, whatever
            its name: a fixation CSV, a density map or a fixation map; or an array: a density or
            fixation map (H, W), or points (N, 2), x and y in pixels from 0.
        protocol: metrics, convention, resize, blur; the defaults are the field's. Or the name of
            one, "plain" or "metric-specific", beside ``choices``.
        allow_missing: score the images that both sides have, and say which are missing.
        truth_kind: force how ``truth`` is read, see `emomap.data.opening.open_gaze`.
        points: what the coordinates of fixations are, see `emomap.data.opening.open_gaze`.
        marks_threshold: from which on a mark of a fixation map counts, as there.
        pred_suffix: what the names of the maps have after those of the images, as in
            ``photo_gradcam.png`` for ``photo.jpg``.
        jobs: worker processes; None for one per CPU.
        shard: (i, n) to score only the i-th of n parts of the images, see `emomap.scoring.merge`.
        seed: kept from 0.1, whose intervals were drawn.
        show: progress on stderr.
        keep: file for the values of each image, in a format of `emomap.scoring.per_image.write`.
            An interrupted call resumes when it is repeated.
        videos: the images are frames of videos, ``VIDEO/FRAME``: average over the frames of each
            video first. What is kept are the values of the frames.
        **choices: fields of `emomap.scoring.protocol.Protocol`, instead of ``protocol``:
            ``metrics=["cc", "nss"]``, ``convention``, ``resize``, ``sigma``, ``emd_downsize``,
            ``stretch``, ``prediction``, ``baseline``, ``drawn``, ``mask``. A mask is "border:16",
            or the path of a folder with a mask for each image (not zero where a pixel is ignored),
            or for one map a file or an array.

    A table (.csv) instead of maps is one of predicted emotions; ``truth`` is then a table of
    labels, and ``metrics``, ``convention`` and ``wheel`` are as in
    `emomap.scoring.emotions.tables.score_tables`.

    Returns:
        The values of each image. The object prints as a table, and has `Scores.summary`,
        `Scores.to_pandas`, `Scores.to_latex` and `Scores.signature`.

    Raises:
        EmomapError: nothing to score, or images missing on either side.
        UsageError: a metric that does not exist, both a protocol and choices of one, or maps that
            are not said to be densities under the metric-specific protocol.
        TypeError: a choice that does not exist.
    """
    if is_table(predictions):
        own: dict[str, Any] = {
            "protocol": protocol,
            "truth_kind": truth_kind,
            "points": points,
            "marks_threshold": marks_threshold,
            "pred_suffix": pred_suffix,
            "shard": shard,
            "videos": videos,
        }
        return score_tables(
            predictions, truth, allow_missing=allow_missing, seed=seed, keep=keep, **own, **choices
        )
    protocol = _protocol(protocol, choices)
    said: dict[str, Any] = {
        "kind": truth_kind,
        "points": points,
        "marks_threshold": marks_threshold,
    }
    paired = pair_folders(
        predictions,
        truth,
        allow_missing=allow_missing,
        pred_suffix=pred_suffix,
        mask=protocol.mask,
        **said,
    )
    items = paired.items
    if videos:  # before hours of scoring
        for item in items:
            video_of(item.id)
    protocol, omitted = serving(protocol, paired)
    mine = _mine(items, shard)
    read_as = ", ".join(f"{name}={value}" for name, value in said.items() if value is not None)
    part = PartFile(Path(keep), items, protocol, Path(truth), read_as) if keep else None
    results = _run(items, mine, protocol, jobs, show, part)
    failed = [result.problem for result in results if result.problem]
    advice = _advice(results)
    if len(failed) == len(results):
        raise EmomapError(
            "; ".join([f"no map could be scored; the first problem: {failed[0]}", *advice])
        )
    scored = [result for result in results if not result.problem]
    found = Scores(
        {r.id: {name: r.values.get(name) for name in protocol.metrics} for r in scored},
        protocol,
        omitted,
        failed,
        [*paired.remarks, *advice, *(remark for result in results for remark in result.remarks)],
        sum(result.blank for result in results),
        seed,
        Path(predictions).resolve().name,
        Path(truth).resolve().name,
        {result.id: result.lacking for result in scored if result.lacking},
        videos,
    )
    if keep and part:
        per_image.write(Path(keep), found.per_image())
        part.remove()
    return found


@dataclass(frozen=True)
class Paired:
    """Maps with their gaze.

    Attributes:
        items: one for each image that both sides have, in the order of the ids.
        sigma: the blur of fixations that the gaze states, or None.
        remarks: how the gaze was read, and what is missing.
    """

    items: Sequence[MapToScore]
    sigma: float | None
    remarks: Sequence[str]


def pair_folders(
    predictions: str | Path,
    truth: str | Path,
    *,
    allow_missing: bool = False,
    kind: str | None = None,
    points: str | None = None,
    marks_threshold: float | None = None,
    pred_suffix: str = "",
    mask: Mask | None = None,
) -> Paired:
    """Find the gaze of each map. The arguments are those of `score`; ``kind`` is ``truth_kind``.

    Raises:
        EmomapError: no image in common, images missing on either side, or without a mask.
    """
    one = _is_file(predictions, io.MAP_SUFFIXES)
    maps = _maps(Path(predictions), pred_suffix, one)
    gaze = open_gaze(
        truth,
        kind=cast("Kind | None", kind),
        points=points,
        marks_threshold=marks_threshold,
        single=one and _is_file(truth, {*io.MAP_SUFFIXES, ".csv"}),
    )
    pairs = io.pair(maps, gaze.sources)
    if one and not pairs and len(gaze) == 1:
        pairs = dict(zip(gaze, maps, strict=True))
    remarks = [f"ground truth: {gaze.kind}, {gaze.reason}", *gaze.notes]
    unmatched = [] if one and pairs else sorted(set(gaze.sources) - set(pairs))
    unused = sorted(set(maps) - set(pairs.values()))
    if unused and unmatched and (ending := io.common_ending(unused, unmatched)):
        raise EmomapError(
            f"{predictions}: its maps are called as the images, with '{ending}' after the name; "
            f"say --pred-suffix {ending}"
        )
    if not pairs:
        raise EmomapError(
            f"{predictions} and {truth} have no image in common; files pair by stem, and the stems "
            f"are {listed(unused, 2)} against {listed(unmatched, 2)}"
        )
    if _looks_exchanged([maps[p] for p in sorted(pairs.values())]):
        remarks.append(
            f"{predictions}: holds fixation maps, not predictions; are the two folders exchanged?"
        )
    remarks += _missing(unmatched, "prediction", predictions, allow_missing)
    remarks += _missing(unused, "ground truth", truth, allow_missing)
    readers: Mapping[str, Reader] = {t: gaze.reader(t, maps[p]) for t, p in sorted(pairs.items())}
    if mask:
        readers = mask.readers(readers)
    items = [MapToScore(t, maps[pairs[t]], reader) for t, reader in readers.items()]
    return Paired(items, gaze.sigma, remarks)


def _is_file(path: str | Path, suffixes: Container[str]) -> bool:
    return Path(path).is_file() and Path(path).suffix.lower() in suffixes


def _maps(path: Path, ending: str, one: bool) -> dict[str, io.File]:
    """The maps by id: those of a folder or zip archive, or a single one."""
    if one:
        return {unicodedata.normalize("NFC", path.stem).removesuffix(ending): path}
    return io.maps_by_id(path, ending=ending)


def _protocol(protocol: Protocol | str | None, choices: Mapping[str, Any]) -> Protocol:
    """The protocol that is given, or the one that the choices make."""
    if isinstance(protocol, str):
        protocol, choices = None, {**choices, "protocol": protocol}
    if protocol is not None:
        if choices:
            raise UsageError(f"score: {', '.join(choices)} belongs in the protocol that is given")
        return protocol
    chosen = dict(choices)
    if "metrics" in chosen:
        names = chosen["metrics"]
        chosen["metrics"] = check_metrics(names.split(",") if isinstance(names, str) else names)
    if isinstance(chosen.get("mask"), str | Path):
        chosen["mask"] = Mask.of(chosen["mask"])
    return Protocol(**chosen)


def _check_densities(protocol: Protocol) -> None:
    """Refuse maps of any scale where densities are scored.

    Raises:
        UsageError: with the way out.
    """
    if protocol.metric_specific and protocol.prediction == "map":
        raise UsageError(
            "--protocol metric-specific makes the map of each metric from a predicted density of "
            "fixations; say --prediction density or --prediction log-density if the maps are that, "
            "or score maps of any scale with --protocol plain"
        )


def _missing(ids: Sequence[str], what: str, where: str | Path, allowed: bool) -> list[str]:
    """A remark on the images that one side lacks, or an error where that is not allowed."""
    if not ids:
        return []
    line = f"{where}: no {what} for {listed(ids)} ({len(ids)} in all)"
    if not allowed:
        raise EmomapError(f"{line}; --allow-missing scores the images that both sides have")
    return [line]


def serving(protocol: Protocol, paired: Paired) -> tuple[Protocol, dict[str, str]]:
    """The protocol with the blur that the gaze states, and without metrics that it cannot serve.

    Returns:
        The protocol, and metric -> why it was left out.

    Raises:
        EmomapError: no metric is left.
        UsageError: maps of any scale under the metric-specific protocol.
    """
    _check_densities(protocol)
    if protocol.sigma is None:
        protocol = replace(protocol, sigma=paired.sigma)
    readers = [item.gaze for item in paired.items]
    omitted = protocol.omitted(available_among(readers))
    kept = tuple(name for name in protocol.metrics if name not in omitted)
    if not kept:
        reasons = "; ".join(f"{name} {reason}" for name, reason in omitted.items())
        raise EmomapError(f"none of the metrics can be computed from this ground truth: {reasons}")
    return settled(replace(protocol, metrics=kept), readers), omitted


def _looks_exchanged(files: Sequence[io.File]) -> bool:
    """Whether all of a few predictions are maps of fixations."""
    found = []
    for file in files[:: max(1, len(files) // LOOKED_AT)][:LOOKED_AT]:
        with contextlib.suppress(EmomapError):
            found.append(kind_of(io.read_map(file)))
    return bool(found) and all(kind == "fixation maps" for kind in found)


def _advice(results: Sequence[Scored]) -> list[str]:
    """What to do about negative maps, in one line."""
    negative = [result for result in results if NEGATIVE in result.lacking.values()]
    if not negative:
        return []
    count = f"{len(negative)} of {len(results)} maps have negative values"
    if all(result.log for result in negative):
        return [f"{count}, and could be log-densities; if they are, say --prediction log-density"]
    return [f"{count}; shift them (map - map.min()), or leave metrics of distributions out"]


def _mine(items: Sequence[MapToScore], shard: tuple[int, int] | None) -> list[MapToScore]:
    """The items of this shard."""
    mine = parallel.shard(items, shard)
    if shard and not mine:
        raise EmomapError(
            f"shard {shard[0]}/{shard[1]}: there are only {len(items)} maps, so it has none"
        )
    return mine


def _gazes(items: Sequence[MapToScore]) -> Iterator[tuple[str, Gaze]]:
    """The gaze of each item; what cannot be read is reported when the item is scored."""
    for item in items:
        with contextlib.suppress(EmomapError):
            if gaze := item.gaze():
                yield item.id, gaze


@contextlib.contextmanager
def nonfixations_of(items: Sequence[MapToScore], protocol: Protocol) -> Iterator[Path | None]:
    """The file of the gaze on other images, as long as it is needed; None if no metric needs it."""
    if not protocol.needs_pool():
        yield None
        return
    with temporary_folder(parallel.shared_folder()) as temporary:
        path = pool_fixations(_gazes(items), temporary / "nonfixations.npz")
        if protocol.needs_center:
            fit_center(path)
        yield path


def _run(
    items: Sequence[MapToScore],
    mine: Sequence[MapToScore],
    protocol: Protocol,
    jobs: int | None,
    show: bool,
    part: PartFile | None,
) -> list[Scored]:
    """The results of this shard's items, in their order. What ``part`` has is not scored again."""
    done = part.read() if part else {}
    todo = [item for item in mine if item.id not in done]
    with nonfixations_of(items, protocol) as nonfixations:
        results = score_items(todo, protocol, jobs=jobs, nonfixations=nonfixations)
        before = len(mine) - len(todo)
        try:
            for result in track(results, total=len(mine), done=before, label="score", show=show):
                done[result.id] = result
                if part:
                    part.add(result)
        finally:
            if part:
                part.flush()
    return [done[item.id] for item in mine]
