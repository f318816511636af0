"""Transpose convolution with every argument; most misconceptions are switches, so that two can meet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.sides import TOGETHER, Pair, Sizes, entries, pair
from tutor.checking.bank.transpose_convolution.geometry import (
    CHAPTER,
    CONVOLUTIONS,
    PLACING,
    SCATTERING,
    landing,
    numbers,
)
from tutor.checking.exercise import CORE, RIGHT, Case, Draw, Exercise


def _right(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    return F.conv_transpose2d(input, weight, bias, stride, padding, output_padding, groups, dilation)


# Each dimension is cut on its own, except that the channels of input, weight and bias belong together.
LINKS = [[(0, 1), (1, 0)], [(1, 1), (2, 0)], [(0, 0)], [(0, 2)], [(0, 3)], [(1, 2)], [(1, 3)]]

conv_transpose2d = Exercise("conv_transpose2d", CHAPTER, _right, forbids=CONVOLUTIONS | SCATTERING, links=LINKS)


@conv_transpose2d.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, into: int, out: int, size: Pair, kernel: Pair, bias: bool = True, **options: Any) -> Case:
        height, width = draw.size(size[0]), size[1] if aspect == CORE else draw.size(size[1])
        per_group = out // options.get("groups", 1)
        args = numbers(draw, 2, into, height, width), numbers(draw, into, per_group, *kernel)
        return Case(aspect, (*args, numbers(draw, out)) if bias else args, options)

    yield case(CORE, 2, 2, (3, 2), (2, 3))
    yield case(CORE, 2, 3, (3, 2), (3, 2))  # three channels of width three: a bias along the width shows
    yield case(CORE, 2, 2, (2, 4), (2, 2), bias=False)
    yield case(CORE, 3, 2, (4, 3), (3, 3), bias=False)
    yield case(CORE, 3, 2, (1, 4), (1, 1))
    yield case("stride", 2, 2, (3, 2), (2, 3), stride=2)
    yield case("stride", 2, 3, (2, 3), (3, 2), bias=False, stride=(3, 2))
    yield case("stride", 2, 2, (2, 3), (4, 3), bias=False, stride=(1, 2))
    yield case("stride", 2, 2, (2, 3), (2, 1), stride=3)  # gaps that no kernel reaches
    yield case("padding", 2, 2, (3, 4), (3, 4), padding=1)
    yield case("padding", 2, 3, (4, 3), (5, 4), bias=False, padding=(1, 2))
    yield case("padding", 2, 2, (3, 2), (4, 3), stride=(2, 3), padding=(2, 1))
    yield case("padding", 2, 2, (3, 4), (2, 1), padding=1)
    yield case("output padding", 2, 2, (3, 2), (3, 4), stride=2, padding=1, output_padding=1)
    yield case("output padding", 2, 3, (2, 3), (4, 3), bias=False, stride=(2, 3), padding=1, output_padding=(1, 2))
    yield case("output padding", 2, 2, (2, 3), (2, 2), stride=(3, 2), output_padding=(2, 0))
    yield case("dilation", 2, 2, (3, 2), (2, 3), dilation=2)
    yield case("dilation", 2, 3, (3, 4), (3, 2), bias=False, dilation=(2, 3))
    yield case("dilation", 2, 2, (4, 3), (2, 2), stride=2, dilation=(3, 1))
    yield case("groups", 4, 4, (2, 3), (3, 2), groups=2)
    yield case("groups", 4, 6, (3, 2), (2, 1), bias=False, groups=2)
    yield case("groups", 3, 3, (2, 3), (2, 2), groups=3)
    yield case("groups", 2, 4, (3, 2), (1, 2), groups=2)
    # Gradients are asked for where all arguments meet, and once with none: a wrong stride alone doesn't cost them.
    together: dict[str, Any] = {"stride": (2, 3), "padding": (1, 2), "output_padding": (1, 0), "dilation": (2, 1)}
    yield replace(case(TOGETHER, 4, 4, (3, 2), (3, 4), groups=2, **together), gradient=True)
    together = {"stride": (3, 2), "padding": (2, 1), "output_padding": (2, 1), "dilation": (1, 2)}
    yield case(TOGETHER, 2, 2, (2, 3), (3, 3), bias=False, **together)
    yield case(TOGETHER, 2, 4, (2, 3), (2, 3), groups=2, stride=3, padding=1, dilation=2, output_padding=2)
    yield replace(case("gradient", 2, 3, (2, 3), (3, 2)), gradient=True)
    yield case("conduct", 2, 2, (3, 2), (2, 3)).in_float32()


# The misconceptions for which it counts how many products land at each place.
COUNTING = frozenset({"overlaps-averaged", "bias-every-time", "bias-every-product"})


@conv_transpose2d.model(
    "kernel-flipped",
    "kernel-transposed",
    "weight-out-in",
    "last-channel-only",
    "bias-forgotten",
    "bias-every-time",
    "bias-along-width",
    "overlaps-overwritten",
    "stride-ignored",
    "stride-in-size-only",
    "stride-many-zeros",
    "zeros-after-last",
    "stride-swapped",
    "padding-ignored",
    "padding-enlarges",
    "cropped-at-start",
    "padding-swapped",
    "output-padding-ignored",
    "output-padding-zeros",
    "output-padding-left",
    "dilation-in-size-only",
    "dilation-many-zeros",
    "groups-ignored",
    "inputs-interleaved",
    "first-group-weights",
)
def scatter(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
    *,
    wrong: frozenset[str] = RIGHT,
) -> Tensor:
    """Return the transpose convolution, with the misconceptions that ``wrong`` names."""
    if "groups-and-dilation-swapped" in wrong:
        groups, dilation = dilation, groups  # type: ignore[assignment]
    if "groups-ignored" in wrong:
        groups = 1
    products = _products(input, _blocks(weight, groups, wrong), groups, wrong)
    down, across = zip(
        input.shape[-2:],
        products.shape[-2:],
        entries("stride", stride, wrong),
        entries("padding", padding, wrong),
        entries("output-padding", output_padding, wrong),
        entries("dilation", dilation, wrong),
        strict=True,
    )
    lands = landing(down, across, wrong & PLACING).to(input.dtype)
    output = (products.flatten(2) @ lands.flatten(0, 3).flatten(1)).reshape(*products.shape[:2], *lands.shape[4:])
    count = lands.sum((0, 1, 2, 3)) if wrong & COUNTING else lands
    if "overlaps-averaged" in wrong:
        output = output / count.clamp(min=1)
    if bias is None or "bias-forgotten" in wrong:
        return output
    if "bias-along-width" in wrong:
        return output + bias
    bias = bias.view(1, -1, 1, 1)
    if "bias-every-time" in wrong:
        return output + bias * count
    if "bias-every-product" in wrong:
        return output + bias * count * (input.shape[1] // groups)
    return output + bias


def _blocks(weight: Tensor, groups: int, wrong: frozenset[str]) -> Tensor:
    """Return the weight as (groups, in per group, out per group, kh, kw)."""
    into, out = weight.shape[0] // groups, weight.shape[1]
    if "kernel-flipped" in wrong:
        weight = weight.flip(-2, -1)
    if "kernel-transposed" in wrong:
        weight = weight.transpose(-2, -1)
    blocks = weight.reshape(groups, into, out, *weight.shape[-2:])
    if "weight-out-in" in wrong:
        blocks = blocks.transpose(1, 2)
    elif "weight-reshaped" in wrong:
        blocks = blocks.reshape(groups, out, into, *weight.shape[-2:]).transpose(1, 2)
    return blocks[:1].expand_as(blocks) if "first-group-weights" in wrong else blocks


def _products(images: Tensor, blocks: Tensor, groups: int, wrong: frozenset[str]) -> Tensor:
    """Return each input number times each kernel it meets, summed over the input channels: (N, out, H, W, kh, kw)."""
    batch, channels, height, width = images.shape
    if "inputs-interleaved" in wrong:
        split = images.reshape(batch, channels // groups, groups, height, width).transpose(1, 2)
    else:
        split = images.reshape(batch, groups, channels // groups, height, width)
    if "first-channel-only" in wrong:
        split, blocks = split[:, :, :1], blocks[:, :1]
    elif "last-channel-only" in wrong:
        split, blocks = split[:, :, -1:], blocks[:, -1:]
    products = torch.einsum("ngihw,giokl->ngohwkl", split, blocks)
    if "channels-averaged" in wrong:
        products = products / split.shape[2]
    return products.transpose(1, 2).flatten(1, 2) if "outputs-interleaved" in wrong else products.flatten(1, 2)


conv_transpose2d.alone(
    scatter,
    "weight-reshaped",
    "first-channel-only",
    "channels-averaged",
    "bias-every-product",
    "overlaps-overwritten-by-tap",
    "overlaps-averaged",
    "padding-on-input",
    "cropped-at-end",
    "output-padding-both",
    "output-padding-swapped",
    "dilation-ignored",
    "dilation-not-in-size",
    "dilation-swapped",
    "outputs-interleaved",
    "groups-and-dilation-swapped",
    "pairs-cut-short",
    "pairs-swapped",
)


@conv_transpose2d.twin("output-padding-after-bias")
def _(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, *, output_padding: Sizes = 0, **options: Any
) -> Tensor:
    down, across = pair(output_padding)
    return F.pad(scatter(input, weight, bias, **options), (0, across, 0, down))


@conv_transpose2d.twin("ordinary-convolution")
def _(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    kernels = _blocks(weight, groups, RIGHT).transpose(1, 2).flatten(2)
    images = input.reshape(-1, input.shape[1] // groups, *input.shape[2:])
    windows = F.unfold(images, weight.shape[2:], dilation, padding, stride)
    sides = zip(input.shape[2:], weight.shape[2:], pair(stride), pair(padding), pair(dilation), strict=True)
    size = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in sides]
    output = (kernels @ windows.reshape(-1, groups, *windows.shape[1:])).reshape(len(input), -1, *size)
    return output if bias is None else output + bias.view(1, -1, 1, 1)


@conv_transpose2d.twin("width-from-height")
def _(input: Tensor, weight: Tensor, bias: Tensor | None = None, **options: Any) -> Tensor:
    output = scatter(input, weight, None, **options)
    missing = output.shape[2] - output.shape[3]
    if missing < 0:
        raise RuntimeError("what is to be added is wider than the result")
    output = F.pad(output, (0, missing))
    return output if bias is None else output + bias.view(1, -1, 1, 1)
