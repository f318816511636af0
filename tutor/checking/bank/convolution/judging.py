"""What answers of chapter 02 come to: sizes and shapes in whichever type."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def wholes(value: Any, args: tuple[Any, ...] = ()) -> Any:
    """Take 3, 3.0, tensor(3) and numpy's 3 for the same answer, also inside a tuple or a list."""
    if isinstance(value, tuple | list):
        return tuple(wholes(part) for part in value)
    value = _plain(value)
    return int(value) if isinstance(value, float) and value % 1 == 0 else value


def strict(value: Any, args: tuple[Any, ...] = ()) -> Any:
    """Take tensor(3) and numpy's 3 for 3, but not 3.0, which no tensor can have for a size."""
    return tuple(strict(part) for part in value) if isinstance(value, tuple | list) else _plain(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "item") and (value.numel() if isinstance(value, Tensor) else getattr(value, "size", 0)) == 1:
        return value.item()
    return value


def part(index: int, value: Any, args: tuple[Any, ...]) -> Any:
    """Look at one part of the answer, so that each part can earn points of its own."""
    value = wholes(value)
    return value[index] if isinstance(value, tuple) and len(value) > index else value


def two_shapes(index: int, value: Any, args: tuple[Any, ...]) -> Any:
    """Look at one convolution's two shapes; lists, tuples and ``torch.Size`` are all the same."""
    found = part(index, value, args)
    if isinstance(found, tuple) and len(found) == 2:
        return {"weight": found[0], "output": found[1]}
    return found
