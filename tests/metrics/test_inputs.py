"""Masks, points, weights, broadcasting, and what is no map: over the whole catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metrics
from metrics import CATALOGUE
from tests.metrics.cases import scene, score
from tests.metrics.test_contract import OF_FIXATIONS, scenes

ENTRIES = list(CATALOGUE.values())
BOTH = [(entry, convention) for entry in ENTRIES for convention in entry.conventions]
each = pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
each_convention = pytest.mark.parametrize(
    ("entry", "convention"), BOTH, ids=[f"{e.name}-{c}" for e, c in BOTH]
)


def points_of(counts: Any) -> Any:
    """The points (x, y) of a count map."""
    y, x = np.nonzero(counts)
    return np.repeat(np.stack([x, y], 1), counts[y, x], axis=0)


# -- masks ---------------------------------------------------------------------------------------


@st.composite
def bordered(draw: Any) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    """Maps with zeros and ties in a border of anything, a mask of it, and the maps without it."""
    inner = draw(scenes())
    if draw(st.integers(0, 4)) == 0:
        inner["prediction"][:] = draw(st.sampled_from([0.0, 3.0]))
    top, bottom, left, right = (draw(st.integers(0, 3)) for _ in range(4))
    height, width = inner["prediction"].shape
    shape = (height + top + bottom, width + left + right)
    mask = np.ones(shape, bool)
    mask[top : top + height, left : left + width] = False
    outer = {}
    for name, array in inner.items():
        outer[name] = np.full(shape, 2 if array.dtype.kind == "i" else np.nan, array.dtype)
        outer[name][~mask] = array.ravel()
    return outer, mask, inner


@each_convention
@settings(max_examples=25, deadline=None)
@given(drawn=bordered())
def test_a_masked_border_is_a_cropped_map(entry: Any, convention: str, drawn: Any) -> None:
    outer, mask, inner = drawn
    expected = score(entry, inner, convention=convention)
    found = score(entry, outer, convention=convention, mask=mask)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    hidden = {**outer, "prediction": np.ma.array(outer["prediction"], mask=mask)}
    assert score(entry, hidden, convention=convention) == found


@each_convention
@pytest.mark.parametrize("gradient", [False, True])
def test_masks_of_tensors_and_batches(entry: Any, convention: str, gradient: bool) -> None:
    torch = pytest.importorskip("torch")
    maps = scene((9, 11), batch=(3,))
    masks = np.random.default_rng(1).random((3, 9, 11)) < 0.3
    masks[:, 1, 2] = False
    tensors = {name: torch.from_numpy(a) for name, a in maps.items()}
    tensors["prediction"].requires_grad_(gradient)
    for mask in (masks, masks[0]):
        expected = [
            score(
                entry,
                {name: a[i] for name, a in maps.items()},
                convention=convention,
                mask=mask if mask.ndim == 2 else mask[i],
            )
            for i in range(3)
        ]
        assert score(entry, maps, convention=convention, mask=mask).tolist() == expected
        found = score(entry, tensors, convention=convention, mask=torch.from_numpy(mask))
        assert found.detach().numpy() == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_masks_of_several_maps_add_up() -> None:
    maps = scene()
    first, second, third = np.random.default_rng(0).random((3, 24, 32)) < 0.2
    found = metrics.cc(
        np.ma.array(maps["prediction"], mask=first),
        np.ma.array(maps["density"], mask=second),
        mask=third,
    )
    kept = ~(first | second | third)
    expected = np.corrcoef(maps["prediction"][kept], maps["density"][kept])[0, 1]
    assert found == pytest.approx(expected, rel=1e-12)
    every = metrics.evaluate(**maps, mask=first)
    assert every["cc"] == metrics.cc(maps["prediction"], maps["density"], mask=first)


def test_masks_that_do_not_fit() -> None:
    maps = scene()
    p, f = maps["prediction"], maps["fixations"]
    with pytest.raises(ValueError, match="mask leaves no pixel"):
        metrics.nss(p, f, mask=np.ones((24, 32), bool))
    with pytest.raises(ValueError, match=r"mask has \(24, 31\)"):
        metrics.nss(p, f, mask=np.zeros((24, 31), bool))
    with pytest.raises(ValueError, match="mask must hold True"):
        metrics.nss(p, f, mask=np.full((24, 32), 0.5))
    with pytest.raises(ValueError, match="fixations has no fixation"):
        metrics.nss(p, f, mask=f > 0)
    p[3, 4] = np.nan
    mask = np.zeros((24, 32), bool)
    mask[:2] = True
    with pytest.raises(ValueError, match=r"prediction has 1 NaN.*\(3, 4\)"):
        metrics.nss(p, f, mask=mask)


# -- points --------------------------------------------------------------------------------------


@each_convention
@settings(max_examples=20, deadline=None)
@given(maps=scenes())
def test_points_are_their_map(entry: Any, convention: str, maps: dict[str, Any]) -> None:
    expected = score(entry, maps, convention=convention)
    points = {n: points_of(maps[n]) + 0.3 for n in ("fixations", "other")}
    found = score(entry, {**maps, **points}, convention=convention, **_said(entry, "points"))
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


def _said(entry: Any, kind: str) -> dict[str, str]:
    return {"kind": kind} if "fixations" in entry.inputs else {}


@each_convention
@pytest.mark.parametrize("gradient", [None, False, True])
def test_points_of_a_batch(entry: Any, convention: str, gradient: bool | None) -> None:
    maps = scene(batch=(3,))
    expected = score(entry, maps, convention=convention)
    names = ("fixations", "other")
    listed = {n: [points_of(a) for a in maps[n]] for n in names}
    indexed = {
        n: np.concatenate([np.insert(p, 0, i, axis=1) for i, p in enumerate(listed[n])])
        for n in names
    }
    if gradient is not None:
        torch = pytest.importorskip("torch")
        maps = {name: torch.from_numpy(a) for name, a in maps.items()}
        maps["prediction"].requires_grad_(gradient)
    for points in (listed, indexed):
        found = score(entry, {**maps, **points}, convention=convention)
        found = found if gradient is None else found.detach().numpy()
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("entry", OF_FIXATIONS, ids=lambda e: e.name)
@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
def test_weights(entry: Any, convention: str) -> None:
    maps = scene()
    points = points_of(maps["fixations"])
    given = {**maps, "fixations": points}
    expected = score(entry, given, convention=convention)
    ones = score(entry, given, convention=convention, weights=np.ones(len(points)))
    assert ones == pytest.approx(expected, rel=1e-12)
    alone = np.where(np.arange(len(points)) == 2, 0.7, 0.0)  # only one point counts
    found = score(entry, given, convention=convention, weights=alone)
    single = score(entry, {**maps, "fixations": points[2:3]}, convention=convention)
    if convention == "tuebingen" or entry.name not in ("auc_judd", "auc_borji"):
        assert found == pytest.approx(single, rel=1e-12)
    rng = np.random.default_rng(0)
    whole = rng.integers(1, 4, len(points))
    if convention == "tuebingen":  # a weight of 3 is three fixations
        repeated = {**maps, "fixations": np.repeat(points, whole, axis=0)}
        found = score(entry, given, convention=convention, weights=whole)
        assert found == pytest.approx(score(entry, repeated, convention=convention), rel=1e-12)
    with pytest.raises(ValueError, match="points need"):
        score(entry, given, weights=[1.0])
    with pytest.raises(ValueError, match="not negative"):
        score(entry, given, weights=-np.ones(len(points)))
    with pytest.raises(ValueError, match="weights belong to fixations given as points"):
        score(entry, maps, weights=np.ones(3))


def test_weighted_nss_by_hand() -> None:
    maps = scene()
    p = maps["prediction"]
    z = (p - p.mean()) / p.std(ddof=1)
    found = metrics.nss(p, [(3, 4), (5, 6), (31, 23), (99, 3)], weights=[0.2, 0.5, 2.0, 7.0])
    assert found == pytest.approx(np.average([z[4, 3], z[6, 5], z[23, 31]], weights=[0.2, 0.5, 2]))


def test_a_weighted_auc_judd_by_hand() -> None:
    p = np.arange(12.0).reshape(3, 4)
    found = metrics.auc_judd(p, [(3, 2), (1, 1)], weights=[3.0, 1.0])
    # hits .75 at no false alarm, 1 at 5 of the 10 others
    assert found == pytest.approx(0.75 * 0.5 + 0.25 * 0.5 / 2 + 0.5)


def test_points_that_do_not_fit() -> None:
    p = scene()["prediction"]
    for empty in ([], np.empty((0, 2)), [(99, 3)]):
        with pytest.raises(ValueError, match="fixations has no fixation"):
            metrics.nss(p, empty)
    with pytest.raises(ValueError, match=r"fixations has 1 NaN.*row 1"):
        metrics.nss(p, [(1, 2), (np.nan, 3)])
    with pytest.raises(ValueError, match=r"indices go from 0 to 1"):
        metrics.nss(np.stack([p, p]), [(0, 1, 2), (2, 1, 2)])
    # two columns of a map as narrow as points
    narrow = np.arange(10.0).reshape(5, 2)
    counts = (narrow == 7).astype(int)
    assert metrics.nss(narrow, counts) == metrics.nss(narrow, [(1, 3)])
    assert metrics.nss(narrow, [[1, 3]] * 5, kind="points") == metrics.nss(narrow, counts)


# -- broadcasting --------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("library", ["numpy", "torch", "gradient"])
def test_one_map_serves_a_batch(entry: Any, library: str) -> None:
    maps = scene((9, 11), batch=(3,))
    for single in ({"prediction"}, {"fixations", "density"}, {"other", "baseline"}):
        given = {name: a[0] if name in single else a for name, a in maps.items()}
        expected = [
            score(entry, {n: a if n in single else a[i] for n, a in given.items()})
            for i in range(3)
        ]
        if library != "numpy":
            torch = pytest.importorskip("torch")
            given = {name: torch.from_numpy(a) for name, a in given.items()}
            given["prediction"].requires_grad_(library == "gradient")
        found = score(entry, given)
        if found.ndim == 0:  # nothing of this metric is a batch
            continue
        found = found if library == "numpy" else found.detach().numpy()
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_axes_of_length_one_pair_all_with_all() -> None:
    maps = scene((9, 11), batch=(4,))
    found = metrics.cc(maps["prediction"][:, None], maps["density"][None, :3])
    assert found.shape == (4, 3)
    assert found[3, 1] == metrics.cc(maps["prediction"][3], maps["density"][1])


# -- what is no map ------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_what_is_no_map(entry: Any, library: str) -> None:
    from scipy import sparse

    torch = pytest.importorskip("torch")
    maps = scene(batch=(2,))
    one = {name: a[0] for name, a in maps.items()}
    if library == "torch":
        maps, one = (
            {name: torch.from_numpy(np.array(a)) for name, a in group.items()}
            for group in (maps, one)
        )
    for name in ("prediction", *entry.inputs):
        wrong: list[tuple[Any, str]] = [
            (None, "is None"),
            (sparse.csr_matrix(np.asarray(one[name])), "toarray"),
            (torch.as_tensor(one[name]).to_sparse(), "to_dense"),
            (torch.empty((24, 32), device="meta"), "meta"),
            (one[name][..., None], "channel"),
            (np.stack([np.asarray(one[name])] * 3, axis=-1), "picture"),
        ]
        for value, advice in wrong:
            with pytest.raises(ValueError, match=f"{name} .*{advice}"):
                score(entry, {**one, name: value})
        with pytest.raises(ValueError, match=r"map\[:, 0\]"):
            score(entry, {**maps, name: maps[name][:, None]})


# -- counts --------------------------------------------------------------------------------------


def gaze_samples(rng: Any, spread: float) -> Any:
    """Samples of an eye tracker at 500 Hz: some of a second in each of many places."""
    points = [
        rng.normal(rng.uniform((20, 20), (300, 220)), spread, (int(rng.integers(50, 300)), 2))
        for _ in range(60)
    ]
    return metrics.fixation_map(np.concatenate(points), (240, 320))


@pytest.mark.parametrize("seed", range(5))
def test_counts_of_every_kind_are_accepted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    many = np.zeros((40, 50), int)
    many.flat[rng.permutation(2000)[:33]] = np.arange(1, 34)
    grid = np.zeros((8, 8), int)
    grid.flat[:40] = rng.integers(1, 9, 40)
    block = np.zeros((8, 8), int)
    block[:5] = 1
    for counts in (many, grid, block, gaze_samples(rng, 2.5), gaze_samples(rng, 6.0)):
        prediction = rng.random(counts.shape)
        for convention in ("mit", "tuebingen"):
            metrics.nss(prediction, counts, convention=convention)
            metrics.auc(prediction, counts, convention=convention)


@pytest.mark.parametrize("sigma", [2.0, 5.0, 24.0])
@pytest.mark.parametrize("peak", [15, 31, 255, 65535])
def test_a_density_in_whole_numbers_is_refused(sigma: float, peak: int) -> None:
    rng = np.random.default_rng(0)
    density = metrics.density(rng.random((120, 160)) < 0.002, sigma)
    whole = np.round(peak * density / density.max()).astype(np.uint16)
    with pytest.raises(ValueError, match=r"smooth.*kind='counts'"):
        metrics.nss(density, whole)
    z = (density - density.mean()) / density.std()
    found = metrics.nss(density, whole, convention="tuebingen", kind="counts")
    assert found == pytest.approx(np.average(z, weights=whole))
