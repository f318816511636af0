"""Convolution as one matrix product: the windows become the columns of a matrix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.convolution.forward import CONVOLUTIONS, LINKS, two_dimensional
from tutor.checking.bank.convolution.reference import columns, finish
from tutor.checking.bank.convolution.sizes import CHAPTER
from tutor.checking.exercise import Case, Draw, Exercise


def _conv2d_im2col(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1
) -> Tensor:
    return F.conv2d(input, weight, bias, stride, padding, dilation)


conv2d_im2col = Exercise("conv2d_im2col", CHAPTER, _conv2d_im2col, forbids=CONVOLUTIONS, links=LINKS)


@conv2d_im2col.cases
def _(draw: Draw) -> Iterable[Case]:
    yield from two_dimensional(draw, groups=False)


@conv2d_im2col.model(
    "batch-mixed",
    "columns-not-transposed",
    "weight-not-transposed",
    "result-not-transposed",
    "taps-before-channels",
    "height-and-width-swapped",
    "kernel-flipped",
    "bias-forgotten",
    "stride-ignored",
    "stride-and-dilation-swapped",
    "padding-swapped",
    "padding-ignored",
    "dilation-ignored",
)
def _product(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    *,
    wrong: frozenset[str],
) -> Tensor:
    found, kernels, size = columns(input, weight, stride, padding, dilation, wrong)
    n, channels, positions, taps = found.shape
    out, length = kernels.shape[0], kernels[0].numel()
    if channels * taps != length:
        raise RuntimeError("the shapes of the two matrices do not agree")
    if "taps-before-channels" in wrong:
        found = found.permute(0, 3, 1, 2).reshape(n, length, positions)  # (taps, channels) in each column
    else:
        found = found.transpose(2, 3).reshape(n, length, positions)
    rows = found.reshape(-1, length) if "columns-not-transposed" in wrong else found.transpose(1, 2).reshape(-1, length)
    matrix = kernels.reshape(out, length)
    product = rows @ (matrix.reshape(length, out) if "weight-not-transposed" in wrong else matrix.T)  # (N*P, O)
    if "batch-mixed" in wrong:
        result = product.T.reshape(n, out, positions)
    elif "result-not-transposed" in wrong:
        result = product.reshape(n, out, positions)
    else:
        result = product.view(n, positions, out).transpose(1, 2)
    height, width = size
    shape = (width, height) if "height-and-width-swapped" in wrong else (height, width)
    return finish(result.reshape(n, out, *shape), weight, bias, padding, wrong)


def _more(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, *, wrong: frozenset[str], **options: Any
) -> Tensor:
    if "weight-detached" in wrong:
        weight = weight.detach()
    if "first-image-only" in wrong:
        input = input[:1]
    result: Tensor = _product(input, weight, bias, wrong=wrong, **options)
    return result


conv2d_im2col.alone(
    _more,
    "first-image-only",
    "in-and-out-swapped",
    "weight-detached",
    "kernel-transposed",
    "bias-along-width",
    "bias-first-only",
    "pads-result",
    "pads-after-only",
    "rounded-up",
    "last-window-missed",
    "width-from-height",
    "stride-swapped",
    "dilation-swapped",
    "pairs-swapped",
    "first-of-pair",
    "dilation-zeros-between",
    "stride-ignored-with-padding",
    "padding-ignored-with-stride",
)
