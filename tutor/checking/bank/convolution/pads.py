"""Padding an image by hand, in four modes: torch is the oracle, the model says where each pixel comes from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.convolution.sizes import CHAPTER
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, Case, Draw, Exercise

MODES = ("reflect", "replicate", "circular")
FORBIDDEN = frozenset(
    ["constant_pad_nd", "im2col", "pad", "_pad_circular"]
    + [f"{kind}_pad{dims}d" for kind in ("reflection", "replication") for dims in (1, 2, 3)]
)


def both(value: Any) -> tuple[int, int]:
    """Return (height, width) of an argument that is one number for both, or a pair."""
    return (value[0], value[1]) if isinstance(value, tuple | list) else (value, value)


def _pad(input: Tensor, padding: Any, mode: str = "zeros") -> Tensor:
    height, width = both(padding)
    return F.pad(input, (width, width, height, height), mode="constant" if mode == "zeros" else mode)


pad2d = Exercise(
    "pad2d",
    CHAPTER,
    lambda input, padding, mode="zeros": _pad(input, padding, mode),
    forbids=FORBIDDEN,
    links=[[(0, 0)], [(0, 1)], [(0, 2)], [(0, 3)]],
)


@pad2d.cases
def _(draw: Draw) -> Iterable[Case]:
    def image(*shape: int) -> Tensor:
        return draw.off_zero(*shape, low=0.5, high=9.0)

    yield Case(CORE, (image(2, 3, draw.size(3), draw.size(4)), 1))
    yield Case(CORE, (image(1, 2, draw.size(4), draw.size(3)), 2))
    yield Case("height and width", (image(2, 2, draw.size(3), 4), (1, 2)))
    yield Case("height and width", (image(1, 2, 3, draw.size(3)), (2, 0)))
    yield Case("height and width", (image(1, 2, 1, draw.size(3)), (0, 1)))
    yield Case("height and width", (image(2, 1, 1, 1), (1, 2)))
    yield Case("height and width", (image(2, 1, draw.size(2), 3), 0))
    for mode in MODES:
        yield Case(mode, (image(1, 1, 1, draw.size(4)), (0, 2)), {"mode": mode})  # a row, to follow by hand
        yield Case(mode, (image(2, 2, draw.size(3), draw.size(5)), 2), {"mode": mode})
        yield Case(mode, (image(1, 2, 5, draw.size(4)), (1, 3)), {"mode": mode})
        yield Case(mode, (image(1, 1, 4, draw.size(3)), (3, 0)), {"mode": mode})
        yield Case(mode, (draw.normal(1, 2, 3, draw.size(4)), (1, 2)), {"mode": mode}, gradient=True)
    yield Case(GRADIENT, (draw.normal(1, 2, 2, draw.size(3)), 1), gradient=True)
    yield Case(CONDUCT, (draw.normal(2, 3, 3, 4).float(), 1))


def _mode(mode: str, wrong: frozenset[str]) -> str:
    if "mode-ignored" in wrong or mode == "zeros":
        return "zeros"
    if "reflect-and-replicate-swapped" in wrong:
        return {"reflect": "replicate", "replicate": "reflect"}.get(mode, mode)
    return "reflect" if "always-reflect" in wrong else "replicate" if "always-replicate" in wrong else mode


def _source(place: int, size: int, before: int, after: int, mode: str, wrong: frozenset[str]) -> int:
    """Return the index of the pixel that stands at ``place`` (negative: before the image), or -1 for a zero."""
    if 0 <= place < size:
        return place
    copied = place + before if place < 0 else place - after  # the block at the edge, taken as it is
    if mode == "reflect":
        if "reflect-not-reversed" in wrong:
            return copied + (1 if place < 0 else -1)
        if "reflect-repeats-edge" in wrong:
            return -1 - place if place < 0 else 2 * size - 1 - place
        return -place if place < 0 else 2 * size - 2 - place
    if mode == "replicate":
        if "replicate-copies-block" in wrong:
            return copied
        return 0 if place < 0 else size - 1
    if mode == "circular":
        if "circular-as-replicate" in wrong:
            return 0 if place < 0 else size - 1
        return copied if "circular-own-side" in wrong else place % size
    return -1


def _sides(amount: int, wrong: frozenset[str]) -> tuple[int, int]:
    if "after-only" in wrong:
        return 0, amount
    if "before-only" in wrong:
        return amount, 0
    return (0, 2 * amount) if "all-after" in wrong else (amount, amount)


@pad2d.model(
    "height-and-width-swapped",
    "after-only",
    "before-only",
    "all-after",
    "height-only",
    "first-of-pair",
    "mode-ignored",
    "reflect-repeats-edge",
    "reflect-not-reversed",
    "replicate-copies-block",
    "circular-as-replicate",
    "circular-own-side",
    "corners-empty",
)
def _padded(input: Tensor, padding: Any, mode: str = "zeros", *, wrong: frozenset[str]) -> Tensor:
    amounts = both(padding)
    if "every-side-double" in wrong:
        amounts = 2 * amounts[0], 2 * amounts[1]
    if "height-and-width-swapped" in wrong:
        amounts = amounts[::-1]
    if "first-of-pair" in wrong:
        amounts = amounts[0], amounts[0]
    if "height-only" in wrong:
        amounts = amounts[0], 0
    mode = _mode(mode, wrong)
    outside = []
    for dim, amount in zip((2, 3), amounts, strict=True):
        before, after = _sides(amount, wrong)
        size = input.shape[dim]
        sources = [_source(place, size, before, after, mode, wrong) for place in range(-before, size + after)]
        index = torch.tensor(sources)
        shape = [-1 if dim == here else 1 for here in range(4)]
        input = input.index_select(dim, index.clamp(min=0)) * (index >= 0).view(shape)
        if "ones" in wrong:
            input = input + (index < 0).view(shape).to(input.dtype)
        outside.append(torch.tensor([not 0 <= place < size for place in range(-before, size + after)]))
    if "corners-empty" in wrong:
        input = input * ~(outside[0][:, None] & outside[1])
    return input


pad2d.twin("nothing-added")(lambda input, padding, mode="zeros": input)
pad2d.alone(_padded, "every-side-double", "reflect-and-replicate-swapped", "always-reflect", "always-replicate", "ones")
