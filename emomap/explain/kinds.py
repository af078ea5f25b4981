"""The kinds of explanation maps, by name. Listing them loads nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from emomap.errors import UsageError, did_you_mean

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
#: One head of the last block's attention: attention-head0, attention-head1, ...
HEAD = re.compile(r"attention-head(\d{1,4})")
#: Kind -> what it is, in a few words.
EXPLANATIONS: Mapping[str, str] = {
    "gradcam": "Grad-CAM (Selvaraju 2017), by the library grad-cam like the seven below",
    "gradcam++": "Grad-CAM++ (Chattopadhay 2018)",
    "layercam": "LayerCAM (Jiang 2021)",
    "eigencam": "EigenCAM (Muhammad & Yeasin 2020)",
    "hirescam": "HiResCAM (Draelos & Carin 2020)",
    "xgradcam": "XGrad-CAM (Fu 2020)",
    "scorecam": "Score-CAM (Wang 2020)",
    "ablationcam": "Ablation-CAM (Desai & Ramaswamy 2020)",
    "cam": "class activation map (Zhou 2016)",
    "attention": "attention of a transformer's last block; attention-head0, ... for one head",
    "rollout": "attention rollout of a transformer (Abnar & Zuidema 2020)",
}
#: All that can be written for a kind, for messages.
CHOICES = (*EXPLANATIONS, "attention-headN")
#: Which class is explained, unless it is called by its name.
PREDICTED, TRUE = "predicted", "true"


@dataclass(frozen=True)
class Explanation:
    """How a classifier is explained.

    Attributes:
        kind: see `known`.
        layer: name of the layer whose output is explained; "" for the default, see
            `emomap.explain.layers.find_layer`.
        explained: "predicted", "true", or the name of a class.
    """

    kind: str
    layer: str = ""
    explained: str = PREDICTED

    def __post_init__(self) -> None:
        """Refuse a kind that does not exist."""
        if not known(self.kind):
            raise UsageError(f"no explanation '{self.kind}'; there are {', '.join(CHOICES)}")


def known(kind: str) -> bool:
    """Whether it is one of `EXPLANATIONS`, or a head of the attention."""
    return kind in EXPLANATIONS or HEAD.fullmatch(kind) is not None


def needs_layer(kind: str) -> bool:
    """Whether the map depends on a layer that somebody may choose."""
    return kind not in ATTENTION and not HEAD.fullmatch(kind)


def check_explanations(kinds: Iterable[str]) -> tuple[str, ...]:
    """Kinds as they are spelled here, each once.

    Args:
        kinds: names, or several names joined by commas.

    Raises:
        UsageError: an unknown kind.
    """
    found: list[str] = []
    for name in (part.strip().lower() for kind in kinds for part in kind.split(",")):
        if not known(name):
            hint = did_you_mean(name, EXPLANATIONS)
            raise UsageError(f"--explain {name}: choose from {', '.join(CHOICES)}{hint}")
        found += [name] if name not in found else []
    return tuple(found)
