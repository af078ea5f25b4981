"""The earth mover's distance: the optimum, its certificates, and the flux."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import metrics
from metrics._exact import transport


def linear_program(p: Any, q: Any) -> float:
    """The distance as a general linear program."""
    y, x = np.divmod(np.arange(p.size), p.shape[1])
    cost = np.hypot(x[:, None] - x, y[:, None] - y)
    n = p.size
    leaves = np.kron(np.eye(n), np.ones((1, n)))
    comes = np.kron(np.ones((1, n)), np.eye(n))
    found = linprog(
        cost.ravel(),
        A_eq=np.vstack([leaves, comes])[:-1],
        b_eq=np.concatenate([p.ravel(), q.ravel()])[:-1],
    )
    return float(found.fun)


def normal(rng: Any, shape: tuple[int, int], levels: int = 0) -> Any:
    """A random map summing to one; with levels, one of few values and many zeros."""
    found = rng.integers(0, levels, shape).astype(float) if levels else rng.random(shape)
    found.flat[rng.integers(found.size)] += 1
    return found / found.sum()


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    levels=st.sampled_from([0, 2, 3]),
    seed=st.integers(0, 2**31),
)
def test_the_optimum_on_small_grids(height: int, width: int, levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, q = (normal(rng, (height, width), levels) for _ in range(2))
    cost, bound = transport(p - q)
    expected = linear_program(p, q)
    assert cost == pytest.approx(expected, rel=1e-7, abs=1e-9)
    assert bound == pytest.approx(cost, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("shape", [(15, 20), (31, 17), (1, 200), (40, 40)])
@pytest.mark.parametrize("levels", [0, 2, 5])
def test_the_optimum_on_grids_with_levels(shape: tuple[int, int], levels: int) -> None:
    ot = pytest.importorskip("ot")
    rng = np.random.default_rng(1)
    p, q = (normal(rng, shape, levels) for _ in range(2))
    y, x = np.divmod(np.arange(p.size), shape[1])
    a, b = np.maximum(p - q, 0).ravel(), np.maximum(q - p, 0).ravel()
    i, j = a > 0, b > 0
    cost = np.hypot(x[i][:, None] - x[j], y[i][:, None] - y[j])
    mass = a.sum()
    expected = mass * ot.emd2(a[i] / mass, b[j] / b.sum(), cost, numItermax=10_000_000)
    found, bound = transport(p - q)
    assert found == pytest.approx(expected, rel=1e-9)
    assert bound == pytest.approx(expected, rel=1e-9)


def test_a_line_has_a_closed_form() -> None:
    rng = np.random.default_rng(2)
    p, q = (normal(rng, (1, 500)) for _ in range(2))
    found, _ = transport(p - q)
    assert found == pytest.approx(np.abs(np.cumsum(p - q)).sum(), rel=1e-9)


@pytest.mark.parametrize(("down", "right"), [(0, 0), (3, 4), (7, 0)])
def test_moving_a_blob(down: int, right: int) -> None:
    rng = np.random.default_rng(3)
    p, q = np.zeros((40, 40)), np.zeros((40, 40))
    blob = rng.random((20, 20))
    p[5:25, 5:25] = q[5 + down : 25 + down, 5 + right : 25 + right] = blob
    found = metrics.emd(p, q, downsize=1)
    assert found == pytest.approx(np.hypot(down, right), rel=1e-9)
    assert metrics.emd(q, p, downsize=1) == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("tolerance", [0.0, 0.001, 0.05])
def test_an_early_stop_is_certified(tolerance: float) -> None:
    rng = np.random.default_rng(4)
    p, q = (metrics.resize(rng.random((6, 8)), (48, 64)) for _ in range(2))
    exact = metrics.emd(p, q, downsize=1)
    found, bound = metrics.emd(
        p, q, downsize=1, method="approximate", tolerance=tolerance, return_bound=True
    )
    assert bound <= exact * (1 + 1e-12)
    assert exact <= found * (1 + 1e-12)
    assert found - bound <= tolerance * found + 1e-12


def test_cells_and_pixels() -> None:
    rng = np.random.default_rng(5)
    p, q = rng.random((64, 96)), rng.random((64, 96))
    for downsize in (8, 16, 32):
        cells = metrics.emd(p, q, downsize=downsize)
        assert metrics.emd(p, q, downsize=downsize, unit="pixel") == cells * downsize


def test_the_grid_of_the_reference_resizes_the_prediction_directly() -> None:
    rng = np.random.default_rng(6)
    small, density = rng.random((12, 16)), rng.random((48, 64))
    found = metrics.emd(small, density, downsize=8, grid="mit")
    grid = metrics.resize(small, (6, 8), clip=False), metrics.resize(density, (6, 8), clip=False)
    expected = transport(grid[0] / grid[0].sum() - grid[1] / grid[1].sum())[0]
    assert found == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match=r"metrics\.resize"):
        metrics.emd(small, density, downsize=8)


def test_a_map_differs_from_itself_only_on_the_grid_of_the_reference() -> None:
    density = metrics.resize(np.random.default_rng(7).random((3, 4)), (97, 131))
    assert metrics.emd(density, density) == 0.0
    assert metrics.emd(density, density, grid="mit") > 0.01


@pytest.mark.parametrize("shape", [(15, 20), (30, 40), (1, 30), (30, 1), (5, 64)])
def test_beckmann_is_near_and_its_bound_holds(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(8)
    p, q = (metrics.resize(rng.random((4, 5)), shape) + 0.01 for _ in range(2))
    exact = metrics.emd(p, q, downsize=1)
    found, bound = metrics.emd(p, q, downsize=1, method="beckmann", return_bound=True)
    assert found == pytest.approx(exact, rel=0.03)
    assert 0.9 * exact <= bound <= exact * (1 + 1e-9)


def test_beckmann_batches() -> None:
    rng = np.random.default_rng(9)
    p, q = rng.random((2, 3, 12, 16)), rng.random((2, 3, 12, 16))
    found = metrics.emd(p, q, downsize=1, method="beckmann")
    for index in np.ndindex(2, 3):
        single = metrics.emd(p[index], q[index], downsize=1, method="beckmann")
        assert found[index] == pytest.approx(single, rel=1e-12)


@pytest.mark.parametrize(
    "option",
    [
        {"downsize": 0},
        {"downsize": 1.5},
        {"grid": "x"},
        {"unit": "x"},
        {"method": "x"},
        {"tolerance": -1, "method": "approximate"},
        {"iterations": 0, "method": "beckmann"},
    ],
)
def test_options_that_do_not_exist(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(option))} is"):
        metrics.emd(np.ones((4, 4)), np.ones((4, 4)), **option)


# -- POT ----------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    levels=st.sampled_from([0, 2, 3]),
    seed=st.integers(0, 2**31),
)
def test_the_second_solver_agrees(height: int, width: int, levels: int, seed: int) -> None:
    pytest.importorskip("ot")
    from metrics import _pot

    rng = np.random.default_rng(seed)
    p, q = (normal(rng, (height, width), levels) for _ in range(2))
    expected, _ = transport(p - q)
    cost, bound = _pot.transport(p - q)
    assert cost == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert bound == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert _pot.transport(p - p) == (0.0, 0.0)


@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
@pytest.mark.parametrize("unit", ["cell", "pixel"])
@pytest.mark.parametrize("grid", ["common", "mit"])
@pytest.mark.parametrize("downsize", [1, 4, 7])
def test_the_second_solver_takes_every_option(
    convention: Any, unit: Any, grid: Any, downsize: int
) -> None:
    pytest.importorskip("ot")
    rng = np.random.default_rng(11)
    shape = (15, 21) if downsize == 1 else (60, 84)
    p, q = rng.random((2, *shape)), rng.random((2, *shape)) ** 2
    p[0, :8] = 0
    options: Any = {"convention": convention, "unit": unit, "grid": grid, "downsize": downsize}
    expected = metrics.emd(p, q, **options)
    found, bound = metrics.emd(p, q, **options, method="pot", return_bound=True)
    assert found == pytest.approx(expected, rel=1e-9)
    assert bound == pytest.approx(expected, rel=1e-9)
    for negative in ("clip", "keep"):
        options["negative"] = negative
        expected = metrics.emd(p - 0.1, q, **options)
        assert metrics.emd(p - 0.1, q, **options, method="pot") == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="negative value"):
        metrics.emd(p - 0.1, q, method="pot")


@pytest.mark.parametrize("dtype", ["u1", "?", "i4", "f4", ">f8"])
def test_the_second_solver_takes_every_type(dtype: str) -> None:
    pytest.importorskip("ot")
    rng = np.random.default_rng(12)
    p, q = ((200 * rng.random((520, 530)) ** 3).astype(dtype) for _ in range(2))
    expected = metrics.emd(p, q)
    assert metrics.emd(p, q, method="pot") == pytest.approx(expected, rel=1e-9)
    found = metrics.evaluate(p, density=q, metrics="emd", options={"emd": {"method": "pot"}})
    assert found == {"emd": pytest.approx(expected, rel=1e-9)}


def test_the_second_solver_takes_tensors() -> None:
    pytest.importorskip("ot")
    torch = pytest.importorskip("torch")
    p, q = np.random.default_rng(13).random((2, 3, 32, 48))
    expected = metrics.emd(p, q, downsize=4)
    for gradient in (False, True):
        tensors = torch.from_numpy(p.copy()).requires_grad_(gradient), torch.from_numpy(q)
        found = metrics.emd(*tensors, downsize=4, method="pot")
        assert found.detach().numpy() == pytest.approx(expected, rel=1e-9)


def test_the_second_solver_needs_no_numba() -> None:
    pytest.importorskip("ot")
    code = """if True:
        import sys
        sys.modules["numba"] = None
        import numpy as np, metrics
        p, q = (200 * np.random.default_rng(14).random((2, 520, 530)) ** 3).astype("u1")
        print([float(metrics.emd(a, b, method="pot")) for a, b in ((p, q), (p / 7, q / 9))])
        try:
            metrics.emd(p, q)
        except ImportError as error:
            print(error)
    """
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found, refused = ran.stdout.splitlines()
    p, q = (200 * np.random.default_rng(14).random((2, 520, 530)) ** 3).astype("u1")
    expected = [metrics.emd(p, q), metrics.emd(p / 7, q / 9)]
    assert json.loads(found) == pytest.approx(expected, rel=1e-9)
    assert "numba" in refused  # so the block was one


def test_a_missing_pot_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(ImportError, match="needs the package POT: pip install POT"):
        metrics.emd(np.eye(4), np.ones((4, 4)), method="pot")


def test_no_optimum_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ot")
    from metrics import _pot

    monkeypatch.setattr(_pot, "PIVOTS", 1)
    rng = np.random.default_rng(15)
    with (
        pytest.raises(RuntimeError, match="POT found no optimum"),
        pytest.warns(UserWarning, match="numItermax"),
    ):
        metrics.emd(rng.random((9, 9)), rng.random((9, 9)), downsize=1, method="pot")


@pytest.mark.slow
def test_a_large_grid() -> None:
    rng = np.random.default_rng(10)
    p, q = (metrics.resize(rng.random((9, 12)), (90, 120)) for _ in range(2))
    exact, bound = metrics.emd(p, q, downsize=1, return_bound=True)
    assert bound == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("shape", [(6, 8), (15, 20), (30, 40)])
def test_maps_that_differ_by_rounding_are_equal(shape: tuple[int, int]) -> None:
    """What such a difference lacks on one side once overran the count of its parts."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        p = rng.random(shape)
        for q in (
            np.nextafter(p, 2),
            np.where(rng.random(p.shape) < 0.1, np.nextafter(p, 0), p),
            p + 1e-17,
            p * 3,
            p / 3 * 3.0000000001,
        ):
            assert metrics.emd(p, q, downsize=1) == pytest.approx(0, abs=1e-9)
    one = np.zeros(shape)
    one[1, 1] = 1
    other = one.copy()
    other[2, 2] = 1e-300
    assert metrics.emd(one, other, downsize=1) == pytest.approx(0, abs=1e-12)
