"""Convolution in one and in two dimensions, with every argument: torch is the oracle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from tutor.checking.bank.convolution.reference import COMMON, GROUPED, TWO_DIMENSIONAL, convolve
from tutor.checking.bank.convolution.sizes import CHAPTER
from tutor.checking.bank.sides import TOGETHER
from tutor.checking.exercise import CONDUCT, CORE, GRADIENT, Case, Draw, Exercise

# Whatever torch has that convolves, under the names that its dispatcher shows. `F.conv1d` to `F.conv3d`, the modules,
# the transposed ones and `torch.nn.grad` all arrive there as "convolution" (and "convolution_backward").
CONVOLUTIONS = frozenset(
    ["convolution", "_convolution", "convolution_overrideable", "convolution_backward", "conv_tbc", "_conv_depthwise2d"]
    + [f"conv{dims}d" for dims in (1, 2, 3)]
    + [f"conv_transpose{dims}d" for dims in (1, 2, 3)]
    + ["_slow_conv2d_forward", "_slow_conv2d_backward", "thnn_conv2d", "slow_conv3d", "slow_conv3d_forward"]
    + [f"slow_conv_{kind}{dims}d" for kind in ("dilated", "transpose") for dims in (2, 3)]
    + [
        "mkldnn_convolution",
        "_nnpack_spatial_convolution",
        "_mkldnn_convolution_pointwise",
        "mkldnn::_convolution_pointwise",
    ]
    + ["cudnn_convolution", "cudnn_convolution_transpose", "miopen_convolution", "conv_depthwise3d"]
    + ["torchvision::deform_conv2d", "quantized::conv2d", "quantized::conv1d"]
)
UNFOLD = frozenset({"im2col"})
# What belongs together when a failing case is made smaller: channels of input and weight, filters and biases. Each side
# of an image and of a kernel stands for itself.
CHANNELS = (((0, 0),), ((0, 1), (1, 1)), ((1, 0), (2, 0)))
LINKS = (*CHANNELS, ((0, 2),), ((0, 3),), ((1, 2),), ((1, 3),))


def arguments(draw: Draw, input: Sequence[int], weight: Sequence[int], bias: bool = True) -> tuple[Tensor, ...]:
    """Return an input, a weight and (if wanted) a bias whose rounded numbers are small, of either sign and distinct."""
    found = (draw.off_zero(*input, low=0.6, high=9.0), draw.off_zero(*weight, low=0.6, high=6.0))
    return (*found, draw.off_zero(weight[0], low=10.0, high=40.0)) if bias else found


def small(draw: Draw, input: Sequence[int], weight: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
    """Return an input, a weight and a bias of moderate size, for gradients and for float32."""
    return draw.normal(*input), draw.normal(*weight), draw.normal(weight[0])


def _conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    return F.conv1d(input, weight, bias, stride, padding, dilation, groups)


conv1d = Exercise("conv1d", CHAPTER, _conv1d, forbids=CONVOLUTIONS | UNFOLD, links=(*CHANNELS, ((0, 2),), ((1, 2),)))


@conv1d.cases
def _(draw: Draw) -> Iterable[Case]:
    width = draw.size(5)
    yield Case(CORE, arguments(draw, (2, 2, width), (width - 2, 2, 3)))  # as many outputs as positions
    yield Case(CORE, arguments(draw, (2, 3, draw.size(6)), (3, 3, 2)))
    yield Case("other kernels", arguments(draw, (2, 2, draw.size(4)), (3, 2, 1)))
    yield Case("other kernels", arguments(draw, (1, 2, 4), (2, 2, 4)))
    yield Case("without bias", arguments(draw, (2, 2, draw.size(5)), (3, 2, 3), bias=False))
    yield Case("stride", arguments(draw, (2, 2, 8 + 2 * draw.integer(0, 1)), (2, 2, 3)), {"stride": 2})
    yield Case("stride", arguments(draw, (1, 2, draw.size(9)), (2, 2, 2)), {"stride": 3})
    yield Case("padding", arguments(draw, (2, 2, draw.size(5)), (2, 2, 3)), {"padding": 1})
    yield Case("padding", arguments(draw, (1, 2, draw.size(4)), (2, 2, 2)), {"padding": 2})
    yield Case("dilation", arguments(draw, (2, 2, draw.size(7)), (2, 2, 3)), {"dilation": 2})
    yield Case("dilation", arguments(draw, (1, 2, draw.size(7)), (2, 2, 2)), {"dilation": 3})
    yield Case("groups", arguments(draw, (2, 4, draw.size(4)), (4, 2, 2)), {"groups": 2})
    yield Case("groups", arguments(draw, (1, 3, draw.size(4)), (6, 1, 2)), {"groups": 3})
    several: dict[str, Any] = {
        "stride": 3,
        "padding": 1,
        "dilation": 2,
    }  # no two alike, or mixing them up would not show
    yield Case(TOGETHER, arguments(draw, (2, 2, 8), (2, 2, 3)), several)
    yield Case(TOGETHER, arguments(draw, (1, 4, draw.size(7)), (4, 1, 3), bias=False), {**several, "groups": 4})
    yield Case(GRADIENT, small(draw, (2, 2, draw.size(4)), (3, 2, 2)), gradient=True)
    yield Case(TOGETHER, small(draw, (2, 8, draw.size(7)), (4, 2, 3)), {**several, "groups": 4}, gradient=True)
    yield Case(CONDUCT, tuple(part.float() for part in small(draw, (2, 2, 5), (3, 2, 3))))


conv1d.model(*COMMON, *GROUPED)(convolve)
ALONE = (
    "bias-per-tap",
    "bias-per-channel",
    "bias-along-width",
    "bias-first-only",
    "bias-detached",
    "weight-detached",
    "first-channel-only",
    "first-filter-only",
    "in-and-out-swapped",
    "mean-of-window",
    "first-image-only",
    "first-image-repeated",
    "stride-for-size-only",
    "stride-ignored-with-padding",
    "stride-and-dilation-swapped",
    "padding-ignored-with-stride",
    "pads-before-only",
    "padding-once-before",
    "padding-once-after",
    "pads-with-edge",
    "dilation-off-by-one",
    "rest-left-empty",
    "groups-ignored",
    "groups-read-first-channels",
    "groups-share-weights",
)


def _more(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, *, wrong: frozenset[str], **options: Any
) -> Tensor:
    """Convolve with one of the mistakes that are made around the convolution itself."""
    if "weight-detached" in wrong:
        weight = weight.detach()
    if "first-image-only" in wrong:
        return convolve(input[:1], weight, bias, **options)
    result = convolve(input, weight, bias, wrong=wrong, **options)
    if "first-image-repeated" in wrong:
        return result[:1].expand_as(result)
    if "rest-left-empty" in wrong:
        longer = convolve(input, weight, bias, wrong=frozenset({"rounded-up"}), **options)
        sides = [(0, more - less) for more, less in zip(longer.shape[2:], result.shape[2:], strict=True)]
        return F.pad(result, [number for pair in reversed(sides) for number in pair])
    return result


conv1d.alone(_more, *ALONE)


def _conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    return F.conv2d(input, weight, bias, stride, padding, dilation, groups)


conv2d = Exercise("conv2d", CHAPTER, _conv2d, forbids=CONVOLUTIONS | UNFOLD, links=LINKS)


def two_dimensional(draw: Draw, *, groups: bool) -> Iterable[Case]:
    """Yield the cases of a two-dimensional convolution, with or without those that set ``groups``."""
    width = draw.size(6)
    yield Case(CORE, arguments(draw, (2, 2, 4, width), (width - 2, 2, 2, 3)))  # as many outputs as columns
    yield Case(CORE, arguments(draw, (2, 3, draw.size(6), 5), (3, 3, 2, 2)))
    yield Case("other kernels", arguments(draw, (2, 3, 3, draw.size(4)), (2, 3, 1, 1)))
    yield Case("other kernels", arguments(draw, (1, 2, 4, draw.size(4)), (2, 2, 3, 2)))
    yield Case("without bias", arguments(draw, (2, 2, 4, draw.size(5)), (3, 2, 2, 3), bias=False))
    yield Case("stride", arguments(draw, (2, 2, 9, draw.size(8)), (2, 2, 3, 2)), {"stride": 2})
    yield Case("stride", arguments(draw, (1, 2, draw.size(7), 8), (2, 2, 2, 3)), {"stride": (3, 2)})
    yield Case("padding", arguments(draw, (2, 2, 4, draw.size(5)), (2, 2, 3, 3)), {"padding": 1})
    yield Case("padding", arguments(draw, (1, 2, 3, draw.size(4)), (2, 2, 2, 3)), {"padding": (2, 1)})
    yield Case("dilation", arguments(draw, (2, 2, draw.size(6), 7), (2, 2, 2, 3)), {"dilation": 2})
    yield Case("dilation", arguments(draw, (1, 2, 6, draw.size(7)), (2, 2, 3, 2)), {"dilation": (1, 3)})
    if groups:
        yield Case("groups", arguments(draw, (2, 4, 3, draw.size(4)), (4, 2, 2, 2)), {"groups": 2})
        yield Case("groups", arguments(draw, (1, 3, 3, draw.size(4)), (6, 1, 2, 3)), {"groups": 3})
    yield Case(TOGETHER, arguments(draw, (2, 2, draw.size(5), 6), (2, 2, 3, 3)), {"stride": 2, "padding": 1})
    # Neither two alike nor one the other turned around, or mixing them up would not show.
    several: dict[str, Any] = {"stride": (2, 3), "padding": (1, 2), "dilation": (3, 1)}
    yield Case(TOGETHER, arguments(draw, (1, 2, 7, draw.size(5)), (2, 2, 2, 3), bias=False), several)
    yield Case(TOGETHER, small(draw, (2, 2, 6, draw.size(5)), (2, 2, 2, 3)), several, gradient=True)
    if groups:
        several = {"stride": (3, 1), "padding": (0, 2), "dilation": (1, 2), "groups": 2}
        yield Case(TOGETHER, arguments(draw, (1, 4, draw.size(5), 6), (4, 2, 2, 3)), several)
        yield Case(TOGETHER, small(draw, (1, 4, 6, draw.size(5)), (2, 2, 2, 3)), several, gradient=True)
    yield Case(GRADIENT, small(draw, (2, 2, 3, draw.size(4)), (3, 2, 2, 2)), gradient=True)
    yield Case(CONDUCT, tuple(part.float() for part in small(draw, (2, 3, 4, 5), (2, 3, 3, 2))))


@conv2d.cases
def _(draw: Draw) -> Iterable[Case]:
    yield from two_dimensional(draw, groups=True)


conv2d.model(*COMMON, *TWO_DIMENSIONAL, *GROUPED)(convolve)
ALONE_2D = (
    "kernel-upside-down",
    "kernel-mirrored",
    "kernel-indices-swapped",
    "width-of-kernel-from-height",
    "height-from-width",
    "pairs-swapped",
    "dilation-swapped",
    "first-of-pair",
    "stride-on-height-only",
)


def _more_2d(input: Tensor, weight: Tensor, *args: Any, wrong: frozenset[str], **options: Any) -> Tensor:
    if "kernel-indices-swapped" in wrong:
        if weight.shape[2] != weight.shape[3]:
            raise IndexError("index is out of bounds for a dimension of the kernel")
        weight = weight.transpose(2, 3)
    return _more(input, weight, *args, wrong=wrong, **options)


conv2d.alone(_more_2d, *ALONE_2D, *ALONE)
