"""An attribute that is computed when it is first asked for.

As `functools.cached_property`, whose lock (until Python 3.12) torch.compile cannot look into.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class lazy(Generic[Value]):
    """A property that keeps its value as an attribute of the same name."""

    def __init__(self, function: Callable[[Any], Value]) -> None:
        self.function = function
        self.name = function.__name__
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: Any = None) -> lazy[Value]: ...

    @overload
    def __get__(self, instance: object, owner: Any = None) -> Value: ...

    def __get__(self, instance: object | None, owner: Any = None) -> lazy[Value] | Value:
        if instance is None:
            return self
        value = self.function(instance)
        setattr(instance, self.name, value)
        return value
