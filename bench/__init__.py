"""Measurements of this course against its peers, each a ratio taken within one run: ``python -m bench``.

A measurement is a module here with ``NAME`` (what it is called in words), ``GOAL`` (such as ``">= 50x"``) and
``measure() -> list[Row]``. One with ``SLOW = True`` runs only when named.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

_COMPARE: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Row:
    """One line of the table: our figure and the peer's, in ``unit``, and their ratio beside the goal.

    ``peer`` and ``ratio`` are None where there is nothing to compare with; ``goal`` is "" where none is set.
    """

    what: str
    ours: float
    peer: float | None
    unit: str
    ratio: float | None
    goal: str

    def met(self) -> bool | None:
        """Return whether the ratio reaches the goal; None where there is no ratio or no goal.

        Raises ValueError for a goal that is not ``>=`` or ``<=``, a number and ``x``.
        """
        if self.ratio is None or not self.goal:
            return None
        found = re.fullmatch(r"(>=|<=)\s*([\d.]+)\s*x", self.goal)
        if found is None:
            raise ValueError(f"{self.what!r} has the goal {self.goal!r}, which should read like '>= 50x'")
        return _COMPARE[found[1]](self.ratio, float(found[2]))
