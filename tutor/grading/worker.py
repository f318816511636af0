"""Grade one submission: run its cells in the sandbox, judge its answers here, and write down both."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode

from tutor.checking.edited import defines
from tutor.checking.limiting import TooSlow
from tutor.course.source import GradedCheck, grade_id, graded_checks, nbgrader_metadata
from tutor.grading.job import Graded, Job
from tutor.grading.own_work import disagreements
from tutor.grading.rebuild import OWN
from tutor.grading.remote import Cells, Lost, NoAnswer
from tutor.grading.slicing import definitions, names, needed
from tutor.grading.submission import Remark, quoted
from tutor.grading.verdict import Verdict, failed, formed, judge, nothing

if TYPE_CHECKING:
    from tutor.grading.den import Den

RESTARTS = 8  # processes of one submission that may end
ROOM = 1_000  # characters to a kB


@dataclass
class Step:
    """One code cell: what is run, or which check is made.

    text: what is left of it to run; a cell that ended its process is run without anything but its definitions the next time, and
    then not at all.
    """

    cell: NotebookNode
    check: GradedCheck | None
    learners: bool
    chosen: bool
    text: str
    tries: int = 0

    def blame(self) -> None:
        """Run less of it the next time."""
        self.tries += 1
        self.text = definitions(self.text) if self.tries == 1 and self.learners else ""


def grade(job: Job, den: Den) -> Graded:
    """Run and judge one submission. Nothing that is in it is raised; SandboxError where there is no sandbox to be had."""
    began = time.perf_counter()
    graded, missed = _grade(job, den)
    if missed and not job.whole:
        # A name was missing: perhaps one that a cell makes which wasn't run.
        graded, _ = _grade(replace(job, whole=True), den)
    return replace(graded, seconds=time.perf_counter() - began)


def _grade(job: Job, den: Den) -> tuple[Graded, bool]:
    notebook: NotebookNode = nbformat.v4.reads(job.notebook)  # validated when it was made
    run = _Submission(job, den, notebook)
    run.go()
    remarks = [*run.remarks, *disagreements(notebook, run.verdicts)]
    results = [verdict.result for verdict in run.verdicts.values()]
    graded = Graded(job.chapter, job.student, results, json.dumps(notebook), tuple(remarks))
    return graded, run.missed


class _Submission:
    """One submission on its way through the sandbox."""

    def __init__(self, job: Job, den: Den, notebook: NotebookNode) -> None:
        self.job, self.den = job, den
        self.steps = _steps(notebook, whole=job.whole)
        self.verdicts: dict[str, Verdict] = {}
        self.remarks: list[Remark] = []
        self.missed = False  # a name that a cell makes which isn't run
        self._skipped = set().union(*(names(step.text).binds for step in self.steps if not (step.chosen or step.check)))
        self._deadline = time.monotonic() + job.limits.seconds
        self._at = 0

    def go(self) -> None:
        """Take every step; where the process ends, begin anew without what ended it, and go on from there."""
        lost = ""
        for _ in range(RESTARTS):
            left = self._deadline - time.monotonic()
            if left <= 0:
                lost = f"the submission took longer than {self.job.limits.seconds:g} s in all"
                break
            try:
                with self.den.run(replace(self.job.limits, seconds=left)) as run:
                    room = self.job.limits.output_kb * ROOM
                    self._through(Cells(run, self.job.limits.cell_seconds, room))
                return
            except Lost as error:
                lost = str(error)
        else:
            lost = f"its process ended {RESTARTS} times; the last time {lost}"
        for step in self.steps[self._at :]:
            if step.check:
                self._note(step, nothing(step.check, f"{lost}."))
        self._remark(f"not everything was run: {lost}")

    def _through(self, cells: Cells) -> None:
        for step in self.steps[: self._at]:
            if step.chosen and not step.check and step.text:
                with self._blaming(step):
                    cells.cell(step.text)
        while self._at < len(self.steps):
            step = self.steps[self._at]
            if step.check:
                self._check(step, cells)
            elif step.chosen and step.text:
                with self._blaming(step):
                    # After what is told of an earlier try, if there was one.
                    step.cell.outputs = [*step.cell.outputs, *formed(cells.cell(step.text))]
                self._notice(step.cell.outputs)
                if any(output.get("ename") == TooSlow.__name__ for output in step.cell.outputs):
                    seconds = f"{self.job.limits.cell_seconds:g} s"
                    self._remark(f"the cell {_name(step.cell)} was stopped after {seconds}", grade_id(step.cell))
            self._at += 1

    @contextlib.contextmanager
    def _blaming(self, step: Step) -> Iterator[None]:
        """Blame a cell for the end of the process while it ran, and tell of it in its outputs."""
        try:
            yield
        except Lost as error:
            step.blame()
            step.cell.outputs = formed([failed("Ended", f"This cell ended its process: {error}.")])
            self._remark(f"the cell {_name(step.cell)} ended the process that it ran in: {error}", grade_id(step.cell))
            raise

    def _check(self, step: Step, cells: Cells) -> None:
        check = step.check
        assert check is not None
        try:
            verdict = judge(check, cells.answer(check.exercise, self.job.limits.cell_seconds), self.job.seed)
        except NoAnswer as error:
            verdict = nothing(check, self._broken(check.exercise) or str(error))
            self.missed = self.missed or check.exercise in self._skipped
        except Lost as error:
            self._note(step, nothing(check, f"when {check.exercise} was called, {error}."))
            self._remark(f"calling {check.exercise} ended the process: {error}", check.grade_id)
            self._at += 1
            raise
        except Exception as error:  # what a hostile process sends may break a comparison in ways nobody thought of
            why = f"what {check.exercise} gave can't be compared ({type(error).__name__}: {str(error)[:200]})"
            verdict = nothing(check, f"{why}.")
            self._remark(why, check.grade_id)
        self._note(step, verdict)
        self._notice(verdict.outputs)

    def _broken(self, exercise: str) -> str:
        """Say what stopped the cell that was to make an answer; "" where none did."""
        for step in self.steps[: self._at]:
            errors = [output for output in step.cell.get("outputs", []) if output.output_type == "error"]
            if step.learners and errors and defines(step.cell.source, exercise):
                said = re.sub(r" \([^()]*, line (\d+)\)$", r" (line \1)", errors[0].evalue)
                return f"the cell of {exercise} doesn't run: {quoted(f'{errors[0].ename}: {said}', 200)}"
        return ""

    def _note(self, step: Step, verdict: Verdict) -> None:
        assert step.check is not None
        self.verdicts[step.check.grade_id] = verdict
        step.cell.outputs = formed(verdict.outputs)

    def _notice(self, outputs: Sequence[Any]) -> None:
        for output in outputs:
            said = " ".join(
                (output.get("ename", ""), output.get("evalue", ""), output.get("data", {}).get("text/plain", ""))
            )
            if "NameError" in said or "KeyError" in said:
                self.missed = self.missed or bool(self._skipped & set(re.findall(r"'(\w+)'", said)))

    def _remark(self, said: str, about: str = "") -> None:
        remark = Remark("ended", said, about)
        if remark not in self.remarks:
            self.remarks.append(remark)


def texts(job: Job) -> list[str]:
    """Return the text of all that is run or checked of a submission, in order."""
    steps = _steps(nbformat.v4.reads(job.notebook), whole=job.whole)
    return [step.cell.source for step in steps if step.chosen or step.check]


def _steps(notebook: NotebookNode, *, whole: bool) -> list[Step]:
    checks = {check.grade_id: check for check in graded_checks(notebook)}
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        check = checks.get(grade_id(cell))
        learners = bool(nbgrader_metadata(cell).get("solution")) or cell.id.startswith(OWN)
        found.append(Step(cell, check, learners, True, "" if check else cell.source))
    if not whole:
        wanted = {check.exercise for check in checks.values()}
        chosen = needed([(step.text, step.learners) for step in found], wanted)
        for step, is_chosen in zip(found, chosen, strict=True):
            step.chosen = is_chosen
    return found


def _name(cell: NotebookNode) -> str:
    """Return what a cell is called in a sentence."""
    return grade_id(cell) or str(cell.id)
