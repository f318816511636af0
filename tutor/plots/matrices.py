"""Matrices with their pattern of equal entries, and counts of overlaps, as numbers in shaded cells."""

import itertools
from collections.abc import Mapping
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from tutor.plots.figure import WIDTH, Picture, PlotError, drawing

CELL, SMALLEST = 0.44, 0.26  # inches, the side of a cell; below the second, numbers can't be read
TALLEST = 24  # rows; more would not fit a screen
LABEL, GAP = 1.3, 1.2  # cells for the numbers of the rows, and between two grids
LETTER = 0.085  # inches, a letter of a title, roughly
PALE, DEEP = (0.93, 0.96, 0.99), (0.45, 0.70, 0.88)  # dark letters have a contrast of 6 to 1 or more on both
LINE, HEAVY, INK, FAINT = "#9a9a9a", "#222222", "#222222", "#5c5c5c"


def matrix(
    values: Tensor, *, rows: str = "row", columns: str = "column", row_block: int = 0, column_block: int = 0
) -> Picture:
    """Draw a matrix: each entry printed, equal ones in the same shade, and zeros left blank.

    values: (rows, columns), up to 24 rows and 28 columns. rows, columns: what one of them stands for, such as
    "output". row_block, column_block: a heavy line after each so many, such as the pixels in one row of an image.
    Raises PlotError for anything else, and for NaN and infinite numbers.
    """
    grid = _grid(values, "The matrix")
    tall, wide = grid.shape
    for name, block in (("row_block", row_block), ("column_block", column_block)):
        if not isinstance(block, int) or block < 0:
            raise PlotError(f"{name}={block!r} is no number of lines; give a whole number, or 0 for none.")
    cell = _cell(wide + LABEL + 1, tall)
    named = (max(LETTER * len(rows) / cell, tall) - tall) / 2  # cells by which the name of the rows is longer than they
    side = (max(LETTER * len(columns) / cell, wide) - wide) / 2
    down, across = (-max(1.7, named), tall + named), (-max(LABEL + 1, side), wide + side)
    with drawing(cell * (down[1] - down[0] + 0.1), cell * (across[1] - across[0] + 0.1)) as picture:
        panel = _panel(picture, across, down)
        _cells(panel, grid, (0, 0), cell, blank=True)
        faint: dict[str, Any] = {"ha": "center", "va": "center", "color": FAINT, "fontsize": min(9.5, cell * 24)}
        for number in range(wide):
            panel.text(number + 0.5, -0.4, str(number), **faint)
        for number in range(tall):
            panel.text(-0.55, number + 0.5, str(number), **faint)
        panel.text(wide / 2, -1.25, columns, ha="center", va="center")
        panel.text(-1.6, tall / 2, rows, ha="center", va="center", rotation=90)
        heavy: dict[str, Any] = {"color": HEAVY, "linewidth": 2.2, "solid_capstyle": "butt"}
        for at in range(column_block, wide, column_block) if column_block else ():
            panel.plot([at, at], [0, tall], **heavy)
        for at in range(row_block, tall, row_block) if row_block else ():
            panel.plot([0, wide], [at, at], **heavy)
        panel.add_patch(Rectangle((0, 0), wide, tall, fill=False, edgecolor=HEAVY, linewidth=1.2))
        picture.alt = (
            f"A matrix with {_count(tall, 'row')} ({rows}) and {_count(wide, 'column')} ({columns}); zeros are blank. "
        ) + " ".join(_told_row(number, row) for number, row in enumerate(grid.tolist()))
        return picture


def overlaps(counts: Mapping[str, Tensor]) -> Picture:
    """Draw counts as grids of numbers side by side, the larger the darker, all in one scale.

    counts: for each title whole numbers, (height, width), or (width,) for one row; together up to 30 wide, 24 high.
    Raises PlotError for anything else.
    """
    if not isinstance(counts, Mapping) or not counts:
        raise PlotError('There is nothing to draw; give titles and counts, such as {"kernel 3, stride 2": counts}.')
    grids = {}
    for title, given in counts.items():
        row = isinstance(given, Tensor) and given.ndim == 1
        grid = _grid(given[None] if row else given, f"{title!r}")
        if bool((grid != grid.round()).any()) or bool((grid < 0).any()):
            raise PlotError(f"{title!r} holds numbers that are no counts; give whole numbers from 0 on.")
        grids[title] = grid
    most = max(float(grid.max()) for grid in grids.values())
    tall = max(grid.shape[0] for grid in grids.values())
    cell = _cell(sum(grid.shape[1] for grid in grids.values()) + GAP * (len(grids) - 1), tall)
    widths = {title: max(grid.shape[1], LETTER * len(title) / cell) for title, grid in grids.items()}
    wide = sum(widths.values()) + GAP * (len(grids) - 1)
    if cell * wide > WIDTH + 0.01:
        raise PlotError(f"{len(grids)} grids with such long titles don't fit side by side; shorten them or draw fewer.")
    with drawing(cell * (tall + 0.8), cell * wide) as picture:
        panel = _panel(picture, (0, wide), (-0.75, tall))
        left, told = 0.0, []
        for title, grid in grids.items():
            start = left + (widths[title] - grid.shape[1]) / 2
            panel.text(left + widths[title] / 2, -0.35, title, ha="center", va="center")
            _cells(panel, grid, (start, 0), cell, most=most)
            lines = "; ".join(" ".join(map(_number, row)) for row in grid.tolist())
            told.append(f"{title}, {grid.shape[0]} by {grid.shape[1]}, row by row: {lines}.")
            left += widths[title] + GAP
        picture.alt = " ".join(["Counts, the larger the darker.", *told])
        return picture


def _grid(values: object, what: str) -> Tensor:
    """Return a tensor (rows, columns) as float64, else raise PlotError."""
    if not isinstance(values, Tensor) or values.ndim != 2 or values.numel() == 0:
        got = f"shape {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
        raise PlotError(f"{what} has to be a tensor of shape (rows, columns); got {got}.")
    grid = values.detach().cpu().double()
    if not torch.isfinite(grid).all():
        raise PlotError(f"{what} holds NaN or infinite numbers, which can't be drawn.")
    return grid


def _cell(wide: float, tall: int) -> float:
    """Return the side of a cell in inches when so many fit side by side, else raise PlotError."""
    cell = min(CELL, WIDTH / wide)
    if cell < SMALLEST or tall > TALLEST:
        raise PlotError(f"That is {wide:.0f} cells wide and {tall} high, too many to read; draw a smaller part.")
    return min(cell, 0.32) if tall > 10 else cell


def _panel(picture: Picture, across: tuple[float, float], down: tuple[float, float]) -> Axes:
    """Return axes without lines or ticks, one unit a cell, rows counted downwards."""
    panel = picture.subplots()
    panel.set(xlim=(across[0] - 0.05, across[1] + 0.05), ylim=(down[1] + 0.05, down[0] - 0.05), aspect="equal")
    panel.axis("off")
    return panel


def _cells(
    panel: Axes, grid: Tensor, at: tuple[float, float], cell: float, *, most: float | None = None, blank: bool = False
) -> None:
    """Draw a grid with its upper left corner at a place; most: the count that is darkest; blank: zeros stay empty."""
    entries = sorted({value for value in grid.flatten().tolist() if value or not blank})
    longest = max((len(_number(value)) for value in entries), default=1)
    size = min(11.5, 72 * cell * 0.48, 72 * cell * 0.85 / (0.64 * longest))
    for row, column in itertools.product(*map(range, grid.shape)):
        value = float(grid[row, column])
        style: dict[str, Any] = {"facecolor": "white", "edgecolor": LINE, "linewidth": 0.7}
        if value:
            rank = value / most if most else (entries.index(value) + 1) / len(entries)
            style.update(facecolor=tuple(p + rank * (d - p) for p, d in zip(PALE, DEEP, strict=True)))
        panel.add_patch(Rectangle((at[0] + column, at[1] + row), 1, 1, **style))
        if value or not blank:
            where = at[0] + column + 0.5, at[1] + row + 0.52
            panel.text(*where, _number(value), ha="center", va="center", fontsize=size, color=INK)


def _told_row(number: int, row: list[float]) -> str:
    """Say in words which entries of a row are not zero, runs of neighbours together."""
    runs = []
    for filled, places in itertools.groupby(range(len(row)), key=lambda place: row[place] != 0):
        found = list(places)
        if filled:
            where = f"column {found[0]}" if len(found) == 1 else f"columns {found[0]} to {found[-1]}"
            runs.append(f"{' '.join(_number(row[place]) for place in found)} in {where}")
    return f"Row {number}: {', '.join(runs) or 'all zeros'}."


def _count(number: int, what: str) -> str:
    """Return a number of things in words."""
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def _number(value: float) -> str:
    """Return a number to two decimals, without trailing zeros and without a minus before 0."""
    return f"{round(value, 2) + 0.0:.10g}"
