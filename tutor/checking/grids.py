"""The smallest failing case as grids: what went in, then what was expected beside what came out, cell under cell.

A wrong cell carries a sign, a thick border and square corners besides its colour, and what belongs there is dashed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import torch

from tutor.checking.facts import facts
from tutor.checking.frame import LINE, MONO, PALE, VERMILION, code, paragraph
from tutor.checking.report import Example
from tutor.checking.results import ordinary
from tutor.checking.words import phrase
from tutor.checking.writing import COLUMNS, PLANES, ROWS, WRONG, apart, differing, head, inline, near, nested

_PLAIN = f'style="border: 1px solid {LINE}; border-radius: 4px; padding: 3px 6px;"'
# One pixel more of border and one less of padding: all cells are of one size.
_MARKED = f'style="border: 2px solid {VERMILION}; border-radius: 0; padding: 2px 5px; font-weight: 700;"'
_DASHED = f'style="border: 2px dashed {LINE}; border-radius: 4px; padding: 2px 5px;"'
_INDEX = f'style="border: none; padding: 0 3px; font-size: 10px; font-weight: 400; text-align: center; color: {PALE};"'
_NARROW = 22  # characters in a row that fit beside a prompt in a narrow window; longer ones may have to scroll


@dataclass(frozen=True)
class Side:
    """One side of a comparison: its label, its value and the other side's (None for an argument).

    ``wrong``: of the two, the learner's.
    """

    label: str
    value: Any
    other: Any = None
    wrong: bool = False


def case(example: Example) -> str:
    """Return the case as HTML: arguments, then pairs of expected and got."""
    grids = {name: value for name, value in example.arguments.items() if _has_grid(value)}
    options = [f"{name} = {inline(value)}" for name, value in example.arguments.items() if name not in grids]
    given = _row([part for name, value in grids.items() for part in _given(name, value)])
    given += paragraph(" ".join(code(option) for option in options)) if options else ""
    given = f'<div style="max-width: 100%;">{given}</div>' if given else ""
    if isinstance(example.expected, dict) and isinstance(example.got, dict | None):
        return (_row([given]) if given else "") + facts(example.expected, example.got)
    pairs = _pairs(example.expected, example.got, "" if example.what == "result" else f" {example.what}")
    came = "".join(_row([_block(side) for side in pair]) for pair in pairs)
    marked = paragraph(escape(phrase("marked")), f"font-size: 13px; color: {PALE};") if _MARKED in came else ""
    arrow = '<div aria-hidden="true" style="font-size: 20px; padding-top: 16px;">→</div>' if given else ""
    # The arrow stays with what it points at, on whichever line that is.
    came = (
        f'<div style="display: flex; gap: 12px; max-width: 100%;">{arrow}<div style="min-width: 0;">{came}</div></div>'
    )
    return _row([given, came]) + marked


def _has_grid(value: Any) -> bool:
    parts = value if isinstance(value, tuple | list) else [value]
    return any(isinstance(part, torch.Tensor) for part in parts[:PLANES])


def _given(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, tuple | list):
        for index, part in enumerate(value[:PLANES]):
            yield _block(Side(f"{name}[{index}]", part))
        if len(value) > PLANES:
            yield _small(phrase("more", count=len(value) - PLANES))
    else:
        yield _block(Side(name, value))


def _pairs(right: Any, got: Any, what: str) -> Iterator[Sequence[Side]]:
    """Yield what stands side by side; tuples of the same length with tensors in them part by part."""
    both = isinstance(right, tuple | list) and isinstance(got, tuple | list)
    if both and len(right) == len(got) and _has_grid(right):
        for index in range(min(len(right), 2 * PLANES)):
            yield from _pairs(right[index], got[index], f"{what}[{index}]")
        return
    labels = [phrase(key) + what for key in ("expected", "got")]
    if got is None:
        yield [Side(labels[0], right)]
    else:
        yield [Side(labels[0], right, got), Side(labels[1], got, right, wrong=True)]


def _row(blocks: Sequence[str]) -> str:
    style = "display: flex; flex-wrap: wrap; gap: 4px 20px; align-items: flex-start; margin-top: 4px;"
    return f'<div style="{style}">{"".join(blocks)}</div>' if blocks else ""


def _small(text: str) -> str:
    return f'<div style="font-size: 12px; color: {PALE};">{escape(text)}</div>'


def _block(side: Side) -> str:
    """Return a value under its label, no wider than the card."""
    shape = ""
    if isinstance(side.value, torch.Tensor) and ordinary(side.value):
        differs = side.wrong and (not isinstance(side.other, torch.Tensor) or side.other.shape != side.value.shape)
        style = "font-weight: 700;" if differs else f"color: {PALE};"
        words = f"{WRONG if differs else ''}shape {tuple(side.value.shape)}"
        shape = f' <span style="font-size: 12px; {style}">{escape(words)}</span>'
        html = _planes(side) if side.value.numel() > 0 else _small(phrase("no-numbers"))
    else:
        html = facts(side.value, None) if isinstance(side.value, dict) else _cells(side)
    label = f'<span style="font-weight: 600;">{escape(side.label)}</span>{shape}'
    return f'<div style="max-width: 100%;"><div style="font-size: 13px;">{label}</div>{html}</div>'


def _cells(side: Side) -> str:
    """Return a plain value, or each part of a short tuple or list, in cells; what is long, on lines."""
    values, others = [side.value], [side.value if side.other is None else side.other]
    if isinstance(side.value, tuple | list) and 0 < len(side.value) <= COLUMNS:
        if side.other is None:
            values = others = list(side.value)
        elif type(side.other) is type(side.value) and len(side.other) == len(side.value):
            values, others = list(side.value), list(side.other)
    texts = [differing(value, other) for value, other in zip(values, others, strict=True)]
    wrong = [text != other for text, other in texts]
    width = max(len(text) for pair in texts for text in pair) + len(WRONG) * any(wrong)
    if width > _NARROW:
        return "".join(_line(text, side.wrong and bad) for (text, _), bad in zip(texts, wrong, strict=True))
    return _table(side, [[text for text, _ in texts]], [wrong], width, side.label)


def _line(text: str, wrong: bool) -> str:
    return f'<div style="font-family: {MONO}; font-size: 13px;">{WRONG if wrong else ""}{escape(text)}</div>'


def _planes(side: Side) -> str:
    value, other = side.value, side.other
    most, corner = PLANES, head(value)
    if not (isinstance(other, torch.Tensor) and ordinary(other) and other.shape == value.shape):
        other = None
        if value.numel() > PLANES * ROWS * COLUMNS:  # compared with nothing, it needs no more than a look
            most, corner = 1, corner[..., : ROWS // 2, :] if value.dim() > 1 else corner
    name, shape = side.label, tuple(value.shape)
    below = ""
    while value.dim() > 3 and value.shape[-2:] == (1, 1):  # channels of one pixel each: a grid of them says it all
        value, other, shape = value[..., 0, 0], None if other is None else other[..., 0, 0], shape[:-2]
        corner = corner[..., 0, 0]
        below = phrase("one-pixel") if shape[-1] > 1 else ""
    leading = corner.shape[:-2]
    rows, columns = (corner.shape[-2] if corner.dim() > 1 else 1), (corner.shape[-1] if corner.dim() else 1)
    planes = corner.reshape(-1, rows, columns)[:most].tolist()
    others = None if other is None else head(other).reshape(-1, rows, columns)[:most].tolist()
    here, wrong = [], []
    width = 1
    for p, plane in enumerate(planes):
        here.append([[nested(cell) for cell in row] for row in plane])
        wrong.append([[False] * columns for _ in plane])
        for r, row in enumerate(plane if others else []):
            for c, cell in enumerate(row):
                against = others[p][r][c] if others else None
                wrong[p][r][c] = not near(cell, against)
                text, beside = apart(cell, against) if wrong[p][r][c] else (here[p][r][c], nested(against))
                here[p][r][c] = text
                width = max(width, len(beside))
        width = max(width, *(len(text) for row in here[p] for text in row))
    width += len(WRONG) if any(flag for plane in wrong for row in plane for flag in row) else 0
    parts = []
    for p, plane in enumerate(here):
        index = _index(p, leading)
        caption = _caption(shape, index, value.is_floating_point() and "weight" not in name)
        table = _table(side, plane, wrong[p], width, f"{name}, {caption}" if caption else name)
        parts.append(f'<div style="max-width: 100%;">{_small(caption) if caption else ""}{table}</div>')
    hidden = value.numel() - len(planes) * rows * columns
    style = "display: flex; flex-wrap: wrap; gap: 4px 12px;"
    below = " ".join([below] * bool(below) + [phrase("more", count=hidden)] * bool(hidden))
    return f'<div style="{style}">{"".join(parts)}</div>' + (_small(below) if below else "")


def _index(plane: int, leading: Sequence[int]) -> list[int]:
    index: list[int] = []
    for size in reversed(leading):
        index.insert(0, plane % size)
        plane //= size
    return index


def _caption(shape: Sequence[int], index: list[int], images: bool) -> str:
    """Return which plane of a tensor this is: in words for images, else as one would index it; "" for the only one."""
    if len(shape) == 4 and images:
        words = [("image", shape[0], index[0]), ("channel", shape[1], index[1])]
        return ", ".join(phrase(word, index=at) for word, size, at in words if size > 1)
    return f"[{', '.join(map(str, index))}]" if any(size > 1 for size in shape[:-2]) else ""


def _table(side: Side, texts: Sequence[Sequence[str]], wrong: Sequence[Sequence[bool]], width: int, label: str) -> str:
    rows, columns = len(texts), len(texts[0])
    numbered = rows > 2  # fewer are counted at a glance
    lines = []
    if columns > 2:
        corner = f"<td {_INDEX}></td>" if numbered else ""
        lines.append(corner + "".join(f'<th scope="col" {_INDEX}>{column}</th>' for column in range(columns)))
    for r, row in enumerate(texts):
        line = f'<th scope="row" {_INDEX}>{r}</th>' if numbered else ""
        for text, bad in zip(row, wrong[r], strict=True):
            style = (_MARKED if side.wrong else _DASHED) if bad else _PLAIN
            line += f"<td {style}>{WRONG if bad and side.wrong else ''}{escape(text)}</td>"
        lines.append(line)
    # Lab stripes the rows of tables and centres them.
    body = "".join(f'<tr style="background: none;">{line}</tr>' for line in lines)
    sizes = "<col>" * numbered + f'<col span="{columns}" style="width: calc({width}ch + 14px);">'
    focus = ' tabindex="0"' if columns * (width + 2) > _NARROW else ""  # what scrolls has to be reached by keyboard
    return (
        f'<div role="group" aria-label="{escape(label)}" style="overflow-x: auto;"{focus}>'
        f'<table aria-label="{escape(label)}" style="border-collapse: separate; border-spacing: 2px; margin: 0; '
        f'width: max-content; white-space: nowrap; font-family: {MONO}; font-size: 13px; text-align: right;">'
        f"<colgroup>{sizes}</colgroup><tbody>{body}</tbody></table></div>"
    )
