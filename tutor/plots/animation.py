"""Steps that play inside a notebook, in plain HTML without a network, and as a GIF."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from tutor.frontend import someone_watches
from tutor.plots.figure import PIXELS_AN_INCH, Picture, PlotError


@dataclass(frozen=True)
class Animation:
    """Frames that are shown one after the other; people play them, programs and print get the filmstrip.

    told: what is shown, in words. words: each step in a sentence. draw: from the number of a frame to its picture; all are
    of one size. film: some of them side by side.
    """

    told: str
    words: Sequence[str]
    draw: Callable[[int], Picture]
    film: Callable[[], Picture]

    @property
    def alt(self) -> str:
        """Return in words what is shown."""
        return f"{self.told} {len(self.words)} steps. {' '.join(self.words)}"

    def __repr__(self) -> str:
        """Say what is shown."""
        return self.alt

    __str__ = __repr__

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.words)

    @cached_property
    def frames(self) -> list[Image.Image]:
        """Return all frames, two pixels for each of the page, in few colours."""
        return [self.draw(place).flat() for place in range(len(self.words))]

    def save(self, path: str | Path, *, seconds: float = 1.0) -> None:
        """Write a GIF that plays for ever, so many seconds a frame. Raises PlotError for a name that doesn't end in .gif."""
        if Path(path).suffix.lower() != ".gif":
            raise PlotError(f"An animation is saved as a GIF, and {str(path)!r} doesn't end in .gif.")
        first, *rest = self.frames
        first.save(path, save_all=True, append_images=rest, duration=round(1000 * seconds), loop=0, optimize=False)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        """Give Jupyter the player for a person, the filmstrip for a program."""
        if someone_watches():
            return {"text/html": self.player(), "text/plain": self.alt}, {}
        film = self.film()
        encoded, width = base64.b64encode(film.png()).decode(), round(film.get_figwidth() * PIXELS_AN_INCH)
        return {"image/png": encoded, "text/plain": self.alt}, {"image/png": {"alt": self.alt, "width": width}}

    def player(self) -> str:
        """Return the HTML of the player: pictures, buttons, a slider, and the step in words."""
        raise NotImplementedError
