"""Whose a downloaded file is, by the names that Moodle and Canvas give, and which notebook is meant."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 200  # bytes of a student's id and of a file's name, both of which become names on disk

# Moodle: "Ada Lovelace_123_assignsubmission_file_" is a folder, or what a file's name begins with; newer ones have no last
# "_" on the folder. Canvas: "lovelaceada_LATE_123_4567_file.ipynb", with the numbers of the learner and of the upload.
# The shortest name counts, so that what learners call their files can't pass for somebody else's.
MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+_?(?P<file>.*)", re.DOTALL)
CANVAS = re.compile(
    r"(?P<name>.+?)_(?:(?P<late>LATE)_)?(?P<number>\d+)_(?P<upload>\d+)_(?P<file>.+)", re.DOTALL | re.IGNORECASE
)
# What browsers, JupyterLab, systems and Canvas append to the name of a file that is there already.
AGAIN = re.compile(r"(?:[ _]*\((\d+)\)|[-_ ](\d+)|[-_ ]+(?:copy|kopie|副本)[ ]?(\d*))", re.IGNORECASE)
APPENDED = re.compile(r"(?<=\.ipynb)\.(txt|json)$", re.IGNORECASE)  # by browsers that know no notebooks


@dataclass(frozen=True)
class Owner:
    """Who handed a file in, as the LMS says.

    name: his name, in the LMS's spelling. number: his number, in Canvas the same in the whole course, in Moodle another one for
    each assignment. upload: Canvas's number of the upload, which grows with time; 0 in Moodle.
    """

    lms: str
    name: str
    number: int
    upload: int = 0
    late: bool = False


def owner(parts: Sequence[str]) -> tuple[Owner, tuple[str, ...]] | None:
    """Return whose a file is and its path as he named it, from its path in the download; None when that can't be told."""
    composed = tuple(APPENDED.sub("", unicodedata.normalize("NFC", part)) for part in parts)
    for at, part in enumerate(composed):
        found = MOODLE.fullmatch(part)
        if found:
            rest = (found["file"],) if found["file"] else ()
            return Owner("Moodle", found["name"], int(found["number"])), (*rest, *composed[at + 1 :])
        found = CANVAS.fullmatch(part)
        if found:
            whose = Owner("Canvas", found["name"], int(found["number"]), int(found["upload"]), bool(found["late"]))
            return whose, (found["file"], *composed[at + 1 :])
    return None


def key(name: str) -> str:
    """Return a person's name as it can be compared: composed, in lower case, letters and digits only.

    Moodle leaves apostrophes out of files' names, and macOS takes umlauts apart.
    """
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def can_be_student(name: str) -> bool:
    """Tell whether nbgrader can have a student of that name, who gets a folder of that name."""
    odd = not name.isprintable() or name != name.strip() or name.startswith(("-", ".")) or set(name) & set("/\\\0")
    return bool(name) and not odd and len(name.encode()) <= LONGEST


def notebook(file: str, assignment: str) -> tuple[str, tuple[int, ...]]:
    """Return a notebook's name without its ending, as the course spells it, and the numbers of its copy.

    ``01_activations (1).ipynb`` and ``01_Activations-2.ipynb`` are the assignment's own; another name stays, without what
    no file should be called.
    """
    stem = unicodedata.normalize("NFC", file).removesuffix(".ipynb").removesuffix(".IPYNB")
    if stem.casefold().startswith(assignment.casefold()):
        copies = []
        rest = stem[len(assignment) :]
        while found := AGAIN.match(rest):
            copies.append(int("0" + next(filter(None, found.groups()), "")))
            rest = rest[found.end() :]
        if not rest.strip():
            return assignment, tuple(copies)
    plain = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "_" for c in stem).strip(" .-")
    return plain.encode()[: LONGEST // 2].decode(errors="ignore") or "notebook", ()
