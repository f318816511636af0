"""Where a scene's grids are put on a figure: one step, or a filmstrip of several."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from tutor.plots.cells import EDGE, HATCH, INK, LOOKS, PALETTE, draw_grid
from tutor.plots.figure import WIDTH, Picture, PlotError, drawing

if TYPE_CHECKING:
    from tutor.plots.scene import Scene, Step

CELL, SMALLEST, HIGHEST = 0.5, 0.08, 7.0  # inches: the side of a cell, at least; the height of one step, roughly
LEGIBLE = 6.5  # points, which is 9 pixels; smaller numbers are left out
GAP, LETTER, LINE_HEIGHT, NAME = 0.5, 0.083, 0.25, 0.26  # inches: between columns, a letter, a line, a grid's name


class Placed(NamedTuple):
    """A grid's number, and where its upper left corner is, in inches."""

    grid: int
    x: float
    y: float


class Plan(NamedTuple):
    """Where all grids of one step are, in inches, and the signs between them (x, y, text)."""

    grids: list[Placed]
    signs: list[tuple[float, float, str]]
    width: float
    height: float
    named: bool = False


def draw_step(scene: Scene, step: int, numbers: bool | None, *, words: bool = True, marks: bool = True) -> Picture:
    """Draw one step: all grids side by side, the sum below; without ``words`` the grids alone, or without any ``marks``."""
    everything = range(len(scene.grids))
    per_line = int((WIDTH - 0.3) / LETTER)
    lines = 0 if not words else 1 if scene.words <= per_line else min(3, math.ceil(scene.words / (0.85 * per_line)))
    below = lines * LINE_HEIGHT + (0.34 if _kinds(scene) else 0.0) + (0.1 if lines else 0.04)
    tallest = (HIGHEST - below, 2 * HIGHEST)  # many channels may need a page that is scrolled
    sides = (_largest_cell(lambda side: _plan(scene, everything, side), WIDTH - 0.16, tall) for tall in tallest)
    cell = _visible(next(filter(None, sides), 0.0))
    plan = _plan(scene, everything, cell)
    needed = min(scene.words, per_line) * LETTER if lines else 0.0
    width = max(plan.width, needed, _legend_width(scene)) + 0.16
    shift = (width - 0.16 - plan.width) / 2
    happening = scene.at(step) if marks else scene.at(step)._replace(marks=())
    with drawing(plan.height + below + 0.1, width, fixed=True) as picture:
        panel = _panel(picture, width / cell, (plan.height + below + 0.1) / cell, 0.08 / cell)
        _draw_plan(panel, scene, plan, step, happening, cell, (shift, 0.05), numbers)
        top = plan.height + 0.05
        if _kinds(scene):
            _legend(panel, scene, (width - 0.16) / 2, top + 0.2, cell)
            top += 0.34
        if lines:
            text = "\n".join(textwrap.wrap(happening.words, per_line)[:lines])
            middle = top + 0.08 + lines * LINE_HEIGHT / 2
            panel.text((width - 0.16) / 2 / cell, middle / cell, text, ha="center", va="center", linespacing=1.25)
        picture.alt = f"{scene.told} {happening.told}"
        return picture


def draw_film(scene: Scene, steps: Sequence[int], numbers: bool | None) -> Picture:
    """Draw several steps: what never changes once on the left, then for each step the rest from top to bottom."""
    seen = [scene.at(step) for step in steps]
    marked = {mark.grid for step in seen for mark in step.marks if mark.role != "used"}
    changing = {grid.column for n, grid in enumerate(scene.grids) if n in marked or callable(grid.values)}
    fixed = [n for n, grid in enumerate(scene.grids) if grid.column not in changing]
    moving = [n for n in range(len(scene.grids)) if n not in fixed]

    def side_of(many: int) -> float:
        """Return the side of a cell when so many frames stand side by side."""
        return _largest_cell(lambda side: _film_plan(scene, fixed, moving, side, many)[-1], WIDTH - 0.16, torch.inf)

    sides = {many: side_of(many) for many in range(min(len(steps), 5), 0, -1)}
    legible = [many for many, side in sides.items() if numbers is not False and _letters(scene, side) >= LEGIBLE]
    visible = [many for many, side in sides.items() if side]
    across = (legible or visible or [1])[0]
    rows = -(-len(steps) // across)
    across = -(-len(steps) // rows)  # 6 in rows of 5 are 3 and 3
    cell = _visible(sides[across])
    still, frame, whole = _film_plan(scene, fixed, moving, cell, across)
    title, between = 0.34, 0.3
    legend = 0.34 if _kinds(scene) else 0.0
    tall = rows * (frame.height + title + between) - between
    height = max(tall, still.height + 0.3) + legend + 0.1
    width = max(whole.width, _legend_width(scene)) + 0.16
    with drawing(height, width, fixed=True) as picture:
        panel = _panel(picture, width / cell, height / cell, 0.08 / cell)
        if fixed:
            drop = title + max(0.0, (frame.height - still.height) / 2)
            _draw_plan(panel, scene, still, steps[0], seen[0], cell, (0.0, 0.05 + drop), numbers)
        begin = still.width + GAP if fixed else 0.0
        for place, step in enumerate(steps):
            left = begin + place % across * (frame.width + GAP)
            top = 0.05 + place // across * (frame.height + title + between)
            middle = (left + frame.width / 2) / cell
            panel.text(middle, (top + title * 0.45) / cell, seen[place].title, ha="center", va="center", color=INK)
            _draw_plan(panel, scene, frame, step, seen[place], cell, (left, top + title), numbers)
        if legend:
            _legend(panel, scene, (width - 0.16) / 2, height - 0.2, cell)
        picture.alt = " ".join([scene.told, *(step.told for step in seen)])
        return picture


def _plan(scene: Scene, chosen: Sequence[int], cell: float, *, down: bool = False) -> Plan:
    """Return where grids go when a cell is so many inches: columns side by side, or, ``down``, below each other."""
    columns: dict[int, list[int]] = {}
    for n in chosen:
        columns.setdefault(scene.grids[n].column, []).append(n)
    named = not down or len(chosen) > len(columns) or len(columns) > 2  # else a film's frames speak for themselves

    def size(n: int) -> tuple[float, float]:
        """Return (along the columns' direction, across it), in inches, with the name."""
        rows, wide = scene.grids[n].shape
        name = LETTER * len(scene.grids[n].name) if named else 0.0
        broad, high = max(wide * cell, name), rows * cell + (NAME if named else 0.0)
        return (high, broad) if down else (broad, high)

    pitch = max((size(n)[1] for n in chosen), default=0.0) + 0.12
    longest = max((len(column) for column in columns.values()), default=0) * pitch - 0.12
    at, grids, signs = 0.0, [], []
    for place, (column, members) in enumerate(columns.items()):
        thick = max(size(n)[0] for n in members)
        begin = (longest - (len(members) * pitch - 0.12)) / 2
        for slot, n in enumerate(members):
            rows, wide = scene.grids[n].shape
            along = at + (thick - (rows if down else wide) * cell) / 2
            aside = begin + slot * pitch + (pitch - 0.12 - (wide if down else rows) * cell) / 2
            x, y = (aside, along) if down else (along, aside)
            grids.append(Placed(n, x, y + (NAME / 2 if named else 0.0)))
        at += thick
        if place < len(columns) - 1:
            sign = scene.signs[column] if not down else "↓"
            gap = GAP if sign else GAP / 2
            signs.append((longest / 2, at + gap / 2, sign) if down else (at + gap / 2, longest / 2, sign))
            at += gap
    return Plan(grids, signs, *((longest, at) if down else (at, longest)), named)


def _film_plan(
    scene: Scene, fixed: Sequence[int], moving: Sequence[int], cell: float, across: int
) -> tuple[Plan, Plan, Plan]:
    """Return the plans of what stays, of one frame, and of a row of so many (only its size)."""
    still, frame = _plan(scene, fixed, cell), _plan(scene, moving, cell, down=True)
    least = LETTER * 13  # a frame's title
    if frame.width < least:
        shift = (least - frame.width) / 2
        frame = frame._replace(
            grids=[Placed(n, x + shift, y) for n, x, y in frame.grids],
            signs=[(x + shift, y, sign) for x, y, sign in frame.signs],
            width=least,
        )
    wide = (still.width + GAP if fixed else 0.0) + across * (frame.width + GAP) - GAP
    return still, frame, Plan([], [], wide, frame.height)


def _largest_cell(plan: Callable[[float], Plan], width: float, height: float) -> float:
    """Return the largest side of a cell, in inches, with which a plan is at most so wide and high; 0 for none."""
    sides = [CELL * (1 - step / 60) for step in range(60) if CELL * (1 - step / 60) >= SMALLEST]
    for side in sides:
        found = plan(side)
        if found.width <= width and found.height <= height:
            return side
    return 0.0


def _letters(scene: Scene, cell: float) -> float:
    """Return the size in points with which the longest number fits a cell of so many inches."""
    return min(12.0, 72 * cell * 0.48, 72 * cell * 0.85 / (0.64 * scene.longest))


def _visible(cell: float) -> float:
    """Return the side of a cell, else raise PlotError when it is 0."""
    if not cell:
        raise PlotError(
            "That has too many cells to be told apart; draw a smaller input, fewer channels or fewer steps."
        )
    return cell


def _panel(picture: Picture, wide: float, tall: float, margin: float) -> Axes:
    """Return axes without lines or ticks that fill the figure, one unit a cell, rows counted downwards."""
    picture.palette = PALETTE
    panel = picture.add_axes((0, 0, 1, 1))
    panel.set(xlim=(-margin, wide - margin), ylim=(tall, 0))
    panel.axis("off")
    return panel


def _draw_plan(
    panel: Axes,
    scene: Scene,
    plan: Plan,
    step: int,
    happening: Step,
    cell: float,
    at: tuple[float, float],
    numbers: bool | None,
) -> None:
    """Draw all grids of a plan as they are at a step, with its corner at (x, y) inches."""
    size = _letters(scene, cell)
    shown = size >= LEGIBLE if numbers is None else numbers
    for n, x, y in plan.grids:
        grid, corner = scene.grids[n], ((at[0] + x) / cell, (at[1] + y) / cell)
        name = happening.names.get(n, grid.name)
        if name:
            draw_grid(panel, n, grid, happening, step, corner, size / 72 / cell if shown else 0.0)
        if name and plan.named:
            middle = corner[0] + grid.shape[1] / 2
            panel.text(middle, corner[1] - 0.05 / cell, name, ha="center", va="bottom", color=INK)
    for x, y, sign in plan.signs:
        panel.text((at[0] + x) / cell, (at[1] + y) / cell, sign, ha="center", va="center", fontsize=14)


def _kinds(scene: Scene) -> list[int]:
    """Return the kinds of cells that need a word of explanation."""
    there = {kind for grid in scene.grids for kind in grid.kinds.flatten().tolist()}
    return [kind for kind, (*_, name) in LOOKS.items() if name and kind in there]


def _legend_width(scene: Scene) -> float:
    """Return how wide the legend is, in inches."""
    return sum(0.55 + LETTER * len(LOOKS[kind][3]) for kind in _kinds(scene))


def _legend(panel: Axes, scene: Scene, middle: float, y: float, cell: float) -> None:
    """Draw a sample of each kind of cell with its name."""
    x, side = middle - _legend_width(scene) / 2 + 0.12, 0.17
    for kind in _kinds(scene):
        filling, edge, hatch, name = LOOKS[kind]
        box = Rectangle(
            (x / cell, (y - side / 2) / cell),
            side / cell,
            side / cell,
            facecolor=filling,
            edgecolor=EDGE,
            linewidth=0.8,
            linestyle=edge,
            hatch=hatch or None,
            hatchcolor=HATCH,
        )
        panel.add_patch(box)
        panel.text((x + side + 0.08) / cell, y / cell, name, ha="left", va="center", fontsize=9.5, color=INK)
        x += 0.55 + LETTER * len(name)
