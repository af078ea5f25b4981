"""Errors that a user can mend: one clear line, no traceback, a stated exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EmomapError(Exception):
    """Something in the input is wrong. The message names it and the remedy.

    The command line prints the message as one line on stderr and exits with ``exit_code``.
    """

    exit_code = 1


class UsageError(EmomapError):
    """The command or its options are wrong; nothing was computed."""

    exit_code = 2


class Interrupted(EmomapError):
    """The user interrupted the command, and it keeps nothing."""

    exit_code = 130


#: How many characters of a wrong value a message quotes.
QUOTED = 60


def printable(text: str, most: int | None = None) -> str:
    """Text for a terminal: control characters and broken Unicode escaped, cut after ``most``.

    Line ends and tabs stay. Names of files can hold anything, and a terminal obeys it.

    >>> print(printable(chr(27) + "[31mred", most=5))
    \\x1b[31m...
    """
    cut = text if most is None else text[:most]
    shown = "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in cut)
    return shown if len(cut) == len(text) else f"{shown}..."


def listed(items: Iterable[object], most: int = 10) -> str:
    """The first items and how many follow, for a message: "a, b, c and 17 more"; "none" for none.

    >>> listed(range(5), most=2)
    '0, 1 and 3 more'
    """
    texts = [str(item) for item in items]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more if texts else "none"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message on a mistyped word: "; did you mean score?"; "" if nothing is near.

    >>> did_you_mean("scroe", ["score", "show", "bench"])
    '; did you mean score?'
    """
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def grouped(lines: Iterable[str]) -> list[str]:
    """Messages "FILE: what is wrong", of which those that say the same become one.

    >>> grouped(["a.png: coloured", "b.png: damaged", "c.png: coloured", "d.png: coloured"])
    ['a.png: coloured (also c.png, d.png)', 'b.png: damaged']
    """
    wheres: dict[tuple[str, str], list[str]] = {}
    for line in dict.fromkeys(lines):
        where, colon, what = line.partition(": ")
        wheres.setdefault((colon, what) if colon else ("", line), []).append(where)
    return [
        f"{first}{colon}{what}" + (f" (also {listed(others)})" if others else "") if colon else what
        for (colon, what), (first, *others) in wheres.items()
    ]
