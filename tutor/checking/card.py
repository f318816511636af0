"""Draw a report as a card: HTML for notebooks and feedback pages, plain text for everywhere else.

Nothing is said by colour alone: verdicts carry a sign and words, and wrong numbers carry a mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

import torch

from tutor.checking.report import Diagnosis, Example, Report
from tutor.checking.results import ordinary
from tutor.checking.words import aspect, phrase

SIGNS = {"passed": "✓", "partly right": "◐", "not right yet": "✗", "not attempted": "○"}
# Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
COLOURS = {"passed": "#009e73", "partly right": "#e69f00", "not right yet": "#d55e00", "not attempted": "#0072b2"}
HEADLINES = {"passed": "passed", "partly right": "partly", "not right yet": "failed", "not attempted": "not-attempted"}
ROWS, COLUMNS, PLANES = 8, 8, 4  # how much of a tensor a card shows
LONGEST = 300  # characters of anything else

# Lab's own variables follow its light or dark theme; the fallbacks serve pages that have none.
_INK = "var(--jp-ui-font-color1, #1a1a1a)"
_PAPER = "var(--jp-layout-color1, #ffffff)"
_LINE = "var(--jp-border-color1, #bdbdbd)"
_CELL = f"border: 1px solid {_LINE}; padding: 2px 7px; text-align: right; font-family: monospace; color: {_INK};"
_WRONG = _CELL.replace(f"1px solid {_LINE}", "2px solid #d55e00") + " font-weight: bold;"


def headline(report: Report) -> str:
    """Return the verdict in words, such as "relu: not right yet"."""
    return phrase(HEADLINES[report.verdict], name=report.name)


def as_text(report: Report, points: float | None = None) -> str:
    """Return the card as plain text."""
    lines = [f"{SIGNS[report.verdict]} {headline(report)}" + _points(report, points, " · ")]
    if report.verdict == "partly right":  # while ordinary numbers are wrong, the rest of the list says nothing
        lines += [
            f"  {'✓' if holds else '✗'} {aspect(name)}: {_holds(holds)}" for name, holds in report.aspects.items()
        ]
    for diagnosis in report.diagnoses:
        lines += ["", diagnosis.message]
        lines += [f"  {line}" for line in _advice(diagnosis)]
    lines += [line for note in report.notes for line in ("", phrase("note", message=note.message))]
    if report.example:
        lines += ["", phrase("small-case") + ":", *_example_text(report.name, report.example)]
    elif report.hidden and report.diagnoses and report.verdict != "not attempted":
        lines += ["", phrase("hidden-case")]
    if report.printed and report.diagnoses:
        lines += ["", phrase("printed") + ":", *(f"  {line}" for line in _printed(report))]
    return _sendable("\n".join(lines))


def as_html(report: Report, points: float | None = None) -> str:
    """Return the card as one HTML element with all its style inline, readable on light and dark pages."""
    colour, title = COLOURS[report.verdict], headline(report)
    parts = [
        f'<div role="group" aria-label="{escape(title)}" style="border: 1px solid {_LINE}; border-left: 6px solid {colour}; '
        f"border-radius: 4px; padding: 10px 16px; margin: 6px 0; max-width: 46em; background: {_PAPER}; color: {_INK}; "
        'font-family: var(--jp-ui-font-family, sans-serif); font-size: 14px; line-height: 1.5;">',
        f'<div style="font-size: 16px; font-weight: 600;"><span aria-hidden="true">{SIGNS[report.verdict]}</span> '
        f'{escape(title)}<span style="font-weight: 400;">{escape(_points(report, points, " · "))}</span></div>',
    ]
    if report.verdict == "partly right":  # while ordinary numbers are wrong, the rest of the list says nothing
        items = "".join(
            f'<li style="display: inline-block; margin: 0 14px 0 0;"><span aria-hidden="true">{"✓" if holds else "✗"}</span> '
            f"{escape(aspect(name))}: {escape(_holds(holds))}</li>"
            for name, holds in report.aspects.items()
        )
        parts.append(f'<ul style="list-style: none; padding: 0; margin: 4px 0; font-size: 13px;">{items}</ul>')
    for diagnosis in report.diagnoses:
        parts.append(f'<p style="margin: 10px 0 2px; font-weight: 600;">{_rich(diagnosis.message)}</p>')
        parts += [f'<p style="margin: 2px 0;">{_rich(line)}</p>' for line in _advice(diagnosis)]
    parts += [f'<p style="margin: 8px 0 0;">{_rich(phrase("note", message=note.message))}</p>' for note in report.notes]
    if report.example:
        parts.append(_example_html(report.name, report.example))
    elif report.hidden and report.diagnoses and report.verdict != "not attempted":
        parts.append(f'<p style="margin: 8px 0 0;">{escape(phrase("hidden-case"))}</p>')
    if report.printed and report.diagnoses:
        text = escape("\n".join(_printed(report)))
        parts.append(
            f'<p style="margin: 8px 0 0;">{escape(phrase("printed"))}:</p><pre style="margin: 0; color: {_INK};">{text}</pre>'
        )
    return _sendable("".join(parts) + "</div>")


def _sendable(text: str) -> str:
    # What an answer prints or raises can hold half a character, which no notebook can store.
    return text.encode("utf-8", "replace").decode("utf-8")


def _points(report: Report, points: float | None, before: str) -> str:
    if points is None:
        return ""
    return before + phrase("points", earned=number(round(points * report.score, 2)), points=number(points))


def _holds(holds: bool) -> str:
    return phrase("works" if holds else "fails")


def _advice(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.hint:
        yield phrase("try", hint=diagnosis.hint)
    if diagnosis.section:
        yield phrase("read-again", section=diagnosis.section)


def _printed(report: Report) -> list[str]:
    lines = report.printed.strip().splitlines()
    return [line[:200] for line in lines[:6]] + (["…"] if len(lines) > 6 else [])


def _rich(text: str) -> str:
    """Escape a text and set what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def number(value: complex, digits: int = 4) -> str:
    """Return a number the way a card shows it: four significant digits, no trailing zeros."""
    return f"{value or 0.0:.{digits}g}"  # "or" turns -0.0 into 0.0, which reads less oddly


def _example_text(name: str, example: Example) -> Iterator[str]:
    for argument, value in example.arguments.items():
        yield f"  {argument} = {_inline(value)}"
    if example.what != "result":
        yield f"  {example.what}:"
    yield f"  {phrase('expected')}: {_inline(example.expected)}"
    if example.got is not None:
        alike = _inline(example.got) == _inline(example.expected)  # they differ further back
        yield f"  {phrase('got')}:    {_inline(example.got, 10 if alike else 4)}"


def _inline(value: Any, digits: int = 4) -> str:
    if isinstance(value, torch.Tensor):
        if not ordinary(value):
            return f"shape {tuple(value.shape)}" if value.is_meta else type(value).__name__
        if value.numel() <= ROWS * COLUMNS:
            return _nested(value.tolist(), digits)
        return f"{_nested(_head(value).flatten()[:8].tolist(), digits)} …"
    if isinstance(value, tuple | list):
        inner = ", ".join(_inline(part, digits) for part in value[: ROWS * COLUMNS])
        inner += ", …" if len(value) > ROWS * COLUMNS else ""
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_inline(part, digits)}" for key, part in value.items())
    if isinstance(value, float | complex):
        return number(value, digits)
    text = str(getattr(value, "__name__", value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _nested(value: Any, digits: int) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_nested(part, digits) for part in value) + "]"
    return number(value, digits) if isinstance(value, float | complex) else str(value)


def _example_html(name: str, example: Example) -> str:
    blocks = [_block(argument, value, None) for argument, value in example.arguments.items()]
    what = "" if example.what == "result" else f" ({example.what})"
    blocks.append(_block(phrase("expected") + what, example.expected, None))
    if example.got is not None:
        blocks.append(_block(phrase("got") + what, example.got, example.expected))
    marked = (
        f'<p style="margin: 4px 0 0; font-size: 13px;">{escape(phrase("marked"))}</p>' if "✗ " in blocks[-1] else ""
    )
    return (
        f'<p style="margin: 10px 0 2px; font-weight: 600;">{escape(phrase("small-case"))}</p>'
        f'<div style="display: flex; flex-wrap: wrap; gap: 6px 24px; align-items: flex-start;">{"".join(blocks)}</div>{marked}'
    )


def _block(label: str, value: Any, right: Any) -> str:
    return f'<div><div style="font-size: 13px;">{escape(label)}</div>{_value(value, right)}</div>'


def _value(value: Any, right: Any) -> str:
    if isinstance(value, torch.Tensor) and ordinary(value) and value.numel() > 0:
        return _grid(value, right if isinstance(right, torch.Tensor) else None)
    if isinstance(value, tuple | list) and any(isinstance(part, torch.Tensor) for part in value):
        rights = right if isinstance(right, tuple | list) and len(right) == len(value) else [None] * len(value)
        return "".join(_value(part, r) for part, r in zip(value, rights, strict=True))
    if isinstance(value, dict):
        facts = right if isinstance(right, dict) else {}
        wrong = {key for key, part in value.items() if key in facts and _inline(facts[key]) != _inline(part)}
        return "".join(
            f"<div>{'✗ ' if key in wrong else ''}{escape(key)}: {escape(_inline(part))}</div>"
            for key, part in value.items()
        )
    return f"<code>{escape(_inline(value))}</code>"


def _grid(value: torch.Tensor, right: torch.Tensor | None) -> str:
    if right is not None and right.shape != value.shape:
        right = None
    shape = escape(str(tuple(value.shape)))
    while value.dim() > 3 and value.shape[-2:] == (1, 1):  # channels of one pixel each: a grid of them says it all
        value, right = value[..., 0, 0], None if right is None else right[..., 0, 0]
    head = _head(value)
    planes = head.reshape(-1, *_plane(head))
    rights = None if right is None else _head(right).reshape(planes.shape)
    parts = [_table(plane, None if rights is None else rights[index]) for index, plane in enumerate(planes[:PLANES])]
    hidden = value.numel() - planes[:PLANES, :ROWS, :COLUMNS].numel()
    if hidden:
        parts.append(f'<div style="font-size: 13px;">{escape(phrase("more", count=hidden))}</div>')
    return "".join(parts) + f'<div style="font-size: 12px;">shape {shape}</div>'


def _head(value: torch.Tensor) -> torch.Tensor:
    """Return the corner of a tensor that a card has room for; the rest, which may be endless, isn't touched."""
    for dim, size in enumerate(value.shape):
        room = {value.dim() - 1: COLUMNS, value.dim() - 2: ROWS}.get(dim, PLANES)
        value = value.narrow(dim, 0, min(size, room))
    return value


def _plane(value: torch.Tensor) -> tuple[int, int]:
    return (value.shape[-2] if value.dim() > 1 else 1, value.shape[-1] if value.dim() else 1)


def _table(plane: torch.Tensor, right: torch.Tensor | None) -> str:
    rows = []
    for r, row in enumerate(plane[:ROWS].tolist()):
        cells = []
        for c, cell in enumerate(row[:COLUMNS]):
            wrong = right is not None and not _near(cell, right[r, c].item())
            text = _nested(cell, 4)
            if wrong and right is not None and text == _nested(right[r, c].item(), 4):
                text = _nested(cell, 10)  # they differ further back
            cells.append(f'<td style="{_WRONG if wrong else _CELL}">{"✗ " if wrong else ""}{escape(text)}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<table style="border-collapse: collapse; margin: 2px 0;"><tbody>{"".join(rows)}</tbody></table>'


def _near(one: Any, other: Any) -> bool:
    first, second = (torch.tensor(value, dtype=torch.complex128) for value in (one, other))
    return bool(torch.isclose(first, second, rtol=1e-6, atol=1e-8, equal_nan=True))
