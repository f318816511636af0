"""What a worker is given for one submission, and what it gives back: plain data, whole in itself, for any machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tutor.grading.submission import Remark

Sandbox = Literal["bubblewrap", "none"]
NOT_CHECKED = "Not checked: "  # what the reason for an answer that couldn't be checked begins with
CellVerdict = Literal["passed", "partly right", "not right yet", "not attempted", "not run"]


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    cell_seconds: for one cell, or one check's hidden or visible half. seconds: for everything together. memory_mb: of all its
    processes together, files in its working folder included. processes: at a time, threads included. disk_mb: of its
    working folder. output_kb: kept of what one cell shows.
    """

    cell_seconds: float = 60.0
    seconds: float = 600.0
    memory_mb: int = 2_000
    processes: int = 64
    disk_mb: int = 100
    output_kb: int = 1_000


@dataclass(frozen=True)
class Job:
    """One submission to run.

    notebook: what ``rebuild`` makes, as nbformat's JSON text, with the hidden tests and without solutions. seed: of the
    hidden inputs, the same for a whole class. whole: run the chapter's own demonstrations too, of which otherwise only what an
    answer or a check needs is run.
    """

    chapter: str
    student: str
    notebook: str
    seed: int = 0
    limits: Limits = field(default_factory=Limits)
    sandbox: Sandbox = "bubblewrap"
    whole: bool = False


@dataclass(frozen=True)
class CellResult:
    """What one automatically graded cell earned.

    points: of ``worth``. diagnoses: the ids of the misconceptions and general faults found. why: one sentence for the
    instructor where no check gave the points: the cell never ran, the answer ended the kernel.
    """

    grade_id: str
    exercise: str
    points: float
    worth: float
    verdict: CellVerdict
    diagnoses: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Graded:
    """A submission that has been run and judged.

    notebook: nbformat's JSON text, executed; the outputs of graded cells are the verdict's own, from which nbgrader would
    read the same points. remarks: those of the intake first. seconds: what it took the worker.
    """

    chapter: str
    student: str
    cells: Sequence[CellResult]
    notebook: str
    remarks: tuple[Remark, ...] = ()
    seconds: float = 0.0

    @property
    def points(self) -> float:
        """All points that its checks earned; what people grade by hand isn't among them."""
        return sum(cell.points for cell in self.cells)
