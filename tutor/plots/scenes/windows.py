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
Addend = tuple[int, int, int, float]  # channel, row and column of the output, and what is added there


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
    return f"{span('row', top, bottom)}, {span('column', left, right)}"


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


def summed(shape: Sequence[int], adds: Sequence[Sequence[Addend]]) -> tuple[list[Values], set[float]]:
    """Return for each channel of an output what is in it when one step after the other has added to it.

    shape: (channels, rows, columns). adds: for each step its addends. What nothing was added to is empty until the last
    step, and then 0. Also returned: every number that stands there at some step.
    """
    last, width = len(adds) - 1, shape[1] * shape[2]
    place_of = [[c * width + row * shape[2] + beside for c, row, beside, _ in step] for step in adds]
    first = torch.full((shape[0] * width,), last)
    sums, seen = [0.0] * (shape[0] * width), {0.0}
    for step, (places, addends) in enumerate(zip(place_of, adds, strict=True)):
        for spot, (*_, value) in zip(places, addends, strict=True):
            first[spot] = min(int(first[spot]), step)
            sums[spot] += value
            seen.add(sums[spot])
    ends = torch.tensor([len(step) for step in adds]).cumsum(0).tolist()
    index = torch.tensor([spot for step in place_of for spot in step], dtype=torch.int64)
    values = torch.tensor([value for step in adds for *_, value in step], dtype=torch.float64)
    first = first.view(*shape)

    def at(channel: int) -> Values:
        def state(step: int) -> Tensor:
            made = torch.zeros(shape[0] * width, dtype=torch.float64)
            made.index_add_(0, index[: ends[step]], values[: ends[step]])
            return torch.where(first[channel] <= step, made.view(*shape)[channel], torch.nan)

        return state

    return [at(channel) for channel in range(shape[0])], seen


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
    numbers, results = canvas.tolist(), output.tolist()  # reading single numbers from lists is much faster
    weights = [{c: kernel.flatten().tolist() for c, kernel in each.items()} for each in kernels]

    def at(step: int) -> Step:
        channel, cell = located(step, output.shape)
        seen = taps(cell, shape, stride, dilation, origin)
        marks, pairs, titles = [], [], {} if single else dict.fromkeys(range(across, 2 * across), "")
        for c, factors in weights[channel].items():
            marks += [Mark(c, seen, "looked"), Mark(across + c, used, "used")]
            pairs.append([(numbers[c][row][beside], w) for (row, beside), w in zip(seen, factors, strict=True)])
            if not single:
                titles[across + c] = called(channel, c)
        marks.append(Mark(2 * across + channel, (cell,), "result"))
        title, words = place(names.output, within[channel], cell), products(pairs, results[channel][cell[0]][cell[1]])
        sentence = f"{_capital(title)}: the window is on {where(seen)}; {words}."
        return Step(title, words, sentence, tuple(marks), titles)

    grids = (
        *column(0, names.input, channels(across), list(canvas), kinds),
        *column(1, names.kernel, [""] * across, beside, plain(shape)),
        *column(2, names.output, within, so_far(output), plain(output.shape)),
    )
    longest = longest_of(canvas, output, *(kernel for each in kernels for kernel in each.values()))
    return Scene(told, grids, (TIMES, GIVES), output.numel(), at, output, longest)


def scattering(
    told: str,
    input: Tensor,
    kernels: Sequence[Mapping[int, Tensor]],
    kinds: Tensor,
    output: Tensor,
    *,
    stride: Sizes,
    dilation: Sizes,
    called: Callable[[int, int], str],
    names: Names = LAYER,
) -> Scene:
    """Return the scene in which each number of the input is multiplied by a kernel and added into a window of the output.

    input: (channels, rows, columns). kernels: for each channel of the input, by the channel of the output, what it is
    multiplied with. kinds: of the output's cells, with those that are cut off. output: what is left without them, (channels,
    rows, columns). called: the kernel's name for a channel of the input and one of the output.
    """
    here, across, steps = len(input), len(output), range(input.numel())
    shape, beside, single = _beside(kernels, across, [located(step, input.shape)[0] for step in steps])
    used = tuple(product(range(shape[0]), range(shape[1])))
    numbers = input.flatten().tolist()
    weights = [{c: kernel.flatten().tolist() for c, kernel in each.items()} for each in kernels]

    def adds(step: int) -> list[Addend]:
        channel, cell = located(step, input.shape)
        seen = taps(cell, shape, stride, dilation)
        return [
            (c, row, side, numbers[step] * weight)
            for c, factors in weights[channel].items()
            for (row, side), weight in zip(seen, factors, strict=True)
        ]

    def at(step: int) -> Step:
        channel, cell = located(step, input.shape)
        seen, value = taps(cell, shape, stride, dilation), number(numbers[step])
        marks = [Mark(channel, (cell,), "looked")]
        titles = {} if single else dict.fromkeys(range(here, here + across), "")
        for c in kernels[channel]:
            marks += [Mark(here + c, used, "used"), Mark(here + across + c, seen, "result")]
            if not single:
                titles[here + c] = called(channel, c)
        title = place(names.input, channels(here)[channel], cell)
        words = f"{title} = {value}: {value} times the kernel is added on {where(seen)}"
        return Step(title, words, f"{_capital(words)}.", tuple(marks), titles)

    sums, seen = summed((across, *kinds.shape), [adds(step) for step in steps])
    grids = (
        *column(0, names.input, channels(here), list(input), plain(input.shape)),
        *column(1, names.kernel, [""] * across, beside, plain(shape)),
        *column(2, names.output, channels(across), sums, kinds),
    )
    longest = max(longest_of(input, *(kernel for each in kernels for kernel in each.values())), longest_of(seen))
    return Scene(told, grids, (TIMES, GIVES), input.numel(), at, output, longest)


def longest_of(*values: Tensor | set[float]) -> int:
    """Return with how many letters the longest of all these numbers is written."""
    lists = [v.flatten().tolist() if isinstance(v, Tensor) else v for v in values]
    return max((len(number(value)) for value in {v for each in lists for v in each} if value == value), default=1)


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
