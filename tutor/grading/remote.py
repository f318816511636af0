"""An answer in the sandbox, as a check calls it from outside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tutor.checking.answer import Attempt
from tutor.checking.answering import Outcome, judged
from tutor.checking.exercise import Case
from tutor.checking.results import LARGEST, ordinary, tensors
from tutor.grading.frames import Gone, Late, Malformed, TooMuch
from tutor.grading.submission import quoted
from tutor.grading.values import BadValue, Coded, Parts, decode_outcome, encode_case

if TYPE_CHECKING:
    from tutor.grading.den import Run

MOST = 256 << 20  # bytes of a message that came from a learner's process
MOST_TEXT = 16 << 20  # of them as JSON, which takes up to 25 times as much memory when it is read
SPARE = 5.0  # seconds at most beyond a limit that is kept in the sandbox too, for the machine's other work


_known: dict[int, tuple[Sequence[Case], tuple[list[Coded], Parts]]] = {}


def _coded(cases: Sequence[Case]) -> tuple[list[Coded], Parts]:
    """Return the cases of a key as they cross the wire: made once for a class, whose keys are kept as long as this is."""
    if id(cases) not in _known:
        _known[id(cases)] = cases, _code(cases)  # with the cases, whose id is nobody else's then
    return _known[id(cases)][1]


def _code(cases: Sequence[Case]) -> tuple[list[Coded], Parts]:
    parts: Parts = []
    return [encode_case(case, parts) for case in cases], parts


class Lost(Exception):
    """The process in the sandbox is gone, or was ended; the message is one sentence for the instructor."""


class NoAnswer(Exception):
    """There is nothing to check under the exercise's name; the message is one sentence."""


class Cells:
    """The sandboxed process of one submission, cell by cell."""

    def __init__(self, run: Run, cell_seconds: float, room: int) -> None:
        self._run, self._seconds, self._room = run, cell_seconds, room
        self._number = 0

    def cell(self, text: str) -> list[dict[str, Any]]:
        """Run one cell and return what it shows, as the sandbox tells it. Raises Lost."""
        asked = {"do": "cell", "text": text, "seconds": self._seconds, "room": self._room}
        outputs = self.ask(asked, [], self._seconds)[0].get("outputs")
        return outputs if isinstance(outputs, list) else []

    def ask(self, message: dict[str, Any], parts: Parts, seconds: float) -> tuple[dict[str, Any], Parts]:
        """Send a request and return what comes back within ``seconds`` and some. Raises Lost.

        Answers to earlier requests are passed over: where a cell forks, copies of its process may give them once more.
        """
        self._number += 1
        run, late = self._run, f"it ran longer than {seconds:g} s and could only be stopped by ending its process"
        try:
            deadline = time.monotonic() + seconds + min(SPARE, 1.0 + seconds)
            run.frames.send({**message, "number": self._number}, parts, deadline=deadline)
            while True:
                told, back = run.frames.receive(most=MOST, most_text=MOST_TEXT, deadline=deadline)
                if told.get("number") == self._number:
                    return told, back
        except Late:
            run.kill("time", late)
        except TooMuch:
            run.kill("killed", f"it sent more than {MOST >> 20} MB back, or {MOST_TEXT >> 20} MB of text")
        except Malformed as error:
            run.kill("killed", f"what it sent back is no message ({error})")
        except Gone:
            run.kill("killed", "it closed the connection to the grader")
        raise Lost(run.sentence[:1].lower() + run.sentence[1:].rstrip("."))

    def answer(self, name: str, seconds: float) -> Remote:
        """Return the learner's function of that name, for one half of a check that may take ``seconds``."""
        return Remote(self, name, seconds)


class Remote:
    """A learner's function, called in the sandbox; an ``Answer`` for ``tutor.checking.engine.examine``."""

    def __init__(self, cells: Cells, name: str, seconds: float) -> None:
        self._cells, self._name, self._seconds = cells, name, seconds

    def attempt(self, cases: Sequence[Case], limit: float) -> Attempt:
        """Call the function on every case. Raises Lost and NoAnswer."""
        told, parts = self._ask(cases, limit, once=False)
        try:
            outcomes = self._outcomes(cases, told, parts)
            found = told.get("again")
            again = None
            if found:
                index = int(found[0])
                again = index, judged(cases[index], _whole(cases[index], decode_outcome(found[1], parts)))
            unwritten = told.get("unwritten")
        except (BadValue, TypeError, ValueError, IndexError, KeyError) as error:
            raise self._nonsense(error) from error
        return Attempt(outcomes, again, unwritten if unwritten in ("not-attempted", "stub-left") else "")

    def call(self, case: Case, limit: float) -> Outcome:
        """Call the function on one more case. Raises Lost and NoAnswer."""
        told, parts = self._ask([case], limit, once=True)
        try:
            return self._outcomes([case], told, parts)[0]
        except (BadValue, TypeError, ValueError, IndexError, KeyError) as error:
            raise self._nonsense(error) from error

    def _ask(self, cases: Sequence[Case], limit: float, *, once: bool) -> tuple[dict[str, Any], Parts]:
        coded, parts = _coded(cases) if not once else _code(cases)
        limit = min(limit, self._seconds)  # for a call; those of all calls together are counted from outside
        message = {"do": "attempt", "name": self._name, "cases": coded, "limit": limit, "once": once}
        told, back = self._cells.ask(message, parts, self._seconds + limit)
        if told.get("missing"):
            raise NoAnswer(f"nothing is called {self._name} in the notebook")
        if "fault" in told:
            raise NoAnswer(quoted(str(told["fault"]), 300))
        return told, back

    def _outcomes(self, cases: Sequence[Case], told: dict[str, Any], parts: Parts) -> list[Outcome]:
        outcomes = [decode_outcome(coded, parts) for coded in told["outcomes"]]
        whole = len(outcomes) == len(cases) or (0 < len(outcomes) < len(cases) and outcomes[-1].slow)
        if not whole:
            raise ValueError("outcomes of other cases")
        return [judged(case, _whole(case, outcome)) for case, outcome in zip(cases, outcomes, strict=False)]

    def _nonsense(self, error: Exception) -> Lost:
        return Lost(f"what it sent back is no result ({quoted(str(error), 200)})")


def _whole(case: Case, outcome: Outcome) -> Outcome:
    """Return an outcome in which gradients that have to be there and are not count as cut off.

    None are expected only of what can't be differentiated: complex, too large, or no ordinary tensors.
    """
    if case.gradient and outcome.error is None and not outcome.slow:
        there = outcome.grads is not None or outcome.grad_error is not None
        odd = any(not ordinary(t) or t.is_complex() or t.numel() > LARGEST for t in tensors(outcome.value))
        outcome.detached = outcome.detached or not (there or odd)
    return outcome
