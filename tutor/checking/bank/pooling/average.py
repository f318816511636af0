"""Average pooling with every argument: what is added up, and by what it is divided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.pooling.windows import AVERAGES, CHAPTER, PLACING, distinct, steps, taps, windows
from tutor.checking.bank.sides import TOGETHER, Pair, Sizes, entries, pair
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, RIGHT, Case, Draw, Exercise


def _right(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    return F.avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


avg_pool2d = Exercise("avg_pool2d", CHAPTER, _right, forbids=AVERAGES)


@avg_pool2d.cases
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
    yield case("count_include_pad", (4, 6), 2, padding=1, count_include_pad=False)
    yield case("count_include_pad", (7, 5), 3, padding=1, stride=2, count_include_pad=False)
    yield case("count_include_pad", (4, 6), 2, count_include_pad=False)
    image = distinct(draw, 2, 2, 5, 7)
    yield Case("ceil mode", (image, 2), {"ceil_mode": True})
    yield Case("ceil mode", (image, 3), {"stride": 3, "ceil_mode": True})
    yield Case("ceil mode", (image, 2), {"padding": 1, "ceil_mode": True})  # the window at the end has no number
    yield Case("ceil mode", (image, 2), {"stride": 3, "padding": 1, "ceil_mode": True})
    yield Case("ceil mode", (image, 3), {"stride": 1, "padding": 1, "ceil_mode": True})
    yield Case("ceil mode", (image, 4), {"stride": 3, "padding": 1, "ceil_mode": True})
    yield Case("ceil mode", (distinct(draw, 2, 2, 6, 5), 2), {"stride": 3, "ceil_mode": True})
    yield Case("ceil mode", (image, 2), {"padding": 1, "ceil_mode": True, "count_include_pad": False})
    yield Case("ceil mode", (image, 4), {"stride": 3, "padding": 1, "ceil_mode": True, "count_include_pad": False})
    yield case("divisor_override", (4, 6), 2, divisor_override=3)
    yield case("divisor_override", (6, 4), 2, padding=1, divisor_override=2)
    yield case("divisor_override", (5, 6), 3, stride=1, padding=1, count_include_pad=False, divisor_override=1)
    yield case("pairs", (6, 4), (3, 2))
    yield case("pairs", (5, 8), (2, 3), stride=(3, 2))
    yield case("pairs", (6, 8), (4, 3), stride=(2, 3), padding=(2, 1))
    image = distinct(draw, 2, 2, 6, 8)
    together: dict[str, Any] = {"stride": (2, 3), "padding": (1, 0), "ceil_mode": True}
    yield Case(TOGETHER, (image, (3, 4)), {**together, "count_include_pad": False})
    yield Case(TOGETHER, (image, (3, 4)), {**together, "divisor_override": 5})
    yield case(TOGETHER, (8, 7), (2, 3), stride=(3, 2), padding=1, ceil_mode=True)
    yield replace(case(GRADIENT, (5, 6), 3, stride=2), gradient=True)
    yield replace(case(GRADIENT, (5, 4), 2, padding=1), gradient=True)
    yield case(CONDUCT, (4, 6), 2).in_float32()


@avg_pool2d.model(
    "sum-for-mean",
    "kernel-size-squared",
    "divided-by-valid",
    "pad-always-counted",
    "include-reversed",
    "overhang-counted",
    "overhang-counted-anyway",
    "override-ignored",
    "override-after-mean",
    "override-multiplied",
    "default-stride-one",
    "stride-in-size-only",
    "stride-always-kernel",
    "stride-swapped",
    "padding-ignored",
    "padding-at-start",
    "padding-at-end",
    "padding-swapped",
    "kernel-swapped",
    "pairs-cut-short",
    "ceil-ignored",
    "always-rounded-up",
    "last-window-kept",
)
def averaged(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    wrong: frozenset[str] = RIGHT,
) -> Tensor:
    """Return the mean of each window, with the misconceptions that ``wrong`` names."""
    kernel, border = entries("kernel", kernel_size, wrong), entries("padding", padding, wrong)
    moves = steps(kernel_size, stride, wrong)
    rows, columns = (
        taps(n, k, s, p, 1, ceil_mode, wrong & PLACING)
        for n, k, s, p in zip(input.shape[-2:], kernel, moves, border, strict=True)
    )
    numbers, inside, _ = windows(input, rows, columns)
    if wrong & {"maximum", "median"}:
        return numbers.amax(-1) if "maximum" in wrong else numbers.median(-1).values
    total = numbers.sum(-1)
    if "sum-for-mean" in wrong:
        return total
    if "include-reversed" in wrong:
        count_include_pad = not count_include_pad
    count = _count(input, rows, columns, inside, border, count_include_pad, wrong)
    if divisor_override is None or "override-ignored" in wrong:
        return total / count
    if "override-after-mean" in wrong:
        return total / count / divisor_override
    return total / count * divisor_override if "override-multiplied" in wrong else total / divisor_override


def _count(
    input: Tensor, rows: Tensor, columns: Tensor, inside: Tensor, border: Pair, include: bool, wrong: frozenset[str]
) -> Tensor | int:
    """Return by how many numbers the sum of each window is divided, (oh, ow) or one number for all."""
    height, width = input.shape[-2:]
    if "kernel-size-squared" in wrong:
        return rows.shape[1] ** 2
    if (include or "pad-always-counted" in wrong) and "divided-by-valid" not in wrong:
        if "overhang-counted" in wrong:
            return rows.shape[1] * columns.shape[1]
        # Padding counts; what a window of ceil mode sees beyond it does not.
        down, across = (rows < height + border[0]).sum(1), (columns < width + border[1]).sum(1)
        return down.view(-1, 1) * across
    if "overhang-counted-anyway" in wrong:
        down = ((rows >= 0) & ~((rows >= height) & (rows < height + border[0]))).sum(1)
        across = ((columns >= 0) & ~((columns >= width) & (columns < width + border[1]))).sum(1)
        return down.view(-1, 1) * across
    return inside.sum(-1)


avg_pool2d.alone(averaged, "maximum", "median", "pairs-swapped")


@avg_pool2d.twin("channels-merged")
def _(input: Tensor, kernel_size: Sizes, *args: Any, **options: Any) -> Tensor:
    result: Tensor = averaged(input, kernel_size, *args, **options)
    return result.mean(1, keepdim=True)


@avg_pool2d.twin("stride-ignored")
def _(input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, *args: Any, **options: Any) -> Tensor:
    result: Tensor = averaged(input, kernel_size, 1, *args, **options)
    return result


@avg_pool2d.twin("repeated-edge")
def _(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, *args: Any, **options: Any
) -> Tensor:
    down, across = pair(padding)
    padded = F.pad(input, (across, across, down, down), mode="replicate")
    result: Tensor = averaged(padded, kernel_size, stride, 0, *args, **options)
    return result
