"""What comes of laying kernels side by side: the round trip, what it loses, and how often each place is written to."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from tutor.checking.bank.counts import counted
from tutor.checking.bank.transpose_convolution.geometry import CHAPTER
from tutor.checking.bank.transpose_convolution.judging import as_floats, sums_of_neighbours
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise

predict_round_trip = Exercise("predict_round_trip", CHAPTER, lambda: [3.0, 8.0, 5.0], prediction=True)


@predict_round_trip.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (), judge=as_floats)


predict_round_trip.twin("thought-to-invert")(lambda: [1.0, 2.0, 3.0])
predict_round_trip.twin("convolution-only")(lambda: [3.0, 5.0])
predict_round_trip.twin("overlap-overwritten")(lambda: [3.0, 5.0, 5.0])
predict_round_trip.twin("first-one-kept")(lambda: [3.0, 3.0, 5.0])
predict_round_trip.twin("overlap-averaged")(lambda: [3.0, 4.0, 5.0])
predict_round_trip.twin("convolved-twice")(lambda: [8.0])
predict_round_trip.twin("zero-at-end")(lambda: [3.0, 5.0, 0.0])
predict_round_trip.twin("zeros-around")(lambda: [0.0, 3.0, 5.0, 0.0])
predict_round_trip.twin("laid-side-by-side")(lambda: [3.0, 3.0, 5.0, 5.0])


lost_direction = Exercise("lost_direction", CHAPTER, lambda: torch.tensor([1.0, -1.0, 1.0]), prediction=True)


@lost_direction.cases
def _(draw: Draw) -> Iterable[Case]:
    yield Case(CORE, (), judge=sums_of_neighbours)


lost_direction.twin("all-zeros")(lambda: torch.tensor([0.0, 0.0, 0.0]))
lost_direction.twin("all-alike")(lambda: torch.tensor([1.0, 1.0, 1.0]))
lost_direction.twin("last-sum-left")(lambda: torch.tensor([1.0, -1.0, 0.0]))
lost_direction.twin("first-sum-left")(lambda: torch.tensor([0.0, 1.0, -1.0]))
lost_direction.twin("middle-zero")(lambda: torch.tensor([1.0, 0.0, -1.0]))
lost_direction.twin("sum-zero-as-a-whole")(lambda: torch.tensor([1.0, -2.0, 1.0]))
lost_direction.twin("one-for-each-output")(lambda: torch.tensor([1.0, -1.0]))
lost_direction.twin("one-too-many")(lambda: torch.tensor([1.0, -1.0, 1.0, -1.0]))
lost_direction.twin("counted-up")(lambda: torch.tensor([1.0, 2.0, 3.0]))


def _count(n: int, kernel_size: int, stride: int, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    """Return how many of ``n`` input positions write to each output position."""
    if "kernel-and-stride-swapped" in wrong:
        kernel_size, stride = stride, kernel_size
    if "kernel-one-short" in wrong:
        kernel_size -= 1
    if "last-position-forgotten" in wrong:
        n -= 1
    step = 1 if wrong & {"stride-ignored", "stride-in-size-only"} else stride
    span = 1 if "stride-ignored" in wrong else stride
    size = n * span if "only-enlarged" in wrong else (n - 1) * span + kernel_size
    place = torch.arange(size).view(-1, 1) - torch.arange(n) * step
    counts = ((place >= 0) & (place < kernel_size)).sum(1).double()
    if "same-everywhere" in wrong:
        counts = counts.max().expand_as(counts)
    return counts.clamp(max=1) if "only-whether" in wrong else counts


overlap_count = Exercise("overlap_count", CHAPTER, lambda n, kernel_size, stride: _count(n, kernel_size, stride))


@overlap_count.cases
def _(draw: Draw) -> Iterable[Case]:
    # The checkerboard of 3 over 2, an even pattern of 4 over 2, and gaps that nothing writes to.
    for n, kernel_size, stride in ((4, 3, 2), (5, 4, 2), (6, 5, 3), (3, 2, 3), (4, 5, 1), (3, 3, 3), (1, 4, 2)):
        yield Case(CORE, (n if n == 1 else draw.size(n), kernel_size, stride), judge=counted)


overlap_count.model(
    "stride-ignored",
    "stride-in-size-only",
    "kernel-and-stride-swapped",
    "kernel-one-short",
    "last-position-forgotten",
    "only-enlarged",
    "same-everywhere",
    "only-whether",
)(_count)


@overlap_count.twin("reads-of-a-convolution")
def _(n: int, kernel_size: int, stride: int) -> Tensor:
    starts = torch.arange(0, n - kernel_size + 1, stride)
    place = torch.arange(n).view(-1, 1) - starts
    return ((place >= 0) & (place < kernel_size)).sum(1).double()


@overlap_count.twin("two-dimensions")
def _(n: int, kernel_size: int, stride: int) -> Tensor:
    counts = _count(n, kernel_size, stride)
    return torch.outer(counts, counts)


@overlap_count.twin("borders-forgotten")
def _(n: int, kernel_size: int, stride: int) -> Tensor:
    place = torch.arange((n - 1) * stride + kernel_size) % stride
    return ((kernel_size - 1 - place).div(stride, rounding_mode="floor") + 1).double()
