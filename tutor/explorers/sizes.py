"""Output sizes along one side: the formulas of PyTorch's documentation, filled in, and what usual slips make of them."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """A size with its formula: LaTeX in general and filled in, the same in words, and wrong sizes by their slip."""

    size: int
    formula: str
    filled: str
    words: str
    slips: dict[str, tuple[float, ...]]


def sliding(n: int, kernel: int, stride: int, padding: int, dilation: int, *, ceil: bool = False) -> Size:
    """Return how many places a window has, as ``torch.nn.Conv2d`` and, with ``ceil``, ``MaxPool2d`` give it.

    In ceil mode the last window has to begin inside the input or the padding before it. A size below 1 means that the
    window doesn't fit.
    """

    def places(p: int = 2 * padding, span: int = dilation * (kernel - 1), up: bool = ceil, by: int = stride) -> int:
        fraction = (n + p - span - 1) / by
        found = (math.ceil(fraction) if up else math.floor(fraction)) + 1
        return found - 1 if up and (found - 1) * by >= n + p // 2 else found

    size = places()
    plain = math.ceil((n + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1 if ceil else size
    slips = {
        "That forgets that the last window has to begin inside the input or the padding before it.": plain,
        "That leaves out the padding, which adds p cells on both sides.": places(p=0),
        "That counts the padding once; it is added on both sides: 2p.": places(p=padding),
        "That takes the kernel as k cells long; dilated, it spans d(k \N{MINUS SIGN} 1) + 1.": places(span=kernel - 1),
        "That forgets the + 1: the window's first place counts too.": size - 1,
        "That rounds down; ceil_mode rounds up."
        if ceil
        else "That rounds up; a last step that doesn't fit is not taken.": places(up=not ceil),
        "That takes d·k for the dilated kernel; it spans d(k \N{MINUS SIGN} 1) + 1.": places(
            span=dilation * kernel - 1
        ),
        "That is the size for stride 1: divide by the stride before adding 1.": places(by=1),
        "That is the size of the input.": n,
    }
    left, right, mark = (r"\lceil", r"\rceil", "⌈⌉") if ceil else (r"\lfloor", r"\rfloor", "⌊⌋")
    numbers = f"{n} + 2·{padding} \N{MINUS SIGN} {dilation}·({kernel} \N{MINUS SIGN} 1) \N{MINUS SIGN} 1"
    filled = rf"\dfrac{{{n}+2\cdot{padding}-{dilation}\,({kernel}-1)-1}}{{{stride}}}"
    value = f"{(n + 2 * padding - dilation * (kernel - 1) - 1) / stride:.4g}"
    less = "" if size == plain else r"\;-\;1"
    return Size(
        size,
        rf"m=\left{left}\dfrac{{n+2p-d\,(k-1)-1}}{{s}}\right{right}+1",
        rf"m=\left{left}{filled}\right{right}+1{less}\qquad={left} {value}{right}+1{less}={size}",
        f"Output size: {mark[0]}({numbers}) / {stride}{mark[1]} + 1"
        + (" \N{MINUS SIGN} 1 (the last window would begin in the padding)" if less else "")
        + f" = {size}.",
        wrong(size, slips),
    )


def spreading(n: int, kernel: int, stride: int, padding: int, output_padding: int, dilation: int) -> Size:
    """Return the output size of a transpose convolution, as ``torch.nn.ConvTranspose2d`` gives it."""
    span = dilation * (kernel - 1)
    size = (n - 1) * stride - 2 * padding + span + output_padding + 1
    slips = {
        "That leaves out output_padding, which is added once, at the end.": size - output_padding,
        "That adds output_padding on both sides; it is added once, at the end.": size + output_padding,
        "That leaves out the padding, which here is cut off on both sides.": size + 2 * padding,
        "That cuts the padding off once; it is cut off on both sides: 2p.": size + padding,
        "That adds the padding; a transpose convolution cuts it off.": size + 4 * padding,
        "That takes the kernel as k cells long; dilated, it spans d(k \N{MINUS SIGN} 1) + 1.": size - span + kernel - 1,
        "That forgets the + 1.": size - 1,
        "That has n·s; between n inputs there are n \N{MINUS SIGN} 1 steps: (n \N{MINUS SIGN} 1)·s.": size + stride,
        "That forgets the stride, which sets the stamps s apart.": size - (n - 1) * (stride - 1),
        "That is what a convolution makes of it; a transpose convolution goes the other way.": sliding(
            n, kernel, stride, padding, dilation
        ).size,
        "That is the size of the input.": n,
    }
    return Size(
        size,
        r"m=(n-1)\,s-2p+d\,(k-1)+o+1",
        rf"m=({n}-1)\cdot{stride}-2\cdot{padding}+{dilation}\,({kernel}-1)+{output_padding}+1={size}",
        f"Output size: ({n} \N{MINUS SIGN} 1)·{stride} \N{MINUS SIGN} 2·{padding} + {dilation}·({kernel} \N{MINUS SIGN} 1)"
        f" + {output_padding} + 1 = {size}.",
        wrong(size, slips),
    )


def wrong(size: int, slips: dict[str, int]) -> dict[str, tuple[float, ...]]:
    """Keep the slips that show: those that come to another size."""
    return {sentence: (float(value),) for sentence, value in slips.items() if value != size}
