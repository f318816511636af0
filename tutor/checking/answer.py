"""An answer as a check sees it: something to call. Where it is called is its own affair: here, or in a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tutor.checking.answering import Outcome, call
from tutor.checking.attempted import stub
from tutor.checking.exercise import Case, Function


@dataclass
class Attempt:
    """What an answer did on the cases of a check, in order.

    ``outcomes`` ends with the first call that was too slow, if one was. ``again`` is the first case that has to come out
    the same with other random numbers, and how it did; None where there is none. ``unwritten`` is as ``attempted.stub`` has
    it.
    """

    outcomes: list[Outcome]
    again: tuple[int, Outcome] | None
    unwritten: str


class Answer(Protocol):
    """An answer to an exercise."""

    def attempt(self, cases: Sequence[Case], limit: float) -> Attempt:
        """Call it on every case, with ``limit`` seconds for each call."""

    def call(self, case: Case, limit: float) -> Outcome:
        """Call it on one more case."""


class Own:
    """An answer in this very process."""

    def __init__(self, function: Function) -> None:
        self._function = function

    def attempt(self, cases: Sequence[Case], limit: float) -> Attempt:
        """Call the function on every case, with ``limit`` seconds for each call."""
        return attempt(self._function, cases, limit, call)

    def call(self, case: Case, limit: float) -> Outcome:
        """Call the function on one more case."""
        return call(self._function, case, limit=limit)


def attempt(function: Function, cases: Sequence[Case], limit: float, way: Callable[..., Outcome]) -> Attempt:
    """Call a function on every case, by ``call``, or by ``perform`` where somebody else judges what came back."""
    outcomes: list[Outcome] = []
    for case in cases:
        outcomes.append(way(function, case, limit=limit))
        if outcomes[-1].slow:
            break
    again = None
    for index, (case, outcome) in enumerate(zip(cases, outcomes, strict=False)):
        if not (case.random or outcome.slow or outcome.error is not None):
            again = index, way(function, case, limit=limit, seed=1)
            break
    return Attempt(outcomes, again, stub(function, outcomes))
