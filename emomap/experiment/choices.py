"""What a user may choose about a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emomap import data as datasets
from emomap.errors import UsageError
from emomap.explain.kinds import PREDICTED, Explanation, check_explanations
from emomap.io.kinds import MapKind
from emomap.sample import Split


@dataclass(frozen=True)
class Choices:
    """What a user may choose about a run: the keyword arguments of `emomap.bench`.

    Attributes:
        names: methods: of the registry, ``package.module:Name``, or ``NAME=FOLDER`` of maps.
        data: an embedded data set, or a folder or archive, see `emomap.data.open_dataset`.
        recipe_name: "demo", "paper", "modern" or a TOML file; by default "demo" for the set `demo`.
        settings: changes of the recipe, ``["training.epochs=3"]``.
        gaze: where the gaze is, if it is kept apart from the pictures.
        points: what the coordinates of fixations are, see `emomap.data.opening.open_gaze`.
        marks_threshold: from which on a mark of a fixation map counts, as there.
        split: "train", "val", "test" or "all"; by default "test" where there is one.
        checkpoints: method -> file of a trained network, which is then not trained.
        protocol, baseline: instead of those of the recipe, see `emomap.scoring.protocol.Protocol`.
        predictions: name of a folder of maps -> what their values are, "density" or "log-density".
        baselines: whether the baselines of the recipe take part.
        controls: make the controls of each network's map, see `emomap.sanity.controls`; always so
            for table 3 of the paper.
        skip_unreadable: leave out training pictures that cannot be read, instead of ending.
        loggers: what trainings report to, see `emomap.training.loggers`.
        fold: (k, n) to test on the k-th of n parts of the labelled pictures and to learn from the
            others, instead of the splits of the data set.
        paper_table: a table of the paper (1 to 3): its methods, its metrics and nothing else.
        explain: kinds of explanation maps to make of each network, see `emomap.explain.kinds`.
        layer: name of the layer that is explained; "" for the default.
        explained: the class that is explained: "predicted", "true", or its name.
        class_names: names of the classes of somebody's own classifier.
        trust: run model files that are programs (TorchScript, `torch.export`).
        by, groups: break the table down by groups of images, see `emomap.analysis.grouping`.
        out: run folder; by default ``runs/DATA-RECIPE-seedN``. An unfinished run there is resumed.
        resume: False to refuse a folder that holds a run.
        seed: random seed.
        device: "auto" (the GPU where there is one), "cpu", "cuda", "cuda:1", "mps".
        jobs: processes; None for one per processor.
        shard: (i, n) to do only the i-th of n parts of the images, see `emomap.experiment.merge`.
        show: report progress on stderr.
    """

    names: Sequence[str] = ("islamnet",)
    data: str = "demo"
    recipe_name: str | None = None
    settings: Sequence[str] = ()
    gaze: str | Path | None = None
    points: str | None = None
    marks_threshold: float | None = None
    split: str | None = None
    checkpoints: Mapping[str, Path] | None = None
    protocol: str | None = None
    baseline: str | None = None
    predictions: Mapping[str, MapKind] | None = None
    baselines: bool = True
    controls: bool = False
    skip_unreadable: bool = False
    loggers: Sequence[str] = ()
    fold: tuple[int, int] | None = None
    paper_table: int | None = None
    explain: Sequence[str] = ()
    layer: str = ""
    explained: str = PREDICTED
    class_names: Sequence[str] = ()
    trust: bool = False
    by: str = ""
    groups: Path | None = None
    out: str | Path | None = None
    resume: bool = True
    seed: int = 0
    device: str = "auto"
    jobs: int | None = None
    shard: tuple[int, int] | None = None
    show: bool = True

    @property
    def recipe(self) -> str:
        """The name or file of the recipe."""
        return self.recipe_name or ("demo" if self.data == "demo" else "paper")

    @property
    def embedded(self) -> bool:
        """True for a data set that comes with emomap."""
        return self.data in datasets.EMBEDDED

    @property
    def gaze_options(self) -> dict[str, Any]:
        """What was said of how fixations are read: options of `emomap.data.open_dataset`."""
        said = {"points": self.points, "marks_threshold": self.marks_threshold}
        return {name: value for name, value in said.items() if value is not None}

    @property
    def score_numbers(self) -> dict[str, str]:
        """What was said instead of numbers in the section ``score`` of the recipe."""
        said = {"protocol": self.protocol, "baseline": self.baseline}
        return {name: value for name, value in said.items() if value is not None}

    @property
    def explanations(self) -> list[Explanation]:
        """What `explain`, `layer` and `explained` say together.

        Raises:
            UsageError: an unknown kind, or a layer without a kind.
        """
        kinds = check_explanations(self.explain)
        if not kinds and (self.layer or self.explained != PREDICTED):
            raise UsageError("--layer and --explained say how --explain works; give it too")
        return [Explanation(kind, self.layer, self.explained) for kind in kinds]

    def run_folder(self, dataset: str) -> Path:
        """Where the run is kept.

        Args:
            dataset: name of the data set.
        """
        if self.out:
            return Path(self.out)
        table = f"-table{self.paper_table}" if self.paper_table else ""
        fold = f"-fold{self.fold[0]}of{self.fold[1]}" if self.fold else ""
        shard = f"-shard{self.shard[0]}of{self.shard[1]}" if self.shard else ""
        return (
            Path("runs") / f"{dataset}-{Path(self.recipe).stem}{table}-seed{self.seed}{fold}{shard}"
        )

    def record(self, split: Split | None) -> dict[str, Any]:
        """What `recipe.toml` keeps below ``run``: the choices that change a result.

        Args:
            split: the one that is scored; None for all samples.
        """
        checkpoints = sorted((self.checkpoints or {}).items())
        return {
            "recipe": self.recipe,
            "data": self.data if self.embedded else _absolute(self.data),
            "gaze": "" if self.gaze is None else str(Path(self.gaze).resolve()),
            **self.gaze_options,
            "split": split or "whole",
            "seed": self.seed,
            **({"fold": f"{self.fold[0]}/{self.fold[1]}"} if self.fold else {}),
            **({"shard": f"{self.shard[0]}/{self.shard[1]}"} if self.shard else {}),
            **self._explain_record(),
            **{f"checkpoint_{name}": str(Path(file).resolve()) for name, file in checkpoints},
            **{f"prediction_{n}": kind for n, kind in sorted((self.predictions or {}).items())},
        }

    def _explain_record(self) -> dict[str, str]:
        """What is kept of explanations. Kinds may be added to a run, so they are not kept."""
        if not self.explain:
            return {}
        said = {"layer": self.layer, "explained": self.explained}
        return {f"explain_{key}": value for key, value in said.items() if value}


def _absolute(data: str) -> str:
    """The absolute path of a data set, behind its layout if one is named."""
    layout, separator, path = data.partition(":")
    if separator and layout in datasets.LAYOUTS:
        return f"{layout}:{Path(path).resolve()}"
    return str(Path(data).resolve())
