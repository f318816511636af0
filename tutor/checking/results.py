"""What came back from an answer, made harmless: plain values that can be compared and printed without running its code again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import torch

LARGEST = (
    1_000_000  # elements; a larger tensor (always a wrong one) isn't copied or compared, only its shape is looked at
)
LONGEST = 10_000  # parts of a list, tuple or dictionary
DEEPEST = 20

# Types of what the bank's own functions return to stand for something that can't be had for nothing, such as a net that
# learns well: they mean something to a case's ``judge`` alone, and go through everything as they are. The bank puts them
# in here. Where there is no bank, as beside an answer that is graded, there are none.
STANDING: list[type] = []


@dataclass(frozen=True)
class Opaque:
    """Stands for anything that no right answer holds: an object of the learner's own, a module, a list of a million parts.

    ``kind`` names its type; ``text`` is what it prints as, which counts for nothing in a comparison.
    """

    kind: str
    text: str = field(compare=False)

    def __str__(self) -> str:
        return self.text


def detach(value: Any) -> Any:
    """Return the value with every tensor in it detached, copied and of no subclass; what else is in it stays."""
    if isinstance(value, torch.Tensor):
        plain = value.detach()
        if type(plain) is not torch.Tensor:
            plain = plain.as_subclass(torch.Tensor)
        return plain.clone() if ordinary(plain) and plain.numel() <= LARGEST else plain
    if isinstance(value, tuple | list) and len(value) <= LONGEST:
        parts = [detach(part) for part in value]
        return tuple(parts) if isinstance(value, tuple) else parts
    return value


def plain(value: Any, depth: int = 0) -> Any:
    """Return a detached value with an :class:`Opaque` in place of everything but tensors, numbers, texts and collections."""
    if value is None or isinstance(value, torch.Tensor) or type(value) in (bool, int, str, *STANDING):
        return value
    if isinstance(value, float | complex):  # numpy's too
        return float(value) if isinstance(value, float) else complex(value)
    if depth < DEEPEST and isinstance(value, tuple | list | dict) and len(value) <= LONGEST:
        if isinstance(value, dict):
            return {_text(key): plain(part, depth + 1) for key, part in value.items()}
        parts = [plain(part, depth + 1) for part in value]
        return tuple(parts) if isinstance(value, tuple) else parts
    kind = type(value).__name__
    kind += f" of {len(value)}" if isinstance(value, tuple | list | dict) else ""
    name = getattr(value, "__name__", None)
    return Opaque(kind, name if isinstance(name, str) else _text(value))


def ordinary(tensor: torch.Tensor) -> bool:
    """Tell whether a tensor's numbers can be looked at one by one: it isn't nested, sparse, quantized or without any."""
    return not (tensor.is_nested or tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta)


def tensors(value: Any) -> list[torch.Tensor]:
    """Return the tensors in a value: itself, or those in a tuple or list."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, tuple | list):
        return [tensor for part in value for tensor in tensors(part)]
    return []


def _text(value: Any) -> str:
    try:
        text = "" if isinstance(value, tuple | list | dict) else str(value)
    except Exception:  # a class of the learner's own may not be printable
        text = ""
    # An address is another one each time, and the same answer gets the same card.
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)[:300] or f"a {type(value).__name__}"
