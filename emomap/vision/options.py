"""Checks of the parameters of the classical methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np

from emomap.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    _Settings = TypeVar("_Settings", bound=DataclassInstance)

#: The size of a map: that of the image, or that at which the method computes it.
MapSize: TypeAlias = Literal["image", "native"]


def make_settings(cls: type[_Settings], parameters: Mapping[str, Any], *, method: str) -> _Settings:
    """The settings of a method, from its parameters by name.

    Args:
        cls: a dataclass with a default for each parameter; it checks the values itself.
        parameters: those that differ from the default.
        method: name of the method, for the message.

    Raises:
        UsageError: there is no such parameter, or its value is refused.
    """
    known = [field.name for field in fields(cls)]
    for name in parameters:
        if name not in known:
            raise UsageError(
                f"{method}: there is no parameter '{name}'; there are {', '.join(known)}"
            )
    return cls(**parameters)


def check_size(size: str, *, method: str) -> None:
    """Refuse a ``size`` that is not a `MapSize`.

    Raises:
        UsageError: it is another word.
    """
    if size not in ("image", "native"):
        raise UsageError(f"{method}: size={size!r}; expected 'image' or 'native'")


def check_shares(method: str, **shares: float) -> None:
    """Refuse parameters that are negative, infinite or NaN.

    Raises:
        UsageError: names the first such parameter.
    """
    for name, value in shares.items():
        if not 0 <= value < np.inf:
            raise UsageError(f"{method}: {name}={value} must be a number, 0 or above")


def several(given: Any) -> tuple[Any, ...]:
    """A parameter of several numbers as a tuple; it may be given as one number, or as None."""
    if given is None:
        return ()
    return tuple(np.atleast_1d(given).tolist())
