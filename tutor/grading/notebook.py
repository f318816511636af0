"""Read the bytes of a learner's notebook as cells, whatever is wrong with the rest of the file."""

import json
from dataclasses import dataclass
from typing import Any

import nbformat

from tutor.grading.submission import IntakeError, Remark, quoted, writable

CELLS = 5_000  # of one notebook
CELL_CHARACTERS = 1_000_000
ALL_CHARACTERS = 10_000_000
JSON_VALUES = 5_000_000  # each takes some 70 bytes of memory
CELL_TYPES = ("code", "markdown", "raw")


@dataclass(frozen=True)
class Cell:
    """A cell of a learner's notebook, with all of it that may matter; nbgrader: that part of its metadata."""

    cell_type: str
    text: str
    cell_id: str
    grade_id: str
    nbgrader: dict[str, Any]
    tags: tuple[str, ...]
    attachments: bool


def read_cells(name: str, data: bytes) -> tuple[list[Cell], list[Remark]]:
    """Return the cells of a notebook and remarks on what was wrong with the file.

    name: what messages call it. data: the file's bytes, of any notebook format that has cells or worksheets.

    Raises IntakeError when it is empty, not JSON, or no notebook.
    """
    shown = quoted(name)
    remarks: list[Remark] = []
    raw = _raw_cells(shown, _document(shown, data, remarks))
    if len(raw) > CELLS:
        text = f"{shown} has {len(raw):,} cells; those after the first {CELLS:,} are left out"
        remarks.append(Remark("oversized", text))
    cells: list[Cell] = []
    read = broken = 0
    for position, content in enumerate(raw[:CELLS], start=1):
        if not isinstance(content, dict):
            broken += 1
            continue
        cell = _cell(content)
        read += len(cell.text)
        if len(cell.text) > CELL_CHARACTERS or read > ALL_CHARACTERS:
            text = f"cell {position} is left out: it has {len(cell.text):,} characters, more than anybody can read"
            remarks.append(Remark("oversized", text, quoted(cell.grade_id)))
            read -= len(cell.text)
            continue
        if writable(cell.text) != cell.text:
            text = (
                f"cell {position} has characters that no text can have (NUL, half surrogates); they are read as \ufffd"
            )
            remarks.append(Remark("characters", text, quoted(cell.grade_id)))
            cell = Cell(**{**cell.__dict__, "text": writable(cell.text)})
        cells.append(cell)
    if broken:
        remarks.append(Remark("broken-cells", f"{broken} of the {len(raw)} cells of {shown} are no cells; left out"))
    return cells, remarks


def _document(shown: str, data: bytes, remarks: list[Remark]) -> dict[str, Any]:
    """Parse a notebook's bytes as a JSON object."""
    if not data.strip():
        raise IntakeError(f"{shown} is empty: ask for the file again")
    if sum(data.count(mark) for mark in (b"[", b"{", b",")) > JSON_VALUES:
        raise IntakeError(f"{shown} holds more values than any notebook: ask for it again, with its outputs cleared")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = data.decode("utf-8-sig", errors="replace")
        where = f"{shown} is not UTF-8 (byte {error.start + 1:,})"
        remarks.append(Remark("encoding", f"{where}: what can't be read is taken as \ufffd"))
    try:
        # Whole numbers as floats: Python refuses to read those of more than 4300 digits.
        document = json.loads(text, parse_int=float)
    except RecursionError as error:
        raise IntakeError(f"{shown} is nested deeper than any notebook: ask for the file again") from error
    except ValueError as error:
        at = error.pos if isinstance(error, json.JSONDecodeError) else 0
        if remarks:
            what = "is not UTF-8, and no notebook otherwise either"
        elif "Unterminated string" in str(error) or (at and at + len("false") > len(text.rstrip())):
            what = f"is cut off after {len(data):,} bytes"
        else:
            what = f"is not JSON (character {at + 1:,})"
        raise IntakeError(f"{shown} {what}: ask for the file again") from error
    if not isinstance(document, dict):
        raise IntakeError(f"{shown} is JSON but no notebook: ask for the notebook")
    return document


def _raw_cells(shown: str, document: dict[str, Any]) -> list[Any]:
    """Return a notebook's cells as format 4 has them; what the file has decides, whichever number it claims."""
    cells, sheets = document.get("cells"), document.get("worksheets")
    if isinstance(cells, list):
        return cells
    if isinstance(sheets, list):
        inside = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        return _upgraded([cell for found in inside if isinstance(found, list) for cell in found])
    raise IntakeError(f"{shown} has no cells, so it is no notebook: ask for the notebook")


def _upgraded(cells: list[Any]) -> list[Any]:
    """Let nbformat bring cells of format 3 (or 2) to format 4, without outputs and metadata that nobody reads."""
    sheet = {"cells": [_clean(cell) for cell in cells[: CELLS + 1] if isinstance(cell, dict)], "metadata": {}}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [sheet]}
    return list(nbformat.convert(nbformat.from_dict(old), 4).cells)


def _clean(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell of format 3 as its schema wants it."""
    kind = cell.get("cell_type")
    metadata = {"nbgrader": _nbgrader(cell)} if _nbgrader(cell) else {}
    if kind == "code":
        text = _text(cell.get("input"))
        return {"cell_type": "code", "language": "python", "input": text, "outputs": [], "metadata": metadata}
    clean: dict[str, Any] = {"cell_type": "raw", "source": _text(cell.get("source")), "metadata": metadata}
    if kind == "heading":
        level = cell.get("level")
        clean["level"] = int(level) if isinstance(level, float) and 1 <= level <= 6 else 1
    return {**clean, "cell_type": kind} if kind in ("markdown", "html", "heading") else clean


def _cell(content: dict[str, Any]) -> Cell:
    """Take from a cell of format 4 what may matter."""
    metadata = content.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    nbgrader = _nbgrader(content)
    kind, identity, grade_id = content.get("cell_type"), content.get("id"), nbgrader.get("grade_id")
    return Cell(
        cell_type=kind if isinstance(kind, str) and kind in CELL_TYPES else "raw",
        text=_text(content.get("source")),
        cell_id=identity if isinstance(identity, str) else "",
        grade_id=grade_id if isinstance(grade_id, str) else "",
        nbgrader=nbgrader,
        tags=tuple(tag for tag in tags[:20] if isinstance(tag, str)) if isinstance(tags, list) else (),
        attachments=bool(content.get("attachments")),
    )


def _nbgrader(cell: dict[str, Any]) -> dict[str, Any]:
    """Return nbgrader's part of a cell's metadata, as far as it is one of names and plain values."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str | float | bool)}


def _text(source: Any) -> str:
    """Return a cell's text, which may be in one piece or in lines."""
    if isinstance(source, str):
        return source
    return "".join(line for line in source if isinstance(line, str)) if isinstance(source, list) else ""
