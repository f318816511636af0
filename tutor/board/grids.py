"""Batches of images or feature maps as one picture: how values become grey levels, and tiles a grid."""

import torch
from torch import Tensor

from tutor.board.errors import BoardError

Scale = str | tuple[float, float]

COLUMNS = 8  # as SummaryWriter.add_images has it
ROUNDING = 1e-6  # values this little outside 0..1 come from rounding, and are taken for 0 or 1
MAP_GAP, IMAGE_GAP, GAP_GREY = 2, 6, 128
SCALES = (
    "scale='batch' (this batch's lowest value is black, its highest white), 'tile' (the same for each map or "
    "picture on its own), a pair such as (-1, 1), or 'clip' (below 0 is black, above 1 white)"
)


def feature_maps(values: Tensor, *, scale: Scale = "unit") -> Tensor:
    """Return feature maps side by side: one row an image, one grey tile a map, nothing mixed.

    values: (N, C, H, W), any number of channels. scale: see ``levels``.
    Returns uint8 (1, height, width), as ``SummaryWriter.add_image`` takes it: the tiles are 2 grey pixels apart within
    an image, 6 between images.
    Raises BoardError for anything but such a tensor, and for values that the scale does not allow.
    """
    grey = levels(values, scale, "the tensor")
    n, c, h, w = grey.shape
    picture = grey.new_full((n * (h + IMAGE_GAP) - IMAGE_GAP, c * (w + MAP_GAP) - MAP_GAP), GAP_GREY)
    for row in range(n):
        for column in range(c):
            top, left = row * (h + IMAGE_GAP), column * (w + MAP_GAP)
            picture[top : top + h, left : left + w] = grey[row, column]
    return picture.unsqueeze(0)


def pictures(values: Tensor, *, scale: Scale = "unit", what: str = "the tensor") -> Tensor:
    """Return a batch as one picture, uint8 (channels, height, width).

    Images with 1 or 3 channels, (N, C, H, W), lie eight to a row without gaps and the rest of the last row is black,
    as SummaryWriter.add_images draws them; with any other number of channels, see ``feature_maps``.
    what: how messages call the tensor.
    """
    colours = levels(values, scale, what)
    n, c, h, w = colours.shape
    if c not in (1, 3):
        return feature_maps(colours)
    columns = min(n, COLUMNS)
    rows = -(-n // columns)
    if n < rows * columns:
        colours = torch.cat([colours, colours.new_zeros(rows * columns - n, c, h, w)])
    tiles = colours.view(rows, columns, c, h, w)
    return tiles.permute(2, 0, 3, 1, 4).reshape(c, rows * h, columns * w)


def levels(values: Tensor, scale: Scale, what: str) -> Tensor:
    """Return the values of a batch (N, C, H, W) as levels 0..255 (uint8, same shape, never the same memory).

    scale: which values become black and white. ``"unit"``: 0 and 1, and other values are refused; ``"clip"``: 0
    and 1, and other values are cut off there; ``"batch"``: the lowest and the highest of this batch; ``"tile"``:
    the lowest and the highest of each map, or of each picture with 1 or 3 channels; ``(low, high)``: these two, and
    other values are cut off there. A range of one value is black. uint8 values count as 0..255 already: 255 is 1.

    0..1 becomes 0..255 by cutting off the decimals, as ``SummaryWriter.add_images`` does it.
    """
    check_images(values, what)
    values = values.detach().cpu()
    if values.dtype == torch.uint8 and scale in ("unit", "clip"):
        return values.clone()
    numbers = values.float() / 255 if values.dtype == torch.uint8 else values.float()
    if not torch.isfinite(numbers).all():
        image = int((~torch.isfinite(numbers)).flatten(1).any(1).nonzero()[0])
        raise BoardError(
            f"{_begin(what)} holds NaN or infinite values, first in image {image}; there is no grey for them."
        )
    low, high = _range(numbers, scale, what)
    if scale not in ("unit", "clip"):
        numbers = (numbers - low) / torch.where(high > low, high - low, torch.ones_like(high))
    return (numbers * 255).clamp(0, 255).to(torch.uint8)


def check_images(values: object, what: str) -> None:
    """Raise BoardError unless the values are a non-empty tensor (N, C, H, W) of real numbers."""
    advice = "log_layer and feature_maps want images as one tensor (N, C, H, W)"
    if not isinstance(values, Tensor):
        raise BoardError(f"{_begin(what)} is of type {type(values).__name__}, not a tensor; {advice}.")
    shape = tuple(values.shape)
    if values.ndim == 3:
        raise BoardError(
            f"{_begin(what)} has shape {shape}, so it has no batch axis; add one with tensor.unsqueeze(0)."
        )
    if values.ndim != 4:
        raise BoardError(
            f"{_begin(what)} has shape {shape}, which is no batch of images; {advice} "
            "(numbers without a height and a width go into add_scalar or add_histogram of board.writer(folder))."
        )
    if values.numel() == 0:
        raise BoardError(f"{_begin(what)} has shape {shape}, so there is nothing in it to show.")
    if not (values.is_floating_point() or values.dtype in (torch.uint8, torch.bool)):
        kind = str(values.dtype).removeprefix("torch.")
        raise BoardError(f"{_begin(what)} is {kind}; give floats from 0 to 1 (tensor.float()) or uint8 from 0 to 255.")


def _range(numbers: Tensor, scale: Scale, what: str) -> tuple[Tensor, Tensor]:
    """Return the values that become black and white, in a shape that fits the numbers (N, C, H, W)."""
    lowest, highest = float(numbers.min()), float(numbers.max())
    if isinstance(scale, tuple):
        if len(scale) != 2 or not scale[0] < scale[1]:
            raise BoardError(f"scale={scale!r} is no pair of a lower and a higher number, such as (-1, 1).")
        return torch.tensor(float(scale[0])), torch.tensor(float(scale[1]))
    if scale == "unit" and (lowest < -ROUNDING or highest > 1 + ROUNDING):
        raise BoardError(
            f"{_begin(what)} has values from {lowest:.4g} to {highest:.4g}, and a picture shows 0 to 1; "
            f"say how to show the others: {SCALES}."
        )
    if scale == "tile":
        axes = (1, 2, 3) if numbers.shape[1] in (1, 3) else (2, 3)
        return numbers.amin(axes, keepdim=True), numbers.amax(axes, keepdim=True)
    if scale not in ("unit", "clip", "batch"):
        raise BoardError(
            f"scale={scale!r} is unknown; it is 'unit' (0 is black, 1 white, the rest is refused), or {SCALES}."
        )
    return torch.tensor(lowest), torch.tensor(highest)


def _begin(what: str) -> str:
    """Return the name of a tensor as a sentence begins with it."""
    return what[:1].upper() + what[1:]
