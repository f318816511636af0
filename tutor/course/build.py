"""Build chapters: source → executed solution → learners' notebook; or say what building would change."""

import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import nbformat

from tutor.course.chapters import Chapter, CourseError, find_chapters
from tutor.course.execution import execute
from tutor.course.release import release
from tutor.course.rules import problems
from tutor.course.source import graded_checks, read_source
from tutor.replacing import replace_file

Say = Callable[[str], None]


def build(
    top: Path,
    names: Sequence[str] = (),
    *,
    exercises: Collection[str] | None = None,
    check: bool = False,
    say: Say = print,
) -> list[str]:
    """Build the chapters of the course at ``top`` (all, or those named) and return the files that changed.

    Building twice gives the same bytes. Files are replaced only after a chapter is whole, so that a build
    that fails leaves the old ones; files beside the learners' notebook that the build did not make are left
    alone. exercises: the names that ``check`` knows; a chapter that grades another one is refused (None: not
    looked at). check: write nothing; the files returned are those that a build would change.

    Raises CourseError as reading, the rules, running and releasing do.
    """
    changed: list[str] = []
    for chapter in find_chapters(top, names):
        for path, content in _made(chapter, exercises, say).items():
            shown = chapter.shown(path)
            if path.is_file() and path.read_bytes() == content:
                say(f"{chapter.name}: {shown} is up to date")
                continue
            changed.append(shown)
            if not check:
                replace_file(path, content)
            say(f"{chapter.name}: {shown} {'would change' if check else 'written'}")
    return changed


def _made(chapter: Chapter, exercises: Collection[str] | None, say: Say) -> dict[Path, bytes]:
    """Return each file that a chapter's source makes, with its bytes."""
    say(f"{chapter.name}: reading {chapter.shown(chapter.source)}")
    notebook = read_source(chapter)
    found = problems(notebook, exercises)
    if found:
        raise CourseError("\n".join(f"{chapter.shown(chapter.source)}, {problem}" for problem in found))
    graded = list(graded_checks(notebook))
    worth = sum(cell.points for cell in graded)
    say(f"{chapter.name}: running {len(notebook.cells)} cells, {len(graded)} of them graded, {worth:g} points")
    execute(notebook, chapter)
    solution = (nbformat.writes(notebook) + "\n").encode()
    say(f"{chapter.name}: making the learners' notebook")
    with tempfile.TemporaryDirectory() as workshop:
        files = release(chapter, solution, Path(workshop))
    return {
        chapter.solution: solution,
        **{chapter.release / name: content for name, content in files.items()},
    }
