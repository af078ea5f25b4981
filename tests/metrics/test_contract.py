"""What every metric of the catalogue keeps to: types, invariances, direction, degenerate inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metrics
from metrics import CATALOGUE
from tests.metrics.cases import scene, score

ENTRIES = list(CATALOGUE.values())
BOTH = [(entry, convention) for entry in ENTRIES for convention in entry.conventions]
#: Those that share a prediction out as a distribution.
SHARING = [e for e in ENTRIES if e.name in ("sim", "kl", "emd", "js", "mae", "info_gain")]
#: Those of the values at fixations, and those of a density.
OF_FIXATIONS = [e for e in ENTRIES if "fixations" in e.inputs]
OF_DENSITY = [e for e in ENTRIES if e.inputs == ("density",)]

each = pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
each_convention = pytest.mark.parametrize(
    ("entry", "convention"), BOTH, ids=[f"{e.name}-{c}" for e, c in BOTH]
)


@st.composite
def scenes(draw: Any) -> dict[str, Any]:
    """Small maps with many ties and zeros, by the names of `metrics.evaluate`."""
    height, width = draw(st.integers(2, 9)), draw(st.integers(3, 11))
    size = height * width
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    levels = draw(st.sampled_from([2, 3, 10, 1000]))

    def grey() -> Any:
        values = rng.integers(0, levels, size)
        values[: size // 4] = 0
        values[rng.integers(size // 4, size)] = levels  # no constant map
        return rng.permutation(values).reshape(height, width).astype(float)

    def counts(most: int) -> Any:
        found = np.zeros(size, int)
        found[rng.permutation(size)[: rng.integers(1, most + 1)]] = rng.integers(1, 4)
        return found.reshape(height, width)

    return {
        "prediction": grey(),
        "fixations": counts(size // 3),
        "density": grey(),
        "other": counts(size),
        "baseline": grey(),
    }


# -- types and shapes ----------------------------------------------------------------------------


@each_convention
def test_a_single_map_gives_a_python_float(entry: Any, convention: str) -> None:
    assert type(score(entry, scene(), convention=convention)) is float


@each_convention
def test_a_batch_gives_what_single_calls_give(entry: Any, convention: str) -> None:
    maps = scene(batch=(2, 3))
    found = score(entry, maps, convention=convention)
    assert found.shape == (2, 3)
    for index in np.ndindex(2, 3):
        single = {name: array[index] for name, array in maps.items()}
        assert found[index] == score(entry, single, convention=convention)


@each
def test_one_pool_or_baseline_serves_a_batch(entry: Any) -> None:
    maps = scene(batch=(3,))
    for name in ("other", "baseline"):
        maps[name] = maps[name][0]
    found = score(entry, maps)
    single = {name: a[2] if a.ndim == 3 else a for name, a in maps.items()}
    assert found[2] == score(entry, single)


@each_convention
@pytest.mark.parametrize("layout", ["fortran", "slice", "negative"])
def test_the_order_of_memory_does_not_matter(entry: Any, convention: str, layout: str) -> None:
    maps = scene()
    expected = score(entry, maps, convention=convention)

    def moved(array: Any) -> Any:
        if layout == "fortran":
            return np.asfortranarray(array)
        if layout == "slice":
            return np.repeat(array, 2, axis=1)[:, ::2]
        return np.ascontiguousarray(array[::-1, ::-1])[::-1, ::-1]

    found = score(entry, {name: moved(a) for name, a in maps.items()}, convention=convention)
    assert found == expected


@each_convention
@pytest.mark.parametrize("dtype", ["u1", "?", "i4", "u2", "f2", "f4", "f8", ">f8", ">i2"])
def test_every_real_type_is_taken_at_its_value(entry: Any, convention: str, dtype: str) -> None:
    maps = scene()
    whole = {name: np.round(200 * a) if a.dtype.kind == "f" else a for name, a in maps.items()}
    given = {
        name: (a > 100 if dtype == "?" and a.dtype.kind == "f" else a).astype(dtype)
        for name, a in whole.items()
    }
    wide = {name: a.astype(float) for name, a in given.items()}
    found = score(entry, given, convention=convention)
    assert found == pytest.approx(score(entry, wide, convention=convention), rel=1e-12, abs=1e-12)


def test_lists_are_maps_too() -> None:
    assert metrics.cc([[0, 1], [2, 3]], [[0, 2], [4, 6]]) == 1.0


# -- invariances ---------------------------------------------------------------------------------


@each_convention
@settings(max_examples=20, deadline=None)
@given(maps=scenes(), factor=st.sampled_from([1e-6, 0.25, 3.0, 1e4]))
def test_positive_scaling(entry: Any, convention: str, maps: dict[str, Any], factor: float) -> None:
    if convention == "tuebingen" and entry.name in ("kl", "info_gain"):
        maps = {**maps, "prediction": maps["prediction"] + 1}  # zeros: see the next test
    expected = score(entry, maps, convention=convention)
    # Powers of two keep ties as they are; others may break or make a tie in the last bit, which
    # is what thresholds at multiples of 0.1 are about.
    factor = 2.0 ** round(math.log2(factor))
    scaled = {**maps, "prediction": maps["prediction"] * factor, "density": maps["density"] * 8}
    found = score(entry, scaled, convention=convention)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(maps=scenes(), factor=st.sampled_from([2.0**-30, 1e-6, 1.0, 3.0, 1e4]))
def test_the_floor_of_tuebingen_has_the_scale_of_the_map(
    maps: dict[str, Any], factor: float
) -> None:
    """1e-20 is added to the map as it stands, so scores of zeros depend on its scale."""

    def shares(map: Any) -> Any:
        return (map + 1e-20) / (map + 1e-20).sum()

    p, d, baseline = factor * maps["prediction"], maps["density"], maps["baseline"]
    found = metrics.kl(p, d, convention="tuebingen")
    expected = (shares(d) * np.log(shares(d) / shares(p))).sum()
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    found = metrics.info_gain(p, maps["fixations"], baseline, convention="tuebingen")
    gains = np.log2(shares(p)) - np.log2(shares(baseline))
    expected = np.average(gains, weights=maps["fixations"])
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@each_convention
@pytest.mark.parametrize("factor", [2.0**-1020, 2.0**-600, 2.0**600, 2.0**1010])
@pytest.mark.parametrize("name", ["prediction", "density"])
def test_numbers_at_the_ends_of_their_range(
    entry: Any, convention: str, factor: float, name: str
) -> None:
    maps = scene()
    maps[name] = np.round(maps[name] * 255) + 1
    if entry.name in ("kl", "info_gain") and convention == "tuebingen" and factor < 1:
        maps[name][:] = 9.0  # 1e-20 is added to the map as it stands, and makes it uniform
    expected = score(entry, maps, convention=convention)
    extreme = {**maps, name: maps[name] * factor}
    assert score(entry, extreme, convention=convention) == pytest.approx(expected, rel=1e-9)


def test_a_map_of_the_smallest_numbers_there_are() -> None:
    maps = scene()
    steps = np.round(maps["prediction"] * 20)
    for entry in ENTRIES:
        expected = score(entry, {**maps, "prediction": steps})
        found = score(entry, {**maps, "prediction": steps * 5e-324})
        assert found == pytest.approx(expected, rel=1e-9), entry.name


def test_mae_of_maps_as_they_are_has_their_scale() -> None:
    maps = scene()
    p, d = maps["prediction"], maps["density"]
    expected = metrics.mae(p, d, normalize=False)
    found = metrics.mae(p * 2.0**-300, d * 2.0**-300, normalize=False)
    assert found == pytest.approx(expected * 2.0**-300, rel=1e-12)


@pytest.mark.parametrize("splits", [0, -3, 2.5])
def test_splits_are_a_positive_whole_number(splits: Any) -> None:
    maps = scene()
    with pytest.raises(ValueError, match="splits is"):
        metrics.auc_borji(maps["prediction"], maps["fixations"], splits=splits)


@each_convention
@settings(max_examples=30, deadline=None)
@given(maps=scenes())
def test_range(entry: Any, convention: str, maps: dict[str, Any]) -> None:
    found = score(entry, maps, convention=convention)
    low, high = entry.range
    assert low <= found <= high
    if entry.name == "nss":  # no value is further from the mean (Samuelson 1968)
        most = math.sqrt(maps["prediction"].size - 1)
    elif entry.name == "info_gain" and convention == "mit":
        most = 52  # log2 of 1 and of 2^-52
    else:  # the least share is 1e-20 of the largest sum
        most = math.log(max(a.sum() for a in maps.values()) * 1e20) / math.log(2)
    assert abs(found) <= most + 1e-9


@pytest.mark.parametrize("entry", OF_DENSITY, ids=lambda e: e.name)
@settings(max_examples=30, deadline=None)
@given(maps=scenes())
def test_nothing_is_better_than_the_density_itself(entry: Any, maps: dict[str, Any]) -> None:
    for convention in entry.conventions:
        itself = entry.function(maps["density"], maps["density"], convention=convention)
        other = entry.function(maps["prediction"], maps["density"], convention=convention)
        assert (itself - other) * entry.direction >= -1e-9
        assert entry.range[0] <= itself <= entry.range[1]
        best = entry.range[0] if entry.direction < 0 else entry.range[1]
        assert itself == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("entry", OF_FIXATIONS, ids=lambda e: e.name)
@settings(max_examples=30, deadline=None)
@given(maps=scenes())
def test_looking_at_the_fixations_helps(entry: Any, maps: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    fixated = maps["fixations"] > 0
    noise = rng.permutation(fixated.size).reshape(fixated.shape) / fixated.size
    other = maps["other"] * ~fixated
    if not other.any():
        other = (~fixated).astype(int)
    options = {"tolerance": 0} if entry.name == "pointing_game" else {}  # pixels of a small map
    for convention in entry.conventions:
        options["convention"] = convention
        good, bad = (
            score(entry, {**maps, "other": other, "prediction": p}, **options)
            for p in (noise + 2 * fixated, noise + 2 * ~fixated)
        )
        assert (good - bad) * entry.direction > 0


@each
@settings(max_examples=15, deadline=None)
@given(maps=scenes())
def test_bytes_and_floats_agree(entry: Any, maps: dict[str, Any]) -> None:
    narrow = {name: (np.minimum(a, 255)).astype(np.uint8) for name, a in maps.items()}
    wide = {name: a.astype(float) for name, a in narrow.items()}
    assert score(entry, narrow) == pytest.approx(score(entry, wide), rel=1e-9, abs=1e-9)


# -- degenerate inputs: the table of traps -------------------------------------------------------


@each_convention
@pytest.mark.parametrize("value", [0.0, 0.1, 7.0, -0.3])
def test_a_constant_prediction_says_nothing(entry: Any, convention: str, value: float) -> None:
    maps = scene()
    if entry in SHARING and value < 0:
        pytest.skip("refused: see test_negative_predictions")
    constant = np.full((24, 32), value)
    found = score(entry, {**maps, "prediction": constant}, convention=convention)
    if entry.name.startswith("auc"):
        assert found == 0.5
    elif entry.name in ("nss", "cc", "spearman", "iou", "dice"):
        assert found == 0.0
    elif entry.name == "mae":
        density = maps["density"]
        expected = ((density - density.min()) / np.ptp(density)).mean()
        assert found == pytest.approx(expected, rel=1e-9)
    else:
        # a map that is uniform but for rounding is the uniform distribution
        nearly = constant.copy()
        nearly[0, 0] += 1e-15 * value
        uniform = {**maps, "prediction": np.ones((24, 32))}
        tolerance = {"rel": 1e-9}
        assert found == pytest.approx(score(entry, uniform, convention=convention), **tolerance)
        found = score(entry, {**maps, "prediction": nearly}, convention=convention)
        assert found == pytest.approx(score(entry, uniform, convention=convention), **tolerance)


@pytest.mark.parametrize("value", [0, 9])
def test_constant_bytes_say_nothing(value: int) -> None:
    maps = scene()
    narrow = metrics.evaluate(**{**maps, "prediction": np.full((24, 32), value, np.uint8)})
    wide = metrics.evaluate(**{**maps, "prediction": np.full((24, 32), float(value))})
    assert narrow == pytest.approx(wide, rel=1e-12)


@each
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(entry: Any, bad: float) -> None:
    for name in ("prediction", *entry.inputs):
        maps = scene()
        maps[name] = maps[name].astype(float)
        maps[name][3, 4] = maps[name][5, 6] = bad
        with pytest.raises(ValueError, match=rf"{name} has 2 NaN or infinite.*\(3, 4\)"):
            score(entry, maps)
    batch = scene(batch=(2,))
    batch["prediction"][1, 3, 4] = bad
    with pytest.raises(
        ValueError, match=r"map \(1,\) of the batch: prediction has 1 NaN.*\(3, 4\)"
    ):
        score(entry, batch)


@each
def test_complex_values_and_text(entry: Any) -> None:
    for name in ("prediction", *entry.inputs):
        maps = scene()
        with pytest.raises(ValueError, match=f"{name} is complex"):
            score(entry, {**maps, name: maps[name] + 1j})
        with pytest.raises(TypeError, match=f"{name} must hold numbers"):
            score(entry, {**maps, name: maps[name].astype(str)})


@each
def test_shapes_that_differ(entry: Any) -> None:
    maps = scene()
    wrong = np.ones((12, 16), dtype=bool)
    with pytest.raises(ValueError, match=r"\(12, 16\).*\(24, 32\).*metrics\.resize"):
        score(entry, {**maps, "prediction": wrong})
    for name in entry.inputs:
        with pytest.raises(ValueError, match=r"\(24, 32\).*\(12, 16\).*metrics\.resize"):
            score(entry, {**maps, name: wrong})
    with pytest.raises(ValueError, match=r"height, width\), not \(24,\)"):
        score(entry, {**maps, "prediction": np.ones(24)})
    with pytest.raises(ValueError, match="no pixel"):
        score(entry, {**maps, "prediction": np.ones((0, 4))})


def test_points_where_a_density_belongs() -> None:
    maps = {**scene(), "density": np.array([[3, 4], [5, 6]])}
    with pytest.raises(ValueError, match=r"metrics\.fixation_map"):
        metrics.cc(maps["prediction"], maps["density"])


@pytest.mark.parametrize("entry", OF_FIXATIONS, ids=lambda e: e.name)
def test_no_fixation(entry: Any) -> None:
    for name in {"fixations", "other"} & set(entry.inputs):
        with pytest.raises(ValueError, match=f"{name} has no fixation"):
            score(entry, {**scene(), name: np.zeros((24, 32))})


@pytest.mark.parametrize("entry", OF_FIXATIONS, ids=lambda e: e.name)
def test_a_density_where_fixations_belong(entry: Any) -> None:
    maps = scene()
    density = metrics.density(maps["fixations"], 2.0)
    for wrong in (
        density,
        density / density.max(),
        np.round(255 * density / density.max()).astype(np.uint8),
        np.ones((24, 32), int),
        -maps["fixations"],
    ):
        with pytest.raises(
            ValueError, match=r"fixations .*A density belongs to cc, sim, kl or emd"
        ):
            score(entry, {**maps, "fixations": wrong})


@pytest.mark.parametrize("scale", [1, 255, 1.0, True])
def test_fixation_maps_in_circulation_are_accepted(scale: Any) -> None:
    maps = scene()
    binary = (maps["fixations"] > 0) * scale
    assert metrics.nss(maps["prediction"], binary) == metrics.nss(
        maps["prediction"], maps["fixations"]
    )


@pytest.mark.parametrize("entry", OF_DENSITY, ids=lambda e: e.name)
@pytest.mark.parametrize("dtype", [float, np.uint8])
def test_a_density_of_zeros(entry: Any, dtype: Any) -> None:
    with pytest.raises(ValueError, match="density is zero everywhere"):
        score(entry, {**scene(), "density": np.zeros((24, 32), dtype)})


@each
def test_negative_predictions(entry: Any) -> None:
    maps = scene()
    negative = {**maps, "prediction": maps["prediction"] - 0.5}
    if entry not in SHARING:  # these do not depend on the zero of the scale
        assert score(entry, negative) == pytest.approx(score(entry, maps), rel=1e-9)
        return
    with pytest.raises(ValueError, match=r"prediction has \d+ negative.*shift it.*exp\(\)"):
        score(entry, negative)
    clipped = {**maps, "prediction": np.maximum(negative["prediction"], 0)}
    found = score(entry, negative, negative="clip")
    assert found == pytest.approx(score(entry, clipped), rel=1e-12)
    assert math.isfinite(score(entry, negative, negative="keep"))
    with pytest.raises(ValueError, match="negative is 'no'"):
        score(entry, maps, negative="no")


@pytest.mark.parametrize("entry", SHARING, ids=lambda e: e.name)
def test_rounding_below_zero_is_no_negative_value(entry: Any) -> None:
    for name in ("prediction", *set(entry.inputs) - {"fixations"}):
        maps = scene()
        maps[name][0, :5] = 0.0
        expected = score(entry, maps)
        maps[name][0, :5] = -1e-17
        assert score(entry, maps) == pytest.approx(expected, rel=1e-9)
        maps[name][0, :5] = -1e-3
        with pytest.raises(ValueError, match=f"{name} has 5 negative"):
            score(entry, maps)


def test_every_pixel_fixated() -> None:
    prediction, everywhere = np.arange(6.0).reshape(1, 2, 3), np.ones((1, 2, 3), int)
    with pytest.raises(ValueError, match="at 6 of 6 pixels"):
        metrics.auc_judd(prediction, everywhere)


@pytest.mark.parametrize("shape", [(33, 47), (64, 96), (7, 5)])
def test_emd_of_a_map_and_itself(shape: tuple[int, int]) -> None:
    density = np.random.default_rng(0).random(shape)
    assert metrics.emd(density, density) == 0.0


@each
def test_an_unknown_convention(entry: Any) -> None:
    with pytest.raises(ValueError, match="convention is 'paris'; it can be 'mit', 'tuebingen'"):
        score(entry, scene(), convention="paris")


@each
def test_inputs_are_left_alone(entry: Any) -> None:
    maps = scene()
    copies = {name: a.copy() for name, a in maps.items()}
    for array in maps.values():
        array.flags.writeable = False
    score(entry, maps)
    assert all((maps[name] == copies[name]).all() for name in maps)
