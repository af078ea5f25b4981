"""The listing of a data set: a folder, or a zip archive read in place.

A loader sees relative paths with forward slashes and asks for a `File` where it needs one. So it
does not know whether the set is packed. The whole tree is listed once; no file is opened.
"""

from __future__ import annotations

import os
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emomap.errors import EmomapError, UsageError, listed
from emomap.io import archive
from emomap.io.files import IMAGE_SUFFIXES, File, is_junk

#: A folder of more files is a whole disk rather than a data set.
MAX_FILES = 3_000_000
#: Folders that archivers and version control add.
JUNK_FOLDERS = frozenset({"__MACOSX", "__pycache__", "@eaDir", "$RECYCLE.BIN"})
#: Archives that are not read in place, and all.
OTHER_ARCHIVES = (".tar", ".tgz", ".gz", ".bz2", ".xz", ".rar", ".7z")
ARCHIVES = (".zip", *OTHER_ARCHIVES)


def suffix(path: str) -> str:
    """The last suffix of a path in lower case, with its dot; "" if it has none."""
    dot = path.rfind(".")
    return path[dot:].lower() if dot > path.rfind("/") + 1 else ""


def stem(path: str) -> str:
    """The path without its last suffix."""
    dot = path.rfind(".")
    return path[:dot] if dot > path.rfind("/") + 1 else path


def base(path: str) -> str:
    """The last part of a path, without its suffix."""
    return stem(path).rsplit("/", 1)[-1]


def nfc(text: str) -> str:
    """Text with accents in one spelling: macOS spells file names differently from lists."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@dataclass(frozen=True)
class Tree:
    """The files below a base folder.

    Attributes:
        root: the folder or archive on disk, for messages and names.
        folders: folder ("" is the base) -> sorted names of its files, without junk.
        prefix: path from ``root`` to the base: "", or ends with a slash.
        packed: True for an archive.
        notes: what was left out of the listing, and why.
    """

    root: Path
    folders: Mapping[str, tuple[str, ...]]
    prefix: str = ""
    packed: bool = False
    notes: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        inner = self.prefix.rstrip("/")
        if not inner:
            return str(self.root)
        return f"{self.root}:{inner}" if self.packed else str(self.root / inner)

    @property
    def name(self) -> str:
        """The name of the base folder, or of the archive without its suffix."""
        inner = self.prefix.rstrip("/")
        if inner:
            return inner.rsplit("/", 1)[-1]
        return self.root.stem if self.packed else self.root.resolve().name

    def file(self, path: str) -> File:
        """The file at a relative path."""
        if self.packed:
            return archive.Member(self.root, self.prefix + path)
        return self.root / (self.prefix + path)

    def has(self, path: str) -> bool:
        """Whether there is a file at a relative path."""
        folder, _, name = path.rpartition("/")
        return name in self.folders.get(folder, ())

    def get(self, path: str) -> File | None:
        """The file at a relative path, or None."""
        return self.file(path) if self.has(path) else None

    def files(self, under: str = "") -> Iterator[str]:
        """Relative paths of all files at any depth of a folder."""
        inside = under + "/" if under else ""
        for folder, names in self.folders.items():
            if folder == under or folder.startswith(inside):
                lead = folder + "/" if folder else ""
                for name in names:
                    yield lead + name

    def images(self, under: str = "") -> list[str]:
        """Relative paths of the pictures at any depth of a folder, sorted."""
        return sorted(path for path in self.files(under) if suffix(path) in IMAGE_SUFFIXES)

    def with_suffix(self, ending: str, under: str = "") -> list[str]:
        """Relative paths of the files with this suffix at any depth of a folder, sorted."""
        return sorted(path for path in self.files(under) if suffix(path) == ending)

    def children(self, under: str = "") -> list[str]:
        """Names of the folders directly in a folder, sorted."""
        inside = under + "/" if under else ""
        rests = (f[len(inside) :] for f in self.folders if f != under and f.startswith(inside))
        return sorted({rest.split("/", 1)[0] for rest in rests if rest})

    def find_folder(self, name: str, under: str = "") -> str | None:
        """The topmost folder with this name (any case), or None."""
        wanted, inside = name.lower(), under + "/" if under else ""
        found = [
            folder
            for folder in self.folders
            if folder.startswith(inside) and folder.rsplit("/", 1)[-1].lower() == wanted
        ]
        return min(found, key=lambda folder: (folder.count("/"), folder), default=None)

    def find_file(self, name: str, under: str = "") -> str | None:
        """The topmost file with this name (any case), or None."""
        wanted = name.lower()
        found = [path for path in self.files(under) if path.rsplit("/", 1)[-1].lower() == wanted]
        return min(found, key=lambda path: (path.count("/"), path), default=None)

    def sub(self, folder: str) -> Tree:
        """The same listing seen from one of its folders."""
        if not folder:
            return self
        inside = folder + "/"
        folders = {
            ("" if name == folder else name[len(inside) :]): files
            for name, files in self.folders.items()
            if name == folder or name.startswith(inside)
        }
        return Tree(self.root, folders, self.prefix + inside, self.packed, self.notes)


def read_tree(path: Path) -> Tree:
    """List a folder or a zip archive.

    Raises:
        UsageError: there is nothing at this path, or it is neither folder nor zip archive.
        EmomapError: a folder cannot be listed, or the archive is damaged or hostile.
    """
    try:
        if path.is_dir():
            return _read_folder(path)
        if not path.exists():
            raise UsageError(f"{path}: there is no such folder or archive")
        if zipfile.is_zipfile(path):
            folders, notes = archive.listing(path)
            return Tree(path, _clean(folders), packed=True, notes=notes)
    except OSError as error:
        raise EmomapError(f"{error.filename or path}: cannot be read: {error.strerror}") from error
    if path.name.lower().endswith(OTHER_ARCHIVES):
        raise UsageError(f"{path}: only zip archives are read in place; unpack this one first")
    raise UsageError(f"{path}: neither a folder nor a zip archive")


def _clean(folders: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {
        folder: tuple(sorted(name for name in folders[folder] if not is_junk(name)))
        for folder in sorted(folders)
        if not any(part in JUNK_FOLDERS or part.startswith(".") for part in folder.split("/"))
    }


def _read_folder(root: Path) -> Tree:
    walk = _Walk(root)
    # relative folder, and the identities of it and of all folders above: a link to these is a loop
    pending: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset([_identity(root)]))]
    while pending:
        pending += walk.enter(*pending.pop())
        if walk.total > MAX_FILES:
            raise UsageError(f"{root}: more than {MAX_FILES:,} files; name the data set's folder")
    return Tree(root, _clean(walk.folders), notes=tuple(walk.notes()))


@dataclass
class _Walk:
    """A walk through the folders below ``root``, and what it has found so far."""

    root: Path
    folders: dict[str, list[str]] = field(default_factory=dict)
    total: int = 0
    broken: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)

    def enter(
        self, folder: str, above: frozenset[tuple[int, int]]
    ) -> Iterator[tuple[str, frozenset[tuple[int, int]]]]:
        """Record the files of one folder, and yield its subfolders."""
        names = self.folders.setdefault(folder, [])
        lead = folder + "/" if folder else ""
        with os.scandir(self.root / folder) as entries:
            for entry in entries:
                path = lead + entry.name
                if not _is_text(entry.name):
                    self.unnamed.append(ascii(path))
                elif entry.is_dir():
                    identity = _identity(entry)
                    if identity in above:
                        self.loops.append(path)
                    elif entry.name not in JUNK_FOLDERS and not entry.name.startswith("."):
                        yield path, above | {identity}
                elif entry.is_file():
                    names.append(entry.name)
                elif entry.is_symlink() and not is_junk(entry.name):
                    self.broken.append(path)
        self.total += len(names)

    def notes(self) -> Iterator[str]:
        """One line for each kind of entry that was left out."""
        for paths, what in (
            (self.broken, "links lead nowhere"),
            (self.unnamed, "names are not UTF-8, rename these files"),
            (self.loops, "links lead back to a folder above"),
        ):
            if paths:
                yield f"{len(paths)} {what}: {listed(sorted(paths), 3)}"


def _is_text(name: str) -> bool:
    """Whether a file name is valid text. If not, it can neither be printed nor written."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _identity(folder: Path | os.DirEntry[str]) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
