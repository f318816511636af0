"""Read a download, zips in zips too, without trusting what learners put in: names, sizes, links, numbers of files.

Nothing is written where an archive says; files are handed on as bytes, with the path that they had there.
"""

import io
import re
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tutor.grading.intake import NOTEBOOK_BYTES
from tutor.grading.lms.names import Owner, owner
from tutor.grading.submission import listed, quoted

LEARNERS_BYTES = 3 * NOTEBOOK_BYTES  # unpacked, of all that one person handed in
LEARNERS_FILES = 2_000  # in one zip of a learner's
DEEPEST = 3  # zips in zips, the LMS's own counted
ENTRY = b"PK\x01\x02"  # begins each file's entry in a zip's table of contents (PKWARE's APPNOTE.TXT, 4.3.12)
DRIVE = re.compile("[A-Za-z]:")
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, RuntimeError,
)  # fmt: skip

Say = Callable[[str], None]


@dataclass(frozen=True)
class Piece:
    """A notebook that somebody handed in.

    path: as he named it, folders and zips that it lay in before it. when: the times of those, outermost first, as
    ``(year, month, day, hour, minute, second)``.
    """

    owner: Owner
    path: tuple[str, ...]
    when: tuple[tuple[int, ...], ...]
    data: bytes


class Download:
    """What lies in the folder of a download; what is left out and why goes to ``say``, in a sentence."""

    def __init__(self, folder: Path, say: Say) -> None:
        self._folder = folder
        self._say = say
        self._left: dict[tuple[str, int], int] = {}  # bytes that each learner's files may still come to
        self._others: dict[str, dict[str, None]] = {}  # of each learner, what is no notebook
        self.owners: dict[Owner, None] = {}  # everybody who handed anything in, in the order found

    def notebooks(self) -> Iterator[Piece]:
        """Yield each notebook in the folder and in its zips."""
        for path in sorted(self._folder.rglob("*")):
            parts = path.relative_to(self._folder).parts
            if path.is_symlink():
                self._say(f"{_shown(parts)} is a link, and links aren't followed: copy the file itself there")
            elif path.is_file() and not _hidden(parts) and not (path.suffix.lower() == ".csv" and not owner(parts)):
                changed = path.stat().st_mtime
                yield from self._file(parts, (time.localtime(max(changed, 0))[:6],), path.open, 0)
        for who, names in self._others.items():
            self._say(f"{who}: no notebook, and so left in the download: {listed(list(names))}")

    def _file(
        self,
        parts: tuple[str, ...],
        when: tuple[tuple[int, ...], ...],
        opened: Callable[[str], IO[bytes]],
        depth: int,
    ) -> Iterator[Piece]:
        """Yield what a file holds: itself when it is a notebook, what is in it when it is a zip."""
        found = owner(parts)
        kind = (found[1] or parts if found else parts)[-1].lower().rpartition(".")[2]
        if found:
            self.owners.setdefault(found[0])
        try:
            if kind == "zip" and not found:
                with opened("rb") as file:
                    yield from self._zip(parts, when, file, depth)
            elif not found:
                self._say(f"{_shown(parts)} is left out: its name is neither Moodle's nor Canvas's")
            elif kind == "zip":
                held = self._read(found[0], opened)
                if held.count(ENTRY) > LEARNERS_FILES:  # before the table of contents takes memory
                    raise ValueError(f"more than {LEARNERS_FILES:,} files, which is no homework")
                yield from self._zip(parts, when, io.BytesIO(held), depth)
            elif kind == "ipynb":
                yield Piece(found[0], found[1] or parts[-1:], when, self._read(found[0], opened))
            else:
                who = f"{quoted(found[0].name)} ({found[0].number})"
                self._others.setdefault(who, {}).setdefault("/".join(found[1] or parts[-1:]))
        except UNREADABLE as error:
            what = "ask for it again" if found else "download it again"
            self._say(f"{_shown(parts)} can't be read ({quoted(str(error))}): {what}")

    def _read(self, whose: Owner, opened: Callable[[str], IO[bytes]]) -> bytes:
        """Return a learner's file's bytes, counted as they come: what a zip says of its sizes may be a lie."""
        left = self._left.setdefault((whose.lms, whose.number), LEARNERS_BYTES)
        most = min(NOTEBOOK_BYTES, left)
        with opened("rb") as file:
            data = file.read(most + 1)
        self._left[whose.lms, whose.number] = left - min(len(data), most)
        if len(data) > most:
            limit = "a file may have" if most == NOTEBOOK_BYTES else "were left of what one person may hand in"
            raise ValueError(f"larger unpacked than the {most / 1e6:,.0f} MB that {limit}")
        return data

    def _zip(
        self, parts: tuple[str, ...], when: tuple[tuple[int, ...], ...], file: IO[bytes], depth: int
    ) -> Iterator[Piece]:
        """Yield what a zip holds."""
        learners = owner(parts)
        if depth >= DEEPEST:
            raise ValueError(f"a zip in a zip, {depth} deep")
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if learners and sum(owner((path,)) is not None for m in members for path in _parts(m)) > 1:
                whose = f"{quoted(learners[0].name)} ({learners[0].number})"
                self._say(
                    f"{_shown(parts)} is taken as handed in by {whose}, for its name, though it looks like a whole class's: "
                    "if it is, rename it to class.zip and begin anew"
                )
            for member in members:
                inside = _parts(member)
                shown = _shown((*parts, *inside))
                if not inside or _hidden(inside):
                    continue
                if member.filename.startswith(("/", "\\")) or ".." in inside or DRIVE.match(inside[0]):
                    self._say(f"{shown} is left out: its name leads out of the zip, as only a forged one does")
                elif stat.S_ISLNK(member.external_attr >> 16):
                    self._say(f"{shown} is left out: it is a link, and links aren't followed")
                else:
                    yield from self._file(
                        (*parts, *inside), (*when, member.date_time), _opener(archive, member), depth + 1
                    )


def _opener(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[str], IO[bytes]]:
    """Return what opens a member of a zip."""

    def opened(_mode: str) -> IO[bytes]:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("packed in a way that few programs know")
        return archive.open(member)

    return opened


def _parts(member: zipfile.ZipInfo) -> tuple[str, ...]:
    """Return the path of a zip's member; names in UTF-8 that don't say so (macOS writes them) are read as UTF-8."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except ValueError:
            name = member.filename
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _hidden(parts: tuple[str, ...]) -> bool:
    """Tell whether a path is what systems and Jupyter keep for themselves."""
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in parts)


def _shown(parts: tuple[str, ...]) -> str:
    """Return a path as a sentence can show it."""
    return quoted("/".join(parts), 150)
