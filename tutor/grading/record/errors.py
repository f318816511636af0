"""Say in one sentence why the gradebook or its folders can't be written, and what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

AGAIN = "nothing is half recorded: run tutor grade again"
LOCKED = ("database is locked", "database table is locked", "lock timeout", "deadlock detected")
FULL = ("disk is full", "no space left", "disk full")
FAILING = ("i/o error",)
READ_ONLY = ("readonly database", "read-only transaction", "unable to open database file")
OLD = ("no such column", "no such table", "has no column", "undefinedcolumn", "undefinedtable")
DAMAGED = ("malformed", "not a database")
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class RecordError(Exception):
    """Nothing can be recorded at present; the message is one sentence that says why and what to do."""


class Refused(RecordError):
    """This one submission can't be recorded as it is; the others of the class can."""


def is_locked(error: DBAPIError) -> bool:
    """Tell whether somebody else is writing to the gradebook, so that waiting helps."""
    return _has(error, LOCKED)


def database_said(error: DBAPIError, url: URL) -> RecordError:
    """Return the sentence for an error of the database at ``url``, whose password it doesn't show."""
    where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    gradebook = f"the gradebook {where}"
    first = str(error.orig or error).strip().split("\n")[0]
    if is_locked(error):
        return RecordError(f"{gradebook} is still locked by another program: close what uses it; {AGAIN}")
    if _has(error, FULL):
        return RecordError(f"{gradebook} can't grow, its disk is full: make room; {AGAIN}")
    if _has(error, FAILING):
        return RecordError(f"{gradebook} can't be written ({first}): its disk is full or failing; make room; {AGAIN}")
    if _has(error, READ_ONLY):
        return RecordError(f"{gradebook} can't be written ({first}): give yourself the right to write there; {AGAIN}")
    if _has(error, DAMAGED):
        return RecordError(f"{gradebook} is damaged ({first}): put back a copy of it; {AGAIN}")
    if _has(error, OLD):
        return RecordError(
            f"{gradebook} doesn't fit this nbgrader ({first}): save a copy of it, run nbgrader db upgrade; {AGAIN}"
        )
    if isinstance(error, OperationalError | InterfaceError):
        return RecordError(f"{gradebook} doesn't answer ({first}): see that it is there and running; {AGAIN}")
    return RecordError(f"{gradebook} refuses to be written ({first}): mend that; {AGAIN}")


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what the system says about files and folders into one sentence."""
    try:
        yield
    except OSError as error:
        raise _disk_said(error) from error


def _disk_said(error: OSError) -> RecordError:
    """Return the sentence for a folder or file that can't be written."""
    where = error.filename or "a file of the course's build folder"
    if error.errno in NO_SPACE:
        return RecordError(f"{where} can't be written, the disk is full: make room; {AGAIN}")
    return RecordError(f"{where} can't be written ({error.strerror or error}): give yourself the right to; {AGAIN}")


def _has(error: DBAPIError, words: tuple[str, ...]) -> bool:
    """Tell whether a database's message has one of these words in it."""
    said = f"{type(error.orig).__name__} {error.orig}".lower()
    return any(word in said for word in words)
