"""How often a 95% interval of a mean holds the true one, by method, number and kind of scores.

    python benchmarks/intervals.py [--repeats 1000]    writes benchmarks/results/intervals.md

Scores are drawn from a normal and from an exponential distribution, as skewed as KL or EMD over
pictures can be. Width is the median in units of the standard deviation of a score.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.runs import machine, table  # noqa: E402
from metrics.statistics import METHODS, mean_interval  # noqa: E402

RESULT = Path(__file__).parent / "results" / "intervals.md"
COUNTS = (5, 10, 30, 100)
#: Name -> draw of n scores, whose standard deviation is 1, and their true mean.
KINDS: dict[str, tuple[Callable[[np.random.Generator, int], Any], float]] = {
    "normal": (lambda rng, n: rng.normal(size=n), 0.0),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
}


def covered(kind: str, n: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Method -> share of the intervals that hold the true mean, and their median width."""
    draw, truth = KINDS[kind]
    rng = np.random.default_rng(n)
    drawn = [draw(rng, n) for _ in range(repeats)]
    found = {}
    for method in METHODS:
        made = [
            mean_interval(x, method=method, resamples=1000, seed=i) for i, x in enumerate(drawn)
        ]
        ends = np.array([(one.low, one.high) for one in made])
        holds = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
        found[method] = float(holds.mean()), float(np.median(ends[:, 1] - ends[:, 0]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=1000, help="draws of each kind and number")
    repeats = parser.parse_args().repeats
    start = time.perf_counter()
    rows = []
    for n in COUNTS:
        for kind in KINDS:
            found = covered(kind, n, repeats)
            cells = [f"{share:.3f} ({width:.2f})" for share, width in found.values()]
            rows.append([str(n), kind, *cells])
    lines = [
        "# How often an interval of a mean holds the true mean",
        "",
        f"{machine()}, numpy {np.__version__}. Made by `python benchmarks/intervals.py` in "
        f"{time.perf_counter() - start:.0f} s.",
        "",
        f"{repeats} draws each, so a share of .95 is known to within "
        f"{1.96 * (0.95 * 0.05 / repeats) ** 0.5:.3f}. In parentheses the median width, in "
        "standard deviations of a score. Bootstraps draw 1,000 times.",
        "",
        *table(["scores", "distribution", *METHODS], rows),
    ]
    RESULT.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
