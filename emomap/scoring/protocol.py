"""How maps are scored: metrics, convention, resize, blur. All of it is signed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emomap import metrics
from emomap.errors import UsageError
from emomap.sample import Gaze

#: What the tables of the field report; the others of the catalogue are computed on request.
METRICS = ("auc_judd", "auc_borji", "cc", "sim", "kl", "emd", "nss")

#: MIT's blur of fixations when the data set does not state its own sigma.
MIT_FC = 8.0


@dataclass(frozen=True)
class Protocol:
    """How maps are scored: everything that changes a value, so everything that is signed.

    Attributes:
        metrics: names of the catalogue, in the order of the table.
        convention: "mit" or "tuebingen", see `metrics.CATALOGUE`.
        resize: method that brings a map to the size of the gaze, see `metrics.resize`.
        sigma: Gaussian in pixels that turns fixations into a density; None for MIT's fc = 8,
            which follows the size of the picture (24 px at 640 and at 1024 wide).
        emd_downsize: factor by which both maps shrink before the transport problem.
        stretch: accept maps whose aspect ratio differs from the picture's.
    """

    metrics: tuple[str, ...] = METRICS
    convention: str = "mit"
    resize: str = "matlab-bicubic"
    sigma: float | None = None
    emd_downsize: int = 32
    stretch: bool = False

    def sigma_for(self, shape: tuple[int, int]) -> float:
        """The blur in pixels for a picture of this (height, width)."""
        return self.sigma or metrics.sigma_from_fc(MIT_FC, shape)

    @property
    def sigma_words(self) -> str:
        """The blur in words such as "24 px"."""
        return f"{self.sigma:g} px" if self.sigma else f"MIT fc={MIT_FC:g}"

    def signature(self, *names: str, seed: int | None = None) -> str:
        """The short string that names every choice behind the values; of all metrics by default.

        Args:
            seed: of the bootstrap, where the string stands beside intervals.
        """
        names = names or self.metrics
        if not names:
            return ""
        choices: dict[str, Any] = {"resize": self.resize, "clip": "0"}
        if {"density", "baseline"} & {i for n in names for i in metrics.CATALOGUE[n].inputs}:
            choices["sigma"] = f"{self.sigma:g}px" if self.sigma else f"fc{MIT_FC:g}"
        if "emd" in names:
            choices["downsize"] = self.emd_downsize
        if self.stretch:
            choices["stretch"] = True
        choices["seed"] = seed
        return metrics.signature(names, convention=self.convention, **choices)

    def needs(self) -> set[str]:
        """What the metrics need: of "fixations", "density", "other", "baseline"."""
        return {need for name in self.metrics for need in metrics.CATALOGUE[name].inputs}


def check_metrics(names: Iterable[str]) -> tuple[str, ...]:
    """Names of metrics as the catalogue has them; "all" stands for the whole catalogue.

    Raises:
        UsageError: an unknown name.
    """
    wanted: list[str] = []
    for name in names:
        key = name.strip().lower().replace("-", "_")
        key = ALIASES.get(key, key)
        if key == "all":
            wanted += [entry for entry in metrics.CATALOGUE if entry not in wanted]
        elif key in metrics.CATALOGUE:
            wanted += [key] if key not in wanted else []
        else:
            raise UsageError(
                f"no metric is called '{name}'; there are {', '.join(metrics.CATALOGUE)}"
            )
    return tuple(wanted)


#: Short names that papers use for the same metrics.
ALIASES = {
    "auc_j": "auc_judd",
    "auc_b": "auc_borji",
    "sauc": "auc_shuffled",
    "s_auc": "auc_shuffled",
    "ig": "info_gain",
    "kld": "kl",
    "kl_div": "kl",
    "similarity": "sim",
    "pcc": "cc",
}


def available(gaze: Gaze) -> set[str]:
    """What a gaze can give: of "fixations", "density", "other", "baseline"."""
    if gaze.points is not None:
        return {"fixations", "density", "other", "baseline"}
    return {"density"} if gaze.density is not None else set()


def missing_inputs(names: Iterable[str], has: set[str]) -> dict[str, str]:
    """Metrics that cannot be computed from what the ground truth has, with the reason."""
    return {
        name: f"needs {' and '.join(need)}"
        for name in names
        if (need := [n for n in metrics.CATALOGUE[name].inputs if n not in has])
    }
