"""What `emomap.bench` returns: the finished run as tables, a data frame or LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emomap.analysis import controls, ranking
from emomap.experiment import summary as last_stage
from emomap.experiment.plan import Plan
from emomap.experiment.summary import Findings
from emomap.runs.checksum import recorded
from emomap.runs.folder import Run
from emomap.scoring.protocol import Protocol
from emomap.scoring.rows import Row
from emomap.tables import Table, html, load_pandas


@dataclass(frozen=True, repr=False)
class Bench:
    """A finished benchmark. It prints as its tables.

    The attributes of the plan are its attributes, too: ``run.dataset`` is ``run.plan.dataset``.

    Attributes:
        plan: what was done.
        folder: the run folder.
        summary: what `summary.json` holds.
        failed: one line for each picture that some method could not do.
        rows: row name -> rows of values.
        incomplete: a line for each method and reason for which maps lack metrics.
    """

    plan: Plan
    folder: Run
    summary: dict[str, Any]
    failed: list[str]
    rows: Mapping[str, Sequence[Row]]
    incomplete: Sequence[str] = ()

    def __getattr__(self, name: str) -> Any:
        """An attribute of the plan."""
        if name == "plan" or name.startswith("_"):  # a copy in the making has no plan yet
            raise AttributeError(name)
        return getattr(self.plan, name)

    def tables(self, *, intervals: bool = True) -> list[Table]:
        """The ranked table, the controls of each network, the confusion matrices."""
        return last_stage.tables(self.summary, intervals=intervals)

    def controls(self) -> list[Table]:
        """The controls of each network, if they were made."""
        return controls.tables(self.summary)

    def confusions(self) -> list[Table]:
        """The confusion matrix of each classifier."""
        return ranking.confusion_tables(self.summary)

    def to_pandas(self) -> Any:
        """All rows as a data frame (needs pandas)."""
        return load_pandas().DataFrame(
            [row.record() for rows in self.rows.values() for row in rows]
        )

    def to_latex(self) -> str:
        """The ranked table for a paper."""
        return self.tables(intervals=False)[0].render("latex")

    def __repr__(self) -> str:
        """The tables, for a session."""
        return "\n".join(table.render("table") for table in self.tables()).rstrip()

    def _repr_html_(self) -> str:
        """The tables, for Jupyter."""
        return "".join(html(table) for table in self.tables())


def conclude(plan: Plan, folder: Run, protocol: Protocol, found: Findings) -> Bench:
    """Summarise what was found, write it into the run folder, and return the result.

    Raises:
        EmomapError: no method has a result.
    """
    summary = last_stage.summarise(plan, protocol, found)
    if checksums := recorded(folder, summary["methods"], found.unknown):
        summary["checksums"] = checksums
    last_stage.write(plan, folder, summary)
    return Bench(plan, folder, summary, found.failed, found.rows, found.incomplete)
