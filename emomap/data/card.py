"""The card of a data set in the neutral layout, dataset.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from emomap.data.table import read_text
from emomap.data.tree import Tree
from emomap.errors import EmomapError
from emomap.sample import EMOTIONS

#: The name of the file.
CARD = "dataset.toml"


@dataclass(frozen=True)
class Card:
    """The content of dataset.toml. ``unknown`` are the keys that are not used."""

    name: str = ""
    source: str = ""
    licence: str = ""
    synthetic: bool = False
    sigma: float | None = None
    classes: tuple[str, ...] = EMOTIONS
    unknown: tuple[str, ...] = ()


_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "source": (str,),
    "licence": (str,),
    "license": (str,),
    "synthetic": (bool,),
    "sigma": (int, float),
    "pixels_per_degree": (int, float),
    "classes": (list,),
}


def read_card(tree: Tree) -> Card:
    """Read dataset.toml, or return an empty card if there is none.

    Sigma is in pixels. Without it, that of one degree is taken from ``pixels_per_degree``.

    Raises:
        EmomapError: not TOML, or a value of the wrong type or out of range.
    """
    file = tree.get(CARD)
    if file is None:
        return Card()
    try:
        content: dict[str, Any] = tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise EmomapError(f"{file}: not valid TOML: {error}") from error
    for key, value in content.items():
        types = _TYPES.get(key)
        if types and (not isinstance(value, types) or (bool not in types and value is True)):
            raise EmomapError(f"{file}: {key} = {value!r} must be a {types[0].__name__}")
    for key in ("sigma", "pixels_per_degree"):
        if key in content and not 0 < content[key] < 1e6:
            raise EmomapError(f"{file}: {key} = {content[key]} must be a positive number of pixels")
    classes = content.get("classes", list(EMOTIONS))
    if not classes or not all(isinstance(name, str) and name.strip() for name in classes):
        raise EmomapError(f"{file}: classes = {classes!r} must be a list of names")
    sigma = content.get("sigma", content.get("pixels_per_degree"))
    return Card(
        name=content.get("name", ""),
        source=content.get("source", ""),
        licence=content.get("licence", content.get("license", "")),
        synthetic=content.get("synthetic", False),
        sigma=None if sigma is None else float(sigma),
        classes=tuple(sorted({name.strip() for name in classes})),
        unknown=tuple(key for key in content if key not in _TYPES),
    )
