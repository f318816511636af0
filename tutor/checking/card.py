"""Draw a report as a card: HTML for notebooks and feedback pages, plain text for everywhere else.

From the top: the verdict and the points, the mistake in words, the smallest case that shows it, what to do next.
Nothing is said by colour alone: verdicts carry a sign and words, and wrong numbers carry a mark.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tutor.checking import grids
from tutor.checking.frame import (
    BLUE,
    GREEN,
    INK,
    LINE,
    MONO,
    ORANGE,
    VERMILION,
    frame,
    labelled,
    link,
    paragraph,
    rich,
    sendable,
)
from tutor.checking.report import Example, Report
from tutor.checking.words import aspect, phrase
from tutor.checking.writing import apart, inline, number

SIGNS = {"passed": "✓", "partly right": "◐", "not right yet": "✗", "not attempted": "○"}
COLOURS = {"passed": GREEN, "partly right": ORANGE, "not right yet": VERMILION, "not attempted": BLUE}
HEADLINES = {"passed": "passed", "partly right": "partly", "not right yet": "failed", "not attempted": "not-attempted"}


def headline(report: Report) -> str:
    """Return the verdict in words, such as "relu: not right yet"."""
    return phrase(HEADLINES[report.verdict], name=report.name)


def as_text(report: Report, points: float | None = None) -> str:
    """Return the card as plain text."""
    aside = _points(report, points)
    lines = [f"{SIGNS[report.verdict]} {headline(report)}" + (f" · {aside}" if aside else "")]
    lines += [f"  {_sign(holds)} {aspect(name)}: {_holds(holds)}" for name, holds in _aspects(report).items()]
    for diagnosis in report.diagnoses:
        lines += ["", diagnosis.message]
    if report.example:
        lines += ["", phrase("small-case") + ":", *_example_text(report.example)]
    elif _secret(report):
        lines += ["", phrase("hidden-case")]
    advice = [phrase("try", hint=hint) for hint in _tries(report)]
    advice += [phrase("read-again", section=section) for section in _sections(report)]
    lines += ["", *advice] if advice else []
    lines += [line for note in report.notes for line in ("", phrase("note", message=note.message))]
    if report.printed and report.diagnoses:
        lines += ["", phrase("printed") + ":", *(f"  {line}" for line in _printed(report))]
    return sendable("\n".join(lines))


def as_html(report: Report, points: float | None = None, *, links: bool = False) -> str:
    """Return the card as one HTML element with all its style inline, readable on light and dark pages.

    links: whether a section to read again is a link; only in the chapter itself is there something at its other end.
    """
    return frame(
        SIGNS[report.verdict], headline(report), _points(report, points), COLOURS[report.verdict], _parts(report, links)
    )


def _parts(report: Report, links: bool) -> Iterator[str]:
    if aspects := _aspects(report):
        items = "".join(_item(name, holds) for name, holds in aspects.items())
        style = "list-style: none; display: flex; flex-wrap: wrap; gap: 6px; padding: 0; margin: 2px 0 10px;"
        yield f'<ul style="{style}">{items}</ul>'
    for diagnosis in report.diagnoses:
        yield paragraph(rich(diagnosis.message), "font-size: 15px;")
    if report.example:
        yield paragraph(escape(phrase("small-case")), "font-weight: 600; margin-top: 12px;")
        yield grids.case(report.example)
    elif _secret(report):
        yield paragraph(escape(phrase("hidden-case")))
    advice = [labelled(phrase("try", hint="").strip(), rich(hint)) for hint in _tries(report)]
    to = link if links else escape
    advice += [labelled(phrase("read-again", section="").strip(), to(section)) for section in _sections(report)]
    if advice:
        yield f'<div style="border-top: 1px solid {LINE}; margin-top: 12px; padding-top: 2px;">{"".join(advice)}</div>'
    for note in report.notes:
        yield paragraph(rich(phrase("note", message=note.message)))
    if report.printed and report.diagnoses:
        yield paragraph(escape(phrase("printed")) + ":")
        style = f"margin: 0; color: {INK}; font-family: {MONO}; font-size: 13px; white-space: pre-wrap;"
        yield f'<pre style="{style}">{escape(chr(10).join(_printed(report)))}</pre>'


def _aspects(report: Report) -> dict[str, bool]:
    # While ordinary numbers are wrong, the rest of the list says nothing.
    return report.aspects if report.verdict == "partly right" else {}


def _item(name: str, holds: bool) -> str:
    border = f"1px {'solid' if holds else 'dashed'} {LINE}"
    style = f"border: {border}; border-radius: 4px; padding: 0 8px; margin: 0; font-size: 13px;"
    return (
        f'<li style="{style}"><span aria-hidden="true">{_sign(holds)}</span> '
        f"{escape(aspect(name))}: {escape(_holds(holds))}</li>"
    )


def _secret(report: Report) -> bool:
    return bool(report.hidden and report.diagnoses and report.verdict != "not attempted")


def _points(report: Report, points: float | None) -> str:
    if points is None:
        return ""
    return phrase("points", earned=number(round(points * report.score, 2)), points=number(points))


def _sign(holds: bool) -> str:
    return "✓" if holds else "✗"


def _holds(holds: bool) -> str:
    return phrase("works" if holds else "fails")


def _tries(report: Report) -> list[str]:
    return [diagnosis.hint for diagnosis in report.diagnoses if diagnosis.hint]


def _sections(report: Report) -> list[str]:
    """Return the headings to read again, each once."""
    return list(dict.fromkeys(diagnosis.section for diagnosis in report.diagnoses if diagnosis.section))


def _printed(report: Report) -> list[str]:
    lines = report.printed.strip().splitlines()
    return [line[:200] for line in lines[:6]] + (["…"] if len(lines) > 6 else [])


def _example_text(example: Example) -> Iterator[str]:
    for argument, value in example.arguments.items():
        yield f"  {argument} = {inline(value)}"
    if example.what != "result":
        yield f"  {example.what}:"
    if example.got is None:
        yield f"  {phrase('expected')}: {inline(example.expected)}"
    else:
        right, got = apart(example.expected, example.got)
        yield f"  {phrase('expected')}: {right}"
        yield f"  {phrase('got')}:    {got}"
