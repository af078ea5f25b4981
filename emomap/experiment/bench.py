"""`bench`: train, predict, score, rank. Composition only: each step is a stage of its own.

Everything a step makes lies in the run folder, so a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emomap import io, metrics, parallel, predict, recipes
from emomap import method as methods
from emomap._version import __version__
from emomap.analysis import ranking
from emomap.errors import EmomapError, UsageError
from emomap.experiment import finish
from emomap.experiment.contender import Contender
from emomap.method import Method
from emomap.parallel import launched
from emomap.progress import say, track
from emomap.runs.folder import Run
from emomap.sample import Dataset, Sample, Split
from emomap.scoring.image import MapToScore, Scored, score_items, truths
from emomap.scoring.observers import score_observers
from emomap.scoring.pool import pool_fixations
from emomap.scoring.protocol import Protocol, available, check_metrics, missing_inputs
from emomap.scoring.rows import Row, append_rows, read_rows, resume_rows
from emomap.scoring.summary import interval
from emomap.tables import Table, html
from emomap.training import train


@dataclass(repr=False)
class Bench:
    """A benchmark run: what it does, and, once `run` has returned, what came out.

    It prints as its table. The other attributes are what `prepare` was asked for.

    Attributes:
        summary: what `summary.json` holds.
        failed: one line for each picture that some method could not do.
    """

    dataset: Dataset
    table: Mapping[str, Any]
    contenders: Sequence[Contender]
    folder: Run
    split: Split | None
    seed: int = 0
    device: str = "auto"
    jobs: int | None = None
    checkpoints: Mapping[str, Path] = field(default_factory=dict)
    show: bool = True
    shard: tuple[int, int] | None = None
    failed: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    _rows: dict[str, list[Row]] = field(default_factory=dict)
    _accuracy: dict[str, dict[str, Any]] = field(default_factory=dict)
    _remarks: list[str] = field(default_factory=list)

    # ------------------------------------------------------------------------------ the samples

    def part(self, split: Split | None) -> Dataset:
        """The samples of a split; all of them for a data set without splits."""
        return self.dataset.split(split) if split else self.dataset

    def gazed(self, split: Split | None) -> list[Sample]:
        """The samples of a split that have gaze."""
        return [s for s in self.part(split) if s.gaze_source is not None]

    def mine(self) -> list[Sample]:
        """The samples that are shown and scored: those of the split, or of this shard of it.

        Whole batches go to a shard, so that networks see the same batches as in one run.
        """
        return parallel.shard(list(self.part(self.split)), self.shard, predict.BATCH)

    # --------------------------------------------------------------------------------- the run

    def run(self) -> None:
        """Do everything that is not done yet, and write summary and table.

        Raises:
            UsageError: it was started several times at once, as only a training can be.
            EmomapError: a shard without pictures, or no method gave a result.
        """
        if launched().processes > 1:
            raise UsageError(
                "a launcher (torchrun, srun) has started several processes, which only `emomap "
                "train` makes use of; train with it, then run `emomap bench` by itself on the "
                "same --out"
            )
        if self.shard and not self.mine():
            raise EmomapError(
                f"shard {self.shard[0]}/{self.shard[1]} has no pictures: the "
                f"{len(self.part(self.split))} there are go to the shards in batches of "
                f"{predict.BATCH}, so take fewer shards"
            )
        protocol, remarks = self._protocol()
        for index, contender in enumerate(self.contenders, 1):
            if self.show:
                say(f"[{index}/{len(self.contenders)}] {contender.name}")
            for name, maps in self._maps(contender).items():
                if protocol.metrics:
                    self._score(name, maps, protocol)
        if protocol.metrics:
            self._ceiling(protocol)
        self._summarise(protocol, remarks)

    def gather(self, names: Sequence[str], failed: Sequence[str]) -> None:
        """Summary and table of what lies in the run folder already, computing no row.

        Args:
            names: methods, in the order of the table.
            failed: what could not be done when the rows were made.
        """
        protocol, remarks = self._protocol()
        self.failed += failed
        for name in names:
            if rows := read_rows(self.folder.rows(name)):
                self._rows[name] = rows
            if (table := self.folder.method(name) / "predictions.jsonl").exists():
                self._classify(name, table)
        self._summarise(protocol, remarks)

    def _protocol(self) -> tuple[Protocol, list[str]]:
        """How maps are scored: the recipe, fitted to the gaze that this data set has."""
        numbers = self.table["score"]
        wanted = check_metrics(numbers["metrics"])
        sigma = None if numbers["sigma"] == "auto" else float(numbers["sigma"])
        protocol = Protocol(
            wanted,
            numbers["convention"],
            numbers["resize"],
            sigma or self.dataset.sigma,
            numbers["emd_downsize"],
            numbers["stretch"],
        )
        samples = self.gazed(self.split)
        remarks = [*self.dataset.notes]
        without = len(self.part(self.split)) - len(samples)
        if not samples:
            remarks.append("no gaze in this data set, so maps are not scored (--gaze PATH adds it)")
            return Protocol(metrics=()), remarks
        if without:
            remarks.append(f"{without} images have no gaze and are not scored")
        first = samples[0].gaze()
        omitted = missing_inputs(wanted, available(first) if first else set())
        remarks += [f"left out: {name} ({reason})" for name, reason in omitted.items()]
        kept = tuple(name for name in wanted if name not in omitted)
        return Protocol(kept, *list(vars(protocol).values())[1:]), remarks

    # ------------------------------------------------------------------------------- the maps

    def _maps(self, contender: Contender) -> dict[str, Mapping[str, Path]]:
        """Row name -> image -> map file; makes the maps that are missing."""
        samples = [sample for sample in self.mine() if sample.gaze_source is not None]
        if contender.folder is not None:
            found = io.maps_by_id(contender.folder)
            pairs = io.pair(found, [s.id for s in samples])
            lost = [s.id for s in samples if s.id not in pairs]
            if lost:
                raise EmomapError(
                    f"{contender.folder}: no map for {', '.join(lost[:10])} ({len(lost)} in all)"
                )
            return {contender.name: {image: found[stem] for image, stem in pairs.items()}}
        assert contender.cls is not None
        folder = self.folder.maps / contender.name
        if not contender.trainable:
            method = contender.make(self.table)
            method.fit(self.part("train"), self.part("val"))
            outcomes = predict.predict_maps(
                method,
                samples,
                folder,
                jobs=self.jobs,
                label=f"maps of {contender.name}",
                show=self.show,
            )
            self._fail(outcomes)
            return {contender.name: self._files(folder, samples)}
        return self._trained_maps(contender, folder, samples)

    def _trained_maps(
        self, contender: Contender, folder: Path, samples: Sequence[Sample]
    ) -> dict[str, Mapping[str, Path]]:
        method = contender.make(self.table)
        home = self.folder.method(contender.name)
        self._train(method, contender, home)
        shown = self.mine()
        outcomes = predict.predict_batches(
            method,
            shown,
            folder,
            home / "predictions.jsonl",
            label=f"maps of {contender.name}",
            show=self.show,
        )
        self._fail(outcomes)
        self._classify(contender.name, home / "predictions.jsonl")
        if not method.gives_map:
            return {}
        found: dict[str, Mapping[str, Path]] = {contender.name: self._files(folder, samples)}
        if self.table["bench"]["finish"]:
            found |= self._finished(contender.name, method, found[contender.name])
        return found

    def _train(self, method: Any, contender: Contender, home: Path) -> None:
        from emomap.nn.network import device_name

        self.folder.write_environment(device=device_name(self.device))
        if contender.name in self.checkpoints:
            method.load(self.checkpoints[contender.name], device=self.device)
            return
        train(
            method,
            self.part("train"),
            self.part("val"),
            recipes.training(self.table, contender.base or contender.name),
            home,
            seed=self.seed,
            device=self.device,
            progress=self.show,
        )

    def trained(self, contender: Contender) -> Method:
        """The method of a contender with what it has learned; trains it unless that is done."""
        method = contender.make(self.table)
        self._train(method, contender, self.folder.method(contender.name))
        return method

    def train_only(self) -> Path:
        """Train the trainable contenders and nothing more; the path of the last checkpoint.

        Raises:
            UsageError: none of them learns anything.
        """
        trainable = [contender for contender in self.contenders if contender.trainable]
        if not trainable:
            raise UsageError(f"{self.contenders[0].name} has nothing to train")
        for contender in trainable:
            self.trained(contender)
        return self.folder.method(trainable[-1].name) / "checkpoint.pt"

    def _files(self, folder: Path, samples: Sequence[Sample]) -> dict[str, Path]:
        paths = {s.id: predict.map_path(folder, s.id) for s in samples}
        return {image: path for image, path in paths.items() if path.exists()}

    def _fail(self, outcomes: Sequence[predict.Outcome]) -> None:
        for outcome in outcomes:
            line = outcome.problem or ""
            if line not in self.failed:
                self.failed.append(line)

    # --------------------------------------------------------------- smoothing and centre prior

    def _finished(
        self, name: str, method: Method, raw: Mapping[str, Path]
    ) -> dict[str, Mapping[str, Path]]:
        """The rows NAME-smooth and NAME-center, with numbers chosen on the validation split."""
        home = self.folder.method(name)
        chosen = home / "finish.json"
        if not chosen.exists():
            samples = self.gazed("val") if self.dataset.splits else []
            if not samples:
                say(f"{name}: no validation split with gaze, so no smoothed rows")
                return {}
            io.write_text(chosen, json.dumps(self._choose(name, method, samples)) + "\n")
        numbers = json.loads(chosen.read_text("utf-8"))
        found: dict[str, Mapping[str, Path]] = {}
        for kind in ("smooth", "center"):
            row = f"{name}-{kind}"
            with_prior = finish.Finish(**numbers[kind])
            for image, path in raw.items():
                target = predict.map_path(self.folder.maps / row, image)
                if not target.exists():
                    values = finish.shrink(io.read_map(path))
                    io.write_map(target, with_prior.apply(values, center_prior(values.shape)))
            found[row] = {i: predict.map_path(self.folder.maps / row, i) for i in raw}
        return found

    def _choose(self, name: str, method: Method, samples: Sequence[Sample]) -> dict[str, Any]:
        home = self.folder.method(name)
        folder = home / "validation"
        outcomes = predict.predict_batches(
            method,
            samples,
            folder,
            home / "validation.jsonl",
            label=f"validation maps of {name}",
            show=self.show,
        )
        self._fail(outcomes)
        protocol = Protocol(metrics=("cc",), sigma=self.dataset.sigma, stretch=True)
        maps, centers, densities = [], [], []
        for image, path in self._files(folder, samples).items():
            gaze = next(s for s in samples if s.id == image).gaze()
            assert gaze is not None
            density = truths(gaze, protocol, image)["density"]
            maps.append(finish.shrink(io.read_map(path)))
            centers.append(center_prior(maps[-1].shape))
            densities.append(metrics.resize(density, maps[-1].shape, method="area"))
        smooth, center = finish.choose(maps, centers, densities)
        return {"smooth": vars(smooth), "center": vars(center)}

    # ------------------------------------------------------------------------ rows and summary

    def _score(self, name: str, maps: Mapping[str, Path], protocol: Protocol) -> None:
        """Add the rows of a method that are not there yet."""
        sources = {s.id: s.gaze for s in self.gazed(self.split)}
        items = [MapToScore(image, file, sources[image]) for image, file in maps.items()]

        def work(todo: Sequence[MapToScore]) -> Iterator[Scored]:
            nonfixations = self._nonfixations(protocol)
            return score_items(todo, protocol, jobs=self.jobs, nonfixations=nonfixations)

        self._add_rows(name, items, protocol, work)

    def _add_rows(
        self,
        name: str,
        items: Sequence[MapToScore],
        protocol: Protocol,
        work: Callable[[Sequence[MapToScore]], Iterator[Scored]],
    ) -> None:
        path = self.folder.rows(name)
        rows = resume_rows(path, protocol.metrics)
        done = {row.image for row in rows}
        todo = [item for item in items if item.id not in done]
        signatures = {metric: protocol.signature(metric) for metric in protocol.metrics}
        for result in track(
            work(todo) if todo else (),
            total=len(items),
            done=len(items) - len(todo),
            label=f"scores of {name}",
            show=self.show,
        ):
            if result.problem:
                self._fail([predict.Outcome(result.id, result.problem)])
                continue
            new = [
                Row(self.dataset.name, name, result.id, metric, value, signatures[metric])
                for metric, value in result.values.items()
            ]
            append_rows(path, new)
            rows += new
        if rows:
            self._rows[name] = rows

    def _nonfixations(self, protocol: Protocol) -> Path | None:
        if not protocol.needs() & {"other", "baseline"}:
            return None
        path = self.folder.folder / "fixations.npz"
        if path.exists():
            return path
        gazes = ((s.id, gaze) for s in self.gazed(self.split) if (gaze := s.gaze()))
        return pool_fixations(gazes, path)

    def _ceiling(self, protocol: Protocol) -> None:
        """The row of the observers, each predicted by the others, where fixations have owners."""
        samples = self.gazed(self.split)
        gaze = samples[0].gaze()
        if gaze is None or gaze.observers is None or not self.table["bench"]["ceiling"]:
            return
        names = [n for n in protocol.metrics if "density" not in metrics.CATALOGUE[n].inputs]
        if not names:
            return
        ours = replace(protocol, metrics=tuple(names))
        score = partial(score_observers, protocol=ours, nonfixations=self._nonfixations(ours))

        def work(todo: Sequence[MapToScore]) -> Iterator[Scored]:
            return parallel.ordered(score, todo, jobs=self.jobs, chunk=10)

        items = [
            MapToScore(s.id, s.image_file, s.gaze) for s in self.mine() if s.gaze_source is not None
        ]
        self._add_rows(ranking.CEILING, items, ours, work)

    def _classify(self, name: str, table: Path) -> None:
        """Accuracy and confusion matrix on the labelled images of the split."""
        guesses = predict.read_emotions(table)
        foreign = set(guesses.values()) - set(self.dataset.classes)
        if foreign and self.dataset.classes:
            self._remarks.append(
                f"{name}: no accuracy, since it knows emotions ({', '.join(sorted(foreign))}) that "
                f"{self.dataset.name} has not"
            )
        pairs = [
            (s.emotion, guesses[s.id])
            for s in self.part(self.split)
            if s.emotion is not None and s.id in guesses
        ]
        if foreign or not pairs:
            return
        truth, guess = (np.array(column) for column in zip(*pairs, strict=True))
        hits = interval([float(hit) for hit in truth == guess], self.seed)
        self._accuracy[name] = {
            "accuracy": hits["mean"],
            "accuracy_interval": [hits["low"], hits["high"]],
            "confusion": metrics.confusion_matrix(guess, truth, self.dataset.classes).tolist(),
        }

    def _summarise(self, protocol: Protocol, remarks: Sequence[str]) -> None:
        if not set(self._rows) - {ranking.CEILING} and not self._accuracy:
            raise EmomapError("no method gave a result; " + "; ".join(self.failed[:3]))
        values = ranking.collect(self._rows) if self._rows else {}
        summary = ranking.means(values, self.seed)
        n_images = max((c["n"] for t in summary.values() for c in t.values()), default=0)
        names = [*summary, *(name for name in self._accuracy if name not in summary)]
        folders = {c.name: str(c.folder.resolve()) for c in self.contenders if c.folder}
        entries = {
            name: {
                "accuracy": None,
                **self._accuracy.get(name, {}),
                **({"maps": folders[name]} if name in folders else {}),
                "metrics": summary.get(name, {}),
            }
            for name in names
        }
        share = ranking.ceiling_share(summary, "nss")
        self.summary.update(
            dataset=self.dataset.name,
            synthetic=self.dataset.synthetic,
            split=self.split or "whole",
            n_images=n_images or len(self.part(self.split)),
            seed=self.seed,
            emomap=__version__,
            signature=protocol.signature(seed=self.seed),
            classes=list(self.dataset.classes),
            methods=entries,
            ranks=ranking.mean_ranks(summary),
            tests=ranking.paired_tests(values, self.seed),
            ceiling_share={"nss": share} if share else {},
            remarks=[*remarks, *self._remarks],
            failed=self.failed,
        )
        self._write()

    def _write(self) -> None:
        root = self.folder.folder
        io.write_text(root / "summary.json", json.dumps(self.summary, indent=1) + "\n")
        io.write_text(root / "table.md", "\n".join(t.render("md") for t in self.tables()))
        if self._accuracy:
            self._draw_confusions()
        if self.table["bench"]["report"]:
            from emomap import report

            if self.show:
                say("writing the report")
            report.write(root)

    def _draw_confusions(self) -> None:
        from emomap.report.figure import draw_confusion

        for name, entry in self._accuracy.items():
            words = [name, f"accuracy {100 * entry['accuracy']:.1f}%", self.dataset.name]
            title = ", ".join(words) + (" (SYNTHETIC)" if self.dataset.synthetic else "")
            target = self.folder.method(name) / "confusion.png"
            draw_confusion(entry["confusion"], self.dataset.classes, title, target)

    def tables(self, *, intervals: bool = True) -> list[Table]:
        """The ranked table, then a confusion matrix for each classifier."""
        return [ranking.ranked_table(self.summary, intervals=intervals), *self.confusions()]

    def confusions(self) -> list[Table]:
        """The confusion matrix of each classifier."""
        return ranking.confusion_tables(self.summary)

    def to_pandas(self) -> Any:
        """All rows as a data frame (needs pandas)."""
        import pandas

        return pandas.DataFrame([vars(row) for rows in self._rows.values() for row in rows])

    def to_latex(self) -> str:
        """The ranked table for a paper."""
        return self.tables(intervals=False)[0].render("latex")

    def __repr__(self) -> str:
        """The tables once there are any, for a session."""
        if not self.summary:
            return f"<benchmark of {len(self.contenders)} methods on {self.dataset.name}>"
        return "\n".join(table.render("table") for table in self.tables()).rstrip()

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return "".join(html(table) for table in self.tables())


def center_prior(shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The centre prior of the row `center`, scaled to 0..1."""
    blank = np.zeros((*shape, 3), dtype=np.uint8)
    prior = methods.load("center")().predict([blank])[0].map
    return finish.unit(np.asarray(prior, dtype=np.float64))


def bench(names: Sequence[str] = ("islamnet",), **choices: Any) -> Bench:
    """Train, extract, score and rank, as `emomap bench` does.

    Args:
        names: methods: of the registry, ``package.module:Name``, or ``NAME=FOLDER`` of maps.
        **choices: those of `prepare`.

    Returns:
        The finished run, with `Bench.summary`, `Bench.to_pandas` and `Bench.to_latex`.

    Raises:
        UsageError, EmomapError: as `prepare`; or pictures, gaze or maps that cannot be read.
    """

    from emomap.experiment.prepare import prepare

    run = prepare(names, **choices)
    run.run()
    return run
