"""What Python and its packages do at their first call only, done once before the forks, which would each do it anew."""

import io


def rehearse() -> None:
    """Differentiate, draw a figure, and draw the built-in sample, with one thread.

    It loads modules, fonts and pictures, and changes nothing that a notebook could tell: no figure stays open, and who asks
    for the sample gets a copy.
    """
    import torch
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from tutor.data import sample

    torch.ones(2, requires_grad=True).sigmoid().sum().backward()  # type: ignore[no-untyped-call]
    figure = Figure()
    FigureCanvasAgg(figure)
    figure.subplots().set_title("0.5")
    figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    for train in (True, False):
        sample.draw(train)
