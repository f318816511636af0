"""What became of each submission of a class, as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tutor.grading.job import CellResult
from tutor.grading.submission import Remark
from tutor.grading.submitted import Skipped

State = Literal["graded", "refused", "not graded", "not recorded"]


@dataclass(frozen=True)
class Entry:
    """One submission.

    state: ``refused`` by the intake, ``not graded`` where an error or a lost process kept it from being run; both are
    recorded with 0 points. ``not recorded``: graded, and not in the gradebook. kept: from an earlier run. seconds: that
    grading took.
    """

    student: str
    chapter: str
    state: State
    cells: tuple[CellResult, ...]
    remarks: tuple[Remark, ...]
    handed_in: str | None = None
    seconds: float = 0.0
    kept: bool = False

    @property
    def points(self) -> float:
        """What its checks earned."""
        return sum(cell.points for cell in self.cells)

    @property
    def worth(self) -> float:
        """What they could have earned."""
        return sum(cell.worth for cell in self.cells)

    @property
    def ran(self) -> bool:
        """Tell whether its checks were made, recorded or not."""
        return self.state in ("graded", "not recorded")

    @property
    def untouched(self) -> bool:
        """Tell whether nothing was written for any check."""
        return all(cell.verdict == "not attempted" for cell in self.cells)

    @property
    def whole(self) -> bool:
        """Tell whether it was run and recorded."""
        return self.state == "graded"


@dataclass(frozen=True)
class ByHand:
    """A cell that people grade, and how many learners' answers in it still wait for that."""

    chapter: str
    cell: str
    points: float
    learners: int


@dataclass
class ClassReport:
    """A class, after a run.

    by_hand: what waits for a grader in formgrader. left: how many submissions an interruption left for the next run.
    seconds: of the whole run; recording_seconds: of that, what the gradebook and the graded folders took. stopped: the
    sentence that says why nothing more could be graded, or "".
    """

    entries: list[Entry] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    by_hand: list[ByHand] = field(default_factory=list)
    left: int = 0
    interrupted: bool = False
    stopped: str = ""
    seconds: float = 0.0
    recording_seconds: float = 0.0

    @property
    def whole(self) -> bool:
        """Tell whether everything that was handed in is graded and recorded."""
        return not (self.left or self.skipped or self.stopped) and all(entry.whole for entry in self.entries)


def as_json(report: ClassReport, exercises: Sequence[Any]) -> str:
    """Return all of a report as JSON text; exercises: the rows of ``tables.missed``."""
    return json.dumps(
        {
            "submissions": [
                {"points": entry.points, "worth": entry.worth, **asdict(entry)}
                for entry in sorted(report.entries, key=lambda entry: (entry.chapter, entry.student))
            ],
            "exercises": [asdict(row) for row in exercises],
            "by_hand": [asdict(each) for each in report.by_hand],
            "skipped": [asdict(skipped) for skipped in report.skipped],
            "left": report.left,
            "interrupted": report.interrupted,
            "stopped": report.stopped,
            "seconds": round(report.seconds, 3),
            "recording_seconds": round(report.recording_seconds, 3),
        },
        indent=2,
        ensure_ascii=False,
    )
