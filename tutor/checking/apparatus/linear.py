"""Chapter 05: layers that mix a batch or don't, tables and whole numbers, and the weights that a log holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tutor.checking.apparatus.logs import logged

if TYPE_CHECKING:
    from tutor import board

Snapshots = Sequence[tuple[Tensor, Tensor]]  # weights and biases


def _weight(out: int, into: int) -> Tensor:
    """Return a weight without zeros, of small whole numbers: sums with it are exact, so that equal means equal."""
    return (torch.arange(out * into) * 7 % 11 + 1).double().reshape(out, into)


def one_by_one(images: Tensor) -> Tensor:
    """A layer as it should be: each row of the output comes from one image, (N, 3)."""
    return images.flatten(1) @ _weight(3, images[0].numel()).T.to(images.dtype)


def all_in_one(images: Tensor) -> Tensor:
    """The published layer: the whole batch as one vector, (4,)."""
    return _weight(4, images.numel()).to(images.dtype) @ images.flatten()


def torn_by_reshape(images: Tensor) -> Tensor:
    """As many rows as images, but each made of pieces of several, (N, 2)."""
    return images.reshape(-1, len(images)).T @ _weight(2, images[0].numel()).T.to(images.dtype)


def minus_the_mean(images: Tensor) -> Tensor:
    """Each image's sum, minus the mean over the batch: every row depends on every image, (N, 2)."""
    rows = one_by_one(images)[:, :2]
    return rows * len(rows) - rows.sum(0)


def with_the_one_before(images: Tensor) -> Tensor:
    """Each image and half of the one before it: the dependence goes one way only, (N, 3)."""
    rows = one_by_one(images)
    return torch.cat([rows[:1], rows[1:] + rows[:-1] / 2])


def last_output_alone(images: Tensor) -> Tensor:
    """Only the last of three outputs, and only the last pixel, depends on the image, (N, 3)."""
    rows = torch.zeros(len(images), 3, dtype=images.dtype)
    return torch.cat([rows[:, :2], images.flatten(1)[:, -1:]], dim=1)


def first_output_alone(images: Tensor) -> Tensor:
    """The other way round: only the first output depends on the last pixel, (N, 3)."""
    return last_output_alone(images).flip(1)


def first_half_only(images: Tensor) -> Tensor:
    """Leaves out the second half of the batch, (N // 2, 3)."""
    return one_by_one(images[: len(images) // 2])


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


def read_weights(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what stands in the event files: whose numbers each tag holds at each step."""
    folder, name, snapshots = args[0], args[1], args[2]
    events = logged(folder.path)
    histograms = events.histograms if events else {}
    facts: dict[str, Any] = {}
    for tag in (f"{name}/weight", f"{name}/bias"):
        steps = sorted(histograms.get(tag, {}).items())
        facts[tag] = {f"step {step}": _whose(found, snapshots) for step, found in steps} or "no histograms"
    if "no histograms" in facts.values():
        facts["other tags"] = ", ".join(tag for tag in (events.tags if events else ()) if tag not in facts) or "none"
    return facts


def _whose(found: board.Histogram, snapshots: Snapshots) -> str:
    """Say which tensor a histogram is of, by how many numbers it counts, the least, the greatest and their sum."""
    for index, pair in enumerate(snapshots):
        for what, tensor in zip(("weight", "bias"), pair, strict=True):
            expected = tensor.numel(), float(tensor.min()), float(tensor.max()), float(tensor.sum())
            measured = found.number, found.lowest, found.highest, found.total
            if all(abs(one - other) < 1e-3 for one, other in zip(expected, measured, strict=True)):
                return f"the {what} of snapshot {index}"
    return f"{found.number} other numbers"
