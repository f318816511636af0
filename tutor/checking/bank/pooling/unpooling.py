"""Max unpooling: every number goes back to where its maximum was, and zeros everywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.pooling.windows import CHAPTER, distinct, steps
from tutor.checking.bank.sides import Pair, Sizes, pair
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, RIGHT, Case, Draw, Exercise


def _right(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    return F.max_unpool2d(input, indices, kernel_size, stride, padding, output_size)  # type: ignore[arg-type]


max_unpool2d = Exercise(
    "max_unpool2d",
    CHAPTER,
    _right,
    forbids={"max_unpool2d", "max_unpool3d", "max_pool2d_with_indices_backward"},
)


@max_unpool2d.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, size: Pair, kernel_size: Sizes, channels: int = 2, sized: str = "", **options: Any) -> Case:
        image = distinct(draw, 2, channels, *size)
        values, indices = F.max_pool2d(image, kernel_size, **options, return_indices=True)
        if sized:
            options["output_size"] = tuple(image.shape) if sized == "whole" else size
        return Case(aspect, (values, indices, kernel_size), options)

    # The sizes are such that the pooled ones lead back to them, unless the case is about just that.
    more = 2 if draw.hidden else 0
    yield case(CORE, (4, 6 + more), 2)
    yield case(CORE, (4 + more, 2), 2, channels=3)
    yield case(CORE, (3, 9 + 3 * more), 3)
    yield case("stride", (5 + more, 7), 3, stride=2)
    yield case("stride", (4, 5 + more), 2, stride=1)
    yield case("stride", (5 + 3 * more, 8), 2, stride=3)
    yield case("padding", (4, 6 + more), 2, padding=1)
    yield case("padding", (5 + more, 7), 3, stride=2, padding=1)
    yield case("output_size", (5 + more, 6), 2, sized="pair")  # the last row was left over
    yield case("output_size", (5, 7 + more), 2, sized="pair")
    yield case("output_size", (7, 8), 3, stride=3, sized="pair", channels=3)
    yield case("output_size", (6 + more, 5), 2, sized="whole")
    yield case("pairs", (6, 4 + more), (3, 2))
    yield case("pairs", (10 + more, 7), (2, 1), stride=(2, 3))
    yield case("pairs", (7, 9), 3, stride=(2, 3), padding=(1, 0))
    yield case("pairs", (4 + more, 7), (2, 3), stride=(2, 1), padding=(0, 1))
    yield replace(case(GRADIENT, (4, 6), 2), gradient=True)
    yield case(CONDUCT, (4, 6), 2).in_float32()


@max_unpool2d.model(
    "copied-to-window",
    "first-corner",
    "overlaps-added",
    "indices-of-first-channel",
    "indices-column-by-column",
    "stride-always-kernel",
    "stride-swapped",
    "kernel-forgotten-in-size",
    "padding-ignored",
    "padding-added",
    "output-size-ignored",
    "output-size-swapped",
    "width-without-output-size",
    "pairs-cut-short",
    "filled-with-minimum",
)
def unpooled(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
    *,
    wrong: frozenset[str] = RIGHT,
) -> Tensor:
    """Return the numbers in their old places, with the misconceptions that ``wrong`` names."""
    kernel, border, moves = pair(kernel_size), pair(padding), steps(kernel_size, stride, wrong)
    if "pairs-cut-short" in wrong:
        kernel, border = (kernel[0],) * 2, (border[0],) * 2
    if "padding-swapped" in wrong:
        border = border[1], border[0]
    default = _default(input, kernel, moves, border, wrong)
    height, width = default
    if output_size is not None and "output-size-ignored" not in wrong:
        height, width = tuple(output_size)[-2:]
        if "output-size-swapped" in wrong:
            height, width = width, height
    if min(height, width) < 1:
        raise RuntimeError("nothing is left of the output")
    if "copied-to-window" in wrong:
        return F.interpolate(input, (height, width), mode="nearest")
    places = _places(indices, (height, width), default, wrong)
    if "first-corner" in wrong:
        rows = (torch.arange(input.shape[2]) * moves[0] - border[0]).clamp(min=0)
        columns = (torch.arange(input.shape[3]) * moves[1] - border[1]).clamp(min=0)
        places = (rows.view(-1, 1) * width + columns).expand_as(input)
    plane = input.new_zeros(*input.shape[:2], height * width)
    if "filled-with-minimum" in wrong:
        plane = plane + input.amin((2, 3)).unsqueeze(2)
    spread = plane.scatter_add if "overlaps-added" in wrong else plane.scatter
    return spread(2, places.flatten(2), input.flatten(2)).reshape(*input.shape[:2], height, width)


def _default(input: Tensor, kernel: Pair, moves: Pair, border: Pair, wrong: frozenset[str]) -> Pair:
    """Return the size that the pooling had come from, unless something was left over there."""
    sides = []
    for n, k, s, p in zip(input.shape[-2:], kernel, moves, border, strict=True):
        cut = 0 if "padding-ignored" in wrong else -p if "padding-added" in wrong else p
        sides.append(n * s - 2 * cut if "kernel-forgotten-in-size" in wrong else (n - 1) * s + k - 2 * cut)
    return sides[0], sides[1]


def _places(indices: Tensor, size: Pair, default: Pair, wrong: frozenset[str]) -> Tensor:
    """Return where each number goes in the plane, counted row by row."""
    height, width = size
    if "indices-of-first-channel" in wrong:
        indices = indices[:, :1].expand_as(indices)
    if "indices-column-by-column" in wrong:
        return indices % height * width + indices.div(height, rounding_mode="floor")
    if "width-without-output-size" in wrong:
        return indices.div(default[1], rounding_mode="floor") * width + indices % default[1]
    return indices - 1 if "indices-from-one" in wrong else indices


max_unpool2d.alone(unpooled, "padding-swapped", "indices-from-one")
