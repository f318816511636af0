"""What answers of chapter 03 come to: lists of numbers, and what a kernel makes of one."""

from __future__ import annotations

from typing import Any

import torch


def as_floats(value: Any, args: tuple[Any, ...]) -> Any:
    """Take a list, a tuple and a tensor of whole or other numbers for the same answer."""
    try:
        return [float(number) for number in value]
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return value


def sums_of_neighbours(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what a convolution with the kernel [1, 1] makes of the answer, whatever its scale and sign."""
    try:
        numbers = torch.as_tensor([float(number) for number in value], dtype=torch.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return value
    facts: dict[str, Any] = {"how many numbers": len(numbers), "something other than zero": bool(numbers.any())}
    if len(numbers) < 2 or not bool(torch.isfinite(numbers).all()) or not numbers.any():
        return facts
    largest = numbers[numbers.abs().argmax()]
    sums = (numbers[:-1] + numbers[1:]) / largest
    facts["sums of neighbours, where the largest number is 1"] = [round(one, 6) + 0.0 for one in sums.tolist()]
    return facts
