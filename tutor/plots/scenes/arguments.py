"""The arguments of layers, checked: what doesn't fit is told in a sentence for learners."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tutor.plots.figure import PlotError
from tutor.plots.words import pair

Pair = int | Sequence[int]
Sizes = tuple[int, int]


def sizes(name: str, value: object, least: int) -> Sizes:
    """Return a whole number twice, or a pair of them, else raise PlotError."""
    both = (value, value) if isinstance(value, int) else tuple(value) if isinstance(value, Sequence) else ()
    if len(both) != 2 or not all(type(size) is int and size >= least for size in both):
        raise PlotError(f"{name}={value!r} is neither a whole number of at least {least} nor a pair of them.")
    return both[0], both[1]


def image(value: object, name: str = "input") -> Tensor:
    """Return an image (height, width) or (channels, height, width) as float64 with channels, else raise PlotError."""
    if not isinstance(value, Tensor) or value.ndim not in (2, 3) or value.numel() == 0:
        got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise PlotError(
            f"The {name} has to be a tensor of shape (height, width), such as image[0, 0], or (channels, height, width); "
            f"got {got}."
        )
    return numbers(value if value.ndim == 3 else value[None], name)


def kernels(value: object) -> Tensor:
    """Return a weight (height, width) or with channels in front as float64 with channels, else raise PlotError."""
    if not isinstance(value, Tensor) or value.ndim not in (2, 4) or value.numel() == 0:
        got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise PlotError(
            "The kernel has to be a tensor of shape (height, width), or with four dimensions as torch keeps a layer's "
            f"weight; got {got}."
        )
    return numbers(value if value.ndim == 4 else value[None, None], "kernel")


def numbers(value: Tensor, name: str) -> Tensor:
    """Return a tensor's numbers as float64 on the CPU, else raise PlotError."""
    if value.is_complex() or bool(torch.isnan(value).any()):
        raise PlotError(f"The {name} holds NaN or complex numbers, which can't be drawn.")
    return value.detach().cpu().double()


def grouped(groups: object, **channels: int) -> int:
    """Return groups, else raise PlotError when it doesn't divide the numbers of channels."""
    if type(groups) is not int or groups < 1:
        raise PlotError(f"groups={groups!r} is no whole number of at least 1.")
    for name, number in channels.items():
        if number % groups:
            raise PlotError(
                f"groups={groups} doesn't divide the {count(number, name + ' channel')}: every group gets as many channels."
            )
    return groups


def count(number: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def need_room(what: str, kernel: Sizes, dilation: Sizes, size: Sizes, padded: Sizes, padding: str) -> None:
    """Raise PlotError when a window reaches farther than there are rows or columns."""
    for side, name in enumerate(("rows", "columns")):
        reach = dilation[side] * (kernel[side] - 1) + 1
        if reach > padded[side]:
            spread = f" with dilation {pair(dilation)}" if dilation != (1, 1) else ""
            raise PlotError(
                f"A {what} of {kernel[0]} by {kernel[1]}{spread} spans {reach} {name}, which doesn't fit an input of "
                f"{size[0]} by {size[1]} with padding {padding}: that has {padded[side]} {name}. "
                f"Take a smaller {what} or more padding{' or less dilation' if spread else ''}."
            )
