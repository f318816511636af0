"""CSV files that go between an LMS, a spreadsheet program and the course."""

import csv
import io
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tutor.grading.lms.errors import LmsError

NUMBER = re.compile(r"[+-]?[\d.,]+%?")


@dataclass(frozen=True)
class Sheet:
    """A table as it was in its file: cells as text, all rows as long as the heading."""

    path: Path
    heading: list[str]
    rows: list[list[str]]
    delimiter: str

    def column(self, name: str) -> int | None:
        """Return where the column with that heading is; capitals and spaces around it don't matter."""
        wanted = name.strip().casefold()
        return next((at for at, each in enumerate(self.heading) if each.strip().casefold() == wanted), None)


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file, with a byte order mark or without, with commas, semicolons or tabs.

    Raises LmsError when it can't be read, is not UTF-8, or is no table.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True) if any(row)]
    except OSError as error:
        raise LmsError(f"{path} can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise LmsError(f"{path} is not UTF-8: download it again, or save it as 'CSV UTF-8'") from error
    except csv.Error as error:
        raise LmsError(f"{path} is no CSV file ({error}): download it again") from error
    if not rows:
        raise LmsError(f"{path} is empty: download it again")
    width = max(map(len, rows))
    heading, *rest = ([*row, *[""] * (width - len(row))] for row in rows)
    return Sheet(path, heading, rest, delimiter)


def write_sheet(path: Path, rows: Iterable[Sequence[str]], delimiter: str = ",") -> None:
    """Write a CSV file whole or not at all, for its owner's eyes alone.

    In UTF-8 with a byte order mark: without it Excel takes umlauts and Chinese apart, and Moodle and Canvas read over it.

    Raises LmsError when it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:
                csv.writer(file, delimiter=delimiter).writerows(rows)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise LmsError(f"{path} can't be written ({error.strerror})") from error


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet program takes for a formula: ``'`` before one that begins like one.

    Source: OWASP, "CSV Injection". Numbers stay, negative ones too.
    """
    if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) and not NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
