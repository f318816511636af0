"""What answers of chapter 04 come to: grids of numbers, a number, and the images that a pooling layer's log holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from tutor.checking.apparatus.pooling import largest


def grid(name: str, value: Any, args: tuple[Any, ...]) -> Any:
    """Look at one of the two grids, "maximum" or "average", so that each can earn points of its own."""
    grids = _grids(value)
    return {name: grids[name]} if isinstance(grids, dict) else grids


def _grids(value: Any) -> Any:
    """Take tensors, tuples, whole numbers and flat rows for the two lists of two rows that were asked for."""
    try:
        maximum, average = value
        return {"maximum": _flat(maximum), "average": _flat(average)}
    except (TypeError, ValueError, OverflowError, RuntimeError, RecursionError):
        return value


def _flat(value: Any) -> list[float]:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [number for part in value for number in _flat(part)]
    return [float(value)]


def as_float(value: Any, args: tuple[Any, ...]) -> Any:
    """Take a float, a tensor of one number and numpy's number for the same answer."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return value


def sides(batches: Sequence[Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield all that a picture may show. An image that was pooled and enlarged again holds the pooled one nowhere."""
    for index, (images, _) in enumerate(batches):
        yield f"batch {index} before the layer", images
        yield f"batch {index} after the layer", largest(images)
        yield f"batch {index} after the layer, enlarged", F.interpolate(largest(images), scale_factor=2, mode="nearest")
