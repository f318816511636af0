"""What is recorded is what nbgrader itself records, is replaced when graded again, and keeps what people gave."""

import csv
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from learners.classroom import fill_in
from learners.recording import CELLS, NAME, WORTH, as_judged, files, judged, mini_course, rows
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin
from traitlets.config import Config

from tutor.course.chapters import Chapter
from tutor.course.release import nbgrader_config
from tutor.grading.record import Record, RecordError, Refused
from tutor.grading.submission import Remark

RELU = "def relu(x):\n    return max(x, 0)"
DOUBLE = "def double(x):\n    return max(2 * x, 0)"
ANSWERS = {
    "right": {"relu": RELU, "double": DOUBLE, "why": "It has a corner."},
    "half": {"relu": RELU, "double": "def double(x):\n    return 2 * x", "why": "Because."},
    "untouched": {},
}
HANDED_IN = {name: datetime(2026, 1, 9, 12) for name in ANSWERS} | {
    "untouched": datetime(2026, 1, 11),
    "half": datetime(2026, 1, 12),
}
DUE = "2026-01-10 00:00:00 UTC"
TOLD = {
    "untouched": [Remark("late", "handed in 1 d after the due date")],  # which has no points to lose
    "half": [Remark("late", "handed in 2 d after the due date; 1.75 points off")],
}
LATE = """
from nbgrader.plugins import LateSubmissionPlugin


class Half(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 100 if student_id == "untouched" else score / 2
"""


def url(top: Path) -> str:
    return f"sqlite:///{top / 'build' / 'gradebook.db'}"


def course_with_deadline(top: Path) -> Chapter:
    """A course that takes half of the points off for being late, by a plugin of its own, and in which three handed in."""
    chapter = mini_course(top)
    (top / "mini_late.py").write_text(LATE)
    with (top / "nbgrader_config.py").open("a") as file:
        file.write('\nc.AssignLatePenalties.plugin_class = "mini_late.Half"\n')
    (top / "build").mkdir()
    with Gradebook(url(top), "layer-by-layer") as gradebook:
        gradebook.add_assignment(NAME, duedate=DUE)
    for name, answers in ANSWERS.items():
        hand_in(chapter, name, answers)
    return chapter


def hand_in(chapter: Chapter, name: str, answers: dict[str, str]) -> None:
    folder = chapter.top / "build" / "submitted" / name / NAME
    fill_in(chapter.student, answers, folder / chapter.student.name)
    (folder / "timestamp.txt").write_text(f"{HANDED_IN[name]:%Y-%m-%d %H:%M:%S.%f} UTC")
    (folder / "submission_secret.txt").write_text(f"the secret of {name}")


def nbgrader(chapter: Chapter) -> NbGraderAPI:
    """Return nbgrader's own commands, as formgrader calls them."""
    config = Config(nbgrader_config(chapter.top))
    config.Exchange.assignment_dir = str(chapter.top)
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def well(result: dict) -> None:
    assert result["success"], result


def graded_by_nbgrader(chapter: Chapter, name: str):
    notebook = nbformat.read(chapter.top / "build" / "autograded" / name / NAME / f"{NAME}.ipynb", as_version=4)
    return as_judged(notebook, NAME, name)


@pytest.fixture(scope="module")
def stock(tmp_path_factory) -> Iterator[Chapter]:
    """The course as nbgrader's own commands grade it."""
    chapter = course_with_deadline(tmp_path_factory.mktemp("stock") / "course")
    sys.path.append(str(chapter.top))  # nbgrader's commands look for plugins in the working directory
    api = nbgrader(chapter)
    well(api.generate_assignment(NAME, force=True))
    for name in ANSWERS:
        well(api.autograde(NAME, name))
    yield chapter
    sys.path.remove(str(chapter.top))


@pytest.fixture(scope="module")
def ours(stock, tmp_path_factory) -> Chapter:
    """The same course, recorded from what those commands ran."""
    chapter = course_with_deadline(tmp_path_factory.mktemp("ours") / "course")
    with Record(chapter.top) as record:
        for name in ANSWERS:
            graded = graded_by_nbgrader(stock, name)
            remarks = record.put(chapter, graded, fingerprint="1", handed_in=HANDED_IN[name])
            assert remarks == TOLD.get(name, [])
    return chapter


def give_points(chapter: Chapter, student: str, grade_id: str, points: float | None, **more: object) -> None:
    """Do what formgrader does when a grader saves a score."""
    with Gradebook(url(chapter.top), "layer-by-layer") as gradebook:
        grade = gradebook.find_grade(grade_id, NAME, NAME, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        for name, value in more.items():
            setattr(grade, name, value)
        gradebook.db.commit()


# ---------------------------------------------------------------- as nbgrader does


def test_every_row_is_as_nbgrader_writes_it(stock, ours):
    expected = rows(url(stock.top))
    assert rows(url(ours.top)) == expected
    assert {row["late_submission_penalty"] for row in expected["submitted_notebook"]} == {None, 1.75, 0.0}
    assert {row["auto_comment"] for row in expected["comment"]} == {None, "No response."}


def test_the_graded_folders_are_as_nbgrader_writes_them(stock, ours):
    made, expected = (files(chapter.top / "build" / "autograded") for chapter in (ours, stock))
    assert made.keys() == expected.keys() and {mode for _, mode in made.values()} == {"0o444"}
    notebooks = {name for name in made if name.endswith(".ipynb")}
    assert {name: made[name] for name in made.keys() - notebooks} == {
        n: expected[n] for n in expected.keys() - notebooks
    }
    for name in notebooks:
        new, old = (nbformat.reads(found[name][0].decode(), as_version=4) for found in (made, expected))
        assert [(c.source, c.metadata) for c in new.cells] == [(c.source, c.metadata) for c in old.cells]


def test_the_instructors_other_commands_go_on_from_there(ours):
    (ours.top / "build" / "exchange").mkdir(exist_ok=True)
    (ours.top / "build" / "exchange").chmod(0o777)
    api = nbgrader(ours)
    for name in ANSWERS:
        well(api.generate_feedback(NAME, name))
        well(api.release_feedback(NAME, name))
    with api.gradebook as gradebook:
        CsvExportPlugin(to=str(ours.top / "grades.csv")).export(gradebook)
    table = csv.DictReader((ours.top / "grades.csv").read_text().splitlines())
    [line] = [row for row in table if row["student_id"] == "half"]
    assert (line["raw_score"], line["score"], line["late_submission_penalty"]) == ("3.5", "1.75", "1.75")
    page = (ours.top / "build" / "feedback" / "half" / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert "(Score: 1.75 / 6.0)" in page
    assert len(list((ours.top / "build" / "exchange").glob("*/feedback/*.html"))) == len(ANSWERS)


def test_formgrader_shows_it(stock, ours):
    def shown(chapter: Chapter) -> list[dict]:
        found = nbgrader(chapter).get_submissions(NAME)
        return [{key: value for key, value in each.items() if key != "id"} for each in found]

    assert shown(ours) == shown(stock)
    assert [each["needs_manual_grade"] for each in shown(ours)] == [True, True, False]


def test_graded_again_it_is_as_when_nbgrader_grades_again(stock, ours):
    changed = {**ANSWERS["half"], "why": "I have thought again.", "relu": "def relu(x):\n    return 7"}
    for chapter in (stock, ours):
        give_points(chapter, "half", "why", 0.5)
        give_points(chapter, "half", "check_double", None, extra_credit=2.0)
        hand_in(chapter, "half", changed)
    well(nbgrader(stock).autograde(NAME, "half", force=True))
    with Record(ours.top) as record:
        remarks = record.put(ours, graded_by_nbgrader(stock, "half"), fingerprint="2", handed_in=HANDED_IN["half"])
        assert record.done(ours, "half") == "2" and record.done(ours, "right") == "1"
    assert rows(url(ours.top)) == rows(url(stock.top))
    said = "why: the score 0.5 given by hand stayed, but the answer has changed since: look at it again"
    assert remarks[0] == Remark("graded-by-hand", said, "why")
    assert [remark.kind for remark in remarks] == ["graded-by-hand", "late"]


# ---------------------------------------------------------------- graded again


@pytest.fixture
def mini(tmp_path) -> Chapter:
    return mini_course(tmp_path / "course")


def put(chapter: Chapter, *graded, fingerprint: str = "1", handed_in: datetime | None = None) -> list[Remark]:
    with Record(chapter.top) as record:
        return [r for g in graded for r in record.put(chapter, g, fingerprint=fingerprint, handed_in=handed_in)]


def grades(chapter: Chapter, student: str = "anna") -> dict[str, tuple]:
    """Return (automatic points, by hand, extra, to be looked at) by graded cell."""
    with Gradebook(url(chapter.top), "layer-by-layer") as gradebook:
        found = gradebook.find_submission_notebook(NAME, NAME, student).grades
        return {g.name: (g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade) for g in found}


def test_a_resubmission_leaves_nothing_of_the_one_before(mini):
    put(mini, judged(mini, "anna", answers=ANSWERS["right"]), handed_in=datetime(2026, 1, 1))
    later = judged(mini, "anna", {"check_relu": 0.0, "check_double": 1.5})
    notebook = nbformat.reads(later.notebook, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "why"]
    put(mini, replace(later, notebook=nbformat.writes(notebook)))
    assert grades(mini) == {
        "check_relu": (0, None, None, False), "check_double": (1.5, None, None, False), "why": (0, None, None, False),
    }  # fmt: skip
    [submission] = rows(url(mini.top), "submitted_assignment")["submitted_assignment"]
    assert submission["timestamp"] is None
    assert set(files(mini.top / "build" / "autograded" / "anna")) == {f"{NAME}/{NAME}.ipynb", f"{NAME}/corner.svg"}


def test_what_people_gave_stays_and_they_are_told_until_somebody_has_looked(mini):
    first, second, third = (judged(mini, "anna", answers={**ANSWERS["right"], "why": text}) for text in "abc")
    put(mini, first)
    give_points(mini, "anna", "why", 0.5)
    with Gradebook(url(mini.top), "layer-by-layer") as gradebook:
        gradebook.find_comment("why", NAME, NAME, "anna").manual_comment = "Well said."
        gradebook.db.commit()
    assert put(mini, first) == []
    assert [remark.cell for remark in put(mini, second)] == ["why"]
    assert [remark.cell for remark in put(mini, second)] == ["why"]  # nobody has looked yet
    assert put(mini, first) == []  # the answer that the points are for
    put(mini, second)
    give_points(mini, "anna", "why", 1.0)
    assert put(mini, second) == []
    assert [remark.cell for remark in put(mini, third)] == ["why"]
    assert grades(mini)["why"] == (None, 1.0, None, True)
    comments = rows(url(mini.top), "comment")["comment"]
    assert "Well said." in [comment["manual_comment"] for comment in comments]


def test_points_given_by_hand_for_a_test_are_told_with_what_the_test_gives_now(mini):
    put(mini, judged(mini, "anna", {**WORTH, "check_relu": 0.0}))
    give_points(mini, "anna", "check_relu", 1.0, extra_credit=0.25)
    [remark] = put(mini, judged(mini, "anna", answers={"relu": RELU}))
    assert remark.text == (
        "check_relu: the score 1 and the extra credit 0.25 given by hand stayed, but the answer has changed since "
        "(its test gives 2 now): look at it again"
    )
    assert grades(mini)["check_relu"] == (2.0, 1.0, 0.25, True)


def test_done_holds_only_as_long_as_gradebook_and_folder_say_so(mini):
    graded = judged(mini, "anna")
    put(mini, graded)
    with Record(mini.top) as record:
        assert record.done(mini, "anna") == "1" and record.done(mini, "ben") is None
        with Gradebook(url(mini.top), "layer-by-layer") as gradebook:
            gradebook.find_grade("check_relu", NAME, NAME, "anna").auto_score = 0.5
            gradebook.db.commit()
        assert record.done(mini, "anna") is None
        record.put(mini, graded, fingerprint="2", handed_in=None)
        assert record.done(mini, "anna") == "2"
        (mini.top / "build" / "autograded" / "anna" / NAME / f"{NAME}.ipynb").unlink()
        assert record.done(mini, "anna") is None
        record.put(mini, graded, fingerprint="3", handed_in=None)
        with Gradebook(url(mini.top), "layer-by-layer") as gradebook:
            gradebook.remove_submission(NAME, "anna")
        assert record.done(mini, "anna") is None


def test_the_tables_of_a_class_can_be_made_without_grading_again(mini):
    graded = judged(mini, "anna", {**WORTH, "check_relu": 0.0}, remarks=(Remark("moved", "cells were moved"),))
    put(mini, graded)
    with Record(mini.top) as record:
        entry = record.entry(mini, "anna")
    assert entry.cells == tuple(graded.cells) and entry.remarks == graded.remarks and entry.seconds == graded.seconds


# ---------------------------------------------------------------- refusals


def test_one_writer_at_a_time(mini):
    with (
        Record(mini.top),
        pytest.raises(RecordError, match=rf"process {os.getpid()}\) is recording.*wait until it is done"),
    ):
        Record(mini.top)
    with Record(mini.top):
        pass


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "x" * 129, "two\nlines", "\udcff"])
def test_names_that_no_folder_or_gradebook_takes(mini, name):
    with Record(mini.top) as record, pytest.raises(Refused, match="can't be a student's name"):
        record.put(mini, replace(judged(mini, "anna"), student=name), fingerprint="1", handed_in=None)
    assert not list((mini.top / "build").glob("autograded/*"))


@pytest.mark.parametrize("points", [{**WORTH, "check_relu": 1.0}, {"check_double": 3.0}])
def test_a_verdict_that_the_notebook_does_not_show_is_not_recorded(mini, points):
    cells = judged(mini, "anna", points).cells
    with Record(mini.top) as record, pytest.raises(Refused, match="check_relu: nbgrader would give 2, the verdict is"):
        record.put(mini, replace(judged(mini, "anna"), cells=cells), fingerprint="1", handed_in=None)


def test_a_chapter_with_other_cells_than_its_submissions_is_refused_and_before_that_replaced(mini):
    graded = judged(mini, "anna")
    with Record(mini.top):
        pass
    with Gradebook(url(mini.top), "layer-by-layer") as gradebook:
        gradebook.add_assignment(NAME)
        gradebook.add_notebook("old", NAME)
        gradebook.add_notebook(NAME, NAME)
        gradebook.add_grade_cell("gone", NAME, NAME, max_score=1, cell_type="code")
    put(mini, graded)
    assert "gone" not in str(rows(url(mini.top), *CELLS))
    text = mini.solution.read_text(encoding="utf-8")
    mini.solution.write_text(text.replace('"check_relu"', '"check_relu_2"'), encoding="utf-8")
    with Record(mini.top) as record, pytest.raises(Refused, match="other graded cells than when its first submissions"):
        record.put(mini, graded, fingerprint="2", handed_in=None)


def test_settings_that_cannot_be_read(mini):
    (mini.top / "nbgrader_config.py").write_text("c = get_config(\n")
    with pytest.raises(RecordError, match=r"nbgrader_config.py can't be read \(SyntaxError.*mend it"):
        Record(mini.top)
