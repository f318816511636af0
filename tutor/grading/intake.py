"""The trusted intake: from a folder that a learner filled to what is his in it, and to the notebook that is run.

A learner contributes the text of his answers and cells of his own. Everything else in his notebook (metadata, tags, kernel,
outputs, tests) and beside it has no say; what is odd about it becomes remarks for the instructor.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from tutor.course.chapters import Chapter
from tutor.grading import timestamp
from tutor.grading.files import Content, Listing, listing, read_file
from tutor.grading.form import Form, read_form, source_notebook
from tutor.grading.matching import Matched, match
from tutor.grading.notebook import read_cells
from tutor.grading.rebuild import rebuild
from tutor.grading.submission import Extra, IntakeError, Remark, Submission, listed, quoted

__all__ = ["Extra", "IntakeError", "Remark", "Submission", "read_submission", "rebuild", "source_notebook"]

NOTEBOOK_BYTES = 100_000_000  # as much as nbgrader's exchange lets through
NOTEBOOKS = 5  # read of one submission, when it isn't clear which one is meant
REMARKS = 100
OF_NBGRADER = (timestamp.NAME, "submission_secret.txt")


def read_submission(folder: Path, chapter: Chapter) -> Submission:
    """Return what a learner handed in for a chapter, and what the instructor should know about it.

    folder: the submission, with the notebook in it. The notebook is the one with the chapter's name; when that one isn't
    there, can't be read, or was not worked on, the one with most answers.

    Raises IntakeError when there is nothing to grade: no notebook, or one that can't be read. CourseError when the chapter
    isn't built.
    """
    form = read_form(chapter)
    found = listing(folder)
    path, status, matched, remarks = _notebook(folder, chapter, form, found)
    handed_in = None
    if timestamp.NAME in (*found.files, *found.links, *found.specials):
        handed_in, odd = timestamp.read_timestamp(folder, status.st_mtime, datetime.now(UTC))
        remarks += odd
    remarks += [*matched.remarks, *_neighbours(chapter, found, path)]
    if len(remarks) > REMARKS:
        more = Remark("more", f"there are {len(remarks) - REMARKS} more oddities like these")
        remarks = [*remarks[:REMARKS], more]
    return Submission(chapter.name, path, matched.answers, matched.extras, tuple(remarks), handed_in)


def _notebook(
    folder: Path, chapter: Chapter, form: Form, found: Listing
) -> tuple[str, os.stat_result, Matched, list[Remark]]:
    """Choose the notebook to grade and read it."""
    expected = chapter.student.name
    candidates = _candidates(expected, found)
    readable: list[tuple[int, str, os.stat_result, Matched, list[Remark]]] = []
    refused: dict[str, IntakeError] = {}
    for path in candidates[:NOTEBOOKS]:
        try:
            content = read_file(folder, path, NOTEBOOK_BYTES)
            _refuse_solution(path, content, chapter)
            cells, remarks = read_cells(path, content.data)
        except IntakeError as error:
            refused[path] = error
            continue
        matched = match(cells, form)
        worked_on = matched.worked_on(form)
        readable.append((worked_on, path, content.status, matched, remarks))
        if path == expected and worked_on:
            break
    if not readable:
        raise next(iter(refused.values()), None) or _nothing(expected, found)
    _, path, status, matched, remarks = max(readable, key=lambda each: each[0])  # the first of equals
    if path != expected:
        why = f": {refused[expected]}" if expected in refused else ""
        if expected in candidates and not why:
            why = f": nothing in {expected} was worked on"
        remarks = [Remark("renamed", f"graded is {quoted(path)}, not {expected}{why}"), *remarks]
    if status.st_nlink > 1:
        said = f"{quoted(path)} has a second name on this disk (a hard link): whose file is it?"
        remarks.append(Remark("links", said))
    return path, status, matched, remarks


def _candidates(expected: str, found: Listing) -> list[str]:
    """Return the notebooks that may be meant, likeliest first; none of those that Jupyter keeps for itself."""
    notebooks = {path for path in found.files if path.lower().endswith(".ipynb") and not _is_hidden(path)}
    if not found.whole and expected not in (*found.links, *found.specials):
        notebooks.add(expected)  # it may be among those that weren't looked at
    return sorted(notebooks, key=lambda path: (path != expected, path.count("/"), path))


def _is_hidden(path: str) -> bool:
    """Tell whether a file or a folder above it is one that people don't see."""
    return any(part.startswith((".", "__")) for part in path.split("/"))


def _refuse_solution(path: str, content: Content, chapter: Chapter) -> None:
    """Raise IntakeError when the file is the course's solution under a second name (a hard link)."""
    if os.path.samestat(content.status, chapter.solution.stat()):
        raise IntakeError(f"{quoted(path)} is the course's own solution, linked: ask for the learner's file")


def _nothing(expected: str, found: Listing) -> IntakeError:
    """Say why there is no notebook."""
    links = [path for path in found.links if path.lower().endswith(".ipynb")]
    specials = [path for path in found.specials if path.lower().endswith(".ipynb")]
    if links:
        return IntakeError(f"{listed(links)} is a link, and links aren't followed: ask for the file itself")
    if specials:
        return IntakeError(
            f"{listed(specials)} is a pipe, a device or a locked folder, not a file: ask for the notebook"
        )
    there = f" but {listed(found.files)}" if found.files else ""
    return IntakeError(f"there is no notebook, {expected} or any other{there}: ask for it")


def _neighbours(chapter: Chapter, found: Listing, graded: str) -> list[Remark]:
    """Remark on what lies beside the notebook; nothing of it is read or handed on."""
    remarks = []
    released = {path.relative_to(chapter.release).as_posix() for path in chapter.release.rglob("*")}
    left = [path for path in found.files if path != graded and not _is_hidden(path)]
    notebooks = [path for path in left if path.lower().endswith(".ipynb")]
    others = [path for path in left if path not in notebooks and path not in released and path not in OF_NBGRADER]
    if notebooks:
        remarks.append(Remark("extra-notebooks", f"other notebooks beside it aren't graded: {listed(notebooks)}"))
    if others:
        remarks.append(Remark("extra-files", f"files beside the notebook are left out: {listed(others)}"))
    if found.links:
        remarks.append(Remark("links", f"links are not followed: {listed(found.links)}"))
    if found.specials:
        said = f"neither files nor folders that can be opened, and left alone: {listed(found.specials)}"
        remarks.append(Remark("special-files", said))
    if not found.whole:
        remarks.append(Remark("many-files", "there are more files and folders than were looked at"))
    return remarks
