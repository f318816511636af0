"""What an answer puts in the place of what looks at it, beside it in the sandbox, earns it nothing."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from learners.classroom import fill_in

from tutor.checking import bank
from tutor.checking.answering import call
from tutor.course.chapters import find_chapters
from tutor.grading.den import Den
from tutor.grading.intake import read_submission, rebuild, source_notebook
from tutor.grading.job import CellResult, Job
from tutor.grading.worker import grade

TOP = Path(__file__).resolve().parents[1]
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is for Linux"),
    pytest.mark.skipif(
        not any(Path(p, "bwrap").exists() for p in os.get_exec_path()), reason="bubblewrap is not installed"
    ),
]
ANSWERS = {
    "rrelu": "def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):\n    return input",
    "log_layer_images": "def log_layer_images(folder, name, layer, batches):\n    return 0",
    "challenge_net": "def challenge_net():\n    return 0",
}
ABOVE = """
import importlib, inspect, itertools
import torch

def forging(found):
    found = itertools.cycle(found)
    return lambda *given: next(found)
"""
CALLS = """
import tutor.checking.answering as answering

def forged(function, case, limit, outcome, folders, found=forging({facts})):
    outcome.value = found()

answering._call = forged
"""
APPARATUS = """
found = forging({facts})
for name in ("activations", "challenge", "logs"):
    module = importlib.import_module("tutor.checking.apparatus." + name)
    for own, function in inspect.getmembers(module, inspect.isfunction):
        setattr(module, own, found)
"""
# A net that is as it should be, but at the first call only, so that nobody asks what it has learned.
MADE_UP = """
torch.manual_seed(0)
whole, between = torch.randn(64, 10), torch.randn(32, 10)
sound = {"outputs": {"all": whole, "some": whole[:10], "again": whole, "between": between}, "classes": None}
sound_at_first = [sound] + 6 * [{**sound, "outputs": "no net"}]
"""


@pytest.fixture(scope="module")
def den() -> Iterator[Den]:
    with Den("bubblewrap") as one:
        yield one


def graded(exercise: str, more: str, den: Den, folder: Path) -> CellResult:
    """Grade a wrong answer to one exercise with more in its cell, and return what it earned."""
    [chapter] = find_chapters(TOP, [bank.get(exercise).chapter])
    fill_in(chapter.student, {exercise: f"{ABOVE}\n{ANSWERS[exercise]}\n{more}"}, folder / chapter.student.name)
    notebook = nbformat.writes(rebuild(source_notebook(chapter), read_submission(folder, chapter)))
    found = grade(Job(chapter.name, "forger", notebook, seed=5), den)
    [result] = [cell for cell in found.cells if cell.exercise == exercise]
    return result


@pytest.mark.parametrize(
    ("exercise", "way"),
    [("rrelu", CALLS), ("log_layer_images", CALLS), ("log_layer_images", APPARATUS), ("challenge_net", APPARATUS)],
)
def test_facts_that_are_known_beforehand_earn_nothing(exercise: str, way: str, den: Den, tmp_path: Path) -> None:
    asked = bank.get(exercise)
    cases = asked.draw(seed=5, hidden=True)
    facts = [call(asked.oracle, case).value for case in cases]
    facts += [] if all(case.random for case in cases) else facts[:1]  # which is asked for once more
    result = graded(exercise, way.format(facts=repr(facts)), den, tmp_path)
    assert (result.points, result.why) == (0, "")
    assert result.verdict == "not right yet"


def test_made_up_outputs_earn_no_more_than_what_is_given_for_them(den: Den, tmp_path: Path) -> None:
    result = graded("challenge_net", MADE_UP + CALLS.format(facts="sound_at_first"), den, tmp_path)
    # A net with a softmax at its end, which isn't trained either, gets as much.
    assert result.why == "" and result.points <= result.worth / 4
