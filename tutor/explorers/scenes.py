"""Small images and kernels for scenes, and frames made of scenes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from tutor.explorers.frame import Frame
from tutor.plots import PlotError


def with_scene(make: Callable[[], "Any"], step: int, frame: Frame) -> Frame:
    """Return the frame with the picture of a scene's step (the last one, where there are fewer), or with the reason why not."""
    try:
        scene = make()
    except PlotError as error:
        return replace(frame, problem=str(error))
    return replace(frame, steps=scene.steps, draw=lambda: scene.draw(min(step, scene.steps - 1)))


def digits(channels: int, size: int) -> Tensor:
    """Return an image (channels, size, size) of digits that look mixed and are always the same."""
    generator = torch.Generator().manual_seed(size)
    return torch.randint(0, 10, (channels, size, size), generator=generator).double()


def filters(*shape: int) -> Tensor:
    """Return a weight of a shape; its small whole numbers make sums that can be checked in one's head."""
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randint(-1, 3, shape, generator=generator).double()
