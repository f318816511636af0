"""nbgrader's export for Moodle's gradebook: Grades → Import → CSV file."""

from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin

from tutor.grading.lms.class_list import ClassList
from tutor.grading.lms.errors import LmsError
from tutor.grading.lms.grades import number, read_grades
from tutor.grading.lms.sheets import harmless, write_sheet
from tutor.grading.submission import listed


class MoodleExport(ClassList, ExportPlugin):  # type: ignore[misc]  # nbgrader has no types
    """Writes one row a student: who he is, and his points in each assignment; empty where he handed in nothing."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to ``self.to``."""
        try:
            grades = read_grades(gradebook, self.assignment, self.student)
            students = sorted({student for each in grades for student in each.points})
            rows = [[self.id_column or "Email address", *(each.assignment for each in grades)]]
            for student in students:
                points = (number(each.points[student]) if student in each.points else "" for each in grades)
                rows.append([harmless(student), *points])
            write_sheet(Path(self.to), [[harmless(cell) for cell in rows[0]], *rows[1:]])
        except LmsError as error:
            self.fail(str(error))
        changed = [student for student in students if harmless(student) != student]
        if changed:
            self.log.warning(
                "Moodle won't know %s: an id that begins like a formula gets a ' before it", listed(changed)
            )
        for each in grades:
            if each.waiting:
                self.log.warning("%s: people have yet to grade cells of %s", each.assignment, listed(each.waiting))
            self.log.info("%s: %d grades of at most %s points", each.assignment, len(each.points), number(each.worth))
