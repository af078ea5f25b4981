"""`bench --sanity`: check the networks of a finished run, see `emomap.sanity.check`."""

from __future__ import annotations

import json
from typing import Any

from emomap import io
from emomap.experiment.learn import learned
from emomap.experiment.result import Bench
from emomap.sanity.check import check
from emomap.scoring.protocol import Protocol
from emomap.tables import Table


def check_networks(run: Bench) -> list[Table]:
    """Check every network of a run that makes maps; `sanity.json` in the run folder keeps it."""
    plan = run.plan
    protocol = Protocol(metrics=("cc", "nss"), sigma=plan.dataset.sigma, stretch=True)
    samples = plan.gazed(plan.split)
    found: dict[str, Any] = {}
    tables: list[Table] = []
    for name, contender in plan.trainable.items():
        if contender.cls.gives_map:
            network: Any = learned(plan, run.folder, contender)
            checked = check(network, samples, protocol, name=name, seed=plan.seed, show=plan.show)
            found[name] = checked.to_dict()
            tables += checked.tables()
    io.write_text(run.folder.folder / "sanity.json", json.dumps(found, indent=1) + "\n")
    return tables
