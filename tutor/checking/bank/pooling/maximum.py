"""Max pooling with every argument; most misconceptions are switches, so that two can meet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.pooling.windows import CHAPTER, MAXIMA, PLACING, distinct, steps, taps, windows
from tutor.checking.bank.sides import TOGETHER, Pair, Sizes, entries
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, RIGHT, Case, Draw, Exercise

Result = Tensor | tuple[Tensor, ...]


def _right(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Result:
    pool: Any = F.max_pool2d  # whose overloads have more combinations of types than mypy tries
    result: Result = pool(
        input, kernel_size, stride, padding, dilation, ceil_mode=ceil_mode, return_indices=return_indices
    )
    return result


max_pool2d = Exercise("max_pool2d", CHAPTER, _right, forbids=MAXIMA)


@max_pool2d.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, size: Pair, kernel_size: Sizes, channels: int = 2, **options: Any) -> Case:
        return Case(aspect, (distinct(draw, 2, channels, draw.size(size[0]), draw.size(size[1])), kernel_size), options)

    yield case(CORE, (4, 6), 2)
    yield case(CORE, (7, 5), 2, channels=3)
    yield case(CORE, (6, 10), 3)
    yield case(CORE, (2, 3), 1)
    yield case("stride", (5, 6), 3, stride=2)
    yield case("stride", (4, 6), 2, stride=1, channels=3)
    yield case("stride", (7, 8), 2, stride=3)
    yield case("padding", (4, 5), 2, padding=1)
    yield case("padding", (5, 7), 3, padding=1)
    yield case("padding", (6, 5), 4, stride=2, padding=2)
    yield case("dilation", (6, 7), 2, dilation=2)
    yield case("dilation", (7, 9), 3, stride=1, dilation=2)
    yield case("dilation", (8, 7), 2, stride=2, dilation=3)
    yield case("ceil mode", (5, 7), 2, ceil_mode=True)
    yield case("ceil mode", (6, 8), 3, stride=2, ceil_mode=True)
    yield Case("ceil mode", (distinct(draw, 2, 2, 6, 5), 2), {"stride": 3, "ceil_mode": True})
    image = distinct(draw, 2, 2, 5, 7)
    yield Case("ceil mode", (image, 2), {"padding": 1, "ceil_mode": True})  # the window at the end has no number
    yield Case("ceil mode", (image, 2), {"stride": 3, "padding": 1, "ceil_mode": True})
    yield Case("ceil mode", (image, 3), {"stride": 1, "padding": 1, "ceil_mode": True})
    yield case("indices", (4, 6), 2, return_indices=True)
    yield case("indices", (5, 8), 3, channels=1, stride=2, return_indices=True)
    yield case("indices", (6, 5), 2, padding=1, return_indices=True)
    yield case("pairs", (6, 4), (3, 2))
    yield case("pairs", (5, 8), (2, 3), stride=(3, 2))
    yield case("pairs", (6, 8), (4, 3), stride=(2, 3), padding=(2, 1))
    yield case("pairs", (7, 10), 3, stride=(2, 3), dilation=(2, 3))
    together: dict[str, Any] = {"stride": (2, 3), "padding": (1, 0), "ceil_mode": True, "return_indices": True}
    yield case(TOGETHER, (6, 8), (3, 2), **together)
    yield case(TOGETHER, (7, 9), 2, stride=2, padding=1, dilation=2, return_indices=True)
    yield case(TOGETHER, (9, 8), (2, 3), stride=(3, 2), padding=1, dilation=(3, 2), ceil_mode=True)
    image = distinct(draw, 2, 2, 7, 10)  # the last windows skip the edge and end two places behind it
    yield Case(TOGETHER, (image, 2), {"stride": 3, "padding": 1, "dilation": 3, "ceil_mode": True})
    yield replace(case(GRADIENT, (5, 6), 3, stride=2), gradient=True)
    yield replace(case(GRADIENT, (5, 4), 2, padding=1), gradient=True)
    yield case(CONDUCT, (4, 6), 2).in_float32()


@max_pool2d.model(
    "padded-with-zero",
    "starts-at-zero",
    "default-stride-one",
    "stride-in-size-only",
    "stride-always-kernel",
    "stride-swapped",
    "padding-ignored",
    "padding-at-start",
    "padding-at-end",
    "padding-swapped",
    "dilation-ignored",
    "dilation-in-size-only",
    "dilation-many-zeros",
    "dilation-swapped",
    "kernel-swapped",
    "pairs-cut-short",
    "ceil-ignored",
    "always-rounded-up",
    "last-window-kept",
    "indices-in-window",
    "indices-in-padded-plane",
    "indices-across-channels",
    "indices-column-by-column",
    "indices-height-for-width",
    "indices-from-one",
)
def pooled(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    wrong: frozenset[str] = RIGHT,
) -> Result:
    """Return the maximum of each window and, if asked for, where it is, with the misconceptions that ``wrong`` names."""
    kernel, border = entries("kernel", kernel_size, wrong), entries("padding", padding, wrong)
    moves, apart = steps(kernel_size, stride, wrong), entries("dilation", dilation, wrong)
    rows, columns = (
        taps(n, k, s, p, d, ceil_mode, wrong & PLACING)
        for n, k, s, p, d in zip(input.shape[-2:], kernel, moves, border, apart, strict=True)
    )
    numbers, inside, places = windows(input, rows, columns)
    if "padded-with-zero" not in wrong:
        numbers = numbers.masked_fill(~inside, -torch.inf)
    ranked = numbers
    if "minimum" in wrong:
        ranked = -numbers.masked_fill(~inside, torch.inf)
    elif "largest-magnitude" in wrong:
        ranked = torch.where(inside, numbers.abs(), -torch.inf)
    which = ranked.argmax(-1, keepdim=True)
    result = numbers.gather(-1, which).squeeze(-1)
    if "mean-for-maximum" in wrong:
        result = torch.where(inside, numbers, 0).mean(-1)
    if "starts-at-zero" in wrong:
        result = result.clamp(min=0)
    if "indices-not-returned" in wrong or not (return_indices or "indices-always" in wrong):
        return result
    where = places.expand(*numbers.shape).gather(-1, which).squeeze(-1)
    return result, _indices(where, which.squeeze(-1), rows, columns, input, border, wrong)


def _indices(
    where: Tensor,
    which: Tensor,
    rows: Tensor,
    columns: Tensor,
    input: Tensor,
    border: Pair,
    wrong: frozenset[str],
) -> Tensor:
    """Return the places of the maxima, counted rightly (``where``) or wrongly."""
    batch, channels, height, width = input.shape
    across = columns.shape[1]
    row = rows[torch.arange(len(rows)).view(-1, 1), which.div(across, rounding_mode="floor")]
    column = columns[torch.arange(len(columns)), which % across]
    if "indices-in-window" in wrong:
        return which
    if "indices-in-padded-plane" in wrong:
        where = (row + border[0]) * (width + 2 * border[1]) + column + border[1]
    elif "indices-column-by-column" in wrong:
        where = column * height + row
    elif "indices-height-for-width" in wrong:
        where = row * height + column
    elif "indices-of-the-row" in wrong:
        where = column
    if "indices-across-channels" in wrong:
        where = where + (torch.arange(channels) * height * width).view(-1, 1, 1)
    elif "indices-across-batch" in wrong:
        where = where + (torch.arange(batch * channels) * height * width).view(batch, channels, 1, 1)
    return where + 1 if "indices-from-one" in wrong else where


max_pool2d.alone(
    pooled,
    "minimum",
    "mean-for-maximum",
    "largest-magnitude",
    "dilation-not-in-size",
    "pairs-swapped",
    "indices-across-batch",
    "indices-of-the-row",
    "indices-not-returned",
    "indices-always",
)


@max_pool2d.twin("channels-merged")
def _(input: Tensor, kernel_size: Sizes, *args: Any, **options: Any) -> Result:
    result: Result = pooled(input, kernel_size, *args, **options)
    if isinstance(result, tuple):
        return tuple(part.amax(1, keepdim=True) for part in result)
    return result.amax(1, keepdim=True)


@max_pool2d.twin("stride-ignored")
def _(input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, *args: Any, **options: Any) -> Result:
    result: Result = pooled(input, kernel_size, 1, *args, **options)
    return result
