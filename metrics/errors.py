"""The errors of the library that a caller may want to tell from others."""

from __future__ import annotations


class NegativeMapError(ValueError):
    """A map with negative values, which cannot be normalised to a probability distribution.

    Attributes:
        name: of the argument, "prediction" or "density".
        count: number of negative values.
        lowest: the lowest of them.
        index: of the map in its batch; () for a single map.
    """

    def __init__(self, name: str, count: int, lowest: float, index: tuple[int, ...] = ()) -> None:
        where = f"map {index} of the batch: " if index else ""
        super().__init__(
            f"{where}{name} has {count} negative value(s), down to {lowest:g}, and cannot be "
            "normalised to a probability distribution: shift it (map - map.min()), take exp() of a "
            "log-density, or pass negative='clip' if the values are overshoot of an interpolation"
        )
        self.name, self.count, self.lowest, self.index = name, count, lowest, index

    def of_map(self, index: tuple[int, ...]) -> NegativeMapError:
        """The same of one map of a batch."""
        return NegativeMapError(self.name, self.count, self.lowest, index)

    def __reduce__(self) -> tuple[type, tuple[str, int, float, tuple[int, ...]]]:
        """For other processes, which make it anew."""
        return type(self), (self.name, self.count, self.lowest, self.index)
