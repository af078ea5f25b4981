"""What adapted densities are worth: how many pictures they need, on other pictures and another set.

    python benchmarks/adapt.py FOLDER --photographs OSIE --maps attention_center=DIR
        [--maps gbvs=DIR] [--maps center=DIR] [--other DIR SET]
                                   writes benchmarks/results/adapt.md

The maps are those that `emomap predict OSIE` writes, as npy. A hundred pictures, drawn once, are
never fitted on. --other names maps of the first method on another set, and its gaze. The tables of
both protocols are over the first pictures of the test split, with numbers fitted on 50 of the
training split; EMD, whose own map takes seconds, is over fewer. FOLDER keeps densities and tables;
the same command resumes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.runs import machine, table  # noqa: E402
from emomap import io, metrics  # noqa: E402
from emomap.analysis import adapting  # noqa: E402
from emomap.analysis.audit import audit  # noqa: E402
from emomap.data.opening import open_dataset  # noqa: E402
from emomap.scoring.folders import score  # noqa: E402
from emomap.scoring.protocol import Protocol  # noqa: E402

RESULT = Path(__file__).parent / "results" / "adapt.md"
SIZES = (10, 20, 50, 100, 200)
UNUSED = 100
CURVE = ("kl", "cc", "sim", "nss", "info_gain")
PROTOCOLS = ("auc_judd", "auc_shuffled", "nss", "info_gain", "cc", "kl", "sim")
#: Test pictures in the tables of both protocols, and those of which EMD is computed.
TEST, EMD = 40, 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder for densities")
    parser.add_argument("--photographs", type=Path, required=True, help="OSIE, neutral layout")
    parser.add_argument("--maps", action="append", required=True, metavar="NAME=DIR")
    parser.add_argument("--other", nargs=2, type=Path, metavar=("DIR", "SET"))
    chosen = parser.parse_args()
    sets = {name: Path(path) for name, _, path in (one.partition("=") for one in chosen.maps)}
    first = next(iter(sets))
    lines = [
        "# Maps become densities",
        "",
        f"{machine()}. OSIE, 360 pictures with 15 observers. Written by "
        "`python benchmarks/adapt.py`.",
        "",
        f"## How many pictures {first} needs",
        "",
        *curve(chosen.folder, sets[first], chosen.photographs, chosen.other),
        "## Plain and metric-specific",
        "",
        *protocols(chosen.folder, sets, chosen.photographs),
        f"## Audit of {first}",
        "",
        *kept(
            chosen.folder / "audit.json",
            lambda: audited(chosen.folder, sets[first], chosen.photographs),
        ),
    ]
    RESULT.write_text("\n".join(lines), "utf-8")
    print(f"written to {RESULT}")


def kept(file: Path, made: Callable[[], Any]) -> Any:
    """What is made once, and read from its JSON file after that."""
    if not file.exists():
        found = made()
        io.write_text(file, json.dumps(found))
        print(file.stem, found, flush=True)
    return json.loads(file.read_text("utf-8"))


def linked(folder: Path, maps: Path, names: list[str]) -> Path:
    """A folder with some of the maps."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        target = folder / f"{name}.npy"
        if not target.exists():
            target.symlink_to((maps / f"{name}.npy").resolve())
    return folder


def means(maps: Path, truth: Path, names: tuple[str, ...], **choices: Any) -> dict[str, float]:
    found = score(maps, truth, metrics=names, allow_missing=True, **choices).summary()
    return {name: cell["mean"] for name, cell in found.items()}


def gold_kl(osie: Path, names: list[str]) -> float:
    """KL of the gold standard of all observers, fitted on all pictures, to their density."""
    dataset = open_dataset(osie)
    gazes = {sample.id: sample.gaze() for sample in dataset}
    ids = list(gazes)
    gold = metrics.gold_standard(
        [g.points for g in gazes.values()],
        [g.observers for g in gazes.values()],
        [g.shape for g in gazes.values()],
    )
    found = []
    for name in names:
        gaze = gazes[name]
        counts = metrics.fixation_map(gaze.points[gaze.inside], gaze.shape)
        density = metrics.density(counts, dataset.sigma or metrics.sigma_from_fc(8, gaze.shape))
        found.append(metrics.kl(gold.density(ids.index(name)), density))
    return float(np.mean(found))


def curve(folder: Path, maps: Path, osie: Path, other: list[Path] | None) -> list[str]:
    ids = sorted(io.maps_by_id(maps))
    order = [ids[i] for i in np.random.default_rng(0).permutation(len(ids))]
    unused, pool = order[:UNUSED], order[UNUSED:]
    test = linked(folder / "unused", maps, unused)
    raw = kept(folder / "raw.json", lambda: means(test, osie, CURVE))
    gold = kept(folder / "gold.json", lambda: gold_kl(osie, unused))
    rows = [["as given", *[f"{raw[name]:.3f}" for name in CURVE], "0", *["-"] * 3]]
    if other:
        before = kept(folder / "other.json", lambda: means(other[0], other[1], ("kl",)))
        rows[0].append(f"{before['kl']:.3f}")

    def row(size: int) -> list[str]:
        fitted = linked(folder / f"fit-{size}", maps, pool[:size])
        start = time.process_time()
        found = adapting.adapt(fitted, osie, jobs=1)
        seconds = time.process_time() - start
        out = folder / f"densities-{size}"
        adapting.apply(test, found, out)
        after = means(out, osie, CURVE, prediction="density")
        closed = (raw["kl"] - after["kl"]) / (raw["kl"] - gold)
        cells = [str(size), *[f"{after[name]:.3f}" for name in CURVE], f"{closed:.0%}"]
        cells += [f"{found.bits[name]:.3f}" for name in ("crossed", "fitted")]
        cells.append(f"{seconds:.0f}")
        if other:
            there = folder / f"other-{size}"
            adapting.apply(other[0], found, there)
            cells.append(f"{means(there, other[1], ('kl',), prediction='density')['kl']:.3f}")
        return cells

    for size in SIZES:
        rows.append(kept(folder / f"row-{size}.json", lambda size=size: row(size)))
    header = ["pictures", "KL", "CC", "SIM", "NSS", "information gain", "gap closed",
              "cross-validated, bits", "on the fit, bits", "CPU s"]  # fmt: skip
    header += ["KL on the other set"] * bool(other)
    words = [
        "",
        f"Scores (plain protocol) are over the same {UNUSED} pictures, none of which was fitted "
        f"on. The gap is that between the KL of the maps as given and {gold:.3f}, the KL of the "
        "gold standard of all observers, which knows the very fixations that it is scored "
        "against: the share is a lower bound.",
    ]
    if other:
        count = len(io.maps_by_id(other[0]))
        words.append(
            f"The other set: {count} pictures of {other[1].name}, with the numbers and the centre "
            "bias of OSIE. Of its KL as given, no more than all could be closed."
        )
    return [*table(header, rows), *words, ""]


def protocols(folder: Path, sets: dict[str, Path], osie: Path) -> list[str]:
    dataset = open_dataset(osie)
    test = [sample.id for sample in dataset if sample.split == "test"][:TEST]
    train = [sample.id for sample in dataset if sample.split == "train"]
    drawn = [train[i] for i in sorted(np.random.default_rng(0).permutation(len(train))[:50])]
    rows = []
    for name, maps in sets.items():
        home = folder / name
        given = linked(home / "test", maps, test)
        few = linked(home / "few", maps, test[:EMD])
        dense = (home / "densities", home / "few-densities")
        if not (home / "metric-specific.json").exists():
            found = adapting.adapt(linked(home / "fit", maps, drawn), osie, jobs=1)
            adapting.apply(given, found, dense[0])
            adapting.apply(few, found, dense[1])
        for words, file, both, how in (
            ("as given, plain", "given", (given, few), Protocol()),
            ("density, plain", "plain", dense, Protocol(prediction="density")),
            ("density, metric-specific", "metric-specific", dense,
             Protocol(prediction="density", protocol="metric-specific")),
        ):  # fmt: skip
            cells = kept(home / f"{file}.json", lambda b=both, h=how: scored(b, osie, h))
            rows.append([name, words, *cells])
    header = ["maps", "scored as", "AUC-Judd", "shuffled AUC", "NSS", "information gain", "CC",
              "KL", "SIM", f"EMD ({EMD} pictures)"]  # fmt: skip
    words = f"{len(test)} test pictures; information gain over the centre bias of the others."
    return [*table(header, rows), "", words, ""]


def audited(folder: Path, maps: Path, osie: Path) -> list[str]:
    test = [sample.id for sample in open_dataset(osie) if sample.split == "test"][:TEST]
    given = linked(folder / "audit", maps, test)
    return audit(given, osie, allow_missing=True, jobs=1).render("md").split("\n")


def scored(both: tuple[Path, Path], osie: Path, how: Protocol) -> list[str]:
    cells = []
    for folder, names in ((both[0], PROTOCOLS), (both[1], ("emd",))):
        chosen = replace(how, metrics=names, baseline="center")
        found = score(folder, osie, protocol=chosen, allow_missing=True).summary()
        cells += [f"{found[name]['mean']:.3f}" for name in names]
    return cells


if __name__ == "__main__":
    main()
