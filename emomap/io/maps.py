"""Read maps from pictures, NumPy and MATLAB files; write them as PNG or npy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.errors import EmomapError
from emomap.io.files import File, atomic
from emomap.io.images import named, opened

#: Levels of 255 by which the channels of a grey map in an RGB JPEG may differ through rounding.
GREY_TOLERANCE = 8


def read_map(file: File | str) -> NDArray[Any]:
    """Read a map as an array (H, W) in the type that it is stored in (uint8, uint16, float, ...).

    Args:
        file: a path or `File`; PNG, JPEG, TIFF or BMP (grey, or RGB(A) with equal channels; alpha
            is ignored); npy; npz (one array, or one named "map"); mat (one numeric matrix, or one
            named "map").

    Raises:
        EmomapError: unreadable, not two-dimensional, coloured, or with NaN or infinite values.
    """
    file = named(file)
    suffix = os.path.splitext(file.name)[1].lower()  # noqa: PTH122 - File is not always a Path
    if suffix in {".npy", ".npz"}:
        values = _read_numpy(file)
    elif suffix == ".mat":
        values = _read_mat(file)
    else:
        values = _read_picture_map(file)
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[0] if values.shape[0] == 1 else values[:, :, 0]
    elif values.ndim == 3 and values.shape[2] in {3, 4}:
        values = _one_channel(values, file)
    if values.ndim != 2 or 0 in values.shape:
        raise EmomapError(f"{file}: a map has two dimensions, this array is {values.shape}")
    if values.dtype.kind not in "biuf":
        raise EmomapError(f"{file}: a map holds real numbers, this array is {values.dtype}")
    if values.dtype.kind == "f":
        bad = ~np.isfinite(values)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise EmomapError(
                f"{file}: {int(bad.sum())} NaN or infinite values, the first at row {row}, "
                f"column {column}; replace them before saving the map"
            )
    return values


def write_map(path: Path | str, values: NDArray[Any]) -> None:
    """Write a map (H, W), by the suffix of the path as npy (float32) or as 16-bit grey PNG.

    The PNG's largest value is 65535. Every metric ignores the scale of a map, so all that is lost
    is detail below 1/65535 of the maximum.

    Raises:
        EmomapError: the map is not 2-D, or has NaN, infinite or (for PNG) negative values; or the
            file cannot be written.
    """
    path = Path(path)
    values = np.asarray(values)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise EmomapError(f"{path}: a map must be 2-D and finite, this is {values.shape}")
    with atomic(path) as temporary:
        if path.suffix == ".npy":
            np.save(temporary, values.astype(np.float32, copy=False))
            return
        if values.min() < 0:
            raise EmomapError(f"{path}: negative values do not fit in a PNG; write npy instead")
        from PIL import Image

        top = float(values.max())
        scaled = values.astype(np.float64) * (65535 / top) if top > 0 else np.zeros(values.shape)
        Image.fromarray(np.rint(scaled).astype(np.uint16)).save(temporary, compress_level=1)


def _read_picture_map(file: File) -> NDArray[Any]:
    with opened(file) as picture:
        if "16B" in str([tile[3] for tile in picture.tile]) and picture.mode in {"RGB", "RGBA"}:
            return _read_colour_png16(file)
        if picture.mode in {"P", "PA", "CMYK", "YCbCr"}:
            picture = picture.convert("RGB")
        return np.array(picture.getchannel("L") if picture.mode == "LA" else picture)


def _read_colour_png16(file: File) -> NDArray[np.uint16]:
    """16 bits in several channels. Pillow would silently drop the lower 8 bits of each."""
    import torch
    from torchvision.io import decode_png  # type: ignore[import-untyped, unused-ignore]

    with file.open("rb") as stream:
        encoded = torch.frombuffer(bytearray(stream.read()), dtype=torch.uint8)
    values: NDArray[np.uint16] = decode_png(encoded).numpy().transpose(1, 2, 0)
    return values[:, :, 0] if values.shape[2] == 2 else values


def _one_channel(values: NDArray[Any], file: File) -> NDArray[Any]:
    colour = values[:, :, :3].astype(np.float64)
    spread = float((colour.max(axis=2) - colour.min(axis=2)).max())
    top = np.iinfo(values.dtype).max if values.dtype.kind in "iu" else colour.max()
    limit = GREY_TOLERANCE / 255 * float(top)
    if spread > limit:
        raise EmomapError(
            f"{file}: coloured (channels differ by up to {spread:g}); a colour-mapped picture "
            "cannot be turned back into a map, save the map itself as grey"
        )
    return values[:, :, 0] if spread == 0 else np.asarray(colour.mean(axis=2))


def _read_numpy(file: File) -> NDArray[Any]:
    from emomap.io import npy

    arrays = npy.read(file)
    return _only_array(dict.fromkeys(arrays), file, arrays)


def _only_array(names: Mapping[str, Any], file: File, source: Any) -> NDArray[Any]:
    chosen = "map" if "map" in names else next(iter(names), None)
    if chosen is None or (len(names) > 1 and chosen != "map"):
        raise EmomapError(
            f"{file}: holds {len(names)} arrays ({', '.join(names) or 'none'}); "
            "keep one, or call the map 'map'"
        )
    return np.asarray(source[chosen])


def _read_mat(file: File) -> NDArray[Any]:
    from emomap.io import matlab

    arrays = {
        name: value
        for name, value in matlab.read(file).items()
        if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "biuf"
    }
    return _only_array(arrays, file, arrays)
