"""What Python and its packages do at their first call only, done once before the forks, which would each do it anew."""

import importlib
import io

# What the course's notebooks import.
IMPORTS = (
    "numpy",
    "matplotlib.pyplot",
    "torch.utils.tensorboard",
    "tutor.board",
    "tutor.data",
    "tutor.explorers",
    "tutor.plots",
    "tutor.training",
)


def rehearse(*, sample: bool = True) -> None:
    """Import what notebooks import, differentiate, draw a figure and, with ``sample``, the built-in pictures; with one thread.

    The pictures take a second. It loads modules, fonts and pictures, and changes nothing that a notebook could tell: no figure
    stays open, and who asks for the pictures gets a copy.
    """
    import torch
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    for name in IMPORTS:
        importlib.import_module(name)
    torch.ones(2, requires_grad=True).sigmoid().sum().backward()  # type: ignore[no-untyped-call]
    figure = Figure()
    FigureCanvasAgg(figure)
    figure.subplots().set_title("0.5")
    figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    if sample:
        from tutor.data.sample import draw

        for train in (True, False):
            draw(train)
