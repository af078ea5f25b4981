"""emomap: does this map show where people look?

There are three ways in. ``emomap bench`` trains, extracts, scores and ranks. ``emomap score``
scores any maps. ``from emomap import metrics`` (or ``import metrics``) is the metric library. From
Python, `emomap.score` and `emomap.bench` do what the commands do.

This package knows its version only. It does not know its rooms until a function is asked for.
"""

from typing import Any

from emomap._version import __version__

__all__ = ["__version__", "bench", "score"]


def __getattr__(name: str) -> Any:
    """Import `score` or `bench` when it is asked for, so that `import emomap` stays light."""
    if name == "score":
        from emomap.scoring.folders import score

        return score
    if name == "bench":
        from emomap.experiment.bench import bench

        return bench
    raise AttributeError(f"module 'emomap' has no attribute '{name}'")
