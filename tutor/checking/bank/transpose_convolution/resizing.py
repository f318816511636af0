"""Resize, then convolve: a way up on which every output number is written by equally many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.sides import Pair
from tutor.checking.bank.transpose_convolution.geometry import CHAPTER, numbers
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, RIGHT, Case, Draw, Exercise


def _right(input: Tensor, weight: Tensor) -> Tensor:
    height, width = weight.shape[2:]
    if height % 2 == 0 or width % 2 == 0:  # not asked for, and not to be shown when a case is made smaller
        raise ValueError("the size can be kept only with an odd kernel")
    return F.conv2d(F.interpolate(input, scale_factor=2), weight, padding=(height // 2, width // 2))


# Both steps are known by now, so torch's own may be put together; nothing that torch has does both at once.
resize_convolve = Exercise(
    "resize_convolve",
    CHAPTER,
    _right,
    links=[[(0, 1), (1, 1)], [(0, 0)], [(0, 2)], [(0, 3)], [(1, 0)], [(1, 2)], [(1, 3)]],
)


@resize_convolve.cases
def _(draw: Draw) -> Iterable[Case]:
    def case(aspect: str, into: int, out: int, size: Pair, kernel: Pair) -> Case:
        height, width = draw.size(size[0]), draw.size(size[1])
        return Case(aspect, (numbers(draw, 2, into, height, width), numbers(draw, out, into, *kernel)))

    yield case(CORE, 2, 2, (2, 3), (3, 3))
    yield case(CORE, 3, 2, (3, 2), (3, 3))
    yield case(CORE, 2, 2, (3, 4), (1, 3))
    yield case(CORE, 2, 2, (3, 2), (3, 1))
    yield case("other kernels", 2, 3, (3, 2), (5, 3))
    yield case("other kernels", 2, 3, (2, 3), (1, 1))
    yield case("other kernels", 2, 2, (3, 4), (3, 7))
    yield replace(case(GRADIENT, 2, 3, (2, 3), (3, 3)), gradient=True)
    yield case(CONDUCT, 2, 3, (2, 3), (3, 3)).in_float32()


@resize_convolve.model(
    "zeros-between",
    "smoothed",
    "tiled",
    "twice-as-high-only",
    "no-padding",
    "padding-always-one",
    "padding-full",
    "padding-swapped",
    "edge-repeated",
    "kernel-flipped",
    "kernel-transposed",
    "weight-in-out",
    "first-channel-only",
    "convolved-first",
    "divided-by-four",
)
def _resize(input: Tensor, weight: Tensor, *, wrong: frozenset[str] = RIGHT) -> Tensor:
    """Return the resized and convolved picture, with the misconceptions that ``wrong`` names."""
    kernels = _kernels(weight, wrong)
    if "first-channel-only" in wrong:
        input, kernels = input[:, :1], kernels[:, :1]
    if "convolved-first" in wrong:
        output = _enlarged(_convolved(input, kernels, wrong), wrong)
    else:
        output = _convolved(_enlarged(input, wrong), kernels, wrong)
    return output / 4 if "divided-by-four" in wrong else output


def _kernels(weight: Tensor, wrong: frozenset[str]) -> Tensor:
    if "kernel-flipped" in wrong:
        weight = weight.flip(2, 3)
    if "kernel-transposed" in wrong:
        weight = weight.transpose(2, 3)
    return weight.transpose(0, 1) if "weight-in-out" in wrong else weight


def _enlarged(picture: Tensor, wrong: frozenset[str]) -> Tensor:
    if "zeros-between" in wrong:
        n, c, h, w = picture.shape
        spread = picture.new_zeros(n, c, 2 * h, 2 * w)
        spread[:, :, ::2, ::2] = picture
        return spread
    if "smoothed" in wrong:
        return F.interpolate(picture, scale_factor=2, mode="bilinear")
    if "smoothed-to-the-corners" in wrong:
        return F.interpolate(picture, scale_factor=2, mode="bilinear", align_corners=True)
    if "tiled" in wrong:
        return picture.repeat(1, 1, 2, 2)
    if "not-resized" in wrong:
        return picture
    factor = (2, 1) if "twice-as-high-only" in wrong else (1, 2) if "twice-as-wide-only" in wrong else (2, 2)
    return picture.repeat_interleave(factor[0], 2).repeat_interleave(factor[1], 3)


def _convolved(picture: Tensor, kernels: Tensor, wrong: frozenset[str]) -> Tensor:
    down, across = kernels.shape[2] // 2, kernels.shape[3] // 2
    if "no-padding" in wrong:
        down, across = 0, 0
    elif "padding-always-one" in wrong:
        down, across = 1, 1
    elif "padding-full" in wrong:
        down, across = kernels.shape[2] - 1, kernels.shape[3] - 1
    if "padding-swapped" in wrong:
        down, across = across, down
    mode = "replicate" if "edge-repeated" in wrong else "reflect" if "edge-mirrored" in wrong else "constant"
    return F.conv2d(F.pad(picture, (across, across, down, down), mode=mode), kernels)


resize_convolve.alone(
    _resize,
    "smoothed-to-the-corners",
    "not-resized",
    "twice-as-wide-only",
    "edge-mirrored",
)


@resize_convolve.twin("transposed-convolution")
def _(input: Tensor, weight: Tensor) -> Tensor:
    return F.conv_transpose2d(input, weight.transpose(0, 1), stride=2)
