"""What is taken over from a learner's submission, and what the instructor is told about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

SHOWN = 60  # characters of a learner's own words, or of his files' names, in a sentence
NOT_IN_TEXT = re.compile("[\x00\ud800-\udfff]")


class IntakeError(Exception):
    """Nothing of a submission can be graded; the message is one sentence that says why and what to do."""


@dataclass(frozen=True)
class Remark:
    """One sentence for the instructor about something odd in a submission that was graded all the same.

    kind: a short name of what it is about, such as ``deleted-test``. text: the sentence. cell: the grade id that it is
    about, or ``""``.
    """

    kind: str
    text: str
    cell: str = ""


@dataclass(frozen=True)
class Extra:
    """A cell of the learner's own.

    cell_type: ``code``, ``markdown`` or ``raw``. after: the id of the chapter's cell that it follows; None before all.
    """

    cell_type: str
    text: str
    after: str | None


@dataclass(frozen=True)
class Submission:
    """All that a learner contributes to the notebook that is run and graded.

    chapter: its name. notebook: the file that was graded, as a path below the submission's folder. answers: the text of
    each answer cell found, by grade id. extras: his own cells, in his order. handed_in: when, by ``timestamp.txt``, in
    UTC and without a time zone, as nbgrader stores it; None when that can't be told.
    """

    chapter: str
    notebook: str
    answers: Mapping[str, str]
    extras: tuple[Extra, ...]
    remarks: tuple[Remark, ...]
    handed_in: datetime | None


def quoted(words: str, most: int = SHOWN) -> str:
    """Return a learner's words as a sentence can show them: on one line, shortened, with nothing unprintable.

    most: characters.
    """
    short = words if len(words) <= most else words[: most - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)


def writable(text: str) -> str:
    """Return the text with U+FFFD for NUL and half surrogates, which neither a file, a message nor Python takes."""
    return NOT_IN_TEXT.sub("\ufffd", text)


def listed(names: list[str], most: int = 5) -> str:
    """Return quoted names joined by commas, at most ``most`` of them, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(quoted(name) for name in names[:most]) + more
