"""`Results`: a finished run folder, read back for the report, comparisons and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emomap import io, predict, recipes
from emomap.errors import EmomapError, UsageError
from emomap.io.kinds import MapKind
from emomap.runs import schemas
from emomap.runs.folder import Run
from emomap.sample import Dataset
from emomap.scoring.protocol import Protocol
from emomap.scoring.rows import by_metric, read_rows
from emomap.scoring.signature import of_means, seeded
from emomap.scoring.summary import all_metrics
from emomap.tables import Table, load_pandas


@dataclass(frozen=True)
class Results:
    """What a run wrote.

    Attributes:
        folder: of the run.
        recipe: every number that the run depended on, flat (``{"score.sigma": "auto", ...}``).
        environment: versions, machine, command.
        summary: what `summary.json` holds.
    """

    folder: Path
    recipe: dict[str, Any]
    environment: dict[str, Any]
    summary: dict[str, Any]

    @property
    def methods(self) -> list[str]:
        """The rows of the ranked table, best mean rank first, then those without a rank."""
        controls = controlled(self.summary)
        return [name for name in self.rows if name not in controls]

    @property
    def rows(self) -> list[str]:
        """The names of all rows, those of `methods` and of the controls of networks."""
        ranked = list(self.summary["ranks"])
        return ranked + [name for name in self.summary["methods"] if name not in ranked]

    @property
    def metrics(self) -> list[str]:
        """The metrics of the run, in the order of its table."""
        return all_metrics([entry["metrics"] for entry in self.summary["methods"].values()])

    @cached_property
    def values(self) -> dict[str, dict[str, dict[str, float]]]:
        """row -> metric -> image -> value, in the order of `rows`.

        Raises:
            EmomapError: rows are damaged, or fewer than the summary says.
        """
        found: dict[str, dict[str, dict[str, float]]] = {}
        for name in self.rows:
            path = Run(self.folder).rows(name)
            if table := by_metric(read_rows(path)):
                found[name] = table
            for metric, cell in self.summary["methods"][name]["metrics"].items():
                there = len(found.get(name, {}).get(metric, {}))
                if there < cell["n"]:
                    raise EmomapError(
                        f"{path}: has {metric} of {there} images, but the run scored {cell['n']}; "
                        "remove summary.json and run the same command again"
                    )
        return found

    @property
    def compared(self) -> dict[str, dict[str, dict[str, float]]]:
        """The part of `values` that is of `methods`."""
        return {name: self.values[name] for name in self.methods if name in self.values}

    @cached_property
    def signatures(self) -> dict[str, dict[str, str]]:
        """method -> metric -> signature of its values."""
        return {
            name: {row.metric: row.signature for row in read_rows(Run(self.folder).rows(name))}
            for name in self.rows
        }

    def home(self, name: str) -> Path:
        """Where a method keeps its training log."""
        return Run(self.folder).method(name)

    def maps(self, name: str) -> dict[str, io.File]:
        """Image -> map file of a method, for the maps that still exist."""
        images = next(iter(self.values.get(name, {}).values()), {})
        elsewhere = self.summary["methods"][name].get("maps")
        if elsewhere:
            if not Path(elsewhere).exists():
                return {}
            files = io.maps_by_id(Path(elsewhere))
            return {image: files[stem] for image, stem in io.pair(files, images).items()}
        folder = Run(self.folder).maps / name
        return {i: path for i in images if (path := predict.made_map(folder, i))}

    def kind(self, name: str) -> MapKind:
        """What the values of a method's maps are."""
        found: MapKind = self.summary["methods"][name].get("prediction", "map")
        return found

    def means(self) -> Table:
        """A row for each method and metric, in full precision, for programs."""
        header = ["method", "metric", "mean", "low", "high", "n", "mean_rank", "p_holm"]
        lines = []
        for name in self.rows:
            rank = self.summary["ranks"].get(name)
            for metric, cell in self.summary["methods"][name]["metrics"].items():
                test = self.summary.get("tests", {}).get(name, {}).get(metric)
                values = [cell["mean"], cell["low"], cell["high"], cell["n"], rank]
                values.append(test["p_holm"] if test else None)
                signature = self.signatures[name].get(metric, "")
                signed = of_means if "intervals" in self.summary else seeded  # else of 0.1
                signature = signed(signature, self.summary["seed"])
                shown = ["" if value is None else repr(value) for value in values]
                lines.append([name, metric, *shown, signature])
        return Table([*header, "signature"], lines)

    def to_pandas(self) -> Any:
        """All rows as a data frame (needs pandas)."""
        return load_pandas().DataFrame(
            [row.record() for name in self.rows for row in read_rows(Run(self.folder).rows(name))]
        )

    def dataset(self) -> Dataset:
        """The data set of the run, opened again.

        Raises:
            EmomapError: it is no longer where it was.
        """
        from emomap import data as datasets

        spec = self.recipe.get("run.data", "")
        prefix = "data."
        options = {
            key.removeprefix(prefix): value
            for key, value in self.recipe.items()
            if key.startswith(prefix)
        }
        options = options if spec in datasets.EMBEDDED else {}
        for name in ("points", "marks_threshold"):
            if (said := self.recipe.get(f"run.{name}")) is not None:
                options[name] = said
        return datasets.open_dataset(
            spec, gaze=self.recipe.get("run.gaze") or None, options=options
        )

    def protocol(self, dataset: Dataset) -> Protocol:
        """The blur of the run, for drawing gaze."""
        sigma = self.recipe.get("score.sigma", "auto")
        return Protocol(("cc",), sigma=dataset.sigma if sigma == "auto" else float(sigma))


def controlled(summary: Mapping[str, Any]) -> dict[str, str]:
    """Row of each control -> name of its network, from a `summary.json`."""
    entries = summary["methods"].items()
    return {name: entry["control_of"] for name, entry in entries if "control_of" in entry}


def is_run(folder: Path) -> bool:
    """Whether a folder is a run folder, finished or not."""
    return (folder / "recipe.toml").is_file()


def read(folder: Path) -> Results:
    """Read a finished run folder.

    Raises:
        UsageError: not a run folder.
        EmomapError: the run is not finished, or one of its files is damaged.
    """
    if not is_run(folder):
        raise UsageError(f"{folder}: not a run folder of `emomap bench` (it has no recipe.toml)")
    summary = folder / "summary.json"
    if not summary.is_file():
        raise EmomapError(
            f"{folder}: this run is not finished; the command that started it resumes it"
        )
    return Results(
        folder,
        recipes.flat(recipes.read_kept(folder / "recipe.toml")),
        schemas.read_environment(folder / "environment.json"),
        schemas.read_summary(summary),
    )
