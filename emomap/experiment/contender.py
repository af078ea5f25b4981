"""What a run compares: methods by their class, and folders of maps made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emomap import method as methods
from emomap import recipes
from emomap.errors import UsageError
from emomap.method import Method


@dataclass(frozen=True)
class Contender:
    """A line of the table: a method by its class, or a folder of maps made elsewhere.

    Attributes:
        name: of its rows and files.
        cls, folder: where its maps come from, one of the two.
        base: whose numbers of the recipe it takes, where that is not its own name.
        options: of the constructor, over those of the recipe.
    """

    name: str
    cls: type[Method] | None = None
    folder: Path | None = None
    base: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, spec: str) -> Contender:
        """``islamnet``, ``package.module:Name``, or ``NAME=FOLDER``.

        Raises:
            UsageError: no such method or folder.
        """
        name, separator, folder = spec.partition("=")
        if separator:
            if not Path(folder).is_dir():
                raise UsageError(f"--method {spec}: there is no folder {folder}")
            return cls(name, folder=Path(folder))
        return cls(spec.rpartition(":")[2].lower(), methods.load(spec))

    @property
    def source(self) -> str:
        """Where its maps come from, in words."""
        return f"folder {self.folder}" if self.folder else f"method {self.base or self.name}"

    @property
    def trainable(self) -> bool:
        """True when it learns from labelled pictures."""
        return self.cls is not None and self.cls.trainable

    def make(self, table: Mapping[str, Any]) -> Method:
        """The method, made of what the recipe says."""
        assert self.cls is not None
        return methods.build(self.cls, self.name, self.method_options(table))

    def method_options(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """The constructor options: the recipe's, and its own over them."""
        return {**recipes.method_options(table, self.base or self.name), **self.options}
