"""How far training has come, and the learning rate there: one cycle, up and down again."""

import time
from dataclasses import dataclass, field
from typing import Final

RISE: Final = 0.25  # of the training
START: Final = 0.05  # of the highest rate
END: Final = 0.01
HEAD_START: Final = 0.1  # of the time, in which steps alone count where they are counted


def one_cycle(progress: float) -> float:
    """Return the factor of the highest learning rate at ``progress``, which runs from 0 to 1.

    It rises in a straight line from 0.05 to 1 in the first quarter, and falls in another to 0.01 at the end:
    "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates" (Smith and Topin, 2017).
    """
    if progress < RISE:
        return START + (1 - START) * progress / RISE
    return 1 + (END - 1) * (min(progress, 1) - RISE) / (1 - RISE)


@dataclass
class Pace:
    """How far training has come: by steps, by the clock, or by whichever of the two is further.

    ``steps`` is the number of steps to take, ``seconds`` the time; one of them may be None. By the clock, the last step
    is one that should still end in time, to judge by those before it.
    """

    steps: int | None
    seconds: float | None
    taken: int = 0
    began: float = field(default_factory=lambda: time.perf_counter())
    _longest: float = 0.0
    _last: float = 0.0

    @property
    def elapsed(self) -> float:
        """Return the seconds since training began."""
        return time.perf_counter() - self.began

    def progress(self) -> float:
        """Return how far training has come, from 0 to 1."""
        by_clock = self.elapsed / self.seconds if self.seconds else 0.0
        if self.steps is None:
            return min(1.0, by_clock)
        # The clock starts a tenth late: a run whose steps are over in time goes by its steps alone, the same each time.
        return min(1.0, max(self.taken / self.steps, (by_clock - HEAD_START) / (1 - HEAD_START)))

    def step(self) -> None:
        """Note that a step was taken."""
        self.taken += 1
        now = self.elapsed
        # The longest of late, slowly forgotten: the very first step, which sets much up, says little about the last.
        self._longest = max(now - self._last, 0.9 * self._longest) if self.taken > 1 else 0.0
        self._last = now

    def over(self) -> bool:
        """Tell whether no further step should be taken."""
        if self.steps is not None and self.taken >= self.steps:
            return True
        return self.seconds is not None and self.taken > 0 and self.elapsed + self._longest > self.seconds
