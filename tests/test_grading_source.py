"""The notebook that submissions are graded in is, cell by cell, the one that nbgrader keeps in its gradebook."""

import pytest
from learners.classroom import command, copy_course
from nbgrader.api import Gradebook
from nbgrader.utils import compute_checksum

from tutor.course.chapters import CourseError, find_chapters
from tutor.course.source import nbgrader_metadata
from tutor.grading.form import read_form, source_notebook

NAME = "01_activations"  # answers in code and in prose


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return copy_course(tmp_path_factory.mktemp("source") / "course")


def test_every_cell_that_nbgrader_knows_is_the_same(course):
    command("generate_assignment", NAME, "--force", cwd=course, top=course)
    [chapter] = find_chapters(course, [NAME])
    cells = {cell.id: cell for cell in source_notebook(chapter).cells if nbgrader_metadata(cell)}
    with Gradebook(f"sqlite:///{course / 'build' / 'gradebook.db'}", "layer-by-layer") as gradebook:
        kept = {
            cell.name: (cell.cell_type, cell.source, cell.checksum, cell.locked)
            for cell in gradebook.find_notebook(NAME, NAME).source_cells
        }
    ours = {
        name: (cell.cell_type, cell.source, cell.metadata.nbgrader.checksum, cell.metadata.nbgrader.locked)
        for name, cell in cells.items()
    }
    assert ours == kept
    assert all(compute_checksum(cell) == cell.metadata.nbgrader.checksum for cell in cells.values())
    assert len(read_form(chapter).answers) > 5


def test_a_change_on_disk_is_seen(course):
    [chapter] = find_chapters(course, [NAME])
    before = chapter.student.read_text(encoding="utf-8")
    first = source_notebook(chapter)
    first.cells.clear()
    assert source_notebook(chapter).cells, "what one caller does to it must not reach the next"
    chapter.student.write_text(before.replace('"cell-001"', '"cell-999"'), encoding="utf-8")
    with pytest.raises(CourseError, match="has other cells than the solution; run make build"):
        read_form(chapter)
    chapter.student.write_text(before, encoding="utf-8")
    assert read_form(chapter).cells
