"""Names of the files that keep what a method has learned.

Networks write ``checkpoint.safetensors``, all other methods ``checkpoint.pt``. Release 0.1 wrote
``checkpoint.pt`` for networks too; its folders stay valid, and so do commands with that name.
"""

from __future__ import annotations

from pathlib import Path

NETWORK = "checkpoint.safetensors"
OTHER = "checkpoint.pt"


def checkpoint_in(folder: Path, name: str) -> Path:
    """The checkpoint in the folder of a training, or where it will be: ``name``, else 0.1's."""
    old = folder / OTHER
    return old if old.exists() and not (folder / name).exists() else folder / name


def checkpoint_named(file: Path) -> Path:
    """This file; where it is missing, the network that today has another name for it."""
    now = file.with_name(NETWORK)
    return now if file.name == OTHER and now.exists() and not file.exists() else file
