"""What a run compares: methods that emomap runs, and folders or archives of maps made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emomap import method as methods
from emomap import recipes
from emomap.errors import UsageError
from emomap.explain.kinds import Explanation
from emomap.io.ids import is_archive
from emomap.io.kinds import MapKind
from emomap.method import Method
from emomap.models.card import read_card
from emomap.models.method import ModelFile


@dataclass(frozen=True)
class MethodContender:
    """A row of the table whose maps a method makes.

    Attributes:
        name: name of its row and files.
        cls: class of the method.
        base: the method's name in the recipe; its numbers are looked up there.
        options: constructor options; they win over those of the recipe.
        training: numbers of the training; they win over those of the recipe.
        card: numbers of the card of a model file; those of the recipe win over them.
        trust: run model files that are programs.
        explain: explanation maps that are made of the classifier.
    """

    name: str
    cls: type[Method]
    base: str
    options: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False
    explain: Sequence[Explanation] = ()

    @property
    def source(self) -> str:
        """Where its maps come from, in words."""
        if self.card:
            return f"model {self.card['file']}"
        return f"method {self.options.get('build', self.base)}"

    @property
    def own(self) -> bool:
        """True for somebody's own classifier, all maps of which are explanations."""
        return "build" in self.options

    @property
    def trainable(self) -> bool:
        """True when it learns from labelled pictures."""
        return self.cls.trainable

    def make(self, numbers: Mapping[str, Any], device: str = "auto") -> Method:
        """The method with its options.

        Args:
            numbers: those of the recipe.
            device: where to predict.

        Raises:
            UsageError: an option is unknown or has an impossible value.
        """
        made = methods.build(self.cls, self.name, self.method_options(numbers))
        made.trust, made.device = self.trust, device
        return made

    def method_options(self, numbers: Mapping[str, Any]) -> dict[str, Any]:
        """The constructor options: those of a card, the recipe's over them, its own over both."""
        chosen = recipes.method_options(numbers, self.base)
        return {**recipes.merged(self.card, chosen), **self.options}

    def training_numbers(self, numbers: Mapping[str, Any]) -> dict[str, Any]:
        """The numbers of its training: the recipe's, then its own over them."""
        return {**recipes.training(numbers, self.base), **self.training}


@dataclass(frozen=True)
class FolderContender:
    """A row of the table whose maps were made elsewhere.

    Attributes:
        name: name of its row and files.
        folder: where the maps are: a folder or a zip archive.
        kind: what their values are.
    """

    name: str
    folder: Path
    kind: MapKind = "map"
    trainable = False

    @property
    def source(self) -> str:
        """Where its maps come from, in words."""
        return f"folder {self.folder}"


Contender = MethodContender | FolderContender


def name_of(spec: str) -> str:
    """The name of the row that ``--method`` makes."""
    name, separator, _ = spec.partition("=")
    if separator:
        return name
    return Path(spec).stem if spec.endswith(".toml") else spec.rpartition(":")[2].lower()


def parse(
    spec: str,
    *,
    trust: bool = False,
    explain: Sequence[Explanation] = (),
    classes: Sequence[str] = (),
    predictions: Mapping[str, MapKind] | None = None,
) -> Contender:
    """A contender from what ``--method`` says.

    Args:
        spec: ``islamnet``; ``package.module:Name`` of a method, or of a function that builds a
            classifier; ``CARD.toml`` of a model file; each may have ``NAME=`` before it; or
            ``NAME=FOLDER`` of maps, or ``NAME=FILE.zip``.
        trust: run model files that are programs.
        explain: explanation maps to make of networks.
        classes: names of the classes of somebody's own classifier.
        predictions: name of a folder of maps -> what their values are.

    Raises:
        UsageError: no such method or folder.
        EmomapError: the card is damaged.
    """
    name, given = name_of(spec), spec.partition("=")[2] or spec
    if given.endswith(".toml"):
        return MethodContender(name, ModelFile, name, card=read_card(Path(given)), trust=trust)
    if "=" in spec and given and (Path(given).is_dir() or is_archive(Path(given))):
        return FolderContender(name, Path(given), (predictions or {}).get(name, "map"))
    if "=" in spec and ":" not in given:
        raise UsageError(
            f"--method {spec}: there is no folder '{given}', and it is neither a .zip of maps, "
            "CARD.toml nor package.module:function"
        )
    found = methods.find(given)
    if isinstance(found, type) and issubclass(found, Method):
        return MethodContender(name, found, name, explain=explain if found.trainable else ())
    return _own_classifier(name, given, found, explain, classes)


def _own_classifier(
    name: str,
    build: str,
    found: object,
    explain: Sequence[Explanation],
    classes: Sequence[str],
) -> MethodContender:
    """Somebody's own classifier.

    Raises:
        UsageError: it is no function, or nothing says how it is explained.
    """
    from emomap.explain.method import OwnClassifier

    if not callable(found):
        raise UsageError(
            f"--method {build}: neither a subclass of emomap.method.Method nor a function that "
            f"builds a torch module, but a {type(found).__name__}"
        )
    if not explain:
        raise UsageError(
            f"--method {build}: not a subclass of emomap.method.Method. If it is a function that "
            "builds a classifier, say which map explains it, e.g. --explain gradcam"
        )
    options = {"build": build, **({"classes": list(classes)} if classes else {})}
    return MethodContender(name, OwnClassifier, name, options, explain=explain)
