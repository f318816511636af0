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


class Names(NamedTuple):
    """What the grids of a scene are called, the columns from left to right."""

    input: str = "input"
    kernel: str = "kernel"
    output: str = "output"


def bordered(size: Sizes, before: Sizes, after: Sizes, kind: Kind = Kind.PADDING) -> Tensor:
    """Return the kinds of an image of a size with a border so wide."""
    (top, left), (bottom, right) = before, after
    return F.pad(torch.zeros(size, dtype=torch.int8), (left, right, top, bottom), value=int(kind))


def labelled(name: str, channel: int, channels: int) -> str:
    """Return the name of one channel's grid."""
    return name if channels == 1 else f"{name}[{channel}]"


def taps(at: Cell, kernel: Sizes, stride: Sizes, dilation: Sizes, origin: Sizes = (0, 0)) -> tuple[Cell, ...]:
    """Return the cells that a window at a place looks at, row by row."""
    top, left = (origin[side] + at[side] * stride[side] for side in (0, 1))
    return tuple((top + r * dilation[0], left + c * dilation[1]) for r, c in product(*map(range, kernel)))


def where(cells: Sequence[Cell]) -> str:
    """Return in words which rows and columns a window covers."""
    (top, left), (bottom, right) = cells[0], cells[-1]
    return f"rows {span(top, bottom)}, columns {span(left, right)}"


def so_far(values: Tensor, before: int) -> Callable[[int], Tensor]:
    """Return the function from a step to values that are computed row by row; ``before``: those of earlier channels."""
    order = torch.arange(values.numel()).view(values.shape) + before
    return lambda step: torch.where(order <= step, values, torch.nan)


def gathering(
    told: str,
    canvas: Tensor,
    kinds: Tensor,
    kernels: Sequence[Mapping[int, Tensor]],
    output: Tensor,
    *,
    stride: Sizes,
    dilation: Sizes,
    origin: Sizes = (0, 0),
    names: Names = Names(),
    called: Callable[[int, int], str] | None = None,
) -> Scene:
    """Return the scene in which each number of the output is a window's sum of products.

    canvas: (channels, rows, columns) with all padding, kinds: of its cells. kernels: for each channel of the output, by the
    channel of the canvas, what its window is multiplied with. output: (channels, rows, columns). called: the kernel's name
    for a channel of the output and one of the canvas.
    """
    size, across = (output.shape[1], output.shape[2]), len(canvas)
    shape = next(iter(kernels[0].values())).shape
    plain, empty = torch.zeros(shape, dtype=torch.int8), torch.full(shape, torch.nan, dtype=torch.float64)
    single = across == 1 and len(output) == 1

    def channel_of(step: int) -> int:
        return step // (size[0] * size[1])

    def kernel(channel: int) -> Tensor | Callable[[int], Tensor]:
        """Return the kernel beside a channel of the input; where a group doesn't look at it, an empty one."""
        if single:
            return kernels[0][0]
        return lambda step: kernels[channel_of(step)].get(channel, empty)

    grids = [
        *(Grid(labelled(names.input, c, across), 0, canvas[c], kinds) for c in range(across)),
        *(Grid(labelled(names.kernel, c, across), 1, kernel(c), plain) for c in range(across)),
        *(
            Grid(labelled(names.output, c, len(output)), 2, so_far(output[c], c * output[c].numel()), _plain(output[c]))
            for c in range(len(output))
        ),
    ]

    def at(step: int) -> Step:
        channel = channel_of(step)
        cell = divmod(step % (size[0] * size[1]), size[1])
        seen = taps(cell, (shape[0], shape[1]), stride, dilation, origin)
        used = tuple(product(range(shape[0]), range(shape[1])))
        marks, pairs, titles = [], [], {} if single else {across + c: "" for c in range(across)}
        for c, weights in kernels[channel].items():
            marks += [Mark(c, seen, "looked"), Mark(across + c, used, "used")]
            pairs.append([(float(canvas[c][tap]), float(weights[u])) for tap, u in zip(seen, used, strict=True)])
            if not single:
                titles[across + c] = called(channel, c) if called else names.kernel
        marks.append(Mark(2 * across + channel, (cell,), "result"))
        title, words = place(names.output, channel, cell, len(output)), products(pairs, float(output[channel][cell]))
        sentence = f"{title[0].upper()}{title[1:]}: the window is on {where(seen)}; {words}."
        return Step(title, words, sentence, tuple(marks), titles)

    return Scene(told, tuple(grids), (TIMES, GIVES), output.numel(), at, output)


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
    names: Names = Names(),
    called: Callable[[int, int], str] | None = None,
) -> Scene:
    """Return the scene in which each number of the input is multiplied by a kernel and added into a window of the output.

    input: (channels, rows, columns). kernels: for each channel of the input, by the channel of the output, what it is
    multiplied with. kinds: of the output's cells, with those that are cut off. spread: from an input to the output's cells
    (channels, rows, columns), with those that are cut off. output: what is left without them. called: the kernel's name for
    a channel of the input and one of the output.
    """
    whole = spread(input)
    across, size = len(whole), (input.shape[1], input.shape[2])
    shape = next(iter(kernels[0].values())).shape
    plain, empty = torch.zeros(shape, dtype=torch.int8), torch.full(shape, torch.nan, dtype=torch.float64)
    single = len(input) == 1 and across == 1
    order = torch.arange(input.numel()).view(input.shape)
    first = torch.full(whole.shape, input.numel() - 1)  # the step that adds to a cell first; the last where none does
    for step in reversed(range(input.numel())):
        channel, rest = divmod(step, size[0] * size[1])
        for cell in taps(divmod(rest, size[1]), (shape[0], shape[1]), stride, dilation):
            first[(list(kernels[channel]), *cell)] = step

    def sums(channel: int) -> Callable[[int], Tensor]:
        """Return the function from a step to what is in the output then; what nothing was added to is empty."""
        return lambda step: torch.where(
            first[channel] <= step, spread(torch.where(order <= step, input, 0.0))[channel], torch.nan
        )

    def kernel(channel: int) -> Tensor | Callable[[int], Tensor]:
        if single:
            return kernels[0][0]
        return lambda step: kernels[step // (size[0] * size[1])].get(channel, empty)

    grids = [
        *(Grid(labelled(names.input, c, len(input)), 0, input[c], _plain(input[c])) for c in range(len(input))),
        *(Grid(labelled(names.kernel, c, across), 1, kernel(c), plain) for c in range(across)),
        *(Grid(labelled(names.output, c, across), 2, sums(c), kinds) for c in range(across)),
    ]

    def at(step: int) -> Step:
        channel = step // (size[0] * size[1])
        cell = divmod(step % (size[0] * size[1]), size[1])
        value = float(input[channel][cell])
        seen = taps(cell, (shape[0], shape[1]), stride, dilation)
        used = tuple(product(range(shape[0]), range(shape[1])))
        marks = [Mark(channel, (cell,), "looked")]
        titles = {} if single else {len(input) + c: "" for c in range(across)}
        for c in kernels[channel]:
            marks += [Mark(len(input) + c, used, "used"), Mark(len(input) + across + c, seen, "result")]
            if not single:
                titles[len(input) + c] = called(channel, c) if called else names.kernel
        title = place(names.input, channel, cell, len(input))
        words = f"{title} = {number(value)}: {number(value)} times the kernel is added on {where(seen)}"
        return Step(title, words, f"{words[0].upper()}{words[1:]}.", tuple(marks), titles)

    return Scene(told, tuple(grids), (TIMES, GIVES), input.numel(), at, output)


def _plain(values: Tensor) -> Tensor:
    """Return the kinds of a grid that is all data."""
    return torch.zeros(values.shape, dtype=torch.int8)
