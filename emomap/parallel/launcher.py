"""What a launcher of distributed training (torchrun, `fabric run`, srun) says about processes."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Launched:
    """The processes that a launcher has started for one training.

    Attributes:
        rank: which of the processes this one is, from 0.
        processes: how many there are.
        machines: how many machines they run on.
    """

    rank: int = 0
    processes: int = 1
    machines: int = 1


def launched() -> Launched:
    """What torchrun, `fabric run` or srun say; without them, one process on one machine."""
    value = os.environ
    if "WORLD_SIZE" in value:  # set by torchrun, which `fabric run` uses, too
        processes = int(value["WORLD_SIZE"])
        machines = processes // int(value.get("LOCAL_WORLD_SIZE", processes))
        return Launched(int(value.get("RANK", 0)), processes, machines)
    if "SLURM_STEP_NUM_TASKS" in value:  # set by srun; a batch script alone has only SLURM_NTASKS
        processes = int(value["SLURM_STEP_NUM_TASKS"])
        machines = int(value.get("SLURM_STEP_NUM_NODES", 1))
        return Launched(int(value.get("SLURM_PROCID", 0)), processes, machines)
    return Launched()
