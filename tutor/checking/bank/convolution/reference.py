"""One convolution for any number of dimensions, in which misconceptions are switches.

It gathers every window of the padded input into columns, (N, C, positions, taps), and multiplies them with the kernels,
(O, C/groups, taps). ``columns`` and ``finish`` serve the exercise that asks for one matrix product as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# Whoever makes one of these mistakes looks beyond the input's end; what stands there counts as zero.
BEYOND = frozenset({"rounded-up", "dilation-missing-from-size"})

# The switches that make sense with every kind of convolution, and those that need two dimensions or groups.
COMMON = (
    "kernel-flipped",
    "bias-forgotten",
    "bias-per-product",
    "mean-of-channels",
    "stride-ignored",
    "padding-ignored",
    "pads-result",
    "pads-after-only",
    "dilation-ignored",
    "dilation-zeros-between",
    "dilation-missing-from-size",
    "rounded-up",
    "last-window-missed",
)
TWO_DIMENSIONAL = ("kernel-transposed", "stride-swapped", "padding-swapped", "width-from-height")
GROUPED = ("groups-input-interleaved", "groups-output-interleaved")


def each(value: Any, dims: int) -> tuple[int, ...]:
    """Return one number for each dimension, from a number or a sequence."""
    return tuple(value) if isinstance(value, tuple | list) else (value,) * dims


def convolve(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    *,
    wrong: frozenset[str] = frozenset(),
) -> Tensor:
    """Convolve ``input`` (N, C, *sizes) with ``weight`` (O, C/groups, *kernel), wrong in the ways that are switched on.

    Raises RuntimeError where a mistake makes the shapes disagree, as torch does to whoever makes it.
    """
    found, kernels, size = columns(input, weight, stride, padding, dilation, wrong)
    result = _products(found, kernels, groups, wrong)
    return finish(result.reshape(*result.shape[:2], *size), weight, bias, padding, wrong)


def columns(
    input: Tensor, weight: Tensor, stride: Any, padding: Any, dilation: Any, wrong: frozenset[str]
) -> tuple[Tensor, Tensor, list[int]]:
    """Return the windows as columns (N, C, positions, taps), the kernels (O, C/groups, taps) and the output's size."""
    dims = input.dim() - 2
    strides, paddings, dilations = _options(dims, stride, padding, dilation, wrong)
    if "kernel-flipped" in wrong:
        weight = weight.flip(tuple(range(2, weight.dim())))
    if "kernel-transposed" in wrong:
        weight = weight.transpose(-1, -2)
    if "kernel-upside-down" in wrong:
        weight = weight.flip(2)
    if "kernel-mirrored" in wrong:
        weight = weight.flip(-1)
    if "in-and-out-swapped" in wrong:
        weight = weight.transpose(0, 1)
    kernel = list(weight.shape[2:])
    if "width-of-kernel-from-height" in wrong:
        if kernel[1] < kernel[0]:
            raise IndexError("index is out of bounds for a dimension of the kernel")
        weight = weight[..., : kernel[0]]
        kernel[1] = kernel[0]
    input = _padded(input, paddings, wrong)
    size = _sizes(input.shape[2:], kernel, strides, dilations, wrong)
    if "stride-for-size-only" in wrong:
        strides = (1,) * dims
    if "stride-on-height-only" in wrong:
        strides = (strides[0], 1)
    windows = _windows(input, size, kernel, strides, dilations, fill=bool(BEYOND & wrong))
    flat = windows.reshape(*input.shape[:2], prod(size), prod(kernel))
    return flat, weight.reshape(*weight.shape[:2], prod(kernel)), size


def finish(result: Tensor, weight: Tensor, bias: Tensor | None, padding: Any, wrong: frozenset[str]) -> Tensor:
    """Add the bias to the result (N, O, *size), and do whatever else some people do at the end."""
    dims = result.dim() - 2
    if bias is not None and "bias-forgotten" not in wrong:
        if "bias-first-only" in wrong:
            bias = bias[:1].expand_as(bias)
        if "bias-per-product" in wrong:
            bias = bias * prod(weight.shape[1:])
        if "bias-per-tap" in wrong:
            bias = bias * prod(weight.shape[2:])
        if "bias-per-channel" in wrong:
            bias = bias * weight.shape[1]
        if "bias-detached" in wrong:
            bias = bias.detach()
        result = result + (bias if "bias-along-width" in wrong else bias.view(-1, *[1] * dims))
    if "pads-result" in wrong:
        result = F.pad(result, _sides(each(padding, dims), each(padding, dims)))
    return result


def _options(
    dims: int, stride: Any, padding: Any, dilation: Any, wrong: frozenset[str]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    strides, paddings, dilations = each(stride, dims), each(padding, dims), each(dilation, dims)
    if "stride-and-dilation-swapped" in wrong:
        strides, dilations = dilations, strides
    if "stride-swapped" in wrong or "pairs-swapped" in wrong:
        strides = strides[::-1]
    if "padding-swapped" in wrong or "pairs-swapped" in wrong:
        paddings = paddings[::-1]
    if "dilation-swapped" in wrong or "pairs-swapped" in wrong:
        dilations = dilations[::-1]
    if "first-of-pair" in wrong:
        strides, paddings, dilations = (numbers[:1] * dims for numbers in (strides, paddings, dilations))
    if "stride-ignored" in wrong or ("stride-ignored-with-padding" in wrong and any(paddings)):
        strides = (1,) * dims
    if "padding-ignored" in wrong or "pads-result" in wrong:
        paddings = (0,) * dims
    if "padding-ignored-with-stride" in wrong and any(number > 1 for number in strides):
        paddings = (0,) * dims
    if "dilation-ignored" in wrong:
        dilations = (1,) * dims
    if "dilation-off-by-one" in wrong:
        dilations = tuple(number + 1 for number in dilations)
    if "dilation-zeros-between" in wrong:
        dilations = tuple(number + 1 if number > 1 else 1 for number in dilations)
    return strides, paddings, dilations


def _padded(input: Tensor, paddings: Sequence[int], wrong: frozenset[str]) -> Tensor:
    before, after = list(paddings), list(paddings)
    if "pads-after-only" in wrong:
        before, after = [0] * len(before), [2 * number for number in after]
    if "pads-before-only" in wrong:
        before, after = [2 * number for number in before], [0] * len(after)
    if "padding-once-after" in wrong:
        before = [0] * len(before)
    if "padding-once-before" in wrong:
        after = [0] * len(after)
    if not any(before) and not any(after):
        return input
    return F.pad(input, _sides(before, after), mode="replicate" if "pads-with-edge" in wrong else "constant")


def _sides(before: Sequence[int], after: Sequence[int]) -> list[int]:
    """Return the amounts in the order of ``F.pad``: the last dimension first."""
    return [number for pair in zip(reversed(before), reversed(after), strict=True) for number in pair]


def _sizes(
    room: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], wrong: frozenset[str]
) -> list[int]:
    found = []
    for n, k, s, d in zip(room, kernel, strides, dilations, strict=True):
        left = n - k if "dilation-missing-from-size" in wrong else n - d * (k - 1) - 1
        steps = -(-left // s) if "rounded-up" in wrong else left // s
        found.append(steps if "last-window-missed" in wrong else steps + 1)
    if "width-from-height" in wrong:
        found[1] = found[0]
    if "height-from-width" in wrong:
        found[0] = found[1]
    return found


def _windows(
    input: Tensor,
    size: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    fill: bool,
) -> Tensor:
    """Return (N, C, *size, *kernel): at each position of the output, what the kernel lies on."""
    over = [
        max(0, (count - 1) * s + d * (k - 1) + 1 - n) if count else 0
        for count, k, s, d, n in zip(size, kernel, strides, dilations, input.shape[2:], strict=True)
    ]
    if any(over) and not fill:
        raise RuntimeError("a window reaches beyond the image")
    # A copy that lies in memory row by row, so that the steps below are right for it.
    input = F.pad(input, _sides([0] * len(over), over)) if any(over) else input.contiguous()
    steps = input.stride()
    moves = [step * s for step, s in zip(steps[2:], strides, strict=True)]
    taps = [step * d for step, d in zip(steps[2:], dilations, strict=True)]
    return input.as_strided((*input.shape[:2], *size, *kernel), (*steps[:2], *moves, *taps))


def _products(found: Tensor, kernels: Tensor, groups: int, wrong: frozenset[str]) -> Tensor:
    """Multiply columns (N, C, P, T) with kernels (O, C/groups, T), group by group, and add up: (N, O, P)."""
    n, channels, positions, taps = found.shape
    if "groups-ignored" in wrong:
        kernels, groups = kernels.repeat(1, groups, 1), 1
    out, per_group = kernels.shape[:2]
    if channels != per_group * groups:
        raise RuntimeError("the channels of input and weight do not agree")
    grouped = found.view(n, groups, per_group, positions, taps)
    if "groups-input-interleaved" in wrong:
        grouped = found.view(n, per_group, groups, positions, taps).transpose(1, 2)
    if "groups-read-first-channels" in wrong:
        grouped = grouped[:, :1].expand_as(grouped)
    filters = kernels.view(groups, out // groups, per_group, taps)
    if "groups-share-weights" in wrong:
        filters = filters[:1].expand_as(filters)
    if "first-channel-only" in wrong:
        grouped, filters = grouped[:, :, :1], filters[:, :, :1]
    if "first-filter-only" in wrong:
        filters = filters[:, :1].expand_as(filters)
    result = torch.einsum("ngcpt,goct->ngop", grouped, filters)
    if "mean-of-channels" in wrong:
        result = result / per_group
    if "mean-of-window" in wrong:
        result = result / (per_group * taps)
    if "groups-output-interleaved" in wrong:
        result = result.transpose(1, 2)
    return result.reshape(n, out, positions)
