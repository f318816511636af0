"""Find the chapters of a course on disk and say where each of their files belongs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from tutor.places import CHECKOUT_MARK

CHAPTER_NAME = re.compile(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*")


class CourseError(Exception):
    """Something on disk is not as a course needs it; the message says what, where, and what to do."""


@dataclass(frozen=True)
class Chapter:
    """One chapter: its folder, its file and its assignment share one name, such as ``01_activations``."""

    top: Path
    name: str

    @property
    def folder(self) -> Path:
        """The folder with the hand-edited source and everything that is released beside the notebook."""
        return self.top / "solutions" / self.name

    @property
    def source(self) -> Path:
        """The one hand-edited file (jupytext py:percent)."""
        return self.folder / f"{self.name}.py"

    @property
    def solution(self) -> Path:
        """The executed notebook, built from the source."""
        return self.folder / f"{self.name}.ipynb"

    @property
    def release(self) -> Path:
        """The folder that learners get."""
        return self.top / "notebooks" / self.name

    @property
    def student(self) -> Path:
        """The learners' notebook, built from the solution by nbgrader."""
        return self.release / f"{self.name}.ipynb"

    def shown(self, path: Path) -> str:
        """Return a path as messages show it: relative to the top of the course."""
        return path.relative_to(self.top).as_posix()


def find_top(start: Path) -> Path:
    """Return the top of the course that ``start`` lies in: the nearest folder with an ``nbgrader_config.py``.

    Raises CourseError when no folder from ``start`` upwards has one.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CHECKOUT_MARK).is_file():
            return folder
    raise CourseError(
        f"{start} is not inside a course (no {CHECKOUT_MARK} there or above it); "
        "change into the course's folder, or name it with --course"
    )


def find_chapters(top: Path, names: Sequence[str] = ()) -> list[Chapter]:
    """Return the chapters under ``top/solutions`` in order; with ``names``, only those.

    Raises CourseError for a folder that is not named ``NN_topic``, lacks its source or holds a second
    notebook (nbgrader would release that too), and for a name that no chapter has.
    """
    shelf = top / "solutions"
    if not shelf.is_dir():
        raise CourseError(f"{shelf} does not exist; a course keeps each chapter in solutions/NN_topic/NN_topic.py")
    folders = sorted(f for f in shelf.iterdir() if f.is_dir() and not f.name.startswith((".", "__")))
    present = [folder.name for folder in folders]
    for name in names:
        if name not in present:
            near = get_close_matches(name, present, n=1) or present
            raise CourseError(f"there is no chapter {name!r} in {shelf}; did you mean {' or '.join(near)}?")
    wanted = names or present
    return [_chapter(top, folder) for folder in folders if folder.name in wanted]


def _chapter(top: Path, folder: Path) -> Chapter:
    """Return the chapter in one folder, or raise CourseError when names and files do not fit together."""
    chapter = Chapter(top, folder.name)
    where = chapter.shown(folder)
    if not CHAPTER_NAME.fullmatch(folder.name):
        raise CourseError(f"{where} is not named NN_topic (two digits, then lower-case words joined by _); rename it")
    if not chapter.source.is_file():
        others = sorted(path.name for path in folder.glob("*.py"))
        found = f"; it holds {', '.join(others)}" if others else ""
        raise CourseError(f"{where} has no {chapter.source.name}{found}: folder and file share one name")
    strays = sorted(path.name for path in folder.rglob("*.ipynb") if _is_stray(path, chapter))
    if strays:
        raise CourseError(
            f"{where} holds a second notebook, {strays[0]}, which nbgrader would release; move it elsewhere"
        )
    return chapter


def _is_stray(path: Path, chapter: Chapter) -> bool:
    """Say whether a notebook in a chapter's folder is neither the built one nor an editor's checkpoint."""
    return path != chapter.solution and ".ipynb_checkpoints" not in path.parts
