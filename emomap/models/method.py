"""A model file as a method of `bench` and `predict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from emomap.errors import EmomapError, UsageError
from emomap.io.cache import local_file
from emomap.method import Image, Method, Prediction
from emomap.models.card import ModelCard, make_card
from emomap.models.model import Model, Slot, as_dtype, one_line, open_model
from emomap.models.pictures import to_map, to_tensor

#: Size of the blank picture on which a model that takes any size is tried.
TRIAL = (480, 640)


class ModelFile(Method):
    """A model that others made, run from its file as its card says.

    The options are the keys of the card, see `emomap.models.card.ModelCard`.

    Raises:
        ValueError: the card has an unknown key or an impossible value.
    """

    finishes: ClassVar[bool] = True
    slow: ClassVar[bool] = True
    spans_decades: ClassVar[bool] = True
    #: How to do without the download, for the message where it fails.
    remedy: ClassVar[str] = ""

    def __init__(
        self,
        *,
        file: str,
        input: Mapping[str, Any],
        output: Mapping[str, Any] | None = None,
        sha256: str = "",
        license: str = "",
        runtime: str = "",
        batch: int = 1,
        constants: Mapping[str, Any] | None = None,
    ) -> None:
        numbers = {
            "file": file,
            "input": dict(input),
            "output": dict(output or {}),
            "sha256": sha256,
            "license": license,
            "runtime": runtime,
            "batch": batch,
            "constants": dict(constants or {}),
        }
        try:
            self.card: ModelCard = make_card(numbers, "the card")
        except EmomapError as error:
            raise ValueError(str(error)) from error
        self.map_kind = self.card.output.kind
        self.at_once = self.card.batch
        self._model: Model | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the opened model: each process opens its own."""
        return {**self.__dict__, "_model": None}

    def check(self) -> None:
        """Fetch and open the file, and try a blank picture.

        Raises:
            UsageError: a runtime or a trust is missing; the card names a tensor that is not there.
            EmomapError: the file is missing, damaged or has another hash; the card says something
                else of inputs or output than the file.
        """
        height, width = self.card.input.shape or TRIAL
        blank = np.zeros((height, width, 3), np.uint8)
        self._run([blank], trial=True)

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """A map of each picture; see `emomap.models.pictures.to_map` for its size and values."""
        found: list[Prediction] = []
        for at in range(0, len(images), self.at_once):
            found += [
                Prediction(map=values) for values in self._run(images[at : at + self.at_once])
            ]
        return found

    def _run(self, images: Sequence[Image], *, trial: bool = False) -> list[NDArray[np.float32]]:
        card = self.card
        model = self._opened()
        pairs = [to_tensor(image, card.input) for image in images]
        tensors = [tensor for tensor, _ in pairs]
        # a model may be made for batches of one size, so the last one is filled up
        tensors += tensors[-1:] * (card.batch - len(tensors))
        batch = np.stack(tensors) if card.input.layout.startswith("N") else tensors[0]
        try:
            found = model.run(self._feeds(model, batch), card.output.name)
        except UsageError as error:
            raise UsageError(f"{card.file}: {error}") from error
        except Exception as error:  # whatever a runtime raises
            raise EmomapError(
                f"{card.file}: the model does not take {_sizes(batch.shape)}: {one_line(error)}"
            ) from error
        try:
            values = self._split(found, len(tensors))
            return [
                to_map(value, card.input.layout, card.output, box, (image.shape[0], image.shape[1]))
                for value, (_, box), image in zip(values, pairs, images, strict=False)
            ]
        except EmomapError as error:
            if trial and "NaN" in str(error):  # a blank picture may well have no map
                return []
            raise EmomapError(f"{card.file}: {error}") from error

    def _split(self, found: NDArray[Any], count: int) -> Sequence[NDArray[Any]]:
        """The output of each picture."""
        if not self.card.input.layout.startswith("N") or (count == 1 and found.ndim == 2):
            return [found]
        if found.ndim < 1 or len(found) != count:
            raise EmomapError(f"an output of {found.shape} is not one map for each of {count}")
        return list(found)

    def _opened(self) -> Model:
        """The model; opened and compared with the card when it is first needed."""
        if self._model is None:
            card = self.card
            file = local_file(card.file, sha256=card.sha256, remedy=self.remedy)
            model = open_model(file, card.engine, trust=self.trust, output=card.output.name)
            self._compare(model)
            self._model = model
        return self._model

    def _compare(self, model: Model) -> None:
        """Refuse a card that says something else of the inputs than the file.

        Raises:
            UsageError: no such input, or one that nothing is said of.
            EmomapError: another shape.
        """
        card = self.card
        slot = self._picture_slot(model)
        unknown = [name for name in card.constants if name not in {s.name for s in model.inputs}]
        if unknown:
            raise UsageError(f"{card.file}: constants: the model has no input '{unknown[0]}'")
        if slot.shape is None:
            return
        sizes: dict[str, int | None] = {"N": card.batch, "C": card.input.channels}
        sizes["H"], sizes["W"] = card.input.shape or (None, None)
        said = tuple(sizes[axis] for axis in card.input.layout)
        fits = len(said) == len(slot.shape) and all(
            theirs is None or ours == theirs for ours, theirs in zip(said, slot.shape, strict=True)
        )
        if not fits:
            words = ", ".join("any" if size is None else str(size) for size in said)
            raise EmomapError(
                f"{card.file}: the card says {card.input.layout} = ({words}), and the model takes "
                f"{slot}; change layout, size, colour or batch"
            )

    def _picture_slot(self, model: Model) -> Slot:
        """The input for the picture."""
        open_ones = [slot for slot in model.inputs if slot.name not in self.card.constants]
        name = self.card.input.name
        named = [slot for slot in open_ones if slot.name == name] if name else open_ones
        if len(named) == 1 and len(open_ones) == 1:
            return named[0]
        shown = "; ".join(map(str, model.inputs))
        if name and not named:
            raise UsageError(f"{self.card.file}: no input is called '{name}'; there are {shown}")
        raise UsageError(
            f"{self.card.file}: the model has the inputs {shown}; input.name must say which takes "
            "the picture, and constants what the others are"
        )

    def _feeds(self, model: Model, batch: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        slot = self._picture_slot(model)
        feeds = {slot.name: as_dtype(batch, slot.dtype)}
        for other in model.inputs:
            if other.name != slot.name:
                feeds[other.name] = _constant(self.card.constants[other.name], other, len(batch))
        return feeds


def _constant(value: float | int | str, slot: Slot, batch: int) -> NDArray[Any]:
    """An input with the same value everywhere; its open sizes are that of the batch, or 1."""
    if slot.dtype == "string":
        return np.array(str(value))
    shape = [1 if size is None else size for size in slot.shape or ()]
    if slot.shape and slot.shape[0] is None:
        shape[0] = batch
    return np.full(shape, value, dtype=slot.dtype)


def _sizes(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
