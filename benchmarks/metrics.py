"""Speed of the metrics, compared with pysaliency and loops in circulation.

    python benchmarks/metrics.py                 writes benchmarks/results/metrics.md
    python benchmarks/metrics.py --quick         prints figures of a small picture
    python benchmarks/metrics.py --lines         seven metrics against pysaliency, line by line, and
                                                 EMD: benchmarks/results/metrics_lines.md

It uses one core and one process. Rivals take turns in each round and the best round counts, so that
a busy machine slows all of them alike. Quote ratios.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import argparse
import datetime
import platform
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

# this file has the name of the library, so search the folder above instead of this one
sys.path[0] = str(Path(__file__).resolve().parents[1])

import metrics  # noqa: E402
from benchmarks import lines as by_line  # noqa: E402
from benchmarks import peers  # noqa: E402
from benchmarks.scenes import Scene, scene, to_bytes  # noqa: E402

RESULT = Path(__file__).parent / "results" / "metrics.md"
LINES = RESULT.with_name("metrics_lines.md")
Rivals = dict[str, Callable[[], object]]


def race(rivals: Rivals, rounds: int) -> dict[str, float]:
    """Best time of each rival in milliseconds; a rival that takes over two seconds runs once.

    Each timed call follows another call of the same rival, so that caches hold its own data.
    """
    best = dict.fromkeys(rivals, float("inf"))
    for turn in range(rounds + 1):
        for name, rival in rivals.items():
            if 2000 < best[name] < float("inf"):
                continue
            if turn > 0:
                rival()
            start = time.perf_counter()
            rival()
            taken = 1e3 * (time.perf_counter() - start)
            if turn > 0 or taken > 2000:  # the first turn compiles and imports
                best[name] = min(best[name], taken)
    return best


def rivals(s: Scene) -> dict[str, Rivals]:
    """For each metric, our function and other implementations."""
    p, f, d, other, base = s
    y, x = np.nonzero(f)
    ys, xs = np.repeat(y, f[y, x]), np.repeat(x, f[y, x])
    table: dict[str, Rivals] = {
        "AUC-Judd": {
            "ours": lambda: metrics.auc_judd(p, f),
            "MIT loop": lambda: peers.auc_judd_mit_loop(p, f),
            "gist": lambda: peers.auc_judd_gist_loop(p, f),
        },
        "AUC-Borji (100 splits; ours exact)": {
            "ours": lambda: metrics.auc_borji(p, f),
            "compact loop": lambda: peers.auc_borji_compact_loop(p, f),
            "gist": lambda: peers.auc_borji_gist_loop(p, f),
        },
        "shuffled AUC (100 splits; ours exact)": {
            "ours": lambda: metrics.auc_shuffled(p, f, other),
            "compact loop": lambda: peers.auc_borji_compact_loop(p, f, other),
        },
        "NSS": {"ours": lambda: metrics.nss(p, f), "gist": lambda: peers.nss_gist(p, f)},
        "CC": {"ours": lambda: metrics.cc(p, d), "gist": lambda: peers.cc_gist(p, d)},
        "SIM": {"ours": lambda: metrics.sim(p, d), "gist": lambda: peers.sim_gist(p, d)},
        "KL": {"ours": lambda: metrics.kl(p, d), "gist": lambda: peers.kl_gist(p, d)},
    }
    found = peers.pysaliency()
    if found is not None:
        pm, pr = found.metrics, found.roc
        table["AUC-Judd"]["pysaliency"] = lambda: pr.general_roc(
            p[ys, xs].astype(float), p.astype(float).ravel(), judd=1
        )
        table["NSS"]["pysaliency"] = lambda: pm.NSS(p, xs, ys)
        table["CC"]["pysaliency"] = lambda: pm.CC(p, d)
        table["SIM"]["pysaliency"] = lambda: pm.SIM(p, d)
        table["KL"]["pysaliency"] = lambda: pm.image_based_kl_divergence(p, d)
    names = [name for name in metrics.CATALOGUE if name != "emd"]
    table["all but EMD, by evaluate"] = {
        "ours": lambda: metrics.evaluate(
            p, fixations=f, density=d, other=other, baseline=base, metrics=names
        )
    }
    return table


COLUMNS = ("ours", "pysaliency", "MIT loop", "compact loop", "gist")


def table_of(s: Scene, title: str, rounds: int) -> list[str]:
    lines = [f"## {title}", "", "Milliseconds; in brackets, how many times slower than ours.", ""]
    lines += ["| metric | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for metric, field in rivals(s).items():
        best = race(field, rounds)
        cells = [_cell(best, column) for column in COLUMNS]
        lines.append(f"| {metric} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _cell(best: dict[str, float], column: str) -> str:
    if column not in best:
        return ""
    ratio = "" if column == "ours" else f" ({best[column] / best['ours']:.1f}x)"
    return f"{best[column]:.2f}{ratio}"


#: Sizes of pictures, and numbers of fixations, whose blur is timed; 30,000 are those of a data set.
CASES = [((480, 640), 200), ((480, 640), 30_000), ((1080, 1920), 200), ((1080, 1920), 30_000)]
SOLVERS = (
    "exact",
    "certified .2%",
    "Beckmann",
    "POT dense",
    "POT, mass in common off",
    "OpenCV",
)


def transport_table(grids: list[tuple[int, int]], rounds: int) -> list[str]:
    lines = ["## EMD", "", "Milliseconds, for maps that already have the size of the grid.", ""]
    lines += ["| grid, prediction | " + " | ".join(SOLVERS) + " | value, and error of the others |"]
    lines += ["|---" * (len(SOLVERS) + 2) + "|"]
    for grid in grids:
        for good in (True, False):
            s = scene((grid[0] * 8, grid[1] * 8), 200, good)
            p, d = (np.maximum(metrics.resize(m, grid), 0) for m in (s.prediction, s.density))
            p, d = p / p.sum(), d / d.sum()
            lines.append(
                _transport_row(p, d, f"{grid[0]}x{grid[1]}, {'good' if good else 'poor'}", rounds)
            )
    return [*lines, ""]


def _transport_row(p: peers.Array, d: peers.Array, title: str, rounds: int) -> str:
    values: dict[str, float] = {}

    def ours(name: str, method: str) -> Callable[[], None]:
        def call() -> None:
            values[name] = metrics.emd(p, d, downsize=1, method=method)

        return call

    field: Rivals = {
        "exact": ours("exact", "exact"),
        "certified .2%": ours("certified .2%", "approximate"),
        "Beckmann": ours("Beckmann", "beckmann"),
    }
    if p.size <= 4800:
        field["POT dense"] = lambda: values.update({"POT dense": peers.emd_pot(p, d)})
    if p.size <= 4800:
        field["POT, mass in common off"] = lambda: values.update(
            {"POT, mass in common off": peers.emd_pot(p, d, subtract=True)}
        )
    if p.size <= 300:
        field["OpenCV"] = lambda: values.update({"OpenCV": peers.emd_opencv(p, d)})
    best = race(field, rounds if p.size <= 1200 else 2)
    cells = []
    for column in SOLVERS:
        ratio = (
            f" ({best[column] / best['exact']:.0f}x)" if "POT" in column and column in best else ""
        )
        cells.append(f"{best[column]:.2f}{ratio}" if column in best else "")
    exact = values.pop("exact")
    errors = ", ".join(f"{k} {100 * (v / exact - 1):+.2g}%" for k, v in values.items())
    return f"| {title} | " + " | ".join(cells) + f" | {exact:.6f}; {errors} |"


def density_table(cases: list[tuple[tuple[int, int], int]], rounds: int) -> list[str]:
    """The blur of fixations, compared with a product of matrices and SciPy's filter."""
    lines = ["## Densities", "", "Milliseconds, Gaussian of 24 px at 640 px of width.", ""]
    lines += [
        "| picture, fixations | ours | product of matrices | scipy.ndimage | largest difference to "
        "the product, of the peak |",
        "|---|---|---|---|---|",
    ]
    for shape, count in cases:
        counts = scene(shape, count).fixations
        sigma = 24.0 * shape[1] / 640

        def plain(counts: peers.Array = counts, sigma: float = sigma) -> peers.Array:
            along = [
                np.exp(-0.5 * ((np.arange(n)[:, None] - np.arange(n)) / sigma) ** 2)
                for n in counts.shape
            ]
            found: peers.Array = along[0] @ counts.astype(float) @ along[1]
            return found / found.sum()

        def filtered(counts: peers.Array = counts, sigma: float = sigma) -> peers.Array:
            found = gaussian_filter(counts.astype(float), sigma, mode="constant", truncate=8.6)
            return np.asarray(found / found.sum())

        def ours(counts: peers.Array = counts, sigma: float = sigma) -> peers.Array:
            return np.asarray(metrics.density(counts, sigma))

        best = race({"ours": ours, "product": plain, "scipy": filtered}, rounds)
        expected = plain()
        error = np.abs(ours() - expected).max() / expected.max()
        lines.append(
            f"| {shape[0]}x{shape[1]}, {count} | {best['ours']:.2f} | {_times(best, 'product')} | "
            f"{_times(best, 'scipy')} | {error:.0e} |"
        )
    return [*lines, ""]


def _times(best: dict[str, float], name: str) -> str:
    return f"{best[name]:.1f} ({best[name] / best['ours']:.0f}x)"


def memory_table(s: Scene) -> list[str]:
    lines = ["## Memory", "", "Most memory taken by a call, as a multiple of its arguments.", ""]
    lines += ["| metric | double precision | bytes |", "|---|---|---|"]
    for name, entry in metrics.CATALOGUE.items():
        cells = []
        for maps in (s, to_bytes(s)):
            inputs = [getattr(maps, key) for key in entry.inputs]
            entry.function(maps.prediction, *inputs)
            tracemalloc.start()
            entry.function(maps.prediction, *inputs)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            given = maps.prediction.nbytes + sum(a.nbytes for a in inputs)
            cells.append(f"{peak / given:.1f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def heading(option: str = "") -> list[str]:
    packages = ("numpy", "scipy", "numba", "POT", "pysaliency", "opencv-python-headless")
    return [
        "# Speed of the metrics",
        "",
        f"{datetime.date.today()}, {platform.machine()} {platform.processor()}, one thread, "
        f"{os.cpu_count()} shared cores, Python {platform.python_version()}, "
        f"{peers.versions(*packages)}. Made by `python benchmarks/metrics.py{' ' * bool(option)}"
        f"{option}`. Load of the machine: {os.getloadavg()[0]:.1f}.",
        "",
    ]


def make_lines(rounds: int) -> None:
    """The table against pysaliency, line by line."""
    found = peers.pysaliency()
    if found is None:
        raise SystemExit("pysaliency is not installed: name a site-packages that has it, --site")
    rows = heading("--lines")
    for part in (partial(by_line.lines, found, rounds), by_line.transport):
        rows += part()
        LINES.write_text("\n".join(rows))
    print("\n".join(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="print figures of a small picture")
    parser.add_argument("--lines", action="store_true", help="make the table line by line")
    parser.add_argument(
        "--site",
        metavar="FOLDER",
        help="site-packages of an environment that has pysaliency, searched after one's own",
    )
    parser.add_argument("--rounds", type=int, default=25, help="of --lines. Default: 25.")
    arguments = parser.parse_args()
    if arguments.site:
        sys.path.append(arguments.site)
    if arguments.lines:
        make_lines(arguments.rounds)
        return
    shape, rounds = ((96, 128), 3) if arguments.quick else ((480, 640), 15)
    grids = [(15, 20)] if arguments.quick else [(15, 20), (30, 40), (60, 80), (120, 160)]
    one = scene(shape)
    size = f"{shape[0]}x{shape[1]}, 200 fixations"
    lines = heading()
    lines += table_of(one, f"{size}, double precision", rounds)
    lines += table_of(to_bytes(one), f"{size}, 8-bit maps", rounds)
    lines += density_table([(shape, 200)] if arguments.quick else CASES, rounds)
    lines += transport_table(grids, rounds)
    lines += memory_table(one)
    text = "\n".join(lines)
    print(text)
    if not arguments.quick:
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
