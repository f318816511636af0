"""Answers that are whole numbers, in whichever type."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def whole(value: Any, args: tuple[Any, ...]) -> Any:
    """Take 3, 3.0, tensor(3) and numpy's 3 for the same answer."""
    if hasattr(value, "item") and (value.numel() if isinstance(value, Tensor) else getattr(value, "size", 0)) == 1:
        value = value.item()
    is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
    return int(value) if is_whole else value
