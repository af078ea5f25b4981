"""emomap: does this map show where people look?

Three ways in: ``emomap bench`` trains, extracts, scores and ranks; ``emomap score`` scores
anybody's maps; ``from emomap import metrics`` (or ``import metrics``) is the metric library.
"""

from emomap._version import __version__

__all__ = ["__version__"]
