"""Small images and kernels for scenes, and frames made of scenes."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from tutor.explorers.frame import Frame
from tutor.plots import PlotError
from tutor.plots.scene import Scene


def with_scene(make: Callable[[], Scene], step: int, frame: Frame) -> Frame:
    """Return the frame with the picture of a scene's step (the last one, where there are fewer), or with the reason why not."""
    try:
        scene = make()
    except PlotError as error:
        return replace(frame, problem=str(error))
    return replace(frame, steps=scene.steps, draw=lambda: scene.draw(min(step, scene.steps - 1)))


def digits(channels: int, size: int) -> Tensor:
    """Return an image (channels, size, size) of digits that look mixed; a larger one holds the smaller ones."""
    generator = torch.Generator().manual_seed(8)
    return torch.randint(0, 10, (4, 8, 8), generator=generator)[:channels, :size, :size].double()


def filters(outs: int, ins: int, size: int) -> Tensor:
    """Return a weight (outs, ins, size, size); its small whole numbers make sums that can be checked in one's head."""
    generator = torch.Generator().manual_seed(3)
    return torch.randint(-1, 3, (4, 4, 4, 4), generator=generator)[:outs, :ins, :size, :size].double()
