"""Take a newer student bundle in, without ever writing over what a learner wrote.

A bundle holds notebooks in ``released/`` only. Learners work in ``notebooks/``: there each is put once, and replaced only
while it is to the byte as it was put. Otherwise the newer one is written beside it, with the learner's answers in it.
Only Python's own library is used, so that this runs before anything is installed.
"""

import contextlib
import hashlib
import itertools
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

from tutor.places import BUNDLE_MARK
from tutor.replacing import replace_file

RELEASED, MINE = "released", "notebooks"
RECORD = ".released.json"  # in MINE: what was put there
Notebook = dict[str, Any]


class UpdateError(Exception):
    """The update can't be made; the message says why and what to do, and nothing of the learner's has changed."""


def update(top: Path, newer: Path | None = None) -> list[str]:
    """Take in a newer bundle (a zip), put notebooks in place, and return a sentence for each that is new or newer.

    top: the folder of the bundle. newer: None puts in place what ``released/`` holds.

    Raises UpdateError.
    """
    if not (top / BUNDLE_MARK).is_file():
        raise UpdateError(
            f"{top} is no student bundle (there is no {BUNDLE_MARK} in it): unzip one, and run this there"
        )
    try:
        if newer is not None:
            for path, data in _files(newer, json.loads((top / BUNDLE_MARK).read_bytes())["course"]).items():
                replace_file(top / path, data)
        return _put_in_place(top)
    except OSError as error:
        what = error.filename or newer
        raise UpdateError(
            f"{what} can't be read or written ({error.strerror}): mend that, and run this again"
        ) from error


def _files(path: Path, course: str) -> dict[str, bytes]:
    """Return the files of a bundle by their paths in its folder."""
    refused = UpdateError(f"{path} is no student bundle of this course: download it again")
    try:
        with zipfile.ZipFile(path) as archive:
            found = {m.filename.partition("/")[2]: archive.read(m) for m in archive.infolist() if not m.is_dir()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise refused from error
    if BUNDLE_MARK not in found or json.loads(found[BUNDLE_MARK]).get("course") != course:
        raise refused
    for name in found:
        parts = name.split("/")
        if "" in parts or ".." in parts or "\\" in name or ":" in name or parts[0] == MINE:
            raise UpdateError(f"{path} holds {name!r}, which no bundle of ours does: download it again")
    return found


def _put_in_place(top: Path) -> list[str]:
    """Bring ``notebooks/`` up to what ``released/`` holds."""
    record_file = top / MINE / RECORD
    record: dict[str, dict[str, Any]] = {}
    with contextlib.suppress(FileNotFoundError, ValueError):  # without it, every notebook counts as worked in
        record = json.loads(record_file.read_bytes())
    said = []
    for source in sorted(path for path in (top / RELEASED).rglob("*") if path.is_file()):
        name = source.relative_to(top / RELEASED).as_posix()
        sentence = _put(source.read_bytes(), top / MINE / name, record.setdefault(name, {}))
        if sentence:
            replace_file(record_file, json.dumps(record, indent=1).encode())
            said.append(sentence)
    return said


def _put(released: bytes, mine: Path, put: dict[str, Any]) -> str:
    """Put one file in place; put: what is known of how it was put last, which is brought up to date."""
    shown = f"{mine.parent.name}/{mine.name}"
    there = [path for path in _names(mine) if path.exists()]
    if there and put.get("release") == _digest(released):
        return ""
    untouched = bool(there) and _digest(there[-1].read_bytes()) == put.get("written")
    answers = there[:-1] if untouched else there
    into = (there[-1] if untouched else next(path for path in _names(mine) if not path.exists())) if there else mine
    data, carried = released, 0
    if answers and mine.suffix == ".ipynb":
        data, carried = _with_answers(released, answers[-1].read_bytes(), put.get("blank", {}))
    replace_file(into, data)
    blank = put.get("blank", {})
    for grade_id, digest in _blanks(released, mine.suffix).items():
        blank[grade_id] = sorted({*blank.get(grade_id, []), digest})
    put |= {"release": _digest(released), "written": _digest(data), "blank": blank}
    if not answers:
        return f"{shown} is {'newer now' if there else 'there'}"
    return (
        f"{shown} has a newer version beside it, {into.name}, with {carried} of your answers in it; yours is as it was"
    )


def _names(path: Path) -> list[Path]:
    """Return the names that versions of a file get, oldest first."""
    numbered = (
        path.with_name(f"{path.stem}.new{'' if turn == 1 else f'-{turn}'}{path.suffix}") for turn in range(1, 1000)
    )
    return list(itertools.chain([path], numbered))


def _with_answers(released: bytes, mine: bytes, blank: dict[str, list[str]]) -> tuple[bytes, int]:
    """Return the released notebook with a learner's answers in it, found by their grade ids, and how many there are.

    blank: the digests of each answer cell as it was ever released; what is still so is no answer.
    """
    try:
        found = {name: _text(cell) for name, cell in _answer_cells(json.loads(mine))}
    except (ValueError, TypeError, AttributeError):  # no notebook any more
        return released, 0
    notebook = json.loads(released)
    carried = 0
    for name, cell in _answer_cells(notebook):
        text = found.get(name, _text(cell))
        if text != _text(cell) and _digest(text.encode()) not in blank.get(name, []):
            cell["source"] = text.splitlines(keepends=True)
            carried += 1
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode(), carried


def _blanks(released: bytes, suffix: str) -> dict[str, str]:
    """Return the digest of each answer cell as it is released."""
    if suffix != ".ipynb":
        return {}
    return {name: _digest(_text(cell).encode()) for name, cell in _answer_cells(json.loads(released))}


def _answer_cells(notebook: Notebook) -> list[tuple[str, Notebook]]:
    """Return the cells that a learner writes his answers in, with their grade ids."""
    cells = [(cell.get("metadata", {}).get("nbgrader", {}), cell) for cell in notebook["cells"]]
    return [(about["grade_id"], cell) for about, cell in cells if about.get("solution") and "grade_id" in about]


def _text(cell: Notebook) -> str:
    """Return a cell's text, which may be in one piece or in lines."""
    return "".join(cell["source"])


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
