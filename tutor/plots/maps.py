"""Kernels as pictures, the feature maps of one image side by side, and whose pixels are where after a reshape."""

from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from tutor.plots.figure import WIDTH, Picture, PlotError, drawing

MOST = 16
COLUMNS = 8
CHANNELS = ("red", "green", "blue")
HATCHES = ("", "///", "xx", "...", "\\\\\\", "++", "--", "oo")
TINTS = ("#ffffff", "#d3e6f4", "#fbe3cf", "#d5efe6", "#f3deea", "#faecc8", "#e4f2fb", "#e6e6e6")


def kernels(weight: Tensor, titles: Sequence[object] | None = None) -> Picture:
    """Draw the kernels of a layer that looks at images: each in colour, and below it each of its channels in grey.

    weight: (kernels, 3, height, width), or (kernels, 1, height, width) for grey images; up to 16 kernels. Every kernel
    is scaled by its own largest number, so that mid grey is 0 and lighter is positive. titles: one for each kernel.
    Raises PlotError for anything else, for NaN and for infinite numbers.
    """
    _check(weight, 4, "The weight", "(kernels, 3, height, width), such as layer.weight")
    number, channels, high, wide = weight.shape
    if channels not in (1, 3):
        raise PlotError(
            f"These kernels have {channels} channels, and a picture has 3 or 1; only a first layer's can be seen so."
        )
    names = _titles(titles, number, "kernel")
    values = weight.detach().cpu().float()
    levels = 0.5 + values / (2 * values.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-30))
    columns = min(number, COLUMNS)
    rows = ["colour", *CHANNELS] if channels == 3 else ["grey"]
    bands = -(-number // columns)
    side = min(0.85, (WIDTH - 0.8) / columns)
    with drawing(bands * (len(rows) * side * high / wide + 0.3), columns * side + 0.8, close=True) as picture:
        panels = picture.subplots(bands * len(rows), columns, squeeze=False)
        for panel in panels.flat:
            _bare(panel)
        for place in range(number):
            band, column = divmod(place, columns)
            for row, channel in enumerate(rows):
                panel = panels[band * len(rows) + row, column]
                if channel == "colour":
                    panel.imshow(levels[place].permute(1, 2, 0).numpy())
                else:
                    panel.imshow(levels[place, max(row - 1, 0)].numpy(), cmap="gray", vmin=0, vmax=1)
                if column == 0:
                    panel.set_ylabel(channel, rotation=0, ha="right", va="center", labelpad=6)
            panels[band * len(rows), column].set_title(names[place], fontsize=10, pad=4)
        below = " in colour, and below each its red, green and blue channel" if channels == 3 else ""
        picture.alt = (
            f"{_count(number, 'kernel')} of {high} by {wide}{below} in grey: {', '.join(names)}. "
            "Mid grey is 0, lighter is positive, darker is negative."
        )
        return picture


def feature_maps(
    image: Tensor,
    maps: Tensor,
    titles: Sequence[object] | None = None,
    *,
    limits: tuple[float, float] | None = None,
) -> Picture:
    """Draw an image and beside it the maps that a layer makes of it, all maps to one scale.

    image: (3, height, width) or (1, height, width), values 0 to 1. maps: (maps, height, width), up to 16, of any height
    and width. titles: one for each map. limits: what becomes black and white; without them the lowest and the highest
    value of all maps or, where maps have both signs, the largest magnitude, so that 0 is mid grey.
    Raises PlotError for anything else, for NaN and for infinite numbers, and for an image with other values.
    """
    _check(image, 3, "The image", "(3, height, width), such as images[0]")
    _check(maps, 3, "The maps", "(maps, height, width), such as layer(images)[0]")
    if len(image) not in (1, 3):
        raise PlotError(f"The image has {len(image)} channels; it has 3, or 1 for grey.")
    seen, values = image.detach().cpu().float(), maps.detach().cpu().float()
    if float(seen.min()) < -1e-6 or float(seen.max()) > 1 + 1e-6:
        raise PlotError(f"The image has values from {seen.min():.4g} to {seen.max():.4g}; bring them to 0 to 1 first.")
    names = _titles(titles, len(maps), "map")
    low, high = limits or _limits(values)
    if not low < high:
        raise PlotError(f"limits={limits!r} is no pair of a lower and a higher value.")
    rows = -(-len(maps) // COLUMNS)
    columns = 1 + -(-len(maps) // rows)
    side = min(1.5, WIDTH / columns)
    with drawing(rows * (side * maps.shape[1] / maps.shape[2] + 0.25) + 0.6, columns * side, close=True) as picture:
        panels = picture.subplots(rows, columns, squeeze=False)
        for panel in panels.flat:
            _bare(panel)
        panels[0, 0].imshow(seen.clamp(0, 1).permute(1, 2, 0).numpy(), cmap="gray", vmin=0, vmax=1)
        panels[0, 0].set_title("input", fontsize=10, pad=4)
        drawn: Any = None
        for place, (name, values_of_map) in enumerate(zip(names, values, strict=True)):
            row, column = divmod(place, columns - 1)
            panel = panels[row, column + 1]
            drawn = panel.imshow(values_of_map.numpy(), cmap="gray", vmin=low, vmax=high)
            panel.set_title(name, fontsize=10, pad=4)
        bar = picture.colorbar(drawn, ax=panels, orientation="horizontal", fraction=0.05, aspect=45, pad=0.02)
        bar.set_ticks([low, (low + high) / 2, high], labels=[f"{_short(v)}" for v in (low, (low + high) / 2, high)])
        told = [
            f"{name} from {_short(float(t.min()))} to {_short(float(t.max()))}"
            for name, t in zip(names, values, strict=True)
        ]
        picture.alt = (
            f"An image of {image.shape[1]} by {image.shape[2]} pixels and {_count(len(maps), 'map')} of "
            f"{maps.shape[1]} by {maps.shape[2]}, black {_short(low)}, white {_short(high)}: {'; '.join(told)}."
        )
        return picture


def owners(images: Tensor, maps: Tensor) -> Picture:
    """Draw whose pixels are where: for each channel of each picture, which image and which map they come from.

    images, maps: whole numbers (pictures, channels, height, width), up to 16 pictures of 1 or 3 channels: for each
    pixel the number of the image and of the map that it was in before, sent through the same reshape as the maps.
    Raises PlotError for anything else.
    """
    for name, labels in (("images", images), ("maps", maps)):
        _check(labels, 4, f"The tensor {name}", "(pictures, channels, height, width)")
        if labels.is_floating_point() or len(labels) > MOST or labels.shape[1] not in (1, 3):
            raise PlotError(
                f"{name} is {str(labels.dtype).removeprefix('torch.')} of shape {tuple(labels.shape)}; "
                f"give whole numbers for up to {MOST} pictures of 1 or 3 channels."
            )
    if images.shape != maps.shape:
        raise PlotError(f"images has shape {tuple(images.shape)} and maps {tuple(maps.shape)}; they have to be alike.")
    number, channels = images.shape[:2]
    names = CHANNELS if channels == 3 else ("grey",)
    told = []
    with drawing(0.38 * number + 0.4, 1.2 + 1.75 * channels) as picture:
        panel = picture.subplots()
        panel.set(xlim=(-0.68, channels + 0.01), ylim=(number + 0.05, -0.6))
        panel.axis("off")
        for column, name in enumerate(names):
            panel.text(column + 0.5, -0.1, name, ha="center", va="bottom")
        for place in range(number):
            panel.text(-0.06, place + 0.52, f"picture {place}", ha="right", va="center")
            found = []
            for column, name in enumerate(names):
                mine = _different(images[place, column])
                text = f"{_which('image', mine)}, {_which('map', _different(maps[place, column]))}"
                style: dict[str, Any] = {
                    "facecolor": TINTS[mine[0] % len(TINTS)],
                    "hatch": HATCHES[mine[0] % len(HATCHES)],
                }
                panel.add_patch(Rectangle((column, place), 1, 1, edgecolor="#b5b5b5", linewidth=0, **style))
                panel.add_patch(Rectangle((column, place), 1, 1, fill=False, edgecolor="#666666", linewidth=0.8))
                label = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
                panel.text(column + 0.5, place + 0.52, text, ha="center", va="center", bbox=label)
                found.append(f"{name} is {text}")
            told.append(f"Picture {place}: {'; '.join(found)}.")
        picture.alt = f"Whose pixels are where. {' '.join(told)}"
        return picture


def _check(given: object, axes: int, what: str, wanted: str) -> None:
    """Raise PlotError unless this is a tensor of finite numbers with so many axes, none of them empty."""
    if not isinstance(given, Tensor) or given.ndim != axes or given.numel() == 0:
        got = f"shape {tuple(given.shape)}" if isinstance(given, Tensor) else type(given).__name__
        raise PlotError(f"{what} has to be a tensor of shape {wanted}; got {got}.")
    if not torch.isfinite(given).all():
        raise PlotError(f"{what} holds NaN or infinite numbers; there is no grey for them.")


def _titles(titles: Sequence[object] | None, number: int, what: str) -> list[str]:
    """Return a title for each of so many things, else raise PlotError."""
    if number > MOST:
        raise PlotError(f"There are {number} {what}s; draw up to {MOST}, such as the first {MOST} with [:{MOST}].")
    if titles is None:
        return [f"{what} {place}" for place in range(number)]
    if len(titles) != number:
        raise PlotError(f"There are {number} {what}s and {len(titles)} titles; give one title for each {what}.")
    return [str(title) for title in titles]


def _limits(values: Tensor) -> tuple[float, float]:
    """Return the values for black and white: around 0 where there are both signs."""
    low, high = float(values.min()), float(values.max())
    if low < 0 < high:
        return -max(-low, high), max(-low, high)
    return (low, high) if low < high else (low - 0.5, low + 0.5)


def _bare(panel: Axes) -> None:
    """Leave of a panel nothing but its picture and its labels."""
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set_visible(False)


def _different(labels: Tensor) -> list[int]:
    """Return the different numbers in a tensor, in order."""
    return sorted(set(labels.flatten().tolist()))


def _which(what: str, numbers: list[int]) -> str:
    """Return 'map 3', 'maps 0 and 1', 'maps 0 to 5' or 'maps 0, 2, 3'."""
    if len(numbers) == 1:
        return f"{what} {numbers[0]}"
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:  # unique and in order
        return f"{what}s {numbers[0]} to {numbers[-1]}"
    return f"{what}s {' and '.join(map(str, numbers)) if len(numbers) == 2 else ', '.join(map(str, numbers))}"


def _count(number: int, what: str) -> str:
    """Return a number of things in words."""
    return f"One {what}" if number == 1 else f"{number} {what}s"


def _short(number: float) -> str:
    """Return a number to two decimals, without trailing zeros and without a minus before 0."""
    return f"{round(number, 2) + 0.0:g}"
