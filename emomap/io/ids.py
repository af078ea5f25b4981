"""Ids of images (a file's path below its folder), and how the files of two folders pair."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from emomap.errors import EmomapError
from emomap.io.files import MAP_SUFFIXES, list_files


def file_id(file: Path, root: Path) -> str:
    """The id of a file: its path below a root, with forward slashes, without the last suffix."""
    return PurePosixPath(file.relative_to(root).with_suffix("")).as_posix()


def maps_by_id(folder: Path, suffixes: frozenset[str] = MAP_SUFFIXES) -> dict[str, Path]:
    """The map files at any depth of a folder, by id.

    Raises:
        EmomapError: there are none, or two files have one id (a.png and a.npy).
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
    """Match the ids of predictions with those of ground truths.

    Equal ids match first. The others match by their last part ("run1/012" with "012").

    Returns:
        Id of the ground truth -> id of the prediction, for those that match.

    Raises:
        EmomapError: several ids of one side share the last part, so a match would be a guess.
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
