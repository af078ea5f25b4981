"""Read maps from pictures, NumPy and MATLAB files; write them as PNG or npy."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.errors import EmomapError, listed
from emomap.io.files import File, atomic
from emomap.io.images import named, opened

#: Levels of 255 by which the channels of a grey map in an RGB JPEG may differ through rounding.
GREY_TOLERANCE = 8
#: Larger maps are refused, since scoring takes many times their memory.
MAX_MAP_PIXELS = 32_000_000


def read_map(file: File | str, *, logarithm: bool = False) -> NDArray[Any]:
    """Read a map as an array (H, W) in the type that it is stored in (uint8, uint16, float, ...).

    Args:
        file: a path or `File`; PNG, JPEG, TIFF or BMP (grey, or RGB(A) with equal channels; alpha
            is ignored); npy; npz (one array, or one named "map"); mat (one numeric matrix, or one
            named "map"). An array may have dimensions of 1 around the map, and equal channels.
        logarithm: the values are logarithms, so that -inf is one of them.

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
    if values.dtype.kind not in "biuf":
        raise EmomapError(f"{file}: a map holds real numbers, this array is {values.dtype}")
    while values.ndim > 2 and 1 in (values.shape[0], values.shape[-1]):  # as (1, 1, H, W)
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    if values.ndim == 3 and values.shape[0] == 3 and values.shape[2] not in {3, 4}:
        values = np.moveaxis(values, 0, 2)  # channels first
    if values.ndim == 3 and values.shape[2] in {3, 4}:
        values = _one_channel(values, file)
    if values.ndim != 2 or 0 in values.shape:
        raise EmomapError(f"{file}: a map has two dimensions, this array is {values.shape}")
    if suffix in {".npy", ".npz", ".mat"}:
        _refuse_points(values, file)
    if values.dtype.kind == "f":
        bad = ~_possible(values, logarithm)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise EmomapError(
                f"{file}: {int(bad.sum())} NaN or infinite values, the first at row {row}, "
                f"column {column}; replace them before saving the map"
            )
    return values


def map_shape(file: File | str) -> tuple[int, int]:
    """The (height, width) of a map; of a picture only the header is read.

    Raises:
        EmomapError: as `read_map`.
    """
    file = named(file)
    if not file.name.lower().endswith((".npy", ".npz", ".mat", ".tif", ".tiff")):
        with opened(file, most=MAX_MAP_PIXELS) as picture:
            return picture.height, picture.width
    height, width = read_map(file, logarithm=True).shape
    return height, width


def write_map(path: Path | str, values: NDArray[Any], *, logarithm: bool = False) -> None:
    """Write a map (H, W), by the suffix of the path as npy (float32) or as 16-bit grey PNG.

    The PNG's largest value is 65535. Every metric ignores the scale of a map, so all that is lost
    is detail below 1/65535 of the maximum.

    Args:
        logarithm: the values are logarithms, so that -inf is one of them (npy only).

    Raises:
        EmomapError: the map is not 2-D, or has NaN, infinite or (for PNG) negative values; or the
            file cannot be written.
    """
    path = Path(path)
    values = np.asarray(values)
    if values.ndim != 2 or not _possible(values, logarithm).all():
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


def _possible(values: NDArray[Any], logarithm: bool) -> NDArray[np.bool_]:
    """Which values a map may have: finite ones, and -inf in a logarithm."""
    finite: NDArray[np.bool_] = np.isfinite(values)
    return finite | (values == -np.inf) if logarithm else finite


def _read_picture_map(file: File) -> NDArray[Any]:
    if "numba" in sys.modules:  # loading it takes longer than the first picture
        from emomap.io import png

        grey = png.read_grey(file, MAX_MAP_PIXELS)
        if grey is not None:
            return grey
    try:
        with opened(file, most=MAX_MAP_PIXELS) as picture:
            if any("16B" in str(tile[3]) for tile in picture.tile) and picture.mode != "I;16":
                return _read_colour_png16(file, picture)
            if picture.mode == "1":
                return np.array(picture.convert("L")) > 0
            if picture.mode in {"P", "PA", "CMYK", "YCbCr"}:
                picture = picture.convert("RGB")
            return np.array(picture.getchannel("L") if picture.mode == "LA" else picture)
    except EmomapError:
        if not file.name.lower().endswith((".tif", ".tiff")):
            raise
        found = _read_tiff(file)
        if found is None:
            raise
        return found


def _read_colour_png16(file: File, picture: Any) -> NDArray[np.uint16]:
    """16 bits in several channels, of which Pillow keeps the upper 8.

    So it decodes twice: once as it wants to, and once told that the bytes are in the other order.
    """
    form = picture.tile[0][3]
    if form == "LA;16B":  # four bytes a pixel: two of grey, two of alpha
        picture.tile = [(*picture.tile[0][:3], "RGBA")]
        both = np.array(picture).astype(np.uint16)
        grey: NDArray[np.uint16] = both[:, :, 0] * np.uint16(256) + both[:, :, 1]
        return grey
    high = np.array(picture).astype(np.uint16)
    with opened(file, most=MAX_MAP_PIXELS) as again:
        again.tile = [(*tile[:3], str(tile[3]).replace("16B", "16L")) for tile in again.tile]
        values: NDArray[np.uint16] = high * np.uint16(256) + np.array(again)
    return values


def _read_tiff(file: File) -> NDArray[Any] | None:
    """The first page of a TIFF that Pillow does not know (64-bit floats); None if it is damaged."""
    import tifffile

    try:
        with file.open("rb") as stream, tifffile.TiffFile(stream) as tiff:
            page = tiff.pages[0]
            if math.prod(page.shape) > MAX_MAP_PIXELS:
                return None
            values: NDArray[Any] = page.asarray()
            return values
    except Exception:  # tifffile raises whatever the damage leads to; Pillow's reason is told
        return None


def _one_channel(values: NDArray[Any], file: File) -> NDArray[Any]:
    colour = values[:, :, :3]
    rows = max(1, 2**20 // max(1, colour.shape[1]))  # a part at a time, for large maps
    spread, top = 0.0, 0.0
    for start in range(0, len(colour), rows):
        part = colour[start : start + rows].astype(np.float64)
        spread = max(spread, float((part.max(axis=2) - part.min(axis=2)).max(initial=0)))
        top = max(top, float(part.max(initial=0)))
    if values.dtype.kind in "iu":
        top = float(np.iinfo(values.dtype).max)
    if spread > GREY_TOLERANCE / 255 * top:
        raise EmomapError(
            f"{file}: coloured (channels differ by up to {spread:g}); a colour-mapped picture "
            "cannot be turned back into a map, save the map itself as grey"
        )
    return values[:, :, 0] if spread == 0 else np.asarray(colour.astype(np.float64).mean(axis=2))


def _read_numpy(file: File) -> NDArray[Any]:
    from emomap.io import npy

    arrays = npy.read(file)
    return _only_array(dict.fromkeys(arrays), file, arrays)


def _only_array(names: Mapping[str, Any], file: File, source: Any) -> NDArray[Any]:
    chosen = "map" if "map" in names else next(iter(names), None)
    if chosen is None or (len(names) > 1 and chosen != "map"):
        raise EmomapError(
            f"{file}: holds {len(names)} arrays ({listed(names)}); keep one, or call the map 'map'"
        )
    return np.asarray(source[chosen])


def _read_mat(file: File) -> NDArray[Any]:
    from emomap.io import matlab

    content = matlab.read(file)
    if "gaze" in content and "resolution" in content:
        raise EmomapError(
            f"{file}: SALICON's gaze on one picture, not a map; give the folder of the data set, "
            "which has fixations/ and images/ in it"
        )
    arrays = {
        name: value
        for name, value in content.items()
        if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "biuf"
    }
    if not arrays and content:
        raise EmomapError(
            f"{file}: holds no matrix of numbers but {listed(content)} (cells, structs or text); "
            "save the map itself as one matrix"
        )
    return _only_array(arrays, file, arrays)


def _refuse_points(values: NDArray[Any], file: File) -> None:
    """Refuse a list of points, which is not a map."""
    rows, columns = values.shape
    if columns in {2, 3} and rows > columns:
        raise EmomapError(
            f"{file}: looks like a list of points ({rows} x {columns}), not a map; save it as a "
            "CSV with the header x,y"
        )
