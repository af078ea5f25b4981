"""What a loader says while it reads: remarks, and faults.

Opening a data set stops at the first fault. `emomap data check` opens the same data set with
``strict=False`` and gets all faults that a loader can step over, as a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emomap.data.tree import base, nfc, stem
from emomap.errors import EmomapError, UsageError, listed


@dataclass
class Reading:
    """Passed to every loader.

    Attributes:
        options: what the caller asked for by ``--set data.NAME=VALUE``.
        strict: raise at the first fault.
        notes: remarks that tables show (guesses, what was left out and how many).
        faults: what is wrong, when not strict.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = True
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    def note(self, text: str) -> None:
        """Remark on something."""
        self.notes.append(text)

    def note_some(self, items: Sequence[object], text: str) -> None:
        """Remark on several things, with their number and the first few; nothing when none."""
        if items:
            self.notes.append(f"{len(items)} {text}: {listed(items, 3)}")

    def missing(self, items: Sequence[object], text: str) -> None:
        """Say that files do not fit together: a remark on opening, a fault for a check."""
        if items:
            (self.notes if self.strict else self.faults).append(
                f"{len(items)} {text}: {listed(items, 3)}"
            )

    def fault(self, text: str) -> None:
        """Say that something is wrong.

        Raises:
            EmomapError: when strict.
        """
        if self.strict:
            raise EmomapError(text)
        self.faults.append(text)

    def option(self, name: str, default: Any, allowed: Sequence[Any] | None = None) -> Any:
        """An option of the loader.

        Raises:
            UsageError: a value that is not allowed.
        """
        self._asked.add(name)
        value = self.options.get(name, default)
        if allowed is not None and value not in allowed:
            choices = ", ".join(map(str, allowed))
            raise UsageError(f"data.{name} is '{value}'; it must be one of {choices}")
        return value

    def refuse_unused(self, layout: str) -> None:
        """Refuse options that no loader asked for.

        Raises:
            UsageError: there are such.
        """
        unknown = sorted(set(self.options) - self._asked)
        if unknown:
            known = ", ".join(sorted(self._asked)) or "none"
            raise UsageError(f"data.{unknown[0]} is no option of the layout {layout} ({known})")


def ids(paths: Sequence[str], reading: Reading) -> list[str]:
    """Ids of files: their paths without suffix; with it where two files would share one."""
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
    """Finds a sample by what a list calls it: its id, its file name, or the last part of either."""

    def __init__(self, paths: Sequence[str], identities: Sequence[str]) -> None:
        self._exact: dict[str, str] = {}
        self._last: dict[str, str | None] = {}
        for path, identity in zip(paths, identities, strict=True):
            self._exact[nfc(path)] = identity
            self._exact.setdefault(identity, identity)
            for last in {identity.rsplit("/", 1)[-1], nfc(path).rsplit("/", 1)[-1], base(path)}:
                other = self._last.get(last, identity)
                self._last[last] = identity if other == identity else None

    def __call__(self, name: str) -> str | None:
        """The id, or None if no picture or more than one has this name."""
        name = nfc(name.strip()).replace("\\", "/").removeprefix("./")
        return self._exact.get(name) or self._last.get(name)
