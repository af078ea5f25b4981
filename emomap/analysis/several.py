"""Several sets of maps against the same gaze: scores of each, ranks, and paired tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emomap.analysis.compare import compare_entries
from emomap.analysis.comparison import ComparedMethod, Comparison
from emomap.data.emotion_tables import is_table
from emomap.errors import EmomapError, UsageError, listed
from emomap.scoring.emotions.scores import EmotionScores
from emomap.scoring.folders import score
from emomap.scoring.per_image import PerImage
from emomap.scoring.scores import Scores
from emomap.tables import Table

AnyScores = Scores | EmotionScores


@dataclass(frozen=True, repr=False)
class Ranked:
    """Scores of several sets of maps, or tables of emotions, ranked.

    Attributes:
        scores: name of the set -> its scores, in the order in which they were given.
        comparison: on the images that all have; see `emomap.analysis.compare`.
    """

    scores: Mapping[str, AnyScores]
    comparison: Comparison

    def render(self, form: str, *, explain: bool = False) -> str:
        """The ranked table and the tests as "table", "md", "latex"; all values as "json", "csv".

        Args:
            form: one of these.
            explain: add the signature in full and in words.
        """
        if form == "json":
            return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        if form == "csv":
            return self.means().render("csv")
        return self.comparison.render(form, in_words=explain)

    def to_dict(self) -> dict[str, Any]:
        """What ``--format json`` prints."""
        return {
            "methods": {name: scores.to_dict() for name, scores in self.scores.items()},
            "comparison": self.comparison.to_dict(),
        }

    def means(self) -> Table:
        """A row for each set and metric, in full precision, for programs."""
        header = ["method", "metric", "mean", "low", "high", "n", "mean_rank", "signature"]
        rows = []
        for name, scores in self.scores.items():
            signed = scores.signatures()
            for metric, cell in scores.summary().items():
                numbers = [cell[key] for key in ("mean", "low", "high", "n")]
                numbers.append(self.comparison.ranks.get(name))
                shown = ["" if value is None else repr(value) for value in numbers]
                rows.append([name, metric, *shown, signed[metric]])
        return Table(header, rows)

    def __repr__(self) -> str:
        """The tables, for a session."""
        return self.render("table").rstrip()


def rank(
    predictions: Sequence[str | Path],
    truth: str | Path,
    *,
    against: str | None = None,
    allow_missing: bool = False,
    seed: int = 0,
    keep: str | Path | None = None,
    videos: bool = False,
    **choices: Any,
) -> Ranked:
    """Score several sets of maps against the same gaze, rank them, and test their differences.

    Args:
        predictions: two or more folders of maps, or files of maps of one picture.
        truth: as for `emomap.scoring.folders.score`.
        against: name of the set with which the others are compared; by default the first.
        allow_missing: compare on the images that all have.
        seed: of the permutations.
        keep: file for the values of each image; the name of each set goes before its ending.
        videos: average over the frames of each video first, and compare videos.
        **choices: as for `emomap.scoring.folders.score`.

    Raises:
        UsageError: fewer than two sets, or ``against`` is none of them.
        EmomapError: as `emomap.scoring.folders.score`.
    """
    paths = [Path(path) for path in predictions]
    if len(paths) < 2:
        raise UsageError("one set of maps alone has no rank; add another")
    names = unique_names(paths)
    if against is not None and against not in names:
        raise UsageError(f"--against {against}: there are {', '.join(names)}")
    scored = {
        name: score(
            path,
            truth,
            allow_missing=allow_missing,
            seed=seed,
            keep=beside(Path(keep), name) if keep else None,
            videos=videos,
            **choices,
        )
        for name, path in zip(names, paths, strict=True)
    }
    entries = [
        _entry(name, path, scored[name].per_unit()) for name, path in zip(names, paths, strict=True)
    ]
    if all(path.is_file() and not is_table(path) for path in paths):
        _check_one_picture(entries)
    compared = compare_entries(
        entries,
        against=against,
        allow_missing=allow_missing,
        seed=seed,
        unit="videos" if videos else "images",
    )
    return Ranked(scored, compared)


def unique_names(paths: Sequence[Path]) -> list[str]:
    """A name for each path: its own, with as many of its folders as tell it from the others.

    Raises:
        UsageError: one path is there twice.
    """
    whole = [path.resolve() for path in paths]
    doubled = next((p for p, w in zip(paths, whole, strict=True) if whole.count(w) > 1), None)
    if doubled:
        raise UsageError(f"{doubled}: given twice")
    parts = [(*path.parts[1:-1], path.stem if path.is_file() else path.name) for path in whole]
    depth = 1
    while len({part[-depth:] for part in parts}) < len(parts):
        if depth > max(map(len, parts)):  # a.png and a.npy
            return [path.name for path in whole]
        depth += 1
    return ["/".join(part[-depth:]) for part in parts]


def beside(file: Path, name: str) -> Path:
    """The file of one of several sets: scores.csv -> scores-NAME.csv."""
    return file.with_name(f"{file.stem}-{name.replace('/', '-')}{file.suffix}")


def _entry(name: str, path: Path, values: PerImage) -> ComparedMethod:
    columns = {metric: column for metric in values.metrics if (column := values.by_image(metric))}
    return ComparedMethod(name, path, columns, values.signed_all(), facts=values.facts)


def _check_one_picture(entries: Sequence[ComparedMethod]) -> None:
    """Refuse single maps of different pictures.

    Raises:
        EmomapError: they are of different pictures of a data set.
    """
    images = {image for e in entries for column in e.values.values() for image in column}
    if len(images) > 1:
        raise EmomapError(
            f"single maps are compared on one picture, and these are of {listed(sorted(images))}; "
            "give the folders that hold the maps of each method"
        )
