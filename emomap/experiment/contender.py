"""What a run compares: methods that emomap runs, and folders of maps made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emomap import method as methods
from emomap import recipes
from emomap.errors import UsageError
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
    """

    name: str
    cls: type[Method]
    base: str
    options: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False

    @property
    def source(self) -> str:
        """Where its maps come from, in words."""
        return f"model {self.card['file']}" if self.card else f"method {self.base}"

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
        folder: where the maps are.
    """

    name: str
    folder: Path
    trainable = False

    @property
    def source(self) -> str:
        """Where its maps come from, in words."""
        return f"folder {self.folder}"


Contender = MethodContender | FolderContender


def parse(spec: str, *, trust: bool = False) -> Contender:
    """A contender from what ``--method`` says.

    Args:
        spec: ``islamnet``, ``package.module:Name``, ``NAME=FOLDER`` of maps, ``CARD.toml`` or
            ``NAME=CARD.toml`` of a model file.
        trust: run model files that are programs.

    Raises:
        UsageError: no such method or folder.
        EmomapError: the card is damaged.
    """
    name, separator, place = spec.rpartition("=")
    if place.endswith(".toml"):
        card = read_card(Path(place))
        name = name or Path(place).stem
        return MethodContender(name, ModelFile, name, card=card, trust=trust)
    name, separator, place = spec.partition("=")
    if separator:
        if not place or not Path(place).is_dir():
            raise UsageError(f"--method {spec}: there is no folder or card '{place}'")
        return FolderContender(name, Path(place))
    name = spec.rpartition(":")[2].lower()
    return MethodContender(name, methods.load(spec), name)
