"""A net as a row of blocks: how wide, high and deep what goes through it is after each layer; and the softmax at its end."""

import math
from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from tutor.plots.figure import COLOURS, WIDTH, Picture, PlotError, drawing
from tutor.plots.words import number

MOST = 10
TALL = 1.5  # inches, the highest block
GAP = 0.62  # inches between two blocks: room for a layer's name
FILLING = "#d3e6f4"


def net(stages: Sequence[tuple[str, tuple[int, ...]]]) -> Picture:
    """Draw what goes through a net: a block for each stage, as high as its maps, as many sheets deep as there are maps.

    stages: for each the layer that leads to it ("" for the input) and its shape without the batch: (maps, height, width), or
    (numbers,) for a vector. Up to ten. The number of sheets goes by the logarithm of the number of maps.
    Raises PlotError for anything else.
    """
    for stage in stages:
        if len(stage) != 2 or not isinstance(stage[0], str) or len(tuple(stage[1])) not in (1, 3):
            raise PlotError(
                f'{stage!r} is no stage; give a name and a shape, such as ("conv", (16, 32, 32)) or ("linear", (10,)).'
            )
        if not all(isinstance(size, int) and size > 0 for size in stage[1]):
            raise PlotError(
                f"The shape {tuple(stage[1])} of {stage[0]!r} holds something else than positive whole numbers."
            )
    if not 1 <= len(stages) <= MOST:
        raise PlotError(f"There are {len(stages)} stages; draw 1 to {MOST}.")
    largest = max([size for _, shape in stages for size in shape[1:]], default=1)
    sheets = [1 + round(math.log2(shape[0])) if len(shape) == 3 else 1 for _, shape in stages]
    sizes = [
        (TALL * shape[1] / largest, TALL * shape[2] / largest * 0.5) if len(shape) == 3 else (_length(shape[0]), 0.13)
        for _, shape in stages
    ]
    widths = [max(size[1] + 0.05 * deep, 0.5) for size, deep in zip(sizes, sheets, strict=True)]
    total = sum(widths) + GAP * (len(stages) - 1)
    scale = min(1.0, WIDTH / total)
    with drawing((TALL + 1.15) * scale + 0.1, total * scale) as picture:
        panel = picture.subplots()
        panel.set(xlim=(-0.02, total + 0.02), ylim=(-0.65, TALL + 0.5), aspect="equal")
        panel.axis("off")
        left = 0.0
        for place, ((name, shape), size, deep, width) in enumerate(zip(stages, sizes, sheets, widths, strict=True)):
            _block(panel, left + (width - size[1] - 0.05 * (deep - 1)) / 2, size, deep)
            text = " x ".join(map(str, shape)).replace(" x ", "\N{MULTIPLICATION SIGN}")
            panel.text(left + width / 2, -0.42, text, ha="center", va="center", fontsize=8.5 * scale + 1)
            if place:
                middle = left - GAP / 2
                panel.annotate(
                    "",
                    (middle + 0.2, TALL / 2),
                    (middle - 0.2, TALL / 2),
                    arrowprops={"arrowstyle": "->", "color": "#555555"},
                )
                panel.text(
                    middle, TALL / 2 + 0.12, name, ha="center", va="bottom", fontsize=8.5 * scale + 0.5, rotation=90
                )
            left += width + GAP
        told = [f"{name} to {_shape(shape)}" if place else _shape(shape) for place, (name, shape) in enumerate(stages)]
        picture.alt = f"A net as a row of blocks: {'; '.join(told)}."
        return picture


def softmax(logits: Tensor, classes: Sequence[object] | None = None) -> Picture:
    """Draw what a softmax does: for each class its logit, e to the power of it, and the share of that in the sum of all.

    logits: (classes,), up to 20 of them. classes: their names; without them, their numbers.
    Raises PlotError for anything else, and for NaN or infinite numbers.
    """
    values = torch.as_tensor(logits, dtype=torch.float64).detach().cpu().flatten()
    names = [str(name) for name in (classes if classes is not None else range(len(values)))]
    if len(values) > 20 or not bool(torch.isfinite(values).all()) or len(names) != len(values):
        raise PlotError(
            f"There are {len(values)} logits and {len(names)} names; give up to 20 finite numbers, and one name for each."
        )
    powers, shares = values.exp(), values.softmax(0)
    if not bool(torch.isfinite(powers.sum())):
        raise PlotError(
            f"e to the power of {float(values.max()):g} is too large for a number; take the largest logit from all of them "
            "first, which changes no share."
        )
    columns = (
        ("logit", values, [number(float(v)) for v in values]),
        ("e to its power", powers, [f"{float(v):.3g}" for v in powers]),
        (f"share of the sum, {float(powers.sum()):.3g}", shares, [f"{float(v):.1%}" for v in shares]),
    )
    with drawing(0.27 * len(names) + 0.9) as picture:
        panels = picture.subplots(1, 3, sharey=True)
        for place, (panel, (title, numbers, written)) in enumerate(zip(panels, columns, strict=True)):
            bars = panel.barh(names, numbers.tolist(), height=0.7, color=COLOURS[place])
            panel.bar_label(bars, written, padding=3, fontsize=9.5)
            panel.axvline(0, color="#999999", linewidth=0.8)
            panel.set_title(title)
            panel.margins(x=0.3)
            panel.set_xticks([])
            panel.spines["bottom"].set_visible(False)
        panels[0].invert_yaxis()
        told = [f"{name}: {a}, {b}, {c}" for name, a, b, c in zip(names, *(text for *_, text in columns), strict=True)]
        picture.alt = (
            f"A softmax of {len(names)} classes; for each its logit, e to its power, its share. {'; '.join(told)}."
        )
        return picture


def _block(panel: Axes, left: float, size: tuple[float, float], sheets: int) -> None:
    """Draw some sheets, one behind the other, centred at half the height."""
    tall, wide = size
    for sheet in reversed(range(sheets)):
        corner = left + 0.05 * sheet, (TALL - tall) / 2 + 0.035 * sheet - 0.0175 * (sheets - 1)
        panel.add_patch(Rectangle(corner, wide, tall, facecolor=FILLING, edgecolor=COLOURS[0], linewidth=0.9))


def _length(numbers: int) -> float:
    """Return the height of a vector's block: by the logarithm of its length."""
    return min(TALL, 0.18 + TALL * math.log2(numbers + 1) / 12)


def _shape(shape: Sequence[int]) -> str:
    """Return a shape in words."""
    return f"{shape[0]} maps of {shape[1]} by {shape[2]}" if len(shape) == 3 else f"{shape[0]} numbers"
