"""Learned saliency and explanation maps of ImageNet classifiers beside GBVS and the centre prior.

    python benchmarks/models.py FOLDER --photographs OSIE --weights FOLDER
                                   writes benchmarks/results/models.md

One command of `emomap bench` on the 60 test pictures of OSIE (a folder in the neutral layout), with
the weights in --weights: attention_center, SqueezeNet and MobileNetV2. Then the maps of
attention_center are scored again after rounding to 16 bits, as a PNG has them. FOLDER keeps the
run; the same command resumes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.runs import machine, table  # noqa: E402
from emomap import io  # noqa: E402
from emomap.analysis.pairs import differs  # noqa: E402
from emomap.runs import results  # noqa: E402

RESULT = Path(__file__).parent / "results" / "models.md"
METRICS = {"auc_judd": 3, "nss": 2, "cc": 3, "sim": 3, "kl": 2, "emd": 2}
CLASSIFIERS = ("squeezenet1_0", "mobilenet_v2")
EXPLAIN = "gradcam,layercam,eigencam"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the run")
    parser.add_argument("--photographs", type=Path, required=True, help="OSIE, neutral layout")
    parser.add_argument("--weights", type=Path, required=True, help="folder of the weights")
    chosen = parser.parse_args()
    command, seconds = benched(chosen.folder / "run", chosen.photographs, chosen.weights)
    run = results.read(chosen.folder / "run")
    lines = [
        "# Learned models and explanation maps",
        "",
        f"{machine()}. OSIE, {run.summary['n_images']} test pictures, gaze of people; the ImageNet "
        "weights of SqueezeNet 1.0 and MobileNetV2; the class explained is the predicted one, the "
        "layer the last feature map. Written by `python benchmarks/models.py`, from one command:",
        "",
        "```text",
        command,
        "```",
        "",
        f"It took {seconds / 60:.1f} minutes on two processes." if seconds else "",
        "",
        *scores(run),
        "",
        "`*`: differs from the centre prior, p < .05 (paired permutation test, Holm). Rows "
        "`-smooth` and `-center` are fitted on the validation split, by CC.",
        "",
        "## What 16 bits cost",
        "",
        "The same maps of attention_center as float32, and rounded to the 16 bits of a PNG:",
        "",
        *rounded(chosen.folder, chosen.photographs, run),
        "",
    ]
    RESULT.write_text("\n".join(lines), "utf-8")
    print(f"written to {RESULT}")


def benched(out: Path, osie: Path, weights: Path) -> tuple[str, float]:
    """Run the command, unless that is done; its text, and the seconds that it took."""
    learned = next(weights.glob("attention_center-*.tflite"))
    given = ["--method", "attention_center",
             "--set", f"method.attention_center.weights={learned}"]  # fmt: skip
    for name in CLASSIFIERS:
        file = next(weights.glob(f"{name}-*.pth"))
        given += ["--method", f"torchvision.models:{name}", "--checkpoint", f"{name}={file}"]
    arguments = ["bench", "--data", str(osie), *given, "--explain", EXPLAIN, "-o", str(out)]
    clock = out.parent / "seconds.json"
    if not (out / "summary.json").exists():
        begun = time.monotonic()
        subprocess.run([sys.executable, "-m", "emomap", *arguments, "-q"], check=True)
        clock.write_text(json.dumps(time.monotonic() - begun))
    short = [argument.replace(str(weights), "WEIGHTS").replace(str(osie), "OSIE")
             for argument in arguments[:-2]]  # fmt: skip
    return " ".join(["emomap", *short]), float(json.loads(clock.read_text()))


def scores(run: results.Results) -> list[str]:
    rows = []
    for name, found in run.summary["methods"].items():
        cells = []
        for metric, digits in METRICS.items():
            cell = found["metrics"].get(metric)
            test = run.summary["tests"].get(name, {}).get(metric)
            mark = "*" if differs(test) else ""
            cells.append(f"{cell['mean']:.{digits}f}{mark}" if cell else "-")
        if any(cell != "-" for cell in cells):
            rows.append([name, *cells])
    order = run.summary["ranks"]
    rows.sort(key=lambda row: order.get(row[0], 0))
    return table(["row", *(metric.upper().replace("_", "-") for metric in METRICS)], rows)


def rounded(folder: Path, osie: Path, run: results.Results) -> list[str]:
    target = folder / "rounded"
    for image, file in run.maps("attention_center").items():
        io.write_map(target / f"{image}.png", io.read_map(file))
    names = ",".join(METRICS)
    ran = subprocess.run(
        [sys.executable, "-m", "emomap", "score", str(target), str(osie), "--metrics", names,
         "--format", "json", "--allow-missing", "-q"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    after = json.loads(ran.stdout)["metrics"]
    before = run.summary["methods"]["attention_center"]["metrics"]
    rows = [
        [name, *(f"{found[metric]['mean']:.3f}" for metric in METRICS)]
        for name, found in (("float32", before), ("16 bits", after))
    ]
    return table(["map", *(metric.upper().replace("_", "-") for metric in METRICS)], rows)


if __name__ == "__main__":
    main()
