"""Adaptive average pooling, whose windows follow from the output's size, and the average of a whole feature map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.pooling.windows import AVERAGES, CHAPTER, distinct
from tutor.checking.bank.sides import Pair
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, RIGHT, Case, Draw, Exercise

OutputSize = int | tuple[int | None, int | None]

adaptive_avg_pool2d = Exercise(
    "adaptive_avg_pool2d",
    CHAPTER,
    lambda input, output_size: F.adaptive_avg_pool2d(input, output_size),
    forbids=AVERAGES,
)


@adaptive_avg_pool2d.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, size: Pair, output_size: OutputSize, channels: int = 2) -> Case:
        return Case(aspect, (distinct(draw, 2, channels, *size), output_size))

    more = 2 if draw.hidden else 1
    yield case(CORE, (4, 6 * more), 2)
    yield case(CORE, (3 * more, 9), 3, channels=3)
    yield case(CORE, (4, 3 + draw.size(0)), 1)
    yield case("uneven windows", (5, 7), 3)
    yield case("uneven windows", (draw.size(7), 10), 4)
    yield case("uneven windows", (8, draw.size(11)), 5, channels=1)
    yield case("pairs", (4, 6 * more), (2, 3))
    yield case("pairs", (draw.size(7), 5), (3, 2))
    yield case("pairs", (5, 8), (4, 1))
    yield case("None", (draw.size(4), 6), (None, 3))
    yield case("None", (5, draw.size(7)), (2, None))
    yield case("larger than the input", (3, 4), 5)
    yield case("larger than the input", (4, draw.size(5)), (2, 9))
    yield replace(case(GRADIENT, (5, 7), (2, 3)), gradient=True)
    yield case(CONDUCT, (4, 6), 2).in_float32()


def _bins(n: int, size: int, wrong: frozenset[str]) -> list[Pair]:
    """Return where each window begins and ends (the end is not part of it)."""
    whole, up = n // size, -(-n // size)
    places = range(size)
    if "windows-rounded-up" in wrong:
        return [(i * up, min((i + 1) * up, n)) for i in places]
    if "rest-dropped" in wrong:
        return [(i * whole, (i + 1) * whole) for i in places]
    if "last-takes-the-rest" in wrong:
        return [(i * whole, n if i == size - 1 else (i + 1) * whole) for i in places]
    if "one-size-for-all" in wrong:
        return [(i * whole, i * whole + n - (size - 1) * whole) for i in places]
    if "end-rounded-down" in wrong:
        return [(i * n // size, (i + 1) * n // size) for i in places]
    if "end-one-further" in wrong:
        return [(i * n // size, min((i + 1) * n // size + 1, n)) for i in places]
    if "start-rounded-up" in wrong:
        return [(-(-i * n // size), -(-(i + 1) * n // size)) for i in places]
    if "nearest" in wrong:
        return [(i * n // size, i * n // size + 1) for i in places]
    return [(i * n // size, -(-(i + 1) * n // size)) for i in places]


@adaptive_avg_pool2d.model(
    "windows-rounded-up",
    "rest-dropped",
    "last-takes-the-rest",
    "one-size-for-all",
    "end-rounded-down",
    "end-one-further",
    "start-rounded-up",
    "nearest",
    "sum-for-mean",
    "maximum",
    "sides-swapped",
    "pairs-cut-short",
    "none-as-one",
)
def adapted(input: Tensor, output_size: OutputSize, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    """Return the mean of each window of a grid of the given size, with the misconceptions that ``wrong`` names."""
    sides = (output_size, output_size) if isinstance(output_size, int) else output_size
    if "pairs-cut-short" in wrong:
        sides = sides[0], sides[0]
    if "sides-swapped" in wrong:
        sides = sides[1], sides[0]
    down, across = (
        _bins(n, (1 if "none-as-one" in wrong else n) if side is None else side, wrong)
        for n, side in zip(input.shape[-2:], sides, strict=True)
    )
    rows, columns = (_membership(n, bins).to(input) for n, bins in zip(input.shape[-2:], (down, across), strict=True))
    if "maximum" in wrong:
        covered = rows[:, None, :, None] * columns[None, :, None, :] > 0
        return torch.where(covered, input[:, :, None, None], -torch.inf).amax((-2, -1))
    total = torch.einsum("nchw,ih,jw->ncij", input, rows, columns)
    return total if "sum-for-mean" in wrong else total / torch.outer(rows.sum(1), columns.sum(1))


def _membership(n: int, bins: list[Pair]) -> Tensor:
    """Return which of ``n`` places each window covers: (windows, n), 0 or 1."""
    places = torch.arange(n)
    return torch.stack([(places >= start) & (places < end) for start, end in bins]).double()


adaptive_avg_pool2d.twin("interpolated")(
    lambda input, output_size: F.interpolate(
        input,
        [
            n if side is None else side
            for n, side in zip(
                input.shape[-2:], (output_size,) * 2 if isinstance(output_size, int) else output_size, strict=True
            )
        ],
        mode="bilinear",
    )
)


def _global(input: Tensor, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    over = (2,) if "height-only" in wrong else (3,) if "width-only" in wrong else (2, 3)
    if "maximum" in wrong:
        return input.amax(over)
    if "sum-for-mean" in wrong:
        return input.sum(over)
    if "height-squared" in wrong:
        return input.sum(over) / input.shape[2] ** 2
    return input.mean(over, keepdim="dimensions-kept" in wrong)


global_average_pool = Exercise("global_average_pool", CHAPTER, lambda input: _global(input))


@global_average_pool.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (distinct(draw, 2, 3, draw.size(4), draw.size(5)),))
    yield Case(CORE, (distinct(draw, 3, draw.size(2), 2, 2),))
    yield Case(CORE, (distinct(draw, 2, 2, draw.size(3), 1),))
    yield Case("a batch of one", (distinct(draw, 1, 3, draw.size(3), 4),))
    yield Case("a batch of one", (distinct(draw, 1, 1, 3, draw.size(4)),))
    yield Case("a single channel", (distinct(draw, draw.size(3), 1, 2, 4),))
    yield Case(GRADIENT, (distinct(draw, 2, 2, 3, draw.size(4)),), gradient=True)
    yield Case(CONDUCT, (distinct(draw, 2, 3, 4, draw.size(5)).float(),))


global_average_pool.twin("squeezed")(lambda input: input.mean((2, 3), keepdim=True).squeeze())
global_average_pool.twin("channels-averaged")(lambda input: input.mean(1))
global_average_pool.twin("channels-averaged-too")(lambda input: input.mean((1, 2, 3)))
global_average_pool.twin("batch-averaged-too")(lambda input: input.mean((0, 2, 3)))
global_average_pool.twin("one-number")(lambda input: input.mean())
global_average_pool.alone(
    _global,
    "dimensions-kept",
    "maximum",
    "sum-for-mean",
    "height-squared",
    "height-only",
    "width-only",
)
