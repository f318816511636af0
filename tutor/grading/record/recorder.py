"""Record submissions in nbgrader's gradebook and folders, each whole or not at all, whatever ends the process.

What happens to each, in this order: its folder is staged; in one transaction the gradebook is written and, before that
ends, the journal says ``pending``; the folder is put in its place; the journal says ``recorded``. Killed before ``pending``,
nothing has happened. Killed after it, all that follows is done again from the staged folder and the journal, which
gives the same however much of it was done before.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import nbformat
from nbformat import NotebookNode, v4
from nbgrader.converters import Autograde

from tutor.course.chapters import Chapter
from tutor.course.source import grade_id
from tutor.grading.job import Graded
from tutor.grading.record.assignment import Cells, read_cells, save_assignment
from tutor.grading.record.errors import Refused, in_words
from tutor.grading.record.folder import GradedFolder, files_of, leftovers
from tutor.grading.record.gradebook import Database, OneTransaction
from tutor.grading.record.journal import Entry, Journal
from tutor.grading.record.outputs import make_harmless
from tutor.grading.record.scores import (
    Filled,
    fill,
    identities,
    late_penalties,
    read_scores,
    recorded_scores,
    waiting,
)
from tutor.grading.record.settings import read_settings
from tutor.grading.record.writer import OneWriter
from tutor.grading.submission import Remark, quoted

LONGEST = 128  # characters of a student's name that the gradebook keeps

Result = TypeVar("Result")


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)


class Record:
    """The one writer of a course's gradebook, ``autograded`` folders and grading journal; a context manager.

    top: the course's folder. db_url: of another gradebook than the one in ``nbgrader_config.py``. patience: seconds to wait
    while somebody else has the gradebook locked. say: is told so, and what was found unfinished.

    Raises RecordError when another process is recording, or the settings or the gradebook can't be used.
    """

    def __init__(
        self,
        top: Path,
        *,
        db_url: str | None = None,
        patience: float = 60.0,
        say: Callable[[str], object] = _tell,
    ) -> None:
        self.top, self._say = top, say
        self._course = read_settings(top, db_url)
        grading = top / "build" / "grading"
        with in_words():
            self._writer = OneWriter(grading)
        try:
            self._database = Database(self._course.db_url, self._course.course_id, patience=patience, say=say)
        except BaseException:
            self._writer.close()
            raise
        self._journal = Journal(grading)
        self._late = late_penalties(self._course.config)
        self._permissions = int(str(Autograde(coursedir=self._course, config=self._course.config).permissions), 8)
        self._cells: dict[str, Cells] = {}
        self._saved: set[str] = set()

    def __enter__(self) -> Record:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others record."""
        self._database.close()
        self._writer.close()

    def put(self, chapter: Chapter, graded: Graded, *, fingerprint: str, handed_in: datetime | None) -> list[Remark]:
        """Record one submission in the place of what was recorded of it before, and return remarks on scores by hand.

        fingerprint: of what was graded and how; ``done`` returns it from now on. handed_in: in UTC, without a time zone.

        Raises Refused when this submission can't be recorded, RecordError when none can at present. In both cases, as
        when the process is killed, it is recorded whole or as it was before, if need be by the next ``resume``. CourseError
        when the chapter isn't built.
        """
        with in_words():
            _check_name(graded.student)
            before = self._journal.read(chapter.name, graded.student)
            if before and before.state == "pending":
                self._finish(before)
                before = self._journal.read(chapter.name, graded.student)
            folder = self._folder(chapter.name, graded.student)
            notebook = self._notebook(chapter, graded)
            entry = Entry(
                chapter=chapter.name,
                student=graded.student,
                state="pending",
                fingerprint=fingerprint,
                handed_in=handed_in,
                scores=read_scores(notebook, graded.cells),
                answers=before.answers if before else self._answers_in(chapter, folder),
                cells=tuple(graded.cells),
                remarks=tuple(graded.remarks),
                seconds=graded.seconds,
            )
            folder.stage(files_of(self._course, entry, notebook), self._permissions, shared=self._course.groupshared)

            def work(gradebook: OneTransaction) -> Entry:
                filled = self._fill(gradebook, entry, notebook)
                full = replace(entry, answers=filled.answers, remarks=(*entry.remarks, *filled.remarks))
                self._journal.write(full)
                return full

            full = self._write(chapter, work)
            self._settle(full, folder)
        return list(full.remarks[len(entry.remarks) :])

    def done(self, chapter: Chapter, student: str) -> str | None:
        """Return the fingerprint that a submission was recorded with last.

        None when it never was, or when the gradebook and the graded folder no longer say so: it is to be recorded again.
        """
        entry = self.entry(chapter, student)
        if entry is None or entry.state != "recorded":
            return None
        if not (self._folder(chapter.name, student).place / chapter.solution.name).is_file():
            return None
        scores = self._database.read(lambda gradebook: recorded_scores(gradebook, chapter.name, student))
        return entry.fingerprint if scores == entry.scores else None

    def entry(self, chapter: Chapter, student: str) -> Entry | None:
        """Return all that is kept of a submission's last recording, for the tables of a class; None where there is none."""
        with in_words():
            return self._journal.read(chapter.name, student)

    def by_hand(self, chapter: Chapter) -> list[tuple[str, float, int]]:
        """Return the cells with answers that a person has yet to grade: each one's name, points, and number of learners.

        Raises RecordError when the gradebook can't be read.
        """
        return self._database.read(lambda gradebook: waiting(gradebook, chapter.name))

    def resume(self) -> list[Entry]:
        """Finish what a run that was killed left half done, sweep up what it had only begun, and return the former.

        Raises RecordError when that can't be written at present.
        """
        with in_words():
            finished = [self._finish(entry) for entry in self._journal.pending()]
            for folder in leftovers(self._course):
                self._say(f"Removing {folder.relative_to(self.top)}, left by a run that was ended.")
                shutil.rmtree(folder)
        return [entry for entry in finished if entry]

    def _finish(self, entry: Entry) -> Entry | None:
        """Record what is pending; None when that no longer fits the course, so that it is to be graded anew."""
        chapter = Chapter(self.top, entry.chapter)
        folder = self._folder(entry.chapter, entry.student)
        text = folder.read(chapter.solution.name)
        if text is None:
            self._journal.drop(entry.chapter, entry.student)
            return None
        notebook: NotebookNode = nbformat.reads(text.decode(), as_version=4)
        seen = {name: (looked_at, looked_at) for name, (_, looked_at) in entry.answers.items()}
        again = replace(entry, answers=seen)
        try:
            self._write(chapter, lambda gradebook: self._fill(gradebook, again, notebook))
        except Refused as error:
            self._say(f"{entry.chapter} of {quoted(entry.student)} is to be graded anew: {error}")
            self._journal.drop(entry.chapter, entry.student)
            return None
        return self._settle(entry, folder)

    def _settle(self, entry: Entry, folder: GradedFolder) -> Entry:
        """Put the folder in its place, now that the gradebook is written, and say that this is all."""
        folder.swap()
        recorded = replace(entry, state="recorded")
        self._journal.write(recorded)
        return recorded

    def _write(self, chapter: Chapter, work: Callable[[OneTransaction], Result]) -> Result:
        """Do ``work`` in one transaction, after what it needs: the chapter's own cells in the gradebook."""

        def all_of_it(gradebook: OneTransaction) -> Result:
            if chapter.name not in self._saved:
                save_assignment(gradebook, chapter, self._cells_of(chapter))
            return work(gradebook)

        result = self._database.write(all_of_it)
        self._saved.add(chapter.name)
        return result

    def _fill(self, gradebook: OneTransaction, entry: Entry, notebook: NotebookNode) -> Filled:
        """Write an entry's scores."""
        return fill(
            gradebook,
            entry.chapter,
            entry.student,
            notebook,
            entry.scores,
            entry.handed_in,
            entry.answers,
            self._late,
        )

    def _cells_of(self, chapter: Chapter) -> Cells:
        """Return a chapter's cells; read once for a class."""
        if chapter.name not in self._cells:
            self._cells[chapter.name] = read_cells(chapter, self._course.config)
        return self._cells[chapter.name]

    def _folder(self, chapter: str, student: str) -> GradedFolder:
        return GradedFolder(self._course, chapter, student)

    def _notebook(self, chapter: Chapter, graded: Graded) -> NotebookNode:
        """Return the executed notebook as it is to be written."""
        notebook: NotebookNode = v4.reads(graded.notebook)  # it is validated when it is written
        make_harmless(notebook)
        known = self._cells_of(chapter).source
        for cell in notebook.cells:
            if grade_id(cell) in known:  # as nbgrader does, which tells by it whether an answer is as released
                cell.metadata.nbgrader["checksum"] = known[grade_id(cell)]["checksum"]
        return notebook

    def _answers_in(self, chapter: Chapter, folder: GradedFolder) -> dict[str, tuple[str, str]]:
        """Return the answers in a folder that nbgrader itself graded, so that what people gave points for is known."""
        path = folder.place / chapter.solution.name
        if not path.is_file():
            return {}
        found = identities(nbformat.read(path, as_version=4))
        return {name: (answer, answer) for name, answer in found.items()}


def _check_name(student: str) -> None:
    """Raise Refused for a student's name that the gradebook or the folders can't have."""
    strange = student in ("", ".", "..") or student.startswith(".") or "/" in student
    if strange or not student.isprintable() or len(student) > LONGEST:
        raise Refused(
            f"{quoted(student)!r} can't be a student's name in the gradebook (at most {LONGEST} printable characters, none "
            "of them /, no dot in front): rename the folder"
        )
