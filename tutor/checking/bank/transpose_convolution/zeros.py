"""Transpose convolution by zeros in between, a wide border, and a convolution with the kernel turned round."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.sides import TOGETHER, Pair, Sizes, entries
from tutor.checking.bank.transpose_convolution.geometry import CHAPTER, SCATTERING, TRANSPOSED, numbers
from tutor.checking.bank.transpose_convolution.scattering import LINKS
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, RIGHT, Case, Draw, Exercise


def _right(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
) -> Tensor:
    return F.conv_transpose2d(input, weight, bias, stride, padding, output_padding)


conv_transpose2d_zeros = Exercise(
    "conv_transpose2d_zeros", CHAPTER, _right, forbids=TRANSPOSED | SCATTERING, links=LINKS
)


@conv_transpose2d_zeros.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, into: int, out: int, size: Pair, kernel: Pair, bias: bool = True, **options: Any) -> Case:
        args = (
            numbers(draw, 2, into, draw.size(size[0]), size[1] + draw.integer(0, 1)),
            numbers(draw, into, out, *kernel),
        )
        return Case(aspect, (*args, numbers(draw, out)) if bias else args, options)

    yield case(CORE, 2, 2, (3, 2), (2, 3))
    yield case(CORE, 2, 2, (4, 3), (3, 3))
    yield case(CORE, 2, 3, (3, 4), (3, 2), bias=False)
    yield case(CORE, 2, 2, (6, 1), (3, 2))  # so much taller than wide that mixing the two up shows
    yield case(CORE, 3, 2, (2, 3), (1, 1))
    yield case("stride", 2, 2, (3, 2), (2, 3), stride=2)
    yield case("stride", 2, 3, (2, 3), (4, 3), bias=False, stride=(3, 2))
    yield case("stride", 2, 2, (2, 3), (2, 1), stride=(1, 3))  # gaps that no kernel reaches
    yield case("padding", 2, 2, (3, 4), (3, 4), padding=1)
    yield case("padding", 2, 3, (4, 3), (5, 4), bias=False, padding=(1, 2))
    yield case("padding", 2, 2, (3, 2), (4, 3), stride=(2, 3), padding=(2, 1))
    yield case("padding", 2, 2, (3, 4), (2, 1), padding=1)  # more than the kernel reaches: something is cut off
    yield case("output padding", 2, 2, (3, 2), (3, 4), stride=2, padding=1, output_padding=1)
    yield case("output padding", 2, 3, (2, 3), (4, 3), bias=False, stride=(2, 3), padding=1, output_padding=(1, 2))
    yield case("output padding", 2, 2, (2, 3), (2, 2), stride=(3, 2), output_padding=(2, 0))
    together: dict[str, Any] = {"stride": (2, 3), "padding": (1, 2), "output_padding": (1, 2)}
    yield replace(case(TOGETHER, 2, 2, (2, 3), (3, 4), **together), gradient=True)
    yield case(TOGETHER, 3, 2, (3, 2), (4, 3), bias=False, stride=(3, 2), padding=(3, 1), output_padding=(2, 1))
    yield replace(case(GRADIENT, 2, 3, (2, 3), (3, 2)), gradient=True)
    yield case(CONDUCT, 2, 2, (3, 2), (2, 3)).in_float32()


@conv_transpose2d_zeros.model(
    "kernel-not-flipped",
    "flipped-in-height-only",
    "kernel-transposed",
    "weight-out-in",
    "bias-forgotten",
    "stride-ignored",
    "stride-many-zeros",
    "zeros-after-last",
    "repeated-for-zeros",
    "stride-again",
    "stride-swapped",
    "padding-as-it-is",
    "padding-ignored",
    "padding-added",
    "one-more-all-round",
    "padding-swapped",
    "output-padding-ignored",
    "output-padding-zeros",
    "output-padding-left",
)
def _spread(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    *,
    wrong: frozenset[str] = RIGHT,
) -> Tensor:
    """Return the transpose convolution, with the misconceptions that ``wrong`` names."""
    steps, cropped = entries("stride", stride, wrong), entries("padding", padding, wrong)
    more = (0, 0) if "output-padding-ignored" in wrong else entries("output-padding", output_padding, wrong)
    kernels = _kernels(weight, wrong)
    border: list[int] = []
    for dim, side in ((3, 1), (2, 0)):  # F.pad wants the last dimension first
        wide = _border(kernels.shape[dim], cropped[side], wrong)
        extra = 0 if "output-padding-zeros" in wrong else more[side]
        border += (wide + extra, wide) if "output-padding-left" in wrong else (wide, wide + extra)
        if "output-padding-both" in wrong:
            border[-2] += extra
    padded = F.pad(_with_zeros(input, steps, wrong), border)
    if "bias-forgotten" in wrong:
        bias = None
    output = F.conv2d(padded, kernels, bias, steps if "stride-again" in wrong else 1)
    return F.pad(output, (0, more[1], 0, more[0])) if "output-padding-zeros" in wrong else output


def _kernels(weight: Tensor, wrong: frozenset[str]) -> Tensor:
    if "kernel-transposed" in wrong:
        weight = weight.transpose(2, 3)
    if "kernel-not-flipped" not in wrong:
        both = wrong & {"flipped-in-height-only", "flipped-in-width-only"}
        weight = weight.flip(2 if "flipped-in-height-only" in both else 3) if both else weight.flip(2, 3)
    if "weight-reshaped" in wrong:
        return weight.reshape(weight.shape[1], weight.shape[0], *weight.shape[2:])
    return weight if "weight-out-in" in wrong else weight.transpose(0, 1)


def _with_zeros(input: Tensor, steps: Pair, wrong: frozenset[str]) -> Tensor:
    if "stride-ignored" in wrong:
        return input
    if "repeated-for-zeros" in wrong:
        return input.repeat_interleave(steps[0], 2).repeat_interleave(steps[1], 3)
    down, across = (step + 1 if "stride-many-zeros" in wrong else step for step in steps)
    (n, c, h, w), after = input.shape, "zeros-after-last" in wrong
    spread = input.new_zeros(
        n, c, h * down if after else (h - 1) * down + 1, w * across if after else (w - 1) * across + 1
    )
    spread[:, :, ::down, ::across] = input
    return spread


def _border(kernel_size: int, padding: int, wrong: frozenset[str]) -> int:
    """Return how many zeros go round the spread input on each side."""
    if "no-border" in wrong:
        return 0
    if "padding-as-it-is" in wrong:
        return padding
    wide = kernel_size if "one-more-all-round" in wrong else kernel_size - 1
    if "padding-added" in wrong:
        return wide + padding
    if "never-cut-off" in wrong:
        return max(wide - padding, 0)
    return wide if "padding-ignored" in wrong else wide - padding


conv_transpose2d_zeros.alone(
    _spread,
    "flipped-in-width-only",
    "weight-reshaped",
    "no-border",
    "never-cut-off",
    "output-padding-both",
    "output-padding-swapped",
    "pairs-cut-short",
    "pairs-swapped",
)
