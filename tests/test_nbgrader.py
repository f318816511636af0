"""nbgrader's own commands on every chapter, from the source to the grades of a class of simulated learners."""

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from learners.answers import in_style, misconceptions, noisy, with_misconception
from learners.classroom import CHECKOUT, command, copy_course, environment, fill_in
from learners.mutating import function_of
from learners.recording import as_judged, rows
from nbgrader.api import Gradebook
from nbgrader.utils import is_grade, is_solution, parse_utc

from tutor.checking import run
from tutor.checking.bank import get
from tutor.checking.card import SIGNS
from tutor.course.chapters import Chapter, find_chapters
from tutor.course.source import GradedCheck, graded_checks
from tutor.grading.record import Record

CHAPTERS = [chapter.name for chapter in find_chapters(CHECKOUT)]
THROUGH_THE_EXCHANGE = ("right in vectorised", "untouched")  # the others' files are put where `collect` puts these
WHOLE = ("vectorised", "alternative")  # styles of learners who are right
MISTAKEN = 1  # learner who is wrong; test_nbgrader_misconceptions has everybody's, without the drawing
LEARNER_SETTINGS = """
c = get_config()
c.CourseDirectory.course_id = "layer-by-layer"
c.Exchange.root = {exchange!r}
c.Exchange.cache = {cache!r}
"""


@dataclass
class Learner:
    """What one simulated learner writes, and what that should earn and be told, by the check's grade id."""

    answers: dict[str, str] = field(default_factory=dict)
    earns: dict[str, float] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=dict)


def class_of(chapter: str, checks: list[GradedCheck], prose: list[str]) -> dict[str, Learner]:
    """Make up the class: right in two styles, mistaken everywhere, partly right, half done, untouched.

    prose: the grade ids of what people grade by hand; whoever is right everywhere has written something there too.
    """
    essays = dict.fromkeys(prose, "Because each layer multiplies by less than one.")
    right = {style: {**in_style(chapter, style), **essays} for style in WHOLE}
    full = {check.grade_id: check.points for check in checks}
    learners = {f"right in {style}": Learner(answers, full) for style, answers in right.items()}
    for number, found in enumerate(misconceptions([check.exercise for check in checks], MISTAKEN), start=1):
        learner = learners[f"mistaken {number}"] = Learner(dict(right["vectorised"]), dict(full))
        for check in checks:
            if check.exercise in found:
                learner.answers[check.exercise] = with_misconception(check.exercise, found[check.exercise])
                earned, told = verdict_on(check, found[check.exercise])
                learner.earns[check.grade_id], learner.told[check.grade_id] = earned, told
    partly = learners["partly right"] = Learner(dict(right["vectorised"]), dict(full))
    for check in checks[:6]:  # to find one takes a while
        for twin in (name for name in get(check.exercise).twins if not name.startswith("below-")):
            earned, told = verdict_on(check, twin)
            if 0 < earned < check.points:
                partly.answers[check.exercise] = with_misconception(check.exercise, twin)
                partly.earns[check.grade_id], partly.told[check.grade_id] = earned, told
                break
    done = checks[: len(checks) // 2]
    learners["half done"] = Learner(
        {check.exercise: noisy(check.exercise, in_style(chapter, "loops")[check.exercise]) for check in done},
        {check.grade_id: check.points if check in done else 0 for check in checks},
    )
    learners["untouched"] = Learner({}, dict.fromkeys(full, 0))
    return learners


def verdict_on(check: GradedCheck, misconception: str) -> tuple[float, list[str]]:
    """Return what a wrong answer should earn and be told, by asking the engine and not the notebook."""
    wrong = function_of(check.exercise, with_misconception(check.exercise, misconception))
    seen, hidden = run(check.exercise, wrong), run(check.exercise, wrong, hidden=True)
    earned = round(check.points * min(seen.score, hidden.score), 2) if seen.score else 0.0
    return earned, [said.message for said in (*seen.diagnoses, *seen.notes)]


# ---------------------------------------------------------------- a class, graded once


@dataclass
class Classroom:
    """A course in a folder of its own, with a class that has handed in and has been graded."""

    chapter: Chapter
    checks: list[GradedCheck]
    prose: list[str]
    learners: dict[str, Learner]

    @property
    def top(self) -> Path:
        return self.chapter.top

    @property
    def name(self) -> str:
        return self.chapter.name

    def nbgrader(self, *arguments: str, cwd: Path | None = None) -> str:
        return command(*arguments, cwd=cwd or self.top, top=self.top)

    def page(self, learner: str) -> str:
        return (self.top / "build" / "feedback" / learner / self.name / f"{self.name}.html").read_text(encoding="utf-8")

    def desk(self, learner: str) -> Path:
        """The folder of a learner's own, far from the course."""
        folder = self.top.parent / "desks" / learner
        if not folder.is_dir():
            folder.mkdir(parents=True)
            exchange, cache = self.top / "build" / "exchange", folder / "cache"
            text = LEARNER_SETTINGS.format(exchange=str(exchange), cache=str(cache))
            (folder / "nbgrader_config.py").write_text(text)
        return folder


@pytest.fixture(scope="module", params=CHAPTERS)
def course(request, tmp_path_factory) -> Classroom:
    """A copy of the course in which ``generate_assignment`` and ``release_assignment`` have been run."""
    top = copy_course(tmp_path_factory.mktemp("nbgrader") / "course")
    [chapter] = find_chapters(top, [request.param])
    notebook = nbformat.read(chapter.solution, as_version=4)
    checks = list(graded_checks(notebook))
    prose = [cell.id for cell in notebook.cells if is_grade(cell) and is_solution(cell)]
    room = Classroom(chapter, checks, prose, class_of(chapter.name, checks, prose))
    shutil.rmtree(chapter.release)
    room.nbgrader("generate_assignment", chapter.name)
    room.nbgrader("release_assignment", chapter.name)
    return room


@pytest.fixture(scope="module")
def graded(course) -> Classroom:
    """The same after every learner has handed in and every command for instructors has been run."""
    for name, learner in course.learners.items():
        if name in THROUGH_THE_EXCHANGE:
            desk = course.desk(name)
            course.nbgrader("fetch_assignment", course.name, cwd=desk)
            own = desk / course.name / course.chapter.student.name
            fill_in(own, learner.answers, own)
            course.nbgrader("submit", course.name, f"--student={name}", cwd=desk)
        else:
            folder = course.top / "build" / "submitted" / name / course.name
            fill_in(course.chapter.student, learner.answers, folder / course.chapter.student.name)
            (folder / "timestamp.txt").write_text("2025-01-31 12:00:00.000000 UTC")
            (folder / "submission_secret.txt").write_text(f"the secret of {name}")
    course.nbgrader("collect", course.name)
    course.nbgrader("autograde", course.name)
    course.nbgrader("generate_feedback", course.name)
    course.nbgrader("release_feedback", course.name)
    course.nbgrader("export")
    return course


# ---------------------------------------------------------------- release


def test_generate_assignment_makes_what_is_committed(course):
    committed = CHECKOUT / "notebooks" / course.name
    made = {p.relative_to(course.chapter.release): p.read_bytes() for p in _files(course.chapter.release)}
    assert made == {p.relative_to(committed): p.read_bytes() for p in _files(committed)}


def test_nothing_secret_is_released(course):
    outbound = course.top / "build" / "exchange" / "layer-by-layer" / "outbound" / course.name
    assert {p.name for p in _files(outbound)} == {p.name for p in _files(course.chapter.release)}
    secrets = set(secret_lines(course.chapter))
    assert len(secrets) > len(course.checks)
    for path in _files(outbound):
        assert path.suffix != ".py"
        if path.suffix == ".ipynb":
            cells = nbformat.read(path, as_version=4).cells
            assert not any(cell.get("outputs") for cell in cells)
            lines = {line.strip() for cell in cells for line in cell.source.splitlines()}
            assert not lines & secrets, "a line of a solution or a hidden test"


def secret_lines(chapter: Chapter) -> Iterator[str]:
    """Yield each line between BEGIN and END marks of the source that no learner could have from elsewhere in it."""
    text = chapter.source.read_text(encoding="utf-8")
    hidden = re.findall(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", text, flags=re.DOTALL)
    shown = re.sub(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n.*?### END", "", text, flags=re.DOTALL)
    open_lines = {line.strip(" #") for line in shown.splitlines()}
    for region in hidden:
        for line in region.splitlines():
            if line.strip(" #") not in open_lines:
                yield line.strip()
                yield line.strip().removeprefix("# ")  # as a markdown cell has it


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_the_settings_hold_in_whichever_folder_the_command_is_run(course, tmp_path):
    before = course.chapter.student.read_bytes()
    course.chapter.student.unlink()
    where = f"--course-dir={course.top}"
    course.nbgrader("generate_assignment", course.name, "--force", "--no-db", where, cwd=tmp_path)
    assert course.chapter.student.read_bytes() == before
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- before handing in


def test_validate_names_each_check_of_an_untouched_notebook(course):
    said = course.nbgrader("validate", str(course.chapter.student))
    assert f"VALIDATION FAILED ON {len(course.checks) + len(course.prose)} CELL(S)" in said
    for check in course.checks:
        assert re.search(rf"The following cell failed:\s+check\({check.exercise}, .*?NotAttempted", said, re.DOTALL)
    assert said.count("NotAttempted") == len(course.checks)


def test_validate_finds_nothing_in_a_right_notebook(course, tmp_path):
    own = tmp_path / course.chapter.student.name
    fill_in(course.chapter.student, course.learners["right in alternative"].answers, own)
    assert "Success! Your notebook passes all the tests." in course.nbgrader("validate", str(own))


def test_an_untouched_notebook_fails_in_its_checks_only(graded):
    folder = graded.top / "build" / "autograded" / "untouched" / graded.name
    notebook = nbformat.read(folder / graded.chapter.student.name, as_version=4)
    failed = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
                failed[cell.id] = output.ename
    assert failed == {check.grade_id: "NotAttempted" for check in graded.checks}


# ---------------------------------------------------------------- grades


def test_every_cell_earns_exactly_what_it_should(graded):
    with Gradebook(f"sqlite:///{graded.top / 'build' / 'gradebook.db'}") as gradebook:
        for name, learner in graded.learners.items():
            [notebook] = gradebook.find_submission(graded.name, name).notebooks
            scores = {grade.name: grade.score for grade in notebook.grades if grade.name in learner.earns}
            assert scores == learner.earns, name
            assert not any(grade.needs_manual_grade for grade in notebook.grades if grade.name in learner.earns)


def test_the_class_has_full_partial_and_no_credit(graded):
    """Without this the test above could pass on a class that proves little."""
    full = {check.grade_id: check.points for check in graded.checks}
    shares = {earned / full[cell] for learner in graded.learners.values() for cell, earned in learner.earns.items()}
    assert {0.0, 1.0} < shares
    mistakes = [found for check in graded.checks for found in list(get(check.exercise).twins)[:MISTAKEN]]
    carried = [
        text for name, learner in graded.learners.items() if "mistaken" in name for text in learner.told.values()
    ]
    assert len(carried) == len(mistakes)


def test_the_export_has_each_learner_once_with_all_points(graded):
    with (graded.top / "build" / "grades.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["assignment"] == graded.name]
    assert sorted(row["student_id"] for row in rows) == sorted(graded.learners)
    for row in rows:
        assert float(row["score"]) == pytest.approx(sum(graded.learners[row["student_id"]].earns.values()))
        assert float(row["max_score"]) >= sum(check.points for check in graded.checks)


def again(graded: Classroom, top: Path) -> Chapter:
    """Make a course in another folder with the chapter, and nothing recorded."""
    for folder in (graded.chapter.folder, graded.chapter.release):
        shutil.copytree(folder, top / folder.relative_to(graded.top))
    shutil.copy(graded.top / "nbgrader_config.py", top)
    return Chapter(top, graded.name)


def recorded(top: Path) -> dict:
    return rows(f"sqlite:///{top / 'build' / 'gradebook.db'}")


def test_what_tutor_records_of_it_is_row_by_row_what_nbgrader_recorded(graded, tmp_path):
    chapter = again(graded, tmp_path)
    with Record(tmp_path) as record:
        for name in graded.learners:
            folder = graded.top / "build" / "autograded" / name / graded.name
            notebook = nbformat.read(folder / graded.chapter.student.name, as_version=4)
            handed_in = parse_utc((folder / "timestamp.txt").read_text())
            record.put(chapter, as_judged(notebook, graded.name, name), fingerprint="1", handed_in=handed_in)
    assert len(recorded(graded.top)["grade"]) == len(graded.learners) * (len(graded.checks) + len(graded.prose))
    assert recorded(tmp_path) == recorded(graded.top)


def test_tutor_grade_gives_the_same_class_row_by_row_what_nbgrader_gave(graded, tmp_path):
    again(graded, tmp_path)
    shutil.copytree(graded.top / "build" / "submitted", tmp_path / "build" / "submitted")
    # With the hidden numbers that nbgrader's checks have: a wrong answer may be right for some numbers and not for others.
    options = [f"--course={tmp_path}", "--workers=1", "--json=told.json", "--seed=0"]
    done = subprocess.run(
        [sys.executable, "-m", "tutor", "grade", graded.name, *options],
        cwd=tmp_path,
        env=environment(graded.top),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert recorded(tmp_path) == recorded(graded.top)
    told = json.loads((tmp_path / "told.json").read_text())
    assert len(told["submissions"]) == len(graded.learners)
    remarks = [remark for each in told["submissions"] for remark in each["remarks"]]
    assert {remark["kind"] for remark in remarks} <= {"timestamp"}  # the files are newer than they say


# ---------------------------------------------------------------- feedback


def words(text: str) -> str:
    """Return a text without marks for code and with single spaces, so that a page and a message can be compared."""
    return " ".join(text.replace("`", "").split())


def part_of(page: str, grade_id: str) -> str:
    """Return the words of a feedback page from one graded cell up to the next."""
    assert page.count(f'<a name="{grade_id}">') == 1
    part = page.split(f'<a name="{grade_id}">')[1].split('<a name="')[0]
    return words(BeautifulSoup(part, "html.parser").get_text())


def test_feedback_says_what_is_wrong_where_it_is_wrong(graded):
    for name, learner in graded.learners.items():
        page = graded.page(name)
        for grade_id, messages in learner.told.items():
            for message in messages:
                assert words(message) in part_of(page, grade_id), f"{name}, {grade_id}"


def test_feedback_shows_the_card_and_the_score_of_each_check(graded):
    for name, learner in graded.learners.items():
        page = graded.page(name)
        for check in graded.checks:
            part = part_of(page, check.grade_id)
            earned = learner.earns[check.grade_id]
            assert f"Score: {float(earned)} / {float(check.points)}" in part, f"{name}, {check}"
            assert f"check({check.exercise}, points={check.points:g})" in part
            assert any(sign + f" {check.exercise}" in part for sign in SIGNS.values()), f"{name}, {check}: a card"


def test_feedback_shows_no_hidden_test(graded):
    for name in graded.learners:
        page = words(BeautifulSoup(graded.page(name), "html.parser").get_text())
        assert "check(" in page
        assert not re.search(r"hidden\s*=\s*True|HIDDEN TESTS", page), name


def test_feedback_reaches_the_learner(graded):
    for name in THROUGH_THE_EXCHANGE:
        desk = graded.desk(name)
        graded.nbgrader("fetch_feedback", graded.name, cwd=desk)
        [fetched] = (desk / graded.name / "feedback").rglob("*.html")
        assert fetched.read_text(encoding="utf-8") == graded.page(name)


def test_nothing_but_solutions_notebooks_and_build_is_written(graded):
    expected = {"solutions", "notebooks", "tutor", "build", "home", "nbgrader_config.py"}
    assert {path.name for path in graded.top.iterdir()} == expected
