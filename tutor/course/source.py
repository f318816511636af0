"""Read a chapter's hand-edited source as a notebook whose every byte follows from that source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jupytext
from nbformat import NotebookNode

from tutor.course.chapters import Chapter, CourseError

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
HIDDEN_BEGIN = "### BEGIN HIDDEN TESTS"
HIDDEN_END = "### END HIDDEN TESTS"


def read_source(chapter: Chapter) -> NotebookNode:
    """Return the chapter's source as an unexecuted notebook (nbformat 4.5).

    A cell's id is its grade id, or else its position, so that two builds agree; jupytext's own ids are
    random.

    Raises CourseError when the file cannot be read as a py:percent notebook.
    """
    try:
        text = chapter.source.read_text(encoding="utf-8")
        notebook: NotebookNode = jupytext.reads(text, fmt="py:percent")
    except (
        ValueError,
        SyntaxError,
    ) as error:  # UnicodeDecodeError and jupytext's format errors are ValueErrors
        raise CourseError(f"{chapter.shown(chapter.source)} cannot be read as py:percent: {error}") from error
    if not notebook.cells or "# %%" not in text:
        raise CourseError(f"{chapter.shown(chapter.source)} has no cells; each cell starts with a line '# %%'")
    notebook.metadata = NotebookNode(kernelspec=NotebookNode(KERNELSPEC))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for position, cell in enumerate(notebook.cells, start=1):
        cell.id = grade_id(cell) or f"cell-{position:03d}"
        cell.metadata.pop("lines_to_next_cell", None)
    return notebook


def nbgrader_metadata(cell: NotebookNode) -> dict[str, Any]:
    """Return nbgrader's own metadata of a cell, or an empty dictionary."""
    found = cell.metadata.get("nbgrader")
    return found if isinstance(found, dict) else {}


def grade_id(cell: NotebookNode) -> str:
    """Return a cell's grade id, or ``""``."""
    return str(nbgrader_metadata(cell).get("grade_id", ""))


def cell_name(notebook: NotebookNode, index: int) -> str:
    """Return how messages call a cell: its place from 1, and its grade id or the start of its text."""
    cell = notebook.cells[index]
    first_line = next((line.strip() for line in cell.source.splitlines() if line.strip()), "empty")
    return f"cell {index + 1} ({grade_id(cell) or first_line[:40]})"


@dataclass(frozen=True)
class CheckCall:
    """One ``check(relu, points=2, hidden=True)`` as written in a cell."""

    exercise: str
    points: float | None
    hidden: bool


def check_calls(code: str) -> list[CheckCall]:
    """Return the calls of ``check`` that are statements of their own in ``code``, in order.

    Raises SyntaxError when the code is not plain Python.
    """
    return [
        CheckCall(*parsed)
        for statement in ast.parse(code).body
        if isinstance(statement, ast.Expr) and (parsed := _check_call(statement.value)) is not None
    ]


def _check_call(node: ast.expr) -> tuple[str, float | None, bool] | None:
    """Take ``check(name, points=number, hidden=bool)`` apart; None for any other expression."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"):
        return None
    if len(node.args) != 1 or not isinstance(node.args[0], ast.Name):
        return None
    named = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
    points = named.get("points")
    number = float(points) if isinstance(points, int | float) and not isinstance(points, bool) else None
    return node.args[0].id, number, named.get("hidden") is True


def defined_functions(code: str) -> set[str]:
    """Return the names of the functions that ``code`` defines at its top level (SyntaxError as above)."""
    return {node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@dataclass(frozen=True)
class GradedCheck:
    """A graded cell: its grade id, the exercise that it checks, and what it is worth."""

    grade_id: str
    exercise: str
    points: float


def graded_checks(notebook: NotebookNode) -> Iterator[GradedCheck]:
    """Yield the automatically graded cells of a notebook that ``rules.problems`` has nothing against."""
    for cell in notebook.cells:
        metadata = nbgrader_metadata(cell)
        if cell.cell_type == "code" and metadata.get("grade") and not metadata.get("solution"):
            yield GradedCheck(grade_id(cell), check_calls(cell.source)[0].exercise, float(metadata["points"]))
