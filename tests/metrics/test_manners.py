"""How the library behaves in a program: imports, memory, threads, examples."""

from __future__ import annotations

import doctest
import gc
import importlib
import os
import pkgutil
import subprocess
import sys
import tracemalloc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metrics
from metrics import CATALOGUE
from tests.metrics.cases import scene, score

ROOT = Path(__file__).resolve().parents[2]


def run(code: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=120,
    )
    return ran.stdout


def test_the_import_is_light() -> None:
    loaded = run("import sys, metrics; print(*sys.modules)").split()
    for heavy in ("numba", "scipy", "ot", "torch", "PIL", "click", "emomap"):
        assert heavy not in loaded


def test_maps_of_numbers_need_no_compiler_for_simple_metrics() -> None:
    code = """if True:
        import sys, numpy as np, metrics
        r = np.random.default_rng(0)
        a, b, f = r.random((9, 9)), r.random((9, 9)), np.eye(9, dtype=int)
        metrics.evaluate(a, fixations=f, density=b, metrics=["cc", "sim", "nss", "mae"])
        print("numba" in sys.modules)
    """
    assert run(code).strip() == "False"


def test_nothing_waits_for_the_collector_of_circles() -> None:
    """Or a command would hold many maps at a time."""
    rng = np.random.default_rng(0)
    prediction = rng.integers(0, 256, (30, 40), np.uint8)
    fixations = np.eye(30, 40, dtype=int)
    density = metrics.density(fixations, 3.0)
    gone = [weakref.ref(array) for array in (prediction, fixations, density)]
    gc.disable()
    try:
        metrics.evaluate(prediction, fixations=fixations, density=density)
        del prediction, fixations, density
        assert [ref() for ref in gone] == [None] * 3
    finally:
        gc.enable()


def test_the_number_of_threads_changes_no_bit() -> None:
    code = """if True:
        import metrics
        from tests.metrics.cases import scene
        maps = scene((201, 333))
        maps["density"] = metrics.density(maps["fixations"], 9.0)
        maps["prediction"] = metrics.resize(maps["prediction"], (50, 60))
        maps["prediction"] = metrics.resize(maps["prediction"], (201, 333))
        found = metrics.evaluate(**maps, options={"emd": {"downsize": 8}})
        print([value.hex() for value in found.values()])
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    one, two, three = (run(code, **dict.fromkeys(names, n)) for n in "124")
    assert one == two == three


@pytest.mark.parametrize("entry", list(CATALOGUE.values()), ids=lambda e: e.name)
@pytest.mark.parametrize("dtype", ["f8", "f4", "u1"])
def test_memory_is_at_most_six_times_the_input(entry: Any, dtype: str) -> None:
    maps = scene((480, 640))
    given = {"prediction": maps["prediction"], **{name: maps[name] for name in entry.inputs}}
    for name, array in given.items():
        if dtype == "u1" and array.dtype.kind == "f":
            array = np.round(255 * array)
        given[name] = array.astype("u1" if array.dtype.kind in "iu" else dtype)
    score(entry, given)  # compiled and cached now
    tracemalloc.start()
    score(entry, given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 6 * sum(array.nbytes for array in given.values())


def test_a_batch_needs_no_more_than_its_maps_one_by_one() -> None:
    maps = scene((96, 128), batch=(20,))
    metrics.evaluate(**{name: a[:1] for name, a in maps.items()})
    tracemalloc.start()
    metrics.evaluate(**maps)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < maps["prediction"].nbytes


def modules() -> list[str]:
    return [name for _, name, _ in pkgutil.walk_packages(metrics.__path__, "metrics.")]


@pytest.mark.parametrize("name", modules())
def test_examples_in_the_documentation(name: str) -> None:
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_the_logarithm() -> None:
    from metrics import _compiled

    rng = np.random.default_rng(0)
    x = np.concatenate(
        [
            np.exp(rng.uniform(-700, 700, 20_000)),
            1 + rng.uniform(-0.3, 0.5, 20_000),
            1 + rng.uniform(-1, 1, 2_000) * 1e-14,
            2.0 ** np.arange(-1022, 1024),
            [np.finfo(float).smallest_normal, np.finfo(float).max, 1.0],
        ]
    )
    found = np.empty_like(x)
    _compiled.logarithm(x, found)
    expected = np.log(x)
    assert (np.abs(found - expected) <= 3 * np.spacing(np.abs(expected))).all()
