"""Data sets as people have them on disk.

`open_dataset` takes a name or a path and returns an `emomap.sample.Dataset`. `LAYOUTS` holds the
known layouts by name, in the order in which they are tried. Nothing is decoded before it is
needed. What a set leaves out, or what was guessed, is in its notes.

Knows files and samples. Must not know a method, a score or a run.
"""

from emomap.data.opening import open_dataset
from emomap.data.registry import EMBEDDED, LAYOUTS, Layout
from emomap.io.cache import cache_folder

__all__ = ["EMBEDDED", "LAYOUTS", "Layout", "cache_folder", "open_dataset"]
