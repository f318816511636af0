"""nbgrader's export for Canvas's gradebook: fills columns of the CSV file that Canvas exported."""

import re
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin
from traitlets import Dict, Unicode

from tutor.grading.lms.class_list import ClassList
from tutor.grading.lms.errors import LmsError
from tutor.grading.lms.grades import Grades, number, read_grades
from tutor.grading.lms.names import key
from tutor.grading.lms.sheets import Sheet, harmless, read_sheet, write_sheet
from tutor.grading.submission import listed, quoted

COLUMN = re.compile(r"(?P<name>.*?)\s*\((?P<number>\d+)\)\s*", re.DOTALL)
POINTS_POSSIBLE = "points possible"


class CanvasExport(ClassList, ExportPlugin):  # type: ignore[misc]  # nbgrader has no types
    """Fills in points; every other column and row stays, and so does a grade for which nothing was handed in here."""

    gradebook = Unicode("", help="The CSV file that Canvas exported (Grades → Export).").tag(config=True)
    columns = Dict(help="The assignment's name in Canvas, where it is another one than here.").tag(config=True)

    def export(self, gradebook: Gradebook) -> None:
        """Write the filled-in file to ``self.to``."""
        try:
            if not self.gradebook:
                raise LmsError(
                    "Canvas knows students and assignments by numbers: export its gradebook (Grades → Export), and name the "
                    "file with --CanvasExport.gradebook=FILE"
                )
            if Path(self.to).resolve() == Path(self.gradebook).resolve():
                raise LmsError(f"{self.to} is Canvas's own file: name another one with --to")
            sheet = read_sheet(Path(self.gradebook))
            grades = read_grades(gradebook, self.assignment, self.student)
            rows = self._students(sheet)
            filled = [each for each in grades if self._fill(sheet, rows, each)]
            if not filled:
                raise LmsError(
                    f"{self.gradebook} has no column for {', '.join(each.assignment for each in grades)}: make the assignment "
                    'in Canvas and export again, or say its name there with --CanvasExport.columns=NAME="NAME THERE"'
                )
            safe = [[harmless(cell) for cell in row] for row in sheet.rows]
            write_sheet(Path(self.to), [sheet.heading, *safe], sheet.delimiter)
        except LmsError as error:
            self.fail(str(error))

    def _students(self, sheet: Sheet) -> dict[str, list[list[str]]]:
        """Return the students' rows by their ids in nbgrader; whoever is in two sections may have two."""
        name = self.id_column or "ID"
        column = sheet.column(name)
        if column is None:
            raise LmsError(f"{sheet.path} has no column {name!r}: export the whole gradebook from Canvas again")
        found: dict[str, list[list[str]]] = {}
        for row in sheet.rows:
            if row[column].strip():
                found.setdefault(row[column].strip(), []).append(row)
        return found

    def _fill(self, sheet: Sheet, rows: dict[str, list[list[str]]], grades: Grades) -> bool:
        """Fill in one assignment's points and say what doesn't fit; False when Canvas has no such assignment."""
        named = self.columns.get(grades.assignment, grades.assignment)
        headings = enumerate(map(COLUMN.fullmatch, sheet.heading))
        found = [at for at, heading in headings if heading and key(heading["name"]) == key(named)]
        if len(found) != 1:
            many = "has several columns" if found else "has no column"
            self.log.warning("%s: Canvas's file %s called %s; left out", grades.assignment, many, quoted(named))
            return False
        [column] = found
        for student, points in grades.points.items():
            for row in rows.get(student, ()):
                row[column] = number(points)
        unknown = sorted(set(grades.points) - set(rows))
        if unknown:
            self.log.warning("%s: not in Canvas's file, and left out: %s", grades.assignment, listed(unknown, 20))
        absent = [found[0][0] for student, found in rows.items() if student not in grades.points]
        if absent:
            said = "%s: nothing was handed in by %s; what Canvas has stays"
            self.log.warning(said, grades.assignment, listed(absent, 20))
        if grades.waiting:
            self.log.warning("%s: people have yet to grade cells of %s", grades.assignment, listed(grades.waiting))
        possible = next((row[column] for row in sheet.rows if row[0].strip().casefold() == POINTS_POSSIBLE), "")
        if possible and possible.strip() != number(grades.worth) and not _same(possible, grades.worth):
            said = "%s is worth %s points here and %s in Canvas: set it there before you import"
            self.log.warning(said, grades.assignment, number(grades.worth), quoted(possible))
        count = len(set(grades.points) & set(rows))
        self.log.info("%s: %d grades in column %s", grades.assignment, count, sheet.heading[column])
        return True


def _same(text: str, points: float) -> bool:
    """Tell whether a cell holds that number, with a comma or a full stop."""
    try:
        return float(text.replace(",", ".")) == points
    except ValueError:
        return False
