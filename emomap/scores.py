"""`score`: a folder of anybody's maps against gaze, as an object that prints and saves."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emomap import engine, io, metrics, perimage, scoring, signatures
from emomap.errors import EmomapError, UsageError
from emomap.perimage import PerImage
from emomap.progress import track
from emomap.sample import Gaze
from emomap.scoring import Item, Protocol, Scored
from emomap.tables import Table, html, number, with_interval
from emomap.unfinished import Unfinished

if TYPE_CHECKING:
    from emomap.data.gaze import GazeFolder

#: How many names an error lists before it only counts.
LISTED = 10


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
        """The values of each image, to be written by `emomap.perimage.write`."""
        return PerImage(self.values, self.protocol.signature(), self.method, self.dataset)

    def explain(self) -> list[str]:
        """The signature in words, a line a metric and one for all."""
        return signatures.explain(self.signature)

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
            *["; ".join(signatures.explain(signed[name]))] * explain,
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


def score(
    predictions: str | Path,
    truth: str | Path,
    *,
    protocol: Protocol | None = None,
    allow_missing: bool = False,
    truth_kind: str | None = None,
    jobs: int | None = None,
    shard: tuple[int, int] | None = None,
    seed: int = 0,
    show: bool = False,
    keep: str | Path | None = None,
    **choices: Any,
) -> Scores:
    """Score a folder of maps against gaze.

    Args:
        predictions: folder of maps (png, jpg, tif, bmp, npy, npz, mat), subfolders allowed.
        truth: gaze as a neutral data set, any data set that emomap opens, a folder of density maps,
            of fixation maps, or of fixation CSVs.
        protocol: metrics, convention, resize, blur; the defaults are the field's.
        allow_missing: score what both sides have, and say how much they lack.
        truth_kind: force how ``truth`` is read, see `emomap.data.gaze.open_gaze`.
        jobs: processes; None for one a processor.
        shard: (i, n) to score only the i-th of n parts of the images, see `emomap.merge`.
        seed: of the bootstrap.
        show: progress on stderr.
        keep: a file for `emomap.perimage.write`: the values of each image are written to it, and
            when the scoring is interrupted, the same call goes on where it stopped.
        **choices: of the protocol, in its place: ``metrics=["cc", "nss"]``, ``convention``,
            ``resize``, ``sigma``, ``emd_downsize``, ``stretch``, see `emomap.scoring.Protocol`.

    Returns:
        The values of each image. The object prints as a table, and has `Scores.summary`,
        `Scores.to_pandas`, `Scores.to_latex` and `Scores.signature`.

    Raises:
        EmomapError: nothing to score, or images missing on either side.
        UsageError: a metric that does not exist, or both a protocol and choices of one.
        TypeError: a choice that does not exist.
    """
    protocol = _protocol(protocol, choices)
    maps = io.maps_by_id(Path(predictions))
    gaze = open_truth(truth, truth_kind)
    pairs = io.pair(maps, gaze.sources)
    remarks = [f"ground truth: {gaze.kind}, {gaze.reason}", *gaze.notes]
    unmatched = sorted(set(gaze.sources) - set(pairs))
    unused = sorted(set(maps) - set(pairs.values()))
    if not pairs:
        raise EmomapError(
            f"{predictions} and {truth} have no image in common; pairs go by stem, and here are "
            f"{unused[0]}, ... and {unmatched[0]}, ..."
        )
    remarks += _missing(unmatched, "prediction", predictions, allow_missing)
    remarks += _missing(unused, "ground truth", truth, allow_missing)
    items = [Item(t, maps[p], _reader(gaze, t, maps[p])) for t, p in sorted(pairs.items())]
    if protocol.sigma is None:
        protocol = replace(protocol, sigma=gaze.sigma)
    protocol, omitted = _fitting(protocol, items)
    mine = engine.shard(items, shard)
    if not mine:
        raise EmomapError(
            f"shard {'/'.join(map(str, shard or ()))}: there are only {len(items)} maps, so it "
            "has none"
        )
    part = Unfinished(Path(keep), items, protocol, Path(truth)) if keep else None
    results = _run(items, mine, protocol, jobs, show, part)
    values = {result.id: result.values for result in results if not result.problem}
    failed = [result.problem for result in results if result.problem]
    if not values:
        raise EmomapError(f"no map could be scored; the first problem: {failed[0]}")
    found = Scores(
        values,
        protocol,
        omitted,
        failed,
        [*remarks, *(remark for result in results for remark in result.remarks)],
        sum(result.blank for result in results),
        seed,
        Path(predictions).resolve().name,
        Path(truth).resolve().name,
    )
    if keep and part:
        perimage.write(Path(keep), found.per_image())
        part.remove()
    return found


def _protocol(protocol: Protocol | None, choices: Mapping[str, Any]) -> Protocol:
    if protocol is not None:
        if choices:
            raise UsageError(f"score: {', '.join(choices)} belongs into the protocol that is given")
        return protocol
    chosen = dict(choices)
    if "metrics" in chosen:
        names = chosen["metrics"]
        listed = names.split(",") if isinstance(names, str) else names
        chosen["metrics"] = scoring.check_metrics(listed)
    return Protocol(**chosen)


def open_truth(path: str | Path, kind: Any = None) -> GazeFolder:
    """The gaze below a path: a data set of any layout, or a folder of gaze files alone."""
    from emomap.data import open_dataset
    from emomap.data.gaze import GazeFolder, open_gaze

    if kind is None and not {"fixations", "maps"} & {p.name for p in _entries(Path(path))}:
        try:
            dataset = open_dataset(str(path))
        except EmomapError:
            pass  # no data set, then perhaps gaze files alone; if not, the error comes from there
        else:
            readers = {s.id: s.gaze_source for s in dataset if s.gaze_source is not None}
            if readers:
                return GazeFolder("data set", readers, dataset.layout, sigma=dataset.sigma)
    return open_gaze(path, kind=kind)


def _entries(path: Path) -> list[Path]:
    return list(path.iterdir()) if path.is_dir() else []


def _reader(gaze: GazeFolder, identity: str, map_file: Path) -> Callable[[], Gaze]:
    source = gaze.sources[identity]
    return partial(_gaze_at_size_of, map_file, source) if gaze.needs_shape else source


def _gaze_at_size_of(map_file: Path, source: Callable[..., Gaze]) -> Gaze:
    """Fixations alone don't say how large the picture is; the map is taken to have its size."""
    height, width = io.read_map(map_file).shape
    return source(shape=(height, width))


def _missing(ids: Sequence[str], what: str, where: str | Path, allowed: bool) -> list[str]:
    if not ids:
        return []
    more = f" and {len(ids) - LISTED} more" if len(ids) > LISTED else ""
    line = f"{where}: no {what} for {', '.join(ids[:LISTED])}{more} ({len(ids)} in all)"
    if not allowed:
        raise EmomapError(f"{line}; --allow-missing scores what both sides have")
    return [line]


def _fitting(protocol: Protocol, items: Sequence[Item]) -> tuple[Protocol, dict[str, str]]:
    """Leave out the metrics that this kind of ground truth cannot serve, with the reason."""
    sample = items[0].gaze()
    has = scoring.available(sample) if sample else set()
    omitted = scoring.missing_inputs(protocol.metrics, has)
    kept = tuple(name for name in protocol.metrics if name not in omitted)
    if not kept:
        reasons = "; ".join(f"{name} {reason}" for name, reason in omitted.items())
        raise EmomapError(f"none of the metrics can be computed from this ground truth: {reasons}")
    return replace(protocol, metrics=kept), omitted


def _run(
    items: Sequence[Item],
    mine: Sequence[Item],
    protocol: Protocol,
    jobs: int | None,
    show: bool,
    part: Unfinished | None,
) -> list[Scored]:
    """The results of this shard's items, in their order."""
    done = part.read() if part else {}
    todo = [item for item in mine if item.id not in done]
    with tempfile.TemporaryDirectory(prefix="emomap-", dir=engine.shared_folder()) as temporary:
        others = None
        if protocol.needs() & {"other", "baseline"}:
            gazes = ((item.id, gaze) for item in items if (gaze := item.gaze()))
            others = scoring.pool_fixations(gazes, Path(temporary, "others.npz"))
        results = scoring.score_items(todo, protocol, jobs=jobs, others=others)
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
