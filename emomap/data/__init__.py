"""Data sets as people have them on disk; one file a layout.

`open_dataset` takes a name or a path and yields a `emomap.sample.Dataset`. Nothing is decoded
before it is needed; what a set leaves out or guesses stands in its notes. `LAYOUTS` holds the
layouts by name, in the order in which they are tried. Knows files and samples; knows no method and
no score.
"""

from emomap.data.opening import cache_folder, open_dataset
from emomap.data.registry import EMBEDDED, LAYOUTS, Layout

__all__ = ["EMBEDDED", "LAYOUTS", "Layout", "cache_folder", "open_dataset"]
