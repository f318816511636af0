"""The chapter itself in the gradebook: its graded cells, as ``nbgrader generate_assignment`` puts them there."""

import json
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells
from nbgrader.utils import is_grade, is_locked, is_solution, is_task
from traitlets.config import Config

from tutor.course.chapters import Chapter, CourseError
from tutor.grading.record.errors import Refused
from tutor.grading.record.gradebook import OneTransaction


@dataclass
class Cells:
    """A chapter's cells of nbgrader's, by grade id, as its tables of cells keep them.

    kernelspec: as JSON text. The other values are the columns of each cell.
    """

    kernelspec: str
    grade: dict[str, dict[str, Any]] = field(default_factory=dict)
    solution: dict[str, dict[str, Any]] = field(default_factory=dict)
    task: dict[str, dict[str, Any]] = field(default_factory=dict)
    source: dict[str, dict[str, Any]] = field(default_factory=dict)


def read_cells(chapter: Chapter, config: Config) -> Cells:
    """Return a chapter's cells, prepared by the preprocessors that nbgrader runs before it saves them.

    Raises CourseError when the chapter isn't built.
    """
    notebook = _prepared(chapter, config)
    cells = Cells(json.dumps(notebook.metadata.get("kernelspec", {})))
    for cell in notebook.cells:
        if not (is_grade(cell) or is_solution(cell) or is_locked(cell) or is_task(cell)):
            continue
        metadata = cell.metadata.nbgrader
        name = metadata["grade_id"]
        if is_grade(cell):
            cells.grade[name] = {"max_score": float(metadata["points"]), "cell_type": cell.cell_type}
        if is_solution(cell):
            cells.solution[name] = {}
        if is_task(cell):
            cells.task[name] = {"max_score": float(metadata["points"]), "cell_type": cell.cell_type}
        cells.source[name] = {
            "cell_type": cell.cell_type,
            "locked": is_locked(cell),
            "source": cell.source,
            "checksum": metadata.get("checksum"),
        }
    return cells


def _prepared(chapter: Chapter, config: Config) -> NotebookNode:
    """Return the chapter's solution as nbgrader has it when it saves the cells: no solutions, all tests."""
    if not chapter.solution.is_file():
        raise CourseError(f"there is no {chapter.shown(chapter.solution)}; run make build")
    quiet = Config(config)
    quiet.Exporter.default_preprocessors = []
    exporter = NotebookExporter(config=quiet)
    for step in GenerateAssignment(coursedir=CourseDirectory(config=config), config=quiet).preprocessors:
        if step is SaveCells or step == "nbgrader.preprocessors.SaveCells":
            break
        exporter.register_preprocessor(step)
    text, _ = exporter.from_filename(str(chapter.solution), resources={"nbgrader": {"assignment": chapter.name}})
    notebook: NotebookNode = nbformat.reads(text, as_version=4)
    return notebook


def save_assignment(gradebook: OneTransaction, chapter: Chapter, cells: Cells) -> None:
    """Make the assignment, or bring it up to date, as nbgrader's SaveCells would.

    Raises Refused when graded cells came or went after submissions had been recorded.
    """
    name = chapter.name
    gradebook.update_or_create_assignment(name)
    try:
        notebook = gradebook.find_notebook(name, name)
    except MissingEntry:
        gradebook.add_notebook(name, name, kernelspec=cells.kernelspec)
    else:
        differ = _names(notebook) != tuple(map(set, (cells.grade, cells.solution, cells.task, cells.source)))
        if differ and notebook.submissions:
            raise Refused(
                f"{name} has other graded cells than when its first submissions were recorded: build it as it was, or "
                f"start anew with nbgrader db assignment remove {name} --force, which also removes scores given by hand"
            )
        if differ:
            gradebook.remove_notebook(name, name)
            gradebook.add_notebook(name, name, kernelspec=cells.kernelspec)
    for grade_id, columns in cells.grade.items():
        gradebook.update_or_create_grade_cell(grade_id, name, name, **columns)
    for grade_id in cells.solution:
        gradebook.update_or_create_solution_cell(grade_id, name, name)
    for grade_id, columns in cells.task.items():
        gradebook.update_or_create_task_cell(grade_id, name, name, **columns)
    for grade_id, columns in cells.source.items():
        gradebook.update_or_create_source_cell(grade_id, name, name, **columns)


def _names(notebook: Any) -> tuple[set[str], ...]:
    """Return the names of a recorded notebook's cells: graded, solutions, tasks, sources."""
    kinds = (notebook.grade_cells, notebook.solution_cells, notebook.task_cells, notebook.source_cells)
    return tuple({cell.name for cell in cells} for cells in kinds)
