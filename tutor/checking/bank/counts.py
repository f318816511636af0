"""Answers that are whole numbers, in whichever type."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def whole(value: Any, args: tuple[Any, ...]) -> Any:
    """Take 3, 3.0, tensor(3) and numpy's 3 for the same answer."""
    if hasattr(value, "item") and (value.numel() if isinstance(value, Tensor) else getattr(value, "size", 0)) == 1:
        value = value.item()
    is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
    return int(value) if is_whole else value


def counted(value: Any, args: tuple[Any, ...]) -> Any:
    """Take counts of any dtype, in a tensor or lists, for the same answer."""
    try:
        counts = torch.as_tensor(value).double()
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return value
    return counts if not counts.is_complex() else value
