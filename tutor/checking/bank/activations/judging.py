"""What answers of chapter 01 come to: random slopes, lists of numbers, and the images that a layer's log holds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from tutor.checking.apparatus.activations import negative


def slopes(lower: float, upper: float, training: bool, value: Any, args: tuple[Any, ...]) -> Any:
    """Say, of the slopes of a randomized leaky ReLU, all that has to hold whichever random numbers were drawn."""
    known = {"lower": lower, "the middle one": (lower + upper) / 2, "upper": upper}
    input = args[0]
    if not isinstance(value, Tensor) or value.shape != input.shape or not value.is_floating_point():
        return {"a tensor of the input's shape": False}
    if value.device != input.device:
        return {"on the input's device": False}
    found = (value / input)[input < 0].double()
    low, high = found.min().item(), found.max().item()
    facts: dict[str, Any] = {
        "a tensor of the input's shape": True,
        "of the input's dtype": value.dtype == input.dtype,
        "positive numbers and 0 stay as they are": bool(torch.equal(value[input >= 0], input[input >= 0])),
        "number of slopes": "one" if high - low < 1e-5 else "many",
    }
    if upper - lower < 1e-5:
        return {**facts, "every slope is between lower and upper": abs(low - lower) + abs(high - lower) < 1e-5}
    if not training:
        return {**facts, "slope": round((low + high) / 2, 4) if high - low < 1e-5 else "varies"}
    facts["every slope is between lower and upper"] = lower - 1e-6 <= low and high <= upper + 1e-6
    if facts["number of slopes"] == "one":
        facts["slope"] = next((name for name, slope in known.items() if abs(low - slope) < 1e-5), "another")
    else:
        facts["lowest slope"], facts["highest slope"] = round(low, 1), round(high, 1)
        facts["mean slope"] = round(found.mean().item(), 1)
        margin = (upper - lower) / 50
        facts["the whole range is used"] = low < lower + margin and high > upper - margin
        even = found.std().item() / (high - low) - 1 / math.sqrt(12)
        facts["evenly spread, each element its own"] = abs(even) < 0.03 and found.unique().numel() > len(found) / 2
    return facts


def as_numbers(value: Any, args: tuple[Any, ...]) -> Any:
    """Take a list of floats, a list of tensors and a tensor for the same answer."""
    try:
        if hasattr(value, "__len__") and len(value) > 1000:  # not a number for each layer
            return value
        return torch.as_tensor([float(part) for part in value], dtype=torch.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return value


def as_lists(value: Any, args: tuple[Any, ...]) -> Any:
    """Take tensors, tuples and whole numbers for the lists of floats that were asked for."""
    try:
        return tuple([float(number) for number in part] for part in value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return value


def sides(batches: Sequence[Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield all that a picture may show.

    Each batch has a brightness of its own, each image its own noise, and the layer's output is its negative.
    """
    for index, (images, _) in enumerate(batches):
        yield f"batch {index} before the layer", images
        yield f"batch {index} after the layer", negative(images)
