"""What files and programs do to a map before it is scored, and its values after each of these.

A map that is rounded, compressed, resized or rescaled shows the same picture, and may score
otherwise. Everything happens to the map at its own size, before it is brought to that of the gaze;
of a log-density, to its exponential.
"""

from __future__ import annotations

import io as bytes_io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import metrics
from emomap.errors import EmomapError
from emomap.scoring.image import MapToScore, Opened, open_item
from emomap.scoring.protocol import Protocol

#: Quality of the JPEG, the default of Pillow and of MATLAB's imwrite.
QUALITY = 75
#: Pixels of a side that fit in a JPEG.
MOST = 65_500

Values = NDArray[Any]


class Inapplicable(ValueError):
    """An alteration that cannot be made of a map; the message is the reason."""


@dataclass(frozen=True)
class Alteration:
    """Something that is done to a map.

    Attributes:
        name: for columns and programs.
        words: what is done, for sentences.
        made: the map (H, W) and the method of resizing -> the altered map (H, W).
            Raises `Inapplicable`.
    """

    name: str
    words: str
    made: Callable[[Values, str], Values]


@dataclass(frozen=True)
class Altered:
    """The values of one map as given and after each alteration.

    Attributes:
        id: of the image.
        given: metric -> value of the map as given.
        lacking: metric -> why it has none.
        after: alteration -> metric -> value.
        same: alterations that leave the map as it is, up to its scale.
        inapplicable: alteration -> why it cannot be made.
        problem: why there is nothing at all, with the name of the file.
        remarks: what the user should know about the map or its gaze.
        blank: whether the map is zero everywhere.
    """

    id: str
    given: Mapping[str, float] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    same: tuple[str, ...] = ()
    inapplicable: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None
    remarks: tuple[str, ...] = ()
    blank: bool = False


def score_altered(
    item: MapToScore, protocol: Protocol, nonfixations: Path | None = None
) -> Altered:
    """Score one map as given and after each of `ALTERATIONS`. A failure is returned as a problem.

    Args:
        item: the map.
        protocol: how it is scored.
        nonfixations: file made by `pool_fixations`, if a metric needs the gaze on other images.
    """
    try:
        opened = open_item(item, protocol, nonfixations)
        given, lacking = opened.scored(opened.values, protocol)
        return _altered(item.id, opened, protocol, given, lacking)
    except EmomapError as error:
        return Altered(item.id, problem=str(error))


def _altered(
    name: str,
    opened: Opened,
    protocol: Protocol,
    given: Mapping[str, float],
    lacking: Mapping[str, str],
) -> Altered:
    after: dict[str, Mapping[str, float]] = {}
    same: list[str] = []
    inapplicable: dict[str, str] = {}
    for alteration in ALTERATIONS:
        try:
            values = alteration.made(opened.values, protocol.resize)
        except Inapplicable as error:
            inapplicable[alteration.name] = str(error)
            continue
        if _proportional(values, opened.values):
            same.append(alteration.name)
            after[alteration.name] = given
        else:
            after[alteration.name], _ = opened.scored(values, protocol)
    blank = not opened.values.any()
    return Altered(
        name, given, lacking, after, tuple(same), inapplicable, None, opened.remarks, blank
    )


def _proportional(values: Values, others: Values) -> bool:
    """Whether two maps differ in scale alone, which every metric ignores."""
    one, other = (np.asarray(v, dtype=np.float64) for v in (values, others))
    tops = np.abs(one).max(), np.abs(other).max()
    if min(tops) == 0:
        return bool(max(tops) == 0)
    return bool(np.allclose(one / tops[0], other / tops[1], rtol=1e-12, atol=1e-15))


def _eight_bits(values: Values, resize: str) -> Values:
    if values.dtype in (np.uint8, np.bool_):
        return values
    top = float(_not_negative(values).max())
    if top == 0:
        return values
    return np.asarray(np.rint(values.astype(np.float64) * (255 / top)).astype(np.uint8))


def _jpeg(values: Values, resize: str) -> Values:
    from PIL import Image

    if max(values.shape) > MOST:
        raise Inapplicable(f"a side of more than {MOST} pixels")
    grey = _eight_bits(values, resize)
    stream = bytes_io.BytesIO()
    Image.fromarray(grey.astype(np.uint8) * (255 if grey.dtype == np.bool_ else 1)).save(
        stream, "JPEG", quality=QUALITY
    )
    with Image.open(stream) as picture:
        return np.array(picture)


def _half(values: Values, resize: str) -> Values:
    method: Any = resize
    height, width = values.shape
    small = metrics.resize(values, ((height + 1) // 2, (width + 1) // 2), method=method)
    return np.asarray(metrics.resize(small, (height, width), method=method))


def _min_max(values: Values, resize: str) -> Values:
    wide = values.astype(np.float64)
    low, high = wide.min(), wide.max()
    if low == high:
        raise Inapplicable("constant")
    return np.asarray((wide - low) / (high - low))


def _power(exponent: float) -> Callable[[Values, str], Values]:
    def made(values: Values, resize: str) -> Values:
        wide = _not_negative(values).astype(np.float64)
        return np.asarray((wide / (wide.max() or 1.0)) ** exponent)

    return made


def _floor(values: Values, resize: str) -> Values:
    return np.maximum(values, np.zeros((), values.dtype))


def _not_negative(values: Values) -> Values:
    if values.min() < 0:
        raise Inapplicable("negative values")
    return values


ALTERATIONS = (
    Alteration("8-bit", "8-bit rounding", _eight_bits),
    Alteration("JPEG", f"JPEG of quality {QUALITY}", _jpeg),
    Alteration("half", "half size and back", _half),
    Alteration("min-max", "min-max scaling", _min_max),
    Alteration("^2", "exponent 2", _power(2.0)),
    Alteration("^1/2", "exponent 1/2", _power(0.5)),
    Alteration("floor 0", "zero for negative values", _floor),
)
