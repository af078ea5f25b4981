"""Read and write pictures and maps; pair files by stem; write files atomically.

Every error names the file. A file is written under a temporary name and renamed, so that no half
file is ever read.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from emomap.errors import EmomapError
from emomap.sample import File

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm"}
)
MAP_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".npy", ".npz", ".mat"})

#: What Pillow may take a file for. It knows more, and hands PostScript to an interpreter.
FORMATS = ("JPEG", "PNG", "BMP", "DIB", "TIFF", "WEBP", "GIF", "PPM")
#: Pictures beyond this are refused: such a file is a decompression bomb or a mistake.
MAX_PIXELS = 200_000_000
#: A grey map in an RGB JPEG has channels that differ by rounding; beyond this it is coloured.
GREY_TOLERANCE = 8


def is_junk(name: str) -> bool:
    """Files that operating systems leave behind: ``._x.jpg``, ``.DS_Store``, ``Thumbs.db``."""
    return name.startswith(".") or name.lower() in {"thumbs.db", "desktop.ini"}


def list_files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Files below a folder with one of these suffixes (any case), sorted by path.

    Follows symbolic links, leaves out hidden files, and raises where a folder cannot be read.

    Raises:
        EmomapError: the folder is missing or may not be read.
    """

    def refuse(error: OSError) -> None:
        raise EmomapError(f"{error.filename}: cannot be listed: {error.strerror}") from error

    if not folder.is_dir():
        wrong = "is a file; give its folder" if folder.exists() else "there is no such folder"
        raise EmomapError(f"{folder}: {wrong}")
    found: list[Path] = []
    for top, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        folders[:] = sorted(name for name in folders if not is_junk(name) and name != "__MACOSX")
        found += [
            Path(top, name)
            for name in names
            if os.path.splitext(name)[1].lower() in suffixes and not is_junk(name)  # noqa: PTH122
        ]
    return sorted(found)


def file_id(file: Path, root: Path) -> str:
    """The path of a file below a root, with forward slashes and without its last suffix."""
    return PurePosixPath(file.relative_to(root).with_suffix("")).as_posix()


def maps_by_id(folder: Path, suffixes: frozenset[str] = MAP_SUFFIXES) -> dict[str, Path]:
    """The map files below a folder by their id.

    Raises:
        EmomapError: the folder holds none, or two files with one id (a.png and a.npy).
    """
    found: dict[str, Path] = {}
    for file in list_files(folder, suffixes):
        identity = file_id(file, folder)
        if identity in found:
            raise EmomapError(
                f"{file} and {found[identity].name} are maps of the same image; remove one"
            )
        found[identity] = file
    if not found:
        raise EmomapError(
            f"{folder}: no maps in it (looked for {', '.join(sorted(suffixes))}, at any depth)"
        )
    return found


def pair(predictions: Iterable[str], truths: Iterable[str]) -> dict[str, str]:
    """Match ids of predictions with ids of ground truths: truth id -> prediction id.

    Equal ids match first; what is left matches by its last part ("run1/012" with "012"), if that
    is unique on both sides.

    Raises:
        EmomapError: a last part is shared by several files, so that a match would be a guess.
    """
    wanted, given = list(truths), list(predictions)
    pairs = {identity: identity for identity in sorted(set(wanted) & set(given))}
    stems: dict[str, list[str]] = {}
    for identity in sorted(set(given) - set(pairs)):
        stems.setdefault(identity.rsplit("/", 1)[-1], []).append(identity)
    rest: dict[str, list[str]] = {}
    for identity in sorted(set(wanted) - set(pairs)):
        rest.setdefault(identity.rsplit("/", 1)[-1], []).append(identity)
    for stem, identities in rest.items():
        candidates = stems.get(stem, [])
        if not candidates:
            continue
        if len(candidates) > 1 or len(identities) > 1:
            raise EmomapError(
                f"'{stem}' is not unique: predictions {', '.join(candidates)}; ground truth "
                f"{', '.join(identities)}. Give both sides the same subfolders."
            )
        pairs[identities[0]] = candidates[0]
    return pairs


# ------------------------------------------------------------------------------------- pictures


def _named(file: File | str) -> File:
    """The file of a path that is given as text."""
    return Path(file) if isinstance(file, str) else file


@contextlib.contextmanager
def _opened(file: File) -> Iterator[Any]:
    """A picture opened by Pillow; whatever goes wrong in the block becomes one line."""
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # our own limit follows, with our own words
    try:
        with (
            warnings.catch_warnings(),
            file.open("rb") as stream,
            Image.open(stream, formats=FORMATS) as picture,
        ):
            warnings.simplefilter("ignore")  # corrupt EXIF and the like: the pixels decide
            if picture.width * picture.height > MAX_PIXELS:
                raise EmomapError(
                    f"{file}: {picture.width} x {picture.height} pixels is more than the "
                    f"{MAX_PIXELS:,} that emomap reads; make the picture smaller"
                )
            yield picture
    except FileNotFoundError as error:
        raise EmomapError(f"{file}: there is no such file") from error
    except PermissionError as error:
        raise EmomapError(f"{file}: may not be read; check its permissions") from error
    except UnidentifiedImageError as error:
        raise EmomapError(f"{file}: not a picture that can be read, or damaged") from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise EmomapError(
            f"{file}: damaged or cut short ({error}); copy or export it again"
        ) from error


def read_image(file: File | str, *, at_least: int | None = None) -> NDArray[np.uint8]:
    """Read a picture as (H, W, 3) uint8, upright (EXIF applied), first frame, alpha over white.

    Args:
        file: a path or `File`; JPEG, PNG, TIFF, BMP, GIF, WebP; grey, palette, RGB(A), CMYK, 8 or
            16 bits.
        at_least: when the caller will shrink the picture, the shorter side that it needs: a JPEG
            is then decoded at 1/2, 1/4 or 1/8 of its size where that suffices, which is faster.

    Raises:
        EmomapError: missing, unreadable, damaged, or larger than `MAX_PIXELS`.
    """
    from PIL import Image, ImageOps

    file = _named(file)
    with _opened(file) as picture:
        if at_least is not None:
            picture.draft("RGB", (at_least, at_least))
        upright = ImageOps.exif_transpose(picture)
        if upright.mode in {"I", "F"} or upright.mode.startswith("I;16"):
            return np.repeat(_to_uint8(np.asarray(upright), file)[..., None], 3, axis=2)
        if "A" in upright.mode or "transparency" in upright.info:
            layer = upright.convert("RGBA")
            white = Image.new("RGBA", layer.size, "white")
            upright = Image.alpha_composite(white, layer)
        return np.array(upright.convert("RGB"), dtype=np.uint8)


def _to_uint8(values: NDArray[Any], file: File) -> NDArray[np.uint8]:
    """16-bit and float greys to 8 bits, by the range that the type (or the unit interval) has."""
    if values.dtype.kind == "f":
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
            raise EmomapError(f"{file}: float picture with values outside 0..1; save it as 8 bits")
        scaled: NDArray[Any] = values * 255
    else:
        scaled = np.clip(values, 0, 65535) / 257
    return np.asarray(np.rint(scaled), dtype=np.uint8)


def image_size(file: File) -> tuple[int, int]:
    """(height, width) of a picture as `read_image` would give it, from the file's header alone."""
    from PIL import Image

    with _opened(file) as picture:
        width, height = picture.size
        late = picture.format == "PNG" and _texts_after_pixels(picture.fp)
        # Pillow's own `getexif` of a PNG decodes all pixels, in case something follows them
        exif = picture.getexif() if late else Image.Image.getexif(picture)
        sideways = exif.get(0x0112, 1) >= 5
    return (width, height) if sideways else (height, width)


def _texts_after_pixels(stream: IO[bytes]) -> bool:
    """Whether a PNG has more than its end behind the pixels; the stream stays where it was."""
    before = stream.tell()
    stream.seek(8)
    pixels = False
    try:
        while len(head := stream.read(8)) == 8:
            kind = head[4:]
            if kind == b"IEND":
                return False
            if pixels and kind != b"IDAT":
                return True
            pixels = pixels or kind == b"IDAT"
            stream.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)
        return True
    finally:
        stream.seek(before)


# ----------------------------------------------------------------------------------------- maps


def read_map(file: File | str) -> NDArray[Any]:
    """Read a map as a 2-D array, in the type that it is stored in (uint8, uint16, float, ...).

    Args:
        file: a path or `File`; PNG, JPEG, TIFF or BMP (grey, or RGB(A) with equal channels; alpha
            is ignored), npy, npz (one array, or one named "map"), or mat (one numeric matrix, or
            one named "map").

    Raises:
        EmomapError: unreadable, not two-dimensional, coloured, or with NaN or infinite values.
    """
    file = _named(file)
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


def _read_picture_map(file: File) -> NDArray[Any]:
    with _opened(file) as picture:
        if "16B" in str([tile[3] for tile in picture.tile]) and picture.mode in {"RGB", "RGBA"}:
            return _read_colour_png16(file)
        if picture.mode in {"P", "PA", "CMYK", "YCbCr"}:
            picture = picture.convert("RGB")
        return np.array(picture.getchannel("L") if picture.mode == "LA" else picture)


def _read_colour_png16(file: File) -> NDArray[np.uint16]:
    """16 bits in several channels: Pillow would drop the lower half of each without a word."""
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
    from emomap import numpyfile

    arrays = numpyfile.read(file)
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
    from emomap import matlab

    arrays = {
        name: value
        for name, value in matlab.read(file).items()
        if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "biuf"
    }
    return _only_array(arrays, file, arrays)


def write_map(path: Path | str, values: NDArray[Any]) -> None:
    """Write a map: 16-bit grey PNG (largest value at 65535) or npy (float32), by path's suffix.

    Every metric ignores the scale of a map, so the PNG loses nothing but digits below 1/65535 of
    the maximum.

    Raises:
        EmomapError: the map is not 2-D, or has NaN, infinite or (for PNG) negative values.
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


# -------------------------------------------------------------------------------------- writing


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without error.

    Raises:
        EmomapError: the folder cannot be written (full disk, permissions), with the way out.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:80]}.", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise write_error(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def write_error(path: Path | str, error: OSError) -> EmomapError:
    """The one line for a file that cannot be written."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        remedy = "the disk is full: make room and run the same command again, it goes on from here"
    else:
        remedy = f"{error.strerror or error}; check permissions, or write elsewhere"
    return EmomapError(f"{path}: cannot be written: {remedy}")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, UTF-8 with Unix line ends on every system."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where they are missing.

    Raises:
        EmomapError: it cannot be made, or cannot be written in.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    if not os.access(folder, os.W_OK):
        raise EmomapError(f"{folder}: may not be written in; check permissions, or write elsewhere")


def whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON lines of a file that a kill may have cut short; none where there is no file."""
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        with contextlib.suppress(ValueError):  # empty, or cut
            yield json.loads(line)


def append_text(path: Path, text: str) -> None:
    """Append to a text file, creating it and its folder where they are missing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise write_error(path, error) from error
