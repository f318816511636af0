"""Fill in a submission's scores and comments as ``nbgrader autograde`` does, and leave alone what people gave."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import BaseCell, Comment, Grade, GradeCell, SubmittedAssignment, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution
from sqlalchemy import func
from traitlets.config import Config

from tutor.grading.job import CellResult
from tutor.grading.record.errors import Refused
from tutor.grading.record.gradebook import OneTransaction
from tutor.grading.submission import Remark

NO_RESPONSE = "No response."
ROUNDED = 0.01  # points that the text of an output and the number behind it may differ by

Answers = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Filled:
    """What was written: automatic points and the answers' identities by grade id, and what to tell the instructor."""

    scores: dict[str, float | None]
    answers: dict[str, tuple[str, str]]
    remarks: list[Remark]


def read_scores(notebook: NotebookNode, cells: Sequence[CellResult]) -> dict[str, float | None]:
    """Return the points that nbgrader reads from each graded cell; None where people give them.

    cells: the verdict on each automatically graded cell, which must be the same.

    Raises Refused when they differ: a cell that was never run looks to nbgrader as one that passed.
    """
    verdicts = {cell.grade_id: cell.points for cell in cells}
    scores: dict[str, float | None] = {}
    for cell in filter(is_grade, notebook.cells):
        name = cell.metadata.nbgrader["grade_id"]
        try:
            scores[name], _ = determine_grade(cell)
        except (ValueError, KeyError) as error:
            raise Refused(f"nbgrader can't read the points of {name}: {error}") from error
        automatic = cell.cell_type == "code" and not is_solution(cell)
        given = scores[name] or 0.0
        if automatic and (name not in verdicts or abs(verdicts[name] - given) > ROUNDED):
            raise Refused(f"{name}: nbgrader would give {given:g}, the verdict is {verdicts.get(name, 'missing')}")
    return scores


def identities(notebook: NotebookNode) -> dict[str, str]:
    """Return, by grade id, what changes when the learner's answer to that graded cell does.

    For a written answer it is its text; for a test, all code since the test before that some answer came with.
    """
    found: dict[str, str] = {}
    code: list[str] = []
    tested = False
    for cell in notebook.cells:
        if is_grade(cell):
            texts = [cell.source] if is_solution(cell) else code
            found[cell.metadata.nbgrader["grade_id"]] = hashlib.sha256("\0".join(texts).encode()).hexdigest()
            tested = True
        elif cell.cell_type == "code":
            if tested and is_solution(cell):
                code, tested = [], False
            code.append(cell.source)
    return found


def fill(
    gradebook: OneTransaction,
    chapter: str,
    student: str,
    notebook: NotebookNode,
    scores: Mapping[str, float | None],
    handed_in: datetime | None,
    before: Answers,
    late: AssignLatePenalties,
) -> Filled:
    """Write all that is automatic about one submission, over what was there.

    notebook: executed. scores: as ``read_scores``. handed_in: in UTC, without a time zone. before: the answers when the
    submission was recorded last. late: with the course's plugin.

    Raises Refused when the notebook has a graded cell that the gradebook doesn't know.
    """
    gradebook.update_or_create_student(student)
    with gradebook.db.no_autoflush:  # nbgrader's way of making one warns otherwise
        submission = gradebook.update_or_create_submission(chapter, student, timestamp=handed_in)
    submitted = gradebook.find_submission_notebook(chapter, chapter, student)
    now = identities(notebook)
    filled = Filled({}, {}, [])
    for grade, name in _rows(gradebook, Grade, submitted):
        # A cell that is no longer in the notebook earns nothing: what it earned once would stay for ever.
        automatic = scores.get(name, 0.0)
        by_hand = grade.manual_score is not None or bool(grade.extra_credit)
        current = now.get(name, "")
        seen = _seen(before.get(name), grade.needs_manual_grade) if by_hand else current
        if by_hand and seen != current:
            filled.remarks.append(_changed(name, grade, automatic, known=bool(seen)))
        # nbgrader's own rule, and one for extra credit, which nobody would look at again otherwise.
        grade.needs_manual_grade = grade.manual_score is not None or automatic is None or (by_hand and seen != current)
        grade.auto_score = automatic
        filled.scores[name] = automatic
        filled.answers[name] = (current, seen)
    unknown = scores.keys() - filled.scores.keys()
    if unknown:
        raise Refused(f"the gradebook has no {min(unknown)} in {chapter}: nbgrader generate_assignment puts it there")
    _comment(gradebook, submitted, notebook)
    _penalize(gradebook, submission, submitted, student, late)
    if submission.total_seconds_late > 0:
        filled.remarks.append(_late(submission.total_seconds_late, submitted.late_submission_penalty))
    return filled


def _late(seconds: float, penalty: float | None) -> Remark:
    """Say how late a submission came, and what that cost."""
    minutes = max(1, round(seconds / 60))
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = [f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours) + [f"{minutes % 60} min"] * (not days)
    cost = f"; {penalty:g} points off" if penalty else ""
    return Remark("late", f"handed in {' '.join(parts)} after the due date{cost}")


def _seen(before: tuple[str, str] | None, waiting: bool) -> str:
    """Return the answer that somebody looked at last, ``""`` for nobody knows.

    waiting: whether what was recorded last is still to be looked at.
    """
    if before is None:
        return ""
    recorded, seen = before
    return seen if waiting else recorded


def _changed(name: str, grade: Any, automatic: float | None, *, known: bool) -> Remark:
    """Say that people gave points for another answer than the one recorded now, or may have."""
    points = [] if grade.manual_score is None else [f"the score {grade.manual_score:g}"]
    points += [f"the extra credit {grade.extra_credit:g}"] if grade.extra_credit else []
    tests = "" if automatic is None else f" (its test gives {automatic:g} now)"
    why = "the answer has changed since" if known else "it isn't known for which answer"
    said = f"{name}: {' and '.join(points)} given by hand stayed, but {why}{tests}: look at it again"
    return Remark("graded-by-hand", said, name)


def _comment(gradebook: OneTransaction, submitted: SubmittedNotebook, notebook: NotebookNode) -> None:
    """Say of each answer that is as released that it is none."""
    answers = {cell.metadata.nbgrader["grade_id"]: cell for cell in notebook.cells if is_solution(cell)}
    for comment, name in _rows(gradebook, Comment, submitted):
        cell = answers.get(name)
        same = cell is not None and cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)
        comment.auto_comment = NO_RESPONSE if same else None


def _penalize(
    gradebook: OneTransaction,
    submission: SubmittedAssignment,
    submitted: SubmittedNotebook,
    student: str,
    late: AssignLatePenalties,
) -> None:
    """Take off what the course's plugin takes off for being late: between nothing and all points."""
    if not late.enabled:
        return
    submitted.late_submission_penalty = None
    seconds = submission.total_seconds_late
    if seconds > 0:
        gradebook.db.flush()
        gradebook.db.refresh(submitted, ["score"])
        penalty = late.plugin_inst.late_submission_penalty(student, submitted.score, seconds)
        if penalty is not None:
            submitted.late_submission_penalty = 0 if penalty < 0 else min(penalty, submitted.score)


def late_penalties(config: Config) -> AssignLatePenalties:
    """Return nbgrader's step for late submissions, with the course's plugin."""
    late = AssignLatePenalties(config=config)
    late.init_plugin()
    return late


def _rows(gradebook: OneTransaction, kind: type[Any], submitted: SubmittedNotebook) -> list[Any]:
    """Return a submitted notebook's grades or comments, each with the name of its cell."""
    rows = gradebook.db.query(kind, BaseCell.name).join(BaseCell, BaseCell.id == kind.cell_id)
    return list(rows.filter(kind.notebook_id == submitted.id))


def recorded_scores(gradebook: OneTransaction, chapter: str, student: str) -> dict[str, float | None] | None:
    """Return the automatic points that the gradebook has now, by grade id; None when it has no such submission."""
    submitted = gradebook.db.query(SubmittedNotebook).join(SubmittedNotebook.assignment)
    found = submitted.filter(
        SubmittedAssignment.student_id == student, SubmittedAssignment.assignment.has(name=chapter)
    ).first()
    return {name: grade.auto_score for grade, name in _rows(gradebook, Grade, found)} if found else None


def waiting(gradebook: OneTransaction, chapter: str) -> list[tuple[str, float, int]]:
    """Return a chapter's cells with answers that people have yet to grade: name, points, and how many answers."""
    rows = gradebook.db.query(GradeCell.name, GradeCell.max_score, func.count()).select_from(Grade)
    rows = rows.join(GradeCell, GradeCell.id == Grade.cell_id)
    rows = rows.join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id).join(SubmittedNotebook.assignment)
    rows = rows.filter(SubmittedAssignment.assignment.has(name=chapter), Grade.needs_manual_grade.is_(True))
    return [tuple(row) for row in rows.group_by(GradeCell.name, GradeCell.max_score).order_by(GradeCell.name)]
