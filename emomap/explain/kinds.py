"""The kinds of explanation maps, by name. Listing them loads nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from emomap.errors import UsageError

#: Kind -> class of the library grad-cam that computes it.
LIBRARY: Mapping[str, str] = {
    "gradcam": "GradCAM",
    "gradcam++": "GradCAMPlusPlus",
    "layercam": "LayerCAM",
    "eigencam": "EigenCAM",
    "hirescam": "HiResCAM",
    "xgradcam": "XGradCAM",
    "scorecam": "ScoreCAM",
    "ablationcam": "AblationCAM",
}
#: Kinds on the attention of a transformer, which do not depend on the class.
ATTENTION = ("attention", "rollout")
EXPLANATIONS = (*LIBRARY, "cam", *ATTENTION)
#: Which class is explained, unless it is called by its name.
PREDICTED, TRUE = "predicted", "true"


@dataclass(frozen=True)
class Explanation:
    """How a classifier is explained.

    Attributes:
        kind: one of `emomap.explain.kinds.EXPLANATIONS`.
        layer: name of the layer whose output is explained; "" for the default, see
            `emomap.explain.layers.find_layer`.
        explained: "predicted", "true", or the name of a class.
    """

    kind: str
    layer: str = ""
    explained: str = PREDICTED

    def __post_init__(self) -> None:
        """Refuse a kind that does not exist."""
        if self.kind not in EXPLANATIONS:
            raise UsageError(f"no explanation '{self.kind}'; there are {', '.join(EXPLANATIONS)}")


def check_explanations(kinds: Iterable[str]) -> tuple[str, ...]:
    """Kinds as they are spelled here, each once.

    Args:
        kinds: names, or several names joined by commas.

    Raises:
        UsageError: an unknown kind.
    """
    found: list[str] = []
    for name in (part.strip().lower() for kind in kinds for part in kind.split(",")):
        if name not in EXPLANATIONS:
            near = difflib.get_close_matches(name, EXPLANATIONS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"--explain {name}: choose from {', '.join(EXPLANATIONS)}{hint}")
        found += [name] if name not in found else []
    return tuple(found)
