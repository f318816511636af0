"""The course as a whole: what every chapter has, and what all of them come to."""

from pathlib import Path

import nbformat
import pytest
from nbgrader.utils import is_grade, is_solution

from tutor.checking import bank
from tutor.course.chapters import Chapter, find_chapters
from tutor.course.source import graded_checks

CHAPTERS = find_chapters(Path(__file__).parents[1])
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)


def cells(chapter: Chapter) -> list[nbformat.NotebookNode]:
    return nbformat.read(chapter.student, as_version=4).cells


def test_the_chapters_are_those_of_the_design_in_order() -> None:
    topics = ["start", "activations", "convolution", "transpose_convolution", "pooling", "linear", "cnn"]
    assert [chapter.name for chapter in CHAPTERS] == [f"{number:02}_{topic}" for number, topic in enumerate(topics)]


def test_there_is_enough_to_do() -> None:
    points = [cell.metadata.nbgrader.points for chapter in CHAPTERS for cell in cells(chapter) if is_grade(cell)]
    assert len(points) >= 60 and sum(points) >= 200


@every_chapter
def test_every_exercise_of_the_bank_is_in_its_chapter_and_no_other(chapter: Chapter) -> None:
    notebook = nbformat.read(chapter.solution, as_version=4)
    assert [check.exercise for check in graded_checks(notebook)] == bank.names(chapter.name)


@every_chapter
def test_a_chapter_has_one_answer_in_words_and_one_bug_to_find(chapter: Chapter) -> None:
    by_hand = [cell for cell in cells(chapter) if is_grade(cell) and is_solution(cell)]
    assert len(by_hand) == 1 and by_hand[0].cell_type == "markdown"
    assert any(name.startswith("mend_") for name in bank.names(chapter.name))
    assert any("find the bug" in cell.source.lower() for cell in cells(chapter) if cell.cell_type == "markdown")


@every_chapter
def test_a_chapter_begins_with_what_to_expect_and_ends_with_where_to_read_on(chapter: Chapter) -> None:
    texts = [cell.source for cell in cells(chapter) if cell.cell_type == "markdown"]
    for part in ("What you will do", "What you will learn", "What you need", "minutes"):
        assert part in texts[0], f"{chapter.name} does not say: {part}"
    headings = [line.lstrip("# ") for text in texts for line in text.splitlines() if line.startswith("## ")]
    assert {"Traps", "Summary", "Where to read on"} <= set(headings), headings
