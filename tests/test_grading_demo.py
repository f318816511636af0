"""The class of `make grade-demo`: thirty who hand in, with the mistakes that it is said to have."""

import tomllib
from pathlib import Path

import nbformat
import pytest
import torch
from learners.classroom import CHECKOUT

from tutor.checking import run
from tutor.course.chapters import CourseError, find_chapters
from tutor.course.source import grade_id
from tutor.grading import demo
from tutor.grading.intake import IntakeError, read_submission
from tutor.grading.submitted import find_submissions

TEXTS = tomllib.loads((Path(demo.__file__).parent / "demo.toml").read_text(encoding="utf-8"))
[CHAPTER] = find_chapters(CHECKOUT, [demo.CHAPTER])
SOLVED = {grade_id(cell): cell.source for cell in nbformat.read(CHAPTER.solution, as_version=4).cells}


def test_a_class_of_thirty_hands_in_and_only_half_a_file_is_refused(tmp_path):
    (tmp_path / "course" / "old").mkdir(parents=True)
    made = demo.make_class(CHECKOUT, tmp_path / "course")
    assert not (tmp_path / "course" / "old").exists()
    places, skipped = find_submissions(made.top, [made])
    assert (len(places), skipped) == (30, [])
    refused, answered = [], {}
    for place in places:
        try:
            answered[place.student] = len(read_submission(place.folder, made).answers)
        except IntakeError:
            refused.append(place.student)
    assert refused == ["mallory-sends-half-a-file"]
    assert sum(name.startswith("mallory") for name in answered) == 7
    assert "BEGIN SOLUTION" not in "".join(path.read_text() for path in made.top.glob("build/submitted/*/*/*.ipynb"))


def test_without_the_chapter_it_says_so(tmp_path):
    with pytest.raises(CourseError, match="solutions does not exist"):
        demo.make_class(tmp_path, tmp_path / "course")


def written(exercise: str, body: str):
    """Return the function that a learner wrote."""
    names = {"torch": torch}
    exec(demo.with_body(SOLVED[exercise], body), names)
    return names[exercise]


@pytest.mark.parametrize("exercise", TEXTS["wrong"])
def test_each_mistake_is_the_one_it_is_called(exercise):
    for misconception, body in TEXTS["wrong"][exercise].items():
        assert misconception in [said.id for said in run(exercise, written(exercise, body)).diagnoses]


@pytest.mark.parametrize("exercise", TEXTS["right"])
def test_other_ways_to_be_right_are_right(exercise):
    for body in TEXTS["right"][exercise]:
        assert run(exercise, written(exercise, body)).passed
