"""Chapter 02: a convolution, step by step, with every argument."""

from collections.abc import Mapping
from typing import Any

from tutor.explorers.examples import digits, filters, with_scene
from tutor.explorers.frame import Control, Frame, Question
from tutor.explorers.opening import Shown, opened
from tutor.explorers.sizes import sliding
from tutor.plots import scenes

CONTROLS = (
    Control("n", 5, "How many rows and columns the input has.", 1, 7),
    Control("kernel_size", 3, "k: how many rows and columns the kernel has.", 1, 4),
    Control("stride", 1, "s: how far the window moves from one step to the next.", 1, 4),
    Control("padding", 1, "p: how many cells are added on each side of the input.", 0, 3),
    Control("dilation", 1, "d: how far apart the kernel's cells are.", 1, 3),
    Control(
        "padding_mode",
        "zeros",
        "What stands in the padding: zeros, a mirror, the edge repeated, or the other side.",
        options=("zeros", "reflect", "replicate", "circular"),
    ),
    Control("in_channels", 1, "How many channels the input has.", 1, 4),
    Control("out_channels", 1, "How many channels the output has: one kernel each.", 1, 4),
    Control("groups", 1, "Into how many groups the channels are divided; each output sees its own group only.", 1, 4),
    Control("step", 6, "Which number of the output is computed, row by row, channel after channel.", 0, 24),
)


def convolution() -> Shown:
    """Explore a convolution (``nn.Conv2d``): every argument, and each step of the window."""
    return opened("A convolution", CONTROLS, exploring)


def exploring(values: Mapping[str, Any]) -> Frame:
    """Return what a convolution comes to."""
    n, k, s, p, d = (values[name] for name in ("n", "kernel_size", "stride", "padding", "dilation"))
    ins, outs, groups = (values[name] for name in ("in_channels", "out_channels", "groups"))
    size = sliding(n, k, s, p, d)
    if ins % groups or outs % groups:
        problem = (
            f"groups={groups} has to divide in_channels={ins} and out_channels={outs}, so that every group gets as many "
            "channels."
        )
        return Frame(size.formula, size.filled, size.words, problem=problem)
    weight = (outs, ins // groups, k, k)
    parameters = outs * ins // groups * k * k + outs
    some = (
        "the only channel"
        if ins == 1
        else f"{ins // groups} of {ins} channels"
        if groups > 1
        else f"all {ins} channels"
    )
    return with_scene(
        lambda: scenes.convolution(
            digits(ins, n),
            filters(outs, ins // groups, k),
            stride=s,
            padding=p,
            dilation=d,
            groups=groups,
            padding_mode=values["padding_mode"],
        ),
        values["step"],
        Frame(
            size.formula,
            size.filled,
            size.words,
            f"Output {(outs, size.size, size.size)}, weight {weight}, {parameters} parameters with the biases. Each kernel "
            f"sees {some}.",
            question=Question("How many rows (and columns) has the output?", (size.size,), size.slips),
        ),
    )
