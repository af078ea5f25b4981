"""The card of a data set in the neutral layout, dataset.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NotRequired

from annotated_types import Gt, Lt, MaxLen, MinLen
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap.data.table import read_text
from emomap.data.tree import Tree
from emomap.data.units import Units
from emomap.errors import EmomapError
from emomap.io.schema import STRICT, check, parse_toml

#: The name of the file.
CARD = "dataset.toml"

_Pixels = Annotated[float, Gt(0), Lt(1e6)]


class CardFile(TypedDict):
    """The schema of dataset.toml."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    name: NotRequired[str]
    source: NotRequired[str]
    licence: NotRequired[str]
    license: NotRequired[str]
    synthetic: NotRequired[bool]
    sigma: NotRequired[_Pixels]
    pixels_per_degree: NotRequired[_Pixels]
    points: NotRequired[str]
    classes: NotRequired[Annotated[list[str], MinLen(1)]]
    affect_range: NotRequired[Annotated[list[float], MinLen(2), MaxLen(2)]]


@dataclass(frozen=True)
class Card:
    """The content of dataset.toml.

    Attributes:
        sigma: of the blur, in pixels.
        units: of the fixations' coordinates; None if the card does not say.
        classes: the emotions, sorted; None if the card does not say.
        affect_range: the scale of valence and arousal; None if the card does not say.
        unknown: keys that are not used.
    """

    name: str = ""
    source: str = ""
    licence: str = ""
    synthetic: bool = False
    sigma: float | None = None
    units: Units | None = None
    classes: tuple[str, ...] | None = None
    affect_range: tuple[float, float] | None = None
    unknown: tuple[str, ...] = ()


def read_card(tree: Tree) -> Card:
    """Read dataset.toml, or return an empty card if there is none.

    Sigma is in pixels. Without it, that of one degree is taken from ``pixels_per_degree``.

    Raises:
        EmomapError: not TOML, or a value of the wrong type or out of range.
    """
    file = tree.get(CARD)
    if file is None:
        return Card()
    content: CardFile = check(parse_toml(read_text(file).encode(), str(file)), CardFile, str(file))
    classes = [name.strip() for name in content.get("classes", ())]
    if "" in classes or len(set(classes)) < len(classes):
        raise EmomapError(f"{file}: classes: an empty name, or one that appears twice")
    scale = content.get("affect_range")
    if scale is not None and not scale[0] < scale[1]:
        raise EmomapError(f"{file}: affect_range: must be [least, greatest], not {scale}")
    sigma = content.get("sigma", content.get("pixels_per_degree"))
    try:
        units = Units.parse(content["points"]) if "points" in content else None
    except EmomapError as error:
        raise EmomapError(f"{file}: {error}") from error
    return Card(
        name=content.get("name", ""),
        source=content.get("source", ""),
        licence=content.get("licence", content.get("license", "")),
        synthetic=content.get("synthetic", False),
        sigma=None if sigma is None else float(sigma),
        units=units,
        classes=tuple(sorted(classes)) or None,
        affect_range=None if scale is None else (scale[0], scale[1]),
        unknown=tuple(key for key in content if key not in CardFile.__annotations__),
    )
