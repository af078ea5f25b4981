"""Ids of images (a file's path below its folder), and how the files of two folders pair.

A zip archive of maps is read in place, as if it were the folder that was packed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from emomap.errors import EmomapError
from emomap.io import archive
from emomap.io.files import MAP_SUFFIXES, File, is_junk, list_files


def file_id(file: Path, root: Path) -> str:
    """The id of a file: its path below a root, with forward slashes, without the last suffix."""
    return PurePosixPath(file.relative_to(root).with_suffix("")).as_posix()


def maps_by_id(
    folder: Path, suffixes: frozenset[str] = MAP_SUFFIXES, *, ending: str = ""
) -> dict[str, File]:
    """The map files at any depth of a folder or zip archive, by id.

    Args:
        folder: to look in; a folder, or a file with the suffix .zip.
        suffixes: of the files.
        ending: what the names have after the id; files without it are left out.

    Raises:
        EmomapError: there are none, two files have one id (a.png and a.npy), or a damaged archive.
    """
    found: dict[str, File] = {}
    packed = is_archive(folder)
    for name, file in _packed(folder, suffixes) if packed else _loose(folder, suffixes):
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
        tables = not packed and any(folder.rglob("*.csv"))
        hint = "; it holds tables: are predictions and ground truth exchanged?" if tables else ""
        raise EmomapError(f"{folder}: no maps in it (looked for {looked}, at any depth){hint}")
    return found


def is_archive(path: Path) -> bool:
    """Whether a path is a file that is called a zip archive."""
    return path.suffix.lower() == ".zip" and path.is_file()


def _loose(folder: Path, suffixes: frozenset[str]) -> Iterator[tuple[str, File]]:
    return ((file_id(file, folder), file) for file in list_files(folder, suffixes))


def _packed(path: Path, suffixes: frozenset[str]) -> Iterator[tuple[str, File]]:
    """The ids and members of an archive, sorted."""
    folders, _ = archive.listing(path)
    for folder, names in sorted(folders.items()):
        for name in sorted(names):
            stem, dot, suffix = name.rpartition(".")
            if not is_junk(name) and (dot + suffix).lower() in suffixes:
                inside = f"{folder}/" if folder else ""
                yield inside + stem, archive.Member(path, inside + name)


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

    Equal ids match first; where there are none, a folder around all predictions is left out. The
    others match by their last part ("run1/012" with "012").

    Returns:
        Id of the ground truth -> id of the prediction, for those that match.

    Raises:
        EmomapError: several ids of one side share the last part, so a match would be a guess.
    """
    wanted, given = list(truths), list(predictions)
    inner = {identity: identity for identity in given}
    while not inner.keys() & set(wanted) and (shorter := _without_top(inner)):
        inner = shorter
    pairs = {identity: inner[identity] for identity in sorted(set(wanted) & inner.keys())}
    stems: dict[str, list[str]] = {}
    for identity in sorted(set(given) - set(pairs.values())):
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


def _without_top(ids: Mapping[str, str]) -> dict[str, str]:
    """The ids without the folder that all of them lie in; empty where there is none."""
    tops = {identity.partition("/")[0] if "/" in identity else "" for identity in ids}
    if len(tops) != 1 or "" in tops:
        return {}
    return {identity.partition("/")[2]: whole for identity, whole in ids.items()}
