"""What a loader reports while it reads, remarks and faults; and the ids of its pictures.

Opening a data set stops at the first fault. `emomap data check` opens it with ``strict=False`` and
gets a list of all faults that a loader can skip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emomap.data.tree import base, nfc, stem, suffix
from emomap.errors import EmomapError, UsageError, listed


@dataclass
class Reading:
    """The caller's options for a loader, and what the loader reports. Passed to every loader.

    Attributes:
        options: as given by ``--set data.NAME=VALUE``.
        strict: raise at the first fault.
        notes: remarks that tables show: what was guessed, what was left out, and how many.
        faults: what is wrong, if not strict.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = True
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    def note(self, text: str) -> None:
        """Add a remark."""
        self.notes.append(text)

    def note_some(self, items: Sequence[object], text: str) -> None:
        """Add a remark on some things, if there are any: their number and the first few."""
        if items:
            self.notes.append(f"{len(items)} {text}: {listed(items, 3)}")

    def missing(self, items: Sequence[object], text: str) -> None:
        """Report files that do not fit together: a remark on opening, a fault in a check."""
        if items:
            (self.notes if self.strict else self.faults).append(
                f"{len(items)} {text}: {listed(items, 3)}"
            )

    def fault(self, text: str) -> None:
        """Report that something is wrong.

        Raises:
            EmomapError: if strict.
        """
        if self.strict:
            raise EmomapError(text)
        self.faults.append(text)

    def option(self, name: str, default: Any, allowed: Sequence[Any] | None = None) -> Any:
        """The value of an option of the loader.

        Raises:
            UsageError: the value is not allowed.
        """
        self._asked.add(name)
        value = self.options.get(name, default)
        if allowed is not None and value not in allowed:
            choices = ", ".join(map(str, allowed))
            raise UsageError(f"data.{name} is '{value}'; it must be one of {choices}")
        return value

    def refuse_unused(self, layout: str) -> None:
        """Refuse options that the loader does not have.

        Raises:
            UsageError: such an option was given.
        """
        unknown = sorted(set(self.options) - self._asked)
        if unknown:
            known = ", ".join(sorted(self._asked)) or "none"
            raise UsageError(f"data.{unknown[0]} is not an option of the layout {layout} ({known})")


def ids(paths: Sequence[str], reading: Reading) -> list[str]:
    """Ids of files: their paths without suffix, or with it where two files would share an id."""
    plain = [nfc(stem(path)) for path in paths]
    seen: dict[str, int] = {}
    for identity in plain:
        seen[identity] = seen.get(identity, 0) + 1
    shared = sorted(identity for identity, count in seen.items() if count > 1)
    if shared:
        reading.note_some(shared, "names belong to several pictures, which keep their suffix as id")
        again = set(shared)
        return [
            nfc(path) if identity in again else identity
            for path, identity in zip(paths, plain, strict=True)
        ]
    return plain


class Finder:
    """Finds a sample by its name in a list: its id, its path, or the last part of either.

    A path may begin at the picture, at the data set ("images/p0.jpg") or at the root of the disk
    on which the list was made; the suffix may differ in case.
    """

    def __init__(self, paths: Sequence[str], identities: Sequence[str]) -> None:
        self._exact: dict[str, str] = {}
        self._last: dict[str, str | None] = {}
        for path, identity in zip(paths, identities, strict=True):
            self._exact[_plain(path)] = identity
            self._exact.setdefault(_plain(identity), identity)
            for last in {_plain(name).rsplit("/", 1)[-1] for name in (identity, path, base(path))}:
                other = self._last.get(last, identity)
                self._last[last] = identity if other == identity else None

    def __call__(self, name: str) -> str | None:
        """The id of the picture with this name, or None if none or several have it."""
        name = _plain(name.strip().replace("\\", "/").removeprefix("./"))
        inner = name.removeprefix("images/")
        if name.startswith("/") or name[1:3] == ":/":  # of another computer, so the end counts
            inner = inner.rsplit("/", 1)[-1]
        return self._exact.get(name) or self._exact.get(inner) or self._last.get(inner)


def _plain(name: str) -> str:
    """A name with accents in one spelling and its suffix in small letters."""
    name = nfc(name)
    ending = suffix(name)
    return name[: len(name) - len(ending)] + ending if ending else name
