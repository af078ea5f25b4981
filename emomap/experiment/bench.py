"""`bench`: train, predict, score, rank. It runs the stages in order; each is a module of its own.

Everything that a stage makes is in the run folder, so an interrupted run resumes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emomap.analysis import ranking
from emomap.errors import UsageError
from emomap.experiment.choices import Choices
from emomap.experiment.learn import left_out
from emomap.experiment.maps import make_maps
from emomap.experiment.plan import Plan, make_plan
from emomap.experiment.result import Bench, conclude
from emomap.experiment.rows import fit_protocol, score_ceiling, score_limits, score_maps
from emomap.experiment.summary import Findings
from emomap.parallel import launched
from emomap.progress import say
from emomap.runs.checksum import refuse_edited

__all__ = ["Bench", "bench", "run"]


def bench(names: Sequence[str] = ("islamnet",), **choices: Any) -> Bench:
    """Train, extract, score and rank, as `emomap bench` does.

    Args:
        names: methods: of the registry, ``package.module:Name``, or ``NAME=FOLDER`` or
            ``NAME=FILE.zip`` of maps.
        **choices: the other attributes of `emomap.experiment.choices.Choices`.

    Returns:
        The finished run, with `Bench.summary`, `Bench.to_pandas` and `Bench.to_latex`.

    Raises:
        UsageError, EmomapError: as `make_plan` and `run`.
    """
    return run(make_plan(Choices(names, **choices)))


def run(plan: Plan) -> Bench:
    """Carry out a plan: do what is not done yet, and write summary and table.

    Raises:
        UsageError: a launcher has started several processes, which only a training can use; or the
            run folder holds another run.
        EmomapError: pictures, gaze or maps cannot be read, no method gave a result, or rows of a
            finished run were edited.
    """
    if launched().processes > 1:
        raise UsageError(
            "a launcher (torchrun, srun) has started several processes, which only `emomap train` "
            "can use; train with it, then run `emomap bench` without it on the same --out"
        )
    folder = plan.open()
    unknown = refuse_edited(folder)
    protocol, remarks = fit_protocol(plan)
    found = Findings(remarks=remarks, unknown=unknown)
    for index, contender in enumerate(plan.contenders, 1):
        if plan.show:
            say(f"[{index}/{len(plan.contenders)}] {contender.name}")
        made = make_maps(plan, folder, contender)
        found.fail(made.failed)
        if made.predictions:
            found.add_predictions(plan, contender.name, made.predictions)
        for name, maps in made.rows.items() if protocol.metrics else ():
            kind = made.kinds.get(name, "map")
            scored = score_maps(plan, folder, protocol, name, maps, kind)
            found.kinds[name] = kind
            found.add_rows(name, scored.rows, scored.failed or made.failed)
            if name in made.controls:
                found.control_of[name] = contender.name
    found.remarks += left_out(plan, folder)
    if protocol.metrics:
        ceiling = score_ceiling(plan, folder, protocol)
        found.add_rows(ranking.CEILING, ceiling.rows, ceiling.failed, method=False)
        found.limits, remarks = score_limits(plan, folder, protocol)
        found.remarks += remarks
    return conclude(plan, folder, protocol, found)
