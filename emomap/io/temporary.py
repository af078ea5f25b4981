"""Names of temporary files and folders, by which a later process removes what a killed one left."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

#: Seconds after which a temporary file is abandoned, whoever made it: nothing takes so long.
ABANDONED = 24 * 3600

_NAME = re.compile(r"\.emomap-(?P<system>[0-9a-f]{8})\.(?P<process>\d{1,10})\.")


def temporary_file(path: Path) -> Path:
    """An empty file of this process beside a path, with its suffix; the folder must exist.

    The first one in a folder removes what killed processes left there.

    Raises:
        OSError: it cannot be made.
    """
    sweep(path.parent)
    handle, name = tempfile.mkstemp(
        prefix=_prefix(path.stem[:60]), suffix=path.suffix, dir=path.parent
    )
    os.close(handle)
    return Path(name)


@contextlib.contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder that is removed when the block ends.

    Args:
        parent: where; None for the system's folder of temporary files.
    """
    parent = parent or Path(tempfile.gettempdir())
    sweep(parent)
    with tempfile.TemporaryDirectory(prefix=_prefix(""), dir=parent) as name:
        yield Path(name)


#: Seconds until a folder is looked at again in which other processes have files.
AGAIN = 1.0
#: When folders may be looked at again.
_next: dict[Path, float] = {}


def sweep(folder: Path) -> None:
    """Remove what processes left in a folder that are no more.

    A file of a process on this system goes if the process is gone, any other after a day. What
    cannot be removed stays. It is done once in the life of this process; again only where files of
    living processes lie, since a worker whose parent was killed may just be ending.
    """
    if time.monotonic() < _next.get(folder, 0.0):
        return
    others = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name[0] == "." and (match := _NAME.search(entry.name)):
                with contextlib.suppress(OSError):
                    if _left_behind(entry, match["system"], int(match["process"])):
                        _remove(entry)
                    elif int(match["process"]) != os.getpid():
                        others += 1
    _next[folder] = time.monotonic() + AGAIN if others else math.inf


def _left_behind(entry: os.DirEntry[str], system: str, process: int) -> bool:
    if time.time() - entry.stat(follow_symlinks=False).st_mtime > ABANDONED:
        return True
    return system == _system() and not _alive(process)


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        Path(entry.path).unlink(missing_ok=True)


def _prefix(stem: str) -> str:
    return f".{stem}.emomap-{_system()}.{os.getpid()}."


@cache
def _system() -> str:
    """What numbers of processes are relative to: the host, and the container on it."""
    try:
        space = str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:  # only Linux has it
        space = ""
    return hashlib.blake2s(f"{platform.node()} {space}".encode(), digest_size=4).hexdigest()


def _alive(process: int) -> bool:
    if os.name == "nt":  # there, signal 0 would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OverflowError:
        return False
    except OSError:  # it is somebody else's
        return True
    try:  # one that has ended counts until its parent asks, and some never do
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # only Linux has it
        return True
    return status.rpartition(")")[2].split()[:1] not in (["Z"], ["X"])
