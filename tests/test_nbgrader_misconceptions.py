"""Every misconception of every chapter earns the same from stock nbgrader and from ``tutor grade``, cell by cell.

The chapters are cut down to their answers, their checks and what those need: drawing and training earn nothing and take
most of the time. The kernels in which nbgrader runs them are forked from a warm process. Whole chapters, in kernels that
nbgrader starts by itself, are what ``test_nbgrader`` grades.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from learners.answers import STYLES, in_style, misconceptions, with_misconception
from learners.classroom import CHECKOUT, command, copy_course, environment, fill_in
from learners.recording import rows
from nbgrader.utils import is_solution

from tutor.checking import bank
from tutor.course.chapters import Chapter, find_chapters
from tutor.course.source import graded_checks
from tutor.grading.slicing import needed
from tutor.grading.warm.kernelspec import KERNEL_NAME, search_path

CHAPTERS = [chapter.name for chapter in find_chapters(CHECKOUT)]


def cut_down(chapter: Chapter) -> list[str]:
    """Leave in a chapter's source what is graded and what that needs; return the exercises that are checked."""
    notebook = nbformat.read(chapter.solution, as_version=4)
    exercises = [check.exercise for check in graded_checks(notebook)]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    chosen = needed([(cell.source, is_solution(cell)) for cell in code], {*exercises, "check"})
    kept = {cell.id for cell, wanted in zip(code, chosen, strict=True) if wanted}
    notebook.cells = [cell for cell in notebook.cells if cell.id in kept or "nbgrader" in cell.metadata]
    nbformat.write(notebook, chapter.solution)
    shutil.rmtree(chapter.release)
    return exercises


@pytest.mark.parametrize("name", CHAPTERS)
def test_nbgrader_and_tutor_grade_give_the_same_for_every_misconception(name: str, tmp_path: Path) -> None:
    top = copy_course(tmp_path / "course")
    [chapter] = find_chapters(top, [name])
    exercises = cut_down(chapter)
    command("generate_assignment", name, cwd=top, top=top)
    learners = {f"right in {style}": in_style(name, style) for style in STYLES}
    mistaken = misconceptions(exercises, most=1_000)
    for number, found in enumerate(mistaken):
        learners[f"mistaken {number}"] = {
            exercise: with_misconception(exercise, twin) for exercise, twin in found.items()
        }
    for learner, answers in learners.items():
        fill_in(chapter.student, answers, top / "build" / "submitted" / learner / name / chapter.student.name)
    held = {(exercise, twin) for found in mistaken for exercise, twin in found.items()}
    known = {(exercise, twin) for exercise in exercises for twin in bank.get(exercise).twins}
    assert all(twin.startswith("below-") for _, twin in known - held), "a misconception that nobody has"

    by_tutor = tmp_path / "by_tutor"
    shutil.copytree(top, by_tutor, ignore=shutil.ignore_patterns("gradebook.db", "tutor"))
    warm = {"JUPYTER_PATH": str(search_path())}
    command("autograde", name, f"--Execute.kernel_name={KERNEL_NAME}", cwd=top, top=top, **warm)
    options = [f"--course={by_tutor}", "--workers=1", "--json=told.json", "--seed=0"]
    done = subprocess.run(
        [sys.executable, "-m", "tutor", "grade", name, *options],
        cwd=by_tutor,
        env=environment(top),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads((by_tutor / "told.json").read_text())["submissions"]) == len(learners)
    theirs, ours = (points(place) for place in (top, by_tutor))
    assert len(theirs) >= len(learners) * len(exercises)
    assert ours == theirs


def points(top: Path) -> dict[tuple[str, str], tuple[float | None, bool]]:
    """Return what the gradebook says of each learner's cells: points, and whether somebody has to look at it."""
    grades = rows(f"sqlite:///{top / 'build' / 'gradebook.db'}", "grade")["grade"]
    return {(row["notebook_id"], row["cell_id"]): (row["auto_score"], row["needs_manual_grade"]) for row in grades}
