"""PAEF: principles-of-art emotion features and a support vector machine (Zhao 2014). No map.

The paper describes the features in words; these are our reading of it, with surrogates for three of
them (see `emomap.vision.art`). So we do not claim to reproduce published accuracies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Len
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap import io, parallel
from emomap._version import __version__
from emomap.errors import EmomapError
from emomap.io.resumable import ResumeFile
from emomap.io.schema import STRICT
from emomap.method import Image, Method, Prediction
from emomap.sample import Dataset, Sample
from emomap.vision import art, symmetry
from emomap.vision.arrays import Array

#: Marks a file as a checkpoint of PAEF.
FORMAT = "emomap paef 1"
#: File in the folder of the training that keeps measured features until `fit` ends.
UNFINISHED = "features.part"
#: The groups of features and how many numbers each has; 165 in all.
GROUPS = {
    "bilateral": 12,
    "rotational": 12,
    "radial": 36,
    "contrasts": 15,
    "focus": 3,
    "harmony": 2,
    "colour_names": 12,
    "gradients": 48,
    "gradation": 9,
    "movement": 16,
}
LENGTH = sum(GROUPS.values())


def features(image: Image, longest: int = 128) -> Array:
    """The 165 features of a picture (H, W, 3), in the order of `GROUPS`; all finite.

    Args:
        longest: a larger picture is first shrunk to this longer side, in pixels.
    """
    from PIL import Image as Pillow

    picture = Pillow.fromarray(image)
    picture.thumbnail((longest, longest), Pillow.Resampling.BICUBIC)
    # keypoints and superpixels need some room
    small = picture.resize((max(picture.width, 32), max(picture.height, 32)))
    pixels = np.asarray(small)
    hsv = np.asarray(small.convert("HSV"), dtype=np.float64) / 255.0
    grey = np.asarray(small.convert("L"), dtype=np.float64) / 255.0
    attention = art.saliency(pixels)
    points = symmetry.keypoints(grey)
    parts = [
        symmetry.bilateral(points, grey.shape),
        symmetry.rotational(points, grey.shape),
        symmetry.radial(grey),
        art.contrasts(pixels, hsv),
        art.focus(attention),
        art.harmony(hsv, grey),
        art.colour_names(pixels),
        art.gradients(grey),
        art.gradation(grey),
        art.scan_path(attention),
    ]
    return np.concatenate(parts)


class PAEF(Method):
    """Hand-made features and an RBF support vector machine; it predicts no map.

    Cross validation on the training split chooses C and gamma by accuracy.

    Args:
        costs: values of C to try.
        gammas: values of gamma to try; features have unit variance.
        folds: number of folds of the cross validation.
        jobs: number of processes; 0 for one for each processor.
    """

    trainable: ClassVar[bool] = True
    gives_map: ClassVar[bool] = False

    def __init__(
        self,
        costs: Sequence[float] = (1.0, 4.0, 16.0),
        gammas: Sequence[float] = (0.0005, 0.002, 0.008),
        folds: int = 5,
        jobs: int = 0,
    ) -> None:
        if not costs or min(costs) <= 0 or not gammas or min(gammas) <= 0:
            raise ValueError(
                f"costs={costs}, gammas={gammas}: expected one or more positive numbers each"
            )
        if folds < 2:
            raise ValueError(f"folds={folds}: expected 2 or more")
        self.costs = [float(cost) for cost in costs]
        self.gammas = [float(gamma) for gamma in gammas]
        self.folds = folds
        self.jobs = jobs
        self.classes: tuple[str, ...] = ()
        self._learnt: dict[str, Any] = {}
        self._machine: Any = None

    # ---------------------------------------------------------------------------------- learning

    def fit(self, train: Dataset, validation: Dataset) -> None:
        """Measure the pictures of the training split, choose C and gamma, and fit.

        Raises:
            EmomapError: a picture cannot be read, or there are fewer than two emotions.
        """
        from sklearn.model_selection import GridSearchCV, StratifiedKFold
        from sklearn.svm import SVC

        samples = [sample for sample in train if sample.emotion is not None]
        labels = np.array([train.classes.index(s.emotion or "") for s in samples])
        if len(set(labels.tolist())) < 2:
            raise EmomapError(
                f"PAEF learns from pictures of two emotions or more; {train.name} has "
                f"{len(set(labels.tolist()))} to train on: add labels.csv (image,emotion)"
            )
        table = self._measure(samples)
        self.classes = train.classes
        center, spread = table.mean(axis=0), table.std(axis=0)
        spread[spread < 1e-12] = 1.0
        scaled = (table - center) / spread
        folds = min(self.folds, int(np.bincount(labels)[np.unique(labels)].min()))
        cost, gamma = self.costs[0], self.gammas[0]
        if folds >= 2 and len(self.costs) * len(self.gammas) > 1:
            search = GridSearchCV(
                SVC(),
                {"C": self.costs, "gamma": self.gammas},
                cv=StratifiedKFold(folds, shuffle=True, random_state=0),
                n_jobs=self.jobs or parallel.processors(),
                refit=False,
            ).fit(scaled, labels)
            cost, gamma = search.best_params_["C"], search.best_params_["gamma"]
        self._learnt = {
            "table": scaled,
            "labels": labels,
            "center": center,
            "spread": spread,
            "cost": np.array(cost),
            "gamma": np.array(gamma),
        }
        self._fit_machine()

    def _measure(self, samples: Sequence[Sample]) -> Array:
        """The features of each sample; those that an interrupted call measured are reused."""
        from emomap.progress import track

        measured = _Measured(self.scratch, samples)
        missing = [sample for sample in samples if sample.id not in measured.rows]
        found = parallel.ordered(_features_of, missing, jobs=self.jobs or None)
        done = len(samples) - len(missing)
        label = "features of paef"
        shown = track(found, total=len(samples), done=done, label=label, show=self.show)
        try:
            for sample, row in zip(missing, shown, strict=True):
                if isinstance(row, str):
                    raise EmomapError(row)
                measured.add(sample, row)
        finally:
            measured.flush()
        return np.array([measured.rows[sample.id] for sample in samples])

    def _fit_machine(self) -> None:
        from sklearn.svm import SVC

        learnt = self._learnt
        machine = SVC(
            C=float(learnt["cost"]), gamma=float(learnt["gamma"]), decision_function_shape="ovr"
        )
        self._machine = machine.fit(learnt["table"], learnt["labels"])

    # -------------------------------------------------------------------------------- checkpoint

    def save(self, checkpoint: Path, recipe: Mapping[str, Any] | None = None) -> None:
        """Write the features of the training pictures, C and gamma; `load` fits them again."""
        if self._machine is None:
            raise EmomapError("PAEF is not trained; there is nothing to save")
        with io.atomic(checkpoint) as temporary, temporary.open("wb") as stream:
            np.savez(
                stream, format=np.array(FORMAT), classes=np.array(self.classes), **self._learnt
            )
        if self.scratch is not None:
            (self.scratch / UNFINISHED).unlink(missing_ok=True)

    def load(self, checkpoint: Path, *, device: str = "auto") -> None:
        """Read what `save` wrote.

        Raises:
            EmomapError: missing, damaged, or not a checkpoint of PAEF.
        """
        try:
            with np.load(checkpoint, allow_pickle=False) as stored:
                found = {key: stored[key] for key in stored.files}
        except FileNotFoundError as error:
            raise EmomapError(f"{checkpoint}: there is no such file") from error
        except Exception as error:  # np.load raises many types on other files
            raise EmomapError(
                f"{checkpoint}: not a checkpoint of PAEF, or damaged (`emomap train` writes one)"
            ) from error
        if str(found.get("format")) != FORMAT:
            raise EmomapError(f"{checkpoint}: not a checkpoint of PAEF")
        keys = ("table", "labels", "center", "spread", "cost", "gamma")
        try:
            self.classes = tuple(str(name) for name in found["classes"])
            self._learnt = {key: found[key] for key in keys}
            self._fit_machine()
        except (KeyError, ValueError, TypeError) as error:
            raise EmomapError(f"{checkpoint}: damaged: {error}") from error

    # -------------------------------------------------------------------------------- prediction

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Probabilities for each picture (a softmax of the decision values), and no map.

        Raises:
            EmomapError: neither trained nor loaded.
        """
        if self._machine is None:
            raise EmomapError("PAEF must be trained, or load a checkpoint, first")
        learnt = self._learnt
        table = np.array([features(image) for image in images])
        values = self._machine.decision_function((table - learnt["center"]) / learnt["spread"])
        if values.ndim == 1:  # two emotions: one value for the second
            values = np.stack([-values, values], axis=1)
        scores = np.full((len(images), len(self.classes)), -np.inf)
        scores[:, self._machine.classes_] = values
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        return [Prediction(probabilities=row / row.sum()) for row in weights]


def _features_of(sample: Sample) -> Array | str:
    try:
        return features(sample.image())
    except EmomapError as error:
        return str(error)


class _MeasuredPicture(TypedDict):
    """The features of a picture."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    id: str
    stamp: int
    features: Annotated[list[float], Len(LENGTH, LENGTH)]


class _Measured:
    """Features by sample, kept in a file from which an interrupted `fit` resumes exactly.

    Args:
        folder: folder of the file; None to keep nothing.
        samples: the pictures to measure. Features of a picture that has changed are ignored.
    """

    def __init__(self, folder: Path | None, samples: Sequence[Sample]) -> None:
        self.rows: dict[str, Array] = {}
        self._file: ResumeFile | None = None
        if folder is None:
            return
        head = {"format": FORMAT, "emomap": __version__}
        self._file = ResumeFile(folder / UNFINISHED, head, _MeasuredPicture)
        stamps = {sample.id: _stamp(sample) for sample in samples}
        for line in self._file.read():
            if line["stamp"] == stamps.get(line["id"]):
                self.rows[line["id"]] = np.array(line["features"])

    def add(self, sample: Sample, row: Array) -> None:
        """Keep the features of a sample."""
        self.rows[sample.id] = row
        if self._file:
            self._file.add({"id": sample.id, "stamp": _stamp(sample), "features": row.tolist()})

    def flush(self) -> None:
        """Write the features that are waiting."""
        if self._file:
            self._file.flush()


def _stamp(sample: Sample) -> int:
    file = sample.image_file
    return file.stat().st_mtime_ns if isinstance(file, Path) and file.exists() else 0
