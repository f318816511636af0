"""What happens step by step in a layer, as named grids of numbers: the data of a scene, and its ways to be seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor

from tutor.plots.animation import Animation
from tutor.plots.figure import Picture, PlotError
from tutor.plots.stage import draw_film, draw_step

Cell = tuple[int, int]
FILM, FRAMES = 8, 100  # how many steps a filmstrip and an animation show at most


class Kind(IntEnum):
    """What a cell is; each kind is drawn in its own way, and named below the grids."""

    DATA = 0
    PADDING = 1
    INSERTED = 2  # a zero between the numbers of a transpose convolution's input
    OVER = 3  # where a window of ceil mode hangs over: there is nothing
    CUT = 4  # computed, and then cut off as padding
    EXTRA = 5  # there because of output_padding


class Mark(NamedTuple):
    """Cells of one grid that have a part in a step."""

    grid: int
    cells: tuple[Cell, ...]
    role: str  # "looked": looked at; "result": computed; "chosen": the largest of a window; "used": of the kernel


class Step(NamedTuple):
    """One step: what it computes, how, and in which cells."""

    title: str  # such as "output[0, 1]"
    words: str  # the sum, such as "1·2 + 3·4 = 14", for below the grids
    told: str  # the step in one sentence
    marks: tuple[Mark, ...]
    names: Mapping[int, str] = MappingProxyType({})  # of grids that have another name at this step; "" hides one


@dataclass(frozen=True)
class Grid:
    """A named grid of cells.

    values: float64 (rows, columns), or a function from the step to them; NaN is a cell that is empty, or not computed yet.
    kinds: (rows, columns), a ``Kind`` each. column: grids of one column stand below each other, 0 is the leftmost.
    """

    name: str
    column: int
    values: Tensor | Callable[[int], Tensor]
    kinds: Tensor

    def at(self, step: int) -> Tensor:
        """Return the values (rows, columns) when a step is done."""
        return self.values if isinstance(self.values, Tensor) else self.values(step)

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, columns)."""
        return self.kinds.shape[0], self.kinds.shape[1]


@dataclass(frozen=True)
class Scene:
    """A layer at work: grids side by side, and what each step does to them. Nothing in it changes.

    told: what is shown, in words. grids: with ``signs`` between their columns. steps: how many there are.
    at: from the number of a step, counted from 0, to the ``Step``. output: what torch returns for all of it.
    longest: with how many letters the longest number is written, at any step.
    """

    told: str
    grids: tuple[Grid, ...]
    signs: tuple[str, ...]
    steps: int
    at: Callable[[int], Step]
    output: Tensor
    longest: int

    def draw(self, step: int = 0, *, numbers: bool | None = None) -> Picture:
        """Draw one step. numbers: whether they stand in the cells; by itself, where they can be read.

        Raises PlotError for a step that there isn't, and for a scene that is too large to be seen.
        """
        (step,) = self.check([step])
        return draw_step(self, step, numbers)

    def film(self, steps: Sequence[int] | None = None, *, numbers: bool | None = None) -> Picture:
        """Draw up to 8 steps side by side (by itself, the first four). Raises PlotError as ``draw`` does."""
        chosen = self.check(range(min(4, self.steps)) if steps is None else steps)
        if not 1 <= len(chosen) <= FILM:
            raise PlotError(
                f"A filmstrip shows 1 to {FILM} steps, not {len(chosen)}; give their numbers, such as steps=(0, 1)."
            )
        return draw_film(self, chosen, numbers)

    def animation(self, steps: Sequence[int] | None = None, *, numbers: bool | None = None) -> Animation:
        """Return the steps (by itself, all of them) one after the other. Raises PlotError as ``draw`` does."""
        chosen = self.check(range(self.steps) if steps is None else steps)
        if not 1 <= len(chosen) <= FRAMES:
            raise PlotError(
                f"An animation has 1 to {FRAMES} steps, not {len(chosen)}; give some of them, such as steps=range(20)."
            )
        few = sorted({round(place * (len(chosen) - 1) / 3) for place in range(4)})
        return Animation(
            kind=self.kind,
            told=self.told,
            words=[self.at(step).told for step in chosen],
            draw=lambda place: draw_step(self, chosen[place], numbers, words=False),
            ground=lambda: draw_step(self, chosen[-1], numbers, words=False, marks=False),
            film=lambda: draw_film(self, [chosen[place] for place in few], numbers),
        )

    def check(self, steps: Sequence[int]) -> list[int]:
        """Return the steps, else raise PlotError when one of them isn't there."""
        for step in steps:
            if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < self.steps:
                raise PlotError(f"There is no step {step}: this {self.kind} has steps 0 to {self.steps - 1}.")
        return list(steps)

    @property
    def kind(self) -> str:
        """Return what this is, such as "convolution"."""
        return self.told.partition(".")[0].removeprefix("A ").removeprefix("An ").lower()

    @cached_property
    def words(self) -> int:
        """Return how long the longest sum is, in letters, so that room for it is kept at every step."""
        some = range(self.steps) if self.steps <= FRAMES else (0, self.steps // 2, self.steps - 1)
        return max(len(self.at(step).words) for step in some)
