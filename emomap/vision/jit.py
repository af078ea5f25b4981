"""Compilation of inner loops by numba: cached on disk, one thread.

The first use on a machine compiles (about half a second a loop); later processes load the result.
Importing numba is slow, so it waits for the first call; a process that only hands work to others
never needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any, TypeVar, cast

from emomap import metrics

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile a function to machine code at its first call.

    Contraction to fused multiply-add is allowed, reassociation is not: sums keep their order, so
    the same input yields the same bytes.
    """
    return cast(Function, _Loop(function))


class _Loop:
    """A function that is compiled at its first call."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self.compiled(*arguments)

    @cached_property
    def compiled(self) -> Any:
        """The compiled function, which other compiled functions can call."""
        names = self._function.__globals__
        for name in self._function.__code__.co_names:
            if isinstance(names.get(name), _Loop):  # numba can only call what it has compiled
                names[name] = names[name].compiled
        compiled = metrics.compilation.compiled(error_model="numpy", fastmath={"contract", "nsz"})
        return compiled(self._function)
