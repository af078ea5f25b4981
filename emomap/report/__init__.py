"""The report of a run: one HTML file that opens from disk and needs no network.

It shows what a finished run folder holds, next to the pictures of the data set. It may not know how
the run was made: it calls no method and computes no score. The figure for a paper is drawn here
too, from the same maps and colours.
"""

from __future__ import annotations

from emomap.report.html import page, write

__all__ = ["page", "write"]
