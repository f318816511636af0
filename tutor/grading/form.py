"""What a chapter asks of learners: its cells, as released, and the notebook that every answer is graded in."""

import copy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum

from tutor.course.chapters import Chapter, CourseError
from tutor.course.source import grade_id, nbgrader_metadata


@dataclass(frozen=True)
class Asked:
    """One cell of a chapter.

    role: ``answer`` for what a learner fills in, ``locked`` for what nbgrader writes over (tests), ``other``. text: as
    released, so that an untouched answer is one with this text.
    """

    index: int
    cell_id: str
    grade_id: str
    role: str
    cell_type: str
    text: str
    nbgrader: dict[str, Any]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """A chapter's cells in order, and by grade id and cell id."""

    cells: tuple[Asked, ...]
    by_grade_id: dict[str, Asked]
    by_cell_id: dict[str, Asked]

    @property
    def answers(self) -> list[Asked]:
        """The cells that learners fill in."""
        return [asked for asked in self.cells if asked.role == "answer"]


def read_form(chapter: Chapter) -> Form:
    """Return what a chapter asks (CourseError when its notebooks aren't built, or don't fit each other)."""
    return _read(chapter, _stamp(chapter))[0]


def source_notebook(chapter: Chapter) -> NotebookNode:
    """Return the notebook to grade in: as released, but with the hidden tests, which nbgrader keeps in its gradebook.

    Solutions are not in it: an answer that a learner left out is the empty form that he was given. Raises CourseError as
    ``read_form`` does.
    """
    return copy.deepcopy(_read(chapter, _stamp(chapter))[1])


def _stamp(chapter: Chapter) -> tuple[int, ...]:
    """Return what changes when a chapter's notebooks do."""
    stamp: list[int] = []
    for path in (chapter.solution, chapter.student):
        if not path.is_file():
            raise CourseError(f"there is no {chapter.shown(path)}; run make build")
        status = path.stat()
        stamp += [status.st_mtime_ns, status.st_size]
    return tuple(stamp)


@lru_cache(maxsize=16)
def _read(chapter: Chapter, stamp: tuple[int, ...]) -> tuple[Form, NotebookNode]:
    """Read a chapter's two notebooks; once for a whole class, since every submission is held against them."""
    solution, released = _notebook(chapter.solution), _notebook(chapter.student)
    if [cell.id for cell in solution.cells] != [cell.id for cell in released.cells]:
        raise CourseError(f"{chapter.name}: the released notebook has other cells than the solution; run make build")
    cells = tuple(_asked(index, cell) for index, cell in enumerate(released.cells))
    for asked, cell, full in zip(cells, released.cells, solution.cells, strict=True):
        if asked.role != "answer":
            cell.source = full.source
        if asked.role == "locked":
            cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    by_grade_id = {asked.grade_id: asked for asked in cells if asked.grade_id}
    return Form(cells, by_grade_id, {asked.cell_id: asked for asked in cells}), released


def _notebook(path: Path) -> NotebookNode:
    """Return one of the course's own notebooks."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def _asked(index: int, cell: NotebookNode) -> Asked:
    """Describe one released cell."""
    metadata = nbgrader_metadata(cell)
    role = "answer" if metadata.get("solution") else "locked" if metadata else "other"
    tags = tuple(cell.metadata.get("tags", ()))
    return Asked(index, cell.id, grade_id(cell), role, cell.cell_type, cell.source, dict(metadata), tags)


def same(one: str, other: str) -> bool:
    """Tell whether two texts are the same but for spaces at the ends of lines and of the text."""
    first, second = ([line.rstrip() for line in text.strip().splitlines()] for text in (one, other))
    return first == second
