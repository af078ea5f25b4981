"""Data sets as people have them on disk; one file a layout.

`open_dataset` takes a name or a path and yields a `emomap.sample.Dataset`. Nothing is decoded
before it is needed; what a set leaves out or guesses stands in its notes.
"""

from emomap.data.opening import cache_folder, open_dataset
from emomap.data.registry import EMBEDDED, LAYOUTS, Layout

__all__ = ["EMBEDDED", "LAYOUTS", "Layout", "cache_folder", "layouts", "open_dataset"]


def layouts() -> dict[str, Layout]:
    """All layouts by name, with a summary of each, in the order in which they are tried."""
    return dict(LAYOUTS)
