"""What learners' checks have found, kept between sessions in one file on their own computer.

Each check adds a line, and nothing is ever rewritten: so notebooks that are open at the same time don't get in each
other's way, and what a crash can damage is the line that was being written.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tutor.checking.words import phrase
from tutor.places import build_folder

FILE = "progress.jsonl"
_unkept: dict[str, str] = {}  # exercise → why its result could not be written; kept for this session


@dataclass(frozen=True)
class Result:
    """The best and the last result of an exercise's checks: scores from 0.0 to 1.0."""

    best: float
    last: float


def path() -> Path:
    """Return the file that results are kept in (it may not exist yet)."""
    return build_folder() / FILE


def record(exercise: str, score: float) -> None:
    """Keep a result. Where that can't be written, :func:`read` says so in this session: a check goes on all the same."""
    line = json.dumps({"exercise": exercise, "score": score})
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        with path().open("ab") as file:
            file.write(f"\n{line}\n".encode())  # first ends a line that was left half written
    except OSError as error:
        _unkept[exercise] = error.strerror or str(error)
    else:
        _unkept.pop(exercise, None)


def read() -> tuple[dict[str, Result], list[str]]:
    """Return the results by exercise, and a sentence for each thing that is wrong with the file.

    A file with lines that can't be read is put aside whole, and what can be read of it stays in use.
    """
    said = [phrase("progress-unkept", file=path(), why=why) for why in sorted(set(_unkept.values()))]
    try:
        lines = path().read_bytes().split(b"\n")
    except FileNotFoundError:
        return {}, said
    except OSError as error:
        return {}, [*said, phrase("progress-unreadable", file=path(), why=error.strerror or str(error))]
    parsed = [(line, _parsed(line)) for line in lines if line.strip()]
    damaged = sum(found is None for _, found in parsed)
    if damaged:
        try:
            aside = put_aside("damaged")
            with path().open("ab") as file:
                file.write(b"".join(line + b"\n" for line, found in parsed if found))
            said.append(phrase("progress-damaged", count=damaged, file=path(), aside=aside))
        except OSError as error:
            said.append(phrase("progress-unkept", file=path(), why=error.strerror or str(error)))
    results: dict[str, Result] = {}
    for exercise, score in (found for _, found in parsed if found):
        before = results.pop(exercise, None)  # the last to be checked comes last
        results[exercise] = Result(max(score, before.best if before else 0.0), score)
    return results, said


def put_aside(why: str) -> Path | None:
    """Give the file another name, which is returned; None where there is no file. Raises OSError."""
    new = next(name for number in count(1) if not (name := path().with_name(f"progress-{why}-{number}.jsonl")).exists())
    try:
        os.replace(path(), new)
    except FileNotFoundError:
        return None
    return new


def _parsed(line: bytes) -> tuple[str, float] | None:
    try:
        found = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):  # no JSON, no UTF-8, or brackets without end
        return None
    if not isinstance(found, dict):
        return None
    exercise, score = found.get("exercise"), found.get("score")
    if not isinstance(exercise, str) or isinstance(score, bool) or not isinstance(score, int | float):
        return None
    return (exercise, float(score)) if 0 <= score <= 1 else None
