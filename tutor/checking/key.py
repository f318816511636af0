"""The key to a check: its cases, and what the right answer and the wrong ones that are known do on them."""

from __future__ import annotations

from tutor.checking.answering import Outcome, call
from tutor.checking.exercise import Case, Exercise, Function
from tutor.checking.surroundings import untouched


class Key:
    """The cases of an exercise for a seed. What the oracle and the twins do on them is found out once, when it is asked.

    A class's answers can all be held against one key.
    """

    def __init__(self, exercise: Exercise, *, seed: int = 0, hidden: bool = False) -> None:
        self.exercise, self.hidden = exercise, hidden
        with untouched():  # neither the learner's random numbers nor his default device and dtype
            self.cases: list[Case] = exercise.draw(seed=seed, hidden=hidden)
        self._right: dict[int, Outcome] = {}
        self._wrong: dict[tuple[str | tuple[str, str], int], Outcome] = {}

    def right(self, index: int) -> Outcome:
        """Return what the oracle does on a case."""
        if index not in self._right:
            self._right[index] = call(self.exercise.oracle, self.cases[index])
        return self._right[index]

    def twin(self, name: str, index: int) -> Outcome:
        """Return what a twin does on a case."""
        return self._of(name, self.exercise.twins[name], index)

    def pair(self, names: tuple[str, str], function: Function, index: int) -> Outcome:
        """Return what two misconceptions in one function do on a case."""
        return self._of(names, function, index)

    def _of(self, name: str | tuple[str, str], function: Function, index: int) -> Outcome:
        if (name, index) not in self._wrong:  # most twins give themselves away at the first case
            self._wrong[name, index] = call(function, self.cases[index])
        return self._wrong[name, index]
