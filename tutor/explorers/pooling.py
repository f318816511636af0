"""Chapter 04: pooling, window by window, with every argument."""

from collections.abc import Mapping
from typing import Any

from tutor.explorers.examples import digits, with_scene
from tutor.explorers.frame import Control, Frame, Question
from tutor.explorers.opening import Shown, opened
from tutor.explorers.sizes import sliding
from tutor.plots import scenes

CONTROLS = (
    Control("mode", "max", "Whether a window gives its largest number or the mean.", options=("max", "average")),
    Control("n", 5, "How many rows and columns the input has.", 1, 8),
    Control("kernel_size", 2, "k: how many rows and columns a window has.", 1, 4),
    Control("stride", 2, "s: how far apart windows are; by default as far as they are wide.", 1, 4),
    Control("padding", 0, "p: how many cells are added on each side; at most half a window.", 0, 2),
    Control("dilation", 1, "d: how far apart the cells are that a window looks at; for max pooling.", 1, 3),
    Control("ceil_mode", True, "Round up: a last window may hang over the edge."),
    Control("count_include_pad", True, "Whether the mean counts the padding's zeros; for average pooling."),
    Control("step", 4, "Which window, row by row.", 0, 8),
)


def pooling() -> Shown:
    """Explore pooling (``nn.MaxPool2d``, ``nn.AvgPool2d``): every argument, and each window."""
    return opened("Pooling", CONTROLS, exploring)


def exploring(values: Mapping[str, Any]) -> Frame:
    """Return what a pooling comes to."""
    n, k, s, p, d = (values[name] for name in ("n", "kernel_size", "stride", "padding", "dilation"))
    ceil = values["ceil_mode"]
    size = sliding(n, k, s, p, d, ceil=ceil)
    return with_scene(
        lambda: scenes.pooling(
            digits(1, n),
            k,
            stride=s,
            padding=p,
            dilation=d,
            ceil_mode=ceil,
            count_include_pad=values["count_include_pad"],
            mode=values["mode"],
        ),
        values["step"],
        Frame(
            size.formula,
            size.filled,
            size.words,
            _told(values, size.size),
            question=Question("How many rows (and columns) has the output?", (size.size,), size.slips),
        ),
    )


def _told(values: Mapping[str, Any], size: int) -> str:
    """Say which numbers no window looks at, or where the last one hangs over."""
    last = (size - 1) * values["stride"] + values["dilation"] * (values["kernel_size"] - 1) + 1
    end = values["n"] + 2 * values["padding"]
    if last > end:
        return f"The last window hangs {last - end} over the edge: there is nothing to see there."
    left = min(end - last, values["n"])
    if left > 0:
        return f"{left} at the end {'is' if left == 1 else 'are'} in no window; ceil_mode might add one."
    return "The windows come out even: floor and ceil mode give the same."
