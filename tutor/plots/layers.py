"""A convolution drawn as grids of numbers: one position of the window, or a filmstrip of several."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from tutor.plots.figure import COLOURS, WIDTH, Picture, PlotError, drawing

Pair = int | tuple[int, int]

CELL, SMALLEST = 0.5, 0.26  # inches, the side of a cell; below the second, numbers can't be read
GAP = 1.1  # cells between two grids
TERMS = 16  # a longer sum is left out
MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}
LINE, FAINT, INK = "#888888", "#6b6b6b", "#222222"
WINDOW, RESULT = (COLOURS[0], "#d3e6f4"), (COLOURS[1], "#fbe3cf")  # frame and filling
PADDED = "#ececec"


class Sliding(NamedTuple):
    """All that is drawn of a convolution: float64 tensors (height, width), and how the window moves."""

    input: Tensor  # with its padding
    kernel: Tensor
    output: Tensor
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    def place(self, step: int) -> tuple[int, int]:
        """Return the row and the column of the output that a step computes."""
        return divmod(step, self.output.shape[1])

    def taps(self, step: int) -> list[tuple[int, int]]:
        """Return the cells of the padded input that a step multiplies by the kernel's, row by row."""
        top, left = (at * stride for at, stride in zip(self.place(step), self.stride, strict=True))
        rows, columns = (range(size) for size in self.kernel.shape)
        return [(top + r * self.dilation[0], left + c * self.dilation[1]) for r in rows for c in columns]


def convolution(
    input: Tensor,
    kernel: Tensor,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    padding_mode: str = "zeros",
    step: int = 0,
) -> Picture:
    """Draw one step of a convolution: the input with its padding and the window on it, the kernel, the output so far.

    input: (height, width); kernel: (height, width), not flipped, as torch takes it; (1, n) shows one dimension.
    stride, padding, dilation, padding_mode: as in ``nn.Conv2d``. step: which output, counted row by row from 0.
    Raises PlotError for anything but two such tensors, a step that doesn't exist, and grids too large to read.
    """
    sliding = _sliding(input, kernel, stride, padding, dilation, padding_mode)
    _check_steps(sliding, [step])
    grids = (sliding.input, sliding.kernel, sliding.output)
    wide = sum(grid.shape[1] for grid in grids) + 2 * GAP
    tall = max(grid.shape[0] for grid in grids)
    sum_ = _sum(sliding, step)
    cell = _cell(wide, len(sum_) * 0.085)
    with drawing(cell * (tall + 1.9), max(cell * wide, len(sum_) * 0.085)) as picture:
        panel = _panel(picture, wide, tall + 1.9)
        left = 0.0
        size = _letters(sliding, cell)
        for what, grid, between in zip(
            ("input", "kernel", "output"), grids, ("\N{MULTIPLICATION SIGN}", "→", ""), strict=True
        ):
            top = 0.8 + (tall - grid.shape[0]) / 2
            _draw(panel, sliding, what, step, (left, top), size)
            named = f"{what}, padding {_pair(sliding.padding)}" if what == "input" and any(sliding.padding) else what
            panel.text(left + grid.shape[1] / 2, top - 0.2, named, ha="center", va="bottom")
            left += grid.shape[1] + GAP
            panel.text(left - GAP / 2, 0.8 + tall / 2, between, ha="center", va="center", fontsize=15)
        panel.text(wide / 2, tall + 1.4, sum_, ha="center", va="center")
        picture.alt = f"{_told(sliding)} {_told_step(sliding, step)}"
        return picture


def convolution_steps(
    input: Tensor,
    kernel: Tensor,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    padding_mode: str = "zeros",
    steps: Sequence[int] = (0, 1, 2, 3),
) -> Picture:
    """Draw several steps of a convolution as a filmstrip: the kernel, then for each step the input above the output.

    The arguments are those of ``convolution``; steps: which outputs, up to 8. Raises PlotError as that does.
    """
    sliding = _sliding(input, kernel, stride, padding, dilation, padding_mode)
    _check_steps(sliding, steps)
    if not 1 <= len(steps) <= 8:
        raise PlotError(f"A filmstrip shows 1 to 8 steps, not {len(steps)}; give their numbers, such as steps=(0, 1).")
    frame = max(sliding.input.shape[1], sliding.output.shape[1], 2.6)
    kernel_wide = max(sliding.kernel.shape[1], 1.6)
    tall = sliding.input.shape[0] + sliding.output.shape[0] + 2.1
    fitting = int((WIDTH / SMALLEST - kernel_wide) // (frame + GAP))
    rows = -(-len(steps) // max(1, min(fitting, 5)))
    across = -(-len(steps) // rows)
    wide = kernel_wide + across * (frame + GAP)
    cell = _cell(wide, 0)
    with drawing(cell * rows * tall, cell * wide) as picture:
        panel = _panel(picture, wide, rows * tall)
        size = _letters(sliding, cell)
        top = 0.9 + (sliding.input.shape[0] - sliding.kernel.shape[0]) / 2
        _draw(panel, sliding, "kernel", None, ((kernel_wide - sliding.kernel.shape[1]) / 2, top), size)
        panel.text(kernel_wide / 2, top - 0.2, "kernel", ha="center", va="bottom")
        for number, step in enumerate(steps):
            left = kernel_wide + GAP + (number % across) * (frame + GAP)
            top = number // across * tall + 0.9
            middle = left + frame / 2
            row, column = sliding.place(step)
            panel.text(middle, top - 0.2, f"output[{row}, {column}]", ha="center", va="bottom")
            _draw(panel, sliding, "input", step, (middle - sliding.input.shape[1] / 2, top), size)
            top += sliding.input.shape[0]
            panel.text(middle, top + 0.45, "↓", ha="center", va="center", fontsize=13)
            _draw(panel, sliding, "output", step, (middle - sliding.output.shape[1] / 2, top + 0.9), size)
        picture.alt = " ".join([_told(sliding), *(_told_step(sliding, step) for step in steps)])
        return picture


def _sliding(input: Tensor, kernel: Tensor, stride: Pair, padding: Pair, dilation: Pair, mode: str) -> Sliding:
    """Return what is to be drawn, else raise PlotError."""
    sizes = {}
    for name, value, least in (("stride", stride, 1), ("padding", padding, 0), ("dilation", dilation, 1)):
        pair = (value, value) if isinstance(value, int) else tuple(value)
        if len(pair) != 2 or not all(isinstance(size, int) and size >= least for size in pair):
            raise PlotError(f"{name}={value!r} is neither a whole number of at least {least} nor a pair of them.")
        sizes[name] = pair
    grids = []
    for name, grid in (("input", input), ("kernel", kernel)):
        if not isinstance(grid, Tensor) or grid.ndim != 2 or grid.numel() == 0:
            got = f"shape {tuple(grid.shape)}" if isinstance(grid, Tensor) else type(grid).__name__
            raise PlotError(f"The {name} has to be a tensor of shape (height, width), such as image[0, 0]; got {got}.")
        grids.append(grid.detach().cpu().double())
    if mode not in MODES:
        raise PlotError(f"padding_mode={mode!r} is unknown; it is one of {', '.join(MODES)}.")
    high, wide = sizes["padding"]
    try:
        padded = F.pad(grids[0][None, None], (wide, wide, high, high), mode=MODES[mode])
        output = F.conv2d(padded, grids[1][None, None], stride=sizes["stride"], dilation=sizes["dilation"])
    except RuntimeError as error:
        shapes = [" by ".join(map(str, grid.shape)) for grid in grids]
        raise PlotError(
            f"A kernel of {shapes[1]} with stride {stride}, padding {padding} ({mode}) and dilation {dilation} "
            f"doesn't fit an input of {shapes[0]}."
        ) from error
    return Sliding(padded[0, 0], grids[1], output[0, 0], sizes["stride"], sizes["padding"], sizes["dilation"])


def _check_steps(sliding: Sliding, steps: Sequence[int]) -> None:
    """Raise PlotError unless all these steps exist."""
    for step in steps:
        if not 0 <= step < sliding.output.numel():
            raise PlotError(f"There is no step {step}: this convolution has steps 0 to {sliding.output.numel() - 1}.")


def _cell(wide: float, needed: float) -> float:
    """Return the side of a cell in inches when so many fit side by side; needed: inches that the text takes."""
    cell = min(CELL, WIDTH / wide)
    if cell < SMALLEST or needed > WIDTH:
        raise PlotError(f"That is {wide:.0f} cells wide, too many to read; draw a smaller input or fewer steps.")
    return cell


def _panel(picture: Picture, wide: float, tall: float) -> Axes:
    """Return axes without lines or ticks, one unit a cell, (0, 0) at the upper left."""
    panel = picture.subplots()
    panel.set(xlim=(-0.15, wide + 0.15), ylim=(tall, 0), aspect="equal")
    panel.axis("off")
    return panel


def _letters(sliding: Sliding, cell: float) -> float:
    """Return the font size with which the longest number fits a cell of so many inches."""
    grids = (sliding.input, sliding.kernel, sliding.output)
    longest = max(len(_number(value)) for grid in grids for value in grid.flatten().tolist())
    return min(12.0, 72 * cell * 0.48, 72 * cell * 0.85 / (0.64 * longest))


def _draw(panel: Axes, sliding: Sliding, what: str, step: int | None, at: tuple[float, float], size: float) -> None:
    """Draw the input, kernel or output at (left, top) as it is at a step; outputs that are still to come are empty."""
    grid: Tensor = getattr(sliding, what)
    taps = set(sliding.taps(step)) if what == "input" and step is not None else set()
    now = sliding.place(step) if what == "output" and step is not None else None
    for row, column in itertools.product(*map(range, grid.shape)):
        left, top = at[0] + column, at[1] + row
        style: dict[str, Any] = {"facecolor": "white", "edgecolor": LINE, "linewidth": 0.8, "zorder": 1}
        outside = what == "input" and not (
            sliding.padding[0] <= row < grid.shape[0] - sliding.padding[0]
            and sliding.padding[1] <= column < grid.shape[1] - sliding.padding[1]
        )
        if outside:
            style.update(facecolor=PADDED, linestyle=":")
        if (row, column) in taps or what == "kernel":
            style.update(facecolor=WINDOW[1])
        if (row, column) == now:
            style.update(facecolor=RESULT[1])
        panel.add_patch(Rectangle((left, top), 1, 1, **style))
        if what != "output" or step is None or (row, column) <= sliding.place(step):
            panel.text(
                left + 0.5,
                top + 0.52,
                _number(float(grid[row, column])),
                ha="center",
                va="center",
                fontsize=size,
                fontstyle="italic" if outside else "normal",
                color=FAINT if outside and (row, column) not in taps else INK,
            )
    frame: dict[str, Any] = {"fill": False, "edgecolor": WINDOW[0], "linewidth": 2.6, "zorder": 3}
    if taps and sliding.dilation != (1, 1):  # the window has holes: frame each cell that it looks at
        for row, column in taps:
            panel.add_patch(Rectangle((at[0] + column, at[1] + row), 1, 1, **frame))
        frame.update(linewidth=1.4)
    if taps:
        (top_row, left_column), (last_row, last_column) = min(taps), max(taps)
        corner = (at[0] + left_column, at[1] + top_row)
        panel.add_patch(Rectangle(corner, last_column - left_column + 1, last_row - top_row + 1, **frame))
    if now is not None:
        frame.update(edgecolor=RESULT[0])
        panel.add_patch(Rectangle((at[0] + now[1], at[1] + now[0]), 1, 1, **frame))


def _sum(sliding: Sliding, step: int) -> str:
    """Return a step's sum written out, such as '1·1 + 2·2 = 5', or '' when it is too long."""
    if sliding.kernel.numel() > TERMS:
        return ""
    seen = [float(sliding.input[tap]) for tap in sliding.taps(step)]
    pairs = zip(seen, sliding.kernel.flatten().tolist(), strict=True)
    terms = [f"{_number(value)}·{_factor(weight)}" for value, weight in pairs]
    return f"{' + '.join(terms)} = {_number(float(sliding.output[sliding.place(step)]))}"


def _told(sliding: Sliding) -> str:
    """Say in words what is convolved with what."""
    rows = ["; ".join(" ".join(map(_number, row)) for row in grid.tolist()) for grid in (sliding.input, sliding.kernel)]
    padded = f" (padding {_pair(sliding.padding)} included)" if any(sliding.padding) else ""
    moves = f"stride {_pair(sliding.stride)}, dilation {_pair(sliding.dilation)}"
    return f"A convolution. Input{padded}, row by row: {rows[0]}. Kernel: {rows[1]}. It moves with {moves}."


def _told_step(sliding: Sliding, step: int) -> str:
    """Say in words where the window is, and what comes out."""
    taps, (row, column) = sliding.taps(step), sliding.place(step)
    (top, left), (bottom, right) = taps[0], taps[-1]
    sum_ = _sum(sliding, step) or _number(float(sliding.output[row, column]))
    return f"Output[{row}, {column}]: the window is on rows {top} to {bottom}, columns {left} to {right}; {sum_}."


def _factor(weight: float) -> str:
    """Return a number as it is written after a multiplication sign."""
    return f"({_number(weight)})" if weight < 0 else _number(weight)


def _pair(pair: tuple[int, int]) -> str:
    """Return a pair, or one number when both are the same."""
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]} by {pair[1]}"


def _number(value: float) -> str:
    """Return a number to two decimals, without trailing zeros and without a minus before 0."""
    return f"{round(value, 2) + 0.0:.10g}"
