"""Files and folders: list them, write them atomically, append to them."""

from __future__ import annotations

import contextlib
import errno
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from emomap.errors import EmomapError
from emomap.io.temporary import temporary_file


class File(Protocol):
    """A file to read: a `pathlib.Path` or a member of an archive. Can be pickled."""

    @property
    def name(self) -> str: ...

    def open(self, mode: Any = "rb") -> IO[Any]: ...


def refuse_special(file: File) -> None:
    """Refuse folders, pipes, sockets and devices, on which reading may wait for ever.

    Raises:
        EmomapError: there is something at the path, and it is not a regular file.
    """
    if isinstance(file, Path) and file.exists() and not file.is_file():
        raise EmomapError(f"{file}: not a regular file")


def read_bytes(file: File, most: int, kind: str = "") -> bytes:
    """All bytes of a regular file.

    Args:
        file: a path, or a member of an archive.
        most: how many bytes it may have.
        kind: what the file should be, for the message on a larger one: "a table".

    Raises:
        EmomapError: missing, unreadable, not a regular file, or larger.
    """
    refuse_special(file)
    try:
        with file.open("rb") as stream:
            data: bytes = stream.read(most + 1)
    except OSError as error:
        raise unreadable(file, error) from error
    if len(data) > most:
        fit = f", too large for {kind}" if kind else ""
        raise EmomapError(f"{file}: larger than {most // 2**20} MiB{fit}")
    return data


def unreadable(file: File, error: OSError) -> EmomapError:
    """The one line for a file that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return EmomapError(f"{file}: there is no such file")
    return EmomapError(f"{file}: cannot be read: {error.strerror or error}")


IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm"}
)

MAP_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".npy", ".npz", ".mat"})


def is_junk(name: str) -> bool:
    """Files that operating systems leave behind: ``._x.jpg``, ``.DS_Store``, ``Thumbs.db``."""
    return name.startswith(".") or name.lower() in {"thumbs.db", "desktop.ini"}


def list_files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Files at any depth of a folder with one of these suffixes (any case), sorted by path.

    Follows symbolic links and leaves out hidden files.

    Raises:
        EmomapError: the folder is missing, or it or one in it may not be read.
    """

    def refuse(error: OSError) -> None:
        raise EmomapError(f"{error.filename}: cannot be listed: {error.strerror}") from error

    if not folder.is_dir():
        wrong = "there is no such folder"
        if folder.exists():
            packed = folder.is_file() and zipfile.is_zipfile(folder)
            wrong = (
                "an archive; unpack it and give the folder" if packed else "a file, not a folder"
            )
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


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, renamed to it when the block ends without error.

    Raises:
        EmomapError: the file cannot be written (full disk, permissions).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_file(path)
    except OSError as error:
        raise write_error(path, error) from error
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
    """The error for a file that cannot be written, with the way out."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        remedy = "the disk is full: make room and run the same command again to resume"
    else:
        remedy = f"{error.strerror or error}; check permissions, or write elsewhere"
    return EmomapError(f"{path}: cannot be written: {remedy}")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, UTF-8 with Unix line ends on every system.

    Raises:
        EmomapError: it cannot be written.
    """
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, unless they exist.

    Raises:
        EmomapError: it cannot be made, or cannot be written in.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    if not os.access(folder, os.W_OK):
        raise EmomapError(f"{folder}: may not be written in; check permissions, or write elsewhere")


def append_text(path: Path, text: str) -> None:
    """Append to a text file. Creates it and its folder unless they exist.

    Raises:
        EmomapError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise write_error(path, error) from error
