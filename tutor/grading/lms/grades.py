"""The points that go out: what nbgrader's gradebook holds of each submission, penalties taken off."""

from collections.abc import Sequence
from dataclasses import dataclass

from nbgrader.api import Gradebook

from tutor.grading.lms.errors import LmsError


@dataclass(frozen=True)
class Grades:
    """One assignment's points by student; only of those who handed in. waiting: whose cells people have yet to grade."""

    assignment: str
    worth: float
    points: dict[str, float]
    waiting: list[str]


def read_grades(gradebook: Gradebook, assignments: Sequence[str], students: Sequence[str]) -> list[Grades]:
    """Return the grades of these assignments (none named: of all that anybody handed in), of these students only.

    Raises LmsError for an assignment that isn't in the gradebook, and when there are no grades at all.
    """
    present = {each.name: each for each in gradebook.assignments}
    for name in assignments:
        if name not in present:
            raise LmsError(
                f"there is no assignment {name!r} in the gradebook, only {', '.join(sorted(present)) or 'none'}"
            )
    found = []
    for name in sorted(assignments or present):
        handed_in = [s for s in present[name].submissions if not students or s.student.id in students]
        points = {s.student.id: max(0.0, s.score - (s.late_submission_penalty or 0.0)) for s in handed_in}
        waiting = sorted(s.student.id for s in handed_in if s.needs_manual_grade)
        if points:
            found.append(Grades(name, present[name].max_score, points, waiting))
    if not found:
        raise LmsError("the gradebook has no grades for these yet: run tutor grade first")
    return found


def number(points: float) -> str:
    """Return points as an LMS reads them: with a full stop, two digits after it at most."""
    return f"{points:.2f}".rstrip("0").rstrip(".")
