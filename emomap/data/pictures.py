"""Which pictures `predict` makes maps of: those of a data set, of a plain folder, or one alone."""

from __future__ import annotations

from pathlib import Path

from emomap import io
from emomap.data.opening import open_dataset
from emomap.errors import EmomapError, UsageError
from emomap.sample import Dataset, Sample


def find_pictures(path: Path, out: Path) -> Dataset:
    """The pictures at a path.

    Args:
        path: a picture, a folder with pictures in it, or a data set.
        out: where the maps go. It may lie within ``path``; files in it are not pictures.

    Raises:
        UsageError: ``out`` is the folder of the pictures.
        EmomapError: no pictures, or two whose maps would have the same name.
    """
    if out.resolve() == (path.parent if path.is_file() else path).resolve():
        raise UsageError(
            f"--out {out}: is the folder of the pictures, where maps would pass for pictures; "
            "write them elsewhere"
        )
    if path.is_file() and path.suffix.lower() in io.IMAGE_SUFFIXES:
        return Dataset(path.stem, (Sample(path.stem, path),), layout="one picture")
    if path.is_dir() and any(p.suffix.lower() in io.IMAGE_SUFFIXES for p in path.iterdir()):
        return _plain_folder(path, out)
    try:
        return open_dataset(path)
    except EmomapError:
        return _plain_folder(path, out)


def _plain_folder(folder: Path, out: Path) -> Dataset:
    """The pictures at any depth of a folder, without labels or gaze."""
    files = io.list_files(folder, io.IMAGE_SUFFIXES)
    if out.resolve().is_relative_to(folder.resolve()):
        maps = folder / out.resolve().relative_to(folder.resolve())
        files = [file for file in files if not file.is_relative_to(maps)]
    if not files:
        raise EmomapError(f"{folder}: no pictures in it, at any depth")
    seen: dict[str, Path] = {}
    for file in files:
        identity = io.file_id(file, folder)
        if identity in seen:
            raise EmomapError(
                f"{file} and {seen[identity].name} would write the same map; rename one"
            )
        seen[identity] = file
    samples = tuple(Sample(identity, file) for identity, file in seen.items())
    return Dataset(name=folder.resolve().name, samples=samples, layout="folder of pictures")
