"""EyeLink's .asc, as edf2asc writes it: fixations of its EFIX lines, pictures of its messages.

The readers of other packages give samples, and keep the positions of EFIX lines to themselves; see
docs/decisions/0050-eyelink-asc.md. A line is

    EFIX <eye> <start> <end> <duration> <x> <y> <pupil>
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from emomap import io
from emomap.data.trackers.fixation import Export, Fixation
from emomap.errors import EmomapError
from emomap.io.files import unreadable

#: The screen: DISPLAY_COORDS 0 0 1919 1079.
SCREEN = re.compile(
    r"(?:DISPLAY_COORDS|GAZE_COORDS)\D+(-?[\d.]+)\s+(-?[\d.]+)\s+([\d.]+)\s+([\d.]+)"
)
#: Variables of a trial that name its picture: !V TRIAL_VAR image 1001.jpg.
VARIABLE = re.compile(r"!V TRIAL_VAR\s+(\w+)[\s=]+(.+)")
#: A picture in any other message.
ENDINGS = "|".join(suffix.lstrip(".") for suffix in sorted(io.IMAGE_SUFFIXES))
PICTURE = re.compile(rf"([^\s\"']+\.(?:{ENDINGS}))(?![\w.])", re.IGNORECASE)
#: Names of variables that hold the picture.
NAMES = ("image", "img", "picture", "stimulus", "stim", "imagefile", "image_file", "bitmap")


def read_asc(file: Path, into: Export) -> None:
    """Add the fixations of one .asc file to an export. Its observer is the name of the file.

    Raises:
        EmomapError: unreadable, or no such file.
    """
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            lines = list(stream)
    except OSError as error:
        raise unreadable(file, error) from error
    if not any(line.startswith(("EFIX", "MSG", "SFIX", "START")) for line in lines):
        raise EmomapError(f"{file}: not an .asc file of EyeLink; edf2asc makes one of an .edf file")
    trial, picture, begun = "", "", len(into.fixations)
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        if words[0] == "MSG":
            message = " ".join(words[2:])
            if screen := SCREEN.search(message):
                left, top, right, bottom = map(float, screen.groups())
                into.screen = into.screen or (round(right - left + 1), round(bottom - top + 1))
            elif message.startswith("TRIALID"):
                trial, picture, begun = message[7:].strip(), "", len(into.fixations)
            else:
                found = picture_in(message)
                if found and found != picture:
                    picture = found
                    _name_earlier(into, begun, file.stem, trial, picture)
        elif words[0] == "EBLINK":
            into.left_out["blinks"] += 1
        elif words[0] == "EFIX":
            _add(into, words, file, number, trial, picture)


def picture_in(message: str) -> str:
    """The picture that a message names; "" if it names none."""
    variable = VARIABLE.match(message)
    if variable:
        return variable[2].strip() if variable[1].lower() in NAMES else ""
    match = PICTURE.search(message)
    return match[1] if match else ""


def _name_earlier(into: Export, begun: int, observer: str, trial: str, picture: str) -> None:
    """Name the picture of the trial's fixations so far: Data Viewer's variables come at its end."""
    for index in range(begun, len(into.fixations)):
        one = into.fixations[index]
        if not one.picture:
            into.fixations[index] = replace(one, picture=picture, observer=observer, trial=trial)


def _add(into: Export, words: list[str], file: Path, number: int, trial: str, picture: str) -> None:
    if len(words) < 7 or "." in {words[5], words[6]}:
        into.left_out["fixations without a position"] += 1
        return
    try:
        start, duration, x, y = (float(words[at]) for at in (2, 4, 5, 6))
    except ValueError as error:
        raise EmomapError(f"{file}, line {number}: not a line of a fixation: {error}") from error
    into.fixations.append(
        Fixation(picture, file.stem, trial, start, x, y, duration, words[1].upper())
    )
