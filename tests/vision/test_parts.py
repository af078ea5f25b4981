"""Parts of the classical methods, each against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from emomap.vision.features import local_variance, motion
from emomap.vision.filters import attenuate_border, gaussian_blur, rescale
from emomap.vision.gabor import gabor_pair, orientation_energy
from emomap.vision.lab import lab, lab_bins
from emomap.vision.maxima import local_maxima
from emomap.vision.opponent import opponent_colors
from emomap.vision.pyramid import halve, image_pyramid
from emomap.vision.residual import spectral_residual
from emomap.vision.resize import resize
from tests.methods import naive
from tests.methods.pictures import picture


@pytest.mark.parametrize("shape", [(11, 11), (12, 15), (31, 64), (300, 401)])
def test_halving(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).random(shape).astype(np.float32)
    np.testing.assert_array_equal(halve(plane[None])[0], naive.halve(plane))


@pytest.mark.parametrize("shape", [(10, 40), (40, 10), (1, 1)])
def test_small_planes_are_not_halved(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).random((1, *shape)).astype(np.float32)
    np.testing.assert_array_equal(halve(plane), plane)


@pytest.mark.parametrize("shape", [(64, 48), (65, 49), (9, 30)])
def test_pyramid_of_bytes_floats_and_planes_agree(shape: tuple[int, int]) -> None:
    image = picture(*shape)
    bytes_, floats = (image_pyramid(one, 2, color=True) for one in (image, image / 255.0))
    grey = image_pyramid(image, 2, color=False)
    planes = np.concatenate([image.transpose(2, 0, 1), image.max(axis=2)[None]])
    for level in (1, 2):
        np.testing.assert_array_equal(bytes_[level], floats[level])
        np.testing.assert_array_equal(bytes_[level][-1:], grey[level])
    expected = [naive.halve((plane / 255.0).astype(np.float32)) for plane in planes]
    np.testing.assert_array_equal(bytes_[1], expected)


@given(st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_halving_keeps_a_constant(value: float) -> None:
    plane = np.full((1, 23, 40), value, np.float32)
    np.testing.assert_array_equal(halve(plane), np.full((1, 11, 20), value, np.float32))


def test_gabor_filters() -> None:
    for angle in (0.0, 30.0, 45.0, 90.0):
        for filter_ in gabor_pair(angle):
            assert filter_.shape == (27, 27)
            assert abs(filter_.sum()) < 1e-12
            assert (filter_**2).sum() == pytest.approx(1)


@pytest.mark.parametrize("shape", [(40, 57), (8, 9), (1, 30), (3, 3)])
def test_orientation_energy(shape: tuple[int, int]) -> None:
    intensity = np.random.default_rng(1).random(shape)
    found = orientation_energy(intensity, (0, 45, 90, 135))
    expected = [naive.orientation(intensity, angle) for angle in (0, 45, 90, 135)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_grating_excites_its_own_orientation() -> None:
    y, x = np.mgrid[:60, :60]
    for angle, phase in ((0, 2 * y), (90, 2 * x), (45, np.sqrt(2) * (y - x))):
        energy = orientation_energy(0.5 + 0.5 * np.cos(phase), (0, 45, 90, 135))
        assert (0, 45, 90, 135)[int(energy[:, 30, 30].argmax())] == angle


def test_constant_intensity_has_no_orientation() -> None:
    assert not orientation_energy(np.full((50, 60), 0.7), (0, 45)).any()


@pytest.mark.parametrize("radius", [0, 1, 4, 30])
def test_local_variance(radius: int) -> None:
    intensity = np.random.default_rng(2).random((20, 25))
    expected = naive.local_variance(intensity, radius)
    np.testing.assert_allclose(local_variance(intensity, radius), expected, atol=1e-12)


def test_motion_of_a_still_picture_is_zero() -> None:
    plane = picture(40, 50)[..., :1].transpose(2, 0, 1).astype(np.float32) / 255
    assert not motion(plane, plane, (0, 45, 90, 135)).any()
    assert motion(plane, None, (0, 45, 90, 135)).any(axis=(1, 2)).all()


def test_motion_prefers_its_axis() -> None:
    rng = np.random.default_rng(3)
    texture = ndimage.gaussian_filter(rng.random((40, 60)), 1)
    before, now = texture[None, :, :-1], texture[None, :, 1:]  # everything moves left by a pixel
    energy = motion(now, before, (0, 90, 180, 270)).mean(axis=(1, 2))
    assert energy.argmax() in (0, 2)


def test_blur_against_scipy() -> None:
    map_ = np.random.default_rng(4).random((2, 30, 41))
    expected = [ndimage.gaussian_filter(one, 2.5, mode="nearest", radius=5) for one in map_]
    np.testing.assert_allclose(gaussian_blur(map_, 2.5, 2), expected, atol=1e-12)
    np.testing.assert_array_equal(gaussian_blur(map_, 0.1, 2), map_)


@pytest.mark.parametrize(
    ("shape", "border"), [((20, 30), 4), ((7, 30), 13), ((20, 5), 13), ((1, 9), 4)]
)
def test_attenuation(shape: tuple[int, int], border: int) -> None:
    map_ = np.random.default_rng(5).random(shape)
    np.testing.assert_allclose(attenuate_border(map_, border), naive.attenuate(map_, border))


def test_rescale_stretches_each_map_and_clips_constant_ones() -> None:
    maps = np.array([[[1.0, 3.0]], [[2.0, 2.0]], [[-1.0, -1.0]], [[0.25, 0.25]]])
    np.testing.assert_array_equal(rescale(maps)[:, 0], [[0, 1], [1, 1], [0, 0], [0.25, 0.25]])
    np.testing.assert_array_equal(rescale(maps[:1])[:, 0], [[0, 1]])


@pytest.mark.parametrize("shape", [(7, 50), (60, 11), (30, 41), (1, 1)])
def test_resize(shape: tuple[int, int]) -> None:
    map_ = np.random.default_rng(6).random((30, 41))
    np.testing.assert_allclose(resize(map_, shape), naive.resize(map_, shape), atol=1e-12)


def test_local_maxima_include_ties_and_exclude_the_border() -> None:
    map_ = np.zeros((5, 6))
    map_[0, 3] = 9
    map_[2, 1] = map_[2, 2] = 3
    map_[3, 4] = 0.5
    np.testing.assert_array_equal(local_maxima(map_, 1.0), [3, 3])


def test_opponent_colours_of_black_are_zero() -> None:
    rgb = np.zeros((3, 2, 2))
    rgb[:, 0, 0] = (0.2, 0.6, 0.9)
    found = opponent_colors(rgb, rgb.max(axis=0))
    np.testing.assert_allclose(found[:, 0, 0], [0.7 / 0.9, 0.4 / 0.9])
    assert not found[:, 1].any()


def test_lab_against_scikit_image() -> None:
    color = pytest.importorskip("skimage.color")
    image = picture(30, 40)
    np.testing.assert_allclose(lab(image, linear=True), color.rgb2lab(image), atol=0.02)


def test_lab_bins() -> None:
    greys = np.arange(256, dtype=np.uint8)[None]
    bins = lab_bins(greys)
    # L grows with the grey level; a and b are on the edge between two bins
    assert (np.diff(bins[0] // 64) >= 0).all()
    assert set(bins[0] // 8 % 8) == set(bins[0] % 8) == {3, 4}
    np.testing.assert_array_equal(lab_bins(greys / 255.0), bins)
    np.testing.assert_array_equal(lab_bins(np.repeat(greys[..., None], 3, axis=2)), bins)
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert list(lab_bins(colours)[0] // 8 % 8) == [6, 1, 6]


def test_greys_fall_into_the_bins_of_fused_arithmetic() -> None:
    """The two lists of greys, from exact fractions: products fused, powers rounded correctly."""
    from decimal import Decimal, localcontext
    from fractions import Fraction

    rows = [(0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169)]
    rows.append((0.019334, 0.119193, 0.950227))

    def fused(a: float, b: float, c: float) -> float:
        return float(Fraction(a) * Fraction(b) + Fraction(c))

    def root(x: float) -> float:
        if x <= 0.008856:
            return 7.787 * x + 16 / 116
        with localcontext(prec=50):
            return float((Decimal(x).ln() * Decimal(1 / 3)).exp())

    for level in range(256):
        value = level / 255.0
        x, y, z = (fused(c, value, fused(b, value, a * value)) for a, b, c in rows)
        a = 500 * (root(x / 0.950456) - root(y))
        b = 200 * (root(y) - root(z / 1.088754))
        bins = int(lab_bins(np.full((1, 1), level, np.uint8))[0, 0])
        assert (bins // 8 % 8 == 4, bins % 8 == 4) == (a >= 0, b >= 0)


def test_spectral_residual_of_a_constant_is_zero() -> None:
    assert not spectral_residual(np.full((2, 16, 16), 0.3)).any()


def test_spectral_residual_finds_the_odd_one() -> None:
    waves = picture(64, 64, seed=3)[..., 0].mean(axis=1) / 255
    scene = np.repeat(waves[:, None], 64, axis=1)
    scene[30:35, 42:47] += 0.3
    smooth = ndimage.gaussian_filter(spectral_residual(scene), 2.5)
    row, column = np.unravel_index(smooth.argmax(), smooth.shape)
    assert abs(row - 32) <= 6
    assert abs(column - 44) <= 6
