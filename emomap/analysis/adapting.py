"""`adapt`: maps and gaze -> a small file of numbers; maps and that file -> densities."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from numpy.typing import NDArray
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap import io, parallel
from emomap._version import __version__
from emomap.analysis.adaptation import FOLDS, GRID, Adaptation, Adapted
from emomap.analysis.adaptation import adapt as fit_arrays
from emomap.errors import EmomapError, UsageError
from emomap.io.kinds import MAP_KINDS, MapKind, as_map
from emomap.io.schema import STRICT, read_json
from emomap.predict import Outcome, map_path
from emomap.progress import track
from emomap.sample import Gaze
from emomap.scoring.folders import pair_folders
from emomap.scoring.image import MapToScore, check_aspect
from emomap.tables import Table, number

#: In a folder of densities, the adaptation that made them.
KEPT = "adaptation.json"

_Share = Annotated[float, Ge(0), Le(1)]
_Steps = Annotated[list[float], MinLen(2), MaxLen(1000)]


class AdaptationFile(TypedDict):
    """The schema of an adaptation."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    emomap: str
    prediction: MapKind
    sigma: _Share
    levels: _Steps
    curve: _Steps
    center: Annotated[float, Ge(0), Le(100)]
    floor: _Share
    center_bias: Annotated[
        list[Annotated[list[Annotated[float, Gt(0)]], MinLen(GRID[1]), MaxLen(GRID[1])]],
        MinLen(GRID[0]),
        MaxLen(GRID[0]),
    ]
    bits: dict[str, float]
    maps: str
    gaze: str
    images: list[str]


@dataclass(frozen=True, repr=False)
class MapAdaptation:
    """An adaptation with what it was fitted on.

    Attributes:
        adaptation: the numbers.
        prediction: what the values of the maps are.
        bits: a fixation over the uniform density: "center" of the centre bias alone, "fitted" of
            the densities, "crossed" of the densities by cross-validation.
        maps, gaze: names of the two folders.
        images: that it was fitted on.
        failed: a line for each map that was left out.
        remarks: how the gaze was read.
    """

    adaptation: Adaptation
    prediction: MapKind
    bits: Mapping[str, float]
    maps: str
    gaze: str
    images: Sequence[str]
    failed: Sequence[str] = ()
    remarks: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """What is kept in the file."""
        numbers = asdict(self.adaptation)
        own = {"prediction": self.prediction, "bits": dict(self.bits), "maps": self.maps}
        return {"emomap": __version__, **numbers, **own, "gaze": self.gaze,
                "images": list(self.images)}  # fmt: skip

    def write(self, path: Path) -> None:
        """Write the file that `read` reads."""
        io.write_text(path, json.dumps(self.to_dict(), ensure_ascii=False) + "\n")

    def table(self) -> Table:
        """The numbers and what they are worth."""
        found = self.adaptation
        gained = self.bits["crossed"] - self.bits["center"]
        rows = [
            ["log-likelihood of the centre bias, bits", number(self.bits["center"])],
            ["of the densities, on the pictures of the fit", number(self.bits["fitted"])],
            [f"of the densities, {FOLDS}-fold cross-validated", number(self.bits["crossed"])],
            ["information gain over the centre bias", number(gained)],
            ["blur, % of the longer side", number(100 * found.sigma, 2)],
            ["weight of the log centre bias", number(found.center)],
            ["floor, % uniform", number(100 * found.floor, 2)],
            *(
                [f"log density at value {level:.3g} of 1", number(value, 2)]
                for level, value in zip(found.levels, found.curve, strict=True)
            ),
        ]
        title = f"{len(self.images)} pictures, {found.parameters} numbers; bits a fixation over " \
            "the uniform density"  # fmt: skip
        return Table(("", "value"), rows, title)

    def __repr__(self) -> str:
        """The table, for a session."""
        return self.table().render("table").rstrip()


def adapt(
    maps: str | Path,
    gaze: str | Path,
    *,
    pictures: int | None = None,
    prediction: MapKind = "map",
    stretch: bool = False,
    kind: str | None = None,
    points: str | None = None,
    marks_threshold: float | None = None,
    pred_suffix: str = "",
    jobs: int | None = None,
    seed: int = 0,
    show: bool = False,
) -> MapAdaptation:
    """Fit the numbers that turn the maps of a folder into densities, on those that have gaze.

    Args:
        maps: folder of maps, or of more maps than there is gaze.
        gaze: fixations, as for `emomap.scoring.folders.score`.
        pictures: how many, drawn at random; all by default.
        prediction: what the values of the maps are.
        stretch: accept maps whose aspect ratio differs from their picture's.
        kind, points, marks_threshold, pred_suffix: as ``truth_kind`` and so on of `score`.
        jobs: processes that read maps.
        seed: of the pictures that are drawn, and of the cross-validation.
        show: progress on stderr.

    Raises:
        EmomapError: no fixations, too few pictures, or no map that can be read.
    """
    if prediction not in MAP_KINDS:
        raise UsageError(f"prediction '{prediction}': choose {', '.join(MAP_KINDS)}")
    paired = pair_folders(
        maps,
        gaze,
        allow_missing=True,
        kind=kind,
        points=points,
        marks_threshold=marks_threshold,
        pred_suffix=pred_suffix,
    )
    items = list(paired.items)
    if pictures is not None:
        if not FOLDS <= pictures <= len(items):
            raise UsageError(
                f"{pictures} pictures: there are {len(items)} with a map and gaze, and at least "
                f"{FOLDS} are needed"
            )
        drawn = np.random.default_rng(seed).permutation(len(items))[:pictures]
        items = [items[i] for i in sorted(drawn)]
    work = partial(_opened, prediction=prediction, stretch=stretch)
    opened = parallel.ordered(work, items, jobs=jobs, chunk=8)
    read = list(track(opened, total=len(items), label="read maps", show=show))
    failed = [one for one in read if isinstance(one, str)]
    good = [(item, one) for item, one in zip(items, read, strict=True) if not isinstance(one, str)]
    if len(good) < FOLDS:
        why = f"; the first problem: {failed[0]}" if failed else ""
        raise EmomapError(
            f"{maps}: {len(good)} maps with fixations, and at least {FOLDS} are needed{why}"
        )
    found: Adapted = fit_arrays(
        [values for _, (values, _) in good],
        [one.points[one.inside] for _, (_, one) in good if one.points is not None],
        [one.shape for _, (_, one) in good],
        seed=seed,
    )
    bits = {"center": found.center, "fitted": found.fitted, "crossed": found.crossed}
    names = Path(maps).resolve().name, Path(gaze).resolve().name
    images = [item.id for item, _ in good]
    return MapAdaptation(found.adaptation, prediction, bits, *names, images, failed, paired.remarks)


def read(path: str | Path) -> MapAdaptation:
    """Read an adaptation.

    Raises:
        EmomapError: missing, damaged, or levels and curve that do not fit.
    """
    path = Path(path)
    held = read_json(path, AdaptationFile)
    levels, curve = held["levels"], held["curve"]
    if len(levels) != len(curve):
        raise EmomapError(f"{path}: {len(levels)} levels have {len(curve)} values of the curve")
    if levels[0] != 0 or levels[-1] != 1 or min(np.diff(levels)) <= 0:
        raise EmomapError(f"{path}: levels must increase from 0 to 1")
    if min(np.diff(curve)) < 0:
        raise EmomapError(f"{path}: the curve falls; it must be increasing")
    bias = tuple(tuple(row) for row in held["center_bias"])
    numbers = Adaptation(
        held["sigma"], tuple(levels), tuple(curve), held["center"], held["floor"], bias
    )
    return MapAdaptation(
        numbers, held["prediction"], held["bits"], held["maps"], held["gaze"], held["images"]
    )


def apply(
    maps: str | Path,
    chosen: MapAdaptation,
    out: Path,
    *,
    others: bool = False,
    pred_suffix: str = "",
    jobs: int | None = None,
    show: bool = False,
) -> tuple[list[Outcome], int]:
    """Write the density of each map of a folder as float32 npy; what is there already is kept.

    Args:
        maps: the folder, or one map.
        chosen: the adaptation.
        out: folder for the densities; it also keeps the adaptation.
        others: leave out the images of the fit.
        pred_suffix: what the names of the maps have after those of the images.
        jobs: processes.
        show: progress on stderr.

    Returns:
        The maps that failed, and how many there are in all.

    Raises:
        EmomapError: no maps, or ``out`` has densities of another adaptation.
    """
    path = Path(maps)
    files = {path.stem: path} if path.is_file() else io.maps_by_id(path, ending=pred_suffix)
    if others:
        files = {name: file for name, file in files.items() if name not in set(chosen.images)}
        if not files:
            raise EmomapError(f"{maps}: the adaptation was fitted on all of its images")
    if out.resolve() == (path.parent if path.is_file() else path).resolve():
        raise UsageError(f"-o {out}: the folder of the maps; name another for the densities")
    io.make_folder(out)
    kept = out / KEPT
    text = json.dumps(chosen.to_dict(), ensure_ascii=False)
    if kept.exists() and read(kept).adaptation != chosen.adaptation:
        raise EmomapError(
            f"{out}: holds densities of another adaptation ({KEPT}); name another folder with -o"
        )
    if not kept.exists():
        io.write_text(kept, text + "\n")
    todo = [(n, f) for n, f in sorted(files.items()) if not map_path(out, n, "npy").exists()]
    work = partial(_write, chosen=chosen, out=out)
    outcomes = parallel.ordered(work, todo, jobs=jobs, chunk=8)
    done = len(files) - len(todo)
    tracked = track(outcomes, total=len(files), done=done, label="adapt", show=show)
    return [outcome for outcome in tracked if outcome.problem], len(files)


def _opened(
    item: MapToScore, prediction: MapKind, stretch: bool
) -> tuple[NDArray[Any], Gaze] | str:
    """A map as float32 at the size of the fit, and its gaze; or what is wrong, in a line."""
    name = str(item.map_file)
    try:
        values = _values(item.map_file, prediction)
        gaze = item.gaze()
        if gaze is None or gaze.points is None:
            raise EmomapError(f"{item.id}: no fixations, which adapt needs; it has a density only")
        if not gaze.inside.any():
            raise EmomapError(f"{item.id}: no fixation lies inside the picture")
        if not stretch:
            check_aspect(values.shape, gaze.shape, name)
    except EmomapError as error:
        return str(error)
    return values, gaze


def _values(file: Any, prediction: MapKind) -> NDArray[Any]:
    return as_map(io.read_map(file, logarithm=prediction == "log-density"), prediction, str(file))


def _write(one: tuple[str, Path], chosen: MapAdaptation, out: Path) -> Outcome:
    name, file = one
    try:
        found = chosen.adaptation.density(_values(file, chosen.prediction))
        io.write_map(map_path(out, name, "npy"), found)
    except EmomapError as error:
        return Outcome(name, str(error))
    return Outcome(name)
