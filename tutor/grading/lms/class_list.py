"""From an LMS's learner to nbgrader's student, by a CSV file that the LMS gives out."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from traitlets import Unicode
from traitlets.config import LoggingConfigurable

from tutor.grading.lms.errors import LmsError
from tutor.grading.lms.names import Owner, can_be_student, key
from tutor.grading.lms.sheets import Sheet, read_sheet
from tutor.grading.submission import quoted

NUMBERED = re.compile(r"\D+(\d+)")  # "Participant 123", in whichever language


class ClassList(LoggingConfigurable):
    """Settings that the way in and the way out share; ``c.ClassList.id_column`` is set once for both."""

    file = Unicode("", help="A CSV file of the class; else each .csv beside the downloaded zips is one.").tag(
        config=True
    )
    id_column = Unicode(
        "",
        help="The heading of the column that holds the students' ids in nbgrader. Default: Moodle's e-mail addresses, "
        "Canvas's numbers.",
    ).tag(config=True)

    parent: Any  # nbgrader's command, which has no types

    def fail(self, why: str) -> NoReturn:
        """End nbgrader's command with one sentence and status 1."""
        self.parent.fail(why)
        raise SystemExit(1)  # fail() has raised it already, which its types don't say


class Students:
    """Finds a learner's id in nbgrader.

    files: the class lists. id_column: as in ClassList; "" for the default.

    Raises LmsError when a class list can't be read, or has no column to take ids from.
    """

    def __init__(self, files: Sequence[Path], id_column: str) -> None:
        self._id_column = id_column
        self._canvas: dict[str, set[str]] = {}  # by Canvas's number
        self._moodle: dict[str, list[tuple[int, str]]] = {}  # by name: Moodle's number (0: not known) and the id
        self._files = ", ".join(path.name for path in files)
        for path in files:
            self._read(read_sheet(path))

    def find(self, who: Owner) -> str:
        """Return the student's id; raises LmsError when there is none for sure."""
        shown = f"{quoted(who.name)} ({who.number})"
        if who.lms == "Canvas" and not self._id_column:
            return str(who.number)
        if not self._files:
            raise LmsError(
                f"{shown} can't be told from others of that name: put Moodle's grading worksheet or list of participants "
                "(.csv, with e-mail addresses) beside the zip"
            )
        found = self._canvas.get(str(who.number), set()) if who.lms == "Canvas" else self._in_moodle(who)
        if not found:
            raise LmsError(f"{shown} is not in {self._files}: add the row, or download the list again")
        if len(found) > 1:
            raise LmsError(
                f"{shown} may be {' or '.join(map(quoted, sorted(found)))}: put the assignment's own grading worksheet, "
                "which has the numbers, beside the zip"
            )
        [student] = found
        if not can_be_student(student):
            raise LmsError(f"{shown} has the id {quoted(student)!r}, which nbgrader can't use: set ClassList.id_column")
        return student

    def _in_moodle(self, who: Owner) -> set[str]:
        """Return the ids of all whom a name in Moodle may mean; with a number they are told apart.

        Moodle puts the group's name before the learner's, where groups hand in.
        """
        rows = self._moodle.get(key(who.name)) or self._moodle.get(key(who.name.partition("-")[2])) or []
        return {student for number, student in rows if number == who.number} or {student for _, student in rows}

    def _read(self, sheet: Sheet) -> None:
        """Take over the rows of a class list: numbers, and names as one cell or as two beside each other."""
        ids, number = self._ids(sheet), sheet.column("ID")
        for row in sheet.rows:
            student = unicodedata.normalize("NFC", row[ids].strip())
            if not student:
                continue
            if number is not None:
                self._canvas.setdefault(row[number].strip(), set()).add(student)
            numbered = NUMBERED.fullmatch(row[0].strip())
            names = {*row, *(text for one, two in pairwise(row) for text in (one + two, two + one))}
            for name in filter(None, map(key, names)):
                self._moodle.setdefault(name, []).append((int(numbered[1]) if numbered else 0, student))

    def _ids(self, sheet: Sheet) -> int:
        """Return the column of the ids."""
        if self._id_column:
            found = sheet.column(self._id_column)
        else:
            mails = (c for c in range(len(sheet.heading)) if all("@" in row[c] for row in sheet.rows if row[c].strip()))
            found = next((column for column in mails if any(row[column] for row in sheet.rows)), None)
        if found is None:
            wanted = f"column {self._id_column!r}" if self._id_column else "column of e-mail addresses"
            has = ", ".join(quoted(each) for each in sheet.heading)
            raise LmsError(f"{sheet.path} has no {wanted}, only {has}: set ClassList.id_column to one of them")
        return found
