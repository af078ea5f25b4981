"""What a reader of an export gives: fixations, and what it left out and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fixation:
    """One fixation as the export has it.

    Attributes:
        picture: what the export calls the picture; "" if it does not say.
        observer: who looked.
        trial: name or number of the trial; "" if the export does not say.
        start: in the export's own time, to sort by.
        x, y: in the export's own coordinates.
        duration: milliseconds, or None.
        eye: "L", "R" or "" (both, or not said).
    """

    picture: str
    observer: str
    trial: str
    start: float
    x: float
    y: float
    duration: float | None = None
    eye: str = ""


@dataclass
class Export:
    """All that was found in the files of an export.

    Attributes:
        fixations: in the order of the files.
        left_out: why -> number of events or lines that are no fixations to use.
        screen: (width, height) in pixels, if the export says.
        frame: what x and y are, see `emomap.data.trackers.placement.FRAMES`.
        placed: picture -> (left, top, width, height) on the screen, where the export says.
        notes: what was guessed.
    """

    frame: str
    fixations: list[Fixation] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    screen: tuple[int, int] | None = None
    placed: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
