"""Procedural scenes with boxes around the objects, to learn the parameters of Objectness from.

They replace photographs with annotated objects, of which we know none under an open licence. The
background is coloured 1/f noise or a piece of a photograph. Up to seven shapes lie on it, each with
its own texture, shading and colour; they may hide one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float64]


def scenes(photographs: Path | None, seed: int) -> Iterator[tuple[NDArray[np.uint8], Plane]]:
    """Endless scenes: (H, W, 3) uint8 and (n, 4) boxes xmin, ymin, xmax, ymax, 0-based, inclusive.

    Args:
        photographs: a folder of pictures for every other background and for some textures; None
            to use noise only.
    """
    paths = []
    if photographs is not None:
        paths = sorted(p for p in photographs.iterdir() if p.suffix.lower() in (".jpg", ".png"))
        if not paths:
            raise SystemExit(f"{photographs}: holds no jpg or png")
    number = 0
    while True:
        rng = np.random.default_rng([seed, number])
        shape = (int(rng.integers(260, 401)), 400)
        photo = _photo(paths, shape, rng) if number % 2 and paths else None
        canvas = _noise(shape, rng) if photo is None else photo
        owner = np.full(shape, -1)
        count = int(rng.integers(1, 8))
        for k in range(count):
            mask = _shape(shape, rng)
            texture = _surface(paths, shape, rng)
            canvas = mask[..., None] * texture + (1 - mask[..., None]) * canvas
            owner[mask > 0.5] = k
        canvas += rng.normal(0, rng.uniform(0, 0.02), canvas.shape)
        boxes = [_box(owner == k) for k in range(count)]
        kept = [box for box in boxes if box is not None]
        number += 1
        if kept:
            yield (255 * np.clip(canvas, 0, 1)).astype(np.uint8), np.array(kept, dtype=np.float64)


def _noise(shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    """Noise whose amplitude falls as 1/f^p, p from 0.8 to 1.6, with correlated colours."""
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    fall = np.maximum(np.hypot(fy, fx), 1 / max(shape)) ** -rng.uniform(0.8, 1.6)
    planes = []
    for _ in range(3):
        phase = np.exp(2j * np.pi * rng.random(fall.shape))
        plane = np.fft.irfft2(fall * phase, s=shape)
        planes.append((plane - plane.mean()) / plane.std())
    mixing = np.eye(3) * 0.35 + 0.8 * rng.uniform(0.5, 1, (3, 1))
    mixed = np.tensordot(np.stack(planes, axis=-1), mixing, 1)
    return rng.uniform(0.2, 0.8, 3) + rng.uniform(0.03, 0.15) * mixed


def _photo(paths: list[Path], shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    """A piece of a photograph, mirrored half of the time."""
    with Image.open(paths[rng.integers(len(paths))]) as opened:
        photo = opened.convert("RGB")
    share = rng.uniform(0.3, 1.0)
    height, width = share * photo.height, share * photo.width
    left, top = rng.uniform(0, photo.width - width), rng.uniform(0, photo.height - height)
    size = (shape[1], shape[0])
    piece = photo.resize(size, Image.Resampling.LANCZOS, (left, top, left + width, top + height))
    pixels = np.asarray(piece) / 255.0
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def _surface(paths: list[Path], shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    """The surface of an object: a colour, faint noise or a photograph's texture, and shading."""
    colour = np.clip(rng.uniform(0.1, 0.9) + rng.normal(0, 0.15, 3), 0, 1)
    if rng.random() < 0.25 and paths:
        texture = _photo(paths, shape, rng)
        texture = colour + 0.6 * (texture - texture.mean(axis=(0, 1)))
    else:
        noise = _noise(shape, rng)
        texture = colour + rng.uniform(0.1, 0.8) * (noise - noise.mean(axis=(0, 1)))
    y, x = np.mgrid[: shape[0], : shape[1]] / max(shape)
    slope = rng.normal(0, 0.5, 2)
    return texture + (slope[0] * (y - y.mean()) + slope[1] * (x - x.mean()))[..., None]


def _shape(shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    """Mask of an ellipse, a box or a lobed blob, somewhere, turned; 0..1 with a soft edge."""
    short = min(shape)
    size = short * rng.uniform(0.05, 0.5)
    aspect = np.exp(rng.normal(0, 0.45))
    centre = rng.uniform(0.05, 0.95, 2) * shape
    turn = rng.uniform(0, np.pi)
    y, x = np.mgrid[: shape[0], : shape[1]]
    dy, dx = y - centre[0], x - centre[1]
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / (size * np.sqrt(aspect))
    v = (dy * np.cos(turn) - dx * np.sin(turn)) / (size / np.sqrt(aspect))
    kind = rng.random()
    if kind < 0.25:
        radius = np.maximum(np.abs(u), np.abs(v))
    else:
        radius = np.hypot(u, v)
        if kind > 0.5:
            angle = np.arctan2(v, u)
            waves = range(2, 6)
            lobes = sum(
                rng.normal(0, 0.25 / k) * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
                for k in waves
            )
            radius = radius / (1 + np.clip(lobes, -0.6, 0.6))
    softness = rng.uniform(0.5, 2.0) / size
    return np.clip((1 - radius) / softness + 0.5, 0, 1)


def _box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Box of the visible part of an object; None below 150 pixels or with a side below 10."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if mask.sum() < 150 or np.ptp(rows) < 9 or np.ptp(columns) < 9:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])
