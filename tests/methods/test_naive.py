"""The classical methods against plain code of the same definitions, on a procedural picture."""

from __future__ import annotations

import numpy as np
import pytest

from emomap.methods.gbvs import gbvs, gbvs_stages
from emomap.methods.itti_koch import itti_koch
from emomap.methods.simpsal import simpsal
from emomap.vision.chain import normalize_by_graph
from tests.methods import naive
from tests.methods.pictures import picture

# an even size, and one that is odd on every level of the pyramid
SIZES = [(128, 160), (143, 175)]


@pytest.mark.parametrize("size", SIZES)
def test_gbvs_by_iteration(size: tuple[int, int]) -> None:
    image = picture(*size)
    master, features, equilibria, iterations = naive.gbvs(image, "CIOR")
    stages = gbvs_stages(image, channels="CIOR", solver="power")
    np.testing.assert_allclose(stages.features, features, atol=1e-10)
    np.testing.assert_allclose(stages.equilibria, equilibria, rtol=1e-6)
    np.testing.assert_array_equal(stages.iterations, iterations)
    np.testing.assert_allclose(stages.master, master, atol=1e-8)


def test_gbvs_in_closed_form_is_where_the_iteration_ends() -> None:
    image = picture(128, 150)
    master, _, equilibria, _ = naive.gbvs(image, "I", tol=1e-13)
    stages = gbvs_stages(image, channels="I")
    np.testing.assert_allclose(stages.equilibria, equilibria, rtol=1e-8)
    np.testing.assert_allclose(stages.master, master, atol=1e-8)


def test_gbvs_with_the_second_chain_by_iteration() -> None:
    image = picture(128, 150)
    master, _, _, _ = naive.gbvs(image, "I", graph=True)
    found = gbvs(image, channels="I", normalization="graph", solver="power", size="native")
    np.testing.assert_allclose(found, master, atol=1e-8)


def test_the_second_chain_stays_at_its_closed_form() -> None:
    activation = np.random.default_rng(0).random((1, 9, 12))
    found = normalize_by_graph(activation, 1.5, solver="exact", tol=1e-4).maps[0]
    y, x = (axis.ravel() for axis in np.mgrid[:9, :12])
    squared = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    weights = np.exp(-squared / (2 * 1.5**2)) * activation.ravel()[:, None]
    after = weights / weights.sum(axis=0) @ found.ravel()
    np.testing.assert_allclose(after, found.ravel(), rtol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_itti_koch(size: tuple[int, int]) -> None:
    image = picture(*size)
    np.testing.assert_allclose(itti_koch(image, size="native"), naive.itti_koch(image), atol=1e-9)


def test_simpsal() -> None:
    image = picture(90, 131)
    found = simpsal(image, channels="IO", size="native")
    np.testing.assert_allclose(found, naive.simpsal(image), atol=1e-9)
