"""Batches of images: side by side, and before and after a layer."""

from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from torch import Tensor

from tutor.plots.figure import WIDTH, Picture, PlotError, drawing

Limits = tuple[float, float]

MOST = 100
LETTER = 0.09  # inches, a letter of a title, roughly
ROUNDING = 1e-6  # values this little outside the limits come from rounding


def images(
    batch: Tensor, titles: Sequence[object] | None = None, *, columns: int | None = None, limits: Limits = (0.0, 1.0)
) -> Picture:
    """Draw a batch of images as a grid.

    batch: (N, 3, H, W) in colour or (N, 1, H, W) in grey, N up to 100. titles: N of them, above the images.
    columns: how many images to a row. limits: the values that become black and white (uint8: 0 and 255 always).
    Raises PlotError for anything but such a batch, a wrong number of titles, and values outside the limits.
    """
    shown = _checked(batch, limits, "the batch")
    number = len(shown)
    if titles is not None and len(titles) != number:
        raise PlotError(f"There are {number} images and {len(titles)} titles; give one title for each image.")
    if columns is not None and columns < 1:
        raise PlotError(f"columns={columns} leaves no room; give the number of images in a row.")
    columns = min(number, columns or (5 if number <= 10 else 8))
    rows = -(-number // columns)
    side = min(1.6, WIDTH / columns)  # a few images needn't fill the page
    wide = min(LETTER * max(len(str(title)) for title in titles or [""]), WIDTH / columns)
    tall = side * shown.shape[1] / shown.shape[2] + 0.2 * (titles is not None)
    with drawing(rows * tall, columns * max(side, wide), close=True) as picture:
        panels = picture.subplots(rows, columns, squeeze=False)
        for panel in panels.flat:
            panel.axis("off")
        for place, image in enumerate(shown):
            _draw(panels.flat[place], image)
            if titles is not None:
                panels.flat[place].set_title(str(titles[place]), fontsize=10.5 if columns <= 6 else 9, pad=4)
        named = "" if titles is None else f": {', '.join(map(str, titles))}"
        picture.alt = f"{_count(number)} of {shown.shape[1]} by {shown.shape[2]} pixels{named}."
        return picture


def before_after(
    before: Tensor,
    after: Tensor,
    titles: tuple[str, str] = ("before", "after"),
    *,
    limits: Limits = (0.0, 1.0),
    after_limits: Limits | None = None,
) -> Picture:
    """Draw images in one row and what a layer made of each in the row below it.

    before, after: (N, 3, H, W) or (N, 1, H, W) with the same N, up to 8; the images may differ in size. titles: of the
    two rows. limits: the values that become black and white; after_limits: those of the second row, if others.
    Raises PlotError for anything but such batches, and for values outside the limits.
    """
    rows = (_checked(before, limits, "before"), _checked(after, after_limits or limits, "after"))
    number = len(rows[0])
    if number != len(rows[1]):
        raise PlotError(f"There are {number} images before and {len(rows[1])} after; each needs its partner.")
    if number > 8:
        raise PlotError(f"{number} images are too many for one row; give up to 8, such as images[:8].")
    named = LETTER * max(map(len, titles)) + 0.2
    side = min(1.6, (WIDTH - named) / number)
    with drawing(2 * side, number * side + named, close=True) as picture:
        panels = picture.subplots(2, number, squeeze=False)
        for panel, image in zip(panels.flat, (*rows[0], *rows[1]), strict=True):
            panel.set_xticks([])
            panel.set_yticks([])
            panel.spines[:].set_visible(False)
            _draw(panel, image)
        for panel, title in zip(panels[:, 0], titles, strict=True):
            panel.set_ylabel(title, rotation=0, ha="right", va="center", labelpad=8)
        spans = [f"{float(t.min()):.2f} to {float(t.max()):.2f}" for t in (before, after)]
        picture.alt = (
            f"{_count(number)} in two rows: {titles[0]} (values {spans[0]}) and below, {titles[1]} (values {spans[1]})."
        )
        return picture


def _checked(batch: Any, limits: Limits, what: str) -> Tensor:
    """Return a batch as levels 0..1, float (N, H, W, channels), else raise PlotError."""
    if not isinstance(batch, Tensor):
        try:
            batch = torch.as_tensor(batch)
        except (TypeError, ValueError, RuntimeError) as error:
            raise PlotError(f"{_begin(what)} is of type {type(batch).__name__}; give a tensor (N, 3, H, W).") from error
    shape = tuple(batch.shape)
    if batch.ndim == 3:
        raise PlotError(
            f"{_begin(what)} has shape {shape}, so it is one image; make it a batch with tensor.unsqueeze(0)."
        )
    if batch.ndim != 4 or shape[1] not in (1, 3):
        raise PlotError(
            f"{_begin(what)} has shape {shape}; images have the shape (N, 3, H, W), or (N, 1, H, W) for grey."
        )
    if batch.numel() == 0:
        raise PlotError(f"{_begin(what)} has shape {shape}, so there is nothing in it to draw.")
    if len(batch) > MOST:
        raise PlotError(f"{_begin(what)} has {len(batch)} images; draw up to {MOST}, such as batch[:{MOST}].")
    low, high = (0.0, 255.0) if batch.dtype == torch.uint8 else limits
    if not low < high:
        raise PlotError(f"limits={limits!r} is no pair of a lower and a higher value.")
    values: Tensor = batch.detach().cpu().float()
    least, greatest = float(values.min()), float(values.max())
    if not low - ROUNDING <= least <= greatest <= high + ROUNDING:
        raise PlotError(
            f"{_begin(what)} has values from {least:.4g} to {greatest:.4g}, outside limits=({low:g}, {high:g}); "
            "give limits that hold them, or clamp them first."
        )
    return ((values - low) / (high - low)).clamp(0, 1).permute(0, 2, 3, 1)


def _draw(panel: Axes, image: Tensor) -> None:
    """Show an image, float (H, W, 1 or 3), every pixel as a square."""
    panel.imshow(image.numpy() if image.shape[2] == 3 else image[..., 0].numpy(), cmap="gray", vmin=0, vmax=1)


def _count(number: int) -> str:
    """Return a number of pictures in words."""
    return "One picture" if number == 1 else f"{number} pictures"


def _begin(what: str) -> str:
    """Return a name as a sentence begins with it."""
    return what[:1].upper() + what[1:]
