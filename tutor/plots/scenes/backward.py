"""The scenes of what flows backward: the gradients of a convolution and of a pooling."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv2d_input, conv2d_weight

from tutor.plots.figure import PlotError
from tutor.plots.scene import Cell, Kind, Mark, Scene, Step
from tutor.plots.scenes.arguments import Pair, image, kernels, sizes
from tutor.plots.scenes.convolution import convolution, told_image, told_kernels
from tutor.plots.scenes.pooling import pooled
from tutor.plots.scenes.windows import (
    GIVES,
    Addend,
    Names,
    bordered,
    channels,
    column,
    gathering,
    located,
    longest_of,
    plain,
    scattering,
    summed,
    where,
)
from tutor.plots.words import number, pair, place


def convolution_backward(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
    of: str = "input",
) -> Scene:
    """Return the scene of a convolution's gradient; a step spreads one number back, or sums up one of the weight's.

    grad_output: of the output's shape. of: "input" scatters each of its numbers times the kernel (a transpose convolution);
    "weight" moves grad_output over the input as if it were the kernel, stride and dilation exchanged. The others as in
    ``convolution``. Raises PlotError for what doesn't fit.
    """
    if of not in ("input", "weight"):
        raise PlotError(f"of={of!r} is unknown; it is one of input, weight.")
    forward = convolution(input, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
    x, w, g = image(input), kernels(weight), _like(grad_output, forward.output)
    step, spread, border = sizes("stride", stride, 1), sizes("dilation", dilation, 1), sizes("padding", padding, 0)
    kernel, first = (w.shape[2], w.shape[3]), w.shape[1]
    options = f"Stride {pair(step)}, padding {pair(border)}, dilation {pair(spread)}"
    options += f", in {groups} groups." if groups > 1 else "."
    size = (x.shape[1], x.shape[2])
    part = [o * groups // len(w) * first for o in range(len(w))]  # the first channel that an output looks at
    if of == "input":
        found = conv2d_input((1, *x.shape), w, g[None], step, border, spread, groups)[0]
        return scattering(
            f"The gradient of a convolution's input. {told_image('Grad_output', g)} {told_kernels(w)} {options}",
            g,
            [{part[o] + i: w[o, i] for i in range(first)} for o in range(len(w))],
            bordered(size, border, border, Kind.CUT),
            found,
            stride=step,
            dilation=spread,
            called=lambda o, c: f"kernel[{o}, {c % first}]",
            names=Names("grad_output", "kernel", "grad_input"),
        )
    padded = F.pad(x, (border[1], border[1], border[0], border[0]))
    found = conv2d_weight(padded[None], w.shape, g[None], step, 0, spread, groups)
    pairs = [(o, i) for o in range(len(w)) for i in range(first)]
    scene = gathering(
        f"The gradient of a convolution's weight. {told_image('Input', padded)} {told_image('Grad_output', g)} {options}",
        padded,
        bordered(size, border, border),
        [{part[o] + i: g[o]} for o, i in pairs],
        found.reshape(-1, *kernel),
        stride=spread,
        dilation=step,
        called=lambda n, c: f"grad_output[{pairs[n][0]}]",
        names=Names("input", "grad_output", "grad_weight"),
        outputs=[f"{o}, {i}" for o, i in pairs] if len(pairs) > 1 else [],
    )
    return replace(scene, output=found)


def pooling_backward(
    grad_output: Tensor,
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
    """Return the scene of a pooling's gradient; a step spreads one number of grad_output over its window.

    grad_output: of the output's shape. With "max", all of it goes to the number that was chosen; with "average", each
    number of the window gets the same share, and what falls on padding is lost. The others as in ``pooling``. Raises
    PlotError for what doesn't fit.
    """
    windows = pooled(input, kernel_size, stride, padding, dilation, ceil_mode, count_include_pad, mode)
    g, x = _like(grad_output, windows.output), windows.input
    across, border = len(x), windows.padding

    def reached(channel: int, cell: Cell) -> list[Cell]:
        """Return the cells of the input, without padding, into which a number of grad_output goes."""
        seen = windows.seen(cell) if mode == "average" else (windows.largest(channel, cell),)
        inside = [(row - border[0], beside - border[1]) for row, beside in seen]
        return [(r, c) for r, c in inside if 0 <= r < x.shape[1] and 0 <= c < x.shape[2]]

    def adds(step: int) -> list[Addend]:
        channel, cell = located(step, g.shape)
        share = float(g[channel][cell]) / (1.0 if mode == "max" else float(windows.divisors[cell]))
        return [(channel, row, beside, share) for row, beside in reached(channel, cell)]

    def at(step: int) -> Step:
        channel, cell = located(step, g.shape)
        value, to, called = float(g[channel][cell]), reached(channel, cell), channels(across)[channel]
        seen = [tap for tap in windows.seen(cell) if windows.kinds[tap] == Kind.DATA]
        marks = [Mark(channel, (cell,), "looked"), Mark(across + channel, tuple(seen), "looked")]
        if mode == "max":
            marks.append(Mark(across + channel, (windows.largest(channel, cell),), "chosen"))
            words = f"{number(value)} goes to the largest: {place('input', called, to[0])} = {number(float(x[channel][to[0]]))}"
        else:
            share = float(windows.divisors[cell])
            words = f"{number(value)} / {number(share)} = {number(value / share)} is added on {where(to)}"
        marks.append(Mark(2 * across + channel, tuple(to), "result"))
        title = place("grad_output", called, cell)
        return Step(title, words, f"{title.capitalize()}: {words}.", tuple(marks))

    leaf = x.clone().requires_grad_()
    with torch.enable_grad():
        if mode == "max":
            forward = F.max_pool2d(leaf[None], windows.kernel, windows.stride, border, windows.dilation, ceil_mode)[0]
        else:
            forward = F.avg_pool2d(leaf[None], windows.kernel, windows.stride, border, ceil_mode, count_include_pad)[0]
    (output,) = torch.autograd.grad(forward, leaf, g)
    sums, numbers = summed(x.shape, [adds(step) for step in range(g.numel())])
    grids = (
        *column(0, "grad_output", channels(across), list(g), plain(g.shape)),
        *column(1, "input", channels(across), list(windows.canvas), windows.kinds),
        *column(2, "grad_input", channels(across), sums, plain(x.shape)),
    )
    told = (
        f"The gradient of {'max' if mode == 'max' else 'average'} pooling. {told_image('Grad_output', g)} "
        f"{told_image('Input', x)} {windows.options}"
    )
    return Scene(told, grids, ("", GIVES), g.numel(), at, output, longest_of(g, windows.canvas, numbers))


def _like(grad_output: object, output: Tensor) -> Tensor:
    """Return grad_output with channels, else raise PlotError when it hasn't the output's shape."""
    g = image(grad_output, "grad_output")
    if g.shape != output.shape:
        expected, got = (" by ".join(map(str, t.shape[0 if len(t) > 1 else 1 :])) for t in (output, g))
        raise PlotError(f"grad_output has to have the output's shape: {expected}, and this one is {got}.")
    return g
