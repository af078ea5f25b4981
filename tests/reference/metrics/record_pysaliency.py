"""Record what pysaliency 0.2.22 computes on the reference cases.

    pip install pysaliency==0.2.22
    python tests/reference/metrics/record_pysaliency.py

Writes pysaliency.json beside this file; the tests read that and need no pysaliency.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import peers  # noqa: E402


def values(case: Path) -> dict[str, float]:
    data = np.load(case)
    prediction = data["prediction"].astype(float)
    density = data["density"].astype(float)
    y, x = data["fixations"].T
    other_y, other_x = data["other_fixations"].T
    found = peers.pysaliency()
    if found is None:
        raise SystemExit("pysaliency is not installed")
    at_fixations = prediction[y, x]
    as_density = found.metrics.convert_saliency_map_to_density
    p, b = (
        as_density(m, minimum_value=1e-20) for m in (prediction, data["baseline"].astype(float))
    )
    recorded = {
        "auc_judd": found.roc.general_roc(at_fixations, prediction.ravel())[0],
        "auc_shuffled": found.roc.general_roc(at_fixations, prediction[other_y, other_x])[0],
        "nss": np.mean(found.metrics.NSS(prediction, x, y)),
        "info_gain": np.mean(np.log2(p[y, x]) - np.log2(b[y, x])),
        "cc": found.metrics.CC(prediction, density),
        "sim": found.metrics.SIM(prediction, density),
        "kl": found.metrics.image_based_kl_divergence(prediction, density),
    }
    return {name: float(value) for name, value in recorded.items()}


def main() -> None:
    shared = ROOT.parent / "shared" / "fixtures" / "metrics"
    recorded = {}
    for name in json.loads((HERE / "mit.json").read_text())["cases"]:
        here, there = HERE / f"{name}.npz", shared / f"{name}.npz"
        case = here if here.exists() else there
        data = np.load(case)
        if data["prediction"].shape == data["density"].shape:
            recorded[name] = values(case)
    (HERE / "pysaliency.json").write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    main()
