"""The scene of max unpooling."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.plots.figure import PlotError
from tutor.plots.scene import Mark, Scene, Step
from tutor.plots.scenes.arguments import Pair, image, sizes
from tutor.plots.scenes.convolution import told_image
from tutor.plots.scenes.windows import GIVES, Addend, channels, column, located, longest_of, plain, summed
from tutor.plots.words import number, pair, place


def unpooling(
    input: Tensor,
    indices: Tensor,
    kernel_size: Pair,
    *,
    stride: Pair | None = None,
    padding: Pair = 0,
    output_size: Sequence[int] | None = None,
) -> Scene:
    """Return the scene of a max unpooling; a step puts one number back where it came from.

    input, indices: (height, width) or (channels, height, width), as ``F.max_pool2d`` with return_indices=True gives them.
    output_size: (height, width), where several sizes are pooled to the same. The others as in ``nn.MaxUnpool2d``. Raises
    PlotError for what doesn't fit.
    """
    x = image(input)
    kernel, border = sizes("kernel_size", kernel_size, 1), sizes("padding", padding, 0)
    step = kernel if stride is None else sizes("stride", stride, 1)
    if not isinstance(indices, Tensor) or indices.dtype != torch.int64 or indices.shape != input.shape:
        raise PlotError(
            f"The indices have to be whole numbers (int64) of the input's shape {tuple(input.shape)}, as F.max_pool2d gives "
            "them with return_indices=True."
        )
    usual = [(n - 1) * s - 2 * p + k for n, s, p, k in zip(x.shape[1:], step, border, kernel, strict=True)]
    size = sizes("output_size", usual if output_size is None else tuple(output_size)[-2:], 1)
    for side, name in enumerate(("rows", "columns")):
        if abs(size[side] - usual[side]) >= step[side]:
            raise PlotError(
                f"output_size={output_size} can't be: with stride {step[side]}, only {usual[side] - step[side] + 1} to "
                f"{usual[side] + step[side] - 1} {name} are pooled to {x.shape[1 + side]}."
            )
    found = (indices if indices.ndim == 3 else indices[None]).cpu()
    if int(found.min()) < 0 or int(found.max()) >= size[0] * size[1]:
        wrong = int(found.max() if int(found.min()) >= 0 else found.min())
        raise PlotError(
            f"Index {wrong} is outside the output, whose {size[0]} by {size[1]} places are numbered 0 to "
            f"{size[0] * size[1] - 1}; were the indices made from an input of another size?"
        )
    output = F.max_unpool2d(x[None], found[None], kernel, step, border, size)[0]
    across = len(x)

    places = found.flatten().tolist()

    def at(step: int) -> Step:
        channel, cell = located(step, x.shape)
        index = places[step]
        to, called = divmod(index, size[1]), channels(across)[channel]
        marks = (
            Mark(channel, (cell,), "looked"),
            Mark(across + channel, (cell,), "looked"),
            Mark(2 * across + channel, (to,), "result"),
        )
        title = place("input", called, cell)
        words = (
            f"{number(float(x[channel][cell]))} goes to index {index}: row {to[0]}, column {to[1]} "
            f"({to[0]}·{size[1]} + {to[1]} = {index})"
        )
        return Step(title, words, f"{title.capitalize()}: {words}.", marks)

    puts: list[list[Addend]] = []
    taken: set[tuple[int, int]] = set()  # windows that overlap may have chosen the same place: it is filled only once
    for n, (value, index) in enumerate(zip(x.flatten().tolist(), places, strict=True)):
        channel, _ = located(n, x.shape)
        puts.append([] if (channel, index) in taken else [(channel, *divmod(index, size[1]), value)])
        taken.add((channel, index))
    sums, numbers = summed((across, *size), puts)
    grids = (
        *column(0, "input", channels(across), list(x), plain(x.shape)),
        *column(1, "indices", channels(across), list(found.double()), plain(x.shape)),
        *column(2, "output", channels(across), sums, plain(size)),
    )
    told = (
        f"A max unpooling. {told_image('Input', x)} {told_image('Indices', found.double())} "
        f"Windows of {pair(kernel)}, stride {pair(step)}, padding {pair(border)}; the output is {size[0]} by {size[1]}."
    )
    return Scene(told, grids, ("at", GIVES), x.numel(), at, output, longest_of(numbers, found))
