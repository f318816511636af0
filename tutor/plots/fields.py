"""The receptive field: what part of the input one number of the output sees, layer by layer."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from tutor.plots.cells import EDGE, FILLED, INK
from tutor.plots.figure import COLOURS, DASHES, WIDTH, Picture, PlotError, drawing

MOST, LAYERS = 64, 6  # pixels across, and layers, that can be told apart
LABEL, SQUARE, GAP, MARGIN = 2.3, 2.2, 0.45, 0.1  # inches
ROW, BOX = 0.75, 0.26  # inches from row to row, and the height of a row's cells


class Layer(NamedTuple):
    """A layer of windows."""

    kernel_size: int
    stride: int = 1
    dilation: int = 1

    @property
    def reach(self) -> int:
        """Return over how many of its input's pixels a window reaches."""
        return self.dilation * (self.kernel_size - 1) + 1


def receptive_field(layers: Sequence[int | Sequence[int]]) -> Picture:
    """Draw how the field of one number of the last layer grows down to the input: rows of pixels, and as squares.

    layers: from the first to the last, each (kernel_size, stride, dilation); a stride or dilation of 1 may be left out. The
    field after a layer is that before it plus (kernel - 1) · dilation · jump, where the jump is the product of all strides
    before: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019.
    Raises PlotError for no layers, more than 6, numbers below 1, and a field of more than 64 pixels.
    """
    chain = [_layer(place, given) for place, given in enumerate(layers, 1)]
    if not 1 <= len(chain) <= LAYERS:
        raise PlotError(f"There are {len(chain)} layers; the field is drawn for 1 to {LAYERS}.")
    fields, jumps = [1], [1]
    for layer in chain:
        fields.append(fields[-1] + (layer.reach - 1) * jumps[-1])
        jumps.append(jumps[-1] * layer.stride)
    if fields[-1] > MOST:
        raise PlotError(
            f"The field is {fields[-1]} pixels wide, too many to tell apart; draw fewer layers, up to {MOST}."
        )
    unit = min(0.3, (WIDTH - 2 * MARGIN - LABEL - SQUARE - GAP) / fields[-1])
    side = SQUARE / fields[-1]
    wide = LABEL + unit * fields[-1] + GAP + SQUARE
    tall = max(ROW * len(chain) + BOX, SQUARE) + 0.55
    with drawing(tall + 2 * MARGIN, wide + 2 * MARGIN, fixed=True) as picture:
        panel = picture.add_axes((0, 0, 1, 1))
        panel.set(xlim=(-MARGIN, wide + MARGIN), ylim=(tall + MARGIN, -MARGIN))
        panel.axis("off")
        panel.text(LABEL + unit * fields[-1] / 2, 0.1, "along one line", ha="center", va="center")
        panel.text(wide - SQUARE / 2, 0.1, "on the input", ha="center", va="center")
        bottom = 0.35 + ROW * len(chain)
        _rows(panel, chain, jumps, unit, bottom)
        names = ["input", *(_called(place, layer) for place, layer in enumerate(chain, 1))]
        for place, name in enumerate(names):
            row = bottom - place * ROW + BOX / 2
            panel.text(0, row - (0.1 if place else 0), name, ha="left", va="center")
            if place:
                seen = f"sees {fields[place]} by {fields[place]}"
                panel.plot([0, 0.42], [row + 0.13] * 2, linewidth=1.8, **_line(place))
                panel.text(0.52, row + 0.13, seen, ha="left", va="center", fontsize=9.5)
        _squares(panel, fields, side, (wide - SQUARE, 0.35))
        told = [
            f"{_called(place, layer)} sees {fields[place]} by {fields[place]}, {jumps[place]} apart"
            for place, layer in enumerate(chain, 1)
        ]
        what = f"The receptive field of one number after {_count(len(chain))}, in pixels of the input."
        picture.alt = f"{what} {'; '.join(told).capitalize()}."
        return picture


def _rows(panel: Axes, chain: Sequence[Layer], jumps: Sequence[int], unit: float, bottom: float) -> None:
    """Draw the pixels of each layer that the last one's number comes from, and below each the window that it sees."""
    needed, reach, middle = (
        {0},
        1,
        0.0,
    )  # of the last layer's row: which pixels, how many across, the first one's middle
    rows = [(needed, reach)]
    for layer in reversed(chain):
        needed = {at * layer.stride + tap * layer.dilation for at in needed for tap in range(layer.kernel_size)}
        reach = (reach - 1) * layer.stride + layer.reach
        rows.insert(0, (needed, reach))
    wide = rows[0][1]
    for place, (needed, reach) in enumerate(rows):
        middle = (wide - 1 - (reach - 1) * jumps[place]) / 2  # of the row's first pixel, in pixels of the input
        top = bottom - place * ROW
        for at in range(reach):
            left = LABEL + unit * (middle + at * jumps[place])
            panel.add_patch(
                Rectangle(
                    (left, top),
                    unit,
                    BOX,
                    facecolor=FILLED["result" if place == len(chain) else "looked"] if at in needed else "white",
                    edgecolor=EDGE,
                    linewidth=0.8,
                    linestyle="-" if at in needed else ":",
                    zorder=2,
                )
            )
        if place:
            below = (wide - 1 - (rows[place - 1][1] - 1) * jumps[place - 1]) / 2
            for at in sorted(needed):
                left = LABEL + unit * (middle + at * jumps[place])
                first = below + at * chain[place - 1].stride * jumps[place - 1]
                last = first + (chain[place - 1].reach - 1) * jumps[place - 1] + 1
                corners = [(left, top + BOX), (left + unit, top + BOX), (LABEL + unit * last, top + ROW)]
                corners.append((LABEL + unit * first, top + ROW))
                panel.add_patch(Polygon(corners, closed=True, fill=False, zorder=1, linewidth=1.0, **_line(place)))


def _squares(panel: Axes, fields: Sequence[int], side: float, at: tuple[float, float]) -> None:
    """Draw the input's pixels that the last layer's number sees, with the field of every layer as a square in the middle."""
    whole = fields[-1]
    for line in range(whole + 1):
        panel.plot([at[0], at[0] + SQUARE], [at[1] + line * side] * 2, color="#d4d4d4", linewidth=0.6, zorder=1)
        panel.plot([at[0] + line * side] * 2, [at[1], at[1] + SQUARE], color="#d4d4d4", linewidth=0.6, zorder=1)
    for place, field in enumerate(fields[1:], 1):
        corner = [start + side * (whole - field) / 2 for start in at]
        size = field * side
        panel.add_patch(
            Rectangle((corner[0], corner[1]), size, size, fill=False, zorder=3, linewidth=2.2, **_line(place))
        )
        if side * (field - fields[place - 1]) / 2 > 0.13 or place == 1:
            where = (corner[0] + field * side / 2, corner[1] + (0.09 if place > 1 else field * side / 2))
            panel.text(*where, str(field), ha="center", va="center", fontsize=9, color=INK, zorder=4)


def _line(place: int) -> dict[str, Any]:
    """Return how a layer's lines are drawn: told apart by dashes as well as by colour."""
    return {"color": COLOURS[place - 1], "linestyle": DASHES[place - 1]}


def _layer(place: int, given: object) -> Layer:
    """Return a layer, else raise PlotError."""
    sizes = (given,) if isinstance(given, int) else tuple(given) if isinstance(given, Sequence) else ()
    if not 1 <= len(sizes) <= 3 or not all(type(size) is int and size >= 1 for size in sizes):
        raise PlotError(
            f"Layer {place} is {given!r}; give (kernel_size, stride, dilation), whole numbers of at least 1, such as (3, 2, 1)."
        )
    return Layer(*sizes)


def _called(place: int, layer: Layer) -> str:
    """Return a layer's name with what is special about it."""
    parts = [f"kernel {layer.kernel_size}"]
    parts += [f"stride {layer.stride}"] if layer.stride > 1 else []
    parts += [f"dilation {layer.dilation}"] if layer.dilation > 1 else []
    return f"layer {place}: {', '.join(parts)}"


def _count(layers: int) -> str:
    return "1 layer" if layers == 1 else f"{layers} layers"
