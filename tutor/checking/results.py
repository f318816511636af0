"""What came back from an answer, made harmless: plain values that can be compared and printed without running its code again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch

from tutor.checking.failures import own_frames

LARGEST = (
    1_000_000  # elements; a larger tensor (always a wrong one) isn't copied or compared, only its shape is looked at
)
LONGEST = 10_000  # parts of a list, tuple or dictionary
DEEPEST = 20
# Of numpy's numbers, those that are kept for a judge.
NUMERIC = frozenset(
    [
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    ]
)

# Types of what the bank's own functions return to stand for something that can't be had for nothing, such as a net that
# learns well: they mean something to a case's ``judge`` alone, and go through everything as they are. The bank puts them
# in here. Where there is no bank, as beside an answer that is graded, there are none.
STANDING: list[type] = []


@dataclass(frozen=True)
class Opaque:
    """Stands for anything that no right answer holds: an object of the learner's own, a module, a list of a million parts.

    ``kind`` names its type; ``text`` is what it prints as, which counts for nothing in a comparison. ``held`` is what it is
    for a case's ``judge``, who may take several types for the same answer: numpy's array, the parts of a range, a set or an
    iterator in a list, the number that an object can be turned into; None where there is nothing of the kind.
    """

    kind: str
    text: str = field(compare=False)
    held: Any = field(default=None, compare=False, repr=False)

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
    if value is None or isinstance(value, torch.Tensor) or type(value) in (bool, int, str, Opaque, *STANDING):
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
    return Opaque(kind, name if isinstance(name, str) else _text(value), _held(value, depth))


def _held(value: Any, depth: int) -> Any:
    """Return what a judge is given for a value that isn't plain. This may run the learner's code, whose errors go through."""
    try:
        if isinstance(value, int | str):
            return int(value) if isinstance(value, int) else str(value)
        if isinstance(value, np.ndarray | np.generic) and value.dtype.name in NUMERIC:
            return np.array(value) if value.size <= LARGEST else None
        if hasattr(type(value), "__float__") and not isinstance(value, Iterable):
            return float(value)
        # A collection of the usual kinds is here because it is too long, or too deep.
        unfit = isinstance(value, tuple | list | dict | type | torch.nn.Module)
        if depth >= DEEPEST or unfit or not isinstance(value, Iterable):
            return None
        parts = list(islice(value, LONGEST + 1))
        return [plain(detach(part), depth + 1) for part in parts] if len(parts) <= LONGEST else None
    except Exception as error:
        if any(own_frames(error)):
            raise
        return None


def unfolded(value: Any) -> Any:
    """Return a plain value with all that an :class:`Opaque` holds in its place."""
    if isinstance(value, Opaque):
        return value if value.held is None else unfolded(value.held)
    if type(value) in (tuple, list):
        return type(value)(unfolded(part) for part in value)
    return {key: unfolded(part) for key, part in value.items()} if type(value) is dict else value


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
