"""Steps that play inside a notebook, in plain HTML without a network, and as a GIF."""

import base64
import html
import io
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from PIL import Image

from tutor.frontend import someone_watches
from tutor.plots.figure import PIXELS_AN_INCH, Picture, PlotError

PACE = 1.0  # seconds a step
CLEAR = 255  # an index that the palette of the figures leaves free: what hasn't changed can be seen through

RIM = 3  # pixels


@dataclass(frozen=True)
class Animation:
    """Frames that are shown one after the other; people play them, programs and ``print`` get the filmstrip.

    kind: such as "convolution". told: what is shown, in words. words: each step in a sentence. draw: from the number of a
    frame to its picture; all are of one size. ground: the picture that has most in common with all of them. film: some of
    the frames side by side.
    """

    kind: str
    told: str
    words: Sequence[str]
    draw: Callable[[int], Picture]
    ground: Callable[[], Picture]
    film: Callable[[], Picture]

    @property
    def alt(self) -> str:
        """Return in words what is shown."""
        return f"An animation of {len(self.words)} steps. {self.told} {' '.join(self.words)}"

    def __repr__(self) -> str:
        """Say what is shown."""
        return self.alt

    __str__ = __repr__

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.words)

    def save(self, path: str | Path, *, seconds: float = PACE) -> None:
        """Write a GIF that plays for ever, so many seconds a frame. Raises PlotError for a name that doesn't end in .gif."""
        if Path(path).suffix.lower() != ".gif":
            raise PlotError(f"An animation is saved as a GIF, and {str(path)!r} doesn't end in .gif.")
        first, *rest = (self.draw(place).flat(1) for place in range(len(self)))
        first.save(path, save_all=True, append_images=rest, duration=round(1000 * seconds), loop=0, optimize=False)

    def player(self) -> str:
        """Return the HTML of the player: the picture, buttons, a slider, and the step in words."""
        ground = self.ground().flat()
        changes = [_changed(ground, frame) for frame in (self.draw(n).flat() for n in range(len(self)))]
        template = Template(resources.files("tutor.plots").joinpath("player.html").read_text(encoding="utf-8"))
        return template.substitute(
            id=f"tutor-player-{uuid.uuid4().hex}",
            kind=html.escape(self.kind),
            steps=len(self.words),
            width=ground.width // 2,
            height=ground.height // 2,
            ground=_address(ground),
            first=changes[0],
            alt=html.escape(f"{self.told} {self.words[0]}"),
            words=html.escape(self.words[0]),
            longest=html.escape(max(self.words, key=len)),
            all_words=_script(self.words),
            changes=_script(changes),
            pace=round(1000 * PACE),
        )

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        """Give Jupyter the player for a person, the filmstrip for a program."""
        if someone_watches():
            return {"text/html": self.player(), "text/plain": self.alt}, {}
        film = self.film()
        encoded, width = base64.b64encode(film.png()).decode(), round(film.get_figwidth() * PIXELS_AN_INCH)
        return {"image/png": encoded, "text/plain": self.alt}, {"image/png": {"alt": self.alt, "width": width}}


def _changed(ground: Image.Image, frame: Image.Image) -> str:
    """Return what is other in a frame than in the ground, as an address; the rest can be seen through, and takes no bytes."""
    here = np.asarray(frame)
    other = here != np.asarray(ground)
    for axis in (0, 1):  # with a rim, or a page that shrinks the picture lets the ground shine through at the edges
        other = np.any([np.roll(other, by, axis) for by in range(-RIM, RIM + 1)], axis=0)
    changed = Image.fromarray(np.where(other, here, CLEAR).astype(np.uint8), "P")
    levels = frame.getpalette() or []
    changed.putpalette(levels + [255] * (3 * (CLEAR + 1) - len(levels)))
    return _address(changed, transparency=CLEAR)


def _address(image: Image.Image, **options: Any) -> str:
    """Return an image as an address that holds all of it."""
    data = io.BytesIO()
    image.save(data, format="png", optimize=True, **options)
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"


def _script(data: object) -> str:
    """Return data as JavaScript that can stand inside an HTML page."""
    return json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
