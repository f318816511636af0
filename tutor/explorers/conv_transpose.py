"""Chapter 03: a transpose convolution, step by step, with every argument."""

from collections.abc import Mapping
from typing import Any

from tutor.explorers.examples import digits, filters, with_scene
from tutor.explorers.frame import Control, Frame, Question
from tutor.explorers.opening import Shown, opened
from tutor.explorers.sizes import spreading
from tutor.plots import scenes

CONTROLS = (
    Control("n", 3, "How many rows and columns the input has.", 1, 5),
    Control("kernel_size", 3, "k: how many rows and columns the kernel has.", 1, 4),
    Control("stride", 2, "s: how far apart the stamps are set on the output.", 1, 4),
    Control("padding", 1, "p: how many cells are cut off on each side of the result.", 0, 3),
    Control("output_padding", 0, "o: how many cells are added at the end, below and on the right.", 0, 3),
    Control("dilation", 1, "d: how far apart the kernel's cells are.", 1, 3),
    Control(
        "view",
        "scatter",
        "scatter: each input stamps the kernel; zeros: an ordinary convolution with zeros in between.",
        options=("scatter", "zeros"),
    ),
    Control("step", 4, "Which number of the input is stamped, row by row.", 0, 8),
)


def conv_transpose() -> Shown:
    """Explore a transpose convolution (``nn.ConvTranspose2d``): every argument, and each stamp of the kernel."""
    return opened("A transpose convolution", CONTROLS, exploring)


def exploring(values: Mapping[str, Any]) -> Frame:
    """Return what a transpose convolution comes to."""
    n, k, s, p, o, d = (
        values[name] for name in ("n", "kernel_size", "stride", "padding", "output_padding", "dilation")
    )
    size = spreading(n, k, s, p, o, d)
    same = f"{size.size - o} to {size.size - o + s - 1}" if s > 1 else str(size.size - o)
    return with_scene(
        lambda: scenes.conv_transpose(
            digits(1, n), filters(1, 1, k), stride=s, padding=p, output_padding=o, dilation=d, view=values["view"]
        ),
        values["step"],
        Frame(
            size.formula,
            size.filled,
            size.words,
            f"A convolution with the same arguments brings sizes {same} down to {n}; output_padding says which it was."
            if s > 1
            else f"A convolution with the same arguments brings {same} down to {n}.",
            question=Question("How many rows (and columns) has the output?", (size.size,), size.slips),
        ),
    )
