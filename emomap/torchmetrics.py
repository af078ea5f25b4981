"""The metrics as `torchmetrics.Metric` classes, for training loops (Lightning and others)::

    from emomap.torchmetrics import CC, NSS, AUCJudd

    metric = NSS().to(device)
    metric.update(maps, fixations)      # (B, H, W) or (B, 1, H, W), any number of batches
    metric.compute()                    # mean over images, over all processes

    several = MetricCollection([CC(), NSS(), AUCJudd()])        # of torchmetrics
    several.update(maps, fixations=fixations, density=density)  # each takes what it needs

Values are those of ``metrics.evaluate``: the same functions compute them, image by image. Needs the
extra "torchmetrics".
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from emomap import metrics


class MapMetric(Metric):
    """Mean of one metric of the catalogue over images.

    Args:
        convention: "mit" or "tuebingen", as for ``metrics.evaluate``.
        empty: what to do with an image that has no gaze (no fixation, a density without mass):
            "error", or "skip" to leave it out of the mean; `skipped` counts those.
        **options: further arguments of the metric's function (``downsize=16`` of EMD), and those of
            ``torchmetrics.Metric``.

    `update` takes the maps and what the metric compares them with, each (B, H, W) or (B, 1, H, W):
    fixation counts for the AUCs and NSS, densities for CC, SIM, KL, EMD; shuffled AUC takes a
    third, the fixations on other images, information gain the baseline density. They are given in
    this order, or by the names that ``metrics.evaluate`` has for them; names that the metric does
    not need are ignored, so that one call updates a ``torchmetrics.MetricCollection``. ``mask``, of
    the same shape or (H, W), is True where a pixel is left out, as for ``metrics.evaluate``.
    """

    #: Name in the catalogue.
    name: ClassVar[str]
    is_differentiable = False
    higher_is_better: bool | None = None
    full_state_update = False
    #: Sum over the images, how many there were, and how many without gaze were left out.
    total: Tensor
    count: Tensor
    skipped: Tensor

    def __init__(
        self, convention: str = "mit", empty: Literal["error", "skip"] = "error", **options: Any
    ) -> None:
        own = {key: options.pop(key) for key in list(options) if key in _OPTIONS.get(self.name, ())}
        super().__init__(**options)
        if convention not in metrics.CATALOGUE[self.name].conventions:
            known = ", ".join(metrics.CATALOGUE[self.name].conventions)
            raise ValueError(f"convention is {convention!r}; {self.name} has {known}")
        if empty not in ("error", "skip"):
            raise ValueError(f'empty is {empty!r}; it is "error" or "skip"')
        self.convention = convention
        self.empty = empty
        self.options = own
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("skipped", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        # A MetricCollection takes metrics for one whose states have the same names and, after the
        # first batch, the same values: CC and SIM of perfect maps. This name tells them apart.
        choices = [self.name, convention, empty, *(f"{k}{v}" for k, v in sorted(own.items()))]
        self.add_state("_".join(["of", *choices]), torch.zeros(()), dist_reduce_fx="sum")

    @property
    def signature(self) -> str:
        """The short string that names every choice behind the value."""
        return metrics.signature(self.name, convention=self.convention, **self.options)

    def update(
        self, maps: Tensor, *truths: Tensor, mask: Tensor | None = None, **named_truths: Tensor
    ) -> None:
        """Add a batch.

        Raises:
            ValueError: shapes that do not fit, a name that no metric has, or what the metric
                refuses (NaN; no fixation, unless ``empty`` is "skip").
        """
        needed = metrics.CATALOGUE[self.name].inputs
        unknown = named_truths.keys() - _NAMES
        if unknown:
            raise ValueError(f"{min(unknown)}: the names are {', '.join(sorted(_NAMES))}")
        truths = (*truths, *(named_truths[k] for k in needed[len(truths) :] if k in named_truths))
        if len(truths) != len(needed):
            raise ValueError(f"{self.name} takes maps and {', '.join(needed)}")
        named = zip((maps, *truths), ("maps", *needed), strict=True)
        given = [_batch(values, name) for values, name in named]
        if len({values.shape for values in given}) != 1:
            shown = ", ".join(str(tuple(values.shape)) for values in given)
            raise ValueError(f"maps and {', '.join(needed)} differ in shape: {shown}")
        ignored = None if mask is None else _ignored(mask, given[0])
        if self.empty == "skip":
            seen = given[1:] if ignored is None else [t * ~ignored for t in given[1:]]
            with_gaze = torch.stack([t.sum(dim=(1, 2)) != 0 for t in seen]).all(dim=0)
            self.skipped = self.skipped + (~with_gaze).sum().to(self.skipped.device)
            given = [values[with_gaze] for values in given]
            ignored = None if ignored is None else ignored[with_gaze]
            if not len(given[0]):
                return
        against: dict[str, Any] = dict(zip(needed, given[1:], strict=True))
        values = metrics.evaluate(
            given[0],
            **against,
            metrics=(self.name,),
            convention=self.convention,
            options={self.name: self.options} if self.options else None,
            mask=ignored,
        )[self.name]
        found = torch.as_tensor(values, dtype=torch.float64, device=self.total.device)
        self.total = self.total + found.sum()
        self.count = self.count + len(given[0])

    def compute(self) -> Tensor:
        """Mean over all images.

        Raises:
            ValueError: no image was added.
        """
        if int(self.count) == 0:
            why = "no image had gaze" if int(self.skipped) else "update was never called"
            raise ValueError(f"{self.name}: nothing to average, {why}")
        return self.total / self.count


#: Arguments of a metric's function that the classes hand on.
_OPTIONS = {"emd": ("downsize",)}
#: What metrics compare maps with.
_NAMES = frozenset(name for entry in metrics.CATALOGUE.values() for name in entry.inputs)


def _batch(values: Tensor, name: str) -> Tensor:
    """(B, H, W), from that or (B, 1, H, W), without gradient."""
    if values.ndim == 4 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 3:
        raise ValueError(f"{name} is {tuple(values.shape)}; it must be (B, H, W) or (B, 1, H, W)")
    return values.detach()


def _ignored(mask: Tensor, maps: Tensor) -> Tensor:
    """A mask as (B, H, W) of bool, beside the maps."""
    if mask.ndim == 4 and mask.shape[1] == 1:
        mask = mask[:, 0]
    if mask.shape not in (maps.shape, maps.shape[1:], (1, *maps.shape[1:])):
        raise ValueError(
            f"mask is {tuple(mask.shape)}; for maps {tuple(maps.shape)} it must be of that shape, "
            "(B, 1, H, W) or (H, W)"
        )
    if mask.dtype != torch.bool and not torch.isin(mask, torch.tensor([0, 1]).to(mask)).all():
        raise ValueError("mask must hold True where a pixel is left out and False elsewhere")
    return mask.detach().to(maps.device).bool().expand(maps.shape)


def _class(class_name: str, name: str) -> type[MapMetric]:
    entry = metrics.CATALOGUE[name]
    scope = {
        "name": name,
        "higher_is_better": entry.higher_is_better,
        "__doc__": f"{entry.long_name} ({entry.reference}), mean over images; see `MapMetric`.",
        "__module__": __name__,
    }
    return type(class_name, (MapMetric,), scope)


AUCJudd = _class("AUCJudd", "auc_judd")
AUCBorji = _class("AUCBorji", "auc_borji")
AUCShuffled = _class("AUCShuffled", "auc_shuffled")
AUC = _class("AUC", "auc")
NSS = _class("NSS", "nss")
InformationGain = _class("InformationGain", "info_gain")
CC = _class("CC", "cc")
SIM = _class("SIM", "sim")
KL = _class("KL", "kl")
EMD = _class("EMD", "emd")
JS = _class("JS", "js")
MAE = _class("MAE", "mae")
Spearman = _class("Spearman", "spearman")
IoU = _class("IoU", "iou")
Dice = _class("Dice", "dice")
PointingGame = _class("PointingGame", "pointing_game")

__all__ = [
    "AUC",
    "CC",
    "EMD",
    "JS",
    "KL",
    "MAE",
    "NSS",
    "SIM",
    "AUCBorji",
    "AUCJudd",
    "AUCShuffled",
    "Dice",
    "InformationGain",
    "IoU",
    "MapMetric",
    "PointingGame",
    "Spearman",
]
