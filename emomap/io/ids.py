"""Ids of images (a file's path below its folder), and how the files of two folders pair."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from emomap.errors import EmomapError
from emomap.io.files import MAP_SUFFIXES, list_files


def file_id(file: Path, root: Path) -> str:
    """The id of a file: its path below a root, with forward slashes, without the last suffix."""
    return PurePosixPath(file.relative_to(root).with_suffix("")).as_posix()


def maps_by_id(
    folder: Path, suffixes: frozenset[str] = MAP_SUFFIXES, *, ending: str = ""
) -> dict[str, Path]:
    """The map files at any depth of a folder, by id.

    Args:
        folder: to look in.
        suffixes: of the files.
        ending: what the names have after the id; files without it are left out.

    Raises:
        EmomapError: there are none, or two files have one id (a.png and a.npy).
    """
    found: dict[str, Path] = {}
    for file in list_files(folder, suffixes):
        name = file_id(file, folder)
        identity = name.removesuffix(ending)
        if ending and identity == name:
            continue
        if identity in found:
            raise EmomapError(
                f"{file} and {found[identity].name} are maps of the same image; remove one"
            )
        found[identity] = file
    if not found:
        named = f"*{ending}" if ending else "*"
        looked = ", ".join(f"{named}{suffix}" for suffix in sorted(suffixes))
        tables = any(file.suffix.lower() == ".csv" for file in folder.rglob("*.csv"))
        hint = "; it holds tables: are predictions and ground truth exchanged?" if tables else ""
        raise EmomapError(f"{folder}: no maps in it (looked for {looked}, at any depth){hint}")
    return found


def common_ending(names: Iterable[str], wanted: Iterable[str]) -> str:
    """What all names have after those that are wanted ("_gradcam"); "" if nothing does.

    >>> common_ending(["a/p0_cam", "a/p1_cam"], ["p0", "p1", "p2"])
    '_cam'
    """
    lasts = [name.rsplit("/", 1)[-1] for name in names]
    heads = {name.rsplit("/", 1)[-1] for name in wanted}
    endings = {last[len(head) :] for last in lasts[:1] for head in heads if last.startswith(head)}
    for ending in sorted(endings, key=len, reverse=True):
        if ending and all(n.endswith(ending) and n.removesuffix(ending) in heads for n in lasts):
            return ending
    return ""


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
