"""The gradients of a convolution by hand: for its input, its weight and its bias; the oracle is autograd."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.convolution.forward import CONVOLUTIONS
from tutor.checking.bank.convolution.pads import both
from tutor.checking.bank.convolution.sizes import CHAPTER
from tutor.checking.bank.sides import TOGETHER
from tutor.checking.exercise import CONDUCT, CORE, Case, Draw, Exercise

Gradients = tuple[Tensor, ...]


def _oracle(
    grad_output: Tensor, input: Tensor, weight: Tensor, bias: Tensor, stride: Any = 1, padding: Any = 0
) -> Gradients:
    with torch.enable_grad():
        leaves = [part.detach().requires_grad_() for part in (input, weight, bias)]
        result = F.conv2d(leaves[0], leaves[1], leaves[2], stride, padding)
        return torch.autograd.grad(result, leaves, grad_output.detach())


conv2d_backward = Exercise(
    "conv2d_backward",
    CHAPTER,
    _oracle,
    forbids=CONVOLUTIONS,
    by_hand=True,
    links=(
        ((0, 0), (1, 0)),
        ((0, 1), (2, 0), (3, 0)),
        ((1, 1), (2, 1)),
    ),
)


@conv2d_backward.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, input: tuple[int, ...], weight: tuple[int, ...], **options: Any) -> Case:
        sides = zip(input[2:], weight[2:], both(options.get("stride", 1)), both(options.get("padding", 0)), strict=True)
        size = [(n + 2 * p - k) // s + 1 for n, k, s, p in sides]
        upstream = draw.off_zero(input[0], weight[0], *size, low=0.6, high=6.0)
        images, kernels = draw.off_zero(*input, low=0.6, high=9.0), draw.off_zero(*weight, low=0.6, high=6.0)
        return Case(aspect, (upstream, images, kernels, draw.off_zero(weight[0])), options)

    # The sizes of these arguments hang together, so that no case is made smaller for the card: small ones come first.
    yield case(CORE, (1, 1, 1, 3), (1, 1, 1, 2))
    yield case(CORE, (1, 1, 2, 2), (2, 1, 2, 1))
    yield case(CORE, (2, 2, 3, draw.size(4)), (3, 2, 2, 2))
    yield case(CORE, (2, 2, draw.size(4), 4), (2, 2, 2, 3))
    yield case(CORE, (1, 3, 4, draw.size(3)), (2, 3, 3, 1))
    yield case("stride", (1, 1, 1, 5), (1, 1, 1, 2), stride=(1, 2))
    yield case("stride", (2, 2, 5, 6), (3, 2, 3, 2), stride=2)
    yield case(
        "stride", (1, 2, 5, draw.size(6)), (2, 2, 2, 2), stride=(3, 2)
    )  # a row and perhaps a column are left over
    # One row of outputs: whoever takes the strides the wrong way round still stays inside the image.
    yield case("stride", (1, 2, 2, 6 + 2 * draw.integer(0, 1)), (2, 2, 2, 2), stride=(1, 2))
    yield case("padding", (1, 1, 1, 2), (1, 1, 1, 2), padding=(0, 1))
    yield case("padding", (2, 2, 3, draw.size(4)), (3, 2, 3, 3), padding=1)
    yield case("padding", (1, 2, draw.size(3), 4), (2, 2, 2, 3), padding=(0, 2))
    yield case("padding", (1, 2, 3, draw.size(4)), (2, 2, 2, 2), padding=(1, 0))
    yield case(TOGETHER, (2, 2, 4, draw.size(5)), (2, 2, 3, 2), stride=2, padding=1)
    yield case(TOGETHER, (1, 2, 5, draw.size(4)), (2, 2, 2, 3), stride=(2, 3), padding=(1, 2))
    # Two columns are left over, as many as the padding's swapped order would lack.
    yield case(TOGETHER, (2, 2, 4, 8), (2, 2, 2, 2), stride=(2, 3), padding=(0, 1))
    plain = case(CONDUCT, (2, 2, 4, 4), (2, 2, 2, 3))
    yield Case(CONDUCT, tuple(part.float() / 4 for part in plain.args))


SWITCHES = (
    "kernel-flipped",
    "weight-gradient-flipped",
    "overlap-overwritten",
    "overlap-keeps-first",
    "crop-with-zero-padding",
    "padding-not-cropped",
    "leftover-missing",
    "grad-output-not-dilated",
    "stride-missing-in-weight",
    "padding-swapped",
    "bias-mean",
    "bias-not-over-batch",
    "bias-not-summed",
    "weight-mean-of-batch",
)


@conv2d_backward.model(*SWITCHES)
def _backward(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    *,
    wrong: frozenset[str],
) -> Gradients:
    strides, paddings = both(stride), both(padding)
    if "stride-swapped" in wrong:
        strides = strides[::-1]
    if "padding-swapped" in wrong:
        paddings = paddings[::-1]
    padded = F.pad(input, (paddings[1], paddings[1], paddings[0], paddings[0]))
    grad_padded = torch.zeros_like(padded)
    grad_weight = torch.zeros_like(weight)
    height, width = weight.shape[2:]
    kernels = weight.flip(2, 3) if "kernel-flipped" in wrong else weight
    if "in-and-out-swapped" in wrong:
        kernels = kernels.transpose(0, 1)
    written = (1, 1) if "grad-output-not-dilated" in wrong else strides
    read = (1, 1) if "stride-missing-in-weight" in wrong else strides
    rows, columns = grad_output.shape[2:]
    places = [(row, column) for row in range(rows) for column in range(columns)]
    for row, column in reversed(places) if "overlap-keeps-first" in wrong else places:
        upstream = grad_output[:, :, row, column]
        back = torch.einsum("no,ocuv->ncuv", upstream, kernels)
        target = _window(grad_padded, (row, column), written, (height, width))
        if "overlap-overwritten" in wrong or "overlap-keeps-first" in wrong:
            target.copy_(back)
        else:
            target.add_(back)
        seen = _window(padded, (row, column), read, (height, width))
        grad_weight += torch.einsum("no,ncuv->ocuv", upstream, seen)
    return (
        _cropped(grad_padded, grad_output, weight, input, strides, paddings, wrong),
        _weight(grad_weight, len(input), wrong),
        _bias(grad_output, wrong),
    )


def _window(image: Tensor, place: tuple[int, int], strides: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Return the part of the image that the kernel lies on at that place of the output."""
    top, left = place[0] * strides[0], place[1] * strides[1]
    return image[:, :, top : top + size[0], left : left + size[1]]


def _cropped(
    grad: Tensor,
    grad_output: Tensor,
    weight: Tensor,
    input: Tensor,
    strides: tuple[int, int],
    paddings: tuple[int, int],
    wrong: frozenset[str],
) -> Tensor:
    """Cut the padding off the padded input's gradient."""
    if "leftover-missing" in wrong:  # as large as the windows reach, which may be less than the input
        reach = [(n - 1) * s + k for n, s, k in zip(grad_output.shape[2:], strides, weight.shape[2:], strict=True)]
        grad = grad[:, :, : reach[0], : reach[1]]
    if "padding-not-cropped" in wrong:
        return grad
    top, left = paddings
    bottom, right = grad.shape[2] - top, grad.shape[3] - left
    if "crop-with-zero-padding" in wrong:
        bottom, right = -top, -left
    return grad[:, :, top:bottom, left:right]


def _weight(grad: Tensor, batch: int, wrong: frozenset[str]) -> Tensor:
    if "weight-mean-of-batch" in wrong:
        grad = grad / batch
    return grad.flip(2, 3) if "weight-gradient-flipped" in wrong else grad


def _bias(grad_output: Tensor, wrong: frozenset[str]) -> Tensor:
    if "bias-mean" in wrong:
        return grad_output.mean((0, 2, 3))
    if "bias-not-over-batch" in wrong:
        return grad_output.sum((2, 3))
    return grad_output.sum(0) if "bias-not-summed" in wrong else grad_output.sum((0, 2, 3))


def _more(
    grad_output: Tensor, input: Tensor, weight: Tensor, bias: Tensor, *, wrong: frozenset[str], **options: Any
) -> Gradients:
    if "grad-output-forgotten" in wrong:
        grad_output = torch.ones_like(grad_output)
    found = list(_backward(grad_output, input, weight, bias, wrong=wrong, **options))
    if "weight-first" in wrong:
        found[0], found[1] = found[1], found[0]
    if "bias-summed-over-all" in wrong:
        found[2] = grad_output.sum().expand_as(bias)
    if "bias-of-first-image" in wrong:
        found[2] = grad_output[0].sum((1, 2))
    if "weight-of-first-image" in wrong:
        found[1] = _backward(grad_output[:1], input[:1], weight, bias, wrong=wrong, **options)[1]
    if "weight-channels-swapped" in wrong:
        found[1] = found[1].transpose(0, 1)
    return tuple(found)


conv2d_backward.alone(
    _more,
    "grad-output-forgotten",
    "weight-first",
    "bias-summed-over-all",
    "bias-of-first-image",
    "weight-of-first-image",
    "weight-channels-swapped",
    "in-and-out-swapped",
    "stride-swapped",
)
