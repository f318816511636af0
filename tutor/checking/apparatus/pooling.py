"""Chapter 04: layers whose images move, and the one whose images are logged."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def largest(images: Tensor) -> Tensor:
    """Return the maximum of each 2 by 2 window: a layer that the check measures."""
    return F.max_pool2d(images, 2)


def blurred(images: Tensor) -> Tensor:
    """Return the square root of the mean of each 3 by 3 window, every two pixels: another layer that it measures."""
    return F.avg_pool2d(images, 3, 2).sqrt()


def brighter(images: Tensor) -> Tensor:
    """Return all of an image's pixels, the further right the brighter."""
    return images * torch.arange(1, images.shape[-1] + 1).to(images)


def signed(images: Tensor) -> Tensor:
    """Return the maximum of each window, half of them negative."""
    return F.max_pool2d(images, 3) - 0.8
