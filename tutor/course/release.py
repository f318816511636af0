"""Make the learners' notebook of a chapter with nbgrader's own GenerateAssignment."""

import ast
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from tutor.course.chapters import Chapter, CourseError
from tutor.course.source import cell_name, nbgrader_metadata
from tutor.places import CHECKOUT_MARK

SECRETS = ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "hidden=True", "MARK SCHEME")


def nbgrader_config(top: Path) -> Config:
    """Return the settings in the course's ``nbgrader_config.py``."""
    config: Config = PyFileConfigLoader(CHECKOUT_MARK, path=str(top)).load_config()
    return config


def release(chapter: Chapter, notebook: bytes, workshop: Path) -> dict[str, bytes]:
    """Return what learners get of a chapter: each file's path below the release folder and its bytes.

    notebook: the executed solution as it will lie on disk. workshop: an empty folder to work in, so that a
    release that fails leaves the old one in place. It is ``nbgrader generate_assignment --force --no-db`` in
    all but name.

    Raises CourseError when nbgrader refuses, or when anything secret is left in what it made.
    """
    config = nbgrader_config(chapter.top)
    source = workshop / config.CourseDirectory.source_directory / chapter.name
    shutil.copytree(chapter.folder, source, ignore=shutil.ignore_patterns("*.ipynb"))
    (source / chapter.solution.name).write_bytes(notebook)
    config.CourseDirectory.root = str(workshop)
    config.CourseDirectory.assignment_id = chapter.name
    config.SaveCells.enabled = False
    coursedir = CourseDirectory(config=config)
    converter = GenerateAssignment(coursedir=coursedir, config=config, force=True, no_database=True)
    said = _Said()
    converter.log = logging.Logger(__name__)  # nbgrader's own would fill the screen with what goes well
    converter.log.addHandler(said)
    try:
        converter.start()
    except Exception as error:
        raise CourseError("\n".join([f"nbgrader does not release {chapter.name}: {error}", *said.errors])) from error
    made = workshop / config.CourseDirectory.release_directory / chapter.name
    files = {p.relative_to(made).as_posix(): p.read_bytes() for p in sorted(made.rglob("*")) if p.is_file()}
    leaks = [*_leaks(files, chapter)]
    if leaks:
        raise CourseError("\n".join(leaks))
    return files


class _Said(logging.Handler):
    """Keep what nbgrader logs as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record's text."""
        self.errors.append(record.getMessage())


def _leaks(files: dict[str, bytes], chapter: Chapter) -> Iterator[str]:
    """Yield why a release must not reach learners."""
    if chapter.student.name not in files:
        yield f"nbgrader made no {chapter.student.name} for {chapter.name}"
        return
    for path in files:
        if path != chapter.student.name and path.endswith((".py", ".ipynb", ".db")):
            stray = chapter.shown(chapter.folder / path)
            yield f"{stray} would be released; add it to CourseDirectory.ignore in {CHECKOUT_MARK}"
    notebook = nbformat.reads(files[chapter.student.name].decode(), as_version=4)
    for index, cell in enumerate(notebook.cells):
        where = f"{chapter.shown(chapter.student)}, {cell_name(notebook, index)}"
        yield from (f"{where} still contains {secret!r}" for secret in SECRETS if secret in cell.source)
        if cell.get("outputs"):
            yield f"{where} still has outputs"
        yield from (f"{where} {reason}" for reason in _stub_fails(cell))


def _stub_fails(cell: NotebookNode) -> Iterator[str]:
    """Yield why an answer cell would fail as released: it must define its function, which then raises."""
    if cell.cell_type != "code" or not nbgrader_metadata(cell).get("solution"):
        return
    try:
        outside = [node for node in ast.parse(cell.source).body if isinstance(node, ast.Raise)]
    except SyntaxError as error:
        yield f"is not Python once its solution is taken out: {error}; mend the marks' indentation"
        return
    if outside and not nbgrader_metadata(cell).get("grade"):
        yield "raises outside its function once its solution is taken out; indent the marks as its body is"
