"""Does ISLAMNet's attention earn its place? Its map beside its controls, over seeds, on `demo`.

    python benchmarks/attention.py FOLDER [--seeds 3] [--coupled]
                                   [--photographs OSIE --weights FOLDER]
                                   writes benchmarks/results/attention.md

It runs `emomap bench --controls` with the recipe `demo`; with --coupled again with a classifier
that sees nothing but f4 * f1; and again with the numbers of release 0.1, where f4 was free to close
and the gates learned 100 times more slowly. FOLDER keeps the runs; the same command resumes. Values
are means over seeds for each picture; differences are tested over pictures by paired permutation,
with Holm's correction over the controls.

With --photographs, it also trains on the pictures of OSIE (a folder in the neutral layout), which
has no emotions: the labels are eight clusters of the features of a second network, so that nothing
but pictures is learned from. --weights holds the files of both networks' weights.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.runs import bench, machine, spread, table  # noqa: E402
from emomap.analysis.pairs import Pair, paired, probability  # noqa: E402
from emomap.runs import results  # noqa: E402

RESULT = Path(__file__).parent / "results" / "attention.md"
METRICS = {"cc": "CC", "nss": "NSS", "auc_judd": "AUC-Judd"}
CONTROLS = ("f1-mean", "f1-energy", "cam", "random-head", "other-picture")
#: The numbers with which release 0.1 trained; all others of the recipe are the same.
BEFORE = (
    "method.islamnet.f4_scale=free",
    "method.islamnet.f4_floor=0.0",
    "method.islamnet.f4_dropout=0.0",
    "method.islamnet.training.gate_learning_rate=0.0003",
    "method.islamnet.training.clip=0.0",
    "method.islamnet.training.label_smoothing=0.0",
)

#: What shrinks the recipe `paper` for a few hundred photographs on two cores.
PHOTO = ("training.epochs=4", "training.batch=16", "training.crop=[0.5, 1.0]",
         "method.islamnet.channels=64", "training.workers=2")  # fmt: skip
#: The batch norm of these weights was folded into the convolutions, so it must stay as it is. The
#: features are small, so the new layers learn ten times as fast.
FOLDED = {"mobilenet_v2": ("training.frozen_batchnorm=true", "training.learning_rate=0.01")}
#: What the recipe `demo` has learned to do with f4.
NOW = ("method.islamnet.f4_scale=mean", "method.islamnet.f4_floor=0.05",
       "method.islamnet.f4_dropout=0.4")  # fmt: skip

#: All that is said of the emotion goes through the map: more of it is the head's.
COUPLED = (
    "method.islamnet.classifier=coupled",
    "method.islamnet.f4_dropout=0.0",
    "method.islamnet.f4_floor=0.1",
    "method.islamnet.training.clip=1.0",
)

Values = dict[str, dict[str, dict[str, float]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the runs")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds [%(default)s]")
    parser.add_argument("--coupled", action="store_true", help="also with a classifier on U alone")
    parser.add_argument("--photographs", type=Path, help="OSIE in the neutral layout")
    parser.add_argument(
        "--weights", type=Path, help="folder with the files of torchvision's weights"
    )
    chosen = parser.parse_args()
    seeds = range(chosen.seeds)
    now = [run(chosen.folder / f"now/seed{seed}", seed, ()) for seed in seeds]
    before = [run(chosen.folder / f"release-0.1/seed{seed}", seed, BEFORE) for seed in seeds]
    trained = {"recipe demo": now}
    if chosen.coupled:
        trained["U alone"] = [
            run(chosen.folder / f"coupled/seed{seed}", seed, COUPLED) for seed in seeds
        ]
    mine, theirs = mean_values(now), mean_values(before)
    lines = [
        "# Does ISLAMNet's attention earn its place?",
        "",
        "**Synthetic pictures, simulated gaze: this checks the method and says nothing about "
        "people.**",
        "",
        f"{machine()}, commit {commit()}. Recipe `demo`, "
        f"{len(seeds)} seeds, {now[0].summary['n_images']} test pictures. Written by "
        "`python benchmarks/attention.py`.",
        "",
        "## The map beside its controls",
        "",
        "All rows are finished alike: the smoothing of each is chosen on the validation split. "
        "Mean ± standard deviation over seeds; the differences are the network's minus the "
        "control's.",
        "",
        *beside_controls(now, mine),
        "",
        *(on_u_alone(trained["U alone"]) if chosen.coupled else ()),
        "With the numbers of release 0.1:",
        "",
        *beside_controls(before, theirs),
        "",
        "## The raw map",
        "",
        *raw({**trained, "release 0.1": before}, mine, theirs),
        "",
        "## What was aimed at",
        "",
        *aims(trained, theirs),
        "",
    ]
    if chosen.photographs:
        lines += photographs(chosen.folder, chosen.photographs, chosen.weights)
    RESULT.write_text("\n".join(lines), "utf-8")
    print(f"written to {RESULT}")


def run(
    folder: Path, seed: int, settings: Sequence[str], data: Sequence[str] = ()
) -> results.Results:
    """A finished run of `emomap bench` with controls."""
    fixed = ("bench.report=false", f"score.metrics={json.dumps(list(METRICS))}", *settings)
    chosen = ("--method=islamnet", "--controls", "--no-baselines", f"--seed={seed}", *data)
    bench(folder, fixed, *chosen)
    return results.read(folder)


def mean_values(runs: Sequence[results.Results]) -> Values:
    """row -> metric -> image -> value, the mean over the runs."""
    return {
        row: {
            metric: {
                image: statistics.mean(run.values[row][metric][image] for run in runs)
                for image in runs[0].values[row][metric]
            }
            for metric in METRICS
        }
        for row in runs[0].values
        if row.startswith("islamnet")
    }


def over_seeds(runs: Sequence[results.Results], row: str, metric: str) -> str:
    cells = [run.summary["methods"][row]["metrics"][metric]["mean"] for run in runs]
    return spread(cells, 3)


def against_controls(values: Values, metric: str) -> dict[str, Pair]:
    """Control -> the smoothed map of the network against that of the control."""
    pairs = [("islamnet-smooth", f"islamnet@{kind}-smooth") for kind in CONTROLS]
    found = paired(values, metric, pairs, seed=0)
    return dict(zip(CONTROLS, found, strict=True))


def beside_controls(runs: Sequence[results.Results], values: Values) -> list[str]:
    tests = {metric: against_controls(values, metric) for metric in ("cc", "nss")}
    rows = [["f4 (the map)", *(over_seeds(runs, "islamnet-smooth", m) for m in METRICS), "", ""]]
    for kind in CONTROLS:
        row = f"islamnet@{kind}-smooth"
        differences = [
            f"{pair.difference:+.3f} (p {probability(pair.p_holm)})"
            for pair in (tests["cc"][kind], tests["nss"][kind])
        ]
        rows.append([kind, *(over_seeds(runs, row, m) for m in METRICS), *differences])
    return table(["row", *METRICS.values(), "f4 ahead in CC", "f4 ahead in NSS"], rows)


def on_u_alone(runs: Sequence[results.Results]) -> list[str]:
    settings = ", ".join(f"`{setting}`" for setting in COUPLED)
    return [f"With {settings}:", "", *beside_controls(runs, mean_values(runs)), ""]


def raw(
    trained: Mapping[str, Sequence[results.Results]], mine: Values, theirs: Values
) -> list[str]:
    rows = []
    for name, runs in trained.items():
        scores = [over_seeds(runs, "islamnet", metric) for metric in METRICS]
        accuracy = [100 * run.summary["methods"]["islamnet"]["accuracy"] for run in runs]
        rows.append([name, *scores, spread(accuracy, 1), spread([minutes(r) for r in runs], 1)])
    tests = raw_tests(mine, theirs)
    cells = [f"{tests[m].difference:+.3f} (p {probability(tests[m].p)})" for m in METRICS]
    rows.append(["recipe demo minus 0.1", *cells, "", ""])
    return table(["raw f4", *METRICS.values(), "accuracy %", "training, min"], rows)


def raw_tests(mine: Values, theirs: Values) -> dict[str, Pair]:
    both = {"now": mine["islamnet"], "before": theirs["islamnet"]}
    return {metric: paired(both, metric, [("now", "before")], seed=0)[0] for metric in METRICS}


def minutes(run: results.Results) -> float:
    """Minutes of the training by the clock."""
    log = run.home("islamnet") / "training.jsonl"
    return sum(json.loads(line)["seconds"] for line in log.read_text().splitlines()) / 60


def aims(trained: Mapping[str, Sequence[results.Results]], theirs: Values) -> list[str]:
    """Each aim, and what each training has reached."""
    columns = [reached(runs, mean_values(runs), theirs) for runs in trained.values()]
    rows = [
        [aim, *(f"{column[aim][0]}: {'yes' if column[aim][1] else '**no**'}" for column in columns)]
        for aim in columns[0]
    ]
    return table(["aim", *trained], rows)


def reached(
    runs: Sequence[results.Results], mine: Values, theirs: Values
) -> dict[str, tuple[str, bool]]:
    """Aim -> what was reached, and whether that is it."""
    cc, nss = against_controls(mine, "cc"), against_controls(mine, "nss")
    found: dict[str, tuple[str, bool]] = {}
    for kind in ("f1-mean", "f1-energy"):
        one, other = cc[kind], nss[kind]
        sure = max(one.p_holm, other.p_holm) < 0.01 and min(one.difference, other.difference) > 0
        words = f"{one.difference:+.3f}, {other.difference:+.3f}"
        found[f"f4 ahead of {kind} in CC and NSS, p < .01"] = (words, sure)
        found[f"f4 ahead of {kind} by .1 in CC"] = (
            f"{one.difference:+.3f}",
            one.difference >= 0.1,
        )
    ahead = cc["random-head"].difference
    found["f4 ahead of the random head by .1 in CC"] = (f"{ahead:+.3f}", ahead >= 0.1)
    before = raw_tests(mine, theirs)
    for metric in ("cc", "auc_judd"):
        change = before[metric].difference
        found[f"raw f4 ahead of 0.1's in {METRICS[metric]}"] = (f"{change:+.3f}", change > 0)
    accuracy = statistics.mean(run.summary["methods"]["islamnet"]["accuracy"] for run in runs)
    found["accuracy 95% or more"] = (f"{100 * accuracy:.1f}%", accuracy >= 0.95)
    return found


# --------------------------------------------------------------------------------- photographs


def photographs(folder: Path, osie: Path, weights: Path) -> list[str]:
    """The same on photographs, with each of two pretrained backbones."""
    lines = [
        "## Photographs",
        "",
        "Pictures and gaze of OSIE (60 test pictures). It has no emotions: the labels are eight "
        "clusters (k-means) of the pooled ImageNet features of the other network. Recipe `paper` "
        f"with {', '.join(f'`{setting}`' for setting in PHOTO)}; seed 0. The batch norm "
        "of mobilenet_v2 was folded into its convolutions and stays frozen; its features are "
        "small, so its new layers learn ten times as fast. Differences in smoothed CC, p (Holm).",
        "",
    ]
    rows = []
    for name, other in (("squeezenet1_0", "mobilenet_v2"), ("mobilenet_v2", "squeezenet1_0")):
        data = clustered(folder / f"photos-{name}", osie, other, weights)
        for what, changes in (("now", NOW), ("release 0.1", ())):
            options = (f"backbone={name}", f"weights={file_of(weights, name)}", "size=224")
            settings = [f"method.islamnet.{option}" for option in options]
            settings += [*PHOTO, *FOLDED.get(name, ()), *changes]
            given = ["--data", str(data), "--recipe", "paper"]
            found = run(folder / f"{name}-{what.replace(' ', '-')}", 0, settings, given)
            values = mean_values([found])
            tests = against_controls(values, "cc")
            entry = found.summary["methods"]
            rows.append(
                [
                    f"{name}, {what}",
                    f"{100 * entry['islamnet']['accuracy']:.0f}",
                    f"{entry['islamnet']['metrics']['cc']['mean']:.3f}",
                    f"{entry['islamnet-smooth']['metrics']['cc']['mean']:.3f}",
                    *(f"{tests[k].difference:+.3f} (p {probability(tests[k].p_holm)})"
                      for k in ("f1-mean", "f1-energy", "random-head")),
                ]
            )  # fmt: skip
    header = ["backbone", "accuracy %", "raw CC", "smoothed CC", "ahead of f1-mean",
              "of f1-energy", "of the random head"]  # fmt: skip
    return [*lines, *table(header, rows), ""]


def clustered(folder: Path, osie: Path, network: str, weights: Path) -> Path:
    """OSIE with labels: clusters of its pictures by the features of a pretrained network."""
    from sklearn.cluster import KMeans

    from emomap.data import open_dataset
    from emomap.nn.backbone import make_backbone
    from emomap.nn.network import normalise, resize
    from emomap.sample import EMOTIONS

    if (folder / "labels.csv").exists():
        return folder
    shutil.copytree(osie, folder, dirs_exist_ok=True)
    folder.chmod(0o755)
    backbone = make_backbone(network, str(file_of(weights, network))).eval()
    features, names = [], []
    for sample in open_dataset(str(folder)):
        picture = torch.from_numpy(resize(sample.image(), 224).copy())[None]
        with torch.no_grad():
            features.append(backbone(normalise(picture)).mean(dim=(2, 3))[0])
        names.append(sample.id)
    groups = KMeans(8, n_init=10, random_state=0).fit_predict(torch.stack(features).numpy())
    rows = [f"{name},{EMOTIONS[group]}" for name, group in zip(names, groups, strict=True)]
    (folder / "labels.csv").write_text("image,emotion\n" + "\n".join(rows) + "\n")
    return folder


def file_of(weights: Path, network: str) -> Path:
    """The file of a network's weights, by the beginning of its name."""
    return next(weights.glob(f"{network}-*.pth")).resolve()


def commit() -> str:
    ran = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
