"""A small course, and submissions to it as a worker would give them back, without running anything."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode, v4
from nbgrader.api import Base, Gradebook
from nbgrader.utils import determine_grade, is_grade, is_solution
from sqlalchemy import select

from learners.classroom import CHECKOUT
from tutor.course.chapters import Chapter
from tutor.grading.form import source_notebook
from tutor.grading.job import CellResult, Graded
from tutor.grading.submission import Remark

NAME = "01_mini"
WORTH = {"check_relu": 2.0, "check_double": 3.0}
TABLES = ("grade", "comment", "submitted_notebook", "submitted_assignment", "student")
CELLS = ("assignment", "notebook", "base_cell", "grade_cells", "solution_cells", "task_cells", "source_cell")


def mini_course(top: Path) -> Chapter:
    """Make the mini-course as it is after it was built."""
    mini = CHECKOUT / "tests" / "mini_course"
    shutil.copytree(mini / "solutions", top / "solutions")
    chapter = Chapter(top, NAME)
    chapter.release.mkdir(parents=True)
    for golden, made in (("solution", chapter.solution), ("student", chapter.student)):
        made.write_bytes((mini / "expected" / f"{golden}.json").read_bytes())
    shutil.copy(CHECKOUT / "nbgrader_config.py", top)
    return chapter


def judged(
    chapter: Chapter,
    student: str,
    points: Mapping[str, float] = WORTH,
    answers: Mapping[str, str] | None = None,
    remarks: tuple[Remark, ...] = (),
) -> Graded:
    """Return a graded submission in which each check earned the given points."""
    notebook = source_notebook(chapter)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if name in points and points[name] == 0:
            cell.outputs = [v4.new_output("error", ename="CheckFailed", evalue="no", traceback=["no"])]
        elif name in points and points[name] < WORTH[name]:
            shown = {"text/plain": f"{points[name]:g}"}
            cell.outputs = [v4.new_output("execute_result", data=shown, execution_count=1)]
        cell.source = (answers or {}).get(name, cell.source)
    verdict = {True: "passed", False: "not right yet"}
    cells = [
        CellResult(name, name.removeprefix("check_"), earned, WORTH[name], verdict[earned > 0])
        for name, earned in points.items()
    ]
    return Graded(chapter.name, student, cells, nbformat.writes(notebook), remarks)


def as_judged(notebook: NotebookNode, chapter: str, student: str) -> Graded:
    """Return what a worker would give back of a notebook that nbgrader has executed."""
    cells = []
    for cell in notebook.cells:
        if is_grade(cell) and not is_solution(cell) and cell.cell_type == "code":
            earned, worth = determine_grade(cell)
            cells.append(CellResult(cell.metadata.nbgrader.grade_id, "", earned, worth, "passed"))
    return Graded(chapter, student, cells, nbformat.writes(notebook))


def rows(db_url: str, *tables: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a gradebook's tables in an order that doesn't depend on the ids, which are random.

    Each id is shown as the names that it stands for.
    """
    with Gradebook(db_url, "layer-by-layer") as gradebook:
        read = {
            name: [dict(row) for row in gradebook.db.execute(select(table)).mappings()]
            for name, table in Base.metadata.tables.items()
        }
    names: dict[str, str] = {}
    for table in ("assignment", "notebook", "base_cell", "source_cell", "submitted_assignment", "submitted_notebook"):
        for row in read[table]:
            about = (row.get(key) for key in ("assignment_id", "notebook_id", "student_id", "type", "name"))
            names[row["id"]] = "/".join(names.get(value, value) for value in about if value)
    found = {}
    for table in tables or (*CELLS, *TABLES):
        for row in read[table]:
            row.update({key: names.get(value, value) for key, value in row.items() if key.endswith("id")})
            if table in ("grade", "comment"):
                del row["id"]
        found[table] = sorted(read[table], key=lambda row: json.dumps(row, default=str, sort_keys=True))
    return found


def files(folder: Path) -> dict[str, tuple[bytes, str]]:
    """Return the content and permissions of every file below a folder, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), oct(path.stat().st_mode & 0o777))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
