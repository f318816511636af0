"""How a training went: loss and accuracy by epoch, and what was taken for what.

No two kinds of processor train a net to the very same numbers. So that a stored notebook reads the same wherever it was
run, these figures' words hold numbers only for people; for programs they say which way things go.
"""

from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from tutor.frontend import someone_watches
from tutor.plots.figure import COLOURS, DASHES, MARKERS, WIDTH, Picture, PlotError, drawing

MOST = 20  # classes; more can't be read
LETTER = 0.085  # inches, a letter of a label, roughly
PALE, DEEP = (1.0, 1.0, 1.0), (0.45, 0.70, 0.88)  # dark letters have a contrast of 6 to 1 or more on both


def training_curves(
    losses: Sequence[float] | Tensor, accuracies: Sequence[float] | Tensor, *, chance: float | None = None
) -> Picture:
    """Draw the training loss and the test accuracy after each epoch, side by side.

    losses, accuracies: one number an epoch, of the same length; accuracies are shares from 0 to 1. chance: the accuracy of
    guessing, as a dotted line.
    Raises PlotError for empty or unequal lists, numbers that aren't finite, and accuracies outside 0 to 1.
    """
    loss, right = _numbers("losses", losses), _numbers("accuracies", accuracies)
    if len(loss) != len(right):
        raise PlotError(f"There are {len(loss)} losses and {len(right)} accuracies; give one of each for every epoch.")
    if float(right.min()) < 0 or float(right.max()) > 1:
        raise PlotError(
            f"The accuracies go from {right.min():.4g} to {right.max():.4g}; they are shares from 0 to 1, not percent."
        )
    epochs = torch.arange(1, len(loss) + 1)
    with drawing(3.0) as picture:
        panels = picture.subplots(1, 2)
        for place, (panel, name, line) in enumerate(
            zip(panels, ("training loss", "test accuracy"), (loss, right), strict=True)
        ):
            style = {"color": COLOURS[place], "linestyle": DASHES[place], "marker": MARKERS[place], "markersize": 5.5}
            panel.plot(epochs, line, **style)
            panel.set_title(name)
            panel.set_xlabel("epoch")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
            panel.grid(True)
        panels[0].set_ylim(bottom=0, top=1.08 * float(loss.max()) or 1)
        panels[1].set_ylim(0, 1)
        if chance is not None:
            panels[1].axhline(chance, color=COLOURS[6], linestyle=DASHES[3], linewidth=1.4)
            panels[1].text(float(epochs[-1]), chance + 0.02, "guessing", ha="right", va="bottom")
        parts = [_told(name, line) for name, line in (("The training loss", loss), ("the test accuracy", right))]
        picture.alt = f"Two curves over {_count(len(loss), 'epoch')}. {parts[0]}; {parts[1]}."
        return picture


def confusion_matrix(counts: Tensor, classes: Sequence[object] | None = None) -> Picture:
    """Draw a confusion matrix: each count in its cell, shaded by its share of the row.

    counts: (classes, classes), not negative, up to 20 classes; a row for each class that is right, a column for each that
    was said. classes: their names; without them, their numbers.
    Raises PlotError for anything else.
    """
    grid = _square(counts)
    names = [str(name) for name in (classes if classes is not None else range(len(grid)))]
    if len(names) != len(grid):
        raise PlotError(f"There are {len(grid)} rows and {len(names)} names; give one name for each class.")
    longest = LETTER * max(map(len, names))
    side = min(0.52, (WIDTH - longest - 0.6) / len(grid))
    shares = grid / grid.sum(1, keepdim=True).clamp(min=1e-12)
    with drawing(side * len(grid) + longest + 0.6, side * len(grid) + longest + 0.6) as picture:
        panel = picture.subplots()
        shades = [[_shade(float(share)) for share in row] for row in shares]
        panel.imshow(torch.tensor(shades).numpy())
        for row, column in torch.cartesian_prod(*[torch.arange(len(grid))] * 2).tolist() if len(grid) > 1 else [(0, 0)]:
            number = float(grid[row, column])
            faint = number == 0
            style: dict[str, Any] = {"color": "#6b6b6b" if faint else "#222222", "fontsize": 9}
            if row == column:
                style["fontweight"] = "bold"
            panel.text(column, row, f"{number:g}", ha="center", va="center", **style)
        panel.set_xticks(range(len(names)), names, rotation=90 if longest > side else 0)
        panel.set_yticks(range(len(names)), names)
        panel.set(xlabel="what the net says", ylabel="what is right")
        panel.tick_params(length=0)
        panel.spines[:].set_visible(False)
        picture.alt = _told_confusion(grid, names)
        return picture


def _told_confusion(grid: Tensor, names: Sequence[str]) -> str:
    """Say in words what a confusion matrix shows."""
    total, right = float(grid.sum()), float(grid.trace())
    begin = f"A confusion matrix of {_count(len(grid), 'class')} and {total:g} images"
    if not someone_watches():
        much = "all" if right == total else "more than half" if right > total / 2 else "at most half"
        return f"{begin}, {much} of them on the diagonal."
    rows = []
    for row, name in enumerate(names):
        said = [f"{float(grid[row, c]):g} as {names[c]}" for c in range(len(names)) if grid[row, c] and c != row]
        rows.append(f"{name}: {float(grid[row, row]):g} right" + (f", {', '.join(said)}" if said else ""))
    return f"{begin}, {right:g} of them on the diagonal. {'; '.join(rows)}."


def _told(name: str, line: Tensor) -> str:
    """Say in words where a curve goes."""
    if len(line) == 1:
        return f"{name} is a single point" + (f" at {float(line[0]):.2f}" if someone_watches() else "")
    way = "falls" if line[-1] < line[0] else "rises" if line[-1] > line[0] else "ends where it began"
    if someone_watches():
        return f"{name} {way}: {', '.join(f'{float(value):.2f}' for value in line)}"
    steps = line.diff()
    always = bool((steps < 0).all() if way == "falls" else (steps > 0).all())
    return f"{name} {way}{' in every epoch' if always else ''}"


def _shade(share: float) -> tuple[float, ...]:
    """Return the colour for a share of its row."""
    return tuple(pale + share * (deep - pale) for pale, deep in zip(PALE, DEEP, strict=True))


def _square(counts: object) -> Tensor:
    """Return counts (classes, classes) as float64, else raise PlotError."""
    if not isinstance(counts, Tensor) or counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.numel():
        got = f"shape {tuple(counts.shape)}" if isinstance(counts, Tensor) else type(counts).__name__
        raise PlotError(f"The counts have to be a tensor of shape (classes, classes); got {got}.")
    if len(counts) > MOST:
        raise PlotError(f"{len(counts)} classes are too many to read; draw up to {MOST}.")
    grid = counts.detach().cpu().double()
    if not bool(torch.isfinite(grid).all()) or bool((grid < 0).any()):
        raise PlotError("The counts hold negative, NaN or infinite numbers; a count is 0 or more.")
    return grid


def _numbers(name: str, values: object) -> Tensor:
    """Return values as a float64 tensor (n,), else raise PlotError."""
    try:
        line = torch.as_tensor(values, dtype=torch.float64).detach().cpu().flatten()
    except (TypeError, ValueError, RuntimeError) as error:
        raise PlotError(f"{name} is no list or tensor of numbers but {type(values).__name__}.") from error
    if not line.numel() or not bool(torch.isfinite(line).all()):
        raise PlotError(f"{name} has to hold finite numbers, one for each epoch.")
    return line


def _count(number: int, what: str) -> str:
    """Return a number of things in words."""
    many = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"1 {what}" if number == 1 else f"{number} {many}"
