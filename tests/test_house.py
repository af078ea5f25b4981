"""The rules of the house: light imports, no side effects, rooms that keep their order."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
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


@pytest.mark.parametrize("first", ["", "import metrics; assert metrics.accuracy() == 7; "])
def test_a_reader_may_have_a_metrics_of_his_own(tmp_path: Path, first: str) -> None:
    """Also in other processes, which find the objects of the library by their names."""
    (tmp_path / "metrics.py").write_text("def accuracy(): return 7\n")
    program = f"""
import sys; sys.path.append({str(ROOT)!r}); {first}
import pickle
import numpy as np
import emomap
from emomap import metrics

if __name__ == "__main__":
    for name in ("maps", "gaze"):
        import pathlib
        pathlib.Path(name).mkdir()
        for i in range(5):
            np.save(f"{{name}}/{{i}}.npy", np.random.default_rng(i).random((40, 60)))
    found = emomap.score("maps", "gaze", metrics=["cc", "emd"], truth_kind="density", jobs=2)
    assert abs(found.summary()["cc"]["mean"] - 1) < 1e-12
    assert pickle.loads(pickle.dumps(metrics.CATALOGUE["cc"])).long_name == "CC"
    import metrics as his
    assert his.accuracy() == 7
"""
    (tmp_path / "program.py").write_text(program)
    ran = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


def test_package_functions_do_what_the_commands_do() -> None:
    import emomap
    from emomap.experiment.bench import bench
    from emomap.scoring.folders import score

    assert emomap.score is score
    assert emomap.bench is bench
    with pytest.raises(AttributeError):
        emomap.nonsense  # noqa: B018


def test_importing_emomap_changes_nothing_of_its_host() -> None:
    """Every module is imported, as somebody's program would in the course of a day."""
    code = """if True:
        import importlib, locale, os, pkgutil, signal, sys, warnings
        import matplotlib, numpy, torch
        from PIL import Image

        def host():
            return {
                "pillow's limit": Image.MAX_IMAGE_PIXELS,
                "environment": dict(os.environ),
                "path": list(sys.path),
                "floating point": numpy.geterr(),
                "printing": numpy.get_printoptions(),
                "random numbers": str(numpy.random.get_state()),
                "threads": torch.get_num_threads(),
                "torch": (torch.get_default_dtype(), torch.are_deterministic_algorithms_enabled()),
                "matplotlib": (dict(matplotlib.rcParams), "matplotlib.pyplot" in sys.modules),
                "locale": locale.setlocale(locale.LC_ALL),
                "signals": {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)},
            }

        import sklearn, skimage, scipy.stats, lightning_fabric, numba, ot  # theirs, not ours
        before, filters = host(), list(warnings.filters)
        import emomap, metrics
        for package in (emomap, metrics):
            for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
                if not found.name.endswith("__main__"):
                    importlib.import_module(found.name)
        after = host()
        for key in before:
            if before[key] != after[key]:
                print("changed:", key)
        ours = [f for f in warnings.filters if f not in filters and "emomap" in str(f)]
        print("done", ours)
    """
    ran = run(code)
    assert ran.stdout.splitlines() == ["done []"], ran.stdout + ran.stderr


# ------------------------------------------------------------------------------------- the rooms


def sources() -> Iterator[Path]:
    for package in ("emomap", "metrics"):
        yield from sorted((ROOT / package).rglob("*.py"))


def root_modules() -> list[Path]:
    return sorted((ROOT / "emomap").glob("*.py"))


def test_the_page_on_the_architecture_names_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))
    packages = {f"{file.parent.relative_to(ROOT).as_posix()}/" for file in sources()} - {"emomap/"}
    modules = {file.relative_to(ROOT).as_posix() for file in root_modules()}
    assert packages | modules == {name for name in named if name.startswith(("emomap", "metrics"))}


def test_every_room_says_what_it_is_for() -> None:
    for file in sources():
        doc = ast.get_docstring(ast.parse(file.read_text("utf-8")))
        assert doc, file
        if file.name == "__init__.py" and file.parent != ROOT / "emomap":
            assert re.search(r"[Kk]now", doc), f"{file}: what the room may not know"


def test_few_modules_lie_loose_at_the_root() -> None:
    assert len(root_modules()) <= 12


def test_tests_lie_in_the_room_that_they_test() -> None:
    assert [file.name for file in (ROOT / "tests").glob("test_*.py")] == ["test_house.py"]


def test_no_two_types_share_a_name() -> None:
    names = Counter(
        node.name
        for file in sources()
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


@cache
def arrows() -> dict[str, set[str]]:
    """Room -> the rooms that it imports; a package is a room, and so is a module of the root."""
    graph = grimp.build_graph("emomap", "metrics", cache_dir=None)

    def room(module: str) -> str:
        return ".".join(module.split(".")[:2]) if module.startswith("emomap") else "metrics"

    found: dict[str, set[str]] = {room(module): set() for module in graph.modules}
    for module in graph.modules:
        for other in graph.find_modules_directly_imported_by(module):
            if room(other) != room(module):
                found[room(module)].add(room(other))
    return found


def floor(room: str, below: tuple[str, ...] = ()) -> int:
    """How many rooms stand on each other from the ground up to this one."""
    assert room not in below, f"a circle: {' -> '.join([*below, room])}"
    return 1 + max((floor(other, (*below, room)) for other in arrows()[room]), default=0)


def test_the_house_has_no_circle_and_few_floors() -> None:
    assert max(floor(room) for room in arrows()) <= 11
