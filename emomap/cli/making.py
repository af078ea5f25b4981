"""What commands that make maps outside a run share: a method with its weights, its explanations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emomap.errors import UsageError

if TYPE_CHECKING:
    from emomap.experiment.contender import MethodContender
    from emomap.method import Method


def ready(
    contender: MethodContender, method: Method, checkpoint: str | None, device: str
) -> Method:
    """The method with its weights."""
    from emomap.io.cache import local_file

    if checkpoint is not None:
        if not (contender.trainable or contender.own):
            raise UsageError(f"--checkpoint: {contender.name} has nothing to load")
        method.load(local_file(checkpoint), device=device)
    elif contender.trainable:
        raise UsageError(
            f"{contender.name} must be trained first: `emomap train --method {contender.name}`, "
            "then give its checkpoint with --checkpoint FILE"
        )
    method.check()
    return method


def makers(contender: MethodContender, method: Method) -> list[tuple[str, Method]]:
    """What makes maps, each with the kind of its explanation, "" without one."""
    if not contender.explain:
        return [("", method)]
    from emomap.explain.method import Explained

    found: list[tuple[str, Method]] = []
    for explanation in contender.explain:
        maker = Explained(method, explanation)  # type: ignore[arg-type]
        maker.check()
        found.append((explanation.kind, maker))
    return found
