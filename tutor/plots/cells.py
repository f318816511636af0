"""The cells of a grid as they look: by their kind, by their part in a step, with their numbers in them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from PIL import Image

from tutor.plots.figure import COLOURS
from tutor.plots.words import number

if TYPE_CHECKING:
    from tutor.plots.scene import Grid, Step

EDGE, FAINT, INK, HATCH = "#888888", "#5c5c5c", "#222222", "#bdbdbd"
BLUE, ORANGE = COLOURS[0], COLOURS[1]
FILLED = {"looked": "#d3e6f4", "used": "#d3e6f4", "result": "#fbe3cf", "chosen": "#fbe3cf"}

# Every kind of cell by its filling, its edge, its hatch, and its name below the grids.
LOOKS: dict[int, tuple[str, str, str, str]] = {
    0: ("white", "-", "", ""),
    1: ("#ececec", ":", "", "padding"),
    2: ("#f6f6f6", "-", "....", "inserted zero"),
    3: ("white", ":", "", "nothing: hangs over"),
    4: ("#ececec", ":", "////", "cut off as padding"),
    5: ("#f1ecf7", "--", "....", "output padding"),
}


def _palette() -> Image.Image:
    """Return all colours that a scene can have: every line on every filling, with the shades of its soft edge."""
    fillings = {filling for filling, *_ in LOOKS.values()} | set(FILLED.values())
    shades = {
        tuple(round(255 * (paper + share * (ink - paper))) for paper, ink in zip(to_rgb(f), to_rgb(line), strict=True))
        for f in fillings
        for line in (EDGE, INK, FAINT, HATCH, BLUE, ORANGE)
        for share in (0, 0.25, 0.5, 0.75, 1)
    }
    image = Image.new("P", (1, 1))
    image.putpalette([level for shade in sorted(shades) for level in shade])
    return image


PALETTE = _palette()


def draw_grid(
    panel: Axes, n: int, grid: Grid, happening: Step, step: int, at: tuple[float, float], size: float
) -> None:
    """Draw one grid with its marks; size: of the numbers in cells, 0 for none.

    The numbers are drawn as one outline: as a ``Text`` each, they would take most of the time.
    """
    values, kinds = grid.at(step).tolist(), grid.kinds.tolist()
    roles = {cell: mark.role for mark in happening.marks if mark.grid == n for cell in mark.cells}
    for kind, (filling, edge, hatch, _) in LOOKS.items():
        cells = [(r, c) for r, row in enumerate(kinds) for c, found in enumerate(row) if found == kind]
        if cells:
            corners = np.array([(at[0] + c, at[1] + r) for r, c in cells])
            square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
            panel.add_collection(
                PolyCollection(
                    corners[:, None] + square[None],
                    facecolors=[FILLED.get(roles.get(cell, ""), filling) for cell in cells],
                    edgecolors=EDGE,
                    linewidths=0.8,
                    linestyles=edge,
                    zorder=1,
                ),
                autolim=False,
            )
            _hatch(panel, corners, hatch)
    if size:
        written: dict[str, list[Path]] = {FAINT: [], INK: []}
        for r, c in ((r, c) for r, row in enumerate(values) for c, value in enumerate(row) if value == value):
            role, outside = roles.get((r, c)), kinds[r][c] != 0
            outline = glyphs(number(values[r][c]), outside, role == "chosen")
            middle = np.array((at[0] + c + 0.5, at[1] + r + 0.5))
            path = Path(np.asarray(outline.vertices) * size + middle, outline.codes)
            written[FAINT if outside and role is None else INK].append(path)
        for colour, paths in written.items():
            if paths:
                letters = PathPatch(Path.make_compound_path(*paths), facecolor=colour, linewidth=0, zorder=2)
                panel.add_artist(letters)
    for mark in happening.marks:
        if mark.grid == n and mark.cells:
            _frame(panel, mark.cells, mark.role, at)


def _hatch(panel: Axes, corners: np.ndarray[Any, Any], hatch: str) -> None:
    """Draw strokes or dots into cells at once: matplotlib's own hatch takes longer than all the rest of a figure."""
    if hatch == "////":
        strokes = np.array([[(0, 0.5), (0.5, 0)], [(0, 1), (1, 0)], [(0.5, 1), (1, 0.5)]])
        lines = (corners[:, None, None] + strokes[None]).reshape(-1, 2, 2)
        panel.add_collection(LineCollection(list(lines), colors=HATCH, linewidths=0.9, zorder=1.5), autolim=False)
    elif hatch:
        dots = np.array([(x, y) for x in (0.2, 0.5, 0.8) for y in (0.2, 0.5, 0.8)])
        x, y = (corners[:, None] + dots[None]).reshape(-1, 2).T
        panel.plot(x, y, ".", color=HATCH, markersize=4.5, markeredgewidth=0, zorder=1.5)


@cache
def glyphs(text: str, slanted: bool, bold: bool) -> Path:
    """Return the outline of a number, of size 1, with the middle of its digits at (0, 0), y downwards."""
    font = FontProperties(
        family="DejaVu Sans", style="italic" if slanted else "normal", weight="bold" if bold else "normal"
    )
    path = TextPath((0, 0), text, size=100, prop=font)
    points = np.asarray(path.vertices)
    left, right = points[:, 0].min(), points[:, 0].max()
    return Path((points - ((left + right) / 2, 36.5)) * (0.01, -0.01), path.codes)  # digits are 73 high


def _frame(panel: Axes, cells: Sequence[tuple[int, int]], role: str, at: tuple[float, float]) -> None:
    """Frame marked cells: all together, or each when there are gaps between them."""
    if role == "used":
        return
    style: dict[str, Any] = {"fill": False, "edgecolor": BLUE if role == "looked" else ORANGE, "zorder": 3}
    (top, left), (bottom, right) = (tuple(f(side) for side in zip(*cells, strict=True)) for f in (min, max))
    whole = len(cells) == (bottom - top + 1) * (right - left + 1)
    if role == "chosen":
        for row, column in cells:
            box = (at[0] + column + 0.1, at[1] + row + 0.1)
            panel.add_patch(Rectangle(box, 0.8, 0.8, linewidth=1.8, linestyle=(0, (3, 1.2)), **style))
        return
    if not whole:
        for row, column in cells:
            panel.add_patch(Rectangle((at[0] + column, at[1] + row), 1, 1, linewidth=2.6, **style))
    corner, wide, tall = (at[0] + left, at[1] + top), right - left + 1, bottom - top + 1
    panel.add_patch(Rectangle(corner, wide, tall, linewidth=2.6 if whole else 1.4, **style))
