"""The scene of a convolution."""

import torch.nn.functional as F
from torch import Tensor

from tutor.plots.figure import PlotError
from tutor.plots.scene import Scene
from tutor.plots.scenes.arguments import Pair, Sizes, count, grouped, image, kernels, need_room, sizes
from tutor.plots.scenes.windows import bordered, gathering
from tutor.plots.words import TOLD, pair, rows_of

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def convolution(
    input: Tensor,
    weight: Tensor,
    *,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Scene:
    """Return the scene of a convolution; a step computes one number of the output.

    input: (height, width) or (channels, height, width). weight: (height, width) or (out, in / groups, height, width), not
    flipped. The others as in ``nn.Conv2d``, padding also "same" and "valid". Raises PlotError for what doesn't fit.
    """
    x, w = image(input), kernels(weight)
    kernel = (w.shape[2], w.shape[3])
    step, spread = sizes("stride", stride, 1), sizes("dilation", dilation, 1)
    grouped(groups, input=len(x), output=len(w))
    if w.shape[1] * groups != len(x):
        raise PlotError(
            f"The input has {count(len(x), 'channel')}, so with groups={groups} each kernel needs "
            f"{len(x) // groups}; the weight of shape {tuple(w.shape)} has {w.shape[1]}."
        )
    before, after = _borders(padding, step, kernel, spread)
    padded = _padded(x, before, after, padding, padding_mode)
    size = (x.shape[1], x.shape[2])
    need_room("kernel", kernel, spread, size, (padded.shape[1], padded.shape[2]), said(padding))
    output = F.conv2d(padded[None], w, stride=step, dilation=spread, groups=groups)[0]
    first = len(x) // groups
    used = [{o * groups // len(w) * first + i: w[o, i] for i in range(first)} for o in range(len(w))]
    border = f" (padding {said(padding)} included)" if any((*before, *after)) else ""
    told = (
        f"A convolution. {told_image('Input' + border, padded)} {told_kernels(w)} "
        f"It moves with stride {pair(step)}, dilation {pair(spread)}{f', in {groups} groups' if groups > 1 else ''}."
    )
    kinds = bordered(size, before, after)
    return gathering(
        told,
        padded,
        kinds,
        used,
        output,
        stride=step,
        dilation=spread,
        called=lambda o, c: f"kernel[{o}, {c % first}]",
    )


def told_image(name: str, values: Tensor) -> str:
    """Say in words what is in an image (channels, height, width)."""
    if len(values) == 1:
        return f"{name}, row by row: {rows_of(values[0])}."
    return " ".join(f"{name}, channel {c}, row by row: {rows_of(values[c])}." for c in range(len(values)))


def told_kernels(weight: Tensor) -> str:
    """Say in words what is in a weight of four dimensions."""
    if weight.shape[:2] == (1, 1):
        return f"Kernel: {rows_of(weight[0, 0])}."
    if weight.numel() > TOLD:
        return f"Kernels: {' by '.join(map(str, weight.shape))} numbers."
    places = ((a, b) for a in range(weight.shape[0]) for b in range(weight.shape[1]))
    return " ".join(f"Kernel[{a}, {b}]: {rows_of(weight[a, b])}." for a, b in places)


def _borders(padding: object, stride: Sizes, kernel: Sizes, dilation: Sizes) -> tuple[Sizes, Sizes]:
    """Return the padding before (top, left) and after (bottom, right)."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        if stride != (1, 1):
            raise PlotError(
                f"padding='same' keeps the size of the input, which only stride=1 can; the stride is {pair(stride)}."
            )
        both = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return (both[0] // 2, both[1] // 2), (both[0] - both[0] // 2, both[1] - both[1] // 2)
    if isinstance(padding, str):
        raise PlotError(f"padding={padding!r} is unknown; it is a whole number, a pair of them, 'same' or 'valid'.")
    found = sizes("padding", padding, 0)
    return found, found


def _padded(x: Tensor, before: Sizes, after: Sizes, padding: object, mode: str) -> Tensor:
    """Return an image with its padding, else raise PlotError."""
    if mode not in MODES:
        raise PlotError(f"padding_mode={mode!r} is unknown; it is one of {', '.join(MODES)}.")
    for side, name in enumerate(("rows", "columns")):
        wide, there = max(before[side], after[side]), x.shape[1 + side]
        if (mode == "reflect" and wide >= there) or (mode == "circular" and wide > there):
            raise PlotError(
                f"Padding {said(padding)} ({mode}) doesn't fit an input of {there} {name}: it takes {wide} of them "
                f"{'beside the edge' if mode == 'reflect' else 'from the other side'}. Take less padding or another mode."
            )
    return F.pad(x[None], (before[1], after[1], before[0], after[0]), mode=MODES[mode])[0]


def said(padding: object) -> str:
    """Return padding as it is written in words."""
    return padding if isinstance(padding, str) else pair(sizes("padding", padding, 0))
