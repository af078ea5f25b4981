"""emomap: does this map show where people look?

Three ways in: ``emomap bench`` trains, extracts, scores and ranks; ``emomap score`` scores
anybody's maps; ``from emomap import metrics`` (or ``import metrics``) is the metric library.
From Python, `emomap.score` and `emomap.bench` do what the commands do.
"""

from typing import Any

from emomap._version import __version__

__all__ = ["__version__", "bench", "score"]


def __getattr__(name: str) -> Any:
    """Import the two functions when they are asked for, so that `import emomap` stays light."""
    if name == "score":
        from emomap.scoring.folders import score

        return score
    if name == "bench":
        from emomap.experiment.bench import bench

        return bench
    raise AttributeError(f"module 'emomap' has no attribute '{name}'")
