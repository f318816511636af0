"""``check`` and ``hint``, as learners call them in a notebook."""

from __future__ import annotations

from typing import Any

from tutor.checking import bank, card, hints, recorded, words
from tutor.checking.edited import unfinished
from tutor.checking.engine import run
from tutor.checking.naming import fault
from tutor.checking.report import Report
from tutor.checking.showing import show
from tutor.checking.telling import tell
from tutor.frontend import someone_watches


class _Short(Exception):
    """An error that shows as one line in a notebook: the card or the sentence says it all."""

    def _render_traceback_(self) -> list[str]:  # the hook that IPython offers for this
        return [f"{type(self).__name__}: {self}"]


class CheckFailed(_Short):
    """The answer isn't right yet."""


class NotAttempted(CheckFailed):
    """The answer isn't written yet."""


class CheckError(_Short, TypeError):
    """``check`` was called with something that it can't check."""


_last: dict[str, tuple[object, Report]] = {}  # what the visible check of each exercise found
_hinted: dict[str, int] = {}


def check(function: Any, *, points: float | None = None, hidden: bool = False, seed: int = 0) -> float | None:
    """Check your function and show a card that says what is right and what isn't.

    ``check(relu)`` finds the exercise by the function's name. With ``points``, an answer that is partly right returns the
    points it has earned where a program runs the cell (nbgrader reads that number); otherwise an answer that isn't right
    raises :class:`CheckFailed`, or :class:`NotAttempted` when nothing is written yet. A right answer returns None.
    ``hidden`` checks again with other numbers and shows a card only when that has something to add. Where somebody watches,
    what a visible check finds is kept for :func:`tutor.progress`, and a function whose cell was edited into something that
    isn't Python is not checked. Raises :class:`CheckError` for what isn't an exercise.
    """
    name = _name_of(function, "check")
    if someone_watches() and (error := unfinished(name)):
        raise CheckFailed(words.phrase("not-run", name=name, error=error))
    report = run(name, function, hidden=hidden, seed=seed)
    before = _last.get(name) if hidden else None
    shown = before[1] if before is not None and before[0] is function else None
    if not hidden:
        _last[name] = (function, report)
        _record(report, points)
    told = tell(report, shown, points)
    if told.shows:
        _show(report, points)
    if told.line:
        raise (NotAttempted if report.verdict == "not attempted" else CheckFailed)(told.line)
    return None if someone_watches() else told.earned  # a number that means nothing to who reads the card


def hint(function: Any) -> None:
    """Show the next hint for an exercise: three steps from a question to a recipe, never the solution.

    ``hint(relu)`` and ``hint("relu")`` are the same. Raises :class:`CheckError` for what isn't an exercise.
    """
    name = function if isinstance(function, str) else _name_of(function, "hint")
    try:
        steps = words.hints(bank.words_file(name), name)
    except bank.UnknownExercise as error:
        raise CheckError(str(error)) from None
    step = min(_hinted.get(name, 0) + 1, len(steps))
    _hinted[name] = step
    text = hints.as_text(name, steps, step)
    if someone_watches():
        show(hints.as_html(name, steps, step), text)
    else:  # a line that is the same whichever front end comes later
        print(text)


def _name_of(function: Any, caller: str) -> str:
    """Return the name of the exercise that a function answers; raises :class:`CheckError`."""
    wrong = fault(function, caller)
    if wrong is not None:
        known = function if isinstance(function, str) else str(getattr(function, "__name__", ""))
        raise CheckError(f"{wrong} {bank.near(known)}".strip())
    name: str = function.__name__
    try:
        bank.get(name)
    except bank.UnknownExercise as error:
        raise CheckError(str(error)) from None
    return name


def _record(report: Report, points: float | None) -> None:
    # A check without points that finds nothing right may be a demonstration: chapter 00 lets one fail on purpose.
    demonstration = points is None and report.score == 0
    if someone_watches() and report.verdict != "not attempted" and not demonstration:
        recorded.record(report.name, report.score)


def _show(report: Report, points: float | None) -> None:
    # The same for links: a check that is worth points stands in its own chapter, where the section is.
    links = points is not None and someone_watches()
    show(card.as_html(report, points, links=links), card.as_text(report, points))
