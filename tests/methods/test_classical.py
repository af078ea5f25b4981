"""All classical methods: each picture yields a map or a clear error, and always the same one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emomap import method as methods
from emomap.errors import EmomapError, UsageError
from emomap.methods.bms import bms
from emomap.methods.center import center
from emomap.methods.covsal import covsal
from emomap.methods.gbvs import gbvs, gbvs_fast, gbvs_sequence, gbvs_stages
from emomap.methods.itti_koch import itti_koch
from emomap.methods.objectness import objectness
from emomap.methods.simpsal import simpsal, simpsal_fast
from emomap.methods.spectral_residual import spectral_residual
from emomap.methods.uniform import uniform
from tests.methods.pictures import correlation, picture

Function = Callable[[Any], NDArray[np.float64]]


def quick_covsal(image: Any) -> NDArray[np.float64]:
    """CovSal on a quarter of the patches, since it is the slowest method."""
    return covsal(image, side=256, patches=(8, 16, 32, 64))


FUNCTIONS: list[Function] = [
    uniform,
    center,
    gbvs,
    gbvs_fast,
    itti_koch,
    simpsal,
    simpsal_fast,
    spectral_residual,
    bms,
    quick_covsal,
    objectness,
]
#: Those that look at the picture, and so should find what stands out in it.
LOOKING = FUNCTIONS[2:]
NAMES = [name for name, entry in methods.BUILTIN.items() if entry.kind in ("baseline", "classical")]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "image",
    [
        picture(131, 173),
        picture(140, 131)[..., 1],
        picture(130, 140) / 255.0,
        picture(140, 130)[..., 0].astype(np.float32) / 255,
        picture(300, 280)[::2, ::-2],
        np.full((130, 140, 3), 77, np.uint8),
        np.zeros((140, 130), np.uint8),
        np.ones((130, 131, 3)),
    ],
    ids=["odd", "grey", "float", "grey32", "strided", "constant", "black", "white"],
)
def test_a_picture_gives_a_map(function: Function, image: NDArray[Any]) -> None:
    found = function(image)
    assert found.shape == image.shape[:2]
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize(
    "function", [itti_koch, simpsal, spectral_residual, bms, quick_covsal, objectness]
)
@pytest.mark.parametrize("value", [77, 255])
def test_a_constant_picture_has_a_zero_map(function: Function, value: int) -> None:
    assert not function(np.full((130, 140, 3), value, np.uint8)).any()


def test_gbvs_of_a_constant_picture_is_a_plateau() -> None:
    for value in (0, 77, 255):
        found = gbvs(np.full((130, 140, 3), value, np.uint8), size="native")
        assert (found[8:-8, 8:-8] == 1).all()
        assert found[0].max() < 0.5


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((150, 150, 4), np.uint8), "alpha"),
        (np.zeros((150, 150, 1), np.uint8), "drop the last axis"),
        (np.zeros((150, 150), np.uint16), "65535"),
        (np.zeros((150, 150), bool), "bool"),
        (np.zeros((150, 150), np.int64), "int64"),
        (np.full((150, 150), 128.0), "128"),
        (np.full((150, 150), -0.5), "-0.5"),
        (np.full((150, 150), np.nan), "NaN"),
        (np.zeros((0, 150, 3), np.uint8), "150x0"),
        (np.zeros(9, np.uint8), r"\(9,\)"),
        (np.zeros((1, 150, 150, 3), np.uint8), r"\(1, 150, 150, 3\)"),
        (np.broadcast_to(np.uint8(3), (20_000, 20_000, 3)), "20000x20000"),
        ("portrait.png", r"\(\)"),
    ],
)
def test_arrays_that_are_not_pictures_are_refused(
    function: Function, image: Any, said: str
) -> None:
    with pytest.raises(EmomapError, match=said):
        function(image)


@pytest.mark.parametrize("function", [gbvs, gbvs_fast, itti_koch, gbvs_stages])
@pytest.mark.parametrize("shape", [(1, 400), (127, 300), (300, 127), (1, 1)])
def test_a_picture_that_is_too_small_is_refused(function: Function, shape: tuple[int, int]) -> None:
    with pytest.raises(EmomapError, match=f"{shape[1]}x{shape[0]} px .* 128 px"):
        function(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    "function", [simpsal, spectral_residual, bms, quick_covsal, center, uniform]
)
@pytest.mark.parametrize("shape", [(1, 400), (16, 1), (1, 1), (3, 5)])
def test_tiny_pictures(function: Function, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    found = function(image)
    assert found.shape == shape
    assert np.isfinite(found).all()


@pytest.mark.parametrize("function", LOOKING)
def test_bytes_and_floats_agree(function: Function) -> None:
    image = picture()
    np.testing.assert_allclose(function(image), function(image / 255.0), atol=1e-9)


@pytest.mark.parametrize("function", LOOKING)
def test_both_forms_of_a_grey_picture_have_one_map(function: Function) -> None:
    if function in (gbvs, gbvs_fast, simpsal_fast):
        pytest.skip("the three guns of its monitor differ, so that grey has colour")
    grey = picture()[..., 1]
    # only channels that are empty for a grey picture may differ
    colour = function(np.repeat(grey[..., None], 3, axis=2))
    assert correlation(function(grey), colour) > 0.999


@pytest.mark.parametrize("function", [f for f in LOOKING if f is not spectral_residual])
def test_the_odd_one_stands_out(function: Function) -> None:
    image = picture(160, 200, seed=4)
    image[:] = (0.5 * image + 40).astype(np.uint8)
    image[60:90, 120:150] = (230, 40, 40)
    found = function(image)
    assert found[60:90, 120:150].mean() > 1.5 * found.mean()


@pytest.mark.parametrize("name", NAMES)
def test_methods_of_the_registry(name: str) -> None:
    images = [picture(131, 150), picture(60, 90, seed=1)]
    made = methods.load(name)()
    together = made.predict(images)
    alone = [made.predict([image])[0] for image in reversed(images)]
    for image, one, other in zip(images, together, reversed(alone), strict=True):
        assert one.map is not None
        assert other.map is not None
        assert one.map.shape == image.shape[:2]
        np.testing.assert_array_equal(one.map, other.map)


@pytest.mark.parametrize("name", ["gbvs", "itti_koch"])
def test_small_pictures_are_enlarged_four_times_at_most(name: str) -> None:
    made = methods.load(name)()
    found = made.predict([picture(32, 50)])[0].map
    assert found is not None
    assert found.shape == (32, 50)
    with pytest.raises(EmomapError, match="50x31 px"):
        made.predict([picture(31, 50)])


@pytest.mark.parametrize(
    ("function", "options", "said"),
    [
        (gbvs, {"channels": "DIX"}, "'X'"),
        (gbvs, {"channels": "DIF"}, "gbvs_sequence"),
        (gbvs, {"channels": ""}, "channels"),
        (gbvs, {"channels": "II"}, "once"),
        (gbvs, {"solver": "magic"}, "'exact' or 'power'"),
        (gbvs, {"normalization": "max"}, "'graph'"),
        (gbvs, {"size": "big"}, "'native'"),
        (gbvs, {"tol": 0}, "tol"),
        (gbvs, {"levels": ()}, "levels"),
        (gbvs, {"levels": (0, 1)}, "levels"),
        (gbvs, {"salmapmaxsize": 4000}, "salmapmaxsize"),
        (gbvs, {"blurFrac": 0.1}, "blurfrac"),
        (gbvs, {"blurfrac": -1}, "blurfrac=-1"),
        (gbvs, {"blurfrac": float("nan")}, "blurfrac=nan"),
        (gbvs, {"num_norm_iters": 1.5}, "num_norm_iters"),
        (gbvs, {"contrastwidth": -1}, "contrastwidth"),
        (itti_koch, {"channels": "F"}, "gbvs_sequence"),
        (itti_koch, {"ittiDeltaLevels": ()}, "ittiDeltaLevels"),
        (itti_koch, {"nothing": 1}, "salmapmaxsize"),
        (itti_koch, {"ittiblurfrac": -1}, "ittiblurfrac"),
        (simpsal, {"blurRadius": -1}, "blurRadius"),
        (simpsal, {"channels": "R"}, "orientation"),
        (simpsal, {"surroundSig": (0,)}, "surroundSig"),
        (spectral_residual, {"longest": 2}, "longest"),
        (bms, {"spread": 4}, "odd"),
        (covsal, {"patches": (7,)}, "patches"),
        (objectness, {"windows": 0}, "windows"),
        (objectness, {"windows": 2.5}, "windows"),
        (objectness, {"cues": ("CC",)}, "MS"),
        (center, {"sigma": 0}, "sigma"),
    ],
)
def test_wrong_options_are_named(
    function: Callable[..., Any], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        function(picture(), **options)


def test_a_single_level_or_angle_needs_no_tuple() -> None:
    image = picture(160, 192)
    one = gbvs(image, levels=3, gaborangles=45, multilevels=None)
    assert (one == gbvs(image, levels=(3,), gaborangles=(45,))).all()
    assert (gbvs(image, multilevels=2) == gbvs(image, multilevels=(2,))).all()
    one = itti_koch(image, ittiCenterLevels=2)
    assert (one == itti_koch(image, ittiCenterLevels=(2,))).all()


def test_a_float_image_just_above_one_is_refused_with_advice() -> None:
    with pytest.raises(EmomapError, match=r"to 1\.0000001; .*np\.clip"):
        simpsal(np.full((30, 40), 1.0000001))


@pytest.mark.parametrize("function", [gbvs, itti_koch, simpsal])
def test_colour_alone_of_a_grey_picture_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="grey"):
        function(picture()[..., 0], channels="D")


def test_gbvs_mirrors_with_the_picture() -> None:
    image = picture(160, 192)
    options = {"size": "native", "gaborangles": (0, 90), "multilevels": (1,)}
    one, other = gbvs(image, **options), gbvs(image[:, ::-1], **options)
    np.testing.assert_allclose(one, other[:, ::-1], atol=1e-6)


def test_gbvs_is_invariant_to_an_affine_change_of_light() -> None:
    image = picture() / 255.0
    options = {"size": "native", "channels": "I"}
    one, other = gbvs(image, **options), gbvs(0.1 + 0.5 * image, **options)
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_multilevel_graph_converges_to_its_closed_form() -> None:
    options: dict[str, Any] = {"channels": "I", "multilevels": (1, 2), "size": "native"}
    iterated = gbvs(picture(), solver="power", tol=1e-13, **options)
    np.testing.assert_allclose(gbvs(picture(), **options), iterated, atol=1e-8)


def test_uneven_lattices_of_several_levels() -> None:
    # 19 x 32 cells, and 9 x 16 on the next level: 9 does not divide 19
    stages = gbvs_stages(picture(130, 220), channels="I", multilevels=(1, 2))
    assert stages.equilibria.shape == (3, 19, 32)
    np.testing.assert_allclose(stages.equilibria.sum(axis=(1, 2)), 1)


def test_sequences() -> None:
    frames = np.stack([picture(130, 140), picture(130, 140), picture(130, 140, seed=5)])
    found = gbvs_sequence(frames, channels="IF")
    assert found.shape == (3, 130, 140)
    still = gbvs_sequence(frames, channels="I", size="native")
    np.testing.assert_array_equal(still[0], gbvs(frames[0], channels="I", size="native"))
    with pytest.raises(UsageError, match="frame 1 has shape"):
        gbvs_sequence([picture(130, 140), picture(140, 130)])
    with pytest.raises(UsageError, match="empty"):
        gbvs_sequence([])


def test_weights_of_channels() -> None:
    image = picture()
    alone = gbvs(image, channels="I", size="native")
    weighted = gbvs(image, channels="IO", orientationWeight=0, size="native")
    np.testing.assert_allclose(weighted, alone, atol=1e-12)


def test_threads_change_nothing() -> None:
    program = (
        "import hashlib, sys; from tests.methods.pictures import picture; "
        "from emomap import method; "
        "maps = [method.load(n)().predict([picture(300, 400)])[0].map for n in sys.argv[1:]]; "
        "print(hashlib.sha256(b''.join(m.tobytes() for m in maps)).hexdigest())"
    )
    digests = set()
    for threads in ("1", "2"):
        settings = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"),
            threads,
        )
        run = subprocess.run(
            [sys.executable, "-c", program, *NAMES],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(run.stdout)
    assert len(digests) == 1
