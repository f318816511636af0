"""Figures that say in words what they show, and look the same whatever the theme of the notebook."""

import base64
import html
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# At its first start matplotlib warns that it makes a font cache, or that it can't keep one, and a font that a system
# lacks is one more warning: all on stderr, for which nbgrader gives a cell no points.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

from matplotlib import rc_context  # noqa: E402
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: E402
from PIL import Image  # noqa: E402

from tutor.frontend import someone_watches  # noqa: E402

PIXELS_AN_INCH = 100  # on the page; the PNG has twice as many, for sharp text on dense screens
WIDTH = 8.0  # inches: 800 pixels, what a notebook has room for beside an open file browser

# Okabe and Ito, "Color Universal Design" (2008): told apart with every common kind of colour blindness. Their yellow
# is left out, being too pale for lines on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)), (0, (1, 1)), (0, (8, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

_INK, _FAINT = "#222222", "#d4d4d4"
_STYLE: dict[Any, Any] = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": "#666666",
    "axes.labelcolor": _INK,
    "axes.labelsize": 10.5,
    "axes.titlecolor": _INK,
    "axes.titlesize": 11.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "grid.color": _FAINT,
    "grid.linewidth": 0.7,
    "font.family": ["DejaVu Sans"],
    "font.size": 10.5,
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "legend.handlelength": 3.2,  # long enough to tell dashes from dots
    "lines.linewidth": 2.0,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}


class PlotError(ValueError):
    """Something can't be drawn; the message says what, and what to do."""

    def _render_traceback_(self) -> list[str]:
        """Show the sentence alone in a notebook: the lines of this package would not help."""
        return [f"{type(self).__name__}: {self}"]


class Picture(Figure):
    """A matplotlib figure with alt text, which a notebook shows when it is the last line of a cell.

    ``alt`` says in words what the figure shows. It is what ``print`` writes, what a notebook keeps as text, and what a
    screen reader reads. JupyterLab and nbconvert leave alt text out of PNG outputs, so people get the PNG inside HTML;
    a program that runs the notebook gets a PNG output with ``alt`` in its metadata.
    """

    def __init__(self, height: float, width: float = WIDTH, *, close: bool = False, fixed: bool = False) -> None:
        """Make an empty figure, ``height`` by ``width`` inches.

        close: with narrow gaps, as between photos. fixed: whoever draws says where everything is, which is faster.
        """
        layout = None if fixed else ConstrainedLayoutEngine()
        if layout and close:
            layout.set(w_pad=0.04, h_pad=0.04, wspace=0, hspace=0)
        super().__init__(figsize=(width, height), dpi=PIXELS_AN_INCH, layout=layout)
        self._agg: Any = FigureCanvasAgg(self)
        self.alt = ""
        self.palette: Image.Image | None = None  # of a drawing with few colours: a PNG of these alone is small and fast

    def __repr__(self) -> str:
        """Say what the figure shows."""
        return self.alt

    __str__ = __repr__

    def png(self) -> bytes:
        """Return the figure as the bytes of a PNG file, with two pixels for each of the page."""
        data = io.BytesIO()
        with rc_context(_STYLE):
            if self.palette:
                self.flat().save(data, format="png")
            else:
                self.savefig(data, format="png", dpi=2 * PIXELS_AN_INCH)
        self.set_layout_engine("none")  # laid out once; a second time, matplotlib would move things a little further
        return data.getvalue()

    def flat(self, scale: int = 2) -> Image.Image:
        """Return the drawing as an image of its palette's colours, with so many pixels for each of the page."""
        assert self.palette
        with rc_context(_STYLE):
            self.set_dpi(scale * PIXELS_AN_INCH)
            self._agg.draw()
            size, pixels = self._agg.get_width_height(), self._agg.buffer_rgba()
            self.set_dpi(PIXELS_AN_INCH)
        opaque = Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1).convert("RGB")
        return opaque.quantize(palette=self.palette, dither=Image.Dither.NONE)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        """Give Jupyter the picture and its words."""
        encoded = base64.b64encode(self.png()).decode()
        width = round(self.get_figwidth() * PIXELS_AN_INCH)
        if someone_watches():
            image = (
                f'<img src="data:image/png;base64,{encoded}" alt="{html.escape(self.alt)}" '
                f'width="{width}" style="max-width: 100%; height: auto">'
            )
            return {"text/html": image, "text/plain": self.alt}, {}
        return {"image/png": encoded, "text/plain": self.alt}, {"image/png": {"alt": self.alt, "width": width}}


@contextmanager
def drawing(height: float, width: float = WIDTH, *, close: bool = False, fixed: bool = False) -> Iterator[Picture]:
    """Give a new ``Picture`` to draw on in the course's style, whatever rcParams say."""
    with rc_context(_STYLE):
        yield Picture(height, width, close=close, fixed=fixed)
