"""The two ways in which layers work, step by step: gathering what a window sees, and scattering into a window."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.plots.scene import Cell, Grid, Kind, Mark, Scene, Step
from tutor.plots.scenes.arguments import Sizes
from tutor.plots.words import number, place, products, span

TIMES, GIVES = "\N{MULTIPLICATION SIGN}", "→"
Values = Tensor | Callable[[int], Tensor]


class Names(NamedTuple):
    """What the grids of a scene are called, the columns from left to right."""

    input: str = "input"
    kernel: str = "kernel"
    output: str = "output"


LAYER = Names()


def taps(at: Cell, kernel: Sizes, stride: Sizes, dilation: Sizes, origin: Sizes = (0, 0)) -> tuple[Cell, ...]:
    """Return the cells that a window at a place looks at, row by row."""
    top, left = (origin[side] + at[side] * stride[side] for side in (0, 1))
    return tuple((top + r * dilation[0], left + c * dilation[1]) for r, c in product(*map(range, kernel)))


def where(cells: Sequence[Cell]) -> str:
    """Return in words which rows and columns a window covers."""
    (top, left), (bottom, right) = cells[0], cells[-1]
    return f"rows {span(top, bottom)}, columns {span(left, right)}"


def bordered(size: Sizes, before: Sizes, after: Sizes, kind: Kind = Kind.PADDING) -> Tensor:
    """Return the kinds of an image of a size with a border so wide."""
    (top, left), (bottom, right) = before, after
    return F.pad(torch.zeros(size, dtype=torch.int8), (left, right, top, bottom), value=int(kind))


def plain(size: Sequence[int]) -> Tensor:
    """Return the kinds of a grid (rows, columns) that is all data."""
    return torch.zeros((size[-2], size[-1]), dtype=torch.int8)


def channels(number: int) -> list[str]:
    """Return the first index of each channel, "" when there is only one."""
    return [str(channel) for channel in range(number)] if number > 1 else [""]


def column(place: int, name: str, called: Sequence[str], values: Sequence[Values], kinds: Tensor) -> list[Grid]:
    """Return the grids of a column, one a channel."""
    names = [f"{name}[{channel}]" if channel else name for channel in called]
    return [Grid(named, place, grid, kinds) for named, grid in zip(names, values, strict=True)]


def so_far(values: Tensor) -> list[Values]:
    """Return for each channel what is there of values (channels, rows, columns) that are computed one after the other."""
    order = torch.arange(values.numel()).view(values.shape)

    def at(channel: int) -> Values:
        return lambda step: torch.where(order[channel] <= step, values[channel], torch.nan)

    return [at(channel) for channel in range(len(values))]


def summed(
    input: Tensor, spread: Callable[[Tensor], Tensor], touched: Callable[[int, Cell], Sequence[tuple[int, Cell]]]
) -> list[Values]:
    """Return for each channel of an output what is in it when one number of an input after the other is spread over it.

    spread: from an input to the whole output; numbers still to come are 0. touched: which (channel, cell) of the output a
    number of the input goes into, given its channel and cell. What nothing was added to is empty until the last step.
    """
    order, whole = torch.arange(input.numel()).view(input.shape), spread(input)
    first = torch.full(whole.shape, input.numel() - 1)  # the step that is the first to add to a cell
    for step, (channel, *cell) in reversed(list(enumerate(product(*map(range, input.shape))))):
        for to, (row, beside) in touched(channel, (cell[0], cell[1])):
            first[to, row, beside] = step

    def at(channel: int) -> Values:
        return lambda step: torch.where(
            first[channel] <= step, spread(torch.where(order <= step, input, 0.0))[channel], torch.nan
        )

    return [at(channel) for channel in range(len(whole))]


def located(step: int, shape: Sequence[int]) -> tuple[int, Cell]:
    """Return the channel and the cell that a step comes to, for (channels, rows, columns)."""
    channel, rest = divmod(step, shape[1] * shape[2])
    return channel, divmod(rest, shape[2])


def gathering(
    told: str,
    canvas: Tensor,
    kinds: Tensor,
    kernels: Sequence[Mapping[int, Tensor]],
    output: Tensor,
    *,
    stride: Sizes,
    dilation: Sizes,
    called: Callable[[int, int], str],
    origin: Sizes = (0, 0),
    names: Names = LAYER,
    outputs: Sequence[str] = (),
) -> Scene:
    """Return the scene in which each number of the output is a window's sum of products.

    canvas: (channels, rows, columns) with all padding, kinds: of its cells. kernels: for each channel of the output, by the
    channel of the canvas, what its window is multiplied with. output: (channels, rows, columns). called: the kernel's name
    for a channel of the output and one of the canvas. origin: where the first window is. outputs: the first indices of the
    output's channels, where those aren't their numbers.
    """
    across, within = len(canvas), list(outputs) or channels(len(output))
    shape, beside, single = _beside(kernels, across, [located(step, output.shape)[0] for step in range(output.numel())])
    used = tuple(product(range(shape[0]), range(shape[1])))

    def at(step: int) -> Step:
        channel, cell = located(step, output.shape)
        seen = taps(cell, shape, stride, dilation, origin)
        marks, pairs, titles = [], [], {} if single else dict.fromkeys(range(across, 2 * across), "")
        for c, weights in kernels[channel].items():
            marks += [Mark(c, seen, "looked"), Mark(across + c, used, "used")]
            pairs.append([(float(canvas[c][tap]), float(weights[u])) for tap, u in zip(seen, used, strict=True)])
            if not single:
                titles[across + c] = called(channel, c)
        marks.append(Mark(2 * across + channel, (cell,), "result"))
        title, words = place(names.output, within[channel], cell), products(pairs, float(output[channel][cell]))
        sentence = f"{_capital(title)}: the window is on {where(seen)}; {words}."
        return Step(title, words, sentence, tuple(marks), titles)

    grids = (
        *column(0, names.input, channels(across), list(canvas), kinds),
        *column(1, names.kernel, [""] * across, beside, plain(shape)),
        *column(2, names.output, within, so_far(output), plain(output.shape)),
    )
    return Scene(told, grids, (TIMES, GIVES), output.numel(), at, output)


def scattering(
    told: str,
    input: Tensor,
    kernels: Sequence[Mapping[int, Tensor]],
    kinds: Tensor,
    spread: Callable[[Tensor], Tensor],
    output: Tensor,
    *,
    stride: Sizes,
    dilation: Sizes,
    called: Callable[[int, int], str],
    names: Names = LAYER,
) -> Scene:
    """Return the scene in which each number of the input is multiplied by a kernel and added into a window of the output.

    input: (channels, rows, columns). kernels: for each channel of the input, by the channel of the output, what it is
    multiplied with. kinds: of the output's cells, with those that are cut off. spread: from an input to the output's cells
    (channels, rows, columns), with those that are cut off. output: what is left without them. called: the kernel's name for
    a channel of the input and one of the output.
    """
    here, across = len(input), len(output)
    shape, beside, single = _beside(kernels, across, [located(step, input.shape)[0] for step in range(input.numel())])
    used = tuple(product(range(shape[0]), range(shape[1])))

    def touched(channel: int, cell: Cell) -> list[tuple[int, Cell]]:
        return [(c, tap) for c in kernels[channel] for tap in taps(cell, shape, stride, dilation)]

    def at(step: int) -> Step:
        channel, cell = located(step, input.shape)
        seen, value = taps(cell, shape, stride, dilation), number(float(input[channel][cell]))
        marks = [Mark(channel, (cell,), "looked")]
        titles = {} if single else dict.fromkeys(range(here, here + across), "")
        for c in kernels[channel]:
            marks += [Mark(here + c, used, "used"), Mark(here + across + c, seen, "result")]
            if not single:
                titles[here + c] = called(channel, c)
        title = place(names.input, channels(here)[channel], cell)
        words = f"{title} = {value}: {value} times the kernel is added on {where(seen)}"
        return Step(title, words, f"{_capital(words)}.", tuple(marks), titles)

    grids = (
        *column(0, names.input, channels(here), list(input), plain(input.shape)),
        *column(1, names.kernel, [""] * across, beside, plain(shape)),
        *column(2, names.output, channels(across), summed(input, spread, touched), kinds),
    )
    return Scene(told, grids, (TIMES, GIVES), input.numel(), at, output)


def _beside(
    kernels: Sequence[Mapping[int, Tensor]], across: int, channel_at: Sequence[int]
) -> tuple[Sizes, list[Values], bool]:
    """Return the kernels' size, what stands beside each channel at each step, and whether it is always the same.

    channel_at: for each step, whose kernels it uses. Where a group has no part in a step, nothing stands there.
    """
    some = next(iter(kernels[0].values()))
    shape, empty = (some.shape[0], some.shape[1]), torch.full_like(some, torch.nan)
    if len(kernels) == across == 1:
        return shape, [some], True

    def at(channel: int) -> Values:
        return lambda step: kernels[channel_at[step]].get(channel, empty)

    return shape, [at(channel) for channel in range(across)], False


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
