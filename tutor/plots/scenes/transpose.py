"""The scene of a transpose convolution, seen in two ways."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.plots.figure import PlotError
from tutor.plots.scene import Kind, Scene
from tutor.plots.scenes.arguments import Pair, Sizes, count, grouped, image, kernels, sizes
from tutor.plots.scenes.convolution import told_image, told_kernels
from tutor.plots.scenes.windows import Names, gathering, scattering
from tutor.plots.words import pair

VIEWS = ("scatter", "zeros")


def conv_transpose(
    input: Tensor,
    weight: Tensor,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
    view: str = "scatter",
) -> Scene:
    """Return the scene of a transpose convolution.

    input: (height, width) or (channels, height, width). weight: (height, width) or (in, out / groups, height, width). The
    others as in ``nn.ConvTranspose2d``. view: "scatter" multiplies each number of the input by the kernel and adds that to
    the output; "zeros" inserts zeros into the input and convolves it with the turned kernel. Both give the same numbers.
    Raises PlotError for what doesn't fit.
    """
    x, w = image(input), kernels(weight)
    kernel = (w.shape[2], w.shape[3])
    step, spread = sizes("stride", stride, 1), sizes("dilation", dilation, 1)
    cut, extra = sizes("padding", padding, 0), sizes("output_padding", output_padding, 0)
    if view not in VIEWS:
        raise PlotError(f"view={view!r} is unknown; it is one of {', '.join(VIEWS)}.")
    grouped(groups, input=len(x))
    if len(w) != len(x):
        raise PlotError(
            f"The input has {count(len(x), 'channel')} and the weight of shape {tuple(w.shape)} is for {len(w)}: the "
            "weight of a transpose convolution is (in, out / groups, height, width)."
        )
    reach = [dilate * (k - 1) + 1 for dilate, k in zip(spread, kernel, strict=True)]
    full = [(n - 1) * s + r for n, s, r in zip(x.shape[1:], step, reach, strict=True)]
    for side, name in enumerate(("rows", "columns")):
        if extra[side] >= max(step[side], spread[side]):
            raise PlotError(
                f"output_padding={output_padding} is too much: it says which of several input sizes is meant that a "
                f"convolution makes equal, so it is smaller than the stride ({step[side]}) or the dilation ({spread[side]})."
            )
        if full[side] - 2 * cut[side] + extra[side] < 1:
            raise PlotError(
                f"Nothing is left of the output: it has {full[side]} {name}, and padding={padding} cuts off "
                f"{cut[side]} at both ends. Take less padding."
            )
    output = F.conv_transpose2d(x[None], w, None, step, cut, extra, groups, spread)[0]
    options = f"stride {pair(step)}, padding {pair(cut)}, output padding {pair(extra)}, dilation {pair(spread)}"
    options += f", in {groups} groups" if groups > 1 else ""
    told = f"A transpose convolution. {told_image('Input', x)} {told_kernels(w)} With {options}."
    per, first = len(x) // groups, w.shape[1]
    if view == "scatter":
        size = [max(f, c + o) for f, c, o in zip(full, cut, output.shape[1:], strict=True)]
        kinds = torch.full(size, int(Kind.CUT), dtype=torch.int8)
        kinds[_kept(cut, output)] = int(Kind.EXTRA)
        rows, columns = (o - e for o, e in zip(output.shape[1:], extra, strict=True))
        kinds[cut[0] : cut[0] + max(rows, 0), cut[1] : cut[1] + max(columns, 0)] = int(Kind.DATA)
        used = [{c // per * first + o: w[c, o] for o in range(first)} for c in range(len(x))]
        return scattering(
            told,
            x,
            used,
            kinds,
            output,
            stride=step,
            dilation=spread,
            called=lambda c, o: f"kernel[{c}, {o % first}]",
        )
    canvas, kinds, origin = _with_zeros(x, step, (reach[0] - 1 - cut[0], reach[1] - 1 - cut[1]), extra)
    turned = w.flip(2, 3)
    used = [
        {o // first * per + c: turned[o // first * per + c, o % first] for c in range(per)}
        for o in range(groups * first)
    ]
    return gathering(
        told.replace(". ", " by inserted zeros. ", 1),
        canvas,
        kinds,
        used,
        output,
        stride=(1, 1),
        dilation=spread,
        origin=origin,
        names=Names("input, spread out", "kernel, turned"),
        called=lambda o, c: f"turned[{c}, {o % first}]",
    )


def _kept(cut: Sizes, output: Tensor) -> tuple[slice, slice]:
    """Return where the output lies among all that is computed."""
    return slice(cut[0], cut[0] + output.shape[1]), slice(cut[1], cut[1] + output.shape[2])


def _with_zeros(x: Tensor, stride: Sizes, border: Sizes, extra: Sizes) -> tuple[Tensor, Tensor, Sizes]:
    """Return an image with zeros between its numbers and around them, the cells' kinds, and where the first window is.

    border: how wide, before and after; when it is negative, windows begin inside and end inside.
    """
    size = [(n - 1) * s + 1 for n, s in zip(x.shape[1:], stride, strict=True)]
    spread, kinds = x.new_zeros(len(x), *size), torch.full(size, int(Kind.INSERTED), dtype=torch.int8)
    spread[:, :: stride[0], :: stride[1]], kinds[:: stride[0], :: stride[1]] = x, int(Kind.DATA)
    before, after = [max(0, b) for b in border], [max(0, b + e) for b, e in zip(border, extra, strict=True)]
    sides = (before[1], after[1], before[0], after[0])
    canvas, kinds = F.pad(spread, sides), F.pad(kinds, sides, value=int(Kind.PADDING))
    for side in (0, 1):
        last = min(extra[side], after[side])
        if last:
            kinds.narrow(side, kinds.shape[side] - last, last).fill_(int(Kind.EXTRA))
    return canvas, kinds, (max(0, -border[0]), max(0, -border[1]))
