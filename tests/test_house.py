"""The house rules that a user would notice: light imports, one metric library, shadowing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "matplotlib", "ot", "skimage", "numba", "pandas")


def run(code: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=60,
    )


@pytest.mark.parametrize(
    "statement",
    [
        "import emomap",
        "import metrics",
        "from emomap import metrics",
        "import emomap.method as m; m.entries()",
        "import emomap.cli as c; c._run(['--help'])",
        "import emomap.cli as c; c._run(['bench', '--help'])",
        "import emomap.cli as c; c._run(['methods'])",
    ],
)
def test_heavy_libraries_are_not_loaded_before_they_are_needed(statement: str) -> None:
    ran = run(f"{statement}\nimport sys; print('loaded', {set(HEAVY)!r} & sys.modules.keys())")
    assert ran.stdout.splitlines()[-1] == "loaded set()", ran.stdout + ran.stderr


def test_both_imports_give_the_same_objects() -> None:
    import metrics
    from emomap import metrics as door

    assert door is metrics
    assert door.cc is metrics.cc


def test_a_strangers_metrics_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "metrics.py").write_text("def accuracy(): ...\n")
    root = str(Path(__file__).parents[1])
    code = f"import sys; sys.path.append({root!r}); from emomap import metrics"
    ran = run(code, cwd=tmp_path)
    assert ran.returncode == 1
    last = ran.stderr.strip().splitlines()[-1]
    assert str(tmp_path / "metrics.py") in last
    assert "python -P" in last


def test_package_functions_do_what_the_commands_do() -> None:
    import emomap
    from emomap.experiment.bench import bench
    from emomap.scoring.folders import score

    assert emomap.score is score
    assert emomap.bench is bench
    with pytest.raises(AttributeError):
        emomap.nonsense  # noqa: B018
