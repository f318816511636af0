"""What answers of chapter 00 come to: what a card says, shapes, pictures with their number type, and a first event file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tutor.checking.bank.logs import pictures, shown, steps, tags

ON_A_CARD = ("input", "expected", "yours", "read again")  # what there is to be read
NO_TEXT = ("no text",)  # whatever stands where a heading belongs


def as_on_a_card(value: Any, args: tuple[Any, ...]) -> Any:
    """Take 1, 1.0, [[1]] and a tensor of it for the same number, and a text in any case and with blanks around it."""
    if not isinstance(value, tuple | list) or len(value) != 4:
        return value
    facts: dict[str, Any] = {}
    for key, part in zip(ON_A_CARD, value, strict=True):
        while isinstance(part, tuple | list) and len(part) == 1:
            part = part[0]
        if key == "read again" and not isinstance(part, str):
            facts[key] = NO_TEXT
        elif isinstance(part, str):
            facts[key] = _in_quotes(part) if key != "read again" else part.strip(" \"'*.").lower()
        elif isinstance(part, Tensor) and part.numel() == 1:
            facts[key] = float(part)
        else:
            facts[key] = float(part) if isinstance(part, int | float) and not isinstance(part, bool) else part
    return facts


def _in_quotes(text: str) -> Any:
    """Return what a text says where a number belongs: the number, marked as a text, if that is what it holds."""
    bare = text.strip(" []\"'.").replace("\u2212", "-")  # a minus sign as it is printed
    try:
        return "in quotation marks", float(bare)
    except ValueError:
        return bare


def first_batch(value: Any, args: tuple[Any, ...]) -> Any:
    """Say what stands in the event files: what each tag holds at each step."""
    batches = args[1]
    named = [(f"batch {number}", images) for number, (images, _) in enumerate(batches)]
    found = pictures(value, ["input"], lambda picture: shown(picture, named))
    told = {f"step {step}": _whose(number, batches) for step, number in steps(value["numbers"], "brightness")}
    others = [tag for tag in tags(value) if tag not in ("input", "brightness")]
    return {
        "input": found["input"],
        "brightness": told or "no numbers",
        "other tags": ", ".join(others) or "none",
    }


def _whose(found: float, batches: Sequence[Any]) -> str:
    """Say what a number measures: which batch's mean it is."""
    for number, (images, _) in enumerate(batches):
        for what, value in (
            (f"the mean of batch {number}", images.mean()),
            (f"the mean of the first image of batch {number}", images[0].mean()),
            (f"the sum of batch {number}", images.sum()),
        ):
            if abs(found - float(value)) < 1e-4 * max(1.0, abs(float(value))):
                return what
    return "another number"


def as_shapes(value: Any, args: tuple[Any, ...]) -> Any:
    """Take lists, tuples, sizes and tensors for the same shapes; a single number for a shape of one dimension."""
    if not isinstance(value, tuple | list):
        return value
    shapes: list[Any] = [part.tolist() if isinstance(part, Tensor) else part for part in value]
    shapes = [(part,) if isinstance(part, int) and not isinstance(part, bool) else part for part in shapes]
    try:
        return tuple(tuple(int(size) for size in shape) for shape in shapes)
    except (TypeError, ValueError, OverflowError):
        return value


def values_and_dtype(value: Any, args: tuple[Any, ...]) -> Any:
    """Return the numbers, and in words which number type they have: the input's own is bytes, so it can't be the measure."""
    if not isinstance(value, Tensor) or value.is_complex() or value.layout != torch.strided:
        return value
    return value.double(), str(value.dtype).removeprefix("torch.")
