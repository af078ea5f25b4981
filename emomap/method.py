"""Methods: image -> map, and for classifiers image -> emotion; and the registry of their names.

`bench`, `train` and `predict` find a method by its name in the registry, by an entry point in the
group ``emomap.methods``, or as ``package.module:Name``. Nothing in emomap has to change for one.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from emomap.errors import UsageError, did_you_mean
from emomap.io.kinds import MapKind

if TYPE_CHECKING:
    from emomap.sample import Dataset

#: (H, W, 3) uint8, as `emomap.io.read_image` returns it.
Image = NDArray[np.uint8]
#: (h, w) float. Any size: `score` resizes it to the size of the gaze. Finite and non-negative; a
#: "density" sums to one, a "log-density" is its natural logarithm, -inf where the density is 0.
Map = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Prediction:
    """What a method predicts for one image.

    Attributes:
        map: (h, w) saliency or emotion map, or None for a method that only classifies.
        probabilities: (C,) over the classes of the training data, or None.
    """

    map: Map | None = None
    probabilities: NDArray[np.float64] | None = None


class Method:
    """Base of all methods. Its options are the keyword arguments of its constructor.

    A hand-made method overrides `predict` alone. One that needs the training gaze (a fitted centre
    prior) or training images also overrides `fit`. Networks derive from
    `emomap.nn.network.NetworkMethod`, and are trained by `emomap.training`.
    """

    #: True if it must be trained (on labelled images) before `predict`.
    trainable: ClassVar[bool] = False
    #: False for a method that only classifies.
    gives_map: ClassVar[bool] = True
    #: True for rows NAME-smooth and NAME-center beside its map, fitted on the validation split.
    finishes: ClassVar[bool] = False
    #: What the values of its maps are; see `Map`.
    map_kind: MapKind = "map"
    #: True where its "map" is a density of fixations, but for the scale.
    is_density: ClassVar[bool] = False
    #: True where maps span more decades than the 16 bits of a PNG, so that `bench` keeps floats.
    spans_decades: ClassVar[bool] = False
    #: Pictures that `predict` should be given at once.
    at_once: int = 1
    #: True where a picture takes so long that even a few are worth another process.
    slow: ClassVar[bool] = False
    #: True to run model files that are programs. No recipe and no card may say so.
    trust: bool = False
    #: Device of a method that can use a GPU, such as "auto", "cpu" or "cuda".
    device: str = "auto"
    #: True for a method that predicts in one process only, since it uses all cores or a GPU.
    alone: ClassVar[bool] = False
    #: The emotions in the order of the probabilities, once trained or loaded.
    classes: tuple[str, ...] = ()
    #: False to keep `fit` silent on stderr.
    show: bool = True
    #: Folder where `fit` may keep what it needs to resume; None for nowhere.
    scratch: Path | None = None

    def check(self) -> None:
        """Refuse, before any work, what would end it later: a missing file, a missing package.

        Raises:
            UsageError, EmomapError: with the way out.
        """

    def fit(self, train: Dataset, validation: Dataset) -> None:
        """Learn from the training split. Only methods that say so may use gaze.

        Args:
            train, validation: the samples of these splits; empty where the data set has none.
        """

    def load(self, checkpoint: Path, *, device: str = "auto") -> None:
        """Load what was learned from a checkpoint that `emomap.training` wrote.

        Args:
            checkpoint: the file.
            device: where to predict: "auto", "cpu", "cuda", ...

        Raises:
            EmomapError: not a checkpoint of this method.
            UsageError: the method learns nothing.
        """
        raise UsageError(f"{type(self).__name__} has nothing to load from {checkpoint}")

    def save(self, checkpoint: Path, recipe: Mapping[str, Any] | None = None) -> None:
        """Write what was learned to ``checkpoint``, for `load`; ``recipe`` is kept for the record.

        Raises:
            UsageError: the method learns nothing.
        """
        raise UsageError(f"{type(self).__name__} has nothing to save in {checkpoint}")

    def predict_labelled(
        self, images: Sequence[Image], labels: Sequence[str | None]
    ) -> list[Prediction]:
        """As `predict`, told the labels too: only a map that explains the true class may use them.

        Args:
            images: as for `predict`.
            labels: the emotion of each, or None.
        """
        return self.predict(images)

    def ratings(self, images: Sequence[Image]) -> NDArray[np.float64] | None:
        """Valence and arousal (N, 2) of each image, or None for a method that predicts neither."""
        return None

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Predict a batch of images.

        Args:
            images: (H, W, 3) uint8 each; they may differ in size.

        Returns:
            One `Prediction` for each image, in their order.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Entry:
    """A line of the registry: where the class is, and what `emomap methods` prints.

    Attributes:
        name: as given to ``--method``.
        target: ``package.module:Class``.
        summary: one line.
        kind: "baseline", "classical", "learned", "network", "classifier" or "plug-in".
    """

    name: str
    target: str
    summary: str
    kind: str


def _entry(name: str, target: str, kind: str, summary: str) -> tuple[str, Entry]:
    return name, Entry(name, f"emomap.methods.{target}", summary, kind)


#: Built-in methods. Listing them imports none of them.
BUILTIN: dict[str, Entry] = dict(
    [
        _entry("uniform", "uniform:Uniform", "baseline", "the same value everywhere: chance"),
        _entry("center", "center:Center", "baseline", "centre prior: a Gaussian in the middle"),
        _entry("gbvs", "gbvs:GBVS", "classical", "graph-based visual saliency (Harel 2006)"),
        _entry("itti_koch", "itti_koch:IttiKoch", "classical", "Itti, Koch & Niebur 1998"),
        _entry("objectness", "objectness:Objectness", "classical", "windows that frame objects"),
        _entry("simpsal", "simpsal:Simpsal", "classical", "simple saliency (Harel 2013)"),
        _entry(
            "spectral_residual",
            "spectral_residual:SpectralResidual",
            "classical",
            "spectral residual (Hou & Zhang 2007)",
        ),
        _entry("bms", "bms:BMS", "classical", "boolean maps (Zhang & Sclaroff 2013)"),
        _entry("covsal", "covsal:CovSal", "classical", "region covariances (Erdem 2013)"),
        _entry(
            "attention_center",
            "attention_center:AttentionCenter",
            "learned",
            "saliency model of Google's Attention Center, learned on SALICON",
        ),
        _entry(
            "deepgaze", "deepgaze:DeepGaze", "learned", "DeepGaze I, IIE, III or MSDB, if installed"
        ),
        _entry("islamnet", "islamnet:ISLAMNet", "network", "emotion map f4 of ISLAMNet"),
        _entry("wscnet", "wscnet:WSCNet", "network", "sentiment map of WSCNet (Yang 2018)"),
        _entry("wildcat", "wildcat:WILDCAT", "network", "class map of WILDCAT (Durand 2017)"),
        _entry("spn", "spn:SPN", "network", "soft proposal map of SPN (Zhu 2017)"),
        _entry("jcdl", "jcdl:JCDL", "network", "label distributions, no map (Yang 2017)"),
        _entry(
            "classifier",
            "classifier:PlainClassifier",
            "network",
            "any backbone and a linear layer; an explanation as map",
        ),
        _entry("paef", "paef:PAEF", "classifier", "principles of art, no map (Zhao 2014)"),
    ]
)


#: Names for people: how the papers write them.
TITLES = {
    "uniform": "Uniform",
    "center": "Centre prior",
    "gbvs": "GBVS",
    "itti_koch": "Itti-Koch",
    "objectness": "Objectness",
    "simpsal": "SimpSal",
    "spectral_residual": "Spectral Residual",
    "bms": "BMS",
    "covsal": "CovSal",
    "attention_center": "Attention Center",
    "deepgaze": "DeepGaze",
    "islamnet": "ISLAMNet",
    "wscnet": "WSCNet",
    "wildcat": "WILDCAT",
    "spn": "SPN",
    "jcdl": "JCDL",
    "classifier": "Classifier",
    "paef": "PAEF",
    "observers": "Observers",
}
#: Kinds of methods that make several rows: finished maps, controls, explanations.
_WITH_ROWS = {"network", "classifier", "learned"}
_OWN = re.compile(r"([a-z_]+)(.*)", re.DOTALL)


def title(name: str) -> str:
    """The name of a row for people. Files for programs, options and folders keep the key.

    The rows of a network keep what follows its name. A name that emomap does not know stays.

    >>> [title(name) for name in ("gbvs", "islamnet-smooth", "runs/a/itti_koch", "my_gbvs")]
    ['GBVS', 'ISLAMNet-smooth', 'runs/a/Itti-Koch', 'my_gbvs']
    """
    folder, slash, own = name.rpartition("/")
    found = _OWN.fullmatch(own)
    if not found or found[1] not in TITLES:
        return name
    key, rest = found.groups()
    several = rest.startswith(("-", "@")) and key in BUILTIN and BUILTIN[key].kind in _WITH_ROWS
    if rest and not several and not rest.startswith(" ("):
        return name
    return folder + slash + TITLES[key] + rest


def entries() -> dict[str, Entry]:
    """All methods that have a name: built-in ones and entry points of installed packages."""
    import importlib.metadata

    found = dict(BUILTIN)
    for point in importlib.metadata.entry_points(group="emomap.methods"):
        package = point.dist.name if point.dist else "unknown"
        found.setdefault(
            point.name, Entry(point.name, point.value, f"from the package {package}", "plug-in")
        )
    return found


def load(name: str) -> type[Method]:
    """The class of a method, by its name or as ``package.module:Name``.

    Raises:
        UsageError: no such method, or not a `Method`.
    """
    found = find(name)
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise UsageError(f"method '{name}' is not a subclass of emomap.method.Method")
    return found


def find(name: str) -> Any:
    """What a name of the registry or ``package.module:Name`` stands for.

    Modules are also searched for in the current folder, after all installed packages.

    Raises:
        UsageError: there is no such thing, or it cannot be imported.
    """
    known = entries()
    if name in known:
        target = known[name].target
    elif ":" in name:
        target = name
        here = str(Path.cwd())
        if here not in sys.path:  # last, so that no file there shadows a package
            sys.path.append(here)
    else:
        raise UsageError(
            f"no method is called '{name}'{did_you_mean(name, known)}; there are "
            f"{', '.join(sorted(known))}, or your own as package.module:Name"
        )
    module_name, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # the user's own module may fail in any way
        raise UsageError(
            f"method '{name}' cannot be loaded from {target}: {type(error).__name__}: {error}"
        ) from error


def check_options(cls: type[Method], name: str, options: Mapping[str, Any]) -> None:
    """Refuse options that a method's constructor does not have.

    Raises:
        UsageError: names the option and those that exist.
    """
    parameters = inspect.signature(cls).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for option in options:
        if option not in parameters:
            known = ", ".join(parameters) or "none"
            raise UsageError(f"method '{name}' has no option '{option}'; it has {known}")


def check_types(cls: type[Method], options: Mapping[str, Any]) -> None:
    """Refuse values of another type than the constructor's annotations say.

    A parameter without an annotation, or with one that is no plain type, takes anything.

    Raises:
        ValueError: ``size: what is wrong``.
    """
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

    from emomap.io.schema import first_fault

    try:
        hints = get_type_hints(cls.__init__)
    except NameError:  # names that only a type checker sees
        return
    for option, value in options.items():
        if option not in hints:
            continue
        try:
            adapter = TypeAdapter(hints[option], config=ConfigDict(allow_inf_nan=False))
        except PydanticUserError:
            continue
        given = tuple(value) if isinstance(value, list) else value
        try:
            adapter.validate_python(given, strict=True)
        except ValidationError as error:
            raise ValueError(f"{option}: {first_fault(error)}") from None


def build(cls: type[Method], name: str, options: Mapping[str, Any]) -> Method:
    """A method with its options from the recipe.

    Raises:
        UsageError: an option is unknown or has an impossible value.
    """
    check_options(cls, name, options)
    try:
        check_types(cls, options)
        return cls(**options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"method '{name}': {error}") from error
