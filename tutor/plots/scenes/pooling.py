"""The scene of max and average pooling."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.plots.figure import PlotError
from tutor.plots.scene import Cell, Kind, Mark, Scene, Step
from tutor.plots.scenes.arguments import Pair, Sizes, image, need_room, sizes
from tutor.plots.scenes.convolution import told_image
from tutor.plots.scenes.windows import GIVES, channels, column, located, longest_of, plain, so_far, taps, where
from tutor.plots.words import TERMS, number, pair, place

NAMES = {"max": "Max", "average": "Average"}


class Windows(NamedTuple):
    """A pooling, checked and computed."""

    input: Tensor  # (channels, rows, columns)
    output: Tensor
    canvas: Tensor  # the input with its padding, and with the empty cells over which ceil mode's windows hang
    kinds: Tensor
    chosen: (
        Tensor | None
    )  # for each number of the output the index that torch gives, into the input's rows one after another
    divisors: Tensor  # (rows, columns)
    kernel: Sizes
    stride: Sizes
    padding: Sizes
    dilation: Sizes
    options: str  # in words

    def seen(self, cell: Cell) -> tuple[Cell, ...]:
        """Return the cells of the canvas that a window looks at."""
        return taps(cell, self.kernel, self.stride, self.dilation)

    def largest(self, channel: int, cell: Cell) -> Cell:
        """Return the cell of the canvas that a window's number comes from."""
        assert self.chosen is not None
        row, column = divmod(int(self.chosen[channel][cell]), self.input.shape[2])
        return row + self.padding[0], column + self.padding[1]


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
) -> Scene:
    """Return the scene of a pooling; a step computes one number of the output.

    input: (height, width) or (channels, height, width). mode: "max" or "average". The others as in ``nn.MaxPool2d`` (which
    has dilation) and ``nn.AvgPool2d`` (which has count_include_pad). Raises PlotError for what doesn't fit.
    """
    windows = pooled(input, kernel_size, stride, padding, dilation, ceil_mode, count_include_pad, mode)
    across, output = len(windows.input), windows.output
    grids = (
        *column(0, "input", channels(across), list(windows.canvas), windows.kinds),
        *column(1, "output", channels(across), so_far(output), plain(output.shape)),
    )

    def at(step: int) -> Step:
        channel, cell = located(step, output.shape)
        seen = windows.seen(cell)
        marks = [Mark(channel, seen, "looked"), Mark(across + channel, (cell,), "result")]
        if mode == "max":
            marks.append(Mark(channel, (windows.largest(channel, cell),), "chosen"))
        title, words = place("output", channels(across)[channel], cell), words_of(windows, channel, cell)
        return Step(title, words, f"{title.capitalize()}: the window is on {where(seen)}; {words}.", tuple(marks))

    border = f" (padding {pair(windows.padding)} included)" if any(windows.padding) else ""
    told = f"{NAMES[mode]} pooling. {told_image('Input' + border, windows.canvas)} {windows.options}"
    return Scene(told, grids, (GIVES,), output.numel(), at, output, longest_of(windows.canvas, output))


def words_of(windows: Windows, channel: int, cell: Cell) -> str:
    """Return how a window's number is computed."""
    seen = [float(windows.canvas[channel][tap]) for tap in windows.seen(cell)]
    there = [value for value in seen if value == value]
    result = number(float(windows.output[channel][cell]))
    if len(there) > TERMS:
        return f"the {'largest' if windows.chosen is not None else 'mean'} of {len(there)} numbers = {result}"
    if windows.chosen is not None:
        return f"max({', '.join(map(number, there))}) = {result}"
    terms = " + ".join(f"({number(value)})" if value < 0 else number(value) for value in there)
    return f"({terms}) / {number(float(windows.divisors[cell]))} = {result}"


def pooled(
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
    count_include_pad: bool,
    mode: str,
) -> Windows:
    """Check the arguments of a pooling and compute it, else raise PlotError."""
    x = image(input)
    if mode not in NAMES:
        raise PlotError(f"mode={mode!r} is unknown; it is one of {', '.join(NAMES)}.")
    kernel = sizes("kernel_size", kernel_size, 1)
    step = kernel if stride is None else sizes("stride", stride, 1)
    border, spread = sizes("padding", padding, 0), sizes("dilation", dilation, 1)
    if mode == "average" and spread != (1, 1):
        raise PlotError(f"dilation={dilation} is for max pooling only; average pooling has none.")
    size = (x.shape[1], x.shape[2])
    for side in (0, 1):
        if border[side] > kernel[side] // 2:  # torch's rule, whatever the dilation
            raise PlotError(
                f"padding={padding} doesn't fit a window of {kernel[0]} by {kernel[1]}: padding is at most half of the "
                f"window, here {kernel[side] // 2}, so that no window sees nothing but padding."
            )
    room = (size[0] + 2 * border[0], size[1] + 2 * border[1])
    reaches = [d * (k - 1) + 1 for d, k in zip(spread, kernel, strict=True)]
    if not ceil_mode or any(reach >= r + s for reach, r, s in zip(reaches, room, step, strict=True)):
        need_room("window", kernel, spread, size, room, pair(border))  # in ceil mode a window may hang over
    chosen: Tensor | None = None
    if mode == "max":
        output, chosen = F.max_pool2d(x[None], kernel, step, border, spread, ceil_mode, return_indices=True)
        output, chosen = output[0], chosen[0]
    else:
        output = F.avg_pool2d(x[None], kernel, step, border, ceil_mode, count_include_pad)[0]
    last = [(o - 1) * s + d * (k - 1) + 1 for o, s, d, k in zip(output.shape[1:], step, spread, kernel, strict=True)]
    over = (max(0, last[0] - room[0]), max(0, last[1] - room[1]))
    filling = -torch.inf if mode == "max" else 0.0
    canvas = F.pad(x, (border[1], border[1], border[0], border[0]), value=filling)
    canvas = F.pad(canvas, (0, over[1], 0, over[0]), value=torch.nan)
    kinds = F.pad(torch.zeros(size, dtype=torch.int8), (border[1],) * 2 + (border[0],) * 2, value=int(Kind.PADDING))
    kinds = F.pad(kinds, (0, over[1], 0, over[0]), value=int(Kind.OVER))
    counted = (kinds == 0) | ((kinds == int(Kind.PADDING)) & count_include_pad)
    divisors = torch.tensor(
        [
            [sum(bool(counted[tap]) for tap in taps((r, c), kernel, step, spread)) for c in range(output.shape[2])]
            for r in range(output.shape[1])
        ]
    )
    options = f"Windows of {pair(kernel)}, stride {pair(step)}, padding {pair(border)}"
    options += f", dilation {pair(spread)}" if spread != (1, 1) else ""
    options += ", ceil mode" if ceil_mode else ""
    options += ", padding not counted" if mode == "average" and any(border) and not count_include_pad else ""
    return Windows(x, output, canvas, kinds, chosen, divisors, kernel, step, border, spread, f"{options}.")
