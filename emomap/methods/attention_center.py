"""The saliency model of Google's Attention Center, from its TensorFlow Lite file.

Source: https://github.com/google/attention-center (Apache-2.0). The weights are downloaded when
they are first needed; they are not part of emomap.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any, ClassVar

from emomap.models.method import ModelFile


class AttentionCenter(ModelFile):
    """A learned saliency model, 289,191 weights, trained on SALICON. Its map is in 0..1.

    Args:
        weights: "default" to download them once, or the path or URL of the file.
        sha256: hash of the file, if it is another one than the published.
    """

    remedy: ClassVar[str] = (
        "get the file elsewhere and name it with --set method.attention_center.weights=FILE"
    )

    def __init__(self, *, weights: str = "default", sha256: str = "") -> None:
        text = resources.files("emomap.models").joinpath("cards", "attention_center.toml")
        card: dict[str, Any] = tomllib.loads(text.read_text("utf-8"))
        if weights != "default":
            card["file"] = weights
        super().__init__(**{**card, **({"sha256": sha256} if sha256 else {})})
