"""Look into a folder that a learner filled: only regular files, up to a size, through no link, waiting for nothing."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tutor.grading.submission import IntakeError, quoted

ENTRIES = 2_000  # files and folders looked at
DEPTH = 6  # folders in folders
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass
class Listing:
    """What lies in a folder and below it, as paths below it, sorted; whole: whether all of it was looked at."""

    files: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    specials: list[str] = field(default_factory=list)  # pipes, sockets, devices
    whole: bool = True
    seen: int = 0


@dataclass(frozen=True)
class Content:
    """A file's bytes and what the system knew about it when they were read."""

    data: bytes
    status: os.stat_result


def listing(folder: Path) -> Listing:
    """Return what lies in a folder, following no link; what is beyond ``ENTRIES`` or ``DEPTH`` is left out.

    Raises IntakeError when the folder isn't there, is a link, is none, or may not be read.
    """
    found = Listing()
    with _opened(folder, ()) as top:
        _look(top, "", 0, found)
    for names in (found.files, found.links, found.specials):
        names.sort()
    return found


def _look(folder: int, above: str, depth: int, found: Listing) -> None:
    """Add an open folder's entries, then those of the folders in it."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if found.seen == ENTRIES:
                found.whole = False
                return
            found.seen += 1
            path = above + entry.name
            if entry.is_symlink():
                found.links.append(path)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                found.files.append(path)
            else:
                found.specials.append(path)
    for name in sorted(folders):
        if depth == DEPTH:
            found.whole = False
            return
        try:
            below = os.open(name, FOLDER, dir_fd=folder)
        except OSError:  # not readable, or no folder any more
            found.specials.append(above + name)
            continue
        try:
            _look(below, f"{above}{name}/", depth + 1, found)
        finally:
            os.close(below)


def read_file(folder: Path, path: str, most: int) -> Content:
    """Return the bytes of a regular file below ``folder``.

    most: the largest number of bytes that is read.

    Raises IntakeError when it isn't there, is no regular file, is larger, or can't be read.
    """
    *above, name = path.split("/")
    shown = quoted(path)
    with _opened(folder, above) as parent:
        try:
            if not stat.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                raise IntakeError(f"{shown} is a link, a folder, a pipe or a device and not a file: ask for the file")
            handle = os.open(name, FILE, dir_fd=parent)
        except OSError as error:
            raise IntakeError(f"{shown} can't be read ({error.strerror}): ask for the file again") from error
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):  # exchanged in between
            raise IntakeError(
                f"{shown} is no file any more: nothing else may write to submissions while they are graded"
            )
        try:
            data = file.read(most + 1) if status.st_size <= most else None
        except OSError as error:
            raise IntakeError(f"{shown} can't be read ({error.strerror}): ask for the file again") from error
    if data is None or len(data) > most:
        raise IntakeError(
            f"{shown} is larger than {most / 1e6:g} MB: ask for it again, with its outputs cleared "
            "(in JupyterLab: Edit → Clear Outputs of All Cells)"
        )
    return Content(data, status)


@contextmanager
def _opened(folder: Path, above: tuple[str, ...] | list[str]) -> Iterator[int]:
    """Open a folder, or one in it, step by step so that no step is a link."""
    shown = quoted(folder.name)
    try:
        handle = os.open(folder, FOLDER)
    except FileNotFoundError as error:
        link = " but a link to nothing" if folder.is_symlink() else ""
        raise IntakeError(f"there is no folder {shown}{link}: nothing was handed in") from error
    except OSError as error:
        why = "is a link, and links aren't followed" if folder.is_symlink() else f"can't be opened ({error.strerror})"
        raise IntakeError(f"the folder {shown} {why}: put the submission itself there") from error
    try:
        for name in above:
            try:
                below = os.open(name, FOLDER, dir_fd=handle)
            except OSError as error:
                raise IntakeError(f"the folder {quoted(name)} can't be opened ({error.strerror})") from error
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)
