"""Find the misconception behind a wrong answer: the wrong twin that gives the very same wrong results.

An answer is compared with each known twin on the same inputs. Only a twin that reproduces what the answer did is named; where
none does, the report says so. Two mistakes at once are looked for in three ways, from the strictest on: a twin that has
both; two twins that share the failing cases between them; one twin for each failing part of the score, and there for every
part if ordinary numbers are wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from tutor.checking.answering import Outcome
from tutor.checking.comparing import same
from tutor.checking.exercise import CORE, Function
from tutor.checking.key import Key


class Trial:
    """The cases of one check, with what was right and what the answer did on each."""

    def __init__(self, key: Key, chosen: Sequence[int], got: Sequence[Outcome], failing: set[int]) -> None:
        """Look at the cases ``chosen`` from a key; ``got`` and ``failing`` go by their places in this choice."""
        self.key, self.exercise, self.chosen, self.got, self.failing = key, key.exercise, chosen, got, failing
        self.cases = [key.cases[index] for index in chosen]
        # The failing cases first: there, a function that isn't what was done gives itself away at the first call.
        self._everywhere = sorted(range(len(chosen)), key=lambda index: index not in failing)
        self._together: tuple[str, ...] = ()  # two misconceptions in one function, where that is what was found

    def explain(self) -> tuple[str, ...]:
        """Return the ids of the misconceptions that account for the failing cases; empty when none does.

        Several ids come back for two mistakes at once, and for twins that no case tells apart.
        """
        if not self.failing:
            return ()
        singles = [name for name in self.exercise.twins if self._reproduces(name, self._everywhere)]
        return tuple(singles) or self._both() or self._shared() or self._by_aspect()

    def _both(self) -> tuple[str, ...]:
        for names, function in self.exercise.pairs():
            outcomes = self._run(names, function)
            if outcomes is not None and any(self._shows(index, outcomes[index]) for index in self.failing):
                self._together = names
                return names
        return ()

    def _shared(self) -> tuple[str, ...]:
        # A twin takes part only if it is right wherever the answer is right, and reproduces at least one failing case.
        covers: dict[str, set[int]] = {}
        for name in self.exercise.twins:
            if self._fits(name):
                covered = {index for index in self.failing if self._alike(name, index)}
                if any(self._shows(index, self._of(name, index)) for index in covered):
                    covers[name] = covered
        for one, other in combinations(covers, 2):
            if (
                covers[one] | covers[other] == self.failing
                and covers[one] - covers[other]
                and covers[other] - covers[one]
            ):
                return one, other
        return ()

    def _by_aspect(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for aspect in dict.fromkeys(self.cases[index].aspect for index in sorted(self.failing)):
            here = [index for index, case in enumerate(self.cases) if case.aspect == aspect]
            names = [name for name in self.exercise.twins if self._reproduces(name, here) and self._fits(name)]
            if len(names) == 1:  # with two candidates, naming one would be a guess
                found[names[0]] = None
        if any(self.cases[index].aspect == CORE for index in self.failing) and self.explained(found) != self.failing:
            # While ordinary numbers are wrong, everything rests on them, and half an explanation would be a guess.
            return ()
        return tuple(found)

    def _fits(self, name: str) -> bool:
        """Tell whether a twin is right wherever the answer is right."""
        return all(self._like_right(name, index) for index in range(len(self.cases)) if index not in self.failing)

    def explained(self, names: Iterable[str]) -> set[int]:
        """Return the failing cases that are accounted for by the misconceptions that ``explain`` has named."""
        if self._together:
            return set(self.failing)
        return {index for index in self.failing if any(self._alike(name, index) for name in names)}

    def detaches(self, names: Iterable[str]) -> bool:
        """Tell whether one of the named twins is cut off from autograd by the misconception itself."""
        return any(self._of(name, index).detached for name in names for index in range(len(self.cases)))

    def _reproduces(self, name: str, indices: Iterable[int]) -> bool:
        indices = list(indices)
        failing = self.failing & set(indices)
        return all(self._alike(name, index) for index in indices) and any(
            self._shows(index, self._of(name, index)) for index in failing
        )

    def _alike(self, name: str, index: int) -> bool:
        return same(self.exercise, self.cases[index], self.got[index], self._of(name, index))

    def _like_right(self, name: str, index: int) -> bool:
        return same(self.exercise, self.cases[index], self.key.right(self.chosen[index]), self._of(name, index))

    def _shows(self, index: int, outcome: Outcome) -> bool:
        # Two functions that both raise TypeError need have nothing else in common: a value has to agree somewhere.
        return outcome.error is None and not self.got[index].slow

    def _of(self, name: str, index: int) -> Outcome:
        return self.key.twin(name, self.chosen[index])

    def _run(self, names: tuple[str, str], function: Function) -> dict[int, Outcome] | None:
        outcomes = {}
        for index in self._everywhere:
            outcomes[index] = self.key.pair(names, function, self.chosen[index])
            if not same(self.exercise, self.cases[index], self.got[index], outcomes[index]):
                return None
        return outcomes
