"""Submissions that are corrupted at random: each is graded or refused in a sentence, and none stops the class."""

import copy
import json
import random
from collections.abc import Iterator

import nbformat
import pytest
from learners.submitting import CHAPTER, NAME, no_waiting, own, right

from tutor.grading.intake import IntakeError, read_submission, rebuild, source_notebook

SOURCE = source_notebook(CHAPTER)
ROUNDS = 150
HUGE = "a number of 5,000 digits"
ODDITIES = [
    None, True, -1, 3, 99, 1e308, float("nan"), HUGE, "", "relu", "check_relu", "code", "heading", "\ud800\x00", "x" * 5_000,
    [], {}, [[]], [None], {"": None}, {"nbgrader": {}}, {"nbgrader": {"grade_id": "relu", "grade": [], "points": {}}},
    {"cell_type": "code"}, {"source": [1, "a", None]}, [{"cells": [{"cell_type": "heading", "level": "x"}]}],
]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, dict]:
    """A right submission with cells of the learner's own, in format 4 and in format 3."""
    content = right(tmp_path_factory.mktemp("right"))
    content["cells"][20:20] = [own("x = 1", id="mine"), own("a thought", "markdown", id="mine-too")]
    old = nbformat.convert(nbformat.reads(json.dumps(content), as_version=4), 3)
    return {"format 4": content, "format 3": json.loads(json.dumps(old))}


def outcome(folder, data: bytes) -> str:
    """Take one submission in; return the refusal, or ``""`` for one that is graded."""
    (folder / NAME).write_bytes(data)
    try:
        submission = read_submission(folder, CHAPTER)
    except IntakeError as error:
        assert str(error).startswith(NAME) and "\n" not in str(error) and len(str(error)) < 300
        return str(error)
    notebook = rebuild(SOURCE, submission)
    nbformat.validate(notebook)
    nbformat.writes(notebook).encode()
    chapters = {cell.id: cell for cell in notebook.cells if not cell.id.startswith("own-")}
    assert list(chapters) == [cell.id for cell in SOURCE.cells]
    for source in SOURCE.cells:
        if not source.metadata.get("nbgrader", {}).get("solution"):
            assert chapters[source.id] == source
    for remark in submission.remarks:
        assert (
            remark.cell.encode() is not None
            and remark.text.encode()
            and "\n" not in remark.text
            and len(remark.text) < 1_000
        )
    return ""


def corrupted(data: bytes, draw: random.Random) -> bytes:
    """Return bytes of which some are lost, doubled, exchanged, or something else."""
    changed = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 10])):
        start = draw.randrange(len(changed) or 1)
        end = min(len(changed), start + draw.choice([1, 1, 4, 100, 10_000]))
        part = changed[start:end]
        other = [
            b"",
            part * 2,
            draw.randbytes(len(part)),
            bytes(reversed(part)),
            b"\0" * len(part),
            draw.choice(b'[]{}",:\\').to_bytes(),
        ]
        changed[start:end] = draw.choice(other)
    return bytes(changed[: draw.randrange(len(changed))] if draw.random() < 0.1 else changed)


def places(value: object) -> Iterator[tuple[dict | list, str | int]]:
    """Yield where every value of a document stands: (what contains it, by which name or index)."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        yield from places(inner)


def mutated(content: dict, draw: random.Random) -> dict:
    """Return a document of which some values are gone, doubled, exchanged, or something else."""
    changed = json.loads(json.dumps(content))
    for _ in range(draw.choice([1, 3, 10, 30])):
        found = list(places(changed))
        if not found:
            break
        # As many high up, where there are few, as deep down, where there are many.
        parent, key = draw.choice(found[:8]) if draw.random() < 0.05 else draw.choice(found)
        match draw.choice(["odd", "gone", "copied", "renamed"]):
            case "odd":
                parent[key] = draw.choice(ODDITIES)
            case "gone":
                del parent[key]
            case "copied":
                other, place = draw.choice(found)
                if (isinstance(other, dict) and place in other) or (isinstance(other, list) and place < len(other)):
                    parent[key] = copy.deepcopy(other[place])
            case "renamed" if isinstance(parent, dict):
                parent[draw.choice(["cells", "worksheets", "metadata", "id", "source", "input"])] = parent.pop(key)
    return changed


def text_of(document: object) -> str:
    """Write JSON with numbers of any length."""
    return json.dumps(document).replace(json.dumps(HUGE), "9" * 5_000)


@pytest.mark.parametrize("form", ["format 4", "format 3"])
def test_corrupted_bytes_are_graded_or_refused(tmp_path, whole, form):
    draw = random.Random(form)
    data = json.dumps(whole[form], indent=1).encode()
    with no_waiting():
        outcomes = [outcome(tmp_path, corrupted(data, draw)) for _ in range(ROUNDS)]
    assert len(set(outcomes)) > 5 and "" in outcomes, "the corruptions are all alike"


@pytest.mark.parametrize("form", ["format 4", "format 3"])
def test_mutated_content_is_graded_or_refused(tmp_path, whole, form):
    draw = random.Random(form)
    with no_waiting():
        outcomes = [outcome(tmp_path, text_of(mutated(whole[form], draw)).encode()) for _ in range(ROUNDS)]
    assert len(set(outcomes)) > 1 and "" in outcomes, "the mutations are all alike"


def test_every_truncation_is_refused(tmp_path, whole):
    data = json.dumps(whole["format 4"]).encode()
    with no_waiting():
        for end in range(0, len(data) - 1, len(data) // ROUNDS):
            assert "is cut off" in outcome(tmp_path, data[:end]) or "is empty" in outcome(tmp_path, data[:end])
