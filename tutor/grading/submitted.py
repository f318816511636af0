"""Find what a class has handed in, in the folder that ``nbgrader collect`` fills, and the secret that a class shares."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from tutor.course.chapters import Chapter, CourseError, find_chapters
from tutor.grading.submission import Remark, quoted

MOST_STRAYS = 100  # things in a learner's folder that are looked at
LONGEST = 200  # bytes of a student's name, which is part of files' names


@dataclass(frozen=True)
class HandedIn:
    """One learner's folder for one chapter; whether there is a notebook in it is for the intake to say."""

    student: str
    chapter: Chapter
    folder: Path


@dataclass(frozen=True)
class Skipped:
    """Something that lies where submissions do and isn't graded, and why."""

    student: str
    remark: Remark


def submitted_folder(top: Path) -> Path:
    """Return where the course keeps what was handed in."""
    return top / "build" / "submitted"


def find_submissions(
    top: Path, chapters: Sequence[Chapter], students: Sequence[str] = ()
) -> tuple[list[HandedIn], list[Skipped]]:
    """Return the submissions of these chapters (of these students only), by chapter and student, and what is skipped.

    Raises CourseError when nothing was handed in at all, or nothing by a student that was named.
    """
    shelf = submitted_folder(top)
    try:
        entries = sorted(os.scandir(shelf), key=lambda entry: entry.name)
    except OSError as error:
        raise CourseError(
            f"{shelf} can't be read ({error.strerror}); collect what was handed in first: nbgrader collect CHAPTER"
        ) from error
    found: list[HandedIn] = []
    skipped: list[Skipped] = []
    known = [chapter.name for chapter in find_chapters(top)]
    for entry in entries:
        if entry.name.startswith(".") or (students and entry.name not in students):
            continue
        why = _odd(entry)
        if why:
            said = f"build/submitted/{quoted(entry.name)} {why}; it is skipped"
            skipped.append(Skipped(quoted(entry.name), Remark("skipped", said)))
            continue
        skipped += [Skipped(quoted(entry.name), Remark("skipped", said)) for said in _strays(entry, known)]
        folders = [(chapter, Path(entry.path, chapter.name)) for chapter in chapters]
        found += [
            HandedIn(entry.name, chapter, folder)
            for chapter, folder in folders
            if folder.is_symlink() or folder.exists()
        ]
    names = ", ".join(chapter.name for chapter in chapters)
    missing = [name for name in students if name not in {each.student for each in found} | {s.student for s in skipped}]
    if missing:
        raise CourseError(f"{quoted(missing[0])} has handed in nothing for {names} in {shelf}; is the name right?")
    if not found and not skipped:
        raise CourseError(f"nothing was handed in for {names} in {shelf}; collect it first: nbgrader collect CHAPTER")
    return sorted(found, key=lambda each: (each.chapter.name, each.student)), skipped


def _odd(entry: os.DirEntry[str]) -> str:
    """Say why something in the folder is no learner's; "" when it is."""
    if entry.is_symlink():
        return "is a link, and links aren't followed"
    if not entry.is_dir(follow_symlinks=False):
        return "is no folder"
    name = entry.name
    if not name.isprintable() or name != name.strip() or name.startswith("-") or len(name.encode()) > LONGEST:
        return "has a name that no student can have"
    return ""


def _strays(learner: os.DirEntry[str], known: Sequence[str]) -> Iterator[str]:
    """Say of what lies in a learner's folder and in no chapter's that it is skipped: work that nobody would miss else."""
    where = f"build/submitted/{quoted(learner.name)}"
    try:
        entries = sorted(os.scandir(learner.path), key=lambda entry: entry.name)
    except OSError as error:
        yield f"{where} can't be read ({error.strerror}); it is skipped"
        return
    for entry in entries[:MOST_STRAYS]:
        if entry.name in known or entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            near = get_close_matches(entry.name, known, n=1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            yield f"{where}/{quoted(entry.name)} is no chapter's folder{meant}; it is skipped"
        elif entry.name.endswith(".ipynb"):
            name = entry.name.removesuffix(".ipynb")
            place = f"{where}/{name if name in known else 'NN_topic'}/"
            yield f"{where}/{quoted(entry.name)} lies beside the chapters' folders; put it into {place}; it is skipped"


def class_seed(top: Path) -> int:
    """Return the seed of the course's hidden inputs, which is drawn the first time and kept for its owner alone.

    Raises CourseError when the file that keeps it holds something else.
    """
    path = top / "build" / "grading" / "seed"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".seed-") as file:  # 0600 from the start
            file.write(f"{secrets.randbits(62)}\n")
            file.flush()
            os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another run was quicker, and its seed counts
                os.link(file.name, path)
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    if not text.isdecimal():
        raise CourseError(
            f"{path} does not hold a number; delete it, and a new seed is drawn (or give one with --seed)"
        )
    return int(text)
