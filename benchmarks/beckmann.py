"""How far Beckmann's minimal flux on a grid lies from the earth mover's distance.

    python benchmarks/beckmann.py        writes benchmarks/results/beckmann.md

Arrows lie on the edges of the grid, and the iterations stop early; both bias the value. Each row is
a kind of pair of maps, each figure the range of (flux - exact) / exact over some pairs.
"""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

import metrics  # noqa: E402
from benchmarks.runs import table  # noqa: E402
from benchmarks.scenes import Array, scene  # noqa: E402

RESULT = Path(__file__).parent / "results" / "beckmann.md"
SHAPES = ((15, 20), (30, 40), (60, 80))
ITERATIONS = (50, 300)
PAIRS = 6
Pair = tuple[Array, Array]


def saliency(shape: tuple[int, int], rng: np.random.Generator) -> Pair:
    one = scene((480, 640), fixations=60, good=False, seed=int(rng.integers(1000)))
    factor = 480 // shape[0]
    cells = (shape[0], factor, shape[1], factor)
    p, d = (m.reshape(cells).sum(axis=(1, 3)) for m in (one.prediction, one.density))
    return p, d


def smooth(shape: tuple[int, int], rng: np.random.Generator) -> Pair:
    p, q = (metrics.resize(rng.random((4, 5)), shape) + 0.01 for _ in range(2))
    return p, q


def noise(shape: tuple[int, int], rng: np.random.Generator) -> Pair:
    return rng.random(shape), rng.random(shape)


def spots(shape: tuple[int, int], rng: np.random.Generator) -> Pair:
    p, q = np.zeros(shape), np.zeros(shape)
    p.flat[rng.choice(p.size, 5, replace=False)] = 1.0
    q.flat[rng.choice(q.size, 5, replace=False)] = 1.0
    return p, q


def one_cell(shape: tuple[int, int], rng: np.random.Generator) -> Pair:
    p, q = np.zeros(shape), np.zeros(shape)
    p.flat[rng.integers(p.size // 4)] = 1.0
    q.flat[-1 - rng.integers(q.size // 4)] = 1.0
    return p, q


KINDS: dict[str, Callable[[tuple[int, int], np.random.Generator], Pair]] = {
    "poor prediction against density": saliency,
    "two smooth maps": smooth,
    "uniform noise": noise,
    "five cells against five": spots,
    "one cell against one": one_cell,
}


def biases(kind: str, shape: tuple[int, int]) -> list[str]:
    """The range of the relative error for each number of iterations, in percent."""
    rng = np.random.default_rng(0)
    made = [KINDS[kind](shape, rng) for _ in range(PAIRS)]
    exact = np.array([metrics.emd(p, q, downsize=1) for p, q in made])
    cells = []
    for count in ITERATIONS:
        flux = [metrics.emd(*m, downsize=1, method="beckmann", iterations=count) for m in made]
        error = 100 * (np.array(flux) / exact - 1)
        cells.append(f"{error.min():+.1f} to {error.max():+.1f}")
    return cells


def main() -> None:
    rows = [
        [kind, f"{height}x{width}", *biases(kind, (height, width))]
        for kind in KINDS
        for height, width in SHAPES
    ]
    lines = [
        '# The bias of `emd(..., method="beckmann")`',
        "",
        f"{datetime.date.today()}, {platform.machine()}, Python {platform.python_version()}, numpy "
        f"{np.__version__}. Made by `python benchmarks/beckmann.py`.",
        "",
        f"(flux - exact) / exact in percent, smallest to largest of {PAIRS} pairs.",
        "",
        *table(["maps", "grid", *(f"{count} iterations" for count in ITERATIONS)], rows),
    ]
    RESULT.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
