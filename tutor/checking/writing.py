"""How values are written on one line, whatever an answer returned: short, and never more of a tensor than a card has room for."""

from __future__ import annotations

import math
from typing import Any

import torch

from tutor.checking.results import ordinary
from tutor.checking.words import phrase

ROWS, COLUMNS, PLANES = 8, 8, 4  # how much of a tensor a card shows
LONGEST = 300  # characters of anything else
WRONG = "✗ "  # stands before whatever differs
DIGITS, MOST_DIGITS = 4, 17  # 17 tell any two float64 numbers apart


def number(value: complex, digits: int = DIGITS) -> str:
    """Return a number the way a card shows it: four significant digits, no trailing zeros."""
    return f"{value or 0.0:.{digits}g}"  # "or" turns -0.0 into 0.0, which reads less oddly


def inline(value: Any, digits: int = DIGITS) -> str:
    """Return any plain value (see :mod:`tutor.checking.results`) on one line; of a large tensor, its first numbers."""
    if isinstance(value, torch.Tensor):
        if not ordinary(value):
            return f"shape {tuple(value.shape)}" if value.is_meta else type(value).__name__
        if value.numel() <= ROWS * COLUMNS:
            return nested(value.tolist(), digits)
        return f"{nested(head(value).flatten()[:8].tolist(), digits)} …"
    if isinstance(value, tuple | list):
        inner = ", ".join(inline(part, digits) for part in value[: ROWS * COLUMNS])
        inner += ", …" if len(value) > ROWS * COLUMNS else ""
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {inline(part, digits)}" for key, part in value.items())
    if isinstance(value, float | complex):
        return number(value, digits)
    if isinstance(value, int) and value.bit_length() > LONGEST:  # Python refuses to write very long ones
        return phrase("endless", digits=int(value.bit_length() * math.log10(2)) + 1)
    text = str(getattr(value, "__name__", value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def nested(value: Any, digits: int = DIGITS) -> str:
    """Return a number, a truth value or nested lists of them."""
    if isinstance(value, list):
        return "[" + ", ".join(nested(part, digits) for part in value) + "]"
    return number(value, digits) if isinstance(value, float | complex) else str(value)


def apart(one: Any, other: Any) -> tuple[str, str]:
    """Return two values on a line each, with as many digits as it takes to tell them apart (where digits do)."""
    for digits in range(DIGITS, MOST_DIGITS + 1):
        texts = inline(one, digits), inline(other, digits)
        if texts[0] != texts[1]:
            return texts
    return inline(one), inline(other)


def differing(one: Any, other: Any) -> tuple[str, str]:
    """Return two plain values on a line each: the same text twice where nothing in them counts as different."""
    return (inline(one),) * 2 if _alike(one, other) else apart(one, other)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float | complex) and isinstance(other, float | complex):
        return near(one, other)
    if isinstance(one, tuple | list) and type(one) is type(other) and len(one) == len(other):
        return all(_alike(*pair) for pair in zip(one, other, strict=True))
    return inline(one) == inline(other)


def near(one: Any, other: Any) -> bool:
    """Tell whether two numbers are the same but for rounding; NaN is like NaN."""
    first, second = (torch.tensor(value, dtype=torch.complex128) for value in (one, other))
    return bool(torch.isclose(first, second, rtol=1e-6, atol=1e-8, equal_nan=True))


def head(value: torch.Tensor) -> torch.Tensor:
    """Return the corner of a tensor that a card has room for; the rest, which may be endless, isn't touched."""
    for dim, size in enumerate(value.shape):
        room = {value.dim() - 1: COLUMNS, value.dim() - 2: ROWS}.get(dim, PLANES)
        value = value.narrow(dim, 0, min(size, room))
    return value
