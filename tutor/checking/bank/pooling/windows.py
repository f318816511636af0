"""What the exercises of chapter 04 share: which numbers each window looks at, and the operators that pool already."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from tutor.checking.bank.sides import Pair, Sizes, entries
from tutor.checking.exercise import RIGHT, Draw

CHAPTER = "04_pooling"

# Every operator that pools, as torch's dispatcher names it: whoever calls one has not written the layer.
MAXIMA = frozenset(
    {"max_pool1d", "max_pool2d", "max_pool3d", "max_pool1d_with_indices", "max_pool2d_with_indices"}
    | {"max_pool3d_with_indices", "mkldnn_max_pool2d", "mkldnn_max_pool3d", "_mkldnn_max_pool2d"}
    | {"quantized_max_pool1d", "quantized_max_pool2d", "quantized_max_pool3d", "cudnn_max_pool2d"}
    | {"adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"}
    | {"fractional_max_pool2d", "fractional_max_pool3d"}
)
AVERAGES = frozenset(
    {"avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"}
    | {"_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "mkldnn_adaptive_avg_pool2d"}
)


def steps(kernel_size: Sizes, stride: Sizes | None, wrong: frozenset[str]) -> Pair:
    """Return how far the window moves, (down, across): the kernel size where no stride is given."""
    if "stride-always-kernel" in wrong:
        stride = None
    if stride is None:
        return (1, 1) if "default-stride-one" in wrong else entries("kernel", kernel_size, wrong)
    return entries("stride", stride, wrong)


def distinct(draw: Draw, *shape: int) -> Tensor:
    """Return whole numbers (N, C, H, W) that differ within each channel, so that no window has two maxima.

    The first channel of the first image is all negative; of the others, about a third of the numbers are.
    """
    planes, area = shape[0] * shape[1], math.prod(shape[2:])
    digits = draw.uniform(planes, max(area, 12)).argsort(1)[:, :area] + 1
    negative = draw.uniform(planes, area) < 0.3
    negative[0] = True
    return torch.where(negative, -digits, digits).double().reshape(shape)


def output_size(
    n: int,
    kernel_size: int,
    stride: int,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    wrong: frozenset[str] = RIGHT,
) -> int:
    """Return how many windows there are in one dimension, with the misconceptions that ``wrong`` names.

    Source of the right rule: the documentation of ``torch.nn.MaxPool2d`` and, for the last window of ceil mode, its
    note that a window that would begin in the padding at the end is left out.
    """
    room = n + _added(padding, wrong) - _reach(kernel_size, dilation, wrong)
    up = ("always-rounded-up" in wrong) or (ceil_mode and "ceil-ignored" not in wrong)
    size = (-(-room // stride) if up else room // stride) + 1
    if "one-too-few" in wrong:
        size -= 1
    if up and _starts_outside((size - 1) * stride, n, padding, wrong):
        size -= 1
    return size


def _added(padding: int, wrong: frozenset[str]) -> int:
    if "padding-ignored" in wrong:
        return 0
    return padding if wrong & {"padding-once", "padding-at-start", "padding-at-end"} else 2 * padding


def _reach(kernel_size: int, dilation: int, wrong: frozenset[str]) -> int:
    """Return how many numbers a window spans from its first tap to its last."""
    if wrong & {"dilation-ignored", "dilation-not-in-size"}:
        return kernel_size
    if "dilation-times-kernel" in wrong:
        return dilation * kernel_size
    if "dilation-many-zeros" in wrong:
        return (dilation + 1) * (kernel_size - 1) + 1
    return dilation * (kernel_size - 1) + 1


def _starts_outside(start: int, n: int, padding: int, wrong: frozenset[str]) -> bool:
    """Tell whether a window that begins at a place of the padded input is one too many in ceil mode."""
    if "last-window-kept" in wrong:
        return False
    if "last-window-in-input-only" in wrong:
        return start >= n
    return start > n + padding if "last-window-edge" in wrong else start >= n + padding


# The misconceptions that decide where windows lie; all others leave them in place.
PLACING = frozenset(
    {
        "stride-in-size-only",
        "padding-ignored",
        "padding-at-start",
        "padding-at-end",
        "dilation-ignored",
        "dilation-in-size-only",
        "dilation-not-in-size",
        "dilation-many-zeros",
        "ceil-ignored",
        "always-rounded-up",
        "last-window-kept",
    }
)


@lru_cache(1024)  # one check asks for the same few dozen again and again
def taps(
    n: int,
    kernel_size: int,
    stride: int,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    wrong: frozenset[str] = RIGHT,
) -> Tensor:
    """Return which places of the input (0 is the first; others lie outside) each window looks at: (windows, kernel_size).

    Raises RuntimeError where no window fits.
    """
    size = output_size(n, kernel_size, stride, padding, dilation, ceil_mode, wrong)
    if size < 1:
        raise RuntimeError(f"the output would have size {size}")
    step = 1 if "stride-in-size-only" in wrong else stride
    before = 0 if wrong & {"padding-ignored", "padding-at-end"} else padding
    apart = 1 if wrong & {"dilation-ignored", "dilation-in-size-only"} else dilation
    if "dilation-many-zeros" in wrong:
        apart = dilation + 1
    return torch.arange(size).view(-1, 1) * step + torch.arange(kernel_size) * apart - before


def windows(input: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the numbers in each window, whether each lies in the input, and its place there, counted row by row.

    input: (N, C, H, W); rows, columns: as :func:`taps` gives them. The numbers have the shape (N, C, oh, ow, kh * kw),
    the other two (oh, ow, kh * kw); what lies outside has number 0.
    """
    height, width = input.shape[-2:]
    down = rows[:, None, :, None]
    across = columns[None, :, None, :]
    inside = (down >= 0) & (down < height) & (across >= 0) & (across < width)
    places = (down * width + across).flatten(2)
    inside = inside.flatten(2)
    numbers = input.flatten(2)[..., torch.where(inside, places, 0)]
    return torch.where(inside, numbers, numbers.new_zeros(())), inside, places
