"""Errors that a user can mend: one clear line, no traceback, a stated exit code."""

from __future__ import annotations

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


def listed(items: Iterable[object], most: int = 10) -> str:
    """The first items and how many follow, for a message: "a, b, c and 17 more"; "none" for none.

    >>> listed(range(5), most=2)
    '0, 1 and 3 more'
    """
    texts = [str(item) for item in items]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more if texts else "none"
