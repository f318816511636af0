"""Make a failing case as small as it gets while it still fails in the same way, so that it can be followed by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch

from tutor.checking.exercise import Case, Exercise

TRIES = 300  # smaller cases to try; counted, so that the same answer gets the same example on every machine

Slot = tuple[int, ...]  # where a tensor stands in the arguments: (0,) is the first, (1, 2) the third of the second


def shrink(exercise: Exercise, case: Case, fails: Callable[[Case], bool], *, seconds: float = 1.0) -> Case:
    """Return the smallest case found, within ``TRIES`` and ``seconds``, for which ``fails`` is still true.

    ``fails`` must be true for ``case`` itself. Dimensions are cut first (those that belong together at the same time: by
    ``exercise.links``, because two tensors have the same shape, or because they are of one size), then options are left
    out, then numbers rounded.
    """
    deadline = time.monotonic() + seconds
    tries = 0
    improved = True
    while improved:
        improved = False
        for smaller in _smaller(exercise, case):
            tries += 1
            if tries > TRIES or time.monotonic() > deadline:
                return case
            if fails(smaller):
                case, improved = smaller, True
                break
    return case


def _smaller(exercise: Exercise, case: Case) -> Iterator[Case]:
    slots = dict(_tensors(case.args))
    for group in _groups(exercise, slots):
        size = min(slots[slot].shape[dim] for slot, dim in group)
        for start, length in _cuts(size):
            cut = dict(slots)
            for slot, dim in group:
                cut[slot] = cut[slot].narrow(dim, start, length)
            args = case.args
            for slot, tensor in cut.items():
                args = _put(args, slot, tensor)
            yield replace(case, args=args)
    for name in case.kwargs:
        yield replace(case, kwargs={key: value for key, value in case.kwargs.items() if key != name})
    for slot, tensor in slots.items():
        if tensor.is_floating_point():
            for simpler in _simpler(tensor):
                yield replace(case, args=_put(case.args, slot, simpler))


def _groups(exercise: Exercise, slots: dict[Slot, torch.Tensor]) -> list[list[tuple[Slot, int]]]:
    groups: list[list[tuple[Slot, int]]] = [
        [((index,), dim) for index, dim in link if (index,) in slots] for link in exercise.links
    ]
    linked = {pair for group in groups for pair in group}
    by_shape: dict[tuple[int, ...], list[Slot]] = {}
    for slot, tensor in slots.items():
        by_shape.setdefault(tuple(tensor.shape), []).append(slot)
    for shape, alike in by_shape.items():
        groups += [[(slot, dim) for slot in alike if (slot, dim) not in linked] for dim in range(len(shape))]
    by_size: dict[int, list[tuple[Slot, int]]] = {}
    for slot, tensor in slots.items():
        for dim, size in enumerate(tensor.shape):
            by_size.setdefault(size, []).append((slot, dim))
    groups += by_size.values()
    return [group for position, group in enumerate(groups) if group and group not in groups[:position]]


def _cuts(size: int) -> Iterator[tuple[int, int]]:
    if size <= 1:
        return
    yield from ((start, 1) for start in range(min(size, 8)))
    half = size // 2
    if half > 1:
        yield 0, half
        yield half, size - half
    yield 0, size - 1
    yield 1, size - 1


def _simpler(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    # Each candidate must differ and come closer to small whole numbers, or the search would never end. None may become
    # 0, where functions have their bends.
    if bool(tensor.isnan().any()):  # nothing is ever equal to nan
        return
    away = torch.where(tensor < 0, tensor.floor(), tensor.ceil())
    if not torch.equal(tensor, tensor.round()):
        yield torch.where(tensor.round() == 0, away, tensor.round())
        yield away
        tenths = (tensor * 10).round() / 10
        if not torch.equal(tensor, tenths) and torch.equal(tensor == 0, tenths == 0):
            yield tenths


def _tensors(value: Any, slot: Slot = ()) -> Iterator[tuple[Slot, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield slot, value
    elif isinstance(value, tuple | list):
        for index, part in enumerate(value):
            yield from _tensors(part, (*slot, index))


def _put(value: Any, slot: Slot, tensor: torch.Tensor) -> Any:
    if not slot:
        return tensor
    parts = list(value)
    parts[slot[0]] = _put(parts[slot[0]], slot[1:], tensor)
    return type(value)(parts)
