"""The skeleton of a card, from what a model file tells of its inputs and outputs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from emomap.io.cache import file_hash
from emomap.models.card import RUNTIMES, Runtime, runtime_of
from emomap.models.model import Model, Slot, open_any


def skeleton(file: Path, runtime: Runtime | None = None, *, trust: bool = False) -> str:
    """The text of a card. What the file does not tell has a remark.

    Args:
        file: the model file.
        runtime: what runs it; None to tell by its ending.
        trust: open files that are programs.

    Raises:
        UsageError, EmomapError: as `emomap.models.model.open_any`.
    """
    engine = runtime or runtime_of(str(file))
    model = open_any(file, engine, trust=trust)
    lines = [
        f"file = {json.dumps(file.name)}    # relative to this card",
        f'sha256 = "{file_hash(file)}"',
        'license = ""    # under which the file may be used',
    ]
    if RUNTIMES.get(file.suffix.lower()) != engine:
        lines.append(f'runtime = "{engine}"')
    picture, others = _inputs(model)
    if others:
        pairs = ", ".join(f"{json.dumps(s.name)} = {_neutral(s)}" for s in others)
        lines.append(f"constants = {{ {pairs} }}    # the other inputs: one value everywhere")
    return "\n".join([*lines, "", *_input(picture), "", *_output(model.outputs), ""])


def _inputs(model: Model) -> tuple[Slot, Sequence[Slot]]:
    """The input that is likeliest the picture, and the others."""

    def likeness(slot: Slot) -> tuple[bool, int]:
        shape = slot.shape or ()
        return 3 in shape or 1 in shape[1:2], len(shape)

    picture = max(model.inputs, key=likeness)
    return picture, [slot for slot in model.inputs if slot is not picture]


def _neutral(slot: Slot) -> str:
    return '""' if slot.dtype == "string" else "0.0"


def _input(slot: Slot) -> list[str]:
    shape = slot.shape or ()
    batched = len(shape) != 3
    axes = shape[1:] if batched and shape else shape
    last = bool(axes) and axes[-1] in {1, 3} and axes[0] not in {1, 3}
    sides = axes[:2] if last else axes[1:]
    colours = (axes[-1] if last else axes[0]) if axes else 3
    layout = ("N" if batched else "") + ("HWC" if last else "CHW")
    known = len(sides) == 2 and all(side is not None for side in sides)
    size = f"[{sides[0]}, {sides[1]}]" if known else '"as it is"'
    remark = (
        "height, width" if known else "the file takes any size, or does not tell; or [480, 640]"
    )
    whole = slot.dtype.startswith(("int", "uint"))
    top = "[0.0, 255.0]" if whole else "[0.0, 1.0]"
    return [
        "[input]",
        f"name = {json.dumps(slot.name)}",
        f"size = {size}    # {remark}",
        f'layout = "{layout}"',
        f"range = {top}    # what 0 and 255 become: the model's own page tells",
        "mean = [0.0]    # taken off after that; one number, or one for each colour",
        "std = [1.0]    # divided by after that",
        f'colour = "{"grey" if colours == 1 else "RGB"}"    # or BGR, grey',
        'fit = "stretch"    # or letterbox',
    ]


def _output(slots: Sequence[Slot]) -> list[str]:
    def likeness(slot: Slot) -> int:
        return sum(size is None or size > 3 for size in slot.shape or ())

    lines = ["[output]"]
    if slots:
        chosen = max(slots, key=likeness)
        lines.append(f"name = {json.dumps(chosen.name)}    # {chosen}")
        lines += [f"# also there: {slot}" for slot in slots if slot is not chosen]
    return [*lines, 'kind = "map"    # or density, log-density']
