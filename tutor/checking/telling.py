"""What a check lets its caller know: a card, an error's line, or points."""

from __future__ import annotations

from dataclasses import dataclass

from tutor.checking import card, words
from tutor.checking.report import Report


@dataclass(frozen=True)
class Told:
    """shows: whether there is a card to show. line: of the error to raise, "" for none. earned: points, None for all."""

    shows: bool
    line: str
    earned: float | None


def tell(report: Report, shown: Report | None, points: float | None) -> Told:
    """Return what follows from a report.

    shown: the report of the visible check of the same answer, when ``report`` is of the hidden one. points: what a right answer
    earns; one that is partly right earns a part of them, and without ``points`` it is an error.
    """
    score = min(report.score, shown.score) if shown else report.score
    shows = not report.hidden or not (report.passed or (shown is not None and _tell_the_same(report, shown)))
    if score == 1.0:
        return Told(shows, "", None)
    if points and score > 0:
        # Rounding must not turn a part into all or nothing, which nbgrader reads as such.
        earned = round(points * score, 2)
        return Told(shows, "", earned if 0 < earned < points else points * score)
    return Told(shows, words.phrase("error-line", headline=card.headline(report)), None)


def _tell_the_same(report: Report, shown: Report) -> bool:
    return [d.id for d in report.diagnoses] == [d.id for d in shown.diagnoses] and report.aspects == shown.aspects
