"""Lines and bars: activation functions with their slopes, gradients by depth, histograms."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from tutor.plots.figure import COLOURS, DASHES, MARKERS, WIDTH, Picture, PlotError, drawing

POINTS = 801
COLUMNS = 3
ROW = 2.3  # inches
WIDTHS = {1: 4.5, 2: 6.5, 3: WIDTH}  # inches, by the number of columns


def activations(
    functions: Mapping[str, Callable[[Tensor], Tensor]], *, low: float = -4.0, high: float = 4.0
) -> Picture:
    """Draw each function from ``low`` to ``high`` and its slope, one panel a function, all to the same scale.

    functions: by the title of the panel, from a float64 tensor (n,) to one of the same shape; the slope is autograd's.
    Raises PlotError when there is no function, and for one that returns anything else or has no gradient.
    """
    _need(functions, "activations", "functions, such as {'ReLU': F.relu}")
    if not low < high:
        raise PlotError(f"activations draws from low to high, and low={low} is not less than high={high}.")
    columns = _columns(len(functions))
    rows = -(-len(functions) // columns)
    told = []
    with drawing(rows * ROW + 0.5, WIDTHS[columns]) as picture:
        panels = picture.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for panel in panels.flat[len(functions) :]:
            panel.remove()
        for place, (name, function) in enumerate(functions.items()):
            x, y, slope = _with_slope(name, function, low, high)
            panel = panels.flat[place]
            panel.axhline(0, color="#999999", linewidth=0.8)
            panel.axvline(0, color="#999999", linewidth=0.8)
            panel.plot(x, y, color=COLOURS[0], linestyle="-", label="function")
            panel.plot(*_broken_at_jumps(x, slope), color=COLOURS[1], linestyle="--", label="slope (gradient)")
            panel.set_title(name)
            panel.grid(True)
            if place + columns >= len(functions):  # nothing below it
                panel.tick_params(labelbottom=True)
                panel.set_xlabel("input")
            told.append(f"{name} goes from {_span(y)}, its slope from {_span(slope)}")
        handles, labels = panels.flat[0].get_legend_handles_labels()
        picture.legend(handles, labels, loc="outside upper center", ncols=2)
        many = "One panel" if len(functions) == 1 else f"{len(functions)} panels"
        picture.alt = f"{many}, inputs from {low:g} to {high:g}: {'; '.join(told)}."
        return picture


def gradient_by_depth(norms: Mapping[str, Sequence[float] | Tensor]) -> Picture:
    """Draw how strong the gradient is at each layer, on a logarithmic scale, one line a network.

    norms: by the name in the legend, the gradient norms from the first layer (nearest the input) to the last.
    Norms that are exactly 0 have no place on the scale; they are crosses on its lower edge.
    Raises PlotError when there are none, and for norms that are negative or not finite.
    """
    _need(norms, "gradient_by_depth", "gradient norms, such as {'Sigmoid': [1e-5, 1e-3, 0.1]}")
    lines = {name: _numbers(name, values) for name, values in norms.items()}
    for name, line in lines.items():
        if not torch.isfinite(line).all() or (line < 0).any():
            layer = int((~torch.isfinite(line) | (line < 0)).nonzero()[0])
            raise PlotError(
                f"{name!r} has the norm {line[layer]:g} at layer {layer + 1}; a norm is finite and not negative."
            )
    positive = [line[line > 0] for line in lines.values() if (line > 0).any()]
    floor = float(torch.cat(positive).min()) / 10 if positive else 0.1
    told = []
    with drawing(4.2) as picture:
        panel = picture.subplots()
        panel.set_yscale("log")
        for place, (name, line) in enumerate(lines.items()):
            colour, zero = COLOURS[place % len(COLOURS)], line == 0
            layers = torch.arange(1, len(line) + 1)
            panel.plot(
                layers,
                torch.where(zero, torch.nan, line),
                color=colour,
                linestyle=DASHES[place % len(DASHES)],
                marker=MARKERS[place % len(MARKERS)],
                markersize=5.5,
                label=name,
            )
            if zero.any():
                panel.plot(
                    layers[zero], torch.full_like(line[zero], floor), "x", color=colour, label=f"{name}: exactly 0"
                )
            told.append(f"{name} from {_power(line[0])} at layer 1 to {_power(line[-1])} at layer {len(line)}")
        panel.set_xlabel("layer (1 is nearest the input)")
        panel.set_ylabel("gradient norm, logarithmic scale")
        depth = max(len(line) for line in lines.values())
        apart = 1 if depth <= 10 else 5 if depth <= 50 else 10 * -(-depth // 100)
        panel.set_xticks(sorted({1, *range(apart, depth + 1, apart)}))
        panel.grid(True)
        picture.legend(loc="outside upper center", ncols=4 if len(panel.get_lines()) <= 4 else 3)
        picture.alt = f"Gradient norm by layer: {'; '.join(told)}."
        return picture


def histograms(values: Mapping[str, Tensor], *, bins: int = 60) -> Picture:
    """Draw how often each value occurs, one panel a tensor, all to the same scale across.

    values: by the title of the panel, a tensor of any shape. bins: how many, over the range of all values together.
    Raises PlotError when there are no tensors, and for an empty one or one with NaN or infinite values.
    """
    _need(values, "histograms", "tensors, such as {'ReLU': hidden}")
    numbers = {name: _numbers(name, tensor) for name, tensor in values.items()}
    for name, tensor in numbers.items():
        if not torch.isfinite(tensor).all():
            raise PlotError(f"{name!r} has NaN or infinite values, which belong into no bin; leave them out first.")
    low, high = min(float(t.min()) for t in numbers.values()), max(float(t.max()) for t in numbers.values())
    if low == high:
        low, high = low - 0.5, high + 0.5
    columns = _columns(len(numbers))
    rows = -(-len(numbers) // columns)
    told = []
    with drawing(rows * ROW + 0.2, WIDTHS[columns]) as picture:
        panels = picture.subplots(rows, columns, sharex=True, squeeze=False)
        for panel in panels.flat[len(numbers) :]:
            panel.remove()
        for place, (name, tensor) in enumerate(numbers.items()):
            panel = panels.flat[place]
            counts, edges = torch.histogram(tensor, bins, range=(low, high))
            panel.stairs(100 * counts / tensor.numel(), edges, fill=True, color=COLOURS[0])
            panel.set_title(name)
            panel.grid(True, axis="y")
            panel.set_axisbelow(True)
            if place + columns >= len(numbers):
                panel.tick_params(labelbottom=True)
                panel.set_xlabel("value")
            if place % columns == 0:
                panel.set_ylabel("% of values")
            zeros = 100 * float((tensor == 0).double().mean())
            told.append(
                f"{name} from {_span(tensor)}, mean {_short(float(tensor.mean()))}"
                + (f", {zeros:.0f} % exactly 0" if zeros >= 0.5 else "")
            )
        many = "One histogram" if len(numbers) == 1 else f"{len(numbers)} histograms"
        picture.alt = f"{many}: {'; '.join(told)}."
        return picture


def _with_slope(
    name: str, function: Callable[[Tensor], Tensor], low: float, high: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return points, the function's values there, and its slopes, float64 (n,) each."""
    x = torch.linspace(low, high, POINTS, dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        y = function(x)
    if not isinstance(y, Tensor) or y.shape != x.shape:
        got = tuple(y.shape) if isinstance(y, Tensor) else type(y).__name__
        raise PlotError(
            f"{name!r} should turn a tensor of shape {tuple(x.shape)} into one of the same shape; it gave {got}."
        )
    if not y.requires_grad:
        raise PlotError(
            f"{name!r} has no gradient: compute with torch alone, without .detach(), .data, .item() or numpy."
        )
    (slope,) = torch.autograd.grad(y.sum(), x)
    return x.detach(), y.detach(), slope


def _broken_at_jumps(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return a curve with a gap (NaN) wherever it jumps: at a kink a function has no slope, not every slope between."""
    steps = y.diff().abs()
    around = torch.maximum(steps.roll(1), steps.roll(-1))
    jumps = ((steps > 0.05) & (steps > 10 * around)).nonzero().flatten().tolist()
    for place in reversed(jumps):
        gap = x.new_tensor([torch.nan])
        x, y = (torch.cat([line[: place + 1], gap, line[place + 1 :]]) for line in (x, y))
    return x, y


def _columns(panels: int) -> int:
    """Return how many panels go side by side."""
    return 2 if panels == 4 else min(COLUMNS, panels)


def _power(norm: Tensor) -> str:
    """Return a norm to one significant digit."""
    return f"{float(f'{float(norm):.1g}'):g}"


def _need(given: object, what: str, example: str) -> None:
    """Raise PlotError unless a non-empty mapping was given."""
    if not isinstance(given, Mapping) or not given:
        raise PlotError(
            f"{what} draws a dict of {example}; it got {'an empty one' if given == {} else type(given).__name__}."
        )


def _numbers(name: str, values: object) -> Tensor:
    """Return the values as a float64 tensor (n,), else raise PlotError."""
    try:
        numbers = torch.as_tensor(values).detach().cpu().double().flatten()
    except (TypeError, ValueError, RuntimeError) as error:
        raise PlotError(f"{name!r} is no list or tensor of numbers but {type(values).__name__}.") from error
    if numbers.numel() == 0:
        raise PlotError(f"{name!r} is empty, so there is nothing to draw.")
    return numbers


def _span(values: Tensor) -> str:
    """Return the least and greatest value in words."""
    return f"{_short(float(values.min()))} to {_short(float(values.max()))}"


def _short(number: float) -> str:
    """Return a number to two decimals, without trailing zeros and without a minus before 0."""
    return f"{round(number, 2) + 0.0:g}"
