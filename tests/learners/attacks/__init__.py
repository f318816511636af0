"""What submissions do to graders: each attack is a submission, and what has to come of it.

Most attack with one exercise, ``relu``, whose answer is wrong or somebody else's, and answer the others as they should be.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from learners.submitting import CHAPTER, RIGHT, cell, own, place, right, write
from tutor.course.source import grade_id
from tutor.grading.den import Den
from tutor.grading.intake import IntakeError, Submission, read_submission, rebuild, source_notebook
from tutor.grading.job import Graded, Job, Limits
from tutor.grading.worker import grade

KEPT = ("relu", "sigmoid", "rrelu")  # exercises that are graded here: the chapter's others would only take time
WORTH = {"relu": 2.0, "sigmoid": 3.0, "rrelu": 4.0}
LIMITS = Limits(cell_seconds=2.0, seconds=20.0, memory_mb=1_500, processes=64, disk_mb=20, output_kb=100)
WRONG = "def relu(input):\n    return input\n"
HONEST = RIGHT["relu"]


@dataclass(frozen=True)
class Attack:
    """One submission.

    name: in words. sees: a regular expression for what the instructor is told of it. answer: the text of ``relu``'s cell.
    before: of a cell of the learner's own ahead of that. answers: of further exercises. edit: changes the notebook's content.
    around: changes the folder once the notebook is in it. earns: the share of its points that each exercise gets, where
    not all. shows: a regular expression for what its cells print, where that says whether the attack reached anything.
    """

    name: str
    sees: str
    answer: str = WRONG
    before: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    edit: Callable[[dict], None] | None = None
    around: Callable[[Path], None] | None = None
    earns: dict[str, float] = field(default_factory=lambda: {"relu": 0.0})
    shows: str = ""
    limits: Limits = LIMITS

    def points(self) -> dict[str, float]:
        """Return the points that each exercise has to get."""
        return {name: round(WORTH[name] * self.earns.get(name, 1.0), 2) for name in KEPT}

    def holds(self, result: Result) -> bool:
        """Tell whether it came to what it should: points, words and what its cells print."""
        told = "\n".join(result.told())
        found = re.search(self.sees, told) and re.search(self.shows, result.shown())
        return found is not None and result.points() == self.points()

    def hand_in(self, folder: Path) -> None:
        """Put the submission into an empty folder of a classroom."""
        content = right(folder)
        for name, text in {"relu": self.answer, **self.answers}.items():
            cell(content, name)["source"] = text
        if self.before:
            text = self.before.replace("@CLASSROOM@", str(folder.parents[1]))
            content["cells"].insert(place(content, "relu"), own(text))
        if self.edit:
            self.edit(content)
        write(folder, content)
        if self.around:
            self.around(folder)


@contextmanager
def classroom() -> Iterator[Path]:
    """Give a folder with what others have to lose: a gradebook, answers, a learner's submission and a house with a secret."""
    with tempfile.TemporaryDirectory(prefix="classroom-") as name:
        top = Path(name)
        HONEST_ONE.hand_in(_made(top / "submitted" / "alice"))
        (_made(top / "house") / "secret.txt").write_text("the dean's password", encoding="utf-8")
        with contextlib.closing(sqlite3.connect(top / "gradebook.db")) as gradebook:
            gradebook.execute("CREATE TABLE grade (auto_score REAL)")
            gradebook.execute("INSERT INTO grade VALUES (1.0)")
            gradebook.commit()
        yield top


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def others(top: Path) -> dict[str, bytes]:
    """Return all that is in a classroom and not mallory's, by path."""
    files = [
        path for path in sorted(top.rglob("*")) if path.is_file() and "mallory" not in path.relative_to(top).as_posix()
    ]
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in files}


HONEST_ONE = Attack("an honest submission", "^$", answer=HONEST, earns={})


@dataclass(frozen=True)
class Result:
    """What came of a submission: what it was taken for and how it was graded, or why it was refused."""

    refused: str = ""
    submission: Submission | None = None
    graded: Graded | None = None

    def points(self) -> dict[str, float]:
        """Return the points by exercise; of a refused one all 0."""
        return {cell.exercise: cell.points for cell in self.graded.cells} if self.graded else dict.fromkeys(KEPT, 0.0)

    def told(self) -> list[str]:
        """Return what the instructor is told, in one line each: the refusal, or verdicts and remarks."""
        if self.graded is None or self.submission is None:
            return [self.refused]
        lines = [
            f"{cell.exercise}: {cell.verdict}"
            + "".join(f" ({said})" for said in (", ".join(cell.diagnoses), cell.why) if said)
            for cell in self.graded.cells
            if cell.verdict != "passed"
        ]
        return lines + [remark.text for remark in (*self.submission.remarks, *self.graded.remarks)]

    def shown(self) -> str:
        """Return what the cells of the learner's own show, answers included."""
        notebook = json.loads(self.graded.notebook) if self.graded else {"cells": []}
        cells = [each for each in notebook["cells"] if not each["metadata"].get("nbgrader", {}).get("grade")]
        outputs = [output for each in cells for output in each.get("outputs", [])]
        return "\n".join(
            output.get("text", "") + output.get("evalue", "") + output.get("data", {}).get("text/plain", "")
            for output in outputs
        )


def graded(attack: Attack, den: Den, top: Path) -> Result:
    """Hand a submission in, take it in and grade it."""
    folder = _made(top / "submitted" / f"mallory-{len(list((top / 'submitted').iterdir()))}")
    attack.hand_in(folder)
    try:
        submission = read_submission(folder, CHAPTER)
    except IntakeError as error:
        return Result(str(error))
    notebook = _cut(rebuild(source_notebook(CHAPTER), submission))
    job = Job(CHAPTER.name, "mallory", nbformat.writes(notebook), seed=5, limits=attack.limits)
    return Result(submission=submission, graded=grade(job, den))


def _cut(notebook: NotebookNode) -> NotebookNode:
    kept = {part for name in KEPT for part in (name, f"check_{name}")}
    notebook.cells = [each for each in notebook.cells if not grade_id(each) or grade_id(each) in kept]
    return notebook


def by_paragraph() -> dict[str, Sequence[Attack]]:
    """Return every attack, under what it is after."""
    from learners.attacks import harm, intake, odd, points, resources, tampering

    return {
        "Points without an answer": points.ATTACKS,
        "Points by tampering with what runs beside the answer": tampering.ATTACKS,
        "Harm to others": harm.ATTACKS,
        "The notebook and its folder": intake.ATTACKS,
        "Resources": resources.ATTACKS,
        "Honest but odd": odd.ATTACKS,
    }
