"""Whose objects and maps `emomap objects` measures: a data set or a run, and folders of maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emomap import data as datasets
from emomap import io
from emomap.analysis.objects import Prioritisation, summarise
from emomap.analysis.ranking import CEILING
from emomap.data import demo
from emomap.errors import EmomapError, UsageError, listed
from emomap.io.files import File
from emomap.io.kinds import MapKind
from emomap.progress import track
from emomap.runs import results
from emomap.sample import Dataset, Sample
from emomap.scoring.objects import Measured, ObjectProtocol, measure_all, to_measure
from emomap.scoring.protocol import Protocol

Maps = tuple[Mapping[str, File], MapKind]


@dataclass(frozen=True)
class MapsOf:
    """A folder of maps under the name of a model."""

    name: str
    folder: Path

    @classmethod
    def parse(cls, text: str) -> MapsOf:
        """From ``NAME=FOLDER``.

        Raises:
            UsageError: not of this form.
        """
        name, equals, folder = text.partition("=")
        if not (equals and name.strip() and folder.strip()):
            raise UsageError(f"--maps {text}: write NAME=FOLDER, as in gbvs=maps/gbvs")
        return cls(name.strip(), Path(folder.strip()).expanduser())

    def files(self, samples: Sequence[Sample]) -> dict[str, File]:
        """The map of each picture, by id.

        Raises:
            EmomapError: no folder, or no map in it has the name of a picture.
        """
        found = io.maps_by_id(self.folder)
        pairs = io.pair(found, [sample.id for sample in samples])
        if not pairs:
            raise EmomapError(
                f"{self.folder}: none of its {len(found)} maps has the name of a picture with "
                f"outlined objects ({listed((s.id for s in samples), 3)})"
            )
        return {image: found[stem] for image, stem in pairs.items()}


@dataclass(frozen=True)
class ObjectSource:
    """Pictures with outlines, the maps of a run, and the blur that goes with them."""

    dataset: Dataset
    maps: Mapping[str, Maps]
    sigma: float | None
    notes: tuple[str, ...] = ()


def open_source(
    source: str,
    *,
    gaze: Path | None = None,
    options: Mapping[str, Any] | None = None,
    methods: Sequence[str] | None = None,
    split: str | None = None,
) -> ObjectSource:
    """Open a data set or a run folder.

    Raises:
        UsageError: neither; ``methods`` of a data set, a method that the run lacks, or a split that
            is not there.
        EmomapError: no picture has outlined objects, or a file is damaged.
    """
    if results.is_run(Path(source)):
        if gaze is not None or options:
            raise UsageError(f"{source}: a run has its own data; leave --gaze and --set out")
        opened = of_run(results.read(Path(source)), methods)
    elif methods is not None:
        raise UsageError(f"--methods: {source} is not a run folder; name maps with --maps")
    else:
        dataset = datasets.open_dataset(source, gaze=gaze, options=dict(options or {}))
        if dataset.doubt:
            raise EmomapError(f"{source}: {dataset.doubt}")
        opened = ObjectSource(dataset, {}, dataset.sigma)
    chosen = opened.dataset
    if split and split != "all":
        chosen = replace(chosen, samples=tuple(s for s in chosen if s.split == split))
        if not chosen.samples:
            raise UsageError(f"--split {split}: {chosen.name} has no pictures in it")
    outlined = tuple(s for s in chosen if s.objects_source is not None)
    if not outlined:
        raise EmomapError(
            f"{source}: no picture of {chosen.name} has outlined objects; put them into objects/ "
            "as COCO json, see docs/datasets.md"
        )
    notes = list(opened.notes)
    if len(outlined) < len(chosen):
        notes.append(f"{len(chosen) - len(outlined)} pictures have no outlined objects")
    return replace(opened, dataset=replace(chosen, samples=outlined), notes=tuple(notes))


def of_run(run: results.Results, methods: Sequence[str] | None = None) -> ObjectSource:
    """The pictures of a run that have outlined objects, and the maps of its methods that are left.

    Args:
        run: a finished run.
        methods: of its rows; None for all.

    Raises:
        UsageError: a method that the run lacks.
        EmomapError: the data set is no longer where it was.
    """
    known = run.methods
    unknown = [name for name in methods or () if name not in run.rows]
    if unknown:
        raise UsageError(f"--methods {unknown[0]}: the run has {', '.join(known)}")
    dataset = run.dataset()
    scored = {
        image for table in run.values.values() for column in table.values() for image in column
    }
    samples = tuple(s for s in dataset if s.id in scored and s.objects_source is not None)
    maps: dict[str, Maps] = {}
    without = []
    for name in methods or known:
        if files := run.maps(name):
            maps[name] = (files, run.kind(name))
        elif name != CEILING:  # people among themselves
            without.append(name)
    notes = (f"no maps are left of: {', '.join(without)}",) if without else ()
    sigma = run.protocol(dataset).sigma
    return ObjectSource(replace(dataset, samples=samples), maps, sigma, notes)


def measured(
    source: ObjectSource,
    given: Sequence[MapsOf],
    *,
    statistic: str = "max",
    first: int = 1,
    sigma: float | None = None,
    stretch: bool = False,
    seed: int = 0,
    jobs: int | None = None,
    show: bool = True,
) -> tuple[list[Measured], Prioritisation]:
    """Measure all pictures of a source, and summarise.

    Args:
        source: see `open_source`.
        given: folders of maps, beside those of the source.
        statistic, first: see `ObjectProtocol`.
        sigma: blur of the fixations in pixels; None for that of the source.
        stretch: accept maps of another aspect ratio.
        seed: of bootstrap and permutations.
        jobs: processes; None for one a processor.
        show: progress on stderr.

    Raises:
        UsageError: two models of one name.
        EmomapError: nothing could be measured.
    """
    dataset, maps = source.dataset, dict(source.maps)
    for entry in given:
        if entry.name in maps:
            raise UsageError(f"--maps {entry.name}=...: there is a model of this name already")
        maps[entry.name] = (entry.files(dataset.samples), "map")
    protocol = Protocol(("cc",), sigma=sigma or source.sigma, stretch=stretch)
    how = ObjectProtocol(protocol, statistic, first)
    items = to_measure(dataset.samples, maps)
    results_of = measure_all(items, how, jobs=jobs)
    found = list(track(results_of, total=len(items), label="objects", show=show))
    notes = [*source.notes, *_gaps(items, maps), *_built(dataset, how)]
    if dataset.synthetic:
        notes.append("synthetic: no evidence about people")
    return found, summarise(dataset.name, found, how, seed=seed, notes=notes)


def _gaps(items: Sequence[Any], maps: Mapping[str, Maps]) -> list[str]:
    missing = {name: sum(name not in item.maps for item in items) for name in maps}
    return [f"{name} has no map of {count} pictures" for name, count in missing.items() if count]


def _built(dataset: Dataset, how: ObjectProtocol) -> list[str]:
    """What the simulated observers of `demo` were built with, beside what is measured."""
    if dataset.layout != "demo" or how.protocol.sigma != demo.SIGMA:
        return []
    level = demo.level_of(dataset)
    number = demo.PRIORITISATION[level][how.statistic]
    return [
        f"the observers of demo (level {level}) were built with a prioritisation of {number:.3f}; "
        f"{demo.FACE_FIRST:.0%} of them look at the face first"
    ]
