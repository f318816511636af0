"""The gradient of a transpose convolution with respect to its input: an ordinary convolution."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.sides import TOGETHER, Pair, Sizes, pair
from tutor.checking.bank.transpose_convolution.geometry import CHAPTER, numbers
from tutor.checking.exercise import CONDUCT, CORE, RIGHT, Case, Draw, Exercise


def _right(grad_output: Tensor, input: Tensor, weight: Tensor, stride: Sizes = 1, padding: Sizes = 0) -> tuple[Tensor]:
    with torch.enable_grad():
        leaf = input.detach().requires_grad_()
        # What output_padding added is the part of grad_output that the shapes don't explain.
        plain = F.conv_transpose2d(leaf, weight.detach(), None, stride, padding)
        extra = [grad_output.shape[dim] - plain.shape[dim] for dim in (2, 3)]
        result = F.conv_transpose2d(leaf, weight.detach(), None, stride, padding, extra)
        (gradient,) = torch.autograd.grad(result, leaf, grad_output.detach())
    return (gradient,)


# The ordinary convolution is the answer here, and so allowed; torch's own gradients are not.
conv_transpose2d_backward = Exercise(
    "conv_transpose2d_backward",
    CHAPTER,
    _right,
    forbids={"convolution_backward"},
    by_hand=True,
    # With all of height, or of width, cut down to one, the three still belong together.
    links=[[(0, 0), (1, 0)], [(0, 1), (2, 1)], [(1, 1), (2, 0)], [(0, 2), (1, 2), (2, 2)], [(0, 3), (1, 3), (2, 3)]],
)


@conv_transpose2d_backward.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(
        aspect: str, into: int, out: int, size: Pair, kernel: Pair, stride: Sizes = 1, padding: Sizes = 0, more: int = 0
    ) -> Case:
        height, width = draw.size(size[0]), draw.size(size[1])
        sides = zip((height, width), kernel, pair(stride), pair(padding), strict=True)
        large = [(n - 1) * s + k - 2 * p + more for n, k, s, p in sides]
        options = {"stride": stride, "padding": padding}
        used = {name: value for name, value in options.items() if value != {"stride": 1, "padding": 0}[name]}
        args = numbers(draw, 2, out, *large), numbers(draw, 2, into, height, width), numbers(draw, into, out, *kernel)
        return Case(aspect, args, used)

    yield case(CORE, 2, 2, (2, 2), (2, 2))
    yield case(CORE, 2, 2, (3, 4), (2, 3))
    yield case(CORE, 3, 2, (2, 3), (3, 2))
    yield case(CORE, 2, 2, (3, 2), (3, 3))
    yield case(CORE, 2, 3, (2, 3), (1, 1))
    yield case("stride", 2, 2, (3, 2), (2, 3), stride=2)
    yield case("stride", 2, 3, (2, 3), (3, 2), stride=(3, 2))
    yield case("stride", 2, 2, (2, 3), (1, 2), stride=(1, 3))
    yield case("stride", 2, 2, (3, 2), (3, 3), stride=2, more=1)  # as output_padding makes it
    yield case("padding", 2, 2, (3, 3), (2, 3), padding=1)
    yield case("padding", 2, 2, (5, 6), (3, 2), padding=1)
    yield case("padding", 2, 2, (4, 3), (5, 3), padding=(2, 1))
    yield case("padding", 3, 2, (3, 6), (2, 5), padding=(0, 1))
    yield case(TOGETHER, 2, 2, (3, 2), (3, 4), stride=2, padding=1)
    yield case(TOGETHER, 2, 3, (2, 3), (4, 3), stride=(2, 3), padding=(2, 1))
    yield case(CONDUCT, 2, 3, (3, 2), (2, 3)).in_float32()


@conv_transpose2d_backward.model(
    "kernel-flipped",
    "kernel-transposed",
    "weight-out-in",
    "first-channel-only",
    "stride-ignored",
    "stride-as-dilation",
    "stride-swapped",
    "padding-ignored",
    "padding-cropped",
    "padding-swapped",
    "grad-output-forgotten",
    "wrong-sign",
    "overlaps-averaged",
)
def _convolve(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor,
    stride: Sizes = 1,
    padding: Sizes = 0,
    *,
    wrong: frozenset[str] = RIGHT,
) -> tuple[Tensor]:
    """Return the gradient for the input, with the misconceptions that ``wrong`` names."""
    steps, border = pair(stride), pair(padding)
    if "stride-swapped" in wrong:
        steps = steps[1], steps[0]
    if "padding-swapped" in wrong:
        border = border[1], border[0]
    if "padding-ignored" in wrong:
        border = 0, 0
    if "padding-cropped" in wrong:
        border = -border[0], -border[1]
    if "kernel-flipped" in wrong:
        weight = weight.flip(2, 3)
    if "kernel-transposed" in wrong:
        weight = weight.transpose(2, 3)
    if "weight-out-in" in wrong:
        weight = weight.transpose(0, 1)
    if "grad-output-forgotten" in wrong:
        grad_output = torch.ones_like(grad_output)
    if "first-channel-only" in wrong:
        grad_output, weight = grad_output[:, :1], weight[:, :1]
    padded = F.pad(grad_output, (border[1], border[1], border[0], border[0]))
    if "stride-as-dilation" in wrong:
        gradient = F.conv2d(padded, weight, dilation=steps)
    else:
        gradient = F.conv2d(padded, weight, stride=1 if "stride-ignored" in wrong else steps)
    if "input-multiplied" in wrong:
        gradient = gradient * input
    if "overlaps-averaged" in wrong:
        gradient = gradient / (weight.shape[2] * weight.shape[3])
    return (-gradient if "wrong-sign" in wrong else gradient,)


conv_transpose2d_backward.alone(_convolve, "input-multiplied")


@conv_transpose2d_backward.twin("spread-again")
def _(grad_output: Tensor, input: Tensor, weight: Tensor, stride: Sizes = 1, padding: Sizes = 0) -> tuple[Tensor]:
    return (F.conv_transpose2d(grad_output, weight.transpose(0, 1), None, stride, padding),)


@conv_transpose2d_backward.twin("weight-reshaped")
def _(grad_output: Tensor, input: Tensor, weight: Tensor, stride: Sizes = 1, padding: Sizes = 0) -> tuple[Tensor]:
    swapped = weight.reshape(weight.shape[1], weight.shape[0], *weight.shape[2:]).transpose(0, 1)
    return (F.conv2d(grad_output, swapped, None, stride, padding),)


@conv_transpose2d_backward.twin("full-border")
def _(grad_output: Tensor, input: Tensor, weight: Tensor, stride: Sizes = 1, padding: Sizes = 0) -> tuple[Tensor]:
    wide = [size - 1 - side for size, side in zip(weight.shape[2:], pair(padding), strict=True)]
    padded = F.pad(grad_output, (wide[1], wide[1], wide[0], wide[0]))
    return (F.conv2d(padded, weight, None, stride),)


@conv_transpose2d_backward.twin("forward-again")
def _(grad_output: Tensor, input: Tensor, weight: Tensor, stride: Sizes = 1, padding: Sizes = 0) -> tuple[Tensor]:
    return (F.conv_transpose2d(input, weight, None, stride, padding),)
