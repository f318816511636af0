"""The notebook and its folder: what they say of themselves, and files that are none.

What the intake makes of each is tested beside it, in all variants; here, what it comes to in points.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path

from learners.attacks import HONEST, KEPT, Attack
from learners.submitting import NAME, cell, own, place

NOTHING = dict.fromkeys(KEPT, 0.0)
NOT_RIGHT = r"relu: not right yet \(identity\)"


def doubled(content: dict) -> None:
    """Have a wrong answer once more, right this time, ahead of it: the last one counts; and the test twice."""
    right = copy.deepcopy(cell(content, "relu"))
    right["source"] = HONEST
    content["cells"].insert(place(content, "relu"), right)
    content["cells"].insert(place(content, "check_relu"), copy.deepcopy(cell(content, "check_relu")))


def schema(version: object) -> Callable[[dict], None]:
    def edit(content: dict) -> None:
        for each in content["cells"]:
            each["metadata"].get("nbgrader", {}).update(schema_version=version)

    return edit


def flags_flipped(content: dict) -> None:
    cell(content, "relu")["metadata"]["nbgrader"].update(grade=True, points=100, solution=False, locked=True)
    cell(content, "check_relu")["metadata"]["nbgrader"].update(grade=False, points=100, solution=True, locked=False)


def unknown_cell(content: dict) -> None:
    nbgrader = {
        "grade": True,
        "solution": False,
        "locked": True,
        "points": 100,
        "grade_id": "bonus",
        "schema_version": 3,
    }
    content["cells"].append(own("100", metadata={"nbgrader": {**nbgrader, "cell_type": "code", "task": False}}))


def metadata(value: object) -> Callable[[dict], None]:
    def edit(content: dict) -> None:
        cell(content, "check_relu")["metadata"] = value

    return edit


def no_metadata(content: dict) -> None:
    del cell(content, "check_relu")["metadata"]


def file_of(data: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / NAME).write_bytes(data)


def truncated(folder: Path) -> None:
    data = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(data[: len(data) // 2])


def in_latin_1(folder: Path) -> None:
    content = json.loads((folder / NAME).read_text(encoding="utf-8"))
    cell(content, "relu")["source"] += "# é"
    (folder / NAME).write_bytes(json.dumps(content, ensure_ascii=False).encode("latin-1", errors="replace"))


def instead(make: Callable[[Path], None]) -> Callable[[Path], None]:
    """Put something else in the notebook's place."""

    def around(folder: Path) -> None:
        (folder / NAME).unlink()
        make(folder / NAME)

    return around


def timestamp(folder: Path) -> None:
    (folder / "timestamp.txt").write_text("yesterday, I swear\n", encoding="utf-8")


def refused(name: str, sees: str, around: Callable[[Path], None]) -> Attack:
    return Attack(name, sees, around=around, earns=NOTHING)


ATTACKS = [
    Attack("a graded cell duplicated", "2 cells are called relu; cell .+ counts", edit=doubled),
    Attack("`schema_version` 99", "nbgrader's metadata were changed .schema_version.", edit=schema(99)),
    Attack("an old `schema_version`", "nbgrader's metadata were changed .schema_version.", edit=schema(1)),
    Attack("grade flags flipped, and points raised", "nbgrader's metadata were changed .grade, ", edit=flags_flipped),
    Attack("an unknown graded cell", "the chapter has no cell called bonus", edit=unknown_cell),
    Attack("metadata that are a number", NOT_RIGHT, edit=metadata(7)),
    Attack("metadata that are a list", NOT_RIGHT, edit=metadata(["grade"])),
    Attack("a cell without metadata", NOT_RIGHT, edit=no_metadata),
    refused("truncated JSON", "is cut off", truncated),
    refused("an empty file", "is empty", file_of(b"")),
    refused("bytes that are no text", "is not UTF-8, and no notebook otherwise", file_of(bytes(range(128, 256)) * 10)),
    Attack("JSON that is not UTF-8", "UTF-8", around=in_latin_1),
    refused(
        "a notebook without `cells`", "has no cells", file_of(json.dumps({"nbformat": 4, "metadata": {}}).encode())
    ),
    refused("a dangling symlink", "is a link", instead(lambda path: path.symlink_to("/nowhere/at/all"))),
    refused("a FIFO", "is a pipe", instead(os.mkfifo)),
    Attack("a malformed timestamp", "timestamp.txt", around=timestamp),
]
