"""The folder of a graded submission, as ``nbgrader autograde`` leaves it: made beside its place, then put there."""

import glob
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files

from tutor.grading import timestamp
from tutor.grading.files import read_file
from tutor.grading.record.durable import make_folder, sync_folder, write_file
from tutor.grading.record.errors import Refused
from tutor.grading.record.journal import Entry
from tutor.grading.submission import IntakeError

SECRET = "submission_secret.txt"  # by which nbgrader's release_feedback tells whose page it is
SECRET_BYTES = 1_000


class GradedFolder:
    """Where one submission's graded files are, will be, and were."""

    def __init__(self, coursedir: CourseDirectory, chapter: str, student: str) -> None:
        self.place = Path(coursedir.format_path(coursedir.autograded_directory, student, chapter))
        self.staged = self.place.with_name(f".{chapter}.staged")
        self.replaced = self.place.with_name(f".{chapter}.replaced")

    def stage(self, files: Mapping[str, bytes], permissions: int, *, shared: bool) -> None:
        """Write the files where nothing reads them yet.

        files: by path below the folder. permissions: of each, such as 0o444. shared: let the group change the folders.
        """
        self.discard()
        make_folder(self.staged)
        for path, data in files.items():
            make_folder((self.staged / path).parent)
            write_file(self.staged / path, data, permissions)
        folders = [self.staged, *(path for path in self.staged.rglob("*") if path.is_dir())]
        for folder in folders:
            if shared:
                os.chmod(folder, folder.stat().st_mode | 0o2770)
            sync_folder(folder)

    def swap(self) -> None:
        """Put what is staged in its place; to be called again after being killed at any point, also when it is there."""
        if self.staged.is_dir():
            if self.place.is_dir():
                if self.replaced.is_dir():
                    shutil.rmtree(self.replaced)
                os.rename(self.place, self.replaced)
            os.rename(self.staged, self.place)
            sync_folder(self.place.parent)
        if self.replaced.is_dir():
            shutil.rmtree(self.replaced)

    def read(self, path: str) -> bytes | None:
        """Return a file of what is staged, else of what is in its place; None when there is neither."""
        for folder in (self.staged, self.place):
            if folder.is_dir():
                return (folder / path).read_bytes() if (folder / path).is_file() else None
        return None

    def discard(self) -> None:
        """Remove what is staged."""
        if self.staged.is_dir():
            shutil.rmtree(self.staged)


def leftovers(coursedir: CourseDirectory) -> Iterator[Path]:
    """Yield what runs that were killed had staged and not yet said to be whole, or had replaced."""
    for kind in ("staged", "replaced"):
        pattern = coursedir.format_path(coursedir.autograded_directory, "*", f".*.{kind}")
        yield from (Path(found) for found in sorted(glob.glob(pattern)))


def files_of(coursedir: CourseDirectory, entry: Entry, notebook: NotebookNode) -> dict[str, bytes]:
    """Return what a graded folder holds: the notebook, the chapter's other files, when it was handed in and by whom.

    Nothing else of the learner's folder is in it.
    """
    source = coursedir.format_path(coursedir.source_directory, ".", entry.chapter)
    beside = find_all_files(source, [*coursedir.ignore, "*.ipynb"])
    files = {os.path.relpath(path, source): Path(path).read_bytes() for path in beside}
    files[f"{entry.chapter}.ipynb"] = _written(notebook)
    secret = _secret(coursedir, entry)
    if secret:
        files[SECRET] = secret
    if entry.handed_in:
        files[timestamp.NAME] = f"{entry.handed_in:%Y-%m-%d %H:%M:%S.%f} UTC".encode()
    elif secret:
        files[timestamp.NAME] = b""  # release_feedback stops for the whole class where there is none
    return files


def _written(notebook: NotebookNode) -> bytes:
    """Return a notebook's file: nbformat's, but for its indentation, with which Python takes ten times as long."""
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise Refused(f"what running it gave is no notebook: {error.message[:200]}") from error
    return json.dumps(notebook, ensure_ascii=False).encode()


def _secret(coursedir: CourseDirectory, entry: Entry) -> bytes | None:
    """Return what ``nbgrader submit`` put beside the notebook; None when there is no such file or no sense in it."""
    folder = Path(coursedir.format_path(coursedir.submitted_directory, entry.student, entry.chapter))
    try:
        data = read_file(folder, SECRET, SECRET_BYTES).data
        data.decode()
    except (IntakeError, UnicodeDecodeError):  # handed in by another way, or spoilt: his page isn't released then
        return None
    return data
