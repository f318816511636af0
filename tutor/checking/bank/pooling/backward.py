"""The gradients of max and average pooling by hand; the oracle is autograd through torch's own functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.pooling.windows import CHAPTER, distinct, steps, windows
from tutor.checking.bank.sides import TOGETHER, Pair, Sizes, pair
from tutor.checking.exercise import CONDUCT, CORE, RIGHT, Case, Draw, Exercise


def _by_autograd(forward: Callable[..., Tensor]) -> Callable[..., tuple[Tensor]]:
    def oracle(
        grad_output: Tensor, input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0
    ) -> tuple[Tensor]:
        with torch.enable_grad():
            leaf = input.detach().requires_grad_()
            result = forward(leaf, kernel_size, stride, padding)
            (gradient,) = torch.autograd.grad((result * grad_output.detach()).sum(), leaf)
        return (gradient,)

    return oracle


def _cases(draw: Draw, forward: Callable[..., Tensor]) -> Iterable[Case]:
    def case(aspect: str, size: Pair, kernel_size: Sizes, channels: int = 2, **options: Any) -> Case:
        image = distinct(draw, 2, channels, draw.size(size[0]), draw.size(size[1]))
        shape = forward(image, kernel_size, **options).shape
        return Case(aspect, (distinct(draw, *shape), image, kernel_size), options)

    yield case(CORE, (4, 6), 2)
    yield case(CORE, (7, 5), 2, channels=3)
    yield case(CORE, (3, 6), 3)
    yield case(CORE, (2, 3), 1)
    yield case("overlaps", (4, 5), 3, stride=1)
    yield case("overlaps", (5, 7), 3, stride=2)
    yield case("overlaps", (3, 4), 2, stride=1)
    yield case("stride", (7, 8), 2, stride=3)
    yield case("stride", (7, 5), 1, stride=2)
    yield case("padding", (4, 6), 2, padding=1)
    yield case("padding", (5, 7), 3, padding=1)
    yield case("padding", (6, 5), 4, padding=2)
    yield case("pairs", (6, 4), (3, 2))
    yield case("pairs", (5, 8), (2, 3), stride=(2, 4))
    yield case("pairs", (8, 6), (4, 3), stride=(4, 1), padding=(2, 1))
    yield case(TOGETHER, (6, 7), 3, stride=2, padding=1)
    yield case(TOGETHER, (5, 8), (2, 3), stride=(1, 2), padding=(1, 0))
    yield case(CONDUCT, (4, 6), 2).in_float32()


max_pool2d_backward = Exercise(
    "max_pool2d_backward",
    CHAPTER,
    _by_autograd(F.max_pool2d),
    forbids={"max_pool2d_with_indices_backward", "mkldnn_max_pool2d_backward", "max_pool2d_backward"},
    by_hand=True,
)


@max_pool2d_backward.cases
def _(draw: Draw) -> Iterable[Case]:
    yield from _cases(draw, F.max_pool2d)
    # Numbers that come several times in a window: the exercise says that the first one gets the gradient.
    for size, kernel_size, values in (((4, 6), 2, 2), ((3, 6), 3, 3)):
        image = (distinct(draw, 2, 2, *size).abs() % values) - 2
        image[0, 0] = 1.0
        shape = F.max_pool2d(image, kernel_size).shape
        yield Case("ties", (distinct(draw, *shape), image, kernel_size))


def _placed(count: int, kernel_size: int, stride: int, padding: int) -> Tensor:
    return torch.arange(count).view(-1, 1) * stride + torch.arange(kernel_size) - padding


def _geometry(
    grad_output: Tensor, kernel_size: Sizes, stride: Sizes | None, padding: Sizes, wrong: frozenset[str]
) -> tuple[Tensor, Tensor]:
    """Return which rows and columns each number of the output had seen."""
    kernel, border, moves = pair(kernel_size), pair(padding), steps(kernel_size, stride, wrong)
    if wrong & {"kernel-swapped", "pairs-swapped"}:
        kernel = kernel[1], kernel[0]
    if wrong & {"padding-swapped", "pairs-swapped"}:
        border = border[1], border[0]
    if "pairs-cut-short" in wrong:
        kernel, border = (kernel[0],) * 2, (border[0],) * 2
    if "padding-ignored" in wrong:
        border = 0, 0
    if "stride-ignored" in wrong:
        moves = 1, 1
    rows, columns = (_placed(*sides) for sides in zip(grad_output.shape[-2:], kernel, moves, border, strict=True))
    return rows, columns


def _collected(shares: Tensor, inside: Tensor, places: Tensor, input: Tensor, wrong: frozenset[str]) -> Tensor:
    """Add up in each place of the input what the windows (N, C, oh, ow, kh * kw) have for it."""
    batch, channels, height, width = input.shape
    plane = input.new_zeros(batch, channels, height * width)
    if wrong & {"overlaps-overwritten", "window-overwritten"}:
        for row in range(shares.shape[2]):
            for column in range(shares.shape[3]):
                here = inside[row, column]
                place, share = places[row, column][here], shares[:, :, row, column][..., here]
                if "overlaps-overwritten" in wrong:
                    share = torch.where(share == 0, plane[..., place], share)
                plane[..., place] = share
        return plane.reshape(input.shape)
    where = torch.where(inside, places, 0).flatten()
    plane.index_add_(2, where, torch.where(inside, shares, 0).flatten(2))
    if "overlaps-averaged" in wrong:
        counts = plane.new_zeros(height * width).index_add_(0, where, inside.to(plane.dtype).flatten())
        plane = plane / counts.clamp(min=1)
    return plane.reshape(input.shape)


@max_pool2d_backward.model(
    "ties-all",
    "ties-shared",
    "ties-last",
    "overlaps-overwritten",
    "window-overwritten",
    "overlaps-averaged",
    "spread-evenly",
    "copied-to-window",
    "to-the-corner",
    "to-the-minimum",
    "largest-magnitude",
    "grad-output-forgotten",
    "times-maximum",
    "wrong-sign",
    "default-stride-one",
    "stride-ignored",
    "stride-always-kernel",
    "stride-swapped",
    "padded-with-zero",
    "padding-ignored",
    "padding-swapped",
    "kernel-swapped",
    "pairs-cut-short",
)
def _max_backward(
    grad_output: Tensor,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    *,
    wrong: frozenset[str] = RIGHT,
) -> tuple[Tensor]:
    """Return the gradient for the input of max pooling, with the misconceptions that ``wrong`` names."""
    rows, columns = _geometry(grad_output, kernel_size, stride, padding, wrong)
    numbers, inside, places = windows(input, rows, columns)
    lowest = 0.0 if "padded-with-zero" in wrong else -torch.inf
    ranked = -numbers if "to-the-minimum" in wrong else numbers.abs() if "largest-magnitude" in wrong else numbers
    ranked = ranked.masked_fill(~inside, lowest)
    gradient = torch.ones_like(grad_output) if "grad-output-forgotten" in wrong else grad_output
    if "wrong-sign" in wrong:
        gradient = -gradient
    if "times-maximum" in wrong:
        gradient = gradient * numbers.masked_fill(~inside, -torch.inf).amax(-1)
    shares = gradient.unsqueeze(-1) * _weights(ranked, wrong)
    return (_collected(shares, inside, places, input, wrong),)


def _weights(ranked: Tensor, wrong: frozenset[str]) -> Tensor:
    """Return which share of a window's gradient each of its numbers gets: (N, C, oh, ow, kh * kw)."""
    size = ranked.shape[-1]
    if "copied-to-window" in wrong:
        return torch.ones_like(ranked)
    if "spread-evenly" in wrong:
        return torch.full_like(ranked, 1 / size)
    if "to-the-corner" in wrong:
        return F.one_hot(torch.zeros(ranked.shape[:-1], dtype=torch.int64), size).to(ranked.dtype)
    largest = (ranked == ranked.amax(-1, keepdim=True)).to(ranked.dtype)
    if "ties-all" in wrong:
        return largest
    if "ties-shared" in wrong:
        return largest / largest.sum(-1, keepdim=True)
    if "ties-last" in wrong:
        return F.one_hot(size - 1 - largest.flip(-1).argmax(-1), size).to(ranked.dtype)
    return F.one_hot(largest.argmax(-1), size).to(ranked.dtype)


@max_pool2d_backward.twin("places-of-first-channel")
def _(
    grad_output: Tensor, input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0
) -> tuple[Tensor]:
    gradients: tuple[Tensor] = _max_backward(grad_output, input[:, :1].expand_as(input), kernel_size, stride, padding)
    return gradients


@max_pool2d_backward.twin("forward-again")
def _(
    grad_output: Tensor, input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0
) -> tuple[Tensor]:
    return (F.max_pool2d(input, kernel_size, stride, padding),)


avg_pool2d_backward = Exercise(
    "avg_pool2d_backward",
    CHAPTER,
    _by_autograd(F.avg_pool2d),
    forbids={"avg_pool2d_backward", "_adaptive_avg_pool2d_backward"},
    by_hand=True,
)


@avg_pool2d_backward.cases
def _(draw: Draw) -> Iterable[Case]:
    yield from _cases(draw, F.avg_pool2d)


@avg_pool2d_backward.model(
    "not-divided",
    "divided-by-side",
    "divided-by-valid",
    "overlaps-overwritten",
    "overlaps-averaged",
    "to-the-maximum",
    "to-the-corner",
    "grad-output-forgotten",
    "times-input",
    "wrong-sign",
    "default-stride-one",
    "stride-ignored",
    "stride-always-kernel",
    "stride-swapped",
    "padding-ignored",
    "padding-swapped",
    "kernel-swapped",
    "pairs-cut-short",
)
def _avg_backward(
    grad_output: Tensor,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    *,
    wrong: frozenset[str] = RIGHT,
) -> tuple[Tensor]:
    """Return the gradient for the input of average pooling, with the misconceptions that ``wrong`` names."""
    rows, columns = _geometry(grad_output, kernel_size, stride, padding, wrong)
    numbers, inside, places = windows(input, rows, columns)
    gradient = torch.ones_like(grad_output) if "grad-output-forgotten" in wrong else grad_output
    if "wrong-sign" in wrong:
        gradient = -gradient
    if wrong & {"to-the-maximum", "to-the-corner"}:
        ranked = numbers.masked_fill(~inside, -torch.inf)
        shares = gradient.unsqueeze(-1) * _weights(ranked, wrong)
    else:
        count: Tensor | int = rows.shape[1] * columns.shape[1]
        if "divided-by-valid" in wrong:
            count = inside.sum(-1)
        elif wrong & {"not-divided", "divided-by-side"}:
            count = 1 if "not-divided" in wrong else rows.shape[1]
        shares = (gradient / count).unsqueeze(-1).expand_as(numbers)
    if "times-input" in wrong:
        shares = shares * numbers
    return (_collected(shares, inside, places, input, wrong),)


@avg_pool2d_backward.twin("forward-again")
def _(
    grad_output: Tensor, input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0
) -> tuple[Tensor]:
    return (F.avg_pool2d(input, kernel_size, stride, padding),)


max_pool2d_backward.alone(_max_backward, "pairs-swapped")
avg_pool2d_backward.alone(_avg_backward, "pairs-swapped")
