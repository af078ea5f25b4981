"""Zip archives read in place, one member at a time, within limits.

Nothing is unpacked to disk, so no member can be written outside. The size that a member declares
is checked before it is decompressed, so a decompression bomb is refused before it takes memory.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from emomap.errors import EmomapError

#: A member that unpacks to more bytes than this is refused.
MAX_MEMBER = 256 * 2**20
#: A member that unpacks to more than `RATIO_FROM` bytes and to more than this many times its size
#: is a bomb: photographs reach 1.1, text 20, matrices of zeros rarely more than 100.
MAX_RATIO = 200
RATIO_FROM = 32 * 2**20
#: LZMA is left out: its header may demand 4 GiB of working memory.
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
_LINK = 0o120000


@dataclass(frozen=True)
class Member:
    """A file within a zip archive; can be read wherever a `pathlib.Path` can."""

    archive: Path
    path: str

    @property
    def name(self) -> str:
        """The file's name without its folders."""
        return self.path.rsplit("/", 1)[-1]

    def __str__(self) -> str:
        return f"{self.archive}:{self.path}"

    def open(self, mode: Any = "rb") -> IO[Any]:
        """The content, unpacked in memory.

        Raises:
            EmomapError: damaged, encrypted, or larger than the limits.
        """
        if mode not in {"r", "rb"}:
            raise ValueError(f"a member of an archive can only be read, not opened as '{mode}'")
        data = io.BytesIO(self.read())
        return data if mode == "rb" else io.TextIOWrapper(data, encoding="utf-8")

    def read(self) -> bytes:
        """The content as bytes.

        Raises:
            EmomapError: as `open`.
        """
        try:
            packed, names = _opened(self.archive, self.archive.stat().st_mtime_ns, os.getpid())
            info = packed.getinfo(names[self.path])
            refuse_bomb(info, str(self))
            with packed.open(info) as stream:
                return stream.read()
        except KeyError as error:
            raise EmomapError(f"{self}: there is no such file in the archive") from error
        except FileNotFoundError as error:
            raise EmomapError(f"{self.archive}: there is no such file") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise EmomapError(
                f"{self}: damaged in the archive ({error}); download again"
            ) from error


def refuse_bomb(info: zipfile.ZipInfo, where: str, *, max_ratio: float = MAX_RATIO) -> None:
    """Refuse a member by the size in the archive's directory, beyond which `zipfile` never reads.

    Raises:
        EmomapError: encrypted, packed by a method that is not read, or beyond the limits.
    """
    if info.flag_bits & 1:
        raise EmomapError(f"{where}: encrypted; unpack the archive with its password first")
    if info.compress_type not in METHODS:
        raise EmomapError(
            f"{where}: packed by a method (number {info.compress_type}) that emomap does not "
            "read; unpack the archive first"
        )
    ratio = info.file_size / max(1, info.compress_size)
    if info.file_size > MAX_MEMBER or (info.file_size > RATIO_FROM and ratio > max_ratio):
        raise EmomapError(
            f"{where}: would unpack to {info.file_size / 2**20:,.0f} MiB, {ratio:,.0f} times its "
            f"size (limits: {MAX_MEMBER // 2**20} MiB, {max_ratio:g} times); refused as a "
            "decompression bomb. Unpack the archive if you trust it."
        )


@lru_cache(maxsize=4)
def _opened(path: Path, changed: int, process: int) -> tuple[zipfile.ZipFile, dict[str, str]]:
    """An archive, and the names of its members by cleaned path. Kept open: the directory is long.

    ``changed`` and ``process`` are part of the key: a changed archive is opened again, and a forked
    worker must not share the file position.
    """
    packed = zipfile.ZipFile(path)
    return packed, {_cleaned(path, info.filename): info.filename for info in packed.infolist()}


def _cleaned(archive: Path, name: str) -> str:
    path = name.replace("\\", "/")
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or (len(parts[0]) == 2 and parts[0][1] == ":"):
        raise EmomapError(
            f"{archive}: holds the member '{name}', which points outside the archive; refused. "
            "Ask for a clean copy."
        )
    return "/".join(part for part in parts if part not in {"", "."})


def listing(path: Path) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """The files of an archive as folder -> names, and remarks on what was left out.

    Raises:
        EmomapError: it cannot be read as a zip archive, or a member points outside.
    """
    try:
        packed, names = _opened(path, path.stat().st_mtime_ns, os.getpid())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise EmomapError(f"{path}: damaged as a zip archive ({error}); download again") from error
    folders: dict[str, list[str]] = {"": []}
    links = 0
    for cleaned, original in names.items():
        info = packed.getinfo(original)
        if info.is_dir() or not cleaned:
            continue
        if (info.external_attr >> 16) & 0o170000 == _LINK:
            links += 1
            continue
        folder, _, name = cleaned.rpartition("/")
        if folder not in folders:
            parts = folder.split("/")
            for depth in range(1, len(parts) + 1):
                folders.setdefault("/".join(parts[:depth]), [])
        folders[folder].append(name)
    note = f"{links} symbolic links in the archive were left out"
    return folders, (note,) if links else ()
