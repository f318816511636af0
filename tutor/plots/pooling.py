"""Pooling drawn as a grid with its windows beside what comes out of them, and the change that a shift makes."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from tutor.plots import scenes
from tutor.plots.figure import COLOURS, DASHES, MARKERS, WIDTH, Picture, PlotError, drawing
from tutor.plots.scenes.arguments import Pair
from tutor.plots.scenes.pooling import NAMES, pooled
from tutor.plots.words import number, pair

CELL, SMALLEST = 0.5, 0.3  # inches, the side of a cell; below the second, numbers can't be read
GAP = 1.6  # cells between the two grids
MOST = 16  # windows
LINE, FAINT, INK = "#888888", "#6b6b6b", "#222222"
PADDED, CHOSEN = "#ececec", "#fbe3cf"
NOTHING = "\N{MINUS SIGN}∞"  # what max pooling pads with


class Pooled(NamedTuple):
    """All that is drawn of a pooling: float64 tensors (height, width), and where its windows are."""

    input: Tensor
    output: Tensor
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    mode: str

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Return where the window begins that gives a number of the output; the input's first place is (0, 0)."""
        return row * self.stride[0] - self.padding[0], column * self.stride[1] - self.padding[1]

    def seen(self, row: int, column: int) -> list[tuple[int, int]]:
        """Return the places of the input that a window looks at, row by row."""
        top, left = self.corner(row, column)
        places = itertools.product(range(top, top + self.kernel[0]), range(left, left + self.kernel[1]))
        return [(r, c) for r, c in places if 0 <= r < self.input.shape[0] and 0 <= c < self.input.shape[1]]

    def outputs(self) -> Iterator[tuple[int, int]]:
        """Yield the places of the output, row by row."""
        return itertools.product(range(self.output.shape[0]), range(self.output.shape[1]))

    def sides(self) -> list[tuple[int, int]]:
        """Return from where to where the grid is drawn, with padding and with what hangs over: rows, then columns."""
        found = []
        for side in (0, 1):
            last = (self.output.shape[side] - 1) * self.stride[side] - self.padding[side] + self.kernel[side]
            found.append((-self.padding[side], max(self.input.shape[side] + self.padding[side], last)))
        return found


def pooling(
    input: Tensor,
    kernel_size: Pair,
    *,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    mode: str = "max",
    step: int | None = None,
) -> Picture:
    """Draw a pooling: the input with a frame round each window, and the output with the same frames.

    input: (height, width); (1, n) shows one dimension. The others as in ``nn.MaxPool2d``; mode: "max" or "average".
    What lies in the padding is grey; in ceil mode, what hangs over beyond it is empty. With "max", the numbers that
    were chosen are marked. step: draw only this window, counted from 0; then the input may have channels, a window gaps.
    Raises PlotError for anything else, and for more than 16 windows.
    """
    if step is not None:
        scene = scenes.pooling(
            input,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
            mode=mode,
        )
        return scene.draw(step)
    if dilation not in (1, (1, 1)):
        raise PlotError(f"With dilation={dilation} the windows interlace, so they are drawn one by one; give step=0.")
    shown = _all_windows(input, kernel_size, stride, padding, ceil_mode, count_include_pad, mode)
    (top, bottom), (left, right) = shown.sides()
    wide = right - left + GAP + shown.output.shape[1]
    tall = max(bottom - top, shown.output.shape[0])
    cell = min(CELL, WIDTH / wide)
    if cell < SMALLEST:
        raise PlotError(f"That is {wide:.0f} cells wide, too many to read; draw a smaller input.")
    with drawing(cell * (tall + 1.0), cell * (wide + 0.3)) as picture:
        panel = picture.subplots()
        panel.set(xlim=(-0.15, wide + 0.15), ylim=(tall + 0.15, -0.85), aspect="equal")
        panel.axis("off")
        size = _letters(shown, cell)
        origin = -left, (tall - (bottom - top)) / 2 - top  # of the input's first cell, (x, y)
        result = wide - shown.output.shape[1], (tall - shown.output.shape[0]) / 2
        _draw_input(panel, shown, origin, size)
        for row, column in shown.outputs():
            _cell(panel, (result[0] + column, result[1] + row), number(float(shown.output[row, column])), size)
        _draw_frames(panel, shown, origin, result)
        for x, text in (((right - left) / 2, "input"), (result[0] + shown.output.shape[1] / 2, "output")):
            panel.text(x, -0.4, text, ha="center", va="center")
        panel.text(right - left + GAP / 2, tall / 2, "→", ha="center", va="center", fontsize=15)
        picture.alt = " ".join([_told(shown), *(_told_window(shown, *place) for place in shown.outputs())])
        return picture


def change_by_shift(changes: Mapping[str, Sequence[float]], shifts: Sequence[int]) -> Picture:
    """Draw how much layers' outputs change when their images move, one line a layer.

    changes: by the name in the legend, the relative change for each of ``shifts`` (pixels), 0.1 for 10 %.
    Raises PlotError when there are none, for changes of another number than shifts, and for what is no number.
    """
    if not isinstance(changes, Mapping) or not changes or not shifts:
        raise PlotError('There is nothing to draw; give names and changes, such as {"max": [0.1, 0.2]}, and shifts.')
    lines = {}
    for name, values in changes.items():
        line = torch.as_tensor(values, dtype=torch.float64).flatten()
        if len(line) != len(shifts):
            raise PlotError(f"{name!r} has {len(line)} changes for {len(shifts)} shifts; give one for each.")
        if not bool(torch.isfinite(line).all()):
            raise PlotError(f"{name!r} holds NaN or infinite numbers, which can't be drawn.")
        lines[name] = line
    with drawing(3.8) as picture:
        panel = picture.subplots()
        for place, (name, line) in enumerate(lines.items()):
            style = {"color": COLOURS[place % len(COLOURS)], "linestyle": DASHES[place % len(DASHES)]}
            panel.plot(shifts, 100 * line, marker=MARKERS[place % len(MARKERS)], markersize=5.5, label=name, **style)
        panel.set_xlabel("shift, pixels")
        panel.set_ylabel("change of the output, %")
        panel.set_xticks(list(shifts))
        highest = max(float(line.max()) for line in lines.values())
        panel.set_ylim(bottom=-3 * highest or None)  # room for the marks of a line along 0
        panel.grid(True)
        picture.legend(loc="outside upper center", ncols=min(4, len(lines)))
        told = [
            f"{name}: "
            + ", ".join(f"{100 * float(value):.1f} % at {at}" for at, value in zip(shifts, line, strict=True))
            for name, line in lines.items()
        ]
        picture.alt = f"Change of the output by shift in pixels. {'; '.join(told)}."
        return picture


def _all_windows(
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None,
    padding: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
    mode: str,
) -> Pooled:
    """Return what is to be drawn, else raise PlotError."""
    if not isinstance(input, Tensor) or input.ndim != 2 or input.numel() == 0:
        got = f"shape {tuple(input.shape)}" if isinstance(input, Tensor) else type(input).__name__
        raise PlotError(f"The input has to be a tensor of shape (height, width), such as image[0, 0]; got {got}.")
    windows = pooled(input, kernel_size, stride, padding, 1, ceil_mode, count_include_pad, mode)
    grid, output = windows.input[0], windows.output[0]
    if output.numel() > MOST:
        raise PlotError(f"{output.numel()} windows are too many to tell apart; draw a smaller input, for up to {MOST}.")
    return Pooled(grid, output, windows.kernel, windows.stride, windows.padding, mode)


def _draw_input(panel: Axes, pooled: Pooled, origin: tuple[float, float], size: float) -> None:
    """Draw the input with its padding; what a window of ceil mode sees beyond that stays empty."""
    chosen = {_largest(pooled, *place) for place in pooled.outputs()} if pooled.mode == "max" else set()
    (top, bottom), (left, right) = pooled.sides()
    for row, column in itertools.product(range(top, bottom), range(left, right)):
        at = origin[0] + column, origin[1] + row
        high, wide = (n + p for n, p in zip(pooled.input.shape, pooled.padding, strict=True))
        if 0 <= row < pooled.input.shape[0] and 0 <= column < pooled.input.shape[1]:
            best = (row, column) in chosen
            _cell(panel, at, number(float(pooled.input[row, column])), size, CHOSEN if best else "white", bold=best)
        elif row < high and column < wide:
            _cell(panel, at, NOTHING if pooled.mode == "max" else "0", size, PADDED, faint=True)
        else:
            panel.add_patch(Rectangle(at, 1, 1, fill=False, edgecolor="#c4c4c4", linewidth=0.8, linestyle=":"))


def _draw_frames(panel: Axes, pooled: Pooled, origin: tuple[float, float], result: tuple[float, float]) -> None:
    """Frame each window and its number alike, by colour and by dashes; frames that overlap lie inside one another."""
    overlapping = any(stride < size for stride, size in zip(pooled.stride, pooled.kernel, strict=True))
    for place, (row, column) in enumerate(pooled.outputs()):
        top, left = pooled.corner(row, column)
        inset = 0.07 + (0.09 * ((row + column) % 2) if overlapping else 0)
        style: dict[str, Any] = {
            "fill": False,
            "edgecolor": COLOURS[place % len(COLOURS)],
            "linestyle": DASHES[place % 4],
            "linewidth": 2.4,
        }
        down, across = pooled.kernel
        at = origin[0] + left + inset, origin[1] + top + inset
        panel.add_patch(Rectangle(at, across - 2 * inset, down - 2 * inset, **style))
        panel.add_patch(Rectangle((result[0] + column + 0.07, result[1] + row + 0.07), 0.86, 0.86, **style))


def _cell(
    panel: Axes,
    at: tuple[float, float],
    text: str,
    size: float,
    filling: str = "white",
    *,
    bold: bool = False,
    faint: bool = False,
) -> None:
    """Draw one cell with its upper left corner at (x, y)."""
    panel.add_patch(Rectangle(at, 1, 1, facecolor=filling, edgecolor=LINE, linewidth=0.8))
    style: dict[str, Any] = {"fontsize": size, "color": FAINT if faint else INK}
    style.update(fontweight="bold" if bold else "normal", fontstyle="italic" if faint else "normal")
    panel.text(at[0] + 0.5, at[1] + 0.52, text, ha="center", va="center", **style)


def _largest(pooled: Pooled, row: int, column: int) -> tuple[int, int]:
    """Return the place of the first maximum of a window."""
    return max(pooled.seen(row, column), key=lambda place: float(pooled.input[place]))


def _letters(pooled: Pooled, cell: float) -> float:
    """Return the font size with which the longest number fits a cell of so many inches."""
    numbers = [*pooled.input.flatten().tolist(), *pooled.output.flatten().tolist()]
    longest = max(len(number(value)) for value in numbers)
    return min(12.0, 72 * cell * 0.8 / (0.68 * longest))


def _told(pooled: Pooled) -> str:
    """Say in words what is pooled."""
    rows = "; ".join(" ".join(map(number, row)) for row in pooled.input.tolist())
    moves = f"Windows of {pair(pooled.kernel)}, stride {pair(pooled.stride)}, padding {pair(pooled.padding)}."
    return f"{NAMES[pooled.mode]} pooling. Input, row by row: {rows}. {moves}"


def _told_window(pooled: Pooled, row: int, column: int) -> str:
    """Say in words which numbers are in a window, and what comes out."""
    numbers = " ".join(number(float(pooled.input[place])) for place in pooled.seen(row, column))
    return f"Output[{row}, {column}]: of {numbers} comes {number(float(pooled.output[row, column]))}."
