"""What a check found, as data: nothing here prints or draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["passed", "partly right", "not right yet", "not attempted"]


@dataclass(frozen=True)
class Diagnosis:
    """One mistake in words.

    ``id`` names the misconception (``"max-of-slope"``) or the general fault (``"wrong-shape"``), ``message`` says what is wrong
    and why, ``hint`` gives a way to look at it, and ``section`` is the chapter's heading to read again ("" for none).
    """

    id: str
    message: str
    hint: str = ""
    section: str = ""


@dataclass(frozen=True)
class CaseResult:
    """One call: the aspect of the score it belongs to, and the kinds of problem found (none when it passed)."""

    aspect: str
    call: str
    passed: bool
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """The smallest failing case: the call's arguments by name, what was expected, and what came instead.

    ``what`` says what is compared ("result", "gradient of input"); ``got`` is None where the answer raised.
    """

    arguments: dict[str, Any]
    what: str
    expected: Any
    got: Any


@dataclass(frozen=True)
class Report:
    """The result of one check.

    ``score`` runs from 0.0 to 1.0 and ``passed`` means 1.0. ``aspects`` maps each part of the score to whether
    it holds. ``diagnoses`` is empty when the answer passed; ``notes`` are remarks that cost nothing.
    """

    name: str
    verdict: Verdict
    score: float
    cases: tuple[CaseResult, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    notes: tuple[Diagnosis, ...] = ()
    aspects: dict[str, bool] = field(default_factory=dict)
    example: Example | None = None
    printed: str = ""
    hidden: bool = False

    @property
    def passed(self) -> bool:
        """True when every required case is right."""
        return self.verdict == "passed"
