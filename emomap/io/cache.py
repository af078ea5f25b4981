"""Files that are made or downloaded once and kept: emomap's folder, URLs, the Hugging Face Hub."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path

from emomap.errors import EmomapError, UsageError
from emomap.io.files import unreadable

#: How a file is named that is not here yet.
REMOTE = re.compile(r"(https?|hf)://")


def cache_folder() -> Path:
    """The folder of made and downloaded files: ``EMOMAP_HOME``, or one in the user's cache."""
    home = os.environ.get("EMOMAP_HOME")
    if home:
        return Path(home).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "emomap"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "emomap"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emomap"


def local_file(address: str, *, sha256: str = "", remedy: str = "") -> Path:
    """The file of an address; what is not here is downloaded once, with progress on stderr.

    Args:
        address: a path, a URL, or ``hf://USER/REPOSITORY/FILE`` on the Hugging Face Hub
            (``REPOSITORY@REVISION`` for a branch, tag or commit).
        sha256: first digits (8 or more) of the file's hash, checked where given.
        remedy: how to do without the download, for the message where it fails.

    Raises:
        UsageError: the address is malformed, or the Hub needs a package that is missing.
        EmomapError: the file is missing, cannot be downloaded, or has another hash.
    """
    if address.startswith("hf://"):
        file = _from_hub(address, remedy)
    elif REMOTE.match(address):
        file = _from_url(address, sha256, remedy)
    else:
        file = Path(address).expanduser()
    if not sha256 and file.is_file():
        return file
    try:
        check_hash(file, sha256)
    except WrongHash as error:
        raise WrongHash(f"{error}; remove it to get it again") from error
    return file


class WrongHash(EmomapError):
    """A file is damaged, or another one than was wanted."""


def file_hash(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal.

    Raises:
        EmomapError: missing, unreadable, or not a file.
    """
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(file, error) from error


def check_hash(file: Path, sha256: str) -> None:
    """Compare the SHA-256 of a file with the digits that are known of it, which may be none.

    Raises:
        EmomapError: missing, unreadable or not a file; `WrongHash` with another hash.
    """
    found, wanted = file_hash(file), sha256.lower()
    if not found.startswith(wanted):
        raise WrongHash(
            f"{file}: its SHA-256 is {found[:16]}..., not {wanted}: damaged, or another file"
        )


def _from_url(url: str, sha256: str, remedy: str) -> Path:
    """The file of a URL below `cache_folder`; its name begins with a hash of the URL."""
    import pooch
    from requests import RequestException

    folder = cache_folder() / "downloads"
    name = f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{url.rsplit('/', 1)[-1]}"
    if (folder / name).exists():
        return folder / name
    pooch.get_logger().setLevel("WARNING")
    try:
        return Path(
            pooch.retrieve(
                url,
                # pooch compares whole hashes only; `local_file` compares the digits that are known
                known_hash=f"sha256:{sha256}" if len(sha256) == 64 else None,
                fname=name,
                path=folder,
                downloader=pooch.HTTPDownloader(progressbar=True, timeout=30),
            )
        )
    except (OSError, RequestException, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise EmomapError(
            f"{url}: cannot be downloaded: {reason}{'; ' if remedy else ''}{remedy}"
        ) from error


def _from_hub(address: str, remedy: str) -> Path:
    """A file of the Hub, in the Hub's own cache; ``HF_HUB_OFFLINE`` is respected."""
    match = re.fullmatch(r"hf://([^/]+/[^/@]+)(?:@([^/]+))?/(.+)", address)
    if not match:
        raise UsageError(f"{address}: write it as hf://USER/REPOSITORY/FILE")
    try:
        import huggingface_hub
    except ImportError as error:
        raise UsageError(f"{address} needs huggingface_hub: pip install 'emomap[hub]'") from error
    repository, revision, file = match.groups()
    try:
        return Path(huggingface_hub.hf_hub_download(repository, file, revision=revision))
    except Exception as error:  # what the Hub, the network and the disk raise has no common base
        reason = " ".join(str(error).split())[:160]
        raise EmomapError(
            f"{address}: cannot be downloaded: {reason}{'; ' if remedy else ''}{remedy}"
        ) from error
