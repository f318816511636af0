"""The hints for an exercise so far, as a card or as a line of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tutor.checking.frame import BLUE, frame, paragraph, rich
from tutor.checking.words import phrase


def as_text(name: str, steps: Sequence[str], step: int) -> str:
    """Return hint number ``step`` (from 1) on one line."""
    return phrase("hint", step=step, of=len(steps), name=name, hint=steps[step - 1])


def as_html(name: str, steps: Sequence[str], step: int) -> str:
    """Return a card with the hints up to number ``step`` (from 1), and how to get the next."""
    return frame("?", name, phrase("hint-title", step=step, of=len(steps)), BLUE, _parts(name, steps, step))


def _parts(name: str, steps: Sequence[str], step: int) -> Iterator[str]:
    items = "".join(
        f'<li style="margin: 4px 0; font-size: {15 if number == step else 13}px;">{rich(text)}</li>'
        for number, text in enumerate(steps[:step], start=1)
    )
    yield f'<ol style="margin: 0; padding-left: 1.6em;">{items}</ol>'
    last = step == len(steps)
    yield paragraph(rich(phrase("hint-last", name=name) if last else phrase("hint-next")), "font-size: 13px;")
