"""The names of data-set layouts, and what `emomap data list` says of each. Imports no loader."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol, cast

from emomap.data.reading import Reading
from emomap.data.tree import Tree
from emomap.sample import Dataset


class Loader(Protocol):
    """What the module of a layout offers."""

    def recognise(self, tree: Tree) -> str | None:
        """Why a folder is this layout, or None."""

    def load(self, tree: Tree, reading: Reading) -> Dataset:
        """Open it; name, layout and notes are completed by the caller."""


@dataclass(frozen=True)
class Layout:
    """A line of the registry.

    Attributes:
        name: what ``--data NAME:PATH`` takes.
        module: where its loader is, below `emomap.data`.
        title: the name shown in tables.
        summary: one line for `emomap data list`.
        signs: what tells it from others, for the message that nothing was recognised.
        kind: "emotion", "gaze", "both", "any" (neutral) or "pictures".
    """

    name: str
    module: str
    title: str
    summary: str
    signs: str
    kind: str

    def loader(self) -> Loader:
        """Import the module that reads this layout."""
        return cast(Loader, importlib.import_module(f"emomap.data.{self.module}"))


#: In the order in which they are tried: the first whose signs are there is taken.
LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout(
            "neutral",
            "folder",
            "",
            "emomap's own: images/, fixations/*.csv, maps/*, labels.csv, split.csv, dataset.toml",
            "dataset.toml, or images/ with fixations/*.csv, maps/, labels.csv or split.csv",
            "any",
        ),
        Layout(
            "pictures",
            "pictures",
            "",
            "any other folder of pictures: no labels, no gaze",
            "pictures at any depth",
            "pictures",
        ),
    )
}
#: Other spellings, with punctuation and case removed.
ALIASES = {
    "folder": "neutral",
    "twitter": "twitter1",
    "twitteri": "twitter1",
    "pascal": "pascals",
    "osieeye": "osie",
}
#: Data sets that come with emomap.
EMBEDDED = {
    "demo": "procedural scenes with simulated gaze, 8 emotions (synthetic; made on first use)",
}


def layout_called(name: str) -> Layout | None:
    """The layout of this name in any case and punctuation ("PASCAL-S", "Twitter I"), or None."""
    plain = "".join(character for character in name.lower() if character.isalnum())
    return LAYOUTS.get(ALIASES.get(plain, plain))
