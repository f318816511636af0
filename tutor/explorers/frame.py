"""What one setting of an explorer's controls comes to, and how a prediction of it is judged: no widgets here."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tutor.plots import Picture, PlotError


@dataclass(frozen=True)
class Control:
    """One argument that a learner can change: a slider, or a list with ``options``, or a tick for True and False."""

    name: str
    value: Any
    about: str  # the tooltip
    low: float = 0
    high: float = 0
    apart: float = 1  # from one place of the slider to the next
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """What to predict: the right numbers, and what usual slips make of them, each with the sentence that names it.

    within: how far from right still counts, where nobody could say it exactly.
    """

    asks: str
    right: tuple[float, ...]
    slips: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    within: float = 1e-6


@dataclass(frozen=True)
class Frame:
    """All that an explorer shows for one setting.

    formula, filled: LaTeX, in general and with the numbers of the setting. words: the same for those who can't see
    LaTeX. says: a sentence about this setting. problem: why there is nothing to draw, or "". rows: a table, head first.
    steps: how many steps the picture has, where a control is called "step".
    """

    formula: str
    filled: str = ""
    words: str = ""
    says: str = ""
    problem: str = ""
    question: Question | None = None
    draw: Callable[[], Picture] | None = None
    rows: Sequence[Sequence[str]] = ()
    steps: int = 1

    def picture(self) -> Picture:
        """Return the picture; raises PlotError, with a sentence, where this setting has none."""
        if self.problem or self.draw is None:
            raise PlotError(self.problem or "This setting has no picture.")
        return self.draw()


Exploring = Callable[[Mapping[str, Any]], Frame]


def still(controls: Sequence[Control], exploring: Exploring) -> Picture:
    """Return the picture of the controls' first values, with formula and table in its alt text."""
    frame = exploring({control.name: control.value for control in controls})
    picture = frame.picture()
    table = ["; ".join(row) + "." for row in frame.rows]
    picture.alt = " ".join(part for part in (frame.words, frame.says, *table, picture.alt) if part)
    return picture


def numbers(text: str) -> tuple[float, ...]:
    """Return the numbers in what somebody typed: '3', '3 x 3', '(2, 3, 3)'; none where there are none."""
    return tuple(map(float, re.findall(r"-?\d+(?:\.\d+)?", text.replace("\N{MINUS SIGN}", "-"))))


def judge(question: Question, given: tuple[float, ...]) -> tuple[bool, str]:
    """Return whether a prediction is right, and the sentence that says so and names what was likely forgotten."""
    right = written(question.right)
    if same(given, question.right, question.within):
        return True, f"Right: it is {right}."
    named = [sentence for sentence, wrong in question.slips.items() if same(given, wrong, question.within)]
    told = f"You said {written(given)}; it is {right}."
    if not named:
        return False, f"{told} None of the usual slips gives that: compare with the formula, term by term."
    return False, f"{told} {' Or: '.join(named[:2])}"


def same(given: tuple[float, ...], right: tuple[float, ...], within: float) -> bool:
    """Return whether these are the numbers; for one side of a square, both sides are as good."""
    if len(right) == 1 and len(set(given)) == 1:
        given = given[:1]
    return len(given) == len(right) and all(abs(one - other) <= within for one, other in zip(given, right, strict=True))


def written(values: Sequence[float]) -> str:
    """Return numbers as a shape is written: '3', or '2' and '3' with a multiplication sign."""
    return " \N{MULTIPLICATION SIGN} ".join(f"{round(value, 2) + 0.0:.10g}" for value in values)
