"""What is kept of each submission beside the gradebook: a run that was killed is finished from it.

``build/grading/<chapter>/<student>.json`` says ``pending`` from before the gradebook is written until after the graded
folder is in its place, then ``recorded``.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from tutor.grading.job import CellResult
from tutor.grading.record.durable import make_folder, replace_file, sync_folder
from tutor.grading.submission import Remark


@dataclass(frozen=True)
class Entry:
    """One submission as it is being, or was last, recorded.

    scores: each graded cell's automatic points, None where only people give them. answers: for each graded cell, what
    identifies the learner's answer now, and at the time when somebody last looked at it. remarks: all of them, those of
    the intake first. cells, seconds: as the worker gave them back, for the tables.
    """

    chapter: str
    student: str
    state: Literal["pending", "recorded"]
    fingerprint: str
    handed_in: datetime | None
    scores: dict[str, float | None]
    answers: dict[str, tuple[str, str]]
    cells: tuple[CellResult, ...]
    remarks: tuple[Remark, ...]
    seconds: float


class Journal:
    """The entries of a course, in ``build/grading``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, chapter: str, student: str) -> Path:
        """Return the file of one submission."""
        return self.folder / chapter / f"{student}.json"

    def read(self, chapter: str, student: str) -> Entry | None:
        """Return the entry of a submission; None when there is none that makes sense, so that it is graded anew."""
        try:
            return _entry(json.loads(self.path(chapter, student).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError):  # changed by hand: entries are written whole
            return None

    def write(self, entry: Entry) -> None:
        """Put an entry in the place of the one before (OSError when it can't be; then that one stays)."""
        path = self.path(entry.chapter, entry.student)
        make_folder(path.parent)
        handed_in = entry.handed_in.isoformat() if entry.handed_in else None
        lists = {"cells": [*map(vars, entry.cells)], "remarks": [*map(vars, entry.remarks)]}
        content = {**vars(entry), **lists, "handed_in": handed_in}
        replace_file(path, json.dumps(content).encode())

    def drop(self, chapter: str, student: str) -> None:
        """Forget a submission, so that it is graded anew."""
        path = self.path(chapter, student)
        path.unlink(missing_ok=True)
        sync_folder(path.parent)

    def pending(self) -> Iterator[Entry]:
        """Yield the entries that a run left unfinished, in order."""
        for path in sorted(self.folder.glob("*/*.json")):
            entry = self.read(path.parent.name, path.name.removesuffix(".json"))
            if entry is not None and entry.state == "pending":
                yield entry


def _entry(content: dict[str, Any]) -> Entry:
    """Read what ``write`` wrote."""
    handed_in = datetime.fromisoformat(content["handed_in"]) if content["handed_in"] else None
    cells = tuple(CellResult(**{**cell, "diagnoses": tuple(cell["diagnoses"])}) for cell in content["cells"])
    remarks = tuple(Remark(**remark) for remark in content["remarks"])
    answers = {cell: (now, seen) for cell, (now, seen) in content["answers"].items()}
    return Entry(**{**content, "handed_in": handed_in, "cells": cells, "remarks": remarks, "answers": answers})
