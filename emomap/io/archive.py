"""Zip archives read in place, one member at a time, within limits.

No member is written to disk under its name, so none can be written outside. The size that a member
declares is checked before it is decompressed, so a decompression bomb is refused before it takes
memory. An archive of nothing but archives is read as if each were a folder of its name.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from emomap.errors import EmomapError
from emomap.io.files import IMAGE_SUFFIXES, MAP_SUFFIXES, is_junk

#: A member that unpacks to more bytes than this is refused.
MAX_MEMBER = 256 * 2**20
#: A member that unpacks to more than `RATIO_FROM` bytes and to more than this many times its size
#: is a bomb: photographs reach 1.1, text 20, matrices of zeros rarely more than 100.
MAX_RATIO = 200
RATIO_FROM = 32 * 2**20
#: LZMA is left out: its header may demand 4 GiB of working memory.
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
#: An archive of more archives than this is refused: each is unpacked to a file.
MAX_INNER = 50
#: Where an archive holds a file with one of these suffixes, it is a data set of its own, and an
#: archive in it is one of its files.
DATA_SUFFIXES = IMAGE_SUFFIXES | MAP_SUFFIXES | {".csv", ".json"}
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
            members = _opened(self.archive, self.archive.stat().st_mtime_ns, os.getpid())
            packed, info = members[self.path]
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


_Members = Mapping[str, tuple[zipfile.ZipFile, zipfile.ZipInfo]]


@lru_cache(maxsize=4)
def _opened(path: Path, changed: int, process: int) -> _Members:
    """The members of an archive by cleaned path. It is kept open: the directory is long.

    ``changed`` and ``process`` are part of the key: a changed archive is opened again, and a forked
    worker must not share the file position.
    """
    members = _members(zipfile.ZipFile(path), str(path))
    inner = _inner(members)
    if len(inner) > MAX_INNER:
        raise EmomapError(f"{path}: holds {len(inner)} archives; unpack it first")
    found = {name: member for name, member in members.items() if name not in inner}
    for name in inner:
        found |= _members_of_inner(*members[name], name, f"{path}:{name}")
    return found


def _members(packed: zipfile.ZipFile, where: str) -> _Members:
    return {_cleaned(where, info.filename): (packed, info) for info in packed.infolist()}


def _inner(members: _Members) -> list[str]:
    """The archives in an archive that holds no data outside them."""
    seen = [
        name
        for name, (_, info) in members.items()
        if not info.is_dir() and not is_junk(name.rsplit("/", 1)[-1])
    ]
    endings = {name: os.path.splitext(name)[1].lower() for name in seen}  # noqa: PTH122
    if DATA_SUFFIXES & set(endings.values()):
        return []
    return [name for name, ending in endings.items() if ending == ".zip"]


def _members_of_inner(
    outer: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, where: str
) -> _Members:
    """The members of an archive in an archive, below a folder of its name.

    It is unpacked to a file without a name, which is gone when this process ends.
    """
    refuse_bomb(info, where)
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the archive
    try:
        with outer.open(info) as stream:
            shutil.copyfileobj(stream, copy)
        members = _members(zipfile.ZipFile(copy), where)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
        raise _damaged(where, error) from error
    folder = name[: -len(".zip")]
    top = folder.rsplit("/", 1)[-1] + "/"
    if all(path.startswith(top) for path in members if path + "/" != top):
        folder = folder.rpartition("/")[0]  # it holds a folder of its own name
    return {f"{folder}/{path}".lstrip("/"): member for path, member in members.items() if path}


def _cleaned(archive: str, name: str) -> str:
    path = name.replace("\\", "/")
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or (len(parts[0]) == 2 and parts[0][1] == ":"):
        raise EmomapError(
            f"{archive}: holds the member '{name}', which points outside the archive; refused. "
            "Ask for a clean copy."
        )
    return "/".join(part for part in parts if part not in {"", "."})


def _damaged(where: str, error: Exception) -> EmomapError:
    return EmomapError(f"{where}: damaged as a zip archive ({error}); download again")


def listing(path: Path) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """The files of an archive as folder -> names, and remarks on what was left out.

    Raises:
        EmomapError: it cannot be read as a zip archive, or a member points outside.
    """
    try:
        members = _opened(path, path.stat().st_mtime_ns, os.getpid())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(str(path), error) from error
    folders: dict[str, list[str]] = {"": []}
    links = 0
    for cleaned, (_, info) in members.items():
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
