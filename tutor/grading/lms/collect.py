"""nbgrader's ``zip_collect`` for what Moodle and Canvas let people download."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from nbgrader.plugins import ExtractorPlugin

from tutor.grading.lms.archives import Download, Piece
from tutor.grading.lms.class_list import ClassList, Students
from tutor.grading.lms.errors import LmsError
from tutor.grading.lms.names import notebook
from tutor.grading.submission import quoted

REPORT = "report.txt"


@dataclass(frozen=True)
class Waiting:
    """A notebook that was unpacked and has no name yet; age: sorts the newest last."""

    age: tuple[object, ...]
    file: Path
    digest: bytes
    shown: str


class LmsExtractor(ClassList, ExtractorPlugin):  # type: ignore[misc]  # nbgrader has no types
    """Unpacks a download to ``STUDENT/NOTEBOOK.ipynb``, which nbgrader then copies to ``build/submitted``.

    The newest of several notebooks gets the assignment's name; those before it lie beside it as
    ``NOTEBOOK.earlier-1.ipynb`` and so on. What is odd is logged, and kept in ``report.txt`` beside the downloads.
    """

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack the zips and files in the first folder to the second."""
        folder, into = Path(archive_path), Path(extracted_path)
        self._lines: list[str] = []
        try:
            students = Students(self._class_lists(folder), self.id_column)
        except LmsError as error:
            self.fail(str(error))
        download = Download(folder, self._say)
        waiting = self._unpacked(download, students, into / ".waiting")
        kept = sum(self._placed(into / student, found) for student, found in sorted(waiting.items()))
        shutil.rmtree(into / ".waiting", ignore_errors=True)
        late = sorted({owner.name for owner in download.owners if owner.late})
        if late:
            self._say(f"handed in late, says Canvas: {', '.join(map(quoted, late))}")
        report = folder.parent / REPORT
        report.write_text("".join(f"{line}\n" for line in self._lines), encoding="utf-8")
        self.log.info(
            "notebooks: %d, students: %d, odd: %d; all of it is in %s", kept, len(waiting), len(self._lines), report
        )
        if not waiting:
            self.fail(f"nothing to collect was found in {folder}: put the zip from Moodle or Canvas there")

    def _say(self, sentence: str) -> None:
        """Tell the instructor, now and in the report."""
        self._lines.append(sentence)
        self.log.warning("%s", sentence)

    def _class_lists(self, folder: Path) -> list[Path]:
        """Return the class lists: the one that is named, else those beside the zips."""
        if self.file:
            return [Path(self.parent.coursedir.root, self.file)]
        return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.is_file())

    def _unpacked(self, download: Download, students: Students, into: Path) -> dict[str, dict[str, list[Waiting]]]:
        """Unpack each notebook and return them by student and by name."""
        assignment = self.parent.coursedir.assignment_id
        into.mkdir()
        found: dict[str, dict[str, list[Waiting]]] = {}
        refused: set[str] = set()
        for number, piece in enumerate(download.notebooks()):
            try:
                student = students.find(piece.owner)
            except LmsError as error:
                if str(error) not in refused:
                    self._say(f"not collected: {error}")
                refused.add(str(error))
                continue
            name, copy = notebook(piece.path[-1], assignment)
            file = into / str(number)
            file.write_bytes(piece.data)
            shown = quoted("/".join(piece.path), 150)
            each = Waiting(_age(piece, copy), file, hashlib.sha256(piece.data).digest(), shown)
            found.setdefault(student, {}).setdefault(name, []).append(each)
        return found

    def _placed(self, folder: Path, notebooks: dict[str, list[Waiting]]) -> int:
        """Give a student's notebooks their names and return how many there are."""
        folder.mkdir()
        free = count(1)
        for name, found in sorted(notebooks.items(), key=lambda item: item[0] != self.parent.coursedir.assignment_id):
            newest_first = sorted(found, key=lambda each: each.age, reverse=True)
            different = {each.digest: each for each in reversed(newest_first)}
            kept = [each for each in newest_first if different[each.digest] is each]
            for each in kept:
                file = folder / f"{name}.ipynb"
                while file.exists():  # on some systems the same in other capitals, or with umlauts taken apart
                    file = folder / f"{name}.earlier-{next(free)}.ipynb"
                os.replace(each.file, file)
            if len(kept) > 1:
                said = f"{len(kept)} notebooks called {quoted(name)}; the newest counts, {kept[0].shown}"
                self._say(f"{quoted(folder.name)} handed in {said}, and the others lie beside it")
            elif kept[0].shown.rpartition("/")[2] != f"{name}.ipynb":
                self._say(f"{quoted(folder.name)}: {kept[0].shown} is taken as {name}.ipynb")
        return len(list(folder.iterdir()))


def _age(piece: Piece, copy: tuple[int, ...]) -> tuple[object, ...]:
    """Return what sorts the newest last: Canvas's number of the upload, else the times in the zip, else the copy's number."""
    return piece.owner.upload, piece.when[1:] or piece.when, copy, piece.when[0]
