"""What the exercises of chapter 03 share: where each number lands, and which operators do the work already."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from tutor.checking.bank.sides import Pair
from tutor.checking.exercise import RIGHT, Draw

CHAPTER = "03_transpose_convolution"

# The transpose convolution itself, under every name by which torch computes it. "conv_transpose" is what the watcher
# records for the one operator that does both kinds. The gradient of a convolution for its input is one, too.
TRANSPOSED = frozenset(
    {"conv_transpose", "convolution_backward", "slow_conv_transpose2d", "slow_conv_transpose3d"}
    | {"mkldnn::_convolution_transpose_pointwise", "cudnn_convolution_transpose", "miopen_convolution_transpose"}
    | {"quantized::conv_transpose1d", "quantized::conv_transpose2d", "quantized::conv_transpose3d"}
)
CONVOLUTIONS = TRANSPOSED | {
    "convolution",
    "_convolution",
    "convolution_overrideable",
    "convolution_backward_overrideable",
    "_slow_conv2d_forward",
    "_slow_conv2d_backward",
    "slow_conv_dilated2d",
    "slow_conv_dilated3d",
    "slow_conv3d_forward",
    "_conv_depthwise2d",
    "conv_depthwise3d",
    "conv_tbc",
    "conv_tbc_backward",
    "mkldnn_convolution",
    "mkldnn::_convolution_pointwise",
    "_nnpack_spatial_convolution",
    "cudnn_convolution",
    "miopen_convolution",
    "miopen_depthwise_convolution",
    "quantized::conv1d",
    "quantized::conv2d",
    "quantized::conv3d",
}
# F.fold adds overlapping blocks up, at any stride, padding and dilation: that is the scattering itself.
SCATTERING = frozenset({"col2im"})


def numbers(draw: Draw, *shape: int) -> Tensor:
    """Return whole numbers from 1 to 9, some of them negative, that seldom repeat: they can be followed by hand."""
    return draw.digits(*shape, negative=0.2)


# The misconceptions that `placement` knows: all others leave each product in its place.
PLACING = frozenset(
    {
        "overlaps-overwritten",
        "overlaps-overwritten-by-tap",
        "stride-ignored",
        "stride-in-size-only",
        "stride-many-zeros",
        "zeros-after-last",
        "padding-ignored",
        "padding-enlarges",
        "padding-on-input",
        "cropped-at-start",
        "cropped-at-end",
        "output-padding-ignored",
        "output-padding-zeros",
        "output-padding-left",
        "output-padding-both",
        "dilation-ignored",
        "dilation-in-size-only",
        "dilation-not-in-size",
        "dilation-many-zeros",
    }
)


def placement(
    n: int,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    dilation: int = 1,
    *,
    wrong: frozenset[str] = RIGHT,
) -> Tensor:
    """Return where each product lands in one dimension: a (n, kernel_size, size) tensor of bools.

    Input position i times kernel tap t is added at i * stride + t * dilation - padding; ``wrong`` names misconceptions
    about that. Raises RuntimeError where nothing is left of the output.
    """
    step = 1 if wrong & {"stride-ignored", "stride-in-size-only"} else stride
    span = 1 if "stride-ignored" in wrong else stride
    if "stride-many-zeros" in wrong:
        step, span = stride + 1, stride + 1
    apart = 1 if wrong & {"dilation-ignored", "dilation-in-size-only"} else dilation
    reach = 1 if wrong & {"dilation-ignored", "dilation-not-in-size"} else dilation
    if "dilation-many-zeros" in wrong:
        apart, reach = dilation + 1, dilation + 1
    whole = (n - 1) * span + reach * (kernel_size - 1) + 1 + (span - 1 if "zeros-after-last" in wrong else 0)
    before, after = _cropped(padding, span, wrong)
    more_before, more_after = _extended(output_padding, wrong)
    before, after = before - more_before, after - more_after
    size = whole - before - after
    if size < 1:
        raise RuntimeError(f"the output would have size {size}")
    places = torch.arange(n).view(-1, 1, 1) * step + torch.arange(kernel_size).view(1, -1, 1) * apart - before
    lands = places == torch.arange(size)
    if "output-padding-zeros" in wrong and output_padding:
        lands[..., size - output_padding :] = False
    if "overlaps-overwritten" in wrong:
        lands = _last_input(lands)
    if "overlaps-overwritten-by-tap" in wrong:
        lands = _last_input(lands.flip(0)).flip(0)
    return lands


@lru_cache(1024)  # one check asks for the same few dozen again and again
def landing(down: tuple[int, ...], across: tuple[int, ...], wrong: frozenset[str] = RIGHT) -> Tensor:
    """Return where the products of a picture land: a (h, w, kh, kw, height, width) float64 tensor of zeros and ones.

    ``down`` and ``across`` hold the arguments of :func:`placement` for the two dimensions.
    """
    rows, columns = placement(*down, wrong=wrong), placement(*across, wrong=wrong)
    return (rows[:, None, :, None, :, None] & columns[None, :, None, :, None, :]).double()


def _last_input(lands: Tensor) -> Tensor:
    """Keep, for each place of the output, only what the last input position puts there."""
    touched = lands.any(1)
    last = touched & (touched.flip(0).cumsum(0).flip(0) == 1)
    return lands & last.unsqueeze(1)


def _cropped(padding: int, span: int, wrong: frozenset[str]) -> Pair:
    if "padding-ignored" in wrong:
        return 0, 0
    if "padding-enlarges" in wrong:
        return -padding, -padding
    if "padding-on-input" in wrong:
        return -padding * span, -padding * span
    if "cropped-at-start" in wrong:
        return padding, 0
    if "cropped-at-end" in wrong:
        return 0, padding
    return padding, padding


def _extended(output_padding: int, wrong: frozenset[str]) -> Pair:
    if "output-padding-ignored" in wrong:
        return 0, 0
    if "output-padding-left" in wrong:
        return output_padding, 0
    if "output-padding-both" in wrong:
        return output_padding, output_padding
    return 0, output_padding
