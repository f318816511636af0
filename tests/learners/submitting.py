"""What a learner hands in, as the raw content of his file, so that it can be wrong in every way."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from learners.answers import in_style
from learners.classroom import CHECKOUT, fill_in
from tutor.course.chapters import Chapter, find_chapters
from tutor.grading.intake import Submission, read_submission, rebuild, source_notebook

[CHAPTER] = find_chapters(CHECKOUT, ["01_activations"])
NAME = CHAPTER.student.name
RIGHT = in_style(CHAPTER.name, "vectorised")


def right(folder: Path) -> dict:
    """Return the content of a notebook in which every exercise is answered as it should be."""
    fill_in(CHAPTER.student, {**RIGHT, "explain_vanishing": "Factors below one."}, folder / NAME)
    return json.loads((folder / NAME).read_text(encoding="utf-8"))


def write(folder: Path, content: object, name: str = NAME) -> None:
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def cell(content: dict, grade_id: str) -> dict:
    """Return the first cell with a grade id."""
    return next(cell for cell in content["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def own(text: str, cell_type: str = "code", **more: object) -> dict:
    """Return a cell as learners add them."""
    code = {"outputs": [], "execution_count": None} if cell_type == "code" else {}
    return {"cell_type": cell_type, "metadata": {}, "source": text, **code, **more}


def place(content: dict, grade_id: str) -> int:
    """Return where a graded cell stands."""
    return content["cells"].index(cell(content, grade_id))


def taken(folder: Path, chapter: Chapter = CHAPTER) -> tuple[Submission, dict[str, str]]:
    """Return the submission, and the texts of the notebook that would run, by cell id and in order."""
    submission = read_submission(folder, chapter)
    notebook = rebuild(source_notebook(chapter), submission)
    return submission, {cell.id: cell.source for cell in notebook.cells}


def said(submission: Submission, kind: str) -> list[str]:
    """Return the sentences of one kind of remark."""
    return [remark.text for remark in submission.remarks if remark.kind == kind]


@contextmanager
def no_waiting(seconds: int = 60) -> Iterator[None]:
    """End what would wait for ever: a broken intake must fail a test and not hold up all others."""

    def give_up(*_: object) -> None:
        raise AssertionError(f"still not back after {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
