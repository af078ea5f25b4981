"""Compiled loops where nothing can be written: the same values, and one warning with the remedy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
import warnings
from numba.core import caching
for locator in caching.CacheImpl._locator_classes:
    locator.from_function = classmethod(lambda cls, function, path: None)  # nothing can be written
import {module}
{use}
"""


def run(module: str, use: str) -> subprocess.CompletedProcess[str]:
    script = SCRIPT.format(module=module, use=use)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": ""}
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )


def test_metrics_without_a_cache_are_the_same_with_one_warning() -> None:
    import metrics

    rng = np.random.default_rng(0)
    saliency, fixations = rng.random((30, 40)), rng.random((30, 40)) < 0.02
    use = (
        "import numpy as np, metrics\n"
        "rng = np.random.default_rng(0)\n"
        "s, f = rng.random((30, 40)), rng.random((30, 40)) < .02\n"
        "print(repr(float(metrics.auc_judd(s, f))), repr(float(metrics.emd(s, s[::-1]))))"
    )
    done = run("metrics", use)
    judd, emd = map(float, done.stdout.split())
    assert judd == float(metrics.auc_judd(saliency, fixations))
    assert emd == float(metrics.emd(saliency, saliency[::-1]))
    assert done.stderr.count("NUMBA_CACHE_DIR") == 1


def test_the_command_line_says_it_in_one_line(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    values = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(values).save(pictures / "a.png")
    arguments = ["predict", "--method", "gbvs", str(pictures), "-o", str(tmp_path / "maps"), "-q"]
    use = f"emomap.cli.main({arguments})"
    done = run("emomap.cli", use)
    (line,) = [line for line in done.stderr.splitlines() if "NUMBA_CACHE_DIR" in line]
    assert line.startswith("emomap: note: compiled code cannot be kept on disk")
    assert (tmp_path / "maps/a.png").exists()
