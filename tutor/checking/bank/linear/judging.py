"""What answers of chapter 05 come to: tables, whole numbers, and the weights that a log holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tutor.checking.bank.logs import steps, tags

Snapshots = Sequence[tuple[Tensor, Tensor]]  # weights and biases


def yes_and_no(value: Any, args: tuple[Any, ...]) -> Any:
    """Take a tensor and nested lists, of bools or of 0 and 1, for the same answer: rows of yes and no."""
    try:
        table = torch.as_tensor([torch.as_tensor(row).tolist() for row in value], dtype=torch.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return value
    return table


def whole_numbers(value: Any, args: tuple[Any, ...]) -> Any:
    """Take lists, tuples and tensors of whole numbers, in any number type, for the same answer."""
    if isinstance(value, Tensor) or hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, tuple | list):
        return value
    parts = [part.item() if isinstance(part, Tensor) and part.numel() == 1 else part for part in value]
    if all(isinstance(p, int | float) and not isinstance(p, bool) and p % 1 == 0 for p in parts):
        return tuple(int(part) for part in parts)
    return value


def logged_weights(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what stands in the event files: whose numbers each tag holds at each step."""
    _, name, snapshots = args
    facts: dict[str, Any] = {}
    for tag in (f"{name}/weight", f"{name}/bias"):
        found = steps(value["histograms"], tag)
        facts[tag] = {f"step {step}": _whose(measured, snapshots) for step, *measured in found} or "no histograms"
    if "no histograms" in facts.values():
        facts["other tags"] = ", ".join(tag for tag in tags(value) if tag not in facts) or "none"
    return facts


def _whose(measured: Sequence[float], snapshots: Snapshots) -> str:
    """Say which tensor a histogram is of, by how many numbers it counts, their sum, the least and the greatest."""
    for index, pair in enumerate(snapshots):
        for what, tensor in zip(("weight", "bias"), pair, strict=True):
            expected = tensor.numel(), float(tensor.sum()), float(tensor.min()), float(tensor.max())
            if all(abs(one - other) < 1e-3 for one, other in zip(expected, measured, strict=True)):
                return f"the {what} of snapshot {index}"
    return f"{measured[0]} other numbers"
