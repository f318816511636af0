"""Hints: three steps that lead to an answer without being one, on a card that keeps the earlier ones."""

import re
from functools import cache
from pathlib import Path

import pytest

from tutor.checking import bank, hints, notebook, words
from tutor.course.chapters import find_chapters
from tutor.course.source import grade_id, read_source

NAMES = bank.names()
IDIOM = 16  # characters, spaces apart: whatever is shorter everybody writes alike, such as model.train()


@cache
def solutions() -> dict[str, str]:
    """Return the solution of each exercise as the chapters have it."""
    cells = [cell for chapter in find_chapters(Path(__file__).parents[1]) for cell in read_source(chapter).cells]
    regions = {
        grade_id(cell): re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, re.S) for cell in cells
    }
    return {name: found[0] for name, found in regions.items() if found}


def squeezed(text):
    return re.sub(r"\s+", "", text)


def statements(code):
    """Yield what a solution's lines do, without comments, block headers and the word return."""
    for line in code.splitlines():
        text = squeezed(re.sub(r"^\s*return\b|\s#.*", "", line)).rstrip(",")
        if len(text) >= IDIOM and not text.endswith(":"):
            yield text


def given_away(name, hint):
    """Return what a hint holds of a solution's lines, and of calls that the exercise forbids."""
    said = squeezed(hint.replace("`", ""))
    forbidden = [rf"\b(?:F|torch|functional)\.{re.escape(operator)}\(" for operator in bank.get(name).forbids]
    return [line for line in statements(solutions()[name]) if line in said] + [
        f for f in forbidden if re.search(f, hint)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_hint_holds_a_line_of_the_solution_or_a_forbidden_call(name):
    found = {hint: given_away(name, hint) for hint in words.hints(bank.words_file(name), name)}
    assert not any(found.values()), found


def test_a_hint_that_gives_the_answer_away_would_be_found():
    assert given_away("neuron", "Return `(inputs * weights).sum() + bias`, which is it.")
    assert given_away("softmax", "Call `torch._softmax(input, dim)`.")
    assert sum(bool(list(statements(solutions()[name]))) for name in NAMES) > 0.8 * len(NAMES)


def test_a_card_keeps_the_earlier_hints_and_says_what_comes_next(monkeypatch):
    shown = []
    monkeypatch.setattr(notebook, "someone_watches", lambda: True)
    monkeypatch.setattr(notebook, "show", lambda html, text: shown.append((html, text)))
    monkeypatch.setattr(notebook, "_hinted", {})
    steps = words.hints(bank.words_file("sigmoid"), "sigmoid")
    for _ in range(len(steps) + 1):
        notebook.hint("sigmoid")
    assert shown[-1] == shown[-2], "the last hint stays"
    for number, (html, text) in enumerate(shown[: len(steps)], start=1):
        assert f"Hint {number} of 3" in html and text == f"Hint {number} of 3 for sigmoid: {steps[number - 1]}"
        plain = re.sub(r"</?code[^>]*>", "`", html)
        assert [hints.rich(step) in html for step in steps] == [True] * number + [False] * (3 - number), plain
        assert ("for the next hint" in html) == (number < 3) and ("the last hint" in html) == (number == 3)
