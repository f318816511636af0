"""What is recorded for a submission that was never run: no points, and the reason in every check's place."""

import nbformat

from tutor.course.source import grade_id, graded_checks
from tutor.grading.job import CellResult, Graded, Job
from tutor.grading.submission import Remark


def unrun(job: Job, kind: str, why: str) -> Graded:
    """Return a submission with 0 points in every check.

    kind: of the remark. why: one sentence for the instructor. Each check's cell gets an error as its output, since to nbgrader a
    check without one has passed.
    """
    notebook = nbformat.reads(job.notebook, as_version=4)
    checks = list(graded_checks(notebook))
    cells = [CellResult(each.grade_id, each.exercise, 0.0, each.points, "not run", why=why) for each in checks]
    missed = {each.grade_id for each in checks}
    for cell in notebook.cells:
        if cell.cell_type == "code" and grade_id(cell) in missed:
            cell.outputs = [nbformat.v4.new_output("error", ename="NotRun", evalue=why, traceback=[why])]
    return Graded(job.chapter, job.student, cells, nbformat.writes(notebook), (Remark(kind, why),))
